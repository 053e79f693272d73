//! Clusters, users, and the file as a whole.

use std::path::PathBuf;
use std::time::Duration;

use super::{
    Address, Backend, Combine, Health, Ids, Lenient, Limits, Map, Reads, Schema, Secret, Shape,
    Tls, Transactions, Type,
};
use super::{choice, shape};
use crate::config::node::{Kind, Located, Node};
use crate::config::problem::Problems;

shape! {
    /// Everything that rule files may hold.
    pub(in crate::config) struct Root {
        /// Where clients connect.
        listen: Address = "127.0.0.1:3307",
        /// The version that clients see. Drivers choose their SQL by it.
        server_version: String = "8.4.6-margay",
        /// Encryption of client connections; without it, a certificate is made up at the start.
        tls: Lenient<Tls>,
        /// Clients may have their connections compressed, by zlib or zstd.
        compression: bool = "true",
        /// What a read on a replica may miss: `eventual`, `session` or `strong`. Schemas and users may
        /// say otherwise.
        reads: Reads = "session",
        /// Clients may load files of theirs by LOAD DATA LOCAL; the servers need `local_infile = ON` too.
        local_infile: bool = "false",
        /// How long running transactions may take to end when Margay stops.
        drain_timeout: Duration = "30s",
        /// Threads that serve clients; without it, half as many as the machine has cores. One serves some
        /// 20,000 small statements a second, and more than the load needs cost CPU.
        threads: Option<u32>,
        /// Limits that protect Margay and the servers behind it.
        limits: Limits = "",
        /// Connections to the servers behind.
        backend: Backend = "",
        /// SELECTs that gather rows of several shards on one server.
        combine: Combine = "",
        /// Checks of the servers behind.
        health: Health = "",
        /// Transactions over several clusters.
        transactions: Transactions = "",
        /// Generated ids.
        ids: Ids = "",
        /// The clusters by name. A name is part of the names of shards: `c0/shop`.
        clusters: Map<Cluster>,
        /// Who may log in, by name.
        users: Map<User>,
        /// The schemas that applications see, by name.
        schemas: Map<Schema>,
    }
}

shape! {
    /// A primary and its replicas.
    pub(in crate::config) struct Cluster {
        /// The server that takes writes.
        primary: Address,
        /// Servers that follow the primary and take reads: addresses, or maps of `address` and `weight`.
        replicas: Vec<Located<Replica>>,
        /// The user that Margay logs in as, on all servers of the cluster.
        user: String,
        /// Its password.
        password: Option<Secret>,
        /// Encryption of connections to the servers, as in MySQL's `--ssl-mode`: `disabled`,
        /// `preferred`, `required`, `verify_ca` or `verify_identity`.
        tls: TlsMode = "preferred",
        /// File of the certificates that sign the servers' own, PEM. The `verify` modes need it.
        tls_ca: Option<PathBuf>,
        /// File of the certificate chain, PEM, that is shown to servers that ask for one, as accounts
        /// with REQUIRE X509 need it.
        tls_cert: Option<PathBuf>,
        /// File of its private key, PEM.
        tls_key: Option<PathBuf>,
        /// Compression of connections to the servers: `none`, `zlib` or `zstd`, which MariaDB lacks. It
        /// saves network and costs time of processors; for servers that are far away.
        compression: BackendCompression = "none",
        /// How hard it tries: 1 to 9 for zlib, 1 to 22 for zstd. Without it, 6 and 3.
        compression_level: Option<u8>,
    }
}

choice! {
    /// Encryption of connections to servers.
    pub enum TlsMode {
        Disabled = "disabled",
        /// If the server can; its certificate is not checked.
        Preferred = "preferred",
        /// Or not at all; the certificate is not checked.
        Required = "required",
        /// The certificate is signed by one of `tls_ca`.
        VerifyCa = "verify_ca",
        /// And it is made for the host.
        VerifyIdentity = "verify_identity",
    }
}

choice! {
    /// Compression of connections to servers.
    pub(in crate::config) enum BackendCompression {
        None = "none",
        Zlib = "zlib",
        Zstd = "zstd",
    }
}

/// A server that takes reads.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::config) struct Replica {
    pub(in crate::config) address: Address,
    pub(in crate::config) weight: u16,
}

shape! {
    /// A server that takes reads.
    struct WeightedReplica {
        /// The server.
        address: Address,
        /// Its share of the reads, compared with the other replicas.
        weight: u16 = "1",
    }
}

impl Shape for Replica {
    fn describe() -> Type {
        Type::OneOf(vec![Address::describe(), WeightedReplica::describe()])
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if let Kind::Map(_) = node.kind {
            let WeightedReplica { address, weight } = WeightedReplica::read(node, problems)?;
            return Some(Self { address, weight });
        }
        Some(Self { address: Address::read(node, problems)?, weight: 1 })
    }
}

shape! {
    /// A user of Margay. The servers behind do not know it: they see the user of the cluster.
    pub(in crate::config) struct User {
        /// The password.
        password: Secret,
        /// What the user may do in each schema: `read`, `write` or both. `write` includes DDL.
        schemas: Map<Vec<Located<Grant>>>,
        /// The schema of connections that name none.
        default_schema: Option<Located<String>>,
        /// What the user's reads may miss; without it, as the schema says.
        reads: Option<Reads>,
        /// Its connections at once; more are refused with error 1226.
        max_connections: Option<u32>,
        /// How its connections must be encrypted, as by REQUIRE in MySQL: `any`, `required`, or
        /// `certificate`, which means that the client shows a certificate that is signed by one of
        /// `tls.ca`.
        tls: UserTls = "any",
        /// The subject that the client's certificate must have, as MySQL writes it:
        /// `/C=SE/O=Shop/CN=app`.
        tls_subject: Option<String>,
        /// The issuer that the client's certificate must have, written alike.
        tls_issuer: Option<String>,
        /// May run statements that Margay does not look into, with the hint `shard=`.
        admin: bool = "false",
    }
}

choice! {
    /// How a user's connections must be encrypted.
    pub enum UserTls {
        /// Or not at all, unless `tls.required` says so.
        Any = "any",
        /// By TLS.
        Required = "required",
        /// By TLS, with a certificate of the client.
        Certificate = "certificate",
    }
}

choice! {
    /// What a user may do in a schema.
    pub(in crate::config) enum Grant {
        Read = "read",
        Write = "write",
    }
}
