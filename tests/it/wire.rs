//! The wire as drivers use it: logins, commands, packets of every size.

use margay::cli::demo::flavor::Flavor;

use crate::client::reply::{Column, Item, Reply};
use crate::client::value::Value;
use crate::client::{Client, Login, Refused, capability, command};
use crate::fixture::{Check, PASSWORD, SCHEMA, Shop, USER, refusal, run_checks, wanted};

const CHECKS: [Check<Shop>; 21] = [
    ("logins", logins),
    ("refused logins", refused_logins),
    ("capabilities", capabilities),
    ("salts differ", salts_differ),
    ("ping and statistics", ping_and_statistics),
    ("init db", init_db),
    ("reset connection", reset_connection),
    ("change user", change_user),
    ("set option", set_option),
    ("field list", field_list),
    ("process info", process_info),
    ("unknown commands", unknown_commands),
    ("end of results", end_of_results),
    ("big packets", big_packets),
    ("long data", long_data),
    ("cursors", cursors),
    ("statement ids", statement_ids),
    ("parameters of each type", parameter_types),
    ("several statements", several_statements),
    ("broken clients", broken_clients),
    ("views of other proxies", views_of_other_proxies),
];

#[test]
fn wire_mysql() {
    run(Flavor::MySql);
}

#[test]
fn wire_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if wanted(flavor) {
        run_checks(&Shop::start(flavor, 2), &CHECKS);
    }
}

fn logins(shop: &Shop) {
    let login = shop.proxy.login();
    for plugin in ["caching_sha2_password", "mysql_native_password"] {
        let mut client = Client::open(&login.clone().plugin(plugin));
        assert_eq!(client.value("SELECT 1"), "1", "{plugin}");
        assert_eq!(client.value("SELECT DATABASE()"), SCHEMA, "{plugin}");
    }
    let mut client = Client::open(&Login { schema: None, ..login.clone() });
    let rows = client.rows("SELECT DATABASE()");
    assert_eq!(rows, [[None]]);
    assert_eq!(client.error("SELECT * FROM users").code, 1046);
    if !shop.proxy.is_stand_in() {
        let homed = Login { user: "homed".into(), schema: None, ..login.clone() };
        assert_eq!(Client::open(&homed).value("SELECT DATABASE()"), SCHEMA);
        client.change_user(&homed).unwrap();
        assert_eq!(client.value("SELECT DATABASE()"), SCHEMA);
    }
    let attributes = login.with(capability::CONNECT_ATTRS | capability::SESSION_TRACK);
    assert_eq!(Client::open(&attributes).value("SELECT 1"), "1");
}

fn refused_logins(shop: &Shop) {
    let login = shop.proxy.login();
    let denied = (1045, "28000".to_owned());
    for plugin in ["caching_sha2_password", "mysql_native_password"] {
        let login = login.clone().plugin(plugin);
        assert_eq!(refusal(&Login { password: "wrong".into(), ..login.clone() }), denied);
        assert_eq!(refusal(&Login { password: String::new(), ..login.clone() }), denied);
        assert_eq!(refusal(&Login { user: "nobody".into(), ..login.clone() }), denied);
        assert_eq!(refusal(&Login { user: String::new(), ..login }), denied);
    }
    // The texts are a server's own, and alike for users that there are and those that there are not.
    let plain = shop.servers.login(0);
    let text = |login: Login| match Client::connect(&login) {
        Err(Refused::Server(error)) => {
            let (before, rest) = error.message.split_once("'@'").expect("a user and a host");
            let (_, after) = rest.split_once('\'').expect("the host ends");
            format!("{before} at {after}")
        }
        other => panic!("{other:?}"),
    };
    for (user, password) in [("nobody", ""), (USER, "wrong"), (USER, "")] {
        let with = |login: &Login| Login {
            user: if user == USER { login.user.clone() } else { user.to_owned() },
            password: password.to_owned(),
            schema: None,
            ..login.clone()
        };
        let expect = text(with(&plain)).replace(&plain.user, USER);
        assert_eq!(text(with(&login)), expect, "{user} {password}");
    }
    let (code, state) = refusal(&login.clone().schema("no_such_schema"));
    assert!(matches!(code, 1044 | 1049) && state == "42000", "{code} {state}");
    // A refused client leaves nothing behind: the next one gets in.
    assert_eq!(Client::open(&login).value("SELECT 2"), "2");
}

