//! Searches the files of a tree.

use std::io::{BufRead, BufReader};
use std::path::Path;

use graph::{ContentDigest, TreePath};
use rayon::prelude::*;
use regex::bytes::{Regex, RegexBuilder};

use crate::budget::Budget;
use crate::fs::{self, IoError};
use crate::store::Store;
use crate::tree::node::Kind;
use crate::tree::pattern::Glob;
use crate::tree::resolve::{ReadError, escape};

/// The number of bytes in which a zero byte makes a file a binary one, as in git.
const BINARY_PROBE_BYTES: usize = 8000;
/// The size in bytes up to which a file is read at once.
const READ_WHOLE_BYTES: u64 = 4 << 20;
/// How much of a larger file is read at once, in bytes.
const READ_BYTES: usize = 256 << 10;
/// How much of a line is searched and returned, in bytes.
const MAX_LINE_BYTES: usize = 1 << 20;
/// The number of files that are searched between two checks whether there are enough matches.
const BATCH: usize = 128;

/// A search in the files of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// A regular expression, or plain text if `is_literal`.
    pub pattern: String,
    /// Whether the pattern is plain text.
    pub is_literal: bool,
    /// Whether upper and lower case are the same.
    pub is_insensitive: bool,
    /// Globs for the paths of the files that are searched, from the directory. If there are none, all files are
    /// searched.
    pub globs: Vec<String>,
    /// The largest number of matches.
    pub limit: Option<u32>,
    /// Whether only the first match of each file is returned.
    pub files_only: bool,
    /// Whether names that begin with a dot are left out, with everything below them.
    pub skip_hidden: bool,
}

/// A line that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The path of the file from the directory that was searched.
    pub path: String,
    /// The number of the line, which is 1 for the first.
    pub line: u32,
    /// The line without its end; of a longer one, the first 1 MiB. Bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The number of bytes of the file before the line.
    pub offset: u64,
    /// The parts of the line that match: their first byte in it, and the byte behind them.
    pub parts: Vec<(u32, u32)>,
}

enum Source {
    Blob(ContentDigest),
    Host(std::path::PathBuf),
}

impl Store {
    /// Returns the lines that match, in the order of their paths. A line with several matches is returned once.
    /// Binary files are skipped, and links are not followed. Of a line, the first 1 MiB is searched.
    ///
    /// # Errors
    /// If the path is not that of a directory, a pattern is not valid, or a file cannot be read.
    pub fn search(&self, tree: ContentDigest, path: &TreePath, query: &Query) -> Result<Vec<Match>, ReadError> {
        let regex = compile(query)?;
        // The paths of the files are limited as the matches are, and are not counted with them.
        let (listing, budget) = (self.budget(), self.budget());
        let files = self.searched(tree, path, query, &listing)?;
        let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut matches = Vec::new();
        for batch in files.chunks(BATCH) {
            if matches.len() >= limit {
                break;
            }
            let found: Result<Vec<_>, ReadError> = batch
                .par_iter()
                .map(|(path, source)| {
                    budget.check()?;
                    let limit = if query.files_only { 1 } else { limit };
                    let search = Search { path, regex: &regex, limit, budget: &budget };
                    self.search_file(source, &search)
                })
                .collect();
            matches.extend(found?.into_iter().flatten());
        }
        matches.truncate(limit);
        Ok(matches)
    }

    fn search_file(&self, source: &Source, search: &Search<'_>) -> Result<Vec<Match>, ReadError> {
        let (file, size, path) = match source {
            Source::Blob(digest) => self.open_blob(digest)?,
            Source::Host(path) => {
                let file = fs::open(path)?;
                let size = file.metadata().map_err(|e| IoError::new("stat", path, e))?.len();
                (file, size, path.clone())
            }
        };
        search.budget.bytes(size)?;
        match source {
            // What is read at once is verified.
            Source::Blob(digest) if size <= READ_WHOLE_BYTES => search.lines(&*self.read_blob(digest)?, &path),
            _ => search.lines(BufReader::with_capacity(READ_BYTES, file), &path),
        }
    }

