//! Runs statements on Margay and on the plain server, and compares what they say.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Client;
use crate::client::reply::{Column, Reply};
use crate::client::value::Value;
use crate::differential::bind::bind_literals;
use crate::differential::case::Dialect;
use crate::differential::compare::{Difference, compare_columns};

use super::judge::{Answer, Answers, Verdict, case, error_of, judge};
use super::normal::settled;
use super::scope::Order;
use super::site::Site;
use super::statement::{Pass, Statement};
use super::table::Table;

/// One worker's connections.
pub(super) struct Runner<'s> {
    site: &'s Site,
    /// The plain server with the same rows, but no keys and indexes.
    bare: Client,
    plain: Client,
    proxy: Client,
    pub(super) dialect: Dialect,
    /// What fills the tables.
    inserts: BTreeMap<String, String>,
    /// Spent waiting for each.
    pub(super) waited_plain: Duration,
    pub(super) waited_proxy: Duration,
}

/// Ways to answer that a server may be told to take, or not to take.
const SWITCHES: [&str; 5] = [
    "DEFAULT",
    "'derived_merge=off,semijoin=off'",
    "'derived_merge=off'",
    "'semijoin=off'",
    "'materialization=off'",
];

/// A side that gave no answer.
type Broken = (&'static str, io::Error);

impl<'s> Runner<'s> {
    pub(super) fn open(site: &'s Site) -> Self {
        Self {
            bare: site.bare(),
            plain: site.plain(),
            proxy: site.proxy(),
            dialect: site.dialect,
            inserts: BTreeMap::new(),
            site,
            waited_plain: Duration::ZERO,
            waited_proxy: Duration::ZERO,
        }
    }

    pub(super) fn run(&mut self, statement: &Statement) -> Verdict {
        let crashes = self.site.crashes(false);
        let verdict = match statement.targets.is_empty() {
            true => self.read(statement),
            false => self.write(statement),
        };
        match verdict {
            Ok(Verdict::Differs(_)) if self.site.crashes(true) > crashes => Verdict::Left,
            Ok(verdict) => verdict,
            Err((side, error)) => {
                let crashed = self.site.crashes_after_all() > crashes;
                self.reconnect();
                if crashed || side == "plain" {
                    return Verdict::Crashed;
                }
                let got = format!("{side}: {error}");
                let (aspect, expected) = ("connection", "an answer".to_owned());
                Verdict::Differs(vec![Difference { aspect, expected, got, minor: false }])
            }
        }
    }

    fn read(&mut self, statement: &Statement) -> Result<Verdict, Broken> {
        let sql = statement.tree.to_string();
        let answers = self.answers(&sql, statement.pass)?;
        let told = columns_of(&answers.proxy.replies);
        let proxy = answers.proxy.clone();
        Ok(match judge(&sql, statement, answers) {
            Verdict::Differs(found) if self.types_vary(statement, &found, &told) => {
                Verdict::Same(Ok(1))
            }
            Verdict::Differs(_) if self.varies(&sql, statement, &proxy) => Verdict::Varies,
            Verdict::Differs(_) if self.cuts_otherwise(&sql, statement, &proxy) => Verdict::Varies,
            Verdict::Differs(found) if self.finds_late(&sql, &found) => Verdict::Left,
            Verdict::Differs(found) if self.stands_for(&sql, statement, (&found, &proxy)) => {
                Verdict::Same(Ok(1))
            }
            Verdict::Differs(found) if self.loses_values(&sql, statement, (&found, &proxy)) => {
                Verdict::Varies
            }
            Verdict::Differs(found) if self.contradicts(&sql, statement, &found) => Verdict::Varies,
            verdict => verdict,
        })
    }

    /// Whether a MySQL only differs because it takes parameters for NULL, as it does in some groups: with
    /// the values in the text it answers as Margay does with parameters.
    fn loses_values(
        &mut self,
        sql: &str,
        statement: &Statement,
        (found, proxy): (&[Difference], &Answer),
    ) -> bool {
        let of_rows = found.iter().all(|difference| ["rows", "order"].contains(&difference.aspect));
        if statement.pass != Pass::Bound || self.dialect != Dialect::MySql || !of_rows {
            return false;
        }
        let Ok(mut plain) = prepared(&mut self.plain, sql, &[]) else { return false };
        // Names and types were compared; here the texts differ.
        let mut proxy = proxy.clone();
        if let ([Reply::Rows(plain)], [Reply::Rows(proxy)]) =
            (&mut plain.replies[..], &mut proxy.replies[..])
        {
            plain.columns.clone_from(&proxy.columns);
        }
        (plain.columns, proxy.columns) = (None, None);
        matches!(
            judge(sql, statement, Answers { plain, proxy, binary: true, dialect: self.dialect }),
            Verdict::Same(_)
        )
    }

    /// Whether a MariaDB says of a statement only when it runs it that it is not valid, and takes it before.
    fn finds_late(&mut self, sql: &str, found: &[Difference]) -> bool {
        let told = |text: &str| ["ERROR 1111", "ERROR 1054"].iter().any(|code| text.contains(code));
        if self.dialect != Dialect::MariaDb || !found.iter().all(|it| told(&it.expected)) {
            return false;
        }
        match self.plain.prepare(sql) {
            Ok(Ok(statement)) => self.plain.close(&statement).is_ok(),
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Whether rows only differ in which of several equal texts stands for them, in a statement that takes
    /// equal rows together: any may.
    fn stands_for(
        &mut self,
        sql: &str,
        statement: &Statement,
        (found, proxy): (&[Difference], &Answer),
    ) -> bool {
        let of_rows = found.iter().all(|difference| ["rows", "order"].contains(&difference.aspect));
        let words = [" GROUP BY ", "DISTINCT ", " UNION ", " INTERSECT ", " EXCEPT "];
        if statement.fold || !of_rows || !words.iter().any(|word| sql.contains(word)) {
            return false;
        }
        let Ok(plain) = ask(&mut self.plain, sql, statement.pass) else { return false };
        let binary = plain.columns.is_some();
        let folded = Statement { fold: true, ..statement.clone() };
        let answers = Answers { plain, proxy: proxy.clone(), binary, dialect: self.dialect };
        binary == proxy.columns.is_some()
            && matches!(judge(sql, &folded, answers), Verdict::Same(_))
    }

    /// Runs a write, looks at the tables that it writes to, and brings them back to what they were.
    fn write(&mut self, statement: &Statement) -> Result<Verdict, Broken> {
        let sql = statement.tree.to_string();
        if !statement.commits {
            self.both("BEGIN")?;
        }
        let answers = self.answers(&sql, statement.pass)?;
        let proxy = answers.proxy.clone();
        let mut verdict = judge(&sql, statement, answers);
        if matches!(verdict, Verdict::Differs(_)) && self.write_varies(&sql, statement, proxy) {
            verdict = Verdict::Varies;
        }
        for target in &statement.targets {
            if !matches!(verdict, Verdict::Same(_)) {
                break;
            }
            let sql = format!("SELECT * FROM {target}");
            let answers = self.answers(&sql, Pass::Text)?;
            let look = Statement::read(sql.as_str().into(), Order::Free, false);
            if let Verdict::Differs(mut found) = judge(&sql, &look, answers) {
                found.iter_mut().for_each(|difference| difference.aspect = "contents");
                verdict = Verdict::Differs(found);
            }
        }
        if !statement.commits {
            self.both("ROLLBACK")?;
            return Ok(verdict);
        }
        for target in &statement.targets {
            self.both(&format!("DELETE FROM {target}"))?;
            if let Some(insert) = self.inserts.get(target).cloned() {
                self.both(&insert)?;
            }
        }
        Ok(verdict)
    }

    /// Whether the plain server does as Margay does if it cannot use indexes.
    fn write_varies(&mut self, sql: &str, statement: &Statement, proxy: Answer) -> bool {
        if self.bare.query("BEGIN").is_err() {
            return false;
        }
        let plain = ask(&mut self.bare, sql, statement.pass);
        let undone = self.bare.query("ROLLBACK").is_ok();
        let Ok(plain) = plain else { return false };
        let binary = plain.columns.is_some();
        let same = binary == proxy.columns.is_some()
            && matches!(
                judge(sql, statement, Answers { plain, proxy, binary, dialect: self.dialect }),
                Verdict::Same(_)
            );
        undone && same
    }

    /// Runs a statement that both must take.
    fn both(&mut self, sql: &str) -> Result<(), Broken> {
        for (side, client) in [("plain", &mut self.plain), ("proxy", &mut self.proxy)] {
            let replies = client.query(sql).map_err(|error| (side, error))?;
            if let Some(error) = error_of(&replies) {
                return Err((side, io::Error::other(format!("{sql:.80}: {error}"))));
            }
        }
        Ok(())
    }

    /// Whether the plain server gives other rows where it cannot use indexes, or may not rewrite: then none of
    /// its answers says which is right.
    fn contradicts(&mut self, sql: &str, statement: &Statement, found: &[Difference]) -> bool {
        let of_rows = found.iter().all(|difference| ["rows", "order"].contains(&difference.aspect));
        let Ok(first) = ask(&mut self.plain, sql, statement.pass) else { return false };
        let binary = first.columns.is_some();
        for switch in SWITCHES {
            if !of_rows || !self.switch(switch) {
                return false;
            }
            let Ok(other) = ask(&mut self.bare, sql, statement.pass) else { return false };
            let rows = |answer: &Answer| matches!(answer.replies[..], [Reply::Rows(_)]);
            if other.columns.is_some() != binary || !rows(&first) || !rows(&other) {
                continue;
            }
            let answers =
                Answers { plain: first.clone(), proxy: other, binary, dialect: self.dialect };
            if let Verdict::Differs(found) = judge(sql, statement, answers)
                && found.iter().any(|difference| difference.aspect == "rows")
            {
                return true;
            }
        }
        false
    }

    /// Tells the server without indexes how to answer.
    fn switch(&mut self, switch: &str) -> bool {
        ["DEFAULT", switch].iter().all(|switch| {
            let set = format!("SET SESSION optimizer_switch = {switch}");
            must(&mut self.bare, &set).is_ok()
        })
    }

    /// Whether the plain server answers as Margay does if it cannot use indexes, or may not rewrite.
    fn varies(&mut self, sql: &str, statement: &Statement, proxy: &Answer) -> bool {
        for switch in SWITCHES {
            if !self.switch(switch) {
                return false;
            }
            let Ok(plain) = ask(&mut self.bare, sql, statement.pass) else { return false };
            let binary = plain.columns.is_some() || proxy.columns.is_some();
            if plain.columns.is_some() != proxy.columns.is_some() {
                return false;
            }
            let answers = Answers { plain, proxy: proxy.clone(), binary, dialect: self.dialect };
            if let Verdict::Same(_) = judge(sql, statement, answers) {
                return true;
            }
        }
        false
    }

    /// Whether Margay's rows are those that the plain server gives without LIMIT, cut as that says, while
    /// the plain server's own are not: a MariaDB may keep duplicates that DISTINCT should drop, to skip them.
    fn cuts_otherwise(&mut self, sql: &str, statement: &Statement, proxy: &Answer) -> bool {
        let Some((whole, offset, count)) = limit_of(sql) else { return false };
        let Ok(mut plain) = ask(&mut self.plain, whole, statement.pass) else { return false };
        let [Reply::Rows(rows)] = &mut plain.replies[..] else { return false };
        rows.packets = rows.packets.drain(..).skip(offset).take(count).collect();
        let binary = plain.columns.is_some();
        let answers = Answers { plain, proxy: proxy.clone(), binary, dialect: self.dialect };
        statement.order == Order::Total
            && binary == proxy.columns.is_some()
            && matches!(judge(sql, statement, answers), Verdict::Same(_))
    }

    /// Whether nothing differs but types that the plain server gives otherwise before it runs the
    /// statement: then they depend on how it runs it.
    fn types_vary(&mut self, statement: &Statement, found: &[Difference], told: &[Column]) -> bool {
        let of_types =
            |difference: &Difference| ["types", "prepared columns"].contains(&difference.aspect);
        if !found.iter().all(of_types) {
            return false;
        }
        let sql = statement.tree.to_string();
        // Of a number with parameters it says before which it takes them for.
        let is_text = |text: &str| text.contains(": type 253,") || text.contains(": type 254,");
        let of_texts = found.iter().all(|it| is_text(&it.expected) && is_text(&it.got));
        let bound = bound(&sql, statement.pass).filter(|_| of_texts).map(|(text, _)| text);
        let texts = [Some(sql.clone()), bound];
        texts.iter().flatten().any(|text| self.says_before(text, told, &sql))
    }

    /// Whether these are the columns that the plain server tells of before it runs a text.
    fn says_before(&mut self, text: &str, told: &[Column], sql: &str) -> bool {
        let Ok(Ok(statement)) = self.plain.prepare(text) else { return false };
        let closed = self.plain.close(&statement).is_ok();
        let (columns, told) = settled(&statement.columns, told, sql);
        let mut case = case(sql, &Order::Free);
        // Names have the parameters in them.
        case.ignore.push("names".to_owned());
        let named: Vec<Column> = columns
            .into_iter()
            .zip(&told)
            .map(|(column, told)| Column { name: told.name.clone(), ..column })
            .collect();
        let differences = compare_columns(&case, &named, &told);
        closed && differences.iter().all(|difference| difference.minor)
    }

    fn reconnect(&mut self) {
        self.plain = self.site.plain();
        self.proxy = self.site.proxy();
        self.bare = self.site.bare();
    }

    fn answers(&mut self, sql: &str, pass: Pass) -> Result<Answers, Broken> {
        let start = Instant::now();
        let plain = ask(&mut self.plain, sql, pass).map_err(|error| ("plain", error))?;
        let middle = Instant::now();
        // Not everything can be a parameter, but for both alike.
        let pass = if plain.columns.is_none() && pass == Pass::Bound { Pass::Text } else { pass };
        let proxy = match bound(sql, pass) {
            Some((text, values)) => prepared(&mut self.proxy, &text, &values),
            None => as_text(&mut self.proxy, sql),
        };
        let proxy = proxy.map_err(|error| ("proxy", error))?;
        self.waited_plain += middle - start;
        self.waited_proxy += middle.elapsed();
        let binary = plain.columns.is_some();
        Ok(Answers { plain, proxy, binary, dialect: self.dialect })
    }

    /// Makes a table with its rows on both, again where a server crashes meanwhile: at what another worker
    /// asked of it.
    pub(super) fn load(&mut self, table: &mut Table) {
        const TRIES: usize = 5;
        if std::env::var_os("MARGAY_TEST_STAND_IN").is_some() {
            table.indexes.clear();
        }
        for _ in 1..TRIES {
            let crashes = self.site.crashes(false);
            match self.try_load(table) {
                Ok(()) => return,
                Err(error) if self.site.crashes_after_all() == crashes => panic!("{error}"),
                Err(_) => self.reconnect(),
            }
        }
        self.try_load(table).expect("the servers take tables");
    }

    fn try_load(&mut self, table: &Table) -> io::Result<()> {
        self.run_all(&format!("DROP TABLE IF EXISTS {}", table.name))?;
        let (full, bare) = (table.create(), table.create_bare());
        let keyed = !table.indexes.is_empty() || std::env::var_os("MARGAY_TEST_STAND_IN").is_none();
        must(&mut self.plain, &full)?;
        must(&mut self.proxy, if keyed { &full } else { &bare })?;
        must(&mut self.bare, &bare)?;
        self.inserts.remove(&table.name);
        self.inserts.extend(table.insert().map(|insert| (table.name.clone(), insert)));
        let rows = table.rows.iter().rev().cloned().collect();
        let turned = Table { rows, ..table.clone() };
        if let (Some(insert), Some(turned)) = (table.insert(), turned.insert()) {
            must(&mut self.plain, &insert)?;
            must(&mut self.proxy, &turned)?;
            must(&mut self.bare, &turned)?;
        }
        Ok(())
    }

    /// Runs a statement that all must take.
    pub(super) fn run_all(&mut self, sql: &str) -> io::Result<()> {
        must(&mut self.plain, sql)?;
        must(&mut self.proxy, sql)?;
        must(&mut self.bare, sql)
    }
}

/// Runs a statement that must not fail.
fn must(client: &mut Client, sql: &str) -> io::Result<()> {
    match error_of(&client.query(sql)?) {
        Some(error) => Err(io::Error::other(format!("{sql:.200}: {error}"))),
        None => Ok(()),
    }
}

/// A query without the LIMIT that it ends in, and the offset and the count of that.
fn limit_of(sql: &str) -> Option<(&str, usize, usize)> {
    let (whole, tail) = sql.rsplit_once(" LIMIT ")?;
    let (offset, count) = match (tail.split_once(", "), tail.split_once(" OFFSET ")) {
        (Some((offset, count)), _) | (None, Some((count, offset))) => (offset, count),
        (None, None) => ("0", tail),
    };
    Some((whole, offset.parse().ok()?, count.parse().ok()?))
}

/// The text to prepare, and the values of its parameters; none if it is to be sent as it is.
fn bound(sql: &str, pass: Pass) -> Option<(String, Vec<Value>)> {
    match pass {
        Pass::Text => None,
        Pass::Prepared => Some((sql.to_owned(), Vec::new())),
        Pass::Bound => bind_literals(sql),
    }
}

fn as_text(client: &mut Client, sql: &str) -> io::Result<Answer> {
    Ok(Answer { replies: client.query(sql)?, columns: None })
}

fn ask(client: &mut Client, sql: &str, pass: Pass) -> io::Result<Answer> {
    if let Some((text, values)) = bound(sql, pass) {
        let answer = prepared(client, &text, &values)?;
        if values.is_empty() || answer.columns.is_some() {
            return Ok(answer);
        }
    }
    as_text(client, sql)
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
