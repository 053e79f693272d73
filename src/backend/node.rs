//! One server of a cluster: its state, its load and its connections.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::backend::channel::Deadline;
use crate::backend::connection::Connection;
use crate::backend::login::{ConnectError, Target};
use crate::backend::pool::{Lease, Pool, PoolStatus, Wish};
use crate::backend::settings::{NodeSpec, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::gtid::GtidSet;

/// What a node is in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Primary,
    Replica,
}

/// What is known of a node. A node starts as [`NodeState::Up`]: the first statement finds out as soon as
/// the first look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    Up,
    /// A replica that answers, but is further behind than `health.lag_limit`.
    Lagging(Duration),
    /// It does not answer, or does not replicate.
    Down(Arc<str>),
}

/// A server.
pub struct Node {
    role: Role,
    weight: u32,
    target: Arc<Target>,
    settings: Arc<Settings>,
    state: watch::Sender<NodeState>,
    /// A primary that takes no writes, or a replica that does.
    read_only: AtomicBool,
    /// The GTIDs that a replica has applied, as far as is known.
    applied_gtids: watch::Sender<Arc<GtidSet>>,
    /// Connections leased.
    outstanding: AtomicUsize,
    /// Wakes the health task before its time.
    suspected: Notify,
    /// Without and with `CLIENT_FOUND_ROWS`.
    pools: [Arc<Pool>; 2],
}

impl Node {
    pub(super) fn new(
        role: Role,
        spec: &NodeSpec,
        target: Arc<Target>,
        settings: &Arc<Settings>,
    ) -> Self {
        let pool =
            |found_rows| Arc::new(Pool::new(Arc::clone(&target), Arc::clone(settings), found_rows));
        Self {
            role,
            weight: spec.weight,
            state: watch::Sender::new(NodeState::Up),
            read_only: AtomicBool::new(false),
            applied_gtids: watch::Sender::new(Arc::default()),
            outstanding: AtomicUsize::new(0),
            suspected: Notify::new(),
            pools: [pool(false), pool(true)],
            settings: Arc::clone(settings),
            target,
        }
    }

    /// For messages, like `c0 (127.0.0.1:3311)`.
    pub fn name(&self) -> &Arc<str> {
        &self.target.node
    }

    /// `host:port`
    pub fn address(&self) -> &str {
        &self.target.address
    }

    pub fn role(&self) -> Role {
        self.role
    }

    pub fn weight(&self) -> u32 {
        self.weight
    }

    pub fn state(&self) -> NodeState {
        self.state.borrow().clone()
    }

    /// Sees each change of the state.
    pub fn watch(&self) -> watch::Receiver<NodeState> {
        self.state.subscribe()
    }

    pub fn is_up(&self) -> bool {
        *self.state.borrow() == NodeState::Up
    }

    /// The server has `read_only` set.
    pub fn is_read_only(&self) -> bool {
        self.read_only.load(Ordering::Relaxed)
    }

    /// The GTIDs that a replica has applied, as far as is known. Empty while it is down.
    pub fn applied_gtids(&self) -> Arc<GtidSet> {
        self.applied_gtids.borrow().clone()
    }

    /// How many of its connections are leased.
    pub fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// How full its pools are: without and with `CLIENT_FOUND_ROWS`.
    pub fn pools(&self) -> [PoolStatus; 2] {
        self.pools.each_ref().map(|pool| pool.status())
    }

    /// Leases a connection. Fails at once, with kind `NoBackend`, while the node is down. `found_rows`:
    /// whether an UPDATE counts the rows it found, rather than those it changed.
    pub async fn lease(self: &Arc<Self>, found_rows: bool) -> Result<Lease> {
        self.lease_for(Wish { found_rows, state: None }).await
    }

    /// As [`Node::lease`], the connection that suits best.
    pub async fn lease_for(self: &Arc<Self>, wish: Wish<'_>) -> Result<Lease> {
        if let NodeState::Down(reason) = &*self.state.borrow() {
            return Err(self.down(reason));
        }
        let [changed, found] = &self.pools;
        let pool = if wish.found_rows { found } else { changed };
        match pool.get(wish.state).await {
            Ok(connection) => Ok(Lease::new(connection, Arc::clone(self))),
            Err(ConnectError::Refused(error)) => Err(error),
            Err(ConnectError::Unreachable(error)) => {
                self.set_state(NodeState::Down(error.to_string().into()));
                self.suspected.notify_one();
                Err(error)
            }
        }
    }

