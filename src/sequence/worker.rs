//! The proxy's number in ids by `snowflake`: taken from a table on a server, and kept there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::home::{Home, Turns};
use super::records::Lease;
use super::snowflake::{Snowflake, Step, WORKERS};
use crate::config::Ids as Settings;
use crate::error::{Error, ErrorKind, Result, ServerError};

/// Tries to get a number that other proxies may want, too.
const TRIES: u32 = 32;
/// Duplicate entry: another proxy was faster.
const DUPLICATE: u16 = 1062;

pub(super) struct Worker {
    home: Arc<Home>,
    settings: Settings,
    /// By which the row is known as this run's.
    owner: String,
    /// None: no number yet.
    flake: Mutex<Option<Snowflake>>,
    asking: Turns,
}

impl Worker {
    pub(super) fn new(home: Arc<Home>, settings: Settings) -> Self {
        let owner = format!("{:016x}", rand::random::<u64>());
        let (flake, asking) = Default::default();
        Self { home, settings, owner, flake, asking }
    }

    /// New ids, rising.
    ///
    /// # Errors
    /// No number could be had or kept; the clock was put back.
    pub(super) async fn take(self: &Arc<Self>, count: usize) -> Result<Vec<u64>> {
        let mut ids = Vec::with_capacity(count);
        let mut waited = Duration::ZERO;
        while ids.len() < count {
            let wanted = (count - ids.len()) as u64;
            let step = self.flake().as_mut().map(|flake| flake.take(now(), wanted));
            match step {
                Some(Step::Ids(range)) => ids.extend(range),
                Some(Step::Full) => tokio::time::sleep(Duration::from_millis(1)).await,
                Some(Step::Behind(millis)) => {
                    let wait = Duration::from_millis(millis);
                    if waited + wait > self.settings.clock_wait {
                        return Err(put_back(wait));
                    }
                    waited += wait;
                    tokio::time::sleep(wait).await;
                }
                Some(Step::Over) | None => self.keep(true).await?,
            }
        }
        Ok(ids)
    }

    fn flake(&self) -> MutexGuard<'_, Option<Snowflake>> {
        // It is whole after every single call, so a panic elsewhere broke nothing.
        self.flake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the number for longer, or gets one. `due`: only if that is needed now.
    async fn keep(self: &Arc<Self>, due: bool) -> Result<()> {
        let turn = self.asking.next().await?;
        let covered = self.flake().as_ref().is_some_and(|flake| flake.covers(now()));
        if due && covered {
            return Ok(());
        }
        let begins = self.flake().is_none();
        let number = self.flake().as_ref().map(Snowflake::worker);
        let outcome = match number {
            Some(worker) if self.renew(worker).await.map_err(|error| self.lost(&error))? => Ok(()),
            // Another proxy has the number by now: this one was away for too long.
            Some(_) | None => self.acquire().await.map_err(|error| self.lost(&error)),
        };
        if begins && outcome.is_ok() {
            self.keep_on();
        }
        turn.end(outcome)
    }

    fn horizon(&self) -> u64 {
        now().saturating_add(millis(self.settings.worker_lease))
    }

