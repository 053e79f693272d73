//! Precedence of operators and forms of operands.

use super::super::super::mode::Mode;
use super::super::super::query::{Body, SelectItemKind};
use super::super::super::statement::StatementKind;
use super::super::parse;
use super::show;

fn check_in(mode: &Mode, expr: &str, expect: &str) {
    let sql = format!("SELECT {expr}");
    let statement = parse(sql.as_bytes(), mode).unwrap_or_else(|error| panic!("{expr}: {error}"));
    let StatementKind::Query(query) = statement.kind else { panic!("{expr}: no query") };
    let Body::Select(select) = query.body else { panic!("{expr}: no select") };
    let [item] = select.items.as_slice() else { panic!("{expr}: {} items", select.items.len()) };
    let SelectItemKind::Expr { expr: found, alias: None } = &item.kind else {
        panic!("{expr}: {item:?}")
    };
    assert_eq!(show(found), expect, "{expr}");
    let text = &sql[found.span.range()];
    assert_eq!(text, expr.trim(), "span of {expr}");
}

fn check(expr: &str, expect: &str) {
    check_in(&Mode::default(), expr, expect);
}

#[test]
fn logic() {
    check("a OR b AND c", "(a OR (b AND c))");
    check("a AND b OR c AND d", "((a AND b) OR (c AND d))");
    check("a OR b XOR c AND d", "(a OR {XOR: b, (c AND d)})");
    check("a || b && c", "(a OR (b AND c))");
    check("(a OR b) AND c", "((a OR b) AND c)");
    check("a OR (b OR c) OR d", "(a OR b OR c OR d)");
    check("a AND (b AND c)", "(a AND b AND c)");
    check("NOT a AND b", "((NOT a) AND b)");
    check("NOT a = b", "(NOT (a Eq b))");
    check("NOT a IS NULL", "(NOT (a IS NULL))");
    check("NOT NOT a", "(NOT (NOT a))");
    check("! a = b", "((NOT a) Eq b)");
    check("! a IN (1)", "((NOT a) IN [1])");
    check("NOT a BETWEEN 1 AND 2 AND b", "((NOT (a BETWEEN 1 AND 2)) AND b)");
    check("NOT EXISTS (SELECT 1)", "EXISTS query NOT");
    check("NOT (EXISTS (SELECT 1))", "EXISTS query NOT");
}

#[test]
fn comparisons() {
    check("a = b = c", "((a Eq b) Eq c)");
    check("a = b IS NULL", "((a Eq b) IS NULL)");
    check("a IS NULL = b", "((a IS NULL) Eq b)");
    check("a <=> b <> c != d", "(((a NullSafeEq b) NotEq c) NotEq d)");
    check("a = b IN (c)", "(a Eq (b IN [c]))");
    check("a = b LIKE c", "(a Eq {LIKE: b, c})");
    check("a = b BETWEEN c AND d", "(a Eq (b BETWEEN c AND d))");
    check("a BETWEEN b AND c = d", "((a BETWEEN b AND c) Eq d)");
    check("a BETWEEN 1 AND 2 OR b", "((a BETWEEN 1 AND 2) OR b)");
    check("a NOT BETWEEN 1 + 1 AND 2 * 2", "(a BETWEEN {sum: 1, 1} AND {product: 2, 2} NOT)");
    check("a NOT IN (1, ?)", "(a IN [1, ?0] NOT)");
    check("a IN (SELECT 1)", "(a IN query)");
    check("(a, b) IN ((1, 2), (3, 4))", "(ROW(a, b) IN [ROW(1, 2), ROW(3, 4)])");
    check("ROW(a, b) = ROW(1, 2)", "(ROW(a, b) Eq ROW(1, 2))");
    check("a > ALL (SELECT 1)", "{quantified comparison: a, query}");
    check("a LIKE 'x%' ESCAPE '|' AND b", "({LIKE: a, 'x%', '|'} AND b)");
    check("a NOT LIKE b OR c REGEXP d", "({LIKE: a, b} OR {REGEXP: c, d})");
    check("a RLIKE b", "{REGEXP: a, b}");
    check("a SOUNDS LIKE b", "{SOUNDS LIKE: a, b}");
    check("1 MEMBER OF (a)", "{MEMBER OF: 1, a}");
    check(
        "a IS NOT TRUE AND b IS UNKNOWN",
        "({IS TRUE, FALSE or UNKNOWN: a} AND {IS TRUE, FALSE or UNKNOWN: b})",
    );
}

