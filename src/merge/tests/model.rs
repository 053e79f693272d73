//! Rows as values, and what a merge must do with them, computed the slow way.

use std::cmp::Ordering;

use bytes::{BufMut, Bytes, BytesMut};

use crate::merge::{ColumnRef, Input, Limits, Merge, OrderKey, RowFormat, Spec, Step};
use crate::protocol::capability::{ColumnFlags, ColumnType};
use crate::protocol::column::Column;
use crate::protocol::write::put_lenenc_bytes;

pub(super) const NO_LIMITS: Limits = Limits { sort_rows: u64::MAX, sort_bytes: u64::MAX };

/// A value of the columns of [`columns`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Unsigned(u64),
    /// Hundredths.
    Decimal(i64),
    Double(f64),
    /// Microseconds since the start of 2024-02-28.
    Moment(u64),
    /// Microseconds.
    Time(i64),
    Bytes(Vec<u8>),
    /// Characters that compare without case, the shorter padded with spaces.
    Text(Vec<u8>),
}

pub(super) fn column(ty: ColumnType, charset: u16, decimals: u8) -> Column {
    Column { decimals, ..Column::computed("c", ty, charset) }
}

pub(super) fn unsigned(mut column: Column) -> Column {
    column.flags |= ColumnFlags::UNSIGNED_FLAG;
    column
}

/// One column of each kind that a merge can sort by; the last two weigh the one before them.
pub(super) fn columns() -> Vec<Column> {
    vec![
        column(ColumnType::MYSQL_TYPE_LONG, 63, 0),
        unsigned(column(ColumnType::MYSQL_TYPE_LONGLONG, 63, 0)),
        column(ColumnType::MYSQL_TYPE_NEWDECIMAL, 63, 2),
        column(ColumnType::MYSQL_TYPE_DOUBLE, 63, 31),
        column(ColumnType::MYSQL_TYPE_DATETIME, 63, 6),
        column(ColumnType::MYSQL_TYPE_TIME, 63, 6),
        column(ColumnType::MYSQL_TYPE_VAR_STRING, 63, 0),
        column(ColumnType::MYSQL_TYPE_VAR_STRING, 45, 0),
        column(ColumnType::MYSQL_TYPE_VAR_STRING, 63, 0),
        column(ColumnType::MYSQL_TYPE_VAR_STRING, 63, 0),
    ]
}

/// Columns of [`columns`] that the client does not see.
pub(super) const HIDDEN: usize = 2;

/// A key over a visible column of [`columns`].
pub(super) fn key(at: usize, descending: bool) -> OrderKey {
    let weighed = at == columns().len() - HIDDEN - 1;
    OrderKey {
        value: ColumnRef::Visible(at),
        weight: weighed.then_some(ColumnRef::Hidden(0)),
        pad: weighed.then_some(ColumnRef::Hidden(1)),
        descending,
    }
}

/// Adds what the server adds to a row of visible values: the weights.
pub(super) fn weigh(mut row: Vec<Value>) -> Vec<Value> {
    let (weight, pad) = match row.last() {
        Some(Value::Text(text)) => {
            (Value::Bytes(text.to_ascii_uppercase()), Value::Bytes(b" ".to_vec()))
        }
        _ => (Value::Null, Value::Null),
    };
    row.extend([weight, pad]);
    row
}

pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Int(a), Value::Int(b))
        | (Value::Decimal(a), Value::Decimal(b))
        | (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Unsigned(a), Value::Unsigned(b)) | (Value::Moment(a), Value::Moment(b)) => a.cmp(b),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b).unwrap(),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => {
            let fill = |text: &[u8]| {
                let mut text = text.to_ascii_uppercase();
                text.resize(a.len().max(b.len()), b' ');
                text
            };
            fill(a).cmp(&fill(b))
        }
        _ => panic!("values of two columns: {a:?}, {b:?}"),
    }
}

pub(super) fn compare_rows(keys: &[OrderKey], a: &[Value], b: &[Value]) -> Ordering {
    let compared = keys.iter().map(|key| {
        let ColumnRef::Visible(at) = key.value else { panic!("a hidden key") };
        let order = compare(&a[at], &b[at]);
        if key.descending { order.reverse() } else { order }
    });
    compared.fold(Ordering::Equal, Ordering::then)
}

