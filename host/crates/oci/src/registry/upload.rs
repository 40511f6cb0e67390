//! Sends the bytes of a blob to a registry.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Body, Method, Response, Url};
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::error::Problem;
use super::http::Http;
use crate::Digest;
use crate::image::Descriptor;

/// The number of bytes that are read at once.
const CHUNK: usize = 256 << 10;
/// How many times longer than for a chunk a registry may take for its response, because it may copy
/// the blob first.
const STALLS_AT_END: u32 = 4;

/// A reader of a blob.
pub type BlobReader = Pin<Box<dyn AsyncRead + Send>>;

/// The source of an image's blobs. A blob is opened again when its upload is repeated.
#[async_trait]
pub trait BlobSource: Send + Sync {
    /// Opens a blob at its beginning.
    ///
    /// # Errors
    /// If the blob does not exist or cannot be read.
    async fn open(&self, digest: &Digest) -> std::io::Result<BlobReader>;
}

/// The upload of a blob.
pub(super) struct Upload<'a> {
    pub(super) descriptor: &'a Descriptor,
    pub(super) source: &'a dyn BlobSource,
}

/// The state of an upload while the client sends it.
#[derive(Default)]
struct Progress {
    sent: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Progress {
    fn fail(&self, why: String) -> std::io::Error {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
        std::io::Error::other(why)
    }

    fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Upload<'_> {
    /// Sends the blob as the body of a request.
    pub(super) async fn send(
        &self,
        http: &Http,
        method: &Method,
        url: &Url,
        mut headers: HeaderMap,
    ) -> Result<Response, Problem> {
        let size = self.descriptor.size;
        let reader =
            self.source.open(&self.descriptor.digest).await.map_err(|error| Problem::Read(error.to_string()))?;
        let progress = Arc::new(Progress::default());
        headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let body = Body::wrap_stream(chunks(reader, size, Arc::clone(&progress)));
        let sent = http.start(method, url, &headers, Some(body))?;
        tokio::pin!(sent);
        let mut before = None;
        loop {
            let done = progress.sent.load(Ordering::Relaxed);
            let (doing, after) = match done == size {
                true => ("did not answer", http.stall_timeout * STALLS_AT_END),
                false => ("took nothing", http.stall_timeout),
            };
            if before == Some(done) {
                return Err(Problem::Stalled { doing, after });
            }
            before = Some(done);
            if let Ok(answered) = tokio::time::timeout(after, &mut sent).await {
                let failed = |error| progress.failure().map_or_else(|| http.problem(&error), Problem::Read);
                return answered.map_err(failed);
            }
        }
    }
}

/// Reads a blob in chunks. Fails if the blob does not have the expected size.
fn chunks(
    reader: BlobReader,
    size: u64,
    progress: Arc<Progress>,
) -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send {
    let chunks = ReaderStream::with_capacity(reader, CHUNK);
    stream::unfold(Some((chunks, progress)), move |state| async move {
        let (mut chunks, progress) = state?;
        let sent = progress.sent.load(Ordering::Relaxed);
        match chunks.next().await {
            Some(Ok(chunk)) if sent + chunk.len() as u64 <= size => {
                progress.sent.store(sent + chunk.len() as u64, Ordering::Relaxed);
                Some((Ok(chunk), Some((chunks, progress))))
            }
            Some(Ok(_)) => Some((Err(progress.fail(format!("it has more than {size} bytes"))), None)),
            Some(Err(error)) => Some((Err(progress.fail(error.to_string())), None)),
            None if sent < size => Some((Err(progress.fail(format!("it has {sent} of {size} bytes"))), None)),
            None => None,
        }
    })
}
