//! Text as values of WIT types.

pub(super) use api::json::{case_of, character, kebab, number};
