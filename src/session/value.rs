//! Values of binary rows as SQL literals of the same type.

use crate::error::{Error, Result};
use crate::execute::aftermath::{collated, number};
use crate::protocol::capability::{ColumnFlags, ColumnType};
use crate::protocol::charset::{BINARY, Collation};
use crate::protocol::column::Column;
use crate::protocol::row::BinaryValues;
use crate::sql::quote;

/// The values of a binary row. `collations` are those of columns whose own are known.
///
/// # Errors
/// Malformed rows, and a collation that has no name here.
pub(super) fn literals(
    row: &[u8],
    columns: &[Column],
    collations: &[Option<String>],
) -> Result<Vec<String>> {
    let values = BinaryValues::new(row, columns)?;
    let known = |(value, collation): (Option<&[u8]>, &Option<String>)| {
        Some(collated(collation.as_deref()?, &hex(value?)))
    };
    let each = values.zip(columns).zip(collations);
    each.map(|((value, column), collation)| {
        let value = value?;
        known((value, collation)).map_or_else(|| literal(value, column), Ok)
    })
    .collect()
}

fn literal(value: Option<&[u8]>, column: &Column) -> Result<String> {
    use ColumnType as T;
    let Some(value) = value else { return Ok("NULL".to_owned()) };
    Ok(match column.ty {
        T::MYSQL_TYPE_NULL => "NULL".to_owned(),
        T::MYSQL_TYPE_TINY
        | T::MYSQL_TYPE_SHORT
        | T::MYSQL_TYPE_YEAR
        | T::MYSQL_TYPE_INT24
        | T::MYSQL_TYPE_LONG
        | T::MYSQL_TYPE_LONGLONG => number(integer(value, column.unsigned()).to_string(), column),
        T::MYSQL_TYPE_FLOAT => float(f64::from(f32::from_le_bytes(bytes(value)?))),
        T::MYSQL_TYPE_DOUBLE => float(f64::from_le_bytes(bytes(value)?)),
        T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => {
            number(String::from_utf8_lossy(value).into_owned(), column)
        }
        T::MYSQL_TYPE_BIT => {
            let bits = value.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
            format!("CAST({bits} AS UNSIGNED)")
        }
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE => latin1(&moment(value, None)),
        T::MYSQL_TYPE_DATETIME
        | T::MYSQL_TYPE_TIMESTAMP
        | T::MYSQL_TYPE_TIMESTAMP2
        | T::MYSQL_TYPE_DATETIME2 => latin1(&moment(value, Some(column.decimals))),
        T::MYSQL_TYPE_TIME | T::MYSQL_TYPE_TIME2 => latin1(&time(value, column.decimals)),
        T::MYSQL_TYPE_JSON => collated("utf8mb4_bin", &hex(value)),
        T::MYSQL_TYPE_VARCHAR
        | T::MYSQL_TYPE_ENUM
        | T::MYSQL_TYPE_SET
        | T::MYSQL_TYPE_TINY_BLOB
        | T::MYSQL_TYPE_MEDIUM_BLOB
        | T::MYSQL_TYPE_LONG_BLOB
        | T::MYSQL_TYPE_BLOB
        | T::MYSQL_TYPE_VAR_STRING
        | T::MYSQL_TYPE_STRING
        | T::MYSQL_TYPE_GEOMETRY
        | T::MYSQL_TYPE_VECTOR
        | T::MYSQL_TYPE_TYPED_ARRAY
        | T::MYSQL_TYPE_UNKNOWN => text(value, column)?,
    })
}

/// What dates and times are as texts.
fn latin1(text: &str) -> String {
    format!("_latin1'{text}'")
}

fn text(value: &[u8], column: &Column) -> Result<String> {
    let listed = ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG;
    if column.charset == BINARY && column.flags.intersects(listed) {
        // Servers do not tell their character set.
        return match std::str::from_utf8(value) {
            Ok(text) if text.is_ascii() => {
                Ok(String::from_utf8_lossy(&quote::text(text.as_bytes())).into_owned())
            }
            Ok(_) | Err(_) => Err(Error::unsupported(
                "an ENUM or SET outside of ASCII cannot be put into a variable over several shards; \
                 write CAST(... AS CHAR)",
            )),
        };
    }
    if column.charset == BINARY {
        return Ok(collated("binary", &hex(value)));
    }
    match Collation::by_id(column.charset) {
        Some(collation) => Ok(collated(collation.name, &hex(value))),
        None => Err(Error::unsupported(format!(
            "a text in the collation with the id {} cannot be put into a variable over several \
             shards; convert it with COLLATE first",
            column.charset
        ))),
    }
}

