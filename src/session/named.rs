//! PREPARE, EXECUTE and DEALLOCATE PREPARE as SQL.

use super::Session;
use super::into::own_error;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::inline;
use crate::execute::run::Call;
use crate::execute::{Reply, Summary};
use crate::sql::expr::{Expr, ExprKind, Literal};
use crate::sql::statement::{Execute, ExecuteSource, Statement, StatementKind};
use crate::sql::{self, Mode};

/// A statement that `PREPARE name FROM ...` has prepared.
#[derive(Clone)]
pub(super) struct Named {
    text: Vec<u8>,
    statement: Statement,
    /// The schema and the sql_mode that its text means.
    schema: Option<String>,
    mode: Mode,
}

impl Session {
    pub(super) async fn prepare_named(
        &mut self,
        text: &[u8],
        name: &str,
        from: &Expr,
    ) -> Result<Reply> {
        let name = name.to_lowercase();
        // As in MySQL it is gone, whatever becomes of the new one.
        self.prepared.named.remove(&name);
        let named = self.named(text, from).await?;
        self.check_prepared_count()?;
        self.describe_any(&named.text, &named.statement).await?;
        self.prepared.named.insert(name, named);
        let info = b"Statement prepared".to_vec();
        Ok(Reply::Done(Summary { info, ..Summary::default() }))
    }

    pub(super) async fn execute_named(&mut self, text: &[u8], execute: &Execute) -> Result<Reply> {
        let named = match &execute.source {
            ExecuteSource::Immediate(from) => self.named(text, from).await?,
            ExecuteSource::Name(name) => {
                let found = self.prepared.named.get(&name.value.to_lowercase());
                found.cloned().ok_or_else(|| unknown(&name.value, "EXECUTE"))?
            }
        };
        let mut values = Vec::with_capacity(execute.using.len());
        for value in &execute.using {
            values.push(self.value_for(text, value).await?);
        }
        let (text, statement) = inline::inline(&named.text, &named.statement, &named.mode, values)?;
        let mode = named.mode;
        let present = (std::mem::replace(&mut self.schema, named.schema), self.mode);
        let in_schema = self.schema.clone();
        self.mode = mode;
        let reply = Box::pin(self.statement(&text, &statement, Call::Text)).await;
        // The statement may have changed them itself.
        if self.mode == mode {
            self.mode = present.1;
        }
        if self.schema == in_schema {
            self.schema = present.0;
        }
        reply
    }

    pub(super) fn deallocate_named(&mut self, name: &str) -> Result<Reply> {
        match self.prepared.named.remove(&name.to_lowercase()) {
            Some(_) => Ok(Reply::Done(Summary::default())),
            None => Err(unknown(name, "DEALLOCATE PREPARE")),
        }
    }

    /// The statement that a string or a variable holds.
    async fn named(&mut self, text: &[u8], from: &Expr) -> Result<Named> {
        let text = match &from.kind {
            ExprKind::Literal(Literal::String { bytes, .. }) => bytes.clone(),
            _ => {
                let value = self.value_for(text, from).await?;
                match sql::parse(&[b"SELECT ".as_slice(), &value].concat(), &self.mode)?.kind {
                    StatementKind::Query(query) => literal_text(&query).unwrap_or(value),
                    _ => value,
                }
            }
        };
        let statement = sql::parse(&text, &self.mode)?;
        match &statement.kind {
            StatementKind::Prepare { .. }
            | StatementKind::Execute(_)
            | StatementKind::Deallocate(_) => Err(not_preparable()),
            StatementKind::Empty => Err(Error::new(ErrorKind::EmptyQuery, "Query was empty")),
            _ => {
                self.authorize(&statement)?;
                let (schema, mode) = (self.schema.clone(), self.mode);
                Ok(Named { text, statement, schema, mode })
            }
        }
    }

    /// The value of a user variable or another expression as a literal.
    async fn value_for(&mut self, text: &[u8], value: &Expr) -> Result<Vec<u8>> {
        let literal = match &value.kind {
            ExprKind::UserVariable(name) => {
                let variables = &self.state.base().user_variables;
                variables.get(&name.to_ascii_lowercase()).cloned()
            }
            _ => Some(self.value_of(text, value).await?),
        };
        let literal = literal.unwrap_or_else(|| "NULL".to_owned());
        Ok(plain(&literal).unwrap_or_else(|| literal.into_bytes()))
    }
}

/// The form in which an application would have written a variable's literal. None: as it is.
fn plain(literal: &str) -> Option<Vec<u8>> {
    if let Some(number) = literal.strip_prefix("CAST(") {
        return number.strip_suffix(" AS UNSIGNED)").map(|number| number.as_bytes().to_vec());
    }
    let (_, hex) = literal.strip_prefix('_')?.split_once(" X'")?;
    let (hex, _) = hex.split_once('\'')?;
    let bytes = bytes_of(hex)?;
    // Others keep their collation, and with it their character set.
    let text = inline::text(&bytes, "");
    (!text.starts_with(b"_")).then_some(text)
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

/// The bytes of a SELECT's one literal.
fn literal_text(query: &sql::query::Query) -> Option<Vec<u8>> {
    use sql::query::{Body, SelectItemKind};
    let Body::Select(select) = &query.body else { return None };
    let [item] = select.items.as_slice() else { return None };
    let SelectItemKind::Expr { expr, .. } = &item.kind else { return None };
    let mut found = None;
    expr.walk(&mut |node: &Expr| {
        if let ExprKind::Literal(Literal::String { bytes, .. } | Literal::Hex { bytes, .. }) =
            &node.kind
        {
            found = Some(bytes.clone());
        }
    });
    found
}

pub(super) fn not_preparable() -> Error {
    Error::new(
        ErrorKind::NotPreparable,
        "This command is not supported in the prepared statement protocol yet",
    )
}

fn unknown(name: &str, command: &str) -> Error {
    let message = format!("Unknown prepared statement handler ({name}) given to {command}");
    own_error(1243, b"HY000", &message)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn variables_as_plain_literals() {
        let check = |literal: &str, expect: Option<&str>| {
            assert_eq!(plain(literal).as_deref(), expect.map(str::as_bytes), "{literal}");
        };
        check("5", None);
        check("CAST(5 AS UNSIGNED)", Some("5"));
        check("_utf8mb4 X'61' COLLATE utf8mb4_bin", Some("'a'"));
        check("_utf8mb4 X'C3A4' COLLATE utf8mb4_bin", None);
        check("X'61'", None);
    }
}
