//! Rows of an answer as the tuples of an INSERT, exact to the last bit.
//!
//! The literals are read in universal time, and under a sql_mode without NO_BACKSLASH_ESCAPES in a
//! connection that speaks utf8mb4.

use std::io::Write as _;

use super::column::{Definition, Form};
use super::moment::put_moment;
use crate::error::{Error, Result};
use crate::protocol::column::Column;
use crate::protocol::row::BinaryValues;

/// Appends `(1, 'a', NULL)`. `zone` is the session's time zone, as SQL.
///
/// # Errors
/// The row is malformed.
pub(super) fn put_row(
    out: &mut Vec<u8>,
    row: &[u8],
    columns: &[Column],
    definitions: &[Definition],
    zone: &str,
) -> Result<()> {
    out.push(b'(');
    let mut forms = definitions.iter();
    for (index, value) in BinaryValues::new(row, columns)?.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let form = forms.next().map_or(Form::Bytes, |definition| definition.form);
        match value? {
            Some(value) => put_value(out, form, value, zone)?,
            None => out.extend_from_slice(b"NULL"),
        }
    }
    out.push(b')');
    Ok(())
}

/// Appends a line of a file for LOAD DATA: fields end in tabs, a backslash escapes.
///
/// # Errors
/// The row is malformed, or has a column that [is not loaded](Definition::is_loadable).
pub(super) fn put_line(
    out: &mut Vec<u8>,
    row: &[u8],
    columns: &[Column],
    definitions: &[Definition],
) -> Result<()> {
    let mut forms = definitions.iter();
    for (index, value) in BinaryValues::new(row, columns)?.enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        let form = forms.next().map_or(Form::Bytes, |definition| definition.form);
        match (value?, form) {
            (None, _) | (Some(_), Form::Null) => out.extend_from_slice(b"\\N"),
            (Some(value), Form::Bytes) => put_field(out, value),
            (Some(_), Form::Json | Form::Local) => {
                return Err(Error::internal("a value that no file of rows can hold"));
            }
            (
                Some(value),
                Form::Date
                | Form::DateTime
                | Form::Moment { .. }
                | Form::Time
                | Form::Integer { .. }
                | Form::Float
                | Form::Double
                | Form::Decimal,
            ) => put_plain(out, form, value)?,
        }
    }
    out.push(b'\n');
    Ok(())
}

/// Appends bytes so that none of them ends or escapes anything.
fn put_field(out: &mut Vec<u8>, value: &[u8]) {
    let special = |byte: &u8| matches!(byte, b'\\' | b'\t' | b'\n' | 0);
    let mut rest = value;
    while let Some(at) = rest.iter().position(special) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let letter = match tail.first() {
            Some(b'\t') => b't',
            Some(b'\n') => b'n',
            Some(0) => b'0',
            Some(_) | None => b'\\',
        };
        out.extend_from_slice(&[b'\\', letter]);
        rest = tail.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

fn put_value(out: &mut Vec<u8>, form: Form, value: &[u8], zone: &str) -> Result<()> {
    match form {
        Form::Json => put_quoted(out, b"_utf8mb4'", value),
        Form::Bytes => put_quoted(out, b"_binary'", value),
        Form::Null => out.extend_from_slice(b"NULL"),
        // The zero date is in no zone.
        Form::Local if !value.is_empty() => {
            out.extend_from_slice(b"CONVERT_TZ('");
            put_plain(out, form, value)?;
            put(out, format_args!("',{zone},'+00:00')"));
        }
        Form::Date
        | Form::DateTime
        | Form::Local
        | Form::Moment { .. }
        | Form::Time
        | Form::Integer { .. }
        | Form::Float
        | Form::Double
        | Form::Decimal => put_literal(out, form, value)?,
    }
    Ok(())
}

/// Appends a number, or a date or time in quotes; nothing for other forms.
pub(super) fn put_literal(out: &mut Vec<u8>, form: Form, value: &[u8]) -> Result<()> {
    let quote: &[u8] = match form {
        Form::Date | Form::DateTime | Form::Local | Form::Moment { .. } | Form::Time => b"'",
        Form::Integer { .. } | Form::Float | Form::Double | Form::Decimal => b"",
        Form::Json | Form::Bytes | Form::Null => return Ok(()),
    };
    out.extend_from_slice(quote);
    put_plain(out, form, value)?;
    out.extend_from_slice(quote);
    Ok(())
}

/// Appends a number, or a date or time without its quotes; nothing for other forms.
fn put_plain(out: &mut Vec<u8>, form: Form, value: &[u8]) -> Result<()> {
    match form {
        Form::Integer { width, unsigned } => put_integer(out, width, unsigned, value),
        Form::Float => {
            let bits = <[u8; 4]>::try_from(value).map_err(|_| malformed())?;
            put(out, format_args!("{:e}", f64::from(f32::from_le_bytes(bits))));
            Ok(())
        }
        Form::Double => {
            let bits = <[u8; 8]>::try_from(value).map_err(|_| malformed())?;
            put(out, format_args!("{:e}", f64::from_le_bytes(bits)));
            Ok(())
        }
        Form::Decimal => {
            let is_digit = |byte: &u8| byte.is_ascii_digit() || b"+-.".contains(byte);
            if value.is_empty() || !value.iter().all(is_digit) {
                return Err(malformed());
            }
            out.extend_from_slice(value);
            Ok(())
        }
        Form::Date => put_date(out, value, false),
        Form::DateTime | Form::Local => put_date(out, value, true),
        Form::Moment { width } => put_moment(out, width, value),
        Form::Time => put_time(out, value),
        Form::Json | Form::Bytes | Form::Null => Ok(()),
    }
}

pub(super) fn malformed() -> Error {
    Error::protocol("a value of a row that is not of its column's type")
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = out.write_fmt(text);
}

fn put_integer(out: &mut Vec<u8>, width: usize, unsigned: bool, value: &[u8]) -> Result<()> {
    let negative = !unsigned && value.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut bytes = [if negative { 0xff } else { 0 }; 16];
    let place = bytes.get_mut(..value.len()).filter(|_| value.len() == width);
    place.ok_or_else(malformed)?.copy_from_slice(value);
    put(out, format_args!("{}", i128::from_le_bytes(bytes)));
    Ok(())
}

/// The fields of a date or time, which servers shorten where they are zero.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    fn number(&self, at: usize) -> u32 {
        (0..4).map(|offset| u32::from(self.byte(at + offset)) << (8 * offset)).sum()
    }
}

