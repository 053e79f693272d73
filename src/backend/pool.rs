//! Pools of connections, and the lease of one.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, Object, PoolConfig, PoolError, QueueMode, RecycleError, RecycleResult,
    TimeoutType, Timeouts,
};
use tokio::time::Instant;

use crate::backend::channel::Deadline;
use crate::backend::connection::Connection;
use crate::backend::keeper::Keeper;
use crate::backend::login::{ConnectError, Target};
use crate::backend::node::Node;
use crate::backend::settings::Settings;
use crate::error::{Error, ErrorKind, Result};

/// The connections to one node with the same value of `CLIENT_FOUND_ROWS`.
pub(super) struct Pool {
    pool: managed::Pool<Opener>,
    settings: Arc<Settings>,
}

/// Opens connections for a pool, and looks at those that come back from it.
struct Opener {
    target: Arc<Target>,
    settings: Arc<Settings>,
    found_rows: bool,
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolStatus {
    pub max: usize,
    pub open: usize,
    pub idle: usize,
    /// Statements that wait for a connection.
    pub waiting: usize,
}

impl managed::Manager for Opener {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, ConnectError> {
        Box::pin(Connection::connect(&self.target, &self.settings, self.found_rows)).await
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        _: &Metrics,
    ) -> RecycleResult<ConnectError> {
        match connection.stale(&self.settings) {
            Some(reason) => {
                tracing::debug!(node = %self.target.node, reason, "pooled connection dropped");
                Err(RecycleError::message(reason))
            }
            None => Ok(()),
        }
    }
}

impl Pool {
    pub(super) fn new(target: Arc<Target>, settings: Arc<Settings>, found_rows: bool) -> Self {
        let timeouts = Timeouts { wait: Some(settings.pool_wait), create: None, recycle: None };
        // Those used last are used next: their caches are warm, and the others grow old and close.
        let queue_mode = QueueMode::Lifo;
        let max_size = settings.pool_size.max(1);
        let config = PoolConfig { max_size, timeouts, queue_mode };
        let opener = Opener { target, settings: Arc::clone(&settings), found_rows };
        let pool = managed::Pool::builder(opener)
            .config(config)
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a pool with timeouts builds if it has a runtime");
        Self { pool, settings }
    }

    /// An idle connection, or a new one, or one that comes back within `backend.pool_wait`.
    pub(super) async fn get(&self) -> Result<Pooled, ConnectError> {
        self.pool.get().await.map(Pooled).map_err(|error| self.explain(error))
    }

    /// Closes connections that are idle for too long.
    pub(super) fn reap(&self) {
        self.pool.retain(|connection, _| connection.stale(&self.settings).is_none());
    }

    pub(super) fn status(&self) -> PoolStatus {
        let status = self.pool.status();
        PoolStatus {
            max: status.max_size,
            open: status.size,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    fn explain(&self, error: PoolError<ConnectError>) -> ConnectError {
        let node = &self.pool.manager().target.node;
        let Settings { pool_size, pool_wait, .. } = *self.settings;
        let error = match error {
            PoolError::Backend(error) => return error,
            PoolError::Timeout(TimeoutType::Wait) => Error::new(
                ErrorKind::PoolTimeout,
                format!(
                    "no connection to {node} became free within backend.pool_wait = {pool_wait:?}: \
                     all of backend.pool_size = {pool_size} are in use; \
                     raise backend.pool_size, or end long transactions"
                ),
            ),
            PoolError::Closed => {
                Error::new(ErrorKind::ShuttingDown, format!("{node}: its pool is closed"))
            }
            other @ (PoolError::Timeout(_)
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_)) => Error::internal(format!("{node}: pool: {other:?}")),
        };
        ConnectError::Refused(error)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status().fmt(f)
    }
}

/// A connection out of its pool; on drop it goes back.
pub(super) struct Pooled(Object<Opener>);

/// A connection borrowed from its pool. On drop it goes back if it is clean, else it is closed: what is
/// left of a reply is never read to save a connection.
pub struct Lease {
    /// `None` only while it is dropped.
    connection: Option<Pooled>,
    node: Arc<Node>,
    /// Where it goes in place of its pool.
    keeper: Option<Keeper>,
}

impl Lease {
    pub(super) fn new(connection: Pooled, node: Arc<Node>) -> Self {
        node.lease_begins();
        Self { connection: Some(connection), node, keeper: None }
    }

    pub(super) fn set_keeper(&mut self, keeper: Keeper) {
        self.keeper = Some(keeper);
    }

    /// The node that it leads to.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection.as_ref().expect("it is there until drop").0
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection.as_mut().expect("it is there until drop").0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut pooled) = self.connection.take() else { return };
        pooled.0.end_report();
        let node = Arc::clone(&self.node);
        if let Some(keeper) = self.keeper.take() {
            let Pooled(connection) = &mut pooled;
            if connection.can_be_kept() {
                connection.set_deadline(None);
                keeper.take_back(Self { connection: Some(pooled), node, keeper: None });
                return;
            }
            keeper.lose();
        }
        let must_clean = !pooled.0.is_clean() && pooled.0.is_clean_but_for_temporaries();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if must_clean => drop(runtime.spawn(clean(pooled, node))),
            Ok(_) | Err(_) => give_back(pooled, &node),
        }
    }
}

/// Keeps it if it is clean, else closes it.
fn give_back(Pooled(mut connection): Pooled, node: &Arc<Node>) {
    let is_broken = connection.is_broken();
    if connection.is_clean() {
        connection.returned_now();
    } else {
        if !connection.is_between_replies() {
            end_on_server(Arc::clone(node), connection.thread_id());
        }
        drop(Object::take(connection));
    }
    node.lease_ends(is_broken);
}

/// Temporary tables are dropped before others wait for the connection.
async fn clean(mut pooled: Pooled, node: Arc<Node>) {
    let deadline = Deadline {
        at: Instant::now() + node.settings().connect_timeout,
        setting: "dropping temporary tables ran into backend.connect_timeout",
    };
    pooled.0.set_deadline(Some(deadline));
    if let Err(error) = pooled.0.clean().await {
        tracing::debug!(node = %node.name(), %error, "connection not cleaned");
    }
    give_back(pooled, &node);
}

/// A server notices a closed connection only when it answers: until then the statement given up here
/// would run on, hold its locks, and a write would commit.
fn end_on_server(node: Arc<Node>, thread_id: u32) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        if let Err(error) = node.kill_connection(thread_id).await {
            tracing::debug!(node = %node.name(), thread_id, %error, "statement not ended");
        }
    });
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
