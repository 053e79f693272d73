//! A raw connection to a server: commands out, replies in, in order; and what is set on it.
//!
//! Commands are queued and go out in one write. Several may be under way at once if the replies of all
//! but the last are small; replies are read in order by the methods of [`reply`](super::reply).

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::thread::ThreadId;

use bytes::{BufMut, Bytes};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};

use crate::backend::channel::{Channel, Deadline};
use crate::backend::login::{self, ConnectError, Opened, Target};
use crate::backend::reply::{Phase, QueryResult};
use crate::backend::settings::Settings;
use crate::backend::state::{SessionState, StateCommand};
use crate::backend::statements::{Prepared, Statements};
use crate::backend::written::{Reporter, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::capability::{CapabilityFlags, StatusFlags};
use crate::protocol::charset::Collation;
use crate::protocol::command::{
    COM_INIT_DB, COM_QUERY, COM_QUIT, COM_RESET_CONNECTION, COM_STMT_CLOSE, COM_STMT_PREPARE,
    COM_STMT_SEND_LONG_DATA,
};
use crate::protocol::packet::put_packet_with;
use crate::protocol::reply::{ERR, OkPacket};
use crate::protocol::stmt::PrepareOk;

/// Parts of sql_mode that change how text is read.
const CHANGES_READING: [&str; 5] = [
    "ANSI_QUOTES",
    "HIGH_NOT_PRECEDENCE",
    "IGNORE_SPACE",
    "NO_BACKSLASH_ESCAPES",
    "PIPES_AS_CONCAT",
];

/// One connection. Dropping it closes it; a pool keeps it if it [is clean](Connection::is_clean).
pub struct Connection {
    pub(super) channel: Channel,
    /// The replies to come, in order.
    pub(super) expected: VecDeque<Expected>,
    pub(super) phase: Phase,
    /// What ended the last reply.
    pub(super) end: OkPacket,
    pub(super) status: StatusFlags,
    pub(super) capabilities: CapabilityFlags,
    /// Something is on it that no other session may meet.
    pub(super) tainted: bool,
    /// Temporary tables that were made on it, as the server reads their names; cleaning drops them.
    pub(super) temporaries: Vec<String>,
    /// What it does goes into no binary log, until it is cleaned.
    pub(super) unlogged: bool,
    /// A session has something on it that a reset would take away.
    pub(super) pinned: bool,
    thread_id: u32,
    version: String,
    is_mariadb: bool,
    pub(super) collation: &'static str,
    max_allowed_packet: usize,
    state: Arc<SessionState>,
    /// [`SessionState::meaning`] of `state`, when asked for.
    meaning: Option<String>,
    pub(super) statements: Statements,
    cluster: Arc<str>,
    /// The server tells the GTIDs of commits.
    tells_gtids: bool,
    /// Who hears of them.
    reporter: Option<Reporter>,
    opened: Instant,
    /// When it came back to its pool; `None` before its first use is over.
    returned: Option<Instant>,
}

/// A reply to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    /// The sequence number of its first packet.
    pub(super) seq: u8,
    pub(super) to: ReplyTo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyTo {
    /// A command of our user, who reads the reply.
    User,
    /// A step to another session state: an OK is skipped, an error breaks the connection.
    State,
    /// A [step of loading](Connection::queue_step): an OK is skipped, an error is that of what follows.
    /// `exact`: so is a warning.
    Step { exact: bool },
}

impl Connection {
    /// Opens a connection within `backend.connect_timeout`.
    pub(super) async fn connect(
        target: &Target,
        settings: &Settings,
        found_rows: bool,
    ) -> Result<Self, ConnectError> {
        let limit = settings.connect_timeout;
        let opened = timeout(limit, login::open(target, found_rows)).await.map_err(|_| {
            let node = &target.node;
            let message =
                format!("cannot connect to {node} in backend.connect_timeout = {limit:?}");
            ConnectError::Unreachable(Error::new(ErrorKind::NoBackend, message))
        })?;
        let opened = opened.map_err(|error| match error {
            ConnectError::Unreachable(error) if *error.kind() != ErrorKind::NoBackend => {
                let message = format!("cannot connect to {}", target.node);
                ConnectError::Unreachable(
                    Error::new(ErrorKind::NoBackend, message).with_source(error),
                )
            }
            error => error,
        })?;
        let mut connection = Self::new(opened, settings, &target.cluster);
        timeout(limit, connection.set_up(target.tracks))
            .await
            .map_err(|_| {
                let message = format!(
                    "{} does not answer in backend.connect_timeout = {limit:?}",
                    connection.node_name()
                );
                ConnectError::Unreachable(Error::new(ErrorKind::NoBackend, message))
            })?
            .map_err(ConnectError::Refused)?;
        Ok(connection)
    }

    /// Checks the server's defaults; with `tracks`, has it tell the GTIDs of commits.
    async fn set_up(&mut self, tracks: bool) -> Result<()> {
        let gtid_mode = if self.is_mariadb { "'ON'" } else { "@@global.gtid_mode" };
        let question = format!(
            "SELECT @@sql_mode AS mode, @@autocommit AS autocommit, @@global.log_bin AS log_bin, \
             {gtid_mode} AS gtid_mode"
        );
        let result = self.query_all(&question).await?;
        self.check_defaults(&result)?;
        let has_gtids =
            result.first("log_bin") == Some("1") && result.first("gtid_mode") == Some("ON");
        if tracks && has_gtids {
            match self.query_all(self.tracking()).await {
                Ok(_) => self.tells_gtids = true,
                Err(error) if matches!(error.kind(), ErrorKind::Server(_)) => {
                    let node = self.node_name();
                    tracing::warn!(%node, %error, "the server will not tell the GTIDs of commits");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Has replies tell the GTIDs of commits.
    fn tracking(&self) -> &'static str {
        match self.is_mariadb {
            true => "SET session_track_system_variables = 'last_gtid'",
            false => "SET session_track_gtids = OWN_GTID",
        }
    }

    /// Text is read by Margay before a server reads it, and must mean the same to both.
    fn check_defaults(&self, result: &QueryResult) -> Result<()> {
        let mode = result.first("mode").unwrap_or_default();
        let other = mode.split(',').find(|name| CHANGES_READING.contains(name));
        let problem = match (other, result.first("autocommit")) {
            (Some(name), _) => format!("its global sql_mode has {name}"),
            (None, Some("0")) => "its global autocommit is off".to_owned(),
            (None, _) => return Ok(()),
        };
        let message = format!(
            "{}: {problem}, which changes what statements mean; unset it on the server and let the \
             sessions that need it set it",
            self.node_name()
        );
        Err(Error::new(ErrorKind::NoBackend, message))
    }

    fn new(opened: Opened, settings: &Settings, cluster: &Arc<str>) -> Self {
        let Opened { channel, greeting, capabilities, status } = opened;
        let collation = Collation::by_id(login::collation(&greeting));
        Self {
            channel,
            expected: VecDeque::new(),
            phase: Phase::Idle,
            end: OkPacket::default(),
            status,
            capabilities,
            tainted: false,
            temporaries: Vec::new(),
            unlogged: false,
            pinned: false,
            thread_id: greeting.connection_id,
            version: greeting.version().to_owned(),
            is_mariadb: greeting.is_mariadb(),
            collation: collation.map_or("utf8mb4_general_ci", |collation| collation.name),
            max_allowed_packet: settings.max_allowed_packet,
            state: Arc::default(),
            meaning: None,
            statements: Statements::new(settings.prepared_statements),
            cluster: Arc::clone(cluster),
            tells_gtids: false,
            reporter: None,
            opened: Instant::now(),
            returned: None,
        }
    }

    /// The server's number of this connection, for `KILL`.
    pub fn thread_id(&self) -> u32 {
        self.thread_id
    }

    /// As in `SELECT VERSION()`.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn is_mariadb(&self) -> bool {
        self.is_mariadb
    }

    /// The server's name in errors, like `c0 (127.0.0.1:3311)`.
    pub fn node_name(&self) -> &Arc<str> {
        self.channel.node()
    }

    /// What both sides speak: how packets of this connection are parsed.
    pub fn capabilities(&self) -> CapabilityFlags {
        self.capabilities
    }

    /// The status flags of the last reply.
    pub fn status(&self) -> StatusFlags {
        self.status
    }

    pub fn in_transaction(&self) -> bool {
        self.status.contains(StatusFlags::SERVER_STATUS_IN_TRANS)
    }

    /// Bounds every later wait for the server, until it is set again. After it has passed in the middle
    /// of a reply, the connection is broken, but the server works on: see
    /// [`Node::kill_query`](super::node::Node::kill_query).
    pub fn set_deadline(&mut self, deadline: Option<Deadline>) {
        self.channel.set_deadline(deadline);
    }

    /// Another session may use it: all replies are read, no transaction is open.
    pub fn is_clean(&self) -> bool {
        self.temporaries.is_empty() && !self.unlogged && self.is_clean_but_for_temporaries()
    }

    /// Another session may use it after it was [cleaned](Connection::clean).
    pub(super) fn is_clean_but_for_temporaries(&self) -> bool {
        !self.channel.is_broken()
            && !self.tainted
            && self.expected.is_empty()
            && self.phase == Phase::Idle
            && !self.in_transaction()
    }

    /// A reset forgets that replies tell GTIDs.
    pub(super) fn queue_tracking(&mut self) -> Result<()> {
        match self.tells_gtids {
            true => self.queue(&[&[COM_QUERY], self.tracking().as_bytes()], ReplyTo::State),
            false => Ok(()),
        }
    }

    // --- What is committed on it ---

    /// Has a session hear of what is committed on it from now on. `writes`: the next statement may
    /// write.
    pub fn report_to(&mut self, written: &Arc<Written>, writes: bool) {
        if !writes && !self.tells_gtids && self.reporter.is_none() {
            // There will be nothing to hear.
            return;
        }
        let reporter = self.reporter.get_or_insert_with(|| Reporter::new(written, &self.cluster));
        if writes {
            reporter.writes();
        }
    }

    /// What ended a reply may tell of a commit.
    pub(super) fn report(&mut self, end: &OkPacket) {
        if let Some(reporter) = &mut self.reporter
            && !end.session_state.is_empty()
        {
            reporter.read(end);
        }
    }

    /// The session has no more to do with it.
    pub(super) fn end_report(&mut self) {
        let is_settled = self.is_clean_but_for_temporaries();
        if let Some(reporter) = self.reporter.take()
            && is_settled
        {
            reporter.settle(self.tells_gtids);
        }
    }

    /// All replies are read.
    pub fn is_between_replies(&self) -> bool {
        self.expected.is_empty() && self.phase == Phase::Idle
    }

    /// A session leaves something on it: its pool takes it back only after a reset.
    pub(super) fn pin(&mut self) {
        self.pinned = true;
        self.note_temporary("");
    }

    /// Whether what comes on it wakes no other thread than this.
    pub(super) fn is_at_home(&self, thread: ThreadId) -> bool {
        self.channel.is_at_home(thread)
    }

    /// What comes on it wakes this thread from now on. False: it broke.
    pub(super) fn move_home(&mut self) -> bool {
        self.channel.move_home()
    }

    /// Nothing has come from the server that was not asked for, such as the end of the connection.
    pub(super) fn is_quiet(&self) -> bool {
        self.channel.is_quiet()
    }

    /// The session that is pinned to it may go on with it.
    pub(super) fn can_be_kept(&self) -> bool {
        !self.channel.is_broken() && self.is_between_replies() && !self.in_transaction()
    }

    /// Keeps it from other sessions for good, say because of a temporary table or a lock.
    pub fn taint(&mut self) {
        self.tainted = true;
    }

    /// What was on it is known again.
    pub fn untaint(&mut self) {
        self.tainted = false;
    }

    /// Nothing works any more: the server is gone, or a reply was given up in the middle.
    pub fn is_broken(&self) -> bool {
        self.channel.is_broken()
    }

    /// It has served another session before: the server may have closed it in the meantime.
    pub fn was_reused(&self) -> bool {
        self.returned.is_some()
    }

    // --- Commands ---

    /// Queues a command whose payload is `parts` one after another; the first begins with the command's
    /// byte. Nothing is sent before [`Connection::flush`].
    pub fn queue_command(&mut self, parts: &[&[u8]]) -> Result<()> {
        self.queue(parts, ReplyTo::User)
    }

    /// Queues COM_QUERY.
    pub fn queue_query(&mut self, sql: &[u8]) -> Result<()> {
        self.queue_command(&[&[COM_QUERY], sql])
    }

    /// Sends all queued commands in one write.
    pub async fn flush(&mut self) -> Result<()> {
        self.channel.flush().await
    }

    pub(super) fn queue(&mut self, parts: &[&[u8]], to: ReplyTo) -> Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let limit = self.max_allowed_packet;
        if self.channel.outbound.len() + length > limit {
            let message = format!(
                "a command of {length} bytes for {} does not fit limits.max_allowed_packet = {limit}",
                self.node_name()
            );
            return Err(Error::new(ErrorKind::PacketTooLarge, message));
        }
        let mut seq = 0;
        put_packet_with(&mut self.channel.outbound, &mut seq, |out| {
            parts.iter().for_each(|part| out.put_slice(part));
        });
        let command = parts.iter().find_map(|part| part.first());
        match command {
            Some(&(COM_QUIT | COM_STMT_CLOSE | COM_STMT_SEND_LONG_DATA)) => {}
            Some(_) | None => self.expected.push_back(Expected { seq, to }),
        }
        Ok(())
    }

    // --- Session state ---

    /// What is set on it now.
    pub fn state(&self) -> &Arc<SessionState> {
        &self.state
    }

    /// Tells what a user's own statement (`SET`, `USE`) has set.
    pub fn assume_state(&mut self, state: Arc<SessionState>) {
        self.state = state;
        self.meaning = None;
    }

    /// Queues the commands that bring it to `wanted`, to go out with the statement behind them. If one
    /// fails, so does the read of the statement's reply, and the connection breaks; but the server has
    /// then run the statement in a wrong state. So this is for statements that change nothing; for
    /// others take [`Connection::ensure_state`].
    pub fn queue_state(&mut self, wanted: &Arc<SessionState>) -> Result<()> {
        if Arc::ptr_eq(&self.state, wanted) {
            return Ok(());
        }
        if self.state == *wanted {
            // The next comparison is one of addresses.
            self.state = Arc::clone(wanted);
            return Ok(());
        }
        for command in self.state.difference(wanted, self.collation) {
            match &command {
                // It would roll back without a word.
                StateCommand::Reset if self.in_transaction() => {
                    return Err(Error::unsupported(
                        "unsetting a session variable inside a transaction is not supported; end the \
                         transaction first",
                    ));
                }
                StateCommand::Reset if self.pinned => {
                    return Err(Error::unsupported(
                        "unsetting a session variable is not supported while the session is pinned to \
                         a connection, which SHOW MARGAY PINS tells the reasons for",
                    ));
                }
                StateCommand::Reset => {
                    self.queue(&[&[COM_RESET_CONNECTION]], ReplyTo::State)?;
                    self.queue_tracking()?;
                    self.statements.clear();
                }
                StateCommand::Schema(name) => {
                    self.queue(&[&[COM_INIT_DB], name.as_bytes()], ReplyTo::State)?;
                }
                StateCommand::Set(sql) => {
                    self.queue(&[&[COM_QUERY], sql.as_bytes()], ReplyTo::State)?;
                }
            }
        }
        self.assume_state(Arc::clone(wanted));
        Ok(())
    }

    /// Brings it to `wanted` and waits until the server has said yes to each step. Sends nothing if
    /// nothing differs.
    pub async fn ensure_state(&mut self, wanted: &Arc<SessionState>) -> Result<()> {
        self.queue_state(wanted)?;
        if self.expected.front().is_some_and(|expected| expected.to != ReplyTo::User) {
            self.flush().await?;
            self.read_steps(0).await?;
        }
        Ok(())
    }

    // --- Prepared statements ---

    /// The server's statement for this text in the current state: a kept one, or a new one after a round
    /// trip. All replies before it must have been read, but for those of a state and of loading that were
    /// queued: if they went out here, they are read here. The next call may close it to make room, so ask
    /// before each execution. The definitions are those of the time when it was prepared; each execution
    /// tells its columns itself.
    pub async fn prepare(&mut self, sql: &[u8]) -> Result<Prepared> {
        let meaning = self.meaning_of(sql);
        if let Some(prepared) = self.statements.get(&meaning, sql) {
            return Ok(prepared);
        }
        self.queue_command(&[&[COM_STMT_PREPARE], sql])?;
        self.flush().await?;
        self.begin_reply().await?;
        let payload = self.channel.read().await?;
        if payload.first() == Some(&ERR) {
            return Err(self.server_error(&payload));
        }
        let head = PrepareOk::parse(&payload).map_err(|error| self.malformed(error))?;
        let parameters = self.read_definitions(head.params).await?;
        let columns = self.read_definitions(head.columns).await?;
        self.phase = Phase::Idle;
        let prepared =
            Prepared { id: head.statement, parameters, columns, warnings: head.warnings };
        let text = Bytes::copy_from_slice(sql);
        if let Some(id) = self.statements.insert(&meaning, text, prepared.clone()) {
            // It has no reply and goes out with the next command.
            self.queue_command(&[&[COM_STMT_CLOSE], &id.to_le_bytes()])?;
        }
        Ok(prepared)
    }

    /// As [`Connection::prepare`], the server's number of the statement alone.
    pub async fn prepare_id(&mut self, sql: &[u8]) -> Result<u32> {
        if !sql.contains(&b'@') {
            let meaning = self.meaning.get_or_insert_with(|| self.state.meaning());
            if let Some(id) = self.statements.id(meaning, sql) {
                return Ok(id);
            }
        }
        Ok(self.prepare(sql).await?.id)
    }

    /// What the text means in the present state: a prepared statement keeps the types that its user
    /// variables had.
    fn meaning_of(&mut self, sql: &[u8]) -> String {
        let meaning = self.meaning.get_or_insert_with(|| self.state.meaning());
        if sql.contains(&b'@') { meaning.clone() + &self.state.kinds() } else { meaning.clone() }
    }

    // --- Pooling ---

    /// Why the pool shall not hand it out again, if so.
    pub(super) fn stale(&self, settings: &Settings) -> Option<&'static str> {
        let now = Instant::now();
        if now - self.returned.unwrap_or(self.opened) > settings.idle_timeout {
            return Some("idle for longer than backend.idle_timeout");
        }
        if now - self.opened > settings.lifetime {
            return Some("older than backend.lifetime");
        }
        (!self.channel.is_quiet()).then_some("closed by the server")
    }

    pub(super) fn returned_now(&mut self) {
        self.returned = Some(Instant::now());
        self.channel.set_deadline(None);
        self.channel.rest();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Without a goodbye, servers log an aborted connection. What does not fit the socket at once is
        // not worth waiting for.
        let is_idle = self.phase == Phase::Idle && self.expected.is_empty();
        if is_idle && !self.is_broken() && self.queue(&[&[COM_QUIT]], ReplyTo::User).is_ok() {
            let _ = self.channel.flush().now_or_never();
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("node", self.node_name())
            .field("thread_id", &self.thread_id)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
