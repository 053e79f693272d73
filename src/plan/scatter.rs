//! Whether a SELECT can run whole on each shard, and how the answers merge.

use super::aggregate;
use super::condition;
use super::distinct;
use super::fragment::Fragment;
use super::functions::{self, Nature};
use super::model::{Analysis, Atom, NestKind};
use super::order;
use super::outputs::{group_atom, has_aggregates};
use super::planner::refusal;
use super::splice::Splice;
use super::types::{LimitOperands, Place, Refusal, Scatter};
use super::units::Group;
use crate::merge::Spec;
use crate::sql::expr::{Expr, ExprKind, Function};
use crate::sql::query::{Body, Query, Select, SelectItemKind};

/// Everything that a scatter is made of.
#[derive(Clone, Copy)]
pub(super) struct Input<'x, 'a> {
    pub text: &'a [u8],
    pub found: &'x Analysis<'a>,
    pub groups: &'x [Group],
    pub place: &'x Place,
    pub splice: &'x Splice<'a>,
}

impl Input<'_, '_> {
    pub(super) fn refuse(&self, what: &str) -> Refusal {
        refusal(what, self.place)
    }
}

/// The scatter of a query, or why there is none.
pub(super) fn plan(query: &Query, input: Input<'_, '_>) -> Result<Scatter, Refusal> {
    together(input)?;
    let query = unwrap(query, input)?;
    let select = match &query.body {
        Body::Select(select) => select,
        Body::Table(_) => return table(query, input),
        Body::SetOperation { .. } | Body::Values(_) | Body::Nested(_) => {
            return Err(input.refuse("UNION"));
        }
    };
    clauses(query, input)?;
    calls(select, query, input)?;
    let limit = limit(query, input)?;
    let fragment = Fragment::new(query, select, input);
    let grouped = !select.group_by.is_empty() || has_aggregates(select);
    let whole_groups = !select.group_by.is_empty() && !select.rollup && {
        let keys = select.group_by.iter();
        let keys: Vec<Atom> =
            keys.filter_map(|item| group_atom(input.found, select, &item.expr, 0)).collect();
        input.found.hold_a_place(&keys, 0)
    };
    let locking = || match &query.locking {
        Some(_) => Err(input.refuse("a locking read (FOR UPDATE, FOR SHARE) of groups")),
        None => Ok(()),
    };
    let mut scatter = if grouped && !whole_groups {
        locking()?;
        aggregate::plan(fragment, limit)?
    } else if select.distinct && !distinct::is_local(query, select, input) {
        locking()?;
        distinct::plan(fragment, limit)?
    } else {
        if select.distinct {
            distinct::check_order(&fragment)?;
        }
        order::plan(fragment, limit)?
    };
    if whole_groups {
        let note = "each group lies whole on one shard: grouping is pushed down".to_owned();
        scatter.notes.insert(0, note);
    }
    Ok(scatter)
}

/// All rows of an answer's row are on one shard.
fn together(input: Input<'_, '_>) -> Result<(), Refusal> {
    let found = input.found;
    if let Some((root, kind)) = input.groups.iter().find_map(|group| found.detached(group)) {
        let name = found.uses.get(root).map_or("", |used| used.table.name.as_str());
        let what = match kind {
            NestKind::Top => "this statement".to_owned(),
            NestKind::OuterJoin => {
                format!("an outer join that keeps rows without a partner in `{name}`")
            }
            NestKind::Subquery => {
                format!(
                    "a subquery on `{name}` that is not tied to the outer rows by the sharding key"
                )
            }
            NestKind::Derived(what) => format!("a derived table with {what} on `{name}`"),
            NestKind::SetOperation => "UNION".to_owned(),
        };
        return Err(input.refuse(&what));
    }
    if let [first, second, ..] = input.groups {
        let name = |group: &Group| {
            let used = group.roots.first().and_then(|root| found.uses.get(*root));
            used.map_or(String::new(), |used| used.table.name.clone())
        };
        let what = format!(
            "a join of `{}` and `{}` that does not equate their sharding keys",
            name(first),
            name(second)
        );
        return Err(input.refuse(&what));
    }
    if input.groups.is_empty() {
        return Err(input.refuse("a statement without sharded tables"));
    }
    if let Some(what) = found.unstable {
        return Err(input.refuse(what));
    }
    if found.system {
        return Err(input.refuse("a join with a system table"));
    }
    Ok(())
}

/// The query inside parentheses that say nothing.
fn unwrap<'q>(query: &'q Query, input: Input<'_, '_>) -> Result<&'q Query, Refusal> {
    let mut query = query;
    while let Body::Nested(inner) = &query.body {
        let plain = query.with.is_empty() && query.order_by.is_empty() && query.limit.is_none();
        if !plain || query.locking.is_some() || query.into.is_some() {
            return Err(input.refuse("a clause after a query in parentheses"));
        }
        query = inner;
    }
    Ok(query)
}

