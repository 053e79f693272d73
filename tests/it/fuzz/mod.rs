//! Random statements over random tables, to Margay and to one plain server that holds all the rows: equal
//! names, types, rows, and errors. The rules of the tables are those of the differential suite.
//!
//! Everything follows from a seed, which is printed. `MARGAY_FUZZ_SEED=7 MARGAY_FUZZ_LAYOUT=hash
//! MARGAY_FUZZ_ONLY=31` runs one statement again. What differs is made small, printed, and appended to
//! `MARGAY_FUZZ_REPORT` as cases for `tests/differential/kept.sql`. [`options`] lists all variables.

mod aggregate;
mod class;
mod compound;
mod condition;
mod fold;
mod from;
mod function;
mod generator;
mod invalid;
mod judge;
mod kind;
mod layout;
mod normal;
mod options;
mod random;
mod report;
mod runner;
mod scope;
mod select;
mod shrink;
mod site;
mod statement;
mod table;
mod tally;
mod tree;
mod window;
mod write;

use std::sync::{Mutex, MutexGuard};

use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use crate::differential::case::Dialect;
use crate::differential::compare::Difference;
use crate::fixture::Differential;

use generator::Generator;
use judge::Verdict;
use layout::Layout;
use options::Options;
use random::Random;
use report::Report;
use runner::Runner;
use site::Site;
use statement::Statement;
use table::Table;

#[test]
fn fuzz_mysql() {
    run_flavor(Flavor::MySql);
}

#[test]
fn fuzz_mariadb() {
    run_flavor(Flavor::MariaDb);
}

/// Of servers whose data is thrown away: nothing waits for a disk.
const OPTIONS: [&str; 3] = [
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-flush-log-at-trx-commit=0",
];

/// Each layout has a worker with connections of its own.
fn run_flavor(flavor: Flavor) {
    let Some(fixture) = Differential::start(flavor, &OPTIONS) else { return };
    let site = Site::new(fixture);
    let options = Options::read();
    let report = Mutex::new(Report::new(flavor));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for layout in &options.layouts {
            let (site, options, report) = (&site, &options, &report);
            scope.spawn(move || {
                let runner = Runner::open(site);
                Run { runner, options, report, layout, start, round: 0, count: 0 }.rounds();
            });
        }
    });
    let report = report.into_inner().expect("no worker failed");
    let tally = &report.tally;
    let rate = tally.statements as f64 / start.elapsed().as_secs_f64();
    let (plain, proxy) = report.waited;
    eprintln!(
        "fuzz {flavor}: {rate:.0} statements a second ({plain:.1?} at the plain server, {proxy:.1?} at \
         Margay); {}",
        tally.summary()
    );
    assert!(
        tally.unchecked * 50 <= tally.statements,
        "{} invalid statements pass",
        tally.unchecked
    );
    if report.fresh > 0 {
        eprintln!(
            "FRESH SEEDS: {} statements differ, of seeds that not every run has: see above for each, and \
             how to run it again",
            report.fresh
        );
    }
    let mismatches = tally.mismatches - report.fresh;
    assert!(mismatches == 0, "{mismatches} statements differ");
    if let Some(most) = options.refused {
        let percent = tally.refusal_percent();
        assert!(percent <= most, "{percent:.2} % of the statements are refused; at most {most} %");
    }
}

/// A MariaDB finds some names that are not there, and columns that are not grouped by, only when it runs
/// a statement: one whose tables it does not have together it cannot judge.
fn is_unchecked(dialect: Dialect, differences: &[Difference]) -> bool {
    let found_late =
        |text: &str| ["ERROR 1054", "ERROR 1055"].iter().any(|code| text.contains(code));
    dialect == Dialect::MariaDb
        && differences.iter().filter(|it| !it.minor).all(|it| found_late(&it.expected))
}

struct Run<'s> {
    runner: Runner<'s>,
    options: &'s Options,
    report: &'s Mutex<Report>,
    layout: &'s Layout,
    start: Instant,
    round: u64,
    /// Statements of this layout.
    count: usize,
}

impl Run<'_> {
    fn rounds(&mut self) {
        while !self.is_over() && (self.round == 0 || self.options.only.is_none()) {
            self.round(self.options.seed_of(self.round));
            self.round += 1;
        }
        let mut report = self.report();
        report.waited.0 += self.runner.waited_plain;
        report.waited.1 += self.runner.waited_proxy;
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().expect("no worker failed")
    }

    fn is_over(&self) -> bool {
        let late = self.start.elapsed() >= self.options.limit;
        (late && !self.options.is_due(self.round))
            || self.count * self.options.layouts.len() >= self.options.statements
            || self.report().tally.mismatches >= self.options.mismatches
    }

    fn round(&mut self, seed: u64) {
        let layout = self.layout;
        eprintln!("seed {seed}, layout {}", layout.name);
        let mut random = Random::of_part(seed, u64::MAX);
        let dialect = self.runner.dialect;
        let mut tables: Vec<Table> =
            layout.tables.iter().map(|spec| Table::random(spec, dialect, &mut random)).collect();
        for table in &mut tables {
            self.runner.load(table);
        }
        let numbers = match self.options.only {
            Some(only) => only..only + 1,
            None => 0..self.options.round,
        };
        for number in numbers {
            if self.is_over() && self.options.only.is_none() {
                return;
            }
            let random = Random::of_part(seed, number as u64);
            let writes = Random::of_part(!seed, number as u64).chance(self.options.writes);
            let statement = if writes {
                write::statement(random, &tables, dialect)
            } else {
                Statement::random(&mut Generator::new(random, &tables, dialect))
            };
            let place = format!("seed {seed}, layout {}, statement {number}", layout.name);
            self.statement(&statement, &tables, &place);
        }
    }

    fn statement(&mut self, statement: &Statement, tables: &[Table], place: &str) {
        if std::env::var_os("MARGAY_FUZZ_PRINT").is_some() {
            eprintln!("{};", statement.tree);
        }
        let dialect = self.runner.dialect;
        self.count += 1;
        let verdict = self.runner.run(statement);
        let mut report = self.report();
        let tally = &mut report.tally;
        tally.statements += 1;
        match verdict {
            Verdict::Same(answer) => tally.same(&answer, &statement.tree.to_string()),
            Verdict::Refused(reason) => tally.refused(&reason, &statement.tree.to_string()),
            Verdict::Left => tally.left += 1,
            Verdict::Varies => tally.varying += 1,
            Verdict::Crashed => tally.crashed(&statement.tree.to_string()),
            Verdict::Differs(differences) if is_unchecked(dialect, &differences) => {
                tally.unchecked += 1;
            }
            Verdict::Differs(differences) => {
                tally.mismatches += 1;
                report.fresh += usize::from(!self.options.is_fixed(self.round));
                if !report.is_new(&differences) {
                    return;
                }
                drop(report);
                let limit = self.options.shrink;
                let shrunk =
                    shrink::shrink(&mut self.runner, statement, tables, differences, limit);
                self.report().mismatch(place, statement, &shrunk);
            }
        }
    }
}
