//! The stream of packets from and to one client, plain or over TLS, compressed or not.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::ready;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::io::poll_read_buf;

use super::places::Place;
use super::tls::{self, PeerNames};
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::protocol::auth::Salt;
use crate::protocol::capability::CapabilityFlags;
use crate::protocol::compress::{Compression, Layer};
use crate::protocol::packet::{Assembler, HEADER_LEN, Header, put_packet, put_packet_with};
use crate::protocol::reply::{OkPacket, put_err};

/// Bytes asked of the socket at a time.
const READ_LEN: usize = 8 * 1024;
/// As long as nothing of a command is there: an idle connection keeps no more, and most commands are shorter.
const READ_LEN_AT_REST: usize = 1024;
/// The out-buffer is sent on when it passes this many bytes.
const OUT_LEN_MAX: usize = 64 * 1024;
/// Rows of fewer bytes are copied into the out-buffer; more are sent from where they were read.
const COPY_LEN_MAX: usize = 2 * 1024;
/// Rows of so many bytes are sent at once, so that the memory they lie in is free for more.
const CHUNK_LEN_MAX: usize = 32 * 1024;
/// How much of the next commands is read while one runs.
const AHEAD_LEN_MAX: usize = 64 * 1024;
/// How much is compressed at a time: between two parts, other connections have their turn.
const PACK_LEN: usize = 256 * 1024;

/// A client's connection. Reading is cancel-safe: a read given up (at a timeout, say) loses nothing.
#[derive(Debug)]
pub struct ClientStream {
    socket: Socket,
    assembler: Assembler,
    input: BytesMut,
    out: BytesMut,
    /// Rows that go out in the midst of the out-buffer, in front of its byte number `chunk_at`.
    chunk: BytesMut,
    chunk_at: usize,
    /// Between the buffers and the socket.
    compression: Option<Box<Layer>>,
    /// The sequence number of the next packet to the client.
    seq: u8,
    /// What the greeting told the client to mix with its password.
    salt: Salt,
    /// Among the connections of its user.
    place: Option<Place>,
}

