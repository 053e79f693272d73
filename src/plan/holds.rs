//! What a column makes of a value that does not fit it.
//!
//! Without a strict sql_mode, and with INSERT IGNORE, a server stores the nearest value that fits. Rows
//! are placed by the value that is stored; in a strict mode the shard refuses the row, whichever it is.

use super::facts::{Column, ColumnClass};
use crate::sql::expr::Literal;

/// What the declared type of a column can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    nullable: bool,
    size: Size,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Size {
    /// Not known, or not needed.
    Any,
    /// From, to.
    Integers(i128, i128),
    /// Digits before and behind the point; negative ones too.
    Digits {
        whole: usize,
        scale: usize,
        negative: bool,
    },
    Characters(usize),
    Bytes(usize),
}

impl Holds {
    pub fn of(column: &Column) -> Self {
        Self { nullable: column.nullable, size: size(&column.declared, &column.class) }
    }

    /// The column takes no NULL, and what it stores instead is not known.
    pub fn refuses_null(&self) -> bool {
        !self.nullable && self.size == Size::Any
    }

    /// The value as it is stored. None: that is not certain.
    pub(super) fn fit(&self, value: &Literal, charset: &str) -> Option<Literal> {
        if *value == Literal::Null && !self.nullable {
            // Of several rows; a single one is refused.
            return match self.size {
                Size::Integers(..) | Size::Digits { .. } => Some(Literal::Integer("0".to_owned())),
                Size::Characters(_) | Size::Bytes(_) => {
                    Some(Literal::String { bytes: Vec::new(), charset: None })
                }
                Size::Any => Some(Literal::Null),
            };
        }
        match &self.size {
            Size::Any => Some(value.clone()),
            Size::Integers(low, high) => Some(match whole_number(value) {
                Some(number) => Literal::Integer(number.clamp(*low, *high).to_string()),
                None => value.clone(),
            }),
            Size::Digits { whole, scale, negative } => decimal(value, *whole, *scale, *negative),
            Size::Characters(most) => characters(value, *most, charset),
            Size::Bytes(most) => Some(bytes(value, *most)),
        }
    }
}

fn size(declared: &str, class: &ColumnClass) -> Size {
    let declared = declared.to_ascii_lowercase();
    let (name, rest) = match declared.split_once(['(', ' ']) {
        Some((name, rest)) => (name, rest),
        None => (declared.as_str(), ""),
    };
    let mut numbers = rest
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map_while(|digits| digits.parse::<usize>().ok());
    match class {
        ColumnClass::Integer { unsigned } => {
            let bits = match name {
                "tinyint" => 8,
                "smallint" => 16,
                "mediumint" => 24,
                "int" => 32,
                "bigint" => 64,
                _ => return Size::Any,
            };
            if *unsigned {
                Size::Integers(0, (1 << bits) - 1)
            } else {
                Size::Integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
            }
        }
        ColumnClass::Decimal { scale } => match numbers.next() {
            Some(precision) => Size::Digits {
                whole: precision.saturating_sub(usize::from(*scale)),
                scale: (*scale).into(),
                negative: !declared.contains("unsigned"),
            },
            None => Size::Any,
        },
        ColumnClass::Text { .. } => match (name, numbers.next()) {
            ("char" | "varchar", Some(length)) => Size::Characters(length),
            _ => Size::Any,
        },
        ColumnClass::Binary { .. } | ColumnClass::VarBinary => match (name, numbers.next()) {
            ("binary" | "varbinary", Some(length)) => Size::Bytes(length),
            _ => Size::Any,
        },
        ColumnClass::Float
        | ColumnClass::Bit
        | ColumnClass::Year
        | ColumnClass::Date
        | ColumnClass::DateTime { .. }
        | ColumnClass::Timestamp
        | ColumnClass::Time
        | ColumnClass::Enum
        | ColumnClass::Set
        | ColumnClass::Json
        | ColumnClass::Geometry => Size::Any,
    }
}

