//! Clients of other character sets than UTF-8: what they write and read is as on a plain server, and a
//! key of text has one shard whatever the set it is written in.

use margay::cli::demo::flavor::Flavor;

use crate::client::reply::Reply;
use crate::client::value::Value;
use crate::client::{Client, Login, command};
use crate::fixture::{Shop, wanted};

/// A character set, the number of a collation of it, and letters in it: of some the second byte is a
/// backslash, a quote of names, or another character that means something.
const SETS: [(&str, u8, &[&[u8]]); 12] = [
    ("utf8mb4", 45, &["é".as_bytes(), "表".as_bytes(), "😀".as_bytes()]),
    ("utf8mb3", 33, &["é".as_bytes(), "表".as_bytes()]),
    ("latin1", 8, &[b"\xe9", b"\xdf\x5c\x5c"]),
    ("latin2", 9, &[b"\xe9", b"\xb9"]),
    ("cp1251", 51, &[b"\xe9", b"\xff"]),
    ("gbk", 28, &[b"\xbf\x5c", b"\xb0\xa1", b"\x8a\x60", b"\x81\x7c"]),
    ("gb18030", 248, &[b"\xbf\x5c", b"\xb0\xa1", b"\x84\x31\xa4\x37", b"\x8a\x60"]),
    ("big5", 1, &[b"\xa5\x5c", b"\xb3\x5c", b"\xa4\x40", b"\xa9\x7c"]),
    ("sjis", 13, &[b"\x95\x5c", b"\x83\x5c", b"\xb1", b"\x83\x7c"]),
    ("cp932", 95, &[b"\x95\x5c", b"\x83\x5c", b"\xb1", b"\x87\x40"]),
    ("euckr", 19, &[b"\xb0\xa1", b"\xc8\xfe"]),
    ("ujis", 12, &[b"\xa4\xa2", b"\x8e\xb1"]),
];

#[test]
fn charsets_mysql() {
    run(Flavor::MySql);
}

#[test]
fn charsets_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let shop = Shop::start(flavor, 3);
    shop.servers.run(2, &["CREATE DATABASE shop"]);
    let plain = shop.servers.login(2).schema("shop");
    let mut both = Both::open(&plain, &shop.proxy.login());
    both.same(
        b"CREATE TABLE t_text (code VARCHAR(40) CHARACTER SET utf8mb4 PRIMARY KEY, body TEXT)",
    );
    for (name, collation, letters) in SETS {
        let at = |login: &Login| Login { collation, ..login.clone() };
        both = match flavor {
            // MariaDB does not have it.
            Flavor::MariaDb if name == "gb18030" => continue,
            // By the handshake, and by a statement.
            Flavor::MySql if name == "latin1" => Both::open(&plain, &shop.proxy.login()),
            _ => Both::open(&at(&plain), &at(&shop.proxy.login())),
        };
        both.same(format!("SET NAMES {name}").as_bytes());
        letters.iter().for_each(|letter| statements(&mut both, name, letter));
        wide(&mut both);
    }
    whatever_the_set(&plain, &shop.proxy.login());
    names(&plain, &shop.proxy.login());
}

/// A plain server and Margay.
struct Both {
    plain: Client,
    proxy: Client,
}

impl Both {
    fn open(plain: &Login, proxy: &Login) -> Self {
        Self { plain: Client::open(plain), proxy: Client::open(proxy) }
    }

    fn same(&mut self, sql: &[u8]) {
        let shown = sql.escape_ascii().to_string();
        let [plain, proxy] = [&mut self.plain, &mut self.proxy].map(|client| {
            client.command(command::QUERY, sql).unwrap();
            client.read_replies().unwrap_or_else(|error| panic!("{shown}: {error}"))
        });
        let [plain, proxy] = [plain, proxy].map(|replies| described(&replies));
        assert_eq!(proxy, plain, "{shown}");
    }

    fn same_prepared(&mut self, sql: &str, value: &[u8]) {
        let [plain, proxy] = [&mut self.plain, &mut self.proxy].map(|client| {
            let statement = client.prepare(sql).unwrap().unwrap();
            let value = Value::Bytes(value.to_vec());
            let replies = client.execute(&statement, &[value]).unwrap();
            client.close(&statement).unwrap();
            described(&replies)
        });
        assert_eq!(proxy, plain, "{sql}: {}", value.escape_ascii());
    }
}

/// Rows as they are on the wire, counts, codes of errors.
fn described(replies: &[Reply]) -> Vec<String> {
    let one = |reply: &Reply| match reply {
        Reply::Done(done) => format!("{} rows", done.affected),
        Reply::Rows(rows) => {
            let names: Vec<_> = rows
                .columns
                .iter()
                .map(|column| format!("{} {}", column.name, column.charset))
                .collect();
            let rows: Vec<_> =
                rows.packets.iter().map(|row| row.escape_ascii().to_string()).collect();
            format!("{names:?} {rows:?}")
        }
        Reply::Error(error) => format!("error {}", error.code),
    };
    replies.iter().map(one).collect()
}

