//! What tests of registries share: a registry that misbehaves on demand, images for it, and a bench
//! that pulls from it and says what happened.

pub(crate) mod bench;
pub(crate) mod fake;
pub(crate) mod image;
mod serve;

/// Whether a tool is there. Its absence is a failure if the variable `REQUIRE` names it, as in
/// `REQUIRE=docker-registry`.
pub(crate) fn require(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|dir| dir.join(tool).is_file());
    let required = std::env::var("REQUIRE").unwrap_or_default();
    assert!(is_there || !required.split(',').any(|name| name == tool), "`{tool}` is required and missing");
    if !is_there {
        eprintln!("skipped: `{tool}` is missing");
    }
    is_there
}
