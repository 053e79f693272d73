//! information_schema over sharded schemas: logical tables, once each.
//!
//! What servers tell of their physical tables is fetched, made into rows about logical ones, and put
//! into temporary tables of the very definitions that the server's own tables have. The client's
//! statement then runs over these, so a server computes whatever it asks of them.

mod fetch;
mod fold;
mod load;
mod owners;
mod refer;
mod tables;
mod viewer;
mod views;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;

pub use refer::{Reference, Rewritten, rewrite};
pub use viewer::{Granted, Session, Viewer};
pub use views::{ShownColumn, ShownView};

use fetch::{Contained, Fetcher, check_size};
use refer::SYSTEM;

use super::names::Names;
use super::reply::{ROW_OVERHEAD, Reply, Rows};
use super::run::Run;
use super::select::Head;
use super::warnings::Warnings;
use crate::backend::{Access, Lease, SessionState};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::facts::Facts;
use crate::plan::planner::Temporary;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::Select;
use crate::protocol::column::Column;
use crate::transaction::Lent;

impl Rewritten {
    /// What planning its text must be told.
    pub fn temporaries(&self) -> Vec<Temporary> {
        let temporary =
            |reference: &Reference| Temporary { name: reference.temporary.clone(), columns: None };
        self.references.iter().map(temporary).collect()
    }

    /// Whether views that Margay keeps have rows in one of its tables, and whether their columns have.
    pub fn shows_views(&self) -> Option<bool> {
        let names = || self.references.iter().map(|reference| reference.name);
        let with_columns = names().any(|name| name == "COLUMNS");
        (with_columns || names().any(|name| matches!(name, "TABLES" | "VIEWS")))
            .then_some(with_columns)
    }

    /// Lines for EXPLAIN: which table stands for which.
    pub fn explain(&self) -> Vec<String> {
        let line = |reference: &Reference| {
            format!("{}: logical rows of {SYSTEM}.{}", reference.temporary, reference.name)
        };
        self.references.iter().map(line).collect()
    }
}

/// Columns of the parameters and of the answer.
pub type Described = (Vec<Column>, Vec<Column>);