#[test]
fn arithmetic() {
    check("a + b * c", "{sum: a, {product: b, c}}");
    check("a + b - c + d", "{sum: a, b, c, d}");
    check("a * (b + c)", "{product: a, {sum: b, c}}");
    check(
        "a | b & c << d + e * f ^ g",
        "{bitwise or: a, {bitwise and: b, {shift: c, {sum: d, {product: e, {bitwise xor: f, g}}}}}}",
    );
    check("a = b + c", "(a Eq {sum: b, c})");
    check("a DIV b MOD c", "{product: a, b, c}");
    check("-1", "-1");
    check("+1", "1");
    check("- 1.5", "-1.5d");
    check("-1e5", "-1e5f");
    check("-(1)", "{sign: 1}");
    check("- -1", "{sign: -1}");
    check("-a", "{sign: a}");
    check("a -1", "{sum: a, 1}");
    check("~a + b", "{sum: {~: a}, b}");
    check("-a ^ b", "{bitwise xor: {sign: a}, b}");
    check("BINARY a = b", "({BINARY: a} Eq b)");
    check("BINARY a COLLATE x", "{BINARY: {COLLATE: a}}");
    check("a COLLATE utf8mb4_bin = b", "({COLLATE: a} Eq b)");
    check("a + INTERVAL 1 DAY", "{sum: a, {INTERVAL: 1}}");
    check("a - INTERVAL '1:1' HOUR_MINUTE > b", "({sum: a, {INTERVAL: '1:1'}} Gt b)");
    check("INTERVAL a + 1 MONTH + b", "{sum: {INTERVAL: {sum: a, 1}}, b}");
    check("INTERVAL(a, 1, 2)", "interval(a, 1, 2)");
    check("INTERVAL (1) DAY + a", "{sum: {INTERVAL: 1}, a}");
    check("INTERVAL (1)+(2) DAY + a", "{sum: {INTERVAL: {sum: 1, 2}}, a}");
    check("a->'$.x' = b->>'$.y'", "({JSON path: a, '$.x'} Eq {JSON path: b, '$.y'})");
    check("@a := 1 + 2", "{assignment to a user variable: @a, {sum: 1, 2}}");
}

/// A leading INTERVAL takes in comparisons, a unit ends a sum.
#[test]
fn intervals() {
    check("a + INTERVAL 1 DAY * b", "{product: {sum: a, {INTERVAL: 1}}, b}");
    check("a + INTERVAL(1, 2) * b", "{sum: a, {product: interval(1, 2), b}}");
    check("INTERVAL 1 DAY + a = b", "{sum: {INTERVAL: 1}, (a Eq b)}");
    check("INTERVAL 1 DAY + a + b", "{sum: {INTERVAL: 1}, {sum: a, b}}");
    check("INTERVAL 1 DAY + a AND b", "({sum: {INTERVAL: 1}, a} AND b)");
}

/// MySQL refuses these, and MariaDB does not read all of them from left to right.
#[test]
fn predicates_do_not_chain() {
    for expr in [
        "a LIKE b NOT LIKE c",
        "a LIKE b NOT BETWEEN c AND d",
        "a IN (1) IN (2)",
        "a IN (1) + 1",
        "a LIKE b ESCAPE '|' + 1",
        "a IS NULL + 1",
        "a IS NULL LIKE b",
        "a = NOT b",
    ] {
        let message = super::refusal(&format!("SELECT {expr}"));
        assert!(message.starts_with("You have an error in your SQL syntax"), "{expr}: {message}");
    }
}

