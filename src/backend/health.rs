//! Looking after nodes: whether they answer, and how far replicas are behind.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::backend::channel::Deadline;
use crate::backend::cluster::Cluster;
use crate::backend::connection::Connection;
use crate::backend::node::{Node, NodeState, Role};
use crate::backend::reply::QueryResult;
use crate::error::{ErrorKind, Result};
use crate::protocol::gtid::GtidSet;

/// One task a node. They end when this is dropped.
#[derive(Debug)]
pub struct Health {
    _tasks: JoinSet<()>,
}

impl Health {
    pub(super) fn start(clusters: &[Arc<Cluster>]) -> Self {
        let mut tasks = JoinSet::new();
        for cluster in clusters {
            for node in std::iter::once(cluster.primary()).chain(cluster.replicas()) {
                tasks.spawn(look_after(Arc::clone(node), Arc::clone(cluster.primary())));
            }
        }
        Self { _tasks: tasks }
    }
}

async fn look_after(node: Arc<Node>, primary: Arc<Node>) {
    let mut look = Look { node, primary, connection: None, current: None };
    let mut ticks = interval(look.node.settings().health_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = look.node.suspected() => {}
        }
        let state = look.state().await;
        look.node.set_state(state);
        look.node.reap();
    }
}

/// What one task keeps between two looks.
struct Look {
    node: Arc<Node>,
    primary: Arc<Node>,
    connection: Option<Connection>,
    /// When the replica was last seen connected to its primary, and its lag then.
    current: Option<(Instant, Duration)>,
}

impl Look {
    async fn state(&mut self) -> NodeState {
        let limit = self.node.settings().health_timeout;
        match timeout(limit, self.look()).await {
            Ok(Ok(state)) => state,
            Ok(Err(error)) => {
                self.connection = None;
                NodeState::Down(error.to_string().into())
            }
            Err(_) => {
                self.connection = None;
                let node = self.node.name();
                let reason = format!("{node} did not answer in health.timeout = {limit:?}");
                NodeState::Down(reason.into())
            }
        }
    }

    async fn look(&mut self) -> Result<NodeState> {
        let result = self.query("SELECT @@global.read_only AS read_only").await?;
        self.node.set_read_only(result.first("read_only") == Some("1"));
        match self.node.role() {
            Role::Primary => Ok(NodeState::Up),
            Role::Replica => self.replica().await,
        }
    }

    async fn replica(&mut self) -> Result<NodeState> {
        let is_mariadb = self.connection.as_ref().is_some_and(Connection::is_mariadb);
        let show = if is_mariadb { "SHOW ALL SLAVES STATUS" } else { "SHOW REPLICA STATUS" };
        let status = self.query(show).await?;
        let replication = Replication::of(&status);
        if let Some(gtids) = replication.gtids {
            self.node.set_applied_gtids(GtidSet::parse(gtids)?);
        }
        let is_primary_down = matches!(self.primary.state(), NodeState::Down(_));
        let lag_limit = self.node.settings().lag_limit;
        Ok(replication.state(lag_limit, is_primary_down, &mut self.current, Instant::now()))
    }

    /// Asks over the kept connection; over a new one if there is none or it was lost.
    async fn query(&mut self, sql: &str) -> Result<QueryResult> {
        let deadline = Deadline {
            at: Instant::now() + self.node.settings().health_timeout,
            setting: "health.timeout",
        };
        if let Some(connection) = &mut self.connection {
            connection.set_deadline(Some(deadline));
            match connection.query_all(sql).await {
                Err(error) if *error.kind() == ErrorKind::BackendLost => self.connection = None,
                outcome => return outcome,
            }
        }
        let mut connection = self.node.open().await?;
        connection.set_deadline(Some(deadline));
        let result = connection.query_all(sql).await;
        self.connection = Some(connection);
        result
    }
}

/// What a replica says of its replication.
#[derive(Debug, Default)]
struct Replication<'a> {
    is_set_up: bool,
    is_connected: bool,
    is_applying: bool,
    /// Seconds behind, while it is connected and applies.
    behind: Option<u64>,
    error: &'a str,
    gtids: Option<&'a str>,
}

