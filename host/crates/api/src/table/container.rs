//! The rows of the resource `container.container`.

mod config;
mod leaves;

use std::sync::Arc;

use engine::{Failure, FailureCode, ImageSource};
use graph::{Contents, RemoveKind};

use super::row::{NameOf, Row, later, lazy};
use crate::args::List;
use crate::bridge::Bridge;
use crate::container::{Container, MountSource};
use crate::directory::Directory;
use crate::file::File;
use crate::options::{CopyOptions, ExecOptions, MountOptions, NewOptions};
use crate::resources::{CacheVolume, Secret};

/// The permission bits of a mounted secret that was given none.
/// Source: Dagger's `withMountedSecret`.
const SECRET_MODE: u32 = 0o400;

/// The permission bits of a mounted temporary directory that was given none: those of `/tmp`.
const TEMP_MODE: u32 = 0o1777;

pub(super) const ROWS: &[&[Row]] = &[config::ROWS, leaves::OUTPUTS, leaves::CONFIG, FILES, MOUNTS, COMMANDS, IMAGES];

const FILES: &[Row] = &[
    lazy!("container.with-new-file", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_new_file(&path, args.next::<Contents>()?, &NewOptions::default())
    }),
    lazy!("container.with-new-file-options", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let contents: Contents = args.next()?;
        this.with_new_file(&path, contents, &*args.next::<Arc<NewOptions>>()?)
    }),
    lazy!("container.with-new-directory", Container, args =>
        args.next::<Arc<Container>>()?.with_new_directory(&args.next::<String>()?)
    ),
    lazy!("container.with-file", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_file(&path, &*args.next::<Arc<File>>()?, &CopyOptions::default())
    }),
    lazy!("container.with-file-options", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let source = args.next::<Arc<File>>()?;
        this.with_file(&path, &source, &*args.next::<Arc<CopyOptions>>()?)
    }),
    lazy!("container.with-files", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_files(&path, args.next::<List<Arc<File>>>()?.0.iter().map(AsRef::as_ref))
    }),
    lazy!("container.with-directory", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_directory(&path, &*args.next::<Arc<Directory>>()?, &CopyOptions::default())
    }),
    lazy!("container.with-directory-options", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let source = args.next::<Arc<Directory>>()?;
        this.with_directory(&path, &source, &*args.next::<Arc<CopyOptions>>()?)
    }),
    lazy!("container.with-symlink", Container, args => {
        let (this, target) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_symlink(&target, &args.next::<String>()?)
    }),
    lazy!("container.without-file", Container, args =>
        args.next::<Arc<Container>>()?.without(&args.next::<String>()?, RemoveKind::File)
    ),
    lazy!("container.without-files", Container, args => {
        let this = args.next::<Arc<Container>>()?;
        let paths = args.next::<List<String>>()?.0;
        paths.iter().fold(Container::clone(&this), |tree, path| tree.without(path, RemoveKind::File))
    }),
    lazy!("container.without-directory", Container, args =>
        args.next::<Arc<Container>>()?.without(&args.next::<String>()?, RemoveKind::Directory)
    ),
    lazy!("container.rootfs", Directory, args => args.next::<Arc<Container>>()?.rootfs()),
    lazy!("container.directory", Directory, args =>
        args.next::<Arc<Container>>()?.directory(&args.next::<String>()?)
    )
    .named(NameOf::LastOfPathAndSlash),
    lazy!("container.file", File, args =>
        args.next::<Arc<Container>>()?.file(&args.next::<String>()?)
    )
    .named(NameOf::LastOfPath),
];

