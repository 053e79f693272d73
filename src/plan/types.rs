//! The plan.

use std::sync::Arc;

use super::facts::ColumnClass;
use super::holds::Holds;
use super::moves::Moves;
use super::template::{Piece, Template};
use super::upsert::Upsert;
use crate::catalog::{ShardId, Table};
use crate::merge::Spec;
use crate::sql::Mode;
use crate::sql::delimited::Delimiters;
use crate::sql::expr::Literal;

/// What a statement does. Executing it is one match, explaining it another.
#[derive(Debug, Clone)]
pub enum Plan {
    Select(Box<Select>),
    Insert(Insert),
    /// INSERT and REPLACE ... SELECT.
    Feed(Box<Feed>),
    /// UPDATE and DELETE.
    Write(Write),
    /// LOAD DATA LOCAL.
    Load(Box<Load>),
    Ddl(Ddl),
}

/// Reads. One target: `route` runs there and its packets pass untouched. Several: `scatter`.
#[derive(Debug, Clone)]
pub struct Select {
    pub place: Place,
    pub route: Template,
    /// Err: why the statement cannot be merged, with the way out.
    pub scatter: Result<Scatter, Refusal>,
    /// Must run on the primary: FOR UPDATE, GET_LOCK(), LAST_INSERT_ID() and the like.
    pub primary: bool,
    /// What it was planned from, where it may be that it cannot be merged, or that its tables do not
    /// lie together: then it needs another plan, of [`combine`](super::combine), which is made when
    /// that is known.
    pub source: Option<Source>,
}

/// The text of a statement and how it is read.
#[derive(Debug, Clone)]
pub struct Source {
    pub text: Vec<u8>,
    pub mode: Mode,
    /// The current schema.
    pub schema: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Scatter {
    pub template: Template,
    /// Limit and offset in it may depend on parameters, see `limit`.
    pub merge: Spec,
    pub limit: Option<LimitOperands>,
    /// How many columns the client sees, where positions of `*` were counted: an answer with another
    /// number must not be merged, as the table has changed since it was planned.
    pub columns: Option<usize>,
    /// One line a fact for EXPLAIN: why this merge, what was pushed.
    pub notes: Vec<String>,
}

/// `LIMIT offset, rows` of a scatter. The template has a [`super::template::Piece`] for neither: it
/// ends in the text that `limit_suffix` of the resolver makes.
#[derive(Debug, Clone)]
pub struct LimitOperands {
    pub rows: Operand,
    pub offset: Option<Operand>,
    /// Each shard may stop after `offset + rows` rows.
    pub pushed: bool,
}

/// Why something is not done over several shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Names the construct and the way out.
    pub message: String,
}

/// Everything that decides where a statement may run.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Sharded tables, a unit for each set of references that are proven to lie together.
    pub units: Vec<Unit>,
    /// Shards of single tables: the statement must run on that shard's cluster.
    pub singles: Vec<Arc<Table>>,
    /// Broadcast tables: the statement may run on any cluster that has a copy of each.
    pub broadcasts: Vec<Arc<Table>>,
    /// Forced by the hint `shard=`.
    pub forced: Option<ShardId>,
    /// Where to run if nothing above says where: the schema's default shard.
    pub default: Option<ShardId>,
}

impl Place {
    /// No table and no hint says where.
    pub fn is_nowhere(&self) -> bool {
        self.units.is_empty()
            && self.singles.is_empty()
            && self.broadcasts.is_empty()
            && self.forced.is_none()
    }
}

/// References to sharded tables that are joined on their keys.
#[derive(Debug, Clone)]
pub struct Unit {
    /// One of the tables; all have the same shards and parts.
    pub table: Arc<Table>,
    pub key_class: ColumnClass,
    /// What is known of the sharding key.
    pub condition: Condition,
    pub part_class: Option<ColumnClass>,
    /// What is known of the key of the physical tables.
    pub part_condition: Condition,
}

/// A necessary condition on a key: rows that do not meet it cannot be in the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Nothing is known.
    Always,
    /// No row meets it.
    Never,
    Eq(Operand),
    In(Vec<Operand>),
    IsNull,
    Range {
        low: Option<Bound>,
        high: Option<Bound>,
    },
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    pub operand: Operand,
    pub inclusive: bool,
}

/// A value known at run time.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    Literal(Literal),
    /// A parameter, by its index.
    Param(u16),
    /// A constant expression that a server computes; its value replaces it in the text (INSERT only).
    Computed(Vec<u8>),
    /// A constant expression in a condition, whose value a server computes for routing alone.
    Constant(Constant),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    pub text: Vec<u8>,
    /// Where its `?` are in the text, in order, and the parameters they stand for.
    pub params: Vec<(usize, u16)>,
    /// It tells the time: the statement must run at the time of the value.
    pub clock: bool,
}

/// INSERT and REPLACE ... VALUES. Rows are split by target in their order.
#[derive(Debug, Clone)]
pub struct Insert {
    pub table: Arc<Table>,
    pub key_class: Option<ColumnClass>,
    pub part_class: Option<ColumnClass>,
    /// What the columns of the keys can hold.
    pub key_holds: Option<Holds>,
    pub part_holds: Option<Holds>,
    /// Up to VALUES, and after the last row. The table name in it depends on the target.
    pub head: Template,
    pub rows: Vec<InsertRow>,
    pub tail: Template,
    /// The column whose values are generated, or must not be by the shards.
    pub ids: Option<InsertIds>,
    /// ON DUPLICATE KEY UPDATE assigns a key, so that the row that is in the way may have to move.
    pub upsert: Option<Box<Upsert>>,
}