fn put_date(out: &mut Vec<u8>, value: &[u8], with_time: bool) -> Result<()> {
    if !matches!(value.len(), 0 | 4 | 7 | 11) {
        return Err(malformed());
    }
    let fields = Fields(value);
    let year = u16::from_le_bytes([fields.byte(0), fields.byte(1)]);
    put(out, format_args!("{year:04}-{:02}-{:02}", fields.byte(2), fields.byte(3)));
    if with_time {
        let (hour, minute, second) = (fields.byte(4), fields.byte(5), fields.byte(6));
        put(out, format_args!(" {hour:02}:{minute:02}:{second:02}"));
        put_micros(out, fields.number(7));
    }
    Ok(())
}

fn put_time(out: &mut Vec<u8>, value: &[u8]) -> Result<()> {
    if !matches!(value.len(), 0 | 8 | 12) {
        return Err(malformed());
    }
    let fields = Fields(value);
    let sign = if fields.byte(0) == 0 { "" } else { "-" };
    let hours = u64::from(fields.number(1)) * 24 + u64::from(fields.byte(5));
    put(out, format_args!("{sign}{hours:02}:{:02}:{:02}", fields.byte(6), fields.byte(7)));
    put_micros(out, fields.number(8));
    Ok(())
}

fn put_micros(out: &mut Vec<u8>, micros: u32) {
    if micros > 0 {
        put(out, format_args!(".{micros:06}"));
    }
}

fn put_quoted(out: &mut Vec<u8>, open: &[u8], value: &[u8]) {
    out.extend_from_slice(open);
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\'' | b'\\' | 0)) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        match tail.first() {
            Some(0) => out.extend_from_slice(b"\\0"),
            Some(byte) => out.extend_from_slice(&[b'\\', *byte]),
            None => {}
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: Form, value: &[u8], expect: &str) {
        let mut out = Vec::new();
        put_value(&mut out, form, value, "'SYSTEM'").unwrap();
        assert_eq!(String::from_utf8_lossy(&out), expect);
    }

    #[test]
    fn numbers() {
        check(Form::Integer { width: 1, unsigned: false }, &[0xff], "-1");
        check(Form::Integer { width: 1, unsigned: true }, &[0xff], "255");
        check(Form::Integer { width: 8, unsigned: true }, &[0xff; 8], "18446744073709551615");
        check(Form::Integer { width: 2, unsigned: true }, &[0xd0, 7], "2000");
        check(Form::Float, &0.1f32.to_le_bytes(), "1.0000000149011612e-1");
        check(Form::Double, &0.1f64.to_le_bytes(), "1e-1");
        check(Form::Decimal, b"-12.50", "-12.50");
        assert!(put_value(&mut Vec::new(), Form::Decimal, b"1);", "").is_err());
        assert!(put_value(&mut Vec::new(), Form::Double, b"1", "").is_err());
    }

    #[test]
    fn fields_of_files() {
        let check = |value: &[u8], expect: &[u8]| {
            let mut out = Vec::new();
            put_field(&mut out, value);
            assert_eq!(out, expect);
        };
        check(b"plain 'x' N", b"plain 'x' N");
        check(b"a\tb\nc\\d\0", b"a\\tb\\nc\\\\d\\0");
        check(b"\\N", b"\\\\N");
        check(b"", b"");
    }

    #[test]
    fn dates_and_times() {
        check(Form::Date, &[], "'0000-00-00'");
        check(Form::Date, &[0xe8, 7, 2, 29], "'2024-02-29'");
        check(Form::DateTime, &[0xe8, 7, 0, 0], "'2024-00-00 00:00:00'");
        let late = [0xe8, 7, 2, 29, 23, 59, 58, 1, 0, 0, 0];
        check(Form::DateTime, &late, "'2024-02-29 23:59:58.000001'");
        check(Form::Local, &[], "'0000-00-00 00:00:00'");
        check(
            Form::Local,
            &[0xe8, 7, 2, 29],
            "CONVERT_TZ('2024-02-29 00:00:00','SYSTEM','+00:00')",
        );
        check(Form::Time, &[], "'00:00:00'");
        check(Form::Time, &[1, 34, 0, 0, 0, 22, 59, 59], "'-838:59:59'");
    }

    #[test]
    fn bytes() {
        check(Form::Bytes, b"", "_binary''");
        check(Form::Bytes, b"a'b\\c\0", "_binary'a\\'b\\\\c\\0'");
        check(Form::Json, b"{\"a\": 1}", "_utf8mb4'{\"a\": 1}'");
    }
}
