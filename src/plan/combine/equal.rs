//! Columns that must be equal for a row to matter, directly or by way of others.

use super::super::expressions::pairs;
use super::super::facts::ColumnClass;
use super::super::model::{Analysis, Filter, NestId, Resolved, SourceId, UseId};
use super::filter::text_of;
use crate::sql::expr::{Comparison, Expr, ExprKind};

/// A column of a source.
type Place = (SourceId, usize);

/// A column of a use and another that it equals.
#[derive(Clone, Copy)]
pub(super) struct Equal<'x> {
    pub own: &'x Resolved,
    pub other: &'x Resolved,
    /// Of the condition that names the other.
    pub nest: NestId,
}

fn place(column: &Resolved) -> Place {
    (column.source, column.column)
}

/// Pairs of columns that a filter of the use's nest equates, the use's own first.
pub(super) fn equated<'x>(
    found: &'x Analysis<'_>,
    id: UseId,
    filter: &Filter<'_>,
) -> Vec<(&'x Resolved, &'x Resolved)> {
    let within = found.uses.get(id).is_some_and(|used| found.within(used.nest, filter.nest));
    let ExprKind::Compare { op: Comparison::Eq, left, right } = &filter.expr.kind else {
        return Vec::new();
    };
    if !within {
        return Vec::new();
    }
    let column = |expr: &Expr| match &expr.kind {
        ExprKind::Column(name) => found.meaning(filter.instance, name),
        _ => None,
    };
    let own = |one: &Resolved| found.sources.get(one.source).is_some_and(|s| s.table == Some(id));
    let pair = |(left, right): (&Expr, &Expr)| {
        let (left, right) = (column(left)?, column(right)?);
        match (own(left), own(right)) {
            (true, false) => Some((left, right)),
            (false, true) => Some((right, left)),
            (true, true) | (false, false) => None,
        }
    };
    pairs(left, right).into_iter().filter_map(pair).collect()
}

/// Columns that equal one of the use's own for each of its rows that matters, the own ones first: from
/// `own = a` and `a = b` follows `own = b`, where values of all three compare alike. Each with the nest of
/// the condition that names the other.
pub(super) fn all<'x>(found: &'x Analysis<'_>, id: UseId) -> Vec<Equal<'x>> {
    let mut reached: Vec<Equal<'x>> = Vec::new();
    let direct = |filter| {
        let pairs = equated(found, id, filter).into_iter();
        pairs.map(|(own, other)| Equal { own, other, nest: filter.nest })
    };
    let mut open: Vec<Equal<'x>> = found.filters.iter().flat_map(direct).collect();
    open.reverse();
    while let Some(equal) = open.pop() {
        let Equal { own, other, nest } = equal;
        let known = |seen: &Equal<'_>| {
            place(seen.own) == place(own) && place(seen.other) == place(other) && seen.nest == nest
        };
        if reached.iter().any(known) {
            continue;
        }
        reached.push(equal);
        let table = found.sources.get(other.source).and_then(|source| source.table);
        let Some(table) = table.filter(|table| *table != id && are_alike(own, other)) else {
            continue;
        };
        for filter in &found.filters {
            let next = equated(found, table, filter).into_iter();
            let next = next.filter(|(left, right)| {
                place(left) == place(other) && place(right) != place(own) && are_alike(left, right)
            });
            open.extend(next.map(|(_, other)| Equal { own, other, nest: filter.nest }));
        }
    }
    reached
}

fn are_alike(one: &Resolved, other: &Resolved) -> bool {
    one.class.as_ref().zip(other.class.as_ref()).is_some_and(|(one, other)| alike(one, other))
}

/// Values of the one class compare with literals of the other as with its columns.
pub(super) fn alike(one: &ColumnClass, other: &ColumnClass) -> bool {
    use ColumnClass::{Date, DateTime, Decimal, Integer, Text};
    match (one, other) {
        (Integer { .. } | Decimal { .. }, Integer { .. } | Decimal { .. })
        | (Date | DateTime { .. }, Date | DateTime { .. }) => true,
        (Text { collation: one, .. }, Text { collation: other, .. }) => one == other,
        _ => false,
    }
}

/// Classes of columns that conditions equate.
#[derive(Default)]
struct Classes(Vec<Vec<Place>>);

impl Classes {
    /// Of conditions that all hold for each row.
    fn of(found: &Analysis<'_>, conditions: &[&Expr]) -> Self {
        let mut classes = Self::default();
        for condition in conditions {
            let ExprKind::Compare { op: Comparison::Eq, left, right } = &condition.kind else {
                continue;
            };
            let column = |expr: &Expr| match &expr.kind {
                ExprKind::Column(name) => found.meaning(0, name).cloned(),
                _ => None,
            };
            for (left, right) in pairs(left, right) {
                if let (Some(left), Some(right)) = (column(left), column(right))
                    && are_alike(&left, &right)
                {
                    classes.join(place(&left), place(&right));
                }
            }
        }
        classes
    }

    fn join(&mut self, one: Place, other: Place) {
        let has = |class: &Vec<Place>, place: Place| class.contains(&place);
        let touched = |class: &Vec<Place>| has(class, one) || has(class, other);
        let (old, mut rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(touched);
        let mut joined: Vec<Place> = old.into_iter().flatten().chain([one, other]).collect();
        joined.sort_unstable();
        joined.dedup();
        rest.push(joined);
        self.0 = rest;
    }

    fn together(&self, one: Place, other: Place) -> bool {
        self.0.iter().any(|class| class.contains(&one) && class.contains(&other))
    }
}

/// Equalities of columns of some sources that follow from all conditions of a block of inner joins, but
/// not from those of the sources alone, as SQL: `a.x = c.z AND b.y = c.z` says `a.x = b.y`.
pub(super) fn implied(
    found: &Analysis<'_>,
    (all, own): (&[&Expr], &[&Expr]),
    sources: &[SourceId],
) -> Vec<String> {
    let mut known = Classes::of(found, own);
    let mut texts = Vec::new();
    for class in Classes::of(found, all).0 {
        let mine: Vec<Place> =
            class.into_iter().filter(|(source, _)| sources.contains(source)).collect();
        for (index, one) in mine.iter().enumerate() {
            for other in mine.iter().skip(index + 1) {
                if one.0 == other.0 || known.together(*one, *other) {
                    continue;
                }
                if let (Some(left), Some(right)) = (text_at(found, *one), text_at(found, *other)) {
                    texts.push(format!("{left} = {right}"));
                    known.join(*one, *other);
                }
            }
        }
    }
    texts
}

fn text_at(found: &Analysis<'_>, (source, column): Place) -> Option<String> {
    let column = Resolved { source, column, atom: None, class: None, declared: None, outer: false };
    text_of(found, &column)
}