/// A column of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InsertIds {
    pub column: String,
    /// None: the table has no rule for ids, and rows without one are refused.
    pub maker: Option<Maker>,
    /// The greatest id that the column can hold.
    pub most: u64,
    /// It is the sharding key, the key of the physical tables.
    pub is_key: bool,
    pub is_part_key: bool,
    /// IGNORE: rows may be left out.
    pub ignore: bool,
    /// ON DUPLICATE KEY UPDATE: rows may be changed instead.
    pub on_duplicate: bool,
}

/// Who makes ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    Snowflake,
    Segment,
}

#[derive(Debug, Clone)]
pub struct InsertRow {
    /// The value of the sharding key; None for single and broadcast tables.
    pub key: Option<Operand>,
    pub part_key: Option<Operand>,
    /// The value for the column of ids; None if the row has none.
    pub id: Option<Operand>,
    /// `(...)`. Where a key is [`Operand::Computed`], its text is its own piece to be replaced.
    pub template: Template,
}

/// INSERT and REPLACE ... SELECT. Where one server has all that it names, that one runs it; otherwise the
/// rows of the query come to Margay and go on as those of INSERT ... VALUES.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The statement as a whole.
    pub whole: Write,
    /// One server may run it as it is: generated values and keys are in nobody's way.
    pub direct: bool,
    /// The query.
    pub source: Source,
    /// The client's parameters that the `?` of the query stand for.
    pub params: Vec<u16>,
    /// What stands before and after the rows, logical SQL.
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
    pub tail_params: Vec<u16>,
    /// The table that it writes to.
    pub table: Arc<Table>,
    /// How many columns a row must have; None: not known.
    pub width: Option<usize>,
    /// All rows must be read before the first is written: the query reads the table, or locks.
    pub reads_first: bool,
    /// Servers tell an info of such a statement.
    pub told: bool,
    /// It ends in ON DUPLICATE KEY UPDATE.
    pub on_duplicate: bool,
    pub ignore: bool,
}

/// LOAD DATA LOCAL.
#[derive(Debug, Clone)]
pub struct Load {
    /// None: by the hint `shard=`, whichever it is.
    pub table: Option<Arc<Table>>,
    /// The name of the file, for the client.
    pub file: Vec<u8>,
    /// Where a file goes whose rows are not told apart.
    pub place: Place,
    /// The statement; up to its CHARACTER SET if it gives none, and what follows.
    pub head: Template,
    pub tail: Option<Template>,
    /// None: one server reads the file as it is.
    pub split: Option<Box<Split>>,
}

/// How the rows of a file are told apart and placed. Of a broadcast table they are not placed: each copy gets
/// all of them.
#[derive(Debug, Clone)]
pub struct Split {
    pub delimiters: Delimiters,
    /// How many fields a row has.
    pub fields: usize,
    /// Lines in front of the first row, which no server sees.
    pub skip: u64,
    /// The character set of the file; None: that of the current schema.
    pub charset: Option<String>,
    /// Without rows.
    pub insert: Insert,
    /// None: the generated id, or of a broadcast table.
    pub key: Option<LoadValue>,
    pub part_key: Option<LoadValue>,
    /// The value for the column of ids, if there is one. None: it is put in front of the fields.
    pub id: Option<LoadValue>,
}

/// What a column gets from a file.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadValue {
    /// A field, by its index.
    Field(usize),
    /// The same in every row.
    Given(Operand),
}

/// UPDATE and DELETE.
#[derive(Debug, Clone)]
pub struct Write {
    pub place: Place,
    pub template: Template,
    /// Err: why it may not run on more than one target (ORDER BY with LIMIT, ...).
    pub several: Result<(), Refusal>,
    /// A broadcast table is written: all of its shards, the same statement.
    pub broadcast: Option<Arc<Table>>,
    /// What it was planned from, where it may be that it cannot run as it is: then its rows are
    /// [picked](super::pick) first.
    pub source: Option<Source>,
    /// Keys by which rows are placed are assigned. None: none is.
    pub moves: Option<Moves>,
}

impl Write {
    /// How many parameters the client gives.
    pub fn params(&self) -> usize {
        if let Some(params) = self.template.untouched {
            return params.into();
        }
        let is_param = |piece: &&Piece| matches!(piece, Piece::Param(_));
        self.template.pieces.iter().filter(is_param).count()
    }
}

/// DDL on every physical table of a logical one.
#[derive(Debug, Clone)]
pub struct Ddl {
    /// Tables whose physical tables it runs on, one statement each; several tables (DROP TABLE a, b)
    /// are several steps in their order.
    pub steps: Vec<DdlStep>,
    /// CREATE TABLE ... SELECT that no server does by itself; then there are no steps.
    pub fill: Option<Box<Fill>>,
    /// The hint `shard=`: there, as it is, and nowhere else.
    pub forced: Option<(ShardId, Template)>,
}

/// CREATE TABLE ... SELECT of rows that lie elsewhere, or into a table of several parts. A server makes a
/// temporary table by an empty query, which tells the definition. The table is made by that, and then
/// filled as by INSERT ... SELECT.
#[derive(Debug, Clone)]
pub struct Fill {
    pub table: Arc<Table>,
    /// Its name as the client wrote it.
    pub name: Vec<u8>,
    /// What stands between the name and the query.
    pub definitions: Vec<u8>,
    /// The query.
    pub source: Source,
    /// The query with LIMIT 0.
    pub empty: Source,
    /// IF NOT EXISTS
    pub conditional: bool,
    /// `INSERT`, `INSERT IGNORE` or `REPLACE`.
    pub insert: &'static str,
}

#[derive(Debug, Clone)]
pub struct DdlStep {
    pub table: Arc<Table>,
    pub template: Template,
    /// The statement creates the table (its time tables don't exist yet).
    pub creates: bool,
    pub drops: bool,
}
