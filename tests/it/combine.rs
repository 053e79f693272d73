//! SELECTs that gather rows: what they leave behind, how they fail, and in how much memory.

use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use crate::client::reply::Reply;
use crate::client::value::Value;
use crate::client::{Client, command};
use crate::fixture::{Check, Proxy, Servers, Shop, rules, run_checks, wanted};

/// No temporary table may be left on an idle connection, once resets are over.
const LEFT_MAX: Duration = Duration::from_secs(10);
/// Servers renew `INNODB_TRX` only after it was not read for a tenth of a second.
const LEFT_PAUSE: Duration = Duration::from_millis(150);
const JOIN: &str = "SELECT COUNT(*), SUM(a.n) FROM t_hash a JOIN t_modulo b ON a.n = b.n";

struct Subject {
    shop: Shop,
    flavor: Flavor,
}

#[test]
fn combine_mysql() {
    run(Flavor::MySql);
}

#[test]
fn combine_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let servers = Servers::start(flavor, 2, &["--max-allowed-packet=64M"]);
    for index in 0..2 {
        servers.run(index, &["CREATE DATABASE shop"]);
        for shard in 0..4 {
            servers.run(index, &[&format!("CREATE DATABASE shop_{shard}")]);
        }
    }
    let limits = "combine: {part_rows: 3000000, broadcast_rows: 50}\n\
                  limits: {statement_timeout: 300s}\n";
    let proxy = Proxy::start(&format!("{limits}{}", rules("rules.yaml")), &servers.variables());
    let subject = Subject { shop: Shop { proxy, servers }, flavor };
    let mut client = subject.shop.client();
    for table in ["t_hash", "t_modulo"] {
        client.run(&format!(
            "CREATE TABLE {table} (id BIGINT PRIMARY KEY, n BIGINT NOT NULL, s VARCHAR(100) NOT NULL)"
        ));
        let rows: Vec<String> =
            (0..400).map(|id| format!("({id}, {}, 'row {id}')", id % 100)).collect();
        client.run(&format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
    }
    let checks: &[Check<Subject>] = &[
        ("answers", answers),
        ("moments", moments),
        ("nothing_is_left", nothing_is_left),
        ("nothing_is_left_of_failures", nothing_is_left_of_failures),
        ("transactions", transactions),
        ("limits", limits_are_named),
        ("dropped_column", dropped_column),
        ("other_columns", other_columns),
        ("locks", locks),
        ("lost_connections", lost_connections),
        ("frozen", frozen),
        ("frozen_for_long", frozen_for_long),
        ("memory", memory),
        ("killed", killed),
    ];
    run_checks(&subject, checks);
}

fn answers(subject: &Subject) {
    let mut client = subject.shop.client();
    let row = client.rows(JOIN).remove(0);
    assert_eq!(row, [Some("1600".to_owned()), Some("79200".to_owned())]);
    // Without a key, a name or a place for it.
    client.run("SET NAMES latin1");
    client.run("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'");
    client.run("SET @a = 'x'");
    let row = client.rows(JOIN).remove(0);
    assert_eq!(row, [Some("1600".to_owned()), Some("79200".to_owned())]);
    let sql = format!("{JOIN} WHERE a.id < ? AND b.s <> ?");
    let prepared = client.prepare(&sql).unwrap().unwrap();
    for _ in 0..3 {
        let values = [Value::Int(200), Value::text("row 1")];
        client.execute(&prepared, &values).unwrap();
    }
}

