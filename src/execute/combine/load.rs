//! Making temporary tables on a connection, and filling them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::table::{Dialect, Held, Table};
use crate::backend::{Connection, SessionState};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::quote::identifier;

/// What is known of servers where temporary tables were made, by their names in errors.
#[derive(Default)]
pub(in crate::execute) struct Abilities(Mutex<BTreeMap<Arc<str>, Ability>>);

#[derive(Debug, Clone, Copy)]
struct Ability {
    dialect: Dialect,
    /// The largest statement.
    packet_max: usize,
    /// What is done to temporary tables would be logged, and can be kept from it.
    log: bool,
    /// It takes files of rows.
    files: bool,
}

/// What sends statements of loading to a connection. Their replies are read before that of what follows.
#[derive(Debug)]
pub(in crate::execute) struct Loader {
    packet_max: usize,
    pub(in crate::execute) dialect: Dialect,
    files: bool,
}

/// INSERTs that are under way at once: the server reads one while it works on another.
const AHEAD: usize = 4;
/// Rows of fewer bytes wait for what comes next, to go out with it.
const SMALL: usize = 4 << 10;
/// The largest temporary table that is held in memory.
const MEMORY_MAX: u64 = 16 << 20;
/// Bytes for the name of the table and the rest in front of the tuples.
const HEAD_MAX: usize = 64 << 10;
/// The sql_mode of loading: all values are taken that a column can hold, and no other.
const SQL_MODE: &str = "'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION,\
                        NO_AUTO_VALUE_ON_ZERO'";

/// The state of a connection while it is loaded.
pub(super) fn loading_state(base: &SessionState, database: &str) -> Arc<SessionState> {
    let mut state = base.clone();
    state.schema = Some(database.to_owned());
    state.variables.insert("sql_mode".to_owned(), SQL_MODE.to_owned());
    state.variables.insert("time_zone".to_owned(), "'+00:00'".to_owned());
    let charsets = ["character_set_client", "character_set_connection", "character_set_results"];
    if charsets.iter().any(|name| base.variables.contains_key(*name))
        || base.variables.contains_key("collation_connection")
    {
        for name in charsets {
            state.variables.insert(name.to_owned(), "utf8mb4".to_owned());
        }
        state.variables.remove("collation_connection");
    }
    for (name, value) in [("sql_notes", "1"), ("transaction_read_only", "0"), ("tx_read_only", "0")]
    {
        if let Some(set) = state.variables.get_mut(name) {
            *set = value.to_owned();
        }
    }
    Arc::new(state)
}

impl Loader {
    /// Brings a connection to the state of loading. What it does from here on is in no binary log where
    /// that can be had.
    pub(in crate::execute) async fn begin(
        connection: &mut Connection,
        state: &Arc<SessionState>,
        abilities: &Abilities,
    ) -> Result<Self> {
        let known = abilities.get(connection.node_name());
        let ability = match known {
            Some(ability) => ability,
            None => {
                let ability = ask(connection).await?;
                abilities.put(Arc::clone(connection.node_name()), ability);
                ability
            }
        };
        connection.queue_state(state)?;
        if ability.log {
            connection.queue_unlogged()?;
        }
        let Ability { packet_max, dialect, files, .. } = ability;
        Ok(Self { packet_max, dialect, files })
    }

    /// Queues a statement of loading that gives no rows.
    pub(in crate::execute) fn send(&self, connection: &mut Connection, text: &[u8]) -> Result<()> {
        connection.queue_step(&[text], false)
    }

    /// Makes a table under one of its names in the connection's database.
    pub(super) fn create(
        &self,
        connection: &mut Connection,
        table: &Table,
        name: &str,
    ) -> Result<()> {
        let database = connection.state().schema.clone().unwrap_or_default();
        connection.note_temporary(&full_name(&database, name));
        connection.queue_step(&[&table.create(name, self.dialect)], false)
    }

