//! The resource `directory.directory`.

use engine::FailureCode;
use graph::{Contents, CopyOp, CopySource, FileOp, Op, PathError, RemoveKind, Selection, TreePath};

use crate::file::{File, failing, scratch};
use crate::options::{CopyOptions, NewOptions};

/// A directory that need not exist yet.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The directory in its tree.
    pub selection: Selection,
}

impl Default for Directory {
    fn default() -> Self {
        Self { selection: scratch() }
    }
}

impl Directory {
    /// Returns the directory at a path of a tree.
    #[must_use]
    pub fn at(selection: Selection) -> Self {
        Self { selection }
    }

    /// Returns a directory whose evaluation fails.
    pub(crate) fn failing(code: FailureCode, message: impl Into<String>) -> Self {
        Self { selection: failing(code, message) }
    }

    /// Returns the name of the directory with a `/` at the end. The root of a tree is `/`.
    #[must_use]
    pub fn name(&self) -> String {
        self.selection.path.file_name().map_or_else(|| "/".to_owned(), |name| format!("{name}/"))
    }

    /// Returns the selection of `path` in the tree of this directory.
    pub(crate) fn select(&self, path: &str) -> Result<Selection, PathError> {
        // The path is parsed from this directory first: `..` must not reach its siblings.
        let inner = TreePath::parse(path)?;
        let whole = self.selection.path.join(inner.as_str())?;
        Ok(self.selection.edge.clone().at(whole))
    }

    /// Returns the file at `path`.
    #[must_use]
    pub fn file(&self, path: &str) -> File {
        match self.select(path) {
            Ok(selection) if path.is_empty() || selection == self.selection => File {
                name: String::new(),
                ..File::failing(FailureCode::NotAFile, format!("path `{path}` is a directory, not a file"))
            },
            Ok(selection) => File::at(selection),
            Err(error) => File::failing(FailureCode::InvalidPath, error.to_string()),
        }
    }

    /// Returns the directory at `path`.
    #[must_use]
    pub fn subdirectory(&self, path: &str) -> Self {
        match self.select(path) {
            Ok(selection) => Self { selection },
            Err(error) => Self::failing(FailureCode::InvalidPath, error.to_string()),
        }
    }

    /// Adds an operation that has this directory as input 0.
    fn with_op(&self, op: FileOp, source: Option<Selection>) -> Self {
        let inputs = std::iter::once(self.selection.clone()).chain(source).collect();
        Self { selection: Selection::of(Op::File(op), inputs) }
    }

    fn with_path(&self, path: &str, make: impl FnOnce(TreePath) -> Self) -> Self {
        match TreePath::parse(path) {
            Ok(path) => make(path),
            Err(error) => Self::failing(FailureCode::InvalidPath, error.to_string()),
        }
    }

    /// Returns the directory with a file of these contents.
    #[must_use]
    pub fn with_new_file(&self, path: &str, contents: impl Into<Contents>, options: &NewOptions) -> Self {
        let contents = contents.into();
        self.with_path(path, |path| {
            let mode = options.file_mode();
            self.with_op(FileOp::MakeFile { path, contents, mode, owner: options.owner.clone() }, None)
        })
    }

    /// Returns the directory with an empty directory in it. Existing entries stay.
    #[must_use]
    pub fn with_new_directory(&self, path: &str, options: &NewOptions) -> Self {
        self.with_path(path, |path| {
            let mode = options.mode.unwrap_or(0o755);
            self.with_op(FileOp::MakeDirectory { path, mode, owner: options.owner.clone() }, None)
        })
    }

    /// Returns the directory with a copy of a file.
    #[must_use]
    pub fn with_file(&self, path: &str, source: &File, options: &CopyOptions) -> Self {
        let into = path.is_empty() || path == "." || path.ends_with('/') || path.ends_with("/.");
        self.with_path(path, |dest| {
            let kind = CopySource::File { name: source.name.clone(), into };
            self.with_op(FileOp::Copy(copy(dest, kind, options)), Some(source.selection.clone()))
        })
    }

