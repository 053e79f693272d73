//! What all sessions share.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::time::Instant;

use super::registry::Registry;
use crate::execute::Snapshot;

pub struct Shared {
    current: RwLock<Arc<Snapshot>>,
    pub registry: Registry,
    pub started: Instant,
}

impl Shared {
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        Self {
            current: RwLock::new(snapshot),
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
    }
}