    /// Sends rows, and waits for those before them.
    pub(super) async fn insert(
        &self,
        connection: &mut Connection,
        table: &Table,
        name: &str,
        tuples: &[u8],
    ) -> Result<()> {
        let length = tuples.len() + HEAD_MAX;
        if length > self.packet_max {
            let message = format!(
                "a row takes {length} bytes, over max_allowed_packet = {} of {}; raise it there",
                self.packet_max,
                connection.node_name()
            );
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        // Rows must arrive as they are: a warning would tell of one that did not.
        connection.queue_step(&[&table.insert_head(name, self.dialect), tuples], true)?;
        if connection.steps() > AHEAD || tuples.len() > SMALL {
            connection.flush().await?;
            connection.read_steps(AHEAD).await?;
        }
        Ok(())
    }

    /// The statement by which the server takes a file of rows. None: it takes none, or not such rows.
    pub(super) fn file_of(&self, table: &Table, name: &str) -> Option<Vec<u8>> {
        if self.files { table.load(name) } else { None }
    }

    /// Copies the rows to the other names of the table.
    pub(super) fn copy(&self, connection: &mut Connection, table: &Table) -> Result<()> {
        for name in &table.names {
            if let Some(copy) = table.copy(name) {
                connection.queue_step(&[&copy], true)?;
            }
        }
        Ok(())
    }

    /// Sends what is left and reads all replies.
    pub(in crate::execute) async fn finish(&self, connection: &mut Connection) -> Result<()> {
        connection.flush().await?;
        connection.read_steps(0).await
    }
}

/// A table of a database, as SQL.
pub(in crate::execute) fn full_name(database: &str, name: &str) -> String {
    let quoted = |name: &str| String::from_utf8_lossy(&identifier(name.as_bytes())).into_owned();
    format!("{}.{}", quoted(database), quoted(name))
}

/// Makes the tables that the connection does not have in this database, for a statement on a shard: all
/// that is left to send and to read goes with that.
pub(in crate::execute) async fn hold(
    connection: &mut Connection,
    base: &SessionState,
    database: &str,
    held: &[Arc<Held>],
    abilities: &Abilities,
) -> Result<()> {
    let is_held = |name: &String| connection.holds_temporary(&full_name(database, name));
    let is_new = |held: &&Arc<Held>| !held.table.names.iter().all(is_held);
    let missing: Vec<Arc<Held>> = held.iter().filter(is_new).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let state = loading_state(base, database);
    let loader = Loader::begin(connection, &state, abilities).await?;
    for held in missing {
        add(&loader, connection, &held.table, &held.tuples).await?;
    }
    Ok(())
}

/// Adds tables to a connection that is being loaded.
pub(super) async fn add(
    loader: &Loader,
    connection: &mut Connection,
    table: &Table,
    tuples: &[Bytes],
) -> Result<()> {
    for name in &table.names {
        loader.create(connection, table, name)?;
    }
    if let Some(first) = table.names.first() {
        for tuples in tuples {
            loader.insert(connection, table, first, tuples).await?;
        }
        loader.copy(connection, table)?;
    }
    Ok(())
}

impl Abilities {
    fn get(&self, node: &Arc<str>) -> Option<Ability> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(node).copied()
    }

    /// Asks a server anew: it has changed.
    pub(super) fn forget(&self, node: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(node);
    }

    fn put(&self, node: Arc<str>, ability: Ability) {
        // Entries are whole once they are in, so a panic elsewhere broke nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(node, ability);
    }
}

/// Asks a server what it allows.
async fn ask(connection: &mut Connection) -> Result<Ability> {
    let variables = connection
        .query_all(
            "SHOW SESSION VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', \
             'max_allowed_packet', 'sql_require_primary_key', 'max_heap_table_size', \
             'disabled_storage_engines', 'enforce_storage_engine', 'local_infile')",
        )
        .await?;
    let value = |name: &str| {
        let text = |cell: Option<&Option<Bytes>>| {
            cell.and_then(Option::as_ref).map(|text| String::from_utf8_lossy(text).into_owned())
        };
        let row = variables.rows.iter().find(|row| text(row.first()).as_deref() == Some(name));
        row.and_then(|row| text(row.get(1))).unwrap_or_default()
    };
    let is_mariadb = connection.is_mariadb();
    let logs = value("log_bin").eq_ignore_ascii_case("ON");
    let log = logs && keep_from_log(connection, &value("binlog_format")).await?;
    Ok(Ability {
        dialect: Dialect {
            old_names: !is_mariadb && is_before_8_0_30(connection.version()),
            needs_key: value("sql_require_primary_key").eq_ignore_ascii_case("ON"),
            is_mariadb,
            // MySQL warns of transactions that write to both engines (6414), and will refuse them.
            memory: if is_mariadb { memory(&value) } else { 0 },
        },
        packet_max: value("max_allowed_packet").parse().unwrap_or(1 << 20),
        log,
        files: value("local_infile").eq_ignore_ascii_case("ON") && connection.takes_files(),
    })
}

/// Bytes that a table of the MEMORY engine may take on a server with these variables.
fn memory(value: &dyn Fn(&str) -> String) -> u64 {
    let disabled = value("disabled_storage_engines").to_ascii_uppercase();
    if disabled.contains("MEMORY") || !value("enforce_storage_engine").is_empty() {
        return 0;
    }
    let most: u64 = value("max_heap_table_size").parse().unwrap_or(0);
    // The engine takes memory in blocks, of which the last ones are partly empty.
    (most / 4 * 3).min(MEMORY_MAX)
}

/// Whether `sql_log_bin` can be set, where it should be.
async fn keep_from_log(connection: &mut Connection, format: &str) -> Result<bool> {
    const DENIED: u16 = 1227;
    match connection.query_all("SET sql_log_bin = 0").await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::Server(own) if own.code == DENIED) => {
            // Temporary tables are not in logs of rows; MySQL keeps them from mixed ones too.
            let is_safe = format.eq_ignore_ascii_case("ROW")
                || (format.eq_ignore_ascii_case("MIXED") && !connection.is_mariadb());
            if is_safe {
                return Ok(false);
            }
            let privilege =
                if connection.is_mariadb() { "BINLOG ADMIN" } else { "SYSTEM_VARIABLES_ADMIN" };
            Err(Error::unsupported(format!(
                "{}: temporary tables would be in the binary log (binlog_format is {format}); grant \
                 {privilege} to Margay's user there, set binlog_format=ROW, or name other servers in \
                 `combine.nodes`",
                connection.node_name()
            )))
        }
        Err(error) => Err(error),
    }
}

fn is_before_8_0_30(version: &str) -> bool {
    let mut parts = version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) < (8, 0, 30)
}
