//! The errors of requests to registries, with hints.

use std::fmt;
use std::time::Duration;

use graph::{Blame, Diagnostic};

use crate::Digest;
use crate::credentials::CredentialsError;

use super::endpoint::DOCKER_HUB_HOST;

/// A request to a registry failed, and repeating it did not help.
#[derive(Debug)]
pub struct RegistryError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    subject: String,
    server: String,
    problem: Problem,
}

/// The cause of a failed request.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The repository, the tag or the manifest does not exist.
    #[error("it has no such {0}")]
    NotFound(Missing),
    /// A blob or manifest that a manifest names does not exist any more.
    #[error("it does not have {0} any more")]
    Gone(String),
    /// The registry needs credentials, or does not accept those that it got.
    #[error("{}", unauthorized(*.with_credentials, .detail))]
    Unauthorized {
        /// Whether the request had credentials.
        with_credentials: bool,
        /// The message of the registry; may be empty.
        detail: String,
    },
    /// The registry accepts the credentials and denies access.
    #[error("it refuses access{0}")]
    Forbidden(String),
    /// The configured credentials cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The registry got too many requests.
    #[error("it was asked too often{}", wait(*.0))]
    TooManyRequests(Option<Duration>),
    /// The registry failed.
    #[error("it failed with status {status}{detail}")]
    Server {
        /// The HTTP status, 500 to 599.
        status: u16,
        /// The message of the registry; may be empty.
        detail: String,
        /// The time that the registry asks to wait.
        wait: Option<Duration>,
    },
    /// The token server of the registry failed.
    #[error("its token server `{server}`: {problem}")]
    Token {
        /// The token server.
        server: String,
        /// The cause of the failure.
        problem: Box<Problem>,
    },
    /// No data were sent or accepted for too long.
    #[error("it {doing} for {} s", .after.as_secs_f32())]
    Stalled {
        /// What the server did, such as `sent nothing`.
        doing: &'static str,
        /// The time limit.
        after: Duration,
    },
    /// Data were sent, but too slowly.
    #[error("it sent {bytes} bytes in {} s, and less than {least} are too few", .after.as_secs_f32())]
    Slow {
        /// The number of bytes that arrived.
        bytes: u64,
        /// The least number.
        least: u64,
        /// The time over which they are counted.
        after: Duration,
    },
    /// The connection ended before the data were complete.
    #[error("the connection ended after {received} of {announced} bytes")]
    Truncated {
        /// The number of received bytes.
        received: u64,
        /// The number of announced bytes.
        announced: u64,
    },
    /// The server sent more bytes than announced.
    #[error("it sent more than the {announced} bytes that {announcer} announces")]
    TooLong {
        /// The number of announced bytes.
        announced: u64,
        /// The document or header that announced the number, such as `the manifest`.
        announcer: &'static str,
    },
    /// The server sent fewer bytes than announced, although the connection did not break.
    #[error("it sent {received} bytes, but {announcer} announces {announced}")]
    TooShort {
        /// The number of received bytes.
        received: u64,
        /// The number of announced bytes.
        announced: u64,
        /// The document or header that announced the number, such as `the manifest`.
        announcer: &'static str,
    },
    /// The bytes do not have the requested digest.
    #[error("the data that it sent has the digest {found} instead of {expected}")]
    DigestMismatch {
        /// The requested digest.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// The bytes do not have the digest that the registry claims.
    #[error("it claims the digest {claimed}, but the data that it sent has {found}")]
    ClaimMismatch {
        /// The digest in the header `Docker-Content-Digest`.
        claimed: String,
        /// The digest of the bytes.
        found: Digest,
    },
    /// There is no image for the platform.
    #[error("it has no image for `{wanted}`{}", there_is(.available))]
    WrongPlatform {
        /// The platform, such as `linux/amd64`.
        wanted: String,
        /// The platforms for which there are images.
        available: Vec<String>,
    },
    /// The manifest has a format that is obsolete since 2017.
    #[error("its manifest has the obsolete schema 1, which is not supported")]
    Schema1,
    /// The registry uses a feature that is not supported.
    #[error("{0}")]
    Unsupported(String),
    /// A document is not valid.
    #[error("{what} is not valid: {why}")]
    Invalid {
        /// The document, such as `the manifest`.
        what: String,
        /// The reason why it is not valid.
        why: String,
    },
    /// The server sent a web page instead of an answer of a registry.
    #[error("it answered with a web page")]
    WebPage,
    /// A document exceeds its maximum size.
    #[error("{what} has more than {limit} bytes")]
    TooLarge {
        /// The document, such as `the manifest`.
        what: String,
        /// The maximum size in bytes.
        limit: u64,
    },
    /// The server redirects in a circle, or to a URL that must not be used.
    #[error("{0}")]
    Redirect(String),
    /// The registry refuses to store something.
    #[error("it refused {what} with status {status}{detail}")]
    Refused {
        /// The document or blob, such as `the manifest`.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The message of the registry; may be empty.
        detail: String,
    },
    /// There is no connection, or it broke.
    #[error("{0}")]
    Network(String),
    /// Nothing accepts connections at the address.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// The certificate is not trusted.
    #[error("its certificate cannot be trusted: {0}")]
    Certificate(String),
    /// The server does not speak TLS.
    #[error("it does not speak HTTPS")]
    NotTls,
    /// The server can only be contacted without TLS, and it is not listed as insecure.
    #[error("{0}")]
    Insecure(String),
    /// The downloaded data cannot be written.
    #[error("cannot write the data that it sends: {0}")]
    Write(std::io::Error),
    /// The data to upload cannot be read.
    #[error("cannot read the data to upload: {0}")]
    Read(String),
}

