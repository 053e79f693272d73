//! What statements of a transaction over several clusters do, as on one server.

use std::time::Duration;

use margay::cli::demo::flavor::Flavor;

use super::{Field, client, login};
use crate::client::reply::Reply;
use crate::client::{Client, Login};
use crate::fixture::{Check, Proxy, run_checks, wanted};

/// The status bit of an open transaction.
const IN_TRANSACTION: u16 = 1;

#[test]
fn statements_mysql() {
    run(Flavor::MySql);
}

#[test]
fn statements_mariadb() {
    run(Flavor::MariaDb);
}

struct Subject {
    field: Field,
    proxy: Proxy,
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let field = Field::start(flavor, 3);
    let proxy = field.proxy(false, "limits: {transaction_idle_timeout: 2s}");
    let subject = Subject { field, proxy };
    let checks: &[Check<Subject>] = &[
        ("commits everywhere", commits_everywhere),
        ("rolls back everywhere", rolls_back_everywhere),
        ("savepoints", savepoints),
        ("a failed statement is undone alone", a_failed_statement_is_undone_alone),
        ("an autocommit statement is whole", an_autocommit_statement_is_whole),
        ("a deadlock ends all", a_deadlock_ends_all),
        ("a lost connection ends all", a_lost_connection_ends_all),
        ("read only", read_only),
        ("without autocommit", without_autocommit),
        ("release", release),
        ("isolation levels", isolation_levels),
        ("copies agree on the time", copies_agree_on_the_time),
        ("foreign branches are left alone", foreign_branches_are_left_alone),
        ("idle transactions end", idle_transactions_end),
        ("connections are used again", connections_are_used_again),
        ("privileges", privileges),
        ("rows move", rows_move),
        ("the next transaction's level", the_next_transactions_level),
    ];
    run_checks(&subject, checks);
}

impl Subject {
    fn client(&self) -> Client {
        client(&self.proxy)
    }

    /// Three accounts, one a cluster, of these ids.
    fn accounts(&self, first: u32) -> Client {
        let mut client = self.client();
        let values: Vec<String> = (first..first + 3).map(|id| format!("({id}, 10)")).collect();
        client.run(&format!("INSERT INTO accounts VALUES {}", values.join(", ")));
        client
    }
}

fn amounts(client: &mut Client, first: u32) -> String {
    let last = first + 2;
    let sql =
        format!("SELECT amount FROM accounts WHERE id BETWEEN {first} AND {last} ORDER BY id");
    let rows = client.rows(&sql).into_iter().map(|mut row| row.remove(0).unwrap_or_default());
    rows.collect::<Vec<_>>().join(" ")
}

fn status(client: &mut Client, sql: &str) -> u16 {
    match client.run(sql).pop() {
        Some(Reply::Done(done)) => done.status,
        other => panic!("{sql}: {other:?}"),
    }
}

fn commits_everywhere(subject: &Subject) {
    let mut client = subject.accounts(300);
    client.run("BEGIN");
    client.run("UPDATE accounts SET amount = 1 WHERE id = 300");
    client.run("UPDATE accounts SET amount = 2 WHERE id = 301");
    assert_eq!(amounts(&mut client, 300), "1 2 10", "own writes are seen");
    assert_eq!(amounts(&mut subject.client(), 300), "10 10 10", "others see nothing");
    client.run("UPDATE accounts SET amount = amount + 5 WHERE id BETWEEN 300 AND 302");
    assert_eq!(amounts(&mut client, 300), "6 7 15");
    assert_eq!(status(&mut client, "COMMIT AND CHAIN") & IN_TRANSACTION, IN_TRANSACTION);
    assert_eq!(amounts(&mut subject.client(), 300), "6 7 15");
    client.run("UPDATE accounts SET amount = 0 WHERE id BETWEEN 300 AND 302");
    assert_eq!(status(&mut client, "COMMIT") & IN_TRANSACTION, 0);
    assert_eq!(amounts(&mut subject.client(), 300), "0 0 0");
    assert!(subject.field.is_clear());
}

