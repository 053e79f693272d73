//! Pools of connections, and the lease of one.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::backend::channel::Deadline;
use crate::backend::connection::Connection;
use crate::backend::keeper::Keeper;
use crate::backend::login::{ConnectError, Target};
use crate::backend::node::Node;
use crate::backend::settings::Settings;
use crate::backend::state::SessionState;
use crate::error::{Error, ErrorKind, Result};

/// Connections at rest, each in a box: one is taken out of the middle, and goes from hand to hand.
type Idle = Vec<Box<Connection>>;

/// The connections to one node with the same value of `CLIENT_FOUND_ROWS`.
pub(super) struct Pool {
    target: Arc<Target>,
    settings: Arc<Settings>,
    found_rows: bool,
    /// A permit for each connection that may be lent; one that is lent has taken it.
    places: Semaphore,
    /// Those at rest. The last one was used last.
    idle: Mutex<Idle>,
    waiting: AtomicUsize,
}

/// How little a connection at rest needs to be of use, best last. Another schema or other variables cost
/// a round trip, another thread a few system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    has_state: bool,
    has_schema: bool,
    is_at_home: bool,
}

impl Fit {
    const BEST: Self = Self { has_state: true, has_schema: true, is_at_home: true };

    fn of(connection: &Connection, state: Option<&Arc<SessionState>>, here: ThreadId) -> Self {
        let own = connection.state();
        let has_state = state.is_none_or(|state| Arc::ptr_eq(own, state));
        let has_schema = has_state || state.is_some_and(|state| own.schema == state.schema);
        Self { has_state, has_schema, is_at_home: connection.is_at_home(here) }
    }
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

/// Which connection would suit best.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// An UPDATE counts the rows it found, rather than those it changed. Always fulfilled.
    pub found_rows: bool,
    /// What is to be set on it: best it is already.
    pub state: Option<&'a Arc<SessionState>>,
}

impl Pool {
    pub(super) fn new(target: Arc<Target>, settings: Arc<Settings>, found_rows: bool) -> Self {
        let places = Semaphore::new(settings.pool_size.clamp(1, Semaphore::MAX_PERMITS));
        let (idle, waiting) = (Mutex::default(), AtomicUsize::new(0));
        Self { target, settings, found_rows, places, idle, waiting }
    }

    /// An idle connection, or a new one, or one that comes back within `backend.pool_wait`.
    pub(super) async fn get(
        self: &Arc<Self>,
        state: Option<&Arc<SessionState>>,
    ) -> Result<Pooled, ConnectError> {
        let mut pooled = self.place().await?;
        while let Some(mut connection) = self.take_idle(state) {
            match connection.stale(&self.settings) {
                None if !connection.move_home() => {}
                None => {
                    pooled.connection = Some(connection);
                    return Ok(pooled);
                }
                Some(reason) => {
                    tracing::debug!(node = %self.target.node, reason, "pooled connection dropped");
                }
            }
        }
        let opened =
            Box::pin(Connection::connect(&self.target, &self.settings, self.found_rows)).await?;
        pooled.connection = Some(Box::new(opened));
        Ok(pooled)
    }

