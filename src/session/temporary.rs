//! Temporary tables: they are on one connection, to which the session is pinned while it has some.

use std::sync::Arc;

use super::Session;
use super::local::{Heading, cell};
use super::tables::{no_database, unknown_schema};
use crate::backend::Keeper;
use crate::catalog::TableKind;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Reply;
use crate::execute::run::Call;
use crate::plan::Plan;
use crate::plan::facts::{Columns, Facts, TableId};
use crate::sql::query::TableName;
use crate::sql::statement::{Ddl, DdlKind, Statement, StatementKind};

impl Session {
    /// Notes whether a statement needs the connections that the session is pinned to.
    pub(super) fn look_for_pins(&mut self, statement: &Statement) {
        (self.uses_pins, self.reads_pins, self.under_locks) = (false, false, false);
        if self.pins.is_empty() {
            return;
        }
        let is_locked = self.pins.is_locked();
        let mut tables = self.tables_of(statement);
        // Nobody knows which tables a procedure uses.
        let calls = matches!(statement.kind, StatementKind::Call(_));
        self.under_locks = is_locked && (calls || !tables.is_empty());
        tables.retain(|id| self.pins.temporary(id).is_some());
        self.uses_pins = is_locked || calls || !tables.is_empty();
        // The table that an INSERT writes comes once, and by itself is only written.
        let written = match &statement.kind {
            StatementKind::Insert(insert) => self.id_of(&insert.table).ok(),
            StatementKind::Load(load) => self.id_of(&load.table).ok(),
            _ => None,
        };
        let is_written = |id: &TableId| written.as_ref() == Some(id);
        let writes = usize::from(tables.iter().any(is_written));
        self.reads_pins = is_locked || tables.len() > writes;
    }

    /// Whether DDL is about temporary tables. None of it commits.
    pub(super) fn is_temporary(&self, ddl: &Ddl) -> bool {
        let first = ddl.tables.first().and_then(|name| self.id_of(name).ok());
        ddl.temporary || first.is_some_and(|id| self.pins.temporary(&id).is_some())
    }

    /// DDL that makes, changes or drops temporary tables.
    pub(super) async fn temporary_ddl(
        &mut self,
        text: &[u8],
        statement: &Statement,
        ddl: &Ddl,
    ) -> Result<Reply> {
        let mut ids = Vec::with_capacity(ddl.tables.len());
        for name in &ddl.tables {
            ids.push(self.id_of(name)?);
        }
        let cluster = self.place_of(ddl, &ids)?;
        let mut facts = Facts::default();
        let substituted = self.substituted(text, statement)?;
        let (text, statement) = match &substituted {
            Some((text, statement)) => (text.as_slice(), statement),
            None => (text, statement),
        };
        let Plan::Ddl(plan) = self.plan(text, statement, &mut facts, &[]).await? else {
            return Err(Error::internal("DDL with another plan"));
        };
        if plan.fill.is_some() {
            return Err(Error::unsupported(
                "CREATE TEMPORARY TABLE of a query over shards is not supported; create it, then INSERT \
                 ... SELECT",
            ));
        }
        let creates = ddl.kind == DdlKind::CreateTable;
        let keeper = match (creates, self.pins.keeper(cluster)) {
            (_, Some(keeper)) => Some(keeper.clone()),
            (true, None) => Some(Default::default()),
            (false, None) => None,
        };
        self.begin_if_asked();
        self.uses_pins = true;
        let snapshot = self.snapshot.clone();
        let mut run = self.runner(&snapshot, &statement.hints, Call::Text);
        // Whose columns will be asked for.
        let shown = match ddl.kind {
            DdlKind::CreateTable => ids.first(),
            DdlKind::AlterTable => ids.last(),
            _ => None,
        };
        let shown = shown.map(|id| id.table.as_str());
        let (reply, columns) = run.temporary(&plan, &mut facts, (keeper.as_ref(), shown)).await?;
        self.note_temporaries(ddl, &ids, (cluster, keeper, columns.map(Arc::new)));
        Ok(reply)
    }

