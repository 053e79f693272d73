//! Walks over everything a statement holds, subqueries included.

use super::expr::Expr;
use super::query::{
    Body, JoinConstraint, Limit, Query, Select, SelectItemKind, TableExpr, TableName,
};
use super::statement::{
    ColumnAssignment, ExecuteSource, HandlerAction, Insert, InsertSource, Statement, StatementKind,
};

/// What a walk meets, in no promised order.
pub enum Node<'a> {
    /// Each expression and subexpression.
    Expr(&'a Expr),
    /// A select item that is an expression without an alias: its text is the column's name.
    UnnamedItem(&'a Expr),
    /// Each query, subqueries included.
    Query(&'a Query),
    /// A table named in FROM, INSERT, UPDATE or DELETE. It may be the name of a CTE.
    Table(&'a TableName),
}

type Visit<'v, 'a> = &'v mut dyn FnMut(Node<'a>);

/// Visits all nodes of a statement. DDL gives its tables and its query.
pub fn statement<'a>(statement: &'a Statement, visit: Visit<'_, 'a>) {
    match &statement.kind {
        StatementKind::Query(query) => self::query(query, visit),
        StatementKind::Insert(insert) => self::insert(insert, visit),
        StatementKind::Update(update) => {
            update.from.iter().for_each(|table| table_expr(table, visit));
            assignments(&update.assignments, visit);
            update.filter.iter().for_each(|filter| expr(filter, visit));
            update.order_by.iter().for_each(|item| expr(&item.expr, visit));
            limit(update.limit.as_ref(), visit);
        }
        StatementKind::Delete(delete) => {
            delete.from.iter().for_each(|table| table_expr(table, visit));
            delete.filter.iter().for_each(|filter| expr(filter, visit));
            delete.order_by.iter().for_each(|item| expr(&item.expr, visit));
            limit(delete.limit.as_ref(), visit);
            delete.returning.iter().flatten().for_each(|item| expr(item, visit));
        }
        StatementKind::Ddl(ddl) => {
            ddl.tables.iter().for_each(|table| visit(Node::Table(table)));
            ddl.query.iter().for_each(|query| self::query(query, visit));
        }
        StatementKind::Prepare { from, .. } => expr(from, visit),
        StatementKind::Execute(execute) => {
            if let ExecuteSource::Immediate(source) = &execute.source {
                expr(source, visit);
            }
            execute.using.iter().for_each(|value| expr(value, visit));
        }
        StatementKind::Call(call) => call.args.iter().for_each(|value| expr(value, visit)),
        StatementKind::Do { values, .. } => values.iter().for_each(|value| expr(value, visit)),
        StatementKind::Set(list) => list.iter().for_each(|item| expr(&item.value, visit)),
        StatementKind::Explain(explain) => self::statement(&explain.statement, visit),
        StatementKind::LockTables(locks) => {
            locks.tables.iter().for_each(|lock| visit(Node::Table(&lock.table)));
        }
        StatementKind::Handler(handler) => match handler.action {
            HandlerAction::Open(_) => visit(Node::Table(&handler.name)),
            HandlerAction::Read | HandlerAction::Close => {}
        },
        StatementKind::Load(load) => {
            visit(Node::Table(&load.table));
            assignments(&load.assignments, visit);
        }
        StatementKind::Describe { table } => visit(Node::Table(table)),
        StatementKind::Show(show) => show.table.iter().for_each(|name| visit(Node::Table(name))),
        StatementKind::Transaction(_)
        | StatementKind::SetNames { .. }
        | StatementKind::SetTransaction { .. }
        | StatementKind::Use(_)
        | StatementKind::Deallocate(_)
        | StatementKind::Kill { .. }
        | StatementKind::Other(_)
        | StatementKind::Empty => {}
    }
}

fn insert<'a>(insert: &'a Insert, visit: Visit<'_, 'a>) {
    visit(Node::Table(&insert.table));
    match &insert.source {
        InsertSource::Values { rows, .. } => {
            rows.iter().flat_map(|row| &row.values).for_each(|value| expr(value, visit));
        }
        InsertSource::Set(list) => assignments(list, visit),
        InsertSource::Query(query) => self::query(query, visit),
    }
    assignments(&insert.on_duplicate, visit);
    insert.returning.iter().flatten().for_each(|item| expr(item, visit));
}

fn assignments<'a>(list: &'a [ColumnAssignment], visit: Visit<'_, 'a>) {
    list.iter().for_each(|assignment| expr(&assignment.value, visit));
}

/// Visits all nodes of a query and its subqueries.
pub fn query<'a>(query: &'a Query, visit: Visit<'_, 'a>) {
    visit(Node::Query(query));
    query.with.iter().for_each(|cte| self::query(&cte.query, visit));
    match &query.body {
        Body::Select(block) => select(block, visit),
        Body::SetOperation { left, right, .. } => {
            self::query(left, visit);
            self::query(right, visit);
        }
        Body::Values(rows) => rows.iter().flatten().for_each(|value| expr(value, visit)),
        Body::Table(name) => visit(Node::Table(name)),
        Body::Nested(inner) => self::query(inner, visit),
    }
    query.order_by.iter().for_each(|item| expr(&item.expr, visit));
    limit(query.limit.as_ref(), visit);
}

fn limit<'a>(limit: Option<&'a Limit>, visit: Visit<'_, 'a>) {
    if let Some(limit) = limit {
        expr(&limit.rows, visit);
        limit.offset.iter().for_each(|offset| expr(offset, visit));
    }
}

fn select<'a>(select: &'a Select, visit: Visit<'_, 'a>) {
    for item in &select.items {
        if let SelectItemKind::Expr { expr: value, alias } = &item.kind {
            if alias.is_none() {
                visit(Node::UnnamedItem(value));
            }
            expr(value, visit);
        }
    }
    select.from.iter().for_each(|table| table_expr(table, visit));
    select.filter.iter().for_each(|filter| expr(filter, visit));
    select.group_by.iter().for_each(|item| expr(&item.expr, visit));
    select.having.iter().for_each(|having| expr(having, visit));
    select.windows.iter().for_each(|window| expr(window, visit));
}

fn table_expr<'a>(table: &'a TableExpr, visit: Visit<'_, 'a>) {
    match table {
        TableExpr::Table(reference) => visit(Node::Table(&reference.table)),
        TableExpr::Derived { query, .. } => self::query(query, visit),
        TableExpr::Join(join) => {
            table_expr(&join.left, visit);
            table_expr(&join.right, visit);
            if let JoinConstraint::On(on) = &join.constraint {
                expr(on, visit);
            }
        }
        TableExpr::Function { args, .. } => args.iter().for_each(|arg| expr(arg, visit)),
    }
}

/// Visits all nodes of an expression and its subqueries.
pub fn expr<'a>(root: &'a Expr, visit: Visit<'_, 'a>) {
    visit(Node::Expr(root));
    root.children().into_iter().for_each(|child| expr(child, visit));
    root.queries().into_iter().for_each(|inner| query(inner, visit));
}
