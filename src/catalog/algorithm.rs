//! From the value of a sharding key to the shard, or to the physical table inside a shard.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Bound;

use jiff::civil::DateTime;

use super::hash::{Ring, hash, jump};
use super::key::{Key, Weights};
use super::literal::Literal;
use crate::config::Unit;
use crate::error::{Error, ErrorKind, Result};

/// A rule that gives each value one *target*: an index into the shards of a table, or into its physical
/// tables. Tables with equal algorithms over equal shards keep equal keys together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Algorithm {
    pub rule: Rule,
    /// How many targets there are; at least one.
    pub targets: usize,
    /// Where `NULL` goes; without it, a row with a `NULL` key is refused.
    pub null: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The remainder of an integer, never negative: -1 over 4 targets is target 3.
    Modulo,
    /// XXH64 of the value, modulo the number of targets.
    Hash {
        seed: u64,
    },
    /// XXH64 of the value on a ring of target names.
    Consistent {
        ring: Ring,
        seed: u64,
    },
    /// Jump consistent hash of XXH64 of the value.
    Jump {
        seed: u64,
    },
    Range(Ranges),
    List(List),
    Time(Periods),
}

/// Spans of values in rising order. The first one that has the value below its bound takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges {
    pub spans: Vec<RangeSpan>,
    /// Where values at or above the last bound go; never used if the last span is open.
    pub default: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeSpan {
    /// The first value that is not in the span; none in a last span that is open.
    pub below: Option<Literal>,
    pub target: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Each value of the list and its target.
    entries: Vec<(Literal, usize)>,
    /// What each value is as a number, as a moment and as binary text: lists of many thousand tenants are
    /// common. Only strings under a collation are looked for one by one.
    index: HashMap<Key, usize>,
    /// Where all other values go.
    default: Option<usize>,
}

/// The n-th period after `from` goes to the n-th target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periods {
    pub unit: Unit,
    /// The start of the first period.
    pub from: DateTime,
    /// Where values before the first and after the last period go.
    pub default: Option<usize>,
}

/// More integers than this in a range are not looked at one by one.
const INTEGERS_MAX: i128 = 64;

impl Algorithm {
    /// The target of `key`.
    ///
    /// # Errors
    /// [`ErrorKind::NoShardForValue`] if the rule has no target for the value; it names the value, the
    /// algorithm and the setting that would change it.
    pub fn locate(&self, key: &Key, weights: &Weights) -> Result<usize> {
        if *key == Key::Null {
            return self.null.ok_or_else(|| {
                self.refuse(key, "give the row a value, or set `null` of the algorithm to a target")
            });
        }
        match &self.rule {
            Rule::Modulo => self.modulo(key),
            Rule::Hash { seed } => Ok(reduce(hashed(key, *seed)?, self.targets)),
            Rule::Jump { seed } => Ok(jump(hashed(key, *seed)?, self.targets)),
            Rule::Consistent { ring, seed } => ring
                .locate(hashed(key, *seed)?)
                .ok_or_else(|| Error::internal("a hash ring without points")),
            Rule::Range(ranges) => {
                self.or_default(key, ranges.locate(key, weights)?, ranges.default)
            }
            Rule::List(list) => self.or_default(key, list.locate(key, weights)?, list.default),
            Rule::Time(periods) => {
                let Key::Time(time) = key else {
                    return Err(self.refuse(key, "the key of a time algorithm is a date or a time"));
                };
                let target = periods.target(*time, self.targets);
                self.or_default(key, target, periods.default)
            }
        }
    }

