//! Tells of mismatches.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;

use crate::differential::append;
use crate::differential::compare::Difference;

use super::shrink::Shrunk;
use super::statement::Statement;
use super::tally::{Tally, pattern};

/// Of mismatches that look alike, so many are made small and shown.
const ALIKE: usize = 3;

pub(super) struct Report {
    flavor: Flavor,
    pub(super) tally: Tally,
    /// Mismatches of seeds that not every run has.
    pub(super) fresh: usize,
    /// By all workers, at the plain server and at Margay.
    pub(super) waited: (Duration, Duration),
    path: Option<PathBuf>,
    seen: BTreeMap<String, usize>,
}

impl Report {
    pub(super) fn new(flavor: Flavor) -> Self {
        let path = std::env::var_os("MARGAY_FUZZ_REPORT").map(PathBuf::from);
        let waited = (Duration::ZERO, Duration::ZERO);
        Self { flavor, tally: Tally::default(), fresh: 0, waited, path, seen: BTreeMap::new() }
    }

    /// Whether there were few like it.
    pub(super) fn is_new(&mut self, differences: &[Difference]) -> bool {
        let Some(Difference { aspect, expected, got, .. }) = differences.first() else {
            return false;
        };
        let alike = match *aspect {
            // What differs is in the data.
            "rows" | "order" => return true,
            "types" => (*aspect).to_owned(),
            aspect => {
                let numbers = |text: &str| pattern(text).replace(|c: char| c.is_ascii_digit(), "");
                format!("{aspect} {} {}", numbers(expected), pattern(got))
            }
        };
        let count = self.seen.entry(alike).or_default();
        *count += 1;
        *count <= ALIKE
    }

    pub(super) fn mismatch(&self, place: &str, statement: &Statement, shrunk: &Shrunk) {
        let mut text = format!("-- {}, {place}, {:?}.\n", self.flavor, shrunk.statement.pass);
        for table in &shrunk.tables {
            let _ = writeln!(text, "DROP TABLE IF EXISTS {};\n{};", table.name, table.create());
            if let Some(insert) = table.insert() {
                let _ = writeln!(text, "{insert};");
            }
        }
        let _ = writeln!(text, "{};", shrunk.statement.tree);
        for Difference { aspect, expected, got, .. } in &shrunk.differences {
            let lines = format!("{aspect}: expected {expected}\ngot {got}");
            for line in lines.lines() {
                let _ = writeln!(text, "-- Differs: {line}");
            }
        }
        let _ = writeln!(text, "-- From: {}\n", statement.tree);
        eprintln!("MISMATCH {text}");
        if let Some(path) = &self.path {
            append(path, &text);
        }
    }
}
