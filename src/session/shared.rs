//! What all sessions share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::time::Instant;

use super::registry::Registry;
use crate::execute::Snapshot;

pub struct Shared {
    current: RwLock<Arc<Snapshot>>,
    /// Counts the snapshots, so that a session sees without the lock that its own is the last.
    version: AtomicU64,
    pub registry: Registry,
    pub started: Instant,
}

impl Shared {
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        Self {
            current: RwLock::new(snapshot),
            version: AtomicU64::new(0),
            registry: Registry::default(),
            started: Instant::now(),
        }
    }

    /// What statements that begin now are judged by.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        // The lock guards one pointer, so a panic while it was held cannot have broken anything.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, snapshot: Arc<Snapshot>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Changes after the snapshot does: whoever asks before taking it may have a newer one, never an
    /// older.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}
