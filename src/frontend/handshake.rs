//! The opening of a client's connection, up to a proven login.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::login::{Credentials, authenticate};
use super::places::Places;
use super::rsa_key::RsaKey;
use super::stream::ClientStream;
use super::users::UserStore;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::auth::{AuthPlugin, Salt};
use crate::protocol::capability::{CapabilityFlags, OFFERED, StatusFlags};
use crate::protocol::charset::Collation;
use crate::protocol::compress::{Algorithm, Compression, ZLIB_LEVEL};
use crate::protocol::handshake::{Greeting, HandshakeResponse, SslRequest};
use crate::protocol::login::ChangeUser;
use crate::protocol::reply::OkPacket;

/// The most bytes of a packet before the client is known. Connection attributes alone may take 64
/// KiB.
pub(super) const PACKET_MAX: usize = 128 * 1024;

/// The plugin that the greeting names.
pub(super) const DEFAULT_PLUGIN: AuthPlugin = AuthPlugin::CachingSha2;

/// What all handshakes of a listener share. It is a snapshot: a reload makes another.
#[derive(Debug, Clone)]
pub struct HandshakeContext {
    /// What `SELECT VERSION()` answers, such as `8.4.0-margay`. Drivers read the number in front.
    pub server_version: String,
    /// The default collation id of the servers behind.
    pub collation: u16,
    pub users: Arc<UserStore>,
    /// `None`: TLS is not offered.
    pub tls: Option<Arc<ServerConfig>>,
    /// Clients without TLS are refused.
    pub tls_required: bool,
    /// Clients may ask for compression.
    pub compression: bool,
    pub rsa: Arc<RsaKey>,
    /// Shared by all handshakes of the process.
    pub places: Arc<Places>,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
}

/// A client that has proven who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    /// The client's address, without the port.
    pub host: String,
    pub schema: Option<String>,
    /// A collation id that MySQL knows and that a client may use.
    pub collation: u16,
    /// What both sides can.
    pub capabilities: CapabilityFlags,
    /// What the client tells of itself, such as `_client_name`.
    pub attributes: Vec<(String, String)>,
    pub tls: bool,
    /// Version and cipher of TLS, as servers name them.
    pub encryption: Option<(String, String)>,
    /// How the connection is compressed after the login.
    pub compression: Option<Compression>,
    /// It answered the greeting by [`DEFAULT_PLUGIN`].
    pub speaks_default: bool,
    pub connection_id: u32,
}

/// Greets a client and lets it log in. On failure the client has been told why, and the connection is
/// closed.
pub async fn handshake(
    socket: TcpStream,
    connection_id: u32,
    ctx: &HandshakeContext,
) -> Result<(ClientStream, Login)> {
    let limit = ctx.handshake_timeout;
    match timeout(limit, Box::pin(open(socket, connection_id, ctx))).await {
        Ok(opened) => opened,
        Err(_) => Err(Error::new(
            ErrorKind::Handshake,
            format!("handshake not finished within `limits.handshake_timeout` = {limit:?}"),
        )),
    }
}

/// Lets the client of a connection log in anew (COM_CHANGE_USER). `payload` is the command's.
/// `current` is the login so far. On failure the client has been told why, and the connection must be
/// closed, as MySQL does.
pub async fn change_user(
    stream: &mut ClientStream,
    payload: &Bytes,
    current: &Login,
    ctx: &HandshakeContext,
) -> Result<Login> {
    let limit = ctx.handshake_timeout;
    let changed = match timeout(limit, Box::pin(change(stream, payload, current, ctx))).await {
        Ok(changed) => changed,
        Err(_) => Err(Error::new(
            ErrorKind::Handshake,
            format!("change of user not finished within `limits.handshake_timeout` = {limit:?}"),
        )),
    };
    if let Err(error) = &changed {
        stream.put_error(error, current.capabilities);
        let _ = stream.flush().await;
    }
    changed
}

/// Refuses a connection in place of a greeting, say when there are too many.
pub async fn refuse(socket: TcpStream, error: &Error) {
    let mut stream = ClientStream::new(socket);
    stream.put_error(error, CapabilityFlags::empty());
    stream.close().await;
}

