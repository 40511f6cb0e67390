//! The cache of compiled components on disk.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use graph::{Blame, Diagnostic};
use runtime::{Limits, Runtime, RuntimeConfig, RuntimeError};

use crate::support::{call, stage_wat};

fn open(dir: &Path) -> Result<Runtime, RuntimeError> {
    Runtime::new(RuntimeConfig { cache_dir: Some(dir.to_owned()), limits: Limits::default() })
}

fn load(dir: &Path) -> runtime::Component {
    let bytes = wat::parse_str(stage_wat(r#"(func (export "run"))"#)).unwrap();
    open(dir).unwrap().load_bytes("m", &bytes).unwrap()
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("compiled-v1")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|other| other == extension)).collect()
}

fn compiled(dir: &Path) -> PathBuf {
    let found = files(dir, "cwasm");
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[tokio::test]
async fn a_component_is_compiled_once_and_nobody_else_can_write_it() {
    let dir = tempfile::tempdir().unwrap();
    load(dir.path());
    let path = compiled(dir.path());
    let inode = fs::metadata(&path).unwrap().ino();
    let component = load(dir.path());
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o7777, 0o700);
    call(&component, "run", Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    load(dir.path());
    let path = compiled(dir.path());
    let whole = fs::read(&path).unwrap();
    for damaged in [&whole[..whole.len() / 2], &[], b"not an ELF file", &[&[0xff; 64], &whole[64..]].concat()] {
        fs::write(&path, damaged).unwrap();
        call(&load(dir.path()), "run", Vec::new()).await.unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), whole.len());
    }
}

#[test]
fn a_file_that_others_could_have_written_is_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    load(dir.path());
    let path = compiled(dir.path());
    fs::set_permissions(&path, Permissions::from_mode(0o660)).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    load(dir.path());
    assert_ne!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);

    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    load(dir.path());
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
}

#[test]
fn a_directory_that_others_may_write_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    fs::set_permissions(dir.path().join("compiled-v1"), Permissions::from_mode(0o770)).unwrap();
    let error = open(dir.path()).err().unwrap();
    assert!(matches!(error, RuntimeError::UnsafeCacheDir { .. }));
    assert_eq!(error.blame(), Blame::Environment);
    assert!(error.to_string().ends_with("others may write it (mode 0770)"), "{error}");
    assert!(error.hint().unwrap().contains("chmod 700"));
}

#[test]
fn a_component_file_that_changed_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.wasm");
    let load = |core: &str| {
        let before = fs::metadata(&path).and_then(|metadata| metadata.modified());
        fs::write(&path, wat::parse_str(stage_wat(core)).unwrap()).unwrap();
        if let Ok(before) = before {
            fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
        }
        open(dir.path()).unwrap().load(&path).unwrap().digest()
    };
    let first = load(r#"(func (export "run"))"#);
    let second = load(r#"(func (export "run") nop)"#);
    assert_ne!(first, second);
    assert_eq!(first, load(r#"(func (export "run"))"#));
    // A file that was just written is not remembered: its next change might have the same time.
    assert_eq!(files(dir.path(), "digest"), Vec::<PathBuf>::new());
}
