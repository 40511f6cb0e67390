//! Stores that have a component compiled already: it takes longer than all that is done with it.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use testkit::{Scratch, guest, target_dir};

use crate::bounds;

/// Returns a store in which a guest is compiled. It is kept in the target directory, by its digest.
pub(crate) fn scratch(module: &str, words: &[&str]) -> Scratch {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (scratch, kept) = (Scratch::new(), target_dir().join("hostile-compiled"));
    let compiled = scratch.path("store/compiled-v1");
    copy(&kept, &compiled);
    let mut command = scratch.command(["call", "-q", "--allow", "machine", "-m"]);
    let answer = bounds::run(command.arg(guest(module)).args(words));
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    copy(&compiled, &kept);
    scratch
}

/// Copies the files of a directory that another does not have. Nobody else may read or write there.
fn copy(from: &Path, to: &Path) {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(to).unwrap();
    for entry in std::fs::read_dir(from).into_iter().flatten() {
        let (file, copy) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if file.is_file() && !copy.exists() {
            let partial = copy.with_extension(format!("partial-{}", std::process::id()));
            std::fs::copy(&file, &partial).unwrap();
            std::fs::rename(&partial, &copy).unwrap();
        }
    }
}
