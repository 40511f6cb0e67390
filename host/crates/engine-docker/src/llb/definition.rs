//! LLB: what BuildKit evaluates, and how it is written down.
//!
//! An operation's digest is that of its bytes, in which its inputs stand by their digests: it says what is
//! evaluated, contents included, so that it serves as an identity across runs.
//! Source: moby/buildkit, `solver/pb/ops.proto`.

use std::collections::HashSet;
use std::sync::Arc;

use bollard_buildkit_proto::pb;
use bollard_buildkit_proto::pb::op::Op as Kind;
use graph::{ContentDigest, DefinitionDigest, ImageOp};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::connection::context::hex;

/// An operation with its inputs. Immutable; cheap to clone.
#[derive(Clone)]
pub(crate) struct Llb(Arc<Inner>);

struct Inner {
    digest: String,
    bytes: Vec<u8>,
    inputs: Vec<Out>,
    note: Note,
}

/// What is known of an operation besides itself.
#[derive(Clone, Default)]
pub(crate) struct Note {
    /// What people see.
    pub(crate) name: String,
    /// The tree that Docker must have as an image.
    pub(crate) tree: Option<ContentDigest>,
    /// The image that it is.
    pub(crate) image: Option<Arc<ImageOp>>,
    /// The vertex that it stands for, if it is one that runs.
    pub(crate) step: Option<DefinitionDigest>,
}

/// One output of an operation.
#[derive(Clone)]
pub(crate) struct Out {
    pub(crate) llb: Llb,
    pub(crate) index: i64,
}

impl Llb {
    /// Makes an operation.
    pub(crate) fn new(kind: Kind, inputs: Vec<Out>, note: Note) -> Self {
        let named = |out: &Out| pb::Input { digest: out.llb.0.digest.clone(), index: out.index };
        let op = pb::Op { inputs: inputs.iter().map(named).collect(), op: Some(kind), ..pb::Op::default() };
        let bytes = op.encode_to_vec();
        Self(Arc::new(Inner { digest: digest_of(&bytes), bytes, inputs, note }))
    }

    /// Returns what identifies it, as BuildKit names it.
    pub(crate) fn digest(&self) -> &str {
        &self.0.digest
    }

    pub(crate) fn note(&self) -> &Note {
        &self.0.note
    }

    /// Returns whether another operation makes one of its inputs.
    pub(crate) fn needs(&self, other: &Self) -> bool {
        self.0.inputs.iter().any(|out| out.llb.0.digest == other.0.digest)
    }

    /// Returns the operation that makes its first input.
    pub(crate) fn first_input(&self) -> Option<Self> {
        self.0.inputs.first().map(|out| out.llb.clone())
    }

    /// Returns one of its outputs.
    pub(crate) fn out(&self, index: i64) -> Out {
        Out { llb: self.clone(), index }
    }

    /// Returns it and all that it needs, inputs first, each once.
    pub(crate) fn closure(roots: &[Self]) -> Vec<Self> {
        let (mut found, mut order) = (HashSet::new(), Vec::new());
        let mut stack: Vec<(Self, usize)> = roots.iter().rev().map(|root| (root.clone(), 0)).collect();
        while let Some((llb, next)) = stack.pop() {
            if found.contains(&llb.0.digest) {
                continue;
            }
            if let Some(input) = llb.0.inputs.get(next).map(|out| out.llb.clone()) {
                stack.push((llb, next + 1));
                stack.push((input, 0));
                continue;
            }
            found.insert(llb.0.digest.clone());
            order.push(llb);
        }
        order
    }
}

impl Drop for Inner {
    /// Frees what only this operation needs without recursion: a chain may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut pending = std::mem::take(&mut self.inputs);
        while let Some(out) = pending.pop() {
            if let Some(mut inner) = Arc::into_inner(out.llb.0) {
                pending.append(&mut inner.inputs);
            }
        }
    }
}

impl Out {
    /// Returns what identifies it.
    pub(crate) fn name(&self) -> String {
        format!("{}#{}", self.llb.0.digest, self.index)
    }

    /// Writes down everything that it needs; the last operation names it as the result.
    pub(crate) fn definition(&self) -> pb::Definition {
        let result = pb::Op {
            inputs: vec![pb::Input { digest: self.llb.0.digest.clone(), index: self.index }],
            ..pb::Op::default()
        };
        let closure = Llb::closure(std::slice::from_ref(&self.llb));
        let metadata = closure.iter().map(|llb| (llb.0.digest.clone(), metadata(&llb.0.note.name)));
        pb::Definition {
            metadata: metadata.collect(),
            def: closure.iter().map(|llb| llb.0.bytes.clone()).chain([result.encode_to_vec()]).collect(),
            source: None,
        }
    }

