//! Writes on one target, or on several at once.

use std::collections::BTreeMap;
use std::time::SystemTime;

use futures_util::future::join_all;

use super::reply::Reply;
use super::returned::Returned;
use super::run::{Fragment, Info, Run};
use super::summary::Summary;
use super::warnings::Warnings;
use crate::backend::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::facts::Facts;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::Write;
use crate::transaction::{self, Lent, Transaction, ends_transaction};

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
        let settled = self
            .settle(facts, |run, facts| resolve::write_targets(write, &run.values(facts)))
            .await;
        let targets = match (settled, &write.source) {
            (Err(refused), Some(source))
                if *refused.kind() == ErrorKind::Unsupported && !self.part.told =>
            {
                return Box::pin(self.pick(write, source, facts, refused)).await;
            }
            (settled, _) => settled?,
        };
        let mut work = Vec::with_capacity(targets.len());
        for target in targets {
            let mut fragment = self.fragment(&write.template, &target, facts)?;
            if let Some(on_duplicate) = self.part.one_row {
                fragment.info = Info::OneRow { on_duplicate };
            }
            work.push((fragment, target));
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
            [_] if self.alone.is_special() && !self.transaction.is_active() => {
                self.write_atomically(work, count).await
            }
            [(fragment, target)] => self.route(fragment, target, Access::Primary).await,
            _ if self.transaction.is_active() => self.write_together(work, count, true).await,
            _ => self.write_atomically(work, count).await,
        }
    }

    /// A transaction for the statement alone.
    async fn write_atomically(
        &mut self,
        work: Vec<(Fragment, Target)>,
        count: Count,
    ) -> Result<Reply> {
        let mut own = Transaction::default();
        own.begin(&self.begin_alone());
        let state = self.alone_state();
        let (hidden, reads, part) = (self.hidden, self.reads.clone(), self.part);
        let clocked = self.clocked.take().map(|clocked| match own.is_locked() {
            true => clocked.without_autocommit(),
            false => clocked,
        });
        let mut run = Run {
            transaction: &mut own,
            hidden,
            reads,
            writes: true,
            clocked,
            part,
            state: state.as_ref().unwrap_or(self.state),
            ..self.again()
        };
        let outcome = run.write_together(work, count, false).await;
        let deadline = self.snapshot.deadline(None);
        match (outcome, own.end()) {
            (Ok(reply), Some(ending)) => ending.commit(deadline).await.map(|()| reply),
            (Ok(_), None) => Err(Error::new(
                ErrorKind::BackendLost,
                "a connection broke; the statement was rolled back on all clusters",
            )),
            (Err(error), Some(ending)) => {
                ending.roll_back(deadline).await;
                Err(error)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Within a transaction: clusters work at the same time, each on its one connection. With
    /// `savepoint`, a failure undoes the statement on all of them.
    async fn write_together(
        &mut self,
        work: Vec<(Fragment, Target)>,
        count: Count,
        savepoint: bool,
    ) -> Result<Reply> {
        let mut by_cluster: BTreeMap<usize, Vec<(Fragment, Target)>> = BTreeMap::new();
        for item in work {
            let cluster = self.snapshot.shard(item.0.shard)?.cluster;
            by_cluster.entry(cluster).or_default().push(item);
        }
        let timestamp = self.shared_timestamp(count);
        let mut lents = Vec::with_capacity(by_cluster.len());
        for items in by_cluster.values() {
            let Some((first, _)) = items.first() else { continue };
            match self.connect(first.shard, Access::Primary).await {
                Ok(mut lent) => {
                    if savepoint {
                        let statement = format!("SAVEPOINT {STATEMENT_SAVEPOINT}");
                        lent.opening.push(statement.into_bytes());
                    }
                    lent.opening.extend(timestamp.clone());
                    lents.push(lent);
                }
                Err(error) => {
                    self.settle_all(lents.into_iter().map(|lent| (lent, None)).collect()).await;
                    return Err(error);
                }
            }
        }
        let run = &*self;
        let parts = lents.iter_mut().zip(by_cluster.values());
        let outcomes = join_all(parts.map(|(lent, items)| async move {
            let (mut warnings, mut returned) = (Warnings::default(), Returned::default());
            let summary = run.write_in_turn(lent, items, count, &mut warnings, &mut returned).await;
            Ok((summary?, warnings, returned))
        }))
        .await;
        let outcomes = match timestamp {
            Some(_) => leave_timestamp(&mut lents, outcomes).await,
            None => outcomes,
        };
        self.conclude(lents, outcomes, count, savepoint).await
    }

    /// One answer of all clusters; the connections go back to the transaction.
    async fn conclude(
        &mut self,
        mut lents: Vec<Lent>,
        outcomes: Vec<Result<(Summary, Warnings, Returned)>>,
        count: Count,
        savepoint: bool,
    ) -> Result<Reply> {
        if outcomes.iter().any(Result::is_err) {
            let errors: Vec<Option<Error>> = outcomes.into_iter().map(Result::err).collect();
            let is_over = errors.iter().flatten().any(ends_transaction);
            if savepoint && !is_over && !undo(&mut lents).await {
                lents.clear();
                self.transaction.lost();
            }
            let first = match lents.is_empty() {
                true => errors.into_iter().flatten().next(),
                false => self.settle_all(lents.into_iter().zip(errors).collect()).await,
            };
            return Err(first.unwrap_or_else(|| Error::internal("a failure without an error")));
        }
        let mut total: Option<Summary> = None;
        let mut all = Returned::default();
        for (summary, warnings, returned) in outcomes.into_iter().flatten() {
            if total.is_none() || count == Count::Sum {
                self.warnings.add(warnings);
                all.add(returned);
            }
            merge_summary(&mut total, &summary, count);
        }
        lents.into_iter().for_each(|lent| self.transaction.give_back(lent));
        if self.transaction.is_broken() {
            return Err(transaction::broken());
        }
        total
            .map(|total| all.reply(total, self.warnings))
            .ok_or_else(|| Error::internal("a write without a target"))
    }

    /// Copies must agree on NOW() and on columns that default to it. None: the client has set the time
    /// itself, or each row is on one server alone.
    fn shared_timestamp(&self, count: Count) -> Option<Vec<u8>> {
        if count == Count::Sum || self.state.base().variables.contains_key("timestamp") {
            return None;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let (seconds, micros) = (now.as_secs(), now.subsec_micros());
        Some(format!("SET timestamp = {seconds}.{micros:06}").into_bytes())
    }

    /// Runs fragments of one cluster one after the other on one connection.
    async fn write_in_turn(
        &self,
        lent: &mut Lent,
        work: &[(Fragment, Target)],
        count: Count,
        warnings: &mut Warnings,
        returned: &mut Returned,
    ) -> Result<Summary> {
        let mut total: Option<Summary> = None;
        for (fragment, target) in work {
            // Copies return the same rows again.
            let mut again = Returned::default();
            let returned = match total.is_none() || count == Count::Sum {
                true => &mut *returned,
                false => &mut again,
            };
            let summary = self.write_one(lent, (fragment, target), returned).await;
            let mut summary = summary.map_err(|error| self.restore(error, target))?;
            let raised = self.raised(lent, target).await;
            if total.is_none() || count == Count::Sum {
                warnings.add(raised);
            }
            fragment.note_ids(lent, &mut summary).await?;
            merge_summary(&mut total, &summary, count);
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

/// Undoes the statement wherever it has begun. False: somewhere the transaction is gone.
async fn undo(lents: &mut [Lent]) -> bool {
    let undo = format!("ROLLBACK TO SAVEPOINT {STATEMENT_SAVEPOINT}");
    let open = lents.iter_mut().filter(|lent| lent.is_open());
    let undone = join_all(open.map(|lent| lent.lease.query_all(&undo))).await;
    undone.iter().all(Result::is_ok)
}

/// Brings the servers' own time back after a statement with a common one.
async fn leave_timestamp<T>(lents: &mut [Lent], outcomes: Vec<Result<T>>) -> Vec<Result<T>> {
    let left = join_all(lents.iter_mut().map(|lent| async move {
        match lent.is_open() {
            true => lent.lease.query_all("SET timestamp = DEFAULT").await.map(drop),
            false => Ok(()),
        }
    }))
    .await;
    outcomes.into_iter().zip(left).map(|(outcome, left)| left.and(outcome)).collect()
}
