//! The cache: which commands run again, and which do not.

use engine::Outcome;

use crate::answer::{Wrong, holds, same};
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::session::SessionOptions;

/// A command whose output differs from run to run.
const UUID: &str = "cat /proc/sys/kernel/random/uuid";

/// Returns a script whose output differs from run to run, and that no other behaviour uses.
fn script(name: &str) -> String {
    format!("{UUID}; : {name}")
}

/// Checks that no command ran in a session.
fn nothing_ran(s: &Case<'_>) -> Result<(), Wrong> {
    let ran = s.session.ran();
    holds(ran.is_empty(), || format!("it was run again: {ran:?}"))
}

async fn again<'a>(s: &Case<'a>) -> Result<Case<'a>, Wrong> {
    Ok(s.again(&SessionOptions::default()).await?)
}

pub(super) const ALL: &[Behaviour] = behaviours![
    // Dagger does the same.
    ("reuse: a command runs once in a session", [], async |s| {
        let run = || s.base().sh(&script("reuse-once")).stdout().text();
        same(&run().await?, &run().await?)?;
        same(&s.session.ran().len().to_string(), "1")
    }),
    // Dagger does the same.
    ("reuse: another session uses the results", [], async |s| {
        let chain = |s: &Case<'_>| s.base().sh("echo 1 > /reuse-a").sh(&script("reuse-session")).sh("cat /reuse-a");
        let first = chain(s);
        first.stdout().is("1\n").await?;
        let s = again(s).await?;
        chain(&s).stdout().is("1\n").await?;
        nothing_ran(&s)
    }),
    ("reuse: a result of another session is reported as cached", [], async |s| {
        s.base().sh(&script("reuse-told")).sync().is("").await?;
        let s = again(s).await?;
        s.base().sh(&script("reuse-told")).sync().is("").await?;
        let cached = s.session.finished("exec ", |outcome| *outcome == Outcome::Cached);
        holds(cached.iter().any(|name| name.contains("reuse-told")), || format!("{cached:?}"))
    }),
    ("reuse: another session returns the same output and exit code", [], async |s| {
        let command = "echo out; echo err >&2; : reuse-output; exit 3";
        let run = |s: &Case<'_>| s.base().sh_options(command, &s.exec_options().with_any_code());
        run(s).exit_code().is("3").await?;
        let s = again(s).await?;
        run(&s).stdout().is("out\n").await?;
        run(&s).stderr().is("err\n").await?;
        run(&s).exit_code().is("3").await?;
        nothing_ran(&s)
    }),
    // Our own decision: Dagger runs the command again, because its key follows the chain of calls. See `docs/cache-
    // keys.md`.
    ("reuse: labels, ports and other settings that a command cannot observe do not run it again", [], async |s| {
        let run = |s: &Case<'_>| s.base().sh(&script("reuse-config")).stdout();
        let plain = run(s).text().await?;
        let s = again(s).await?;
        let base = s.base().with_label("l", "1").with_annotation("a", "1").with_entrypoint(&["e"]);
        let base = base.with_default_args(&["d"]).with_exposed_port(99, crate::arg::Case("tcp")).with_workdir("/");
        base.sh(&script("reuse-config")).stdout().is(&plain).await?;
        s.base().with_user("root").sh(&script("reuse-config")).stdout().is(&plain).await?;
        nothing_ran(&s)
    }),
    // Our own decision: in Dagger the way counts, here the contents do. See `docs/cache-keys.md`.
    ("reuse: equal files that are made in another way do not run a command again", [ContentKeys], async |s| {
        let plain = s.base().sh(&script("reuse-route")).stdout().text().await?;
        let detour = s.base().with_new_file("/n", "1").without_file("/n").sh(&script("reuse-route"));
        detour.stdout().is(&plain).await?;
        let mounted = |tree| s.base().with_mounted_directory("/m", &tree).sh(&script("reuse-mount")).stdout().text();
        let direct = mounted(s.tree(&[("f", "1"), ("g", "2")])).await?;
        let other = s.tree(&[("d/g", "2"), ("d/f", "1"), ("x", "")]).subdirectory("d");
        same(&mounted(other).await?, &direct)
    }),
    ("reuse: another variable, working directory, file or mount runs a command again", [], async |s| {
        let plain = s.base().sh(&script("reuse-differs")).stdout().text().await?;
        let differs = async |base: crate::handle::Handle| {
            let other = base.sh(&script("reuse-differs")).stdout().text().await?;
            holds(other != plain, || "it was not run again".to_owned())
        };
        differs(s.base().with_env_variable("X", "1")).await?;
        differs(s.base().with_workdir("/tmp")).await?;
        differs(s.base().with_new_file("/n", "1")).await?;
        differs(s.base().with_mounted_temp("/t")).await
    }),
    ("reuse: another standard input or redirect runs a command again", [], async |s| {
        let run = |options| s.base().sh_options(&script("reuse-stdin"), &options).stdout().text();
        let plain = run(s.exec_options()).await?;
        holds(run(s.exec_options().with_stdin("x")).await? != plain, || "stdin".to_owned())?;
        holds(run(s.exec_options().with_redirect_stdout("/o")).await? != plain, || "redirect".to_owned())
    }),
    ("reuse: another time-out does not run a command again", [], async |s| {
        let plain = s.base().sh(&script("reuse-timeout")).stdout().text().await?;
        let options = s.exec_options().with_timeout_seconds(50);
        s.base().sh_options(&script("reuse-timeout"), &options).stdout().is(&plain).await
    }),
    // Dagger does the same: only success is kept.
    ("reuse: a failing command runs again in another session", [], async |s| {
        let failing = |s: &Case<'_>| s.base().sh("exit 1; : reuse-failing").sync();
        failing(s).fails_exec(1, "", "").await?;
        let s = again(s).await?;
        failing(&s).fails_exec(1, "", "").await?;
        same(&s.session.n_started("reuse-failing").to_string(), "1")
    }),
    ("reuse: a command without cache runs once in every session", [], async |s| {
        let run = |s: &Case<'_>| {
            s.base().sh_options(&script("reuse-without"), &s.exec_options().without_cache()).stdout().text()
        };
        let first = run(s).await?;
        same(&run(s).await?, &first)?;
        let s = again(s).await?;
        holds(run(&s).await? != first, || "it was not run again".to_owned())
    }),
    ("reuse: a session without cache runs every command", [], async |s| {
        let run = |s: &Case<'_>| s.base().sh(&script("reuse-session-without")).stdout().text();
        let first = run(s).await?;
        let s = s.again(&SessionOptions { is_cache_used: false, ..SessionOptions::default() }).await?;
        holds(run(&s).await? != first, || "it was not run again".to_owned())
    }),
    ("reuse: a changed command with the same result does not run the commands after it", [], async |s| {
        let run = |s: &Case<'_>, comment: &str| {
            let made = s.base().sh(&format!("echo same > /made; : reuse-stops {comment}")).file("/made");
            s.base().with_file("/in", &made).sh(&script("reuse-stops-after")).stdout().text()
        };
        same(&run(s, "one").await?, &run(s, "two").await?)
    }),
    ("reuse: the contents of a local directory count, and its times do not", [], async |s| {
        let place = s.local_place().map_err(|error| Wrong::new(error.to_string()))?;
        let write = |text: &str| std::fs::write(place.join("f"), text).map_err(|error| Wrong::new(error.to_string()));
        let run = |s: &Case<'_>| {
            s.base().with_directory("/src", &s.local_directory(&place)).sh(&script("reuse-local")).stdout().text()
        };
        write("1")?;
        let first = run(s).await?;
        write("1")?;
        same(&run(&again(s).await?).await?, &first)?;
        write("2")?;
        holds(run(&again(s).await?).await? != first, || "new contents were not seen".to_owned())
    }),
    ("reuse: files that a command does not get do not count", [], async |s| {
        let run = |beside: &str| {
            let tree = s.tree(&[("used/f", "1"), ("beside", beside)]);
            s.base().with_directory("/d", &tree.subdirectory("used")).sh(&script("reuse-part")).stdout().text()
        };
        same(&run("1").await?, &run("2").await?)
    }),
];
