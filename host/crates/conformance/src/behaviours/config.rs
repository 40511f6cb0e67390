//! What a container says of itself, and what it runs by default.

use crate::answer::{holds, same};
use crate::arg::Case as EnumCase;
use crate::behaviour::{Behaviour, behaviours};

const TCP: EnumCase = EnumCase("tcp");
const UDP: EnumCase = EnumCase("udp");

pub(super) const ALL: &[Behaviour] = behaviours![
    // oracle 001
    ("config: a new container says nothing", [], async |s| {
        let new = s.container();
        new.entrypoint().is("").await?;
        new.default_args().is("").await?;
        new.env_variables().is("").await?;
        new.labels().is("").await?;
        new.exposed_ports().is("").await?;
        new.mounts().is("").await?;
        new.user().is("").await?;
        new.rootfs().entries().is("").await
    }),
    // measured: leaves about configuration evaluate nothing.
    ("config: asking for the configuration runs nothing", [], async |s| {
        let failing = s.base().with_label("l", "v").sh("exit 1; : asked for the configuration");
        failing.label("l").is("v").await?;
        failing.default_args().is("").await?;
        failing.workdir().is("/").await?;
        holds(s.session.n_started("asked for the configuration") == 0, || "the command was run".to_owned())
    }),
    ("config: nothing runs before a value is asked for", [], async |s| {
        let chain = s.base().sh("exit 1; : never asked for").with_new_file("/f", "").sh("exit 2");
        let _ = chain.directory("/d").filter(&["*"], &[]);
        s.session.settle().await;
        holds(s.session.n_started("never asked for") == 0, || "the command was run".to_owned())
    }),
    // oracle 017
    ("config: labels are set, replaced, listed by name and removed", [], async |s| {
        let base = s.container().with_label("z", "1").with_label("a", "2").with_label("z", "3");
        base.labels().is("a=2 z=3").await?;
        base.label("a").is("2").await?;
        base.label("none").is("none").await?;
        base.without_label("z").labels().is("a=2").await
    }),
    ("config: annotations are set, listed by name and removed", [], async |s| {
        let base = s.container().with_annotation("z", "1").with_annotation("a", "2");
        base.annotations().is("a=2 z=1").await?;
        base.without_annotation("z").annotations().is("a=2").await
    }),
    // semantics C.42
    ("config: a port is of its protocol", [], async |s| {
        let base = s.container().with_exposed_port(8000, TCP).with_exposed_port(8000, UDP).with_exposed_port(80, TCP);
        base.exposed_ports().is("80:tcp 8000:tcp 8000:udp").await?;
        base.without_exposed_port(8000, TCP).exposed_ports().is("80:tcp 8000:udp").await
    }),
    // oracle 019
    ("config: the platform is this machine's unless set", [], async |s| {
        let own = if cfg!(target_arch = "x86_64") { "linux/amd64" } else { "linux/arm64" };
        s.container().platform().is(own).await?;
        s.container().with_platform("linux/arm/v7").platform().is("linux/arm/v7").await
    }),
    // semantics C.43
    ("config: an unknown platform is an error", [], async |s| {
        let unknown = "unknown operating system or architecture";
        s.container().with_platform("beos/vax").platform().fails("invalid-argument", unknown).await
    }),
    ("config: a command for another platform is refused or emulated, never run as if it were this", [], async |s| {
        let other = if cfg!(target_arch = "x86_64") { "linux/s390x" } else { "linux/amd64" };
        match s.base().with_platform(other).sh("uname -m").stdout().value().await {
            Ok(machine) => holds(!crate::answer::text(&machine).contains(std::env::consts::ARCH), || {
                "it was run as if it were for this machine".to_owned()
            }),
            Err(failure) => same(failure.code(), "unavailable"),
        }
    }),
    // semantics B.19
    ("config: the entrypoint is used only where that is asked for", [], async |s| {
        let base = s.base().with_entrypoint(&["echo", "ep"]);
        base.with_exec(&["echo", "plain"]).stdout().is("plain\n").await?;
        base.with_exec_options(&["arg"], &s.exec_options().use_entrypoint()).stdout().is("ep arg\n").await
    }),
    // oracle 015
    ("config: without arguments the default ones are run", [], async |s| {
        s.base().with_default_args(&["echo", "default"]).with_exec(&[]).stdout().is("default\n").await
    }),
    ("config: entrypoint and default arguments make one command", [], async |s| {
        let base = s.base().with_entrypoint(&["echo", "ep"]).with_default_args(&["default"]);
        base.with_exec_options(&[], &s.exec_options().use_entrypoint()).stdout().is("ep default\n").await
    }),
    ("config: without arguments and default ones there is nothing to run", [], async |s| {
        s.base().with_exec(&[]).stdout().fails("no-exec", "no command has been set").await
    }),
    // oracle 013
    ("config: a new entrypoint takes the default arguments away", [], async |s| {
        let base = s.container().with_entrypoint(&["e"]).with_default_args(&["d", "e"]);
        base.default_args().is("d e").await?;
        base.with_entrypoint(&["x"]).default_args().is("").await?;
        base.without_entrypoint().entrypoint().is("").await?;
        base.without_entrypoint().default_args().is("").await
    }),
    // oracle 013
    ("config: default arguments go alone", [], async |s| {
        let base = s.container().with_entrypoint(&["e"]).with_default_args(&["d"]);
        base.with_default_args(&["z"]).entrypoint().is("e").await?;
        base.without_default_args().entrypoint().is("e").await?;
        base.without_default_args().default_args().is("").await
    }),
    // semantics A.2
    ("config: a change of one container is none of its siblings", [], async |s| {
        let base = s.base().with_env_variable("A", "1");
        let (x, y) = (base.with_env_variable("A", "2"), base.with_new_file("/f", ""));
        x.sh("echo $A; ls /f 2>/dev/null; true").stdout().is("2\n").await?;
        y.sh("echo $A; ls /f").stdout().is("1\n/f\n").await
    }),
    // semantics A.3
    ("config: equal definitions have equal ids", [], async |s| {
        let id = |label: &'static str| s.base().with_label("l", label).sh("true").id().text();
        same(&id("a").await?, &id("a").await?)?;
        holds(id("a").await? != id("b").await?, || "other labels, same id".to_owned())
    }),
    ("config: what is no image has no reference", [], async |s| {
        s.container().with_new_file("/f", "").image_ref().fails("invalid-argument", "no reference").await
    }),
];
