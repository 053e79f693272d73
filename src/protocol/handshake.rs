//! The opening of a connection: the server's greeting and the client's answer.

use bytes::{BufMut, BytesMut};

use super::capability::{CapabilityFlags, StatusFlags};
use super::read::Reader;
use super::write::{put_lenenc, put_lenenc_bytes, put_nul_bytes};
use crate::error::{Error, ErrorKind, Result};

/// Bytes of the random data that a client mixes with its password.
pub const SALT_LEN: usize = 20;
/// The one greeting that is spoken since 1998.
const PROTOCOL_VERSION: u8 = 10;
/// In front of MariaDB's version text, for replicas of old that know no version over 5.
const MARIADB_PREFIX: &str = "5.5.5-";

/// The first packet of a connection, from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// As in `SELECT VERSION()`, up to a NUL.
    pub server_version: String,
    pub connection_id: u32,
    pub salt: [u8; SALT_LEN],
    pub capabilities: CapabilityFlags,
    /// The low byte of the server's collation id.
    pub collation: u8,
    pub status: StatusFlags,
    /// The authentication plugin that `salt` is for. Empty without `CLIENT_PLUGIN_AUTH`.
    pub plugin: String,
}

impl Greeting {
    pub fn put(&self, out: &mut BytesMut) {
        let (low, high) = self.salt.split_at(8);
        let bits = self.capabilities.bits();
        out.put_u8(PROTOCOL_VERSION);
        put_nul_bytes(out, self.server_version.as_bytes());
        out.put_u32_le(self.connection_id);
        out.put_slice(low);
        out.put_u8(0);
        out.put_u16_le(bits as u16);
        out.put_u8(self.collation);
        out.put_u16_le(self.status.bits());
        out.put_u16_le((bits >> 16) as u16);
        out.put_u8(SALT_LEN as u8 + 1);
        out.put_bytes(0, 10);
        out.put_slice(high);
        out.put_u8(0);
        if self.capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH) {
            put_nul_bytes(out, self.plugin.as_bytes());
        }
    }

    /// Parses a greeting. A server that refuses the connection sends an ERR packet instead: look for
    /// that first, by its first byte `0xff`.
    pub fn parse(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let version = reader.u8()?;
        if version != PROTOCOL_VERSION {
            return Err(Error::protocol(format!(
                "the server greets with protocol version {version}; only version 10 is spoken"
            )));
        }
        let server_version = text(reader.nul_bytes()?);
        let connection_id = reader.u32()?;
        let low: [u8; 8] = reader.array()?;
        reader.skip(1)?;
        let capabilities_low = u32::from(reader.u16()?);
        let collation = reader.u8()?;
        let status = StatusFlags::from_bits_retain(reader.u16()?);
        let bits = capabilities_low | u32::from(reader.u16()?) << 16;
        let capabilities = CapabilityFlags::from_bits_retain(bits);
        reader.skip(11)?;
        if !capabilities.contains(CapabilityFlags::CLIENT_PROTOCOL_41) {
            return Err(Error::protocol("the server does not speak the protocol of MySQL 4.1"));
        }
        let high: [u8; 12] = reader.array()?;
        let mut salt = [0; SALT_LEN];
        salt.iter_mut().zip(low.into_iter().chain(high)).for_each(|(to, from)| *to = from);
        let has_plugin = capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH);
        let plugin = if has_plugin {
            reader.skip(1)?;
            text(reader.nul_bytes_or_rest())
        } else {
            String::new()
        };
        Ok(Self { server_version, connection_id, salt, capabilities, collation, status, plugin })
    }

    pub fn is_mariadb(&self) -> bool {
        self.server_version.starts_with(MARIADB_PREFIX) || self.server_version.contains("MariaDB")
    }

    /// The version text without MariaDB's prefix for old replicas.
    pub fn version(&self) -> &str {
        self.server_version.strip_prefix(MARIADB_PREFIX).unwrap_or(&self.server_version)
    }
}

