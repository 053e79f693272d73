//! From a condition on a key to the shards or physical tables that may hold such rows.

use std::collections::BTreeSet;
use std::ops::Bound as Limit;

use super::facts::ColumnClass;
use super::key::{Found, Missing, Run, pads};
use super::types::{Bound, Condition, Operand};
use crate::catalog::{Algorithm, Key, TimeParts, Weights};
use crate::error::{ErrorKind, Result};

/// Candidates by index or name; `All`: any.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Candidates<T: Ord> {
    All,
    Some(BTreeSet<T>),
}

impl<T: Ord + Clone> Candidates<T> {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, other) | (other, Self::All) => other,
            (Self::Some(one), Self::Some(other)) => {
                Self::Some(one.intersection(&other).cloned().collect())
            }
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Some(one), Self::Some(other)) => {
                Self::Some(one.union(&other).cloned().collect())
            }
        }
    }
}

/// What takes keys to candidates.
pub(super) trait Rule {
    type Target: Ord + Clone;
    /// Where rows with this key are; the empty set if nowhere.
    fn at(&self, key: &Key) -> Result<BTreeSet<Self::Target>>;
    /// Where rows between the bounds may be.
    fn between(&self, low: Limit<&Key>, high: Limit<&Key>) -> Candidates<Self::Target>;
}

/// An algorithm and the weight strings of its texts.
pub(super) struct ByAlgorithm<'r> {
    pub algorithm: &'r Algorithm,
    pub weights: Weights,
    /// The key is an integer column.
    pub integer: bool,
}

impl Rule for ByAlgorithm<'_> {
    type Target = usize;

    fn at(&self, key: &Key) -> Result<BTreeSet<usize>> {
        match self.algorithm.locate(key, &self.weights) {
            Ok(target) => Ok(BTreeSet::from([target])),
            // No such row can have been written.
            Err(error) if *error.kind() == ErrorKind::NoShardForValue => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }

    fn between(&self, low: Limit<&Key>, high: Limit<&Key>) -> Candidates<usize> {
        let found = match (self.integer, whole(low, true), whole(high, false)) {
            (true, Some(low), Some(high)) => self.algorithm.locate_integers(low, high),
            _ => self.algorithm.locate_range(low, high, &self.weights),
        };
        Candidates::Some(found.into_iter().collect())
    }
}

/// The first or last whole number inside a bound that is a whole number.
fn whole(bound: Limit<&Key>, low: bool) -> Option<i128> {
    match bound {
        Limit::Included(Key::Int(value)) => Some(*value),
        Limit::Excluded(Key::Int(value)) if low => value.checked_add(1),
        Limit::Excluded(Key::Int(value)) => value.checked_sub(1),
        Limit::Included(_) | Limit::Excluded(_) | Limit::Unbounded => None,
    }
}

/// A time table's physical tables that exist on a shard.
pub(super) struct ByTime<'r> {
    pub table: &'r str,
    pub parts: &'r TimeParts,
    pub existing: &'r [String],
}

impl Rule for ByTime<'_> {
    type Target = String;

    fn at(&self, key: &Key) -> Result<BTreeSet<String>> {
        let found = self.parts.name(self.table, key).ok();
        Ok(found.into_iter().filter(|name| self.existing.contains(name)).collect())
    }

    fn between(&self, low: Limit<&Key>, high: Limit<&Key>) -> Candidates<String> {
        let may_hold = |name: &&String| match self.parts.period_of(self.table, name) {
            Some(period) => period.overlaps(low, high),
            // The table for moments outside of all periods.
            None => true,
        };
        Candidates::Some(self.existing.iter().filter(may_hold).cloned().collect())
    }
}

