use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::catalog::Catalog;
use crate::config::{Source, parse as parse_rules};
use crate::sql::{self, Mode, StatementKind};

const RULES: &str = "
clusters:
  c0: {primary: '127.0.0.1:3311', user: margay, password: x}
users:
  app: {password: x, schemas: {shop: [read, write]}}
schemas:
  shop: {default_shard: c0/home}
  other: {default_shard: c0/other}
";

fn expanded(mode: &str, text: &str) -> Result<String, String> {
    let source = Source { name: "rules.yaml".into(), text: RULES.into() };
    let catalog = Catalog::new(&parse_rules(&[source], &|_| None).unwrap().0).unwrap();
    let view = |name: &str, definition: &str| {
        let (name, definition) = (name.to_owned(), definition.to_owned());
        let view =
            View { schema: "shop".into(), name: name.clone(), definition, ..View::default() };
        (name, Arc::new(view))
    };
    let shop = BTreeMap::from([
        view("v", "SELECT a FROM `shop`.t"),
        view("w", "SELECT `w`.a FROM `shop`.v AS w"),
        view("me", "SELECT * FROM `shop`.me"),
        view("odd", "SELECT '\\n' AS a"),
        view("wide", &format!("SELECT '{}' AS a", "x".repeat(1 << 17))),
    ]);
    let views =
        BTreeMap::from([("shop".to_owned(), Arc::new(shop)), ("other".to_owned(), Arc::default())]);
    let mode = Mode::from_sql_mode(mode);
    let scope =
        Scope { catalog: &catalog, schema: Some("shop"), mode, charset: "utf8mb4", views: &views };
    let statement = sql::parse(text.as_bytes(), &mode).unwrap();
    match expand(text.as_bytes(), &statement, &scope) {
        Ok(Expansion::Plain) => Ok("-".to_owned()),
        Ok(Expansion::Done(done)) => Ok(String::from_utf8(done.text).unwrap()),
        Ok(Expansion::Missing(schemas)) => Err(schemas.join(" ")),
        Err(error) => Err(error.to_string()),
    }
}

fn check(text: &str, expect: &str) {
    assert_eq!(expanded("", text).as_deref(), Ok(expect), "{text}");
}

fn check_refused(mode: &str, text: &str, expect: &str) {
    let error = expanded(mode, text).unwrap_err();
    assert!(error.contains(expect), "{text}: {error}");
}

#[test]
fn puts_definitions_in() {
    const V: &str = "(SELECT a FROM `shop`.t)";
    check("SELECT * FROM t", "-");
    check("SELECT * FROM other.v", "-");
    check("SELECT v.a FROM v", &format!("SELECT v.a FROM {V} AS `v`"));
    check("SELECT shop.v.a, shop.v.* FROM v", &format!("SELECT v.a, v.* FROM {V} AS `v`"));
    check(
        "SELECT * FROM t JOIN shop.v x USING (a)",
        &format!("SELECT * FROM t JOIN {V} x USING (a)"),
    );
    check("SELECT * FROM w", &format!("SELECT * FROM (SELECT `w`.a FROM {V} AS w) AS `w`"));
    check("TABLE v ORDER BY a", &format!("SELECT * FROM {V} AS `v` ORDER BY a"));
    check("WITH v AS (SELECT 1) SELECT * FROM v", "-");
    check(
        "WITH x AS (TABLE v) SELECT * FROM x",
        &format!("WITH x AS (SELECT * FROM {V} AS `v`) SELECT * FROM x"),
    );
    check(
        "SELECT (SELECT MAX(a) FROM v) FROM t",
        &format!("SELECT (SELECT MAX(a) FROM {V} AS `v`) AS `(SELECT MAX(a) FROM v)` FROM t"),
    );
    check("INSERT INTO t SELECT * FROM v", &format!("INSERT INTO t SELECT * FROM {V} AS `v`"));
    check(
        "UPDATE t JOIN v ON t.a = v.a SET t.b = 1",
        &format!("UPDATE t JOIN {V} AS `v` ON t.a = v.a SET t.b = 1"),
    );
    check("EXPLAIN SELECT 1 FROM v", &format!("EXPLAIN SELECT 1 FROM {V} AS `v`"));
}

#[test]
fn refuses_what_a_derived_table_is_not() {
    check_refused("", "INSERT INTO v VALUES (1)", "takes no writes");
    check_refused("", "UPDATE v SET a = 1", "takes no writes");
    check_refused("", "DELETE FROM v", "takes no writes");
    check_refused("", "DELETE x FROM v x JOIN t", "takes no writes");
    check_refused("", "SELECT * FROM v FOR UPDATE", "a locking read");
    check_refused("", "SELECT * FROM v USE INDEX (a)", "an index hint");
    check_refused("", "SELECT * FROM me", "contains view recursion");
    check_refused(
        "NO_BACKSLASH_ESCAPES",
        "SELECT * FROM odd",
        "has a backslash in its definition, which NO_BACKSLASH_ESCAPES in sql_mode would read as",
    );
}

