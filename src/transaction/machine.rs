//! The protocol of a transaction over clusters, without any I/O: events in, phase and actions out.
//!
//! The first cluster holds a plain local transaction, each further one a branch. To commit, the branches
//! that wrote are prepared while the decision record goes into the local transaction; the commit of the
//! local transaction is the decision; then the branches are committed. Where one cluster alone wrote, its
//! own commit is the decision and nothing is prepared. Clusters that only read keep what they have
//! locked until the decision is made.
//!
//! Servers refuse branches while tables are locked. Then all clusters hold local transactions, which are
//! committed one cluster first, and then the rest; one that does not follow is told.

use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// What a cluster holds of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A transaction that ends by COMMIT or ROLLBACK.
    Local,
    /// A branch that ends by the XA statements.
    Branch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Statements run.
    Working,
    /// Branches get ready, the record is written.
    Preparing,
    /// The commit that decides is under way.
    Deciding,
    /// The deciding commit was not answered: the record will tell.
    Resolving,
    /// It is committed; clusters are told.
    Finishing,
    /// It is not committed; clusters are told.
    RollingBack,
    Ended(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Committed,
    RolledBack,
    /// The deciding commit was not answered, and the cluster that knows cannot be asked.
    Unknown,
    /// Under locks: one cluster has committed, and another has not.
    Torn,
}

/// What may be done in the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Plain,
    ReadOnly,
    /// Tables are locked by LOCK TABLES.
    UnderLocks,
}

/// What happens to the transaction. Clusters go by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A statement needs the cluster.
    Joins(usize),
    /// It came to nothing: the cluster was not told yet. The first cluster leaves last.
    Leaves(usize),
    /// A statement may have written there.
    Wrote(usize),
    Commit,
    Rollback,
    /// The cluster has done what it was asked.
    Done(usize),
    /// It said no.
    Refused(usize),
    /// Its connection broke: the server rolls back what is not prepared.
    Lost(usize),
    /// What the record says. None: it cannot be read.
    Resolved(Option<Decision>),
}

/// What the record of a transaction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Commit,
    Abort,
}

/// What a cluster is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Open(usize, Kind),
    /// Make the branch ready: XA END, XA PREPARE.
    Prepare(usize),
    /// Put the decision record into the local transaction.
    Record(usize),
    /// Commit the local transaction with the record in it.
    Decide(usize),
    /// Commit what was not prepared.
    CommitAlone(usize, Kind),
    /// Commit the prepared branch.
    CommitPrepared(usize),
    /// Roll back what was not prepared.
    RollBack(usize, Kind),
    RollBackPrepared(usize),
    /// Find out by the record what became of the decision, and forbid it if it was not made.
    Resolve(usize),
    /// The record is of no use any more.
    Forget(usize),
}

