//! Compressed connections, by zlib and zstd, of clients and to servers, plain and over TLS.

use std::sync::Arc;
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;

use crate::certificates::trusting_all;
use crate::client::reply::{Item, Reply};
use crate::client::transport::Packing;
use crate::client::value::Value;
use crate::client::{Client, Login, Refused, capability, command};
use crate::fixture::{Proxy, Servers, rules, wanted};

const PACKINGS: [Packing; 3] = [Packing::Zlib, Packing::Zstd(1), Packing::Zstd(19)];

#[test]
fn compression_mysql() {
    run(Flavor::MySql);
}

#[test]
fn compression_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let options = ["--max-allowed-packet=128M", "--local-infile=ON"];
    let servers = Servers::start(flavor, 2, &options);
    for index in 0..2 {
        servers.run(index, &["CREATE DATABASE shop"]);
        for shard in 0..4 {
            servers.run(index, &[&format!("CREATE DATABASE shop_{shard}")]);
        }
    }
    let backends = match flavor {
        Flavor::MySql => vec!["none", "zlib", "zstd"],
        Flavor::MariaDb => vec!["none", "zlib"],
    };
    for name in backends {
        let proxy = start(&servers, &format!("compression: {name}"));
        fill(&proxy);
        if name == "none" {
            PACKINGS.iter().for_each(|packing| conversation(&proxy, *packing));
            refused(&proxy);
        }
        eprintln!("{flavor}: {name}");
        conversation(&proxy, Packing::Zlib);
        talk(&proxy.login());
        saves(&servers, &proxy, name);
        loads(&proxy);
    }
    let algorithm = "zstd";
    if flavor == Flavor::MariaDb {
        let proxy = start(&servers, &format!("compression: {algorithm}"));
        let error = Client::open(&proxy.login()).error("SELECT COUNT(*) FROM t_hash");
        assert_eq!(error.code, 1429);
        assert!(error.message.contains("does not compress by zstd"), "{error}");
    }
}

fn start(servers: &Servers, setting: &str) -> Proxy {
    let account = "user: \"${BACKEND_USER}\"";
    let rules = rules("rules.yaml").replace(account, &format!("{account}, {setting}"));
    let rules = format!("local_infile: true\n{rules}");
    Proxy::start(&rules, &servers.variables())
}

fn fill(proxy: &Proxy) {
    let mut client = Client::open(&proxy.login());
    client.run("DROP TABLE IF EXISTS t_hash");
    client.run("CREATE TABLE t_hash (id BIGINT PRIMARY KEY, body LONGTEXT)");
    for chunk in 0..4 {
        let rows: Vec<String> = (0..1000)
            .map(|row| format!("({}, REPEAT('abc {row} ', 20))", chunk * 1000 + row))
            .collect();
        client.run(&format!("INSERT INTO t_hash VALUES {}", rows.join(", ")));
    }
}

fn conversation(proxy: &Proxy, packing: Packing) {
    let login = proxy.login().packing(packing);
    talk(&login);
    status(&login, packing, "");
    let tls = Login { tls: Some(Arc::new(trusting_all())), ..login };
    talk(&tls);
    status(&tls, packing, "TLSv1.3");
    if matches!(packing, Packing::Zlib | Packing::Zstd(1)) {
        sizes(&tls);
    }
}

/// All that a connection can be used for.
fn talk(login: &Login) {
    let mut client = Client::open(&login.clone().with(capability::MULTI_STATEMENTS));
    assert_eq!(client.value("SELECT 1"), "1");
    assert_eq!(client.rows("SELECT id, body FROM t_hash ORDER BY id").len(), 4_000);
    assert_eq!(client.value("SELECT COUNT(*) FROM t_hash"), "4000");
    assert_eq!(client.error("SELECT nothing").code, 1054);
    assert_eq!(client.run("SELECT 1; SELECT id FROM t_hash WHERE id < 9; DO 1").len(), 3);
    let statement = client.prepare("SELECT body FROM t_hash WHERE id >= ?").unwrap().unwrap();
    for least in [0, 3_990, 5_000] {
        match client.execute(&statement, &[Value::Int(least)]).unwrap().pop() {
            Some(Reply::Rows(rows)) => {
                assert_eq!(rows.packets.len() as i64, (4_000 - least).max(0));
            }
            other => panic!("{other:?}"),
        }
    }
    client.simple(command::PING, &[]).unwrap().done();
    client.simple(command::RESET_CONNECTION, &[]).unwrap().done();
    client.change_user(login).unwrap();
    assert_eq!(client.value("SELECT 2"), "2");
    killed(login, &mut client);
}

