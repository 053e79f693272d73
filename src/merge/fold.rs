//! The columns of many equal rows to one value each.

use bytes::Bytes;

use super::aggregate::{Number, NumberColumn};
use super::class::Class;
use super::fields::Field;
use super::key::{Key, Purpose};
use super::row::RowWriter;
use super::spec::{ColumnRef, Fold, FoldKind, OrderKey};
use super::table::Table;
use crate::error::{Error, Result};

/// A fold, checked against the columns, and what it has seen of the current group.
#[derive(Debug)]
pub(super) struct Folder {
    column: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Also folds counts.
    Sum {
        column: NumberColumn,
        sum: Option<Number>,
    },
    Average {
        columns: AverageColumns,
        sum: Option<Number>,
        count: i128,
    },
    Extreme {
        columns: ExtremeColumns,
        best: Vec<u8>,
        winner: Option<Winner>,
    },
    Bits {
        column: NumberColumn,
        operator: Operator,
        bits: Option<u64>,
    },
    /// The bit operators also work on binary strings of one length.
    BitString {
        operator: Operator,
        bits: Option<Vec<u8>>,
    },
}

#[derive(Debug)]
struct AverageColumns {
    sum: NumberColumn,
    count: NumberColumn,
    result: NumberColumn,
}

#[derive(Debug)]
struct ExtremeColumns {
    key: Key,
    value: usize,
    /// All columns that come from the winning row.
    all: Vec<usize>,
    largest: bool,
}

/// The row with the best key so far.
#[derive(Debug)]
struct Winner {
    row: Bytes,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    And,
    Or,
    Xor,
}

impl Folder {
    pub(super) fn new(fold: &Fold, table: &Table<'_>) -> Result<Self> {
        let (column, definition) = table.column(fold.column)?;
        let class = Class::of(definition);
        let kind = match fold.kind {
            FoldKind::Sum | FoldKind::Count => {
                Kind::Sum { column: NumberColumn::new(fold.column, table)?, sum: None }
            }
            FoldKind::Min(key) => extreme(fold.column, key, false, table)?,
            FoldKind::Max(key) => extreme(fold.column, key, true, table)?,
            FoldKind::Avg { sum, count } => {
                let columns = AverageColumns {
                    sum: NumberColumn::new(sum, table)?,
                    count: NumberColumn::new(count, table)?,
                    result: NumberColumn::new(fold.column, table)?,
                };
                Kind::Average { columns, sum: None, count: 0 }
            }
            FoldKind::BitAnd => bits(fold.column, class, Operator::And, table)?,
            FoldKind::BitOr => bits(fold.column, class, Operator::Or, table)?,
            FoldKind::BitXor => bits(fold.column, class, Operator::Xor, table)?,
        };
        Ok(Self { column, kind })
    }

    /// The columns whose values come from this fold.
    pub(super) fn columns(&self) -> &[usize] {
        match &self.kind {
            Kind::Extreme { columns, .. } => &columns.all,
            Kind::Sum { .. }
            | Kind::Average { .. }
            | Kind::Bits { .. }
            | Kind::BitString { .. } => std::slice::from_ref(&self.column),
        }
    }

    /// Forgets the group before.
    pub(super) fn reset(&mut self) {
        match &mut self.kind {
            Kind::Sum { sum, .. } => *sum = None,
            Kind::Average { sum, count, .. } => (*sum, *count) = (None, 0),
            Kind::Extreme { winner, .. } => *winner = None,
            Kind::Bits { bits, .. } => *bits = None,
            Kind::BitString { bits, .. } => *bits = None,
        }
    }

