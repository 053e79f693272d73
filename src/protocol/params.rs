//! Parameters of COM_STMT_EXECUTE, kept as they lie on the wire so that they can go on to another
//! server unchanged, and decoded where routing needs their value.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};

use super::capability::{CapabilityFlags, ColumnType};
use super::column::parse_type;
use super::command::{COM_STMT_EXECUTE, Execute};
use super::read::Reader;
use super::value::{Layout, bit, bitmap_len, layout, read, set_bit};
use super::write::put_lenenc_bytes;
use crate::error::{Error, Result};

/// In the second byte of a parameter's type.
const UNSIGNED: u8 = 0x80;

/// The type that a client bound to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamType {
    pub ty: ColumnType,
    pub unsigned: bool,
}

/// A parameter's type and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    pub ty: ColumnType,
    pub unsigned: bool,
    pub value: ParamValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    Null,
    /// Exactly the bytes on the wire, a length in front included.
    Bytes(Bytes),
    /// What COM_STMT_SEND_LONG_DATA brought, without a length.
    Long(Bytes),
}

/// A parameter's value, decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Int(i64),
    UInt(u64),
    Float(f32),
    Double(f64),
    /// Text, a decimal's digits, JSON, or binary data.
    Bytes(&'a [u8]),
    /// A date, or a date and time of day.
    Date {
        year: u16,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
        micros: u32,
    },
    Time {
        negative: bool,
        days: u32,
        hours: u8,
        minutes: u8,
        seconds: u8,
        micros: u32,
    },
}

/// What the session knows of a statement when it is executed.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// How many parameters the statement has.
    pub count: usize,
    /// The types of the last execution, for clients that do not send them again. Empty before the
    /// first.
    pub types: &'a [ParamType],
    /// Values that COM_STMT_SEND_LONG_DATA brought, by parameter.
    pub long: &'a BTreeMap<u16, Bytes>,
}

/// Parses the parameters of a COM_STMT_EXECUTE payload (the whole, command byte included). Values
/// are slices of `payload`, not copies. `capabilities` are those that client and server share.
/// Query attributes, which come as named parameters behind the statement's own, are dropped.
pub fn parse_execute(
    payload: &Bytes,
    bound: &Bound<'_>,
    capabilities: CapabilityFlags,
) -> Result<Vec<Param>> {
    let mut reader = Reader::new(payload);
    reader.skip(5)?;
    let flags = reader.u8()?;
    reader.skip(4)?;
    let named = capabilities.contains(CapabilityFlags::CLIENT_QUERY_ATTRIBUTES);
    let mut sent = bound.count;
    // The flag only matters for statements without parameters of their own; else the count is sent
    // whatever it says.
    if named && (bound.count > 0 || flags & Execute::PARAMETER_COUNT != 0) {
        sent = parse_count(&mut reader)?;
        if sent < bound.count {
            return Err(Error::protocol(format!(
                "{sent} parameters sent to a statement of {}",
                bound.count
            )));
        }
    }
    if sent == 0 {
        return Ok(Vec::new());
    }
    let nulls = reader.bytes(bitmap_len(sent))?;
    let fresh;
    let types = if reader.u8()? == 0 {
        bound.types
    } else {
        fresh = parse_types(&mut reader, sent, named)?;
        &fresh[..]
    };
    if types.len() < bound.count {
        return Err(Error::protocol(
            "a statement was executed without the types of its parameters",
        ));
    }
    let own = types.iter().take(bound.count).enumerate();
    own.map(|(index, &ParamType { ty, unsigned })| {
        let long = u16::try_from(index).ok().and_then(|index| bound.long.get(&index));
        let value = match long {
            Some(long) => ParamValue::Long(long.clone()),
            None if bit(nulls, index) || ty == ColumnType::MYSQL_TYPE_NULL => ParamValue::Null,
            None => ParamValue::Bytes(raw_value(payload, &mut reader, ty)?),
        };
        Ok(Param { ty, unsigned, value })
    })
    .collect()
}

fn raw_value(payload: &Bytes, reader: &mut Reader<'_>, ty: ColumnType) -> Result<Bytes> {
    let start = payload.len() - reader.remaining();
    read(reader, ty)?;
    Ok(payload.slice(start..payload.len() - reader.remaining()))
}

fn parse_types(reader: &mut Reader<'_>, count: usize, named: bool) -> Result<Vec<ParamType>> {
    let parse_one = |_| {
        let ty = parse_type(reader.u8()?)?;
        layout(ty)?;
        let unsigned = reader.u8()? & UNSIGNED != 0;
        if named {
            reader.lenenc_bytes()?;
        }
        Ok(ParamType { ty, unsigned })
    };
    (0..count).map(parse_one).collect()
}

/// A count of parameters. No statement has more than fits two bytes.
fn parse_count(reader: &mut Reader<'_>) -> Result<usize> {
    let count = reader.lenenc()?;
    u16::try_from(count).map(usize::from).map_err(|_| {
        Error::protocol(format!("malformed packet: {count} parameters, 65535 are the most"))
    })
}

/// Skips the query attributes in front of the text of COM_QUERY.
pub(super) fn skip_attributes(reader: &mut Reader<'_>) -> Result<()> {
    let count = parse_count(reader)?;
    let sets = reader.lenenc()?;
    if sets != 1 {
        return Err(Error::protocol(format!("{sets} sets of query attributes; one is supported")));
    }
    if count == 0 {
        return Ok(());
    }
    let nulls = reader.bytes(bitmap_len(count))?;
    if reader.u8()? != 1 {
        return Err(Error::protocol("query attributes without their types"));
    }
    let types = parse_types(reader, count, true)?;
    for (index, ParamType { ty, .. }) in types.into_iter().enumerate() {
        if !bit(nulls, index) {
            read(reader, ty)?;
        }
    }
    Ok(())
}

