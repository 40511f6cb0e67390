//! Stages that run the scripts of a manifest, so that a test can describe any pipeline.

use guest_sdk::prelude::*;

/// Returns a container of this machine with the results of other stages, in which the script has
/// run.
fn ran(script: &str, src: Option<Directory>, first: Option<Directory>, second: Option<Directory>) -> Container {
    let root = machine::rootfs().with_mounted_cache("/volume", CacheVolume::new("flow"));
    let inputs = [("/src", src), ("/first", first), ("/second", second)];
    let inputs = inputs.into_iter().filter_map(|(path, input)| Some((path, input?)));
    let root = inputs.fold(root, |root, (path, input)| root.with_mounted_directory(path, input));
    root.with_workdir("/out").with_exec(["sh", "-e", "-c", script])
}

/// Runs scripts in `/out`, with `/src`, `/first` and `/second` if they are given, and a cache
/// volume at `/volume`.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Returns the files that the script leaves in `/out`, without running it.
    pub fn make(
        script: &str,
        src: Option<Directory>,
        first: Option<Directory>,
        second: Option<Directory>,
    ) -> Directory {
        ran(script, src, first, second).directory("/out")
    }

    /// Returns the output of the script.
    pub fn say(
        script: &str,
        src: Option<Directory>,
        first: Option<Directory>,
        second: Option<Directory>,
    ) -> Result<String> {
        ran(script, src, first, second).stdout()
    }

    /// Runs the script and returns nothing.
    pub fn verify(script: &str) -> Result<()> {
        ran(script, None, None, None).sync()?;
        Ok(())
    }

    /// Returns a report with one case for each line of output: a verdict, a name and a reason.
    pub fn cases(lines: Vec<String>) -> Report {
        let case = |line: &String| {
            let mut words = line.splitn(3, ' ');
            let mut next = || words.next().unwrap_or_default().to_owned();
            match (next().as_str(), next(), next()) {
                ("passed", name, _) => TestCase::passed(name),
                ("skipped", name, why) => TestCase::skipped(name, why),
                (_, name, why) => TestCase::failed(name, why),
            }
        };
        lines.iter().map(case).fold(Report::new("cases of a text"), Report::with_case)
    }
}
