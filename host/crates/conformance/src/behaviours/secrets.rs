//! Secrets.

use backend::OutputStream;

use crate::answer::holds;
use crate::behaviour::{Behaviour, behaviours};
use crate::session::SessionOptions;

pub(super) const ALL: &[Behaviour] = behaviours![
    // semantics G.92
    ("secret: a command sees it in a variable, and nobody else does", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-env", "s3cr3t-value-42"));
        base.sh("echo ${#TOK}; echo $TOK | cut -c1-5").stdout().is("15\ns3cr3\n").await?;
        base.env_variable("TOK").is("none").await?;
        base.without_env_variable("TOK").env_variables().is(&s.base().env_variables().text().await?).await
    }),
    // oracle 139; measured: encodings too.
    ("secret: it is replaced in what is printed", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-print", "s3cr3t-value-43"));
        let script = "echo $TOK; echo pre-$TOK-post; echo $TOK >&2; printf %s $TOK | base64";
        let ran = base.sh(script);
        ran.stdout().is("***\npre-***-post\n***\n").await?;
        ran.stderr().is("***\n").await?;
        let live = s.session.printed(OutputStream::Stdout);
        holds(!live.contains("s3cr3t"), || format!("told while it ran: {live}"))
    }),
    ("secret: it is replaced where it is split over writes", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-split", "abcdefgh-12345"));
        base.sh("printf abcd; sleep 0.2; printf efgh-1; sleep 0.2; echo 2345").stdout().is("***\n").await
    }),
    // measured
    ("secret: each line of it is replaced", [], async |s| {
        let secret = s.secret("secret-lines", "first line\nsecond line\n");
        let base = s.base().with_mounted_secret("/s", &secret);
        base.sh("tail -n1 /s; echo x $(head -n1 /s) y").stdout().is("***\nx *** y\n").await
    }),
    // measured: replacing every `a` would garble all output.
    ("secret: a very short one garbles nothing", [], async |s| {
        let base = s.base().with_secret_variable("T", &s.secret("secret-short", "a"));
        base.sh("echo a$T banana").stdout().is("aa banana\n").await
    }),
    // oracle 145
    ("secret: an empty one is an empty variable", [], async |s| {
        let base = s.base().with_secret_variable("T", &s.secret("secret-empty", ""));
        base.sh("echo [${T-unset}]").stdout().is("[]\n").await
    }),
    // oracle 141
    ("secret: it is replaced in what a failing command printed", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-error", "s3cr3t-value-44"));
        base.sh("echo out $TOK; echo err $TOK >&2; exit 2").stdout().fails_exec(2, "out ***", "err ***").await
    }),
    // oracle 143
    ("secret: as a file it is root's alone, and not in the root", [], async |s| {
        let base = s.base().with_mounted_secret("/run/s/tok", &s.secret("secret-file", "s3cr3t-value-45"));
        let ran = base.sh("stat -c '%a %u:%g %s' /run/s/tok; cat /run/s/tok; wc -c < /run/s/tok");
        ran.stdout().is("400 0:0 15\n***15\n").await?;
        ran.rootfs().glob("run/**").is("").await
    }),
    // oracle 143
    ("secret: as a file it has the owner and the mode that it is given", [Owners], async |s| {
        let options = s.mount_options().with_owner("app:staff").with_mode(0o440);
        let secret = s.secret("secret-owner", "s3cr3t-value-46");
        let base = s.base().with_mounted_secret_options("/t", &secret, &options);
        base.sh("stat -c '%a %u:%g' /t").stdout().is("440 1000:50\n").await
    }),
    // semantics G.96
    ("secret: nobody reads its file but commands", [], async |s| {
        let base = s.base().with_mounted_secret("/t", &s.secret("secret-read", "s3cr3t-value-47"));
        base.file("/t").contents().fails("not-found", "/t").await
    }),
    // semantics G.94
    ("secret: the later of two variables wins, and it can be taken away", [], async |s| {
        let (one, two) = (s.secret("secret-one", "value-one"), s.secret("secret-two", "value-two-longer"));
        let base = s.base().with_secret_variable("T", &one).with_secret_variable("T", &two);
        base.sh("echo ${#T}").stdout().is("16\n").await?;
        base.without_secret_variable("T").sh("echo ${T-unset}").stdout().is("unset\n").await
    }),
    ("secret: a plain variable of its name takes its place, and the other way round", [], async |s| {
        let secret = s.secret("secret-plain", "value-three");
        let base = s.base().with_secret_variable("T", &secret).with_env_variable("T", "plain");
        base.sh("echo $T").stdout().is("plain\n").await?;
        base.with_secret_variable("T", &secret).sh("echo $T").stdout().is("***\n").await
    }),
    ("secret: one that has no value is an error that names it", [], async |s| {
        let secret = s.secret("secret-none", "x");
        let s = s.again(&SessionOptions::default()).await?;
        let base = s.base().with_secret_variable("T", &secret);
        base.sh("echo $T").stdout().fails("environment", "`secret-none`").await
    }),
    // oracle 153: the default; docs/cache-keys.md.
    ("secret: another value under the same name is no reason to run again", [], async |s| {
        let first = s.base().with_secret_variable("T", &s.secret("secret-key", "value-one-1"));
        first.sh("echo $T | cut -c7-9").stdout().is("one\n").await?;
        let s = s.again(&SessionOptions::default()).await?;
        let second = s.base().with_secret_variable("T", &s.secret("secret-key", "value-two-2"));
        second.sh("echo $T | cut -c7-9").stdout().is("one\n").await
    }),
];
