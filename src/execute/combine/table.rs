//! Temporary tables: what makes them, and what fills them.

use std::sync::Arc;

use bytes::Bytes;

use super::column::Definition;
use crate::plan::combine::Temp;
use crate::plan::planner::{Temporary, TemporaryColumn};
use crate::sql::quote::identifier;

/// One temporary table under all its names.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) names: Vec<String>,
    pub(super) columns: Arc<[Definition]>,
    indexes: Vec<Vec<usize>>,
    unique: Option<Vec<Vec<usize>>>,
}

/// A table and its rows, at hand for every connection that needs them.
#[derive(Debug)]
pub(in crate::execute) struct Held {
    pub(super) table: Table,
    /// `(1, 'a'),(2, 'b')`: what follows VALUES, a piece a statement.
    pub(super) tuples: Vec<Bytes>,
}

/// Columns that an index may have: more would not fit the shortest limit of an engine.
const INDEX_COLUMNS_MAX: usize = 3;

/// How a server wants its tables.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::execute) struct Dialect {
    /// utf8mb3 is still called utf8.
    pub(super) old_names: bool,
    /// Tables without a primary key are refused.
    pub(in crate::execute) needs_key: bool,
    pub(super) is_mariadb: bool,
}

impl Table {
    pub(super) fn new(temp: &Temp, columns: Arc<[Definition]>) -> Self {
        let fits = |key: &Vec<usize>| {
            key.iter().all(|column| columns.get(*column).is_some_and(Definition::is_key_part))
        };
        let unique = temp.unique.clone().filter(|keys| keys.iter().all(fits));
        Self { names: temp.names.clone(), columns, indexes: temp.indexes.clone(), unique }
    }

    /// It has all the unique keys of the table that it stands for.
    pub(super) fn is_keyed(&self) -> bool {
        self.unique.is_some()
    }

    /// CREATE TEMPORARY TABLE of one of its names.
    pub(super) fn create(&self, name: &str, dialect: Dialect) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> =
            self.columns.iter().map(|column| column.sql(dialect.old_names)).collect();
        if dialect.needs_key {
            lines.push(
                b"`_margay_row` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY"
                    .to_vec(),
            );
        }
        for key in self.unique.iter().flatten() {
            let names = key.iter().filter_map(|column| self.columns.get(*column));
            let names: Vec<Vec<u8>> = names.map(|column| identifier(&column.name)).collect();
            lines.push([b"UNIQUE (", names.join(&b", "[..]).as_slice(), b")"].concat());
        }
        for index in &self.indexes {
            let parts: Option<Vec<Vec<u8>>> = index
                .iter()
                .take(INDEX_COLUMNS_MAX)
                .map(|column| self.columns.get(*column).and_then(Definition::index_part))
                .collect();
            if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
                lines.push([b"INDEX (", parts.join(&b", "[..]).as_slice(), b")"].concat());
            }
        }
        [
            b"CREATE TEMPORARY TABLE ".as_slice(),
            &identifier(name.as_bytes()),
            b" (",
            &lines.join(&b", "[..]),
            b") ",
            engine(dialect).as_bytes(),
        ]
        .concat()
    }

    /// What stands in front of the tuples.
    pub(super) fn insert_head(&self, name: &str, dialect: Dialect) -> Vec<u8> {
        let name = identifier(name.as_bytes());
        if !dialect.needs_key {
            return [b"INSERT INTO ".as_slice(), &name, b" VALUES "].concat();
        }
        // The key is left out.
        let names: Vec<Vec<u8>> =
            self.columns.iter().map(|column| identifier(&column.name)).collect();
        [b"INSERT INTO ".as_slice(), &name, b" (", &names.join(&b", "[..]), b") VALUES "].concat()
    }

    /// The rows of the first table, into another of its names.
    pub(super) fn copy(&self, name: &str) -> Option<Vec<u8>> {
        let first = self.names.first().filter(|first| *first != name)?;
        let names: Vec<Vec<u8>> =
            self.columns.iter().map(|column| identifier(&column.name)).collect();
        let names = names.join(&b", "[..]);
        let (name, first) = (identifier(name.as_bytes()), identifier(first.as_bytes()));
        Some(
            [
                b"INSERT INTO ".as_slice(),
                &name,
                b" (",
                &names,
                b") SELECT ",
                &names,
                b" FROM ",
                &first,
            ]
            .concat(),
        )
    }

    /// What planning knows of it.
    pub(super) fn facts(&self) -> Vec<Temporary> {
        let columns: Vec<TemporaryColumn> = self.columns.iter().map(Definition::fact).collect();
        let temporary =
            |name: &String| Temporary { name: name.clone(), columns: Some(columns.clone()) };
        self.names.iter().map(temporary).collect()
    }
}

fn engine(dialect: Dialect) -> &'static str {
    // Files of this engine go away with the table; those of InnoDB's temporary tables stay until the
    // server restarts.
    if dialect.is_mariadb { "ENGINE=Aria TRANSACTIONAL=0" } else { "ENGINE=InnoDB" }
}
