//! LOAD DATA LOCAL as it is parsed.

use super::expr::Name;
use super::query::TableName;
use super::span::Span;
use super::statement::ColumnAssignment;

/// `LOAD DATA ... LOCAL INFILE 'file' ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadData {
    /// The name of the file, for the client.
    pub file: Vec<u8>,
    /// REPLACE: a row takes the place of those with its keys.
    pub replace: bool,
    pub table: TableName,
    /// Behind the table and its PARTITION clause, where CHARACTER SET stands.
    pub table_end: u32,
    /// The character set of the file, in lower case, if it is given.
    pub charset: Option<String>,
    pub format: Format,
    /// `IGNORE 1 LINES`
    pub skip: Option<Skip>,
    /// Where the fields of a row go. Empty: to the columns of the table, in their order.
    pub targets: Vec<LoadTarget>,
    /// Right behind the parenthesis that opens the list of them; or where the list would stand.
    pub targets_at: u32,
    /// There is a list, perhaps an empty one.
    pub has_list: bool,
    pub assignments: Vec<ColumnAssignment>,
}

/// Lines in front of the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skip {
    pub lines: u64,
    /// The clause.
    pub span: Span,
}

/// Where a field of the file goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadTarget {
    Column(Name),
    /// A user variable, in lower case.
    Variable(String),
}

/// FIELDS and LINES as they are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    pub fields: Vec<u8>,
    pub enclosed: Vec<u8>,
    pub escaped: Vec<u8>,
    pub starting: Vec<u8>,
    pub lines: Vec<u8>,
}

impl Format {
    /// That of a statement that gives none. `escapes`: a backslash escapes in strings, too.
    pub fn new(escapes: bool) -> Self {
        Self {
            fields: b"\t".to_vec(),
            enclosed: Vec::new(),
            escaped: if escapes { b"\\".to_vec() } else { Vec::new() },
            starting: Vec::new(),
            lines: b"\n".to_vec(),
        }
    }
}
