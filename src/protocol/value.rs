//! The binary encoding of values: how many bytes each type takes.

use super::capability::ColumnType;
use super::read::Reader;
use crate::error::{Error, Result};

/// How a value of a type is laid out in binary rows and parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// So many bytes, little-endian.
    Fixed(usize),
    /// A length byte, then so many bytes: dates and times.
    Temporal,
    /// A length-encoded integer, then so many bytes.
    LenEnc,
}

pub(super) fn layout(ty: ColumnType) -> Result<Layout> {
    use ColumnType as T;
    match ty {
        T::MYSQL_TYPE_NULL => Ok(Layout::Fixed(0)),
        T::MYSQL_TYPE_TINY => Ok(Layout::Fixed(1)),
        T::MYSQL_TYPE_SHORT | T::MYSQL_TYPE_YEAR => Ok(Layout::Fixed(2)),
        T::MYSQL_TYPE_LONG | T::MYSQL_TYPE_INT24 | T::MYSQL_TYPE_FLOAT => Ok(Layout::Fixed(4)),
        T::MYSQL_TYPE_LONGLONG | T::MYSQL_TYPE_DOUBLE => Ok(Layout::Fixed(8)),
        T::MYSQL_TYPE_DATE
        | T::MYSQL_TYPE_DATETIME
        | T::MYSQL_TYPE_TIMESTAMP
        | T::MYSQL_TYPE_TIME => Ok(Layout::Temporal),
        T::MYSQL_TYPE_DECIMAL
        | T::MYSQL_TYPE_NEWDECIMAL
        | T::MYSQL_TYPE_VARCHAR
        | T::MYSQL_TYPE_BIT
        | T::MYSQL_TYPE_VECTOR
        | T::MYSQL_TYPE_JSON
        | T::MYSQL_TYPE_ENUM
        | T::MYSQL_TYPE_SET
        | T::MYSQL_TYPE_TINY_BLOB
        | T::MYSQL_TYPE_MEDIUM_BLOB
        | T::MYSQL_TYPE_LONG_BLOB
        | T::MYSQL_TYPE_BLOB
        | T::MYSQL_TYPE_VAR_STRING
        | T::MYSQL_TYPE_STRING
        | T::MYSQL_TYPE_GEOMETRY => Ok(Layout::LenEnc),
        T::MYSQL_TYPE_NEWDATE
        | T::MYSQL_TYPE_TIMESTAMP2
        | T::MYSQL_TYPE_DATETIME2
        | T::MYSQL_TYPE_TIME2
        | T::MYSQL_TYPE_TYPED_ARRAY
        | T::MYSQL_TYPE_UNKNOWN => {
            Err(Error::protocol(format!("type code {} is not used on the wire", ty as u8)))
        }
    }
}

/// Reads a value of a type and returns its bytes, without the length in front.
pub(super) fn read<'a>(reader: &mut Reader<'a>, ty: ColumnType) -> Result<&'a [u8]> {
    match layout(ty)? {
        Layout::Fixed(len) => reader.bytes(len),
        Layout::Temporal | Layout::LenEnc => reader.lenenc_bytes(),
    }
}

/// Bytes of the bitmap for `bits` flags.
pub(super) fn bitmap_len(bits: usize) -> usize {
    bits.div_ceil(8)
}

/// Whether a bit of a bitmap is set.
pub(super) fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0)
}

pub(super) fn set_bit(bitmap: &mut [u8], index: usize) {
    if let Some(byte) = bitmap.get_mut(index / 8) {
        *byte |= 1 << (index % 8);
    }
}
