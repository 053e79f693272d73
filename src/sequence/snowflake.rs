//! Ids of 63 bits: 41 of milliseconds, 10 of the proxy's number, 12 that count.
//!
//! A proxy makes ids only for moments up to its *horizon*, which is written beside its number before. Who
//! takes the number over begins behind that. So no two ids are equal, whatever the clocks say.

use std::ops::Range;

/// 2024-01-01, in milliseconds since 1970.
const EPOCH: u64 = 1_704_067_200_000;
const WORKER_BITS: u32 = 10;
const COUNT_BITS: u32 = 12;
const COUNTS: u64 = 1 << COUNT_BITS;
/// A fresh millisecond begins to count at another of so many numbers each time, so that ids taken one by
/// one leave all remainders when they are divided.
const STARTS: u64 = 64;
/// What a fresh millisecond has in any case.
const FRESH: u64 = COUNTS - STARTS + 1;

pub(super) const WORKERS: u16 = 1 << WORKER_BITS;

/// The numbers of one proxy. Moments are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Snowflake {
    worker: u16,
    /// The last moment that ids may be made for.
    horizon: u64,
    /// The moment of the last ids.
    last: u64,
    /// The next count in it.
    count: u64,
    turn: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// As many as were asked for, without a gap, unless these are more than a millisecond has.
    Ids(Range<u64>),
    /// This millisecond has no more.
    Full,
    /// The clock is so many milliseconds behind the last ids.
    Behind(u64),
    /// The clock is at a moment that ids may not be made for yet.
    Over,
}

impl Snowflake {
    /// Begins behind `floor`, up to which another proxy may have made ids by this number.
    pub(super) fn new(worker: u16, floor: u64, horizon: u64) -> Self {
        Self { worker, horizon, last: floor, count: COUNTS, turn: 0 }
    }

    pub(super) fn worker(&self) -> u16 {
        self.worker
    }

    /// The number was kept for longer.
    pub(super) fn extend(&mut self, horizon: u64) {
        self.horizon = self.horizon.max(horizon);
    }

    pub(super) fn covers(&self, now: u64) -> bool {
        now <= self.horizon
    }

    pub(super) fn take(&mut self, now: u64, wanted: u64) -> Step {
        if now < self.last {
            return Step::Behind(self.last - now);
        }
        let moment = now.checked_sub(EPOCH).filter(|moment| moment >> 41 == 0);
        let Some(moment) = moment.filter(|_| self.covers(now)) else { return Step::Over };
        if now > self.last {
            self.last = now;
            self.count = self.turn % STARTS;
            self.turn = self.turn.wrapping_add(1);
        }
        let left = COUNTS.saturating_sub(self.count);
        if left == 0 || (left < wanted && wanted <= FRESH) {
            return Step::Full;
        }
        let count = wanted.min(left);
        let base = (moment << WORKER_BITS | u64::from(self.worker)) << COUNT_BITS;
        let start = base | self.count;
        self.count += count;
        Step::Ids(start..start + count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const START: u64 = EPOCH + 1_000_000;

    proptest! {
        /// Proxies with clocks of their own, which step forth and back, come and go and take the same
        /// number over: no id twice.
        #[test]
        fn no_id_twice(
            steps in prop::collection::vec((0usize..3, -5_000i64..5_000, 1u64..6_000, 0u8..10), 1..300),
        ) {
            let mut clocks = [START; 3];
            // Who has the number, and up to when it is kept.
            let mut kept = (None, 0u64);
            let mut proxies: [Option<Snowflake>; 3] = [None, None, None];
            let mut seen = HashSet::new();
            for (at, step, wanted, luck) in steps {
                // Often not at all.
                if luck < 5 {
                    clocks[at] = clocks[at].saturating_add_signed(step);
                }
                let now = clocks[at];
                let horizon = now + 3_000;
                match (&mut proxies[at], luck) {
                    // Renews, if it still has the number.
                    (Some(proxy), 5) if kept.0 == Some(at) => {
                        kept.1 = kept.1.max(horizon);
                        proxy.extend(horizon);
                    }
                    // Takes it over, rightly or not.
                    (_, 6) => {
                        proxies[at] = Some(Snowflake::new(7, kept.1, horizon));
                        kept = (Some(at), kept.1.max(horizon));
                    }
                    _ => {}
                }
                if let Some(Step::Ids(ids)) = proxies[at].as_mut().map(|proxy| proxy.take(now, wanted)) {
                    prop_assert!(ids.end - ids.start <= wanted);
                    prop_assert!(ids.into_iter().all(|id| id >> 63 == 0 && seen.insert(id)));
                }
            }
        }
    }

    #[test]
    fn ids_of_a_statement_have_no_gap() {
        let mut flake = Snowflake::new(1, 0, START + 10);
        let Step::Ids(first) = flake.take(START, 1) else { panic!("no id") };
        assert_eq!(first.start, (1_000_000 << 22) | (1 << 12));
        assert_eq!(flake.take(START, 1), Step::Ids(first.end..first.end + 1));
        assert!(matches!(flake.take(START, 100), Step::Ids(_)));
        assert_eq!(flake.take(START, FRESH), Step::Full);
        let Step::Ids(all) = flake.take(START + 1, FRESH) else { panic!("no ids") };
        assert_eq!(all.end - all.start, FRESH);
        let Step::Ids(some) = flake.take(START + 2, 10_000) else { panic!("no ids") };
        assert_eq!(some.end - some.start, COUNTS - 2);
    }

    #[test]
    fn a_clock_that_steps_back_blocks() {
        let mut flake = Snowflake::new(1, 0, START + 10);
        assert!(matches!(flake.take(START + 5, 1), Step::Ids(_)));
        assert_eq!(flake.take(START, 1), Step::Behind(5));
        assert!(matches!(flake.take(START + 5, 1), Step::Ids(_)));
        assert_eq!(flake.take(START + 11, 1), Step::Over);
        flake.extend(START + 20);
        assert!(matches!(flake.take(START + 11, 1), Step::Ids(_)));
        assert_eq!(Snowflake::new(1, START, START + 9).take(START, 1), Step::Full);
    }

    #[test]
    fn ids_leave_all_remainders() {
        let mut flake = Snowflake::new(1, 0, START + 10_000);
        let mut remainders = HashSet::new();
        for moment in 0..64 {
            let Step::Ids(ids) = flake.take(START + moment * 7, 1) else { panic!("no id") };
            remainders.insert(ids.start % 64);
        }
        assert_eq!(remainders.len(), 64);
    }
}
