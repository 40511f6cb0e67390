//! A client for registries.
//!
//! [`Client::resolve`] finds the image that a name means, [`Client::blob`] downloads its blobs, and
//! [`Client::push_image`] stores an image. After `resolve`, everything is requested by digest, so a tag
//! that moves in the meantime has no effect.
//!
//! A registry is contacted with HTTPS, unless it is on this machine or listed as insecure. Requests that
//! fail for temporary reasons are repeated: broken connections, stalls, and the statuses 429 and 5xx. A server
//! that is silent, or slower than the least rate, is given up after a minute.
//! Credentials are looked up when a registry asks for them, and are sent only to it and its token server.
//!
//! This crate does not read the environment. The libraries that it uses read `HTTPS_PROXY`, `NO_PROXY`,
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` for HTTPS.
//!
//! Source: OCI distribution-spec 1.1, and the token specification of the Distribution project.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::credentials::{Anonymous, Credentials};

mod blob;
mod challenge;
mod endpoint;
mod error;
mod http;
mod manifest;
mod pace;
mod push;
mod retry;
mod select;
mod token;
mod transport;
mod upload;

pub use blob::{BlobSink, Piped};
pub use endpoint::MirrorError;
pub use error::{Missing, Problem, RegistryError};
pub use manifest::Resolved;
pub use pace::LeastRate;
pub use push::{Push, Pushed};
pub use retry::{Clock, Retry, SystemClock};
pub use upload::{BlobReader, BlobSource};

use endpoint::Endpoints;
use http::Http;
use token::Tokens;
use transport::Transport;

/// Options for requests to registries.
pub struct Options {
    /// The source of credentials.
    pub credentials: Arc<dyn Credentials>,
    /// The mirrors of each registry, such as `docker.io`: the URLs of servers that are asked before
    /// the registry, in this order. They are used only for reading.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// The registries that are contacted without TLS: `registry.lan:5000`, or `registry.lan` for
    /// all ports.
    pub insecure: Vec<String>,
    /// The time limit for making a connection.
    pub connect_timeout: Duration,
    /// The time after which a request without any data fails.
    pub stall_timeout: Duration,
    /// The time for the whole of a short answer: a manifest, a configuration, a token.
    pub answer_timeout: Duration,
    /// The least rate at which a server sends.
    pub least_rate: LeastRate,
    /// The number of repetitions, and the time between them.
    pub retry: Retry,
    /// The clock that measures the waiting times.
    pub clock: Arc<dyn Clock>,
    /// The value of the header `User-Agent`.
    pub user_agent: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            credentials: Arc::new(Anonymous),
            mirrors: BTreeMap::new(),
            insecure: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(60),
            least_rate: LeastRate::default(),
            retry: Retry::default(),
            clock: Arc::new(SystemClock),
            user_agent: concat!("host/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A client for all registries. It keeps connections and tokens, and opens no connection before it
/// is used.
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Returns a client.
    ///
    /// # Errors
    /// If a mirror is not a URL.
    pub fn new(options: Options) -> Result<Self, MirrorError> {
        Ok(Self {
            transport: Transport {
                http: Http::new(&options),
                endpoints: Endpoints::new(&options.mirrors, &options.insecure)?,
                tokens: Tokens::new(options.credentials),
                retry: options.retry,
                clock: options.clock,
            },
        })
    }
}

/// Returns the scopes of a token for reading a repository.
fn pull_scopes(repository: &str) -> Vec<String> {
    vec![format!("repository:{repository}:pull")]
}

/// Returns the scopes of a token for writing to a repository.
fn push_scopes(repository: &str) -> Vec<String> {
    vec![format!("repository:{repository}:pull,push")]
}
