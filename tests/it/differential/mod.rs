//! The same statements to Margay and to one plain server that holds all the rows: equal columns, rows,
//! counts and errors, in the text protocol, as prepared statements, and with bound parameters.
//!
//! `MARGAY_TEST_CASES=sort,joins` runs the case files whose names contain one of these words;
//! `MARGAY_TEST_REPORT=FILE` appends every difference to a file.

pub(crate) mod bind;
pub(crate) mod case;
pub(crate) mod compare;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use jiff::Zoned;
use jiff::civil::DateTime;
use margay::cli::demo::flavor::Flavor;

use crate::client::reply::{Reply, ServerError};
use crate::client::value::Value;
use crate::client::{Client, Login, Prepared, capability};
use crate::fixture;

use bind::bind_literals;
use case::{Case, CaseFile, Dialect, Expect};
use compare::{Difference, brief, compare, compare_columns};

/// A statement that Margay refuses by design.
const REFUSED: u16 = 1235;
/// "This command is not supported in the prepared statement protocol yet".
const NOT_PREPARABLE: u16 = 1295;
const SHOWN_MAX: usize = 25;

/// Two servers that must answer alike.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) plain: Login,
    pub(crate) proxy: Login,
}

/// How statements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    Text,
    Prepared,
    Bound,
}

pub(crate) struct Pair {
    pub(crate) plain: Client,
    pub(crate) proxy: Client,
}

#[derive(Default)]
struct Report {
    /// Statements that are marked as refused, and whether one pass has met the refusal.
    marked: BTreeMap<String, bool>,
    statements: usize,
    /// By design.
    refused: usize,
    /// Statements with a difference that is not minor.
    failed: usize,
    minor: BTreeMap<&'static str, usize>,
    text: String,
}

#[test]
fn differential_mysql() {
    run_flavor(Flavor::MySql);
}

#[test]
fn differential_mariadb() {
    run_flavor(Flavor::MariaDb);
}

fn run_flavor(flavor: Flavor) {
    let Some(fixture) = fixture::Differential::start(flavor, &[]) else { return };
    let report = run_suite(&fixture.target());
    if let Some(path) = std::env::var_os("MARGAY_TEST_REPORT") {
        for (place, _) in report.marked.iter().filter(|(_, met)| !**met) {
            append(Path::new(&path), &format!("{flavor:?} {place}: it is not refused any more\n"));
        }
    }
    eprintln!(
        "differential {flavor:?}: {} statements, {} refused by design, {} differ; minor differences: {:?}",
        report.statements, report.refused, report.failed, report.minor
    );
    let shown: String = report.text.split_inclusive("\n\n").take(SHOWN_MAX).collect();
    let (failed, all) = (report.failed, report.statements);
    assert!(failed == 0, "{failed} of {all} statements differ; the first are:\n\n{shown}");
}

pub(crate) fn append(path: &Path, text: &str) {
    use std::io::Write as _;
    let file = fs::OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

fn run_suite(target: &Target) -> Report {
    let mut report = Report::default();
    let now = Zoned::now().datetime();
    for file in case_files() {
        let unnamed = [String::new()];
        let tables = if file.tables.is_empty() { &unnamed[..] } else { &file.tables };
        for table in tables {
            for pass in [Pass::Text, Pass::Prepared, Pass::Bound] {
                run_file(target, &file, table, pass, now, &mut report);
            }
        }
    }
    report.fail_stale();
    report
}

fn case_files() -> Vec<CaseFile> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
    let wanted = std::env::var("MARGAY_TEST_CASES").unwrap_or_default();
    let entries = fs::read_dir(&directory).expect("tests/differential is there");
    let mut files: Vec<CaseFile> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| CaseFile::read(&path.file_name().unwrap_or_default().to_string_lossy()))
        .filter(|file| wanted.is_empty() || wanted.split(',').any(|word| file.name.contains(word)))
        .collect();
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files
}

