//! What a column holds, as far as comparing and folding go.

use crate::protocol::capability::{ColumnFlags, ColumnType};

use crate::protocol::column::Column;

/// The charset number of binary strings.
const BINARY_CHARSET: u16 = 63;

/// Values of one class compare by one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// The type of a bare `NULL`.
    Null,
    Integer,
    Decimal,
    Float,
    Double,
    /// DATE, DATETIME and TIMESTAMP.
    Moment,
    Time,
    Bit,
    /// A string of bytes.
    Binary,
    /// A string of characters: its order is the collation's.
    Character,
    /// Sorted by number, answered as text.
    Enum,
    Json,
    Geometry,
    Vector,
    /// Types that no server sends in a result.
    Unknown,
}

impl Class {
    pub(super) fn of(column: &Column) -> Self {
        use ColumnType::*;
        if column.flags.intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG) {
            return Self::Enum;
        }
        match column.ty {
            MYSQL_TYPE_NULL => Self::Null,
            MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
            | MYSQL_TYPE_INT24 | MYSQL_TYPE_YEAR => Self::Integer,
            MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => Self::Decimal,
            MYSQL_TYPE_FLOAT => Self::Float,
            MYSQL_TYPE_DOUBLE => Self::Double,
            MYSQL_TYPE_DATE
            | MYSQL_TYPE_NEWDATE
            | MYSQL_TYPE_DATETIME
            | MYSQL_TYPE_DATETIME2
            | MYSQL_TYPE_TIMESTAMP
            | MYSQL_TYPE_TIMESTAMP2 => Self::Moment,
            MYSQL_TYPE_TIME | MYSQL_TYPE_TIME2 => Self::Time,
            MYSQL_TYPE_BIT => Self::Bit,
            MYSQL_TYPE_ENUM | MYSQL_TYPE_SET => Self::Enum,
            MYSQL_TYPE_JSON => Self::Json,
            MYSQL_TYPE_GEOMETRY => Self::Geometry,
            MYSQL_TYPE_VECTOR => Self::Vector,
            MYSQL_TYPE_VARCHAR
            | MYSQL_TYPE_VAR_STRING
            | MYSQL_TYPE_STRING
            | MYSQL_TYPE_TINY_BLOB
            | MYSQL_TYPE_MEDIUM_BLOB
            | MYSQL_TYPE_LONG_BLOB
            | MYSQL_TYPE_BLOB => {
                if column.charset == BINARY_CHARSET {
                    Self::Binary
                } else {
                    Self::Character
                }
            }
            MYSQL_TYPE_TYPED_ARRAY | MYSQL_TYPE_UNKNOWN => Self::Unknown,
        }
    }

    /// As MySQL's manual calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer => "an integer",
            Self::Decimal => "DECIMAL",
            Self::Float => "FLOAT",
            Self::Double => "DOUBLE",
            Self::Moment => "a date",
            Self::Time => "TIME",
            Self::Bit => "BIT",
            Self::Binary => "a binary string",
            Self::Character => "a character string",
            Self::Enum => "ENUM or SET",
            Self::Json => "JSON",
            Self::Geometry => "GEOMETRY",
            Self::Vector => "VECTOR",
            Self::Unknown => "a column of unknown type",
        }
    }
}

/// How a value lies in a row of the binary protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many bytes.
    Fixed(usize),
    /// A byte with the length, then the value.
    Short,
    /// A length-encoded integer with the length, then the value.
    Long,
}

impl Shape {
    pub(super) fn of(column: &Column) -> Self {
        use ColumnType::*;
        match column.ty {
            MYSQL_TYPE_NULL => Self::Fixed(0),
            MYSQL_TYPE_TINY => Self::Fixed(1),
            MYSQL_TYPE_SHORT | MYSQL_TYPE_YEAR => Self::Fixed(2),
            MYSQL_TYPE_LONG | MYSQL_TYPE_INT24 | MYSQL_TYPE_FLOAT => Self::Fixed(4),
            MYSQL_TYPE_LONGLONG | MYSQL_TYPE_DOUBLE => Self::Fixed(8),
            MYSQL_TYPE_DATE
            | MYSQL_TYPE_NEWDATE
            | MYSQL_TYPE_DATETIME
            | MYSQL_TYPE_DATETIME2
            | MYSQL_TYPE_TIMESTAMP
            | MYSQL_TYPE_TIMESTAMP2
            | MYSQL_TYPE_TIME
            | MYSQL_TYPE_TIME2 => Self::Short,
            MYSQL_TYPE_DECIMAL
            | MYSQL_TYPE_NEWDECIMAL
            | MYSQL_TYPE_BIT
            | MYSQL_TYPE_ENUM
            | MYSQL_TYPE_SET
            | MYSQL_TYPE_JSON
            | MYSQL_TYPE_GEOMETRY
            | MYSQL_TYPE_VECTOR
            | MYSQL_TYPE_VARCHAR
            | MYSQL_TYPE_VAR_STRING
            | MYSQL_TYPE_STRING
            | MYSQL_TYPE_TINY_BLOB
            | MYSQL_TYPE_MEDIUM_BLOB
            | MYSQL_TYPE_LONG_BLOB
            | MYSQL_TYPE_BLOB
            | MYSQL_TYPE_TYPED_ARRAY
            | MYSQL_TYPE_UNKNOWN => Self::Long,
        }
    }
}
