//! What happens to a row once its turn has come: folding, sorting, cutting.

use bytes::Bytes;

use super::fields::{Field, Layout};
use super::group::Group;
use super::key::Key;
use super::row::strip;
use super::sort::{Sorted, Sorter};
use super::source::Head;
use super::window::Window;
use crate::error::Result;

/// The steps behind the source.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) equal: Equal,
    pub(super) resort: Option<Resort>,
    pub(super) window: Window,
    /// The rows of `resort` in order, once all are there.
    pub(super) sorted: Option<Sorted>,
}

/// What becomes of rows with equal keys.
#[derive(Debug)]
pub(super) enum Equal {
    /// Each stands for itself.
    Keep,
    /// Only the first is kept; the key of the one before, if any.
    Distinct(Option<Vec<u8>>),
    Fold(Box<Group>),
}

impl Stage {
    /// Takes a row; gives back a row of the answer if that one or the group before it is one.
    pub(super) fn accept(&mut self, layout: &Layout, head: &mut Head) -> Result<Option<Bytes>> {
        match &mut self.equal {
            Equal::Keep => {}
            Equal::Distinct(last) => {
                if last.as_ref() == Some(&head.key) {
                    return Ok(None);
                }
                last.get_or_insert_default().clone_from(&head.key);
            }
            Equal::Fold(group) => {
                if group.takes(head) {
                    group.absorb(head)?;
                    return Ok(None);
                }
                let out = self.close_group(layout)?;
                if let Equal::Fold(group) = &mut self.equal {
                    group.start(head);
                }
                return Ok(out);
            }
        }
        let row = std::mem::take(&mut head.row);
        if let Some(resort) = &mut self.resort {
            resort.push(layout, &row)?;
            return Ok(None);
        }
        Ok(self.window.admit().then(|| strip(layout, row, &head.fields)))
    }

    /// There are no more rows. Afterwards [`Self::drain`] gives what has been sorted.
    pub(super) fn finish(&mut self, layout: &Layout) -> Result<Option<Bytes>> {
        let out = self.close_group(layout)?;
        self.sorted = self.resort.take().map(|resort| resort.sorter.finish());
        Ok(out)
    }

    /// The next of the sorted rows.
    pub(super) fn drain(&mut self, layout: &Layout) -> Result<Option<Bytes>> {
        let mut fields = Vec::new();
        for row in self.sorted.iter_mut().flatten() {
            if self.window.admit() {
                layout.locate(&row, layout.visible, &mut fields)?;
                return Ok(Some(strip(layout, row, &fields)));
            }
        }
        Ok(None)
    }

    fn close_group(&mut self, layout: &Layout) -> Result<Option<Bytes>> {
        let Equal::Fold(group) = &mut self.equal else { return Ok(None) };
        // The hidden columns are needed as long as there is something to sort by.
        let columns = if self.resort.is_some() { layout.columns() } else { layout.visible };
        let Some(row) = group.finish(layout, columns)? else { return Ok(None) };
        if let Some(resort) = &mut self.resort {
            resort.push(layout, &row)?;
            return Ok(None);
        }
        Ok(self.window.admit().then_some(row))
    }
}

/// Sorting, and the key to sort by.
#[derive(Debug)]
pub(super) struct Resort {
    pub(super) key: Key,
    pub(super) sorter: Sorter,
    fields: Vec<Field>,
    scratch: Vec<u8>,
}

impl Resort {
    pub(super) fn new(key: Key, sorter: Sorter) -> Self {
        Self { key, sorter, fields: Vec::new(), scratch: Vec::new() }
    }

    pub(super) fn push(&mut self, layout: &Layout, row: &[u8]) -> Result<()> {
        layout.locate(row, self.key.reach(), &mut self.fields)?;
        self.key.encode(row, &self.fields, &mut self.scratch)?;
        self.sorter.push(&self.scratch, row)
    }
}
