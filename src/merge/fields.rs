//! Where the columns lie in the bytes of a row.

use super::class::Shape;
use super::spec::RowFormat;
use crate::error::{Error, Result};

/// One column of a row, as offsets into the row's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Where the column starts, with the length in front of it.
    start: u32,
    /// Where the value starts, or [`NULL`].
    value: u32,
    end: u32,
}

const NULL: u32 = u32::MAX;
/// NULL in a text row.
const TEXT_NULL: u8 = 0xfb;

impl Field {
    /// The value; `None` for NULL.
    pub(super) fn value(self, row: &[u8]) -> Option<&[u8]> {
        if self.value == NULL {
            return None;
        }
        row.get(self.value as usize..self.end as usize)
    }

    /// The bytes of the column, with the length in front of it.
    pub(super) fn raw(self, row: &[u8]) -> &[u8] {
        row.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(super) fn is_null(self) -> bool {
        self.value == NULL
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }
}

/// The columns of all rows of a merge.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) format: RowFormat,
    pub(super) shapes: Vec<Shape>,
    /// Columns that the client sees: the first ones.
    pub(super) visible: usize,
}

impl Layout {
    pub(super) fn columns(&self) -> usize {
        self.shapes.len()
    }

    /// Puts the places of the first `count` columns into `fields`, whatever was in there.
    pub(super) fn locate(&self, row: &[u8], count: usize, fields: &mut Vec<Field>) -> Result<()> {
        fields.clear();
        if row.len() >= NULL as usize {
            return Err(Error::protocol(format!("a row of {} bytes", row.len())));
        }
        let found = match self.format {
            RowFormat::Text => locate_text(row, count, fields),
            RowFormat::Binary => self.locate_binary(row, count, fields),
        };
        found.ok_or_else(|| {
            let at = fields.len() + 1;
            let columns = self.columns();
            Error::protocol(format!("malformed row: column {at} of {columns} does not fit into it"))
        })
    }

    fn locate_binary(&self, row: &[u8], count: usize, fields: &mut Vec<Field>) -> Option<()> {
        let nulls = row.get(1..values_start(self.columns()))?;
        let mut start = values_start(self.columns());
        for (column, shape) in self.shapes.iter().enumerate().take(count) {
            let (byte, bit) = null_bit(column);
            if nulls.get(byte)? & bit != 0 {
                fields.push(Field { start: start as u32, value: NULL, end: start as u32 });
                continue;
            }
            let (value, length) = match shape {
                Shape::Fixed(width) => (start, *width),
                Shape::Short => (start + 1, usize::from(*row.get(start)?)),
                Shape::Long => read_length(row, start)?,
            };
            start = push(row, start, value, length, fields)?;
        }
        Some(())
    }
}

fn locate_text(row: &[u8], count: usize, fields: &mut Vec<Field>) -> Option<()> {
    let mut start = 0;
    for _ in 0..count {
        if *row.get(start)? == TEXT_NULL {
            let end = start + 1;
            fields.push(Field { start: start as u32, value: NULL, end: end as u32 });
            start = end;
            continue;
        }
        let (value, length) = read_length(row, start)?;
        start = push(row, start, value, length, fields)?;
    }
    Some(())
}

fn push(
    row: &[u8],
    start: usize,
    value: usize,
    length: usize,
    fields: &mut Vec<Field>,
) -> Option<usize> {
    let end = value.checked_add(length).filter(|&end| end <= row.len())?;
    fields.push(Field { start: start as u32, value: value as u32, end: end as u32 });
    Some(end)
}

/// Reads a length-encoded integer: where it ends, and its value.
fn read_length(row: &[u8], at: usize) -> Option<(usize, usize)> {
    let lead = *row.get(at)?;
    let width = match lead {
        0..=0xfa => return Some((at + 1, usize::from(lead))),
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xfb | 0xff => return None,
    };
    let mut number = [0; 8];
    number[..width].copy_from_slice(row.get(at + 1..at + 1 + width)?);
    Some((at + 1 + width, usize::try_from(u64::from_le_bytes(number)).ok()?))
}

/// Where the values of a binary row of `columns` start: behind the header and the NULL bitmap.
pub(super) fn values_start(columns: usize) -> usize {
    1 + (columns + 2).div_ceil(8)
}

/// The byte of the NULL bitmap that tells of a column, and the bit in it.
pub(super) fn null_bit(column: usize) -> (usize, u8) {
    ((column + 2) / 8, 1 << ((column + 2) % 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(format: RowFormat, shapes: &[Shape]) -> Layout {
        Layout { format, shapes: shapes.to_vec(), visible: shapes.len() }
    }

    fn check(layout: &Layout, row: &[u8], expect: Option<&[Option<&[u8]>]>) {
        let mut fields = Vec::new();
        let found = layout.locate(row, layout.columns(), &mut fields);
        let values: Vec<_> = fields.iter().map(|field| field.value(row)).collect();
        assert_eq!(found.is_ok().then_some(&values[..]), expect);
    }

    #[test]
    fn text_rows() {
        let three = layout(RowFormat::Text, &[Shape::Long; 3]);
        check(&three, b"\x01a\xfb\x00", Some(&[Some(b"a"), None, Some(b"")]));
        check(&three, b"\x01a\xfb", None);
        check(&three, b"\x01a\xfb\x02a", None);
        check(&three, b"\xff", None);
        let one = layout(RowFormat::Text, &[Shape::Long]);
        check(&one, b"\xfc\x01\x00x", Some(&[Some(b"x")]));
        check(&one, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffx", None);
    }

    #[test]
    fn binary_rows() {
        let shapes = [Shape::Fixed(4), Shape::Short, Shape::Long];
        let three = layout(RowFormat::Binary, &shapes);
        let row = b"\0\x08\x01\0\0\0\x02ab";
        check(&three, row, Some(&[Some(b"\x01\0\0\0"), None, Some(b"ab")]));
        check(&three, &row[..8], None);
        check(&three, b"", None);
        assert_eq!((values_start(6), values_start(7)), (2, 3));
    }
}
