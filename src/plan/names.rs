//! Finds what a statement refers to: tables, columns, and the conditions between them.
//!
//! A name whose meaning is not certain is noted as such and proves nothing. The servers themselves
//! report names that do not exist.

use std::cell::Cell;
use std::sync::Arc;

use super::facts::{Columns, Need, Stop, TableId};
use super::model::{Analysis, Nest, NestId, NestKind, Output, Scope, UseId};
use super::planner::Context;
use crate::catalog::Table;
use crate::error::{Error, ErrorKind};
use crate::sql::query::{Body, Cte, Query, Select, TableName};

/// More uses of tables than this come only of CTEs that multiply each other.
const USES_MAX: usize = 500;
/// Subqueries and CTEs inside each other.
const DEPTH_MAX: usize = 60;
/// Schemas that every server has for itself.
const SYSTEM_SCHEMAS: [&str; 4] = ["information_schema", "performance_schema", "mysql", "sys"];

/// What is visible where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Env<'e, 'a> {
    pub(super) ctes: Option<&'e CteFrame<'e, 'a>>,
    pub(super) scope: Option<&'e ScopeFrame<'e>>,
    pub(super) nest: NestId,
    /// Which reference to a CTE this is inside of; 0: none.
    pub(super) instance: u32,
    pub(super) depth: usize,
}

pub(super) struct CteFrame<'e, 'a> {
    pub(super) ctes: &'a [Cte],
    pub(super) used: &'e [Cell<bool>],
    /// How many of them are visible.
    pub(super) visible: usize,
    /// The CTE that is being defined, if it may refer to itself.
    pub(super) itself: Option<&'a str>,
    pub(super) outer: Option<&'e CteFrame<'e, 'a>>,
    pub(super) scope: Option<&'e ScopeFrame<'e>>,
}

pub(super) struct ScopeFrame<'e> {
    pub(super) scope: &'e Scope,
    pub(super) outer: Option<&'e ScopeFrame<'e>>,
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
    pub(super) fn owned<'n>(self) -> Env<'n, 'a> {
        let Self { nest, instance, depth, .. } = self;
        Env { ctes: None, scope: None, nest, instance, depth }
    }

    pub(super) fn deeper(self) -> Result<Self, Stop> {
        if self.depth >= DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} subqueries inside each other");
            return Err(Error::unsupported(message).into());
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

/// Reads a statement into an [`Analysis`].
pub(super) struct Reader<'c, 'a> {
    pub(super) context: &'c Context<'c>,
    pub(super) text: &'a [u8],
    pub(super) found: Analysis<'a>,
    pub(super) instances: u32,
    pub(super) missing: Vec<TableId>,
    /// Names of columns are looked up only if something depends on it.
    pub(super) with_columns: bool,
}

/// The answer of a query and whether conditions pass through it.
pub(super) struct Answer {
    pub outputs: Option<Vec<Output>>,
    /// None: it is transparent.
    pub opaque: Option<&'static str>,
}

impl<'c, 'a> Reader<'c, 'a> {
    pub(super) fn new(context: &'c Context<'c>, text: &'a [u8], with_columns: bool) -> Self {
        let mut found = Analysis { text, ..Analysis::default() };
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
        self.found.unaliased.sort_unstable();
        self.found.unaliased.dedup();
        self.found.tables.sort_by_key(|site| site.span);
        self.found.tables.dedup_by_key(|site| site.span);
        self.found.anywhere = self.context.anywhere && self.found.may_run_anywhere(self.context);
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
            check_system(name)?;
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
        let span = name.span;
        self.found.uses.push(super::model::Use { id, table, columns, nest, span });
        Ok(Some(self.found.uses.len() - 1))
    }

    pub(super) fn columns(&mut self, id: &TableId) -> Result<Option<Arc<Columns>>, Stop> {
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
    pub(super) fn unstable(&mut self, what: &'static str, nest: NestId) {
        let kind = self.found.nests.get(nest).map(|nest| nest.kind);
        if let Some(NestKind::Derived(_) | NestKind::SetOperation) = kind {
            self.found.unstable = Some(what);
        }
    }

    pub(super) fn add_nest(&mut self, parent: NestId, kind: NestKind) -> NestId {
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
            self.unstable("LIMIT in a derived table", env.nest);
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
    pub(super) fn unused<'e>(
        &mut self,
        frame: &'e CteFrame<'e, 'a>,
        env: Env<'e, 'a>,
    ) -> Result<(), Stop> {
        for (index, used) in frame.used.iter().enumerate().rev() {
            if !used.get() {
                let nest = self.add_nest(env.nest, NestKind::Derived("WITH"));
                self.cte(frame, index, Env { nest, ..env })?;
            }
        }
        Ok(())
    }

    pub(super) fn body<'e>(&mut self, query: &'a Query, env: Env<'e, 'a>) -> Result<Answer, Stop> {
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
    pub(super) fn tail<'e>(&mut self, query: &'a Query, env: Env<'e, 'a>) -> Result<(), Stop> {
        query.order_by.iter().try_for_each(|item| self.expr(&item.expr, env))
    }

    pub(super) fn select<'e>(
        &mut self,
        select: &'a Select,
        query: &'a Query,
        env: Env<'e, 'a>,
    ) -> Result<Answer, Stop> {
        if select.has_windows {
            self.unstable("a window function in a derived table", env.nest);
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
        let (span, instance) = (select.span, env.instance);
        self.found.blocks.push(super::model::Block { span, instance, scope });
        Ok(answer)
    }
}

/// An output of which only the name is known.
fn nameless(output: Output) -> Output {
    Output { atom: None, class: None, declared: None, ..output }
}

/// Tables of information_schema that say the same on every shard, or of one server as @@variables do.
/// The others tell of physical tables.
const SAME_EVERYWHERE: [&str; 16] = [
    "CHARACTER_SETS",
    "COLLATIONS",
    "COLLATION_CHARACTER_SET_APPLICABILITY",
    "ENGINES",
    "GLOBAL_STATUS",
    "GLOBAL_VARIABLES",
    "KEYWORDS",
    "PLUGINS",
    "RESOURCE_GROUPS",
    "SESSION_STATUS",
    "SESSION_VARIABLES",
    "SPATIAL_REF_SYS",
    "SQL_FUNCTIONS",
    "ST_SPATIAL_REFERENCE_SYSTEMS",
    "ST_UNITS_OF_MEASURE",
    "SYSTEM_VARIABLES",
];

fn check_system(name: &TableName) -> Result<(), Stop> {
    let table = &name.name.value;
    if SAME_EVERYWHERE.iter().any(|same| same.eq_ignore_ascii_case(table)) {
        if name.schema.is_some() {
            return Ok(());
        }
        // The text runs in the database of a shard, where the bare name is another table.
        return Err(Error::unsupported(format!(
            "tables of information_schema need its name in front; write information_schema.{table}"
        ))
        .into());
    }
    Err(Error::unsupported(format!(
        "information_schema.{table} is not supported here, since it tells of one server's own things; \
         Margay makes the rows of tables about schemas, tables and routines for a SELECT of their own, and \
         has none of the others: ask a server"
    ))
    .into())
}