impl Action {
    pub fn cluster(self) -> usize {
        match self {
            Self::Open(cluster, _)
            | Self::Prepare(cluster)
            | Self::Record(cluster)
            | Self::Decide(cluster)
            | Self::CommitAlone(cluster, _)
            | Self::CommitPrepared(cluster)
            | Self::RollBack(cluster, _)
            | Self::RollBackPrepared(cluster)
            | Self::Resolve(cluster)
            | Self::Forget(cluster) => cluster,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Machine {
    sort: Sort,
    members: BTreeMap<usize, Member>,
    first: Option<usize>,
    phase: Phase,
    /// A step of the commit has failed; what is under way is waited for.
    failed: bool,
    /// Some branch has not confirmed its commit: the record must stay.
    unfinished: bool,
    /// Some local transaction was not committed after another one was.
    torn: bool,
    /// The record was written and decides.
    is_recorded: bool,
    /// What rolling back comes to.
    verdict: Outcome,
}

#[derive(Debug, Clone)]
struct Member {
    kind: Kind,
    wrote: bool,
    stage: Stage,
    is_busy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Active,
    Prepared,
    /// It has been told the end, or its connection is gone.
    Over,
}

impl Machine {
    pub fn new(sort: Sort) -> Self {
        Self {
            sort,
            members: BTreeMap::new(),
            first: None,
            phase: Phase::Working,
            failed: false,
            unfinished: false,
            torn: false,
            is_recorded: false,
            verdict: Outcome::RolledBack,
        }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Clusters commit one by one, and one of them may not follow the first.
    pub fn may_be_torn(&self) -> bool {
        self.sort == Sort::UnderLocks
    }

    /// The cluster that joined first.
    pub fn first(&self) -> Option<usize> {
        self.first
    }

    pub fn kind(&self, cluster: usize) -> Option<Kind> {
        self.members.get(&cluster).map(|member| member.kind)
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The commit over several clusters is about to be decided.
    pub fn is_deciding(&self) -> bool {
        self.is_recorded && self.phase == Phase::Deciding
    }

    /// It may be committed on some clusters and still prepared on others.
    pub fn is_unfinished(&self) -> bool {
        self.is_recorded && (self.unfinished || self.phase == Phase::Ended(Outcome::Unknown))
    }

    /// Clusters whose changes must be committed together.
    pub fn writers(&self) -> Vec<usize> {
        let wrote = self.members.iter().filter(|(_, member)| member.wrote);
        wrote.map(|(cluster, _)| *cluster).collect()
    }

    /// Takes in an event. An event that does not fit the phase changes nothing.
    pub fn step(&mut self, event: Event) -> (Phase, Vec<Action>) {
        let actions = match event {
            Event::Joins(cluster) => self.join(cluster),
            Event::Leaves(cluster) => {
                self.leave(cluster);
                Vec::new()
            }
            Event::Wrote(cluster) => {
                // Servers refuse what would write in a read-only transaction.
                if let Some(member) = self.members.get_mut(&cluster) {
                    member.wrote = self.sort != Sort::ReadOnly;
                }
                Vec::new()
            }
            Event::Commit if self.phase == Phase::Working => self.commit(),
            Event::Rollback if self.phase == Phase::Working => self.roll_back(),
            Event::Commit | Event::Rollback => Vec::new(),
            Event::Done(cluster) => self.answered(cluster, Answer::Done),
            Event::Refused(cluster) => self.answered(cluster, Answer::Refused),
            Event::Lost(cluster) => self.answered(cluster, Answer::Lost),
            Event::Resolved(decision) if self.phase == Phase::Resolving => self.resolved(decision),
            Event::Resolved(_) => Vec::new(),
        };
        for action in &actions {
            if let Some(member) = self.members.get_mut(&action.cluster()) {
                member.is_busy = is_answered(*action);
            }
        }
        (self.phase, actions)
    }

    fn join(&mut self, cluster: usize) -> Vec<Action> {
        if self.phase != Phase::Working || self.members.contains_key(&cluster) {
            return Vec::new();
        }
        let is_local = match self.sort {
            // What cannot write has nothing to agree on.
            Sort::ReadOnly | Sort::UnderLocks => true,
            Sort::Plain => self.first.is_none(),
        };
        let kind = if is_local { Kind::Local } else { Kind::Branch };
        self.first.get_or_insert(cluster);
        let member = Member { kind, wrote: false, stage: Stage::Active, is_busy: false };
        self.members.insert(cluster, member);
        vec![Action::Open(cluster, kind)]
    }

    fn leave(&mut self, cluster: usize) {
        let is_last = self.members.len() == 1;
        if self.phase == Phase::Working && (is_last || self.first != Some(cluster)) {
            self.members.remove(&cluster);
        }
        if self.members.is_empty() {
            self.first = None;
        }
    }

    fn commit(&mut self) -> Vec<Action> {
        let Some(first) = self.first else {
            self.phase = Phase::Ended(Outcome::Committed);
            return Vec::new();
        };
        let writers = self.writers();
        if writers.len() < 2 || self.sort == Sort::UnderLocks {
            let sole = writers.first().copied().unwrap_or(first);
            self.phase = Phase::Deciding;
            return self
                .kind(sole)
                .map(|kind| Action::CommitAlone(sole, kind))
                .into_iter()
                .collect();
        }
        self.phase = Phase::Preparing;
        self.is_recorded = true;
        let branches = writers.into_iter().filter(|cluster| *cluster != first);
        std::iter::once(Action::Record(first)).chain(branches.map(Action::Prepare)).collect()
    }

    fn answered(&mut self, cluster: usize, answer: Answer) -> Vec<Action> {
        let Some(member) = self.members.get_mut(&cluster) else { return Vec::new() };
        if !member.is_busy && self.phase != Phase::Working {
            return Vec::new();
        }
        member.is_busy = false;
        if answer == Answer::Lost {
            member.stage = Stage::Over;
        }
        match self.phase {
            Phase::Working => match answer {
                Answer::Done | Answer::Refused => Vec::new(),
                Answer::Lost => self.roll_back(),
            },
            Phase::Preparing => self.prepared(cluster, answer),
            Phase::Deciding => self.decided(cluster, answer),
            Phase::Finishing => self.finished(cluster, answer),
            Phase::RollingBack => {
                self.set_over(cluster);
                self.end_if_idle(self.verdict)
            }
            Phase::Resolving | Phase::Ended(_) => Vec::new(),
        }
    }

    fn prepared(&mut self, cluster: usize, answer: Answer) -> Vec<Action> {
        match answer {
            Answer::Done => {
                let member = self.members.get_mut(&cluster);
                if let Some(branch) = member.filter(|member| member.kind == Kind::Branch) {
                    branch.stage = Stage::Prepared;
                }
            }
            Answer::Refused | Answer::Lost => self.failed = true,
        }
        match self.first {
            _ if self.is_busy() => Vec::new(),
            Some(first) if !self.failed => {
                self.phase = Phase::Deciding;
                vec![Action::Decide(first)]
            }
            Some(_) | None => self.roll_back(),
        }
    }

    fn decided(&mut self, cluster: usize, answer: Answer) -> Vec<Action> {
        match (answer, self.is_recorded) {
            (Answer::Done, _) => {
                self.set_over(cluster);
                self.finish()
            }
            // A refused commit leaves it open for ROLLBACK.
            (Answer::Refused, false) => self.roll_back(),
            (Answer::Lost, false) => {
                self.verdict = Outcome::Unknown;
                self.roll_back()
            }
            // Whatever the server said, its record is what counts.
            (Answer::Refused | Answer::Lost, true) => {
                self.set_over(cluster);
                self.phase = Phase::Resolving;
                vec![Action::Resolve(cluster)]
            }
        }
    }

    fn resolved(&mut self, decision: Option<Decision>) -> Vec<Action> {
        match decision {
            Some(Decision::Commit) => self.finish(),
            Some(Decision::Abort) => self.roll_back(),
            None => {
                // Prepared branches wait for whoever can read the record.
                for member in self.members.values_mut() {
                    if member.stage == Stage::Prepared {
                        member.stage = Stage::Over;
                    }
                }
                self.verdict = Outcome::Unknown;
                self.roll_back()
            }
        }
    }

    /// It is committed: tells the rest.
    fn finish(&mut self) -> Vec<Action> {
        self.phase = Phase::Finishing;
        let actions: Vec<Action> = self
            .members
            .iter()
            .filter_map(|(cluster, member)| match member.stage {
                Stage::Active => Some(Action::CommitAlone(*cluster, member.kind)),
                Stage::Prepared => Some(Action::CommitPrepared(*cluster)),
                Stage::Over => None,
            })
            .collect();
        if actions.is_empty() { self.end_if_idle(Outcome::Committed) } else { actions }
    }

    fn finished(&mut self, cluster: usize, answer: Answer) -> Vec<Action> {
        let wrote = self.members.get(&cluster).filter(|member| member.wrote);
        if let Some(kind) = wrote.map(|member| member.kind)
            && answer != Answer::Done
        {
            match kind {
                Kind::Branch => self.unfinished = true,
                Kind::Local => self.torn = true,
            }
        }
        self.set_over(cluster);
        self.end_if_idle(if self.torn { Outcome::Torn } else { Outcome::Committed })
    }

    /// It is not committed: tells those that do not know.
    fn roll_back(&mut self) -> Vec<Action> {
        self.phase = Phase::RollingBack;
        let actions: Vec<Action> = self
            .members
            .iter()
            .filter_map(|(cluster, member)| match member.stage {
                Stage::Active => Some(Action::RollBack(*cluster, member.kind)),
                Stage::Prepared => Some(Action::RollBackPrepared(*cluster)),
                Stage::Over => None,
            })
            .collect();
        if actions.is_empty() { self.end_if_idle(self.verdict) } else { actions }
    }

    fn end_if_idle(&mut self, outcome: Outcome) -> Vec<Action> {
        if self.is_busy() {
            return Vec::new();
        }
        self.phase = Phase::Ended(outcome);
        let forgets = outcome == Outcome::Committed && self.is_recorded && !self.unfinished;
        self.first.filter(|_| forgets).map(Action::Forget).into_iter().collect()
    }

    fn set_over(&mut self, cluster: usize) {
        if let Some(member) = self.members.get_mut(&cluster) {
            member.stage = Stage::Over;
        }
    }

    fn is_busy(&self) -> bool {
        self.members.values().any(|member| member.is_busy)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    Refused,
    Lost,
}

/// Whether the cluster itself answers by an event.
fn is_answered(action: Action) -> bool {
    match action {
        Action::Open(..) | Action::Resolve(_) | Action::Forget(_) => false,
        Action::Prepare(_)
        | Action::Record(_)
        | Action::Decide(_)
        | Action::CommitAlone(..)
        | Action::CommitPrepared(_)
        | Action::RollBack(..)
        | Action::RollBackPrepared(_) => true,
    }
}
