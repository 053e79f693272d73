//! The checked configuration: plain values without mistakes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::DateTime;

use super::shape::{
    Address, Backend, Combine, Generator, Grant, Health, Ids, Limits, Reads, Secret, Tls, TlsMode,
    Transactions, UserTls,
};
use super::suffix::Suffix;
use super::unit::Unit;

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub settings: Settings,
    /// In the order of their names.
    pub clusters: Vec<Cluster>,
    pub users: BTreeMap<String, User>,
    pub schemas: BTreeMap<String, Schema>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub listen: Address,
    /// The version that clients see.
    pub server_version: String,
    /// Clients may ask for compression.
    pub compression: bool,
    /// None: a certificate is made up at the start.
    pub tls: Option<Tls>,
    /// For schemas and users that do not say.
    pub reads: Reads,
    /// Clients may load files of theirs.
    pub local_infile: bool,
    pub drain_timeout: Duration,
    /// None: it depends on the machine.
    pub threads: Option<u32>,
    pub limits: Limits,
    pub backend: Backend,
    pub combine: Combine,
    pub health: Health,
    pub transactions: Transactions,
    pub ids: Ids,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    pub name: String,
    pub primary: Address,
    pub replicas: Vec<Replica>,
    pub user: String,
    pub password: Secret,
    pub tls: TlsMode,
    /// File of certificates, PEM; there if `tls` is one of the `verify` modes.
    pub tls_ca: Option<PathBuf>,
    /// Files of the certificate that is shown to servers and of its key, PEM; both or none.
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub compression: Option<Compression>,
    /// One that the algorithm has.
    pub compression_level: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    pub address: Address,
    /// Its share of the reads; at least 1.
    pub weight: u16,
}

#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub name: String,
    pub password: Secret,
    /// By schema.
    pub grants: BTreeMap<String, Grants>,
    pub default_schema: Option<String>,
    pub reads: Option<Reads>,
    pub max_connections: Option<u32>,
    pub tls: UserTls,
    /// What must stand in the client's certificate.
    pub tls_subject: Option<String>,
    pub tls_issuer: Option<String>,
    pub admin: bool,
}

/// Compression of connections to the servers of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Zlib,
    Zstd,
}

/// What a user may do in a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants {
    pub read: bool,
    pub write: bool,
}

impl Grants {
    pub(super) fn of(grants: impl IntoIterator<Item = Grant>) -> Self {
        let mut all = Self::default();
        for grant in grants {
            match grant {
                Grant::Read => all.read = true,
                Grant::Write => all.write = true,
            }
        }
        all
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    pub name: String,
    pub default_shard: ShardName,
    pub reads: Option<Reads>,
    /// By name. Colocated tables have the shards and the algorithm of the table they follow.
    pub tables: BTreeMap<String, Table>,
}

/// A database on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardName {
    /// As in `c0/shop_1`.
    pub name: String,
    /// An index into the clusters.
    pub cluster: usize,
    pub database: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Table {
    Single { shard: ShardName },
    Broadcast { shards: Vec<ShardName> },
    Sharded(Box<Sharded>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sharded {
    pub key: String,
    /// The targets of the algorithm, in its order; at least one, all different.
    pub shards: Vec<ShardName>,
    pub algorithm: Algorithm,
    pub parts: Option<Parts>,
    pub id: Option<IdRule>,
}

/// The column of generated ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdRule {
    pub column: String,
    pub generator: Generator,
}

/// From a value to a target, an index into shards or names of physical tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Algorithm {
    pub rule: Rule,
    pub null: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    Modulo,
    Hash,
    ConsistentHash {
        replicas: u16,
    },
    JumpHash,
    Range {
        /// The first value after each span, and its target. Only the last may be open.
        spans: Vec<(Option<String>, usize)>,
        default: Option<usize>,
    },
    List {
        entries: Vec<(String, usize)>,
        default: Option<usize>,
    },
    Time {
        unit: Unit,
        /// The start of a period.
        from: DateTime,
        default: Option<usize>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    pub key: String,
    pub kind: PartsKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PartsKind {
    /// Full names of the physical tables; at least one, all different.
    Fixed {
        names: Vec<String>,
        algorithm: Algorithm,
    },
    Time(TimeParts),
}

#[derive(Debug, Clone, PartialEq)]
pub struct TimeParts {
    pub suffix: Suffix,
    /// The start of a period.
    pub from: Option<DateTime>,
    /// The start of a period.
    pub to: Option<DateTime>,
    pub create_ahead: Duration,
    pub keep: Option<Duration>,
    /// Full names of physical tables.
    pub default: Option<String>,
    pub null: Option<String>,
}
