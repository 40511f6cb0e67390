//! The rows of the interfaces `machine`, `log`, `effects` and `secret-access`.

use std::sync::Arc;

use engine::{Failure, FailureCode, ImageTarget, Login};
use graph::{Op, PackForm, Selection, SourceOp};

use super::file::solve;
use super::row::{Kind, Row, lazy, leaf};
use crate::args::EnumCase;
use crate::bridge::{Bridge, LogLevel};
use crate::container::Container;
use crate::directory::Directory;
use crate::file::File;
use crate::resources::Secret;
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    lazy!("machine/rootfs", Container, _args => Container {
        rootfs: Selection::of(Op::Source(SourceOp::Machine), Vec::new()),
        ..Container::default()
    })
    .with_stage_env(),
    Row::new(
        "log/emit",
        None,
        Kind::Lazy(|bridge, args| {
            let level = level(&args.next::<EnumCase>()?.0);
            bridge.log(level, &args.next::<String>()?);
            Ok(Value::unit())
        }),
    ),
    leaf!("effects/export-directory", bridge, args => {
        let (tree, path) = (args.next::<Arc<Directory>>()?, args.next::<String>()?);
        export(bridge, &tree.selection, &path).await?
    }),
    leaf!("effects/export-file", bridge, args => {
        let (file, path) = (args.next::<Arc<File>>()?, args.next::<String>()?);
        export(bridge, &file.selection, &path).await?
    }),
    leaf!("effects/export-container", bridge, args => {
        let (image, path) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        export(bridge, &image.as_tarball().selection, &path).await?
    }),
    leaf!("effects/publish", bridge, args => {
        let (image, reference) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let username = args.next::<Option<String>>()?;
        let login = login(username, args.next::<Option<Arc<Secret>>>()?)?;
        let packed = image.packed(PackForm::Layout);
        bridge.begin_effect()?;
        bridge.engine().publish(&packed.edge, &ImageTarget::Registry { reference, login }).await?
    }),
    leaf!("effects/load", bridge, args => {
        let (image, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        let packed = image.packed(PackForm::Archive);
        bridge.begin_effect()?;
        bridge.engine().publish(&packed.edge, &ImageTarget::Docker { name }).await?
    }),
    leaf!("secret-access/plaintext", bridge, args => bridge.plaintext(&args.next::<Arc<Secret>>()?.name)?),
];

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
    bridge.begin_effect()?;
    bridge.engine().export(&snapshot, &selection.path, &target).await?;
    Ok(target.display().to_string())
}
