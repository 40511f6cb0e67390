//! The language of the corpus. A case is a tar file as text, and the expected result.
//!
//! ```text
//! ## a sentence
//! file a/b = contents        dir a/    symlink l -> t    hard h -> t    fifo p    char c 1:3
//!   mode 4755                what an indented line says is of the entry above it
//! gzip                       what is done to the bytes of the file, in this order
//! =>
//! what is in the directory, or the message
//! ```
//!
//! `\xNN` is a byte, `{300*a}` is 300 times the letter, `$OUT` is the directory around that of the
//! layer. The headers are those of the crate `tar`, so that two implementations have to agree.

use std::io::Write as _;

use oci::Digest;
use oci::layer::Limits;

/// A tar file, and the options for unpacking it.
pub(crate) struct Case {
    pub(crate) bytes: Vec<u8>,
    pub(crate) limits: Limits,
    pub(crate) diff_id: Option<Digest>,
    pub(crate) is_device_allowed: bool,
    pub(crate) needs_root: bool,
    /// The paths and contents of the files in the layer below. Paths of directories end with a
    /// slash.
    pub(crate) lower: Vec<(String, String)>,
}

#[derive(Default)]
struct Draft {
    header: Option<tar::Header>,
    before: Vec<u8>,
    pax: Vec<u8>,
    body: Vec<u8>,
    between: Vec<u8>,
    has_checksum: bool,
}

impl Case {
    /// Reads the lines before `=>`.
    pub(crate) fn parse(lines: &[&str], outside: &str) -> Self {
        let mut case = Self {
            bytes: Vec::new(),
            limits: Limits::default(),
            diff_id: None,
            is_device_allowed: false,
            needs_root: false,
            lower: Vec::new(),
        };
        let mut draft = Draft::default();
        let mut has_ended = false;
        for line in lines {
            let line = line.replace("$OUT", outside);
            let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            if line.starts_with(' ') {
                draft.attribute(word, rest);
                continue;
            }
            draft.finish(&mut case.bytes);
            if draft.start(word, rest) || case.option(word, rest) {
                continue;
            }
            if !has_ended && word != "no-end" && word != "nothing" {
                case.bytes.extend([0; 1024]);
            }
            has_ended = true;
            case.transform(word, rest);
        }
        draft.finish(&mut case.bytes);
        if !has_ended {
            case.bytes.extend([0; 1024]);
        }
        case
    }

    fn option(&mut self, word: &str, rest: &str) -> bool {
        let number = || rest.parse::<u64>().unwrap();
        match word {
            "max-entries" => self.limits.max_entries = number(),
            "max-bytes" => self.limits.max_bytes = number(),
            "max-ratio" => (self.limits.max_ratio, self.limits.ratio_from_bytes) = (number(), 1 << 16),
            "max-directory-bytes" => self.limits.max_directory_bytes = number(),
            "diff-id" => self.diff_id = Some(rest.parse().unwrap()),
            "devices" => self.is_device_allowed = true,
            "root" => self.needs_root = true,
            "lower" => {
                let (path, contents) = rest.split_once(" = ").unwrap_or((rest, ""));
                self.lower.push((path.to_owned(), contents.to_owned()));
            }
            "many" => {
                for i in 0..number() {
                    let mut draft = Draft::default();
                    draft.start("file", &format!("f{i}"));
                    draft.finish(&mut self.bytes);
                }
            }
            _ => return false,
        }
        true
    }

    fn transform(&mut self, word: &str, rest: &str) {
        let bytes = &mut self.bytes;
        match word {
            "no-end" => {}
            "nothing" => bytes.clear(),
            "append" => bytes.extend(unescape(rest)),
            "prepend" => *bytes = [unescape(rest), std::mem::take(bytes)].concat(),
            "cut" => bytes.truncate(bytes.len() - rest.parse::<usize>().unwrap()),
            "flip" => {
                let at: usize = rest.parse().unwrap();
                bytes[at] ^= 0xff;
            }
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                encoder.write_all(bytes).unwrap();
                *bytes = encoder.finish().unwrap();
            }
            "zstd" => *bytes = zstd::encode_all(bytes.as_slice(), 3).unwrap(),
            // Two gzip members, or two zstd frames, one after the other.
            "in-two" => {
                let (a, b) = bytes.split_at(bytes.len() / 2);
                let (mut one, mut two) = (a.to_vec(), b.to_vec());
                for half in [&mut one, &mut two] {
                    let mut case = Self { bytes: std::mem::take(half), lower: Vec::new(), ..*self };
                    case.transform(rest, "");
                    *half = case.bytes;
                }
                self.bytes = [one, two].concat();
            }
            _ => panic!("no such line in a case: `{word} {rest}`"),
        }
    }
}

