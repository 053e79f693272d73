//! All clusters, and the choice of a node for a statement.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::channel::Deadline;
use crate::backend::health::Health;
use crate::backend::login::Target;
use crate::backend::node::{Node, Role};
use crate::backend::pool::{Lease, Wish};
use crate::backend::settings::{ClusterSpec, NodeSpec, Settings};
use crate::backend::states::States;
use crate::backend::tls::Tls;
use crate::backend::written::{Needed, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::gtid::GtidSet;

/// The clusters of one configuration, in its order.
#[derive(Debug)]
pub struct Backends {
    settings: Arc<Settings>,
    clusters: Vec<Arc<Cluster>>,
    states: Arc<States>,
}

/// A primary and its replicas.
#[derive(Debug)]
pub struct Cluster {
    spec: ClusterSpec,
    primary: Arc<Node>,
    replicas: Vec<Arc<Node>>,
}

/// What a statement needs of its node.
#[derive(Debug, Clone)]
pub enum Access {
    /// The primary.
    Primary,
    /// A replica that may lag up to `health.lag_limit`; the primary if there is none.
    Read,
    /// As [`Access::Read`], of the replicas that have what the session has written.
    ReadOwn(Arc<Written>),
}

impl Backends {
    /// Connects to nothing yet. `previous` lends its clusters, with their pools and what is known of
    /// their nodes, as far as their settings are the same. Fails if certificates cannot be read.
    pub fn new(
        settings: Settings,
        specs: Vec<ClusterSpec>,
        previous: Option<&Self>,
    ) -> Result<Self> {
        let lender = previous.filter(|previous| *previous.settings == settings);
        let settings = Arc::new(settings);
        let mut clusters = Vec::with_capacity(specs.len());
        for spec in specs {
            let lent = lender.and_then(|lender| {
                lender.clusters.iter().find(|cluster| cluster.spec == spec).map(Arc::clone)
            });
            clusters.push(match lent {
                Some(cluster) => cluster,
                None => Arc::new(Cluster::new(spec, &settings)?),
            });
        }
        let states = previous.map(|previous| Arc::clone(&previous.states)).unwrap_or_default();
        Ok(Self { settings, clusters, states })
    }

    /// What sessions want to be set on connections.
    pub fn states(&self) -> &Arc<States> {
        &self.states
    }

    /// Begins to look after the nodes, until the answer is dropped.
    pub fn start(&self) -> Health {
        Health::start(&self.clusters)
    }

    pub fn clusters(&self) -> &[Arc<Cluster>] {
        &self.clusters
    }

    /// The cluster of this index in the order of the configuration.
    pub fn cluster(&self, index: usize) -> Result<&Arc<Cluster>> {
        self.clusters
            .get(index)
            .ok_or_else(|| Error::internal(format!("there is no cluster number {index}")))
    }

    /// Leases a connection to a node of a cluster; see [`Node::lease`]. A read goes on to another
    /// replica, and at last to the primary, if a node cannot be reached.
    pub async fn lease(&self, cluster: usize, access: Access, found_rows: bool) -> Result<Lease> {
        self.lease_for(cluster, access, Wish { found_rows, state: None }).await
    }

    /// As [`Backends::lease`], the connection that suits best.
    pub async fn lease_for(&self, cluster: usize, access: Access, wish: Wish<'_>) -> Result<Lease> {
        let cluster = self.cluster(cluster)?;
        match access {
            Access::Primary => cluster.primary.lease_for(wish).await,
            Access::Read => cluster.lease_reader(None, wish).await,
            Access::ReadOwn(written) => cluster.lease_own_reader(&written, wish).await,
        }
    }
}

impl Cluster {
    fn new(spec: ClusterSpec, settings: &Arc<Settings>) -> Result<Self> {
        let tls = Tls::new(&spec.tls, spec.identity.as_ref())
            .map_err(|error| error.context(format!("cluster `{}`", spec.name)))?;
        let cluster: Arc<str> = Arc::from(spec.name.as_str());
        let node = |role: Role, node: &NodeSpec| {
            let target = Target {
                node: format!("{} ({})", spec.name, node.address).into(),
                cluster: Arc::clone(&cluster),
                tracks: role == Role::Primary && !spec.replicas.is_empty(),
                address: node.address.clone(),
                user: spec.user.clone(),
                password: spec.password.clone(),
                tls: tls.clone(),
                compression: spec.compression,
                max_allowed_packet: settings.max_allowed_packet,
            };
            Arc::new(Node::new(role, node, Arc::new(target), settings))
        };
        let primary = node(Role::Primary, &spec.primary);
        let replicas = spec.replicas.iter().map(|spec| node(Role::Replica, spec)).collect();
        Ok(Self { spec, primary, replicas })
    }

    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The user that Margay is on its servers.
    pub fn user(&self) -> &str {
        &self.spec.user
    }

    pub fn primary(&self) -> &Arc<Node> {
        &self.primary
    }

    pub fn replicas(&self) -> &[Arc<Node>] {
        &self.replicas
    }

    /// The node for a read: a replica that is up, by weight and load; the primary if there is none.
    pub fn reader(&self) -> &Arc<Node> {
        self.choose(&[], None).unwrap_or(&self.primary)
    }

    /// `after`: what the replica must have.
    async fn lease_reader(&self, after: Option<&GtidSet>, wish: Wish<'_>) -> Result<Lease> {
        let mut tried: Vec<&Arc<Node>> = Vec::new();
        while let Some(node) = self.choose(&tried, after) {
            match node.lease_for(wish).await {
                Err(error) if *error.kind() == ErrorKind::NoBackend => tried.push(node),
                outcome => return outcome,
            }
        }
        self.primary.lease_for(wish).await
    }

    async fn lease_own_reader(&self, written: &Written, wish: Wish<'_>) -> Result<Lease> {
        let settings = self.primary.settings();
        let gtids = match written.needed(self.name(), settings.lag_window()) {
            Needed::Nothing => return self.lease_reader(None, wish).await,
            Needed::Primary => return self.primary.lease_for(wish).await,
            Needed::Gtids(gtids) => gtids,
        };
        let mut readers = self.replicas.iter().filter(|node| node.weight() > 0);
        if readers.all(|node| node.has_applied(&gtids)) {
            written.forget(self.name(), &gtids);
        } else if let Some(limit) = settings.catch_up
            && self.choose(&[], Some(&gtids)).is_none()
            && let Some(node) = self.choose(&[], None)
            && let Some(lease) = catch_up(node, &gtids, limit, wish).await
        {
            return Ok(lease);
        }
        self.lease_reader(Some(&gtids), wish).await
    }

    /// Draws two replicas by weight and takes the one with less to do for its weight. `after`: what it
    /// must be known to have applied.
    fn choose(&self, tried: &[&Arc<Node>], after: Option<&GtidSet>) -> Option<&Arc<Node>> {
        let is_tried = |node: &Arc<Node>| tried.iter().any(|tried| Arc::ptr_eq(tried, node));
        let has_enough = |node: &Node| after.is_none_or(|gtids| node.has_applied(gtids));
        // Asked once, so that all that follows is about the same replicas.
        let candidates: Vec<&Arc<Node>> = self
            .replicas
            .iter()
            .filter(|node| node.weight() > 0 && node.is_up() && !is_tried(node) && has_enough(node))
            .collect();
        let total: u64 = candidates.iter().map(|node| u64::from(node.weight())).sum();
        if total == 0 {
            return None;
        }
        let draw = || {
            let mut point = rand::random_range(0..total);
            candidates.iter().copied().find(|node| {
                let weight = u64::from(node.weight());
                let is_here = point < weight;
                point = point.saturating_sub(weight);
                is_here
            })
        };
        let (Some(first), Some(second)) = (draw(), draw()) else {
            return candidates.first().copied();
        };
        let load =
            |node: &Node, other: &Node| node.outstanding() as u64 * u64::from(other.weight());
        Some(if load(second, first) < load(first, second) { second } else { first })
    }
}

/// A connection to a replica once it has applied these, if it does within `health.catch_up`.
async fn catch_up(
    node: &Arc<Node>,
    gtids: &GtidSet,
    limit: Duration,
    wish: Wish<'_>,
) -> Option<Lease> {
    let mut lease = node.lease_for(wish).await.ok()?;
    let wait = match lease.is_mariadb() {
        true => "MASTER_GTID_WAIT",
        false => "WAIT_FOR_EXECUTED_GTID_SET",
    };
    let seconds = limit.as_secs_f64();
    let at = Instant::now() + limit + node.settings().health_timeout;
    lease.set_deadline(Some(Deadline { at, setting: "health.catch_up" }));
    let answer = lease.query_all(format!("SELECT {wait}('{gtids}', {seconds:.3}) AS answer")).await;
    match answer {
        Ok(answer) if answer.first("answer") == Some("0") => {
            node.add_applied_gtids(gtids);
            Some(lease)
        }
        Ok(_) => None,
        Err(error) => {
            tracing::debug!(node = %node.name(), %error, "replica not waited for");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Backends, ClusterSpec, NodeSpec, Settings};
    use crate::backend::node::NodeState;
    use crate::backend::settings::{Password, TlsMode};

    fn spec(name: &str, weights: &[u32]) -> ClusterSpec {
        let node = |weight| NodeSpec { address: format!("{name}-{weight}:3306"), weight };
        ClusterSpec {
            name: name.to_owned(),
            primary: node(0),
            replicas: weights.iter().map(|&weight| node(weight)).collect(),
            user: "margay".to_owned(),
            password: Password("pw".to_owned()),
            tls: TlsMode::Disabled,
            identity: None,
            compression: None,
        }
    }

    /// How many of 3000 reads each replica gets within 10 %, or all the primary, as the last number.
    fn check(weights: &[u32], down: &[usize], busy: Option<usize>, expect: &[usize]) {
        let backends = Backends::new(Settings::default(), vec![spec("c", weights)], None).unwrap();
        let cluster = &backends.clusters()[0];
        for &index in down {
            cluster.replicas()[index].set_state(NodeState::Down("test".into()));
        }
        if let Some(index) = busy {
            cluster.replicas()[index].lease_begins();
        }
        let mut reads = vec![0_usize; weights.len() + 1];
        for _ in 0..3000 {
            let reader = cluster.reader();
            let index = cluster.replicas().iter().position(|node| Arc::ptr_eq(node, reader));
            reads[index.unwrap_or(weights.len())] += 1;
        }
        for (found, expect) in reads.iter().zip(expect) {
            assert!(found.abs_diff(*expect) <= 300, "{reads:?} for {weights:?}");
        }
    }

    #[test]
    fn readers_by_weight_and_load() {
        check(&[], &[], None, &[3000]);
        check(&[1, 1], &[], None, &[1500, 1500, 0]);
        check(&[1, 2], &[], None, &[1000, 2000, 0]);
        check(&[1, 1, 1], &[1], None, &[1500, 0, 1500, 0]);
        check(&[1, 1], &[0, 1], None, &[0, 0, 3000]);
        check(&[0, 1], &[], None, &[0, 3000, 0]);
        check(&[0], &[], None, &[0, 3000]);
        // The busy one serves only if drawn twice.
        check(&[1, 1], &[], Some(0), &[750, 2250, 0]);
    }

    #[test]
    fn a_reload_keeps_clusters_that_did_not_change() {
        let specs = vec![spec("a", &[1]), spec("b", &[1])];
        let old = Backends::new(Settings::default(), specs, None).unwrap();
        let specs = vec![spec("b", &[1]), spec("a", &[2])];
        let new = Backends::new(Settings::default(), specs.clone(), Some(&old)).unwrap();
        assert!(Arc::ptr_eq(&new.clusters()[0], &old.clusters()[1]));
        assert!(!Arc::ptr_eq(&new.clusters()[1], &old.clusters()[0]));
        let settings = Settings { pool_size: 5, ..Settings::default() };
        let other = Backends::new(settings, specs, Some(&new)).unwrap();
        assert!(!Arc::ptr_eq(&other.clusters()[0], &new.clusters()[0]));
    }
}
