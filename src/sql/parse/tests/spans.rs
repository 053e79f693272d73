//! Spans are exact and nest; nothing of a statement is lost.

use super::super::super::expr::{Expr, ExprKind};
use super::super::super::walk::{self, Node};
use super::parsed;

/// Each expression's text, parents first.
fn texts(sql: &str) -> Vec<&str> {
    let statement = parsed(sql);
    let mut found = Vec::new();
    walk::statement(&statement, &mut |node| {
        if let Node::Expr(expr) = node {
            found.push(&sql[expr.span.range()]);
        }
    });
    found
}

#[test]
fn expressions() {
    let check = |expr: &str, expect: &[&str]| {
        let sql = format!("SELECT {expr}  ,x FROM t");
        let found = texts(&sql);
        assert_eq!(found[..found.len() - 1], *expect, "{expr}");
    };
    check("( a )", &["( a )"]);
    check("((a)+b)", &["((a)+b)", "(a)", "b"]);
    check("a = ( b AND c )", &["a = ( b AND c )", "a", "( b AND c )", "b", "c"]);
    check("a IS  NOT NULL", &["a IS  NOT NULL", "a"]);
    check(
        "NOT a IN (1 , 'x' 'y')",
        &["NOT a IN (1 , 'x' 'y')", "a IN (1 , 'x' 'y')", "a", "1", "'x' 'y'"],
    );
    check("a LIKE b ESCAPE '|'", &["a LIKE b ESCAPE '|'", "a", "b", "'|'"]);
    check("a BETWEEN - 1 AND (2)", &["a BETWEEN - 1 AND (2)", "a", "- 1", "(2)"]);
    check("f( a, b )", &["f( a, b )", "a", "b"]);
    check("COUNT( DISTINCT `a` )", &["COUNT( DISTINCT `a` )", "`a`"]);
    check("CAST(a AS CHAR(3))", &["CAST(a AS CHAR(3))", "a"]);
    check("SUM(a) OVER (ORDER BY b)", &["SUM(a) OVER (ORDER BY b)", "a", "b"]);
    check("s.`t`.c COLLATE x", &["s.`t`.c COLLATE x", "s.`t`.c"]);
    check("_utf8mb4 'x'", &["_utf8mb4 'x'"]);
    check("CASE WHEN a THEN b END", &["CASE WHEN a THEN b END", "a", "b"]);
    check("a + INTERVAL 1 DAY", &["a + INTERVAL 1 DAY", "a", "INTERVAL 1 DAY", "1"]);
    check("/* x */ a /* y */ + b /* z */", &["a /* y */ + b", "a", "b"]);
    check("a->>'$.b'", &["a->>'$.b'", "a", "'$.b'"]);
    check("/*! a + */ b", &["a + */ b", "a", "b"]);
    check("now( )", &["now( )"]);
    check("CURRENT_DATE", &["CURRENT_DATE"]);
    check("(a, (b))", &["(a, (b))", "a", "(b)"]);
}

#[test]
fn function_arguments() {
    let check = |call: &str, expect: &str| {
        let sql = format!("SELECT {call}");
        let statement = parsed(&sql);
        let mut found = None;
        walk::statement(&statement, &mut |node| {
            if let Node::Expr(Expr { kind: ExprKind::Function(function), .. }) = node {
                found.get_or_insert(function.args_span);
            }
        });
        assert_eq!(&sql[found.unwrap().range()], expect, "{call}");
    };
    check("SUM( a + (b) )", " a + (b) ");
    check("COUNT(*) OVER (ORDER BY x)", "*");
    check("COUNT(DISTINCT a, b)", "DISTINCT a, b");
    check("now()", "");
    check("CURRENT_DATE", "");
    check("s.f(1)", "1");
}

/// Queries, tables and aliases.
#[test]
fn tables() {
    let sql =
        "SELECT * FROM s . `t` x JOIN (SELECT 1 FROM u) AS d ON 1 WHERE a IN ( SELECT b FROM v )";
    let statement = parsed(sql);
    let mut found = Vec::new();
    walk::statement(&statement, &mut |node| match node {
        Node::Table(table) => found.push(&sql[table.span.range()]),
        Node::Expr(Expr { kind: ExprKind::InQuery { query, .. }, .. }) => {
            found.push(&sql[query.span.range()]);
        }
        Node::Expr(_) | Node::UnnamedItem(_) | Node::Query(_) => {}
    });
    assert_eq!(found, ["s . `t`", "u", "SELECT b FROM v", "v"]);
}
