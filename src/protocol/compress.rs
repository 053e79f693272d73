//! The compressed protocol: after the login, the stream of frames travels in packets of its own, each
//! with a header of seven bytes and at most [`PAYLOAD_MAX`] bytes of the stream, by zlib, by zstd, or as
//! they are.

use bytes::{Buf, BufMut, BytesMut};
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::read::Reader;
use super::write::put_u24;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of a compressed packet's header: its length, its number, and the length of what is in it.
pub const HEADER_LEN: usize = 7;
/// The most bytes of the stream in one compressed packet.
pub const PAYLOAD_MAX: usize = 0xff_ffff;
/// Fewer bytes go as they are.
const COMPRESSED_MIN: usize = 50;
/// A packet may hold more than one payload and its headers.
const SLACK: usize = 64 << 10;
/// What a client of zlib cannot choose.
pub const ZLIB_LEVEL: u8 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Zlib,
    Zstd,
}

impl Algorithm {
    /// The highest level; the lowest is 1.
    pub fn level_max(self) -> u8 {
        match self {
            Self::Zlib => 9,
            Self::Zstd => 22,
        }
    }

    /// What MySQL takes where none is named.
    pub fn level_default(self) -> u8 {
        match self {
            Self::Zlib => ZLIB_LEVEL,
            Self::Zstd => 3,
        }
    }

    /// As in MySQL's status variable `Compression_algorithm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
        }
    }
}

/// What both sides have agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    pub algorithm: Algorithm,
    /// From 1 to [`Algorithm::level_max`]; what is received may be of any.
    pub level: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Client,
    /// Servers count on where several commands are sent at once, so their numbers are not looked at.
    Server,
}

/// Both directions of one connection, without its I/O: what is received is unpacked, what is packed is
/// to be sent.
pub struct Layer {
    compression: Compression,
    peer: Peer,
    /// What has come and is not unpacked yet.
    pub received: BytesMut,
    /// What is to be sent.
    pub packed: BytesMut,
    /// The number of the next packet that is packed.
    seq: u8,
    /// The number that is due from the other side.
    due: u8,
    expects_answer: bool,
    /// Made when they are needed, since a connection that rests should hold neither.
    packer: Option<Packer>,
    unpacker: Option<Unpacker>,
}

enum Packer {
    Zlib(Compress),
    Zstd(zstd::bulk::Compressor<'static>),
}

enum Unpacker {
    Zlib(Decompress),
    Zstd(zstd::bulk::Decompressor<'static>),
}

struct Header {
    len: usize,
    seq: u8,
    /// 0: the bytes are as they are.
    unpacked_len: usize,
}

impl Layer {
    /// Towards a client. `received` is what has come behind its login.
    pub fn of_client(compression: Compression, received: BytesMut) -> Self {
        Self::new(compression, Peer::Client, received)
    }

    /// Towards a server. `received` is what has come behind its OK.
    pub fn of_server(compression: Compression, received: BytesMut) -> Self {
        Self::new(compression, Peer::Server, received)
    }

    fn new(compression: Compression, peer: Peer, received: BytesMut) -> Self {
        Self {
            compression,
            peer,
            received,
            packed: BytesMut::new(),
            seq: 0,
            due: 0,
            expects_answer: false,
            packer: None,
            unpacker: None,
        }
    }

    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// What is packed next begins a command.
    pub fn begin_command(&mut self) {
        self.seq = 0;
    }

    /// What is packed next answers what was unpacked last.
    pub fn begin_answer(&mut self) {
        self.seq = self.due;
    }

    /// What is packed next answers a command that is still to come.
    pub fn answer_ahead(&mut self) {
        self.seq = 1;
    }

    /// The other side is to answer what is packed until [`Self::settle`].
    pub fn expect_answer(&mut self) {
        self.expects_answer = true;
    }

    /// All that was put has been packed.
    pub fn settle(&mut self) {
        if std::mem::take(&mut self.expects_answer) {
            self.due = self.seq;
        }
    }

    /// Gives back all memory but that of what is under way.
    pub fn rest(&mut self) {
        (self.packer, self.unpacker) = (None, None);
        for buffer in [&mut self.received, &mut self.packed] {
            if buffer.is_empty() {
                *buffer = BytesMut::new();
            }
        }
    }

    /// How many bytes at least [`Self::unpack`] lacks.
    pub fn missing(&self) -> usize {
        let whole = self.header().map_or(HEADER_LEN, |header| HEADER_LEN + header.len);
        whole.saturating_sub(self.received.len())
    }

    fn header(&self) -> Option<Header> {
        let mut reader = Reader::new(&self.received);
        let len = reader.u24().ok()? as usize;
        let seq = reader.u8().ok()?;
        let unpacked_len = reader.u24().ok()? as usize;
        Some(Header { len, seq, unpacked_len })
    }