    fn searched(
        &self,
        tree: ContentDigest,
        path: &TreePath,
        query: &Query,
        budget: &Budget,
    ) -> Result<Vec<(String, Source)>, ReadError> {
        let globs = query.globs.iter().map(|glob| Glob::new(glob)).collect::<Result<Vec<_>, _>>()?;
        let host = self.host_dir(tree, path)?;
        let mut files = Vec::new();
        let mut hosts: Vec<(Vec<u8>, std::path::PathBuf)> = host.map(|host| (Vec::new(), host)).into_iter().collect();
        let node = self.directory(tree, path)?;
        self.walk(&node, budget, &mut |at, entry| {
            if query.skip_hidden && at.rsplit(|&byte| byte == b'/').next().is_some_and(|name| name.starts_with(b".")) {
                return Ok(false);
            }
            let is_wanted = globs.is_empty() || globs.iter().any(|glob| glob.matches(at));
            match &entry.kind {
                Kind::File { digest, .. } if is_wanted => {
                    let above =
                        hosts.iter().rev().find_map(|(base, host)| Some(host.join(fs::path_of(below(at, base)?))));
                    budget.result_bytes(at.len() as u64)?;
                    files.push((escape(at), above.map_or(Source::Blob(*digest), Source::Host)));
                }
                Kind::Machine { host_path, .. } => hosts.push((at.to_vec(), fs::path_of(host_path).to_owned())),
                _ => {}
            }
            Ok(globs.is_empty() || globs.iter().any(|glob| glob.may_match_below(at)))
        })?;
        files.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(files)
    }

    /// Returns the directory of this machine that a path leads to; none if it leads to a directory of the tree.
    fn host_dir(&self, tree: ContentDigest, path: &TreePath) -> Result<Option<std::path::PathBuf>, ReadError> {
        let place = crate::tree::resolve::resolve(self, tree, path, true)?.place;
        Ok(if let Some(crate::tree::resolve::PathTarget::Host(host, _)) = place { Some(host) } else { None })
    }
}

fn below<'a>(path: &'a [u8], base: &[u8]) -> Option<&'a [u8]> {
    if base.is_empty() {
        return Some(path);
    }
    path.strip_prefix(base)?.strip_prefix(b"/")
}

fn compile(query: &Query) -> Result<Regex, ReadError> {
    let source = if query.is_literal { regex::escape(&query.pattern) } else { query.pattern.clone() };
    let built = RegexBuilder::new(&source).case_insensitive(query.is_insensitive).multi_line(true).build();
    built.map_err(|error| ReadError::Regex {
        pattern: query.pattern.clone(),
        // The library points at the fault over several lines. The last line says what is wrong.
        reason: error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

/// The search in one file.
struct Search<'a> {
    path: &'a str,
    regex: &'a Regex,
    limit: usize,
    budget: &'a Budget,
}

impl Search<'_> {
    /// Returns the lines that match. `shown` is the path of the file on the disk, for messages.
    fn lines(&self, mut file: impl BufRead, shown: &Path) -> Result<Vec<Match>, ReadError> {
        let read = |e| IoError::new("read", shown, e);
        let start = file.fill_buf().map_err(read)?;
        if start[..start.len().min(BINARY_PROBE_BYTES)].contains(&0) {
            return Ok(Vec::new());
        }
        let (mut found, mut line, mut number, mut offset) = (Vec::new(), Vec::new(), 0_u32, 0_u64);
        while found.len() < self.limit
            && let Some(n_bytes) = self.next_line(&mut file, &mut line, shown)?
        {
            number = number.saturating_add(1);
            let bytes = line.strip_suffix(b"\r").unwrap_or(&line);
            // A line is shorter than 4 GiB.
            let parts = self.regex.find_iter(bytes).map(|part| (part.start() as u32, part.end() as u32));
            let parts: Vec<(u32, u32)> = parts.collect();
            if !parts.is_empty() {
                self.budget.result((self.path.len() + bytes.len() + 8 * parts.len()) as u64)?;
                let text = String::from_utf8_lossy(bytes).into_owned();
                found.push(Match { path: self.path.to_owned(), line: number, text, offset, parts });
            }
            offset += n_bytes;
        }
        Ok(found)
    }

    /// Reads a line without its end, and not more than the begin of a long one. Returns how many bytes it has with its
    /// end, and nothing at the end of the file.
    fn next_line(&self, file: &mut impl BufRead, line: &mut Vec<u8>, shown: &Path) -> Result<Option<u64>, ReadError> {
        line.clear();
        let mut n_bytes = 0;
        loop {
            let bytes = file.fill_buf().map_err(|e| IoError::new("read", shown, e))?;
            if bytes.is_empty() {
                return Ok((n_bytes > 0).then_some(n_bytes));
            }
            let end = bytes.iter().position(|&b| b == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            line.extend_from_slice(&part[..part.len().min(MAX_LINE_BYTES - line.len())]);
            let n = part.len() + usize::from(end.is_some());
            n_bytes += n as u64;
            file.consume(n);
            if end.is_some() {
                return Ok(Some(n_bytes));
            }
            self.budget.check()?;
        }
    }
}
