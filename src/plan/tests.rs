//! Pruning never leaves out a row, and planning never panics.

use std::sync::Arc;

use proptest::prelude::*;

use super::facts::{Column, ColumnClass, Columns, Facts, Stop, TableId};
use super::key::Run;
use super::planner::{Context, plan};
use super::render::{Rendered, render};
use super::resolve::targets;
use super::template::Target;
use super::types::Plan;
use crate::catalog::{Catalog, Key, Weights};
use crate::config::{Source, parse as parse_rules};
use crate::sql::expr::Literal;
use crate::sql::{Mode, parse};

const RULES: &str = "
clusters:
  c0: {primary: '127.0.0.1:3311', user: margay, password: x}
users:
  app: {password: x, schemas: {shop: [read, write]}}
schemas:
  shop:
    default_shard: c0/shop
    tables:
      modulo: {shards: 'c0/shop_{0..3}', key: k, algorithm: {modulo: {null: c0/shop_2}}}
      hash: {shards: 'c0/shop_{0..3}', key: k, algorithm: {hash: {null: c0/shop_1}}}
      ranges:
        shards: ['c0/shop_{0..3}']
        key: k
        algorithm:
          range:
            null: c0/shop_3
            ranges:
              - {below: 0, to: c0/shop_0}
              - {below: 4, to: c0/shop_1}
              - {below: 9, to: c0/shop_2}
              - {to: c0/shop_3}
";

fn catalog() -> Catalog {
    let source = Source { name: "rules.yaml".into(), text: RULES.into() };
    let config = parse_rules(&[source], &|_| None);
    Catalog::new(&config.unwrap().0).unwrap()
}

fn facts() -> Facts {
    let column = |name: &str| Column {
        name: name.into(),
        class: ColumnClass::Integer { unsigned: false },
        declared: "int".into(),
        nullable: true,
        auto_increment: false,
        invisible: false,
        generated: false,
        primary: name == "k",
    };
    let columns =
        Arc::new(Columns { columns: vec![column("k"), column("v")], unique: None, rows: 0 });
    let mut facts = Facts::default();
    for table in ["modulo", "hash", "ranges"] {
        let id = TableId { schema: "shop".into(), table: table.into() };
        facts.columns.insert(id, Some(Arc::clone(&columns)));
    }
    facts
}

