//! One client: the life of a statement, variables, prepared statements, local answers.
//!
//! [`Session::query`] is the visible control flow: parse, authorize, then plan and run, or answer
//! here. Each kind of statement has its own file.

mod authorize;
mod call;
mod consistency;
mod created;
mod cursor;
mod definitions;
mod expand;
mod explain;
mod foreign;
mod identity;
mod information;
mod insert_id;
mod into;
mod kept;
mod like;
mod listing;
mod load;
mod local;
mod locks;
mod movable;
mod named;
mod prepared;
pub mod registry;
mod run;
mod set;
mod shared;
mod show;
pub mod signal;
mod status;
mod substitute;
mod table_locks;
mod tables;
mod temporary;
mod track;
mod transactions;
mod value;
mod variables;
mod view_shown;
mod views;

use std::sync::Arc;
use std::time::Duration;

pub use identity::Identity;
pub use prepared::PreparedInfo;
pub use shared::Shared;

use crate::backend::Written;
use crate::config::Reads;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::file::Files;
use crate::execute::pins::Pins;
use crate::execute::plans::Look;
use crate::execute::reply::Rows;
use crate::execute::run::Call;
use crate::execute::warnings::Warnings;
use crate::execute::{ClientState, Reply, Snapshot, Summary};
use crate::protocol::capability::{CapabilityFlags, StatusFlags};
use crate::protocol::column::Column;
use crate::sql::charset::Charset;
use crate::sql::scanner::{self, Scan};
use crate::sql::shape::Shape;
use crate::sql::{self, Mode, Statement, StatementKind, quote};
use crate::transaction::{Begin, Transaction};

/// A logged-in client and all that its statements leave behind for the next ones.
pub struct Session {
    shared: Arc<Shared>,
    snapshot: Arc<Snapshot>,
    /// Of the snapshot.
    version: u64,
    identity: Identity,
    schema: Option<String>,
    changes: track::Changes,
    /// Variables that the client has set, as the backends are to have them.
    state: ClientState,
    /// The state for a statement whose rows Margay itself reads, while that begins.
    reading: Option<ClientState>,
    /// How its text is to be read, by its sql_mode.
    mode: Mode,
    /// A statement runs in UTF-8 that the client has sent in another character set.
    foreign: Option<foreign::Foreign>,
    transaction: Transaction,
    pins: Pins,
    /// That of its named locks.
    lock_pins: Pins,
    /// The statement that runs needs what is on the connections that the session is pinned to.
    uses_pins: bool,
    /// It reads that, and does not only write it.
    reads_pins: bool,
    /// Tables are locked, and it names some, or calls what may.
    under_locks: bool,
    /// What `SET TRANSACTION` asked for the next transaction.
    next: Begin,
    /// As far as it is for the statement that runs, alone.
    alone: Begin,
    prepared: prepared::Statements,
    warnings: Warnings,
    /// The warnings of the statement before, which the one that runs may ask for.
    shown_warnings: Warnings,
    last_insert_id: u64,
    /// The variable sql_select_limit: the most rows of a SELECT without LIMIT.
    select_limit: Option<u64>,
    /// The variable wait_timeout in seconds, if the client has set it.
    wait_timeout: Option<u64>,
    row_count: i64,
    found_rows: u64,
    /// What replicas must have for its reads.
    written: Arc<Written>,
    /// `SET margay_read_consistency`
    consistency: Option<Reads>,
    entry: registry::Entry,
    /// COMMIT or ROLLBACK RELEASE: the connection closes after the reply.
    leaving: bool,
    /// A text may hold several statements.
    takes_many: bool,
    /// Results of further statements follow.
    more_follows: bool,
    /// Where its statements ask for files.
    files: Arc<Files>,
}