    fn note_temporaries(
        &mut self,
        ddl: &Ddl,
        ids: &[TableId],
        (cluster, keeper, columns): (usize, Option<Keeper>, Option<Arc<Columns>>),
    ) {
        let snapshot = self.snapshot.clone();
        // What was read of them may have been that of a table of the same name.
        snapshot.facts.forget(ids.iter().cloned());
        match ddl.kind {
            DdlKind::CreateTable => {
                let pin = self.pins.pin(cluster);
                pin.keeper = keeper.unwrap_or_default();
                pin.temporaries.extend(ids.first().cloned().zip(columns));
            }
            DdlKind::DropTable => {
                ids.iter().for_each(|id| self.pins.forget_temporary(id));
                self.pins.release_clean();
            }
            // ALTER TABLE ... RENAME
            DdlKind::AlterTable => {
                ids.iter().for_each(|id| self.pins.forget_temporary(id));
                let named = ids.last().cloned().zip(columns);
                self.pins.pin(cluster).temporaries.extend(named);
            }
            DdlKind::TruncateTable
            | DdlKind::RenameTable
            | DdlKind::CreateIndex
            | DdlKind::DropIndex
            | DdlKind::CreateView
            | DdlKind::DropView
            | DdlKind::CreateDatabase
            | DdlKind::DropDatabase
            | DdlKind::Other => {}
        }
    }

    /// The cluster where the tables are, or will be: that of their schema's default shard.
    fn place_of(&self, ddl: &Ddl, ids: &[TableId]) -> Result<usize> {
        let temporary = |id: &TableId| self.pins.temporary(id).is_some();
        if ddl.kind == DdlKind::DropTable && ids.iter().any(temporary) && !ids.iter().all(temporary)
        {
            return Err(Error::unsupported(
                "DROP TABLE of temporary tables together with others is not supported; drop them by a \
                 statement of their own",
            ));
        }
        let first = ids.first().ok_or_else(|| Error::internal("DDL without a table"))?;
        let catalog = &self.snapshot.catalog;
        let schema = catalog.schema(&first.schema).ok_or_else(|| unknown_schema(&first.schema))?;
        let TableKind::Single { shard } = schema.table(&first.table).kind else {
            return Err(Error::unsupported(format!(
                "a temporary table named like the sharded or broadcast table `{}` is not supported; take \
                 another name",
                first.table
            )));
        };
        let shard = catalog.shard(shard).ok_or_else(|| Error::internal("an unknown shard"))?;
        Ok(shard.cluster)
    }

    fn id_of(&self, name: &TableName) -> Result<TableId> {
        let named = name.schema.as_ref().map(|schema| schema.value.as_str());
        let schema = named.or(self.schema.as_deref()).ok_or_else(no_database)?.to_owned();
        Ok(TableId { schema, table: name.name.value.clone() })
    }

    /// What is known of temporary tables takes the place of what is known of others of their names.
    pub(super) fn know_temporaries(&self, tables: &[TableId], facts: &mut Facts) {
        for id in tables {
            if let Some(columns) = self.pins.columns(id) {
                facts.columns.insert(id.clone(), Some(columns.clone()));
            }
        }
    }

    /// The columns of a table that the session sees under this name.
    pub(super) async fn columns_of(&self, id: &TableId) -> Result<Option<Arc<Columns>>> {
        match self.pins.columns(id) {
            Some(columns) => Ok(Some(columns.clone())),
            None => self.snapshot.columns(id).await,
        }
    }

    /// Tells a client what was on a connection that broke.
    pub(super) fn tell_lost(&mut self, error: Error) -> Error {
        match self.lost() {
            Some(lost) => error.context(lost),
            None => error,
        }
    }

    fn lost(&mut self) -> Option<String> {
        let mut lost = self.pins.forget_lost();
        lost.extend(self.lock_pins.forget_lost());
        let lost = lost.join(", ");
        (!lost.is_empty()).then(|| {
            format!("the connection that the session was pinned to is gone, and with it: {lost}")
        })
    }

    /// SHOW MARGAY PINS: a row for each thing that the session has on a connection.
    pub(super) fn show_pins(&self) -> Reply {
        let headings =
            [Heading::Text("Cluster"), Heading::Number("Connection"), Heading::Text("Reason")];
        let mut rows = Vec::new();
        for (cluster, pin) in self.pins.iter().chain(self.lock_pins.iter()) {
            let name = self.snapshot.config.clusters.get(cluster);
            let name = name.map_or_else(String::new, |cluster| cluster.name.clone());
            let thread = pin.keeper.thread_id().map(|id| id.to_string().into_bytes());
            rows.extend(
                pin.reasons()
                    .into_iter()
                    .map(|reason| vec![cell(name.clone()), thread.clone(), cell(reason)]),
            );
        }
        self.rows(&headings, rows)
    }

    /// Notices connections that servers have closed meanwhile.
    ///
    /// # Errors
    /// What was on them: a statement that relies on it must not run.
    pub(super) fn check_pins(&mut self) -> Result<()> {
        self.pins.check();
        self.lock_pins.check();
        self.lost().map_or(Ok(()), |lost| Err(Error::new(ErrorKind::BackendLost, lost)))
    }
}
