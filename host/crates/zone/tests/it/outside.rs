//! A machine that steps can reach: a network namespace with a server for files and one for names.
//!
//! Its addresses are of the range for benchmarks, 198.18.0.0/16, which nobody routes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where root tells ordinary users what it made: the address, and that of a server for names on the loopback.
const VARIABLE: &str = "TEST_OUTSIDE";

/// The machine. It ends with this value, unless another process made it.
pub(crate) struct Outside {
    pub(crate) address: Ipv4Addr,
    /// An address of the loopback of this machine on which names are looked up.
    pub(crate) loopback_names: Ipv4Addr,
    _holder: Option<Holder>,
}

struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Outside {
    /// Finds or makes the machine; `None`, and says so, where that needs root.
    pub(crate) fn make() -> Option<Self> {
        if let Ok(text) = std::env::var(VARIABLE) {
            let (address, names) = text.split_once(',').unwrap();
            let (address, loopback_names) = (address.parse().unwrap(), names.parse().unwrap());
            return Some(Self { address, loopback_names, _holder: None });
        }
        testkit::require("root").then(Self::make_as_root)
    }

    /// Returns what tells another process of it.
    pub(crate) fn variable(&self) -> (&'static str, String) {
        (VARIABLE, format!("{},{}", self.address, self.loopback_names))
    }

    fn make_as_root() -> Self {
        let holder = hold_network();
        let pid = holder.0.id();
        let (x, y) = random();
        let (near, address) = (Ipv4Addr::new(198, 18, x, y & 0xfc | 1), Ipv4Addr::new(198, 18, x, y & 0xfc | 2));
        let link = format!("to{pid}");
        run(&format!("ip link add {link} type veth peer name eth0 netns {pid}"));
        run(&format!("ip address add {near}/30 dev {link}"));
        run(&format!("ip link set {link} up"));
        let inside = format!("nsenter --net=/proc/{pid}/ns/net");
        run(&format!("{inside} ip link set lo up"));
        run(&format!("{inside} ip address add {address}/30 dev eth0"));
        run(&format!("{inside} ip link set eth0 up"));
        let (x, y) = random();
        let loopback_names = Ipv4Addr::new(127, 99, x, y.max(1));
        serve_names(UdpSocket::bind((loopback_names, 53)).unwrap(), address);
        let namespace = std::fs::File::open(format!("/proc/{pid}/ns/net")).unwrap();
        let serving = std::thread::spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            serve_names(UdpSocket::bind((address, 53)).unwrap(), address);
            serve_files(TcpListener::bind((address, 80)).unwrap());
        });
        serving.join().unwrap();
        Self { address, loopback_names, _holder: Some(holder) }
    }
}

/// Moves this thread, and what it starts from here on, to a machine that has nothing but a loopback. The machine
/// ends with the value, if nothing runs on it.
pub(crate) fn enter_new_machine() -> impl Drop {
    let holder = hold_network();
    let namespace = std::fs::File::open(format!("/proc/{}/ns/net", holder.0.id())).unwrap();
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    run("ip link set lo up");
    holder
}

/// Makes a network namespace that lives as long as the process in it.
fn hold_network() -> Holder {
    let mut holder = Command::new("unshare")
        .args(["--net", "sh", "-c", "echo ready; exec sleep 1000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    Holder(holder)
}

fn random() -> (u8, u8) {
    use std::hash::{BuildHasher as _, Hasher as _};
    let [x, y, ..] = std::hash::RandomState::new().build_hasher().finish().to_ne_bytes();
    (x, y)
}

/// Runs a command, which must do what it is to do.
pub(crate) fn run(command: &str) {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Answers every question over HTTP with `hello`.
fn serve_files(listener: TcpListener) {
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n");
        }
    });
}

/// Answers every question about `outside.test` with an address, and all others with none.
/// Source: RFC 1035, 4.1.
fn serve_names(socket: UdpSocket, address: Ipv4Addr) {
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((n_bytes, from)) = socket.recv_from(&mut question) {
            let _ = socket.send_to(&answer(&question[..n_bytes], address), from);
        }
    });
}

fn answer(question: &[u8], address: Ipv4Addr) -> Vec<u8> {
    const NAME: &[u8] = b"\x07outside\x04test\0";
    let is_known = question.get(12..).is_some_and(|rest| rest.starts_with(NAME));
    let is_ipv4 = question.get(12 + NAME.len()..14 + NAME.len()) == Some(&[0, 1]);
    let n_answers = u8::from(is_known && is_ipv4);
    // An answer, authoritative; no such name for all others.
    let mut answer = question[..2].to_vec();
    answer.extend([0x85, if is_known { 0x80 } else { 0x83 }, 0, 1, 0, n_answers, 0, 0, 0, 0]);
    let name_end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap_or(0);
    answer.extend(&question[12..(name_end + 5).min(question.len())]);
    if n_answers == 1 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4]);
        answer.extend(address.octets());
    }
    answer
}
