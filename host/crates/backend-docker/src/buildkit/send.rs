//! Sends a tree, file by file.
//!
//! The sender lists everything in the order of a walk, the receiver asks by number for the contents that it lacks,
//! while the list is still being sent. Source: tonistiigi/fsutil, `send.go`.

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};
use futures::Stream;
use graph::ContentDigest;
use store::{Entry, Kind, Mtime, Owned, Store};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

/// How much of a file goes into one packet.
const CHUNK: usize = 32 * 1024;

/// How many packets wait for Docker.
const QUEUE: usize = 256;

/// The kinds and bits of Go's `os.FileMode`.
const GO_DIRECTORY: u32 = 1 << 31;
const GO_SYMLINK: u32 = 1 << 27;
const GO_FIFO: u32 = 1 << 25;
const GO_SET_UID: u32 = 1 << 23;
const GO_SET_GID: u32 = 1 << 22;
const GO_STICKY: u32 = 1 << 20;

/// The name below which the tree stands in what is sent, so that its root has a mode and an owner.
pub(crate) const ROOT: &str = "root";

/// Answers a request for a tree.
pub(super) fn packets(
    store: Store,
    tree: ContentDigest,
    requests: Streaming<Packet>,
) -> impl Stream<Item = Result<Packet, Status>> + Send + 'static {
    let (to, mut packets) = mpsc::channel(QUEUE);
    // Requests are always taken at once: a peer whose frames pile up is cut off by the HTTP/2 library.
    let (wants, wanted) = mpsc::unbounded_channel();
    tokio::spawn(take(requests, wants));
    tokio::task::spawn_blocking(move || {
        if let Err(status) = (Sender { store, to: to.clone(), files: Vec::new() }).send(tree, wanted) {
            // Whoever asked may have gone, which is no matter.
            let _ = to.blocking_send(Err(status));
        }
    });
    futures::stream::poll_fn(move |cx| packets.poll_recv(cx))
}

/// What the receiver asks for.
enum Want {
    File(usize),
    End,
}

async fn take(mut requests: Streaming<Packet>, wants: mpsc::UnboundedSender<Want>) {
    while let Ok(Some(packet)) = requests.message().await {
        let want = match packet.r#type() {
            PacketType::PacketReq => Want::File(packet.id as usize),
            PacketType::PacketFin => Want::End,
            _ => continue,
        };
        if wants.send(want).is_err() {
            return;
        }
    }
}

struct Sender {
    store: Store,
    to: mpsc::Sender<Result<Packet, Status>>,
    /// The contents of everything that was listed, by number.
    files: Vec<Option<ContentDigest>>,
}

impl Sender {
    fn send(mut self, tree: ContentDigest, mut wanted: mpsc::UnboundedReceiver<Want>) -> Result<(), Status> {
        self.list(tree)?;
        self.put(Packet { r#type: PacketType::PacketStat.into(), ..Packet::default() })?;
        while let Some(want) = wanted.blocking_recv() {
            match want {
                Want::File(id) => self.contents(id)?,
                Want::End => return self.put(Packet { r#type: PacketType::PacketFin.into(), ..Packet::default() }),
            }
        }
        Ok(())
    }

    fn put(&self, packet: Packet) -> Result<(), Status> {
        self.to.blocking_send(Ok(packet)).map_err(|_| Status::aborted("the receiver has gone"))
    }

    /// Lists a tree; not by recursion, so that none is too deep.
    fn list(&mut self, tree: ContentDigest) -> Result<(), Status> {
        let root = self.store.node(tree).map_err(|error| Status::internal(error.to_string()))?;
        let entry = Entry::new(ROOT.as_bytes(), Kind::Directory { digest: tree }, root.owned());
        let mut pending = vec![(String::new(), entry)];
        while let Some((parent, entry)) = pending.pop() {
            let name = std::str::from_utf8(&entry.name);
            let name = name.map_err(|_| Status::invalid_argument("a name of a file is not UTF-8"))?;
            let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
            self.entry(&path, &entry)?;
            if let Kind::Directory { digest } = entry.kind {
                let node = self.store.node(digest).map_err(|error| Status::internal(error.to_string()))?;
                pending.extend(node.entries.iter().rev().map(|below| (path.clone(), below.clone())));
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &str, entry: &Entry) -> Result<(), Status> {
        let mut stat = Stat {
            path: path.to_owned(),
            mode: go_mode(entry.owned),
            uid: entry.owned.uid,
            gid: entry.owned.gid,
            mod_time: time(entry.mtime),
            ..Stat::default()
        };
        let mut contents = None;
        match &entry.kind {
            Kind::Directory { .. } => stat.mode |= GO_DIRECTORY,
            Kind::Fifo => stat.mode |= GO_FIFO,
            Kind::File { digest, size } => {
                stat.size = i64::try_from(*size).unwrap_or(i64::MAX);
                contents = Some(*digest);
            }
            Kind::Symlink { target } => {
                stat.mode |= GO_SYMLINK;
                let target = std::str::from_utf8(target);
                stat.linkname = target.map_err(|_| Status::invalid_argument("a link is not UTF-8"))?.to_owned();
            }
            Kind::Machine { .. } => return Err(Status::invalid_argument("directories of this machine are not sent")),
        }
        self.files.push(contents);
        self.put(Packet { r#type: PacketType::PacketStat.into(), stat: Some(stat), ..Packet::default() })
    }

    fn contents(&self, id: usize) -> Result<(), Status> {
        let data = |data: Vec<u8>| Packet {
            r#type: PacketType::PacketData.into(),
            id: u32::try_from(id).unwrap_or(u32::MAX),
            data,
            ..Packet::default()
        };
        if let Some(Some(digest)) = self.files.get(id) {
            let bytes = self.store.read_blob(digest).map_err(|error| Status::internal(error.to_string()))?;
            for chunk in bytes.chunks(CHUNK) {
                self.put(data(chunk.to_vec()))?;
            }
        }
        self.put(data(Vec::new()))
    }
}

fn go_mode(owned: Owned) -> u32 {
    let bits = [(0o4000, GO_SET_UID), (0o2000, GO_SET_GID), (0o1000, GO_STICKY)];
    let special = bits.iter().filter(|(bit, _)| owned.mode & bit != 0).map(|(_, go)| go);
    special.fold(owned.mode & 0o777, |mode, bit| mode | bit)
}

/// Returns the time that a file gets: what has none gets one that never changes.
fn time(mtime: Mtime) -> i64 {
    mtime.nanoseconds().unwrap_or(0)
}
