//! The methods that change the configuration of a container.

use std::sync::Arc;

use graph::TreePath;

use super::super::row::{Row, lazy};
use crate::args::{EnumCase, List};
use crate::container::{Config, Container, Port};
use crate::directory::Directory;
use crate::resources::Secret;

/// Makes a method that changes a copy of the configuration.
macro_rules! set {
    ($method:literal, |$config:ident $(, $arg:ident: $type:ty)*| $body:expr) => {
        lazy!($method, Container, args => {
            let this = args.next::<Arc<Container>>()?;
            $(let $arg = args.next::<$type>()?;)*
            this.with_config(|$config: &mut Config| { $body; })
        })
    };
}

pub(super) const ROWS: &[Row] = &[
    lazy!("container.new", Container, _args => Container::default()).with_stage_env(),
    lazy!("container.with-platform", Container, args =>
        args.next::<Arc<Container>>()?.with_platform(&args.next::<String>()?)
    ),
    lazy!("container.with-rootfs", Container, args =>
        args.next::<Arc<Container>>()?.with_rootfs(&*args.next::<Arc<Directory>>()?)
    ),
    lazy!("container.with-env-variable", Container, args => {
        let (this, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_env_variable(&name, &args.next::<String>()?)
    }),
    lazy!("container.with-env-variable-expanded", Container, args => {
        let (this, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_env_variable_expanded(&name, &args.next::<String>()?)
    }),
    set!("container.without-env-variable", |c, name: String| c.env.remove(&name)),
    lazy!("container.with-secret-variable", Container, args => {
        let (this, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_secret_variable(&name, &args.next::<Arc<Secret>>()?.name)
    }),
    set!("container.without-secret-variable", |c, name: String| c.forget_secret(&name)),
    lazy!("container.with-volatile-variable", Container, args => {
        let (this, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
        this.with_volatile_variable(&name, &args.next::<String>()?)
    }),
    set!("container.without-volatile-variable", |c, name: String| c.volatile_env.remove(&name)),
    lazy!("container.with-workdir", Container, args =>
        args.next::<Arc<Container>>()?.with_workdir(&args.next::<String>()?)
    ),
    set!("container.without-workdir", |c| c.workdir = TreePath::root()),
    set!("container.with-user", |c, user: String| c.user = Some(user).filter(|user| !user.is_empty())),
    set!("container.without-user", |c| c.user = None),
    set!("container.with-entrypoint", |c, args: List<String>| {
        c.entrypoint = args.0.into();
        c.default_args = Arc::default();
    }),
    set!("container.without-entrypoint", |c| {
        c.entrypoint = Arc::default();
        c.default_args = Arc::default();
    }),
    set!("container.with-default-args", |c, args: List<String>| c.default_args = args.0.into()),
    set!("container.without-default-args", |c| c.default_args = Arc::default()),
    set!("container.with-label", |c, name: String, value: String| c.labels.set(name, value)),
    set!("container.without-label", |c, name: String| c.labels.remove(&name)),
    set!("container.with-annotation", |c, name: String, value: String| c.annotations.set(name, value)),
    set!("container.without-annotation", |c, name: String| c.annotations.remove(&name)),
    set!("container.with-exposed-port", |c, number: u16, protocol: EnumCase| {
        Arc::make_mut(&mut c.ports).insert(Port { number, protocol: protocol.0 })
    }),
    set!("container.without-exposed-port", |c, number: u16, protocol: EnumCase| {
        Arc::make_mut(&mut c.ports).remove(&Port { number, protocol: protocol.0 })
    }),
];
