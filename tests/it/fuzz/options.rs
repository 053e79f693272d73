//! Settings of a run, from the environment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::layout::{LAYOUTS, Layout};

/// Without any setting: statements of each layout, all of one seed, so that each run is the same.
const ROUND: usize = 100;
/// The longest that a run without settings may take, for each flavor.
const SECONDS: u64 = 900;

pub(super) struct Options {
    /// `MARGAY_FUZZ_SEED`: rounds count up from here. Without it, of `MARGAY_FUZZ_SECONDS` fixed seeds take
    /// half and fresh ones the other half.
    pub(super) seed: Option<u64>,
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
        let seed = number("MARGAY_FUZZ_SEED");
        let is_plain = seconds.is_none() && seed.is_none();
        let (round, statements) =
            if is_plain { (ROUND, ROUND * layouts.len()) } else { (500, usize::MAX) };
        Self {
            seed: if is_plain { Some(1) } else { seed },
            limit: Duration::from_secs(seconds.unwrap_or(SECONDS)),
            statements: number("MARGAY_FUZZ_STATEMENTS").map_or(statements, |count| count as usize),
            round: number("MARGAY_FUZZ_ROUND").map_or(round, |count| count as usize),
            writes: number("MARGAY_FUZZ_WRITES").map_or(15, |percent| percent as usize),
            only: number("MARGAY_FUZZ_ONLY").map(|at| at as usize),
            layouts,
            mismatches: number("MARGAY_FUZZ_MISMATCHES").map_or(20, |count| count as usize),
            shrink: Duration::from_secs(number("MARGAY_FUZZ_SHRINK").unwrap_or(15)),
            refused: std::env::var("MARGAY_FUZZ_REFUSED").ok().and_then(|text| text.parse().ok()),
            fresh: number("MARGAY_TEST_SEED").unwrap_or(now.as_millis() as u64 % 1_000_000_000),
        }
    }

    /// The seed of a round, after this part of the time.
    pub(super) fn seed_of(&self, round: u64, elapsed: Duration) -> u64 {
        match self.seed {
            Some(seed) => seed + round,
            None if elapsed * 2 < self.limit => 1 + round,
            None => self.fresh + round,
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}: {error}")))
}
