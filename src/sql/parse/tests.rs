//! Statements and what they are read as.

mod corpus;
mod dml;
mod operators;
mod others;
mod queries;
mod robust;
mod spans;

use super::super::expr::{Expr, ExprKind, Literal};
use super::super::mode::Mode;
use super::super::query::Query;
use super::super::statement::{Statement, StatementKind};
use super::super::walk::{self, Node};
use super::parse;

/// Parses or tells which statement did not.
fn parsed(sql: &str) -> Statement {
    parse(sql.as_bytes(), &Mode::default()).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn query(sql: &str) -> Query {
    match parsed(sql).kind {
        StatementKind::Query(query) => *query,
        other => panic!("{sql}: {other:?}"),
    }
}

/// The message of the error.
fn refusal(sql: &str) -> String {
    match parse(sql.as_bytes(), &Mode::default()) {
        Err(error) => error.message().to_owned(),
        Ok(statement) => panic!("{sql}: {statement:?}"),
    }
}

/// An expression with a parenthesis round each operation, to show how it was read.
fn show(expr: &Expr) -> String {
    let list = |list: &[Expr]| list.iter().map(show).collect::<Vec<_>>();
    let infix = |op: &str, list: Vec<String>| format!("({})", list.join(&format!(" {op} ")));
    match &expr.kind {
        ExprKind::Column(column) => {
            let parts = [&column.schema, &column.table].into_iter().flatten();
            let parts = parts.chain(std::iter::once(&column.name)).map(|name| name.value.as_str());
            parts.collect::<Vec<_>>().join(".")
        }
        ExprKind::Literal(literal) => show_literal(literal),
        ExprKind::Param(index) => format!("?{index}"),
        ExprKind::UserVariable(name) => format!("@{name}"),
        ExprKind::SystemVariable(name) => format!("@@{name}"),
        ExprKind::Compare { op, left, right } => format!("({} {op:?} {})", show(left), show(right)),
        ExprKind::And(operands) => infix("AND", list(operands)),
        ExprKind::Or(operands) => infix("OR", list(operands)),
        ExprKind::Not(operand) => format!("(NOT {})", show(operand)),
        ExprKind::IsNull { expr, negated } => format!("({} IS NULL{})", show(expr), not(*negated)),
        ExprKind::Between { expr, low, high, negated } => {
            let [expr, low, high] = [expr, low, high].map(|part| show(part));
            format!("({expr} BETWEEN {low} AND {high}{})", not(*negated))
        }
        ExprKind::In { expr, list: members, negated } => {
            format!("({} IN [{}]{})", show(expr), list(members).join(", "), not(*negated))
        }
        ExprKind::InQuery { expr, negated, .. } => {
            format!("({} IN query{})", show(expr), not(*negated))
        }
        ExprKind::Row(members) => format!("ROW({})", list(members).join(", ")),
        ExprKind::Function(function) => {
            let mut args = list(&function.args);
            if function.star {
                args.push("*".into());
            }
            let distinct = if function.distinct { "DISTINCT " } else { "" };
            let over = match function.window {
                true => format!(" OVER ({})", list(&function.window_args).join(", ")),
                false => String::new(),
            };
            format!("{}({distinct}{}){over}", function.name, args.join(", "))
        }
        ExprKind::Exists { negated, .. } => format!("EXISTS query{}", not(*negated)),
        ExprKind::Subquery(_) => "query".into(),
        ExprKind::Default => "DEFAULT".into(),
        ExprKind::Other { what, children, queries } => {
            let mut parts = list(children);
            parts.extend(queries.iter().map(|_| "query".to_owned()));
            format!("{{{what}: {}}}", parts.join(", "))
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { " NOT" } else { "" }
}

fn show_literal(literal: &Literal) -> String {
    let prefix = |charset: &Option<String>| match charset {
        Some(charset) => format!("_{charset}"),
        None => String::new(),
    };
    match literal {
        Literal::Null => "NULL".into(),
        Literal::Bool(value) => format!("{value}"),
        Literal::Integer(text) => text.clone(),
        Literal::Decimal(text) => format!("{text}d"),
        Literal::Float(text) => format!("{text}f"),
        Literal::String { bytes, charset } => {
            format!("{}'{}'", prefix(charset), String::from_utf8_lossy(bytes))
        }
        Literal::Hex { bytes, charset } => format!("{}x{bytes:02x?}", prefix(charset)),
        Literal::Bit { bytes, charset } => format!("{}b{bytes:02x?}", prefix(charset)),
        Literal::Temporal { kind, text } => format!("{kind:?}'{text}'"),
    }
}

/// The number of `?` in the tree.
fn params_in_tree(statement: &Statement) -> usize {
    let mut count = 0;
    walk::statement(statement, &mut |node| {
        if let Node::Expr(expr) = node {
            count += usize::from(matches!(expr.kind, ExprKind::Param(_)));
        }
    });
    count
}
