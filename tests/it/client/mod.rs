//! A small blocking MySQL client that shows what is on the wire: raw rows, raw column definitions,
//! every field of OK and ERR packets. Nothing of it comes from the crate under test.

mod auth;
pub(crate) mod reply;
pub(crate) mod transport;
pub(crate) mod value;

use std::io::{self, Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use reply::{Column, Reader, Reply, Rows, ServerError};
use transport::{Packing, Transport};
use value::Value;

const CHUNK_BYTES: usize = 0xff_ffff;

/// Capability bits of the protocol.
pub(crate) mod capability {
    pub(crate) const LONG_PASSWORD: u32 = 1;
    pub(crate) const FOUND_ROWS: u32 = 1 << 1;
    pub(crate) const LONG_FLAG: u32 = 1 << 2;
    pub(crate) const CONNECT_WITH_DB: u32 = 1 << 3;
    pub(crate) const COMPRESS: u32 = 1 << 5;
    pub(crate) const LOCAL_FILES: u32 = 1 << 7;
    pub(crate) const PROTOCOL_41: u32 = 1 << 9;
    pub(crate) const SSL: u32 = 1 << 11;
    pub(crate) const TRANSACTIONS: u32 = 1 << 13;
    pub(crate) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(crate) const MULTI_STATEMENTS: u32 = 1 << 16;
    pub(crate) const MULTI_RESULTS: u32 = 1 << 17;
    pub(crate) const PS_MULTI_RESULTS: u32 = 1 << 18;
    pub(crate) const PLUGIN_AUTH: u32 = 1 << 19;
    pub(crate) const CONNECT_ATTRS: u32 = 1 << 20;
    pub(crate) const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
    pub(crate) const SESSION_TRACK: u32 = 1 << 23;
    pub(crate) const DEPRECATE_EOF: u32 = 1 << 24;
    pub(crate) const ZSTD: u32 = 1 << 26;

    /// What drivers of today ask for.
    pub(crate) const USUAL: u32 = LONG_PASSWORD
        | LONG_FLAG
        | PROTOCOL_41
        | TRANSACTIONS
        | SECURE_CONNECTION
        | MULTI_RESULTS
        | PS_MULTI_RESULTS
        | PLUGIN_AUTH
        | PLUGIN_AUTH_LENENC
        | DEPRECATE_EOF;
}

/// Command bytes of the protocol.
pub(crate) mod command {
    pub(crate) const QUIT: u8 = 0x01;
    pub(crate) const INIT_DB: u8 = 0x02;
    pub(crate) const QUERY: u8 = 0x03;
    pub(crate) const FIELD_LIST: u8 = 0x04;
    pub(crate) const STATISTICS: u8 = 0x09;
    pub(crate) const PROCESS_INFO: u8 = 0x0a;
    pub(crate) const PING: u8 = 0x0e;
    pub(crate) const CHANGE_USER: u8 = 0x11;
    pub(crate) const STMT_PREPARE: u8 = 0x16;
    pub(crate) const STMT_EXECUTE: u8 = 0x17;
    pub(crate) const STMT_SEND_LONG_DATA: u8 = 0x18;
    pub(crate) const STMT_CLOSE: u8 = 0x19;
    pub(crate) const STMT_RESET: u8 = 0x1a;
    pub(crate) const SET_OPTION: u8 = 0x1b;
    pub(crate) const STMT_FETCH: u8 = 0x1c;
    pub(crate) const RESET_CONNECTION: u8 = 0x1f;
}

/// How to log in.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) address: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) schema: Option<String>,
    pub(crate) capabilities: u32,
    /// The plugin to name and answer with, instead of the one that the server offers.
    pub(crate) plugin: Option<String>,
    /// The number of the collation of the connection.
    pub(crate) collation: u8,
    /// How the connection is compressed after the login.
    pub(crate) packing: Option<Packing>,
    /// How it is encrypted.
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
}

