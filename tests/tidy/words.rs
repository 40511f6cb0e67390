//! Comments and documentation that tell a reader something.

use super::{files, none, read, shown};

#[test]
fn documentation_is_more_than_two_words() {
    let mut wrong = Vec::new();
    for path in &files(".rs") {
        let text = read(path);
        let found = short_paragraphs(&text).into_iter();
        wrong.extend(found.map(|(line, text)| format!("{}:{line}: {text}", shown(path))));
    }
    none(wrong);
}

/// Returns the paragraphs of documentation that have one or two words, with the number of their lines.
fn short_paragraphs(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<Option<&str>> = text
        .lines()
        .map(|line| {
            let line = line.trim_start();
            line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).map(str::trim)
        })
        .collect();
    let is_end = |line: Option<&Option<&str>>| line.is_none_or(|line| line.is_none_or(str::is_empty));
    let mut is_code = false;
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(line) = *line else {
            is_code = false;
            continue;
        };
        is_code ^= line.starts_with("```");
        let is_alone = is_end(at.checked_sub(1).and_then(|before| lines.get(before))) && is_end(lines.get(at + 1));
        let is_text = !is_code && !line.is_empty() && !line.starts_with(['#', '`', '|', '-', '*', '<']);
        let is_text = is_text && !line.starts_with("Source:");
        if is_alone && is_text && line.split_whitespace().count() <= 2 {
            found.push((at + 1, line));
        }
    }
    found
}

#[test]
fn a_short_paragraph_is_found_and_headings_and_code_are_not() {
    let text = "/// The name.\nname: u8,\n/// Returns the name of a\n/// user.\n///\n/// # Errors\n/// If it fails.\n///\n/// Or so.\n\
                /// ```\n///\n/// f();\n///\n/// ```\n";
    assert_eq!(short_paragraphs(text), [(1, "The name.")]);
    assert_eq!(short_paragraphs("//! Sizes.\n\nuse x;\n"), [(1, "Sizes.")]);
}

#[test]
fn no_comment_cites_what_a_reader_does_not_have() {
    // The names are put together here, so that this file does not have them.
    let papers = [
        ["ora", "cle 0"].concat(),
        ["ora", "cle 1"].concat(),
        ["ora", "cle says"].concat(),
        ["recorded", " answer"].concat(),
        ["house", "-style"].concat(),
        ["review", "-1"].concat(),
        ["DESIGN", ".md"].concat(),
    ];
    let sections = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"].map(|section| format!("semantics {section}."));
    let mut wrong = Vec::new();
    for path in [".rs", ".md", ".toml", ".wit", ".py", ".js", ".sh"].into_iter().flat_map(files) {
        for (at, line) in read(&path).lines().enumerate() {
            if papers.iter().chain(&sections).any(|paper| line.contains(paper.as_str())) {
                wrong.push(format!("{}:{}: {}", shown(&path), at + 1, line.trim()));
            }
        }
    }
    none(wrong);
}
