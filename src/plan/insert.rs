//! Plans of INSERT and REPLACE.

use std::sync::Arc;

use super::condition;
use super::facts::{Column, Columns, Stop};
use super::feed;
use super::functions::{self, Nature};
use super::holds::Holds;
use super::ids::{is_zero, no_rule};
use super::model::{Analysis, same_name};
use super::names::{Env, Reader};
use super::planner::{Context, forced, names_table, place};
use super::splice::{Splice, quoted, text_piece, untouched};
use super::template::{Piece, Template};
use super::types::{Insert, InsertIds, InsertRow, Operand, Place, Plan, Refusal, Write};
use super::upsert;
use crate::catalog::{Sharded, Table, TableKind};
use crate::error::Error;
use crate::sql::Statement;
use crate::sql::expr::{Expr, ExprKind, Literal};
use crate::sql::span::Span;
use crate::sql::statement::{self, InsertSource};

pub(super) fn plan(
    insert: &statement::Insert,
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
) -> Result<Plan, Stop> {
    if let Some(shard) = forced(statement, context)? {
        let place = Place { forced: Some(shard), ..Place::default() };
        return Ok(Plan::Write(one_place(place, untouched(text, statement.params))));
    }
    let apart = |kind: &TableKind| !matches!(kind, TableKind::Single { .. });
    let mut reader = Reader::new(context, text, names_table(statement, context, apart));
    read(&mut reader, insert)?;
    let found = reader.finish()?;
    let Some(table) = found.uses.first().map(|used| Arc::clone(&used.table)) else {
        return Err(unsupported("writing to a system table is not supported"));
    };
    let columns = found.uses.first().and_then(|used| used.columns.clone());
    let rows = match &insert.source {
        InsertSource::Query(query) => {
            let width = columns.as_deref().map(|columns| column_names(insert, columns).len());
            let into = feed::Into {
                insert,
                rows: feed::Rows::of_query(query, text),
                table,
                columns: columns.as_deref(),
                width,
            };
            return feed::plan(&into, statement, text, context, &found);
        }
        InsertSource::Values { .. } | InsertSource::Set(_) => values(&insert.source),
    };
    refuse_queries(insert, &table.kind)?;
    if found.uses.len() > 1 {
        let rows = rows_that_read(insert, text, context, &found);
        let Some(rows) = rows else {
            if matches!(table.kind, TableKind::Single { .. }) {
                return single(statement, text, context, &found);
            }
            return Err(unsupported(
                "a subquery inside this form of INSERT into a sharded or broadcast table is not \
                 supported; write INSERT ... SELECT",
            ));
        };
        let width = columns.as_deref().map(|columns| column_names(insert, columns).len());
        let into = feed::Into { insert, rows, table, columns: columns.as_deref(), width };
        return feed::plan(&into, statement, text, context, &found);
    }
    match &table.kind {
        TableKind::Single { .. } => single(statement, text, context, &found),
        TableKind::Broadcast { .. } => {
            broadcast(insert, &found, &table, columns.as_deref(), &rows)?;
            let splice = Splice::base(text, &found, false);
            Ok(Plan::Write(Write {
                place: Place { broadcasts: vec![Arc::clone(&table)], ..Place::default() },
                template: splice.whole(statement.params),
                several: Ok(()),
                broadcast: Some(table),
                source: None,
                moves: None,
            }))
        }
        TableKind::Sharded(_) => {
            let Some(columns) = columns else {
                return Err(Error::internal("the columns of an INSERT were not fetched").into());
            };
            let found = &found;
            let draft = Draft { insert, text, context, found, table, columns: &columns, rows };
            Ok(Plan::Insert(draft.plan()?))
        }
    }
}

