//! The interface of a module's stages as WIT, for the modules that import it.
#![cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "the ids of an arena index into it"))]

use std::cell::LazyCell;
use std::collections::BTreeSet;

use api::NoStages;
use graph::{Blame, Diagnostic};
use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{InterfaceId, PackageId, Resolve};

use crate::docs;
use crate::inspect::{self, InspectError};
use crate::wit;

/// The WIT that an importer of a module needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceWit {
    /// The package of the module, as in `local:lint@0.1.0`.
    pub package: String,
    /// The name of the interface with the stages, as in `stages`.
    pub interface: String,
    /// The package as WIT. It needs `pipeline:api` and `others` beside it.
    pub text: String,
    /// The packages of other modules whose types the interface uses, directly or indirectly.
    pub others: Vec<PackageWit>,
}

/// A package as WIT, with the parts that are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageWit {
    /// The name of the package, as in `local:scan@0.1.0`.
    pub package: String,
    /// The package as WIT.
    pub text: String,
}

/// The reason why a component has no interface to import.
#[derive(Debug, thiserror::Error)]
pub enum InterfaceError {
    /// The file is not a component.
    #[error(transparent)]
    NotAComponent(#[from] InspectError),
    /// The component exports no interface of stages.
    #[error("it has no stages to import")]
    NoStages,
    /// The component exports several interfaces that can be the stages.
    #[error("it does not say which interface has its stages: it exports {}", candidates.join(", "))]
    Ambiguous {
        /// The names of the interfaces.
        candidates: Vec<String>,
    },
    /// The interface is in no package, so that no import can name it.
    #[error("its interface `{interface}` is in no package")]
    NoPackage {
        /// The name of the interface.
        interface: String,
    },
    /// The types of the component cannot be read.
    #[error("its types cannot be read: {message}")]
    Undecodable {
        /// The message of the decoder.
        message: String,
    },
}

impl Diagnostic for InterfaceError {
    fn blame(&self) -> Blame {
        match self {
            Self::NotAComponent(error) => error.blame(),
            Self::NoStages | Self::Ambiguous { .. } | Self::NoPackage { .. } | Self::Undecodable { .. } => {
                Blame::Function
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotAComponent(error) => error.hint(),
            Self::NoStages | Self::Ambiguous { .. } => {
                Some("export an interface named `stages` from the module's world: `export stages;`".to_owned())
            }
            Self::NoPackage { .. } => {
                Some("declare a package in its WIT, as in `package local:lint@0.1.0;`".to_owned())
            }
            Self::Undecodable { .. } => None,
        }
    }
}

/// Returns the WIT of a component's stages.
///
/// It is the documented WIT that `host build` or the SDK embedded. A component without it, as other tools make it, has
/// only its types, which lack the documentation.
///
/// # Errors
/// Fails if the bytes are not a component, or if it does not export one interface of stages.
pub fn interface_wit(component: &[u8]) -> Result<InterfaceWit, InterfaceError> {
    let name = stages_of(component)?;
    let documented = docs::embedded(component);
    let documented = documented.and_then(|(resolve, _)| find(&resolve, &name).map(|interface| (resolve, interface)));
    let (resolve, interface) = match documented {
        Some(documented) => documented,
        None => {
            let resolve = decode(component)?;
            let interface = find(&resolve, &name).ok_or(InterfaceError::NoPackage { interface: name })?;
            (resolve, interface)
        }
    };
    print(resolve, interface)
}

/// Returns the name of the interface whose functions are the stages.
pub(crate) fn stages_of(component: &[u8]) -> Result<String, InterfaceError> {
    let exported = inspect::exported_interfaces(component)?;
    let decoded = LazyCell::new(|| decode(component));
    let found = api::stage_interface(exported.iter().map(String::as_str), |name| match &*decoded {
        // An interface without a package cannot be found by its name, and is refused for that later.
        Ok(resolve) => find(resolve, name).is_none_or(|interface| can_be_stages(resolve, interface)),
        // The error is reported when the types are needed.
        Err(_) => true,
    });
    match found {
        Ok(name) => Ok(name.to_owned()),
        Err(NoStages::Missing) => Err(InterfaceError::NoStages),
        Err(NoStages::Ambiguous { candidates }) => Err(InterfaceError::Ambiguous { candidates }),
    }
}

/// Returns whether an interface has functions, and all of them can be stages.
fn can_be_stages(resolve: &Resolve, interface: InterfaceId) -> bool {
    let functions = &resolve.interfaces[interface].functions;
    !functions.is_empty()
        && functions.iter().all(|(name, function)| {
            !function.kind.is_async() && api::can_be_stage(name, &wit::signature(resolve, function, name))
        })
}

fn decode(component: &[u8]) -> Result<Resolve, InterfaceError> {
    match wit_component::decode(component) {
        Ok(DecodedWasm::Component(resolve, _) | DecodedWasm::WitPackage(resolve, _)) => Ok(resolve),
        Err(error) => Err(InterfaceError::Undecodable { message: format!("{error:#}") }),
    }
}

/// Finds an interface by its full name.
fn find(resolve: &Resolve, name: &str) -> Option<InterfaceId> {
    resolve.interfaces.iter().map(|(id, _)| id).find(|id| resolve.id_of(*id).as_deref() == Some(name))
}

fn print(mut resolve: Resolve, interface: InterfaceId) -> Result<InterfaceWit, InterfaceError> {
    let name = resolve.interfaces[interface].name.clone().unwrap_or_default();
    let Some(package) = resolve.interfaces[interface].package else {
        return Err(InterfaceError::NoPackage { interface: name });
    };
    // The worlds of a module are no concern of its importers.
    for (_, package) in &mut resolve.packages {
        package.worlds.clear();
    }
    let own = text_of(&resolve, package)?;
    let mut others = BTreeSet::new();
    add_dependencies(&resolve, package, &mut others);
    others.remove(&package);
    let others = others.into_iter().map(|id| text_of(&resolve, id)).collect::<Result<_, _>>()?;
    Ok(InterfaceWit { package: own.package, interface: name, text: own.text, others })
}

/// Adds the packages whose types a package uses, except `pipeline:api`.
fn add_dependencies(resolve: &Resolve, package: PackageId, found: &mut BTreeSet<PackageId>) {
    for dependency in resolve.package_direct_deps(package) {
        if !wit::is_api(resolve, dependency) && found.insert(dependency) {
            add_dependencies(resolve, dependency, found);
        }
    }
}

fn text_of(resolve: &Resolve, id: PackageId) -> Result<PackageWit, InterfaceError> {
    let mut printer = WitPrinter::default();
    let printed = printer.print(resolve, id, &[]);
    printed.map_err(|error| InterfaceError::Undecodable { message: format!("{error:#}") })?;
    let text = format!("{}\n", String::from(printer.output).trim_end());
    Ok(PackageWit { package: resolve.packages[id].name.to_string(), text })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use wit_parser::SourceMap;

    use super::*;
    use crate::sections::{self, DOCS_SECTION, WIT_SECTION};
    use crate::testing::component;

    const LINT: &str = "
        package local:lint@0.1.0;

        /// Looks at sources.
        interface stages {
            use pipeline:api/directory@0.1.0.{directory};
            use pipeline:api/errors@0.1.0.{error};

            /// Looks at things.
            resource linter {
                /// A lenient one.
                constructor(level: u32);
                /// Looks at it.
                check: func(src: borrow<directory>) -> result<string, error>;
            }

            /// Looks only once.
            check: func(src: directory) -> string;
        }

        world module {
            import pipeline:api/machine@0.1.0;
            export stages;
        }
    ";

    const SCAN: &str = "
        package local:scan@0.1.0;

        interface stages {
            use local:lint/stages@0.1.0.{linter};
            scan: func(by: linter) -> linter;
        }

        world module {
            import pipeline:api/log@0.1.0;
            export stages;
        }
    ";

    /// Parses the WIT again, like an importer's tool.
    fn check_importable(wit: &InterfaceWit) {
        let (mut resolve, _) = wit::api_package().unwrap();
        let parse = |text: &str| {
            let mut map = SourceMap::default();
            map.push_str("package.wit", text);
            map.parse().map_err(|(_, error)| error.to_string()).unwrap()
        };
        let others = wit.others.iter().map(|other| parse(&other.text)).collect();
        resolve.push_groups(parse(&wit.text), others).unwrap();
    }

    fn check(component: &[u8], expect: &Expect) {
        let wit = interface_wit(component).unwrap();
        check_importable(&wit);
        let mut shown = format!("{} {}\n{}", wit.package, wit.interface, wit.text);
        for other in &wit.others {
            shown += &format!("--- {}\n{}", other.package, other.text);
        }
        expect.assert_eq(&shown);
    }

    #[test]
    fn documented_wit_is_taken_as_it_is_but_for_worlds() {
        let documented = expect![[r#"
            local:lint@0.1.0 stages
            package local:lint@0.1.0;

            /// Looks at sources.
            interface stages {
              use pipeline:api/directory@0.1.0.{directory};
              use pipeline:api/errors@0.1.0.{error};

              /// Looks at things.
              resource linter {
                /// A lenient one.
                constructor(level: u32);
                /// Looks at it.
                check: func(src: borrow<directory>) -> result<string, error>;
              }

              /// Looks only once.
              check: func(src: directory) -> string;
            }
        "#]];
        let mut wasm = component(LINT, &[]);
        sections::append(&mut wasm, WIT_SECTION, LINT.as_bytes());
        check(&wasm, &documented);
        let from_text = interface_wit(&wasm).unwrap();
        sections::append(&mut wasm, DOCS_SECTION, &docs::encode(LINT).unwrap());
        assert_eq!(interface_wit(&wasm).unwrap(), from_text);
    }

    #[test]
    fn a_component_without_wit_says_its_types() {
        check(
            &component(LINT, &[]),
            &expect![[r#"
            local:lint@0.1.0 stages
            package local:lint@0.1.0;

            interface stages {
              use pipeline:api/directory@0.1.0.{directory};
              use pipeline:api/errors@0.1.0.{error};

              resource linter {
                constructor(level: u32);
                check: func(src: borrow<directory>) -> result<string, error>;
              }

              check: func(src: directory) -> string;
            }
        "#]],
        );
    }

    #[test]
    fn wit_of_another_package_is_not_taken() {
        let mut wasm = component(LINT, &[]);
        sections::append(&mut wasm, WIT_SECTION, b"package local:other@0.1.0; interface stages {}");
        assert_eq!(interface_wit(&wasm).unwrap().package, "local:lint@0.1.0");
    }

    #[test]
    fn types_of_other_modules_come_along() {
        check(
            &component(SCAN, &[LINT]),
            &expect![[r#"
            local:scan@0.1.0 stages
            package local:scan@0.1.0;

            interface stages {
              use local:lint/stages@0.1.0.{linter};

              scan: func(by: linter) -> linter;
            }
            --- local:lint@0.1.0
            package local:lint@0.1.0;

            interface stages {
              use pipeline:api/directory@0.1.0.{directory};
              use pipeline:api/errors@0.1.0.{error};

              resource linter {
                constructor(level: u32);
                check: func(src: borrow<directory>) -> result<string, error>;
              }

              check: func(src: directory) -> string;
            }
        "#]],
        );
    }

    #[test]
    fn an_interface_that_nobody_can_call_is_not_taken_for_the_stages() {
        let beside = "package local:beside@0.1.0; interface tools { resource tool { constructor(); } }
            interface checks { x: func(); } world module { export tools; export checks; }";
        assert_eq!(interface_wit(&component(beside, &[])).unwrap().interface, "checks");
    }

    #[test]
    fn what_cannot_be_imported_says_why() {
        let check = |component: &[u8], expect: &Expect| {
            let error = interface_wit(component).unwrap_err();
            expect.assert_eq(&format!("{error}\nhint: {}", error.hint().unwrap_or_default()));
        };
        check(
            b"#!/bin/sh",
            &expect![[r#"
            it is not WebAssembly
            hint: "#]],
        );
        check(
            b"\0asm\x0d\0\x01\0",
            &expect![[r#"
            it has no stages to import
            hint: export an interface named `stages` from the module's world: `export stages;`"#]],
        );
        let two = "package local:two@0.1.0; interface a { x: func(); } interface b { x: func(); }
            world module { export a; export b; }";
        check(
            &component(two, &[]),
            &expect![[r#"
            it does not say which interface has its stages: it exports local:two/a@0.1.0, local:two/b@0.1.0
            hint: export an interface named `stages` from the module's world: `export stages;`"#]],
        );
        let apart = "package local:apart@0.1.0; interface tools { resource tool { constructor(); } }
            world module { export tools; }";
        check(
            &component(apart, &[]),
            &expect![[r#"
            it has no stages to import
            hint: export an interface named `stages` from the module's world: `export stages;`"#]],
        );
        let inline = "package local:three@0.1.0; world module { export mine: interface { x: func(); } }";
        check(
            &component(inline, &[]),
            &expect![[r#"
            its interface `mine` is in no package
            hint: declare a package in its WIT, as in `package local:lint@0.1.0;`"#]],
        );
    }
}
