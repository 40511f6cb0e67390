//! Limits, networks, and files of this machine.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use api::Value;
use engine::Rules;

use crate::answer::{Wrong, holds, same};
use crate::arg::Arg as _;
use crate::behaviour::{Behaviour, behaviours};
use crate::session::SessionOptions;

/// A script that prints the names of the network interfaces.
const INTERFACES: &str =
    "ls /sys/class/net 2>/dev/null | grep -v '^[a-z0-9]*tnl\\|^sit\\|^gre\\|^erspan\\|^ip6' || true";

fn wrong(error: impl std::fmt::Display) -> Wrong {
    Wrong::new(error.to_string())
}

fn write(path: &Path, contents: &str, mode: u32) -> Result<(), Wrong> {
    std::fs::write(path, contents).map_err(wrong)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(wrong)
}

pub(super) const ALL: &[Behaviour] = behaviours![
    ("limit: a command that exceeds its memory fails with the code `out-of-memory`", [Limits], async |s| {
        let options = s.exec_options().with_memory_limit(32 << 20);
        let script = "BEGIN { s = \"limit-memory\"; while (1) s = s s }";
        let greedy = s.base().with_exec_options(&["awk", script], &options);
        greedy.sync().fails("out-of-memory", "more memory").await
    }),
    ("limit: a command within its memory limit runs", [Limits], async |s| {
        let options = s.exec_options().with_memory_limit(64 << 20);
        s.base().sh_options("echo fits; : limit-fits", &options).stdout().is("fits\n").await
    }),
    ("limit: a command cannot start more processes than its limit", [Limits], async |s| {
        let options = s.exec_options().with_process_limit(8).with_any_code();
        let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait; : limit-processes";
        let printed = s.base().sh_options(script, &options).stderr().text().await?;
        holds(printed.contains("can't fork"), || printed.clone())
    }),
    ("limit: a command with a share of a processor runs", [Limits], async |s| {
        let options = s.exec_options().with_cpu_limit(500);
        s.base().sh_options("echo slow; : limit-cpu", &options).stdout().is("slow\n").await
    }),
    ("network: a command without network has only its own loopback", [], async |s| {
        let options = s.exec_options().without_network();
        s.base().sh_options(&format!("{INTERFACES}; : network-none"), &options).stdout().is("lo\n").await
    }),
    ("network: a session can take the network away from all commands", [], async |s| {
        let s = s
            .again(&SessionOptions { rules: Rules { network: false, ..Rules::default() }, ..SessionOptions::default() })
            .await?;
        s.base().sh(&format!("{INTERFACES}; : network-session")).stdout().is("lo\n").await
    }),
    ("network: a command has a loopback address", [], async |s| {
        let script = "ip addr show lo | grep -c 'inet 127.0.0.1'";
        s.base().sh(script).stdout().is("1\n").await?;
        s.base().sh_options(script, &s.exec_options().without_network()).stdout().is("1\n").await
    }),
    ("network: a command has a default route", [Network], async |s| {
        s.base().sh("ip route | grep -c ^default").stdout().is("1\n").await
    }),
    ("network: a command does not reach the loopback of this machine", [], async |s| {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(wrong)?;
        let port = listener.local_addr().map_err(wrong)?.port();
        listener.set_nonblocking(true).map_err(wrong)?;
        let script = format!("wget -q -T 1 -O - http://127.0.0.1:{port}/ || echo refused");
        s.base().sh(&script).stdout().is("refused\n").await?;
        // The kernel accepts a connection by itself, so it would be waiting here.
        holds(listener.accept().is_err(), || "it was reached".to_owned())
    }),
    // Dagger does the same.
    ("local: files of this machine keep their modes and links, and belong to root", [], async |s| {
        let place = s.local_place().map_err(wrong)?;
        std::fs::create_dir(place.join("d")).map_err(wrong)?;
        write(&place.join("d/s"), "secret", 0o600)?;
        write(&place.join("x"), "#!/bin/sh\n", 0o755)?;
        write(&place.join("suid"), "x", 0o4755)?;
        symlink("x", place.join("ln")).map_err(wrong)?;
        symlink("/etc/passwd", place.join("out")).map_err(wrong)?;
        std::fs::set_permissions(place.join("d"), std::fs::Permissions::from_mode(0o700)).map_err(wrong)?;
        let base = s.base().with_directory("/h", &s.local_directory(&place));
        let script = "cd /h; stat -c '%n %a %u:%g %F' d d/s ln suid x; readlink ln; readlink out";
        let expect = "d 700 0:0 directory\nd/s 600 0:0 regular file\nln 777 0:0 symbolic link\n\
                      suid 4755 0:0 regular file\nx 755 0:0 regular file\nx\n/etc/passwd\n";
        base.sh(script).stdout().is(expect).await
    }),
    // Dagger fails, too.
    ("local: a missing directory is an error that names it", [], async |s| {
        let place = s.local_place().map_err(wrong)?.join("none");
        s.local_directory(&place).entries().fails("environment", "none`").await
    }),
    ("local: a command does not change the files of this machine", [], async |s| {
        let place = s.local_place().map_err(wrong)?;
        write(&place.join("f"), "kept", 0o644)?;
        let base = s.base().with_mounted_directory("/m", &s.local_directory(&place));
        base.sh("echo changed > /m/f; touch /m/new; cat /m/f").stdout().is("changed\n").await?;
        same(&std::fs::read_to_string(place.join("f")).map_err(wrong)?, "kept")?;
        holds(!place.join("new").exists(), || "a file was made".to_owned())
    }),
    // Dagger does the same.
    ("export: a directory is merged into an existing one, with modes and links", [], async |s| {
        let tree = s.directory().with_new_file_options("sub/x", b"#!", &s.new_options().with_mode(0o755));
        let tree = tree.with_new_file("f", "new").with_symlink("f", "ln").with_new_directory("empty");
        let target = s.session.exports().join("out");
        std::fs::create_dir_all(&target).map_err(wrong)?;
        write(&target.join("f"), "old", 0o600)?;
        write(&target.join("other"), "kept", 0o644)?;
        let args = vec![tree.object()?, "out".value()];
        let answer = s.effect("export-directory", args).await?;
        same(&crate::answer::text(&answer), &target.display().to_string())?;
        same(&std::fs::read_to_string(target.join("ln")).map_err(wrong)?, "new")?;
        same(&std::fs::read_to_string(target.join("other")).map_err(wrong)?, "kept")?;
        let mode = std::fs::metadata(target.join("sub/x")).map_err(wrong)?.permissions().mode();
        same(&format!("{:o}", mode & 0o7777), "755")?;
        holds(target.join("empty").is_dir(), || "the empty directory is missing".to_owned())
    }),
    // Dagger does the same.
    ("export: a file is written with its mode, and its parents are created", [], async |s| {
        let tree = s.directory().with_new_file_options("f", b"bytes\0", &s.new_options().with_mode(0o750));
        s.effect("export-file", vec![tree.file("f").object()?, "a/b/g".value()]).await?;
        let target = s.session.exports().join("a/b/g");
        same(&std::fs::read_to_string(&target).map_err(wrong)?, "bytes\0")?;
        let mode = std::fs::metadata(&target).map_err(wrong)?.permissions().mode();
        same(&format!("{:o}", mode & 0o7777), "750")
    }),
    ("export: files that a command made are written", [], async |s| {
        let built = s.base().sh("mkdir /out; echo built > /out/f; ln -s f /out/l");
        s.effect("export-directory", vec![built.directory("/out").object()?, "built".value()]).await?;
        same(&std::fs::read_to_string(s.session.exports().join("built/l")).map_err(wrong)?, "built\n")
    }),
    ("export: a failing command exports nothing", [], async |s| {
        let failing = s.base().sh("mkdir /out; exit 3").directory("/out");
        let failed = s.effect("export-directory", vec![failing.object()?, "nothing".value()]).await;
        match failed {
            Err(failure) => same(failure.code(), "exec")?,
            Ok(value) => return Err(Wrong::new(crate::answer::text(&value))),
        }
        holds(!s.session.exports().join("nothing").exists(), || "something was written".to_owned())
    }),
    ("machine: a command can run the tools of this machine, and cannot change it", [Machine], async |s| {
        s.machine().with_exec(&["sh", "-c", "echo own > /f; cat /f"]).stdout().is("own\n").await?;
        let script = "(touch /usr/written) 2>/dev/null && echo written || echo refused";
        s.machine().with_exec(&["sh", "-c", script]).stdout().is("refused\n").await
    }),
    ("unavailable: a function that this version does not have fails with the code `unavailable`", [], async |s| {
        let failed =
            api::invoke(&*s.session, "sources", "http", vec!["http://127.0.0.1:1/".value(), Value::Option(None)]);
        match failed.await {
            Err(failure) => same(failure.code(), "unavailable"),
            Ok(value) => Err(Wrong::new(crate::answer::text(&value))),
        }
    }),
];
