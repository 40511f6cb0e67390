//! Mounts the file system of a container: the root, the mounts of the step, and the files of the network.
//!
//! Everything is mounted by the zone, not by the runtime: paths are resolved here, inside of the root,
//! and a mountpoint that is missing is not made in the upper directory, where it would stay as
//! something that the command wrote. It is made in a directory of its own that becomes the lowest
//! lower one. Only where a layer deleted such a path, which hides what is below it, the mountpoint is
//! made in the upper directory.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{MoveMountFlags, UnmountFlags};

use super::fault::{Context as _, Fault};
use super::overlay::{self, Overlay};
use super::removals::{REMOVALS, copy_attributes, with_removals};
use super::resolve::{Kind, Resolved, make_directories, open_in_root, resolve};
use super::spec::{ExecSpec, MAX_LOWERS, MountSpec};
use super::state::ZoneState;
use super::sys::{MountAttributes, restrict_mount};

/// The directories of a step on the zone's memory file system.
#[derive(Debug)]
pub(super) struct StepDirectories {
    pub all: PathBuf,
    /// The mountpoint of the root.
    pub root: PathBuf,
    /// The mountpoint of `/dev`.
    pub dev: PathBuf,
}

impl StepDirectories {
    /// Makes the directories of a step.
    pub(super) fn make(all: PathBuf) -> Result<Self, Fault> {
        let directories = Self { root: all.join("root"), dev: all.join("dev"), all };
        for directory in [&directories.all, &directories.root, &directories.dev] {
            std::fs::create_dir(directory).context(|| format!("cannot make `{}`", directory.display()))?;
        }
        Ok(directories)
    }

    /// Unmounts and removes them. What is still in use goes when its user does.
    pub(super) fn remove(&self) {
        let _ = rustix::mount::unmount(&self.root, UnmountFlags::DETACH);
        let _ = rustix::mount::unmount(&self.dev, UnmountFlags::DETACH);
        let entries = std::fs::read_dir(&self.all).into_iter().flatten().flatten();
        for memory in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(MEMORY.as_bytes())) {
            let _ = rustix::mount::unmount(memory.path(), UnmountFlags::DETACH);
        }
        let _ = disk::remove_all(&self.all);
    }
}

/// How the names of upper directories in memory begin.
const MEMORY: &str = "memory-";

/// The mountpoints that are to be made below one overlay, by path from its root.
type Mountpoints = BTreeMap<PathBuf, Kind>;

/// Where in [`Mounted`] an overlay is: the root, then the overlays of the step in their order.
const ROOT: usize = 0;

/// A mount of a step.
struct Mounted {
    /// Its path, resolved, from the root.
    path: PathBuf,
    /// The overlay whose lower directories can get more mountpoints.
    overlay: Option<usize>,
}

/// Mounts the root and everything in it, and returns the root.
pub(super) fn assemble(zone: &ZoneState, spec: &ExecSpec, step: &StepDirectories) -> Result<OwnedFd, Fault> {
    let mounts = all_mounts(spec, step, zone.network.resolv_conf(spec.network))?;
    let mut missing = guess(&mounts);
    for n_attempts in 0.. {
        // A path that is still missing is hidden from below and is made in the upper directory then.
        let is_last = n_attempts == 3;
        match attempt(zone, spec, step, &mounts, &mut missing, is_last)? {
            Some(root) => return Ok(root),
            None => rustix::mount::unmount(&step.root, UnmountFlags::DETACH)
                .context(|| "cannot unmount the root".to_owned())?,
        }
    }
    unreachable!("the loop has no end")
}

