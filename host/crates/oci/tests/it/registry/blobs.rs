//! Downloads that break, stall and lie.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use oci::image::{Descriptor, LAYER};
use oci::registry::{BlobSink, Client, LeastRate, Retry};

use crate::support::bench::{Bench, check, describe};
use crate::support::fake::{Asked, Reply};
use crate::support::image::{Image, descriptor};

/// Changes the responses to requests for the layer, and not those for the configuration.
fn change_layer(bench: &Bench, times: usize, mut change: impl FnMut(&Asked, Reply) -> Reply + Send + 'static) {
    let digest = oci::Digest::of(&bench.image.layers[0]);
    bench.fake.change(&format!("GET /v2/app/blobs/{digest}"), times, move |asked, reply| change(asked, reply));
}

#[tokio::test]
async fn a_download_that_breaks_is_resumed() {
    check(
        |bench| change_layer(bench, 2, |_, reply| reply.cut(4)),
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
        waited: 0.25 0.5
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
          GET /v2/app/blobs/<layer 1> bytes=4- -> 206
          GET /v2/app/blobs/<layer 1> bytes=8- -> 206
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_download_that_breaks_begins_anew_where_there_are_no_ranges() {
    let change = |bench: &mut Bench| {
        let mut n_asked = 0;
        change_layer(bench, 2, move |_, _| {
            n_asked += 1;
            let whole = Reply::new(200, "0123456789");
            if n_asked == 1 { whole.cut(4) } else { whole }
        });
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
        waited: 0.25
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
          GET /v2/app/blobs/<layer 1> bytes=4- -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_download_that_always_breaks_ends() {
    check(|bench| change_layer(bench, 99, |_, reply| reply.cut(1)), expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment, may pass): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: the connection ended after 5 of 10 bytes
        hint: try again later; if it fails again, ask the administrator of `REGISTRY`
        layer: ""
        waited: 0.25 0.5 1 2
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
          GET /v2/app/blobs/<layer 1> bytes=1- -> 206
          GET /v2/app/blobs/<layer 1> bytes=2- -> 206
          GET /v2/app/blobs/<layer 1> bytes=3- -> 206
          GET /v2/app/blobs/<layer 1> bytes=4- -> 206
    "#]]).await;
}

#[tokio::test]
async fn a_connection_that_is_closed_without_an_answer_is_made_again() {
    check(
        |bench| bench.fake.change("GET", 2, |_, _| Reply::default()),
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
        waited: 0.25 0.5
          GET /v2/app/manifests/1 -> 0
          GET /v2/app/manifests/1 -> 0
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_registry_that_never_answers_ends_the_pull() {
    check(|bench| bench.fake.always("GET", |_, _| Reply::default()), expect![[r#"
        error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: the connection broke: connection closed before message completed
        hint: check the name `REGISTRY`, the network and the proxy
        waited: 0.25 0.5 1 2
          GET /v2/app/manifests/1 -> 0
          GET /v2/app/manifests/1 -> 0
          GET /v2/app/manifests/1 -> 0
          GET /v2/app/manifests/1 -> 0
          GET /v2/app/manifests/1 -> 0
    "#]]).await;
}

#[tokio::test]
async fn a_long_download_may_break_more_often() {
    let mut bench = Bench::new();
    let layer = vec![7; 12 << 20];
    bench.put(Image::new(&[&layer]));
    // Each response has a little more than the bytes that count as progress.
    change_layer(&bench, 10, |_, reply| reply.cut((1 << 20) + 1));
    let client = Client::new(bench.options).unwrap();
    let blob: Descriptor = serde_json::from_value(descriptor(LAYER, &layer)).unwrap();
    let mut sink = Vec::new();
    client.blob(&bench.name.parse().unwrap(), &blob, &mut sink).await.unwrap();
    assert!(sink == layer);
    assert_eq!(bench.fake.asked().len(), 11);
}

#[tokio::test]
async fn a_download_that_stalls_ends() {
    let change = |bench: &mut Bench| {
        bench.options.stall_timeout = Duration::from_secs(1);
        bench.options.retry = Retry { times: 1, ..Retry::default() };
        change_layer(bench, 99, |_, reply| reply.stall(4));
    };
    check(change, expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment, may pass): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: it sent nothing for 1 s
        hint: try again later; if it fails again, ask the administrator of `REGISTRY`
        layer: ""
        waited: 0.25
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
          GET /v2/app/blobs/<layer 1> bytes=4- -> 206
    "#]]).await;
}

#[tokio::test]
async fn a_download_that_is_too_slow_ends() {
    let change = |bench: &mut Bench| {
        let over = Duration::from_millis(40);
        bench.options.least_rate = LeastRate { bytes: 1 << 10, over };
        bench.options.retry = Retry { max_silence: over, ..Retry::default() };
        change_layer(bench, 99, |_, reply| Reply { drip: Duration::from_millis(30), ..reply });
    };
    let mut bench = Bench::new();
    change(&mut bench);
    let report = bench.pull().await;
    assert!(report.contains("bytes in 0.04 s, and less than 1024 are too few"), "{report}");
    assert_eq!(report.matches("blobs/<layer 1>").count(), 1, "{report}");
}

#[tokio::test]
async fn a_short_answer_that_takes_too_long_ends() {
    let change = |bench: &mut Bench| {
        bench.options.answer_timeout = Duration::from_millis(50);
        bench.options.retry = Retry { times: 0, ..Retry::default() };
        bench.fake.always("GET", |_, reply| Reply { drip: Duration::from_millis(15), ..reply });
    };
    check(
        change,
        expect![[r#"
            error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: it sent no whole answer for 0.05 s
            hint: try again later; if it fails again, ask the administrator of `REGISTRY`
              GET /v2/app/manifests/1 -> 200
        "#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_stall() {
    let change = |bench: &mut Bench| {
        bench.options.stall_timeout = Duration::from_millis(200);
        bench.options.connect_timeout = Duration::from_millis(200);
        bench.options.retry = Retry { times: 1, ..Retry::default() };
        bench.fake.always("GET", |_, _| Reply::default().stall(0));
    };
    check(
        change,
        expect![[r#"
            error (Environment, may pass): image `REGISTRY/app:1`: registry `REGISTRY`: it did not answer for 0.4 s
            hint: try again later; if it fails again, ask the administrator of `REGISTRY`
            waited: 0.25
              GET /v2/app/manifests/1 -> 0
              GET /v2/app/manifests/1 -> 0
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_layer_that_is_announced_too_short_is_not_read() {
    check(|bench| change_layer(bench, 99, |_, _| Reply::new(200, "0123")), expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: it sent 4 bytes, but the manifest announces 10
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
        layer: ""
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_layer_that_is_announced_too_long_is_not_read() {
    check(|bench| change_layer(bench, 99, |_, _| Reply::new(200, "0123456789x")), expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: it sent more than the 10 bytes that the manifest announces
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
        layer: ""
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_layer_that_goes_on_is_cut_off() {
    let change = |bench: &mut Bench| {
        change_layer(bench, 99, |_, _| {
            let chunks = "8\r\n01234567\r\n8\r\n89abcdef\r\n";
            Reply::new(200, chunks).header("Transfer-Encoding", "chunked").stall(chunks.len())
        });
    };
    check(change, expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: it sent more than the 10 bytes that the manifest announces
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
        layer: ""
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_layer_that_ends_early_without_saying_so_is_asked_for_again() {
    let change = |bench: &mut Bench| {
        change_layer(bench, 1, |_, _| Reply::new(200, "4\r\n0123\r\n0\r\n\r\n").header("Transfer-Encoding", "chunked"));
    };
    check(
        change,
        expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        layer: "0123456789"
        waited: 0.25
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
          GET /v2/app/blobs/<layer 1> bytes=4- -> 206
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_layer_with_another_digest_is_thrown_away() {
    check(|bench| change_layer(bench, 99, |_, _| Reply::new(200, "9876543210")), expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: the data that it sent has the digest sha256:7619ee8cea49187f309616e30ecf54be072259b43760f1f550a644945d5572f2 instead of <layer 1>
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
        layer: ""
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_resumed_layer_with_another_digest_is_thrown_away() {
    let change = |bench: &mut Bench| {
        change_layer(bench, 2, |asked, reply| match asked.header("range") {
            "" => reply.cut(4),
            _ => Reply { body: b"xxxxxx".to_vec(), ..reply },
        });
    };
    check(change, expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: the data that it sent has the digest sha256:1a6ad8bef974ffcaa7a4d462fbe9dda6df3e442909ea44f8871eb87b02da283a instead of <layer 1>
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
        layer: ""
        waited: 0.25
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
          GET /v2/app/blobs/<layer 1> bytes=4- -> 206
    "#]]).await;
}

#[tokio::test]
async fn a_range_that_was_not_asked_for_is_refused() {
    let change = |bench: &mut Bench| {
        change_layer(bench, 2, |asked, reply| match asked.header("range") {
            "" => reply.cut(4),
            _ => Reply::new(206, "89").header("Content-Range", "bytes 8-9/10"),
        });
    };
    check(change, expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: its range is not valid: it is `bytes 8-9/10`, and the bytes from 4 on were asked for
        hint: `REGISTRY` or a proxy in front of it is broken or cannot be trusted
        layer: ""
        waited: 0.25
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
          GET /v2/app/blobs/<layer 1> bytes=4- -> 206
    "#]]).await;
}

#[tokio::test]
async fn a_layer_that_was_deleted_is_gone() {
    check(|bench| change_layer(bench, 99, |_, _| Reply::error(404, "BLOB_UNKNOWN", "blob unknown")), expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: it does not have it any more
        hint: the tag was moved and the old image deleted: pull it again
        layer: ""
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 404
    "#]]).await;
}

#[tokio::test]
async fn a_web_page_is_no_layer() {
    let change = |bench: &mut Bench| {
        change_layer(bench, 99, |_, _| Reply::new(200, "<html>????").header("Content-Type", "text/html"));
    };
    check(change, expect![[r#"
        resolved: REGISTRY/app:1@<manifest>
        error (Environment): blob <layer 1> of `REGISTRY/app:1@<manifest>`: registry `REGISTRY`: it answered with a web page
        hint: a proxy or the login page of a network may have answered: open `REGISTRY` in a browser
        layer: ""
          GET /v2/app/manifests/1 -> 200
          GET /v2/app/blobs/<config> -> 200
          GET /v2/app/blobs/<layer 1> -> 200
    "#]]).await;
}

#[tokio::test]
async fn a_sink_that_fails_ends_the_download() {
    struct Full;
    impl BlobSink for Full {
        async fn write(&mut self, _: Bytes) -> io::Result<()> {
            Err(io::Error::from_raw_os_error(28))
        }
        async fn discard(&mut self) -> io::Result<bool> {
            Ok(true)
        }
    }
    let bench = Bench::new();
    let client = Client::new(bench.options).unwrap();
    let blob: Descriptor = serde_json::from_value(descriptor(LAYER, b"0123456789")).unwrap();
    let error = client.blob(&bench.name.parse().unwrap(), &blob, &mut Full).await.unwrap_err();
    let mut report = String::new();
    describe(&mut report, &error);
    expect![[r#"
        error (Environment): blob <layer 1> of `REGISTRY/app:1`: registry `REGISTRY`: cannot write the data that it sends: No space left on device (os error 28)
        hint: 
          GET /v2/app/blobs/<layer 1> -> 200
    "#]].assert_eq(&(bench.fake.shorten(&report) + &bench.fake.log()));
}
