//! A backend connection in the hands of a statement.

use super::xid::Xid;
use crate::backend::{Connection, Lease};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::reply::ReplyHead;

/// A backend connection lent to a statement.
pub struct Lent {
    pub lease: Lease,
    pub cluster: usize,
    /// Statements that go out in front of the next one: they open the transaction, or set a savepoint.
    pub opening: Vec<Vec<u8>>,
    /// It belongs to a transaction, which takes it back.
    pub held: bool,
    /// The name of a branch, which ends by the XA statements alone.
    pub(super) xid: Option<Xid>,
    /// The transaction is open on it.
    pub(super) opened: bool,
    /// LOCK TABLES is in force on it: without autocommit, a transaction begins with the next statement.
    pub(super) locked: bool,
    /// The server refused the last statement: it may have rolled the transaction back without saying so.
    pub(super) doubtful: bool,
}

impl Lent {
    /// One that no transaction holds.
    pub fn apart(lease: Lease, cluster: usize) -> Self {
        Self {
            lease,
            cluster,
            opening: Vec::new(),
            held: false,
            xid: None,
            opened: false,
            locked: false,
            doubtful: false,
        }
    }

    /// The transaction is open on it, as far as is known.
    pub fn is_open(&self) -> bool {
        self.opened && !self.lease.is_broken()
    }

    /// The server has not ended it.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.lease.in_transaction() || self.locked
    }

    /// Sends what must go in front of the next statement and waits for its success: a statement must not
    /// run, and commit by itself, where its transaction is not open.
    ///
    /// # Errors
    /// The connection is of no use any more, and with it the transaction.
    pub async fn prepare(&mut self) -> Result<()> {
        let mut opening = std::mem::take(&mut self.opening);
        if self.held && self.opened && self.doubtful {
            opening.insert(0, b"DO 0".to_vec());
        }
        if opening.is_empty() {
            return Ok(());
        }
        if self.xid.is_some() && !self.opened {
            // Only the end of the transaction makes it fit for others.
            self.lease.taint();
        }
        for statement in &opening {
            self.lease.queue_query(statement)?;
        }
        self.lease.flush().await?;
        for _ in 0..opening.len() {
            expect_ok(&mut self.lease).await?;
        }
        if self.held && !self.is_in_transaction() {
            let node = self.lease.node_name();
            let message = format!("{node} has rolled the transaction back; start it again");
            return Err(Error::new(ErrorKind::BackendLost, message));
        }
        self.opened |= self.held;
        self.doubtful = false;
        Ok(())
    }
}

async fn expect_ok(connection: &mut Connection) -> Result<()> {
    match connection.read_head().await? {
        ReplyHead::Ok(_) => Ok(()),
        ReplyHead::Err(error) => {
            let node = connection.node_name();
            let text = String::from_utf8_lossy(&error.message);
            let message = format!("{node} did not open the transaction: {text}");
            Err(Error::new(ErrorKind::BackendLost, message))
        }
        // The read by which a branch gets its snapshot.
        ReplyHead::Columns(_) => {
            connection.read_column_packets().await?;
            while connection.read_row().await?.is_some() {}
            Ok(())
        }
        ReplyHead::LocalInfile(_) => {
            Err(Error::protocol("a file in reply to the start of a transaction"))
        }
    }
}
