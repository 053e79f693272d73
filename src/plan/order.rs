//! ORDER BY and LIMIT over shards.

use super::fragment::{Fragment, Term, body_span, wrap};
use super::functions::{self, Nature};
use super::template::Piece;
use super::types::{LimitOperands, Refusal, Scatter};
use crate::merge::{OrderKey, Spec};
use crate::sql::expr::{Expr, ExprKind, Literal};
use crate::sql::query::OrderItem;

/// What an ORDER BY item means.
pub(super) enum Meaning<'q> {
    /// A constant, which orders nothing.
    Nothing,
    /// The n-th column of the answer, counted from 0.
    Output(usize),
    /// A select item by its alias.
    Item(usize),
    Expr(&'q Expr),
}

/// A scatter that merges rows as they are.
pub(super) fn plan(
    mut fragment: Fragment<'_, '_>,
    limit: Option<LimitOperands>,
) -> Result<Scatter, Refusal> {
    let order = keys(&mut fragment)?;
    let note = if order.is_empty() {
        "rows are taken as they come".to_owned()
    } else {
        "sorted streams are merged".to_owned()
    };
    Ok(Scatter {
        template: fragment.template(body_span(fragment.query), locking(&fragment)),
        merge: Spec { hidden: fragment.hidden(), order, ..Spec::default() },
        limit,
        columns: counted(&fragment),
        notes: vec![note],
    })
}

/// FOR UPDATE and the like; there is no LIMIT beside it.
fn locking(fragment: &Fragment<'_, '_>) -> Vec<Piece> {
    let Some(locking) = &fragment.query.locking else { return Vec::new() };
    wrap(" ", fragment.input.splice.expr(locking.span), "")
}

/// The keys of the user's ORDER BY.
pub(super) fn keys(fragment: &mut Fragment<'_, '_>) -> Result<Vec<OrderKey>, Refusal> {
    let mut keys = Vec::new();
    let query = fragment.query;
    for item in &query.order_by {
        if let Some(term) = term(fragment, item)? {
            keys.push(fragment.key(&term, item.descending)?);
        }
    }
    Ok(keys)
}

/// What an ORDER BY item compares; None: nothing.
fn term(fragment: &Fragment<'_, '_>, item: &OrderItem) -> Result<Option<Term>, Refusal> {
    Ok(match meaning(fragment, item)? {
        Meaning::Nothing => None,
        Meaning::Output(index) => Some(fragment.output_term(index)?),
        Meaning::Item(index) => Some(fragment.item_term(index)?),
        Meaning::Expr(expr) => Some(fragment.term(expr)?),
    })
}

/// Resolves an ORDER BY item as MySQL does: a position, then an alias, then an expression.
pub(super) fn meaning<'q>(
    fragment: &Fragment<'_, '_>,
    item: &'q OrderItem,
) -> Result<Meaning<'q>, Refusal> {
    let refuse = |what: &str| Err(fragment.input.refuse(what));
    let mut problem = None;
    item.expr.walk(&mut |node| {
        problem = problem.or(match &node.kind {
            ExprKind::UserVariable(_) => Some("ORDER BY a user variable"),
            ExprKind::Function(function) => {
                match functions::nature(&function.name, function.args.len()) {
                    Nature::Pure | Nature::Clock => None,
                    Nature::Random | Nature::Server | Nature::Stored => {
                        Some("ORDER BY a function that is not deterministic")
                    }
                }
            }
            _ if !node.queries().is_empty() => Some("ORDER BY a subquery"),
            _ => None,
        });
    });
    if let Some(what) = problem {
        return refuse(what);
    }
    match &item.expr.kind {
        ExprKind::Literal(Literal::Integer(text)) if !text.starts_with(['-', '+']) => {
            match text.parse::<usize>().ok().and_then(|position| position.checked_sub(1)) {
                Some(index) => Ok(Meaning::Output(index)),
                None => refuse("ORDER BY position 0"),
            }
        }
        ExprKind::Literal(_) => Ok(Meaning::Nothing),
        ExprKind::Param(_) => refuse("ORDER BY a parameter"),
        ExprKind::Column(name) if name.table.is_none() => {
            Ok(match fragment.named_item(&name.name.value) {
                Some(index) => Meaning::Item(index),
                None => Meaning::Expr(&item.expr),
            })
        }
        _ => Ok(Meaning::Expr(&item.expr)),
    }
}

/// How many columns the client sees, if some key counted columns of `*`.
pub(super) fn counted(fragment: &Fragment<'_, '_>) -> Option<usize> {
    use crate::sql::query::SelectItemKind::Expr;
    if fragment.select.items.iter().all(|item| matches!(item.kind, Expr { .. })) {
        return None;
    }
    fragment.input.found.outputs.as_ref().map(Vec::len)
}
