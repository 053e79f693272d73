//! `margay explain`: what a statement would do, told without any server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Zoned;
use jiff::civil::DateTime;

use super::output::{error, print};
use super::rules::load;
use crate::catalog::{Catalog, Key, PartsKind, ShardId, TimeParts};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::explain::explain;
use crate::plan::facts::{Column, ColumnClass, Columns, Facts, Need, Stop, TableId};
use crate::plan::key::Run;
use crate::plan::planner::{Context, plan};
use crate::sql::create_table::{ColumnDefinition, definitions};
use crate::sql::scanner::scan;
use crate::sql::token::TokenKind;
use crate::sql::{Mode, StatementKind};

/// More hourly tables than this between two times of a statement are not listed.
const PERIODS_MAX: usize = 10_000;
/// Planning and explaining may each ask a few times for what they lack.
const ROUNDS_MAX: usize = 16;

/// Explain what a statement would do, without any server.
///
/// The columns of tables are read from CREATE TABLE statements: those of *.sql files beside the rules,
/// and those of --ddl.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// A rule file, or a directory of them
    #[arg(long, value_name = "PATH", default_value = "rules")]
    rules: PathBuf,
    /// A file of CREATE TABLE statements, such as `mysqldump --no-data` writes; may be repeated
    #[arg(long, value_name = "FILE")]
    ddl: Vec<PathBuf>,
    /// The current schema; may be left out if the rules have one schema
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// The statement
    sql: String,
}

impl Explain {
    pub fn run(&self) -> ExitCode {
        let Some(config) = load(&self.rules) else { return ExitCode::FAILURE };
        let lines = Catalog::new(&config).and_then(|catalog| self.lines(&catalog));
        match lines {
            Ok(lines) => print(&(lines.join("\n") + "\n")),
            Err(problem) => {
                error(&problem.to_string());
                ExitCode::FAILURE
            }
        }
    }

    fn lines(&self, catalog: &Catalog) -> Result<Vec<String>> {
        let schema = self.schema_of(catalog)?;
        let mut tables = Tables { catalog, facts: Facts::default(), notes: BTreeSet::new() };
        for file in self.files()? {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                let message = format!("cannot read `{}`", file.display());
                Error::new(ErrorKind::Config, message).with_source(error)
            })?;
            tables.learn(&text, schema).map_err(|error| error.context(file.display()))?;
        }
        tables.explain(&self.sql, schema)
    }

    fn schema_of<'c>(&'c self, catalog: &'c Catalog) -> Result<Option<&'c str>> {
        let Some(name) = &self.schema else {
            let mut names = catalog.schemas.keys();
            let first = names.next().map(String::as_str);
            return Ok(first.filter(|_| names.next().is_none()));
        };
        if catalog.schema(name).is_none() {
            let message = format!("the rules have no schema `{name}`");
            return Err(Error::new(ErrorKind::UnknownDatabase, message));
        }
        Ok(Some(name))
    }

    /// The SQL files beside the rules in the order of their names, then those that were named.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let beside = if self.rules.is_dir() {
            self.rules.as_path()
        } else {
            self.rules.parent().filter(|path| *path != Path::new("")).unwrap_or(Path::new("."))
        };
        let entries = std::fs::read_dir(beside).map_err(|error| {
            let message = format!("cannot list `{}`", beside.display());
            Error::new(ErrorKind::Config, message).with_source(error)
        })?;
        let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let is_sql = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sql");
        let mut files: Vec<PathBuf> = paths.filter(is_sql).collect();
        files.sort_unstable();
        files.extend(self.ddl.iter().cloned());
        Ok(files)
    }
}

/// What is known without a server, and what had to be assumed.
struct Tables<'c> {
    catalog: &'c Catalog,
    facts: Facts,
    notes: BTreeSet<String>,
}

