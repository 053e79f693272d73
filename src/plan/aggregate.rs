//! Groups that are spread over shards: each shard groups its own rows, and partial results fold.

use super::facts::ColumnClass;
use super::fragment::{Fragment, Term, body_span, pad, same_pieces, weight, wrap};
use super::model::Atom;
use super::order::{self, Meaning};
use super::outputs::holds_aggregate;
use super::scatter::{is_column, item_exprs};
use super::splice::{push, quoted, text_piece};
use super::template::Piece;
use super::types::{LimitOperands, Refusal, Scatter};
use crate::merge::{ColumnRef, Fold, FoldKind, OrderKey, Spec};
use crate::sql::expr::{Expr, ExprKind, Function, Literal};
use crate::sql::span::Span;

/// A column that groups are made by.
struct GroupKey {
    term: Term,
    /// How ORDER BY names it.
    order_text: Vec<Piece>,
    ascending: OrderKey,
}

/// A select item that is an aggregate.
struct Folded {
    index: usize,
    /// How its value compares.
    key: Option<OrderKey>,
}

pub(super) fn plan(
    mut fragment: Fragment<'_, '_>,
    limit: Option<LimitOperands>,
) -> Result<Scatter, Refusal> {
    check(&fragment)?;
    fragment.grouped = true;
    let mut keys = Vec::new();
    let select = fragment.select;
    for item in &select.group_by {
        keys.push(group_key(&mut fragment, &item.expr)?);
    }
    let mut folds = Vec::new();
    let mut folded = Vec::new();
    for (index, expr) in item_exprs(select).into_iter().enumerate() {
        let Some(expr) = expr else {
            return Err(fragment.input.refuse("`*` beside GROUP BY or an aggregate"));
        };
        match &expr.kind {
            ExprKind::Function(function) if aggregate(function) => {
                let kind = fold(&mut fragment, function, expr, ColumnRef::Visible(index))?;
                folded.push(Folded { index, key: compare(kind, ColumnRef::Visible(index)) });
                folds.push(Fold { column: ColumnRef::Visible(index), kind });
            }
            _ => plain_item(&fragment, expr)?,
        }
    }
    if select.group_by.is_empty() {
        return Ok(one_row(&fragment, folds, limit));
    }
    grouped(fragment, &keys, &folded, folds, limit)
}

/// What partial results cannot express.
fn check(fragment: &Fragment<'_, '_>) -> Result<(), Refusal> {
    let select = fragment.select;
    let what = if select.rollup {
        "GROUP BY ... WITH ROLLUP"
    } else if select.having.is_some() {
        "HAVING over groups that do not contain the sharding key"
    } else if select.distinct {
        "DISTINCT beside GROUP BY or an aggregate"
    } else if select.has_windows {
        "a window function over groups"
    } else {
        return Ok(());
    };
    Err(fragment.input.refuse(what))
}

fn aggregate(function: &Function) -> bool {
    !function.window && super::functions::is_aggregate(&function.name)
}

/// An item that is no aggregate has one value a group.
fn plain_item(fragment: &Fragment<'_, '_>, expr: &Expr) -> Result<(), Refusal> {
    if holds_aggregate(expr) {
        return Err(fragment.input.refuse("an expression around an aggregate"));
    }
    let mut columns = false;
    let mut queries = false;
    expr.walk(&mut |node| {
        columns |= is_column(node);
        queries |= !node.queries().is_empty();
    });
    if fragment.select.group_by.is_empty() && (columns || queries) {
        return Err(fragment.input.refuse("a column beside an aggregate without GROUP BY"));
    }
    Ok(())
}

fn group_key(fragment: &mut Fragment<'_, '_>, expr: &Expr) -> Result<GroupKey, Refusal> {
    let own = fragment.input.splice.expr(expr.span);
    let (term, order_text) = match &expr.kind {
        ExprKind::Literal(Literal::Integer(text)) if !text.starts_with(['-', '+']) => {
            let index = text.parse::<usize>().ok().and_then(|position| position.checked_sub(1));
            let index = index.ok_or_else(|| fragment.input.refuse("GROUP BY position 0"))?;
            (fragment.output_term(index)?, own)
        }
        ExprKind::Literal(_) | ExprKind::Param(_) => {
            return Err(fragment.input.refuse("GROUP BY a constant"));
        }
        ExprKind::Column(name) => match fragment.input.found.meaning(0, name).cloned() {
            // A column of FROM comes first here, but after aliases in ORDER BY: qualify it.
            Some(meaning) if name.table.is_none() => {
                let source = fragment.input.found.sources.get(meaning.source);
                let source = source.map_or("", |source| source.name.as_str());
                let text = format!("{}.{}", quoted(source), quoted(&name.name.value));
                let clash = fragment.named_item(&name.name.value);
                let clash = clash.is_some_and(|index| {
                    let item = item_exprs(fragment.select).get(index).copied().flatten();
                    item.is_none_or(|item| match &item.kind {
                        ExprKind::Column(other) => {
                            fragment.input.found.meaning(0, other) != Some(&meaning)
                        }
                        _ => true,
                    })
                });
                let text = if clash && !source.is_empty() { vec![text_piece(&text)] } else { own };
                (fragment.term(expr)?, text)
            }
            Some(_) => (fragment.term(expr)?, own),
            None => match fragment.named_item(&name.name.value).filter(|_| name.table.is_none()) {
                Some(index) if fragment.input.found.all_known() => {
                    (fragment.item_term(index)?, own)
                }
                Some(_) | None => {
                    let what =
                        format!("GROUP BY `{}`, a name that is not certain,", name.name.value);
                    return Err(fragment.input.refuse(&what));
                }
            },
        },
        _ => {
            let term = fragment.term(expr)?;
            (Term { visible: same_item(fragment, &term), ..term }, own)
        }
    };
    let ascending = fragment.key(&term, false)?;
    Ok(GroupKey { term, order_text, ascending })
}

