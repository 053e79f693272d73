//! Everything that a statement is judged by: configuration, catalog, backends. It is never changed; a
//! reload replaces it, and statements that run keep theirs to their end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};
use tokio::time::Instant;

use super::combine::Abilities;
use super::facts::FactCache;
use super::pins::Pins;
use super::plans::Plans;
use crate::backend::{Access, Backends, Deadline};
use crate::catalog::{Catalog, Schema, Shard, ShardId, Table};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::merge;
use crate::sequence::Sequences;
use crate::transaction::{Coordinator, Lent, Transaction};

pub struct Snapshot {
    pub config: Config,
    pub catalog: Catalog,
    pub backends: Backends,
    pub facts: FactCache,
    pub plans: Plans,
    pub coordinator: Arc<Coordinator>,
    pub(super) sequences: Sequences,
    /// Connections that scatters may hold at once, a semaphore a cluster. A scatter takes all it needs
    /// of a cluster in one go, clusters in order, so that no two wait for each other.
    scatter: Vec<Arc<Semaphore>>,
    /// `combine.concurrency`
    combine: Arc<Semaphore>,
    /// Held alone while time tables are altered: one that is made meanwhile would be as they were before.
    pub(super) altering: RwLock<()>,
    /// Of servers where temporary tables were made.
    pub(super) abilities: Abilities,
    /// The schema whose tables lie on a shard, and its name as columns tell it.
    schemas: BTreeMap<ShardId, (String, Bytes)>,
    /// Tables whose physical tables have other names, by schema.
    renamed: BTreeMap<String, Vec<Arc<Table>>>,
}

impl Snapshot {
    pub fn new(config: Config, catalog: Catalog, backends: Backends) -> Self {
        let size = config.settings.backend.pool_size as usize;
        let scatter = config.clusters.iter().map(|_| Arc::new(Semaphore::new(size))).collect();
        let of_schema = |schema: &Schema| {
            let name = schema.name.clone();
            let shown = Bytes::copy_from_slice(name.as_bytes());
            schema.shards().into_iter().map(move |shard| (shard, (name.clone(), shown.clone())))
        };
        let schemas = catalog.schemas.values().flat_map(of_schema).collect();
        let renamed = |schema: &Schema| {
            let is_renamed = |table: &&Arc<Table>| {
                table.sharded().is_some_and(|sharded| sharded.parts.is_some())
            };
            let tables = schema.tables.values().filter(is_renamed).cloned().collect();
            (schema.name.clone(), tables)
        };
        let renamed = catalog.schemas.values().map(renamed).collect();
        let combine = Arc::new(Semaphore::new(config.settings.combine.concurrency as usize));
        let coordinator = Arc::new(Coordinator::new(&config.settings.transactions, &backends));
        let sequences = Sequences::new(&config.settings, &backends);
        let facts = FactCache::new(config.settings.backend.columns_ttl);
        let plans = Plans::new(config.settings.limits.plan_cache.0);
        let abilities = Default::default();
        Self {
            config,
            catalog,
            backends,
            facts,
            plans,
            coordinator,
            sequences,
            scatter,
            combine,
            altering: RwLock::default(),
            abilities,
            schemas,
            renamed,
        }
    }

    /// The transaction's connection to a cluster, which joins it if need be.
    pub(super) async fn join(
        &self,
        transaction: &mut Transaction,
        cluster: usize,
        found_rows: bool,
        pins: &Pins,
    ) -> Result<Lent> {
        if let Some(lent) = transaction.take(cluster)? {
            return Ok(lent);
        }
        let lease = match pins.keeper(cluster) {
            Some(keeper) => keeper.lend(self.config.settings.backend.pool_wait).await?,
            None => self.backends.lease(cluster, Access::Primary, found_rows).await?,
        };
        transaction.open(cluster, lease, &self.coordinator).await
    }

    /// When a statement that starts now must be over: after `timeout` of its own if it has one.
    pub fn deadline(&self, timeout: Option<Duration>) -> Option<Deadline> {
        let settings = &self.config.settings;
        let limits = [
            (timeout, "the hint `timeout`"),
            (settings.limits.statement_timeout, "`limits.statement_timeout`"),
            (settings.backend.query_timeout, "`backend.query_timeout`"),
        ];
        let set = limits.into_iter().filter_map(|(limit, setting)| {
            limit.map(|limit| Deadline { at: Instant::now() + limit, setting })
        });
        set.min_by_key(|deadline| deadline.at)
    }

    pub(super) fn shard(&self, id: ShardId) -> Result<&Shard> {
        self.catalog
            .shard(id)
            .ok_or_else(|| Error::internal(format!("there is no shard number {}", id.index())))
    }

    /// The schema whose tables lie on a shard.
    pub fn schema_of(&self, shard: ShardId) -> Option<&Schema> {
        self.schemas.get(&shard).and_then(|(name, _)| self.catalog.schema(name))
    }

    /// The name of the schema whose tables lie on a shard.
    pub(super) fn shown_schema(&self, shard: ShardId) -> Option<&Bytes> {
        self.schemas.get(&shard).map(|(_, shown)| shown)
    }

    /// The tables of a schema whose physical tables have other names.
    pub(super) fn renamed_in(&self, schema: &Schema) -> &[Arc<Table>] {
        self.renamed.get(&schema.name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn merge_limits(&self) -> merge::Limits {
        let limits = &self.config.settings.limits;
        merge::Limits { sort_rows: limits.sort_rows.into(), sort_bytes: limits.sort_bytes.0 }
    }

    /// Waits until a statement may gather rows.
    pub(super) async fn combine_slot(&self) -> Result<OwnedSemaphorePermit> {
        let settings = &self.config.settings.combine;
        let wait = tokio::time::timeout(settings.wait, self.combine.clone().acquire_owned());
        match wait.await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(Error::new(ErrorKind::ShuttingDown, "shutting down")),
            Err(_) => Err(Error::new(
                ErrorKind::PoolTimeout,
                "other statements gather rows for longer than `combine.wait`; raise \
                 `combine.concurrency` or `combine.wait`",
            )),
        }
    }

    /// Waits until the scatter may open its connections.
    pub(super) async fn scatter_slots(
        &self,
        shards: impl Iterator<Item = ShardId>,
    ) -> Result<Vec<OwnedSemaphorePermit>> {
        let mut wanted: BTreeMap<usize, u32> = BTreeMap::new();
        for shard in shards {
            *wanted.entry(self.shard(shard)?.cluster).or_default() += 1;
        }
        let backend = &self.config.settings.backend;
        let mut slots = Vec::with_capacity(wanted.len());
        for (cluster, count) in wanted {
            let semaphore = self.scatter.get(cluster).cloned();
            let semaphore = semaphore.ok_or_else(|| Error::internal("an unknown cluster"))?;
            if count > backend.pool_size {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!(
                        "the statement needs {count} connections to one cluster at once, over \
                         `backend.pool_size` ({}); add a condition on the sharding key or raise the \
                         setting",
                        backend.pool_size
                    ),
                ));
            }
            let wait = tokio::time::timeout(backend.pool_wait, semaphore.acquire_many_owned(count));
            match wait.await {
                Ok(Ok(permit)) => slots.push(permit),
                Ok(Err(_)) => return Err(Error::new(ErrorKind::ShuttingDown, "shutting down")),
                Err(_) => {
                    return Err(Error::new(
                        ErrorKind::PoolTimeout,
                        "other statements hold all connections for longer than \
                         `backend.pool_wait`; raise `backend.pool_size` or `backend.pool_wait`",
                    ));
                }
            }
        }
        Ok(slots)
    }
}