impl Run<'_> {
    /// Runs a query that reads information_schema; `plan` is of the rewritten text.
    ///
    /// # Errors
    /// The servers' own; `Unsupported` if it also reads tables that are not together.
    pub async fn information(
        &mut self,
        rewritten: &Rewritten,
        viewer: &Viewer,
        plan: &Plan,
        facts: &mut Facts,
    ) -> Result<Reply> {
        let select = select_of(plan)?;
        if self.transaction.is_active() && !select.place.is_nowhere() {
            return Err(Error::unsupported(
                "a statement that reads information_schema and other tables is not supported inside a \
                 transaction; read them one by one",
            ));
        }
        let targets = self
            .settle(facts, |run, facts| resolve::targets(&select.place, &run.values(facts)))
            .await?;
        let [target] = targets.as_slice() else {
            return Err(Error::unsupported(
                "a statement that reads information_schema and a table of several shards is not \
                 supported; read them one by one",
            ));
        };
        let fragment = self.fragment(&select.route, target, facts)?;
        let (lease, cluster) = self.prepared_lease(rewritten, viewer, target).await?;
        let mut lent = Lent::apart(lease, cluster);
        let head = self.start_rows(&mut lent, &fragment).await;
        let head = head.map_err(|error| self.named(error, rewritten, target));
        let columns = match head {
            Ok(Head::Rows(columns)) => columns,
            Ok(Head::Done(_)) => {
                return Err(Error::protocol("a server answers a SELECT without rows"));
            }
            Err(error) => return Err(error),
        };
        let rows = self.read_all(&mut lent.lease).await;
        let rows = rows.map_err(|error| self.named(error, rewritten, target))?;
        let mut raised = Warnings::default();
        raised.collect(&mut lent.lease).await;
        self.warnings.add(raised);
        let columns = self.shown(&mut lent.lease, columns, rewritten, target).await;
        Ok(Reply::Rows(Rows::local(columns, rows)))
    }

    /// What preparing such a query would tell.
    ///
    /// # Errors
    /// As [`Run::information`].
    pub async fn describe_information(
        &mut self,
        rewritten: &Rewritten,
        plan: &Plan,
        facts: &Facts,
    ) -> Result<Described> {
        let select = select_of(plan)?;
        let target = resolve::sample(&select.place, &self.values(facts))?;
        let fragment = self.fragment(&select.route, &target, facts)?;
        let nobody = Viewer::default();
        let (mut lease, _) = self.prepared_lease(rewritten, &nobody, &target).await?;
        let database = &self.snapshot.shard(target.shard)?.database;
        lease.ensure_state(&self.state.in_database(database)).await?;
        let prepared = lease.prepare(&fragment.text).await;
        let described = prepared
            .map_err(|error| self.named(error, rewritten, &target))
            .and_then(|prepared| Ok((parse(&prepared.parameters)?, parse(&prepared.columns)?)));
        match described {
            Ok((params, columns)) => {
                Ok((params, self.shown(&mut lease, columns, rewritten, &target).await))
            }
            Err(error) => Err(error),
        }
    }

    /// A connection of its own with the temporary tables on it.
    async fn prepared_lease(
        &self,
        rewritten: &Rewritten,
        viewer: &Viewer,
        target: &Target,
    ) -> Result<(Lease, usize)> {
        let shard = self.snapshot.shard(target.shard)?;
        let fetcher = Fetcher {
            snapshot: self.snapshot,
            viewer,
            params: self.literals(),
            cluster: shard.cluster,
            state: Arc::new(self.plain_state(None)),
            deadline: self.deadline,
        };
        let fetched = rewritten.references.iter().map(|reference| fetcher.fetch(reference));
        let contents: Vec<Contained> = try_join_all(fetched).await?;
        let backends = &self.snapshot.backends;
        let mut lease = backends.lease(shard.cluster, Access::Primary, self.found_rows).await?;
        lease.set_deadline(self.deadline);
        let state = Arc::new(self.plain_state(Some(&shard.database)));
        let abilities = &self.snapshot.abilities;
        load::load(&mut lease, &state, abilities, &rewritten.references, &contents).await?;
        Ok((lease, shard.cluster))
    }

    /// A state in which rows come and go without a change, in the client's time zone. From it to the
    /// client's own no reset is needed, which would take the temporary tables away.
    fn plain_state(&self, database: Option<&str>) -> SessionState {
        let mut state =
            SessionState { schema: database.map(str::to_owned), ..SessionState::default() };
        state.variables.insert("sql_mode".to_owned(), "''".to_owned());
        if let Some(zone) = self.state.base().variables.get("time_zone") {
            state.variables.insert("time_zone".to_owned(), zone.clone());
        }
        state
    }

    async fn read_all(&self, lease: &mut Lease) -> Result<VecDeque<Bytes>> {
        let mut rows = VecDeque::new();
        let mut bytes = 0;
        while let Some(row) = lease.read_row().await? {
            bytes += row.len() as u64 + ROW_OVERHEAD;
            check_size(bytes, self.snapshot)?;
            rows.push_back(row);
        }
        Ok(rows)
    }

    /// The columns with the names that the server gives to those of the tables that are meant. Their
    /// types are those of the rows: MySQL's own vary with how it runs a query.
    async fn shown(
        &self,
        lease: &mut Lease,
        mut columns: Vec<Column>,
        rewritten: &Rewritten,
        target: &Target,
    ) -> Vec<Column> {
        let meant = lease.prepare(&rewritten.original).await.ok();
        let meant = meant.and_then(|prepared| parse(&prepared.columns).ok());
        match meant.filter(|meant| meant.len() == columns.len()) {
            Some(meant) => {
                for (column, meant) in columns.iter_mut().zip(meant) {
                    let Column { charset, length, ty, flags, decimals, .. } = *column;
                    *column = Column { charset, length, ty, flags, decimals, ..meant };
                }
            }
            // It also reads tables that have other names there.
            None => rewritten.references.iter().for_each(|reference| {
                let temporary = reference.temporary.as_bytes();
                for column in columns.iter_mut().filter(|column| column.org_table == temporary) {
                    column.schema = Bytes::from_static(SYSTEM.as_bytes());
                    column.org_table = Bytes::from_static(reference.name.as_bytes());
                }
            }),
        }
        if let Some(names) = Names::new(self.snapshot, target) {
            names.restore_columns(&mut columns);
        }
        self.state.dress(&mut columns);
        columns
    }

    /// A server's error without the names of temporary tables.
    fn named(&self, error: Error, rewritten: &Rewritten, target: &Target) -> Error {
        let error = self.restore(error, target);
        let ErrorKind::Server(server) = error.kind() else { return error };
        let Ok(message) = std::str::from_utf8(&server.message) else { return error };
        let mut message = message.to_owned();
        for reference in rewritten.references.iter().rev() {
            message = message.replace(&reference.temporary, reference.name);
        }
        Error::server(crate::error::ServerError { message: message.into_bytes(), ..server.clone() })
    }
}

fn parse(packets: &[Bytes]) -> Result<Vec<Column>> {
    packets.iter().map(Column::parse).collect()
}

fn select_of(plan: &Plan) -> Result<&Select> {
    match plan {
        Plan::Select(select) => Ok(select),
        Plan::Insert(_) | Plan::Feed(_) | Plan::Write(_) | Plan::Load(_) | Plan::Ddl(_) => {
            Err(Error::internal("a query with a plan that is none"))
        }
    }
}
