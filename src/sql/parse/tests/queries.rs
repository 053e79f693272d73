//! Parts of queries.

use super::super::super::query::{
    Body, JoinConstraint, Query, Select, SelectItemKind, SetOperator, TableExpr,
};
use super::{query, show};

fn select(sql: &str) -> Select {
    match query(sql).body {
        Body::Select(select) => *select,
        other => panic!("{sql}: {other:?}"),
    }
}

fn tables(from: &[TableExpr]) -> String {
    from.iter().map(table).collect::<Vec<_>>().join(", ")
}

fn table(table: &TableExpr) -> String {
    match table {
        TableExpr::Table(reference) => {
            let schema = reference.table.schema.as_ref().map(|name| format!("{}.", name.value));
            let alias = reference.alias.as_ref().map(|name| format!(" {}", name.value));
            let partitions = if reference.partitions.is_some() { " PARTITION" } else { "" };
            let name = &reference.table.name.value;
            format!("{}{name}{partitions}{}", schema.unwrap_or_default(), alias.unwrap_or_default())
        }
        TableExpr::Derived { alias, columns, lateral, .. } => format!(
            "{}query {}{}",
            if *lateral { "LATERAL " } else { "" },
            alias.as_ref().map(|name| name.value.as_str()).unwrap_or_default(),
            if columns.is_empty() { String::new() } else { format!("({})", columns.len()) },
        ),
        TableExpr::Join(join) => {
            let constraint = match &join.constraint {
                JoinConstraint::None => String::new(),
                JoinConstraint::On(on) => format!(" ON {}", show(on)),
                JoinConstraint::Using(names) => format!(" USING {}", names.len()),
                JoinConstraint::Natural => " NATURAL".into(),
            };
            format!(
                "[{} {:?} {}{constraint}]",
                self::table(&join.left),
                join.kind,
                self::table(&join.right)
            )
        }
        TableExpr::Function { what, args, alias, .. } => {
            let args = args.iter().map(show).collect::<Vec<_>>().join(", ");
            let alias = alias.as_ref().map(|name| name.value.as_str()).unwrap_or_default();
            format!("{what}({args}) {alias}")
        }
    }
}

#[test]
fn from() {
    let check = |from: &str, expect: &str| {
        let sql = format!("SELECT * FROM {from} WHERE 1");
        assert_eq!(tables(&select(&sql).from), expect, "{sql}");
    };
    check("DUAL", "");
    check("t", "t");
    check("s.t AS x", "s.t x");
    check("t x, `u` `y`", "t x, u y");
    check("t PARTITION (p0, p1) x", "t PARTITION x");
    check("t x USE INDEX (a, b) IGNORE KEY FOR ORDER BY (PRIMARY), u", "t x, u");
    check("t FORCE INDEX (a) JOIN u", "[t Inner u]");
    check("a JOIN b ON x = y", "[a Inner b ON (x Eq y)]");
    check("a JOIN b ON x JOIN c ON y", "[[a Inner b ON x] Inner c ON y]");
    check("a JOIN b JOIN c ON x ON y", "[a Inner [b Inner c ON x] ON y]");
    check("a JOIN b JOIN c ON x", "[[a Inner b] Inner c ON x]");
    check("a JOIN b JOIN c", "[[a Inner b] Inner c]");
    check("a JOIN b LEFT JOIN c ON x", "[[a Inner b] Left c ON x]");
    check("a LEFT JOIN b JOIN c ON x ON y", "[a Left [b Inner c ON x] ON y]");
    check("a JOIN (b RIGHT JOIN c ON x) JOIN d ON y", "[[a Inner [b Right c ON x]] Inner d ON y]");
    check("a LEFT OUTER JOIN b USING (x, y)", "[a Left b USING 2]");
    check("a NATURAL LEFT JOIN b JOIN c ON x", "[[a Left b NATURAL] Inner c ON x]");
    check("a CROSS JOIN b STRAIGHT_JOIN c ON x", "[[a Inner b] Inner c ON x]");
    check("(a, b) LEFT JOIN c ON x", "[[a Inner b] Left c ON x]");
    check("(a JOIN b), c", "[a Inner b], c");
    check("{ OJ a LEFT JOIN b ON x }", "[a Left b ON x]");
    check("(SELECT 1) AS x(a, b)", "query x(2)");
    check("((SELECT 1) UNION (SELECT 2)) x", "query x");
    check("((SELECT 1) x)", "query x");
    check("(VALUES ROW(1)) x", "query x");
    check("(VALUES (1), (2)) x", "query x");
    check("a, LATERAL (SELECT a.b) x", "a, LATERAL query x");
    check(
        "t, JSON_TABLE(t.j, '$[*]' COLUMNS (a INT PATH '$.a')) AS j",
        "t, JSON_TABLE(t.j, '$[*]') j",
    );
    check("t RETURNING_x", "t RETURNING_x");
}

