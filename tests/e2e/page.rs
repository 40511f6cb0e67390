//! Pages of the documentation whose commands are run.

use std::fs;

use testkit::root;

/// A fenced block: the text after the fence, and the contents.
pub(crate) struct Block {
    pub(crate) info: String,
    pub(crate) body: String,
}

/// Returns the fenced blocks of a page, which is named by its path in the repository.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let body = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { info: info.to_owned(), body });
        }
    }
    blocks
}
