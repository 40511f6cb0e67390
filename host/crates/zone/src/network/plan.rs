//! The addresses of a zone's network, chosen so that they hide nothing that this machine can reach.

use std::net::Ipv4Addr;

/// The prefixes of 16 bits to choose from: of the range for benchmarks (RFC 2544), of the one that
/// providers share (RFC 6598), and private ones that are rarely used.
const BLOCKS: [[u8; 2]; 4] = [[198, 19], [100, 127], [10, 219], [172, 29]];

/// Of a block, the lower half is for steps, and the upper one for uplinks, four addresses each.
const FIRST_UPLINK: u16 = 0x8000;

/// How many steps can have an address at the same time.
const N_STEPS: u16 = FIRST_UPLINK - 2;

/// How links of this machine begin that belong to a zone.
pub(super) const LINK_PREFIX: &str = "hz";

/// The addresses of one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Plan {
    block: [u8; 2],
    uplink: u16,
}

impl Plan {
    /// Chooses addresses. `routes` is the text of `/proc/net/route`; `seed` differs from zone to zone.
    pub(super) fn choose(routes: &str, own: &[Ipv4Addr], seed: u32) -> Self {
        let taken = parse_routes(routes);
        let is_free = |block: &&[u8; 2]| taken.iter().all(|route| !route.overlaps(**block));
        let block = BLOCKS.iter().find(is_free).copied().unwrap_or(BLOCKS[0]);
        let n_uplinks = FIRST_UPLINK / 4;
        let first = (seed % u32::from(n_uplinks)) as u16;
        let plan = |n: u16| Self { block, uplink: FIRST_UPLINK + (n % n_uplinks) * 4 };
        let mut candidates = (0..n_uplinks).map(|n| plan(first + n));
        candidates.find(|plan| !own.contains(&plan.uplink_gateway())).unwrap_or_else(|| plan(first))
    }

    fn address(self, n: u16) -> Ipv4Addr {
        let ([a, b], [c, d]) = (self.block, n.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    }

    /// All addresses of all zones, with the length of their prefix.
    pub(super) fn all(self) -> (Ipv4Addr, u8) {
        (self.address(0), 16)
    }

    /// Returns the address that steps send all packets to.
    pub(super) fn gateway(self) -> Ipv4Addr {
        self.address(1)
    }

    /// The `n`-th step; addresses come again.
    pub(super) fn step(self, n: u32) -> Ipv4Addr {
        self.address(2 + (n % u32::from(N_STEPS)) as u16)
    }

    /// The outer end of the uplink, on which prefixes have [`Self::UPLINK_PREFIX`] bits.
    pub(super) fn uplink_gateway(self) -> Ipv4Addr {
        self.address(self.uplink + 1)
    }

    /// The inner end of the uplink.
    pub(super) fn uplink(self) -> Ipv4Addr {
        self.address(self.uplink + 2)
    }

    /// How long the prefix of an uplink is.
    pub(super) const UPLINK_PREFIX: u8 = 30;
}

/// A route of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    link: String,
    to: u32,
    mask: u32,
}

impl Route {
    fn overlaps(&self, [a, b]: [u8; 2]) -> bool {
        let block = u32::from(Ipv4Addr::new(a, b, 0, 0));
        let mask = self.mask & 0xffff_0000;
        self.mask != 0 && !self.link.starts_with(LINK_PREFIX) && (self.to & mask) == (block & mask)
    }
}

/// Reads `/proc/net/route`, whose numbers are in the byte order of the machine.
fn parse_routes(text: &str) -> Vec<Route> {
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number =
            |n: usize| u32::from_str_radix(fields.get(n)?, 16).ok().map(|n| u32::from_be_bytes(n.to_ne_bytes()));
        Some(Route { link: (*fields.first()?).to_owned(), to: number(1)?, mask: number(7)? })
    };
    text.lines().skip(1).filter_map(parse).collect()
}

/// Returns the link over which `/proc/net/route` sends what has no other way.
pub(super) fn default_link(routes: &str) -> Option<String> {
    parse_routes(routes).into_iter().find(|route| route.mask == 0 && route.to == 0).map(|route| route.link)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    fn routes(lines: &[(&str, [u8; 4], [u8; 4])]) -> String {
        let hex = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        let line = |(link, to, mask): &(&str, [u8; 4], [u8; 4])| {
            format!("{link}\t{}\t00000000\t0001\t0\t0\t0\t{}\t0\t0\t0\n", hex(*to), hex(*mask))
        };
        HEADER.to_owned() + &lines.iter().map(line).collect::<String>()
    }

    #[test]
    fn addresses_hide_no_network_of_the_machine() {
        let check = |lines: &[(&str, [u8; 4], [u8; 4])], expect: &str| {
            assert_eq!(Plan::choose(&routes(lines), &[], 7).gateway().to_string(), expect);
        };
        let default = ("eth0", [0; 4], [0; 4]);
        check(&[], "198.19.0.1");
        check(&[default, ("hz9", [198, 19, 128, 0], [255, 255, 255, 252])], "198.19.0.1");
        check(&[default, ("eth0", [198, 19, 249, 0], [255, 255, 255, 0])], "100.127.0.1");
        check(&[("tun0", [198, 18, 0, 0], [255, 254, 0, 0]), ("wg0", [100, 64, 0, 0], [255, 192, 0, 0])], "10.219.0.1");
    }

    #[test]
    fn uplinks_of_two_zones_differ() {
        let first = Plan::choose("", &[], 5);
        assert_eq!(
            (first.uplink_gateway().to_string(), first.uplink().to_string()),
            ("198.19.128.21".into(), "198.19.128.22".into())
        );
        let second = Plan::choose("", &[first.uplink_gateway()], 5);
        assert_eq!(second.uplink().to_string(), "198.19.128.26");
        assert_eq!(Plan::choose("", &[], 8191 + 8192).uplink().to_string(), "198.19.255.254");
    }

    #[test]
    fn addresses_of_steps_come_again_before_those_of_uplinks() {
        let plan = Plan::choose("", &[], 0);
        let check = |n: u32, expect: &str| assert_eq!(plan.step(n).to_string(), expect);
        check(0, "198.19.0.2");
        check(0x7ffd, "198.19.127.255");
        check(0x7ffe, "198.19.0.2");
    }

    #[test]
    fn the_default_link_is_found() {
        let text = routes(&[("br0", [10, 0, 0, 0], [255, 0, 0, 0]), ("eth0", [0; 4], [0; 4])]);
        assert_eq!(default_link(&text).as_deref(), Some("eth0"));
        assert_eq!(default_link(HEADER), None);
    }
}
