use super::*;
use crate::sql::hide::hide;
use crate::sql::parse;
use crate::sql::scanner::scan;

fn shape(text: &str, mode: Mode) -> Option<Shape> {
    let scan = scan(text.as_bytes(), &mode).unwrap();
    Shape::of(text.as_bytes(), &scan, mode, (Some("shop"), 7))
}

/// Checks the slots of a statement, and that all of them can be hidden.
fn check_in(mode: Mode, text: &str, expect: &[&str]) {
    let found = shape(text, mode).unwrap();
    let slots: Vec<&str> = found.slots.iter().map(|slot| &text[slot.span.range()]).collect();
    assert_eq!(slots, expect, "{text}");
    let mut statement = parse(text.as_bytes(), &mode).unwrap();
    let hidden = hide(&mut statement, text.as_bytes(), &found.slots, mode);
    assert!(hidden.is_some(), "{text}");
}

fn check(text: &str, expect: &[&str]) {
    check_in(Mode::default(), text, expect);
}

/// Checks whether two statements have one shape.
fn check_alike(one: &str, other: &str, expect: bool) {
    let (a, b) = (shape(one, Mode::default()).unwrap(), shape(other, Mode::default()).unwrap());
    let found = alike((one.as_bytes(), &a.slots), (other.as_bytes(), &b.slots));
    assert_eq!(found, expect, "{one} | {other}");
    assert_eq!(a.hash == b.hash, expect, "{one} | {other}");
}

#[test]
fn values_in_conditions() {
    check("SELECT c FROM sbtest1 WHERE id=5001", &["5001"]);
    check("SELECT c FROM t WHERE id BETWEEN 1 AND 100 AND k <> 'x'", &["1", "100", "'x'"]);
    check("SELECT c FROM t WHERE id IN (1, 2.5, 3e0) OR (k > 4)", &["1", "2.5", "3e0", "4"]);
    check("SELECT c FROM t WHERE (a, b) IN ((1, 'x'), (2, 'y'))", &["1", "'x'", "2", "'y'"]);
    check("SELECT c FROM t WHERE c LIKE 'a%' AND NOT k = -5", &["'a%'", "5"]);
    check("SELECT c FROM t JOIN s ON t.a = s.a AND s.b = 7 WHERE t.c = 8", &["7", "8"]);
    check("SELECT c FROM t WHERE a = 1 AND b IN (SELECT b FROM s WHERE c = 2)", &["1", "2"]);
    check("SELECT c FROM t WHERE id = 1;", &["1"]);
    check("SELECT c FROM t WHERE id = 1 FOR UPDATE", &["1"]);
}

#[test]
fn values_that_are_written() {
    check("UPDATE t SET a = 1, b = 'x', c = c + 1 WHERE id = 2", &["1", "'x'", "2"]);
    check("DELETE FROM t WHERE id = 2 LIMIT 3", &["2"]);
    check("INSERT INTO t (a, b) VALUES (1, 'x'), (2, NOW()), (-3, NULL)", &["1", "'x'", "2"]);
    check("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2", &["1", "2"]);
    check("REPLACE INTO t SET a = 1, b = 2", &["1", "2"]);
    check("INSERT INTO t VALUES (CONCAT('a', 'b'), 'c')", &["'c'"]);
}

#[test]
fn values_that_mean_more() {
    check("SELECT 1, a = 2, 'x' AS 'y' FROM t WHERE id = 3 ORDER BY 1", &["3"]);
    check("SELECT a FROM t WHERE id = 1 GROUP BY 2 HAVING a = 3 LIMIT 4, 5", &["1"]);
    check("SELECT a FROM t WHERE d > NOW() - INTERVAL 7 DAY AND id = 1", &["1"]);
    check("SELECT a FROM t WHERE d > DATE '2026-01-01' AND id = 1", &["1"]);
    check("SELECT a FROM t WHERE a = 'x' 'y' AND b = _latin1'z' AND c = N'w'", &[]);
    check("SELECT a FROM t WHERE a = 0x41 AND b = b'1' AND c = X'41'", &[]);
    check("SELECT a FROM t WHERE a = NULL AND b = TRUE AND c <=> 5", &[]);
    check("SELECT a FROM t WHERE a = 1 + 2 AND b = 3 COLLATE x AND c = 4 | 5", &[]);
    check("SELECT a FROM t WHERE a LIKE 'x' ESCAPE '|' AND b BETWEEN 1 AND 2 + 3", &["1"]);
    check("SELECT a FROM t WHERE 1 = 0 AND 5 = a", &[]);
    check("SELECT a FROM t WHERE a = ? AND b = 1", &["1"]);
    check("SELECT /* 5 */ a /*! , 6 */ FROM t WHERE a = 1 -- 7", &["1"]);
    check("SELECT a FROM t1 WHERE t1.5a = 1 AND a = @x5 AND b = @'5'", &["1"]);
    check("SELECT CASE WHEN a = 1 THEN 2 END FROM t WHERE b = 3", &["3"]);
}

