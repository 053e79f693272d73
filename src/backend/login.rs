//! Opening a connection: greeting, TLS, authentication.

use std::sync::Arc;

use bytes::Bytes;
use rsa::pkcs8::DecodePublicKey;
use rsa::{Oaep, RsaPublicKey};

use crate::backend::channel::Channel;
use crate::backend::stream::Stream;
use crate::backend::tls::Tls;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::protocol::auth::{
    AuthPlugin, SHA2_FAST_OK, SHA2_FULL, SHA2_REQUEST_KEY, Salt, native_response, obfuscate,
    sha2_response,
};
use crate::protocol::capability::{CapabilityFlags, StatusFlags};
use crate::protocol::charset::{UTF8MB4_0900_AI_CI, UTF8MB4_GENERAL_CI};
use crate::protocol::compress::{Algorithm, Compression};
use crate::protocol::curve::{Parsec, ed25519_response};
use crate::protocol::handshake::{Greeting, HandshakeResponse, SslRequest};
use crate::protocol::login::{AuthReply, AuthSwitch};
use crate::protocol::packet::put_packet_with;
use crate::protocol::reply::{ERR, parse_err};

/// What Margay asks of every server.
///
/// Several statements a query stay off: a text that hides a second statement must not run it. Files are
/// never read for a server. Results tell their end by OK packets alone, which all servers of today can.
const WANTED: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41
    .union(CapabilityFlags::CLIENT_LONG_PASSWORD)
    .union(CapabilityFlags::CLIENT_LONG_FLAG)
    .union(CapabilityFlags::CLIENT_SECURE_CONNECTION)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PS_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_DEPRECATE_EOF)
    .union(CapabilityFlags::CLIENT_SESSION_TRACK)
    .union(CapabilityFlags::CLIENT_CONNECT_ATTRS);

/// Where to connect, and as whom. Shared by all connections to a node.
#[derive(Debug)]
pub(super) struct Target {
    /// In errors, like `c0 (127.0.0.1:3311)`.
    pub(super) node: Arc<str>,
    /// The name of its cluster.
    pub(super) cluster: Arc<str>,
    /// Commits are asked for their GTIDs, since there are replicas that lack them for a while.
    pub(super) tracks: bool,
    pub(super) address: String,
    pub(super) user: String,
    pub(super) password: crate::backend::settings::Password,
    pub(super) tls: Tls,
    pub(super) compression: Option<Compression>,
    pub(super) max_allowed_packet: usize,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// Nobody answers at the address, or not as a server would.
    Unreachable(Error),
    /// The server is there and will not have us: a wrong password, too many connections.
    Refused(Error),
}

impl ConnectError {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Unreachable(error) | Self::Refused(error) => error,
        }
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        Self::Unreachable(error)
    }
}

/// A channel after a login.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) channel: Channel,
    pub(super) greeting: Greeting,
    pub(super) capabilities: CapabilityFlags,
    pub(super) status: StatusFlags,
}

/// Connects and logs in. The caller bounds the time.
pub(super) async fn open(target: &Target, found_rows: bool) -> Result<Opened, ConnectError> {
    let stream = Stream::connect(&target.address).await.map_err(|error| {
        Error::new(ErrorKind::NoBackend, format!("cannot connect to {}", target.node))
            .with_source(error)
    })?;
    let mut channel = Channel::new(stream, Arc::clone(&target.node), target.max_allowed_packet);
    let payload = channel.read().await?;
    if payload.first() == Some(&ERR) {
        return Err(refused(target, parse_err(&payload)?));
    }
    let greeting = Greeting::parse(&payload).map_err(|error| error.context(&target.node))?;
    let response = respond(&greeting, target, found_rows)?;
    let mut capabilities = response.capabilities;
    if let Some(connector) = connector(&greeting, target)? {
        capabilities |= CapabilityFlags::CLIENT_SSL;
        let HandshakeResponse { packet_max, collation, .. } = response;
        let request = SslRequest { capabilities, packet_max, collation };
        send(&mut channel, |out| request.put(out)).await?;
        channel = channel.encrypt(connector, &target.address).await?;
    }
    let response = HandshakeResponse { capabilities, ..response };
    send(&mut channel, |out| response.put(out)).await?;
    let plugin = AuthPlugin::from_name(response.plugin.as_deref().unwrap_or_default())
        .unwrap_or(AuthPlugin::Native);
    let (salt, parsec) = (greeting.salt, None);
    let mut login = Login { channel, target, plugin, salt, parsec, capabilities };
    let status = login.run().await?;
    if let Some(compression) = target.compression {
        login.channel.start_compression(compression);
    }
    Ok(Opened { channel: login.channel, greeting, capabilities, status })
}

