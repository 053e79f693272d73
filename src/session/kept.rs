//! Statements whose shape has run before.
//!
//! A statement of data has a [shape](crate::sql::shape). When a shape comes for the second time, its
//! plan is kept, and from then on its statements are neither parsed nor planned. A plan is kept only of
//! a statement that goes to the planner as it is: one without views of Margay's, functions of the
//! session, variables that it assigns, or tables of information_schema.

use super::authorize::Right;
use super::insert_id::Given;
use super::prepared::literal;
use super::substitute::substitute;
use super::{Session, expand, locks, run};
use crate::error::Result;
use crate::execute::Reply;
use crate::execute::plans::{Kept, Look, TEXT_MAX};
use crate::execute::run::Call;
use crate::plan::facts::{Facts, Stop};
use crate::plan::known::{Hidden, Known};
use crate::plan::planner::Context;
use crate::plan::types::Plan;
use crate::plan::views::{self, Expansion, Scope, Views};
use crate::sql::expr::ExprKind;
use crate::sql::query::Body;
use crate::sql::scanner::Scan;
use crate::sql::shape::{Shape, Slot};
use crate::sql::statement::{Statement, StatementKind};
use crate::sql::walk::{self, Node};

impl Session {
    /// The shape of a statement. None: its plan is not kept.
    pub(super) fn shape(&self, text: &[u8], scan: &Scan) -> Option<Shape> {
        let seed = self.snapshot.plans.seed()?;
        if text.len() > TEXT_MAX || !self.keeps_plans() {
            return None;
        }
        Shape::of(text, scan, self.mode, (self.schema.as_deref(), seed))
    }

    /// Nothing of the session changes what statements mean or where they run.
    pub(super) fn keeps_plans(&self) -> bool {
        self.pins.is_empty()
            && self.lock_pins.is_empty()
            && self.select_limit.is_none()
            && !self.prepared.has_cursors()
    }

    pub(super) fn look(&self, text: &[u8], shape: &Shape) -> Look {
        let snapshot = &self.snapshot;
        let reading = (self.schema.as_deref(), self.mode);
        snapshot.plans.look(text, shape, reading, &snapshot.facts)
    }

    /// Runs a statement by the plan of its shape. None: it must be planned, and nothing was done.
    pub(super) async fn run_kept(
        &mut self,
        text: &[u8],
        slots: &[Slot],
        kept: &Kept,
        call: Call<'_>,
    ) -> Result<Option<Reply>> {
        self.shown_warnings = std::mem::take(&mut self.warnings);
        self.reading = None;
        (self.uses_pins, self.reads_pins, self.under_locks) = (false, false, false);
        let known = &kept.known;
        let writes = !matches!(known.plan, Plan::Select(_));
        let right = if writes { Right::Write } else { Right::Read };
        for schema in &kept.schemas {
            self.authorize_schema(schema, right)?;
        }
        self.begin_if_asked();
        let given = |param: u16| match call {
            Call::Text => Ok(None),
            Call::Prepared { params, .. } => {
                let param = params.get(usize::from(param));
                param.map(|param| literal(&param.scalar()?)).transpose()
            }
        };
        let values = known.values(text, slots, given)?;
        let snapshot = self.snapshot.clone();
        let mut run = self.runner(&snapshot, &known.statement.hints, call);
        run.writes = writes;
        run.harmless = kept.harmless;
        run.hidden = Some(Hidden::new(text, slots, &values));
        let outcome = run.kept(&known.plan, &mut Facts::default()).await;
        if let Err(error) = &outcome
            && (run::is_stale(error) || expand::is_stale(error))
        {
            // The tables may have changed since the plan was made.
            snapshot.facts.forget(self.tables_of(&known.statement));
            if self.transaction.is_active() {
                return outcome;
            }
            self.next = std::mem::take(&mut self.alone);
            return Ok(None);
        }
        if matches!(outcome, Ok(None)) {
            // It is spent when the statement runs.
            self.next = std::mem::take(&mut self.alone);
        }
        if let Ok(Some(reply)) = &outcome
            && writes
        {
            let value =
                |param| known.hidden(param, text, slots).or_else(|| given(param).ok().flatten());
            let given = Given { call, hidden: Some(&value) };
            self.note_insert_id(&known.statement, given, reply).await;
        }
        outcome
    }