/// The values of each row, and where it stands. A query gives none.
fn values(source: &InsertSource) -> Vec<(Span, Vec<&Expr>)> {
    match source {
        InsertSource::Values { rows, .. } => {
            rows.iter().map(|row| (row.span, row.values.iter().collect())).collect()
        }
        InsertSource::Set(list) => {
            let values = list.iter().map(|assignment| &assignment.value).collect();
            vec![(Span::default(), values)]
        }
        InsertSource::Query(_) => Vec::new(),
    }
}

/// ON DUPLICATE KEY UPDATE reads nothing but the two rows.
fn refuse_queries(insert: &statement::Insert, kind: &TableKind) -> Result<(), Stop> {
    let mut found = false;
    for assignment in &insert.on_duplicate {
        assignment.value.walk(&mut |node| found |= !node.queries().is_empty());
    }
    if !found || matches!(kind, TableKind::Single { .. }) {
        return Ok(());
    }
    Err(unsupported(
        "a subquery in ON DUPLICATE KEY UPDATE of a sharded or broadcast table is not supported; give its \
         value",
    ))
}

/// One server does all of it.
fn single(
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
    found: &Analysis<'_>,
) -> Result<Plan, Stop> {
    let place = place(found, &found.groups(), context)?;
    let splice = Splice::base(text, found, true);
    Ok(Plan::Write(one_place(place, splice.whole(statement.params))))
}

/// VALUES with subqueries as a query. None: not of this form, or it reads the table that it writes.
fn rows_that_read(
    insert: &statement::Insert,
    text: &[u8],
    context: &Context<'_>,
    found: &Analysis<'_>,
) -> Option<feed::Rows> {
    let written = found.uses.first()?;
    if found.uses.iter().skip(1).any(|used| used.table == written.table) {
        return None;
    }
    match &insert.source {
        InsertSource::Values { rows, span } => {
            feed::Rows::of_values((rows, *span), text, &context.mode)
        }
        InsertSource::Set(_) | InsertSource::Query(_) => None,
    }
}

pub(super) fn unsupported(message: impl Into<String>) -> Stop {
    Error::unsupported(message).into()
}

pub(super) fn one_place(place: Place, template: Template) -> Write {
    let several = Err(Refusal { message: "an INSERT of this form runs on one shard only".into() });
    Write { place, template, several, broadcast: None, source: None, moves: None }
}

fn read<'a>(reader: &mut Reader<'_, 'a>, insert: &'a statement::Insert) -> Result<(), Stop> {
    let mut scope = super::model::Scope::default();
    let env = Env::top();
    reader.table(&insert.table, None, None, &mut scope, env)?;
    match &insert.source {
        InsertSource::Query(query) => {
            let nest = reader.side_nest();
            reader.query(query, Env::at(nest))?;
        }
        InsertSource::Values { rows, .. } => {
            for value in rows.iter().flat_map(|row| &row.values) {
                reader.expr_in(value, &scope, env)?;
            }
        }
        InsertSource::Set(list) => {
            for assignment in list {
                reader.target(&assignment.column, &scope);
                reader.expr_in(&assignment.value, &scope, env)?;
            }
        }
    }
    for assignment in &insert.on_duplicate {
        reader.target(&assignment.column, &scope);
        reader.expr_in(&assignment.value, &scope, env)?;
    }
    for item in insert.returning.iter().flatten() {
        reader.expr_in(item, &scope, env)?;
    }
    Ok(())
}

/// A broadcast table must get the same rows on every shard.
fn broadcast(
    insert: &statement::Insert,
    found: &Analysis<'_>,
    table: &Table,
    columns: Option<&Columns>,
    rows: &[(Span, Vec<&Expr>)],
) -> Result<(), Stop> {
    same_everywhere(found, &table.name)?;
    if let Some(columns) = columns {
        let names = column_names(insert, columns);
        generated(columns, &names, rows, &table.name, true)?;
    }
    Ok(())
}

