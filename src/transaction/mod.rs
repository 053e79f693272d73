//! Transactions of one client, over as many clusters as they touch.
//!
//! `BEGIN` sends nothing. The first cluster that the transaction touches opens a local transaction there,
//! in front of the statement; databases of that cluster share it. Each further cluster opens a branch. How
//! they end together is told by [`machine`] and done by [`ending`]; what a dead proxy leaves behind is
//! ended by [`recovery`].

mod begin;
mod coordinator;
mod ending;
mod fence;
mod lent;
pub mod machine;
mod records;
mod recovery;
mod savepoints;
pub mod xid;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use begin::Begin;
pub use coordinator::Coordinator;
pub use ending::Ending;
pub use fence::Closed;
pub use lent::Lent;
pub use recovery::Recovery;

use crate::backend::Lease;
use crate::error::{Error, ErrorKind, Result, ServerError};
use machine::{Action, Event, Kind, Machine, Sort};
use savepoints::Savepoints;
use xid::{Threads, TransactionId, Xid};

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
    Active(Box<Active>),
    /// A connection broke: the servers rolled back, the client has to hear of it.
    Broken,
}

/// A transaction that no server knows of yet, or that is open on some clusters.
struct Active {
    machine: Machine,
    /// None while a statement has the connection.
    connections: BTreeMap<usize, Option<Lent>>,
    savepoints: Savepoints,
    /// From the second cluster on.
    id: Option<TransactionId>,
    /// The connection to the first cluster, as its server counts.
    home_thread: u32,
    /// It has a snapshot of the clusters where it is open, and of no others.
    sealed: bool,
    coordinator: Option<Arc<Coordinator>>,
}

impl Active {
    fn new(begin: &Begin) -> Self {
        Self {
            machine: Machine::new(begin.sort()),
            connections: BTreeMap::new(),
            savepoints: Savepoints::default(),
            id: None,
            home_thread: 0,
            sealed: false,
            coordinator: None,
        }
    }

    /// Some statement has not given its connection back.
    fn is_lent(&self) -> bool {
        self.connections.values().any(Option::is_none)
    }

    fn ending(self) -> Ending {
        let connections = self.connections.into_iter();
        let connections = connections.filter_map(|(cluster, lent)| Some((cluster, lent?)));
        Ending::new(self.machine, connections.collect(), self.id, self.coordinator)
    }
}

impl Transaction {
    /// Announces a transaction; the caller has ended the one before.
    pub fn begin(&mut self, begin: &Begin) {
        self.state = State::Active(Box::new(Active::new(begin)));
        self.begun = begin.clone();
    }

    /// How the next one of a chain begins: with the isolation level and access mode of this one.
    pub fn chained(&self) -> Begin {
        Begin { snapshot: false, implied: false, locked: false, ..self.begun.clone() }
    }

