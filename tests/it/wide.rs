//! A table over 256 shards, with few connections.

use std::fmt::Write as _;

use margay::cli::demo::flavor::Flavor;

use crate::client::{Client, Login};
use crate::fixture::{PASSWORD, Proxy, Servers, USER, wanted};

const SHARDS: u64 = 256;
const ROWS: u64 = 1024;
/// Connections that the proxy may have.
const POOL_SIZE: u64 = 12;

#[test]
fn wide_mysql() {
    run(Flavor::MySql);
}

#[test]
fn wide_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let servers = Servers::start(flavor, 1, &[]);
    let mut server = Client::open(&servers.login(0));
    (0..SHARDS).for_each(|shard| drop(server.run(&format!("CREATE DATABASE wide_{shard}"))));
    let proxy = Proxy::start(&rules(), &servers.variables());
    let mut client =
        Client::open(&Login::new(proxy.address.clone(), USER, PASSWORD).schema("wide"));
    client.run("CREATE TABLE t (id BIGINT PRIMARY KEY, grp INT NOT NULL)");
    let rows: Vec<String> = (0..ROWS).map(|id| format!("({id},{})", id % 10)).collect();
    client.run(&format!("INSERT INTO t VALUES {}", rows.join(",")));

    check(
        &mut client,
        "SELECT COUNT(*), MIN(id), MAX(id) FROM t",
        &format!("{ROWS},0,{}", ROWS - 1),
    );
    check(&mut client, "SELECT id FROM t ORDER BY id DESC LIMIT 2", "1023;1022");
    check(
        &mut client,
        "SELECT grp, COUNT(*) FROM t GROUP BY grp ORDER BY grp LIMIT 2",
        "0,103;1,103",
    );
    check(&mut client, "SELECT id FROM t WHERE id IN (5, 77, 1000) ORDER BY id", "5;77;1000");
    client.run("BEGIN");
    check(&mut client, "SELECT COUNT(*) FROM t", &ROWS.to_string());
    client.run("COMMIT");
    // Several at once neither wait for each other for good nor take more connections.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let login = Login::new(proxy.address.clone(), USER, PASSWORD).schema("wide");
                let mut client = Client::open(&login);
                for _ in 0..3 {
                    check(&mut client, "SELECT COUNT(*) FROM t", &ROWS.to_string());
                }
            });
        }
    });
    let most = server.rows("SHOW GLOBAL STATUS LIKE 'Max_used_connections'");
    let most = most[0][1].clone().and_then(|most| most.parse::<u64>().ok()).expect("a count");
    // The server itself, the test, and the questions of the proxy have a few.
    assert!(most <= POOL_SIZE + 8, "{most} connections");
}

fn check(client: &mut Client, sql: &str, expect: &str) {
    let rows = client.rows(sql).into_iter().map(|row| {
        let cells: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
        cells.join(",")
    });
    assert_eq!(rows.collect::<Vec<_>>().join(";"), expect, "{sql}");
}

fn rules() -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "listen: 127.0.0.1:0\n\
         server_version: ${{SERVER_VERSION}}\n\
         backend: {{pool_size: {POOL_SIZE}, pool_wait: 60s}}\n\
         clusters:\n  \
         c0: {{primary: \"127.0.0.1:${{C0_PORT}}\", user: \"${{BACKEND_USER}}\", \
         password: \"${{BACKEND_PASSWORD}}\"}}\n\
         users:\n  \
         {USER}: {{password: \"${{APP_PASSWORD}}\", schemas: {{wide: [read, write]}}}}\n\
         schemas:\n  wide:\n    default_shard: c0/wide_0\n    tables:\n      \
         t: {{shards: [\"c0/wide_{{0..{}}}\"], key: id, algorithm: modulo}}\n",
        SHARDS - 1
    );
    text
}
