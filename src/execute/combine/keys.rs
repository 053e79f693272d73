//! Lists of values of a column, put into later statements as conditions.

use std::collections::BTreeSet;

use super::column::{Definition, Form};
use super::tuple::put_plain;
use crate::error::{Error, Result};
use crate::plan::combine::Stage;
use crate::protocol::column::Column;
use crate::protocol::row::BinaryValues;
use crate::sql::quote;

/// The different values of a column, as literals; NULL equals nothing and is left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    pub(super) column: usize,
    limit: usize,
    /// None: too many, or of a type that is not compared by its literals.
    literals: Option<BTreeSet<Vec<u8>>>,
}

impl Values {
    pub(super) fn new(column: usize, limit: usize, definition: Option<&Definition>) -> Self {
        let listable = definition.is_some_and(Definition::is_listable);
        Self { column, limit, literals: listable.then(BTreeSet::new) }
    }

    fn take(&mut self, definition: &Definition, value: Option<&[u8]>) -> Result<()> {
        let (Some(literals), Some(value)) = (&mut self.literals, value) else { return Ok(()) };
        literals.insert(literal(definition, value)?);
        if literals.len() > self.limit {
            self.literals = None;
        }
        Ok(())
    }

    /// ` AND expr IN (values)`.
    fn condition(&self, expr: &str) -> Vec<u8> {
        let Some(literals) = &self.literals else { return Vec::new() };
        if literals.is_empty() {
            return b" AND FALSE".to_vec();
        }
        let mut out = format!(" AND {expr} IN (").into_bytes();
        for (index, literal) in literals.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(literal);
        }
        out.push(b')');
        out
    }
}

/// Takes the values of a row for all lists that are made of it.
pub(super) fn take_row(
    lists: &mut [Values],
    row: &[u8],
    columns: &[Column],
    definitions: &[Definition],
) -> Result<()> {
    if lists.is_empty() {
        return Ok(());
    }
    for (index, value) in BinaryValues::new(row, columns)?.enumerate() {
        let value = value?;
        let Some(definition) = definitions.get(index) else { continue };
        for list in lists.iter_mut().filter(|list| list.column == index) {
            list.take(definition, value)?;
        }
    }
    Ok(())
}

/// A literal that every server reads alike, whatever the session's sql_mode and character set.
fn literal(definition: &Definition, value: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    match definition.form {
        Form::Integer { .. } | Form::Float | Form::Double | Form::Decimal => {
            put_plain(&mut out, definition.form, value)?;
        }
        Form::Date | Form::DateTime | Form::Local | Form::Moment { .. } | Form::Time => {
            out.push(b'\'');
            put_plain(&mut out, definition.form, value)?;
            out.push(b'\'');
        }
        Form::Json | Form::Bytes | Form::Null => {
            if let Some(charset) = definition.charset() {
                out.extend_from_slice(format!("_{charset} ").as_bytes());
            }
            out.extend_from_slice(&quote::hex(value));
        }
    }
    Ok(out)
}

/// The stage's text with its conditions. `values` gives those of a column of a step.
pub(super) fn filled<'v>(
    stage: &Stage,
    values: impl Fn(usize, usize) -> Option<&'v Values>,
) -> Result<Vec<u8>> {
    let mut text = Vec::with_capacity(stage.text.len());
    let mut copied = 0;
    for key in &stage.keys {
        let at = key.at as usize;
        let Some(before) = stage.text.get(copied..at) else {
            return Err(Error::internal("conditions of a combined plan that are out of order"));
        };
        text.extend_from_slice(before);
        copied = at;
        if let Some(values) = values(key.step, key.column) {
            text.extend_from_slice(&values.condition(&key.expr));
        }
    }
    text.extend_from_slice(stage.text.get(copied..).unwrap_or_default());
    Ok(text)
}
