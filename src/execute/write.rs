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

    async fn write_in_transaction(
        &mut self,
        work: &[(Fragment, Target)],
        count: Count,
    ) -> Result<Reply> {
        let Some((first, _)) = work.first() else {
            return Err(Error::internal("a write without a target"));
        };
        let cluster = self.snapshot.shard(first.shard)?.cluster;
        let elsewhere = |fragment: &Fragment| {
            self.snapshot.shard(fragment.shard).is_ok_and(|shard| shard.cluster != cluster)
        };
        if work.iter().any(|(fragment, _)| elsewhere(fragment)) {
            return Err(Error::unsupported(
                "a statement that writes to several clusters inside a transaction is not supported \
                 yet; run it outside of the transaction, or split it by cluster",
            ));
        }
        let mut lent = self.connect(first.shard, Access::Primary).await?;
        lent.opening.push(format!("SAVEPOINT {STATEMENT_SAVEPOINT}").into_bytes());
        let mut warnings = Warnings::default();
        match self.write_in_turn(&mut lent, work.iter(), count, &mut warnings).await {
            Ok(summary) => {
                self.warnings.add(warnings);
                self.transaction.give_back(lent);
                Ok(Reply::Done(summary))
            }
            Err(error) => {
                let undo = format!("ROLLBACK TO SAVEPOINT {STATEMENT_SAVEPOINT}");
                // A deadlock has rolled the transaction back, savepoint included; the client is told.
                let undone = lent.lease.query_all(&undo).await;
                if let (Err(undone), ErrorKind::Server(_)) = (&undone, error.kind()) {
                    tracing::debug!(%undone, "statement savepoint is gone");
                }
                self.give_back_after(lent, &error);
                Err(error)
            }
        }
    }

    /// One transaction a cluster, committed once all of them have done their part.
    async fn write_atomically(
        &mut self,
        work: &[(Fragment, Target)],
        count: Count,
    ) -> Result<Reply> {
        let mut by_cluster: BTreeMap<usize, Vec<&(Fragment, Target)>> = BTreeMap::new();
        for item in work {
            let cluster = self.snapshot.shard(item.0.shard)?.cluster;
            by_cluster.entry(cluster).or_default().push(item);
        }
        let mut branches = Vec::with_capacity(by_cluster.len());
        for (cluster, items) in by_cluster {
            let lease =
                self.snapshot.backends.lease(cluster, Access::Primary, self.found_rows).await?;
            let mut begin = Transaction::default();
            begin.begin(&Begin::default());
            branches.push((Lent { lease, cluster, opening: begin.opening(cluster) }, items));
        }
        let run = &*self;
        let outcomes = join_all(branches.iter_mut().map(|(lent, items)| async move {
            let mut warnings = Warnings::default();
            let items = items.iter().copied();
            let summary = run.write_in_turn(lent, items, count, &mut warnings).await;
            summary.map(|summary| (summary, warnings))
        }))
        .await;
        let mut total: Option<Summary> = None;
        for outcome in outcomes {
            match outcome {
                Ok((summary, warnings)) => {
                    if total.is_none() || count == Count::Sum {
                        self.warnings.add(warnings);
                    }
                    merge_summary(&mut total, &summary, count);
                }
                Err(error) => {
                    end_all(&mut branches, "ROLLBACK").await;
                    return Err(error);
                }
            }
        }
        if let Some((broken, _)) = branches.iter().find(|(lent, _)| lent.lease.is_broken()) {
            let node = broken.lease.node_name().clone();
            end_all(&mut branches, "ROLLBACK").await;
            return Err(Error::new(
                ErrorKind::BackendLost,
                format!("the connection to {node} broke; the statement was rolled back everywhere"),
            ));
        }
        self.commit_all(branches).await?;
        total.map(Reply::Done).ok_or_else(|| Error::internal("a write without a target"))
    }

    /// Commits all branches. What has begun is brought to its end even if nobody waits for it any more:
    /// a client that leaves must not leave half a commit behind.
    async fn commit_all(&self, branches: Vec<(Lent, Vec<&(Fragment, Target)>)>) -> Result<()> {
        let deadline = self.snapshot.deadline(None);
        let mut branches: Vec<(Lent, ())> =
            branches.into_iter().map(|(lent, _)| (lent, ())).collect();
        let committing = tokio::spawn(async move {
            branches.iter_mut().for_each(|(lent, ())| lent.lease.set_deadline(deadline));
            let outcomes = end_all(&mut branches, "COMMIT").await;
            (branches, outcomes)
        });
        let (branches, outcomes) = committing
            .await
            .map_err(|error| Error::internal("the task that commits ended").with_source(error))?;
        let name = |cluster: usize| {
            self.snapshot.config.clusters.get(cluster).map_or("?", |cluster| cluster.name.as_str())
        };
        let mut done = Vec::new();
        let mut failed = Vec::new();
        for ((lent, _), outcome) in branches.iter().zip(outcomes) {
            match outcome {
                Ok(()) => done.push(name(lent.cluster).to_owned()),
                Err(error) => failed.push(format!("{}: {error}", name(lent.cluster))),
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::BackendLost,
            format!(
                "COMMIT failed on {}; committed on: {}. Check the rows on the failed clusters before \
                 you run the statement again",
                failed.join("; "),
                if done.is_empty() { "none".to_owned() } else { done.join(", ") }
            ),
        ))
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

/// Sends COMMIT or ROLLBACK to all at once.
async fn end_all<T>(branches: &mut [(Lent, T)], statement: &str) -> Vec<Result<()>> {
    join_all(
        branches
            .iter_mut()
            .map(|(lent, _)| async move { lent.lease.query_all(statement).await.map(drop) }),
    )
    .await
}
