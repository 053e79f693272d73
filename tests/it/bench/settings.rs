//! What to measure, from the environment.

use std::path::PathBuf;
use std::time::Duration;

/// See `tests/bench/run`.
pub(super) struct Settings {
    /// Names of cells; empty: all.
    cells: Vec<String>,
    pub(super) modes: Vec<Mode>,
    pub(super) threads: Vec<u32>,
    pub(super) rounds: usize,
    /// How long each cell is measured in each round.
    pub(super) time: Duration,
    pub(super) rows: u64,
    pub(super) idle_clients: usize,
    pub(super) proxysql: Option<PathBuf>,
}

/// How statements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Text,
    Prepared,
}

impl Mode {
    fn of(name: &str) -> Self {
        match name {
            "text" => Self::Text,
            "prepared" => Self::Prepared,
            other => panic!("MARGAY_BENCH_MODES: `{other}` is neither text nor prepared"),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Prepared => "prepared",
        }
    }
}

impl Settings {
    pub(super) fn from_env() -> Self {
        let modes: Vec<Mode> = list("MODES").iter().map(|name| Mode::of(name)).collect();
        let threads: Vec<u32> =
            list("THREADS").iter().map(|text| number("THREADS", text)).collect();
        Self {
            cells: list("CELLS"),
            modes: if modes.is_empty() { vec![Mode::Text, Mode::Prepared] } else { modes },
            threads: if threads.is_empty() { vec![1, 16, 64, 256] } else { threads },
            rounds: one("ROUNDS", 5),
            time: Duration::from_secs(one("SECONDS", 4)),
            rows: one("ROWS", 1_000_000),
            idle_clients: one("IDLE", 10_000),
            proxysql: std::env::var_os("MARGAY_BENCH_PROXYSQL").map(PathBuf::from),
        }
    }

    pub(super) fn wants(&self, cell: &str) -> bool {
        self.cells.is_empty() || self.cells.iter().any(|wanted| wanted == cell)
    }
}

fn list(name: &str) -> Vec<String> {
    let text = std::env::var(format!("MARGAY_BENCH_{name}")).unwrap_or_default();
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn one<T: std::str::FromStr>(name: &str, usual: T) -> T {
    list(name).first().map_or(usual, |text| number(name, text))
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("MARGAY_BENCH_{name}: `{text}` is no number of its kind"))
}
