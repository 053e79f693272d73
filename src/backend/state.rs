//! What a session has set on a connection, and how to bring a connection from one state to another.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The session state of a connection. The default is that of a fresh one: no schema, the server's own
/// values of variables, and the character set utf8mb4.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SessionState {
    /// The physical schema. `None` answers for "any": see [`NO_SCHEMA`].
    pub schema: Option<String>,
    /// Session system variables by lower-case name: a value as an SQL literal.
    pub variables: BTreeMap<String, String>,
    /// User variables by lower-case name without the `@`: a value as an SQL literal.
    pub user_variables: BTreeMap<String, String>,
}

/// A step towards another state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateCommand {
    /// COM_RESET_CONNECTION: all variables as on a fresh connection but for the character set, which
    /// becomes the server's; no temporary tables, locks or prepared statements. The schema stays.
    Reset,
    /// COM_INIT_DB
    Schema(String),
    /// A `SET` statement.
    Set(String),
}

/// Where a connection is put whose session has no schema: no protocol command leaves a schema, and here
/// at least no name without a schema finds a table of a user.
pub const NO_SCHEMA: &str = "information_schema";

/// The variables of the character set in the order in which they must be set:
/// `character_set_connection` changes `collation_connection`.
const CHARSET: [&str; 4] = [
    "character_set_client",
    "character_set_connection",
    "character_set_results",
    "collation_connection",
];

/// Variables that `SET name = @@global.name` brings to what a fresh connection has. For others that must
/// be unset, the connection is reset. (`DEFAULT` would do too, were it not for MySQL, where it turns
/// `foreign_key_checks` off.)
pub const HAVE_GLOBAL: &[&str] = &[
    "auto_increment_increment",
    "auto_increment_offset",
    "autocommit",
    "big_tables",
    "character_set_server",
    "collation_server",
    "default_storage_engine",
    "div_precision_increment",
    "explicit_defaults_for_timestamp",
    "foreign_key_checks",
    "group_concat_max_len",
    "innodb_lock_wait_timeout",
    "interactive_timeout",
    "join_buffer_size",
    "lc_time_names",
    "lock_wait_timeout",
    "long_query_time",
    "max_execution_time",
    "max_heap_table_size",
    "max_join_size",
    "max_length_for_sort_data",
    "max_statement_time",
    "net_read_timeout",
    "net_write_timeout",
    "optimizer_switch",
    "session_track_gtids",
    "session_track_schema",
    "session_track_state_change",
    "session_track_system_variables",
    "session_track_transaction_info",
    "sort_buffer_size",
    "sql_auto_is_null",
    "sql_big_selects",
    "sql_buffer_result",
    "sql_mode",
    "sql_notes",
    "sql_quote_show_create",
    "sql_safe_updates",
    "sql_select_limit",
    "sql_warnings",
    "time_zone",
    "tmp_table_size",
    "transaction_isolation",
    "transaction_read_only",
    "tx_isolation",
    "tx_read_only",
    "unique_checks",
    "wait_timeout",
];

/// It has no global value; by default the clock runs.
const CLOCK: &str = "timestamp";

/// Variables that change what the text of a prepared statement means.
const MEANING: [&str; 4] =
    ["character_set_client", "character_set_connection", "collation_connection", "sql_mode"];

impl SessionState {
    /// The commands that bring a connection from this state to `wanted`, in order. `collation` is the
    /// one that the connection was opened with.
    pub fn difference(&self, wanted: &Self, collation: &str) -> Vec<StateCommand> {
        let mut commands = Vec::new();
        let reset = Self { schema: self.schema.clone(), ..Self::default() };
        let resets = self.must_reset(wanted);
        let from = if resets {
            commands.push(StateCommand::Reset);
            // It leaves the server's character set, which need not be ours.
            commands.push(StateCommand::Set(format!("SET NAMES utf8mb4 COLLATE {collation}")));
            &reset
        } else {
            self
        };
        match (&from.schema, &wanted.schema) {
            (Some(from), None) if from != NO_SCHEMA => {
                commands.push(StateCommand::Schema(NO_SCHEMA.to_owned()));
            }
            // A reset makes `collation_database` the server's, though the schema stays.
            (from, Some(wanted)) if resets || from.as_ref() != Some(wanted) => {
                commands.push(StateCommand::Schema(wanted.clone()));
            }
            (Some(_) | None, Some(_) | None) => {}
        }
        let assignments = from.assignments(wanted, collation);
        if !assignments.is_empty() {
            commands.push(StateCommand::Set(format!("SET {}", assignments.join(", "))));
        }
        commands
    }

