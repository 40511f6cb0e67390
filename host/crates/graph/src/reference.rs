//! The names of images: as people write them, and as registries understand them.
//!
//! Source: the package `github.com/distribution/reference`, which Docker uses.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::diagnostic::{Blame, Diagnostic};
use crate::image_digest::ImageDigest as Digest;

#[cfg(test)]
mod tests;

/// The registry of a name that does not have one.
pub const DEFAULT_REGISTRY: &str = "docker.io";
/// The tag of a name that has neither a tag nor a digest.
pub const DEFAULT_TAG: &str = "latest";
/// The limit on the length of a repository, in bytes.
const MAX_REPOSITORY: usize = 255;
/// The limit on the length of a tag, in bytes.
const MAX_TAG: usize = 128;

/// The name of an image: a registry, a repository, and a tag, a digest or both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    repository: Repository,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A repository in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: String,
    path: String,
}

impl Repository {
    /// Returns the registry as it is written: `docker.io`, or `localhost:5000`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the path in the registry, as in `library/alpine`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the name of the image in this repository that has `digest`.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Reference {
        Reference { repository: self.clone(), tag: None, digest: Some(digest) }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

/// A text that is not the name of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the name of an image: {mistake}")]
pub struct ReferenceError {
    /// The text as it was written.
    pub text: String,
    /// The mistake in the text.
    pub mistake: Mistake,
}

/// The mistake in the name of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The name is empty, or only a tag.
    #[error("it has no repository")]
    NoRepository,
    /// The name begins with a scheme, as in `https://`.
    #[error("it begins with `{0}`, but the name of an image has no scheme")]
    Scheme(String),
    /// The repository has upper case letters.
    #[error("the repository `{0}` has upper case letters")]
    UpperCase(String),
    /// A component of the repository has characters that are not allowed.
    #[error("`{0}` in its repository is not made of a-z and 0-9, joined by `.`, `_`, `__` or `-`")]
    Component(String),
    /// The registry is not a host or an address, as in `host:`.
    #[error("`{0}` is not a registry: write a host name or an address, with `:` and a port if needed")]
    Registry(String),
    /// Nothing follows the colon before the tag.
    #[error("its tag is empty")]
    EmptyTag,
    /// The tag has characters that are not allowed.
    #[error("the tag `{0}` is not made of letters, digits, `_`, `.` and `-`, the first one a letter, a digit or `_`")]
    Tag(String),
    /// The tag is too long.
    #[error("its tag has {0} characters, and at most {MAX_TAG} are allowed")]
    LongTag(usize),
    /// The repository is too long.
    #[error("its repository has {0} characters, and at most {MAX_REPOSITORY} are allowed")]
    LongRepository(usize),
    /// The text after the `@` is not a digest.
    #[error("its digest `{0}` is not `sha256:` with 64 hex digits")]
    Digest(String),
    /// The name has the form of an image id, which registries do not know.
    #[error("64 hex digits are the id of a local image, which a registry does not know")]
    ImageId,
}

impl Diagnostic for ReferenceError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn hint(&self) -> Option<String> {
        let name = match &self.mistake {
            Mistake::UpperCase(_) => return Some(format!("write `{}`", self.text.to_lowercase())),
            Mistake::Scheme(scheme) => {
                return Some(format!("write `{}`", self.text.trim_start_matches(scheme.as_str())));
            }
            Mistake::EmptyTag => return Some("remove the colon, or write a tag such as `latest`".to_owned()),
            Mistake::Digest(_) => "alpine@sha256:…",
            _ => "docker.io/library/alpine:3.20",
        };
        Some(format!("a name looks like `{name}`"))
    }
}

impl Reference {
    /// Returns the registry as it is written: `docker.io`, or `localhost:5000`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.repository.registry
    }

    /// Returns the path of the repository in its registry, as in `library/alpine`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository.path
    }

    /// Returns the repository with its registry.
    #[must_use]
    pub fn full_repository(&self) -> &Repository {
        &self.repository
    }

    /// Returns the tag. A name without tag and digest has the tag `latest`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, if the name has one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Returns the name with a digest. The tag stays, for people.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// Returns the name in its short form, without the parts that Docker Hub does not need.
    #[must_use]
    pub fn familiar(&self) -> String {
        let full = self.to_string();
        let Some(short) = full.strip_prefix("docker.io/") else { return full };
        short.strip_prefix("library/").filter(|rest| !rest.contains('/')).unwrap_or(short).to_owned()
    }

    /// Returns the digest, or else the tag: the part of the name that a registry is asked for.
    #[must_use]
    pub fn selector(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => DEFAULT_TAG.to_owned(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        parse(text).map_err(|mistake| ReferenceError { text: text.to_owned(), mistake })
    }
}

