//! Programs of the TPC-H queries, and what holds for every program.

use std::sync::Arc;

use super::super::facts::{Column, ColumnClass, Columns, Facts, Need, Stop};
use super::super::planner::{self, Context, Temporary};
use super::super::types::{Plan, Source};
use super::{Combine, Options, Stage, plan};
use crate::catalog::Catalog;
use crate::config::{Source as RuleFile, parse as parse_rules};
use crate::sql::scanner::scan;
use crate::sql::{Mode, parse};

const TPCH: &str = include_str!("../../sql/parse/tests/tpch.sql");

const RULES: &str = "
clusters:
  c0: {primary: '127.0.0.1:3311', user: margay, password: x}
  c1: {primary: '127.0.0.1:3312', user: margay, password: x}
users:
  app: {password: x, schemas: {tpch: [read, write]}}
schemas:
  tpch:
    default_shard: c0/tpch
    tables:
      nation: {broadcast: ['c{0..1}/tpch']}
      region: {broadcast: ['c{0..1}/tpch']}
      orders: {shards: 'c{0..1}/tpch_{0..1}', key: o_orderkey, algorithm: modulo}
      lineitem: {colocated_with: orders, key: l_orderkey}
      customer: {shards: 'c{0..1}/tpch_{0..1}', key: c_custkey, algorithm: hash}
      part: {shards: 'c{0..1}/tpch_{0..1}', key: p_partkey, algorithm: hash}
      partsupp: {colocated_with: part, key: ps_partkey}
      supplier: {single: c1/tpch}
";

const COLUMNS: &str = "
nation: n_nationkey n_name$ n_regionkey
region: r_regionkey r_name$
orders: o_orderkey o_custkey o_orderstatus$ o_totalprice o_orderdate# o_orderpriority$ \
    o_shippriority o_comment$
lineitem: l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax \
    l_returnflag$ l_linestatus$ l_shipdate# l_commitdate# l_receiptdate# l_shipinstruct$ l_shipmode$
customer: c_custkey c_name$ c_address$ c_nationkey c_phone$ c_acctbal c_mktsegment$ c_comment$
part: p_partkey p_name$ p_mfgr$ p_brand$ p_type$ p_size p_container$
partsupp: ps_partkey ps_suppkey ps_availqty ps_supplycost
supplier: s_suppkey s_name$ s_address$ s_nationkey s_phone$ s_acctbal s_comment$
";

fn catalog() -> Catalog {
    let source = RuleFile { name: "rules.yaml".into(), text: RULES.into() };
    let config = parse_rules(&[source], &|_| None);
    Catalog::new(&config.unwrap().0).unwrap()
}

/// A name that ends in `$` is a text, in `#` a date.
fn column(text: &str) -> Column {
    let (class, declared) = match text.chars().last() {
        Some('$') => {
            let collation = "utf8mb4_0900_ai_ci".into();
            (ColumnClass::Text { collation, fixed: false }, "varchar(100)")
        }
        Some('#') => (ColumnClass::Date, "date"),
        _ => (ColumnClass::Integer { unsigned: false }, "int"),
    };
    Column {
        name: text.trim_end_matches(['$', '#']).to_owned(),
        class,
        declared: declared.to_owned(),
        nullable: true,
        auto_increment: false,
        invisible: false,
        generated: false,
        primary: false,
    }
}

/// Rows of a table on a shard at scale factor 0.1.
fn rows_of(table: &str) -> u64 {
    match table {
        "nation" => 25,
        "region" => 5,
        "orders" => 37_500,
        "lineitem" => 150_000,
        "customer" => 3750,
        "part" => 5000,
        "partsupp" => 20_000,
        _ => 1000,
    }
}