impl Login {
    pub(crate) fn new(address: impl Into<String>, user: &str, password: &str) -> Self {
        Self {
            address: address.into(),
            user: user.to_owned(),
            password: password.to_owned(),
            schema: None,
            capabilities: capability::USUAL,
            plugin: None,
            collation: 45,
            packing: None,
            tls: None,
        }
    }

    #[must_use]
    pub(crate) fn schema(mut self, schema: &str) -> Self {
        self.schema = Some(schema.to_owned());
        self
    }

    #[must_use]
    pub(crate) fn with(mut self, capabilities: u32) -> Self {
        self.capabilities |= capabilities;
        self
    }

    #[must_use]
    pub(crate) fn without(mut self, capabilities: u32) -> Self {
        self.capabilities &= !capabilities;
        self
    }

    #[must_use]
    pub(crate) fn packing(mut self, packing: Packing) -> Self {
        self.packing = Some(packing);
        self
    }

    #[must_use]
    pub(crate) fn plugin(mut self, plugin: &str) -> Self {
        self.plugin = Some(plugin.to_owned());
        self
    }
}

/// What the server says first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Greeting {
    pub(crate) version: String,
    pub(crate) connection_id: u32,
    pub(crate) salt: Vec<u8>,
    pub(crate) capabilities: u32,
    pub(crate) status: u16,
    pub(crate) plugin: String,
}

/// A logged-in connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: Transport,
    sequence: u8,
    capabilities: u32,
    pub(crate) greeting: Greeting,
}

/// A prepared statement.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) id: u32,
    pub(crate) params: usize,
    pub(crate) columns: Vec<Column>,
    pub(crate) warnings: u16,
}

/// Why there is no connection: the server said so, or the network did.
#[derive(Debug)]
pub(crate) enum Refused {
    Server(ServerError),
    Io(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Io(error)
    }
}

pub(crate) fn broken(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, message.into())
}

impl Client {
    /// Connects and reads the greeting, no more.
    pub(crate) fn greet(address: &str) -> Result<Self, Refused> {
        let stream = Transport::connect(address)?;
        let mut client =
            Self { stream, sequence: 0, capabilities: 0, greeting: Greeting::default() };
        let packet = client.read_packet()?;
        if packet.first() == Some(&0xff) {
            return Err(Refused::Server(ServerError::parse(&packet, false)?));
        }
        client.greeting = reply::greeting(&packet)?;
        Ok(client)
    }

    pub(crate) fn connect(login: &Login) -> Result<Self, Refused> {
        let mut client = Self::greet(&login.address)?;
        client.log_in(login)?;
        Ok(client)
    }

    /// Connects, or fails the test.
    pub(crate) fn open(login: &Login) -> Self {
        match Self::connect(login) {
            Ok(client) => client,
            Err(error) => panic!("cannot log in to {}: {error:?}", login.address),
        }
    }

    /// Waits for an answer no longer than this.
    pub(crate) fn limit_waits(&self, limit: Duration) -> io::Result<()> {
        self.stream.limit_waits(limit)
    }

    /// The most bytes of the stream in one compressed packet.
    pub(crate) fn limit_parts(&mut self, part_max: usize) {
        self.stream.limit_parts(part_max);
    }

    /// Bytes of compressed packets that have come so far; `None` without compression.
    pub(crate) fn packed_bytes(&self) -> Option<usize> {
        self.stream.packed_bytes()
    }

    /// Such as `TLSv1_3`; `None` without TLS.
    pub(crate) fn tls_version(&self) -> Option<String> {
        self.stream.tls_version()
    }

