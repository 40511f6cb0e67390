//! Downloads blobs. They are verified while they arrive, and a broken download is resumed.
//!
//! Source: OCI distribution-spec 1.1, "Pulling blobs"; RFC 9110, 14 for ranges.

use std::io;

use bytes::{Buf as _, Bytes};
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::endpoint::Endpoint;
use super::error::{Problem, RegistryError};
use super::manifest::refuse_web_page;
use super::transport::{Request, Transport};
use super::{Client, pull_scopes};
use crate::Digest;
use crate::image::Descriptor;
use graph::reference::Reference;

/// The number of bytes after which the repetitions of a broken download start over, so that a long
/// download can break more often than a request is repeated.
const PROGRESS: u64 = 1 << 20;

/// Takes the bytes of a blob, in order and each once, even if the connection breaks in between. The
/// bytes are verified only when the download has returned without an error.
pub trait BlobSink: Send {
    /// Takes the next bytes.
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = io::Result<()>> + Send;

    /// Discards all bytes so far, and returns `false` if that is not possible.
    fn discard(&mut self) -> impl Future<Output = io::Result<bool>> + Send;
}

impl BlobSink for Vec<u8> {
    async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.extend_from_slice(&bytes);
        Ok(())
    }

    async fn discard(&mut self) -> io::Result<bool> {
        self.clear();
        Ok(true)
    }
}

impl BlobSink for tokio::fs::File {
    async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.write_all(&bytes).await
    }

    async fn discard(&mut self) -> io::Result<bool> {
        use tokio::io::AsyncSeekExt as _;
        self.rewind().await?;
        self.set_len(0).await?;
        Ok(true)
    }
}

/// Writes to a sink that cannot discard bytes, such as a pipe.
#[derive(Debug)]
pub struct Piped<W>(pub W);

impl<W: AsyncWrite + Unpin + Send> BlobSink for Piped<W> {
    async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.0.write_all(&bytes).await
    }

    async fn discard(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

impl Client {
    /// Downloads a blob of an image, and verifies its size and digest. If they are wrong or the
    /// download fails, the sink must discard the bytes.
    ///
    /// # Errors
    /// If the registry does not have the blob, cannot be asked, or sends other bytes; if the sink
    /// fails.
    pub async fn blob(
        &self,
        reference: &Reference,
        descriptor: &Descriptor,
        sink: &mut impl BlobSink,
    ) -> Result<(), RegistryError> {
        let subject = format!("blob {} of `{reference}`", descriptor.digest);
        let servers = self.transport.endpoints.to_read(reference);
        let servers = servers.map_err(|problem| RegistryError::new(&subject, reference.registry(), problem))?;
        let scopes = pull_scopes(reference.repository());
        let request = |endpoint: &Endpoint| {
            let url = endpoint.url(reference.repository(), "blobs", &descriptor.digest.to_string());
            Request::new(Method::GET, url, &scopes)
        };
        let mut download = Download::new(descriptor);
        for mirror in &servers.mirrors {
            let ended = download.run(&self.transport, mirror, &mut request(mirror), sink).await;
            let Err(problem) = ended else { return Ok(()) };
            if !download.can_go_on(&problem, sink).await {
                return Err(RegistryError::new(&subject, &mirror.name, problem));
            }
        }
        let ended = download.finish(&self.transport, &servers.own, &mut request(&servers.own), sink).await;
        if ended.is_err() {
            // The error of the download is more useful than this one.
            let _ = sink.discard().await;
        }
        ended.map_err(|problem| RegistryError::new(&subject, &servers.own.name, problem))
    }
}

/// A download, which may need several requests.
struct Download<'a> {
    descriptor: &'a Descriptor,
    received: u64,
    hasher: Sha256,
}

impl<'a> Download<'a> {
    fn new(descriptor: &'a Descriptor) -> Self {
        Self { descriptor, received: 0, hasher: Sha256::new() }
    }

    /// Prepares for the next server after one has failed. The bytes so far are kept unless they may
    /// be wrong. Returns `false` if the sink cannot continue.
    async fn can_go_on(&mut self, problem: &Problem, sink: &mut impl BlobSink) -> bool {
        let is_sound = problem.is_transient() || self.received == 0;
        if is_sound && !matches!(problem, Problem::Write(_)) {
            return true;
        }
        *self = Self::new(self.descriptor);
        matches!(sink.discard().await, Ok(true)) && !matches!(problem, Problem::Write(_))
    }