/// `counted`: servers know how many rows there are.
fn fetch(need: Need, facts: &mut Facts, counted: bool) {
    let Need::Columns(ids) = need else { panic!("{need:?}") };
    for id in ids {
        let lines = COLUMNS.lines().filter_map(|line| line.split_once(": "));
        let names = lines.clone().find(|(table, _)| *table == id.table);
        let columns = names.map(|(_, names)| {
            let columns = names.split_whitespace().map(column).collect();
            Arc::new(Columns {
                columns,
                unique: None,
                rows: if counted { rows_of(&id.table) } else { 0 },
            })
        });
        facts.columns.insert(id, columns);
    }
}

/// Every option that execution may ask for.
const OPTIONS: [Options; 3] = [
    Options { broadcast: true, detached: false, tables_only: false, shape_only: false },
    Options { broadcast: false, detached: false, tables_only: false, shape_only: false },
    Options { broadcast: false, detached: true, tables_only: false, shape_only: false },
];

/// A statement with the options it is planned by.
fn program(sql: &str, options: Options, counted: bool) -> Combine {
    let catalog = catalog();
    let mut facts = Facts::default();
    let source = Source {
        text: sql.as_bytes().to_vec(),
        mode: Mode::default(),
        schema: Some("tpch".to_owned()),
    };
    for _ in 0..5 {
        let context = Context {
            catalog: &catalog,
            facts: &facts,
            schema: Some("tpch"),
            mode: Mode::default(),
            temporaries: &[],
            anywhere: false,
        };
        match plan(&source, &context, options) {
            Ok(combine) => {
                holds(&combine, &context, options);
                return combine;
            }
            Err(Stop::Need(need)) => fetch(need, &mut facts, counted),
            Err(Stop::Error(error)) => panic!("{sql}\n{error}"),
        }
    }
    panic!("needs never end: {sql}");
}

/// Each stage can be planned, and reads only what earlier steps made, each table once.
fn holds(combine: &Combine, context: &Context<'_>, options: Options) {
    let mut temporaries: Vec<Temporary> = Vec::new();
    let mut broadcast: Vec<String> = Vec::new();
    for (index, step) in combine.steps.iter().enumerate() {
        stage(&step.stage, (index, &broadcast), &Context { temporaries: &temporaries, ..*context });
        for column in step.temp.indexes.iter().flatten() {
            assert!(*column < step.temp.columns.len());
        }
        temporaries.extend(step.temp.temporaries());
        assert!(options.broadcast || !step.temp.broadcast, "{combine:#?}");
        if step.temp.broadcast {
            broadcast.extend(step.temp.names.iter().cloned());
        }
    }
    let context = Context { temporaries: &temporaries, ..*context };
    stage(&combine.last, (combine.steps.len(), &broadcast), &context);
    if options.detached {
        let text = String::from_utf8_lossy(&combine.last.text);
        let statement = parse(&combine.last.text, &context.mode).unwrap();
        let Ok(Plan::Select(select)) = planner::plan(&statement, &combine.last.text, &context)
        else {
            panic!("{text}")
        };
        assert!(select.place.is_nowhere(), "{text}");
    }
}

fn stage(stage: &Stage, (index, broadcast): (usize, &[String]), context: &Context<'_>) {
    let text = String::from_utf8_lossy(&stage.text);
    assert_eq!(
        scan(&stage.text, &context.mode).unwrap().params.len(),
        stage.params.len(),
        "{text}"
    );
    let known = |name: &String| context.temporaries.iter().any(|other| other.name == *name);
    assert!(stage.reads.iter().all(known), "{text}");
    for name in &stage.reads {
        assert_eq!(text.matches(&format!("FROM `{name}`")).count().max(1), 1, "{text}");
    }
    assert!(
        stage.keys.iter().all(|key| key.step < index && key.at as usize <= text.len()),
        "{text}"
    );
    let statement =
        parse(&stage.text, &context.mode).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let planned = planner::plan(&statement, &stage.text, context);
    let Ok(Plan::Select(select)) = planned else { panic!("{text}\n{planned:?}") };
    if let (false, Err(refusal)) = (select.place.units.is_empty(), &select.scatter) {
        let one = select.place.units.len() == 1 && format!("{:?}", select.place).contains("Eq(");
        assert!(one, "{text}\n{}", refusal.message);
    }
    if !select.place.units.is_empty() {
        assert!(stage.reads.iter().all(|name| broadcast.contains(name)), "{text}");
    }
}

