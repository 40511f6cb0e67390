//! `install.sh`: releases that it installs, and archives that it refuses.
//!
//! The program in these archives is a shell script, so that a test packs a few hundred bytes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::{Answer, Scratch, root};

/// Packs a release of this version whose program runs `script`; returns the archive, with its checksum beside it.
fn release(scratch: &Scratch, version: &str, script: &str) -> PathBuf {
    let name = format!("host-{version}-{}-linux", std::env::consts::ARCH);
    let tree = format!("tree/{name}");
    let program = scratch.write(&format!("{tree}/bin/host"), format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    scratch.write(&format!("{tree}/share/man/man1/host.1"), ".TH HOST 1\n");
    scratch.write(&format!("{tree}/share/bash-completion/completions/host"), "complete -F _host host\n");
    let archive = scratch.path("work").join(format!("{name}.tar.gz"));
    run(
        "tar",
        &["-C", &scratch.path("work/tree").display().to_string(), "-czf", &archive.display().to_string(), &name],
    );
    run("sh", &["-c", "cd \"$1\" && sha256sum \"$2\" >\"$2.sha256\"", "sh", &folder(&archive), &file(&archive)]);
    archive
}

fn folder(archive: &Path) -> String {
    archive.parent().unwrap().display().to_string()
}

fn file(archive: &Path) -> String {
    archive.file_name().unwrap().to_string_lossy().into_owned()
}

fn checksum(archive: &Path) -> PathBuf {
    PathBuf::from(format!("{}.sha256", archive.display()))
}

fn run(program: &str, args: &[&str]) {
    let status = Command::new(program).args(args).status().unwrap();
    assert!(status.success(), "{program} {args:?}");
}

/// Runs `install.sh` with the prefix `out` of the scratch.
fn install(scratch: &Scratch, args: &[&str]) -> Answer {
    run_script(&root().join("install.sh"), scratch, args)
}

fn run_script(script: &Path, scratch: &Scratch, args: &[&str]) -> Answer {
    let mut command = Command::new("/bin/sh");
    command.arg(script).args(args).current_dir(scratch.path("work")).env("PREFIX", scratch.path("out"));
    command.output().map(Answer::from).unwrap()
}

/// Returns the files below the prefix.
fn installed(scratch: &Scratch) -> Vec<String> {
    let output = Command::new("find").arg(".").args(["-type", "f"]).current_dir(scratch.path("out")).output();
    let Ok(output) = output else { return Vec::new() };
    let mut files: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(|l| l[2..].to_owned()).collect();
    files.sort();
    files
}

const FILES: [&str; 4] =
    ["bin/host", "share/bash-completion/completions/host", "share/host/installed-files", "share/man/man1/host.1"];

#[test]
fn a_release_is_installed_below_the_prefix_and_removed_from_it() {
    let scratch = Scratch::new();
    let archive = release(&scratch, "1.2.3", "echo host 1.2.3");
    let answer = install(&scratch, &[&file(&archive)]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stdout.starts_with("Installed host 1.2.3: "), "{}", answer.stdout);
    assert_eq!(installed(&scratch), FILES);
    let program = Command::new(scratch.path("out/bin/host")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&program.stdout), "host 1.2.3\n");

    let kept = scratch.path("out/share/man/man1/other.1");
    fs::write(&kept, "").unwrap();
    assert_eq!(install(&scratch, &["--uninstall"]).code, Some(0));
    assert_eq!(installed(&scratch), ["share/man/man1/other.1"]);
    assert_eq!(install(&scratch, &["--uninstall"]).code, Some(1));
}

#[test]
fn an_archive_with_another_digest_is_refused_and_nothing_is_installed() {
    let scratch = Scratch::new();
    let archive = release(&scratch, "1.2.3", "echo host 1.2.3");
    let mut bytes = fs::read(&archive).unwrap();
    bytes.push(0);
    fs::write(&archive, bytes).unwrap();
    let answer = install(&scratch, &[&file(&archive)]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("is not what was released"), "{}", answer.stderr);
    assert!(!scratch.path("out").exists());
}

#[test]
fn an_archive_without_a_checksum_needs_a_digest() {
    let scratch = Scratch::new();
    let archive = release(&scratch, "1.2.3", "echo host 1.2.3");
    let digest = fs::read_to_string(checksum(&archive)).unwrap()[..64].to_owned();
    fs::remove_file(checksum(&archive)).unwrap();
    let answer = install(&scratch, &[&file(&archive)]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("give the digest by --sha256"), "{}", answer.stderr);
    assert!(!scratch.path("out").exists());

    let wrong = install(&scratch, &["--sha256", &"0".repeat(64), &file(&archive)]);
    assert_eq!(wrong.code, Some(1), "{}", wrong.stdout);
    let right = install(&scratch, &["--sha256", &digest, &file(&archive)]);
    assert_eq!(right.code, Some(0), "{}", right.stderr);
}

#[test]
fn of_a_directory_the_newest_release_is_installed() {
    let scratch = Scratch::new();
    for version in ["1.2.0", "1.10.0", "1.9.9"] {
        release(&scratch, version, &format!("echo host {version}"));
    }
    let answer = install(&scratch, &["."]);
    assert!(answer.stdout.starts_with("Installed host 1.10.0: "), "{}{}", answer.stdout, answer.stderr);
    let empty = install(&scratch, &["tree"]);
    assert_eq!(empty.code, Some(1));
    assert!(empty.stderr.contains("there is no host-VERSION-"), "{}", empty.stderr);
}

#[test]
fn a_release_is_downloaded_with_its_checksum() {
    let scratch = Scratch::new();
    let archive = release(&scratch, "1.2.3", "echo host 1.2.3");
    let url = format!("file://{}", archive.display());
    let answer = install(&scratch, &[&url]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert_eq!(installed(&scratch), FILES);

    fs::write(checksum(&archive), "0".repeat(64)).unwrap();
    let answer = install(&scratch, &[&url]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("is not what was released"), "{}", answer.stderr);
}

#[test]
fn the_script_inside_a_release_installs_the_files_beside_it() {
    let scratch = Scratch::new();
    release(&scratch, "1.2.3", "echo host 1.2.3");
    let tree = scratch.path("work/tree").join(format!("host-1.2.3-{}-linux", std::env::consts::ARCH));
    fs::copy(root().join("install.sh"), tree.join("install.sh")).unwrap();
    let answer = run_script(&tree.join("install.sh"), &scratch, &[]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert_eq!(installed(&scratch), FILES);
}

#[test]
fn a_program_that_does_not_start_here_replaces_nothing() {
    let scratch = Scratch::new();
    let works = release(&scratch, "1.2.3", "echo host 1.2.3");
    assert_eq!(install(&scratch, &[&file(&works)]).code, Some(0));
    let broken = release(&scratch, "1.2.4", "exit 1");
    let answer = install(&scratch, &[&file(&broken)]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("does not start on this machine"), "{}", answer.stderr);
    let program = Command::new(scratch.path("out/bin/host")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&program.stdout), "host 1.2.3\n");
}

#[test]
fn a_wrong_command_line_is_told_apart_from_a_failed_installation() {
    let scratch = Scratch::new();
    for args in [&["--prefx", "a"][..], &["--prefix"], &["a.tar.gz", "b.tar.gz"], &[]] {
        assert_eq!(install(&scratch, args).code, Some(2), "{args:?}");
    }
    let missing = install(&scratch, &["missing.tar.gz"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("missing.tar.gz does not exist"), "{}", missing.stderr);
}
