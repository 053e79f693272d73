//! Golden plans: SQL to the lines of its EXPLAIN, or to its exact refusal.
//!
//! `tests/plans/*.yaml` are lists of cases over the rules and columns of `tests/plans/rules/`.
//! `UPDATE_EXPECT=1` writes what came out; read the diff.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use margay::catalog::Catalog;
use margay::config::{Source, parse as parse_rules};
use margay::plan::combine;
use margay::plan::explain::explain;
use margay::plan::facts::{Column, ColumnClass, Columns, Facts, Need, Stop, TableId};
use margay::plan::key::Run;
use margay::plan::planner::{Context, Temporary, plan};
use margay::plan::types::{Plan, Source as PlanSource};
use margay::plan::views::{Expansion, Scope, View, Views, expand};
use margay::sql::expr::{Literal, TemporalKind};
use margay::sql::{Mode, StatementKind, parse};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) sql: String,
    /// The values of parameters, as integers or strings.
    #[serde(default)]
    params: Vec<String>,
    /// Inside a transaction.
    #[serde(default)]
    transaction: bool,
    #[serde(default)]
    explain: Option<Vec<String>>,
    #[serde(default)]
    error: Option<String>,
}

/// The columns of a table: name to type.
type Tables = BTreeMap<String, Vec<String>>;

pub(super) struct Fixture {
    pub(super) catalog: Catalog,
    tables: Tables,
    views: Views,
}

pub(super) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans")
}

pub(super) fn fixture() -> Fixture {
    let read = |name: &str| std::fs::read_to_string(directory().join("rules").join(name)).unwrap();
    let source = Source { name: "rules.yaml".into(), text: read("rules.yaml") };
    let (config, _) = parse_rules(&[source], &|_| None).unwrap();
    let catalog = Catalog::new(&config).unwrap();
    let tables = serde_saphyr::from_str(&read("columns.yaml")).unwrap();
    let views: BTreeMap<String, String> = serde_saphyr::from_str(&read("views.yaml")).unwrap();
    let view = |(name, definition): (String, String)| {
        let view =
            View { schema: "shop".into(), name: name.clone(), definition, ..View::default() };
        (name, Arc::new(view))
    };
    let views = Arc::new(views.into_iter().map(view).collect());
    Fixture { catalog, tables, views: Views::from([("shop".to_owned(), views)]) }
}

fn class(name: &str) -> ColumnClass {
    match name {
        "int" | "bigint" => ColumnClass::Integer { unsigned: false },
        "unsigned" => ColumnClass::Integer { unsigned: true },
        "decimal" => ColumnClass::Decimal { scale: 2 },
        "double" => ColumnClass::Float,
        "date" => ColumnClass::Date,
        "datetime" => ColumnClass::DateTime { fraction: 0 },
        "timestamp" => ColumnClass::Timestamp,
        "text" => ColumnClass::Text { collation: "utf8mb4_0900_ai_ci".into(), fixed: false },
        "padded" => ColumnClass::Text { collation: "utf8mb4_general_ci".into(), fixed: false },
        "binary" => ColumnClass::VarBinary,
        "enum" => ColumnClass::Enum,
        "bit" => ColumnClass::Bit,
        "json" => ColumnClass::Json,
        other => panic!("no class {other}"),
    }
}

/// `id int auto invisible`
fn column(text: &str) -> Column {
    let words: Vec<&str> = text.split_whitespace().collect();
    Column {
        name: words[0].to_owned(),
        class: class(words[1]),
        declared: words[1].to_owned(),
        nullable: true,
        auto_increment: words.contains(&"auto"),
        invisible: words.contains(&"invisible"),
        generated: false,
        primary: words.first() == Some(&"id"),
    }
}

