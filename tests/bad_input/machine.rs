//! Machines that lack a tool or a feature of the kernel.

use testkit::{Scratch, require};

use crate::case::{ENVIRONMENT, call, refused, works};
use crate::inside::{Inside, give_to_user, host_as_user};

/// Returns the arguments of a call with a step.
fn step() -> Vec<String> {
    call("values", "base with-exec --args true sync")
}

#[test]
fn without_crun_the_package_is_named_and_calls_without_steps_work() {
    if !require("root") || !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    // The program may be on the `PATH`, or where packages put it.
    let hide = "for crun in $(which -a crun) /usr/bin/crun; do [ -f $crun ] && mount --bind /dev/null $crun; done";
    let inside = Inside::mounts(&scratch, hide);
    let answer = inside.host(&scratch, step(), true);
    refused(
        &answer,
        ENVIRONMENT,
        &["error: the container runtime `crun` is not installed", "hint: run `apt-get install"],
    );
    let answer = inside.host(&scratch, crate::case::good(), true);
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "good\n"), "{}", answer.stderr);
    let doctor = inside.host(&scratch, vec!["doctor".into()], true);
    assert_eq!(doctor.code, Some(ENVIRONMENT), "{}", doctor.stderr);
    assert!(doctor.stdout.contains("MISSING  crun") && doctor.stdout.contains("install -y crun"), "{}", doctor.stdout);
    works(&scratch);
}

#[test]
fn without_user_namespaces_an_ordinary_user_is_told_how_to_get_them() {
    if !require("root") || !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    give_to_user(&scratch);
    let inside = Inside::no_user_namespaces(&scratch);
    let answer = inside.host(&scratch, step(), false);
    refused(&answer, ENVIRONMENT, &["user namespace", "hint: "]);
    let answer = inside.host(&scratch, crate::case::good(), false);
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "good\n"), "{}", answer.stderr);
    drop(inside);
    let answer = host_as_user(&scratch, crate::case::good());
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "good\n"), "{}", answer.stderr);
}

#[test]
fn a_limit_that_an_ordinary_user_cannot_set_is_refused_by_name() {
    if !require("root") || !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    give_to_user(&scratch);
    for (limit, what) in [("--memory-limit 100000000", "memory"), ("--process-limit 10", "the number of processes")] {
        let answer =
            host_as_user(&scratch, call("values", &format!("base with-exec-options --args true {limit} sync")));
        let says = format!("cannot limit {what}: this user has no control group for it");
        refused(&answer, ENVIRONMENT, &[&says, "hint: run as root, or leave the limits out"]);
    }
    let answer = host_as_user(&scratch, crate::case::good());
    assert_eq!((answer.code, &*answer.stdout), (Some(0), "good\n"), "{}", answer.stderr);
}
