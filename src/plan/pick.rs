//! UPDATE and DELETE whose rows no server can find alone: a query gives the keys of the rows first, and
//! the values of other tables that they are written with; then each table's rows are written by their keys.
//!
//! The query locks the rows of the statement's tables, so that they stay what they are until they are
//! written. What an assignment
//! computes of the written table itself is computed where the row is.

use std::sync::Arc;

use super::facts::{ColumnClass, Columns, Stop};
use super::model::{Analysis, SourceId, same_name};
use super::moves::is_key;
use super::names::Reader;
use super::planner::Context;
use super::splice::quoted;
use super::types::Source;
use crate::catalog::Table;
use crate::error::Error;
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::parse;
use crate::sql::query::{Limit, OrderItem, TableExpr, TableRef};
use crate::sql::span::Span;
use crate::sql::statement::{ColumnAssignment, Delete, StatementKind, Update};
use crate::sql::walk::{self, Node};

/// Which rows are written, and how.
#[derive(Debug, Clone)]
pub struct Pick {
    /// The query that gives the rows: keys of each target, then values.
    pub source: Source,
    /// The client's parameters that its `?` stand for.
    pub params: Vec<u16>,
    /// The text has no locking clause: one is put behind its LIMIT.
    pub locks: bool,
    pub targets: Vec<Target>,
    /// A table is written and read by a subquery too, which not every server allows.
    pub reads_itself: bool,
    pub deletes: bool,
    pub ignore: bool,
}

/// A table that is written.
#[derive(Debug, Clone)]
pub struct Target {
    /// Up to WHERE.
    pub head: Vec<Piece>,
    pub keys: Vec<Key>,
    /// Behind the condition on the keys.
    pub tail: Vec<Piece>,
    /// A column of its keys is assigned.
    pub moves: bool,
    /// Its rows may have to move: a column that places them is assigned.
    pub relocation: Option<Relocation>,
}

/// A table whose rows may move.
#[derive(Debug, Clone)]
pub struct Relocation {
    pub table: Arc<Table>,
    pub columns: Arc<Columns>,
}

