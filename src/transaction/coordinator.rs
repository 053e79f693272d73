//! What the transactions of this proxy share: the bookkeeping on the clusters, and who is under way.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::fence::{Closed, Fence};
use super::machine::Decision;
use super::records::Records;
use super::xid::{Home, TransactionId};
use crate::backend::cluster::Cluster;
use crate::backend::{Backends, Bookkeeping, Deadline, Lease, QueryResult, SessionState};
use crate::config::Transactions as Settings;
use crate::error::{Error, ErrorKind, Result, ServerError};

/// How long a question to the bookkeeping may take.
const ASK_LIMIT: Duration = Duration::from_secs(5);
/// How long the question waits for a transaction that has the record locked, in seconds.
const LOCK_WAIT_SECONDS: &str = "1";
/// Records to delete are kept in memory up to here; older ones go by their age.
const FORGET_MAX: usize = 100_000;
/// Duplicate entry: the record is there.
const DUPLICATE: u16 = 1062;
/// Lock wait timeout: the transaction that has the record locked may still commit.
const LOCK_WAIT_TIMEOUT: u16 = 1205;

pub struct Coordinator {
    clusters: Vec<Arc<Cluster>>,
    /// What each cluster is called in names of transactions, once its bookkeeping is known to be there.
    homes: Vec<OnceCell<Home>>,
    records: Records,
    commit_timeout: Duration,
    fence: Fence,
    in_flight: Mutex<HashSet<TransactionId>>,
    /// Records of transactions that are committed everywhere.
    forgotten: Mutex<BTreeMap<usize, Vec<TransactionId>>>,
}

/// A transaction of this proxy that is under way; recovery lets it be until this is dropped.
pub(super) struct InFlight {
    coordinator: Arc<Coordinator>,
    id: TransactionId,
}

impl Coordinator {
    pub fn new(settings: &Settings, backends: &Backends) -> Self {
        let clusters = backends.clusters().to_vec();
        Self {
            homes: clusters.iter().map(|_| OnceCell::new()).collect(),
            clusters,
            records: Records::new(Bookkeeping::new(&settings.database)),
            commit_timeout: settings.commit_timeout,
            fence: Fence::default(),
            in_flight: Mutex::default(),
            forgotten: Mutex::default(),
        }
    }

    pub(super) fn commit_timeout(&self) -> Duration {
        self.commit_timeout
    }

    pub(super) fn fence(&self) -> &Fence {
        &self.fence
    }

    /// Keeps all from committing over clusters until the answer is dropped.
    ///
    /// # Errors
    /// Some commit is not finished within `transactions.commit_timeout`.
    pub async fn close_fence(&self) -> Result<Closed> {
        self.fence.close(self.commit_timeout).await
    }

    pub(super) fn records(&self) -> &Records {
        &self.records
    }

    pub(super) fn clusters(&self) -> &[Arc<Cluster>] {
        &self.clusters
    }

    /// The cluster's name in the rules.
    pub(super) fn name(&self, cluster: usize) -> &str {
        self.clusters.get(cluster).map_or("?", |cluster| cluster.name())
    }

    /// A name for a transaction whose local part is on this cluster.
    ///
    /// # Errors
    /// The bookkeeping of the cluster is not there and cannot be made.
    pub(super) async fn new_id(&self, first: usize) -> Result<TransactionId> {
        Ok(TransactionId::new(self.home(first).await?, SystemTime::now()))
    }

    /// What a cluster is called in names of transactions. Makes its bookkeeping if it is not there.
    pub(super) async fn home(&self, cluster: usize) -> Result<Home> {
        let cell = self
            .homes
            .get(cluster)
            .ok_or_else(|| Error::internal(format!("there is no cluster number {cluster}")))?;
        cell.get_or_try_init(|| self.make_home(cluster)).await.cloned()
    }

    /// The cluster that keeps the decision on a transaction, among those whose bookkeeping is known.
    pub(super) async fn home_of(&self, id: &TransactionId) -> Option<usize> {
        for cluster in 0..self.clusters.len() {
            let may_be = id.home.is_named(self.name(cluster));
            if may_be && self.home(cluster).await.is_ok_and(|home| home == id.home) {
                return Some(cluster);
            }
        }
        None
    }

    async fn make_home(&self, cluster: usize) -> Result<Home> {
        let mut made = false;
        loop {
            match self.ask(cluster, &self.records.mark()).await {
                Ok(found) => {
                    let mark = found.first("mark").filter(|mark| Home::is_mark(mark));
                    if let Some(mark) = mark {
                        return Ok(Home::new(self.name(cluster), mark));
                    }
                    if made {
                        return Err(self.unusable(cluster, "it holds no usable mark"));
                    }
                }
                Err(error) if Bookkeeping::is_missing(&error) && !made => {}
                Err(error) => return Err(self.unusable(cluster, &error.to_string())),
            }
            made = true;
            for statement in self.records.create(&Home::random_mark()) {
                if let Err(error) = self.ask(cluster, &statement).await {
                    return Err(self.unusable(cluster, &error.to_string()));
                }
            }
        }
    }

