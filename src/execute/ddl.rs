//! DDL on every physical table of a logical one.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::reply::Reply;
use super::run::{Fragment, Run};
use super::summary::Summary;
use super::warnings::Warnings;
use crate::backend::{Access, Lease};
use crate::catalog::TableKind;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::plan::facts::{Facts, TableId};
use crate::plan::render::physical_name;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::{Ddl, DdlStep};

/// How one physical table fared.
enum Outcome {
    Done(Summary, Warnings),
    /// It was as wanted before: an earlier run of the statement got that far.
    Already(Error),
    Failed(Error),
}

impl Run<'_> {
    pub(super) async fn ddl(&mut self, ddl: &Ddl, facts: &mut Facts) -> Result<Reply> {
        if let Some((shard, template)) = &ddl.forced {
            let target = Target { shard: *shard, part: None };
            let fragment = self.fragment(template, &target, facts)?;
            let reply = self.route(&fragment, &target, Access::Primary).await;
            // The shard's text may have named any table.
            self.snapshot.facts.forget_all();
            return reply;
        }
        if let Some(fill) = &ddl.fill {
            return Box::pin(self.fill(fill)).await;
        }
        let mut total = Summary::default();
        for step in &ddl.steps {
            let outcome = self.ddl_step(step, facts).await;
            let id = TableId { schema: step.table.schema.clone(), table: step.table.name.clone() };
            self.snapshot.facts.forget([id]);
            total.add_rows(&outcome?);
        }
        total.warnings = self.warnings.wire_count();
        Ok(Reply::Done(total))
    }

    async fn ddl_step(&mut self, step: &DdlStep, facts: &mut Facts) -> Result<Summary> {
        let snapshot = self.snapshot;
        let _alone = match step.table.is_by_time() {
            true => Some(snapshot.altering.write().await),
            false => None,
        };
        let targets =
            self.settle(facts, |run, facts| resolve::ddl_targets(step, &run.values(facts))).await?;
        let mut by_cluster: BTreeMap<usize, Vec<(Fragment, Target)>> = BTreeMap::new();
        for target in targets {
            let fragment = self.fragment(&step.template, &target, facts)?;
            let cluster = self.snapshot.shard(target.shard)?.cluster;
            by_cluster.entry(cluster).or_default().push((fragment, target));
        }
        let run = &*self;
        let outcomes = join_all(
            by_cluster
                .into_iter()
                .map(|(cluster, work)| async move { run.ddl_on_cluster(cluster, work).await }),
        )
        .await;
        let (summary, warnings) =
            self.judge(step, outcomes.into_iter().flatten().collect()).await?;
        self.warnings.add(warnings);
        Ok(summary)
    }

    /// A connection for DDL: that of LOCK TABLES, if there is one.
    async fn ddl_lease(&self, cluster: usize) -> Result<Lease> {
        match self.pinned(cluster)? {
            Some(keeper) => keeper.lend(self.snapshot.config.settings.backend.pool_wait).await,
            None => self.snapshot.backends.lease(cluster, Access::Primary, false).await,
        }
    }

    /// Runs the fragments one after the other on one connection of the cluster's primary.
    async fn ddl_on_cluster(
        &self,
        cluster: usize,
        work: Vec<(Fragment, Target)>,
    ) -> Vec<(Target, Outcome)> {
        let mut outcomes = Vec::with_capacity(work.len());
        let mut lease = None;
        for (fragment, target) in work {
            let mut lent = match lease.take() {
                Some(lent) => lent,
                None => match self.ddl_lease(cluster).await {
                    Ok(lease) => {
                        let mut lent = crate::transaction::Lent::apart(lease, cluster);
                        self.report(&mut lent);
                        lent
                    }
                    Err(error) => {
                        outcomes.push((target, Outcome::Failed(error)));
                        continue;
                    }
                },
            };
            let outcome = match self.run_to_ok(&mut lent, &fragment).await {
                Ok(ok) => {
                    let warnings = self.raised(&mut lent, &target).await;
                    lease = Some(lent);
                    Outcome::Done(Summary::of(&ok), warnings)
                }
                Err(error) => {
                    let error = self.restore(error, &target);
                    match error.kind() {
                        ErrorKind::Server(server) => {
                            let already = is_already_done(server.code);
                            lease = Some(lent);
                            if already { Outcome::Already(error) } else { Outcome::Failed(error) }
                        }
                        // The connection is of no use any more; the next one gets a new one.
                        _ => Outcome::Failed(error),
                    }
                }
            };
            outcomes.push((target, outcome));
        }
        outcomes
    }

    /// One answer of many. Where some physical tables were as wanted before and the rest are done now,
    /// the statement has completed what an earlier run began.
    async fn judge(
        &self,
        step: &DdlStep,
        outcomes: Vec<(Target, Outcome)>,
    ) -> Result<(Summary, Warnings)> {
        let mut summary: Option<(Summary, Warnings)> = None;
        let mut done = Vec::new();
        let mut already = Vec::new();
        let mut failed = Vec::new();
        for (target, outcome) in outcomes {
            match outcome {
                Outcome::Done(one, warnings) => {
                    match (&mut summary, &step.table.kind) {
                        // What it warns of here it warns of everywhere.
                        (Some((all, _)), TableKind::Sharded(_)) => all.add_rows(&one),
                        (Some(_), TableKind::Single { .. } | TableKind::Broadcast { .. }) => {}
                        (summary @ None, _) => *summary = Some((one, warnings)),
                    }
                    done.push(target);
                }
                Outcome::Already(error) => already.push((target, error)),
                Outcome::Failed(error) => failed.push((target, error)),
            }
        }
        if !failed.is_empty() {
            return Err(self.partial_failure(step, &done, &already, failed));
        }
        match (summary, already.into_iter().next()) {
            (Some(summary), None) => Ok(summary),
            (Some(summary), Some((target, error))) => {
                self.same_definition(step, &done, &target, error).await?;
                Ok(summary)
            }
            (None, Some((_, error))) => Err(error),
            (None, None) => Err(Error::internal("DDL without a target")),
        }
    }

    fn partial_failure(
        &self,
        step: &DdlStep,
        done: &[Target],
        already: &[(Target, Error)],
        failed: Vec<(Target, Error)>,
    ) -> Error {
        let total = done.len() + already.len() + failed.len();
        let list = |targets: Vec<&Target>| {
            let names: Vec<String> =
                targets.iter().map(|target| self.place(step, target)).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        let where_failed = list(failed.iter().map(|(target, _)| target).collect());
        let where_done =
            list(done.iter().chain(already.iter().map(|(target, _)| target)).collect());
        let Some((_, first)) = failed.into_iter().next() else {
            return Error::internal("a failure without an error");
        };
        if total == 1 || (done.is_empty() && already.is_empty()) {
            return first;
        }
        let message = format!(
            "{first} (failed on {where_failed}; done on {where_done}; mend the cause and run the \
             statement again, it passes over what is done)"
        );
        match first.kind() {
            ErrorKind::Server(server) => {
                Error::server(ServerError { message: message.into_bytes(), ..server.clone() })
            }
            kind => Error::new(kind.clone(), message),
        }
    }

    /// `c0/shop_1.comments`
    fn place(&self, step: &DdlStep, target: &Target) -> String {
        let shard = self.snapshot.shard(target.shard).map_or("?", |shard| shard.name.as_str());
        format!("{shard}.{}", table_at(step, target))
    }

    /// A table that was there before must be what the others are now.
    async fn same_definition(
        &self,
        step: &DdlStep,
        done: &[Target],
        other: &Target,
        error: Error,
    ) -> Result<()> {
        let Some(one) = done.first() else { return Ok(()) };
        let snapshot = self.snapshot;
        let made = snapshot.physical_columns(one.shard, table_at(step, one)).await?;
        let found = snapshot.physical_columns(other.shard, table_at(step, other)).await?;
        if made == found {
            return Ok(());
        }
        Err(error.context(format!(
            "{} differs in its columns from {}",
            self.place(step, other),
            self.place(step, one)
        )))
    }
}

/// Errors that say that a change has been made before: table exists, unknown table, duplicate column
/// or key, nothing to drop.
fn is_already_done(code: u16) -> bool {
    matches!(code, 1050 | 1051 | 1060 | 1061 | 1091 | 1146)
}

fn table_at<'a>(step: &'a DdlStep, target: &'a Target) -> &'a str {
    physical_name(&step.table, target).unwrap_or(&step.table.name)
}
