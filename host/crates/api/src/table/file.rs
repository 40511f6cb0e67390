//! The rows of the resource `file.file`.

use std::sync::Arc;

use engine::{EntryKind, Failure, FailureCode, FileStat, Snapshot};
use graph::{Contents, Edge};

use super::row::{Answer, Kind, NameOf, Row, lazy, leaf};
use crate::bridge::Bridge;
use crate::file::File;
use crate::value::{Object, Value};

/// The limit on the size of a file that `contents` returns, in bytes.
/// Source: Dagger's `MaxFileContentsSize`.
const MAX_CONTENTS_BYTES: u64 = 128 << 20;

pub(super) const ROWS: &[Row] = &[
    lazy!("file.new", File, args => {
        let name: String = args.next()?;
        File::with_contents(&name, args.next::<Contents>()?)
    }),
    lazy!("file.id", args => {
        let file = args.next::<Arc<File>>()?;
        id("file/1", &file.selection, &file.name)
    })
    .answers(Answer::Id),
    lazy!("file.name", args => args.next::<Arc<File>>()?.name.clone()).answers(Answer::Name),
    lazy!("file.with-name", File, args =>
        args.next::<Arc<File>>()?.with_name(&args.next::<String>()?)
    )
    .named(NameOf::LastOfPath),
    lazy!("file.with-replaced", File, args => {
        let file = args.next::<Arc<File>>()?;
        let (search, replacement) = (args.next::<String>()?, args.next::<String>()?);
        file.with_replaced(&search, &replacement, args.next()?)
    }),
    leaf!("file.contents", bridge, args => contents(bridge, &*args.next::<Arc<File>>()?).await?),
    leaf!("file.read", bridge, args => {
        let file = args.next::<Arc<File>>()?;
        let (offset, max) = (args.next::<u64>()?, args.next::<u32>()?);
        let snapshot = solve(bridge, &file.selection.edge).await?;
        bridge.engine().read(&snapshot, &file.selection.path, offset, u64::from(max)).await?
    }),
    leaf!("file.size", bridge, args => stat_file(bridge, &*args.next::<Arc<File>>()?).await?.1.size_bytes),
    leaf!("file.digest", bridge, args => {
        let file = args.next::<Arc<File>>()?;
        let (snapshot, _) = stat_file(bridge, &file).await?;
        bridge.engine().digest(&snapshot, &file.selection.path).await?.to_string()
    }),
    leaf!("file.stat", bridge, args => {
        let file = args.next::<Arc<File>>()?;
        let stat = stat_file(bridge, &file).await?.1;
        stat_value(FileStat { name: file.name.clone(), ..stat })
    }),
    leaf!("file.sync", bridge, args => {
        stat_file(bridge, &*args.next::<Arc<File>>()?).await?;
    }),
    Row::new(
        "file.start",
        None,
        Kind::Lazy(|bridge, args| {
            bridge.start(Object::File(args.next()?));
            Ok(Value::unit())
        }),
    )
    .answers(Answer::Start),
];

/// Evaluates an edge and returns its tree.
pub(super) async fn solve(bridge: &dyn Bridge, edge: &Edge) -> Result<Snapshot, Failure> {
    let mut solved = bridge.engine().solve(std::slice::from_ref(edge)).await?;
    solved.pop().map(|solved| solved.snapshot).ok_or_else(|| Failure::bug("a solved edge has no value"))
}

async fn stat_file(bridge: &dyn Bridge, file: &File) -> Result<(Snapshot, FileStat), Failure> {
    let snapshot = solve(bridge, &file.selection.edge).await?;
    let path = &file.selection.path;
    let stat = bridge.engine().stat(&snapshot, path, true).await?;
    match stat.kind {
        EntryKind::Directory => {
            Err(Failure::invalid(FailureCode::NotAFile, format!("path `{path}` is a directory, not a file")))
        }
        EntryKind::File | EntryKind::Symlink | EntryKind::Other => Ok((snapshot, stat)),
    }
}

async fn contents(bridge: &dyn Bridge, file: &File) -> Result<String, Failure> {
    let snapshot = solve(bridge, &file.selection.edge).await?;
    let path = &file.selection.path;
    let bytes = bridge.engine().read(&snapshot, path, 0, MAX_CONTENTS_BYTES + 1).await?;
    if bytes.len() as u64 > MAX_CONTENTS_BYTES {
        let message = format!("file `{path}` is larger than 128 MiB: use `read`");
        return Err(Failure::invalid(FailureCode::InvalidArgument, message));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::invalid(FailureCode::InvalidArgument, format!("file `{path}` is not UTF-8: use `read`")))
}

/// Returns the digest of the definition of a selection.
pub(super) fn id(domain: &str, selection: &graph::Selection, name: &str) -> String {
    let mut hasher = graph::KeyHasher::new(domain);
    selection.hash_into(&mut hasher);
    hasher.text(name);
    hasher.definition().to_string()
}

/// Makes the record `file.stat`.
pub(super) fn stat_value(stat: FileStat) -> Value {
    let kind = match stat.kind {
        EntryKind::File => "file",
        EntryKind::Directory => "directory",
        EntryKind::Symlink => "symlink",
        EntryKind::Other => "other",
    };
    Value::Record(vec![
        ("name".to_owned(), Value::String(stat.name)),
        ("kind".to_owned(), Value::String(kind.to_owned())),
        ("size".to_owned(), Value::U64(stat.size_bytes)),
        ("mode".to_owned(), Value::U32(stat.mode)),
    ])
}
