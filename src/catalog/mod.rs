//! The immutable view of the rules: schemas, tables, shards, algorithms.

mod algorithm;
mod build;
mod hash;
mod key;
mod literal;
mod parts;
mod schema;
mod shard;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use algorithm::{Algorithm, List, Periods, RangeSpan, Ranges, Rule};
pub use hash::Ring;
pub use key::{Key, Weights};
pub use literal::Literal;
pub use parts::{Parts, PartsKind, Period, TimeParts};
pub use schema::Schema;
pub use shard::{Shard, ShardId};
pub use table::{Sharded, Table, TableKind};

/// All schemas and all shards they use.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// A [`ShardId`] is an index here.
    pub shards: Vec<Shard>,
    pub schemas: BTreeMap<String, Schema>,
}

impl Catalog {
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.get(name)
    }

    /// The shard with this id; none if the id is of another catalog.
    pub fn shard(&self, id: ShardId) -> Option<&Shard> {
        self.shards.get(id.index())
    }

    /// The shard of this name, such as `c0/shop_1`.
    pub fn shard_named(&self, name: &str) -> Option<ShardId> {
        let index = self.shards.iter().position(|shard| shard.name == name)?;
        u16::try_from(index).ok().map(ShardId)
    }
}
