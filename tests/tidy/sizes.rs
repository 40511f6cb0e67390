//! Files and functions that stay small enough to be read.

use super::{files, read, shown};

/// The most lines of a file without its tests.
const MAX_FILE_LINES: usize = 900;
/// The most lines of a file of tests.
const MAX_TEST_LINES: usize = 1500;
/// The most lines of a function.
const MAX_FUNCTION_LINES: usize = 120;

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("tests.rs")
}

#[test]
fn files_are_small() {
    let mut wrong = Vec::new();
    for path in files(".rs") {
        let (text, name) = (read(&path), shown(&path));
        let (lines, most) = if is_test(&name) {
            (text.lines().count(), MAX_TEST_LINES)
        } else {
            (text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count(), MAX_FILE_LINES)
        };
        if lines > most {
            wrong.push(format!("{name}: {lines} lines, at most {most}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn functions_are_small() {
    let mut wrong = Vec::new();
    for path in files(".rs") {
        let text = read(&path);
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let trimmed = line.trim_start();
            let is_function = trimmed.starts_with("fn ") || (trimmed.contains(" fn ") && trimmed.starts_with("pub"));
            // One that ends on its line is short, and mostly text of a test.
            if !is_function || trimmed.ends_with([';', '}']) {
                continue;
            }
            // rustfmt puts the brace that ends a function where the function begins.
            let end = format!("{}}}", &line[..line.len() - trimmed.len()]);
            let length = lines[start..].iter().position(|line| *line == end).unwrap_or(0);
            if length > MAX_FUNCTION_LINES {
                wrong.push(format!("{}:{}: {length} lines, at most {MAX_FUNCTION_LINES}", shown(&path), start + 1));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_wasm_is_committed() {
    let output = std::process::Command::new("git").args(["ls-files", "*.wasm"]).current_dir(super::root()).output();
    assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), "");
}
