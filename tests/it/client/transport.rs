//! The bytes under the packets: plain, over TLS, compressed, or both.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::broken;

/// A client's side of the compressed protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Zlib,
    /// By this level.
    Zstd(u8),
}

#[derive(Debug)]
pub(super) struct Transport {
    socket: TcpStream,
    tls: Option<Box<StreamOwned<ClientConnection, TcpStream>>>,
    packed: Option<Packed>,
}

#[derive(Debug)]
struct Packed {
    packing: Packing,
    /// The number of the next packet, there or back.
    number: u8,
    /// What was unpacked and is not read yet.
    unread: Vec<u8>,
    at: usize,
    /// The most bytes of the stream in one packet.
    part_max: usize,
    /// Compressed bytes that came.
    came: usize,
}

impl Transport {
    pub(super) fn connect(address: &str) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(120)))?;
        socket.set_write_timeout(Some(Duration::from_secs(120)))?;
        Ok(Self { socket, tls: None, packed: None })
    }

    pub(super) fn limit_waits(&self, limit: Duration) -> io::Result<()> {
        self.socket.set_read_timeout(Some(limit))
    }

    pub(super) fn start_tls(&mut self, config: &Arc<ClientConfig>, name: &str) -> io::Result<()> {
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        let mut stream = Box::new(StreamOwned::new(connection, self.socket.try_clone()?));
        stream.conn.complete_io(&mut stream.sock)?;
        self.tls = Some(stream);
        Ok(())
    }

    pub(super) fn tls_version(&self) -> Option<String> {
        Some(format!("{:?}", self.tls.as_ref()?.conn.protocol_version()?))
    }

    pub(super) fn start_packing(&mut self, packing: Packing) {
        let part_max = 0xff_ffff;
        let (unread, at, came) = (Vec::new(), 0, 0);
        self.packed = Some(Packed { packing, number: 0, unread, at, part_max, came });
    }

    pub(super) fn limit_parts(&mut self, part_max: usize) {
        if let Some(packed) = &mut self.packed {
            packed.part_max = part_max;
        }
    }

    /// Bytes of compressed packets that have come so far.
    pub(super) fn packed_bytes(&self) -> Option<usize> {
        self.packed.as_ref().map(|packed| packed.came)
    }

    /// The numbers of compressed packets begin anew.
    pub(super) fn begin_command(&mut self) {
        if let Some(packed) = &mut self.packed {
            packed.number = 0;
        }
    }

    /// Past the compression.
    pub(super) fn write_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => {
                tls.write_all(bytes)?;
                tls.flush()
            }
            None => self.socket.write_all(bytes),
        }
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(packed) = &mut self.packed else { return self.write_raw(bytes) };
        let mut wire = Vec::new();
        for part in bytes.chunks(packed.part_max) {
            packed.put(part, &mut wire)?;
        }
        self.write_raw(&wire)
    }

    pub(super) fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        if self.packed.is_none() {
            return self.read_raw(bytes);
        }
        let mut filled = 0;
        while filled < bytes.len() {
            let packed = self.packed.as_mut().ok_or_else(|| broken("no compression"))?;
            let left = &packed.unread[packed.at..];
            let len = left.len().min(bytes.len() - filled);
            bytes[filled..filled + len].copy_from_slice(&left[..len]);
            (filled, packed.at) = (filled + len, packed.at + len);
            if filled < bytes.len() {
                self.read_packed()?;
            }
        }
        Ok(())
    }

    fn read_raw(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.read_exact(bytes),
            None => self.socket.read_exact(bytes),
        }
    }

    fn read_packed(&mut self) -> io::Result<()> {
        let mut header = [0; 7];
        self.read_raw(&mut header)?;
        let number = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], 0]) as usize
        };
        let mut content = vec![0; number(0)];
        self.read_raw(&mut content)?;
        let packed = self.packed.as_mut().ok_or_else(|| broken("no compression"))?;
        if header[3] != packed.number {
            let message =
                format!("compressed packet {} came instead of {}", header[3], packed.number);
            return Err(broken(message));
        }
        packed.number = packed.number.wrapping_add(1);
        packed.came += header.len() + content.len();
        packed.at = 0;
        packed.unread = match number(4) {
            0 => content,
            length => packed.unpack(&content, length)?,
        };
        Ok(())
    }
}

impl Packed {
    fn put(&mut self, part: &[u8], wire: &mut Vec<u8>) -> io::Result<()> {
        let content = match self.packing {
            _ if part.len() < 50 => None,
            Packing::Zlib => {
                let mut zlib = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                zlib.write_all(part)?;
                Some(zlib.finish()?)
            }
            Packing::Zstd(level) => Some(zstd::encode_all(part, i32::from(level))?),
        };
        let (content, length) = match &content {
            Some(content) => (content.as_slice(), part.len()),
            None => (part, 0),
        };
        let three = |number: usize| number.to_le_bytes().into_iter().take(3);
        wire.extend(three(content.len()));
        wire.push(self.number);
        wire.extend(three(length));
        wire.extend_from_slice(content);
        self.number = self.number.wrapping_add(1);
        Ok(())
    }

    fn unpack(&self, content: &[u8], length: usize) -> io::Result<Vec<u8>> {
        let mut unpacked = Vec::with_capacity(length);
        match self.packing {
            Packing::Zlib => drop(ZlibDecoder::new(content).read_to_end(&mut unpacked)?),
            Packing::Zstd(_) => unpacked = zstd::decode_all(content)?,
        }
        match unpacked.len() == length {
            true => Ok(unpacked),
            false => Err(broken(format!("{} bytes instead of {length}", unpacked.len()))),
        }
    }
}
