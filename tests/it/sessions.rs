//! What a session holds: several results, cursors, prepared statements, pinned connections.

use margay::cli::demo::flavor::Flavor;

use crate::client::reply::{Item, Reply, ServerError};
use crate::client::value::Value;
use crate::client::{Client, Login, capability, command};
use crate::fixture::{Check, PASSWORD, Proxy, Servers, rules, run_checks, wanted};

const CHECKS: [Check<Sessions>; 17] = [
    ("procedures", procedures),
    ("definitions of programs", definitions),
    ("databases that are there", databases),
    ("idle sessions", idle),
    ("procedures of sharded schemas", sharded_procedures),
    ("prepared calls", prepared_calls),
    ("statements per session", statement_limit),
    ("cursors beside other statements", cursors),
    ("closed cursors", closed_cursors),
    ("temporary tables end with the session", temporary_ends),
    ("named locks end with the session", locks_end),
    ("lost pinned connections", lost_pins),
    ("procedures that use temporary tables", procedures_beside_temporaries),
    ("locks of tables end with the session", table_locks_end),
    ("changes of the session", tracked_changes),
    ("prepared SHOW with parameters", prepared_shows),
    ("clients that kill themselves", own_kills),
];

#[test]
fn sessions_mysql() {
    run(Flavor::MySql);
}

#[test]
fn sessions_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if wanted(flavor) {
        run_checks(&Sessions::start(flavor), &CHECKS);
    }
}

/// A proxy over two clusters, and one plain server. Fields in the order in which they must end.
struct Sessions {
    proxy: Proxy,
    servers: Servers,
}

impl Sessions {
    fn start(flavor: Flavor) -> Self {
        // MySQL tells there which user variables a procedure has set.
        let servers = Servers::start(flavor, 3, &["--performance-schema=ON"]);
        for index in 0..2 {
            let shards = (0..4).map(|shard| format!("CREATE DATABASE shop_{shard}"));
            let all =
                shards.chain(["CREATE DATABASE shop".into(), "CREATE DATABASE solo_db".into()]);
            all.for_each(|statement| servers.run(index, &[&statement]));
        }
        servers.run(2, &["CREATE DATABASE solo"]);
        let proxy = Proxy::start(&rules("sessions.yaml"), &servers.variables());
        Self { proxy, servers }
    }

    fn login(&self) -> Login {
        self.proxy.login().schema("solo")
    }

    fn plain(&self) -> Login {
        self.servers.login(2).schema("solo")
    }

    fn admin(&self, sql: &str) {
        let login = Login::new(self.proxy.address.clone(), "admin", PASSWORD).schema("solo");
        Client::open(&login).run(&format!("/*margay: shard=c1/solo_db */ {sql}"));
    }

    /// Runs the statements on Margay and on the plain server, which must answer alike.
    fn same(&self, capabilities: u32, statements: &[&str]) {
        let mut plain = Client::open(&self.plain().with(capabilities));
        let mut proxy = Client::open(&self.login().with(capabilities));
        for statement in statements {
            let expected: Vec<String> = plain.query(statement).unwrap().iter().map(shown).collect();
            let got: Vec<String> = proxy.query(statement).unwrap().iter().map(shown).collect();
            assert_eq!(got, expected, "{statement}");
        }
    }
}

/// A reply as text: what a driver sees of it.
fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Done(done) => {
            format!("{} rows, {} warnings, more {}", done.affected, done.warnings, done.status & 8)
        }
        Reply::Rows(rows) => {
            let columns: Vec<String> =
                rows.columns.iter().map(|it| format!("{} {}", it.name, it.kind)).collect();
            format!("{columns:?} {:?}, more {}", rows.text(), rows.end.status & 8)
        }
        Reply::Error(ServerError { code, state, .. }) => format!("error {code} {state}"),
    }
}

