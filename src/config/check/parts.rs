//! Physical tables.

use std::time::Duration;

use super::algorithm::{Targets, algorithm, moment, unit};
use super::{NAME_MAX, check_name, names};
use crate::config::model::{Parts, PartsKind, Rule, Sharded, TimeParts};
use crate::config::node::Located;
use crate::config::problem::{Place, Problems};
use crate::config::shape::{self, Algorithm, Outside};
use crate::config::suffix::Suffix;

/// Checks the physical tables of `table`; none if there is a mistake.
pub(super) fn parts(
    table: &Located<String>,
    located: &Located<shape::Parts>,
    problems: &mut Problems,
) -> Option<Parts> {
    let shape = &located.value;
    check_name(&shape.key, "column", problems);
    let kind = match &shape.algorithm.value {
        Algorithm::Time(periods) => {
            if let Some(names) = &shape.names {
                problems
                    .add(&names.place, "the algorithm `time` makes its own names; remove `names`");
            }
            time(table, periods, &shape.algorithm.place, problems).map(PartsKind::Time)
        }
        Algorithm::Modulo(_)
        | Algorithm::Hash(_)
        | Algorithm::ConsistentHash(_)
        | Algorithm::JumpHash(_)
        | Algorithm::Range(_)
        | Algorithm::List(_) => fixed(table, located, problems),
    };
    Some(Parts { key: shape.key.value.clone(), kind: kind? })
}

fn fixed(
    table: &Located<String>,
    located: &Located<shape::Parts>,
    problems: &mut Problems,
) -> Option<PartsKind> {
    let shape = &located.value;
    let Some(patterns) = &shape.names else {
        let name = &table.value;
        let message = format!("`names` is missing; write `names: \"{name}_{{0..3}}\"`");
        problems.add(&located.place, message);
        return None;
    };
    let found = names(patterns, "physical table", problems)?;
    for name in &found {
        check_name(name, "table", problems);
    }
    let names: Vec<String> = found.into_iter().map(|name| name.value).collect();
    let targets = Targets { names: &names, what: "physical table" };
    let algorithm = algorithm(&shape.algorithm, &targets, problems)?;
    Some(PartsKind::Fixed { names, algorithm })
}

fn time(
    table: &Located<String>,
    periods: &shape::Periods,
    place: &Place,
    problems: &mut Problems,
) -> Option<TimeParts> {
    let unit = unit(&periods.unit, problems);
    let from = moment(periods.from.as_ref(), problems);
    let to = moment(periods.to.as_ref(), problems);
    if let (Some(from), Some(to), Some(at)) = (from, to, &periods.to)
        && from >= to
    {
        problems.add(&at.place, "`to` is not after `from`");
    }
    if periods.suffix.is_none() {
        problems.add(place, "`suffix` is missing; write `suffix: \"_%Y%m%d\"` for one table a day");
    }
    let (unit, pattern) = (unit?, periods.suffix.as_ref()?);
    let suffix = match Suffix::parse(&pattern.value, unit) {
        Ok(suffix) => suffix,
        Err(message) => {
            problems.add(&pattern.place, message);
            return None;
        }
    };
    let longest = table.value.chars().count() + pattern.value.chars().count() * 2;
    let length = |moment| table.value.chars().count() + suffix.format(moment).chars().count();
    if longest > NAME_MAX
        && length(jiff::civil::DateTime::constant(2024, 1, 1, 0, 0, 0, 0)) > NAME_MAX
    {
        let message = format!("names of physical tables are over {NAME_MAX} characters");
        problems.add(&pattern.place, message);
    }
    // A bound inside a period would leave rows of that period without a table.
    let to = to
        .map(|to| if unit.floor(to) == to { to } else { unit.next(unit.floor(to)).unwrap_or(to) });
    Some(TimeParts {
        from: from.map(|from| unit.floor(from)),
        to,
        create_ahead: periods.create_ahead.as_ref().map_or(Duration::ZERO, |ahead| ahead.value),
        keep: periods.keep.as_ref().map(|keep| keep.value),
        default: named(table, &suffix, &periods.default, problems),
        null: named(table, &suffix, &periods.null, problems),
        suffix,
    })
}

/// The physical table that `default` or `null` names.
fn named(
    table: &Located<String>,
    suffix: &Suffix,
    outside: &Outside,
    problems: &mut Problems,
) -> Option<String> {
    let name = outside.as_ref().filter(|name| name.value != "reject")?;
    check_name(name, "table", problems);
    let period = name.value.strip_prefix(table.value.as_str()).and_then(|end| suffix.read(end));
    if name.value == table.value {
        let message = format!(
            "`{}` is the pattern that new tables are made like, and holds no rows; name another table",
            name.value
        );
        problems.add(&name.place, message);
    } else if period.is_some() {
        problems.add(&name.place, format!("`{}` is the table of a period", name.value));
    }
    Some(name.value.clone())
}

/// The physical tables of a child that follows `parent`: the same rule over the child's key, names with
/// the child's name in place of the parent's.
pub(super) fn inherited(
    child: &str,
    key: &str,
    parent_name: &str,
    parent: &Sharded,
) -> Result<Option<Parts>, String> {
    let Some(parts) = parent.parts.as_ref().filter(|parts| parts.key == parent.key) else {
        return Ok(None);
    };
    let rename = |name: &String| match name.strip_prefix(parent_name) {
        Some(end) => Ok(format!("{child}{end}")),
        None => Err(format!(
            "the physical table `{name}` of `{parent_name}` does not begin with `{parent_name}`, so none \
             can be named for `{child}`; give `{child}` its own `tables`"
        )),
    };
    let kind = match &parts.kind {
        PartsKind::Fixed { names, algorithm } => {
            let names = names.iter().map(rename).collect::<Result<_, _>>()?;
            PartsKind::Fixed { names, algorithm: algorithm.clone() }
        }
        PartsKind::Time(time) => PartsKind::Time(TimeParts {
            default: time.default.as_ref().map(rename).transpose()?,
            null: time.null.as_ref().map(rename).transpose()?,
            ..time.clone()
        }),
    };
    Ok(Some(Parts { key: key.to_owned(), kind }))
}

/// Warns if shards and physical tables take the same remainders, so that some tables stay empty.
pub(super) fn check_remainders(sharded: &Sharded, place: &Place, problems: &mut Problems) {
    let Some(Parts { key, kind: PartsKind::Fixed { names, algorithm } }) = &sharded.parts else {
        return;
    };
    let both = (&sharded.algorithm.rule, &algorithm.rule) == (&Rule::Modulo, &Rule::Modulo);
    let (shards, tables) = (sharded.shards.len(), names.len());
    let common = greatest_common_divisor(shards, tables);
    if both && *key == sharded.key && common > 1 {
        let empty = shards * tables - shards * tables / common;
        problems.warn(
            place,
            format!(
                "shards and physical tables are both chosen by `{key}` modulo {shards} and modulo {tables}, \
                 which have the common divisor {common}: {empty} of {} physical tables stay empty; use \
                 hash, or counts without a common divisor",
                shards * tables
            ),
        );
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
