//! One cell against one target: sysbench runs, and what it and the processes used is noted.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use super::cell::Cell;
use super::settings::{Mode, Settings};
use super::stage::{PASSWORD, SCHEMA, USER};
use super::usage::Usage;

/// Whom the statements are sent to.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) port: u16,
    /// The proxy; None: statements go to the server itself.
    pub(super) pid: Option<u32>,
    pub(super) server_pid: u32,
    /// It is Margay, which has spread tables.
    pub(super) spreads: bool,
}

/// What came of a round.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    /// Statements a second.
    pub(super) rate: f64,
    /// The 95th percentile of the latency of sysbench's events, in milliseconds.
    pub(super) p95: f64,
    /// CPU microseconds of the proxy for a statement.
    pub(super) user: f64,
    pub(super) system: f64,
    /// The same of the server, in both modes.
    pub(super) server: f64,
}

/// Runs the cell for the settings' time, after a second of warming up.
///
/// # Errors
/// What sysbench says of a failure.
pub(super) fn run(
    cell: &Cell,
    (mode, threads): (Mode, u32),
    target: &Target,
    settings: &Settings,
) -> Result<Sample, String> {
    let mut command = Command::new("sysbench");
    command
        .args(cell.arguments(mode, settings.rows, target.spreads))
        .args(["--db-driver=mysql", "--mysql-host=127.0.0.1", "--percentile=95"])
        .args(["--report-interval=1", "--mysql-ignore-errors=1213,1205,1020"])
        .arg(format!("--mysql-port={}", target.port))
        .arg(format!("--mysql-user={USER}"))
        .arg(format!("--mysql-password={PASSWORD}"))
        .arg(format!("--mysql-db={SCHEMA}"))
        .arg(format!("--threads={threads}"))
        .arg(format!("--time={}", settings.time.as_secs() + 1))
        .arg("run")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("sysbench does not run: {error}"))?;
    let stdout = child.stdout.take().ok_or("sysbench without an output")?;
    let mut watch = Watch::new(target);
    let lines = BufReader::new(stdout).lines().map_while(Result::ok);
    lines.for_each(|line| watch.line(&line));
    let mut errors = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut errors);
    }
    let ended = child.wait().map_err(|error| error.to_string())?;
    match watch.sample() {
        Some(sample) if ended.success() => Ok(sample),
        _ => Err(format!("{} {} {}: {errors} {}", cell.name, mode.name(), target.name, watch.said)),
    }
}

/// Reads along. The time of connecting and warming up ends with the report of the first second.
struct Watch<'a> {
    target: &'a Target,
    /// CPU of the proxy and of the server when the measured time began, and when it ended.
    began: Option<(Usage, Usage)>,
    ended: Option<(Usage, Usage)>,
    /// Statements of the first second.
    warming: f64,
    seconds: f64,
    statements: f64,
    p95: f64,
    /// Lines that tell of errors.
    said: String,
}

impl<'a> Watch<'a> {
    fn new(target: &'a Target) -> Self {
        Self {
            target,
            began: None,
            ended: None,
            warming: 0.0,
            seconds: 0.0,
            statements: 0.0,
            p95: 0.0,
            said: String::new(),
        }
    }

    fn usage(&self) -> (Usage, Usage) {
        let proxy = self.target.pid.map(Usage::of).unwrap_or_default();
        (proxy, Usage::of(self.target.server_pid))
    }

    fn line(&mut self, line: &str) {
        let line = line.trim();
        if self.began.is_none() && line.starts_with("[ 1s ]") {
            self.began = Some(self.usage());
            self.warming = number_after(line, "qps: ").unwrap_or(0.0);
        } else if line.starts_with("SQL statistics:") {
            self.ended = Some(self.usage());
        } else if line.starts_with("queries:") {
            self.statements = number_after(line, "queries:").unwrap_or(0.0);
        } else if line.starts_with("total time:") {
            self.seconds = number_after(line, "total time:").unwrap_or(0.0);
        } else if line.starts_with("95th percentile:") {
            self.p95 = number_after(line, "95th percentile:").unwrap_or(0.0);
        } else if line.contains("FATAL") {
            self.said += line;
        }
    }

    fn sample(&self) -> Option<Sample> {
        let (began, ended) = (self.began?, self.ended?);
        let statements = self.statements - self.warming;
        if statements <= 0.0 || self.seconds <= 1.0 {
            return None;
        }
        let proxy = ended.0.since(began.0);
        let server = ended.1.since(began.1);
        let each = |seconds: f64| seconds * 1e6 / statements;
        Some(Sample {
            rate: statements / (self.seconds - 1.0),
            p95: self.p95,
            user: each(proxy.user),
            system: each(proxy.system),
            server: each(server.user + server.system),
        })
    }
}

/// The number that follows `what` in a line, with spaces before it and anything behind.
fn number_after(line: &str, what: &str) -> Option<f64> {
    let (_, rest) = line.split_once(what)?;
    let rest = rest.trim_start();
    let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

#[test]
fn numbers_of_sysbench() {
    let check = |line: &str, what: &str, expect: f64| {
        assert_eq!(number_after(line, what), Some(expect), "{line}");
    };
    check("queries:       24679  (7932.40 per sec.)", "queries:", 24679.0);
    check("total time:                          3.1108s", "total time:", 3.1108);
    check("[ 1s ] thds: 16 tps: 7349.31 qps: 7350.5 (r/w/o: 1/0/0)", "qps: ", 7350.5);
}