const PROCEDURES: [&str; 6] = [
    "CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, body VARCHAR(50))",
    "CREATE PROCEDURE two(a INT) BEGIN SELECT a AS first; SELECT a + 1 AS second, 'x' AS b; END",
    "CREATE PROCEDURE outs(IN a INT, OUT b INT, INOUT c VARCHAR(50)) \
     BEGIN SET b = a * 2, c = CONCAT(c, '!'), @inside = a; INSERT INTO notes (body) VALUES (c); END",
    "CREATE PROCEDURE fails() BEGIN SELECT 1 AS before_it; SELECT * FROM no_such_table; SELECT 2; END",
    "CREATE PROCEDURE warns() BEGIN SELECT CAST('5x' AS SIGNED) AS n; END",
    "CREATE PROCEDURE leaves() BEGIN CREATE TEMPORARY TABLE left_over (a INT); SET @@sql_safe_updates = 1; END",
];

fn procedures(sessions: &Sessions) {
    let mut plain = Client::open(&sessions.plain());
    for statement in PROCEDURES {
        plain.run(statement);
        sessions.admin(statement);
    }
    let statements = [
        "CALL two(5)",
        "CALL solo.two(6)",
        "SELECT 1",
        "SET @c = 'abc'",
        "CALL outs(21, @b, @c)",
        "SELECT @b, @c, @inside, LAST_INSERT_ID()",
        "SELECT * FROM notes",
        "CALL fails()",
        "CALL warns()",
        "SHOW WARNINGS",
        "CALL no_such_procedure()",
        "CALL two()",
        "BEGIN",
        "CALL outs(1, @b, @c)",
        "SELECT COUNT(*), @b FROM notes",
        "ROLLBACK",
        "SELECT COUNT(*) FROM notes",
        "CALL two(CONNECTION_ID() * 0 + 3)",
    ];
    sessions.same(0, &statements);
    sessions.same(
        capability::MULTI_STATEMENTS,
        &[
            "CALL two(1); SELECT 9; CALL two(2)",
            "CALL two(1); CALL fails(); SELECT 9",
            "SET @c = 'b'; CALL outs(1, @b, @c); SELECT @b, @c;",
            "SELECT 1;; SELECT 2",
            "CREATE TEMPORARY TABLE nothing_yet",
        ],
    );
    // What a procedure leaves on its connection reaches no other session.
    let mut proxy = Client::open(&sessions.login());
    for _ in 0..3 {
        proxy.run("CALL leaves()");
        assert_eq!(proxy.error("SELECT * FROM left_over").code, 1146);
        assert_eq!(proxy.value("SELECT @@sql_safe_updates"), "0");
    }
}

/// A schema on one shard needs no hint for its programs, but a user with `admin: true`.
fn definitions(sessions: &Sessions) {
    let admin = Login::new(sessions.proxy.address.clone(), "admin", PASSWORD).schema("solo");
    let mut admin = Client::open(&admin.with(capability::MULTI_STATEMENTS));
    let mut client = Client::open(&sessions.login());
    let create = "CREATE PROCEDURE answer() BEGIN SELECT 42 AS a; SELECT 43 AS b; END";
    assert_eq!(client.error(create).code, 1142);
    assert_eq!(client.error("DROP PROCEDURE IF EXISTS answer").code, 1142);
    admin.run(&format!("DROP PROCEDURE IF EXISTS answer; {create}"));
    let replies: Vec<String> = client.run("CALL answer()").iter().map(shown).collect();
    assert_eq!(replies.len(), 3, "{replies:?}");
    admin.run("CREATE FUNCTION twice(a INT) RETURNS INT DETERMINISTIC RETURN a * 2");
    assert_eq!(client.value("SELECT twice(21)"), "42");
    admin.run("DROP FUNCTION twice; DROP PROCEDURE answer");
    assert_eq!(client.error("CALL answer()").code, 1305);
    assert_eq!(admin.error("CREATE USER u IDENTIFIED BY 'x'").code, 1235);
    admin.run("USE shop");
    assert_eq!(admin.error(create).code, 1235);
}

