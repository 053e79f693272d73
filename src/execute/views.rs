//! The views that Margay keeps, in a table on the cluster of each schema's default shard.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::combine::Loader;
use super::snapshot::Snapshot;
use crate::backend::{Access, Bookkeeping, QueryResult, SessionState};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::views::{SchemaViews, View};
use crate::protocol::column::Column;
use crate::sql::quote;

/// How long a schema whose views could not be asked for counts as one without.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// The temporary table that has the columns of a view.
pub const COLUMNS_OF_VIEW: &str = "_margay_view";

/// For servers that refuse tables without a primary key.
const KEY: &str = " (`_margay_row` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY)";
const KEY_NAME: &str = "_margay_row";

/// ER_DUP_ENTRY
const DUPLICATE: u16 = 1062;

impl Snapshot {
    /// The views of a schema, as they are remembered.
    ///
    /// # Errors
    /// There is no such schema.
    pub async fn views(&self, schema: &str) -> Result<Arc<SchemaViews>> {
        if let Some(views) = self.facts.recall_views(schema) {
            return Ok(views);
        }
        match self.load_views(schema).await {
            Ok(views) => Ok(views),
            // A statement that reads no view must not fail for them, and one that does fails for that.
            Err(error) => {
                tracing::warn!(schema, %error, "the views of a schema cannot be read");
                Ok(self.facts.keep_views(schema))
            }
        }
    }

