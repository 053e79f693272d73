//! Suffixes of the physical tables of a period: `_%Y%m%d%H` names `payments_2024022913`.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};

use super::unit::Unit;

/// A pattern that writes the start of a period, and reads it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suffix {
    items: Vec<Item>,
    unit: Unit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Year,
    Month,
    Day,
    DayOfYear,
    Hour,
    WeekYear,
    Week,
}

impl Field {
    const ALL: [(char, Self); 7] = [
        ('Y', Self::Year),
        ('m', Self::Month),
        ('d', Self::Day),
        ('j', Self::DayOfYear),
        ('H', Self::Hour),
        ('G', Self::WeekYear),
        ('V', Self::Week),
    ];

    fn width(self) -> usize {
        match self {
            Self::Year | Self::WeekYear => 4,
            Self::DayOfYear => 3,
            Self::Month | Self::Day | Self::Hour | Self::Week => 2,
        }
    }

    fn of(self, moment: DateTime) -> i16 {
        match self {
            Self::Year => moment.year(),
            Self::Month => moment.month().into(),
            Self::Day => moment.day().into(),
            Self::DayOfYear => moment.day_of_year(),
            Self::Hour => moment.hour().into(),
            Self::WeekYear => moment.date().iso_week_date().year(),
            Self::Week => moment.date().iso_week_date().week().into(),
        }
    }
}

/// The fields, in the order of [`Field`], that tell the periods of a unit apart and nothing more.
fn accepted(unit: Unit) -> (&'static [&'static [Field]], &'static str) {
    use Field::{Day, DayOfYear, Hour, Month, Week, WeekYear, Year};
    match unit {
        Unit::Year => (&[&[Year]], "%Y"),
        Unit::Month => (&[&[Year, Month]], "%Y%m"),
        Unit::Week => (&[&[WeekYear, Week], &[Year, Month, Day]], "%G%V, or %Y%m%d of its Monday"),
        Unit::Day => (&[&[Year, Month, Day], &[Year, DayOfYear]], "%Y%m%d, or %Y%j"),
        Unit::Hour => {
            (&[&[Year, Month, Day, Hour], &[Year, DayOfYear, Hour]], "%Y%m%d%H, or %Y%j%H")
        }
    }
}

impl Suffix {
    /// Reads a pattern; the error says what to write instead.
    pub fn parse(pattern: &str, unit: Unit) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut text = String::new();
        let mut chars = pattern.chars();
        while let Some(char) = chars.next() {
            if char != '%' {
                text.push(char);
                continue;
            }
            let letter = chars.next().unwrap_or(' ');
            let field = Field::ALL.iter().find(|(known, _)| *known == letter);
            let Some((_, field)) = field else {
                return Err(format!("unknown field `%{letter}`; use %Y %m %d %j %H, or %G %V"));
            };
            if !text.is_empty() {
                items.push(Item::Text(std::mem::take(&mut text)));
            }
            items.push(Item::Field(*field));
        }
        if !text.is_empty() {
            items.push(Item::Text(text));
        }
        let mut fields: Vec<Field> = items.iter().filter_map(Item::field).collect();
        fields.sort_unstable();
        let (sets, advice) = accepted(unit);
        if !sets.contains(&fields.as_slice()) {
            let unit = unit.name();
            return Err(format!("the suffix of one table per {unit} is made of {advice}"));
        }
        Ok(Self { items, unit })
    }

    /// The suffix of the period of `moment`.
    pub fn format(&self, moment: DateTime) -> String {
        let start = self.unit.floor(moment);
        let mut out = String::new();
        for item in &self.items {
            match item {
                Item::Text(text) => out.push_str(text),
                Item::Field(field) => {
                    let (value, width) = (field.of(start), field.width());
                    out.push_str(&format!("{value:0width$}"));
                }
            }
        }
        out
    }

    /// The start of the period with this suffix: the strict inverse of [`Suffix::format`].
    pub fn read(&self, suffix: &str) -> Option<DateTime> {
        let mut rest = suffix;
        let mut values: Vec<(Field, i16)> = Vec::new();
        for item in &self.items {
            match item {
                Item::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Item::Field(field) => {
                    let (digits, tail) = rest.split_at_checked(field.width())?;
                    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                        return None;
                    }
                    values.push((*field, digits.parse().ok()?));
                    rest = tail;
                }
            }
        }
        let start = start_of(&values)?;
        (rest.is_empty() && self.unit.floor(start) == start && self.format(start) == suffix)
            .then_some(start)
    }

    pub fn unit(&self) -> Unit {
        self.unit
    }
}