/// CREATE and DROP DATABASE change nothing, but may find that nothing is to be changed.
fn databases(sessions: &Sessions) {
    let statements = [
        "CREATE DATABASE IF NOT EXISTS solo",
        "CREATE DATABASE IF NOT EXISTS `solo` /*!40100 DEFAULT CHARACTER SET utf8mb4 */",
        "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `solo` DEFAULT CHARACTER SET utf8mb4",
        "SHOW WARNINGS",
        "CREATE DATABASE solo",
        "DROP DATABASE IF EXISTS no_such_schema",
        "SHOW WARNINGS",
        "DROP DATABASE no_such_schema",
    ];
    sessions.same(0, &statements);
    let mut client = Client::open(&sessions.login());
    assert_eq!(client.error("CREATE DATABASE another").code, 1235);
    assert_eq!(client.error("DROP DATABASE solo").code, 1235);
    let other = Login::new(sessions.proxy.address.clone(), "other", PASSWORD);
    assert_eq!(Client::open(&other).error("CREATE DATABASE IF NOT EXISTS shop").code, 1044);
}

/// The session's own `wait_timeout` ends it, and no connection to a server.
fn idle(sessions: &Sessions) {
    sessions.same(
        0,
        &[
            "SET wait_timeout = 77",
            "SELECT @@wait_timeout, @@session.wait_timeout",
            "SHOW VARIABLES LIKE 'wait_timeout'",
        ],
    );
    let mut client = Client::open(&sessions.login());
    client.run("SET wait_timeout = 1");
    assert_eq!(client.value("SELECT @@wait_timeout"), "1");
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(client.query("SELECT 1").is_err());
}

