//! The rows of the resource `directory.directory`.

use std::sync::Arc;

use engine::{EntryKind, Failure, FailureCode, SearchMatch, SearchQuery, Snapshot};
use graph::{Contents, PathError, RemoveKind, TreePath};

use super::file::{id, solve, stat_value};
use super::row::{Answer, Kind, NameOf, Row, lazy, leaf};
use crate::args::{Args, List};
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
    leaf!("directory.search", bridge, args => Value::List(search(bridge, args).await?.iter().map(match_value).collect())),
    leaf!("directory.search-matches", bridge, args => {
        let found = search(bridge, args).await?;
        Value::List(found.iter().map(|found| Value::Record([line_fields(found), part_fields(found)].concat())).collect())
    }),
    leaf!("directory.exists", bridge, args => {
        let this = args.next::<Arc<Directory>>()?;
        let (snapshot, path) = open(bridge, &this, Some(&args.next::<String>()?)).await?;
        exists(bridge, &snapshot, &path).await?
    }),
    leaf!("directory.find-up", bridge, args => {
        let (this, name) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        find_up(bridge, &this, &name, args.next::<Option<String>>()?.as_deref().unwrap_or_default()).await?
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

/// Looks for an entry in the directory `start`, and in those above it up to `this`. Returns its path from `this`.
async fn find_up(bridge: &dyn Bridge, this: &Directory, name: &str, start: &str) -> Result<Option<String>, Failure> {
    let invalid = |error: PathError| Failure::invalid(FailureCode::InvalidPath, error.to_string());
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        let message = format!("`{name}` is not a single path component");
        return Err(Failure::invalid(FailureCode::InvalidPath, message));
    }
    let (snapshot, _) = open(bridge, this, None).await?;
    let mut at = Some(TreePath::parse(start).map_err(invalid)?);
    while let Some(directory) = at {
        let path = directory.join(name).map_err(invalid)?;
        let whole = this.select(path.as_str()).map_err(invalid)?.path;
        if exists(bridge, &snapshot, &whole).await? {
            return Ok(Some(path.as_str().to_owned()));
        }
        at = directory.parent();
    }
    Ok(None)
}

/// Returns whether there is an entry at a path.
pub(super) async fn exists(bridge: &dyn Bridge, snapshot: &Snapshot, path: &TreePath) -> Result<bool, Failure> {
    match bridge.engine().stat(snapshot, path, false).await {
        Ok(_) => Ok(true),
        Err(Failure::Invalid { code: FailureCode::NotFound | FailureCode::NotADirectory, .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}

async fn search(bridge: &dyn Bridge, args: &mut Args) -> Result<Vec<SearchMatch>, Failure> {
    let (this, pattern) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
    let query = SearchQuery { pattern, ..args.next::<Arc<SearchOptions>>()?.query.clone() };
    let (snapshot, path) = open(bridge, &this, None).await?;
    bridge.engine().search(&snapshot, &path, &query).await
}

fn match_value(found: &SearchMatch) -> Value {
    Value::Record(line_fields(found))
}

fn line_fields(found: &SearchMatch) -> Vec<(String, Value)> {
    vec![
        ("path".to_owned(), Value::String(found.path.clone())),
        ("line".to_owned(), Value::U32(found.line)),
        ("text".to_owned(), Value::String(found.text.clone())),
    ]
}

fn part_fields(found: &SearchMatch) -> Vec<(String, Value)> {
    let part = |(start, end): &(u32, u32)| {
        Value::Record(vec![("start".to_owned(), Value::U32(*start)), ("end".to_owned(), Value::U32(*end))])
    };
    vec![
        ("offset".to_owned(), Value::U64(found.offset)),
        ("parts".to_owned(), Value::List(found.parts.iter().map(part).collect())),
    ]
}
