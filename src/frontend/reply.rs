//! The only writer of replies.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::stream::ClientStream;
use crate::backend::Frames;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::columns::{Columns, Framed};
use crate::execute::reply::Rows;
use crate::execute::{Reply, Summary};
use crate::protocol::capability::{CapabilityFlags, StatusFlags};
use crate::protocol::column::Column;
use crate::protocol::reply::{EofPacket, OkPacket, put_err};
use crate::protocol::stmt::PrepareOk;
use crate::protocol::write::put_lenenc;
use crate::session::registry::KillSignal;
use crate::session::{PreparedInfo, Session};

/// Writes the reply to one command.
pub(super) struct ReplyWriter<'a> {
    stream: &'a mut ClientStream,
    session: &'a mut Session,
    kill: &'a KillSignal,
    capabilities: CapabilityFlags,
    write_timeout: Duration,
}

/// What is next of a result.
enum Next {
    Row(Bytes),
    Frames(Frames),
}

/// The next rows; `seq` is the number of the next frame.
async fn next_rows(rows: &mut Rows, seq: &mut u8) -> Result<Option<Next>> {
    if rows.is_framed() {
        return Ok(rows.next_frames(seq).await?.map(Next::Frames));
    }
    Ok(rows.next().await?.map(Next::Row))
}

fn killed() -> Error {
    Error::new(ErrorKind::Killed, "Query execution was interrupted")
}

/// Sends what is put; a client that takes nothing for long holds a backend connection for nothing.
async fn flush(stream: &mut ClientStream, limit: Duration) -> Result<()> {
    match tokio::time::timeout(limit, stream.flush()).await {
        Ok(flushed) => flushed,
        Err(_) => Err(Error::new(
            ErrorKind::ClientGone,
            format!("the client took no rows for `limits.write_timeout` ({limit:?})"),
        )),
    }
}

impl<'a> ReplyWriter<'a> {
    pub(super) fn new(
        stream: &'a mut ClientStream,
        session: &'a mut Session,
        kill: &'a KillSignal,
    ) -> Self {
        let capabilities = session.capabilities();
        let write_timeout = session.write_timeout();
        Self { stream, session, kill, capabilities, write_timeout }
    }

    pub(super) async fn reply(&mut self, reply: Reply) -> Result<()> {
        match reply {
            Reply::Done(summary) => self.done(&summary).await,
            Reply::Rows(rows) => self.rows(rows).await,
        }
    }

    pub(super) async fn ok(&mut self) -> Result<()> {
        self.done(&Summary::default()).await
    }

    async fn done(&mut self, summary: &Summary) -> Result<()> {
        let ok = OkPacket {
            affected_rows: summary.affected_rows,
            last_insert_id: summary.last_insert_id,
            status: self.session.status(),
            warnings: summary.warnings,
            info: summary.info.clone().into(),
            ..OkPacket::default()
        };
        self.put(|packet, capabilities| ok.put(packet, capabilities)).await
    }

    pub(super) async fn error(&mut self, error: &Error) -> Result<()> {
        if *error.kind() == ErrorKind::ClientGone {
            return Err(Error::new(ErrorKind::ClientGone, error.message()));
        }
        let (code, state, message) = error.mysql();
        let error = ServerError { code, state, message };
        self.put(|packet, capabilities| put_err(packet, &error, capabilities)).await
    }

    async fn rows(&mut self, mut rows: Rows) -> Result<()> {
        self.columns(&rows.columns).await?;
        let mut sent = 0u64;
        loop {
            let mut seq = self.stream.next_seq();
            let next = tokio::select! {
                biased;
                next = next_rows(&mut rows, &mut seq) => next,
                _ = self.kill.wait() => Err(killed()),
                gone = self.stream.gone() => {
                    self.session.finish(&mut rows, sent, Some(&gone));
                    return Err(gone);
                }
            };
            match next {
                Ok(Some(Next::Row(row))) => {
                    self.stream.put(&row);
                    sent += 1;
                    self.relieve().await?;
                }
                Ok(Some(Next::Frames(frames))) => {
                    self.stream.put_frames(frames.bytes, seq);
                    sent += frames.rows;
                    self.relieve().await?;
                }
                Ok(None) => {
                    let warnings = self.session.finish(&mut rows, sent, None);
                    return self.end(warnings).await;
                }
                Err(error) => {
                    // Between the parts of a row, an error would be taken for one of them.
                    let is_in_row = rows.is_in_row();
                    self.session.finish(&mut rows, sent, Some(&error));
                    return if is_in_row { Err(error) } else { self.error(&error).await };
                }
            }
        }
    }

    /// Sends rows on when there are many.
    async fn relieve(&mut self) -> Result<()> {
        if !self.stream.is_full() {
            return Ok(());
        }
        // The rest of a row that was begun must go out whole before an error can, so a kill ends the
        // connection here.
        tokio::select! {
            biased;
            flushed = flush(self.stream, self.write_timeout) => flushed,
            _ = self.kill.wait() => Err(killed()),
        }
    }

    async fn columns(&mut self, columns: &Columns) -> Result<()> {
        if let Some(Framed { count, frames }) = columns.framed() {
            self.put(|packet, _| put_lenenc(packet, *count as u64)).await?;
            self.stream.put_framed(frames);
        } else {
            self.put(|packet, _| put_lenenc(packet, columns.len() as u64)).await?;
            for column in columns.iter() {
                self.put(|packet, _| column.put(packet)).await?;
            }
        }
        self.eof_unless_deprecated().await
    }

    /// The packet after the last row.
    async fn end(&mut self, warnings: u16) -> Result<()> {
        if self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            let end = OkPacket { status: self.session.status(), warnings, ..OkPacket::default() };
            self.put(|packet, capabilities| end.put_end(packet, capabilities)).await
        } else {
            let eof = EofPacket { warnings, status: self.session.status() };
            self.put(|packet, _| eof.put(packet)).await
        }
    }

    pub(super) async fn eof(&mut self) -> Result<()> {
        self.end(0).await
    }

    async fn eof_unless_deprecated(&mut self) -> Result<()> {
        if self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            return Ok(());
        }
        let status: StatusFlags = self.session.status();
        let eof = EofPacket { warnings: 0, status };
        self.put(|packet, _| eof.put(packet)).await
    }

    pub(super) async fn prepared(&mut self, info: &PreparedInfo) -> Result<()> {
        let head = PrepareOk {
            statement: info.id,
            columns: count(&info.columns)?,
            params: count(&info.params)?,
            warnings: info.warnings,
        };
        self.put(|packet, _| head.put(packet)).await?;
        for group in [&info.params, &info.columns] {
            if group.is_empty() {
                continue;
            }
            for column in group {
                self.put(|packet, _| column.put(packet)).await?;
            }
            self.eof_unless_deprecated().await?;
        }
        Ok(())
    }

    pub(super) async fn field_list(&mut self, columns: &[Column]) -> Result<()> {
        for column in columns {
            self.put(|packet, _| column.put_with_default(packet, None)).await?;
        }
        self.end(0).await
    }

    async fn put(&mut self, build: impl FnOnce(&mut BytesMut, CapabilityFlags)) -> Result<()> {
        let capabilities = self.capabilities;
        self.stream.put_with(|packet| build(packet, capabilities));
        self.stream.relieve().await
    }
}

fn count(columns: &[Column]) -> Result<u16> {
    u16::try_from(columns.len())
        .map_err(|_| Error::protocol("a prepared statement with more than 65,535 columns"))
}
