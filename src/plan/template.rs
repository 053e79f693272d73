//! Statement text with holes that depend on where it runs.

use std::sync::Arc;

use super::facts::TableId;
use crate::catalog::{ShardId, Table};

/// Where a statement runs: a shard, and one physical table of each sharded logical table there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub shard: ShardId,
    pub part: Option<Part>,
}

/// Which physical table of a logical one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Index into the fixed names.
    Fixed(usize),
    /// Full name of a time table's physical table.
    Period(String),
    /// Of several tables that are split independently, each by its name.
    Each(Vec<(TableId, Part)>),
}

/// The user's text, spliced.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    pub pieces: Vec<Piece>,
    /// The pieces are the user's whole text as it is; it has this many parameters.
    pub untouched: Option<u16>,
    /// Tables are named with their databases: it means the same in each schema of a server.
    pub anywhere: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    Text(Vec<u8>),
    /// The physical name of a table at the target, quoted; with its database if that is not the
    /// target shard's (a broadcast or single table in another database of the same cluster), or if the
    /// template runs anywhere.
    Table(Arc<Table>),
    /// `?` of the client, by its index.
    Param(u16),
    /// The place of a generated id; what the row brings there itself, or nothing.
    Id(Vec<Piece>),
}
