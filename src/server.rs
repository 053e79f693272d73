//! Builds everything from a configuration, binds listeners, drains on shutdown.

mod workers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::backend::{self, Backends, ClientIdentity, ClusterSpec, Health, NodeSpec};
use crate::catalog::Catalog;
use crate::config::{self, Config, UserTls};
use crate::error::{Error, ErrorKind, Result, Side};
use crate::execute::Snapshot;
use crate::execute::periods;
use crate::frontend::commands::Client;
use crate::frontend::handshake::{self, HandshakeContext};
use crate::frontend::users::{Grants, TlsNeed, User, UserStore};
use crate::frontend::{RsaKey, tls};
use crate::protocol::auth::PasswordDigest;
use crate::protocol::charset::UTF8MB4_0900_AI_CI;
use crate::protocol::compress::{Algorithm, Compression};
use crate::session::Shared;
use crate::transaction::Recovery;

use workers::Workers;

/// A proxy that listens.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    drain: Duration,
    accepting: tokio::task::JoinHandle<()>,
    /// Looks after the nodes until it is dropped.
    _health: Health,
    _periods: periods::Keeper,
    _recovery: Recovery,
}

impl Server {
    /// Binds the listener and begins to serve.
    ///
    /// # Errors
    /// The address cannot be bound, or a certificate cannot be read.
    pub async fn start(config: Config) -> Result<Self> {
        let catalog = Catalog::new(&config)?;
        let backends = backends(&config)?;
        let health = backends.start();
        let context = Arc::new(handshake_context(&config)?);
        let listen = config.settings.listen.to_string();
        let drain = config.settings.drain_timeout;
        let connections_max = config.settings.limits.max_connections as usize;
        let listener = TcpListener::bind(&listen).await.map_err(|error| {
            Error::new(ErrorKind::Config, format!("cannot listen on {listen}")).with_source(error)
        })?;
        let address = listener.local_addr().map_err(|error| {
            Error::internal("a bound listener without an address").with_source(error)
        })?;
        let workers = Workers::start(config.settings.threads)?;
        let shared = Arc::new(Shared::new(Arc::new(Snapshot::new(config, catalog, backends))));
        let stop = CancellationToken::new();
        let gate = Gate {
            shared: shared.clone(),
            context,
            stop: stop.clone(),
            places: Arc::new(Semaphore::new(connections_max)),
            last_id: AtomicU32::new(0),
        };
        let periods = periods::Keeper::start(shared.snapshot());
        let recovery = Recovery::start(shared.snapshot().coordinator.clone());
        let accepting = tokio::spawn(accept(listener, Arc::new(gate), workers, drain));
        Ok(Self {
            address,
            shared,
            stop,
            drain,
            accepting,
            _health: health,
            _periods: periods,
            _recovery: recovery,
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Takes no more clients, lets those that are there finish for a while, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        self.shared.registry.close();
        // Clients are waited for inside; the margin is for the loop itself.
        let margin = Duration::from_secs(1);
        if timeout(self.drain + margin, self.accepting).await.is_err() {
            tracing::warn!("clients did not leave within `drain_timeout`");
        }
    }
}

/// What every new connection needs.
struct Gate {
    shared: Arc<Shared>,
    context: Arc<HandshakeContext>,
    stop: CancellationToken,
    places: Arc<Semaphore>,
    last_id: AtomicU32,
}

async fn accept(listener: TcpListener, gate: Arc<Gate>, workers: Workers, drain: Duration) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            () = gate.stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let gate = gate.clone();
                    workers.spawn(&mut clients, async move {
                        match move_here(socket) {
                            Ok(socket) => serve(socket, peer, gate).await,
                            Err(error) => tracing::warn!(%error, "cannot take over a connection"),
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: give the others time to close some.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = clients.join_next() => {}
        }
    }
    drop(listener);
    let all_gone = async { while clients.join_next().await.is_some() {} };
    if timeout(drain, all_gone).await.is_err() {
        clients.abort_all();
    }
}

/// A socket of another runtime, as one of this.
fn move_here(socket: TcpStream) -> std::io::Result<TcpStream> {
    TcpStream::from_std(socket.into_std()?)
}

async fn serve(socket: TcpStream, peer: SocketAddr, gate: Arc<Gate>) {
    let Ok(_place) = gate.places.clone().try_acquire_owned() else {
        let error = Error::new(ErrorKind::TooManyConnections, "Too many connections");
        handshake::refuse(socket, &error).await;
        return;
    };
    let id = gate.last_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let (stream, login) = match handshake::handshake(socket, id, &gate.context).await {
        Ok(opened) => opened,
        Err(error) => {
            tracing::debug!(%peer, %error, "no login");
            return;
        }
    };
    let mut client =
        Client::new(stream, login, peer.to_string(), gate.shared.clone(), gate.context.clone());
    match Box::pin(client.run()).await {
        Ok(()) => {}
        Err(error) if error.side() == Side::Proxy => {
            tracing::error!(connection = id, %peer, %error, "connection ended");
        }
        Err(error) => tracing::debug!(connection = id, %peer, %error, "connection ended"),
    }
}

fn handshake_context(config: &Config) -> Result<HandshakeContext> {
    let settings = &config.settings;
    let tls = match &settings.tls {
        Some(files) => tls::from_files(&files.cert, &files.key, files.ca.as_deref())?,
        None => tls::self_signed(vec!["localhost".to_owned()])?,
    };
    let users = config.users.values().map(|user| User {
        name: user.name.clone(),
        password: PasswordDigest::of(user.password.0.as_bytes()),
        schemas: Grants::Only(user.grants.keys().cloned().collect()),
        max_connections: user.max_connections,
        tls: match user.tls {
            UserTls::Any => TlsNeed::Any,
            UserTls::Required => TlsNeed::Tls,
            UserTls::Certificate => TlsNeed::Certificate {
                subject: user.tls_subject.clone(),
                issuer: user.tls_issuer.clone(),
            },
        },
    });
    Ok(HandshakeContext {
        server_version: settings.server_version.clone(),
        collation: UTF8MB4_0900_AI_CI,
        users: Arc::new(UserStore::new(users, config.schemas.keys().cloned())),
        tls: Some(tls),
        tls_required: settings.tls.as_ref().is_some_and(|tls| tls.required),
        compression: settings.compression,
        rsa: Arc::new(RsaKey::new()),
        places: Arc::default(),
        handshake_timeout: settings.limits.handshake_timeout,
    })
}

fn backends(config: &Config) -> Result<Backends> {
    let limits = &config.settings.limits;
    let pool = &config.settings.backend;
    let health = &config.settings.health;
    let settings = backend::Settings {
        pool_size: pool.pool_size as usize,
        pool_wait: pool.pool_wait,
        connect_timeout: pool.connect_timeout,
        idle_timeout: pool.idle_timeout,
        lifetime: pool.lifetime,
        max_allowed_packet: usize::try_from(limits.max_allowed_packet.0).unwrap_or(usize::MAX),
        prepared_statements: pool.prepared_statements as usize,
        health_interval: health.interval,
        health_timeout: health.timeout,
        lag_limit: health.lag_limit,
        catch_up: health.catch_up,
    };
    let specs = config.clusters.iter().map(cluster_spec).collect();
    Backends::new(settings, specs, None)
}

fn cluster_spec(cluster: &config::Cluster) -> ClusterSpec {
    let ca = cluster.tls_ca.clone().unwrap_or_default();
    let replicas = cluster.replicas.iter().map(|replica| NodeSpec {
        address: replica.address.to_string(),
        weight: replica.weight.into(),
    });
    ClusterSpec {
        name: cluster.name.clone(),
        primary: NodeSpec { address: cluster.primary.to_string(), weight: 1 },
        replicas: replicas.collect(),
        user: cluster.user.clone(),
        password: backend::Password(cluster.password.0.clone()),
        tls: match cluster.tls {
            config::TlsMode::Disabled => backend::TlsMode::Disabled,
            config::TlsMode::Preferred => backend::TlsMode::Preferred,
            config::TlsMode::Required => backend::TlsMode::Required,
            config::TlsMode::VerifyCa => backend::TlsMode::VerifyCa { ca },
            config::TlsMode::VerifyIdentity => backend::TlsMode::VerifyIdentity { ca },
        },
        identity: match (&cluster.tls_cert, &cluster.tls_key) {
            (Some(cert), Some(key)) => {
                Some(ClientIdentity { cert: cert.clone(), key: key.clone() })
            }
            (_, _) => None,
        },
        compression: cluster.compression.map(|compression| Compression {
            algorithm: match compression {
                config::Compression::Zlib => Algorithm::Zlib,
                config::Compression::Zstd => Algorithm::Zstd,
            },
            level: cluster.compression_level,
        }),
    }
}
