//! The BuildKit in Docker: how it is reached, and one solve.
//!
//! Docker's own gRPC is reached in two ways. Newer Docker speaks HTTP/2 on its socket ([`Reach::Native`]), older
//! Docker turns a request to `/grpc` into a connection that does ([`Reach::Hijacked`]). The session, by which
//! BuildKit asks us for files and secrets, is a connection in the other direction: a stream of `Control.Session`,
//! or a request to `/session`.

mod auth;
mod channel;
mod receive;
mod session;
mod solve;

pub(crate) use auth::Registries;
pub(crate) use receive::TarReader;
pub(crate) use session::Offer;
pub(crate) use solve::{Job, Kept, LAST_NEWS, Progress, SolveError, random};

use bollard_buildkit_proto::moby::buildkit::v1::ListWorkersRequest;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use tonic::transport::Channel;

use crate::connection::{Connection, RequestError};

/// How gRPC is spoken with Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// HTTP/2 on the socket itself.
    Native,
    /// HTTP/2 on a connection that began as HTTP/1.1.
    Hijacked,
}

/// Messages of BuildKit may be as long as its definitions are.
const MAX_MESSAGE: usize = 128 << 20;

/// A BuildKit. Cheap to clone.
#[derive(Clone)]
pub(crate) struct BuildKit {
    connection: Connection,
    control: ControlClient<Channel>,
    reach: Reach,
}

impl BuildKit {
    /// Makes a client; connects with the first request.
    pub(crate) fn new(connection: Connection, reach: Reach) -> Self {
        let channel = channel::open(connection.clone(), reach);
        let control =
            ControlClient::new(channel).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
        Self { connection, control, reach }
    }

    /// Makes the failure of a request, if it was Docker that went away and not BuildKit that refused.
    fn transport_failure(&self, status: &tonic::Status) -> Option<engine::Failure> {
        std::error::Error::source(status)?;
        Some(self.connection.stopped(status.message()))
    }
}

/// Returns whether a BuildKit answers this way.
pub(crate) async fn answers(connection: &Connection, reach: Reach) -> bool {
    if reach == Reach::Hijacked {
        // Whoever takes the connection over has a BuildKit behind it: one round trip instead of three.
        let taken: Result<_, RequestError> = connection.upgrade("/grpc", &[]).await;
        return taken.is_ok();
    }
    let mut client = BuildKit::new(connection.clone(), reach).control;
    client.list_workers(ListWorkersRequest::default()).await.is_ok()
}
