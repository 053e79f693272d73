//! Conditions that the rows of a table can be filtered by before they are gathered.

use super::super::functions::{self, Nature};
use super::super::model::{Analysis, UseId};
use crate::sql::expr::{Comparison, Expr, ExprKind};

/// The operands of AND, or the one condition.
pub(super) fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::And(operands) => operands.iter().collect(),
        _ => vec![expr],
    }
}

/// Its value depends on columns and constants alone.
pub(super) fn is_simple(expr: &Expr) -> bool {
    let mut alone = true;
    expr.walk(&mut |node| alone &= node.queries().is_empty());
    alone && is_plain(expr)
}

/// Its value depends on columns, constants and the rows of subqueries alone, as far as what is outside of
/// these goes.
pub(super) fn is_plain(expr: &Expr) -> bool {
    let mut simple = true;
    expr.walk(&mut |node| {
        simple &= match &node.kind {
            ExprKind::UserVariable(_) | ExprKind::SystemVariable(_) | ExprKind::Default => false,
            ExprKind::Other { what, .. } => *what != "assignment to a user variable",
            ExprKind::Function(function) => {
                let nature = functions::nature(&function.name, function.args.len());
                let aggregate = functions::is_aggregate(&function.name);
                matches!(nature, Nature::Pure | Nature::Clock) && !function.window && !aggregate
            }
            _ => true,
        };
    });
    simple
}

/// A condition for the rows of one table, in parts of the text: at least one member of each list holds
/// whole. Lists of one member are conditions of their own.
pub(super) type Pushed<'a> = Vec<Vec<&'a Expr>>;

/// What a filter says of the rows of a table alone. Each entry is a disjunction of conjunctions.
pub(super) fn pushable<'a>(found: &Analysis<'a>, table: UseId) -> Vec<Pushed<'a>> {
    let Some(used) = found.uses.get(table) else { return Vec::new() };
    let mut all: Vec<Pushed<'a>> = Vec::new();
    for filter in &found.filters {
        if !found.within(used.nest, filter.nest) {
            continue;
        }
        let beside = found.canonical(used.nest) == found.canonical(filter.nest);
        let fits = |expr: &&Expr| {
            // Where the row may be missing, NULL stands in its place and must not meet the condition.
            is_simple(expr)
                && is_of(found, filter.instance, expr, table)
                && (beside || rejects_null(expr))
        };
        let branches = match &filter.expr.kind {
            ExprKind::Or(operands) => operands.iter().collect(),
            _ => vec![filter.expr],
        };
        let part = |branch: &&'a Expr| -> Option<Vec<&'a Expr>> {
            let kept: Vec<&Expr> = conjuncts(branch).into_iter().filter(fits).collect();
            (!kept.is_empty()).then_some(kept)
        };
        if let Some(pushed) = branches.iter().map(part).collect::<Option<Pushed<'a>>>() {
            all.push(pushed);
        }
    }
    all
}

/// Conditions that [`pushable`] has whole: rows of the table that were gathered by it meet them. `table`
/// stands once in the text.
pub(super) fn met<'a>(found: &Analysis<'a>, table: UseId) -> Vec<&'a Expr> {
    let Some(used) = found.uses.get(table) else { return Vec::new() };
    let filters = found.filters.iter().filter(|filter| {
        let beside = found.canonical(used.nest) == found.canonical(filter.nest);
        let branches = match &filter.expr.kind {
            ExprKind::Or(operands) => operands.iter().collect(),
            _ => vec![filter.expr],
        };
        beside
            && branches.into_iter().flat_map(conjuncts).all(|expr| {
                is_simple(expr) && !tells_time(expr) && is_of(found, filter.instance, expr, table)
            })
    });
    filters.map(|filter| filter.expr).collect()
}

/// Its value may be another one later.
fn tells_time(expr: &Expr) -> bool {
    let mut tells = false;
    expr.walk(&mut |node| {
        if let ExprKind::Function(function) = &node.kind {
            tells |= functions::nature(&function.name, function.args.len()) == Nature::Clock;
        }
    });
    tells
}

/// It has columns, and all are of this table.
fn is_of(found: &Analysis<'_>, instance: u32, expr: &Expr, table: UseId) -> bool {
    let mut some = false;
    let mut all = true;
    expr.walk(&mut |node| {
        if let ExprKind::Column(name) = &node.kind {
            some = true;
            let source = found.meaning(instance, name).map(|meaning| meaning.source);
            let source = source.and_then(|source| found.sources.get(source));
            all &= source.is_some_and(|source| source.table == Some(table));
        }
    });
    some && all
}

/// It is not true if its columns are NULL.
fn rejects_null(expr: &Expr) -> bool {
    let column = |expr: &Expr| matches!(expr.kind, ExprKind::Column(_));
    match &expr.kind {
        ExprKind::Compare { op, left, right } => {
            *op != Comparison::NullSafeEq && (column(left) || column(right))
        }
        ExprKind::Between { expr, negated: false, .. }
        | ExprKind::In { expr, negated: false, .. }
        | ExprKind::IsNull { expr, negated: true } => column(expr),
        _ => false,
    }
}
