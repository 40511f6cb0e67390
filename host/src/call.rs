//! From the words after `host call STAGE` to what is called with which values.
//!
//! All of it is decided before anything runs: types are known from the component and from the WIT
//! package `pipeline:api`, so a mistake in the last method of a chain costs nothing.

mod csv;
mod flags;
mod given;
mod help;
mod images;
mod json;
mod places;
mod plan;
mod reader;
mod shapes;
mod stages;
mod values;

pub(crate) use flags::stage_usage;
pub(crate) use given::give_args;
pub(crate) use help::{docs_of, stage_help};
pub(crate) use images::place as image_place;
pub(crate) use places::Places;
pub(crate) use plan::{Asked, Callee, Plan, find_stage, unwrapped};
pub(crate) use stages::{Linked, LocalSource, link, link_text, local_sources};