    /// Folds a row in.
    pub(super) fn absorb(&mut self, row: &Bytes, fields: &[Field]) -> Result<()> {
        match &mut self.kind {
            Kind::Sum { column, sum } => *sum = Number::add(*sum, column.read(row, fields)?)?,
            Kind::Average { columns, sum, count } => {
                *sum = Number::add(*sum, columns.sum.read(row, fields)?)?;
                *count = count.saturating_add(columns.count.read_integer(row, fields)?);
            }
            Kind::Extreme { columns, best, winner } => {
                let value = fields.get(columns.value);
                if value.is_none_or(|field| field.is_null()) {
                    return Ok(());
                }
                let mut key = Vec::with_capacity(best.len());
                columns.key.encode(row, fields, &mut key)?;
                let wins = if columns.largest { key > *best } else { key < *best };
                if wins || winner.is_none() {
                    *best = key;
                    *winner = Some(Winner { row: row.clone(), fields: fields.to_vec() });
                }
            }
            Kind::Bits { column, operator, bits } => {
                let number = column.read_integer(row, fields)? as u64;
                *bits = Some(bits.map_or(number, |bits| operator.apply(bits, number)));
            }
            Kind::BitString { operator, bits } => {
                let value = fields.get(self.column).and_then(|field| field.value(row));
                absorb_bit_string(*operator, bits, value)?;
            }
        }
        Ok(())
    }

    /// Appends the value of `column`, one of [`Self::columns`]; `text` is scratch space.
    pub(super) fn write(
        &self,
        column: usize,
        text: &mut Vec<u8>,
        out: &mut RowWriter<'_>,
    ) -> Result<()> {
        match &self.kind {
            Kind::Sum { column, sum } => column.write(*sum, text, out)?,
            Kind::Average { columns, sum, count } => {
                let average = columns.result.average(*sum, *count)?;
                columns.result.write(average, text, out)?;
            }
            Kind::Extreme { winner, .. } => {
                match winner.as_ref().and_then(|winner| Some((winner, winner.fields.get(column)?)))
                {
                    Some((winner, field)) => out.copy(&winner.row, *field),
                    None => out.null(),
                }
            }
            Kind::Bits { column, bits, .. } => {
                column.write(bits.map(|bits| column.number_of_bits(bits)), text, out)?;
            }
            Kind::BitString { bits, .. } => match bits {
                Some(bits) => out.bytes(bits),
                None => out.null(),
            },
        }
        Ok(())
    }
}

impl Operator {
    fn apply<T>(self, a: T, b: T) -> T
    where
        T: std::ops::BitAnd<Output = T>
            + std::ops::BitOr<Output = T>
            + std::ops::BitXor<Output = T>,
    {
        match self {
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
        }
    }
}

fn extreme(column: ColumnRef, key: OrderKey, largest: bool, table: &Table<'_>) -> Result<Kind> {
    let ascending = OrderKey { descending: false, ..key };
    let refs = [Some(column), Some(key.value), key.weight, key.pad];
    let all = refs.into_iter().flatten().map(|column| table.column(column).map(|(at, _)| at));
    let columns = ExtremeColumns {
        key: Key::new(&[ascending], table, Purpose::Extreme)?,
        value: table.column(key.value)?.0,
        all: all.collect::<Result<_>>()?,
        largest,
    };
    Ok(Kind::Extreme { columns, best: Vec::new(), winner: None })
}

fn bits(column: ColumnRef, class: Class, operator: Operator, table: &Table<'_>) -> Result<Kind> {
    match class {
        Class::Binary | Class::Bit => Ok(Kind::BitString { operator, bits: None }),
        Class::Null
        | Class::Integer
        | Class::Decimal
        | Class::Float
        | Class::Double
        | Class::Moment
        | Class::Time
        | Class::Character
        | Class::Enum
        | Class::Json
        | Class::Geometry
        | Class::Vector
        | Class::Unknown => {
            Ok(Kind::Bits { column: NumberColumn::new(column, table)?, operator, bits: None })
        }
    }
}

fn absorb_bit_string(
    operator: Operator,
    bits: &mut Option<Vec<u8>>,
    value: Option<&[u8]>,
) -> Result<()> {
    let Some(value) = value else { return Ok(()) };
    let Some(bits) = bits else {
        *bits = Some(value.to_vec());
        return Ok(());
    };
    if bits.len() != value.len() {
        return Err(Error::unsupported(
            "a bit aggregate over several shards meets binary strings of different lengths; give \
             them one length: CAST(column AS BINARY(n))",
        ));
    }
    for (bit, value) in bits.iter_mut().zip(value) {
        *bit = operator.apply(*bit, *value);
    }
    Ok(())
}