#[test]
fn plans_tpch() {
    for sql in TPCH.lines() {
        for options in OPTIONS {
            program(sql.trim_end_matches(';'), options, false);
            program(sql.trim_end_matches(';'), options, true);
        }
    }
}

/// The texts of the steps, each marked by `>` if it is copied to shards, and the last one.
fn check(sql: &str, counted: bool, expect: &[&str]) {
    let [options, ..] = OPTIONS;
    let Combine { steps, last, .. } = program(sql, options, counted);
    let text = |stage: &Stage| {
        let mut text = String::from_utf8_lossy(&stage.text).into_owned();
        for key in stage.keys.iter().rev() {
            text.insert_str(
                key.at as usize,
                &format!(" AND {} IN <{}.{}>", key.expr, key.step, key.column),
            );
        }
        text
    };
    let step = |step: &super::Step| {
        format!("{}{}", if step.temp.broadcast { "> " } else { "" }, text(&step.stage))
    };
    let got: Vec<String> = steps.iter().map(step).chain([text(&last)]).collect();
    assert_eq!(got, expect, "{sql}");
}

#[test]
fn equal_columns_pass_on() {
    check(
        "SELECT ps_supplycost FROM part, lineitem, partsupp WHERE ps_partkey = l_partkey \
         AND p_partkey = l_partkey AND p_name = 'x'",
        true,
        &[
            "> SELECT `part`.`p_partkey`, `partsupp`.`ps_partkey`, `partsupp`.`ps_supplycost` \
             FROM part, partsupp WHERE (p_name = 'x') AND `part`.`p_partkey` = `partsupp`.`ps_partkey`",
            "SELECT ps_supplycost FROM `_margay_0`, lineitem WHERE (ps_partkey = l_partkey) \
             AND (p_partkey = l_partkey)",
        ],
    );
    check(
        "SELECT l_tax FROM customer, lineitem, part WHERE c_custkey = l_suppkey \
         AND p_partkey = l_suppkey AND c_name = 'x'",
        true,
        &[
            "> SELECT `customer`.`c_custkey`, `part`.`p_partkey` FROM customer, part \
             WHERE (c_name = 'x') AND `customer`.`c_custkey` = `part`.`p_partkey`",
            "SELECT l_tax FROM `_margay_0`, lineitem WHERE (c_custkey = l_suppkey) \
             AND (p_partkey = l_suppkey)",
        ],
    );
    check(
        "SELECT l_tax FROM customer, lineitem, supplier WHERE c_custkey = l_suppkey \
         AND s_suppkey = l_suppkey AND c_name = 'x'",
        true,
        &[
            "> SELECT `c_custkey` FROM customer WHERE c_name = 'x'",
            "> SELECT `s_suppkey` FROM supplier WHERE TRUE AND `supplier`.`s_suppkey` IN <0.0>",
            "SELECT l_tax FROM `_margay_0` AS `customer`, lineitem, `_margay_1` AS `supplier` \
             WHERE c_custkey = l_suppkey AND s_suppkey = l_suppkey AND TRUE",
        ],
    );
    // A number that equals a text need not equal what that text equals.
    check(
        "SELECT l_tax FROM customer, lineitem, part WHERE c_custkey = l_shipmode \
         AND p_partkey = l_shipmode AND c_name = 'x' AND p_size = 3",
        true,
        &[
            "> SELECT `c_custkey` FROM customer WHERE c_name = 'x'",
            "> SELECT `p_partkey` FROM part WHERE p_size = 3",
            "SELECT l_tax FROM `_margay_0` AS `customer`, lineitem, `_margay_1` AS `part` \
             WHERE c_custkey = l_shipmode AND p_partkey = l_shipmode AND TRUE AND TRUE",
        ],
    );
}

