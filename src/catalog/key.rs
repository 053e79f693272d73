//! Values of sharding keys, in the canonical form that algorithms take.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;

use jiff::civil::DateTime;

use crate::config::Decimal;

/// A value of a sharding key. Values that are equal to MySQL are equal keys: the one who makes a key
/// converts the value to the type of the key's column first, so `'1'` compared with an integer column
/// is [`Key::Int`], and `1` compared with a character column is [`Key::Bytes`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Null,
    /// Every whole number that fits, of integer and of decimal columns.
    Int(i128),
    /// Any other number. [`Key::number`] keeps the two apart.
    Decimal(Decimal),
    /// A binary string as it is, a character string as its weight string in the column's collation:
    /// equal strings have equal bytes, and the order of bytes is the order of strings.
    Bytes(Vec<u8>),
    /// A date is its midnight. A `TIMESTAMP` must be in one time zone, whatever the session's.
    Time(DateTime),
}

impl Key {
    /// A number in any spelling: `1`, `1.0`, `1e2`, `-0.5`.
    pub fn number(text: &str) -> Option<Self> {
        Decimal::parse(text).map(Self::from)
    }

    /// A date or a date and time as MySQL prints them: `2024-02-29`, `2024-02-29 13:45:10.5`.
    pub fn time(text: &str) -> Option<Self> {
        // `2024-02` is a month, not a moment. A time with a zone or an offset is another moment in each
        // session's time zone.
        let of_day = text.get("2024-02-29".len()..)?;
        if of_day.contains(['[', 'Z', 'z', '+', '-']) {
            return None;
        }
        text.parse().ok().map(Self::Time)
    }

    /// The bytes that hash algorithms take: numbers and times as their shortest text, strings as they
    /// are, so a number and its ASCII text hash alike. `Null` has none.
    pub fn hash_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Null => None,
            Self::Int(value) => Some(value.to_string().into_bytes().into()),
            Self::Decimal(value) => Some(value.to_string().into_bytes().into()),
            Self::Bytes(bytes) => Some(bytes.into()),
            Self::Time(time) => Some(time_text(*time).into_bytes().into()),
        }
    }
}

/// As MySQL prints a `DATETIME`, with as many digits of a second as it has.
fn time_text(time: DateTime) -> String {
    time.to_string().replacen('T', " ", 1)
}

impl From<Decimal> for Key {
    fn from(value: Decimal) -> Self {
        match value.to_integer() {
            Some(integer) => Self::Int(integer),
            None => Self::Decimal(value),
        }
    }
}

impl PartialOrd for Key {
    /// Keys of one column's type compare; others, and `Null`, do not.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Int(left), Self::Decimal(right)) => Some(Decimal::from(*left).cmp(right)),
            (Self::Decimal(left), Self::Int(right)) => Some(left.cmp(&Decimal::from(*right))),
            (Self::Decimal(left), Self::Decimal(right)) => Some(left.cmp(right)),
            (Self::Bytes(left), Self::Bytes(right)) => Some(left.cmp(right)),
            (Self::Time(left), Self::Time(right)) => Some(left.cmp(right)),
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            (
                Self::Null | Self::Int(_) | Self::Decimal(_) | Self::Bytes(_) | Self::Time(_),
                Self::Null | Self::Int(_) | Self::Decimal(_) | Self::Bytes(_) | Self::Time(_),
            ) => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value}"),
            Self::Time(time) => write!(f, "'{}'", time_text(*time)),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !text.contains(char::is_control) => write!(f, "'{text}'"),
                Ok(_) | Err(_) => {
                    f.write_str("0x")?;
                    bytes.iter().take(64).try_for_each(|byte| write!(f, "{byte:02x}"))
                }
            },
        }
    }
}

/// The weight strings of the texts that range and list rules name, in one column's collation. MySQL
/// computes them at run time: `SELECT WEIGHT_STRING(_utf8mb4'eu' COLLATE ...)`.
#[derive(Debug, Clone)]
pub enum Weights {
    /// The column is binary, or not of characters: a text's weight is its own bytes.
    Binary,
    /// From text to weight. A text that is missing makes an error, never a wrong shard.
    Known(HashMap<String, Vec<u8>>),
}

impl Weights {
    pub fn get<'a>(&'a self, text: &'a str) -> Option<&'a [u8]> {
        match self {
            Self::Binary => Some(text.as_bytes()),
            Self::Known(weights) => weights.get(text).map(Vec::as_slice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_equal_numbers() {
        for text in ["1", "1.0", "+1", "10e-1"] {
            assert_eq!(Key::number(text), Some(Key::Int(1)));
        }
        assert_eq!(Key::Int(1).hash_bytes(), Key::Bytes(b"1".to_vec()).hash_bytes());
        assert!(Key::number("1.5") > Key::number("1"));
        assert!(Key::number("-1.5") < Key::number("-1"));
        assert_eq!(Key::Int(1).partial_cmp(&Key::Bytes(b"1".to_vec())), None);
    }

    #[test]
    fn times() {
        assert_eq!(Key::time("2024-02-29"), Key::time("2024-02-29 00:00:00.000"));
        let bytes = Key::time("2024-02-29").unwrap().hash_bytes().unwrap().into_owned();
        assert_eq!(bytes, b"2024-02-29 00:00:00");
        for bad in
            ["2024-02-30", "2024-02", "2024-02-29 13:00+01:00", "2024-02-29 13:00-01:00", "now"]
        {
            assert_eq!(Key::time(bad), None, "{bad}");
        }
    }
}
