//! What guest programs that assert something share: a comparison that names the thing, and
//! the container that they start from.

use std::fmt::Debug;

use guest_sdk::prelude::*;

/// What a stage returns when everything in it was as it should be.
pub const OK: &str = "ok";

/// Fails unless `got` is `want`.
pub fn equal<A: PartialEq<B> + Debug, B: Debug>(what: &str, got: A, want: B) -> Result<()> {
    ensure!(got == want, "{what}: got {got:?}, want {want:?}");
    Ok(())
}

/// Fails unless `result` is an error with that code, and returns it.
pub fn fails<T: Debug>(what: &str, result: Result<T>, code: &str) -> Result<Error> {
    match result {
        Ok(value) => bail!("{what}: got {value:?}, want an error `{code}`"),
        Err(error) if error.is(code) => Ok(error),
        Err(error) => bail!("{what}: got the error `{}` ({error}), want `{code}`", error.code),
    }
}

/// Returns the container to start from: what the caller gave, or this machine's tools.
pub fn root(root: Option<Container>) -> Container {
    root.unwrap_or_else(machine::rootfs)
}

/// Returns the container with a shell script run in it.
pub fn sh(container: &Container, script: &str) -> Container {
    container.with_exec(["sh", "-c", script])
}

/// Returns what a shell script writes, without white space around it.
pub fn output(container: &Container, script: &str) -> Result<String> {
    Ok(sh(container, script).stdout()?.trim().to_owned())
}
