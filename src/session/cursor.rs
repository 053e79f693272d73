//! Cursors: rows of a prepared statement that the client fetches in portions.
//!
//! Rows stream: what the client has not fetched waits on the servers, but for the first ones, so that a
//! small result holds no connection. A cursor inside a transaction has the transaction's connection, so
//! its rows are read into memory as soon as another statement needs that.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Session;
use super::into::own_error;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::reply::Rows;
use crate::sql::statement::{Statement, StatementKind};

/// Bytes of rows that are read when a cursor opens.
const AHEAD_MAX: u64 = 128 * 1024;

pub(super) struct Cursor {
    rows: Rows,
    /// Rows that are read and not fetched.
    ahead: VecDeque<Bytes>,
    /// All rows are read, or will never be.
    is_over: bool,
    /// What takes the place of the next row.
    failed: Option<Error>,
    /// The transaction that was open when it opened goes on with its connections.
    in_transaction: bool,
}

impl Session {
    /// Opens a cursor over the rows of an execution. What is read of them is read here, so that errors
    /// that come at once are those of the execution.
    ///
    /// # Errors
    /// As those of [`Rows::next`].
    pub async fn open_cursor(&mut self, id: u32, mut rows: Rows) -> Result<()> {
        let mut ahead = VecDeque::new();
        let mut bytes = 0;
        let mut is_over = false;
        while bytes < AHEAD_MAX && !is_over {
            match rows.next().await {
                Ok(Some(row)) => {
                    bytes += row.len() as u64;
                    ahead.push_back(row);
                }
                Ok(None) => is_over = true,
                Err(error) => {
                    self.finish(&mut rows, 0, Some(&error));
                    return Err(error);
                }
            }
        }
        if is_over {
            self.finish(&mut rows, ahead.len() as u64, None);
        } else {
            self.row_count = -1;
            self.entry.idle();
        }
        let in_transaction = self.transaction.is_active();
        let cursor = Cursor { rows, ahead, is_over, failed: None, in_transaction };
        self.prepared.open_cursor(id, cursor)
    }

    /// The next row of a statement's cursor. None: there are no more, and it is closed.
    ///
    /// # Errors
    /// 1421 if it has none; the error that ended its rows.
    pub async fn fetch(&mut self, id: u32) -> Result<Option<Bytes>> {
        let Some(mut cursor) = self.prepared.take_cursor(id, "mysqld_stmt_fetch")? else {
            let message = format!("The statement ({id}) has no open cursor.");
            return Err(own_error(1421, b"HY000", &message));
        };
        let next = match (cursor.ahead.pop_front(), cursor.failed.take()) {
            (Some(row), failed) => {
                cursor.failed = failed;
                Ok(Some(row))
            }
            (None, Some(error)) => return Err(error),
            (None, None) if cursor.is_over => Ok(None),
            (None, None) => cursor.rows.next().await,
        };
        match next {
            Ok(Some(row)) => {
                self.prepared.open_cursor(id, cursor)?;
                Ok(Some(row))
            }
            Ok(None) => {
                self.release(&mut cursor.rows, None);
                Ok(None)
            }
            Err(error) => {
                self.release(&mut cursor.rows, Some(&error));
                Err(error)
            }
        }
    }

    /// Gives a cursor up. A transaction's connection is read to the end of its rows.
    pub(super) async fn close_cursor(&mut self, mut cursor: Cursor) {
        if !cursor.is_over && cursor.in_transaction {
            let outcome = loop {
                match cursor.rows.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            self.release(&mut cursor.rows, outcome.err().as_ref());
        }
    }

    /// Reads rows of open cursors into memory, so that a statement gets the connections that they hold:
    /// those of the transaction, and before a statement that might wait for their locks, all.
    pub(super) async fn settle_cursors(&mut self, statement: &Statement) {
        if !self.prepared.has_cursors() {
            return;
        }
        let waits_for_none = matches!(
            statement.kind,
            StatementKind::Query(_)
                | StatementKind::Insert(_)
                | StatementKind::Update(_)
                | StatementKind::Delete(_)
        );
        for id in self.prepared.cursors() {
            let Ok(Some(mut cursor)) = self.prepared.take_cursor(id, "") else { continue };
            if !cursor.is_over && (cursor.in_transaction || !waits_for_none) {
                self.settle(&mut cursor).await;
            }
            // It was there a moment ago.
            let _ = self.prepared.open_cursor(id, cursor);
        }
    }

    async fn settle(&mut self, cursor: &mut Cursor) {
        let limit = self.snapshot.config.settings.limits.sort_bytes.0;
        let mut bytes: u64 = cursor.ahead.iter().map(|row| row.len() as u64).sum();
        let outcome = loop {
            match cursor.rows.next().await {
                Ok(Some(row)) => {
                    bytes = bytes.saturating_add(row.len() as u64);
                    if bytes <= limit {
                        cursor.ahead.push_back(row);
                    } else if cursor.in_transaction {
                        // Its connection goes on when all rows are read.
                        cursor.ahead.clear();
                    } else {
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        cursor.is_over = true;
        self.release(&mut cursor.rows, outcome.as_ref().err());
        if bytes > limit {
            cursor.ahead.clear();
            cursor.failed = Some(Error::new(
                ErrorKind::LimitExceeded,
                "another statement ran while the cursor was open, so its rows were to be held in \
                 memory, and they are over `limits.sort_bytes`; fetch all rows first, or raise the limit",
            ));
        }
        if let Err(error) = outcome {
            cursor.failed = Some(error);
        }
    }
}