fn rolls_back_everywhere(subject: &Subject) {
    let mut client = subject.accounts(310);
    client.run("START TRANSACTION");
    client.run("UPDATE accounts SET amount = 1 WHERE id BETWEEN 310 AND 312");
    assert_eq!(amounts(&mut client, 310), "1 1 1");
    client.run("ROLLBACK");
    assert_eq!(amounts(&mut client, 310), "10 10 10");
    client.run("START TRANSACTION");
    client.run("UPDATE accounts SET amount = 1 WHERE id BETWEEN 310 AND 312");
    drop(client);
    let mut other = subject.client();
    other.run("UPDATE accounts SET amount = amount + 1 WHERE id BETWEEN 310 AND 312");
    assert_eq!(amounts(&mut other, 310), "11 11 11");
}

fn savepoints(subject: &Subject) {
    let mut client = subject.accounts(320);
    client.run("BEGIN");
    client.run("SAVEPOINT start");
    client.run("UPDATE accounts SET amount = 1 WHERE id = 320");
    client.run("SAVEPOINT one");
    client.run("UPDATE accounts SET amount = 1 WHERE id = 321");
    client.run("SAVEPOINT two");
    client.run("UPDATE accounts SET amount = 2 WHERE id BETWEEN 320 AND 322");
    client.run("ROLLBACK TO two");
    assert_eq!(amounts(&mut client, 320), "1 1 10");
    client.run("ROLLBACK TO one");
    assert_eq!(amounts(&mut client, 320), "1 10 10");
    assert_eq!(client.error("ROLLBACK TO two").code, 1305);
    client.run("UPDATE accounts SET amount = 3 WHERE id = 322");
    client.run("ROLLBACK TO start");
    assert_eq!(amounts(&mut client, 320), "10 10 10");
    client.run("UPDATE accounts SET amount = 4 WHERE id = 322");
    client.run("RELEASE SAVEPOINT start");
    client.run("COMMIT");
    assert_eq!(amounts(&mut client, 320), "10 10 4");
}

fn a_failed_statement_is_undone_alone(subject: &Subject) {
    let mut client = subject.accounts(330);
    client.run("BEGIN");
    client.run("UPDATE accounts SET amount = 1 WHERE id = 330");
    // 331 is there already; the others are not.
    let error = client.error("INSERT INTO accounts VALUES (331, 0), (333, 0), (335, 0)");
    assert_eq!(error.code, 1062, "{error}");
    client.run("UPDATE accounts SET amount = 2 WHERE id = 332");
    client.run("COMMIT");
    assert_eq!(amounts(&mut client, 330), "1 10 2");
    assert_eq!(client.value("SELECT COUNT(*) FROM accounts WHERE id BETWEEN 333 AND 335"), "0");
}