#[test]
fn modifiers() {
    let check = |sql: &str, expect: &str| {
        let select = select(sql);
        let mut found = Vec::new();
        let flags = [
            (select.distinct, "distinct"),
            (select.calc_found_rows, "found_rows"),
            (select.straight_join, "straight"),
            (select.rollup, "rollup"),
            (select.has_windows, "windows"),
        ];
        found.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name));
        assert_eq!(found.join(" "), expect, "{sql}");
        assert_eq!(&sql[select.items_at as usize..][..1], "a", "{sql}");
    };
    check("SELECT a", "");
    check("SELECT DISTINCT SQL_CALC_FOUND_ROWS STRAIGHT_JOIN a", "distinct found_rows straight");
    check("SELECT ALL SQL_NO_CACHE HIGH_PRIORITY a FROM t", "");
    check("SELECT /*+ NO_ICP(t) */ a FROM t GROUP BY a WITH ROLLUP", "rollup");
    check("SELECT a FROM t GROUP BY ROLLUP (a, b)", "rollup");
    check("SELECT a, SUM(b) OVER () FROM t", "windows");
    check("SELECT a FROM t WINDOW w AS (ORDER BY b), v AS (w)", "windows");
    check("SELECT a, (SELECT SUM(b) OVER () FROM t)", "");
}

#[test]
fn items() {
    let check = |items: &str, expect: &[&str]| {
        let sql = format!("SELECT {items} FROM t");
        let select = select(&sql);
        let found: Vec<_> = select
            .items
            .iter()
            .map(|item| match &item.kind {
                SelectItemKind::Wildcard => "*".to_owned(),
                SelectItemKind::QualifiedWildcard { schema, table } => {
                    let schema = schema.as_ref().map(|name| name.value.as_str());
                    format!("{}/{}.*", schema.unwrap_or_default(), table.value)
                }
                SelectItemKind::Expr { expr, alias } => {
                    let alias = alias.as_ref().map(|name| name.value.as_str());
                    format!("{}={}", alias.unwrap_or_default(), show(expr))
                }
            })
            .collect();
        assert_eq!(found, expect, "{items}");
        let spans = select.items.iter().map(|item| &sql[item.span.range()]);
        assert_eq!(spans.collect::<Vec<_>>().join(", "), items, "spans of {items}");
    };
    check("*", &["*"]);
    check("t.*, s.t.*", &["/t.*", "s/t.*"]);
    check("a, b AS c, d e", &["=a", "c=b", "e=d"]);
    check("a 'x y', b AS \"z\"", &["x y=a", "z=b"]);
    check("1 + 1 AS `sum`", &["sum={sum: 1, 1}"]);
    check("COUNT(*) total, a.b.c", &["total=count(*)", "=a.b.c"]);
    check("(SELECT 1 FROM u) x", &["x=query"]);
}

fn shape(query: &Query) -> String {
    match &query.body {
        Body::Select(_) => "S".into(),
        Body::SetOperation { operator, all, left, right } => {
            let operator = match operator {
                SetOperator::Union => "U",
                SetOperator::Intersect => "I",
                SetOperator::Except => "E",
            };
            format!("[{} {operator}{} {}]", shape(left), if *all { "A" } else { "" }, shape(right))
        }
        Body::Values(rows) => format!("V{}", rows.len()),
        Body::Table(_) => "T".into(),
        Body::Nested(inner) => format!("({})", shape(inner)),
    }
}

