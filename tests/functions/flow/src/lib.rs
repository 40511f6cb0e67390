//! Stages whose scripts the manifest has: a test makes any pipeline of them.

use guest_sdk::prelude::*;

/// Returns a container of this machine with what other stages made, and the script run in it.
fn ran(script: &str, src: Option<Directory>, first: Option<Directory>, second: Option<Directory>) -> Container {
    let root = machine::rootfs().with_mounted_cache("/volume", CacheVolume::new("flow"));
    let inputs = [("/src", src), ("/first", first), ("/second", second)];
    let inputs = inputs.into_iter().filter_map(|(path, input)| Some((path, input?)));
    let root = inputs.fold(root, |root, (path, input)| root.with_mounted_directory(path, input));
    root.with_workdir("/out").with_exec(["sh", "-e", "-c", script])
}

/// Runs scripts: in `/out`, with `/src`, `/first`, `/second` where they are given, and a cache volume at `/volume`.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Describes what the script leaves in `/out`, and runs nothing itself.
    pub fn make(
        script: &str,
        src: Option<Directory>,
        first: Option<Directory>,
        second: Option<Directory>,
    ) -> Directory {
        ran(script, src, first, second).directory("/out")
    }

    /// Returns what the script prints.
    pub fn say(
        script: &str,
        src: Option<Directory>,
        first: Option<Directory>,
        second: Option<Directory>,
    ) -> Result<String> {
        ran(script, src, first, second).stdout()
    }

    /// Says nothing.
    pub fn verify(script: &str) -> Result<()> {
        ran(script, None, None, None).sync()?;
        Ok(())
    }

    /// Reports one case for each line: a verdict, a name, and why.
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
