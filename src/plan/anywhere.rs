//! Queries that mean the same in each schema of a server.

use std::collections::HashMap;

use super::functions::{Nature, nature};
use super::model::Analysis;
use super::planner::Context;
use crate::catalog::Table;

impl Analysis<'_> {
    /// With the databases of its tables named, the statement depends on no schema, and that is worth
    /// their names: its shards are databases of one server, between which a connection would change.
    pub(super) fn may_run_anywhere(&self, context: &Context<'_>) -> bool {
        let is_free = |name: &str, args: usize| match nature(name, args) {
            Nature::Pure | Nature::Clock | Nature::Random => true,
            // The schema itself is one of those that a server tells.
            Nature::Server | Nature::Stored => false,
        };
        let is_beside = |table: &Table| shares_server(table, context);
        !self.system
            && self.temporaries.is_empty()
            && self.calls.iter().all(|call| is_free(&call.function.name, call.function.args.len()))
            && self.uses.iter().any(|used| is_beside(&used.table))
    }
}

/// Two shards of a table are databases of one cluster.
fn shares_server(table: &Table, context: &Context<'_>) -> bool {
    let Some(sharded) = table.sharded() else { return false };
    let mut databases = HashMap::new();
    sharded.shards.iter().filter_map(|shard| context.catalog.shard(*shard)).any(|shard| {
        let database = databases.entry(shard.cluster).or_insert(&shard.database);
        *database != &shard.database
    })
}
