//! Rows of an answer as literals that any statement may hold.

use super::column::{self, Definition, Form};
use super::tuple::put_literal;
use crate::error::{Error, Result};
use crate::plan::facts::ColumnClass;
use crate::protocol::column::Column;
use crate::protocol::row::BinaryValues;
use crate::sql::quote;

/// The columns of an answer whose rows come in binary, in the sessions of
/// [`for_literals`](crate::execute::ClientState::for_literals).
pub(in crate::execute) struct Shape {
    columns: Vec<Column>,
    definitions: Vec<Definition>,
}

impl Shape {
    pub(in crate::execute) fn new(columns: &[Column]) -> Result<Self> {
        let definitions = column::definitions(columns, &[], &[])?;
        Ok(Self { columns: columns.to_vec(), definitions })
    }

    pub(in crate::execute) fn width(&self) -> usize {
        self.columns.len()
    }

    /// As [`Shape::literals`], with the types of the values: expressions may hold them.
    pub(in crate::execute) fn typed(&self, row: &[u8]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut row = self.literals(row)?;
        for (literal, definition) in row.iter_mut().zip(&self.definitions) {
            if let Some(literal) = literal {
                with_type(literal, definition);
            }
        }
        Ok(row)
    }

    /// The values of a row as literals that are stored as the values would be, whatever the session's
    /// sql_mode and character set. None: NULL.
    pub(in crate::execute) fn literals(&self, row: &[u8]) -> Result<Vec<Option<Vec<u8>>>> {
        let values = BinaryValues::new(row, &self.columns)?;
        let paired = values.zip(&self.definitions);
        paired
            .map(|(value, definition)| value?.map(|it| literal(definition, it)).transpose())
            .collect()
    }
}

fn literal(definition: &Definition, value: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    match definition.form {
        Form::Integer { .. }
        | Form::Float
        | Form::Double
        | Form::Decimal
        | Form::Date
        | Form::DateTime
        | Form::Local
        | Form::Moment { .. }
        | Form::Time => put_literal(&mut out, definition.form, value)?,
        Form::Null => out.extend_from_slice(b"NULL"),
        Form::Bytes if *definition.class() == ColumnClass::Bit => {
            let mut bytes = [0; 8];
            let start = bytes.len().checked_sub(value.len());
            let place = start.and_then(|start| bytes.get_mut(start..));
            let place = place.ok_or_else(|| Error::protocol("a BIT of more than 64 bits"))?;
            place.copy_from_slice(value);
            out.extend_from_slice(u64::from_be_bytes(bytes).to_string().as_bytes());
        }
        Form::Json => text(&mut out, "utf8mb4", value),
        Form::Bytes => text(&mut out, definition.charset().unwrap_or("binary"), value),
    }
    Ok(out)
}

/// Dates as dates and documents as documents, not as texts. A date with zeros in it is no literal.
fn with_type(literal: &mut Vec<u8>, definition: &Definition) {
    let is_zero = literal.starts_with(b"'0000") || literal.windows(3).any(|part| part == b"-00");
    let open: &[u8] = match definition.form {
        Form::Date if !is_zero => b"DATE",
        Form::DateTime | Form::Local if !is_zero => b"TIMESTAMP",
        Form::Time => b"TIME",
        Form::Json => {
            *literal = [b"CAST(".as_slice(), literal, b" AS JSON)"].concat();
            return;
        }
        _ => return,
    };
    literal.splice(0..0, open.iter().copied());
}

fn text(out: &mut Vec<u8>, charset: &str, value: &[u8]) {
    out.extend_from_slice(format!("_{charset} ").as_bytes());
    // What no sql_mode and no character set reads otherwise stays as it is.
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !b"'\\\"".contains(byte);
    if value.iter().all(is_plain) {
        out.push(b'\'');
        out.extend_from_slice(value);
        out.push(b'\'');
    } else {
        out.extend_from_slice(&quote::hex(value));
    }
}
