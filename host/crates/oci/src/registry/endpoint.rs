//! The servers of a registry: their hosts, and whether they are contacted with TLS.

use std::collections::BTreeMap;
use std::net::IpAddr;

use graph::{Blame, Diagnostic};
use reqwest::Url;

use super::error::Problem;
use graph::reference::{DEFAULT_REGISTRY, Reference, host_and_port};

/// The host of `docker.io`.
pub(super) const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// The URL of a mirror is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mirror `{mirror}` of `{registry}` is not a URL that begins with `http://` or `https://`")]
pub struct MirrorError {
    /// The registry of the mirror.
    pub registry: String,
    /// The URL that is not valid.
    pub mirror: String,
}

impl Diagnostic for MirrorError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn hint(&self) -> Option<String> {
        Some("a mirror looks like `https://mirror.example.com`".to_owned())
    }
}

/// A server that has the images of a registry, or may have them.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// The name of the server in messages.
    pub(super) name: String,
    /// The name under which the credentials are stored.
    pub(super) login: String,
    /// Whether the server is a mirror, after which another server can be asked.
    pub(super) is_mirror: bool,
    base: Url,
}

impl Endpoint {
    /// Returns the URL of a resource in a repository, such as `manifests` and `latest`.
    pub(super) fn url(&self, repository: &str, kind: &str, name: &str) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}/v2/{repository}/{kind}/{name}", self.base.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// Returns whether a URL belongs to this server, so that it may receive the server's
    /// credentials.
    pub(super) fn has(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }
}

/// The servers from which an image is read.
#[derive(Debug)]
pub(super) struct Servers {
    /// The mirrors, in the order in which they are asked.
    pub(super) mirrors: Vec<Endpoint>,
    /// The registry itself.
    pub(super) own: Endpoint,
}

/// The servers of all registries.
#[derive(Debug, Clone, Default)]
pub(super) struct Endpoints {
    mirrors: BTreeMap<String, Vec<Url>>,
    insecure: Vec<String>,
}

impl Endpoints {
    /// Returns the servers for these mirrors, and for the registries that are contacted without
    /// TLS.
    pub(super) fn new(mirrors: &BTreeMap<String, Vec<String>>, insecure: &[String]) -> Result<Self, MirrorError> {
        let parse = |registry: &String, mirror: &String| {
            let url = mirror.parse::<Url>().ok();
            let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
            url.filter(is_web).ok_or_else(|| MirrorError { registry: registry.clone(), mirror: mirror.clone() })
        };
        let mirrors = mirrors.iter().map(|(registry, urls)| {
            Ok((registry.clone(), urls.iter().map(|url| parse(registry, url)).collect::<Result<_, _>>()?))
        });
        Ok(Self { mirrors: mirrors.collect::<Result<_, _>>()?, insecure: insecure.to_vec() })
    }

    /// Returns the servers from which an image is read.
    pub(super) fn to_read(&self, reference: &Reference) -> Result<Servers, Problem> {
        let mirrors = self.mirrors.get(reference.registry()).into_iter().flatten();
        let mirrors = mirrors.map(|url| {
            let name = authority(url);
            Endpoint { login: name.clone(), name, is_mirror: true, base: url.clone() }
        });
        Ok(Servers { mirrors: mirrors.collect(), own: self.own(reference)? })
    }

    /// Returns the registry itself.
    pub(super) fn own(&self, reference: &Reference) -> Result<Endpoint, Problem> {
        let registry = reference.registry();
        let name = if registry == DEFAULT_REGISTRY { DOCKER_HUB_HOST } else { registry };
        let scheme = if self.may_be_plain(registry) { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{name}/"))
            .map_err(|error| Problem::Unsupported(format!("`{name}` cannot be part of a URL: {error}")))?;
        Ok(Endpoint { name: name.to_owned(), login: registry.to_owned(), is_mirror: false, base })
    }

    /// Returns whether a host, with or without a port, is contacted without TLS: it is this
    /// machine, or it is listed with or without its port.
    pub(super) fn may_be_plain(&self, authority: &str) -> bool {
        let host = host_and_port(authority).map_or(authority, |(host, _)| host);
        self.insecure.iter().any(|insecure| insecure == authority || insecure == host) || is_loopback(host)
    }
}

/// Returns `host`, or `host:port` if the port is not the default of the scheme.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(endpoints: &Endpoints, name: &str) -> String {
        let reference: Reference = name.parse().unwrap();
        let servers = endpoints.to_read(&reference).unwrap();
        let urls = servers
            .mirrors
            .iter()
            .chain([&servers.own])
            .map(|it| it.url(reference.repository(), "manifests", &reference.selector()));
        urls.map(|url| url.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn loopback_and_listed_registries_are_asked_without_tls() {
        let insecure = ["lan.example".to_owned(), "other.example:81".to_owned()];
        let endpoints = Endpoints::new(&BTreeMap::new(), &insecure).unwrap();
        let check = |name: &str, url: &str| assert_eq!(urls(&endpoints, name), url, "{name}");
        check("alpine", "https://registry-1.docker.io/v2/library/alpine/manifests/latest");
        check("localhost/x", "http://localhost/v2/x/manifests/latest");
        check("127.1.2.3:5000/x:1", "http://127.1.2.3:5000/v2/x/manifests/1");
        check("[::1]:5000/x:1", "http://[::1]:5000/v2/x/manifests/1");
        check("192.168.1.1:5000/x:1", "https://192.168.1.1:5000/v2/x/manifests/1");
        check("127.0.0.1.example/x:1", "https://127.0.0.1.example/v2/x/manifests/1");
        check("lan.example:80/x:1", "http://lan.example/v2/x/manifests/1");
        check("other.example/x:1", "https://other.example/v2/x/manifests/1");
        check("other.example:81/x:1", "http://other.example:81/v2/x/manifests/1");
    }

    #[test]
    fn mirrors_come_before_the_registry() {
        let mirrors = ["https://mirror.example/hub/", "http://127.0.0.1:5000"].map(str::to_owned).to_vec();
        let mirrors = BTreeMap::from([("docker.io".to_owned(), mirrors)]);
        let endpoints = Endpoints::new(&mirrors, &[]).unwrap();
        assert_eq!(
            urls(&endpoints, "a/b:1"),
            "https://mirror.example/hub/v2/a/b/manifests/1 http://127.0.0.1:5000/v2/a/b/manifests/1 \
             https://registry-1.docker.io/v2/a/b/manifests/1"
        );
        assert_eq!(urls(&endpoints, "ghcr.io/b:1"), "https://ghcr.io/v2/b/manifests/1");
    }

    #[test]
    fn a_mirror_is_a_url() {
        let mirrors = BTreeMap::from([("docker.io".to_owned(), vec!["mirror.example:5000".to_owned()])]);
        assert_eq!(
            Endpoints::new(&mirrors, &[]).unwrap_err().to_string(),
            "the mirror `mirror.example:5000` of `docker.io` is not a URL that begins with `http://` or `https://`"
        );
    }
}
