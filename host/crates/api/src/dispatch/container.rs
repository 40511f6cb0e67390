//! `container.container`

mod config;
mod leaves;

use std::sync::Arc;

use backend::{Failure, FailureCode, ImageSource};
use graph::RemoveKind;

use super::{Entry, later, lazy};
use crate::args::List;
use crate::bridge::Bridge;
use crate::container::{Container, MountSource};
use crate::directory::Directory;
use crate::file::File;
use crate::object::{CacheVolume, Secret};
use crate::options::{CopyOptions, ExecOptions, MountOptions, NewOptions};

/// The permission bits of a secret that is mounted without any.
/// Source: Dagger's `withMountedSecret`.
const SECRET_MODE: u32 = 0o400;

/// The permission bits of a temporary directory that is mounted without any, as those of `/tmp`.
const TEMP_MODE: u32 = 0o1777;

pub(super) fn find(method: &str) -> Option<Entry> {
    config::find(method)
        .or_else(|| leaves::find(method))
        .or_else(|| files(method))
        .or_else(|| mounts(method))
        .or_else(|| commands(method))
        .or_else(|| images(method))
}

fn files(method: &str) -> Option<Entry> {
    Some(match method {
        "container.with-new-file" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_new_file(&path, args.next::<String>()?.as_bytes(), &NewOptions::default())
        }),
        "container.with-new-file-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let contents: Vec<u8> = args.next()?;
            this.with_new_file(&path, &contents, &*args.next::<Arc<NewOptions>>()?)
        }),
        "container.with-new-directory" => {
            lazy!(args => args.next::<Arc<Container>>()?.with_new_directory(&args.next::<String>()?))
        }
        "container.with-file" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_file(&path, &*args.next::<Arc<File>>()?, &CopyOptions::default())
        }),
        "container.with-file-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let source = args.next::<Arc<File>>()?;
            this.with_file(&path, &source, &*args.next::<Arc<CopyOptions>>()?)
        }),
        "container.with-files" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_files(&path, args.next::<List<Arc<File>>>()?.0.iter().map(AsRef::as_ref))
        }),
        "container.with-directory" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_directory(&path, &*args.next::<Arc<Directory>>()?, &CopyOptions::default())
        }),
        "container.with-directory-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let source = args.next::<Arc<Directory>>()?;
            this.with_directory(&path, &source, &*args.next::<Arc<CopyOptions>>()?)
        }),
        "container.with-symlink" => lazy!(args => {
            let (this, target) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_symlink(&target, &args.next::<String>()?)
        }),
        "container.without-file" => {
            lazy!(args => args.next::<Arc<Container>>()?.without(&args.next::<String>()?, RemoveKind::File))
        }
        "container.without-files" => lazy!(args => {
            let this = args.next::<Arc<Container>>()?;
            let paths = args.next::<List<String>>()?.0;
            paths.iter().fold(Container::clone(&this), |tree, path| tree.without(path, RemoveKind::File))
        }),
        "container.without-directory" => {
            lazy!(args => args.next::<Arc<Container>>()?.without(&args.next::<String>()?, RemoveKind::Directory))
        }
        "container.rootfs" => lazy!(args => args.next::<Arc<Container>>()?.rootfs()),
        "container.directory" => lazy!(args => args.next::<Arc<Container>>()?.directory(&args.next::<String>()?)),
        "container.file" => lazy!(args => args.next::<Arc<Container>>()?.file(&args.next::<String>()?)),
        _ => return None,
    })
}

