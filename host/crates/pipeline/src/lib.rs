//! The graph of a pipeline's stages: which stage feeds which, before anything runs.
//!
//! [`StageGraph::new`] links what a [`Library`] of functions has and what a manifest says of them.
//! For the value of a parameter it takes the first of these:
//!
//! 1. a flag of the caller ([`StageGraph::give`])
//! 2. `args` of the manifest: a value, or a part of what another stage makes
//! 3. the stage that has the parameter's name and makes its type
//! 4. `defaults` of the manifest
//! 5. nothing, where the type allows that ([`omitted`])
//!
//! What a manifest says wrongly is an error at once, with its place. That a value is missing, or
//! that stages need each other, is one when such a stage is asked for ([`StageGraph::order`]):
//! flags may still give what is missing.
//!
//! This room is pure: what text means as a directory or a secret is up to the [`Literals`].

mod draw;
mod error;
mod expression;
mod graph;
mod library;
mod link;
mod order;
#[cfg(test)]
mod tests;

pub use draw::{Drawing, Edge, Node, NodeKind, dot, json, mermaid, svg};
pub use error::{LinkError, LinkProblem, MissingParam};
pub use graph::{How, Link, LinkStep, Method, Param, Source, Stage, StageGraph, StageId, Work};
pub use library::{Library, LiteralContext, Literals, ModuleTypes, made_by, omitted};