    /// The targets that may hold values between `low` and `high`, rising; all of them if the algorithm
    /// does not tell. `NULL` lies in no range.
    pub fn locate_range(
        &self,
        low: Bound<&Key>,
        high: Bound<&Key>,
        weights: &Weights,
    ) -> Vec<usize> {
        if is_empty(low, high) {
            return Vec::new();
        }
        let found = match &self.rule {
            // Only whole numbers have a remainder, so counting through them misses no row.
            Rule::Modulo => whole(low, high).map(|(low, high)| self.locate_integers(low, high)),
            Rule::Hash { .. } | Rule::Jump { .. } | Rule::Consistent { .. } => None,
            Rule::Range(ranges) => ranges.locate_range(low, high, weights),
            Rule::List(list) => list.locate_range(low, high, weights),
            Rule::Time(periods) => periods.locate_range(low, high, self.targets),
        };
        let mut targets = found.unwrap_or_else(|| self.all());
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// The targets of the whole numbers from `low` to `high`, both included, for a key column of an
    /// integer type: a short range prunes under every algorithm.
    pub fn locate_integers(&self, low: i128, high: i128) -> Vec<usize> {
        let (first, last) = (Key::Int(low), Key::Int(high));
        if low > high {
            return Vec::new();
        }
        let short = high.checked_sub(low).is_some_and(|length| length < INTEGERS_MAX);
        match &self.rule {
            Rule::Range(_) | Rule::List(_) | Rule::Time(_) => {
                let (low, high) = (Bound::Included(&first), Bound::Included(&last));
                self.locate_range(low, high, &Weights::Binary)
            }
            Rule::Modulo | Rule::Hash { .. } | Rule::Jump { .. } | Rule::Consistent { .. } => {
                if !short {
                    return self.all();
                }
                let located: Result<Vec<usize>> = (low..=high)
                    .map(|value| self.locate(&Key::Int(value), &Weights::Binary))
                    .collect();
                let mut targets = located.unwrap_or_else(|_| self.all());
                targets.sort_unstable();
                targets.dedup();
                targets
            }
        }
    }

    /// The texts whose weight strings are needed if the key column is of characters.
    pub fn texts(&self) -> Vec<&str> {
        match &self.rule {
            Rule::Modulo | Rule::Hash { .. } | Rule::Jump { .. } | Rule::Consistent { .. } => {
                vec![]
            }
            Rule::Time(_) => vec![],
            Rule::Range(ranges) => {
                ranges.spans.iter().filter_map(|span| Some(span.below.as_ref()?.text())).collect()
            }
            Rule::List(list) => list.entries.iter().map(|(literal, _)| literal.text()).collect(),
        }
    }

    /// The word that rules use.
    pub fn name(&self) -> &'static str {
        match &self.rule {
            Rule::Modulo => "modulo",
            Rule::Hash { .. } => "hash",
            Rule::Consistent { .. } => "consistent_hash",
            Rule::Jump { .. } => "jump_hash",
            Rule::Range(_) => "range",
            Rule::List(_) => "list",
            Rule::Time(_) => "time",
        }
    }

    fn all(&self) -> Vec<usize> {
        (0..self.targets).collect()
    }

    fn modulo(&self, key: &Key) -> Result<usize> {
        let value = match key {
            Key::Int(value) => Some(*value),
            Key::Bytes(bytes) => match std::str::from_utf8(bytes).ok().and_then(Key::number) {
                Some(Key::Int(value)) => Some(value),
                Some(_) | None => None,
            },
            Key::Null | Key::Decimal(_) | Key::Time(_) => None,
        };
        let value =
            value.ok_or_else(|| self.refuse(key, "it takes whole numbers; use hash for others"))?;
        Ok(value.rem_euclid(self.targets as i128) as usize)
    }

    fn or_default(&self, key: &Key, found: Option<usize>, default: Option<usize>) -> Result<usize> {
        let refuse =
            || self.refuse(key, "extend the rule, or set `default` of the algorithm to a target");
        found.or(default).ok_or_else(refuse)
    }

    fn refuse(&self, key: &Key, advice: &str) -> Error {
        let name = self.name();
        Error::new(
            ErrorKind::NoShardForValue,
            format!("no shard takes the value {key} by the algorithm `{name}`; {advice}"),
        )
    }
}

fn reduce(hash: u64, targets: usize) -> usize {
    (hash % targets as u64) as usize
}

fn hashed(key: &Key, seed: u64) -> Result<u64> {
    hash(key, seed).ok_or_else(|| Error::internal("NULL reached a hash function"))
}