#[test]
fn modes() {
    let concat = Mode { pipes_as_concat: true, ..Mode::default() };
    check_in(&concat, "a || b = c", "({concatenation: a, b} Eq c)");
    check_in(&concat, "a || b ^ c", "{bitwise xor: {concatenation: a, b}, c}");
    check_in(&concat, "-a || b", "{concatenation: {sign: a}, b}");
    check_in(&concat, "a || b || c", "{concatenation: a, b, c}");
    let not = Mode { high_not_precedence: true, ..Mode::default() };
    check_in(&not, "NOT a = b", "((NOT a) Eq b)");
    check_in(&not, "a = NOT b", "(a Eq (NOT b))");
    check_in(&not, "a NOT IN (b)", "(a IN [b] NOT)");
    let ansi = Mode { ansi_quotes: true, ..Mode::default() };
    check_in(&ansi, "\"a\".\"b\"\"c\"", "a.b\"c");
    check("\"a\"", "'a'");
    let plain = Mode { no_backslash_escapes: true, ..Mode::default() };
    check_in(&plain, r"'a\'", r"'a\'");
}

#[test]
fn literals() {
    check("'a' 'b' \"c\"", "'abc'");
    check("_latin1'a' 'b'", "_latin1'ab'");
    check("_utf8mb4 0x41", "_utf8mb4x[41]");
    check("N'a'", "_utf8'a'");
    check("x'4142'", "x[41, 42]");
    check("0b11", "b[03]");
    check("1.", "1.d");
    check(".5", ".5d");
    check("1.e5", "1.e5f");
    check("1e-5", "1e-5f");
    check("NULL", "NULL");
    check("TRUE", "true");
    check("DATE '2026-01-01'", "Date'2026-01-01'");
    check("{ts '2026-01-01 00:00:00'}", "Timestamp'2026-01-01 00:00:00'");
    check("@a", "@a");
    check("@`A b`", "@a b");
    check("@@session.sql_mode", "@@session.sql_mode");
    check("@@`sql_mode`", "@@sql_mode");
    check("?", "?0");
}

#[test]
fn names() {
    check("a", "a");
    check("`a``b`", "a`b");
    check("t.c", "t.c");
    check("s.t.c", "s.t.c");
    check("t.select", "t.select");
    check("order.id", "order.id");
    check("select.group.order", "select.group.order");
    check("interval.f(1)", "interval.f(1)");
    check("t.1c", "t.1c");
    check("t.5", "t.5");
    check("1a", "1a");
    check("0xg", "0xg");
    check("1e", "1e");
    check("größe", "größe");
    check("$a$", "$a$");
    check("rank", "rank");
    check("_id", "_id");
    check("date", "date");
}

