//! INSERT and REPLACE: rows go where their keys say.

use super::reply::Reply;
use super::run::{Fragment, Run};
use super::write::Count;
use crate::catalog::TableKind;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::facts::Facts;
use crate::plan::resolve;
use crate::plan::template::{Part, Target};
use crate::plan::types::Insert;

impl Run<'_> {
    pub(super) async fn insert(&mut self, insert: &Insert, facts: &mut Facts) -> Result<Reply> {
        let batches = self
            .settle(facts, |run, facts| resolve::insert_batches(insert, run.input(facts)))
            .await?;
        let mut work = Vec::with_capacity(batches.len());
        for batch in batches {
            if let Some(Part::Period(name)) = &batch.target.part {
                self.ensure_period(&insert.table.name, &batch.target, name).await?;
            }
            let fragment =
                Fragment { shard: batch.target.shard, text: batch.text, params: batch.params };
            work.push((fragment, batch.target));
        }
        let count = match insert.table.kind {
            TableKind::Broadcast { .. } => Count::Same,
            TableKind::Single { .. } | TableKind::Sharded(_) => Count::Sum,
        };
        let outcome = self.write_all(work, count).await;
        if let Err(error) = &outcome {
            if matches!(error.kind(), ErrorKind::Server(server) if server.code == 1146) {
                // Somebody else dropped it: look again next time.
                self.snapshot.facts.forget([]);
            }
        }
        outcome
    }

    /// Makes sure that a time table exists before rows go into it.
    async fn ensure_period(&self, pattern: &str, target: &Target, name: &str) -> Result<()> {
        if self.snapshot.facts.knows_period(target.shard, name) {
            return Ok(());
        }
        let made = self.snapshot.create_period(target.shard, pattern, name).await;
        made.map_err(|error| self.restore(error, target))
    }

    /// The error with logical names.
    pub(super) fn restore(&self, error: Error, target: &Target) -> Error {
        match super::names::Names::new(self.snapshot, target) {
            Some(names) => names.restore_error(error),
            None => error,
        }
    }
}
