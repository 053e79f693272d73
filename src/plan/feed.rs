//! Plans of INSERT and REPLACE ... SELECT.

use std::sync::Arc;

use super::facts::{Columns, Stop};
use super::insert::{one_place, unsupported};
use super::model::{Analysis, same_name};
use super::planner::{Context, place};
use super::splice::Splice;
use super::types::{Feed, Plan, Source};
use crate::catalog::{Table, TableKind};
use crate::sql::expr::{ColumnName, ExprKind};
use crate::sql::query::Query;
use crate::sql::scanner::scan;
use crate::sql::span::Span;
use crate::sql::statement::{Insert, InsertRow};
use crate::sql::{Mode, Statement};

/// An INSERT and what is known of its table.
pub(super) struct Into<'x> {
    pub insert: &'x Insert,
    pub rows: Rows,
    pub table: Arc<Table>,
    pub columns: Option<&'x Columns>,
    /// How many columns it gives values to.
    pub width: Option<usize>,
}

/// What gives the rows of an INSERT.
pub(super) struct Rows {
    /// Where it stands, with VALUES.
    span: Span,
    /// As a query.
    query: Vec<u8>,
    /// It is one row, of which servers tell no info.
    is_one: bool,
}

impl Rows {
    pub(super) fn of_query(query: &Query, text: &[u8]) -> Self {
        let span = query.span;
        // MariaDB takes parentheses around WITH here, but not around a statement.
        let query = text.get(query.bare().span.range()).unwrap_or_default().to_vec();
        Self { span, query, is_one: false }
    }

    /// Rows with subqueries in them, as a query. None: they have no meaning in one.
    pub(super) fn of_values(
        (rows, span): (&[InsertRow], Span),
        text: &[u8],
        mode: &Mode,
    ) -> Option<Self> {
        let mut query = Vec::new();
        for row in rows {
            let mut has_default = false;
            for value in &row.values {
                value.walk(&mut |node| has_default |= matches!(node.kind, ExprKind::Default));
            }
            if has_default || row.values.is_empty() {
                return None;
            }
            let inner = Span { start: row.span.start + 1, end: row.span.end.checked_sub(1)? };
            query.extend_from_slice(if query.is_empty() {
                b"SELECT "
            } else {
                b" UNION ALL SELECT "
            });
            query.extend_from_slice(text.get(inner.range())?);
        }
        let tokens = scan(text, mode).ok()?.tokens;
        let keyword = tokens.iter().rev().find(|token| token.span.end <= span.start)?;
        Some(Self { span: keyword.span.to(span), query, is_one: rows.len() == 1 })
    }
}

pub(super) fn plan(
    into: &Into<'_>,
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
    found: &Analysis<'_>,
) -> Result<Plan, Stop> {
    let groups = found.groups();
    let place = place(found, &groups, context)?;
    let splice = Splice::base(text, found, true);
    let whole = one_place(place, splice.whole(statement.params));
    let direct = matches!(into.table.kind, TableKind::Single { .. });
    if into.insert.returning.is_some() && direct {
        return Ok(Plan::Write(whole));
    }
    if into.insert.returning.is_some() {
        return Err(unsupported(
            "RETURNING with INSERT ... SELECT into a sharded or broadcast table is not supported; read \
             the rows afterwards",
        ));
    }
    if !direct {
        own_columns(into)?;
    }
    let rows = into.rows.span;
    let head = text.get(..rows.start as usize).unwrap_or_default().to_vec();
    let end = Span { start: rows.end, end: text.len() as u32 };
    let params = |within: Span| -> Vec<u16> {
        let inside = found.params.iter().filter(|(span, _)| within.contains(*span));
        inside.map(|(_, index)| *index).collect()
    };
    let reads_itself = found.uses.iter().skip(1).any(|used| used.table == into.table);
    Ok(Plan::Feed(Box::new(Feed {
        whole,
        direct,
        source: Source {
            text: into.rows.query.clone(),
            mode: context.mode,
            schema: context.schema.map(str::to_owned),
        },
        params: params(rows),
        head,
        tail: text.get(end.range()).unwrap_or_default().to_vec(),
        tail_params: params(end),
        table: Arc::clone(&into.table),
        width: into.width,
        reads_first: reads_itself || found.locking || found.assigns_variables,
        told: !into.rows.is_one,
        on_duplicate: !into.insert.on_duplicate.is_empty(),
        ignore: into.insert.ignore,
    })))
}

/// ON DUPLICATE KEY UPDATE meets rows of which only the values are left, not what they were made of.
fn own_columns(into: &Into<'_>) -> Result<(), Stop> {
    let table = &into.insert.table.name.value;
    let is_own = |name: &ColumnName| match (&name.table, into.columns) {
        (Some(qualifier), _) => same_name(&qualifier.value, table),
        (None, Some(columns)) => {
            columns.columns.iter().any(|column| same_name(&column.name, &name.name.value))
        }
        (None, None) => true,
    };
    let mut foreign = None;
    for assignment in &into.insert.on_duplicate {
        assignment.value.walk(&mut |node| {
            if let ExprKind::Column(name) = &node.kind
                && !is_own(name)
            {
                foreign = Some(name.name.value.clone());
            }
        });
    }
    match foreign {
        None => Ok(()),
        Some(name) => Err(unsupported(format!(
            "ON DUPLICATE KEY UPDATE with the column `{name}` of the query is not supported over shards; \
             write VALUES(column) for the value that was to be inserted"
        ))),
    }
}
