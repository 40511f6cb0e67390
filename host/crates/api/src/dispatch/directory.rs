//! `directory.directory`

use std::sync::Arc;

use backend::{EntryKind, Failure, FailureCode, SearchMatch, SearchQuery, Snapshot};
use graph::{RemoveKind, TreePath};

use super::file::{id, solve, stat_value};
use super::{Entry, lazy, leaf};
use crate::args::List;
use crate::bridge::Bridge;
use crate::directory::Directory;
use crate::file::File;
use crate::object::Object;
use crate::options::{CopyOptions, NewOptions, SearchOptions};
use crate::value::Value;

pub(super) fn find(method: &str) -> Option<Entry> {
    writes(method).or_else(|| trees(method)).or_else(|| reads(method))
}

fn writes(method: &str) -> Option<Entry> {
    Some(match method {
        "directory.with-new-file" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            this.with_new_file(&path, args.next::<String>()?.as_bytes(), &NewOptions::default())
        }),
        "directory.with-new-file-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            let contents: Vec<u8> = args.next()?;
            this.with_new_file(&path, &contents, &*args.next::<Arc<NewOptions>>()?)
        }),
        "directory.with-new-directory" => lazy!(args => {
            let this = args.next::<Arc<Directory>>()?;
            this.with_new_directory(&args.next::<String>()?, &NewOptions::default())
        }),
        "directory.with-new-directory-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            this.with_new_directory(&path, &*args.next::<Arc<NewOptions>>()?)
        }),
        "directory.with-file" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            this.with_file(&path, &*args.next::<Arc<File>>()?, &CopyOptions::default())
        }),
        "directory.with-file-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            let source = args.next::<Arc<File>>()?;
            this.with_file(&path, &source, &*args.next::<Arc<CopyOptions>>()?)
        }),
        "directory.with-files" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            this.with_files(&path, args.next::<List<Arc<File>>>()?.0.iter().map(AsRef::as_ref))
        }),
        "directory.with-directory" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            this.with_directory(&path, &*args.next::<Arc<Directory>>()?, &CopyOptions::default())
        }),
        "directory.with-directory-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            let source = args.next::<Arc<Directory>>()?;
            this.with_directory(&path, &source, &*args.next::<Arc<CopyOptions>>()?)
        }),
        "directory.with-symlink" => lazy!(args => {
            let (this, target) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            this.with_symlink(&target, &args.next::<String>()?)
        }),
        _ => return None,
    })
}

fn trees(method: &str) -> Option<Entry> {
    Some(match method {
        "directory.new" => lazy!(_args => Directory::default()),
        "directory.id" => lazy!(args => id("directory/1", &args.next::<Arc<Directory>>()?.selection, "")),
        "directory.name" => lazy!(args => args.next::<Arc<Directory>>()?.name()),
        "directory.file" => lazy!(args => args.next::<Arc<Directory>>()?.file(&args.next::<String>()?)),
        "directory.subdirectory" => lazy!(args => args.next::<Arc<Directory>>()?.subdirectory(&args.next::<String>()?)),
        "directory.without-file" => {
            lazy!(args => args.next::<Arc<Directory>>()?.without(&args.next::<String>()?, RemoveKind::File))
        }
        "directory.without-files" => lazy!(args => {
            let this = args.next::<Arc<Directory>>()?;
            let paths = args.next::<List<String>>()?.0;
            paths.iter().fold(Directory::clone(&this), |tree, path| tree.without(path, RemoveKind::File))
        }),
        "directory.without-directory" => {
            lazy!(args => args.next::<Arc<Directory>>()?.without(&args.next::<String>()?, RemoveKind::Directory))
        }
        "directory.filter" => lazy!(args => {
            let this = args.next::<Arc<Directory>>()?;
            let include = args.next::<List<String>>()?.0;
            this.filter(include, args.next::<List<String>>()?.0)
        }),
        "directory.diff" => lazy!(args => args.next::<Arc<Directory>>()?.diff(&*args.next::<Arc<Directory>>()?)),
        "directory.merge" => lazy!(args => {
            let this = args.next::<Arc<Directory>>()?;
            this.merge(args.next::<List<Arc<Directory>>>()?.0.iter().map(AsRef::as_ref))
        }),
        "directory.with-owner" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            this.with_owner(&path, &args.next::<String>()?)
        }),
        "directory.with-timestamps" => {
            lazy!(args => args.next::<Arc<Directory>>()?.with_timestamps(args.next()?))
        }
        "directory.start" => Entry::Lazy(|bridge, args| {
            bridge.start(Object::Directory(args.next()?));
            Ok(Value::unit())
        }),
        _ => return None,
    })
}

fn reads(method: &str) -> Option<Entry> {
    Some(match method {
        "directory.entries" => leaf!(bridge, args => {
            let this = args.next::<Arc<Directory>>()?;
            let (snapshot, path) = open(bridge, &this, args.next::<Option<String>>()?.as_deref()).await?;
            bridge.backend().entries(&snapshot, &path).await?
        }),
        "directory.glob" => leaf!(bridge, args => {
            let this = args.next::<Arc<Directory>>()?;
            let (snapshot, path) = open(bridge, &this, None).await?;
            bridge.backend().glob(&snapshot, &path, &args.next::<String>()?).await?
        }),
        "directory.search" => leaf!(bridge, args => {
            let (this, pattern) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            let query = SearchQuery { pattern, ..args.next::<Arc<SearchOptions>>()?.query.clone() };
            let (snapshot, path) = open(bridge, &this, None).await?;
            matches_value(bridge.backend().search(&snapshot, &path, &query).await?)
        }),
        "directory.exists" => leaf!(bridge, args => {
            let this = args.next::<Arc<Directory>>()?;
            let (snapshot, path) = open(bridge, &this, Some(&args.next::<String>()?)).await?;
            exists(bridge, &snapshot, &path).await?
        }),
        "directory.stat" => leaf!(bridge, args => {
            let this = args.next::<Arc<Directory>>()?;
            let (snapshot, path) = open(bridge, &this, Some(&args.next::<String>()?)).await?;
            stat_value(bridge.backend().stat(&snapshot, &path).await?)
        }),
        "directory.digest" => leaf!(bridge, args => {
            let (snapshot, path) = open(bridge, &*args.next::<Arc<Directory>>()?, None).await?;
            bridge.backend().digest(&snapshot, &path).await?.to_string()
        }),
        "directory.sync" => leaf!(bridge, args => {
            let (snapshot, path) = open(bridge, &*args.next::<Arc<Directory>>()?, None).await?;
            // Names that no list can have are no reason to fail; what is no directory is.
            if bridge.backend().stat(&snapshot, &path).await?.kind != EntryKind::Directory {
                bridge.backend().entries(&snapshot, &path).await?;
            }
        }),
        _ => return None,
    })
}

/// Evaluates a directory and returns its tree and where `path` is in it.
async fn open(bridge: &dyn Bridge, this: &Directory, path: Option<&str>) -> Result<(Snapshot, TreePath), Failure> {
    let selection = this
        .select(path.unwrap_or_default())
        .map_err(|error| Failure::invalid(FailureCode::InvalidPath, error.to_string()))?;
    Ok((solve(bridge, &selection.edge).await?, selection.path))
}

/// Returns whether something is at a path.
pub(super) async fn exists(bridge: &dyn Bridge, snapshot: &Snapshot, path: &TreePath) -> Result<bool, Failure> {
    match bridge.backend().stat(snapshot, path).await {
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
