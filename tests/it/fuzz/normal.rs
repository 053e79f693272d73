//! Rows in one form, whichever protocol they came by: text, doubles rounded.

use std::io;

use crate::client::broken;
use crate::client::reply::{Column, Reader, Reply, Rows, text_row_bytes};
use crate::client::value::lenenc;

use super::fold::fold;

const TINY: u8 = 1;
const SHORT: u8 = 2;
const LONG: u8 = 3;
const FLOAT: u8 = 4;
const DOUBLE: u8 = 5;
const TIMESTAMP: u8 = 7;
const LONGLONG: u8 = 8;
const INT24: u8 = 9;
const DATE: u8 = 10;
const TIME: u8 = 11;
const DATETIME: u8 = 12;
const YEAR: u8 = 13;
/// Blobs and strings.
const TEXTS: [u8; 3] = [252, 253, 254];
const JSON: u8 = 245;
const BINARY_CHARSET: u16 = 63;
const UNSIGNED: u16 = 0x20;
const BINARY_FLAG: u16 = 0x80;
const BLOB_FLAG: u16 = 0x10;
const BLOB: u8 = 252;
/// Of any length.
const BLOBS: [u8; 4] = [249, 250, 251, 252];

/// One value of a row.
pub(super) type Cell = Option<Vec<u8>>;

/// Replies whose rows are in the form of the text protocol.
pub(super) fn normal(replies: Vec<Reply>, binary: bool, folded: bool) -> io::Result<Vec<Reply>> {
    replies
        .into_iter()
        .map(|reply| match reply {
            Reply::Rows(rows) => normal_rows(rows, binary, folded).map(Reply::Rows),
            Reply::Done(_) | Reply::Error(_) => Ok(reply),
        })
        .collect()
}

fn normal_rows(rows: Rows, binary: bool, folded: bool) -> io::Result<Rows> {
    let mut packets = Vec::new();
    for packet in &rows.packets {
        let cells = match binary {
            true => binary_row(packet, &rows.columns),
            false => text_row_bytes(packet),
        };
        let cells = cells.map_err(|error| {
            let kinds: Vec<u8> = rows.columns.iter().map(|column| column.kind).collect();
            broken(format!("{error}: types {kinds:?}, row {}", packet.escape_ascii()))
        })?;
        let mut out = Vec::new();
        for (cell, column) in cells.into_iter().zip(&rows.columns) {
            match cell.map(|bytes| normal_cell(bytes, column, folded)) {
                None => out.push(0xfb),
                Some(bytes) => {
                    lenenc(bytes.len() as u64, &mut out);
                    out.extend_from_slice(&bytes);
                }
            }
        }
        packets.push(out);
    }
    Ok(Rows { packets, ..rows })
}

/// Columns of the plain server and of Margay without what a server's plan decides: whether a number
/// carries the flag BINARY, and of what an expression gives, how wide a whole number is, how long a blob may
/// be, and how many decimals a text or a double has.
pub(super) fn settled(plain: &[Column], proxy: &[Column], sql: &str) -> (Vec<Column>, Vec<Column>) {
    let settle = |column: &Column, computed: bool| {
        let mut column = column.clone();
        match column.kind {
            TINY | SHORT | LONG | INT24 | YEAR if computed => column.kind = LONGLONG,
            kind if BLOBS.contains(&kind) && computed => {
                column.kind = BLOB;
                column.flags &= !BLOB_FLAG;
                column.decimals = 0;
            }
            FLOAT | DOUBLE if computed => column.decimals = 0,
            // Out of a temporary table it says that it is bytes.
            JSON if computed => {
                (column.decimals, column.charset) = (0, BINARY_CHARSET);
                column.flags &= !BLOB_FLAG;
            }
            kind if TEXTS.contains(&kind) && computed => column.decimals = 0,
            _ => {}
        }
        if !TEXTS.contains(&column.kind) {
            column.flags &= !BINARY_FLAG;
        }
        column
    };
    let computed: Vec<bool> = plain
        .iter()
        .map(|column| column.org_table.is_empty() || column.schema.is_empty())
        .collect();
    let settle_all = |columns: &[Column]| {
        let flags = computed.iter().copied().chain(std::iter::repeat(true));
        columns.iter().zip(flags).map(|(column, computed)| settle(column, computed)).collect()
    };
    let (mut plain, proxy): (Vec<Column>, Vec<Column>) = (settle_all(plain), settle_all(proxy));
    if sql.contains("WITH ROLLUP") {
        name_twins(&mut plain, &proxy);
    }
    (plain, proxy)
}

