//! Rows: finding values in raw rows without decoding them, cutting hidden columns off, and building
//! rows.

use bytes::{BufMut, BytesMut};

use super::capability::ColumnType;
use super::column::Column;
use super::read::Reader;
use super::value::{Layout, bit, bitmap_len, layout, read, set_bit};
use super::write::{put_lenenc_bytes, put_lenenc_bytes_or_null};
use crate::error::{Error, Result};

/// Bits in front of a binary row's NULL bitmap that stand for no column.
const ROW_BITS: usize = 2;

/// The values of a text row, in order; `None` is NULL. Ends with the row, or after an error.
#[derive(Debug, Clone)]
pub struct TextValues<'a> {
    reader: Reader<'a>,
    len: usize,
}

impl<'a> TextValues<'a> {
    pub fn new(row: &'a [u8]) -> Self {
        Self { reader: Reader::new(row), len: row.len() }
    }

    /// Bytes of the row in front of the next value.
    pub fn offset(&self) -> usize {
        self.len - self.reader.remaining()
    }
}

impl<'a> Iterator for TextValues<'a> {
    type Item = Result<Option<&'a [u8]>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let value = self.reader.lenenc_bytes_or_null();
        if value.is_err() {
            self.reader.rest();
        }
        Some(value)
    }
}

/// The values of a binary row, in order; `None` is NULL. Dates, times and strings come without the
/// length in front. Ends after an error.
#[derive(Debug, Clone)]
pub struct BinaryValues<'a> {
    reader: Reader<'a>,
    nulls: &'a [u8],
    columns: std::iter::Enumerate<std::slice::Iter<'a, Column>>,
}

impl<'a> BinaryValues<'a> {
    pub fn new(row: &'a [u8], columns: &'a [Column]) -> Result<Self> {
        let mut reader = Reader::new(row);
        if reader.u8()? != 0 {
            return Err(Error::protocol("malformed packet: not a binary row"));
        }
        let nulls = reader.bytes(bitmap_len(columns.len() + ROW_BITS))?;
        Ok(Self { reader, nulls, columns: columns.iter().enumerate() })
    }
}

impl<'a> Iterator for BinaryValues<'a> {
    type Item = Result<Option<&'a [u8]>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (index, column) = self.columns.next()?;
        if bit(self.nulls, index + ROW_BITS) {
            return Some(Ok(None));
        }
        let value = read(&mut self.reader, column.ty);
        if value.is_err() {
            self.columns = [].iter().enumerate();
        }
        Some(value.map(Some))
    }
}

/// The first `keep` values of a text row, as a row.
pub fn truncate_text(row: &[u8], keep: usize) -> Result<&[u8]> {
    let mut values = TextValues::new(row);
    for found in 0..keep {
        match values.next() {
            Some(value) => value?,
            None => {
                return Err(Error::protocol(format!("a row of {found} values, {keep} were due")));
            }
        };
    }
    Ok(row.split_at(values.offset()).0)
}

/// Appends the first `keep` values of a binary row, as a row.
pub fn truncate_binary(
    row: &[u8],
    columns: &[Column],
    keep: usize,
    out: &mut BytesMut,
) -> Result<()> {
    let mut values = BinaryValues::new(row, columns)?;
    let start = values.reader.peek_rest();
    for value in values.by_ref().take(keep) {
        value?;
    }
    let kept = start.len() - values.reader.remaining();
    let mut builder = BinaryRow::start(out, keep);
    for index in 0..keep {
        if bit(values.nulls, index + ROW_BITS) {
            builder.push_null();
        } else {
            builder.index += 1;
        }
    }
    out.put_slice(start.split_at(kept).0);
    Ok(())
}

/// Appends a value of a text row; `None` is NULL.
pub fn put_text_value(out: &mut BytesMut, value: Option<&[u8]>) {
    put_lenenc_bytes_or_null(out, value);
}

/// Builds a binary row at the end of a buffer, value by value.
#[derive(Debug)]
pub struct BinaryRow<'a> {
    out: &'a mut BytesMut,
    /// Where the NULL bitmap lies in `out`.
    bitmap: std::ops::Range<usize>,
    index: usize,
}

impl<'a> BinaryRow<'a> {
    /// Starts a row of so many columns. Each needs one push, in order.
    pub fn start(out: &'a mut BytesMut, columns: usize) -> Self {
        out.put_u8(0);
        let (from, len) = (out.len(), bitmap_len(columns + ROW_BITS));
        out.put_bytes(0, len);
        Self { out, bitmap: from..from + len, index: 0 }
    }

    pub fn push_null(&mut self) {
        if let Some(bitmap) = self.out.get_mut(self.bitmap.clone()) {
            set_bit(bitmap, self.index + ROW_BITS);
        }
        self.index += 1;
    }

