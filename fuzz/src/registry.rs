//! A registry on this machine that answers everything with the same bytes.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use oci::registry::{Client, Options, Retry};
use oci::{Digest, image::Descriptor};

/// Stands for the port of the registry.
const PORT: &str = "PORT";

/// Returns a runtime with one thread.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}

/// An answer of a registry or of its token server: the head and the body of each of its answers.
pub(super) fn registry(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // Nothing else is asked: without TLS the client leaves no loopback interface.
    if text.to_lowercase().contains("https") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback interface is free");
    let port = listener.local_addr().expect("the port is known").port();
    let answer = text.replace(PORT, &port.to_string());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if is_last(stream, answer.as_bytes()) {
                break;
            }
        }
    });
    runtime().block_on(ask(port));
    let _ = TcpStream::connect(("127.0.0.1", port));
}

async fn ask(port: u16) {
    let brief = Duration::from_millis(500);
    let retry = Retry { times: 0, ..Retry::default() };
    let options = Options { connect_timeout: brief, stall_timeout: brief, retry, ..Options::default() };
    let Ok(client) = Client::new(options) else { return };
    let Ok(name) = format!("127.0.0.1:{port}/app:1").parse() else { return };
    let _ = client.resolve(&name, &graph::Platform::of_this_machine()).await;
    let descriptor = serde_json::json!({
        "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": Digest::of(b"x").to_string(), "size": 1,
    });
    let Ok(descriptor) = serde_json::from_value::<Descriptor>(descriptor) else { return };
    let _ = client.blob(&name, &descriptor, &mut Vec::new()).await;
}

/// Answers one request. Returns whether there was none, which ends the registry.
fn is_last(mut stream: TcpStream, answer: &[u8]) -> bool {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return head.is_empty(),
        }
    }
    // Who asked may be gone.
    let _ = stream.write_all(answer);
    false
}
