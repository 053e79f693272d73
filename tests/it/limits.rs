//! Limits as on a plain server: packets, columns, parameters, connections; and what of them is left after
//! clients that come and go.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use crate::client::reply::Reply;
use crate::client::value::Value;
use crate::client::{Client, Login, Refused, command};
use crate::fixture::{Check, PASSWORD, Proxy, Servers, refusal, rules, run_checks, wanted};

const CHECKS: [Check<Stage>; 7] = [
    ("packets that are too large", packets),
    ("columns and parameters", columns_and_parameters),
    ("big statements and rows", big),
    ("statements prepared anew", prepared_anew),
    ("connections of a user", connections_of_users),
    ("slow logins", slow_logins),
    ("connects and disconnects", connects),
];

/// A proxy with small limits, and a plain server with the same.
struct Stage {
    small: Proxy,
    usual: Proxy,
    servers: Servers,
}

impl Stage {
    fn plain(&self) -> Login {
        self.servers.login(2).schema("shop")
    }
}

#[test]
fn limits_mysql() {
    run(Flavor::MySql);
}

#[test]
fn limits_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let servers = Servers::start(flavor, 3, &["--max-allowed-packet=64M", "--max-connections=500"]);
    for index in 0..2 {
        servers.run(index, &["CREATE DATABASE shop"]);
        (0..4).for_each(|shard| servers.run(index, &[&format!("CREATE DATABASE shop_{shard}")]));
    }
    servers.run(2, &["CREATE DATABASE shop", "SET GLOBAL max_allowed_packet = 1048576"]);
    let rules = rules("rules.yaml");
    let small = rules
        .replace("listen:", "limits: {max_allowed_packet: 1MiB, handshake_timeout: 1s, max_connections: 20}\nlisten:")
        .replace("  app: {", "  app: {max_connections: 3, ");
    let variables = servers.variables();
    let (small, usual) = (Proxy::start(&small, &variables), Proxy::start(&rules, &variables));
    run_checks(&Stage { small, usual, servers }, &CHECKS);
}

/// The code of the error, or 0 where the connection breaks while the client still writes.
fn too_large(login: &Login, length: usize) -> u16 {
    let mut client = Client::open(login);
    let outcome = client.query(&format!("SELECT LENGTH('{}')", "x".repeat(length)));
    let code = match outcome.map(|mut replies| replies.pop()) {
        Ok(Some(Reply::Error(error))) => error.code,
        Ok(other) => panic!("{other:?}"),
        Err(_) => 0,
    };
    // Nobody knows any more where the next packet begins.
    assert!(client.query("SELECT 1").is_err());
    code
}

fn packets(stage: &Stage) {
    for length in [1 << 20, 3 << 20, 20 << 20] {
        for login in [stage.plain(), stage.small.login()] {
            let code = too_large(&login, length);
            assert!(matches!(code, 0 | 1153), "{length}: {code}");
        }
    }
    let fits = "x".repeat((1 << 20) - 100);
    let mut client = Client::open(&stage.small.login());
    assert_eq!(client.value(&format!("SELECT LENGTH('{fits}')")), fits.len().to_string());
    // What a function would make is NULL, with a warning, and the connection goes on.
    let mut plain = Client::open(&stage.plain());
    assert_eq!(plain.rows("SELECT REPEAT('x', 2000000)"), [[None]]);
    assert_eq!(plain.rows("SHOW WARNINGS")[0][1].as_deref(), Some("1301"));
    assert_eq!(client.rows("SELECT REPEAT('x', 100000000)"), [[None]]);
    assert_eq!(client.rows("SHOW WARNINGS")[0][1].as_deref(), Some("1301"));
    // A parameter that comes in parts.
    let mut codes = Vec::new();
    for login in [stage.plain(), stage.small.login()] {
        let mut client = Client::open(&login);
        let statement = client.prepare("SELECT LENGTH(?)").unwrap().unwrap();
        for _ in 0..3 {
            let mut body = statement.id.to_le_bytes().to_vec();
            body.extend_from_slice(&[0, 0]);
            body.resize(700_000, b'x');
            client.command(command::STMT_SEND_LONG_DATA, &body).unwrap();
        }
        client.send_execute(statement.id, &[Value::text("")], 0).unwrap();
        codes.push(match client.read_replies().unwrap().pop() {
            Some(Reply::Error(error)) => error.code,
            Some(_) => 0,
            None => panic!("no reply"),
        });
        assert_eq!(client.value("SELECT 1"), "1");
    }
    assert_eq!(codes[1], codes[0], "long data over the limit");
    assert_ne!(codes[0], 0);
}

