//! Making one server follow another, by GTID.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};
use tokio::time::{Instant, sleep};

use crate::cli::demo::flavor::Flavor;
use crate::cli::demo::server::Server;
use crate::error::Result;

const CONNECT_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Makes `replica` follow `primary` for good and refuse writes of others. Returns when it is connected.
/// Both have the same flavor; the replica holds nothing that the primary's binary log will make again.
pub async fn replicate(primary: &Server, replica: &mut Server) -> Result<()> {
    let account = primary.account();
    let (user, password) = (literal(&account.user), literal(&account.password));
    let port = primary.port();
    let (change, start, read_only) = match replica.flavor() {
        Flavor::MySql => (
            format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, \
                 SOURCE_USER = {user}, SOURCE_PASSWORD = {password}, SOURCE_AUTO_POSITION = 1, \
                 SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 1000000, GET_SOURCE_PUBLIC_KEY = 1"
            ),
            "START REPLICA",
            "SET GLOBAL super_read_only = ON",
        ),
        Flavor::MariaDb => (
            format!(
                "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, \
                 MASTER_USER = {user}, MASTER_PASSWORD = {password}, MASTER_USE_GTID = slave_pos, \
                 MASTER_CONNECT_RETRY = 1"
            ),
            "START SLAVE",
            "SET GLOBAL read_only = ON",
        ),
    };
    replica.execute(&[&change, start, read_only]).await?;
    replica.run_at_start(read_only);
    wait_connected(replica).await
}

/// Waits until `replica` has applied all that `primary` has committed until now.
pub async fn catch_up(primary: &Server, replica: &Server, limit: Duration) -> Result<()> {
    let (position, wait) = match primary.flavor() {
        Flavor::MySql => ("SELECT @@global.gtid_executed", "WAIT_FOR_EXECUTED_GTID_SET"),
        Flavor::MariaDb => ("SELECT @@global.gtid_current_pos", "MASTER_GTID_WAIT"),
    };
    let gtids = first_value(primary, position).await?;
    let seconds = limit.as_secs_f64();
    let outcome = first_value(replica, &format!("SELECT {wait}('{gtids}', {seconds})")).await?;
    if outcome == "0" {
        return Ok(());
    }
    Err(replica.failed(&format!("has not reached `{gtids}` within {limit:?}")))
}

async fn wait_connected(replica: &Server) -> Result<()> {
    let show = match replica.flavor() {
        Flavor::MySql => "SHOW REPLICA STATUS",
        Flavor::MariaDb => "SHOW SLAVE STATUS",
    };
    let limit = Instant::now() + CONNECT_LIMIT;
    let mut connection = replica.connect().await?;
    loop {
        let row: Option<Row> = connection
            .query_first(show)
            .await
            .map_err(|error| replica.failed(show).with_source(error))?;
        let Some(row) = row else { return Err(replica.failed("has no replication set up")) };
        let is_running = |names: [&str; 2]| text(&row, names) == "Yes";
        if is_running(["Replica_IO_Running", "Slave_IO_Running"])
            && is_running(["Replica_SQL_Running", "Slave_SQL_Running"])
        {
            return Ok(());
        }
        if Instant::now() > limit {
            let io = text(&row, ["Last_IO_Error", ""]);
            let sql = text(&row, ["Last_SQL_Error", ""]);
            return Err(replica.failed(&format!("does not replicate: {io} {sql}")));
        }
        sleep(POLL).await;
    }
}

/// The column of the first of these names that exists.
fn text(row: &Row, names: [&str; 2]) -> String {
    let value = names.iter().find_map(|name| {
        let columns = row.columns_ref();
        let index = columns.iter().position(|column| column.name_ref() == name.as_bytes())?;
        row.as_ref(index)
    });
    match value {
        Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

async fn first_value(server: &Server, query: &str) -> Result<String> {
    let mut connection: Conn = server.connect().await?;
    let value: Option<Option<String>> = connection
        .query_first(query)
        .await
        .map_err(|error| server.failed(&format!("`{query}`")).with_source(error))?;
    let _ = connection.disconnect().await;
    // MySQL breaks long GTID sets over lines.
    Ok(value.flatten().unwrap_or_default().replace('\n', ""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
