//! What servers answer.

use std::fmt;
use std::io;

use super::{Greeting, broken, capability};

/// The status bit that says another result follows.
const MORE_RESULTS: u16 = 0x0008;

/// One result of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Done(Done),
    Rows(Rows),
    Error(ServerError),
}

/// An OK packet, or the end of a result set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Done {
    pub(crate) affected: u64,
    pub(crate) last_insert_id: u64,
    pub(crate) status: u16,
    pub(crate) warnings: u16,
    pub(crate) info: String,
    /// Raw session-track data.
    pub(crate) track: Vec<u8>,
}

/// A result set with the rows as they came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<Column>,
    pub(crate) packets: Vec<Vec<u8>>,
    pub(crate) end: Done,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerError {
    pub(crate) code: u16,
    pub(crate) state: String,
    pub(crate) message: String,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ERROR {} ({}): {}", self.code, self.state, self.message)
    }
}

/// A column definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) org_table: String,
    pub(crate) name: String,
    pub(crate) org_name: String,
    pub(crate) charset: u16,
    pub(crate) length: u32,
    pub(crate) kind: u8,
    pub(crate) flags: u16,
    pub(crate) decimals: u8,
}

/// A packet after the head of a result set.
#[derive(Debug)]
pub(crate) enum Item {
    Row,
    End(Done),
    Error(ServerError),
}

impl Reply {
    pub(super) fn more_results(&self) -> bool {
        match self {
            Self::Done(done) => done.status & MORE_RESULTS != 0,
            Self::Rows(rows) => rows.end.status & MORE_RESULTS != 0,
            Self::Error(_) => false,
        }
    }

    /// The OK packet of a statement that gives no rows.
    pub(crate) fn done(self) -> Done {
        match self {
            Self::Done(done) => done,
            other => panic!("not OK but {other:?}"),
        }
    }
}

impl Rows {
    /// The values of a text result.
    pub(crate) fn text(&self) -> Vec<Vec<Option<String>>> {
        self.packets.iter().map(|packet| text_row(packet)).collect()
    }
}

/// Splits a row of the text protocol into the bytes of its values.
pub(crate) fn text_row_bytes(packet: &[u8]) -> io::Result<Vec<Option<Vec<u8>>>> {
    let mut reader = Reader::new(packet);
    let mut values = Vec::new();
    while let Some(mark) = reader.peek() {
        if mark == 0xfb {
            reader.u8()?;
            values.push(None);
        } else {
            values.push(Some(reader.lenenc_bytes()?.to_vec()));
        }
    }
    Ok(values)
}

/// Splits a row of the text protocol.
pub(crate) fn text_row(packet: &[u8]) -> Vec<Option<String>> {
    let mut reader = Reader::new(packet);
    let mut values = Vec::new();
    while let Some(mark) = reader.peek() {
        if mark == 0xfb {
            let _ = reader.u8();
            values.push(None);
        } else {
            match reader.lenenc_bytes() {
                Ok(bytes) => values.push(Some(String::from_utf8_lossy(bytes).into_owned())),
                Err(_) => return values,
            }
        }
    }
    values
}

impl ServerError {
    /// `with_state`: an error before the end of the handshake may carry none.
    pub(super) fn parse(packet: &[u8], with_state: bool) -> io::Result<Self> {
        let mut reader = Reader::new(packet.get(1..).unwrap_or_default());
        let code = reader.u16()?;
        let mut state = String::new();
        if reader.peek() == Some(b'#') {
            state = String::from_utf8_lossy(reader.take(6)?.get(1..).unwrap_or_default()).into();
        } else if with_state {
            return Err(broken(format!("error {code} has no SQLSTATE")));
        }
        let message = String::from_utf8_lossy(reader.rest()).into_owned();
        Ok(Self { code, state, message })
    }
}

impl Column {
    pub(crate) fn parse(packet: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(packet);
        if reader.lenenc_bytes()? != b"def" {
            return Err(broken("the catalog of a column is not `def`"));
        }
        let mut column = Self {
            schema: reader.lenenc_text()?,
            table: reader.lenenc_text()?,
            org_table: reader.lenenc_text()?,
            name: reader.lenenc_text()?,
            org_name: reader.lenenc_text()?,
            ..Self::default()
        };
        reader.lenenc()?;
        column.charset = reader.u16()?;
        column.length = reader.u32()?;
        column.kind = reader.u8()?;
        column.flags = reader.u16()?;
        column.decimals = reader.u8()?;
        Ok(column)
    }
}

