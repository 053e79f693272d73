//! The place of a connection that a session is pinned to, while no statement has it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::pool::Lease;
use crate::error::{Error, ErrorKind, Result};

/// How often a connection is looked for that a COMMIT has not given back yet.
const POLL: Duration = Duration::from_millis(5);

/// A connection that goes back here rather than to its pool. When the last keeper of it is dropped, it is
/// made like a fresh one and goes back to its pool after all.
#[derive(Debug, Clone, Default)]
pub struct Keeper(Arc<Mutex<Place>>);

#[derive(Debug, Default)]
enum Place {
    /// A statement or a transaction has it.
    #[default]
    Lent,
    Here(Box<Lease>),
    /// It broke, or its reply was given up.
    Lost,
}

impl Keeper {
    /// Pins a connection: from the end of this lease on it is here.
    pub fn pin(&self, lease: &mut Lease) {
        lease.pin();
        lease.set_keeper(self.clone());
    }

    /// Lends the connection. If a transaction that ends has it, waits up to `limit`.
    ///
    /// # Errors
    /// `BackendLost` if it is gone.
    pub async fn lend(&self, limit: Duration) -> Result<Lease> {
        let until = Instant::now() + limit;
        loop {
            match self.take() {
                Place::Here(mut lease) => {
                    lease.set_keeper(self.clone());
                    return Ok(*lease);
                }
                Place::Lost => {
                    *self.place() = Place::Lost;
                    return Err(Error::new(
                        ErrorKind::BackendLost,
                        "the connection broke that the session was pinned to",
                    ));
                }
                Place::Lent if Instant::now() >= until => {
                    return Err(Error::new(
                        ErrorKind::PoolTimeout,
                        "the connection that the session is pinned to is still in use",
                    ));
                }
                Place::Lent => tokio::time::sleep(POLL).await,
            }
        }
    }

    pub fn is_lost(&self) -> bool {
        matches!(*self.place(), Place::Lost)
    }

    /// Looks whether its server has closed the connection, if it is here.
    pub fn check(&self) {
        let mut place = self.place();
        if matches!(&*place, Place::Here(lease) if !lease.is_quiet()) {
            *place = Place::Lost;
        }
    }

    /// The server's number of the connection, if it is here.
    pub fn thread_id(&self) -> Option<u32> {
        match &*self.place() {
            Place::Here(lease) => Some(lease.thread_id()),
            Place::Lent | Place::Lost => None,
        }
    }

    pub(super) fn take_back(&self, lease: Lease) {
        *self.place() = Place::Here(Box::new(lease));
    }

    pub(super) fn lose(&self) {
        *self.place() = Place::Lost;
    }

    fn take(&self) -> Place {
        std::mem::take(&mut *self.place())
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        // Each change is one assignment, so a panic elsewhere broke nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
