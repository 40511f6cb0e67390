//! `machine`, `log`, `effects` and `secret-access`.

use std::sync::Arc;

use backend::{Failure, FailureCode, ImageTarget, Login};
use graph::{Op, PackForm, Selection, SourceOp};

use super::file::solve;
use super::{Entry, lazy, leaf};
use crate::args::EnumCase;
use crate::bridge::{Bridge, LogLevel};
use crate::container::Container;
use crate::directory::Directory;
use crate::file::File;
use crate::object::Secret;
use crate::value::Value;

pub(super) fn find(method: &str) -> Option<Entry> {
    Some(match method {
        "machine/rootfs" => lazy!(_args => Container {
            rootfs: Selection::of(Op::Source(SourceOp::Machine), Vec::new()),
            ..Container::default()
        }),
        "log/emit" => Entry::Lazy(|bridge, args| {
            let level = level(&args.next::<EnumCase>()?.0);
            bridge.log(level, &args.next::<String>()?);
            Ok(Value::unit())
        }),
        "effects/export-directory" => leaf!(bridge, args => {
            let (tree, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
            export(bridge, &tree.selection, &path).await?
        }),
        "effects/export-file" => leaf!(bridge, args => {
            let (file, path) = (args.next::<Arc<File>>()?, args.next::<String>()?);
            export(bridge, &file.selection, &path).await?
        }),
        "effects/export-container" => leaf!(bridge, args => {
            let (image, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            export(bridge, &image.as_tarball().selection, &path).await?
        }),
        "effects/publish" => leaf!(bridge, args => {
            let (image, reference) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let username = args.next::<Option<String>>()?;
            let login = login(username, args.next::<Option<Arc<Secret>>>()?)?;
            let packed = image.packed(PackForm::Layout);
            bridge.backend().publish(&packed.edge, &ImageTarget::Registry { reference, login }).await?
        }),
        "effects/load" => leaf!(bridge, args => {
            let (image, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            let packed = image.packed(PackForm::Archive);
            bridge.backend().publish(&packed.edge, &ImageTarget::Docker { name }).await?
        }),
        "secret-access/plaintext" => leaf!(bridge, args => bridge.plaintext(&args.next::<Arc<Secret>>()?.name)?),
        _ => return None,
    })
}

fn level(case: &str) -> LogLevel {
    match case {
        "debug" => LogLevel::Debug,
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
        _ => LogLevel::Info,
    }
}

fn login(username: Option<String>, password: Option<Arc<Secret>>) -> Result<Option<Login>, Failure> {
    match (username, password) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(Login { username, password: password.name.clone() })),
        (Some(_), None) | (None, Some(_)) => Err(Failure::invalid(
            FailureCode::InvalidArgument,
            "a registry takes a user name together with a password, and got only one of them",
        )),
    }
}

async fn export(bridge: &dyn Bridge, selection: &Selection, path: &str) -> Result<String, Failure> {
    let target = bridge.export_target(path)?;
    let snapshot = solve(bridge, &selection.edge).await?;
    bridge.backend().export(&snapshot, &selection.path, &target).await?;
    Ok(target.display().to_string())
}