/// Returns the mounts of the step with those that every step has.
fn all_mounts(spec: &ExecSpec, step: &StepDirectories, resolv_conf: Option<&str>) -> Result<Vec<MountSpec>, Fault> {
    let mut mounts: Vec<MountSpec> = Vec::new();
    for (source, path) in &spec.root.read_only_binds {
        let (source, path) = (source.clone(), path.clone());
        mounts.push(if source.is_dir() {
            MountSpec::Bind { source, path, is_read_only: true }
        } else {
            MountSpec::BindFile { source, path, is_read_only: true }
        });
    }
    mounts.extend(spec.mounts.iter().cloned());
    let hosts = format!("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n127.0.1.1\t{}\n", spec.hostname);
    let mut files = vec![("hosts", hosts), ("hostname", format!("{}\n", spec.hostname))];
    files.extend(resolv_conf.map(|text| ("resolv.conf", text.to_owned())));
    for (name, text) in files {
        let path = format!("/etc/{name}");
        // What the step mounts there itself stays; below a mount of its own, `/etc` is not ours.
        let is_taken = mounts.iter().any(|mount| Path::new(&path).starts_with(mount.path()));
        if is_taken {
            continue;
        }
        let source = step.all.join(name);
        write_file(&source, text.as_bytes(), 0o644)?;
        mounts.push(MountSpec::BindFile { source, path, is_read_only: false });
    }
    Ok(mounts)
}

/// Returns the mountpoints that are needed if no path leads over a link.
fn guess(mounts: &[MountSpec]) -> Vec<Mountpoints> {
    let mut missing = vec![Mountpoints::new()];
    let mut above: Vec<(PathBuf, Option<usize>)> = vec![(PathBuf::new(), Some(ROOT))];
    for mount in mounts {
        let path = relative(mount.path());
        let owner = above.iter().rev().find(|(above, _)| path.starts_with(above));
        if let Some((above, Some(overlay))) = owner
            && let Ok(below) = path.strip_prefix(above)
            && !is_standard(&path)
        {
            missing[*overlay].insert(below.to_owned(), kind_of(mount));
        }
        let overlay = matches!(mount, MountSpec::Overlay { .. }).then(|| {
            missing.push(Mountpoints::new());
            missing.len() - 1
        });
        above.push((path, overlay));
    }
    missing
}