impl<'a> Replication<'a> {
    /// Reads the row of MySQL or MariaDB; the first of several channels.
    fn of(status: &'a QueryResult) -> Self {
        let either = |new: &str, old: &str| status.first(new).or_else(|| status.first(old));
        let errors = [status.first("Last_SQL_Error"), status.first("Last_IO_Error")];
        Self {
            is_set_up: !status.rows.is_empty(),
            is_connected: either("Replica_IO_Running", "Slave_IO_Running") == Some("Yes"),
            is_applying: either("Replica_SQL_Running", "Slave_SQL_Running") == Some("Yes"),
            behind: either("Seconds_Behind_Source", "Seconds_Behind_Master")
                .and_then(|seconds| seconds.parse().ok()),
            error: errors.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or(""),
            gtids: either("Executed_Gtid_Set", "Gtid_Slave_Pos"),
        }
    }

    /// A replica that lost its primary falls behind by the clock, unless the primary is down: then there
    /// is nothing to fall behind of. `current` keeps when it was last connected, and its lag then.
    fn state(
        &self,
        lag_limit: Duration,
        is_primary_down: bool,
        current: &mut Option<(Instant, Duration)>,
        now: Instant,
    ) -> NodeState {
        if !self.is_set_up {
            let reason = "has no replication set up; set it up, or take the server out of the \
                          cluster's `replicas`";
            return NodeState::Down(reason.into());
        }
        if !self.is_applying {
            return NodeState::Down(format!("its replication is stopped: {}", self.error).into());
        }
        let lag = match (self.is_connected, self.behind, &*current) {
            (true, Some(seconds), _) => {
                let lag = Duration::from_secs(seconds);
                *current = Some((now, lag));
                lag
            }
            (_, _, Some((_, lag))) if is_primary_down => *lag,
            (_, _, Some((seen, lag))) => *lag + now.duration_since(*seen),
            (_, _, None) => {
                let reason = format!("is not connected to its primary: {}", self.error);
                return NodeState::Down(reason.into());
            }
        };
        if lag > lag_limit { NodeState::Lagging(lag) } else { NodeState::Up }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant, NodeState, Replication};

    const CONNECTED: Replication<'static> = Replication {
        is_set_up: true,
        is_connected: true,
        is_applying: true,
        behind: Some(0),
        error: "",
        gtids: None,
    };

    /// `current`: seconds since it was connected, and its lag then.
    fn check(
        replication: &Replication<'_>,
        is_primary_down: bool,
        current: Option<(u64, u64)>,
        expect: &str,
    ) {
        let now = Instant::now() + Duration::from_secs(1000);
        let seconds = Duration::from_secs;
        let mut current = current.map(|(ago, lag)| (now - seconds(ago), seconds(lag)));
        let found = match replication.state(seconds(10), is_primary_down, &mut current, now) {
            NodeState::Up => "up".to_owned(),
            NodeState::Lagging(lag) => format!("lags {}", lag.as_secs()),
            NodeState::Down(reason) => reason.to_string(),
        };
        assert_eq!(found, expect);
    }

    #[test]
    fn states_of_replicas() {
        check(&CONNECTED, false, None, "up");
        check(&Replication { behind: Some(10), ..CONNECTED }, false, None, "up");
        check(&Replication { behind: Some(11), ..CONNECTED }, false, None, "lags 11");
        let lost = Replication { is_connected: false, behind: None, ..CONNECTED };
        check(&lost, false, Some((5, 0)), "up");
        check(&lost, false, Some((15, 2)), "lags 17");
        check(&lost, true, Some((15, 2)), "up");
        let refused = Replication { error: "no", ..lost };
        check(&refused, false, None, "is not connected to its primary: no");
        let stopped = Replication { is_applying: false, error: "duplicate", ..CONNECTED };
        check(&stopped, false, Some((0, 0)), "its replication is stopped: duplicate");
    }
}
