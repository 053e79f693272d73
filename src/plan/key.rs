//! From a value of a statement to a canonical key.
//!
//! Equal values must give equal keys whatever their form, and a form whose meaning to the column is not
//! certain gives none: a condition then does not prune, and an INSERT is refused.

use std::collections::HashMap;

use super::facts::{ColumnClass, Facts, WeightKey};
use crate::catalog::{Algorithm, Key, Weights};
use crate::sql::expr::{Literal, TemporalKind};

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Canonical {
    Key(Key),
    /// Its meaning for the column is not certain.
    Unknown,
    Need(WeightKey),
}

/// What a value is for: MySQL converts the value when it stores, and often the column when it compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Compare,
    Store,
}

/// The key that `literal` is for a column of `class`. `charset` is the connection's.
pub(super) fn canonical(
    literal: &Literal,
    class: &ColumnClass,
    purpose: Purpose,
    charset: &str,
    facts: &Facts,
) -> Canonical {
    if *literal == Literal::Null {
        return Canonical::Key(Key::Null);
    }
    let key = match class {
        ColumnClass::Integer { .. } => integer(literal),
        ColumnClass::Decimal { scale } => decimal(literal, *scale),
        ColumnClass::Year => year(literal),
        ColumnClass::Date => date(literal),
        ColumnClass::DateTime { fraction } => datetime(literal, *fraction),
        ColumnClass::VarBinary => bytes(literal, purpose).map(Key::Bytes),
        ColumnClass::Binary { length } => bytes(literal, purpose).map(|mut bytes| {
            if bytes.len() < *length as usize {
                bytes.resize(*length as usize, 0);
            }
            Key::Bytes(bytes)
        }),
        ColumnClass::Text { collation, fixed } => {
            let Some((text, own_charset)) = text(literal, purpose) else {
                return Canonical::Unknown;
            };
            let charset = own_charset.unwrap_or_else(|| charset.to_owned());
            return weight(text, charset, collation, *fixed, facts);
        }
        ColumnClass::Float
        | ColumnClass::Bit
        | ColumnClass::Timestamp
        | ColumnClass::Time
        | ColumnClass::Enum
        | ColumnClass::Set
        | ColumnClass::Json
        | ColumnClass::Geometry => None,
    };
    key.map_or(Canonical::Unknown, Canonical::Key)
}

/// Larger whole numbers are not exact in double precision.
const EXACT_MAX: i128 = 1 << 53;

fn integer(literal: &Literal) -> Option<Key> {
    match literal {
        Literal::Integer(text) => Key::number(text),
        Literal::Bool(value) => Some(Key::Int(i128::from(*value))),
        Literal::Decimal(text) => whole(text),
        Literal::Float(text) => {
            whole(text).filter(|key| matches!(key, Key::Int(n) if n.abs() < EXACT_MAX))
        }
        Literal::String { bytes, .. } => plain_integer(bytes),
        Literal::Hex { bytes, charset: None } | Literal::Bit { bytes, charset: None } => {
            big_endian(bytes)
        }
        Literal::Hex { .. } | Literal::Bit { .. } | Literal::Temporal { .. } | Literal::Null => {
            None
        }
    }
}

/// A number without a fraction, in any spelling.
fn whole(text: &str) -> Option<Key> {
    Key::number(text).filter(|key| matches!(key, Key::Int(_)))
}

/// Digits with an optional minus, few enough to be exact however MySQL compares them.
fn plain_integer(bytes: &[u8]) -> Option<Key> {
    let text = std::str::from_utf8(bytes).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let key = plain.then(|| Key::number(text)).flatten()?;
    matches!(key, Key::Int(n) if n.abs() < EXACT_MAX).then_some(key)
}

fn big_endian(bytes: &[u8]) -> Option<Key> {
    (bytes.len() <= 8).then(|| {
        Key::Int(bytes.iter().fold(0i128, |number, byte| (number << 8) | i128::from(*byte)))
    })
}

