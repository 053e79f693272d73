//! Compares what Margay and the plain server say, but for what the plain server itself leaves open.

use std::io;

use crate::client::reply::{Column, Reply, Rows, ServerError};
use crate::differential::case::{Case, Dialect, Expect, Order as RowOrder};
use crate::differential::compare::{Difference, compare, compare_columns, is_ordered};

use super::normal::{Cell, Form, normal, projected, settle_replies, settled};
use super::scope::Order;
use super::statement::Statement;

const REFUSED: u16 = 1235;
/// The statement took longer than the servers are told to let it.
const TIMED_OUT: [u16; 2] = [3024, 1969];

/// Errors of rows that do not fit into a table, of which the first row that is written raises one: which that
/// is, is nowhere said.
const OF_ROWS: [u16; 14] =
    [1048, 1062, 1264, 1265, 1292, 1364, 1365, 1366, 1367, 1406, 1411, 1441, 1690, 3140];

const TOO_YOUNG: u16 = 1412;
const DOWN: u16 = 1429;
const SEVERAL_ROWS: u16 = 1242;

/// Errors of values that are warned of where nothing is written.
const STRICT: [u16; 5] = [1292, 1365, 1366, 1411, 1441];

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

/// One server's answer.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) replies: Vec<Reply>,
    /// What it said of the columns when it prepared the statement.
    pub(super) columns: Option<Vec<Column>>,
}

pub(super) struct Answers {
    pub(super) plain: Answer,
    pub(super) proxy: Answer,
    pub(super) binary: bool,
    pub(super) dialect: Dialect,
}

pub(super) fn error_of(replies: &[Reply]) -> Option<&ServerError> {
    replies.iter().find_map(|reply| match reply {
        Reply::Error(error) => Some(error),
        Reply::Done(_) | Reply::Rows(_) => None,
    })
}

pub(super) fn judge(sql: &str, statement: &Statement, answers: Answers) -> Verdict {
    let (plain, proxy) = (error_of(&answers.plain.replies), error_of(&answers.proxy.replies));
    if [plain, proxy].iter().flatten().any(|error| TIMED_OUT.contains(&error.code)) {
        return Verdict::Left;
    }
    match (plain, proxy) {
        (None, Some(error)) if error.code == REFUSED => {
            return Verdict::Refused(error.message.clone());
        }
        // What the server itself does not do.
        (Some(error), _) if error.code == REFUSED => return Verdict::Left,
        // A table that the statement has made, for a new period, is younger than what its transaction sees.
        (None, Some(error)) if error.code == TOO_YOUNG => return Verdict::Left,
        // The machine is too busy for a server to answer whether it is there.
        (_, Some(error)) if error.code == DOWN => return Verdict::Left,
        // A subquery of several rows, where no row of the statement asks for its value: whether it is
        // computed depends on the plan.
        (Some(error), None) | (None, Some(error)) if error.code == SEVERAL_ROWS => {
            let other = if plain.is_some() { &answers.proxy } else { &answers.plain };
            if is_empty(&other.replies) {
                return Verdict::Varies;
            }
        }
        // It may well be refused before its mistake shows.
        (Some(_), Some(error)) if error.code == REFUSED => return Verdict::Left,
        (Some(error), None) if is_lost_name(error) => return Verdict::Left,
        // Whether a value is looked at that breaks the rules of a strict sql_mode depends on the plan.
        (Some(error), None) | (None, Some(error))
            if !statement.targets.is_empty() && STRICT.contains(&error.code) =>
        {
            return Verdict::Varies;
        }
        (Some(plain), Some(proxy))
            if !statement.targets.is_empty()
                && [plain, proxy].iter().all(|error| OF_ROWS.contains(&error.code)) =>
        {
            return Verdict::Same(Err(plain.clone()));
        }
        _ => {}
    }
    let Answers { plain, proxy, binary, dialect } = answers;
    let form = Form { binary, folded: statement.fold, bits: dialect == Dialect::MySql };
    let Ok(normal_plain) = normal(plain.replies, form) else {
        // Some MariaDBs mix up the rows of a prepared statement.
        return Verdict::Left;
    };
    let found = normal(proxy.replies, form).and_then(|normal_proxy| {
        let prepared = plain.columns.zip(proxy.columns);
        compared(sql, statement, prepared, (normal_plain, normal_proxy))
    });
    match found {
        Ok(verdict) => verdict,
        Err(error) => {
            let (aspect, expected, got) = ("packet", "rows".to_owned(), error.to_string());
            Verdict::Differs(vec![Difference { aspect, expected, got, minor: false }])
        }
    }
}