    fn log_in(&mut self, login: &Login) -> Result<(), Refused> {
        let mut wanted = login.capabilities;
        if login.schema.is_some() {
            wanted |= capability::CONNECT_WITH_DB;
        }
        match login.packing {
            Some(Packing::Zlib) => wanted |= capability::COMPRESS,
            Some(Packing::Zstd(_)) => wanted |= capability::ZSTD,
            None => {}
        }
        self.capabilities = wanted & self.greeting.capabilities;
        if let Some(config) = &login.tls {
            self.capabilities |= capability::SSL;
            self.write_packet(&auth::ssl_request(login, self.capabilities))?;
            self.stream.start_tls(config, "localhost")?;
        }
        let plugin = login.plugin.clone().unwrap_or_else(|| self.greeting.plugin.clone());
        let proof = auth::scramble(&plugin, &login.password, &self.greeting.salt)?;
        let packet = auth::handshake_response(login, self.capabilities, &plugin, &proof);
        self.write_packet(&packet)?;
        self.finish_auth(plugin, &login.password)?;
        if let Some(packing) = login.packing {
            if self.capabilities & (capability::COMPRESS | capability::ZSTD) == 0 {
                return Err(broken("the server does not offer the compression").into());
            }
            self.stream.start_packing(packing);
        }
        Ok(())
    }

    /// Answers what the server asks until it says OK.
    fn finish_auth(&mut self, mut plugin: String, password: &str) -> Result<(), Refused> {
        let mut salt = self.greeting.salt.clone();
        loop {
            let packet = self.read_packet()?;
            match packet.first() {
                Some(0x00) => return Ok(()),
                Some(0xff) => return Err(Refused::Server(ServerError::parse(&packet, true)?)),
                Some(0xfe) => {
                    let mut reader = Reader::new(packet.get(1..).unwrap_or_default());
                    plugin = String::from_utf8_lossy(reader.null_terminated()?).into_owned();
                    salt = reader.rest().to_vec();
                    salt.truncate(20);
                    let proof = auth::scramble(&plugin, password, &salt)?;
                    self.write_packet(&proof)?;
                }
                // More data: caching_sha2_password has cached the password, or wants all of it.
                Some(0x01) => match packet.get(1) {
                    Some(3) => {}
                    Some(4) if self.tls_version().is_some() => {
                        self.write_packet(&[password.as_bytes(), b"\0"].concat())?;
                    }
                    Some(4) => {
                        self.write_packet(&[2])?;
                        let key = self.read_packet()?;
                        let secret =
                            auth::encrypt(password, &salt, key.get(1..).unwrap_or_default())?;
                        self.write_packet(&secret)?;
                    }
                    _ => return Err(broken(format!("{plugin} sent {packet:?}")).into()),
                },
                _ => return Err(broken("unexpected packet in the handshake").into()),
            }
        }
    }

    pub(crate) fn query(&mut self, sql: &str) -> io::Result<Vec<Reply>> {
        self.command(command::QUERY, sql.as_bytes())?;
        self.read_replies()
    }

    /// Runs LOAD DATA LOCAL with a file of these pieces. Gives the name of the file, which is
    /// empty if the server did not ask for it.
    pub(crate) fn load(
        &mut self,
        sql: &str,
        pieces: impl IntoIterator<Item = Vec<u8>>,
    ) -> io::Result<(Vec<u8>, Vec<Reply>)> {
        self.command(command::QUERY, sql.as_bytes())?;
        let first = self.read_packet()?;
        match first.split_first() {
            Some((0xfb, name)) => {
                let name = name.to_vec();
                for piece in pieces {
                    self.write_packet(&piece)?;
                }
                self.write_packet(&[])?;
                Ok((name, self.read_replies()?))
            }
            _ => Ok((Vec::new(), vec![reply::ok_or_error(&first, self.capabilities)?])),
        }
    }

    /// Runs a statement that must not fail.
    pub(crate) fn run(&mut self, sql: &str) -> Vec<Reply> {
        let replies = self
            .query(sql)
            .unwrap_or_else(|error| panic!("connection broke at {sql:.200}: {error}"));
        if let Some(Reply::Error(error)) = replies.last() {
            panic!("{sql:.200}: {error}");
        }
        replies
    }

