//! The worker of one request: a process of its own, forked by zone init.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use engine::ExecStatus;

use super::fault::{Context as _, Fault};
use super::mounts::{self, StepDirectories};
use super::network::Joined;
use super::protocol::{Reply, Request, read_request, write_reply};
use super::resolve::{make_directories, resolve};
use super::run::{Container, Outputs};
use super::spec::{After, ExecReply, ExecSpec, MountSpec, RootSpec};
use super::state::ZoneState;
use super::{bundle, copy, device, room, run};

/// Serves a request and returns the exit code of the worker.
pub(super) fn serve(zone: &ZoneState, n: u64, socket: OwnedFd, outputs: Option<Outputs>) -> i32 {
    let mut socket = UnixStream::from(socket);
    let served = catch_unwind(AssertUnwindSafe(|| match read_request(&mut socket) {
        Ok(Request::Call { name, payload }) => call(zone, &name, &payload).map_or_else(Reply::Fault, Reply::Call),
        Ok(Request::Exec(spec)) => match outputs {
            Some(outputs) => exec(zone, n, &spec, outputs, &socket).map_or_else(Reply::Fault, Reply::Exec),
            None => Reply::Fault(Fault::Protocol { message: "a step came without descriptors".to_owned() }),
        },
        Err(fault) => Reply::Fault(fault),
    }));
    // What a panic says is on standard error, which the host reads when there is no answer.
    let Ok(reply) = served else { return 101 };
    // A host that is gone needs no answer.
    let _ = write_reply(&mut socket, &reply);
    0
}

/// Runs a function of the table.
fn call(zone: &ZoneState, name: &str, payload: &[u8]) -> Result<Result<Vec<u8>, String>, Fault> {
    let found = zone.functions.iter().find(|(has, _)| *has == name);
    let (_, function) = found.ok_or_else(|| Fault::NoFunction { name: name.to_owned() })?;
    Ok(function(payload))
}

/// Runs a step and what comes after it.
fn exec(zone: &ZoneState, n: u64, spec: &ExecSpec, outputs: Outputs, socket: &UnixStream) -> Result<ExecReply, Fault> {
    check(zone, spec)?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .context(|| "cannot become a subreaper".to_owned())?;
    let name = format!("step{n}");
    let step = StepDirectories::make(step_directory(zone, n))?;
    let started = Instant::now();
    let (ran, without_network) = match zone.network.join(spec.network, socket.as_fd()) {
        Ok(Joined::Outside(namespace)) => (contain(zone, &name, spec, &step, outputs, Some(&namespace), socket), None),
        Ok(Joined::Alone(cause)) => (contain(zone, &name, spec, &step, outputs, None, socket), cause),
        Ok(Joined::Cancelled) => (Ok(ExecStatus::Cancelled), None),
        Err(fault) => (Err(fault), None),
    };
    let duration = started.elapsed();
    let kept = match &ran {
        Ok(ExecStatus::Killed { .. }) => check_room(zone, spec, &step.all),
        Ok(ExecStatus::Exited { .. }) => {
            check_room(zone, spec, &step.all).and_then(|()| match zone.is_upper_in_memory {
                true => keep_uppers(spec, &step.all),
                false => Ok(()),
            })
        }
        _ => Ok(()),
    };
    let _ = disk::remove_all(&run::runtime_state(zone, &name));
    step.remove();
    kept?;
    let status = ran?;
    let after = match (&spec.after, status) {
        (Some(After { name, payload, codes }), ExecStatus::Exited { code })
            if codes.as_ref().is_none_or(|codes| codes.contains(&code)) =>
        {
            Some(call(zone, name, payload)?)
        }
        _ => None,
    };
    Ok(ExecReply { status, after, duration, without_network })
}

/// Returns the directory of a step; zone init removes it if the worker could not.
pub(super) fn step_directory(zone: &ZoneState, n: u64) -> std::path::PathBuf {
    zone.memory.join(format!("step{n}"))
}