impl Tables<'_> {
    fn learn(&mut self, text: &str, schema: Option<&str>) -> Result<()> {
        for table in definitions(text)? {
            let Some(schema) = table.schema.or_else(|| schema.map(str::to_owned)) else {
                return Err(Error::new(
                    ErrorKind::NoDatabase,
                    format!(
                        "table `{}` is created in no schema, and the rules have several; name one \
                         with --schema",
                        table.name
                    ),
                ));
            };
            let columns = table.columns.into_iter().map(column).collect();
            let id = TableId { schema, table: table.name };
            self.facts
                .columns
                .insert(id, Some(Arc::new(Columns { columns, unique: None, rows: 0 })));
        }
        Ok(())
    }

    fn explain(&mut self, sql: &str, schema: Option<&str>) -> Result<Vec<String>> {
        let mode = Mode::default();
        let sql = sql.trim().trim_end_matches(';');
        let mut statement = crate::sql::parse(sql.as_bytes(), &mode)?;
        let mut text = sql.as_bytes();
        if let StatementKind::Explain(explained) = &statement.kind {
            // Someone pasted what they typed at the proxy.
            text = text.get(explained.at as usize..).unwrap_or_default();
            statement = crate::sql::parse(text, &mode)?;
        }
        if statement.params > 0 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the statement has parameters; write values in place of `?`",
            ));
        }
        refuse_without_plan(&statement.kind)?;
        let catalog = self.catalog;
        let planned = self.settle(text, |facts| {
            plan(
                &statement,
                text,
                &Context {
                    catalog,
                    facts,
                    schema,
                    mode: Mode::default(),
                    temporaries: &[],
                    anywhere: false,
                },
            )
        })?;
        let mut lines = self.settle(text, |facts| {
            explain(
                &planned,
                &Run {
                    catalog,
                    facts,
                    params: &[],
                    charset: "utf8mb4",
                    cluster: None,
                    hidden: None,
                },
            )
        })?;
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        Ok(lines)
    }

    /// Asks again until all facts are there that `step` needs.
    fn settle<T>(
        &mut self,
        text: &[u8],
        step: impl Fn(&Facts) -> std::result::Result<T, Stop>,
    ) -> Result<T> {
        for _ in 0..ROUNDS_MAX {
            match step(&self.facts) {
                Ok(done) => return Ok(done),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Need(need)) => self.assume(need, text)?,
            }
        }
        Err(Error::internal("planning asks for the same facts again and again"))
    }

    /// Adds what can be assumed without a server, with a note of it.
    fn assume(&mut self, need: Need, text: &[u8]) -> Result<()> {
        match need {
            Need::Columns(tables) => Err(unknown_columns(&tables)),
            Need::Weights(keys) => {
                let mut texts: Vec<_> =
                    keys.iter().map(|key| String::from_utf8_lossy(&key.text)).collect();
                texts.truncate(3);
                let collation = keys.first().map_or("", |key| key.collation.as_str());
                Err(needs_server(&format!(
                    "how '{}' compares by the collation {collation}",
                    texts.join("', '")
                )))
            }
            Need::Computed(texts) => {
                let shown: Vec<_> =
                    texts.iter().map(|text| String::from_utf8_lossy(text)).collect();
                Err(needs_server(&format!("the value of `{}`", shown.join("`, `"))))
            }
            Need::Constants { texts, .. } => {
                for text in texts {
                    let shown = String::from_utf8_lossy(&text).into_owned();
                    self.notes.insert(format!(
                        "the value of `{shown}` is known when the statement runs; here it excludes nothing"
                    ));
                    self.facts.constants.insert(text, None);
                }
                Ok(())
            }
            Need::Periods(wanted) => self.assume_periods(wanted, text),
        }
    }

    /// Assumes that there are tables for the times that the statement names and for those between; if
    /// it names none, that of the present stands for all.
    fn assume_periods(&mut self, wanted: Vec<(TableId, ShardId)>, text: &[u8]) -> Result<()> {
        let moments = moments(text)?;
        for (id, shard) in wanted {
            let table = self.catalog.schema(&id.schema).map(|schema| schema.table(&id.table));
            let parts = table.as_ref().and_then(|table| table.sharded()?.parts.as_ref());
            let Some(PartsKind::Time(time)) = parts.map(|parts| &parts.kind) else {
                return Err(Error::internal("periods of a table without time tables"));
            };
            let unit = time.unit().name();
            let note = match moments.as_slice() {
                [] => format!(
                    "`{}` has a table per {unit}; one stands here for every existing one",
                    id.table
                ),
                _ => format!(
                    "`{}` has a table per {unit}; those of the times in the statement are assumed \
                     to exist, and to be all",
                    id.table
                ),
            };
            let names = period_names(time, &id.table, &moments);
            self.notes.insert(note);
            self.facts.periods.insert((id, shard), names.into());
        }
        Ok(())
    }
}

