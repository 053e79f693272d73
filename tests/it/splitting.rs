//! Reads go to replicas, writes to the primary, and a dead or late server gets nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use margay::cli::demo::replication::{catch_up, replicate};
use tokio::time::Instant;

use crate::client::reply::Reply;
use crate::client::{Client, Login};
use crate::fixture::{Proxy, Servers, rules, wanted};

const PRIMARY: &str = "1";
const REPLICAS: [&str; 2] = ["2", "3"];
const WHO: &str = "SELECT @@server_id FROM notes WHERE id = 1";
/// How soon a change of a server's health must show.
const NOTICE_LIMIT: Duration = Duration::from_secs(15);
/// How soon a statement must fail when nobody can run it.
const FAIL_LIMIT: Duration = Duration::from_secs(8);

#[test]
fn splitting_mysql() {
    run(Flavor::MySql);
}

#[test]
fn splitting_mariadb() {
    run(Flavor::MariaDb);
}

/// A primary, two replicas, a proxy in front.
struct Replicated {
    proxy: Proxy,
    servers: Servers,
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let mut cluster = start(flavor);
    reads_are_spread(&cluster);
    some_reads_stay_on_the_primary(&cluster);
    own_writes_are_seen(&cluster);
    a_late_replica_gets_no_reads(&cluster);
    a_dead_replica_gets_no_reads(&mut cluster);
    a_dead_primary_is_a_clear_error(&mut cluster);
}

fn start(flavor: Flavor) -> Replicated {
    let mut servers = Servers::start(flavor, 3, &[]);
    let (primary, replicas) = servers.servers.split_at_mut(1);
    servers.runtime.block_on(async {
        for replica in replicas {
            replicate(&primary[0], replica).await.expect("the replica follows");
        }
    });
    servers
        .run(0, &["CREATE DATABASE shop", "CREATE TABLE shop.notes (id INT PRIMARY KEY, n INT)"]);
    servers.run(0, &["INSERT INTO shop.notes VALUES (1, 0), (2, 0)"]);
    let cluster =
        Replicated { proxy: Proxy::start(&rules("replicas.yaml"), &servers.variables()), servers };
    cluster.catch_up();
    cluster
}

impl Replicated {
    fn login(&self, user: &str) -> Login {
        Login { user: user.to_owned(), ..self.proxy.login() }
    }

    fn client(&self, user: &str) -> Client {
        Client::open(&self.login(user))
    }

    fn catch_up(&self) {
        let [primary, replicas @ ..] = self.servers.servers.as_slice() else { return };
        self.servers.runtime.block_on(async {
            for replica in replicas {
                catch_up(primary, replica, Duration::from_secs(30)).await.expect("it catches up");
            }
        });
    }
}

/// How many of 60 reads each server answers, each read on a new connection or the same.
fn count(client: &mut Client, sql: &str) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for _ in 0..60 {
        *counts.entry(client.value(sql)).or_default() += 1;
    }
    counts
}

