//! The cluster where a schema's ids are kept, and questions to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::records::Records;
use crate::backend::cluster::Cluster;
use crate::backend::{Deadline, QueryResult, SessionState};
use crate::error::{Error, ErrorKind, Result};

/// How long a question may take.
const ASK_LIMIT: Duration = Duration::from_secs(5);
/// How long one waits for another proxy that has a row locked, in seconds.
const LOCK_WAIT_SECONDS: &str = "2";

pub(super) struct Home {
    pub(super) cluster: Arc<Cluster>,
    pub(super) records: Records,
}

impl Home {
    /// Runs a statement on the primary. Makes the tables if they are not there.
    ///
    /// # Errors
    /// The server's own; that the tables cannot be made.
    pub(super) async fn ask(&self, text: &str) -> Result<QueryResult> {
        match self.try_ask(text).await {
            Err(error) if is_missing(&error) => {
                for statement in self.records.create() {
                    self.try_ask(&statement).await.map_err(|error| self.unusable(&error))?;
                }
                self.try_ask(text).await
            }
            outcome => outcome,
        }
        .map_err(|error| if is_denied(&error) { self.unusable(&error) } else { error })
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
        let (name, user) = (self.cluster.name(), self.cluster.user());
        let database = self.records.database();
        Error::new(
            ErrorKind::Config,
            format!(
                "generated ids need the database `{database}` on cluster `{name}`, which cannot be used: \
                 {why}; grant the user `{user}` CREATE, SELECT, INSERT and UPDATE on it, or name another \
                 one by `transactions.database`"
            ),
        )
    }
}

/// Unknown database, unknown table.
fn is_missing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server(server) if matches!(server.code, 1049 | 1146))
}

/// Of a database, of a table.
fn is_denied(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server(server) if matches!(server.code, 1044 | 1142))
}