fn columns_and_parameters(stage: &Stage) {
    let list = |count: usize, item: &str| vec![item; count].join(",");
    let mut plain = Client::open(&stage.plain());
    let mut proxy = Client::open(&stage.usual.login());
    for client in [&mut plain, &mut proxy] {
        assert_eq!(client.rows(&format!("SELECT {}", list(4096, "1")))[0].len(), 4096);
        client.run("CREATE TABLE t_hash (id BIGINT PRIMARY KEY, n INT)");
        let columns = list(4095, "n");
        let sql = format!("SELECT id, {columns} FROM t_hash ORDER BY id");
        assert_eq!(client.run(&sql).len(), 1);
        client.run("INSERT INTO t_hash VALUES (1, 1), (2, 2), (70000, 3)");
        let sql = |count| format!("SELECT COUNT(*) FROM t_hash WHERE id IN ({})", list(count, "?"));
        let statement = client.prepare(&sql(65_535)).unwrap().unwrap();
        assert_eq!(statement.params, 65_535);
        let values: Vec<Value> = (1..=65_535).map(Value::Int).collect();
        match client.execute(&statement, &values).unwrap().pop() {
            Some(Reply::Rows(rows)) => assert_eq!(rows.packets.len(), 1),
            other => panic!("{other:?}"),
        }
        assert_eq!(client.prepare(&sql(65_536)).unwrap().unwrap_err().code, 1390);
        assert_eq!(client.value("SELECT COUNT(*) FROM t_hash"), "3");
        client.run("DROP TABLE t_hash");
    }
}

fn big(stage: &Stage) {
    let mut client = Client::open(&stage.usual.login());
    let text = "y".repeat((64 << 20) - 100);
    assert_eq!(client.value(&format!("SELECT LENGTH('{text}')")), text.len().to_string());
    drop(text);
    // Rows of several packets, of one shard and of all.
    client.run("CREATE TABLE t_hash (id BIGINT PRIMARY KEY, body LONGTEXT)");
    client.run("INSERT INTO t_hash VALUES (1, REPEAT('a', 20000000)), (2, REPEAT('b', 17000000))");
    for sql in
        ["SELECT body, body FROM t_hash WHERE id = 1", "SELECT body, id FROM t_hash ORDER BY id"]
    {
        let rows = client.rows(sql);
        assert!(rows[0][0].as_ref().is_some_and(|body| body.len() == 20_000_000), "{sql}");
    }
    client.run("DROP TABLE t_hash");
}

/// The tables change, the servers' connections break: a client's statement works on.
fn prepared_anew(stage: &Stage) {
    let mut client = Client::open(&stage.usual.login());
    client.run("CREATE TABLE t_hash (id BIGINT PRIMARY KEY, a INT)");
    client.run("INSERT INTO t_hash VALUES (1, 10), (2, 20), (3, 30)");
    let one = client.prepare("SELECT * FROM t_hash WHERE id = ?").unwrap().unwrap();
    let all = client.prepare("SELECT * FROM t_hash WHERE id > ? ORDER BY id").unwrap().unwrap();
    let check = |client: &mut Client, columns: usize| {
        for (statement, value, count) in [(&one, 2, 1), (&all, 0, 3), (&one, 3, 1), (&all, 1, 2)] {
            match client.execute(statement, &[Value::Int(value)]).unwrap().pop() {
                Some(Reply::Rows(rows)) => {
                    assert_eq!((rows.columns.len(), rows.packets.len()), (columns, count));
                }
                other => panic!("{other:?}"),
            }
        }
    };
    check(&mut client, 2);
    Client::open(&stage.usual.login())
        .run("ALTER TABLE t_hash ADD COLUMN b VARCHAR(9) DEFAULT 'b'");
    check(&mut client, 3);
    client.run("ALTER TABLE t_hash DROP COLUMN a");
    check(&mut client, 2);
    for round in 0..3 {
        for index in 0..2 {
            let mut server = Client::open(&stage.servers.login(index));
            let ids = server.rows(
                "SELECT id FROM information_schema.processlist WHERE command = 'Sleep' AND id <> CONNECTION_ID()",
            );
            for id in ids.iter().flatten().flatten() {
                // It may have gone by itself.
                let _ = server.query(&format!("KILL {id}"));
            }
        }
        if round > 0 {
            thread::sleep(Duration::from_millis(100));
        }
        check(&mut client, 2);
    }
    client.run("DROP TABLE t_hash");
}

