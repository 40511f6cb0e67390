//! The rows of the resource `directory.directory`.

use std::sync::Arc;

use engine::{EntryKind, Failure, FailureCode, SearchMatch, SearchQuery, Snapshot};
use graph::{Contents, RemoveKind, TreePath};

use super::file::{id, solve, stat_value};
use super::row::{Answer, Kind, NameOf, Row, lazy, leaf};
use crate::args::List;
use crate::bridge::Bridge;
use crate::directory::Directory;
use crate::file::File;
use crate::options::{CopyOptions, NewOptions, SearchOptions};
use crate::value::{Object, Value};

pub(super) const ROWS: &[&[Row]] = &[WRITES, TREES, READS];

const WRITES: &[Row] = &[
    lazy!("directory.with-new-file", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        this.with_new_file(&path, args.next::<Contents>()?, &NewOptions::default())
    }),
    lazy!("directory.with-new-file-options", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        let contents: Contents = args.next()?;
        this.with_new_file(&path, contents, &*args.next::<Arc<NewOptions>>()?)
    }),
    lazy!("directory.with-new-directory", Directory, args => {
        let this = args.next::<Arc<Directory>>()?;
        this.with_new_directory(&args.next::<String>()?, &NewOptions::default())
    }),
    lazy!("directory.with-new-directory-options", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        this.with_new_directory(&path, &*args.next::<Arc<NewOptions>>()?)
    }),
    lazy!("directory.with-file", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        this.with_file(&path, &*args.next::<Arc<File>>()?, &CopyOptions::default())
    }),
    lazy!("directory.with-file-options", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        let source = args.next::<Arc<File>>()?;
        this.with_file(&path, &source, &*args.next::<Arc<CopyOptions>>()?)
    }),
    lazy!("directory.with-files", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        this.with_files(&path, args.next::<List<Arc<File>>>()?.0.iter().map(AsRef::as_ref))
    }),
    lazy!("directory.with-directory", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        this.with_directory(&path, &*args.next::<Arc<Directory>>()?, &CopyOptions::default())
    }),
    lazy!("directory.with-directory-options", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        let source = args.next::<Arc<Directory>>()?;
        this.with_directory(&path, &source, &*args.next::<Arc<CopyOptions>>()?)
    }),
    lazy!("directory.with-symlink", Directory, args => {
        let (this, target) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        this.with_symlink(&target, &args.next::<String>()?)
    }),
];

const TREES: &[Row] = &[
    lazy!("directory.new", Directory, _args => Directory::default()),
    lazy!("directory.id", args => id("directory/1", &args.next::<Arc<Directory>>()?.selection, "")).answers(Answer::Id),
    lazy!("directory.name", args => args.next::<Arc<Directory>>()?.name()).answers(Answer::Name),
    lazy!("directory.file", File, args =>
        args.next::<Arc<Directory>>()?.file(&args.next::<String>()?)
    )
    .named(NameOf::LastOfPath),
    lazy!("directory.subdirectory", Directory, args =>
        args.next::<Arc<Directory>>()?.subdirectory(&args.next::<String>()?)
    )
    .named(NameOf::LastOfPathAndSlash),
    lazy!("directory.without-file", Directory, args =>
        args.next::<Arc<Directory>>()?.without(&args.next::<String>()?, RemoveKind::File)
    ),
    lazy!("directory.without-files", Directory, args => {
        let this = args.next::<Arc<Directory>>()?;
        let paths = args.next::<List<String>>()?.0;
        paths.iter().fold(Directory::clone(&this), |tree, path| tree.without(path, RemoveKind::File))
    }),
    lazy!("directory.without-directory", Directory, args =>
        args.next::<Arc<Directory>>()?.without(&args.next::<String>()?, RemoveKind::Directory)
    ),
    lazy!("directory.filter", Directory, args => {
        let this = args.next::<Arc<Directory>>()?;
        let include = args.next::<List<String>>()?.0;
        this.filter(include, args.next::<List<String>>()?.0)
    }),
    lazy!("directory.diff", Directory, args => args.next::<Arc<Directory>>()?.diff(&*args.next::<Arc<Directory>>()?)),
    lazy!("directory.merge", Directory, args => {
        let this = args.next::<Arc<Directory>>()?;
        this.merge(args.next::<List<Arc<Directory>>>()?.0.iter().map(AsRef::as_ref))
    }),
    lazy!("directory.with-owner", Directory, args => {
        let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        this.with_owner(&path, &args.next::<String>()?)
    }),
    lazy!("directory.with-timestamps", Directory, args => args.next::<Arc<Directory>>()?.with_timestamps(args.next()?)),
    Row::new(
        "directory.start",
        None,
        Kind::Lazy(|bridge, args| {
            bridge.start(Object::Directory(args.next()?));
            Ok(Value::unit())
        }),
    )
    .answers(Answer::Start),
];

