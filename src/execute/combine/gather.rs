//! The connection on which rows are gathered.

use std::sync::Arc;

use bytes::Bytes;

use super::load::{Abilities, Loader, add, full_name, loading_state};
use super::table::{Held, Table};
use crate::backend::{Deadline, SessionState};
use crate::catalog::ShardId;
use crate::error::Result;
use crate::transaction::Lent;

/// A connection with temporary tables, in one database.
pub(super) struct Gather {
    pub(super) lent: Lent,
    pub(super) database: String,
    /// Whose database it is; None: no table is read there.
    pub(super) shard: Option<ShardId>,
    state: Arc<SessionState>,
    /// None: not in the state of loading.
    loader: Option<Loader>,
}

impl Gather {
    pub(super) fn new(
        mut lent: Lent,
        database: String,
        base: &SessionState,
        shard: Option<ShardId>,
        deadline: Option<Deadline>,
    ) -> Self {
        lent.lease.set_deadline(deadline);
        let state = loading_state(base, &database);
        Self { lent, database, shard, state, loader: None }
    }

    /// Ready for tables and rows.
    async fn loading(&mut self, abilities: &Abilities) -> Result<()> {
        if self.loader.is_none() {
            let loader = Loader::begin(&mut self.lent.lease, &self.state, abilities).await?;
            self.loader = Some(loader);
        }
        Ok(())
    }

    /// Makes a table under all its names.
    pub(super) async fn create(&mut self, table: &Table, abilities: &Abilities) -> Result<()> {
        self.loading(abilities).await?;
        if let Some(loader) = &self.loader {
            add(loader, &mut self.lent.lease, table, &[]).await?;
        }
        Ok(())
    }

    /// Adds rows to the first table, which has so many of them then.
    pub(super) async fn insert(
        &mut self,
        table: &mut Table,
        (tuples, rows): (&[u8], u64),
        abilities: &Abilities,
    ) -> Result<()> {
        self.loading(abilities).await?;
        if let Some(loader) = &self.loader {
            for text in table.outgrown(rows, loader.dialect) {
                loader.send(&mut self.lent.lease, &text)?;
            }
        }
        if let (Some(loader), Some(first)) = (&self.loader, table.names.first()) {
            loader.insert(&mut self.lent.lease, table, first, tuples).await?;
        }
        Ok(())
    }

    /// The statement by which the first table takes a file of rows. None: its server takes none, or not
    /// such rows.
    pub(super) fn file_of(&self, table: &Table) -> Option<Vec<u8>> {
        self.loader.as_ref()?.file_of(table, table.names.first()?)
    }

    /// Adds a file of rows to the first table, which has so many of them then.
    pub(super) async fn load(
        &mut self,
        table: &mut Table,
        statement: &[u8],
        (lines, rows): (&[u8], u64),
        abilities: &Abilities,
    ) -> Result<()> {
        self.loading(abilities).await?;
        if let Some(loader) = &self.loader {
            for text in table.outgrown(rows, loader.dialect) {
                loader.send(&mut self.lent.lease, &text)?;
            }
        }
        let loaded = self.lent.lease.load_step(statement, lines).await;
        if loaded.is_err() {
            // It may take files no more.
            abilities.forget(self.lent.lease.node_name());
        }
        loaded
    }

    /// Copies the rows, so many in all, to the other names.
    pub(super) async fn copy(
        &mut self,
        table: &mut Table,
        rows: u64,
        abilities: &Abilities,
    ) -> Result<()> {
        self.loading(abilities).await?;
        if let Some(loader) = &self.loader {
            for text in table.few(rows, loader.dialect) {
                loader.send(&mut self.lent.lease, &text)?;
            }
            loader.copy(&mut self.lent.lease, table)?;
        }
        Ok(())
    }

    /// Adds a table whose rows are held, unless it is there.
    pub(super) async fn hold(&mut self, held: &Held, abilities: &Abilities) -> Result<()> {
        let Some(first) = held.table.names.first() else { return Ok(()) };
        if self.lent.lease.holds_temporary(&full_name(&self.database, first)) {
            return Ok(());
        }
        self.loading(abilities).await?;
        if let Some(loader) = &self.loader {
            let tuples: &[Bytes] = &held.tuples;
            add(loader, &mut self.lent.lease, &held.table, tuples).await?;
        }
        Ok(())
    }

    /// A statement follows: what it needs goes out with it at the latest.
    pub(super) fn finish(&mut self) {
        self.loader = None;
    }
}
