//! What a statement would give and do, without running it.

use std::sync::Arc;

use bytes::Bytes;

use super::client_state::ClientState;
use super::names::Names;
use super::snapshot::Snapshot;
use crate::backend::{Access, Deadline};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::resolve;
use crate::protocol::column::Column;

impl Snapshot {
    /// Definitions of the parameters and columns of a planned statement, from a shard that could run it.
    pub async fn describe(
        &self,
        plan: &Plan,
        state: &ClientState,
        deadline: Option<Deadline>,
    ) -> Result<(Vec<Column>, Vec<Column>)> {
        let (target, text) = resolve::sample(plan, &self.catalog)?;
        let shard = self.shard(target.shard)?;
        let mut lease = self.backends.lease(shard.cluster, Access::Primary, false).await?;
        lease.set_deadline(deadline);
        lease.ensure_state(&state.in_database(&shard.database)).await?;
        let names = Names::new(self, &target);
        let restore = |error: Error| match &names {
            Some(names) => names.restore_error(error),
            None => error,
        };
        let prepared = lease.prepare(&Bytes::from(text)).await.map_err(restore)?;
        let parse =
            |packets: &Arc<[Bytes]>| packets.iter().map(Column::parse).collect::<Result<Vec<_>>>();
        let params = parse(&prepared.parameters)?;
        let mut columns = parse(&prepared.columns)?;
        if let Some(names) = &names {
            names.restore_columns(&mut columns);
        }
        Ok((params, columns))
    }
}