fn an_autocommit_statement_is_whole(subject: &Subject) {
    let mut client = subject.accounts(340);
    let error = client.error("INSERT INTO accounts VALUES (341, 0), (343, 0), (345, 0)");
    assert_eq!(error.code, 1062, "{error}");
    assert_eq!(client.value("SELECT COUNT(*) FROM accounts WHERE id BETWEEN 343 AND 345"), "0");
    match client.run("UPDATE accounts SET amount = 7 WHERE id BETWEEN 340 AND 342").pop() {
        Some(Reply::Done(done)) => {
            assert_eq!((done.affected, done.status & IN_TRANSACTION), (3, 0));
            assert_eq!(done.info, "Rows matched: 3  Changed: 3  Warnings: 0");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(amounts(&mut client, 340), "7 7 7");
}

fn a_deadlock_ends_all(subject: &Subject) {
    let mut one = subject.accounts(350);
    let mut two = subject.client();
    one.run("BEGIN");
    two.run("BEGIN");
    one.run("UPDATE accounts SET amount = 1 WHERE id = 352");
    one.run("UPDATE accounts SET amount = 1 WHERE id = 350");
    two.run("UPDATE accounts SET amount = 2 WHERE id = 351");
    two.run("INSERT INTO accounts VALUES (353, 0), (356, 0)");
    two.run("UPDATE accounts SET amount = 2 WHERE id = 353");
    let waiting = std::thread::spawn(move || {
        let outcome = two.query("UPDATE accounts SET amount = 2 WHERE id = 350");
        (two, outcome)
    });
    std::thread::sleep(Duration::from_millis(300));
    let mine = one.query("UPDATE accounts SET amount = 1 WHERE id = 353").unwrap().pop();
    let (mut two, theirs) = waiting.join().unwrap();
    let theirs = theirs.unwrap().pop();
    let code = |reply: &Option<Reply>| match reply {
        Some(Reply::Error(error)) => error.code,
        _ => 0,
    };
    assert_eq!(code(&mine) + code(&theirs), 1213, "{mine:?} {theirs:?}");
    let (loser, winner) = if code(&mine) > 0 { (&mut one, &mut two) } else { (&mut two, &mut one) };
    assert_eq!(status(loser, "SET @a = 1") & IN_TRANSACTION, 0, "the deadlock ended it");
    winner.run("COMMIT");
    let expect = if code(&mine) > 0 { "2 2 10" } else { "1 10 1" };
    assert_eq!(amounts(&mut subject.client(), 350), expect);
}

fn a_lost_connection_ends_all(subject: &Subject) {
    let mut client = subject.accounts(360);
    client.run("BEGIN");
    client.run("UPDATE accounts SET amount = 1 WHERE id = 360");
    client.run("UPDATE accounts SET amount = 1 WHERE id = 361");
    let mut server = subject.field.server(361 % 3);
    let transactions =
        "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_rows_modified > 0";
    for row in server.rows(transactions) {
        let id = row[0].clone().expect("a number");
        server.run(&format!("KILL {id}"));
    }
    let error = client.error("UPDATE accounts SET amount = 2 WHERE id = 361");
    assert_eq!(error.code, 1430, "{error}");
    assert_eq!(client.error("UPDATE accounts SET amount = 2 WHERE id = 362").code, 1430);
    assert_eq!(client.error("COMMIT").code, 1430);
    assert_eq!(amounts(&mut client, 360), "10 10 10");
}

fn read_only(subject: &Subject) {
    let mut client = subject.accounts(370);
    client.run("START TRANSACTION READ ONLY");
    assert_eq!(amounts(&mut client, 370), "10 10 10");
    let error = client.error("UPDATE accounts SET amount = 1 WHERE id = 371");
    assert_eq!(error.code, 1792, "{error}");
    client.run("COMMIT");
    client.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    assert_eq!(amounts(&mut client, 370), "10 10 10");
    subject.client().run("UPDATE accounts SET amount = 1 WHERE id BETWEEN 370 AND 372");
    assert_eq!(amounts(&mut client, 370), "10 10 10");
    client.run("COMMIT");
    assert_eq!(amounts(&mut client, 370), "1 1 1");
}

fn without_autocommit(subject: &Subject) {
    let mut client = subject.accounts(380);
    client.run("SET autocommit = 0");
    client.run("UPDATE accounts SET amount = 1 WHERE id BETWEEN 380 AND 382");
    assert_eq!(amounts(&mut subject.client(), 380), "10 10 10");
    client.run("ROLLBACK");
    client.run("UPDATE accounts SET amount = 2 WHERE id BETWEEN 380 AND 382");
    client.run("COMMIT");
    client.run("UPDATE accounts SET amount = 3 WHERE id BETWEEN 380 AND 382");
    assert_eq!(amounts(&mut subject.client(), 380), "2 2 2");
    client.run("SET autocommit = 1");
    assert_eq!(amounts(&mut subject.client(), 380), "3 3 3");
}

fn release(subject: &Subject) {
    for (end, expect) in [("COMMIT RELEASE", "1 1 1"), ("ROLLBACK RELEASE", "10 10 10")] {
        let first = if end.starts_with('C') { 420 } else { 430 };
        let last = first + 2;
        let mut client = subject.accounts(first);
        client.run("BEGIN");
        client.run(&format!("UPDATE accounts SET amount = 1 WHERE id BETWEEN {first} AND {last}"));
        client.run(end);
        assert!(client.query("SELECT amount FROM accounts WHERE id = 1").is_err(), "{end}");
        assert_eq!(amounts(&mut subject.client(), first), expect);
    }
}

fn isolation_levels(subject: &Subject) {
    let mut client = subject.accounts(390);
    for (level, expect) in [("REPEATABLE READ", "10 10 10"), ("READ COMMITTED", "4 4 4")] {
        let mut other = subject.client();
        other.run("UPDATE accounts SET amount = 10 WHERE id BETWEEN 390 AND 392");
        client.run(&format!("SET TRANSACTION ISOLATION LEVEL {level}"));
        client.run("BEGIN");
        assert_eq!(amounts(&mut client, 390), "10 10 10");
        other.run("UPDATE accounts SET amount = 4 WHERE id BETWEEN 390 AND 392");
        assert_eq!(amounts(&mut client, 390), expect, "{level}");
        client.run("COMMIT");
    }
}

fn copies_agree_on_the_time(subject: &Subject) {
    let mut client = subject.client();
    client.run("INSERT INTO rates (id, rate) VALUES (1, 5)");
    let sql = "SELECT CONCAT(rate, UNIX_TIMESTAMP(changed)) FROM bank.rates WHERE id = 1";
    let values: Vec<String> = (0..3).map(|index| subject.field.server(index).value(sql)).collect();
    assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{values:?}");
    // The connections have the servers' own time again.
    let before = client.value("SELECT NOW(6) FROM accounts WHERE id = 999999 UNION SELECT NOW(6)");
    std::thread::sleep(Duration::from_millis(20));
    let after = client.value("SELECT NOW(6) FROM accounts WHERE id = 999999 UNION SELECT NOW(6)");
    assert_ne!(before, after);
}

fn foreign_branches_are_left_alone(subject: &Subject) {
    let mut server = subject.field.server(0);
    for xid in [
        "'another','branch'",
        "'margay:c0','c1'",
        "'margay:c9.00000000:000000000000000000000000','c0'",
    ] {
        server.run(&format!("XA START {xid}"));
        server.run("INSERT INTO bank.transfers VALUES (1, -1) ON DUPLICATE KEY UPDATE id = 1");
        server.run(&format!("XA END {xid}"));
        server.run(&format!("XA PREPARE {xid}"));
        server = subject.field.server(0);
        std::thread::sleep(Duration::from_secs(6));
        assert_eq!(server.rows("XA RECOVER").len(), 1, "{xid}");
        server.run(&format!("XA ROLLBACK {xid}"));
    }
}

fn idle_transactions_end(subject: &Subject) {
    let mut client = subject.accounts(400);
    std::thread::sleep(Duration::from_millis(2500));
    client.run("BEGIN");
    client.run("UPDATE accounts SET amount = 1 WHERE id BETWEEN 400 AND 402");
    std::thread::sleep(Duration::from_millis(2500));
    assert!(client.query("COMMIT").is_err(), "the connection is closed");
    assert_eq!(amounts(&mut subject.client(), 400), "10 10 10");
}

/// A commit over clusters leaves its connections fit for others.
fn connections_are_used_again(subject: &Subject) {
    let mut client = subject.accounts(410);
    let connections = |index: usize| {
        let mut server = subject.field.server(index);
        server.rows("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1].clone().unwrap_or_default()
    };
    let before: Vec<u64> = (0..3).map(|index| connections(index).parse().unwrap()).collect();
    for round in 0..50 {
        client.run("BEGIN");
        client.run(&format!("UPDATE accounts SET amount = {round} WHERE id BETWEEN 410 AND 412"));
        client.run(if round % 2 == 0 { "COMMIT" } else { "ROLLBACK" });
    }
    for (index, before) in before.into_iter().enumerate() {
        let opened = connections(index).parse::<u64>().unwrap() - before;
        assert!(opened < 25, "{opened} connections opened for 50 transactions");
    }
}

/// Without the right to its bookkeeping Margay says what is missing, before anything is written.
fn privileges(subject: &Subject) {
    for index in 0..3 {
        let mut server = subject.field.server(index);
        server.run("CREATE USER limited IDENTIFIED BY 'limited'");
        server.run("GRANT ALL ON bank.* TO limited");
    }
    let more = "transactions: {database: elsewhere}";
    let variables = [("BACKEND_USER", "limited"), ("BACKEND_PASSWORD", "limited")];
    let proxy = subject.field.proxy_with(more, &variables);
    let mut client = Client::open(&Login { ..login(&proxy) });
    let error = client.error("UPDATE accounts SET amount = 1");
    for word in ["`elsewhere`", "`limited`", "CREATE", "transactions.database", "c0"] {
        assert!(error.message.contains(word), "{word} in {error}");
    }
    client.run("UPDATE accounts SET amount = 10 WHERE id = 300");
}

/// A row is on one cluster alone, inside a transaction and after it.
fn rows_move(subject: &Subject) {
    let mut client = subject.accounts(3000);
    let on = |id: u32| -> Vec<String> {
        let sql = format!("SELECT COUNT(*) FROM bank.accounts WHERE id = {id} AND amount = 10");
        (0..3).map(|server| subject.field.server(server).value(&sql)).collect()
    };
    client.run("UPDATE accounts SET id = id + 101 WHERE id = 3000");
    assert_eq!((on(3000).concat(), on(3101).concat()), ("000".into(), "001".into()));
    client.run("BEGIN");
    client.run("UPDATE accounts SET id = 3102 WHERE id = 3101");
    client.run("UPDATE accounts SET id = 3103 WHERE id = 3102");
    assert_eq!(client.value("SELECT COUNT(*) FROM accounts WHERE id > 3100"), "1");
    assert_eq!((on(3101).concat(), on(3103).concat()), ("001".into(), "000".into()));
    client.run("ROLLBACK");
    assert_eq!((on(3101).concat(), on(3103).concat()), ("001".into(), "000".into()));
    // Two rows of one key: neither moves.
    let error = client.error("UPDATE accounts SET id = 3200 WHERE id BETWEEN 3001 AND 3101");
    assert_eq!(error.code, 1062, "{error}");
    assert_eq!((on(3001).concat(), on(3101).concat()), ("010".into(), "001".into()));
    let proxy = subject.field.proxy(false, "limits: {moved_rows: 2}");
    let mut client = super::client(&proxy);
    let error = client.error("UPDATE accounts SET id = id + 100 WHERE id BETWEEN 3001 AND 3101");
    assert!(error.message.contains("over `limits.moved_rows` (2)"), "{error}");
    client.run("DELETE FROM accounts WHERE id >= 3000");
}

/// SET TRANSACTION counts for the next statement, if that is a transaction of its own.
fn the_next_transactions_level(subject: &Subject) {
    let mut client = subject.accounts(3300);
    client.run("SET TRANSACTION READ ONLY");
    let error = client.error("UPDATE accounts SET amount = 11 WHERE id BETWEEN 3300 AND 3302");
    assert_eq!(error.code, 1792, "{error}");
    client.run("UPDATE accounts SET amount = 11 WHERE id BETWEEN 3300 AND 3302");
    client.run("SET TRANSACTION READ ONLY");
    let error = client.error("UPDATE accounts SET amount = 12 WHERE id = 3300");
    assert_eq!(error.code, 1792, "{error}");
    client.run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    client.run("UPDATE accounts SET amount = 12 WHERE id BETWEEN 3300 AND 3302");
    assert_eq!(amounts(&mut client, 3300), "12 12 12");
    client.run("DELETE FROM accounts WHERE id >= 3300");
}
