//! Where a query reads information_schema, and its text with temporary tables in these places.

use super::tables::{self, Contents};
use crate::error::Result;
use crate::plan::planner::TEMPORARY_PREFIX;
use crate::sql::expr::{ColumnName, Comparison, Expr, ExprKind, Literal, Name};
use crate::sql::query::{Body, Query, Select, SelectItemKind, TableExpr, TableName};
use crate::sql::quote;
use crate::sql::span::Span;
use crate::sql::splice::Splices;
use crate::sql::statement::{Statement, StatementKind};
use crate::sql::walk::{self, Node};

/// The schema of the tables that are meant here.
pub(super) const SYSTEM: &str = "information_schema";

/// A query that reads information_schema, ready to run over temporary tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewritten {
    pub text: Vec<u8>,
    /// The text with information_schema itself, as a server understands it wherever it runs.
    pub(super) original: Vec<u8>,
    /// In the order in which their temporary tables are numbered.
    pub references: Vec<Reference>,
}

/// A table of information_schema in FROM.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The temporary table that stands for it.
    pub temporary: String,
    /// As servers write it.
    pub(super) name: &'static str,
    pub(super) contents: Contents,
    /// Values that the column of the database must have one of. None: any.
    pub(super) schemas: Option<Vec<Value>>,
    /// The same of the column of the table.
    pub(super) tables: Option<Vec<Value>>,
}

/// A value in a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(Vec<u8>),
    Param(u16),
}

/// A reference as it stands in the text.
struct Site<'a> {
    table: &'a TableName,
    alias: Option<&'a Name>,
    /// Where an alias may be put.
    alias_at: Option<u32>,
    block: Option<&'a Select>,
    found: Option<(&'static str, Contents)>,
}

/// Puts temporary tables in the places of the tables of information_schema whose rows are Margay's to
/// make. `schema` is the current one. None: the statement is no query, or reads none of them.
///
/// # Errors
/// Of the splices, which are Margay's own mistakes.
pub fn rewrite(
    text: &[u8],
    statement: &Statement,
    schema: Option<&str>,
) -> Result<Option<Rewritten>> {
    let StatementKind::Query(query) = &statement.kind else { return Ok(None) };
    if statement.hints.shard.is_some() {
        return Ok(None);
    }
    let at_home = schema.is_some_and(|schema| schema.eq_ignore_ascii_case(SYSTEM));
    let sites = sites(query, at_home);
    if !sites.iter().any(|site| site.found.is_some() || site.table.schema.is_none()) {
        return Ok(None);
    }
    let mut splices = Splices::new();
    let mut prefixes = Splices::new();
    let mut references = Vec::new();
    for site in &sites {
        if site.table.schema.is_none() {
            prefixes.insert(site.table.span.start, format!("{SYSTEM}."));
        }
        let Some((name, contents)) = site.found else {
            if site.table.schema.is_none() {
                splices.insert(site.table.span.start, format!("{SYSTEM}."));
            }
            continue;
        };
        let temporary = format!("{TEMPORARY_PREFIX}{}", references.len() + 1);
        splices.replace(site.table.span, quote::identifier(temporary.as_bytes()));
        if let (None, Some(at)) = (site.alias, site.alias_at) {
            let alias = quote::identifier(site.table.name.value.as_bytes());
            splices.insert(at, [b" AS ".as_slice(), &alias].concat());
        }
        references.push(reference(text, site, name, contents, temporary));
    }
    rename_columns(query, &sites, &mut splices);
    keep_names(text, query, &sites, &mut splices);
    Ok(Some(Rewritten { text: splices.apply(text)?, original: prefixes.apply(text)?, references }))
}

