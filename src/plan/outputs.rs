//! What a query block answers, and whether conditions pass through it.

use std::sync::Arc;

use super::facts::Stop;
use super::functions;
use super::model::{Analysis, Atom, Output, Scope, SourceId, same_name};
use super::names::{Answer, Env, Reader};
use super::splice::quoted;
use crate::sql::expr::{ColumnName, Expr, ExprKind, Literal, Name};
use crate::sql::query::{OrderItem, Select, SelectItem, SelectItemKind};
use crate::sql::span::Span;

impl<'a> Reader<'_, 'a> {
    pub(super) fn outputs<'e>(
        &mut self,
        select: &'a Select,
        scope: &Scope,
        env: Env<'e, 'a>,
    ) -> Result<Option<Vec<Output>>, Stop> {
        let mut outputs = Some(Vec::new());
        for item in &select.items {
            let more = match &item.kind {
                SelectItemKind::Wildcard => self.star(scope, None),
                SelectItemKind::QualifiedWildcard { schema, table } => {
                    let name = ColumnName {
                        schema: schema.clone(),
                        table: Some(table.clone()),
                        name: table.clone(),
                    };
                    if let Some(schema) = schema {
                        let span = Span { start: schema.span.start, end: table.span.start };
                        self.found.dropped.push(span);
                    }
                    match self.candidates(&name, scope).as_slice() {
                        [one] => self.star(scope, Some(*one)),
                        _ => None,
                    }
                }
                SelectItemKind::Expr { expr, alias } => {
                    self.expr(expr, env)?;
                    if alias.is_none() && !matches!(expr.kind, ExprKind::Column(_)) {
                        self.found.unaliased.push(item.span);
                    }
                    let output = self.output(expr, alias.as_ref(), env.instance);
                    Some(vec![Output { item: Some(expr.span), ..output }])
                }
            };
            outputs = outputs.zip(more).map(|(mut all, more)| {
                all.extend(more);
                all
            });
        }
        Ok(outputs)
    }

    pub(super) fn output(&self, expr: &Expr, alias: Option<&Name>, instance: u32) -> Output {
        let (name, meaning) = match &expr.kind {
            ExprKind::Column(name) => (name.name.value.clone(), self.found.meaning(instance, name)),
            _ => {
                let text = self.text.get(expr.span.range()).unwrap_or_default();
                (String::from_utf8_lossy(text).into_owned(), None)
            }
        };
        Output {
            name: alias.map_or(name, |alias| alias.value.clone()),
            text: None,
            item: None,
            atom: meaning.and_then(|meaning| meaning.atom),
            class: meaning.and_then(|meaning| meaning.class.clone()),
            declared: self.declared(expr, instance),
        }
    }

    /// The declared type of a column, or of the least or greatest of its values.
    fn declared(&self, expr: &Expr, instance: u32) -> Option<Arc<str>> {
        let column = match &expr.kind {
            ExprKind::Function(call) if matches!(call.name.as_str(), "min" | "max") => {
                call.args.first()?
            }
            _ => expr,
        };
        let ExprKind::Column(name) = &column.kind else { return None };
        self.found.meaning(instance, name)?.declared.clone()
    }

    /// The columns of `*`, or of `t.*`; their order is only right if nothing was merged by USING.
    pub(super) fn star(&self, scope: &Scope, only: Option<SourceId>) -> Option<Vec<Output>> {
        if only.is_none() && !scope.merged.is_empty() {
            return None;
        }
        let mut outputs = Vec::new();
        for id in scope.sources.iter().filter(|id| only.is_none_or(|only| only == **id)) {
            let source = self.found.sources.get(*id)?;
            let columns = source.columns.as_ref()?.iter().filter(|column| column.visible);
            outputs.extend(columns.map(|column| Output {
                name: column.name.clone(),
                text: Some(format!("{}.{}", quoted(&source.name), quoted(&column.name))),
                item: None,
                atom: column.atom,
                class: column.class.clone(),
                declared: column.declared.clone(),
            }));
        }
        Some(outputs)
    }

    /// Whether conditions on the answer of a SELECT pass through it, and which columns carry them.
    pub(super) fn judge<'e>(
        &self,
        select: &'a Select,
        outputs: Option<Vec<Output>>,
        env: Env<'e, 'a>,
    ) -> Answer {
        let aggregated = !select.group_by.is_empty() || has_aggregates(select);
        if select.has_windows {
            return Answer { outputs, opaque: Some("window function") };
        }
        if !aggregated && !select.distinct {
            return Answer { outputs, opaque: None };
        }
        let keys: Vec<Atom> = if aggregated {
            let key = |item: &OrderItem| group_atom(&self.found, select, &item.expr, env.instance);
            select.group_by.iter().filter_map(key).collect()
        } else {
            outputs.iter().flatten().filter_map(|output| output.atom).collect()
        };
        if select.rollup || !self.found.hold_a_place(&keys, env.nest) {
            let what = if aggregated { "GROUP BY" } else { "DISTINCT" };
            return Answer { outputs, opaque: Some(what) };
        }
        let carried = |mut output: Output| {
            output.atom = output.atom.filter(|atom| keys.contains(atom));
            output
        };
        let outputs = outputs.map(|all| all.into_iter().map(carried).collect());
        Answer { outputs, opaque: None }
    }
}

/// The column that a GROUP BY item means: a column of FROM, else an alias or a position.
pub(super) fn group_atom(
    found: &Analysis<'_>,
    select: &Select,
    expr: &Expr,
    instance: u32,
) -> Option<Atom> {
    if let Some(atom) = found.atom(instance, expr) {
        return Some(atom);
    }
    let item = match &expr.kind {
        ExprKind::Literal(Literal::Integer(text)) => {
            select.items.get(text.parse::<usize>().ok()?.checked_sub(1)?)?
        }
        ExprKind::Column(name) if name.table.is_none() => select.items.iter().find(|item| {
            matches!(&item.kind, SelectItemKind::Expr { alias: Some(alias), .. }
                if same_name(&alias.value, &name.name.value))
        })?,
        _ => return None,
    };
    // A position counts columns, so there must be no `*` before it.
    let before = select.items.iter().take_while(|other| other.span != item.span);
    let plain = |item: &SelectItem| matches!(item.kind, SelectItemKind::Expr { .. });
    match &item.kind {
        SelectItemKind::Expr { expr, .. } if before.into_iter().all(plain) => {
            found.atom(instance, expr)
        }
        _ => None,
    }
}

/// Any item or HAVING holds an aggregate.
pub(super) fn has_aggregates(select: &Select) -> bool {
    let items = select.items.iter().filter_map(|item| match &item.kind {
        SelectItemKind::Expr { expr, .. } => Some(expr),
        SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => None,
    });
    items.chain(&select.having).any(holds_aggregate)
}

/// The expression holds an aggregate, subqueries excluded.
pub(super) fn holds_aggregate(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |node| {
        if let ExprKind::Function(function) = &node.kind {
            found |= !function.window && functions::is_aggregate(&function.name);
        }
    });
    found
}
