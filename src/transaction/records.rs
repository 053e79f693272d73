//! The bookkeeping on each cluster, as SQL: the decisions on transactions, and the cluster's mark.

use std::time::{Duration, SystemTime};

use super::xid::TransactionId;
use crate::backend::Bookkeeping;

pub(super) struct Records {
    bookkeeping: Bookkeeping,
    /// Quoted.
    transactions: String,
    cluster: String,
}

/// How long a record stays whose transaction was ended by recovery: whoever was told that the outcome
/// is unknown can ask so long, and no commit is under way any more.
const KEPT: Duration = Duration::from_secs(24 * 3600);

impl Records {
    pub(super) fn new(bookkeeping: Bookkeeping) -> Self {
        Self {
            transactions: bookkeeping.table("transactions"),
            cluster: bookkeeping.table("cluster"),
            bookkeeping,
        }
    }

    pub(super) fn bookkeeping(&self) -> &Bookkeeping {
        &self.bookkeeping
    }

    /// Asks for the mark. Fails if the tables are not there.
    pub(super) fn mark(&self) -> String {
        let Self { transactions, cluster, .. } = self;
        format!(
            "SELECT mark, (SELECT COUNT(*) FROM {transactions} WHERE id = '') AS n FROM {cluster}"
        )
    }

    pub(super) fn create(&self, mark: &str) -> [String; 4] {
        let Self { transactions, cluster, bookkeeping } = self;
        let text = "CHARACTER SET ascii COLLATE ascii_bin NOT NULL";
        [
            bookkeeping.create(),
            format!(
                "CREATE TABLE IF NOT EXISTS {transactions} (\
                 id CHAR(24) {text} PRIMARY KEY COMMENT 'the last part of the name', \
                 decision VARCHAR(6) {text} COMMENT 'commit or abort', \
                 clusters VARCHAR(1000) {text} COMMENT 'those that wrote, without this one', \
                 made BIGINT UNSIGNED NOT NULL COMMENT 'seconds since 1970') \
                 ENGINE=InnoDB COMMENT 'decisions of Margay on transactions over several clusters'"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {cluster} (\
                 id TINYINT NOT NULL PRIMARY KEY, mark CHAR(8) {text}) \
                 ENGINE=InnoDB COMMENT 'by which Margay knows this cluster again'"
            ),
            format!("INSERT IGNORE INTO {cluster} (id, mark) VALUES (1, '{mark}')"),
        ]
    }

    /// A read of no rows that fixes what a branch sees.
    pub(super) fn view(&self) -> String {
        format!("SELECT decision FROM {} WHERE id = ''", self.transactions)
    }

    /// Within the local transaction: its commit decides. `branches`: the other clusters that wrote.
    pub(super) fn commit(
        &self,
        id: &TransactionId,
        branches: &[String],
        now: SystemTime,
    ) -> String {
        self.insert(id, "commit", branches, now)
    }

    /// Forbids the commit: whoever inserts first wins.
    pub(super) fn forbid(&self, id: &TransactionId, now: SystemTime) -> String {
        self.insert(id, "abort", &[], now)
    }

    fn insert(
        &self,
        id: &TransactionId,
        decision: &str,
        branches: &[String],
        now: SystemTime,
    ) -> String {
        const CLUSTERS_MAX: usize = 1000;
        let mut clusters = branches.join(",");
        clusters.truncate(CLUSTERS_MAX);
        format!(
            "INSERT INTO {} (id, decision, clusters, made) VALUES ('{}', '{decision}', '{clusters}', {})",
            self.transactions,
            id.serial,
            seconds(now)
        )
    }

    pub(super) fn look_up(&self, id: &TransactionId) -> String {
        format!("SELECT decision, clusters FROM {} WHERE id = '{}'", self.transactions, id.serial)
    }

    pub(super) fn delete(&self, ids: &[TransactionId]) -> String {
        let ids: Vec<String> = ids.iter().map(|id| format!("'{}'", id.serial)).collect();
        format!("DELETE FROM {} WHERE id IN ({})", self.transactions, ids.join(", "))
    }

    /// Deletes some of those that nobody asks for any more.
    pub(super) fn delete_old(&self, now: SystemTime) -> String {
        let before = seconds(now).saturating_sub(KEPT.as_secs());
        format!("DELETE FROM {} WHERE made < {before} ORDER BY id LIMIT 1000", self.transactions)
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
