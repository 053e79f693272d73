//! CALL and DO.

use super::Session;
use super::tables::{no_database, unknown_schema};
use crate::error::{Error, Result};
use crate::execute::run::Call;
use crate::execute::{Reply, Summary};
use crate::plan::template::Target;
use crate::sql;
use crate::sql::quote;
use crate::sql::splice::Splices;
use crate::sql::statement::{Call as Called, Statement};

impl Session {
    /// Calls a procedure of a schema that lies on one shard, or of the shard that a hint names.
    pub(super) async fn call(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<Reply> {
        let substituted = self.substituted(text, statement)?;
        let (text, statement) = match &substituted {
            Some((text, statement)) => (text.as_slice(), statement),
            None => (text, statement),
        };
        let sql::StatementKind::Call(called) = &statement.kind else {
            return Err(Error::internal("a CALL that is none"));
        };
        let (text, target) = self.placed_call(text, statement, called)?;
        self.begin_if_asked();
        let mut aftermath = self.aftermath(statement);
        aftermath.procedure = true;
        let last_insert_id = self.last_insert_id;
        let snapshot = self.snapshot.clone();
        let mut run = self.runner(&snapshot, &statement.hints, call);
        run.writes = true;
        run.aftermath = aftermath;
        run.call(text, statement.params, &target, last_insert_id).await
    }

    /// Where a procedure is called, and the text there.
    pub(super) fn placed_call(
        &self,
        text: &[u8],
        statement: &Statement,
        called: &Called,
    ) -> Result<(Vec<u8>, Target)> {
        let procedure = &called.procedure;
        let named = procedure.schema.as_ref().map(|schema| schema.value.as_str());
        let name = named.or(self.schema.as_deref()).ok_or_else(no_database)?;
        let catalog = &self.snapshot.catalog;
        let schema = catalog.schema(name).ok_or_else(|| unknown_schema(name))?;
        let shards = schema.shards();
        let shard = match (&statement.hints.shard, shards.as_slice()) {
            (Some(hint), _) => {
                let found = catalog.shard_named(hint).filter(|shard| shards.contains(shard));
                found.ok_or_else(|| {
                    Error::unsupported(format!("the schema `{name}` has no shard `{hint}`"))
                })?
            }
            (None, [shard]) => *shard,
            (None, _) => {
                return Err(Error::unsupported(format!(
                    "CALL in the schema `{name}`, which lies on several shards: a procedure sees the \
                     rows of one alone; name the shard by the hint /*margay: shard=NAME */"
                )));
            }
        };
        let mut splices = Splices::new();
        if let (Some(schema), Some(shard)) = (&procedure.schema, catalog.shard(shard)) {
            splices.replace(schema.span, quote::identifier(shard.database.as_bytes()));
        }
        Ok((splices.apply(text)?, Target { shard, part: None }))
    }

    /// `DO a, b` is `SELECT a, b` whose row nobody sees.
    pub(super) async fn do_values(
        &mut self,
        text: &[u8],
        at: u32,
        call: Call<'_>,
    ) -> Result<Reply> {
        let (text, statement) = self.as_select(text, at)?;
        let Reply::Rows(mut rows) = Box::pin(self.statement(&text, &statement, call)).await? else {
            return Err(Error::protocol("a shard answers a SELECT without rows"));
        };
        let outcome = loop {
            match rows.next().await {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let warnings = self.release(&mut rows, outcome.as_ref().err());
        outcome?;
        Ok(Reply::Done(Summary { warnings, ..Summary::default() }))
    }

    /// The SELECT that a DO stands for, whose keyword ends at `at`.
    pub(super) fn as_select(&self, text: &[u8], at: u32) -> Result<(Vec<u8>, Statement)> {
        let (head, values) = text.split_at_checked(at as usize).unwrap_or((b"DO", b""));
        let head = head.get(..head.len().saturating_sub(b"DO".len())).unwrap_or_default();
        let text = [head, b"SELECT", values].concat();
        let statement = sql::parse(&text, &self.mode)?;
        Ok((text, statement))
    }
}
