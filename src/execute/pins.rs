//! Connections that a session is pinned to, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::backend::Keeper;
use crate::catalog::ShardId;
use crate::plan::facts::{Columns, TableId};

/// At most one connection a cluster.
#[derive(Default)]
pub struct Pins {
    by_cluster: BTreeMap<usize, Pin>,
}

/// What a session has on one connection.
#[derive(Default)]
pub struct Pin {
    pub keeper: Keeper,
    /// With their columns.
    pub temporaries: BTreeMap<TableId, Arc<Columns>>,
    /// Tables of its cluster are locked, by the statement on this shard.
    pub locks_tables: Option<ShardId>,
    /// The shards of open handlers by their names in lower case.
    pub handlers: BTreeMap<String, ShardId>,
    /// Names given to GET_LOCK(). None: one that Margay does not know.
    pub user_locks: BTreeSet<Option<Vec<u8>>>,
}

impl Pin {
    /// Nothing is on the connection any more.
    fn is_clean(&self) -> bool {
        self.temporaries.is_empty()
            && self.locks_tables.is_none()
            && self.handlers.is_empty()
            && self.user_locks.is_empty()
    }

    /// Why the session is pinned: the words of SHOW MARGAY PINS.
    pub fn reasons(&self) -> Vec<String> {
        let tables = self
            .temporaries
            .keys()
            .map(|id| format!("temporary table `{}`.`{}`", id.schema, id.table));
        let locks = self.locks_tables.map(|_| "LOCK TABLES".to_owned());
        let handlers = self.handlers.keys().map(|name| format!("HANDLER `{name}`"));
        let user_locks = self.user_locks.iter().map(|name| match name {
            Some(name) => format!("lock '{}'", String::from_utf8_lossy(name)),
            None => "a lock whose name is computed".to_owned(),
        });
        tables.chain(locks).chain(handlers).chain(user_locks).collect()
    }
}

impl Pins {
    pub fn is_empty(&self) -> bool {
        self.by_cluster.is_empty()
    }

    pub fn keeper(&self, cluster: usize) -> Option<&Keeper> {
        self.by_cluster.get(&cluster).map(|pin| &pin.keeper)
    }

    /// The pin to a cluster, perhaps a new one.
    pub fn pin(&mut self, cluster: usize) -> &mut Pin {
        self.by_cluster.entry(cluster).or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, &Pin)> {
        self.by_cluster.iter().map(|(cluster, pin)| (*cluster, pin))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pin> {
        self.by_cluster.values_mut()
    }

    /// The cluster where a temporary table is.
    pub fn temporary(&self, id: &TableId) -> Option<usize> {
        let is_here = |pin: &Pin| pin.temporaries.keys().any(|known| is_same(known, id));
        let found = self.by_cluster.iter().find(|(_, pin)| is_here(pin));
        found.map(|(cluster, _)| *cluster)
    }

    /// The columns of a temporary table.
    pub fn columns(&self, id: &TableId) -> Option<&Arc<Columns>> {
        let mut tables = self.by_cluster.values().flat_map(|pin| &pin.temporaries);
        tables.find(|(known, _)| is_same(known, id)).map(|(_, columns)| columns)
    }

    pub fn forget_temporary(&mut self, id: &TableId) {
        for pin in self.by_cluster.values_mut() {
            pin.temporaries.retain(|known, _| !is_same(known, id));
        }
    }

    /// LOCK TABLES is in force.
    pub fn is_locked(&self) -> bool {
        self.by_cluster.values().any(|pin| pin.locks_tables.is_some())
    }

    /// The clusters of LOCK TABLES, each with the shard by which it went there.
    pub fn locked(&self) -> Vec<(usize, ShardId)> {
        let locked = self.by_cluster.iter();
        locked.filter_map(|(cluster, pin)| Some((*cluster, pin.locks_tables?))).collect()
    }

    /// The cluster and the shard of an open handler.
    pub fn handler(&self, name: &str) -> Option<(usize, ShardId)> {
        self.by_cluster.iter().find_map(|(cluster, pin)| Some((*cluster, *pin.handlers.get(name)?)))
    }

    /// Lets connections go on which nothing is any more.
    pub fn release_clean(&mut self) {
        self.by_cluster.retain(|_, pin| !pin.is_clean());
    }

    /// Looks whether servers have closed connections that no statement has.
    pub fn check(&self) {
        self.by_cluster.values().for_each(|pin| pin.keeper.check());
    }

    /// Forgets connections that broke; tells what was on them.
    pub fn forget_lost(&mut self) -> Vec<String> {
        let mut lost = Vec::new();
        self.by_cluster.retain(|_, pin| {
            let is_lost = pin.keeper.is_lost();
            if is_lost {
                lost.extend(pin.reasons());
            }
            !is_lost
        });
        lost
    }
}

/// Servers may ignore the case of names; one that does not says that there is no such table.
fn is_same(known: &TableId, id: &TableId) -> bool {
    known.schema == id.schema && known.table.eq_ignore_ascii_case(&id.table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(table: &str) -> TableId {
        TableId { schema: "shop".into(), table: table.into() }
    }

    #[test]
    fn a_pin_lasts_while_something_is_there() {
        let mut pins = Pins::default();
        let columns = Arc::new(Columns { columns: Vec::new(), unique: None, rows: 0 });
        pins.pin(1).temporaries.insert(id("a"), columns);
        pins.pin(1).handlers.insert("h".into(), ShardId(0));
        assert_eq!((pins.temporary(&id("A")), pins.is_locked()), (Some(1), false));
        assert_eq!(pins.pin(1).reasons(), ["temporary table `shop`.`a`", "HANDLER `h`"]);
        pins.forget_temporary(&id("A"));
        pins.release_clean();
        assert!(pins.keeper(1).is_some());
        pins.pin(1).handlers.clear();
        pins.release_clean();
        assert!(pins.is_empty());
    }
}
