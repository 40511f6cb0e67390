//! Answers questions about names on the gateway of the steps, by asking the servers of this machine.
//!
//! It is needed only where steps cannot ask those themselves: because they are on the loopback of this
//! machine, or have addresses of IPv6. It copies; it understands nothing.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// The largest datagram of UDP, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// How long a server may take before the next one is asked; programs wait for 5 s by default.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(10);

/// How many questions may be open at the same time; more are dropped, and asked again by whoever asked.
const N_OPEN: usize = 256;

/// The sockets that steps ask.
#[derive(Debug)]
pub(super) struct Listeners {
    pub udp: UdpSocket,
    /// The socket for answers that a datagram cannot hold.
    pub tcp: TcpListener,
}

impl Listeners {
    /// Listens in the network namespace of this process.
    pub(super) fn open(gateway: Ipv4Addr) -> io::Result<Self> {
        Ok(Self { udp: UdpSocket::bind((gateway, 53))?, tcp: TcpListener::bind((gateway, 53))? })
    }
}

/// Forwards until the process ends. Its threads are in the network namespace of this machine.
pub(super) fn run(listeners: Listeners, servers: Vec<SocketAddr>) -> io::Result<()> {
    let servers: std::sync::Arc<[SocketAddr]> = servers.into();
    let open = std::sync::Arc::new(());
    let over_tcp = std::sync::Arc::clone(&servers);
    let Listeners { udp, tcp } = listeners;
    let open_tcp = std::sync::Arc::clone(&open);
    std::thread::Builder::new().spawn(move || {
        for stream in tcp.incoming().flatten() {
            let servers = std::sync::Arc::clone(&over_tcp);
            begin(&open_tcp, move || drop(converse(stream, &servers)));
        }
    })?;
    let mut question = vec![0; MAX_BYTES];
    loop {
        let (n_bytes, from) = match udp.recv_from(&mut question) {
            Ok(received) => received,
            // What became of an earlier answer is reported here.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::Interrupted) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        let (question, servers) = (question[..n_bytes].to_vec(), std::sync::Arc::clone(&servers));
        let udp = udp.try_clone()?;
        begin(&open, move || {
            if let Some(answer) = ask(&question, &servers) {
                let _ = udp.send_to(&answer, from);
            }
        });
    }
}

/// Does something on a thread of its own, unless too many do already.
fn begin(open: &std::sync::Arc<()>, work: impl FnOnce() + Send + 'static) {
    if std::sync::Arc::strong_count(open) > N_OPEN {
        return;
    }
    let is_open = std::sync::Arc::clone(open);
    let _ = std::thread::Builder::new().stack_size(128 * 1024).spawn(move || {
        work();
        drop(is_open);
    });
}

/// Returns the answer of the first server that has one.
fn ask(question: &[u8], servers: &[SocketAddr]) -> Option<Vec<u8>> {
    servers.iter().find_map(|server| {
        let own: SocketAddr = if server.is_ipv4() { "0.0.0.0:0".parse().ok()? } else { "[::]:0".parse().ok()? };
        let socket = UdpSocket::bind(own).ok()?;
        socket.connect(server).ok()?;
        socket.set_read_timeout(Some(PATIENCE)).ok()?;
        socket.send(question).ok()?;
        let mut answer = vec![0; MAX_BYTES];
        let n_bytes = socket.recv(&mut answer).ok()?;
        answer.truncate(n_bytes);
        Some(answer)
    })
}

/// Copies one connection to and fro.
fn converse(client: TcpStream, servers: &[SocketAddr]) -> io::Result<()> {
    let connected = servers.iter().find_map(|server| TcpStream::connect_timeout(server, PATIENCE).ok());
    let Some(server) = connected else { return Ok(()) };
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(IDLE))?;
        stream.set_write_timeout(Some(IDLE))?;
    }
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::Builder::new().stack_size(128 * 1024).spawn(move || copy(from_client, to_server))?;
    copy(server, client);
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(n_bytes @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..n_bytes]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_server_is_asked_when_one_is_silent() {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let servers = vec![silent.local_addr().unwrap(), server.local_addr().unwrap()];
        let answering = std::thread::spawn(move || {
            let mut bytes = [0; 64];
            let (n_bytes, from) = server.recv_from(&mut bytes).unwrap();
            bytes[..n_bytes].reverse();
            server.send_to(&bytes[..n_bytes], from).unwrap();
        });
        assert_eq!(ask(b"who", &servers).as_deref(), Some(&b"ohw"[..]));
        answering.join().unwrap();
    }

    #[test]
    fn a_connection_is_copied_both_ways() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let listeners =
            Listeners { udp: UdpSocket::bind("127.0.0.1:0").unwrap(), tcp: TcpListener::bind("127.0.0.1:0").unwrap() };
        let gateway = listeners.tcp.local_addr().unwrap();
        std::thread::spawn(move || run(listeners, vec![address]));
        let mut client = TcpStream::connect(gateway).unwrap();
        client.write_all(b"question").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let (mut stream, _) = server.accept().unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        stream.write_all(text.to_uppercase().as_bytes()).unwrap();
        drop(stream);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "QUESTION");
    }
}