/// Mounts everything, or returns `None` with more in `missing`.
fn attempt(
    zone: &ZoneState,
    spec: &ExecSpec,
    step: &StepDirectories,
    mounts: &[MountSpec],
    missing: &mut [Mountpoints],
    is_last: bool,
) -> Result<Option<OwnedFd>, Fault> {
    let what = || "cannot mount the root".to_owned();
    let skeleton = Some(zone.skeleton.as_path());
    let upper = Some((spec.root.upper.as_path(), spec.root.work.as_path()));
    let root = mount_overlay(zone, step, (&spec.root.lowers, upper), skeleton, (ROOT, &missing[ROOT]))?;
    rustix::mount::move_mount(&root, c"", CWD, &step.root, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context(what)?;
    let root = root.as_fd().try_clone_to_owned().context(what)?;

    let mut mounted = vec![Mounted { path: PathBuf::new(), overlay: Some(ROOT) }];
    let mut n_overlays = 0;
    for (n, mount) in mounts.iter().enumerate() {
        let overlay = matches!(mount, MountSpec::Overlay { .. }).then(|| {
            n_overlays += 1;
            n_overlays
        });
        let Some(at) = mountpoint(root.as_fd(), mount, &mounted, missing, is_last)? else { return Ok(None) };
        let tree = mount_tree(zone, step, mount, n, overlay.map(|n| (n, &missing[n])))?;
        attach(&tree, root.as_fd(), &at)?;
        mounted.push(Mounted { path: at, overlay });
    }
    Ok(Some(root))
}

/// Returns the resolved path of a mountpoint; `None` if it is missing and was put on the list.
fn mountpoint(
    root: BorrowedFd<'_>,
    mount: &MountSpec,
    mounted: &[Mounted],
    missing: &mut [Mountpoints],
    is_last: bool,
) -> Result<Option<PathBuf>, Fault> {
    let kind = kind_of(mount);
    let Resolved { path, found } = resolve(root, mount.path())?;
    match found {
        Some(found) if (found == Kind::Directory) == (kind == Kind::Directory) => return Ok(Some(path)),
        Some(Kind::Directory) => {
            return Err(Fault::spec(format!("cannot mount a file at `{}`: a directory is there", mount.path())));
        }
        Some(_) => {
            return Err(Fault::spec(format!("cannot mount a directory at `{}`: a file is there", mount.path())));
        }
        None => {}
    }
    let owner = mounted.iter().rev().find(|mounted| path.starts_with(&mounted.path));
    if let (Some(Mounted { path: above, overlay: Some(overlay) }), false) = (owner, is_last) {
        let below = path.strip_prefix(above).unwrap_or(&path).to_owned();
        missing[*overlay].insert(below, kind);
        return Ok(None);
    }
    let refused = |error| Fault::system(format!("cannot make the mountpoint `{}`", mount.path()), error);
    if kind == Kind::Directory {
        make_directories(root, &path)?;
    } else {
        make_directories(root, path.parent().unwrap_or(Path::new("")))?;
        open_in_root(root, &path, OFlags::CREATE | OFlags::WRONLY, 0o644).map_err(refused)?;
    }
    Ok(Some(path))
}

fn attach(tree: &OwnedFd, root: BorrowedFd<'_>, at: &Path) -> Result<(), Fault> {
    let what = || format!("cannot mount at `/{}`", at.display());
    let target = open_in_root(root, at, OFlags::PATH, 0).context(what)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(tree, c"", target, c"", flags).context(what)
}

/// Makes what is mounted, attached to nothing yet. `n` is unique in the step.
fn mount_tree(
    zone: &ZoneState,
    step: &StepDirectories,
    mount: &MountSpec,
    n: usize,
    overlay: Option<(usize, &Mountpoints)>,
) -> Result<OwnedFd, Fault> {
    let read_only = |tree: OwnedFd, more: MountAttributes, is_read_only: bool| {
        let attributes = if is_read_only { more | MountAttributes::READ_ONLY } else { more };
        restrict_mount(tree.as_fd(), attributes).context(|| format!("cannot restrict the mount `{}`", mount.path()))?;
        Ok(tree)
    };
    match mount {
        MountSpec::Overlay { lowers, upper, work, .. } => {
            let upper = match (upper, work) {
                (Some(upper), Some(work)) => Some((upper.as_path(), work.as_path())),
                (None, _) => None,
                (Some(_), None) => {
                    return Err(Fault::spec(format!("the mount `{}` has no work directory", mount.path())));
                }
            };
            let mountpoints = overlay.ok_or_else(|| Fault::spec("an overlay without a number"))?;
            let tree = mount_overlay(zone, step, (lowers, upper), None, mountpoints)?;
            read_only(tree, MountAttributes::NO_DEVICES, upper.is_none())
        }
        MountSpec::Bind { source, is_read_only, .. } | MountSpec::BindFile { source, is_read_only, .. } => {
            read_only(overlay::bind(source)?, MountAttributes::NO_DEVICES, *is_read_only)
        }
        MountSpec::Tmpfs { size_bytes, mode, .. } => overlay::tmpfs(*size_bytes, *mode),
        MountSpec::SecretFile { contents, mode, uid, gid, .. } => {
            let file = step.all.join(format!("secret-{n}"));
            if !file.exists() {
                write_file(&file, &contents.0, *mode)?;
                rustix::fs::chown(&file, Some(rustix::fs::Uid::from_raw(*uid)), Some(rustix::fs::Gid::from_raw(*gid)))
                    .context(|| format!("cannot give the secret `{}` to its owner", mount.path()))?;
            }
            let refuses = MountAttributes::NO_DEVICES | MountAttributes::NO_SUID | MountAttributes::NO_EXEC;
            read_only(overlay::bind(&file)?, refuses, true)
        }
    }
}

/// Makes an overlay with its missing mountpoints.
fn mount_overlay(
    zone: &ZoneState,
    step: &StepDirectories,
    (lowers, upper): (&[PathBuf], Option<(&Path, &Path)>),
    skeleton: Option<&Path>,
    (n, mountpoints): (usize, &Mountpoints),
) -> Result<OwnedFd, Fault> {
    if lowers.len() > MAX_LOWERS {
        return Err(Fault::spec(format!("{} layers are more than {MAX_LOWERS}", lowers.len())));
    }
    // Beside the overlay's own directory, on the file system of the upper one: files of an overlay of
    // several file systems would show different devices, and `find -xdev` would skip them.
    let beside = upper.map_or(step.all.join(format!("lowest-{n}")), |(_, work)| work.join("mountpoints"));
    let mut lowest: Vec<&Path> = skeleton.into_iter().collect();
    if !mountpoints.is_empty() {
        make_mountpoints(&beside, mountpoints)?;
        lowest.push(&beside);
    }
    let lowers = with_removals(&zone.memory.join(REMOVALS), lowers.iter().map(PathBuf::as_path))?;
    lowest.extend(lowers.iter().map(PathBuf::as_path));
    let memory;
    let upper = match upper {
        None => None,
        Some((upper, _)) if zone.is_upper_in_memory => {
            memory = memory_upper(&step.all, n)?;
            give_attributes(upper, &memory.0).context(|| "cannot prepare an upper directory in memory".to_owned())?;
            Some((memory.0.as_path(), memory.1.as_path()))
        }
        Some((upper, work)) => {
            memory = (upper.to_owned(), work.join("overlay"));
            let made = std::fs::create_dir(&memory.1);
            if let Err(error) = made
                && error.kind() != std::io::ErrorKind::AlreadyExists
            {
                return Err(Fault::system(format!("cannot make `{}`", memory.1.display()), error));
            }
            // A mount that was given up leaves a mark there that it was volatile.
            let _ = disk::remove_all(&memory.1.join("work"));
            Some((memory.0.as_path(), memory.1.as_path()))
        }
    };
    overlay::mount(&Overlay {
        lowers: &lowest,
        upper,
        is_old_mount_forced: zone.config.is_old_mount_forced,
        scratch: &step.dev,
    })
}

/// Returns the upper directory in memory of an overlay of a step, and the one for its own use.
pub(super) fn memory_upper(step: &Path, n: usize) -> Result<(PathBuf, PathBuf), Fault> {
    let base = step.join(format!("{MEMORY}{n}"));
    let directories = (base.join("upper"), base.join("work"));
    if base.exists() {
        let _ = disk::remove_all(&directories.1.join("work"));
        return Ok(directories);
    }
    let what = || "cannot make an upper directory in memory".to_owned();
    std::fs::create_dir(&base).context(what)?;
    let tmpfs = overlay::tmpfs(None, 0o755)?;
    rustix::mount::move_mount(&tmpfs, c"", CWD, &base, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context(what)?;
    std::fs::create_dir(&directories.0).context(what)?;
    std::fs::create_dir(&directories.1).context(what)?;
    Ok(directories)
}

/// Gives a directory the mode, the owner and the times of another.
fn give_attributes(from: &Path, to: &Path) -> rustix::io::Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = |path: &Path| rustix::fs::open(path, flags, Mode::empty());
    copy_attributes(open(from)?, open(to)?)
}

/// Makes empty directories and files below `base`, where some may be already.
fn make_mountpoints(base: &Path, mountpoints: &Mountpoints) -> Result<(), Fault> {
    for (path, kind) in mountpoints {
        let full = base.join(path);
        let what = || format!("cannot make the mountpoint `{}`", full.display());
        match kind {
            Kind::Directory => std::fs::create_dir_all(&full).context(what)?,
            Kind::Other => {
                std::fs::create_dir_all(full.parent().unwrap_or(base)).context(what)?;
                // A mount above makes it a directory already; the step then fails with a sentence about that.
                if !full.exists() {
                    std::fs::File::create(&full).context(what)?;
                }
            }
        }
    }
    Ok(())
}

fn write_file(file: &Path, bytes: &[u8], mode: u32) -> Result<(), Fault> {
    let what = || format!("cannot write `{}`", file.display());
    std::fs::write(file, bytes).context(what)?;
    std::fs::set_permissions(file, Permissions::from_mode(mode)).context(what)
}

fn kind_of(mount: &MountSpec) -> Kind {
    match mount {
        MountSpec::Overlay { .. } | MountSpec::Bind { .. } | MountSpec::Tmpfs { .. } => Kind::Directory,
        MountSpec::BindFile { .. } | MountSpec::SecretFile { .. } => Kind::Other,
    }
}

/// Returns whether every root has this mountpoint.
fn is_standard(path: &Path) -> bool {
    super::skeleton::FILES.iter().any(|file| Path::new(file) == path)
}

/// Returns an absolute path of the container as one from its root, without following anything.
fn relative(path: &str) -> PathBuf {
    let mut clean = PathBuf::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                clean.pop();
            }
            name => clean.push(name),
        }
    }
    clean
}
