//! An archive as it comes from BuildKit, for whoever reads it on a thread.

use std::io::{self, Read};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Reads what is sent. Must not be read on a thread of the runtime.
pub(crate) struct TarReader {
    parts: mpsc::Receiver<Bytes>,
    part: Bytes,
}

impl TarReader {
    /// Makes a reader, and where its contents go.
    pub(crate) fn new() -> (mpsc::Sender<Bytes>, Self) {
        let (sender, parts) = mpsc::channel(64);
        (sender, Self { parts, part: Bytes::new() })
    }
}

impl Read for TarReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            match self.parts.blocking_recv() {
                Some(part) => self.part = part,
                None => return Ok(0),
            }
        }
        let n = buffer.len().min(self.part.len());
        buffer[..n].copy_from_slice(&self.part.split_to(n));
        Ok(n)
    }
}
