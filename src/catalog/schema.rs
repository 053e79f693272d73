//! A schema: what the application sees as one database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::shard::ShardId;
use super::table::{Table, TableKind};

#[derive(Debug, Clone)]
pub struct Schema {
    pub name: String,
    /// Where every table lives that the rules do not name.
    pub default_shard: ShardId,
    /// The tables that the rules name.
    pub tables: BTreeMap<String, Arc<Table>>,
}

impl Schema {
    /// The table of this name. A name of other case finds a table too, if no table has the exact name:
    /// servers may ignore the case of names, and a server that does not says that there is no such table.
    pub fn table(&self, name: &str) -> Arc<Table> {
        let exact = self.tables.get(name);
        let other_case =
            || self.tables.values().find(|table| table.name.eq_ignore_ascii_case(name));
        match exact.or_else(other_case) {
            Some(table) => Arc::clone(table),
            None => Arc::new(Table {
                name: name.to_owned(),
                schema: self.name.clone(),
                kind: TableKind::Single { shard: self.default_shard },
            }),
        }
    }

    /// Whether a physical table belongs to a table that the rules name.
    pub fn owns_physical(&self, physical: &str) -> bool {
        self.tables.values().any(|table| table.owns(physical))
    }

    /// Every shard that a table of the schema may live on, rising.
    pub fn shards(&self) -> Vec<ShardId> {
        let named = self.tables.values().flat_map(|table| table.shards().iter().copied());
        let all: BTreeSet<ShardId> = named.chain([self.default_shard]).collect();
        all.into_iter().collect()
    }
}
