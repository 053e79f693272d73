//! Does what the [`machine`](super::machine) says at the end of a transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::coordinator::{Coordinator, InFlight};
use super::lent::Lent;
use super::machine::{Action, Event, Kind, Machine, Outcome, Phase};
use super::xid::{TransactionId, Xid, short_name};
use crate::backend::{Connection, Deadline};
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::protocol::reply::ReplyHead;

/// How long a client waits for branches that have not confirmed what is decided.
const CONFIRM_LIMIT: Duration = Duration::from_secs(1);

/// A transaction at its end: all it needs to be committed or rolled back.
pub struct Ending {
    machine: Machine,
    connections: BTreeMap<usize, Lent>,
    id: Option<TransactionId>,
    coordinator: Option<Arc<Coordinator>>,
    /// What a client is told who waits for the decision.
    first_error: Option<Error>,
    /// For a transaction on one cluster.
    deadline: Option<Deadline>,
}

/// What a cluster said.
struct Answer {
    event: Event,
    lent: Option<Lent>,
    error: Option<Error>,
}

impl Ending {
    pub(super) fn new(
        machine: Machine,
        connections: BTreeMap<usize, Lent>,
        id: Option<TransactionId>,
        coordinator: Option<Arc<Coordinator>>,
    ) -> Self {
        Self { machine, connections, id, coordinator, first_error: None, deadline: None }
    }

    /// Commits. Over several clusters it is brought to its end even if nobody waits for it any more.
    /// `deadline` is for one cluster; over several, `transactions.commit_timeout` bounds each step.
    ///
    /// # Errors
    /// It was rolled back everywhere, and the error says why; or, of kind `CommitUnknown`, the outcome is
    /// not known.
    pub async fn commit(mut self, deadline: Option<Deadline>) -> Result<()> {
        if self.machine.len() == 1 {
            self.deadline = deadline;
            let mut told = None;
            self.drive(Event::Commit, &mut told).await;
            return self.verdict();
        }
        let in_flight = self.enter();
        let (tell, decided) = oneshot::channel();
        let working = tokio::spawn(async move {
            let _in_flight = in_flight;
            let mut tell = Some(tell);
            self.drive(Event::Commit, &mut tell).await;
            if let Some(tell) = tell {
                let _ = tell.send(self.verdict());
            }
        });
        let outcome = decided
            .await
            .unwrap_or_else(|_| Err(Error::internal("the task that commits ended without a word")));
        // What the client does next shall find its rows, unless a server takes too long to be waited for.
        let _ = tokio::time::timeout(CONFIRM_LIMIT, working).await;
        outcome
    }

    /// Rolls back; servers that do not answer do so by themselves.
    pub async fn roll_back(mut self, deadline: Option<Deadline>) {
        self.deadline = deadline;
        self.drive(Event::Rollback, &mut None).await;
    }

    /// As [`Ending::roll_back`], without anybody who waits.
    pub(super) fn roll_back_in_background(self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.connections.is_empty() {
            runtime.spawn(self.roll_back(None));
        }
    }

    fn enter(&self) -> Option<InFlight> {
        Some(self.coordinator.as_ref()?.enter(self.id.as_ref()?))
    }

    async fn drive(&mut self, event: Event, tell: &mut Option<oneshot::Sender<Result<()>>>) {
        let (_, mut actions) = self.machine.step(event);
        let mut inside = None;
        while !actions.is_empty() {
            if self.machine.phase() == Phase::Finishing
                && !self.machine.may_be_torn()
                && let Some(tell) = tell.take()
            {
                let _ = tell.send(Ok(()));
            }
            if let Some(coordinator) = &self.coordinator
                && self.machine.is_deciding()
            {
                inside = Some(coordinator.fence().enter().await);
            }
            let limit = self.limit();
            // The record is the first action of its round, and so the first to be sent: a branch is hardly
            // ever prepared while the server of the record has not heard of it.
            let work: Vec<(Action, Option<Lent>)> = std::mem::take(&mut actions)
                .into_iter()
                .map(|action| (action, self.connections.remove(&action.cluster())))
                .collect();
            let this = &*self;
            let answers =
                join_all(work.into_iter().map(|(action, lent)| this.perform(action, lent, limit)))
                    .await;
            for answer in answers.into_iter().flatten() {
                if let Some(lent) = answer.lent {
                    self.connections.insert(lent.cluster, lent);
                }
                if let Some(error) = answer.error {
                    tracing::debug!(%error, phase = ?self.machine.phase(), "end of a transaction");
                    self.first_error.get_or_insert(error);
                }
                actions.extend(self.machine.step(answer.event).1);
            }
        }
        // A prepared branch whose end is not known is left to recovery.
        if let (Some(inside), Some(coordinator), Some(id)) = (inside, &self.coordinator, &self.id)
            && self.machine.is_unfinished()
        {
            coordinator.fence().leave_unfinished(inside, id.clone());
        }
        self.connections.clear();
    }