impl Target {
    /// The text of its write, for EXPLAIN.
    pub fn shown(&self) -> String {
        let mut text = Vec::new();
        for piece in self.head.iter().chain(&self.tail) {
            match piece {
                Piece::Text(more) => text.extend_from_slice(more),
                Piece::Param(_) => text.push(b'?'),
                Piece::Value(at) => text.extend_from_slice(format!("<margay_{at}>").as_bytes()),
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// A column by which rows are found again.
#[derive(Debug, Clone)]
pub struct Key {
    /// As the written statement names it.
    pub text: String,
    /// The column alone, quoted.
    pub column: String,
    /// Index of its value in a row of the query.
    pub value: usize,
}

/// A piece of a write's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(Vec<u8>),
    /// `?` of the client, by its index.
    Param(u16),
    /// The value of a column of the query.
    Value(usize),
}

/// The pick for an UPDATE or DELETE.
///
/// # Errors
/// [`Stop::Need`] with the tables whose columns must be known; `Unsupported` with what is in the way.
pub fn plan(source: &Source, context: &Context<'_>) -> Result<Pick, Stop> {
    let context = Context { mode: source.mode, schema: source.schema.as_deref(), ..*context };
    let statement = parse(&source.text, &source.mode)?;
    let mut reader = Reader::new(&context, &source.text, true);
    match &statement.kind {
        StatementKind::Update(update) => {
            reader.update(update)?;
            let draft = Draft::new(source, reader.finish()?, &update.from)?;
            draft.update(update)
        }
        StatementKind::Delete(delete) => {
            reader.delete(delete)?;
            let draft = Draft::new(source, reader.finish()?, &delete.from)?;
            draft.delete(delete)
        }
        _ => Err(Error::internal("rows are picked for UPDATE and DELETE only").into()),
    }
}

fn unsupported(message: impl Into<String>) -> Stop {
    Error::unsupported(message).into()
}

struct Draft<'x, 'a> {
    source: &'x Source,
    found: Analysis<'a>,
    tables: Vec<&'x TableRef>,
    /// Items of the query.
    items: Vec<Vec<Piece>>,
}

/// What follows the tables of a statement.
struct Rest<'x> {
    from: Span,
    filter: Option<&'x Expr>,
    order_by: &'x [OrderItem],
    limit: Option<&'x Limit>,
    ignore: bool,
}

impl<'x, 'a> Draft<'x, 'a> {
    fn new(source: &'x Source, found: Analysis<'a>, from: &'x [TableExpr]) -> Result<Self, Stop> {
        if found.system {
            return Err(unsupported("writing beside a system table is not supported"));
        }
        let mut tables = Vec::new();
        from.iter().for_each(|entry| table_refs(entry, &mut tables));
        Ok(Self { source, found, tables, items: Vec::new() })
    }

    fn update(mut self, update: &Update) -> Result<Pick, Stop> {
        let single = update.single_table().is_some();
        let mut written: Vec<SourceId> = Vec::new();
        for assignment in &update.assignments {
            let id = self.assigned(assignment, single)?;
            if !written.contains(&id) {
                written.push(id);
            }
        }
        let mut targets = Vec::new();
        for id in written {
            let (table, entry) = self.target(id)?;
            let keys = self.keys(&table, entry)?;
            let mut head = self.raw(Span { start: 0, end: update.from_span.start });
            head.extend(self.raw(entry.span));
            head.push(Piece::Text(b" SET ".to_vec()));
            let mut first = true;
            let mut moves = false;
            let mut relocates = false;
            let mut ignored = false;
            let mut changed: Vec<&str> = Vec::new();
            for assignment in &update.assignments {
                if self.assigned(assignment, single)? != id {
                    continue;
                }
                if !first {
                    head.push(Piece::Text(b", ".to_vec()));
                }
                first = false;
                moves |= keys.iter().any(|key| {
                    key.text.ends_with(&format!(".{}", quoted(&assignment.column.name.value)))
                });
                let name = &assignment.column.name.value;
                relocates |= is_key(&table.table, name);
                let assigned = table.columns.columns.iter().find(|it| same_name(&it.name, name));
                ignored |= assigned.is_some_and(|column| column.generated);
                let start = Span { start: assignment.span.start, end: assignment.value.span.start };
                head.extend(self.raw(start));
                // In a join, the order of assignments is not certain anyway.
                let changes = if single { changed.as_slice() } else { &[] };
                self.value(&assignment.value, (id, changes), &mut head)?;
                changed.push(name);
            }
            let mut tail = Vec::new();
            if single && update.order_by.iter().all(|item| is_plain(&item.expr)) {
                tail = self.order(&update.order_by);
            }
            if relocates && ignored {
                return Err(unsupported(
                    "UPDATE of a generated column beside a sharding key is not supported; leave it out",
                ));
            }
            let relocation = Relocation { table: table.table, columns: table.columns };
            let relocation = relocates.then_some(relocation);
            targets.push(Target { head, keys, tail, moves, relocation });
        }
        let rest = Rest {
            from: update.from_span,
            filter: update.filter.as_ref(),
            order_by: &update.order_by,
            limit: update.limit.as_ref(),
            ignore: update.ignore,
        };
        Ok(self.finish(&rest, targets, false))
    }

    fn delete(mut self, delete: &Delete) -> Result<Pick, Stop> {
        let scope = self.found.scope.sources.clone();
        let mut written = Vec::new();
        if delete.targets.is_empty() {
            written.extend(scope.first());
        }
        for target in &delete.targets {
            let name = &target.name.value;
            let named = |id: &&SourceId| {
                self.found.sources.get(**id).is_some_and(|source| same_name(&source.name, name))
            };
            let Some(id) = scope.iter().find(named) else {
                return Err(unsupported(format!("`{name}` is no table of the DELETE")));
            };
            written.push(*id);
        }
        let mut targets = Vec::new();
        for id in written {
            let (table, entry) = self.target(id)?;
            let mut keys = self.keys(&table, entry)?;
            for key in &mut keys {
                // Not every server takes an alias in a DELETE of one table.
                key.text.clone_from(&key.column);
            }
            let mut head = self.raw(Span { start: 0, end: delete.head_end });
            head.push(Piece::Text(b"FROM ".to_vec()));
            head.extend(self.raw(entry.table.span));
            targets.push(Target { head, keys, tail: Vec::new(), moves: false, relocation: None });
        }
        let rest = Rest {
            from: delete.from_span,
            filter: delete.filter.as_ref(),
            order_by: &delete.order_by,
            limit: delete.limit.as_ref(),
            ignore: delete.ignore,
        };
        Ok(self.finish(&rest, targets, true))
    }

    fn finish(self, rest: &Rest<'_>, targets: Vec<Target>, deletes: bool) -> Pick {
        let mut pieces = vec![Piece::Text(b"SELECT ".to_vec())];
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                pieces.push(Piece::Text(b", ".to_vec()));
            }
            pieces.extend(item.iter().cloned());
            pieces.push(Piece::Text(format!(" AS margay_{index}").into_bytes()));
        }
        pieces.push(Piece::Text(b" FROM ".to_vec()));
        pieces.extend(self.raw(rest.from));
        if let Some(filter) = rest.filter {
            pieces.push(Piece::Text(b" WHERE ".to_vec()));
            pieces.extend(self.raw(filter.span));
        }
        pieces.extend(self.order(rest.order_by));
        if let Some(limit) = rest.limit {
            pieces.push(Piece::Text(b" ".to_vec()));
            pieces.extend(self.raw(limit.span));
        }
        let locks = self.found.uses.len() == 1;
        if !locks {
            pieces.push(Piece::Text(b" FOR UPDATE".to_vec()));
        }
        let (text, params) = joined(&pieces);
        let top: Vec<_> = self.tables.iter().map(|entry| entry.table.span).collect();
        let reads_itself = self.found.uses.iter().any(|used| {
            let outer = |other: &&super::model::Use| top.contains(&other.span);
            !top.contains(&used.span)
                && self.found.uses.iter().filter(outer).any(|other| other.table == used.table)
        });
        let source = Source { text, ..self.source.clone() };
        Pick { source, params, locks, targets, reads_itself, deletes, ignore: rest.ignore }
    }

