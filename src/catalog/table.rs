//! A table as the application sees it, and where its rows are.

use super::algorithm::Algorithm;
use super::parts::{Parts, PartsKind};
use super::shard::ShardId;
use crate::config::IdRule;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The logical name.
    pub name: String,
    pub schema: String,
    pub kind: TableKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// All rows on one shard.
    Single { shard: ShardId },
    /// A full copy on each shard.
    Broadcast { shards: Vec<ShardId> },
    /// Each row on one of many shards.
    Sharded(Box<Sharded>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharded {
    /// The column that decides the shard.
    pub key: String,
    /// The targets of `algorithm`, in its order.
    pub shards: Vec<ShardId>,
    pub algorithm: Algorithm,
    pub parts: Option<Parts>,
    /// The column that gets generated ids.
    pub id: Option<IdRule>,
    /// Tables of one group are colocated: they have equal shards and algorithms, so rows with equal
    /// keys lie on one shard. Whether keys of two columns are equal also depends on the columns'
    /// types and collations, which the rules do not know.
    pub group: usize,
}

impl Table {
    /// Every shard that has the table.
    pub fn shards(&self) -> &[ShardId] {
        match &self.kind {
            TableKind::Single { shard } => std::slice::from_ref(shard),
            TableKind::Broadcast { shards } => shards,
            TableKind::Sharded(sharded) => &sharded.shards,
        }
    }

    /// The physical table that stands for all: the first of a fixed set, the pattern of time tables.
    pub fn first_name(&self) -> &str {
        match self.sharded().and_then(|sharded| sharded.parts.as_ref()).map(|parts| &parts.kind) {
            Some(PartsKind::Fixed { names, .. }) => names.first().unwrap_or(&self.name),
            Some(PartsKind::Time(_)) | None => &self.name,
        }
    }

    /// Its physical tables are made as time goes.
    pub fn is_by_time(&self) -> bool {
        let parts = self.sharded().and_then(|sharded| sharded.parts.as_ref());
        matches!(parts.map(|parts| &parts.kind), Some(PartsKind::Time(_)))
    }

    /// Whether a physical table of this name is one of this table's.
    pub fn owns(&self, physical: &str) -> bool {
        let parts = self.sharded().and_then(|sharded| sharded.parts.as_ref());
        match parts.map(|parts| &parts.kind) {
            Some(PartsKind::Fixed { names, .. }) => names.iter().any(|name| name == physical),
            Some(PartsKind::Time(time)) => physical == self.name || time.owns(&self.name, physical),
            None => physical == self.name,
        }
    }

    pub fn sharded(&self) -> Option<&Sharded> {
        match &self.kind {
            TableKind::Single { .. } | TableKind::Broadcast { .. } => None,
            TableKind::Sharded(sharded) => Some(sharded),
        }
    }
}

impl Sharded {
    /// Rows with equal keys lie on one shard in both tables.
    pub fn colocated_with(&self, other: &Self) -> bool {
        self.group == other.group
    }

    /// Rows with equal keys lie in physical tables of one index in both tables: both are split by a
    /// fixed set, by equal algorithms over their sharding keys.
    pub fn parts_aligned_with(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (&self.parts, &other.parts) else {
            return self.parts.is_none() && other.parts.is_none() && self.colocated_with(other);
        };
        let equal = match (&mine.kind, &theirs.kind) {
            (
                PartsKind::Fixed { algorithm: mine, .. },
                PartsKind::Fixed { algorithm: theirs, .. },
            ) => mine == theirs,
            (PartsKind::Fixed { .. } | PartsKind::Time(_), PartsKind::Time(_))
            | (PartsKind::Time(_), PartsKind::Fixed { .. }) => false,
        };
        equal && self.colocated_with(other) && mine.key == self.key && theirs.key == other.key
    }
}
