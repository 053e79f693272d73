//! What may go wrong while a file is loaded.

use std::time::Duration;

use tokio::time::Instant;

use super::{RULES, World, load};
use crate::client::reply::Reply;
use crate::client::{Client, capability, command};
use crate::fixture::{PASSWORD, Proxy, USER};

const INTO_HASHED: &str = "LOAD DATA LOCAL INFILE 'f' INTO TABLE hashed (id, code)";

type Check = (&'static str, fn(&World));

const CHECKS: [Check; 11] = [
    // Before others have taken some.
    ("memory", memory),
    ("several statements", several_statements),
    ("not prepared", not_prepared),
    ("refused", refused),
    ("generated ids", generated_ids),
    ("pinned", pinned),
    ("clients that leave", leaving_clients),
    ("killed", killed),
    ("gathered", gathered),
    ("undone", undone),
    // It ends a server.
    ("a dead shard", dead_shard),
];

/// The length of the file for [`memory`] in MiB. If it is given, nothing else is looked at.
pub(super) fn length_given() -> Option<u64> {
    std::env::var("MARGAY_TEST_LOAD_MB").ok()?.parse().ok()
}

pub(super) fn check(world: &World, failed: &mut Vec<String>) {
    let count = if length_given().is_some() { 1 } else { CHECKS.len() };
    for (name, check) in CHECKS.into_iter().take(count) {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(world)));
        if outcome.is_err() {
            failed.push(format!("{name}: see above"));
        }
    }
}

/// `1\ta\n2\ta\n...`
fn rows(count: u64) -> Vec<u8> {
    (1..=count).flat_map(|id| format!("{id}\ta\n").into_bytes()).collect()
}

fn done(reply: Reply) -> u64 {
    reply.done().affected
}

fn error(reply: Reply) -> u16 {
    match reply {
        Reply::Error(error) => error.code,
        other => panic!("no error but {other:?}"),
    }
}

fn several_statements(world: &World) {
    let mut client = Client::open(&world.proxy_login());
    client.run("DELETE FROM hashed");
    let text = format!("{INTO_HASHED}; SELECT COUNT(*) FROM hashed");
    let (name, replies) = client.load(&text, [rows(5)]).expect("the connection holds");
    assert_eq!(name, b"f");
    let [Reply::Done(loaded), Reply::Rows(count)] = replies.as_slice() else {
        panic!("{replies:?}");
    };
    assert_eq!((loaded.affected, count.text()), (5, vec![vec![Some("5".to_owned())]]));
}

fn not_prepared(world: &World) {
    let mut client = Client::open(&world.proxy_login());
    let refused = client.prepare(INTO_HASHED).expect("an answer").expect_err("it cannot be");
    assert_eq!(refused.code, 1295);
    assert_eq!(client.error(&format!("PREPARE s FROM \"{INTO_HASHED}\"")).code, 1295);
}

fn refused(world: &World) {
    let rules = RULES.replace("local_infile: true\n", "");
    let proxy = Proxy::start(&rules, &world.servers.variables());
    let login = crate::client::Login::new(proxy.address.clone(), USER, PASSWORD).schema("shop");
    let mariadb = Client::open(&world.servers.login(0)).greeting.version.contains("MariaDB");
    let code = if mariadb { 4166 } else { 3948 };
    let mut off = Client::open(&login.with(capability::LOCAL_FILES));
    assert_eq!(error(load(&mut off, INTO_HASHED, b"1\ta\n", 9)), code);
    let unable = world.proxy_login().without(capability::LOCAL_FILES);
    let mut unable = Client::open(&unable);
    assert_eq!(error(load(&mut unable, INTO_HASHED, b"1\ta\n", 9)), code);
    let mut client = Client::open(&world.proxy_login());
    for text in [
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE one",
        "LOAD XML LOCAL INFILE 'f' INTO TABLE hashed",
    ] {
        let refused = client.error(text);
        assert!(
            refused.message.contains(" of a file on a server, or of XML, is not supported; send")
        );
        assert_eq!(
            (refused.code, refused.message.contains("is not supported")),
            (1235, true),
            "{text}"
        );
    }
    let admin = crate::client::Login { user: "admin".into(), ..world.proxy_login() };
    let mut admin = Client::open(&admin);
    admin.run("BEGIN; SELECT COUNT(*) FROM one");
    let hinted = "/*margay: shard=c1/shop_0 */ LOAD XML LOCAL INFILE 'f' INTO TABLE one";
    let refused = admin.error(hinted);
    assert_eq!(refused.code, 1235, "{refused}");
    let says = "a file of the client other than by LOAD DATA LOCAL INFILE is not supported: nothing was loaded";
    assert!(refused.message.contains(says), "{refused}");
    admin.run("SELECT COUNT(*) FROM one; COMMIT");
    let gbk = INTO_HASHED.replace("hashed", "hashed CHARACTER SET gbk");
    let Reply::Error(error) = load(&mut client, &gbk, b"1\ta\n", 9) else { panic!("no error") };
    let says = "LOAD DATA of a file in gbk into `hashed`, whose rows are told apart by Margay, is not \
                supported; convert the file to utf8mb4, and say CHARACTER SET utf8mb4";
    assert!(error.message.starts_with(says), "{error}");
    client.run("CREATE VIEW seen AS SELECT id, code FROM hashed");
    let view = INTO_HASHED.replace("hashed", "seen");
    let Reply::Error(error) = load(&mut client, &view, b"1\ta\n", 9) else { panic!("no error") };
    assert!(error.message.contains("is a view that Margay puts together"), "{error}");
    client.run("DROP VIEW seen");
    assert_eq!(client.value("SELECT 1"), "1");
}

