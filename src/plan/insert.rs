//! Plans of INSERT and REPLACE.

use std::sync::Arc;

use super::condition;
use super::facts::{Column, Columns, Stop};
use super::feed;
use super::functions::{self, Nature};
use super::model::{Analysis, same_name};
use super::names::{Env, Reader};
use super::planner::{Context, forced, names_table, place};
use super::splice::{Splice, untouched};
use super::template::{Piece, Template};
use super::types::{Insert, InsertRow, Operand, Place, Plan, Refusal, Write};
use crate::catalog::{Table, TableKind};
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
        InsertSource::Values { rows, .. } => {
            rows.iter().map(|row| (row.span, row.values.iter().collect())).collect()
        }
        InsertSource::Set(list) => {
            let values = list.iter().map(|assignment| &assignment.value).collect();
            vec![(Span::default(), values)]
        }
    };
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
            }))
        }
        TableKind::Sharded(_) => {
            let Some(columns) = columns else {
                return Err(Error::internal("the columns of an INSERT were not fetched").into());
            };
            let draft = Draft { insert, text, found: &found, table, columns: &columns, rows };
            Ok(Plan::Insert(draft.plan()?))
        }
    }
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
    Write { place, template, several, broadcast: None, source: None }
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
        generated(columns, &names, rows, &table.name)?;
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
) -> Result<(), Stop> {
    let Some(column) = columns.columns.iter().find(|column| column.auto_increment) else {
        return Ok(());
    };
    let position = names.iter().position(|name| same_name(name, &column.name));
    let asks = |value: Option<&&Expr>| match value.map(|value| &value.kind) {
        None | Some(ExprKind::Default) => true,
        Some(ExprKind::Literal(literal)) => match literal {
            Literal::Null | Literal::Bool(false) => true,
            Literal::Integer(text) | Literal::Decimal(text) | Literal::Float(text) => {
                text.parse::<f64>().is_ok_and(|number| number.abs() < 0.5)
            }
            Literal::Bool(true)
            | Literal::String { .. }
            | Literal::Hex { .. }
            | Literal::Bit { .. }
            | Literal::Temporal { .. } => false,
        },
        Some(_) => false,
    };
    let missing = position.is_none()
        || rows.iter().any(|(_, values)| asks(position.and_then(|at| values.get(at))));
    if missing {
        return Err(unsupported(format!(
            "the AUTO_INCREMENT column `{}` of `{table}` needs a value: each shard counts for itself, \
             so generated values would clash",
            column.name
        )));
    }
    Ok(())
}

/// An INSERT into a sharded table.
struct Draft<'x, 'a> {
    insert: &'x statement::Insert,
    text: &'a [u8],
    found: &'x Analysis<'a>,
    table: Arc<Table>,
    columns: &'x Columns,
    rows: Vec<(Span, Vec<&'x Expr>)>,
}

impl Draft<'_, '_> {
    fn plan(&self) -> Result<Insert, Stop> {
        let insert = self.insert;
        let Some(sharded) = self.table.sharded() else {
            return Err(Error::internal("an INSERT into a table that is not sharded").into());
        };
        let names = column_names(insert, self.columns);
        let part = sharded.parts.as_ref().map(|parts| parts.key.as_str());
        let key = self.key(&sharded.key, &names)?;
        let part_key = part.map(|part| self.key(part, &names)).transpose()?;
        if sharded.shards.len() > 1 || part.is_some() {
            generated(self.columns, &names, &self.rows, &self.table.name)?;
        }
        self.duplicates(&sharded.key)?;
        if let Some(part) = part {
            self.duplicates(part)?;
        }
        if insert.partitions {
            return Err(unsupported("INSERT ... PARTITION into a sharded table is not supported"));
        }
        let splice = Splice::base(self.text, self.found, false);
        let all = match &insert.source {
            InsertSource::Values { span, .. } => *span,
            InsertSource::Set(_) | InsertSource::Query(_) => {
                // One row: its text has no place of its own.
                let end = self.text.len();
                Span::new(end, end)
            }
        };
        let mut rows = Vec::new();
        for (span, values) in &self.rows {
            if values.len() != names.len() {
                return Err(Error::server(crate::error::ServerError {
                    code: 1136,
                    state: *b"21S01",
                    message: format!(
                        "Column count doesn't match value count at row {}",
                        rows.len() + 1
                    )
                    .into_bytes(),
                })
                .into());
            }
            rows.push(self.row(&splice, *span, values, &key, part_key.as_ref())?);
        }
        Ok(Insert {
            table: Arc::clone(&self.table),
            key_class: Some(key.1.class.clone()),
            part_class: part_key.map(|(_, column)| column.class.clone()),
            head: splice.template(Span { start: 0, end: all.start }),
            rows,
            tail: splice.template(Span { start: all.end, end: self.text.len() as u32 }),
        })
    }