    /// The right to have a connection.
    async fn place(self: &Arc<Self>) -> Result<Pooled, ConnectError> {
        // No timer is set where nobody waits.
        let permit = match self.places.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = Waiting::new(&self.waiting);
                match timeout(self.settings.pool_wait, self.places.acquire()).await {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) | Err(_) => return Err(ConnectError::Refused(self.exhausted())),
                }
            }
        };
        permit.forget();
        Ok(Pooled { connection: None, pool: Arc::clone(self) })
    }

    /// Of the connections at rest the one that needs the least to be brought to `state`. Those used last
    /// come first: their caches are warm, and the others grow old and close.
    fn take_idle(&self, state: Option<&Arc<SessionState>>) -> Option<Box<Connection>> {
        let here = thread::current().id();
        let mut idle = self.idle();
        let mut best: Option<(Fit, usize)> = None;
        for (index, connection) in idle.iter().enumerate().rev() {
            let fit = Fit::of(connection, state, here);
            if best.is_none_or(|(best, _)| fit > best) {
                best = Some((fit, index));
            }
            if fit == Fit::BEST {
                break;
            }
        }
        best.map(|(_, index)| idle.remove(index))
    }

    /// Closes connections that are idle for too long.
    pub(super) fn reap(&self) {
        let is_stale = |it: &mut Box<Connection>| it.stale(&self.settings).is_some();
        // Closed after the lock is given back.
        let stale: Idle = self.idle().extract_if(.., is_stale).collect();
        drop(stale);
    }

    pub(super) fn status(&self) -> PoolStatus {
        let max = self.settings.pool_size.max(1);
        let idle = self.idle().len();
        let lent = max.saturating_sub(self.places.available_permits());
        PoolStatus { max, open: lent + idle, idle, waiting: self.waiting.load(Ordering::Relaxed) }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // It is whole after every single call, so a panic elsewhere broke nothing.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exhausted(&self) -> Error {
        let node = &self.target.node;
        let Settings { pool_size, pool_wait, .. } = *self.settings;
        Error::new(
            ErrorKind::PoolTimeout,
            format!(
                "no connection to {node} became free within backend.pool_wait = {pool_wait:?}: \
                 all of backend.pool_size = {pool_size} are in use; \
                 raise backend.pool_size, or end long transactions"
            ),
        )
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status().fmt(f)
    }
}

/// Counts one that waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection out of its pool. On drop its place is free again, and what is left in it is closed.
pub(super) struct Pooled {
    /// `None` before it is open and after it was given back.
    connection: Option<Box<Connection>>,
    pool: Arc<Pool>,
}

impl Pooled {
    /// Puts it back for others.
    fn keep(mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.idle().push(connection);
        }
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        // Closed, or at rest, before another may be opened.
        drop(self.connection.take());
        self.pool.places.add_permits(1);
    }
}

/// A connection borrowed from its pool. On drop it goes back if it is clean, else it is closed: what is
/// left of a reply is never read to save a connection.
pub struct Lease {
    /// `None` only while it is dropped.
    pooled: Option<Pooled>,
    node: Arc<Node>,
    /// Where it goes in place of its pool.
    keeper: Option<Keeper>,
}

impl Lease {
    pub(super) fn new(pooled: Pooled, node: Arc<Node>) -> Self {
        node.lease_begins();
        Self { pooled: Some(pooled), node, keeper: None }
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
        let connection = self.pooled.as_ref().and_then(|pooled| pooled.connection.as_deref());
        connection.expect("it is there until drop")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        let connection = self.pooled.as_mut().and_then(|pooled| pooled.connection.as_deref_mut());
        connection.expect("it is there until drop")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut pooled) = self.pooled.take() else { return };
        let Some(connection) = &mut pooled.connection else { return };
        connection.end_report();
        if let Some(keeper) = self.keeper.take() {
            if connection.can_be_kept() {
                connection.set_deadline(None);
                let node = Arc::clone(&self.node);
                keeper.take_back(Self { pooled: Some(pooled), node, keeper: None });
                return;
            }
            keeper.lose();
        }
        let must_clean = !connection.is_clean() && connection.is_clean_but_for_temporaries();
        if must_clean && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(clean(pooled, Arc::clone(&self.node)));
        } else {
            give_back(pooled, &self.node);
        }
    }
}

/// Keeps it if it is clean, else closes it.
fn give_back(mut pooled: Pooled, node: &Arc<Node>) {
    let Some(connection) = &mut pooled.connection else { return };
    let is_broken = connection.is_broken();
    if connection.is_clean() {
        connection.returned_now();
        pooled.keep();
    } else {
        if !connection.is_between_replies() {
            end_on_server(Arc::clone(node), connection.thread_id());
        }
        drop(pooled);
    }
    node.lease_ends(is_broken);
}

/// Temporary tables are dropped before others wait for the connection.
async fn clean(mut pooled: Pooled, node: Arc<Node>) {
    let deadline = Deadline {
        at: Instant::now() + node.settings().connect_timeout,
        setting: "dropping temporary tables ran into backend.connect_timeout",
    };
    if let Some(connection) = &mut pooled.connection {
        connection.set_deadline(Some(deadline));
        if let Err(error) = connection.clean().await {
            tracing::debug!(node = %node.name(), %error, "connection not cleaned");
        }
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
