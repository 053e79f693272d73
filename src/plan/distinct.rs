//! DISTINCT over shards: rows ordered by all their columns, and equal neighbors dropped.

use super::facts::ColumnClass;
use super::fragment::{Fragment, body_span};
use super::model::Atom;
use super::order::{self, Meaning, counted};
use super::scatter::Input;
use super::splice::text_piece;
use super::types::{LimitOperands, Refusal, Scatter};
use crate::merge::Spec;
use crate::sql::query::{OrderItem, Query, Select};

/// Equal rows are on one shard: the sharding key is among the columns.
pub(super) fn is_local(_query: &Query, _select: &Select, input: Input<'_, '_>) -> bool {
    let columns: Vec<Atom> =
        input.found.outputs.iter().flatten().filter_map(|output| output.atom).collect();
    input.found.hold_a_place(&columns, 0)
}

pub(super) fn plan(
    mut fragment: Fragment<'_, '_>,
    limit: Option<LimitOperands>,
) -> Result<Scatter, Refusal> {
    let count = match &fragment.input.found.outputs {
        Some(outputs) => outputs.len(),
        None => return Err(fragment.input.refuse("DISTINCT over columns that are not known")),
    };
    let mut order = Vec::new();
    let mut covered = Vec::new();
    let query = fragment.query;
    for item in &query.order_by {
        let Some(index) = ordered_by(&fragment, item, count)? else { continue };
        if !covered.contains(&index) {
            covered.push(index);
            let term = fragment.output_term(index)?;
            order.push(fragment.key(&term, item.descending)?);
        }
    }
    let mut tail = String::new();
    let mut separator = if query.order_by.is_empty() { " ORDER BY " } else { ", " };
    for index in (0..count).filter(|index| !covered.contains(index)) {
        let term = fragment.output_term(index)?;
        if term.class == Some(ColumnClass::Bit) {
            // MariaDB answers a number instead of bits when columns stand beside it.
            return Err(fragment.input.refuse("DISTINCT on a BIT column"));
        }
        order.push(fragment.key(&term, false)?);
        tail.push_str(&format!("{separator}{}", index + 1));
        separator = ", ";
    }
    Ok(Scatter {
        template: fragment.template(body_span(query), vec![text_piece(&tail)]),
        merge: Spec { hidden: fragment.hidden(), order, distinct: true, ..Spec::default() },
        limit,
        columns: counted(&fragment),
        notes: vec!["streams sorted by all columns are merged, equal rows dropped".to_owned()],
    })
}

/// Equal rows are on one shard, and rows are ordered by nothing else: what shards would show to be ordered
/// by would make equal rows different ones.
pub(super) fn check_order(fragment: &Fragment<'_, '_>) -> Result<(), Refusal> {
    let count = fragment.input.found.outputs.as_ref().map_or(0, Vec::len);
    let mut items = fragment.query.order_by.iter();
    items.try_for_each(|item| ordered_by(fragment, item, count).map(|_| ()))
}

/// The column of the answer, of so many, that an item of ORDER BY means. None: it means nothing.
fn ordered_by(
    fragment: &Fragment<'_, '_>,
    item: &OrderItem,
    count: usize,
) -> Result<Option<usize>, Refusal> {
    let index = match order::meaning(fragment, item)? {
        Meaning::Nothing => return Ok(None),
        Meaning::Output(index) => Some(index).filter(|index| *index < count),
        Meaning::Item(index) => fragment.item_term(index)?.visible,
        Meaning::Expr(expr) => output_of(fragment, expr)?,
    };
    let refused = || fragment.input.refuse("DISTINCT with ORDER BY something not selected");
    index.map(Some).ok_or_else(refused)
}

/// The column of the answer that an expression of ORDER BY is.
fn output_of(
    fragment: &Fragment<'_, '_>,
    expr: &crate::sql::expr::Expr,
) -> Result<Option<usize>, Refusal> {
    let term = fragment.term(expr)?;
    if term.visible.is_some() {
        return Ok(term.visible);
    }
    let atom = fragment.input.found.atom(0, expr);
    let outputs = fragment.input.found.outputs.iter().flatten();
    let same = |output: &super::model::Output| atom.is_some() && output.atom == atom;
    Ok(outputs.map(same).position(|same| same))
}
