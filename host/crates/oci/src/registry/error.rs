//! What can go wrong between this machine and a registry, and the way out.

use std::fmt;
use std::time::Duration;

use graph::{Blame, Diagnostic};

use crate::Digest;
use crate::credentials::CredentialsError;

use super::endpoint::DOCKER_HUB_HOST;

/// A request to a registry that failed for good.
#[derive(Debug)]
pub struct RegistryError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    subject: String,
    server: String,
    problem: Problem,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no such repository, tag or manifest.
    #[error("it knows no such {0}")]
    NotFound(Missing),
    /// What a manifest names is not there any more.
    #[error("it does not have {0} any more")]
    Gone(String),
    /// It wants to know who asks, or does not believe it.
    #[error("{}", unauthorized(*.with_credentials, .detail))]
    Unauthorized {
        /// Whether it was shown a credential.
        with_credentials: bool,
        /// What it said, if anything.
        detail: String,
    },
    /// It knows who asks, and refuses.
    #[error("it refuses access{0}")]
    Forbidden(String),
    /// The credentials that are configured cannot be had.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// It was asked too often.
    #[error("it was asked too often{}", wait(*.0))]
    TooManyRequests(Option<Duration>),
    /// It failed.
    #[error("it failed with status {status}{detail}")]
    Server {
        /// The HTTP status, 500 to 599.
        status: u16,
        /// What it said, if anything.
        detail: String,
        /// How long it asks to wait.
        wait: Option<Duration>,
    },
    /// Who issues its tokens failed.
    #[error("its token server `{server}`: {problem}")]
    Token {
        /// Who issues its tokens.
        server: String,
        /// What went wrong there.
        problem: Box<Problem>,
    },
    /// Nothing came, or was taken, for too long.
    #[error("it {doing} for {} s", .after.as_secs_f32())]
    Stalled {
        /// As in `sent nothing`.
        doing: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// The connection ended before everything was there.
    #[error("the connection ended after {received} of {announced} bytes")]
    Truncated {
        /// How many bytes came.
        received: u64,
        /// How many should have.
        announced: u64,
    },
    /// More came than was announced.
    #[error("it sent more than the {announced} bytes that {announcer} announces")]
    TooLong {
        /// How many bytes should have come.
        announced: u64,
        /// As in `the manifest`.
        announcer: &'static str,
    },
    /// Less came than was announced, and not because of the connection.
    #[error("it sent {received} bytes, and {announcer} announces {announced}")]
    TooShort {
        /// How many bytes came.
        received: u64,
        /// How many should have.
        announced: u64,
        /// As in `the manifest`.
        announcer: &'static str,
    },
    /// The bytes are not those that were asked for.
    #[error("what it sent has the digest {found}, and {expected} was asked for")]
    DigestMismatch {
        /// Of what was asked for.
        expected: Digest,
        /// Of what came.
        found: Digest,
    },
    /// The registry contradicts itself.
    #[error("it says that the digest is {claimed}, and what it sent has {found}")]
    ClaimMismatch {
        /// In its header `Docker-Content-Digest`.
        claimed: String,
        /// Of what came.
        found: Digest,
    },
    /// The image is not made for this platform.
    #[error("it has no image for `{wanted}`{}", there_is(.available))]
    WrongPlatform {
        /// As in `linux/amd64`.
        wanted: String,
        /// What there is.
        available: Vec<String>,
    },
    /// A manifest of before 2017.
    #[error("its manifest has schema 1, which Docker gave up and this program does not read")]
    Schema1,
    /// Something that this program does not do.
    #[error("{0}")]
    Unsupported(String),
    /// What it sent is not what it should be.
    #[error("{what} is not valid: {why}")]
    Invalid {
        /// As in `the manifest`.
        what: String,
        /// Why.
        why: String,
    },
    /// A web page where there should be an answer of a registry.
    #[error("it answered with a web page")]
    WebPage,
    /// More than can be sensible.
    #[error("{what} has more than {limit} bytes")]
    TooLarge {
        /// As in `the manifest`.
        what: String,
        /// How many are taken.
        limit: u64,
    },
    /// It redirects in a circle, or to where nobody may go.
    #[error("{0}")]
    Redirect(String),
    /// It refused what was to be stored.
    #[error("it refused {what} with status {status}{detail}")]
    Refused {
        /// As in `the manifest`.
        what: String,
        /// The HTTP status.
        status: u16,
        /// What it said, if anything.
        detail: String,
    },
    /// There is no connection, or it broke.
    #[error("{0}")]
    Network(String),
    /// Its certificate is not trusted.
    #[error("its certificate cannot be trusted: {0}")]
    Certificate(String),
    /// It is asked over TLS and answers something else.
    #[error("it does not speak HTTPS")]
    NotTls,
    /// It would have to be asked without TLS.
    #[error("{0}")]
    Insecure(String),
    /// What was downloaded could not be written.
    #[error("cannot write what it sends: {0}")]
    Write(std::io::Error),
    /// What is to be uploaded cannot be read.
    #[error("cannot read what is to be uploaded: {0}")]
    Read(String),
}

