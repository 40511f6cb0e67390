//! The keys of a manifest. `docs/host.schema.json` has the same ones, and a test compares them.

/// The keys of one kind of table.
#[derive(Debug, PartialEq, Eq)]
pub struct Keys {
    /// What the table is, as in `a manifest`.
    pub of: &'static str,
    /// In the order in which they are shown.
    pub names: &'static [&'static str],
}

/// Of the manifest itself.
pub(crate) static MANIFEST: Keys = Keys {
    of: "a manifest",
    names: &["name", "version", "language", "description", "allow", "network", "component", "dependencies", "stages"],
};

/// Of a dependency that is a table.
pub(crate) static DEPENDENCY: Keys = Keys { of: "a dependency", names: &["path", "component", "allow"] };

/// Of a stage.
pub(crate) static STAGE: Keys = Keys {
    of: "a stage",
    names: &["description", "call", "from", "args", "defaults", "ignore", "env", "retry", "timeout", "allow-failure"],
};

/// What a stage without a function of its own cannot have: nothing would take it.
pub(crate) const NOT_BESIDE_FROM: &[&str] = &["call", "args", "defaults", "ignore", "env"];