    /// The rows of a statement that must give some, as text; NULL is `None`.
    pub(crate) fn rows(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        match self.run(sql).pop() {
            Some(Reply::Rows(rows)) => rows.text(),
            other => panic!("{sql}: no rows but {other:?}"),
        }
    }

    /// The first column of the first row, as text.
    pub(crate) fn value(&mut self, sql: &str) -> String {
        let rows = self.rows(sql);
        let value = rows.into_iter().next().and_then(|row| row.into_iter().next().flatten());
        value.unwrap_or_else(|| panic!("{sql}: no value"))
    }

    /// Runs a statement that must fail.
    pub(crate) fn error(&mut self, sql: &str) -> ServerError {
        match self.query(sql).map(|mut replies| replies.pop()) {
            Ok(Some(Reply::Error(error))) => error,
            other => panic!("{sql}: no error but {other:?}"),
        }
    }

    pub(crate) fn prepare(&mut self, sql: &str) -> io::Result<Result<Prepared, ServerError>> {
        self.command(command::STMT_PREPARE, sql.as_bytes())?;
        let packet = self.read_packet()?;
        if packet.first() == Some(&0xff) {
            return Ok(Err(ServerError::parse(&packet, true)?));
        }
        let mut reader = Reader::new(packet.get(1..).unwrap_or_default());
        let id = reader.u32()?;
        let columns = reader.u16()?;
        let params = reader.u16()?;
        reader.u8()?;
        let warnings = reader.u16()?;
        self.read_columns(usize::from(params))?;
        let columns = self.read_columns(usize::from(columns))?;
        Ok(Ok(Prepared { id, params: usize::from(params), columns, warnings }))
    }

    pub(crate) fn execute(
        &mut self,
        statement: &Prepared,
        values: &[Value],
    ) -> io::Result<Vec<Reply>> {
        self.send_execute(statement.id, values, 0)?;
        self.read_replies()
    }

    /// `flags` is 1 to open a read-only cursor.
    pub(crate) fn send_execute(&mut self, id: u32, values: &[Value], flags: u8) -> io::Result<()> {
        let mut body = id.to_le_bytes().to_vec();
        body.push(flags);
        body.extend_from_slice(&1_u32.to_le_bytes());
        value::encode_all(values, &mut body);
        self.command(command::STMT_EXECUTE, &body)
    }

    pub(crate) fn close(&mut self, statement: &Prepared) -> io::Result<()> {
        self.command(command::STMT_CLOSE, &statement.id.to_le_bytes())
    }

    /// Sends a command that answers with one OK or ERR packet.
    pub(crate) fn simple(&mut self, command: u8, body: &[u8]) -> io::Result<Reply> {
        self.command(command, body)?;
        let packet = self.read_packet()?;
        reply::ok_or_error(&packet, self.capabilities)
    }

    /// `COM_CHANGE_USER`, with the whole exchange.
    pub(crate) fn change_user(&mut self, login: &Login) -> Result<(), Refused> {
        let plugin = self.greeting.plugin.clone();
        let proof = auth::scramble(&plugin, &login.password, &self.greeting.salt)?;
        let body = auth::change_user(login, &plugin, &proof);
        self.command(command::CHANGE_USER, &body)?;
        self.finish_auth(plugin, &login.password)
    }

    /// Starts a command: the sequence begins anew.
    pub(crate) fn command(&mut self, command: u8, body: &[u8]) -> io::Result<()> {
        self.sequence = 0;
        self.stream.begin_command();
        let mut packet = Vec::with_capacity(body.len() + 1);
        packet.push(command);
        packet.extend_from_slice(body);
        self.write_packet(&packet)
    }

    pub(crate) fn write_packet(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut rest = payload;
        let mut framed = Vec::with_capacity(payload.len() + 8);
        loop {
            let (chunk, after) = rest.split_at(rest.len().min(CHUNK_BYTES));
            let length = u32::try_from(chunk.len()).map_err(|_| broken("chunk"))?.to_le_bytes();
            framed.extend_from_slice(&[length[0], length[1], length[2], self.sequence]);
            framed.extend_from_slice(chunk);
            self.sequence = self.sequence.wrapping_add(1);
            rest = after;
            if chunk.len() < CHUNK_BYTES {
                return self.stream.write_all(&framed);
            }
        }
    }

