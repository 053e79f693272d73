//! The two families of servers.

use std::fmt;

/// The family of a server: both speak the protocol, each has its own options and replication words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavor {
    MySql,
    MariaDb,
}

impl Flavor {
    /// Reads what `mysqld --version` prints.
    pub(crate) fn of_version(text: &str) -> Self {
        if text.contains("MariaDB") { Self::MariaDb } else { Self::MySql }
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        })
    }
}
