//! The last words of a guest that gave up, and the place in its source.
//!
//! A trap has no message: the runtimes of languages print one before they trap.

use std::collections::BTreeSet;

use wasmtime::{FrameSymbol, WasmBacktrace};

/// The report that a guest printed about its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuestReport {
    /// The place: `file:line` or `file:line:column`.
    pub(crate) location: Option<String>,
    pub(crate) message: String,
    /// Whether it is an exception that nobody caught, and no panic.
    pub(crate) is_exception: bool,
}

/// Finds the last report of a language's runtime in the output.
pub(crate) fn find(printed: &str) -> Option<GuestReport> {
    // The runtimes of Python and QuickJS are written in Rust. They panic after the guest has thrown.
    python(printed)
        .or_else(|| quickjs(printed))
        .or_else(|| rust(printed))
        .or_else(|| go(printed))
        .or_else(|| javascript(printed))
}

/// Returns whether a line begins the panic of a runtime of Python or QuickJS, which follows an exception of the guest.
/// It is about the source of that runtime, and the exception is told by itself.
pub(crate) fn begins_panic_of_runtime(line: &str) -> bool {
    let location = line.strip_prefix("thread ").and_then(|rest| rest.split_once(" panicked at "));
    location.is_some_and(|(_, location)| {
        ["runtime/src/", "crates/runtime/src/"].iter().any(|source| location.starts_with(source))
            || location.contains("componentize-py")
    })
}

/// The format is `thread 'main' (1) panicked at src/lib.rs:12:5:`, then the message up to a note.
fn rust(printed: &str) -> Option<GuestReport> {
    let lines: Vec<&str> = printed.lines().collect();
    let begin = lines.iter().rposition(|line| line.starts_with("thread ") && line.contains(" panicked at "))?;
    let (_, location) = lines.get(begin)?.split_once(" panicked at ")?;
    let message = lines.iter().skip(begin + 1).take_while(|line| !line.starts_with("note: "));
    let message = message.copied().collect::<Vec<_>>().join("\n").trim().to_owned();
    Some(GuestReport { location: Some(location.trim_end_matches(':').to_owned()), message, is_exception: false })
}

/// The format is `Traceback (most recent call last):`, then frames of two lines each, then the exception.
fn python(printed: &str) -> Option<GuestReport> {
    let (_, traceback) = printed.rsplit_once("Traceback (most recent call last):")?;
    let lines: Vec<&str> = traceback.lines().skip(1).collect();
    let n_frames = lines.iter().take_while(|line| line.starts_with(' ') || line.is_empty()).count();
    let location = lines.iter().take(n_frames).rev().find_map(|line| {
        let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
        let line = rest.split(',').next()?.trim();
        Some(format!("{}:{line}", own_path(file)))
    });
    let message = lines.get(n_frames).map_or("an exception without a message", |line| line.trim());
    Some(GuestReport { location, message: message.to_owned(), is_exception: true })
}

/// The module's own files are mounted as `/0`, `/1` and so on by componentize-py.
fn own_path(file: &str) -> &str {
    let Some((mount, rest)) = file.strip_prefix('/').and_then(|file| file.split_once('/')) else { return file };
    if mount.bytes().all(|byte| byte.is_ascii_digit()) { rest } else { file }
}

/// The format is `Exception { message: Some("message"), stack: Some("    at f (/app.js:12:5)\n") }`, in a
/// panic of the runtime of componentize-qjs.
fn quickjs(printed: &str) -> Option<GuestReport> {
    let (_, exception) = printed.rsplit_once("Exception { message: Some(\"")?;
    let (message, stack) = exception.split_once("\"), stack: ")?;
    let stack = stack.split("\") }").next()?.replace("\\n", "\n").replace("Some(\"", "");
    let location = stack.lines().find_map(|line| js_location(line)?);
    Some(GuestReport { location, message: unescape(message), is_exception: true })
}

/// Undoes the escapes of Rust's `Debug`.
fn unescape(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\")
}

/// The format is `panic: message`, then a stack with `\t/path/file.go:12 +0x1`.
fn go(printed: &str) -> Option<GuestReport> {
    let begin = printed.rfind("panic: ").filter(|begin| *begin == 0 || printed[..*begin].ends_with('\n'))?;
    let mut lines = printed[begin..].lines();
    let message = lines.next()?.trim_start_matches("panic: ").to_owned();
    let location = lines.find_map(|line| {
        let path = line.strip_prefix('\t')?.split(" +0x").next()?;
        (path.contains(".go:") && !path.contains("/runtime/")).then(|| path.to_owned())
    });
    Some(GuestReport { location, message, is_exception: false })
}

