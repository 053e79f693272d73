//! CREATE, ALTER and DROP VIEW of views that no shard can keep, since their tables are on several.

use super::Session;
use super::into::own_error;
use crate::catalog::{Schema, ShardId, TableKind};
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::run::Call;
use crate::execute::warnings::{Warning, Warnings};
use crate::execute::{Reply, Summary};
use crate::plan::views::{self, SchemaViews, View};
use crate::sql::query::{Query, TableName};
use crate::sql::references::of_query;
use crate::sql::statement::{CheckOption, Ddl, DdlKind, Statement, StatementKind, ViewHead};
use crate::sql::{self, quote};

impl Session {
    /// Runs DDL that concerns a view of Margay's. None: it concerns none.
    pub(super) async fn view_ddl(
        &mut self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<Option<Reply>> {
        let StatementKind::Ddl(ddl) = &statement.kind else { return Ok(None) };
        if statement.hints.shard.is_some() {
            return Ok(None);
        }
        match (ddl.kind, &ddl.view, &ddl.query, ddl.tables.first()) {
            (DdlKind::CreateView, Some(head), Some(query), Some(name)) => {
                views::check(query, statement.params)?;
                let named = name.schema.as_ref().map(|schema| schema.value.as_str());
                let schema = named.or(self.schema.as_deref());
                let schema = schema.ok_or_else(super::tables::no_database)?.to_owned();
                let snapshot = self.snapshot.clone();
                let Some(schema) = snapshot.catalog.schema(&schema) else { return Ok(None) };
                let known = snapshot.load_views(&schema.name).await?;
                let wanted = Wanted { ddl, head, query, name: &name.name.value, schema };
                if self.is_shards_own(&wanted, &known).await? {
                    return Ok(None);
                }
                self.create_view(text, &wanted, &known).await.map(Some)
            }
            (DdlKind::DropView, ..) => self.drop_views(ddl).await,
            _ => self.refuse_views(ddl).await,
        }
    }

    /// Whether the view is one that the schema's default shard keeps as any other server would: it and
    /// all that it reads are there.
    async fn is_shards_own(&self, wanted: &Wanted<'_>, known: &SchemaViews) -> Result<bool> {
        if known.contains_key(wanted.name) {
            return Ok(false);
        }
        let TableKind::Single { shard } = wanted.schema.table(wanted.name).kind else {
            return Ok(false);
        };
        for reference in of_query(wanted.query) {
            let table = reference.table;
            let named = table.schema.as_ref().map(|schema| schema.value.as_str());
            let schema = named.or(self.schema.as_deref());
            let schema = schema.ok_or_else(super::tables::no_database)?;
            // The planner tells of schemas that are not there.
            let Some(schema) = self.snapshot.catalog.schema(schema) else {
                return Ok(super::system_schema(schema).is_none());
            };
            let is_there = match &schema.table(&table.name.value).kind {
                TableKind::Single { shard: other } => *other == shard,
                TableKind::Broadcast { .. } | TableKind::Sharded(_) => false,
            };
            if !is_there || self.view(table).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn create_view(
        &mut self,
        text: &[u8],
        wanted: &Wanted<'_>,
        known: &SchemaViews,
    ) -> Result<Reply> {
        let Wanted { ddl, head, query, name, schema } = *wanted;
        let old = self.old_view(wanted, known).await?;
        if matches!(old, Old::Margays | Old::Shards(_)) && !head.replace && !head.alter {
            return self.exists(name, ddl.conditional);
        }
        let charset = self.state.charset().to_owned();
        let current = self.schema.clone();
        let definition = views::normalized(text, query, &self.mode, current.as_deref(), &charset)?;
        let described = self.described(&definition).await?;
        let names: Vec<String> = head.columns.iter().map(|name| name.value.clone()).collect();
        let (definition, columns) = views::named(&definition, &described, &names)?;
        let described = self.described(&definition).await?;
        if described != columns {
            return Err(Error::unsupported(
                "the names of the view's columns are not certain; give each column of its query a name \
                 with AS",
            ));
        }
        let view = View {
            schema: schema.name.clone(),
            name: name.to_owned(),
            columns,
            definition,
            algorithm: head.algorithm.clone().unwrap_or_else(|| "UNDEFINED".to_owned()),
            definer: self.definer(text, head),
            invoker: head.invoker,
            check: check_option(head),
        };
        let replace = matches!(old, Old::Margays) || head.replace;
        if !self.snapshot.put_view(&view, replace).await? {
            return self.exists(name, ddl.conditional);
        }
        if let Old::Shards(shard) = old {
            let name = quote::identifier(name.as_bytes());
            let text = [b"DROP VIEW IF EXISTS ".as_slice(), &name].concat();
            let target = crate::plan::template::Target { shard, part: None };
            self.run_unknown_at(&text, &target).await?;
        }
        Ok(Reply::Done(Summary::default()))
    }

    /// What has the name now.
    async fn old_view(&self, wanted: &Wanted<'_>, known: &SchemaViews) -> Result<Old> {
        let Wanted { ddl, head, name, schema, .. } = *wanted;
        if known.contains_key(name) {
            return Ok(Old::Margays);
        }
        let table = schema.table(name);
        let shard = table.shards().first().copied();
        let shard = shard.ok_or_else(|| Error::internal("a table without a shard"))?;
        let there = self.snapshot.tables_on(shard).await?;
        match there.get(table.first_name()).map(String::as_str) {
            Some("VIEW") => Ok(Old::Shards(shard)),
            Some(_) if head.replace || head.alter => Err(not_a_view(&schema.name, name)),
            Some(_) if ddl.conditional => Ok(Old::Shards(shard)),
            Some(_) => Err(already(name)),
            None if schema.tables.contains_key(name) => Err(Error::unsupported(format!(
                "`{name}` is the name of a table in the rules; call the view otherwise"
            ))),
            None if head.alter => Err(own_error(
                1146,
                b"42S02",
                &format!("Table '{}.{name}' doesn't exist", schema.name),
            )),
            None => Ok(Old::Nothing),
        }
    }

    /// IF NOT EXISTS only notes that there is one.
    fn exists(&mut self, name: &str, conditional: bool) -> Result<Reply> {
        if !conditional {
            return Err(already(name));
        }
        let message = format!("Table '{name}' already exists").into_bytes();
        let warning = Warning { level: b"Note".to_vec(), code: 1050, message };
        self.warnings.add(Warnings { count: 1, list: vec![warning] });
        let warnings = self.warnings.wire_count();
        Ok(Reply::Done(Summary { warnings, ..Summary::default() }))
    }

    /// The names that a query's columns have.
    async fn described(&mut self, definition: &str) -> Result<Vec<String>> {
        let text = definition.as_bytes();
        let mode = std::mem::take(&mut self.mode);
        let outcome = self.described_here(text).await;
        self.mode = mode;
        outcome
    }

    async fn described_here(&mut self, text: &[u8]) -> Result<Vec<String>> {
        let statement = sql::parse(text, &self.mode)?;
        let names = |columns: &[crate::protocol::column::Column]| {
            let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
            columns.iter().map(|column| name(&column.name)).collect()
        };
        match self.describe_statement(text, &statement).await {
            Ok((_, columns)) => Ok(names(&columns)),
            // No shard has all of its tables: run it for no rows.
            Err(error) if *error.kind() == ErrorKind::Unsupported => {
                let text =
                    [b"SELECT * FROM (".as_slice(), text, b") AS margay_view LIMIT 0"].concat();
                let statement = sql::parse(&text, &self.mode)?;
                let reply = Box::pin(self.run(&text, &statement, Call::Text)).await?;
                let Reply::Rows(mut rows) = reply else {
                    return Err(Error::protocol("a shard answers a SELECT without rows"));
                };
                let found = names(&rows.columns);
                let outcome = rows.next().await;
                self.finish(&mut rows, 0, outcome.as_ref().err());
                outcome?;
                Ok(found)
            }
            Err(error) => Err(error),
        }
    }

    fn definer(&self, text: &[u8], head: &ViewHead) -> String {
        let given = head.definer.and_then(|span| text.get(span.range()));
        match given.map(String::from_utf8_lossy) {
            Some(given) if !given.to_ascii_uppercase().starts_with("CURRENT_USER") => {
                given.trim().to_owned()
            }
            Some(_) | None => format!("`{}`@`%`", self.identity.user.replace('`', "``")),
        }
    }

    /// DROP VIEW of some that are Margay's, and maybe others. None: there are only others.
    async fn drop_views(&mut self, ddl: &Ddl) -> Result<Option<Reply>> {
        let mut own = Vec::new();
        let mut others: Vec<&TableName> = Vec::new();
        for name in &ddl.tables {
            if let Some(schema) = self.schema_of(name) {
                // Another proxy may have made it.
                self.snapshot.load_views(&schema).await?;
            }
            match self.view(name).await? {
                Some(view) => own.push(view),
                None => others.push(name),
            }
        }
        if own.is_empty() {
            return Ok(None);
        }
        if !others.is_empty() {
            let quoted = |name: &&TableName| {
                let own = quote::identifier(name.name.value.as_bytes());
                match &name.schema {
                    Some(schema) => {
                        [&quote::identifier(schema.value.as_bytes()), b".".as_slice(), &own]
                            .concat()
                    }
                    None => own,
                }
            };
            let list: Vec<Vec<u8>> = others.iter().map(quoted).collect();
            let head: &[u8] = if ddl.conditional { b"DROP VIEW IF EXISTS " } else { b"DROP VIEW " };
            let text = [head, &list.join(b", ".as_slice())].concat();
            let statement = sql::parse(&text, &self.mode)?;
            self.run(&text, &statement, Call::Text).await?;
        }
        for view in own {
            self.snapshot.drop_views(&view.schema, &[&view.name]).await?;
        }
        let warnings = self.warnings.wire_count();
        Ok(Some(Reply::Done(Summary { warnings, ..Summary::default() })))
    }

    fn schema_of(&self, name: &TableName) -> Option<String> {
        let named = name.schema.as_ref().map(|schema| schema.value.as_str());
        let schema = self.snapshot.catalog.schema(named.or(self.schema.as_deref())?)?;
        Some(schema.name.clone())
    }

    /// Other DDL that names a view.
    async fn refuse_views(&mut self, ddl: &Ddl) -> Result<Option<Reply>> {
        for (index, name) in ddl.tables.iter().enumerate() {
            let Some(view) = self.view(name).await? else { continue };
            let View { schema, name, .. } = view.as_ref();
            return match ddl.kind {
                DdlKind::CreateTable if index == 0 => self.exists(name, ddl.conditional).map(Some),
                DdlKind::CreateTable
                | DdlKind::AlterTable
                | DdlKind::CreateIndex
                | DdlKind::DropIndex => {
                    Err(own_error(1347, b"HY000", &format!("'{schema}.{name}' is not BASE TABLE")))
                }
                DdlKind::TruncateTable => Err(own_error(
                    1146,
                    b"42S02",
                    &format!("Table '{schema}.{name}' doesn't exist"),
                )),
                DdlKind::RenameTable => Err(Error::unsupported(format!(
                    "RENAME of the view `{name}` is not supported; drop it, and create it anew"
                ))),
                // A server says that there is no such table.
                DdlKind::DropTable
                | DdlKind::CreateView
                | DdlKind::DropView
                | DdlKind::CreateDatabase
                | DdlKind::DropDatabase
                | DdlKind::Other => Ok(None),
            };
        }
        Ok(None)
    }
}

/// A view that is to be made.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    ddl: &'a Ddl,
    head: &'a ViewHead,
    query: &'a Query,
    name: &'a str,
    schema: &'a Schema,
}

/// What a name means before a view gets it.
enum Old {
    Nothing,
    Margays,
    /// A view on a shard, or a table beside which IF NOT EXISTS does nothing.
    Shards(ShardId),
}

fn check_option(head: &ViewHead) -> String {
    match head.check {
        None => "NONE",
        Some(CheckOption::Cascaded) => "CASCADED",
        Some(CheckOption::Local) => "LOCAL",
    }
    .to_owned()
}

fn already(name: &str) -> Error {
    own_error(1050, b"42S01", &format!("Table '{name}' already exists"))
}

fn not_a_view(schema: &str, name: &str) -> Error {
    Error::server(ServerError {
        code: 1347,
        state: *b"HY000",
        message: format!("'{schema}.{name}' is not VIEW").into_bytes(),
    })
}
