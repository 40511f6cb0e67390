//! A client of registries.
//!
//! [`Client::resolve`] finds the image that a name means, [`Client::blob`] downloads what it is made
//! of, [`Client::push_image`] stores one. After `resolve` everything is asked for by digest, so that a
//! tag that moves meanwhile does no harm.
//!
//! A registry is asked over HTTPS, unless it is on this machine or listed as insecure. Requests that
//! fail for reasons that pass are repeated: broken connections, stalls, status 429 and 5xx; others never.
//! Credentials are looked up when a registry asks for them, and go to nobody but it and its token server.
//!
//! This room does not read the environment, but the libraries that it uses do: `HTTPS_PROXY`,
//! `NO_PROXY`, `SSL_CERT_FILE` and `SSL_CERT_DIR` hold when something is asked over HTTPS.
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
pub use push::{Push, Pushed};
pub use retry::{Clock, Retry, SystemClock};
pub use upload::{BlobReader, BlobSource};

use endpoint::Endpoints;
use http::Http;
use token::Tokens;
use transport::Transport;

/// How registries are asked.
pub struct Options {
    /// Who one is.
    pub credentials: Arc<dyn Credentials>,
    /// By registry, as in `docker.io`: the addresses of servers that are asked before it, in order.
    /// Only for reading.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Registries that are asked without TLS, as in `registry.lan:5000`, or `registry.lan` for all ports.
    pub insecure: Vec<String>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long nothing may come.
    pub stall_timeout: Duration,
    /// How often requests are repeated.
    pub retry: Retry,
    /// What is waited by.
    pub clock: Arc<dyn Clock>,
    /// What registries are told that asks.
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
            retry: Retry::default(),
            clock: Arc::new(SystemClock),
            user_agent: concat!("host/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A client of all registries. Keeps connections and tokens; opens none before it is used.
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Makes a client.
    ///
    /// # Errors
    /// If a mirror is not a URL.
    pub fn new(options: Options) -> Result<Self, MirrorError> {
        Ok(Self {
            transport: Transport {
                http: Http::new(options.connect_timeout, options.stall_timeout, options.user_agent),
                endpoints: Endpoints::new(&options.mirrors, &options.insecure)?,
                tokens: Tokens::new(options.credentials),
                retry: options.retry,
                clock: options.clock,
            },
        })
    }
}

/// What a token has to allow to read a repository.
fn pull_scopes(repository: &str) -> Vec<String> {
    vec![format!("repository:{repository}:pull")]
}

/// What a token has to allow to write to a repository.
fn push_scopes(repository: &str) -> Vec<String> {
    vec![format!("repository:{repository}:pull,push")]
}
