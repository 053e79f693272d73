//! Finds what a statement refers to: tables, columns, and the conditions between them.
//!
//! A name whose meaning is not certain is noted as such and proves nothing. The servers themselves
//! report names that do not exist.

use std::cell::Cell;
use std::sync::Arc;

use super::facts::{Columns, Need, Stop, TableId};
use super::functions;
use super::model::{
    Analysis, Atom, Call, Equality, Filter, Nest, NestId, NestKind, Output, Qualifier, Resolved,
    Scope, Source, SourceColumn, SourceId, TableSite, UseId, same_name,
};
use super::planner::Context;
use super::splice::quoted;
use crate::catalog::Table;
use crate::error::{Error, ErrorKind};
use crate::sql::expr::{ColumnName, Comparison, Expr, ExprKind, Literal, Name};
use crate::sql::query::{
    Body, Cte, Join, JoinConstraint, JoinKind, OrderItem, Query, Select, SelectItem,
    SelectItemKind, TableExpr, TableName, TableRef,
};

/// More uses of tables than this come only of CTEs that multiply each other.
const USES_MAX: usize = 500;
/// Subqueries and CTEs inside each other.
const DEPTH_MAX: usize = 60;
/// Schemas that every server has for itself.
const SYSTEM_SCHEMAS: [&str; 4] = ["information_schema", "performance_schema", "mysql", "sys"];

/// What is visible where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Env<'e, 'a> {
    ctes: Option<&'e CteFrame<'e, 'a>>,
    scope: Option<&'e ScopeFrame<'e>>,
    pub(super) nest: NestId,
    /// Which reference to a CTE this is inside of; 0: none.
    pub(super) instance: u32,
    depth: usize,
}

struct CteFrame<'e, 'a> {
    ctes: &'a [Cte],
    used: &'e [Cell<bool>],
    /// How many of them are visible.
    visible: usize,
    /// The CTE that is being defined, if it may refer to itself.
    itself: Option<&'a str>,
    outer: Option<&'e CteFrame<'e, 'a>>,
    scope: Option<&'e ScopeFrame<'e>>,
}

struct ScopeFrame<'e> {
    scope: &'e Scope,
    outer: Option<&'e ScopeFrame<'e>>,
}

impl<'e, 'a> Env<'e, 'a> {
    pub(super) fn top() -> Self {
        Self { ctes: None, scope: None, nest: 0, instance: 0, depth: 0 }
    }

    /// Outside of the rows of the outermost block.
    pub(super) fn at(nest: NestId) -> Self {
        Self { nest, ..Self::top() }
    }

    /// Without what it borrows.
    fn owned<'n>(self) -> Env<'n, 'a> {
        let Self { nest, instance, depth, .. } = self;
        Env { ctes: None, scope: None, nest, instance, depth }
    }

    fn deeper(self) -> Result<Self, Stop> {
        if self.depth >= DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} subqueries inside each other");
            return Err(Error::unsupported(message).into());
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

/// Reads a statement into an [`Analysis`].
pub(super) struct Reader<'c, 'a> {
    context: &'c Context<'c>,
    text: &'a [u8],
    pub(super) found: Analysis<'a>,
    instances: u32,
    missing: Vec<TableId>,
    /// Names of columns are looked up only if something depends on it.
    with_columns: bool,
}

/// A FROM clause as far as it was read.
#[derive(Default)]
struct From<'a> {
    scope: Scope,
    /// ON conditions and the nests they filter.
    conditions: Vec<(&'a Expr, NestId)>,
}

/// The answer of a query and whether conditions pass through it.
pub(super) struct Answer {
    pub outputs: Option<Vec<Output>>,
    /// None: it is transparent.
    pub opaque: Option<&'static str>,
}

impl<'c, 'a> Reader<'c, 'a> {
    pub(super) fn new(context: &'c Context<'c>, text: &'a [u8], with_columns: bool) -> Self {
        let mut found = Analysis::default();
        found.nests.push(Nest { parent: None, transparent: false, kind: NestKind::Top });
        Self { context, text, found, instances: 0, missing: Vec::new(), with_columns }
    }