    /// Writes it as text, for people and for tests: one line an operation.
    #[cfg(test)]
    pub(crate) fn to_text(&self) -> String {
        let closure = Llb::closure(std::slice::from_ref(&self.llb));
        let number = |digest: &str| closure.iter().position(|llb| llb.digest() == digest).unwrap_or(usize::MAX);
        let mut text = String::new();
        for (n, llb) in closure.iter().enumerate() {
            let op = pb::Op::decode(llb.0.bytes.as_slice()).expect("it was encoded above");
            let inputs: Vec<String> =
                op.inputs.iter().map(|input| format!("%{}#{}", number(&input.digest), input.index)).collect();
            text.push_str(&format!("%{n} [{}] {:?}\n", inputs.join(", "), op.op.expect("every operation has a kind")));
        }
        text
    }
}

fn metadata(name: &str) -> pb::OpMetadata {
    let description = [("llb.customname".to_owned(), name.to_owned())].into();
    pb::OpMetadata { description, ..pb::OpMetadata::default() }
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Makes an operation of files out of actions, each over the result of the one before.
///
/// `inputs[0]`, if there is a base, is what the first action changes; the others are copied from.
pub(crate) fn files(base: Option<Out>, sources: Vec<Out>, actions: Vec<FileAction>, note: Note) -> Out {
    let n_inputs = sources.len() + usize::from(base.is_some());
    let offset = usize::from(base.is_some());
    let first = if base.is_some() { 0 } else { -1 };
    let last = actions.len().saturating_sub(1);
    let actions = actions.into_iter().enumerate().map(|(n, FileAction { source, action })| pb::FileAction {
        input: if n == 0 { first } else { index(n_inputs + n - 1) },
        secondary_input: source.map_or(-1, |source| index(source + offset)),
        output: if n == last { 0 } else { -1 },
        action: Some(action),
    });
    let op = Kind::File(pb::FileOp { actions: actions.collect() });
    Llb::new(op, base.into_iter().chain(sources).collect(), note).out(0)
}

/// One action on files.
pub(crate) struct FileAction {
    /// Which of the sources it copies from.
    pub(crate) source: Option<usize>,
    pub(crate) action: pb::file_action::Action,
}

impl FileAction {
    /// Copies what is at a path to a path that is made.
    pub(crate) fn copy(source: usize, src: &str, dest: &str, contents_only: bool) -> Self {
        let action = pb::file_action::Action::Copy(pb::FileActionCopy {
            src: src.to_owned(),
            dest: dest.to_owned(),
            mode: -1,
            dir_copy_contents: contents_only,
            create_dest_path: true,
            follow_symlink: true,
            timestamp: -1,
            ..pb::FileActionCopy::default()
        });
        Self { source: Some(source), action }
    }

    /// Makes a file.
    pub(crate) fn file(path: &str, mode: i32, data: Vec<u8>) -> Self {
        let action = pb::FileActionMkFile { path: path.to_owned(), mode, data, owner: None, timestamp: 0 };
        Self { source: None, action: pb::file_action::Action::Mkfile(action) }
    }

    /// Makes a directory.
    pub(crate) fn directory(path: &str, mode: i32) -> Self {
        let action =
            pb::FileActionMkDir { path: path.to_owned(), mode, make_parents: false, owner: None, timestamp: 0 };
        Self { source: None, action: pb::file_action::Action::Mkdir(action) }
    }
}

/// Returns the number of an input as LLB has it.
pub(crate) fn index(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_lists_inputs_first_and_each_once() {
        let make =
            |name: &str| files(None, vec![], vec![FileAction::file(name, 0o644, b"x".to_vec())], Note::default());
        let (a, b) = (make("/a"), make("/b"));
        let copies = vec![FileAction::copy(0, "/a", "/", false), FileAction::copy(1, "/b", "/", false)];
        let both = files(Some(a.clone()), vec![a, b], copies, Note::default());
        let definition = both.definition();
        assert_eq!(definition.def.len(), 4, "three operations and the result");
        assert!(both.to_text().lines().last().is_some_and(|line| line.starts_with("%2 [%0#0, %0#0, %1#0]")));
        assert_eq!(definition.metadata.len(), 3);
    }

    #[test]
    fn equal_operations_have_equal_digests() {
        let make =
            |data: &[u8]| files(None, vec![], vec![FileAction::file("/a", 0o644, data.to_vec())], Note::default());
        assert_eq!(make(b"1").name(), make(b"1").name());
        assert_ne!(make(b"1").name(), make(b"2").name());
    }

    #[test]
    fn a_chain_longer_than_the_stack_is_deep_can_be_dropped() {
        let mut out = files(None, vec![], vec![FileAction::directory("/a", 0o755)], Note::default());
        for _ in 0..100_000 {
            out = files(Some(out), vec![], vec![FileAction::directory("/b", 0o755)], Note::default());
        }
        drop(out);
    }
}
