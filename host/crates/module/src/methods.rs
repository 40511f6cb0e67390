//! The methods of `pipeline:api` as people call them: a method and its twin with options are one.

use api::Type;

use crate::wit::{ApiFunction, api_methods_of};

/// What the name of a method's twin with options ends with.
const TWIN: &str = "-options";

/// A method, as `with-exec`, and its twin with options, as `with-exec-options`.
#[derive(Debug, Clone, Copy)]
pub struct ApiMethod {
    /// The method without options. A method that only exists with options is here, too.
    pub plain: &'static ApiFunction,
    /// The same method with options.
    pub twin: Option<&'static ApiFunction>,
}

impl ApiMethod {
    /// Returns the name of the method, as in `with-exec`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.plain.name
    }

    /// Returns the function that takes all that the method can be given.
    #[must_use]
    pub fn widest(&self) -> &'static ApiFunction {
        self.twin.unwrap_or(self.plain)
    }
}

/// Returns the methods of a resource of `pipeline:api`, in the order of the package.
#[must_use]
pub fn methods_of(resource: &str) -> Vec<ApiMethod> {
    let functions = api_methods_of(resource);
    let named = |name: &str| functions.iter().find(|function| function.name == name).copied();
    let plain = functions.iter().filter(|function| base(&function.name).and_then(named).is_none());
    plain.map(|plain| ApiMethod { plain, twin: named(&format!("{}{TWIN}", plain.name)) }).collect()
}

/// Finds a method by its name, or by that of its twin.
#[must_use]
pub fn find_method(resource: &str, name: &str) -> Option<ApiMethod> {
    let methods = methods_of(resource);
    let find = |name: &str| methods.iter().find(|method| method.name() == name).copied();
    find(name).or_else(|| base(name).and_then(find).filter(|method| method.twin.is_some()))
}

/// Returns the methods of a resource by what they return: each group with its title, and the object itself first.
#[must_use]
pub fn grouped_methods(resource: &str) -> Vec<(String, Vec<ApiMethod>)> {
    let mut groups: Vec<(String, Vec<ApiMethod>)> = vec![(title(resource), Vec::new())];
    let mut values = Vec::new();
    for method in methods_of(resource) {
        let Some(title) = object(method.plain.signature.result.as_ref()).map(title) else {
            values.push(method);
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, group)) => group.push(method),
            None => groups.push((title, vec![method])),
        }
    }
    groups.push(("Methods that return a value".to_owned(), values));
    groups.retain(|(_, group)| !group.is_empty());
    groups
}

fn title(object: &str) -> String {
    format!("Methods that return a {object}")
}

/// Returns the name of the object in a result.
fn object(ty: Option<&Type>) -> Option<&str> {
    match ty? {
        Type::Object(name) => Some(name),
        Type::Result(ok, _) => object(ok.as_deref()),
        Type::Option(item) => object(Some(item)),
        _ => None,
    }
}

fn base(name: &str) -> Option<&str> {
    name.strip_suffix(TWIN)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_method_and_its_twin_are_one() {
        let shown = |name: &str| {
            let method = find_method("container", name)?;
            Some((method.name(), method.widest().name.as_str()))
        };
        assert_eq!(shown("with-exec"), Some(("with-exec", "with-exec-options")));
        assert_eq!(shown("with-exec-options"), Some(("with-exec", "with-exec-options")));
        assert_eq!(shown("stdout"), Some(("stdout", "stdout")));
        assert_eq!(shown("stdout-options"), None);
        assert!(
            ["container", "directory"].into_iter().flat_map(methods_of).all(|method| base(method.name()).is_none())
        );
    }

    #[test]
    fn a_twin_takes_what_its_method_takes_and_options_behind() {
        for method in ["container", "directory", "file", "service"].into_iter().flat_map(methods_of) {
            let Some(twin) = method.twin else { continue };
            let names = |function: &ApiFunction| -> Vec<String> {
                function.signature.params.iter().map(|(name, _)| name.clone()).collect()
            };
            assert_eq!([names(method.plain), vec!["options".to_owned()]].concat(), names(twin), "{}", method.name());
            assert_eq!(method.plain.signature.result, twin.signature.result, "{}", method.name());
        }
    }

    #[test]
    fn methods_are_grouped_by_what_they_return() {
        let shown: Vec<String> = grouped_methods("file")
            .into_iter()
            .map(|(title, group)| {
                format!("{title}: {}", group.iter().map(ApiMethod::name).collect::<Vec<_>>().join(", "))
            })
            .collect();
        expect![[r#"
            Methods that return a file: with-name, with-replaced
            Methods that return a value: id, name, contents, read, size, digest, stat, sync, start"#]]
        .assert_eq(&shown.join("\n"));
    }
}
