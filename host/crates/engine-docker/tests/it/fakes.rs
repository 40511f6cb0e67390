//! Dockers that are not as they should be: what is said of them.

use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use engine::{DockerImages as _, Failure};
use engine_docker::{DockerSettings, LocalImages, probe};
use graph::{Diagnostic as _, Platform};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::harness::{open, scratch, sh};

fn settings(socket: &Path) -> DockerSettings {
    DockerSettings { host: Some(format!("unix://{}", socket.display())), ..DockerSettings::default() }
}

/// Serves a socket; `answer` gets each connection with the first line of its request.
fn serve<F>(socket: &Path, answer: impl Fn(UnixStream, String) -> F + Send + Sync + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = UnixListener::bind(socket).unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.is_ok_and(|n| n > 0) {
                    head.push(byte[0]);
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                answer(stream, line).await;
            });
        }
    });
}

async fn reply(mut stream: UnixStream, body: &str) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
}

fn check(failure: &Failure, message: &str, hint: &str) {
    assert!(matches!(failure, Failure::Environment { .. }), "{failure:?}");
    assert!(failure.to_string().contains(message), "{failure}");
    assert!(failure.hint().is_some_and(|found| found.contains(hint)), "{:?}", failure.hint());
}

#[tokio::test]
async fn a_socket_that_is_missing_means_that_docker_does_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let failure = probe(&settings(&dir.path().join("none.sock"))).await.unwrap_err();
    check(&failure, "is not there: Docker is not installed or not running", "systemctl start docker");
}

#[tokio::test]
async fn a_socket_that_nobody_serves_means_that_docker_does_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("d.sock");
    drop(UnixListener::bind(&socket).unwrap());
    check(&probe(&settings(&socket)).await.unwrap_err(), "does not listen at", "systemctl start docker");
}

#[tokio::test]
async fn a_socket_that_may_not_be_used_names_the_group() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("d.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o000)).unwrap();
    let probed = if rustix::process::geteuid().is_root() {
        // No permission stops root: a thread of its own gives the right up.
        let settings = settings(&socket);
        let thread = std::thread::spawn(move || {
            let none = rustix::thread::CapabilitySet::empty();
            let none = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
            rustix::thread::set_capabilities(None, none).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(probe(&settings))
        });
        thread.join().unwrap()
    } else {
        probe(&settings(&socket)).await
    };
    check(&probed.unwrap_err(), "may not be used by this user", "group `docker`");
}

#[tokio::test]
async fn a_docker_that_is_too_old_is_refused_by_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("d.sock");
    serve(&socket, |stream, _| async move {
        reply(stream, r#"{"Version":"1.13.1","ApiVersion":"1.26","Os":"linux","Arch":"amd64"}"#).await;
    });
    let failure = probe(&settings(&socket)).await.unwrap_err();
    check(&failure, "Docker 1.13.1", "install Docker 19.03");
    check(&failure, "its API is 1.26, and 1.40 is needed", "--engine embedded");
}

#[tokio::test]
async fn what_is_not_docker_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("d.sock");
    serve(&socket, |stream, _| async move { reply(stream, "hello").await });
    check(&probe(&settings(&socket)).await.unwrap_err(), "is not Docker", "DOCKER_HOST");
}

#[tokio::test]
async fn podman_and_a_docker_without_buildkit_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("d.sock");
    serve(&socket, |stream, line| async move {
        if line.starts_with("GET /version") {
            let version = r#"{"Version":"4.3","ApiVersion":"1.41","Os":"linux","Arch":"amd64","Components":[{"Name":"Podman Engine"}]}"#;
            reply(stream, version).await;
        } else {
            reply(stream, r#"{"SecurityOptions":["name=rootless"]}"#).await;
        }
    });
    let facts = probe(&settings(&socket)).await.unwrap();
    assert_eq!((facts.is_podman, facts.is_rootless, facts.buildkit), (true, true, None));
}

#[tokio::test]
async fn docker_that_stops_in_the_middle_is_told_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("d.sock");
    serve(&socket, |mut stream, line| async move {
        if line.starts_with("GET /version") {
            reply(stream, r#"{"Version":"20.10","ApiVersion":"1.41","Os":"linux","Arch":"ARCH"}"#.replace("ARCH", &Platform::of_this_machine().architecture).as_str()).await;
        } else if line.starts_with("GET /") {
            reply(stream, "{}").await;
        } else {
            // Cut off while it is used.
            let head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
            stream.write_all(head).await.unwrap();
            let mut some = [0; 64];
            let _ = stream.read(&mut some).await;
        }
    });
    let store = tempfile::tempdir().unwrap();
    let session = open(&settings(&socket), store.path()).await;
    let failure = session.run(&sh(&scratch(), "true")).await.unwrap_err();
    check(&failure, "stopped answering", "--engine embedded");
    check(&failure, "Docker at `unix://", "Docker's log");
}

#[tokio::test]
async fn images_that_cannot_be_had_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("d.sock");
    serve(&socket, |mut stream, _| async move {
        let body = r#"{"message":"No such image: gone"}"#;
        let head = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
    });
    let images = LocalImages::new(settings(&socket));
    assert_eq!(images.id("gone", &Platform::of_this_machine()).await.unwrap(), None);
    let failure = images.save("gone", &dir.path().join("out")).await.unwrap_err();
    assert_eq!(failure.to_string(), "Docker has no image `gone`");
}
