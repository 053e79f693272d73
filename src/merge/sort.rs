//! Rows that are buffered and sorted.

use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use bytes::Bytes;

use super::spec::Limits;
use crate::error::{Error, ErrorKind, Result};

/// Buffers rows up to the limits; if only the first `keep` are wanted, drops the others at once.
#[derive(Debug)]
pub(super) struct Sorter {
    /// The last of the rows on top.
    rows: BinaryHeap<Entry>,
    /// Bytes of the rows and their keys.
    bytes: u64,
    pushed: u64,
    keep: Option<u64>,
    limits: Limits,
}

/// Ordered by key, and rows with equal keys as they came.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: Box<[u8]>,
    number: u64,
    row: Bytes,
}

impl Entry {
    fn bytes(&self) -> u64 {
        (self.key.len() + self.row.len()) as u64
    }
}

impl Sorter {
    pub(super) fn new(keep: Option<u64>, limits: Limits) -> Self {
        Self { rows: BinaryHeap::new(), bytes: 0, pushed: 0, keep, limits }
    }

    pub(super) fn push(&mut self, key: &[u8], row: &[u8]) -> Result<()> {
        self.pushed += 1;
        let full = self.keep.is_some_and(|keep| self.rows.len() as u64 >= keep);
        if full {
            // Of equal rows the first stays.
            match self.rows.peek_mut() {
                Some(last) if key < &last.key[..] => self.bytes -= PeekMut::pop(last).bytes(),
                Some(_) | None => return Ok(()),
            }
        }
        // A copy, because the row may be a part of a much larger buffer that it would keep.
        let row = Bytes::copy_from_slice(row);
        let entry = Entry { key: key.into(), number: self.pushed, row };
        self.bytes += entry.bytes();
        self.rows.push(entry);
        self.check()
    }

    /// The rows in order.
    pub(super) fn finish(self) -> Sorted {
        Sorted(self.rows.into_sorted_vec().into_iter())
    }

    fn check(&self) -> Result<()> {
        let (rows, limits) = (self.rows.len() as u64, self.limits);
        let message = if rows > limits.sort_rows {
            format!("more than {} rows to sort (`limits.sort_rows`)", limits.sort_rows)
        } else if self.bytes > limits.sort_bytes {
            format!("more than {} bytes to sort (`limits.sort_bytes`)", limits.sort_bytes)
        } else {
            return Ok(());
        };
        let message =
            format!("{message}; raise the limit, or ask for fewer rows with WHERE or LIMIT");
        Err(Error::new(ErrorKind::LimitExceeded, message))
    }
}

/// Sorted rows.
#[derive(Debug)]
pub(super) struct Sorted(std::vec::IntoIter<Entry>);

impl Iterator for Sorted {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.0.next().map(|entry| entry.row)
    }
}