/// Makes the container and runs the command in it.
fn contain(
    zone: &ZoneState,
    name: &str,
    spec: &ExecSpec,
    step: &StepDirectories,
    outputs: Outputs,
    namespace: Option<&OwnedFd>,
    socket: &UnixStream,
) -> Result<ExecStatus, Fault> {
    let root = mounts::assemble(zone, spec, step)?;
    device::mount(&step.dev, &zone.devices, zone.has_owners)?;
    let cwd = resolve(root.as_fd(), &spec.cwd)?;
    if cwd.found.is_none() {
        make_directories(root.as_fd(), &cwd.path)?;
    }
    let streams = run::open_streams(spec, root.as_fd(), outputs)?;
    drop(root);
    // This process holds it until the runtime has entered it.
    let namespace = namespace.map(|fd| format!("/proc/{}/fd/{}", std::process::id(), fd.as_raw_fd()));
    let config = bundle::config(zone, spec, step, namespace.as_deref()).to_string();
    std::fs::write(step.all.join("config.json"), config).context(|| "cannot write the bundle".to_owned())?;
    let locks = zone.memory.join("slots");
    let slot = match &spec.limits {
        limits if limits.is_empty() => zone.cgroups.take_default(&locks),
        limits => Some(zone.cgroups.take(limits, &locks)?),
    };
    let container = Container { zone, name, bundle: &step.all, slot: slot.as_ref() };
    run::run(&container, streams, spec.timeout, socket.as_fd())
}

/// Fails if a command has filled the disk that it wrote to.
fn check_room(zone: &ZoneState, spec: &ExecSpec, step: &Path) -> Result<(), Fault> {
    match zone.is_upper_in_memory {
        true => room::check(&mounts::memory_upper(step, 0)?.1),
        false => room::check(&spec.root.work),
    }
}

/// Copies the upper directories from memory to where the host wants them.
fn keep_uppers(spec: &ExecSpec, step: &Path) -> Result<(), Fault> {
    let overlays = spec.mounts.iter().filter_map(|mount| match mount {
        MountSpec::Overlay { upper, .. } => Some(upper.as_deref()),
        _ => None,
    });
    for (n, upper) in std::iter::once(Some(spec.root.upper.as_path())).chain(overlays).enumerate() {
        if let Some(upper) = upper {
            copy::copy_tree(&mounts::memory_upper(step, n)?.0, upper)?;
        }
    }
    Ok(())
}

/// Refuses what cannot work, with a sentence for the one who asked.
fn check(zone: &ZoneState, spec: &ExecSpec) -> Result<(), Fault> {
    let ExecSpec { root, mounts, args, env, secret_env, cwd, user, hostname, .. } = spec;
    let RootSpec { upper, work, .. } = root;
    if args.is_empty() || args[0].is_empty() {
        return Err(Fault::spec("there is no command to run"));
    }
    if args.iter().chain(env.iter().map(|(_, value)| value)).any(|text| text.contains('\0')) {
        return Err(Fault::spec("an argument or a variable contains a zero byte"));
    }
    let mut names = env.iter().map(|(name, _)| name).chain(secret_env.iter().map(|(name, _)| name));
    if let Some(name) = names.find(|name| name.is_empty() || name.contains(['=', '\0'])) {
        return Err(Fault::spec(format!("`{name}` is not a name for a variable")));
    }
    if let Some((name, _)) =
        secret_env.iter().find(|(_, value)| value.0.contains(&0) || std::str::from_utf8(&value.0).is_err())
    {
        return Err(Fault::spec(format!("the secret in the variable `{name}` is not text; mount it as a file")));
    }
    let mut paths = mounts.iter().map(MountSpec::path).chain([cwd.as_str()]);
    if let Some(path) = paths.find(|path| !path.starts_with('/')) {
        return Err(Fault::spec(format!("`{path}` is not an absolute path")));
    }
    if let Some(mount) = mounts.iter().find(|mount| mount.path().split('/').all(|name| name.is_empty() || name == "."))
    {
        return Err(Fault::spec(format!("cannot mount at `{}`: it is the root", mount.path())));
    }
    if hostname.is_empty() || hostname.len() > 64 {
        return Err(Fault::spec(format!("`{hostname}` is not a host name")));
    }
    // The kernel takes this number as "none": a change to it changes nothing, and the command would be root.
    if std::iter::once(&user.uid).chain([&user.gid]).chain(&user.groups).any(|id| *id == u32::MAX) {
        return Err(Fault::spec(format!("{} is not the number of a user or a group", u32::MAX)));
    }
    if !zone.has_owners && (user.uid != 0 || user.gid != 0 || user.groups.iter().any(|group| *group != 0)) {
        return Err(Fault::spec(format!(
            "user {}:{} does not exist in containers here: only user 0 does without a range in /etc/subuid",
            user.uid, user.gid
        )));
    }
    for directory in [upper, work] {
        if !directory.is_dir() {
            return Err(Fault::system(
                format!("cannot use `{}` as an upper directory", directory.display()),
                std::io::Error::from_raw_os_error(libc::ENOENT),
            ));
        }
    }
    Ok(())
}