fn generated_ids(world: &World) {
    let mut client = Client::open(&world.proxy_login());
    client.run("CREATE TABLE flakes (id BIGINT NOT NULL PRIMARY KEY, note VARCHAR(9))");
    client.run("CREATE TABLE counts (id INT NOT NULL PRIMARY KEY, grp INT, note VARCHAR(9))");
    let into = "LOAD DATA LOCAL INFILE 'f' INTO TABLE";
    let fields = "FIELDS TERMINATED BY ','";
    let notes: Vec<u8> = (0..3000).flat_map(|n| format!("n{n}\n").into_bytes()).collect();
    let reply = load(&mut client, &format!("{into} flakes {fields} (note)"), &notes, 999);
    assert_eq!(done(reply), 3000);
    assert_eq!(client.value("SELECT COUNT(DISTINCT id) FROM flakes WHERE id > 1000000"), "3000");
    assert_eq!(client.value("SELECT LAST_INSERT_ID() = MIN(id) FROM flakes"), "1");
    // Each is on the shard of its id.
    let first = client.value("SELECT MAX(id) FROM flakes");
    assert_eq!(client.value(&format!("SELECT COUNT(*) FROM flakes WHERE id = {first}")), "1");
    let file = b"7,1,given\n\\N,2,made\n0,3,made\n,4,made\n\"\",5,made\n";
    let reply = load(&mut client, &format!("{into} counts {fields} ENCLOSED BY '\"'"), file, 3);
    assert_eq!(done(reply), 5);
    let made = "SELECT COUNT(*), COUNT(DISTINCT id) FROM counts WHERE note = 'made' AND id > 7";
    assert_eq!(client.rows(made), [[Some("4".to_owned()), Some("4".to_owned())]]);
    let reply =
        load(&mut client, &format!("{into} counts {fields} (grp) SET note = 'set'"), b"1\n2\n", 2);
    assert_eq!(done(reply), 2);
    assert_eq!(client.value("SELECT COUNT(*) FROM counts WHERE note = 'set'"), "2");
}

fn pinned(world: &World) {
    let mut client = Client::open(&world.proxy_login());
    client.run("CREATE TEMPORARY TABLE mine (id INT, code VARCHAR(9))");
    let reply = load(&mut client, "LOAD DATA LOCAL INFILE 'f' INTO TABLE mine", &rows(9), 5);
    assert_eq!(done(reply), 9);
    assert_eq!(client.value("SELECT COUNT(*) FROM mine"), "9");
    client.run("DROP TEMPORARY TABLE mine");
    client.run("DELETE FROM one");
    client.run("LOCK TABLES one WRITE");
    let into_one = INTO_HASHED.replace("hashed", "one");
    assert_eq!(done(load(&mut client, &into_one, &rows(9), 5)), 9);
    assert_eq!(client.value("SELECT COUNT(*) FROM one"), "9");
    client.run("UNLOCK TABLES");
}

/// Empties a table, on which others may have locks for a while.
fn empty(client: &mut Client, table: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    let delete = format!("DELETE FROM {table}");
    loop {
        let reply = client.query(&delete).expect("the connection holds").pop();
        match reply {
            Some(Reply::Done(_)) => return,
            other => assert!(Instant::now() < until, "{other:?}"),
        }
    }
}

