//! Documentation that is there, and that says what the code says.

use std::collections::BTreeSet;

use wit_parser::Resolve;

use super::{files, read, root, shown};

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = files(".rs")
        .iter()
        .filter(|path| {
            let name = shown(path);
            // The files of unit tests belong to the file beside them.
            !name.ends_with("tests.rs") && !read(path).lines().take(3).any(|line| line.starts_with("//!"))
        })
        .map(|path| shown(path))
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn the_list_of_what_is_not_available_is_that_of_the_code() {
    let listed: BTreeSet<String> = read(&root().join("docs/unavailable.md"))
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name.to_owned()))
        .collect();
    let in_code: BTreeSet<String> = api::unavailable()
        .iter()
        .map(|(interface, function)| match function.strip_prefix("[method]") {
            Some(method) => method.to_owned(),
            None => format!("{interface}.{function}"),
        })
        .collect();
    assert_eq!(listed, in_code);
}

#[test]
fn everything_in_the_wit_package_is_documented_and_small() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    let mut wrong = Vec::new();
    for (name, id) in &resolve.packages[package].interfaces {
        let interface = &resolve.interfaces[*id];
        if interface.docs.contents.is_none() {
            wrong.push(format!("interface `{name}` is not documented"));
        }
        for (function, item) in &interface.functions {
            if item.docs.contents.is_none() {
                wrong.push(format!("`{name}.{function}` is not documented"));
            }
            if item.params.len() > 5 {
                wrong.push(format!("`{name}.{function}` has more than four parameters and its object"));
            }
        }
        for (ty, id) in &interface.types {
            let used = matches!(resolve.types[*id].kind, wit_parser::TypeDefKind::Type(_));
            if !used && resolve.types[*id].docs.contents.is_none() {
                wrong.push(format!("type `{name}.{ty}` is not documented"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_wit_package_can_be_encoded_and_read_back() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some("imports")).unwrap();
    let imports = resolve.worlds[world].imports.len();
    assert_eq!(imports, 8, "the interfaces that every module may import");
}

#[test]
fn links_of_the_documentation_lead_to_files() {
    let mut wrong = Vec::new();
    for path in files(".md") {
        let text = read(&path);
        for (_, rest) in text.match_indices("](").map(|(at, _)| text.split_at(at + 2)) {
            let Some((link, _)) = rest.split_once(')') else { continue };
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || link.contains("://") {
                continue;
            }
            if !path.parent().unwrap().join(file).exists() {
                wrong.push(format!("{}: `{link}`", shown(&path)));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
