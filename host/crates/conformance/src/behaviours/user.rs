//! Users and groups of commands.

use engine::Rules;

use crate::base::PASSWD;
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::handle::Handle;
use crate::session::SessionOptions;

pub(super) const ALL: &[Behaviour] = behaviours![
    ("user: commands run as root by default", [], async |s| s.base().sh("id -u; id -g").stdout().is("0\n0\n").await),
    // Docker does the same.
    ("user: a user by name has its groups and its home directory", [Owners], async |s| {
        let base = s.base().with_user("app");
        base.sh("id -u; id -g; id -G | tr ' ' '\\n' | sort -n; echo $HOME")
            .stdout()
            .is("1000\n1000\n50\n1000\n/home/app\n")
            .await
    }),
    // Docker does the same.
    ("user: an unknown number has group 0 and the home directory /", [Owners], async |s| {
        s.base().with_user("1234").sh("id; echo $HOME").stdout().is("uid=1234 gid=0(root) groups=0(root)\n/\n").await
    }),
    ("user: a number of a known user has the groups and the home directory of that user", [Owners], async |s| {
        s.base().with_user("1000").sh("id -un; id -g; echo $HOME").stdout().is("app\n1000\n/home/app\n").await
    }),
    // Docker does the same: a given group is the only one.
    ("user: a user and a group can be given by number", [Owners], async |s| {
        let id = "uid=1000(app) gid=50(staff) groups=50(staff)\n";
        s.base().with_user("1000:50").with_exec(&["id"]).stdout().is(id).await
    }),
    // Docker does the same: a given group is the only one.
    ("user: a user and a group can be given by name", [Owners], async |s| {
        let id = "uid=1000(app) gid=50(staff) groups=50(staff)\n";
        s.base().with_user("app:staff").with_exec(&["id"]).stdout().is(id).await
    }),
    ("user: numbers that /etc/passwd and /etc/group do not have can be given", [Owners], async |s| {
        s.base().with_user("4242:4343").sh("id -u; id -g; id -G").stdout().is("4242\n4343\n4343\n").await
    }),
    // Dagger does the same.
    ("user: commands run as root again when the user is removed", [], async |s| {
        let base = s.base().with_user("app").without_user();
        base.user().is("").await?;
        base.sh("id -u").stdout().is("0\n").await
    }),
    ("user: the user that was set can be read", [], async |s| {
        s.base().with_user("app:staff").user().is("app:staff").await
    }),
    ("user: an unknown user is an error that names it", [], async |s| {
        s.base().with_user("ghost").sh("id").stdout().fails("invalid-argument", "`ghost`").await
    }),
    ("user: an unknown group is an error that names it", [], async |s| {
        s.base().with_user("app:ghosts").sh("id").stdout().fails("invalid-argument", "`ghosts`").await
    }),
    ("user: a name is looked up in the container as the commands before left it", [Owners], async |s| {
        let base = s.base().sh("echo 'new:x:77:78::/home/new:/bin/sh' >> /etc/passwd");
        base.with_user("new").sh("id -u; id -g; echo $HOME").stdout().is("77\n78\n/home/new\n").await
    }),
    ("user: an ordinary user cannot write files of root", [Owners], async |s| {
        let script = "touch /etc/f 2>/dev/null && echo written || echo refused";
        s.base().with_user("app").sh(script).stdout().is("refused\n").await
    }),
    ("user: an ordinary user can write to /tmp", [Owners], async |s| {
        s.base().with_user("app").sh("echo x > /tmp/f; stat -c %u:%g /tmp/f").stdout().is("1000:1000\n").await
    }),
    ("user: an ordinary user has no capabilities", [Owners], async |s| {
        let script = "awk '/^CapEff/ {print $2}' /proc/self/status";
        s.base().with_user("app").sh(script).stdout().is("0000000000000000\n").await
    }),
    // Docker and Dagger do the same.
    ("user: a set-user-ID program makes an ordinary user root", [Owners], async |s| {
        become_root(s).sh("/bin/su -c 'id -u' root").stdout().is("0\n").await?;
        become_root(s).sh("grep NoNewPrivs /proc/self/status | tr -d '\\t'").stdout().is("NoNewPrivs:0\n").await
    }),
    ("user: a command that must not gain privileges does not", [Owners], async |s| {
        let options = s.exec_options().without_new_privileges();
        let denied = become_root(s).sh_options("/bin/su -c 'id -u' root 2>/dev/null || id -u", &options);
        denied.stdout().is("1000\n").await
    }),
    ("user: a session can keep all commands from gaining privileges", [Owners], async |s| {
        let rules = Rules { new_privileges: false, ..Rules::default() };
        let s = s.again(&SessionOptions { rules, ..SessionOptions::default() }).await?;
        become_root(&s).sh("/bin/su -c 'id -u' root 2>/dev/null || id -u").stdout().is("1000\n").await
    }),
    ("user: files keep the owner who wrote them in later commands", [Owners], async |s| {
        let base = s.base().with_user("1000:50").sh("echo x > /tmp/f").without_user();
        base.sh("stat -c %u:%g /tmp/f").stdout().is("1000:50\n").await
    }),
    ("user: root can change the owner of files", [Owners], async |s| {
        let base = s.base().sh("touch /f; chown 7:8 /f; chown -h app:staff /f; stat -c '%u:%g %U:%G' /f");
        base.stdout().is("1000:50 app:staff\n").await
    }),
];

/// Returns a container whose user `app` can become root by a set-user-ID program.
fn become_root(s: &Case<'_>) -> Handle {
    let base = s.base().with_new_file("/etc/passwd", &PASSWD.replace("root:x:", "root::"));
    base.sh("cp /bin/busybox /bin/su; chmod 4755 /bin/su").with_user("app")
}
