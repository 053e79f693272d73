//! Reading replies: a head, then columns, rows and an end, one after another.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::backend::connection::Connection;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::protocol::capability::StatusFlags;
use crate::protocol::column::Column;
use crate::protocol::packet::{FRAME_MAX, HEADER_LEN, Header};
use crate::protocol::reply::{EOF, ERR, OkPacket, ReplyHead, RowPacket, is_rows_end, parse_err};
use crate::protocol::row::TextValues;

/// The most rows that [`Connection::query_all`] takes: it is for questions of our own.
const OWN_ROWS_MAX: usize = 1_000_000;
/// Where in a reply we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Between replies.
    Idle,
    /// The head of a reply, or of another result of the same statement, is next.
    Head,
    /// So many column definitions are next, then rows. Servers allow 4096 and a few more.
    Columns(u16),
    Rows,
    /// In a row that takes more than one frame, whose parts [`Connection::read_row_frames`] hands out.
    RowTail,
}

/// Rows as a server framed them, headers included.
#[derive(Debug)]
pub struct Frames {
    pub bytes: BytesMut,
    /// How many rows end in them.
    pub rows: u64,
}

/// All rows of one result, for questions of our own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryResult {
    pub columns: Vec<Column>,
    /// Text values; `None` is NULL.
    pub rows: Vec<Vec<Option<Bytes>>>,
    pub end: OkPacket,
}

impl QueryResult {
    /// The text of a value by its column's name in the first row; `None` if there is none or it is NULL.
    pub fn first(&self, name: &str) -> Option<&str> {
        let column = self.columns.iter().position(|column| column.name == name.as_bytes())?;
        let value = self.rows.first()?.get(column)?.as_ref()?;
        std::str::from_utf8(value).ok()
    }
}

impl Connection {
    /// Reads the head of the next reply, or of the next result of the same statement while
    /// [`Connection::has_more`]. The head of an error is [`ReplyHead::Err`]; the reply is then over.
    pub async fn read_head(&mut self) -> Result<ReplyHead> {
        self.begin_reply().await?;
        let payload = self.channel.read().await?;
        let head = ReplyHead::parse(&payload, self.capabilities);
        let head = head.map_err(|error| self.malformed(error))?;
        match &head {
            ReplyHead::Ok(ok) => self.end_result(ok.clone()),
            ReplyHead::Err(error) => {
                self.end_with_error();
                if let Some(lost) = self.farewell(error) {
                    return Err(lost);
                }
            }
            ReplyHead::Columns(count) => match u16::try_from(*count) {
                Ok(count @ 1..) => self.phase = Phase::Columns(count),
                Ok(0) | Err(_) => {
                    let error = Error::protocol(format!("a result of {count} columns"));
                    return Err(self.malformed(error));
                }
            },
            ReplyHead::LocalInfile(_) => {
                Box::pin(self.send_no_file()).await?;
                return Err(Error::unsupported(
                    "a file of the client other than by LOAD DATA LOCAL INFILE is not supported: nothing \
                     was loaded",
                ));
            }
        }
        Ok(head)
    }

    /// Reads one of the column definitions that [`ReplyHead::Columns`] announced, as it came. `None`
    /// after the last.
    pub async fn read_column_packet(&mut self) -> Result<Option<Bytes>> {
        let left = match self.phase {
            Phase::Columns(left) => left,
            Phase::Rows => return Ok(None),
            Phase::Idle | Phase::Head | Phase::RowTail => return Err(self.out_of_order("columns")),
        };
        let packet = self.channel.read().await?;
        // Counted one by one, for a caller that gives up in between and drains.
        self.phase = if left > 1 { Phase::Columns(left - 1) } else { Phase::Rows };
        Ok(Some(packet))
    }

    /// Reads the column definitions that [`ReplyHead::Columns`] announced, as they came.
    pub async fn read_column_packets(&mut self) -> Result<Vec<Bytes>> {
        let Phase::Columns(count) = self.phase else { return Err(self.out_of_order("columns")) };
        let mut packets = Vec::with_capacity(usize::from(count));
        while let Some(packet) = self.read_column_packet().await? {
            packets.push(packet);
        }
        Ok(packets)
    }

    /// A packet that the caller found to be malformed: nobody knows what comes next.
    pub fn refuse_packet(&mut self, error: Error) -> Error {
        self.malformed(error)
    }

    /// As [`Connection::read_column_packets`], parsed.
    pub async fn read_columns(&mut self) -> Result<Vec<Column>> {
        let packets = self.read_column_packets().await?;
        let columns: Result<Vec<Column>> = packets.iter().map(Column::parse).collect();
        columns.map_err(|error| self.malformed(error))
    }

