//! Columns of temporary tables, from the columns of an answer.

use crate::error::{Error, Result};
use crate::plan::combine::TempColumn;
use crate::plan::facts::ColumnClass;
use crate::plan::planner::TemporaryColumn;
use crate::protocol::capability::{ColumnFlags, ColumnType};
use crate::protocol::charset::{BINARY, Collation};
use crate::protocol::column::Column;

/// A character set and a collation of it, as servers name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::execute) struct Text {
    pub(in crate::execute) charset: String,
    pub(in crate::execute) collation: String,
}

/// How values come in a binary row, and as which literals they go into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Integer {
        width: usize,
        unsigned: bool,
    },
    Float,
    Double,
    Decimal,
    Date,
    DateTime,
    /// A TIMESTAMP in the session's time zone.
    Local,
    /// A TIMESTAMP as seconds: a whole number of so many bytes, or a decimal (0).
    Moment {
        width: usize,
    },
    Time,
    /// Text in utf8mb4: a JSON column takes no other.
    Json,
    /// Bytes as they are, in the column's own character set if it has one.
    Bytes,
    Null,
}

/// A column of a temporary table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) name: Vec<u8>,
    pub(super) form: Form,
    ty: Type,
    text: Option<Text>,
    not_null: bool,
    class: ColumnClass,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Type {
    /// Of fixed or small size.
    Plain(String),
    /// CHAR, VARCHAR, TEXT, and the same of bytes.
    Sized { fixed: bool, length: u64, bytes: u64 },
    /// Nothing can be looked up by it.
    Opaque(&'static str),
}

/// Decimals that stand for "as many as there are".
const NOT_FIXED: u8 = 31;
/// Bytes that the columns of a row may take in the row itself; servers allow 65535.
const ROW_BYTES_MAX: u64 = 60_000;
/// Characters of a text that an index holds.
const INDEX_PREFIX: u64 = 64;

/// Whether an answer does not name the collation of a column for certain: newer collations of MariaDB have
/// no number of their own in it, but that of an older one of the same language.
pub(super) fn is_uncertain(column: &Column) -> bool {
    const NO_PAD: u16 = 1024;
    const OLDER: [std::ops::RangeInclusive<u16>; 5] =
        [101..=124, 128..=151, 160..=183, 192..=215, 224..=247];
    if column.charset == BINARY {
        return false;
    }
    let id = column.charset % NO_PAD;
    Collation::by_id(column.charset).is_none() || OLDER.iter().any(|older| older.contains(&id))
}

impl Text {
    /// Of a collation by its name.
    pub(in crate::execute) fn of_collation(name: &str) -> Self {
        let charset = name.split('_').next().unwrap_or_default();
        Self { charset: charset.to_owned(), collation: name.to_owned() }
    }
}

/// The columns of a table that takes the rows of an answer.
///
/// # Errors
/// The answer has another number of columns than planned, or a type that no table has. `named` gives the
/// collations of columns where they are [uncertain](is_uncertain).
pub(super) fn definitions(
    columns: &[Column],
    planned: &[TempColumn],
    named: &[Option<Text>],
) -> Result<Vec<Definition>> {
    if !planned.is_empty() && planned.len() != columns.len() {
        return Err(Error::unsupported(
            "the columns of a table have changed since the statement was planned; run it again",
        ));
    }
    let none = TempColumn::default();
    let mut definitions = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let planned = planned.get(index).unwrap_or(&none);
        let named = named.get(index).cloned().flatten();
        definitions.push(definition(column, planned, named)?);
    }
    shrink(&mut definitions);
    Ok(definitions)
}

fn definition(column: &Column, planned: &TempColumn, named: Option<Text>) -> Result<Definition> {
    let known = || {
        Collation::by_id(column.charset).map(|known| Text {
            charset: known.charset.to_owned(),
            collation: known.name.to_owned(),
        })
    };
    let text = if column.charset == BINARY { None } else { named.or_else(known) };
    if text.is_none() && column.charset != BINARY {
        let message = format!(
            "column `{}` has a collation that Margay cannot name (number {}); convert it to another",
            String::from_utf8_lossy(&column.name),
            column.charset
        );
        return Err(Error::unsupported(message));
    }
    let (ty, form) = kind(column, planned, text.as_ref())?;
    let name = planned.name.as_ref().map(|name| name.clone().into_bytes());
    Ok(Definition {
        name: name.unwrap_or_else(|| column.name.to_vec()),
        form,
        class: class(column, text.as_ref()),
        ty,
        text,
        not_null: column.flags.contains(ColumnFlags::NOT_NULL_FLAG),
    })
}

