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
    report::install_panic_hook();
    let run = || {
        let config = Config::of_process();
        let platform = wire::platform(&config);
        host::run(words, &mut Io::of_process(), &config, platform.as_ref())
    };
    let status = std::panic::catch_unwind(run).unwrap_or(ExitStatus::Bug);
    ExitCode::from(status.code())
}
