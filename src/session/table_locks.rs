//! LOCK TABLES and HANDLER.
//!
//! Tables are locked by one connection to each of their clusters, where all of them are locked by one
//! statement; clusters come in the order of the rules, so that no two sessions wait for each other. From
//! then on the session runs on these connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Session;
use super::tables::{no_database, unknown_schema};
use crate::backend::Keeper;
use crate::catalog::{ShardId, TableKind};
use crate::error::{Error, Result};
use crate::execute::run::Call;
use crate::execute::{Reply, Summary};
use crate::plan::template::Target;
use crate::plan::views::View;
use crate::sql::query::TableName;
use crate::sql::references::of_query;
use crate::sql::splice::Splices;
use crate::sql::statement::{Handler, HandlerAction, Hints, StatementKind, TableLocks};
use crate::sql::{self, quote};
use crate::transaction::Begin;

/// A table that is to be locked.
struct Wanted<'a> {
    schema: String,
    table: String,
    alias: Option<String>,
    kind: &'a str,
    /// The client has named it, and no view.
    named: bool,
}

/// What is locked on one cluster: by which shard, and each table as `database.table [AS alias]` with the
/// kind of its lock.
type Places = BTreeMap<usize, (ShardId, Vec<(Vec<u8>, String)>)>;

impl Session {
    /// Locks tables wherever they are.
    pub(super) async fn lock_tables(&mut self, locks: &TableLocks) -> Result<Reply> {
        self.commit().await?;
        self.unlock_tables().await?;
        let places = self.places(&self.wanted(locks).await?)?;
        // What is on pinned connections already must be unlocked even if this is given up half way.
        for (cluster, (shard, _)) in &places {
            if self.pins.keeper(*cluster).is_some() {
                self.pins.pin(*cluster).locks_tables = Some(*shard);
            }
        }
        if !self.state.autocommits() {
            // To servers it begins with the locks.
            let next = std::mem::take(&mut self.next);
            self.transaction.begin(&Begin { implied: true, locked: true, ..next });
        }
        for (cluster, (shard, tables)) in places {
            let mut text = b"LOCK TABLES ".to_vec();
            for (index, (table, kind)) in tables.iter().enumerate() {
                let comma: &[u8] = if index > 0 { b", " } else { b"" };
                text = [&text, comma, table, b" ", kind.as_bytes()].concat();
            }
            if let Some(wait) = &locks.wait {
                text = [&text, b" ".as_slice(), wait.as_bytes()].concat();
            }
            match self.leave(text, (cluster, shard)).await {
                Ok(keeper) => {
                    let pin = self.pins.pin(cluster);
                    (pin.keeper, pin.locks_tables) = (keeper, Some(shard));
                }
                Err(error) => {
                    self.rollback().await?;
                    self.unlock_tables().await?;
                    return Err(error);
                }
            }
        }
        Ok(Reply::Done(Summary::default()))
    }

    /// UNLOCK TABLES, also as a part of what follows. It commits if tables are locked.
    pub(super) async fn unlock_tables(&mut self) -> Result<()> {
        let locked = self.pins.locked();
        if locked.is_empty() {
            return Ok(());
        }
        let mut outcome = self.commit().await;
        self.under_locks = false;
        for (cluster, shard) in locked {
            let unlocked = self.leave(b"UNLOCK TABLES".to_vec(), (cluster, shard)).await;
            self.pins.pin(cluster).locks_tables = None;
            outcome = outcome.and(unlocked.map(drop));
        }
        self.pins.release_clean();
        (self.uses_pins, self.reads_pins) = (false, false);
        outcome
    }

    /// The tables to lock: those that are named, and those that views of Margay's read.
    async fn wanted<'a>(&self, locks: &'a TableLocks) -> Result<Vec<Wanted<'a>>> {
        let mut wanted = Vec::new();
        for lock in &locks.tables {
            match self.view(&lock.table).await? {
                Some(view) => self.want_view(view, &lock.kind, &mut wanted).await?,
                None => {
                    let named = lock.table.schema.as_ref().map(|schema| schema.value.as_str());
                    let schema = named.or(self.schema.as_deref()).ok_or_else(no_database)?;
                    wanted.push(Wanted {
                        schema: schema.to_owned(),
                        table: lock.table.name.value.clone(),
                        alias: lock.alias.clone(),
                        kind: &lock.kind,
                        named: true,
                    });
                }
            }
        }
        Ok(wanted)
    }

    async fn want_view<'a>(
        &self,
        view: Arc<View>,
        kind: &'a str,
        wanted: &mut Vec<Wanted<'a>>,
    ) -> Result<()> {
        let mut views = vec![view];
        let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
        while let Some(view) = views.pop() {
            if !seen.insert((view.schema.clone(), view.name.clone())) {
                continue;
            }
            let statement = sql::parse(view.definition.as_bytes(), &sql::Mode::default())?;
            let StatementKind::Query(query) = &statement.kind else { continue };
            for reference in of_query(query) {
                if let Some(view) = self.view(reference.table).await? {
                    views.push(view);
                    continue;
                }
                let schema = reference.table.schema.as_ref().map(|schema| schema.value.clone());
                wanted.push(Wanted {
                    schema: schema.unwrap_or_else(|| view.schema.clone()),
                    table: reference.table.name.value.clone(),
                    alias: reference.from.and_then(|from| Some(from.alias.as_ref()?.value.clone())),
                    kind,
                    named: false,
                });
            }
        }
        Ok(())
    }

    /// Where tables are locked.
    ///
    /// # Errors
    /// Servers could not lock them as statements will name them.
    fn places(&self, wanted: &[Wanted<'_>]) -> Result<Places> {
        let catalog = &self.snapshot.catalog;
        let mut places = Places::new();
        for Wanted { schema, table, alias, kind, named } in wanted {
            let schema = catalog.schema(schema).ok_or_else(|| unknown_schema(schema))?;
            let table = schema.table(table);
            if table.sharded().is_some_and(|sharded| sharded.parts.is_some()) {
                return Err(Error::unsupported(format!(
                    "LOCK TABLES of `{}`, which has several tables in one database, is not supported; lock \
                     rows by SELECT ... FOR UPDATE",
                    table.name
                )));
            }
            let shards: BTreeSet<ShardId> = table.shards().iter().copied().collect();
            for shard in shards {
                let found = catalog.shard(shard);
                let found = found.ok_or_else(|| Error::internal("an unknown shard"))?;
                let mut text = quote::identifier(found.database.as_bytes());
                text.push(b'.');
                text.extend(quote::identifier(table.name.as_bytes()));
                if let Some(alias) = alias {
                    text.extend_from_slice(b" AS ");
                    text.extend(quote::identifier(alias.as_bytes()));
                }
                let (_, tables) =
                    places.entry(found.cluster).or_insert_with(|| (shard, Vec::new()));
                if *named || tables.iter().all(|(known, _)| *known != text) {
                    tables.push((text, (*kind).to_owned()));
                }
            }
        }
        Ok(places)
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