/// A column of a table, rather than an expression: its values are just what such a column can hold.
fn is_plain(column: &Column) -> bool {
    !column.org_name.is_empty() && !column.org_table.is_empty()
}

fn kind(column: &Column, planned: &TempColumn, text: Option<&Text>) -> Result<(Type, Form)> {
    use ColumnType as T;
    let fraction = column.decimals.min(6);
    let plain = |text: String, form: Form| Ok((Type::Plain(text), form));
    match column.ty {
        T::MYSQL_TYPE_TINY => plain(integer(column, "TINYINT"), whole(column, 1)),
        T::MYSQL_TYPE_SHORT => plain(integer(column, "SMALLINT"), whole(column, 2)),
        T::MYSQL_TYPE_INT24 => plain(integer(column, "MEDIUMINT"), whole(column, 4)),
        T::MYSQL_TYPE_LONG => plain(integer(column, "INT"), whole(column, 4)),
        T::MYSQL_TYPE_LONGLONG => plain(integer(column, "BIGINT"), whole(column, 8)),
        T::MYSQL_TYPE_YEAR => plain("YEAR".to_owned(), Form::Integer { width: 2, unsigned: true }),
        T::MYSQL_TYPE_FLOAT => plain(real(column, "FLOAT"), Form::Float),
        T::MYSQL_TYPE_DOUBLE => plain(real(column, "DOUBLE"), Form::Double),
        T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => plain(decimal(column), Form::Decimal),
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE => plain("DATE".to_owned(), Form::Date),
        T::MYSQL_TYPE_TIME | T::MYSQL_TYPE_TIME2 => plain(format!("TIME({fraction})"), Form::Time),
        T::MYSQL_TYPE_DATETIME | T::MYSQL_TYPE_DATETIME2 => {
            plain(format!("DATETIME({fraction})"), Form::DateTime)
        }
        T::MYSQL_TYPE_TIMESTAMP | T::MYSQL_TYPE_TIMESTAMP2 => {
            plain(format!("TIMESTAMP({fraction})"), Form::Local)
        }
        // MariaDB mixes up bits that do not fill a byte when it sorts.
        T::MYSQL_TYPE_BIT => {
            plain(format!("BIT({})", column.length.clamp(1, 64).next_multiple_of(8)), Form::Bytes)
        }
        T::MYSQL_TYPE_NULL => plain("BINARY(0)".to_owned(), Form::Null),
        T::MYSQL_TYPE_JSON => Ok((Type::Opaque("JSON"), Form::Json)),
        T::MYSQL_TYPE_GEOMETRY => Ok((Type::Opaque("GEOMETRY"), Form::Bytes)),
        T::MYSQL_TYPE_VECTOR => {
            let dimensions = (column.length / 4).clamp(1, 16_383);
            plain(format!("VECTOR({dimensions})"), Form::Bytes)
        }
        T::MYSQL_TYPE_STRING
        | T::MYSQL_TYPE_VAR_STRING
        | T::MYSQL_TYPE_VARCHAR
        | T::MYSQL_TYPE_ENUM
        | T::MYSQL_TYPE_SET
        | T::MYSQL_TYPE_TINY_BLOB
        | T::MYSQL_TYPE_BLOB
        | T::MYSQL_TYPE_MEDIUM_BLOB
        | T::MYSQL_TYPE_LONG_BLOB => Ok((string(column, planned, text), Form::Bytes)),
        T::MYSQL_TYPE_TYPED_ARRAY | T::MYSQL_TYPE_UNKNOWN => {
            Err(Error::protocol("a column of a type that no table has"))
        }
    }
}

fn whole(column: &Column, width: usize) -> Form {
    Form::Integer { width, unsigned: column.unsigned() }
}

