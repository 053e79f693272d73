//! SHOW TABLES: the tables that the client sees, once each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Session;
use super::local::{Heading, cell};
use crate::catalog::{PartsKind, Schema, ShardId, Sharded, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Reply;
use crate::plan::template::{Part, Target};
use crate::sql::query::TableName;
use crate::sql::quote;
use crate::sql::statement::Show;

impl Session {
    pub(super) async fn show_tables(&mut self, text: &[u8], show: &Show) -> Result<Reply> {
        let name = show.schema.as_ref().map(|(name, _)| name.value.clone());
        let name = name.or_else(|| self.schema.clone()).ok_or_else(no_database)?;
        if super::system_schema(&name).is_some() {
            return self.show_system_tables(text, show).await;
        }
        let snapshot = self.snapshot.clone();
        let schema = snapshot.catalog.schema(&name).ok_or_else(|| unknown_schema(&name))?;
        let kinds = self.tables_in(schema).await?;
        let heading = format!("Tables_in_{name}");
        let names = kinds.keys().cloned().collect();
        let names = self.filtered(text, show, names, &heading, Some(&kinds)).await?;
        let heading = match like_pattern(text, show) {
            Some(pattern) => format!("{heading} ({pattern})"),
            None => heading,
        };
        if !show.full {
            return Ok(self.rows(&[Heading::Text(&heading)], super::show::one_column(names)));
        }
        let full = names.into_iter().map(|name| {
            let kind = kinds.get(&name).cloned();
            vec![cell(name), kind.map(String::into_bytes)]
        });
        Ok(self.rows(&[Heading::Text(&heading), Heading::Text("Table_type")], full.collect()))
    }

    /// SHOW TABLES of information_schema, which is the same on every server.
    async fn show_system_tables(&mut self, text: &[u8], show: &Show) -> Result<Reply> {
        if show.schema.is_some() {
            return self.run_at_home(text).await;
        }
        let filter = show.filter.and_then(|span| text.get(span.range())).unwrap_or_default();
        let full = if show.full { b"FULL ".as_slice() } else { b"" };
        let text = [b"SHOW ", full, b"TABLES FROM information_schema ", filter].concat();
        self.run_at_home(&text).await
    }

    /// The table, if its rows are in several physical ones.
    pub(super) fn split_table(&self, table: &TableName) -> Option<Arc<Table>> {
        let named = table.schema.as_ref().map(|schema| schema.value.as_str());
        let schema = self.snapshot.catalog.schema(named.or(self.schema.as_deref())?)?;
        let table = schema.table(&table.name.value);
        let is_split = |it: &Sharded| it.shards.len() > 1 || it.parts.is_some();
        table.sharded().is_some_and(is_split).then_some(table)
    }

    /// Whether a table is one of information_schema.
    pub(super) fn is_system_table(&self, table: &TableName) -> bool {
        let named = table.schema.as_ref().map(|schema| schema.value.as_str());
        let name = named.or(self.schema.as_deref());
        name.is_some_and(|name| super::system_schema(name).is_some())
    }

    /// Logical tables and views of a schema that exist, with their types.
    async fn tables_in(&self, schema: &Schema) -> Result<BTreeMap<String, String>> {
        let mut tables = BTreeMap::new();
        let mut wanted: BTreeMap<ShardId, BTreeSet<(String, String)>> = BTreeMap::new();
        wanted.entry(schema.default_shard).or_default();
        for table in schema.tables.values() {
            if let Some(first) = table.shards().first() {
                wanted
                    .entry(*first)
                    .or_default()
                    .insert((table.first_name().to_owned(), table.name.clone()));
            }
        }
        for (shard, wanted) in wanted {
            let found = self.snapshot.tables_on(shard).await?;
            for (physical, logical) in &wanted {
                if let Some(kind) = found.get(physical) {
                    tables.insert(logical.clone(), kind.clone());
                }
            }
            if shard == schema.default_shard {
                // Tables that no rule names live here; what belongs to a named one is not shown.
                let unnamed = found.into_iter().filter(|(name, _)| !schema.owns_physical(name));
                tables.extend(unnamed);
            }
        }
        let views = self.snapshot.load_views(&schema.name).await?;
        tables.extend(views.keys().map(|name| (name.clone(), "VIEW".to_owned())));
        Ok(tables)
    }

    /// Names that LIKE or WHERE lets pass, as MySQL judges it.
    pub(super) async fn filtered(
        &self,
        text: &[u8],
        show: &Show,
        names: Vec<String>,
        heading: &str,
        kinds: Option<&BTreeMap<String, String>>,
    ) -> Result<Vec<String>> {
        let Some(filter) = show.filter.and_then(|span| text.get(span.range())) else {
            return Ok(names);
        };
        if names.is_empty() {
            return Ok(names);
        }
        let heading = quote::identifier(heading.as_bytes());
        let mut query = [b"SELECT ".as_slice(), &heading, b" FROM ("].concat();
        for (index, name) in names.iter().enumerate() {
            query.extend_from_slice(if index == 0 { b"SELECT " } else { b" UNION ALL SELECT " });
            query.extend_from_slice(&quote::text(name.as_bytes()));
            query.extend_from_slice(b" AS ");
            query.extend_from_slice(&heading);
            if let Some(kinds) = kinds {
                let kind = kinds.get(name).map_or("BASE TABLE", String::as_str);
                query.extend_from_slice(format!(", '{kind}' AS Table_type").as_bytes());
            }
        }
        query.extend_from_slice(b") AS shown ");
        if filter.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"like")) {
            query.extend_from_slice(&[b"WHERE ".as_slice(), &heading, b" "].concat());
        }
        query.extend_from_slice(filter);
        let rows = self.snapshot.ask(self.home_cluster(), &query).await?;
        let names = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
        Ok(names.map(|name| String::from_utf8_lossy(&name).into_owned()).collect())
    }

    /// Where a table's definition can be read: its first shard and the physical name there.
    pub(super) fn first_physical(&self, table: &TableName) -> Result<(Target, String)> {
        let named = table.schema.as_ref().map(|schema| schema.value.as_str());
        let name = named.or(self.schema.as_deref()).ok_or_else(no_database)?;
        let schema = self.snapshot.catalog.schema(name).ok_or_else(|| unknown_schema(name))?;
        let found = schema.table(&table.name.value);
        let shard = found.shards().first().copied();
        let shard = shard.ok_or_else(|| Error::internal("a table without a shard"))?;
        let fixed = found.sharded().and_then(|sharded| sharded.parts.as_ref());
        let part = fixed.and_then(|parts| match parts.kind {
            PartsKind::Fixed { .. } => Some(Part::Fixed(0)),
            PartsKind::Time(_) => None,
        });
        Ok((Target { shard, part }, found.first_name().to_owned()))
    }
}

/// The pattern of LIKE, which servers put into the heading.
pub(super) fn like_pattern(text: &[u8], show: &Show) -> Option<String> {
    let filter = text.get(show.filter?.range())?;
    let (word, pattern) = filter.split_at_checked(4)?;
    let pattern = String::from_utf8_lossy(pattern).trim().to_owned();
    let quoted = pattern.len() >= 2 && pattern.starts_with(['\'', '"']);
    (word.eq_ignore_ascii_case(b"like") && quoted)
        .then(|| pattern.get(1..pattern.len() - 1).unwrap_or_default().to_owned())
}

pub(super) fn unknown_schema(name: &str) -> Error {
    match super::system_schema(name) {
        Some(name) => Error::unsupported(format!(
            "SHOW and DESCRIBE of {name} are not supported; ask a server itself"
        )),
        None => Error::new(ErrorKind::UnknownDatabase, format!("Unknown database '{name}'")),
    }
}

pub(super) fn no_database() -> Error {
    Error::new(ErrorKind::NoDatabase, "No database selected")
}
