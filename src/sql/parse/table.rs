//! FROM: tables, derived tables and joins.

use crate::error::Result;

use super::super::expr::{Expr, Name};
use super::super::query::{Join, JoinConstraint, JoinKind, TableExpr, TableName, TableRef};
use super::super::span::Span;
use super::super::token::TokenKind;
use super::cursor::Parser;

impl Parser<'_> {
    /// `t` or `s.t`
    pub(super) fn table_name(&mut self) -> Result<TableName> {
        let start = self.start();
        let first = self.name()?;
        let (schema, name) = if self.accept(TokenKind::Dot) {
            (Some(first), self.any_name()?)
        } else {
            (None, first)
        };
        Ok(TableName { schema, name, span: self.span_from(start) })
    }

    /// `a, b JOIN c ON ...`
    pub(super) fn table_list(&mut self) -> Result<Vec<TableExpr>> {
        self.comma_separated(Self::joined_table)
    }

    fn joined_table(&mut self) -> Result<TableExpr> {
        Ok(self.table_reference()?.0)
    }

    /// A table with its joins, and how many joins (outside of parentheses) lie on the way down its
    /// left sides.
    fn table_reference(&mut self) -> Result<(TableExpr, u32)> {
        self.nested(|parser| {
            let mut left = parser.table_factor()?;
            let mut spine = 0;
            while let Some((kind, natural)) = parser.join_keywords()? {
                let (joined, more) = parser.join(left, kind, natural)?;
                left = joined;
                spine += more;
                parser.check_chain(spine)?;
            }
            Ok((left, spine))
        })
    }

    /// The kind of the join ahead and whether it is NATURAL; its keywords are consumed.
    fn join_keywords(&mut self) -> Result<Option<(JoinKind, bool)>> {
        let natural = self.accept_kw("NATURAL");
        let kind = if self.at_any_kw(&["LEFT", "RIGHT"]) {
            let kind = if self.at_kw("LEFT") { JoinKind::Left } else { JoinKind::Right };
            self.bump();
            self.accept_kw("OUTER");
            self.expect_kw("JOIN")?;
            kind
        } else if self.accept_any_kw(&["INNER", "CROSS"]) {
            self.expect_kw("JOIN")?;
            JoinKind::Inner
        } else if self.accept_kw("JOIN") || (!natural && self.accept_kw("STRAIGHT_JOIN")) {
            JoinKind::Inner
        } else if natural {
            return Err(self.error());
        } else {
            return Ok(None);
        };
        Ok(Some((kind, natural)))
    }

    /// The right side and the condition of a join; the number is by how many joins the way down the
    /// left sides grew.
    fn join(&mut self, left: TableExpr, kind: JoinKind, natural: bool) -> Result<(TableExpr, u32)> {
        if natural {
            let right = self.table_factor()?;
            return Ok((join_of(kind, left, right, JoinConstraint::Natural), 1));
        }
        // In `a JOIN b JOIN c ON x ON y` the second condition belongs to the first join, so joins
        // behind the right table come first.
        let (right, spine) = self.table_reference()?;
        if self.accept_kw("ON") {
            let on = JoinConstraint::On(self.expr()?);
            return Ok((join_of(kind, left, right, on), 1));
        }
        if self.accept_kw("USING") {
            let names = JoinConstraint::Using(self.name_list()?);
            return Ok((join_of(kind, left, right, names), 1));
        }
        if kind != JoinKind::Inner {
            return Err(self.error());
        }
        // Without a condition of its own, the join takes part at the left end of what follows:
        // `a JOIN b JOIN c ON x` is `(a JOIN b) JOIN c ON x`, whose condition sees `a`.
        Ok((graft(left, right, spine), spine + 1))
    }

    fn table_factor(&mut self) -> Result<TableExpr> {
        let start = self.start();
        if self.accept_kw("LATERAL") {
            return self.derived(start, true);
        }
        // In FROM, MariaDB's `(VALUES (1), (2))` cannot be a function call.
        if self.query_in_parens_at(0) || (self.at(TokenKind::LeftParen) && self.nth_kw(1, "VALUES"))
        {
            return self.derived(start, false);
        }
        if self.accept(TokenKind::LeftParen) {
            let tables = self.nested(Self::table_list)?;
            self.expect(TokenKind::RightParen)?;
            return self.comma_join(tables);
        }
        if self.accept(TokenKind::LeftBrace) {
            // ODBC: { OJ a LEFT JOIN b ON ... }
            self.any_name()?;
            let (table, _) = self.table_reference()?;
            self.expect(TokenKind::RightBrace)?;
            return Ok(table);
        }
        if self.at_kw("JSON_TABLE") && self.nth_is(1, TokenKind::LeftParen) {
            return self.json_table(start);
        }
        let table = self.table_name()?;
        let partitions = self.partitions()?;
        let alias_at = self.end();
        let alias = self.table_alias()?;
        let index_hints = self.index_hints()?;
        let span = self.span_from(start);
        Ok(TableExpr::Table(TableRef { table, alias, partitions, index_hints, span, alias_at }))
    }

    /// `(a, b)` in parentheses is a cross join.
    fn comma_join(&self, tables: Vec<TableExpr>) -> Result<TableExpr> {
        self.check_chain(u32::try_from(tables.len()).unwrap_or(u32::MAX))?;
        let join = |left, right| join_of(JoinKind::Inner, left, right, JoinConstraint::None);
        tables.into_iter().reduce(join).ok_or_else(|| self.error())
    }

    /// RETURNING starts a clause in MariaDB, so it is an alias only behind AS.
    fn table_alias(&mut self) -> Result<Option<Name>> {
        if self.at_kw("RETURNING") { Ok(None) } else { self.alias(false) }
    }

    fn derived(&mut self, start: u32, lateral: bool) -> Result<TableExpr> {
        let query = Box::new(self.subquery()?);
        let alias = self.table_alias()?;
        let columns = if alias.is_some() && self.at(TokenKind::LeftParen) {
            self.name_list()?
        } else {
            Vec::new()
        };
        Ok(TableExpr::Derived { query, alias, columns, lateral, span: self.span_from(start) })
    }

    /// `PARTITION (p0, p1)`
    pub(super) fn partitions(&mut self) -> Result<Option<Span>> {
        let start = self.start();
        if !self.accept_kw("PARTITION") {
            return Ok(None);
        }
        self.name_list()?;
        Ok(Some(self.span_from(start)))
    }

    /// `USE | FORCE | IGNORE {INDEX | KEY} [FOR ...] (a, b)`, several.
    fn index_hints(&mut self) -> Result<Option<Span>> {
        let start = self.start();
        while self.at_any_kw(&["USE", "FORCE", "IGNORE"])
            && (self.nth_kw(1, "INDEX") || self.nth_kw(1, "KEY"))
        {
            self.bump();
            self.bump();
            if self.accept_kw("FOR")
                && !self.accept_kw("JOIN")
                && !self.accept_kws(&["ORDER", "BY"])
                && !self.accept_kws(&["GROUP", "BY"])
            {
                return Err(self.error());
            }
            self.expect(TokenKind::LeftParen)?;
            while self.at_name() || self.at_kw("PRIMARY") {
                self.bump();
                self.accept(TokenKind::Comma);
            }
            self.expect(TokenKind::RightParen)?;
        }
        let span = self.span_from(start);
        Ok((span.end > start).then_some(span))
    }

    /// `JSON_TABLE(expr, path COLUMNS (...)) [AS] alias`
    fn json_table(&mut self, start: u32) -> Result<TableExpr> {
        self.bump();
        self.expect(TokenKind::LeftParen)?;
        let args: Vec<Expr> = self.comma_separated(Self::expr)?;
        self.expect_kw("COLUMNS")?;
        // Column definitions hold constants and names only.
        self.skip_parens()?;
        self.expect(TokenKind::RightParen)?;
        let alias = self.table_alias()?;
        Ok(TableExpr::Function { what: "JSON_TABLE", args, alias, span: self.span_from(start) })
    }
}

fn join_of(
    kind: JoinKind,
    left: TableExpr,
    right: TableExpr,
    constraint: JoinConstraint,
) -> TableExpr {
    TableExpr::Join(Box::new(Join { kind, left, right, constraint }))
}

/// Puts `left` by a cross join in front of the table that lies `spine` joins down the left side of
/// `right`.
fn graft(left: TableExpr, right: TableExpr, spine: u32) -> TableExpr {
    match right {
        TableExpr::Join(join) if spine > 0 => {
            let Join { kind, left: first, right, constraint } = *join;
            join_of(kind, graft(left, first, spine - 1), right, constraint)
        }
        first => join_of(JoinKind::Inner, left, first, JoinConstraint::None),
    }
}
