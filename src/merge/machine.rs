//! The merge itself: a state machine that its caller feeds with rows and asks for rows.

use bytes::Bytes;

use super::fields::Layout;
use super::fold::Folder;
use super::group::Group;
use super::key::{Key, Purpose};
use super::sort::Sorter;
use super::source::{Next, Source};
use super::spec::{Limits, RowFormat, Spec};
use super::stage::{Equal, Resort, Stage};
use super::table::{Input, Table};
use super::window::Window;
use crate::error::{Error, Result};

/// Many streams of rows to one. Holds one row of each input, plus what [`Spec::sort`] buffers.
///
/// ```text
/// feed -> source -> equal rows -> sort -> window -> strip -> step
///         tree or   kept, dropped
///         queue     or folded
/// ```
#[derive(Debug)]
pub struct Merge {
    names: Vec<String>,
    layout: Layout,
    /// How many columns of each row that comes in are located.
    reach: usize,
    source: Source,
    stage: Stage,
    /// All inputs have ended.
    ended: bool,
}

/// What the caller has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Feed the next row of this input, or its end.
    Need(usize),
    /// Feed the next row of any input that has not ended, or its end.
    NeedAny,
    /// Send this row to the client.
    Row(Bytes),
    /// There are no more rows. Inputs that have not ended are not needed any more.
    Done,
}

impl Merge {
    /// Checks `spec` against the columns of the inputs.
    ///
    /// Fails with kind `Unsupported`, before any row, if the inputs disagree or if rows cannot be
    /// compared exactly.
    pub fn new(
        spec: &Spec,
        inputs: &[Input<'_>],
        format: RowFormat,
        limits: Limits,
    ) -> Result<Self> {
        let table = Table::new(spec, inputs, format)?;
        let equal = equal(spec, &table)?;
        let purpose = match equal {
            Equal::Keep => Purpose::Order,
            Equal::Distinct(_) | Equal::Fold(_) => Purpose::Group,
        };
        let key = Key::new(&spec.order, &table, purpose)?;
        let visible = if spec.hidden > 0 { table.visible } else { 0 };
        let reach = match equal {
            Equal::Keep | Equal::Distinct(_) => key.reach().max(visible),
            Equal::Fold(_) => table.columns.len(),
        };
        let source = match spec.order[..] {
            [] => Source::any(inputs.len()),
            [..] => Source::sorted(inputs.len(), key),
        };
        let window = Window { offset: spec.offset, left: spec.limit };
        let stage = Stage { equal, resort: resort(spec, &table, limits)?, window, sorted: None };
        let names = inputs.iter().map(|input| input.name.to_owned()).collect();
        Ok(Self { names, layout: table.layout(), reach, source, stage, ended: false })
    }

    /// Takes the next row of an input, or `None` for its end. After [`Step::NeedAny`] several rows
    /// may be fed before the next step.
    pub fn feed(&mut self, input: usize, row: Option<Bytes>) -> Result<()> {
        let fed = self.source.feed(input, row, &self.layout, self.reach);
        fed.map_err(|error| match self.names.get(input) {
            Some(name) => error.context(name),
            None => error,
        })
    }

    /// Goes on until there is a row or the caller has to do something. After [`Step::Done`] or an
    /// error the merge is over.
    pub fn step(&mut self) -> Result<Step> {
        while !self.stage.window.closed() {
            if self.ended {
                let Some(row) = self.stage.drain(&self.layout)? else { break };
                return Ok(Step::Row(row));
            }
            let out = match self.source.next(&self.layout, self.reach)? {
                Next::Need(input) => return Ok(Step::Need(input)),
                Next::NeedAny => return Ok(Step::NeedAny),
                Next::Row => {
                    let out = self.stage.accept(&self.layout, self.source.head()?)?;
                    self.source.release();
                    out
                }
                Next::End => {
                    self.ended = true;
                    self.stage.finish(&self.layout)?
                }
            };
            if let Some(row) = out {
                return Ok(Step::Row(row));
            }
        }
        Ok(Step::Done)
    }
}

fn equal(spec: &Spec, table: &Table<'_>) -> Result<Equal> {
    match (&spec.group, spec.distinct) {
        (None, false) => Ok(Equal::Keep),
        (None, true) if !spec.order.is_empty() => Ok(Equal::Distinct(None)),
        (Some(folds), false) => {
            let folders = folds.iter().map(|fold| Folder::new(fold, table));
            let group = Group::new(folders.collect::<Result<_>>()?, table.columns.len());
            Ok(Equal::Fold(Box::new(group)))
        }
        (None, true) => Err(Error::internal("a DISTINCT merge without keys")),
        (Some(_), true) => Err(Error::internal("a merge that both folds and drops equal rows")),
    }
}

fn resort(spec: &Spec, table: &Table<'_>, limits: Limits) -> Result<Option<Resort>> {
    let Some(sort) = &spec.sort else { return Ok(None) };
    let keep = spec.limit.map(|limit| limit.saturating_add(spec.offset));
    let key = Key::new(sort, table, Purpose::Order)?;
    Ok(Some(Resort::new(key, Sorter::new(keep, limits))))
}