#[derive(Debug)]
enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl ClientStream {
    /// Takes a connection that has just been accepted.
    pub fn new(socket: TcpStream) -> Self {
        // Replies leave whole; a socket that cannot be told so still works.
        let _ = socket.set_nodelay(true);
        Self {
            socket: Socket::Plain(socket),
            assembler: Assembler::of_client(0),
            input: BytesMut::new(),
            out: BytesMut::new(),
            chunk: BytesMut::new(),
            chunk_at: 0,
            compression: None,
            seq: 0,
            salt: Salt::default(),
            place: None,
        }
    }

    pub(super) fn salt(&self) -> Salt {
        self.salt
    }

    pub(super) fn set_salt(&mut self, salt: Salt) {
        self.salt = salt;
    }

    pub(super) fn set_place(&mut self, place: Option<Place>) {
        self.place = place;
    }

    pub fn is_tls(&self) -> bool {
        matches!(self.socket, Socket::Tls(_))
    }

    /// Version and cipher of TLS, as servers name them.
    pub(super) fn encryption(&self) -> Option<(String, String)> {
        match &self.socket {
            Socket::Plain(_) => None,
            Socket::Tls(socket) => {
                let connection = socket.get_ref().1;
                let version = tls::version_name(connection.protocol_version()?);
                Some((version, tls::cipher_name(connection.negotiated_cipher_suite()?.suite())))
            }
        }
    }

    /// What the client's certificate says, if it has shown one.
    pub(super) fn peer_names(&self) -> Option<PeerNames> {
        match &self.socket {
            Socket::Plain(_) => None,
            Socket::Tls(socket) => PeerNames::of(socket.get_ref().1.peer_certificates()?.first()?),
        }
    }

    /// The next command: a packet with sequence number 0. `max_allowed_packet` bounds its payload, in
    /// bytes. Fails with kind `ClientGone` at the end of the stream.
    pub async fn read_command(&mut self, max_allowed_packet: usize) -> Result<Bytes> {
        if !self.assembler.in_middle() {
            self.assembler.set_next_seq(0);
        }
        self.read_packet(max_allowed_packet).await
    }

    /// The next packet of an exchange under way: of a login, or of the file of LOAD DATA LOCAL.
    pub async fn read_packet(&mut self, max_allowed_packet: usize) -> Result<Bytes> {
        self.assembler.set_max_allowed_packet(max_allowed_packet);
        loop {
            let next = self.assembler.next(&mut self.input);
            if !matches!(next, Ok(None)) {
                self.begin_answer(next.is_err());
            }
            if let Some(payload) = next? {
                return Ok(payload);
            }
            let room = match self.input.is_empty() && !self.assembler.in_middle() {
                true => READ_LEN_AT_REST,
                // Doubling at most: a header alone must not make room for what it announces.
                false => self.assembler.missing().clamp(READ_LEN, READ_LEN.max(self.input.len())),
            };
            self.fill(room).await?;
        }
    }

    /// What is put next answers what was read last, or the frame at hand if that is refused.
    fn begin_answer(&mut self, is_refused: bool) {
        self.seq = self.assembler.next_seq().wrapping_add(u8::from(is_refused));
        if let Some(layer) = &mut self.compression {
            layer.begin_answer();
        }
    }

    /// As [`Self::read_packet`], but takes no byte behind the packet from the socket: what follows
    /// a request for TLS belongs to TLS.
    pub(super) async fn read_packet_alone(&mut self, len_max: usize) -> Result<Bytes> {
        self.assembler.set_max_allowed_packet(len_max);
        loop {
            if let Some(payload) = self.assembler.next(&mut self.input)? {
                self.seq = self.assembler.next_seq();
                return Ok(payload);
            }
            let missing = self.assembler.missing();
            self.input.reserve(missing);
            let mut exact = (&mut self.input).limit(missing);
            let Socket::Plain(socket) = &mut self.socket else {
                return Err(Error::internal("a second request for TLS on one connection"));
            };
            let read = socket.read_buf(&mut exact).await;
            check_read(read)?;
        }
    }

    /// Reads once, with room for so many bytes.
    async fn fill(&mut self, room: usize) -> Result<()> {
        let Some(layer) = &mut self.compression else {
            return self.socket.read(&mut self.input, room).await;
        };
        let limit = self.assembler.max_allowed_packet();
        while !layer.unpack(&mut self.input, limit)? {
            let room = layer.missing().clamp(READ_LEN, READ_LEN.max(layer.received.len()));
            self.socket.read(&mut layer.received, room).await?;
        }
        Ok(())
    }

    /// Ends once the client has closed its connection, and says how. Meanwhile some of the commands
    /// that the client sends ahead are read, up to a limit; a client that goes beyond it is not seen
    /// to close. Cancel-safe: for `select!` with a statement.
    pub async fn gone(&mut self) -> Error {
        while self.input.len() < AHEAD_LEN_MAX {
            if let Err(error) = self.fill(READ_LEN_AT_REST).await {
                return error;
            }
        }
        std::future::pending().await
    }

    /// The sequence number of the next packet to the client. For a reply it counts on from the
    /// command.
    pub fn next_seq(&self) -> u8 {
        self.seq
    }

    /// Adds a packet to the out-buffer.
    pub fn put(&mut self, payload: &[u8]) {
        put_packet(&mut self.out, &mut self.seq, payload);
    }

    /// Adds a packet whose payload `build` writes in place.
    pub fn put_with(&mut self, build: impl FnOnce(&mut BytesMut)) {
        put_packet_with(&mut self.out, &mut self.seq, build);
    }

    /// Adds the OK packet of a statement without rows. `capabilities` are those of the login.
    pub fn put_ok(&mut self, ok: &OkPacket, capabilities: CapabilityFlags) {
        self.put_with(|out| ok.put(out, capabilities));
    }

    /// Adds the ERR packet of an error.
    pub fn put_error(&mut self, error: &Error, capabilities: CapabilityFlags) {
        let (code, state, message) = error.mysql();
        let error = ServerError { code, state, message };
        self.put_with(|out| put_err(out, &error, capabilities));
    }

    /// What is put next answers the command that the client will send: for the error that ends an
    /// idle connection.
    pub fn answer_ahead(&mut self) {
        self.seq = 1;
        if let Some(layer) = &mut self.compression {
            layer.answer_ahead();
        }
    }

    /// Adds whole small frames, headers included, whose numbers are replaced.
    pub fn put_framed(&mut self, frames: &[u8]) {
        let start = self.out.len();
        self.out.extend_from_slice(frames);
        let mut rest = self.out.get_mut(start..).unwrap_or_default();
        while let Some(header) = Header::peek(rest)
            && let Some((frame, tail)) = rest.split_at_mut_checked(HEADER_LEN + header.len)
        {
            if let Some(seq) = frame.get_mut(HEADER_LEN - 1) {
                *seq = self.seq;
            }
            self.seq = self.seq.wrapping_add(1);
            rest = tail;
        }
    }

    /// Adds whole frames that are numbered from [`Self::next_seq`] on; `next_seq` is the number behind
    /// them. Should be sent before more is put if the out-buffer [is full](Self::is_full) then.
    pub fn put_frames(&mut self, frames: BytesMut, next_seq: u8) {
        self.seq = next_seq;
        if frames.len() <= COPY_LEN_MAX || !self.chunk.is_empty() || self.compression.is_some() {
            self.out.extend_from_slice(&frames);
        } else {
            self.chunk = frames;
            self.chunk_at = self.out.len();
        }
    }

    /// The assembler expects the client to answer the packets put so far.
    pub fn expect_answer(&mut self) {
        self.assembler.set_next_seq(self.seq);
        if let Some(layer) = &mut self.compression {
            layer.expect_answer();
        }
    }

    /// The out-buffer is so full that it should be sent before more is put.
    pub fn is_full(&self) -> bool {
        self.out.len() + self.chunk.len() >= OUT_LEN_MAX || self.chunk.len() >= CHUNK_LEN_MAX
    }

    /// Sends the out-buffer if it [is full](Self::is_full). Waits while the client does not take
    /// what it asked for.
    pub async fn relieve(&mut self) -> Result<()> {
        if self.is_full() { self.flush().await } else { Ok(()) }
    }

    /// Adds a packet, and sends the out-buffer if it is full.
    pub async fn write(&mut self, payload: &[u8]) -> Result<()> {
        self.put(payload);
        self.relieve().await
    }

    /// Sends all that was put. Cancel-safe: the next flush goes on where this one stopped.
    pub async fn flush(&mut self) -> Result<()> {
        if self.compression.is_some() {
            return self.flush_packed().await;
        }
        while !self.chunk.is_empty() {
            let (before, behind) = self.out.split_at_checked(self.chunk_at).unwrap_or_default();
            let slices = [before, &self.chunk, behind].map(IoSlice::new);
            let written = match &mut self.socket {
                Socket::Plain(socket) => socket.write_vectored(&slices).await,
                Socket::Tls(socket) => {
                    let next = if before.is_empty() { &self.chunk } else { before };
                    socket.write(next).await
                }
            };
            self.written(check_write(written)?);
        }
        // Given back at once: more is about to be read into its place.
        self.chunk = BytesMut::new();
        self.socket.write_all(&mut self.out).await?;
        if self.out.capacity() > 2 * OUT_LEN_MAX {
            self.out = BytesMut::new();
        }
        Ok(())
    }

    /// As [`Self::flush`], part by part. There is no chunk.
    async fn flush_packed(&mut self) -> Result<()> {
        let Some(layer) = &mut self.compression else { return Ok(()) };
        loop {
            self.socket.write_all(&mut layer.packed).await?;
            if self.out.is_empty() {
                break;
            }
            let part = self.out.split_to(self.out.len().min(PACK_LEN));
            layer.pack(&part)?;
        }
        layer.settle();
        if layer.packed.capacity() > 2 * OUT_LEN_MAX {
            layer.packed = BytesMut::new();
        }
        Ok(())
    }

    /// Takes off what was sent of the out-buffer with its chunk.
    fn written(&mut self, len: usize) {
        let before = len.min(self.chunk_at);
        let chunk = (len - before).min(self.chunk.len());
        self.out.advance(before);
        self.chunk_at -= before;
        self.chunk.advance(chunk);
        self.out.advance(len - before - chunk);
    }

    /// Gives all memory of empty buffers back: for a connection that has been idle for a while.
    pub fn release_buffers(&mut self) {
        for buffer in [&mut self.input, &mut self.out] {
            if buffer.is_empty() {
                *buffer = BytesMut::new();
            }
        }
        if let Some(layer) = &mut self.compression {
            layer.rest();
        }
    }

    /// Sends what was put and closes the connection in order. What fails now matters to no one.
    pub async fn close(mut self) {
        let _ = self.flush().await;
        let _ = match &mut self.socket {
            Socket::Plain(socket) => socket.shutdown().await,
            Socket::Tls(socket) => socket.shutdown().await,
        };
    }

    /// Goes on compressed, both ways: once the client has been told that its login succeeded.
    pub(super) fn start_compression(&mut self, compression: Compression) {
        let received = std::mem::take(&mut self.input);
        self.compression = Some(Box::new(Layer::of_client(compression, received)));
        self.assembler.accept_any_number();
    }

    /// Goes on over TLS. Bytes that were read ahead would be lost, so there must be none.
    pub(super) async fn start_tls(mut self, config: Arc<ServerConfig>) -> Result<Self> {
        if !self.input.is_empty() {
            return Err(Error::new(
                ErrorKind::Handshake,
                "data between the request for TLS and TLS",
            ));
        }
        let Socket::Plain(socket) = self.socket else {
            return Err(Error::internal("TLS started twice on one connection"));
        };
        let accept = Box::pin(TlsAcceptor::from(config).accept(socket));
        self.socket = Socket::Tls(Box::new(accept.await.map_err(gone)?));
        Ok(self)
    }
}

