//! Runs statements on Margay and on the plain server, and compares what they say.

use std::io;
use std::time::Duration;

use crate::client::Client;
use crate::client::reply::{Reply, Rows, ServerError};
use crate::client::value::Value;
use crate::differential::bind::bind_literals;
use crate::differential::case::{Case, Dialect, Expect, Order as RowOrder};
use crate::differential::compare::{Difference, brief, compare, compare_columns, is_ordered};

use crate::fixture::Differential;

use super::normal::{normal, projected};
use super::scope::Order;
use super::statement::{Pass, Statement};
use super::table::Table;

const REFUSED: u16 = 1235;
/// The statement took longer than the servers are told to let it.
const TIMED_OUT: [u16; 2] = [3024, 1969];
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// How long a server may take to end once it has crashed, and Margay to find it again.
const SETTLE: Duration = Duration::from_secs(3);

pub(super) struct Runner {
    fixture: Differential,
    pub(super) plain: Client,
    pub(super) proxy: Client,
    pub(super) dialect: Dialect,
}

/// What came of a statement.
#[derive(Debug)]
pub(super) enum Verdict {
    /// With so many rows, or with this error.
    Same(Result<usize, ServerError>),
    /// Margay refuses what the plain server answers; the reason.
    Refused(String),
    Differs(Vec<Difference>),
    /// Nothing can be said: it took too long, or Margay refuses it before its mistake shows.
    Left,
    /// A server crashed.
    Crashed,
}

impl Runner {
    pub(super) fn open(fixture: Differential) -> Self {
        let target = fixture.target();
        let (plain, proxy) = (connect(&target.plain), connect(&target.proxy));
        let dialect = Dialect::of_version(&plain.greeting.version);
        let mut runner = Self { fixture, plain, proxy, dialect };
        runner.reconnect();
        runner
    }

    pub(super) fn run(&mut self, statement: &Statement) -> Verdict {
        let sql = statement.tree.to_string();
        match self.answers(&sql, statement.pass) {
            Ok(answers) => judge(&sql, statement, answers),
            Err((side, error)) => {
                std::thread::sleep(SETTLE);
                let crashed = self.fixture.revive() > 0;
                if crashed {
                    std::thread::sleep(SETTLE);
                }
                self.reconnect();
                if crashed {
                    return Verdict::Crashed;
                }
                let got = format!("{side}: {error}");
                let (aspect, expected) = ("connection", "an answer".to_owned());
                Verdict::Differs(vec![Difference { aspect, expected, got, minor: false }])
            }
        }
    }

    fn reconnect(&mut self) {
        // A server forgets it when it starts again.
        self.fixture.run_on_servers(match self.dialect {
            Dialect::MySql => "SET GLOBAL max_execution_time = 5000",
            Dialect::MariaDb => "SET GLOBAL max_statement_time = 5",
        });
        let target = self.fixture.target();
        self.plain = connect(&target.plain);
        self.proxy = connect(&target.proxy);
    }

    fn answers(&mut self, sql: &str, pass: Pass) -> Result<Answers, (&'static str, io::Error)> {
        let bound = match pass {
            Pass::Text => None,
            Pass::Prepared => Some((sql.to_owned(), Vec::new())),
            Pass::Bound => bind_literals(sql).or_else(|| Some((sql.to_owned(), Vec::new()))),
        };
        if let Some((text, values)) = bound {
            let plain =
                prepared(&mut self.plain, &text, &values).map_err(|error| ("plain", error))?;
            // Not everything can be a parameter.
            if values.is_empty() || !matches!(plain.replies.first(), Some(Reply::Error(_))) {
                let proxy =
                    prepared(&mut self.proxy, &text, &values).map_err(|error| ("proxy", error))?;
                return Ok(Answers { plain, proxy, binary: true });
            }
        }
        let plain = text(&mut self.plain, sql).map_err(|error| ("plain", error))?;
        let proxy = text(&mut self.proxy, sql).map_err(|error| ("proxy", error))?;
        Ok(Answers { plain, proxy, binary: false })
    }

    /// Makes a table with its rows on both.
    pub(super) fn load(&mut self, table: &mut Table) {
        self.run_both(&format!("DROP TABLE IF EXISTS {}", table.name));
        self.plain.run(&table.create());
        if std::env::var_os("MARGAY_TEST_STAND_IN").is_some() {
            self.proxy.run(&table.create_bare());
            table.indexes.clear();
        } else {
            self.proxy.run(&table.create());
        }
        let rows = table.rows.iter().rev().cloned().collect();
        let turned = Table { rows, ..table.clone() };
        if let (Some(insert), Some(turned)) = (table.insert(), turned.insert()) {
            self.plain.run(&insert);
            self.proxy.run(&turned);
        }
    }

    /// Runs a statement that both must take.
    pub(super) fn run_both(&mut self, sql: &str) {
        self.plain.run(sql);
        self.proxy.run(sql);
    }
}

