//! gRPC channels over connections to Docker.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::rt::ReadBufCursor;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::{Channel, Endpoint};
use tower_service::Service;

use super::Reach;
use crate::connection::dial::Stream;
use crate::connection::{Connection, RequestError};

/// Enough that neither side waits for the other's window.
pub(super) const WINDOW: u32 = 64 << 20;

/// Makes a channel to Docker's gRPC; connects with the first request, and again if the connection broke.
pub(super) fn open(connection: Connection, reach: Reach) -> Channel {
    Endpoint::from_static("http://docker")
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .connect_with_connector_lazy(Connector { connection, reach })
}

#[derive(Clone)]
struct Connector {
    connection: Connection,
    reach: Reach,
}

impl Service<Uri> for Connector {
    type Response = Wire;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Wire>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { connection, reach } = self.clone();
        Box::pin(async move {
            match reach {
                Reach::Native => connection.dial().await.map(|stream| Wire(TokioIo::new(stream))),
                Reach::Hijacked => hijack(&connection, "/grpc", &[]).await,
            }
            .map_err(|error| io::Error::other(engine::Failure::from(error)))
        })
    }
}

/// Turns a request into a connection without a protocol.
pub(super) async fn hijack(
    connection: &Connection,
    path: &str,
    headers: &[(&str, String)],
) -> Result<Wire, RequestError> {
    let upgraded = connection.upgrade(path, headers).await?;
    Ok(Wire(TokioIo::new(Box::new(upgraded))))
}

/// A connection, for hyper and for tokio.
pub(super) struct Wire(TokioIo<Box<dyn Stream>>);

impl hyper::rt::Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        hyper::rt::Write::poll_write(Pin::new(&mut self.0), cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        hyper::rt::Write::poll_flush(Pin::new(&mut self.0), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        hyper::rt::Write::poll_shutdown(Pin::new(&mut self.0), cx)
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.0.inner_mut()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(self.0.inner_mut()), cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(self.0.inner_mut()), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(self.0.inner_mut()), cx)
    }
}