fn integer(column: &Column, name: &str) -> String {
    let zerofill = column.flags.contains(ColumnFlags::ZEROFILL_FLAG);
    let unsigned = if column.unsigned() { " UNSIGNED" } else { "" };
    if zerofill {
        return format!("{name}({}) UNSIGNED ZEROFILL", column.length.clamp(1, 255));
    }
    // Clients take this width for a truth value.
    let width = if name == "TINYINT" && column.length == 1 { "(1)" } else { "" };
    format!("{name}{width}{unsigned}")
}

/// Digits behind the point are only kept for a column that is declared with them: it holds nothing
/// finer, while an expression of the same kind may.
fn real(column: &Column, name: &str) -> String {
    let digits = if column.decimals < NOT_FIXED && is_plain(column) {
        format!(
            "({},{})",
            column.length.clamp(u32::from(column.decimals).max(1), 255),
            column.decimals
        )
    } else {
        String::new()
    };
    let zerofill = column.flags.contains(ColumnFlags::ZEROFILL_FLAG);
    let sign = match (zerofill, column.unsigned()) {
        (true, _) => " UNSIGNED ZEROFILL",
        (false, true) => " UNSIGNED",
        (false, false) => "",
    };
    format!("{name}{digits}{sign}")
}

fn decimal(column: &Column) -> String {
    let scale = u32::from(column.decimals.min(30));
    let signs = u32::from(scale > 0) + u32::from(!column.unsigned());
    let digits = column.length.saturating_sub(signs).clamp(scale.max(1), 65);
    let zerofill = column.flags.contains(ColumnFlags::ZEROFILL_FLAG);
    let sign = match (zerofill, column.unsigned()) {
        (true, _) => " UNSIGNED ZEROFILL",
        (false, true) => " UNSIGNED",
        (false, false) => "",
    };
    format!("DECIMAL({digits},{scale}){sign}")
}

fn string(column: &Column, planned: &TempColumn, text: Option<&Text>) -> Type {
    let members = ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG;
    if let Some(declared) = &planned.declared
        && column.flags.intersects(members)
    {
        return Type::Plain(declared.clone());
    }
    let width = text.map_or(1, |text| bytes_per_character(&text.charset));
    let bytes = u64::from(column.length);
    let length = bytes.div_ceil(width);
    let fixed = column.ty == ColumnType::MYSQL_TYPE_STRING
        && is_plain(column)
        && length <= 255
        && !column.flags.intersects(members);
    Type::Sized { fixed, length, bytes: length * width }
}

/// The most bytes that a character takes.
fn bytes_per_character(charset: &str) -> u64 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "utf8" | "ujis" | "eucjpms" => 3,
        "ucs2" | "big5" | "gbk" | "sjis" | "cp932" | "euckr" | "gb2312" => 2,
        _ => 1,
    }
}

/// Rows have a limit that texts stored apart do not count for: the longest go there.
fn shrink(definitions: &mut [Definition]) {
    loop {
        let in_row = |definition: &Definition| match definition.ty {
            Type::Sized { bytes, .. } if is_stored_in_row(bytes) => bytes,
            Type::Sized { .. } | Type::Plain(_) | Type::Opaque(_) => 0,
        };
        let total: u64 = definitions.iter().map(in_row).sum();
        let longest = definitions.iter_mut().max_by_key(|definition| in_row(definition));
        let Some(longest) = longest.filter(|_| total > ROW_BYTES_MAX) else { return };
        if let Type::Sized { fixed, bytes, .. } = &mut longest.ty {
            *fixed = false;
            *bytes = (*bytes).max(APART_BYTES);
        }
    }
}

/// Texts from this size on are stored apart.
const APART_BYTES: u64 = 16_384;

fn is_stored_in_row(bytes: u64) -> bool {
    bytes < APART_BYTES
}

