//! The one error type of the crate.
//!
//! A kind says what the client must know: which MySQL code and state it gets, who is at fault, and
//! whether trying again may help. Which module failed is told by the message and its context.

use std::fmt;

/// What went wrong, in one machine word so that `Result` stays small on the hot path.
pub struct Error(Box<Inner>);

pub type Result<T, E = Error> = std::result::Result<T, E>;

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What the client must know about an error. [`ErrorKind::row`] gives its MySQL code and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The statement does not parse.
    Syntax,
    /// The statement is valid, but Margay cannot prove an answer right. The message names the
    /// construct and the way out.
    Unsupported,
    UnknownDatabase,
    NoDatabase,
    UnknownTable,
    UnknownColumn,
    AmbiguousColumn,
    /// Two tables of one FROM have the same name.
    NotUniqueTable,
    /// No shard takes this value of a sharding key.
    NoShardForValue,
    AccessDenied,
    DatabaseAccessDenied,
    CommandDenied,
    UnknownCommand,
    UnknownVariable,
    UnknownStatement,
    /// A statement that cannot be prepared.
    NotPreparable,
    EmptyQuery,
    /// The handshake broke the protocol.
    Handshake,
    TooManyConnections,
    TooManyUserConnections,
    /// A packet over `max_allowed_packet`.
    PacketTooLarge,
    /// A backend's own error, handed on unchanged.
    Server(ServerError),
    /// The connection to a backend broke while a statement ran on it.
    BackendLost,
    /// The server that decides on a transaction broke off during its COMMIT.
    CommitUnknown,
    /// No node of a cluster can serve this.
    NoBackend,
    /// A wait for a backend connection ended at its limit.
    PoolTimeout,
    /// A statement ran into its time limit.
    Timeout,
    Killed,
    /// A buffer or queue is full. The message names the setting.
    LimitExceeded,
    /// A mistake in the rule files or the command line.
    Config,
    /// The peer sent bytes that do not follow the protocol.
    Protocol,
    /// The client's connection broke; nobody is left to tell.
    ClientGone,
    ShuttingDown,
    /// A bug in Margay.
    Internal,
}

/// An ERR packet as a backend sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    pub code: u16,
    pub state: [u8; 5],
    pub message: Vec<u8>,
}

/// Who is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Proxy,
    Backend,
}

/// A line of the table of kinds.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// MySQL's error code.
    pub code: u16,
    pub state: &'static str,
    pub side: Side,
    /// The same statement may succeed if sent again.
    pub retryable: bool,
}

impl ErrorKind {
    /// All kinds in the order of the table but [`ErrorKind::Server`], which has a code of its own.
    pub const ALL: [Self; 33] = [
        Self::Syntax,
        Self::Unsupported,
        Self::UnknownDatabase,
        Self::NoDatabase,
        Self::UnknownTable,
        Self::UnknownColumn,
        Self::AmbiguousColumn,
        Self::NotUniqueTable,
        Self::NoShardForValue,
        Self::AccessDenied,
        Self::DatabaseAccessDenied,
        Self::CommandDenied,
        Self::UnknownCommand,
        Self::UnknownVariable,
        Self::UnknownStatement,
        Self::NotPreparable,
        Self::EmptyQuery,
        Self::Handshake,
        Self::TooManyConnections,
        Self::TooManyUserConnections,
        Self::PacketTooLarge,
        Self::BackendLost,
        Self::CommitUnknown,
        Self::NoBackend,
        Self::PoolTimeout,
        Self::Timeout,
        Self::Killed,
        Self::LimitExceeded,
        Self::Config,
        Self::Protocol,
        Self::ClientGone,
        Self::ShuttingDown,
        Self::Internal,
    ];