    /// Ends the statement that runs on a connection of this node, over a connection of its own.
    pub async fn kill_query(&self, thread_id: u32) -> Result<()> {
        self.kill(&format!("KILL QUERY {thread_id}")).await
    }

    /// Ends a connection of this node: what runs on it stops and its transaction is rolled back.
    pub async fn kill_connection(&self, thread_id: u32) -> Result<()> {
        self.kill(&format!("KILL {thread_id}")).await
    }

    async fn kill(&self, statement: &str) -> Result<()> {
        let mut connection = self.open().await?;
        let deadline = Deadline {
            at: Instant::now() + self.settings.connect_timeout,
            setting: "KILL ran into backend.connect_timeout",
        };
        connection.set_deadline(Some(deadline));
        match connection.query_all(statement).await {
            Err(error) if is_unknown_thread(&error) => Ok(()),
            outcome => outcome.map(|_| ()),
        }
    }

    /// A connection that no pool counts.
    pub(super) async fn open(&self) -> Result<Connection> {
        Box::pin(Connection::connect(&self.target, &self.settings, false))
            .await
            .map_err(ConnectError::into_error)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes over what was found out, and logs a change.
    pub(super) fn set_state(&self, state: NodeState) {
        let node = &*self.target.node;
        if matches!(state, NodeState::Down(_)) {
            // It may come back as another server.
            self.set_applied_gtids(GtidSet::default());
        }
        self.state.send_if_modified(|current| {
            if *current == state {
                return false;
            }
            match (&*current, &state) {
                (_, NodeState::Up) => tracing::info!(node, "node is up"),
                (NodeState::Lagging(_), NodeState::Lagging(_))
                | (NodeState::Down(_), NodeState::Down(_)) => {}
                (_, NodeState::Lagging(lag)) => {
                    tracing::warn!(node, ?lag, "replica lags and takes no reads");
                }
                (_, NodeState::Down(reason)) => tracing::warn!(node, %reason, "node is down"),
            }
            *current = state;
            true
        });
    }

    pub(super) fn set_read_only(&self, read_only: bool) {
        let before = self.read_only.swap(read_only, Ordering::Relaxed);
        let node = &*self.target.node;
        match self.role {
            Role::Primary if read_only && !before => {
                tracing::warn!(node, "primary is read-only: writes will fail");
            }
            Role::Primary if before && !read_only => {
                tracing::info!(node, "primary takes writes again");
            }
            Role::Primary | Role::Replica => {}
        }
    }

    /// Whether a replica is known to have applied all of these.
    pub(super) fn has_applied(&self, gtids: &GtidSet) -> bool {
        self.applied_gtids.borrow().contains(gtids)
    }

    /// Takes over all that a replica has applied.
    pub(super) fn set_applied_gtids(&self, gtids: GtidSet) {
        self.applied_gtids.send_if_modified(|current| {
            let is_new = **current != gtids;
            if is_new {
                *current = Arc::new(gtids);
            }
            is_new
        });
    }

    /// A replica was found to have applied these too.
    pub(super) fn add_applied_gtids(&self, gtids: &GtidSet) {
        self.applied_gtids.send_modify(|current| Arc::make_mut(current).add(gtids));
    }

    /// Returns when someone met a broken connection.
    pub(super) async fn suspected(&self) {
        self.suspected.notified().await;
    }

    pub(super) fn reap(&self) {
        self.pools.iter().for_each(|pool| pool.reap());
    }

    pub(super) fn lease_begins(&self) {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lease_ends(&self, is_broken: bool) {
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        if is_broken {
            self.suspected.notify_one();
        }
    }

    fn down(&self, reason: &str) -> Error {
        Error::new(ErrorKind::NoBackend, format!("{} is down: {reason}", self.target.node))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("name", self.name())
            .field("role", &self.role)
            .field("state", &*self.state.borrow())
            .field("pools", &self.pools)
            .finish_non_exhaustive()
    }
}

/// The statement's connection has ended by itself.
fn is_unknown_thread(error: &Error) -> bool {
    const NO_SUCH_THREAD: u16 = 1094;
    matches!(error.kind(), ErrorKind::Server(error) if error.code == NO_SUCH_THREAD)
}
