//! The way from the router of a zone to the network of this machine.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::super::tools::find_tool;
use super::accept;
use super::firewall::{self, Purpose, Table};
use super::links::{End, Links};
use super::outside::Owner;
use super::plan::{LINK_PREFIX, Plan, default_link};
use super::router::set;
use super::{NetworkConfig, Uplink};

/// The inner end of the uplink, in the router.
pub(super) const INNER_LINK: &str = "up0";

/// What programs without a kernel's limits can carry at once; the most that they take.
const LARGE_MTU: u32 = 65_520;

/// What a link carries whose limit is not known. Source: RFC 894.
const ETHERNET_MTU: u32 = 1500;

/// What the router must know about its uplink.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Up {
    /// The address that the router sends all packets to.
    pub gateway: Ipv4Addr,
    /// The size of the largest packet, in bytes.
    pub mtu: u32,
    /// The address that the router gives the inner link, if that was not done yet; and its prefix.
    pub address: Option<(Ipv4Addr, u8)>,
}

/// What must be kept for the uplink to stay.
#[derive(Debug, Default)]
pub(super) struct Kept {
    _table: Option<Table>,
}

/// An uplink that works.
#[derive(Debug)]
pub(super) struct Started {
    pub uplink: Uplink,
    /// The settings that the router needs.
    pub up: Up,
    /// For as long as it is to work.
    pub kept: Kept,
}

/// The namespaces and addresses that an uplink connects.
pub(super) struct Place<'a> {
    pub plan: Plan,
    /// The text of `/proc/net/route` of this machine.
    pub routes: &'a str,
    /// The network namespace of the router.
    pub namespace: &'a OwnedFd,
    /// A directory in the zone's memory.
    pub scratch: &'a Path,
}

/// Why an uplink cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Obstacle {
    /// Its program is not installed.
    Missing,
    /// It can only be made by root.
    Powerless,
    /// Another reason, as a sentence.
    Other(String),
}

/// Makes the first uplink that works.
///
/// # Errors
/// A sentence with what stands in the way of each.
pub(super) fn start(config: &NetworkConfig, owner: &Owner, place: &Place<'_>) -> Result<Started, String> {
    let mut obstacles = Vec::new();
    for uplink in &config.uplinks {
        let started = match uplink {
            Uplink::Veth => start_veth(owner, place),
            Uplink::Pasta => start_pasta(owner, place),
            Uplink::Slirp4netns => start_slirp4netns(owner, place),
        };
        match started {
            Ok((up, kept)) => return Ok(Started { uplink: *uplink, up, kept }),
            Err(obstacle) => obstacles.push((*uplink, obstacle)),
        }
    }
    Err(explain(&obstacles))
}

/// Says what stands in the way, and the way out.
fn explain(obstacles: &[(Uplink, Obstacle)]) -> String {
    let mut parts: Vec<String> = obstacles
        .iter()
        .filter_map(|(uplink, obstacle)| match obstacle {
            Obstacle::Other(text) => Some(format!("{uplink}: {text}")),
            Obstacle::Missing | Obstacle::Powerless => None,
        })
        .collect();
    let is_missing = |wanted| obstacles.contains(&(wanted, Obstacle::Missing));
    match (is_missing(Uplink::Pasta), is_missing(Uplink::Slirp4netns)) {
        (true, true) => {
            parts.push("neither pasta nor slirp4netns is installed; install the package passt".to_owned());
        }
        (true, false) => parts.push("pasta is not installed; install the package passt".to_owned()),
        (false, _) => {}
    }
    if parts.is_empty() { "no uplink was allowed".to_owned() } else { parts.join("; ") }
}

type Made = Result<(Up, Kept), Obstacle>;

fn other(what: &str, error: impl std::fmt::Display) -> Obstacle {
    Obstacle::Other(format!("{what}: {error}"))
}