    /// The payload of the next row. `None` after the last: then see [`Connection::end`].
    pub async fn read_row(&mut self) -> Result<Option<Bytes>> {
        if self.phase != Phase::Rows {
            return Err(self.out_of_order("rows"));
        }
        let payload = self.channel.read().await?;
        let packet = RowPacket::parse(&payload, self.capabilities);
        match packet.map_err(|error| self.malformed(error))? {
            RowPacket::Row => Ok(Some(payload)),
            RowPacket::End(end) => {
                self.end_result(end);
                Ok(None)
            }
            RowPacket::Err(_) => Err(self.server_error(&payload)),
        }
    }

    /// As many of the next rows as have come, as they were framed, to be passed on as they are: the
    /// frames are numbered anew, from `seq`, which counts on. At least one frame; a row of several frames
    /// may come in several parts. `None` after the last row.
    pub async fn read_row_frames(&mut self, seq: &mut u8) -> Result<Option<Frames>> {
        if !matches!(self.phase, Phase::Rows | Phase::RowTail) {
            return Err(self.out_of_order("rows"));
        }
        loop {
            if let Some(frames) = self.row_frames_at_hand(seq) {
                return Ok(Some(frames));
            }
            let (header, first) = self.channel.peek().await?;
            let is_end = self.phase == Phase::Rows && ends_rows(header, first);
            if is_end {
                return self.read_row().await.map(|_| None);
            }
            self.check_frame(header)?;
            let missing = (HEADER_LEN + header.len).saturating_sub(self.channel.inbound().len());
            if missing > 0 {
                self.channel.fill(missing).await?;
            }
        }
    }

    /// As [`Connection::read_row_frames`], of rows that have come already. `None`: no whole frame has.
    pub fn row_frames_at_hand(&mut self, seq: &mut u8) -> Option<Frames> {
        if !matches!(self.phase, Phase::Rows | Phase::RowTail) {
            return None;
        }
        let (whole, rows) = self.take_row_frames(seq);
        (whole > 0).then(|| Frames { bytes: self.channel.inbound().split_to(whole), rows })
    }

    /// A row has been handed out in part: nothing but its rest may follow.
    pub fn is_in_row(&self) -> bool {
        self.phase == Phase::RowTail
    }

    /// What ended the last result: counts, status, info and session changes. Of a reply that ended by an
    /// error, nothing.
    pub fn end(&self) -> &OkPacket {
        &self.end
    }

    /// Another result of the same statement is next.
    pub fn has_more(&self) -> bool {
        self.phase == Phase::Head
    }

    /// Reads and drops all that is still to come. The error of a statement is dropped too.
    pub async fn drain(&mut self) -> Result<()> {
        loop {
            let step = match self.phase {
                Phase::Idle if self.expected.is_empty() => return Ok(()),
                Phase::Idle | Phase::Head => self.read_head().await.map(|_| ()),
                Phase::Columns(_) => self.read_column_packets().await.map(|_| ()),
                Phase::Rows | Phase::RowTail => self.read_row_frames(&mut 0).await.map(|_| ()),
            };
            match step {
                Err(error) if matches!(error.kind(), ErrorKind::Server(_)) && !self.is_broken() => {
                }
                step => step?,
            }
        }
    }

    /// The next packet of a reply whose shape only the caller knows (COM_STATISTICS, COM_FIELD_LIST,
    /// COM_CHANGE_USER); it ends by [`Connection::finish_reply`].
    pub async fn read_packet(&mut self) -> Result<Bytes> {
        if self.phase == Phase::Idle {
            self.begin_reply().await?;
        }
        self.channel.read().await
    }

    /// The reply that was read by [`Connection::read_packet`] is over. `status` is that of its last
    /// packet, if it had one.
    pub fn finish_reply(&mut self, status: Option<StatusFlags>) {
        self.status = status.unwrap_or(self.status);
        self.phase = Phase::Idle;
    }

    /// Sends a query and reads its first result whole; further results are dropped.
    pub async fn query_all(&mut self, sql: impl AsRef<[u8]>) -> Result<QueryResult> {
        let sql = sql.as_ref();
        self.queue_query(sql)?;
        self.flush().await?;
        let mut result = QueryResult::default();
        match self.read_head().await? {
            ReplyHead::Ok(_) | ReplyHead::LocalInfile(_) => {}
            ReplyHead::Err(error) => return Err(Error::server(error)),
            ReplyHead::Columns(_) => {
                result.columns = self.read_columns().await?;
                while let Some(row) = self.read_row().await? {
                    if result.rows.len() == OWN_ROWS_MAX {
                        let message = format!(
                            "`{}` has more than {OWN_ROWS_MAX} rows",
                            String::from_utf8_lossy(sql)
                        );
                        return Err(Error::new(ErrorKind::LimitExceeded, message));
                    }
                    let values = TextValues::new(&row)
                        .map(|value| value.map(|value| value.map(|value| row.slice_ref(value))));
                    let values: Result<Vec<_>> = values.collect();
                    result.rows.push(values.map_err(|error| self.malformed(error))?);
                }
            }
        }
        result.end = self.end.clone();
        self.drain().await?;
        Ok(result)
    }

    // --- Steps ---

