//! The key of a row: what it is sorted and grouped by, as bytes that compare by `memcmp`.

use super::class::Class;
use super::fields::Field;
use super::spec::{OrderKey, RowFormat};
use super::table::Table;
use super::{encode, number, temporal};
use crate::error::{Error, Result};
use crate::protocol::column::Column;

/// What a key is for; it decides which values can be told apart well enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Order,
    /// Rows with equal keys are one.
    Group,
    Extreme,
}

/// The keys of a merge, checked against the columns.
#[derive(Debug)]
pub(super) struct Key {
    parts: Vec<Part>,
    format: RowFormat,
}

#[derive(Debug)]
struct Part {
    value: usize,
    compare: Compare,
    descending: bool,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy)]
enum Compare {
    /// There are no values but NULL.
    Null,
    Integer {
        unsigned: bool,
    },
    Decimal,
    Double,
    Moment,
    Time,
    Bytes,
    Weight {
        weight: usize,
        pad: Option<usize>,
    },
}

impl Key {
    pub(super) fn new(order: &[OrderKey], table: &Table<'_>, purpose: Purpose) -> Result<Self> {
        let parts = order.iter().map(|key| Part::new(key, table, purpose));
        Ok(Self { parts: parts.collect::<Result<_>>()?, format: table.format })
    }

    /// How many columns of a row must be located to read the key.
    pub(super) fn reach(&self) -> usize {
        self.parts.iter().map(Part::reach).max().unwrap_or(0)
    }

    /// Replaces `out` by the key of `row`.
    pub(super) fn encode(&self, row: &[u8], fields: &[Field], out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        for part in &self.parts {
            let start = out.len();
            part.encode(row, fields, self.format, out)?;
            if part.descending {
                encode::invert(&mut out[start..]);
            }
        }
        Ok(())
    }
}

impl Part {
    fn new(key: &OrderKey, table: &Table<'_>, purpose: Purpose) -> Result<Self> {
        let (value, column) = table.column(key.value)?;
        let weight = key.weight.map(|weight| table.column(weight)).transpose()?;
        let pad = key.pad.map(|pad| table.column(pad)).transpose()?;
        let class = Class::of(column);
        let compare = match class {
            Class::Null => Compare::Null,
            Class::Integer => Compare::Integer { unsigned: column.unsigned() },
            Class::Decimal => Compare::Decimal,
            Class::Float | Class::Double => {
                check_printed(class, column, table.format, purpose)?;
                Compare::Double
            }
            Class::Moment => Compare::Moment,
            Class::Time => Compare::Time,
            // Of a column it is bytes, of an expression it may be digits: no telling them apart.
            Class::Bit if weight.is_some() || purpose == Purpose::Extreme => {
                return Err(refuse(class, purpose));
            }
            Class::Bit => Compare::Bytes,
            // With `character_set_results = binary` a character string looks like a binary one. The
            // weight of a binary string is the string, so the weight is right for both.
            Class::Binary | Class::Character => match (weight, class) {
                (Some((weight, _)), _) => Compare::Weight { weight, pad: pad.map(|(at, _)| at) },
                (None, Class::Binary) => Compare::Bytes,
                (None, _) => return Err(refuse(class, purpose)),
            },
            Class::Enum | Class::Json | Class::Geometry | Class::Vector | Class::Unknown => {
                return Err(refuse(class, purpose));
            }
        };
        Ok(Self { value, compare, descending: key.descending })
    }

    fn reach(&self) -> usize {
        let extra = match self.compare {
            Compare::Weight { weight, pad } => weight.max(pad.unwrap_or(0)),
            Compare::Null | Compare::Integer { .. } | Compare::Decimal | Compare::Double => 0,
            Compare::Moment | Compare::Time | Compare::Bytes => 0,
        };
        self.value.max(extra) + 1
    }

