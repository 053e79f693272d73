//! The file of LOAD DATA LOCAL, sent to a server.

use crate::backend::connection::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::capability::CapabilityFlags;
use crate::protocol::packet::put_packet;
use crate::protocol::reply::{OkPacket, ReplyHead};

/// Bytes of a packet: less than every server takes.
const PACKET_LEN: usize = 64 << 10;
/// Bytes that are sent at once.
const FLUSH_LEN: usize = 256 << 10;

/// A file that a server has asked for. It is read to its end by [`Upload::finish`]; if that is not called,
/// the connection is of no use any more.
pub struct Upload<'c> {
    connection: &'c mut Connection,
    /// The sequence number of its next packet.
    seq: u8,
}

impl Connection {
    /// The server may be sent files, if it is set up for it.
    pub fn takes_files(&self) -> bool {
        self.capabilities.contains(CapabilityFlags::CLIENT_LOCAL_FILES)
    }

    /// Answers a request for a file by none, and reads what the server makes of it.
    pub(super) async fn send_no_file(&mut self) -> Result<()> {
        let mut seq = self.channel.assembler.next_seq();
        put_packet(&mut self.channel.outbound, &mut seq, &[]);
        self.channel.flush_more().await?;
        self.channel.assembler.set_next_seq(seq);
        self.read_head().await.map(drop)
    }

    /// Sends LOAD DATA LOCAL. The server asks for the file, or refuses the statement.
    ///
    /// # Errors
    /// The server's own; that of a lost connection.
    pub async fn upload(&mut self, statement: &[u8]) -> Result<Upload<'_>> {
        self.queue_query(statement)?;
        self.flush().await?;
        self.begin_reply().await?;
        let payload = self.channel.read().await?;
        let head = ReplyHead::parse(&payload, self.capabilities);
        match head.map_err(|error| self.malformed(error))? {
            ReplyHead::LocalInfile(_) => {
                let seq = self.channel.assembler.next_seq();
                Ok(Upload { connection: self, seq })
            }
            ReplyHead::Err(_) => Err(disabled(self.server_error(&payload), self)),
            ReplyHead::Ok(_) | ReplyHead::Columns(_) => {
                let error = Error::protocol("no request for the file of LOAD DATA LOCAL");
                Err(self.malformed(error))
            }
        }
    }
}

impl Upload<'_> {
    /// Sends more of the file. It waits while the server does not take it.
    ///
    /// # Errors
    /// That of a lost connection.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        for some in bytes.chunks(FLUSH_LEN) {
            for packet in some.chunks(PACKET_LEN) {
                put_packet(&mut self.connection.channel.outbound, &mut self.seq, packet);
            }
            self.connection.channel.flush_more().await?;
        }
        Ok(())
    }

    /// Ends the file and reads what the server made of it.
    ///
    /// # Errors
    /// The server's own; that of a lost connection.
    pub async fn finish(mut self) -> Result<OkPacket> {
        let connection = self.connection;
        put_packet(&mut connection.channel.outbound, &mut self.seq, &[]);
        connection.channel.flush_more().await?;
        connection.channel.assembler.set_next_seq(self.seq);
        let head = connection.read_head().await?;
        match head {
            ReplyHead::Ok(ok) => Ok(ok),
            ReplyHead::Err(error) => Err(Error::server(error)),
            ReplyHead::Columns(_) | ReplyHead::LocalInfile(_) => {
                let error = Error::protocol("no counts behind the file of LOAD DATA LOCAL");
                Err(connection.refuse_packet(error))
            }
        }
    }
}

/// The error of a server that takes no files says which one it is.
fn disabled(error: Error, connection: &Connection) -> Error {
    const DISABLED: [u16; 3] = [1148, 3948, 4166];
    match error.kind() {
        ErrorKind::Server(own) if DISABLED.contains(&own.code) => {
            let mut own = own.clone();
            let node = connection.node_name();
            let text = String::from_utf8_lossy(&own.message);
            own.message = format!("{node}: {text}; set local_infile = ON on the server").into();
            Error::server(own)
        }
        _ => error,
    }
}
