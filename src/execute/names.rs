//! Logical names in place of physical ones, in what a shard answers.

use bytes::Bytes;

use super::snapshot::Snapshot;
use crate::catalog::{PartsKind, Shard, TableKind};
use crate::error::{Error, ErrorKind};
use crate::plan::render::physical_name;
use crate::plan::template::{Part, Target};
use crate::protocol::capability::ColumnFlags;
use crate::protocol::column::Column;
use crate::protocol::definition::{Changes, Definition};

/// What a shard calls its things, and what the client calls them.
pub(super) struct Names<'a> {
    shard: &'a Shard,
    schema: Option<&'a str>,
    /// The same, to be shared.
    shown: Option<&'a Bytes>,
    /// Physical and logical names of the tables that have parts at the target.
    tables: Vec<(String, &'a str)>,
}

impl<'a> Names<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, target: &Target) -> Option<Self> {
        let shard = snapshot.catalog.shard(target.shard)?;
        let schema = snapshot.schema_of(target.shard);
        let mut names = Self {
            shard,
            schema: schema.map(|schema| schema.name.as_str()),
            shown: snapshot.shown_schema(target.shard),
            tables: Vec::new(),
        };
        let (Some(part), Some(schema)) = (&target.part, schema) else { return Some(names) };
        for table in snapshot.renamed_in(schema) {
            let TableKind::Sharded(sharded) = &table.kind else { continue };
            let Some(parts) = &sharded.parts else { continue };
            let physical = match (part, &parts.kind) {
                // A period names one table; other time tables have nothing at this target.
                (Part::Period(name), PartsKind::Time(time)) if !time.owns(&table.name, name) => {
                    continue;
                }
                (Part::Fixed(_) | Part::Period(_) | Part::Each(_), _) => {
                    physical_name(table, target)
                }
            };
            let physical = physical.filter(|physical| *physical != table.name);
            names.tables.extend(physical.map(|name| (name.to_owned(), table.name.as_str())));
        }
        Some(names)
    }

    /// Gives result columns the names that one server would show.
    pub(super) fn restore_columns(&self, columns: &mut [Column]) {
        for column in columns {
            if let Some(schema) = self.shown
                && column.schema == self.shard.database.as_bytes()
            {
                column.schema = schema.clone();
            }
            for (physical, logical) in &self.tables {
                for name in [&mut column.org_table, &mut column.table] {
                    if *name == physical.as_bytes() {
                        *name = Bytes::copy_from_slice(logical.as_bytes());
                    }
                }
            }
        }
    }

    /// The names that one server would show in a column definition, where they differ.
    pub(super) fn changes(&self, column: &Definition<'_>) -> Changes<'a> {
        let own = column.schema == self.shard.database.as_bytes();
        let schema = self.schema.filter(|schema| own && column.schema != schema.as_bytes());
        let logical = |name: &[u8]| {
            let known = self.tables.iter().find(|(physical, _)| physical.as_bytes() == name);
            known.map(|(_, logical)| logical.as_bytes())
        };
        Changes {
            schema: schema.map(str::as_bytes),
            table: logical(column.table),
            org_table: logical(column.org_table),
            charset: None,
        }
    }

    /// Gives a shard's error message logical names. Other errors stay as they are.
    pub(super) fn restore_error(&self, error: Error) -> Error {
        let ErrorKind::Server(server) = error.kind() else { return error };
        let Ok(message) = std::str::from_utf8(&server.message) else { return error };
        let mut server = server.clone();
        server.message = self.restore_text(message).into_bytes();
        Error::server(server)
    }

    /// A cell of SHOW: a name alone, or text that quotes names.
    pub(super) fn restore_cell(&self, text: &str) -> String {
        let whole = self.tables.iter().find(|(physical, _)| physical == text);
        whole.map_or_else(|| self.restore_text(text), |(_, logical)| (*logical).to_owned())
    }

    /// Replaces names where servers quote them: 'db.table', `table`, 'table.key'.
    pub(super) fn restore_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let database = &self.shard.database;
        if let Some(schema) = self.schema.filter(|schema| schema != database) {
            text = text.replace(&format!("'{database}."), &format!("'{schema}."));
            text = text.replace(&format!("`{database}`"), &format!("`{schema}`"));
            text = text.replace(&format!("'{database}'"), &format!("'{schema}'"));
        }
        for (physical, logical) in &self.tables {
            for (before, after) in [('\'', '\''), ('`', '`'), ('\'', '.'), ('.', '\''), ('.', '.')]
            {
                text = text.replace(
                    &format!("{before}{physical}{after}"),
                    &format!("{before}{logical}{after}"),
                );
            }
        }
        text
    }
}

/// Columns of several shards make one: as wide as the widest, nullable if any is.
pub(super) fn widen(column: &mut Column, other: &Column) {
    column.length = column.length.max(other.length);
    column.decimals = column.decimals.max(other.decimals);
    if !other.flags.contains(ColumnFlags::NOT_NULL_FLAG) {
        column.flags.remove(ColumnFlags::NOT_NULL_FLAG);
    }
}