/// Clients that go away in the midst of a file leave nothing of it.
fn leaving_clients(world: &World) {
    let mut client = Client::open(&world.proxy_login());
    for table in ["one", "copies", "hashed"] {
        client.run(&format!("DELETE FROM {table}"));
        let mut leaver = Client::open(&world.proxy_login());
        let text = INTO_HASHED.replace("hashed", table);
        leaver.command(command::QUERY, text.as_bytes()).expect("it is sent");
        assert_eq!(leaver.read_packet().expect("an answer").first(), Some(&0xfb));
        // Enough for some of it to be written.
        let file = rows(800_000);
        for piece in file.chunks(1 << 16) {
            leaver.write_packet(piece).expect("it is taken");
        }
        drop(leaver);
        empty(&mut client, table);
        assert_eq!(client.value(&format!("SELECT COUNT(*) FROM {table}")), "0", "{table}");
    }
}

/// KILL QUERY in the midst of a file.
fn killed(world: &World) {
    let mut client = Client::open(&world.proxy_login());
    empty(&mut client, "hashed");
    let mut victim = Client::open(&world.proxy_login());
    let id = victim.value("SELECT CONNECTION_ID()");
    let file = rows(1000);
    let pieces = (0..50).map(|index| {
        if index == 25 {
            client.run(&format!("KILL QUERY {id}"));
        }
        file.clone()
    });
    let (_, replies) = victim.load(INTO_HASHED, pieces).expect("the connection holds");
    assert_eq!(replies.into_iter().map(error).collect::<Vec<_>>(), [1317]);
    assert_eq!(victim.value("SELECT COUNT(*) FROM hashed"), "0");
}

/// A file that fails leaves what its transaction had before.
fn undone(world: &World) {
    let mut client = Client::open(&world.proxy_login());
    client.run("DELETE FROM hashed");
    client.run("BEGIN; INSERT INTO hashed (id, code) VALUES (1, 'mine')");
    let into = "LOAD DATA LOCAL INFILE 'f' INTO TABLE hashed (code, id)";
    let swapped: Vec<u8> = (5..9).flat_map(|id| format!("b\t{id}\n").into_bytes()).collect();
    for (file, says) in [
        (
            [&swapped, b"c\n".as_slice()].concat(),
            "row 5 of the file lacks field 2, by which it is placed; correct it in the file",
        ),
        ([&swapped, b"c\t1.5\n".as_slice()].concat(), "row 5 of the file: the value '1.5' of"),
    ] {
        let Reply::Error(error) = load(&mut client, into, &file, 3) else { panic!("no error") };
        assert!(error.message.contains(says), "{error}");
    }
    assert_eq!(done(load(&mut client, into, &swapped, 4)), 4);
    assert_eq!(client.value("SELECT COUNT(*) FROM hashed"), "5");
    client.run("ROLLBACK");
    assert_eq!(client.value("SELECT COUNT(*) FROM hashed"), "0");
    let into = "LOAD DATA LOCAL INFILE 'f' INTO TABLE coded CHARACTER SET utf8mb4 (code, id)";
    let Reply::Error(error) = load(&mut client, into, b"\xff\t1\n", 9) else { panic!("no error") };
    let says =
        "row 1 of the file has bytes that are no text in utf8mb4 in field 1, by which it is placed";
    assert!(error.message.contains(says), "{error}");
    client.run("ALTER TABLE dated MODIFY day DATE NOT NULL");
    let into = "LOAD DATA LOCAL INFILE 'f' INTO TABLE dated (id, grp, day)";
    let Reply::Error(error) = load(&mut client, into, b"1\t1\t\\N\n", 9) else {
        panic!("no error")
    };
    let says = "row 1 of the file has NULL, which its column does not take, in field 3";
    assert!(error.message.contains(says), "{error}");
    let Reply::Error(error) = load(&mut client, INTO_HASHED, &vec![b'x'; 70 << 20], 1 << 20) else {
        panic!("no error")
    };
    assert_eq!(error.code, 1041, "{error}");
}

