//! Writes piles of rows: clusters at the same time, each over its one connection of the transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::Job;
use super::pile::{Pile, Piles};
use super::tally::{Tally, in_order, renumbered};
use crate::backend::Access;
use crate::catalog::TableKind;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::run::Run;
use crate::execute::warnings::Warnings;
use crate::plan::facts::Facts;
use crate::plan::template::{Part, Target};
use crate::protocol::reply::OkPacket;
use crate::transaction::Lent;

/// What one target is to load.
struct Piece {
    target: Target,
    text: Vec<u8>,
    pile: Arc<Pile>,
    /// Another target has the same rows and tells of them.
    is_copy: bool,
}

/// What came of a piece.
type Loaded = (OkPacket, Warnings);

impl Run<'_> {
    pub(super) async fn write_piles(
        &mut self,
        job: &Job<'_>,
        piles: &mut Piles,
        tally: &mut Tally,
        facts: &mut Facts,
    ) -> Result<()> {
        if piles.is_empty() {
            return Ok(());
        }
        let pieces = self.pieces(job, piles, facts).await?;
        let mut by_cluster: BTreeMap<usize, Vec<Piece>> = BTreeMap::new();
        for piece in pieces {
            let cluster = self.snapshot.shard(piece.target.shard)?.cluster;
            by_cluster.entry(cluster).or_default().push(piece);
        }
        // What a row leaves on its connection is that of the last row.
        by_cluster.values_mut().for_each(|pieces| pieces.sort_by_key(|piece| piece.pile.last()));
        let mut lents = Vec::with_capacity(by_cluster.len());
        for pieces in by_cluster.values() {
            let Some(first) = pieces.first() else { continue };
            match self.connect(first.target.shard, Access::Primary).await {
                Ok(lent) => lents.push(lent),
                Err(error) => {
                    self.settle_all(lents.into_iter().map(|lent| (lent, None)).collect()).await;
                    return Err(error);
                }
            }
        }
        self.clocked = job.clock.as_deref().map(|time| self.state.at(time));
        let run = &*self;
        let works = lents.iter_mut().zip(by_cluster.values());
        let works = works.map(|(lent, pieces)| run.load_in_turn(job, lent, pieces));
        let outcomes = join_all(works).await;
        if outcomes.iter().any(Result::is_err) {
            let errors = outcomes.into_iter().map(Result::err);
            let failed = self.settle_all(lents.into_iter().zip(errors).collect()).await;
            return Err(failed.unwrap_or_else(|| Error::internal("a failure without an error")));
        }
        lents.into_iter().for_each(|lent| self.transaction.give_back(lent));
        if self.transaction.is_broken() {
            return Err(crate::transaction::broken());
        }
        let loaded = by_cluster.values().flatten().zip(outcomes.into_iter().flatten().flatten());
        let mut warnings = Vec::new();
        for (piece, (ok, raised)) in loaded {
            tally.note(piece.pile.last(), &piece.target);
            if !piece.is_copy {
                tally.add(&ok);
                warnings.push(raised);
            }
        }
        self.warnings.add(in_order(warnings));
        Ok(())
    }

    /// What each target is sent. Rows of a broadcast table go to all of its copies.
    async fn pieces(
        &mut self,
        job: &Job<'_>,
        piles: &mut Piles,
        facts: &mut Facts,
    ) -> Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        for (target, pile) in piles.take() {
            let table = job.load.table.as_ref();
            let copies = match table.map(|table| &table.kind) {
                Some(TableKind::Broadcast { shards }) => {
                    shards.iter().map(|&shard| Target { shard, part: None }).collect()
                }
                Some(TableKind::Single { .. } | TableKind::Sharded(_)) | None => vec![target],
            };
            for (index, target) in copies.into_iter().enumerate() {
                if let (Some(Part::Period(name)), Some(table), false) =
                    (&target.part, table, pile.numbers.is_empty())
                {
                    self.ensure_period(&table.name, &target, name).await?;
                }
                let text = self.load_text(job, &target, facts)?;
                pieces.push(Piece { target, text, pile: pile.clone(), is_copy: index > 0 });
            }
        }
        Ok(pieces)
    }

    /// Loads pieces of one cluster one after the other.
    async fn load_in_turn(
        &self,
        job: &Job<'_>,
        lent: &mut Lent,
        pieces: &[Piece],
    ) -> Result<Vec<Loaded>> {
        let mut loaded = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let outcome = self.load_piece(job, lent, piece).await;
            let ok = outcome.map_err(|error| {
                renumbered_error(self.restore(error, &piece.target), &piece.pile.numbers)
            })?;
            let mut raised = self.raised(lent, &piece.target).await;
            for warning in &mut raised.list {
                warning.message = renumbered(&warning.message, &piece.pile.numbers);
            }
            loaded.push((ok, raised));
        }
        Ok(loaded)
    }

    async fn load_piece(&self, job: &Job<'_>, lent: &mut Lent, piece: &Piece) -> Result<OkPacket> {
        self.ready_to_load(job, lent, &piece.target).await?;
        let mut upload = lent.lease.upload(&piece.text).await?;
        upload.send(&piece.pile.data).await?;
        upload.finish().await
    }

    /// Brings a connection to where it takes the statement.
    pub(super) async fn ready_to_load(
        &self,
        job: &Job<'_>,
        lent: &mut Lent,
        target: &Target,
    ) -> Result<()> {
        let database = &self.snapshot.shard(target.shard)?.database;
        lent.lease.set_deadline(self.deadline);
        let state = self.clocked.as_ref().unwrap_or(self.state);
        lent.lease.ensure_state(&state.in_database(database)).await?;
        lent.prepare().await?;
        job.aftermath.doubt(&mut lent.lease);
        Ok(())
    }
}

fn renumbered_error(error: Error, numbers: &[u64]) -> Error {
    match error.kind() {
        ErrorKind::Server(own) => {
            let mut own = own.clone();
            own.message = renumbered(&own.message, numbers);
            Error::server(own)
        }
        _ => error,
    }
}
