//! Writes on one target, or on several at once.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::reply::Reply;
use super::run::{Fragment, Run};
use super::summary::Summary;
use super::warnings::Warnings;
use crate::backend::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::facts::Facts;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::Write;
use crate::transaction::{Begin, Lent, Transaction};

/// How the counts of several targets make one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// Each target holds other rows.
    Sum,
    /// Each target holds the same rows.
    Same,
}

impl Run<'_> {
    pub(super) async fn write(&mut self, write: &Write, facts: &mut Facts) -> Result<Reply> {
        let targets = self
            .settle(facts, |run, facts| resolve::write_targets(write, &run.values(facts)))
            .await?;
        let mut work = Vec::with_capacity(targets.len());
        for target in targets {
            work.push((self.fragment(&write.template, &target, facts)?, target));
        }
        let count = if write.broadcast.is_some() { Count::Same } else { Count::Sum };
        self.write_all(work, count).await
    }

    /// Runs each fragment on its target. Several are all done or none: outside a transaction they get
    /// one for the statement; inside one, a failure rolls back to a savepoint.
    pub(super) async fn write_all(
        &mut self,
        work: Vec<(Fragment, Target)>,
        count: Count,
    ) -> Result<Reply> {
        match work.as_slice() {
            [] => Err(Error::internal("a write without a target")),
            [(fragment, target)] => self.route(fragment, target, Access::Primary).await,
            _ if self.transaction.is_active() || !self.state.autocommits() => {
                self.write_in_transaction(&work, count).await
            }
            _ => self.write_atomically(&work, count).await,
        }
    }

    /// Each cluster does its part at the same time as the others.
    async fn write_together(
        &mut self,
        work: Vec<(Fragment, Target)>,
        count: Count,
        own: Option<Transaction>,
    ) -> Result<Reply> {
        let mut scope = Scope::new(own, &mut *self.transaction);
        let mut by_cluster: BTreeMap<usize, Vec<(Fragment, Target)>> = BTreeMap::new();
        for item in work {
            let cluster = self.snapshot.shard(item.0.shard)?.cluster;
            by_cluster.entry(cluster).or_default().push(item);
        }
        let _ = (&mut scope, by_cluster);
        Err(Error::internal("unfinished"))
    }

    /// Runs fragments of one cluster one after the other on one connection.
    async fn write_in_turn<'w>(
        &self,
        lent: &mut Lent,
        work: impl Iterator<Item = &'w (Fragment, Target)>,
        count: Count,
        warnings: &mut Warnings,
    ) -> Result<Summary> {
        let mut total: Option<Summary> = None;
        for (fragment, target) in work {
            let ok = self.run_to_ok(lent, fragment).await;
            let ok = ok.map_err(|error| self.restore(error, target))?;
            let raised = self.raised(lent, target).await;
            if total.is_none() || count == Count::Sum {
                warnings.add(raised);
            }
            merge_summary(&mut total, &fragment.summary(&ok), count);
        }
        total.ok_or_else(|| Error::internal("a write without a target"))
    }
}

/// Statement-level rollback inside a transaction. Quoted so that no user's savepoint is named so.
const STATEMENT_SAVEPOINT: &str = "`margay statement`";

fn merge_summary(total: &mut Option<Summary>, summary: &Summary, count: Count) {
    match (total, count) {
        (Some(total), Count::Sum) => total.add(summary),
        (Some(_), Count::Same) => {}
        (total @ None, _) => *total = Some(summary.clone()),
    }
}
