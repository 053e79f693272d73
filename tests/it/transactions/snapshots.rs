//! Consistent snapshots over clusters, while transfers between them go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use rand::Rng as _;
use tokio::time::Instant;

use super::{Field, client, login, signal};
use crate::client::Client;
use crate::client::reply::Reply;
use crate::fixture::{Proxy, wanted};

const ACCOUNTS: i64 = 12;
const AMOUNT: i64 = 1000;
const TOTAL: i64 = ACCOUNTS * AMOUNT;

#[test]
fn snapshots_mysql() {
    run(Flavor::MySql);
}

#[test]
fn snapshots_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let field = Field::start(flavor, 3);
    let proxy = field.proxy(false, "transactions: {commit_timeout: 1s}");
    let values: Vec<String> = (0..ACCOUNTS).map(|id| format!("({id}, {AMOUNT})")).collect();
    client(&proxy).run(&format!("INSERT INTO accounts (id, amount) VALUES {}", values.join(", ")));
    is_taken_at_its_start(&proxy);
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU32::new(0));
    let start = |seed: u32| {
        let (login, stop, done) = (login(&proxy), stop.clone(), done.clone());
        std::thread::spawn(move || {
            let mut client = Client::open(&login);
            while !stop.load(Ordering::Relaxed) {
                done.fetch_add(u32::from(transfer(&mut client, seed)), Ordering::Relaxed);
            }
        })
    };
    let clients: Vec<_> = (0..6).map(start).collect();
    let (whole, refused) = read_for(&proxy, Duration::from_secs(6));
    assert!(whole > 50 && refused == 0, "{whole} snapshots, {refused} refused");
    // A server that does not answer for a while: snapshots wait or fail, but never lie.
    let pid = field.servers.servers[1].pid().expect("it runs");
    let freezing = std::thread::spawn(move || {
        for _ in 0..3 {
            signal(pid, "STOP");
            std::thread::sleep(Duration::from_millis(2500));
            signal(pid, "CONT");
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    let (some, refused) = read_for(&proxy, Duration::from_secs(10));
    freezing.join().expect("it freezes");
    stop.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().expect("no client fails"));
    field.wait_clear();
    let done = done.load(Ordering::Relaxed);
    eprintln!("{flavor}: {done} transfers, {whole} + {some} snapshots, {refused} refused");
    assert!(done > 50, "{done} transfers");
    // Nothing that was left keeps snapshots from being taken.
    let start = Instant::now();
    while sum(&mut client(&proxy), "START TRANSACTION WITH CONSISTENT SNAPSHOT").is_none() {
        assert!(start.elapsed() < Duration::from_secs(15), "no snapshot can be taken any more");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What is committed after START TRANSACTION is not seen, on no cluster; own writes are.
fn is_taken_at_its_start(proxy: &Proxy) {
    let (mut one, mut two) = (client(proxy), client(proxy));
    for begin in [
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ] {
        one.run(begin);
        two.run("UPDATE accounts SET amount = amount + 1");
        assert_eq!(one.value("SELECT SUM(amount) FROM accounts"), TOTAL.to_string());
        if !begin.ends_with("ONLY") {
            one.run("INSERT INTO accounts (id, amount) VALUES (100, 5), (101, 5), (102, 5)");
            assert_eq!(one.value("SELECT SUM(amount) FROM accounts"), (TOTAL + 15).to_string());
            assert_eq!(two.value("SELECT COUNT(*) FROM accounts"), ACCOUNTS.to_string());
        }
        one.run("COMMIT");
        two.run("DELETE FROM accounts WHERE id >= 100");
        two.run("UPDATE accounts SET amount = amount - 1");
        assert_eq!(one.value("SELECT SUM(amount) FROM accounts"), TOTAL.to_string());
    }
}

/// Moves some money between clusters. False: it came to nothing.
fn transfer(client: &mut Client, seed: u32) -> bool {
    let mut rng = rand::rng();
    let (from, by) = (rng.random_range(0..ACCOUNTS), rng.random_range(1..ACCOUNTS));
    let to = (from + by) % ACCOUNTS;
    let statements = if seed.is_multiple_of(2) {
        vec![
            "BEGIN".to_owned(),
            format!("UPDATE accounts SET amount = amount - 7 WHERE id = {from}"),
            format!("UPDATE accounts SET amount = amount + 7 WHERE id = {to}"),
            "COMMIT".to_owned(),
        ]
    } else {
        vec![format!(
            "UPDATE accounts SET amount = amount + IF(id = {from}, -7, 7) WHERE id IN ({from}, {to})"
        )]
    };
    let is_done = statements.iter().all(|statement| {
        let replies = client.query(statement).expect("the proxy answers");
        !matches!(replies.last(), Some(Reply::Error(_)))
    });
    if !is_done {
        client.query("ROLLBACK").expect("the proxy answers");
    }
    is_done
}

/// Takes snapshots for a while: how many, and how many were refused.
fn read_for(proxy: &Proxy, time: Duration) -> (u32, u32) {
    let end = Instant::now() + time;
    let readers: Vec<_> = ["", ", READ ONLY"]
        .into_iter()
        .map(|kind| {
            let login = login(proxy);
            std::thread::spawn(move || {
                let mut reader = Client::open(&login);
                let begin = format!("START TRANSACTION WITH CONSISTENT SNAPSHOT{kind}");
                let (mut whole, mut refused) = (0, 0);
                while Instant::now() < end {
                    match sum(&mut reader, &begin) {
                        Some(()) => whole += 1,
                        None => refused += 1,
                    }
                }
                (whole, refused)
            })
        })
        .collect();
    let counts = readers.into_iter().map(|reader| reader.join().expect("the total is right"));
    counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
}

/// Reads all accounts twice in a snapshot. None: it was refused.
fn sum(reader: &mut Client, begin: &str) -> Option<()> {
    let mut answers = Vec::new();
    for statement in [begin, "SELECT SUM(amount) FROM accounts", "SELECT SUM(amount) FROM accounts"]
    {
        let replies = reader.query(statement).expect("the proxy answers");
        match replies.into_iter().last() {
            Some(Reply::Error(_)) | None => {
                reader.query("ROLLBACK").expect("the proxy answers");
                return None;
            }
            Some(Reply::Rows(rows)) => answers.extend(rows.text()[0][0].clone()),
            Some(_) => {}
        }
    }
    reader.run("COMMIT");
    assert_eq!(answers, [TOTAL.to_string(), TOTAL.to_string()], "a torn total");
    Some(())
}
