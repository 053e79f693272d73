//! What a condition of SQL says of one column, as far as routing understands it.
//!
//! Every answer is a *necessary* condition: a row for which the SQL is true meets it. What is not
//! understood says nothing ([`Condition::Always`]).

use super::expressions::pairs;
use super::functions::{self, Nature};
use super::types::{Bound, Condition, Constant, Operand};
use crate::sql::expr::{Comparison, Expr, ExprKind, Literal};

/// What a condition is read with.
pub(super) struct Known<'k> {
    /// The expression is the column in question.
    pub key: &'k dyn Fn(&Expr) -> bool,
    /// The text of the statement.
    pub text: &'k [u8],
    /// User variables keep their values while the statement runs.
    pub variables: bool,
}

impl Known<'_> {
    fn is_key(&self, expr: &Expr) -> bool {
        (self.key)(expr)
    }

    fn operand(&self, expr: &Expr) -> Option<Operand> {
        operand(expr).or_else(|| constant_expression(expr, self))
    }
}

/// What must hold of the column for `expr` to be true.
pub(super) fn of(expr: &Expr, known: &Known<'_>) -> Condition {
    match &expr.kind {
        ExprKind::And(operands) => and(operands.iter().map(|operand| of(operand, known))),
        ExprKind::Or(operands) => or(operands.iter().map(|operand| of(operand, known))),
        ExprKind::Not(operand) => not(operand, known),
        ExprKind::Compare { op: Comparison::Eq, left, right } => {
            and(pairs(left, right).into_iter().map(|(a, b)| compare(Comparison::Eq, a, b, known)))
        }
        ExprKind::Compare { op, left, right } => compare(*op, left, right, known),
        ExprKind::IsNull { expr, negated: false } if known.is_key(expr) => Condition::IsNull,
        ExprKind::Between { expr, low, high, negated } if known.is_key(expr) => {
            between(low, high, *negated, known)
        }
        ExprKind::In { expr, list, negated: false } => in_list(expr, list, known),
        ExprKind::Literal(literal) => constant(literal),
        _ => Condition::Always,
    }
}

/// What must hold of the column for `expr` to be false.
fn not(expr: &Expr, known: &Known<'_>) -> Condition {
    match &expr.kind {
        ExprKind::And(operands) => or(operands.iter().map(|operand| not(operand, known))),
        ExprKind::Or(operands) => and(operands.iter().map(|operand| not(operand, known))),
        ExprKind::Not(operand) => of(operand, known),
        ExprKind::Compare { op, left, right } => match opposite(*op) {
            Some(op) => compare(op, left, right, known),
            None => Condition::Always,
        },
        ExprKind::IsNull { expr, negated: true } if known.is_key(expr) => Condition::IsNull,
        ExprKind::Between { expr, low, high, negated } if known.is_key(expr) => {
            between(low, high, !*negated, known)
        }
        ExprKind::In { expr, list, negated: true } => in_list(expr, list, known),
        _ => Condition::Always,
    }
}

/// All of them hold.
pub(super) fn and(parts: impl IntoIterator<Item = Condition>) -> Condition {
    let mut all = Vec::new();
    for part in parts {
        match part {
            Condition::Always => {}
            Condition::Never => return Condition::Never,
            Condition::And(more) => all.extend(more),
            other => {
                if !all.contains(&other) {
                    all.push(other);
                }
            }
        }
    }
    match all.len() {
        0 => Condition::Always,
        1 => all.remove(0),
        _ => Condition::And(all),
    }
}

/// At least one of them holds.
fn or(parts: impl IntoIterator<Item = Condition>) -> Condition {
    let mut any = Vec::new();
    for part in parts {
        match part {
            Condition::Always => return Condition::Always,
            Condition::Never => {}
            Condition::Or(more) => any.extend(more),
            other => any.push(other),
        }
    }
    match any.len() {
        0 => Condition::Never,
        1 => any.remove(0),
        _ => Condition::Or(any),
    }
}

/// The same condition as far as it excludes NULL: what is left says nothing.
pub(super) fn null_rejecting(condition: Condition) -> Condition {
    match condition {
        Condition::IsNull => Condition::Always,
        Condition::And(parts) => and(parts.into_iter().map(null_rejecting)),
        Condition::Or(parts) => or(parts.into_iter().map(null_rejecting)),
        same @ (Condition::Always
        | Condition::Never
        | Condition::Eq(_)
        | Condition::In(_)
        | Condition::Range { .. }) => same,
    }
}

fn compare(op: Comparison, left: &Expr, right: &Expr, known: &Known<'_>) -> Condition {
    let (op, value) = if known.is_key(left) {
        (op, known.operand(right))
    } else if known.is_key(right) {
        (mirrored(op), known.operand(left))
    } else if op == Comparison::Eq && differ(left, right) {
        return Condition::Never;
    } else {
        return Condition::Always;
    };
    let Some(value) = value else { return Condition::Always };
    let bound = |inclusive| Some(Bound { operand: value.clone(), inclusive });
    match op {
        Comparison::Eq => Condition::Eq(value),
        Comparison::NullSafeEq => match &value {
            Operand::Literal(Literal::Null) => Condition::IsNull,
            Operand::Literal(_) | Operand::Computed(_) => Condition::Eq(value),
            // It may be NULL.
            Operand::Param(_) | Operand::Constant(_) => {
                Condition::Or(vec![Condition::Eq(value), Condition::IsNull])
            }
        },
        Comparison::NotEq => Condition::Always,
        Comparison::Lt => Condition::Range { low: None, high: bound(false) },
        Comparison::LtEq => Condition::Range { low: None, high: bound(true) },
        Comparison::Gt => Condition::Range { low: bound(false), high: None },
        Comparison::GtEq => Condition::Range { low: bound(true), high: None },
    }
}