impl Session {
    /// A session for a client that has just logged in, with `schema`, which it may use, or else the
    /// default schema of its user.
    pub fn new(shared: Arc<Shared>, identity: Identity, schema: Option<String>) -> Self {
        let version = shared.version();
        let snapshot = shared.snapshot();
        let user = snapshot.config.users.get(&identity.user);
        let schema = schema.or_else(|| user?.default_schema.clone());
        let schema = schema.map(|name| system_schema(&name).map_or(name, str::to_owned));
        let entry = shared.registry.enter(&identity, schema.as_deref());
        let takes_many = identity.capabilities.contains(CapabilityFlags::CLIENT_MULTI_STATEMENTS);
        let state = Self::initial_state(&identity, &snapshot);
        Self {
            shared,
            mode: set::mode_of(&state),
            state,
            snapshot,
            version,
            reading: None,
            identity,
            schema,
            changes: track::Changes::default(),
            foreign: None,
            transaction: Transaction::default(),
            pins: Pins::default(),
            lock_pins: Pins::default(),
            uses_pins: false,
            reads_pins: false,
            under_locks: false,
            next: Begin::default(),
            alone: Begin::default(),
            prepared: prepared::Statements::default(),
            warnings: Warnings::default(),
            shown_warnings: Warnings::default(),
            last_insert_id: 0,
            select_limit: None,
            wait_timeout: None,
            row_count: 0,
            found_rows: 0,
            written: Arc::default(),
            consistency: None,
            entry,
            leaving: false,
            takes_many,
            more_follows: false,
            files: Arc::default(),
        }
    }

    /// The connection is to be closed after the reply.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Runs a text statement.
    ///
    /// # Errors
    /// Whatever the client is to be told; the session goes on.
    pub async fn query(&mut self, text: &[u8]) -> Result<Reply> {
        self.refresh();
        self.entry.running(text);
        self.shared.registry.count_statement();
        let result = match scanner::scan(text, &self.mode) {
            Ok(scan) => self.scanned(text, scan).await,
            Err(error) => {
                self.warnings = Warnings::default();
                Err(error)
            }
        };
        let result = match result {
            Err(error) if sql::is_of_a_name(&error) && self.mode.charset != Charset::Utf8 => {
                Box::pin(self.query_in_utf8(text, error)).await
            }
            result => result,
        };
        self.note(result)
    }

