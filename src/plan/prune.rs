//! Which targets a condition leaves. A target that might hold a matching row is never left out.

use std::collections::BTreeSet;
use std::ops;

use super::facts::{ColumnClass, Need, Stop};
use super::key::{Canonical, Purpose, algorithm_weights, canonical, pads};
use super::resolve::{Input, need_weight, operand_value};
use super::types::{Bound, Condition, Operand};
use crate::catalog::{Algorithm, Key, TimeParts, Weights};

/// What values of a condition are read by.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) class: &'a ColumnClass,
    pub(super) input: Input<'a>,
}

impl Values<'_> {
    /// The key of an operand; None if its meaning is not certain.
    fn key(self, operand: &Operand) -> Result<Option<Key>, Stop> {
        let literal = operand_value(operand, self.input)?;
        let Input { charset, facts, .. } = self.input;
        match canonical(literal, self.class, Purpose::Compare, charset, facts) {
            Canonical::Key(key) => Ok(Some(key)),
            Canonical::Unknown => Ok(None),
            Canonical::Need(weight) => Err(need_weight(weight)),
        }
    }

    /// The order of keys is the column's order.
    fn ordered(self) -> bool {
        match self.class {
            ColumnClass::Integer { .. }
            | ColumnClass::Decimal { .. }
            | ColumnClass::Year
            | ColumnClass::Date
            | ColumnClass::DateTime { .. }
            | ColumnClass::VarBinary => true,
            // Weight strings are not padded, and below a space there are characters.
            ColumnClass::Text { collation, .. } => !pads(collation),
            ColumnClass::Binary { .. }
            | ColumnClass::Float
            | ColumnClass::Bit
            | ColumnClass::Timestamp
            | ColumnClass::Time
            | ColumnClass::Enum
            | ColumnClass::Set
            | ColumnClass::Json
            | ColumnClass::Geometry => false,
        }
    }
}

/// Indexes of the targets of `algorithm` that may hold rows which meet the condition.
pub(super) fn algorithm(
    condition: &Condition,
    algorithm: &Algorithm,
    values: Values<'_>,
) -> Result<Vec<usize>, Stop> {
    let weights = algorithm_weights(algorithm, values.class, values.input.facts)
        .map_err(|missing| Stop::Need(Need::Weights(missing)))?;
    let all = || (0..algorithm.targets).collect();
    let found = set(condition, algorithm, &weights, values)?;
    Ok(found.map_or_else(all, |targets| targets.into_iter().collect()))
}

/// None: all of them.
type Targets = Option<BTreeSet<usize>>;

fn set(
    condition: &Condition,
    algorithm: &Algorithm,
    weights: &Weights,
    values: Values<'_>,
) -> Result<Targets, Stop> {
    let one = |key: &Key| algorithm.locate(key, weights).ok().into_iter().collect::<BTreeSet<_>>();
    match condition {
        Condition::Always => Ok(None),
        Condition::Never => Ok(Some(BTreeSet::new())),
        // A value that no target takes is in no row.
        Condition::Eq(operand) => Ok(values.key(operand)?.map(|key| one(&key))),
        Condition::In(list) => {
            let mut targets = BTreeSet::new();
            for operand in list {
                match values.key(operand)? {
                    Some(key) => targets.extend(one(&key)),
                    None => return Ok(None),
                }
            }
            Ok(Some(targets))
        }
        Condition::IsNull => Ok(Some(one(&Key::Null))),
        Condition::Range { low, high } => range(low, high, algorithm, weights, values),
        Condition::And(list) => {
            let mut targets: Targets = None;
            for condition in list {
                let other = set(condition, algorithm, weights, values)?;
                targets = match (targets, other) {
                    (Some(left), Some(right)) => Some(left.intersection(&right).copied().collect()),
                    (left, right) => left.or(right),
                };
            }
            Ok(targets)
        }
        Condition::Or(list) => {
            let mut targets = BTreeSet::new();
            for condition in list {
                match set(condition, algorithm, weights, values)? {
                    Some(other) => targets.extend(other),
                    None => return Ok(None),
                }
            }
            Ok(Some(targets))
        }
    }
}

fn range(
    low: &Option<Bound>,
    high: &Option<Bound>,
    algorithm: &Algorithm,
    weights: &Weights,
    values: Values<'_>,
) -> Result<Targets, Stop> {
    if !values.ordered() {
        return Ok(None);
    }
    let (low, high) = (end(low, values)?, end(high, values)?);
    if let (ColumnClass::Integer { .. }, Some(first), Some(last)) =
        (values.class, whole(&low, 1), whole(&high, -1))
    {
        return Ok(Some(algorithm.locate_integers(first, last).into_iter().collect()));
    }
    let targets = algorithm.locate_range(low.as_ref(), high.as_ref(), weights);
    Ok(Some(targets.into_iter().collect()))
}

/// An end of a range; open if its meaning is not certain, or if it is NULL, which nothing compares with.
fn end(bound: &Option<Bound>, values: Values<'_>) -> Result<ops::Bound<Key>, Stop> {
    let Some(bound) = bound else { return Ok(ops::Bound::Unbounded) };
    Ok(match values.key(&bound.operand)? {
        None | Some(Key::Null) => ops::Bound::Unbounded,
        Some(key) if bound.inclusive => ops::Bound::Included(key),
        Some(key) => ops::Bound::Excluded(key),
    })
}

/// The first or last whole number of a range; `step` leads into it from an end that is left out.
fn whole(end: &ops::Bound<Key>, step: i128) -> Option<i128> {
    match end {
        ops::Bound::Included(Key::Int(number)) => Some(*number),
        ops::Bound::Excluded(Key::Int(number)) => number.checked_add(step),
        ops::Bound::Included(_) | ops::Bound::Excluded(_) | ops::Bound::Unbounded => None,
    }
}

/// Whether a physical table of time tables may hold rows which meet the condition.
pub(super) fn period(
    condition: &Condition,
    time: &TimeParts,
    table: &str,
    physical: &str,
    values: Values<'_>,
) -> Result<bool, Stop> {
    let holds = |key: &Key| time.name(table, key).is_ok_and(|name| name == physical);
    match condition {
        Condition::Always => Ok(true),
        Condition::Never => Ok(false),
        Condition::Eq(operand) => Ok(values.key(operand)?.is_none_or(|key| holds(&key))),
        Condition::In(list) => {
            for operand in list {
                if values.key(operand)?.is_none_or(|key| holds(&key)) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Condition::IsNull => Ok(holds(&Key::Null)),
        Condition::Range { low, high } => match time.period_of(table, physical) {
            Some(period) => {
                let (low, high) = (end(low, values)?, end(high, values)?);
                Ok(period.overlaps(low.as_ref(), high.as_ref()))
            }
            None => Ok(true),
        },
        Condition::And(list) => {
            for condition in list {
                if !period(condition, time, table, physical, values)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Condition::Or(list) => {
            for condition in list {
                if period(condition, time, table, physical, values)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}
