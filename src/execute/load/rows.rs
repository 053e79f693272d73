//! From the pieces of a file to its rows.

use bytes::{Buf, BytesMut};

use crate::error::{Error, ErrorKind, Result};
use crate::plan::types::{LoadValue, Split};
use crate::sql::delimited::{Delimiters, Next, Row};

/// Rows that are placed at once: servers are asked about the keys of all of them by one statement.
const ROWS_MAX: usize = 1000;
/// Bytes of such rows, but for the last.
const BYTES_MAX: usize = 1 << 20;

/// What has come of a file and was not placed.
pub(super) struct Rows<'s> {
    delimiters: &'s Delimiters,
    /// Fields of a row.
    count: usize,
    /// Indexes of the fields that decide where it belongs, rising.
    wanted: Vec<usize>,
    /// Lines to pass over.
    skip: u64,
    input: BytesMut,
    /// Bytes of the input that are read, in rows.
    read: usize,
    rows: Vec<Found>,
    /// The number of the row that is read next.
    number: u64,
    /// With fewer bytes there is no whole row at the front: what was found when it was looked for.
    needed: usize,
    whole: bool,
    ended: bool,
    /// Bytes that a row may have.
    limit: usize,
}

/// A row, and where it is in the input.
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) row: Row,
    /// In the file.
    pub(super) number: u64,
}

impl<'s> Rows<'s> {
    pub(super) fn new(split: &'s Split, limit: usize) -> Self {
        let values = [&split.key, &split.part_key, &split.id].into_iter().flatten();
        let fields = values.filter_map(|value| match value {
            LoadValue::Field(index) => Some(*index),
            LoadValue::Given(_) => None,
        });
        let mut wanted: Vec<usize> = fields.collect();
        wanted.sort_unstable();
        wanted.dedup();
        Self {
            delimiters: &split.delimiters,
            count: split.fields,
            wanted,
            skip: split.skip,
            input: BytesMut::new(),
            read: 0,
            rows: Vec::new(),
            number: 1,
            needed: 0,
            whole: false,
            ended: false,
            limit,
        }
    }

    /// Takes the next piece of the file; None is its end.
    pub(super) fn take(&mut self, piece: Option<&[u8]>) {
        match piece {
            Some(_) if self.ended => {}
            Some(piece) => self.input.extend_from_slice(piece),
            None => self.whole = true,
        }
    }

    /// Reads rows that have come. False: there are none, until more of the file comes.
    ///
    /// # Errors
    /// A row over `limits.max_allowed_packet`.
    pub(super) fn read(&mut self) -> Result<bool> {
        self.input.advance(self.read);
        (self.read, self.rows) = (0, Vec::new());
        while !self.ended && self.rows.len() < ROWS_MAX && self.read < BYTES_MAX {
            let rest = self.input.get(self.read..).unwrap_or_default();
            if rest.len() < self.needed && !self.whole {
                break;
            }
            if self.skip > 0 {
                match self.delimiters.line(rest, self.whole) {
                    Some(len) => {
                        (self.skip, self.needed) = (self.skip - 1, 0);
                        self.read += len;
                        self.ended |= self.whole && self.read == self.input.len();
                    }
                    None => self.lack()?,
                }
                continue;
            }
            match self.delimiters.next(rest, self.whole, self.count, &self.wanted) {
                Next::Row(row) => {
                    let start = self.read;
                    self.read += row.len;
                    self.rows.push(Found { start, row, number: self.number });
                    (self.number, self.needed) = (self.number + 1, 0);
                }
                Next::End => self.ended = true,
                Next::More => self.lack()?,
            }
        }
        Ok(!self.rows.is_empty())
    }

    /// A row goes on behind what has come. It is looked for again when that has doubled, so that long rows
    /// are not read from their start with every piece.
    fn lack(&mut self) -> Result<()> {
        let length = self.input.len() - self.read;
        if length > self.limit {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "row {} of the file has more than {} bytes, which is over \
                     `limits.max_allowed_packet`; check what ends lines, or raise the limit",
                    self.number, self.limit
                ),
            ));
        }
        let more = length.saturating_mul(2).min(self.limit.saturating_add(1));
        self.needed = more.max(length + 1);
        Ok(())
    }

    pub(super) fn found(&self) -> &[Found] {
        &self.rows
    }

    /// The bytes of a row.
    pub(super) fn bytes(&self, found: &Found) -> &[u8] {
        self.input.get(found.start..found.start + found.row.len).unwrap_or_default()
    }

    /// A field of a row by its index. None: the row has fewer.
    pub(super) fn field<'f>(
        &self,
        found: &'f Found,
        index: usize,
    ) -> Option<&'f crate::sql::delimited::Field> {
        let position = self.wanted.binary_search(&index).ok()?;
        found.row.fields.get(position)?.as_ref()
    }
}