fn sharded_procedures(sessions: &Sessions) {
    let mut client = Client::open(&sessions.proxy.login().schema("shop"));
    assert_eq!(client.error("CALL two(1)").code, 1235);
    let admin = Login::new(sessions.proxy.address.clone(), "admin", PASSWORD).schema("shop");
    let create = "/*margay: shard=c0/shop_1 */ CREATE PROCEDURE here() SELECT DATABASE() AS db";
    Client::open(&admin).run(create);
    match &client.run("/*margay: shard=c0/shop_1 */ CALL here()")[..] {
        [Reply::Rows(rows), Reply::Done(_)] => {
            assert_eq!(rows.text(), [[Some("shop_1".to_owned())]]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.error("/*margay: shard=c1/solo_db */ CALL here()").code, 1235);
    let other = Login::new(sessions.proxy.address.clone(), "other", PASSWORD).schema("solo");
    assert_eq!(Client::open(&other).error("CALL two(1)").code, 1142);
}

/// OUT parameters of a prepared CALL come as a result of their own.
fn prepared_calls(sessions: &Sessions) {
    let shown_all = |login: &Login| -> Vec<String> {
        let mut client = Client::open(login);
        client.run("SET @c = 'x'");
        let statement = client.prepare("CALL outs(?, ?, ?)").unwrap().unwrap();
        assert_eq!(statement.params, 3);
        let values = [Value::Int(4), Value::Int(0), Value::text("y")];
        let replies = client.execute(&statement, &values).unwrap();
        let flags = replies.iter().map(|reply| match reply {
            Reply::Rows(rows) => {
                format!("{:?} flags {:#x}", rows.packets, rows.end.status & 0x1008)
            }
            other => shown(other),
        });
        flags.collect()
    };
    let ps_multi = 1 << 18;
    let expected = shown_all(&sessions.plain().with(ps_multi));
    assert_eq!(expected.len(), 2, "{expected:?}");
    assert_eq!(shown_all(&sessions.login().with(ps_multi)), expected);
}

fn statement_limit(sessions: &Sessions) {
    let mut client = Client::open(&sessions.login());
    let mut statements = Vec::new();
    for _ in 0..19 {
        statements.push(client.prepare("SELECT ?").unwrap().unwrap());
    }
    client.run("PREPARE last FROM 'SELECT 1'");
    assert_eq!(client.prepare("SELECT 1").unwrap().unwrap_err().code, 1461);
    assert_eq!(client.error("PREPARE more FROM 'SELECT 1'").code, 1461);
    client.run("PREPARE last FROM 'SELECT 2'");
    client.close(&statements[0]).unwrap();
    client.prepare("SELECT 1").unwrap().unwrap();
    client.simple(command::RESET_CONNECTION, &[]).unwrap().done();
    assert_eq!(client.error("EXECUTE last").code, 1243);
}

/// Rows of one portion and the flags behind them.
fn fetch(client: &mut Client, id: u32, count: u32) -> Result<(usize, u16), u16> {
    let mut body = id.to_le_bytes().to_vec();
    body.extend_from_slice(&count.to_le_bytes());
    client.command(command::STMT_FETCH, &body).unwrap();
    let mut rows = 0;
    loop {
        match client.read_item().unwrap().0 {
            Item::Row => rows += 1,
            Item::End(end) => return Ok((rows, end.status & 0xc0)),
            Item::Error(error) => return Err(error.code),
        }
    }
}

/// Sends an execution that asks for a cursor, and reads its head.
fn open_cursor(client: &mut Client, id: u32) {
    client.send_execute(id, &[], 1).unwrap();
    client.read_head().unwrap();
    if client.capabilities() & capability::DEPRECATE_EOF != 0 {
        match client.read_item().unwrap().0 {
            Item::End(end) => assert_eq!(end.status & 0x40, 0x40),
            other => panic!("{other:?}"),
        }
    }
}

const ROWS: usize = 1000;

fn with_rows(sessions: &Sessions, login: &Login) -> Client {
    let mut client = Client::open(login);
    if login.schema.as_deref() == Some("shop") {
        client.run("DROP TABLE IF EXISTS users");
        client.run("CREATE TABLE users (id INT PRIMARY KEY, body VARCHAR(2000))");
        let rows: Vec<String> = (0..ROWS).map(|id| format!("({id}, REPEAT('x', 1000))")).collect();
        client.run(&format!("INSERT INTO users VALUES {}", rows.join(", ")));
    }
    let _ = sessions;
    client
}

fn cursors(sessions: &Sessions) {
    let login = sessions.proxy.login().schema("shop");
    for login in [login.clone(), login.without(capability::DEPRECATE_EOF)] {
        for (start, end) in [("ROLLBACK", "ROLLBACK"), ("BEGIN", "COMMIT")] {
            let mut client = with_rows(sessions, &login);
            let sql = "SELECT id, body FROM users ORDER BY id";
            let first = client.prepare(sql).unwrap().unwrap();
            let second = client.prepare(sql).unwrap().unwrap();
            client.run(start);
            open_cursor(&mut client, first.id);
            assert_eq!(fetch(&mut client, first.id, 10), Ok((10, 0x40)));
            client.run("UPDATE users SET body = 'short' WHERE id = 999");
            open_cursor(&mut client, second.id);
            assert_eq!(fetch(&mut client, second.id, 300), Ok((300, 0x40)));
            assert_eq!(client.value("SELECT COUNT(*) FROM users"), ROWS.to_string());
            assert_eq!(fetch(&mut client, first.id, 985), Ok((985, 0x40)));
            client.run(end);
            assert_eq!(fetch(&mut client, first.id, 100), Ok((5, 0x80)));
            assert_eq!(fetch(&mut client, first.id, 1), Err(1421));
            // A statement that would wait for the rows' locks.
            client.run("DROP TABLE users");
            assert_eq!(fetch(&mut client, second.id, 700), Ok((700, 0x40)));
            assert_eq!(fetch(&mut client, second.id, 700), Ok((0, 0x80)));
        }
    }
}

fn closed_cursors(sessions: &Sessions) {
    let mut client = with_rows(sessions, &sessions.proxy.login().schema("shop"));
    let statement = client.prepare("SELECT body FROM users").unwrap().unwrap();
    client.run("BEGIN");
    for _ in 0..2 {
        open_cursor(&mut client, statement.id);
        assert_eq!(fetch(&mut client, statement.id, 5), Ok((5, 0x40)));
        client.simple(command::STMT_RESET, &statement.id.to_le_bytes()).unwrap().done();
        assert_eq!(fetch(&mut client, statement.id, 5), Err(1421));
    }
    open_cursor(&mut client, statement.id);
    client.close(&statement).unwrap();
    assert_eq!(fetch(&mut client, statement.id, 5), Err(1243));
    // The transaction goes on.
    client.run("UPDATE users SET body = 'a' WHERE id = 1");
    client.run("COMMIT");
    assert_eq!(client.value("SELECT body FROM users WHERE id = 1"), "a");
    // SHOW has cursors too.
    let statement = client.prepare("SHOW COLUMNS FROM users").unwrap().unwrap();
    open_cursor(&mut client, statement.id);
    assert_eq!(fetch(&mut client, statement.id, 5), Ok((2, 0x80)));
}

/// What other sessions do with the connection shows nothing of the temporary tables that were on it.
fn temporary_ends(sessions: &Sessions) {
    let login = sessions.proxy.login().schema("shop");
    for end in 0..3 {
        let mut client = Client::open(&login);
        client.run("CREATE TEMPORARY TABLE mine (a INT)");
        client.run("INSERT INTO mine VALUES (1)");
        assert_eq!(client.rows("SHOW MARGAY PINS").len(), 1);
        assert_eq!(Client::open(&login).error("SELECT * FROM mine").code, 1146);
        match end {
            0 => drop(client),
            1 => {
                client.simple(command::RESET_CONNECTION, &[]).unwrap().done();
                assert_eq!(client.error("SELECT * FROM mine").code, 1146);
            }
            _ => {
                client.run("DROP TABLE mine");
                assert_eq!(client.rows("SHOW MARGAY PINS").len(), 0);
            }
        }
        for _ in 0..5 {
            assert_eq!(Client::open(&login).error("SELECT * FROM mine").code, 1146);
        }
    }
    let mut client = Client::open(&login);
    assert_eq!(client.error("CREATE TEMPORARY TABLE users (a INT)").code, 1235);
    client.run("CREATE TEMPORARY TABLE mine (a INT)");
    let statement = client.prepare("SELECT a FROM mine WHERE a = ?").unwrap().unwrap();
    assert_eq!((statement.params, statement.columns.len()), (1, 1));
    client.run("BEGIN");
    client.run("INSERT INTO mine VALUES (5)");
    client.prepare("SELECT a FROM mine").unwrap().unwrap();
    match client.execute(&statement, &[Value::Int(5)]).unwrap().pop() {
        Some(Reply::Rows(rows)) => assert_eq!(rows.packets.len(), 1),
        other => panic!("{other:?}"),
    }
    client.run("COMMIT");
    assert_eq!(client.value("SELECT COUNT(*) FROM mine"), "1");
}

fn locks_end(sessions: &Sessions) {
    let login = sessions.login();
    let free = |name: &str| {
        let sql = format!("SELECT IS_FREE_LOCK('{name}')");
        Client::open(&login).value(&sql) == "1"
    };
    let mut client = Client::open(&login);
    assert_eq!(client.value("SELECT GET_LOCK('a', 0)"), "1");
    assert_eq!(client.rows("SHOW MARGAY PINS").len(), 1);
    assert!(!free("a"));
    let statement = client.prepare("SELECT GET_LOCK(?, ?)").unwrap().unwrap();
    let values = [Value::text("b"), Value::Int(0)];
    client.execute(&statement, &values).unwrap();
    assert!(!free("b"));
    client.run("SELECT RELEASE_LOCK('a')");
    assert!(free("a") && !free("b"));
    client.run("DO RELEASE_LOCK('b')");
    assert_eq!(client.rows("SHOW MARGAY PINS").len(), 0);
    assert!(free("b"));
    client.run("SELECT GET_LOCK('c', 0)");
    client.simple(command::RESET_CONNECTION, &[]).unwrap().done();
    client.run("SELECT GET_LOCK('d', 0)");
    drop(client);
    let is_free = |name: &str| {
        (0..100).any(|_| {
            let free = free(name);
            if !free {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            free
        })
    };
    assert!(is_free("c") && is_free("d"));
}

/// A session hears what it had on a connection that broke, once.
fn lost_pins(sessions: &Sessions) {
    let mut client = Client::open(&sessions.proxy.login().schema("shop"));
    client.run("CREATE TEMPORARY TABLE mine (a INT)");
    client.run("SELECT GET_LOCK('a', 0)");
    let pins = client.rows("SHOW MARGAY PINS");
    assert_eq!(pins.len(), 2, "{pins:?}");
    let kill: Vec<String> =
        pins.iter().map(|row| format!("KILL {}", row[1].clone().unwrap())).collect();
    let kill: Vec<&str> = kill.iter().map(String::as_str).collect();
    sessions.servers.run(0, &kill);
    std::thread::sleep(std::time::Duration::from_millis(200));
    let error = client.error("SELECT 1");
    let named = ["temporary table `shop`.`mine`", "lock 'a'"];
    assert!(named.iter().all(|name| error.message.contains(name)), "{error}");
    assert_eq!(client.value("SELECT 1"), "1");
    assert_eq!(client.error("SELECT * FROM mine").code, 1146);
    assert_eq!(client.value("SELECT GET_LOCK('a', 0)"), "1");
}

/// A procedure runs where the session has its temporary tables.
fn procedures_beside_temporaries(sessions: &Sessions) {
    let mut plain = Client::open(&sessions.plain());
    for statement in [
        "CREATE TABLE steps (id INT PRIMARY KEY AUTO_INCREMENT, n INT)",
        "CREATE PROCEDURE fills(a INT) BEGIN INSERT INTO mine VALUES (a), (a + 1); \
         INSERT INTO steps (n) SELECT n FROM mine; SELECT COUNT(*) AS c FROM mine; END",
    ] {
        plain.run(statement);
        sessions.admin(statement);
    }
    sessions.same(
        0,
        &[
            "CALL fills(1)",
            "CREATE TEMPORARY TABLE mine (n INT)",
            "CALL fills(1)",
            "SELECT * FROM mine ORDER BY n",
            "INSERT INTO mine VALUES (9)",
            "CALL fills(4)",
            "SELECT LAST_INSERT_ID() > 0, COUNT(*) FROM steps",
            "BEGIN",
            "CALL fills(6)",
            "ROLLBACK",
            "SELECT COUNT(*) FROM steps",
            "DROP TEMPORARY TABLE mine",
            "CALL fills(1)",
        ],
    );
}

fn table_locks_end(sessions: &Sessions) {
    let login = sessions.proxy.login().schema("shop");
    let mut other = with_rows(sessions, &login);
    other.run("SET lock_wait_timeout = 1");
    other.run("CREATE TABLE flags (id INT PRIMARY KEY)");
    let mut client = Client::open(&login);
    client.run("LOCK TABLES users WRITE, flags READ");
    client.run("INSERT INTO users VALUES (2000, 'a'), (2001, 'b'), (2002, 'c'), (2003, 'd')");
    assert_eq!(client.value("SELECT COUNT(*) FROM users"), (ROWS + 4).to_string());
    assert_eq!(client.value("SELECT COUNT(*) FROM flags"), "0");
    assert_eq!(client.error("INSERT INTO flags VALUES (1)").code, 1099);
    // Each cluster of the tables has a connection.
    let replies = client.run("SHOW MARGAY PINS");
    let [Reply::Rows(pins)] = &replies[..] else { panic!("{replies:?}") };
    assert_eq!(pins.packets.len(), 2);
    assert_eq!(other.error("SELECT COUNT(*) FROM users").code, 1205);
    client.simple(command::RESET_CONNECTION, &[]).unwrap().done();
    other.run("DELETE FROM users WHERE id >= 2000");
    client.run("LOCK TABLES users WRITE");
    assert_eq!(other.error("SELECT COUNT(*) FROM users").code, 1205);
    drop(client);
    let freed = (0..20).any(|_| {
        matches!(&other.query("SELECT COUNT(*) FROM users").unwrap()[..], [Reply::Rows(_)])
    });
    assert!(freed);
    other.run("DROP TABLE users, flags");
}

/// The entries of the session's changes, in an order of their own: kind, name and value.
fn changes(track: &[u8]) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    fn part(bytes: &mut &[u8]) -> Vec<u8> {
        let (length, rest) = bytes.split_first().expect("a length");
        let (part, rest) = rest.split_at(usize::from(*length));
        *bytes = rest;
        part.to_vec()
    }
    let mut found = Vec::new();
    let mut rest = track;
    while let Some((kind, behind)) = rest.split_first() {
        rest = behind;
        let data = part(&mut rest);
        // MySQL's letters on the transaction are not told.
        if *kind == 5 {
            continue;
        }
        let mut data = data.as_slice();
        while !data.is_empty() {
            let name = text(&part(&mut data));
            let value = if *kind == 0 { text(&part(&mut data)) } else { String::new() };
            found.push(format!("{kind} {name} {value}"));
        }
    }
    found.sort();
    found
}

/// What OK packets tell of the session.
fn tracked_changes(sessions: &Sessions) {
    let told = |login: &Login| -> Vec<String> {
        let mut client = Client::open(&login.clone().with(capability::SESSION_TRACK));
        let mut lines = Vec::new();
        for statement in [
            "SET NAMES latin1",
            "SET autocommit = 0",
            "SET autocommit = 0, time_zone = '+02:00', sql_mode = ''",
            "SET autocommit = 'ON'",
            "SET character_set_results = NULL",
            "SET CHARACTER SET utf8mb4",
            "SET NAMES utf8mb4",
            "SET @a = 1",
            "SET time_zone = 'no such zone'",
            "DO 0",
            "USE solo",
            "BEGIN",
            "COMMIT",
            "SELECT 1",
        ] {
            let reply = client.query(statement).unwrap().remove(0);
            let told = match reply {
                Reply::Done(done) => changes(&done.track),
                Reply::Rows(rows) => changes(&rows.end.track),
                Reply::Error(error) => vec![error.code.to_string()],
            };
            lines.push(format!("{statement}: {told:?}"));
        }
        let done = client.simple(command::INIT_DB, b"solo").unwrap().done();
        lines.push(format!("COM_INIT_DB: {:?}", changes(&done.track)));
        let done = client.simple(command::RESET_CONNECTION, &[]).unwrap().done();
        lines.push(format!("COM_RESET_CONNECTION: {:?}", changes(&done.track)));
        lines
    };
    let (plain, proxy) = (told(&sessions.plain()), told(&sessions.login()));
    assert_eq!(proxy, plain);
}

fn prepared_shows(sessions: &Sessions) {
    let told = |login: &Login| -> Vec<String> {
        let mut client = Client::open(login);
        let sql = "SHOW VARIABLES WHERE Variable_name = ? AND 1 IN (?, ?)";
        let statement = client.prepare(sql).unwrap().unwrap();
        let mut lines = vec![format!("{} parameters", statement.params)];
        lines.extend(statement.columns.iter().map(|column| column.name.clone()));
        for (name, n) in [("autocommit", 1), ("autocommit", 2), ("sql_safe_updates", 1)] {
            let values = [Value::text(name), Value::Int(n), Value::Int(5)];
            for reply in client.execute(&statement, &values).unwrap() {
                lines.push(match reply {
                    Reply::Rows(rows) => format!("{:?}", rows.packets),
                    other => shown(&other),
                });
            }
        }
        lines
    };
    let expected = told(&sessions.plain());
    assert_eq!(expected[0], "3 parameters");
    assert_eq!(told(&sessions.login()), expected);
}

fn own_kills(sessions: &Sessions) {
    let told = |login: &Login| -> Vec<String> {
        let mut client = Client::open(login);
        let id = client.value("SELECT CONNECTION_ID()");
        let mut lines = vec![client.error(&format!("KILL QUERY {id}")).code.to_string()];
        lines.push(client.value("SELECT 1"));
        lines.push(client.error(&format!("KILL {id}")).code.to_string());
        lines.push(client.query("SELECT 1").is_err().to_string());
        lines
    };
    assert_eq!(told(&sessions.login()), told(&sessions.plain()));
}
