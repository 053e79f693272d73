//! The cluster where a schema's ids are kept, and questions to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::records::Records;
use crate::backend::cluster::Cluster;
use crate::backend::{Bookkeeping, Deadline, QueryResult, SessionState};
use crate::error::{Error, ErrorKind, Result};

/// How long a question may take.
const ASK_LIMIT: Duration = Duration::from_secs(5);
/// How long one waits for another proxy that has a row locked, in seconds.
const LOCK_WAIT_SECONDS: &str = "2";

pub(super) struct Home {
    pub(super) cluster: Arc<Cluster>,
    pub(super) records: Records,
}

/// Questions one at a time. Who waited while one failed gets its error, and does not wait as long again.
#[derive(Default)]
pub(super) struct Turns(Mutex<Option<Failure>>);

/// When the last question failed, and how.
type Failure = (Instant, ErrorKind, String);

pub(super) struct Turn<'a>(MutexGuard<'a, Option<Failure>>);

impl Turns {
    /// # Errors
    /// That of a question that failed meanwhile.
    pub(super) async fn next(&self) -> Result<Turn<'_>> {
        let since = Instant::now();
        let guard = self.0.lock().await;
        match &*guard {
            Some((at, kind, message)) if *at >= since => {
                Err(Error::new(kind.clone(), message.clone()))
            }
            Some(_) | None => Ok(Turn(guard)),
        }
    }

    pub(super) fn are_free(&self) -> bool {
        self.0.try_lock().is_ok()
    }
}

impl Turn<'_> {
    /// Ends the turn.
    pub(super) fn end<T>(mut self, outcome: Result<T>) -> Result<T> {
        if let Err(error) = &outcome {
            *self.0 = Some((Instant::now(), error.kind().clone(), error.to_string()));
        }
        outcome
    }
}

impl Home {
    /// Runs a statement on the primary. Makes the tables if they are not there.
    ///
    /// # Errors
    /// The server's own; that the tables cannot be made.
    pub(super) async fn ask(&self, text: &str) -> Result<QueryResult> {
        match self.try_ask(text).await {
            Err(error) if Bookkeeping::is_missing(&error) => {
                for statement in self.records.create() {
                    self.try_ask(&statement).await.map_err(|error| self.unusable(&error))?;
                }
                self.try_ask(text).await
            }
            outcome => outcome,
        }
        .map_err(|error| if Bookkeeping::is_denied(&error) { self.unusable(&error) } else { error })
    }

    async fn try_ask(&self, text: &str) -> Result<QueryResult> {
        let mut lease = self.cluster.primary().lease(false).await?;
        let setting = "the bookkeeping of ids waits 5 seconds";
        lease.set_deadline(Some(Deadline { at: Instant::now() + ASK_LIMIT, setting }));
        let mut state = SessionState::default();
        let name = "innodb_lock_wait_timeout".to_owned();
        state.variables.insert(name, LOCK_WAIT_SECONDS.to_owned());
        lease.ensure_state(&Arc::new(state)).await?;
        lease.query_all(text).await
    }

    fn unusable(&self, why: &Error) -> Error {
        let need = ("generated ids need", "CREATE, SELECT, INSERT and UPDATE");
        self.records.bookkeeping().unusable(Some(&self.cluster), need, &why.to_string())
    }
}