/// Appends a COM_STMT_EXECUTE payload with those of `params` that `picks` names, in its order; their
/// types are always sent. It is for connections without `CLIENT_QUERY_ATTRIBUTES`.
pub fn put_execute(
    out: &mut BytesMut,
    execute: Execute,
    params: &[Param],
    picks: &[usize],
) -> Result<()> {
    let picked = |&index: &usize| {
        params.get(index).ok_or_else(|| {
            Error::internal(format!("parameter {index} of a statement of {}", params.len()))
        })
    };
    let picked = picks.iter().map(picked).collect::<Result<Vec<_>>>()?;
    out.put_u8(COM_STMT_EXECUTE);
    out.put_u32_le(execute.statement);
    out.put_u8(execute.flags & !Execute::PARAMETER_COUNT);
    out.put_u32_le(1);
    if picked.is_empty() {
        return Ok(());
    }
    let mut nulls = vec![0; bitmap_len(picked.len())];
    for (index, param) in picked.iter().enumerate() {
        if param.value == ParamValue::Null {
            set_bit(&mut nulls, index);
        }
    }
    out.put_slice(&nulls);
    out.put_u8(1);
    for param in &picked {
        out.put_u8(param.ty.into());
        out.put_u8(if param.unsigned { UNSIGNED } else { 0 });
    }
    for param in &picked {
        match &param.value {
            ParamValue::Null => {}
            ParamValue::Bytes(raw) => out.put_slice(raw),
            ParamValue::Long(data) => put_lenenc_bytes(out, data),
        }
    }
    Ok(())
}

impl Param {
    pub fn param_type(&self) -> ParamType {
        ParamType { ty: self.ty, unsigned: self.unsigned }
    }

    /// The value, decoded.
    pub fn scalar(&self) -> Result<Scalar<'_>> {
        use ColumnType as T;
        let raw = match &self.value {
            ParamValue::Null => return Ok(Scalar::Null),
            ParamValue::Long(data) => return Ok(Scalar::Bytes(data)),
            ParamValue::Bytes(raw) => raw,
        };
        let mut reader = Reader::new(raw);
        let value = match self.ty {
            T::MYSQL_TYPE_TINY if self.unsigned => Scalar::UInt(reader.u8()?.into()),
            T::MYSQL_TYPE_TINY => Scalar::Int(i8::from_le_bytes(reader.array()?).into()),
            T::MYSQL_TYPE_SHORT | T::MYSQL_TYPE_YEAR if self.unsigned => {
                Scalar::UInt(reader.u16()?.into())
            }
            T::MYSQL_TYPE_SHORT | T::MYSQL_TYPE_YEAR => {
                Scalar::Int(i16::from_le_bytes(reader.array()?).into())
            }
            T::MYSQL_TYPE_LONG | T::MYSQL_TYPE_INT24 if self.unsigned => {
                Scalar::UInt(reader.u32()?.into())
            }
            T::MYSQL_TYPE_LONG | T::MYSQL_TYPE_INT24 => {
                Scalar::Int(i32::from_le_bytes(reader.array()?).into())
            }
            T::MYSQL_TYPE_LONGLONG if self.unsigned => Scalar::UInt(reader.u64()?),
            T::MYSQL_TYPE_LONGLONG => Scalar::Int(i64::from_le_bytes(reader.array()?)),
            T::MYSQL_TYPE_FLOAT => Scalar::Float(f32::from_le_bytes(reader.array()?)),
            T::MYSQL_TYPE_DOUBLE => Scalar::Double(f64::from_le_bytes(reader.array()?)),
            T::MYSQL_TYPE_TIME => parse_time(Reader::new(reader.lenenc_bytes()?))?,
            other => match layout(other)? {
                Layout::Fixed(_) => Scalar::Null,
                Layout::Temporal => parse_date(Reader::new(reader.lenenc_bytes()?))?,
                Layout::LenEnc => Scalar::Bytes(reader.lenenc_bytes()?),
            },
        };
        Ok(value)
    }
}

/// A date of 0, 4, 7 or 11 bytes; what is left out is zero.
fn parse_date(mut reader: Reader<'_>) -> Result<Scalar<'static>> {
    let (mut year, mut month, mut day) = (0, 0, 0);
    let (mut hour, mut minute, mut second, mut micros) = (0, 0, 0, 0);
    if !reader.is_empty() {
        (year, month, day) = (reader.u16()?, reader.u8()?, reader.u8()?);
    }
    if !reader.is_empty() {
        (hour, minute, second) = (reader.u8()?, reader.u8()?, reader.u8()?);
    }
    if !reader.is_empty() {
        micros = reader.u32()?;
    }
    reader.end("date")?;
    Ok(Scalar::Date { year, month, day, hour, minute, second, micros })
}

/// A time of 0, 8 or 12 bytes; what is left out is zero.
fn parse_time(mut reader: Reader<'_>) -> Result<Scalar<'static>> {
    let (mut negative, mut days, mut micros) = (false, 0, 0);
    let (mut hours, mut minutes, mut seconds) = (0, 0, 0);
    if !reader.is_empty() {
        (negative, days) = (reader.u8()? != 0, reader.u32()?);
        (hours, minutes, seconds) = (reader.u8()?, reader.u8()?, reader.u8()?);
    }
    if !reader.is_empty() {
        micros = reader.u32()?;
    }
    reader.end("time")?;
    Ok(Scalar::Time { negative, days, hours, minutes, seconds, micros })
}

#[cfg(test)]
mod tests;
