//! Generated ids with several proxies on the same servers, and a proxy that dies.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;

use crate::client::value::Value;
use crate::client::{Client, Login};
use crate::fixture::{PASSWORD, Proxy, Servers, USER, wanted};

/// Clients of each proxy, statements of each client, rows of each statement.
const CLIENTS: usize = 4;
const STATEMENTS: usize = 60;
const ROWS: usize = 3;

const RULES: &str = r#"
listen: 127.0.0.1:0
server_version: ${SERVER_VERSION}
ids: {segment_size: 20, worker_lease: 3s}
clusters:
  c0: {primary: "127.0.0.1:${C0_PORT}", user: "${BACKEND_USER}", password: "${BACKEND_PASSWORD}"}
  c1: {primary: "127.0.0.1:${C1_PORT}", user: "${BACKEND_USER}", password: "${BACKEND_PASSWORD}"}
users:
  app: {password: "${APP_PASSWORD}", schemas: {shop: [read, write]}}
schemas:
  shop:
    default_shard: c0/shop
    tables:
      flakes: {shards: "c{0..1}/shop", key: id, algorithm: modulo, id: {column: id}}
      counts: {shards: "c{0..1}/shop", key: id, algorithm: modulo, id: {column: id}}
"#;

#[test]
fn ids_mysql() {
    run(Flavor::MySql);
}

#[test]
fn ids_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let servers = Servers::start(flavor, 2, &[]);
    for index in 0..2 {
        // No unique key that would hide a number given twice.
        servers.run(
            index,
            &[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.flakes (id BIGINT NOT NULL, who INT, KEY (id))",
                "CREATE TABLE shop.counts (id INT NOT NULL, who INT, KEY (id))",
            ],
        );
    }
    servers.run(1, &["INSERT INTO shop.counts VALUES (5001, 0)"]);
    let proxies: Vec<Proxy> = (0..3).map(|_| proxy(&servers)).collect();
    for table in ["flakes", "counts"] {
        let first = ids_of_all(&proxies[..2], table);
        // The third comes when the others have begun.
        let second = ids_of_all(&proxies, table);
        let count = 5 * CLIENTS * STATEMENTS * ROWS;
        assert_eq!(first.len() + second.len(), count);
        let all: BTreeSet<u64> = first.into_iter().chain(second).collect();
        assert_eq!(all.len(), count, "{table}: some id was given twice");
        let stored = format!("SELECT COUNT(DISTINCT id) FROM {table} WHERE who > 0");
        let stored: Vec<usize> = (0..2)
            .map(|index| {
                let login = servers.login(index).schema("shop");
                Client::open(&login).value(&stored).parse().expect("a number")
            })
            .collect();
        assert_eq!(stored.iter().sum::<usize>(), count);
        assert!(stored.iter().all(|rows| rows * 4 > count), "{table}: uneven: {stored:?}");
    }
    assert_eq!(value(&proxies[0], "SELECT MIN(id) > 5001 FROM counts WHERE who > 0"), "1");
    restart(&servers, proxies);
    lost_server(&servers);
}

fn proxy(servers: &Servers) -> Proxy {
    Proxy::start(RULES, &servers.variables())
}

fn client(proxy: &Proxy) -> Client {
    Client::open(&Login::new(proxy.address.clone(), USER, PASSWORD).schema("shop"))
}

fn value(proxy: &Proxy, sql: &str) -> String {
    client(proxy).value(sql)
}

/// The ids that clients of all proxies are given at the same time.
fn ids_of_all(proxies: &[Proxy], table: &str) -> Vec<u64> {
    thread::scope(|scope| {
        let clients = proxies.iter().flat_map(|proxy| (1..=CLIENTS).map(move |who| (proxy, who)));
        let threads: Vec<_> = clients
            .map(|(proxy, who)| scope.spawn(move || ids_of_one(&mut client(proxy), table, who)))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it ends well")).collect()
    })
}

/// Half of them as text, half prepared.
fn ids_of_one(client: &mut Client, table: &str, who: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    let text = format!("INSERT INTO {table} (who) VALUES ({who}), ({who}), ({who})");
    let prepared = client
        .prepare(&format!("INSERT INTO {table} (who, id) VALUES (?, NULL), (?, 0), (?, DEFAULT)"))
        .expect("the connection holds")
        .expect("the statement is prepared");
    let values: Vec<Value> = (0..ROWS).map(|_| Value::text(&who.to_string())).collect();
    for turn in 0..STATEMENTS {
        let replies = match turn % 2 {
            0 => client.query(&text),
            _ => client.execute(&prepared, &values),
        };
        let done = replies.expect("the connection holds").pop().expect("a reply").done();
        assert_eq!(done.affected, ROWS as u64);
        // Ids of a statement have no gap.
        ids.extend((0..ROWS as u64).map(|index| done.last_insert_id + index));
    }
    ids
}

/// A proxy that dies leaves a gap, and nothing else.
fn restart(servers: &Servers, proxies: Vec<Proxy>) {
    let greatest = |table: &str| -> u64 {
        let found = value(&proxies[0], &format!("SELECT MAX(id) FROM {table}"));
        found.parse().expect("a number")
    };
    let (flakes, counts) = (greatest("flakes"), greatest("counts"));
    drop(proxies);
    let again = proxy(servers);
    assert!(insert(&again, "flakes") > flakes);
    let id = insert(&again, "counts");
    assert!(id > counts && id <= counts + 200, "{id} after {counts}");
    // A greater value that a row brings is skipped, as by AUTO_INCREMENT.
    let past = id + 1000;
    client(&again).run(&format!("INSERT INTO counts (id, who) VALUES ({past}, 1)"));
    assert_eq!(insert(&again, "counts"), past + 1);
}

fn insert(proxy: &Proxy, table: &str) -> u64 {
    let replies = client(proxy).run(&format!("INSERT INTO {table} (who) VALUES (1)"));
    replies.into_iter().next().expect("a reply").done().last_insert_id
}

/// Without the table of numbers, ids go on for a while, then an error names the setting.
fn lost_server(servers: &Servers) {
    let proxy = proxy(servers);
    insert(&proxy, "flakes");
    let mut direct = Client::open(&servers.login(0));
    direct.run("RENAME TABLE margay.id_workers TO margay.hidden");
    // In place of it, one that cannot be used.
    direct.run("CREATE TABLE margay.id_workers (x INT)");
    assert!(insert(&proxy, "flakes") > 0);
    thread::sleep(Duration::from_secs(5));
    let error = client(&proxy).error("INSERT INTO flakes (who) VALUES (1)");
    assert!(error.message.contains("`ids.worker_lease`"), "{}", error.message);
    direct.run("DROP TABLE margay.id_workers");
    direct.run("RENAME TABLE margay.hidden TO margay.id_workers");
    assert!(insert(&proxy, "flakes") > 0);
}
