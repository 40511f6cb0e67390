//! Names in WIT.

/// The reserved words of WIT. A name that is one of them is written with a `%`.
///
/// Source: `wit-parser` 0.263, `ast/lex.rs`.
const KEYWORDS: &[&str] = &[
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
];

/// Returns the name as it is written in WIT.
#[must_use]
pub fn escaped(kebab: &str) -> String {
    if KEYWORDS.contains(&kebab) { format!("%{kebab}") } else { kebab.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_escaped() {
        assert_eq!(escaped("list"), "%list");
        assert_eq!(escaped("lists"), "lists");
    }
}
