//! The keys of a manifest. `docs/host.schema.json` has the same keys, and a test compares them.

/// The keys of one kind of table.
#[derive(Debug, PartialEq, Eq)]
pub struct Keys {
    /// The kind of table, as in `a manifest`.
    pub of: &'static str,
    /// The names of the keys, in the order in which messages show them.
    pub names: &'static [&'static str],
}

/// The keys of the manifest itself.
pub(crate) static MANIFEST: Keys = Keys {
    of: "a manifest",
    names: &[
        "name",
        "version",
        "language",
        "description",
        "allow",
        "network",
        "new-privileges",
        "component",
        "build",
        "sources",
        "dependencies",
        "stages",
    ],
};

/// The keys of a dependency that is a table.
pub(crate) static DEPENDENCY: Keys = Keys { of: "a dependency", names: &["path", "component", "allow"] };

/// Of a stage.
pub(crate) static STAGE: Keys = Keys {
    of: "a stage",
    names: &[
        "description",
        "call",
        "from",
        "args",
        "defaults",
        "ignore",
        "env",
        "retry",
        "timeout",
        "allow-failure",
        "check",
    ],
};

/// The keys that a stage without a function cannot have, because nothing would use them.
pub(crate) const NOT_BESIDE_FROM: &[&str] = &["call", "args", "defaults", "ignore", "env"];
