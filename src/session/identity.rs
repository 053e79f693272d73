//! Who a client is.

use crate::protocol::capability::CapabilityFlags;
use crate::protocol::compress::Compression;

#[derive(Debug, Clone)]
pub struct Identity {
    pub connection_id: u32,
    pub user: String,
    /// The client's address without its port.
    pub host: String,
    /// With the port, for SHOW PROCESSLIST.
    pub peer: String,
    pub capabilities: CapabilityFlags,
    /// The collation of the handshake.
    pub collation: u16,
    /// Version and cipher of TLS, as servers name them.
    pub encryption: Option<(String, String)>,
    pub compression: Option<Compression>,
}

impl Identity {
    /// UPDATE counts rows that it found, not rows that it changed.
    pub(super) fn found_rows(&self) -> bool {
        self.capabilities.contains(CapabilityFlags::CLIENT_FOUND_ROWS)
    }

    /// `'app'@'%'`
    pub(super) fn quoted_account(&self) -> String {
        format!("'{}'@'%'", self.user)
    }
}