#[test]
fn functions() {
    check("COUNT(*)", "count(*)");
    check("COUNT(ALL *)", "count(*)");
    check("COUNT(DISTINCT a, b)", "count(DISTINCT a, b)");
    check("now()", "now()");
    check("CURRENT_TIMESTAMP", "current_timestamp()");
    check("current_timestamp(6)", "current_timestamp(6)");
    check("IF(a, b, c)", "if(a, b, c)");
    check("LEFT(a, 1)", "left(a, 1)");
    check("shop.f(a)", "shop.f(a)");
    check("`f`(a)", "f(a)");
    check("VALUES(a) + 1", "{sum: values(a), 1}");
    check("DEFAULT(a)", "DEFAULT");
    check("MOD(a, 2)", "mod(a, 2)");
    check("CAST(a AS DECIMAL(10, 2))", "cast(a)");
    check("CAST(a + ? AS UNSIGNED INTEGER)", "cast({sum: a, ?0})");
    check("CONVERT(a, CHAR(3) CHARACTER SET latin1)", "convert(a)");
    check("CONVERT(a USING utf8mb4)", "convert(a)");
    check("EXTRACT(DAY_HOUR FROM a)", "extract(a)");
    check("TRIM(a)", "trim(a)");
    check("TRIM(BOTH FROM a)", "trim(a)");
    check("TRIM(LEADING b FROM a)", "trim(b, a)");
    check("TRIM(b FROM a)", "trim(b, a)");
    check("SUBSTRING(a FROM 1 FOR 2)", "substring(a, 1, 2)");
    check("POSITION(a IN b)", "position(a, b)");
    check("CHAR(65, 66 USING latin1)", "char(65, 66)");
    check(
        "GROUP_CONCAT(DISTINCT a, b ORDER BY c DESC, d SEPARATOR '-')",
        "group_concat(DISTINCT a, b, c, d, '-')",
    );
    check("TIMESTAMPDIFF(SQL_TSI_DAY, a, b)", "timestampdiff(a, b)");
    check("GET_FORMAT(DATE, 'USA')", "get_format('USA')");
    check("DATE_ADD(a, INTERVAL 1 DAY)", "date_add(a, {INTERVAL: 1})");
    check("WEIGHT_STRING(a AS CHAR(3))", "weight_string(a)");
    check("JSON_VALUE(a, '$.b' RETURNING SIGNED DEFAULT ? ON EMPTY)", "json_value(a, '$.b', ?0)");
    check("CASE a WHEN 1 THEN b ELSE c END", "{CASE: a, 1, b, c}");
    check("CASE WHEN a THEN b END", "{CASE: a, b}");
    check("MATCH (a, t.b) AGAINST ('x' IN BOOLEAN MODE)", "{MATCH ... AGAINST: a, t.b, 'x'}");
    check("ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC)", "row_number() OVER (a, b)");
    check("SUM(a) OVER w", "sum(a) OVER ()");
    check(
        "SUM(a) OVER (w ORDER BY b ROWS BETWEEN ? PRECEDING AND CURRENT ROW)",
        "sum(a) OVER (b, ?0)",
    );
    check("FIRST_VALUE(a) IGNORE NULLS OVER ()", "first_value(a) OVER ()");
    check("((SELECT 1) + 1)", "{sum: query, 1}");
    check("((SELECT 1) UNION (SELECT 2))", "query");
    check("EXISTS(SELECT 1)", "EXISTS query");
}

/// MySQL's operators between two operands, from loose to tight. MySQL 9.7 and MariaDB 10.11 gave the
/// same values for each pair of them, with each prefix operator, as for the text with the parentheses
/// that this table says.
const LEVELS: &[&[&str]] = &[
    &["OR", "||"],
    &["XOR"],
    &["AND", "&&"],
    &["=", "<=>", "<>", "!=", "<", "<=", ">", ">="],
    &["LIKE", "NOT LIKE", "REGEXP", "NOT REGEXP", "RLIKE", "SOUNDS LIKE"],
    &["|"],
    &["&"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%", "DIV", "MOD"],
    &["^"],
];

fn shown(expr: &str) -> String {
    let sql = format!("SELECT {expr}");
    let StatementKind::Query(query) = super::parsed(&sql).kind else { panic!("{expr}") };
    let Body::Select(select) = query.body else { panic!("{expr}") };
    let SelectItemKind::Expr { expr, .. } = &select.items[0].kind else { panic!("{expr}") };
    show(expr)
}

#[test]
fn pairs() {
    let predicates = LEVELS.iter().position(|level| level.contains(&"LIKE"));
    let operators = || {
        let levels = LEVELS.iter().enumerate();
        levels.flat_map(|(level, ops)| ops.iter().map(move |op| (level, *op)))
    };
    for (first, one) in operators() {
        for (second, two) in operators() {
            if first == second && Some(first) == predicates {
                continue;
            }
            let text = format!("a {one} b {two} c");
            let grouped = if second > first {
                format!("a {one} (b {two} c)")
            } else {
                format!("(a {one} b) {two} c")
            };
            assert_eq!(shown(&text), shown(&grouped), "{text}");
            // The prefixes bind tighter than all of them, NOT looser than a comparison.
            for prefix in ["-", "~", "!", "BINARY"] {
                let text = format!("{prefix} a {one} {prefix} b");
                let grouped = format!("({prefix} a) {one} ({prefix} b)");
                assert_eq!(shown(&text), shown(&grouped), "{text}");
            }
        }
        let not = format!("NOT a {one} b");
        let tighter = first > 2;
        let grouped = if tighter { format!("NOT (a {one} b)") } else { format!("(NOT a) {one} b") };
        assert_eq!(shown(&not), shown(&grouped), "{not}");
    }
}