/// Queues a packet that carries on the exchange, and sends it.
async fn send(channel: &mut Channel, build: impl FnOnce(&mut bytes::BytesMut)) -> Result<()> {
    let mut seq = channel.assembler.next_seq();
    put_packet_with(&mut channel.outbound, &mut seq, build);
    channel.assembler.set_next_seq(seq);
    channel.flush().await
}

fn respond(greeting: &Greeting, target: &Target, found_rows: bool) -> Result<HandshakeResponse> {
    let missing = WANTED - (greeting.capabilities | CapabilityFlags::CLIENT_LONG_PASSWORD);
    if !missing.is_empty() {
        return Err(Error::new(
            ErrorKind::NoBackend,
            format!(
                "{}: version {} of the server is too old: it lacks {missing:?}; \
                 MySQL 8.0 and MariaDB 10.6 are the oldest that work",
                target.node,
                greeting.version()
            ),
        ));
    }
    let mut capabilities = WANTED;
    capabilities.set(CapabilityFlags::CLIENT_FOUND_ROWS, found_rows);
    capabilities |= compression(greeting, target)?;
    // A server gets a file only where a statement loads one.
    capabilities |= greeting.capabilities & CapabilityFlags::CLIENT_LOCAL_FILES;
    let password = target.password.0.as_bytes();
    let (plugin, auth_response) = match AuthPlugin::from_name(&greeting.plugin) {
        Some(AuthPlugin::CachingSha2) => {
            (AuthPlugin::CachingSha2, sha2_response(&greeting.salt, password))
        }
        // A server of another default asks to switch.
        Some(AuthPlugin::Native | AuthPlugin::Clear | AuthPlugin::Ed25519 | AuthPlugin::Parsec)
        | None => (AuthPlugin::Native, native_response(&greeting.salt, password)),
    };
    Ok(HandshakeResponse {
        capabilities,
        packet_max: u32::try_from(target.max_allowed_packet).unwrap_or(u32::MAX),
        collation: collation(greeting) as u8,
        user: target.user.clone(),
        auth_response,
        plugin: Some(plugin.name().to_owned()),
        attributes: vec![
            ("program_name".to_owned(), "margay".to_owned()),
            ("_client_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ],
        zstd_level: target.compression.map(|compression| compression.level),
        ..HandshakeResponse::default()
    })
}

/// The flag of the algorithm that the rules ask for, if any.
fn compression(greeting: &Greeting, target: &Target) -> Result<CapabilityFlags> {
    let Some(Compression { algorithm, .. }) = target.compression else {
        return Ok(CapabilityFlags::empty());
    };
    let flag = match algorithm {
        Algorithm::Zlib => CapabilityFlags::CLIENT_COMPRESS,
        Algorithm::Zstd => CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM,
    };
    // MariaDB gives this bit another meaning.
    let is_other = algorithm == Algorithm::Zstd && greeting.is_mariadb();
    if greeting.capabilities.contains(flag) && !is_other {
        return Ok(flag);
    }
    let (node, name) = (&target.node, algorithm.name());
    Err(Error::new(
        ErrorKind::NoBackend,
        format!(
            "{node} does not compress by {name}; set another `compression` of the cluster, or leave it out"
        ),
    ))
}

/// The collation of utf8mb4 that connections to this server start with: its own default.
pub(super) fn collation(greeting: &Greeting) -> u16 {
    if greeting.is_mariadb() { UTF8MB4_GENERAL_CI } else { UTF8MB4_0900_AI_CI }
}

fn connector<'a>(
    greeting: &Greeting,
    target: &'a Target,
) -> Result<Option<&'a tokio_rustls::TlsConnector>> {
    let offered = greeting.capabilities.contains(CapabilityFlags::CLIENT_SSL);
    match &target.tls {
        Tls::Off => Ok(None),
        Tls::IfOffered(connector) => Ok(offered.then_some(connector)),
        Tls::Always(connector) if offered => Ok(Some(connector)),
        Tls::Always(_) => Err(Error::new(
            ErrorKind::NoBackend,
            format!(
                "{} offers no TLS; give the server a certificate, or set `tls: preferred`",
                target.node
            ),
        )),
    }
}

fn refused(target: &Target, error: ServerError) -> ConnectError {
    let text = String::from_utf8_lossy(&error.message);
    let message = format!("{} refused the login: {text} ({})", target.node, error.code);
    ConnectError::Refused(Error::new(ErrorKind::NoBackend, message))
}

