//! What a merge does, as data: the planner makes it, [`Merge`](super::Merge) runs it.

/// How the rows of several shards become the rows of one answer.
///
/// The steps run in the order of the fields: merge by `order`, then fold or drop equal rows, then
/// sort again, then cut out `offset` and `limit`, then strip the hidden columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spec {
    /// How many columns at the end of each row are for the merge alone.
    pub hidden: usize,
    /// Each input is sorted this way. Empty: rows are taken from whichever input has one.
    pub order: Vec<OrderKey>,
    /// Rows equal in all keys of `order` (without keys: all rows) become one row. A column that no
    /// fold names keeps the value of the group's first row.
    pub group: Option<Vec<Fold>>,
    /// Of rows equal in all keys of `order`, keep the first.
    pub distinct: bool,
    /// Sort what came out of the steps before; the rows are buffered up to the limits.
    pub sort: Option<Vec<OrderKey>>,
    pub offset: u64,
    pub limit: Option<u64>,
}

/// A column of a shard's row. The planner need not know how many columns `*` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnRef {
    /// Counted from the first column.
    Visible(usize),
    /// Counted from the first hidden column.
    Hidden(usize),
}

/// One expression that rows are compared by. NULL comes first, or last if `descending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderKey {
    pub value: ColumnRef,
    /// `WEIGHT_STRING(value)`: how a character string compares. It is not looked at where the value
    /// turns out to be a number, a date or a time.
    pub weight: Option<ColumnRef>,
    /// `IF(LEFT(value, 0) = ' ', WEIGHT_STRING(CONCAT(LEFT(value, 0), ' ')), NULL)`: what a space
    /// weighs in a collation that pads the shorter of two strings with spaces, NULL in one that
    /// does not. Leave it out only where the collation is known not to pad: weight strings are not
    /// padded by the server, and cannot be compared in such a collation without it.
    pub pad: Option<ColumnRef>,
    pub descending: bool,
}

/// How one column of equal rows becomes one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    pub column: ColumnRef,
    pub kind: FoldKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoldKind {
    /// Exact for integers and decimals, in double precision for floating point.
    Sum,
    Count,
    /// The column and the columns of the key come from the row with the smallest key; NULL never
    /// wins.
    Min(OrderKey),
    Max(OrderKey),
    /// The folded column is the shard's own `AVG(x)`, these are its `SUM(x)` and `COUNT(x)`.
    Avg {
        sum: ColumnRef,
        count: ColumnRef,
    },
    BitAnd,
    BitOr,
    BitXor,
}

/// The most that a merge may buffer in order to sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub sort_rows: u64,
    pub sort_bytes: u64,
}

/// How the values of a row are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// Rows that answer a `COM_QUERY`.
    Text,
    /// Rows that answer a `COM_STMT_EXECUTE`.
    Binary,
}
