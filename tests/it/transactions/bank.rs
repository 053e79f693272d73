//! Transfers between accounts on four clusters while proxies and servers die and freeze at random.
//!
//! `MARGAY_TEST_BANK_SECONDS` says for how long; without it, long enough to see the machinery work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use rand::Rng as _;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Field, Told, login, signal, told};
use crate::client::Client;
use crate::fixture::{Proxy, wanted};

const CLIENTS: usize = 16;
const ACCOUNTS: u32 = 40;
const AMOUNT: i64 = 1000;

#[test]
fn bank_mysql() {
    run(Flavor::MySql);
}

#[test]
fn bank_mariadb() {
    run(Flavor::MariaDb);
}

/// What the clients share.
struct Bank {
    proxy: Mutex<Proxy>,
    stop: AtomicBool,
    next: AtomicU32,
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let seconds = std::env::var("MARGAY_TEST_BANK_SECONDS").ok();
    let seconds: u64 = seconds.map_or(15, |text| text.parse().expect("a number of seconds"));
    let mut field = Field::start(flavor, 4);
    let proxy = field.proxy(true, "transactions: {commit_timeout: 3s}");
    let values: Vec<String> = (0..ACCOUNTS).map(|id| format!("({id}, {AMOUNT})")).collect();
    Client::open(&login(&proxy))
        .run(&format!("INSERT INTO accounts (id, amount) VALUES {}", values.join(", ")));
    let bank = Arc::new(Bank {
        proxy: Mutex::new(proxy),
        stop: AtomicBool::new(false),
        next: AtomicU32::new(0),
    });
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let bank = bank.clone();
            std::thread::spawn(move || transfer_on(&bank))
        })
        .collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut troubles = 0;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(rand::rng().random_range(300..1500)));
        trouble(&mut field, &bank);
        troubles += 1;
    }
    bank.stop.store(true, Ordering::Relaxed);
    let log: Vec<(u32, Told)> =
        clients.into_iter().flat_map(|client| client.join().expect("no client fails")).collect();
    field.wait_clear();
    let done = log.iter().filter(|(_, told)| *told == Told::Done).count();
    eprintln!("{flavor}: {done} of {} transfers done, {troubles} troubles", log.len());
    assert!(done > 50, "only {done} of {} transfers", log.len());
    assert_eq!(field.sum("SELECT SUM(amount) FROM bank.accounts"), i64::from(ACCOUNTS) * AMOUNT);
    agrees(&field, &log);
}

/// What clients were told is what is in the tables.
fn agrees(field: &Field, log: &[(u32, Told)]) {
    let mut parts = std::collections::HashMap::<u32, u32>::new();
    for index in 0..field.servers.servers.len() {
        for row in field.server(index).rows("SELECT id FROM bank.transfers") {
            let id = row[0].as_ref().and_then(|id| id.parse().ok()).expect("a number");
            *parts.entry(id).or_default() += 1;
        }
    }
    for (id, told) in log {
        let parts = parts.get(id).copied().unwrap_or_default();
        match told {
            Told::Done => assert_eq!(parts, 2, "transfer {id} is lost or half applied"),
            Told::RolledBack => assert_eq!(parts, 0, "transfer {id} was told to be rolled back"),
            Told::Unknown => assert!(parts == 0 || parts == 2, "transfer {id} is half applied"),
        }
    }
}

/// Transfers until it is told to stop; what became of each.
fn transfer_on(bank: &Bank) -> Vec<(u32, Told)> {
    let mut log = Vec::new();
    let mut client = None;
    while !bank.stop.load(Ordering::Relaxed) {
        let Some(connection) = &mut client else {
            let login = login(&bank.proxy.blocking_lock());
            client = Client::connect(&login).ok();
            if client.is_none() {
                std::thread::sleep(Duration::from_millis(50));
            }
            continue;
        };
        let id = bank.next.fetch_add(1, Ordering::Relaxed);
        let mut random = rand::rng();
        let (from, to) = (random.random_range(0..ACCOUNTS), random.random_range(0..ACCOUNTS));
        let amount = random.random_range(1..10);
        let other = (from + 1) % 4;
        let outcome = told(
            connection,
            &[
                "BEGIN".to_owned(),
                format!("UPDATE accounts SET amount = amount - {amount} WHERE id = {from}"),
                format!("UPDATE accounts SET amount = amount + {amount} WHERE id = {to}"),
                format!(
                    "INSERT INTO transfers (id, part) VALUES ({id}, {}), ({id}, {other})",
                    from % 4
                ),
                "COMMIT".to_owned(),
            ],
        );
        log.push((id, outcome));
        if outcome != Told::Done
            && (outcome == Told::Unknown || connection.query("ROLLBACK").is_err())
        {
            client = None;
        }
    }
    log
}

fn trouble(field: &mut Field, bank: &Bank) {
    let mut random = rand::rng();
    let index = random.random_range(0..field.servers.servers.len());
    match random.random_range(0..3) {
        0 => {
            let mut proxy = bank.proxy.blocking_lock();
            *proxy = field.proxy(true, "transactions: {commit_timeout: 3s}");
        }
        1 => {
            let server = &mut field.servers.servers[index];
            server.kill();
            field.servers.runtime.block_on(server.start_again()).expect("it starts again");
        }
        _ => {
            let pid = field.servers.servers[index].pid().expect("it runs");
            signal(pid, "STOP");
            std::thread::sleep(Duration::from_millis(random.random_range(100..2000)));
            signal(pid, "CONT");
        }
    }
}
