//! `machine`, `log`, `effects` and `secret-access`.

use std::sync::Arc;

use graph::{Op, Selection, SourceOp};

use super::file::solve;
use super::{Function, lazy, leaf};
use crate::args::EnumCase;
use crate::bridge::{Bridge, LogLevel};
use crate::container::Container;
use crate::directory::Directory;
use crate::file::File;
use crate::object::Secret;
use crate::value::Value;

pub(super) fn find(method: &str) -> Option<Function> {
    Some(match method {
        "machine/rootfs" => lazy!(_args => Container {
            rootfs: Selection::of(Op::Source(SourceOp::Machine), Vec::new()),
            ..Container::default()
        }),
        "log/emit" => Function::Lazy(|bridge, args| {
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

async fn export(bridge: &dyn Bridge, selection: &Selection, path: &str) -> Result<String, backend::Failure> {
    let target = bridge.export_target(path)?;
    let snapshot = solve(bridge, &selection.edge).await?;
    bridge.backend().export(&snapshot, &selection.path, &target).await?;
    Ok(target.display().to_string())
}
