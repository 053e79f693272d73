//! The drivers that people use, in their own languages: `tests/drivers/`.
//!
//! `MARGAY_TEST_DRIVERS=0` leaves them out. Their packages lie in `MARGAY_TEST_CACHE`, by default
//! `/var/cache/margay`, where `tests/run` installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use margay::cli::demo::flavor::Flavor;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, OptsBuilder, Pool, Row, TxOpts};
use tokio::runtime::Runtime;

use crate::fixture::{Check, PASSWORD, SCHEMA, Shop, USER, run_checks, wanted};

const CHECKS: [Check<Shop>; 4] = [
    ("command line", command_line),
    ("PyMySQL", python_pymysql),
    ("mysql2", node_mysql2),
    ("mysql_async", rust_mysql_async),
];

#[test]
fn drivers_mysql() {
    run(Flavor::MySql);
}

#[test]
fn drivers_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if std::env::var("MARGAY_TEST_DRIVERS").is_ok_and(|value| value == "0") {
        eprintln!("left out by MARGAY_TEST_DRIVERS=0: drivers");
        return;
    }
    if !wanted(flavor) {
        return;
    }
    let shop = Shop::start(flavor, 2);
    let table =
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(100) CHARACTER SET utf8mb4)";
    shop.client().run(table);
    run_checks(&shop, &CHECKS);
}

fn command_line(shop: &Shop) {
    let mut command = Command::new("bash");
    run_script(shop, command.arg(script("command_line.sh")));
}

fn python_pymysql(shop: &Shop) {
    let mut command = Command::new(cache().join("python/bin/python"));
    run_script(shop, command.arg(script("python_pymysql.py")));
}

fn node_mysql2(shop: &Shop) {
    let mut command = Command::new("node");
    command.env("NODE_PATH", cache().join("node/node_modules"));
    run_script(shop, command.arg(script("node_mysql2.js")));
}

fn cache() -> PathBuf {
    std::env::var_os("MARGAY_TEST_CACHE").unwrap_or("/var/cache/margay".into()).into()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers").join(name)
}

fn run_script(shop: &Shop, command: &mut Command) {
    let (host, port) = shop.proxy.address.rsplit_once(':').expect("an address has a port");
    command
        .env("MARGAY_HOST", host)
        .env("MARGAY_PORT", port)
        .env("MARGAY_USER", USER)
        .env("MARGAY_PASSWORD", PASSWORD)
        .env("MARGAY_SCHEMA", SCHEMA);
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; `tests/run` installs it, MARGAY_TEST_DRIVERS=0 leaves it out")
    });
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
}

fn rust_mysql_async(shop: &Shop) {
    let (host, port) = shop.proxy.address.rsplit_once(':').expect("an address has a port");
    let options = OptsBuilder::default()
        .ip_or_hostname(host)
        .tcp_port(port.parse().expect("a port"))
        .user(Some(USER))
        .pass(Some(PASSWORD))
        .db_name(Some(SCHEMA))
        .prefer_socket(false);
    let wrong = options.clone().pass(Some("wrong"));
    Runtime::new().expect("a runtime starts").block_on(async {
        match Conn::new(wrong).await {
            Err(Error::Server(error)) => assert_eq!(error.code, 1045),
            other => panic!("{other:?}"),
        }
        let pool = Pool::new(options);
        mysql_async_statements(&pool).await.expect("statements run");
        pool.disconnect().await.expect("the pool ends");
    });
}

async fn mysql_async_statements(pool: &Pool) -> mysql_async::Result<()> {
    let mut conn = pool.get_conn().await?;
    conn.query_drop("DELETE FROM users WHERE id BETWEEN 4000 AND 4999").await?;
    let insert = "INSERT INTO users (id, name) VALUES (?, ?)";
    let rows: Vec<(u64, String)> = (4000..4100).map(|id| (id, format!("it's {id}"))).collect();
    conn.exec_batch(insert, rows.clone()).await?;
    let select = "SELECT id, name FROM users WHERE id BETWEEN ? AND ? ORDER BY id";
    let found: Vec<(u64, String)> = conn.exec(select, (4000, 4999)).await?;
    assert_eq!(found, rows);
    let found: Vec<(u64, String)> =
        conn.query("SELECT id, name FROM users WHERE id BETWEEN 4000 AND 4999 ORDER BY id").await?;
    assert_eq!(found, rows);
    let one: Option<String> =
        conn.exec_first("SELECT name FROM users WHERE id = ?", (4007,)).await?;
    assert_eq!(one.as_deref(), Some("it's 4007"));

    // A transaction keeps to one user, and so to one cluster.
    let mut transaction = conn.start_transaction(TxOpts::default()).await?;
    transaction.exec_drop("UPDATE users SET name = ? WHERE id = ?", ("x", 4007)).await?;
    assert_eq!(transaction.affected_rows(), 1);
    transaction.rollback().await?;
    conn.exec_drop("UPDATE users SET name = ? WHERE id BETWEEN ? AND ?", ("y", 4050, 4999)).await?;
    assert_eq!(conn.affected_rows(), 50);
    let count: Option<u64> = conn
        .query_first("SELECT COUNT(*) FROM users WHERE name = 'x' AND id BETWEEN 4000 AND 4999")
        .await?;
    assert_eq!(count, Some(0));
    match conn.exec_drop(insert, (4000, "again")).await {
        Err(Error::Server(error)) => {
            assert_eq!((error.code, error.state.as_str()), (1062, "23000"))
        }
        other => panic!("{other:?}"),
    }
    let big: Option<Row> = conn.query_first("SELECT REPEAT('z', 17000000)").await?;
    assert_eq!(
        big.and_then(|mut row| row.take::<String, _>(0)).map_or(0, |text| text.len()),
        17_000_000
    );
    conn.ping().await?;
    // The pool resets a connection before it hands it on.
    drop(conn);
    let mut conn = pool.get_conn().await?;
    let one: Option<u8> = conn.query_first("SELECT 1").await?;
    assert_eq!(one, Some(1));
    Ok(())
}
