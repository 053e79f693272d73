//! The connection on which rows are gathered.

use std::sync::Arc;

use bytes::Bytes;

use super::load::{Abilities, Loader, add, loading_state};
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
    async fn loading(&mut self, abilities: &Abilities) -> Result<&mut Loader> {
        if self.loader.is_none() {
            let loader = Loader::begin(&mut self.lent.lease, &self.state, abilities).await?;
            self.loader = Some(loader);
        }
        self.loader
            .as_mut()
            .ok_or_else(|| crate::error::Error::internal("a loader that was just made is gone"))
    }

    /// Makes a table under all its names.
    pub(super) async fn create(&mut self, table: &Table, abilities: &Abilities) -> Result<()> {
        self.loading(abilities).await?;
        if let Some(loader) = &mut self.loader {
            add(loader, &mut self.lent.lease, table, &[]).await?;
        }
        Ok(())
    }

    /// Adds rows to the first table.
    pub(super) async fn insert(
        &mut self,
        table: &Table,
        tuples: &[u8],
        abilities: &Abilities,
    ) -> Result<()> {
        self.loading(abilities).await?;
        if let (Some(loader), Some(first)) = (&mut self.loader, table.names.first()) {
            loader.insert(&mut self.lent.lease, table, first, tuples).await?;
        }
        Ok(())
    }

    /// Copies the rows to the other names.
    pub(super) async fn copy(&mut self, table: &Table, abilities: &Abilities) -> Result<()> {
        self.loading(abilities).await?;
        if let Some(loader) = &mut self.loader {
            loader.copy(&mut self.lent.lease, table)?;
        }
        Ok(())
    }

    /// Adds a table whose rows are held, unless it is there.
    pub(super) async fn hold(&mut self, held: &Held, abilities: &Abilities) -> Result<()> {
        let Some(first) = held.table.names.first() else { return Ok(()) };
        let mark = format!("{}.{first}", self.database);
        if self.lent.lease.holds_temporary(&mark) {
            return Ok(());
        }
        self.lent.lease.note_temporary(&mark);
        self.loading(abilities).await?;
        if let Some(loader) = &mut self.loader {
            let tuples: &[Bytes] = &held.tuples;
            add(loader, &mut self.lent.lease, &held.table, tuples).await?;
        }
        Ok(())
    }

    /// All that was sent has arrived: a statement may run.
    pub(super) async fn finish(&mut self) -> Result<()> {
        match self.loader.take() {
            Some(mut loader) => loader.finish(&mut self.lent.lease).await,
            None => Ok(()),
        }
    }
}
