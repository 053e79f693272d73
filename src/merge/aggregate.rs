//! Numbers that are folded: read from a column, added up, written into a row.

use std::io::Write as _;

use super::class::Class;
use super::decimal::Decimal;
use super::double::write_double;
use super::fields::Field;
use super::number;
use super::row::{RowWriter, out_of_range};
use super::spec::{ColumnRef, RowFormat};
use super::table::Table;
use crate::error::{Error, Result};
use crate::protocol::column::Column;

/// A column of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberColumn {
    pub(super) at: usize,
    format: RowFormat,
    kind: Kind,
    decimals: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer { unsigned: bool },
    Decimal,
    Double,
}

/// A value of such a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Exact(Decimal),
    Double(f64),
}

impl NumberColumn {
    pub(super) fn new(column: ColumnRef, table: &Table<'_>) -> Result<Self> {
        let (at, column) = table.column(column)?;
        let Some(kind) = Kind::of(column) else {
            let class = Class::of(column).name();
            return Err(Error::unsupported(format!(
                "SUM, AVG and COUNT over several shards give numbers, but column {} is {class}; \
                 aggregate a number: CAST(... AS DECIMAL(m,d))",
                at + 1
            )));
        };
        Ok(Self { at, format: table.format, kind, decimals: column.decimals })
    }

    /// `None` is NULL.
    pub(super) fn read(&self, row: &[u8], fields: &[Field]) -> Result<Option<Number>> {
        let Some(value) = fields.get(self.at).and_then(|field| field.value(row)) else {
            return Ok(None);
        };
        let number = match self.kind {
            Kind::Integer { unsigned } => number::integer(value, self.format, unsigned)
                .map(|number| Number::Exact(Decimal::from_i128(number))),
            Kind::Decimal => Decimal::parse(value).map(Number::Exact),
            Kind::Double => number::double(value, self.format).map(Number::Double),
        };
        number.map(Some).ok_or_else(|| {
            let column = self.at + 1;
            Error::protocol(format!("malformed row: column {column} is not a number"))
        })
    }

    /// The integer of a column like `COUNT(*)`; NULL counts nothing.
    pub(super) fn read_integer(&self, row: &[u8], fields: &[Field]) -> Result<i128> {
        match self.read(row, fields)? {
            None => Ok(0),
            Some(Number::Exact(number)) => number.to_i128().ok_or_else(|| out_of_range("BIGINT")),
            Some(Number::Double(number)) => Ok(number as i128),
        }
    }

    /// Appends the value to `out`; `text` is scratch space.
    pub(super) fn write(
        &self,
        number: Option<Number>,
        text: &mut Vec<u8>,
        out: &mut RowWriter<'_>,
    ) -> Result<()> {
        text.clear();
        match (number, self.kind) {
            (None, _) => out.null(),
            (Some(number), Kind::Integer { .. }) => {
                let number = number.to_integer().ok_or_else(|| out_of_range("BIGINT"))?;
                write!(text, "{number}").expect("a Vec takes every write");
                out.integer(number, text)?;
            }
            (Some(Number::Exact(number)), Kind::Decimal) => {
                number.write(text);
                out.bytes(text);
            }
            (Some(number), Kind::Double) => {
                let number = number.to_double();
                write_double(number, self.decimals, text);
                out.double(number, text);
            }
            (Some(Number::Double(_)), Kind::Decimal) => {
                return Err(Error::internal("a sum of doubles in a column of decimals"));
            }
        }
        Ok(())
    }

    /// Sixty-four bits as this column shows them.
    pub(super) fn number_of_bits(&self, bits: u64) -> Number {
        Number::Exact(Decimal::from_i128(match self.kind {
            Kind::Integer { unsigned: false } => i128::from(bits as i64),
            Kind::Integer { unsigned: true } | Kind::Decimal | Kind::Double => i128::from(bits),
        }))
    }

    /// The average as this column shows it; NULL of no values.
    pub(super) fn average(&self, sum: Option<Number>, count: i128) -> Result<Option<Number>> {
        let Some(sum) = sum.filter(|_| count > 0) else { return Ok(None) };
        match (sum, self.kind) {
            (Number::Exact(sum), Kind::Integer { .. } | Kind::Decimal) => {
                let decimals = usize::from(self.decimals);
                let quotient =
                    u64::try_from(count).ok().and_then(|count| sum.divide(count, decimals));
                quotient
                    .map(|quotient| Some(Number::Exact(quotient)))
                    .ok_or_else(|| out_of_range("DECIMAL"))
            }
            (sum, Kind::Double | Kind::Integer { .. } | Kind::Decimal) => {
                Ok(Some(Number::Double(sum.to_double() / count as f64)))
            }
        }
    }
}

impl Kind {
    fn of(column: &Column) -> Option<Self> {
        match Class::of(column) {
            Class::Integer => Some(Self::Integer { unsigned: column.unsigned() }),
            Class::Decimal => Some(Self::Decimal),
            Class::Float | Class::Double => Some(Self::Double),
            Class::Null
            | Class::Moment
            | Class::Time
            | Class::Bit
            | Class::Binary
            | Class::Character
            | Class::Enum
            | Class::Json
            | Class::Geometry
            | Class::Vector
            | Class::Unknown => None,
        }
    }
}

impl Number {
    /// Adds up what two groups have; a group of only NULLs has nothing.
    pub(super) fn add(sum: Option<Self>, other: Option<Self>) -> Result<Option<Self>> {
        match (sum, other) {
            (None, number) | (number, None) => Ok(number),
            (Some(Self::Exact(a)), Some(Self::Exact(b))) => {
                let sum = a.add(b).ok_or_else(|| out_of_range("DECIMAL"))?;
                Ok(Some(Self::Exact(sum)))
            }
            (Some(a), Some(b)) => Ok(Some(Self::Double(a.to_double() + b.to_double()))),
        }
    }

    fn to_integer(self) -> Option<i128> {
        match self {
            Self::Exact(number) => number.to_i128(),
            Self::Double(_) => None,
        }
    }

    fn to_double(self) -> f64 {
        match self {
            Self::Exact(number) => {
                let mut text = Vec::new();
                number.write(&mut text);
                number::double(&text, RowFormat::Text).unwrap_or(f64::NAN)
            }
            Self::Double(number) => number,
        }
    }
}
