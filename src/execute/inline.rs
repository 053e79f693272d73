//! Values in place of the `?` of a statement that Margay runs as text.

use crate::error::{Error, Result, ServerError};
use crate::plan::planner::TEMPORARY_PREFIX;
use crate::protocol::capability::ColumnType;
use crate::protocol::params::{Param, Scalar};
use crate::sql::scanner::scan;
use crate::sql::splice::Splices;
use crate::sql::walk::{self, Node};
use crate::sql::{self, Mode, Span, Statement, quote};

/// The statement with literals in place of its parameters. A select item that had some keeps its name.
///
/// # Errors
/// 1210 if there are more or fewer values than parameters.
pub fn inline(
    text: &[u8],
    statement: &Statement,
    mode: &Mode,
    values: Vec<Vec<u8>>,
) -> Result<(Vec<u8>, Statement)> {
    if usize::from(statement.params) != values.len() {
        return Err(Error::server(ServerError {
            code: 1210,
            state: *b"HY000",
            message: b"Incorrect arguments to EXECUTE".to_vec(),
        }));
    }
    let values: Vec<Option<Vec<u8>>> = values.into_iter().map(Some).collect();
    let (text, statement, _) = inline_some(text, statement, mode, &values)?;
    Ok((text, statement))
}

/// Names of columns that are too long to be given: the ones that were, and what they stand for.
pub(super) type LongNames = Vec<(Vec<u8>, Vec<u8>)>;

/// Bytes of the longest name that a server lets a column be given.
const NAME_MAX: usize = 250;

/// The same of some of its parameters, in their order: the others stay.
///
/// # Errors
/// Those of reading the text.
pub(super) fn inline_some(
    text: &[u8],
    statement: &Statement,
    mode: &Mode,
    values: &[Option<Vec<u8>>],
) -> Result<(Vec<u8>, Statement, LongNames)> {
    let mut long = LongNames::new();
    let mut splices = Splices::new();
    let places = scan(text, mode)?.params.into_iter();
    let places = places.map(|at| Span { start: at, end: at.saturating_add(1) });
    let changes: Vec<(Span, &Vec<u8>)> =
        places.zip(values).filter_map(|(place, value)| Some((place, value.as_ref()?))).collect();
    walk::statement(statement, &mut |node| {
        if let Node::UnnamedItem(item) = node
            && changes.iter().any(|(place, _)| item.span.contains(*place))
        {
            let mut name = text.get(item.span.range()).unwrap_or_default().to_vec();
            if name.len() > NAME_MAX {
                let short = format!("{TEMPORARY_PREFIX}name_{}", long.len()).into_bytes();
                long.push((short.clone(), name));
                name = short;
            }
            splices.insert(item.span.end, [b" AS ".as_slice(), &quote::identifier(&name)].concat());
        }
    });
    for (place, value) in changes {
        splices.replace(place, value.clone());
    }
    let text = splices.apply(text)?;
    let statement = sql::parse(&text, mode)?;
    Ok((text, statement, long))
}

/// The literals of bound parameters. `charset` is that of the client's texts.
pub fn literals(params: &[Param], charset: &str) -> Result<Vec<Vec<u8>>> {
    params.iter().map(|param| literal(param, charset)).collect()
}

pub(super) fn literal(param: &Param, charset: &str) -> Result<Vec<u8>> {
    Ok(match param.scalar()? {
        Scalar::Null => b"NULL".to_vec(),
        Scalar::Int(value) => value.to_string().into_bytes(),
        Scalar::UInt(value) => value.to_string().into_bytes(),
        Scalar::Float(value) => float(f64::from(value))?,
        Scalar::Double(value) => float(value)?,
        Scalar::Bytes(bytes) if is_blob(param.ty) => quote::hex(bytes),
        Scalar::Bytes(bytes) if is_decimal(param.ty) && is_number(bytes) => bytes.to_vec(),
        Scalar::Bytes(bytes) => text(bytes, charset),
        Scalar::Date { year, month, day, hour, minute, second, micros } => {
            format!("'{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}'")
                .into_bytes()
        }
        Scalar::Time { negative, days, hours, minutes, seconds, micros } => {
            let sign = if negative { "-" } else { "" };
            let hours = u64::from(days) * 24 + u64::from(hours);
            format!("'{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}'").into_bytes()
        }
    })
}

fn float(value: f64) -> Result<Vec<u8>> {
    if value.is_finite() {
        return Ok(format!("{value:e}").into_bytes());
    }
    Err(Error::protocol("a parameter that is no finite number"))
}

/// A text as it is, if it reads alike in every mode and character set, else by its bytes.
pub fn text(bytes: &[u8], charset: &str) -> Vec<u8> {
    let is_plain = bytes.is_ascii() && !bytes.iter().any(|byte| matches!(byte, b'\\' | 0));
    match is_plain {
        true => quote::text(bytes),
        false => [format!("_{charset} ").as_bytes(), &quote::hex(bytes)].concat(),
    }
}

fn is_blob(ty: ColumnType) -> bool {
    use ColumnType as T;
    matches!(
        ty,
        T::MYSQL_TYPE_TINY_BLOB
            | T::MYSQL_TYPE_MEDIUM_BLOB
            | T::MYSQL_TYPE_LONG_BLOB
            | T::MYSQL_TYPE_BLOB
            | T::MYSQL_TYPE_BIT
            | T::MYSQL_TYPE_GEOMETRY
    )
}

fn is_decimal(ty: ColumnType) -> bool {
    matches!(ty, ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL)
}

fn is_number(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let points = digits.iter().filter(|byte| **byte == b'.').count();
    points < 2
        && digits.first().is_some_and(u8::is_ascii_digit)
        && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, values: &[&str], expect: &str) {
        let mode = Mode::default();
        let statement = sql::parse(text.as_bytes(), &mode).unwrap();
        let values: Vec<_> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let (text, _) = inline(text.as_bytes(), &statement, &mode, values).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), expect);
    }

    #[test]
    fn puts_values_in() {
        check(
            "SELECT a FROM t WHERE b = ? LIMIT ?",
            &["'x'", "5"],
            "SELECT a FROM t WHERE b = 'x' LIMIT 5",
        );
        check(
            "SELECT ? + 1, '?', ? AS b",
            &["5", "NULL"],
            "SELECT 5 + 1 AS `? + 1`, '?', NULL AS b",
        );
        check("SET @a = ?", &["1"], "SET @a = 1");
    }

    #[test]
    fn texts() {
        assert_eq!(text(b"it's", "utf8mb4"), b"'it''s'");
        assert_eq!(text(b"a\\", "latin1"), b"_latin1 X'615C'");
        assert!(is_number(b"-1.50") && !is_number(b"1 OR 1") && !is_number(b"-"));
    }
}
