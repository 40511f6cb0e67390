//! The program `host`.

use std::env;
use std::process::ExitCode;

use host::{Config, ExitStatus, Io, report, wire};

fn main() -> ExitCode {
    let words: Vec<_> = env::args_os().skip(1).collect();
    // A zone is this program started again inside of namespaces: it shares nothing with a run.
    if words.first().is_some_and(|word| word == "__zone") {
        return wire::zone();
    }
    let config = Config::of_process();
    match config.complete {
        None => report::install_panic_hook(),
        // A shell shows whatever is printed in the middle of the line that is being typed.
        Some(_) => std::panic::set_hook(Box::new(|_| {})),
    }
    let run = || {
        let platform = wire::platform(&config);
        host::run(words, &mut Io::of_process(&config), &config, platform.as_ref())
    };
    let status = std::panic::catch_unwind(run).unwrap_or(ExitStatus::Bug);
    ExitCode::from(status.code())
}