    pub fn is_active(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// BEGIN was answered, and no server knows of it.
    pub fn is_announced(&self) -> bool {
        matches!(&self.state, State::Active(active) if active.machine.is_empty())
    }

    /// LOCK TABLES is in force.
    pub fn is_locked(&self) -> bool {
        self.begun.locked
    }

    pub fn is_read_only(&self) -> bool {
        self.begun.is_read_only()
    }

    /// No statement has begun it on a server, and the client has not either.
    pub fn is_only_implied(&self) -> bool {
        self.is_announced() && self.begun.implied
    }

    /// The cluster where it was opened first.
    pub fn cluster(&self) -> Option<usize> {
        match &self.state {
            State::Active(active) => active.machine.first(),
            State::Idle | State::Broken => None,
        }
    }

    /// The open connection, for a statement on `cluster`. None: not open there yet.
    ///
    /// # Errors
    /// The transaction is broken.
    pub fn take(&mut self, cluster: usize) -> Result<Option<Lent>> {
        match &mut self.state {
            State::Idle => Ok(None),
            State::Broken => Err(broken()),
            State::Active(active) => match active.connections.get_mut(&cluster) {
                None => Ok(None),
                Some(slot) => match slot.take() {
                    Some(lent) => Ok(Some(lent)),
                    // A statement was given up with it.
                    None => {
                        self.lost();
                        Err(broken())
                    }
                },
            },
        }
    }

    /// Lets a cluster join the transaction: the connection, with what opens it in front of its first
    /// statement.
    ///
    /// # Errors
    /// The bookkeeping of the first cluster cannot be used.
    pub async fn open(
        &mut self,
        cluster: usize,
        lease: Lease,
        coordinator: &Arc<Coordinator>,
    ) -> Result<Lent> {
        let State::Active(active) = &mut self.state else {
            return Ok(Lent::apart(lease, cluster));
        };
        if active.sealed {
            return Err(outside_of_snapshot(coordinator.name(cluster)));
        }
        let has_branches = self.begun.sort() == Sort::Plain;
        let needs_id = active.machine.first().filter(|_| has_branches);
        if let (Some(first), None) = (needs_id, &active.id) {
            active.id = Some(coordinator.new_id(first).await?);
        }
        active.coordinator = Some(coordinator.clone());
        if active.machine.is_empty() {
            active.home_thread = lease.thread_id();
        }
        let threads = Threads { home: active.home_thread, branch: lease.thread_id() };
        let mut xid = None;
        let mut opening = Vec::new();
        for action in active.machine.step(Event::Joins(cluster)).1 {
            match (action, &active.id) {
                (Action::Open(_, Kind::Local), _) => opening = self.begun.local(),
                (Action::Open(_, Kind::Branch), Some(id)) => {
                    let branch = Xid::new(id.clone(), coordinator.name(cluster), threads);
                    opening = self.begun.branch(&branch);
                    if self.begun.snapshot {
                        // The bookkeeping must be there to be read.
                        coordinator.home(cluster).await?;
                        opening.push(coordinator.records().view().into_bytes());
                    }
                    xid = Some(branch);
                }
                _ => return Err(Error::internal("a cluster joins a transaction without a name")),
            }
        }
        opening.extend(active.savepoints.names().map(begin::savepoint));
        active.connections.insert(cluster, None);
        let locked = self.begun.locked;
        Ok(Lent { opening, held: true, xid, locked, ..Lent::apart(lease, cluster) })
    }

    /// It is open on all clusters that its snapshot covers.
    pub fn seal(&mut self) {
        if let State::Active(active) = &mut self.state {
            active.sealed = true;
        }
    }

    /// Notes that a statement may write on the cluster.
    pub fn wrote(&mut self, cluster: usize) {
        if let State::Active(active) = &mut self.state {
            active.machine.step(Event::Wrote(cluster));
        }
    }

    /// Takes the connection back after a statement: a transaction goes on as long as the server says
    /// that one is active there.
    pub fn give_back(&mut self, mut lent: Lent) {
        lent.doubtful = false;
        self.put(lent);
    }

    /// Takes the connection back after the server refused a statement on it.
    pub fn give_back_refused(&mut self, mut lent: Lent, error: &Error) {
        if lent.held && ends_transaction(error) {
            self.put(lent);
            // As on one server, a deadlock ends all of it.
            if let State::Active(active) = std::mem::take(&mut self.state) {
                active.ending().roll_back_in_background();
            }
            return;
        }
        lent.doubtful = true;
        self.put(lent);
    }

    fn put(&mut self, lent: Lent) {
        let is_whole = !lent.lease.is_broken() && lent.lease.is_between_replies();
        match &mut self.state {
            // A procedure has begun it.
            State::Idle if is_whole && !lent.held && lent.lease.in_transaction() => {
                self.adopt(lent);
            }
            State::Idle | State::Broken => {}
            State::Active(_) if !lent.held => {}
            // A reply that is not read to its end would be taken for that of the next statement.
            State::Active(_) if !is_whole => {
                drop(lent);
                self.lost();
            }
            // It came to nothing: the next statement opens it there anew.
            State::Active(active) if !lent.opened => {
                active.machine.step(Event::Leaves(lent.cluster));
                if active.machine.kind(lent.cluster).is_some() {
                    drop(lent);
                    self.lost();
                } else {
                    active.connections.remove(&lent.cluster);
                }
            }
            State::Active(active) if lent.is_in_transaction() => {
                active.connections.insert(lent.cluster, Some(lent));
            }
            State::Active(active) if active.machine.len() == 1 => self.state = State::Idle,
            State::Active(_) => {
                drop(lent);
                self.lost();
            }
        }
    }

    fn adopt(&mut self, mut lent: Lent) {
        let begin = Begin::default();
        let mut active = Active::new(&begin);
        active.machine.step(Event::Joins(lent.cluster));
        active.machine.step(Event::Wrote(lent.cluster));
        (lent.held, lent.opened) = (true, true);
        active.connections.insert(lent.cluster, Some(lent));
        self.state = State::Active(Box::new(active));
        self.begun = begin;
    }

    /// A statement lost its connection, and with it the transaction. Further statements fail until the
    /// client ends it: running them outside of a transaction would half-apply it.
    pub fn lost(&mut self) {
        if matches!(&self.state, State::Active(active) if active.is_lent()) {
            let before = std::mem::replace(&mut self.state, State::Broken);
            if let State::Active(active) = before {
                active.ending().roll_back_in_background();
            }
        }
    }

    /// A connection broke and the client has not ended the transaction yet.
    pub fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    /// Ends it in order to commit it: gives what must hear of it, if anything does.
    ///
    /// # Errors
    /// A connection broke: it was rolled back everywhere.
    pub fn end_to_commit(&mut self) -> Result<Option<Ending>> {
        self.lost();
        let is_broken = self.is_broken();
        let ending = self.end();
        if is_broken {
            return Err(Error::new(
                ErrorKind::BackendLost,
                "a connection of this transaction broke and it was rolled back everywhere: nothing was \
                 committed",
            ));
        }
        Ok(ending)
    }

    /// Ends it: gives what must hear of it, if anything does.
    pub fn end(&mut self) -> Option<Ending> {
        self.lost();
        match std::mem::take(&mut self.state) {
            State::Active(active) if !active.machine.is_empty() => Some(active.ending()),
            State::Active(_) | State::Idle | State::Broken => None,
        }
    }

    /// Lends all open connections to a statement that concerns the transaction itself.
    pub fn lend_all(&mut self) -> Vec<Lent> {
        match &mut self.state {
            State::Active(active) => {
                active.connections.values_mut().filter_map(Option::take).collect()
            }
            State::Idle | State::Broken => Vec::new(),
        }
    }

    /// Notes a savepoint. False: there is no transaction.
    pub fn set_savepoint(&mut self, name: &str) -> bool {
        match &mut self.state {
            State::Active(active) => {
                active.savepoints.set(name);
                true
            }
            State::Idle | State::Broken => false,
        }
    }

    /// Rolls back to (`keep`) or releases a noted savepoint. False: it is unknown.
    pub fn drop_savepoint(&mut self, name: &str, keep: bool) -> bool {
        match &mut self.state {
            State::Active(active) if keep => active.savepoints.roll_back_to(name),
            State::Active(active) => active.savepoints.release(name),
            State::Idle | State::Broken => false,
        }
    }
}

/// Why a statement of a transaction whose connection broke does not run.
pub fn broken() -> Error {
    Error::new(
        ErrorKind::BackendLost,
        "a connection of this transaction broke and it was rolled back everywhere; send ROLLBACK and \
         start again",
    )
}

fn outside_of_snapshot(cluster: &str) -> Error {
    Error::unsupported(format!(
        "the transaction has a consistent snapshot of the clusters of one schema, and the statement needs \
         the cluster `{cluster}` too; begin it without a current schema, which covers all clusters"
    ))
}

/// The errors by which a server says that it has rolled the whole transaction back: deadlock, lock
/// table full, and those of branches.
pub fn ends_transaction(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(ServerError { code: 1206 | 1213 | 1402 | 1613 | 1614, .. })
    )
}
