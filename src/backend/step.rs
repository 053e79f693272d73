//! Steps before a statement whose replies are read with its own: another session state, and loading.

use std::sync::Arc;

use crate::backend::connection::{Connection, Expected, ReplyTo};
use crate::backend::state::SessionState;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::command::{COM_INIT_DB, COM_QUERY, COM_RESET_CONNECTION, COM_STMT_CLOSE};
use crate::protocol::reply::{ERR, OkPacket, parse_err};

/// A name of ours in a text: nothing that other sessions use.
const TEMPORARY: &[u8] = b"_margay_";

impl Connection {
    /// Queues a statement of loading, whose parts follow one another. Its OK is read before the next
    /// reply. If it fails, or with `exact` warns, so does the read of that reply; what follows it was then
    /// run all the same, so that must change nothing.
    pub fn queue_step(&mut self, parts: &[&[u8]], exact: bool) -> Result<()> {
        let mut command: Vec<&[u8]> = vec![&[COM_QUERY]];
        command.extend_from_slice(parts);
        self.queue(&command, ReplyTo::Step { exact })
    }

    /// A step that loads a file of rows; those before it are read first. A warning is an error: a row did
    /// not arrive as it was.
    ///
    /// # Errors
    /// That of this step, or of one before it.
    pub async fn load_step(&mut self, statement: &[u8], rows: &[u8]) -> Result<()> {
        self.flush().await?;
        self.read_steps(0).await?;
        let loaded = match self.upload(statement).await {
            Ok(mut upload) => match upload.send(rows).await {
                Ok(()) => upload.finish().await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match loaded {
            Ok(ok) if ok.warnings == 0 => Ok(()),
            Ok(_) => Err(not_as_they_are(self)),
            Err(error) => Err(refused(self, error)),
        }
    }

    /// Steps whose replies are not read yet.
    pub fn steps(&self) -> usize {
        let is_step = |expected: &&Expected| expected.to != ReplyTo::User;
        self.expected.iter().filter(is_step).count()
    }

    /// Reads replies to steps that are next, but for the last `left`.
    ///
    /// # Errors
    /// That of a step.
    pub async fn read_steps(&mut self, left: usize) -> Result<()> {
        let is_step = |expected: &&Expected| expected.to != ReplyTo::User;
        let mut due = self.expected.iter().take_while(is_step).count();
        while due > left
            && let Some(Expected { seq, to }) = self.expected.front().copied()
        {
            self.channel.assembler.set_next_seq(seq);
            let payload = self.channel.read().await?;
            self.expected.pop_front();
            due -= 1;
            let ok = match (payload.first() == Some(&ERR), to) {
                (false, _) => OkPacket::parse(&payload, self.capabilities)?,
                (true, ReplyTo::Step { .. }) => {
                    let error = self.server_error(&payload);
                    return Err(refused(self, error));
                }
                (true, ReplyTo::State | ReplyTo::User) => {
                    self.channel.break_off();
                    let node = self.node_name();
                    let what = format!("{node} did not take over the session's state");
                    return Err(Error::server(parse_err(&payload)?).context(what));
                }
            };
            self.status = ok.status;
            if to == (ReplyTo::Step { exact: true }) && ok.warnings > 0 {
                return Err(not_as_they_are(self));
            }
        }
        Ok(())
    }

    /// A temporary table is about to be made on it. `name` is as the server reads it, or empty for tables
    /// that are not told one by one. From now on its pool takes it back only after it was cleaned.
    pub fn note_temporary(&mut self, name: &str) {
        self.temporaries.push(name.to_owned());
    }

    /// Whether the temporary table was made on it.
    pub fn holds_temporary(&self, name: &str) -> bool {
        self.temporaries.iter().any(|held| held == name)
    }

    /// Queues what keeps later statements from the binary log until it is cleaned.
    pub fn queue_unlogged(&mut self) -> Result<()> {
        if !self.unlogged {
            self.unlogged = true;
            self.queue_step(&[b"SET sql_log_bin = 0"], false)?;
        }
        Ok(())
    }

    /// Drops temporary tables and forgets prepared statements that read them.
    pub(super) async fn clean(&mut self) -> Result<()> {
        if self.holds_temporary("") {
            return self.reset().await;
        }
        if !self.temporaries.is_empty() {
            let drop = format!("DROP TEMPORARY TABLE IF EXISTS {}", self.temporaries.join(", "));
            self.queue_step(&[drop.as_bytes()], false)?;
        }
        if self.unlogged {
            self.queue_step(&[b"SET sql_log_bin = 1"], false)?;
        }
        for id in self.statements.remove_naming(TEMPORARY) {
            self.queue(&[&[COM_STMT_CLOSE], &id.to_le_bytes()], ReplyTo::User)?;
        }
        self.flush().await?;
        self.read_steps(0).await?;
        self.temporaries.clear();
        self.unlogged = false;
        Ok(())
    }

    /// Makes it like a fresh one in its current schema: temporary tables, variables, locks and prepared
    /// statements are gone.
    async fn reset(&mut self) -> Result<()> {
        self.queue(&[&[COM_RESET_CONNECTION]], ReplyTo::State)?;
        // It leaves the server's character set, which need not be ours.
        let names = format!("SET NAMES utf8mb4 COLLATE {}", self.collation);
        self.queue(&[&[COM_QUERY], names.as_bytes()], ReplyTo::State)?;
        self.queue_tracking()?;
        self.statements.clear();
        let schema = self.state().schema.clone();
        if let Some(schema) = &schema {
            // `collation_database` has become the server's.
            self.queue(&[&[COM_INIT_DB], schema.as_bytes()], ReplyTo::State)?;
        }
        self.assume_state(Arc::new(SessionState { schema, ..SessionState::default() }));
        self.flush().await?;
        self.read_steps(0).await?;
        self.temporaries.clear();
        self.unlogged = false;
        self.pinned = false;
        Ok(())
    }
}

fn not_as_they_are(connection: &Connection) -> Error {
    Error::unsupported(format!(
        "{} cannot hold the rows that the statement gathers there as they are; convert the columns to other \
         types, or run the statement on one shard",
        connection.node_name()
    ))
}

/// A server's own error while it is loaded: the client's statement says nothing of what failed.
fn refused(connection: &Connection, error: Error) -> Error {
    const DENIED: [u16; 3] = [1044, 1142, 1227];
    let ErrorKind::Server(own) = error.kind() else { return error };
    let mut own = own.clone();
    let way_out = if DENIED.contains(&own.code) {
        "; grant CREATE TEMPORARY TABLES, SELECT and INSERT to Margay's user there"
    } else {
        ""
    };
    own.message = format!(
        "gathering rows on {}: {}{way_out}",
        connection.node_name(),
        String::from_utf8_lossy(&own.message)
    )
    .into_bytes();
    Error::server(own)
}