fn text(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Literals with a letter, also where it stands in front of a quote.
fn statements(both: &mut Both, name: &str, letter: &[u8]) {
    let (l, key) = (letter, text(&[name.as_bytes(), b" ", letter]));
    let k = key.as_slice();
    both.same(&text(&[b"SELECT '", l, b"', HEX('", l, b"'), '", l, b"\\'x', \"", l, b"\""]));
    both.same(&text(&[
        b"SELECT CHARSET('",
        l,
        b"'), LENGTH('a",
        l,
        b"'), '",
        l,
        l,
        b"' /* ",
        l,
        b" */",
    ]));
    both.same(&text(&[
        b"INSERT INTO t_text VALUES ('",
        k,
        b"', '",
        l,
        b"'), ('",
        k,
        b"x', 'it''s ",
        l,
        b"')",
    ]));
    both.same(&text(&[b"INSERT INTO t_text VALUES ('", k, b"', 'again')"]));
    both.same(&text(&[b"SELECT body, HEX(code) FROM t_text WHERE code = '", k, b"'"]));
    both.same(&text(&[b"SELECT body FROM t_text WHERE code IN ('", k, b"', 'z') ORDER BY code"]));
    both.same(&text(&[b"SELECT code FROM t_text WHERE code LIKE '", k, b"%' ORDER BY code"]));
    both.same(&text(&[b"UPDATE t_text SET body = '", l, b"\\\\' WHERE code = '", k, b"'"]));
    both.same(&text(&[b"SELECT HEX(body), body FROM t_text WHERE code = '", k, b"'"]));
    both.same(&text(&[b"SET @v = '", k, b"'"]));
    both.same(b"SELECT HEX(@v), @v, COUNT(*) FROM t_text WHERE code = @v");
    both.same_prepared("SELECT body, ? FROM t_text WHERE code <> ''  ORDER BY code", l);
    both.same_prepared("SELECT HEX(code), body FROM t_text WHERE code = ?", k);
    both.same(&text(&[
        b"SELECT COUNT(*) FROM t_text WHERE code = '",
        k,
        b"' OR body = '",
        l,
        b"'",
    ]));
    both.same(&text(&[b"DELETE FROM t_text WHERE code = '", k, b"x'"]));
}

/// Sets in which SQL cannot be written are refused.
fn wide(both: &mut Both) {
    for set in ["ucs2", "utf16", "utf32", "klingon"] {
        both.same(format!("SET NAMES {set}").as_bytes());
        both.same(format!("SET character_set_client = {set}").as_bytes());
    }
    both.same(b"SELECT @@character_set_client, @@character_set_results, @@collation_connection");
}

/// Rows that one set wrote are found by the others.
fn whatever_the_set(plain: &Login, proxy: &Login) {
    let mut both = Both::open(plain, proxy);
    both.same(b"SELECT HEX(code), HEX(body) FROM t_text ORDER BY code");
    let keys: Vec<String> =
        both.plain.rows("SELECT code FROM t_text").into_iter().flatten().flatten().collect();
    assert!(keys.len() > 20);
    for key in &keys {
        both.same(format!("SELECT HEX(body) FROM t_text WHERE code = '{key}'").as_bytes());
    }
    // The character \u{8868} in each set that has it.
    both.same("INSERT INTO t_text VALUES ('表', 'one')".as_bytes());
    for (set, letter) in [
        ("sjis", &b"\x95\x5c"[..]),
        ("cp932", b"\x95\x5c"),
        ("gbk", b"\xb1\xed"),
        ("big5", b"\xaa\xed"),
    ] {
        both.same(format!("SET NAMES {set}").as_bytes());
        both.same(&text(&[b"SELECT body FROM t_text WHERE code = '", letter, b"'"]));
        both.same_prepared("SELECT body FROM t_text WHERE code = ?", letter);
    }
}

/// Names of columns and tables in the client's set.
fn names(plain: &Login, proxy: &Login) {
    let mut both = Both::open(plain, proxy);
    for (name, letter) in [
        ("latin1", &b"\xe9"[..]),
        ("gbk", b"\xbf\x5c"),
        ("gbk", b"\xb0\xa1"),
        ("big5", b"\xa9\x7c"),
        ("sjis", b"\x95\x5c"),
        ("cp1251", b"\xff"),
    ] {
        both.same(format!("SET NAMES {name}").as_bytes());
        let l = letter;
        both.same(&text(&[b"SELECT 1 AS `", l, b"`, '", l, b"' AS b, HEX('", l, b"')"]));
        both.same(&text(&[b"SELECT `", l, b"` FROM t_text"]));
        both.same(&text(&[b"SELECT 1 FROM `", l, b"`"]));
        both.same(&text(&[b"REPLACE INTO t_text VALUES ('key ", l, b"', 'body ", l, b"')"]));
        let key = text(&[b"'key ", l, b"'"]);
        both.same(&text(&[b"SELECT body AS `b", l, b"` FROM t_text WHERE code = ", &key]));
        both.same(&text(&[b"SELECT body AS `b", l, b"` FROM t_text ORDER BY `b", l, b"`, 1"]));
        let table = text(&[b"`t", l, b"`"]);
        both.same(&text(&[b"CREATE TABLE ", &table, b" (id INT, `c", l, b"` VARCHAR(9))"]));
        both.same(&text(&[b"INSERT INTO ", &table, b" VALUES (1, '", l, b"'), (2, 'x')"]));
        both.same(&text(&[
            b"SELECT `c",
            l,
            b"`, id FROM ",
            &table,
            b" WHERE `c",
            l,
            b"` = '",
            l,
            b"'",
        ]));
        both.same(&text(&[b"DROP TABLE ", &table]));
        both.same(b"SELECT COUNT(*), @@character_set_client FROM t_text");
    }
    // Where the same bytes would be another text.
    let mut client = Client::open(proxy);
    client.run("SET NAMES latin1");
    client.command(command::QUERY, b"SELECT _latin1'\xe9' AS \xe9").unwrap();
    match client.read_replies().unwrap().pop() {
        Some(Reply::Error(error)) => {
            assert_eq!(error.code, 1064);
            assert!(error.message.contains("use SET NAMES utf8mb4"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}
