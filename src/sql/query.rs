//! Query blocks: SELECT, set operations, VALUES, and what stands in FROM.

use super::expr::{Expr, Name};
use super::span::Span;

/// A query expression with its tail: `[WITH ...] body [ORDER BY ...] [LIMIT ...] [FOR UPDATE] [INTO ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Without the parentheses of a subquery.
    pub span: Span,
    pub with: Vec<Cte>,
    /// The WITH clause, keyword included.
    pub with_span: Option<Span>,
    pub body: Body,
    pub order_by: Vec<OrderItem>,
    pub limit: Option<Limit>,
    /// Where a LIMIT clause would be put: after ORDER BY, before FOR UPDATE and INTO.
    pub limit_at: u32,
    pub locking: Option<Locking>,
    /// `INTO @a`, `INTO OUTFILE ...`.
    pub into: Option<Span>,
    /// The variables of `INTO @a, @b`, in lower case. Empty for INTO OUTFILE and DUMPFILE.
    pub into_variables: Vec<String>,
}

impl Query {
    /// The query without parentheses around the whole of it.
    pub fn bare(&self) -> &Self {
        match &self.body {
            Body::Nested(inner)
                if self.with.is_empty()
                    && self.order_by.is_empty()
                    && self.limit.is_none()
                    && self.locking.is_none()
                    && self.into.is_none() =>
            {
                inner.bare()
            }
            Body::Nested(_)
            | Body::Select(_)
            | Body::SetOperation { .. }
            | Body::Values(_)
            | Body::Table(_) => self,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    pub name: Name,
    pub columns: Vec<Name>,
    pub query: Query,
    pub recursive: bool,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Select(Box<Select>),
    /// UNION, INTERSECT, EXCEPT (MINUS).
    SetOperation {
        operator: SetOperator,
        all: bool,
        left: Box<Query>,
        right: Box<Query>,
    },
    /// `VALUES ROW(1, 2), ROW(3, 4)`.
    Values(Vec<Vec<Expr>>),
    /// `TABLE t`.
    Table(TableName),
    /// A query in parentheses.
    Nested(Box<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    Union,
    Intersect,
    Except,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    pub span: Span,
    /// After `SELECT` and its modifiers and optimizer hints: where the first item starts.
    pub items_at: u32,
    pub distinct: bool,
    pub calc_found_rows: bool,
    pub straight_join: bool,
    pub items: Vec<SelectItem>,
    /// Several entries are a comma join. Empty: no FROM, or `FROM DUAL`.
    pub from: Vec<TableExpr>,
    /// What stands between FROM and the next clause.
    pub from_span: Option<Span>,
    pub filter: Option<Expr>,
    pub group_by: Vec<OrderItem>,
    pub rollup: bool,
    pub having: Option<Expr>,
    /// Expressions inside a WINDOW clause.
    pub windows: Vec<Expr>,
    /// Any item, HAVING or WINDOW holds a window function or there is a WINDOW clause.
    pub has_windows: bool,
    /// `LIMIT ... PROCEDURE`, partitions and the like that splicing must not touch are refused by the
    /// parser; this span covers the clause of GROUP BY with its keywords, if there is one.
    pub group_by_span: Option<Span>,
    pub having_span: Option<Span>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SelectItem {
    /// With its alias.
    pub span: Span,
    pub kind: SelectItemKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SelectItemKind {
    /// `*`
    Wildcard,
    /// `t.*`, `shop.t.*`
    QualifiedWildcard {
        schema: Option<Name>,
        table: Name,
    },
    Expr {
        expr: Expr,
        alias: Option<Name>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// With ASC or DESC.
    pub span: Span,
    pub expr: Expr,
    pub descending: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The whole clause, keyword included.
    pub span: Span,
    /// Literal integer or parameter.
    pub rows: Expr,
    pub offset: Option<Expr>,
}

/// `FOR UPDATE`, `FOR SHARE`, `LOCK IN SHARE MODE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locking {
    pub span: Span,
    pub exclusive: bool,
}

/// `t`, `shop.t`, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    pub schema: Option<Name>,
    pub name: Name,
    /// Schema and name.
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TableExpr {
    Table(TableRef),
    Derived {
        query: Box<Query>,
        alias: Option<Name>,
        columns: Vec<Name>,
        lateral: bool,
        span: Span,
    },
    Join(Box<Join>),
    /// JSON_TABLE(...) and other table functions.
    Function {
        what: &'static str,
        args: Vec<Expr>,
        alias: Option<Name>,
        span: Span,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRef {
    pub table: TableName,
    pub alias: Option<Name>,
    /// `PARTITION (p0, p1)`, which counts MySQL's own partitions.
    pub partitions: Option<Span>,
    /// `USE INDEX (a) ...`, all of them.
    pub index_hints: Option<Span>,
    /// From the name to the end of alias and index hints.
    pub span: Span,
    /// Where ` AS alias` goes when there is none: right after the name and its PARTITION list.
    pub alias_at: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    pub kind: JoinKind,
    pub left: TableExpr,
    pub right: TableExpr,
    pub constraint: JoinConstraint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// JOIN, INNER JOIN, CROSS JOIN, STRAIGHT_JOIN.
    Inner,
    Left,
    Right,
}

#[derive(Debug, Clone, PartialEq)]
pub enum JoinConstraint {
    None,
    On(Expr),
    Using(Vec<Name>),
    Natural,
}

impl TableRef {
    /// The name by which columns refer to it.
    pub fn exposed_name(&self) -> &Name {
        self.alias.as_ref().unwrap_or(&self.table.name)
    }
}