/// The select item with the same text.
fn same_item(fragment: &Fragment<'_, '_>, term: &Term) -> Option<usize> {
    item_exprs(fragment.select).into_iter().position(|expr| {
        expr.is_some_and(|expr| same_pieces(&fragment.input.splice.expr(expr.span), &term.pieces))
    })
}

/// How partial results of an aggregate fold. `column`: where they stand.
fn fold(
    fragment: &mut Fragment<'_, '_>,
    function: &Function,
    expr: &Expr,
    column: ColumnRef,
) -> Result<FoldKind, Refusal> {
    let name = function.name.to_uppercase();
    if function.distinct && !matches!(function.name.as_str(), "min" | "max") {
        let atoms: Vec<Atom> =
            function.args.iter().filter_map(|arg| fragment.input.found.atom(0, arg)).collect();
        let local = fragment.input.found.hold_a_place(&atoms, 0);
        if !local || !matches!(function.name.as_str(), "count" | "sum") {
            return Err(fragment.input.refuse(&format!("{name}(DISTINCT ...)")));
        }
    }
    let whole = fragment.input.splice.expr(expr.span);
    Ok(match function.name.as_str() {
        "count" => FoldKind::Count,
        "sum" => FoldKind::Sum,
        "bit_and" => FoldKind::BitAnd,
        "bit_or" => FoldKind::BitOr,
        "bit_xor" => FoldKind::BitXor,
        "min" => FoldKind::Min(extreme(fragment, function, whole, column)?),
        "max" => FoldKind::Max(extreme(fragment, function, whole, column)?),
        "avg" => {
            let args = fragment.input.splice.expr(function.args_span);
            let sum = fragment.hide(wrap("SUM(", args.clone(), ")"));
            let count = fragment.hide(wrap("COUNT(", args, ")"));
            FoldKind::Avg { sum, count }
        }
        _ => return Err(fragment.input.refuse(&format!("the aggregate {name}()"))),
    })
}

/// How results of MIN and MAX compare.
fn extreme(
    fragment: &mut Fragment<'_, '_>,
    function: &Function,
    whole: Vec<Piece>,
    value: ColumnRef,
) -> Result<OrderKey, Refusal> {
    use ColumnClass as C;
    let class = function.args.first().and_then(|arg| match &arg.kind {
        ExprKind::Column(name) => fragment.input.found.meaning(0, name)?.class.clone(),
        _ => None,
    });
    let plain = OrderKey { value, weight: None, pad: None, descending: false };
    match class {
        Some(
            C::Integer { .. }
            | C::Decimal { .. }
            | C::Float
            | C::Year
            | C::Date
            | C::DateTime { .. }
            | C::Timestamp
            | C::Time
            | C::Binary { .. }
            | C::VarBinary,
        ) => Ok(plain),
        // MariaDB answers digits of any number, MySQL bytes: its number compares.
        Some(C::Bit) => Ok(OrderKey { value: fragment.hide(wrap("", whole, " + 0")), ..plain }),
        Some(C::Json | C::Geometry) => {
            Err(fragment.input.refuse("MIN() or MAX() of a JSON or geometry column"))
        }
        // MIN and MAX compare members of ENUM and SET as strings.
        Some(C::Text { .. } | C::Enum | C::Set) | None => {
            let weight = Some(fragment.hide(weight(whole.clone())));
            let pad = Some(fragment.hide(pad(whole)));
            Ok(OrderKey { weight, pad, ..plain })
        }
    }
}

/// How the folded values of an aggregate compare; None: not by their value alone.
fn compare(kind: FoldKind, value: ColumnRef) -> Option<OrderKey> {
    match kind {
        FoldKind::Min(key) | FoldKind::Max(key) => Some(key),
        FoldKind::Sum
        | FoldKind::Count
        | FoldKind::Avg { .. }
        | FoldKind::BitAnd
        | FoldKind::BitOr
        | FoldKind::BitXor => Some(OrderKey { value, weight: None, pad: None, descending: false }),
    }
}

/// Aggregates without GROUP BY: one row from each shard becomes one row.
fn one_row(fragment: &Fragment<'_, '_>, folds: Vec<Fold>, limit: Option<LimitOperands>) -> Scatter {
    let merge = Spec { hidden: fragment.hidden(), group: Some(folds), ..Spec::default() };
    Scatter {
        template: fragment.template(without_order(fragment), Vec::new()),
        merge,
        limit: limit.map(|limit| LimitOperands { pushed: false, ..limit }),
        columns: None,
        notes: vec!["one row of partial aggregates from each shard is folded into one".to_owned()],
    }
}