#[test]
fn set_operations() {
    let check = |sql: &str, expect: &str| assert_eq!(shape(&query(sql)), expect, "{sql}");
    check("SELECT 1", "S");
    check("(SELECT 1)", "(S)");
    check("SELECT 1 UNION SELECT 2", "[S U S]");
    check("SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3", "[[S UA S] E S]");
    check("SELECT 1 UNION DISTINCT SELECT 2 INTERSECT ALL SELECT 3", "[S U [S IA S]]");
    check("(SELECT 1 LIMIT 1) UNION (SELECT 2) ORDER BY 1 LIMIT 2", "[(S) U (S)]");
    check("((SELECT 1) UNION SELECT 2) LIMIT 1", "([(S) U S])");
    check("VALUES ROW(1, 2), ROW(3, 4) ORDER BY 1", "V2");
    check("TABLE t LIMIT 1", "T");
    check("WITH a AS (SELECT 1), b(x) AS (SELECT 2) SELECT * FROM a, b", "S");
}

/// The tail of a query, with its spans.
#[test]
fn tails() {
    let check = |sql: &str, limit: &str, limit_at: &str, locking: &str, into: &str| {
        let query = query(sql);
        let text = |span: super::super::super::span::Span| sql[span.range()].to_owned();
        assert_eq!(query.limit.as_ref().map(|l| text(l.span)).unwrap_or_default(), limit, "{sql}");
        assert!(sql[..query.limit_at as usize].ends_with(limit_at), "{sql}");
        assert_eq!(query.locking.map(|l| text(l.span)).unwrap_or_default(), locking, "{sql}");
        assert_eq!(query.into.map(text).unwrap_or_default(), into, "{sql}");
    };
    check("SELECT a FROM t", "", "t", "", "");
    check("SELECT a FROM t ORDER BY a DESC, b", "", ", b", "", "");
    check("SELECT a FROM t LIMIT 5", "LIMIT 5", "t", "", "");
    check(
        "SELECT a FROM t ORDER BY b LIMIT 5, 10 FOR UPDATE",
        "LIMIT 5, 10",
        "BY b",
        "FOR UPDATE",
        "",
    );
    check(
        "SELECT a FROM t LIMIT ? OFFSET ? LOCK IN SHARE MODE",
        "LIMIT ? OFFSET ?",
        "t",
        "LOCK IN SHARE MODE",
        "",
    );
    check(
        "SELECT a FROM t FOR SHARE OF t SKIP LOCKED",
        "",
        "FROM t",
        "FOR SHARE OF t SKIP LOCKED",
        "",
    );
    check(
        "SELECT a FROM t FOR UPDATE NOWAIT INTO @x",
        "",
        "FROM t",
        "FOR UPDATE NOWAIT",
        "INTO @x",
    );
    check("SELECT a INTO @x FROM t", "", "FROM t", "", "INTO @x");
    check(
        "SELECT a FROM t INTO OUTFILE '/x' FIELDS TERMINATED BY ','",
        "",
        "FROM t",
        "",
        "INTO OUTFILE '/x' FIELDS TERMINATED BY ','",
    );
    check("SELECT a FROM t LIMIT 1 INTO @x, @y", "LIMIT 1", "FROM t", "", "INTO @x, @y");
    check("SELECT 1 UNION SELECT 2 LIMIT 1", "LIMIT 1", "SELECT 2", "", "");
}

#[test]
fn clauses() {
    let sql = "SELECT a FROM t WHERE b = ? GROUP BY c DESC, d HAVING e > 1 ORDER BY f";
    let select = select(sql);
    let text = |span: super::super::super::span::Span| &sql[span.range()];
    assert_eq!(text(select.span), &sql[..sql.find(" ORDER").unwrap()]);
    assert_eq!(text(select.filter.unwrap().span), "b = ?");
    assert_eq!(text(select.group_by_span.unwrap()), "GROUP BY c DESC, d");
    assert_eq!(text(select.group_by[0].span), "c DESC");
    assert!(select.group_by[0].descending && !select.group_by[1].descending);
    assert_eq!(text(select.having_span.unwrap()), "HAVING e > 1");
    assert_eq!(show(&select.having.unwrap()), "(e Gt 1)");
}
