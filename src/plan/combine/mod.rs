//! A SELECT that no shard can answer alone, as a program of simpler ones.
//!
//! The user's statement is rewritten, text to text: parts that shards can compute are cut out as
//! *steps*, and temporary tables with the rows of these steps take their places. What is left runs
//! last, on one server, and its rows go to the client. Steps and the last statement are logical SQL:
//! they are parsed and planned as if a client had sent them, so what is proven of routes and scatters
//! holds for them too.

mod certain;
mod equal;
mod filter;
mod gather;
mod group;
mod hint;
mod leaf;
mod part;
mod partial;
mod push;
mod rewrite;
mod spread;
mod stage;
mod subquery;
mod survey;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::facts::{ColumnClass, Stop};
use super::planner::{Context, Temporary, TemporaryColumn};
use super::types::Source;
use rewrite::Rewrite;

/// The program for a SELECT that is neither a route nor a scatter.
///
/// # Errors
/// [`Stop::Need`] with the tables whose columns must be known; `Unsupported` with the construct that
/// has no meaning over several shards.
pub fn plan(source: &Source, context: &Context<'_>, options: Options) -> Result<Combine, Stop> {
    let context = Context {
        mode: source.mode,
        schema: source.schema.as_deref(),
        temporaries: &[],
        ..*context
    };
    Rewrite::new(source, context, options)?.run()
}

/// Steps in order, then what answers the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Combine {
    pub steps: Vec<Step>,
    pub last: Stage,
    /// One line a fact for EXPLAIN: why each part was not pushed further.
    pub notes: Vec<String>,
}

/// A part whose rows become temporary tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub stage: Stage,
    pub temp: Temp,
}

/// A statement of the program: logical SQL, which is parsed and planned when its turn comes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stage {
    pub text: Vec<u8>,
    /// The client's parameters that the `?` of the text stand for, in the order of the text.
    pub params: Vec<u16>,
    /// Conditions that are put into the text when the rows of earlier steps are known, in the order
    /// of the text.
    pub keys: Vec<KeyList>,
    /// Names of temporary tables that the text reads; each was made by an earlier step.
    pub reads: Vec<String>,
}

/// ` AND expr IN (values)`, put in at `at`, where the values are those of a column of an earlier step;
/// nothing, if they are too many to be worth it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyList {
    /// Offset in the stage's text.
    pub at: u32,
    /// The left side, logical SQL.
    pub expr: String,
    /// Index of the step.
    pub step: usize,
    /// Index of its column.
    pub column: usize,
}

/// Temporary tables with the rows of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temp {
    /// MySQL cannot open a temporary table twice in one statement: each reference has its own copy.
    pub names: Vec<String>,
    pub columns: Vec<TempColumn>,
    /// Columns by which the statements that read it look rows up, an index each.
    pub indexes: Vec<Vec<usize>>,
    /// Of a table that stands for another without its rows: unique keys of columns that take no NULL.
    /// None: not known, or nothing of the kind.
    pub unique: Option<Vec<Vec<usize>>>,
    /// A later step reads it on the shards: its rows are held in memory and copied to each of them.
    pub broadcast: bool,
}

/// A column of a temporary table. Its type is that of the step's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TempColumn {
    /// None: the name that the step's answer gives.
    pub name: Option<String>,
    /// The type as `SHOW COLUMNS` writes it, of a plain column of a table; ENUM and SET need it, since
    /// the answer does not name their members.
    pub declared: Option<String>,
    /// How its values compare, as far as planning knows.
    pub class: Option<ColumnClass>,
}

impl Temp {
    /// Its tables as planning must know them for the statements that read them.
    pub fn temporaries(&self) -> Vec<Temporary> {
        let known = |column: &TempColumn| {
            let name = column.name.clone()?;
            let declared = column.declared.as_deref().map(Arc::from);
            Some(TemporaryColumn { name, class: column.class.clone(), declared })
        };
        let columns: Option<Vec<TemporaryColumn>> = self.columns.iter().map(known).collect();
        let table = |name: &String| Temporary { name: name.clone(), columns: columns.clone() };
        self.names.iter().map(table).collect()
    }
}

/// What a program may do, which depends on where and when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Temporary tables may be made on the shards: not inside of a transaction, and not again when a
    /// side that was thought small turned out to be big.
    pub broadcast: bool,
    /// The last statement reads no table itself: inside a transaction it would miss its writes.
    pub detached: bool,
    /// Nothing but the rows of single tables is taken out, so that what is left is as the client wrote it.
    pub tables_only: bool,
    /// No rows are taken out, since only the columns of the answer are wanted.
    pub shape_only: bool,
}
