//! FROM: the sources of a query block, and the conditions of its joins.

use std::sync::Arc;

use super::facts::{Column, Columns, Stop};
use super::model::{
    Atom, Equality, NestId, NestKind, Output, Scope, Source, SourceColumn, SourceId, TableSite,
    UseId, same_name,
};
use super::names::{Answer, CteFrame, Env, Reader, ScopeFrame};
use super::planner::TemporaryColumn;
use crate::error::{Error, ErrorKind};
use crate::sql::Span;
use crate::sql::expr::{Expr, Name};
use crate::sql::query::{Join, JoinConstraint, JoinKind, TableExpr, TableName, TableRef};

/// A FROM clause as far as it was read.
#[derive(Default)]
pub(super) struct From<'a> {
    scope: Scope,
    /// ON conditions and the nests they filter.
    conditions: Vec<(&'a Expr, NestId)>,
}

impl<'a> Reader<'_, 'a> {
    /// Sources and join conditions of a FROM clause.
    pub(super) fn from<'e>(
        &mut self,
        entries: &'a [TableExpr],
        env: Env<'e, 'a>,
    ) -> Result<Scope, Stop> {
        let mut from = From::default();
        for entry in entries {
            self.table_expr(entry, &mut from, env)?;
        }
        let frame = ScopeFrame { scope: &from.scope, outer: env.scope };
        for (on, nest) in from.conditions {
            self.filter(on, Env { scope: Some(&frame), nest, ..env })?;
        }
        Ok(from.scope)
    }

    pub(super) fn table_expr<'e>(
        &mut self,
        entry: &'a TableExpr,
        from: &mut From<'a>,
        env: Env<'e, 'a>,
    ) -> Result<(), Stop> {
        let scope = &mut from.scope;
        match entry {
            TableExpr::Table(table) => self.table_ref(table, scope, env),
            TableExpr::Derived { query, alias, columns, lateral, span } => {
                let frame = ScopeFrame { scope: &scope.clone(), outer: env.scope };
                let visible = if *lateral { Some(&frame) } else { env.scope };
                let nest = self.add_nest(env.nest, NestKind::Derived("derived table"));
                let answer = self.query(query, Env { scope: visible, nest, ..env })?;
                self.close(nest, &answer);
                self.derived((alias.as_ref(), *span), columns, answer, scope);
                Ok(())
            }
            TableExpr::Join(join) => self.join(join, from, env),
            TableExpr::Function { args, alias, span, .. } => {
                let frame = ScopeFrame { scope: &scope.clone(), outer: env.scope };
                let inner = Env { scope: Some(&frame), ..env };
                args.iter().try_for_each(|arg| self.expr(arg, inner))?;
                let name = alias.as_ref().map_or(String::new(), |alias| alias.value.clone());
                self.add_source(Source::opaque(name, *span), scope);
                Ok(())
            }
        }
    }

    /// Conditions pass through a derived table that only filters and projects.
    pub(super) fn close(&mut self, nest: NestId, answer: &Answer) {
        if let Some(found) = self.found.nests.get_mut(nest) {
            found.transparent = answer.opaque.is_none();
            found.kind = NestKind::Derived(answer.opaque.unwrap_or("derived table"));
        }
    }

    pub(super) fn join<'e>(
        &mut self,
        join: &'a Join,
        from: &mut From<'a>,
        env: Env<'e, 'a>,
    ) -> Result<(), Stop> {
        let (left_nest, right_nest) = match join.kind {
            JoinKind::Inner => (env.nest, env.nest),
            JoinKind::Left => (env.nest, self.add_nest(env.nest, NestKind::OuterJoin)),
            JoinKind::Right => (self.add_nest(env.nest, NestKind::OuterJoin), env.nest),
        };
        let start = from.scope.sources.len();
        self.table_expr(&join.left, from, Env { nest: left_nest, ..env })?;
        let middle = from.scope.sources.len();
        self.table_expr(&join.right, from, Env { nest: right_nest, ..env })?;
        let owner = if join.kind == JoinKind::Right { left_nest } else { right_nest };
        let names: Vec<String> = match &join.constraint {
            JoinConstraint::None => return Ok(()),
            JoinConstraint::On(on) => {
                from.conditions.push((on, owner));
                return Ok(());
            }
            JoinConstraint::Using(names) => names.iter().map(|name| name.value.clone()).collect(),
            JoinConstraint::Natural => self.common(&from.scope, start, middle),
        };
        let scope = &mut from.scope;
        for name in names {
            let left = self.named_in(scope, start..middle, &name);
            let right = self.named_in(scope, middle..scope.sources.len(), &name);
            let (Some(left), Some(right)) = (left, right) else { continue };
            let atom = |(source, column): (SourceId, usize)| {
                self.found.sources.get(source)?.columns.as_ref()?.get(column)?.atom
            };
            if let (Some(left), Some(right)) = (atom(left), atom(right)) {
                self.found.equalities.push(Equality { left, right, nest: owner });
            }
            scope.merged.push(if join.kind == JoinKind::Right { left } else { right });
        }
        Ok(())
    }

    /// Names of columns that stand on both sides of a NATURAL join.
    pub(super) fn common(&self, scope: &Scope, start: usize, middle: usize) -> Vec<String> {
        let names = |range: std::ops::Range<usize>| -> Vec<String> {
            let sources = scope.sources.get(range).unwrap_or_default();
            let columns = |source: &SourceId| -> Vec<String> {
                let Some(found) = self.found.sources.get(*source) else { return Vec::new() };
                let columns = found.columns.iter().flatten().enumerate();
                let merged = |index: usize| scope.merged.contains(&(*source, index));
                let free = columns.filter(|(index, column)| column.visible && !merged(*index));
                free.map(|(_, column)| column.name.clone()).collect()
            };
            sources.iter().flat_map(columns).collect()
        };
        let right = names(middle..scope.sources.len());
        let both = |name: &String| right.iter().any(|other| same_name(other, name));
        names(start..middle).into_iter().filter(both).collect()
    }

    /// The one column of this name among some sources of a scope.
    pub(super) fn named_in(
        &self,
        scope: &Scope,
        range: std::ops::Range<usize>,
        name: &str,
    ) -> Option<(SourceId, usize)> {
        let sources = scope.sources.get(range)?;
        let mut found = None;
        for &source in sources {
            for (index, column) in
                self.found.sources.get(source)?.columns.iter().flatten().enumerate()
            {
                if same_name(&column.name, name) && !scope.merged.contains(&(source, index)) {
                    if found.is_some() {
                        return None;
                    }
                    found = Some((source, index));
                }
            }
        }
        found
    }

    pub(super) fn table_ref<'e>(
        &mut self,
        entry: &'a TableRef,
        scope: &mut Scope,
        env: Env<'e, 'a>,
    ) -> Result<(), Stop> {
        let name = &entry.table.name.value;
        if entry.table.schema.is_none() {
            if let Some(found) = find_cte(env.ctes, &|cte| cte == name) {
                return self.cte_ref(found, entry, scope, env);
            }
            if find_cte(env.ctes, &|cte| same_name(cte, name)).is_some() {
                // Whether this means the CTE depends on the servers' lower_case_table_names.
                let message = format!(
                    "the table name `{name}` differs from a name in WITH only by its case; \
                     write both alike"
                );
                return Err(Error::unsupported(message).into());
            }
        }
        self.table(&entry.table, entry.alias.as_ref(), Some(entry.alias_at), scope, env)
    }

    /// A table of the catalog as a source. `alias_at`: where an alias may be put.
    pub(super) fn table<'e>(
        &mut self,
        name: &'a TableName,
        alias: Option<&Name>,
        alias_at: Option<u32>,
        scope: &mut Scope,
        env: Env<'e, 'a>,
    ) -> Result<(), Stop> {
        let exposed = alias.unwrap_or(&name.name).value.clone();
        if name.schema.is_none() && self.temporary((&name.name.value, name.span), &exposed, scope) {
            return Ok(());
        }
        let Some(id) = self.add_use(name, env.nest)? else {
            let schema = name.schema.as_ref().map(|schema| schema.value.clone());
            let source = Source { schema, ..Source::opaque(exposed, name.span) };
            self.add_source(source, scope);
            return Ok(());
        };
        let Some(found) = self.found.uses.get(id) else { return Ok(()) };
        let columns = found.columns.as_ref().map(|columns| source_columns(id, columns));
        let table = Arc::clone(&found.table);
        let schema = alias.is_none().then(|| table.schema.clone());
        let opaque = Source::opaque(exposed.clone(), name.span);
        let source = Source { schema, columns, table: Some(id), ..opaque };
        self.check_unique(&exposed, id, scope)?;
        self.add_source(source, scope);
        let alias = if alias.is_none() { alias_at.map(|at| (at, exposed)) } else { None };
        self.found.tables.push(TableSite { span: name.span, table, alias });
        Ok(())
    }

    /// Shards may have the tables in different databases, and would take one name for both.
    fn check_unique(&self, exposed: &str, id: UseId, scope: &Scope) -> Result<(), Stop> {
        let schema = |id: UseId| self.found.uses.get(id).map(|used| used.id.schema.as_str());
        let same = |other: &SourceId| {
            let other = self.found.sources.get(*other);
            other.is_some_and(|other| {
                other.name == exposed
                    && other.table.is_some_and(|other| schema(other) == schema(id))
            })
        };
        if scope.sources.iter().any(same) {
            let message = format!("Not unique table/alias: '{exposed}'");
            return Err(Error::new(ErrorKind::NotUniqueTable, message).into());
        }
        Ok(())
    }

    /// A temporary table of Margay's as a source, if it is one.
    fn temporary(&mut self, (name, span): (&str, Span), exposed: &str, scope: &mut Scope) -> bool {
        let temporaries = self.context.temporaries;
        let Some(found) = temporaries.iter().find(|temporary| temporary.name == name) else {
            return false;
        };
        let column = |column: &TemporaryColumn| SourceColumn {
            name: column.name.clone(),
            atom: None,
            class: column.class.clone(),
            declared: column.declared.clone(),
            visible: true,
        };
        let columns = found.columns.as_ref();
        let columns = columns.map(|columns| columns.iter().map(column).collect());
        let opaque = Source::opaque(exposed.to_owned(), span);
        let source = Source { columns, temporary: Some(name.to_owned()), ..opaque };
        self.add_source(source, scope);
        self.found.temporaries.push(name.to_owned());
        true
    }

    pub(super) fn add_source(&mut self, source: Source, scope: &mut Scope) {
        scope.sources.push(self.found.sources.len());
        self.found.sources.push(source);
    }

    pub(super) fn derived(
        &mut self,
        (alias, span): (Option<&Name>, Span),
        columns: &[Name],
        answer: Answer,
        scope: &mut Scope,
    ) {
        let outputs = answer.outputs.map(|outputs| {
            let renamed = |(index, output): (usize, Output)| SourceColumn {
                name: columns.get(index).map_or(output.name, |name| name.value.clone()),
                atom: if answer.opaque.is_none() { output.atom } else { None },
                class: output.class,
                declared: output.declared,
                visible: true,
            };
            outputs.into_iter().enumerate().map(renamed).collect()
        });
        let name = alias.map_or(String::new(), |alias| alias.value.clone());
        self.add_source(Source { columns: outputs, ..Source::opaque(name, span) }, scope);
    }

    pub(super) fn cte_ref<'e>(
        &mut self,
        (frame, index): (&'e CteFrame<'e, 'a>, Option<usize>),
        entry: &'a TableRef,
        scope: &mut Scope,
        env: Env<'e, 'a>,
    ) -> Result<(), Stop> {
        let alias = entry.exposed_name();
        let Some(index) = index else {
            // A recursive CTE inside itself: nothing is known of its rows.
            let name = alias.value.clone();
            self.add_source(Source::opaque(name, entry.table.span), scope);
            return Ok(());
        };
        let nest = self.add_nest(env.nest, NestKind::Derived("WITH"));
        let answer = self.cte(frame, index, Env { nest, ..env })?;
        self.close(nest, &answer);
        let columns = frame.ctes.get(index).map_or(&[][..], |cte| cte.columns.as_slice());
        self.derived((Some(alias), entry.table.span), columns, answer, scope);
        Ok(())
    }

    /// Reads the query of a CTE as if it stood where it is referred to.
    pub(super) fn cte<'e>(
        &mut self,
        frame: &'e CteFrame<'e, 'a>,
        index: usize,
        env: Env<'e, 'a>,
    ) -> Result<Answer, Stop> {
        let Some(cte) = frame.ctes.get(index) else {
            return Ok(Answer { outputs: None, opaque: Some("WITH") });
        };
        if let Some(used) = frame.used.get(index) {
            used.set(true);
        }
        self.instances += 1;
        let inner = CteFrame {
            ctes: frame.ctes,
            used: frame.used,
            visible: index,
            itself: cte.recursive.then_some(cte.name.value.as_str()),
            outer: frame.outer,
            scope: frame.scope,
        };
        let env = Env {
            ctes: Some(&inner),
            scope: frame.scope,
            nest: env.nest,
            instance: self.instances,
            depth: env.depth,
        };
        self.query(&cte.query, env)
    }
}

fn source_columns(table: UseId, columns: &Columns) -> Vec<SourceColumn> {
    let column = |(index, column): (usize, &Column)| SourceColumn {
        name: column.name.clone(),
        atom: Some(Atom { table, column: index }),
        class: Some(column.class.clone()),
        declared: Some(column.declared.as_str().into()).filter(|text: &Arc<str>| !text.is_empty()),
        visible: !column.invisible,
    };
    columns.columns.iter().enumerate().map(column).collect()
}

/// The nearest CTE of this name; an index of None is a recursive CTE inside itself.
fn find_cte<'e, 'a>(
    mut frame: Option<&'e CteFrame<'e, 'a>>,
    same: &dyn Fn(&str) -> bool,
) -> Option<(&'e CteFrame<'e, 'a>, Option<usize>)> {
    while let Some(found) = frame {
        if found.itself.is_some_and(same) {
            return Some((found, None));
        }
        let visible = found.ctes.get(..found.visible).unwrap_or_default();
        if let Some(index) = visible.iter().position(|cte| same(&cte.name.value)) {
            return Some((found, Some(index)));
        }
        frame = found.outer;
    }
    None
}