impl Socket {
    /// Reads once. Room is made when there is something to read: a client that rests needs none.
    async fn read(&mut self, input: &mut BytesMut, room: usize) -> Result<()> {
        if input.is_empty() && input.capacity() > READ_LEN_AT_REST {
            *input = BytesMut::new();
        }
        let read = match self {
            Self::Plain(socket) => {
                poll_fn(|context| {
                    ready!(socket.poll_read_ready(context))?;
                    input.reserve(room);
                    // Unlike `try_read_buf` it knows from a short read that nothing is left.
                    poll_read_buf(Pin::new(&mut *socket), context, input)
                })
                .await
            }
            Self::Tls(socket) => {
                input.reserve(room);
                socket.read_buf(input).await
            }
        };
        check_read(read)
    }

    /// Sends a buffer, from which it takes what was sent.
    async fn write_all(&mut self, out: &mut BytesMut) -> Result<()> {
        while !out.is_empty() {
            let written = match self {
                Self::Plain(socket) => socket.write(out).await,
                Self::Tls(socket) => socket.write(out).await,
            };
            match check_write(written)? {
                // Advancing would leave the room in front unused.
                len if len == out.len() => out.clear(),
                len => out.advance(len),
            }
        }
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(socket) => socket.flush().await.map_err(gone),
        }
    }
}

fn check_read(read: io::Result<usize>) -> Result<()> {
    match read {
        Ok(0) => Err(Error::new(ErrorKind::ClientGone, "the client closed the connection")),
        Ok(_) => Ok(()),
        Err(error) => Err(gone(error)),
    }
}

fn check_write(written: io::Result<usize>) -> Result<usize> {
    match written {
        Ok(0) => Err(gone(io::ErrorKind::WriteZero.into())),
        Ok(len) => Ok(len),
        Err(error) => Err(gone(error)),
    }
}

fn gone(error: io::Error) -> Error {
    Error::new(ErrorKind::ClientGone, "the connection to the client broke").with_source(error)
}

#[cfg(test)]
mod tests;
