//! Status variables that tell of the client's own connection, in what a server answers for its own.

use bytes::{Bytes, BytesMut};

use super::Session;
use super::identity::Identity;
use crate::error::Result;
use crate::execute::Reply;
use crate::execute::reply::Rows;
use crate::protocol::row::{TextValues, put_text_value};

impl Session {
    /// SHOW SESSION STATUS of the server at home, but for what it says of its connection to Margay. Such
    /// results are small.
    pub(super) async fn show_session_status(&mut self, text: &[u8]) -> Result<Reply> {
        let reply = self.run_at_home(text).await?;
        let Reply::Rows(mut result) = reply else { return Ok(reply) };
        let columns = std::mem::take(&mut result.columns).into_vec();
        let mut rows = Vec::new();
        let outcome = loop {
            match result.next().await {
                Ok(Some(row)) => rows.push(own_row(&self.identity, row)),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.finish(&mut result, rows.len() as u64, outcome.as_ref().err());
        outcome?;
        Ok(Reply::Rows(Rows::local(columns, rows)))
    }
}

/// A row of name and value, with the value of the client's connection if it is of one.
fn own_row(identity: &Identity, row: Bytes) -> Bytes {
    let mut values = TextValues::new(&row);
    let (Some(Ok(Some(name))), Some(Ok(_)), None) = (values.next(), values.next(), values.next())
    else {
        return row;
    };
    let Some(value) = own_value(identity, name) else { return row };
    let mut own = BytesMut::new();
    put_text_value(&mut own, Some(name));
    put_text_value(&mut own, Some(value.as_bytes()));
    own.freeze()
}

/// `None` if the variable is not of a connection.
fn own_value(identity: &Identity, name: &[u8]) -> Option<String> {
    let compression = identity.compression;
    let (version, cipher) = identity.encryption.clone().unwrap_or_default();
    match name.to_ascii_lowercase().as_slice() {
        b"compression" => Some(if compression.is_some() { "ON" } else { "OFF" }.to_owned()),
        b"compression_algorithm" => {
            let name = compression.map(|compression| compression.algorithm.name());
            Some(name.unwrap_or_default().to_owned())
        }
        b"compression_level" => {
            Some(compression.map_or(0, |compression| compression.level).to_string())
        }
        b"ssl_version" => Some(version),
        b"ssl_cipher" => Some(cipher),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::capability::CapabilityFlags;
    use crate::protocol::compress::{Algorithm, Compression};

    fn check(identity: &Identity, name: &str, expect: &str) {
        let mut row = BytesMut::new();
        put_text_value(&mut row, Some(name.as_bytes()));
        put_text_value(&mut row, Some(b"the server's"));
        let own = own_row(identity, row.freeze());
        let values: Vec<_> = TextValues::new(&own).map(|value| value.unwrap().unwrap()).collect();
        assert_eq!(values, [name.as_bytes(), expect.as_bytes()]);
    }

    #[test]
    fn values() {
        let mut identity = Identity {
            connection_id: 1,
            user: "app".into(),
            host: "127.0.0.1".into(),
            peer: "127.0.0.1:1".into(),
            capabilities: CapabilityFlags::empty(),
            collation: 45,
            encryption: None,
            compression: None,
        };
        check(&identity, "Compression", "OFF");
        check(&identity, "Compression_algorithm", "");
        check(&identity, "Compression_level", "0");
        check(&identity, "Ssl_cipher", "");
        check(&identity, "Uptime", "the server's");
        identity.compression = Some(Compression { algorithm: Algorithm::Zstd, level: 7 });
        identity.encryption = Some(("TLSv1.3".into(), "TLS_AES_256_GCM_SHA384".into()));
        check(&identity, "Compression", "ON");
        check(&identity, "Compression_algorithm", "zstd");
        check(&identity, "Compression_level", "7");
        check(&identity, "Ssl_version", "TLSv1.3");
        check(&identity, "Ssl_cipher", "TLS_AES_256_GCM_SHA384");
    }
}
