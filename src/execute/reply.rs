//! What a statement answers, as a stream that its reader pulls.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::aftermath::{Aftermath, Learned};
use super::binary::binary_row;
use super::columns::Columns;
use super::summary::Summary;
use super::warnings::Warnings;
use crate::backend::{Connection, Frames};
use crate::error::{Error, ErrorKind, Result};
use crate::merge::{Merge, Step};
use crate::plan::template::Target;
use crate::protocol::capability::StatusFlags;
use crate::protocol::reply::ReplyHead;
use crate::transaction::Lent;

/// The answer to one statement.
pub enum Reply {
    Done(Summary),
    Rows(Rows),
}

/// A result set: columns, then rows until there are no more, then [`Rows::end`].
pub struct Rows {
    pub columns: Columns,
    source: Source,
    warnings: Warnings,
    pub(super) aftermath: Aftermath,
    /// What was learned at the end of the rows.
    pub learned: Learned,
    /// The statement may give further results, all of them from this target.
    pub(super) several: Option<Target>,
    /// What ended the rows says so of them: they are the OUT parameters of a prepared CALL.
    flags: StatusFlags,
    more: bool,
    /// They come as text, and the client takes binary rows.
    to_binary: bool,
}

pub(super) enum Source {
    /// Rows that are at hand.
    Memory(VecDeque<Bytes>),
    /// One shard's rows, untouched.
    One(Box<Lent>),
    /// Rows of a connection that no transaction goes on with.
    Apart(Box<Lent>),
    /// Many shards' rows.
    Merged(Box<Merged>),
    /// Ended: the connections are kept for the transaction.
    Ended(Vec<Lent>),
}

/// Streams of several targets and what makes one of them.
pub(super) struct Merged {
    inputs: Inputs,
    merge: Merge,
    /// Connections of the transaction whose rows are all read.
    done: Vec<Lent>,
    /// SQL_CALC_FOUND_ROWS: the client sees some of the rows, and all are counted.
    pub(super) window: Option<Window>,
}

/// The rows of a LIMIT, found while all rows are counted.
pub(super) struct Window {
    offset: u64,
    end: u64,
    counted: u64,
}

impl Window {
    pub(super) fn new(offset: u64, limit: Option<u64>) -> Self {
        let end = limit.map_or(u64::MAX, |limit| offset.saturating_add(limit));
        Self { offset, end, counted: 0 }
    }

    /// Counts a row. Whether the client sees it.
    fn shows(&mut self) -> bool {
        let index = self.counted;
        self.counted += 1;
        index >= self.offset && index < self.end
    }
}

pub(super) struct Inputs {
    pub(super) inputs: Vec<Input>,
    /// The right to hold so many connections at once.
    pub(super) slots: Vec<OwnedSemaphorePermit>,
}

pub(super) enum Input {
    Live(Box<Lent>),
    Memory(VecDeque<Bytes>),
    Ended,
}

impl Rows {
    pub(super) fn new(columns: impl Into<Columns>, source: Source) -> Self {
        Self {
            columns: columns.into(),
            source,
            warnings: Warnings::default(),
            aftermath: Aftermath::default(),
            learned: Learned::default(),
            several: None,
            flags: StatusFlags::empty(),
            more: false,
            to_binary: false,
        }
    }

    /// Gives rows that come as text in the binary form of the protocol.
    pub fn to_binary(&mut self) {
        self.to_binary = true;
    }

    /// Another result of the same statement follows: see [`Rows::next_result`].
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// The statement may give further results.
    pub fn may_be_several(&self) -> bool {
        self.several.is_some()
    }

    /// What the end of the rows tells of them.
    pub fn flags(&self) -> StatusFlags {
        self.flags
    }

    /// Goes on to the next result: its columns are here then, or the statement is over with a summary.
    ///
    /// # Errors
    /// The server's own, by which the statement ends.
    pub(super) async fn go_on(&mut self) -> Result<Option<Summary>> {
        let Source::One(lent) = &mut self.source else {
            return Err(Error::internal("a further result of a statement that has one"));
        };
        self.more = false;
        let summary = match lent.lease.read_head().await? {
            ReplyHead::Columns(_) => {
                self.columns = lent.lease.read_columns().await?.into();
                return Ok(None);
            }
            ReplyHead::Ok(ok) => Summary::of(&ok),
            ReplyHead::Err(error) => return Err(Error::server(error)),
            ReplyHead::LocalInfile(_) => return Err(Error::protocol("a file among results")),
        };
        refuse_more(&lent.lease)?;
        self.end_one().await?;
        Ok(Some(summary))
    }

    /// The one connection has no more to say of the statement.
    async fn end_one(&mut self) -> Result<()> {
        let source = std::mem::replace(&mut self.source, Source::Ended(Vec::new()));
        let Source::One(mut lent) = source else { return Ok(()) };
        self.warnings.collect(&mut lent.lease).await;
        let learned = self.aftermath.learn(&mut lent.lease).await;
        self.source = Source::Ended(vec![*lent]);
        self.learned = learned?;
        Ok(())
    }

