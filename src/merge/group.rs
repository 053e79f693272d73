//! Rows with equal keys, folded into one.

use bytes::Bytes;

use super::fields::{Field, Layout};
use super::fold::Folder;
use super::row::{RowWriter, strip};
use super::source::Head;
use crate::error::Result;

/// The group whose rows are being read.
#[derive(Debug)]
pub(super) struct Group {
    folders: Vec<Folder>,
    /// For each column the fold that its value comes from.
    origins: Vec<Option<usize>>,
    key: Vec<u8>,
    first: Bytes,
    fields: Vec<Field>,
    rows: u64,
    text: Vec<u8>,
}

impl Group {
    pub(super) fn new(folders: Vec<Folder>, columns: usize) -> Self {
        let mut origins = vec![None; columns];
        for (at, folder) in folders.iter().enumerate() {
            for &column in folder.columns() {
                if let Some(origin) = origins.get_mut(column) {
                    *origin = Some(at);
                }
            }
        }
        Self {
            folders,
            origins,
            key: Vec::new(),
            first: Bytes::new(),
            fields: Vec::new(),
            rows: 0,
            text: Vec::new(),
        }
    }

    /// Whether the row belongs to the group.
    pub(super) fn takes(&self, head: &Head) -> bool {
        self.rows > 0 && self.key == head.key
    }

    pub(super) fn start(&mut self, head: &mut Head) {
        self.first = std::mem::take(&mut head.row);
        std::mem::swap(&mut self.fields, &mut head.fields);
        self.key.clone_from(&head.key);
        self.rows = 1;
    }

    /// Folds a row in. A group of one row is never folded: most are, and keep their row as it is.
    pub(super) fn absorb(&mut self, head: &Head) -> Result<()> {
        if self.rows == 1 {
            for folder in &mut self.folders {
                folder.reset();
                folder.absorb(&self.first, &self.fields)?;
            }
        }
        for folder in &mut self.folders {
            folder.absorb(&head.row, &head.fields)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// The group's row with its first `columns` columns; `None` if the group has no rows.
    pub(super) fn finish(&mut self, layout: &Layout, columns: usize) -> Result<Option<Bytes>> {
        let rows = std::mem::take(&mut self.rows);
        let first = std::mem::take(&mut self.first);
        match rows {
            0 => return Ok(None),
            1 if columns == layout.columns() => return Ok(Some(first)),
            1 => return Ok(Some(strip(layout, first, &self.fields))),
            _ => {}
        }
        let mut out = RowWriter::new(layout, columns, first.len() + 32);
        let columns = self.fields.iter().zip(&self.origins).enumerate().take(columns);
        for (column, (field, origin)) in columns {
            match origin.and_then(|at| self.folders.get(at)) {
                Some(folder) => folder.write(column, &mut self.text, &mut out)?,
                None => out.copy(&first, *field),
            }
        }
        Ok(Some(out.finish()))
    }
}