fn decimal(literal: &Literal, scale: u8) -> Option<Key> {
    let fits = |text: &str| {
        let digits = text.split_once('.').map_or("", |(_, fraction)| fraction);
        digits.trim_end_matches('0').len() <= usize::from(scale)
    };
    match literal {
        Literal::Integer(text) | Literal::Decimal(text) => {
            if fits(text) {
                Key::number(text)
            } else {
                None
            }
        }
        Literal::Bool(value) => Some(Key::Int(i128::from(*value))),
        Literal::String { bytes, .. } => {
            let text = std::str::from_utf8(bytes).ok()?;
            let plain =
                text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
            // MySQL compares strings with decimals in double precision.
            (plain && text.len() <= 15 && fits(text)).then(|| Key::number(text)).flatten()
        }
        Literal::Float(_)
        | Literal::Hex { .. }
        | Literal::Bit { .. }
        | Literal::Temporal { .. }
        | Literal::Null => None,
    }
}

fn year(literal: &Literal) -> Option<Key> {
    let text = match literal {
        Literal::Integer(text) => text.clone(),
        Literal::String { bytes, .. } => String::from_utf8(bytes.clone()).ok()?,
        _ => return None,
    };
    let year: i128 = text.parse().ok()?;
    (text.len() == 4 && (1901..=2155).contains(&year)).then_some(Key::Int(year))
}

/// The text of a date or time as the value spells it.
fn moment(literal: &Literal) -> Option<&str> {
    match literal {
        Literal::String { bytes, .. } => std::str::from_utf8(bytes).ok(),
        Literal::Temporal { kind: TemporalKind::Date | TemporalKind::Timestamp, text } => {
            Some(text)
        }
        _ => None,
    }
}

fn date(literal: &Literal) -> Option<Key> {
    let text = moment(literal)?;
    let (day, time) = text.split_at_checked("2026-01-01".len())?;
    // A time of day takes part in comparisons and is lost when it is stored.
    let midnight = time.is_empty() || time.trim_start_matches([' ', 'T', '0', ':', '.']).is_empty();
    (midnight && is_day(day)).then(|| Key::time(day)).flatten()
}

fn datetime(literal: &Literal, fraction: u8) -> Option<Key> {
    let text = moment(literal)?;
    let (day, time) = text.split_at_checked("2026-01-01".len())?;
    if !is_day(day) {
        return None;
    }
    if time.is_empty() {
        return Key::time(day);
    }
    let (clock, digits) = time.split_once('.').unwrap_or((time, ""));
    let digits = digits.trim_end_matches('0');
    let shape = clock.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    let plain = shape.clone().eq(*b" 00:00:00") || shape.eq(*b"T00:00:00");
    // More digits than the column has are rounded when they are stored.
    let exact =
        digits.len() <= usize::from(fraction) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || !exact {
        return None;
    }
    Key::time(&if digits.is_empty() {
        format!("{day}{clock}")
    } else {
        format!("{day}{clock}.{digits}")
    })
}

fn is_day(text: &str) -> bool {
    let shape = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq(*b"0000-00-00")
}

/// The bytes of a value for a binary column.
fn bytes(literal: &Literal, purpose: Purpose) -> Option<Vec<u8>> {
    match literal {
        Literal::String { bytes, .. } | Literal::Hex { bytes, .. } | Literal::Bit { bytes, .. } => {
            Some(bytes.clone())
        }
        _ => stored_number(literal, purpose),
    }
}

/// The bytes of a value for a column of characters, and the charset that the value names.
fn text(literal: &Literal, purpose: Purpose) -> Option<(Vec<u8>, Option<String>)> {
    match literal {
        Literal::String { bytes, charset } => {
            // An introduced binary string compares byte by byte, and lies where its text lies.
            let ascii = bytes.is_ascii();
            (ascii || charset.as_deref() != Some("binary"))
                .then(|| (bytes.clone(), charset.clone()))
        }
        Literal::Hex { bytes, .. } | Literal::Bit { bytes, .. } => {
            bytes.is_ascii().then(|| (bytes.clone(), None))
        }
        _ => stored_number(literal, purpose).map(|bytes| (bytes, None)),
    }
}

/// The text that a number is stored as in a column of strings. Compared, it is a number.
fn stored_number(literal: &Literal, purpose: Purpose) -> Option<Vec<u8>> {
    if purpose == Purpose::Compare {
        return None;
    }
    match literal {
        Literal::Integer(text) => match Key::number(text)? {
            Key::Int(number) => Some(number.to_string().into_bytes()),
            _ => None,
        },
        Literal::Bool(value) => Some(u8::from(*value).to_string().into_bytes()),
        _ => None,
    }
}

