//! The configuration of containers, and the commands that they run by default.

use crate::answer::{holds, same};
use crate::arg::Case as EnumCase;
use crate::behaviour::{Behaviour, behaviours};

const TCP: EnumCase = EnumCase("tcp");
const UDP: EnumCase = EnumCase("udp");

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger answers the same for `container` without `from`.
    ("config: a new container has no configuration and no files", [], async |s| {
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
    // Our own decision: Dagger fails here, because it runs the command first.
    ("config: reading the configuration runs no command", [], async |s| {
        let failing = s.base().with_label("l", "v").sh("exit 1; : asked for the configuration");
        failing.label("l").is("v").await?;
        failing.default_args().is("").await?;
        failing.workdir().is("/").await?;
        holds(s.session.n_started("asked for the configuration") == 0, || "the command was run".to_owned())
    }),
    ("config: no command runs before a value is asked for", [], async |s| {
        let chain = s.base().sh("exit 1; : never asked for").with_new_file("/f", "").sh("exit 2");
        let _ = chain.directory("/d").filter(&["*"], &[]);
        s.session.settle().await;
        holds(s.session.n_started("never asked for") == 0, || "the command was run".to_owned())
    }),
    // Dagger lists labels in no order; a defined one is our own decision.
    ("config: labels can be set, replaced and removed, and are listed by name", [], async |s| {
        let base = s.container().with_label("z", "1").with_label("a", "2").with_label("z", "3");
        base.labels().is("a=2 z=3").await?;
        base.label("a").is("2").await?;
        base.label("none").is("none").await?;
        base.without_label("z").labels().is("a=2").await
    }),
    ("config: annotations can be set and removed, and are listed by name", [], async |s| {
        let base = s.container().with_annotation("z", "1").with_annotation("a", "2");
        base.annotations().is("a=2 z=1").await?;
        base.without_annotation("z").annotations().is("a=2").await
    }),
    // Docker does the same: 8000/tcp and 8000/udp are two ports.
    ("config: a port is identified by its number and its protocol", [], async |s| {
        let base = s.container().with_exposed_port(8000, TCP).with_exposed_port(8000, UDP).with_exposed_port(80, TCP);
        base.exposed_ports().is("80:tcp 8000:tcp 8000:udp").await?;
        base.without_exposed_port(8000, TCP).exposed_ports().is("80:tcp 8000:udp").await
    }),
    // Dagger answers the same.
    ("config: the default platform is that of this machine", [], async |s| {
        let own = if cfg!(target_arch = "x86_64") { "linux/amd64" } else { "linux/arm64" };
        s.container().platform().is(own).await?;
        s.container().with_platform("linux/arm/v7").platform().is("linux/arm/v7").await
    }),
    // Dagger answers with the same words.
    ("config: an unknown platform is an error", [], async |s| {
        let unknown = "unknown operating system or architecture";
        s.container().with_platform("beos/vax").platform().fails("invalid-argument", unknown).await
    }),
    ("config: a command for another platform is refused or emulated", [], async |s| {
        let other = if cfg!(target_arch = "x86_64") { "linux/s390x" } else { "linux/amd64" };
        match s.base().with_platform(other).sh("uname -m").stdout().value().await {
            Ok(machine) => holds(!crate::answer::text(&machine).contains(std::env::consts::ARCH), || {
                "it was run as if it were for this machine".to_owned()
            }),
            Err(failure) => same(failure.code(), "unavailable"),
        }
    }),
    // Dagger does the same: a command is what the caller wrote, and nothing is put in front of it.
    ("config: the entrypoint is used only on request", [], async |s| {
        let base = s.base().with_entrypoint(&["echo", "ep"]);
        base.with_exec(&["echo", "plain"]).stdout().is("plain\n").await?;
        base.with_exec_options(&["arg"], &s.exec_options().use_entrypoint()).stdout().is("ep arg\n").await
    }),
    // Dagger does the same.
    ("config: a command without arguments runs the default arguments", [], async |s| {
        s.base().with_default_args(&["echo", "default"]).with_exec(&[]).stdout().is("default\n").await
    }),
    ("config: the entrypoint and the default arguments make one command", [], async |s| {
        let base = s.base().with_entrypoint(&["echo", "ep"]).with_default_args(&["default"]);
        base.with_exec_options(&[], &s.exec_options().use_entrypoint()).stdout().is("ep default\n").await
    }),
    ("config: a command without arguments is an error where there are no default arguments", [], async |s| {
        s.base().with_exec(&[]).stdout().fails("no-exec", "no command has been set").await
    }),
    // Docker does the same: `ENTRYPOINT` in a Dockerfile resets `CMD` of the base image.
    ("config: setting or removing the entrypoint removes the default arguments", [], async |s| {
        let base = s.container().with_entrypoint(&["e"]).with_default_args(&["d", "e"]);
        base.default_args().is("d e").await?;
        base.with_entrypoint(&["x"]).default_args().is("").await?;
        base.without_entrypoint().entrypoint().is("").await?;
        base.without_entrypoint().default_args().is("").await
    }),
    // Docker does the same with `CMD`.
    ("config: setting or removing the default arguments keeps the entrypoint", [], async |s| {
        let base = s.container().with_entrypoint(&["e"]).with_default_args(&["d"]);
        base.with_default_args(&["z"]).entrypoint().is("e").await?;
        base.without_default_args().entrypoint().is("e").await?;
        base.without_default_args().default_args().is("").await
    }),
    // Containers are values: a method returns a new one.
    ("config: two containers made from one do not affect each other", [], async |s| {
        let base = s.base().with_env_variable("A", "1");
        let (x, y) = (base.with_env_variable("A", "2"), base.with_new_file("/f", ""));
        x.sh("echo $A; ls /f 2>/dev/null; true").stdout().is("2\n").await?;
        y.sh("echo $A; ls /f").stdout().is("1\n/f\n").await
    }),
    // An id is the digest of a definition.
    ("config: equal definitions have equal ids, and different ones different ids", [], async |s| {
        let id = |label: &'static str| s.base().with_label("l", label).sh("true").id().text();
        same(&id("a").await?, &id("a").await?)?;
        holds(id("a").await? != id("b").await?, || "other labels, same id".to_owned())
    }),
    ("config: a container that is not an image has no image reference", [], async |s| {
        s.container().with_new_file("/f", "").image_ref().fails("invalid-argument", "no reference").await
    }),
];