    fn limit(&self) -> Option<Deadline> {
        match &self.coordinator {
            Some(coordinator) if self.machine.len() > 1 => Some(Deadline {
                at: Instant::now() + coordinator.commit_timeout(),
                setting: "`transactions.commit_timeout`",
            }),
            Some(_) | None => self.deadline,
        }
    }

    async fn perform(
        &self,
        action: Action,
        lent: Option<Lent>,
        limit: Option<Deadline>,
    ) -> Option<Answer> {
        match action {
            Action::Open(..) => None,
            Action::Forget(home) => {
                if let (Some(coordinator), Some(id)) = (&self.coordinator, &self.id) {
                    coordinator.forget(home, id.clone());
                }
                None
            }
            Action::Resolve(home) => {
                let decision = match (&self.coordinator, &self.id) {
                    (Some(coordinator), Some(id)) => {
                        let limit = coordinator.commit_timeout();
                        coordinator.decide_within(home, id, limit).await
                    }
                    _ => None,
                };
                Some(Answer { event: Event::Resolved(decision), lent: None, error: None })
            }
            Action::Prepare(cluster)
            | Action::Record(cluster)
            | Action::Decide(cluster)
            | Action::CommitAlone(cluster, _)
            | Action::CommitPrepared(cluster)
            | Action::RollBack(cluster, _)
            | Action::RollBackPrepared(cluster) => {
                let Some(lent) = lent else {
                    let event = Event::Lost(cluster);
                    return Some(Answer { event, lent: None, error: None });
                };
                Some(self.tell(action, cluster, lent, limit).await)
            }
        }
    }

    /// Sends what the action takes to its cluster.
    async fn tell(
        &self,
        action: Action,
        cluster: usize,
        mut lent: Lent,
        limit: Option<Deadline>,
    ) -> Answer {
        lent.lease.set_deadline(limit);
        let outcome = self.send(action, &mut lent).await;
        let is_last = is_last(action);
        match outcome {
            Ok(()) => {
                let lent = if is_last {
                    lent.lease.untaint();
                    None
                } else {
                    Some(lent)
                };
                Answer { event: Event::Done(cluster), lent, error: None }
            }
            Err(error) => {
                let is_refused = matches!(error.kind(), ErrorKind::Server(_))
                    && !lent.lease.is_broken()
                    && !is_last_resort(action);
                let event = if is_refused { Event::Refused(cluster) } else { Event::Lost(cluster) };
                Answer { event, lent: is_refused.then_some(lent), error: Some(error) }
            }
        }
    }

    async fn send(&self, action: Action, lent: &mut Lent) -> Result<()> {
        let name = lent.xid.as_ref().map(Xid::sql);
        let xid = || name.ok_or_else(|| Error::internal("a branch without a name"));
        match action {
            Action::Prepare(_) => {
                let xid = xid()?;
                run(&mut lent.lease, &[format!("XA END {xid}"), format!("XA PREPARE {xid}")]).await
            }
            Action::Record(_) => {
                let (Some(coordinator), Some(id)) = (&self.coordinator, &self.id) else {
                    return Err(Error::internal("a record without a name"));
                };
                // Outside of the transaction the record would decide at once.
                lent.prepare().await?;
                let first = self.machine.first();
                let writers = self.machine.writers().into_iter();
                let branches: Vec<String> = writers
                    .filter(|cluster| Some(*cluster) != first)
                    .map(|cluster| short_name(coordinator.name(cluster)))
                    .collect();
                let record = coordinator.records().commit(id, &branches, SystemTime::now());
                run(&mut lent.lease, &[record]).await
            }
            Action::Decide(_) | Action::CommitAlone(_, Kind::Local) => {
                run(&mut lent.lease, &["COMMIT".to_owned()]).await
            }
            Action::CommitAlone(_, Kind::Branch) => {
                let xid = xid()?;
                let commit = format!("XA COMMIT {xid} ONE PHASE");
                run(&mut lent.lease, &[format!("XA END {xid}"), commit]).await
            }
            Action::CommitPrepared(_) => {
                run(&mut lent.lease, &[format!("XA COMMIT {}", xid()?)]).await
            }
            Action::RollBack(_, Kind::Local) => {
                run(&mut lent.lease, &["ROLLBACK".to_owned()]).await
            }
            Action::RollBack(_, Kind::Branch) => {
                // A branch that is to be rolled back refuses to end, or has ended before.
                let xid = xid()?;
                run_last(&mut lent.lease, &[format!("XA END {xid}"), format!("XA ROLLBACK {xid}")])
                    .await
            }
            Action::RollBackPrepared(_) => {
                run(&mut lent.lease, &[format!("XA ROLLBACK {}", xid()?)]).await
            }
            Action::Open(..) | Action::Resolve(_) | Action::Forget(_) => Ok(()),
        }
    }