    /// Moves to the next reply unless one is under way at its head.
    pub(super) async fn begin_reply(&mut self) -> Result<()> {
        match self.phase {
            Phase::Head => return Ok(()),
            Phase::Idle => {}
            Phase::Columns(_) | Phase::Rows | Phase::RowTail => {
                return Err(self.out_of_order("a reply"));
            }
        }
        self.read_steps(0).await?;
        let Some(expected) = self.expected.pop_front() else {
            return Err(self.out_of_order("a reply"));
        };
        self.channel.assembler.set_next_seq(expected.seq);
        self.end = OkPacket::default();
        self.phase = Phase::Head;
        Ok(())
    }

    /// Reads definitions that will be kept.
    pub(super) async fn read_definitions(&mut self, count: u16) -> Result<Arc<[Bytes]>> {
        let mut packets = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            // A copy: a slice would keep the whole read buffer alive.
            packets.push(Bytes::copy_from_slice(&self.channel.read().await?));
        }
        Ok(packets.into())
    }

    /// An ERR packet that ends the reply under way.
    pub(super) fn server_error(&mut self, payload: &Bytes) -> Error {
        self.end_with_error();
        match parse_err(payload) {
            Ok(error) => self.farewell(&error).unwrap_or_else(|| Error::server(error)),
            Err(error) => self.malformed(error),
        }
    }

    /// Bytes that do not follow the protocol: nobody knows what comes next.
    pub(super) fn malformed(&mut self, error: Error) -> Error {
        self.channel.break_off();
        error.context(self.node_name())
    }

    fn end_result(&mut self, end: OkPacket) {
        self.report(&end);
        self.status = end.status;
        self.phase = if end.more_results() { Phase::Head } else { Phase::Idle };
        self.end = end;
    }

    fn end_with_error(&mut self) {
        self.phase = Phase::Idle;
        self.end = OkPacket::default();
        // Errors carry no status: without autocommit, the statement may have opened a transaction.
        if !self.status.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT) {
            self.tainted = true;
        }
    }

    /// The errors by which a server closes a connection are not about the statement.
    fn farewell(&mut self, error: &ServerError) -> Option<Error> {
        const SHUTDOWN: u16 = 1053;
        const KILLED_BY_MARIADB: u16 = 1927;
        const IDLE: u16 = 4031;
        if !matches!(error.code, SHUTDOWN | KILLED_BY_MARIADB | IDLE) {
            return None;
        }
        self.channel.break_off();
        let text = String::from_utf8_lossy(&error.message);
        let message = format!("{} closed the connection: {text}", self.node_name());
        Some(Error::new(ErrorKind::BackendLost, message))
    }

    fn out_of_order(&mut self, what: &str) -> Error {
        self.channel.break_off();
        Error::internal(format!("{what} asked for in phase {:?}", self.phase))
    }

    /// Bytes of the frames at the front of what has come that belong to rows and are whole, and how many
    /// rows end in them. Follows the phase through rows of several frames, and numbers the frames from
    /// `seq`.
    fn take_row_frames(&mut self, seq: &mut u8) -> (usize, u64) {
        let capabilities = self.capabilities;
        let (mut whole, mut rows) = (0, 0);
        let mut due = self.channel.assembler.next_seq();
        let any_number = self.channel.assembler.accepts_any_number();
        loop {
            let rest = self.channel.inbound().get_mut(whole..).unwrap_or_default();
            let Some(header) = Header::peek(rest) else { break };
            let Some(frame) = rest.get_mut(..HEADER_LEN + header.len) else { break };
            let (head, payload) = frame.split_at_mut(HEADER_LEN);
            let is_start = self.phase == Phase::Rows;
            let is_row = !is_start
                || !(payload.is_empty()
                    || payload.first() == Some(&ERR)
                    || is_rows_end(payload, capabilities));
            if !is_row || (header.seq != due && !any_number) {
                break;
            }
            if let Some(number) = head.last_mut() {
                *number = *seq;
            }
            *seq = seq.wrapping_add(1);
            due = header.seq.wrapping_add(1);
            self.phase = if header.last() { Phase::Rows } else { Phase::RowTail };
            rows += u64::from(header.last());
            whole += HEADER_LEN + header.len;
        }
        self.channel.assembler.set_next_seq(due);
        (whole, rows)
    }

    fn check_frame(&mut self, header: Header) -> Result<()> {
        let due = self.channel.assembler.next_seq();
        let is_due = header.seq == due || self.channel.assembler.accepts_any_number();
        if is_due && (header.len > 0 || self.phase == Phase::RowTail) {
            return Ok(());
        }
        let message = format!("packets out of order: {} where {due} was due", header.seq);
        Err(self.malformed(Error::protocol(message)))
    }
}

/// Told by the header and the first byte of the payload.
fn ends_rows(header: Header, first: Option<u8>) -> bool {
    match first {
        Some(ERR) => true,
        Some(EOF) => header.len < FRAME_MAX,
        Some(_) | None => false,
    }
}
