//! LOCK TABLES and HANDLER, of tables that are on one shard.

use super::Session;
use super::tables::{no_database, unknown_schema};
use crate::backend::Keeper;
use crate::catalog::{ShardId, TableKind};
use crate::error::{Error, Result};
use crate::execute::run::Call;
use crate::execute::{Reply, Summary};
use crate::plan::template::Target;
use crate::sql::query::TableName;
use crate::sql::quote;
use crate::sql::splice::Splices;
use crate::sql::statement::{Handler, HandlerAction, Hints};

impl Session {
    /// Locks tables of one cluster. From then on the session runs on that connection alone.
    pub(super) async fn lock_tables(&mut self, text: &[u8], tables: &[TableName]) -> Result<Reply> {
        if !self.state.autocommits() {
            return Err(Error::unsupported(
                "LOCK TABLES without autocommit is not supported; lock rows by SELECT ... FOR UPDATE",
            ));
        }
        self.commit().await?;
        self.unlock_tables().await?;
        let mut splices = Splices::new();
        let mut place: Option<(usize, ShardId)> = None;
        for table in tables {
            let (cluster, shard) = self.single_place(table, "LOCK TABLES")?;
            if *place.get_or_insert((cluster, shard)) != (cluster, shard) {
                return Err(Error::unsupported(
                    "LOCK TABLES of tables on several shards is not supported; lock rows by SELECT ... \
                     FOR UPDATE",
                ));
            }
            splices.replace(table.span, quote::identifier(table.name.value.as_bytes()));
        }
        let (cluster, shard) = place.ok_or_else(|| Error::internal("LOCK TABLES of none"))?;
        let keeper = self.leave(splices.apply(text)?, (cluster, shard)).await?;
        let pin = self.pins.pin(cluster);
        (pin.keeper, pin.locks_tables) = (keeper, Some(shard));
        Ok(Reply::Done(Summary::default()))
    }

    /// UNLOCK TABLES, also as a part of what follows.
    pub(super) async fn unlock_tables(&mut self) -> Result<()> {
        let Some(cluster) = self.pins.locked() else { return Ok(()) };
        if let Some(shard) = self.pins.pin(cluster).locks_tables {
            self.leave(b"UNLOCK TABLES".to_vec(), (cluster, shard)).await?;
        }
        self.pins.pin(cluster).locks_tables = None;
        self.pins.release_clean();
        self.uses_pins = false;
        Ok(())
    }

    pub(super) async fn handler(&mut self, text: &[u8], handler: &Handler) -> Result<Reply> {
        let named = handler.name.name.value.to_lowercase();
        if let HandlerAction::Open(alias) = &handler.action {
            let (cluster, shard) = self.single_place(&handler.name, "HANDLER")?;
            let mut splices = Splices::new();
            splices
                .replace(handler.name.span, quote::identifier(handler.name.name.value.as_bytes()));
            let keeper = self.leave(splices.apply(text)?, (cluster, shard)).await?;
            let name = alias.as_ref().map_or(named, |alias| alias.value.to_lowercase());
            let pin = self.pins.pin(cluster);
            pin.keeper = keeper;
            pin.handlers.insert(name, shard);
            return Ok(Reply::Done(Summary::default()));
        }
        let Some((cluster, shard)) = self.pins.handler(&named) else {
            let message = format!("Unknown table '{}' in HANDLER", handler.name.name.value);
            return Err(super::into::own_error(1109, b"42S02", &message));
        };
        if handler.action == HandlerAction::Read {
            self.uses_pins = true;
            return self.run_at(text, &Target { shard, part: None }).await;
        }
        self.leave(text.to_vec(), (cluster, shard)).await?;
        self.pins.pin(cluster).handlers.remove(&named);
        self.pins.release_clean();
        Ok(Reply::Done(Summary::default()))
    }

    /// Runs a text on the connection to which the session is, or will be, pinned.
    async fn leave(&mut self, text: Vec<u8>, (cluster, shard): (usize, ShardId)) -> Result<Keeper> {
        let keeper = self.pins.keeper(cluster).cloned();
        let is_new = keeper.is_none();
        let keeper = keeper.unwrap_or_default();
        self.uses_pins = true;
        let snapshot = self.snapshot.clone();
        let target = Target { shard, part: None };
        let mut run = self.runner(&snapshot, &Hints::default(), Call::Text);
        run.leave_by(text, &target, is_new.then_some(&keeper)).await?;
        Ok(keeper)
    }

    /// The cluster and the shard of a table that is in one place.
    fn single_place(&self, table: &TableName, what: &str) -> Result<(usize, ShardId)> {
        let named = table.schema.as_ref().map(|schema| schema.value.as_str());
        let name = named.or(self.schema.as_deref()).ok_or_else(no_database)?;
        let catalog = &self.snapshot.catalog;
        let schema = catalog.schema(name).ok_or_else(|| unknown_schema(name))?;
        let TableKind::Single { shard } = schema.table(&table.name.value).kind else {
            return Err(Error::unsupported(format!(
                "{what} of the sharded or broadcast table `{}` is not supported; lock rows by SELECT \
                 ... FOR UPDATE",
                table.name.value
            )));
        };
        let found = catalog.shard(shard).ok_or_else(|| Error::internal("an unknown shard"))?;
        Ok((found.cluster, shard))
    }
}
