//! Units of time by which rows are split: years, months, weeks, days, hours.

use jiff::ToSpan as _;
use jiff::civil::{DateTime, Time};

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Year,
    Month,
    /// From Monday to Sunday, as in ISO 8601.
    Week,
    Day,
    Hour,
}

impl Unit {
    pub const ALL: [Self; 5] = [Self::Year, Self::Month, Self::Week, Self::Day, Self::Hour];

    /// The word that rules use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.name() == name)
    }

    /// The start of the period that `moment` lies in.
    pub fn floor(self, moment: DateTime) -> DateTime {
        let date = moment.date();
        match self {
            Self::Year => date.first_of_year().to_datetime(Time::midnight()),
            Self::Month => date.first_of_month().to_datetime(Time::midnight()),
            Self::Week => {
                let days = i64::from(date.weekday().to_monday_zero_offset());
                date.saturating_sub(days.days()).to_datetime(Time::midnight())
            }
            Self::Day => date.to_datetime(Time::midnight()),
            Self::Hour => {
                let hour = Time::midnight().saturating_add(i64::from(moment.hour()).hours());
                date.to_datetime(hour)
            }
        }
    }

    /// The start of the period after the one that starts at `start`; none at the end of the calendar.
    pub fn next(self, start: DateTime) -> Option<DateTime> {
        let span = match self {
            Self::Year => 1.year(),
            Self::Month => 1.month(),
            Self::Week => 1.week(),
            Self::Day => 1.day(),
            Self::Hour => 1.hour(),
        };
        start.checked_add(span).ok()
    }

    /// How many periods lie from the one of `from` to the one of `to`; negative if `to` is earlier.
    pub fn distance(self, from: DateTime, to: DateTime) -> i64 {
        let (from, to) = (self.floor(from), self.floor(to));
        let years = i64::from(to.year()) - i64::from(from.year());
        let hours = || to.duration_since(from).as_hours();
        match self {
            Self::Year => years,
            Self::Month => years * 12 + i64::from(to.month()) - i64::from(from.month()),
            Self::Week => hours() / (24 * 7),
            Self::Day => hours() / 24,
            Self::Hour => hours(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unit: Unit, moment: &str, floor: &str, next: &str) {
        let start = unit.floor(moment.parse().unwrap());
        assert_eq!(start, floor.parse().unwrap());
        assert_eq!(unit.next(start), Some(next.parse().unwrap()));
        assert_eq!(unit.distance(start, unit.next(start).unwrap()), 1);
    }

    #[test]
    fn floors() {
        let moment = "2024-02-29 13:45:10.5";
        check(Unit::Year, moment, "2024-01-01", "2025-01-01");
        check(Unit::Month, moment, "2024-02-01", "2024-03-01");
        check(Unit::Week, moment, "2024-02-26", "2024-03-04");
        check(Unit::Day, moment, "2024-02-29", "2024-03-01");
        check(Unit::Hour, moment, "2024-02-29 13:00", "2024-02-29 14:00");
    }

    #[test]
    fn distances() {
        let (from, to) = ("2023-12-31".parse().unwrap(), "2024-01-01".parse().unwrap());
        let distances = Unit::ALL.map(|unit| unit.distance(from, to));
        assert_eq!(distances, [1, 1, 1, 1, 24]);
        assert_eq!(Unit::Month.distance(to, from), -1);
    }
}
