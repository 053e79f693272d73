//! Where the next row comes from: any input, or the one whose head sorts first.

use std::collections::VecDeque;

use bytes::Bytes;

use super::fields::{Field, Layout};
use super::key::Key;
use super::tree::Tree;
use crate::error::{Error, Result};

/// The row that is looked at, with what has been found out about it.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) row: Bytes,
    pub(super) fields: Vec<Field>,
    pub(super) key: Vec<u8>,
    /// The key of the input's row before.
    previous: Vec<u8>,
    ended: bool,
}

/// What a source has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It must be fed from this input.
    Need(usize),
    /// It must be fed from any input that has not ended.
    NeedAny,
    /// [`Source::head`] has a row.
    Row,
    End,
}

#[derive(Debug)]
pub(super) enum Source {
    Any(Queue),
    Sorted(Runs),
}

/// Rows as they come.
#[derive(Debug)]
pub(super) struct Queue {
    rows: VecDeque<Bytes>,
    head: Head,
    /// The head has been taken out of `rows`.
    filled: bool,
    open: Vec<bool>,
}

/// Sorted inputs.
#[derive(Debug)]
pub(super) struct Runs {
    heads: Vec<Head>,
    tree: Tree,
    /// The input whose head is missing.
    missing: Option<usize>,
    /// All inputs have had their first row, so that the tree stands.
    primed: bool,
    key: Key,
}

impl Source {
    pub(super) fn any(inputs: usize) -> Self {
        Self::Any(Queue {
            rows: VecDeque::new(),
            head: Head::default(),
            filled: false,
            open: vec![true; inputs],
        })
    }

    pub(super) fn sorted(inputs: usize, key: Key) -> Self {
        let heads = (0..inputs).map(|_| Head::default()).collect();
        let missing = (inputs > 0).then_some(0);
        Self::Sorted(Runs { heads, tree: Tree::default(), missing, primed: false, key })
    }

    /// Takes the next row of an input, or its end. `reach` columns of it are located.
    pub(super) fn feed(
        &mut self,
        input: usize,
        row: Option<Bytes>,
        layout: &Layout,
        reach: usize,
    ) -> Result<()> {
        match self {
            Self::Any(queue) => queue.feed(input, row),
            Self::Sorted(runs) => runs.feed(input, row, layout, reach),
        }
    }

    pub(super) fn next(&mut self, layout: &Layout, reach: usize) -> Result<Next> {
        match self {
            Self::Any(queue) => queue.next(layout, reach),
            Self::Sorted(runs) => Ok(runs.next()),
        }
    }

    /// The row that [`Self::next`] told of.
    pub(super) fn head(&mut self) -> Result<&mut Head> {
        let head = match self {
            Self::Any(queue) => Some(&mut queue.head),
            Self::Sorted(runs) => match runs.tree.winner() {
                Some(winner) => runs.heads.get_mut(winner),
                None => None,
            },
        };
        head.ok_or_else(|| Error::internal("a merge looks at a row that it does not have"))
    }

    /// The head has been dealt with.
    pub(super) fn release(&mut self) {
        match self {
            Self::Any(queue) => queue.filled = false,
            Self::Sorted(runs) => runs.missing = runs.tree.winner(),
        }
    }
}

impl Queue {
    fn feed(&mut self, input: usize, row: Option<Bytes>) -> Result<()> {
        let Some(open) = self.open.get_mut(input).filter(|open| **open) else {
            return Err(Error::internal(format!("input {input} of a merge is fed after its end")));
        };
        match row {
            Some(row) => self.rows.push_back(row),
            None => *open = false,
        }
        Ok(())
    }

    fn next(&mut self, layout: &Layout, reach: usize) -> Result<Next> {
        if !self.filled {
            let Some(row) = self.rows.pop_front() else {
                let open = self.open.iter().any(|&open| open);
                return Ok(if open { Next::NeedAny } else { Next::End });
            };
            layout.locate(&row, reach, &mut self.head.fields)?;
            self.head.row = row;
            self.filled = true;
        }
        Ok(Next::Row)
    }
}

impl Runs {
    fn feed(
        &mut self,
        input: usize,
        row: Option<Bytes>,
        layout: &Layout,
        reach: usize,
    ) -> Result<()> {
        let wanted = self.missing == Some(input);
        let Some(head) = self.heads.get_mut(input).filter(|_| wanted) else {
            return Err(Error::internal(format!("a merge is fed from input {input} out of turn")));
        };
        match row {
            Some(row) => head.fill(row, layout, reach, &self.key)?,
            None => head.end(),
        }
        let heads = &self.heads;
        let beats = |a: usize, b: usize| beats(heads, a, b);
        self.missing = None;
        if self.primed {
            self.tree.replay(beats);
        } else if input + 1 < heads.len() {
            self.missing = Some(input + 1);
        } else {
            self.tree = Tree::new(heads.len(), beats);
            self.primed = true;
        }
        Ok(())
    }

    fn next(&self) -> Next {
        if let Some(input) = self.missing {
            return Next::Need(input);
        }
        match self.tree.winner().and_then(|winner| self.heads.get(winner)) {
            Some(head) if !head.ended => Next::Row,
            Some(_) | None => Next::End,
        }
    }
}

impl Head {
    fn fill(&mut self, row: Bytes, layout: &Layout, reach: usize, key: &Key) -> Result<()> {
        layout.locate(&row, reach, &mut self.fields)?;
        std::mem::swap(&mut self.previous, &mut self.key);
        key.encode(&row, &self.fields, &mut self.key)?;
        self.row = row;
        if self.key >= self.previous {
            return Ok(());
        }
        // The answer would be in a wrong order, or have a group twice.
        Err(Error::unsupported(
            "the rows of a shard are not in the order of their keys, so they cannot be merged; if \
             the values are longer than max_sort_length raise it, \
             else sort by CAST(column AS CHAR)",
        ))
    }

    fn end(&mut self) {
        *self = Self { ended: true, ..Self::default() };
    }
}

/// Rows with equal keys come in the order of the inputs, and ends come last.
fn beats(heads: &[Head], a: usize, b: usize) -> bool {
    let rank = |at: usize| heads.get(at).map(|head| (head.ended, &head.key[..], at));
    rank(a) < rank(b)
}