/// Columns that are qualified by a table's own name.
fn rename_columns(query: &Query, sites: &[Site<'_>], splices: &mut Splices) {
    let bare = sites.iter().filter(|site| site.found.is_some() && site.alias.is_none());
    let bare: Vec<&str> = bare.map(|site| site.table.name.value.as_str()).collect();
    walk::query(query, &mut |node| match node {
        Node::Expr(Expr { kind: ExprKind::Column(column), .. }) => {
            if let Some(table) = &column.table {
                requalify(column.schema.as_ref(), table, &bare, splices);
            }
        }
        Node::Query(Query { body: Body::Select(select), .. }) => {
            for item in &select.items {
                if let SelectItemKind::QualifiedWildcard { schema, table } = &item.kind {
                    requalify(schema.as_ref(), table, &bare, splices);
                }
            }
        }
        Node::Expr(_) | Node::UnnamedItem(_) | Node::Query(_) | Node::Table(_) => {}
    });
}

/// A select item without an alias is called by its text, which must not change.
fn keep_names(text: &[u8], query: &Query, sites: &[Site<'_>], splices: &mut Splices) {
    walk::query(query, &mut |node| {
        let Node::UnnamedItem(item) = node else { return };
        if !sites.iter().any(|site| item.span.contains(site.table.span)) {
            return;
        }
        let name = text.get(item.span.range()).unwrap_or_default();
        splices.insert(item.span.end, [b" AS ".as_slice(), &quote::identifier(name)].concat());
    });
}

/// Takes the schema off a qualified name, and writes a table's name as FROM does: names of
/// information_schema have no case.
fn requalify(schema: Option<&Name>, table: &Name, bare: &[&str], splices: &mut Splices) {
    if schema.is_some_and(|schema| !schema.value.eq_ignore_ascii_case(SYSTEM)) {
        return;
    }
    let Some(name) = bare.iter().find(|name| name.eq_ignore_ascii_case(&table.value)) else {
        return;
    };
    let start = schema.map_or(table.span.start, |schema| schema.span.start);
    let span = Span { start, end: table.span.end };
    splices.replace(span, quote::identifier(name.as_bytes()));
}

/// All tables of information_schema in a query, subqueries included.
fn sites(query: &Query, at_home: bool) -> Vec<Site<'_>> {
    let mut ctes: Vec<&str> = Vec::new();
    walk::query(query, &mut |node| {
        if let Node::Query(query) = node {
            ctes.extend(query.with.iter().map(|cte| cte.name.value.as_str()));
        }
    });
    let means_system = |table: &TableName| match &table.schema {
        Some(schema) => schema.value.eq_ignore_ascii_case(SYSTEM),
        None => at_home && !ctes.iter().any(|cte| cte.eq_ignore_ascii_case(&table.name.value)),
    };
    let mut sites = Vec::new();
    walk::query(query, &mut |node| {
        let Node::Query(query) = node else { return };
        match &query.body {
            Body::Select(select) => {
                select.from.iter().for_each(|entry| from(entry, select, &mut sites));
            }
            Body::Table(table) => {
                sites.push(Site { table, alias: None, alias_at: None, block: None, found: None });
            }
            Body::SetOperation { .. } | Body::Values(_) | Body::Nested(_) => {}
        }
    });
    sites.retain(|site| means_system(site.table));
    sites.iter_mut().for_each(|site| site.found = tables::known(&site.table.name.value));
    sites
}

fn from<'a>(entry: &'a TableExpr, block: &'a Select, sites: &mut Vec<Site<'a>>) {
    match entry {
        TableExpr::Table(table) => sites.push(Site {
            table: &table.table,
            alias: table.alias.as_ref(),
            alias_at: Some(table.alias_at),
            block: Some(block),
            found: None,
        }),
        TableExpr::Join(join) => {
            from(&join.left, block, sites);
            from(&join.right, block, sites);
        }
        // The query inside is met by itself.
        TableExpr::Derived { .. } | TableExpr::Function { .. } => {}
    }
}

fn reference(
    text: &[u8],
    site: &Site<'_>,
    name: &'static str,
    contents: Contents,
    temporary: String,
) -> Reference {
    let (mut schemas, mut tables) = (None, None);
    if let (Contents::Objects(objects), Some(filter)) =
        (contents, site.block.and_then(|block| block.filter.as_ref()))
    {
        let exposed = &site.alias.unwrap_or(&site.table.name).value;
        schemas = values(text, filter, exposed, objects.schema);
        if !objects.table.is_empty() {
            tables = values(text, filter, exposed, objects.table);
        }
    }
    Reference { temporary, name, contents, schemas, tables }
}

/// The values that a condition leaves a column, if it names them. It is the WHERE of the block: what it
/// drops may be left out of the table itself.
fn values(text: &[u8], filter: &Expr, exposed: &str, column: &str) -> Option<Vec<Value>> {
    let is_column = |expr: &Expr| match &expr.kind {
        ExprKind::Column(ColumnName { table, name, .. }) => {
            name.value.eq_ignore_ascii_case(column)
                && table.as_ref().is_none_or(|table| table.value.eq_ignore_ascii_case(exposed))
        }
        _ => false,
    };
    match &filter.kind {
        ExprKind::And(operands) => {
            operands.iter().find_map(|operand| values(text, operand, exposed, column))
        }
        ExprKind::Compare { op: Comparison::Eq | Comparison::NullSafeEq, left, right } => {
            let other = if is_column(left) {
                right
            } else if is_column(right) {
                left
            } else {
                return None;
            };
            value(other).map(|value| vec![value])
        }
        ExprKind::In { expr, list, negated: false } if is_column(expr) => {
            list.iter().map(value).collect()
        }
        // `a LIKE 'name'` without wildcards is an equality, for it is one of names.
        ExprKind::Other { what: "LIKE", children, .. } => match children.as_slice() {
            [left, right] if is_column(left) && !is_negated(text, left, right) => {
                value(right).filter(is_plain).map(|it| vec![it])
            }
            _ => None,
        },
        _ => None,
    }
}