/// The text of a value as a server prints it.
fn print(value: &Value) -> Option<Vec<u8>> {
    let clock = |micros: u64| {
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("{hours:02}:{minutes:02}:{seconds:02}.{micros:06}")
    };
    let text = match value {
        Value::Null => return None,
        Value::Int(number) => number.to_string(),
        Value::Unsigned(number) => number.to_string(),
        Value::Decimal(number) => {
            let sign = if *number < 0 { "-" } else { "" };
            let number = number.unsigned_abs();
            format!("{sign}{}.{:02}", number / 100, number % 100)
        }
        Value::Double(number) => {
            let mut text = Vec::new();
            crate::merge::double::write_double(*number, 31, &mut text);
            return Some(text);
        }
        Value::Moment(micros) => {
            let [month, day] = month_and_day(*micros);
            format!("2024-{month:02}-{day:02} {}", clock(micros % DAY))
        }
        Value::Time(micros) => {
            let sign = if *micros < 0 { "-" } else { "" };
            format!("{sign}{}", clock(micros.unsigned_abs()))
        }
        Value::Bytes(bytes) | Value::Text(bytes) => return Some(bytes.clone()),
    };
    Some(text.into_bytes())
}

const DAY: u64 = 86_400_000_000;

fn month_and_day(micros: u64) -> [u8; 2] {
    match micros / DAY {
        0 => [2, 28],
        1 => [2, 29],
        day => [3, day as u8 - 1],
    }
}

pub(super) fn encode(format: RowFormat, columns: &[Column], row: &[Value]) -> Bytes {
    match format {
        RowFormat::Text => encode_text(row),
        RowFormat::Binary => encode_binary(columns, row),
    }
}

fn encode_text(row: &[Value]) -> Bytes {
    let mut out = BytesMut::new();
    for value in row {
        match print(value) {
            Some(text) => put_lenenc_bytes(&mut out, &text),
            None => out.put_u8(0xfb),
        }
    }
    out.freeze()
}

fn encode_binary(columns: &[Column], row: &[Value]) -> Bytes {
    let mut out = BytesMut::new();
    out.resize(1 + (row.len() + 9) / 8, 0);
    for (at, (value, column)) in row.iter().zip(columns).enumerate() {
        match value {
            Value::Null => out[1 + (at + 2) / 8] |= 1 << ((at + 2) % 8),
            Value::Int(number) if column.ty == ColumnType::MYSQL_TYPE_LONG => {
                out.put_i32_le(*number as i32);
            }
            Value::Int(number) => out.put_i64_le(*number),
            Value::Unsigned(number) => out.put_u64_le(*number),
            Value::Double(number) => out.put_f64_le(*number),
            Value::Moment(micros) => {
                let [month, day] = month_and_day(*micros);
                out.put_slice(&[11, 0xe8, 7, month, day]);
                put_clock(&mut out, micros % DAY);
            }
            Value::Time(micros) => {
                let (negative, micros) = (*micros < 0, micros.unsigned_abs());
                out.put_slice(&[12, u8::from(negative)]);
                out.put_u32_le((micros / DAY) as u32);
                put_clock(&mut out, micros % DAY);
            }
            Value::Decimal(_) | Value::Bytes(_) | Value::Text(_) => {
                put_lenenc_bytes(&mut out, &print(value).unwrap());
            }
        }
    }
    out.freeze()
}

fn put_clock(out: &mut BytesMut, micros: u64) {
    let seconds = micros / 1_000_000;
    for part in [seconds / 3600, seconds / 60 % 60, seconds % 60] {
        out.put_u8(part as u8);
    }
    out.put_u32_le((micros % 1_000_000) as u32);
}

/// What came out of a merge.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) rows: Vec<Bytes>,
    /// Rows that the merge took.
    pub(super) fed: usize,
}

/// Feeds a merge as it asks.
pub(super) fn run(
    spec: &Spec,
    columns: &[Column],
    format: RowFormat,
    limits: Limits,
    inputs: &[Vec<Bytes>],
) -> crate::error::Result<Outcome> {
    let names: Vec<_> = (0..inputs.len()).map(|at| format!("c{at}/shop")).collect();
    let shards: Vec<_> = names.iter().map(|name| Input { name, columns }).collect();
    let mut merge = Merge::new(spec, &shards, format, limits)?;
    let mut streams: Vec<_> = inputs.iter().map(|rows| Some(rows.iter())).collect();
    let mut outcome = Outcome { rows: Vec::new(), fed: 0 };
    loop {
        let input = match merge.step()? {
            Step::Need(input) => input,
            Step::NeedAny => streams.iter().position(Option::is_some).unwrap(),
            Step::Row(row) => {
                outcome.rows.push(row);
                continue;
            }
            Step::Done => return Ok(outcome),
        };
        let row = streams[input].as_mut().unwrap().next().cloned();
        outcome.fed += usize::from(row.is_some());
        if row.is_none() {
            streams[input] = None;
        }
        merge.feed(input, row)?;
    }
}
