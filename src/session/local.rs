//! Result sets that Margay makes itself.

use bytes::{Bytes, BytesMut};

use super::Session;
use crate::execute::Reply;
use crate::execute::reply::Rows;
use crate::protocol::capability::{ColumnFlags, ColumnType};
use crate::protocol::charset::Collation;
use crate::protocol::column::Column;
use crate::protocol::row::put_text_value;

/// A column of a local result: its name and type.
#[derive(Clone, Copy)]
pub(super) enum Heading<'a> {
    Text(&'a str),
    /// BIGINT UNSIGNED
    Number(&'a str),
    /// INT UNSIGNED
    Code(&'a str),
}

impl Session {
    /// A result set of text rows, in the client's collation.
    pub(super) fn rows(&self, headings: &[Heading<'_>], rows: Vec<Vec<Option<Vec<u8>>>>) -> Reply {
        let mut columns: Vec<Column> = headings.iter().map(column).collect();
        self.state.dress(&mut columns);
        Reply::Rows(Rows::local(columns, rows.iter().map(|row| text_row(row))))
    }
}

fn column(heading: &Heading<'_>) -> Column {
    match heading {
        Heading::Text(name) => {
            let utf8 = Collation::default_of("utf8mb4").map_or(45, |collation| collation.id);
            let mut column =
                Column::computed(name.as_bytes().to_vec(), ColumnType::MYSQL_TYPE_VAR_STRING, utf8);
            column.length = 1024;
            // As servers have it for text without a number of decimals.
            column.decimals = 31;
            column
        }
        Heading::Number(name) => number(name, ColumnType::MYSQL_TYPE_LONGLONG, 21),
        Heading::Code(name) => number(name, ColumnType::MYSQL_TYPE_LONG, 4),
    }
}

fn number(name: &str, ty: ColumnType, length: u32) -> Column {
    let mut column = Column::computed(name.as_bytes().to_vec(), ty, BINARY);
    column.length = length;
    column.flags = ColumnFlags::UNSIGNED_FLAG | ColumnFlags::BINARY_FLAG;
    column
}

/// Collation id of numbers and bytes.
const BINARY: u16 = 63;

pub(super) fn text_row(cells: &[Option<Vec<u8>>]) -> Bytes {
    let mut row = BytesMut::new();
    cells.iter().for_each(|cell| put_text_value(&mut row, cell.as_deref()));
    row.freeze()
}

/// A cell of text.
pub(super) fn cell(text: impl Into<Vec<u8>>) -> Option<Vec<u8>> {
    Some(text.into())
}
