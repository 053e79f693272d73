//! Column definitions.

use bytes::{BufMut, Bytes, BytesMut};

use super::capability::{ColumnFlags, ColumnType};
use super::read::Reader;
use super::reply::slice;
use super::write::{put_lenenc, put_lenenc_bytes, put_lenenc_bytes_or_null};
use crate::error::{Error, Result};

/// Bytes of the fixed part behind the names.
const FIXED_LEN: u64 = 12;

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Always `def`.
    pub catalog: Bytes,
    pub schema: Bytes,
    /// The table's alias in the statement.
    pub table: Bytes,
    pub org_table: Bytes,
    /// The column's alias in the statement.
    pub name: Bytes,
    pub org_name: Bytes,
    /// A collation id; 63 (binary) for all that is not text.
    pub charset: u16,
    /// The most bytes that a value takes as text.
    pub length: u32,
    pub ty: ColumnType,
    pub flags: ColumnFlags,
    /// Digits behind the point; 31 where they vary.
    pub decimals: u8,
}

impl Column {
    /// A column of an answer that no table stands behind; its length is that of the longest value
    /// of `ty`, or 1024 characters of text.
    pub fn computed(name: impl Into<Bytes>, ty: ColumnType, charset: u16) -> Self {
        Self {
            catalog: Bytes::from_static(b"def"),
            schema: Bytes::new(),
            table: Bytes::new(),
            org_table: Bytes::new(),
            name: name.into(),
            org_name: Bytes::new(),
            charset,
            length: if ty.is_numeric_type() { 21 } else { 4096 },
            ty,
            flags: ColumnFlags::empty(),
            decimals: 0,
        }
    }

    pub fn unsigned(&self) -> bool {
        self.flags.contains(ColumnFlags::UNSIGNED_FLAG)
    }

    pub fn put(&self, out: &mut BytesMut) {
        let names =
            [&self.catalog, &self.schema, &self.table, &self.org_table, &self.name, &self.org_name];
        names.into_iter().for_each(|name| put_lenenc_bytes(out, name));
        put_lenenc(out, FIXED_LEN);
        out.put_u16_le(self.charset);
        out.put_u32_le(self.length);
        out.put_u8(self.ty.into());
        out.put_u16_le(self.flags.bits());
        out.put_u8(self.decimals);
        out.put_u16_le(0);
    }

    /// Appends the form that answers COM_FIELD_LIST, with the column's default value at the end.
    pub fn put_with_default(&self, out: &mut BytesMut, default: Option<&[u8]>) {
        self.put(out);
        put_lenenc_bytes_or_null(out, default);
    }

    pub fn parse(payload: &Bytes) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let column = Self::read(payload, &mut reader)?;
        reader.end("column definition")?;
        Ok(column)
    }

    /// Parses a definition that answers COM_FIELD_LIST, and the column's default value.
    pub fn parse_with_default(payload: &Bytes) -> Result<(Self, Option<Bytes>)> {
        let mut reader = Reader::new(payload);
        let column = Self::read(payload, &mut reader)?;
        let default = if reader.is_empty() { None } else { reader.lenenc_bytes_or_null()? };
        reader.end("column definition")?;
        Ok((column, default.map(|value| slice(payload, value))))
    }

    fn read(payload: &Bytes, reader: &mut Reader<'_>) -> Result<Self> {
        let mut name = || reader.lenenc_bytes().map(|name| slice(payload, name));
        let (catalog, schema, table) = (name()?, name()?, name()?);
        let (org_table, name, org_name) = (name()?, name()?, name()?);
        let fixed = reader.lenenc()?;
        if fixed != FIXED_LEN {
            return Err(Error::protocol(format!(
                "malformed column definition: {fixed} bytes of fields where 12 were due"
            )));
        }
        let charset = reader.u16()?;
        let length = reader.u32()?;
        let ty = parse_type(reader.u8()?)?;
        let flags = ColumnFlags::from_bits_retain(reader.u16()?);
        let decimals = reader.u8()?;
        reader.skip(2)?;
        Ok(Self {
            catalog,
            schema,
            table,
            org_table,
            name,
            org_name,
            charset,
            length,
            ty,
            flags,
            decimals,
        })
    }
}

pub(super) fn parse_type(code: u8) -> Result<ColumnType> {
    ColumnType::try_from(code).map_err(|_| Error::protocol(format!("unknown type code {code}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT id AS i FROM shop.orders o`, from MySQL 8.4.
    const ID: &[u8] =
        b"\x03def\x04shop\x01o\x06orders\x01i\x02id\x0c\x3f\0\x14\0\0\0\x08\x03\x42\0\0\0";

    #[test]
    fn a_column_on_the_wire() {
        let column = Column::parse(&Bytes::from_static(ID)).unwrap();
        assert_eq!((&column.schema[..], &column.table[..]), (&b"shop"[..], &b"o"[..]));
        assert_eq!((&column.org_table[..], &column.name[..]), (&b"orders"[..], &b"i"[..]));
        assert_eq!((&column.org_name[..], column.charset, column.length), (&b"id"[..], 63, 20));
        assert_eq!(column.ty, ColumnType::MYSQL_TYPE_LONGLONG);
        assert!(column.flags.contains(ColumnFlags::PRI_KEY_FLAG) && !column.unsigned());
        let mut out = BytesMut::new();
        column.put(&mut out);
        assert_eq!(out, ID);
    }

    #[test]
    fn defaults_of_com_field_list() {
        let column = Column::computed("c", ColumnType::MYSQL_TYPE_VAR_STRING, 45);
        for default in [None, Some(&b""[..]), Some(b"7")] {
            let mut out = BytesMut::new();
            column.put_with_default(&mut out, default);
            let payload = out.freeze();
            let (parsed, found) = Column::parse_with_default(&payload).unwrap();
            assert_eq!((&parsed, found.as_deref()), (&column, default));
            assert!(Column::parse(&payload).is_err());
        }
    }

    #[test]
    fn broken_columns_are_refused() {
        let check = |from: usize, byte: u8, expect: &str| {
            let mut payload = ID.to_vec();
            payload[from] = byte;
            let error = Column::parse(&payload.into()).unwrap_err();
            assert_eq!(error.message(), expect);
        };
        let at = ID.len();
        check(at - 6, 30, "unknown type code 30");
        check(at - 13, 9, "malformed column definition: 9 bytes of fields where 12 were due");
        check(0, 0xfb, "malformed packet: 0xfb does not start a length-encoded integer");
    }
}