fn connect(login: &crate::client::Login) -> Client {
    let client = Client::open(login);
    client.limit_waits(ANSWER_LIMIT).expect("a socket takes a timeout");
    client
}

/// One server's answer.
struct Answer {
    replies: Vec<Reply>,
    /// What it said of the columns when it prepared the statement.
    columns: Option<Vec<crate::client::reply::Column>>,
}

struct Answers {
    plain: Answer,
    proxy: Answer,
    binary: bool,
}

fn text(client: &mut Client, sql: &str) -> io::Result<Answer> {
    Ok(Answer { replies: client.query(sql)?, columns: None })
}

fn prepared(client: &mut Client, sql: &str, values: &[Value]) -> io::Result<Answer> {
    match client.prepare(sql)? {
        Err(error) => Ok(Answer { replies: vec![Reply::Error(error)], columns: None }),
        Ok(statement) => {
            let replies = client.execute(&statement, values)?;
            client.close(&statement)?;
            Ok(Answer { replies, columns: Some(statement.columns) })
        }
    }
}

fn error_of(replies: &[Reply]) -> Option<&ServerError> {
    replies.iter().find_map(|reply| match reply {
        Reply::Error(error) => Some(error),
        Reply::Done(_) | Reply::Rows(_) => None,
    })
}

fn judge(sql: &str, statement: &Statement, answers: Answers) -> Verdict {
    let (plain, proxy) = (error_of(&answers.plain.replies), error_of(&answers.proxy.replies));
    if [plain, proxy].iter().flatten().any(|error| TIMED_OUT.contains(&error.code)) {
        return Verdict::Left;
    }
    match (plain, proxy) {
        (None, Some(error)) if error.code == REFUSED => {
            return Verdict::Refused(error.message.clone());
        }
        // It may well be refused before its mistake shows.
        (Some(_), Some(error)) if error.code == REFUSED => return Verdict::Left,
        _ => {}
    }
    match compared(sql, statement, answers) {
        Ok(verdict) => verdict,
        Err(error) => {
            let (aspect, expected, got) = ("packet", "rows".to_owned(), error.to_string());
            Verdict::Differs(vec![Difference { aspect, expected, got, minor: false }])
        }
    }
}

fn compared(sql: &str, statement: &Statement, answers: Answers) -> io::Result<Verdict> {
    let Answers { plain, proxy, binary } = answers;
    let case = case(sql, &statement.order);
    let mut differences = Vec::new();
    if let (Some(plain), Some(proxy)) = (&plain.columns, &proxy.columns) {
        differences = compare_columns(&case, plain, proxy);
        differences.iter_mut().for_each(|difference| difference.aspect = "prepared columns");
    }
    let plain = normal(plain.replies, binary, statement.fold)?;
    let proxy = normal(proxy.replies, binary, statement.fold)?;
    differences.extend(compare(&case, &plain, &proxy, true));
    if let (Order::Columns(columns), [Reply::Rows(plain), Reply::Rows(proxy)]) =
        (&statement.order, [&plain[0], &proxy[0]])
    {
        if is_ordered(sql) {
            differences.extend(order_difference(columns, plain, proxy)?);
        }
    }
    differences.retain(|difference| !difference.minor);
    if !differences.is_empty() {
        return Ok(Verdict::Differs(differences));
    }
    let rows = plain.iter().map(|reply| match reply {
        Reply::Rows(rows) => rows.packets.len(),
        Reply::Done(_) | Reply::Error(_) => 0,
    });
    Ok(Verdict::Same(match error_of(&plain) {
        Some(error) => Err(error.clone()),
        None => Ok(rows.sum()),
    }))
}

fn order_difference(
    columns: &[usize],
    plain: &Rows,
    proxy: &Rows,
) -> io::Result<Option<Difference>> {
    let (left, right) = (projected(plain, columns)?, projected(proxy, columns)?);
    if left == right {
        return Ok(None);
    }
    let text = |rows: &Rows| brief(&Reply::Rows(rows.clone()));
    let at = left.iter().zip(&right).position(|(left, right)| left != right).unwrap_or_default();
    let (expected, got) =
        (text(plain), format!("{}, another order from row {}", text(proxy), at + 1));
    Ok(Some(Difference { aspect: "order", expected, got, minor: false }))
}

fn case(sql: &str, order: &Order) -> Case {
    let ignored: &[&str] =
        if std::env::var_os("MARGAY_FUZZ_WARNINGS").is_some() { &[] } else { &["warnings"] };
    Case {
        place: String::new(),
        sql: sql.to_owned(),
        expect: Expect::Success,
        refusable: true,
        order: match order {
            Order::Total => RowOrder::Auto,
            Order::Free | Order::Columns(_) | Order::Unknown => RowOrder::Any,
        },
        text_only: false,
        shape: *order == Order::Unknown,
        ignore: ignored.iter().map(|aspect| (*aspect).to_owned()).collect(),
        session: String::new(),
    }
}