async fn open(
    socket: TcpStream,
    connection_id: u32,
    ctx: &HandshakeContext,
) -> Result<(ClientStream, Login)> {
    let peer = socket.peer_addr().map_err(|error| {
        Error::new(ErrorKind::ClientGone, "the client left at once").with_source(error)
    })?;
    let mut stream = ClientStream::new(socket);
    let salt = fresh_salt();
    stream.set_salt(salt);
    greet(&mut stream, connection_id, &salt, ctx);
    stream.flush().await?;

    let (mut stream, response) = read_response(stream, ctx).await?;
    let login = Login {
        user: response.user.clone(),
        host: host(peer),
        schema: response.schema.clone(),
        collation: collation(response.collation.into(), ctx),
        capabilities: response.capabilities & offered(ctx),
        attributes: response.attributes.clone(),
        tls: stream.is_tls(),
        encryption: stream.encryption(),
        compression: compression(&response, ctx),
        speaks_default: response.plugin.as_deref() == Some(DEFAULT_PLUGIN.name()),
        connection_id,
    };
    let credentials = Credentials {
        salt,
        // Clients from before plugins know one.
        plugin: response.plugin.unwrap_or_else(|| AuthPlugin::Native.name().to_owned()),
        response: response.auth_response,
        greeted: true,
    };
    if let Some(Compression { algorithm, level }) = login.compression
        && !(1..=algorithm.level_max()).contains(&level)
    {
        let message = format!("Bad handshake: there is no level {level} of {}", algorithm.name());
        let error = Error::new(ErrorKind::Handshake, message);
        return Err(fail(stream, error, login.capabilities).await);
    }
    match admit(&mut stream, &login, credentials, ctx).await {
        Ok(()) => {
            if let Some(compression) = login.compression {
                stream.start_compression(compression);
            }
            Ok((stream, login))
        }
        Err(error) => Err(fail(stream, error, login.capabilities).await),
    }
}

/// Checks a login and tells the client of success.
async fn admit(
    stream: &mut ClientStream,
    login: &Login,
    credentials: Credentials,
    ctx: &HandshakeContext,
) -> Result<()> {
    if ctx.tls_required && !login.tls {
        return Err(insecure());
    }
    authenticate(stream, login, credentials, ctx).await?;
    if let Some(schema) = &login.schema {
        ctx.users.check_schema(&login.user, &login.host, schema)?;
    }
    // A change of user gives the place of the user before back first, as MySQL does.
    stream.set_place(None);
    let max = ctx.users.get(&login.user).and_then(|user| user.max_connections);
    stream.set_place(Some(ctx.places.take(&login.user, max)?));
    let ok = OkPacket { status: StatusFlags::SERVER_STATUS_AUTOCOMMIT, ..OkPacket::default() };
    stream.put_ok(&ok, login.capabilities);
    stream.flush().await
}

async fn change(
    stream: &mut ClientStream,
    payload: &Bytes,
    current: &Login,
    ctx: &HandshakeContext,
) -> Result<Login> {
    let request = ChangeUser::parse(payload, current.capabilities).map_err(bad_handshake)?;
    let login = Login {
        user: request.user,
        schema: request.schema,
        collation: request.collation.map_or(current.collation, |id| collation(id, ctx)),
        attributes: request.attributes,
        ..current.clone()
    };
    let credentials = Credentials {
        // A client that can be told a new salt is; an old one goes by that of the greeting.
        salt: stream.salt(),
        plugin: request.plugin.unwrap_or_else(|| AuthPlugin::Native.name().to_owned()),
        response: request.auth_response,
        greeted: false,
    };
    admit(stream, &login, credentials, ctx).await?;
    Ok(login)
}

fn greet(stream: &mut ClientStream, connection_id: u32, salt: &Salt, ctx: &HandshakeContext) {
    let greeting = Greeting {
        server_version: ctx.server_version.clone(),
        connection_id,
        salt: *salt,
        capabilities: offered(ctx),
        collation: ctx.collation as u8,
        status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
        plugin: DEFAULT_PLUGIN.name().to_owned(),
    };
    stream.put_with(|out| greeting.put(out));
    stream.expect_answer();
}

