//! Expressions as the planner sees them.
//!
//! Margay computes nothing: it only has to know which columns, literals, functions and subqueries an
//! expression holds, and the few forms that routing understands. Everything else is [`ExprKind::Other`].

use super::query::Query;
use super::span::Span;

/// An expression and where it stands, surrounding parentheses included.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub span: Span,
    pub kind: ExprKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    Column(ColumnName),
    Literal(Literal),
    /// `?`, counted from 0 in the order of the text.
    Param(u16),
    /// `@a` (session variable of the user).
    UserVariable(String),
    /// `@@a`, `@@session.a`, `@@global.a`.
    SystemVariable(String),
    Compare {
        op: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// Flattened: no operand is itself an `And`.
    And(Vec<Expr>),
    /// Flattened: no operand is itself an `Or`.
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull {
        expr: Box<Expr>,
        negated: bool,
    },
    Between {
        expr: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    In {
        expr: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    InQuery {
        expr: Box<Expr>,
        query: Box<Query>,
        negated: bool,
    },
    /// `(a, b)` or `ROW(a, b)`, two or more members.
    Row(Vec<Expr>),
    Function(Function),
    Exists {
        query: Box<Query>,
        negated: bool,
    },
    Subquery(Box<Query>),
    /// `DEFAULT` as a value of INSERT or UPDATE, or `DEFAULT(col)`.
    Default,
    /// `expr AND ...`-free forms that routing does not look into: arithmetic, CASE, CAST, LIKE,
    /// quantified comparisons. `what` names the form for error messages.
    Other {
        what: &'static str,
        children: Vec<Expr>,
        /// Subqueries below this node that are not inside `children`.
        queries: Vec<Query>,
    },
}

/// A possibly qualified column name. Names are unquoted and unescaped, case kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnName {
    pub schema: Option<Name>,
    pub table: Option<Name>,
    pub name: Name,
}

/// An identifier, unquoted, and where it stands with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub value: String,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Eq,
    /// `<=>`
    NullSafeEq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

/// A constant. A sign in front of a number is part of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    /// Digits with an optional sign, without point or exponent: `-12`, `18446744073709551615`.
    Integer(String),
    /// With a point, without an exponent: `1.50`.
    Decimal(String),
    /// With an exponent.
    Float(String),
    /// Unescaped bytes in the connection's charset, adjacent strings joined; `charset` is an
    /// introducer without its underscore (`_latin1'x'`, `N'x'` gives `utf8`).
    String {
        bytes: Vec<u8>,
        charset: Option<String>,
    },
    /// `0x41`, `X'41'`; `charset` as above.
    Hex {
        bytes: Vec<u8>,
        charset: Option<String>,
    },
    /// `0b01`, `b'01'`.
    Bit {
        bytes: Vec<u8>,
        charset: Option<String>,
    },
    /// `DATE '2026-01-01'`, `TIME '...'`, `TIMESTAMP '...'`.
    Temporal {
        kind: TemporalKind,
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporalKind {
    Date,
    Time,
    Timestamp,
}

/// A function call: built-in, aggregate, window or stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Lower case; a schema qualifier is kept: `shop.f`.
    pub name: String,
    /// Arguments in order. Special forms (`TRIM(BOTH a FROM b)`, `EXTRACT(unit FROM a)`, `CAST`,
    /// `GROUP_CONCAT`) give every expression inside the parentheses.
    pub args: Vec<Expr>,
    /// Between the parentheses.
    pub args_span: Span,
    /// `COUNT(DISTINCT ...)` and its like.
    pub distinct: bool,
    /// `COUNT(*)`.
    pub star: bool,
    /// Has an `OVER` clause: a window function.
    pub window: bool,
    /// Expressions of `OVER (...)`.
    pub window_args: Vec<Expr>,
}

/// What [`ExprKind::Other`] is for `@a := value`: its children are the variable and the value.
pub const ASSIGNMENT: &str = "assignment to a user variable";

impl Expr {
    /// The variable that this node assigns, without what is below it.
    pub fn assigned(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Other { what, children, .. } if *what == ASSIGNMENT => match children.first()
            {
                Some(Expr { kind: ExprKind::UserVariable(name), .. }) => Some(name),
                Some(_) | None => None,
            },
            _ => None,
        }
    }

    /// Direct subexpressions, those of subqueries excluded.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_)
            | ExprKind::Literal(_)
            | ExprKind::Param(_)
            | ExprKind::UserVariable(_)
            | ExprKind::SystemVariable(_)
            | ExprKind::Exists { .. }
            | ExprKind::Subquery(_)
            | ExprKind::Default => Vec::new(),
            ExprKind::Compare { left, right, .. } => vec![left, right],
            ExprKind::And(list) | ExprKind::Or(list) | ExprKind::Row(list) => list.iter().collect(),
            ExprKind::Not(expr) | ExprKind::IsNull { expr, .. } => vec![expr],
            ExprKind::Between { expr, low, high, .. } => vec![expr, low, high],
            ExprKind::In { expr, list, .. } => {
                std::iter::once(expr.as_ref()).chain(list.iter()).collect()
            }
            ExprKind::InQuery { expr, .. } => vec![expr],
            ExprKind::Function(function) => {
                function.args.iter().chain(&function.window_args).collect()
            }
            ExprKind::Other { children, .. } => children.iter().collect(),
        }
    }

    /// Subqueries directly at this node.
    pub fn queries(&self) -> Vec<&Query> {
        match &self.kind {
            ExprKind::InQuery { query, .. }
            | ExprKind::Exists { query, .. }
            | ExprKind::Subquery(query) => vec![query],
            ExprKind::Other { queries, .. } => queries.iter().collect(),
            ExprKind::Column(_)
            | ExprKind::Literal(_)
            | ExprKind::Param(_)
            | ExprKind::UserVariable(_)
            | ExprKind::SystemVariable(_)
            | ExprKind::Compare { .. }
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::IsNull { .. }
            | ExprKind::Between { .. }
            | ExprKind::In { .. }
            | ExprKind::Row(_)
            | ExprKind::Function(_)
            | ExprKind::Default => Vec::new(),
        }
    }

    /// Calls `visit` on this node and all below it, subqueries excluded, parents first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}
