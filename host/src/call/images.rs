//! How the command line writes images: where one comes from, and where one goes.
//!
//! The words before the colon are those of skopeo.

use std::path::{Path, PathBuf};

use api::Value;

use super::flags::make_named;
use super::places::{Patterns, Places};
use crate::engine::ImagePlace;
use crate::report::{Report, Result};

/// Returns the container that `text` stands for: a reference as registries and Docker have it, an image in
/// a file, or one in the directory of an OCI layout.
pub(super) fn container(places: &Places<'_>, text: &str) -> Result<Value> {
    let empty = make_named("container", "[constructor]container", Vec::new())?;
    let (method, source) = match text.split_once(':') {
        Some(("oci", rest)) => ("import-layout", layout(places, rest)?),
        Some(("oci-archive" | "docker-archive", rest)) => ("import-image", archive(places, rest)?),
        _ if text.trim().is_empty() => return Err(Report::usage("the name of an image is empty").with_hint(HINT)),
        _ => ("from-image", vec![text.to_owned().into()]),
    };
    make_named("container", &format!("[method]container.{method}"), [vec![empty], source].concat())
}

/// How an image can be given.
const HINT: &str = "an image is given as `alpine:3`, `registry.example/app@sha256:...`, `docker-daemon:NAME`, \
                    `oci:DIRECTORY[:TAG]`, `oci-archive:FILE[:TAG]` or `docker-archive:FILE[:TAG]`";

fn layout(places: &Places<'_>, text: &str) -> Result<Vec<Value>> {
    let (path, tag) = split_tag(places, text);
    Ok(vec![places.directory(&path, &Patterns::default())?, tag])
}

fn archive(places: &Places<'_>, text: &str) -> Result<Vec<Value>> {
    let (path, tag) = split_tag(places, text);
    Ok(vec![places.file(&path)?, tag])
}

/// Splits `PATH:TAG`; a path that exists as a whole has no tag.
fn split_tag(places: &Places<'_>, text: &str) -> (String, Value) {
    match text.split_once(':') {
        Some((path, tag)) if !places.exists(text) => {
            (path.to_owned(), Value::Option(Some(Box::new(tag.to_owned().into()))))
        }
        _ => (text.to_owned(), Value::Option(None)),
    }
}

/// Returns where `-o` puts a container as an image; none for the directory that gets its root file system.
pub(crate) fn place(text: &str, resolve: impl Fn(&str) -> PathBuf) -> Option<ImagePlace> {
    if let Some(reference) = text.strip_prefix("docker://") {
        return Some(ImagePlace::Registry(reference.to_owned()));
    }
    match text.split_once(':') {
        Some(("docker-daemon", name)) => return Some(ImagePlace::Docker(name.to_owned())),
        Some(("oci", path)) => return Some(ImagePlace::Layout(resolve(path))),
        Some(("oci-archive" | "docker-archive", path)) => return Some(ImagePlace::Archive(resolve(path))),
        _ => {}
    }
    Path::new(text).extension().is_some_and(|extension| extension == "tar").then(|| ImagePlace::Archive(resolve(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_goes_where_its_prefix_says() {
        let check = |text: &str, expect: &str| {
            assert_eq!(format!("{:?}", place(text, |path| Path::new("/cwd").join(path))), expect, "{text}");
        };
        check("docker://127.0.0.1:5000/app:1", r#"Some(Registry("127.0.0.1:5000/app:1"))"#);
        check("docker-daemon:app:1", r#"Some(Docker("app:1"))"#);
        check("oci:out", r#"Some(Layout("/cwd/out"))"#);
        check("docker-archive:a.tgz", r#"Some(Archive("/cwd/a.tgz"))"#);
        check("a/image.tar", r#"Some(Archive("/cwd/a/image.tar"))"#);
        check("out", "None");
        check("./oci", "None");
    }
}