    fn lease(&self, worker: u16, horizon: u64) -> Lease<'_> {
        Lease { worker, owner: &self.owner, horizon, period: self.settings.worker_lease }
    }

    /// False: the number is not this proxy's any more.
    async fn renew(&self, worker: u16) -> Result<bool> {
        let horizon = self.horizon();
        let lease = self.lease(worker, horizon);
        let kept = self.home.ask(&self.home.records.keep_worker(&lease, &self.owner)).await?;
        if kept.end.affected_rows == 0 {
            return Ok(false);
        }
        if let Some(flake) = self.flake().as_mut() {
            flake.extend(horizon);
        }
        Ok(true)
    }

    async fn acquire(&self) -> Result<()> {
        let records = &self.home.records;
        for _ in 0..TRIES {
            let found = self.home.ask(&records.list_workers()).await?;
            let rows: Vec<Row> = found.rows.iter().filter_map(|row| Row::read(row)).collect();
            let horizon = self.horizon();
            let Some((worker, from)) = choose(&rows, now()) else {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!(
                        "all {WORKERS} numbers of proxies are taken in `{}`.`id_workers` on cluster `{}`",
                        records.bookkeeping().database(),
                        self.home.cluster.name()
                    ),
                ));
            };
            let lease = self.lease(worker, horizon);
            let outcome = match from {
                Some(row) => self.home.ask(&records.keep_worker(&lease, &row.owner)).await,
                None => self.home.ask(&records.add_worker(&lease)).await,
            };
            match outcome {
                Ok(taken) if taken.end.affected_rows > 0 => {
                    let floor = from.map_or(0, |row| row.horizon);
                    *self.flake() = Some(Snowflake::new(worker, floor, horizon));
                    tracing::info!(worker, "took a number for ids");
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(
            ErrorKind::Timeout,
            "other proxies take numbers at the same time; try again",
        ))
    }

    /// Keeps the number until the worker is dropped.
    fn keep_on(self: &Arc<Self>) {
        let worker = Arc::downgrade(self);
        let pause = self.settings.worker_lease / 3;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(worker) = worker.upgrade() else { return };
                if let Err(error) = worker.keep(false).await {
                    tracing::warn!(%error, "the number for ids was not kept; trying again");
                }
            }
        });
    }

    fn lost(&self, error: &Error) -> Error {
        let kind = match error.kind() {
            ErrorKind::Server(_) => ErrorKind::NoBackend,
            kind => kind.clone(),
        };
        Error::new(
            kind,
            format!(
                "no id by `snowflake`: this proxy has no number that it may use, for it was not kept within \
                 `ids.worker_lease` on cluster `{}`: {error}",
                self.home.cluster.name()
            ),
        )
    }
}

/// A number that some proxy has had.
struct Row {
    id: u16,
    owner: String,
    horizon: u64,
    free: bool,
}

impl Row {
    fn read(row: &[Option<bytes::Bytes>]) -> Option<Self> {
        let cell = |index: usize| std::str::from_utf8(row.get(index)?.as_ref()?).ok();
        Some(Self {
            id: cell(0)?.parse().ok()?,
            owner: cell(1)?.to_owned(),
            horizon: cell(2)?.parse().ok()?,
            free: cell(3)? == "1",
        })
    }
}

/// A number that is free, by its row, or one that nobody has had.
fn choose(rows: &[Row], now: u64) -> Option<(u16, Option<&Row>)> {
    if let Some(row) = rows.iter().find(|row| row.free && row.horizon < now && row.id < WORKERS) {
        return Some((row.id, Some(row)));
    }
    let unused = (0..WORKERS).find(|id| rows.iter().all(|row| row.id != *id));
    unused.map(|id| (id, None))
}

/// By the clock of this machine, in milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, millis)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn is_duplicate(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server(ServerError { code: DUPLICATE, .. }))
}

fn put_back(wait: Duration) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!(
            "no id by `snowflake`: the clock of this machine is {wait:?} behind the last id, longer than \
             `ids.clock_wait`; if the clock is right now, restart Margay, which then takes another number"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_free_numbers() {
        let row = |id, horizon, free| Row { id, owner: String::new(), horizon, free };
        let check = |rows: &[Row], expect: Option<(u16, bool)>| {
            let found = choose(rows, 100).map(|(id, row)| (id, row.is_some()));
            assert_eq!(found, expect);
        };
        check(&[], Some((0, false)));
        check(&[row(0, 50, false)], Some((1, false)));
        check(&[row(0, 50, false), row(1, 50, true)], Some((1, true)));
        // It has made ids for moments that are yet to come by this clock.
        check(&[row(0, 100, true), row(1, 99, true)], Some((1, true)));
        check(&[row(0, 100, true)], Some((1, false)));
        let full: Vec<Row> = (0..WORKERS).map(|id| row(id, 50, false)).collect();
        check(&full, None);
    }
}
