//! How help looks: colours, sections and examples.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::builder::styling::{AnsiColor, Style, Styles};

const HEADER: Style = AnsiColor::Green.on_default().bold();
const LITERAL: Style = AnsiColor::Cyan.on_default().bold();

/// The longest line of help.
pub(crate) const MAX_WIDTH: usize = 100;

/// The colours of help: those of cargo, which users of Rust know. Without colours only the text is left.
pub(crate) const STYLES: Styles = Styles::styled()
    .header(HEADER)
    .usage(HEADER)
    .literal(LITERAL)
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold())
    .valid(LITERAL)
    .invalid(AnsiColor::Yellow.on_default().bold());

/// Returns the help text of a command that stands between its usage and its options.
pub(crate) fn about(text: &str) -> StyledStr {
    // clap puts an empty line behind it.
    StyledStr::from(text.to_owned())
}

/// Returns a section that shows command lines, each with what it does.
pub(crate) fn examples(examples: &[(&str, &str)]) -> StyledStr {
    let mut text = heading(if examples.len() == 1 { "Example" } else { "Examples" });
    for (line, what) in examples {
        let _ = write!(text, "\n  {LITERAL}{line}{LITERAL:#}\n      {what}");
    }
    text.into()
}

/// Returns a section of items, each with a text in a second column.
pub(crate) fn section(title: &str, items: &[(String, String)]) -> String {
    let width = items.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let mut text = heading(title);
    for (name, what) in items {
        let padding = " ".repeat(width - name.chars().count());
        let indent = format!("\n{}", " ".repeat(width + 4));
        let what = wrapped(what, MAX_WIDTH.saturating_sub(width + 4)).join(&indent);
        let line = format!("\n  {LITERAL}{name}{LITERAL:#}{padding}  {what}");
        text.push_str(line.trim_end());
    }
    text
}

/// Splits a text into lines that are no longer than `width`, unless a word is.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < width) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn heading(title: &str) -> String {
    format!("{HEADER}{title}:{HEADER:#}")
}