/// The weight string of a text, if it is known.
fn weight(
    mut text: Vec<u8>,
    charset: String,
    collation: &str,
    fixed: bool,
    facts: &Facts,
) -> Canonical {
    if fixed || pads(collation) {
        let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
        text.truncate(end);
    }
    let charset = if text.is_ascii() { "utf8mb4".to_owned() } else { charset };
    let key = WeightKey { text, charset, collation: collation.to_owned() };
    match facts.weights.get(&key) {
        Some(weight) => Canonical::Key(Key::Bytes(weight.to_vec())),
        None => Canonical::Need(key),
    }
}

/// The collation takes trailing spaces for nothing.
pub(super) fn pads(collation: &str) -> bool {
    !(collation.contains("_0900_") || collation.contains("nopad") || collation == "binary")
}

/// The weights of the texts that an algorithm names, for a column of `class`; or what is missing.
pub(super) fn algorithm_weights(
    algorithm: &Algorithm,
    class: &ColumnClass,
    facts: &Facts,
) -> Result<Weights, Vec<WeightKey>> {
    let ColumnClass::Text { collation, fixed } = class else { return Ok(Weights::Binary) };
    let mut known = HashMap::new();
    let mut missing = Vec::new();
    for text in algorithm.texts() {
        let bytes = text.as_bytes().to_vec();
        match weight(bytes, "utf8mb4".to_owned(), collation, *fixed, facts) {
            Canonical::Key(Key::Bytes(weight)) => {
                known.insert(text.to_owned(), weight);
            }
            Canonical::Need(key) => missing.push(key),
            Canonical::Key(_) | Canonical::Unknown => {}
        }
    }
    if missing.is_empty() { Ok(Weights::Known(known)) } else { Err(missing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(literal: Literal, class: ColumnClass, purpose: Purpose, expect: Canonical) {
        let found = canonical(&literal, &class, purpose, "utf8mb4", &Facts::default());
        assert_eq!(found, expect, "{literal:?} for {class:?}");
    }

    fn string(text: &str) -> Literal {
        Literal::String { bytes: text.as_bytes().to_vec(), charset: None }
    }

    #[test]
    fn one_integer_in_all_its_forms() {
        let class = || ColumnClass::Integer { unsigned: false };
        let one = || Canonical::Key(Key::Int(49));
        for literal in [
            Literal::Integer("49".into()),
            Literal::Integer("049".into()),
            Literal::Decimal("49.0".into()),
            Literal::Float("4.9e1".into()),
            string("49"),
            Literal::Hex { bytes: b"1".to_vec(), charset: None },
        ] {
            check(literal, class(), Purpose::Compare, one());
        }
        for literal in [string("49a"), string(" 49"), Literal::Decimal("49.5".into())] {
            check(literal, class(), Purpose::Store, Canonical::Unknown);
        }
    }

    #[test]
    fn moments() {
        let class = || ColumnClass::DateTime { fraction: 0 };
        let noon = || Canonical::Key(Key::time("2026-11-21 12:00:00").unwrap());
        check(string("2026-11-21 12:00:00"), class(), Purpose::Store, noon());
        check(string("2026-11-21T12:00:00.000"), class(), Purpose::Store, noon());
        check(string("2026-11-21 12:00:00.5"), class(), Purpose::Store, Canonical::Unknown);
        check(string("2026-11-21 12:00"), class(), Purpose::Store, Canonical::Unknown);
        let day = Canonical::Key(Key::time("2026-11-21").unwrap());
        check(string("2026-11-21 00:00:00"), ColumnClass::Date, Purpose::Compare, day);
    }

    #[test]
    fn numbers_and_strings() {
        let class = || ColumnClass::VarBinary;
        let seven = || Canonical::Key(Key::Bytes(b"7".to_vec()));
        check(Literal::Integer("007".into()), class(), Purpose::Store, seven());
        check(Literal::Integer("7".into()), class(), Purpose::Compare, Canonical::Unknown);
        check(string("7"), class(), Purpose::Compare, seven());
    }
}
