//! The 22 queries of TPC-H over shards: equal columns, types and rows to those of one plain server, as
//! text and as prepared statements. A query that may be refused says `-- refused`.
//!
//! `MARGAY_TPCH_SF=0.1` sets the scale factor, `MARGAY_TPCH_QUERIES=q05,q11` picks queries,
//! `MARGAY_TPCH_KEEP=FILE` keeps the servers up for further runs.

mod bench;
mod data;
mod fixture;
mod keep;

use std::fmt;

use margay::cli::demo::flavor::Flavor;

use crate::client::Client;
use crate::client::reply::Reply;
use crate::differential::case::Case;
use crate::differential::compare::Difference;
use crate::differential::{self, Outcome, Pair, Pass, Target};
use crate::fixture::wanted;

use fixture::{Query, Tpch};

const SCALE: f64 = 0.01;
/// A statement that Margay refuses by design.
const REFUSED: u16 = 1235;

/// What came of a query.
enum Status {
    Equal,
    /// The reason.
    Refused(String),
    Different(String),
    /// Another error than a refusal, or a broken connection.
    Failed(String),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal => f.write_str("equal"),
            Self::Refused(reason) => write!(f, "refused: {reason}"),
            Self::Different(text) => write!(f, "DIFFERENT: {text}"),
            Self::Failed(text) => write!(f, "FAILED: {text}"),
        }
    }
}

#[test]
fn tpch_mysql() {
    run(Flavor::MySql);
}

#[test]
fn tpch_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let tpch = Tpch::start(flavor, fixture::scale(SCALE));
    let target = tpch.target();
    let mut report = format!("tpch {flavor}:\n");
    let mut wrong = 0;
    for query in fixture::queries(tpch.scale, tpch.dialect()) {
        for pass in [Pass::Text, Pass::Prepared] {
            let (status, is_right) = status(&target, &query, pass);
            wrong += usize::from(!is_right);
            let stale =
                matches!(status, Status::Equal) && query.cases.iter().any(|case| case.refusable);
            let note = if stale { "; `-- refused` may go" } else { "" };
            let pass = format!("{pass:?}");
            report.push_str(&format!("{:<9}{pass:<9} {status}{note}\n", query.name));
        }
    }
    assert!(wrong == 0, "{wrong} answers are wrong, of {report}");
    eprintln!("{report}");
}

/// What came of a query, and whether that may be.
fn status(target: &Target, query: &Query, pass: Pass) -> (Status, bool) {
    let mut pair = differential::open(target, pass);
    for case in &query.cases {
        let differences = match pair.run(case, pass) {
            Ok(Outcome::Compared(differences)) => differences,
            Ok(Outcome::Refused) => return (refusal(&mut pair, case), true),
            Err(error) => return (Status::Failed(error.to_string()), false),
        };
        let mut major = differences.iter().filter(|difference| !difference.minor).peekable();
        if major.peek().is_none() {
            continue;
        }
        if major.any(Difference::is_refusal) {
            return (refusal(&mut pair, case), false);
        }
        return (Status::Different(describe(&differences)), false);
    }
    (Status::Equal, true)
}

fn describe(differences: &[Difference]) -> String {
    let major = differences.iter().filter(|difference| !difference.minor);
    let lines = major.map(|Difference { aspect, expected, got, .. }| {
        format!("\n    {aspect}\n      expected {expected}\n      got      {got}")
    });
    lines.collect()
}

/// Asks again for the error that a case got.
fn refusal(pair: &mut Pair, case: &Case) -> Status {
    match pair.proxy.query(&case.sql).map(|mut replies| replies.pop()) {
        Ok(Some(Reply::Error(error))) if error.code == REFUSED => Status::Refused(error.message),
        Ok(Some(Reply::Error(error))) => Status::Failed(error.to_string()),
        Ok(other) => Status::Failed(format!("an error, then {other:?}")),
        Err(error) => Status::Failed(error.to_string()),
    }
}

/// The first line of what Margay says about the way of a query, or its error.
fn tier(proxy: &mut Client, sql: &str) -> String {
    match proxy.query(&format!("EXPLAIN FORMAT=MARGAY {sql}")).map(|mut replies| replies.pop()) {
        Ok(Some(Reply::Rows(rows))) => {
            let first = rows.text().into_iter().next().and_then(|row| row.into_iter().next());
            first.flatten().unwrap_or_default()
        }
        Ok(Some(Reply::Error(error))) if error.code == REFUSED => {
            format!("refused: {}", error.message)
        }
        Ok(Some(Reply::Error(error))) => error.to_string(),
        Ok(other) => format!("{other:?}"),
        Err(error) => error.to_string(),
    }
}