    /// Asks the last server. If the blob is wrong and another server sent a part of it, the
    /// download starts again.
    async fn finish(
        &mut self,
        transport: &Transport,
        endpoint: &Endpoint,
        request: &mut Request<'_>,
        sink: &mut impl BlobSink,
    ) -> Result<(), Problem> {
        let is_inherited = self.received > 0;
        let ended = self.run(transport, endpoint, request, sink).await;
        let is_wrong = matches!(ended, Err(Problem::DigestMismatch { .. }));
        if !is_wrong || !is_inherited || !matches!(sink.discard().await, Ok(true)) {
            return ended;
        }
        *self = Self::new(self.descriptor);
        self.run(transport, endpoint, request, sink).await
    }

    /// Asks a server until the blob is complete, or until an error is final.
    async fn run(
        &mut self,
        transport: &Transport,
        endpoint: &Endpoint,
        request: &mut Request<'_>,
        sink: &mut impl BlobSink,
    ) -> Result<(), Problem> {
        let mut retries = transport.retries(endpoint);
        loop {
            let before = self.received;
            request.headers = self.range();
            let Err(problem) = self.attempt(transport, endpoint, request, sink).await else { return self.verify() };
            if self.received - before >= PROGRESS {
                retries.begin_again();
            }
            retries.after(problem).await?;
        }
    }

    /// Asks for the missing bytes.
    fn range(&self) -> HeaderMap {
        let range = format!("bytes={}-", self.received);
        let value = HeaderValue::try_from(range).ok().filter(|_| self.received > 0);
        value.map(|value| (RANGE, value)).into_iter().collect()
    }

    async fn attempt(
        &mut self,
        transport: &Transport,
        endpoint: &Endpoint,
        request: &Request<'_>,
        sink: &mut impl BlobSink,
    ) -> Result<(), Problem> {
        if self.received > 0 && self.received == self.descriptor.size {
            return Ok(());
        }
        let response = transport.send(endpoint, request).await?;
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => self.start_of_range(response.headers())?,
            StatusCode::NOT_FOUND => return Err(Problem::Gone("it".to_owned())),
            _ => return Err(transport.complaint(response, "the request").await),
        };
        refuse_web_page(response.headers())?;
        self.check_announced(start, response.content_length())?;
        self.receive(transport, response, start, sink).await
    }

    /// Returns the offset at which the sent range begins. It may be smaller than the requested one.
    fn start_of_range(&self, headers: &HeaderMap) -> Result<u64, Problem> {
        let text = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let start = text.strip_prefix("bytes ").and_then(|text| text.split('-').next()?.trim().parse().ok());
        start.filter(|start| *start <= self.received).ok_or_else(|| {
            let why = format!("it is `{text}`, and the bytes from {} on were asked for", self.received);
            Problem::Invalid { what: "its range".to_owned(), why }
        })
    }

    /// Compares the size in the header with the expected one, before anything is written.
    fn check_announced(&self, start: u64, length: Option<u64>) -> Result<(), Problem> {
        let (announced, announcer) = (self.descriptor.size, "the manifest");
        match length.map(|length| start + length) {
            Some(end) if end > announced => Err(Problem::TooLong { announced, announcer }),
            Some(received) if received < announced => Err(Problem::TooShort { received, announced, announcer }),
            _ => Ok(()),
        }
    }

    /// Passes the bytes of a response on. Bytes that were received before are skipped, because a
    /// registry without support for ranges sends them again.
    async fn receive(
        &mut self,
        transport: &Transport,
        mut response: Response,
        start: u64,
        sink: &mut impl BlobSink,
    ) -> Result<(), Problem> {
        let size = self.descriptor.size;
        let (mut position, mut pace) = (start, transport.http.pace());
        loop {
            let mut chunk = match transport.http.chunk(&mut response, &mut pace).await? {
                Ok(Some(chunk)) => chunk,
                Ok(None) if position == size => return Ok(()),
                Ok(None) => return Err(Problem::Truncated { received: position, announced: size }),
                Err(broken) => return Err(broken.after(position, Some(size))),
            };
            let known = self.received.saturating_sub(position).min(chunk.len() as u64);
            position += chunk.len() as u64;
            chunk.advance(usize::try_from(known).unwrap_or(chunk.len()));
            if position > size {
                return Err(Problem::TooLong { announced: size, announcer: "the manifest" });
            }
            if !chunk.is_empty() {
                self.hasher.update(&chunk);
                self.received = position;
                sink.write(chunk).await.map_err(Problem::Write)?;
            }
        }
    }

    fn verify(&mut self) -> Result<(), Problem> {
        let found = Digest::from_bytes(std::mem::take(&mut self.hasher).finalize().into());
        let expected = self.descriptor.digest;
        if found == expected { Ok(()) } else { Err(Problem::DigestMismatch { expected, found }) }
    }
}
