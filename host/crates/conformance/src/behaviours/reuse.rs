//! What is run, and what need not be.

use backend::Outcome;

use crate::answer::{Wrong, holds, same};
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::session::SessionOptions;

/// A command that tells one run from another.
const UUID: &str = "cat /proc/sys/kernel/random/uuid";

/// Makes a script that tells runs apart and is nobody else's.
fn script(name: &str) -> String {
    format!("{UUID}; : {name}")
}

/// Holds if nothing was run in a session.
fn nothing_ran(s: &Case<'_>) -> Result<(), Wrong> {
    let ran = s.session.ran();
    holds(ran.is_empty(), || format!("it was run again: {ran:?}"))
}

async fn again<'a>(s: &Case<'a>) -> Result<Case<'a>, Wrong> {
    Ok(s.again(&SessionOptions::default()).await?)
}

pub(super) const ALL: &[Behaviour] = behaviours![
    // oracle 053
    ("reuse: the same command is run once", [], async |s| {
        let run = || s.base().sh(&script("reuse-once")).stdout().text();
        same(&run().await?, &run().await?)?;
        same(&s.session.ran().len().to_string(), "1")
    }),
    // semantics B.30
    ("reuse: another session runs nothing again", [], async |s| {
        let chain = |s: &Case<'_>| s.base().sh("echo 1 > /reuse-a").sh(&script("reuse-session")).sh("cat /reuse-a");
        let first = chain(s);
        first.stdout().is("1\n").await?;
        let s = again(s).await?;
        chain(&s).stdout().is("1\n").await?;
        nothing_ran(&s)
    }),
    ("reuse: what was found in another session is told as such", [], async |s| {
        s.base().sh(&script("reuse-told")).sync().is("").await?;
        let s = again(s).await?;
        s.base().sh(&script("reuse-told")).sync().is("").await?;
        let cached = s.session.finished("exec ", |outcome| *outcome == Outcome::Cached);
        holds(cached.iter().any(|name| name.contains("reuse-told")), || format!("{cached:?}"))
    }),
    ("reuse: output of another session is read as it was", [], async |s| {
        let command = "echo out; echo err >&2; : reuse-output; exit 3";
        let run = |s: &Case<'_>| s.base().sh_options(command, &s.exec_options().with_any_code());
        run(s).exit_code().is("3").await?;
        let s = again(s).await?;
        run(&s).stdout().is("out\n").await?;
        run(&s).stderr().is("err\n").await?;
        run(&s).exit_code().is("3").await?;
        nothing_ran(&s)
    }),
    // oracle 053, less labels and ports: measured.
    ("reuse: what a command cannot observe does not run it again", [], async |s| {
        let run = |s: &Case<'_>| s.base().sh(&script("reuse-config")).stdout();
        let plain = run(s).text().await?;
        let s = again(s).await?;
        let base = s.base().with_label("l", "1").with_annotation("a", "1").with_entrypoint(&["e"]);
        let base = base.with_default_args(&["d"]).with_exposed_port(99, crate::arg::Case("tcp")).with_workdir("/");
        base.sh(&script("reuse-config")).stdout().is(&plain).await?;
        s.base().with_user("root").sh(&script("reuse-config")).stdout().is(&plain).await?;
        nothing_ran(&s)
    }),
    // oracle 053 and 215, less the route: measured.
    ("reuse: an equal directory made another way does not run it again", [ContentKeys], async |s| {
        let plain = s.base().sh(&script("reuse-route")).stdout().text().await?;
        let detour = s.base().with_new_file("/n", "1").without_file("/n").sh(&script("reuse-route"));
        detour.stdout().is(&plain).await?;
        let mounted = |tree| s.base().with_mounted_directory("/m", &tree).sh(&script("reuse-mount")).stdout().text();
        let direct = mounted(s.tree(&[("f", "1"), ("g", "2")])).await?;
        let other = s.tree(&[("d/g", "2"), ("d/f", "1"), ("x", "")]).subdirectory("d");
        same(&mounted(other).await?, &direct)
    }),
    ("reuse: another variable, user or directory runs it again", [], async |s| {
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
    ("reuse: other input or other redirects run it again", [], async |s| {
        let run = |options| s.base().sh_options(&script("reuse-stdin"), &options).stdout().text();
        let plain = run(s.exec_options()).await?;
        holds(run(s.exec_options().with_stdin("x")).await? != plain, || "stdin".to_owned())?;
        holds(run(s.exec_options().with_redirect_stdout("/o")).await? != plain, || "redirect".to_owned())
    }),
    ("reuse: a time-out is no reason to run again", [], async |s| {
        let plain = s.base().sh(&script("reuse-timeout")).stdout().text().await?;
        let options = s.exec_options().with_timeout_seconds(50);
        s.base().sh_options(&script("reuse-timeout"), &options).stdout().is(&plain).await
    }),
    // semantics B.17; oracle 217
    ("reuse: a failing command is run again", [], async |s| {
        let failing = |s: &Case<'_>| s.base().sh("exit 1; : reuse-failing").sync();
        failing(s).fails_exec(1, "", "").await?;
        let s = again(s).await?;
        failing(&s).fails_exec(1, "", "").await?;
        same(&s.session.n_started("reuse-failing").to_string(), "1")
    }),
    ("reuse: a command without cache is run in every session, once", [], async |s| {
        let run = |s: &Case<'_>| {
            s.base().sh_options(&script("reuse-without"), &s.exec_options().without_cache()).stdout().text()
        };
        let first = run(s).await?;
        same(&run(s).await?, &first)?;
        let s = again(s).await?;
        holds(run(&s).await? != first, || "it was not run again".to_owned())
    }),
    ("reuse: a session without cache runs everything", [], async |s| {
        let run = |s: &Case<'_>| s.base().sh(&script("reuse-session-without")).stdout().text();
        let first = run(s).await?;
        let s = s.again(&SessionOptions { is_cache_used: false, ..SessionOptions::default() }).await?;
        holds(run(&s).await? != first, || "it was not run again".to_owned())
    }),
    ("reuse: a change that leaves no trace stops where it ends", [], async |s| {
        let run = |s: &Case<'_>, comment: &str| {
            let made = s.base().sh(&format!("echo same > /made; : reuse-stops {comment}")).file("/made");
            s.base().with_file("/in", &made).sh(&script("reuse-stops-after")).stdout().text()
        };
        same(&run(s, "one").await?, &run(s, "two").await?)
    }),
    ("reuse: of a directory of this machine its contents count, not its times", [], async |s| {
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
    ("reuse: what is beside the part that is used does not count", [], async |s| {
        let run = |beside: &str| {
            let tree = s.tree(&[("used/f", "1"), ("beside", beside)]);
            s.base().with_directory("/d", &tree.subdirectory("used")).sh(&script("reuse-part")).stdout().text()
        };
        same(&run("1").await?, &run("2").await?)
    }),
];
