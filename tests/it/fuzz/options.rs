//! Settings of a run, from the environment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::layout::{LAYOUTS, Layout};

/// Without any setting: rounds of fixed seeds, in each layout, that every run goes through.
const FIXED: u64 = 3;
/// And the time for them and for those of fresh seeds, for each flavor.
const SECONDS: u64 = 150;

pub(super) struct Options {
    /// `MARGAY_FUZZ_SEED`: rounds count up from here. Without it, fixed seeds come first, and fresh ones for
    /// what is left of the time.
    seed: Option<u64>,
    /// `MARGAY_FUZZ_SECONDS`, for each flavor.
    pub(super) limit: Duration,
    /// `MARGAY_FUZZ_STATEMENTS`: at most so many, for each flavor.
    pub(super) statements: usize,
    /// `MARGAY_FUZZ_ROUND`: statements over one set of tables.
    pub(super) round: usize,
    /// `MARGAY_FUZZ_WRITES`: the percentage of statements that write.
    pub(super) writes: usize,
    /// `MARGAY_FUZZ_ONLY`: the number of one statement of the round.
    pub(super) only: Option<usize>,
    /// `MARGAY_FUZZ_LAYOUT`: its name.
    pub(super) layouts: Vec<Layout>,
    /// `MARGAY_FUZZ_MISMATCHES`: ends after so many.
    pub(super) mismatches: usize,
    /// `MARGAY_FUZZ_SHRINK`: seconds to make one mismatch small.
    pub(super) shrink: Duration,
    /// `MARGAY_FUZZ_REFUSED`: the greatest percentage of refusals; any if unset.
    pub(super) refused: Option<f64>,
    /// `MARGAY_TEST_SEED`, else from the clock: where fresh seeds begin.
    pub(super) fresh: u64,
}

impl Options {
    pub(super) fn read() -> Self {
        let wanted = std::env::var("MARGAY_FUZZ_LAYOUT").unwrap_or_default();
        let named = |layout: &Layout| {
            wanted.is_empty() || wanted.split(',').any(|name| name == layout.name)
        };
        let layouts: Vec<Layout> = LAYOUTS.into_iter().filter(named).collect();
        assert!(!layouts.is_empty(), "MARGAY_FUZZ_LAYOUT: no layout is called `{wanted}`");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = number("MARGAY_FUZZ_SECONDS").filter(|seconds| *seconds > 0);
        let count = |name: &str, otherwise: usize| number(name).map_or(otherwise, |it| it as usize);
        Self {
            seed: number("MARGAY_FUZZ_SEED"),
            limit: Duration::from_secs(seconds.unwrap_or(SECONDS)),
            statements: count("MARGAY_FUZZ_STATEMENTS", usize::MAX),
            round: count("MARGAY_FUZZ_ROUND", 100),
            writes: count("MARGAY_FUZZ_WRITES", 15),
            only: number("MARGAY_FUZZ_ONLY").map(|at| at as usize),
            layouts,
            mismatches: count("MARGAY_FUZZ_MISMATCHES", 20),
            shrink: Duration::from_secs(number("MARGAY_FUZZ_SHRINK").unwrap_or(15)),
            refused: std::env::var("MARGAY_FUZZ_REFUSED").ok().and_then(|text| text.parse().ok()),
            fresh: number("MARGAY_TEST_SEED").unwrap_or(now.as_millis() as u64 % 1_000_000_000),
        }
    }

    /// The seed of a round.
    pub(super) fn seed_of(&self, round: u64) -> u64 {
        match self.seed {
            Some(seed) => seed + round,
            None if self.is_fixed(round) => 1 + round,
            None => self.fresh + round,
        }
    }

    /// Every run goes through the round, or it was asked for.
    pub(super) fn is_fixed(&self, round: u64) -> bool {
        self.seed.is_some() || round < FIXED
    }

    /// The run must not end before the round, however long it takes.
    pub(super) fn is_due(&self, round: u64) -> bool {
        self.seed.is_none() && self.is_fixed(round)
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}: {error}")))
}
