//! What a commit costs: on one server through Margay against direct, and over two and four servers against
//! the same writes one by one. `tests/bench/commits` runs it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use super::{Field, client};
use crate::client::Client;
use crate::fixture::{Proxy, wanted};

/// Every commit is on disk when its client hears of it.
const DURABLE: [&str; 2] = ["--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"];
const SERVERS: u32 = 4;
const ROUNDS: usize = 40;
/// Transactions of a case in one round.
const REPEATS: usize = 10;
/// Transactions over which writes to disk are counted.
const TRACED: usize = 100;
/// What each burst of commands takes longer while round trips are counted.
const LAG: Duration = Duration::from_millis(200);

#[test]
#[ignore = "a benchmark: tests/bench/commits runs it"]
fn commits_bench_mysql() {
    run(Flavor::MySql);
}

#[test]
#[ignore = "a benchmark: tests/bench/commits runs it"]
fn commits_bench_mariadb() {
    run(Flavor::MariaDb);
}

/// A way to write some rows.
struct Case {
    name: &'static str,
    through: Through,
    /// How many servers it writes to, a row each.
    width: u32,
    /// In one transaction, not in one for each.
    whole: bool,
    /// The case that it is compared with.
    base: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Through {
    Server,
    Margay,
}

const CASES: [Case; 6] = [
    Case { name: "1, direct", through: Through::Server, width: 1, whole: true, base: 0 },
    Case { name: "1, Margay", through: Through::Margay, width: 1, whole: true, base: 0 },
    Case { name: "2 x 1, Margay", through: Through::Margay, width: 2, whole: false, base: 2 },
    Case { name: "2, Margay", through: Through::Margay, width: 2, whole: true, base: 2 },
    Case { name: "4 x 1, Margay", through: Through::Margay, width: 4, whole: false, base: 4 },
    Case { name: "4, Margay", through: Through::Margay, width: 4, whole: true, base: 4 },
];

/// What one case takes.
#[derive(Default)]
struct Cost {
    /// The medians of all rounds: of the whole, and of its COMMITs.
    all: Duration,
    commit: Duration,
    /// Of its COMMITs; None: they were not counted.
    trips: Option<u32>,
    syncs: Option<f64>,
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let field = Field::start_with(flavor, SERVERS, &DURABLE);
    let proxy = field.proxy(false, "");
    let values: Vec<String> = (0..4000).map(|id| format!("({id}, 0)")).collect();
    client(&proxy).run(&format!("INSERT INTO accounts VALUES {}", values.join(", ")));
    let mut costs: Vec<Cost> = timed(&field, &proxy);
    let trips = trips(&field);
    for (at, case) in CASES.iter().enumerate() {
        costs[at].trips = (case.through == Through::Margay).then(|| trips[at]);
        costs[at].syncs = syncs(&field, &proxy, case);
    }
    let version = field.server(0).greeting.version.clone();
    eprintln!("commits {flavor} {version}, {ROUNDS} rounds of {REPEATS} transactions each");
    eprintln!("| servers | ratio | ratio of COMMIT | against | round trips of COMMIT | fsyncs |");
    eprintln!("|---|---|---|---|---|---|");
    for (cost, case) in costs.iter().zip(&CASES) {
        let (base, against) = (&costs[case.base], CASES[case.base].name);
        let ratio = |of: Duration, to: Duration| of.as_secs_f64() / to.as_secs_f64();
        let trips = cost.trips.map_or("-".to_owned(), |trips| trips.to_string());
        let syncs = cost.syncs.map_or("-".to_owned(), |syncs| format!("{syncs:.1}"));
        eprintln!(
            "| {} | {:.2} | {:.2} | {against} | {trips} | {syncs} |",
            case.name,
            ratio(cost.all, base.all),
            ratio(cost.commit, base.commit),
        );
    }
}

/// The times, of cases that take turns.
fn timed(field: &Field, proxy: &Proxy) -> Vec<Cost> {
    let mut clients: Vec<Client> =
        CASES.iter().map(|case| open(field, proxy, case.through)).collect();
    let mut times: Vec<Vec<(Duration, Duration)>> = CASES.iter().map(|_| Vec::new()).collect();
    for round in 0..ROUNDS + 1 {
        for ((case, client), times) in CASES.iter().zip(&mut clients).zip(&mut times) {
            let (mut all, mut commit) = (Duration::ZERO, Duration::ZERO);
            for repeat in 0..REPEATS {
                let took = write(client, case, (round * REPEATS + repeat) as u32);
                all += took.0;
                commit += took.1;
            }
            // The first warms up.
            if round > 0 {
                times.push((all, commit));
            }
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let costs = times.into_iter().map(|times| Cost {
        all: median(times.iter().map(|time| time.0).collect()),
        commit: median(times.iter().map(|time| time.1).collect()),
        ..Cost::default()
    });
    costs.collect()
}

fn open(field: &Field, proxy: &Proxy, through: Through) -> Client {
    match through {
        Through::Server => {
            let mut client = field.server(0);
            client.run("USE bank");
            client
        }
        Through::Margay => client(proxy),
    }
}

/// Writes a row on each server of a case. Gives the time of all, and that of the COMMITs.
fn write(client: &mut Client, case: &Case, serial: u32) -> (Duration, Duration) {
    let start = Instant::now();
    let mut commits = Duration::ZERO;
    let mut commit = |client: &mut Client| {
        let start = Instant::now();
        client.run("COMMIT");
        commits += start.elapsed();
    };
    if case.whole {
        client.run("BEGIN");
    }
    for server in 0..case.width {
        // Rows lie on the servers by their ids.
        let id = (serial % 900) * SERVERS + server;
        if !case.whole {
            client.run("BEGIN");
        }
        client.run(&format!("UPDATE accounts SET amount = amount + 1 WHERE id = {id}"));
        if !case.whole {
            commit(client);
        }
    }
    if case.whole {
        commit(client);
    }
    (start.elapsed(), commits)
}

/// How often the client of each case waits for servers in its COMMITs: each wait takes [`LAG`] longer.
fn trips(field: &Field) -> Vec<u32> {
    let slow = Arc::new(AtomicBool::new(false));
    let servers = field.servers.servers.iter();
    let relays: Vec<SocketAddr> = servers.map(|server| relay(server.address(), &slow)).collect();
    let proxy = field.proxy_at(&relays);
    let mut client = client(&proxy);
    let cases = CASES.iter().map(|case| {
        if case.through == Through::Server {
            return 0;
        }
        // Connections are opened without the lag.
        slow.store(false, Ordering::Relaxed);
        for serial in 0..20 {
            let _ = write(&mut client, case, serial);
        }
        slow.store(true, Ordering::Relaxed);
        // Whatever else takes time adds to it: the fastest comes closest.
        let commits = (0..6).map(|serial| write(&mut client, case, serial).1);
        let fastest = commits.min().unwrap_or_default();
        slow.store(false, Ordering::Relaxed);
        (fastest.as_secs_f64() / LAG.as_secs_f64()) as u32
    });
    cases.collect()
}

/// Passes bytes on; what goes to the server waits while it is slow, a burst at a time.
fn relay(server: SocketAddr, slow: &Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let slow = slow.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(server) else { continue };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let (Ok(to), Ok(from)) = (client.try_clone(), server.try_clone()) else { continue };
            thread::spawn(move || pass(from, to, None));
            let slow = slow.clone();
            thread::spawn(move || pass(client, server, Some(&slow)));
        }
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, slow: Option<&AtomicBool>) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count) = from.read(&mut bytes) {
        if slow.is_some_and(|slow| slow.load(Ordering::Relaxed)) {
            thread::sleep(LAG);
        }
        if count == 0 || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// How many times all servers wait for their disks, for each time that the case runs. None: there is no
/// `strace` to count them.
fn syncs(field: &Field, proxy: &Proxy, case: &Case) -> Option<f64> {
    let mut client = open(field, proxy, case.through);
    write(&mut client, case, 0);
    let tracers: Option<Vec<Child>> =
        field.servers.servers.iter().map(|server| trace(server.pid()?)).collect();
    let tracers = tracers?;
    thread::sleep(Duration::from_millis(500));
    for serial in 0..TRACED {
        write(&mut client, case, serial as u32);
    }
    let mut calls = 0;
    for tracer in tracers {
        super::signal(tracer.id(), "INT");
        let output = tracer.wait_with_output().ok()?;
        let lines = String::from_utf8_lossy(&output.stderr).into_owned();
        calls += lines.lines().filter_map(calls_of).sum::<u64>();
    }
    Some(calls as f64 / TRACED as f64)
}

fn trace(pid: u32) -> Option<Child> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-e", "trace=fsync,fdatasync", "-p", &pid.to_string()]);
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()
}

/// The calls in a line of its summary: `% time, seconds, usecs/call, calls, [errors,] syscall`.
fn calls_of(line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    matches!(words.last(), Some(&("fsync" | "fdatasync"))).then(|| words.get(3)?.parse().ok())?
}