fn capabilities(shop: &Shop) {
    let client = shop.client();
    let offered = client.greeting.capabilities;
    for (name, bit) in [
        ("FOUND_ROWS", capability::FOUND_ROWS),
        ("CONNECT_WITH_DB", capability::CONNECT_WITH_DB),
        ("PROTOCOL_41", capability::PROTOCOL_41),
        ("TRANSACTIONS", capability::TRANSACTIONS),
        ("MULTI_STATEMENTS", capability::MULTI_STATEMENTS),
        ("PLUGIN_AUTH", capability::PLUGIN_AUTH),
        ("DEPRECATE_EOF", capability::DEPRECATE_EOF),
    ] {
        assert!(offered & bit != 0, "{name} is not offered");
    }
    assert_eq!(client.capabilities() & capability::DEPRECATE_EOF, capability::DEPRECATE_EOF);
    assert_eq!(client.greeting.status & 2, 2, "autocommit in the greeting");
    assert!(client.greeting.connection_id > 0);
    let version = Client::open(&shop.servers.login(0)).greeting.version;
    assert_eq!(client.greeting.version, version);
}

fn salts_differ(shop: &Shop) {
    let (first, second) = (shop.client().greeting, shop.client().greeting);
    assert_eq!(first.salt.len(), 20);
    assert!(!first.salt.contains(&0));
    assert_ne!(first.salt, second.salt);
    assert_ne!(first.connection_id, second.connection_id);
}

fn ping_and_statistics(shop: &Shop) {
    let mut client = shop.client();
    assert_eq!(client.simple(command::PING, &[]).unwrap().done().affected, 0);
    client.command(command::STATISTICS, &[]).unwrap();
    let text = String::from_utf8(client.read_packet().unwrap()).unwrap();
    assert!(text.starts_with("Uptime: "), "{text}");
    assert_eq!(client.value("SELECT 1"), "1");
}

