//! Shards: the databases behind.

use std::fmt;

/// An index into the shards of a catalog. A new snapshot counts anew: keep the name, not the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u16);

impl ShardId {
    pub fn index(self) -> usize {
        self.0.into()
    }
}

/// One database on one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Cluster and database, as in `c0/shop_1`.
    pub name: String,
    /// An index into the clusters of the configuration.
    pub cluster: usize,
    pub database: String,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
