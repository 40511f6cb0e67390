//! Whether the tools that build modules in other languages than Rust are on this machine.

use std::process::{Command, Stdio};

use crate::distribution::Distribution;

/// What was found of the tools of a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageTools {
    /// The name of the language.
    pub language: &'static str,
    /// The versions that were found, or what is missing or too old.
    pub found: String,
    /// The command that installs what is missing; none if nothing is.
    pub fix: Option<String>,
}

/// A language with its tools: their programs and least versions.
struct Needed {
    language: &'static str,
    tools: &'static [(&'static str, [u32; 2])],
    install: fn() -> String,
}

/// Returns the command that installs the tools of Python.
pub(crate) fn install_python() -> String {
    "pip install componentize-py==0.25.1".to_owned()
}

/// Returns the command that installs the tools of JavaScript and TypeScript into a module.
pub(crate) fn install_javascript() -> String {
    "npm install --save-dev componentize-qjs@0.4.5 esbuild@0.27 typescript@5.9".to_owned()
}

/// Returns the command that installs Node.js with its package manager.
pub(crate) fn install_node() -> String {
    Distribution::of_this_machine().install("nodejs npm")
}

/// The front end of Python has `match`, which came with 3.10. componentize-qjs cannot be loaded by Node.js 18.
const LANGUAGES: &[Needed] = &[
    Needed {
        language: "python",
        tools: &[("python3", [3, 10]), ("componentize-py", [0, 25])],
        install: install_python,
    },
    // What comes from npm is installed into each module.
    Needed { language: "typescript", tools: &[("node", [20, 0]), ("npm", [0, 0])], install: install_node },
];

/// Looks at the tools of every language. A program that is missing or too old is told, with the command that gets it.
#[must_use]
pub fn language_tools() -> Vec<LanguageTools> {
    LANGUAGES.iter().map(|needed| judged(needed, version)).collect()
}

fn judged(needed: &Needed, version: impl Fn(&str) -> Option<String>) -> LanguageTools {
    let mut good = Vec::new();
    for (program, [major, minor]) in needed.tools {
        let problem = match version(program) {
            None => format!("`{program}` was not found"),
            Some(found) if numbers(&found) < (*major, *minor) => {
                format!("`{program}` {found} is too old: {major}.{minor} is the least")
            }
            Some(found) => {
                good.push(format!("{program} {found}"));
                continue;
            }
        };
        let found = format!("{problem}; modules in {} cannot be built", needed.language);
        return LanguageTools { language: needed.language, found, fix: Some((needed.install)()) };
    }
    LanguageTools { language: needed.language, found: good.join(", "), fix: None }
}

/// Returns the version that a program prints.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words = text.split_whitespace().map(|word| word.trim_start_matches('v'));
    words.into_iter().find(|word| word.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned)
}

fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: impl Fn(&str) -> Option<&'static str>, found: &str, fix: Option<&'static str>) {
        let judged = judged(&LANGUAGES[0], |program| version(program).map(str::to_owned));
        assert_eq!((judged.found.as_str(), judged.fix.as_deref()), (found, fix));
    }

    #[test]
    fn tools_are_there_missing_or_too_old() {
        let both = |program: &str| Some(if program == "python3" { "3.11.2" } else { "0.25.1" });
        check(both, "python3 3.11.2, componentize-py 0.25.1", None);
        let missing = |program: &str| (program == "python3").then_some("3.11.2");
        let fix = Some("pip install componentize-py==0.25.1");
        check(missing, "`componentize-py` was not found; modules in python cannot be built", fix);
        let old = "`python3` 3.9 is too old: 3.10 is the least; modules in python cannot be built";
        check(|_| Some("3.9"), old, fix);
    }
}
