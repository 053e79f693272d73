//! Algorithms: targets by name, bounds in order.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::civil::DateTime;

use crate::config::decimal::Decimal;
use crate::config::model::{Algorithm, Rule};
use crate::config::node::Located;
use crate::config::problem::{Place, Problems, names, suggestion};
use crate::config::shape::{self, Outside};
use crate::config::unit::Unit;

/// The names that an algorithm chooses from, and what they are: `shard` or `physical table`.
pub(super) struct Targets<'a> {
    pub(super) names: &'a [String],
    pub(super) what: &'static str,
}

impl Targets<'_> {
    fn find(&self, name: &Located<String>, problems: &mut Problems) -> Option<usize> {
        let index = self.names.iter().position(|known| *known == name.value);
        if index.is_none() {
            let near = suggestion(&name.value, self.names.iter().map(String::as_str));
            let message = format!("`{}` is no {} of this table{near}", name.value, self.what);
            problems.add(&name.place, message);
        }
        index
    }

    /// Where `default` or `null` points.
    fn outside(&self, outside: &Outside, problems: &mut Problems) -> Option<usize> {
        let name = outside.as_ref().filter(|name| name.value != "reject")?;
        self.find(name, problems)
    }

    /// Reports the targets that no value goes to.
    fn check_used(&self, used: &[usize], place: &Place, problems: &mut Problems) {
        let unused: Vec<&str> = self
            .names
            .iter()
            .enumerate()
            .filter(|(index, _)| !used.contains(index))
            .map(|(_, name)| name.as_str())
            .collect();
        if !unused.is_empty() {
            let what = self.what;
            problems.warn(place, format!("no value goes to the {what} {}", names(unused)));
        }
    }
}

/// Checks an algorithm over `targets`; none if there is a mistake.
pub(super) fn algorithm(
    located: &Located<shape::Algorithm>,
    targets: &Targets<'_>,
    problems: &mut Problems,
) -> Option<Algorithm> {
    use shape::Algorithm as Shape;
    let place = &located.place;
    let (rule, null) = match &located.value {
        Shape::Modulo(modulo) => {
            check_count(modulo, targets, problems);
            (Some(Rule::Modulo), &modulo.null)
        }
        Shape::Hash(hash) => (Some(Rule::Hash), &hash.null),
        Shape::ConsistentHash(ring) => {
            check_ring(ring, place, targets, problems);
            (Some(Rule::ConsistentHash { replicas: ring.replicas }), &ring.null)
        }
        Shape::JumpHash(jump) => (Some(Rule::JumpHash), &jump.null),
        Shape::Range(ranges) => (range(ranges, place, targets, problems), &ranges.null),
        Shape::List(list) => (self::list(list, place, targets, problems), &list.null),
        Shape::Time(periods) => (time(periods, place, targets, problems), &periods.null),
    };
    let null = targets.outside(null, problems);
    Some(Algorithm { rule: rule?, null })
}

/// A ring over this many points would take long to build and much memory.
const POINTS_MAX: usize = 1_000_000;

fn check_ring(
    ring: &shape::ConsistentHash,
    place: &Place,
    targets: &Targets<'_>,
    problems: &mut Problems,
) {
    let targets = targets.names.len();
    let points = targets.saturating_mul(ring.replicas.into());
    if points > POINTS_MAX {
        let replicas = POINTS_MAX / targets;
        let message =
            format!("a ring of {points} points is too large; use at most {replicas} `replicas`");
        problems.add(place, message);
    }
}

fn check_count(modulo: &shape::Modulo, targets: &Targets<'_>, problems: &mut Problems) {
    let Some(count) = &modulo.count else { return };
    let found = targets.names.len();
    if usize::try_from(count.value) != Ok(found) {
        let (count_value, what) = (count.value, targets.what);
        let message =
            format!("`count` is {count_value}, but the table has {found} {what}s; write {found}");
        problems.add(&count.place, message);
    }
}

fn range(
    ranges: &shape::Range,
    place: &Place,
    targets: &Targets<'_>,
    problems: &mut Problems,
) -> Option<Rule> {
    if ranges.ranges.is_empty() {
        problems.add(place, "`ranges` is missing; write `ranges: [{below: 1000, to: ...}, ...]`");
        return None;
    }
    let mut spans = Vec::new();
    let mut last: Option<&str> = None;
    for (index, span) in ranges.ranges.iter().enumerate() {
        let target = targets.find(&span.value.to, problems);
        match &span.value.below {
            None if index + 1 < ranges.ranges.len() => {
                problems.add(&span.place, "only the last range may leave out `below`");
            }
            None => {}
            Some(below) => {
                let rises = last.is_none_or(|last| rises(last, &below.value.0));
                if !rises {
                    let (last, below_text) = (last.unwrap_or(""), &below.value.0);
                    let message = format!(
                        "`{below_text}` does not come after `{last}`; write the ranges in rising order"
                    );
                    problems.add(&below.place, message);
                }
                last = Some(&below.value.0);
            }
        }
        let below = span.value.below.as_ref().map(|below| below.value.0.clone());
        spans.push((below, target));
    }
    let default = targets.outside(&ranges.default, problems);
    let spans: Option<Vec<(Option<String>, usize)>> =
        spans.into_iter().map(|(below, target)| Some((below, target?))).collect();
    let spans = spans?;
    if let (Some(outside), Some((None, _))) = (&ranges.default, spans.last()) {
        problems.warn(&outside.place, "`default` has no effect: the last range takes all the rest");
    }
    let used: Vec<usize> = spans.iter().map(|(_, target)| *target).chain(default).collect();
    targets.check_used(&used, place, problems);
    Some(Rule::Range { spans, default })
}

