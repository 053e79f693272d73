//! Planned statements: substitute, plan, run.

use crate::execute::planning::Reading;
use std::sync::Arc;
use std::time::Duration;

use super::Session;
use super::insert_id::{self, Given};
use super::substitute::{self, Facts as SessionFacts};
use crate::backend::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::aftermath::Aftermath;
use crate::execute::run::{Call, Part, Pinned};
use crate::execute::{Reply, Run, Snapshot};
use crate::plan::Plan;
use crate::plan::facts::{Facts, TableId};
use crate::plan::planner::Temporary;
use crate::plan::template::Target;
use crate::sql;
use crate::sql::splice::Splices;
use crate::sql::statement::{Hints, Statement, StatementKind};
use crate::sql::walk::{self, Node};
use crate::transaction::Begin;

impl Session {
    /// Plans and runs a statement of data or of data definition that reads no view of Margay's.
    pub(super) async fn run_tables(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<Reply> {
        let limited = self.limited(text, statement)?;
        let (text, statement) = match &limited {
            Some((text, statement)) => (text.as_slice(), statement),
            None => (text, statement),
        };
        let substituted = self.substituted(text, statement)?;
        let original = statement;
        let (text, statement) = match &substituted {
            Some((text, statement)) => (text.as_slice(), statement),
            None => (text, statement),
        };
        let deprecated = substituted.as_ref().map_or(0, |_| self.warnings_of_found_rows(original));
        if let Some(reply) = self.information(text, statement, call).await? {
            return Ok(reply);
        }
        let tells_id = matches!(original.kind, StatementKind::Query(_))
            && insert_id::calls_last_insert_id(original);
        let outcome = self.run_once(text, statement, call, tells_id).await;
        let outcome = match outcome {
            // What was remembered of the tables may be stale: look once more.
            Err(error) if is_stale(&error) && self.forget(statement) => {
                self.run_once(text, statement, call, tells_id).await
            }
            outcome => outcome,
        };
        let mut outcome = outcome;
        if deprecated > 0 {
            self.warn_of_found_rows(deprecated, &mut outcome);
        }
        if let Ok(reply) = &outcome {
            let given = Given { call, hidden: None };
            self.note_insert_id(statement, given, reply).await;
        }
        outcome
    }

    /// The statement with the LIMIT that sql_select_limit asks for. None: as it is.
    fn limited(&self, text: &[u8], statement: &Statement) -> Result<Option<(Vec<u8>, Statement)>> {
        let (Some(rows), StatementKind::Query(query)) = (self.select_limit, &statement.kind) else {
            return Ok(None);
        };
        if query.limit.is_some() || query.into.is_some() || statement.hints.shard.is_some() {
            return Ok(None);
        }
        let mut splices = Splices::new();
        splices.insert(query.limit_at, format!(" LIMIT {rows} "));
        let text = splices.apply(text)?;
        let statement = sql::parse(&text, &self.mode)?;
        Ok(Some((text, statement)))
    }

    /// The statement with values in place of session functions. None: there are none in it.
    pub(super) fn substituted(
        &self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<Option<(Vec<u8>, Statement)>> {
        let text = substitute::substitute(text, statement, &self.session_facts())?;
        text.map(|text| sql::parse(&text, &self.mode).map(|statement| (text, statement)))
            .transpose()
    }

    async fn run_once(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
        tells_id: bool,
    ) -> Result<Reply> {
        let mut facts = Facts::default();
        let tables = self.tables_of(statement);
        self.snapshot.facts.recall(&tables, &mut facts);
        self.know_temporaries(&tables, &mut facts);
        let plan = self.plan(text, statement, &mut facts, &[]).await?;
        let mut aftermath = self.aftermath(statement);
        aftermath.insert_id = tells_id;
        self.run_plan(&plan, &mut facts, &statement.hints, call, aftermath).await
    }

    /// The plan, with the facts it takes.
    pub(super) async fn plan(
        &self,
        text: &[u8],
        statement: &Statement,
        facts: &mut Facts,
        temporaries: &[Temporary],
    ) -> Result<Plan> {
        let reading = Reading { schema: self.schema.as_deref(), mode: self.mode, temporaries };
        self.snapshot.plan(statement, text, reading, facts).await
    }

    pub(super) async fn run_plan(
        &mut self,
        plan: &Plan,
        facts: &mut Facts,
        hints: &Hints,
        call: Call<'_>,
        aftermath: Aftermath,
    ) -> Result<Reply> {
        let writes = !matches!(plan, Plan::Select(_));
        if !matches!(plan, Plan::Ddl(_)) {
            self.begin_if_asked();
        }
        let snapshot = self.snapshot.clone();
        let mut run = self.runner(&snapshot, hints, call);
        run.writes = writes;
        run.aftermath = aftermath;
        run.plan(plan, facts).await
    }

    /// A shard's own EXPLAIN of what it would be sent.
    pub(super) async fn explain_plan(
        &mut self,
        plan: &Plan,
        facts: &mut Facts,
        hints: &Hints,
    ) -> Result<Reply> {
        let snapshot = self.snapshot.clone();
        self.runner(&snapshot, hints, Call::Text).on_first(plan, facts).await
    }

    /// Runs a text as it is on one shard.
    pub(super) async fn run_at(&mut self, text: &[u8], target: &Target) -> Result<Reply> {
        let snapshot = self.snapshot.clone();
        let hints = Hints { primary: true, ..Hints::default() };
        self.runner(&snapshot, &hints, Call::Text).text_at(text, target).await
    }

    /// As [`Session::run_at`], for a text that may do anything.
    pub(super) async fn run_unknown_at(&mut self, text: &[u8], target: &Target) -> Result<Reply> {
        let snapshot = self.snapshot.clone();
        let hints = Hints { primary: true, ..Hints::default() };
        let mut run = self.runner(&snapshot, &hints, Call::Text);
        run.writes = true;
        run.text_at(text, target).await
    }

    pub(super) fn runner<'a>(
        &'a mut self,
        snapshot: &'a Arc<Snapshot>,
        hints: &Hints,
        call: Call<'a>,
    ) -> Run<'a> {
        Run {
            snapshot,
            reads: self.reads(hints),
            written: Some(&self.written),
            deadline: self.deadline(hints),
            transaction: &mut self.transaction,
            state: self.reading.as_ref().unwrap_or(&self.state),
            clocked: None,
            aftermath: Aftermath::default(),
            call,
            hidden: None,
            writes: false,
            found_rows: self.identity.found_rows(),
            warnings: &mut self.warnings,
            alone: self.alone.clone(),
            harmless: false,
            held: None,
            part: Part::default(),
            pins: Pinned {
                pins: &self.pins,
                used: self.uses_pins,
                read: self.reads_pins,
                locked: self.under_locks,
            },
            files: Some(&self.files),
        }
    }

