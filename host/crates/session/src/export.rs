//! The targets of exports: all of them are below one root.

use std::path::{Component, Path, PathBuf};

use engine::{Failure, FailureCode};

/// Returns the path below `root` that an export to `path` is written to.
///
/// # Errors
/// Fails with `InvalidPath` if the path leaves the root, also through an existing link.
pub(crate) fn target(root: &Path, path: &str) -> Result<PathBuf, Failure> {
    let leaves = || {
        let message = format!("path `{path}` leaves the export root `{}`", root.display());
        Failure::invalid(FailureCode::InvalidPath, message)
    };
    let inner = graph::TreePath::parse(path).map_err(|_| leaves())?;
    // An absolute path is a path of this machine: it must lie below the root.
    let inner = match path.strip_prefix('/') {
        Some(_) => Path::new(path).strip_prefix(root).map_err(|_| leaves())?.to_owned(),
        None => PathBuf::from(inner.as_str()),
    };
    let real_root = root.canonicalize().map_err(|error| {
        Failure::environment(format!("export root `{}` cannot be used: {error}", root.display()), None)
    })?;
    let mut real = real_root.clone();
    for part in inner.components() {
        let Component::Normal(part) = part else { return Err(leaves()) };
        real.push(part);
        if let Ok(resolved) = real.canonicalize() {
            real = resolved;
        } else if real.is_symlink() {
            return Err(leaves());
        }
        if !real.starts_with(&real_root) {
            return Err(leaves());
        }
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expect: Result<&str, &str>) {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().canonicalize().unwrap();
        std::fs::create_dir(real.join("dir")).unwrap();
        std::os::unix::fs::symlink("/etc", real.join("out")).unwrap();
        std::os::unix::fs::symlink("dir", real.join("in")).unwrap();
        std::os::unix::fs::symlink("/no/such", real.join("dangling")).unwrap();
        let got = target(&real, path);
        match expect {
            Ok(expect) => assert_eq!(got.unwrap(), real.join(expect)),
            Err(expect) => assert_eq!(got.unwrap_err().to_string(), format!("{expect} `{}`", real.display())),
        }
    }

    #[test]
    fn an_export_stays_below_its_root() {
        check("a/b.txt", Ok("a/b.txt"));
        check("dir/../x", Ok("x"));
        check("in/x", Ok("dir/x"));
        check("../x", Err("path `../x` leaves the export root"));
        check("/etc/passwd", Err("path `/etc/passwd` leaves the export root"));
        check("out/passwd", Err("path `out/passwd` leaves the export root"));
        check("dangling", Err("path `dangling` leaves the export root"));
    }
}
