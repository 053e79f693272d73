//! From the text of a CREATE VIEW to a definition that means the same everywhere.

use super::expand::{is_utf8, own};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::query::{Body, Query, Select, SelectItem, SelectItemKind};
use crate::sql::references::of_query;
use crate::sql::splice::Splices;
use crate::sql::statement::{Statement, StatementKind};
use crate::sql::token::{Token, TokenKind};
use crate::sql::walk::{self, Node};
use crate::sql::{self, Mode, Span, quote, scanner};

/// Refuses what no view may hold.
///
/// # Errors
/// 1350 for INTO, 1351 for variables and parameters.
pub fn check(query: &Query, params: u16) -> Result<()> {
    let mut variables = params > 0;
    let mut into = false;
    walk::query(query, &mut |node| match node {
        Node::Expr(expr) => {
            let kind = &expr.kind;
            variables |= matches!(kind, ExprKind::UserVariable(_) | ExprKind::SystemVariable(_));
        }
        Node::Query(query) => into |= query.into.is_some(),
        Node::UnnamedItem(_) | Node::Table(_) => {}
    });
    if into {
        return Err(own(1350, "View's SELECT contains a 'INTO' clause".to_owned()));
    }
    if variables {
        return Err(own(1351, "View's SELECT contains a variable or parameter".to_owned()));
    }
    Ok(())
}

/// The query of a view as text that reads alike in every `sql_mode` and in every schema. `text` is what
/// it was parsed from, in the character set `charset`; `schema` is the current one.
///
/// # Errors
/// 1046 if a table has no schema; `Unsupported` for text that could not be read again as it was.
pub fn normalized(
    text: &[u8],
    query: &Query,
    mode: &Mode,
    schema: Option<&str>,
    charset: &str,
) -> Result<String> {
    let own_text = text.get(query.span.range()).unwrap_or_default();
    if !own_text.is_ascii() && !is_utf8(charset) {
        return Err(Error::unsupported(format!(
            "a view with letters outside of ASCII in the character set {charset} is not supported; use \
             SET NAMES utf8mb4"
        )));
    }
    let scan = scanner::scan(text, mode)?;
    if scan.conditional {
        return Err(Error::unsupported(
            "a view with a comment such as /*!80000 ... */ that only some servers run is not supported",
        ));
    }
    let tokens: Vec<Token> =
        scan.tokens.into_iter().filter(|token| query.span.contains(token.span)).collect();
    let mut splices = Splices::new();
    for reference in of_query(query) {
        if reference.table.schema.is_none() {
            let schema =
                schema.ok_or_else(|| Error::new(ErrorKind::NoDatabase, "No database selected"))?;
            let prefix = [&quote::identifier(schema.as_bytes()), b".".as_slice()].concat();
            splices.insert(reference.table.span.start, prefix);
        }
    }
    let joined = operators(query, &tokens, &mut splices);
    for token in &tokens {
        let raw = text.get(token.span.range()).unwrap_or_default();
        match token.kind {
            TokenKind::PipePipe if !joined.contains(&token.span) => {
                splices.replace(token.span, b" OR ".as_slice());
            }
            TokenKind::Quoted if raw.starts_with(b"\"") => {
                let inner = raw.get(1..raw.len() - 1).unwrap_or_default();
                let name = String::from_utf8_lossy(inner).replace("\"\"", "\"");
                splices.replace(token.span, quote::identifier(name.as_bytes()));
            }
            TokenKind::String | TokenKind::NationalString => {
                if let Some(string) = requoted(raw, !mode.no_backslash_escapes) {
                    splices.replace(token.span, string);
                }
            }
            _ => {}
        }
    }
    let definition = splices.apply_within(text, query.span)?;
    String::from_utf8(definition)
        .map_err(|_| Error::unsupported("a view whose text is not UTF-8; use SET NAMES utf8mb4"))
}

