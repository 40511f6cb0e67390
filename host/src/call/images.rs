//! Reads the notations for images: where an image comes from, and where one is written to.
//!
//! The words before the colon are those of skopeo.

use std::path::{Path, PathBuf};

use api::Value;
use graph::Diagnostic as _;
use oci::Reference;

use super::make::make_named;
use super::places::{Patterns, Places};
use crate::platform::ImagePlace;
use crate::report::{Report, Result};

/// Returns the container that `text` names: a reference of a registry or of Docker, an image in a file, or one in the
/// directory of an OCI layout.
pub(super) fn container(places: &Places<'_>, text: &str) -> Result<Value> {
    let empty = make_named("container", "[constructor]container", Vec::new())?;
    let (method, source) = match text.split_once(':') {
        Some(("oci", rest)) => ("import-layout", layout(places, rest)?),
        Some(("oci-archive" | "docker-archive", rest)) => ("import-image", archive(places, rest)?),
        _ if text.trim().is_empty() => return Err(Report::usage("the name of an image is empty").with_hint(HINT)),
        Some(("docker-daemon", name)) => {
            check_reference(name)?;
            ("from-image", vec![text.to_owned().into()])
        }
        _ => {
            check_reference(text)?;
            ("from-image", vec![text.to_owned().into()])
        }
    };
    make_named("container", &format!("[method]container.{method}"), [vec![empty], source].concat())
}

/// The hint that lists the notations.
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

/// Returns the place that `-o` names for an image; none if it names a directory for the root file system.
pub(crate) fn place(text: &str, resolve: impl Fn(&str) -> PathBuf) -> Result<Option<ImagePlace>> {
    let place = match text.split_once(':') {
        Some((kind @ ("docker" | "docker-daemon" | "oci" | "oci-archive" | "docker-archive"), rest))
            if rest.trim_start_matches('/').is_empty() =>
        {
            return Err(Report::usage(format!("`-o {kind}:` names nothing to write to")));
        }
        Some(("docker", rest)) if rest.starts_with("//") => {
            let name = rest.trim_start_matches('/');
            check_reference(name)?;
            Some(ImagePlace::Registry(name.to_owned()))
        }
        Some(("docker-daemon", name)) => {
            check_reference(name)?;
            Some(ImagePlace::Docker(name.to_owned()))
        }
        Some(("oci", path)) => Some(ImagePlace::Layout(resolve(path))),
        Some(("oci-archive" | "docker-archive", path)) => Some(ImagePlace::Archive(resolve(path))),
        _ if Path::new(text).extension().is_some_and(|extension| extension == "tar") => {
            Some(ImagePlace::Archive(resolve(text)))
        }
        _ => None,
    };
    Ok(place)
}

/// Refuses a text that is not the name of an image, before anything runs.
fn check_reference(text: &str) -> Result<()> {
    let parsed: std::result::Result<Reference, _> = text.parse();
    parsed.map(|_| ()).map_err(|error| {
        let report = Report::usage(error.to_string());
        match error.hint() {
            Some(hint) => report.with_hint(hint),
            None => report,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_goes_where_its_prefix_says() {
        let check = |text: &str, expect: &str| {
            let place = place(text, |path| Path::new("/cwd").join(path));
            let shown = place.map_or_else(|_| "refused".to_owned(), |place| format!("{place:?}"));
            assert_eq!(shown, expect, "{text}");
        };
        check("docker://127.0.0.1:5000/app:1", r#"Some(Registry("127.0.0.1:5000/app:1"))"#);
        check("docker-daemon:app:1", r#"Some(Docker("app:1"))"#);
        check("oci:out", r#"Some(Layout("/cwd/out"))"#);
        check("docker-archive:a.tgz", r#"Some(Archive("/cwd/a.tgz"))"#);
        check("a/image.tar", r#"Some(Archive("/cwd/a/image.tar"))"#);
        check("out", "None");
        check("./oci", "None");
        check("oci:", "refused");
        check("docker://UPPER", "refused");
    }
}