/// `TABLE t [LIMIT n]`.
fn table(query: &Query, input: Input<'_, '_>) -> Result<Scatter, Refusal> {
    if !query.order_by.is_empty() {
        return Err(input.refuse("TABLE ... ORDER BY (write SELECT * FROM ... ORDER BY)"));
    }
    if query.locking.is_some() || query.into.is_some() {
        return Err(input.refuse("a locking TABLE statement or one with INTO"));
    }
    let limit = limit(query, input)?;
    let span = super::fragment::body_span(query);
    Ok(Scatter {
        template: input.splice.template(span),
        merge: Spec::default(),
        limit,
        columns: None,
        notes: vec!["rows are taken as they come".to_owned()],
    })
}

fn clauses(query: &Query, input: Input<'_, '_>) -> Result<(), Refusal> {
    let inner = input.found.locking && query.locking.is_none();
    let what = if inner || (query.locking.is_some() && query.limit.is_some()) {
        "a locking read (FOR UPDATE, FOR SHARE) of some rows"
    } else if query.into.is_some() {
        "SELECT ... INTO"
    } else if input.found.assigns_variables {
        "an assignment to a user variable"
    } else {
        return Ok(());
    };
    Err(input.refuse(what))
}

/// Functions whose values differ from shard to shard, and windows over rows of several shards.
fn calls(select: &Select, query: &Query, input: Input<'_, '_>) -> Result<(), Refusal> {
    let collapses = select.distinct || !select.group_by.is_empty() || has_aggregates(select);
    for call in &input.found.calls {
        let name = call.function.name.to_uppercase();
        if call.function.window && call.top {
            window(call.function, input)?;
            continue;
        }
        let ordering = query.order_by.iter().any(|item| item.span.contains(call.span));
        match functions::nature(&call.function.name, call.function.args.len()) {
            Nature::Pure => {}
            Nature::Clock if !collapses => {}
            Nature::Clock if select.filter.as_ref().is_some_and(|f| f.span.contains(call.span)) => {
            }
            Nature::Clock => {
                let what = format!("{name}() beside DISTINCT, GROUP BY or an aggregate");
                return Err(input.refuse(&what));
            }
            Nature::Random if call.top && !ordering && !collapses => {}
            Nature::Random => {
                return Err(input.refuse(&format!(
                    "{name}() in ORDER BY, in a subquery or beside \
                    DISTINCT, GROUP BY or an aggregate"
                )));
            }
            Nature::Server => {
                return Err(
                    input.refuse(&format!("{name}(), which differs from server to server,"))
                );
            }
            Nature::Stored => return Err(input.refuse(&format!("the stored function {name}()"))),
        }
    }
    if select.has_windows && !windows_seen(select, query) {
        return Err(input.refuse("a WINDOW clause"));
    }
    Ok(())
}

/// Window functions stand where `window` checks them: there is no WINDOW clause.
fn windows_seen(select: &Select, _query: &Query) -> bool {
    select.windows.is_empty()
}

/// A window function whose partitions lie whole on one shard.
fn window(function: &Function, input: Input<'_, '_>) -> Result<(), Refusal> {
    let keys: Vec<Atom> = partition(function, input.text)
        .into_iter()
        .filter_map(|expr| input.found.atom(0, expr))
        .collect();
    if input.found.hold_a_place(&keys, 0) {
        return Ok(());
    }
    let name = function.name.to_uppercase();
    Err(input
        .refuse(&format!("the window function {name}() without PARTITION BY the sharding key")))
}

/// The expressions of `OVER (PARTITION BY a, b ...`.
fn partition<'a>(function: &'a Function, text: &[u8]) -> Vec<&'a Expr> {
    let between = |start: u32, end: u32| -> String {
        let bytes = text.get(start as usize..end as usize).unwrap_or_default();
        String::from_utf8_lossy(bytes).split_whitespace().collect::<String>().to_ascii_uppercase()
    };
    let mut found = Vec::new();
    let mut at = function.args_span.end;
    for expr in &function.window_args {
        let expect = if found.is_empty() { ")OVER(PARTITIONBY" } else { "," };
        if between(at, expr.span.start) != expect {
            break;
        }
        found.push(expr);
        at = expr.span.end;
    }
    found
}

fn limit(query: &Query, input: Input<'_, '_>) -> Result<Option<LimitOperands>, Refusal> {
    let Some(limit) = &query.limit else { return Ok(None) };
    let operand = |expr: &Expr| {
        condition::operand(expr).ok_or_else(|| input.refuse("LIMIT with an expression"))
    };
    Ok(Some(LimitOperands {
        rows: operand(&limit.rows)?,
        offset: limit.offset.as_ref().map(operand).transpose()?,
        // SQL_CALC_FOUND_ROWS counts the rows behind the limit too.
        pushed: !matches!(&query.body, Body::Select(select) if select.calc_found_rows),
    }))
}

/// The expressions of a SELECT's items; None where there is a `*`.
pub(super) fn item_exprs(select: &Select) -> Vec<Option<&Expr>> {
    let expr = |item: &'_ crate::sql::query::SelectItem| match &item.kind {
        SelectItemKind::Expr { .. } => true,
        SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => false,
    };
    select
        .items
        .iter()
        .map(|item| match &item.kind {
            SelectItemKind::Expr { expr: inner, .. } if expr(item) => Some(inner),
            SelectItemKind::Expr { .. }
            | SelectItemKind::Wildcard
            | SelectItemKind::QualifiedWildcard { .. } => None,
        })
        .collect()
}

/// The expression is a plain column.
pub(super) fn is_column(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Column(_))
}