/// What a client sends instead of its [`HandshakeResponse`] to switch to TLS first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SslRequest {
    pub capabilities: CapabilityFlags,
    /// The largest payload that the client takes, in bytes.
    pub packet_max: u32,
    /// The low byte of a collation id.
    pub collation: u8,
}

impl SslRequest {
    /// Bytes of its payload: the fixed part of a [`HandshakeResponse`].
    pub const LEN: usize = 32;

    pub fn put(&self, out: &mut BytesMut) {
        out.put_u32_le(self.capabilities.bits());
        out.put_u32_le(self.packet_max);
        out.put_u8(self.collation);
        out.put_bytes(0, 23);
    }

    /// `None` if the payload is a [`HandshakeResponse`].
    pub fn parse(payload: &[u8]) -> Option<Self> {
        if payload.len() != Self::LEN {
            return None;
        }
        let head = parse_fixed(&mut Reader::new(payload)).ok()?;
        head.capabilities.contains(CapabilityFlags::CLIENT_SSL).then_some(head)
    }
}

/// A client's answer to the greeting: who it is and what it can.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandshakeResponse {
    pub capabilities: CapabilityFlags,
    /// The largest payload that the client takes, in bytes.
    pub packet_max: u32,
    /// The low byte of a collation id.
    pub collation: u8,
    pub user: String,
    pub auth_response: Vec<u8>,
    /// Sent if `CLIENT_CONNECT_WITH_DB` is set; never empty.
    pub schema: Option<String>,
    /// The plugin that made `auth_response`. Sent if `CLIENT_PLUGIN_AUTH` is set.
    pub plugin: Option<String>,
    /// Sent if `CLIENT_CONNECT_ATTRS` is set.
    pub attributes: Vec<(String, String)>,
    /// Sent if `CLIENT_ZSTD_COMPRESSION_ALGORITHM` is set.
    pub zstd_level: Option<u8>,
}

impl HandshakeResponse {
    /// Writes the response. `capabilities` decide which fields go out.
    pub fn put(&self, out: &mut BytesMut) {
        let Self { capabilities, packet_max, collation, .. } = *self;
        SslRequest { capabilities, packet_max, collation }.put(out);
        put_nul_bytes(out, self.user.as_bytes());
        if capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA) {
            put_lenenc_bytes(out, &self.auth_response);
        } else if capabilities.contains(CapabilityFlags::CLIENT_SECURE_CONNECTION) {
            let auth = self.auth_response.get(..255).unwrap_or(&self.auth_response);
            out.put_u8(auth.len() as u8);
            out.put_slice(auth);
        } else {
            put_nul_bytes(out, &self.auth_response);
        }
        if capabilities.contains(CapabilityFlags::CLIENT_CONNECT_WITH_DB) {
            put_nul_bytes(out, self.schema.as_deref().unwrap_or_default().as_bytes());
        }
        if capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH) {
            put_nul_bytes(out, self.plugin.as_deref().unwrap_or_default().as_bytes());
        }
        if capabilities.contains(CapabilityFlags::CLIENT_CONNECT_ATTRS) {
            put_attributes(out, &self.attributes);
        }
        if capabilities.contains(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM) {
            out.put_u8(self.zstd_level.unwrap_or(3));
        }
    }

    /// Parses a response. Fields that an old client leaves out at the end are taken as absent.
    pub fn parse(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        check_protocol(payload)?;
        let SslRequest { capabilities, packet_max, collation } = parse_fixed(&mut reader)?;
        let user = text(reader.nul_bytes()?);
        let auth_response =
            if capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA) {
                reader.lenenc_bytes()?
            } else if capabilities.contains(CapabilityFlags::CLIENT_SECURE_CONNECTION) {
                let len = usize::from(reader.u8()?);
                reader.bytes(len)?
            } else {
                reader.nul_bytes_or_rest()
            }
            .to_vec();
        let mut string = |flag| {
            let sent = capabilities.contains(flag) && !reader.is_empty();
            sent.then(|| text(reader.nul_bytes_or_rest()))
        };
        let schema =
            string(CapabilityFlags::CLIENT_CONNECT_WITH_DB).filter(|name| !name.is_empty());
        let plugin = string(CapabilityFlags::CLIENT_PLUGIN_AUTH);
        let attributes = parse_attributes(&mut reader, capabilities)?;
        let zstd = capabilities.contains(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM);
        let zstd_level = if zstd { reader.u8().ok() } else { None };
        Ok(Self {
            capabilities,
            packet_max,
            collation,
            user,
            auth_response,
            schema,
            plugin,
            attributes,
            zstd_level,
        })
    }
}