    /// Keeps the plan of a statement that has run for the next ones of its shape.
    pub(super) fn keep(&self, text: &[u8], statement: &Statement, shape: &Shape) {
        let generation = self.snapshot.facts.generation();
        // Errors are not the next statements' own.
        if let Ok(kept) = self.kept(text, statement, shape, generation) {
            self.snapshot.plans.keep(shape, generation, kept);
        }
    }

    fn kept(
        &self,
        text: &[u8],
        statement: &Statement,
        shape: &Shape,
        generation: u64,
    ) -> Result<Option<Kept>, Stop> {
        if !is_plain(statement) || substitute(text, statement, &self.session_facts())?.is_some() {
            return Ok(None);
        }
        let snapshot = &self.snapshot;
        let tables = self.tables_of(statement);
        let mut schemas: Vec<String> = tables.iter().map(|table| table.schema.clone()).collect();
        schemas.sort_unstable();
        schemas.dedup();
        if schemas.iter().any(|schema| snapshot.catalog.schema(schema).is_none()) {
            return Ok(None);
        }
        let mut known_views = Views::new();
        for schema in &schemas {
            if let Some(found) = snapshot.facts.recall_views(schema) {
                known_views.insert(schema.clone(), found);
            }
        }
        let scope = Scope {
            catalog: &snapshot.catalog,
            schema: self.schema.as_deref(),
            mode: self.mode,
            charset: self.state.charset(),
            views: &known_views,
        };
        if !matches!(views::expand(text, statement, &scope)?, Expansion::Plain) {
            return Ok(None);
        }
        let mut facts = Facts::default();
        snapshot.facts.recall(&tables, &mut facts);
        let context = Context {
            catalog: &snapshot.catalog,
            facts: &facts,
            schema: self.schema.as_deref(),
            mode: self.mode,
            temporaries: &[],
            // Writes stay in the schema of their tables, by which replicas may filter them.
            anywhere: matches!(statement.kind, StatementKind::Query(_)),
        };
        let until = snapshot.facts.believed_until(&tables, &schemas);
        let known = Known::new(text, statement.clone(), &shape.slots, &context)?;
        let schemas = schemas.into_boxed_slice();
        let harmless = is_harmless(statement);
        Ok(known.map(|known| Kept { known, harmless, schemas, generation, until }))
    }
}

/// A query that locks nothing and calls no function but the commonest, of which no user has his own.
fn is_harmless(statement: &Statement) -> bool {
    const COMMON: [&str; 7] = ["avg", "coalesce", "count", "ifnull", "max", "min", "sum"];
    let mut harmless = matches!(statement.kind, StatementKind::Query(_));
    walk::statement(statement, &mut |node| match node {
        Node::Expr(expr) => {
            harmless &= match &expr.kind {
                ExprKind::Function(function) => COMMON.contains(&function.name.as_str()),
                kind => !matches!(kind, ExprKind::Other { .. }),
            }
        }
        Node::Query(query) => harmless &= query.locking.is_none() && query.into.is_none(),
        Node::Table(_) | Node::UnnamedItem(_) => {}
    });
    harmless
}

/// The statement leaves nothing behind that is to be read back, and calls no function of a schema.
fn is_plain(statement: &Statement) -> bool {
    let mut plain = matches!(
        statement.kind,
        StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
    );
    walk::statement(statement, &mut |node| match node {
        Node::Expr(expr) => {
            let stored = match &expr.kind {
                ExprKind::Function(function) => {
                    function.name.contains('.')
                        || function.name == "last_insert_id"
                        || locks::is_lock_function(&function.name)
                }
                _ => false,
            };
            plain &= expr.assigned().is_none() && !stored;
        }
        Node::Query(query) => {
            plain &= query.into.is_none();
            if let Body::Select(select) = &query.body {
                plain &= !select.calc_found_rows;
            }
        }
        Node::Table(_) | Node::UnnamedItem(_) => {}
    });
    plain
}
