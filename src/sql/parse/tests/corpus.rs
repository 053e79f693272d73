//! Statements as applications send them, one a line: all of them parse, with spans that nest and all
//! parameters in the tree.

use super::super::super::expr::Expr;
use super::super::super::statement::StatementKind;
use super::super::super::walk::{self, Node};
use super::{params_in_tree, parsed};

/// Statements in the manner of Hibernate, Django, SQLAlchemy, Rails, Laravel, WordPress, sysbench ...
const APPLICATIONS: &str = include_str!("applications.sql");
const TPCH: &str = include_str!("tpch.sql");

fn check_nesting(sql: &str, expr: &Expr) {
    let mut last = expr.span.start;
    for child in expr.children() {
        assert!(expr.span.contains(child.span), "{sql}: {expr:?}");
        // GROUP_CONCAT's LIMIT gives its offset first.
        assert!(child.span.start >= last, "{sql}: {expr:?}");
        last = child.span.end;
    }
    for query in expr.queries() {
        assert!(expr.span.contains(query.span), "{sql}: {expr:?}");
    }
}

#[test]
fn statements_parse() {
    let mut count = 0;
    for sql in APPLICATIONS.lines().chain(TPCH.lines()) {
        count += 1;
        let statement = parsed(sql);
        walk::statement(&statement, &mut |node| {
            if let Node::Expr(expr) = node {
                check_nesting(sql, expr);
                let text = &sql[expr.span.range()];
                assert_eq!(text, text.trim(), "{sql}");
            }
        });
        if !matches!(statement.kind, StatementKind::Prepare { .. }) {
            assert_eq!(params_in_tree(&statement), usize::from(statement.params), "{sql}");
        }
    }
    assert!(count >= 220, "{count} statements");
    assert_eq!(TPCH.lines().count(), 22);
}
