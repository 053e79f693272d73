//! Keeps snapshots over clusters out of the middle of a commit.
//!
//! Between the decision and the commit of the last branch, clusters show the transaction one after the
//! other. Who commits is inside the fence meanwhile; who opens a snapshot closes it for as long as the
//! snapshot takes to open everywhere.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::{Instant, sleep, timeout};

use super::xid::TransactionId;
use crate::error::{Error, Result, ServerError};

/// How long an attempt to close the fence keeps others from committing.
const ATTEMPT: Duration = Duration::from_millis(200);
/// From one attempt to the next, in which others may commit.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Fence {
    lock: Arc<RwLock<()>>,
    /// Transactions that are decided, but not known to be committed everywhere: recovery ends them.
    unfinished: Mutex<HashSet<TransactionId>>,
}

/// A commit between its decision and its end.
pub(super) struct Inside {
    _guard: OwnedRwLockReadGuard<()>,
}

/// As long as it lives nobody decides to commit over several clusters.
pub struct Closed {
    _guard: OwnedRwLockWriteGuard<()>,
}

impl Fence {
    /// Waits while it is closed.
    pub(super) async fn enter(&self) -> Inside {
        Inside { _guard: self.lock.clone().read_owned().await }
    }

    /// Who was inside leaves without knowing that all branches are committed.
    pub(super) fn leave_unfinished(&self, inside: Inside, id: TransactionId) {
        self.unfinished().insert(id);
        drop(inside);
    }

    /// Those that recovery has to end.
    pub(super) fn list_unfinished(&self) -> Vec<TransactionId> {
        self.unfinished().iter().cloned().collect()
    }

    pub(super) fn finished(&self, id: &TransactionId) {
        self.unfinished().remove(id);
    }

    /// Closes it once nobody is inside and nothing is unfinished.
    ///
    /// # Errors
    /// That takes longer than `limit`, which is `transactions.commit_timeout`.
    pub(super) async fn close(&self, limit: Duration) -> Result<Closed> {
        let end = Instant::now() + limit;
        loop {
            if let Ok(guard) = timeout(ATTEMPT, self.lock.clone().write_owned()).await
                && self.unfinished().is_empty()
            {
                return Ok(Closed { _guard: guard });
            }
            if Instant::now() + PAUSE >= end {
                return Err(late(limit));
            }
            sleep(PAUSE).await;
        }
    }

    fn unfinished(&self) -> MutexGuard<'_, HashSet<TransactionId>> {
        // What is guarded is whole after every single call, so a panic elsewhere broke nothing.
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As a lock that is waited for too long.
fn late(limit: Duration) -> Error {
    let message = format!(
        "no consistent snapshot: a transaction over several clusters is decided but not committed \
         everywhere for longer than `transactions.commit_timeout` ({limit:?}); try again once all clusters \
         are reachable"
    );
    Error::server(ServerError { code: 1205, state: *b"HY000", message: message.into_bytes() })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::xid::Home;
    use super::*;

    const LIMIT: Duration = Duration::from_millis(600);

    #[tokio::test]
    async fn closes_when_nobody_is_inside() {
        let fence = Fence::default();
        let inside = (fence.enter().await, fence.enter().await);
        assert!(fence.close(LIMIT).await.is_err());
        let (closed, ()) = tokio::join!(fence.close(LIMIT), async {
            sleep(LIMIT / 2).await;
            drop(inside);
        });
        let closed = closed.expect("nobody is inside");
        assert!(timeout(LIMIT, fence.enter()).await.is_err(), "it is closed");
        drop(closed);
        drop(fence.enter().await);
    }

    #[tokio::test]
    async fn waits_for_what_is_unfinished() {
        let fence = Fence::default();
        let id = TransactionId::new(Home::new("c0", "0123abcd"), SystemTime::now());
        fence.leave_unfinished(fence.enter().await, id.clone());
        let error = fence.close(LIMIT).await.err().expect("it stays open");
        assert!(error.to_string().contains("`transactions.commit_timeout` (600ms)"), "{error}");
        // Others go on committing.
        drop(fence.enter().await);
        assert_eq!(fence.list_unfinished(), std::slice::from_ref(&id));
        fence.finished(&id);
        assert!(fence.close(LIMIT).await.is_ok());
    }
}
