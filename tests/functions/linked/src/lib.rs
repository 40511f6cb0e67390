//! Stages that feed each other by name, and that use a dependency.

use guest_sdk::prelude::*;

guest_sdk::import!(objects);

use objects::Linter;

/// Builds, tests and packs a tree, and checks it with a dependency.
///
/// `build`, `test` and `pack` are linked by the names of their parameters.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Copies the sources, and adds a file that says so.
    pub fn build(
        /// The sources; the default is those of the dependency.
        src: Option<Directory>,
    ) -> Directory {
        let src = src.unwrap_or_else(objects::sources);
        machine::rootfs()
            .with_directory("/src", src)
            .with_workdir("/src")
            .with_exec(["sh", "-c", "ls > built"])
            .directory("/src")
    }

    /// Returns the names of the built files, one per line.
    pub fn test(build: Directory) -> Result<String> {
        build.file("built").contents()
    }

    /// Packs the built files with the result of the test.
    pub fn pack(build: Directory, test: String) -> File {
        machine::rootfs()
            .with_directory("/pack", build.with_new_file("report.txt", test))
            .with_exec(["tar", "-C", "/pack", "-cf", "/pack.tar", "."])
            .file("/pack.tar")
    }

    /// Calls a function of the dependency with an object of the dependency.
    pub fn style(
        /// The level of strictness; the default is that of the dependency.
        level: Option<u32>,
    ) -> Result<String> {
        let linter = Linter::new(level);
        let said = linter.check().context("the dependency")?;
        Ok(format!("{}: {said}", objects::describe(&linter)))
    }

    /// Makes objects in every way that the dependency has, and uses them.
    pub fn every_way() -> Result<u32> {
        let linter = Linter::new(Some(1)).with_level(2);
        let each = objects::each(&[3, 4]);
        let strict = objects::strict(5)?;
        let refused = objects::strict(10);
        ensure!(refused.is_err(), "a level that does not exist was taken");
        let lent: Vec<&Linter> = each.iter().collect();
        let stricter = linter.stricter(&strict);
        Ok(objects::sum(&lent, Some(&stricter), vec![linter, Linter::strictest()]))
    }

    /// Passes a directory to the dependency twice, and returns what the dependency found in it.
    pub fn findings(src: &Directory) -> Result<Vec<String>> {
        let report = objects::check(src)?;
        let findings = objects::find(src, &Linter::new(None))?;
        let findings = findings.into_iter().map(|finding| format!("{}: {} long lines", finding.path, finding.n_lines));
        Ok(std::iter::once(report.summary).chain(findings).collect())
    }

    /// Returns a directory that a stage of the dependency makes.
    pub fn sources() -> Directory {
        objects::sources()
    }

    /// Fails with the error of the dependency.
    pub fn refused() -> Result<Vec<String>> {
        Linter::strictest().long_lines(Directory::new(), "nothing.txt")
    }
}
