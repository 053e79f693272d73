//! All orders of events against a model of the servers, with a crash and another proxy's recovery at
//! every moment.

use super::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Active,
    Prepared,
    Committed,
    RolledBack,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Record {
    Absent,
    /// In the local transaction: whoever asks waits.
    Uncommitted,
    Committed,
    Aborted,
}

#[derive(Clone, Debug)]
struct World {
    machine: Machine,
    /// By cluster; 0 is the first.
    servers: Vec<State>,
    wrote: Vec<bool>,
    record: Record,
    outstanding: Vec<Action>,
    /// What the client was told so far: a phase after the decision is an answer.
    path: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Done,
    Refused,
    LostBefore,
    LostAfter,
}

const FATES: [Fate; 4] = [Fate::Done, Fate::Refused, Fate::LostBefore, Fate::LostAfter];

impl World {
    fn new(wrote: &[bool]) -> Self {
        let mut machine = Machine::new(Sort::Plain);
        for (cluster, wrote) in wrote.iter().enumerate() {
            let kind = if cluster == 0 { Kind::Local } else { Kind::Branch };
            let (_, actions) = machine.step(Event::Joins(cluster));
            assert_eq!(actions, [Action::Open(cluster, kind)]);
            if *wrote {
                machine.step(Event::Wrote(cluster));
            }
        }
        Self {
            machine,
            servers: vec![State::Active; wrote.len()],
            wrote: wrote.to_vec(),
            record: Record::Absent,
            outstanding: Vec::new(),
            path: Vec::new(),
        }
    }

    fn feed(&mut self, event: Event) {
        let (_, actions) = self.machine.step(event);
        self.outstanding.extend(actions);
    }

    /// The server does it. False: it cannot.
    fn execute(&mut self, action: Action) -> bool {
        let state = &mut self.servers[action.cluster()];
        match (action, *state) {
            (Action::Prepare(_), State::Active) => *state = State::Prepared,
            (Action::Record(_), State::Active) if self.record == Record::Absent => {
                self.record = Record::Uncommitted;
            }
            (Action::Decide(_), State::Active) => {
                assert_eq!(self.record, Record::Uncommitted, "{:?}", self.path);
                self.record = Record::Committed;
                *state = State::Committed;
            }
            (Action::CommitAlone(..), State::Active)
            | (Action::CommitPrepared(_), State::Prepared) => *state = State::Committed,
            (Action::RollBack(..), State::Active)
            | (Action::RollBackPrepared(_), State::Prepared) => self.roll_back(action.cluster()),
            _ => return false,
        }
        true
    }

    fn roll_back(&mut self, cluster: usize) {
        self.servers[cluster] = State::RolledBack;
        if cluster == 0 && self.record == Record::Uncommitted {
            self.record = Record::Absent;
        }
    }

    fn disconnect(&mut self, cluster: usize) {
        if self.servers[cluster] == State::Active {
            self.roll_back(cluster);
        }
    }

    fn meet(&mut self, action: Action, fate: Fate) {
        self.path.push(format!("{action:?} {fate:?}"));
        let cluster = action.cluster();
        let event = match fate {
            Fate::Done if self.execute(action) => Event::Done(cluster),
            Fate::Done | Fate::Refused => Event::Refused(cluster),
            Fate::LostBefore => {
                self.disconnect(cluster);
                Event::Lost(cluster)
            }
            Fate::LostAfter => {
                self.execute(action);
                self.disconnect(cluster);
                Event::Lost(cluster)
            }
        };
        self.feed(event);
    }

    /// What any proxy does that finds prepared branches.
    fn recover(&mut self) {
        if !self.servers.contains(&State::Prepared) {
            return;
        }
        let end = match self.record {
            Record::Uncommitted => return,
            Record::Committed => State::Committed,
            Record::Absent | Record::Aborted => {
                self.record = Record::Aborted;
                State::RolledBack
            }
        };
        let prepared = self.servers.iter_mut().filter(|state| **state == State::Prepared);
        prepared.for_each(|state| *state = end);
        self.path.push("recovered".to_owned());
    }

    /// The proxy dies now: all connections close, and another one recovers.
    fn crash_is_survived(&self) {
        let mut after = self.clone();
        (0..after.servers.len()).for_each(|cluster| after.disconnect(cluster));
        after.recover();
        let ends: Vec<State> =
            after.servers.iter().zip(&after.wrote).filter(|(_, w)| **w).map(|(s, _)| *s).collect();
        let is_whole = ends.windows(2).all(|pair| pair[0] == pair[1]);
        assert!(is_whole && !ends.contains(&State::Prepared), "{ends:?} {:?}", self.path);
        let told = match self.machine.phase() {
            Phase::Finishing | Phase::Ended(Outcome::Committed) => Some(State::Committed),
            Phase::Ended(Outcome::RolledBack) => Some(State::RolledBack),
            _ => None,
        };
        if let Some(told) = told {
            assert!(ends.iter().all(|end| *end == told), "told {told:?}: {ends:?} {:?}", self.path);
        }
    }
}