/// Bytes as hexadecimal digits.
fn hex(value: &[u8]) -> String {
    value.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn bytes<const N: usize>(value: &[u8]) -> Result<[u8; N]> {
    value.try_into().map_err(|_| Error::protocol("a number of a wrong length in a binary row"))
}

/// Little-endian, of up to 8 bytes.
fn integer(value: &[u8], unsigned: bool) -> i128 {
    let number = value.iter().rev().fold(0i128, |number, byte| number << 8 | i128::from(*byte));
    let bits = value.len() * 8;
    let negative = !unsigned && value.last().is_some_and(|byte| byte & 0x80 != 0);
    if negative { number - (1i128 << bits) } else { number }
}

fn float(value: f64) -> String {
    format!("{value:e}")
}

/// A field of a date or time: missing ones are zero.
fn field(value: &[u8], at: usize, len: usize) -> i128 {
    integer(value.get(at..at + len).unwrap_or_default(), true)
}

fn fraction(micros: i128, decimals: u8) -> String {
    match decimals {
        0 => String::new(),
        digits => {
            let digits = usize::from(digits.min(6));
            let text = format!("{micros:06}");
            format!(".{}", text.get(..digits).unwrap_or_default())
        }
    }
}

/// A date, and the time of the day if it is told with how many digits of a second.
fn moment(value: &[u8], decimals: Option<u8>) -> String {
    let date =
        format!("{:04}-{:02}-{:02}", field(value, 0, 2), field(value, 2, 1), field(value, 3, 1));
    match decimals {
        None => date,
        Some(decimals) => format!(
            "{date} {:02}:{:02}:{:02}{}",
            field(value, 4, 1),
            field(value, 5, 1),
            field(value, 6, 1),
            fraction(field(value, 7, 4), decimals)
        ),
    }
}

fn time(value: &[u8], decimals: u8) -> String {
    let sign = if field(value, 0, 1) == 1 { "-" } else { "" };
    let hours = field(value, 1, 4) * 24 + field(value, 5, 1);
    format!(
        "{sign}{hours:02}:{:02}:{:02}{}",
        field(value, 6, 1),
        field(value, 7, 1),
        fraction(field(value, 8, 4), decimals)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ty: ColumnType, charset: u16, value: &[u8], expect: &str) {
        let mut column = Column::computed("a", ty, charset);
        column.decimals = 3;
        assert_eq!(literal(Some(value), &column).unwrap(), expect);
    }

    #[test]
    fn values_keep_their_type() {
        use ColumnType as T;
        check(T::MYSQL_TYPE_LONG, BINARY, &(-5i32).to_le_bytes(), "-5");
        check(T::MYSQL_TYPE_FLOAT, BINARY, &1.5f32.to_le_bytes(), "1.5e0");
        check(T::MYSQL_TYPE_DOUBLE, BINARY, &1e300f64.to_le_bytes(), "1e300");
        check(T::MYSQL_TYPE_NEWDECIMAL, BINARY, b"5", "5.");
        check(T::MYSQL_TYPE_BIT, BINARY, &[1, 0], "CAST(256 AS UNSIGNED)");
        check(T::MYSQL_TYPE_DATE, BINARY, &[0xEA, 7, 1, 2], "_latin1'2026-01-02'");
        check(T::MYSQL_TYPE_DATETIME, BINARY, &[0xEA, 7, 1, 2], "_latin1'2026-01-02 00:00:00.000'");
        let time = [1, 1, 0, 0, 0, 2, 3, 4, 0x20, 0xA1, 7, 0];
        check(T::MYSQL_TYPE_TIME, BINARY, &time, "_latin1'-26:03:04.500'");
        check(T::MYSQL_TYPE_VAR_STRING, BINARY, b"ab", "X'6162'");
        check(T::MYSQL_TYPE_VAR_STRING, 8, b"a", "_latin1 X'61' COLLATE latin1_swedish_ci");
    }
}
