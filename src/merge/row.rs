//! Writing rows: without their hidden columns, or with values put in.

use bytes::{BufMut, Bytes, BytesMut};

use super::class::Shape;
use super::fields::{Field, Layout, null_bit, values_start};
use super::spec::RowFormat;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::protocol::write::{put_lenenc, put_lenenc_bytes};

/// Strips the hidden columns. `fields` has at least the visible columns.
pub(super) fn strip(layout: &Layout, mut row: Bytes, fields: &[Field]) -> Bytes {
    let (columns, visible) = (layout.columns(), layout.visible);
    if visible == columns {
        return row;
    }
    match layout.format {
        RowFormat::Text => {
            row.truncate(
                fields.get(..visible).and_then(<[_]>::last).map_or(0, |field| field.end()),
            );
            row
        }
        RowFormat::Binary => {
            // The NULL bitmap shrinks and must not tell of columns that are gone.
            let mut out = RowWriter::new(layout, visible, row.len());
            for field in fields.iter().take(visible) {
                out.copy(&row, *field);
            }
            out.finish()
        }
    }
}

/// Builds a row column by column.
pub(super) struct RowWriter<'a> {
    out: BytesMut,
    format: RowFormat,
    shapes: &'a [Shape],
    column: usize,
}

impl<'a> RowWriter<'a> {
    /// A row of the first `columns` columns; about `size` bytes.
    pub(super) fn new(layout: &'a Layout, columns: usize, size: usize) -> Self {
        let mut out = BytesMut::with_capacity(size);
        match layout.format {
            RowFormat::Text => {}
            RowFormat::Binary => out.resize(values_start(columns), 0),
        }
        Self { out, format: layout.format, shapes: &layout.shapes, column: 0 }
    }

    /// Copies a column of another row.
    pub(super) fn copy(&mut self, row: &[u8], field: Field) {
        if field.is_null() {
            return self.null();
        }
        self.out.put_slice(field.raw(row));
        self.column += 1;
    }

    pub(super) fn null(&mut self) {
        match self.format {
            RowFormat::Text => self.out.put_u8(0xfb),
            RowFormat::Binary => {
                let (byte, bit) = null_bit(self.column);
                if let Some(byte) = self.out.get_mut(1 + byte) {
                    *byte |= bit;
                }
            }
        }
        self.column += 1;
    }

    /// A string, or a number that travels as text in both formats.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        put_lenenc_bytes(&mut self.out, bytes);
        self.column += 1;
    }

    /// A number that a text row carries as `text`.
    pub(super) fn integer(&mut self, number: i128, text: &[u8]) -> Result<()> {
        let shape = self.shapes.get(self.column).copied().unwrap_or(Shape::Long);
        match (self.format, shape) {
            (RowFormat::Text, _) | (RowFormat::Binary, Shape::Short | Shape::Long) => {
                put_lenenc(&mut self.out, text.len() as u64);
                self.out.put_slice(text);
            }
            (RowFormat::Binary, Shape::Fixed(width)) => {
                let bits = 8 * width as u32;
                let fits = number >= -(1 << (bits - 1)) && number < (1 << bits);
                let Some(bytes) =
                    number.to_le_bytes().get(..width).filter(|_| fits).map(<[u8]>::to_vec)
                else {
                    return Err(out_of_range("BIGINT"));
                };
                self.out.put_slice(&bytes);
            }
        }
        self.column += 1;
        Ok(())
    }

    /// A number that a text row carries as `text`.
    pub(super) fn double(&mut self, number: f64, text: &[u8]) {
        let shape = self.shapes.get(self.column).copied().unwrap_or(Shape::Long);
        match (self.format, shape) {
            (RowFormat::Binary, Shape::Fixed(4)) => self.out.put_f32_le(number as f32),
            (RowFormat::Binary, Shape::Fixed(_)) => self.out.put_f64_le(number),
            (RowFormat::Text, _) | (RowFormat::Binary, Shape::Short | Shape::Long) => {
                put_lenenc_bytes(&mut self.out, text);
            }
        }
        self.column += 1;
    }

    pub(super) fn finish(self) -> Bytes {
        self.out.freeze()
    }
}

/// What MySQL says if an aggregate outgrows its type.
pub(super) fn out_of_range(kind: &str) -> Error {
    let message = format!("{kind} value is out of range in an aggregate over several shards");
    let error = ServerError { code: 1690, state: *b"22003", message: message.clone().into_bytes() };
    Error::new(ErrorKind::Server(error), message)
}
