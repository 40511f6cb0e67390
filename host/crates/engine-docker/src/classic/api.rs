//! Docker's Engine API through bollard, over this crate's own connections.

use std::io;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{BollardRequest, ClientVersion};
use bytes::Bytes;
use engine::Failure;
use futures::{Stream, StreamExt as _, stream};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::buildkit::TarReader;
use crate::connection::Connection;
use crate::facts::Facts;

/// How long Docker may take to answer a request that has little work to do.
const SHORT: u64 = 5 * 60;
/// How long it may take where the work is as large as the files of a container; a run ends it before.
const LONG: Duration = Duration::from_secs(24 * 3600);
/// How much of a file is sent at a time.
const CHUNK: usize = 256 * 1024;

/// Docker, with the failures of this project.
#[derive(Clone)]
pub(crate) struct Api {
    /// For requests that are answered soon.
    pub(crate) docker: bollard::Docker,
    /// For those that take as long as they take.
    pub(crate) patient: bollard::Docker,
    connection: Connection,
}

impl Api {
    /// Makes the client; connects to nothing.
    pub(crate) fn new(connection: Connection, facts: &Facts) -> Result<Self, Failure> {
        let dialling = connection.clone();
        let transport = move |request: BollardRequest| exchange(dialling.clone(), request);
        let version = version_of(&facts.api_version);
        // The address is in no request: the connection is where it leads.
        let docker = bollard::Docker::connect_with_custom_transport(transport, Some("http://docker"), SHORT, &version);
        let docker = docker.map_err(|error| Failure::bug(format!("a client of Docker: {error}")))?;
        Ok(Self { patient: docker.clone().with_timeout(LONG), docker, connection })
    }

    /// Makes the failure of a request; `what` it was for, after "cannot".
    pub(crate) fn failed(&self, what: &str, error: &Error) -> Failure {
        match error {
            Error::DockerResponseServerError { message, .. } => Failure::environment(
                format!("Docker cannot {what}: {message}"),
                Some("`--engine embedded` runs commands without Docker"),
            ),
            Error::IOError { err } => match err.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()) {
                Some(failure) => failure.clone(),
                None => self.connection.stopped(&format!("cannot {what}: {err}")),
            },
            other => self.connection.stopped(&format!("cannot {what}: {other}")),
        }
    }

    /// Unpacks an archive in a container.
    pub(crate) async fn upload(
        &self,
        container: &str,
        path: &str,
        archive: impl AsyncRead + Send + Unpin + 'static,
    ) -> Result<(), Failure> {
        let parts = stream::try_unfold(archive, |mut archive| async move {
            let mut buffer = vec![0; CHUNK];
            let n = archive.read(&mut buffer).await?;
            buffer.truncate(n);
            Ok::<_, io::Error>((n > 0).then_some((Bytes::from(buffer), archive)))
        });
        let options =
            bollard::query_parameters::UploadToContainerOptions { path: path.to_owned(), ..Default::default() };
        let sent = self.patient.upload_to_container(container, Some(options), bollard::body_try_stream(parts)).await;
        sent.map_err(|error| self.failed("take the files of a command", &error))
    }

    /// Has `take` read what is at a path of a container, on a thread of its own.
    pub(crate) async fn download<T: Send + 'static>(
        &self,
        container: &str,
        path: &str,
        take: impl FnOnce(TarReader) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let options = bollard::query_parameters::DownloadFromContainerOptions { path: path.to_owned() };
        self.read(self.patient.download_from_container(container, Some(options)), take).await
    }

    /// Has `take` read all files of a container, on a thread of its own.
    pub(crate) async fn export<T: Send + 'static>(
        &self,
        container: &str,
        take: impl FnOnce(TarReader) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.read(self.patient.export_container(container), take).await
    }

    async fn read<T: Send + 'static>(
        &self,
        parts: impl Stream<Item = Result<Bytes, Error>>,
        take: impl FnOnce(TarReader) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, reader) = TarReader::new();
        let taking = tokio::task::spawn_blocking(move || take(reader));
        let mut parts = std::pin::pin!(parts);
        while let Some(part) = parts.next().await {
            let part = part.map_err(|error| self.failed("send the files of a command", &error))?;
            if sender.send(part).await.is_err() {
                // The reader has what it wants, or says what is wrong.
                break;
            }
        }
        drop(sender);
        taking.await.unwrap_or_else(|error| Err(Failure::bug(format!("reading an archive panicked: {error}"))))
    }
}

/// Sends a request on a connection of its own.
async fn exchange(connection: Connection, request: BollardRequest) -> Result<Response<Incoming>, Error> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse::<Uri>().map_err(|error| other(io::Error::other(error)))?;
    parts.headers.insert(HOST, HeaderValue::from_static("docker"));
    let stream = connection.dial().await.map_err(|error| other(io::Error::other(Failure::from(error))))?;
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // What is wrong with the connection shows in the answer.
    #[expect(clippy::disallowed_methods, reason = "it ends with the connection, which the answer holds")]
    tokio::spawn(async move {
        let _ = driver.with_upgrades().await;
    });
    Ok(sender.send_request(hyper::Request::from_parts(parts, body)).await?)
}

fn other(err: io::Error) -> Error {
    Error::IOError { err }
}

/// Returns the version of the API that is spoken: Docker's, if bollard knows it.
fn version_of(text: &str) -> ClientVersion {
    let newest = bollard::API_DEFAULT_VERSION;
    let parsed = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let (major_version, minor_version) = parsed.unwrap_or((1, 40)).min((newest.major_version, newest.minor_version));
    ClientVersion { major_version, minor_version }
}