/// However long the file, the proxy holds little of it. `MARGAY_TEST_LOAD_MB` is its length.
fn memory(world: &World) {
    const KIB_MAX: u64 = 128 * 1024;
    let megabytes = length_given().unwrap_or(48);
    let mut client = Client::open(&world.proxy_login());
    client.run("DELETE FROM hashed");
    client.run("ALTER TABLE hashed MODIFY note VARCHAR(2000)");
    let note = "n".repeat(980);
    let block = |index: u64| -> Vec<u8> {
        let ids = index * 1024..(index + 1) * 1024;
        ids.flat_map(|id| format!("{id:010}\tcode\t{note}\n").into_bytes()).collect()
    };
    let before = world.proxy.memory_kib("VmRSS");
    let since = Instant::now();
    let (_, replies) = client
        .load(
            "LOAD DATA LOCAL INFILE 'f' INTO TABLE hashed (id, code, note)",
            (0..megabytes).map(block),
        )
        .expect("the connection holds");
    let affected: Vec<u64> = replies.into_iter().map(done).collect();
    assert_eq!(affected, [megabytes * 1024]);
    let peak = world.proxy.memory_kib("VmHWM");
    eprintln!("{megabytes} MiB in {:?}: {before} KiB before, {peak} KiB at most", since.elapsed());
    assert_eq!(client.value("SELECT COUNT(*) FROM hashed"), (megabytes * 1024).to_string());
    assert!(peak < KIB_MAX, "{peak} KiB");
    client.run("TRUNCATE TABLE hashed");
}

/// A server that dies in the midst of a file: nothing of it is left, and the client hears of it in turn.
fn dead_shard(world: &World) {
    let mut client = Client::open(&world.proxy_login());
    client.run("DELETE FROM hashed");
    client.limit_waits(Duration::from_secs(60)).expect("a limit");
    let pid = world.servers.servers[1].pid().expect("it runs").to_string();
    let file = rows(200_000);
    let pieces = (0..8).map(|index| {
        if index == 6 {
            let killed = std::process::Command::new("kill").args(["-s", "KILL", &pid]).status();
            assert!(killed.is_ok_and(|status| status.success()));
        }
        file.clone()
    });
    let (_, replies) = client.load(INTO_HASHED, pieces).expect("the connection holds");
    let [Reply::Error(error)] = replies.as_slice() else { panic!("no error but {replies:?}") };
    assert!(matches!(error.code, 1429 | 2003 | 2013), "{error}");
    assert_eq!(client.value("SELECT 1"), "1");
    let mut server = Client::open(&world.servers.login(0));
    let until = Instant::now() + Duration::from_secs(60);
    let count =
        "SELECT (SELECT COUNT(*) FROM shop_0.hashed) + (SELECT COUNT(*) FROM shop_1.hashed)";
    while server.value(&format!("{count} FOR UPDATE")) != "0" && Instant::now() < until {}
    assert_eq!(server.value(count), "0");
}

/// A SELECT that gathers many rows on one server loads them as files there, and they are as they were.
fn gathered(world: &World) {
    const COLUMNS: &str = "(id INT PRIMARY KEY, whole BIGINT UNSIGNED, digits DECIMAL(30,10), simple FLOAT, \
                           fine DOUBLE, day DATE, late DATETIME(3), clock TIME(6), latin VARCHAR(40) \
                           CHARACTER SET latin1, wide VARCHAR(40) CHARACTER SET utf16, chinese VARCHAR(40) \
                           CHARACTER SET gbk, bytes VARBINARY(40), kind ENUM('a','b,c'), some SET('x','y'))";
    let mut proxy = Client::open(&world.proxy_login());
    let mut plain = Client::open(&world.servers.login(2).schema("shop"));
    for client in [&mut proxy, &mut plain] {
        client.run(&format!("CREATE TABLE typed {COLUMNS}"));
        let row = |id: u64| {
            format!(
                "({id}, 18446744073709551615 - {id}, {id}.0000000001, {id} / 3, {id} / 7, '2024-02-29', \
                 '2024-02-29 23:59:59.123', '-12:00:00.000001', _latin1 X'E4{:02X}', 'ä\\\\{id}', '中\\t{id}', \
                 X'00095C0A27{:04X}', {}, 'x,y')",
                id % 128 + 128,
                id % 65536,
                if id.is_multiple_of(3) { "NULL" } else { "'b,c'" }
            )
        };
        for block in 0..4 {
            let ids = block * 1000..(block + 1) * 1000;
            let rows: Vec<String> = ids.map(row).collect();
            client.run(&format!("INSERT INTO typed VALUES {}", rows.join(", ")));
        }
    }
    let mut servers = [0, 1].map(|index| Client::open(&world.servers.login(index)));
    let mut loads = || -> u64 {
        let count = |server: &mut Client| {
            let rows = server.rows("SHOW GLOBAL STATUS LIKE 'Com_load'");
            rows[0][1].as_ref().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default()
        };
        servers.iter_mut().map(count).sum()
    };
    let before = loads();
    let query = "SELECT typed.*, ROW_NUMBER() OVER (ORDER BY id DESC) AS place FROM typed \
                 ORDER BY id";
    assert!(proxy.rows(query) == plain.rows(query), "the rows differ");
    assert!(loads() > before, "they were not loaded as files");
}