/// Two moments in the hour that a clock repeats stay two.
fn moments(subject: &Subject) {
    for server in 0..2 {
        subject.shop.servers.run(
            server,
            &[
                "INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (901, 'N')",
                "INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Test/Fall', 901)",
                "INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, \
                 `Offset`, Is_DST, Abbreviation) VALUES (901, 0, 7200, 1, 'S'), (901, 1, 3600, 0, 'W')",
                "INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, \
                 Transition_type_id) VALUES (901, 0, 0), (901, 1729990800, 1)",
            ],
        );
    }
    let mut client = subject.shop.client();
    client.run("CREATE TABLE t_ring (id INT PRIMARY KEY, at TIMESTAMP(3) NULL, n BIGINT)");
    client.run("SET time_zone = '+00:00'");
    client.run(
        "INSERT INTO t_ring VALUES (1, '2024-10-27 01:30:00.25', 1), (2, '2024-10-27 00:30:00', 1), \
         (3, NULL, 1), (4, '2024-06-01 00:00:00', 1)",
    );
    let sql = "SELECT a.id, a.at, UNIX_TIMESTAMP(a.at) FROM t_ring a JOIN t_hash b ON b.n = a.n AND \
               b.id = 1 ORDER BY a.at, a.id";
    client.run("SET time_zone = 'Test/Fall'");
    let expect = [
        ["3", "NULL", "NULL"],
        ["4", "2024-06-01 02:00:00.000", "1717200000.000"],
        ["2", "2024-10-27 02:30:00.000", "1729989000.000"],
        ["1", "2024-10-27 02:30:00.250", "1729992600.250"],
    ];
    let rows = client.rows(sql);
    let text = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(text).collect()).collect();
    assert_eq!(rows, expect);
    let groups = "SELECT COUNT(*) FROM (SELECT a.at FROM t_ring a JOIN t_hash b ON b.n = a.n AND b.id = 1 \
                  GROUP BY a.at) d";
    assert_eq!(client.value(groups), "4");
    client.run("DROP TABLE t_ring");
}

fn nothing_is_left(subject: &Subject) {
    let mut client = subject.shop.client();
    for _ in 0..20 {
        client.run(JOIN);
        client.run("SELECT a.id FROM t_hash a JOIN t_modulo b ON a.n = b.id AND b.s = 'row 7'");
    }
    check_left(subject);
}

