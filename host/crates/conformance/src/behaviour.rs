//! A behaviour: a sentence, what a backend needs for it, and how it is seen.

use std::time::Duration;

use backend::Caps;
use futures::future::BoxFuture;

use crate::answer::{Outcome, Wrong};
use crate::case::Case;
use crate::session::SessionOptions;
use crate::suite::Suite;

/// The longest that one behaviour may take: a backend that hangs fails.
const LIMIT: Duration = Duration::from_secs(180);

/// How a behaviour is seen.
pub type Run = for<'a> fn(&'a Case<'a>) -> BoxFuture<'a, Outcome>;

/// One behaviour.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// Its subject and a sentence, as in `exec: standard output is byte-exact`.
    pub name: &'static str,
    /// What a backend must have. Without it, a clear failure is expected instead.
    pub needs: &'static [Need],
    /// Sees it.
    pub run: Run,
}

/// What not every backend can do; [`Caps`] says which can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Files and commands of any user.
    Owners,
    /// Limits on memory, processes and processors.
    Limits,
    /// A network for commands.
    Network,
    /// Images.
    Images,
    /// The tools of this machine.
    Machine,
    /// Limits on directories in memory.
    SizedTemp,
    /// Keys that follow contents only.
    ContentKeys,
    /// Layers that are compared with configurations.
    CheckedLayers,
}

/// What a backend did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It behaves so.
    Yes,
    /// It says that it cannot, in `caps` and by a clear failure; with the reason.
    No(String),
}

impl Need {
    /// Returns whether a backend has it.
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

    /// Returns whether a failure is the one that a backend without it is to end with.
    fn is_refused_by(self, wrong: &Wrong) -> bool {
        // Commands ask for the network by default: where there is none they run without it. The last two can
        // only be seen by what happens.
        wrong.code.as_deref() == Some("unavailable")
            || matches!(self, Self::Network | Self::ContentKeys | Self::CheckedLayers)
    }

    /// Returns it in a few words.
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
    /// Returns the name of its test, as in `exec::standard-output-is-byte-exact`.
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

    /// Sees whether a backend behaves so, in a session of its own.
    ///
    /// # Errors
    /// If it behaves otherwise, hangs, or does what it says it cannot.
    pub async fn check(&self, suite: &Suite) -> Result<Verdict, Wrong> {
        let caps = suite.caps().await?;
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