/// Nothing in a write to a broadcast table may differ from copy to copy.
pub(super) fn same_everywhere(found: &Analysis<'_>, table: &str) -> Result<(), Stop> {
    for call in &found.calls {
        let function = call.function;
        match functions::nature(&function.name, function.args.len()) {
            Nature::Pure => {}
            Nature::Clock | Nature::Random | Nature::Server | Nature::Stored => {
                return Err(unsupported(format!(
                    "{}() may give another value on each copy of the broadcast table `{table}`; \
                     give the value itself",
                    function.name.to_uppercase()
                )));
            }
        }
    }
    Ok(())
}

/// The columns that values are for, in their order.
fn column_names(insert: &statement::Insert, columns: &Columns) -> Vec<String> {
    match (&insert.source, &insert.columns) {
        (InsertSource::Set(list), _) => {
            list.iter().map(|assignment| assignment.column.name.value.clone()).collect()
        }
        (InsertSource::Values { .. } | InsertSource::Query(_), Some(names)) => {
            names.iter().map(|name| name.value.clone()).collect()
        }
        (InsertSource::Values { .. } | InsertSource::Query(_), None) => {
            let visible = columns.columns.iter().filter(|column| !column.invisible);
            visible.map(|column| column.name.clone()).collect()
        }
    }
}

/// AUTO_INCREMENT counts for itself on each shard, so its values would clash.
fn generated(
    columns: &Columns,
    names: &[String],
    rows: &[(Span, Vec<&Expr>)],
    table: &str,
    is_broadcast: bool,
) -> Result<(), Stop> {
    let Some(column) = columns.columns.iter().find(|column| column.auto_increment) else {
        return Ok(());
    };
    let position = names.iter().position(|name| same_name(name, &column.name));
    let asks = |value: Option<&&Expr>| match value.map(|value| &value.kind) {
        None | Some(ExprKind::Default) => true,
        Some(ExprKind::Literal(literal)) => {
            *literal == Literal::Null || is_zero(literal).unwrap_or(false)
        }
        Some(_) => false,
    };
    let missing = position.is_none()
        || rows.iter().any(|(_, values)| asks(position.and_then(|at| values.get(at))));
    if missing {
        return Err(if is_broadcast {
            broadcast_id(&column.name, table)
        } else {
            no_rule(&column.name, table)
        }
        .into());
    }
    Ok(())
}

/// Copies count for themselves.
pub(super) fn broadcast_id(column: &str, table: &str) -> Error {
    Error::unsupported(format!(
        "the AUTO_INCREMENT column `{column}` of `{table}` needs a value: each shard counts for itself, \
         so generated values would clash"
    ))
}

/// An INSERT into a sharded table.
struct Draft<'x, 'a> {
    insert: &'x statement::Insert,
    text: &'a [u8],
    context: &'x Context<'x>,
    found: &'x Analysis<'a>,
    table: Arc<Table>,
    columns: &'x Arc<Columns>,
    rows: Vec<(Span, Vec<&'x Expr>)>,
}

/// Where a key is among a row's values, if it is, and its column.
type KeyAt<'x> = (Option<usize>, &'x Column);

/// Where the id is among a row's values, if it is.
struct IdAt {
    position: Option<usize>,
    column: String,
}

/// The values of a row that matter.
struct At<'x> {
    key: KeyAt<'x>,
    part_key: Option<KeyAt<'x>>,
    id: Option<IdAt>,
}

fn column_count(row: usize) -> Error {
    Error::server(crate::error::ServerError {
        code: 1136,
        state: *b"21S01",
        message: format!("Column count doesn't match value count at row {row}").into_bytes(),
    })
}