/// The format is `Error: message`, then `    at function (file.js:12:5)`.
fn javascript(printed: &str) -> Option<GuestReport> {
    let lines: Vec<&str> = printed.lines().collect();
    let first_frame = lines.iter().position(|line| js_location(line).is_some())?;
    let message = lines.get(first_frame.checked_sub(1)?)?.trim().to_owned();
    let frames = lines.iter().skip(first_frame).map_while(|line| js_location(line));
    let location = frames.flatten().next();
    Some(GuestReport { location, message, is_exception: true })
}

/// Returns the place of a frame. The outer option is none if the line is not a frame.
fn js_location(line: &str) -> Option<Option<String>> {
    let frame = line.strip_prefix(' ').or_else(|| line.strip_prefix('\t'))?.trim_start().strip_prefix("at ")?;
    let place = frame.rsplit_once('(').map_or(frame, |(_, place)| place).trim_end_matches(')');
    let is_place = place.rsplit_once(':').is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    Some(is_place.then(|| place.trim_start_matches('/').to_owned()))
}

/// Returns the innermost line of a backtrace that is in the guest's own source.
pub(crate) fn source_line(backtrace: &WasmBacktrace) -> Option<String> {
    backtrace.frames().iter().flat_map(|frame| frame.symbols()).find_map(own_line)
}

/// Returns whether a backtrace consists of a few functions that call each other.
pub(crate) fn is_recursion(backtrace: &WasmBacktrace) -> bool {
    /// The number of frames that wasmtime keeps by default.
    const N_FRAMES: usize = 20;
    let functions: BTreeSet<u32> = backtrace.frames().iter().map(|frame| frame.func_index()).collect();
    backtrace.frames().len() >= N_FRAMES && functions.len() <= N_FRAMES / 4
}

fn own_line(symbol: &FrameSymbol) -> Option<String> {
    // The sources of compilers, standard libraries and dependencies, in the form that their builds leave.
    const FOREIGN: &[&str] =
        &["/rustc/", "/rust/deps/", "/.cargo/registry/", "library/std", "library/core", "wasi-libc"];
    let file = symbol.file().filter(|file| !FOREIGN.iter().any(|part| file.contains(part)))?;
    let line = symbol.line().filter(|line| *line > 0)?;
    Some(match symbol.column() {
        Some(column) => format!("{file}:{line}:{column}"),
        None => format!("{file}:{line}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(printed: &str, location: Option<&str>, message: &str) {
        let found = find(printed).unwrap();
        assert_eq!((found.location.as_deref(), found.message.as_str()), (location, message));
        let is_panic = printed.contains("panic: ") || printed.contains("src/lib.rs");
        assert_eq!(found.is_exception, !is_panic);
    }

    #[test]
    fn a_panic_of_rust_is_found() {
        let printed = "working\n\nthread 'main' (1) panicked at src/lib.rs:12:5:\nno such\nthing\n\
                       note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        check(printed, Some("src/lib.rs:12:5"), "no such\nthing");
    }

    #[test]
    fn a_traceback_of_python_is_found() {
        let printed = "Traceback (most recent call last):\n  File \"/0/app.py\", line 9, in build\n    helper()\n  \
                       File \"/0/util.py\", line 3, in helper\n    raise ValueError(\"x\")\nValueError: x\n\nAssertionError\n";
        check(printed, Some("util.py:3"), "ValueError: x");
    }

    #[test]
    fn an_error_of_javascript_is_found() {
        let printed = "hello\nTypeError: not a function\n    at build (app.js:3:5)\n    at <anonymous>\n";
        check(printed, Some("app.js:3:5"), "TypeError: not a function");
    }

    #[test]
    fn an_exception_of_quickjs_is_found_in_the_panic_of_its_runtime() {
        let printed = "thread '<unnamed>' (1) panicked at crates/runtime/src/interpreter.rs:51:31:\n\
                       Failed to call 'f': Value(Exception(\n\
                       Exception { message: Some(\"no \\\"x\\\"\"), stack: Some(\"    at f (/app.js:13:16)\\n\") })\n)\n";
        check(printed, Some("app.js:13:16"), "no \"x\"");
    }

    #[test]
    fn a_panic_of_go_is_found() {
        let printed = "panic: boom\n\ngoroutine 1 [running]:\nmain.build()\n\t/src/main.go:12 +0x1\n";
        check(printed, Some("/src/main.go:12"), "boom");
    }

    #[test]
    fn what_is_no_report_is_none() {
        assert_eq!(find("all is well\nat home\n"), None);
    }
}
