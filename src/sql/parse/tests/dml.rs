//! INSERT, REPLACE, UPDATE and DELETE.

use super::super::super::query::TableExpr;
use super::super::super::span::Span;
use super::super::super::statement::{
    ColumnAssignment, Delete, Insert, InsertSource, StatementKind, Update,
};
use super::{params_in_tree, parsed, show};

fn insert(sql: &str) -> Insert {
    match parsed(sql).kind {
        StatementKind::Insert(insert) => *insert,
        other => panic!("{sql}: {other:?}"),
    }
}

fn update(sql: &str) -> Update {
    match parsed(sql).kind {
        StatementKind::Update(update) => *update,
        other => panic!("{sql}: {other:?}"),
    }
}

fn delete(sql: &str) -> Delete {
    match parsed(sql).kind {
        StatementKind::Delete(delete) => *delete,
        other => panic!("{sql}: {other:?}"),
    }
}

fn text(sql: &str, span: Span) -> &str {
    &sql[span.range()]
}

fn assignments(sql: &str, list: &[ColumnAssignment]) -> String {
    let list = list.iter().map(|a| {
        let column = &a.column.name.value;
        format!("{column} <- {} in {}", show(&a.value), text(sql, a.span))
    });
    list.collect::<Vec<_>>().join("; ")
}

#[test]
fn insert_values() {
    let sql = "INSERT INTO s.t (a, `b`) VALUES (1, 'x'), ( ?, DEFAULT ),() ON DUPLICATE KEY UPDATE a = VALUES(a) + 1";
    let insert = insert(sql);
    assert_eq!(text(sql, insert.table.span), "s.t");
    let columns: Vec<_> = insert.columns.iter().flatten().map(|name| &name.value).collect();
    assert_eq!(columns, ["a", "b"]);
    let InsertSource::Values { rows, span } = &insert.source else { panic!("{insert:?}") };
    assert_eq!(text(sql, *span), "(1, 'x'), ( ?, DEFAULT ),()");
    let spans: Vec<_> = rows.iter().map(|row| text(sql, row.span)).collect();
    assert_eq!(spans, ["(1, 'x')", "( ?, DEFAULT )", "()"]);
    let values: Vec<_> =
        rows[0].values.iter().chain(&rows[1].values).map(|value| text(sql, value.span)).collect();
    assert_eq!(values, ["1", "'x'", "?", "DEFAULT"]);
    assert_eq!(
        assignments(sql, &insert.on_duplicate),
        "a <- {sum: values(a), 1} in a = VALUES(a) + 1"
    );
}

#[test]
fn insert_forms() {
    let check = |sql: &str, expect: &str| {
        let insert = insert(sql);
        let source = match &insert.source {
            InsertSource::Values { rows, .. } => format!("{} rows", rows.len()),
            InsertSource::Set(list) => assignments(sql, list),
            InsertSource::Query(query) => format!("query {}", text(sql, query.span)),
        };
        let columns = match &insert.columns {
            Some(columns) => format!("({}) ", columns.len()),
            None => String::new(),
        };
        let mut words = vec![format!("{} {columns}{source}", insert.table.name.value)];
        let flags = [
            (insert.replace, "replace"),
            (insert.ignore, "ignore"),
            (insert.partitions, "partitions"),
            (insert.returning.is_some(), "returning"),
            (!insert.on_duplicate.is_empty(), "on duplicate"),
        ];
        words.extend(flags.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()));
        words.extend(insert.row_alias.iter().map(|name| format!("as {}", name.value)));
        assert_eq!(words.join(", "), expect, "{sql}");
    };
    check("INSERT t VALUES (1)", "t 1 rows");
    check("INSERT INTO t VALUE (1), (2)", "t 2 rows");
    check("INSERT INTO t () VALUES ()", "t (0) 1 rows");
    check("INSERT INTO t(t.a, s.t.b) VALUES (1, 2)", "t (2) 1 rows");
    check("INSERT LOW_PRIORITY IGNORE INTO t VALUES (1)", "t 1 rows, ignore");
    check("REPLACE INTO t VALUES (1)", "t 1 rows, replace");
    check("REPLACE t SET a = 1", "t a <- 1 in a = 1, replace");
    check("INSERT INTO t PARTITION (p0) VALUES (1)", "t 1 rows, partitions");
    check("INSERT INTO t SET a = 1, t.b := ?", "t a <- 1 in a = 1; b <- ?0 in t.b := ?");
    check("INSERT INTO t SELECT * FROM u", "t query SELECT * FROM u");
    check("INSERT INTO t (a) (SELECT 1)", "t (1) query (SELECT 1)");
    check("INSERT INTO t (SELECT 1)", "t query (SELECT 1)");
    check(
        "INSERT INTO t WITH c AS (SELECT 1) SELECT * FROM c",
        "t query WITH c AS (SELECT 1) SELECT * FROM c",
    );
    check("INSERT INTO t TABLE u", "t query TABLE u");
    check("INSERT INTO t VALUES ROW(1), ROW(2)", "t query VALUES ROW(1), ROW(2)");
    check(
        "INSERT INTO t VALUES (1) AS n(a) ON DUPLICATE KEY UPDATE a = n.a",
        "t 1 rows, on duplicate, as n",
    );
    check(
        "INSERT INTO t SELECT a FROM u ON DUPLICATE KEY UPDATE b = 1",
        "t query SELECT a FROM u, on duplicate",
    );
    check(
        "INSERT INTO t SELECT a FROM u JOIN v ON u.a = v.a ON DUPLICATE KEY UPDATE b = 1",
        "t query SELECT a FROM u JOIN v ON u.a = v.a, on duplicate",
    );
    check("INSERT INTO t VALUES (1) RETURNING a, b AS c", "t 1 rows, returning");
    check("INSERT INTO t SELECT a FROM u RETURNING *", "t query SELECT a FROM u, returning");
}

