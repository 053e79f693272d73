//! Exact decimal numbers, as rules and SQL literals write them.

use std::cmp::Ordering;
use std::fmt;

/// A number in its one canonical form, of any length: equal numbers are equal values, so `1`, `1.0`,
/// `+1` and `10e-1` compare and hash alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Digits before the point without leading zeros; empty for a number under one.
    whole: String,
    /// Digits after the point without trailing zeros.
    fraction: String,
}

/// An exponent beyond this is no key of any table, and would make a very long number.
const EXPONENT_MAX: i32 = 400;

impl Decimal {
    /// Reads `-12.50`, `+3`, `.5`, `1e3`. Nothing but the number may stand in `text`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty())
            || !digits_only(whole)
            || !digits_only(fraction)
            || exponent.abs() > EXPONENT_MAX
        {
            return None;
        }
        let (whole, fraction) = shift(whole, fraction, exponent);
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        // There is one zero.
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    /// The number as an integer, if it is one and fits.
    pub fn to_integer(&self) -> Option<i128> {
        if !self.fraction.is_empty() {
            return None;
        }
        self.to_string().parse().ok()
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        (self.whole.len(), &self.whole, &self.fraction).cmp(&(
            other.whole.len(),
            &other.whole,
            &other.fraction,
        ))
    }
}

/// Moves the decimal point by `exponent` digits to the right.
fn shift(whole: &str, fraction: &str, exponent: i32) -> (String, String) {
    let places = exponent.unsigned_abs() as usize;
    let zeros = "0".repeat(places);
    if exponent >= 0 {
        let digits = format!("{fraction}{zeros}");
        let (moved, rest) = digits.split_at(places);
        (format!("{whole}{moved}"), rest.to_owned())
    } else {
        let digits = format!("{zeros}{whole}");
        let (rest, moved) = digits.split_at(digits.len() - places);
        (rest.to_owned(), format!("{moved}{fraction}"))
    }
}

impl From<i128> for Decimal {
    fn from(value: i128) -> Self {
        let whole = if value == 0 { String::new() } else { value.unsigned_abs().to_string() };
        Self { negative: value < 0, whole, fraction: String::new() }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        write!(f, "{sign}{whole}")?;
        if !self.fraction.is_empty() {
            write!(f, ".{}", self.fraction)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expect: Option<&str>) {
        assert_eq!(Decimal::parse(input).map(|number| number.to_string()).as_deref(), expect);
    }

    #[test]
    fn canonical_forms() {
        check("1", Some("1"));
        check("+1.0", Some("1"));
        check("0001", Some("1"));
        check("10e-1", Some("1"));
        check("1e3", Some("1000"));
        check("1.25e1", Some("12.5"));
        check("125e-4", Some("0.0125"));
        check("-0.0", Some("0"));
        check(".5", Some("0.5"));
        check("-12.50", Some("-12.5"));
        for bad in ["", "-", ".", "1.2.3", "0x31", "1e", "1e9999", "abc", " 1", "1 "] {
            check(bad, None);
        }
    }

    #[test]
    fn order() {
        let sorted = ["-10", "-9.5", "-9", "-0.1", "0", "0.05", "0.5", "9", "9.01", "10"];
        for pair in sorted.windows(2) {
            assert!(Decimal::parse(pair[0]) < Decimal::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Decimal::from(-7).to_integer(), Some(-7));
        assert_eq!(Decimal::from(0), Decimal::parse("0").unwrap());
    }
}
