//! A module with custom objects.

use guest_sdk::prelude::*;

/// Finds lines that are too long.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Checks texts at a chosen level of strictness.
    #[derive(Object)]
    pub struct Linter {
        level: u32,
    }

    impl Linter {
        /// Returns a linter.
        pub fn new(
            /// The level of strictness; the default is 1.
            level: Option<u32>,
        ) -> Self {
            Self { level: level.unwrap_or(1) }
        }

        /// Returns a linter with another level.
        pub fn with_level(&self, level: u32) -> Self {
            Self { level }
        }

        /// Returns the level.
        pub fn level(&self) -> u32 {
            self.level
        }

        /// Returns a text if the level is at least 1, and fails otherwise.
        pub fn check(&self) -> Result<String> {
            ensure!(self.level > 0, "a linter of level 0 checks nothing");
            Ok(format!("checked at level {}", self.level))
        }

        /// Returns the lines of the file that are longer than 80 characters, less ten for each level.
        pub fn long_lines(&self, src: &Directory, path: &str) -> Result<Vec<String>> {
            let most = 80_u32.saturating_sub(10 * self.level) as usize;
            let contents = src.file(path).contents()?;
            Ok(contents.lines().filter(|line| line.len() > most).map(str::to_owned).collect())
        }

        /// Returns the stricter of the two linters.
        pub fn stricter(&self, other: &Self) -> Self {
            Self { level: self.level.max(other.level) }
        }

        /// Returns the strictest linter.
        pub fn strictest() -> Self {
            Self { level: 9 }
        }
    }

    /// A result of a linter.
    #[derive(Record)]
    pub struct Finding {
        /// The path of the file.
        pub path: String,
        /// The number of lines that are too long.
        pub n_lines: u32,
    }

    /// Returns a description of the linter.
    pub fn describe(linter: &Linter) -> String {
        format!("a linter of level {}", linter.level())
    }

    /// Returns one linter for each level.
    pub fn each(levels: Vec<u32>) -> Vec<Linter> {
        levels.into_iter().map(|level| Linter { level }).collect()
    }

    /// Returns the sum of the levels of the borrowed and of the owned linters.
    pub fn sum(lent: &[&Linter], more: Option<&Linter>, owned: Vec<Linter>) -> u32 {
        lent.iter().copied().chain(more).chain(&owned).map(Linter::level).sum()
    }

    /// Returns a linter with this level.
    pub fn strict(level: u32) -> Result<Linter> {
        ensure!(level <= 9, "there is no level {level}: 9 is the highest");
        Ok(Linter { level })
    }

    /// Finds long lines in all text files.
    pub fn find(src: &Directory, linter: &Linter) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for path in src.glob("**/*.txt")? {
            let n_lines = linter.long_lines(src, &path)?.len().try_into()?;
            findings.push(Finding { path, n_lines });
        }
        Ok(findings)
    }

    /// Removes the files that a linter with this level does not check.
    pub fn filtered(src: Directory, linter: &Linter) -> Directory {
        match linter.level() {
            0 => Directory::new(),
            _ => src.without_file("bad.txt"),
        }
    }

    /// Returns sources with one file that is correct and one that is not.
    pub fn sources() -> Directory {
        Directory::new().with_new_file("good.txt", "short\n").with_new_file("bad.txt", "long ".repeat(20))
    }

    /// Counts the text files in a directory.
    pub fn check(src: &Directory) -> Result<Report> {
        let mut report = Report::new("text files");
        for path in src.glob("**/*.txt")? {
            let n_bytes = src.file(&path).size()?;
            report = report.with_case(match n_bytes {
                0 => TestCase::skipped(path, "it is empty"),
                1..100 => TestCase::passed(path),
                _ => TestCase::failed(path, format!("{n_bytes} bytes")),
            });
        }
        Ok(report)
    }
}
