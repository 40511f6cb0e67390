//! The zone of this crate's tests: `zone::main` with a table of functions to try.

mod probe;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(zone::ARGUMENT) {
        return zone::main(&[
            ("echo", echo),
            ("fail", fail),
            ("panic", panic),
            ("list", list),
            ("mounts", mounts),
            ("sleep", sleep),
            ("devices", devices),
        ]);
    }
    if std::env::args().nth(1).as_deref() == Some("probe") {
        return probe::print();
    }
    host()
}

/// Is a host: `zone-helper STORE UPPER WORK LOWER SCRIPT` runs one step and prints what it prints. For the tests that
/// kill it.
fn host() -> ExitCode {
    use std::io::Write as _;
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [store, upper, work, lower, script] = args.as_slice() else { return ExitCode::from(2) };
    let root = zone::RootSpec {
        lowers: vec![lower.into()],
        upper: upper.into(),
        work: work.into(),
        read_only_binds: Vec::new(),
    };
    let mut spec = zone::ExecSpec::new(root, ["/bin/sh", "-c", script]);
    spec.env.push(("PATH".to_owned(), "/bin".to_owned()));
    spec.network = zone::Network::Outside;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let ran = runtime.block_on(async {
        let mut config = zone::ZoneConfig::new(store);
        if std::env::var_os("ZONE_TEST_MODE").is_some() {
            config.mode = zone::ZoneMode::User;
        }
        if std::env::var_os("ZONE_TEST_MOUNTS_ALONE").is_some() {
            config.devices = zone::DeviceGuard::MountsAlone;
        }
        let zone = zone::Zone::start(config).await?;
        zone.exec(&spec, &Default::default(), |_, bytes| drop(std::io::stdout().write_all(bytes))).await
    });
    match ran {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            let hint = graph::Diagnostic::hint(&error).unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "{error}\n{hint}");
            ExitCode::FAILURE
        }
    }
}

/// Returns its argument.
fn echo(payload: &[u8]) -> Result<Vec<u8>, String> {
    Ok(payload.to_vec())
}

/// Returns its argument as the error.
fn fail(payload: &[u8]) -> Result<Vec<u8>, String> {
    Err(String::from_utf8_lossy(payload).into_owned())
}

#[expect(clippy::panic, reason = "the test is about what a panic does")]
fn panic(_: &[u8]) -> Result<Vec<u8>, String> {
    panic!("as was asked")
}

/// Returns what is mounted in the zone.
fn mounts(_: &[u8]) -> Result<Vec<u8>, String> {
    std::fs::read("/proc/self/mountinfo").map_err(|error| error.to_string())
}

/// Returns the devices that a worker can open below a directory.
fn devices(payload: &[u8]) -> Result<Vec<u8>, String> {
    let directory = String::from_utf8_lossy(payload).into_owned();
    let found: Vec<String> = probe::openable(std::path::Path::new(&directory)).into_iter().collect();
    Ok(found.join("\n").into_bytes())
}

/// Sleeps for a minute.
fn sleep(_: &[u8]) -> Result<Vec<u8>, String> {
    std::thread::sleep(std::time::Duration::from_secs(60));
    Ok(Vec::new())
}

/// Lists what is in the directory that it is given: kind, mode, owner, path, one line each.
fn list(payload: &[u8]) -> Result<Vec<u8>, String> {
    let base = String::from_utf8_lossy(payload).into_owned();
    let mut lines = Vec::new();
    walk(std::path::Path::new(&base), "", &mut lines).map_err(|error| error.to_string())?;
    lines.sort();
    Ok(lines.join("\n").into_bytes())
}

fn walk(directory: &std::path::Path, prefix: &str, lines: &mut Vec<String>) -> std::io::Result<()> {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => 'd',
            kind if kind.is_symlink() => 'l',
            kind if kind.is_char_device() && metadata.rdev() == 0 => 'w',
            kind if kind.is_file() => 'f',
            _ => '?',
        };
        lines.push(format!("{kind} {:o} {}:{} {path}", metadata.mode() & 0o7777, metadata.uid(), metadata.gid()));
        if metadata.is_dir() {
            walk(&entry.path(), &format!("{path}/"), lines)?;
        }
    }
    Ok(())
}
