//! Text rows as binary ones: for prepared statements that Margay runs as text, such as SHOW.

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{Error, Result};
use crate::protocol::capability::ColumnType;
use crate::protocol::column::Column;
use crate::protocol::row::{BinaryRow, TextValues};

/// The same values in the binary form of the protocol.
///
/// # Errors
/// A malformed row, or a value that is not of its column's type.
pub(super) fn binary_row(row: &[u8], columns: &[Column]) -> Result<Bytes> {
    let mut out = BytesMut::with_capacity(row.len() + 16);
    let mut binary = BinaryRow::start(&mut out, columns.len());
    let mut values = TextValues::new(row);
    for column in columns {
        let value = values.next().ok_or_else(|| Error::protocol("a row with too few values"))?;
        match value? {
            None => binary.push_null(),
            Some(value) => binary.push(column.ty, &encoded(value, column)?)?,
        }
    }
    Ok(out.freeze())
}

fn encoded(value: &[u8], column: &Column) -> Result<Vec<u8>> {
    use ColumnType as T;
    let wrong = || {
        let shown = String::from_utf8_lossy(value).into_owned();
        Error::protocol(format!("`{shown}` is no value of the column's type"))
    };
    let text = || std::str::from_utf8(value).map_err(|_| wrong());
    let integer = || text()?.parse::<i128>().map_err(|_| wrong());
    Ok(match column.ty {
        // A number's low bytes are the same with and without a sign.
        T::MYSQL_TYPE_TINY => low(integer()?, 1),
        T::MYSQL_TYPE_SHORT | T::MYSQL_TYPE_YEAR => low(integer()?, 2),
        T::MYSQL_TYPE_LONG | T::MYSQL_TYPE_INT24 => low(integer()?, 4),
        T::MYSQL_TYPE_LONGLONG => low(integer()?, 8),
        T::MYSQL_TYPE_FLOAT => text()?.parse::<f32>().map_err(|_| wrong())?.to_le_bytes().to_vec(),
        T::MYSQL_TYPE_DOUBLE => text()?.parse::<f64>().map_err(|_| wrong())?.to_le_bytes().to_vec(),
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_DATETIME | T::MYSQL_TYPE_TIMESTAMP => {
            moment(text()?).ok_or_else(wrong)?
        }
        T::MYSQL_TYPE_TIME => time(text()?).ok_or_else(wrong)?,
        _ => value.to_vec(),
    })
}

fn low(number: i128, len: usize) -> Vec<u8> {
    number.to_le_bytes().into_iter().take(len).collect()
}

/// `2026-01-31`, `2026-01-31 13:45:00.5`
fn moment(text: &str) -> Option<Vec<u8>> {
    let (date, clock) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let mut fields = date.splitn(3, '-');
    let year: u16 = fields.next()?.parse().ok()?;
    let (month, day): (u8, u8) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let (hours, minutes, seconds, micros) = clock_of(clock)?;
    let mut out = BytesMut::new();
    let has_time = (hours, minutes, seconds, micros) != (0, 0, 0, 0);
    if has_time || (year, month, day) != (0, 0, 0) {
        out.put_u16_le(year);
        out.put_slice(&[month, day]);
    }
    if has_time {
        out.put_slice(&[u8::try_from(hours).ok()?, minutes, seconds]);
    }
    if micros != 0 {
        out.put_u32_le(micros);
    }
    Some(out.to_vec())
}

/// `-838:59:59.000001`
fn time(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix('-');
    let (hours, minutes, seconds, micros) = clock_of(digits.unwrap_or(text))?;
    let mut out = BytesMut::new();
    if (hours, minutes, seconds, micros) != (0, 0, 0, 0) {
        out.put_u8(u8::from(digits.is_some()));
        out.put_u32_le(hours / 24);
        out.put_slice(&[u8::try_from(hours % 24).ok()?, minutes, seconds]);
    }
    if micros != 0 {
        out.put_u32_le(micros);
    }
    Some(out.to_vec())
}

/// Hours, minutes, seconds and microseconds.
fn clock_of(text: &str) -> Option<(u32, u8, u8, u32)> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut fields = clock.splitn(3, ':');
    let hours = fields.next()?.parse().ok()?;
    let (minutes, seconds) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let micros = format!("{fraction:0<6}");
    Some((hours, minutes, seconds, micros.get(..6)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::row::put_text_value;

    fn check(ty: ColumnType, text: &str, expect: &[u8]) {
        let columns = [Column::computed("a", ty, 63), Column::computed("b", ty, 63)];
        let mut row = BytesMut::new();
        put_text_value(&mut row, Some(text.as_bytes()));
        put_text_value(&mut row, None);
        let binary = binary_row(&row, &columns).unwrap();
        assert_eq!(&binary[..], [b"\0\x08", expect].concat(), "{text}");
    }

    #[test]
    fn values_of_each_kind() {
        use ColumnType as T;
        check(T::MYSQL_TYPE_TINY, "-1", &[0xff]);
        check(T::MYSQL_TYPE_YEAR, "2026", &[0xea, 7]);
        check(T::MYSQL_TYPE_LONG, "4294967295", &[0xff; 4]);
        check(T::MYSQL_TYPE_LONGLONG, "18446744073709551615", &[0xff; 8]);
        check(T::MYSQL_TYPE_DOUBLE, "1e3", &1000f64.to_le_bytes());
        check(T::MYSQL_TYPE_VAR_STRING, "abc", b"\x03abc");
        check(T::MYSQL_TYPE_NEWDECIMAL, "1.50", b"\x041.50");
        check(T::MYSQL_TYPE_DATE, "2026-01-31", &[4, 0xea, 7, 1, 31]);
        check(T::MYSQL_TYPE_DATETIME, "2026-01-31 13:45:00", &[7, 0xea, 7, 1, 31, 13, 45, 0]);
        check(T::MYSQL_TYPE_DATETIME, "0000-00-00 00:00:00", &[0]);
        let time = [12, 1, 34, 0, 0, 0, 22, 59, 59, 0x20, 0xa1, 7, 0];
        check(T::MYSQL_TYPE_TIME, "-838:59:59.5", &time);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let columns = [Column::computed("a", ColumnType::MYSQL_TYPE_LONG, 63)];
        assert!(binary_row(b"\x01x", &columns).is_err());
        assert!(binary_row(b"", &columns).is_err());
    }
}
