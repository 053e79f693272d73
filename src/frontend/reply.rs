//! The only writer of replies.

use bytes::BytesMut;

use super::stream::ClientStream;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::reply::Rows;
use crate::execute::{Reply, Summary};
use crate::protocol::capability::{CapabilityFlags, StatusFlags};
use crate::protocol::column::Column;
use crate::protocol::reply::{EofPacket, OkPacket, put_err};
use crate::protocol::stmt::PrepareOk;
use crate::protocol::write::put_lenenc;
use crate::session::{PreparedInfo, Session};

/// Writes the reply to one command.
pub(super) struct ReplyWriter<'a> {
    stream: &'a mut ClientStream,
    session: &'a mut Session,
    capabilities: CapabilityFlags,
    packet: BytesMut,
}

impl<'a> ReplyWriter<'a> {
    pub(super) fn new(stream: &'a mut ClientStream, session: &'a mut Session) -> Self {
        let capabilities = session.capabilities();
        Self { stream, session, capabilities, packet: BytesMut::new() }
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
        let mut kill = self.session.kill_signal();
        loop {
            let next = tokio::select! {
                biased;
                next = rows.next() => next,
                _ = kill.wait() => Err(Error::new(
                    ErrorKind::Killed,
                    "Query execution was interrupted",
                )),
            };
            match next {
                Ok(Some(row)) => {
                    self.stream.write(&row).await?;
                    sent += 1;
                }
                Ok(None) => {
                    let warnings = self.session.finish(&mut rows, sent, None);
                    return self.end(warnings).await;
                }
                Err(error) => {
                    self.session.finish(&mut rows, sent, Some(&error));
                    return self.error(&error).await;
                }
            }
        }
    }

    async fn columns(&mut self, columns: &[Column]) -> Result<()> {
        self.put(|packet, _| put_lenenc(packet, columns.len() as u64)).await?;
        for column in columns {
            self.put(|packet, _| column.put(packet)).await?;
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
        self.packet.clear();
        build(&mut self.packet, self.capabilities);
        self.stream.write(&self.packet).await
    }
}

fn count(columns: &[Column]) -> Result<u16> {
    u16::try_from(columns.len())
        .map_err(|_| Error::protocol("a prepared statement with more than 65,535 columns"))
}
