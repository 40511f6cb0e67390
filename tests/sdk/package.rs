//! The WIT package as the generators of all languages see it.

use std::collections::BTreeSet;

use wit_parser::{Docs, Function, FunctionKind, Handle, Interface, Resolve, Type, TypeDef, TypeDefKind, TypeId};

/// The interfaces whose functions belong to no object.
pub(crate) const FUNCTIONS: &[&str] = &["machine", "sources", "effects", "secret-access", "log"];

/// Interfaces that have a form of their own in every SDK.
const BY_HAND: &[&str] = &["errors"];

/// The package `pipeline:api`.
pub(crate) struct Package {
    resolve: Resolve,
    interfaces: Vec<(String, Interface)>,
}

/// A method, with the options of its twin `NAME-options`.
pub(crate) struct Method<'a> {
    /// The name, as in `with-exec`; of a constructor `new`.
    pub(crate) name: &'a str,
    pub(crate) function: &'a Function,
    /// The twin that takes options, or the method itself if it always does.
    pub(crate) twin: Option<&'a Function>,
    /// The resource of the options, with its methods.
    pub(crate) options: Option<Options<'a>>,
}

/// A resource that collects options.
pub(crate) struct Options<'a> {
    pub(crate) interface: &'a str,
    pub(crate) name: &'a str,
    pub(crate) methods: Vec<&'a Function>,
}