/// Where a statement WITH ROLLUP shows one column several times, a MariaDB gives all the name of one.
fn name_twins(plain: &mut [Column], proxy: &[Column]) {
    let given: Vec<(String, bool)> = plain
        .iter()
        .zip(proxy)
        .map(|(plain, proxy)| (plain.name.clone(), plain.name == proxy.name))
        .collect();
    for (column, proxy) in plain.iter_mut().zip(proxy) {
        if given.iter().any(|(name, right)| *right && *name == column.name) {
            column.name.clone_from(&proxy.name);
        }
    }
}

/// The replies with [`settled`] columns.
pub(super) fn settle_replies(plain: &mut [Reply], proxy: &mut [Reply], sql: &str) {
    for pair in plain.iter_mut().zip(proxy) {
        if let (Reply::Rows(plain), Reply::Rows(proxy)) = pair {
            (plain.columns, proxy.columns) = settled(&plain.columns, &proxy.columns, sql);
        }
    }
}

/// These columns of all rows, in order.
pub(super) fn projected(rows: &Rows, columns: &[usize]) -> io::Result<Vec<Vec<Cell>>> {
    let mut out = Vec::new();
    for packet in &rows.packets {
        let cells = text_row_bytes(packet)?;
        let pick = |at: &usize| match (cells.get(*at), rows.columns.get(*at)) {
            (Some(Some(bytes)), Some(column)) => Some(normal_cell(bytes.clone(), column, true)),
            _ => None,
        };
        out.push(columns.iter().map(pick).collect());
    }
    Ok(out)
}

fn normal_cell(bytes: Vec<u8>, column: &Column, folded: bool) -> Vec<u8> {
    if column.kind == FLOAT || column.kind == DOUBLE {
        let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse::<f64>().ok());
        return match number {
            Some(number) if number.abs() < 1e-9 => b"0".to_vec(),
            Some(number) => format!("{number:.9e}").into_bytes(),
            None => bytes,
        };
    }
    let text = TEXTS.contains(&column.kind) && column.charset != BINARY_CHARSET;
    if folded && text { fold(&bytes) } else { bytes }
}

/// Splits a row of the binary protocol.
fn binary_row(packet: &[u8], columns: &[Column]) -> io::Result<Vec<Cell>> {
    let mut reader = Reader::new(packet);
    reader.u8()?;
    let nulls = reader.take((columns.len() + 9) / 8)?.to_vec();
    let mut cells = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let bit = at + 2;
        let null = nulls.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0);
        cells.push(if null { None } else { Some(binary_cell(&mut reader, column)?) });
    }
    Ok(cells)
}

fn binary_cell(reader: &mut Reader<'_>, column: &Column) -> io::Result<Vec<u8>> {
    let unsigned = column.flags & UNSIGNED != 0;
    let text = match column.kind {
        TINY => integer(reader, 1, unsigned)?,
        SHORT | YEAR => integer(reader, 2, unsigned)?,
        LONG | INT24 => integer(reader, 4, unsigned)?,
        LONGLONG => integer(reader, 8, unsigned)?,
        FLOAT => {
            let bytes = reader.take(4)?.try_into().map_err(|_| broken("float"))?;
            f64::from(f32::from_le_bytes(bytes)).to_string()
        }
        DOUBLE => {
            let bytes = reader.take(8)?.try_into().map_err(|_| broken("double"))?;
            f64::from_le_bytes(bytes).to_string()
        }
        DATE | TIMESTAMP | DATETIME | TIME => {
            let length = usize::from(reader.u8()?);
            // The fields themselves, which say the same as the text.
            format!("{:?}", reader.take(length)?)
        }
        _ => return Ok(reader.lenenc_bytes()?.to_vec()),
    };
    Ok(text.into_bytes())
}

fn integer(reader: &mut Reader<'_>, width: usize, unsigned: bool) -> io::Result<String> {
    let bytes = reader.take(width)?;
    let value = bytes.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let shift = 64 - 8 * width as u32;
    let signed = ((value << shift) as i64) >> shift;
    Ok(if unsigned { value.to_string() } else { signed.to_string() })
}
