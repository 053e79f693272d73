//! How much a statement may gather.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::Combine;
use crate::error::{Error, ErrorKind, Result};

/// Rows and their bytes as they came.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// What all parts of a statement have gathered so far.
#[derive(Debug, Default)]
pub(super) struct Total {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Total {
    /// Counts a row of a part, which has gathered `size` with it.
    pub(super) fn take(&self, settings: &Combine, size: Size, row: u64) -> Result<()> {
        let rows = self.rows.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(row, Ordering::Relaxed) + row;
        within(size.rows, settings.part_rows, "rows", "part_rows", ONE)?;
        within(size.bytes, settings.part_bytes.0, "bytes", "part_bytes", ONE)?;
        within(rows, settings.rows, "rows", "rows", ALL)?;
        within(bytes, settings.bytes.0, "bytes", "bytes", ALL)
    }
}

const ONE: &str = "one part of the statement has to gather";
const ALL: &str = "the parts of the statement have to gather";

fn within(found: u64, limit: u64, unit: &str, setting: &str, who: &str) -> Result<()> {
    if found <= limit {
        return Ok(());
    }
    let message = format!(
        "{who} more than {limit} {unit} of other shards; add conditions, or raise `combine.{setting}`"
    );
    Err(Error::new(ErrorKind::LimitExceeded, message))
}