/// A type by what SDKs make of it.
pub(crate) enum Shape<'a> {
    Plain(&'static str),
    Bytes,
    List(Box<Shape<'a>>),
    Option(Box<Shape<'a>>),
    Tuple(Vec<Shape<'a>>),
    /// An object, a record or an enum, by its name.
    Named(&'a str),
}

impl Package {
    /// Reads the package in `wit/`.
    pub(crate) fn read() -> Self {
        let mut resolve = Resolve::default();
        let (id, _) = resolve.push_dir(testkit::root().join("wit")).unwrap();
        let ids = resolve.packages[id].interfaces.clone();
        let interfaces = ids.into_iter().filter(|(name, _)| !BY_HAND.contains(&name.as_str()));
        let interfaces = interfaces.map(|(name, id)| (name, resolve.interfaces[id].clone())).collect();
        Self { resolve, interfaces }
    }

    /// Returns the records and enums, with their interfaces.
    pub(crate) fn values(&self) -> Vec<(&str, &str, &TypeDef)> {
        let is_value = |def: &TypeDef| matches!(def.kind, TypeDefKind::Record(_) | TypeDefKind::Enum(_));
        self.types(is_value).map(|(interface, name, id)| (interface, name, &self.resolve.types[id])).collect()
    }

    /// Returns the objects, without the options, with their interfaces.
    pub(crate) fn objects(&self) -> Vec<(&str, &str, TypeId)> {
        let is_object = |def: &TypeDef| {
            matches!(def.kind, TypeDefKind::Resource) && !def.name.as_ref().unwrap().ends_with("-options")
        };
        self.types(is_object).collect()
    }

    fn types(&self, is_wanted: impl Fn(&TypeDef) -> bool) -> impl Iterator<Item = (&str, &str, TypeId)> {
        let types = self.interfaces.iter().flat_map(|(interface, found)| {
            found.types.iter().map(move |(name, id)| (interface.as_str(), name.as_str(), *id))
        });
        types.filter(move |(_, _, id)| is_wanted(&self.resolve.types[*id]))
    }

    /// Returns the documentation of an object.
    pub(crate) fn docs(&self, id: TypeId) -> String {
        text(&self.resolve.types[id].docs)
    }

    /// Returns the constructor of an object.
    pub(crate) fn constructor(&self, object: TypeId) -> Option<&Function> {
        self.functions_of(object).find(|function| matches!(function.kind, FunctionKind::Constructor(_)))
    }

    /// Returns the methods of an object; a method and its twin with options are one.
    pub(crate) fn methods(&self, object: TypeId) -> Vec<Method<'_>> {
        let methods: Vec<_> =
            self.functions_of(object).filter(|f| !matches!(f.kind, FunctionKind::Constructor(_))).collect();
        let is_twin = |name: &str| {
            name.strip_suffix("-options").is_some_and(|plain| methods.iter().any(|f| f.item_name() == plain))
        };
        let plain = methods.iter().filter(|function| !is_twin(function.item_name()));
        plain
            .map(|function| {
                let name = function.item_name();
                let twin = methods.iter().copied().find(|f| f.item_name() == format!("{name}-options"));
                let twin = twin.or_else(|| self.options(function).map(|_| *function));
                Method { name, function, twin, options: twin.and_then(|twin| self.options(twin)) }
            })
            .collect()
    }

    /// Returns the functions of an interface that belong to no object.
    pub(crate) fn functions(&self, interface: &str) -> Vec<&Function> {
        let (_, found) = self.interfaces.iter().find(|(name, _)| name == interface).unwrap();
        found.functions.values().filter(|function| function.kind.resource().is_none()).collect()
    }

    /// Returns the documentation of an interface.
    pub(crate) fn interface_docs(&self, interface: &str) -> String {
        text(&self.interfaces.iter().find(|(name, _)| name == interface).unwrap().1.docs)
    }

    fn functions_of(&self, object: TypeId) -> impl Iterator<Item = &Function> {
        let functions = self.interfaces.iter().flat_map(|(_, interface)| interface.functions.values());
        functions.filter(move |function| function.kind.resource() == Some(object))
    }

    fn options<'a>(&'a self, function: &'a Function) -> Option<Options<'a>> {
        let last = function.params.last().filter(|param| param.name == "options")?;
        let Shape::Named(name) = self.shape(&last.ty) else { return None };
        let (interface, name, id) = self
            .types(|def| def.name.as_deref() == Some(name))
            .find(|(_, _, id)| matches!(self.resolve.types[*id].kind, TypeDefKind::Resource))?;
        let methods = self.functions_of(id).filter(|f| !matches!(f.kind, FunctionKind::Constructor(_))).collect();
        Some(Options { interface, name, methods })
    }

    /// Returns what SDKs make of a type.
    pub(crate) fn shape(&self, ty: &Type) -> Shape<'_> {
        match ty {
            Type::Bool => Shape::Plain("bool"),
            Type::String | Type::Char => Shape::Plain("string"),
            Type::F32 | Type::F64 => Shape::Plain("float"),
            Type::Id(id) => self.shape_of(*id),
            _ => Shape::Plain("integer"),
        }
    }

    fn shape_of(&self, id: TypeId) -> Shape<'_> {
        let def = &self.resolve.types[id];
        match &def.kind {
            TypeDefKind::List(Type::U8) => Shape::Bytes,
            TypeDefKind::List(item) => Shape::List(Box::new(self.shape(item))),
            TypeDefKind::Option(item) => Shape::Option(Box::new(self.shape(item))),
            TypeDefKind::Tuple(tuple) => Shape::Tuple(tuple.types.iter().map(|ty| self.shape(ty)).collect()),
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.shape_of(*id),
            TypeDefKind::Type(Type::Id(id)) => self.shape_of(*id),
            _ => Shape::Named(def.name.as_deref().unwrap()),
        }
    }

    /// Returns documentation with the names that methods have in a language.
    pub(crate) fn said(&self, text: &str, named: &dyn Fn(&str) -> String) -> String {
        let methods = self.objects().into_iter().flat_map(|(_, _, id)| self.methods(id)).map(|method| method.name);
        let methods: BTreeSet<&str> = methods.collect();
        let plain = text.strip_prefix("LEAF: ").map_or_else(|| text.to_owned(), capitalized);
        let parts = plain.split('`').enumerate();
        let parts = parts.map(|(n, part)| match n % 2 == 1 && methods.contains(part) {
            true => named(part),
            false => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("`")
    }

    /// Returns the value that a function returns, and whether it can fail.
    pub(crate) fn result<'a>(&'a self, function: &'a Function) -> (Option<Shape<'a>>, bool) {
        let Some(ty) = &function.result else { return (None, false) };
        if let Type::Id(id) = ty
            && let TypeDefKind::Result(result) = &self.resolve.types[*id].kind
        {
            return (result.ok.as_ref().map(|ty| self.shape(ty)), true);
        }
        (Some(self.shape(ty)), false)
    }
}

/// Returns a text that begins with a capital letter.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Returns documentation as text.
pub(crate) fn text(docs: &Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().to_owned()
}
