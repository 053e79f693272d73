//! A statement with parameters in the places of its slots.
//!
//! What is planned from such a tree cannot depend on the values that are hidden, so the plan holds for
//! every statement of the [shape](super::shape). A literal is hidden only where a parameter says as much
//! to the planner as the literal does: as an operand of a comparison with a column, beside a column
//! in an expression that is not looked into, as a value of a row, or as a value that is assigned.

use super::expr::{Comparison, Expr, ExprKind};
use super::mode::Mode;
use super::query::{Body, Join, JoinConstraint, Query, TableExpr};
use super::shape::Slot;
use super::span::Span;
use super::statement::{ColumnAssignment, Insert, InsertSource, Statement, StatementKind};

/// The parameter that stands for the first slot. Those of the client have smaller numbers.
pub const FIRST_SLOT: u16 = 1 << 15;

/// Hides the literals at `slots`, for which the parameters from [`FIRST_SLOT`] on stand, and gives which
/// of them have a minus in front. None: one of them stands where it must be known.
pub fn hide(
    statement: &mut Statement,
    text: &[u8],
    slots: &[Slot],
    mode: Mode,
) -> Option<Box<[bool]>> {
    if statement.params >= FIRST_SLOT / 2 {
        return None;
    }
    let mut hider = Hider { text, slots, mode, signs: vec![None; slots.len()] };
    match &mut statement.kind {
        StatementKind::Query(query) => hider.query(query),
        StatementKind::Insert(insert) => hider.insert(insert),
        StatementKind::Update(update) => {
            update.from.iter_mut().for_each(|table| hider.table(table));
            hider.assignments(&mut update.assignments);
            update.filter.iter_mut().for_each(|filter| hider.expr(filter));
        }
        StatementKind::Delete(delete) => {
            delete.from.iter_mut().for_each(|table| hider.table(table));
            delete.filter.iter_mut().for_each(|filter| hider.expr(filter));
        }
        _ => return None,
    }
    hider.signs.into_iter().collect()
}

struct Hider<'a> {
    text: &'a [u8],
    slots: &'a [Slot],
    mode: Mode,
    /// Of slots that are hidden: a minus stands in front.
    signs: Vec<Option<bool>>,
}