const READS: &[Row] = &[
    leaf!("directory.entries", bridge, args => {
        let this = args.next::<Arc<Directory>>()?;
        let (snapshot, path) = open(bridge, &this, args.next::<Option<String>>()?.as_deref()).await?;
        bridge.engine().entries(&snapshot, &path).await?
    }),
    leaf!("directory.glob", bridge, args => {
        let this = args.next::<Arc<Directory>>()?;
        let (snapshot, path) = open(bridge, &this, None).await?;
        bridge.engine().glob(&snapshot, &path, &args.next::<String>()?).await?
    }),
    leaf!("directory.search", bridge, args => {
        let (this, pattern) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        let query = SearchQuery { pattern, ..args.next::<Arc<SearchOptions>>()?.query.clone() };
        let (snapshot, path) = open(bridge, &this, None).await?;
        matches_value(bridge.engine().search(&snapshot, &path, &query).await?)
    }),
    leaf!("directory.exists", bridge, args => {
        let this = args.next::<Arc<Directory>>()?;
        let (snapshot, path) = open(bridge, &this, Some(&args.next::<String>()?)).await?;
        exists(bridge, &snapshot, &path).await?
    }),
    leaf!("directory.stat", bridge, args => {
        let this = args.next::<Arc<Directory>>()?;
        let (snapshot, path) = open(bridge, &this, Some(&args.next::<String>()?)).await?;
        stat_value(bridge.engine().stat(&snapshot, &path, false).await?)
    }),
    leaf!("directory.digest", bridge, args => {
        let (snapshot, path) = open(bridge, &*args.next::<Arc<Directory>>()?, None).await?;
        bridge.engine().digest(&snapshot, &path).await?.to_string()
    }),
    leaf!("directory.sync", bridge, args => {
        let (snapshot, path) = open(bridge, &*args.next::<Arc<Directory>>()?, None).await?;
        // A name that no list can hold is not a failure here. Anything but a directory is.
        if bridge.engine().stat(&snapshot, &path, true).await?.kind != EntryKind::Directory {
            bridge.engine().entries(&snapshot, &path).await?;
        }
    }),
];

/// Evaluates a directory. Returns its tree, and `path` as a path in that tree.
async fn open(bridge: &dyn Bridge, this: &Directory, path: Option<&str>) -> Result<(Snapshot, TreePath), Failure> {
    let selection = this
        .select(path.unwrap_or_default())
        .map_err(|error| Failure::invalid(FailureCode::InvalidPath, error.to_string()))?;
    Ok((solve(bridge, &selection.edge).await?, selection.path))
}

/// Returns whether there is an entry at a path.
pub(super) async fn exists(bridge: &dyn Bridge, snapshot: &Snapshot, path: &TreePath) -> Result<bool, Failure> {
    match bridge.engine().stat(snapshot, path, false).await {
        Ok(_) => Ok(true),
        Err(Failure::Invalid { code: FailureCode::NotFound | FailureCode::NotADirectory, .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn matches_value(matches: Vec<SearchMatch>) -> Value {
    let record = |found: SearchMatch| {
        Value::Record(vec![
            ("path".to_owned(), Value::String(found.path)),
            ("line".to_owned(), Value::U32(found.line)),
            ("text".to_owned(), Value::String(found.text)),
        ])
    };
    Value::List(matches.into_iter().map(record).collect())
}
