//! BEGIN, COMMIT, ROLLBACK and savepoints.

use super::Session;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::{Reply, Summary};
use crate::sql::statement::Transaction as Control;
use crate::transaction::{self, Begin};

impl Session {
    pub(super) async fn transaction_control(
        &mut self,
        control: &Control,
        text: &[u8],
    ) -> Result<Reply> {
        match control {
            Control::Begin { read_only, snapshot } => {
                self.commit().await?;
                let next = std::mem::take(&mut self.next);
                self.transaction.begin(&Begin {
                    read_only: *read_only,
                    snapshot: *snapshot,
                    ..next
                });
            }
            Control::Commit { chain, release } => {
                self.refuse_release(*release)?;
                self.commit().await?;
                self.chain(*chain);
            }
            Control::Rollback { chain, release } => {
                self.refuse_release(*release)?;
                self.rollback().await?;
                self.chain(*chain);
            }
            Control::Savepoint(name) => {
                self.begin_if_asked();
                if !self.transaction.note_savepoint(&name.value) {
                    self.forward(text).await?;
                }
            }
            Control::RollbackTo(name) | Control::ReleaseSavepoint(name) => {
                let keep = matches!(control, Control::RollbackTo(_));
                match self.transaction.drop_savepoint(&name.value, keep) {
                    Some(true) => {}
                    Some(false) => return Err(unknown_savepoint(&name.value)),
                    None => self.forward(text).await?,
                }
            }
            Control::Xa => {
                return Err(Error::unsupported(
                    "XA statements are not supported; use BEGIN and COMMIT",
                ));
            }
        }
        Ok(Reply::Done(Summary::default()))
    }

    fn refuse_release(&self, release: bool) -> Result<()> {
        if release {
            return Err(Error::unsupported(
                "RELEASE is not supported; close the connection instead",
            ));
        }
        Ok(())
    }

    fn chain(&mut self, chain: bool) {
        if chain {
            let begin = self.transaction.chained();
            self.transaction.begin(&begin);
        }
    }

    /// Sends a statement to the connection of the open transaction, if it is open anywhere.
    async fn forward(&mut self, text: &[u8]) -> Result<()> {
        if self.transaction.is_broken() {
            return Err(transaction::broken());
        }
        let Some(mut lent) = self.transaction.lend() else { return Ok(()) };
        lent.lease.set_deadline(self.snapshot.deadline(None));
        let outcome = lent.lease.query_all(text).await;
        match &outcome {
            Ok(_) => self.transaction.give_back(lent),
            Err(error) if matches!(error.kind(), ErrorKind::Server(_)) => {
                self.transaction.give_back(lent);
            }
            Err(_) => self.transaction.lost(),
        }
        outcome.map(drop)
    }

    /// Commits the open transaction, if there is one.
    pub(super) async fn commit(&mut self) -> Result<()> {
        if self.transaction.is_broken() {
            self.transaction.end();
            return Err(Error::new(
                ErrorKind::BackendLost,
                "the connection of this transaction broke and the server rolled it back: nothing was \
                 committed",
            ));
        }
        self.end_with("COMMIT").await
    }

    pub(super) async fn rollback(&mut self) -> Result<()> {
        self.end_with("ROLLBACK").await
    }

    async fn end_with(&mut self, statement: &str) -> Result<()> {
        let Some(mut lent) = self.transaction.end() else { return Ok(()) };
        lent.lease.set_deadline(self.snapshot.deadline(None));
        if statement == "COMMIT" {
            self.wrote_at = Some(tokio::time::Instant::now());
        }
        // Who is told that COMMIT was interrupted cannot know what became of it.
        let outcome = {
            let _shield = self.entry.shield();
            lent.lease.query_all(statement).await
        };
        if statement == "COMMIT" {
            // A COMMIT may take its time, and what it wrote is news from now on.
            self.wrote_at = Some(tokio::time::Instant::now());
        }
        match outcome {
            Ok(_) => Ok(()),
            // The server had rolled back by itself when the connection broke.
            Err(_) if statement == "ROLLBACK" => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Server(_)) => Err(error),
            Err(error) => Err(Error::new(
                ErrorKind::BackendLost,
                "the connection broke during COMMIT: whether the transaction is committed is unknown; \
                 check its rows before you run it again",
            )
            .with_source(error)),
        }
    }
}

fn unknown_savepoint(name: &str) -> Error {
    Error::server(ServerError {
        code: 1305,
        state: *b"42000",
        message: format!("SAVEPOINT {name} does not exist").into_bytes(),
    })
}