fn run_file(
    target: &Target,
    file: &CaseFile,
    table: &str,
    pass: Pass,
    now: DateTime,
    report: &mut Report,
) {
    let mut pairs = BTreeMap::from([("main".to_owned(), open(target, pass))]);
    let dialect = Dialect::of_version(&pairs["main"].plain.greeting.version);
    for case in file.cases(dialect, table, now) {
        let pair = pairs.entry(case.session.clone()).or_insert_with(|| open(target, pass));
        report.statements += 1;
        let place = format!("{} {table} {pass:?}", case.place);
        let outcome = pair.run(&case, pass);
        if case.refusable {
            let met = report.marked.entry(format!("{} {table}", case.place)).or_default();
            *met |= matches!(outcome, Ok(Outcome::Refused));
        }
        let differences = match outcome {
            Ok(Outcome::Compared(differences)) => differences,
            Ok(Outcome::Refused) => {
                report.refused += 1;
                continue;
            }
            Err(error) => {
                pairs.insert(case.session.clone(), open(target, pass));
                vec![difference("connection", "an answer", error)]
            }
        };
        let before = report.text.len();
        let failed = report.add(&place, &case, &differences);
        if let (true, Some(path)) = (failed, std::env::var_os("MARGAY_TEST_REPORT")) {
            append(Path::new(&path), &format!("{dialect:?} {}", &report.text[before..]));
        }
        let head = case.sql.get(..12).unwrap_or_default().to_ascii_uppercase();
        let refused = differences.iter().any(|difference| difference.is_refusal());
        if failed && refused && head == "CREATE TABLE" {
            let _ = write!(report.text, "{place}: the rest of the file is left out\n\n");
            break;
        }
    }
}

pub(crate) fn open(target: &Target, pass: Pass) -> Pair {
    let vary = |login: &Login| match pass {
        Pass::Text => login.clone(),
        Pass::Prepared => login.clone().without(capability::DEPRECATE_EOF),
        Pass::Bound => login.clone().with(capability::FOUND_ROWS | capability::CONNECT_ATTRS),
    };
    Pair { plain: Client::open(&vary(&target.plain)), proxy: Client::open(&vary(&target.proxy)) }
}

fn difference(aspect: &'static str, expected: impl ToString, got: impl ToString) -> Difference {
    let (expected, got) = (expected.to_string(), got.to_string());
    Difference { aspect, expected, got, minor: false }
}

impl Pair {
    /// Margay goes first: what it refuses by design, the plain server must not run either.
    pub(crate) fn run(&mut self, case: &Case, pass: Pass) -> io::Result<Outcome> {
        let prepared = match pass {
            _ if case.text_only => None,
            Pass::Text => None,
            Pass::Prepared => Some((case.sql.clone(), Vec::new())),
            Pass::Bound => bind_literals(&case.sql),
        };
        match prepared {
            Some((sql, values)) => self.prepared(case, &sql, &values),
            None => self.text(case),
        }
    }

    fn text(&mut self, case: &Case) -> io::Result<Outcome> {
        let mut proxy = self.proxy.query(&case.sql)?;
        if asks_for_retry(&proxy) {
            proxy = self.proxy.query(&case.sql)?;
        }
        if may_refuse(case, &proxy) {
            return Ok(Outcome::Refused);
        }
        let plain = self.plain.query(&case.sql)?;
        let mut differences = unexpected(case, &plain);
        differences.extend(compare(case, &plain, &proxy, true));
        Ok(Outcome::Compared(differences))
    }

    fn prepared(&mut self, case: &Case, sql: &str, values: &[Value]) -> io::Result<Outcome> {
        let proxy = match self.proxy.prepare(sql)? {
            Err(error) if may_refuse(case, &[Reply::Error(error.clone())]) => {
                return Ok(Outcome::Refused);
            }
            proxy => proxy,
        };
        let plain = match self.plain.prepare(sql)? {
            Ok(plain) => plain,
            Err(error) if error.code == NOT_PREPARABLE || !values.is_empty() => {
                proxy.iter().try_for_each(|statement| self.proxy.close(statement))?;
                return self.text(case);
            }
            Err(plain) => {
                let plain = [Reply::Error(plain)];
                let mut differences = unexpected(case, &plain);
                let proxy = match proxy {
                    Ok(statement) => execute(&mut self.proxy, &statement, values)?,
                    Err(error) => vec![Reply::Error(error)],
                };
                if may_refuse(case, &proxy) {
                    return Ok(Outcome::Refused);
                }
                differences.extend(compare(case, &plain, &proxy, false));
                return Ok(Outcome::Compared(differences));
            }
        };
        let proxy = match proxy {
            Ok(proxy) => proxy,
            Err(error) => {
                // Nothing ran on either side.
                self.plain.close(&plain)?;
                let difference = difference("prepare", "a statement", error);
                return Ok(Outcome::Compared(vec![difference]));
            }
        };
        self.executed(case, &plain, &proxy, values)
    }

