//! The formats of drawings.

use std::path::Path;

use module::suggestion;
use pipeline::Drawing;

use crate::report::{Report, Result};

/// The format of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Dot,
    Mermaid,
    Svg,
    Json,
}

pub(super) const NAMES: &[&str] = &["dot", "mermaid", "svg", "json"];

impl Format {
    /// Returns the format of this name; without a name the format of the file's ending; without both mermaid.
    pub(super) fn choose(name: Option<&str>, output: Option<&Path>) -> Result<Self> {
        if let Some(name) = name {
            return Self::of(name).ok_or_else(|| {
                Report::usage(format!("option `--format` takes one of {}, not `{name}`", NAMES.join(", ")))
            });
        }
        let Some(path) = output else { return Ok(Self::Mermaid) };
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        Self::of(ending).ok_or_else(|| {
            let message = format!("the ending of `{}` names no format", path.display());
            Report::usage(message).with_hint(suggestion(ending, NAMES, "formats"))
        })
    }

    /// Returns the format of a name, or of an ending.
    fn of(name: &str) -> Option<Self> {
        match name {
            "dot" | "gv" => Some(Self::Dot),
            "mermaid" | "mmd" => Some(Self::Mermaid),
            "svg" => Some(Self::Svg),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    pub(super) fn draw(self, drawing: &Drawing) -> String {
        match self {
            Self::Dot => pipeline::dot(drawing),
            Self::Mermaid => pipeline::mermaid(drawing),
            Self::Svg => pipeline::svg(drawing),
            Self::Json => pipeline::json(drawing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: Option<&str>, output: Option<&str>, expect: Result<Format, &str>) {
        let chosen = Format::choose(name, output.map(Path::new));
        assert_eq!(chosen.as_ref().map_err(Report::message), expect.as_ref().map_err(|message| *message));
    }

    #[test]
    fn a_format_is_named_or_taken_from_the_ending() {
        check(None, None, Ok(Format::Mermaid));
        check(Some("dot"), Some("a.svg"), Ok(Format::Dot));
        check(None, Some("a/b.svg"), Ok(Format::Svg));
        check(None, Some("b.mmd"), Ok(Format::Mermaid));
        check(None, Some("b"), Err("the ending of `b` names no format"));
        check(Some("png"), None, Err("option `--format` takes one of dot, mermaid, svg, json, not `png`"));
    }
}
