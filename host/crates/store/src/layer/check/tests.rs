//! Layers that are damaged in every way.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::*;
use crate::tree::tests::{stamps, store};
use crate::{IdMap, ingest_layer, write_layer};

/// A store with a layer of a few entries.
fn with_layer() -> (tempfile::TempDir, Store, LayerId) {
    let (dir, s) = store();
    let (id, path) = s.new_layer_dir().unwrap();
    fs::create_dir_all(path.join("d/deep/empty")).unwrap();
    for (name, contents) in [("file", "contents"), ("d/a", "A"), ("d/b", "B"), ("d/deep/c", "C"), ("none", "")] {
        fs::write(path.join(name), contents).unwrap();
    }
    symlink("file", path.join("link")).unwrap();
    let taken = stamps(&s, &path);
    s.add_layer(&id, &path, 11, taken).unwrap();
    (dir, s, id)
}

/// Compares a layer as another process does, and notes what became of that.
fn check(s: &Store, id: &LayerId) -> Result<bool, String> {
    let other = Store::open(s.root()).unwrap();
    let checks = other.layers_to_check(std::slice::from_ref(id)).unwrap();
    assert_eq!(checks.len(), 1);
    let outcome = check_layer(&checks[0]);
    let is_restamped = matches!(outcome, CheckedLayer::Restamped(_));
    let damaged = other.note_checked(&checks, vec![outcome]).unwrap();
    damaged.into_iter().next().map_or(Ok(is_restamped), |(_, why)| Err(why))
}

fn times(path: &Path) -> FileTimes {
    let metadata = fs::metadata(path).unwrap();
    FileTimes::new().set_accessed(metadata.accessed().unwrap()).set_modified(metadata.modified().unwrap())
}

/// Changes a file and gives it its times again.
fn write_in_secret(path: &Path, contents: &str) {
    let times = times(path);
    fs::write(path, contents).unwrap();
    File::options().write(true).open(path).unwrap().set_times(times).unwrap();
}

#[test]
fn every_damage_to_a_layer_is_seen() {
    type Damage = (&'static str, fn(&Path), &'static str);
    let damage: [Damage; 15] = [
        ("deleted", |l| fs::remove_file(l.join("file")).unwrap(), "its directory was changed"),
        ("deleted below", |l| fs::remove_file(l.join("d/deep/c")).unwrap(), "`/d/deep` was changed"),
        ("flipped", |l| fs::write(l.join("file"), "cOntents").unwrap(), "`/file` was changed"),
        ("flipped in secret", |l| write_in_secret(&l.join("file"), "cOntents"), "`/file` has other contents"),
        ("truncated", |l| fs::write(l.join("d/a"), "").unwrap(), "`/d/a` was changed"),
        ("grown", |l| fs::write(l.join("none"), "x").unwrap(), "`/none` was changed"),
        ("added", |l| fs::write(l.join("new"), "").unwrap(), "its directory was changed"),
        ("added below", |l| fs::write(l.join("d/deep/empty/new"), "").unwrap(), "`/d/deep/empty` was changed"),
        ("another mode", |l| fs::set_permissions(l.join("d/b"), Permissions::from_mode(0o600)).unwrap(), "was changed"),
        ("no directory", |l| fs::remove_dir_all(l.join("d")).unwrap(), "its directory was changed"),
        ("no layer", |l| fs::remove_dir_all(l).unwrap(), "cannot open directory"),
        (
            "a link elsewhere",
            |l| {
                let modified = fs::symlink_metadata(l.join("link")).unwrap();
                let around = times(l);
                fs::remove_file(l.join("link")).unwrap();
                symlink("elsf", l.join("link")).unwrap();
                let time = crate::layer::write::timestamps(modified.mtime() * 1_000_000_000 + modified.mtime_nsec());
                let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
                rustix::fs::utimensat(rustix::fs::CWD, l.join("link"), &time, flags).unwrap();
                File::open(l).unwrap().set_times(around).unwrap();
            },
            "has other contents",
        ),
        ("no stamps", |l| fs::remove_file(stamps_of(l)).unwrap(), "its stamps are missing or damaged"),
        ("flipped stamps", |l| flip(&stamps_of(l), 60), "its stamps are missing or damaged"),
        ("cut stamps", |l| fs::write(stamps_of(l), &fs::read(stamps_of(l)).unwrap()[..40]).unwrap(), "its stamps are"),
    ];
    for (what, make, why) in damage {
        let (_dir, s, id) = with_layer();
        let tree = crate::tree::tests::tree(&s, "f");
        s.note_materialised(tree, std::slice::from_ref(&id)).unwrap();
        assert_eq!(check(&s, &id), Ok(false), "{what}");
        // A later change has another time. The clock of the kernel goes in steps.
        std::thread::sleep(std::time::Duration::from_millis(15));
        make(&s.layer_path(&id));
        let found = check(&s, &id).unwrap_err();
        assert!(found.contains(why), "{what}: {found}");
        assert_eq!(s.materialised(tree).unwrap(), None, "{what}: it is forgotten");
    }
}

