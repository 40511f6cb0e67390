//! What a dry session leaves undone; see [`SessionIo::is_dry`](crate::SessionIo::is_dry).

use std::sync::Arc;

use graph::{Op, Vertex};

/// Returns whether a dry session leaves an operation undone whose key was not found: one that runs a command, or
/// fetches layers.
#[must_use]
pub fn is_left_undone(op: &Op) -> bool {
    match op {
        Op::Exec(_) | Op::Image(_) | Op::Pack(_) => true,
        Op::Source(_) | Op::File(_) | Op::Merge | Op::Diff | Op::Fail(_) => false,
    }
}

/// Returns the name of the operation that the users of a vertex wait for when a dry session does not evaluate it: the
/// vertex itself, or for an operation on files the operation that it waits for.
#[must_use]
pub fn waits_for(vertex: &Vertex, input: Option<&Arc<str>>) -> Arc<str> {
    match input {
        Some(input) if !is_left_undone(vertex.op()) => Arc::clone(input),
        _ => vertex.op().describe().into(),
    }
}

#[cfg(test)]
mod tests {
    use graph::{FileOp, Selection, TreePath};

    use super::*;

    #[test]
    fn what_is_made_of_files_waits_for_the_command_before_it() {
        let file = FileOp::Symlink { target: "a".to_owned(), path: TreePath::root() };
        let vertex = Vertex::new(Op::File(file), vec![Selection::of(Op::Merge, Vec::new())]);
        assert_eq!(&*waits_for(&vertex, Some(&"exec make".into())), "exec make");
        assert!(waits_for(&vertex, None).starts_with("symlink"), "{}", waits_for(&vertex, None));
    }
}
