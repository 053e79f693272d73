//! Reads: routed to one target, or scattered over several and merged.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::columns::Columns;
use super::names::{self, Names};
use super::reply::{Input, Inputs, Merged, Reply, Rows, Source, Window, refuse_more};
use super::run::{Call, Fragment, Run};
use crate::backend::{Access, SessionState};
use crate::error::{Error, ErrorKind, Result};
use crate::merge::{self, Merge, RowFormat};
use crate::plan::Plan;
use crate::plan::facts::Facts;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::{Scatter, Select};
use crate::protocol::column::Column;
use crate::protocol::definition::{Changes, Definition};
use crate::protocol::reply::ReplyHead;
use crate::transaction::{Lent, Transaction};

impl Run<'_> {
    pub(super) async fn select(&mut self, select: &Select, facts: &mut Facts) -> Result<Reply> {
        let settled = self
            .settle(facts, |run, facts| resolve::targets(&select.place, &run.values(facts)))
            .await;
        let targets = match settled {
            Ok(targets) => targets,
            Err(refused) if *refused.kind() == ErrorKind::Unsupported => {
                return self.combine(select, facts, (refused, false)).await;
            }
            Err(error) => return Err(error),
        };
        if self.pins.read && targets.len() > 1 && !self.is_in_turn() {
            return Err(beside_pinned());
        }
        match targets.as_slice() {
            [target] => self.select_at(select, target, facts).await,
            targets => {
                let access = self.access(select);
                let scatter = match &select.scatter {
                    Ok(scatter) => scatter,
                    Err(refusal) => {
                        let refused = Error::unsupported(refusal.message.clone());
                        return self.combine(select, facts, (refused, false)).await;
                    }
                };
                match self.scatter(scatter, targets, access, facts).await {
                    // Only the answers tell the types of columns.
                    Err(refused) if *refused.kind() == ErrorKind::Unsupported => {
                        self.combine(select, facts, (refused, true)).await
                    }
                    answer => answer,
                }
            }
        }
    }

    /// Where a read may go.
    pub(super) fn access(&self, select: &Select) -> Access {
        if select.primary { Access::Primary } else { self.reads.clone() }
    }

    /// Runs on the one target that has all rows.
    pub(super) async fn select_at(
        &mut self,
        select: &Select,
        target: &Target,
        facts: &Facts,
    ) -> Result<Reply> {
        let access = self.access(select);
        let mut fragment = self.fragment(&select.route, target, facts)?;
        fragment.text.extend_from_slice(self.part.lock());
        if select.place.is_nowhere() && self.transaction.is_announced() {
            return Box::pin(self.outside(&fragment, target, access)).await;
        }
        self.route(&fragment, target, access).await
    }

    /// Whether a read needs the rows of several targets.
    ///
    /// # Errors
    /// Whatever keeps its targets from being found.
    pub async fn is_spread(&mut self, plan: &Plan, facts: &mut Facts) -> Result<bool> {
        let Plan::Select(select) = plan else { return Ok(false) };
        let settled = self
            .settle(facts, |run, facts| resolve::targets(&select.place, &run.values(facts)))
            .await;
        match settled {
            Ok(targets) => Ok(targets.len() > 1),
            Err(refused) if *refused.kind() == ErrorKind::Unsupported => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Runs on one target: its rows pass as they are.
    pub(super) async fn route(
        &mut self,
        fragment: &Fragment,
        target: &Target,
        access: Access,
    ) -> Result<Reply> {
        let mut lent = self.connect_for(fragment, access).await?;
        let head = self.start_passing(&mut lent, fragment, target).await;
        self.aftermath.doubt(&mut lent.lease);
        match head {
            Ok(Head::Rows(columns)) => {
                let mut rows = Rows::new(columns, Source::One(Box::new(lent)));
                rows.aftermath = self.aftermath.clone();
                Ok(Reply::Rows(rows))
            }
            Ok(Head::Done(mut summary)) => {
                let raised = self.raised(&mut lent, target).await;
                self.warnings.add(raised);
                let noted = fragment.note_ids(&mut lent, &mut summary).await;
                let learned = match noted {
                    Ok(()) => self.aftermath.learn(&mut lent.lease).await,
                    Err(error) => Err(error),
                };
                match learned {
                    Ok(learned) => summary.learned = learned,
                    Err(error) => {
                        self.give_back_after(lent, &error);
                        return Err(error);
                    }
                }
                self.transaction.give_back(lent);
                Ok(Reply::Done(fragment.told(summary)))
            }
            Err(error) => {
                let error = self.restore(error, target);
                self.give_back_after(lent, &error);
                Err(error)
            }
        }
    }

    /// Runs a statement without tables beside a transaction that is open nowhere yet: it must not decide
    /// where that opens.
    async fn outside(
        &mut self,
        fragment: &Fragment,
        target: &Target,
        access: Access,
    ) -> Result<Reply> {
        let mut apart = Transaction::default();
        std::mem::swap(&mut apart, self.transaction);
        let reply = self.route(fragment, target, access).await;
        std::mem::swap(&mut apart, self.transaction);
        match reply? {
            Reply::Rows(mut rows) => {
                let mut bytes_left = self.snapshot.config.settings.limits.sort_bytes.0;
                let held = rows.drain(&mut bytes_left).await?;
                let warnings = rows.end().1;
                let mut local = Rows::local(rows.columns, held);
                local.learned = rows.learned;
                local.warn(warnings);
                Ok(Reply::Rows(local))
            }
            done @ Reply::Done(_) => Ok(done),
        }
    }

    pub(super) async fn start_rows(&self, lent: &mut Lent, fragment: &Fragment) -> Result<Head> {
        let head = self.start(lent, fragment).await?;
        self.rows_after(lent, head).await
    }

    /// As [`Run::start_rows`], for rows that the client gets as they are. The columns have logical names.
    async fn start_passing(
        &self,
        lent: &mut Lent,
        fragment: &Fragment,
        target: &Target,
    ) -> Result<Head<Columns>> {
        match self.start(lent, fragment).await? {
            ReplyHead::Columns(_) => {
                let names = Names::new(self.snapshot, target);
                let change = |definition: &Definition<'_>| {
                    let changes = names.as_ref().map(|names| names.changes(definition));
                    let charset = self.state.dressed(definition.charset);
                    Changes { charset, ..changes.unwrap_or_default() }
                };
                Ok(Head::Rows(Columns::read(&mut lent.lease, change).await?))
            }
            head @ (ReplyHead::Ok(_) | ReplyHead::Err(_) | ReplyHead::LocalInfile(_)) => {
                match self.rows_after(lent, head).await? {
                    Head::Done(summary) => Ok(Head::Done(summary)),
                    Head::Rows(columns) => Ok(Head::Rows(columns.into())),
                }
            }
        }
    }

    /// As [`Run::start_rows`], in the state that the connection is to have.
    pub(super) async fn start_rows_in(
        &self,
        lent: &mut Lent,
        fragment: &Fragment,
        state: &Arc<SessionState>,
    ) -> Result<Head> {
        let head = self.start_in(lent, fragment, state).await?;
        self.rows_after(lent, head).await
    }

    async fn rows_after(&self, lent: &mut Lent, head: ReplyHead) -> Result<Head> {
        match head {
            ReplyHead::Ok(ok) => {
                refuse_more(&lent.lease)?;
                Ok(Head::Done(super::Summary::of(&ok)))
            }
            ReplyHead::Err(error) => Err(Error::server(error)),
            ReplyHead::Columns(_) => Ok(Head::Rows(lent.lease.read_columns().await?)),
            ReplyHead::LocalInfile(_) => {
                Err(Error::protocol("a request for a file in place of rows"))
            }
        }
    }

    pub(super) async fn scatter(
        &mut self,
        scatter: &Scatter,
        targets: &[Target],
        access: Access,
        facts: &Facts,
    ) -> Result<Reply> {
        let (mut spec, mut suffix) =
            resolve::limited(&scatter.merge, scatter.limit.as_ref(), &self.values(facts))?;
        let window = self.aftermath.found_rows.then(|| {
            // All rows count, so all are merged, and cut when they have been counted.
            suffix.clear();
            Window::new(std::mem::take(&mut spec.offset), spec.limit.take())
        });
        let mut fragments = Vec::with_capacity(targets.len());
        for target in targets {
            let mut fragment = self.fragment(&scatter.template, target, facts)?;
            fragment.text.extend_from_slice(suffix.as_bytes());
            fragment.text.extend_from_slice(self.part.lock());
            fragments.push(fragment);
        }
        let (heads, inputs): (Vec<Vec<Column>>, Inputs) = if self.is_in_turn() {
            Box::pin(self.read_in_transaction(&fragments, targets)).await?
        } else if self.exceeds_streams(&fragments)? {
            self.read_in_lanes(&fragments, targets, access).await?
        } else {
            self.read_at_once(&fragments, targets, access).await?
        };
        let names: Vec<String> = targets.iter().map(|target| self.shard_name(target)).collect();
        let described: Vec<merge::Input<'_>> = names
            .iter()
            .zip(&heads)
            .map(|(name, columns)| merge::Input { name, columns })
            .collect();
        let merge = Merge::new(&spec, &described, self.row_format(), self.snapshot.merge_limits())?;
        check_columns(scatter, &heads)?;
        let columns = self.visible_columns(heads, targets, spec.hidden)?;
        let mut merged = Merged::new(inputs, merge);
        merged.window = window;
        Ok(Reply::Rows(Rows::new(columns, Source::Merged(Box::new(merged)))))
    }

    /// Each cluster has one connection, on which statements run one after the other.
    fn is_in_turn(&self) -> bool {
        self.transaction.is_active() || self.pins.locked
    }

    fn row_format(&self) -> RowFormat {
        match self.call {
            Call::Text => RowFormat::Text,
            Call::Prepared { .. } => RowFormat::Binary,
        }
    }

    /// One connection a fragment, all at once: streams of rows.
    async fn read_at_once(
        &mut self,
        fragments: &[Fragment],
        targets: &[Target],
        access: Access,
    ) -> Result<(Vec<Vec<Column>>, Inputs)> {
        let slots = self.snapshot.scatter_slots(fragments.iter().map(|it| it.shard)).await?;
        let mut lents = Vec::with_capacity(fragments.len());
        for fragment in fragments {
            lents.push(self.connect_for(fragment, access.clone()).await?);
        }
        let starts = lents.iter_mut().zip(fragments);
        let run = &*self;
        let heads =
            try_join_all(starts.zip(targets).map(|((lent, fragment), target)| async move {
                match run.start_rows(lent, fragment).await {
                    Ok(Head::Rows(columns)) => Ok(columns),
                    Ok(Head::Done(_)) => {
                        Err(Error::protocol("a shard answers a SELECT without rows"))
                    }
                    Err(error) => Err(run.restore(error, target)),
                }
            }))
            .await?;
        let inputs = lents.into_iter().map(|lent| Input::Live(Box::new(lent))).collect();
        Ok((heads, Inputs { inputs, slots }))
    }

    /// The columns that the client sees: those of the first target, wide enough for all.
    fn visible_columns(
        &self,
        heads: Vec<Vec<Column>>,
        targets: &[Target],
        hidden: usize,
    ) -> Result<Vec<Column>> {
        let mut heads = heads.into_iter();
        let (Some(mut columns), Some(first)) = (heads.next(), targets.first()) else {
            return Err(Error::internal("a scatter over no target"));
        };
        columns.truncate(columns.len().saturating_sub(hidden));
        for other in heads {
            columns.iter_mut().zip(&other).for_each(|(column, other)| names::widen(column, other));
        }
        if let Some(names) = Names::new(self.snapshot, first) {
            names.restore_columns(&mut columns);
        }
        self.state.dress(&mut columns);
        Ok(columns)
    }

    fn shard_name(&self, target: &Target) -> String {
        self.snapshot
            .shard(target.shard)
            .map_or_else(|_| "?".to_owned(), |shard| shard.name.clone())
    }

    /// Runs the plan's text for one target on the first of its targets: for EXPLAIN.
    ///
    /// # Errors
    /// The shard's own, and that the plan cannot be explained so.
    pub async fn on_first(&mut self, plan: &Plan, facts: &mut Facts) -> Result<Reply> {
        let (place, template) = match plan {
            Plan::Select(select) => (&select.place, &select.route),
            Plan::Write(write) => (&write.place, &write.template),
            Plan::Feed(feed) if feed.direct => (&feed.whole.place, &feed.whole.template),
            Plan::Insert(_) | Plan::Feed(_) | Plan::Load(_) | Plan::Ddl(_) => {
                return Err(Error::unsupported(
                    "EXPLAIN of this statement is not supported; EXPLAIN FORMAT=MARGAY shows where it \
                     runs",
                ));
            }
        };
        let targets =
            self.settle(facts, |run, facts| resolve::targets(place, &run.values(facts))).await?;
        let Some(target) = targets.first() else {
            return Err(Error::internal("a plan without a target"));
        };
        let fragment = self.fragment(template, target, facts)?;
        let access = self.reads.clone();
        self.route(&fragment, target, access).await
    }

    /// Runs a text as it is on one shard.
    ///
    /// # Errors
    /// The shard's own, or that it cannot be reached.
    pub async fn text_at(&mut self, text: &[u8], target: &Target) -> Result<Reply> {
        let fragment = Fragment::new(target.shard, text.to_vec(), Vec::new());
        let access = self.reads.clone();
        self.route(&fragment, target, access).await
    }
}

/// Why a statement over several shards does not read a temporary table.
pub(super) fn beside_pinned() -> Error {
    Error::unsupported(
        "a temporary table, or any after LOCK TABLES, beside rows of several shards is not supported; \
         copy the rows into a temporary table first, by INSERT ... SELECT",
    )
}

/// Positions that the plan counted must be those of the answer.
fn check_columns(scatter: &Scatter, heads: &[Vec<Column>]) -> Result<()> {
    let expected = scatter.columns.map(|columns| columns + scatter.merge.hidden);
    let found = heads.first().map(Vec::len);
    if expected.is_some() && expected != found {
        return Err(Error::unsupported(
            "the columns of a table have changed since the statement was planned; run it again",
        ));
    }
    Ok(())
}

pub(super) enum Head<C = Vec<Column>> {
    Rows(C),
    Done(super::Summary),
}
