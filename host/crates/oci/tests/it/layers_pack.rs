//! A packed layer can be read back, and is the same every time.

use std::io::Read;

use expect_test::expect;
use oci::Digest;
use oci::compression::{Compression, Decoder};
use oci::layer::{LayerWriter, Meta, Packed, SpecialFile, UnpackOptions, unpack};

use crate::layers_corpus::show_dir;

const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

/// Returns its bytes in small pieces.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = buffer.len().min(7);
        self.0.read(&mut buffer[..n])
    }
}

fn meta(mode: u32) -> Meta {
    Meta { mode, uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw(), ..Meta::default() }
}

/// Returns contents that are longer than every buffer and cannot be compressed.
fn noise() -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 0x1f
    };
    (0..3_000_001).map(|_| next()).collect()
}

fn pack(compression: Compression, is_slow: bool) -> (Vec<u8>, Packed) {
    let noise = noise();
    let mut writer = LayerWriter::new(Vec::new(), compression).unwrap();
    let mut contents: Box<dyn Read> = if is_slow { Box::new(Slow(&noise)) } else { Box::new(noise.as_slice()) };
    let long = [b'n'; 150];
    writer.directory(b"", &meta(0o755)).unwrap();
    writer.directory(b"d", &Meta { mtime_ns: 77_000_000_001, ..meta(0o1777) }).unwrap();
    writer.opaque(b"d", 0).unwrap();
    let xattrs = vec![(b"user.b".to_vec(), b"2\0".to_vec()), (b"user.a".to_vec(), b"1".to_vec())];
    writer.file(b"d/f", &Meta { xattrs, mtime_ns: -1_500_000_000, ..meta(0o4755) }, 2, &mut &b"hi"[..]).unwrap();
    writer.file(b"d/noise", &meta(0o600), noise.len() as u64, &mut *contents).unwrap();
    writer.hard_link(b"d/same", &meta(0o4755), b"d/f").unwrap();
    writer.whiteout(b"gone", 0).unwrap();
    writer.symlink(b"l", &meta(0o777), &long).unwrap();
    writer.file(&long, &meta(0o644), 0, &mut &b""[..]).unwrap();
    writer.special(b"p", &meta(0o620), SpecialFile::Fifo).unwrap();
    writer.finish().unwrap()
}

#[test]
fn what_is_packed_reads_back() {
    for compression in ALL {
        let (bytes, packed) = pack(compression, false);
        let dir = tempfile::tempdir().unwrap();
        let options = UnpackOptions { diff_id: Some(packed.diff_id), ..UnpackOptions::default() };
        let unpacked = unpack(bytes.as_slice(), dir.path(), &options).unwrap();
        assert_eq!((unpacked.n_entries, unpacked.n_uncompressed), (10, packed.n_uncompressed));
        let n = "n".repeat(150);
        expect![[r#"
            d/ 1777 at 77.000000001 user.overlay.opaque=y
            d/f 4755 2 links `hi` at -2.500000000 user.a=1 user.b=2\u{0}
            d/noise 600 3000001 bytes
            d/same 4755 2 links `hi` at -2.500000000 user.a=1 user.b=2\u{0}
            gone gone
            l -> LONG
            LONG 644 ``
            p fifo 620
        "#]]
        .assert_eq(&show_dir(dir.path()).replace(&n, "LONG"));
    }
}

#[test]
fn the_same_entries_give_the_same_bytes_however_they_are_read() {
    for compression in ALL {
        let (bytes, packed) = pack(compression, false);
        for is_slow in [false, true] {
            let (again, packed_again) = pack(compression, is_slow);
            assert!(again == bytes, "{compression}: other bytes");
            assert_eq!(packed_again, packed);
        }
    }
}

#[test]
fn digests_and_sizes_are_those_of_what_was_written() {
    for compression in ALL {
        let (bytes, packed) = pack(compression, false);
        assert_eq!(packed.descriptor.digest, Digest::of(&bytes));
        assert_eq!(packed.descriptor.size, bytes.len() as u64);
        assert_eq!(packed.descriptor.media_type, compression.media_type());
        let mut decoder = Decoder::new(bytes.as_slice()).unwrap();
        assert_eq!(decoder.compression(), compression);
        let mut tar = Vec::new();
        decoder.read_to_end(&mut tar).unwrap();
        assert_eq!((packed.diff_id, packed.n_uncompressed), (Digest::of(&tar), tar.len() as u64));
    }
}

#[test]
fn another_reader_finds_the_same_entries() {
    let (bytes, _) = pack(Compression::None, false);
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut text = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let link = entry.link_name_bytes().map(|link| String::from_utf8(link.into_owned()).unwrap());
        let mode = entry.header().mode().unwrap();
        let records = entry.pax_extensions().unwrap().into_iter().flatten().map(|record| {
            let record = record.unwrap();
            format!(" {}={:?}", record.key().unwrap(), String::from_utf8_lossy(record.value_bytes()))
        });
        let records: String = records.filter(|record| !record.contains("path=")).collect();
        text += &format!("{name} {mode:o} {} {}{records}\n", entry.size(), link.unwrap_or_default());
    }
    expect![[r#"
        ./ 755 0 
        d/ 1777 0  mtime="77.000000001"
        d/.wh..wh..opq 0 0 
        d/f 4755 2  SCHILY.xattr.user.a="1" SCHILY.xattr.user.b="2\0" mtime="-1.5"
        d/noise 600 3000001 
        d/same 4755 0 d/f
        .wh.gone 0 0 
        l 777 0 LONG
        LONG 644 0 
        p 620 0 
    "#]]
    .assert_eq(&text.replace(&"n".repeat(150), "LONG"));
}

#[test]
fn the_bytes_of_a_tar_file_do_not_change_with_this_program() {
    let mut writer = LayerWriter::new(Vec::new(), Compression::None).unwrap();
    let meta =
        Meta { mode: 0o644, uid: 3_000_000_000, gid: 8, mtime_ns: 1_700_000_000_000_000_000, xattrs: Vec::new() };
    writer.directory(b"a", &Meta { mode: 0o755, ..meta.clone() }).unwrap();
    writer.file(b"a/f", &meta, 3, &mut &b"abc"[..]).unwrap();
    let (_, packed) = writer.finish().unwrap();
    expect!["sha256:4f349fea97784007968ed49b41d9a02ceabd743b296d75669312839274fc0eac"]
        .assert_eq(&packed.diff_id.to_string());
}

#[test]
fn what_cannot_be_in_a_layer_is_refused() {
    let file = |path: &[u8], size: u64| {
        let mut writer = LayerWriter::new(Vec::new(), Compression::None).unwrap();
        let error = writer.file(path, &meta(0o644), size, &mut &b"abc"[..]).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {cause}")
    };
    expect!["cannot write `f` to a layer: it is shorter than it was said to be"].assert_eq(&file(b"f", 4));
    expect!["cannot write `f` to a layer: it is longer than it was said to be"].assert_eq(&file(b"f", 2));
    expect!["`a/.wh.b` cannot be in a layer: names that start with `.wh.` mean removals there: "]
        .assert_eq(&file(b"a/.wh.b", 3));
}
