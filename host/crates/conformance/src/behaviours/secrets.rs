//! Secrets in variables, files and output.

use engine::OutputStream;

use crate::answer::holds;
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::session::SessionOptions;

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger does the same.
    ("secret: a command sees a secret in a variable, and callers do not", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-env", "s3cr3t-value-42"));
        base.sh("echo ${#TOK}; echo $TOK | cut -c1-5").stdout().is("15\ns3cr3\n").await?;
        base.env_variable("TOK").is("none").await?;
        base.without_env_variable("TOK").env_variables().is(&s.base().env_variables().text().await?).await
    }),
    // Our own decision: Dagger replaces the value itself, here its encodings are replaced, too.
    ("secret: a secret is replaced in the output", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-print", "s3cr3t-value-43"));
        let script = "echo $TOK; echo pre-$TOK-post; echo $TOK >&2; printf %s $TOK | base64";
        let ran = base.sh(script);
        ran.stdout().is("***\npre-***-post\n***\n").await?;
        ran.stderr().is("***\n").await?;
        let live = s.session.printed(OutputStream::Stdout);
        holds(!live.contains("s3cr3t"), || format!("told while it ran: {live}"))
    }),
    ("secret: a secret is replaced where it is split over several writes", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-split", "abcdefgh-12345"));
        base.sh("printf abcd; sleep 0.2; printf efgh-1; sleep 0.2; echo 2345").stdout().is("***\n").await
    }),
    // Our own decision: Dagger replaces only the whole text.
    ("secret: each line of a secret is replaced", [], async |s| {
        let secret = s.secret("secret-lines", "first line\nsecond line\n");
        let base = s.base().with_mounted_secret("/s", &secret);
        base.sh("tail -n1 /s; echo x $(head -n1 /s) y").stdout().is("***\nx *** y\n").await
    }),
    // Our own decision: Dagger keeps the value in the file. `host` writes the file, so it holds what is shown.
    ("secret: a secret is replaced in the file that a stream is redirected to", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-redirect", "abcdefgh-12346"));
        let options = s.exec_options().with_redirect_stdout("/out").with_redirect_stderr("/err");
        let script =
            "printf abcd; sleep 0.2; echo efgh-12346; echo pre-$TOK-post >&2; printf abcd; printf %s $TOK > /own";
        let ran = base.sh_options(script, &options);
        ran.file("/out").contents().is("***\nabcd").await?;
        ran.file("/err").contents().is("pre-***-post\n").await?;
        ran.stdout().is("***\nabcd").await?;
        ran.file("/own").contents().is("abcdefgh-12346").await
    }),
    // Our own decision: replacing every `a`, as Dagger does, would make all output unreadable.
    ("secret: a secret of one letter is not replaced", [], async |s| {
        let base = s.base().with_secret_variable("T", &s.secret("secret-short", "a"));
        base.sh("echo a$T banana").stdout().is("aa banana\n").await
    }),
    // Dagger does the same.
    ("secret: an empty secret is an empty variable", [], async |s| {
        let base = s.base().with_secret_variable("T", &s.secret("secret-empty", ""));
        base.sh("echo [${T-unset}]").stdout().is("[]\n").await
    }),
    // Dagger does the same.
    ("secret: a secret is replaced in the error of a failing command", [], async |s| {
        let base = s.base().with_secret_variable("TOK", &s.secret("secret-error", "s3cr3t-value-44"));
        base.sh("echo out $TOK; echo err $TOK >&2; exit 2").stdout().fails_exec(2, "out ***", "err ***").await
    }),
    // Dagger does the same.
    ("secret: a secret as a file can be read by root alone, and is not in the root", [], async |s| {
        let base = s.base().with_mounted_secret("/run/s/tok", &s.secret("secret-file", "s3cr3t-value-45"));
        let ran = base.sh("stat -c '%a %u:%g %s' /run/s/tok; cat /run/s/tok; wc -c < /run/s/tok");
        ran.stdout().is("400 0:0 15\n***15\n").await?;
        ran.rootfs().glob("run/**").is("").await
    }),
    // Dagger does the same.
    ("secret: a secret as a file has the given owner and mode", [Owners], async |s| {
        let options = s.mount_options().with_owner("app:staff").with_mode(0o440);
        let secret = s.secret("secret-owner", "s3cr3t-value-46");
        let base = s.base().with_mounted_secret_options("/t", &secret, &options);
        base.sh("stat -c '%a %u:%g' /t").stdout().is("440 1000:50\n").await
    }),
    // Dagger answers the same.
    ("secret: callers cannot read the file of a secret", [], async |s| {
        let base = s.base().with_mounted_secret("/t", &s.secret("secret-read", "s3cr3t-value-47"));
        base.file("/t").contents().fails("not-found", "/t").await
    }),
    // Dagger does the same.
    ("secret: a variable can be set to another secret and removed", [], async |s| {
        let (one, two) = (s.secret("secret-one", "value-one"), s.secret("secret-two", "value-two-longer"));
        let base = s.base().with_secret_variable("T", &one).with_secret_variable("T", &two);
        base.sh("echo ${#T}").stdout().is("16\n").await?;
        base.without_secret_variable("T").sh("echo ${T-unset}").stdout().is("unset\n").await
    }),
    ("secret: a plain variable replaces a secret of its name, and the reverse", [], async |s| {
        let secret = s.secret("secret-plain", "value-three");
        let base = s.base().with_secret_variable("T", &secret).with_env_variable("T", "plain");
        base.sh("echo $T").stdout().is("plain\n").await?;
        base.with_secret_variable("T", &secret).sh("echo $T").stdout().is("***\n").await
    }),
    ("secret: a secret without a value is an error that names it", [], async |s| {
        let secret = s.secret("secret-none", "x");
        let s = s.again(&SessionOptions::default()).await?;
        let base = s.base().with_secret_variable("T", &secret);
        base.sh("echo $T").stdout().fails("environment", "`secret-none`").await
    }),
    // Our own decision: Dagger answers with the first one's result where the name is the same.
    ("secret: another value under the same name runs a command again, and the first one does not", [], async |s| {
        let ran = |s: &Case<'_>, value: &str| {
            let secret = s.secret("secret-key", value);
            let base = s.base().with_secret_variable("T", &secret).with_mounted_secret("/s", &secret);
            base.sh("echo $T | cut -c7-9; cut -c7-9 /s")
        };
        ran(s, "value-one-1").stdout().is("one\none\n").await?;
        let s = s.again(&SessionOptions::default()).await?;
        ran(&s, "value-two-2").stdout().is("two\ntwo\n").await?;
        holds(s.session.ran().len() == 1, || format!("ran: {:?}", s.session.ran()))?;
        let s = s.again(&SessionOptions::default()).await?;
        ran(&s, "value-one-1").stdout().is("one\none\n").await?;
        holds(s.session.ran().is_empty(), || format!("ran: {:?}", s.session.ran()))
    }),
    // Dagger does the same with a key that is given. A token that is another one in every run must not run everything
    // again; see `docs/cache-keys.md`.
    ("secret: a secret that is known by its name does not run a command again", [], async |s| {
        let first = s.base().with_secret_variable("T", &s.secret_by_name("secret-name", "value-one-1"));
        first.sh("echo $T | cut -c7-9; : by name").stdout().is("one\n").await?;
        let s = s.again(&SessionOptions::default()).await?;
        let second = s.base().with_secret_variable("T", &s.secret_by_name("secret-name", "value-two-2"));
        second.sh("echo $T | cut -c7-9; : by name").stdout().is("one\n").await
    }),
];
