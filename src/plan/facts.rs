//! Facts that only servers know, as far as they were fetched, and requests for the missing ones.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::catalog::ShardId;
use crate::error::Error;

/// The columns of one table, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    pub columns: Vec<Column>,
    /// Unique keys of columns that take no NULL. None: not known, or not all that the server would conclude
    /// from which columns depend on which.
    pub unique: Option<Vec<Vec<String>>>,
    /// Rows that the server guesses one physical table to hold; a hint for the order of joins only.
    pub rows: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub class: ColumnClass,
    /// The type as `SHOW COLUMNS` writes it, such as `enum('a','b')`; empty if not known.
    pub declared: String,
    pub nullable: bool,
    pub auto_increment: bool,
    /// Invisible to `SELECT *`.
    pub invisible: bool,
    /// Computed of others: it takes no values.
    pub generated: bool,
    /// Part of the primary key, or of a unique key that stands for it.
    pub primary: bool,
}

/// How values of a column compare, as far as routing and merging care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnClass {
    Integer {
        unsigned: bool,
    },
    Decimal {
        scale: u8,
    },
    /// FLOAT, DOUBLE.
    Float,
    Bit,
    Year,
    Date,
    /// DATETIME; digits of fractional seconds.
    DateTime {
        fraction: u8,
    },
    /// TIMESTAMP: its text depends on the session's time zone.
    Timestamp,
    Time,
    /// CHAR, VARCHAR, TEXT of any length. `collation` is its name, such as `utf8mb4_0900_ai_ci`;
    /// `fixed` is CHAR, whose trailing spaces are never returned.
    Text {
        collation: String,
        fixed: bool,
    },
    /// BINARY(n): padded with zero bytes to its length.
    Binary {
        length: u32,
    },
    /// VARBINARY, BLOB.
    VarBinary,
    Enum,
    Set,
    Json,
    Geometry,
}

/// A table in a schema of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId {
    pub schema: String,
    pub table: String,
}

/// What planning and resolving know of the servers. Cheap to clone: a snapshot of a cache.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// None: the table does not exist.
    pub columns: BTreeMap<TableId, Option<Arc<Columns>>>,
    /// Weight strings by text.
    pub weights: HashMap<WeightKey, Arc<[u8]>>,
    /// Physical tables of a time table that exist on a shard.
    pub periods: HashMap<(TableId, ShardId), Arc<[String]>>,
    /// Values of constant expressions that were computed by a server for this statement, by text.
    pub computed: HashMap<Vec<u8>, crate::sql::expr::Literal>,
    /// Values of constant expressions of conditions, by text. None: of no use for routing.
    pub constants: HashMap<Vec<u8>, Option<crate::sql::expr::Literal>>,
    /// The time of those that tell it, as a value of the session variable `timestamp`.
    pub clock: Option<String>,
}

/// A text whose weight string in a collation is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WeightKey {
    pub text: Vec<u8>,
    /// Charset of `text`: the connection's, an introducer's, or `utf8mb4` for texts of rule files.
    pub charset: String,
    pub collation: String,
}

/// What is missing to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    Columns(Vec<TableId>),
    Weights(Vec<WeightKey>),
    Periods(Vec<(TableId, ShardId)>),
    /// Constant expressions (texts) to compute, such as `NOW()` for a sharding key of an INSERT.
    Computed(Vec<Vec<u8>>),
    /// Constant expressions of conditions to compute; whether one tells the time.
    Constants {
        texts: Vec<Vec<u8>>,
        clock: bool,
    },
}

/// Why a step did not give its result.
#[derive(Debug)]
pub enum Stop {
    Need(Need),
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
