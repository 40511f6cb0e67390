//! Authorization. A token is requested when a registry asks for one, and is kept for later
//! requests.
//!
//! Source: the token and OAuth2 specifications of the Distribution project.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::endpoint::{Endpoint, authority};
use super::error::Problem;
use super::transport::Transport;
use crate::credentials::{Credential, Credentials};

/// The maximum size of a response with a token.
const MAX_ANSWER: u64 = 1 << 20;
/// The client id for token servers.
const CLIENT_ID: &str = "host";

/// The values of the header `Authorization`, by server and scopes.
pub(super) struct Tokens {
    credentials: Arc<dyn Credentials>,
    known: Mutex<HashMap<(String, Vec<String>), Token>>,
}

/// A value of the header `Authorization`.
#[derive(Clone)]
pub(super) struct Token {
    /// The value of the header.
    pub(super) header: HeaderValue,
    /// Whether a credential was used to get it.
    pub(super) with_credentials: bool,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Tokens {
    /// Returns an empty set of tokens.
    pub(super) fn new(credentials: Arc<dyn Credentials>) -> Self {
        Self { credentials, known: Mutex::new(HashMap::new()) }
    }

    /// Returns the token of the last request.
    pub(super) async fn known(&self, endpoint: &Endpoint, scopes: &[String]) -> Option<HeaderValue> {
        self.known.lock().await.get(&key(endpoint, scopes)).map(|token| token.header.clone())
    }

    /// Removes a token that was not accepted.
    pub(super) async fn forget(&self, endpoint: &Endpoint, scopes: &[String]) {
        self.known.lock().await.remove(&key(endpoint, scopes));
    }

    /// Answers a challenge. If several requests need a token, one asks for it and the others wait.
    /// `shown` is the token that the failed request used.
    pub(super) async fn obtain(
        &self,
        transport: &Transport,
        endpoint: &Endpoint,
        scopes: &[String],
        challenge: &Challenge,
        shown: Option<HeaderValue>,
    ) -> Result<Token, Problem> {
        let mut known = self.known.lock().await;
        let key = key(endpoint, scopes);
        if let Some(token) = known.get(&key).filter(|token| Some(&token.header) != shown.as_ref()) {
            return Ok(token.clone());
        }
        let credential = self.credentials.credential(&endpoint.login).await?;
        let token = match challenge {
            Challenge::Basic => basic(credential)?,
            Challenge::Bearer { realm, service, scope } => {
                let realm = parse_realm(transport, realm)?;
                let exchange = Exchange { transport, realm, service: service.as_deref() };
                let scopes = scopes.iter().chain(scope).flat_map(|scope| scope.split(' ')).collect();
                exchange.run(&scopes, credential).await?
            }
        };
        known.insert(key, token.clone());
        Ok(token)
    }
}

fn key(endpoint: &Endpoint, scopes: &[String]) -> (String, Vec<String>) {
    (endpoint.name.clone(), scopes.to_vec())
}

fn basic(credential: Option<Credential>) -> Result<Token, Problem> {
    match credential {
        Some(Credential::Password { username, password }) => {
            Ok(Token { header: basic_header(&username, password.reveal())?, with_credentials: true })
        }
        Some(Credential::IdentityToken(_)) => {
            let detail = ": it wants a name and a password, and there is a token".to_owned();
            Err(Problem::Unauthorized { with_credentials: true, detail })
        }
        None => Err(Problem::Unauthorized { with_credentials: false, detail: String::new() }),
    }
}

fn basic_header(username: &str, password: &str) -> Result<HeaderValue, Problem> {
    header(&format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

fn header(text: &str) -> Result<HeaderValue, Problem> {
    let invalid =
        |_| Problem::Invalid { what: "the token".to_owned(), why: "it cannot be sent in a header".to_owned() };
    let mut value = HeaderValue::from_str(text).map_err(invalid)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Parses the URL of a token server. Token servers get passwords, so one without TLS is accepted
/// only for a registry without TLS.
fn parse_realm(transport: &Transport, realm: &str) -> Result<Url, Problem> {
    let invalid = || Problem::Invalid {
        what: "its address of a token server".to_owned(),
        why: "it does not begin with `https://`".to_owned(),
    };
    let url: Url = realm.parse().map_err(|_| invalid())?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if transport.endpoints.may_be_plain(&authority(&url)) => Ok(url),
        "http" => Err(Problem::Insecure(format!("its token server `{}` is without TLS", authority(&url)))),
        _ => Err(invalid()),
    }
}

/// A request to a token server.
struct Exchange<'a> {
    transport: &'a Transport,
    realm: Url,
    service: Option<&'a str>,
}

impl Exchange<'_> {
    async fn run(&self, scopes: &BTreeSet<&str>, credential: Option<Credential>) -> Result<Token, Problem> {
        let with_credentials = credential.is_some();
        let server = authority(&self.realm);
        let failed = |problem| Problem::Token { server: server.clone(), problem: Box::new(problem) };
        let response = match credential {
            Some(Credential::IdentityToken(token)) => self.refresh(scopes, token.reveal()).await,
            Some(Credential::Password { username, password }) => {
                self.get(scopes, Some(basic_header(&username, password.reveal())?)).await
            }
            None => self.get(scopes, None).await,
        };
        let response = response.map_err(failed)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN => {
                let detail = match self.transport.complaint(response, "the request").await {
                    Problem::Forbidden(detail) | Problem::Refused { detail, .. } => detail,
                    _ => String::new(),
                };
                return Err(Problem::Unauthorized { with_credentials, detail });
            }
            _ => return Err(failed(self.transport.complaint(response, "the request").await)),
        }
        let body = self.transport.http.body(response, "the token", MAX_ANSWER).await.map_err(failed)?;
        // The messages of serde_json may quote secrets.
        let invalid = || failed(Problem::Invalid { what: "its answer".to_owned(), why: "it has no token".to_owned() });
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| invalid())?;
        let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty()).ok_or_else(invalid)?;
        Ok(Token { header: header(&format!("Bearer {token}"))?, with_credentials })
    }

    async fn get(&self, scopes: &BTreeSet<&str>, basic: Option<HeaderValue>) -> Result<reqwest::Response, Problem> {
        let mut url = self.realm.clone();
        self.add_to(&mut url, scopes.iter().copied());
        let headers = basic.map(|basic| HeaderMap::from_iter([(AUTHORIZATION, basic)])).unwrap_or_default();
        self.transport.http.send(&Method::GET, &url, &headers, None).await
    }

    /// Exchanges an identity token for an access token. The form is encoded like the query of a
    /// URL.
    async fn refresh(&self, scopes: &BTreeSet<&str>, token: &str) -> Result<reqwest::Response, Problem> {
        let mut form = self.realm.clone();
        form.set_query(None);
        let pairs = [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", token)];
        form.query_pairs_mut().extend_pairs(pairs);
        let all = scopes.iter().copied().collect::<Vec<_>>().join(" ");
        self.add_to(&mut form, [all.as_str()]);
        let body = Bytes::from(form.query().unwrap_or_default().to_owned());
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, form_type)]);
        self.transport.http.send(&Method::POST, &self.realm, &headers, Some(body)).await
    }

    fn add_to<'s>(&self, url: &mut Url, scopes: impl IntoIterator<Item = &'s str>) {
        let mut pairs = url.query_pairs_mut();
        pairs.extend_pairs(self.service.map(|service| ("service", service)));
        pairs.extend_pairs(scopes.into_iter().map(|scope| ("scope", scope)));
    }
}