/// Waits until all of 60 reads come from these servers.
fn wait_for(client: &mut Client, servers: &[&str]) {
    let limit = Instant::now() + NOTICE_LIMIT;
    loop {
        let counts = count(client, WHO);
        if counts.keys().eq(servers.iter()) {
            return;
        }
        assert!(Instant::now() < limit, "expected reads from {servers:?}, got {counts:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn reads_are_spread(cluster: &Replicated) {
    for user in ["loose", "app"] {
        wait_for(&mut cluster.client(user), &REPLICAS);
    }
    let mut client = cluster.client("loose");
    // Reads without concurrency follow the weights, 1 to 2, if not exactly.
    let counts = count(&mut client, WHO);
    assert!(counts["3"] > counts["2"], "{counts:?}");
    let statement = client.prepare(WHO).unwrap().unwrap();
    let packets = (0..20).flat_map(|_| match client.execute(&statement, &[]).unwrap().pop() {
        Some(Reply::Rows(rows)) => rows.packets,
        other => panic!("{other:?}"),
    });
    let servers: Vec<u8> = packets.map(|packet| packet[2]).collect();
    assert!(!servers.contains(&1), "prepared reads go to replicas too: {servers:?}");
}

fn some_reads_stay_on_the_primary(cluster: &Replicated) {
    let only = BTreeMap::from([(PRIMARY.to_owned(), 60)]);
    let mut client = cluster.client("loose");
    let hinted = "SELECT /*margay: primary */ @@server_id FROM notes WHERE id = 1";
    assert_eq!(count(&mut client, hinted), only);
    assert_eq!(count(&mut client, &format!("{WHO} FOR UPDATE")), only);
    client.run("BEGIN");
    assert_eq!(count(&mut client, WHO), only);
    client.run("ROLLBACK");
    client.run("SET autocommit = 0");
    assert_eq!(count(&mut client, WHO), only);
    client.run("COMMIT");
    client.run("SET autocommit = 1");
    wait_for(&mut client, &REPLICAS);
    assert_eq!(count(&mut cluster.client("strict"), WHO), only);
}

fn own_writes_are_seen(cluster: &Replicated) {
    let mut writer = cluster.client("app");
    for n in 1..=200 {
        writer.run(&format!("UPDATE notes SET n = {n} WHERE id = 2"));
        assert_eq!(writer.value("SELECT n FROM notes WHERE id = 2"), n.to_string());
    }
    for n in 201..=260 {
        writer.run("BEGIN");
        writer.run(&format!("UPDATE notes SET n = {n} WHERE id = 2"));
        writer.run("COMMIT");
        assert_eq!(writer.value("SELECT n FROM notes WHERE id = 2"), n.to_string());
    }
    // Replicas are used again once they have the write.
    cluster.catch_up();
    wait_for(&mut writer, &REPLICAS);
}

fn a_late_replica_gets_no_reads(cluster: &Replicated) {
    let (stop, start) = match cluster.servers.servers[1].flavor() {
        Flavor::MySql => ("STOP REPLICA", "START REPLICA"),
        Flavor::MariaDb => ("STOP SLAVE", "START SLAVE"),
    };
    cluster.servers.run(1, &[stop]);
    cluster.servers.run(0, &["UPDATE shop.notes SET n = n + 1 WHERE id = 1"]);
    wait_for(&mut cluster.client("loose"), &["3"]);
    cluster.servers.run(1, &[start]);
    wait_for(&mut cluster.client("loose"), &REPLICAS);
}

fn a_dead_replica_gets_no_reads(cluster: &mut Replicated) {
    let mut client = cluster.client("loose");
    cluster.servers.servers[1].kill();
    // Not one read fails: it had sent nothing back, so another server runs it.
    wait_for(&mut client, &["3"]);
    cluster.servers.servers[2].kill();
    wait_for(&mut client, &[PRIMARY]);
    for index in [1, 2] {
        let server = &mut cluster.servers.servers[index];
        cluster.servers.runtime.block_on(server.start_again()).expect("it starts again");
    }
    wait_for(&mut client, &REPLICAS);
}

fn a_dead_primary_is_a_clear_error(cluster: &mut Replicated) {
    let mut client = cluster.client("loose");
    cluster.servers.servers[0].kill();
    let start = Instant::now();
    for attempt in 0..3 {
        let mut client = cluster.client("loose");
        let error = client.error("UPDATE notes SET n = 5 WHERE id = 1");
        assert!(matches!(error.code, 1429 | 1430), "{attempt}: {error}");
        assert!(error.message.contains("c0"), "the message names the cluster: {error}");
    }
    assert!(start.elapsed() < FAIL_LIMIT, "it took {:?}", start.elapsed());
    // Replicas go on answering reads that may be old.
    wait_for(&mut client, &REPLICAS);
    let server = &mut cluster.servers.servers[0];
    cluster.servers.runtime.block_on(server.start_again()).expect("it starts again");
    let limit = Instant::now() + NOTICE_LIMIT;
    while let Some(Reply::Error(error)) =
        client.query("UPDATE notes SET n = 6 WHERE id = 1").unwrap().pop()
    {
        assert!(Instant::now() < limit, "the primary is back, still: {error}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
