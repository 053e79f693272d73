//! The columns that the inputs of a merge answer with.

use super::class::{Class, Shape};
use super::fields::Layout;
use super::spec::{ColumnRef, FoldKind, RowFormat, Spec};
use crate::error::{Error, Result};
use crate::protocol::column::Column;

/// One stream of rows.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The shard, for messages: `c0/shop`.
    pub name: &'a str,
    pub columns: &'a [Column],
}

/// The columns of the first input; the others have been found to agree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) columns: &'a [Column],
    pub(super) visible: usize,
    pub(super) format: RowFormat,
}

impl<'a> Table<'a> {
    pub(super) fn new(spec: &Spec, inputs: &[Input<'a>], format: RowFormat) -> Result<Self> {
        let Some(first) = inputs.first() else {
            return Err(Error::internal("a merge of no inputs"));
        };
        let Some(visible) = first.columns.len().checked_sub(spec.hidden) else {
            let (columns, hidden) = (first.columns.len(), spec.hidden);
            return Err(Error::internal(format!("{hidden} of {columns} columns are hidden")));
        };
        let table = Self { columns: first.columns, visible, format };
        let compared = table.compared(spec)?;
        for input in inputs {
            check_count(first, input)?;
            check_alike(first, input, format, &compared)?;
        }
        Ok(table)
    }

    /// The place of a column and its definition.
    pub(super) fn column(&self, column: ColumnRef) -> Result<(usize, &'a Column)> {
        let at = match column {
            ColumnRef::Visible(at) if at < self.visible => at,
            ColumnRef::Visible(_) => usize::MAX,
            ColumnRef::Hidden(at) => self.visible.saturating_add(at),
        };
        match self.columns.get(at) {
            Some(found) => Ok((at, found)),
            None => Err(Error::internal(format!(
                "a merge by {column:?} of {} columns, {} of them visible",
                self.columns.len(),
                self.visible
            ))),
        }
    }

    pub(super) fn layout(&self) -> Layout {
        let shapes = self.columns.iter().map(Shape::of).collect();
        Layout { format: self.format, shapes, visible: self.visible }
    }

    /// The columns whose values are looked at.
    fn compared(&self, spec: &Spec) -> Result<Vec<usize>> {
        let mut refs: Vec<_> = spec.order.iter().map(|key| key.value).collect();
        refs.extend(spec.sort.iter().flatten().map(|key| key.value));
        for fold in spec.group.iter().flatten() {
            refs.push(fold.column);
            match fold.kind {
                FoldKind::Min(key) | FoldKind::Max(key) => refs.push(key.value),
                FoldKind::Avg { sum, count } => refs.extend([sum, count]),
                FoldKind::Sum | FoldKind::Count => {}
                FoldKind::BitAnd | FoldKind::BitOr | FoldKind::BitXor => {}
            }
        }
        refs.into_iter().map(|column| self.column(column).map(|(at, _)| at)).collect()
    }
}

fn check_count(first: &Input<'_>, input: &Input<'_>) -> Result<()> {
    let (expect, found) = (first.columns.len(), input.columns.len());
    if expect == found {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "{} answers with {found} columns, {} with {expect}; give the tables of all shards \
         the same columns",
        input.name, first.name
    )))
}

/// Text rows need like classes where values are compared. Binary rows cannot be read at all by
/// another shard's column definitions, and the client gets those of the first.
fn check_alike(
    first: &Input<'_>,
    input: &Input<'_>,
    format: RowFormat,
    compared: &[usize],
) -> Result<()> {
    for (at, (expect, found)) in first.columns.iter().zip(input.columns).enumerate() {
        let alike = match format {
            RowFormat::Text => !compared.contains(&at) || Class::of(expect) == Class::of(found),
            RowFormat::Binary => wire(expect) == wire(found),
        };
        if !alike {
            return Err(Error::unsupported(format!(
                "column {} is {} on {}, {} on {}; give the tables of all shards the same columns",
                at + 1,
                describe(found),
                input.name,
                describe(expect),
                first.name
            )));
        }
    }
    Ok(())
}

/// What a client must know to read a binary value.
fn wire(column: &Column) -> (Class, Shape, bool) {
    let unsigned = column.unsigned();
    (Class::of(column), Shape::of(column), unsigned)
}

fn describe(column: &Column) -> String {
    let unsigned = column.unsigned();
    let unsigned = if unsigned { " unsigned" } else { "" };
    format!("{} ({:?}{unsigned})", Class::of(column).name(), column.ty)
}
