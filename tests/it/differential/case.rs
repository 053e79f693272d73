//! Case files: statements with directives.
//!
//! A statement ends with `;` at the end of a line. `-- include NAME` runs the statements of `NAME.inc`.
//! `-- refused: WORDS` wants the refusal to hold these words.
//!
//! Kinds of tables in `-- refused if KIND ...`: `many` (rows in several parts), `spread` (a write to all
//! rows reaches several clusters), or the name of one table.

use std::fs;
use std::path::Path;

use jiff::Span;
use jiff::civil::DateTime;

/// A file of cases. `{t}` in its text stands for each of its tables in turn.
#[derive(Debug)]
pub(crate) struct CaseFile {
    pub(crate) name: String,
    /// Empty if the file names its tables itself.
    pub(crate) tables: Vec<String>,
    text: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// File and line.
    pub(crate) place: String,
    pub(crate) sql: String,
    pub(crate) expect: Expect,
    /// Margay may refuse it by design, with error 1235; the plain server does not see it then. Whatever
    /// Margay answers instead is compared.
    pub(crate) refusable: bool,
    /// What the refusal says.
    pub(crate) reason: String,
    pub(crate) order: Order,
    /// Text protocol alone.
    pub(crate) text_only: bool,
    /// Compare the columns and the number of rows, not the values.
    pub(crate) shape: bool,
    pub(crate) ignore: Vec<String>,
    /// Which of several pairs of connections runs it.
    pub(crate) session: String,
}

/// What the plain server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expect {
    Success,
    /// One of these codes; any code if there is none.
    Error(Vec<u16>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By whether the statement has an outer ORDER BY.
    Auto,
    Any,
    Exact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    MySql,
    MariaDb,
}

impl Dialect {
    pub(crate) fn of_version(version: &str) -> Self {
        if version.contains("MariaDB") { Self::MariaDb } else { Self::MySql }
    }

    fn name(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }

    /// The usual case-insensitive collation of utf8mb4.
    pub(crate) fn collation(self) -> &'static str {
        match self {
            Self::MySql => "utf8mb4_0900_ai_ci",
            Self::MariaDb => "utf8mb4_uca1400_ai_ci",
        }
    }
}

/// What the directives since the last statement said.
#[derive(Debug, Default)]
struct Pending {
    expect: Option<Expect>,
    refusable: bool,
    reason: String,
    order: Option<Order>,
    text_only: bool,
    shape: bool,
    ignore: Vec<String>,
    only: Option<String>,
    /// Not for this table.
    left_out: bool,
}

impl CaseFile {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let tables = text.lines().find_map(|line| line.strip_prefix("-- tables:"));
        let tables = tables.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        Self { name: name.to_owned(), tables, text: text.to_owned() }
    }

    /// Reads a file of `tests/differential`.
    pub(crate) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential").join(name);
        let text = fs::read_to_string(&path);
        Self::new(name, &text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The cases for one table. Panics with file and line at a directive it does not know.
    pub(crate) fn cases(&self, dialect: Dialect, table: &str, now: DateTime) -> Vec<Case> {
        let mut cases = Vec::new();
        let mut pending = Pending::default();
        let mut session = String::from("main");
        let mut sql = String::new();
        let mut start = 0;
        for (index, line) in self.text.lines().enumerate() {
            if sql.is_empty() && (line.starts_with("--") || line.trim().is_empty()) {
                if let Some(name) = line.strip_prefix("-- session ") {
                    session = name.trim().to_owned();
                } else if let Some(name) = line.strip_prefix("-- include ") {
                    cases.extend(Self::read(&format!("{name}.inc")).cases(dialect, table, now));
                } else {
                    pending.read(line, table, &self.name, index + 1);
                }
                continue;
            }
            if sql.is_empty() {
                start = index + 1;
            } else {
                sql.push('\n');
            }
            sql.push_str(line);
            if let Some(whole) = sql.trim_end().strip_suffix(';') {
                let sql = substitute(whole, dialect, table, now);
                let directives = std::mem::take(&mut pending);
                let place = format!("{}:{start}", self.name);
                cases.extend(directives.case(dialect, place, sql, &session));
            } else {
                continue;
            }
            sql.clear();
        }
        assert!(sql.is_empty(), "{}:{start}: no `;` at the end", self.name);
        cases
    }
}

