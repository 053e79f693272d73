//! START TRANSACTION WITH CONSISTENT SNAPSHOT: opened on all clusters of a schema at once, so that each
//! commit over clusters that this proxy makes is seen whole or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::Instant;

use super::client_state::ClientState;
use super::pins::Pins;
use super::snapshot::Snapshot;
use crate::backend::Deadline;
use crate::catalog::ShardId;
use crate::error::Result;
use crate::transaction::{Lent, Transaction};

/// How long servers may take to open it: nobody commits over clusters meanwhile.
const OPEN_LIMIT: Duration = Duration::from_secs(1);

impl Snapshot {
    /// Opens a transaction that has just begun, with a snapshot, on all clusters of these shards.
    ///
    /// # Errors
    /// It is open nowhere; the caller ends it.
    pub async fn open_at_once(
        &self,
        transaction: &mut Transaction,
        shards: &[ShardId],
        state: &ClientState,
        (found_rows, pins): (bool, &Pins),
    ) -> Result<()> {
        let mut databases: BTreeMap<usize, &str> = BTreeMap::new();
        for id in shards {
            let shard = self.shard(*id)?;
            databases.entry(shard.cluster).or_insert(&shard.database);
        }
        let mut lents: Vec<Lent> = Vec::with_capacity(databases.len());
        for cluster in databases.keys() {
            lents.push(self.join(transaction, *cluster, found_rows, pins).await?);
        }
        // All that may take long comes before the fence is closed: a server that does not answer must
        // not keep others from committing.
        let deadline = self.deadline(None);
        let ready = lents.iter_mut().zip(databases.values()).map(|(lent, database)| async move {
            lent.lease.set_deadline(deadline);
            lent.lease.ensure_state(&state.in_database(database)).await?;
            lent.lease.query_all("DO 0").await
        });
        try_join_all(ready).await?;
        let is_spread = lents.len() > 1;
        let closed = if is_spread { Some(self.coordinator.close_fence().await?) } else { None };
        let limit = Deadline {
            at: Instant::now() + OPEN_LIMIT,
            setting: "a snapshot over clusters has one second to be opened",
        };
        let opened = join_all(lents.iter_mut().map(|lent| {
            lent.lease.set_deadline(Some(limit));
            lent.prepare()
        }))
        .await;
        drop(closed);
        opened.into_iter().collect::<Result<()>>()?;
        lents.into_iter().for_each(|lent| transaction.give_back(lent));
        transaction.seal();
        Ok(())
    }
}