    /// What the client is told.
    fn verdict(&mut self) -> Result<()> {
        let is_alone = self.machine.len() == 1;
        let cause = self.first_error.take();
        match (self.machine.phase(), cause) {
            (Phase::Finishing | Phase::Ended(Outcome::Committed), _) => Ok(()),
            (Phase::Ended(Outcome::Unknown), cause) => Err(self.unknown(cause)),
            (Phase::Ended(Outcome::Torn), cause) => Err(torn(cause)),
            (_, Some(error)) if is_alone && matches!(error.kind(), ErrorKind::Server(_)) => {
                Err(error)
            }
            (_, cause) => Err(rolled_back(cause)),
        }
    }

    fn unknown(&self, cause: Option<Error>) -> Error {
        let message = match &self.id {
            Some(id) if self.machine.writers().len() > 1 => format!(
                "the outcome of the transaction is unknown: the server that decides broke off during \
                 COMMIT; ask later by SHOW MARGAY TRANSACTION '{id}' before you run it again"
            ),
            Some(_) | None => {
                "the outcome of the transaction is unknown: the connection broke during \
                               COMMIT; check its rows before you run it again"
                    .to_owned()
            }
        };
        let error = Error::new(ErrorKind::CommitUnknown, message);
        match cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    }
}

fn torn(cause: Option<Error>) -> Error {
    let error = Error::new(
        ErrorKind::CommitUnknown,
        "the transaction was committed on some clusters and not on others, which servers cannot agree on \
         while tables are locked; check its rows before you run it again",
    );
    match cause {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

fn rolled_back(cause: Option<Error>) -> Error {
    const WHAT: &str = "the transaction was rolled back on all clusters";
    match cause {
        Some(error) => match error.kind() {
            ErrorKind::Server(server) => {
                let text = String::from_utf8_lossy(&server.message);
                let message = format!("{text}; {WHAT}").into_bytes();
                Error::server(ServerError { message, ..server.clone() })
            }
            kind => Error::new(kind.clone(), format!("{error}; {WHAT}")),
        },
        None => Error::new(ErrorKind::BackendLost, format!("a connection broke; {WHAT}")),
    }
}

/// After it the connection is free for others.
fn is_last(action: Action) -> bool {
    match action {
        Action::Decide(_)
        | Action::CommitAlone(..)
        | Action::CommitPrepared(_)
        | Action::RollBack(..)
        | Action::RollBackPrepared(_) => true,
        Action::Open(..)
        | Action::Prepare(_)
        | Action::Record(_)
        | Action::Resolve(_)
        | Action::Forget(_) => false,
    }
}

/// A refusal leaves nothing to do on the connection but to close it.
fn is_last_resort(action: Action) -> bool {
    match action {
        Action::Decide(_)
        | Action::CommitPrepared(_)
        | Action::RollBack(..)
        | Action::RollBackPrepared(_) => true,
        Action::Open(..)
        | Action::Prepare(_)
        | Action::Record(_)
        | Action::CommitAlone(..)
        | Action::Resolve(_)
        | Action::Forget(_) => false,
    }
}

/// Runs statements that go out in one write; the first error counts, and all replies are read.
async fn run(connection: &mut Connection, statements: &[String]) -> Result<()> {
    for outcome in outcomes(connection, statements).await? {
        outcome?;
    }
    Ok(())
}

/// As [`run`], but only the last one has to succeed.
async fn run_last(connection: &mut Connection, statements: &[String]) -> Result<()> {
    outcomes(connection, statements).await?.pop().unwrap_or(Ok(()))
}

async fn outcomes(connection: &mut Connection, statements: &[String]) -> Result<Vec<Result<()>>> {
    for statement in statements {
        connection.queue_query(statement.as_bytes())?;
    }
    connection.flush().await?;
    let mut outcomes = Vec::with_capacity(statements.len());
    for _ in statements {
        outcomes.push(match connection.read_head().await? {
            ReplyHead::Ok(_) => Ok(()),
            ReplyHead::Err(error) => Err(Error::server(error)),
            ReplyHead::Columns(_) | ReplyHead::LocalInfile(_) => {
                Err(Error::protocol("rows in reply to the end of a transaction"))
            }
        });
    }
    Ok(outcomes)
}