    /// The source whose column is assigned.
    fn assigned(&self, assignment: &ColumnAssignment, single: bool) -> Result<SourceId, Stop> {
        let meaning = self.found.meaning(0, &assignment.column).map(|meaning| meaning.source);
        let only = self.found.scope.sources.first().copied().filter(|_| single);
        meaning.or(only).ok_or_else(|| {
            unsupported(format!(
                "it is not certain which table the column `{}` is of; write the table's name before it",
                assignment.column.name.value
            ))
        })
    }

    /// A table that is written, and where it stands.
    fn target(&self, id: SourceId) -> Result<(Written, &'x TableRef), Stop> {
        let source = self.found.sources.get(id);
        let used = source.and_then(|source| self.found.uses.get(source.table?));
        let entry = used.and_then(|used| {
            self.tables.iter().find(|entry| entry.table.span == used.span).copied()
        });
        match (used, entry) {
            (Some(used), Some(entry)) if entry.partitions.is_none() => {
                let columns = used.columns.clone().ok_or_else(|| {
                    Error::internal("the columns of a table that is written were not fetched")
                })?;
                Ok((Written { table: Arc::clone(&used.table), columns }, entry))
            }
            _ => Err(unsupported(
                "a write to a derived table, a table function or PARTITION (...) over several shards is \
                 not supported; name the table itself",
            )),
        }
    }