fn is_empty(replies: &[Reply]) -> bool {
    replies.iter().all(|reply| match reply {
        Reply::Rows(rows) => rows.packets.is_empty(),
        Reply::Done(_) | Reply::Error(_) => false,
    })
}

/// A MariaDB does not find a common table expression from inside of another query's own WITH.
fn is_lost_name(error: &ServerError) -> bool {
    const NO_SUCH_TABLE: u16 = 1146;
    let name = error.message.split(['.', '\'']).nth(2).and_then(|name| name.strip_prefix('e'));
    error.code == NO_SUCH_TABLE
        && name.is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// A MySQL that sees at once that there are no rows says that the only row of WITH ROLLUP, which is that of
/// all groups, is one of a group, and shows constants that it is grouped by; if it sees it later, it says
/// otherwise.
fn is_empty_rollup(sql: &str, plain: &[Reply], proxy: &[Reply]) -> io::Result<bool> {
    let ([Reply::Rows(plain)], [Reply::Rows(proxy)]) = (plain, proxy) else { return Ok(false) };
    if plain.packets.len() != 1 || proxy.packets.len() != 1 || !sql.contains(" WITH ROLLUP") {
        return Ok(false);
    }
    let all: Vec<usize> = (0..plain.columns.len()).collect();
    let (left, right) = (projected(plain, &all)?.concat(), projected(proxy, &all)?.concat());
    let is = |cell: &Cell, text: &str| cell.as_deref() == Some(text.as_bytes());
    let mut cells = left.iter().zip(&right);
    Ok(cells
        .all(|(left, right)| left == right || right.is_none() || (is(left, "0") && is(right, "1"))))
}

fn compared(
    sql: &str,
    statement: &Statement,
    prepared: Option<(Vec<Column>, Vec<Column>)>,
    (mut plain, mut proxy): (Vec<Reply>, Vec<Reply>),
) -> io::Result<Verdict> {
    let case = case(sql, &statement.order);
    settle_info(&mut plain, &mut proxy);
    let mut differences = Vec::new();
    if let Some((plain, proxy)) = &prepared {
        let (plain, proxy) = settled(plain, proxy, sql);
        differences = compare_columns(&case, &plain, &proxy);
        differences.iter_mut().for_each(|difference| difference.aspect = "prepared columns");
    }
    settle_replies(&mut plain, &mut proxy, sql);
    differences.extend(compare(&case, &plain, &proxy, true));
    if let (Order::Columns(columns), [Reply::Rows(plain)], [Reply::Rows(proxy)]) =
        (&statement.order, &plain[..], &proxy[..])
        && is_ordered(sql)
    {
        differences.extend(order_difference(columns, plain, proxy)?);
    }
    differences.retain(|difference| !difference.minor);
    let of_rows = differences.iter().all(|it| ["rows", "order"].contains(&it.aspect));
    if !differences.is_empty() && of_rows && is_empty_rollup(sql, &plain, &proxy)? {
        return Ok(Verdict::Left);
    }
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

/// How often a value is computed, and warned of, is for the server's plan to say. A MariaDB that sees at
/// once that no row meets the conditions does not say that it found none.
fn settle_info(plain: &mut [Reply], proxy: &mut [Reply]) {
    for pair in plain.iter_mut().zip(proxy) {
        if let (Reply::Done(plain), Reply::Done(proxy)) = pair {
            for info in [&mut plain.info, &mut proxy.info] {
                let end = info.find("  Warnings: ").unwrap_or(info.len());
                info.truncate(end);
            }
            if plain.info.is_empty() && proxy.info.starts_with("Rows matched: 0 ") {
                proxy.info.clear();
            }
        }
    }
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

pub(super) fn case(sql: &str, order: &Order) -> Case {
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