/// What a registry does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The repository.
    Repository,
    /// The tag.
    Tag,
    /// The manifest.
    Manifest,
    /// It does not say which.
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
    let told = if with_credentials { "it does not accept the credentials" } else { "it asks for credentials" };
    format!("{told}{detail}")
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
    /// Makes an error about a subject (as in "image `alpine:3`") that a server caused.
    pub(super) fn new(subject: impl Into<String>, server: impl Into<String>, problem: Problem) -> Self {
        Self(Box::new(Inner { subject: subject.into(), server: server.into(), problem }))
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// Returns the server that was asked: a registry, a mirror, or who issues its tokens.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.0.server
    }

    /// Returns whether the same request can succeed a while later, without anybody having done something.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.problem.is_transient()
    }
}

impl Problem {
    /// Returns whether it may be gone the next moment.
    pub(super) fn is_transient(&self) -> bool {
        if let Self::Token { problem, .. } = self {
            return problem.is_transient();
        }
        matches!(
            self,
            Self::TooManyRequests(_)
                | Self::Server { .. }
                | Self::Stalled { .. }
                | Self::Truncated { .. }
                | Self::Network(_)
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
        Problem::Forbidden(_) => format!("ask who runs `{server}` for access, or log in as somebody else"),
        Problem::TooManyRequests(_) => {
            format!("wait, or run `{}`: limits are higher for who logs in", login(server))
        }
        Problem::Server { .. } | Problem::Stalled { .. } | Problem::Truncated { .. } => {
            format!("try again later; if it lasts, ask who runs `{server}`")
        }
        Problem::DigestMismatch { .. }
        | Problem::ClaimMismatch { .. }
        | Problem::TooLong { .. }
        | Problem::TooShort { .. }
        | Problem::Invalid { .. }
        | Problem::TooLarge { .. }
        | Problem::Redirect(_) => format!("`{server}`, or a proxy before it, is broken or is not to be trusted"),
        Problem::WebPage => {
            format!("a proxy or the login page of a network may have answered: open `{server}` in a browser")
        }
        Problem::WrongPlatform { available, .. } if available.is_empty() => "choose another image".to_owned(),
        Problem::WrongPlatform { .. } => "choose one of these, or another image".to_owned(),
        Problem::Schema1 => "build the image again with a tool of today, and push it".to_owned(),
        Problem::Refused { .. } => format!("ask who runs `{server}` what it accepts"),
        Problem::Network(_) => format!("check the name `{server}`, the network and the proxy"),
        Problem::Certificate(_) => {
            format!("check the certificate of `{server}`; SSL_CERT_FILE names a file of authorities")
        }
        Problem::NotTls | Problem::Insecure(_) => {
            format!("if its network can be trusted, list `{server}` as an insecure registry")
        }
    })
}

/// The command that logs in; Docker's own registry is not named.
fn login(server: &str) -> String {
    if server == DOCKER_HUB_HOST { "docker login".to_owned() } else { format!("docker login {server}") }
}
