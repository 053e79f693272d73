//! Rows that writes give by RETURNING, of several targets.

use bytes::Bytes;

use super::names::Names;
use super::reply::{ROW_OVERHEAD, Reply, Rows};
use super::run::{Fragment, Run};
use super::select::Head;
use super::summary::Summary;
use super::warnings::Warnings;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::template::Target;
use crate::protocol::column::Column;
use crate::transaction::Lent;

/// What writes have returned, with the places of the rows in the client's statement.
#[derive(Debug, Default)]
pub(super) struct Returned {
    columns: Vec<Column>,
    rows: Vec<(usize, Bytes)>,
    bytes: u64,
}

impl Returned {
    pub(super) fn add(&mut self, other: Self) {
        if self.columns.is_empty() {
            self.columns = other.columns;
        }
        self.rows.extend(other.rows);
    }

    /// Rows in the order of the statement, if they are what it gives; else its outcome.
    pub(super) fn reply(mut self, summary: Summary, warnings: &mut Warnings) -> Reply {
        if self.columns.is_empty() {
            return Reply::Done(summary);
        }
        self.rows.sort_by_key(|(place, _)| *place);
        let rows = Rows::local(self.columns, self.rows.into_iter().map(|(_, row)| row));
        Reply::Rows(rows.warning(std::mem::take(warnings)))
    }
}

impl Run<'_> {
    /// Runs a write to its end.
    pub(super) async fn write_one(
        &self,
        lent: &mut Lent,
        (fragment, target): (&Fragment, &Target),
        returned: &mut Returned,
    ) -> Result<Summary> {
        let mut columns = match self.start_rows(lent, fragment).await? {
            Head::Done(summary) => return Ok(fragment.outcome(summary)),
            Head::Rows(columns) => columns,
        };
        if let Some(names) = Names::new(self.snapshot, target) {
            names.restore_columns(&mut columns);
        }
        self.state.dress(&mut columns);
        let mut rows = Vec::new();
        while let Some(row) = lent.lease.read_row().await? {
            returned.bytes += row.len() as u64 + ROW_OVERHEAD;
            if returned.bytes > self.snapshot.config.settings.limits.sort_bytes.0 {
                return Err(too_big());
            }
            // A slice would keep a whole read buffer alive.
            rows.push(Bytes::copy_from_slice(&row));
        }
        let summary = Summary { affected_rows: rows.len() as u64, ..Summary::of(lent.lease.end()) };
        let is_all = rows.len() == fragment.rows.len();
        let place = |at: usize| match is_all {
            true => fragment.rows.get(at).copied().unwrap_or(at),
            // Some were ignored, and nobody knows which.
            false => usize::MAX,
        };
        let rows = rows.into_iter().enumerate().map(|(at, row)| (place(at), row)).collect();
        returned.add(Returned { columns, rows, bytes: 0 });
        Ok(fragment.outcome(summary))
    }
}

fn too_big() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        "the rows that RETURNING gives are held in memory until all shards have written, and they are \
         over `limits.sort_bytes`; write in smaller steps, or raise the limit",
    )
}