/// `key BETWEEN low AND high`, or not.
fn between(low: &Expr, high: &Expr, negated: bool, known: &Known<'_>) -> Condition {
    let bound = |expr, inclusive| known.operand(expr).map(|operand| Bound { operand, inclusive });
    if !negated {
        let (low, high) = (bound(low, true), bound(high, true));
        // MySQL compares all three in one type, which an operand that is no constant may decide.
        return match (&low, &high) {
            (Some(_), Some(_)) => Condition::Range { low, high },
            (None, _) | (_, None) => Condition::Always,
        };
    }
    match (bound(low, false), bound(high, false)) {
        (Some(low), Some(high)) => Condition::Or(vec![
            Condition::Range { low: None, high: Some(low) },
            Condition::Range { low: Some(high), high: None },
        ]),
        (None, _) | (_, None) => Condition::Always,
    }
}

/// `key IN (1, 2)`, `(a, key) IN ((1, 2), (3, 4))`.
fn in_list(expr: &Expr, list: &[Expr], known: &Known<'_>) -> Condition {
    let values = |position: Option<usize>| -> Option<Vec<Operand>> {
        list.iter()
            .map(|member| match (position, &member.kind) {
                (None, _) => known.operand(member),
                (Some(position), ExprKind::Row(members)) => known.operand(members.get(position)?),
                (Some(_), _) => None,
            })
            .collect()
    };
    let any_of = |values: Option<Vec<Operand>>| values.map_or(Condition::Always, Condition::In);
    match &expr.kind {
        ExprKind::Row(members) => {
            let keys = members.iter().enumerate().filter(|(_, member)| known.is_key(member));
            and(keys.map(|(position, _)| any_of(values(Some(position)))))
        }
        _ if known.is_key(expr) => any_of(values(None)),
        _ => Condition::Always,
    }
}

/// A value that is known when the statement runs.
pub(super) fn operand(expr: &Expr) -> Option<Operand> {
    match &expr.kind {
        ExprKind::Literal(literal) => Some(Operand::Literal(literal.clone())),
        ExprKind::Param(index) => Some(Operand::Param(*index)),
        _ => None,
    }
}

/// A constant expression: its value is the same for all rows and, but for the clock, everywhere.
fn constant_expression(expr: &Expr, known: &Known<'_>) -> Option<Operand> {
    let (mut constant, mut clock) = (true, false);
    let mut params = Vec::new();
    expr.walk(&mut |node| match &node.kind {
        ExprKind::UserVariable(_) => constant &= known.variables,
        ExprKind::Function(function) => {
            let own = function.window || functions::is_aggregate(&function.name);
            match functions::nature(&function.name, function.args.len()) {
                Nature::Pure => constant &= !own,
                // SYSDATE() is the time of its call.
                Nature::Clock if function.name != "sysdate" => clock = true,
                Nature::Clock | Nature::Random | Nature::Server | Nature::Stored => {
                    constant = false;
                }
            }
        }
        ExprKind::Param(index) => {
            params.push((node.span.start.saturating_sub(expr.span.start) as usize, *index));
        }
        ExprKind::Column(_)
        | ExprKind::SystemVariable(_)
        | ExprKind::Default
        | ExprKind::Row(_) => constant = false,
        ExprKind::Literal(_)
        | ExprKind::Compare { .. }
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Not(_)
        | ExprKind::IsNull { .. }
        | ExprKind::Between { .. }
        | ExprKind::In { .. }
        | ExprKind::InQuery { .. }
        | ExprKind::Exists { .. }
        | ExprKind::Subquery(_)
        | ExprKind::Other { .. } => {
            constant &= node.queries().is_empty() && node.assigned().is_none();
        }
    });
    let text = known.text.get(expr.span.range()).unwrap_or_default().to_vec();
    params.sort_unstable();
    (constant && !text.is_empty()).then_some(Operand::Constant(Constant { text, params, clock }))
}

/// A constant as a condition.
fn constant(literal: &Literal) -> Condition {
    match literal {
        Literal::Null | Literal::Bool(false) => Condition::Never,
        Literal::Integer(text) if text == "0" => Condition::Never,
        _ => Condition::Always,
    }
}

/// `1 = 0`: two different small integers.
fn differ(left: &Expr, right: &Expr) -> bool {
    let integer = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(Literal::Integer(text)) => text.parse::<i64>().ok(),
        _ => None,
    };
    matches!((integer(left), integer(right)), (Some(left), Some(right)) if left != right)
}

/// `5 < key` as `key > 5`.
fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Lt => Comparison::Gt,
        Comparison::LtEq => Comparison::GtEq,
        Comparison::Gt => Comparison::Lt,
        Comparison::GtEq => Comparison::LtEq,
        same @ (Comparison::Eq | Comparison::NullSafeEq | Comparison::NotEq) => same,
    }
}

/// The comparison that is true where this one is false.
fn opposite(op: Comparison) -> Option<Comparison> {
    match op {
        Comparison::NotEq => Some(Comparison::Eq),
        Comparison::Lt => Some(Comparison::GtEq),
        Comparison::LtEq => Some(Comparison::Gt),
        Comparison::Gt => Some(Comparison::LtEq),
        Comparison::GtEq => Some(Comparison::Lt),
        Comparison::Eq | Comparison::NullSafeEq => None,
    }
}
