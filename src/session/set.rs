//! SET in all its forms.
//!
//! MySQL is the judge: a backend runs the statement as it stands, then tells the values that came of
//! it. They are kept as literals and given to every connection that the session uses. A SET that fails
//! changes nothing.

use std::sync::Arc;

use super::Session;
use super::identity::Identity;
use super::substitute::substitute;
use crate::backend::{Access, Lease, QueryResult, SessionState};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{ClientState, Reply, Snapshot, Summary, aftermath};
use crate::protocol::capability::ColumnType;
use crate::protocol::charset::{BINARY, Collation, UTF8MB4_0900_AI_CI};
use crate::sql::charset::Charset;
use crate::sql::expr::Expr;
use crate::sql::statement::{Assignment, Scope, SetTarget, Statement};
use crate::sql::walk::{self, Node};
use crate::sql::{Mode, quote};
use crate::transaction::Begin;

/// What `SET NAMES` and `SET CHARACTER SET` change.
const NAMES: [&str; 4] = [
    "character_set_client",
    "character_set_connection",
    "character_set_results",
    "collation_connection",
];

/// What new databases would have; some drivers set them when they connect.
const SERVER: [&str; 2] = ["character_set_server", "collation_server"];

/// Variables that a session has itself, without any connection having them: it puts the LIMIT of
/// `sql_select_limit` to statements, ends at `wait_timeout`, and puts values in place of what tells of
/// the others.
const OWN: [&str; 4] = ["sql_select_limit", "wait_timeout", "last_insert_id", "identity"];

/// What came of a SET.
struct Tried {
    state: ClientState,
    /// Names and values of [`OWN`] variables.
    own: Vec<(String, String)>,
}

impl Session {
    /// The state that the handshake asks for.
    pub(super) fn initial_state(identity: &Identity, snapshot: &Snapshot) -> ClientState {
        let mut state = SessionState::default();
        let states = snapshot.backends.states();
        if let Some(limit) = snapshot.config.settings.transactions.lock_wait_timeout {
            let name = "innodb_lock_wait_timeout".to_owned();
            state.variables.insert(name, limit.as_secs().max(1).to_string());
        }
        let Some(collation) = Collation::by_id(identity.collation) else {
            return ClientState::new(state, None).shared(states);
        };
        // The backends' own default; a client that names it gets what the backend has.
        if collation.id != UTF8MB4_0900_AI_CI {
            for name in NAMES {
                let value =
                    if name == "collation_connection" { collation.name } else { collation.charset };
                state.variables.insert(name.to_owned(), value.to_owned());
            }
        }
        ClientState::new(state, Some(collation.id)).shared(states)
    }

    pub(super) async fn set(
        &mut self,
        text: &[u8],
        statement: &Statement,
        assignments: &[Assignment],
    ) -> Result<Reply> {
        if let Some(reply) = self.set_consistency(text, assignments)? {
            return Ok(reply);
        }
        let holds_query = |assignment: &Assignment| {
            let mut found = false;
            assignment.value.walk(&mut |expr: &Expr| found |= !expr.queries().is_empty());
            found
        };
        // A server can answer a query by itself that reads no table.
        let mut reads = false;
        walk::statement(statement, &mut |node| reads |= matches!(node, Node::Table(_)));
        if reads && assignments.iter().any(holds_query) {
            return self.set_queries(text, assignments).await;
        }
        for assignment in assignments {
            if let Err(refused) = check(assignment) {
                return Err(self.unknown_variable(assignment).await.unwrap_or(refused));
            }
        }
        let substituted = substitute(text, statement, &self.session_facts())?;
        let text = substituted.as_deref().unwrap_or(text);
        let turns_on_autocommit = assignments.iter().any(|assignment| {
            matches!(&assignment.target, SetTarget::System { name, .. } if name == "autocommit")
        });
        let mut names: Vec<Kept> = assignments.iter().flat_map(Kept::of).collect();
        for assignment in assignments {
            assignment.value.walk(&mut |expr: &Expr| {
                names.extend(expr.assigned().map(|name| Kept::User(name.to_owned())));
            });
        }
        names.dedup();
        let Tried { state, own } = self.try_set(text, &names).await?;
        if turns_on_autocommit && state.autocommits() && !self.state.autocommits() {
            self.commit().await?;
        }
        self.adopt(state);
        self.adopt_own(&own);
        self.note_set(names.iter().filter_map(Kept::system));
        let warnings = self.warnings.wire_count();
        Ok(Reply::Done(Summary { warnings, ..Summary::default() }))
    }