impl Definition {
    /// The line of CREATE TABLE. `old_names`: the server calls utf8mb3 still utf8.
    pub(super) fn sql(&self, old_names: bool) -> Vec<u8> {
        let mut out = crate::sql::quote::identifier(&self.name);
        out.push(b' ');
        let is_text = self.text.is_some();
        let ty = match &self.ty {
            Type::Plain(ty) => ty.clone(),
            Type::Opaque(ty) => (*ty).to_owned(),
            Type::Sized { fixed: true, length, .. } if is_text => format!("CHAR({length})"),
            Type::Sized { fixed: true, length, .. } => format!("BINARY({length})"),
            Type::Sized { fixed: false, length, bytes } if is_stored_in_row(*bytes) => {
                format!("{}({length})", if is_text { "VARCHAR" } else { "VARBINARY" })
            }
            Type::Sized { fixed: false, bytes, .. } => {
                let size = match bytes {
                    ..=65_535 => "",
                    ..=16_777_215 => "MEDIUM",
                    _ => "LONG",
                };
                format!("{size}{}", if is_text { "TEXT" } else { "BLOB" })
            }
        };
        out.extend_from_slice(ty.as_bytes());
        if let (Some(text), true) = (&self.text, self.takes_charset()) {
            let Text { charset, collation } = text;
            let (charset, collation) = if old_names {
                (charset.replace("utf8mb3", "utf8"), collation.replace("utf8mb3_", "utf8_"))
            } else {
                (charset.clone(), collation.clone())
            };
            out.extend_from_slice(
                format!(" CHARACTER SET {charset} COLLATE {collation}").as_bytes(),
            );
        }
        out.extend_from_slice(if self.not_null { b" NOT NULL" } else { b" NULL" });
        out
    }

    /// Texts, and of the types with a name only ENUM and SET: numbers and dates of some servers' own
    /// functions come with a collation that says nothing.
    fn takes_charset(&self) -> bool {
        match &self.ty {
            Type::Sized { .. } => true,
            Type::Plain(ty) => {
                let ty = ty.to_ascii_lowercase();
                ty.starts_with("enum(") || ty.starts_with("set(")
            }
            Type::Opaque(_) => false,
        }
    }

    /// A file of rows can hold its values so that they arrive as they are: as texts, those of characters
    /// byte by byte.
    pub(super) fn is_loadable(&self) -> bool {
        let is_text = match &self.ty {
            // A year of 0 is another one as text.
            Type::Plain(ty) => !["YEAR", "BIT", "VECTOR"].iter().any(|it| ty.starts_with(it)),
            Type::Sized { .. } => true,
            Type::Opaque(_) => false,
        };
        is_text && !matches!(self.form, Form::Json | Form::Local)
    }

    /// Bytes that it takes in a row of fixed length; None: it cannot be in one.
    pub(super) fn width(&self) -> Option<u64> {
        /// Of the widest: a decimal of 65 digits.
        const PLAIN: u64 = 32;
        match (&self.ty, self.form) {
            (Type::Plain(_), Form::Integer { width, .. }) => Some(width as u64),
            (Type::Plain(_), Form::Date) => Some(4),
            (Type::Plain(_), Form::Double | Form::Float) => Some(8),
            (Type::Plain(ty), _) => (!ty.starts_with("VECTOR")).then_some(PLAIN),
            (Type::Sized { bytes, .. }, _) => is_stored_in_row(*bytes).then_some(*bytes + 2),
            (Type::Opaque(_), _) => None,
        }
    }

    /// Its part of an index; none if it cannot have one.
    pub(super) fn index_part(&self) -> Option<Vec<u8>> {
        let mut out = crate::sql::quote::identifier(&self.name);
        match &self.ty {
            Type::Opaque(_) => return None,
            Type::Plain(ty) if ty == "BINARY(0)" || ty.starts_with("VECTOR") => return None,
            Type::Sized { length: 0, .. } => return None,
            Type::Plain(_) => {}
            Type::Sized { length, bytes, .. } => {
                if *length > INDEX_PREFIX || !is_stored_in_row(*bytes) {
                    out.extend_from_slice(format!("({})", INDEX_PREFIX.min(*length)).as_bytes());
                }
            }
        }
        Some(out)
    }

    /// It can be in a key as a whole, and takes no NULL.
    pub(super) fn is_key_part(&self) -> bool {
        self.not_null
            && match &self.ty {
                Type::Opaque(_) => false,
                Type::Plain(ty) => ty != "BINARY(0)" && !ty.starts_with("VECTOR"),
                Type::Sized { length, bytes, .. } => *length > 0 && is_stored_in_row(*bytes),
            }
    }

