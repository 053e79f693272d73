//! Lists of values of a column, put into later statements as conditions.

use std::collections::BTreeSet;

use super::column::{Definition, Form};
use super::tuple::put_literal;
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
    /// They are whole numbers.
    exact: bool,
    /// None: too many, or of a type that is not compared by its literals.
    literals: Option<BTreeSet<Vec<u8>>>,
}

impl Values {
    pub(super) fn new(column: usize, limit: usize, definition: Option<&Definition>) -> Self {
        let listable = definition.is_some_and(Definition::is_listable);
        let form = definition.map(|definition| definition.form);
        let exact = matches!(form, Some(Form::Integer { .. }));
        Self { column, limit, exact, literals: listable.then(BTreeSet::new) }
    }

    fn count(&self) -> Option<usize> {
        self.literals.as_ref().map(BTreeSet::len)
    }

    fn take(&mut self, definition: &Definition, value: Option<&[u8]>) -> Result<()> {
        let (Some(literals), Some(value)) = (&mut self.literals, value) else { return Ok(()) };
        literals.insert(literal(definition, value)?);
        if literals.len() > self.limit {
            self.literals = None;
        }
        Ok(())
    }

    /// ` AND expr IN (values)`. `first`: rows are found by it; other conditions only filter them.
    fn condition(&self, expr: &str, first: bool) -> Vec<u8> {
        let Some(literals) = &self.literals else { return Vec::new() };
        if literals.is_empty() {
            return b" AND FALSE".to_vec();
        }
        // No index is looked into for a sum.
        let sum = if self.exact && !first { " + 0" } else { "" };
        let mut out = format!(" AND {expr}{sum} IN (").into_bytes();
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
        Form::Integer { .. }
        | Form::Float
        | Form::Double
        | Form::Decimal
        | Form::Date
        | Form::DateTime
        | Form::Local
        | Form::Moment { .. }
        | Form::Time => put_literal(&mut out, definition.form, value)?,
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
        if let Some(list) = values(key.step, key.column) {
            // Of several columns of the same rows, the one with the fewest values finds them. Lists for
            // several columns of one index would multiply, until the server uses none of them.
            let others = stage.keys.iter().filter(|other| other.step == key.step);
            let best = others.min_by_key(|other| {
                values(other.step, other.column).and_then(Values::count).unwrap_or(usize::MAX)
            });
            text.extend_from_slice(&list.condition(&key.expr, best == Some(key)));
        }
    }
    text.extend_from_slice(stage.text.get(copied..).unwrap_or_default());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::combine::KeyList;

    fn list(column: usize, exact: bool, values: &[&str]) -> Values {
        let literals = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        Values { column, limit: 10, exact, literals: Some(literals) }
    }

    fn check(lists: &[Values], expect: &str) {
        let text = "SELECT 1 FROM t WHERE TRUE ORDER BY a".to_owned();
        let at = "SELECT 1 FROM t WHERE TRUE".len() as u32;
        let key =
            |(column, expr): (usize, &str)| KeyList { at, expr: expr.to_owned(), step: 0, column };
        let keys = ["a", "b"].into_iter().enumerate().map(key).collect();
        let stage = Stage { text: text.into_bytes(), keys, ..Stage::default() };
        let values = |_, column| lists.iter().find(|list| list.column == column);
        let filled = filled(&stage, values).unwrap();
        assert_eq!(String::from_utf8_lossy(&filled), expect);
    }

    #[test]
    fn the_shortest_list_finds_rows() {
        check(
            &[list(0, true, &["1", "2"]), list(1, true, &["7"])],
            "SELECT 1 FROM t WHERE TRUE AND a + 0 IN (1,2) AND b IN (7) ORDER BY a",
        );
        check(
            &[list(0, true, &["1"]), list(1, false, &["'x'", "'y'"])],
            "SELECT 1 FROM t WHERE TRUE AND a IN (1) AND b IN ('x','y') ORDER BY a",
        );
        check(&[list(0, true, &["1"])], "SELECT 1 FROM t WHERE TRUE AND a IN (1) ORDER BY a");
        check(
            &[list(0, true, &[]), list(1, true, &["7"])],
            "SELECT 1 FROM t WHERE TRUE AND FALSE AND b + 0 IN (7) ORDER BY a",
        );
    }
}