    fn encode(
        &self,
        row: &[u8],
        fields: &[Field],
        format: RowFormat,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let field = |at: usize| fields.get(at).and_then(|field| field.value(row));
        let Some(value) = field(self.value) else {
            out.push(0);
            return Ok(());
        };
        out.push(1);
        let done = match self.compare {
            Compare::Null => None,
            Compare::Integer { unsigned } => {
                number::integer(value, format, unsigned).map(|number| encode::integer(number, out))
            }
            Compare::Decimal => encode::decimal(value, out),
            Compare::Double => {
                number::double(value, format).map(|number| encode::double(number, out))
            }
            Compare::Moment => {
                let moment = match format {
                    RowFormat::Text => temporal::moment_from_text(value),
                    RowFormat::Binary => temporal::moment_from_binary(value),
                };
                moment.map(|moment| encode::unsigned(moment, out))
            }
            Compare::Time => {
                let time = match format {
                    RowFormat::Text => temporal::time_from_text(value),
                    RowFormat::Binary => temporal::time_from_binary(value),
                };
                time.map(|time| encode::signed(time, out))
            }
            Compare::Bytes => {
                encode::bytes(value, out);
                Some(())
            }
            Compare::Weight { weight, pad } => {
                return encode_weight(field(weight), pad.and_then(field), out);
            }
        };
        done.ok_or_else(|| {
            let column = self.value + 1;
            Error::protocol(format!("malformed row: column {column} is not of the column's type"))
        })
    }
}

fn encode_weight(weight: Option<&[u8]>, pad: Option<&[u8]>, out: &mut Vec<u8>) -> Result<()> {
    /// A space weighs at most this much in collations whose weights stand one behind the other.
    const PAD_MAX: usize = 3;
    let Some(weight) = weight else {
        return Err(Error::unsupported(
            "a sort key has no WEIGHT_STRING, so rows of several shards cannot be put in order; \
             raise max_allowed_packet on the servers if the values are long, or sort by a shorter expression",
        ));
    };
    let Some(pad) = pad else {
        encode::bytes(weight, out);
        return Ok(());
    };
    let fits = pad.len() <= PAD_MAX && encode::padded(weight, pad, out).is_some();
    fits.then_some(()).ok_or_else(|| {
        Error::unsupported(
            "ORDER BY, GROUP BY or DISTINCT over several shards in a collation of several levels \
             that pads with spaces is not supported; use one of a single level: \
             expression COLLATE ..._ai_ci",
        )
    })
}

/// A text row prints a FLOAT with six digits and a DOUBLE(m,d) with d decimals: values that differ
/// may look equal, which must not make one group of two.
fn check_printed(class: Class, column: &Column, format: RowFormat, purpose: Purpose) -> Result<()> {
    const NOT_FIXED: u8 = 31;
    let exact = match format {
        RowFormat::Binary => true,
        RowFormat::Text => class == Class::Double && column.decimals >= NOT_FIXED,
    };
    if exact || purpose != Purpose::Group {
        return Ok(());
    }
    Err(Error::unsupported(
        "GROUP BY or DISTINCT on FLOAT or DOUBLE(m,d) over several shards is not \
         supported: the printed values are rounded; group by \
         CAST(... AS DECIMAL(m,d)), or use a prepared statement",
    ))
}

fn refuse(class: Class, purpose: Purpose) -> Error {
    let (clause, verb) = match purpose {
        Purpose::Order => ("ORDER BY", "order by"),
        Purpose::Group => ("GROUP BY or DISTINCT", "group by"),
        Purpose::Extreme => ("MIN or MAX", "aggregate"),
    };
    let instead = match class {
        Class::Json => "an extracted scalar: CAST(column->>'$.path' AS CHAR)",
        Class::Bit => "its number: column + 0",
        Class::Enum => "the number or the text of the value: column + 0, CAST(column AS CHAR)",
        Class::Geometry => "the bytes of the value: ST_AsBinary(column)",
        Class::Vector => "the bytes of the value: HEX(column)",
        Class::Character => "its weight: WEIGHT_STRING(column)",
        Class::Null | Class::Integer | Class::Decimal | Class::Float | Class::Double => {
            "a cast: CAST(column AS DECIMAL(65, 30))"
        }
        Class::Moment | Class::Time | Class::Binary | Class::Unknown => {
            "a cast: CAST(column AS CHAR)"
        }
    };
    let name = class.name();
    Error::unsupported(format!(
        "{clause} on {name} over several shards is not supported; {verb} {instead}"
    ))
}
