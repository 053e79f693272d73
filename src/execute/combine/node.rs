//! The server where rows are gathered.

use crate::backend::Access;
use crate::backend::cluster::Cluster;
use crate::backend::node::{Node, NodeState};
use crate::catalog::ShardId;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::snapshot::Snapshot;
use crate::transaction::Lent;

use std::sync::Arc;

/// Where rows are gathered because of tables that are read with them.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) shard: ShardId,
    pub(super) access: Access,
}

/// A connection to a server that gathers rows, and the database in which it does.
pub(super) async fn lease(
    snapshot: &Snapshot,
    wanted: Option<Wanted>,
    schema: Option<&str>,
) -> Result<(Lent, String)> {
    if let Some(wanted) = wanted {
        let shard = snapshot.shard(wanted.shard)?;
        let lease = snapshot.backends.lease(shard.cluster, wanted.access, false).await?;
        return Ok((Lent::apart(lease, shard.cluster), shard.database.clone()));
    }
    let mut last = Error::new(ErrorKind::NoBackend, "no server can gather rows: all are down");
    for (index, node, database) in candidates(snapshot, schema)? {
        match node.lease(false).await {
            Ok(lease) => return Ok((Lent::apart(lease, index), database)),
            Err(error) if *error.kind() == ErrorKind::NoBackend => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Servers, those with the least to do first.
fn candidates(
    snapshot: &Snapshot,
    schema: Option<&str>,
) -> Result<Vec<(usize, Arc<Node>, String)>> {
    let nodes = &snapshot.config.settings.combine.nodes;
    let mut found = Vec::new();
    for (index, cluster) in snapshot.backends.clusters().iter().enumerate() {
        let Some(database) = database(snapshot, index, schema) else { continue };
        let named = |node: &&Arc<Node>| nodes.iter().any(|it| it.to_string() == node.address());
        if nodes.is_empty() {
            found.push((index, Arc::clone(cluster.reader()), database.clone()));
            if !Arc::ptr_eq(cluster.reader(), cluster.primary()) {
                found.push((index, Arc::clone(cluster.primary()), database));
            }
        } else {
            let named = all(cluster).filter(named);
            found.extend(named.map(|node| (index, Arc::clone(node), database.clone())));
        }
    }
    if found.is_empty() && !nodes.is_empty() {
        return Err(Error::new(
            ErrorKind::Config,
            "`combine.nodes` names no server of a cluster with tables; name servers by the addresses \
             that `clusters` has",
        ));
    }
    let is_spare = |node: &Node| node.role() == crate::backend::node::Role::Replica;
    found.retain(|(_, node, _)| !matches!(node.state(), NodeState::Down(_)));
    found.sort_by_key(|(_, node, _)| (!is_spare(node), node.outstanding()));
    Ok(found)
}

fn all(cluster: &Cluster) -> impl Iterator<Item = &Arc<Node>> {
    std::iter::once(cluster.primary()).chain(cluster.replicas())
}

/// A database of ours on a cluster; that of the schema's default shard if it is there.
fn database(snapshot: &Snapshot, cluster: usize, schema: Option<&str>) -> Option<String> {
    let default = schema
        .and_then(|schema| snapshot.catalog.schema(schema))
        .and_then(|schema| snapshot.catalog.shard(schema.default_shard))
        .filter(|shard| shard.cluster == cluster);
    let any = || snapshot.catalog.shards.iter().find(|shard| shard.cluster == cluster);
    default.or_else(any).map(|shard| shard.database.clone())
}
