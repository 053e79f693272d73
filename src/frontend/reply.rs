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
use crate::protocol::track::put_session_change;
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

/// What `work` gives, unless the client leaves in the meantime, which is the outer error, or is killed.
async fn guarded<T>(
    stream: &mut ClientStream,
    kill: &KillSignal,
    work: impl Future<Output = Result<T>>,
) -> Result<Result<T>> {
    tokio::select! {
        biased;
        outcome = work => Ok(outcome),
        _ = kill.wait() => Ok(Err(killed())),
        gone = stream.gone() => Err(gone),
    }
}

fn killed() -> Error {
    Error::new(ErrorKind::Killed, "Query execution was interrupted")
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

    /// Writes all results of a statement. False: the last is an error.
    pub(super) async fn reply(&mut self, reply: Reply) -> Result<bool> {
        match reply {
            Reply::Done(summary) => self.done(&summary).await.map(|()| true),
            Reply::Rows(mut rows) => self.results(&mut rows).await,
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
            session_state: self.changes(),
        };
        self.put(|packet, capabilities| ok.put(packet, capabilities)).await
    }

    /// What an OK packet tells of the session itself.
    fn changes(&mut self) -> Bytes {
        let mut raw = BytesMut::new();
        for change in self.session.take_changes() {
            put_session_change(&mut raw, &change);
        }
        raw.freeze()
    }

    pub(super) async fn error(&mut self, error: &Error) -> Result<()> {
        if *error.kind() == ErrorKind::ClientGone {
            return Err(Error::new(ErrorKind::ClientGone, error.message()));
        }
        let (code, state, message) = error.mysql();
        let error = ServerError { code, state, message };
        self.put(|packet, capabilities| put_err(packet, &error, capabilities)).await
    }

    /// Writes the rows, and further results of a procedure that gave them. False: the last is an error.
    async fn results(&mut self, rows: &mut Rows) -> Result<bool> {
        loop {
            // Rows of a procedure are never its last result; some drivers ask before they read them.
            let more = match rows.may_be_several() {
                true => StatusFlags::SERVER_MORE_RESULTS_EXISTS,
                false => StatusFlags::empty(),
            };
            self.columns(&rows.columns, more).await?;
            let mut sent = 0;
            if let Err(error) = self.rows(rows, &mut sent).await? {
                // Between the parts of a row, an error would be taken for one of them.
                let is_in_row = rows.is_in_row();
                self.session.finish(rows, sent, Some(&error));
                return match is_in_row {
                    true => Err(error),
                    false => self.error(&error).await.map(|()| false),
                };
            }
            if !rows.has_more() {
                let warnings = self.session.finish(rows, sent, None);
                return self.end(warnings, rows.flags()).await.map(|()| true);
            }
            self.end(0, rows.flags() | StatusFlags::SERVER_MORE_RESULTS_EXISTS).await?;
            self.stream.flush().await?;
            let (stream, session) = (&mut *self.stream, &mut *self.session);
            match guarded(stream, self.kill, Box::pin(session.next_result(rows))).await? {
                Ok(None) => {}
                Ok(Some(summary)) => return self.done(&summary).await.map(|()| true),
                Err(error) => {
                    self.session.finish(rows, 0, Some(&error));
                    return self.error(&error).await.map(|()| false);
                }
            }
        }
    }

    /// Opens a cursor and writes its columns.
    pub(super) async fn cursor(&mut self, id: u32, rows: Rows) -> Result<()> {
        let columns = rows.columns.clone();
        let (stream, session) = (&mut *self.stream, &mut *self.session);
        match guarded(stream, self.kill, session.open_cursor(id, rows)).await? {
            Ok(()) => {}
            Err(error) => return self.error(&error).await,
        }
        let exists = StatusFlags::SERVER_STATUS_CURSOR_EXISTS;
        self.columns(&columns, exists).await?;
        match self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            true => self.end(0, exists).await,
            false => Ok(()),
        }
    }

    /// Writes up to so many rows of a cursor.
    pub(super) async fn fetch(&mut self, id: u32, count: u32) -> Result<()> {
        for _ in 0..count {
            let (stream, session) = (&mut *self.stream, &mut *self.session);
            match guarded(stream, self.kill, session.fetch(id)).await? {
                Ok(Some(row)) => self.row(&row).await?,
                Ok(None) => return self.end(0, StatusFlags::SERVER_STATUS_LAST_ROW_SENT).await,
                Err(error) => return self.error(&error).await,
            }
        }
        self.end(0, StatusFlags::SERVER_STATUS_CURSOR_EXISTS).await
    }

    /// Writes the rows of one result. The inner error is for the client.
    async fn rows(&mut self, rows: &mut Rows, sent: &mut u64) -> Result<Result<()>> {
        loop {
            let mut seq = self.stream.next_seq();
            // Where nothing is waited for, nothing can come in between.
            if let Some(frames) = rows.frames_at_hand(&mut seq) {
                self.frames(frames, seq, sent).await?;
                continue;
            }
            let next = match guarded(self.stream, self.kill, next_rows(rows, &mut seq)).await {
                Ok(next) => next,
                Err(gone) => {
                    self.session.finish(rows, *sent, Some(&gone));
                    return Err(gone);
                }
            };
            match next {
                Ok(Some(Next::Row(row))) => {
                    *sent += 1;
                    self.row(&row).await?;
                }
                Ok(Some(Next::Frames(frames))) => self.frames(frames, seq, sent).await?,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// Writes rows that are numbered up to `seq`.
    async fn frames(&mut self, frames: Frames, seq: u8, sent: &mut u64) -> Result<()> {
        *sent += frames.rows;
        self.stream.put_frames(frames.bytes, seq);
        self.relieve().await
    }

    async fn row(&mut self, row: &[u8]) -> Result<()> {
        self.stream.put(row);
        self.relieve().await
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

    async fn columns(&mut self, columns: &Columns, flags: StatusFlags) -> Result<()> {
        if let Some(Framed { count, frames }) = columns.framed() {
            self.put(|packet, _| put_lenenc(packet, *count as u64)).await?;
            self.stream.put_framed(frames);
        } else {
            self.put(|packet, _| put_lenenc(packet, columns.len() as u64)).await?;
            for column in columns.iter() {
                self.put(|packet, _| column.put(packet)).await?;
            }
        }
        self.eof_unless_deprecated(flags).await
    }

    /// The packet after the last row.
    async fn end(&mut self, warnings: u16, flags: StatusFlags) -> Result<()> {
        let status = self.session.status() | flags;
        if self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            let end = OkPacket { status, warnings, ..OkPacket::default() };
            self.put(|packet, capabilities| end.put_end(packet, capabilities)).await
        } else {
            let eof = EofPacket { warnings, status };
            self.put(|packet, _| eof.put(packet)).await
        }
    }

    pub(super) async fn eof(&mut self) -> Result<()> {
        self.end(0, StatusFlags::empty()).await
    }

    async fn eof_unless_deprecated(&mut self, flags: StatusFlags) -> Result<()> {
        if self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            return Ok(());
        }
        let status = self.session.status() | flags;
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
            self.eof_unless_deprecated(StatusFlags::empty()).await?;
        }
        Ok(())
    }

    pub(super) async fn field_list(&mut self, columns: &[Column]) -> Result<()> {
        for column in columns {
            self.put(|packet, _| column.put_with_default(packet, None)).await?;
        }
        self.eof().await
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
