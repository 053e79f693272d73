//! Rows that wait to be written, by where they go.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::template::Target;

/// Bytes of rows that are held until they are written.
const BYTES_MAX: usize = 8 << 20;

/// Rows of one target, as they stand in the file.
#[derive(Default)]
pub(super) struct Pile {
    pub(super) data: Vec<u8>,
    /// Their numbers in the file.
    pub(super) numbers: Vec<u64>,
}

#[derive(Default)]
pub(super) struct Piles {
    by_target: BTreeMap<Target, Pile>,
    size: usize,
}

impl Pile {
    /// The number of its last row.
    pub(super) fn last(&self) -> u64 {
        self.numbers.last().copied().unwrap_or_default()
    }
}

impl Piles {
    /// Adds a row, whose bytes are `parts` one after another.
    pub(super) fn add(&mut self, target: &Target, number: u64, parts: &[&[u8]]) {
        if !self.by_target.contains_key(target) {
            self.by_target.insert(target.clone(), Pile::default());
        }
        let Some(pile) = self.by_target.get_mut(target) else { return };
        parts.iter().for_each(|part| pile.data.extend_from_slice(part));
        pile.numbers.push(number);
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.size += length + size_of::<u64>();
    }

    /// Nothing, for a target that is to check the statement.
    pub(super) fn add_empty(&mut self, target: Target) {
        self.by_target.entry(target).or_default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_target.is_empty()
    }

    pub(super) fn are_full(&self) -> bool {
        self.size >= BYTES_MAX
    }

    /// Takes all of them, which leaves none.
    pub(super) fn take(&mut self) -> Vec<(Target, Arc<Pile>)> {
        self.size = 0;
        let piles = std::mem::take(&mut self.by_target).into_iter();
        piles.map(|(target, pile)| (target, Arc::new(pile))).collect()
    }
}
