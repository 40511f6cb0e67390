//! What `/etc/resolv.conf` of a step says, from that of this machine.
//!
//! Source: `resolv.conf(5)`; `systemd-resolved.service(8)` for the file with its upstreams.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where systemd-resolved writes the servers that it asks.
pub(super) const UPSTREAMS: &str = "/run/systemd/resolve/resolv.conf";

/// How many servers programs look at.
const N_SERVERS: usize = 3;

const PORT: u16 = 53;

/// For a step without a way out: a server that refuses at once, as nothing listens there.
pub(crate) const NOWHERE: &str = "nameserver 127.0.0.1\n";

/// How steps find addresses by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolution {
    /// The text of `/etc/resolv.conf`.
    pub text: String,
    /// The servers to forward to, if steps cannot ask them themselves; they ask the gateway then.
    pub forward_to: Vec<SocketAddr>,
}

/// Decides who is asked. `text` is that of this machine and `upstreams` what is in [`UPSTREAMS`].
pub(super) fn decide(text: &str, upstreams: &str, own: &[Ipv4Addr], gateway: Ipv4Addr) -> Resolution {
    let is_reachable = |server: &IpAddr| match server {
        IpAddr::V4(server) => !server.is_loopback() && !server.is_unspecified() && !own.contains(server),
        IpAddr::V6(_) => false,
    };
    let machine = Settings::parse(text);
    let mut direct: Vec<IpAddr> = machine.servers.iter().copied().filter(is_reachable).collect();
    if direct.is_empty() && machine.is_systemd() {
        direct = Settings::parse(upstreams).servers.into_iter().filter(is_reachable).collect();
    }
    if !direct.is_empty() {
        return Resolution { text: machine.render(&direct), forward_to: Vec::new() };
    }
    let forward_to = machine.servers.iter().map(|server| SocketAddr::new(*server, PORT)).collect();
    Resolution { text: machine.render(&[gateway.into()]), forward_to }
}

/// The settings of a `resolv.conf`.
#[derive(Debug, Default)]
struct Settings {
    servers: Vec<IpAddr>,
    /// The lines about search domains and options.
    others: Vec<String>,
}

impl Settings {
    fn parse(text: &str) -> Self {
        let mut settings = Self::default();
        for line in text.lines().map(str::trim) {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["nameserver", server, ..] => settings.servers.extend(server.parse::<IpAddr>().ok()),
                ["search" | "domain" | "options", _, ..] => settings.others.push(line.to_owned()),
                _ => {}
            }
        }
        if settings.servers.is_empty() {
            settings.servers.push(Ipv4Addr::LOCALHOST.into());
        }
        settings
    }

    /// Returns whether systemd-resolved answers.
    fn is_systemd(&self) -> bool {
        let stubs = [Ipv4Addr::new(127, 0, 0, 53), Ipv4Addr::new(127, 0, 0, 54)];
        self.servers.iter().any(|server| stubs.iter().any(|stub| server == stub))
    }

    fn render(&self, servers: &[IpAddr]) -> String {
        let servers = servers.iter().take(N_SERVERS).map(|server| format!("nameserver {server}\n"));
        servers.chain(self.others.iter().map(|line| format!("{line}\n"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, upstreams: &str, expect: &str, forward_to: &[&str]) {
        let own = [Ipv4Addr::new(10, 0, 0, 5)];
        let found = decide(text, upstreams, &own, Ipv4Addr::new(198, 19, 0, 1));
        assert_eq!(found.text, expect, "{text}");
        assert_eq!(found.forward_to.iter().map(ToString::to_string).collect::<Vec<_>>(), forward_to, "{text}");
    }

    #[test]
    fn servers_of_the_network_are_asked_directly() {
        check("nameserver 10.0.0.1\n", "", "nameserver 10.0.0.1\n", &[]);
        check(
            "# made by hand\nsearch a.example b.example\nnameserver 127.0.0.1\nnameserver fe80::1%eth0\n\
             nameserver 9.9.9.9 \noptions ndots:2\n",
            "",
            "nameserver 9.9.9.9\nsearch a.example b.example\noptions ndots:2\n",
            &[],
        );
    }

    #[test]
    fn behind_systemds_stub_its_upstreams_are_asked() {
        let stub = "nameserver 127.0.0.53\noptions edns0\nsearch lan\n";
        check(stub, "nameserver 10.0.0.1\n", "nameserver 10.0.0.1\noptions edns0\nsearch lan\n", &[]);
        check(stub, "", "nameserver 198.19.0.1\noptions edns0\nsearch lan\n", &["127.0.0.53:53"]);
    }

    #[test]
    fn what_steps_cannot_reach_is_forwarded_to() {
        let gateway = "nameserver 198.19.0.1\n";
        check("nameserver 127.0.0.1\n", "nameserver 10.0.0.1\n", gateway, &["127.0.0.1:53"]);
        check("nameserver 10.0.0.5\n", "", gateway, &["10.0.0.5:53"]);
        check("nameserver 2001:db8::1\n", "", gateway, &["[2001:db8::1]:53"]);
        check("", "", gateway, &["127.0.0.1:53"]);
    }
}
