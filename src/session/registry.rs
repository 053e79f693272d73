//! All sessions, for SHOW PROCESSLIST and KILL.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::identity::Identity;
use super::signal::{Asked, Signal};

/// Bytes of a statement that SHOW FULL PROCESSLIST can show.
const INFO_MAX: usize = 4096;
/// Bytes that an idle session keeps for its next statement.
const IDLE_MAX: usize = 256;

#[derive(Default)]
pub struct Registry {
    sessions: Arc<Mutex<BTreeMap<u32, Arc<Record>>>>,
    statements: AtomicU64,
    /// Sessions leave as soon as they may.
    closing: AtomicBool,
}

struct Record {
    user: String,
    peer: String,
    activity: Mutex<Activity>,
    signal: Signal,
    /// What runs may not be dropped midway.
    shielded: AtomicBool,
}

struct Activity {
    schema: Option<String>,
    since: Instant,
    /// What runs, or what ran last.
    statement: Vec<u8>,
    runs: bool,
}

/// What a session is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kill {
    Statement,
    Connection,
}

/// A row of SHOW PROCESSLIST.
#[derive(Debug, Clone)]
pub struct Process {
    pub id: u32,
    pub user: String,
    pub host: String,
    pub schema: Option<String>,
    pub seconds: u64,
    pub statement: Option<Vec<u8>>,
}

/// A session's place in the registry; it leaves when this is dropped.
pub struct Entry {
    id: u32,
    record: Arc<Record>,
    sessions: Arc<Mutex<BTreeMap<u32, Arc<Record>>>>,
}

/// Tells when another session kills this one or its statement. One task may wait.
pub struct KillSignal(Arc<Record>);

pub(super) struct Shield(Arc<Record>);

impl Drop for Shield {
    fn drop(&mut self) {
        self.0.shielded.store(false, Ordering::Relaxed);
    }
}

/// How often a kill that is put off looks again.
const SHIELD_POLL: Duration = Duration::from_millis(10);

impl KillSignal {
    pub async fn wait(&self) -> Kill {
        loop {
            if let Asked::Kill(kill) = self.0.signal.wait(false).await {
                while self.0.shielded.load(Ordering::Relaxed) {
                    tokio::time::sleep(SHIELD_POLL).await;
                }
                return kill;
            }
        }
    }

    /// For a session that waits for its client. `leaves`: it may be told to leave.
    pub async fn wait_idle(&self, leaves: bool) -> Asked {
        self.0.signal.wait(leaves).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is whole after every single assignment, so a panic elsewhere broke nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    pub(super) fn enter(&self, identity: &Identity, schema: Option<&str>) -> Entry {
        let record = Arc::new(Record {
            user: identity.user.clone(),
            peer: identity.peer.clone(),
            activity: Mutex::new(Activity {
                schema: schema.map(str::to_owned),
                since: Instant::now(),
                statement: Vec::new(),
                runs: false,
            }),
            signal: Signal::default(),
            shielded: AtomicBool::new(false),
        });
        lock(&self.sessions).insert(identity.connection_id, record.clone());
        Entry { id: identity.connection_id, record, sessions: self.sessions.clone() }
    }

    pub fn processes(&self) -> Vec<Process> {
        let sessions = lock(&self.sessions);
        let rows = sessions.iter().map(|(id, record)| {
            let activity = lock(&record.activity);
            Process {
                id: *id,
                user: record.user.clone(),
                host: record.peer.clone(),
                schema: activity.schema.clone(),
                seconds: activity.since.elapsed().as_secs(),
                statement: activity.runs.then(|| activity.statement.clone()),
            }
        });
        rows.collect()
    }

    pub fn count(&self) -> usize {
        lock(&self.sessions).len()
    }

    /// Statements begun since the start.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub(super) fn count_statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// The user of a session, if there is one of this id.
    pub fn user_of(&self, id: u32) -> Option<String> {
        lock(&self.sessions).get(&id).map(|record| record.user.clone())
    }

    /// Asks a session to end its statement or itself. False: there is no such session.
    pub fn kill(&self, id: u32, kill: Kill) -> bool {
        match lock(&self.sessions).get(&id) {
            Some(record) => {
                record.signal.kill(kill);
                true
            }
            None => false,
        }
    }

    /// Has all sessions leave, now or when their transaction is over.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        for record in lock(&self.sessions).values() {
            record.signal.leave();
        }
    }

    /// No more statements are taken but for those of open transactions.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

impl Entry {
    pub(super) fn running(&self, statement: &[u8]) {
        let kept = statement.get(..INFO_MAX).unwrap_or(statement);
        let mut activity = lock(&self.record.activity);
        activity.since = Instant::now();
        activity.statement.clear();
        activity.statement.extend_from_slice(kept);
        activity.runs = true;
        drop(activity);
        self.forget_kill();
    }

    pub(super) fn idle(&self) {
        let mut activity = lock(&self.record.activity);
        activity.since = Instant::now();
        activity.runs = false;
        if activity.statement.capacity() > IDLE_MAX {
            activity.statement = Vec::new();
        }
    }

    pub(super) fn in_schema(&self, schema: &str) {
        lock(&self.record.activity).schema = Some(schema.to_owned());
    }

    /// A KILL QUERY that came when no statement ran was too late.
    pub(super) fn forget_kill(&self) {
        self.record.signal.forget_statement();
    }

    pub(super) fn kill_signal(&self) -> KillSignal {
        KillSignal(self.record.clone())
    }

    /// Puts off kills until the shield is dropped.
    pub(super) fn shield(&self) -> Shield {
        self.record.shielded.store(true, Ordering::Relaxed);
        Shield(self.record.clone())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut sessions = lock(&self.sessions);
        // COM_CHANGE_USER makes a new session of the same id before the old one ends.
        if sessions.get(&self.id).is_some_and(|record| Arc::ptr_eq(record, &self.record)) {
            sessions.remove(&self.id);
        }
    }
}