    /// Runs a SET of user variables alone.
    pub(super) async fn set_users(&mut self, text: &[u8], names: &[String]) -> Result<()> {
        let names: Vec<Kept> = names.iter().map(|name| Kept::User(name.clone())).collect();
        let tried = self.try_set(text, &names).await?;
        self.adopt(tried.state);
        Ok(())
    }

    /// SET of user variables with subqueries: the expressions are evaluated as queries, then all are set.
    async fn set_queries(&mut self, text: &[u8], assignments: &[Assignment]) -> Result<Reply> {
        let mut names = Vec::with_capacity(assignments.len());
        let mut values = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            let SetTarget::User(name) = &assignment.target else {
                return Err(Error::unsupported(
                    "a subquery beside a system variable in SET is not supported; read the value first \
                     and set it then",
                ));
            };
            values.push(self.value_of(text, &assignment.value).await?);
            names.push(name.to_ascii_lowercase());
        }
        self.assign(&names, &values).await?;
        Ok(Reply::Done(Summary::default()))
    }

    pub(super) async fn set_names(&mut self, text: &[u8]) -> Result<Reply> {
        let tried = self.try_set(text, &Kept::charsets()).await?;
        self.adopt(tried.state);
        self.note_set(NAMES.into_iter());
        Ok(Reply::Done(Summary::default()))
    }

    pub(super) async fn set_transaction(
        &mut self,
        text: &[u8],
        scope: Option<Scope>,
        isolation: Option<&str>,
        read_only: Option<bool>,
    ) -> Result<Reply> {
        match scope {
            Some(Scope::Global | Scope::Persist) => return Err(refuse_global("TRANSACTION")),
            Some(Scope::Session) => {
                let mut names = Vec::new();
                if isolation.is_some() {
                    names.push(Kept::System("transaction_isolation".to_owned()));
                }
                if read_only.is_some() {
                    names.push(Kept::System("transaction_read_only".to_owned()));
                }
                let tried = self.try_set(text, &names).await?;
                self.adopt(tried.state);
            }
            None => {
                if self.transaction.is_active() {
                    return Err(Error::server(crate::error::ServerError {
                        code: 1568,
                        state: *b"25001",
                        message:
                            b"Transaction characteristics can't be changed while a transaction \
                                   is in progress"
                                .to_vec(),
                    }));
                }
                let next = std::mem::take(&mut self.next);
                self.next = Begin {
                    isolation: isolation.map(str::to_owned).or(next.isolation),
                    access: read_only.or(next.access),
                    ..next
                };
            }
        }
        Ok(Reply::Done(Summary::default()))
    }

    /// Runs the statement on a backend and reads back what it set.
    async fn try_set(&mut self, text: &[u8], names: &[Kept]) -> Result<Tried> {
        let cluster = self.home_cluster();
        let found_rows = self.identity.found_rows();
        let mut lease = self.snapshot.backends.lease(cluster, Access::Primary, found_rows).await?;
        lease.set_deadline(self.snapshot.deadline(None));
        // SET CHARACTER SET asks for the schema's collation.
        let schema = self.home_database();
        let mut state = SessionState { schema: schema.clone(), ..self.state.base().clone() };
        lease.ensure_state(&Arc::new(state.clone())).await?;
        // From here on the pool must not take it for a connection in the state before.
        lease.taint();
        lease.query_all(text).await?;
        self.warnings.collect(&mut lease).await;
        let resets_clock = is_clock_reset(text);
        let (values, shown) = read_back(&mut lease, names).await?;
        let is_charset =
            |name: &Kept| matches!(name, Kept::System(name) if name == "character_set_results");
        let text_collation = match names.iter().position(is_charset) {
            // Nothing is converted: each column is shown in its own collation.
            Some(at) if values.get(at).is_some_and(|value| value == "NULL") => None,
            Some(_) => shown,
            None => self.state.text_collation(),
        };
        let mut own = Vec::new();
        for (name, value) in names.iter().zip(values) {
            match name {
                // The session has them itself; on a connection they would be in the way.
                Kept::System(name) if OWN.contains(&name.as_str()) => {
                    state.variables.insert(name.clone(), value.clone());
                    own.push((name.clone(), value));
                    None
                }
                // Its value would stop the clock.
                Kept::System(name) if name == "timestamp" && resets_clock => {
                    state.variables.remove(name)
                }
                Kept::System(name) => state.variables.insert(own_name(&lease, name), value),
                Kept::User(name) => state.user_variables.insert(name.clone(), value),
            };
        }
        self.check_size(&state)?;
        // Now what is set on it is known.
        lease.assume_state(Arc::new(state.clone()));
        lease.untaint();
        state.schema = None;
        state.variables.retain(|name, _| !OWN.contains(&name.as_str()));
        let state = ClientState::new(state, text_collation);
        Ok(Tried { state: state.shared(self.snapshot.backends.states()), own })
    }

    fn adopt_own(&mut self, own: &[(String, String)]) {
        for (name, value) in own {
            let number = value.parse().ok();
            match name.as_str() {
                "sql_select_limit" => self.select_limit = number.filter(|rows| *rows < u64::MAX),
                "wait_timeout" => self.wait_timeout = number,
                _ => self.last_insert_id = number.unwrap_or(self.last_insert_id),
            }
        }
    }

    /// The database of the current schema's default shard.
    fn home_database(&self) -> Option<String> {
        let schema = self.snapshot.catalog.schema(self.schema.as_deref()?)?;
        let shard = self.snapshot.catalog.shard(schema.default_shard)?;
        Some(shard.database.clone())
    }

    /// What a server says of a variable that it does not know.
    async fn unknown_variable(&self, assignment: &Assignment) -> Option<Error> {
        let SetTarget::System { name, .. } = &assignment.target else { return None };
        let query = [b"SELECT @@".as_slice(), &quote::identifier(name.as_bytes())].concat();
        let error = self.snapshot.ask(self.home_cluster(), &query).await.err()?;
        matches!(error.kind(), ErrorKind::Server(server) if server.code == 1193).then_some(error)
    }

    /// User variables go to every connection that the session uses.
    fn check_size(&self, state: &SessionState) -> Result<()> {
        let limit = self.snapshot.config.settings.limits.max_allowed_packet.0;
        let size: usize =
            state.user_variables.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size as u64 > limit / 4 {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "user variables of {size} bytes are over a quarter of \
                     `limits.max_allowed_packet` ({limit}); unset some, or raise the limit"
                ),
            ));
        }
        Ok(())
    }

    fn adopt(&mut self, state: ClientState) {
        self.mode = mode_of(&state);
        self.state = state;
    }

    /// The cluster of the current schema's default shard.
    pub(super) fn home_cluster(&self) -> usize {
        let schema = self.schema.as_deref().and_then(|name| self.snapshot.catalog.schema(name));
        let schema = schema.or_else(|| self.snapshot.catalog.schemas.values().next());
        let shard = schema.and_then(|schema| self.snapshot.catalog.shard(schema.default_shard));
        shard.map_or(0, |shard| shard.cluster)
    }
}

