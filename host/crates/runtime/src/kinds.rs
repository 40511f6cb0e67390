//! The resources of a component's types.

use api::{CustomType, Object};
use wasmtime::component::ResourceType;

/// An imported resource: one of `pipeline:api`, by its position in [`Object::NAMES`], or one of a dependency.
///
/// Both are host resources of the component's linker. The numbers of dependencies come after those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Imported(pub(crate) u32);

/// The resources of one component.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    /// The resources of dependencies, in the order of their numbers.
    imported: Vec<CustomType>,
    /// The resources that the component defines.
    own: Vec<(ResourceType, CustomType)>,
}

/// The kind of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A resource of `pipeline:api`.
    Api(Imported),
    /// A resource of a dependency.
    Dependency(Imported, &'a CustomType),
    /// A resource of the component itself.
    Own(&'a CustomType),
}

impl Kinds {
    /// Adds a resource of a dependency.
    pub(crate) fn import(&mut self, ty: CustomType) -> Imported {
        let number = Object::NAMES.len() + self.imported.len();
        self.imported.push(ty);
        Imported(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Adds a resource of the component itself.
    pub(crate) fn define(&mut self, resource: ResourceType, ty: CustomType) {
        self.own.push((resource, ty));
    }

    /// Returns the types of objects that the component defines.
    pub(crate) fn own(&self) -> impl Iterator<Item = &CustomType> {
        self.own.iter().map(|(_, ty)| ty)
    }

    /// Returns the kind of a resource; none if the resource is unknown.
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
    /// Returns the name of the resource in WIT.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Api(imported) => object_name(imported.0),
            Self::Dependency(_, ty) | Self::Own(ty) => &ty.name,
        }
    }
}

/// Returns the number of an object's resource by its name.
pub(crate) fn name_index(name: &str) -> Option<u32> {
    Object::NAMES.iter().position(|known| *known == name).and_then(|index| u32::try_from(index).ok())
}

/// Returns the name of an object's resource by its number.
pub(crate) fn object_name(index: u32) -> &'static str {
    Object::NAMES.get(index as usize).copied().unwrap_or("resource")
}
