//! Compressed streams, as layers and archives are stored.
//!
//! The compression of a stream is detected from its first bytes. Media types are not used, because
//! those of real images are often wrong.
//!
//! Sources: RFC 1952 (gzip, several members), RFC 8878 (Zstandard, several frames).

use std::io::{self, BufReader, Read, Write};

use crate::image;

/// The compression of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// The stream is not compressed.
    None,
    /// The stream is gzip, which every registry and every Docker supports.
    Gzip,
    /// The stream is Zstandard, which Docker supports since version 23.0.
    Zstd,
}

/// The reason why a stream cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Reading the compressed data failed.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// The stream ends before its end mark.
    #[error("its {0} data end too early")]
    Truncated(Compression),
    /// The stream does not have the format that its first bytes indicate.
    #[error("its {0} data are damaged")]
    Damaged(Compression, #[source] io::Error),
    /// The stream has a compression that images do not use.
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

/// The number of bytes from which the compression is detected.
const MAGIC_BYTES: usize = 10;

impl Compression {
    /// Returns the compression of a stream that starts with `head`.
    ///
    /// # Errors
    /// If the stream has a compression that images do not use.
    pub fn detect(head: &[u8]) -> Result<Self, DecodeError> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Self::Zstd),
            // A skippable frame may come first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err(DecodeError::Unsupported("xz")),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => {
                Err(DecodeError::Unsupported("bzip2"))
            }
            _ => Ok(Self::None),
        }
    }

    /// Returns the media type of a layer with this compression.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::None => image::LAYER,
            Self::Gzip => image::LAYER_GZIP,
            Self::Zstd => image::LAYER_ZSTD,
        }
    }
}

/// The source of a decoder. It keeps the first bytes, counts, and records whether reading failed.
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

/// The number of bytes that are read at once.
const INPUT_BYTES: usize = 128 << 10;

enum Inner<R: Read> {
    None(Input<R>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<BufReader<Input<R>>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Input<R>>>),
}

/// Decompresses a stream with any supported compression.
pub struct Decoder<R: Read> {
    inner: Inner<R>,
    compression: Compression,
    /// The error that is returned after the bytes before it.
    pending: Option<DecodeError>,
}

impl<R: Read> Decoder<R> {
    /// Reads the first bytes and detects the compression.
    ///
    /// # Errors
    /// If the bytes cannot be read, or the compression is not supported.
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

    /// Returns the detected compression.
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

    /// Returns the number of compressed bytes that were read so far.
    #[must_use]
    pub fn n_compressed(&self) -> u64 {
        self.input().n_bytes
    }

    /// Fills the buffer, and returns the number of bytes in it. It is smaller than the buffer only
    /// at the end of the stream. If the stream is damaged, the bytes before the damage are returned
    /// first.
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
    /// Does the same as [`Decoder::fill`]. An error of the kind `Other` contains the
    /// [`DecodeError`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_once(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::other(self.explain(error)),
        })
    }
}

/// Compresses the bytes that are written to it. The output depends only on the bytes, and not on
/// how they are split over writes.
pub struct Encoder<W: Write> {
    output: Output<W>,
    /// The bytes of the current block. The output of a compressor depends on how many bytes it gets
    /// at once, so it always gets whole blocks.
    block: Vec<u8>,
}

enum Output<W: Write> {
    None(W),
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

/// The default level of gzip.
const GZIP_LEVEL: u32 = 6;
/// The default level of zstd.
const ZSTD_LEVEL: i32 = 3;
/// The number of threads that zstd starts. Its output is the same for every number except zero, so
/// that all machines produce the same bytes.
const ZSTD_THREADS: u32 = 2;
/// The value "unknown" for the operating system in a gzip header, so that the output does not
/// depend on the machine.
const GZIP_NO_SYSTEM: u8 = 255;
/// The number of bytes that are compressed at once.
const BLOCK_BYTES: usize = 128 << 10;

impl<W: Write> Encoder<W> {
    /// Returns an encoder. A gzip header has no time, no name and no operating system.
    ///
    /// # Errors
    /// If zstd gets no memory or no thread.
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

    /// Writes the end of the stream and returns the writer.
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

    /// Does nothing, because flushing a compressor would change its output.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
