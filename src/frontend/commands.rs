//! The command loop of one client: reads a command, lets the session run it, writes the reply.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::file;
use super::handshake::{self, HandshakeContext, Login};
use super::idle::IdleTimer;
use super::reply::ReplyWriter;
use super::stream::ClientStream;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::Reply;
use crate::execute::file::{Files, Request};
use crate::protocol::command::{Command, Execute};
use crate::session::registry::{Kill, KillSignal};
use crate::session::signal;
use crate::session::{Identity, Session, Shared};

/// When a client counts as resting, so that its buffers are given back.
const RESTS_AFTER: Duration = Duration::from_secs(1);

/// A client after its login.
pub struct Client {
    stream: ClientStream,
    session: Session,
    /// That of `session`.
    kill: KillSignal,
    /// Those of `session`.
    files: Arc<Files>,
    idle: IdleTimer,
    login: Login,
    shared: Arc<Shared>,
    context: Arc<HandshakeContext>,
}

/// What ends the wait for a statement.
enum Asked {
    Kill(Kill),
    File(Request),
}

enum Next {
    Go,
    /// An error was written: what the client has sent behind the statement is not run.
    Failed,
    Stop,
}

impl Client {
    pub fn new(
        stream: ClientStream,
        login: Login,
        peer: String,
        shared: Arc<Shared>,
        context: Arc<HandshakeContext>,
    ) -> Self {
        let identity = identity(&login, peer);
        let session = Session::new(shared.clone(), identity, login.schema.clone());
        let (kill, files) = (session.kill_signal(), session.files());
        Self {
            stream,
            session,
            kill,
            files,
            idle: IdleTimer::new(RESTS_AFTER),
            login,
            shared,
            context,
        }
    }