impl Fixture {
    /// What a server would tell.
    pub(super) fn fetch(&self, need: Need, facts: &mut Facts) {
        match need {
            Need::Columns(ids) => {
                for id in ids {
                    let columns = self.tables.get(&id.table).map(|columns| {
                        Arc::new(Columns {
                            columns: columns.iter().map(|c| column(c)).collect(),
                            unique: None,
                            rows: 0,
                        })
                    });
                    facts.columns.insert(id, columns);
                }
            }
            Need::Weights(keys) => {
                for key in keys {
                    let weight = key.text.to_ascii_lowercase();
                    facts.weights.insert(key, weight.into());
                }
            }
            Need::Periods(keys) => {
                for (id, shard) in keys {
                    let names: Arc<[String]> = match id.table.as_str() {
                        "payments" => [
                            "payments",
                            "payments_20260101",
                            "payments_20260102",
                            "payments_20260103",
                        ]
                        .map(str::to_owned)
                        .into(),
                        other => panic!("no periods of {other}"),
                    };
                    facts.periods.insert((id, shard), names);
                }
            }
            Need::Constants { texts, .. } => {
                for text in texts {
                    let value = match String::from_utf8_lossy(&text).as_ref() {
                        "2 + 2" | "@four" => Some(Literal::Integer("4".to_owned())),
                        "NOW()" => Some(Literal::Temporal {
                            kind: TemporalKind::Timestamp,
                            text: "2026-01-02 10:00:00".to_owned(),
                        }),
                        "NOW() - INTERVAL 1 DAY" => Some(Literal::Temporal {
                            kind: TemporalKind::Timestamp,
                            text: "2026-01-01 10:00:00".to_owned(),
                        }),
                        "NULLIF(1, 1)" => Some(Literal::Null),
                        _ => None,
                    };
                    facts.constants.insert(text, value);
                }
            }
            Need::Computed(texts) => {
                for text in texts {
                    let bytes = b"2026-01-02 10:00:00".to_vec();
                    facts.computed.insert(text, Literal::String { bytes, charset: None });
                }
            }
        }
    }

    /// The text with the definitions of views in it.
    fn expanded(&self, text: &str) -> Result<Vec<u8>, String> {
        let statement = parse(text.as_bytes(), &Mode::default());
        let statement = statement.map_err(|error| error.to_string())?;
        let scope = Scope {
            catalog: &self.catalog,
            schema: Some("shop"),
            mode: Mode::default(),
            charset: "utf8mb4",
            views: &self.views,
        };
        match expand(text.as_bytes(), &statement, &scope).map_err(|error| error.to_string())? {
            Expansion::Done(expanded) => Ok(expanded.text),
            // Other schemas have no views.
            Expansion::Plain | Expansion::Missing(_) => Ok(text.as_bytes().to_vec()),
        }
    }

    fn lines(&self, case: &Case) -> Result<Vec<String>, String> {
        let text = &self.expanded(&case.sql)?;
        let statement = parse(text, &Mode::default()).map_err(|error| error.to_string())?;
        let params: Vec<Literal> = case.params.iter().map(|param| value(param)).collect();
        let mut facts = Facts::default();
        for _ in 0..10 {
            let context = Context {
                catalog: &self.catalog,
                facts: &facts,
                schema: Some("shop"),
                mode: Mode::default(),
                temporaries: &[],
                anywhere: false,
            };
            let run = Run {
                catalog: &self.catalog,
                facts: &facts,
                params: &params,
                hidden: None,
                charset: "utf8mb4",
                cluster: case.transaction.then_some(0),
            };
            let done = plan(&statement, text, &context).and_then(|plan| explain(&plan, &run));
            match done {
                Ok(lines) => return Ok(lines),
                Err(Stop::Error(error)) => return Err(error.to_string()),
                Err(Stop::Need(need)) => self.fetch(need, &mut facts),
            }
        }
        panic!("{}: needs never end", case.sql);
    }
}

