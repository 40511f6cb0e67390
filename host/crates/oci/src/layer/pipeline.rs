//! Processes a stream with three threads: one decompresses, one hashes, and the caller's uses the
//! bytes.
//!
//! The threads are not taken from a pool, because this code also runs in a forked process, which
//! does not have the threads of a pool.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use sha2::{Digest as _, Sha256};

use super::Limits;
use super::error::{LayerError, StreamError};
use super::tar::Source;
use crate::Digest;
use crate::compression::Decoder;

/// The size of a chunk. It is small enough to stay in a cache of the processor until it is used.
const CHUNK_BYTES: usize = 256 << 10;
/// The number of chunks that may wait for each of the two reading threads.
const CHUNKS_WAITING: usize = 16;

type Chunk = Arc<Vec<u8>>;

/// The totals of the stream.
pub(super) struct Totals {
    pub(super) digest: Digest,
    pub(super) n_compressed: u64,
    pub(super) n_uncompressed: u64,
}

/// The uncompressed bytes, for the thread that uses them.
pub(super) struct Chunks {
    from: Receiver<Result<Chunk, StreamError>>,
    used: Sender<Vec<u8>>,
    current: Option<Chunk>,
    position: usize,
}

impl Source for Chunks {
    fn fill(&mut self) -> Result<&[u8], StreamError> {
        if self.current.as_ref().is_none_or(|chunk| self.position == chunk.len()) {
            let old = self.current.take();
            give_back(old, &self.used);
            self.position = 0;
            // The sender is dropped when everything has been read.
            self.current = self.from.recv().ok().transpose()?;
        }
        Ok(self.current.as_ref().map_or(&[], |chunk| &chunk[self.position..]))
    }

    fn consume(&mut self, n: usize) {
        self.position += n;
    }
}

/// Returns a buffer to the decompressing thread if no other thread uses it.
fn give_back(chunk: Option<Chunk>, used: &Sender<Vec<u8>>) {
    if let Some(buffer) = chunk.and_then(Arc::into_inner) {
        // At the end, nobody needs the buffer.
        let _ = used.send(buffer);
    }
}

/// Reads all of `reader`, passes the bytes to `work`, and hashes them. The bytes that `work` does
/// not read are read and hashed as well, because the digest covers the whole file, including the
/// bytes after the end mark of the tar file.
pub(super) fn run<R, T, E>(
    reader: R,
    limits: &Limits,
    work: impl FnOnce(&mut Chunks) -> Result<T, E>,
) -> Result<(T, Totals), E>
where
    R: Read + Send,
    E: From<LayerError>,
{
    let (to_hash, hashed) = sync_channel(CHUNKS_WAITING);
    let (to_work, worked) = sync_channel(CHUNKS_WAITING);
    let (used, free) = channel();
    let mut chunks = Chunks { from: worked, used: used.clone(), current: None, position: 0 };
    thread::scope(|scope| {
        let decoding = thread::Builder::new()
            .spawn_scoped(scope, move || decode(reader, limits, &free, &to_hash, &to_work))
            .map_err(LayerError::Thread)?;
        let hashing =
            thread::Builder::new().spawn_scoped(scope, move || hash(&hashed, &used)).map_err(LayerError::Thread)?;
        let done = work(&mut chunks).and_then(|value| Ok(drain(&mut chunks).map(|()| value)?));
        // Without this, the decoder would wait for a reader of its output.
        drop(chunks);
        let (n_compressed, n_uncompressed) = join(decoding);
        let digest = join(hashing);
        done.map(|value| (value, Totals { digest, n_compressed, n_uncompressed }))
    })
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn drain(chunks: &mut Chunks) -> Result<(), LayerError> {
    loop {
        match chunks.fill().map_err(|error| LayerError::stopped("at its end", error.into()))?.len() {
            0 => return Ok(()),
            n => chunks.consume(n),
        }
    }
}

fn hash(chunks: &Receiver<Chunk>, used: &Sender<Vec<u8>>) -> Digest {
    let mut hasher = Sha256::new();
    for chunk in chunks {
        hasher.update(chunk.as_slice());
        give_back(Some(chunk), used);
    }
    Digest::from_bytes(hasher.finalize().into())
}

/// Decompresses until the end, an error, or until nobody reads the output. Returns the numbers of
/// compressed and uncompressed bytes.
fn decode<R: Read>(
    reader: R,
    limits: &Limits,
    free: &Receiver<Vec<u8>>,
    to_hash: &SyncSender<Chunk>,
    to_work: &SyncSender<Result<Chunk, StreamError>>,
) -> (u64, u64) {
    let mut n_uncompressed = 0;
    let mut decoder = match Decoder::new(reader) {
        Ok(decoder) => decoder,
        Err(error) => {
            // The receiver may be gone.
            let _ = to_work.send(Err(error.into()));
            return (0, 0);
        }
    };
    loop {
        let mut buffer = free.try_recv().unwrap_or_default();
        buffer.resize(CHUNK_BYTES, 0);
        let filled = match decoder.fill(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                buffer.truncate(n);
                n_uncompressed += n as u64;
                let chunk = Arc::new(buffer);
                if to_hash.send(Arc::clone(&chunk)).is_err() || to_work.send(Ok(chunk)).is_err() {
                    break;
                }
                limits.check_stream(decoder.n_compressed(), n_uncompressed)
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = filled {
            let _ = to_work.send(Err(error));
            break;
        }
    }
    (decoder.n_compressed(), n_uncompressed)
}
