//! Runs statements on Margay and on the plain server, and compares what they say.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Client;
use crate::client::reply::{Column, Reply, Rows, ServerError};
use crate::client::value::Value;
use crate::differential::bind::bind_literals;
use crate::differential::case::{Case, Dialect, Expect, Order as RowOrder};
use crate::differential::compare::{Difference, compare, compare_columns, is_ordered};

use crate::fixture::Differential;

use super::normal::{Cell, normal, projected, settle_replies, settled};
use super::scope::Order;
use super::statement::{Pass, Statement};
use super::table::Table;

const REFUSED: u16 = 1235;
/// The statement took longer than the servers are told to let it.
const TIMED_OUT: [u16; 2] = [3024, 1969];
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// How long a server may take to end once it has crashed, and Margay to find it again.
const BARE: &str = "shop_bare";
const SETTLE: Duration = Duration::from_secs(3);

pub(super) struct Runner {
    fixture: Differential,
    /// The plain server with the same rows, but no keys and indexes.
    bare: Client,
    pub(super) plain: Client,
    pub(super) proxy: Client,
    pub(super) dialect: Dialect,
    /// Spent waiting for each.
    pub(super) waited_plain: Duration,
    pub(super) waited_proxy: Duration,
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
    /// The plain server answers otherwise by another plan, and then as Margay does.
    Varies,
    /// A server crashed.
    Crashed,
}

impl Runner {
    pub(super) fn open(fixture: Differential) -> Self {
        let target = fixture.target();
        let (plain, proxy) = (connect(&target.plain), connect(&target.proxy));
        let dialect = Dialect::of_version(&plain.greeting.version);
        let mut plain = plain;
        plain.run(&format!("CREATE DATABASE IF NOT EXISTS {BARE}"));
        let bare = connect(&target.plain.clone().schema(BARE));
        let mut runner = Self {
            fixture,
            bare,
            plain,
            proxy,
            dialect,
            waited_plain: Duration::ZERO,
            waited_proxy: Duration::ZERO,
        };
        runner.reconnect();
        runner
    }

