//! Column definitions as bytes, for those that pass with little change.

use bytes::{BufMut, BytesMut};

use super::column::parse_type;
use super::read::Reader;
use super::write::put_lenenc_bytes;
use crate::error::{Error, Result};

/// Bytes of the fixed part behind the names, of which the collation is first.
const FIXED_LEN: usize = 12;

/// A column definition that was looked through: it can be parsed as a [`Column`](super::column::Column).
#[derive(Debug, Clone, Copy)]
pub struct Definition<'a> {
    payload: &'a [u8],
    catalog: &'a [u8],
    pub schema: &'a [u8],
    /// The table's alias in the statement.
    pub table: &'a [u8],
    pub org_table: &'a [u8],
    /// The column's two names and the fixed part, with the lengths in front of each.
    rest: &'a [u8],
    /// A collation id.
    pub charset: u16,
}

/// What stands in place of parts of a definition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes<'a> {
    pub schema: Option<&'a [u8]>,
    pub table: Option<&'a [u8]>,
    pub org_table: Option<&'a [u8]>,
    pub charset: Option<u16>,
}

impl<'a> Definition<'a> {
    pub fn parse(payload: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let (catalog, schema) = (reader.lenenc_bytes()?, reader.lenenc_bytes()?);
        let (table, org_table) = (reader.lenenc_bytes()?, reader.lenenc_bytes()?);
        let rest = reader.peek_rest();
        // The column's alias and name.
        reader.lenenc_bytes()?;
        reader.lenenc_bytes()?;
        let fixed = reader.lenenc()?;
        if fixed != FIXED_LEN as u64 {
            return Err(Error::protocol(format!(
                "malformed column definition: {fixed} bytes of fields where {FIXED_LEN} were due"
            )));
        }
        let charset = reader.u16()?;
        // The longest value.
        reader.u32()?;
        parse_type(reader.u8()?)?;
        // Flags, decimals and two bytes that mean nothing.
        reader.skip(5)?;
        reader.end("column definition")?;
        Ok(Self { payload, catalog, schema, table, org_table, rest, charset })
    }

    /// Appends the definition with these changes.
    pub fn put(&self, out: &mut BytesMut, changes: Changes<'_>) {
        let Changes { schema, table, org_table, charset } = changes;
        if schema.is_none() && table.is_none() && org_table.is_none() {
            out.put_slice(self.payload);
        } else {
            put_lenenc_bytes(out, self.catalog);
            put_lenenc_bytes(out, schema.unwrap_or(self.schema));
            put_lenenc_bytes(out, table.unwrap_or(self.table));
            put_lenenc_bytes(out, org_table.unwrap_or(self.org_table));
            out.put_slice(self.rest);
        }
        let at = out.len() - FIXED_LEN;
        if let (Some(charset), Some(place)) = (charset, out.get_mut(at..at + 2)) {
            place.copy_from_slice(&charset.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::protocol::capability::ColumnType;
    use crate::protocol::column::Column;

    fn column() -> Column {
        let mut column = Column::computed("alias", ColumnType::MYSQL_TYPE_VAR_STRING, 45);
        column.schema = Bytes::from_static(b"shop_0");
        column.table = Bytes::from_static(b"o");
        column.org_table = Bytes::from_static(b"orders_1");
        column.org_name = Bytes::from_static(b"name");
        column
    }

    /// Changing the bytes gives what changing the column gives.
    fn check(changes: Changes<'_>) {
        let mut expect = column();
        let mut payload = BytesMut::new();
        expect.put(&mut payload);
        let definition = Definition::parse(&payload).unwrap();
        assert_eq!((definition.schema, definition.table), (&b"shop_0"[..], &b"o"[..]));
        assert_eq!((definition.org_table, definition.charset), (&b"orders_1"[..], 45));
        let mut out = BytesMut::from(&b"before"[..]);
        definition.put(&mut out, changes);
        let set = |to: &mut Bytes, from: Option<&[u8]>| {
            if let Some(from) = from {
                *to = Bytes::copy_from_slice(from);
            }
        };
        set(&mut expect.schema, changes.schema);
        set(&mut expect.table, changes.table);
        set(&mut expect.org_table, changes.org_table);
        expect.charset = changes.charset.unwrap_or(expect.charset);
        assert_eq!(Column::parse(&out.freeze().slice(6..)).unwrap(), expect, "{changes:?}");
    }

    #[test]
    fn changes_in_place() {
        check(Changes::default());
        check(Changes { charset: Some(255), ..Changes::default() });
        check(Changes { schema: Some(b"shop"), ..Changes::default() });
        check(Changes {
            schema: Some(b""),
            table: Some(b"a_longer_name_than_before"),
            org_table: Some(b"orders"),
            charset: Some(8),
        });
    }

    #[test]
    fn what_is_no_column_is_no_definition() {
        let mut payload = BytesMut::new();
        column().put(&mut payload);
        for len in 0..payload.len() {
            assert!(Definition::parse(&payload[..len]).is_err(), "{len}");
            assert!(Column::parse(&Bytes::copy_from_slice(&payload[..len])).is_err(), "{len}");
        }
        payload.put_u8(0);
        assert!(Definition::parse(&payload).is_err());
    }
}