/// The part of a name that a registry does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The repository does not exist.
    Repository,
    /// The tag does not exist.
    Tag,
    /// The manifest does not exist.
    Manifest,
    /// The registry does not say which part does not exist.
    Image,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repository => "repository",
            Self::Tag => "tag",
            Self::Manifest => "manifest",
            Self::Image => "image",
        })
    }
}

fn unauthorized(with_credentials: bool, detail: &str) -> String {
    let reason = if with_credentials { "it does not accept the credentials" } else { "it asks for credentials" };
    format!("{reason}{detail}")
}

fn wait(wait: Option<Duration>) -> String {
    wait.map(|wait| format!(", and asks to wait {} s", wait.as_secs())).unwrap_or_default()
}

fn there_is(available: &[String]) -> String {
    match available {
        [] => ", nor for any other platform".to_owned(),
        some => format!("; there is {}", some.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

impl RegistryError {
    /// Returns an error about a subject, such as "image `alpine:3`", that a server caused.
    pub(super) fn new(subject: impl Into<String>, server: impl Into<String>, problem: Problem) -> Self {
        Self(Box::new(Inner { subject: subject.into(), server: server.into(), problem }))
    }

    /// Returns the cause.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// Returns the server: a registry, a mirror, or a token server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.0.server
    }

    /// Returns whether the same request can succeed later without a change by a person.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.problem.is_transient()
    }
}

impl Problem {
    /// Returns whether the problem can disappear by itself within moments.
    pub(super) fn is_transient(&self) -> bool {
        if let Self::Token { problem, .. } = self {
            return problem.is_transient();
        }
        matches!(
            self,
            Self::TooManyRequests(_)
                | Self::Server { .. }
                | Self::Stalled { .. }
                | Self::Slow { .. }
                | Self::Truncated { .. }
                | Self::Network(_)
                | Self::Unreachable(_)
        )
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { subject, server, problem } = &*self.0;
        write!(f, "{subject}: registry `{server}`: {problem}")
    }
}

impl std::error::Error for RegistryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.problem {
            Problem::Write(error) => Some(error),
            Problem::Credentials(error) => std::error::Error::source(error),
            _ => None,
        }
    }
}

impl Diagnostic for RegistryError {
    fn blame(&self) -> Blame {
        match &self.0.problem {
            Problem::NotFound(_) | Problem::WrongPlatform { .. } => Blame::User,
            Problem::Credentials(error) => error.blame(),
            _ => Blame::Environment,
        }
    }

    fn hint(&self) -> Option<String> {
        hint(&self.0.problem, &self.0.server)
    }
}

fn hint(problem: &Problem, server: &str) -> Option<String> {
    Some(match problem {
        Problem::Token { server, problem } => return hint(problem, server),
        Problem::Credentials(error) => return error.hint(),
        Problem::Unsupported(_) | Problem::Write(_) | Problem::Read(_) => return None,
        Problem::NotFound(_) => "check the name and the tag; a private image may need `docker login`".to_owned(),
        Problem::Gone(_) => "the tag was moved and the old image deleted: pull it again".to_owned(),
        Problem::Unauthorized { with_credentials: true, .. } => format!("run `{}`", login(server)),
        Problem::Unauthorized { .. } => {
            format!("check the name; if the repository is private, run `{}`", login(server))
        }
        Problem::Forbidden(_) => format!("ask the administrator of `{server}` for access, or log in as another user"),
        Problem::TooManyRequests(_) => {
            format!("wait, or run `{}`: the limits are higher after a login", login(server))
        }
        Problem::Server { .. } | Problem::Stalled { .. } | Problem::Slow { .. } | Problem::Truncated { .. } => {
            format!("try again later; if it fails again, ask the administrator of `{server}`")
        }
        Problem::DigestMismatch { .. }
        | Problem::ClaimMismatch { .. }
        | Problem::TooLong { .. }
        | Problem::TooShort { .. }
        | Problem::Invalid { .. }
        | Problem::TooLarge { .. }
        | Problem::Redirect(_) => format!("`{server}` or a proxy in front of it is broken or cannot be trusted"),
        Problem::WebPage => {
            format!("a proxy or the login page of a network may have answered: open `{server}` in a browser")
        }
        Problem::WrongPlatform { available, .. } if available.is_empty() => "choose another image".to_owned(),
        Problem::WrongPlatform { .. } => "choose one of these, or another image".to_owned(),
        Problem::Schema1 => "build the image again with a current tool, and push it".to_owned(),
        Problem::Refused { .. } => format!("ask the administrator of `{server}` what it accepts"),
        Problem::Network(_) | Problem::Unreachable(_) => {
            format!("check the name `{server}`, the network and the proxy")
        }
        Problem::Certificate(_) => {
            format!("check the certificate of `{server}`; SSL_CERT_FILE names a file of authorities")
        }
        Problem::NotTls | Problem::Insecure(_) => {
            format!("if you trust its network, list `{server}` as an insecure registry")
        }
    })
}

/// Returns the command that logs in. Docker's own registry is not named in it.
fn login(server: &str) -> String {
    if server == DOCKER_HUB_HOST { "docker login".to_owned() } else { format!("docker login {server}") }
}
