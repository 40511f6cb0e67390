//! A short notation for functions, as in `build(src: directory, jobs: option<u32>) -> result<file>`.

use api::{CustomType, ObjectType, Signature, Type};

use crate::library::ModuleTypes;

/// The interface of all custom objects in tests.
const INTERFACE: &str = "test:objects/stages";

/// The objects of `pipeline:api` in the tests.
const OBJECTS: &[&str] = &["container", "directory", "file", "secret", "exec-options"];

/// Parses one function per line. `new linter(strict: bool)` is a constructor, `linter.check() -> string` a method.
/// Unknown types are custom objects.
pub(super) fn module(text: &str) -> ModuleTypes {
    let mut module = ModuleTypes::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let is_method = line.split('(').next().is_some_and(|name| name.contains('.'));
        if let Some(constructor) = line.strip_prefix("new ") {
            let mut signature = signature(constructor);
            signature.result = Some(custom(&signature.name));
            let name = signature.name.clone();
            object(&mut module, &name).constructor = Some(signature);
        } else if is_method {
            let (name, method) = line.split_once('.').unwrap();
            let mut signature = signature(method);
            signature.params.insert(0, ("self".to_owned(), custom(name)));
            object(&mut module, name).methods.push(signature);
        } else {
            module.stages.push(signature(line));
        }
    }
    module
}

fn object<'m>(module: &'m mut ModuleTypes, name: &str) -> &'m mut ObjectType {
    if !module.objects.iter().any(|object| object.name == name) {
        let (methods, statics) = (Vec::new(), Vec::new());
        module.objects.push(ObjectType { name: name.to_owned(), constructor: None, methods, statics });
    }
    module.objects.iter_mut().find(|object| object.name == name).unwrap()
}

fn custom(name: &str) -> Type {
    Type::Custom(CustomType { interface: INTERFACE.to_owned(), name: name.to_owned() })
}

fn signature(text: &str) -> Signature {
    let (head, result) = match text.split_once("->") {
        Some((head, result)) => (head, Some(ty(result))),
        None => (text, None),
    };
    let (name, params) = head.trim().split_once('(').unwrap();
    let params = split(params.strip_suffix(')').unwrap()).into_iter().map(|param| {
        let (name, param) = param.split_once(':').unwrap();
        (name.trim().to_owned(), ty(param))
    });
    Signature { name: name.to_owned(), params: params.collect(), result }
}

fn ty(text: &str) -> Type {
    let text = text.trim();
    if let Some((outer, inner)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        let mut items = split(inner).into_iter();
        let mut next = || items.next().filter(|item| *item != "_").map(|item| Box::new(ty(item)));
        return match outer {
            "option" => Type::Option(next().unwrap()),
            "list" => Type::List(next().unwrap()),
            "result" => Type::Result(next(), next()),
            other => panic!("`{other}` is no type of tests"),
        };
    }
    match text {
        "bool" => Type::Bool,
        "u32" => Type::U32,
        "string" => Type::String,
        "result" => Type::Result(None, None),
        object if OBJECTS.contains(&object) => Type::Object(object.to_owned()),
        other => custom(other),
    }
}

/// Splits at commas that are not between `<` and `>`.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|c| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}