impl Draft {
    /// Starts an entry if the line begins one.
    fn start(&mut self, word: &str, rest: &str) -> bool {
        use tar::EntryType;
        let (name, value) = match word {
            "file" => rest.split_once(" = ").unwrap_or((rest.trim_end_matches(" ="), "")),
            "symlink" | "hard" => rest.split_once(" -> ").unwrap_or((rest.trim_end_matches(" ->"), "")),
            "char" | "block" | "type" => rest.split_once(' ').unwrap(),
            _ => (rest, ""),
        };
        let mut header = tar::Header::new_ustar();
        let (type_, mode) = match word {
            "file" => (EntryType::Regular, 0o644),
            "dir" => (EntryType::Directory, 0o755),
            "symlink" => (EntryType::Symlink, 0o777),
            "hard" => (EntryType::Link, 0o644),
            "fifo" => (EntryType::Fifo, 0o644),
            "char" => (EntryType::Char, 0o600),
            "block" => (EntryType::Block, 0o600),
            "type" => (EntryType::new(value.as_bytes()[0]), 0o644),
            _ => return false,
        };
        header.set_entry_type(type_);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(0);
        *self = Self { has_checksum: true, ..Self::default() };
        match word {
            "file" => self.body = unescape(value),
            "symlink" | "hard" => {
                let target = unescape(value);
                header.as_old_mut().linkname[..target.len()].copy_from_slice(&target);
            }
            "char" | "block" => {
                let (major, minor) = value.split_once(':').unwrap();
                header.set_device_major(major.parse().unwrap()).unwrap();
                header.set_device_minor(minor.parse().unwrap()).unwrap();
            }
            _ => {}
        }
        header.set_size(self.body.len() as u64);
        let name = unescape(name);
        let n = name.len().min(100);
        header.as_old_mut().name[..n].copy_from_slice(&name[..n]);
        self.header = Some(header);
        true
    }

    fn attribute(&mut self, word: &str, rest: &str) {
        let header = self.header.as_mut().expect("an entry comes before what is said of it");
        let octal = |text: &str| u32::from_str_radix(text, 8).unwrap();
        match word {
            "mode" => header.set_mode(octal(rest)),
            "owner" => {
                let (uid, gid) = rest.split_once(':').unwrap();
                header.set_uid(uid.parse().unwrap());
                header.set_gid(gid.parse().unwrap());
            }
            "mtime" => header.set_mtime(rest.parse().unwrap()),
            // This is the declared size, which may differ from that of the data.
            "size" => header.set_size(rest.parse().unwrap()),
            // These bytes replace those of the header.
            "raw" => {
                let (at, bytes) = rest.split_once(' ').unwrap();
                let (at, bytes) = (at.parse::<usize>().unwrap(), unescape(bytes));
                header.as_mut_bytes()[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            "bad-checksum" => self.has_checksum = false,
            "pax" => {
                let record = unescape(rest);
                let mut n = record.len() + 3;
                while n != record.len() + 2 + n.to_string().len() {
                    n = record.len() + 2 + n.to_string().len();
                }
                self.pax.extend([n.to_string().as_bytes(), b" ", &record, b"\n"].concat());
            }
            "pax-raw" => self.pax.extend(unescape(rest)),
            "global" => self.before.extend(special(b'g', &unescape(rest), None)),
            "long-name" => self.before.extend(special(b'L', &[&unescape(rest), &b"\0"[..]].concat(), None)),
            "long-link" => self.before.extend(special(b'K', &[&unescape(rest), &b"\0"[..]].concat(), None)),
            "long-name-of-size" => self.before.extend(special(b'L', b"x", Some(rest.parse().unwrap()))),
            "old-sparse" => self.old_sparse(rest),
            _ => panic!("no such thing to say of an entry: `{word} {rest}`"),
        }
    }

    /// Parses `SIZE OFFSET:LENGTH...`. More than four parts continue in a block of their own.
    fn old_sparse(&mut self, rest: &str) {
        let header = self.header.as_mut().unwrap();
        let (size, parts) = rest.split_once(' ').unwrap_or((rest, ""));
        let pair = |part: &str| {
            let (offset, length) = part.split_once(':').unwrap();
            let field = |text: &str| format!("{:011o}\0", text.parse::<u64>().unwrap());
            [field(offset), field(length)].concat().into_bytes()
        };
        let parts: Vec<Vec<u8>> = parts.split_whitespace().map(pair).collect();
        let bytes = header.as_mut_bytes();
        bytes[156] = b'S';
        bytes[257..265].copy_from_slice(b"ustar  \0");
        for (i, part) in parts.iter().take(4).enumerate() {
            bytes[386 + 24 * i..410 + 24 * i].copy_from_slice(part);
        }
        bytes[482] = u8::from(parts.len() > 4);
        bytes[483..494].copy_from_slice(format!("{:011o}", size.parse::<u64>().unwrap()).as_bytes());
        if parts.len() > 4 {
            let mut block = parts[4..].concat();
            block.resize(512, 0);
            self.between = block;
        }
    }

    fn finish(&mut self, bytes: &mut Vec<u8>) {
        let Self { header, before, pax, body, between, has_checksum } = std::mem::take(self);
        let Some(mut header) = header else { return };
        bytes.extend(before);
        if !pax.is_empty() {
            bytes.extend(special(b'x', &pax, None));
        }
        header.set_cksum();
        if !has_checksum {
            header.as_mut_bytes()[0] ^= 1;
        }
        bytes.extend(header.as_bytes());
        bytes.extend(between);
        bytes.extend(padded(&body));
    }
}

/// Returns an entry that describes the one after it.
fn special(type_: u8, body: &[u8], size: Option<u64>) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::new(type_));
    header.as_old_mut().name[0] = b'x';
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size.unwrap_or(body.len() as u64));
    header.set_cksum();
    [header.as_bytes().to_vec(), padded(body)].concat()
}

fn padded(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(512), 0);
    body
}

/// Replaces `\xNN`, `\n` and `{300*a}`.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(hex) = rest.strip_prefix("\\x") {
            out.push(u8::from_str_radix(&hex[..2], 16).unwrap());
            rest = &hex[2..];
        } else if let Some(after) = rest.strip_prefix("\\n") {
            out.push(b'\n');
            rest = after;
        } else if let Some((repeat, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            let (n, what) = repeat.split_once('*').unwrap();
            out.extend(unescape(what).repeat(n.parse().unwrap()));
            rest = after;
        } else {
            out.extend(c.to_string().as_bytes());
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}