/// How text is read in a state.
pub(super) fn mode_of(state: &ClientState) -> Mode {
    let mode = state.base().variables.get("sql_mode");
    let mode =
        mode.map_or_else(Mode::default, |value| Mode::from_sql_mode(value.trim_matches('\'')));
    Mode { charset: Charset::of(state.charset()), ..mode }
}

/// A variable whose value the session keeps.
#[derive(PartialEq, Eq)]
enum Kept {
    System(String),
    User(String),
}

impl Kept {
    fn of(assignment: &Assignment) -> Vec<Self> {
        match &assignment.target {
            SetTarget::User(name) => vec![Self::User(name.to_ascii_lowercase())],
            // Each changes the other.
            SetTarget::System { name, .. } if SERVER.contains(&name.as_str()) => {
                SERVER.iter().map(|name| Self::System((*name).to_owned())).collect()
            }
            SetTarget::System { name, .. } => vec![Self::System(canonical(name).to_owned())],
            SetTarget::Names => Self::charsets(),
        }
    }

    fn system(&self) -> Option<&str> {
        match self {
            Self::System(name) => Some(name),
            Self::User(_) => None,
        }
    }

    fn charsets() -> Vec<Self> {
        NAMES.iter().map(|name| Self::System((*name).to_owned())).collect()
    }
}

/// MariaDB before 11.1 knows two variables by their old names alone.
fn own_name(lease: &Lease, name: &str) -> String {
    if !lease.is_mariadb() {
        return name.to_owned();
    }
    match name {
        "transaction_isolation" => "tx_isolation".to_owned(),
        "transaction_read_only" => "tx_read_only".to_owned(),
        other => other.to_owned(),
    }
}

/// MySQL's names and MariaDB's older ones are the same variables.
fn canonical(name: &str) -> &str {
    match name {
        "tx_isolation" => "transaction_isolation",
        "tx_read_only" => "transaction_read_only",
        other => other,
    }
}

