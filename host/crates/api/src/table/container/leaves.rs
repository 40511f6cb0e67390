//! The methods that read from a container.

use std::sync::Arc;

use engine::{ExecResult, Failure, FailureCode, OutputRef};
use graph::Pairs;

use super::super::directory::exists;
use super::super::file::solve;
use super::super::row::{Answer, Kind, Row, lazy, leaf};
use crate::args::Args;
use crate::bridge::Bridge;
use crate::container::{Container, Port};
use crate::value::{Object, Value};

pub(super) const OUTPUTS: &[Row] = &[
    leaf!("container.stdout", bridge, args =>
        output(bridge, &*args.next::<Arc<Container>>()?, "standard output", |exec| &exec.stdout).await?
    ),
    leaf!("container.stderr", bridge, args =>
        output(bridge, &*args.next::<Arc<Container>>()?, "standard error", |exec| &exec.stderr).await?
    ),
    leaf!("container.combined-output", bridge, args =>
        output(bridge, &*args.next::<Arc<Container>>()?, "output", |exec| &exec.combined).await?
    ),
    leaf!("container.exit-code", bridge, args => last_exec(bridge, &*args.next::<Arc<Container>>()?).await?.exit_code),
    leaf!("container.exists", bridge, args => {
        let this = args.next::<Arc<Container>>()?;
        let selection = this.directory(&args.next::<String>()?).selection;
        exists(bridge, &solve(bridge, &selection.edge).await?, &selection.path).await?
    }),
    leaf!("container.sync", bridge, args => {
        bridge.engine().solve(&args.next::<Arc<Container>>()?.edges()).await?;
    }),
    Row::new(
        "container.start",
        None,
        Kind::Lazy(|bridge, args| {
            bridge.start(Object::Container(args.next()?));
            Ok(Value::unit())
        }),
    )
    .answers(Answer::Start),
];

async fn last_exec(bridge: &dyn Bridge, this: &Container) -> Result<Arc<ExecResult>, Failure> {
    if let Some(edge) = &this.last_exec {
        let mut solved = bridge.engine().solve(std::slice::from_ref(edge)).await?;
        return solved
            .pop()
            .and_then(|solved| solved.exec)
            .ok_or_else(|| Failure::bug("a command that was run left no result"));
    }
    // The caller needs to hear of the mistake in the chain, not of the missing command.
    if this.failure().is_some() {
        solve(bridge, &this.rootfs.edge).await?;
    }
    Err(Failure::invalid(FailureCode::NoExec, "no command has been run in this container: call `with-exec` first"))
}

async fn output(
    bridge: &dyn Bridge,
    this: &Container,
    what: &str,
    pick: fn(&ExecResult) -> &OutputRef,
) -> Result<String, Failure> {
    let exec = last_exec(bridge, this).await?;
    let bytes = bridge.engine().output(pick(&exec)).await?;
    String::from_utf8(bytes).map_err(|_| {
        let message = format!("the {what} of the command is not UTF-8: redirect it to a file and use `read`");
        Failure::invalid(FailureCode::InvalidArgument, message)
    })
}

/// Methods that read the configuration evaluate nothing: the configuration is known, or the chain has a mistake.
pub(super) const CONFIG: &[Row] = &[
    lazy!("container.id", args => args.next::<Arc<Container>>()?.id()).answers(Answer::Id),
    leaf!("container.env-variable", _bridge, args => {
        let (this, name) = (sound(args)?, args.next::<String>()?);
        this.config.env.get(&name).map(str::to_owned)
    }),
    leaf!("container.env-variables", _bridge, args => Value::pairs(sound(args)?.config.env.to_vec())),
    leaf!("container.entrypoint", _bridge, args => sound(args)?.config.entrypoint.to_vec()),
    leaf!("container.default-args", _bridge, args => sound(args)?.config.default_args.to_vec()),
    leaf!("container.user", _bridge, args => sound(args)?.config.user.clone().unwrap_or_default()),
    leaf!("container.workdir", _bridge, args => sound(args)?.config.workdir.to_absolute()),
    leaf!("container.platform", _bridge, args => sound(args)?.platform.to_string()),
    leaf!("container.label", _bridge, args => {
        let this = sound(args)?;
        this.config.labels.get(&args.next::<String>()?).map(str::to_owned)
    }),
    leaf!("container.labels", _bridge, args => sorted(&sound(args)?.config.labels)),
    leaf!("container.annotations", _bridge, args => sorted(&sound(args)?.config.annotations)),
    leaf!("container.exposed-ports", _bridge, args => {
        Value::List(sound(args)?.ports().into_iter().map(port_value).collect())
    }),
    leaf!("container.mounts", _bridge, args => {
        let this = sound(args)?;
        this.mounts.iter().map(|mount| mount.path.to_absolute()).collect::<Vec<_>>()
    }),
    leaf!("container.image-ref", _bridge, args => {
        let this = sound(args)?;
        let message = "this container is not an image as it was pulled, so that it has no reference";
        let missing = || Failure::invalid(FailureCode::InvalidArgument, message);
        this.image_ref().map(str::to_owned).ok_or_else(missing)?
    }),
];

/// Takes a container, unless its chain has a mistake: then its configuration is not the one that was asked for.
fn sound(args: &mut Args) -> Result<Arc<Container>, Failure> {
    let this = args.next::<Arc<Container>>()?;
    match this.failure() {
        None => Ok(this),
        Some(fail) => {
            let code = FailureCode::parse(&fail.code).unwrap_or(FailureCode::Custom);
            Err(Failure::invalid(code, &fail.message))
        }
    }
}

fn sorted(pairs: &Pairs) -> Value {
    Value::pairs(pairs.sorted().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
}

fn port_value(port: Port) -> Value {
    Value::Record(vec![
        ("number".to_owned(), Value::U16(port.number)),
        ("protocol".to_owned(), Value::Enum(port.protocol)),
    ])
}
