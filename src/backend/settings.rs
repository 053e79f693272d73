//! What the backends are told: limits, and the clusters with their nodes.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::protocol::compress::Compression;

/// Limits of all backend connections. Errors name them by the keys of the rule files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `backend.pool_size`: the most connections to one node. Clients that set `CLIENT_FOUND_ROWS` have a pool of their own
    /// of this size, since a connection cannot change that.
    pub pool_size: usize,
    /// `backend.pool_wait`: how long a statement waits for a connection when all are in use.
    pub pool_wait: Duration,
    /// `backend.connect_timeout`: for the TCP connection, TLS and the login together.
    pub connect_timeout: Duration,
    /// `backend.idle_timeout`: a pooled connection unused for longer is closed. Stay below the servers'
    /// `wait_timeout`.
    pub idle_timeout: Duration,
    /// `backend.lifetime`: a connection older than this is closed when it comes back.
    pub lifetime: Duration,
    /// `limits.max_allowed_packet`: bytes of the largest logical packet sent or taken.
    pub max_allowed_packet: usize,
    /// `backend.prepared_statements`: those that each connection keeps.
    pub prepared_statements: usize,
    /// `health.interval`: between two looks at a node.
    pub health_interval: Duration,
    /// `health.timeout`: a node that does not answer the look within this is down.
    pub health_timeout: Duration,
    /// `health.lag_limit`: replicas further behind take no reads.
    pub lag_limit: Duration,
    /// `health.catch_up`: how long a read waits for a replica that lacks its session's writes.
    pub catch_up: Option<Duration>,
}

impl Settings {
    /// How long a replica that counts as up may lack what was written: it is so by the last look at it,
    /// which may be an interval old.
    pub(super) fn lag_window(&self) -> Duration {
        /// A replica's own clock has its say too.
        const MARGIN: Duration = Duration::from_secs(1);
        self.lag_limit + self.health_interval + self.health_timeout + MARGIN
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pool_size: 100,
            pool_wait: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(600),
            lifetime: Duration::from_secs(3600),
            max_allowed_packet: 64 << 20,
            prepared_statements: 128,
            health_interval: Duration::from_secs(1),
            health_timeout: Duration::from_secs(2),
            lag_limit: Duration::from_secs(10),
            catch_up: None,
        }
    }
}

/// One primary and its replicas, which all have one account and one TLS mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSpec {
    pub name: String,
    pub primary: NodeSpec,
    pub replicas: Vec<NodeSpec>,
    pub user: String,
    pub password: Password,
    pub tls: TlsMode,
    /// Shown to servers that ask for a certificate.
    pub identity: Option<ClientIdentity>,
    pub compression: Option<Compression>,
}

/// A certificate chain and its private key, as files in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    pub cert: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSpec {
    /// `host:port`
    pub address: String,
    /// The share of reads among replicas. 0 takes none.
    pub weight: u32,
}

/// A password that no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// How connections to a server are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsMode {
    Disabled,
    /// Encrypted if the server can, whoever it is.
    Preferred,
    /// Encrypted, whoever the server is.
    Required,
    /// Encrypted, with a certificate signed by one in the PEM file `ca`.
    VerifyCa {
        ca: PathBuf,
    },
    /// As [`TlsMode::VerifyCa`], and the certificate is for the host of the address.
    VerifyIdentity {
        ca: PathBuf,
    },
}