/// Refuses clients from before MySQL 4.1, whose response has another shape.
fn check_protocol(payload: &[u8]) -> Result<()> {
    let bits = u32::from(Reader::new(payload).u16()?);
    if CapabilityFlags::from_bits_retain(bits).contains(CapabilityFlags::CLIENT_PROTOCOL_41) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Handshake,
        "bad handshake: the client does not speak the protocol of MySQL 4.1; use a newer client",
    ))
}

fn parse_fixed(reader: &mut Reader<'_>) -> Result<SslRequest> {
    let capabilities = CapabilityFlags::from_bits_retain(reader.u32()?);
    let packet_max = reader.u32()?;
    let collation = reader.u8()?;
    reader.skip(23)?;
    Ok(SslRequest { capabilities, packet_max, collation })
}

pub(super) fn put_attributes(out: &mut BytesMut, attributes: &[(String, String)]) {
    let mut pairs = BytesMut::new();
    for (name, value) in attributes {
        put_lenenc_bytes(&mut pairs, name.as_bytes());
        put_lenenc_bytes(&mut pairs, value.as_bytes());
    }
    put_lenenc(out, pairs.len() as u64);
    out.put_slice(&pairs);
}

/// Connection attributes, if the capabilities announce them and the client sent them.
pub(super) fn parse_attributes(
    reader: &mut Reader<'_>,
    capabilities: CapabilityFlags,
) -> Result<Vec<(String, String)>> {
    let mut attributes = Vec::new();
    if !capabilities.contains(CapabilityFlags::CLIENT_CONNECT_ATTRS) || reader.is_empty() {
        return Ok(attributes);
    }
    let mut pairs = Reader::new(reader.lenenc_bytes()?);
    while !pairs.is_empty() {
        let name = text(pairs.lenenc_bytes()?);
        attributes.push((name, text(pairs.lenenc_bytes()?)));
    }
    Ok(attributes)
}

