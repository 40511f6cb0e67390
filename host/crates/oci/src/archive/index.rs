//! Image files in a tar file of this machine. The headers are read once, and the files are read
//! from the tar file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ArchiveError;
use crate::compression::{Compression, DecodeError, Decoder};
use crate::layer::entry::{self, Kind, ReadError, Source, StreamError, TarReader};
use crate::layer::{Limits, escape};
use crate::layout::Files;

/// The files of a tar file.
#[derive(Debug)]
pub struct TarFiles {
    file: Arc<File>,
    entries: HashMap<Vec<u8>, Found>,
}

/// An entry of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    File {
        offset: u64,
        size: u64,
    },
    /// The entry is a link to another path of the archive.
    Link(Vec<u8>),
}

/// The number of links that are followed for one path.
const MAX_LINKS: usize = 10;

impl TarFiles {
    /// Opens a tar file and reads its headers. A compressed tar file is decompressed into a file
    /// without a name in `scratch`, which is removed when this value is dropped.
    ///
    /// # Errors
    /// If the file cannot be read or decompressed, is not a tar file, or is larger than a layer may
    /// be.
    pub fn open(path: &Path, scratch: &Path) -> Result<Self, ArchiveError> {
        let shown = path.display().to_string();
        let io = |action| move |source| ArchiveError::Io { action, path: path.display().to_string(), source };
        let read = |source| ArchiveError::Read { path: shown.clone(), source };
        let mut file = File::open(path).map_err(io("open"))?;
        let mut decoder = Decoder::new(&file).map_err(read)?;
        if decoder.compression() != Compression::None {
            let decompressed = unnamed(scratch).map_err(|source| ArchiveError::Io {
                action: "make a file in",
                path: scratch.display().to_string(),
                source,
            })?;
            decompress(&mut decoder, &decompressed, &shown)?;
            drop(decoder);
            file = decompressed;
        }
        file.seek(SeekFrom::Start(0)).map_err(io("read"))?;
        let n_bytes = file.metadata().map_err(io("read"))?.len();
        let source = Part { file: Arc::new(file), offset: 0, left: n_bytes };
        let file = Arc::clone(&source.file);
        Ok(Self { entries: index(source, &shown)?, file })
    }

    fn find(&self, path: &str) -> io::Result<(u64, u64)> {
        let mut at = resolve(b"", path.as_bytes());
        for _ in 0..MAX_LINKS {
            match self.entries.get(&at) {
                Some(Found::File { offset, size }) => return Ok((*offset, *size)),
                Some(Found::Link(target)) => at.clone_from(target),
                None => return Err(io::ErrorKind::NotFound.into()),
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "links lead to each other"))
    }
}

impl Files for TarFiles {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        let (offset, left) = self.find(path)?;
        Ok(Box::new(Part { file: Arc::clone(&self.file), offset, left }))
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        self.find(path).map(|(_, size)| size)
    }
}

/// A part of a file that is read at its offset, without moving the position of the file.
struct Part {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let n = self.file.read_at(&mut buffer[..n], self.offset)?;
        self.offset += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

/// Reads headers and skips contents.
struct Headers {
    part: Part,
    buffer: Vec<u8>,
    position: usize,
}

/// The size of the buffer, which holds a few headers. What follows them is nearly always skipped.
const BUFFER_BYTES: usize = 4096;

impl Source for Headers {
    fn fill(&mut self) -> Result<&[u8], StreamError> {
        if self.position == self.buffer.len() {
            self.buffer.resize(BUFFER_BYTES, 0);
            let n = self.part.read(&mut self.buffer);
            self.buffer.truncate(*n.as_ref().unwrap_or(&0));
            self.position = 0;
            n.map_err(|error| StreamError::Decode(DecodeError::Read(error)))?;
        }
        Ok(&self.buffer[self.position..])
    }

    fn consume(&mut self, n: usize) {
        self.position += n;
    }