    /// Adds a value in the form in which [`BinaryValues`] gives it.
    pub fn push(&mut self, ty: ColumnType, value: &[u8]) -> Result<()> {
        match layout(ty)? {
            Layout::Fixed(len) if len != value.len() => {
                return Err(Error::internal(format!(
                    "{} bytes for a binary value of {len} bytes",
                    value.len()
                )));
            }
            Layout::Fixed(_) => self.out.put_slice(value),
            Layout::Temporal | Layout::LenEnc => put_lenenc_bytes(self.out, value),
        }
        self.index += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: ColumnType = ColumnType::MYSQL_TYPE_LONG;
    const TEXT: ColumnType = ColumnType::MYSQL_TYPE_VAR_STRING;
    const DATE: ColumnType = ColumnType::MYSQL_TYPE_DATE;

    fn columns(types: &[ColumnType]) -> Vec<Column> {
        types.iter().map(|&ty| Column::computed("c", ty, 63)).collect()
    }

    #[test]
    fn text_rows() {
        let row = b"\x011\xfb\0\x03abc";
        let values: Vec<_> = TextValues::new(row).map(Result::unwrap).collect();
        assert_eq!(values, [Some(&b"1"[..]), None, Some(b""), Some(b"abc")]);
        let mut out = BytesMut::new();
        values.into_iter().for_each(|value| put_text_value(&mut out, value));
        assert_eq!(&out[..], row);
        assert_eq!(truncate_text(row, 2).unwrap(), b"\x011\xfb");
        assert_eq!(truncate_text(row, 4).unwrap(), row);
        let error = truncate_text(row, 5).unwrap_err();
        assert_eq!(error.message(), "a row of 4 values, 5 were due");
    }

    #[test]
    fn broken_text_rows_end_in_an_error() {
        let mut values = TextValues::new(b"\x01a\x05b");
        assert!(values.next().unwrap().is_ok());
        assert!(values.next().unwrap().is_err());
        assert!(values.next().is_none());
    }

    fn check_binary(row: &[u8], types: &[ColumnType], expect: &[Option<&[u8]>]) {
        let columns = columns(types);
        let values: Vec<_> =
            BinaryValues::new(row, &columns).unwrap().map(Result::unwrap).collect();
        assert_eq!(values, expect);
        let mut out = BytesMut::new();
        let mut builder = BinaryRow::start(&mut out, types.len());
        for (&ty, value) in types.iter().zip(expect) {
            match value {
                Some(value) => builder.push(ty, value).unwrap(),
                None => builder.push_null(),
            }
        }
        assert_eq!(out, row);
        for keep in 0..=types.len() {
            let mut cut = BytesMut::new();
            truncate_binary(row, &columns, keep, &mut cut).unwrap();
            let kept: Vec<_> =
                BinaryValues::new(&cut, &columns[..keep]).unwrap().map(Result::unwrap).collect();
            assert_eq!(kept, expect[..keep]);
        }
    }

    #[test]
    fn binary_rows() {
        check_binary(b"\0\0\x07\0\0\0", &[LONG], &[Some(&[7, 0, 0, 0])]);
        check_binary(
            b"\0\x08\x07\0\0\0\x02ab\x04\xe8\x07\x02\x1d",
            &[LONG, TEXT, TEXT, DATE],
            &[Some(&[7, 0, 0, 0]), None, Some(b"ab"), Some(b"\xe8\x07\x02\x1d")],
        );
        // Seven columns need a second byte of bitmap.
        check_binary(
            b"\0\0\x01\x01a\x01b\x01c\x01d\x01e\x01f",
            &[TEXT; 7],
            &[Some(b"a"), Some(b"b"), Some(b"c"), Some(b"d"), Some(b"e"), Some(b"f"), None],
        );
    }

    #[test]
    fn broken_binary_rows_are_refused() {
        let columns = columns(&[LONG, LONG]);
        assert!(BinaryValues::new(b"\x01\0", &columns).is_err());
        assert!(BinaryValues::new(b"\0", &columns).is_err());
        let mut values = BinaryValues::new(b"\0\0\x01\0\0", &columns).unwrap();
        assert!(values.next().unwrap().is_err());
        assert!(values.next().is_none());
        let mut out = BytesMut::new();
        assert!(BinaryRow::start(&mut out, 1).push(LONG, b"1").is_err());
        let odd = [Column::computed("c", ColumnType::MYSQL_TYPE_NEWDATE, 63)];
        let mut values = BinaryValues::new(b"\0\0\x01", &odd).unwrap();
        assert!(values.next().unwrap().is_err());
    }
}
