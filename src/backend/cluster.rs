//! All clusters, and the choice of a node for a statement.

use std::sync::Arc;

use crate::backend::health::Health;
use crate::backend::login::Target;
use crate::backend::node::{Node, Role};
use crate::backend::pool::Lease;
use crate::backend::settings::{ClusterSpec, NodeSpec, Settings};
use crate::backend::tls::Tls;
use crate::error::{Error, ErrorKind, Result};

/// The clusters of one configuration, in its order.
#[derive(Debug)]
pub struct Backends {
    settings: Arc<Settings>,
    clusters: Vec<Arc<Cluster>>,
}

/// A primary and its replicas.
#[derive(Debug)]
pub struct Cluster {
    spec: ClusterSpec,
    primary: Arc<Node>,
    replicas: Vec<Arc<Node>>,
}

/// What a statement needs of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The primary.
    Primary,
    /// A replica that may lag up to `backend.replica_lag_max`; the primary if there is none.
    Read,
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
        Ok(Self { settings, clusters })
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
        let cluster = self.cluster(cluster)?;
        match access {
            Access::Primary => cluster.primary.lease(found_rows).await,
            Access::Read => cluster.lease_reader(found_rows).await,
        }
    }
}

impl Cluster {
    fn new(spec: ClusterSpec, settings: &Arc<Settings>) -> Result<Self> {
        let tls = Tls::of_mode(&spec.tls)
            .map_err(|error| error.context(format!("cluster `{}`", spec.name)))?;
        let node = |role: Role, node: &NodeSpec| {
            let target = Target {
                node: format!("{} ({})", spec.name, node.address).into(),
                address: node.address.clone(),
                user: spec.user.clone(),
                password: spec.password.clone(),
                tls: tls.clone(),
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

    pub fn primary(&self) -> &Arc<Node> {
        &self.primary
    }

    pub fn replicas(&self) -> &[Arc<Node>] {
        &self.replicas
    }

    /// The node for a read: a replica that is up, by weight and load; the primary if there is none.
    pub fn reader(&self) -> &Arc<Node> {
        self.choose(&[]).unwrap_or(&self.primary)
    }

    async fn lease_reader(&self, found_rows: bool) -> Result<Lease> {
        let mut tried: Vec<&Arc<Node>> = Vec::new();
        while let Some(node) = self.choose(&tried) {
            match node.lease(found_rows).await {
                Err(error) if *error.kind() == ErrorKind::NoBackend => tried.push(node),
                outcome => return outcome,
            }
        }
        self.primary.lease(found_rows).await
    }

    /// Draws two replicas by weight and takes the one with less to do for its weight.
    fn choose(&self, tried: &[&Arc<Node>]) -> Option<&Arc<Node>> {
        let is_tried = |node: &Arc<Node>| tried.iter().any(|tried| Arc::ptr_eq(tried, node));
        let candidates = self
            .replicas
            .iter()
            .filter(|node| node.weight() > 0 && node.is_up() && !is_tried(node));
        let total: u64 = candidates.clone().map(|node| u64::from(node.weight())).sum();
        if total == 0 {
            return None;
        }
        let draw = || {
            let mut point = rand::random_range(0..total);
            candidates.clone().find(|node| {
                let weight = u64::from(node.weight());
                let is_here = point < weight;
                point = point.saturating_sub(weight);
                is_here
            })
        };
        let (Some(first), Some(second)) = (draw(), draw()) else {
            // A node went down between the sum and the draw.
            return candidates.clone().next();
        };
        let load =
            |node: &Node, other: &Node| node.outstanding() as u64 * u64::from(other.weight());
        Some(if load(second, first) < load(first, second) { second } else { first })
    }
}
