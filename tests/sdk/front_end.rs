//! The front ends of Python, and of JavaScript and TypeScript: sources in, the interface as WIT or the mistakes out.

mod python;
mod typescript;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use expect_test::Expect;
use guest_sdk_interface::Interface;
use serde_json::Value as Json;
use testkit::Language;

/// Reads a module with these files and shows its interface, or its mistakes. None if the language is not on this machine.
fn read(files: &[(&str, &str)]) -> Option<String> {
    let is_python = files.iter().all(|(name, _)| name.ends_with(".py"));
    let language = if is_python { Language::Python } else { Language::JavaScript };
    if !language.is_there() {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (root, out) = (dir.path(), dir.path().join("out"));
    let mut command = if is_python { python() } else { node(root) };
    let run = command.args([root, &*out]).output().expect("the language is installed");
    assert!(run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    let answer: Json = serde_json::from_slice(&run.stdout).unwrap();
    if let Some(mistakes) = answer.get("mistakes") {
        return Some(mistakes.as_array().unwrap().iter().map(mistake).collect());
    }
    assert!(out.join(if is_python { "app.py" } else { "app.js" }).is_file());
    let interface: Interface = serde_json::from_value(answer["interface"].clone()).unwrap();
    Some(interface.package("shop", "0.1.0"))
}

/// Checks what is read in a module with these files.
fn check(files: &[(&str, &str)], expect: &Expect) {
    if let Some(text) = read(files) {
        expect.assert_eq(&text);
    }
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.arg("-B").arg(testkit::root().join("guest-sdk/python/host_build/describe.py"));
    command
}

fn node(module: &Path) -> Command {
    symlink(Language::JavaScript.tool_dir().parent().unwrap(), module.join("node_modules")).unwrap();
    let mut command = Command::new("node");
    command.arg(testkit::root().join("guest-sdk/javascript/host-build/describe.mjs"));
    command
}

fn mistake(mistake: &Json) -> String {
    let text = |key: &str| mistake[key].as_str().unwrap_or_default().to_owned();
    let hint = if mistake["hint"].is_null() { String::new() } else { format!("  hint: {}\n", text("hint")) };
    format!("{}:{}: {}\n{hint}", text("path"), mistake["line"], text("message"))
}

/// Checks the WIT of the interface in a source, without what all have.
fn check_interface(name: &str, source: &str, expect: &Expect) {
    let Some(text) = read(&[(name, source)]) else { return };
    let (text, _) = text.split_once("export stages;").unwrap_or((&text, ""));
    let (_, text) = text.split_once("interface stages {\n").unwrap_or(("", text));
    expect.assert_eq(&format!("{}\n", text.trim_end()));
}
