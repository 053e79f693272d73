//! What follows the handshake until the server says OK: plugin switches, further rounds, and
//! COM_CHANGE_USER, which goes through the same again.

use bytes::{BufMut, Bytes, BytesMut};

use super::capability::CapabilityFlags;
use super::handshake::{parse_attributes, put_attributes, text};
use super::read::Reader;
use super::reply::{OkPacket, parse_err};
use super::write::put_nul_bytes;
use crate::error::{Error, Result, ServerError};

/// A server's request to authenticate by another plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthSwitch {
    pub plugin: String,
    /// For the plugins that take a salt: 20 bytes.
    pub data: Vec<u8>,
}

impl AuthSwitch {
    pub fn put(&self, out: &mut BytesMut) {
        out.put_u8(0xfe);
        put_nul_bytes(out, self.plugin.as_bytes());
        out.put_slice(&self.data);
        out.put_u8(0);
    }

    pub fn parse(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != 0xfe {
            return Err(Error::protocol("malformed packet: not an authentication switch"));
        }
        if reader.is_empty() {
            return Err(Error::protocol(
                "the server asks for the password hash of MySQL 4.0, which is not supported; \
                 give the account a password of mysql_native_password or caching_sha2_password",
            ));
        }
        let plugin = text(reader.nul_bytes()?);
        let data = reader.rest();
        Ok(Self { plugin, data: data.strip_suffix(&[0]).unwrap_or(data).to_vec() })
    }
}

/// Appends the payload of an AuthMoreData packet.
pub fn put_auth_more_data(out: &mut BytesMut, data: &[u8]) {
    out.put_u8(0x01);
    out.put_slice(data);
}

/// A server's packet while it authenticates a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthReply {
    Ok(OkPacket),
    Err(ServerError),
    Switch(AuthSwitch),
    /// Data for the plugin, such as a public key.
    More(Bytes),
}

impl AuthReply {
    pub fn parse(payload: &Bytes, capabilities: CapabilityFlags) -> Result<Self> {
        match payload.first() {
            Some(0x00) => OkPacket::parse(payload, capabilities).map(Self::Ok),
            Some(0xff) => parse_err(payload).map(Self::Err),
            Some(0xfe) => AuthSwitch::parse(payload).map(Self::Switch),
            Some(0x01) => Ok(Self::More(payload.slice(1..))),
            Some(other) => Err(Error::protocol(format!(
                "malformed packet: {other:#04x} does not start a reply to a login"
            ))),
            None => Err(Error::protocol("malformed packet: an empty reply to a login")),
        }
    }
}

/// COM_CHANGE_USER: a new login on the same connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeUser {
    pub user: String,
    pub auth_response: Vec<u8>,
    /// Never empty.
    pub schema: Option<String>,
    /// A collation id; `None` from clients that leave it out.
    pub collation: Option<u16>,
    pub plugin: Option<String>,
    pub attributes: Vec<(String, String)>,
}

impl ChangeUser {
    pub const COMMAND: u8 = 0x11;

    pub fn put(&self, out: &mut BytesMut, capabilities: CapabilityFlags) {
        let auth = self.auth_response.get(..255).unwrap_or(&self.auth_response);
        out.put_u8(Self::COMMAND);
        put_nul_bytes(out, self.user.as_bytes());
        out.put_u8(auth.len() as u8);
        out.put_slice(auth);
        put_nul_bytes(out, self.schema.as_deref().unwrap_or_default().as_bytes());
        let Some(collation) = self.collation else { return };
        out.put_u16_le(collation);
        if capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH) {
            put_nul_bytes(out, self.plugin.as_deref().unwrap_or_default().as_bytes());
        }
        if capabilities.contains(CapabilityFlags::CLIENT_CONNECT_ATTRS) {
            put_attributes(out, &self.attributes);
        }
    }

    /// Parses a whole payload, the command byte included. `capabilities` are those of the
    /// connection.
    pub fn parse(payload: &[u8], capabilities: CapabilityFlags) -> Result<Self> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != Self::COMMAND {
            return Err(Error::protocol("malformed packet: not COM_CHANGE_USER"));
        }
        let user = text(reader.nul_bytes()?);
        let auth_response = if capabilities.contains(CapabilityFlags::CLIENT_SECURE_CONNECTION) {
            let len = usize::from(reader.u8()?);
            reader.bytes(len)?.to_vec()
        } else {
            reader.nul_bytes()?.to_vec()
        };
        let schema = Some(text(reader.nul_bytes_or_rest())).filter(|name| !name.is_empty());
        let collation = if reader.is_empty() { None } else { Some(reader.u16()?) };
        let has_plugin = capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH);
        let plugin = (has_plugin && !reader.is_empty()).then(|| text(reader.nul_bytes_or_rest()));
        let attributes = parse_attributes(&mut reader, capabilities)?;
        Ok(Self { user, auth_response, schema, collation, plugin, attributes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches() {
        let payload = b"\xfemysql_native_password\0ABCDEFGHabcdefghijkl\0";
        let switch = AuthSwitch::parse(payload).unwrap();
        assert_eq!(switch.plugin, "mysql_native_password");
        assert_eq!(switch.data, b"ABCDEFGHabcdefghijkl");
        let mut out = BytesMut::new();
        switch.put(&mut out);
        assert_eq!(&out[..], payload);
        assert!(AuthSwitch::parse(b"\xfe").unwrap_err().message().contains("MySQL 4.0"));
    }

    #[test]
    fn replies_to_a_login() {
        let check = |payload: &'static [u8]| {
            AuthReply::parse(&Bytes::from_static(payload), CapabilityFlags::CLIENT_PROTOCOL_41)
        };
        assert!(matches!(check(b"\x00\0\0\x02\0\0\0"), Ok(AuthReply::Ok(_))));
        assert!(matches!(check(b"\xff\x15\x04#28000no"), Ok(AuthReply::Err(e)) if e.code == 1045));
        assert_eq!(check(b"\x01\x03").unwrap(), AuthReply::More(Bytes::from_static(b"\x03")));
        assert!(check(b"").is_err());
        assert!(check(b"\x02").is_err());
    }

    #[test]
    fn change_user_on_the_wire() {
        let capabilities = CapabilityFlags::CLIENT_PROTOCOL_41
            | CapabilityFlags::CLIENT_SECURE_CONNECTION
            | CapabilityFlags::CLIENT_PLUGIN_AUTH
            | CapabilityFlags::CLIENT_CONNECT_ATTRS;
        let payload = b"\x11app\0\x02xyshop\0\xff\0mysql_native_password\0\x04\x01a\x01b";
        let parsed = ChangeUser::parse(payload, capabilities).unwrap();
        assert_eq!(parsed.user, "app");
        assert_eq!(parsed.auth_response, b"xy");
        assert_eq!(parsed.schema.as_deref(), Some("shop"));
        assert_eq!(parsed.collation, Some(255));
        assert_eq!(parsed.attributes, [("a".to_owned(), "b".to_owned())]);
        let mut out = BytesMut::new();
        parsed.put(&mut out, capabilities);
        assert_eq!(&out[..], payload);

        let short = ChangeUser::parse(b"\x11app\0\0\0", capabilities).unwrap();
        assert_eq!(short, ChangeUser { user: "app".into(), ..ChangeUser::default() });
        assert!(ChangeUser::parse(b"\x11app\0\xffx", capabilities).is_err());
    }
}