/// Reads the client's answer to the greeting, over TLS if the client asks for it.
async fn read_response(
    mut stream: ClientStream,
    ctx: &HandshakeContext,
) -> Result<(ClientStream, HandshakeResponse)> {
    let mut payload = match stream.read_packet_alone(PACKET_MAX).await {
        Ok(payload) => payload,
        Err(error) => {
            return Err(fail(stream, bad_handshake(error), CapabilityFlags::empty()).await);
        }
    };
    if SslRequest::parse(&payload).is_some() {
        let Some(tls) = &ctx.tls else {
            let error = Error::new(ErrorKind::Handshake, "Bad handshake: TLS was not offered");
            return Err(fail(stream, error, CapabilityFlags::empty()).await);
        };
        stream = stream.start_tls(Arc::clone(tls)).await?;
        payload = match stream.read_packet(PACKET_MAX).await {
            Ok(payload) => payload,
            Err(error) => {
                return Err(fail(stream, bad_handshake(error), CapabilityFlags::empty()).await);
            }
        };
    }
    match HandshakeResponse::parse(&payload) {
        Ok(response) => Ok((stream, response)),
        Err(error) => Err(fail(stream, bad_handshake(error), CapabilityFlags::empty()).await),
    }
}

/// Tells the client of an error and closes its connection.
async fn fail(mut stream: ClientStream, error: Error, capabilities: CapabilityFlags) -> Error {
    if *error.kind() != ErrorKind::ClientGone {
        stream.put_error(&error, capabilities);
        stream.close().await;
    }
    error
}

/// What a malformed packet means while a client logs in.
pub(super) fn bad_handshake(error: Error) -> Error {
    let message = match error.kind() {
        ErrorKind::Protocol => format!("Bad handshake: {}", error.message()),
        // Not `limits.max_allowed_packet`: that holds once the client is known.
        ErrorKind::PacketTooLarge => format!("Bad handshake: a packet of over {PACKET_MAX} bytes"),
        _ => return error,
    };
    Error::new(ErrorKind::Handshake, message)
}

fn insecure() -> Error {
    Error::new(
        ErrorKind::AccessDenied,
        "Access denied: `tls.required` is set and this connection is not over TLS; turn \
         TLS on in the client",
    )
}

fn offered(ctx: &HandshakeContext) -> CapabilityFlags {
    let mut offered = OFFERED;
    offered.set(CapabilityFlags::CLIENT_SSL, ctx.tls.is_some());
    offered.set(CapabilityFlags::CLIENT_COMPRESS, ctx.compression);
    offered.set(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM, ctx.compression);
    offered
}

/// What follows from the flags of both sides, as in MySQL: zlib goes first.
fn compression(response: &HandshakeResponse, ctx: &HandshakeContext) -> Option<Compression> {
    let agreed = response.capabilities & offered(ctx);
    if agreed.contains(CapabilityFlags::CLIENT_COMPRESS) {
        return Some(Compression { algorithm: Algorithm::Zlib, level: ZLIB_LEVEL });
    }
    let algorithm = Algorithm::Zstd;
    let level = response.zstd_level.unwrap_or(algorithm.level_default());
    agreed
        .contains(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM)
        .then_some(Compression { algorithm, level })
}

/// Twenty random bytes. Clients take them for text, so there is no NUL and nothing outside ASCII.
pub(super) fn fresh_salt() -> Salt {
    rand::random::<Salt>().map(|byte| byte % 127 + 1)
}

fn host(peer: SocketAddr) -> String {
    peer.ip().to_canonical().to_string()
}

/// The collation that a client asks for, or the default where MySQL would take its own: for an
/// unknown id, and for character sets in which SQL cannot be written.
fn collation(id: u16, ctx: &HandshakeContext) -> u16 {
    let wide = ["ucs2", "utf16", "utf16le", "utf32"];
    match Collation::by_id(id) {
        Some(found) if !wide.contains(&found.charset) => id,
        Some(_) | None => ctx.collation,
    }
}

#[cfg(test)]
mod tests;