    /// Adds the columns by which rows of a table are found again to the items.
    fn keys(&mut self, written: &Written, entry: &TableRef) -> Result<Vec<Key>, Stop> {
        let Written { table, columns } = written;
        let sharded = table.sharded();
        let places = |name: &str| {
            sharded.is_some_and(|sharded| {
                let part = sharded.parts.as_ref().map(|parts| parts.key.as_str());
                same_name(&sharded.key, name) || part.is_some_and(|part| same_name(part, name))
            })
        };
        if !columns.columns.iter().any(|column| column.primary) {
            return Err(unsupported(format!(
                "`{}` has no primary key by which the rows that the statement picks could be found again; \
                 add one, or give conditions that select one shard",
                table.name
            )));
        }
        let mut keys = Vec::new();
        for column in &columns.columns {
            let places = places(&column.name);
            if !column.primary && !places {
                continue;
            }
            if !finds_rows(&column.class) {
                return Err(unsupported(format!(
                    "the key `{}` of `{}` has a type by whose values rows cannot be found again for \
                     certain; give conditions that select one shard",
                    column.name, table.name
                )));
            }
            let text = format!("{}.{}", quoted(&entry.exposed_name().value), quoted(&column.name));
            let value = self.item(vec![Piece::Text(text.clone().into_bytes())]);
            keys.push(Key { text, column: quoted(&column.name), value });
        }
        Ok(keys)
    }

    /// Adds an item, or finds the same one.
    fn item(&mut self, pieces: Vec<Piece>) -> usize {
        if let Some(at) = self.items.iter().position(|item| *item == pieces) {
            return at;
        }
        self.items.push(pieces);
        self.items.len() - 1
    }

    /// The text of a value, with holes for what is not of the written table, of which some columns were
    /// changed before.
    fn value(
        &mut self,
        expr: &Expr,
        (target, changed): (SourceId, &[&str]),
        out: &mut Vec<Piece>,
    ) -> Result<(), Stop> {
        let mut foreign = Vec::new();
        self.foreign(expr, target, &mut foreign)?;
        let mut at = expr.span.start;
        for span in foreign {
            self.unchanged(expr, span, (target, changed))?;
            out.extend(self.raw(Span { start: at, end: span.start }));
            let item = self.raw(span);
            out.push(Piece::Value(self.item(item)));
            at = span.end;
        }
        out.extend(self.raw(Span { start: at, end: expr.span.end }));
        Ok(())
    }

    /// A part of a value that is computed before any row is written must not read columns that
    /// assignments before it change.
    fn unchanged(
        &self,
        expr: &Expr,
        part: Span,
        (target, changed): (SourceId, &[&str]),
    ) -> Result<(), Stop> {
        let mut read = None;
        walk::expr(expr, &mut |node| {
            if let Node::Expr(Expr { kind: ExprKind::Column(name), .. }) = node
                && part.contains(name.name.span)
                && changed.iter().any(|other| same_name(other, &name.name.value))
                && self.found.meaning(0, name).is_none_or(|meaning| meaning.source == target)
            {
                read = Some(name.name.value.clone());
            }
        });
        match read {
            None => Ok(()),
            Some(name) => Err(unsupported(format!(
                "UPDATE with a subquery that reads the column `{name}`, which is assigned before, is not \
                 supported over several shards; assign it last, or in a statement of its own"
            ))),
        }
    }

    /// The largest parts of an expression that other tables or subqueries give, in the order of the text.
    fn foreign(&self, expr: &Expr, target: SourceId, out: &mut Vec<Span>) -> Result<(), Stop> {
        if !expr.queries().is_empty() || self.is_apart(expr, target) {
            out.push(expr.span);
            return Ok(());
        }
        if let ExprKind::Column(name) = &expr.kind {
            let single = self.found.scope.sources.len() == 1;
            match self.found.meaning(0, name) {
                Some(meaning) if meaning.source == target => {}
                Some(_) => out.push(expr.span),
                None if single => {}
                None => {
                    return Err(unsupported(format!(
                        "it is not certain which table the column `{}` is of; write the table's name \
                         before it",
                        name.name.value
                    )));
                }
            }
        }
        let mut children = expr.children();
        children.sort_by_key(|child| child.span);
        for child in children {
            self.foreign(child, target, out)?;
        }
        Ok(())
    }

