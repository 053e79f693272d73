//! Statements that a MariaDB answers by the number of rows of its tables, without reading them.
//!
//! Engines that know this number, as those of temporary tables do, make it answer MIN and MAX of a constant
//! over an outer join with that constant, even where the join has no rows.

use crate::plan::combine::{Combine, Stage};
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::query::{Body, JoinKind, Select, SelectItemKind, TableExpr};
use crate::sql::walk::{self, Node};
use crate::sql::{self, Mode};

/// Whether a part that reads temporary tables is one of these.
pub(super) fn is_counted(combine: &Combine, mode: &Mode) -> bool {
    let stages = combine.steps.iter().map(|step| &step.stage).chain([&combine.last]);
    stages.filter(|stage| !stage.reads.is_empty()).any(|stage| is_counted_stage(stage, mode))
}

fn is_counted_stage(stage: &Stage, mode: &Mode) -> bool {
    let Ok(statement) = sql::parse(&stage.text, mode) else { return false };
    let mut found = false;
    walk::statement(&statement, &mut |node| {
        if let Node::Query(query) = node
            && let Body::Select(select) = &query.body
        {
            found |= select.from.iter().any(has_outer) && has_constant(select);
        }
    });
    found
}

fn has_outer(entry: &TableExpr) -> bool {
    match entry {
        TableExpr::Join(join) => {
            join.kind != JoinKind::Inner || has_outer(&join.left) || has_outer(&join.right)
        }
        TableExpr::Table(_) | TableExpr::Derived { .. } | TableExpr::Function { .. } => false,
    }
}

/// MIN or MAX of what no column is in.
fn has_constant(select: &Select) -> bool {
    let items = select.items.iter().filter_map(|item| match &item.kind {
        SelectItemKind::Expr { expr, .. } => Some(expr),
        SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => None,
    });
    let mut found = false;
    for expr in items.chain(&select.having) {
        expr.walk(&mut |node| {
            if let ExprKind::Function(call) = &node.kind
                && matches!(call.name.as_str(), "min" | "max")
            {
                found |= !call.args.iter().any(holds_column);
            }
        });
    }
    found
}

fn holds_column(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |node| found |= matches!(node.kind, ExprKind::Column(_)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: bool) {
        let stage = Stage { text: text.as_bytes().to_vec(), ..Stage::default() };
        assert_eq!(is_counted_stage(&stage, &Mode::default()), expect, "{text}");
    }

    #[test]
    fn finds_constants_over_outer_joins() {
        check("SELECT 1 + (SELECT MAX(5) FROM a LEFT JOIN b ON a.c = b.c)", true);
        check("SELECT COUNT(*) FROM a RIGHT JOIN b ON TRUE HAVING MIN(DATE'2024-01-01') > 1", true);
        check("SELECT MAX(a.c) FROM a LEFT JOIN b ON TRUE", false);
        check("SELECT MAX(5) FROM a JOIN b ON TRUE", false);
    }
}