/// `described` is what a server calls the columns, and `wanted` what the view does, with spaces between.
fn define(mode: &str, text: &str, described: &str, wanted: &str) -> Result<String, String> {
    let mode = Mode::from_sql_mode(mode);
    let statement = sql::parse(text.as_bytes(), &mode).unwrap();
    let StatementKind::Query(query) = &statement.kind else { panic!("{text}") };
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    super::check(query, statement.params)
        .and_then(|()| normalized(text.as_bytes(), query, &mode, Some("shop"), "utf8mb4"))
        .and_then(|text| named(&text, &words(described), &words(wanted)))
        .map(|(text, _)| text)
        .map_err(|error| error.to_string())
}

fn check_defined(mode: &str, text: &str, names: (&str, &str), expect: &str) {
    assert_eq!(define(mode, text, names.0, names.1).as_deref(), Ok(expect), "{text}");
}

#[test]
fn definitions_mean_the_same_everywhere() {
    let plain = |text: &str, expect: &str| check_defined("", text, ("a", ""), expect);
    plain("SELECT a FROM t", "SELECT a FROM `shop`.t");
    plain("SELECT a FROM other.t", "SELECT a FROM other.t");
    plain(
        "WITH t AS (SELECT a FROM u) SELECT a FROM t",
        "WITH t AS (SELECT a FROM `shop`.u) SELECT a FROM t",
    );
    plain("SELECT \"it's\" a", "SELECT 'it''s' a");
    plain("SELECT NOT x = y a FROM t", "SELECT (NOT (x = y)) a FROM `shop`.t");
    plain("SELECT x || y a FROM t", "SELECT x  OR  y a FROM `shop`.t");
    let ansi = |text: &str, expect: &str| check_defined("ANSI", text, ("a", ""), expect);
    ansi("SELECT \"x\" a FROM \"t\"", "SELECT `x` a FROM `shop`.`t`");
    ansi("SELECT x || (y || 'z') a FROM t", "SELECT CONCAT(x , (CONCAT(y , 'z'))) a FROM `shop`.t");
    check_defined("NO_BACKSLASH_ESCAPES", "SELECT 'a\\' a", ("a", ""), "SELECT 'a\\\\' a");
    check_defined(
        "HIGH_NOT_PRECEDENCE",
        "SELECT NOT x = y a FROM t",
        ("a", ""),
        "SELECT (NOT (x)) = y a FROM `shop`.t",
    );
}

#[test]
fn columns_get_names() {
    let check = |text: &str, described: &str, wanted: &str, expect: &str| {
        check_defined("", text, (described, wanted), expect);
    };
    check(
        "SELECT a, SUM(b) FROM t GROUP BY a",
        "a SUM(b)",
        "x y",
        "SELECT a AS `x`, SUM(b) AS `y` FROM `shop`.t GROUP BY a",
    );
    check("SELECT a, SUM(b) FROM t", "a SUM(b)", "", "SELECT a, SUM(b) AS `SUM(b)` FROM `shop`.t");
    check(
        "SELECT * FROM t",
        "a b",
        "",
        "SELECT `a`, `b` FROM (SELECT * FROM `shop`.t) AS `margay_view`",
    );
    check(
        "SELECT t.*, 1 + 1 FROM t",
        "a b 1+1",
        "x y z",
        "SELECT `a` AS `x`, `b` AS `y`, `1+1` AS `z` FROM (SELECT t.*, 1 + 1 AS `1+1` FROM `shop`.t) AS \
         `margay_view`",
    );
    check(
        "SELECT a, b FROM t ORDER BY a LIMIT 1",
        "a b",
        "b a",
        "SELECT `a` AS `b`, `b` AS `a` FROM (SELECT a, b FROM `shop`.t ORDER BY a LIMIT 1) AS \
         `margay_view`",
    );
}

#[test]
fn refuses_what_no_view_is() {
    let check = |text: &str, described: &str, wanted: &str, expect: &str| {
        let error = define("", text, described, wanted).unwrap_err();
        assert!(error.contains(expect), "{text}: {error}");
    };
    check("SELECT ?", "a", "", "variable or parameter");
    check("SELECT @a", "a", "", "variable or parameter");
    check("SELECT @@version", "a", "", "variable or parameter");
    check("SELECT 1 INTO @a", "a", "", "'INTO' clause");
    check("SELECT a, A FROM t", "a A", "", "Duplicate column name 'A'");
    check("SELECT a FROM t", "a", "x y", "different column counts");
}

#[test]
fn refuses_too_much() {
    let text = |view: &str, count: usize| {
        let part = format!("SELECT a FROM {view}");
        vec![part; count].join(" UNION ALL ")
    };
    let many = "more than 128 references to views in one statement, those inside of views counted";
    check_refused("", &text("v", 129), many);
    let long = "the definitions of the views make the statement longer than 4194304 bytes";
    check_refused("", &text("wide", 40), long);
}
