//! BEGIN, COMMIT, ROLLBACK and savepoints.

use futures_util::future::join_all;

use super::Session;
use crate::catalog::ShardId;
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
                self.unlock_tables().await?;
                let next = std::mem::take(&mut self.next);
                self.transaction.begin(&Begin {
                    read_only: *read_only,
                    snapshot: *snapshot,
                    ..next
                });
                if *snapshot {
                    self.open_snapshot().await?;
                }
            }
            Control::Commit { chain, release } => {
                self.commit().await?;
                self.chain(*chain).await?;
                self.leaving = *release;
            }
            Control::Rollback { chain, release } => {
                self.rollback().await?;
                self.chain(*chain).await?;
                self.leaving = *release;
            }
            Control::Savepoint(name) => {
                self.begin_if_asked();
                self.transaction.set_savepoint(&name.value);
                self.forward(text).await?;
            }
            Control::RollbackTo(name) | Control::ReleaseSavepoint(name) => {
                let keep = matches!(control, Control::RollbackTo(_));
                if !self.transaction.is_broken()
                    && !self.transaction.drop_savepoint(&name.value, keep)
                {
                    return Err(unknown_savepoint(&name.value));
                }
                self.forward(text).await?;
            }
            Control::Xa => {
                return Err(Error::unsupported(
                    "XA statements are not supported; use BEGIN and COMMIT",
                ));
            }
        }
        Ok(Reply::Done(Summary::default()))
    }

    /// Opens the transaction on all clusters of the schema; without a schema on all that there are.
    async fn open_snapshot(&mut self) -> Result<()> {
        let snapshot = self.snapshot.clone();
        let schemas = &snapshot.catalog.schemas;
        let shards: Vec<ShardId> =
            match self.schema.as_deref().and_then(|name| snapshot.catalog.schema(name)) {
                Some(schema) => schema.shards().into_iter().collect(),
                None => schemas.values().flat_map(|schema| schema.shards()).collect(),
            };
        let found_rows = self.identity.found_rows();
        let opened = snapshot
            .open_at_once(&mut self.transaction, &shards, &self.state, (found_rows, &self.pins))
            .await;
        if opened.is_err() {
            self.rollback().await?;
        }
        opened
    }

    async fn chain(&mut self, chain: bool) -> Result<()> {
        if chain {
            self.unlock_tables().await?;
            let begin = self.transaction.chained();
            self.transaction.begin(&begin);
        }
        Ok(())
    }

    /// Sends a statement to all clusters of the transaction. What one of them refuses breaks it: they
    /// must agree on savepoints.
    async fn forward(&mut self, text: &[u8]) -> Result<()> {
        if self.transaction.is_broken() {
            return Err(transaction::broken());
        }
        let deadline = self.snapshot.deadline(None);
        let mut lents = self.transaction.lend_all();
        let outcomes = join_all(lents.iter_mut().map(|lent| {
            lent.lease.set_deadline(deadline);
            lent.lease.query_all(text)
        }))
        .await;
        let is_alone = lents.len() == 1;
        let mut failed = None;
        for (lent, outcome) in lents.into_iter().zip(outcomes) {
            match outcome {
                Ok(_) => self.transaction.give_back(lent),
                Err(error) => {
                    if is_alone && matches!(error.kind(), ErrorKind::Server(_)) {
                        self.transaction.give_back_refused(lent, &error);
                    }
                    failed.get_or_insert(error);
                }
            }
        }
        self.transaction.lost();
        failed.map_or(Ok(()), Err)
    }

    /// Commits the open transaction, if there is one.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let Some(ending) = self.transaction.end_to_commit()? else { return Ok(()) };
        let deadline = self.snapshot.deadline(None);
        // Who is told that COMMIT was interrupted cannot know what became of it.
        let _shield = self.entry.shield();
        ending.commit(deadline).await
    }

    /// Rolls back the open transaction, if there is one. A server whose connection broke has done so by
    /// itself.
    pub(super) async fn rollback(&mut self) -> Result<()> {
        if let Some(ending) = self.transaction.end() {
            ending.roll_back(self.snapshot.deadline(None)).await;
        }
        Ok(())
    }
}

fn unknown_savepoint(name: &str) -> Error {
    Error::server(ServerError {
        code: 1305,
        state: *b"42000",
        message: format!("SAVEPOINT {name} does not exist").into_bytes(),
    })
}