/// Numbers and moments rise; the order of other texts is the collation's, which is not known here.
fn rises(last: &str, next: &str) -> bool {
    if let (Some(last), Some(next)) = (Decimal::parse(last), Decimal::parse(next)) {
        return last < next;
    }
    match (last.parse::<DateTime>(), next.parse::<DateTime>()) {
        (Ok(last), Ok(next)) => last.cmp(&next) == Ordering::Less,
        _ => last != next,
    }
}

fn list(
    list: &shape::List,
    place: &Place,
    targets: &Targets<'_>,
    problems: &mut Problems,
) -> Option<Rule> {
    if list.values.0.is_empty() {
        problems.add(place, "`values` is missing; write `values: {target: [1, 2], ...}`");
        return None;
    }
    let mut entries: Vec<(String, usize)> = Vec::new();
    let mut seen = HashMap::new();
    let mut complete = true;
    for (name, values) in &list.values.0 {
        let target = targets.find(name, problems);
        complete &= target.is_some() && values.is_some();
        for literal in values.iter().flatten() {
            let text = &literal.value.0;
            check_once(literal, &mut seen, problems);
            entries.extend(target.map(|target| (text.clone(), target)));
        }
    }
    let default = targets.outside(&list.default, problems);
    if complete {
        let used: Vec<usize> = entries.iter().map(|(_, target)| *target).chain(default).collect();
        targets.check_used(&used, place, problems);
    }
    complete.then_some(Rule::List { entries, default })
}

/// Reports a value that is listed twice. `1` and `01` are one number, but two texts: columns of texts may
/// hold both.
fn check_once<'a>(
    literal: &'a Located<shape::Literal>,
    seen: &mut HashMap<String, &'a Located<shape::Literal>>,
    problems: &mut Problems,
) {
    let text = &literal.value.0;
    let number = Decimal::parse(text).map(|number| number.to_string());
    let Some(known) = seen.insert(number.unwrap_or_else(|| text.clone()), literal) else { return };
    let place = &known.place;
    if known.value == literal.value {
        problems.add(&literal.place, format!("the value `{text}` is already listed at {place}"));
    } else {
        let message = format!("to a column of numbers, `{text}` is the value listed at {place}");
        problems.warn(&literal.place, message);
    }
}

/// Periods over shards.
fn time(
    periods: &shape::Periods,
    place: &Place,
    targets: &Targets<'_>,
    problems: &mut Problems,
) -> Option<Rule> {
    let misplaced = [
        ("to", periods.to.as_ref().map(|to| &to.place)),
        ("suffix", periods.suffix.as_ref().map(|suffix| &suffix.place)),
        ("create_ahead", periods.create_ahead.as_ref().map(|ahead| &ahead.place)),
        ("keep", periods.keep.as_ref().map(|keep| &keep.place)),
    ];
    for (name, place) in misplaced {
        if let Some(place) = place {
            let message =
                format!("`{name}` is for physical tables; remove it, or move the rule to `tables`");
            problems.add(place, message);
        }
    }
    let unit = unit(&periods.unit, problems);
    if periods.from.is_none() {
        problems.add(place, "`from` is missing: the first period, such as `2024-01-01`");
    }
    let from = moment(periods.from.as_ref(), problems);
    let default = targets.outside(&periods.default, problems);
    let (unit, from) = (unit?, from?);
    Some(Rule::Time { unit, from: unit.floor(from), default })
}

pub(super) fn unit(name: &Located<String>, problems: &mut Problems) -> Option<Unit> {
    let unit = Unit::parse(&name.value);
    if unit.is_none() {
        let near = suggestion(&name.value, Unit::ALL.map(Unit::name));
        problems.add(&name.place, format!("unknown unit `{}`{near}", name.value));
    }
    unit
}

pub(super) fn moment(text: Option<&Located<String>>, problems: &mut Problems) -> Option<DateTime> {
    let Located { value, place } = text?;
    let moment = value.parse::<DateTime>().ok();
    if moment.is_none() {
        let message =
            format!("`{value}` is no moment; write `2024-01-01` or `2024-01-01 00:00:00`");
        problems.add(place, message);
    }
    moment
}