    /// The analysis, unless columns of tables are missing.
    pub(super) fn finish(mut self) -> Result<Analysis<'a>, Stop> {
        if !self.missing.is_empty() {
            self.missing.sort();
            self.missing.dedup();
            return Err(Stop::Need(Need::Columns(self.missing)));
        }
        self.found.params.sort_unstable_by_key(|(span, _)| *span);
        self.found.params.dedup();
        self.found.tables.sort_by_key(|site| site.span);
        self.found.tables.dedup_by_key(|site| site.span);
        Ok(self.found)
    }

    /// A table of the catalog by its name; None for a table of a system schema.
    pub(super) fn look_up(&self, name: &TableName) -> Result<Option<Arc<Table>>, Stop> {
        let schema = match &name.schema {
            Some(schema) => schema.value.as_str(),
            None => self
                .context
                .schema
                .ok_or_else(|| Error::new(ErrorKind::NoDatabase, "No database selected"))?,
        };
        if SYSTEM_SCHEMAS.iter().any(|system| system.eq_ignore_ascii_case(schema)) {
            return Ok(None);
        }
        let Some(found) = self.context.catalog.schema(schema) else {
            let message = format!("Unknown database '{schema}'");
            return Err(Error::new(ErrorKind::UnknownDatabase, message).into());
        };
        Ok(Some(found.table(&name.name.value)))
    }

    /// Notes a use of a table in `nest`; None for a table of a system schema.
    pub(super) fn add_use(
        &mut self,
        name: &TableName,
        nest: NestId,
    ) -> Result<Option<UseId>, Stop> {
        let Some(table) = self.look_up(name)? else {
            self.found.system = true;
            return Ok(None);
        };
        if self.found.uses.len() >= USES_MAX {
            let message = format!("more than {USES_MAX} tables in one statement");
            return Err(Error::unsupported(message).into());
        }
        let id = TableId { schema: table.schema.clone(), table: table.name.clone() };
        let columns = self.columns(&id)?;
        self.found.uses.push(super::model::Use { id, table, columns, nest });
        Ok(Some(self.found.uses.len() - 1))
    }

    fn columns(&mut self, id: &TableId) -> Result<Option<Arc<Columns>>, Stop> {
        if !self.with_columns {
            return Ok(None);
        }
        match self.context.facts.columns.get(id) {
            Some(Some(columns)) => Ok(Some(Arc::clone(columns))),
            Some(None) => {
                let message = format!("Table '{}.{}' doesn't exist", id.schema, id.table);
                Err(Error::new(ErrorKind::UnknownTable, message).into())
            }
            None => {
                self.missing.push(id.clone());
                Ok(None)
            }
        }
    }

    /// Notes what may pick other rows on each shard, unless it stands in the outermost block or in a
    /// subquery of an expression, which is computed for one row on one shard.
    fn unstable(&mut self, what: &'static str, nest: NestId) {
        let kind = self.found.nests.get(nest).map(|nest| nest.kind);
        if let Some(NestKind::Derived(_) | NestKind::SetOperation) = kind {
            self.found.unstable = Some(what);
        }
    }

    fn add_nest(&mut self, parent: NestId, kind: NestKind) -> NestId {
        self.found.nests.push(Nest { parent: Some(parent), transparent: false, kind });
        self.found.nests.len() - 1
    }

    // ---- Query blocks.

    /// Reads a query whose rows belong to `env.nest`.
    pub(super) fn query<'e>(&mut self, query: &'a Query, env: Env<'e, 'a>) -> Result<Answer, Stop> {
        let env = env.deeper()?;
        let used = vec![Cell::new(false); query.with.len()];
        let frame = CteFrame {
            ctes: &query.with,
            used: &used,
            visible: query.with.len(),
            itself: None,
            outer: env.ctes,
            scope: env.scope,
        };
        let inner = Env { ctes: Some(&frame), ..env };
        self.found.locking |= query.locking.is_some();
        if query.limit.is_some() {
            self.unstable("LIMIT", env.nest);
        }
        let mut answer = self.body(query, inner)?;
        self.unused(&frame, inner)?;
        let tail = if query.limit.is_some() {
            Some("LIMIT")
        } else if query.into.is_some() {
            Some("INTO")
        } else {
            None
        };
        answer.opaque = answer.opaque.or(tail);
        if let Some(limit) = &query.limit {
            for expr in [Some(&limit.rows), limit.offset.as_ref()].into_iter().flatten() {
                self.expr(expr, inner)?;
            }
        }
        Ok(answer)
    }

    /// Reads the CTEs that nothing refers to, so that the tables in them are known.
    fn unused<'e>(&mut self, frame: &'e CteFrame<'e, 'a>, env: Env<'e, 'a>) -> Result<(), Stop> {
        for (index, used) in frame.used.iter().enumerate().rev() {
            if !used.get() {
                let nest = self.add_nest(env.nest, NestKind::Derived("WITH"));
                self.cte(frame, index, Env { nest, ..env })?;
            }
        }
        Ok(())
    }

    fn body<'e>(&mut self, query: &'a Query, env: Env<'e, 'a>) -> Result<Answer, Stop> {
        match &query.body {
            Body::Select(select) => self.select(select, query, env),
            Body::SetOperation { left, right, .. } => {
                let first = self.add_nest(env.nest, NestKind::SetOperation);
                let answer = self.query(left, Env { nest: first, ..env })?;
                let second = self.add_nest(env.nest, NestKind::SetOperation);
                self.query(right, Env { nest: second, ..env })?;
                let outputs =
                    answer.outputs.map(|outputs| outputs.into_iter().map(nameless).collect());
                self.tail(query, env)?;
                Ok(Answer { outputs, opaque: Some("UNION") })
            }
            Body::Values(rows) => {
                for expr in rows.iter().flatten() {
                    self.expr(expr, env)?;
                }
                Ok(Answer { outputs: None, opaque: Some("VALUES") })
            }
            Body::Table(name) => {
                let mut scope = Scope::default();
                self.table(name, None, None, &mut scope, env)?;
                let outputs = self.star(&scope, None);
                if env.nest == 0 {
                    self.found.scope = scope;
                    self.found.outputs.clone_from(&outputs);
                }
                Ok(Answer { outputs, opaque: None })
            }
            Body::Nested(inner) => {
                let answer = self.query(inner, env)?;
                self.tail(query, env)?;
                Ok(answer)
            }
        }
    }

    /// ORDER BY of something that is not a plain SELECT: its names are of the answer.
    fn tail<'e>(&mut self, query: &'a Query, env: Env<'e, 'a>) -> Result<(), Stop> {
        query.order_by.iter().try_for_each(|item| self.expr(&item.expr, env))
    }

    fn select<'e>(
        &mut self,
        select: &'a Select,
        query: &'a Query,
        env: Env<'e, 'a>,
    ) -> Result<Answer, Stop> {
        if select.has_windows {
            self.unstable("a window function", env.nest);
        }
        let scope = self.from(&select.from, env)?;
        let frame = ScopeFrame { scope: &scope, outer: env.scope };
        let inner = Env { scope: Some(&frame), ..env };
        if let Some(filter) = &select.filter {
            self.filter(filter, inner)?;
        }
        let grouped = select.group_by.iter().map(|item| &item.expr);
        let rest = grouped.chain(&select.having).chain(&select.windows);
        for expr in rest.chain(query.order_by.iter().map(|item| &item.expr)) {
            self.expr(expr, inner)?;
        }
        let outputs = self.outputs(select, &scope, inner)?;
        if env.nest == 0 && env.instance == 0 {
            self.found.scope = scope.clone();
            self.found.outputs.clone_from(&outputs);
        }
        let answer = self.judge(select, outputs, inner);
        Ok(answer)
    }

    // ---- FROM.

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

    fn table_expr<'e>(
        &mut self,
        entry: &'a TableExpr,
        from: &mut From<'a>,
        env: Env<'e, 'a>,
    ) -> Result<(), Stop> {
        let scope = &mut from.scope;
        match entry {
            TableExpr::Table(table) => self.table_ref(table, scope, env),
            TableExpr::Derived { query, alias, columns, lateral, .. } => {
                let frame = ScopeFrame { scope: &scope.clone(), outer: env.scope };
                let visible = if *lateral { Some(&frame) } else { env.scope };
                let nest = self.add_nest(env.nest, NestKind::Derived("derived table"));
                let answer = self.query(query, Env { scope: visible, nest, ..env })?;
                self.close(nest, &answer);
                self.derived(alias.as_ref(), columns, answer, scope);
                Ok(())
            }
            TableExpr::Join(join) => self.join(join, from, env),
            TableExpr::Function { args, alias, .. } => {
                let frame = ScopeFrame { scope: &scope.clone(), outer: env.scope };
                let inner = Env { scope: Some(&frame), ..env };
                args.iter().try_for_each(|arg| self.expr(arg, inner))?;
                let name = alias.as_ref().map_or(String::new(), |alias| alias.value.clone());
                self.add_source(Source { name, schema: None, columns: None, table: None }, scope);
                Ok(())
            }
        }
    }

    /// Conditions pass through a derived table that only filters and projects.
    fn close(&mut self, nest: NestId, answer: &Answer) {
        if let Some(found) = self.found.nests.get_mut(nest) {
            found.transparent = answer.opaque.is_none();
            found.kind = NestKind::Derived(answer.opaque.unwrap_or("derived table"));
        }
    }

    fn join<'e>(
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
    fn common(&self, scope: &Scope, start: usize, middle: usize) -> Vec<String> {
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
    fn named_in(
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

    fn table_ref<'e>(
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
        let Some(id) = self.add_use(name, env.nest)? else {
            let schema = name.schema.as_ref().map(|schema| schema.value.clone());
            let source = Source { name: exposed, schema, columns: None, table: None };
            self.add_source(source, scope);
            return Ok(());
        };
        let Some(found) = self.found.uses.get(id) else { return Ok(()) };
        let columns = found.columns.as_ref().map(|columns| source_columns(id, columns));
        let table = Arc::clone(&found.table);
        let schema = alias.is_none().then(|| table.schema.clone());
        let source = Source { name: exposed.clone(), schema, columns, table: Some(id) };
        self.add_source(source, scope);
        let alias = if alias.is_none() { alias_at.map(|at| (at, exposed)) } else { None };
        self.found.tables.push(TableSite { span: name.span, table, alias });
        Ok(())
    }

    fn add_source(&mut self, source: Source, scope: &mut Scope) {
        scope.sources.push(self.found.sources.len());
        self.found.sources.push(source);
    }

    fn derived(
        &mut self,
        alias: Option<&Name>,
        columns: &[Name],
        answer: Answer,
        scope: &mut Scope,
    ) {
        let outputs = answer.outputs.map(|outputs| {
            let renamed = |(index, output): (usize, Output)| SourceColumn {
                name: columns.get(index).map_or(output.name, |name| name.value.clone()),
                atom: if answer.opaque.is_none() { output.atom } else { None },
                class: output.class,
                visible: true,
            };
            outputs.into_iter().enumerate().map(renamed).collect()
        });
        let name = alias.map_or(String::new(), |alias| alias.value.clone());
        self.add_source(Source { name, schema: None, columns: outputs, table: None }, scope);
    }

    fn cte_ref<'e>(
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
            self.add_source(Source { name, schema: None, columns: None, table: None }, scope);
            return Ok(());
        };
        let nest = self.add_nest(env.nest, NestKind::Derived("WITH"));
        let answer = self.cte(frame, index, Env { nest, ..env })?;
        self.close(nest, &answer);
        let columns = frame.ctes.get(index).map_or(&[][..], |cte| cte.columns.as_slice());
        self.derived(Some(alias), columns, answer, scope);
        Ok(())
    }

    /// Reads the query of a CTE as if it stood where it is referred to.
    fn cte<'e>(
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

    // ---- Expressions.

    /// A condition: row combinations of `env.nest` for which it is not true are discarded.
    fn filter<'e>(&mut self, expr: &'a Expr, env: Env<'e, 'a>) -> Result<(), Stop> {
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
    fn in_query<'e>(
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
            ExprKind::Other { what, .. } => self.found.assigns_variables |= *what == ":=",
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
        Ok(())
    }

    fn column<'e>(&mut self, name: &'a ColumnName, env: Env<'e, 'a>) {
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
    fn qualified(&self, name: &ColumnName, scope: Option<&ScopeFrame<'_>>) -> Option<SourceId> {
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
    fn candidates(&self, name: &ColumnName, scope: &Scope) -> Vec<SourceId> {
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

    fn resolve(&self, name: &ColumnName, scope: Option<&ScopeFrame<'_>>) -> Option<Resolved> {
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

    // ---- What a block answers.

    fn outputs<'e>(
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

    fn output(&self, expr: &Expr, alias: Option<&Name>, instance: u32) -> Output {
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
        }
    }

    /// The columns of `*`, or of `t.*`; their order is only right if nothing was merged by USING.
    fn star(&self, scope: &Scope, only: Option<SourceId>) -> Option<Vec<Output>> {
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
            }));
        }
        Some(outputs)
    }

    /// Whether conditions on the answer of a SELECT pass through it, and which columns carry them.
    fn judge<'e>(
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

/// Pairs of a comparison: of its operands, or of the members of two rows.
pub(super) fn pairs<'x>(left: &'x Expr, right: &'x Expr) -> Vec<(&'x Expr, &'x Expr)> {
    match (&left.kind, &right.kind) {
        (ExprKind::Row(left), ExprKind::Row(right)) if left.len() == right.len() => {
            left.iter().zip(right).collect()
        }
        _ => vec![(left, right)],
    }
}

fn source_columns(table: UseId, columns: &Columns) -> Vec<SourceColumn> {
    let column = |(index, column): (usize, &super::facts::Column)| SourceColumn {
        name: column.name.clone(),
        atom: Some(Atom { table, column: index }),
        class: Some(column.class.clone()),
        visible: !column.invisible,
    };
    columns.columns.iter().enumerate().map(column).collect()
}

/// An output of which only the name is known.
fn nameless(output: Output) -> Output {
    Output { atom: None, class: None, ..output }
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