/// A pair of links, and a table of the packet filter that vanishes with this process.
fn start_veth(owner: &Owner, place: &Place<'_>) -> Made {
    if owner.is_user_namespace {
        return Err(Obstacle::Powerless);
    }
    let default =
        default_link(place.routes).ok_or_else(|| Obstacle::Other("this machine has no default route".to_owned()))?;
    let is_forwarding = |link: &str| {
        std::fs::read_to_string(format!("/proc/sys/net/ipv4/conf/{link}/forwarding"))
            .is_ok_and(|text| text.trim() == "1")
    };
    if !is_forwarding("all") || !is_forwarding(&default) {
        let text = "this machine forwards nothing; run `sysctl -w net.ipv4.ip_forward=1`";
        return Err(Obstacle::Other(text.to_owned()));
    }
    let outer = format!("{LINK_PREFIX}{}", owner.supervisor);
    let chains = firewall::forward_chains().map_err(|error| other("cannot read the packet filter", error))?;
    accept::allow(&owner.tools, &chains, &outer, &owner.name).map_err(Obstacle::Other)?;
    let purpose = Purpose::Guard { link: &outer, source: place.plan.uplink() };
    let table = Table::make(&owner.name, purpose).map_err(|error| other("cannot make a packet filter", error))?;
    let mtu = std::fs::read_to_string(format!("/sys/class/net/{default}/mtu"));
    let mtu = mtu.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(ETHERNET_MTU);
    make_pair(&outer, place, mtu).map_err(|error| other("cannot make a pair of links", error))?;
    let up =
        Up { gateway: place.plan.uplink_gateway(), mtu, address: Some((place.plan.uplink(), Plan::UPLINK_PREFIX)) };
    Ok((up, Kept { _table: Some(table) }))
}

fn make_pair(outer: &str, place: &Place<'_>, mtu: u32) -> std::io::Result<()> {
    let links = Links::open()?;
    let end = |name| End { name, index: 0 };
    links.make_pair(end(outer), end(INNER_LINK), place.namespace.as_fd(), mtu)?;
    // A kernel without IPv6 has no such setting.
    let _ = set(&format!("net/ipv6/conf/{outer}/disable_ipv6"), "1");
    let link = links.index(outer)?;
    links.add_address(link, place.plan.uplink_gateway(), Plan::UPLINK_PREFIX)?;
    links.set_up(link)
}

/// Source: `pasta(1)`.
fn start_pasta(owner: &Owner, place: &Place<'_>) -> Made {
    let program = find_tool(&owner.tools, "pasta").ok_or(Obstacle::Missing)?;
    check_tun()?;
    let (address, gateway) = (place.plan.uplink(), place.plan.uplink_gateway());
    // No port of either side is opened in the other, and no address stands for this machine.
    let options = "--quiet --runas 0 --config-net --ipv4-only --no-map-gw --tcp-ports none --udp-ports none \
        --tcp-ns none --udp-ns none --no-dhcp --no-dhcpv6 --no-ndp --no-ra --netns-only --no-netns-quit";
    let mut command = Command::new(program);
    command.args(options.split_whitespace()).args(["--ns-ifname", INNER_LINK]);
    command.args(["--address", &address.to_string(), "--netmask", &Plan::UPLINK_PREFIX.to_string()]);
    command.args(["--gateway", &gateway.to_string(), "--mtu", &LARGE_MTU.to_string()]);
    command.stdin(Stdio::null());
    let namespace = NamespaceFile::mount(place).map_err(|error| other("cannot mount the router", error))?;
    command.arg("--netns").arg(&namespace.0);
    // It goes into the background when it is ready.
    let (status, printed) = run(&mut command)?;
    if !status.success() {
        return Err(Obstacle::Other(last_line(&printed)));
    }
    Ok((Up { gateway, mtu: LARGE_MTU, address: None }, Kept::default()))
}

/// The namespace of the router as a file, for a program that gave up the power to look at other processes.
struct NamespaceFile(PathBuf);

impl NamespaceFile {
    fn mount(place: &Place<'_>) -> std::io::Result<Self> {
        let file = place.scratch.join("router");
        File::create(&file)?;
        rustix::mount::mount_bind(format!("/proc/self/fd/{}", place.namespace.as_raw_fd()), &file)?;
        Ok(Self(file))
    }
}