/// Where rows that meet the condition may be.
pub(super) fn locate<'r, R: Rule>(
    rule: &R,
    condition: &'r Condition,
    class: &ColumnClass,
    run: &Run<'r>,
    missing: &mut Missing,
) -> Result<Candidates<R::Target>> {
    let none = || Candidates::Some(BTreeSet::new());
    Ok(match condition {
        Condition::Always => Candidates::All,
        Condition::Never => none(),
        Condition::IsNull => Candidates::Some(rule.at(&Key::Null)?),
        Condition::Eq(operand) => equal(rule, operand, class, run, missing)?,
        Condition::In(operands) => {
            let mut all = none();
            for operand in operands {
                all = all.or(equal(rule, operand, class, run, missing)?);
            }
            all
        }
        Condition::Range { low, high } => {
            match bounds(low.as_ref(), high.as_ref(), class, run, missing)? {
                Between::Nothing => none(),
                Between::Unknown => Candidates::All,
                Between::Keys(low, high) => rule.between(low.as_ref(), high.as_ref()),
            }
        }
        Condition::Or(parts) => {
            let mut any = none();
            for part in parts {
                any = any.or(locate(rule, part, class, run, missing)?);
            }
            any
        }
        Condition::And(parts) => {
            let mut all = Candidates::All;
            for part in parts {
                all = all.and(locate(rule, part, class, run, missing)?);
            }
            match narrowest(parts, class, run, missing)? {
                Some((low, high)) => all.and(rule.between(low.as_ref(), high.as_ref())),
                None => all,
            }
        }
    })
}

fn equal<'r, R: Rule>(
    rule: &R,
    operand: &'r Operand,
    class: &ColumnClass,
    run: &Run<'r>,
    missing: &mut Missing,
) -> Result<Candidates<R::Target>> {
    let Some(value) = run.operand(operand, class, missing)? else {
        return Ok(Candidates::All);
    };
    Ok(match run.compared(value, class, missing) {
        Found::Key(key) => Candidates::Some(rule.at(&key)?),
        Found::Nothing => Candidates::Some(BTreeSet::new()),
        Found::Unknown => Candidates::All,
    })
}

/// A range of keys.
enum Between {
    Keys(Limit<Key>, Limit<Key>),
    /// A bound is NULL.
    Nothing,
    Unknown,
}

fn bounds<'r>(
    low: Option<&'r Bound>,
    high: Option<&'r Bound>,
    class: &ColumnClass,
    run: &Run<'r>,
    missing: &mut Missing,
) -> Result<Between> {
    if let ColumnClass::Text { collation, fixed } = class
        && (*fixed || pads(collation))
    {
        // With padding, 'a' is between 'a\t' and 'a!', which weight strings do not show. And trailing
        // spaces of a bound, which CHAR cuts off, count here.
        return Ok(Between::Unknown);
    }
    let mut limits = Vec::new();
    for bound in [low, high] {
        let Some(bound) = bound else {
            limits.push(Limit::Unbounded);
            continue;
        };
        let Some(value) = run.operand(&bound.operand, class, missing)? else {
            return Ok(Between::Unknown);
        };
        if *value == crate::sql::expr::Literal::Null {
            return Ok(Between::Nothing);
        }
        let key = match (run.compared(value, class, missing), class, value) {
            (Found::Key(key), _, _) => key,
            // A fraction lies between two integers.
            (
                Found::Nothing,
                ColumnClass::Integer { .. },
                crate::sql::expr::Literal::Decimal(text),
            ) => match Key::number(text) {
                Some(key) => key,
                None => return Ok(Between::Unknown),
            },
            (Found::Nothing | Found::Unknown, _, _) => return Ok(Between::Unknown),
        };
        limits.push(if bound.inclusive { Limit::Included(key) } else { Limit::Excluded(key) });
    }
    let high = limits.pop().unwrap_or(Limit::Unbounded);
    let low = limits.pop().unwrap_or(Limit::Unbounded);
    Ok(Between::Keys(low, high))
}

/// `key > 1 AND key < 5` as one range, if there are both bounds.
fn narrowest<'r>(
    parts: &'r [Condition],
    class: &ColumnClass,
    run: &Run<'r>,
    missing: &mut Missing,
) -> Result<Option<(Limit<Key>, Limit<Key>)>> {
    let (mut lowest, mut highest) = (None, None);
    for part in parts {
        let Condition::Range { low, high } = part else { continue };
        if let Between::Keys(low, high) = bounds(low.as_ref(), high.as_ref(), class, run, missing)?
        {
            if low != Limit::Unbounded {
                lowest = Some(low);
            }
            if high != Limit::Unbounded {
                highest = Some(high);
            }
        }
    }
    Ok(lowest.zip(highest))
}