    /// Statements prepared in states of different meaning are different statements.
    pub(crate) fn meaning(&self) -> String {
        let mut text = self.schema.clone().unwrap_or_default();
        for name in MEANING {
            // A NUL is in no name and in no literal.
            let value = self.variables.get(name).map_or("", String::as_str);
            let _ = write!(text, "\0{value}");
        }
        text
    }

    /// The types of the user variables, as their literals show them.
    pub(crate) fn kinds(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.user_variables {
            let kind = match value.bytes().next() {
                Some(b'_' | b'X' | b'\'') => "text",
                Some(b'N') | None => "null",
                Some(b'C') => "unsigned",
                Some(_) if value.contains('e') => "double",
                Some(_) if value.contains('.') => "decimal",
                Some(_) => "integer",
            };
            let _ = write!(text, "\0{name}\0{kind}");
        }
        text
    }

    /// Something that `wanted` lacks goes away by a reset alone; or a text outside ASCII would be read in
    /// a character set that is not ours.
    fn must_reset(&self, wanted: &Self) -> bool {
        let stuck = |name: &String| {
            !wanted.variables.contains_key(name)
                && !CHARSET.contains(&name.as_str())
                && !HAVE_GLOBAL.contains(&name.as_str())
                && name != CLOCK
        };
        let gone = |name: &String| !wanted.user_variables.contains_key(name);
        self.user_variables.keys().any(gone)
            || self.variables.keys().any(stuck)
            || (self.has_charset() && !wanted.is_ascii())
    }

    /// Text is read in a character set that is not ours.
    fn has_charset(&self) -> bool {
        let charset = self.variables.get("character_set_client");
        charset.is_some_and(|charset| charset.trim_matches('\'') != "utf8mb4")
    }

    fn is_ascii(&self) -> bool {
        let ascii = |map: &BTreeMap<String, String>| {
            map.iter().all(|(name, value)| name.is_ascii() && value.is_ascii())
        };
        self.schema.as_ref().is_none_or(|schema| schema.is_ascii())
            && ascii(&self.variables)
            && ascii(&self.user_variables)
    }

    fn assignments(&self, wanted: &Self, collation: &str) -> Vec<String> {
        let mut assignments = self.charset_assignments(wanted, collation);
        let is_other = |name: &&String| !CHARSET.contains(&name.as_str());
        for name in self.variables.keys().filter(is_other) {
            if name == CLOCK && !wanted.variables.contains_key(name) {
                assignments.push(format!("{CLOCK} = DEFAULT"));
            } else if !wanted.variables.contains_key(name) {
                assignments.push(format!("{name} = @@global.{name}"));
            }
        }
        for (name, value) in wanted.variables.iter().filter(|(name, _)| is_other(name)) {
            if self.variables.get(name) != Some(value) {
                assignments.push(format!("{name} = {value}"));
            }
        }
        for (name, value) in &wanted.user_variables {
            if self.user_variables.get(name) != Some(value) {
                assignments.push(format!("@`{}` = {value}", name.replace('`', "``")));
            }
        }
        assignments
    }

    /// Sets all four if one differs: they change each other.
    fn charset_assignments(&self, wanted: &Self, collation: &str) -> Vec<String> {
        if CHARSET.iter().all(|&name| self.variables.get(name) == wanted.variables.get(name)) {
            return Vec::new();
        }
        let mut assignments = Vec::new();
        for name in CHARSET {
            let default = if name == "collation_connection" { collation } else { "utf8mb4" };
            let value = match wanted.variables.get(name) {
                Some(value) => value.as_str(),
                // The default one of the character set that was just set.
                None if default == collation
                    && wanted.variables.contains_key("character_set_connection") =>
                {
                    continue;
                }
                None => default,
            };
            assignments.push(format!("{name} = {value}"));
        }
        assignments
    }
}

