//! The resource `file.file`.

use engine::FailureCode;
use graph::{Contents, FailOp, FileOp, Op, Selection, TreePath, Vertex};

/// A file that need not exist yet.
#[derive(Debug, Clone)]
pub struct File {
    /// The file in its tree.
    pub selection: Selection,
    /// The name of the file. It may differ from the name in the tree.
    pub name: String,
}

/// Returns a selection whose evaluation fails.
pub(crate) fn failing(code: FailureCode, message: impl Into<String>) -> Selection {
    Selection::of(Op::Fail(FailOp { code: code.as_str().to_owned(), message: message.into() }), Vec::new())
}

/// Returns the root of an empty tree.
pub(crate) fn scratch() -> Selection {
    graph::Edge::first(Vertex::scratch()).at(TreePath::root())
}

fn check_name(name: &str) -> Result<TreePath, Selection> {
    match TreePath::parse(name) {
        Ok(path) if path.as_str() == name && !name.is_empty() && !name.contains('/') => Ok(path),
        _ => Err(failing(FailureCode::InvalidPath, format!("file name `{name}` is not a single path component"))),
    }
}

impl File {
    /// Returns the file at a path of a tree.
    #[must_use]
    pub fn at(selection: Selection) -> Self {
        let name = selection.path.file_name().unwrap_or_default().to_owned();
        Self { selection, name }
    }

    /// Returns a file whose evaluation fails.
    pub(crate) fn failing(code: FailureCode, message: impl Into<String>) -> Self {
        Self { selection: failing(code, message), name: String::new() }
    }

    /// Returns a file with these contents and mode 0644.
    #[must_use]
    pub fn with_contents(name: &str, contents: impl Into<Contents>) -> Self {
        let selection = match check_name(name) {
            Err(failing) => failing,
            Ok(path) => {
                let op = FileOp::MakeFile { path: path.clone(), contents: contents.into(), mode: 0o644, owner: None };
                Selection::of(Op::File(op), vec![scratch()]).edge.at(path)
            }
        };
        Self { selection, name: name.to_owned() }
    }

    /// Returns the file under another name.
    #[must_use]
    pub fn with_name(&self, name: &str) -> Self {
        let selection = check_name(name).map_or_else(|failing| failing, |_| self.selection.clone());
        Self { selection, name: name.to_owned() }
    }

    /// Returns the file with text replaced.
    #[must_use]
    pub fn with_replaced(&self, search: &str, replacement: &str, all: bool) -> Self {
        let name = if self.name.is_empty() { "file".to_owned() } else { self.name.clone() };
        let op =
            FileOp::Replace { name: name.clone(), search: search.to_owned(), replacement: replacement.to_owned(), all };
        let made = Selection::of(Op::File(op), vec![scratch(), self.selection.clone()]);
        match check_name(&name) {
            Ok(path) => Self { selection: made.edge.at(path), name },
            Err(selection) => Self { selection, name },
        }
    }
}
