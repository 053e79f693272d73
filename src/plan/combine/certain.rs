//! Values that a column of a temporary table shows as the expressions around them would see them.
//!
//! A server that runs a query inside of another may let the outer one see more of a value than a column
//! holds: digits of a quotient that it does not show, whether a text is a constant, that a NULL has no type.
//! Such a query goes on as the rows of its tables or as partial results, and its expressions are computed
//! beside those that use them.

use super::super::facts::ColumnClass;
use super::super::model::Analysis;
use super::super::outputs::has_aggregates;
use super::stage::Examined;
use super::survey::Role;
use crate::sql::expr::{Expr, ExprKind, Function, Literal};
use crate::sql::query::{Body, Select, SelectItem, SelectItemKind};

/// Functions that give whole numbers.
const WHOLE: [&str; 34] = [
    "ascii",
    "bit_and",
    "bit_count",
    "bit_length",
    "bit_or",
    "bit_xor",
    "char_length",
    "character_length",
    "count",
    "crc32",
    "datediff",
    "day",
    "dayofmonth",
    "dayofweek",
    "dayofyear",
    "dense_rank",
    "extract",
    "hour",
    "instr",
    "length",
    "locate",
    "minute",
    "month",
    "ntile",
    "octet_length",
    "quarter",
    "rank",
    "row_number",
    "second",
    "sign",
    "to_days",
    "week",
    "weekday",
    "year",
];

/// What to do with a query instead of making a table of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instead {
    /// Its groups are folded first, and its expressions are computed then.
    Groups,
    /// The rows of its tables are gathered.
    Rows,
}

/// None: the rows of the query can stand in a table.
pub(super) fn instead(role: Role<'_>, examined: &Examined<'_>) -> Option<Instead> {
    let query = examined.query;
    let Body::Select(select) = &query.body else { return None };
    if query.limit.is_some() || select.distinct || select.has_windows {
        return None;
    }
    let grouped = !select.group_by.is_empty() || has_aggregates(select);
    let instead = match role {
        Role::Top | Role::Subquery { exists: true } | Role::Branch => return None,
        // Servers make a table of it, too.
        Role::Derived { .. } | Role::Cte(_) if grouped => return None,
        Role::Subquery { .. } if grouped => Instead::Groups,
        Role::Derived { .. } | Role::Cte(_) | Role::Subquery { .. } => Instead::Rows,
    };
    (!are_certain(select, examined)).then_some(instead)
}

fn are_certain(select: &Select, examined: &Examined<'_>) -> bool {
    let plain = |item: &SelectItem| match &item.kind {
        SelectItemKind::Expr { expr, .. } => is_certain(&examined.found, expr),
        // The columns of what it stands for.
        SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => true,
    };
    select.items.iter().all(plain)
}

fn is_certain(found: &Analysis<'_>, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Column(_) => is_column(found, expr),
        ExprKind::Function(call) => {
            let extreme = matches!(call.name.as_str(), "min" | "max");
            is_exact(found, expr) || (extreme && call.args.iter().all(|arg| is_column(found, arg)))
        }
        _ => is_exact(found, expr),
    }
}

/// Of a table, or a temporary one; or of a type that tells all.
fn is_column(found: &Analysis<'_>, expr: &Expr) -> bool {
    let ExprKind::Column(name) = &expr.kind else { return false };
    let Some(meaning) = found.meaning(0, name) else { return false };
    let source = found.sources.get(meaning.source);
    let read = source.is_some_and(|source| source.table.is_some() || source.temporary.is_some());
    read || meaning.declared.is_some() || meaning.class.is_some()
}

/// A number of which all digits are shown.
fn is_exact(found: &Analysis<'_>, expr: &Expr) -> bool {
    use ColumnClass::{Decimal, Integer, Year};
    let all = |list: &[Expr]| list.iter().all(|expr| is_exact(found, expr));
    match &expr.kind {
        ExprKind::Column(name) => {
            let class = found.meaning(0, name).and_then(|meaning| meaning.class.as_ref());
            matches!(class, Some(Integer { .. } | Decimal { .. } | Year))
        }
        ExprKind::Literal(Literal::Integer(_) | Literal::Decimal(_) | Literal::Bool(_)) => true,
        ExprKind::Compare { .. }
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Not(_)
        | ExprKind::IsNull { .. }
        | ExprKind::Between { .. }
        | ExprKind::In { .. }
        | ExprKind::InQuery { .. }
        | ExprKind::Exists { .. } => true,
        ExprKind::Function(call) => is_whole(call) || (call.name == "sum" && all(&call.args)),
        ExprKind::Other { what: "sum" | "sign", children, queries } => {
            queries.is_empty() && all(children)
        }
        ExprKind::Other { what: "product", children, queries } => {
            let text = found.text.get(expr.span.range()).unwrap_or_default();
            queries.is_empty() && all(children) && !text.contains(&b'/')
        }
        ExprKind::Other { what: "LIKE" | "REGEXP" | "XOR", .. } => true,
        ExprKind::Literal(_)
        | ExprKind::Param(_)
        | ExprKind::UserVariable(_)
        | ExprKind::SystemVariable(_)
        | ExprKind::Row(_)
        | ExprKind::Subquery(_)
        | ExprKind::Default
        | ExprKind::Other { .. } => false,
    }
}

fn is_whole(call: &Function) -> bool {
    WHOLE.contains(&call.name.as_str())
}