fn nothing_is_left_of_failures(subject: &Subject) {
    let mut client = subject.shop.client();
    // Not valid: one server's own errors.
    assert_eq!(client.error(&JOIN.replace("a.n)", "a.nothing)")).code, 1054);
    assert_eq!(client.error("SELECT a.nul FROM t_hash a JOIN t_modulo b ON a.n = b.n").code, 1054);
    // Fails while it runs.
    client.run("SET sql_mode = ''");
    let slow = "SELECT a.id, (SELECT b.id FROM t_modulo b WHERE b.n = a.n) FROM t_hash a";
    assert_eq!(client.error(slow).code, 1242);
    // A client that leaves.
    let mut leaver = subject.shop.client();
    leaver.command(command::QUERY, format!("{JOIN} AND SLEEP(0.01) = 0").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    drop(leaver);
    assert_eq!(client.rows(JOIN).len(), 1);
    check_left(subject);
}

/// No connection holds a temporary table or a lock, and none runs a statement of ours.
fn check_left(subject: &Subject) {
    check_left_on(subject, &[0, 1]);
}

fn check_left_on(subject: &Subject, servers: &[usize]) {
    let start = Instant::now();
    for &server in servers {
        let mut admin = Client::open(&subject.shop.servers.login(server));
        loop {
            let found = left(&mut admin, subject.flavor);
            if found.is_empty() {
                break;
            }
            assert!(start.elapsed() < LEFT_MAX, "left behind: {found:?}");
            std::thread::sleep(LEFT_PAUSE);
        }
    }
}

fn left(admin: &mut Client, flavor: Flavor) -> Vec<Vec<Option<String>>> {
    let running = "SELECT ID, INFO FROM information_schema.PROCESSLIST WHERE COMMAND IN ('Query', \
                   'Execute') AND ID <> CONNECTION_ID() AND INFO LIKE '%t\\_%'";
    let mut found = admin.rows(running);
    found.extend(
        admin.rows("SELECT trx_mysql_thread_id, trx_query FROM information_schema.INNODB_TRX"),
    );
    match flavor {
        // This server has no table that tells: its files do.
        Flavor::MariaDb => {
            let tmpdir = admin.value("SELECT @@tmpdir");
            let pid = admin.value("SELECT @@pid_file");
            let pid = std::fs::read_to_string(pid.trim()).unwrap_or_default();
            let files = std::fs::read_dir(tmpdir).expect("the directory is there").flatten();
            let ours = format!("#sql-temptable-{:x}-", pid.trim().parse::<u64>().unwrap_or(0));
            let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
            found.extend(names.filter(|name| name.starts_with(&ours)).map(|name| vec![Some(name)]));
        }
        Flavor::MySql => {
            found.extend(admin.rows("SELECT NAME FROM information_schema.INNODB_TEMP_TABLE_INFO"));
        }
    }
    found
}

fn transactions(subject: &Subject) {
    let mut client = subject.shop.client();
    client.run("BEGIN");
    client.run("UPDATE t_hash SET n = 1000 WHERE id = 0");
    let sql = "SELECT COUNT(*) FROM t_hash a JOIN t_modulo b ON a.n = b.n + 1000 AND b.id = 0 \
               WHERE a.id IN (0, 4)";
    let found = client.query(sql).expect("the connection lives");
    // The rows may lie on another cluster than the transaction; then it must go on.
    if let [Reply::Error(error)] = &found[..] {
        assert_eq!(error.code, 1235, "{error}");
    }
    assert_eq!(client.value("SELECT n FROM t_hash WHERE id = 0"), "1000");
    client.run("ROLLBACK");
    assert_eq!(client.value("SELECT n FROM t_hash WHERE id = 0"), "0");
    check_left(subject);
}

fn limits_are_named(subject: &Subject) {
    let mut client = subject.shop.client();
    // More than may be copied to the shards is gathered instead.
    let rows = client.rows("SELECT COUNT(*) FROM t_hash a JOIN t_modulo b ON a.n = b.id");
    assert_eq!(rows[0][0].as_deref(), Some("400"));
    let timed = "SELECT /*margay: timeout=300ms */ COUNT(*) FROM t_hash a JOIN t_modulo b ON a.n = \
                 b.n AND SLEEP(0.01) = 0";
    let error = client.error(timed);
    assert_eq!(error.code, 3024, "{error}");
    check_left(subject);
}

/// A shard whose table has lost a column behind Margay's back: an error that names it, and never rows of
/// other columns than those of the other shards.
fn dropped_column(subject: &Subject) {
    let mut client = subject.shop.client();
    client.run(
        "CREATE TABLE t_ring (id BIGINT PRIMARY KEY, n BIGINT NOT NULL, s VARCHAR(9) NOT NULL)",
    );
    let rows: Vec<String> = (0..40).map(|id| format!("({id}, {}, 'row')", id % 10)).collect();
    client.run(&format!("INSERT INTO t_ring VALUES {}", rows.join(", ")));
    let named = "SELECT COUNT(*), COUNT(o.s) FROM t_ring o JOIN t_modulo m ON o.n = m.n";
    let all = "SELECT COUNT(*) FROM (SELECT * FROM t_ring) o JOIN t_modulo m ON o.n = m.n";
    assert_eq!(client.value(named), "160");
    assert_eq!(client.value(all), "160");
    let mut admin = Client::open(&subject.shop.servers.login(1));
    admin.run("ALTER TABLE shop_3.t_ring DROP COLUMN s");
    let error = client.error(named);
    assert!(error.to_string().contains("Unknown column"), "{error}");
    let replies = client.query(all).expect("the connection lives");
    assert!(is_error(&replies) || client.value(all) == "160");
    admin.run("ALTER TABLE shop_3.t_ring ADD COLUMN s VARCHAR(9) NOT NULL");
    assert_eq!(client.value(named), "160");
    client.run("DROP TABLE t_ring");
    check_left(subject);
}

/// A shard whose table has got a column behind Margay's back: an error, or the columns that were asked for.
fn other_columns(subject: &Subject) {
    let mut client = subject.shop.client();
    client.run("CREATE TABLE t_ring (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)");
    let rows: Vec<String> = (0..40).map(|id| format!("({id}, {})", id % 10)).collect();
    client.run(&format!("INSERT INTO t_ring VALUES {}", rows.join(", ")));
    let mut admin = Client::open(&subject.shop.servers.login(1));
    let all = "SELECT o.*, m.id FROM (SELECT * FROM t_ring) o JOIN t_modulo m ON o.n = m.n";
    let union = "SELECT * FROM t_ring UNION SELECT id, n FROM t_modulo";
    for change in ["ADD COLUMN more INT FIRST", "DROP COLUMN more"] {
        for sql in [all, union, "SELECT DISTINCT * FROM t_ring"] {
            match &client.query(sql).expect("the connection lives")[..] {
                [Reply::Rows(rows)] => {
                    let width = rows.columns.len();
                    assert_eq!(width, if sql == all { 3 } else { 2 }, "{sql}");
                    assert!(rows.text().iter().all(|row| row.len() == width), "{sql}");
                }
                [Reply::Error(error)] => {
                    assert!(error.message.contains("column"), "{sql}: {error}");
                }
                other => panic!("{sql}: {other:?}"),
            }
        }
        admin.run(&format!("ALTER TABLE shop_3.t_ring {change}"));
    }
    assert_eq!(client.rows(all).len(), 160);
    client.run("DROP TABLE t_ring");
    check_left(subject);
}

/// Rows that a combined statement locks are free once its transaction is over, whatever became of it.
fn locks(subject: &Subject) {
    let mut client = subject.shop.client();
    let sql = "SELECT a.id FROM t_hash a JOIN t_modulo b ON a.n = b.n WHERE a.id < 9 FOR UPDATE";
    for (sql, code) in [
        (sql.to_owned(), 0),
        (sql.replace("a.id <", "a.nothing <"), 1054),
        (
            sql.replace("SELECT", "SELECT /*margay: timeout=300ms */")
                .replace("a.id < 9", "SLEEP(0.01) = 0"),
            3024,
        ),
    ] {
        client.run("BEGIN");
        let replies = client.query(&sql).expect("the connection lives");
        match &replies[..] {
            [Reply::Error(error)] => assert_eq!(error.code, code, "{error}"),
            _ => assert_eq!(code, 0, "{sql}"),
        }
        let mut other = subject.shop.client();
        if code == 0 {
            other.run("SET innodb_lock_wait_timeout = 1");
            assert_eq!(other.error("UPDATE t_hash SET n = n WHERE id = 3").code, 1205);
        }
        client.run("ROLLBACK");
        other.run("UPDATE t_hash SET n = n WHERE id < 20");
        check_left(subject);
    }
}

/// Connections that end one by one while a statement runs on them: an error, and no connection too many.
fn lost_connections(subject: &Subject) {
    let mut client = subject.shop.client();
    let slow = format!("{JOIN} AND SLEEP(0.002) = 0");
    let count = |admin: &mut Client| {
        let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER <> 'system user'";
        admin.value(sql).parse::<usize>().unwrap()
    };
    let mut admins: Vec<Client> =
        (0..2).map(|server| Client::open(&subject.shop.servers.login(server))).collect();
    let before: Vec<usize> = admins.iter_mut().map(count).collect();
    for round in 0..6_u64 {
        client.command(command::QUERY, slow.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(30 * round));
        for admin in &mut admins {
            let running = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() \
                           AND COMMAND IN ('Query', 'Execute')";
            for row in admin.rows(running) {
                let id = row[0].as_deref().unwrap_or_default();
                // It may be over by now.
                let _ = admin.query(&format!("KILL {id}"));
            }
        }
        let replies = client.read_replies().expect("the connection lives");
        assert_eq!(replies.len(), 1, "{replies:?}");
    }
    let row = client.rows(JOIN).remove(0);
    assert_eq!(row[0].as_deref(), Some("1600"));
    check_left(subject);
    for (admin, before) in admins.iter_mut().zip(before) {
        let now = count(admin);
        assert!(now <= before + 4, "{before} connections became {now}");
    }
}

/// A server that does not answer for half a minute: the setting ends the statement, outside of a
/// transaction and inside of one, and meanwhile nothing is left on the other server.
fn frozen_for_long(subject: &Subject) {
    const FROZEN: Duration = Duration::from_secs(30);
    let limits = "limits: {statement_timeout: 3s}\n";
    let rules = format!("{limits}{}", rules("rules.yaml"));
    let proxy = Proxy::start(&rules, &subject.shop.servers.variables());
    let mut client = Client::open(&proxy.login());
    let mut locking = Client::open(&proxy.login());
    assert_eq!(client.rows(JOIN).len(), 1);
    locking.run("BEGIN");
    locking
        .rows("SELECT a.id FROM t_hash a JOIN t_modulo b ON a.n = b.n WHERE a.id < 9 FOR UPDATE");
    let frozen = Frozen::new(subject, 1);
    let start = Instant::now();
    for (client, sql) in [(&mut client, JOIN), (&mut locking, JOIN)] {
        let asked = Instant::now();
        let error = client.error(sql);
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(8), "{took:?}: {error}");
        // Whichever wait ends first.
        let named = ["statement_timeout", "connect_timeout"];
        assert!(named.iter().any(|name| error.message.contains(name)), "{error}");
    }
    // The transaction's part on the other server ends with it.
    let _ = locking.query("ROLLBACK").expect("the connection lives");
    check_left_on(subject, &[0]);
    std::thread::sleep(FROZEN.saturating_sub(start.elapsed()));
    drop(frozen);
    let until = Instant::now() + Duration::from_secs(20);
    while is_error(&client.query(JOIN).expect("the connection lives")) {
        assert!(Instant::now() < until, "the cluster does not come back");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(locking.value("SELECT COUNT(*) FROM t_hash"), "400");
    locking.run("UPDATE t_hash SET n = n WHERE id < 20");
    check_left(subject);
}

/// A server that stops in the middle: the statement ends in time, and the next ones work.
fn frozen(subject: &Subject) {
    let mut client = subject.shop.client();
    let frozen = Frozen::new(subject, 1);
    let start = Instant::now();
    let error = client.error(&JOIN.replace("SELECT", "SELECT /*margay: timeout=2s */"));
    let took = start.elapsed();
    drop(frozen);
    assert!(took < Duration::from_secs(10), "{took:?}: {error}");
    let until = Instant::now() + Duration::from_secs(20);
    while is_error(&client.query(JOIN).expect("the connection lives")) {
        assert!(Instant::now() < until, "the cluster does not come back");
        std::thread::sleep(Duration::from_millis(200));
    }
    check_left(subject);
}

fn is_error(replies: &[Reply]) -> bool {
    matches!(replies, [Reply::Error(_)])
}

/// A server that stands still for as long as this lives.
struct Frozen(u32);

impl Frozen {
    fn new(subject: &Subject, server: usize) -> Self {
        let pid = subject.shop.servers.servers[server].pid().expect("it runs");
        signal(pid, "STOP");
        Self(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal(self.0, "CONT");
    }
}

fn signal(pid: u32, name: &str) {
    let status =
        std::process::Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// Two million rows pass through in bounded memory.
fn memory(subject: &Subject) {
    const RESIDENT_KIB_MAX: u64 = 128 * 1024;
    let mut client = subject.shop.client();
    client.run(
        "CREATE TABLE big (id BIGINT PRIMARY KEY, grp INT NOT NULL, pad VARCHAR(100) NOT NULL)",
    );
    for shard in 0..8_u64 {
        let (server, database) = (shard / 4, format!("shop_{}", shard % 4));
        let mut admin = Client::open(&subject.shop.servers.login(server as usize));
        admin.run(&format!(
            "INSERT INTO {database}.big WITH RECURSIVE d AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM d \
             WHERE n < 499) SELECT (a.n * 500 + b.n) * 8 + {shard}, a.n, REPEAT('p', 20) FROM d a JOIN d b"
        ));
    }
    let sql = "SELECT COUNT(*), COUNT(DISTINCT x.pad, x.grp) FROM big x WHERE x.grp IN (SELECT n FROM t_hash WHERE \
               n >= 0) OR x.pad <> (SELECT MAX(s) FROM t_modulo)";
    let start = Instant::now();
    let row = client.rows(sql).remove(0);
    eprintln!("{}: 2000000 rows gathered in {:?}", subject.flavor, start.elapsed());
    assert_eq!(row[0].as_deref(), Some("2000000"));
    let resident = subject.shop.proxy.memory_kib("VmHWM");
    assert!(resident < RESIDENT_KIB_MAX, "the proxy took {resident} KiB");
    check_left(subject);
}

/// A server that ends in the middle is named, and the proxy serves others.
fn killed(subject: &Subject) {
    let mut client = subject.shop.client();
    let pid = subject.shop.servers.servers[1].pid().expect("it runs");
    // It has not given its part when it ends.
    signal(pid, "STOP");
    client.command(command::QUERY, JOIN.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    signal(pid, "KILL");
    let start = Instant::now();
    assert!(is_error(&client.read_replies().expect("the connection lives")));
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(client.value("SELECT 1"), "1");
    let mut admin = Client::open(&subject.shop.servers.login(0));
    let until = Instant::now() + LEFT_MAX;
    while !left(&mut admin, subject.flavor).is_empty() {
        assert!(Instant::now() < until, "left behind");
        std::thread::sleep(LEFT_PAUSE);
    }
}
