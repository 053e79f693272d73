//! ON DUPLICATE KEY UPDATE of the columns by which rows are placed: the row that is in the way may have to
//! move. It is found by the key that says so, and then written as by an UPDATE.

use std::sync::Arc;

use super::facts::{Columns, Stop};
use super::functions::{self, Nature};
use super::insert::unsupported;
use super::model::{Analysis, same_name};
use super::moves::is_key;
use super::pick::{self, Key, Pick, Piece, Relocation};
use super::planner::Context;
use super::splice::quoted;
use super::types::Source;
use crate::catalog::Table;
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::span::Span;
use crate::sql::statement::{ColumnAssignment, Insert, InsertSource};

/// What becomes of a row that is in the way.
#[derive(Debug, Clone)]
pub struct Upsert {
    /// Its one target is the UPDATE; the query is not set. Behind its keys come the values of `values`.
    pub pick: Pick,
    pub relocation: Relocation,
    /// Columns of the row that was to be inserted whose values the UPDATE takes, quoted.
    pub values: Vec<String>,
}

/// None: no key is assigned, or only what leaves the row on its shard.
pub(super) fn plan(
    insert: &Insert,
    text: &[u8],
    context: &Context<'_>,
    found: &Analysis<'_>,
    (table, columns): (&Arc<Table>, &Arc<Columns>),
) -> Result<Option<Upsert>, Stop> {
    let moves = |assignment: &&ColumnAssignment| {
        let name = &assignment.column.name.value;
        is_key(table, name) && !keeps(&assignment.value, name)
    };
    let Some(first) = insert.on_duplicate.iter().find(moves) else { return Ok(None) };
    let refuse = |what: &str| {
        unsupported(format!(
            "ON DUPLICATE KEY UPDATE of the sharding key `{}` of `{}` with {what} is not supported: the row may \
             have to move; leave that out, or delete and insert the row",
            first.column.name.value, table.name
        ))
    };
    if insert.ignore {
        return Err(refuse("IGNORE"));
    }
    if insert.returning.is_some() {
        return Err(refuse("RETURNING"));
    }
    if matches!(insert.source, InsertSource::Set(_)) {
        return Err(refuse("INSERT ... SET"));
    }
    let behind = insert.row_alias.as_ref().and_then(|alias| text.get(alias.span.end as usize..));
    if behind.is_some_and(|behind| behind.trim_ascii_start().starts_with(b"(")) {
        return Err(refuse("other names for the columns of the new row"));
    }
    let keys = keys(table, columns).map_err(refuse)?;
    let mut draft = Draft { insert, text, found, keys: keys.len(), values: Vec::new() };
    let mut head = format!("UPDATE {}.{} SET ", quoted(&table.schema), quoted(&table.name));
    let mut pieces = Vec::new();
    for assignment in &insert.on_duplicate {
        head.push_str(&quoted(&assignment.column.name.value));
        head.push_str(" = ");
        pieces.push(Piece::Text(std::mem::take(&mut head).into_bytes()));
        draft.value(&assignment.value, &mut pieces).map_err(refuse)?;
        head.push_str(", ");
    }
    let source =
        Source { text: Vec::new(), mode: context.mode, schema: context.schema.map(str::to_owned) };
    let relocation = Relocation { table: Arc::clone(table), columns: Arc::clone(columns) };
    let target = pick::Target {
        head: pieces,
        keys,
        tail: Vec::new(),
        moves: true,
        relocation: Some(relocation.clone()),
    };
    let pick = Pick {
        ignore: false,
        source,
        params: Vec::new(),
        locks: true,
        targets: vec![target],
        reads_itself: false,
        deletes: false,
    };
    Ok(Some(Upsert { pick, relocation, values: draft.values }))
}

/// The columns by which the row is found again.
fn keys(table: &Table, columns: &Columns) -> Result<Vec<Key>, &'static str> {
    if !columns.columns.iter().any(|column| column.primary) {
        return Err("a table without a primary key");
    }
    let found = columns.columns.iter().filter(|it| it.primary || is_key(table, &it.name));
    found
        .enumerate()
        .map(|(value, column)| match pick::finds_rows(&column.class) {
            true => {
                let column = quoted(&column.name);
                Ok(Key { text: column.clone(), column, value })
            }
            false => Err("a key by whose values rows cannot be found again for certain"),
        })
        .collect()
}

struct Draft<'x, 'a> {
    insert: &'x Insert,
    text: &'a [u8],
    found: &'x Analysis<'a>,
    /// How many keys stand before the values.
    keys: usize,
    values: Vec<String>,
}

impl Draft<'_, '_> {
    /// The text of a value, with holes for what was to be inserted.
    fn value(&mut self, expr: &Expr, out: &mut Vec<Piece>) -> Result<(), &'static str> {
        let mut obstacle = None;
        let mut given: Vec<(Span, String)> = Vec::new();
        expr.walk(&mut |node| match &node.kind {
            ExprKind::Function(function) => {
                if let Some(name) = given_by(node) {
                    given.push((node.span, quoted(name)));
                } else if matches!(
                    functions::nature(&function.name, function.args.len()),
                    Nature::Server | Nature::Stored
                ) {
                    obstacle = Some("a function that may differ from server to server");
                }
            }
            ExprKind::Column(name) => {
                let alias = self.insert.row_alias.as_ref().zip(name.table.as_ref());
                if alias.is_some_and(|(alias, table)| same_name(&alias.value, &table.value)) {
                    given.push((node.span, quoted(&name.name.value)));
                }
            }
            _ if !node.queries().is_empty() => obstacle = Some("a subquery"),
            _ => {}
        });
        if self.found.assigns_variables {
            obstacle = Some("an assignment to a user variable");
        }
        if let Some(obstacle) = obstacle {
            return Err(obstacle);
        }
        given.sort_by_key(|(span, _)| *span);
        let mut at = expr.span.start;
        for (span, name) in given {
            if span.start < at {
                continue;
            }
            self.raw(Span { start: at, end: span.start }, out);
            let known = self.values.iter().position(|other| *other == name);
            let index = known.unwrap_or_else(|| {
                self.values.push(name);
                self.values.len() - 1
            });
            out.push(Piece::Value(self.keys + index));
            at = span.end;
        }
        self.raw(Span { start: at, end: expr.span.end }, out);
        Ok(())
    }

    /// A part of the text, with holes for parameters.
    fn raw(&self, span: Span, out: &mut Vec<Piece>) {
        let mut at = span.start;
        let text = |from: u32, to: u32| {
            let span = Span { start: from, end: to };
            Piece::Text(self.text.get(span.range()).unwrap_or_default().to_vec())
        };
        for (place, index) in self.found.params.iter().filter(|(place, _)| span.contains(*place)) {
            out.push(text(at, place.start));
            out.push(Piece::Param(*index));
            at = place.end;
        }
        out.push(text(at, span.end));
    }
}

/// The column whose value was to be inserted: `VALUES(column)`.
fn given_by(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Function(function) if function.name == "values" || function.name == "value" => {
            match function.args.as_slice() {
                [Expr { kind: ExprKind::Column(name), .. }] => Some(&name.name.value),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The value is the column itself, or `VALUES(column)`. The latter is the value of the row that was
/// to be inserted, which lies on this shard: the existing row may lie here by another key only if the
/// keys share the shard, and stays there.
fn keeps(value: &Expr, key: &str) -> bool {
    match &value.kind {
        ExprKind::Column(name) => name.table.is_none() && same_name(&name.name.value, key),
        _ => given_by(value).is_some_and(|name| same_name(name, key)),
    }
}