impl Done {
    fn parse_ok(packet: &[u8], capabilities: u32) -> io::Result<Self> {
        let mut reader = Reader::new(packet.get(1..).unwrap_or_default());
        let mut done = Self {
            affected: reader.lenenc()?,
            last_insert_id: reader.lenenc()?,
            status: reader.u16()?,
            warnings: reader.u16()?,
            ..Self::default()
        };
        if capabilities & capability::SESSION_TRACK == 0 {
            // MySQL writes the length even without session tracking; the text itself may not be there.
            let rest = reader.rest();
            let info = match rest.split_first() {
                Some((length, text)) if usize::from(*length) == text.len() => text,
                _ => rest,
            };
            done.info = String::from_utf8_lossy(info).into_owned();
        } else if reader.peek().is_some() {
            done.info = reader.lenenc_text()?;
            if done.status & 0x4000 != 0 {
                done.track = reader.lenenc_bytes()?.to_vec();
            }
        }
        Ok(done)
    }

    fn parse_eof(packet: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(packet.get(1..).unwrap_or_default());
        let warnings = reader.u16()?;
        let status = reader.u16()?;
        Ok(Self { warnings, status, ..Self::default() })
    }
}

pub(crate) fn ok_or_error(packet: &[u8], capabilities: u32) -> io::Result<Reply> {
    match packet.first() {
        Some(0xff) => Ok(Reply::Error(ServerError::parse(packet, true)?)),
        Some(0x00) => Ok(Reply::Done(Done::parse_ok(packet, capabilities)?)),
        // `COM_SET_OPTION` answers with EOF, or with OK under that mark.
        Some(0xfe) if capabilities & capability::DEPRECATE_EOF == 0 || packet.len() < 7 => {
            Ok(Reply::Done(Done::parse_eof(packet)?))
        }
        Some(0xfe) => Ok(Reply::Done(Done::parse_ok(packet, capabilities)?)),
        _ => Err(broken(format!("neither OK nor ERR: {packet:?}"))),
    }
}

pub(crate) fn row_or_end(packet: &[u8], capabilities: u32) -> io::Result<Item> {
    let deprecated = capabilities & capability::DEPRECATE_EOF != 0;
    match packet.first() {
        Some(0xff) => Ok(Item::Error(ServerError::parse(packet, true)?)),
        Some(0xfe) if deprecated && packet.len() < 0xff_ffff => {
            Ok(Item::End(Done::parse_ok(packet, capabilities)?))
        }
        Some(0xfe) if !deprecated && packet.len() < 9 => Ok(Item::End(Done::parse_eof(packet)?)),
        _ => Ok(Item::Row),
    }
}

pub(super) fn greeting(packet: &[u8]) -> io::Result<Greeting> {
    let mut reader = Reader::new(packet);
    if reader.u8()? != 10 {
        return Err(broken("the greeting is not of protocol 10"));
    }
    let mut greeting = Greeting {
        version: String::from_utf8_lossy(reader.null_terminated()?).into_owned(),
        connection_id: reader.u32()?,
        salt: reader.take(8)?.to_vec(),
        ..Greeting::default()
    };
    reader.u8()?;
    greeting.capabilities = u32::from(reader.u16()?);
    reader.u8()?;
    greeting.status = reader.u16()?;
    greeting.capabilities |= u32::from(reader.u16()?) << 16;
    let length = usize::from(reader.u8()?);
    reader.take(10)?;
    greeting.salt.extend_from_slice(reader.take(length.max(21).saturating_sub(9))?);
    reader.u8()?;
    greeting.plugin = String::from_utf8_lossy(reader.null_terminated()?).into_owned();
    Ok(greeting)
}

/// Reads the fields of a packet; running out of bytes is an error.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (head, tail) =
            self.bytes.split_at_checked(count).ok_or_else(|| broken("the packet is too short"))?;
        self.bytes = tail;
        Ok(head)
    }

    fn integer(&mut self, width: usize) -> io::Result<u64> {
        let bytes = self.take(width)?;
        Ok(bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    pub(crate) fn u8(&mut self) -> io::Result<u8> {
        self.integer(1).map(|value| value as u8)
    }

    pub(crate) fn u16(&mut self) -> io::Result<u16> {
        self.integer(2).map(|value| value as u16)
    }

    pub(crate) fn u32(&mut self) -> io::Result<u32> {
        self.integer(4).map(|value| value as u32)
    }

    pub(crate) fn lenenc(&mut self) -> io::Result<u64> {
        match self.u8()? {
            0xfc => self.integer(2),
            0xfd => self.integer(3),
            0xfe => self.integer(8),
            small => Ok(u64::from(small)),
        }
    }

    pub(crate) fn lenenc_bytes(&mut self) -> io::Result<&'a [u8]> {
        let length = self.lenenc()?;
        self.take(usize::try_from(length).map_err(|_| broken("length"))?)
    }

    fn lenenc_text(&mut self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(self.lenenc_bytes()?).into_owned())
    }

    pub(crate) fn null_terminated(&mut self) -> io::Result<&'a [u8]> {
        let end = self.bytes.iter().position(|byte| *byte == 0);
        let text = self.take(end.unwrap_or(self.bytes.len()))?;
        if end.is_some() {
            self.take(1)?;
        }
        Ok(text)
    }
}
