//! What servers answer: OK, EOF and ERR packets, and the head and end of results.

use bytes::{BufMut, Bytes, BytesMut};

use super::capability::{CapabilityFlags, StatusFlags};
use super::read::Reader;
use super::track::{SessionChange, parse_session_changes};
use super::write::{put_lenenc, put_lenenc_bytes};
use crate::error::{Error, Result, ServerError};

pub const OK: u8 = 0x00;
pub const EOF: u8 = 0xfe;
pub const ERR: u8 = 0xff;
pub const LOCAL_INFILE: u8 = 0xfb;

/// An OK packet with header `0xfe` is as large as it likes; an EOF packet is smaller than this.
const EOF_LEN_MAX: usize = 8;

/// A statement's success, and the end of a result's rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OkPacket {
    pub affected_rows: u64,
    /// 0: none.
    pub last_insert_id: u64,
    pub status: StatusFlags,
    pub warnings: u16,
    /// Such as `Rows matched: 1  Changed: 0  Warnings: 0`.
    pub info: Bytes,
    /// The session's changes as they came: see [`Self::session_changes`]. Empty unless
    /// `SERVER_SESSION_STATE_CHANGED` is set.
    pub session_state: Bytes,
}

impl OkPacket {
    /// Appends the OK packet of a statement without rows.
    pub fn put(&self, out: &mut BytesMut, capabilities: CapabilityFlags) {
        self.put_as(OK, out, capabilities);
    }

    /// Appends what ends the rows of a result: an OK packet with header `0xfe` if the client set
    /// `CLIENT_DEPRECATE_EOF`, else an EOF packet.
    pub fn put_end(&self, out: &mut BytesMut, capabilities: CapabilityFlags) {
        if capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            self.put_as(EOF, out, capabilities);
        } else {
            EofPacket { warnings: self.warnings, status: self.status }.put(out);
        }
    }

    fn put_as(&self, header: u8, out: &mut BytesMut, capabilities: CapabilityFlags) {
        let tracked = capabilities.contains(CapabilityFlags::CLIENT_SESSION_TRACK);
        let mut status = self.status;
        status.set(
            StatusFlags::SERVER_SESSION_STATE_CHANGED,
            tracked && !self.session_state.is_empty(),
        );
        out.put_u8(header);
        put_lenenc(out, self.affected_rows);
        put_lenenc(out, self.last_insert_id);
        out.put_u16_le(status.bits());
        out.put_u16_le(self.warnings);
        // The protocol's text says that an untracked info string has no length; servers write one.
        let has_state = tracked && !self.session_state.is_empty();
        if has_state || !self.info.is_empty() {
            put_lenenc_bytes(out, &self.info);
        }
        if has_state {
            put_lenenc_bytes(out, &self.session_state);
        }
    }

    /// Parses an OK packet of either header, `0x00` or `0xfe`. `capabilities` are those of the
    /// connection it came over.
    pub fn parse(payload: &Bytes, capabilities: CapabilityFlags) -> Result<Self> {
        let mut reader = Reader::new(payload);
        match reader.u8()? {
            OK | EOF => {}
            other => {
                return Err(Error::protocol(format!("{other:#04x} does not start an OK packet")));
            }
        }
        let affected_rows = reader.lenenc()?;
        let last_insert_id = reader.lenenc()?;
        let status = StatusFlags::from_bits_retain(reader.u16()?);
        let warnings = reader.u16()?;
        let tracked = capabilities.contains(CapabilityFlags::CLIENT_SESSION_TRACK);
        let changed = status.contains(StatusFlags::SERVER_SESSION_STATE_CHANGED);
        // Servers leave out an empty info string where nothing follows it.
        let info = if reader.is_empty() { &[][..] } else { reader.lenenc_bytes()? };
        let has_state = tracked && changed && !reader.is_empty();
        let session_state = if has_state { reader.lenenc_bytes()? } else { &[][..] };
        Ok(Self {
            affected_rows,
            last_insert_id,
            status,
            warnings,
            info: slice(payload, info),
            session_state: slice(payload, session_state),
        })
    }

    /// What changed in the session, in the server's order.
    pub fn session_changes(&self) -> Result<Vec<SessionChange>> {
        parse_session_changes(&self.session_state)
    }

    /// Another result of the same statement follows.
    pub fn more_results(&self) -> bool {
        self.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS)
    }
}

/// The part of `payload` that `part` borrows, without copying.
pub(super) fn slice(payload: &Bytes, part: &[u8]) -> Bytes {
    if part.is_empty() { Bytes::new() } else { payload.slice_ref(part) }
}

/// The end of column definitions, and of rows, without `CLIENT_DEPRECATE_EOF`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EofPacket {
    pub warnings: u16,
    pub status: StatusFlags,
}

impl EofPacket {
    pub fn put(&self, out: &mut BytesMut) {
        let mut status = self.status;
        status.remove(StatusFlags::SERVER_SESSION_STATE_CHANGED);
        out.put_u8(EOF);
        out.put_u16_le(self.warnings);
        out.put_u16_le(status.bits());
    }

