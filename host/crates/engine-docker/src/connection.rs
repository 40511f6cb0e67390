//! Docker's Engine API: requests, and what is wrong when Docker cannot be reached.
//!
//! Source: Docker Engine API 1.41, `docs/api/v1.41.yaml` of moby/moby.

pub(crate) mod context;
pub(crate) mod dial;
pub(crate) mod settings;

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::Failure;
use futures::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use dial::dial;
use settings::{Address, DockerSettings, Endpoint};

/// How long Docker may take to answer a request that has no work to do.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// The body of a request.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Docker, wherever it is. Every request has a connection of its own. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connection {
    endpoint: Arc<Endpoint>,
}

/// What Docker said when it refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// As HTTP has it.
    pub(crate) status: StatusCode,
    /// The message of Docker.
    pub(crate) message: String,
}

/// Why a request had no answer that can be used.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// Docker was not reached, or went away.
    Unreachable(Failure),
    /// Docker answered with an error.
    Refused(Refusal),
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Unreachable(failure) => failure,
            RequestError::Refused(refusal) => {
                Self::environment(format!("Docker refused a request: {}", refusal.message), None)
            }
        }
    }
}

impl RequestError {
    /// Returns whether Docker has no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(Refusal { status: StatusCode::NOT_FOUND, .. }))
    }
}

impl Connection {
    /// Finds out where Docker is; connects to nothing yet.
    pub(crate) fn new(settings: &DockerSettings) -> Result<Self, Failure> {
        Ok(Self { endpoint: Arc::new(settings.endpoint()?) })
    }

    /// Returns where it is, for people.
    pub(crate) fn address(&self) -> String {
        self.endpoint.address.to_string()
    }

    /// Asks for a text in JSON.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, RequestError> {
        self.json(Method::GET, path, empty()).await
    }

    /// Sends a text in JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, RequestError> {
        self.json(Method::POST, path, full(body.to_string())).await
    }

    /// Sends a `DELETE` request.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, RequestError> {
        self.json(Method::DELETE, path, empty()).await
    }

    async fn json(&self, method: Method, path: &str, body: Body) -> Result<Value, RequestError> {
        let request = async {
            let response = self.send(method, path, "application/json", body).await?;
            self.collect(response).await
        };
        let answer = tokio::time::timeout(ANSWER_TIME, request);
        let bytes = answer.await.map_err(|_| self.unreachable(&io::Error::from(io::ErrorKind::TimedOut)))??;
        Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Sends a request and returns the answer, whose body is still to be read, if Docker does not refuse.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Body,
    ) -> Result<Response<Incoming>, RequestError> {
        let request = Request::builder().method(method).uri(path).header(HOST, "docker").header(CONTENT_TYPE, kind);
        let request = request.body(body).map_err(|error| bug(&error))?;
        let response = self.exchange(request).await?;
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let status = response.status();
        let bytes = self.collect(response).await.unwrap_or_default();
        let told = serde_json::from_slice::<Value>(&bytes).ok();
        let told = told.as_ref().and_then(|value| value.get("message")?.as_str().map(str::to_owned));
        let message = told.unwrap_or_else(|| String::from_utf8_lossy(&bytes).trim().to_owned());
        let message = if message.is_empty() { status.to_string() } else { message };
        Err(RequestError::Refused(Refusal { status, message }))
    }

    /// Turns a request into a connection of another protocol.
    pub(crate) async fn upgrade(
        &self,
        path: &str,
        headers: &[(&str, String)],
    ) -> Result<TokioIo<Upgraded>, RequestError> {
        let mut request = Request::builder().method(Method::POST).uri(path).header(HOST, "docker");
        request = request.header(CONNECTION, "Upgrade").header(UPGRADE, "h2c");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = self.exchange(request.body(empty()).map_err(|error| bug(&error))?).await?;
        let status = response.status();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            let message = format!("`{path}` answers {status}");
            return Err(RequestError::Refused(Refusal { status, message }));
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(|error| self.broken(&error))?;
        Ok(TokioIo::new(upgraded))
    }

    /// Reads a whole body.
    pub(crate) async fn collect(&self, response: Response<Incoming>) -> Result<Bytes, RequestError> {
        Ok(response.into_body().collect().await.map_err(|error| self.broken(&error))?.to_bytes())
    }

    /// Opens a connection that speaks no protocol yet.
    pub(crate) async fn dial(&self) -> Result<Box<dyn dial::Stream>, RequestError> {
        dial(&self.endpoint).await.map_err(|error| self.unreachable(&error))
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Response<Incoming>, RequestError> {
        let stream = self.dial().await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(|error| self.broken(&error))?;
        // What is wrong with the connection shows in the answer.
        #[expect(clippy::disallowed_methods, reason = "it ends with the connection, which the answer holds")]
        tokio::spawn(async move {
            let _ = connection.with_upgrades().await;
        });
        sender.send_request(request).await.map_err(|error| self.broken(&error))
    }

    /// Makes the failure of a connection that ended in the middle.
    pub(crate) fn broken(&self, error: &hyper::Error) -> RequestError {
        let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        RequestError::Unreachable(self.stopped(&format!("{error}{cause}")))
    }

    /// Makes the failure of Docker having gone away.
    pub(crate) fn stopped(&self, what: &str) -> Failure {
        Failure::environment(
            format!("Docker at `{}` stopped answering: {what}", self.address()),
            Some("look into Docker's log and start it again, or run without it by `--engine embedded`"),
        )
    }

    fn unreachable(&self, error: &io::Error) -> RequestError {
        let address = self.address();
        let is_socket = matches!(self.endpoint.address, Address::Unix(_));
        let failure = match error.kind() {
            io::ErrorKind::PermissionDenied if is_socket => Failure::environment(
                format!("Docker's socket `{address}` may not be used by this user"),
                Some(
                    "add the user to the group `docker` (`sudo usermod -aG docker \"$USER\"`, then log in again), or use `--engine embedded`",
                ),
            ),
            io::ErrorKind::NotFound if is_socket => Failure::environment(
                format!("Docker's socket `{address}` is not there: Docker is not installed or not running"),
                Some(
                    "start it (`sudo systemctl start docker`), name another in DOCKER_HOST, or use `--engine embedded`",
                ),
            ),
            io::ErrorKind::ConnectionRefused => Failure::environment(
                format!("Docker does not listen at `{address}`: it is not running"),
                Some(
                    "start it (`sudo systemctl start docker`), name another in DOCKER_HOST, or use `--engine embedded`",
                ),
            ),
            io::ErrorKind::NotFound if matches!(self.endpoint.address, Address::Ssh { .. }) => Failure::environment(
                format!("Docker at `{address}` needs the program `ssh`, which is not installed"),
                Some("install an OpenSSH client"),
            ),
            _ => Failure::environment(
                format!("Docker at `{address}` cannot be reached: {error}"),
                Some("`docker version` shows whether Docker answers; DOCKER_HOST says where it is"),
            ),
        };
        RequestError::Unreachable(failure)
    }
}

fn bug(error: &dyn std::fmt::Display) -> RequestError {
    RequestError::Unreachable(Failure::bug(format!("a request to Docker is malformed: {error}")))
}

/// Returns a body without anything in it.
pub(crate) fn empty() -> Body {
    full(Bytes::new())
}

/// Returns a body of these bytes.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Returns a body that is read from a stream.
pub(crate) fn streamed(stream: impl futures::Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    StreamBody::new(stream.map(|part| part.map(Frame::data))).boxed_unsync()
}

/// Writes a text so that it can stand in a query or as one component of a path.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
