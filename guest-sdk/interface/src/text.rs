//! Text with indentation.

/// Text that grows line by line, with indentation.
#[derive(Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    depth: usize,
}

impl Text {
    pub(crate) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text.push_str(&"    ".repeat(self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    pub(crate) fn docs(&mut self, lines: &[String]) {
        for line in lines {
            self.line(format!("/// {line}").trim_end());
        }
    }

    pub(crate) fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    pub(crate) fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// Adds an empty line, except at the beginning of a block.
    pub(crate) fn gap(&mut self) {
        if !self.text.ends_with("{\n") {
            self.line("");
        }
    }
}