    /// When it comes and what helps, for the documentation.
    pub fn meaning(&self) -> &'static str {
        match self {
            Self::Syntax => "The statement does not parse, or a hint is misspelt.",
            Self::Unsupported => {
                "Refused: no answer is proven right. The message names the way out."
            }
            Self::UnknownDatabase => "The rules have no such schema.",
            Self::NoDatabase => {
                "The connection has no current schema and the statement names none."
            }
            Self::UnknownTable => "The table is in no shard that should have it.",
            Self::UnknownColumn => "No table of the statement has the column.",
            Self::AmbiguousColumn => "Several tables of the statement have the column.",
            Self::NotUniqueTable => "Two tables of one FROM have the same name or alias.",
            Self::NoShardForValue => "The rule of the table has no target for this key.",
            Self::AccessDenied => "Wrong user or password, or TLS is required.",
            Self::DatabaseAccessDenied => "The user has no grant in the schema.",
            Self::CommandDenied => "The user's grant in the schema is not enough.",
            Self::UnknownCommand => "The client sent a command that Margay does not know.",
            Self::UnknownVariable => "There is no such system variable.",
            Self::UnknownStatement => "No prepared statement or cursor has this number.",
            Self::NotPreparable => "Cannot be prepared: send it as text.",
            Self::EmptyQuery => "The text holds no statement.",
            Self::Handshake => "The login broke the protocol or took too long.",
            Self::TooManyConnections => "`limits.max_connections` clients are there.",
            Self::TooManyUserConnections => "The user has `max_connections` connections.",
            Self::PacketTooLarge => "A packet is over `limits.max_allowed_packet`.",
            Self::Server(_) => "A server's own error, handed on.",
            Self::BackendLost => "A connection to a server broke while a statement ran on it.",
            Self::CommitUnknown => {
                "A server broke off during COMMIT: committed or not, nobody knows yet."
            }
            Self::NoBackend => "The server is down, unreachable, or refused Margay's login.",
            Self::PoolTimeout => {
                "All connections to a server stayed in use for `backend.pool_wait`."
            }
            Self::Timeout => "A time limit ran out; the message names it.",
            Self::Killed => "KILL ended the statement or the connection.",
            Self::LimitExceeded => "A buffer is full; the message names the setting.",
            Self::Config => "The rules do not fit the tables, or cannot be used.",
            Self::Protocol => "Bytes that do not follow the protocol.",
            Self::ClientGone => "The client left or was idle too long. Only the log shows it.",
            Self::ShuttingDown => "Margay is stopping.",
            Self::Internal => "A bug in Margay: please report the message.",
        }
    }

    /// The one table of kinds: what each tells a client.
    pub fn row(&self) -> Row {
        use Side::{Backend, Client, Proxy};
        let (code, state, side, retryable) = match self {
            Self::Syntax => (1064, "42000", Client, false),
            Self::Unsupported => (1235, "42000", Client, false),
            Self::UnknownDatabase => (1049, "42000", Client, false),
            Self::NoDatabase => (1046, "3D000", Client, false),
            Self::UnknownTable => (1146, "42S02", Client, false),
            Self::UnknownColumn => (1054, "42S22", Client, false),
            Self::AmbiguousColumn => (1052, "23000", Client, false),
            Self::NotUniqueTable => (1066, "42000", Client, false),
            Self::NoShardForValue => (1526, "HY000", Client, false),
            Self::AccessDenied => (1045, "28000", Client, false),
            Self::DatabaseAccessDenied => (1044, "42000", Client, false),
            Self::CommandDenied => (1142, "42000", Client, false),
            Self::UnknownCommand => (1047, "08S01", Client, false),
            Self::UnknownVariable => (1193, "HY000", Client, false),
            Self::UnknownStatement => (1243, "HY000", Client, false),
            Self::NotPreparable => (1295, "HY000", Client, false),
            Self::EmptyQuery => (1065, "42000", Client, false),
            Self::Handshake => (1043, "08S01", Client, false),
            Self::TooManyConnections => (1040, "08004", Client, true),
            Self::TooManyUserConnections => (1226, "42000", Client, true),
            Self::PacketTooLarge => (1153, "08S01", Client, false),
            Self::Server(error) => return error.row(),
            // The codes of federated servers. Those that drivers use of their own connection, 2003 and
            // 2013, must not come from a server: some take them for a broken packet.
            Self::BackendLost => (1430, "HY000", Backend, true),
            // SQLSTATE 08007: transaction resolution unknown.
            Self::CommitUnknown => (1180, "08007", Backend, false),
            Self::NoBackend => (1429, "HY000", Backend, true),
            Self::PoolTimeout => (1203, "42000", Proxy, true),
            Self::Timeout => (3024, "HY000", Proxy, false),
            Self::Killed => (1317, "70100", Client, false),
            Self::LimitExceeded => (1041, "HY000", Proxy, false),
            Self::Config => (1105, "HY000", Client, false),
            Self::Protocol => (1835, "HY000", Client, false),
            Self::ClientGone => (1158, "08S01", Client, false),
            Self::ShuttingDown => (1053, "08S01", Proxy, true),
            Self::Internal => (1105, "HY000", Proxy, false),
        };
        Row { code, state, side, retryable }
    }
}

impl ServerError {
    fn row(&self) -> Row {
        // Deadlock and lock wait timeout: MySQL itself asks clients to try again.
        let retryable = matches!(self.code, 1205 | 1213);
        Row { code: self.code, state: "HY000", side: Side::Backend, retryable }
    }
}

impl Error {
    /// `message` is lower case without a final stop; it names the thing, then the way out.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// A backend's ERR packet, for the client unchanged.
    pub fn server(error: ServerError) -> Self {
        let message = String::from_utf8_lossy(&error.message).into_owned();
        Self::new(ErrorKind::Server(error), message)
    }

    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    /// A broken invariant of ours; the message asks the user to report it.
    pub fn internal(message: impl Into<String>) -> Self {
        let message = format!("{}; this is a bug in Margay, please report it", message.into());
        Self::new(ErrorKind::Internal, message)
    }

    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Says where it happened, in front of the message: `c0/shop: connection refused`.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn side(&self) -> Side {
        self.0.kind.row().side
    }

    pub fn retryable(&self) -> bool {
        self.0.kind.row().retryable
    }

    /// The code, SQLSTATE and text of the ERR packet that tells a client.
    pub fn mysql(&self) -> (u16, [u8; 5], Vec<u8>) {
        if let ErrorKind::Server(error) = &self.0.kind {
            return (error.code, error.state, error.message.clone());
        }
        let row = self.0.kind.row();
        let mut state = *b"HY000";
        state.copy_from_slice(row.state.as_bytes());
        (row.code, state, self.0.message.clone().into_bytes())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
