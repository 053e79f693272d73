//! From shapes to the checked configuration: what shapes alone cannot see.

mod algorithm;
mod parts;
mod table;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::expand::expand;
use super::model::{
    Cluster, Compression, Config, Grants, Replica, Schema, Settings, ShardName, User,
};
use super::node::Located;
use super::problem::{Place, Problems, suggestion};
use super::shape::{
    self, Address, BackendCompression, Map, Patterns, Root, Secret, TlsMode, UserTls,
};

/// MySQL's limit for names of databases, tables and columns, in characters.
const NAME_MAX: usize = 64;

const SYSTEM_SCHEMAS: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

/// Shards have ids of 16 bits.
const SHARDS_MAX: usize = 1 << 16;
/// More threads than any machine has cores.
const THREADS_MAX: u32 = 1024;

/// Checks the whole; `place` is where missing sections are reported. With problems, the result is
/// incomplete.
pub(super) fn check(root: Root, place: &Place, problems: &mut Problems) -> Config {
    if root.clusters.0.is_empty() {
        problems
            .add(place, "no cluster is defined; add `clusters: {c0: {primary: ..., user: ...}}`");
    }
    if root.schemas.0.is_empty() {
        problems.add(place, "no schema is defined; add `schemas: {shop: {default_shard: ...}}`");
    }
    let wrong = |(name, cluster): &(Located<String>, Option<shape::Cluster>)| {
        cluster.is_none().then(|| name.value.clone())
    };
    let wrong: Vec<String> = root.clusters.0.iter().filter_map(wrong).collect();
    let clusters = clusters(root.clusters, problems);
    if wrong.is_empty() {
        gatherers(&root.combine.nodes, &clusters, place, problems);
    }
    let scope = Scope { clusters: &clusters, wrong: &wrong };
    let known: Vec<String> = root.schemas.names().map(str::to_owned).collect();
    let asks = root.tls.0.as_ref().is_some_and(|tls| tls.ca.is_some());
    let users = users(root.users, &known, asks, problems);
    let schemas = schemas(root.schemas, &scope, problems);
    let settings = Settings {
        listen: root.listen,
        server_version: root.server_version,
        compression: root.compression,
        tls: root.tls.0,
        reads: root.reads,
        local_infile: root.local_infile,
        drain_timeout: root.drain_timeout,
        threads: threads(root.threads, place, problems),
        limits: root.limits,
        backend: root.backend,
        combine: root.combine,
        health: root.health,
        transactions: transactions(root.transactions, place, problems),
        ids: ids(root.ids, place, problems),
    };
    Config { settings, clusters, users, schemas }
}

fn threads(threads: Option<u32>, place: &Place, problems: &mut Problems) -> Option<u32> {
    if threads.is_some_and(|count| !(1..=THREADS_MAX).contains(&count)) {
        problems.add(place, format!("`threads` is 1 to {THREADS_MAX}"));
    }
    threads
}

/// The database of the bookkeeping has a name that a server takes.
fn transactions(
    transactions: shape::Transactions,
    place: &Place,
    problems: &mut Problems,
) -> shape::Transactions {
    let name = &transactions.database;
    let setting = "`transactions.database`";
    if SYSTEM_SCHEMAS.contains(&name.to_lowercase().as_str()) {
        problems.add(place, format!("{setting}: `{name}` is MySQL's own; use another name"));
    } else if !is_name(name) {
        let message = format!(
            "{setting}: `{name}` is no name of a database in MySQL, which has 1 to {NAME_MAX} characters, no \
             NUL, and no space at its end"
        );
        problems.add(place, message);
    }
    transactions
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.chars().count()) && !name.contains('\0') && !name.ends_with(' ')
}

/// Sizes and times that ids can be made with.
fn ids(ids: shape::Ids, place: &Place, problems: &mut Problems) -> shape::Ids {
    const LEASE_MIN: Duration = Duration::from_secs(3);
    if ids.segment_size == 0 {
        problems.add(place, "`ids.segment_size` must be at least 1");
    }
    if ids.worker_lease < LEASE_MIN {
        problems.add(place, "`ids.worker_lease` must be at least 3s");
    }
    ids
}