    /// Returns the directory with a copy of each file, in the directory `path`.
    #[must_use]
    pub fn with_files<'a>(&self, path: &str, sources: impl IntoIterator<Item = &'a File>) -> Self {
        let into = format!("{path}/");
        sources
            .into_iter()
            .fold(self.clone(), |directory, source| directory.with_file(&into, source, &CopyOptions::default()))
    }

    /// Returns the directory with the contents of another directory.
    #[must_use]
    pub fn with_directory(&self, path: &str, source: &Self, options: &CopyOptions) -> Self {
        self.with_path(path, |dest| {
            self.with_op(FileOp::Copy(copy(dest, CopySource::Contents, options)), Some(source.selection.clone()))
        })
    }

    /// Returns the directory with a symbolic link.
    #[must_use]
    pub fn with_symlink(&self, target: &str, link_name: &str) -> Self {
        self.with_path(link_name, |path| self.with_op(FileOp::Symlink { target: target.to_owned(), path }, None))
    }

    /// Returns the directory without the entries that match `pattern`.
    #[must_use]
    pub fn without(&self, pattern: &str, kind: RemoveKind) -> Self {
        self.with_path(pattern, |_| {
            self.with_op(FileOp::Remove { pattern: pattern.to_owned(), base: TreePath::root(), kind }, None)
        })
    }

    /// Returns a directory with only the entries that match.
    #[must_use]
    pub fn filter(&self, include: Vec<String>, exclude: Vec<String>) -> Self {
        self.with_op(FileOp::Filter { include, exclude }, None)
    }

    /// Returns a directory with the entries of `other` that this one does not have, or has differently.
    #[must_use]
    pub fn diff(&self, other: &Self) -> Self {
        Self { selection: Selection::of(Op::Diff, vec![self.selection.clone(), other.selection.clone()]) }
    }

    /// Returns a directory with the contents of this one and of all `others`. A later directory wins.
    #[must_use]
    pub fn merge<'a>(&'a self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let inputs = std::iter::once(self).chain(others).map(|directory| directory.selection.clone()).collect();
        Self { selection: Selection::of(Op::Merge, inputs) }
    }

    /// Returns the directory with everything at and below `path` given to `owner`.
    #[must_use]
    pub fn with_owner(&self, path: &str, owner: &str) -> Self {
        self.with_path(path, |path| self.with_op(FileOp::Chown { path, owner: owner.to_owned() }, None))
    }

    /// Returns the directory with all modification times set.
    #[must_use]
    pub fn with_timestamps(&self, seconds: u64) -> Self {
        self.with_op(FileOp::Timestamps { seconds }, None)
    }
}

fn copy(dest: TreePath, source: CopySource, options: &CopyOptions) -> CopyOp {
    let CopyOptions { include, exclude, owner, inherit_owner: _, mode } = options.clone();
    CopyOp { dest, source, include, exclude, owner, mode, keep_owner: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::Definition;

    fn check(directory: &Directory, expect: &str) {
        assert_eq!(Definition::of([&directory.selection.edge]).to_text(), expect);
    }

    #[test]
    fn methods_add_a_vertex_each_and_selections_none() {
        let base = Directory::default().with_new_file("src/a.c", b"x", &NewOptions::default());
        check(
            &Directory::default().with_directory("/out", &base.subdirectory("src"), &CopyOptions::default()),
            "%0 = scratch []\n%1 = make file /src/a.c [%0]\n%2 = copy to /out [%0, %1:/src]\n",
        );
    }

    #[test]
    fn a_path_that_leaves_its_own_root_fails_even_inside_a_larger_tree() {
        let inner = Directory::default().subdirectory("a/b");
        check(&inner.subdirectory("../c"), "%0 = fail invalid-path []\n");
        check(&inner.with_new_file("../c", b"", &NewOptions::default()), "%0 = fail invalid-path []\n");
        assert_eq!(inner.file("../../x").selection.edge.vertex.op().describe(), "fail invalid-path");
    }

    #[test]
    fn a_directory_knows_its_name() {
        assert_eq!(Directory::default().name(), "/");
        assert_eq!(Directory::default().subdirectory("a/b").name(), "b/");
        assert_eq!(Directory::default().file("a/b.txt").name, "b.txt");
    }
}
