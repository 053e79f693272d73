//! Packets over the stream of one connection: buffers, deadlines, and what a failure is called.

use std::io;
use std::sync::Arc;
use std::thread::{self, ThreadId};

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

use crate::backend::stream::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::compress::{Compression, Layer};
use crate::protocol::packet::{Assembler, HEADER_LEN, Header};

/// What a read asks room for: a few small results at once, and no more for a connection that rests.
const READ_SIZE: usize = 16 << 10;
/// What a read asks room for in the middle of a large result, after doubling.
const READ_SIZE_MAX: usize = 256 << 10;
/// A write buffer that grew beyond this is given back after the write.
const WRITE_KEPT: usize = 1 << 20;
/// How much is compressed at a time: between two parts, other connections have their turn.
const PACK_SIZE: usize = 256 << 10;

/// When waiting for a server ends, and which setting says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    pub at: Instant,
    /// For the error's text, like `health.timeout`.
    pub setting: &'static str,
}

#[derive(Debug)]
pub(super) struct Channel {
    stream: Stream,
    inbound: BytesMut,
    pub(super) outbound: BytesMut,
    /// Between the buffers and the stream.
    compression: Option<Box<Layer>>,
    pub(super) assembler: Assembler,
    /// What the next read asks room for. It doubles as long as reads fill it.
    read_size: usize,
    /// The server's name in errors.
    node: Arc<str>,
    deadline: Option<Deadline>,
    /// The thread whose runtime looks after the stream.
    home: ThreadId,
    /// Nothing more can be said: the other end is gone, or we do not know where in its words we are.
    broken: bool,
}

impl Channel {
    pub(super) fn new(stream: Stream, node: Arc<str>, max_allowed_packet: usize) -> Self {
        Self {
            stream,
            inbound: BytesMut::new(),
            outbound: BytesMut::new(),
            compression: None,
            assembler: Assembler::of_server(max_allowed_packet),
            read_size: READ_SIZE,
            node,
            deadline: None,
            home: thread::current().id(),
            broken: false,
        }
    }

    /// Whether the runtime of this thread looks after it: what comes wakes no other thread.
    pub(super) fn is_at_home(&self, thread: ThreadId) -> bool {
        self.home == thread
    }

    /// Has the runtime of this thread look after it. False: that failed, and the channel is broken.
    pub(super) fn move_home(&mut self) -> bool {
        let here = thread::current().id();
        if self.home != here {
            match self.stream.move_here() {
                Ok(()) => self.home = here,
                Err(error) => {
                    tracing::debug!(node = %self.node, %error, "connection not taken over");
                    self.broken = true;
                }
            }
        }
        !self.broken
    }

    /// Goes on encrypted.
    pub(super) async fn encrypt(
        self,
        tls: &tokio_rustls::TlsConnector,
        address: &str,
    ) -> Result<Self> {
        // Bytes in front of the encryption may be anyone's.
        if !self.inbound.is_empty() {
            return Err(Error::protocol(format!("{}: bytes before TLS began", self.node)));
        }
        let stream = self.stream.encrypt(tls, address).await.map_err(|error| {
            Error::new(ErrorKind::NoBackend, format!("{}: TLS failed", self.node))
                .with_source(error)
        })?;
        Ok(Self { stream, ..self })
    }

