//! What steps reach, and what they do not.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use engine::ExecStatus;
use testkit::require;
use zone::{ExecSpec, Network, NetworkConfig, Uplink, Zone, ZoneConfig};

use crate::harness::{Base, Ran, helper, run};
use crate::outside::{Outside, enter_new_machine, run as run_command};

const OK: ExecStatus = ExecStatus::Exited { code: 0 };

/// A zone with one kind of way out, and the machine outside.
struct Ground {
    zone: Zone,
    base: Base,
    outside: Outside,
}

impl Ground {
    /// Makes a zone; `None`, and says so, where what it needs is missing.
    async fn new(uplink: Uplink, resolv_conf: impl Fn(&Outside) -> String) -> Option<Self> {
        let tool = if uplink == Uplink::Veth { "root".to_owned() } else { uplink.to_string() };
        if !require(&tool) {
            return None;
        }
        let outside = Outside::make()?;
        let base = Base::new();
        let file = base.path().join("resolv.conf");
        std::fs::write(&file, resolv_conf(&outside)).unwrap();
        let network = NetworkConfig { uplinks: vec![uplink], resolv_conf: file };
        let zone = Zone::start(ZoneConfig { network: Some(network), ..base.config() }).await.unwrap();
        assert_eq!(zone.caps().network, Ok(uplink));
        Some(Self { zone, base, outside })
    }

    /// Makes a step that runs a script and may use the network.
    fn sh(&self, script: &str) -> ExecSpec {
        let mut spec = self.base.sh(script);
        spec.network = Network::Outside;
        spec.timeout = Some(Duration::from_secs(30));
        spec
    }

    async fn run(&self, spec: &ExecSpec) -> Ran {
        run(&self.zone, spec).await.unwrap_or_else(|error| panic!("{error}"))
    }
}

const ALL: [Uplink; 3] = [Uplink::Veth, Uplink::Pasta, Uplink::Slirp4netns];

fn direct(outside: &Outside) -> String {
    format!("nameserver {}\nsearch test\n", outside.address)
}

#[tokio::test]
async fn a_step_reaches_others_by_address_and_by_name() {
    for uplink in ALL {
        let Some(ground) = Ground::new(uplink, direct).await else { continue };
        let address = ground.outside.address;
        let script = format!("wget -q -O - http://{address}/; wget -q -O - http://outside/; cat /etc/resolv.conf");
        let ran = ground.run(&ground.sh(&script)).await;
        assert_eq!(ran.stdout, format!("hello\nhello\n{}", direct(&ground.outside)), "{uplink}: {}", ran.stderr);
        assert_eq!((ran.reply.status, crate::harness::tree(&ran.upper).len()), (OK, 0));
    }
}

