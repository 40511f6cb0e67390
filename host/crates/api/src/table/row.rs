//! A row of the table.

use engine::Failure;
use futures::future::BoxFuture;

use crate::args::{Args, ArgumentError};
use crate::bridge::Bridge;
use crate::value::Value;

/// The answer of a function that evaluates.
pub type LeafFuture<'a> = BoxFuture<'a, Result<Value, Failure>>;

/// Makes a value out of values.
pub(crate) type LazyFn = fn(&dyn Bridge, &mut Args) -> Result<Value, ArgumentError>;

/// Asks the engine.
pub(crate) type LeafFn = for<'a> fn(&'a dyn Bridge, Args) -> LeafFuture<'a>;

/// A function of the WIT package, with all that is known of it.
pub(crate) struct Row {
    /// The resource and the method, as in `container.with-exec`, or the interface and the function, as in
    /// `machine/rootfs`. The method of a constructor is `new`.
    pub(crate) method: &'static str,
    /// The work, and the time at which it is done.
    pub(crate) kind: Kind,
    /// The resource that a lazy function makes; none if it answers with another value.
    pub(crate) makes: Option<&'static str>,
    /// The name of the file or the directory that it makes, before it is made.
    pub(crate) name: NameOf,
    /// The answer for an object that is not made yet, of a lazy function that makes no object.
    pub(crate) answer: Option<Answer>,
    /// Whether the container that it makes gets the variables of the calling stage.
    pub(crate) takes_stage_env: bool,
    /// Whether it adds a command, whose origin is the calling function.
    pub(crate) runs_command: bool,
}

/// The work of a function, and the time at which it is done.
pub(crate) enum Kind {
    /// Makes a value out of values, at once.
    Lazy(LazyFn),
    /// Returns at once; asks the engine for the object when something needs it.
    Later(LeafFn),
    /// Evaluates, while the caller waits.
    Leaf(LeafFn),
}

/// The name of a file or a directory that is not made yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameOf {
    /// The name of the object that the method is called on.
    Unchanged,
    /// The last component of the path, which is the first argument.
    LastOfPath,
    /// The same with a `/` behind it, as directories have it.
    LastOfPathAndSlash,
    /// The name of the archive of an image.
    Archive,
}

/// The answer of a function that is called on an object that is not made yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The id of the object.
    Id,
    /// The name of the object.
    Name,
    /// Nothing: the object is begun in the background.
    Start,
}

impl Row {
    pub(crate) const fn new(method: &'static str, makes: Option<&'static str>, kind: Kind) -> Self {
        let (name, answer) = (NameOf::Unchanged, None);
        Self { method, kind, makes, name, answer, takes_stage_env: false, runs_command: false }
    }

    pub(crate) const fn named(self, name: NameOf) -> Self {
        Self { name, ..self }
    }

    pub(crate) const fn answers(self, answer: Answer) -> Self {
        Self { answer: Some(answer), ..self }
    }

    pub(crate) const fn with_stage_env(self) -> Self {
        Self { takes_stage_env: true, ..self }
    }

    pub(crate) const fn runs_command(self) -> Self {
        Self { runs_command: true, ..self }
    }
}

/// Makes the row of a lazy function: `lazy!("directory.new", Directory, args => expression)`, or without a type if it
/// makes no object. The compiler checks that the expression is of that type.
macro_rules! lazy {
    ($method:literal, $type:ident, $args:ident => $body:expr) => {
        $crate::table::row::Row::new(
            $method,
            Some(<$type as $crate::value::Resource>::NAME),
            $crate::table::row::Kind::Lazy(|_, $args| {
                let made: $type = $body;
                Ok($crate::value::Value::from(made))
            }),
        )
    };
    ($method:literal, $args:ident => $body:expr) => {
        $crate::table::row::Row::new(
            $method,
            None,
            $crate::table::row::Kind::Lazy(|_, $args| Ok($crate::value::Value::from($body))),
        )
    };
}

/// Makes the row of a function that evaluates; its body may use `?` on failures.
macro_rules! leaf {
    ($method:literal, $bridge:ident, $args:ident => $body:expr) => {
        $crate::table::row::Row::new(
            $method,
            None,
            $crate::table::row::Kind::Leaf(|$bridge, mut $args| {
                Box::pin(async move {
                    #[allow(unused_mut, clippy::allow_attributes_without_reason)]
                    let $args = &mut $args;
                    Ok($crate::value::Value::from($body))
                })
            }),
        )
    };
}

/// Makes the row of a lazy function whose object is made by asking the engine, written like one that evaluates.
macro_rules! later {
    ($method:literal, $type:ident, $bridge:ident, $args:ident => $body:expr) => {
        $crate::table::row::Row::new(
            $method,
            Some(<$type as $crate::value::Resource>::NAME),
            $crate::table::row::Kind::Later(|$bridge, mut $args| {
                Box::pin(async move {
                    let $args = &mut $args;
                    let made: $type = $body;
                    Ok($crate::value::Value::from(made))
                })
            }),
        )
    };
}

pub(crate) use {later, lazy, leaf};
