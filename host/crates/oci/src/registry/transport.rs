//! Sends a request to a registry: authorization, redirects, and the meaning of statuses.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize;

use super::challenge::challenge;
use super::endpoint::{Endpoint, Endpoints, authority};
use super::error::{Missing, Problem};
use super::http::Http;
use super::retry::{Clock, Retries, Retry, retry_after};
use super::token::Tokens;
use super::upload::Upload;

/// The maximum number of redirects.
const MAX_REDIRECTS: usize = 5;
/// The number of bytes that are read of an error response.
const MAX_COMPLAINT: u64 = 64 << 10;
/// The time for reading it. A request that fails is repeated, and each time there is one.
const COMPLAINT_TIMEOUT: Duration = Duration::from_secs(5);
/// The number of characters that are shown of it.
const MAX_DETAIL: usize = 300;

/// The way that all requests to registries take.
pub(super) struct Transport {
    pub(super) http: Http,
    pub(super) endpoints: Endpoints,
    pub(super) tokens: Tokens,
    pub(super) retry: Retry,
    pub(super) clock: Arc<dyn Clock>,
}

/// A request to a registry.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload<'a>,
    /// The scopes that the token needs, such as `repository:library/alpine:pull`.
    pub(super) scopes: &'a [String],
}

/// The body of a request.
pub(super) enum Payload<'a> {
    /// The request has no body.
    None,
    /// The body is short.
    Bytes(Bytes),
    /// The body is a blob, which is opened each time that it is sent.
    Blob(&'a Upload<'a>),
}

impl<'a> Request<'a> {
    /// Returns a request without a body.
    pub(super) fn new(method: Method, url: Url, scopes: &'a [String]) -> Self {
        Self { method, url, headers: HeaderMap::new(), payload: Payload::None, scopes }
    }
}

