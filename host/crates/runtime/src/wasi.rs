//! A WASI in which nothing is real.
//!
//! There are no environment variables, no directories and no sockets. Only programs have arguments, and standard input
//! is empty. The wall clock stands still at [`WALL_CLOCK`]. The monotonic clock is a [`VirtualClock`], so sleeping
//! takes no time. Random bytes are made from the component and the function. So the result of a function depends only
//! on its arguments and on the answers of the host.

use std::convert::Infallible;
use std::time::Duration;

use graph::ContentDigest;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, io, random, sockets};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder};

use crate::output::Output;
use crate::state::State;
use crate::time::VirtualClock;

/// The time of the wall clock: 2000-01-01T00:00:00Z. ZIP and certificates refuse 1970.
const WALL_CLOCK: Duration = Duration::from_secs(946_684_800);

/// The limit on a request for random bytes, which are made in one piece.
const MAX_RANDOM_BYTES: u64 = 16 << 20;

/// Makes the WASI context of a call.
pub(crate) fn context(
    component: &ContentDigest,
    function: &str,
    args: &[String],
    clock: &VirtualClock,
    output: &Output,
) -> WasiCtx {
    let mut seed = [0; 16];
    Random::new(component, function, "seed").fill(&mut seed);
    WasiCtxBuilder::new()
        .args(args)
        .stdout(output.stdout())
        .stderr(output.stderr())
        .wall_clock(FixedClock)
        .monotonic_clock(Monotonic(clock.clone()))
        .secure_random(Random::new(component, function, "secure"))
        .insecure_random(Random::new(component, function, "insecure"))
        .insecure_random_seed(u128::from_le_bytes(seed))
        .max_random_size(MAX_RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

struct FixedClock;

impl HostWallClock for FixedClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        WALL_CLOCK
    }
}

struct Monotonic(VirtualClock);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.now()
    }
}

/// Bytes that look random and are the same on every machine: the extended output of BLAKE3.
struct Random(blake3::OutputReader);

impl Random {
    fn new(component: &ContentDigest, function: &str, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("host runtime randomness 1");
        hasher.update(component.as_bytes());
        hasher.update(&(function.len() as u64).to_le_bytes());
        hasher.update(function.as_bytes());
        hasher.update(purpose.as_bytes());
        Self(hasher.finalize_xof())
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

impl rand_core::TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

/// The interface `wasi:clocks/monotonic-clock` on the virtual clock.
struct VirtualTime;

struct VirtualTimeView<'a> {
    clock: &'a VirtualClock,
    resources: &'a mut ResourceTable,
}

impl HasData for VirtualTime {
    type Data<'a> = VirtualTimeView<'a>;
}

/// A sleep: waiting advances the clock instead of taking time.
struct Sleep {
    clock: VirtualClock,
    until: u64,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        self.clock.advance_to(self.until);
    }
}

impl monotonic_clock::Host for VirtualTimeView<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clock.now())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let sleep = self.resources.push(Sleep { clock: self.clock.clone(), until: when })?;
        subscribe(self.resources, sleep)
    }

    fn subscribe_duration(&mut self, nanos: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_instant(self.clock.now().saturating_add(nanos))
    }
}

/// Defines one interface, by its name without version. Returns none if there is no such interface.
///
/// The interfaces are defined one by one, because all of them together cost more than a call.
pub(crate) fn define(linker: &mut Linker<State>, interface: &str) -> Option<wasmtime::Result<()>> {
    type L<'a> = &'a mut Linker<State>;
    let define: fn(L<'_>) -> wasmtime::Result<()> = match interface {
        "wasi:io/error" => |l| io::error::add_to_linker::<State, HasIo>(l, |state| &mut state.resources),
        "wasi:io/poll" => |l| io::poll::add_to_linker::<State, HasIo>(l, |state| &mut state.resources),
        "wasi:io/streams" => |l| io::streams::add_to_linker::<State, HasIo>(l, |state| &mut state.resources),
        "wasi:clocks/wall-clock" => |l| clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks),
        "wasi:clocks/monotonic-clock" => |l| {
            monotonic_clock::add_to_linker::<State, VirtualTime>(l, |state| VirtualTimeView {
                clock: &state.clock,
                resources: &mut state.resources,
            })
        },
        "wasi:random/random" => |l| random::random::add_to_linker::<State, WasiRandom>(l, State::random),
        "wasi:random/insecure" => |l| random::insecure::add_to_linker::<State, WasiRandom>(l, State::random),
        "wasi:random/insecure-seed" => |l| random::insecure_seed::add_to_linker::<State, WasiRandom>(l, State::random),
        "wasi:cli/exit" => |l| cli::exit::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/environment" => |l| cli::environment::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/stdin" => |l| cli::stdin::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/stdout" => |l| cli::stdout::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/stderr" => |l| cli::stderr::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/terminal-input" => |l| cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/terminal-output" => |l| cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/terminal-stdin" => |l| cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/terminal-stdout" => |l| cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:cli/terminal-stderr" => |l| cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli),
        "wasi:filesystem/types" => |l| filesystem::types::add_to_linker::<State, WasiFilesystem>(l, State::filesystem),
        "wasi:filesystem/preopens" => {
            |l| filesystem::preopens::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)
        }
        other => return define_sockets(linker, other),
    };
    Some(define(linker))
}

/// Languages import sockets. They exist, and every use is denied.
fn define_sockets(linker: &mut Linker<State>, interface: &str) -> Option<wasmtime::Result<()>> {
    let l = linker;
    let get = State::sockets;
    Some(match interface {
        "wasi:sockets/tcp" => sockets::tcp::add_to_linker::<State, WasiSockets>(l, get),
        "wasi:sockets/udp" => sockets::udp::add_to_linker::<State, WasiSockets>(l, get),
        "wasi:sockets/tcp-create-socket" => sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(l, get),
        "wasi:sockets/udp-create-socket" => sockets::udp_create_socket::add_to_linker::<State, WasiSockets>(l, get),
        "wasi:sockets/instance-network" => sockets::instance_network::add_to_linker::<State, WasiSockets>(l, get),
        "wasi:sockets/network" => {
            sockets::network::add_to_linker::<State, WasiSockets>(l, &sockets::network::LinkOptions::default(), get)
        }
        "wasi:sockets/ip-name-lookup" => sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(l, get),
        _ => return None,
    })
}

struct HasIo;

impl HasData for HasIo {
    type Data<'a> = &'a mut ResourceTable;
}

/// The names that [`define`] knows, for messages.
pub(crate) const KNOWN: &str = "wasi:cli, wasi:clocks, wasi:filesystem, wasi:io, wasi:random and wasi:sockets @0.2";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn randomness_depends_on_component_function_and_purpose_only() {
        let bytes = |component: &[u8], function: &str, purpose: &str| {
            let mut bytes = [0; 16];
            Random::new(&ContentDigest::of(component), function, purpose).fill(&mut bytes);
            bytes
        };
        assert_eq!(bytes(b"c", "f", "p"), bytes(b"c", "f", "p"));
        assert_ne!(bytes(b"c", "f", "p"), bytes(b"d", "f", "p"));
        assert_ne!(bytes(b"c", "f", "p"), bytes(b"c", "g", "p"));
        assert_ne!(bytes(b"c", "f", "p"), bytes(b"c", "f", "q"));
    }
}