impl Item {
    fn field(&self) -> Option<Field> {
        match self {
            Self::Text(_) => None,
            Self::Field(field) => Some(*field),
        }
    }
}

fn start_of(values: &[(Field, i16)]) -> Option<DateTime> {
    let value = |field| values.iter().find(|(known, _)| *known == field).map(|(_, value)| *value);
    let small = |field, or: i8| value(field).map_or(Some(or), |value| i8::try_from(value).ok());
    let date = if let Some(year) = value(Field::WeekYear) {
        ISOWeekDate::new(year, small(Field::Week, 1)?, Weekday::Monday).ok()?.date()
    } else {
        let year = value(Field::Year)?;
        let date = Date::new(year, small(Field::Month, 1)?, small(Field::Day, 1)?).ok()?;
        match value(Field::DayOfYear) {
            Some(day) => date.checked_add(i64::from(day.checked_sub(1)?).days()).ok()?,
            None => date,
        }
    };
    Some(date.to_datetime(Time::new(small(Field::Hour, 0)?, 0, 0, 0).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, unit: Unit, moment: &str, expect: &str) {
        let suffix = Suffix::parse(pattern, unit).unwrap();
        let moment: DateTime = moment.parse().unwrap();
        assert_eq!(suffix.format(moment), expect);
        assert_eq!(suffix.read(expect), Some(unit.floor(moment)));
    }

    #[test]
    fn there_and_back() {
        check("_%Y%m%d%H", Unit::Hour, "2024-02-29 13:59:59", "_2024022913");
        check("_%Y_%j", Unit::Day, "2024-12-31 13:59:59", "_2024_366");
        check("_y%Y", Unit::Year, "2024-12-31", "_y2024");
        check("_%m_%Y", Unit::Month, "2024-12-31", "_12_2024");
        check("_%Gw%V", Unit::Week, "2024-12-31", "_2025w01");
        check("_%Y%m%d", Unit::Week, "2024-12-31", "_20241230");
    }

    proptest::proptest! {
        #[test]
        fn every_period_reads_back(hours in 0_i64..2_000_000) {
            let start: DateTime = "1990-01-01".parse().unwrap();
            let moment = start.checked_add(hours.hours()).unwrap();
            for unit in Unit::ALL {
                let (sets, _) = accepted(unit);
                for set in sets {
                    let items = set.iter().map(|field| Item::Field(*field)).collect();
                    let suffix = Suffix { items, unit };
                    assert_eq!(suffix.read(&suffix.format(moment)), Some(unit.floor(moment)));
                }
            }
        }
    }

    #[test]
    fn refusals() {
        for (pattern, unit) in
            [("_%Y", Unit::Month), ("_%Y%m%m", Unit::Month), ("_%y", Unit::Year), ("", Unit::Day)]
        {
            assert!(Suffix::parse(pattern, unit).is_err(), "{pattern}");
        }
        let suffix = Suffix::parse("_%Y%j", Unit::Day).unwrap();
        for name in ["_2023366", "_2023000", "_202301", "_2023001x", "2023001", "_2023+01", "_20é1"]
        {
            assert_eq!(suffix.read(name), None, "{name}");
        }
    }
}
