//! Evaluation, export and publication of objects.

use std::path::Path;
use std::sync::Arc;

use api::{Container, Directory, Object, Value};
use engine::{Failure, FailureCode, ImageTarget};
use graph::PackForm;

use crate::session::Session;

impl Session {
    /// Calls a function of the package `pipeline:api`, as in `container` and `[method]container.stdout`.
    ///
    /// # Errors
    /// Fails with `Unavailable` if this version does not have the function, and with the failure of the function.
    pub async fn invoke(self: &Arc<Self>, interface: &str, function: &str, args: Vec<Value>) -> Result<Value, Failure> {
        let bridge = self.own_bridge();
        self.until_cancelled(api::invoke(&bridge, interface, function, args)).await
    }

    /// Writes a container's root file system, a directory or a file to a path of this machine.
    ///
    /// # Errors
    /// Fails if the object cannot be evaluated or written, or if it is another kind of object.
    pub async fn export(self: &Arc<Self>, object: &Object, target: &Path) -> Result<(), Failure> {
        let object = self.made(object).await?;
        let selection = match &object {
            Object::Container(container) => &container.rootfs,
            Object::Directory(directory) => &directory.selection,
            Object::File(file) => &file.selection,
            other => {
                let message = format!("a {} cannot be written to a file", other.name());
                return Err(Failure::invalid(FailureCode::InvalidArgument, message));
            }
        };
        self.until_cancelled(async {
            let edge = std::slice::from_ref(&selection.edge);
            let solved = self.options.engine.solve(edge).await?.pop();
            let solved = solved.ok_or_else(|| Failure::bug("a solved edge has no value"))?;
            self.options.engine.export(&solved.snapshot, &selection.path, target).await
        })
        .await
    }

    /// Writes a container as an image to a path of this machine: as the directory of an OCI layout, or as a file.
    ///
    /// # Errors
    /// Fails if the object cannot be evaluated or written, or if it is not a container.
    pub async fn export_image(self: &Arc<Self>, object: &Object, form: PackForm, target: &Path) -> Result<(), Failure> {
        let container = self.container(object).await?;
        let image = match form {
            PackForm::Layout => Object::Directory(Arc::new(Directory::at(container.packed(form)))),
            PackForm::Archive => Object::File(Arc::new(container.as_tarball())),
            PackForm::DockerArchive => Object::File(Arc::new(container.as_docker_tarball())),
        };
        self.export(&image, target).await
    }

    /// Publishes a container as an image to a registry or to Docker, and returns the pinned reference.
    ///
    /// # Errors
    /// Fails like `Engine::publish`, and also if the object is not a container.
    pub async fn publish(self: &Arc<Self>, object: &Object, target: &ImageTarget) -> Result<String, Failure> {
        let form = match target {
            ImageTarget::Registry { .. } => PackForm::Layout,
            ImageTarget::Docker { .. } => PackForm::Archive,
        };
        let packed = self.container(object).await?.packed(form);
        self.until_cancelled(self.options.engine.publish(&packed.edge, target)).await
    }

    async fn container(self: &Arc<Self>, object: &Object) -> Result<Arc<Container>, Failure> {
        match self.made(object).await? {
            Object::Container(container) => Ok(container),
            other => {
                let message = format!("a {} is no image", other.name());
                Err(Failure::invalid(FailureCode::InvalidArgument, message))
            }
        }
    }

    /// Returns the object with everything pending in it made.
    pub(crate) async fn made(self: &Arc<Self>, object: &Object) -> Result<Object, Failure> {
        let bridge = self.own_bridge();
        match self.until_cancelled(api::force(&bridge, Value::Object(object.clone()))).await? {
            Value::Object(object) => Ok(object),
            _ => Err(Failure::bug("an object became something else")),
        }
    }
}