    /// Without autocommit a statement outside of a transaction begins one.
    pub(super) fn begin_if_asked(&mut self) {
        self.alone = Begin::default();
        if self.state.autocommits() && !self.transaction.is_active() {
            // What SET TRANSACTION asked for is spent on this statement.
            self.alone = std::mem::take(&mut self.next);
        }
        if !self.state.autocommits() && !self.transaction.is_active() {
            let next = std::mem::take(&mut self.next);
            let locked = self.pins.is_locked();
            self.transaction.begin(&Begin { implied: true, locked, ..next });
        }
    }

    pub(super) fn deadline(&self, hints: &Hints) -> Option<Deadline> {
        self.snapshot.deadline(hints.timeout_ms.map(Duration::from_millis))
    }

    pub(super) fn session_facts(&self) -> SessionFacts {
        SessionFacts {
            connection_id: self.identity.connection_id,
            user: format!("{}@{}", self.identity.user, self.identity.host),
            account: format!("{}@%", self.identity.user),
            schema: self.schema.clone(),
            last_insert_id: self.last_insert_id,
            row_count: self.row_count,
            found_rows: self.found_rows,
            warning_count: self.shown_warnings.count,
            error_count: self.shown_warnings.errors() as u64,
            select_limit: self.select_limit,
            wait_timeout: self.wait_timeout,
            reads: self.consistency_name(),
            server_version: self.snapshot.config.settings.server_version.clone(),
        }
    }

    pub(super) fn tables_of(&self, statement: &Statement) -> Vec<TableId> {
        let mut tables = Vec::new();
        walk::statement(statement, &mut |node| {
            if let Node::Table(table) = node {
                let schema = table.schema.as_ref().map(|schema| schema.value.clone());
                if let Some(schema) = schema.or_else(|| self.schema.clone()) {
                    tables.push(TableId { schema, table: table.name.value.clone() });
                }
            }
        });
        tables
    }

    /// Forgets what is remembered of the statement's tables. False: trying again makes no sense, since
    /// nothing was remembered or the statement may have done something.
    fn forget(&self, statement: &Statement) -> bool {
        let mut facts = Facts::default();
        let tables = self.tables_of(statement);
        self.snapshot.facts.recall(&tables, &mut facts);
        self.snapshot.facts.forget(tables);
        !facts.columns.is_empty()
            && !self.transaction.is_active()
            // A client sends its file once.
            && !matches!(statement.kind, StatementKind::Ddl(_) | StatementKind::Load(_))
    }
}

/// Unknown column or table: the definition may have changed behind Margay's back.
pub(super) fn is_stale(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Server(server) => matches!(server.code, 1054 | 1136 | 1146),
        ErrorKind::UnknownColumn | ErrorKind::UnknownTable => true,
        _ => false,
    }
}