fn stamps_of(layer: &Path) -> PathBuf {
    layer.parent().unwrap().with_file_name("stamps-v1").join(layer.file_name().unwrap())
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn links_that_come_and_go_are_no_damage_and_are_looked_at_once() {
    let (dir, s, id) = with_layer();
    let file = s.layer_path(&id).join("file");
    fs::hard_link(&file, dir.path().join("another")).unwrap();
    assert_eq!(check(&s, &id), Ok(true));
    assert_eq!(check(&s, &id), Ok(false));
    fs::remove_file(dir.path().join("another")).unwrap();
    assert_eq!(check(&s, &id), Ok(true));
    assert_eq!(check(&s, &id), Ok(false));
}

#[test]
fn a_layer_is_compared_once_by_a_handle_and_not_by_the_one_that_made_it() {
    let (_dir, s, id) = with_layer();
    assert_eq!(s.layers_to_check(std::slice::from_ref(&id)).unwrap().len(), 0);
    let other = Store::open(s.root()).unwrap();
    let checks = other.layers_to_check(std::slice::from_ref(&id)).unwrap();
    other.note_checked(&checks, checks.iter().map(check_layer).collect()).unwrap();
    assert_eq!(other.layers_to_check(std::slice::from_ref(&id)).unwrap().len(), 0);
}

#[test]
fn after_a_power_cut_all_contents_are_compared_once() {
    let (_dir, s, id) = with_layer();
    s.sync_older_rows().unwrap();
    let recorded = || Recorded::decode(&fs::read(s.stamps_path(&id)).unwrap()).unwrap();
    let of_another_boot = Recorded { boot: b"another".to_vec(), ..recorded() };
    s.write_stamps(&id, &of_another_boot.encode()).unwrap();
    s.db().with("test", |db| db.execute("UPDATE layers SET boot_id = NULL", [])).unwrap();
    assert_eq!(check(&s, &id), Ok(false), "all of it was on the disk");
    s.db().with("test", |db| db.execute("INSERT INTO layers VALUES ('18', 1, 1, 1, x'00')", [])).unwrap();
    assert_eq!(check(&s, &id), Ok(true));
    assert_eq!(recorded().boot, boot_id());
    assert_eq!(check(&s, &id), Ok(false));
    s.write_stamps(&id, &of_another_boot.encode()).unwrap();
    s.sync_older_rows().unwrap();
    assert_eq!(check(&s, &id), Ok(true), "the lost rows are removed, and what they say is kept");
}

#[test]
fn a_layer_that_was_written_is_whole_and_so_is_its_copy() {
    let (dir, s) = store();
    let words = (0..200).map(|n| format!("d{}/f{n}={}", n % 7, n % 5)).collect::<Vec<_>>().join(" ");
    let plan = s.plan_layer(None, crate::tree::tests::tree(&s, &(words + " l->d1"))).unwrap();
    let out = dir.path().join("out");
    write_layer(&plan, &out, &s.blobs_dir(), &IdMap::default()).unwrap();
    let mut taken = Stamps::of_plan(&out, &plan).unwrap();
    assert_eq!(taken.check(&out, true), Ok(false));
    let contents = ingest_layer(&out, &s.blobs_dir(), &IdMap::default(), &crate::IngestLimits::default()).unwrap();
    assert_eq!(taken.check(&out, false), Ok(false));
    assert_eq!(Stamps::of_contents(&out, &contents).unwrap(), taken);
    let copy = dir.path().join("copy");
    let copied = std::process::Command::new("cp").arg("-a").args([&out, &copy]).status();
    assert!(copied.unwrap().success());
    assert_eq!(taken.check(&copy, false), Ok(true));
    assert_eq!(taken.check(&copy, false), Ok(false));
}

#[test]
fn a_blob_that_was_flipped_is_not_linked_into_a_layer() {
    let (dir, s) = store();
    let target = crate::tree::tests::tree(&s, "f=hello");
    let blob = s.blob_path(&ContentDigest::of(b"hello"));
    write_in_secret(&blob, "hellO");
    let plan = s.plan_layer(None, target).unwrap();
    let error = write_layer(&plan, &dir.path().join("out"), &s.blobs_dir(), &IdMap::default()).unwrap_err();
    assert!(error.to_string().contains("are damaged"), "{error}");
    s.remove_damaged(&ContentDigest::of(b"hello")).unwrap();
    assert!(!blob.exists());
}
