//! The session: what BuildKit asks of us while it solves.
//!
//! Each solve has a session of its own, so that nothing of one is offered to another.
//! Source: moby/buildkit, `session/manager.go` (headers), `session/filesync`, `session/secrets`.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::health::health_check_response::ServingStatus;
use bollard_buildkit_proto::health::health_server::{Health, HealthServer};
use bollard_buildkit_proto::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::{Secrets, SecretsServer};
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use bollard_buildkit_proto::moby::buildkit::v1::BytesMessage;
use bollard_buildkit_proto::moby::filesync::v1::BytesMessage as TarMessage;
use bollard_buildkit_proto::moby::filesync::v1::auth_server::AuthServer;
use bollard_buildkit_proto::moby::filesync::v1::file_send_server::{FileSend, FileSendServer};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::auth::Registries;
use super::channel::{self, WINDOW};
use super::{BuildKit, MAX_MESSAGE, Reach};
use crate::connection::RequestError;

/// How much may be under way between a connection and the server.
const PIPE: usize = 1 << 20;

/// The methods that a session may be asked for.
const METHODS: [&str; 4] = [
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.FileSend/DiffCopy",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/grpc.health.v1.Health/Check",
];

/// What one solve may ask for.
#[derive(Default)]
pub(crate) struct Offer {
    /// Values by the id of their mount.
    pub(crate) secrets: HashMap<String, Vec<u8>>,
    /// Who one is for the registries of its images.
    pub(crate) registries: Registries,
    /// Where an exported archive goes; there is one at most.
    pub(crate) archive: Mutex<Option<mpsc::Sender<Bytes>>>,
    /// Whether BuildKit never hears that the archive was taken, so that the solve ends with the session.
    pub(super) is_kept: bool,
    /// Set if whoever reads the archive gave up before its end.
    pub(crate) is_given_up: Arc<AtomicBool>,
}

/// A session; ends when it is dropped.
pub(super) struct Session {
    pub(super) id: String,
    _tasks: JoinSet<()>,
}

impl Session {
    /// Opens a session of this id.
    pub(super) async fn open(buildkit: &BuildKit, id: String, offer: Offer) -> Result<Self, RequestError> {
        let mut tasks = JoinSet::new();
        // The server keeps what it serves until its connection ends: with these tasks its end of the pipe does.
        let (mut ours, theirs) = tokio::io::duplex(PIPE);
        tasks.spawn(serve(offer, theirs));
        match buildkit.reach {
            Reach::Hijacked => {
                let mut wire = channel::hijack(&buildkit.connection, "/session", &headers(&id)).await?;
                tasks.spawn(async move {
                    // What is wrong with the session shows in the solve that it belongs to.
                    let _ = tokio::io::copy_bidirectional_with_sizes(&mut wire, &mut ours, PIPE, PIPE).await;
                });
            }
            Reach::Native => {
                tasks.spawn(tunnel(buildkit.clone(), id.clone(), ours));
            }
        }
        Ok(Self { id, _tasks: tasks })
    }
}

fn headers(id: &str) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("x-docker-expose-session-uuid", id.to_owned()),
        ("x-docker-expose-session-name", "host".to_owned()),
        ("x-docker-expose-session-sharedkey", String::new()),
    ];
    headers.extend(METHODS.map(|method| ("x-docker-expose-session-grpc-method", method.to_owned())));
    headers
}

/// Passes bytes between `Control.Session` and the server.
async fn tunnel(buildkit: BuildKit, id: String, wire: tokio::io::DuplexStream) {
    let (reads, mut writes) = tokio::io::split(wire);
    let outgoing = stream::unfold((reads, vec![0; 64 * 1024]), |(mut reads, mut buffer)| async move {
        let n = reads.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        Some((BytesMessage { data: buffer[..n].to_vec() }, (reads, buffer)))
    });
    let mut request = Request::new(outgoing);
    for (name, value) in headers(&id) {
        if let (Ok(name), Ok(value)) = (tonic::metadata::MetadataKey::from_bytes(name.as_bytes()), value.parse()) {
            request.metadata_mut().append(name, value);
        }
    }
    let mut control = buildkit.control;
    let Ok(incoming) = control.session(request).await else { return };
    let mut incoming = incoming.into_inner();
    while let Ok(Some(message)) = incoming.message().await {
        if writes.write_all(&message.data).await.is_err() {
            return;
        }
    }
}

/// Answers until the connection ends.
async fn serve(offer: Offer, wire: tokio::io::DuplexStream) {
    let service = Service(Arc::new(offer));
    let served = Server::builder()
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .add_service(HealthServer::new(service.clone()))
        .add_service(AuthServer::new(service.clone()))
        .add_service(FileSendServer::new(service.clone()).max_decoding_message_size(MAX_MESSAGE))
        .add_service(SecretsServer::new(service))
        .serve_with_incoming(stream::once(async { Ok::<_, std::io::Error>(wire) }).chain(stream::pending()));
    // What is wrong with the session shows in the solve that it belongs to.
    let _ = served.await;
}

#[derive(Clone)]
pub(super) struct Service(Arc<Offer>);

impl Service {
    pub(super) fn offer(&self) -> &Offer {
        &self.0
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Secrets for Service {
    async fn get_secret(&self, request: Request<GetSecretRequest>) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        match self.0.secrets.get(&id) {
            Some(value) => Ok(Response::new(GetSecretResponse { data: value.clone() })),
            None => Err(Status::not_found(format!("no secret `{id}`"))),
        }
    }
}

#[tonic::async_trait]
impl FileSend for Service {
    type DiffCopyStream = Answers<TarMessage>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<TarMessage>>,
    ) -> Result<Response<Answers<TarMessage>>, Status> {
        let archive = self.0.archive.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(archive) = archive else { return Err(Status::failed_precondition("nothing was asked for")) };
        let mut parts = request.into_inner();
        while let Some(part) = parts.message().await? {
            let sent = archive.send(part.data.into()).await;
            sent.map_err(|_| {
                self.0.is_given_up.store(true, Ordering::Release);
                Status::aborted("the archive is not read any more")
            })?;
        }
        // Whoever reads sees the end.
        drop(archive);
        if self.0.is_kept {
            std::future::pending::<()>().await;
        }
        Ok(Response::new(Box::pin(stream::empty())))
    }
}

#[tonic::async_trait]
impl Health for Service {
    type WatchStream = Answers<HealthCheckResponse>;

    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Ok(Response::new(HealthListResponse::default()))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("`Check` answers"))
    }
}
