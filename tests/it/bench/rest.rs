//! What is not a cost by the statement: idle clients, connections behind them, the start.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::{Client, Login};
use crate::fixture::Proxy;

use super::cell::{CELLS, WHOLE};
use super::run::{Target, run};
use super::settings::{Mode, Settings};
use super::stage::{PASSWORD, SCHEMA, Stage, USER};

/// Clients that work while all others rest.
const ACTIVE: u32 = 64;
/// Clients log in over so many threads at once.
const LOGINS_AT_ONCE: usize = 16;
/// After it a client counts as resting.
const REST: Duration = Duration::from_secs(4);
const TABLES: usize = 10_000;

/// The memory of idle clients, and what is open behind them while some work.
pub(super) fn idle(stage: &Stage, settings: &Settings) {
    let count = settings.idle_clients;
    if count == 0 {
        return;
    }
    let margay = stage.margay(None);
    let login = Login::new(margay.address.clone(), USER, PASSWORD).schema(SCHEMA);
    // What the first clients bring along counts for none of the others.
    warm_up(&login);
    let before = margay.memory_kib("VmRSS");
    let clients = log_in(&login, count);
    std::thread::sleep(REST);
    let after = margay.memory_kib("VmRSS");
    eprintln!(
        "{count} idle clients: {after} KiB in all, {:.1} KiB for each; {before} KiB before them",
        (after.saturating_sub(before)) as f64 / count as f64
    );
    let server_pid = stage.server_pid();
    let target = Target { server_pid, ..target(&margay) };
    let work = std::thread::scope(|scope| {
        let work = scope.spawn(|| run(&CELLS[0], (Mode::Text, ACTIVE), &target, settings));
        std::thread::sleep(settings.time);
        eprintln!(
            "{count} clients of which {ACTIVE} work: {} connections to the server",
            stage.connections()
        );
        work.join()
    });
    let sample = work.expect("it does not panic").unwrap_or_else(|error| panic!("{error}"));
    eprintln!("{count} clients of which {ACTIVE} work: {:.0} statements/s", sample.rate);
    drop(clients);
}

/// Margay as a target.
pub(super) fn target(margay: &Proxy) -> Target {
    let port = margay.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let port = port.expect("a port");
    Target { name: "margay", port, pid: margay.pid(), server_pid: 0, spreads: true }
}

fn warm_up(login: &Login) {
    for _ in 0..100 {
        Client::open(login).run(&format!("SELECT c FROM {WHOLE} WHERE id = 1"));
    }
}

fn log_in(login: &Login, count: usize) -> Vec<Client> {
    std::thread::scope(|scope| {
        let log_in = |thread: usize| {
            let mine = (thread..count).step_by(LOGINS_AT_ONCE);
            mine.map(|_| {
                let mut client = Client::open(login);
                client.run(&format!("SELECT c FROM {WHOLE} WHERE id = 1"));
                client
            })
            .collect::<Vec<Client>>()
        };
        let threads: Vec<_> =
            (0..LOGINS_AT_ONCE).map(|thread| scope.spawn(move || log_in(thread))).collect();
        threads.into_iter().flat_map(|it| it.join().expect("all log in")).collect()
    })
}

/// The time until Margay listens that has rules for many tables.
pub(super) fn start(stage: &Stage) {
    let mut rules = format!(
        "listen: 127.0.0.1:0\n\
         clusters:\n  \
         c0: {{primary: \"127.0.0.1:${{C0_PORT}}\", user: {USER}, password: {PASSWORD}}}\n\
         users:\n  \
         {USER}: {{password: {PASSWORD}, schemas: {{{SCHEMA}: [read, write]}}}}\n\
         schemas:\n  {SCHEMA}:\n    default_shard: c0/{SCHEMA}\n    tables:\n"
    );
    for table in 0..TABLES {
        let _ = writeln!(
            rules,
            "      table_{table}: {{shards: [\"c0/{SCHEMA}_{{0..7}}\"], key: id, algorithm: hash}}"
        );
    }
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let began = Instant::now();
            drop(stage.margay(Some(&rules)));
            began.elapsed()
        })
        .collect();
    times.sort();
    eprintln!(
        "from its start until Margay listens, with {TABLES} tables in the rules: {:.0} ms ({:.0}-{:.0})",
        times[2].as_secs_f64() * 1e3,
        times[0].as_secs_f64() * 1e3,
        times[4].as_secs_f64() * 1e3
    );
}