fn mounts(method: &str) -> Option<Entry> {
    Some(match method {
        "container.with-mounted-directory" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            mount_directory(&this, &path, &*args.next::<Arc<Directory>>()?, &MountOptions::default())
        }),
        "container.with-mounted-directory-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let source = args.next::<Arc<Directory>>()?;
            mount_directory(&this, &path, &source, &*args.next::<Arc<MountOptions>>()?)
        }),
        "container.with-mounted-file" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let selection = args.next::<Arc<File>>()?.selection.clone();
            this.with_mount(&path, MountSource::File { selection, owner: None })
        }),
        "container.with-mounted-cache" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            mount_cache(&this, &path, &*args.next::<Arc<CacheVolume>>()?, &MountOptions::default())
        }),
        "container.with-mounted-cache-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let cache = args.next::<Arc<CacheVolume>>()?;
            mount_cache(&this, &path, &cache, &*args.next::<Arc<MountOptions>>()?)
        }),
        "container.with-mounted-secret" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            mount_secret(&this, &path, &*args.next::<Arc<Secret>>()?, &MountOptions::default())
        }),
        "container.with-mounted-secret-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let secret = args.next::<Arc<Secret>>()?;
            mount_secret(&this, &path, &secret, &*args.next::<Arc<MountOptions>>()?)
        }),
        "container.with-mounted-temp" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_mount(&path, MountSource::Temp { size_bytes: None, mode: TEMP_MODE })
        }),
        "container.with-mounted-temp-options" => lazy!(args => {
            let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let options = args.next::<Arc<MountOptions>>()?;
            let mode = options.mode.unwrap_or(TEMP_MODE);
            this.with_mount(&path, MountSource::Temp { size_bytes: options.size_bytes, mode })
        }),
        "container.without-mount" => {
            lazy!(args => args.next::<Arc<Container>>()?.without_mount(&args.next::<String>()?))
        }
        _ => return None,
    })
}

fn mount_directory(this: &Container, path: &str, source: &Directory, options: &MountOptions) -> Container {
    let (selection, owner) = (source.selection.clone(), options.owner.clone());
    this.with_mount(path, MountSource::Directory { selection, read_only: options.read_only, owner })
}

fn mount_cache(this: &Container, path: &str, cache: &CacheVolume, options: &MountOptions) -> Container {
    let source = MountSource::Cache {
        key: cache.key.clone(),
        sharing: options.sharing,
        owner: options.owner.clone(),
        seed: options.seed.clone(),
    };
    this.with_mount(path, source)
}

fn mount_secret(this: &Container, path: &str, secret: &Secret, options: &MountOptions) -> Container {
    let (name, owner) = (secret.name.clone(), options.owner.clone());
    this.with_mount(path, MountSource::Secret { name, owner, mode: options.mode.unwrap_or(SECRET_MODE) })
}

fn commands(method: &str) -> Option<Entry> {
    Some(match method {
        "container.with-exec" => lazy!(args => {
            let this = args.next::<Arc<Container>>()?;
            this.with_exec(args.next::<List<String>>()?.0, &ExecOptions::default())
        }),
        "container.with-exec-options" => lazy!(args => {
            let this = args.next::<Arc<Container>>()?;
            let command = args.next::<List<String>>()?.0;
            this.with_exec(command, &*args.next::<Arc<ExecOptions>>()?)
        }),
        "container.with-error" => lazy!(args => {
            let (this, message) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            if message.is_empty() { Container::clone(&this) } else { this.with_error(FailureCode::Custom, message) }
        }),
        _ => return None,
    })
}

fn images(method: &str) -> Option<Entry> {
    Some(match method {
        "container.from-image" => later!(bridge, args => {
            let (this, address) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            based_on(bridge, &this, ImageSource::Named(address)).await?
        }),
        "container.import-image" => later!(bridge, args => {
            let (this, source) = (args.next::<Arc<Container>>()?, args.next::<Arc<File>>()?);
            let (selection, tag) = (source.selection.clone(), args.next::<Option<String>>()?);
            based_on(bridge, &this, ImageSource::Within { selection, tag }).await?
        }),
        "container.import-layout" => later!(bridge, args => {
            let (this, source) = (args.next::<Arc<Container>>()?, args.next::<Arc<Directory>>()?);
            let (selection, tag) = (source.selection.clone(), args.next::<Option<String>>()?);
            based_on(bridge, &this, ImageSource::Within { selection, tag }).await?
        }),
        "container.as-tarball" => lazy!(args => args.next::<Arc<Container>>()?.as_tarball()),
        _ => return None,
    })
}

async fn based_on(bridge: &dyn Bridge, this: &Container, source: ImageSource) -> Result<Container, Failure> {
    if this.failure().is_some() {
        return Ok(this.clone());
    }
    let image = bridge.backend().resolve_image(&source, &this.platform).await?;
    Ok(this.based_on(&image))
}