fn explore(world: &World, recoveries: usize, seen: &mut usize) {
    *seen += 1;
    world.crash_is_survived();
    if recoveries > 0 && world.servers.contains(&State::Prepared) {
        let mut next = world.clone();
        next.recover();
        if next.record != world.record || next.servers != world.servers {
            explore(&next, recoveries - 1, seen);
        }
    }
    if world.outstanding.is_empty() {
        assert!(matches!(world.machine.phase(), Phase::Ended(_)), "stuck: {world:?}");
    }
    for at in 0..world.outstanding.len() {
        let mut next = world.clone();
        let action = next.outstanding.remove(at);
        match action {
            Action::Open(..) => unreachable!("clusters join before"),
            Action::Forget(_) => {
                assert!(!next.servers.contains(&State::Prepared), "{:?}", next.path);
                explore(&next, recoveries, seen);
            }
            Action::Resolve(_) => {
                let mut unknown = next.clone();
                unknown.feed(Event::Resolved(None));
                explore(&unknown, recoveries, seen);
                next.disconnect(0);
                let decision = match next.record {
                    Record::Committed => Decision::Commit,
                    Record::Absent | Record::Aborted => {
                        next.record = Record::Aborted;
                        Decision::Abort
                    }
                    Record::Uncommitted => unreachable!("its connection is closed"),
                };
                next.feed(Event::Resolved(Some(decision)));
                explore(&next, recoveries, seen);
            }
            action => {
                for fate in FATES {
                    let mut next = next.clone();
                    next.meet(action, fate);
                    explore(&next, recoveries, seen);
                }
            }
        }
    }
}

fn check(wrote: &[bool]) {
    for event in [Event::Commit, Event::Rollback, Event::Lost(0), Event::Lost(wrote.len() - 1)] {
        let mut world = World::new(wrote);
        if let Event::Lost(cluster) = event {
            world.disconnect(cluster);
        }
        world.path.push(format!("{wrote:?} {event:?}"));
        world.feed(event);
        let mut seen = 0;
        explore(&world, 1, &mut seen);
        assert!(seen > 1 || wrote.len() == 1, "{wrote:?} {event:?}");
    }
}

#[test]
fn every_order_is_whole_on_two_clusters() {
    for bits in 0..4_u8 {
        check(&[bits & 1 > 0, bits & 2 > 0]);
    }
    check(&[true]);
    check(&[false]);
}

#[test]
fn every_order_is_whole_on_three_clusters() {
    for bits in 0..8_u8 {
        check(&[bits & 1 > 0, bits & 2 > 0, bits & 4 > 0]);
    }
}

/// The actions of a commit in which all goes well, round by round.
fn rounds(wrote: &[bool], expect: &str) {
    let mut world = World::new(wrote);
    world.feed(Event::Commit);
    let mut rounds = Vec::new();
    while !world.outstanding.is_empty() {
        let actions = std::mem::take(&mut world.outstanding);
        rounds.push(actions.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>().join(" "));
        for action in actions {
            match action {
                Action::Forget(_) => {}
                action => world.meet(action, Fate::Done),
            }
        }
    }
    assert_eq!(rounds.join("; "), expect);
}

#[test]
fn rounds_of_a_commit() {
    rounds(&[true], "CommitAlone(0, Local)");
    rounds(&[false], "CommitAlone(0, Local)");
    rounds(&[true, false], "CommitAlone(0, Local); CommitAlone(1, Branch)");
    rounds(&[false, true], "CommitAlone(1, Branch); CommitAlone(0, Local)");
    rounds(&[true, true], "Record(0) Prepare(1); Decide(0); CommitPrepared(1); Forget(0)");
    rounds(
        &[false, true, true],
        "Record(0) Prepare(1) Prepare(2); Decide(0); CommitPrepared(1) CommitPrepared(2); Forget(0)",
    );
    rounds(
        &[true, true, false],
        "Record(0) Prepare(1); Decide(0); CommitPrepared(1) CommitAlone(2, Branch); Forget(0)",
    );
}

/// A commit of two clusters that wrote under locks: how it ends after these answers.
fn check_locked(answers: &[Event], expect: Outcome) {
    let mut machine = Machine::new(Sort::UnderLocks);
    for cluster in 0..2 {
        let (_, actions) = machine.step(Event::Joins(cluster));
        assert_eq!(actions, [Action::Open(cluster, Kind::Local)]);
        machine.step(Event::Wrote(cluster));
    }
    let (_, actions) = machine.step(Event::Commit);
    assert_eq!(actions, [Action::CommitAlone(0, Kind::Local)]);
    answers.iter().for_each(|answer| drop(machine.step(*answer)));
    assert_eq!(machine.phase(), Phase::Ended(expect), "{answers:?}");
}

#[test]
fn under_locks_clusters_commit_one_by_one() {
    check_locked(&[Event::Done(0), Event::Done(1)], Outcome::Committed);
    check_locked(&[Event::Done(0), Event::Refused(1)], Outcome::Torn);
    check_locked(&[Event::Done(0), Event::Lost(1)], Outcome::Torn);
    check_locked(&[Event::Refused(0), Event::Done(0), Event::Done(1)], Outcome::RolledBack);
    check_locked(&[Event::Lost(0), Event::Done(1)], Outcome::Unknown);
}
