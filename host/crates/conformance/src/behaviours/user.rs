//! Users and groups of a container.

use crate::behaviour::{Behaviour, behaviours};

pub(super) const ALL: &[Behaviour] = behaviours![
    ("user: commands run as root", [], async |s| s.base().sh("id -u; id -g").stdout().is("0\n0\n").await),
    // oracle 011
    ("user: a name has its groups and its home", [Owners], async |s| {
        let base = s.base().with_user("app");
        base.sh("id -u; id -g; id -G | tr ' ' '\\n' | sort -n; echo $HOME")
            .stdout()
            .is("1000\n1000\n50\n1000\n/home/app\n")
            .await
    }),
    // oracle 011
    ("user: a number without a name has the group and the home of nobody", [Owners], async |s| {
        s.base().with_user("1234").sh("id; echo $HOME").stdout().is("uid=1234 gid=0(root) groups=0(root)\n/\n").await
    }),
    ("user: a number that has a name has its groups", [Owners], async |s| {
        s.base().with_user("1000").sh("id -un; id -g; echo $HOME").stdout().is("app\n1000\n/home/app\n").await
    }),
    // oracle 011
    ("user: a number and a group by number", [Owners], async |s| {
        let id = "uid=1000(app) gid=50(staff) groups=50(staff)\n";
        s.base().with_user("1000:50").with_exec(&["id"]).stdout().is(id).await
    }),
    // oracle 011
    ("user: a name and a group by name", [Owners], async |s| {
        let id = "uid=1000(app) gid=50(staff) groups=50(staff)\n";
        s.base().with_user("app:staff").with_exec(&["id"]).stdout().is(id).await
    }),
    ("user: numbers that nobody has", [Owners], async |s| {
        s.base().with_user("4242:4343").sh("id -u; id -g; id -G").stdout().is("4242\n4343\n4343\n").await
    }),
    // oracle 011
    ("user: without a user it is root again", [], async |s| {
        let base = s.base().with_user("app").without_user();
        base.user().is("").await?;
        base.sh("id -u").stdout().is("0\n").await
    }),
    ("user: what was set can be asked for", [], async |s| {
        s.base().with_user("app:staff").user().is("app:staff").await
    }),
    ("user: a name that the container does not have is an error that names it", [], async |s| {
        s.base().with_user("ghost").sh("id").stdout().fails("invalid-argument", "`ghost`").await
    }),
    ("user: a group that the container does not have is an error that names it", [], async |s| {
        s.base().with_user("app:ghosts").sh("id").stdout().fails("invalid-argument", "`ghosts`").await
    }),
    ("user: names are those of the container as it is then", [Owners], async |s| {
        let base = s.base().sh("echo 'new:x:77:78::/home/new:/bin/sh' >> /etc/passwd");
        base.with_user("new").sh("id -u; id -g; echo $HOME").stdout().is("77\n78\n/home/new\n").await
    }),
    ("user: an ordinary one cannot write what is root's", [Owners], async |s| {
        let script = "touch /etc/f 2>/dev/null && echo written || echo refused";
        s.base().with_user("app").sh(script).stdout().is("refused\n").await
    }),
    ("user: an ordinary one can write to /tmp", [Owners], async |s| {
        s.base().with_user("app").sh("echo x > /tmp/f; stat -c %u:%g /tmp/f").stdout().is("1000:1000\n").await
    }),
    ("user: an ordinary one has no capabilities", [Owners], async |s| {
        let script = "awk '/^CapEff/ {print $2}' /proc/self/status";
        s.base().with_user("app").sh(script).stdout().is("0000000000000000\n").await
    }),
    ("user: files belong to whoever wrote them, also for later commands", [Owners], async |s| {
        let base = s.base().with_user("1000:50").sh("echo x > /tmp/f").without_user();
        base.sh("stat -c %u:%g /tmp/f").stdout().is("1000:50\n").await
    }),
    ("user: root can give files away", [Owners], async |s| {
        let base = s.base().sh("touch /f; chown 7:8 /f; chown -h app:staff /f; stat -c '%u:%g %U:%G' /f");
        base.stdout().is("1000:50 app:staff\n").await
    }),
];
