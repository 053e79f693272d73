//! Temporary tables: what makes them, and what fills them.

use std::sync::Arc;

use bytes::Bytes;

use super::column::{Definition, Form};
use crate::plan::combine::Temp;
use crate::plan::planner::{Temporary, TemporaryColumn};
use crate::sql::quote::identifier;

/// One temporary table under all its names.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) names: Vec<String>,
    pub(super) columns: Arc<[Definition]>,
    indexes: Vec<Vec<usize>>,
    /// How many rows it has; None: they are yet to come.
    rows: Option<u64>,
    unique: Option<Vec<Vec<usize>>>,
    /// Its engine must not know how many rows it has.
    uncounted: bool,
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
    /// Bytes that a table of the MEMORY engine may take; 0: there is no such engine.
    pub(super) memory: u64,
}

impl Table {
    pub(super) fn new(temp: &Temp, columns: Arc<[Definition]>) -> Self {
        let fits = |key: &Vec<usize>| {
            key.iter().all(|column| columns.get(*column).is_some_and(Definition::is_key_part))
        };
        let unique = temp.unique.clone().filter(|keys| keys.iter().all(fits));
        Self {
            names: temp.names.clone(),
            columns,
            indexes: temp.indexes.clone(),
            unique,
            rows: None,
            uncounted: false,
        }
    }

    /// It is read by a statement that a MariaDB answers wrongly where it counts rows without reading them.
    pub(super) fn uncounted(self, uncounted: bool) -> Self {
        Self { uncounted, ..self }
    }

    /// All of its rows are at hand.
    pub(super) fn has_all(&mut self, rows: u64) {
        self.rows = Some(rows);
    }

    /// What moves it out of memory, if that is too small for so many rows; once only.
    pub(super) fn outgrown(&mut self, rows: u64, dialect: Dialect) -> Vec<Vec<u8>> {
        if self.rows.is_some() || !self.is_in_memory(dialect) || rows <= self.rows_max(dialect) {
            return Vec::new();
        }
        self.rows = Some(u64::MAX);
        let alter = |name: &String| {
            let name = identifier(name.as_bytes());
            [b"ALTER TABLE ".as_slice(), &name, b" ", engine(dialect, false, false).as_bytes()]
                .concat()
        };
        self.names.iter().map(alter).collect()
    }

    /// What moves it to an engine that does not know how many rows it has, where there are so few: a MariaDB
    /// that knows takes the only row, or none, for constants, and answers some statements otherwise.
    pub(super) fn few(&mut self, rows: u64, dialect: Dialect) -> Vec<Vec<u8>> {
        let was_counted = dialect.is_mariadb && !self.is_kept_apart(dialect);
        self.rows = self.rows.or(Some(rows));
        if !was_counted || !self.is_few(dialect) {
            return Vec::new();
        }
        let alter = |name: &String| {
            [b"ALTER TABLE ".as_slice(), &identifier(name.as_bytes()), b" ENGINE=InnoDB"].concat()
        };
        self.names.iter().map(alter).collect()
    }

    fn is_few(&self, dialect: Dialect) -> bool {
        dialect.is_mariadb && self.rows.is_some_and(|rows| rows <= 1)
    }

    /// Its engine does not know how many rows it has.
    fn is_kept_apart(&self, dialect: Dialect) -> bool {
        self.uncounted || self.is_few(dialect)
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
        let in_memory = self.is_in_memory(dialect);
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
                let kind: &[u8] =
                    if in_memory && !self.is_hashed(index) { b"USING BTREE " } else { b"" };
                lines.push(
                    [b"INDEX ", kind, b"(", parts.join(&b", "[..]).as_slice(), b")"].concat(),
                );
            }
        }
        [
            b"CREATE TEMPORARY TABLE ".as_slice(),
            &identifier(name.as_bytes()),
            b" (",
            &lines.join(&b", "[..]),
            b") ",
            engine(dialect, in_memory, self.is_kept_apart(dialect)).as_bytes(),
        ]
        .concat()
    }

    /// It is of the MEMORY engine, which makes and fills tables in half the time: as long as it has few
    /// rows.
    fn is_in_memory(&self, dialect: Dialect) -> bool {
        let most = self.rows_max(dialect);
        most > 0 && self.rows.unwrap_or(1) <= most
    }

    /// Rows that the MEMORY engine has room for; 0: not such rows.
    fn rows_max(&self, dialect: Dialect) -> u64 {
        /// A row's own bytes beside its columns, and those of its entry in an index beside the key.
        const ROW: u64 = 24;
        const ENTRY: u64 = 40;
        // Keys of texts may be longer than the engine takes.
        if self.is_kept_apart(dialect) || self.unique.as_ref().is_some_and(|keys| !keys.is_empty())
        {
            return 0;
        }
        let width = |column: &Definition| column.width();
        let Some(columns) = self.columns.iter().map(width).sum::<Option<u64>>() else { return 0 };
        let key = |index: &Vec<usize>| {
            let columns = index.iter().filter_map(|column| self.columns.get(*column));
            ENTRY + columns.filter_map(Definition::width).sum::<u64>()
        };
        dialect.memory / (ROW + columns + self.indexes.iter().map(key).sum::<u64>())
    }

    /// Whole numbers are looked up by their hashes, which the engine makes if nothing else is said. Equal
    /// texts may have different bytes.
    fn is_hashed(&self, index: &[usize]) -> bool {
        let number = |column: &usize| {
            let form = self.columns.get(*column).map(|column| column.form);
            matches!(form, Some(Form::Integer { .. }))
        };
        index.iter().all(number)
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

    /// LOAD DATA of a file of its rows. None: a file cannot hold them.
    pub(super) fn load(&self, name: &str) -> Option<Vec<u8>> {
        if !self.columns.iter().all(Definition::is_loadable) {
            return None;
        }
        let names: Vec<Vec<u8>> =
            self.columns.iter().map(|column| identifier(&column.name)).collect();
        Some(
            [
                b"LOAD DATA LOCAL INFILE 'rows' INTO TABLE ".as_slice(),
                &identifier(name.as_bytes()),
                // Bytes as they are, for columns of all character sets.
                b" CHARACTER SET binary FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY \
                  '\\n' (",
                &names.join(&b", "[..]),
                b")",
            ]
            .concat(),
        )
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

fn engine(dialect: Dialect, in_memory: bool, uncounted: bool) -> &'static str {
    match (in_memory, dialect.is_mariadb && !uncounted) {
        (true, _) => "ENGINE=MEMORY",
        // Files of this engine go away with the table; those of InnoDB's temporary tables stay until the
        // server restarts.
        (false, true) => "ENGINE=Aria TRANSACTIONAL=0",
        (false, false) => "ENGINE=InnoDB",
    }
}