impl Pending {
    fn read(&mut self, line: &str, table: &str, file: &str, number: usize) {
        let Some(text) = line.strip_prefix("-- ") else { return };
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "error" => {
                let codes = rest.split_whitespace().map(|code| code.parse());
                let codes = codes.collect::<Result<_, _>>();
                let codes = codes.unwrap_or_else(|error| panic!("{file}:{number}: {error}"));
                self.expect = Some(Expect::Error(codes));
            }
            "refused:" => {
                self.refusable = true;
                self.reason = rest.trim().to_owned();
            }
            "refused" => self.refusable |= may_refuse(rest, table, file, number),
            "unordered" => self.order = Some(Order::Any),
            "ordered" => self.order = Some(Order::Exact),
            "text" => self.text_only = true,
            "shape" => self.shape = true,
            "ignore" => self.ignore.extend(rest.split_whitespace().map(str::to_owned)),
            "except" => self.left_out |= rest.split_whitespace().any(|name| name == table),
            "only" => self.only = Some(rest.trim().to_owned()),
            "tables:" => {}
            // Comments are sentences.
            _ if word.starts_with(|c: char| c.is_ascii_uppercase()) || word == "{t}" => {}
            _ => panic!("{file}:{number}: unknown directive `{word}`; comments begin upper case"),
        }
    }

    fn case(self, dialect: Dialect, place: String, sql: String, session: &str) -> Option<Case> {
        if self.left_out || self.only.is_some_and(|only| only != dialect.name()) {
            return None;
        }
        // MySQL does not prepare them, and to try would change what they show.
        let shows_problems =
            ["SHOW WARNINGS", "SHOW ERRORS", "SHOW COUNT(*) WARNINGS"].contains(&sql.trim());
        Some(Case {
            place,
            sql,
            expect: self.expect.unwrap_or(Expect::Success),
            refusable: self.refusable,
            reason: self.reason,
            order: self.order.unwrap_or(Order::Auto),
            text_only: self.text_only || shows_problems,
            shape: self.shape,
            ignore: self.ignore,
            session: session.to_owned(),
        })
    }
}

/// `-- refused` speaks of every table; `-- refused if many t_time` of these kinds of tables.
fn may_refuse(rest: &str, table: &str, file: &str, number: usize) -> bool {
    if rest.is_empty() {
        return true;
    }
    let kinds = rest.strip_prefix("if ");
    let kinds = kinds.unwrap_or_else(|| panic!("{file}:{number}: `-- refused if KIND ...`"));
    kinds.split_whitespace().any(|kind| match kind {
        "many" => !["t_single", "t_other", "t_broadcast"].contains(&table),
        "spread" => !["t_single", "t_other", "t_time", "t_phys"].contains(&table),
        name if name.starts_with("t_") => name == table,
        _ => panic!("{file}:{number}: no kind of tables is called `{kind}`"),
    })
}

/// Fills in `{t}`, `{ai_ci}`, `{day+3}` (a date) and `{hour-2}` (the start of an hour).
fn substitute(text: &str, dialect: Dialect, table: &str, now: DateTime) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            rest = after;
            out.push('{');
            continue;
        };
        match placeholder(name, dialect, table, now) {
            Some(value) => {
                out.push_str(&value);
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn placeholder(name: &str, dialect: Dialect, table: &str, now: DateTime) -> Option<String> {
    match name {
        "t" => return Some(table.to_owned()),
        "ai_ci" => return Some(dialect.collation().to_owned()),
        _ => {}
    }
    let unit = name.get(..name.find(['+', '-']).unwrap_or(name.len()))?;
    let offset = name.get(unit.len()..)?;
    let count: i64 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    match unit {
        "day" => {
            let moment = now.checked_add(Span::new().days(count)).ok()?;
            Some(moment.strftime("%Y-%m-%d").to_string())
        }
        "hour" => {
            let moment = now.checked_add(Span::new().hours(count)).ok()?;
            Some(moment.strftime("%Y-%m-%d %H:00:00").to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;

    use super::{CaseFile, Dialect, Expect, substitute};

    const NOW: DateTime = DateTime::constant(2024, 2, 29, 13, 45, 0, 0);

    fn check(text: &str, expect: &str) {
        assert_eq!(substitute(text, Dialect::MySql, "tab", NOW), expect);
    }

    #[test]
    fn fills_in() {
        check("SELECT * FROM {t}", "SELECT * FROM tab");
        check("'{day+1} {hour-14}' {ai_ci}", "'2024-03-01 2024-02-28 23:00:00' utf8mb4_0900_ai_ci");
        check("'{\"a\": 1}' {", "'{\"a\": 1}' {");
    }

    #[test]
    fn reads_directives() {
        let text = "-- A comment.\n-- error 1054\n-- refused if many t_single\nSELECT\n  x;\n\n\
             -- only mariadb\nSELECT 1;\n-- refused if spread\nSELECT 2;\n";
        let cases = CaseFile::new("f", text).cases(Dialect::MySql, "t_single", NOW);
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0].sql, "SELECT\n  x");
        assert_eq!(cases[0].place, "f:4");
        assert_eq!(cases[0].expect, Expect::Error(vec![1054]));
        assert!(cases[0].refusable);
        assert_eq!(cases[1].sql, "SELECT 2");
        assert!(!cases[1].refusable);
        assert_eq!(cases[1].expect, Expect::Success);
    }
}
