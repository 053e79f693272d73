//! CREATE TABLE ... SELECT over shards: a server tells the definition, then the table is made by it, and
//! its rows are inserted as by INSERT ... SELECT.

use std::sync::Arc;

use super::combine::{Loader, full_name};
use super::reply::Reply;
use super::run::{Call, Run};
use super::summary::Summary;
use super::warnings::{Warning, Warnings};
use crate::backend::{Access, Connection, SessionState};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::fill::SAMPLE;
use crate::plan::types::Fill;
use crate::sql::quote::identifier;
use crate::transaction::Lent;

/// ER_TABLE_EXISTS_ERROR
const EXISTS: u16 = 1050;

/// What a server makes of the statement.
pub(super) struct Defined {
    /// The columns of the query.
    columns: Vec<Vec<u8>>,
    /// What follows the name in CREATE TABLE.
    definition: Vec<u8>,
}

impl Run<'_> {
    pub(super) async fn fill(&mut self, fill: &Fill) -> Result<Reply> {
        let mut run = Run { call: Call::Text, ..self.again() };
        let defined = run.defined(fill).await?;
        let create = [b"CREATE TABLE ".as_slice(), &fill.name, &defined.definition].concat();
        match run.done(&create, fill).await {
            Ok(_) => {}
            Err(error) if fill.conditional && is_there(&error) => {
                self.warnings.add(noted(&error));
                let warnings = self.warnings.wire_count();
                let info = b"Records: 0  Duplicates: 0  Warnings: 1".to_vec();
                return Ok(Reply::Done(Summary { warnings, info, ..Summary::default() }));
            }
            Err(error) => return Err(error),
        }
        let names: Vec<Vec<u8>> = defined.columns.iter().map(|name| identifier(name)).collect();
        let head = [fill.insert.as_bytes(), b" INTO ", &fill.name, b" ("].concat();
        let insert = [&head, names.join(&b", "[..]).as_slice(), b") ", &fill.source.text].concat();
        let filled = run.done(&insert, fill).await;
        let Err(error) = filled else { return filled };
        // One server would have undone all of it.
        run.deadline = run.snapshot.deadline(None);
        let drop = [b"DROP TABLE ".as_slice(), &fill.name].concat();
        match run.done(&drop, fill).await {
            Ok(_) => Err(error),
            Err(left) => Err(error.context(format!(
                "the table was made, and could not be dropped when its rows were not inserted ({left})"
            ))),
        }
    }

    /// Runs a statement as if a client had sent it.
    async fn done(&mut self, text: &[u8], fill: &Fill) -> Result<Reply> {
        let (plan, mut facts) = self.planned(text, &fill.source).await?;
        Box::pin(self.plan(&plan, &mut facts)).await
    }

    async fn defined(&mut self, fill: &Fill) -> Result<Defined> {
        let (plan, facts) = self.planned(&fill.empty.text, &fill.empty).await?;
        let Plan::Select(select) = &plan else {
            return Err(Error::internal("a table made of what is no query"));
        };
        let Some((target, text)) = self.sample_of(select, &facts) else {
            return self.defined_apart(fill).await;
        };
        let shard = self.snapshot.shard(target.shard)?;
        let lease = self.snapshot.backends.lease(shard.cluster, Access::Primary, false).await?;
        let mut lent = Lent::apart(lease, shard.cluster);
        lent.lease.set_deadline(self.deadline);
        let state = self.state.in_database(&shard.database);
        let defined = self.define(&mut lent.lease, &state, fill, &text).await;
        defined.map_err(|error| self.restore(error, &target))
    }

    /// Asks a server that has the tables of `query`, which gives no rows there.
    pub(super) async fn define(
        &self,
        connection: &mut Connection,
        state: &Arc<SessionState>,
        fill: &Fill,
        query: &[u8],
    ) -> Result<Defined> {
        // What comes before it is told by errors of its own.
        connection.ensure_state(state).await?;
        let loader = Loader::begin(connection, state, &self.snapshot.abilities).await?;
        loader.finish(connection).await?;
        let columns = connection.query_all(query).await?.columns;
        let database = state.schema.as_deref().unwrap_or_default();
        connection.note_temporary(&full_name(database, SAMPLE));
        let create = format!("CREATE TEMPORARY TABLE {SAMPLE} ");
        let create = [create.as_bytes(), &fill.definitions, b" ", query].concat();
        connection.query_all(create).await?;
        let shown = connection.query_all(format!("SHOW CREATE TABLE {SAMPLE}")).await?;
        let shown = shown.rows.first().and_then(|row| row.get(1)?.clone());
        let shown = shown.ok_or_else(|| Error::protocol("no answer to SHOW CREATE TABLE"))?;
        let open = shown.iter().position(|byte| *byte == b'(');
        let definition = shown.get(open.unwrap_or(shown.len())..).unwrap_or_default();
        Ok(Defined {
            columns: columns.iter().map(|column| column.name.to_vec()).collect(),
            definition: [b" ", definition].concat(),
        })
    }
}

fn is_there(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server(own) if own.code == EXISTS)
}

/// The error as a note.
fn noted(error: &Error) -> Warnings {
    let (code, _, message) = error.mysql();
    Warnings { count: 1, list: vec![Warning { level: b"Note".to_vec(), code, message }] }
}
