//! Compressed streams: what layers and archives are stored as.
//!
//! Which compression a stream has is told by its first bytes and by nothing else: media types of
//! real images are wrong often enough. Sources: RFC 1952 (gzip, several members), RFC 8878
//! (Zstandard, several frames).

use std::io::{self, BufReader, Read, Write};

use crate::image;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// As gzip; what every registry and every Docker understands.
    Gzip,
    /// As Zstandard; Docker from 23.0 on.
    Zstd,
}

/// Why a stream cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// What is read from failed.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// The stream ends before its end mark.
    #[error("its {0} data end too early")]
    Truncated(Compression),
    /// The stream is not what its first bytes promise.
    #[error("its {0} data are damaged")]
    Damaged(Compression, #[source] io::Error),
    /// A compression that images do not use.
    #[error("it is compressed as {0}; gzip, zstd and no compression are understood")]
    Unsupported(&'static str),
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// How many bytes decide.
const MAGIC_BYTES: usize = 10;

impl Compression {
    /// Returns the compression of a stream that starts with `head`.
    ///
    /// # Errors
    /// If it is one that images do not use.
    pub fn detect(head: &[u8]) -> Result<Self, DecodeError> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Self::Zstd),
            // A frame that is skipped may come first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err(DecodeError::Unsupported("xz")),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => {
                Err(DecodeError::Unsupported("bzip2"))
            }
            _ => Ok(Self::None),
        }
    }

    /// Returns the media type of a layer that is compressed so.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::None => image::LAYER,
            Self::Gzip => image::LAYER_GZIP,
            Self::Zstd => image::LAYER_ZSTD,
        }
    }
}

/// What a decoder reads from: remembers the first bytes, counts, and notes whether reading failed.
struct Input<R> {
    head: io::Cursor<Vec<u8>>,
    inner: R,
    n_bytes: u64,
    has_failed: bool,
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.head.read(buffer) {
            Ok(0) => self.inner.read(buffer),
            read => read,
        };
        match &read {
            Ok(n) => self.n_bytes += *n as u64,
            Err(error) => self.has_failed |= error.kind() != io::ErrorKind::Interrupted,
        }
        read
    }
}

/// How much is read at once.
const INPUT_BYTES: usize = 128 << 10;

enum Inner<R: Read> {
    None(Input<R>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<BufReader<Input<R>>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Input<R>>>),
}

/// Decompresses what it reads, whatever the compression.
pub struct Decoder<R: Read> {
    inner: Inner<R>,
    compression: Compression,
    /// What stopped the reading after bytes that are still good.
    pending: Option<DecodeError>,
}

impl<R: Read> Decoder<R> {
    /// Reads the first bytes and chooses.
    ///
    /// # Errors
    /// If they cannot be read, or are those of an unknown compression.
    pub fn new(mut reader: R) -> Result<Self, DecodeError> {
        let mut head = Vec::with_capacity(MAGIC_BYTES);
        reader.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut head).map_err(DecodeError::Read)?;
        let compression = Compression::detect(&head)?;
        let input = Input { head: io::Cursor::new(head), inner: reader, n_bytes: 0, has_failed: false };
        let inner = match compression {
            Compression::None => Inner::None(input),
            Compression::Gzip => {
                let input = BufReader::with_capacity(INPUT_BYTES, input);
                Inner::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(input)))
            }
            Compression::Zstd => {
                let input = BufReader::with_capacity(INPUT_BYTES, input);
                Inner::Zstd(zstd::stream::read::Decoder::with_buffer(input).map_err(DecodeError::Read)?)
            }
        };
        Ok(Self { inner, compression, pending: None })
    }

    /// Returns the compression that was found.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }

    fn input(&self) -> &Input<R> {
        match &self.inner {
            Inner::None(input) => input,
            Inner::Gzip(decoder) => decoder.get_ref().get_ref(),
            Inner::Zstd(decoder) => decoder.get_ref().get_ref(),
        }
    }

    /// Returns how many compressed bytes were taken so far.
    #[must_use]
    pub fn n_compressed(&self) -> u64 {
        self.input().n_bytes
    }

    /// Fills the buffer unless the stream ends; returns how many bytes there are. What precedes damage
    /// is returned before the error.
    ///
    /// # Errors
    /// If reading fails, or the compressed data are damaged or end too early.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, DecodeError> {
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        let mut n = 0;
        while n < buffer.len() {
            match self.read_once(&mut buffer[n..]) {
                Ok(0) => break,
                Ok(more) => n += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if n == 0 => return Err(self.explain(error)),
                Err(error) => {
                    self.pending = Some(self.explain(error));
                    break;
                }
            }
        }
        Ok(n)
    }

    fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::None(input) => input.read(buffer),
            Inner::Gzip(decoder) => decoder.read(buffer),
            Inner::Zstd(decoder) => decoder.read(buffer),
        }
    }

    fn explain(&self, error: io::Error) -> DecodeError {
        match error.kind() {
            _ if self.input().has_failed || self.compression == Compression::None => DecodeError::Read(error),
            io::ErrorKind::UnexpectedEof => DecodeError::Truncated(self.compression),
            _ => DecodeError::Damaged(self.compression, error),
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    /// As [`Decoder::fill`]; the error of kind `Other` holds the [`DecodeError`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_once(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::other(self.explain(error)),
        })
    }
}

/// Compresses what is written to it. The same input gives the same bytes, however it is cut up.
pub struct Encoder<W: Write> {
    output: Output<W>,
    /// What waits for a whole block. Compressors decide by how much they see at once, so they always
    /// see as much.
    block: Vec<u8>,
}

enum Output<W: Write> {
    None(W),
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

/// gzip's own default.
const GZIP_LEVEL: u32 = 6;
/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;
/// How many threads zstd has besides the writer's. Its output is the same for any number but none,
/// so that machines of different sizes agree.
const ZSTD_THREADS: u32 = 2;
/// "Unknown" in a header of gzip: the output names no machine.
const GZIP_NO_SYSTEM: u8 = 255;
/// How much is compressed at once.
const BLOCK_BYTES: usize = 128 << 10;

impl<W: Write> Encoder<W> {
    /// Makes an encoder; a header of gzip has no time, no name and no system in it.
    ///
    /// # Errors
    /// If there is no memory or no thread for zstd.
    pub fn new(writer: W, compression: Compression) -> io::Result<Self> {
        let output = match compression {
            Compression::None => Output::None(writer),
            Compression::Gzip => {
                let builder = flate2::GzBuilder::new().mtime(0).operating_system(GZIP_NO_SYSTEM);
                Output::Gzip(builder.write(writer, flate2::Compression::new(GZIP_LEVEL)))
            }
            Compression::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(writer, ZSTD_LEVEL)?;
                encoder.multithread(ZSTD_THREADS)?;
                Output::Zstd(encoder)
            }
        };
        Ok(Self { output, block: Vec::with_capacity(BLOCK_BYTES) })
    }

    fn write_block(&mut self) -> io::Result<()> {
        match &mut self.output {
            Output::None(writer) => writer.write_all(&self.block)?,
            Output::Gzip(encoder) => encoder.write_all(&self.block)?,
            Output::Zstd(encoder) => encoder.write_all(&self.block)?,
        }
        self.block.clear();
        Ok(())
    }

    /// Writes the end and returns what was written to.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_block()?;
        match self.output {
            Output::None(writer) => Ok(writer),
            Output::Gzip(encoder) => encoder.finish(),
            Output::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK_BYTES {
            self.write_block()?;
        }
        let n = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    /// Does nothing: a flush of a compressor shows in its output.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
