//! Exports to the disk of the caller.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use testkit::{Answer, Scratch, guest, require};

use crate::run::Chain;

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_directory_is_written_over_what_is_there_with_its_modes_and_links() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("out/kept", "kept");
    scratch.write("out/tool", "old");
    let script = "mkdir -p /o/sub && cd /o && echo tool > tool && chmod 755 tool && echo s > sub/secret && chmod 600 sub/secret && ln -s tool link && chmod 750 sub";
    let ran = Chain::machine().sh(script).then(&["directory", "--path", "/o", "-o", "out"]).run(&scratch);
    ran.ok();
    assert!(ran.answer.stderr.contains("saved"), "{}", ran.answer.stderr);
    let out = scratch.path("work/out");
    let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert_eq!((text("kept"), text("tool"), text("sub/secret")), ("kept".into(), "tool\n".into(), "s\n".into()));
    assert_eq!((mode(&out.join("tool")), mode(&out.join("sub/secret")), mode(&out.join("sub"))), (0o755, 0o600, 0o750));
    assert_eq!(std::fs::read_link(out.join("link")).unwrap(), Path::new("tool"));
}

#[test]
fn a_file_is_written_into_a_directory_under_its_own_name() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("there/kept", "kept");
    let export = |to: &str| {
        let chain = Chain::machine().sh("mkdir /o; echo 1 > /o/app");
        chain.then(&["file", "--path", "/o/app", "-o", to]).run(&scratch).ok().to_owned()
    };
    for (to, at) in [("dist/", "work/dist/app"), ("there", "work/there/app"), ("app2", "work/app2")] {
        export(to);
        assert_eq!(std::fs::read_to_string(scratch.path(at)).unwrap(), "1\n", "{to}");
    }
    assert_eq!(std::fs::read_to_string(scratch.path("work/there/kept")).unwrap(), "kept");
}

#[test]
fn a_file_is_written_to_its_path_with_its_mode_and_over_an_older_one() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let export = |script: &str| {
        let chain = Chain::machine().sh(script).then(&["file", "--path", "/o/app", "-o", "deep/er/app"]);
        chain.run(&scratch).ok().to_owned()
    };
    let app = scratch.path("work/deep/er/app");
    export("mkdir /o; echo 1 > /o/app; chmod 755 /o/app");
    assert_eq!((std::fs::read(&app).unwrap(), mode(&app)), (b"1\n".to_vec(), 0o755));
    export("mkdir /o; echo 22 > /o/app; chmod 640 /o/app");
    assert_eq!((std::fs::read(&app).unwrap(), mode(&app)), (b"22\n".to_vec(), 0o640));
}

#[test]
fn a_container_is_written_as_its_root_file_system_and_a_text_as_it_is() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let empty = Chain::new("empty").then(&["with-new-file", "--path", "/a/b", "--contents", "c", "-o", "root"]);
    empty.run(&scratch).ok();
    assert_eq!(std::fs::read_to_string(scratch.path("work/root/a/b")).unwrap(), "c");
    let text = Chain::machine().sh("echo text").then(&["stdout", "-o", "text"]);
    assert_eq!(text.run(&scratch).ok(), "");
    assert_eq!(std::fs::read_to_string(scratch.path("work/text")).unwrap(), "text\n");
}

/// Calls a stage of the module `powers` and grants its powers.
fn effect(scratch: &Scratch, stage: &str, args: &[&str]) -> Answer {
    let module = guest("powers");
    let powers = ["effects", "machine", "sources", "secret-access"].iter().flat_map(|power| ["--allow", power]);
    let words = ["call", "-q", "-m", module.to_str().unwrap(), stage];
    scratch.host(words.into_iter().take(2).chain(powers).chain(words.into_iter().skip(2)).chain(args.iter().copied()))
}

#[test]
fn exports_of_a_function_stay_below_the_export_root() {
    let scratch = Scratch::new();
    scratch.write("tree/a/b", "c");
    symlink(scratch.path(""), scratch.path("work/out")).unwrap();
    symlink("/no/such", scratch.path("work/dangling")).unwrap();
    let inside = effect(&scratch, "export-directory", &["--tree", "tree", "--path", "copy"]);
    assert_eq!(inside.code, Some(0), "{}", inside.stderr);
    assert_eq!(inside.stdout.trim(), scratch.path("work/copy").canonicalize().unwrap().to_str().unwrap());
    assert_eq!(std::fs::read_to_string(scratch.path("work/copy/a/b")).unwrap(), "c");
    let file = effect(&scratch, "export-file", &["--contents", "text", "--path", "new/file"]);
    assert_eq!((file.code, std::fs::read_to_string(scratch.path("work/new/file")).unwrap()), (Some(0), "text".into()));
    for path in ["../x", "/tmp/x", "out/x", "dangling", "copy/../../x", "dangling/x"] {
        for (stage, args) in [("export-file", ["--contents", "text"]), ("export-directory", ["--tree", "tree"])] {
            let refused = effect(&scratch, stage, &[&args[..], &["--path", path]].concat());
            assert_eq!(refused.code, Some(1), "{path}: {}", refused.stderr);
            assert!(refused.stderr.contains(&format!("path `{path}` leaves the export root")), "{}", refused.stderr);
        }
    }
    assert!(!scratch.path("x").exists() && !Path::new("/tmp/x").exists());
}

#[test]
fn a_tree_with_links_that_lead_out_is_written_without_following_them() {
    if !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("victim/file", "untouched");
    let tree = Chain::machine().sh("mkdir /o; echo evil > /o/file").then(&["directory", "--path", "/o", "-o", "out"]);
    std::fs::create_dir(scratch.path("work/out")).unwrap();
    symlink("../victim/file", scratch.path("work/out/file")).unwrap();
    tree.run(&scratch).ok();
    assert_eq!(std::fs::read_to_string(scratch.path("work/victim/file")).unwrap(), "untouched");
    assert_eq!(std::fs::read_to_string(scratch.path("work/out/file")).unwrap(), "evil\n");
}