#[cfg(test)]
mod tests {
    use super::{NO_SCHEMA, SessionState, StateCommand};

    /// `schema; name = value; @name = value`
    fn state(text: &str) -> SessionState {
        let mut state = SessionState::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once(" = ") {
                None => state.schema = Some(part.to_owned()),
                Some((name, value)) => {
                    let (map, name) = match name.strip_prefix('@') {
                        Some(name) => (&mut state.user_variables, name),
                        None => (&mut state.variables, name),
                    };
                    map.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        state
    }

    fn check(from: &str, to: &str, expect: &[&str]) {
        let commands = state(from).difference(&state(to), "utf8mb4_general_ci");
        let commands: Vec<String> = commands
            .into_iter()
            .map(|command| match command {
                StateCommand::Reset => "reset".to_owned(),
                StateCommand::Schema(name) => format!("use {name}"),
                StateCommand::Set(sql) => sql,
            })
            .collect();
        assert_eq!(commands, expect, "from `{from}` to `{to}`");
    }

    const NAMES: &str = "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci";

    #[test]
    fn equal_states_need_nothing() {
        check("", "", &[]);
        check("shop; sql_mode = ''; @a = 1", "shop; sql_mode = ''; @a = 1", &[]);
    }

    #[test]
    fn sets_in_one_statement() {
        check("", "shop; sql_mode = ''; @a = 1", &["use shop", "SET sql_mode = '', @`a` = 1"]);
        check("a", "b", &["use b"]);
        check("sql_mode = ''", "sql_mode = 'ANSI'", &["SET sql_mode = 'ANSI'"]);
        check("", "@a`b = 1", &["SET @`a``b` = 1"]);
    }

    #[test]
    fn unsets_by_the_global_value_or_by_reset() {
        check(
            "sql_mode = ''",
            "time_zone = 'UTC'",
            &["SET sql_mode = @@global.sql_mode, time_zone = 'UTC'"],
        );
        check("@a = 1; sql_mode = ''", "sql_mode = ''", &["reset", NAMES, "SET sql_mode = ''"]);
        check("shop; rand_seed1 = 5", "shop", &["reset", NAMES, "use shop"]);
        check("shop; rand_seed1 = 5", "", &["reset", NAMES, "use information_schema"]);
    }

    #[test]
    fn leaves_a_schema() {
        check("shop", "", &["use information_schema"]);
        check(NO_SCHEMA, "", &[]);
    }

    #[test]
    fn character_sets_go_together() {
        let all = "SET character_set_client = utf8mb4, character_set_connection = utf8mb4, \
                   character_set_results = NULL, collation_connection = utf8mb4_general_ci";
        check("", "character_set_results = NULL", &[all]);
        let latin1 = "SET character_set_client = utf8mb4, character_set_connection = latin1, \
                      character_set_results = utf8mb4";
        check("collation_connection = utf8mb4_bin", "character_set_connection = latin1", &[latin1]);
    }

    #[test]
    fn text_outside_ascii_is_sent_as_utf8() {
        let set = "SET character_set_client = gbk, character_set_connection = utf8mb4, \
                   character_set_results = utf8mb4, collation_connection = utf8mb4_general_ci, \
                   @`a` = 'é'";
        check(
            "character_set_client = gbk",
            "character_set_client = gbk; @a = 'é'",
            &["reset", NAMES, set],
        );
        let gbk = "character_set_client = gbk; @a = 'é'";
        check("character_set_client = utf8mb4", gbk, &[set]);
    }

    #[test]
    fn meaning_tells_states_apart() {
        assert_eq!(state("shop; @a = 1").meaning(), state("shop").meaning());
        assert_ne!(state("shop; sql_mode = ''").meaning(), state("shop").meaning());
        assert_ne!(state("other").meaning(), state("shop").meaning());
    }
}
