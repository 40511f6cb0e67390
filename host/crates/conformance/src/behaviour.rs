//! A behaviour: a sentence, what an engine needs for it, and a function that checks it.

use std::time::Duration;

use api::Bridge as _;
use engine::Caps;
use futures::future::BoxFuture;

use crate::answer::{Outcome, Wrong};
use crate::case::Case;
use crate::session::SessionOptions;
use crate::suite::Suite;

/// The time after which a behaviour fails, so that an engine that hangs is found.
const LIMIT: Duration = Duration::from_secs(180);

/// Checks a behaviour in a session.
pub type Run = for<'a> fn(&'a Case<'a>) -> BoxFuture<'a, Outcome>;

/// A behaviour of the suite.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// The subject and a sentence, as in `exec: standard output is byte-exact`.
    pub name: &'static str,
    /// What an engine must have. Without it the suite expects a failure that says so.
    pub needs: &'static [Need],
    /// The function that checks it.
    pub run: Run,
}

/// A capability that not every engine has; [`Caps`] says which has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Files and commands may belong to any user.
    Owners,
    /// Memory, processes and processors of a command can be limited.
    Limits,
    /// Commands have a network.
    Network,
    /// Images can be used.
    Images,
    /// Commands can run the tools of this machine.
    Machine,
    /// The size of directories in memory can be limited.
    SizedTemp,
    /// Cache keys depend on contents only.
    ContentKeys,
    /// Layers are compared with the configuration of their image.
    CheckedLayers,
}

/// The result of a behaviour on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The engine behaves so.
    Yes,
    /// The engine cannot do it, and says so in `caps` and by a failure. The text is the reason.
    No(String),
}

impl Need {
    /// Returns whether an engine has the capability.
    #[must_use]
    pub fn is_met(self, caps: &Caps) -> bool {
        match self {
            Self::Owners => caps.owners,
            Self::Limits => caps.limits,
            Self::Network => caps.network,
            Self::Images => caps.images,
            Self::Machine => caps.machine,
            Self::SizedTemp => caps.sized_temp,
            Self::ContentKeys => caps.content_keys,
            Self::CheckedLayers => caps.checked_layers,
        }
    }

    /// Returns whether a failure is the one of an engine without the capability.
    fn is_refused_by(self, wrong: &Wrong) -> bool {
        // Commands ask for the network by default, and run without it where there is none. The last two have no call
        // that could fail: the behaviour itself differs.
        wrong.code.as_deref() == Some("unavailable")
            || matches!(self, Self::Network | Self::ContentKeys | Self::CheckedLayers)
    }

    /// Returns the reason in a few words, as a cell of `docs/conformance.md` has it.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Owners => "no other users",
            Self::Limits => "no limits",
            Self::Network => "no network",
            Self::Images => "no images",
            Self::Machine => "no tools of this machine",
            Self::SizedTemp => "no limits on directories in memory",
            Self::ContentKeys => "keys follow how a directory was made",
            Self::CheckedLayers => "layers are not compared with the configuration",
        }
    }
}

impl Behaviour {
    /// Returns the name of the test, as in `exec::standard-output-is-byte-exact`.
    #[must_use]
    pub fn id(&self) -> String {
        let (subject, sentence) = self.name.split_once(": ").unwrap_or(("", self.name));
        let mut words = String::new();
        for part in sentence.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
            if !words.is_empty() {
                words.push('-');
            }
            words.push_str(&part.to_lowercase());
        }
        format!("{}::{words}", subject.replace(' ', "-"))
    }

    /// Returns whether one engine can do it on some machines only.
    #[must_use]
    pub fn depends_on_machine(&self) -> bool {
        self.needs.iter().any(|need| matches!(need, Need::Owners | Need::Limits | Need::Network | Need::SizedTemp))
    }

    /// Checks the behaviour on an engine, in a session of its own.
    ///
    /// # Errors
    /// If the engine behaves otherwise, hangs, or does what its `caps` deny.
    pub async fn check(&self, suite: &Suite) -> Result<Verdict, Wrong> {
        let caps = suite.caps(caps(suite)).await?;
        let lacking = self.needs.iter().find(|need| !need.is_met(caps));
        let session = suite.session(&SessionOptions::default()).await?;
        let case = Case::new(suite, session);
        let run = tokio::time::timeout(LIMIT, (self.run)(&case));
        let outcome = run.await.unwrap_or_else(|_| Err(Wrong::new(format!("nothing after {LIMIT:?}"))));
        let settled = tokio::time::timeout(LIMIT, case.session.settle()).await;
        settled.map_err(|_| Wrong::new(format!("the session does not settle within {LIMIT:?}")))?;
        match (lacking, outcome) {
            (None, outcome) => outcome.map(|()| Verdict::Yes),
            (Some(need), Err(wrong)) if need.is_refused_by(&wrong) => Ok(Verdict::No(need.describe().to_owned())),
            (Some(need), Err(wrong)) => Err(Wrong {
                message: format!(
                    "`caps` says {}, which calls for a failure with the code `unavailable`\n{}",
                    need.describe(),
                    wrong.message
                ),
                ..wrong
            }),
            (Some(need), Ok(())) => {
                Err(Wrong::new(format!("`caps` says {}, and the behaviour holds", need.describe())))
            }
        }
    }
}

/// Returns the capabilities of an engine after a first command: some engines learn them from it.
async fn caps(suite: &Suite) -> Result<Caps, Wrong> {
    let case = Case::new(suite, suite.session(&SessionOptions::default()).await?);
    case.busybox_from_files().sh("true").sync().is("").await?;
    Ok(case.session.engine().caps())
}

/// Makes a list of behaviours: `("subject: sentence", [needs], async |case| outcome)`.
macro_rules! behaviours {
    ($(($name:literal, [$($need:ident),*], async |$case:ident| $body:expr)),* $(,)?) => {
        &[$($crate::behaviour::Behaviour {
            name: $name,
            needs: &[$($crate::behaviour::Need::$need),*],
            run: |$case| Box::pin(async move { $body }),
        }),*]
    };
}

pub(crate) use behaviours;
