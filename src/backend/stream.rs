//! The bytes of a connection, encrypted or not.

use std::io;
use std::os::fd::AsFd;

use bytes::BytesMut;
use futures_util::FutureExt;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Connects to `host:port`, resolving the host.
    pub(super) async fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::Plain(stream))
    }

    /// Goes on encrypted. `address` tells the name that the certificate is for.
    pub(super) async fn encrypt(self, tls: &TlsConnector, address: &str) -> io::Result<Self> {
        let Self::Plain(stream) = self else { return Ok(self) };
        let name = ServerName::try_from(host(address).to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Self::Tls(Box::new(tls.connect(name, stream).await?)))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Appends what has come. 0 bytes: the server has closed the connection.
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read_buf(buffer).await,
            Self::Tls(stream) => stream.read_buf(buffer).await,
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Has the runtime of this thread look after it. Nothing may be under way on it.
    pub(super) fn move_here(&mut self) -> io::Result<()> {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_mut().0,
        };
        // A copy of the descriptor, for the stream cannot be taken out of its encryption.
        let copy = stream.as_fd().try_clone_to_owned()?;
        *stream = TcpStream::from_std(copy.into())?;
        Ok(())
    }

    /// Nothing has come since the last read, not even the end. A server that nothing was asked of says
    /// something only to close the connection. Looks without waiting.
    pub(super) fn is_quiet(&self) -> bool {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        };
        stream.peek(&mut [0]).now_or_never().is_none()
    }
}

/// The host of `host:port`; an IPv6 address without its brackets.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::host;

    fn check(address: &str, expect: &str) {
        assert_eq!(host(address), expect);
    }

    #[test]
    fn hosts_of_addresses() {
        check("db.example:3306", "db.example");
        check("[::1]:3306", "::1");
        check("db.example", "db.example");
    }
}