/// Bounds that leave nothing between them.
fn is_empty(low: Bound<&Key>, high: Bound<&Key>) -> bool {
    let order = |low: &Key, high: &Key| low.partial_cmp(high);
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => {
            order(low, high) == Some(Ordering::Greater)
        }
        (
            Bound::Included(low) | Bound::Excluded(low),
            Bound::Included(high) | Bound::Excluded(high),
        ) => {
            matches!(order(low, high), Some(Ordering::Greater | Ordering::Equal))
        }
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

/// The first and last whole number between two bounds that are whole numbers.
fn whole(low: Bound<&Key>, high: Bound<&Key>) -> Option<(i128, i128)> {
    let low = match low {
        Bound::Included(Key::Int(value)) => *value,
        Bound::Excluded(Key::Int(value)) => value.checked_add(1)?,
        Bound::Included(_) | Bound::Excluded(_) | Bound::Unbounded => return None,
    };
    let high = match high {
        Bound::Included(Key::Int(value)) => *value,
        Bound::Excluded(Key::Int(value)) => value.checked_sub(1)?,
        Bound::Included(_) | Bound::Excluded(_) | Bound::Unbounded => return None,
    };
    Some((low, high))
}

/// A rule names a text whose weight string the caller did not give.
fn lacks_weight(literal: &Literal) -> Error {
    let text = literal.text();
    Error::new(
        ErrorKind::NoBackend,
        format!("the weight string of `{text}` in a sharding rule is not known yet; try again"),
    )
}

/// A value that cannot be compared with a bound of the rule.
fn incomparable(key: &Key, literal: &Literal) -> Error {
    let text = literal.text();
    Error::new(
        ErrorKind::NoShardForValue,
        format!(
            "the key {key} and the value `{text}` of its rule are of different types; correct the rule"
        ),
    )
}

impl Ranges {
    fn locate(&self, key: &Key, weights: &Weights) -> Result<Option<usize>> {
        for span in &self.spans {
            let Some(below) = &span.below else { return Ok(Some(span.target)) };
            match below.compare(key, weights) {
                Some(Ordering::Greater) => return Ok(Some(span.target)),
                Some(Ordering::Less | Ordering::Equal) => {}
                None if below.lacks_weight(key, weights) => return Err(lacks_weight(below)),
                None => return Err(incomparable(key, below)),
            }
        }
        Ok(None)
    }

    fn locate_range(
        &self,
        low: Bound<&Key>,
        high: Bound<&Key>,
        weights: &Weights,
    ) -> Option<Vec<usize>> {
        let mut targets = Vec::new();
        for span in &self.spans {
            // All of `low..high` is at or above the bound: the span holds none of it.
            let passed = match (&span.below, low) {
                (Some(below), Bound::Included(low) | Bound::Excluded(low)) => {
                    below.compare(low, weights)? != Ordering::Greater
                }
                (None, _) | (_, Bound::Unbounded) => false,
            };
            if !passed {
                targets.push(span.target);
            }
            // All of `low..high` is below the bound: no later span gets any.
            let Some(below) = &span.below else { return Some(targets) };
            let ends = match high {
                Bound::Included(high) => below.compare(high, weights)? == Ordering::Greater,
                Bound::Excluded(high) => below.compare(high, weights)? != Ordering::Less,
                Bound::Unbounded => false,
            };
            if ends {
                return Some(targets);
            }
        }
        targets.extend(self.default);
        Some(targets)
    }
}

impl List {
    pub fn new(entries: Vec<(Literal, usize)>, default: Option<usize>) -> Self {
        let mut index = HashMap::new();
        for (literal, target) in &entries {
            for key in literal.keys() {
                index.entry(key).or_insert(*target);
            }
        }
        Self { entries, index, default }
    }

    fn locate(&self, key: &Key, weights: &Weights) -> Result<Option<usize>> {
        match (key, weights) {
            (Key::Bytes(_), Weights::Known(_)) => {}
            (Key::Null | Key::Int(_) | Key::Decimal(_) | Key::Time(_), _)
            | (Key::Bytes(_), Weights::Binary) => return Ok(self.index.get(key).copied()),
        }
        for (literal, target) in &self.entries {
            if literal.lacks_weight(key, weights) {
                return Err(lacks_weight(literal));
            }
            if literal.compare(key, weights) == Some(Ordering::Equal) {
                return Ok(Some(*target));
            }
        }
        Ok(None)
    }

    fn locate_range(
        &self,
        low: Bound<&Key>,
        high: Bound<&Key>,
        weights: &Weights,
    ) -> Option<Vec<usize>> {
        let mut targets: Vec<usize> = self.default.into_iter().collect();
        for (literal, target) in &self.entries {
            let above = match low {
                Bound::Included(low) => literal.compare(low, weights)? != Ordering::Less,
                Bound::Excluded(low) => literal.compare(low, weights)? == Ordering::Greater,
                Bound::Unbounded => true,
            };
            let below = match high {
                Bound::Included(high) => literal.compare(high, weights)? != Ordering::Greater,
                Bound::Excluded(high) => literal.compare(high, weights)? == Ordering::Less,
                Bound::Unbounded => true,
            };
            if above && below {
                targets.push(*target);
            }
        }
        Some(targets)
    }
}

impl Periods {
    fn target(&self, time: DateTime, targets: usize) -> Option<usize> {
        let index = usize::try_from(self.unit.distance(self.from, time)).ok()?;
        (index < targets).then_some(index)
    }

    fn locate_range(
        &self,
        low: Bound<&Key>,
        high: Bound<&Key>,
        targets: usize,
    ) -> Option<Vec<usize>> {
        let count = i64::try_from(targets).ok()?;
        let first = match low {
            Bound::Included(Key::Time(time)) | Bound::Excluded(Key::Time(time)) => {
                self.unit.distance(self.from, *time)
            }
            Bound::Included(_) | Bound::Excluded(_) => return None,
            Bound::Unbounded => i64::MIN,
        };
        let last = match high {
            Bound::Included(Key::Time(time)) => self.unit.distance(self.from, *time),
            // A period's own start, excluded, leaves the period before.
            Bound::Excluded(Key::Time(time)) if self.unit.floor(*time) == *time => {
                self.unit.distance(self.from, *time) - 1
            }
            Bound::Excluded(Key::Time(time)) => self.unit.distance(self.from, *time),
            Bound::Included(_) | Bound::Excluded(_) => return None,
            Bound::Unbounded => i64::MAX,
        };
        let mut found: Vec<usize> = (first.max(0)..=last.min(count - 1))
            .filter_map(|index| index.try_into().ok())
            .collect();
        if first < 0 || last >= count {
            found.extend(self.default);
        }
        Some(found)
    }
}
