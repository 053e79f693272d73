//! Ends what a proxy has left prepared: any proxy can, and several may at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::coordinator::Coordinator;
use super::machine::Decision;
use super::xid::{TransactionId, Xid};
use crate::error::{Error, ErrorKind, Result};

/// From one look at the clusters to the next.
const INTERVAL: Duration = Duration::from_secs(2);
/// A branch that has been prepared for so long is probably not in the middle of its commit.
const GRACE: Duration = Duration::from_secs(3);
/// Added to `transactions.commit_timeout`: after so long whoever holds up recovery is dead, though its
/// connections are still there.
const DEAD_MARGIN: Duration = Duration::from_secs(1);
/// From one removal of old records to the next.
const CLEANING: Duration = Duration::from_secs(600);
/// Records deleted by one statement.
const DELETE_MAX: usize = 500;
/// Unknown XID: somebody else was faster; or, on MariaDB, the connection that prepared it is still there.
const UNKNOWN_XID: u16 = 1397;

/// Looks for branches in doubt until it is dropped.
pub struct Recovery(JoinHandle<()>);

impl Recovery {
    pub fn start(coordinator: Arc<Coordinator>) -> Self {
        Self(tokio::spawn(async move {
            // On one cluster there is nothing to agree on.
            if coordinator.clusters().len() < 2 {
                return;
            }
            let mut watch = Watch::default();
            loop {
                watch.round(&coordinator).await;
                tokio::time::sleep(INTERVAL).await;
            }
        }))
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is remembered from round to round.
#[derive(Default)]
struct Watch {
    /// When each branch was first seen, by its cluster.
    seen: HashMap<(usize, Xid), Instant>,
    /// What was last complained of, by cluster.
    complaints: HashMap<usize, String>,
    cleaned: Option<Instant>,
}

impl Watch {
    async fn round(&mut self, coordinator: &Coordinator) {
        let count = coordinator.clusters().len();
        let unfinished = coordinator.fence().list_unfinished();
        let listings = join_all((0..count).map(|cluster| async move {
            coordinator.home(cluster).await?;
            list(coordinator, cluster).await
        }))
        .await;
        let now = Instant::now();
        let mut is_complete = true;
        let mut present: HashMap<(usize, Xid), Instant> = HashMap::new();
        for (cluster, listing) in listings.into_iter().enumerate() {
            match listing {
                Ok(xids) => {
                    self.complaints.remove(&cluster);
                    for xid in xids {
                        let since = self.seen.get(&(cluster, xid.clone())).copied();
                        present.insert((cluster, xid), since.unwrap_or(now));
                    }
                }
                Err(error) => {
                    is_complete = false;
                    self.complain(cluster, coordinator.name(cluster), &error);
                    // What was seen there before may still be.
                    let kept = self.seen.iter().filter(|((at, _), _)| *at == cluster);
                    present.extend(kept.map(|(key, since)| (key.clone(), *since)));
                }
            }
        }
        self.seen = present;
        if is_complete {
            let is_over = |id: &&TransactionId| !self.seen.keys().any(|(_, xid)| xid.id == **id);
            unfinished.iter().filter(is_over).for_each(|id| coordinator.fence().finished(id));
        }
        let dead_after = coordinator.commit_timeout() + DEAD_MARGIN;
        let due: Vec<Doubt> = self
            .seen
            .iter()
            .map(|((cluster, xid), since)| (*cluster, xid, now.duration_since(*since)))
            .filter(|(_, xid, age)| *age >= GRACE && !coordinator.is_in_flight(&xid.id))
            .map(|(cluster, xid, age)| Doubt { cluster, xid: xid.clone(), dead: age >= dead_after })
            .collect();
        join_all(due.iter().map(|doubt| doubt.end(coordinator))).await;
        forget(coordinator).await;
        let is_time = self.cleaned.is_none_or(|cleaned| cleaned.elapsed() >= CLEANING);
        if is_complete && self.seen.is_empty() && is_time {
            self.cleaned = Some(now);
            clean(coordinator).await;
        }
    }

    fn complain(&mut self, cluster: usize, name: &str, error: &Error) {
        let text = error.to_string();
        if self.complaints.get(&cluster) != Some(&text) {
            tracing::warn!(cluster = name, %error, "cannot look for transactions in doubt");
            self.complaints.insert(cluster, text);
        }
    }
}

/// The branches of Margay that are prepared on a cluster.
async fn list(coordinator: &Coordinator, cluster: usize) -> Result<Vec<Xid>> {
    const NO_PRIVILEGE: u16 = 1401;
    let found = coordinator.ask(cluster, "XA RECOVER").await.map_err(|error| {
        let is_refused = matches!(
            error.kind(),
            ErrorKind::Server(server) if matches!(server.code, NO_PRIVILEGE | 1227)
        );
        if is_refused {
            return error.context("grant Margay's user XA_RECOVER_ADMIN on the cluster");
        }
        error
    })?;
    let number = |value: Option<&Option<bytes::Bytes>>| {
        let text = std::str::from_utf8(value?.as_ref()?).ok()?;
        text.parse::<u64>().ok()
    };
    let xids = found.rows.iter().filter_map(|row| {
        let format = number(row.first())?;
        let gtrid_len = usize::try_from(number(row.get(1))?).ok()?;
        Xid::parse(format, gtrid_len, row.get(3)?.as_ref()?)
    });
    Ok(xids.collect())
}

/// A branch that its proxy does not seem to end.
struct Doubt {
    cluster: usize,
    xid: Xid,
    /// Whoever still holds it up does not answer any more.
    dead: bool,
}

impl Doubt {
    /// Ends the branch as its transaction was decided; what cannot be told now is left for the next round.
    async fn end(&self, coordinator: &Coordinator) {
        let Self { cluster, xid, dead } = self;
        let (statement, done) = match self.decision(coordinator).await {
            Ok(Some(Decision::Commit)) => ("XA COMMIT", "committed"),
            Ok(Some(Decision::Abort)) => ("XA ROLLBACK", "rolled back"),
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(id = %xid.id, %error, "transaction stays in doubt for now");
                return;
            }
        };
        let name = coordinator.name(*cluster);
        let outcome = coordinator.ask(*cluster, &format!("{statement} {}", xid.sql())).await;
        match outcome {
            Ok(_) => tracing::info!(id = %xid.id, cluster = name, "recovered: {done}"),
            Err(error) if is_code(&error, UNKNOWN_XID) => {
                // MariaDB ends a branch for others once the connection that prepared it is closed.
                if *dead {
                    kill(coordinator, *cluster, xid.threads.branch).await;
                }
            }
            Err(error) => {
                tracing::warn!(id = %xid.id, cluster = name, %error, "not ended yet");
            }
        }
    }

    async fn decision(&self, coordinator: &Coordinator) -> Result<Option<Decision>> {
        let id = &self.xid.id;
        let Some(home) = coordinator.home_of(id).await else {
            return Err(Error::new(
                ErrorKind::NoBackend,
                "its first cluster is unreachable, or not in these rules",
            ));
        };
        if let Some((decision, _)) = coordinator.look_up(home, id).await? {
            return Ok(Some(decision));
        }
        // Without a record it is either undecided or ended and forgotten; what has ended is not listed.
        if !list(coordinator, self.cluster).await?.contains(&self.xid) {
            return Ok(None);
        }
        let decision = coordinator.decide(home, id).await?;
        if decision.is_none() && self.dead {
            kill(coordinator, home, self.xid.threads.home).await;
            return coordinator.decide(home, id).await;
        }
        Ok(decision)
    }
}

/// Closes a connection of a proxy that has frozen or lost its machine. Should the number belong to another
/// one by now, its transaction is rolled back and its client told so.
async fn kill(coordinator: &Coordinator, cluster: usize, thread: u32) {
    const NO_SUCH_THREAD: u16 = 1094;
    match coordinator.ask(cluster, &format!("KILL {thread}")).await {
        Ok(_) => {
            let cluster = coordinator.name(cluster);
            tracing::warn!(
                cluster,
                thread,
                "closed the connection of a proxy that does not answer"
            );
        }
        Err(error) if is_code(&error, NO_SUCH_THREAD) => {}
        Err(error) => tracing::warn!(%error, "cannot close the connection of a dead proxy"),
    }
}

fn is_code(error: &Error, code: u16) -> bool {
    matches!(error.kind(), ErrorKind::Server(server) if server.code == code)
}

/// Deletes records of transactions that are committed everywhere.
async fn forget(coordinator: &Coordinator) {
    let forgotten = coordinator.take_forgotten();
    join_all(forgotten.into_iter().map(|(home, ids)| async move {
        for chunk in ids.chunks(DELETE_MAX) {
            delete(coordinator, home, chunk).await;
        }
    }))
    .await;
}

async fn delete(coordinator: &Coordinator, home: usize, ids: &[TransactionId]) {
    let statement = coordinator.records().delete(ids);
    if let Err(error) = coordinator.ask(home, &statement).await {
        // They go by their age.
        tracing::debug!(%error, "records of ended transactions not deleted");
    }
}

/// Deletes records by their age; nothing is in doubt that they could decide.
async fn clean(coordinator: &Coordinator) {
    for cluster in 0..coordinator.clusters().len() {
        let statement = coordinator.records().delete_old(SystemTime::now());
        if let Err(error) = coordinator.ask(cluster, &statement).await {
            tracing::debug!(%error, "old records not deleted");
        }
    }
}
