//! What an attack came to, and the count of it.

use std::fmt::Write as _;

/// What an attack came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The answer is that of a run without the attack.
    Right,
    /// The answer is right, and what was damaged was made again.
    Healed,
    /// The run failed, with an error that says whose fault it is.
    Told,
    /// Everything else, with what was seen.
    Wrong(String),
}

impl Verdict {
    /// Returns [`Verdict::Wrong`] with a reason.
    pub(crate) fn wrong(why: impl Into<String>) -> Self {
        Self::Wrong(why.into())
    }
}

/// The verdicts of the attacks of one kind.
pub(crate) struct Tally {
    kind: &'static str,
    verdicts: Vec<(String, Verdict)>,
}

impl Tally {
    /// Begins to count the attacks of a kind.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, verdicts: Vec::new() }
    }

    /// Adds the verdict of an attack.
    pub(crate) fn add(&mut self, attack: impl Into<String>, verdict: Verdict) {
        self.verdicts.push((attack.into(), verdict));
    }

    /// Prints the counts.
    ///
    /// # Panics
    /// If a verdict is WRONG, or if there are fewer attacks than there should be.
    #[track_caller]
    pub(crate) fn finish(self, n_least: usize) {
        let count = |verdict: &Verdict| self.verdicts.iter().filter(|(_, other)| other == verdict).count();
        let mut report = String::new();
        for (attack, verdict) in &self.verdicts {
            if let Verdict::Wrong(why) = verdict {
                let _ = writeln!(report, "{}: {attack}: {why}", self.kind);
            }
        }
        let (right, healed, told) = (count(&Verdict::Right), count(&Verdict::Healed), count(&Verdict::Told));
        let n = self.verdicts.len();
        let counts = format!("{n} {}: right {right}, healed {healed}, told {told}", self.kind);
        println!("{counts}, WRONG {}", n - right - healed - told);
        assert!(report.is_empty(), "\n{report}");
        assert!(n >= n_least, "{counts}: there should be {n_least}");
    }
}

/// Returns whether the long form was asked for.
pub(crate) fn is_long() -> bool {
    std::env::var_os("HOSTILE").is_some_and(|form| form == "long")
}

/// Returns the number of attacks in the short or in the long form.
pub(crate) fn number(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}

/// Numbers that look random and are the same in every run, so that a failure can be repeated.
pub(crate) struct Random(u64);

impl Random {
    /// Begins with a number.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below a limit.
    ///
    /// Source: Sebastiano Vigna, "SplitMix64", 2015.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}