    pub(super) fn run(&mut self, statement: &Statement) -> Verdict {
        let sql = statement.tree.to_string();
        match self.answers(&sql, statement.pass) {
            Ok(answers) => {
                let told = columns_of(&answers.proxy.replies);
                let Answers { plain, proxy, binary } = answers;
                let answers = Answers { plain, proxy: proxy.clone(), binary };
                match judge(&sql, statement, answers) {
                    Verdict::Differs(found) if self.types_vary(&sql, &found, &told) => {
                        Verdict::Same(Ok(1))
                    }
                    Verdict::Differs(_) if self.varies(&sql, statement, &proxy) => Verdict::Varies,
                    verdict => verdict,
                }
            }
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

    /// Whether the plain server answers as Margay does if it cannot use indexes, or may not rewrite.
    fn varies(&mut self, sql: &str, statement: &Statement, proxy: &Answer) -> bool {
        let switches: &[&str] = match self.dialect {
            Dialect::MySql => {
                &["DEFAULT", "'derived_merge=off,semijoin=off'", "'materialization=off'"]
            }
            Dialect::MariaDb => {
                &["DEFAULT", "'derived_merge=off,semijoin=off'", "'materialization=off'"]
            }
        };
        for switch in switches {
            self.bare.run(&format!("SET SESSION optimizer_switch = {switch}"));
            let Ok(plain) = ask(&mut self.bare, sql, statement.pass) else { return false };
            let binary = plain.columns.is_some() || proxy.columns.is_some();
            if plain.columns.is_some() != proxy.columns.is_some() {
                return false;
            }
            let answers = Answers { plain, proxy: proxy.clone(), binary };
            if let Verdict::Same(_) = judge(sql, statement, answers) {
                return true;
            }
        }
        false
    }

    /// Whether nothing differs but types that the plain server gives otherwise before it runs the
    /// statement: then they depend on how it runs it.
    fn types_vary(&mut self, sql: &str, found: &[Difference], told: &[Column]) -> bool {
        let of_types =
            |difference: &Difference| ["types", "prepared columns"].contains(&difference.aspect);
        if !found.iter().all(of_types) {
            return false;
        }
        let Ok(Ok(statement)) = self.plain.prepare(sql) else { return false };
        let closed = self.plain.close(&statement).is_ok();
        let (columns, told) = settled(&statement.columns, told);
        let differences = compare_columns(&case(sql, &Order::Free), &columns, &told);
        closed && differences.iter().all(|difference| difference.minor)
    }

    fn reconnect(&mut self) {
        // A server forgets it when it starts again.
        self.fixture.run_on_servers(match self.dialect {
            Dialect::MySql => "SET GLOBAL max_execution_time = 5000",
            Dialect::MariaDb => "SET GLOBAL max_statement_time = 5, sql_mode = CONCAT(@@sql_mode, ',ONLY_FULL_GROUP_BY')",
        });
        let target = self.fixture.target();
        self.plain = connect(&target.plain);
        self.proxy = connect(&target.proxy);
        self.bare = connect(&target.plain.schema(BARE));
    }

    fn answers(&mut self, sql: &str, pass: Pass) -> Result<Answers, (&'static str, io::Error)> {
        let start = Instant::now();
        let plain = ask(&mut self.plain, sql, pass).map_err(|error| ("plain", error))?;
        let middle = Instant::now();
        // Not everything can be a parameter.
        let pass = if plain.columns.is_none() && pass == Pass::Bound { Pass::Text } else { pass };
        let proxy = ask(&mut self.proxy, sql, pass).map_err(|error| ("proxy", error))?;
        self.waited_plain += middle - start;
        self.waited_proxy += middle.elapsed();
        let binary = plain.columns.is_some();
        Ok(Answers { plain, proxy, binary })
    }

    /// Makes a table with its rows on both.
    pub(super) fn load(&mut self, table: &mut Table) {
        for client in [&mut self.plain, &mut self.proxy] {
            client.run(&format!("DROP TABLE IF EXISTS {}", table.name));
        }
        self.plain.run(&table.create());
        if std::env::var_os("MARGAY_TEST_STAND_IN").is_some() {
            self.proxy.run(&table.create_bare());
            table.indexes.clear();
        } else {
            self.proxy.run(&table.create());
        }
        self.bare.run(&format!("DROP TABLE IF EXISTS {}", table.name));
        self.bare.run(&table.create_bare());
        let rows = table.rows.iter().rev().cloned().collect();
        let turned = Table { rows, ..table.clone() };
        if let (Some(insert), Some(turned)) = (table.insert(), turned.insert()) {
            self.plain.run(&insert);
            self.proxy.run(&turned);
            self.bare.run(&turned);
        }
    }

    /// Runs a statement that all must take.
    pub(super) fn run_all(&mut self, sql: &str) {
        self.plain.run(sql);
        self.proxy.run(sql);
        self.bare.run(sql);
    }
}

fn connect(login: &crate::client::Login) -> Client {
    let client = Client::open(login);
    client.limit_waits(ANSWER_LIMIT).expect("a socket takes a timeout");
    client
}

/// One server's answer.
#[derive(Clone)]
struct Answer {
    replies: Vec<Reply>,
    /// What it said of the columns when it prepared the statement.
    columns: Option<Vec<Column>>,
}

struct Answers {
    plain: Answer,
    proxy: Answer,
    binary: bool,
}

fn ask(client: &mut Client, sql: &str, pass: Pass) -> io::Result<Answer> {
    let bound = match pass {
        Pass::Text => None,
        Pass::Prepared => Some((sql.to_owned(), Vec::new())),
        Pass::Bound => bind_literals(sql),
    };
    if let Some((text, values)) = bound {
        let answer = prepared(client, &text, &values)?;
        if values.is_empty() || answer.columns.is_some() {
            return Ok(answer);
        }
    }
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

fn columns_of(replies: &[Reply]) -> Vec<Column> {
    match replies.first() {
        Some(Reply::Rows(rows)) => rows.columns.clone(),
        Some(Reply::Done(_) | Reply::Error(_)) | None => Vec::new(),
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
        let (plain, proxy) = settled(plain, proxy);
        differences = compare_columns(&case, &plain, &proxy);
        differences.iter_mut().for_each(|difference| difference.aspect = "prepared columns");
    }
    let mut plain = normal(plain.replies, binary, statement.fold)?;
    let mut proxy = normal(proxy.replies, binary, statement.fold)?;
    settle_replies(&mut plain, &mut proxy);
    differences.extend(compare(&case, &plain, &proxy, true));
    if let (Order::Columns(columns), [Reply::Rows(plain)], [Reply::Rows(proxy)]) =
        (&statement.order, &plain[..], &proxy[..])
        && is_ordered(sql)
    {
        differences.extend(order_difference(columns, plain, proxy)?);
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
    let at = left.iter().zip(&right).position(|(left, right)| left != right).unwrap_or_default();
    let shown = |rows: &[Vec<Cell>]| {
        let row = rows.get(at).into_iter().flatten();
        let cells = row.map(|cell| cell.as_ref().map(|bytes| String::from_utf8_lossy(bytes)));
        format!("row {}: {:?}", at + 1, cells.collect::<Vec<_>>())
    };
    let (expected, got) = (shown(&left), shown(&right));
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
        reason: String::new(),
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