    pub fn parse(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != EOF || payload.len() > EOF_LEN_MAX {
            return Err(Error::protocol("malformed packet: not an EOF packet"));
        }
        let warnings = reader.u16()?;
        Ok(Self { warnings, status: StatusFlags::from_bits_retain(reader.u16()?) })
    }
}

impl From<EofPacket> for OkPacket {
    fn from(eof: EofPacket) -> Self {
        Self { warnings: eof.warnings, status: eof.status, ..Self::default() }
    }
}

/// Appends an ERR packet. Without `CLIENT_PROTOCOL_41` (before the handshake is over) it carries no
/// state.
pub fn put_err(out: &mut BytesMut, error: &ServerError, capabilities: CapabilityFlags) {
    out.put_u8(ERR);
    out.put_u16_le(error.code);
    if capabilities.contains(CapabilityFlags::CLIENT_PROTOCOL_41) {
        out.put_u8(b'#');
        out.put_slice(&error.state);
    }
    out.put_slice(&error.message);
}

/// Parses an ERR packet, with its state or without (then `HY000`).
pub fn parse_err(payload: &[u8]) -> Result<ServerError> {
    let mut reader = Reader::new(payload);
    if reader.u8()? != ERR {
        return Err(Error::protocol("malformed packet: not an ERR packet"));
    }
    let code = reader.u16()?;
    let mut state = *b"HY000";
    if reader.peek_u8() == Some(b'#') && reader.remaining() >= 6 {
        reader.skip(1)?;
        state = reader.array()?;
    }
    Ok(ServerError { code, state, message: reader.rest().to_vec() })
}

/// What the first packet of a reply to COM_QUERY or COM_STMT_EXECUTE says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyHead {
    Ok(OkPacket),
    Err(ServerError),
    /// The server wants the contents of this file from the client.
    LocalInfile(Bytes),
    /// So many column definitions follow, then rows.
    Columns(u64),
}

impl ReplyHead {
    /// Parses the first packet. An EOF packet (the reply to COM_SET_OPTION) counts as OK.
    pub fn parse(payload: &Bytes, capabilities: CapabilityFlags) -> Result<Self> {
        match payload.first() {
            Some(&OK) => OkPacket::parse(payload, capabilities).map(Self::Ok),
            Some(&ERR) => parse_err(payload).map(Self::Err),
            Some(&LOCAL_INFILE) => Ok(Self::LocalInfile(payload.slice(1..))),
            Some(&EOF) => parse_end(payload, capabilities).map(Self::Ok),
            Some(_) => {
                let mut reader = Reader::new(payload);
                let columns = reader.lenenc()?;
                reader.end("column count")?;
                Ok(Self::Columns(columns))
            }
            None => Err(Error::protocol("malformed packet: an empty reply")),
        }
    }
}

/// What a packet among the rows of a result is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowPacket {
    Row,
    /// The last packet; its status tells whether another result follows.
    End(OkPacket),
    Err(ServerError),
}

impl RowPacket {
    /// Tells what `payload` is by its first byte and length; rows are not looked into.
    pub fn parse(payload: &Bytes, capabilities: CapabilityFlags) -> Result<Self> {
        match payload.first() {
            Some(&ERR) => parse_err(payload).map(Self::Err),
            Some(&EOF) if is_rows_end(payload, capabilities) => {
                parse_end(payload, capabilities).map(Self::End)
            }
            Some(_) => Ok(Self::Row),
            None => Err(Error::protocol("malformed packet: an empty row")),
        }
    }
}

/// Whether a packet ends the rows of a result, or its column definitions. A text row may start with
/// the same byte, but only if its first value has 16 MiB or more.
pub fn is_rows_end(payload: &[u8], capabilities: CapabilityFlags) -> bool {
    let len_max = if capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
        super::packet::FRAME_MAX - 1
    } else {
        EOF_LEN_MAX
    };
    payload.first() == Some(&EOF) && payload.len() <= len_max
}

