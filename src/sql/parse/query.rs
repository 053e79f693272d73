//! SELECT and what queries are made of.

use crate::error::{Error, Result};

use super::super::expr::{Expr, ExprKind};
use super::super::query::{
    Body, Cte, Limit, Locking, OrderItem, Query, Select, SelectItem, SelectItemKind, SetOperator,
};
use super::super::span::Span;
use super::super::token::TokenKind;
use super::cursor::Parser;

/// Most SELECTs that UNION and its like may chain: the chain nests to the left.
const SET_OPERATIONS_MAX: usize = 500;

const MODIFIERS: &[&str] = &[
    "ALL",
    "HIGH_PRIORITY",
    "SQL_SMALL_RESULT",
    "SQL_BIG_RESULT",
    "SQL_BUFFER_RESULT",
    "SQL_NO_CACHE",
    "SQL_CACHE",
];

impl Parser<'_> {
    /// A query starts at the token `ahead`, without parentheses.
    pub(super) fn query_at(&self, ahead: usize) -> bool {
        ["SELECT", "WITH", "TABLE"].iter().any(|word| self.nth_kw(ahead, word))
            || (self.nth_kw(ahead, "VALUES") && self.nth_kw(ahead + 1, "ROW"))
    }

    /// A query in parentheses starts at the token `ahead`: `(SELECT`, `((SELECT 1) UNION`, but not
    /// `((SELECT 1) + 1)`.
    pub(super) fn query_in_parens_at(&self, ahead: usize) -> bool {
        let mut innermost = ahead;
        if !self.nth_is(ahead, TokenKind::LeftParen) {
            return false;
        }
        while self.nth_is(innermost + 1, TokenKind::LeftParen) {
            innermost += 1;
        }
        if !self.query_at(innermost + 1) {
            return false;
        }
        let follows = ["UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT"];
        (ahead + 1..=innermost).all(|open| {
            self.closing_paren(open).is_some_and(|close| {
                self.nth_is(close + 1, TokenKind::RightParen)
                    || follows.iter().any(|word| self.nth_kw(close + 1, word))
            })
        })
    }

    /// `(query)`; the parentheses are not part of the query's span.
    pub(super) fn subquery(&mut self) -> Result<Query> {
        self.expect(TokenKind::LeftParen)?;
        let query = self.query()?;
        self.expect(TokenKind::RightParen)?;
        Ok(query)
    }

    /// `[WITH ...] body [ORDER BY ...] [LIMIT ...] [FOR UPDATE] [INTO ...]`
    pub(super) fn query(&mut self) -> Result<Query> {
        self.nested(|parser| {
            let start = parser.start();
            let with = parser.with()?;
            let with_span = (!with.is_empty()).then(|| parser.span_from(start));
            parser.query_after_with(start, with, with_span)
        })
    }

    /// The query behind its WITH clause, which started at `start`.
    pub(super) fn query_after_with(
        &mut self,
        start: u32,
        with: Vec<Cte>,
        with_span: Option<Span>,
    ) -> Result<Query> {
        let mut query = self.set_operations()?;
        // The tail of a single operand was left alone there, so that it comes here.
        query.with = with;
        query.with_span = with_span;
        query.order_by = self.order_by()?;
        query.limit_at = self.end();
        query.limit = self.limit()?;
        if query.into.is_none() {
            query.set_into(self.select_into()?);
        }
        query.locking = self.locking()?;
        if query.into.is_none() {
            query.set_into(self.select_into()?);
        }
        query.span = self.span_from(start);
        Ok(query)
    }

    /// UNION and EXCEPT chains, to the left.
    fn set_operations(&mut self) -> Result<Query> {
        let mut left = self.intersections()?;
        let mut count = 0;
        loop {
            let operator = if self.accept_kw("UNION") {
                SetOperator::Union
            } else if self.accept_kw("EXCEPT") || self.accept_kw("MINUS") {
                SetOperator::Except
            } else {
                return Ok(left);
            };
            count += 1;
            if count > SET_OPERATIONS_MAX {
                return Err(Error::unsupported(format!(
                    "more than {SET_OPERATIONS_MAX} set operations in a row; split the statement"
                )));
            }
            let all = self.set_quantifier();
            let right = self.intersections()?;
            left = set_operation(operator, all, left, right);
        }
    }

    /// INTERSECT binds tighter than UNION and EXCEPT.
    fn intersections(&mut self) -> Result<Query> {
        let mut left = self.operand()?;
        let mut count = 0;
        while self.accept_kw("INTERSECT") {
            count += 1;
            self.check_chain(count)?;
            let all = self.set_quantifier();
            let right = self.operand()?;
            left = set_operation(SetOperator::Intersect, all, left, right);
        }
        Ok(left)
    }

    /// ALL is told; DISTINCT is the default.
    fn set_quantifier(&mut self) -> bool {
        let all = self.accept_kw("ALL");
        if !all {
            self.accept_kw("DISTINCT");
        }
        all
    }

    /// SELECT, VALUES, TABLE or a query in parentheses, as a query without a tail.
    fn operand(&mut self) -> Result<Query> {
        let start = self.start();
        let mut into = None;
        let body = if self.at(TokenKind::LeftParen) {
            Body::Nested(Box::new(self.subquery()?))
        } else if self.accept_kw("VALUES") {
            Body::Values(self.comma_separated(|parser| {
                parser.accept_kw("ROW");
                parser.value_list()
            })?)
        } else if self.accept_kw("TABLE") {
            Body::Table(self.table_name()?)
        } else {
            let (select, found) = self.select()?;
            into = found;
            Body::Select(select)
        };
        let span = self.span_from(start);
        let mut query = plain_query(span, body);
        query.set_into(into);
        Ok(query)
    }

    /// `(a, b)`, possibly empty.
    pub(super) fn value_list(&mut self) -> Result<Vec<Expr>> {
        self.expect(TokenKind::LeftParen)?;
        if self.accept(TokenKind::RightParen) {
            return Ok(Vec::new());
        }
        let values = self.comma_separated(Self::expr)?;
        self.expect(TokenKind::RightParen)?;
        Ok(values)
    }

    /// A query block, and its INTO clause if that stands behind the items.
    fn select(&mut self) -> Result<(Box<Select>, Option<Box<Into>>)> {
        let start = self.start();
        self.expect_kw("SELECT")?;
        // Boxed at once: it is large, and queries nest deeply.
        let mut select = Box::new(Select {
            span: Span::default(),
            items_at: 0,
            distinct: false,
            calc_found_rows: false,
            straight_join: false,
            items: Vec::new(),
            from: Vec::new(),
            from_span: None,
            filter: None,
            group_by: Vec::new(),
            rollup: false,
            having: None,
            windows: Vec::new(),
            has_windows: false,
            group_by_span: None,
            having_span: None,
        });
        self.select_modifiers(&mut select);
        select.items_at = self.start();
        select.items = self.comma_separated(Self::select_item)?;
        let into = self.select_into()?;
        if self.accept_kw("FROM") && !self.accept_kw("DUAL") {
            let from_start = self.start();
            select.from = self.table_list()?;
            select.from_span = Some(self.span_from(from_start));
        }
        self.where_clause(&mut select.filter)?;
        self.group_by(&mut select)?;
        let having_start = self.start();
        if self.accept_kw("HAVING") {
            select.having = Some(self.expr()?);
            select.having_span = Some(self.span_from(having_start));
        }
        let named = self.accept_kw("WINDOW");
        if named {
            self.windows(&mut select)?;
        }
        select.has_windows = named || has_windows(&select);
        select.span = self.span_from(start);
        if self.at_kw("PROCEDURE") {
            return Err(Error::unsupported("SELECT ... PROCEDURE is not supported; leave it out"));
        }
        Ok((select, into))
    }

    fn select_modifiers(&mut self, select: &mut Select) {
        loop {
            if self.accept_kw("DISTINCT") || self.accept_kw("DISTINCTROW") {
                select.distinct = true;
            } else if self.accept_kw("STRAIGHT_JOIN") {
                select.straight_join = true;
            } else if self.accept_kw("SQL_CALC_FOUND_ROWS") {
                select.calc_found_rows = true;
            } else if !(self.modifier_ahead() && self.accept_any_kw(MODIFIERS)) {
                return;
            }
        }
    }

    /// SQL_CACHE and SQL_NO_CACHE may be column names where no item follows them.
    fn modifier_ahead(&self) -> bool {
        !matches!(
            self.nth(1).kind,
            TokenKind::Comma | TokenKind::Dot | TokenKind::End | TokenKind::RightParen
        ) && !self.nth_kw(1, "FROM")
    }

    fn select_item(&mut self) -> Result<SelectItem> {
        let start = self.start();
        let kind = if self.accept(TokenKind::Star) {
            SelectItemKind::Wildcard
        } else if self.nth_is(1, TokenKind::Dot) && self.nth_is(2, TokenKind::Star) {
            let table = self.name()?;
            self.bump();
            self.bump();
            SelectItemKind::QualifiedWildcard { schema: None, table }
        } else if self.nth_is(1, TokenKind::Dot)
            && self.nth_is(3, TokenKind::Dot)
            && self.nth_is(4, TokenKind::Star)
        {
            let schema = Some(self.name()?);
            self.bump();
            let table = self.any_name()?;
            self.bump();
            self.bump();
            SelectItemKind::QualifiedWildcard { schema, table }
        } else {
            let expr = self.expr()?;
            let alias = self.alias(true)?;
            SelectItemKind::Expr { expr, alias }
        };
        Ok(SelectItem { span: self.span_from(start), kind })
    }

    pub(super) fn where_clause(&mut self, filter: &mut Option<Expr>) -> Result<()> {
        if self.accept_kw("WHERE") {
            *filter = Some(self.expr()?);
        }
        Ok(())
    }

    /// `GROUP BY a, b [WITH ROLLUP]` or `GROUP BY ROLLUP (a, b)`
    fn group_by(&mut self, select: &mut Select) -> Result<()> {
        let start = self.start();
        if !self.accept_kws(&["GROUP", "BY"]) {
            return Ok(());
        }
        if self.at_kw("ROLLUP") && self.nth_is(1, TokenKind::LeftParen) {
            self.bump();
            self.bump();
            select.group_by = self.comma_separated(Self::order_item)?;
            self.expect(TokenKind::RightParen)?;
            select.rollup = true;
        } else {
            select.group_by = self.comma_separated(Self::order_item)?;
            select.rollup = self.accept_kws(&["WITH", "ROLLUP"]);
        }
        select.group_by_span = Some(self.span_from(start));
        Ok(())
    }

    /// `name AS (window), ...`
    fn windows(&mut self, select: &mut Select) -> Result<()> {
        loop {
            self.name()?;
            self.expect_kw("AS")?;
            select.windows.extend(self.window()?);
            if !self.accept(TokenKind::Comma) {
                return Ok(());
            }
        }
    }

    pub(super) fn order_by(&mut self) -> Result<Vec<OrderItem>> {
        if self.accept_kws(&["ORDER", "BY"]) {
            self.comma_separated(Self::order_item)
        } else {
            Ok(Vec::new())
        }
    }

    /// `expr [ASC | DESC]`
    pub(super) fn order_item(&mut self) -> Result<OrderItem> {
        let start = self.start();
        let expr = self.expr()?;
        let descending = self.accept_kw("DESC");
        if !descending {
            self.accept_kw("ASC");
        }
        Ok(OrderItem { span: self.span_from(start), expr, descending })
    }

    /// `LIMIT n`, `LIMIT offset, n`, `LIMIT n OFFSET offset`
    pub(super) fn limit(&mut self) -> Result<Option<Limit>> {
        let start = self.start();
        if !self.accept_kw("LIMIT") {
            return Ok(None);
        }
        let first = self.limit_number()?;
        let (rows, offset) = if self.accept(TokenKind::Comma) {
            (self.limit_number()?, Some(first))
        } else if self.accept_kw("OFFSET") {
            (first, Some(self.limit_number()?))
        } else {
            (first, None)
        };
        if self.at_kws(&["ROWS", "EXAMINED"]) {
            return Err(Error::unsupported("LIMIT ROWS EXAMINED is not supported; leave it out"));
        }
        Ok(Some(Limit { span: self.span_from(start), rows, offset }))
    }

    fn limit_number(&mut self) -> Result<Expr> {
        match self.peek().kind {
            // A bare word is a variable of a stored program, which a client cannot have.
            TokenKind::Integer | TokenKind::Param | TokenKind::Hex => self.primary(),
            _ => Err(self.error()),
        }
    }

    /// `FOR UPDATE | SHARE [OF t] [NOWAIT | SKIP LOCKED]` (several), `LOCK IN SHARE MODE`
    fn locking(&mut self) -> Result<Option<Locking>> {
        let start = self.start();
        let mut found = false;
        let mut exclusive = false;
        loop {
            if self.accept_kws(&["LOCK", "IN", "SHARE", "MODE"]) {
                self.lock_options()?;
            } else if self.accept_kws(&["FOR", "UPDATE"]) {
                exclusive = true;
                self.lock_options()?;
            } else if self.accept_kws(&["FOR", "SHARE"]) {
                self.lock_options()?;
            } else {
                break;
            }
            found = true;
        }
        Ok(found.then(|| Locking { span: self.span_from(start), exclusive }))
    }

    fn lock_options(&mut self) -> Result<()> {
        if self.accept_kw("OF") {
            self.comma_separated(Self::table_name)?;
        }
        if self.accept_kw("WAIT") {
            self.expect(TokenKind::Integer)?;
        } else if !self.accept_kw("NOWAIT") {
            self.accept_kws(&["SKIP", "LOCKED"]);
        }
        Ok(())
    }

    /// `INTO @a, @b`, `INTO OUTFILE 'f' ...`, `INTO DUMPFILE 'f'`
    fn select_into(&mut self) -> Result<Option<Box<Into>>> {
        let start = self.start();
        if !self.accept_kw("INTO") {
            return Ok(None);
        }
        let mut variables = Vec::new();
        if self.accept_kw("DUMPFILE") {
            self.string_literal()?;
        } else if self.accept_kw("OUTFILE") {
            self.string_literal()?;
            self.outfile_options()?;
        } else {
            variables = self.comma_separated(Self::user_variable_name)?;
        }
        Ok(Some(Box::new(Into { span: self.span_from(start), variables })))
    }

    fn outfile_options(&mut self) -> Result<()> {
        let words = [
            "CHARACTER",
            "SET",
            "CHARSET",
            "FIELDS",
            "COLUMNS",
            "LINES",
            "TERMINATED",
            "BY",
            "OPTIONALLY",
            "ENCLOSED",
            "ESCAPED",
            "STARTING",
        ];
        loop {
            if self.accept_kw("CHARSET") || self.accept_kws(&["CHARACTER", "SET"]) {
                self.any_name()?;
            } else if !self.accept_any_kw(&words)
                && !self.accept(TokenKind::String)
                && !self.accept(TokenKind::Hex)
                && !self.accept(TokenKind::Bit)
            {
                return Ok(());
            }
        }
    }

    /// `WITH [RECURSIVE] name [(a, b)] AS (query), ...`
    pub(super) fn with(&mut self) -> Result<Vec<Cte>> {
        if !self.accept_kw("WITH") {
            return Ok(Vec::new());
        }
        let recursive = self.accept_kw("RECURSIVE");
        self.comma_separated(|parser| {
            let start = parser.start();
            let name = parser.name()?;
            let columns =
                if parser.at(TokenKind::LeftParen) { parser.name_list()? } else { Vec::new() };
            parser.expect_kw("AS")?;
            let query = parser.subquery()?;
            Ok(Cte { name, columns, query, recursive, span: parser.span_from(start) })
        })
    }
}

