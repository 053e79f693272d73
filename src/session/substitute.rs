//! Functions that tell of the session, put into the text as values.
//!
//! A session moves between backend connections, so `LAST_INSERT_ID()`, `DATABASE()` and their like
//! would answer for a connection that other sessions use too. Their values are spliced into the text;
//! a select item whose text changes gets its old text as its name.

use super::consistency::CONSISTENCY;
use crate::error::Result;
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::quote;
use crate::sql::splice::Splices;
use crate::sql::statement::Statement;
use crate::sql::walk::{self, Node};

/// What the functions answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) connection_id: u32,
    /// `name@host`.
    pub(super) user: String,
    /// `name@%`: the account that let the client in.
    pub(super) account: String,
    pub(super) schema: Option<String>,
    pub(super) last_insert_id: u64,
    pub(super) row_count: i64,
    pub(super) found_rows: u64,
    pub(super) warning_count: u64,
    pub(super) error_count: u64,
    pub(super) server_version: String,
    pub(super) select_limit: Option<u64>,
    pub(super) wait_timeout: Option<u64>,
    /// The level of `margay_read_consistency`.
    pub(super) reads: &'static str,
}

/// The text with values in place of session functions. None: there are none in it.
pub(super) fn substitute(
    text: &[u8],
    statement: &Statement,
    facts: &Facts,
) -> Result<Option<Vec<u8>>> {
    let mut found: Vec<(&Expr, Vec<u8>)> = Vec::new();
    let mut items: Vec<&Expr> = Vec::new();
    walk::statement(statement, &mut |node| match node {
        Node::Expr(expr) => found.extend(value(expr, facts).map(|value| (expr, value))),
        Node::UnnamedItem(expr) => items.push(expr),
        Node::Query(_) | Node::Table(_) => {}
    });
    if found.is_empty() {
        return Ok(None);
    }
    let mut splices = Splices::new();
    for item in items {
        if found.iter().any(|(expr, _)| item.span.contains(expr.span)) {
            let name = text.get(item.span.range()).unwrap_or_default();
            let alias = [b" AS ".as_slice(), &quote::identifier(name)].concat();
            splices.insert(item.span.end, alias);
        }
    }
    for (expr, value) in found {
        splices.replace(expr.span, value);
    }
    splices.apply(text).map(Some)
}

fn value(expr: &Expr, facts: &Facts) -> Option<Vec<u8>> {
    match &expr.kind {
        ExprKind::Function(function) if function.args.is_empty() => {
            Some(match function.name.as_str() {
                "last_insert_id" => unsigned(facts.last_insert_id),
                "connection_id" => {
                    format!("CAST({} AS UNSIGNED)", facts.connection_id).into_bytes()
                }
                "found_rows" => signed(&facts.found_rows.to_string()),
                "row_count" => signed(&facts.row_count.to_string()),
                "database" | "schema" => match &facts.schema {
                    Some(schema) => text(schema),
                    None => b"NULL".to_vec(),
                },
                "user" | "session_user" | "system_user" => text(&facts.user),
                "current_user" => text(&facts.account),
                "version" => text(&facts.server_version),
                _ => return None,
            })
        }
        ExprKind::SystemVariable(name) => match bare_name(name) {
            "identity" | "last_insert_id" => Some(unsigned(facts.last_insert_id)),
            "pseudo_thread_id" => Some(unsigned(u64::from(facts.connection_id))),
            "version" => Some(text(&facts.server_version)),
            "sql_select_limit" => facts.select_limit.map(unsigned),
            "wait_timeout" => facts.wait_timeout.map(unsigned),
            CONSISTENCY => Some(text(facts.reads)),
            "warning_count" => Some(unsigned(facts.warning_count)),
            "error_count" => Some(unsigned(facts.error_count)),
            _ => None,
        },
        _ => None,
    }
}

/// `session.identity` and `identity` are one variable.
fn bare_name(name: &str) -> &str {
    let name = name.trim_start_matches('@');
    match name.split_once('.') {
        Some((scope, rest)) if scope.eq_ignore_ascii_case("session") => rest,
        Some((scope, rest)) if scope.eq_ignore_ascii_case("global") && rest == "version" => rest,
        _ => name,
    }
}

/// BIGINT UNSIGNED, as the functions are: the function with an argument answers it, in the function's
/// own type. That it sets the backend connection's id harms nobody, since nobody asks it.
fn unsigned(value: u64) -> Vec<u8> {
    format!("LAST_INSERT_ID({value})").into_bytes()
}

/// BIGINT on every server, whatever the size of the number.
fn signed(value: &str) -> Vec<u8> {
    const BIG: &str = "4000000000000000000";
    format!("({value} + {BIG} - {BIG})").into_bytes()
}

fn text(value: &str) -> Vec<u8> {
    quote::text(value.as_bytes())
}