fn check(assignment: &Assignment) -> Result<()> {
    if let SetTarget::System { scope: Some(Scope::Global | Scope::Persist), name } =
        &assignment.target
    {
        return Err(refuse_global(name));
    }
    match &assignment.target {
        SetTarget::System { name, .. } if !is_movable(canonical(name)) => {
            Err(Error::unsupported(format!(
                "SET {name} is not supported, since it cannot follow the session from connection to \
                 connection; set it on the servers"
            )))
        }
        SetTarget::System { .. } | SetTarget::User(_) | SetTarget::Names => Ok(()),
    }
}

/// Session variables that mean the same on each connection that the session uses.
fn is_movable(name: &str) -> bool {
    const MOVABLE: &str = "auto_increment_increment auto_increment_offset autocommit big_tables block_encryption_mode cte_max_recursion_depth \
        default_storage_engine default_week_format div_precision_increment \
        eq_range_index_dive_limit explicit_defaults_for_timestamp foreign_key_checks \
        group_concat_max_len information_schema_stats_expiry innodb_lock_wait_timeout innodb_strict_mode interactive_timeout \
        join_buffer_size lc_messages lc_time_names lock_wait_timeout long_query_time \
        max_error_count max_execution_time max_heap_table_size max_join_size \
        max_length_for_sort_data max_recursive_iterations max_seeks_for_key max_sort_length \
        max_statement_time min_examined_row_limit net_read_timeout net_retry_count \
        net_write_timeout old_mode optimizer_prune_level optimizer_search_depth optimizer_switch \
        range_optimizer_max_mem_size read_buffer_size read_rnd_buffer_size sort_buffer_size \
        sql_auto_is_null sql_big_selects sql_buffer_result sql_mode sql_notes \
        sql_quote_show_create sql_require_primary_key sql_safe_updates sql_warnings time_zone \
        timestamp tmp_table_size transaction_isolation transaction_read_only unique_checks \
        updatable_views_with_limit use_secondary_engine windowing_use_high_precision";
    NAMES.contains(&name)
        || SERVER.contains(&name)
        || OWN.contains(&name)
        || MOVABLE.split_ascii_whitespace().any(|movable| movable == name)
}

/// `SET timestamp = DEFAULT` and `= 0` let the clock run again.
fn is_clock_reset(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let value = text.split_once("timestamp").map_or("", |(_, rest)| rest);
    let value = value.trim_start_matches([' ', ':', '=', '`']);
    value.starts_with("default") || value.trim_end_matches([' ', ';']) == "0"
}

fn refuse_global(name: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "SET GLOBAL and PERSIST ({name}) are not supported through Margay; set it on the servers"
        ),
    )
}

/// The values as literals, in the order of `names`, and the collation id that columns of characters are
/// shown in.
async fn read_back(lease: &mut Lease, names: &[Kept]) -> Result<(Vec<String>, Option<u16>)> {
    let mut query = String::from("SELECT ");
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            query.push_str(", ");
        }
        match name {
            Kept::System(name) => {
                query.push_str(&format!("@@session.{}, NULL", own_name(lease, name)));
            }
            Kept::User(name) => query.push_str(&aftermath::select_items(name)),
        }
    }
    let QueryResult { columns, rows, .. } = lease.query_all(&query).await?;
    let Some(row) = rows.into_iter().next() else {
        return Err(Error::protocol("a backend answers SELECT without a row"));
    };
    let mut cells = row.into_iter().zip(&columns);
    let mut values = Vec::with_capacity(names.len());
    for name in names {
        let (Some((value, column)), Some((collation, _))) = (cells.next(), cells.next()) else {
            return Err(Error::protocol("a backend answers SELECT with too few columns"));
        };
        values.push(match (value, name) {
            (value, Kept::User(_)) => {
                aftermath::literal(value.as_deref(), collation.as_deref(), column)?
            }
            (None, Kept::System(_)) => "NULL".to_owned(),
            (Some(value), Kept::System(_)) if column.ty.is_numeric_type() => {
                system_number(&value, column.ty)
            }
            (Some(value), Kept::System(_)) => ascii(quote::text(&value)),
        });
    }
    let text = columns.iter().find(|column| column.charset != BINARY);
    Ok((values, text.map(|column| column.charset)))
}

/// A number of its own type: one in double precision has an exponent.
fn system_number(value: &[u8], ty: ColumnType) -> String {
    let mut text = String::from_utf8_lossy(value).into_owned();
    let is_double = matches!(ty, ColumnType::MYSQL_TYPE_DOUBLE | ColumnType::MYSQL_TYPE_FLOAT);
    if is_double && !text.contains('e') {
        text.push_str("e0");
    }
    text
}

fn ascii(text: Vec<u8>) -> String {
    String::from_utf8_lossy(&text).into_owned()
}