/// The whole number that a literal is rounded to: half away from zero, as exact numbers are.
fn whole_number(value: &Literal) -> Option<i128> {
    let text = match value {
        Literal::Integer(text) | Literal::Decimal(text) => text.as_str(),
        Literal::String { bytes, .. } => {
            let text = std::str::from_utf8(bytes).ok()?.trim_end_matches(' ');
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then_some(text)?
        }
        Literal::Null
        | Literal::Bool(_)
        | Literal::Float(_)
        | Literal::Hex { .. }
        | Literal::Bit { .. }
        | Literal::Temporal { .. } => return None,
    };
    let (negative, digits) = signed(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    // More digits than any column has: as good as the largest number.
    let number = match whole {
        "" => 0,
        digits if digits.len() > 30 => i128::MAX / 2,
        digits => digits.parse::<i128>().ok()?,
    };
    let up = fraction.bytes().next().is_some_and(|digit| digit >= b'5');
    let number = number + i128::from(up);
    Some(if negative { -number } else { number })
}

/// The sign, and what follows it.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A decimal that does not overflow; digits behind those that the column has are judged elsewhere.
fn decimal(value: &Literal, whole: usize, scale: usize, negative: bool) -> Option<Literal> {
    let text = match value {
        Literal::Integer(text) | Literal::Decimal(text) => text.clone(),
        Literal::String { bytes, .. } => String::from_utf8(bytes.clone()).ok()?,
        other => return Some(other.clone()),
    };
    let text = text.trim();
    let (is_negative, digits) = signed(text);
    let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
    if !before.bytes().chain(behind.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Some(value.clone());
    }
    if is_negative && !negative {
        return Some(Literal::Integer("0".to_owned()));
    }
    let all_nines = before.trim_start_matches('0').bytes().all(|byte| byte == b'9');
    let long = before.trim_start_matches('0').len();
    if long <= whole {
        // Rounding up may yet overflow; such a value is refused for its digits.
        let exact = behind.trim_end_matches('0').len() <= scale;
        return (exact || !all_nines).then(|| value.clone());
    }
    let sign = if is_negative { "-" } else { "" };
    Some(Literal::Decimal(format!("{sign}{}.{}", "9".repeat(whole), "9".repeat(scale))))
}

/// A text cut to a number of characters.
fn characters(value: &Literal, most: usize, charset: &str) -> Option<Literal> {
    let (bytes, own) = match value {
        Literal::String { bytes, charset } => (bytes.clone(), charset.clone()),
        Literal::Hex { bytes, charset } | Literal::Bit { bytes, charset } => {
            (bytes.clone(), charset.clone())
        }
        Literal::Integer(text) => match text.parse::<i128>() {
            Ok(number) => (number.to_string().into_bytes(), None),
            Err(_) => return None,
        },
        other => return Some(other.clone()),
    };
    // As many bytes are no more characters.
    if bytes.len() <= most {
        return Some(value.clone());
    }
    let charset = own.as_deref().unwrap_or(charset);
    let cut = match std::str::from_utf8(&bytes) {
        Ok(text) if text.is_ascii() || charset.starts_with("utf8") => {
            match text.char_indices().nth(most) {
                Some((end, _)) => text.get(..end)?.as_bytes().to_vec(),
                None => return Some(value.clone()),
            }
        }
        Ok(_) | Err(_) => return None,
    };
    Some(match value {
        Literal::Hex { charset, .. } => Literal::Hex { bytes: cut, charset: charset.clone() },
        Literal::Bit { charset, .. } => Literal::Bit { bytes: cut, charset: charset.clone() },
        _ => Literal::String { bytes: cut, charset: own },
    })
}

fn bytes(value: &Literal, most: usize) -> Literal {
    let cut = |bytes: &[u8]| bytes.get(..most).unwrap_or(bytes).to_vec();
    match value {
        Literal::String { bytes, charset } => {
            Literal::String { bytes: cut(bytes), charset: charset.clone() }
        }
        Literal::Hex { bytes, charset } => {
            Literal::Hex { bytes: cut(bytes), charset: charset.clone() }
        }
        Literal::Bit { bytes, charset } => {
            Literal::Bit { bytes: cut(bytes), charset: charset.clone() }
        }
        Literal::Integer(text) if text.len() > most => {
            Literal::String { bytes: cut(text.as_bytes()), charset: None }
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::render::literal_text;

    fn check(declared: &str, value: Literal, expect: &str) {
        let class = match declared.split_once(['(', ' ']).map_or(declared, |(name, _)| name) {
            "decimal" => ColumnClass::Decimal { scale: 2 },
            "varchar" => ColumnClass::Text { collation: "utf8mb4_bin".into(), fixed: false },
            "varbinary" => ColumnClass::VarBinary,
            _ => ColumnClass::Integer { unsigned: declared.contains("unsigned") },
        };
        let holds = Holds { nullable: false, size: size(declared, &class) };
        let found = holds.fit(&value, "utf8mb4");
        let found = found.map_or("?".to_owned(), |found| literal_text(&found));
        assert_eq!(found, expect, "{value:?} into {declared}");
    }

    fn text(text: &str) -> Literal {
        Literal::String { bytes: text.as_bytes().to_vec(), charset: None }
    }

    #[test]
    fn values_become_what_fits() {
        let integer = |text: &str| Literal::Integer(text.to_owned());
        let decimal = |text: &str| Literal::Decimal(text.to_owned());
        check("int", integer("99999999999"), "2147483647");
        check("int(11)", integer("-99999999999"), "-2147483648");
        check("int unsigned", integer("-1"), "0");
        check("tinyint unsigned", text("300"), "255");
        check(
            "bigint(20) unsigned",
            integer("99999999999999999999999999999999999"),
            "18446744073709551615",
        );
        check("int", decimal("1.5"), "2");
        check("int", decimal("-1.5"), "-2");
        check("int", decimal("1.49"), "1");
        check("int", text("1.5"), "'1.5'");
        check("int", Literal::Null, "0");
        check("decimal(5,2)", integer("1000"), "999.99");
        check("decimal(5,2) unsigned", integer("-1"), "0");
        check("decimal(5,2)", decimal("999.999"), "?");
        check("decimal(5,2)", decimal("1.5"), "1.5");
        check("varchar(3)", text("abcdef"), "'abc'");
        check("varchar(3)", text("äöüß"), "'äöü'");
        check("varchar(3)", integer("12345"), "'123'");
        check("varchar(3)", Literal::Null, "''");
        check("varbinary(2)", text("abc"), "'ab'");
    }
}