#[test]
fn updates() {
    let sql = "UPDATE LOW_PRIORITY IGNORE s.t x SET x.a = a + 1, b = DEFAULT WHERE c = ? ORDER BY d DESC LIMIT 3";
    let single = update(sql);
    assert!(single.ignore && !single.with);
    let table = single.single_table().unwrap();
    assert_eq!(table.exposed_name().value, "x");
    assert_eq!(
        assignments(sql, &single.assignments),
        "a <- {sum: a, 1} in x.a = a + 1; b <- DEFAULT in b = DEFAULT"
    );
    assert_eq!(text(sql, single.filter.as_ref().unwrap().span), "c = ?");
    assert_eq!(text(sql, single.order_by[0].span), "d DESC");
    assert_eq!(text(sql, single.limit.as_ref().unwrap().span), "LIMIT 3");
    let multi = update("WITH c AS (SELECT 1) UPDATE a JOIN b ON a.x = b.x, c SET a.y = 1");
    assert!(multi.with && multi.single_table().is_none());
    assert_eq!(multi.from.len(), 2);
}

#[test]
fn deletes() {
    let check = |sql: &str, expect: &str| {
        let delete = delete(sql);
        let targets: Vec<_> = delete.targets.iter().map(|name| text(sql, name.span)).collect();
        let from: Vec<_> = delete
            .from
            .iter()
            .map(|table| match table {
                TableExpr::Table(table) => {
                    let partitions = if table.partitions.is_some() { " partitions" } else { "" };
                    let at = &sql[table.alias_at as usize..];
                    format!("{}{partitions}[{at}]", table.exposed_name().value)
                }
                TableExpr::Join(_) => "join".into(),
                other => panic!("{other:?}"),
            })
            .collect();
        let found = format!("{} <- {}", targets.join(","), from.join(","));
        assert_eq!(found, expect, "{sql}");
    };
    check("DELETE FROM t", " <- t[]");
    check("DELETE FROM t AS x WHERE a = 1", " <- x[ AS x WHERE a = 1]");
    check("DELETE QUICK IGNORE FROM s.t", " <- t[]");
    check("DELETE FROM t PARTITION (p0) WHERE 1", " <- t partitions[ WHERE 1]");
    check("DELETE FROM t ORDER BY a LIMIT 1", " <- t[ ORDER BY a LIMIT 1]");
    check("DELETE FROM t WHERE a = 1 RETURNING a", " <- t[ WHERE a = 1 RETURNING a]");
    check("DELETE a, s.b FROM a JOIN b ON a.x = b.x", "a,s.b <- join");
    check("DELETE a.*, s.b.* FROM a, b", "a,s.b <- a[, b],b[]");
    check("DELETE FROM a, b USING a JOIN b ON 1 WHERE a.x = 1", "a,b <- join");
    check("DELETE FROM a USING a", "a <- a[]");
    assert!(delete("WITH c AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM c)").with);
    assert!(delete("DELETE FROM t RETURNING a").returning.is_some());
}

/// No parameter is lost, wherever it stands.
#[test]
fn parameters() {
    for sql in [
        "UPDATE t SET a = ? WHERE b = ? ORDER BY c + ? LIMIT ?",
        "DELETE FROM t WHERE a = ? ORDER BY b LIMIT ?",
        "INSERT INTO t (a) SELECT ? FROM u WHERE b IN (?, ?) ON DUPLICATE KEY UPDATE a = ?",
        "SELECT ?, SUM(a) OVER (ORDER BY ? ROWS ? PRECEDING) FROM t LIMIT ?, ?",
        "WITH c AS (SELECT ?) SELECT * FROM c JOIN (SELECT ? x) d ON c.a = ? WINDOW w AS (ORDER BY ?)",
        "SELECT GROUP_CONCAT(a ORDER BY ? SEPARATOR ','), CASE ? WHEN ? THEN ? ELSE ? END",
    ] {
        let statement = parsed(sql);
        assert_eq!(params_in_tree(&statement), usize::from(statement.params), "{sql}");
        assert_eq!(usize::from(statement.params), sql.matches('?').count(), "{sql}");
    }
}
