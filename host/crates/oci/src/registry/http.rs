//! HTTP requests, and the meaning of their errors.
//!
//! There are two clients. The one with certificates is created when the first request over TLS is
//! made, because reading the certificates of a system takes tens of milliseconds and most runs
//! contact only a registry on this machine, or none.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Body, Method, Response, Url, redirect};
use rustls::{CertificateError, ClientConfig, RootCertStore};

use super::Options;
use super::error::Problem;
use super::pace::{LeastRate, Pace};

/// Sends HTTP requests.
pub(super) struct Http {
    plain: OnceLock<Result<reqwest::Client, String>>,
    tls: OnceLock<Result<reqwest::Client, String>>,
    connect_timeout: Duration,
    /// The time after which a request without any data fails.
    pub(super) stall_timeout: Duration,
    answer_timeout: Duration,
    least_rate: LeastRate,
    user_agent: String,
}

impl Http {
    /// Returns a value without any client; clients are created when they are needed.
    pub(super) fn new(options: &Options) -> Self {
        let Options { connect_timeout, stall_timeout, answer_timeout, least_rate, .. } = *options;
        let user_agent = options.user_agent.clone();
        let (plain, tls) = (OnceLock::new(), OnceLock::new());
        Self { plain, tls, connect_timeout, stall_timeout, answer_timeout, least_rate, user_agent }
    }

    /// Returns the pace of a response, for [`Self::chunk`].
    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.least_rate)
    }

    /// Sends a request with no body or a short one.
    pub(super) async fn send(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Response, Problem> {
        let sent = self.start(method, url, headers, body.map(Body::from))?;
        let after = self.connect_timeout + self.stall_timeout;
        match tokio::time::timeout(after, sent).await {
            Ok(answered) => answered.map_err(|error| self.problem(&error)),
            Err(_) => Err(Problem::Stalled { doing: "did not answer", after }),
        }
    }

    /// Starts a request.
    pub(super) fn start(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: Option<Body>,
    ) -> Result<impl Future<Output = reqwest::Result<Response>> + use<>, Problem> {
        let mut request = self.client(url)?.request(method.clone(), url.clone()).headers(headers.clone());
        if let Some(body) = body {
            request = request.body(body);
        }
        Ok(request.send())
    }

    /// Reads the next bytes of a body, and returns `None` at its end. The caller decides what a
    /// broken connection means, because that depends on what it expects.
    pub(super) async fn chunk(
        &self,
        response: &mut Response,
        pace: &mut Pace,
    ) -> Result<Result<Option<Bytes>, Broken>, Problem> {
        let start = Instant::now();
        match tokio::time::timeout(self.stall_timeout, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                pace.add(chunk.len() as u64, start.elapsed())?;
                Ok(Ok(Some(chunk)))
            }
            Ok(read) => Ok(read.map_err(|error| Broken(self.problem(&error)))),
            Err(_) => Err(Problem::Stalled { doing: "sent nothing", after: self.stall_timeout }),
        }
    }

    /// Reads a whole body of at most `limit` bytes.
    pub(super) async fn body(&self, response: Response, what: &str, limit: u64) -> Result<Bytes, Problem> {
        self.body_within(self.answer_timeout, response, what, limit).await
    }

    /// Reads a whole body, which must arrive within a time.
    pub(super) async fn body_within(
        &self,
        after: Duration,
        response: Response,
        what: &str,
        limit: u64,
    ) -> Result<Bytes, Problem> {
        match tokio::time::timeout(after, self.whole_body(response, what, limit)).await {
            Ok(read) => read,
            Err(_) => Err(Problem::Stalled { doing: "sent no whole answer", after }),
        }
    }

    async fn whole_body(&self, mut response: Response, what: &str, limit: u64) -> Result<Bytes, Problem> {
        let too_large = || Problem::TooLarge { what: what.to_owned(), limit };
        let announced = response.content_length();
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let (mut body, mut pace) = (BytesMut::new(), self.pace());
        loop {
            match self.chunk(&mut response, &mut pace).await? {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body.freeze()),
                Err(broken) => return Err(broken.after(body.len() as u64, announced)),
            }
            if body.len() as u64 > limit {
                return Err(too_large());
            }
        }
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client, Problem> {
        let client = match url.scheme() {
            "http" => self.plain.get_or_init(|| self.build(RootCertStore::empty(), false)),
            "https" => self.tls.get_or_init(|| self.build(system_roots()?, true)),
            other => return Err(Problem::Redirect(format!("it leads to `{other}:`, which is not the web"))),
        };
        client.as_ref().map_err(|error| Problem::Certificate(error.clone()))
    }

    /// Creates a client. Proxies are used only over TLS, because servers without TLS are local.
    fn build(&self, roots: RootCertStore, with_proxy: bool) -> Result<reqwest::Client, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .user_agent(&self.user_agent);
        let builder = if with_proxy { builder } else { builder.no_proxy() };
        builder.build().map_err(|error| deepest(&error))
    }

    /// Returns the problem for an error of the client.
    pub(super) fn problem(&self, error: &reqwest::Error) -> Problem {
        if let Some(tls) = tls_error(error) {
            return match tls {
                rustls::Error::InvalidCertificate(why) => Problem::Certificate(distrust(why)),
                rustls::Error::InvalidMessage(_) => Problem::NotTls,
                other => Problem::Network(format!("TLS failed: {other}")),
            };
        }
        if error.is_connect() && error.is_timeout() {
            return Problem::Stalled { doing: "accepted no connection", after: self.connect_timeout };
        }
        if has_refused(error) {
            return Problem::Unreachable(deepest(error));
        }
        let doing = if error.is_connect() { "cannot connect" } else { "the connection broke" };
        Problem::Network(format!("{doing}: {}", deepest(error)))
    }
}

/// The connection ended before the body did.
pub(super) struct Broken(Problem);

impl Broken {
    /// Returns the problem for a connection that broke after this number of bytes.
    pub(super) fn after(self, received: u64, announced: Option<u64>) -> Problem {
        match announced {
            Some(announced) if received < announced => Problem::Truncated { received, announced },
            _ => self.0,
        }
    }
}

/// Reads the certificates of the system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let loaded = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(loaded.certs);
    match (added, loaded.errors.first()) {
        (0, Some(error)) => Err(format!("no certificate authority can be read: {error}")),
        (0, None) => Err("this system has no certificate authorities; install `ca-certificates`".to_owned()),
        _ => Ok(roots),
    }
}

/// Returns the reason why a certificate is not trusted.
fn distrust(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => "it is not signed by an authority that this machine trusts".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        other => other.to_string(),
    }
}

/// Returns the message of the innermost cause.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// Returns whether the system of the server has refused the connection.
fn has_refused(error: &reqwest::Error) -> bool {
    let mut cause = error.source().filter(|_| error.is_connect());
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Returns the TLS error inside of an error. An `io::Error` contains it as its inner error and not
/// as its source.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref()) {
            return Some(found);
        }
        cause = inner.map_or_else(|| error.source(), |inner| Some(inner));
    }
    None
}
