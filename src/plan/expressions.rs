//! Names and conditions inside expressions.

use super::facts::Stop;
use super::functions;
use super::model::{
    Call, Equality, Filter, NestId, NestKind, Qualifier, Resolved, Scope, SourceId, same_name,
};
use super::names::{Env, Reader, ScopeFrame};
use crate::sql::expr::{ASSIGNMENT, ColumnName, Comparison, Expr, ExprKind, Function};
use crate::sql::query::Query;

impl<'a> Reader<'_, 'a> {
    /// A condition: row combinations of `env.nest` for which it is not true are discarded.
    pub(super) fn filter<'e>(&mut self, expr: &'a Expr, env: Env<'e, 'a>) -> Result<(), Stop> {
        if let ExprKind::And(operands) = &expr.kind {
            return operands.iter().try_for_each(|operand| self.filter(operand, env));
        }
        self.found.filters.push(Filter { expr, nest: env.nest, instance: env.instance });
        match &expr.kind {
            ExprKind::InQuery { expr, query, negated: false } => {
                self.expr(expr, env)?;
                self.in_query(expr, query, env)
            }
            ExprKind::Compare { op: Comparison::Eq, left, right } => {
                self.expr(left, env)?;
                self.expr(right, env)?;
                for (left, right) in pairs(left, right) {
                    let left = self.found.atom(env.instance, left);
                    let right = self.found.atom(env.instance, right);
                    if let (Some(left), Some(right)) = (left, right) {
                        self.found.equalities.push(Equality { left, right, nest: env.nest });
                    }
                }
                Ok(())
            }
            _ => self.expr(expr, env),
        }
    }

    /// `a IN (SELECT b ...)` that must be true: only rows of the subquery with `b = a` matter.
    pub(super) fn in_query<'e>(
        &mut self,
        expr: &'a Expr,
        query: &'a Query,
        env: Env<'e, 'a>,
    ) -> Result<(), Stop> {
        let nest = self.add_nest(env.nest, NestKind::Subquery);
        let answer = self.query(query, Env { nest, ..env })?;
        let (None, Some(outputs)) = (answer.opaque, answer.outputs) else { return Ok(()) };
        let members = match &expr.kind {
            ExprKind::Row(members) => members.iter().collect(),
            _ => vec![expr],
        };
        for (member, output) in members.into_iter().zip(outputs) {
            let left = self.found.atom(env.instance, member);
            if let (Some(left), Some(right)) = (left, output.atom) {
                self.found.equalities.push(Equality { left, right, nest });
            }
        }
        Ok(())
    }

    /// Any expression: notes the names, calls, parameters and subqueries in it.
    pub(super) fn expr<'e>(&mut self, expr: &'a Expr, env: Env<'e, 'a>) -> Result<(), Stop> {
        let env = env.deeper()?;
        match &expr.kind {
            ExprKind::Column(name) => self.column(name, env),
            ExprKind::Param(index) => self.found.params.push((expr.span, *index)),
            ExprKind::UserVariable(_) => self.found.user_variables.push(expr.span),
            ExprKind::Other { what, .. } => self.found.assigns_variables |= *what == ASSIGNMENT,
            ExprKind::Function(function) => {
                let top = env.nest == 0 && env.instance == 0;
                self.found.calls.push(Call { function, span: expr.span, top });
            }
            _ => {}
        }
        for child in expr.children() {
            self.expr(child, env)?;
        }
        for query in expr.queries() {
            let nest = self.add_nest(env.nest, NestKind::Subquery);
            self.query(query, Env { nest, ..env })?;
        }
        if let ExprKind::Function(function) = &expr.kind
            && self.aggregates_outside(function, env)
        {
            self.found.unstable = Some("an aggregate of columns of an outer query");
        }
        Ok(())
    }

    /// An aggregate in a subquery that is computed over the rows of an enclosing block.
    pub(super) fn aggregates_outside(&self, function: &Function, env: Env<'_, 'a>) -> bool {
        if env.nest == 0 || function.window || !functions::is_aggregate(&function.name) {
            return false;
        }
        let mut outside = false;
        function.args.iter().for_each(|arg| {
            arg.walk(&mut |node| {
                if let ExprKind::Column(name) = &node.kind {
                    let meaning = self.found.meaning(env.instance, name);
                    outside |= meaning.is_none_or(|meaning| meaning.outer);
                }
            });
        });
        outside
    }

    pub(super) fn column<'e>(&mut self, name: &'a ColumnName, env: Env<'e, 'a>) {
        let meaning = self.resolve(name, env.scope);
        if name.table.is_some()
            && let Some(source) = self.qualified(name, env.scope)
            && let Some(found) = self.found.sources.get(source)
            && let Some(table) = found.table
        {
            let bare = found.schema.is_some();
            self.found.qualifiers.push(Qualifier { name, table, bare });
        }
        let known = self.found.columns.entry((env.instance, name.name.span));
        let known = known.or_insert_with(|| meaning.clone());
        if *known != meaning {
            // Two names at one place: neither is certain.
            *known = None;
        }
    }

    /// An expression among the sources of `scope`, outside of any SELECT.
    pub(super) fn expr_in(
        &mut self,
        expr: &'a Expr,
        scope: &Scope,
        env: Env<'_, 'a>,
    ) -> Result<(), Stop> {
        let frame = ScopeFrame { scope, outer: None };
        self.expr(expr, Env { scope: Some(&frame), ..env.owned() })
    }

    /// A condition among the sources of `scope`, outside of any SELECT.
    pub(super) fn filter_in(
        &mut self,
        expr: &'a Expr,
        scope: &Scope,
        env: Env<'_, 'a>,
    ) -> Result<(), Stop> {
        let frame = ScopeFrame { scope, outer: None };
        self.filter(expr, Env { scope: Some(&frame), ..env.owned() })
    }

    /// A column name among the sources of `scope`, outside of any SELECT.
    pub(super) fn name_in(&mut self, name: &'a ColumnName, scope: &Scope) {
        let frame = ScopeFrame { scope, outer: None };
        self.column(name, Env { scope: Some(&frame), ..Env::top() });
    }

    /// A nest beside the outermost one.
    pub(super) fn side_nest(&mut self) -> NestId {
        self.add_nest(0, NestKind::Subquery)
    }

    /// The source that a qualified name belongs to.
    pub(super) fn qualified(
        &self,
        name: &ColumnName,
        scope: Option<&ScopeFrame<'_>>,
    ) -> Option<SourceId> {
        let mut frame = scope;
        while let Some(found) = frame {
            match self.candidates(name, found.scope).as_slice() {
                [] => frame = found.outer,
                [one] => return Some(*one),
                _ => return None,
            }
        }
        None
    }

    /// Sources of a block that a column's qualifier may mean.
    pub(super) fn candidates(&self, name: &ColumnName, scope: &Scope) -> Vec<SourceId> {
        let Some(table) = &name.table else { return scope.sources.clone() };
        let matching = |same: &dyn Fn(&str, &str) -> bool| -> Vec<SourceId> {
            let fits = |id: &SourceId| {
                self.found.sources.get(*id).is_some_and(|source| {
                    let schema = name.schema.as_ref().is_none_or(|schema| {
                        source.schema.as_deref().is_some_and(|own| same(own, &schema.value))
                    });
                    schema && same(&source.name, &table.value)
                })
            };
            scope.sources.iter().copied().filter(fits).collect()
        };
        let exact = matching(&|a, b| a == b);
        if exact.is_empty() { matching(&same_name) } else { exact }
    }

    pub(super) fn resolve(
        &self,
        name: &ColumnName,
        scope: Option<&ScopeFrame<'_>>,
    ) -> Option<Resolved> {
        let mut frame = scope;
        let mut outer = false;
        while let Some(at) = frame {
            let mut hits = Vec::new();
            let mut unknown = false;
            for id in self.candidates(name, at.scope) {
                let Some(columns) = self.found.sources.get(id).and_then(|s| s.columns.as_ref())
                else {
                    unknown = true;
                    continue;
                };
                let merged = |index| name.table.is_none() && at.scope.merged.contains(&(id, index));
                for (index, column) in columns.iter().enumerate() {
                    if same_name(&column.name, &name.name.value) && !merged(index) {
                        hits.push((id, index, column));
                    }
                }
            }
            match hits.as_slice() {
                [(source, index, column)] => {
                    return Some(Resolved {
                        source: *source,
                        column: *index,
                        atom: column.atom,
                        class: column.class.clone(),
                        declared: column.declared.clone(),
                        outer,
                    });
                }
                [] if !unknown => {}
                _ => return None,
            }
            frame = at.outer;
            outer = true;
        }
        None
    }
}

/// Pairs of a comparison: of its operands, or of the members of two rows.
pub(super) fn pairs<'x>(left: &'x Expr, right: &'x Expr) -> Vec<(&'x Expr, &'x Expr)> {
    match (&left.kind, &right.kind) {
        (ExprKind::Row(left), ExprKind::Row(right)) if left.len() == right.len() => {
            left.iter().zip(right).collect()
        }
        _ => vec![(left, right)],
    }
}