/// Makes operators clear whose meaning depends on the mode: NOT, and `||` where it joins texts. Gives
/// the latter.
fn operators(query: &Query, tokens: &[Token], splices: &mut Splices) -> Vec<Span> {
    let mut joined = Vec::new();
    walk::query(query, &mut |node| {
        let Node::Expr(expr) = node else { return };
        match &expr.kind {
            ExprKind::Not(operand) => {
                for at in [expr.span.start, operand.span.start] {
                    splices.insert(at, b"(".as_slice());
                }
                for at in [operand.span.end, expr.span.end] {
                    splices.insert(at, b")".as_slice());
                }
            }
            ExprKind::Other { what: "concatenation", children, .. } => {
                let [left, right] = children.as_slice() else { return };
                let between = Span { start: left.span.end, end: right.span.start };
                let is_operator = |token: &&Token| {
                    token.kind == TokenKind::PipePipe && between.contains(token.span)
                };
                if let Some(operator) = tokens.iter().find(is_operator) {
                    splices.insert(left.span.start, b"CONCAT(".as_slice());
                    splices.replace(operator.span, b",".as_slice());
                    splices.insert(right.span.end, b")".as_slice());
                    joined.push(operator.span);
                }
            }
            _ => {}
        }
    });
    joined
}

/// A string in single quotes with backslashes that escape. None: it is one.
fn requoted(raw: &[u8], escapes: bool) -> Option<Vec<u8>> {
    let double = raw.starts_with(b"\"");
    if !double && (escapes || !raw.contains(&b'\\')) {
        return None;
    }
    let start = raw.iter().position(|byte| matches!(byte, b'\'' | b'"'))?;
    let (prefix, quoted) = raw.split_at(start);
    let (&delimiter, rest) = quoted.split_first()?;
    let mut out = [prefix, b"'"].concat();
    let mut bytes = rest.strip_suffix(&[delimiter])?.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if escapes => {
                out.push(byte);
                out.extend(bytes.next());
            }
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte if byte == delimiter => {
                // It is doubled.
                bytes.next();
                out.extend_from_slice(if double { b"\"" } else { b"''" });
            }
            b'\'' => out.extend_from_slice(b"''"),
            byte => out.push(byte),
        }
    }
    out.push(b'\'');
    Some(out)
}

/// The definition with names for all of its columns, and these names. `described`: what a server calls
/// the columns; `wanted`: what the view is to call them, empty for the same.
///
/// # Errors
/// 1353 if there are more or fewer names than columns, 1060 if two are alike; `Unsupported` if an
/// expression needs an alias.
pub fn named(
    definition: &str,
    described: &[String],
    wanted: &[String],
) -> Result<(String, Vec<String>)> {
    if !wanted.is_empty() && wanted.len() != described.len() {
        return Err(own(
            1353,
            "In definition of view, derived table or common table expression, SELECT list and column \
             names list have different column counts"
                .to_owned(),
        ));
    }
    let generated = |(index, name): (usize, &String)| {
        const LONGEST: usize = 64;
        let usable = !name.is_empty() && !name.ends_with(' ') && name.chars().count() <= LONGEST;
        if usable { name.clone() } else { format!("Name_exp_{}", index + 1) }
    };
    let inner: Vec<String> = described.iter().enumerate().map(generated).collect();
    let names = if wanted.is_empty() { inner.clone() } else { wanted.to_vec() };
    if let Some(name) = twice(&names) {
        return Err(Error::server(crate::error::ServerError {
            code: 1060,
            state: *b"42S21",
            message: format!("Duplicate column name '{name}'").into_bytes(),
        }));
    }
    let statement = sql::parse(definition.as_bytes(), &Mode::default())?;
    let StatementKind::Query(query) = &statement.kind else {
        return Err(Error::internal("the definition of a view is no query"));
    };
    if let Some(select) = renamable(query, &names, described) {
        return Ok((with_aliases(definition, select, &names)?, names));
    }
    if let Some(name) = twice(&inner) {
        return Err(Error::unsupported(format!(
            "two columns of the view's query are called `{name}`; give them names of their own with AS"
        )));
    }
    let definition = inner_aliases(definition, &statement, &inner)?;
    let quoted =
        |name: &String| String::from_utf8_lossy(&quote::identifier(name.as_bytes())).into_owned();
    let item = |(inner, name): (&String, &String)| {
        if inner == name { quoted(name) } else { format!("{} AS {}", quoted(inner), quoted(name)) }
    };
    let items: Vec<String> = inner.iter().zip(&names).map(item).collect();
    Ok((format!("SELECT {} FROM ({definition}) AS `{INNER}`", items.join(", ")), names))
}