/// A condition as text, and its truth for a value of `k`; None is NULL.
#[derive(Debug, Clone)]
enum Test {
    Compare(&'static str, Value, bool),
    Between(Value, Value, bool),
    In(Vec<Value>, bool),
    IsNull(bool),
    Other,
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
}

/// Halves, so that decimals are exact; None: NULL.
#[derive(Debug, Clone)]
struct Value {
    halves: Option<i64>,
    form: u8,
}

impl Value {
    fn text(&self, params: &mut Vec<Literal>) -> String {
        let Some(halves) = self.halves else { return "NULL".into() };
        let whole = halves % 2 == 0;
        let number = if whole {
            (halves / 2).to_string()
        } else {
            let sign = if halves < 0 { "-" } else { "" };
            format!("{sign}{}.5", halves.abs() / 2)
        };
        match (self.form, whole) {
            (1, true) => format!("'{number}'"),
            (2, true) => format!("{number}.0"),
            (3, true) => {
                params.push(Literal::Integer(number));
                "?".into()
            }
            (4, true) => format!("{number}e0"),
            _ => number,
        }
    }
}

fn holds(op: &str, left: Option<i64>, right: Option<i64>) -> Option<bool> {
    if op == "<=>" {
        return Some(left == right);
    }
    let (left, right) = (left?, right?);
    Some(match op {
        "=" => left == right,
        "<>" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        ">=" => left >= right,
        other => unreachable!("{other}"),
    })
}

fn mirrored(op: &'static str) -> &'static str {
    match op {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

impl Test {
    fn text(&self, params: &mut Vec<Literal>) -> String {
        let not = |negated: bool| if negated { "NOT " } else { "" };
        match self {
            Self::Compare(op, value, false) => format!("k {op} {}", value.text(params)),
            Self::Compare(op, value, true) => format!("{} {} k", value.text(params), mirrored(op)),
            Self::Between(low, high, negated) => {
                let low = low.text(params);
                format!("k {}BETWEEN {low} AND {}", not(*negated), high.text(params))
            }
            Self::In(values, negated) => {
                let values: Vec<String> = values.iter().map(|value| value.text(params)).collect();
                format!("k {}IN ({})", not(*negated), values.join(", "))
            }
            Self::IsNull(negated) => format!("k IS {}NULL", not(*negated)),
            Self::Other => "v + 1 > 0".into(),
            Self::Not(inner) => format!("NOT ({})", inner.text(params)),
            Self::And(one, other) => {
                let one = one.text(params);
                format!("({one} AND {})", other.text(params))
            }
            Self::Or(one, other) => {
                let one = one.text(params);
                format!("({one} OR {})", other.text(params))
            }
        }
    }

    fn truth(&self, k: Option<i64>) -> Option<bool> {
        let k = k.map(|k| k * 2);
        let flip = |truth: Option<bool>, negated: bool| truth.map(|truth| truth != negated);
        match self {
            Self::Compare(op, value, _) => holds(op, k, value.halves),
            Self::Between(low, high, negated) => {
                let inside = both(holds(">=", k, low.halves), holds("<=", k, high.halves));
                flip(inside, *negated)
            }
            Self::In(values, negated) => {
                let mut none = Some(true);
                for value in values {
                    none = both(none, holds("<>", k, value.halves));
                }
                flip(none.map(|none| !none), *negated)
            }
            Self::IsNull(negated) => Some(k.is_none() != *negated),
            // Nothing is known of `v`: it may be true.
            Self::Other => Some(true),
            Self::Not(inner) => inner.possible(k.map(|k| k / 2)),
            Self::And(one, other) => {
                let k = k.map(|k| k / 2);
                both(one.truth(k), other.truth(k))
            }
            Self::Or(one, other) => {
                let k = k.map(|k| k / 2);
                let neither =
                    both(one.truth(k).map(|truth| !truth), other.truth(k).map(|truth| !truth));
                neither.map(|neither| !neither)
            }
        }
    }

    /// The negation, where `v + 1 > 0` may be false as well as true.
    fn possible(&self, k: Option<i64>) -> Option<bool> {
        match self {
            Self::Other => Some(true),
            Self::Not(inner) => inner.truth(k),
            Self::And(one, other) => {
                let (one, other) = (one.possible(k), other.possible(k));
                both(one.map(|truth| !truth), other.map(|truth| !truth)).map(|neither| !neither)
            }
            Self::Or(one, other) => both(one.possible(k), other.possible(k)),
            simple => simple.truth(k).map(|truth| !truth),
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let halves = prop_oneof![9 => (-12_i64..30).prop_map(Some), 1 => Just(None)];
    (halves, 0_u8..5).prop_map(|(halves, form)| Value { halves, form })
}

fn test() -> impl Strategy<Value = Test> {
    let op = prop::sample::select(vec!["=", "<=>", "<>", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        4 => (op, value(), any::<bool>()).prop_map(|(op, value, left)| Test::Compare(op, value, left)),
        2 => (value(), value(), any::<bool>()).prop_map(|(a, b, n)| Test::Between(a, b, n)),
        2 => (prop::collection::vec(value(), 1..4), any::<bool>()).prop_map(|(v, n)| Test::In(v, n)),
        1 => any::<bool>().prop_map(Test::IsNull),
        1 => Just(Test::Other),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|test| Test::Not(Box::new(test))),
            (inner.clone(), inner.clone())
                .prop_map(|(one, other)| Test::And(Box::new(one), Box::new(other))),
            (inner.clone(), inner)
                .prop_map(|(one, other)| Test::Or(Box::new(one), Box::new(other))),
        ]
    })
}

/// The targets of a SELECT, and the text that its first one gets if it is all there is.
fn routed(
    catalog: &Catalog,
    sql: &str,
    params: &[Literal],
    anywhere: bool,
) -> (Vec<Target>, Rendered) {
    let facts = facts();
    let context = Context {
        catalog,
        facts: &facts,
        schema: Some("shop"),
        mode: Mode::default(),
        temporaries: &[],
        anywhere,
    };
    let statement = parse(sql.as_bytes(), &Mode::default()).unwrap();
    let Plan::Select(select) = plan(&statement, sql.as_bytes(), &context).unwrap() else {
        panic!("{sql}: no SELECT");
    };
    let run =
        Run { catalog, facts: &facts, params, charset: "utf8mb4", cluster: None, hidden: None };
    let targets = targets(&select.place, &run).unwrap();
    let rendered = render(&select.route, &targets[0], &run).unwrap();
    (targets, rendered)
}

fn planned(catalog: &Catalog, sql: &str, params: &[Literal]) -> Vec<Target> {
    routed(catalog, sql, params, false).0
}

#[test]
fn names_databases_where_that_is_enough() {
    let catalog = catalog();
    let check = |sql: &str, expect: &str| {
        let rendered = routed(&catalog, sql, &[], true).1;
        assert_eq!(String::from_utf8_lossy(&rendered.text), expect);
        assert_eq!(rendered.anywhere, sql != expect, "{sql}");
    };
    check(
        "SELECT modulo.v FROM modulo WHERE k = 1",
        "SELECT modulo.v FROM `shop_1`.`modulo` WHERE k = 1",
    );
    check(
        "SELECT MAX(t.v), (SELECT 1 FROM hash WHERE k = t.k) FROM shop.hash t WHERE k = NULL",
        "SELECT MAX(t.v), (SELECT 1 FROM `shop_0`.`hash` WHERE k = t.k) AS `(SELECT 1 FROM hash WHERE k = \
         t.k)` FROM `shop_0`.`hash` t WHERE k = NULL",
    );
    for function in ["DATABASE()", "SCHEMA()", "mine(1)", "CONNECTION_ID()"] {
        let sql = format!("SELECT {function} FROM modulo WHERE k = 1");
        check(&sql, &sql);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn prunes_no_row(test in test()) {
        let catalog = catalog();
        for name in ["modulo", "hash", "ranges"] {
            let mut params = Vec::new();
            let sql = format!("SELECT * FROM {name} WHERE {}", test.text(&mut params));
            let found = planned(&catalog, &sql, &params);
            let table = catalog.schema("shop").unwrap().table(name);
            let sharded = table.sharded().unwrap();
            for k in (-8..20).map(Some).chain([None]) {
                if test.truth(k) != Some(true) {
                    continue;
                }
                let key = k.map_or(Key::Null, |k| Key::Int(k.into()));
                let index = sharded.algorithm.locate(&key, &Weights::Binary).unwrap();
                let shard = sharded.shards[index];
                prop_assert!(
                    found.iter().any(|target| target.shard == shard),
                    "{sql}: no target for {k:?}"
                );
            }
        }
    }

    #[test]
    fn never_panics(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..25)) {
        let catalog = catalog();
        let facts = facts();
        let text = format!("SELECT {}", words.join(" "));
        let Ok(statement) = parse(text.as_bytes(), &Mode::default()) else { return Ok(()) };
        let context = Context { catalog: &catalog, facts: &facts, schema: Some("shop"), mode: Mode::default(), temporaries: &[], anywhere: false };
        match plan(&statement, text.as_bytes(), &context) {
            Ok(plan) => {
                let params = vec![Literal::Integer("1".into()); statement.params.into()];
                let run =
                    Run { catalog: &catalog, facts: &facts, params: &params, charset: "utf8mb4", cluster: None, hidden: None };
                if let Err(Stop::Error(error)) = super::explain::explain(&plan, &run) {
                    prop_assert_ne!(error.kind(), &crate::error::ErrorKind::Internal, "{}", text);
                }
            }
            Err(Stop::Error(error)) => {
                prop_assert_ne!(error.kind(), &crate::error::ErrorKind::Internal, "{}", text);
            }
            Err(Stop::Need(_)) => {}
        }
    }
}

const WORDS: [&str; 36] = [
    "*",
    "k",
    "v",
    ",",
    "a.k",
    "b.k",
    "COUNT(*)",
    "MIN(v)",
    "SUM(k)",
    "AS x",
    "x",
    "1",
    "?",
    "'s'",
    "FROM",
    "modulo a",
    "hash b",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "USING (k)",
    "WHERE",
    "=",
    "AND",
    "IN",
    "(SELECT k FROM hash)",
    "(",
    ")",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "HAVING",
    "DISTINCT",
    "FROM modulo",
    "UNION SELECT",
    "OVER (PARTITION BY k)",
];
