//! Physical tables: how the rows of a sharded table are split again inside each shard.

use std::ops::{Bound, Range};
use std::time::Duration;

use jiff::civil::DateTime;

use super::algorithm::Algorithm;
use super::key::Key;
use crate::config::{Suffix, Unit};
use crate::error::{Error, ErrorKind, Result};

/// Every shard of the table has the same physical tables, by the same second rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The column that the rule takes. It may be the sharding key itself.
    pub key: String,
    pub kind: PartsKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartsKind {
    /// A set that the rules name; a target of the algorithm is an index into `names`.
    Fixed { names: Vec<String>, algorithm: Algorithm },
    /// A table for each period, created as time goes on and dropped when old. A shard is asked which
    /// ones it has. Beside them each shard holds the *pattern table*, under the table's own name: it is
    /// empty, and new periods are created like it.
    Time(TimeParts),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeParts {
    pub suffix: Suffix,
    /// Rows before it have no period; the start of a period.
    pub from: Option<DateTime>,
    /// Rows at or after it have no period; the start of a period.
    pub to: Option<DateTime>,
    /// How long before its start a table is created; zero: never ahead of time.
    pub create_ahead: Duration,
    /// How long after its end a table is dropped; none: never.
    pub keep: Option<Duration>,
    /// The full name of the physical table for rows without a period.
    pub default: Option<String>,
    /// The full name of the physical table for rows whose key is `NULL`.
    pub null: Option<String>,
}

/// From `start`, included, to `end`, excluded. Periods order by their start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    pub start: DateTime,
    pub end: DateTime,
}

impl Period {
    pub fn of(unit: Unit, moment: DateTime) -> Self {
        let start = unit.floor(moment);
        Self { start, end: unit.next(start).unwrap_or(DateTime::MAX) }
    }

    /// Whether a moment between `low` and `high` may lie in the period; true if they are not times.
    pub fn overlaps(self, low: Bound<&Key>, high: Bound<&Key>) -> bool {
        let ends_before = match low {
            Bound::Included(Key::Time(low)) | Bound::Excluded(Key::Time(low)) => self.end <= *low,
            Bound::Included(_) | Bound::Excluded(_) | Bound::Unbounded => false,
        };
        let starts_after = match high {
            Bound::Included(Key::Time(high)) => self.start > *high,
            Bound::Excluded(Key::Time(high)) => self.start >= *high,
            Bound::Included(_) | Bound::Excluded(_) | Bound::Unbounded => false,
        };
        !ends_before && !starts_after
    }
}

impl TimeParts {
    pub fn unit(&self) -> Unit {
        self.suffix.unit()
    }

    /// The physical table of logical table `table` that holds `key`.
    ///
    /// # Errors
    /// [`ErrorKind::NoShardForValue`] for `NULL` and for times outside `from..to` without a table named
    /// for them, and for keys that are not times.
    pub fn name(&self, table: &str, key: &Key) -> Result<String> {
        let (named, setting) = match key {
            Key::Time(time) if self.covers(*time) => return Ok(self.name_at(table, *time)),
            Key::Time(_) => (&self.default, "default"),
            Key::Null => (&self.null, "null"),
            Key::Int(_) | Key::Decimal(_) | Key::Bytes(_) => {
                let message = format!(
                    "the value {key} is no date or time, and table `{table}` has one physical table per {}",
                    self.unit().name()
                );
                return Err(Error::new(ErrorKind::NoShardForValue, message));
            }
        };
        named.clone().ok_or_else(|| {
            let message = format!(
                "no physical table of `{table}` takes the value {key} by the algorithm `time`; \
                 set `{setting}` of the algorithm to a physical table"
            );
            Error::new(ErrorKind::NoShardForValue, message)
        })
    }

    /// The physical table of the period of `moment`.
    pub fn name_at(&self, table: &str, moment: DateTime) -> String {
        format!("{table}{}", self.suffix.format(moment))
    }

