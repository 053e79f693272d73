//! What a session has written, cluster by cluster, and so which replicas its reads may go to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::gtid::GtidSet;
use crate::protocol::reply::OkPacket;
use crate::protocol::track::SessionChange;

/// Intervals that are kept of a cluster; beyond, gaps between them are closed, which asks more of
/// replicas, never less.
const INTERVALS_MAX: usize = 1000;
/// The variable by which MariaDB tells the GTID of a commit.
const LAST_GTID: &[u8] = b"last_gtid";

/// The writes of one session. Clusters go by their names, so that it outlives a change of the rules.
#[derive(Debug, Default)]
pub struct Written(Mutex<BTreeMap<Arc<str>, Wrote>>);

#[derive(Debug, Default)]
struct Wrote {
    /// What it has committed and not all replicas were seen to have.
    gtids: GtidSet,
    /// Connections on which it has written something that may not be committed yet.
    open: usize,
    /// When it last wrote something whose GTID it was not told.
    untold: Option<Instant>,
}

/// What a replica must have for the session's reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Needed {
    Nothing,
    Gtids(GtidSet),
    /// Nobody can say: only the primary will do.
    Primary,
}

impl Written {
    /// `window`: how long writes without a GTID may be missing on a replica that counts as up.
    pub(super) fn needed(&self, cluster: &str, window: Duration) -> Needed {
        let clusters = self.lock();
        let Some(wrote) = clusters.get(cluster) else { return Needed::Nothing };
        if wrote.open > 0 || wrote.untold.is_some_and(|at| at.elapsed() < window) {
            Needed::Primary
        } else if wrote.gtids.is_empty() {
            Needed::Nothing
        } else {
            Needed::Gtids(wrote.gtids.clone())
        }
    }

    /// All replicas have these.
    pub(super) fn forget(&self, cluster: &str, gtids: &GtidSet) {
        if let Some(wrote) = self.lock().get_mut(cluster) {
            wrote.gtids.remove(gtids);
        }
    }

    fn change(&self, cluster: &Arc<str>, change: impl FnOnce(&mut Wrote)) {
        let mut clusters = self.lock();
        match clusters.get_mut(cluster) {
            Some(wrote) => change(wrote),
            None => change(clusters.entry(Arc::clone(cluster)).or_default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Wrote>> {
        // What is guarded is whole after every single call, so a panic elsewhere broke nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a session of what is committed on a connection that it uses.
#[derive(Debug)]
pub(super) struct Reporter {
    written: Arc<Written>,
    cluster: Arc<str>,
    /// Something was written that may not be committed yet.
    is_open: bool,
    /// A GTID could not be read.
    is_unreadable: bool,
}

impl Reporter {
    pub(super) fn new(written: &Arc<Written>, cluster: &Arc<str>) -> Self {
        let (written, cluster) = (Arc::clone(written), Arc::clone(cluster));
        Self { written, cluster, is_open: false, is_unreadable: false }
    }

    /// A statement is about to write.
    pub(super) fn writes(&mut self) {
        if !self.is_open {
            self.is_open = true;
            self.written.change(&self.cluster, |wrote| wrote.open += 1);
        }
    }

    /// Reads what the end of a reply tells of a commit.
    pub(super) fn read(&mut self, end: &OkPacket) {
        let Ok(changes) = end.session_changes() else {
            self.is_unreadable = true;
            return;
        };
        for change in changes {
            match change {
                SessionChange::Gtids(text) => self.add(&text),
                SessionChange::Variable { name, value } if name == LAST_GTID => self.add(&value),
                SessionChange::Variable { .. }
                | SessionChange::Schema(_)
                | SessionChange::State(_)
                | SessionChange::Characteristics(_)
                | SessionChange::Transaction(_)
                | SessionChange::Other { .. } => {}
            }
        }
    }

    fn add(&mut self, text: &[u8]) {
        let Some(set) = std::str::from_utf8(text).ok().and_then(|text| GtidSet::parse(text).ok())
        else {
            self.is_unreadable = true;
            return;
        };
        self.written.change(&self.cluster, |wrote| {
            wrote.gtids.add(&set);
            if wrote.gtids.len() > INTERVALS_MAX {
                wrote.gtids.close_gaps();
            }
        });
    }

    /// What was written is committed or rolled back, and if the server tells GTIDs, it has told them.
    pub(super) fn settle(mut self, tells_gtids: bool) {
        if self.is_open {
            self.is_open = false;
            self.close(!tells_gtids || self.is_unreadable);
        }
    }

    fn close(&self, is_untold: bool) {
        self.written.change(&self.cluster, |wrote| {
            wrote.open = wrote.open.saturating_sub(1);
            if is_untold {
                wrote.untold = Some(Instant::now());
            }
        });
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        // The connection broke: the server may have committed without a word.
        if self.is_open {
            self.close(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::protocol::track::put_session_change;

    const WINDOW: Duration = Duration::from_secs(3600);
    const GTID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562:7";

    fn told(change: &SessionChange) -> OkPacket {
        let mut state = BytesMut::new();
        put_session_change(&mut state, change);
        OkPacket { session_state: state.freeze(), ..OkPacket::default() }
    }

    fn check(written: &Written, cluster: &str, expect: &str) {
        let found = match written.needed(cluster, WINDOW) {
            Needed::Nothing => "nothing".to_owned(),
            Needed::Primary => "primary".to_owned(),
            Needed::Gtids(set) => set.to_string(),
        };
        assert_eq!(found, expect);
    }

    #[test]
    fn reads_wait_for_the_gtid_of_a_write() {
        let (written, cluster) = (Arc::new(Written::default()), Arc::from("c0"));
        let mut reporter = Reporter::new(&written, &cluster);
        check(&written, "c0", "nothing");
        reporter.writes();
        check(&written, "c0", "primary");
        check(&written, "c1", "nothing");
        reporter.read(&told(&SessionChange::Gtids(Bytes::from_static(GTID.as_bytes()))));
        check(&written, "c0", "primary");
        reporter.settle(true);
        check(&written, "c0", GTID);
        written.forget("c0", &GtidSet::parse(GTID).unwrap());
        check(&written, "c0", "nothing");
        let mut reporter = Reporter::new(&written, &cluster);
        let (name, value) = (Bytes::from_static(LAST_GTID), Bytes::from_static(b"0-1-5"));
        reporter.read(&told(&SessionChange::Variable { name, value }));
        reporter.settle(true);
        check(&written, "c0", "0-1-5");
    }

    #[test]
    fn what_is_not_told_keeps_reads_on_the_primary() {
        let ends: [fn(Reporter); 3] = [
            drop,
            |reporter| reporter.settle(false),
            |mut reporter| {
                reporter.read(&told(&SessionChange::Gtids(Bytes::from_static(b"?"))));
                reporter.settle(true);
            },
        ];
        for end in ends {
            let (written, cluster) = (Arc::new(Written::default()), Arc::from("c0"));
            let mut reporter = Reporter::new(&written, &cluster);
            reporter.writes();
            end(reporter);
            check(&written, "c0", "primary");
            assert_eq!(written.needed("c0", Duration::ZERO), Needed::Nothing);
        }
        let written = Arc::new(Written::default());
        drop(Reporter::new(&written, &Arc::from("c0")));
        check(&written, "c0", "nothing");
    }
}