fn period_names(time: &TimeParts, table: &str, moments: &[DateTime]) -> Vec<String> {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return vec![time.name_at(table, Zoned::now().datetime())];
    };
    let end = last.checked_add(jiff::SignedDuration::from_secs(1)).unwrap_or(DateTime::MAX);
    let periods = time.periods(*first..end).take(PERIODS_MAX);
    let names = periods.map(|period| time.name_at(table, period.start));
    names.chain(time.named().map(str::to_owned)).collect()
}

/// The times that a statement names in string literals, rising.
fn moments(text: &[u8]) -> Result<Vec<DateTime>> {
    let tokens = scan(text, &Mode::default())?.tokens;
    let strings = tokens.iter().filter(|token| token.kind == TokenKind::String);
    let mut moments: Vec<DateTime> = strings
        .filter_map(|token| {
            let literal = std::str::from_utf8(text.get(token.span.range())?).ok()?;
            match Key::time(literal.trim_matches(['\'', '"']))? {
                Key::Time(moment) => Some(moment),
                Key::Null | Key::Int(_) | Key::Decimal(_) | Key::Bytes(_) => None,
            }
        })
        .collect();
    moments.sort_unstable();
    Ok(moments)
}

fn refuse_without_plan(kind: &StatementKind) -> Result<()> {
    match kind {
        StatementKind::Query(_)
        | StatementKind::Insert(_)
        | StatementKind::Update(_)
        | StatementKind::Delete(_)
        | StatementKind::Load(_)
        | StatementKind::Ddl(_)
        | StatementKind::Other(_) => Ok(()),
        StatementKind::Transaction(_)
        | StatementKind::Set(_)
        | StatementKind::SetNames { .. }
        | StatementKind::SetTransaction { .. }
        | StatementKind::Use(_)
        | StatementKind::Show(_)
        | StatementKind::Describe { .. }
        | StatementKind::Explain(_)
        | StatementKind::Prepare { .. }
        | StatementKind::Execute(_)
        | StatementKind::Deallocate(_)
        | StatementKind::Call(_)
        | StatementKind::LockTables(_)
        | StatementKind::Handler(_)
        | StatementKind::Do { .. }
        | StatementKind::Kill { .. }
        | StatementKind::Empty => Err(Error::new(
            ErrorKind::Unsupported,
            "only SELECT, INSERT, REPLACE, UPDATE, DELETE and DDL statements have a plan",
        )),
    }
}

fn unknown_columns(tables: &[TableId]) -> Error {
    let names: Vec<String> =
        tables.iter().map(|id| format!("`{}`.`{}`", id.schema, id.table)).collect();
    Error::new(
        ErrorKind::UnknownTable,
        format!(
            "the columns of {} are not known; put the CREATE TABLE statement into a *.sql file \
             beside the rules, or name a file that has it with --ddl",
            names.join(", ")
        ),
    )
}

fn needs_server(what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "where the statement runs depends on {what}, which only a server can tell; ask a running \
             Margay: EXPLAIN FORMAT=MARGAY ..."
        ),
    )
}

