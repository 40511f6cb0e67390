//! Connections to Docker: by a socket, by TCP with or without TLS, through ssh.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio_rustls::TlsConnector;

use crate::connection::settings::{Address, Endpoint, TlsFiles};

/// Both directions of a connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens a connection.
pub(crate) async fn dial(endpoint: &Endpoint) -> io::Result<Box<dyn Stream>> {
    match &endpoint.address {
        Address::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            match &endpoint.tls {
                None => Ok(Box::new(stream)),
                Some(files) => {
                    let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                    Ok(Box::new(TlsConnector::from(tls(files)?).connect(name, stream).await?))
                }
            }
        }
        Address::Ssh { destination, port } => Ok(Box::new(Tunnel::open(destination, *port)?)),
    }
}

fn tls(files: &TlsFiles) -> io::Result<Arc<rustls::ClientConfig>> {
    let unreadable = |path: &std::path::Path, error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("`{}`: {error}", path.display()))
    };
    let certificates = |path: &std::path::Path| -> io::Result<Vec<CertificateDer<'static>>> {
        let read = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(path, &error))?;
        read.collect::<Result<_, _>>().map_err(|error| unreadable(path, &error))
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(&files.ca)? {
        roots.add(certificate).map_err(|error| unreadable(&files.ca, &error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    let config = match &files.identity {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
            config.with_client_auth_cert(certificates(certificate)?, private).map_err(io::Error::other)?
        }
    };
    Ok(Arc::new(config))
}

/// Docker on another machine, by the standard streams of `docker system dial-stdio` there.
struct Tunnel {
    reads: ChildStdout,
    writes: ChildStdin,
    /// Killed with the connection.
    _child: Child,
}

impl Tunnel {
    fn open(destination: &str, port: Option<u16>) -> io::Result<Self> {
        let mut command = Command::new("ssh");
        if let Some(port) = port {
            command.arg("-p").arg(port.to_string());
        }
        // Standard error stays the caller's: ssh says there what is wrong.
        command.args(["-o", "ConnectTimeout=30", "-T", "--", destination, "docker", "system", "dial-stdio"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let missing = || io::Error::other("ssh was started without its streams");
        let (reads, writes) = (child.stdout.take().ok_or_else(missing)?, child.stdin.take().ok_or_else(missing)?);
        Ok(Self { reads, writes, _child: child })
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reads).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writes).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writes).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writes).poll_shutdown(cx)
    }
}