#[tokio::test]
async fn names_are_found_by_a_server_on_the_loopback_of_this_machine() {
    for uplink in ALL {
        let names = |outside: &Outside| format!("nameserver {}\n", outside.loopback_names);
        let Some(ground) = Ground::new(uplink, names).await else { continue };
        let ran = ground.run(&ground.sh("wget -q -O - http://outside.test/; cut -d. -f3,4 /etc/resolv.conf")).await;
        assert_eq!(ran.stdout, "hello\n0.1\n", "{uplink}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn a_step_without_network_reaches_nothing() {
    for uplink in ALL {
        let Some(ground) = Ground::new(uplink, direct).await else { continue };
        let address = ground.outside.address;
        let mut spec = ground.sh(&format!("nc {address} 80 < /dev/null; cat /etc/resolv.conf; ip -o link | wc -l"));
        spec.network = Network::None;
        let ran = ground.run(&spec).await;
        assert_eq!(ran.stdout, "1\n", "{uplink}");
        assert_eq!(ran.stderr, format!("nc: can't connect to remote host ({address}): Network is unreachable\n"));
    }
}

/// Returns all addresses of this machine.
fn own_addresses() -> Vec<String> {
    let output = Command::new("ip").args(["-4", "-o", "address"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let addresses = text.lines().filter_map(|line| line.split_whitespace().nth(3)?.split_once('/'));
    addresses.map(|(address, _)| address.to_owned()).collect()
}

/// Returns the outer end of the uplink of a zone.
fn uplink_gateway(zone: &Zone) -> Ipv4Addr {
    let [c, d] = (0x8001 + (zone.supervisor_pid() % 8192) as u16 * 4).to_be_bytes();
    Ipv4Addr::new(198, 19, c, d)
}

#[tokio::test]
async fn nothing_of_this_machine_is_reached_at_any_address() {
    for uplink in ALL {
        // Before the zone: what the machine gets later, as from another test, is not refused.
        let mut addresses = own_addresses();
        let Some(ground) = Ground::new(uplink, direct).await else { continue };
        let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
        let loopback = TcpListener::bind("127.0.0.1:0").unwrap();
        let ports = [&everywhere, &loopback].map(|listener| listener.local_addr().unwrap().port());
        assert!(addresses.len() > 1, "{addresses:?}");
        // The last is where slirp4netns has this machine.
        let gateway = uplink_gateway(&ground.zone);
        addresses.extend([gateway.to_string(), "198.19.0.1".to_owned(), format!("198.19.{}.2", gateway.octets()[2])]);
        let script = format!(
            "for address in {}; do for port in {} {}; do (nc -w 2 $address $port < /dev/null > /dev/null 2>&1 && \
             echo $address $port) & done; done; wait; echo done",
            addresses.join(" "),
            ports[0],
            ports[1]
        );
        let ran = ground.run(&ground.sh(&script)).await;
        assert_eq!(ran.stdout, "done\n", "{uplink}: {}", ran.stderr);
        for listener in [everywhere, loopback] {
            listener.set_nonblocking(true).unwrap();
            assert!(listener.accept().is_err(), "{uplink}");
        }
    }
}

#[tokio::test]
async fn a_socket_of_this_machine_without_a_file_is_not_reached() {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener};
    for uplink in ALL {
        let Some(ground) = Ground::new(uplink, direct).await else { continue };
        let name = format!("zone-network-{}-{uplink}", std::process::id());
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let lower = ground.base.path().join("machine");
        std::fs::create_dir(&lower).unwrap();
        for name in ["bin", "lib", "lib64"] {
            std::os::unix::fs::symlink(format!("usr/{name}"), lower.join(name)).unwrap();
        }
        let script =
            format!("socket(S, 1, 1, 0) or die; print connect(S, pack('Sa*', 1, \"\\0{name}\")) ? 'reached' : \"$!\"");
        let mut spec = ground.base.step(&["/usr/bin/perl", "-e", &script]);
        spec.root.lowers = vec![lower];
        spec.root.read_only_binds = vec![("/usr".into(), "/usr".to_owned())];
        spec.network = Network::Outside;
        assert_eq!(ground.run(&spec).await.stdout, "Connection refused", "{uplink}");
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
    }
}

#[tokio::test]
async fn steps_at_the_same_time_have_the_same_ports_and_do_not_see_each_other() {
    for uplink in ALL {
        let Some(ground) = Ground::new(uplink, direct).await else { continue };
        let cancel = tokio_util::sync::CancellationToken::new();
        let (told, mut address) = tokio::sync::mpsc::unbounded_channel();
        let script = "ip -4 -o addr show eth0 | awk '{print $4}' | cut -d/ -f1; echo secret | nc -l -p 8080";
        let listening = ground.sh(script);
        let first = ground.zone.exec(&listening, &cancel, |_, bytes| {
            let _ = told.send(String::from_utf8_lossy(bytes).trim().to_owned());
        });
        let second = async {
            let address = address.recv().await.unwrap();
            let script = format!(
                "(echo mine | nc -l -p 8080 &); sleep 0.2; nc 127.0.0.1 8080 < /dev/null; \
                 nc -w 2 {address} 8080 < /dev/null || echo refused"
            );
            let ran = ground.run(&ground.sh(&script)).await;
            cancel.cancel();
            ran.stdout
        };
        let (ended, printed) = tokio::join!(first, second);
        assert_eq!(printed, "mine\nrefused\n", "{uplink}");
        assert_eq!(ended.unwrap().status, ExecStatus::Cancelled);
    }
}

#[tokio::test]
async fn many_steps_at_once_all_reach_the_network() {
    for uplink in ALL {
        let Some(ground) = Ground::new(uplink, direct).await else { continue };
        let script = format!("wget -q -O - http://{}/", ground.outside.address);
        let specs: Vec<ExecSpec> = (0..12).map(|_| ground.sh(&script)).collect();
        let (zone, mut steps) = (std::sync::Arc::new(ground.zone), tokio::task::JoinSet::new());
        for spec in specs {
            let zone = std::sync::Arc::clone(&zone);
            steps.spawn(async move { run(&zone, &spec).await.unwrap() });
        }
        for ran in steps.join_all().await {
            assert_eq!(ran.stdout, "hello\n", "{uplink}: {}", ran.stderr);
        }
    }
}

#[tokio::test]
async fn a_step_that_was_to_have_a_way_out_says_why_it_has_none() {
    let cause = "neither pasta nor slirp4netns is installed; install the package passt";
    let check = async |network: Option<NetworkConfig>, tools: Vec<PathBuf>, cause: &str| {
        let base = Base::new();
        let runtime =
            Some(base.config().tools.iter().map(|tools| tools.join("crun")).find(|crun| crun.exists()).unwrap());
        let zone = Zone::start(ZoneConfig { network, tools, runtime, ..base.config() }).await.unwrap();
        assert_eq!(zone.caps().network, Err(cause.to_owned()));
        let note = format!("steps have no way out to the network: {cause}");
        assert!(zone.caps().notes.contains(&note), "{:?}", zone.caps().notes);
        let step = async |script: &str, network: Network| {
            let mut spec = base.sh(script);
            spec.network = network;
            let ran = run(&zone, &spec).await.unwrap();
            (ran.stderr, ran.reply.without_network)
        };
        let (nothing, told) = (String::new(), Some(cause.to_owned()));
        assert_eq!(step("exit 3", Network::None).await, (nothing.clone(), None));
        assert_eq!(step("ip link show lo | grep -q UP", Network::Outside).await, (nothing, told.clone()));
        let stderr = "wget: bad address 'outside.test'\n".to_owned();
        assert_eq!(step("wget -q http://outside.test/", Network::Outside).await, (stderr, told));
    };
    let uplinks = vec![Uplink::Pasta, Uplink::Slirp4netns];
    check(Some(NetworkConfig { uplinks, ..NetworkConfig::default() }), Vec::new(), cause).await;
    check(None, Vec::new(), "it is switched off for this run").await;
}

/// Returns what of a zone can be seen in the network of this machine.
fn traces(supervisor: u32) -> Vec<&'static str> {
    let printed = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let name = format!("host-zone-{supervisor}-");
    let found = [
        ("link", printed("ip", &["-o", "link"]).contains(&format!(" hz{supervisor}@"))),
        ("table", printed("nft", &["list", "tables"]).contains(&name)),
        ("rule", printed("iptables", &["-S"]).contains(&name)),
    ];
    found.into_iter().filter_map(|(what, is_there)| is_there.then_some(what)).collect()
}

fn wait_until_gone(supervisor: u32) {
    let started = std::time::Instant::now();
    while !traces(supervisor).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", traces(supervisor));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn a_zone_leaves_no_trace_in_the_network_of_this_machine() {
    let Some(ground) = Ground::new(Uplink::Veth, direct).await else { return };
    let supervisor = ground.zone.supervisor_pid();
    assert!(traces(supervisor).starts_with(&["link", "table"]), "{:?}", traces(supervisor));
    ground.zone.stop().await;
    wait_until_gone(supervisor);
}

#[tokio::test]
async fn rules_of_zones_that_nobody_swept_up_behind_are_removed_by_the_next() {
    let _machine = match require("root") && require("iptables") {
        true => enter_new_machine(),
        false => return,
    };
    run_command("busybox sysctl -w net.ipv4.ip_forward=1");
    for name in ["host-zone-4194999-1", "web"] {
        run_command(&format!("iptables -A FORWARD -i gone -m comment --comment {name} -j ACCEPT"));
    }
    let (zone, ..) = uplink_on_new_machine(&[], &[Uplink::Veth]).await;
    let own = format!("host-zone-{}-", zone.supervisor_pid());
    let rules = || String::from_utf8(Command::new("iptables").arg("-S").output().unwrap().stdout).unwrap();
    let started = std::time::Instant::now();
    while rules().contains("host-zone-4194999-1") {
        assert!(started.elapsed() < Duration::from_secs(60), "{}", rules());
    }
    assert_eq!(rules().matches(&own).count(), 2);
    zone.stop().await;
    let rules = rules();
    assert!(rules.contains("web") && !rules.contains("host-zone"), "{rules}");
}

#[tokio::test]
async fn a_zone_that_is_killed_leaves_no_trace_either() {
    let Some(ground) = Ground::new(Uplink::Veth, direct).await else { return };
    let supervisor = ground.zone.supervisor_pid();
    let pid = rustix::process::Pid::from_raw(supervisor.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    wait_until_gone(supervisor);
}

#[tokio::test]
async fn when_the_uplink_dies_later_steps_are_told() {
    let Some(ground) = Ground::new(Uplink::Pasta, direct).await else { return };
    // The process is found by its options, which have the address of this zone only.
    let gateway = uplink_gateway(&ground.zone).to_string();
    let is_uplink = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("pasta") && line.contains(&gateway)
    };
    let pids =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pids: Vec<i32> = pids.filter(is_uplink).collect();
    assert_eq!(pids.len(), 1, "{pids:?}");
    let pid = rustix::process::Pid::from_raw(pids[0]).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let started = std::time::Instant::now();
    loop {
        let cause = ground.run(&ground.sh("exit 1")).await.reply.without_network.unwrap_or_default();
        if cause.contains("what kept the network of the zone has ended") {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{cause}");
    }
    assert_eq!(ground.run(&ground.sh("echo still here")).await.stdout, "still here\n");
    assert!(helper().exists());
}

/// Starts a zone on a machine of its own, after some commands, and returns its way out.
async fn uplink_on_new_machine(commands: &[&str], uplinks: &[Uplink]) -> (Zone, Base, Outside) {
    let outside = Outside::make().unwrap();
    run_command(&format!("ip route add default via {}", outside.address));
    commands.iter().for_each(|command| run_command(command));
    let base = Base::new();
    let network = NetworkConfig { uplinks: uplinks.to_vec(), ..NetworkConfig::default() };
    let zone = Zone::start(ZoneConfig { network: Some(network), ..base.config() }).await.unwrap();
    (zone, base, outside)
}

#[tokio::test]
async fn root_has_links_of_the_kernel_where_it_can_and_a_program_otherwise() {
    if !["root", "nftables", "iptables", "pasta"].into_iter().all(require) {
        return;
    }
    let check = async |commands: &[&str], expect: Uplink, veth: Result<Uplink, &str>| {
        let _machine = enter_new_machine();
        let (zone, base, outside) = uplink_on_new_machine(commands, &ALL).await;
        assert_eq!(zone.caps().network, Ok(expect), "{commands:?}");
        let mut spec = base.sh(&format!("wget -q -O - http://{}/", outside.address));
        spec.network = Network::Outside;
        let ran = run(&zone, &spec).await.unwrap();
        assert_eq!(ran.stdout, "hello\n", "{commands:?}: {}", ran.stderr);
        zone.stop().await;
        drop(outside);
        let _machine = enter_new_machine();
        let (zone, ..) = uplink_on_new_machine(commands, &[Uplink::Veth]).await;
        assert_eq!(zone.caps().network, veth.map_err(str::to_owned), "{commands:?}");
    };
    let forward = "busybox sysctl -w net.ipv4.ip_forward=1";
    check(&[forward], Uplink::Veth, Ok(Uplink::Veth)).await;
    let refused = Err("veth: this machine forwards nothing; run `sysctl -w net.ipv4.ip_forward=1`");
    check(&["busybox sysctl -w net.ipv4.ip_forward=0"], Uplink::Pasta, refused).await;
    let firewall = [
        forward,
        "nft add table inet firewalld",
        "nft add chain inet firewalld filter_FORWARD { type filter hook forward priority 10 ; policy drop ; }",
    ];
    let refused =
        Err("veth: the chain `filter_FORWARD` of the firewall table `firewalld` decides about what is forwarded");
    check(&firewall, Uplink::Pasta, refused).await;
    let docker = [forward, "iptables -P FORWARD DROP"];
    check(&docker, Uplink::Veth, Ok(Uplink::Veth)).await;
}

#[tokio::test]
async fn a_settings_file_that_is_a_link_to_nowhere_stays_in_the_image() {
    for uplink in ALL {
        let Some(ground) = Ground::new(uplink, direct).await else { continue };
        let etc = ground.base.path().join("busybox/etc");
        std::fs::create_dir(&etc).unwrap();
        std::os::unix::fs::symlink("../run/systemd/resolve/stub-resolv.conf", etc.join("resolv.conf")).unwrap();
        let ran = ground.run(&ground.sh("wget -q -O - http://outside/")).await;
        assert_eq!(ran.stdout, "hello\n", "{uplink}: {}", ran.stderr);
        assert_eq!(crate::harness::tree(&ran.upper), [""; 0]);
    }
}
