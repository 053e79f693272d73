//! What must not break the parser: odd bytes, depth, length.

use proptest::prelude::*;

use super::super::super::mode::Mode;
use super::super::parse;
use super::{params_in_tree, parsed, refusal};

fn check(sql: &str, near: &str, line: usize) {
    let expect = format!("right syntax to use near '{near}' at line {line}");
    let found = refusal(sql);
    assert!(found.starts_with("You have an error in your SQL syntax"), "{sql}: {found}");
    assert!(found.ends_with(&expect), "{sql}: {found}");
}

#[test]
fn syntax_errors() {
    check("SELECT", "", 1);
    check("SELEC 1", "SELEC 1", 1);
    check("SELECT 1 FROM", "", 1);
    check("SELECT a\nFROM t\nWHER x = 1", "x = 1", 3);
    check("SELECT * FROM t WHERE", "", 1);
    check("SELECT a, FROM t", "FROM t", 1);
    check("INSERT INTO t VALUES (1", "", 1);
    check("UPDATE t SET", "", 1);
    check("DELETE t WHERE a = 1", "WHERE a = 1", 1);
    check("SELECT (1", "", 1);
    check("SELECT 1)", ")", 1);
    check("SELECT group FROM t", "group FROM t", 1);
    check("SELECT * FROM a LEFT JOIN b", "", 1);
    check("COMMIT AND CHAIN RELEASE", "", 1);
    check("; SELECT 1", "SELECT 1", 1);
    let long = format!("SELECT 1 1{}", " x".repeat(100));
    let near = format!("1{}", " x".repeat(100));
    check(&long, &near[..80], 1);
}

#[test]
fn several_statements() {
    check("SELECT 1; SELECT 2", "SELECT 2", 1);
    check("SET @a = 1;; DELETE FROM t", "DELETE FROM t", 1);
    parsed("SELECT 1;");
    parsed("SELECT 1 ;; -- end");
    parsed("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END");
}

#[test]
fn conditional_comments() {
    let message = refusal("SELECT * FROM t WHERE a = 1 /*!99999 OR b = 2 */");
    assert!(message.contains("only some server versions run"), "{message}");
    parsed("SELECT /*!40001 SQL_NO_CACHE */ * FROM t");
    parsed("/*!80000 SET SESSION information_schema_stats_expiry=0 */");
    parsed("CREATE TABLE t (a INT) /*!80023 ENGINE=InnoDB */");
}

#[test]
fn depth() {
    let nested = |n: usize| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n));
    parsed(&nested(80));
    for sql in [
        nested(100_000),
        "(".repeat(100_000),
        format!("SELECT {}1", "NOT ".repeat(100_000)),
        format!("SELECT {}1", "- ".repeat(100_000)),
        format!("SELECT 1{}", " = 1".repeat(100_000)),
        format!("SELECT 1{}", " IS NULL".repeat(100_000)),
        format!("SELECT {}", "f(".repeat(100_000)),
        format!("SELECT {}", "CASE ".repeat(100_000)),
        format!("SELECT {}", "(SELECT ".repeat(100_000)),
        format!("SELECT * FROM {}t", "(".repeat(100_000)),
        format!("SELECT * FROM t{}", " JOIN t".repeat(100_000)),
        format!("SELECT {}", "EXISTS (SELECT ".repeat(100_000)),
        format!("SELECT 1 {}", "INTERSECT SELECT 1 ".repeat(100_000)),
    ] {
        let message = refusal(&sql);
        let expect =
            "the statement nests deeper than 100 levels; split it or use fewer parentheses";
        assert!(message.contains(expect), "{}: {message}", &sql[..20]);
    }
    let message = refusal(&format!("SELECT 1{}", " UNION SELECT 1".repeat(501)));
    let expect = "more than 500 set operations in a row; split the statement";
    assert!(message.contains(expect), "{message}");
}

#[test]
fn length() {
    for sql in [
        format!("SELECT 1{}", " OR a = 1".repeat(20_000)),
        format!("SELECT 1{}", " AND a = 1".repeat(20_000)),
        format!("SELECT 1{}", " + 1 * 2".repeat(20_000)),
        format!("SELECT 1 IN (1{})", ", 1".repeat(20_000)),
        format!("INSERT INTO t VALUES (1){}", ", (1)".repeat(20_000)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(500)),
        format!("SELECT * FROM t{}", " JOIN t ON 1".repeat(60)),
    ] {
        parsed(&sql);
    }
    let many = format!("SELECT 1 IN (?{})", ", ?".repeat(65_535));
    let error = parse(many.as_bytes(), &Mode::default()).unwrap_err();
    assert_eq!(error.mysql().0, 1390);
    assert_eq!(parsed(&format!("SELECT 1 IN (?{})", ", ?".repeat(65_534))).params, 65_535);
}

#[test]
fn odd_bytes() {
    parse(b"SELECT '\xff\xfe' FROM t WHERE a = '\xc3'", &Mode::default()).unwrap();
    let error = parse(b"SELECT \xff FROM t", &Mode::default()).unwrap_err();
    assert!(error.message().contains("not valid UTF-8"), "{error}");
}

/// Words and signs that make up statements.
const PIECES: &str = "SELECT FROM WHERE t a 1 'x' ? ( ) , . * = AND OR NOT IN BETWEEN LIKE IS NULL JOIN LEFT \
    ON USING GROUP BY ORDER LIMIT UNION ALL INSERT INTO VALUES SET UPDATE DELETE CASE WHEN \
    THEN END INTERVAL DAY EXISTS AS WITH OVER ROW - + @a := @@x FOR CREATE TABLE SHOW \
    EXPLAIN COLLATE { } CAST CONVERT HAVING -> BINARY ; COUNT LATERAL";

fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(PIECES.split(' ').collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Any sequence of words gives a statement or an error; in a statement no parameter is lost.
    #[test]
    fn never_panics(words in proptest::collection::vec(piece(), 1..25)) {
        let sql = words.join(" ");
        if let Ok(statement) = parse(sql.as_bytes(), &Mode::default()) {
            prop_assert!(params_in_tree(&statement) <= usize::from(statement.params));
        }
    }

    #[test]
    fn never_panics_on_select(words in proptest::collection::vec(piece(), 1..15)) {
        let sql = format!("SELECT {} FROM t WHERE {}", words.join(" "), words.join(" "));
        let _ = parse(sql.as_bytes(), &Mode::default());
    }
}
