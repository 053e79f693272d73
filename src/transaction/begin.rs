//! How a transaction begins, on the first server that it touches and on further ones.

use super::machine::Sort;
use super::xid::Xid;
use crate::sql::quote;

/// How a transaction begins.
#[derive(Debug, Clone, Default)]
pub struct Begin {
    pub read_only: bool,
    pub snapshot: bool,
    /// For this transaction only, such as `READ COMMITTED`.
    pub isolation: Option<String>,
    /// Begun by a statement without autocommit, not by BEGIN.
    pub implied: bool,
    /// `SET TRANSACTION READ ONLY | READ WRITE` for this transaction only.
    pub access: Option<bool>,
    /// LOCK TABLES is in force, which START TRANSACTION would end: the connections are without
    /// autocommit instead.
    pub locked: bool,
}

impl Begin {
    /// Something but the server's defaults is asked for.
    pub fn is_special(&self) -> bool {
        self.isolation.is_some() || self.access.is_some()
    }

    /// Nothing can be written: there is nothing to agree on at the end.
    pub fn is_read_only(&self) -> bool {
        self.read_only || self.access == Some(true)
    }

    pub(super) fn sort(&self) -> Sort {
        match (self.is_read_only(), self.locked) {
            (true, _) => Sort::ReadOnly,
            (false, true) => Sort::UnderLocks,
            (false, false) => Sort::Plain,
        }
    }

    /// What opens a local transaction.
    pub(super) fn local(&self) -> Vec<Vec<u8>> {
        let mut statements: Vec<Vec<u8>> = self.isolation_level().into_iter().collect();
        if self.locked {
            // The next statement opens it.
            statements.push(b"DO 0".to_vec());
            return statements;
        }
        let begin = match (self.snapshot, self.is_read_only()) {
            (true, true) => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            (true, false) => "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            (false, true) => "START TRANSACTION READ ONLY",
            (false, false) if self.access == Some(false) => "START TRANSACTION READ WRITE",
            (false, false) => "START TRANSACTION",
        };
        statements.push(begin.into());
        statements
    }

    /// What opens a branch. A branch cannot ask for a snapshot: its view of the rows is that of its
    /// first read, see [`view`](super::records::Records::view).
    pub(super) fn branch(&self, xid: &Xid) -> Vec<Vec<u8>> {
        let mut statements: Vec<Vec<u8>> = self.isolation_level().into_iter().collect();
        if self.access == Some(false) {
            statements.push(b"SET TRANSACTION READ WRITE".to_vec());
        }
        statements.push(format!("XA START {}", xid.sql()).into_bytes());
        statements
    }

    fn isolation_level(&self) -> Option<Vec<u8>> {
        let level = self.isolation.as_ref()?;
        Some(format!("SET TRANSACTION ISOLATION LEVEL {}", level.replace('-', " ")).into_bytes())
    }
}

pub(super) fn savepoint(name: &str) -> Vec<u8> {
    [b"SAVEPOINT ".as_slice(), &quote::identifier(name.as_bytes())].concat()
}