    /// A result that Margay answers itself; rows are payloads of the protocol in use.
    pub fn local(columns: impl Into<Columns>, rows: impl IntoIterator<Item = Bytes>) -> Self {
        Self::new(columns, Source::Memory(rows.into_iter().collect()))
    }

    /// The same, which warned of this.
    pub(super) fn warning(self, warnings: Warnings) -> Self {
        Self { warnings, ..self }
    }

    /// The payload of the next row. None: there are no more.
    ///
    /// # Errors
    /// A shard's own error, a lost connection, a limit: the client gets it in place of the next row.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        match self.next_as_it_comes().await? {
            Some(row) if self.to_binary => binary_row(&row, &self.columns).map(Some),
            row => Ok(row),
        }
    }

    async fn next_as_it_comes(&mut self) -> Result<Option<Bytes>> {
        match &mut self.source {
            Source::Memory(rows) => Ok(rows.pop_front()),
            Source::Ended(_) => Ok(None),
            Source::One(lent) | Source::Apart(lent) => {
                if self.more {
                    return Ok(None);
                }
                let row = lent.lease.read_row().await?;
                if row.is_none() {
                    self.end_rows().await?;
                }
                Ok(row)
            }
            Source::Merged(merged) => {
                let row = merged.next(&mut self.warnings).await?;
                if row.is_none() {
                    self.learned.found_rows = merged.window.as_ref().map(|window| window.counted);
                    self.source = Source::Ended(std::mem::take(&mut merged.done));
                }
                Ok(row)
            }
        }
    }

    /// Rows come as one server framed them, by [`Rows::next_frames`].
    pub fn is_framed(&self) -> bool {
        !self.to_binary && matches!(self.source, Source::One(_) | Source::Apart(_))
    }

    /// As many of the next rows as have come, numbered from `seq`, which counts on. None: there are no
    /// more.
    ///
    /// # Errors
    /// As [`Rows::next`].
    pub async fn next_frames(&mut self, seq: &mut u8) -> Result<Option<Frames>> {
        let (Source::One(lent) | Source::Apart(lent)) = &mut self.source else {
            return Err(Error::internal("frames of rows that one server does not send"));
        };
        if self.more {
            return Ok(None);
        }
        let frames = lent.lease.read_row_frames(seq).await?;
        if frames.is_none() {
            self.end_rows().await?;
        }
        Ok(frames)
    }

    /// As [`Rows::next_frames`], of rows that have come already, if they come framed.
    pub fn frames_at_hand(&mut self, seq: &mut u8) -> Option<Frames> {
        if self.to_binary || self.more {
            return None;
        }
        match &mut self.source {
            Source::One(lent) | Source::Apart(lent) => lent.lease.row_frames_at_hand(seq),
            Source::Memory(_) | Source::Merged(_) | Source::Ended(_) => None,
        }
    }

    /// A row has been handed out in part: nothing but its rest may follow.
    pub fn is_in_row(&self) -> bool {
        match &self.source {
            Source::One(lent) | Source::Apart(lent) => lent.lease.is_in_row(),
            Source::Memory(_) | Source::Merged(_) | Source::Ended(_) => false,
        }
    }

    /// The one server has sent the last row of a result.
    async fn end_rows(&mut self) -> Result<()> {
        match &mut self.source {
            Source::One(lent) => {
                self.flags = lent.lease.status() & TOLD;
                self.more = lent.lease.has_more() && self.several.is_some();
                if self.more {
                    return Ok(());
                }
                refuse_more(&lent.lease)?;
                self.end_one().await
            }
            Source::Apart(lent) => {
                self.flags = lent.lease.status() & TOLD;
                refuse_more(&lent.lease)?;
                self.warnings.collect(&mut lent.lease).await;
                self.learned = self.aftermath.learn(&mut lent.lease).await?;
                self.source = Source::Ended(Vec::new());
                Ok(())
            }
            Source::Memory(_) | Source::Merged(_) | Source::Ended(_) => Ok(()),
        }
    }

    /// Adds a warning to those that the rows end with.
    pub fn warn(&mut self, warning: Warnings) {
        self.warnings.add(warning);
    }

    /// The connections that a transaction may go on with, and the warnings.
    pub fn end(&mut self) -> (Vec<Lent>, Warnings) {
        let warnings = std::mem::take(&mut self.warnings);
        match std::mem::replace(&mut self.source, Source::Ended(Vec::new())) {
            Source::Ended(lents) => (lents, warnings),
            // Given up midway, after an error of the shard: the connection may still be good.
            Source::One(lent) => (vec![*lent], warnings),
            Source::Merged(merged) => (merged.lents(), warnings),
            Source::Memory(_) | Source::Apart(_) => (Vec::new(), warnings),
        }
    }

    /// Reads all rows into memory, within `bytes_left`.
    pub(super) async fn drain(&mut self, bytes_left: &mut u64) -> Result<VecDeque<Bytes>> {
        let mut rows = VecDeque::new();
        while let Some(row) = self.next().await? {
            let Some(left) = bytes_left.checked_sub(row.len() as u64 + ROW_OVERHEAD) else {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    "inside a transaction the rows of all but one physical table are held in memory, \
                     and they are over `limits.sort_bytes`; read outside of the transaction, add a \
                     LIMIT, or raise the limit",
                ));
            };
            *bytes_left = left;
            rows.push_back(row);
        }
        Ok(rows)
    }
}