/// The exchange from the response to the server's OK.
struct Login<'a> {
    channel: Channel,
    target: &'a Target,
    plugin: AuthPlugin,
    salt: Salt,
    /// Waits for the account's salt.
    parsec: Option<Parsec>,
    capabilities: CapabilityFlags,
}

impl Login<'_> {
    async fn run(&mut self) -> Result<StatusFlags, ConnectError> {
        loop {
            let payload = self.channel.read().await?;
            if let Some(parsec) = &mut self.parsec
                && !matches!(payload.first(), Some(0x00 | 0xfe | 0xff))
            {
                let answer = parsec.answer(&payload, self.target.password.0.as_bytes())?;
                self.parsec = None;
                self.send(&answer).await?;
                continue;
            }
            match AuthReply::parse(&payload, self.capabilities)? {
                AuthReply::Ok(ok) => return Ok(ok.status),
                AuthReply::Err(error) => return Err(refused(self.target, error)),
                AuthReply::Switch(switch) => self.switch(&switch).await?,
                AuthReply::More(data) => self.more(&data).await?,
            }
        }
    }

    async fn switch(&mut self, switch: &AuthSwitch) -> Result<(), ConnectError> {
        let Some(plugin) = AuthPlugin::from_name(&switch.plugin) else {
            return Err(self.refuse(&format!(
                "the account uses the authentication plugin `{}`; change it to \
                 `caching_sha2_password`, `mysql_native_password`, `ed25519` or `parsec`",
                switch.plugin
            )));
        };
        self.plugin = plugin;
        let password = self.target.password.0.as_bytes();
        let response = match plugin {
            AuthPlugin::Native | AuthPlugin::CachingSha2 => {
                self.salt = Salt::try_from(switch.data.as_slice())
                    .map_err(|_| Error::protocol("a salt that has not 20 bytes"))?;
                if plugin == AuthPlugin::Native {
                    native_response(&self.salt, password)
                } else {
                    sha2_response(&self.salt, password)
                }
            }
            AuthPlugin::Ed25519 => ed25519_response(&switch.data, password)?,
            AuthPlugin::Parsec => {
                self.parsec = Some(Parsec::start(&switch.data, password)?);
                Vec::new()
            }
            AuthPlugin::Clear if self.channel.stream().is_encrypted() => with_nul(password),
            AuthPlugin::Clear => {
                return Err(self.refuse(
                    "the account wants the password in the clear; set `tls: required` or more",
                ));
            }
        };
        Ok(self.send(&response).await?)
    }

    /// The rounds of `caching_sha2_password` after its first response.
    async fn more(&mut self, data: &Bytes) -> Result<(), ConnectError> {
        match data.as_ref() {
            [SHA2_FAST_OK] => Ok(()),
            [SHA2_FULL] if self.channel.stream().is_encrypted() => {
                let password = with_nul(self.target.password.0.as_bytes());
                Ok(self.send(&password).await?)
            }
            [SHA2_FULL] => Ok(self.send(&[SHA2_REQUEST_KEY]).await?),
            key if self.plugin == AuthPlugin::CachingSha2 => {
                let hidden = obfuscate(self.target.password.0.as_bytes(), &self.salt);
                let secret =
                    encrypt(&hidden, key).map_err(|error| error.context(&self.target.node))?;
                Ok(self.send(&secret).await?)
            }
            _ => Err(Error::protocol("data for an authentication plugin that needs none").into()),
        }
    }

    async fn send(&mut self, payload: &[u8]) -> Result<()> {
        send(&mut self.channel, |out| out.extend_from_slice(payload)).await
    }

    fn refuse(&self, what: &str) -> ConnectError {
        let message = format!("cannot log in to {}: {what}", self.target.node);
        ConnectError::Refused(Error::new(ErrorKind::NoBackend, message))
    }
}

fn with_nul(password: &[u8]) -> Vec<u8> {
    [password, &[0]].concat()
}

/// Encrypts for the owner of an RSA public key in PEM form.
fn encrypt(secret: &[u8], key: &[u8]) -> Result<Vec<u8>> {
    let bad = |what: &str| Error::protocol(format!("the server's RSA key {what}"));
    let text = std::str::from_utf8(key).map_err(|error| bad("is not PEM").with_source(error))?;
    let key = RsaPublicKey::from_public_key_pem(text.trim())
        .map_err(|error| bad("cannot be read").with_source(error))?;
    let mut random = rsa::rand_core::OsRng;
    key.encrypt(&mut random, Oaep::new::<sha1::Sha1>(), secret)
        .map_err(|error| bad("cannot encrypt the password").with_source(error))
}
