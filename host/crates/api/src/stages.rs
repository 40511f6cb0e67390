//! The interface whose functions are the stages of a module, and the functions that can be stages.
//!
//! The runtime asks for it with a compiled component, and the tools for importers with the bytes of one. Both get the
//! same answer.

use crate::types::{Signature, Type};

/// The reason why a component has no interface of stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoStages {
    /// The component exports no interface of its own whose functions can be stages.
    Missing,
    /// The component exports several such interfaces, and none of them is named `stages`.
    Ambiguous {
        /// The names of the interfaces.
        candidates: Vec<String>,
    },
}

/// Finds the interface whose functions are the stages among those that a component exports.
///
/// It is the interface named `stages`; without one, the only interface for which `can_be_stages` says yes (see
/// [`can_be_stage`]). Interfaces of WASI and of `pipeline:api` are not the module's own.
///
/// # Errors
/// Fails if there is no such interface, or more than one.
pub fn stage_interface<'a>(
    exported: impl IntoIterator<Item = &'a str>,
    can_be_stages: impl Fn(&str) -> bool,
) -> Result<&'a str, NoStages> {
    // The runtimes of some languages export functions of their own beside the interface.
    let is_own = |name: &&str| !name.starts_with("wasi:") && !name.starts_with("pipeline:");
    let mut own: Vec<&str> = exported.into_iter().filter(is_own).collect();
    let is_named = |name: &str| name.split('@').next().is_some_and(|path| path.ends_with("/stages"));
    let is_one_named = own.iter().any(|name| is_named(name));
    own.retain(|name| if is_one_named { is_named(name) } else { can_be_stages(name) });
    match own.as_slice() {
        [] => Err(NoStages::Missing),
        [only] => Ok(only),
        _ => Err(NoStages::Ambiguous { candidates: own.into_iter().map(str::to_owned).collect() }),
    }
}

/// Returns whether a function can be a stage of an interface that is not named `stages`: it belongs to no resource,
/// and no object of a module is among its types.
///
/// `name` is its name in WIT, as in `check` or `[method]linter.check`.
#[must_use]
pub fn can_be_stage(name: &str, signature: &Signature) -> bool {
    let mut types = signature.params.iter().map(|(_, ty)| ty).chain(&signature.result);
    !name.starts_with('[') && types.all(|ty| ty.find(&|ty| matches!(ty, Type::Custom(_) | Type::Other(_))).is_none())
}

/// Returns the reason why nobody can call a function, if there is one: a type that has no values here.
#[must_use]
pub fn obstacle(signature: &Signature) -> Option<String> {
    let other = |ty: &Type| match ty.find(&|ty| matches!(ty, Type::Other(_))) {
        Some(Type::Other(what)) => Some(what.clone()),
        _ => None,
    };
    let of_param = |(name, ty): &(String, Type)| Some(format!("its parameter `{name}` has {} in it", other(ty)?));
    let of_result = |ty: &Type| Some(format!("its result has {} in it", other(ty)?));
    signature.params.iter().find_map(of_param).or_else(|| signature.result.as_ref().and_then(of_result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::CustomType;

    fn check(exported: &[&str], callable: &[&str], expect: Result<&str, NoStages>) {
        assert_eq!(stage_interface(exported.iter().copied(), |name| callable.contains(&name)), expect);
    }

    #[test]
    fn the_interface_named_stages_has_them_whatever_is_beside_it() {
        let exported = ["wasi:cli/run@0.2.3", "local:demo/stages@0.1.0", "local:demo/tools@0.1.0"];
        check(&exported, &[], Ok("local:demo/stages@0.1.0"));
        check(&exported, &["local:demo/tools@0.1.0"], Ok("local:demo/stages@0.1.0"));
    }

    #[test]
    fn without_that_name_it_is_the_only_interface_that_can_be_called() {
        check(&["a:b/tools", "a:b/checks"], &["a:b/checks"], Ok("a:b/checks"));
        check(&["a:b/tools"], &[], Err(NoStages::Missing));
        check(&["wasi:cli/run@0.2.3"], &["wasi:cli/run@0.2.3"], Err(NoStages::Missing));
        let candidates = vec!["a:b/tools".to_owned(), "a:b/checks".to_owned()];
        check(&["a:b/tools", "a:b/checks"], &["a:b/tools", "a:b/checks"], Err(NoStages::Ambiguous { candidates }));
    }

    #[test]
    fn a_function_of_objects_can_be_a_stage_only_where_the_interface_says_so() {
        let linter = Type::Custom(CustomType { interface: "a:b/tools".to_owned(), name: "linter".to_owned() });
        let signature = |ty: Type| Signature { name: "f".to_owned(), params: vec![("x".to_owned(), ty)], result: None };
        assert!(can_be_stage("f", &signature(Type::Object("directory".to_owned()))));
        assert!(!can_be_stage("f", &signature(Type::List(Box::new(linter.clone())))));
        assert!(!can_be_stage("[method]linter.f", &signature(Type::Bool)));
        assert_eq!(obstacle(&signature(linter)), None);
        let future = Type::Option(Box::new(Type::Other("a future".to_owned())));
        assert_eq!(obstacle(&signature(future)).as_deref(), Some("its parameter `x` has a future in it"));
    }
}