    /// An expression over columns of other tables alone, which is computed where these are: there they have
    /// the types and collations that literals of their values would not have. Not a quotient: it has more
    /// digits than it shows.
    fn is_apart(&self, expr: &Expr, target: SourceId) -> bool {
        // These are no values by themselves, or say more than their value does.
        let kept = matches!(
            expr.kind,
            ExprKind::Row(_) | ExprKind::Other { what: "INTERVAL" | "COLLATE" | "BINARY", .. }
        );
        let (mut columns, mut fits) = (false, !kept);
        expr.walk(&mut |node| match &node.kind {
            ExprKind::Column(name) => {
                columns = true;
                let meaning = self.found.meaning(0, name);
                fits &= meaning.is_some_and(|meaning| meaning.source != target);
            }
            ExprKind::UserVariable(_) | ExprKind::Default => fits = false,
            _ => fits &= node.queries().is_empty(),
        });
        let text = self.source.text.get(expr.span.range()).unwrap_or_default();
        columns && fits && (is_truth(expr) || !text.contains(&b'/'))
    }

    fn order(&self, order_by: &[OrderItem]) -> Vec<Piece> {
        let (Some(first), Some(last)) = (order_by.first(), order_by.last()) else {
            return Vec::new();
        };
        let mut pieces = vec![Piece::Text(b" ORDER BY ".to_vec())];
        pieces.extend(self.raw(first.span.to(last.span)));
        pieces
    }

    /// A part of the text, with holes for parameters.
    fn raw(&self, span: Span) -> Vec<Piece> {
        let text = |from: u32, to: u32| {
            let span = Span { start: from, end: to };
            Piece::Text(self.source.text.get(span.range()).unwrap_or_default().to_vec())
        };
        let mut pieces = Vec::new();
        let mut at = span.start;
        for (place, index) in self.found.params.iter().filter(|(place, _)| span.contains(*place)) {
            pieces.push(text(at, place.start));
            pieces.push(Piece::Param(*index));
            at = place.end;
        }
        pieces.push(text(at, span.end));
        pieces
    }
}

/// Rows are found again for certain by values of such a column.
pub(super) fn finds_rows(class: &ColumnClass) -> bool {
    !matches!(class, ColumnClass::Timestamp | ColumnClass::Json | ColumnClass::Geometry)
}

/// A table that is written, as a server has it.
struct Written {
    table: Arc<Table>,
    columns: Arc<Columns>,
}

/// The expression needs no other table and no subquery.
fn is_plain(expr: &Expr) -> bool {
    let mut plain = true;
    expr.walk(&mut |node| plain &= node.queries().is_empty());
    plain
}

/// True, false or NULL.
fn is_truth(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Compare { .. }
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::IsNull { .. }
            | ExprKind::Between { .. }
            | ExprKind::In { .. }
    )
}

fn table_refs<'x>(entry: &'x TableExpr, out: &mut Vec<&'x TableRef>) {
    match entry {
        TableExpr::Table(table) => out.push(table),
        TableExpr::Join(join) => {
            table_refs(&join.left, out);
            table_refs(&join.right, out);
        }
        TableExpr::Derived { .. } | TableExpr::Function { .. } => {}
    }
}

/// The text of pieces without values, and the parameters in it.
fn joined(pieces: &[Piece]) -> (Vec<u8>, Vec<u16>) {
    let mut text = Vec::new();
    let mut params = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(more) => text.extend_from_slice(more),
            Piece::Param(index) => {
                text.push(b'?');
                params.push(*index);
            }
            Piece::Value(_) => {}
        }
    }
    (text, params)
}