impl Drop for NamespaceFile {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Source: `slirp4netns(1)`, which has the gateway at the second address and itself at the hundredth.
fn start_slirp4netns(owner: &Owner, place: &Place<'_>) -> Made {
    let program = find_tool(&owner.tools, "slirp4netns").ok_or(Obstacle::Missing)?;
    check_tun()?;
    let [a, b, c, _] = place.plan.uplink().octets();
    let base = Ipv4Addr::new(a, b, c, 0);
    let failed = |error: std::io::Error| other("cannot start it", error);
    let (ready, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|e| failed(e.into()))?;
    let mut printed = memory_file().map_err(failed)?;
    let mut command = Command::new(program);
    command.args(["--configure", "--disable-host-loopback", "--disable-dns", "--netns-type=path", "--ready-fd=0"]);
    command.args([format!("--cidr={base}/24"), format!("--mtu={LARGE_MTU}")]);
    let namespace = NamespaceFile::mount(place).map_err(|error| other("cannot mount the router", error))?;
    command.arg(&namespace.0).arg(INNER_LINK).env_clear();
    command.stdin(theirs).stdout(Stdio::null()).stderr(printed.try_clone().map_err(failed)?);
    command.spawn().map_err(failed)?;
    drop(command);
    let mut byte = [0];
    let is_ready = File::from(ready).read(&mut byte).is_ok_and(|n_bytes| n_bytes == 1);
    if !is_ready {
        return Err(Obstacle::Other(last_line(&read_all(&mut printed))));
    }
    let gateway = Ipv4Addr::new(a, b, c, 2);
    Ok((Up { gateway, mtu: LARGE_MTU, address: None }, Kept::default()))
}

/// Refuses where no link can be made by a program.
fn check_tun() -> Result<(), Obstacle> {
    let tun = Path::new("/dev/net/tun");
    match File::options().read(true).write(true).open(tun) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(Obstacle::Other(
            "`/dev/net/tun` cannot be opened by this user; run `sudo chmod 666 /dev/net/tun`".to_owned(),
        )),
        Err(error) => {
            Err(Obstacle::Other(format!("`/dev/net/tun` cannot be opened ({error}); run `sudo modprobe tun`")))
        }
    }
}

/// Runs a program until it has gone into the background, and returns what it printed.
fn run(command: &mut Command) -> Result<(std::process::ExitStatus, String), Obstacle> {
    let failed = |error: std::io::Error| other("cannot start it", error);
    // Not a pipe, which what is in the background would keep open.
    let mut printed = memory_file().map_err(failed)?;
    let stderr = printed.try_clone().map_err(failed)?;
    let status = command.env_clear().stdout(Stdio::null()).stderr(stderr).status().map_err(failed)?;
    Ok((status, read_all(&mut printed)))
}

fn memory_file() -> std::io::Result<File> {
    Ok(rustix::fs::memfd_create("uplink", rustix::fs::MemfdFlags::CLOEXEC)?.into())
}

fn read_all(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns what a program said last, that is about itself.
fn last_line(printed: &str) -> String {
    let mut lines = printed.lines().rev().map(str::trim);
    lines.find(|line| !line.is_empty() && !line.contains("syslog")).unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_way_is_named_with_the_way_out() {
        let check = |obstacles: &[(Uplink, Obstacle)], expect: &str| assert_eq!(explain(obstacles), expect);
        let text = |text: &str| Obstacle::Other(text.to_owned());
        let neither = "neither pasta nor slirp4netns is installed; install the package passt";
        check(&[(Uplink::Pasta, Obstacle::Missing), (Uplink::Slirp4netns, Obstacle::Missing)], neither);
        check(
            &[(Uplink::Veth, text("no")), (Uplink::Pasta, Obstacle::Missing), (Uplink::Slirp4netns, Obstacle::Missing)],
            &format!("veth: no; {neither}"),
        );
        check(
            &[
                (Uplink::Veth, Obstacle::Powerless),
                (Uplink::Pasta, Obstacle::Missing),
                (Uplink::Slirp4netns, text("x")),
            ],
            "slirp4netns: x; pasta is not installed; install the package passt",
        );
        check(&[(Uplink::Veth, Obstacle::Powerless)], "no uplink was allowed");
    }
}