const MOUNTS: &[Row] = &[
    lazy!("container.with-mounted-directory", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        mount_directory(&this, &path, &*args.next::<Arc<Directory>>()?, &MountOptions::default())
    }),
    lazy!("container.with-mounted-directory-options", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let source = args.next::<Arc<Directory>>()?;
        mount_directory(&this, &path, &source, &*args.next::<Arc<MountOptions>>()?)
    }),
    lazy!("container.with-mounted-file", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let selection = args.next::<Arc<File>>()?.selection.clone();
        this.with_mount(&path, MountSource::File { selection, owner: None })
    }),
    lazy!("container.with-mounted-cache", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        mount_cache(&this, &path, &*args.next::<Arc<CacheVolume>>()?, &MountOptions::default())
    }),
    lazy!("container.with-mounted-cache-options", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let cache = args.next::<Arc<CacheVolume>>()?;
        mount_cache(&this, &path, &cache, &*args.next::<Arc<MountOptions>>()?)
    }),
    lazy!("container.with-mounted-secret", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        mount_secret(&this, &path, &*args.next::<Arc<Secret>>()?, &MountOptions::default())
    }),
    lazy!("container.with-mounted-secret-options", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let secret = args.next::<Arc<Secret>>()?;
        mount_secret(&this, &path, &secret, &*args.next::<Arc<MountOptions>>()?)
    }),
    lazy!("container.with-mounted-temp", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_mount(&path, MountSource::Temp { size_bytes: None, mode: TEMP_MODE })
    }),
    lazy!("container.with-mounted-temp-options", Container, args => {
        let (this, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let options = args.next::<Arc<MountOptions>>()?;
        let mode = options.mode.unwrap_or(TEMP_MODE);
        this.with_mount(&path, MountSource::Temp { size_bytes: options.size_bytes, mode })
    }),
    lazy!("container.without-mount", Container, args =>
        args.next::<Arc<Container>>()?.without_mount(&args.next::<String>()?)
    ),
];

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

const COMMANDS: &[Row] = &[
    lazy!("container.with-exec", Container, args => {
        let this = args.next::<Arc<Container>>()?;
        this.with_exec(args.next::<List<String>>()?.0, &ExecOptions::default())
    })
    .runs_command(),
    lazy!("container.with-exec-options", Container, args => {
        let this = args.next::<Arc<Container>>()?;
        let command = args.next::<List<String>>()?.0;
        this.with_exec(command, &*args.next::<Arc<ExecOptions>>()?)
    })
    .runs_command(),
    lazy!("container.with-error", Container, args => {
        let (this, message) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        if message.is_empty() { Container::clone(&this) } else { this.with_error(FailureCode::Custom, message) }
    }),
];

const IMAGES: &[Row] = &[
    later!("container.from-image", Container, bridge, args => {
        let (this, address) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        based_on(bridge, &this, ImageSource::Named(address)).await?
    })
    .with_stage_env(),
    later!("container.import-image", Container, bridge, args => {
        let (this, source) = (args.next::<Arc<Container>>()?, args.next::<Arc<File>>()?);
        let (selection, tag) = (source.selection.clone(), args.next::<Option<String>>()?);
        based_on(bridge, &this, ImageSource::Within { selection, tag }).await?
    }),
    later!("container.import-layout", Container, bridge, args => {
        let (this, source) = (args.next::<Arc<Container>>()?, args.next::<Arc<Directory>>()?);
        let (selection, tag) = (source.selection.clone(), args.next::<Option<String>>()?);
        based_on(bridge, &this, ImageSource::Within { selection, tag }).await?
    }),
    lazy!("container.as-docker-tarball", File, args => args.next::<Arc<Container>>()?.as_docker_tarball())
        .named(NameOf::Archive),
    lazy!("container.as-tarball", File, args => args.next::<Arc<Container>>()?.as_tarball()).named(NameOf::Archive),
];

async fn based_on(bridge: &dyn Bridge, this: &Container, source: ImageSource) -> Result<Container, Failure> {
    if this.failure().is_some() {
        return Ok(this.clone());
    }
    let image = bridge.engine().resolve_image(&source, &this.platform).await?;
    Ok(this.based_on(&image))
}