    /// Where the value of a key is among a row's values, and the key's column.
    fn key(&self, key: &str, names: &[String]) -> Result<(usize, &Column), Stop> {
        let Some(column) = self.columns.columns.iter().find(|column| same_name(&column.name, key))
        else {
            let message = format!(
                "table `{}` has no column `{key}`, the key that its rule names",
                self.table.name
            );
            return Err(Error::new(crate::error::ErrorKind::Config, message).into());
        };
        match names.iter().position(|name| same_name(name, key)) {
            Some(position) => Ok((position, column)),
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
        key: &(usize, &Column),
        part_key: Option<&(usize, &Column)>,
    ) -> Result<InsertRow, Stop> {
        let mut computed: Vec<Span> = Vec::new();
        let mut operand = |at: &(usize, &Column)| -> Result<Operand, Stop> {
            let Some(expr) = values.get(at.0) else {
                return Err(Error::internal("an INSERT row without its key").into());
            };
            let operand = self.operand(expr, &at.1.name)?;
            if matches!(operand, Operand::Computed(_)) && !computed.contains(&expr.span) {
                computed.push(expr.span);
            }
            Ok(operand)
        };
        let key = operand(key)?;
        let part_key = part_key.map(&mut operand).transpose()?;
        if computed.is_empty() {
            let template = splice.template(span);
            return Ok(InsertRow { key: Some(key), part_key, template });
        }
        if !matches!(self.insert.source, InsertSource::Values { .. }) {
            return Err(unsupported(
                "INSERT ... SET with a computed sharding key is not supported; write VALUES",
            ));
        }
        computed.sort_unstable();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = span.start;
        for value in computed {
            // The value's text is its own piece, so that its computed value can replace it.
            pieces.extend(splice.pieces(Span { start: at, end: value.start }));
            let text = self.text.get(value.range()).unwrap_or_default();
            pieces.push(Piece::Text(text.to_vec()));
            at = value.end;
        }
        pieces.extend(splice.pieces(Span { start: at, end: span.end }));
        Ok(InsertRow { key: Some(key), part_key, template: Template { pieces, untouched: None } })
    }

    /// The value of a key.
    fn operand(&self, expr: &Expr, key: &str) -> Result<Operand, Stop> {
        if let Some(operand) = condition::operand(expr) {
            return Ok(operand);
        }
        let refuse = |what: &str| {
            Err(unsupported(format!(
                "the sharding key `{key}` of `{}` is given by {what}; give its value",
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

    /// ON DUPLICATE KEY UPDATE must leave the key as it is.
    fn duplicates(&self, key: &str) -> Result<(), Stop> {
        for assignment in &self.insert.on_duplicate {
            if same_name(&assignment.column.name.value, key) && !keeps(&assignment.value, key) {
                return Err(unsupported(format!(
                    "ON DUPLICATE KEY UPDATE of the sharding key `{key}` of `{}` is not supported: the \
                     row would have to move; delete and insert instead",
                    self.table.name
                )));
            }
        }
        Ok(())
    }
}

/// The value is the column itself, or `VALUES(column)`. The latter is the value of the row that was
/// to be inserted, which lies on this shard: the existing row may lie here by another key only if the
/// keys share the shard, and stays there.
fn keeps(value: &Expr, key: &str) -> bool {
    match &value.kind {
        ExprKind::Column(name) => name.table.is_none() && same_name(&name.name.value, key),
        ExprKind::Function(function) if function.name == "values" || function.name == "value" => {
            match function.args.as_slice() {
                [Expr { kind: ExprKind::Column(name), .. }] => same_name(&name.name.value, key),
                _ => false,
            }
        }
        _ => false,
    }
}