impl Hider<'_> {
    fn query(&mut self, query: &mut Query) {
        query.with.iter_mut().for_each(|cte| self.query(&mut cte.query));
        match &mut query.body {
            Body::Select(select) => {
                select.from.iter_mut().for_each(|table| self.table(table));
                select.filter.iter_mut().for_each(|filter| self.expr(filter));
            }
            Body::SetOperation { left, right, .. } => {
                self.query(left);
                self.query(right);
            }
            Body::Nested(inner) => self.query(inner),
            Body::Values(_) | Body::Table(_) => {}
        }
    }

    fn table(&mut self, table: &mut TableExpr) {
        match table {
            TableExpr::Derived { query, .. } => self.query(query),
            TableExpr::Join(join) => {
                let Join { left, right, constraint, .. } = join.as_mut();
                self.table(left);
                self.table(right);
                if let JoinConstraint::On(on) = constraint {
                    self.expr(on);
                }
            }
            TableExpr::Table(_) | TableExpr::Function { .. } => {}
        }
    }

    fn insert(&mut self, insert: &mut Insert) {
        match &mut insert.source {
            InsertSource::Values { rows, .. } => {
                let values = rows.iter_mut().flat_map(|row| &mut row.values);
                values.for_each(|value| self.plain(value));
            }
            InsertSource::Set(list) => self.assignments(list),
            InsertSource::Query(query) => self.query(query),
        }
        self.assignments(&mut insert.on_duplicate);
    }

    fn assignments(&mut self, list: &mut [ColumnAssignment]) {
        for assignment in list {
            self.plain(&mut assignment.value);
            self.expr(&mut assignment.value);
        }
    }

    /// Hides what stands beside columns in an expression and below it.
    fn expr(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Compare { op, left, right } => {
                if *op != Comparison::NullSafeEq {
                    let columns = [is_column(left), is_column(right)];
                    self.beside(&columns, [left.as_mut(), right.as_mut()]);
                }
                self.expr(left);
                self.expr(right);
            }
            ExprKind::And(list) | ExprKind::Or(list) => {
                list.iter_mut().for_each(|operand| self.expr(operand));
            }
            ExprKind::Not(operand) | ExprKind::IsNull { expr: operand, .. } => self.expr(operand),
            ExprKind::Between { expr, low, high, .. } => {
                if is_column(expr) {
                    self.signed(low);
                    self.signed(high);
                }
                [expr, low, high].into_iter().for_each(|operand| self.expr(operand));
            }
            ExprKind::In { expr, list, .. } => {
                self.listed(expr, list);
                self.expr(expr);
            }
            ExprKind::InQuery { expr, query, .. } => {
                self.expr(expr);
                self.query(query);
            }
            ExprKind::Exists { query, .. } | ExprKind::Subquery(query) => self.query(query),
            ExprKind::Other { children, queries, .. } => {
                self.children(children);
                queries.iter_mut().for_each(|query| self.query(query));
            }
            ExprKind::Function(function) => self.children(&mut function.args),
            ExprKind::Column(_)
            | ExprKind::Literal(_)
            | ExprKind::Param(_)
            | ExprKind::UserVariable(_)
            | ExprKind::SystemVariable(_)
            | ExprKind::Row(_)
            | ExprKind::Default => {}
        }
    }

    fn children(&mut self, children: &mut [Expr]) {
        let columns: Vec<bool> = children.iter().map(is_column).collect();
        self.beside(&columns, children.iter_mut());
        children.iter_mut().for_each(|child| self.expr(child));
    }

    /// Hides literals if a column stands beside them: then no expression around is a constant, whose
    /// value would decide where the statement runs.
    fn beside<'e>(&mut self, columns: &[bool], literals: impl IntoIterator<Item = &'e mut Expr>) {
        if columns.contains(&true) {
            literals.into_iter().for_each(|literal| self.signed(literal));
        }
    }

    /// `column IN (1, 2)`, `(column, column) IN ((1, 2), (3, 4))`
    fn listed(&mut self, expr: &Expr, list: &mut [Expr]) {
        match &expr.kind {
            ExprKind::Column(_) => list.iter_mut().for_each(|value| self.signed(value)),
            ExprKind::Row(members) if members.iter().all(is_column) => {
                for value in list {
                    if let ExprKind::Row(values) = &mut value.kind {
                        values.iter_mut().for_each(|value| self.signed(value));
                    }
                }
            }
            _ => {}
        }
    }

    /// Hides a literal that has no sign.
    fn plain(&mut self, expr: &mut Expr) {
        self.hide(expr, |span, slot| (span == slot).then_some(false));
    }

    /// Hides a literal whose sign, if it has one, is left to stand in front of the parameter.
    fn signed(&mut self, expr: &mut Expr) {
        let text = self.text;
        self.hide(expr, |span, slot| {
            if span == slot {
                return Some(false);
            }
            let sign = text.get(span.start as usize..slot.start as usize)?;
            (span.end == slot.end && sign.trim_ascii() == b"-").then_some(true)
        });
    }

    fn hide(&mut self, expr: &mut Expr, sign: impl Fn(Span, Span) -> Option<bool>) {
        let ExprKind::Literal(literal) = &expr.kind else { return };
        let end = expr.span.end;
        let Ok(index) = self.slots.binary_search_by_key(&end, |slot| slot.span.end) else { return };
        let (Some(slot), Ok(param)) = (self.slots.get(index), u16::try_from(index)) else { return };
        let Some(negative) = sign(expr.span, slot.span) else { return };
        // What will be read from the slot is what the parser has read there.
        if slot.value(self.text, self.mode, negative) != *literal {
            return;
        }
        if let Some(sign) = self.signs.get_mut(index) {
            *sign = Some(negative);
            *expr = Expr { span: slot.span, kind: ExprKind::Param(FIRST_SLOT + param) };
        }
    }
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Column(_))
}
