//! Reads of more physical tables than connections may be held: a few connections read them in turn.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};

use super::reply::{Input, Inputs, ROW_OVERHEAD};
use super::run::{Fragment, Run};
use super::select::Head;
use super::warnings::Warnings;
use crate::backend::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::template::Target;
use crate::protocol::column::Column;
use crate::transaction::Lent;

/// Connections to one cluster that such a read holds.
const LANES_PER_CLUSTER: usize = 8;

/// A connection, and the fragments that it reads.
struct Lane {
    lent: Lent,
    fragments: Vec<usize>,
}

/// What lanes read, and how many bytes of rows they may hold.
struct Work<'a> {
    fragments: &'a [Fragment],
    targets: &'a [Target],
    bytes_left: AtomicU64,
}

/// The columns and rows of one fragment, by its index.
type Part = (usize, Vec<Column>, VecDeque<Bytes>);

impl Run<'_> {
    /// Whether the fragments are too many to be read at once, a connection each.
    pub(super) fn exceeds_streams(&self, fragments: &[Fragment]) -> Result<bool> {
        let settings = &self.snapshot.config.settings;
        let clusters = self.by_cluster(fragments)?;
        let pool_size = settings.backend.pool_size as usize;
        Ok(fragments.len() > settings.limits.scatter_streams as usize
            || clusters.values().any(|indexes| indexes.len() > pool_size))
    }

    /// Reads all rows into memory over a few connections a cluster, within `limits.sort_bytes`.
    pub(super) async fn read_in_lanes(
        &mut self,
        fragments: &[Fragment],
        targets: &[Target],
        access: Access,
    ) -> Result<(Vec<Vec<Column>>, Inputs)> {
        let pool_size = self.snapshot.config.settings.backend.pool_size as usize;
        let mut dealt: Vec<Vec<usize>> = Vec::new();
        for indexes in self.by_cluster(fragments)?.into_values() {
            let count = LANES_PER_CLUSTER.min(pool_size).min(indexes.len());
            let lane = |first: usize| indexes.iter().skip(first).step_by(count).copied().collect();
            dealt.extend((0..count).map(lane));
        }
        let first = |lane: &Vec<usize>| lane.first().and_then(|index| fragments.get(*index));
        let shards = dealt.iter().filter_map(first).map(|fragment| fragment.shard);
        let slots = self.snapshot.scatter_slots(shards).await?;
        let mut lanes = Vec::with_capacity(dealt.len());
        for indexes in dealt {
            let Some(fragment) = first(&indexes) else { continue };
            lanes.push(Lane {
                lent: self.connect_for(fragment, access.clone()).await?,
                fragments: indexes,
            });
        }
        let bytes_left = AtomicU64::new(self.snapshot.config.settings.limits.sort_bytes.0);
        let work = Work { fragments, targets, bytes_left };
        let run = &*self;
        let read = lanes.into_iter().map(|lane| run.read_lane(lane, &work));
        let done = try_join_all(read).await?;
        drop(slots);
        let mut parts = Vec::with_capacity(fragments.len());
        for (lane, warnings) in done {
            parts.extend(lane);
            self.warnings.add(warnings);
        }
        parts.sort_unstable_by_key(|(index, ..)| *index);
        let (heads, inputs) =
            parts.into_iter().map(|(_, columns, rows)| (columns, Input::Memory(rows))).unzip();
        Ok((heads, Inputs { inputs, slots: Vec::new() }))
    }

    /// Within a transaction each cluster has one connection, which reads its fragments in turn: the last
    /// as a stream, those before it into memory, within `limits.sort_bytes`.
    pub(super) async fn read_in_transaction(
        &mut self,
        fragments: &[Fragment],
        targets: &[Target],
    ) -> Result<(Vec<Vec<Column>>, Inputs)> {
        let mut lanes = Vec::new();
        for indexes in self.by_cluster(fragments)?.into_values() {
            let first = indexes.first().and_then(|index| fragments.get(*index));
            let Some(shard) = first.map(|fragment| fragment.shard) else { continue };
            match self.connect(shard, Access::Primary).await {
                Ok(lent) => lanes.push(Lane { lent, fragments: indexes }),
                Err(error) => {
                    let lents = lanes.into_iter().map(|lane: Lane| (lane.lent, None));
                    self.settle_all(lents.collect()).await;
                    return Err(error);
                }
            }
        }
        let bytes_left = AtomicU64::new(self.snapshot.config.settings.limits.sort_bytes.0);
        let work = Work { fragments, targets, bytes_left };
        let run = &*self;
        let reads = lanes.iter_mut().map(|lane| run.begin_lane(lane, &work));
        let outcomes = join_all(reads).await;
        if outcomes.iter().any(Result::is_err) {
            let errors = outcomes.into_iter().map(Result::err);
            let lents = lanes.into_iter().map(|lane| lane.lent).zip(errors).collect();
            return match self.settle_all(lents).await {
                Some(error) => Err(error),
                None => Err(Error::internal("a failed read without an error")),
            };
        }
        let mut parts: Vec<(usize, Vec<Column>, Input)> = Vec::with_capacity(fragments.len());
        for (lane, (before, warnings, columns)) in
            lanes.into_iter().zip(outcomes.into_iter().flatten())
        {
            self.warnings.add(warnings);
            let read = before.into_iter();
            parts.extend(read.map(|(index, columns, rows)| (index, columns, Input::Memory(rows))));
            let last = lane.fragments.last().copied().unwrap_or_default();
            parts.push((last, columns, Input::Live(Box::new(lane.lent))));
        }
        parts.sort_unstable_by_key(|(index, ..)| *index);
        let (heads, inputs) = parts.into_iter().map(|(_, columns, input)| (columns, input)).unzip();
        Ok((heads, Inputs { inputs, slots: Vec::new() }))
    }

    /// Reads all fragments of a lane but the last, of which it reads the columns.
    async fn begin_lane(
        &self,
        lane: &mut Lane,
        work: &Work<'_>,
    ) -> Result<(Vec<Part>, Warnings, Vec<Column>)> {
        let Some((last, before)) = lane.fragments.split_last() else {
            return Err(Error::internal("a lane without a fragment"));
        };
        let mut parts = Vec::with_capacity(before.len());
        let mut warnings = Warnings::default();
        for index in before {
            let lent = &mut lane.lent;
            parts.push(self.read_part(lent, *index, work, &mut warnings).await?);
        }
        let columns = self.start_part(&mut lane.lent, *last, work).await?;
        Ok((parts, warnings, columns))
    }

    /// Gives connections back after a statement that failed on some of them; the error of the first.
    pub(super) async fn settle_all(&mut self, lents: Vec<(Lent, Option<Error>)>) -> Option<Error> {
        let mut first = None;
        let mut refused = Vec::new();
        // The last that joined leaves first; a refusal that ends the transaction comes at the end.
        for (mut lent, error) in lents.into_iter().rev() {
            if !lent.lease.is_broken() && !lent.lease.is_between_replies() {
                let drained = lent.lease.drain().await;
                drained.unwrap_or_else(|error| tracing::debug!(%error, "connection given up"));
            }
            match error {
                Some(error) => refused.push((lent, error)),
                None => self.transaction.give_back(lent),
            }
        }
        for (lent, error) in refused {
            self.transaction.give_back_refused(lent, &error);
            first = Some(error);
        }
        first
    }

    async fn read_lane(&self, mut lane: Lane, work: &Work<'_>) -> Result<(Vec<Part>, Warnings)> {
        let mut parts = Vec::with_capacity(lane.fragments.len());
        let mut warnings = Warnings::default();
        for index in lane.fragments {
            let lent = &mut lane.lent;
            parts.push(self.read_part(lent, index, work, &mut warnings).await?);
        }
        Ok((parts, warnings))
    }

    async fn start_part(
        &self,
        lent: &mut Lent,
        index: usize,
        work: &Work<'_>,
    ) -> Result<Vec<Column>> {
        let (Some(fragment), Some(target)) = (work.fragments.get(index), work.targets.get(index))
        else {
            return Err(Error::internal("a lane reads a fragment that is not there"));
        };
        let head = self.start_rows(lent, fragment).await;
        match head.map_err(|error| self.restore(error, target))? {
            Head::Rows(columns) => Ok(columns),
            Head::Done(_) => Err(Error::protocol("a shard answers a SELECT without rows")),
        }
    }

    async fn read_part(
        &self,
        lent: &mut Lent,
        index: usize,
        work: &Work<'_>,
        warnings: &mut Warnings,
    ) -> Result<Part> {
        let columns = self.start_part(lent, index, work).await?;
        let mut rows = VecDeque::new();
        while let Some(row) = lent.lease.read_row().await? {
            take_bytes(&work.bytes_left, row.len() as u64 + ROW_OVERHEAD)?;
            rows.push_back(row);
        }
        warnings.collect(&mut lent.lease).await;
        Ok((index, columns, rows))
    }

    fn by_cluster(&self, fragments: &[Fragment]) -> Result<BTreeMap<usize, Vec<usize>>> {
        let mut clusters: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, fragment) in fragments.iter().enumerate() {
            let cluster = self.snapshot.shard(fragment.shard)?.cluster;
            clusters.entry(cluster).or_default().push(index);
        }
        Ok(clusters)
    }
}

fn take_bytes(left: &AtomicU64, bytes: u64) -> Result<()> {
    let take = |left: u64| left.checked_sub(bytes);
    match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(
            ErrorKind::LimitExceeded,
            "the statement reads more physical tables than it may at once, by `backend.pool_size` and \
             `limits.scatter_streams` or because a transaction has one connection to each cluster, so \
             their rows are held in memory, and they are over `limits.sort_bytes`; add a condition on \
             a key, or raise a limit",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_bytes_until_there_are_no_more() {
        let left = AtomicU64::new(10);
        assert!(take_bytes(&left, 7).is_ok());
        assert!(take_bytes(&left, 4).is_err());
        assert!(take_bytes(&left, 3).is_ok());
    }
}