/// Names outside ASCII come in the client's character set, which is UTF-8 for all clients of today.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What MySQL 8.4 sends.
    const GREETING: &[u8] = b"\x0a8.4.3\0\x09\0\0\0ABCDEFGH\0\xff\xff\xff\x02\0\xff\xdf\x15\
        \0\0\0\0\0\0\0\0\0\0abcdefghijkl\0caching_sha2_password\0";

    #[test]
    fn greeting_of_mysql() {
        let greeting = Greeting::parse(GREETING).unwrap();
        assert_eq!(greeting.server_version, "8.4.3");
        assert_eq!(greeting.connection_id, 9);
        assert_eq!(&greeting.salt, b"ABCDEFGHabcdefghijkl");
        assert_eq!(greeting.capabilities.bits(), 0xdfff_ffff);
        assert_eq!(greeting.status, StatusFlags::SERVER_STATUS_AUTOCOMMIT);
        assert_eq!(greeting.plugin, "caching_sha2_password");
        assert!(!greeting.is_mariadb());
        let mut out = BytesMut::new();
        greeting.put(&mut out);
        assert_eq!(out, GREETING);
    }

    #[test]
    fn greeting_of_mariadb() {
        let payload =
            b"\x0a5.5.5-10.11.6-MariaDB-1\0\x07\0\0\0ABCDEFGH\0\xfe\xf7\x2d\x02\0\xff\x81\x15\
            \0\0\0\0\0\0\x1d\0\0\0abcdefghijkl\0mysql_native_password\0";
        let greeting = Greeting::parse(payload).unwrap();
        assert!(greeting.is_mariadb());
        assert_eq!(greeting.version(), "10.11.6-MariaDB-1");
        assert_eq!(greeting.plugin, "mysql_native_password");
    }

    #[test]
    fn greetings_refused() {
        let check = |payload: &[u8], expect: &str| {
            assert_eq!(Greeting::parse(payload).unwrap_err().message(), expect);
        };
        check(b"\x09x\0", "the server greets with protocol version 9; only version 10 is spoken");
        check(&GREETING[..20], "malformed packet: 2 bytes expected, 0 left");
    }

    fn response() -> HandshakeResponse {
        HandshakeResponse {
            capabilities: CapabilityFlags::CLIENT_PROTOCOL_41
                | CapabilityFlags::CLIENT_SECURE_CONNECTION
                | CapabilityFlags::CLIENT_CONNECT_WITH_DB
                | CapabilityFlags::CLIENT_PLUGIN_AUTH
                | CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
                | CapabilityFlags::CLIENT_CONNECT_ATTRS,
            packet_max: 0x0100_0000,
            collation: 45,
            user: "app".into(),
            auth_response: vec![1, 2, 0, 4],
            schema: Some("shop".into()),
            plugin: Some("mysql_native_password".into()),
            attributes: vec![("_os".into(), "Linux".into())],
            zstd_level: None,
        }
    }

    #[test]
    fn response_on_the_wire() {
        let expect =
            b"\x08\x82\x38\x00\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            app\0\x04\x01\x02\0\x04shop\0mysql_native_password\0\x0a\x03_os\x05Linux";
        let mut out = BytesMut::new();
        response().put(&mut out);
        assert_eq!(&out[..], expect);
        assert_eq!(HandshakeResponse::parse(expect).unwrap(), response());
        assert_eq!(SslRequest::parse(expect), None);
    }

    #[test]
    fn fields_at_the_end_may_be_left_out() {
        let mut out = BytesMut::new();
        response().put(&mut out);
        let end = out.iter().position(|&byte| byte == b's').unwrap();
        let parsed = HandshakeResponse::parse(&out[..end]).unwrap();
        assert_eq!((parsed.schema, parsed.plugin, parsed.attributes), (None, None, vec![]));
        assert_eq!(parsed.auth_response, [1, 2, 0, 4]);
    }

    #[test]
    fn shapes_of_the_auth_response() {
        let check = |drop: CapabilityFlags| {
            let mut response = response();
            response.capabilities -= drop;
            response.auth_response = b"secret".to_vec();
            let mut out = BytesMut::new();
            response.put(&mut out);
            assert_eq!(HandshakeResponse::parse(&out).unwrap(), response);
        };
        check(CapabilityFlags::empty());
        check(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA);
        check(
            CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
                | CapabilityFlags::CLIENT_SECURE_CONNECTION,
        );
    }

    #[test]
    fn ssl_request_and_old_clients() {
        let request = SslRequest {
            capabilities: CapabilityFlags::CLIENT_SSL | CapabilityFlags::CLIENT_PROTOCOL_41,
            packet_max: 1 << 24,
            collation: 255,
        };
        let mut out = BytesMut::new();
        request.put(&mut out);
        assert_eq!(out.len(), SslRequest::LEN);
        assert_eq!(SslRequest::parse(&out), Some(request));
        let error = HandshakeResponse::parse(b"\x05\x24\0\0\x01app\0pw").unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Handshake);
    }
}
