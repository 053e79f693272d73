//! Ids for new rows, unique over all shards and proxies.
//!
//! [`segment`] and [`snowflake`] say which numbers a proxy may use, without I/O; the rest brings them what
//! the servers keep. A snapshot that is replaced leaves its numbers behind as a gap.

mod home;
mod records;
mod segment;
mod snowflake;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backend::{Backends, Bookkeeping};
use crate::config::{Ids as Settings, Settings as AllSettings};
use crate::error::{Error, Result, ServerError};
use home::{Home, Turns};
use records::Records;
use segment::Blocks;
use worker::Worker;

/// All generators of a proxy.
pub struct Sequences {
    homes: Vec<Arc<Home>>,
    workers: Vec<Arc<Worker>>,
    settings: Settings,
    segments: Mutex<HashMap<(usize, String), Arc<Segment>>>,
}

/// A table whose ids are counted.
struct Segment {
    home: Arc<Home>,
    name: String,
    size: u64,
    blocks: Mutex<Blocks>,
    asking: Turns,
}

impl Sequences {
    pub fn new(settings: &AllSettings, backends: &Backends) -> Self {
        let database = &settings.transactions.database;
        let home = |cluster: &Arc<_>| {
            Arc::new(Home {
                cluster: Arc::clone(cluster),
                records: Records::new(Bookkeeping::new(database)),
            })
        };
        let homes: Vec<Arc<Home>> = backends.clusters().iter().map(home).collect();
        let worker = |home: &Arc<Home>| Arc::new(Worker::new(home.clone(), settings.ids.clone()));
        let workers = homes.iter().map(worker).collect();
        Self { homes, workers, settings: settings.ids.clone(), segments: Mutex::default() }
    }

    /// Ids by time; the proxy's number is kept on `cluster`.
    ///
    /// # Errors
    /// The cluster cannot be reached for longer than `ids.worker_lease`; the clock was put back.
    pub async fn snowflake(&self, cluster: usize, count: usize) -> Result<Vec<u64>> {
        match self.workers.get(cluster) {
            Some(worker) => worker.take(count).await,
            None => Err(unknown(cluster)),
        }
    }

    /// The next numbers of a sequence that is kept on `cluster`, without a gap. None: it has not begun.
    ///
    /// # Errors
    /// The cluster cannot be reached, or its table cannot be used.
    pub async fn segment(
        &self,
        cluster: usize,
        name: &str,
        count: usize,
    ) -> Result<Option<Vec<u64>>> {
        self.of(cluster, name)?.take(count as u64).await
    }

    /// Begins a sequence at `first`, unless it has begun.
    ///
    /// # Errors
    /// As [`Sequences::segment`].
    pub async fn begin(&self, cluster: usize, name: &str, first: u64) -> Result<()> {
        let segment = self.of(cluster, name)?;
        segment.home.ask(&segment.home.records.begin(name, first)).await.map(drop)
    }

    /// Notes an id that a row brings with it: later ones are greater, as with AUTO_INCREMENT. False: the
    /// sequence has not begun.
    ///
    /// # Errors
    /// As [`Sequences::segment`].
    pub async fn skip(&self, cluster: usize, name: &str, used: u64) -> Result<bool> {
        let segment = self.of(cluster, name)?;
        if segment.blocks().skip(used) {
            return Ok(true);
        }
        let turn = segment.asking.next().await?;
        if segment.blocks().skip(used) {
            return Ok(true);
        }
        let low = used.saturating_add(1);
        Ok(turn.end(segment.fetch(0, low).await)?.is_some())
    }

    fn of(&self, cluster: usize, name: &str) -> Result<Arc<Segment>> {
        let home = self.homes.get(cluster).ok_or_else(|| unknown(cluster))?;
        let make = || {
            Arc::new(Segment {
                home: home.clone(),
                name: name.to_owned(),
                size: self.settings.segment_size.into(),
                blocks: Mutex::default(),
                asking: Turns::default(),
            })
        };
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(segments.entry((cluster, name.to_owned())).or_insert_with(make).clone())
    }
}

impl Segment {
    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        // They are whole after every single call, so a panic elsewhere broke nothing.
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(self: Arc<Self>, count: u64) -> Result<Option<Vec<u64>>> {
        let ids = match self.take_known(count) {
            Some(ids) => ids,
            None => {
                let turn = self.asking.next().await?;
                match self.take_known(count) {
                    Some(ids) => ids,
                    None => match turn.end(self.fetch(count, 0).await)? {
                        Some(ids) => ids,
                        None => return Ok(None),
                    },
                }
            }
        };
        let wants_more = self.blocks().wants_more(self.size);
        if wants_more && self.asking.are_free() {
            tokio::spawn(self.refill());
        }
        Ok(Some(ids))
    }

    fn take_known(&self, count: u64) -> Option<Vec<u64>> {
        self.blocks().take(count).map(Iterator::collect)
    }

    /// Gets the next block before it is needed.
    async fn refill(self: Arc<Self>) {
        let Ok(turn) = self.asking.next().await else { return };
        let wants_more = self.blocks().wants_more(self.size);
        if !wants_more {
            return;
        }
        if let Err(error) = turn.end(self.fetch(0, 0).await) {
            tracing::warn!(sequence = self.name, %error, "no ids ahead of time");
        }
    }

    /// Adds a block, of numbers from `low` on, and takes `wanted` of all at once, or others would take
    /// them. None: the sequence has not begun.
    async fn fetch(&self, wanted: u64, low: u64) -> Result<Option<Vec<u64>>> {
        let count = wanted.max(self.size);
        let taken = self.home.ask(&self.home.records.take(&self.name, count, low)).await;
        let taken = taken.map_err(|error| match error.kind() {
            // A number out of range.
            crate::error::ErrorKind::Server(server) if matches!(server.code, 1690 | 1264) => {
                exhausted()
            }
            _ => error.context("no id by `segment`"),
        })?;
        if taken.end.affected_rows == 0 {
            return Ok(None);
        }
        let start = taken.end.last_insert_id;
        let mut blocks = self.blocks();
        blocks.add(start..start.saturating_add(count));
        let taken = blocks.take(wanted).map(Iterator::collect);
        let taken = taken.ok_or_else(|| {
            Error::internal("a block of ids is smaller than what it was taken for")
        })?;
        Ok(Some(taken))
    }
}

/// What MySQL says when a column has no number left.
pub fn exhausted() -> Error {
    Error::server(ServerError {
        code: 1467,
        state: *b"HY000",
        message: b"Failed to read auto-increment value from storage engine".to_vec(),
    })
}

fn unknown(cluster: usize) -> Error {
    Error::internal(format!("there is no cluster number {cluster}"))
}