fn plain_query(span: Span, body: Body) -> Query {
    let limit_at = span.end;
    Query {
        span,
        with: Vec::new(),
        with_span: None,
        body,
        order_by: Vec::new(),
        limit: None,
        limit_at,
        locking: None,
        into: None,
        into_variables: Vec::new(),
    }
}

/// An INTO clause.
struct Into {
    span: Span,
    variables: Vec<String>,
}

impl Query {
    fn set_into(&mut self, into: Option<Box<Into>>) {
        let Some(into) = into else { return };
        self.into = Some(into.span);
        self.into_variables = into.variables;
    }
}

fn set_operation(operator: SetOperator, all: bool, left: Query, mut right: Query) -> Query {
    let span = left.span.to(right.span);
    // INTO behind the last SELECT belongs to the whole.
    let into = right.into.take();
    let into_variables = std::mem::take(&mut right.into_variables);
    let body = Body::SetOperation { operator, all, left: Box::new(left), right: Box::new(right) };
    Query { into, into_variables, ..plain_query(span, body) }
}

fn has_windows(select: &Select) -> bool {
    let items = select.items.iter().filter_map(|item| match &item.kind {
        SelectItemKind::Expr { expr, .. } => Some(expr),
        SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => None,
    });
    items.chain(&select.having).any(|expr| {
        let mut found = false;
        expr.walk(&mut |node| {
            found |= matches!(&node.kind, ExprKind::Function(function) if function.window);
        });
        found
    })
}
