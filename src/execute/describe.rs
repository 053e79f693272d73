//! What a statement would give and do, without running it.

use std::sync::Arc;

use bytes::Bytes;

use super::client_state::ClientState;
use super::names::Names;
use super::run::Run;
use super::snapshot::Snapshot;
use crate::backend::{Access, Connection, Deadline};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::explain;
use crate::plan::facts::{Facts, Stop};
use crate::plan::key::Run as Values;
use crate::plan::render::render;
use crate::plan::resolve;
use crate::plan::template::{Target, Template};
use crate::plan::types::Place;
use crate::protocol::capability::ColumnType;
use crate::protocol::charset::BINARY;
use crate::protocol::column::Column;

impl Run<'_> {
    /// The error that one server would give for a statement that Margay refuses: an invalid one is not
    /// to be told that it is unsupported. `refused` if the statement is valid.
    pub(super) async fn own_error(
        &self,
        place: &Place,
        template: &Template,
        facts: &Facts,
        refused: Error,
    ) -> Error {
        let values = self.values(facts);
        let rendered = resolve::sample(place, &values)
            .and_then(|target| Ok((render(template, &target, &values)?.text, target)));
        let Ok((text, target)) = rendered else { return refused };
        match self.snapshot.describe_at(&target, text, self.state, self.deadline).await {
            Err(error) if matches!(error.kind(), ErrorKind::Server(own) if own.code != NOT_PREPARABLE) => {
                error
            }
            Ok(_) | Err(_) => refused,
        }
    }
}

/// ER_UNSUPPORTED_PS
pub(super) const NOT_PREPARABLE: u16 = 1295;

impl Snapshot {
    /// Definitions of the parameters and columns of a planned statement, from a shard that could run it.
    pub async fn describe(
        self: &Arc<Self>,
        plan: &Plan,
        state: &ClientState,
        deadline: Option<Deadline>,
    ) -> Result<(Vec<Column>, Vec<Column>)> {
        let apart = unplaced_params(plan);
        let described = match (self.sample(plan), plan) {
            (Ok((target, text)), _) => self.describe_at(&target, text, state, deadline).await,
            (Err(refused), Plan::Select(select)) => {
                let Some(source) = &select.source else { return Err(refused) };
                let described = Box::pin(self.describe_apart(source, state, deadline)).await;
                described.unwrap_or(Err(refused))
            }
            (
                Err(refused),
                Plan::Write(_) | Plan::Insert(_) | Plan::Feed(_) | Plan::Load(_) | Plan::Ddl(_),
            ) => Err(refused),
        };
        match (described, apart) {
            // No server has all the tables.
            (Err(error), Some(params)) if is_elsewhere(&error) => {
                let any = || Column::computed("?", ColumnType::MYSQL_TYPE_VAR_STRING, BINARY);
                Ok(((0..params).map(|_| any()).collect(), Vec::new()))
            }
            (described, _) => described,
        }
    }

    /// As [`Snapshot::describe`], of a text at a target.
    ///
    /// # Errors
    /// What the server says of the text.
    pub async fn describe_at(
        &self,
        target: &Target,
        text: Vec<u8>,
        state: &ClientState,
        deadline: Option<Deadline>,
    ) -> Result<(Vec<Column>, Vec<Column>)> {
        let shard = self.shard(target.shard)?;
        let mut lease = self.backends.lease(shard.cluster, Access::Primary, false).await?;
        lease.set_deadline(deadline);
        let state_there = state.in_database(&shard.database);
        lease.queue_state(&state_there)?;
        let described = self.described(&mut lease, target, text, state).await?;
        // The state is still on its way if the statement was there.
        lease.ensure_state(&state_there).await?;
        Ok(described)
    }

    /// What a connection says of a text.
    pub(super) async fn described(
        &self,
        connection: &mut Connection,
        target: &Target,
        text: Vec<u8>,
        state: &ClientState,
    ) -> Result<(Vec<Column>, Vec<Column>)> {
        let names = Names::new(self, target);
        let restore = |error: Error| match &names {
            Some(names) => names.restore_error(error),
            None => error,
        };
        let prepared = connection.prepare(&Bytes::from(text)).await.map_err(restore)?;
        let parse =
            |packets: &Arc<[Bytes]>| packets.iter().map(Column::parse).collect::<Result<Vec<_>>>();
        let params = parse(&prepared.parameters)?;
        let mut columns = parse(&prepared.columns)?;
        if let Some(names) = &names {
            names.restore_columns(&mut columns);
        }
        state.dress(&mut columns);
        Ok((params, columns))
    }

    /// A target that could run the plan, and its text there.
    pub(super) fn sample(&self, plan: &Plan) -> Result<(Target, Vec<u8>)> {
        let facts = Facts::default();
        let values = Values {
            catalog: &self.catalog,
            facts: &facts,
            params: &[],
            charset: "utf8mb4",
            cluster: None,
            hidden: None,
        };
        match plan {
            Plan::Select(select) => {
                let target = resolve::sample(&select.place, &values)?;
                let rendered = render(&select.route, &target, &values)?;
                Ok((target, rendered.text))
            }
            Plan::Write(write) => {
                let target = resolve::sample(&write.place, &values)?;
                let rendered = render(&write.template, &target, &values)?;
                Ok((target, rendered.text))
            }
            Plan::Feed(feed) => {
                let target = resolve::sample(&feed.whole.place, &values)?;
                let rendered = render(&feed.whole.template, &target, &values)?;
                Ok((target, rendered.text))
            }
            Plan::Insert(insert) => {
                let target = resolve::sample_of(&insert.table)?;
                let mut text = render(&insert.head, &target, &values)?.text;
                for (index, row) in insert.rows.iter().enumerate() {
                    if index > 0 {
                        text.extend_from_slice(b", ");
                    }
                    text.extend(render(&row.template, &target, &values)?.text);
                }
                text.extend(render(&insert.tail, &target, &values)?.text);
                Ok((target, text))
            }
            Plan::Load(_) | Plan::Ddl(_) => {
                Err(Error::internal("the statement has no columns to describe"))
            }
        }
    }

    /// The lines of EXPLAIN FORMAT=MARGAY.
    pub async fn explain(
        &self,
        plan: &Plan,
        facts: &mut Facts,
        state: &ClientState,
    ) -> Result<Vec<String>> {
        // As many rounds as running the plan may take.
        const ROUNDS_MAX: usize = 8;
        for _ in 0..ROUNDS_MAX {
            let values = Values {
                catalog: &self.catalog,
                facts,
                params: &[],
                charset: state.charset(),
                cluster: None,
                hidden: None,
            };
            match explain::explain(plan, &values) {
                Ok(lines) => return Ok(lines),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Need(need)) => self.fetch(&need, facts, state).await?,
            }
        }
        Err(Error::internal("explaining asks for the same facts again and again"))
    }
}

/// How many parameters a write has that may run in parts, whose tables no server may have together.
fn unplaced_params(plan: &Plan) -> Option<usize> {
    match plan {
        Plan::Feed(feed) => Some(feed.params.len() + feed.tail_params.len()),
        Plan::Write(write) => write.source.as_ref().map(|_| write.params()),
        Plan::Select(_) | Plan::Insert(_) | Plan::Load(_) | Plan::Ddl(_) => None,
    }
}

fn is_elsewhere(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Server(server) => server.code == 1146,
        kind => *kind == ErrorKind::Unsupported,
    }
}