    /// Serves the client until it leaves, or until the program stops and its transaction is over.
    ///
    /// # Errors
    /// Why the connection ended other than by COM_QUIT: for the log.
    pub async fn run(&mut self) -> Result<()> {
        let snapshot = self.shared.snapshot();
        let limits = &snapshot.config.settings.limits;
        let packet_max = usize::try_from(limits.max_allowed_packet.0).unwrap_or(usize::MAX);
        loop {
            if self.shared.registry.is_closing() && !self.session.in_transaction() {
                let error = Error::new(ErrorKind::ShuttingDown, "Server shutdown in progress");
                self.stream.answer_ahead();
                self.write_error(&error).await?;
                return self.stream.flush().await;
            }
            let mut idle = (limits.idle_timeout, "`limits.idle_timeout`");
            if let Some(limit) = limits.transaction_idle_timeout
                && self.session.in_transaction()
                && limit < idle.0
            {
                idle = (limit, "`limits.transaction_idle_timeout`");
            }
            if let Some(limit) = self.session.wait_timeout()
                && limit < idle.0
            {
                idle = (limit, "`wait_timeout`");
            }
            let Some(payload) = self.next_command(idle, packet_max).await? else { continue };
            match self.serve(&payload).await {
                Ok(Next::Go | Next::Failed) => self.stream.flush().await?,
                Ok(Next::Stop) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for a command, for a while, or until another session kills this one. None: the program
    /// stops.
    async fn next_command(
        &mut self,
        idle: (Duration, &str),
        limit: usize,
    ) -> Result<Option<Bytes>> {
        self.idle.begin();
        loop {
            let may_leave = !self.session.in_transaction();
            tokio::select! {
                biased;
                packet = self.stream.read_command(limit) => return match packet {
                    // Nobody knows where the next packet begins.
                    Err(error) if *error.kind() == ErrorKind::PacketTooLarge => {
                        self.write_error(&error).await?;
                        self.stream.flush().await?;
                        Err(error)
                    }
                    Err(error) if *error.kind() == ErrorKind::Protocol => {
                        self.write_error(&out_of_order()).await?;
                        self.stream.flush().await?;
                        Err(error)
                    }
                    packet => packet.map(Some),
                },
                asked = self.kill.wait_idle(may_leave) => match asked {
                    signal::Asked::Kill(Kill::Connection) => {
                        return Err(Error::new(ErrorKind::Killed, "killed by another session"));
                    }
                    // Nothing runs: it is too late, and stays noted until the next statement begins.
                    signal::Asked::Kill(Kill::Statement) => self.session.forget_kill(),
                    signal::Asked::Leave => return Ok(None),
                },
                elapsed = self.idle.elapsed(idle.0) => {
                    if elapsed >= idle.0 {
                        return Err(Error::new(
                            ErrorKind::ClientGone,
                            format!("idle for longer than {}", idle.1),
                        ));
                    }
                    self.stream.release_buffers();
                }
            }
        }
    }

    async fn serve(&mut self, payload: &Bytes) -> Result<Next> {
        let command = match Command::parse(payload, self.login.capabilities) {
            Ok(command) => command,
            Err(error) => {
                self.write_error(&error).await?;
                return Ok(Next::Go);
            }
        };
        match command {
            Command::Quit => return Ok(Next::Stop),
            Command::Query(text) => return self.queries(text).await,
            Command::Execute(execute) => return self.execute(payload, execute).await,
            Command::Prepare(text) => {
                let outcome = self.session.prepare(text).await;
                match outcome {
                    Ok(info) => self.writer().prepared(&info).await?,
                    Err(error) => self.write_error(&error).await?,
                }
            }
            Command::SendLongData { statement, param, data } => {
                self.session.send_long_data(statement, param, data);
            }
            Command::Close(statement) => self.session.close_statement(statement).await,
            Command::Reset(statement) => {
                let outcome = self.session.reset_statement(statement).await;
                self.ok_or_error(outcome).await?;
            }
            Command::InitDb(name) => {
                let outcome = self.session.use_schema(&String::from_utf8_lossy(name));
                self.ok_or_error(outcome).await?;
            }
            Command::Ping => self.ok_or_error(Ok(())).await?,
            Command::Statistics => {
                let text = self.statistics();
                self.stream.write(text.as_bytes()).await?;
            }
            Command::ResetConnection => {
                self.session.reset().await;
                self.ok_or_error(Ok(())).await?;
            }
            Command::ChangeUser => return self.change_user(payload).await,
            Command::SetOption { multi_statements } => {
                self.session.allow_many(multi_statements);
                self.writer().eof().await?;
            }
            Command::FieldList { table, wildcard } => self.field_list(table, wildcard).await?,
            Command::ProcessInfo => return self.query(b"SHOW PROCESSLIST").await,
            Command::ProcessKill(id) => return self.query(format!("KILL {id}").as_bytes()).await,
            Command::Debug => self.writer().eof().await?,
            Command::Fetch { statement, rows } => {
                Box::pin(self.writer().fetch(statement, rows)).await?;
            }
            Command::Unknown(code) => {
                tracing::debug!(code, "unknown command");
                let error = Error::new(ErrorKind::UnknownCommand, "Unknown command");
                self.write_error(&error).await?;
            }
        }
        Ok(Next::Go)
    }

    /// Runs the statements of a text one after another, until one fails.
    async fn queries(&mut self, text: &[u8]) -> Result<Next> {
        let mut rest = text;
        while let Some((first, others)) = self.session.split(rest) {
            self.session.announce_more(true);
            let next = self.query(first).await;
            self.session.announce_more(false);
            match next? {
                Next::Go => {}
                ended @ (Next::Failed | Next::Stop) => return Ok(ended),
            }
            // The next one may take its time.
            self.stream.flush().await?;
            rest = others;
        }
        self.query(rest).await
    }

    async fn query(&mut self, text: &[u8]) -> Result<Next> {
        let limits =
            file::Limits { wait: self.session.write_timeout(), packet: self.session.packet_max() };
        let outcome = {
            let Self { session, stream, kill, files, .. } = self;
            let work = session.query(text);
            tokio::pin!(work);
            let asked = tokio::select! {
                // The statement first: it forgets a KILL QUERY that was meant for the one before.
                biased;
                reply = &mut work => Ok(reply),
                kill = kill.wait() => Err(Asked::Kill(kill)),
                request = files.asked() => Err(Asked::File(request)),
                gone = stream.gone() => return Err(gone),
            };
            match asked {
                Ok(reply) => Ok(reply),
                Err(Asked::Kill(kill)) => Err(kill),
                Err(Asked::File(request)) => {
                    file::send(stream, kill, request, limits, work).await?
                }
            }
        };
        self.answer(outcome).await
    }

    async fn execute(&mut self, payload: &Bytes, execute: Execute) -> Result<Next> {
        let outcome = {
            let Self { session, stream, kill, .. } = self;
            tokio::select! {
                // The statement first: it forgets a KILL QUERY that was meant for the one before.
                biased;
                reply = session.execute(payload, execute) => Ok(reply),
                kill = kill.wait() => Err(kill),
                gone = stream.gone() => return Err(gone),
            }
        };
        match outcome {
            Ok(Ok(Reply::Rows(rows))) if execute.wants_cursor() && !rows.may_be_several() => {
                Box::pin(self.writer().cursor(execute.statement, rows)).await.map(|()| Next::Go)
            }
            outcome => self.answer(outcome).await,
        }
    }

    async fn answer(&mut self, outcome: Result<Result<Reply>, Kill>) -> Result<Next> {
        match outcome {
            Ok(Ok(reply)) => {
                let succeeded = self.writer().reply(reply).await?;
                if self.session.is_leaving() {
                    self.stream.flush().await?;
                    return Ok(Next::Stop);
                }
                return Ok(if succeeded { Next::Go } else { Next::Failed });
            }
            Ok(Err(error)) => self.write_error(&error).await?,
            Err(kill) => {
                // Dropping what ran closed its backend connections; a transaction on one is gone.
                self.session.interrupted();
                let error = Error::new(ErrorKind::Killed, "Query execution was interrupted");
                self.write_error(&error).await?;
                if kill == Kill::Connection {
                    self.stream.flush().await?;
                    return Ok(Next::Stop);
                }
            }
        }
        Ok(Next::Failed)
    }

    async fn change_user(&mut self, payload: &Bytes) -> Result<Next> {
        self.session.reset().await;
        match handshake::change_user(&mut self.stream, payload, &self.login, &self.context).await {
            Ok(login) => {
                let peer = self.session.peer().to_owned();
                let identity = identity(&login, peer);
                self.session = Session::new(self.shared.clone(), identity, login.schema.clone());
                self.kill = self.session.kill_signal();
                self.files = self.session.files();
                self.login = login;
                Ok(Next::Go)
            }
            // The client has been told, and has no user any more, as in MySQL.
            Err(error) => Err(error),
        }
    }

    async fn field_list(&mut self, table: &[u8], wildcard: &[u8]) -> Result<()> {
        match self.session.field_list(table, wildcard).await {
            Ok(columns) => self.writer().field_list(&columns).await,
            Err(error) => self.write_error(&error).await,
        }
    }

    fn statistics(&self) -> String {
        let uptime = self.shared.started.elapsed().as_secs();
        let registry = &self.shared.registry;
        let statements = registry.statements();
        format!(
            "Uptime: {uptime}  Threads: {}  Questions: {statements}  Slow queries: 0  Opens: 0  \
             Flush tables: 0  Open tables: 0  Queries per second avg: {:.3}",
            registry.count(),
            statements as f64 / uptime.max(1) as f64
        )
    }

    fn writer(&mut self) -> ReplyWriter<'_> {
        ReplyWriter::new(&mut self.stream, &mut self.session, &self.kill)
    }

    async fn ok_or_error(&mut self, outcome: Result<()>) -> Result<()> {
        match outcome {
            Ok(()) => self.writer().ok().await,
            Err(error) => self.write_error(&error).await,
        }
    }

    async fn write_error(&mut self, error: &Error) -> Result<()> {
        self.writer().error(error).await
    }
}

/// ER_NET_PACKETS_OUT_OF_ORDER
fn out_of_order() -> Error {
    Error::server(ServerError {
        code: 1156,
        state: *b"08S01",
        message: b"Got packets out of order".to_vec(),
    })
}

fn identity(login: &Login, peer: String) -> Identity {
    let host = peer.rsplit_once(':').map_or(peer.as_str(), |(host, _)| host).to_owned();
    Identity {
        connection_id: login.connection_id,
        user: login.user.clone(),
        host,
        peer,
        capabilities: login.capabilities,
        collation: login.collation,
        encryption: login.encryption.clone(),
        compression: login.compression,
    }
}