    /// Its values come as moments, in a column of this type.
    pub(super) fn takes_moments(&mut self, ty: ColumnType) {
        let width = match ty {
            ColumnType::MYSQL_TYPE_LONGLONG => 8,
            ColumnType::MYSQL_TYPE_LONG => 4,
            _ => 0,
        };
        self.form = Form::Moment { width };
    }

    pub(super) fn class(&self) -> &ColumnClass {
        &self.class
    }

    /// The character set of its texts.
    pub(super) fn charset(&self) -> Option<&str> {
        self.text.as_ref().map(|text| text.charset.as_str())
    }

    /// Nothing compares with it by a list of values.
    pub(super) fn is_listable(&self) -> bool {
        !matches!(
            self.class,
            ColumnClass::Timestamp | ColumnClass::Bit | ColumnClass::Json | ColumnClass::Geometry
        )
    }

    /// What planning knows of it.
    pub(super) fn fact(&self) -> TemporaryColumn {
        TemporaryColumn {
            name: String::from_utf8_lossy(&self.name).into_owned(),
            class: Some(self.class.clone()),
            declared: match &self.ty {
                Type::Plain(ty) => Some(ty.as_str().into()),
                Type::Sized { .. } | Type::Opaque(_) => None,
            },
        }
    }
}

fn class(column: &Column, text: Option<&Text>) -> ColumnClass {
    use ColumnType as T;
    if column.flags.contains(ColumnFlags::ENUM_FLAG) {
        return ColumnClass::Enum;
    }
    if column.flags.contains(ColumnFlags::SET_FLAG) {
        return ColumnClass::Set;
    }
    match column.ty {
        T::MYSQL_TYPE_TINY
        | T::MYSQL_TYPE_SHORT
        | T::MYSQL_TYPE_INT24
        | T::MYSQL_TYPE_LONG
        | T::MYSQL_TYPE_LONGLONG => ColumnClass::Integer { unsigned: column.unsigned() },
        T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => {
            ColumnClass::Decimal { scale: column.decimals }
        }
        T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => ColumnClass::Float,
        T::MYSQL_TYPE_BIT => ColumnClass::Bit,
        T::MYSQL_TYPE_YEAR => ColumnClass::Year,
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE => ColumnClass::Date,
        T::MYSQL_TYPE_DATETIME | T::MYSQL_TYPE_DATETIME2 => {
            ColumnClass::DateTime { fraction: column.decimals.min(6) }
        }
        T::MYSQL_TYPE_TIMESTAMP | T::MYSQL_TYPE_TIMESTAMP2 => ColumnClass::Timestamp,
        T::MYSQL_TYPE_TIME | T::MYSQL_TYPE_TIME2 => ColumnClass::Time,
        T::MYSQL_TYPE_JSON => ColumnClass::Json,
        T::MYSQL_TYPE_GEOMETRY
        | T::MYSQL_TYPE_VECTOR
        | T::MYSQL_TYPE_TYPED_ARRAY
        | T::MYSQL_TYPE_UNKNOWN => ColumnClass::Geometry,
        T::MYSQL_TYPE_NULL
        | T::MYSQL_TYPE_STRING
        | T::MYSQL_TYPE_VAR_STRING
        | T::MYSQL_TYPE_VARCHAR
        | T::MYSQL_TYPE_ENUM
        | T::MYSQL_TYPE_SET
        | T::MYSQL_TYPE_TINY_BLOB
        | T::MYSQL_TYPE_BLOB
        | T::MYSQL_TYPE_MEDIUM_BLOB
        | T::MYSQL_TYPE_LONG_BLOB => match text {
            Some(text) => ColumnClass::Text {
                collation: text.collation.clone(),
                fixed: column.ty == T::MYSQL_TYPE_STRING && is_plain(column),
            },
            None if column.ty == T::MYSQL_TYPE_STRING && is_plain(column) => {
                ColumnClass::Binary { length: column.length }
            }
            None => ColumnClass::VarBinary,
        },
    }
}