/// The query up to its ORDER BY.
fn without_order(fragment: &Fragment<'_, '_>) -> Span {
    let span = body_span(fragment.query);
    let select = fragment.select;
    if fragment.query.order_by.is_empty() {
        return span;
    }
    let ends = [select.group_by_span, select.filter.as_ref().map(|filter| filter.span)];
    match ends.into_iter().flatten().next() {
        Some(end) => Span { start: span.start, end: end.end },
        // The order of one row does not matter, so ORDER BY may stay.
        None => span,
    }
}

fn grouped(
    mut fragment: Fragment<'_, '_>,
    keys: &[GroupKey],
    folded: &[Folded],
    mut folds: Vec<Fold>,
    limit: Option<LimitOperands>,
) -> Result<Scatter, Refusal> {
    let mut sort = Vec::new();
    let mut order = Vec::new();
    let mut order_texts: Vec<Vec<Piece>> = Vec::new();
    let mut used = Vec::new();
    let mut by_keys_alone = true;
    let query = fragment.query;
    for item in &query.order_by {
        let sorted = match order::meaning(&fragment, item)? {
            Meaning::Nothing => continue,
            Meaning::Output(index) | Meaning::Item(index) => {
                of_item(&fragment, keys, folded, index)
            }
            Meaning::Expr(expr) => of_expr(&mut fragment, keys, &mut folds, expr)?,
        };
        let Some(sorted) = sorted else {
            return Err(fragment.input.refuse(
                "ORDER BY something that is neither a group key nor an \
                aggregate",
            ));
        };
        let (key, group) = sorted;
        sort.push(OrderKey { descending: item.descending, ..key });
        match group {
            Some(index) if !used.contains(&index) => {
                used.push(index);
                order.push(OrderKey { descending: item.descending, ..key });
                let mut text = keys.get(index).map_or(Vec::new(), |key| key.order_text.clone());
                if item.descending {
                    push(&mut text, text_piece(" DESC"));
                }
                order_texts.push(text);
            }
            Some(_) => {}
            None => by_keys_alone = false,
        }
    }
    for (index, key) in keys.iter().enumerate() {
        if !used.contains(&index) {
            order.push(key.ascending);
            order_texts.push(key.order_text.clone());
        }
    }
    let mut tail = vec![text_piece(" ORDER BY ")];
    for (index, text) in order_texts.into_iter().enumerate() {
        if index > 0 {
            push(&mut tail, text_piece(", "));
        }
        text.into_iter().for_each(|piece| push(&mut tail, piece));
    }
    let merge = Spec {
        hidden: fragment.hidden(),
        order,
        group: Some(folds),
        sort: (!by_keys_alone).then_some(sort),
        ..Spec::default()
    };
    Ok(Scatter {
        template: fragment.template(without_order(&fragment), tail),
        merge,
        limit: limit.map(|limit| LimitOperands { pushed: by_keys_alone && limit.pushed, ..limit }),
        columns: None,
        notes: vec!["partial groups sorted by their keys are merged and folded".to_owned()],
    })
}

/// The key of a select item: of a group key (and which), or of an aggregate.
fn of_item(
    fragment: &Fragment<'_, '_>,
    keys: &[GroupKey],
    folded: &[Folded],
    index: usize,
) -> Option<(OrderKey, Option<usize>)> {
    if let Some(folded) = folded.iter().find(|folded| folded.index == index) {
        return folded.key.map(|key| (key, None));
    }
    let term = fragment.item_term(index).ok()?;
    of_term(keys, &term)
}

fn of_term(keys: &[GroupKey], term: &Term) -> Option<(OrderKey, Option<usize>)> {
    let found = keys.iter().position(|key| {
        let same_place = key.term.visible.is_some() && key.term.visible == term.visible;
        same_place || same_pieces(&key.term.pieces, &term.pieces)
    })?;
    keys.get(found).map(|key| (key.ascending, Some(found)))
}

/// The key of an expression in ORDER BY: a group key, or an aggregate, which may need a hidden column.
fn of_expr(
    fragment: &mut Fragment<'_, '_>,
    keys: &[GroupKey],
    folds: &mut Vec<Fold>,
    expr: &Expr,
) -> Result<Option<(OrderKey, Option<usize>)>, Refusal> {
    if let ExprKind::Function(function) = &expr.kind
        && aggregate(function)
    {
        let whole = fragment.input.splice.expr(expr.span);
        let column = fragment.hide(whole);
        let kind = fold(fragment, function, expr, column)?;
        if !folds.iter().any(|fold| fold.column == column) {
            folds.push(Fold { column, kind });
        }
        return Ok(compare(kind, column).map(|key| (key, None)));
    }
    if holds_aggregate(expr) {
        return Err(fragment.input.refuse("ORDER BY an expression around an aggregate"));
    }
    let term = fragment.term(expr)?;
    Ok(of_term(keys, &term))
}