    /// The period of a physical table; none if the name is not exactly what [`TimeParts::name_at`] gives.
    pub fn period_of(&self, table: &str, physical: &str) -> Option<Period> {
        let start = self.suffix.read(physical.strip_prefix(table)?)?;
        self.covers(start).then(|| Period::of(self.unit(), start))
    }

    /// The physical tables that are named, not made of periods: those of `default` and of `null`.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let null = self.null.as_deref().filter(|name| self.default.as_deref() != Some(*name));
        self.default.as_deref().into_iter().chain(null)
    }

    /// Whether `physical` holds rows of `table`; false for the pattern table, which holds none.
    pub fn owns(&self, table: &str, physical: &str) -> bool {
        self.named().any(|name| name == physical) || self.period_of(table, physical).is_some()
    }

    /// The periods that have a moment in `moments` and lie in `from..to`, in rising order.
    pub fn periods(&self, moments: Range<DateTime>) -> impl Iterator<Item = Period> + use<> {
        let (unit, to) = (self.unit(), self.to);
        let begin = self.from.map_or(moments.start, |from| from.max(moments.start));
        let end = to.map_or(moments.end, |to| to.min(moments.end));
        let first = Some(unit.floor(begin)).filter(|start| *start < end);
        std::iter::successors(first, move |start| unit.next(*start).filter(|next| *next < end))
            .map(move |start| Period::of(unit, start))
    }

    fn covers(&self, time: DateTime) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly() -> TimeParts {
        TimeParts {
            suffix: Suffix::parse("_%Y%m%d%H", Unit::Hour).unwrap(),
            from: Some("2024-01-01".parse().unwrap()),
            to: None,
            create_ahead: Duration::from_secs(3600),
            keep: None,
            default: Some("payments_old".into()),
            null: None,
        }
    }

    fn check(key: &str, expect: &str) {
        assert_eq!(hourly().name("payments", &Key::time(key).unwrap()).unwrap(), expect);
    }

    #[test]
    fn names() {
        check("2024-02-29 13:59:59.9", "payments_2024022913");
        check("2024-02-29", "payments_2024022900");
        check("2023-12-31 23:59:59", "payments_old");
        let error = hourly().name("payments", &Key::Null).unwrap_err();
        assert!(error.message().contains("set `null`"), "{error}");
        assert!(hourly().name("payments", &Key::Int(1)).is_err());
    }

    #[test]
    fn reads_names_back() {
        let parts = hourly();
        let period = parts.period_of("payments", "payments_2024022923").unwrap();
        assert_eq!(period.end, "2024-03-01".parse().unwrap());
        for other in ["payments", "payments_20240229", "payments_2023010100", "payments_2024023000"]
        {
            assert_eq!(parts.period_of("payments", other), None, "{other}");
        }
        assert!(parts.owns("payments", "payments_old") && !parts.owns("payments", "payments"));
    }

    #[test]
    fn iterates_periods() {
        let moments = "2023-12-31 20:00".parse().unwrap()..("2024-01-01 02:30".parse().unwrap());
        let names: Vec<String> =
            hourly().periods(moments).map(|period| hourly().name_at("p", period.start)).collect();
        assert_eq!(names, ["p_2024010100", "p_2024010101", "p_2024010102"]);
    }

    #[test]
    fn overlaps() {
        let period = Period::of(Unit::Day, "2024-02-29".parse().unwrap());
        let (first, next) = (Key::time("2024-02-29").unwrap(), Key::time("2024-03-01").unwrap());
        assert!(period.overlaps(Bound::Unbounded, Bound::Included(&first)));
        assert!(!period.overlaps(Bound::Unbounded, Bound::Excluded(&first)));
        assert!(!period.overlaps(Bound::Included(&next), Bound::Unbounded));
        assert!(period.overlaps(Bound::Excluded(&first), Bound::Excluded(&next)));
        assert!(period.overlaps(Bound::Included(&Key::Int(5)), Bound::Unbounded));
    }
}
