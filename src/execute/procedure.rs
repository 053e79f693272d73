//! CALL: a procedure on one shard, with all of its results.

use super::client_state::ClientState;
use super::names::Names;
use super::reply::{Reply, Rows};
use super::run::{Fragment, Run};
use super::snapshot::Snapshot;
use super::summary::Summary;
use crate::backend::Access;
use crate::error::Result;
use crate::plan::template::Target;

impl Run<'_> {
    /// Calls a procedure. LAST_INSERT_ID() is the session's to it.
    ///
    /// # Errors
    /// The server's own, or that it cannot be reached.
    pub async fn call(
        &mut self,
        text: Vec<u8>,
        params: u16,
        target: &Target,
        last_insert_id: u64,
    ) -> Result<Reply> {
        self.clocked = Some(self.state.with_insert_id(last_insert_id));
        let fragment = Fragment::new(target.shard, text, (0..params).collect());
        let mut reply = self.route(&fragment, target, Access::Primary).await?;
        if let Reply::Rows(rows) = &mut reply {
            rows.several = Some(target.clone());
        }
        Ok(reply)
    }
}

impl Snapshot {
    /// Goes on to the next result of a procedure: its columns are in `rows` then. A summary: there are no
    /// more.
    ///
    /// # Errors
    /// The server's own, by which the procedure ends.
    pub async fn next_result(
        &self,
        rows: &mut Rows,
        state: &ClientState,
    ) -> Result<Option<Summary>> {
        let target = rows.several.clone();
        let names = target.as_ref().and_then(|target| Names::new(self, target));
        let outcome = rows.go_on().await;
        let ended = match &names {
            Some(names) => outcome.map_err(|error| names.restore_error(error))?,
            None => outcome?,
        };
        if ended.is_none() {
            if let Some(names) = &names {
                names.restore_columns(&mut rows.columns);
            }
            state.dress(&mut rows.columns);
        }
        Ok(ended)
    }
}
