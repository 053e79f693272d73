//! Which logical table a physical one belongs to.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::{PartsKind, Schema, ShardId, Table, TableKind};

/// The physical tables of a schema's databases.
pub(super) struct Owners<'a> {
    pub(super) schema: &'a Schema,
    named: HashMap<&'a str, &'a Arc<Table>>,
    /// Tables whose physical tables are made as time goes on.
    by_time: Vec<&'a Arc<Table>>,
}

/// What a physical table is to a logical one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owned<'o> {
    pub(super) logical: &'o str,
    /// It stands for all others.
    pub(super) first: bool,
}

impl<'a> Owners<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        let mut owners = Self { schema, named: HashMap::new(), by_time: Vec::new() };
        for table in schema.tables.values() {
            let parts = table.sharded().and_then(|sharded| sharded.parts.as_ref());
            match parts.map(|parts| &parts.kind) {
                None => drop(owners.named.insert(&table.name, table)),
                Some(PartsKind::Fixed { names, .. }) => {
                    owners.named.extend(names.iter().map(|name| (name.as_str(), table)));
                }
                Some(PartsKind::Time(_)) => owners.by_time.push(table),
            }
        }
        owners
    }

    /// The logical table whose physical table this is. None: it is of none, or one more copy.
    pub(super) fn owned<'o>(&'o self, shard: ShardId, physical: &'o str) -> Option<Owned<'o>> {
        let by_time = || self.by_time.iter().find(|table| table.owns(physical));
        let Some(table) = self.named.get(physical).or_else(by_time) else {
            let home = shard == self.schema.default_shard;
            return home.then_some(Owned { logical: physical, first: true });
        };
        let shards = table.shards();
        let is_first_shard = shards.first() == Some(&shard);
        let first = is_first_shard && table.first_name() == physical;
        let is_own = match &table.kind {
            TableKind::Single { .. } | TableKind::Broadcast { .. } => first,
            TableKind::Sharded(_) => shards.contains(&shard),
        };
        is_own.then_some(Owned { logical: &table.name, first })
    }

    /// The shards that have the first physical tables, or all.
    pub(super) fn shards(&self, all: bool) -> Vec<ShardId> {
        if all {
            return self.schema.shards();
        }
        let firsts = self.schema.tables.values().filter_map(|table| table.shards().first());
        let mut shards: Vec<ShardId> = firsts.copied().chain([self.schema.default_shard]).collect();
        shards.sort_unstable();
        shards.dedup();
        shards
    }

    /// Physical tables that a logical name may mean, or those of the name itself. None: they cannot be
    /// listed.
    pub(super) fn physical(&self, logical: &str, all: bool) -> Option<Vec<String>> {
        let mut names = vec![logical.to_owned()];
        let alike = |table: &&Arc<Table>| table.name.eq_ignore_ascii_case(logical);
        for table in self.schema.tables.values().filter(alike) {
            match table.sharded().and_then(|it| it.parts.as_ref()).map(|parts| &parts.kind) {
                Some(PartsKind::Fixed { names: parts, .. }) if all => names.extend(parts.clone()),
                Some(PartsKind::Time(_)) if all => return None,
                Some(PartsKind::Fixed { .. } | PartsKind::Time(_)) | None => {
                    names.push(table.first_name().to_owned());
                }
            }
        }
        Some(names)
    }
}
