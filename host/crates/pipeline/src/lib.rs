//! The graph of a pipeline's stages. It says which stage feeds which before anything runs.
//!
//! [`StageGraph::new`] links the functions of a [`Library`] as a manifest says. The value of a parameter comes from
//! the first of these sources:
//!
//! 1. a flag of the caller ([`StageGraph::give`])
//! 2. `args` of the manifest: a value, or a part of what another stage makes
//! 3. the stage that has the parameter's name and makes its type
//! 4. `defaults` of the manifest
//! 5. nothing, if the type allows that ([`omitted`])
//!
//! A mistake in the manifest is an error at once, with its position. A missing value and stages that need each other
//! are errors only when such a stage is asked for ([`StageGraph::order`]): a flag may still give a value.
//!
//! This crate is pure. The [`Literals`] decide which directory or secret a text means.

mod draw;
mod error;
mod expression;
mod graph;
mod junit;
mod library;
mod link;
mod order;
mod report;
#[cfg(test)]
mod tests;

pub use draw::{Drawing, Edge, Node, NodeKind, dot, json, mermaid, svg};
pub use error::{LinkError, LinkProblem, MissingParam};
pub use graph::{How, Input, Link, LinkStep, Method, Param, Source, Stage, StageBody, StageGraph, StageId};
pub use junit::{CaseOutcome, Suite, SuiteCase, junit};
pub use library::{Library, LiteralContext, Literals, ModuleTypes, made_by, omitted};
pub use report::{Case, CaseReport, CaseVerdict, is_report};
