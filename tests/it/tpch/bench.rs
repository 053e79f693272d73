//! The time of each TPC-H query behind Margay, as a ratio to one plain server that holds all the data on
//! the same machine. `tests/bench/tpch` runs it; `MARGAY_TPCH_RUNS` says how often each query is timed.

use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use crate::client::Client;
use crate::client::reply::Reply;
use crate::differential::Target;
use crate::fixture::wanted;

use super::fixture::{self, Tpch};
use super::tier;

const SCALE: f64 = 0.1;
const RUNS: usize = 3;
const TIER_CHARS: usize = 60;

/// The times of one query.
struct Timing {
    name: String,
    tier: String,
    plain: Duration,
    /// None if Margay gives no rows.
    margay: Option<Duration>,
    /// Bytes that the servers behind Margay sent and received for one run, the final result among them.
    sent: u64,
    received: u64,
    /// The rows differ from those of the plain server.
    differs: bool,
}

/// The two connections, and one to each server behind Margay.
struct Bench {
    plain: Client,
    proxy: Client,
    servers: Vec<Client>,
    runs: usize,
}

#[test]
#[ignore = "a benchmark: tests/bench/tpch runs it"]
fn tpch_bench_mysql() {
    run(Flavor::MySql);
}

#[test]
#[ignore = "a benchmark: tests/bench/tpch runs it"]
fn tpch_bench_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let tpch = Tpch::start(flavor, fixture::scale(SCALE));
    time_all(flavor, &tpch);
    tpch.keep();
}

fn time_all(flavor: Flavor, tpch: &Tpch) {
    let Target { plain, proxy } = tpch.target();
    let mut bench = Bench {
        plain: Client::open(&plain),
        proxy: Client::open(&proxy),
        servers: tpch.shard_servers(),
        runs: runs(),
    };
    eprintln!(
        "tpch {flavor} {}, scale factor {}, median of {} runs",
        bench.plain.greeting.version, tpch.scale, bench.runs
    );
    let mut timings = Vec::new();
    for query in fixture::queries(tpch.scale, tpch.dialect()) {
        // A query of several statements changes what there is.
        if let [case] = query.cases.as_slice() {
            let timing = bench.time(query.name, &case.sql);
            if timings.is_empty() {
                eprintln!("{}", heading());
            }
            eprintln!("{}", line(&timing));
            timings.push(timing);
        }
    }
    eprintln!("{}", sum(&timings));
}

fn runs() -> usize {
    let Ok(text) = std::env::var("MARGAY_TPCH_RUNS") else { return RUNS };
    let runs = text.parse().ok().filter(|runs| *runs > 0);
    runs.unwrap_or_else(|| panic!("MARGAY_TPCH_RUNS: `{text}` is no number of runs"))
}

impl Bench {
    /// Each side runs once to warm up, then they take turns.
    fn time(&mut self, name: String, sql: &str) -> Timing {
        let tier = tier(&mut self.proxy, sql);
        let (_, expected) = timed(&mut self.plain, sql);
        assert!(expected.is_some(), "{name}: the plain server gives no rows");
        let before = self.traffic();
        let (_, got) = timed(&mut self.proxy, sql);
        let after = self.traffic();
        let answers = got.is_some();
        let (mut plain, mut margay) = (Vec::new(), Vec::new());
        for _ in 0..self.runs {
            plain.push(timed(&mut self.plain, sql).0);
            if answers {
                margay.push(timed(&mut self.proxy, sql).0);
            }
        }
        Timing {
            name,
            tier,
            plain: median(&mut plain).unwrap_or_default(),
            margay: median(&mut margay),
            sent: after.0.saturating_sub(before.0),
            received: after.1.saturating_sub(before.1),
            differs: answers && got != expected,
        }
    }

    /// Bytes that the servers behind Margay have sent and received. The question itself and health
    /// checks count too: a kilobyte or two.
    fn traffic(&mut self) -> (u64, u64) {
        let mut total = |name: &str| {
            let sql = format!("SHOW GLOBAL STATUS LIKE '{name}'");
            let values = self.servers.iter_mut().map(|server| {
                let value = server.rows(&sql).pop().and_then(|row| row.into_iter().nth(1));
                value.flatten().and_then(|value| value.parse::<u64>().ok()).unwrap_or_default()
            });
            values.sum()
        };
        (total("Bytes_sent"), total("Bytes_received"))
    }
}

/// The time until the last row, and the rows without regard to their order; None for an error.
fn timed(client: &mut Client, sql: &str) -> (Duration, Option<Vec<Vec<u8>>>) {
    let began = Instant::now();
    let reply = client.query(sql).map(|mut replies| replies.pop());
    let elapsed = began.elapsed();
    let rows = match reply {
        Ok(Some(Reply::Rows(rows))) => {
            let mut packets = rows.packets;
            packets.sort();
            Some(packets)
        }
        Ok(_) => None,
        Err(error) => panic!("connection broke at {sql}: {error}"),
    };
    (elapsed, rows)
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

fn heading() -> String {
    format!(
        "{:<6}{:>10}{:>11}{:>7}{:>10}{:>10}  tier",
        "query", "plain ms", "margay ms", "ratio", "sent KiB", "recv KiB"
    )
}

fn line(timing: &Timing) -> String {
    let plain = milliseconds(timing.plain);
    let margay = timing.margay.map(milliseconds);
    let show = |number: Option<f64>, digits: usize| {
        number.map_or("-".to_owned(), |number| format!("{number:.digits$}"))
    };
    let ratio = show(margay.map(|margay| margay / plain), 2);
    let kib = |bytes: u64| bytes.div_ceil(1024);
    let (margay, sent, received) = (show(margay, 1), kib(timing.sent), kib(timing.received));
    let tier: String = timing.tier.chars().take(TIER_CHARS).collect();
    let note = if timing.differs { "  ROWS DIFFER" } else { "" };
    let name = &timing.name;
    format!("{name:<6}{plain:>10.1}{margay:>11}{ratio:>7}{sent:>10}{received:>10}  {tier}{note}")
}

/// The sums over the queries that both sides answer.
fn sum(timings: &[Timing]) -> String {
    let both = timings.iter().filter_map(|timing| timing.margay.map(|margay| (timing, margay)));
    let (mut plain, mut margay, mut count) = (0.0, 0.0, 0);
    for (timing, time) in both {
        plain += milliseconds(timing.plain);
        margay += milliseconds(time);
        count += 1;
    }
    let all: f64 = timings.iter().map(|timing| milliseconds(timing.plain)).sum();
    let ratio = if count == 0 { "-".to_owned() } else { format!("{:.2}", margay / plain) };
    format!(
        "sum   {plain:>10.1}{margay:>11.1}{ratio:>7}  over the {count} of {} queries that Margay \
         answers; plain alone, all: {all:.1} ms",
        timings.len()
    )
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
