//! A small client of registries: it pushes over plain HTTP, with one connection for each request.
//!
//! Source: OCI distribution-spec 1.1, "Pushing".

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::build::{Blob, Image, Written};

/// The time that a registry may take to start.
const BEGINS: Duration = Duration::from_secs(20);

/// A registry of this machine.
#[derive(Debug, Clone)]
pub struct Registry {
    address: String,
}

/// The part of a response that the client reads.
struct Answer {
    status: u16,
    location: Option<String>,
}

impl Registry {
    /// Returns the registry at an address, as in `127.0.0.1:5000`.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// Returns the address of the registry.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// If it does not within twenty seconds.
    pub fn wait(&self) -> io::Result<()> {
        let began = Instant::now();
        loop {
            match self.request("GET", "/v2/", "", &[]) {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(_) | Err(_) if began.elapsed() < BEGINS => std::thread::sleep(Duration::from_millis(30)),
                Ok(answer) => return Err(io::Error::other(format!("the registry answers {}", answer.status))),
                Err(error) => return Err(error),
            }
        }
    }

    /// Pushes an image.
    pub(super) fn push(&self, name: &str, tag: &str, image: &Image) -> io::Result<()> {
        let written = image.write()?;
        self.push_blobs(name, &written)?;
        self.push_manifest(name, tag, &written.manifest)
    }

    /// Pushes an index of images for several platforms.
    pub(super) fn push_index(&self, name: &str, tag: &str, images: &[Image]) -> io::Result<()> {
        let mut manifests = Vec::new();
        for image in images {
            let written = image.write()?;
            self.push_blobs(name, &written)?;
            self.push_manifest(name, &written.manifest.digest(), &written.manifest)?;
            let mut descriptor = written.manifest.descriptor();
            descriptor["platform"] = json!({ "os": "linux", "architecture": written.architecture });
            manifests.push(descriptor);
        }
        let media_type = "application/vnd.oci.image.index.v1+json";
        let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests });
        self.push_manifest(name, tag, &Blob { media_type, bytes: index.to_string().into_bytes() })
    }

    fn push_blobs(&self, name: &str, written: &Written) -> io::Result<()> {
        for blob in &written.blobs {
            let begun = self.expect("POST", &format!("/v2/{name}/blobs/uploads/"), "", &[], 202)?;
            let location = begun.location.ok_or_else(|| io::Error::other("an upload has no location"))?;
            let path =
                location.split_once("://").map_or(location.as_str(), |(_, rest)| &rest[rest.find('/').unwrap_or(0)..]);
            let joined = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{joined}digest={}", blob.digest());
            self.expect("PUT", &path, "application/octet-stream", &blob.bytes, 201)?;
        }
        Ok(())
    }

    fn push_manifest(&self, name: &str, reference: &str, manifest: &Blob) -> io::Result<()> {
        let path = format!("/v2/{name}/manifests/{reference}");
        self.expect("PUT", &path, manifest.media_type, &manifest.bytes, 201).map(drop)
    }

    fn expect(&self, method: &str, path: &str, media_type: &str, body: &[u8], status: u16) -> io::Result<Answer> {
        let answer = self.request(method, path, media_type, body)?;
        if answer.status == status {
            return Ok(answer);
        }
        Err(io::Error::other(format!("the registry answers {} to {method} {path}", answer.status)))
    }

    fn request(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address)?;
        write!(stream, "Content-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n")?;
        stream.write_all(body)?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("the registry does not speak HTTP"))?;
        let headers = text.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(": "));
        let mut locations = headers.filter(|(name, _)| name.eq_ignore_ascii_case("location"));
        Ok(Answer { status, location: locations.next().map(|(_, value)| value.to_owned()) })
    }
}
