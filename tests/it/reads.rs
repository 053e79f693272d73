//! Reads on replicas: what a session has written it reads, whatever replication does.

use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use margay::cli::demo::replication::replicate;
use margay::cli::demo::server::Server;
use tokio::time::Instant;

use crate::client::{Client, Login};
use crate::fixture::{PASSWORD, Proxy, Servers, USER, wanted};

/// How soon replicas must get reads again.
const LIMIT: Duration = Duration::from_secs(20);

const RULES: &str = "\
listen: 127.0.0.1:0
server_version: ${SERVER_VERSION}
health: {interval: 100ms, timeout: 1s, lag_limit: 30s # more
  }
clusters:
  # clusters
users:
  app: {password: \"${APP_PASSWORD}\", schemas: {notes: [read, write]}}
  lazy: {password: \"${APP_PASSWORD}\", reads: eventual, schemas: {notes: [read, write]}}
schemas:
  notes:
    default_shard: c0/notes
    tables:
      notes: {shards: \"c{0..1}/notes\", key: id, algorithm: modulo}
";

#[test]
fn own_writes_are_read_mysql() {
    run(Flavor::MySql);
}

#[test]
fn own_writes_are_read_mariadb() {
    run(Flavor::MariaDb);
}

/// Two clusters of a primary (servers 0 and 1) and a replica (servers 2 and 3).
struct Field {
    flavor: Flavor,
    servers: Servers,
}

impl Field {
    fn start(flavor: Flavor) -> Self {
        let mut servers = Servers::start(flavor, 4, &[]);
        let Servers { servers: all, runtime } = &mut servers;
        let (primaries, replicas) = all.split_at_mut(2);
        for (primary, replica) in primaries.iter().zip(replicas) {
            runtime.block_on(replicate(primary, replica)).expect("the replica follows");
        }
        for index in 0..2 {
            servers.run(
                index,
                &[
                    "CREATE DATABASE notes",
                    "CREATE TABLE notes.notes (id INT PRIMARY KEY, v INT NOT NULL)",
                ],
            );
        }
        Self { flavor, servers }
    }

    fn proxy(&self, more: &str) -> Proxy {
        let port = |index: usize| self.servers.servers[index].port();
        let clusters = (0..2).map(|index| {
            format!(
                "  c{index}: {{primary: \"127.0.0.1:{}\", replicas: [\"127.0.0.1:{}\"], \
                 user: \"${{BACKEND_USER}}\", password: \"${{BACKEND_PASSWORD}}\", tls: disabled}}\n",
                port(index),
                port(index + 2)
            )
        });
        let rules = RULES.replace(" # more", more);
        let rules = rules.replace("  # clusters\n", &clusters.collect::<String>());
        Proxy::start(&rules, &self.servers.variables())
    }

    /// Runs a statement on both replicas.
    fn on_replicas(&self, mysql: &str, mariadb: &str) {
        let statement = match self.flavor {
            Flavor::MySql => mysql,
            Flavor::MariaDb => mariadb,
        };
        (2..4).for_each(|index| self.servers.run(index, &[statement]));
    }

    fn delay(&self, seconds: u32) {
        self.on_replicas("STOP REPLICA SQL_THREAD", "STOP SLAVE");
        self.on_replicas(
            &format!("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = {seconds}"),
            &format!("CHANGE MASTER TO MASTER_DELAY = {seconds}"),
        );
        self.on_replicas("START REPLICA SQL_THREAD", "START SLAVE");
    }
}

fn login(proxy: &Proxy, user: &str) -> Login {
    Login::new(proxy.address.clone(), user, PASSWORD).schema("notes")
}

fn client(proxy: &Proxy) -> Client {
    Client::open(&login(proxy, USER))
}

/// The value of a note, and whether a replica told it.
fn read(client: &mut Client, id: u32) -> (i64, bool) {
    read_by(client, id, "")
}

fn read_by(client: &mut Client, id: u32, hint: &str) -> (i64, bool) {
    let rows = client.rows(&format!("SELECT {hint} v, @@server_id FROM notes WHERE id = {id}"));
    let number = |index: usize| -> i64 {
        let text = rows[0][index].as_ref().expect("no NULL");
        text.parse().expect("a number")
    };
    (number(0), number(1) > 2)
}

/// Waits until replicas of both clusters serve the session again; what it reads must be right all along.
fn until_replicas_serve(client: &mut Client, expect: i64) {
    let start = Instant::now();
    loop {
        let reads = [0, 1].map(|id| read(client, id));
        assert!(reads.iter().all(|(v, _)| *v == expect), "{reads:?} in place of {expect}");
        if reads.iter().all(|(_, on_replica)| *on_replica) {
            return;
        }
        assert!(start.elapsed() < LIMIT, "replicas get no reads: {reads:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All ways to write over one and over both clusters.
fn write(client: &mut Client, way: i64, v: i64) {
    match way % 4 {
        0 => {
            client.run(&format!("UPDATE notes SET v = {v} WHERE id = 0"));
            client.run(&format!("UPDATE notes SET v = {v} WHERE id = 1"));
        }
        1 => drop(client.run(&format!("UPDATE notes SET v = {v}"))),
        2 => {
            client.run("BEGIN");
            client.run(&format!("UPDATE notes SET v = {v} WHERE id = 1"));
            client.run(&format!("UPDATE notes SET v = {v} WHERE id = 0"));
            client.run("COMMIT");
        }
        _ => {
            client.run("SET autocommit = 0");
            client.run(&format!("REPLACE INTO notes (id, v) VALUES (0, {v}), (1, {v})"));
            client.run("COMMIT");
            client.run("SET autocommit = 1");
        }
    }
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let mut field = Field::start(flavor);
    let proxy = field.proxy("");
    let mut client = client(&proxy);
    client.run("INSERT INTO notes (id, v) VALUES (0, 0), (1, 0)");
    until_replicas_serve(&mut client, 0);
    in_a_loop(&mut client);
    while_stopped(&field, &mut client);
    while_delayed(&field, &proxy, &mut client);
    after_a_restart(&mut field, &mut client);
    drop(proxy);
    waiting(&field);
}

fn in_a_loop(client: &mut Client) {
    let mut on_replicas = 0;
    for v in 1..=400 {
        write(client, v, v);
        for id in [1, 0, 1] {
            let (found, on_replica) = read(client, id);
            assert_eq!(found, v, "note {id}, on a replica: {on_replica}");
            on_replicas += usize::from(on_replica);
        }
        let rows = client.rows("SELECT SUM(v) FROM notes");
        assert_eq!(rows[0][0].as_deref(), Some((2 * v).to_string().as_str()));
    }
    eprintln!("{on_replicas} of 1200 reads on replicas");
    until_replicas_serve(client, 400);
    // A write of nothing keeps no read from the replicas.
    client.run("UPDATE notes SET v = 5 WHERE id = 7");
    client.run("UPDATE notes SET v = v WHERE id = 1");
    client.run("BEGIN");
    client.run("UPDATE notes SET v = 9");
    client.run("ROLLBACK");
    assert_eq!([0, 1].map(|id| read(client, id)), [(400, true); 2]);
}

fn while_stopped(field: &Field, client: &mut Client) {
    field.on_replicas("STOP REPLICA SQL_THREAD", "STOP SLAVE SQL_THREAD");
    for v in 1..=100 {
        write(client, v, v);
        assert_eq!([0, 1].map(|id| read(client, id)), [(v, false); 2]);
    }
    field.on_replicas("START REPLICA SQL_THREAD", "START SLAVE SQL_THREAD");
    until_replicas_serve(client, 100);
}

fn while_delayed(field: &Field, proxy: &Proxy, client: &mut Client) {
    field.delay(3);
    until_replicas_serve(client, 100);
    let mut other = Client::open(&login(proxy, USER));
    let mut lazy = Client::open(&login(proxy, "lazy"));
    for v in 201..=240 {
        write(client, v, v);
        assert_eq!([0, 1].map(|id| read(client, id)), [(v, false); 2]);
    }
    // Replicas are up: they serve those who have not written.
    assert_eq!(read(&mut other, 0), (100, true));
    assert_eq!(read(&mut lazy, 0), (100, true));
    lazy.run("SET SESSION margay_read_consistency = 'strong'");
    assert_eq!(read(&mut lazy, 0), (240, false));
    lazy.run("SET @@margay_read_consistency = DEFAULT");
    assert_eq!(lazy.value("SELECT @@margay_read_consistency"), "eventual");
    // The level counts at the time of the read.
    assert_eq!(read_by(client, 0, "/*margay: read=eventual */"), (100, true));
    assert_eq!(read_by(&mut other, 0, "/*margay: read=strong */"), (240, false));
    other.run("SET margay_read_consistency = strong");
    assert_eq!(other.value("SELECT @@margay_read_consistency"), "strong");
    let shown = other.rows("SHOW VARIABLES LIKE 'margay%'");
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0][1].as_deref(), Some("strong"));
    assert_eq!(read(&mut other, 0), (240, false));
    until_replicas_serve(client, 240);
    field.delay(0);
    until_replicas_serve(client, 240);
}

fn after_a_restart(field: &mut Field, client: &mut Client) {
    write(client, 0, 300);
    let Servers { servers, runtime } = &mut field.servers;
    servers[2..].iter_mut().for_each(Server::kill);
    write(client, 1, 301);
    assert_eq!([0, 1].map(|id| read(client, id)), [(301, false); 2]);
    for server in &mut servers[2..] {
        runtime.block_on(server.start_again()).expect("the replica starts again");
    }
    until_replicas_serve(client, 301);
}

/// With `health.catch_up` reads wait for a replica that is just behind.
fn waiting(field: &Field) {
    let proxy = field.proxy(", catch_up: 5s");
    let mut client = client(&proxy);
    until_replicas_serve(&mut client, 301);
    for v in 1..=40 {
        write(&mut client, v, v);
        assert_eq!([0, 1].map(|id| read(&mut client, id)), [(v, true); 2]);
    }
    let proxy = field.proxy(", catch_up: 100ms");
    let mut client = self::client(&proxy);
    until_replicas_serve(&mut client, 40);
    field.delay(2);
    until_replicas_serve(&mut client, 40);
    write(&mut client, 2, 50);
    assert_eq!([0, 1].map(|id| read(&mut client, id)), [(50, false); 2]);
    until_replicas_serve(&mut client, 50);
}
