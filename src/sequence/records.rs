//! What is kept on a server, as SQL: the next number of each table, and who has which worker number.

use std::time::Duration;

use crate::backend::Bookkeeping;
use crate::sql::quote;

pub(super) struct Records {
    bookkeeping: Bookkeeping,
    /// Quoted.
    segments: String,
    workers: String,
}

/// The server's time, in milliseconds since 1970, whatever the time zone of the session is.
const NOW: &str = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000";

impl Records {
    pub(super) fn new(bookkeeping: Bookkeeping) -> Self {
        Self {
            segments: bookkeeping.table("id_segments"),
            workers: bookkeeping.table("id_workers"),
            bookkeeping,
        }
    }

    pub(super) fn bookkeeping(&self) -> &Bookkeeping {
        &self.bookkeeping
    }

    pub(super) fn create(&self) -> [String; 3] {
        let Self { segments, workers, bookkeeping } = self;
        [
            bookkeeping.create(),
            format!(
                "CREATE TABLE IF NOT EXISTS {segments} (\
                 name VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY \
                 COMMENT 'schema and table', \
                 next BIGINT UNSIGNED NOT NULL COMMENT 'the first number that no proxy has taken') \
                 ENGINE=InnoDB COMMENT 'ids that Margay generates by `segment`'"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {workers} (\
                 id SMALLINT UNSIGNED NOT NULL PRIMARY KEY, \
                 owner CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'a run of a proxy', \
                 horizon BIGINT UNSIGNED NOT NULL COMMENT 'ids are made up to here, by the clock of the proxy', \
                 until BIGINT UNSIGNED NOT NULL COMMENT 'kept up to here, by the clock of this server') \
                 ENGINE=InnoDB COMMENT 'numbers of proxies in ids that Margay generates by `snowflake`'"
            ),
        ]
    }

    /// Takes `count` numbers, none below `low`: the first is the insert id of the answer. No row affected:
    /// the sequence has not begun.
    pub(super) fn take(&self, name: &str, count: u64, low: u64) -> String {
        format!(
            "UPDATE {} SET next = LAST_INSERT_ID(GREATEST(next, {low})) + {count} WHERE name = {}",
            self.segments,
            text(name)
        )
    }

    /// Begins a sequence, unless another proxy was faster.
    pub(super) fn begin(&self, name: &str, first: u64) -> String {
        format!(
            "INSERT IGNORE INTO {} (name, next) VALUES ({}, {first})",
            self.segments,
            text(name)
        )
    }

    pub(super) fn list_workers(&self) -> String {
        format!(
            "SELECT id, owner, horizon, until < {NOW} AS free FROM {} ORDER BY id",
            self.workers
        )
    }

    /// Takes a number that nobody has had yet.
    pub(super) fn add_worker(&self, lease: &Lease<'_>) -> String {
        let Lease { worker, owner, horizon, period } = lease;
        let period = period.as_millis();
        format!(
            "INSERT INTO {} (id, owner, horizon, until) VALUES ({worker}, '{owner}', {horizon}, \
             {NOW} + {period})",
            self.workers
        )
    }

    /// Keeps a number that `from` has: the proxy itself, or one whose time is over. No row affected:
    /// somebody else has it.
    pub(super) fn keep_worker(&self, lease: &Lease<'_>, from: &str) -> String {
        let Lease { worker, owner, horizon, period } = lease;
        let period = period.as_millis();
        let free = if from == *owner { String::new() } else { format!(" AND until < {NOW}") };
        format!(
            "UPDATE {} SET owner = '{owner}', horizon = GREATEST(horizon, {horizon}), \
             until = {NOW} + {period} WHERE id = {worker} AND owner = '{from}'{free}",
            self.workers
        )
    }
}

/// What a proxy writes beside its number.
pub(super) struct Lease<'a> {
    pub(super) worker: u16,
    pub(super) owner: &'a str,
    pub(super) horizon: u64,
    pub(super) period: Duration,
}

fn text(name: &str) -> String {
    String::from_utf8_lossy(&quote::text(name.as_bytes())).into_owned()
}