    /// Bytes were written by [`Self::write_raw`]: the number of the packet that answers them.
    pub(crate) fn expect_number(&mut self, number: u8) {
        self.sequence = number;
    }

    /// A packet with whatever number, behind bytes that were written by [`Self::write_raw`].
    pub(crate) fn read_numbered(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header)?;
        let length = u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload)?;
        Ok((header[3], payload))
    }

    pub(crate) fn write_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_raw(bytes)
    }

    /// One logical packet: the chunks of a long one joined. Checks the sequence numbers.
    pub(crate) fn read_packet(&mut self) -> io::Result<Vec<u8>> {
        let mut payload = Vec::new();
        loop {
            let mut header = [0; 4];
            self.stream.read_exact(&mut header)?;
            let length = u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
            if header[3] != self.sequence {
                let message = format!("packet {} came instead of {}", header[3], self.sequence);
                return Err(broken(message));
            }
            self.sequence = self.sequence.wrapping_add(1);
            let start = payload.len();
            payload.resize(start + length, 0);
            self.stream.read_exact(&mut payload[start..])?;
            if length < CHUNK_BYTES {
                return Ok(payload);
            }
        }
    }

    /// All results of a statement.
    pub(crate) fn read_replies(&mut self) -> io::Result<Vec<Reply>> {
        let mut replies = Vec::new();
        loop {
            let reply = self.read_reply()?;
            let more = reply.more_results();
            replies.push(reply);
            if !more {
                return Ok(replies);
            }
        }
    }

    fn read_reply(&mut self) -> io::Result<Reply> {
        let first = self.read_packet()?;
        if matches!(first.first(), Some(0x00 | 0xff)) {
            return reply::ok_or_error(&first, self.capabilities);
        }
        let count = Reader::new(&first).lenenc()?;
        let count = usize::try_from(count).map_err(|_| broken("column count"))?;
        let columns = self.read_columns(count)?;
        let mut rows = Rows { columns, packets: Vec::new(), end: reply::Done::default() };
        loop {
            let packet = self.read_packet()?;
            match reply::row_or_end(&packet, self.capabilities)? {
                reply::Item::Row => rows.packets.push(packet),
                reply::Item::End(end) => {
                    rows.end = end;
                    return Ok(Reply::Rows(rows));
                }
                reply::Item::Error(error) => return Ok(Reply::Error(error)),
            }
        }
    }

    /// Reads the head of a result set and leaves the rows to the caller.
    pub(crate) fn read_head(&mut self) -> io::Result<Vec<Column>> {
        let first = self.read_packet()?;
        if matches!(first.first(), Some(0x00 | 0xff)) {
            return Err(broken(format!("{:?}", reply::ok_or_error(&first, self.capabilities)?)));
        }
        let count = Reader::new(&first).lenenc()?;
        self.read_columns(usize::try_from(count).map_err(|_| broken("column count"))?)
    }

    /// The next packet of a result set read by [`Self::read_head`].
    pub(crate) fn read_item(&mut self) -> io::Result<(reply::Item, Vec<u8>)> {
        let packet = self.read_packet()?;
        Ok((reply::row_or_end(&packet, self.capabilities)?, packet))
    }

    fn read_columns(&mut self, count: usize) -> io::Result<Vec<Column>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut columns = Vec::new();
        for _ in 0..count {
            columns.push(Column::parse(&self.read_packet()?)?);
        }
        if self.capabilities & capability::DEPRECATE_EOF == 0 {
            self.read_packet()?;
        }
        Ok(columns)
    }

    pub(crate) fn capabilities(&self) -> u32 {
        self.capabilities
    }
}