    fn skip(&mut self, n: u64) -> Result<u64, StreamError> {
        let buffered = (self.buffer.len() - self.position) as u64;
        if n <= buffered || self.part.left == 0 {
            let n = n.min(buffered);
            self.position += usize::try_from(n).unwrap_or(0);
            return Ok(n);
        }
        let jump = (n - buffered).min(self.part.left);
        self.position = self.buffer.len();
        self.part.offset += jump;
        self.part.left -= jump;
        Ok(buffered + jump)
    }
}

fn index(part: Part, path: &str) -> Result<HashMap<Vec<u8>, Found>, ArchiveError> {
    let limits = Limits::default();
    let mut reader = TarReader::new(Headers { part, buffer: Vec::new(), position: 0 });
    let mut entries = HashMap::new();
    let mut n_entries = 0;
    while let Some(found) = reader.next().map_err(|error| explain(error, path))? {
        n_entries += 1;
        if n_entries > limits.max_entries {
            let what = format!("it has more than {} entries", limits.max_entries);
            return Err(ArchiveError::Limit { path: path.to_owned(), what });
        }
        let name = entry::clean(&found.name, &limits).map_err(|source| ArchiveError::Entry {
            path: path.to_owned(),
            name: escape(&found.name),
            source,
        })?;
        let what = match found.kind {
            // Images do not contain sparse files.
            Kind::File if found.sparse.is_none() => Found::File { offset: found.data_offset, size: found.size },
            Kind::HardLink => Found::Link(resolve(b"", &found.link)),
            Kind::Symlink => Found::Link(resolve(entry::split(&name).0, &found.link)),
            _ => continue,
        };
        entries.insert(name, what);
    }
    Ok(entries)
}

fn explain(error: ReadError, path: &str) -> ArchiveError {
    let path = path.to_owned();
    match error {
        ReadError::Tar(source) => ArchiveError::Tar { path, source },
        ReadError::Stream(StreamError::Decode(source)) => ArchiveError::Read { path, source },
        ReadError::Stream(limit) => ArchiveError::Limit { path, what: limit.to_string() },
    }
}

/// Returns the target of a link, computed from its text. It never leads above the root.
fn resolve(dir: &[u8], target: &[u8]) -> Vec<u8> {
    let mut path = if target.starts_with(b"/") { Vec::new() } else { dir.to_vec() };
    for name in target.split(|&b| b == b'/') {
        match name {
            b"" | b"." => {}
            b".." => path.truncate(entry::split(&path).0.len()),
            _ => entry::push(&mut path, name),
        }
    }
    path
}

/// Creates a file without a name.
fn unnamed(dir: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::TMPFILE.bits().cast_signed();
    let mut options = File::options();
    options.read(true).write(true).mode(0o600);
    match options.clone().custom_flags(flags).open(dir) {
        // The file system does not support this, so the file has a name for a moment.
        Err(error) if error.raw_os_error().is_some_and(is_unsupported) => {
            static COUNTER: AtomicU64 = AtomicU64::new(0);
            let n = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!(".archive-{}-{n}", std::process::id()));
            let file = options.create_new(true).open(&path)?;
            std::fs::remove_file(&path)?;
            Ok(file)
        }
        file => file,
    }
}

fn is_unsupported(errno: i32) -> bool {
    use rustix::io::Errno;
    [Errno::OPNOTSUPP, Errno::ISDIR].iter().any(|other| other.raw_os_error() == errno)
}

fn decompress(decoder: &mut Decoder<&File>, mut to: &File, path: &str) -> Result<(), ArchiveError> {
    let limits = Limits::default();
    let mut buffer = vec![0; 256 << 10];
    let mut n_bytes = 0;
    loop {
        let n = decoder.fill(&mut buffer).map_err(|source| ArchiveError::Read { path: path.to_owned(), source })?;
        if n == 0 {
            return Ok(());
        }
        n_bytes += n as u64;
        limits.check_stream(decoder.n_compressed(), n_bytes).map_err(|error| explain(error.into(), path))?;
        to.write_all(&buffer[..n]).map_err(|source| ArchiveError::Io {
            action: "decompress",
            path: path.to_owned(),
            source,
        })?;
    }
}
