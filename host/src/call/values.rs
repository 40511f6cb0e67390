//! Text as values of WIT types; the rules are those of room `api`.

pub(super) use api::json::{case_of, character, kebab, number};