impl Transport {
    /// Returns the repetitions of a request. A mirror is asked only once, because the next server
    /// may be faster.
    pub(super) fn retries(&self, endpoint: &Endpoint) -> Retries<'_> {
        let times = if endpoint.is_mirror { 0 } else { self.retry.times };
        Retries::new(Retry { times, ..self.retry }, &*self.clock)
    }

    /// Sends a request, and sends it again with authorization if the registry asks for that.
    /// Follows redirects, and returns responses with any status except 401.
    pub(super) async fn send(&self, endpoint: &Endpoint, request: &Request<'_>) -> Result<Response, Problem> {
        let shown = self.tokens.known(endpoint, request.scopes).await;
        let response = self.follow(endpoint, request, shown.as_ref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let Some(challenge) = challenge(response.headers()) else {
            let detail = format!("; it does not say how{}", self.detail(response).await);
            return Err(Problem::Unauthorized { with_credentials: false, detail });
        };
        let token = self.tokens.obtain(self, endpoint, request.scopes, &challenge, shown).await?;
        let response = self.follow(endpoint, request, Some(&token.header)).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.tokens.forget(endpoint, request.scopes).await;
        let detail = self.detail(response).await;
        Err(Problem::Unauthorized { with_credentials: token.with_credentials, detail })
    }

    /// Sends a request until the status of the response is not a temporary failure.
    pub(super) async fn send_repeatedly(
        &self,
        endpoint: &Endpoint,
        request: &Request<'_>,
    ) -> Result<Response, Problem> {
        let mut retries = self.retries(endpoint);
        loop {
            let problem = match self.send(endpoint, request).await {
                Ok(response) if !is_transient(response.status()) => return Ok(response),
                Ok(response) => self.complaint(response, "the request").await,
                Err(problem) => problem,
            };
            retries.after(problem).await?;
        }
    }

    async fn follow(
        &self,
        endpoint: &Endpoint,
        request: &Request<'_>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Problem> {
        let mut url = Cow::Borrowed(&request.url);
        for _ in 0..=MAX_REDIRECTS {
            let mut headers = request.headers.clone();
            // The URL of a redirect contains the permission to read, so no credentials are sent.
            if let Some(authorization) = authorization.filter(|_| endpoint.has(&url)) {
                headers.insert(AUTHORIZATION, authorization.clone());
            }
            let response = match &request.payload {
                Payload::None => self.http.send(&request.method, &url, &headers, None).await?,
                Payload::Bytes(bytes) => self.http.send(&request.method, &url, &headers, Some(bytes.clone())).await?,
                Payload::Blob(upload) => upload.send(&self.http, &request.method, &url, headers).await?,
            };
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED && !endpoint.has(&url) {
                let host = authority(&url);
                return Err(Problem::Redirect(format!("it redirects to `{host}`, which asks for credentials")));
            }
            let may_follow = matches!(request.method, Method::GET | Method::HEAD);
            if !may_follow || !is_redirect(status) {
                return Ok(response);
            }
            url = Cow::Owned(self.redirected(&url, &response)?);
        }
        Err(Problem::Redirect(format!("it redirects more than {MAX_REDIRECTS} times")))
    }

    /// Returns the URL that a response redirects to. It never leads from HTTPS to HTTP.
    pub(super) fn redirected(&self, from: &Url, response: &Response) -> Result<Url, Problem> {
        let to = location(from, response)?;
        let is_downgrade = to.scheme() == "http" && from.scheme() == "https";
        if is_downgrade || to.scheme() == "http" && !self.endpoints.may_be_plain(&authority(&to)) {
            return Err(Problem::Insecure(format!("it leads to `{}`, without TLS", authority(&to))));
        }
        Ok(to)
    }

    /// Returns the problem for a response that is not a success.
    pub(super) async fn complaint(&self, response: Response, what: &str) -> Problem {
        let status = response.status();
        let wait = retry_after(response.headers(), self.clock.now());
        let (code, detail) = self.said(response).await;
        match status.as_u16() {
            403 => Problem::Forbidden(detail),
            404 => Problem::NotFound(missing(&code)),
            429 => Problem::TooManyRequests(wait),
            500..=599 => Problem::Server { status: status.as_u16(), detail, wait },
            status => Problem::Refused { what: what.to_owned(), status, detail },
        }
    }

    async fn detail(&self, response: Response) -> String {
        self.said(response).await.1
    }

    /// Returns the code and the message of an error response, as the end of a sentence.
    async fn said(&self, response: Response) -> (String, String) {
        let is_json =
            response.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/"));
        let body = self.http.body_within(COMPLAINT_TIMEOUT, response, "the answer", MAX_COMPLAINT).await;
        let Ok(body) = body else { return Default::default() };
        let complaints: Complaints = serde_json::from_slice(&body).unwrap_or_default();
        let Some(first) = complaints.errors.into_iter().next() else {
            let text = if is_json { String::new() } else { shown(&String::from_utf8_lossy(&body)) };
            return (String::new(), text);
        };
        let text = if first.message.is_empty() { first.code.clone() } else { first.message };
        (first.code, shown(&text))
    }
}

/// Returns the message of a registry as the end of a sentence, and nothing for a web page.
fn shown(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || text.starts_with('<') {
        return String::new();
    }
    format!(": {}", text.chars().filter(|c| !c.is_control()).take(MAX_DETAIL).collect::<String>())
}

/// Source: OCI distribution-spec 1.1, "Error Codes".
#[derive(Default, Deserialize)]
struct Complaints {
    #[serde(default)]
    errors: Vec<Complaint>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

fn missing(code: &str) -> Missing {
    match code {
        "NAME_UNKNOWN" => Missing::Repository,
        "MANIFEST_UNKNOWN" => Missing::Tag,
        _ => Missing::Image,
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn is_transient(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// Reads the header `Location`, which may be relative.
fn location(from: &Url, response: &Response) -> Result<Url, Problem> {
    let text = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let text = text.ok_or_else(|| Problem::Redirect("it leads to nowhere".to_owned()))?;
    from.join(text).map_err(|_| Problem::Redirect("it leads to what is not an address".to_owned()))
}