#[test]
fn conditions_that_are_met_go() {
    let name = "> SELECT `p_partkey` FROM part WHERE p_name = 'x'";
    check(
        "SELECT l_tax FROM lineitem, part WHERE p_partkey = l_partkey AND p_name = 'x'",
        true,
        &[
            name,
            "SELECT l_tax FROM lineitem, `_margay_0` AS `part` WHERE p_partkey = l_partkey AND TRUE",
        ],
    );
    // The column is needed for more.
    check(
        "SELECT p_name, l_tax FROM lineitem, part WHERE p_partkey = l_partkey AND p_name = 'x'",
        true,
        &[
            "> SELECT `p_partkey`, `p_name` FROM part WHERE p_name = 'x'",
            "SELECT p_name, l_tax FROM lineitem, `_margay_0` AS `part` \
             WHERE p_partkey = l_partkey AND p_name = 'x'",
        ],
    );
    // Rows of the other table remain without a partner: the second condition is asked of them, too.
    check(
        "SELECT l_tax FROM lineitem LEFT JOIN part ON p_partkey = l_partkey AND p_name = 'x' \
         WHERE p_size > 5",
        true,
        &[
            "> SELECT `p_partkey`, `p_size` FROM part WHERE (p_name = 'x') AND (p_size > 5)",
            "SELECT l_tax FROM lineitem LEFT JOIN `_margay_0` AS `part` \
             ON p_partkey = l_partkey AND TRUE WHERE p_size > 5",
        ],
    );
    check(
        "SELECT l_tax FROM lineitem, part WHERE p_partkey = l_partkey AND p_size = NOW()",
        true,
        &[
            "> SELECT `p_partkey`, `p_size` FROM part WHERE p_size = NOW()",
            "SELECT l_tax FROM lineitem, `_margay_0` AS `part` \
             WHERE p_partkey = l_partkey AND p_size = NOW()",
        ],
    );
}

#[test]
fn copies_or_gathers() {
    check(
        "SELECT c_name, SUM(l_tax) FROM customer, orders, lineitem WHERE c_custkey = o_custkey \
         AND l_orderkey = o_orderkey AND l_returnflag = 'R' AND o_orderdate > '1993-10-01' \
         GROUP BY c_name",
        true,
        &[
            "SELECT `orders`.`o_custkey`, `lineitem`.`l_tax` FROM orders, lineitem \
             WHERE (l_orderkey = o_orderkey) AND (l_returnflag = 'R') \
             AND (o_orderdate > '1993-10-01')",
            "SELECT `c_custkey`, `c_name` FROM customer WHERE TRUE \
             AND `customer`.`c_custkey` IN <0.0>",
            "SELECT c_name, SUM(l_tax) FROM `_margay_0`, `_margay_1` AS `customer` \
             WHERE c_custkey = o_custkey GROUP BY c_name",
        ],
    );
    check(
        "SELECT c_phone FROM customer WHERE c_acctbal > (SELECT AVG(c_acctbal) FROM customer) \
         AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey)",
        true,
        &[
            "> SELECT SUM(c_acctbal), COUNT(c_acctbal) FROM customer",
            "SELECT `customer`.`c_custkey`, `customer`.`c_phone` FROM customer \
             WHERE c_acctbal > (SELECT (MAX(`_margay_0`.`_margay_c0`) \
             / NULLIF(MAX(`_margay_0`.`_margay_c1`), 0)) AS `AVG(c_acctbal)` FROM `_margay_0`)",
            "SELECT DISTINCT `o_custkey` FROM orders WHERE TRUE AND `orders`.`o_custkey` IN <1.0>",
            "SELECT c_phone FROM `_margay_1` AS `customer` WHERE NOT EXISTS \
             (SELECT * FROM `_margay_2` AS `orders` WHERE o_custkey = c_custkey)",
        ],
    );
}