fn connections_of_users(stage: &Stage) {
    let login = stage.small.login();
    let open = || Client::connect(&login);
    let mut held: Vec<Client> = (0..3).map(|_| open().unwrap()).collect();
    match open() {
        Err(Refused::Server(error)) => {
            assert_eq!((error.code, error.state.as_str()), (1226, "42000"));
            assert_eq!(
                error.message,
                "User 'app' has exceeded the 'max_user_connections' resource (current value: 3)"
            );
        }
        other => panic!("{other:?}"),
    }
    // A wrong password says nothing of it.
    assert_eq!(refusal(&Login { password: "wrong".into(), ..login.clone() }).0, 1045);
    held[0].change_user(&Login::new("", "app", PASSWORD)).unwrap();
    assert_eq!(held[0].value("SELECT 1"), "1");
    drop(held);
    until("the places are free", || open().is_ok());
    // All places of the proxy.
    let other = Login { user: "homed".into(), ..login.clone() };
    let mut held = Vec::new();
    let refused = loop {
        match Client::connect(&other) {
            Ok(client) => held.push(client),
            Err(Refused::Server(error)) => break error,
            Err(Refused::Io(error)) => panic!("{error}"),
        }
    };
    assert_eq!((refused.code, refused.message.as_str()), (1040, "Too many connections"));
    assert!((15..=20).contains(&held.len()), "{}", held.len());
    drop(held);
    until("the places are free", || Client::connect(&other).is_ok());
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < limit, "still not: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Clients that stop in the middle of their login are dropped in time.
fn slow_logins(stage: &Stage) {
    let starts: [&[u8]; 4] = [
        b"",
        b"\x20",
        b"\x20\0\0\x01\x85",
        b"\x20\0\0\x01\x85\xae\xff\x01\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ];
    for start in starts {
        let began = Instant::now();
        let mut socket = TcpStream::connect(&stage.small.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        std::io::Write::write_all(&mut socket, start).unwrap();
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
        let took = began.elapsed();
        assert!(took > Duration::from_millis(900) && took < Duration::from_secs(10), "{took:?}");
    }
}

/// Nothing is left of clients that came and went, in whatever order they did.
fn connects(stage: &Stage) {
    let Some(pid) = stage.usual.pid() else { return };
    let files = || fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    let round = |count: usize| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..count / 4).for_each(|number| visit(&stage.usual, number)));
            }
        });
    };
    round(400);
    thread::sleep(Duration::from_millis(500));
    let (before, memory) = (files(), stage.usual.memory_kib("VmRSS"));
    round(10_000);
    until("files are closed", || files() <= before + 20);
    let grown = stage.usual.memory_kib("VmRSS").saturating_sub(memory);
    eprintln!("10,000 clients: {before} files before, {} after, {grown} KiB more", files());
    assert!(grown < 40 << 10, "{grown} KiB are left");
    assert_eq!(Client::open(&stage.usual.login()).value("SELECT 1"), "1");
}

fn visit(proxy: &Proxy, number: usize) {
    match number % 5 {
        0 => drop(TcpStream::connect(&proxy.address)),
        1 => drop(Client::greet(&proxy.address)),
        2 => drop(Client::connect(&Login { password: "wrong".into(), ..proxy.login() })),
        3 => drop(Client::open(&proxy.login())),
        _ => {
            let mut client = Client::open(&proxy.login());
            assert_eq!(client.value("SELECT 1"), "1");
            let _ = client.command(command::QUIT, &[]);
        }
    }
}
