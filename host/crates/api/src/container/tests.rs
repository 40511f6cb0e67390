use graph::Definition;

use super::*;
use crate::options::{CopyOptions, ExecOptions, NewOptions};

fn exec(container: &Container, args: &[&str]) -> Container {
    container.with_exec(args.iter().map(|arg| (*arg).to_owned()).collect(), &ExecOptions::default())
}

fn check(container: &Container, expect: &str) {
    assert_eq!(Definition::of([&container.rootfs.edge]).to_text(), expect);
}

fn mounted(container: &Container, path: &str, read_only: bool) -> Container {
    let selection = Directory::default().with_new_file("f", b"1", &NewOptions::default()).selection;
    container.with_mount(path, MountSource::Directory { selection, read_only, owner: None })
}

#[test]
fn commands_form_a_chain_over_the_root_file_system() {
    check(
        &exec(&exec(&Container::default(), &["a"]), &["b", "c d"]),
        "%0 = scratch []\n%1 = exec a [%0]\n%2 = exec b 'c d' [%1]\n",
    );
}

#[test]
fn what_a_command_leaves_in_a_mount_goes_into_the_next_command_and_not_into_the_root() {
    let container = exec(&exec(&mounted(&Container::default(), "/m", false), &["a"]), &["b"]);
    check(&container, "%0 = scratch []\n%1 = make file /f [%0]\n%2 = exec a [%0, %1]\n%3 = exec b [%2, %2#1]\n");
    assert_eq!(format!("{:?}", container.directory("/m/x").selection.path), "`/x`");
    assert_eq!(container.directory("/m").selection.edge.output, 1);
}

#[test]
fn a_read_only_mount_has_no_output() {
    let container = exec(&mounted(&Container::default(), "/m", true), &["a"]);
    assert_eq!(container.directory("/m").selection.edge.vertex.op().describe(), "make file /f");
}

#[test]
fn files_that_are_put_under_a_mount_go_into_the_mount() {
    let container = mounted(&Container::default(), "/m", false).with_new_file("/m/g", b"2", &NewOptions::default());
    assert_eq!(
        Definition::of([&container.directory("/m").selection.edge]).to_text(),
        "%0 = scratch []\n%1 = make file /f [%0]\n%2 = make file /g [%1]\n"
    );
    check(&container, "%0 = scratch []\n");
}

#[test]
fn a_mount_replaces_the_one_at_its_path_and_drops_those_below() {
    let container = mounted(&mounted(&mounted(&Container::default(), "/a/b", true), "/c", true), "/a", true);
    let paths: Vec<String> = container.mounts.iter().map(|mount| mount.path.to_absolute()).collect();
    assert_eq!(paths, ["/c", "/a"]);
    assert!(container.without_mount("a").mounts.len() == 1);
}

#[test]
fn relative_paths_start_at_the_working_directory() {
    let container = Container::default().with_workdir("/src").with_workdir("lib");
    assert_eq!(container.config.workdir.to_absolute(), "/src/lib");
    assert_eq!(container.file("../x").selection.path.to_absolute(), "/src/x");
    assert_eq!(container.file("../../../x").selection.edge.vertex.op().describe(), "fail invalid-path");
}

#[test]
fn variables_are_replaced_in_place_and_expanded_only_when_asked() {
    let container = Container::default()
        .with_env_variable("A", "1")
        .with_env_variable("B", "$A")
        .with_env_variable("A", "2")
        .with_env_variable_expanded("C", "$A:${B}");
    let env: Vec<String> =
        container.config.env.to_vec().iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(env, ["A=2", "B=$A", "C=2:$A"]);
}

#[test]
fn a_secret_is_never_expanded() {
    let secret = SecretName("token".into());
    let container = Container::default().with_secret_variable("T", &secret).with_env_variable_expanded("X", "$T");
    assert_eq!(
        container.failure().map(|fail| fail.message.as_str()),
        Some("expand cannot be used with secret env variable `T`")
    );
}

#[test]
fn an_empty_command_is_the_default_one_and_without_one_an_error() {
    let container = Container::default().with_config(|config| config.default_args = ["serve".to_owned()].into());
    check(&exec(&container, &[]), "%0 = scratch []\n%1 = exec serve [%0]\n");
    assert_eq!(exec(&Container::default(), &[]).failure().map(|fail| fail.code.as_str()), Some("no-exec"));
}

#[test]
fn a_command_with_two_standard_inputs_is_a_mistake_before_any_engine_sees_it() {
    let options = ExecOptions { stdin: Some("a".into()), redirect_stdin: Some("/in".into()), ..ExecOptions::default() };
    let container = Container::default().with_exec(vec!["cat".into()], &options);
    assert_eq!(
        container.failure().map(|fail| (fail.code.as_str(), fail.message.as_str())),
        Some(("invalid-argument", "`with-stdin` and `with-redirect-stdin` cannot both be set"))
    );
}

#[test]
fn a_mistake_stays_until_the_end_of_the_chain() {
    let container = exec(&Container::default().with_workdir(".."), &["true"]).with_file(
        "x",
        &Directory::default().file("y"),
        &CopyOptions::default(),
    );
    assert_eq!(container.failure().map(|fail| fail.message.as_str()), Some("path `..` leaves its root"));
}

#[test]
fn what_commands_cannot_see_is_no_new_command() {
    let a = exec(&Container::default(), &["a"]);
    let b = exec(&Container::default().with_config(|c| c.labels.set("l", "v")), &["a"]);
    assert_eq!(a.rootfs.edge.vertex.digest(), b.rootfs.edge.vertex.digest());
    assert_ne!(a.id(), b.id());
}