fn column(definition: ColumnDefinition) -> Column {
    Column {
        class: class(&definition),
        name: definition.name,
        declared: String::new(),
        nullable: true,
        auto_increment: definition.auto_increment,
        invisible: definition.invisible,
        generated: false,
        primary: definition.primary,
    }
}

fn class(column: &ColumnDefinition) -> ColumnClass {
    let length = column.length.unwrap_or(0);
    let fraction = u8::try_from(length).unwrap_or(u8::MAX);
    match column.data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => {
            ColumnClass::Integer { unsigned: column.unsigned }
        }
        "decimal" => ColumnClass::Decimal { scale: column.scale },
        "float" | "double" => ColumnClass::Float,
        "bit" => ColumnClass::Bit,
        "year" => ColumnClass::Year,
        "date" => ColumnClass::Date,
        "datetime" => ColumnClass::DateTime { fraction },
        "timestamp" => ColumnClass::Timestamp,
        "time" => ColumnClass::Time,
        "binary" => ColumnClass::Binary { length: column.length.unwrap_or(1) },
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => ColumnClass::VarBinary,
        "enum" => ColumnClass::Enum,
        "set" => ColumnClass::Set,
        "json" => ColumnClass::Json,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
            match &column.collation {
                Some(collation) => ColumnClass::Text {
                    collation: collation.clone(),
                    fixed: column.data_type == "char",
                },
                None => ColumnClass::VarBinary,
            }
        }
        _ => ColumnClass::Geometry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(sql: &str) -> Result<Vec<String>> {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let (config, _) = crate::config::load(&rules, &|_| None).unwrap();
        let catalog = Catalog::new(&config).unwrap();
        let command = Explain { rules, ddl: Vec::new(), schema: None, sql: sql.to_owned() };
        command.lines(&catalog)
    }

    /// The first line tells where a statement runs.
    fn check(sql: &str, expect: &str) {
        let first = match explained(sql) {
            Ok(lines) => lines.into_iter().next().unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        assert_eq!(first, expect, "{sql}");
    }

    #[test]
    fn tells_where() {
        check("SELECT * FROM users WHERE id = 42;", "route to c0/shop_1");
        check("EXPLAIN FORMAT=MARGAY SELECT * FROM users WHERE id = 42", "route to c0/shop_1");
        check("SELECT status, COUNT(*) FROM orders GROUP BY status", "scatter over 8 shards");
        check("DROP TABLE users", "ddl on 8 shards");
    }

    #[test]
    fn assumes_the_periods_of_the_statement() {
        let hours = "paid_at >= '2026-01-01 10:00' AND paid_at < '2026-01-01 12:00'";
        check(
            &format!("SELECT * FROM payments WHERE {hours}"),
            "scatter over 16 tables on 8 shards",
        );
        let lines = explained("SELECT * FROM payments WHERE user_id = 5").unwrap();
        let note = "note: `payments` has a table per hour; one stands here for every existing one";
        assert_eq!(lines.last().map(String::as_str), Some(note));
    }

    #[test]
    fn tells_what_is_missing() {
        check(
            "SELECT * FROM nope n JOIN users u ON u.id = n.id",
            "the columns of `shop`.`nope` are not known; put the CREATE TABLE statement into a \
             *.sql file beside the rules, or name a file that has it with --ddl",
        );
        check(
            "INSERT INTO payments VALUES (1, 2, NOW(), 1, 'a')",
            "where the statement runs depends on the value of `NOW()`, which only a server can \
             tell; ask a running Margay: EXPLAIN FORMAT=MARGAY ...",
        );
        check(
            "SELECT * FROM users WHERE id = ?",
            "the statement has parameters; write values in place of `?`",
        );
        check(
            "BEGIN",
            "only SELECT, INSERT, REPLACE, UPDATE, DELETE and DDL statements have a plan",
        );
    }
}