/// A statement is killed amid its rows; the connection goes on.
fn killed(login: &Login, client: &mut Client) {
    let mut other = Client::open(login);
    let id = client.value("SELECT CONNECTION_ID()");
    let sql = "SELECT a.body FROM t_hash a JOIN t_hash b ON a.id = b.id - b.id + a.id WHERE SLEEP(0.001) = 0";
    client.command(command::QUERY, sql.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    other.run(&format!("KILL QUERY {id}"));
    match client.read_replies() {
        Ok(mut replies) => match replies.pop() {
            Some(Reply::Error(error)) => assert_eq!(error.code, 1317, "{error}"),
            other => panic!("{other:?}"),
        },
        Err(error) => panic!("the connection ended: {error}"),
    }
    assert_eq!(client.value("SELECT 3"), "3");
}

/// Statements and values around the limits of packets, in compressed packets of several sizes.
fn sizes(login: &Login) {
    let mut client = Client::open(login);
    let limit = 0xff_ffff;
    let sizes = [(49, 1), (50, 7), (limit - 20, 77_777), (limit - 9, limit), (limit + 1, limit)];
    for (length, part_max) in sizes {
        client.limit_parts(part_max);
        let text: String = (0..length).map(|at| char::from(b'a' + (at * at % 23) as u8)).collect();
        let sql = format!("SELECT LENGTH('{text}'), '{text}' FROM t_hash WHERE id = 1");
        let rows = client.rows(&sql);
        assert_eq!(rows[0][0], Some(length.to_string()));
        assert!(rows[0][1].as_deref() == Some(&text), "{length} bytes come back otherwise");
    }
    client.limit_parts(limit);
    // What is compressed is sent on while the rows come.
    client.command(command::QUERY, b"SELECT body FROM t_hash").unwrap();
    client.read_head().unwrap();
    let mut count = 0;
    while let (Item::Row, _) = client.read_item().unwrap() {
        count += 1;
    }
    assert_eq!(count, 4_000);
    assert!(client.packed_bytes().is_some());
}

fn status(login: &Login, packing: Packing, tls: &str) {
    let mut client = Client::open(login);
    let rows = client.rows("SHOW STATUS LIKE 'Compression%'");
    let value = |name: &str| {
        let row = rows.iter().find(|row| row[0].as_deref() == Some(name))?;
        row[1].clone()
    };
    assert_eq!(value("Compression").as_deref(), Some("ON"));
    let (name, level) = match packing {
        Packing::Zlib => ("zlib", 6),
        Packing::Zstd(level) => ("zstd", level),
    };
    // MariaDB has no more of them.
    if rows.len() > 1 {
        assert_eq!(value("Compression_algorithm").as_deref(), Some(name));
        assert_eq!(value("Compression_level"), Some(level.to_string()));
    }
    let version = client.rows("SHOW SESSION STATUS LIKE 'ssl_version'");
    assert_eq!(version[0][1].as_deref(), Some(tls));
}

fn refused(proxy: &Proxy) {
    for level in [0, 23] {
        match Client::connect(&proxy.login().packing(Packing::Zstd(level))) {
            Err(Refused::Server(error)) => assert_eq!(error.code, 1043, "{error}"),
            other => panic!("{other:?}"),
        }
    }
    let mut client = Client::open(&proxy.login().packing(Packing::Zlib));
    assert_eq!(client.value("SELECT 1"), "1");
    // A packet that is not what it says ends the connection, and nothing else.
    client.write_raw(&[4, 0, 0, 0, 0xff, 0xff, 0xff, 1, 2, 3, 4]).unwrap();
    assert!(client.query("SELECT 1").is_err());
    assert_eq!(Client::open(&proxy.login()).value("SELECT 1"), "1");
}

/// Rows that are alike take less of the network.
fn saves(servers: &Servers, proxy: &Proxy, backend: &str) {
    let sql = "SELECT REPEAT(body, 50) FROM t_hash WHERE id < 400";
    let mut client = Client::open(&proxy.login().packing(Packing::Zlib));
    let before = client.packed_bytes().unwrap_or_default();
    let rows = client.rows(sql);
    let plain: usize = rows.iter().flatten().flatten().map(String::len).sum();
    let packed = client.packed_bytes().unwrap_or_default() - before;
    assert!(packed < plain / 4, "{packed} of {plain}");
    let sent = || {
        (0..2).map(|index| {
            let mut client = Client::open(&servers.login(index));
            let rows = client.rows("SHOW GLOBAL STATUS LIKE 'Bytes_sent'");
            rows[0][1].as_deref().and_then(|it| it.parse::<usize>().ok()).unwrap_or_default()
        })
    };
    let before: usize = sent().sum();
    client.rows(sql);
    let sent = sent().sum::<usize>() - before;
    assert_eq!(sent < plain / 4, backend != "none", "{backend}: {sent} of {plain}");
}

/// A file of more packets than numbers count.
fn loads(proxy: &Proxy) {
    let login = proxy.login().packing(Packing::Zlib).with(capability::LOCAL_FILES);
    let mut client = Client::open(&login);
    client.run("DROP TABLE IF EXISTS t_single");
    client.run("CREATE TABLE t_single (id INT PRIMARY KEY, body LONGTEXT)");
    let file: String =
        (0..60).map(|id| format!("{id}\t{}\n", "some text ".repeat(30_000))).collect();
    let sql = "LOAD DATA LOCAL INFILE 'some' INTO TABLE t_single";
    let pieces = file.as_bytes().chunks(20_000).map(<[u8]>::to_vec);
    let (_, mut replies) = client.load(sql, pieces).unwrap();
    assert_eq!(replies.pop().unwrap().done().affected, 60);
    let sum = client.value("SELECT SUM(LENGTH(body)) FROM t_single");
    assert_eq!(sum, (60 * 300_000).to_string());
    client.run("DROP TABLE t_single");
}