    /// The first of several statements that the client may send in one text, and the rest. None: there
    /// is one.
    pub fn split<'t>(&self, text: &'t [u8]) -> Option<(&'t [u8], &'t [u8])> {
        let end = self.takes_many.then(|| sql::script::first_end(text, &self.mode))??;
        let (first, rest) = text.split_at_checked(end)?;
        Some((first, rest.trim_ascii_start()))
    }

    /// COM_SET_OPTION: whether a text may hold several statements.
    pub fn allow_many(&mut self, allowed: bool) {
        self.takes_many = allowed;
    }

    /// Whether status flags say that results of further statements follow.
    pub fn announce_more(&mut self, more: bool) {
        self.more_follows = more;
    }

    /// Goes on to the next result of a procedure: its columns are in `rows` then. A summary: there are no
    /// more.
    ///
    /// # Errors
    /// The server's own, by which the procedure ends.
    pub async fn next_result(&mut self, rows: &mut Rows) -> Result<Option<Summary>> {
        let snapshot = self.snapshot.clone();
        let Some(mut summary) = snapshot.next_result(rows, &self.state).await? else {
            return Ok(None);
        };
        summary.warnings = self.release(rows, None);
        self.row_count = i64::try_from(summary.affected_rows).unwrap_or(i64::MAX);
        self.entry.idle();
        Ok(Some(summary))
    }

    /// Runs a text statement: by the plan of its shape, or all the way.
    async fn scanned(&mut self, text: &[u8], scan: Scan) -> Result<Reply> {
        let Some(shape) = self.shape(text, &scan) else {
            return Box::pin(self.parsed(text, scan, None)).await;
        };
        let look = self.look(text, &shape);
        if let Look::Kept(kept) = &look
            && let Some(reply) = self.run_kept(text, &shape.slots, kept, Call::Text).await?
        {
            return Ok(reply);
        }
        let shape = matches!(look, Look::Seen).then_some(shape);
        Box::pin(self.parsed(text, scan, shape)).await
    }

    /// Runs a text statement; keeps its plan for `shape`.
    async fn parsed(&mut self, text: &[u8], scan: Scan, shape: Option<Shape>) -> Result<Reply> {
        let statement = match sql::parse_scanned(text, scan, &self.mode) {
            Ok(statement) => statement,
            Err(error) => {
                self.warnings = Warnings::default();
                return Err(error);
            }
        };
        let reply = self.statement(text, &statement, Call::Text).await?;
        if let Some(shape) = shape {
            self.keep(text, &statement, &shape);
        }
        Ok(reply)
    }

    /// Takes over new rules, but not inside a transaction or while it is pinned: its connections go by
    /// the old ones.
    fn refresh(&mut self) {
        let version = self.shared.version();
        let is_held =
            self.transaction.is_active() || !self.pins.is_empty() || !self.lock_pins.is_empty();
        if version != self.version && !is_held {
            self.snapshot = self.shared.snapshot();
            self.version = version;
        }
    }

    /// What a statement leaves behind: counts and warnings for the functions that tell of them.
    fn note(&mut self, result: Result<Reply>) -> Result<Reply> {
        let result = result.map_err(|error| self.tell_lost(error));
        match &result {
            Ok(Reply::Done(summary)) => {
                self.take_over(&summary.learned);
                self.row_count = i64::try_from(summary.affected_rows).unwrap_or(i64::MAX);
                self.entry.idle();
            }
            Ok(Reply::Rows(_)) => {}
            Err(error) => self.failed(error),
        }
        result
    }

    fn failed(&mut self, error: &Error) {
        self.row_count = -1;
        self.warnings.add_error(error);
        self.entry.idle();
        tracing::debug!(connection = self.identity.connection_id, %error, "statement failed");
    }

    /// Ends a result set whose rows were pulled: `rows_sent`, and the error that ended it if one did.
    /// Gives the number of warnings for its last packet.
    pub fn finish(&mut self, rows: &mut Rows, rows_sent: u64, error: Option<&Error>) -> u16 {
        let count = self.release(rows, error);
        match error {
            Some(error) => self.failed(error),
            None => {
                self.row_count = -1;
                self.found_rows = rows.learned.found_rows.unwrap_or(rows_sent);
                self.entry.idle();
            }
        }
        count
    }

    /// Takes over what a result set leaves: its connection, its warnings, whose number it gives, and
    /// the user variables that the statement assigned.
    fn release(&mut self, rows: &mut Rows, error: Option<&Error>) -> u16 {
        let (lents, warnings) = rows.end();
        let count = warnings.wire_count();
        self.warnings.add(warnings);
        for lent in lents {
            match error {
                None => self.transaction.give_back(lent),
                Some(error) => self.transaction.give_back_refused(lent, error),
            }
        }
        let learned = std::mem::take(&mut rows.learned);
        self.take_over(&learned);
        rows.learned.found_rows = learned.found_rows;
        count
    }

    async fn statement(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<Reply> {
        if !is_diagnostic(&statement.kind) {
            self.shown_warnings = std::mem::take(&mut self.warnings);
        }
        self.reading = None;
        self.settle_cursors(statement).await;
        self.authorize(statement)?;
        movable::check(statement)?;
        self.check_pins()?;
        self.look_for_pins(statement);
        if let Some(reply) = self.named_locks(text, statement, call).await? {
            return Ok(reply);
        }
        self.dispatch(text, statement, call).await
    }

    /// Runs a statement that the client may run.
    async fn dispatch(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<Reply> {
        if let Some(query) = into::query_into(&statement.kind) {
            return self.select_into(text, statement, query, call).await;
        }
        match &statement.kind {
            StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_) => self.run(text, statement, call).await,
            StatementKind::Load(load) => self.load_data(text, statement, load).await,
            StatementKind::Ddl(ddl)
                if self.is_temporary(ddl) && statement.hints.shard.is_none() =>
            {
                self.temporary_ddl(text, statement, ddl).await
            }
            StatementKind::Ddl(ddl) => {
                self.commit().await?;
                if statement.hints.shard.is_none() {
                    if let Some(reply) = self.database_ddl(ddl)? {
                        return Ok(reply);
                    }
                    if ddl.program
                        && let Some(reply) = self.program_ddl(text).await?
                    {
                        return Ok(reply);
                    }
                }
                match self.view_ddl(text, statement).await? {
                    Some(reply) => Ok(reply),
                    None => self.run(text, statement, call).await,
                }
            }
            StatementKind::Transaction(control) => self.transaction_control(control, text).await,
            StatementKind::Set(assignments) => self.set(text, statement, assignments).await,
            StatementKind::SetNames { .. } => self.set_names(text).await,
            StatementKind::SetTransaction { scope, isolation, read_only } => {
                self.set_transaction(text, *scope, isolation.as_deref(), *read_only).await
            }
            StatementKind::Use(name) => {
                self.use_schema(&name.value)?;
                Ok(Reply::Done(Summary::default()))
            }
            StatementKind::Show(show) => self.show(text, statement, show).await,
            StatementKind::Describe { table } => self.describe(text, table).await,
            StatementKind::Explain(explain) => self.explain(text, explain, &statement.hints).await,
            StatementKind::Kill { query, id } => self.kill(*query, *id),
            StatementKind::Prepare { name, from } => {
                self.prepare_named(text, &name.value, from).await
            }
            StatementKind::Execute(execute) => self.execute_named(text, execute).await,
            StatementKind::Deallocate(name) => self.deallocate_named(&name.value),
            StatementKind::LockTables(locks) => self.lock_tables(locks).await,
            StatementKind::Handler(handler) => self.handler(text, handler).await,
            StatementKind::Call(_) => self.call(text, statement, call).await,
            StatementKind::Do { at, .. } => self.do_values(text, *at, call).await,
            StatementKind::Other(words) => self.other(text, statement, words).await,
            StatementKind::Empty if text.trim_ascii().is_empty() => {
                Err(Error::new(ErrorKind::EmptyQuery, "Query was empty"))
            }
            // A comment alone is no mistake.
            StatementKind::Empty => Ok(Reply::Done(Summary::default())),
        }
    }

    /// Statements that Margay has no plan for run on a shard that the client names, or not at all.
    async fn other(&mut self, text: &[u8], statement: &Statement, words: &str) -> Result<Reply> {
        match &statement.hints.shard {
            None if words == "UNLOCK TABLES" => {
                self.unlock_tables().await?;
                Ok(Reply::Done(Summary::default()))
            }
            Some(shard) => {
                self.authorize_unknown(words)?;
                refuse_locks(text, words)?;
                self.run_on_shard(text, &shard.clone()).await
            }
            None if matches!(words, "LOAD DATA" | "LOAD XML") => Err(Error::unsupported(format!(
                "{words} of a file on a server, or of XML, is not supported; send the file as text from the \
                 client by LOAD DATA LOCAL INFILE"
            ))),
            None => Err(Error::unsupported(format!(
                "{words} is not supported; to run it on one shard put /*margay: shard=NAME */ in front"
            ))),
        }
    }

    /// Makes `name` the current schema.
    ///
    /// # Errors
    /// 1049 if there is none of this name, 1044 if the user may not use it.
    pub fn use_schema(&mut self, name: &str) -> Result<()> {
        if let Some(name) = system_schema(name) {
            self.enter_schema(name);
            return Ok(());
        }
        if self.snapshot.catalog.schema(name).is_none() {
            return Err(Error::new(
                ErrorKind::UnknownDatabase,
                format!("Unknown database '{name}'"),
            ));
        }
        if !self.may_use(name) {
            return Err(Error::new(
                ErrorKind::DatabaseAccessDenied,
                format!(
                    "Access denied for user {} to database '{name}'",
                    self.identity.quoted_account()
                ),
            ));
        }
        self.enter_schema(name);
        Ok(())
    }

    fn enter_schema(&mut self, name: &str) {
        self.schema = Some(name.to_owned());
        self.changes.schema = true;
        self.entry.in_schema(name);
    }

    /// Forgets everything but who the client is: COM_RESET_CONNECTION.
    pub async fn reset(&mut self) {
        if let Err(error) = self.rollback().await {
            tracing::debug!(%error, "rollback on reset failed; the server does it by itself");
        }
        self.pins = Pins::default();
        self.lock_pins = Pins::default();
        self.state = Self::initial_state(&self.identity, &self.snapshot);
        self.mode = set::mode_of(&self.state);
        self.next = Begin::default();
        self.prepared = prepared::Statements::default();
        self.warnings = Warnings::default();
        self.shown_warnings = Warnings::default();
        self.last_insert_id = 0;
        self.select_limit = None;
        self.wait_timeout = None;
        self.row_count = 0;
        self.found_rows = 0;
        self.consistency = None;
    }

    /// Status flags for the last packet of a reply.
    pub fn status(&self) -> StatusFlags {
        let mut status = StatusFlags::empty();
        if self.state.autocommits() {
            status |= StatusFlags::SERVER_STATUS_AUTOCOMMIT;
        }
        if self.transaction.is_active() && !self.transaction.is_only_implied() {
            status |= StatusFlags::SERVER_STATUS_IN_TRANS;
            if self.transaction.is_read_only() {
                status |= StatusFlags::SERVER_STATUS_IN_TRANS_READONLY;
            }
        }
        if self.mode.no_backslash_escapes {
            status |= StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES;
        }
        if self.more_follows {
            status |= StatusFlags::SERVER_MORE_RESULTS_EXISTS;
        }
        status
    }

    pub fn in_transaction(&self) -> bool {
        self.transaction.is_active()
    }

    /// How long the client itself says that it may be idle.
    pub fn wait_timeout(&self) -> Option<Duration> {
        self.wait_timeout.map(Duration::from_secs)
    }

    pub fn capabilities(&self) -> CapabilityFlags {
        self.identity.capabilities
    }

    /// Where its statements ask for files of the client.
    pub fn files(&self) -> Arc<Files> {
        self.files.clone()
    }

    pub fn kill_signal(&self) -> registry::KillSignal {
        self.entry.kill_signal()
    }

    pub fn forget_kill(&self) {
        self.entry.forget_kill();
    }

    /// A statement was dropped while it ran: its connections are closed, a transaction on one of them
    /// is gone.
    pub fn interrupted(&mut self) {
        self.leave_utf8();
        self.transaction.lost();
        self.failed(&Error::new(ErrorKind::Killed, "Query execution was interrupted"));
    }

    /// How long a client may take no rows.
    pub fn write_timeout(&self) -> Duration {
        self.snapshot.config.settings.limits.write_timeout
    }

    /// Bytes that a packet of the client may have.
    pub fn packet_max(&self) -> usize {
        let limit = self.snapshot.config.settings.limits.max_allowed_packet.0;
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// The client's address with its port.
    pub fn peer(&self) -> &str {
        &self.identity.peer
    }

    /// Columns of a table for COM_FIELD_LIST.
    ///
    /// # Errors
    /// What selecting from the table would say.
    pub async fn field_list(&mut self, table: &[u8], wildcard: &[u8]) -> Result<Vec<Column>> {
        let text = [b"SELECT * FROM ".as_slice(), &quote::identifier(table), b" LIMIT 0"].concat();
        let Reply::Rows(mut rows) = self.query(&text).await? else { return Ok(Vec::new()) };
        let mut columns = std::mem::take(&mut rows.columns).into_vec();
        let outcome = rows.next().await;
        self.finish(&mut rows, 0, outcome.as_ref().err());
        outcome?;
        if !wildcard.is_empty() {
            columns.retain(|column| like::matches(&column.name, wildcard));
        }
        Ok(columns)
    }
}

/// The schema that every user may use, as in MySQL. What of it can be read, the planner decides.
fn system_schema(name: &str) -> Option<&'static str> {
    let system = "information_schema";
    name.eq_ignore_ascii_case(system).then_some(system)
}

/// Locks that would end with the statement, since its connection is not used again.
fn refuse_locks(text: &[u8], words: &str) -> Result<()> {
    let text = text.to_ascii_uppercase();
    let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    match words.split(' ').next() {
        Some("FLUSH") if !has(b"LOCK") && !has(b"EXPORT") => Ok(()),
        Some("LOCK" | "UNLOCK" | "FLUSH") => Err(Error::unsupported(format!(
            "{words} is not supported; run it on the server itself"
        ))),
        _ => Ok(()),
    }
}

/// Statements that read the warnings of the one before.
fn is_diagnostic(kind: &StatementKind) -> bool {
    use crate::sql::statement::ShowKind;
    matches!(
        kind,
        StatementKind::Show(show)
            if matches!(show.kind, ShowKind::Warnings { .. } | ShowKind::Errors { .. })
    )
}