    fn unusable(&self, cluster: usize, why: &str) -> Error {
        let need =
            ("a transaction over several clusters needs", "CREATE, SELECT, INSERT and DELETE");
        let cluster = self.clusters.get(cluster).map(Arc::as_ref);
        self.records.bookkeeping().unusable(cluster, need, why)
    }

    /// What the record of a transaction says. None: there is none.
    pub(super) async fn look_up(
        &self,
        home: usize,
        id: &TransactionId,
    ) -> Result<Option<(Decision, String)>> {
        let found = self.ask(home, &self.records.look_up(id)).await?;
        let clusters = found.first("clusters").unwrap_or_default().to_owned();
        match found.first("decision") {
            Some("commit") => Ok(Some((Decision::Commit, clusters))),
            Some("abort") => Ok(Some((Decision::Abort, clusters))),
            Some(other) => Err(Error::internal(format!("a decision `{other}` on {id}"))),
            None => Ok(None),
        }
    }

    /// The decision on a transaction; forbids it if it was not made. None: a commit that may still come
    /// has the record locked.
    pub(super) async fn decide(&self, home: usize, id: &TransactionId) -> Result<Option<Decision>> {
        match self.ask(home, &self.records.forbid(id, SystemTime::now())).await {
            Ok(_) => Ok(Some(Decision::Abort)),
            Err(error) => match error.kind() {
                ErrorKind::Server(ServerError { code: DUPLICATE, .. }) => {
                    Ok(self.look_up(home, id).await?.map(|(decision, _)| decision))
                }
                ErrorKind::Server(ServerError { code: LOCK_WAIT_TIMEOUT, .. }) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// As [`Coordinator::decide`], again and again until there is an answer or the time is over.
    pub(super) async fn decide_within(
        &self,
        home: usize,
        id: &TransactionId,
        limit: Duration,
    ) -> Option<Decision> {
        const PAUSE: Duration = Duration::from_millis(200);
        let end = Instant::now() + limit;
        loop {
            match tokio::time::timeout_at(end, self.decide(home, id)).await {
                Ok(Ok(Some(decision))) => return Some(decision),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::debug!(%id, %error, "decision not found out yet"),
                Err(_) => return None,
            }
            if Instant::now() + PAUSE >= end {
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What became of a transaction, for people: a state, and the clusters that wrote.
    ///
    /// # Errors
    /// It is not a name of ours, or the cluster that knows cannot be asked.
    pub async fn outcome(&self, id: &str) -> Result<(&'static str, String)> {
        let unknown = |why: &str| Error::unsupported(format!("transaction `{id}`: {why}"));
        let parsed = TransactionId::parse(id).ok_or_else(|| {
            unknown("not a name of a transaction; it is in the error that told of it")
        })?;
        let home = self
            .home_of(&parsed)
            .await
            .ok_or_else(|| unknown("its first cluster is unreachable, or not in these rules"))?;
        Ok(match self.look_up(home, &parsed).await? {
            Some((Decision::Commit, clusters)) => ("committed", clusters),
            Some((Decision::Abort, clusters)) => ("rolled back", clusters),
            None => ("undecided or forgotten", String::new()),
        })
    }

    /// A statement of our own on the primary of a cluster.
    pub(super) async fn ask(&self, cluster: usize, text: &str) -> Result<QueryResult> {
        let mut lease = self.lease(cluster).await?;
        lease.query_all(text).await
    }

    async fn lease(&self, cluster: usize) -> Result<Lease> {
        let node = self
            .clusters
            .get(cluster)
            .ok_or_else(|| Error::internal(format!("there is no cluster number {cluster}")))?
            .primary();
        let mut lease = node.lease(false).await?;
        let setting = "the bookkeeping of transactions waits 5 seconds";
        lease.set_deadline(Some(Deadline { at: Instant::now() + ASK_LIMIT, setting }));
        let mut state = SessionState::default();
        let name = "innodb_lock_wait_timeout".to_owned();
        state.variables.insert(name, LOCK_WAIT_SECONDS.to_owned());
        lease.ensure_state(&Arc::new(state)).await?;
        Ok(lease)
    }

    pub(super) fn enter(self: &Arc<Self>, id: &TransactionId) -> InFlight {
        lock(&self.in_flight).insert(id.clone());
        InFlight { coordinator: self.clone(), id: id.clone() }
    }

    pub(super) fn is_in_flight(&self, id: &TransactionId) -> bool {
        lock(&self.in_flight).contains(id)
    }

    /// Deletes the record some time later, with others.
    pub(super) fn forget(&self, home: usize, id: TransactionId) {
        let mut forgotten = lock(&self.forgotten);
        let ids = forgotten.entry(home).or_default();
        if ids.len() < FORGET_MAX {
            ids.push(id);
        }
    }

    /// The records that may be deleted, by cluster.
    pub(super) fn take_forgotten(&self) -> BTreeMap<usize, Vec<TransactionId>> {
        std::mem::take(&mut lock(&self.forgotten))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        lock(&self.coordinator.in_flight).remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is whole after every single call, so a panic elsewhere broke nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