fn clusters(map: Map<shape::Cluster>, problems: &mut Problems) -> Vec<Cluster> {
    let mut clusters = Vec::new();
    let mut addresses = HashSet::new();
    for (name, cluster) in map.0 {
        let Some(cluster) = cluster else { continue };
        if name.value.contains(['/', '{', '}']) {
            problems.add(&name.place, "a cluster's name cannot hold `/`, `{` or `}`");
        }
        addresses.insert(cluster.primary.clone());
        for replica in &cluster.replicas {
            if !addresses.insert(replica.value.address.clone()) {
                let address = &replica.value.address;
                problems
                    .add(&replica.place, format!("the server {address} is already in use above"));
            }
        }
        let verifies = matches!(cluster.tls, TlsMode::VerifyCa | TlsMode::VerifyIdentity);
        if verifies && cluster.tls_ca.is_none() {
            problems.add(&name.place, "`tls_ca` is missing: the `verify` modes need it");
        }
        if cluster.tls_cert.is_some() != cluster.tls_key.is_some() {
            problems.add(&name.place, "`tls_cert` and `tls_key` need each other");
        }
        let (compression, compression_level) = compression(&cluster, &name.place, problems);
        let replica = |replica: Located<shape::Replica>| {
            let shape::Replica { address, weight } = replica.value;
            Replica { address, weight }
        };
        clusters.push(Cluster {
            name: name.value,
            primary: cluster.primary,
            replicas: cluster.replicas.into_iter().map(replica).collect(),
            user: cluster.user,
            password: cluster.password.unwrap_or(Secret(String::new())),
            tls: cluster.tls,
            tls_ca: cluster.tls_ca,
            tls_cert: cluster.tls_cert,
            tls_key: cluster.tls_key,
            compression,
            compression_level,
        });
    }
    clusters.sort_by(|a, b| a.name.cmp(&b.name));
    clusters
}

/// The algorithm, and a level that it has.
fn compression(
    cluster: &shape::Cluster,
    place: &Place,
    problems: &mut Problems,
) -> (Option<Compression>, u8) {
    let (compression, max, default) = match cluster.compression {
        BackendCompression::None => (None, u8::MAX, 1),
        BackendCompression::Zlib => (Some(Compression::Zlib), 9, 6),
        BackendCompression::Zstd => (Some(Compression::Zstd), 22, 3),
    };
    let level = cluster.compression_level.unwrap_or(default);
    if !(1..=max).contains(&level) {
        problems.add(place, format!("`compression_level` must be from 1 to {max}"));
    }
    (compression, level)
}

/// Servers that gather rows must be of the clusters.
fn gatherers(nodes: &[Address], clusters: &[Cluster], place: &Place, problems: &mut Problems) {
    let addresses = |cluster: &Cluster| {
        let replicas = cluster.replicas.iter().map(|replica| replica.address.to_string());
        std::iter::once(cluster.primary.to_string()).chain(replicas).collect::<Vec<_>>()
    };
    let known: Vec<String> = clusters.iter().flat_map(addresses).collect();
    for node in nodes.iter().map(Address::to_string).filter(|node| !known.contains(node)) {
        let near = suggestion(&node, known.iter().map(String::as_str));
        problems.add(place, format!("`combine.nodes`: no cluster has the server `{node}`{near}"));
    }
}

fn users(
    map: Map<shape::User>,
    schemas: &[String],
    asks_certificates: bool,
    problems: &mut Problems,
) -> BTreeMap<String, User> {
    let mut users = BTreeMap::new();
    let check = |name: &Located<String>, problems: &mut Problems| {
        if !schemas.contains(&name.value) {
            let near = suggestion(&name.value, schemas.iter().map(String::as_str));
            problems.add(&name.place, format!("unknown schema `{}`{near}", name.value));
        }
    };
    for (name, user) in map.0 {
        let Some(user) = user else { continue };
        let mut grants = BTreeMap::new();
        for (schema, granted) in user.schemas.0 {
            check(&schema, problems);
            let granted = granted.into_iter().flatten().map(|grant| grant.value);
            let granted = Grants::of(granted);
            grants.insert(schema.value, granted);
        }
        if let Some(schema) = &user.default_schema {
            check(schema, problems);
            if !grants.contains_key(&schema.value) {
                let message =
                    format!("the user has no grant in `{}`; add it to `schemas`", schema.value);
                problems.add(&schema.place, message);
            }
        }
        let tls = match user.tls_subject.is_some() || user.tls_issuer.is_some() {
            true => UserTls::Certificate,
            false => user.tls,
        };
        if tls == UserTls::Certificate && !asks_certificates {
            problems.add(&name.place, "the user needs a certificate; set `tls.ca` to check it by");
        }
        let name = name.value;
        let checked = User {
            name: name.clone(),
            password: user.password,
            grants,
            default_schema: user.default_schema.map(|schema| schema.value),
            reads: user.reads,
            max_connections: user.max_connections,
            tls,
            tls_subject: user.tls_subject,
            tls_issuer: user.tls_issuer,
            admin: user.admin,
        };
        users.insert(name, checked);
    }
    users
}

