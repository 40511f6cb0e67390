//! A registry in this process, on a port of its own. It follows the specification unless a rule
//! changes its responses.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use oci::Digest;

use super::serve;

/// A request to the registry.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) path: String,
    /// The headers, with names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// Returns a header, or an empty text if it does not exist.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// A response of the registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    /// The status; with 0, nothing is sent.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The value of `Content-Length`, if it differs from the length.
    pub(crate) length: Option<usize>,
    /// Ends the response after this number of bytes of its body.
    pub(crate) cut: Option<usize>,
    /// Whether the connection is then kept open, instead of closed.
    pub(crate) stalls: bool,
    /// The time before each byte of the body.
    pub(crate) drip: Duration,
}

impl Reply {
    /// Returns a response with a status and a body.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    /// Returns the response of a registry that fails.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
        Self::new(status, body.to_string()).header("Content-Type", "application/json")
    }

    /// Sets a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ends the response after this number of bytes of its body.
    pub(crate) fn cut(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), ..self }
    }

    /// Stops without an end after this number of bytes of its body.
    pub(crate) fn stall(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), stalls: true, ..self }
    }
}

type Change = Box<dyn FnMut(&Asked, Reply) -> Reply + Send>;

struct Rule {
    pattern: String,
    times: usize,
    change: Change,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) blobs: HashMap<(String, String), Vec<u8>>,
    pub(super) manifests: HashMap<(String, String), (String, Vec<u8>)>,
    pub(super) n_uploads: usize,
    rules: Vec<Rule>,
    log: Vec<String>,
    asked: Vec<Asked>,
    names: Vec<(String, String)>,
}

/// A registry that ends with its process.
#[derive(Clone)]
pub(crate) struct Fake {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// Starts a registry on a free port.
    pub(crate) fn start() -> Self {
        Self::listen(|stream, fake| serve::connection(stream, &fake))
    }

    /// Starts a registry that speaks HTTPS.
    pub(crate) fn start_with_tls(config: Arc<rustls::ServerConfig>) -> Self {
        Self::listen(move |stream, fake| {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            serve::connection(rustls::StreamOwned::new(connection, stream), &fake);
        })
    }

    fn listen(serve: impl Fn(TcpStream, Self) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fake = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let (serving, serve) = (fake.clone(), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (fake, serve) = (serving.clone(), Arc::clone(&serve));
                // A test that failed must end as well.
                stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                std::thread::spawn(move || serve(stream, fake));
            }
        });
        fake
    }

    /// Returns its host and port.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    /// Returns its port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Stores a blob, with its name in reports.
    pub(crate) fn put_blob(&self, repository: &str, bytes: &[u8], name: &str) {
        let digest = Digest::of(bytes).to_string();
        self.name_digest(bytes, name);
        self.state().blobs.insert((repository.to_owned(), digest), bytes.to_vec());
    }

    /// Stores a manifest by its tag and its digest.
    pub(crate) fn put_manifest(&self, repository: &str, tag: &str, media_type: &str, bytes: &[u8], name: &str) {
        self.name_digest(bytes, name);
        for name in [tag.to_owned(), Digest::of(bytes).to_string()] {
            let stored = (media_type.to_owned(), bytes.to_vec());
            self.state().manifests.insert((repository.to_owned(), name), stored);
        }
    }

    /// Removes all blobs and manifests.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.blobs.clear();
        state.manifests.clear();
    }

    /// Removes all blobs.
    pub(crate) fn remove_blobs(&self) {
        self.state().blobs.clear();
    }

    /// Sets the name of some bytes in reports.
    pub(crate) fn name_digest(&self, bytes: &[u8], name: &str) {
        self.state().names.insert(0, (Digest::of(bytes).hex(), name.to_owned()));
    }

    /// Changes the next responses to requests whose method and path contain a text, such as `GET
    /// /v2/x/blobs`. Earlier rules apply first.
    pub(crate) fn change(
        &self,
        pattern: &str,
        times: usize,
        change: impl FnMut(&Asked, Reply) -> Reply + Send + 'static,
    ) {
        self.state().rules.push(Rule { pattern: pattern.to_owned(), times, change: Box::new(change) });
    }

    /// Changes all responses to such requests.
    pub(crate) fn always(&self, pattern: &str, change: impl FnMut(&Asked, Reply) -> Reply + Send + 'static) {
        self.change(pattern, usize::MAX, change);
    }

    /// Answers a request, and records it.
    pub(super) fn answer(&self, asked: Asked) -> Reply {
        let line = format!("{} {}", asked.method, asked.path);
        let mut reply = serve::behave(&mut self.state(), &asked);
        let mut state = self.state();
        for rule in state.rules.iter_mut().filter(|rule| rule.times > 0 && line.contains(&rule.pattern)) {
            rule.times = rule.times.saturating_sub(1);
            reply = (rule.change)(&asked, reply);
        }
        let range = asked.header("range");
        let authorization = asked.header("authorization").split(' ').next().unwrap_or_default();
        let line = format!("{line} {range} {authorization}");
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        state.log.push(format!("{line} -> {}", reply.status));
        state.asked.push(asked);
        reply
    }

    /// Returns the requests, in the order of the responses.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Returns one line for each request.
    pub(crate) fn log(&self) -> String {
        let log = self.state().log.iter().map(|line| format!("  {line}\n")).collect::<String>();
        self.shorten(&log)
    }

    /// Replaces digests by their names, and the address by `REGISTRY`.
    pub(crate) fn shorten(&self, text: &str) -> String {
        let mut text = text.replace(&self.name(), "REGISTRY").replace("sha256%3A", "sha256:");
        for (hex, name) in &self.state().names {
            text = text.replace(&format!("sha256:{hex}"), name);
        }
        text
    }
}