fn parse(text: &str) -> Result<Reference, Mistake> {
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(Mistake::Scheme(format!("{scheme}://")));
    }
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return Err(Mistake::ImageId);
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.parse().map_err(|_| Mistake::Digest(digest.to_owned()))?)),
        None => (text, None),
    };
    let (registry, path) = split_registry(rest);
    check_registry(registry)?;
    let (path, tag) = match path.split_once(':') {
        Some((path, tag)) => (path, Some(checked_tag(tag)?)),
        None => (path, None),
    };
    let registry = if registry == "index.docker.io" { DEFAULT_REGISTRY } else { registry };
    check_repository(path)?;
    let is_official = registry == DEFAULT_REGISTRY && !path.contains('/');
    let repository = if is_official { format!("library/{path}") } else { path.to_owned() };
    if repository.len() > MAX_REPOSITORY {
        return Err(Mistake::LongRepository(repository.len()));
    }
    let tag = tag.or_else(|| digest.is_none().then(|| DEFAULT_TAG.to_owned()));
    Ok(Reference { repository: Repository { registry: registry.to_owned(), path: repository }, tag, digest })
}

/// The part before the first slash is a registry if it cannot be part of a repository: if it has a dot, a colon or an
/// upper case letter, or is `localhost`.
fn split_registry(text: &str) -> (&str, &str) {
    let is_registry = |first: &str| {
        first.contains(['.', ':', '[']) || first == "localhost" || first.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    match text.split_once('/') {
        Some((first, path)) if is_registry(first) => (first, path),
        _ => (DEFAULT_REGISTRY, text),
    }
}

fn check_registry(registry: &str) -> Result<(), Mistake> {
    let wrong = || Mistake::Registry(registry.to_owned());
    let (host, port) = host_and_port(registry).ok_or_else(wrong)?;
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.split('.').all(is_label),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number != 0));
    if is_host && is_port { Ok(()) } else { Err(wrong()) }
}

/// Splits `host:port`. An IPv6 address is in brackets. Returns none if the brackets are followed by anything but a
/// port.
#[must_use]
pub fn host_and_port(registry: &str) -> Option<(&str, Option<&str>)> {
    let end =
        if registry.starts_with('[') { registry.find(']')? + 1 } else { registry.find(':').unwrap_or(registry.len()) };
    let (host, rest) = registry.split_at(end);
    match rest.strip_prefix(':') {
        Some(port) => Some((host, Some(port))),
        None if rest.is_empty() => Some((host, None)),
        None => None,
    }
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

fn checked_tag(tag: &str) -> Result<String, Mistake> {
    if tag.is_empty() {
        return Err(Mistake::EmptyTag);
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_inner = |byte: u8| is_word(byte) || byte == b'.' || byte == b'-';
    if !tag.bytes().all(is_inner) || !tag.bytes().next().is_some_and(is_word) {
        return Err(Mistake::Tag(tag.to_owned()));
    }
    if tag.len() > MAX_TAG {
        return Err(Mistake::LongTag(tag.len()));
    }
    Ok(tag.to_owned())
}

fn check_repository(path: &str) -> Result<(), Mistake> {
    if path.is_empty() {
        return Err(Mistake::NoRepository);
    }
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Mistake::UpperCase(path.to_owned()));
    }
    match path.split('/').find(|component| !is_component(component)) {
        Some(component) => Err(Mistake::Component(component.to_owned())),
        None => Ok(()),
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators = component.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let ends = [component.bytes().next(), component.bytes().next_back()];
    ends.iter().all(|byte| byte.is_some_and(is_word))
        && separators
            .filter(|text| !text.is_empty())
            .all(|text| matches!(text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-'))
}