#[test]
fn modes() {
    let plain = Mode::default();
    let ansi = Mode { ansi_quotes: true, ..plain };
    let plain_backslash = Mode { no_backslash_escapes: true, ..plain };
    check_in(plain, "SELECT a FROM t WHERE a = \"b\" AND c = 1", &["\"b\"", "1"]);
    check_in(ansi, "SELECT a FROM t WHERE a = \"b\" AND c = 1", &["1"]);
    check_in(
        plain,
        r"SELECT a FROM t WHERE a = 'x\' AND b = ' AND c = 1",
        &[r"'x\' AND b = '", "1"],
    );
    check_in(plain_backslash, r"SELECT a FROM t WHERE a = 'x\' AND c = 1", &[r"'x\'", "1"]);
    let text = "SELECT a FROM t WHERE a = 1";
    let hashes: Vec<u64> = [
        plain,
        ansi,
        plain_backslash,
        Mode { pipes_as_concat: true, ..plain },
        Mode { high_not_precedence: true, ..plain },
        Mode { ignore_space: true, ..plain },
    ]
    .into_iter()
    .map(|mode| shape(text, mode).unwrap().hash)
    .collect();
    for (index, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..index].contains(hash), "{hashes:?}");
    }
}

#[test]
fn statements_of_one_shape() {
    check_alike("SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = 200", true);
    check_alike("SELECT a FROM t WHERE a = 'x'", "SELECT a FROM t WHERE a = \"it''s\"", true);
    check_alike("SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = 1.0", false);
    check_alike("SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = '1'", false);
    check_alike("SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = -1", false);
    check_alike("SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a =  1", false);
    check_alike("SELECT a FROM t WHERE a IN (1)", "SELECT a FROM t WHERE a IN (1, 2)", false);
    check_alike(
        "SELECT a FROM t WHERE a = 1 LIMIT 1",
        "SELECT a FROM t WHERE a = 1 LIMIT 2",
        false,
    );
    check_alike("SELECT 1 FROM t WHERE a = 1", "SELECT 2 FROM t WHERE a = 1", false);
    check_alike("SELECT a FROM t WHERE a = NULL", "SELECT a FROM t WHERE a = TRUE", false);
}

#[test]
fn statements_without_a_shape() {
    for text in [
        "SET a = 1",
        "SHOW TABLES",
        "BEGIN",
        "CREATE TABLE t (a INT)",
        "SELECT a /*!99999 , b */ FROM t",
        "/* nothing */",
    ] {
        assert_eq!(shape(text, Mode::default()), None, "{text}");
    }
    let deep = format!("SELECT {}1{}", "(".repeat(40), ")".repeat(40));
    assert_eq!(shape(&deep, Mode::default()), None);
    let many = format!("SELECT a FROM t WHERE a IN ({}1)", "1, ".repeat(SLOTS_MAX));
    assert_eq!(shape(&many, Mode::default()), None);
}

#[test]
fn values_as_the_parser_reads_them() {
    let text = r"SELECT a FROM t WHERE a = - 5 AND b = 1.50 AND c = 2e1 AND d = 'x\ny''z'";
    let found = shape(text, Mode::default()).unwrap();
    let values: Vec<Literal> = found
        .slots
        .iter()
        .enumerate()
        .map(|(at, slot)| slot.value(text.as_bytes(), Mode::default(), at == 0))
        .collect();
    let expect = [
        Literal::Integer("-5".into()),
        Literal::Decimal("1.50".into()),
        Literal::Float("2e1".into()),
        Literal::String { bytes: b"x\ny'z".to_vec(), charset: None },
    ];
    assert_eq!(values, expect);
}