/// The derived table inside of a view whose columns get other names.
const INNER: &str = "margay_view";

fn twice(names: &[String]) -> Option<&String> {
    names.iter().enumerate().find_map(|(index, name)| {
        let rest = names.get(index + 1..).unwrap_or_default();
        rest.iter().find(|other| other.to_lowercase() == name.to_lowercase())
    })
}

/// The SELECT whose items name the columns; whether ORDER BY stands behind it at some level.
fn first_select(query: &Query) -> (Option<&Select>, bool) {
    let ordered = !query.order_by.is_empty();
    let (select, inner) = match &query.body {
        Body::Select(select) => (Some(select.as_ref()), false),
        Body::SetOperation { left, .. } => first_select(left),
        Body::Nested(inner) => first_select(inner),
        Body::Values(_) | Body::Table(_) => (None, false),
    };
    (select, ordered || inner)
}

/// The first SELECT, if its items can be called by `names` without a change of what they mean.
fn renamable<'q>(query: &'q Query, names: &[String], described: &[String]) -> Option<&'q Select> {
    let (select, ordered) = first_select(query);
    let select = select?;
    if select.items.len() != names.len() {
        return None;
    }
    let grouped_by = |name: &String| {
        let mut found = false;
        for item in &select.group_by {
            item.expr.walk(&mut |expr| {
                if let ExprKind::Column(column) = &expr.kind {
                    found |= column.name.value.eq_ignore_ascii_case(name);
                }
            });
        }
        found
    };
    let fits = |((item, name), own): ((&SelectItem, &String), &String)| match &item.kind {
        SelectItemKind::Expr { .. } if name == own => true,
        SelectItemKind::Expr { alias, .. } => {
            alias.is_none() && !ordered && select.having.is_none() && !grouped_by(name)
        }
        SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => false,
    };
    select.items.iter().zip(names).zip(described).all(fits).then_some(select)
}

/// The definition with an alias for each item that has none.
fn with_aliases(definition: &str, select: &Select, names: &[String]) -> Result<String> {
    let mut splices = Splices::new();
    for (item, name) in select.items.iter().zip(names) {
        if let SelectItemKind::Expr { expr, alias: None } = &item.kind {
            alias(expr, name, &mut splices);
        }
    }
    text(splices.apply(definition.as_bytes())?)
}

fn alias(expr: &Expr, name: &str, splices: &mut Splices) {
    if !matches!(&expr.kind, ExprKind::Column(column) if column.name.value == name) {
        let alias = [b" AS ".as_slice(), &quote::identifier(name.as_bytes())].concat();
        splices.insert(expr.span.end, alias);
    }
}

/// The definition with aliases for expressions between wildcards, as far as it is certain which columns
/// they are.
fn inner_aliases(definition: &str, statement: &Statement, names: &[String]) -> Result<String> {
    let StatementKind::Query(query) = &statement.kind else { return Ok(definition.to_owned()) };
    let (Some(select), _) = first_select(query) else { return Ok(definition.to_owned()) };
    let items = &select.items;
    let is_star = |item: &SelectItem| !matches!(item.kind, SelectItemKind::Expr { .. });
    let stars = (items.iter().position(is_star), items.iter().rposition(is_star));
    let mut splices = Splices::new();
    for (index, item) in items.iter().enumerate() {
        let SelectItemKind::Expr { expr, alias: None } = &item.kind else { continue };
        let column = match stars {
            (Some(first), _) if index < first => Some(index),
            (_, Some(last)) if index > last => names.len().checked_sub(items.len() - index),
            (Some(_), Some(_)) => None,
            (None, _) | (_, None) => Some(index),
        };
        match column.and_then(|column| names.get(column)) {
            Some(name) => alias(expr, name, &mut splices),
            None if matches!(expr.kind, ExprKind::Column(_)) => {}
            None => {
                return Err(Error::unsupported(
                    "an expression between two wildcards in a view needs a name; give it one with AS",
                ));
            }
        }
    }
    text(splices.apply(definition.as_bytes())?)
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::internal("a definition that is not UTF-8"))
}