fn value(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(Literal::String { bytes, charset: None }) if bytes.is_ascii() => {
            Some(Value::Text(bytes.clone()))
        }
        ExprKind::Param(index) => Some(Value::Param(*index)),
        _ => None,
    }
}

/// `a NOT LIKE b`
fn is_negated(text: &[u8], left: &Expr, right: &Expr) -> bool {
    let between = text.get(left.span.end as usize..right.span.start as usize);
    between.is_none_or(|words| !words.trim_ascii().eq_ignore_ascii_case(b"LIKE"))
}

/// A pattern that stands for itself alone.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Text(text) => !text.iter().any(|byte| matches!(byte, b'%' | b'_' | b'\\')),
        Value::Param(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{self, Mode};

    fn rewritten(schema: &str, text: &str) -> Option<Rewritten> {
        let statement = sql::parse(text.as_bytes(), &Mode::default()).unwrap();
        rewrite(text.as_bytes(), &statement, Some(schema)).unwrap()
    }

    fn check(schema: &str, text: &str, expect: &str) {
        let found = rewritten(schema, text).map(|found| String::from_utf8(found.text).unwrap());
        assert_eq!(found.as_deref().unwrap_or("-"), expect, "{text}");
    }

    #[test]
    fn puts_temporary_tables_in() {
        check("shop", "SELECT * FROM t", "-");
        check("shop", "SELECT * FROM information_schema.engines", "-");
        check(
            "shop",
            "SELECT Tables.table_name FROM information_schema.TABLES WHERE TABLES.engine = 'x'",
            "SELECT `TABLES`.table_name FROM `_margay_1` AS `TABLES` WHERE `TABLES`.engine = 'x'",
        );
        check(
            "shop",
            "SELECT information_schema.tables.* FROM information_schema.tables, \
             information_schema.columns c",
            "SELECT `tables`.* FROM `_margay_1` AS `tables`, `_margay_2` c",
        );
        check(
            "information_schema",
            "WITH columns AS (SELECT 1) SELECT * FROM columns, views v, engines",
            "WITH columns AS (SELECT 1) SELECT * FROM columns, `_margay_1` v, \
             information_schema.engines",
        );
        check("information_schema", "TABLE tables", "TABLE `_margay_1`");
        check(
            "shop",
            "SELECT (SELECT COUNT(*) FROM information_schema.tables) FROM t",
            "SELECT (SELECT COUNT(*) FROM `_margay_1` AS `tables`) AS `(SELECT COUNT(*) FROM \
             information_schema.tables)` FROM t",
        );
    }

    fn check_values(text: &str, expect: &str) {
        let found = rewritten("shop", text).unwrap();
        let told = |values: &Option<Vec<Value>>| match values {
            None => "-".to_owned(),
            Some(values) => {
                let told = values.iter().map(|value| match value {
                    Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    Value::Param(index) => format!("?{index}"),
                });
                told.collect::<Vec<_>>().join(" ")
            }
        };
        let told = found
            .references
            .iter()
            .map(|it| format!("{}: {} / {}", it.name, told(&it.schemas), told(&it.tables)));
        assert_eq!(told.collect::<Vec<_>>().join("; "), expect, "{text}");
    }

    #[test]
    fn reads_conditions() {
        const FROM: &str = "SELECT 1 FROM information_schema";
        check_values(&format!("{FROM}.tables"), "TABLES: - / -");
        check_values(
            &format!("{FROM}.tables WHERE table_schema = 'shop' AND 't' = Table_Name AND 1"),
            "TABLES: shop / t",
        );
        check_values(
            &format!("{FROM}.columns c WHERE c.table_schema = ? AND c.table_name IN ('a', ?)"),
            "COLUMNS: ?0 / a ?1",
        );
        check_values(&format!("{FROM}.tables WHERE table_schema = 'a' OR 1"), "TABLES: - / -");
        check_values(&format!("{FROM}.tables WHERE table_name LIKE 'ab'"), "TABLES: - / ab");
        check_values(&format!("{FROM}.tables WHERE table_name LIKE 'a%'"), "TABLES: - / -");
        check_values(&format!("{FROM}.tables WHERE table_name NOT LIKE 'ab'"), "TABLES: - / -");
        check_values(
            &format!("{FROM}.tables t, information_schema.views v WHERE t.table_schema = 'x'"),
            "TABLES: x / -; VIEWS: - / -",
        );
    }
}