/// What a server alone knows of the rows that it sends: parameters of a procedure, reads without an index.
const TOLD: StatusFlags = StatusFlags::SERVER_PS_OUT_PARAMS
    .union(StatusFlags::SERVER_STATUS_NO_INDEX_USED)
    .union(StatusFlags::SERVER_STATUS_NO_GOOD_INDEX_USED)
    .union(StatusFlags::SERVER_QUERY_WAS_SLOW);

/// A procedure may give several results, which only CALL has a place for.
pub(super) fn refuse_more(connection: &Connection) -> Result<()> {
    if connection.has_more() {
        return Err(Error::unsupported(
            "a statement with several results is not supported; select in the application",
        ));
    }
    Ok(())
}

/// What a buffered row costs beside its bytes.
pub(super) const ROW_OVERHEAD: u64 = size_of::<Bytes>() as u64;

impl Merged {
    pub(super) fn new(inputs: Inputs, merge: Merge) -> Self {
        Self { inputs, merge, done: Vec::new(), window: None }
    }

    /// The connections of the transaction, wherever they are in their rows.
    fn lents(self) -> Vec<Lent> {
        let mut lents = self.done;
        lents.extend(self.inputs.inputs.into_iter().filter_map(|input| match input {
            Input::Live(lent) if lent.held => Some(*lent),
            Input::Live(_) | Input::Memory(_) | Input::Ended => None,
        }));
        lents
    }

    async fn next(&mut self, warnings: &mut Warnings) -> Result<Option<Bytes>> {
        loop {
            match self.merge.step()? {
                Step::Row(row) => {
                    if self.window.as_mut().is_none_or(Window::shows) {
                        return Ok(Some(row));
                    }
                }
                Step::Need(index) => self.feed(index, warnings).await?,
                // One stream after the other: the rest wait in their servers' buffers.
                Step::NeedAny => {
                    let open = |input: &Input| !matches!(input, Input::Ended);
                    match self.inputs.inputs.iter().position(open) {
                        Some(index) => self.feed(index, warnings).await?,
                        None => return Err(Error::internal("a merge asks for more than all rows")),
                    }
                }
                Step::Done => {
                    for input in &mut self.inputs.inputs {
                        self.done.extend(input.drain(warnings).await);
                    }
                    self.inputs.inputs.clear();
                    self.inputs.slots.clear();
                    return Ok(None);
                }
            }
        }
    }

    async fn feed(&mut self, index: usize, warnings: &mut Warnings) -> Result<()> {
        let Some(input) = self.inputs.inputs.get_mut(index) else {
            return Err(Error::internal("a merge asks for a stream that it does not have"));
        };
        let (row, lent) = input.next(warnings).await?;
        self.done.extend(lent);
        self.merge.feed(index, row)
    }
}

impl Input {
    /// Reads what a merge with a LIMIT has left over, so that the connection can be kept. Where that is
    /// much, the connection is given up, unless a transaction needs it.
    async fn drain(&mut self, warnings: &mut Warnings) -> Option<Lent> {
        const ROWS_MAX: usize = 1000;
        let mut rows = 0;
        loop {
            let is_needed = matches!(self, Self::Live(lent) if lent.held);
            if rows == ROWS_MAX && !is_needed {
                return None;
            }
            rows += 1;
            match self.next(warnings).await {
                Ok((Some(_), _)) => {}
                Ok((None, lent)) => return lent,
                Err(_) => return None,
            }
        }
    }

    /// The next row; after the last, the connection if a transaction holds it.
    async fn next(&mut self, warnings: &mut Warnings) -> Result<(Option<Bytes>, Option<Lent>)> {
        match self {
            Self::Live(lent) => {
                let row = lent.lease.read_row().await?;
                if row.is_some() {
                    return Ok((row, None));
                }
                warnings.collect(&mut lent.lease).await;
                let input = std::mem::replace(self, Self::Ended);
                let Self::Live(lent) = input else { return Ok((None, None)) };
                Ok((None, lent.held.then_some(*lent)))
            }
            Self::Memory(rows) => {
                let row = rows.pop_front();
                if row.is_none() {
                    *self = Self::Ended;
                }
                Ok((row, None))
            }
            Self::Ended => Ok((None, None)),
        }
    }
}
