//! INSERT, REPLACE, UPDATE and DELETE.

use crate::error::Result;

use super::super::expr::{Expr, Name};
use super::super::query::{TableExpr, TableName, TableRef};
use super::super::span::Span;
use super::super::statement::{
    ColumnAssignment, Delete, Insert, InsertRow, InsertSource, StatementKind, Update,
};
use super::super::token::TokenKind;
use super::cursor::Parser;

impl Parser<'_> {
    /// INSERT or REPLACE.
    pub(super) fn insert(&mut self) -> Result<StatementKind> {
        let replace = self.accept_kw("REPLACE");
        if !replace {
            self.expect_kw("INSERT")?;
        }
        self.accept_any_kw(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"]);
        let ignore = self.accept_kw("IGNORE");
        self.accept_kw("INTO");
        let table = self.table_name()?;
        let partitions = self.accept_kw("PARTITION");
        if partitions {
            self.name_list()?;
        }
        let (columns, columns_start) = self.insert_columns()?.unzip();
        let source = self.insert_source()?;
        let row_alias = self.row_alias()?;
        let on_duplicate = if self.accept_kws(&["ON", "DUPLICATE", "KEY", "UPDATE"]) {
            self.comma_separated(Self::assignment)?
        } else {
            Vec::new()
        };
        let returning = self.returning()?;
        Ok(StatementKind::Insert(Box::new(Insert {
            replace,
            ignore,
            table,
            partitions,
            columns,
            columns_start,
            source,
            on_duplicate,
            row_alias,
            returning,
        })))
    }

    /// `(a, b)`; the names may be qualified, of which only the last part matters.
    fn insert_columns(&mut self) -> Result<Option<(Vec<Name>, u32)>> {
        if !self.at(TokenKind::LeftParen) || self.query_in_parens_at(0) {
            return Ok(None);
        }
        let start = self.start() + 1;
        self.bump();
        if self.accept(TokenKind::RightParen) {
            return Ok(Some((Vec::new(), start)));
        }
        let names = self.comma_separated(|parser| Ok(parser.column_name()?.name))?;
        self.expect(TokenKind::RightParen)?;
        Ok(Some((names, start)))
    }

    fn insert_source(&mut self) -> Result<InsertSource> {
        if self.accept_kw("SET") {
            return Ok(InsertSource::Set(self.comma_separated(Self::assignment)?));
        }
        let values = self.at_kw("VALUES") && !self.nth_kw(1, "ROW");
        if !values && !self.at_kw("VALUE") {
            return Ok(InsertSource::Query(Box::new(self.query()?)));
        }
        self.bump();
        let start = self.start();
        let rows = self.comma_separated(Self::insert_row)?;
        Ok(InsertSource::Values { rows, span: self.span_from(start) })
    }

    fn insert_row(&mut self) -> Result<InsertRow> {
        let start = self.start();
        let values = self.value_list()?;
        Ok(InsertRow { span: self.span_from(start), values })
    }

    /// `AS new` or `AS new(a, b)`
    fn row_alias(&mut self) -> Result<Option<Name>> {
        if !self.accept_kw("AS") {
            return Ok(None);
        }
        let name = self.name()?;
        if self.at(TokenKind::LeftParen) {
            self.name_list()?;
        }
        Ok(Some(name))
    }

    /// MariaDB's `RETURNING a, b`.
    fn returning(&mut self) -> Result<Option<Vec<Expr>>> {
        if !self.accept_kw("RETURNING") {
            return Ok(None);
        }
        let mut items = Vec::new();
        loop {
            if !self.accept(TokenKind::Star) {
                items.push(self.expr()?);
                self.alias(true)?;
            }
            if !self.accept(TokenKind::Comma) {
                return Ok(Some(items));
            }
        }
    }

    /// `column = expr`; `:=` does as well.
    pub(super) fn assignment(&mut self) -> Result<ColumnAssignment> {
        let start = self.start();
        let column = self.column_name()?;
        if !self.accept(TokenKind::Assign) {
            self.expect(TokenKind::Eq)?;
        }
        let value = self.expr()?;
        Ok(ColumnAssignment { column, value, span: self.span_from(start) })
    }

    /// UPDATE, behind its WITH clause if it has one.
    pub(super) fn update(&mut self, with: bool) -> Result<StatementKind> {
        self.expect_kw("UPDATE")?;
        self.accept_kw("LOW_PRIORITY");
        let ignore = self.accept_kw("IGNORE");
        let start = self.start();
        let from = self.table_list()?;
        let from_span = self.span_from(start);
        self.expect_kw("SET")?;
        let assignments = self.comma_separated(Self::assignment)?;
        let mut filter = None;
        self.where_clause(&mut filter)?;
        let order_by = self.order_by()?;
        let limit = self.limit()?;
        Ok(StatementKind::Update(Box::new(Update {
            ignore,
            from,
            from_span,
            assignments,
            filter,
            order_by,
            limit,
            with,
        })))
    }

    /// DELETE, behind its WITH clause if it has one.
    pub(super) fn delete(&mut self, with: bool) -> Result<StatementKind> {
        self.expect_kw("DELETE")?;
        let mut ignore = false;
        loop {
            if self.accept_kw("IGNORE") {
                ignore = true;
            } else if !self.delete_modifier_ahead() {
                break;
            } else {
                self.bump();
            }
        }
        let head_end = self.start();
        let (targets, from, from_span) = self.delete_tables()?;
        let mut filter: Option<Expr> = None;
        self.where_clause(&mut filter)?;
        let order_by = self.order_by()?;
        let limit = self.limit()?;
        let returning = self.returning()?;
        Ok(StatementKind::Delete(Box::new(Delete {
            ignore,
            targets,
            from,
            from_span,
            head_end,
            filter,
            order_by,
            limit,
            with,
            returning,
        })))
    }

    /// LOW_PRIORITY, or QUICK unless it can only be the name of a table.
    fn delete_modifier_ahead(&self) -> bool {
        let name = self.nth_is(1, TokenKind::Dot) || self.nth_is(1, TokenKind::Comma);
        self.at_kw("LOW_PRIORITY") || (self.at_kw("QUICK") && !name)
    }

    /// `FROM t [alias]`, `a, b.* FROM refs`, `FROM a, b.* USING refs`
    fn delete_tables(&mut self) -> Result<(Vec<TableName>, Vec<TableExpr>, Span)> {
        if !self.accept_kw("FROM") {
            let targets = self.comma_separated(Self::delete_target)?;
            self.expect_kw("FROM")?;
            return self.delete_from(targets);
        }
        let mark = self.mark();
        let targets = self.comma_separated(Self::delete_target)?;
        if self.accept_kw("USING") {
            return self.delete_from(targets);
        }
        self.reset(mark);
        let table = self.table_name()?;
        let partitions = self.at_kw("PARTITION");
        let mut alias_at = self.end();
        // MySQL wants PARTITION behind the alias here, MariaDB before it.
        let mut alias = None;
        if !partitions {
            alias = self.delete_alias()?;
        }
        let partitions = self.partitions()?;
        if partitions.is_some() && alias.is_none() {
            alias_at = self.end();
            alias = self.delete_alias()?;
        }
        let span = self.span_from(table.span.start);
        let table = TableRef { table, alias, partitions, index_hints: None, span, alias_at };
        Ok((Vec::new(), vec![TableExpr::Table(table)], span))
    }

    fn delete_from(
        &mut self,
        targets: Vec<TableName>,
    ) -> Result<(Vec<TableName>, Vec<TableExpr>, Span)> {
        let start = self.start();
        let from = self.table_list()?;
        Ok((targets, from, self.span_from(start)))
    }

    fn delete_alias(&mut self) -> Result<Option<Name>> {
        if self.at_kw("RETURNING") { Ok(None) } else { self.alias(false) }
    }

    /// `t`, `s.t`, `t.*`, `s.t.*`
    fn delete_target(&mut self) -> Result<TableName> {
        let start = self.start();
        let mut name = self.name()?;
        let mut schema = None;
        if self.at(TokenKind::Dot) && !self.nth_is(1, TokenKind::Star) {
            self.bump();
            schema = Some(name);
            name = self.any_name()?;
        }
        let span = self.span_from(start);
        if self.accept(TokenKind::Dot) {
            self.expect(TokenKind::Star)?;
        }
        Ok(TableName { schema, name, span })
    }
}
