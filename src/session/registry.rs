//! All sessions, for SHOW PROCESSLIST and KILL.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::identity::Identity;

/// Bytes of a statement that SHOW FULL PROCESSLIST can show.
const INFO_MAX: usize = 4096;
/// Bytes that an idle session keeps for its next statement.
const IDLE_MAX: usize = 256;

#[derive(Default)]
pub struct Registry {
    sessions: Arc<Mutex<BTreeMap<u32, Arc<Record>>>>,
    statements: AtomicU64,
}

struct Record {
    user: String,
    peer: String,
    activity: Mutex<Activity>,
    kill: watch::Sender<Option<Kill>>,
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

/// Tells when another session kills this one or its statement.
pub struct KillSignal {
    kill: watch::Receiver<Option<Kill>>,
    record: Arc<Record>,
}

pub(super) struct Shield(Arc<Record>);

impl Drop for Shield {
    fn drop(&mut self) {
        self.0.shielded.store(false, Ordering::Relaxed);
    }
}

/// How often a kill that is put off looks again.
const SHIELD_POLL: Duration = Duration::from_millis(10);

impl KillSignal {
    pub async fn wait(&mut self) -> Kill {
        loop {
            let kill = *self.kill.borrow_and_update();
            if let Some(kill) = kill {
                while self.record.shielded.load(Ordering::Relaxed) {
                    tokio::time::sleep(SHIELD_POLL).await;
                }
                return kill;
            }
            if self.kill.changed().await.is_err() {
                // The session is gone, and whoever waits is about to be.
                std::future::pending::<()>().await;
            }
        }
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
            kill: watch::Sender::new(None),
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
                record.kill.send_replace(Some(kill));
                true
            }
            None => false,
        }
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
        self.record.kill.send_if_modified(|kill| {
            let late = *kill == Some(Kill::Statement);
            if late {
                *kill = None;
            }
            late
        });
    }

    pub(super) fn kill_signal(&self) -> KillSignal {
        KillSignal { kill: self.record.kill.subscribe(), record: self.record.clone() }
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