impl Draft<'_, '_> {
    fn plan(&self) -> Result<Insert, Stop> {
        let insert = self.insert;
        let Some(sharded) = self.table.sharded() else {
            return Err(Error::internal("an INSERT into a table that is not sharded").into());
        };
        let names = self.names();
        let part = sharded.parts.as_ref().map(|parts| parts.key.as_str());
        let ids = self.ids(sharded, &names)?;
        let key = self.key(&sharded.key, &names, ids.as_ref())?;
        let part_key = part.map(|part| self.key(part, &names, ids.as_ref())).transpose()?;
        let known = (&self.table, self.columns);
        let upsert = upsert::plan(insert, self.text, self.context, self.found, known)?;
        if insert.partitions {
            return Err(unsupported("INSERT ... PARTITION into a sharded table is not supported"));
        }
        let id = ids.as_ref().map(|ids| IdAt {
            position: names.iter().position(|name| same_name(name, &ids.column)),
            column: ids.column.clone(),
        });
        let mut splice = Splice::base(self.text, self.found, false);
        self.name_columns(&mut splice, &names, id.as_ref());
        let all = match &insert.source {
            InsertSource::Values { span, .. } => *span,
            InsertSource::Set(_) | InsertSource::Query(_) => {
                // One row: its text has no place of its own.
                let end = self.text.len();
                Span::new(end, end)
            }
        };
        let at = At { key, part_key, id };
        let mut rows = Vec::new();
        for (span, values) in &self.rows {
            if values.len() != names.len() {
                return Err(column_count(rows.len() + 1).into());
            }
            rows.push(self.row(&splice, *span, values, &at)?);
        }
        Ok(Insert {
            table: Arc::clone(&self.table),
            key_class: Some(at.key.1.class.clone()),
            part_class: at.part_key.map(|(_, column)| column.class.clone()),
            key_holds: Some(Holds::of(at.key.1)),
            part_holds: at.part_key.map(|(_, column)| Holds::of(column)),
            head: self.head(&splice, Span { start: 0, end: all.start }, at.id.as_ref()),
            rows,
            tail: splice.template(Span { start: all.end, end: self.text.len() as u32 }),
            ids,
            upsert: upsert.map(Box::new),
        })
    }

    /// The columns that values are for. Rows without any value are for none.
    fn names(&self) -> Vec<String> {
        let is_empty = matches!(self.insert.source, InsertSource::Values { .. })
            && self.rows.iter().all(|(_, values)| values.is_empty());
        if is_empty && self.insert.columns.is_none() {
            return Vec::new();
        }
        column_names(self.insert, self.columns)
    }

    /// The column that gets ids, or that no shard may give any.
    fn ids(&self, sharded: &Sharded, names: &[String]) -> Result<Option<InsertIds>, Stop> {
        let insert = self.insert;
        if let Some(rule) = &sharded.id {
            let ids = InsertIds::of_rule(rule, &self.table, self.columns)?;
            return Ok(Some(InsertIds {
                is_key: same_name(&ids.column, &sharded.key),
                is_part_key: sharded
                    .parts
                    .as_ref()
                    .is_some_and(|parts| same_name(&ids.column, &parts.key)),
                ignore: insert.ignore,
                on_duplicate: !insert.on_duplicate.is_empty(),
                ..ids
            }));
        }
        if sharded.shards.len() <= 1 && sharded.parts.is_none() {
            return Ok(None);
        }
        generated(self.columns, names, &self.rows, &self.table.name, false)?;
        let counted = self.columns.columns.iter().find(|column| column.auto_increment);
        let at = |column: &&Column| {
            let position = names.iter().position(|name| same_name(name, &column.name));
            let mut values = self.rows.iter().filter_map(|(_, values)| values.get(position?));
            // Their values may be NULL or 0, by which the server would count.
            values.any(|value| match value.kind {
                ExprKind::Literal(_) | ExprKind::Default => false,
                ExprKind::Param(_) => true,
                _ => self.operand(value, "column of generated ids", &column.name).is_ok(),
            })
        };
        Ok(counted.filter(at).map(InsertIds::refused))
    }

