//! Settings of the program: limits, pools, health checks.

use std::path::PathBuf;
use std::time::Duration;

use super::{Address, choice, shape};
use crate::config::amount::Size;

shape! {
    /// Limits that protect Margay and the servers behind it. An error that a limit causes names it.
    pub struct Limits {
        /// Client connections at once; more are refused with error 1040.
        max_connections: u32 = "10000",
        /// The largest packet from a client or a server, as in MySQL.
        max_allowed_packet: Size = "64MiB",
        /// How long a client may take to log in.
        handshake_timeout: Duration = "10s",
        /// How long a client may be idle before its connection is closed.
        idle_timeout: Duration = "8h",
        /// How long a client may be idle inside a transaction before its connection is closed and the
        /// transaction rolled back; without it, `idle_timeout` alone counts.
        transaction_idle_timeout: Option<Duration>,
        /// How long a client may take no rows of a result, or send nothing of a file that it loads, before
        /// its connection is closed.
        write_timeout: Duration = "10m",
        /// How long a statement may run; without it, as long as the servers let it.
        statement_timeout: Option<Duration>,
        /// Rows that a statement may hold in memory to sort or group them.
        sort_rows: u32 = "1000000",
        /// Bytes that a statement may hold in memory to sort or group rows.
        sort_bytes: Size = "64MiB",
        /// Rows that a statement may write that changes a sharding key, so that they may have to move.
        moved_rows: u32 = "10000",
        /// Streams of rows that a statement may read at once; each uses a backend connection.
        scatter_streams: u32 = "256",
        /// Prepared statements of one client.
        prepared_statements: u32 = "16382",
        /// Memory for plans: a statement that differs from an earlier one in nothing but values is not
        /// planned again. With `0B` each statement is planned.
        plan_cache: Size = "32MiB",
    }
}

shape! {
    /// Connections to the servers behind.
    pub struct Backend {
        /// Connections to one server at once.
        pool_size: u32 = "64",
        /// How long a statement waits for a free connection.
        pool_wait: Duration = "5s",
        /// Prepared statements that each connection keeps.
        prepared_statements: u32 = "128",
        /// How long the columns of a table are believed before its server is asked again: a change of a
        /// table that was made past Margay shows after this time at the latest.
        columns_ttl: Duration = "60s",
        /// How long connecting and logging in may take.
        connect_timeout: Duration = "3s",
        /// How long a server may take to answer a statement; without it, forever.
        query_timeout: Option<Duration>,
        /// An idle connection is closed after this time.
        idle_timeout: Duration = "5m",
        /// A connection is replaced after this time, when it is next idle.
        lifetime: Duration = "1h",
    }
}

shape! {
    /// SELECTs that no shard can answer alone: rows are gathered in temporary tables on one server, which
    /// answers. An error that a limit causes names it.
    pub struct Combine {
        /// Servers of the clusters that gather rows, by their addresses; without it, a replica of the
        /// cluster with the least to do, or its primary if it has none.
        nodes: Vec<Address>,
        /// Statements that may gather rows at once; more wait for `wait`.
        concurrency: u32 = "16",
        /// How long a statement waits for others that gather rows.
        wait: Duration = "10s",
        /// Rows that one part of a statement may gather.
        part_rows: u64 = "5000000",
        /// Bytes that one part of a statement may gather.
        part_bytes: Size = "1GiB",
        /// Rows that all parts of a statement may gather.
        rows: u64 = "10000000",
        /// Bytes that all parts of a statement may gather.
        bytes: Size = "2GiB",
        /// Rows of a part that may be held in memory and copied to every shard; more are gathered instead.
        broadcast_rows: u64 = "10000",
        /// Bytes of a part that may be held in memory and copied to every shard; more are gathered instead.
        broadcast_bytes: Size = "4MiB",
        /// Values of a column by which other tables are read; more make no condition.
        key_list: u32 = "10000",
    }
}

shape! {
    /// Checks of the servers behind.
    pub struct Health {
        /// Time from one check of a server to the next.
        interval: Duration = "1s",
        /// A check that takes longer has failed, and the server gets no statements until one succeeds.
        timeout: Duration = "2s",
        /// A replica further behind its primary gets no reads until it has caught up.
        lag_limit: Duration = "5s",
        /// How long a read waits on a replica that lacks what its session has written, before it goes to
        /// the primary. Without it, such a read goes to the primary at once.
        catch_up: Option<Duration>,
    }
}

shape! {
    /// Transactions over several clusters.
    pub struct Transactions {
        /// The database on each cluster where Margay keeps its decisions on such transactions. It is made
        /// when it is first needed.
        database: String = "margay",
        /// How long a server may take for each step of such a commit. Before the decision the transaction
        /// is then rolled back everywhere; after it, it is finished in the background.
        commit_timeout: Duration = "5s",
        /// How long a statement waits for a row lock, in whole seconds, unless the session says otherwise;
        /// without it, as the servers are set. Transactions that wait for each other on different
        /// clusters, where no server can see it, end by this.
        lock_wait_timeout: Option<Duration>,
    }
}

shape! {
    /// Generated ids. What they need is kept in the database that `transactions.database` names, on the
    /// cluster of the schema's `default_shard`.
    pub struct Ids {
        /// How many ids a proxy takes at once for a table whose generator is `segment`. What it has not
        /// used when it ends is left out.
        segment_size: u32 = "1000",
        /// How long a proxy may make ids by `snowflake` after it has last reached the server where its
        /// number is kept. It asks there every third of this.
        worker_lease: Duration = "30s",
        /// How long an INSERT waits for an id when the clock of the machine was put back; after it, it fails.
        clock_wait: Duration = "1s",
    }
}

shape! {
    /// Encryption of client connections.
    pub struct Tls {
        /// File of the certificate chain, PEM.
        cert: PathBuf,
        /// File of the private key, PEM.
        key: PathBuf,
        /// File of the certificates that sign those of clients, PEM. With it, clients are asked for one;
        /// one that is not signed so is refused. Users may need one by their own `tls`.
        ca: Option<PathBuf>,
        /// Refuse clients that do not encrypt.
        required: bool = "false",
    }
}

choice! {
    /// What a read on a replica may miss.
    pub enum Reads {
        /// Any replica under the lag limit.
        Eventual = "eventual",
        /// A replica that has the session's own writes, else the primary.
        Session = "session",
        /// The primary only.
        Strong = "strong",
    }
}
