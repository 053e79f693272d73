//! Statements that read views of Margay's, as statements without them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Session;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::Reply;
use crate::execute::run::Call;
use crate::plan::views::{self, Expansion, SchemaViews, Scope, View, Views};
use crate::protocol::column::Column;
use crate::sql;
use crate::sql::query::TableName;
use crate::sql::references::references;
use crate::sql::statement::{DdlKind, Explain, Statement, StatementKind};

/// A statement without views, ready to be planned.
pub(super) struct Expanded {
    pub(super) text: Vec<u8>,
    pub(super) statement: Statement,
    used: Vec<Arc<View>>,
    shown: Vec<(String, Arc<View>)>,
}

impl Session {
    /// Runs a statement with the views that it reads. If one is not known, or not any more, it looks
    /// once more.
    pub(super) async fn run(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<Reply> {
        let outcome = self.run_viewed(text, statement, call).await;
        match outcome {
            Err(error) if is_stale(&error) && self.reload_views(statement).await => {
                self.run_viewed(text, statement, call).await
            }
            outcome => outcome,
        }
    }

    async fn run_viewed(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<Reply> {
        let Some(expanded) = self.expanded(text, statement).await? else {
            return self.run_tables(text, statement, call).await;
        };
        let mut reply = self
            .run_tables(&expanded.text, &expanded.statement, call)
            .await
            .map_err(|error| expanded.told(error, statement))?;
        if let Reply::Rows(rows) = &mut reply {
            expanded.name(&mut rows.columns);
        }
        Ok(reply)
    }

    /// The statement without views. None: it reads none.
    ///
    /// # Errors
    /// Those of [`views::expand`], and of rights to the tables of a view with SQL SECURITY INVOKER.
    pub(super) async fn expanded(
        &self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<Option<Expanded>> {
        let takes_views = match &statement.kind {
            StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Explain(_) => true,
            StatementKind::Ddl(ddl) => ddl.kind == DdlKind::CreateTable,
            _ => false,
        };
        if !takes_views || statement.hints.shard.is_some() {
            return Ok(None);
        }
        let mut views = Views::new();
        // Each round learns of schemas that the definitions of the last one name.
        const ROUNDS_MAX: usize = 32;
        for _ in 0..ROUNDS_MAX {
            let scope = Scope {
                catalog: &self.snapshot.catalog,
                schema: self.schema.as_deref(),
                mode: self.mode,
                charset: self.state.charset(),
                views: &views,
            };
            match views::expand(text, statement, &scope)? {
                Expansion::Plain => return Ok(None),
                Expansion::Done(views::Expanded { text, used, shown }) => {
                    self.authorize_invoker(&used)?;
                    let statement = sql::parse(&text, &self.mode)?;
                    return Ok(Some(Expanded { text, statement, used, shown }));
                }
                Expansion::Missing(schemas) => {
                    for schema in schemas {
                        let known = self.snapshot.views(&schema).await?;
                        views.insert(schema, known);
                    }
                }
            }
        }
        Err(Error::internal("views of more and more schemas"))
    }

    /// EXPLAIN of a statement without views, and its text. None: it reads none.
    pub(super) async fn expanded_explain(
        &self,
        text: &[u8],
        explain: &Explain,
    ) -> Result<Option<(Vec<u8>, Explain)>> {
        let (head, own) = text.split_at_checked(explain.at as usize).unwrap_or((text, &[]));
        let statement = sql::parse(own, &self.mode)?;
        let Some(expanded) = self.expanded(own, &statement).await? else { return Ok(None) };
        let text = [head, &expanded.text].concat();
        match sql::parse(&text, &self.mode)?.kind {
            StatementKind::Explain(explain) => Ok(Some((text, *explain))),
            _ => Err(Error::internal("EXPLAIN without its word")),
        }
    }

    /// The tables of a view with SQL SECURITY INVOKER must be the user's to read; those of others were
    /// its definer's.
    fn authorize_invoker(&self, used: &[Arc<View>]) -> Result<()> {
        for view in used.iter().filter(|view| view.invoker) {
            let statement = sql::parse(view.definition.as_bytes(), &sql::Mode::default())?;
            self.authorize(&statement)?;
        }
        Ok(())
    }

    /// Reads the views anew of the schemas that a statement names. Gives whether any has changed.
    pub(super) async fn reload_views(&self, statement: &Statement) -> bool {
        let reads = matches!(statement.kind, StatementKind::Query(_));
        if matches!(statement.kind, StatementKind::Ddl(_)) || self.transaction.is_active() && !reads
        {
            return false;
        }
        let schemas: BTreeSet<String> =
            self.tables_of(statement).into_iter().map(|table| table.schema).collect();
        let mut changed = false;
        for schema in schemas {
            if self.snapshot.catalog.schema(&schema).is_none() {
                continue;
            }
            let before = self.snapshot.facts.recall_views(&schema);
            if let Ok(now) = self.snapshot.load_views(&schema).await {
                changed |= before.is_some_and(|before| before != now);
            }
        }
        changed
    }

    /// The views of the schema that a table's name is in, as they are now.
    pub(super) async fn views_beside(&self, table: &TableName) -> Result<Arc<SchemaViews>> {
        let named = table.schema.as_ref().map(|schema| schema.value.as_str());
        match named.or(self.schema.as_deref()) {
            Some(schema) if self.snapshot.catalog.schema(schema).is_some() => {
                self.snapshot.load_views(schema).await
            }
            Some(_) | None => Ok(Arc::default()),
        }
    }

    /// The view of Margay's that a name means.
    pub(super) async fn view(&self, table: &TableName) -> Result<Option<Arc<View>>> {
        Ok(self.views_beside(table).await?.get(&table.name.value).cloned())
    }
}

/// Unknown column, table or part of a view: a view may have been made or changed by another proxy.
pub(super) fn is_stale(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Server(server) => matches!(server.code, 1054 | 1146 | INVALID_VIEW),
        ErrorKind::UnknownTable | ErrorKind::UnknownColumn => true,
        _ => false,
    }
}

/// ER_VIEW_INVALID
const INVALID_VIEW: u16 = 1356;

impl Expanded {
    /// Columns of a view as servers show them.
    pub(super) fn name(&self, columns: &mut [Column]) {
        for column in columns {
            let is_own = |(exposed, _): &&(String, Arc<View>)| exposed.as_bytes() == column.table;
            if let Some((_, view)) = self.shown.iter().find(is_own) {
                column.schema = view.schema.clone().into();
                column.org_table = view.name.clone().into();
                column.org_name = column.name.clone();
            }
        }
    }

    /// A table that only a view names is missing: what the client named is the view.
    pub(super) fn told(&self, error: Error, statement: &Statement) -> Error {
        let is_missing = match error.kind() {
            ErrorKind::Server(server) => server.code == 1146,
            ErrorKind::UnknownTable => true,
            _ => false,
        };
        let message = error.mysql().2;
        let message = String::from_utf8_lossy(&message).into_owned();
        let names_it = |table: &str| message.contains(&format!(".{table}'"));
        let direct = references(statement);
        if !is_missing || direct.iter().any(|direct| names_it(&direct.table.name.value)) {
            return error;
        }
        let Some(view) = self.used.first() else { return error };
        let message = format!(
            "View '{}.{}' references invalid table(s) or column(s) or function(s) or definer/invoker of \
             view lack rights to use them",
            view.schema, view.name
        );
        Error::server(ServerError {
            code: INVALID_VIEW,
            state: *b"HY000",
            message: message.into_bytes(),
        })
    }
}