fn init_db(shop: &Shop) {
    let mut client = Client::open(&Login { schema: None, ..shop.proxy.login() });
    client.simple(command::INIT_DB, SCHEMA.as_bytes()).unwrap().done();
    assert_eq!(client.value("SELECT DATABASE()"), SCHEMA);
    match client.simple(command::INIT_DB, b"no_such_schema").unwrap() {
        Reply::Error(error) => assert!(matches!(error.code, 1044 | 1049), "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(client.value("SELECT DATABASE()"), SCHEMA);
    client.simple(command::INIT_DB, b"INFORMATION_SCHEMA").unwrap().done();
    in_information_schema(&mut client);
    let mut client = Client::open(&shop.proxy.login().schema("information_schema"));
    in_information_schema(&mut client);
    client.run(&format!("USE {SCHEMA}"));
    assert_eq!(client.value("SELECT DATABASE()"), SCHEMA);
}

/// Its tables need no schema in front there.
fn in_information_schema(client: &mut Client) {
    assert_eq!(client.value("SELECT DATABASE()"), "information_schema");
    assert_eq!(client.value("SELECT 1 + 1"), "2");
    let named = "SELECT COUNT(*) > 0 FROM information_schema.ENGINES";
    assert_eq!(client.value(named), "1");
    assert_eq!(client.value("SELECT COUNT(*) > 0 FROM ENGINES"), "1");
    let tables = "SELECT COUNT(*) > 0 FROM TABLES WHERE TABLE_SCHEMA = 'information_schema'";
    assert_eq!(client.value(tables), "1");
    assert_eq!(client.rows("SHOW TABLES LIKE 'ENGINES'").len(), 1);
    assert_eq!(client.rows("DESCRIBE ENGINES").len(), 6);
}

fn reset_connection(shop: &Shop) {
    let mut client = shop.client();
    client.run("SET @x = 5, sql_mode = 'ANSI_QUOTES', autocommit = 0");
    client.run("CREATE TABLE IF NOT EXISTS users (id BIGINT PRIMARY KEY, name VARCHAR(50))");
    client.run("REPLACE INTO users (id, name) VALUES (900, 'not committed')");
    let statement = client.prepare("SELECT 1").unwrap().unwrap();
    client.simple(command::RESET_CONNECTION, &[]).unwrap().done();
    assert_eq!(client.rows("SELECT @x"), [[None]]);
    assert_eq!(client.value("SELECT @@autocommit"), "1");
    assert!(!client.value("SELECT @@sql_mode").contains("ANSI_QUOTES"));
    assert_eq!(client.value("SELECT COUNT(*) FROM users WHERE id = 900"), "0");
    assert_eq!(client.value("SELECT DATABASE()"), SCHEMA);
    match client.execute(&statement, &[]).unwrap().pop() {
        Some(Reply::Error(error)) => assert_eq!(error.code, 1243),
        other => panic!("the statement outlives the reset: {other:?}"),
    }
}

fn change_user(shop: &Shop) {
    let mut client = shop.client();
    client.run("SET @x = 5");
    client.change_user(&shop.proxy.login()).unwrap();
    assert_eq!(client.rows("SELECT @x, DATABASE()"), [[None, Some(SCHEMA.to_owned())]]);
    let wrong = Login::new("", USER, "wrong").schema(SCHEMA);
    assert!(client.change_user(&wrong).is_err());
    let right = Login::new("", USER, PASSWORD);
    let mut client = shop.client();
    client.change_user(&right).unwrap();
    assert_eq!(client.rows("SELECT DATABASE()"), [[None]]);
}

fn set_option(shop: &Shop) {
    let mut client = shop.client();
    assert_eq!(client.error("SELECT 1; SELECT 2").code, 1064);
    client.simple(command::SET_OPTION, &0_u16.to_le_bytes()).unwrap().done();
    assert_eq!(client.run("SELECT 1; SELECT 2").len(), 2);
    client.simple(command::SET_OPTION, &1_u16.to_le_bytes()).unwrap().done();
    assert_eq!(client.error("SELECT 1; SELECT 2").code, 1064);
    match client.simple(command::SET_OPTION, &7_u16.to_le_bytes()).unwrap() {
        Reply::Error(_) => {}
        other => panic!("{other:?}"),
    }
}

fn field_list(shop: &Shop) {
    let mut client = shop.client();
    client.run("CREATE TABLE IF NOT EXISTS users (id BIGINT PRIMARY KEY, name VARCHAR(50))");
    client.command(command::FIELD_LIST, b"users\0%").unwrap();
    let mut names = Vec::new();
    loop {
        let packet = client.read_packet().unwrap();
        match packet.first() {
            Some(0xfe | 0x00) if packet.len() < 9 => break,
            Some(0xff) => panic!("{}", packet.escape_ascii()),
            _ => names.push(Column::parse(&packet).unwrap().name),
        }
    }
    assert_eq!(names, ["id", "name"]);
    assert_eq!(client.value("SELECT 1"), "1");
}

fn process_info(shop: &Shop) {
    let mut client = shop.client();
    client.command(command::PROCESS_INFO, &[]).unwrap();
    let replies = client.read_replies().unwrap();
    match &replies[..] {
        [Reply::Rows(rows)] => {
            let ids: Vec<_> = rows.text().into_iter().filter_map(|row| row[0].clone()).collect();
            assert!(ids.contains(&client.value("SELECT CONNECTION_ID()")), "{ids:?}");
        }
        // MySQL 9 has dropped the command.
        [Reply::Error(error)] => assert_eq!(error.code, 1047),
        other => panic!("{other:?}"),
    }
}

fn unknown_commands(shop: &Shop) {
    for unknown in [0x21, 0x77, 0xf0] {
        let mut client = shop.client();
        match client.simple(unknown, b"body").unwrap() {
            Reply::Error(error) => {
                assert_eq!((error.code, error.state.as_str()), (1047, "08S01"), "{unknown:#x}");
            }
            other => panic!("{unknown:#x}: {other:?}"),
        }
        // MySQL closes the connection after some of them.
        if !shop.proxy.is_stand_in() {
            assert_eq!(client.value("SELECT 1"), "1");
        }
    }
}

fn end_of_results(shop: &Shop) {
    // Its parts are on one cluster, as those of a transaction must be.
    let login = shop.proxy.login();
    for login in [login.clone(), login.clone().without(capability::DEPRECATE_EOF)] {
        let mut client = Client::open(&login);
        client.run("CREATE TABLE IF NOT EXISTS t_phys (id INT PRIMARY KEY, name VARCHAR(50))");
        client.run("REPLACE INTO t_phys (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
        for sql in ["SELECT id FROM t_phys WHERE id = 1", "SELECT id FROM t_phys ORDER BY id"] {
            for (start, flags) in [("ROLLBACK", 2), ("BEGIN", 3)] {
                client.run(start);
                match client.run(sql).pop() {
                    Some(Reply::Rows(rows)) => assert_eq!(rows.end.status & 3, flags, "{sql}"),
                    other => panic!("{other:?}"),
                }
                let statement = client.prepare(sql).unwrap().unwrap();
                match client.execute(&statement, &[]).unwrap().pop() {
                    Some(Reply::Rows(rows)) => assert_eq!(rows.end.status & 3, flags, "{sql}"),
                    other => panic!("{other:?}"),
                }
            }
            client.run("ROLLBACK");
        }
    }
}

/// Lengths around the limit of a packet on the wire, there and back.
fn big_packets(shop: &Shop) {
    let mut client = shop.client();
    client.run("CREATE TABLE IF NOT EXISTS t_hash (id BIGINT PRIMARY KEY, body LONGTEXT)");
    let limit = 0xff_ffff;
    // The row is `1`, the mark and length of the text, and the text; the statement has its own text.
    for (id, length) in
        [limit - 7, limit - 6, limit - 5, limit, limit + 1, 2 * limit + 5].into_iter().enumerate()
    {
        let text = "x".repeat(length);
        client.run(&format!("INSERT INTO t_hash VALUES ({id}, '{text}')"));
        let sql = format!("SELECT body FROM t_hash WHERE id = {id}");
        assert!(client.value(&sql) == text, "{length} bytes come back otherwise");
        let sum = client.value(&format!("SELECT CRC32(body) FROM t_hash WHERE id = {id}"));
        let digest = client.value(&format!("SELECT CRC32(REPEAT('x', {length}))"));
        assert_eq!(sum, digest);
    }
    let lengths = client.rows("SELECT LENGTH(body), body FROM t_hash ORDER BY id DESC");
    assert_eq!(lengths.len(), 6);
    for row in &lengths {
        let length = row[0].as_deref().map(str::parse::<usize>);
        assert_eq!(row[1].as_ref().map(String::len), length.and_then(Result::ok));
    }
    // A statement whose packets fill exactly.
    let head = "SELECT LENGTH('";
    for total in [limit - 1, limit, limit + 1] {
        let text = "y".repeat(total - 1 - head.len() - 2);
        let sql = format!("{head}{text}')");
        assert_eq!(sql.len() + 1, total);
        assert_eq!(client.value(&sql), text.len().to_string());
    }
    client.run("DROP TABLE t_hash");
}

fn long_data(shop: &Shop) {
    let mut client = shop.client();
    let statement = client.prepare("SELECT LENGTH(?), ?").unwrap().unwrap();
    for part in ["abc", "", "def"] {
        let mut body = statement.id.to_le_bytes().to_vec();
        body.extend_from_slice(&0_u16.to_le_bytes());
        body.extend_from_slice(part.as_bytes());
        client.command(command::STMT_SEND_LONG_DATA, &body).unwrap();
    }
    // The value of a parameter that came before is not sent again.
    let mut body = statement.id.to_le_bytes().to_vec();
    body.extend_from_slice(&[0, 1, 0, 0, 0, 0, 1, 253, 0, 8, 0]);
    body.extend_from_slice(&7_i64.to_le_bytes());
    client.command(command::STMT_EXECUTE, &body).unwrap();
    match client.read_replies().unwrap().pop() {
        Some(Reply::Rows(rows)) => {
            let packet = &rows.packets[0];
            assert_eq!(packet[..2], [0, 0]);
            assert_eq!(packet[2], 6, "{packet:?}");
        }
        other => panic!("{other:?}"),
    }
    match client.simple(command::STMT_RESET, &statement.id.to_le_bytes()).unwrap() {
        Reply::Done(_) => {}
        other => panic!("{other:?}"),
    }
}

/// A cursor gives the rows in portions, or all at once if the server opens none.
fn cursors(shop: &Shop) {
    let mut client = Client::open(&shop.proxy.login().without(capability::DEPRECATE_EOF));
    client.run("CREATE TABLE IF NOT EXISTS users (id BIGINT PRIMARY KEY, name VARCHAR(50))");
    client.run("REPLACE INTO users (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
    let sql = "SELECT id FROM users WHERE id BETWEEN 1 AND 4 ORDER BY id";
    let statement = client.prepare(sql).unwrap().unwrap();
    client.send_execute(statement.id, &[], 1).unwrap();
    let columns = client.read_packet().unwrap();
    assert_eq!(columns, [1]);
    client.read_packet().unwrap();
    let eof = client.read_packet().unwrap();
    assert_eq!(eof[0], 0xfe);
    if eof[3] & 0x40 == 0 {
        let mut rows = 0;
        while let (Item::Row, _) = client.read_item().unwrap() {
            rows += 1;
        }
        assert_eq!(rows, 4);
        return;
    }
    let mut portions = Vec::new();
    loop {
        let mut body = statement.id.to_le_bytes().to_vec();
        body.extend_from_slice(&3_u32.to_le_bytes());
        client.command(command::STMT_FETCH, &body).unwrap();
        let mut rows = 0;
        let end = loop {
            match client.read_item().unwrap().0 {
                Item::Row => rows += 1,
                Item::End(end) => break end,
                Item::Error(error) => panic!("{error}"),
            }
        };
        portions.push(rows);
        if end.status & 0x80 != 0 {
            break;
        }
        assert!(portions.len() < 5, "{portions:?}");
    }
    assert_eq!(portions.iter().sum::<usize>(), 4, "{portions:?}");
}

fn statement_ids(shop: &Shop) {
    let mut client = shop.client();
    for unknown in [0_u32, 4711, u32::MAX] {
        client.send_execute(unknown, &[], 0).unwrap();
        match client.read_replies().unwrap().pop() {
            Some(Reply::Error(error)) => {
                assert_eq!((error.code, error.state.as_str()), (1243, "HY000"))
            }
            other => panic!("{other:?}"),
        }
    }
    let statement = client.prepare("SELECT ?").unwrap().unwrap();
    assert_eq!((statement.params, statement.warnings), (1, 0));
    client.close(&statement).unwrap();
    match client.execute(&statement, &[Value::Int(1)]).unwrap().pop() {
        Some(Reply::Error(error)) => assert_eq!(error.code, 1243),
        other => panic!("{other:?}"),
    }
    // A body that ends too early is an error, and the connection goes on.
    let statement = client.prepare("SELECT ?").unwrap().unwrap();
    client.command(command::STMT_EXECUTE, &statement.id.to_le_bytes()).unwrap();
    assert!(matches!(client.read_replies().unwrap().pop(), Some(Reply::Error(_))));
    assert_eq!(client.value("SELECT 3"), "3");
}

fn parameter_types(shop: &Shop) {
    let mut client = shop.client();
    client.run("DROP TABLE IF EXISTS t_hash");
    client.run("CREATE TABLE t_hash (id BIGINT PRIMARY KEY, u BIGINT UNSIGNED, d DOUBLE, s TEXT)");
    let insert = client.prepare("INSERT INTO t_hash VALUES (?, ?, ?, ?)").unwrap().unwrap();
    for id in -3..=3 {
        let values =
            [Value::Int(id), Value::Unsigned(u64::MAX), Value::Double(0.5), Value::text("it's")];
        client.execute(&insert, &values).unwrap().pop().unwrap().done();
    }
    let nulls = [Value::text("9"), Value::Null, Value::Null, Value::Null];
    client.execute(&insert, &nulls).unwrap().pop().unwrap().done();
    let select = client.prepare("SELECT id FROM t_hash WHERE id = ?").unwrap().unwrap();
    let keys = [
        Value::Int(-3),
        Value::Unsigned(3),
        Value::Double(2.0),
        Value::text("1"),
        Value::text("9"),
        Value::text("0"),
    ];
    for key in keys {
        match client.execute(&select, std::slice::from_ref(&key)).unwrap().pop() {
            Some(Reply::Rows(rows)) => assert_eq!(rows.packets.len(), 1, "{key:?}"),
            other => panic!("{key:?}: {other:?}"),
        }
    }
    for key in [Value::Null, Value::Double(0.5), Value::Unsigned(u64::MAX)] {
        match client.execute(&select, std::slice::from_ref(&key)).unwrap().pop() {
            Some(Reply::Rows(rows)) => assert_eq!(rows.packets.len(), 0, "{key:?}"),
            other => panic!("{key:?}: {other:?}"),
        }
    }
    client.run("DROP TABLE t_hash");
}

fn several_statements(shop: &Shop) {
    let mut client = Client::open(&shop.proxy.login().with(capability::MULTI_STATEMENTS));
    client.run("CREATE TABLE IF NOT EXISTS users (id BIGINT PRIMARY KEY, name VARCHAR(50))");
    let sql = "DELETE FROM users; INSERT INTO users (id, name) VALUES (77, 'a;b'), (78, 'c'); \
               SELECT name FROM users ORDER BY id";
    match &client.run(sql)[..] {
        [Reply::Done(_), Reply::Done(done), Reply::Rows(rows)] => {
            assert_eq!((done.affected, rows.text().len()), (2, 2));
        }
        other => panic!("{other:?}"),
    }
    // The first error ends the text, and what stands behind it is not even read.
    let replies = client.query("SELECT 1; SELECT nothing; DELETE FROM users; 'unfinished").unwrap();
    assert!(matches!(&replies[..], [Reply::Rows(_), Reply::Error(error)] if error.code == 1054));
    assert_eq!(client.value("SELECT COUNT(*) FROM users"), "2");
    let sql = "SET sql_mode = 'ANSI_QUOTES'; SELECT 1 AS \"one\"; SET sql_mode = DEFAULT";
    assert_eq!(client.run(sql).len(), 3);
    let sql =
        "BEGIN; UPDATE users SET name = 'd'; ROLLBACK; SELECT COUNT(*) FROM users WHERE name = 'd'";
    match client.run(sql).pop() {
        Some(Reply::Rows(rows)) => assert_eq!(rows.text()[0][0].as_deref(), Some("0")),
        other => panic!("{other:?}"),
    }
    let many: String = (0..2000).map(|number| format!("SELECT {number};")).collect();
    assert_eq!(client.run(&many).len(), 2000);
    assert_eq!(client.error("SELECT 1 /* ; */ 2; SELECT 3").code, 1064);
    assert_eq!(client.prepare("SELECT 1; SELECT 2").unwrap().unwrap_err().code, 1064);
    client.run("SELECT ';' /* ; */;");
    assert_eq!(client.value("SELECT 5;"), "5");
}

/// Bytes that break the protocol end one connection and nothing else.
fn broken_clients(shop: &Shop) {
    let garbage: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[0xff; 64],
        &[1, 0, 0, 1, 0],
        &[0, 0, 0, 1],
        &[32, 0, 0, 9, 0, 0],
    ];
    for bytes in garbage {
        let mut client = Client::greet(&shop.proxy.address).expect("a greeting");
        client.write_raw(bytes).unwrap();
    }
    for bytes in garbage {
        let mut client = shop.client();
        client.write_raw(bytes).unwrap();
    }
    // A packet out of order is told, and ends the connection.
    let out_of_order = |login: &Login| {
        let mut client = Client::open(login);
        client.write_raw(&[1, 0, 0, 7, 14]).unwrap();
        let told = client.read_numbered();
        let told = told.map(|(_, packet)| packet.get(..3).map(<[u8]>::to_vec));
        assert!(client.query("SELECT 1").is_err());
        told.map_err(|error| error.kind())
    };
    if !shop.proxy.is_stand_in() {
        let expect = out_of_order(&shop.servers.login(0));
        assert_eq!(out_of_order(&shop.proxy.login()), expect);
    }
    let mut client = shop.client();
    client.command(command::QUIT, &[]).unwrap();
    assert!(client.read_packet().is_err(), "the connection ends at COM_QUIT");
    assert_eq!(shop.client().value("SELECT 1"), "1");
}

/// A proxy that remembers the views of a schema finds those that another one makes, changes and drops.
fn views_of_other_proxies(shop: &Shop) {
    if shop.proxy.is_stand_in() {
        return;
    }
    let mut client = shop.client();
    client.run("CREATE TABLE h_bag (id INT, grp INT)");
    client.run("INSERT INTO h_bag VALUES (1, 1), (2, 2), (3, 3)");
    client.run("CREATE VIEW v_mine AS SELECT id FROM h_bag");
    assert_eq!(client.error("SELECT * FROM v_theirs").code, 1146);
    let other = |statement: &str| shop.servers.run(0, &[statement]);
    other(
        "INSERT INTO margay.views SELECT schema_name, 'v_theirs', columns, definition, algorithm, \
         definer, invoker, check_option, created FROM margay.views WHERE name = 'v_mine'",
    );
    assert_eq!(client.value("SELECT COUNT(*) FROM v_theirs"), "3");
    other(
        "UPDATE margay.views SET definition = 'SELECT grp AS id FROM `shop`.gone' WHERE name = 'v_theirs'",
    );
    assert_eq!(client.value("SHOW TABLES LIKE 'v\\_theirs'"), "v_theirs");
    assert_eq!(client.error("SELECT * FROM v_theirs").code, 1356);
    other(
        "UPDATE margay.views SET definition = 'SELECT grp AS id FROM `shop`.h_bag' WHERE name = 'v_theirs'",
    );
    assert_eq!(client.value("SELECT MAX(id) FROM v_theirs"), "3");
    other("DELETE FROM margay.views WHERE name = 'v_theirs'");
    assert_eq!(client.error("DROP VIEW v_theirs").code, client.error("DROP VIEW v_none").code);
    assert_eq!(client.error("SELECT * FROM v_theirs").code, 1146);
    client.run("DROP VIEW v_mine");
    client.run("DROP TABLE h_bag");
}
