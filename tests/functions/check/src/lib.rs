//! Functions for guest programs that check something: a comparison that names the compared thing,
//! and the container to start from.

use std::fmt::Debug;

use guest_sdk::prelude::*;

/// The result of a stage in which every check succeeded.
pub const OK: &str = "ok";

/// Fails unless `got` is `want`.
pub fn equal<A: PartialEq<B> + Debug, B: Debug>(what: &str, got: A, want: B) -> Result<()> {
    ensure!(got == want, "{what}: got {got:?}, want {want:?}");
    Ok(())
}

/// Fails unless `result` is an error with this code, and returns the error.
pub fn fails<T: Debug>(what: &str, result: Result<T>, code: &str) -> Result<Error> {
    match result {
        Ok(value) => bail!("{what}: got {value:?}, want an error `{code}`"),
        Err(error) if error.is(code) => Ok(error),
        Err(error) => bail!("{what}: got the error `{}` ({error}), want `{code}`", error.code),
    }
}

/// Returns the container to start from: the given one, or this machine.
pub fn root(root: Option<Container>) -> Container {
    root.unwrap_or_else(machine::rootfs)
}

/// Returns the container with a shell script run in it.
pub fn sh(container: &Container, script: &str) -> Container {
    container.with_exec(["sh", "-c", script])
}

/// Returns the output of a shell script, without white space around it.
pub fn output(container: &Container, script: &str) -> Result<String> {
    Ok(sh(container, script).stdout()?.trim().to_owned())
}