    fn executed(
        &mut self,
        case: &Case,
        plain: &Prepared,
        proxy: &Prepared,
        values: &[Value],
    ) -> io::Result<Outcome> {
        let mut differences = compare_columns(case, &plain.columns, &proxy.columns);
        // What servers tell of SHOW before it runs is neither sure nor alike.
        let shows = case.sql.starts_with("SHOW");
        differences.retain(|difference| {
            !(difference.minor || shows && ["columns", "types"].contains(&difference.aspect))
        });
        differences.iter_mut().for_each(|difference| difference.aspect = "prepare");
        if plain.params != proxy.params {
            differences.push(difference("params", plain.params, proxy.params));
        }
        let proxy = execute(&mut self.proxy, proxy, values)?;
        if may_refuse(case, &proxy) {
            self.plain.close(plain)?;
            return Ok(Outcome::Refused);
        }
        let plain = execute(&mut self.plain, plain, values)?;
        differences.extend(unexpected(case, &plain));
        differences.extend(compare(case, &plain, &proxy, false));
        Ok(Outcome::Compared(differences))
    }
}

/// What came of a statement.
pub(crate) enum Outcome {
    /// By design: it ran on neither side.
    Refused,
    Compared(Vec<Difference>),
}

fn may_refuse(case: &Case, proxy: &[Reply]) -> bool {
    let says = |error: &ServerError| error.code == REFUSED && error.message.contains(&case.reason);
    let refused = |reply: &Reply| matches!(reply, Reply::Error(error) if says(error));
    case.refusable && proxy.iter().any(refused)
}

/// A physical table of the next days came to be after the statement began.
fn asks_for_retry(replies: &[Reply]) -> bool {
    const TABLE_HAS_CHANGED: u16 = 1412;
    let asks =
        |reply: &Reply| matches!(reply, Reply::Error(error) if error.code == TABLE_HAS_CHANGED);
    replies.iter().any(asks)
}

fn execute(client: &mut Client, statement: &Prepared, values: &[Value]) -> io::Result<Vec<Reply>> {
    let mut replies = client.execute(statement, values)?;
    if asks_for_retry(&replies) {
        replies = client.execute(statement, values)?;
    }
    client.close(statement)?;
    Ok(replies)
}

/// A case that is wrong itself: the plain server does not do what the case says.
fn unexpected(case: &Case, plain: &[Reply]) -> Vec<Difference> {
    let code = plain.iter().find_map(|reply| match reply {
        Reply::Error(error) => Some(error.code),
        Reply::Done(_) | Reply::Rows(_) => None,
    });
    let right = match (&case.expect, code) {
        (Expect::Success, None) => true,
        (Expect::Error(codes), Some(code)) => codes.is_empty() || codes.contains(&code),
        _ => false,
    };
    if right {
        return Vec::new();
    }
    vec![difference("the case itself", format!("{:?}", case.expect), briefs(plain))]
}

fn briefs(replies: &[Reply]) -> String {
    replies.iter().map(brief).collect::<Vec<_>>().join("; ")
}

impl Report {
    /// A statement that is marked as refused, and is not, has lost its reason.
    fn fail_stale(&mut self) {
        for (place, _) in self.marked.iter().filter(|(_, met)| !**met) {
            self.failed += 1;
            let _ = writeln!(self.text, "{place}: it is not refused any more\n");
        }
    }

    /// Whether the statement failed.
    fn add(&mut self, place: &str, case: &Case, differences: &[Difference]) -> bool {
        for minor in differences.iter().filter(|difference| difference.minor) {
            *self.minor.entry(minor.aspect).or_default() += 1;
        }
        let strict = std::env::var_os("MARGAY_TEST_STRICT").is_some();
        let shown: Vec<_> = differences.iter().filter(|diff| strict || !diff.minor).collect();
        if shown.is_empty() {
            return false;
        }
        self.failed += 1;
        let _ = writeln!(self.text, "{place}\n    {}", case.sql.replace('\n', "\n    "));
        for Difference { aspect, expected, got, .. } in shown {
            let _ = writeln!(
                self.text,
                "    {aspect}\n      expected {expected}\n      got      {got}"
            );
        }
        self.text.push('\n');
        true
    }
}