    /// Moves the content of the next received packet to the end of `out`. False: it has not come whole.
    ///
    /// # Errors
    /// `PacketTooLarge` if it holds more than a payload of `max_allowed_packet` bytes may need, told by
    /// its header; `Protocol` if it is out of order or its content is not what the header says.
    pub fn unpack(&mut self, out: &mut BytesMut, max_allowed_packet: usize) -> Result<bool> {
        let Some(header) = self.header() else { return Ok(false) };
        let (len, unpacked_len) = (header.len, header.unpacked_len);
        if len.max(unpacked_len) > max_allowed_packet.saturating_add(SLACK) {
            let message = format!(
                "compressed packet of {} bytes is over limits.max_allowed_packet = {max_allowed_packet}",
                len.max(unpacked_len)
            );
            return Err(Error::new(ErrorKind::PacketTooLarge, message));
        }
        // A client begins each command with 0, also those that it sends ahead.
        if self.peer == Peer::Client && header.seq != self.due && header.seq != 0 {
            return Err(Error::protocol(format!(
                "packets out of order: compressed packet {} where {} was due",
                header.seq, self.due
            )));
        }
        if self.received.len() < HEADER_LEN + len {
            return Ok(false);
        }
        self.received.advance(HEADER_LEN);
        let content = self.received.split_to(len);
        self.due = header.seq.wrapping_add(1);
        if self.peer == Peer::Server {
            // Unless a command is next, it answers this.
            self.seq = self.due;
        }
        match unpacked_len {
            0 if out.is_empty() => *out = content,
            0 => out.unsplit(content),
            _ => self.inflate(&content, unpacked_len, out)?,
        }
        Ok(true)
    }

    fn inflate(&mut self, content: &[u8], len: usize, out: &mut BytesMut) -> Result<()> {
        let unpacker = match &mut self.unpacker {
            Some(unpacker) => unpacker,
            none @ None => none.insert(Unpacker::new(self.compression.algorithm)?),
        };
        let start = out.len();
        out.resize(start + len, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        if unpacker.unpack(content, room) {
            return Ok(());
        }
        out.truncate(start);
        Err(Error::protocol(format!(
            "malformed compressed packet: it does not hold {len} bytes by {}",
            self.compression.algorithm.name()
        )))
    }

    /// Packs a part of the stream, in several packets if it is long.
    pub fn pack(&mut self, part: &[u8]) -> Result<()> {
        part.chunks(PAYLOAD_MAX).try_for_each(|chunk| self.pack_one(chunk))
    }

    fn pack_one(&mut self, chunk: &[u8]) -> Result<()> {
        let start = self.packed.len();
        let deflated = match chunk.len() < COMPRESSED_MIN {
            true => None,
            false => self.deflate(chunk)?,
        };
        let header = match deflated {
            Some(len) => [len, chunk.len()],
            None => {
                self.packed.put_bytes(0, HEADER_LEN);
                self.packed.put_slice(chunk);
                [chunk.len(), 0]
            }
        };
        let mut bytes = BytesMut::with_capacity(HEADER_LEN);
        put_u24(&mut bytes, header[0] as u32);
        bytes.put_u8(self.seq);
        put_u24(&mut bytes, header[1] as u32);
        if let Some(place) = self.packed.get_mut(start..start + HEADER_LEN) {
            place.copy_from_slice(&bytes);
        }
        self.seq = self.seq.wrapping_add(1);
        Ok(())
    }

    /// Appends room for a header and the compressed bytes, and gives their number. `None`, and nothing
    /// is appended, if they are no fewer.
    fn deflate(&mut self, chunk: &[u8]) -> Result<Option<usize>> {
        let packer = match &mut self.packer {
            Some(packer) => packer,
            none @ None => none.insert(Packer::new(self.compression)?),
        };
        let start = self.packed.len();
        // Bytes that do not fit here would be too many to be worth it.
        self.packed.resize(start + HEADER_LEN + chunk.len() - 1, 0);
        let room = self.packed.get_mut(start + HEADER_LEN..).unwrap_or_default();
        let len = packer.pack(chunk, room);
        self.packed.truncate(len.map_or(start, |len| start + HEADER_LEN + len));
        Ok(len)
    }
}

impl Packer {
    fn new(compression: Compression) -> Result<Self> {
        let level = compression.level;
        Ok(match compression.algorithm {
            Algorithm::Zlib => {
                Self::Zlib(Compress::new(flate2::Compression::new(level.into()), true))
            }
            Algorithm::Zstd => {
                Self::Zstd(zstd::bulk::Compressor::new(level.into()).map_err(unusable)?)
            }
        })
    }

    /// The number of bytes, if they fit.
    fn pack(&mut self, chunk: &[u8], room: &mut [u8]) -> Option<usize> {
        match self {
            Self::Zlib(zlib) => {
                zlib.reset();
                let status = zlib.compress(chunk, room, FlushCompress::Finish).ok()?;
                let len = usize::try_from(zlib.total_out()).ok()?;
                (status == Status::StreamEnd).then_some(len)
            }
            Self::Zstd(zstd) => zstd.compress_to_buffer(chunk, room).ok(),
        }
    }
}

impl Unpacker {
    fn new(algorithm: Algorithm) -> Result<Self> {
        Ok(match algorithm {
            Algorithm::Zlib => Self::Zlib(Decompress::new(true)),
            Algorithm::Zstd => Self::Zstd(zstd::bulk::Decompressor::new().map_err(unusable)?),
        })
    }

    /// Whether the content fills the room exactly and ends there.
    fn unpack(&mut self, content: &[u8], room: &mut [u8]) -> bool {
        match self {
            Self::Zlib(zlib) => {
                zlib.reset(true);
                let status = zlib.decompress(content, room, FlushDecompress::Finish);
                matches!(status, Ok(Status::StreamEnd))
                    && zlib.total_in() == content.len() as u64
                    && zlib.total_out() == room.len() as u64
            }
            Self::Zstd(zstd) => {
                zstd.decompress_to_buffer(content, room).is_ok_and(|len| len == room.len())
            }
        }
    }
}

fn unusable(error: std::io::Error) -> Error {
    Error::internal("no compression by zstd").with_source(error)
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer").field("compression", &self.compression).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
