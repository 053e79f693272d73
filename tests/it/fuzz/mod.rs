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
mod statement;
mod table;
mod tally;
mod tree;
mod window;

use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use crate::differential::case::Dialect;
use crate::differential::compare::Difference;
use crate::fixture::Differential;

use generator::Generator;
use layout::Layout;
use options::Options;
use random::Random;
use report::Report;
use runner::{Runner, Verdict};
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

fn run_flavor(flavor: Flavor) {
    let Some(fixture) = Differential::start(flavor) else { return };
    let runner = Runner::open(fixture);
    let options = Options::read();
    let report = Report::new(flavor);
    let mut run = Run { runner, options, report, start: Instant::now() };
    run.rounds();
    let seconds = run.start.elapsed().as_secs_f64();
    let rate = run.report.tally.statements as f64 / seconds;
    let (plain, proxy) = (run.runner.waited_plain, run.runner.waited_proxy);
    eprintln!(
        "fuzz {flavor}: {rate:.0} statements a second ({plain:.1?} at the plain server, {proxy:.1?} at \
         Margay); {}",
        run.report.tally.summary()
    );
    let tally = &run.report.tally;
    assert!(
        tally.unchecked * 50 <= tally.statements,
        "{} invalid statements pass",
        tally.unchecked
    );
    assert!(tally.mismatches == 0, "{} statements differ", tally.mismatches);
    if let Some(most) = run.options.refused {
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

struct Run {
    runner: Runner,
    options: Options,
    report: Report,
    start: Instant,
}

impl Run {
    fn rounds(&mut self) {
        for round in 0.. {
            for layout in self.options.layouts.clone() {
                let seed = self.options.seed_of(round, self.start.elapsed());
                self.round(seed, &layout);
                if self.is_over() {
                    return;
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        let Options { limit, statements, mismatches, only, .. } = self.options;
        let tally = &self.report.tally;
        self.start.elapsed() >= limit
            || tally.statements >= statements
            || tally.mismatches >= mismatches
            || only.is_some()
    }

    fn round(&mut self, seed: u64, layout: &Layout) {
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
            let mut generator = Generator::new(random, &tables, dialect);
            let statement = Statement::random(&mut generator);
            let place = format!("seed {seed}, layout {}, statement {number}", layout.name);
            self.statement(&statement, &tables, &place);
        }
    }

    fn statement(&mut self, statement: &Statement, tables: &[Table], place: &str) {
        if std::env::var_os("MARGAY_FUZZ_PRINT").is_some() {
            eprintln!("{};", statement.tree);
        }
        let dialect = self.runner.dialect;
        let tally = &mut self.report.tally;
        tally.statements += 1;
        match self.runner.run(statement) {
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
                if !self.report.is_new(&differences) {
                    return;
                }
                let limit = self.options.shrink;
                let shrunk =
                    shrink::shrink(&mut self.runner, statement, tables, differences, limit);
                self.report.mismatch(place, statement, &shrunk);
            }
        }
    }
}
