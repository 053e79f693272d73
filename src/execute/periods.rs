//! Time tables: made ahead of time, dropped when their rows are no longer kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Zoned;
use jiff::civil::DateTime;
use tokio::task::JoinHandle;

use super::snapshot::Snapshot;
use crate::catalog::{PartsKind, ShardId, Sharded, Table, TimeParts};
use crate::error::Result;
use crate::sql::quote;

/// How often the clock is looked at; the shortest period is an hour.
const INTERVAL: Duration = Duration::from_secs(60);

/// Looks after the time tables of a snapshot until it is dropped.
pub struct Keeper(JoinHandle<()>);

impl Keeper {
    pub fn start(snapshot: Arc<Snapshot>) -> Self {
        Self(tokio::spawn(async move {
            loop {
                keep(&snapshot).await;
                tokio::time::sleep(INTERVAL).await;
            }
        }))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One round over all time tables. What fails is tried again in the next.
async fn keep(snapshot: &Snapshot) {
    let now = Zoned::now().datetime();
    for table in snapshot.catalog.schemas.values().flat_map(|schema| schema.tables.values()) {
        let Some(sharded) = table.sharded() else { continue };
        let Some(parts) = &sharded.parts else { continue };
        let PartsKind::Time(time) = &parts.kind else { continue };
        if time.create_ahead.is_zero() && time.keep.is_none() {
            continue;
        }
        if let Err(error) = keep_table(snapshot, table, sharded, time, now).await {
            tracing::warn!(table = table.name, %error, "time tables not looked after");
        }
    }
}

async fn keep_table(
    snapshot: &Snapshot,
    table: &Table,
    sharded: &Sharded,
    time: &TimeParts,
    now: DateTime,
) -> Result<()> {
    let shards: BTreeSet<ShardId> = sharded.shards.iter().copied().collect();
    for shard in shards {
        let found = snapshot.tables_on(shard).await?;
        if !found.contains_key(&table.name) {
            // Not created yet: its pattern is missing.
            continue;
        }
        for name in wanted(table, time, now) {
            if !found.contains_key(&name) {
                snapshot.create_period(shard, &table.name, &name).await?;
                tracing::info!(table = name, "time table created ahead");
            }
        }
        for name in found.keys().filter(|name| is_over(table, time, name, now)) {
            let database = quote::identifier(snapshot.shard(shard)?.database.as_bytes());
            let name = quote::identifier(name.as_bytes());
            let text = [b"DROP TABLE IF EXISTS ".as_slice(), &database, b".", &name].concat();
            snapshot.ask(snapshot.shard(shard)?.cluster, &text).await?;
            snapshot.facts.forget([]);
            tracing::info!(table = %String::from_utf8_lossy(&name), "time table dropped by `keep`");
        }
    }
    Ok(())
}

/// Physical tables of the present period and those within `create_ahead`.
fn wanted(table: &Table, time: &TimeParts, now: DateTime) -> Vec<String> {
    let Ok(end) = now.checked_add(time.create_ahead) else { return Vec::new() };
    let end = time.to.map_or(end, |to| end.min(to));
    let start = time.from.map_or(now, |from| now.max(from));
    if time.create_ahead.is_zero() || start > end {
        return Vec::new();
    }
    time.periods(start..end).map(|period| time.name_at(&table.name, period.start)).collect()
}

/// All of its rows are older than `keep`.
fn is_over(table: &Table, time: &TimeParts, physical: &str, now: DateTime) -> bool {
    let (Some(keep), Some(period)) = (time.keep, time.period_of(&table.name, physical)) else {
        return false;
    };
    now.checked_sub(keep).is_ok_and(|oldest| period.end <= oldest)
}

impl Snapshot {
    /// Makes a time table: a copy of the pattern table's definition, on a connection of its own so that
    /// no transaction of a client is committed by it.
    pub(super) async fn create_period(
        &self,
        shard: ShardId,
        pattern: &str,
        name: &str,
    ) -> Result<()> {
        let _as_it_is = self.altering.read().await;
        let place = self.shard(shard)?;
        let database = quote::identifier(place.database.as_bytes());
        let text = [
            b"CREATE TABLE IF NOT EXISTS ".as_slice(),
            &database,
            b".",
            &quote::identifier(name.as_bytes()),
            b" LIKE ",
            &database,
            b".",
            &quote::identifier(pattern.as_bytes()),
        ]
        .concat();
        self.ask(place.cluster, &text).await?;
        self.facts.learn_period(shard, name.to_owned());
        Ok(())
    }
}
