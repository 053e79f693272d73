//! Transactions of one client.
//!
//! `BEGIN` sends nothing. The first cluster that the transaction touches opens it there, in the same
//! write as the statement; databases of that cluster share the transaction.

use crate::backend::Lease;
use crate::error::{Error, ErrorKind, Result};

/// A backend connection lent to a statement.
pub struct Lent {
    pub lease: Lease,
    pub cluster: usize,
    /// Statements that go out in front of the first one: they open the transaction.
    pub opening: Vec<Vec<u8>>,
}

/// The transaction of a session, if there is one.
#[derive(Default)]
pub struct Transaction {
    state: State,
    /// How the last one began, for AND CHAIN.
    begun: Begin,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// BEGIN was answered, nothing was sent: what will open it, and the savepoints set meanwhile.
    Announced {
        opening: Vec<Vec<u8>>,
        savepoints: Vec<String>,
    },
    Open(Box<Lent>),
    /// A statement has the connection; it gives it back with its reply.
    Lent {
        cluster: usize,
    },
    /// The connection broke: the server rolled back, the client has to hear of it.
    Broken,
}

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
}

impl Begin {
    /// Something but the server's defaults is asked for.
    pub fn is_special(&self) -> bool {
        self.isolation.is_some() || self.access.is_some()
    }

    fn statements(&self) -> Vec<Vec<u8>> {
        let mut statements = Vec::new();
        if let Some(isolation) = &self.isolation {
            statements.push(
                format!("SET TRANSACTION ISOLATION LEVEL {}", isolation.replace('-', " "))
                    .into_bytes(),
            );
        }
        let mut begin = String::from("START TRANSACTION");
        let read_only = self.read_only || self.access == Some(true);
        match (self.snapshot, read_only) {
            (true, true) => begin.push_str(" WITH CONSISTENT SNAPSHOT, READ ONLY"),
            (true, false) => begin.push_str(" WITH CONSISTENT SNAPSHOT"),
            (false, true) => begin.push_str(" READ ONLY"),
            (false, false) => {}
        }
        statements.push(begin.into_bytes());
        statements
    }
}

impl Transaction {
    /// Announces a transaction; the caller has ended the one before.
    pub fn begin(&mut self, begin: &Begin) {
        self.state = State::Announced { opening: begin.statements(), savepoints: Vec::new() };
        self.begun = begin.clone();
    }

    /// How the next one of a chain begins: with the isolation level and access mode of this one.
    pub fn chained(&self) -> Begin {
        Begin { snapshot: false, implied: false, ..self.begun.clone() }
    }

    pub fn is_active(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// BEGIN was answered, and no server knows of it.
    pub fn is_announced(&self) -> bool {
        matches!(self.state, State::Announced { .. })
    }

    /// No statement has begun it on a server, and the client has not either.
    pub fn is_only_implied(&self) -> bool {
        self.is_announced() && self.begun.implied
    }

    /// The cluster where it is open.
    pub fn cluster(&self) -> Option<usize> {
        match &self.state {
            State::Open(lent) => Some(lent.cluster),
            State::Lent { cluster } => Some(*cluster),
            State::Idle | State::Announced { .. } | State::Broken => None,
        }
    }

    /// The open connection, for a statement on `cluster`. None: not open yet. `name` names clusters for
    /// the error.
    pub fn take<'n>(
        &mut self,
        cluster: usize,
        name: impl Fn(usize) -> &'n str,
    ) -> Result<Option<Lent>> {
        match std::mem::take(&mut self.state) {
            State::Open(lent) if lent.cluster == cluster => {
                self.state = State::Lent { cluster };
                Ok(Some(*lent))
            }
            State::Open(lent) => {
                let open = name(lent.cluster);
                self.state = State::Open(lent);
                Err(Error::unsupported(format!(
                    "this transaction is open on cluster `{}` and the statement needs cluster `{}`; \
                     commit first, or keep one transaction to the shards of one cluster",
                    open,
                    name(cluster)
                )))
            }
            State::Lent { cluster } => {
                self.state = State::Lent { cluster };
                Err(Error::internal("the transaction's connection is lent twice"))
            }
            State::Broken => {
                self.state = State::Broken;
                Err(broken())
            }
            other @ (State::Idle | State::Announced { .. }) => {
                self.state = other;
                Ok(None)
            }
        }
    }

    /// What a new connection must run before its first statement; empty outside transactions.
    pub fn opening(&mut self, cluster: usize) -> Vec<Vec<u8>> {
        match std::mem::take(&mut self.state) {
            State::Announced { mut opening, savepoints } => {
                opening.extend(savepoints.iter().map(|name| savepoint(name)));
                self.state = State::Lent { cluster };
                opening
            }
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    /// Takes the connection back after a statement: a transaction goes on as long as the server says
    /// that one is active there.
    pub fn give_back(&mut self, lent: Lent) {
        // A reply that is not read to its end would be taken for that of the next statement.
        if lent.lease.is_broken() || !lent.lease.is_between_replies() {
            drop(lent);
            self.lost();
            return;
        }
        self.state =
            if lent.lease.in_transaction() { State::Open(Box::new(lent)) } else { State::Idle };
    }

    /// The connection of a statement is gone, and with it the transaction. Further statements fail
    /// until the client ends it: running them outside of a transaction would half-apply it.
    pub fn lost(&mut self) {
        if matches!(self.state, State::Lent { .. }) {
            self.state = State::Broken;
        }
    }

    /// The connection broke and the client has not ended the transaction yet.
    pub fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    /// Ends it: gives the connection that must hear of it, if any does.
    pub fn end(&mut self) -> Option<Lent> {
        match std::mem::take(&mut self.state) {
            State::Open(lent) => Some(*lent),
            State::Idle | State::Announced { .. } | State::Lent { .. } | State::Broken => None,
        }
    }

    /// Lends the open connection to a statement that concerns the transaction itself.
    pub fn lend(&mut self) -> Option<Lent> {
        match std::mem::take(&mut self.state) {
            State::Open(lent) => {
                self.state = State::Lent { cluster: lent.cluster };
                Some(*lent)
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Notes a savepoint of a transaction that is not open anywhere yet. False: send it.
    pub fn note_savepoint(&mut self, name: &str) -> bool {
        match &mut self.state {
            State::Announced { savepoints, .. } => {
                savepoints.retain(|known| !known.eq_ignore_ascii_case(name));
                savepoints.push(name.to_owned());
                true
            }
            State::Idle | State::Open(_) | State::Lent { .. } | State::Broken => false,
        }
    }

    /// Rolls back to (`keep`) or releases a noted savepoint. None: send it. Some(false): unknown.
    pub fn drop_savepoint(&mut self, name: &str, keep: bool) -> Option<bool> {
        match &mut self.state {
            State::Announced { savepoints, .. } => {
                let at = savepoints.iter().position(|known| known.eq_ignore_ascii_case(name));
                if let Some(at) = at {
                    savepoints.truncate(if keep { at + 1 } else { at });
                }
                Some(at.is_some())
            }
            State::Idle => Some(false),
            State::Open(_) | State::Lent { .. } | State::Broken => None,
        }
    }
}

/// Why a statement of a transaction whose connection broke does not run.
pub fn broken() -> Error {
    Error::new(
        ErrorKind::BackendLost,
        "the connection of this transaction broke and the server rolled it back; send ROLLBACK and \
         start again",
    )
}

fn savepoint(name: &str) -> Vec<u8> {
    format!("SAVEPOINT `{}`", name.replace('`', "``")).into_bytes()
}