    /// Writes the columns out that values without a column list are for: rows were placed by them, so a
    /// shard whose table is another by now must not read the values in another order.
    fn name_columns(&self, splice: &mut Splice<'_>, names: &[String], id: Option<&IdAt>) {
        let InsertSource::Values { rows, .. } = &self.insert.source else { return };
        let added = id.filter(|id| id.position.is_none()).map(|id| quoted(&id.column));
        if let Some(start) = self.insert.columns_start {
            if let Some(added) = added {
                let comma = if names.is_empty() { "" } else { ", " };
                splice.insert(start, vec![text_piece(&format!("{added}{comma}"))]);
            }
            return;
        }
        if added.is_none() && rows.iter().any(|row| row.values.is_empty()) {
            return;
        }
        let names: Vec<String> =
            added.into_iter().chain(names.iter().map(|name| quoted(name))).collect();
        let list = format!(" ({})", names.join(", "));
        splice.insert(self.insert.table.span.end, vec![text_piece(&list)]);
    }

    /// Where the value of a key is among a row's values, and the key's column.
    fn key(&self, key: &str, names: &[String], ids: Option<&InsertIds>) -> Result<KeyAt<'_>, Stop> {
        let Some(column) = self.columns.columns.iter().find(|column| same_name(&column.name, key))
        else {
            let message = format!(
                "table `{}` has no column `{key}`, the key that its rule names",
                self.table.name
            );
            return Err(Error::new(crate::error::ErrorKind::Config, message).into());
        };
        match names.iter().position(|name| same_name(name, key)) {
            Some(position) => Ok((Some(position), column)),
            None if ids.is_some_and(|ids| same_name(&ids.column, key)) => Ok((None, column)),
            None => Err(unsupported(format!(
                "INSERT into `{}` does not give the sharding key `{key}`; add the column and a value",
                self.table.name
            ))),
        }
    }

    fn row(
        &self,
        splice: &Splice<'_>,
        span: Span,
        values: &[&Expr],
        at: &At<'_>,
    ) -> Result<InsertRow, Stop> {
        let mut holes: Vec<(Span, Vec<Piece>)> = Vec::new();
        let id = match at.id.as_ref() {
            Some(id) => self.id(span, values, id, &mut holes)?,
            None => None,
        };
        let is_values = matches!(self.insert.source, InsertSource::Values { .. });
        let mut operand = |key: &KeyAt<'_>| -> Result<Option<Operand>, Stop> {
            let position = match (key.0, &at.id) {
                (None, _) => return Ok(None),
                // What it brings may be nothing.
                (Some(position), Some(given)) if given.position == Some(position) => {
                    return Ok(id.clone());
                }
                (Some(position), _) => position,
            };
            let Some(expr) = values.get(position) else {
                return Err(Error::internal("an INSERT row without its key").into());
            };
            let operand = self.operand(expr, "sharding key", &key.1.name)?;
            if let Operand::Computed(text) = &operand
                && !holes.iter().any(|(span, _)| *span == expr.span)
            {
                if !is_values {
                    return Err(unsupported(
                        "INSERT ... SET with a computed sharding key is not supported; write VALUES",
                    ));
                }
                // The value's text is its own piece, so that its computed value can replace it.
                holes.push((expr.span, vec![Piece::Text(text.clone())]));
            }
            Ok(Some(operand))
        };
        let key = operand(&at.key)?;
        let part_key = match &at.part_key {
            Some(part) => operand(part)?,
            None => None,
        };
        let template = match is_values {
            true => self.with_holes(splice, span, holes),
            false => splice.template(span),
        };
        Ok(InsertRow { key, part_key, id, template })
    }

    /// What a row brings as its id, and the place of it.
    fn id(
        &self,
        span: Span,
        values: &[&Expr],
        id: &IdAt,
        holes: &mut Vec<(Span, Vec<Piece>)>,
    ) -> Result<Option<Operand>, Stop> {
        let Some(expr) = id.position.and_then(|at| values.get(at)) else {
            let start = span.start + 1;
            let mut pieces = vec![Piece::Id(Vec::new())];
            if !values.is_empty() {
                pieces.push(text_piece(", "));
            }
            holes.push((Span { start, end: start }, pieces));
            return Ok(None);
        };
        let (operand, given) = self.given_id(expr, &id.column)?;
        holes.push((expr.span, vec![Piece::Id(given)]));
        Ok(operand)
    }

    fn given_id(&self, expr: &Expr, column: &str) -> Result<(Option<Operand>, Vec<Piece>), Stop> {
        if matches!(expr.kind, ExprKind::Default) {
            return Ok((None, Vec::new()));
        }
        let operand = self.operand(expr, "column of generated ids", column)?;
        let given = match &operand {
            Operand::Param(index) => Piece::Param(*index),
            Operand::Literal(_) | Operand::Computed(_) | Operand::Constant(_) => {
                Piece::Text(self.text.get(expr.span.range()).unwrap_or_default().to_vec())
            }
        };
        Ok((Some(operand), vec![given]))
    }

    /// The text before the rows; of INSERT ... SET it has the values, too.
    fn head(&self, splice: &Splice<'_>, span: Span, id: Option<&IdAt>) -> Template {
        let (InsertSource::Set(list), Some(id)) = (&self.insert.source, id) else {
            return splice.template(span);
        };
        let hole = match id.position.and_then(|at| list.get(at)) {
            Some(given) => match self.given_id(&given.value, &id.column) {
                Ok((_, pieces)) => Some((given.value.span, vec![Piece::Id(pieces)])),
                // The row has said so already.
                Err(_) => None,
            },
            None => list.first().map(|first| {
                let start = first.span.start;
                let name = text_piece(&format!("{} = ", quoted(&id.column)));
                let pieces = vec![name, Piece::Id(Vec::new()), text_piece(", ")];
                (Span { start, end: start }, pieces)
            }),
        };
        self.with_holes(splice, span, hole.into_iter().collect())
    }

    /// The text of `span` with pieces of their own in the places of some values.
    fn with_holes(
        &self,
        splice: &Splice<'_>,
        span: Span,
        mut holes: Vec<(Span, Vec<Piece>)>,
    ) -> Template {
        if holes.is_empty() {
            return splice.template(span);
        }
        holes.sort_by_key(|(span, _)| *span);
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = span.start;
        for (hole, new) in holes {
            pieces.extend(splice.pieces(Span { start: at, end: hole.start }));
            pieces.extend(new);
            at = hole.end;
        }
        pieces.extend(splice.pieces(Span { start: at, end: span.end }));
        splice.made_of(pieces)
    }

    /// The value of a key.
    fn operand(&self, expr: &Expr, role: &str, key: &str) -> Result<Operand, Stop> {
        if let Some(operand) = condition::operand(expr) {
            return Ok(operand);
        }
        let refuse = |what: &str| {
            Err(unsupported(format!(
                "the {role} `{key}` of `{}` is given by {what}; give its value",
                self.table.name
            )))
        };
        let mut problem = None;
        expr.walk(&mut |node| {
            problem = problem.or(match &node.kind {
                ExprKind::Column(_) => Some("a column"),
                ExprKind::UserVariable(_) | ExprKind::SystemVariable(_) => Some("a variable"),
                ExprKind::Default => Some("its default"),
                ExprKind::Param(_) => Some("an expression around a parameter"),
                ExprKind::Function(function) => {
                    match functions::nature(&function.name, function.args.len()) {
                        Nature::Pure | Nature::Clock | Nature::Random => None,
                        Nature::Server | Nature::Stored => {
                            Some("a function that depends on the server")
                        }
                    }
                }
                _ if !node.queries().is_empty() => Some("a subquery"),
                _ => None,
            });
        });
        match problem {
            Some(what) => refuse(what),
            None => {
                let text = self.text.get(expr.span.range()).unwrap_or_default();
                Ok(Operand::Computed(text.to_vec()))
            }
        }
    }
}
