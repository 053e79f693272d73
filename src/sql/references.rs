//! References to tables in a statement, as far as they are not names of CTEs.

use super::expr::Expr;
use super::query::{
    Body, Join, JoinConstraint, Query, Select, SelectItemKind, TableExpr, TableName, TableRef,
};
use super::statement::{InsertSource, Statement, StatementKind};

/// A table that is read, and how it is named.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    pub table: &'a TableName,
    /// In FROM, with its alias. None: `TABLE t`.
    pub from: Option<&'a TableRef>,
    /// In FROM of the outermost query block.
    pub outermost: bool,
    /// The query whose block it stands in; None for UPDATE and DELETE.
    pub query: Option<&'a Query>,
}

/// The tables that a statement reads, in the order of the text for each block. A table that an INSERT
/// writes to and the names that a DDL statement changes are not among them.
pub fn references(statement: &Statement) -> Vec<Reference<'_>> {
    let mut finder = Finder::default();
    finder.statement(statement);
    finder.found
}

/// The tables that a query reads.
pub fn of_query(query: &Query) -> Vec<Reference<'_>> {
    let mut finder = Finder::default();
    finder.query(query, true);
    finder.found
}

#[derive(Default)]
struct Finder<'a> {
    /// Those that are visible, innermost last.
    ctes: Vec<&'a str>,
    found: Vec<Reference<'a>>,
}

impl<'a> Finder<'a> {
    fn statement(&mut self, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Query(query) => self.query(query, true),
            StatementKind::Insert(insert) => {
                match &insert.source {
                    InsertSource::Values { rows, .. } => {
                        rows.iter().flat_map(|row| &row.values).for_each(|value| self.expr(value));
                    }
                    InsertSource::Set(list) => list.iter().for_each(|item| self.expr(&item.value)),
                    InsertSource::Query(query) => self.query(query, false),
                }
                insert.on_duplicate.iter().for_each(|item| self.expr(&item.value));
                insert.returning.iter().flatten().for_each(|item| self.expr(item));
            }
            StatementKind::Update(update) => {
                update.from.iter().for_each(|entry| self.from(entry, None, false));
                update.assignments.iter().for_each(|item| self.expr(&item.value));
                update.filter.iter().for_each(|filter| self.expr(filter));
                update.order_by.iter().for_each(|item| self.expr(&item.expr));
            }
            StatementKind::Delete(delete) => {
                delete.from.iter().for_each(|entry| self.from(entry, None, false));
                delete.filter.iter().for_each(|filter| self.expr(filter));
                delete.order_by.iter().for_each(|item| self.expr(&item.expr));
                delete.returning.iter().flatten().for_each(|item| self.expr(item));
            }
            StatementKind::Ddl(ddl) => {
                ddl.query.iter().for_each(|query| self.query(query, false));
            }
            StatementKind::Set(list) => list.iter().for_each(|item| self.expr(&item.value)),
            StatementKind::Explain(explain) => self.statement(&explain.statement),
            StatementKind::Transaction(_)
            | StatementKind::SetNames { .. }
            | StatementKind::SetTransaction { .. }
            | StatementKind::Use(_)
            | StatementKind::Show(_)
            | StatementKind::Describe { .. }
            | StatementKind::Prepare { .. }
            | StatementKind::Execute(_)
            | StatementKind::Deallocate(_)
            | StatementKind::Call(_)
            | StatementKind::LockTables(_)
            | StatementKind::Handler(_)
            | StatementKind::Load(_)
            | StatementKind::Do { .. }
            | StatementKind::Kill { .. }
            | StatementKind::Other(_)
            | StatementKind::Empty => {}
        }
    }

    fn query(&mut self, query: &'a Query, outermost: bool) {
        let outer = self.ctes.len();
        for cte in &query.with {
            if cte.recursive {
                self.ctes.push(&cte.name.value);
            }
            self.query(&cte.query, false);
            if !cte.recursive {
                self.ctes.push(&cte.name.value);
            }
        }
        match &query.body {
            Body::Select(select) => self.select(select, query, outermost),
            Body::SetOperation { left, right, .. } => {
                self.query(left, false);
                self.query(right, false);
            }
            Body::Values(rows) => rows.iter().flatten().for_each(|value| self.expr(value)),
            Body::Table(table) => {
                self.add(Reference { table, from: None, outermost, query: Some(query) });
            }
            Body::Nested(inner) => self.query(inner, outermost),
        }
        query.order_by.iter().for_each(|item| self.expr(&item.expr));
        self.ctes.truncate(outer);
    }

    fn select(&mut self, select: &'a Select, query: &'a Query, outermost: bool) {
        select.from.iter().for_each(|entry| self.from(entry, Some(query), outermost));
        for item in &select.items {
            if let SelectItemKind::Expr { expr, .. } = &item.kind {
                self.expr(expr);
            }
        }
        select.filter.iter().for_each(|filter| self.expr(filter));
        select.group_by.iter().for_each(|item| self.expr(&item.expr));
        select.having.iter().for_each(|having| self.expr(having));
        select.windows.iter().for_each(|window| self.expr(window));
    }

    fn from(&mut self, entry: &'a TableExpr, query: Option<&'a Query>, outermost: bool) {
        match entry {
            TableExpr::Table(from) => {
                self.add(Reference { table: &from.table, from: Some(from), outermost, query });
            }
            TableExpr::Derived { query, .. } => self.query(query, false),
            TableExpr::Join(join) => {
                let Join { left, right, constraint, .. } = join.as_ref();
                self.from(left, query, outermost);
                self.from(right, query, outermost);
                if let JoinConstraint::On(on) = constraint {
                    self.expr(on);
                }
            }
            TableExpr::Function { args, .. } => args.iter().for_each(|arg| self.expr(arg)),
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        expr.queries().into_iter().for_each(|query| self.query(query, false));
        expr.children().into_iter().for_each(|child| self.expr(child));
    }

    /// A name in other case than a CTE's may mean it too: what it is, the planner says.
    fn add(&mut self, reference: Reference<'a>) {
        let name = &reference.table.name.value;
        let is_cte = reference.table.schema.is_none()
            && self.ctes.iter().any(|cte| cte.eq_ignore_ascii_case(name));
        if !is_cte {
            self.found.push(reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Mode, parse};

    fn check(text: &str, expect: &str) {
        let statement = parse(text.as_bytes(), &Mode::default()).unwrap();
        let found = references(&statement).into_iter();
        let found: Vec<&str> = found.map(|it| &text[it.table.span.range()]).collect();
        assert_eq!(found.join(" "), expect, "{text}");
    }

    #[test]
    fn finds_tables_but_no_ctes() {
        check("SELECT * FROM a, s.b JOIN c ON c.x IN (SELECT x FROM d)", "a s.b c d");
        check("WITH a AS (SELECT 1 FROM a) SELECT * FROM A, s.a, b", "a s.a b");
        check("WITH RECURSIVE a AS (SELECT 1 FROM a) SELECT * FROM a", "");
        check("SELECT (WITH a AS (SELECT 1) SELECT 1 FROM a) FROM a", "a");
        check("TABLE a UNION SELECT 1 FROM (SELECT 2 FROM b) c", "a b");
        check("INSERT INTO a SELECT * FROM b", "b");
        check("UPDATE a JOIN b SET a.x = (SELECT 1 FROM c)", "a b c");
        check("DELETE a FROM a JOIN b WHERE EXISTS (TABLE c)", "a b c");
        check("CREATE VIEW v AS SELECT 1 FROM a", "a");
        check("EXPLAIN SELECT 1 FROM a", "a");
    }
}
