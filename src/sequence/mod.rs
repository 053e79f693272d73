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

use crate::backend::Backends;
use crate::config::{Ids as Settings, Settings as AllSettings};
use crate::error::{Error, Result, ServerError};
use home::Home;
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
    /// One question at a time.
    asking: tokio::sync::Mutex<()>,
}

impl Sequences {
    pub fn new(settings: &AllSettings, backends: &Backends) -> Self {
        let database = &settings.transactions.database;
        let home = |cluster: &Arc<_>| {
            Arc::new(Home { cluster: Arc::clone(cluster), records: Records::new(database) })
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
        let _alone = segment.asking.lock().await;
        if segment.blocks().skip(used) {
            return Ok(true);
        }
        segment.fetch(segment.size, used.saturating_add(1)).await
    }

    fn of(&self, cluster: usize, name: &str) -> Result<Arc<Segment>> {
        let home = self.homes.get(cluster).ok_or_else(|| unknown(cluster))?;
        let make = || {
            Arc::new(Segment {
                home: home.clone(),
                name: name.to_owned(),
                size: self.settings.segment_size.into(),
                blocks: Mutex::default(),
                asking: tokio::sync::Mutex::default(),
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
                let _alone = self.asking.lock().await;
                let known = self.take_known(count);
                match known {
                    Some(ids) => ids,
                    None if !self.fetch(count.max(self.size), 0).await? => return Ok(None),
                    None => self.take_known(count).ok_or_else(|| {
                        Error::internal("a block of ids is smaller than what it was taken for")
                    })?,
                }
            }
        };
        let wants_more = self.blocks().wants_more(self.size);
        if wants_more && self.asking.try_lock().is_ok() {
            tokio::spawn(self.refill());
        }
        Ok(Some(ids))
    }

    fn take_known(&self, count: u64) -> Option<Vec<u64>> {
        self.blocks().take(count).map(Iterator::collect)
    }

    /// Gets the next block before it is needed.
    async fn refill(self: Arc<Self>) {
        let _alone = self.asking.lock().await;
        let wants_more = self.blocks().wants_more(self.size);
        if !wants_more {
            return;
        }
        if let Err(error) = self.fetch(self.size, 0).await {
            tracing::warn!(sequence = self.name, %error, "no ids ahead of time");
        }
    }

    /// Adds a block. False: the sequence has not begun.
    async fn fetch(&self, count: u64, low: u64) -> Result<bool> {
        let taken = self.home.ask(&self.home.records.take(&self.name, count, low)).await;
        let taken = taken.map_err(|error| match error.kind() {
            // A number out of range.
            crate::error::ErrorKind::Server(server) if matches!(server.code, 1690 | 1264) => {
                exhausted()
            }
            _ => error.context("no id by `segment`"),
        })?;
        if taken.end.affected_rows == 0 {
            return Ok(false);
        }
        let start = taken.end.last_insert_id;
        self.blocks().add(start..start.saturating_add(count));
        Ok(true)
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
