//! Which resources the types of a component stand for.

use api::{CustomType, Object};
use wasmtime::component::ResourceType;

/// A resource of `pipeline:api`, by its place in [`Object::NAMES`], or one that a dependency defines.
///
/// Both are host resources of the component's linker; the numbers of a dependency's come behind those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Imported(pub(crate) u32);

/// The resources of one component.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    /// What it imports from dependencies, in the order of their numbers.
    imported: Vec<CustomType>,
    /// What it defines itself.
    own: Vec<(ResourceType, CustomType)>,
}

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// Of `pipeline:api`.
    Api(Imported),
    /// Of a dependency.
    Dependency(Imported, &'a CustomType),
    /// The component's own.
    Own(&'a CustomType),
}

impl Kinds {
    /// Adds a resource of a dependency.
    pub(crate) fn import(&mut self, ty: CustomType) -> Imported {
        let number = Object::NAMES.len() + self.imported.len();
        self.imported.push(ty);
        Imported(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Adds a resource of the component's own.
    pub(crate) fn define(&mut self, resource: ResourceType, ty: CustomType) {
        self.own.push((resource, ty));
    }

    /// Returns the types of objects that the component defines.
    pub(crate) fn own(&self) -> impl Iterator<Item = &CustomType> {
        self.own.iter().map(|(_, ty)| ty)
    }

    /// Returns what a resource is; none if it belongs to nobody who is known.
    pub(crate) fn find(&self, resource: ResourceType) -> Option<Kind<'_>> {
        if let Some((_, ty)) = self.own.iter().find(|(own, _)| *own == resource) {
            return Some(Kind::Own(ty));
        }
        let n = Object::NAMES.len() + self.imported.len();
        let number = (0..u32::try_from(n).ok()?).find(|number| resource == ResourceType::host_dynamic(*number))?;
        let dependency = (number as usize).checked_sub(Object::NAMES.len()).and_then(|index| self.imported.get(index));
        Some(match dependency {
            Some(ty) => Kind::Dependency(Imported(number), ty),
            None => Kind::Api(Imported(number)),
        })
    }
}

impl Kind<'_> {
    /// Returns its name, as WIT writes it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Api(imported) => object_name(imported.0),
            Self::Dependency(_, ty) | Self::Own(ty) => &ty.name,
        }
    }
}

/// Returns the number of an object by its name.
pub(crate) fn name_index(name: &str) -> Option<u32> {
    Object::NAMES.iter().position(|known| *known == name).and_then(|index| u32::try_from(index).ok())
}

/// Returns the name of an object by its number.
pub(crate) fn object_name(index: u32) -> &'static str {
    Object::NAMES.get(index as usize).copied().unwrap_or("resource")
}