    /// The views of a schema, as they are now.
    ///
    /// # Errors
    /// The server's that keeps them.
    pub async fn load_views(&self, schema: &str) -> Result<Arc<SchemaViews>> {
        let text = [
            format!(
                "SELECT name, columns, definition, algorithm, definer, invoker, check_option FROM {} \
                 WHERE schema_name = ",
                self.views_table()
            )
            .into_bytes(),
            quote::text(schema.as_bytes()),
        ]
        .concat();
        let rows = match self.ask(self.home_of(schema)?, &text).await {
            Ok(rows) => rows,
            Err(error) if is_absent(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let views = rows.iter().filter_map(|row| view(schema, row));
        let views: SchemaViews = views.map(|view| (view.name.clone(), Arc::new(view))).collect();
        let views = Arc::new(views);
        self.facts.learn_views(schema, views.clone());
        Ok(views)
    }

    /// Writes a view. Gives whether that was done: not if there is one and it is not to be replaced.
    ///
    /// # Errors
    /// The table of views cannot be made or written to.
    pub async fn put_view(&self, view: &View, replace: bool) -> Result<bool> {
        let columns: Vec<Vec<u8>> =
            view.columns.iter().map(|name| quote::identifier(name.as_bytes())).collect();
        let columns = columns.join(b",".as_slice());
        let cells: [&[u8]; 8] = [
            view.schema.as_bytes(),
            view.name.as_bytes(),
            &columns,
            view.definition.as_bytes(),
            view.algorithm.as_bytes(),
            view.definer.as_bytes(),
            if view.invoker { b"1" } else { b"0" },
            view.check.as_bytes(),
        ];
        let cells: Vec<Vec<u8>> = cells.iter().map(|cell| quote::text(cell)).collect();
        let head = format!(
            "{} INTO {} (schema_name, name, columns, definition, algorithm, definer, invoker, \
             check_option, created) VALUES (",
            if replace { "REPLACE" } else { "INSERT" },
            self.views_table()
        );
        let text =
            [head.as_bytes(), &cells.join(b", ".as_slice()), b", UTC_TIMESTAMP())".as_slice()]
                .concat();
        let cluster = self.home_of(&view.schema)?;
        let mut outcome = self.ask(cluster, &text).await;
        if outcome.as_ref().is_err_and(is_absent) {
            self.make_views_table(cluster).await?;
            outcome = self.ask(cluster, &text).await;
        }
        self.facts.forget_views(&view.schema);
        match outcome {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                ErrorKind::Server(server) if server.code == DUPLICATE => Ok(false),
                _ => Err(self.unusable(cluster, &error)),
            },
        }
    }

    /// Deletes views.
    ///
    /// # Errors
    /// The server's that keeps them.
    pub async fn drop_views(&self, schema: &str, names: &[&str]) -> Result<()> {
        let names: Vec<Vec<u8>> = names.iter().map(|name| quote::text(name.as_bytes())).collect();
        let text = [
            format!("DELETE FROM {} WHERE schema_name = ", self.views_table()).into_bytes(),
            quote::text(schema.as_bytes()),
            b" AND name IN (".to_vec(),
            names.join(b", ".as_slice()),
            b")".to_vec(),
        ]
        .concat();
        let cluster = self.home_of(schema)?;
        let outcome = self.ask(cluster, &text).await;
        self.facts.forget_views(schema);
        outcome.map(drop).map_err(|error| self.unusable(cluster, &error))
    }

    /// Runs a SHOW COLUMNS or DESCRIBE of [`COLUMNS_OF_VIEW`], which has the columns that a plan gives.
    ///
    /// # Errors
    /// The server's; `Unsupported` if no shard has all tables of the plan.
    pub async fn show_view_columns(
        &self,
        plan: &Plan,
        show: &[u8],
    ) -> Result<(Vec<Column>, Vec<Vec<Option<Bytes>>>)> {
        let (target, query) = self.sample(plan)?;
        let shard = self.shard(target.shard)?;
        let mut lease = self.backends.lease(shard.cluster, Access::Primary, false).await?;
        lease.set_deadline(self.deadline(None));
        let database = Some(shard.database.clone());
        let mut state = SessionState { schema: database, ..SessionState::default() };
        state.variables.insert("sql_mode".to_owned(), "''".to_owned());
        // The connection is reset before anyone else uses it.
        lease.note_temporary("");
        let loader = Loader::begin(&mut lease, &Arc::new(state), &self.abilities).await?;
        let key = if loader.dialect.needs_key { KEY } else { "" };
        let head = format!("CREATE TEMPORARY TABLE `{COLUMNS_OF_VIEW}`{key} AS ");
        loader.send(&mut lease, &[head.as_bytes(), &query].concat())?;
        loader.finish(&mut lease).await?;
        let QueryResult { columns, mut rows, .. } = lease.query_all(show).await?;
        let is_key = |row: &[Option<Bytes>]| {
            row.first().is_some_and(|name| name.as_deref() == Some(KEY_NAME.as_bytes()))
        };
        rows.retain(|row| !is_key(row));
        Ok((columns, rows))
    }

    /// The cluster of a schema's default shard.
    fn home_of(&self, schema: &str) -> Result<usize> {
        let found = self.catalog.schema(schema).ok_or_else(|| {
            Error::new(ErrorKind::UnknownDatabase, format!("Unknown database '{schema}'"))
        })?;
        Ok(self.shard(found.default_shard)?.cluster)
    }

    fn bookkeeping(&self) -> Bookkeeping {
        Bookkeeping::new(&self.config.settings.transactions.database)
    }

    fn views_table(&self) -> String {
        self.bookkeeping().table("views")
    }

    async fn make_views_table(&self, cluster: usize) -> Result<()> {
        let name = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL";
        let statements = [
            self.bookkeeping().create(),
            format!(
                "CREATE TABLE IF NOT EXISTS {} (\
                 schema_name VARCHAR(64) {name}, \
                 name VARCHAR(64) {name}, \
                 columns LONGTEXT {name} COMMENT 'quoted, with commas between', \
                 definition LONGTEXT {name} COMMENT 'reads alike under every sql_mode', \
                 algorithm VARCHAR(10) {name}, \
                 definer VARCHAR(400) {name}, \
                 invoker TINYINT NOT NULL COMMENT '1: SQL SECURITY INVOKER', \
                 check_option VARCHAR(8) {name}, \
                 created DATETIME NOT NULL COMMENT 'UTC', \
                 PRIMARY KEY (schema_name, name)) \
                 ENGINE=InnoDB COMMENT 'views of Margay over several shards'",
                self.views_table()
            ),
        ];
        for statement in statements {
            let made = self.ask(cluster, statement.as_bytes()).await;
            made.map_err(|error| self.unusable(cluster, &error))?;
        }
        Ok(())
    }

    fn unusable(&self, cluster: usize, why: &Error) -> Error {
        let need = ("a view over sharded tables is kept in", "CREATE, SELECT, INSERT and DELETE");
        let cluster = self.backends.clusters().get(cluster).map(Arc::as_ref);
        self.bookkeeping().unusable(cluster, need, &why.to_string())
    }
}

/// No such database or table, or no right to it, with which no view was written either.
fn is_absent(error: &Error) -> bool {
    Bookkeeping::is_missing(error) || Bookkeeping::is_denied(error)
}

fn view(schema: &str, row: &[Option<Bytes>]) -> Option<View> {
    let cell = |index: usize| {
        row.get(index)?.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    Some(View {
        schema: schema.to_owned(),
        name: cell(0)?,
        columns: names(&cell(1)?),
        definition: cell(2)?,
        algorithm: cell(3)?,
        definer: cell(4)?,
        invoker: cell(5)? == "1",
        check: cell(6)?,
    })
}

/// Quoted names with commas between.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut letters = list.chars().peekable();
    while letters.next() == Some('`') {
        let mut name = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '`' if letters.peek() == Some(&'`') => name.extend(letters.next()),
                '`' => break,
                other => name.push(other),
            }
        }
        names.push(name);
        // A comma, or the end.
        letters.next();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names() {
        let check = |list: &str, expect: &[&str]| assert_eq!(names(list), expect, "{list}");
        check("", &[]);
        check("`a`", &["a"]);
        check("`a,b`,`c``d`,```e`", &["a,b", "c`d", "`e"]);
    }
}
