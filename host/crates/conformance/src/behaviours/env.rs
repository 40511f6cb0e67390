//! Environment variables of commands.

use crate::answer::same;
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::session::SessionOptions;

pub(super) const ALL: &[Behaviour] = behaviours![
    ("env: a command sees a variable", [], async |s| {
        s.base().with_env_variable("A", "1").sh("echo $A").stdout().is("1\n").await
    }),
    ("env: a value is passed on unchanged", [], async |s| {
        let value = " two  words 'q' \"d\" \\ $HOME `x` é\nline ";
        s.base().with_env_variable("A", value).sh("printf %s \"$A\"").stdout().is(value).await
    }),
    // Dagger answers the same.
    ("env: a variable that is set again keeps its position", [], async |s| {
        let base = s.container().with_env_variable("A", "1").with_env_variable("B", "2").with_env_variable("A", "3");
        base.env_variables().is("A=3 B=2").await
    }),
    // Dagger does the same.
    ("env: a variable that is removed is not listed, and commands do not see it", [], async |s| {
        let base = s.base().with_env_variable("A", "1").without_env_variable("A");
        base.env_variable("A").is("none").await?;
        base.sh("echo ${A-unset}").stdout().is("unset\n").await
    }),
    // Dagger answers null.
    ("env: a variable that is not set has no value", [], async |s| {
        s.container().env_variable("UNKNOWN").is("none").await
    }),
    ("env: a variable may be empty", [], async |s| {
        let base = s.base().with_env_variable("A", "");
        base.sh("echo [${A-unset}]").stdout().is("[]\n").await?;
        base.env_variable("A").is("").await
    }),
    // Dagger does the same, and also knows defaults in braces.
    ("env: a value is expanded only on request", [], async |s| {
        let base = s.container().with_env_variable("P", "/x");
        base.with_env_variable("Q", "$P").env_variable("Q").is("$P").await?;
        base.with_env_variable_expanded("Q", "$P:${P}/y").env_variable("Q").is("/x:/x/y").await?;
        base.with_env_variable_expanded("Q", "[$NOPE]").env_variable("Q").is("[]").await?;
        base.with_env_variable_expanded("Q", "$$P").env_variable("Q").is("$P").await
    }),
    ("env: PATH can be extended by expansion", [], async |s| {
        let base = s.base().with_env_variable("PATH", "/bin").with_env_variable_expanded("PATH", "/opt/bin:$PATH");
        base.sh("echo $PATH").stdout().is("/opt/bin:/bin\n").await
    }),
    ("env: an invalid name is an error", [], async |s| {
        s.base().with_env_variable("A=B", "1").sh("true").sync().fails("invalid-argument", "A=B").await?;
        s.base().with_env_variable("", "1").sh("true").sync().fails("invalid-argument", "name").await
    }),
    ("env: a NUL byte in a value is an error", [], async |s| {
        s.base().with_env_variable("A", "a\0b").sh("true").sync().fails("invalid-argument", "NUL").await
    }),
    // Our own decision: Dagger adds variables of its own, here nothing of this machine leaks.
    ("env: a command sees only the variables that are set, PATH and HOME", [], async |s| {
        let printed = s.base().with_env_variable("MINE", "1").with_exec(&["env"]).stdout().text().await?;
        let mut names: Vec<&str> = printed.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        names.sort_unstable();
        same(&names.join(" "), "HOME MINE PATH")
    }),
    // Docker's default for a container without PATH.
    ("env: a container without an image has the usual PATH", [], async |s| {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
        s.bare().sh("echo $PATH").stdout().is(path).await
    }),
    // Docker does the same: HOME comes from /etc/passwd.
    ("env: HOME of root is /root", [], async |s| s.base().sh("echo $HOME").stdout().is("/root\n").await),
    ("env: HOME can be set", [], async |s| {
        s.base().with_env_variable("HOME", "/elsewhere").sh("echo $HOME").stdout().is("/elsewhere\n").await
    }),
    // Dagger does the same.
    ("env: arguments are expanded on request", [], async |s| {
        let base = s.base().with_env_variable("A", "one two");
        let options = s.exec_options().expand();
        base.with_exec_options(&["echo", "$A", "${A}s", "$$A"], &options).stdout().is("one two one twos $A\n").await
    }),
    // Dagger refuses it, too: the value would be part of the command line.
    ("env: a secret is never expanded", [], async |s| {
        let base = s.base().with_secret_variable("T", &s.secret("env-expand", "value-of-it"));
        let expanded = base.with_exec_options(&["echo", "$T"], &s.exec_options().expand());
        expanded.sync().fails("invalid-argument", "secret env variable `T`").await
    }),
    ("env: a value of 100,000 bytes arrives complete", [], async |s| {
        let base = s.base().with_env_variable("LONG", &"x".repeat(100_000));
        base.sh("echo ${#LONG}").stdout().is("100000\n").await
    }),
    // Dagger does the same.
    ("env: a volatile variable is seen by commands, and another value runs nothing again", [], async |s| {
        let ran = |s: &Case<'_>, value: &str, script: &str| {
            s.base().with_volatile_variable("BUILD", value).sh(&format!("echo $BUILD; : {script}")).stdout()
        };
        ran(s, "first", "volatile").is("first\n").await?;
        let s = s.again(&SessionOptions::default()).await?;
        ran(&s, "second", "volatile").is("first\n").await?;
        ran(&s, "second", "another").is("second\n").await?;
        let base = s.base().with_env_variable("BUILD", "plain").with_volatile_variable("BUILD", "hidden");
        base.env_variable("BUILD").is("plain").await?;
        base.sh("echo $BUILD").stdout().is("hidden\n").await?;
        base.without_volatile_variable("BUILD").sh("echo $BUILD").stdout().is("plain\n").await
    }),
    // Dagger does the same.
    ("env: a volatile variable is never expanded", [], async |s| {
        let base = s.base().with_volatile_variable("BUILD", "7");
        base.with_env_variable_expanded("X", "$BUILD").sync().fails("invalid-argument", "volatile").await
    }),
];