fn value(text: &str) -> Literal {
    if text == "NULL" {
        return Literal::Null;
    }
    match text.parse::<i64>() {
        Ok(_) => Literal::Integer(text.to_owned()),
        Err(_) => Literal::String { bytes: text.as_bytes().to_vec(), charset: None },
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn written(cases: &[Case], heading: &str) -> String {
    let mut out = heading.to_owned();
    for case in cases {
        writeln!(out, "\n- sql: {}", quoted(&case.sql)).unwrap();
        if !case.params.is_empty() {
            let params: Vec<String> = case.params.iter().map(|param| quoted(param)).collect();
            writeln!(out, "  params: [{}]", params.join(", ")).unwrap();
        }
        if case.transaction {
            writeln!(out, "  transaction: true").unwrap();
        }
        if let Some(error) = &case.error {
            writeln!(out, "  error: {}", quoted(error)).unwrap();
        }
        if let Some(lines) = &case.explain {
            writeln!(out, "  explain:").unwrap();
            lines.iter().for_each(|line| writeln!(out, "    - {}", quoted(line)).unwrap());
        }
    }
    out
}

#[test]
fn golden() {
    let fixture = fixture();
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let mut failures = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let cases: Vec<Case> = serde_saphyr::from_str(&text).unwrap();
        let heading: String = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .map(|l| format!("{l}\n"))
            .collect();
        let mut done = Vec::new();
        for case in &cases {
            let (explain, error) = match fixture.lines(case) {
                Ok(lines) => (Some(lines), None),
                Err(error) => (None, Some(error)),
            };
            let out = Case { explain, error, ..case.clone() };
            if out.explain != case.explain || out.error != case.error {
                writeln!(failures, "{}", written(std::slice::from_ref(&out), "")).unwrap();
            }
            done.push(out);
        }
        if update {
            std::fs::write(&file, written(&done, &heading)).unwrap();
        }
    }
    assert!(update || failures.is_empty(), "plans differ; UPDATE_EXPECT=1 rewrites:\n{failures}");
}

#[test]
fn unknown_table() {
    let fixture = fixture();
    let mut facts = Facts::default();
    let id = TableId { schema: "shop".into(), table: "orders".into() };
    facts.columns.insert(id, None);
    let context = Context {
        catalog: &fixture.catalog,
        facts: &facts,
        schema: Some("shop"),
        mode: Mode::default(),
        temporaries: &[],
        anywhere: false,
    };
    let text = b"SELECT * FROM orders";
    let statement = parse(text, &Mode::default()).unwrap();
    match plan(&statement, text, &context) {
        Err(Stop::Error(error)) => {
            assert_eq!(error.message(), "Table 'shop.orders' doesn't exist");
        }
        other => panic!("{other:?}"),
    }
}

/// Every program reads what its earlier steps made, and leaves tables to steps where it must.
#[test]
fn programs() {
    let fixture = fixture();
    let mut count = 0;
    for file in std::fs::read_dir(directory()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: Vec<Case> = serde_saphyr::from_str(&text).unwrap();
        for case in cases {
            let options = [(true, false), (false, false), (false, true)];
            for (broadcast, detached) in options {
                let options =
                    combine::Options { broadcast, detached, tables_only: false, shape_only: false };
                count += usize::from(fixture.program(&case.sql, options));
            }
        }
    }
    assert!(count > 300, "{count} programs");
}

impl Fixture {
    /// Checks the program of a statement; false if it has none.
    fn program(&self, sql: &str, options: combine::Options) -> bool {
        let mode = Mode::default();
        let Ok(statement) = parse(sql.as_bytes(), &mode) else { return false };
        if !matches!(statement.kind, StatementKind::Query(_)) || statement.hints.shard.is_some() {
            return false;
        }
        let schema = Some("shop".to_owned());
        let source = PlanSource { text: sql.as_bytes().to_vec(), mode, schema };
        let mut facts = Facts::default();
        for _ in 0..10 {
            let context = Context {
                catalog: &self.catalog,
                facts: &facts,
                schema: Some("shop"),
                mode,
                temporaries: &[],
                anywhere: false,
            };
            match combine::plan(&source, &context, options) {
                Ok(program) => {
                    check_program(&program, &context, options);
                    return true;
                }
                Err(Stop::Error(_)) => return false,
                Err(Stop::Need(need)) => self.fetch(need, &mut facts),
            }
        }
        panic!("{sql}: needs never end");
    }
}

fn check_program(program: &combine::Combine, context: &Context<'_>, options: combine::Options) {
    let mut made: Vec<Temporary> = Vec::new();
    let stages = program.steps.iter().map(|step| &step.stage).chain([&program.last]);
    for (index, stage) in stages.enumerate() {
        let text = String::from_utf8_lossy(&stage.text);
        let context = Context { temporaries: &made, ..*context };
        let statement = parse(&stage.text, &context.mode).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(usize::from(statement.params), stage.params.len(), "{text}");
        let known = |name: &String| made.iter().any(|other| other.name == *name);
        assert!(stage.reads.iter().all(known), "{text}");
        assert!(stage.keys.iter().all(|key| key.step < index), "{text}");
        let planned = plan(&statement, &stage.text, &context);
        let Ok(Plan::Select(select)) = planned else { panic!("{text}: {planned:?}") };
        let on_shards = !select.place.units.is_empty();
        if !options.broadcast {
            assert!(!on_shards || stage.reads.is_empty(), "{text}");
        }
        if options.detached {
            assert!(stage.reads.is_empty() || select.place.is_nowhere(), "{text}");
        }
        match program.steps.get(index) {
            Some(step) => made.extend(step.temp.temporaries()),
            None => assert!(!options.detached || select.place.is_nowhere(), "{text}"),
        }
    }
}
