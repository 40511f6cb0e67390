//! Runs two things alternately and returns their medians; runs programs and measures their time and memory.

use std::io::{self, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::children;

/// The number of rounds of a figure.
pub(crate) const N_ROUNDS: usize = 10;

/// The number of rounds for processes of some milliseconds, whose times vary.
pub(crate) const N_SHORT_ROUNDS: usize = 40;

/// The smallest number of rounds, independent of the time of a round.
const N_LEAST_ROUNDS: usize = 3;

/// The time in seconds in which the rounds of a figure have to fit.
const PATIENCE: f64 = 40.0;

/// The medians of two things that were measured alternately.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    /// The median of the product.
    pub(crate) value: f64,
    /// The median of the reference.
    pub(crate) reference: f64,
}

/// Measures two things alternately, A B A B, after one round that is not counted.
pub(crate) fn interleave(
    figure: &str,
    n_rounds: usize,
    mut value: impl FnMut() -> Result<f64>,
    mut reference: impl FnMut() -> Result<f64>,
) -> Result<Pair> {
    let [value, reference] = rotate(figure, n_rounds, [&mut value, &mut reference])?;
    Ok(Pair { value, reference })
}

/// Measures several things alternately, A B C A B C, after one round that is not counted, and returns their medians.
pub(crate) fn rotate<const N: usize>(
    figure: &str,
    n_rounds: usize,
    mut things: [&mut dyn FnMut() -> Result<f64>; N],
) -> Result<[f64; N]> {
    // The time includes the preparations of each thing.
    let started = Instant::now();
    round(&mut things)?;
    let seconds = started.elapsed().as_secs_f64();
    let n_fitting = ((PATIENCE / seconds) as usize).max(N_LEAST_ROUNDS);
    if n_fitting < n_rounds {
        crate::say(&format!("{figure}: {n_fitting} rounds, because one takes {seconds:.1} s"));
    }
    let n_rounds = n_rounds.min(n_fitting);
    let rounds: Result<Vec<[f64; N]>> = (0..n_rounds).map(|_| round(&mut things)).collect();
    let rounds = rounds?;
    Ok(std::array::from_fn(|thing| {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[thing]).collect();
        median(&mut values)
    }))
}

fn round<const N: usize>(things: &mut [&mut dyn FnMut() -> Result<f64>; N]) -> Result<[f64; N]> {
    let mut values = [0.0; N];
    for (value, thing) in values.iter_mut().zip(things) {
        *value = thing()?;
    }
    Ok(values)
}

/// Returns the median of some values; NaN if there are none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => values[n / 2],
        _ => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// The time and the memory of a program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// The time from before its start until after its end.
    pub(crate) seconds: f64,
    /// The peak memory of the program, or of a process that it waited for, in bytes.
    pub(crate) peak_bytes: f64,
}

/// Runs a program with its streams closed and measures it.
pub(crate) fn run(command: &mut Command) -> Result<Usage> {
    measure(command.stdout(Stdio::null())).map(|(_, usage)| usage)
}

/// Runs a program, measures it and returns what it printed.
pub(crate) fn run_and_read(command: &mut Command) -> Result<(String, Usage)> {
    measure(command.stdout(Stdio::piped()))
}

fn measure(command: &mut Command) -> Result<(String, Usage)> {
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = children::start(command)?;
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut printed).with_context(|| format!("cannot read what {command:?} prints"))?;
    }
    let waited = wait(child.id()).with_context(|| format!("cannot wait for {command:?}"));
    children::ended(child.id());
    let (status, peak_bytes) = waited?;
    let seconds = started.elapsed().as_secs_f64();
    if status != 0 {
        bail!("{command:?} ended with wait status {status}");
    }
    Ok((printed, Usage { seconds, peak_bytes }))
}

/// Starts a program with its streams closed.
pub(crate) fn start_silent(command: &mut Command) -> Result<Child> {
    children::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
}

/// Runs a program and returns its standard output. Its standard error is a part of the error message.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let child = children::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let id = child.id();
    let output = child.wait_with_output().with_context(|| format!("cannot wait for {command:?}"));
    children::ended(id);
    let output = output?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} ended with {}: {}", output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Waits for a child and returns its wait status and its peak memory in bytes.
///
/// The peak of a child begins with the memory of the process that forked it, so that this process must stay small.
#[expect(unsafe_code, reason = "the standard library has no wait that returns the resources used")]
fn wait(pid: u32) -> io::Result<(i32, f64)> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: a `rusage` of zeros is a valid one, and both pointers are to locals of the right types.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    if waited != pid {
        return Err(io::Error::last_os_error());
    }
    // Source: getrusage(2), `ru_maxrss` is in kilobytes.
    Ok((status, usage.ru_maxrss as f64 * 1024.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&mut []).is_nan());
    }

    #[test]
    fn both_are_measured_in_turn_after_a_round_that_does_not_count() {
        let order = std::cell::RefCell::new(String::new());
        let note = |name, seconds| {
            order.borrow_mut().push(name);
            Ok(seconds)
        };
        let pair = interleave("x", 2, || note('a', 1.0), || note('b', 2.0)).unwrap();
        assert_eq!((pair.value, pair.reference), (1.0, 2.0));
        assert_eq!(order.into_inner(), "ababab");
    }

    #[test]
    fn a_program_is_measured_and_its_failure_told() {
        let usage = run(&mut Command::new("/bin/true")).unwrap();
        assert!(usage.seconds > 0.0 && usage.peak_bytes > 0.0);
        assert!(run(&mut Command::new("/bin/false")).is_err());
    }
}