/// Parses a packet of which [`is_rows_end`] holds.
pub fn parse_end(payload: &Bytes, capabilities: CapabilityFlags) -> Result<OkPacket> {
    // An OK packet has at least seven bytes. MariaDB answers COM_SET_OPTION by an EOF packet
    // whatever the capabilities say.
    let short = payload.len() < 7;
    if short || !capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
        return EofPacket::parse(payload).map(OkPacket::from);
    }
    OkPacket::parse(payload, capabilities)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41;
    const TRACKED: CapabilityFlags = PLAIN
        .union(CapabilityFlags::CLIENT_SESSION_TRACK)
        .union(CapabilityFlags::CLIENT_DEPRECATE_EOF);

    fn check_ok(payload: &'static [u8], capabilities: CapabilityFlags, expect: &OkPacket) {
        let payload = Bytes::from_static(payload);
        assert_eq!(OkPacket::parse(&payload, capabilities).unwrap(), *expect);
        let mut out = BytesMut::new();
        match payload[0] {
            OK => expect.put(&mut out, capabilities),
            _ => expect.put_end(&mut out, capabilities),
        }
        assert_eq!(out, payload);
    }

    #[test]
    fn ok_packets() {
        let mut ok = OkPacket {
            affected_rows: 1,
            last_insert_id: 300,
            status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            warnings: 5,
            ..OkPacket::default()
        };
        check_ok(b"\0\x01\xfc\x2c\x01\x02\0\x05\0", PLAIN, &ok);
        check_ok(b"\0\x01\xfc\x2c\x01\x02\0\x05\0", TRACKED, &ok);
        check_ok(b"\xfe\x01\xfc\x2c\x01\x02\0\x05\0", TRACKED, &ok);
        ok.info = Bytes::from_static(b"hi");
        check_ok(b"\0\x01\xfc\x2c\x01\x02\0\x05\0\x02hi", PLAIN, &ok);
        check_ok(b"\0\x01\xfc\x2c\x01\x02\0\x05\0\x02hi", TRACKED, &ok);
        ok.status |= StatusFlags::SERVER_SESSION_STATE_CHANGED;
        ok.session_state = Bytes::from_static(b"\x01\x05\x04shop");
        check_ok(b"\0\x01\xfc\x2c\x01\x02\x40\x05\0\x02hi\x07\x01\x05\x04shop", TRACKED, &ok);
        let schema = SessionChange::Schema(Bytes::from_static(b"shop"));
        assert_eq!(ok.session_changes().unwrap(), [schema]);
    }

    #[test]
    fn state_changes_go_only_to_those_who_track_them() {
        let ok = OkPacket {
            status: StatusFlags::SERVER_SESSION_STATE_CHANGED,
            session_state: Bytes::from_static(b"\x01\x02\x01x"),
            ..OkPacket::default()
        };
        let mut out = BytesMut::new();
        ok.put(&mut out, PLAIN);
        assert_eq!(&out[..], b"\0\0\0\0\0\0\0");
        out.clear();
        ok.put_end(&mut out, PLAIN);
        assert_eq!(&out[..], b"\xfe\0\0\0\0");
    }

    #[test]
    fn err_packets() {
        let error = ServerError { code: 1045, state: *b"28000", message: b"no".to_vec() };
        let mut out = BytesMut::new();
        put_err(&mut out, &error, PLAIN);
        assert_eq!(&out[..], b"\xff\x15\x04#28000no");
        assert_eq!(parse_err(&out).unwrap(), error);
        out.clear();
        put_err(&mut out, &error, CapabilityFlags::empty());
        assert_eq!(&out[..], b"\xff\x15\x04no");
        assert_eq!(parse_err(&out).unwrap(), ServerError { state: *b"HY000", ..error });
        assert!(parse_err(b"\xff\x15").is_err());
    }

    #[test]
    fn heads_of_replies() {
        let check = |payload: &'static [u8]| ReplyHead::parse(&Bytes::from_static(payload), PLAIN);
        assert_eq!(check(b"\x03").unwrap(), ReplyHead::Columns(3));
        assert_eq!(check(b"\xfc\x00\x10").unwrap(), ReplyHead::Columns(4096));
        let file = ReplyHead::LocalInfile(Bytes::from_static(b"/a"));
        assert_eq!(check(b"\xfb/a").unwrap(), file);
        assert!(matches!(check(b"\0\0\0\x02\0\0\0"), Ok(ReplyHead::Ok(_))));
        assert!(matches!(check(b"\xfe\0\0\x02\0"), Ok(ReplyHead::Ok(_))));
        assert!(matches!(check(b"\xff\x15\x04#28000no"), Ok(ReplyHead::Err(_))));
        assert!(check(b"").is_err());
        assert!(check(b"\x03x").is_err());
    }

    #[test]
    fn ends_of_rows() {
        let check = |payload: &'static [u8], capabilities| {
            RowPacket::parse(&Bytes::from_static(payload), capabilities).unwrap()
        };
        let eof: OkPacket =
            EofPacket { warnings: 1, status: StatusFlags::SERVER_MORE_RESULTS_EXISTS }.into();
        assert!(eof.more_results());
        assert_eq!(check(b"\xfe\x01\0\x08\0", PLAIN), RowPacket::End(eof.clone()));
        assert_eq!(check(b"\xfe\0\0\x08\0\x01\0", TRACKED), RowPacket::End(eof));
        assert_eq!(check(b"\xfe\0\0\x08\0\x01\0hello", PLAIN), RowPacket::Row);
        assert_eq!(check(b"\x01a", TRACKED), RowPacket::Row);
        assert_eq!(check(b"\0\0\0", TRACKED), RowPacket::Row);
        assert!(matches!(check(b"\xff\x15\x04no", PLAIN), RowPacket::Err(_)));
    }
}
