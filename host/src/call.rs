//! Turns the words after `host call STAGE` into a stage, methods, and their arguments.
//!
//! Everything is decided before anything runs: the types are known from the component and from the WIT package
//! `pipeline:api`, so that a mistake in the last method of a chain costs nothing.
//!
//! `flags` knows the parameters of a stage or a method, `line` has clap parse the words for them, `reader` makes values
//! of the texts, and `plan` goes from one method to the next.

mod candidates;
mod feeding;
mod flags;
mod given;
mod help;
mod images;
mod json;
mod line;
mod make;
mod places;
mod plan;
mod reader;
mod shapes;
mod stages;
mod values;

pub(crate) use candidates::completed_stages;
pub(crate) use flags::stage_usage;
pub(crate) use given::give_args;
pub(crate) use help::{docs_of, stage_help};
pub(crate) use images::place as image_place;
pub(crate) use places::Places;
pub(crate) use plan::{Asked, Callee, Plan, find_stage, is_method};
pub(crate) use shapes::unwrapped;
pub(crate) use stages::{Linked, LocalSource, link, local_sources};