    /// Goes on compressed, after the login.
    pub(super) fn start_compression(&mut self, compression: Compression) {
        let received = std::mem::take(&mut self.inbound);
        self.compression = Some(Box::new(Layer::of_server(compression, received)));
        self.assembler.accept_any_number();
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(super) fn node(&self) -> &Arc<str> {
        &self.node
    }

    pub(super) fn set_deadline(&mut self, deadline: Option<Deadline>) {
        self.deadline = deadline;
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn break_off(&mut self) {
        self.broken = true;
    }

    /// The server has said nothing that was not read, not even goodbye.
    pub(super) fn is_quiet(&self) -> bool {
        let is_drained = |layer: &Layer| layer.received.is_empty();
        !self.broken
            && self.inbound.is_empty()
            && self.compression.as_deref().is_none_or(is_drained)
            && self.stream.is_quiet()
    }

    /// Sends all that is queued: whole commands.
    pub(super) async fn flush(&mut self) -> Result<()> {
        self.send(true).await
    }

    /// Sends all that is queued: more of an exchange that a command has begun.
    pub(super) async fn flush_more(&mut self) -> Result<()> {
        self.send(false).await
    }

    async fn send(&mut self, are_commands: bool) -> Result<()> {
        if self.outbound.is_empty() {
            return Ok(());
        }
        if self.broken {
            return Err(self.lost(None));
        }
        // A write that is dropped halfway leaves it so.
        self.broken = true;
        let Self { stream, outbound, compression, .. } = self;
        let write = async {
            match compression {
                None => stream.write(outbound).await,
                Some(layer) => write_packed(stream, layer, outbound, are_commands).await,
            }
        };
        match within(self.deadline, write).await {
            Some(Ok(())) => self.broken = false,
            Some(Err(error)) => return Err(self.lost(Some(error))),
            None => return Err(self.timed_out()),
        }
        self.outbound.clear();
        if self.outbound.capacity() > WRITE_KEPT {
            self.outbound = BytesMut::new();
        }
        Ok(())
    }

    /// The next logical payload.
    pub(super) async fn read(&mut self) -> Result<Bytes> {
        loop {
            match self.assembler.next(&mut self.inbound) {
                Ok(Some(payload)) => return Ok(payload),
                Ok(None) => self.fill(self.assembler.missing()).await?,
                Err(error) => {
                    self.broken = true;
                    return Err(error.context(&self.node));
                }
            }
        }
    }

    /// The header of the next frame and the first byte behind it, without consuming anything.
    /// `None`: an empty frame.
    pub(super) async fn peek(&mut self) -> Result<(Header, Option<u8>)> {
        loop {
            if let Some(header) = Header::peek(&self.inbound)
                && (header.len == 0 || self.inbound.len() > HEADER_LEN)
            {
                return Ok((header, self.inbound.get(HEADER_LEN).copied()));
            }
            self.fill(HEADER_LEN + 1).await?;
        }
    }

    /// What has come and was not read.
    pub(super) fn inbound(&mut self) -> &mut BytesMut {
        &mut self.inbound
    }

    /// Reads once, with room for at least `missing` bytes.
    pub(super) async fn fill(&mut self, missing: usize) -> Result<()> {
        if self.compression.is_some() {
            return self.fill_unpacked().await;
        }
        self.receive(missing).await
    }

    /// Unpacks the next of what has come, reading until it is whole.
    async fn fill_unpacked(&mut self) -> Result<()> {
        let limit = self.assembler.max_allowed_packet();
        while let Some(layer) = &mut self.compression {
            match layer.unpack(&mut self.inbound, limit) {
                Ok(true) => break,
                Ok(false) => {
                    let missing = layer.missing();
                    self.receive(missing).await?;
                }
                Err(error) => {
                    self.broken = true;
                    return Err(error.context(&self.node));
                }
            }
        }
        Ok(())
    }

    /// Reads once from the stream.
    async fn receive(&mut self, missing: usize) -> Result<()> {
        if self.broken {
            return Err(self.lost(None));
        }
        let buffer = match &mut self.compression {
            None => &mut self.inbound,
            Some(layer) => &mut layer.received,
        };
        buffer.reserve(missing.max(self.read_size));
        let room = buffer.capacity() - buffer.len();
        match within(self.deadline, self.stream.read(buffer)).await {
            Some(Ok(0)) => Err(self.lost(Some(io::ErrorKind::UnexpectedEof.into()))),
            Some(Ok(read)) => {
                if read == room {
                    self.read_size = (2 * self.read_size).min(READ_SIZE_MAX);
                }
                Ok(())
            }
            Some(Err(error)) => Err(self.lost(Some(error))),
            None => Err(self.timed_out()),
        }
    }

    /// Gives back what a large result took.
    pub(super) fn rest(&mut self) {
        self.read_size = READ_SIZE;
        if self.inbound.is_empty() && self.inbound.capacity() > READ_SIZE {
            self.inbound = BytesMut::new();
        }
        if let Some(layer) = &mut self.compression {
            layer.rest();
        }
    }

    fn lost(&mut self, error: Option<io::Error>) -> Error {
        self.broken = true;
        let lost = Error::new(
            ErrorKind::BackendLost,
            format!("lost the connection to {} while a statement ran", self.node),
        );
        match error {
            Some(error) => lost.with_source(error),
            None => lost,
        }
    }

    fn timed_out(&mut self) -> Error {
        self.broken = true;
        let setting = self.deadline.map_or("", |deadline| deadline.setting);
        let message = format!("{} has not answered in time: {setting}", self.node);
        Error::new(ErrorKind::Timeout, message)
    }
}

/// Each command begins a compressed packet of its own: a server that finds two in one numbers the second
/// reply unlike clients do.
async fn write_packed(
    stream: &mut Stream,
    layer: &mut Layer,
    bytes: &[u8],
    are_commands: bool,
) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (command, others) = rest.split_at(command_len(rest));
        if are_commands {
            layer.begin_command();
        }
        for part in command.chunks(PACK_SIZE) {
            layer.pack(part).map_err(io::Error::other)?;
            if layer.packed.len() >= PACK_SIZE {
                stream.write(&layer.packed).await?;
                layer.packed.clear();
            }
        }
        rest = others;
    }
    stream.write(&layer.packed).await?;
    layer.packed.clear();
    if layer.packed.capacity() > WRITE_KEPT {
        layer.packed = BytesMut::new();
    }
    Ok(())
}

/// Bytes of the first command with all its frames.
fn command_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    while let Some(header) = bytes.get(len..).and_then(Header::peek) {
        len += HEADER_LEN + header.len;
        if header.last() {
            break;
        }
    }
    if len == 0 { bytes.len() } else { len.min(bytes.len()) }
}

/// `None` when the deadline comes first.
async fn within<T>(deadline: Option<Deadline>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => timeout_at(deadline.at, work).await.ok(),
        None => Some(work.await),
    }
}