fn schemas(
    map: Map<shape::Schema>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> BTreeMap<String, Schema> {
    let mut schemas = BTreeMap::new();
    for (name, schema) in map.0 {
        let Some(schema) = schema else { continue };
        check_name(&name, "schema", problems);
        if SYSTEM_SCHEMAS.contains(&name.value.to_lowercase().as_str()) {
            let message = format!("`{}` is a schema of MySQL itself; use another name", name.value);
            problems.add(&name.place, message);
        }
        // Tables are checked even if the default shard is wrong, so that all problems show.
        let default_shard = scope.shard(&schema.default_shard, problems);
        let tables = table::tables(schema.tables, scope, problems);
        if let Some(default_shard) = default_shard {
            let name = name.value;
            let schema = Schema { name: name.clone(), default_shard, reads: schema.reads, tables };
            schemas.insert(name, schema);
        }
    }
    schemas
}

fn check_name(name: &Located<String>, what: &str, problems: &mut Problems) {
    let length = name.value.chars().count();
    if length > NAME_MAX {
        let message =
            format!("`{}` has {length} characters; a {what} has at most {NAME_MAX}", name.value);
        problems.add(&name.place, message);
    }
    if name.value.is_empty() || name.value.contains('\0') || name.value.ends_with(' ') {
        problems.add(&name.place, format!("`{}` is no name of a {what} in MySQL", name.value));
    }
}

/// What names of shards refer to.
struct Scope<'a> {
    clusters: &'a [Cluster],
    /// The names of clusters with mistakes, which are reported there.
    wrong: &'a [String],
}

impl Scope<'_> {
    /// The shard of a name such as `c0/shop`.
    fn shard(&self, name: &Located<String>, problems: &mut Problems) -> Option<ShardName> {
        let text = &name.value;
        let Some((cluster, database)) = text.split_once('/') else {
            let message =
                format!("`{text}` is not a shard; write cluster and database, such as `c0/shop`");
            problems.add(&name.place, message);
            return None;
        };
        if database.is_empty() || database.contains('/') || database.chars().count() > NAME_MAX {
            problems.add(&name.place, format!("`{database}` is no name of a database in MySQL"));
            return None;
        }
        if self.wrong.iter().any(|known| known == cluster) {
            return None;
        }
        let Some(index) = self.clusters.iter().position(|known| known.name == cluster) else {
            let known = self.clusters.iter().map(|cluster| cluster.name.as_str());
            let known = known.chain(self.wrong.iter().map(String::as_str));
            let near = suggestion(cluster, known);
            problems.add(&name.place, format!("unknown cluster `{cluster}` in `{text}`{near}"));
            return None;
        };
        Some(ShardName { name: text.clone(), cluster: index, database: database.to_owned() })
    }

    /// All shards of a list of patterns; none if there is a mistake.
    fn shards(
        &self,
        patterns: &Located<Patterns>,
        problems: &mut Problems,
    ) -> Option<Vec<ShardName>> {
        let names = names(patterns, "shard", problems)?;
        let shards: Vec<Option<ShardName>> =
            names.iter().map(|name| self.shard(name, problems)).collect();
        if shards.len() > SHARDS_MAX {
            let place = &names.first()?.place;
            problems.add(place, format!("more than {SHARDS_MAX} shards"));
        }
        shards.into_iter().collect()
    }
}

/// All names of a list of patterns, each once.
fn names(
    patterns: &Located<Patterns>,
    what: &str,
    problems: &mut Problems,
) -> Option<Vec<Located<String>>> {
    if patterns.value.0.is_empty() {
        problems.add(&patterns.place, format!("the list is empty; name at least one {what}"));
    }
    let mut names: Vec<Located<String>> = Vec::new();
    let mut seen = HashSet::new();
    let mut complete = !patterns.value.0.is_empty();
    for Located { value: pattern, place } in &patterns.value.0 {
        match expand(pattern) {
            Ok(expanded) => {
                for value in expanded {
                    if seen.insert(value.clone()) {
                        names.push(Located { value, place: place.clone() });
                    } else {
                        problems.add(place, format!("{what} `{value}` is listed twice"));
                        complete = false;
                    }
                }
            }
            Err(message) => {
                problems.add(place, message);
                complete = false;
            }
        }
    }
    complete.then_some(names)
}
