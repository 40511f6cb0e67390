//! The methods that change what a container is configured to be.

use std::sync::Arc;

use graph::TreePath;

use super::super::{Entry, lazy};
use crate::args::{EnumCase, List};
use crate::container::{Config, Container, Port};
use crate::directory::Directory;
use crate::object::Secret;

/// Makes a method that changes a copy of the configuration.
macro_rules! set {
    (|$config:ident $(, $arg:ident: $type:ty)*| $body:expr) => {
        lazy!(args => {
            let this = args.next::<Arc<Container>>()?;
            $(let $arg = args.next::<$type>()?;)*
            this.with_config(|$config: &mut Config| { $body; })
        })
    };
}

pub(super) fn find(method: &str) -> Option<Entry> {
    Some(match method {
        "container.new" => lazy!(_args => Container::default()),
        "container.with-platform" => {
            lazy!(args => args.next::<Arc<Container>>()?.with_platform(&args.next::<String>()?))
        }
        "container.with-rootfs" => {
            lazy!(args => args.next::<Arc<Container>>()?.with_rootfs(&*args.next::<Arc<Directory>>()?))
        }
        "container.with-env-variable" => lazy!(args => {
            let (this, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_env_variable(&name, &args.next::<String>()?)
        }),
        "container.with-env-variable-expanded" => lazy!(args => {
            let (this, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_env_variable_expanded(&name, &args.next::<String>()?)
        }),
        "container.without-env-variable" => set!(|c, name: String| c.env.retain(|(other, _)| *other != name)),
        "container.with-secret-variable" => lazy!(args => {
            let (this, name) = (args.next::<Arc<Container>>()?, args.next::<String>()?);
            this.with_secret_variable(&name, &args.next::<Arc<Secret>>()?.name)
        }),
        "container.without-secret-variable" => {
            set!(|c, name: String| c.secret_env.retain(|(other, _)| *other != name))
        }
        "container.with-workdir" => lazy!(args => args.next::<Arc<Container>>()?.with_workdir(&args.next::<String>()?)),
        "container.without-workdir" => set!(|c| c.workdir = TreePath::root()),
        "container.with-user" => set!(|c, user: String| c.user = Some(user).filter(|user| !user.is_empty())),
        "container.without-user" => set!(|c| c.user = None),
        "container.with-entrypoint" => set!(|c, args: List<String>| {
            c.entrypoint = args.0;
            c.default_args.clear();
        }),
        "container.without-entrypoint" => set!(|c| {
            c.entrypoint.clear();
            c.default_args.clear();
        }),
        "container.with-default-args" => set!(|c, args: List<String>| c.default_args = args.0),
        "container.without-default-args" => set!(|c| c.default_args.clear()),
        "container.with-label" => set!(|c, name: String, value: String| drop(c.labels.insert(name, value))),
        "container.without-label" => set!(|c, name: String| drop(c.labels.remove(&name))),
        "container.with-annotation" => set!(|c, name: String, value: String| drop(c.annotations.insert(name, value))),
        "container.without-annotation" => set!(|c, name: String| drop(c.annotations.remove(&name))),
        "container.with-exposed-port" => {
            set!(|c, number: u16, protocol: EnumCase| { c.ports.insert(Port { number, protocol: protocol.0 }) })
        }
        "container.without-exposed-port" => {
            set!(|c, number: u16, protocol: EnumCase| { c.ports.remove(&Port { number, protocol: protocol.0 }) })
        }
        _ => return None,
    })
}
