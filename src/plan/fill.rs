//! Plans of CREATE TABLE ... SELECT where no server makes and fills the table by itself.

use std::sync::Arc;

use super::facts::Stop;
use super::planner::Context;
use super::types::{Fill, Source};
use crate::catalog::Table;
use crate::error::Error;
use crate::sql::query::Query;
use crate::sql::scanner::scan;
use crate::sql::span::Span;
use crate::sql::splice::Splices;
use crate::sql::statement::Ddl;
use crate::sql::token::TokenKind;

/// The name under which a server makes an empty table of the same definition.
pub const SAMPLE: &str = "_margay_new";

pub(super) fn plan(
    (ddl, query): (&Ddl, &Query),
    table: &Arc<Table>,
    text: &[u8],
    context: &Context<'_>,
) -> Result<Fill, Stop> {
    let name = ddl.tables.first().map_or(query.span, |name| name.span);
    let between = Span { start: name.end, end: query.span.start };
    let query = query.bare();
    let refuse = |what: &str, way_out: &str| -> Stop {
        let name = &table.name;
        let message =
            format!("CREATE TABLE `{name}` ... SELECT {what} is not supported; {way_out}");
        Error::unsupported(message).into()
    };
    if ddl.references {
        return Err(refuse("with a foreign key", "add the key with ALTER TABLE"));
    }
    let head = words(text, Span { start: 0, end: name.start }, context)?;
    if head.iter().any(|word| word == "OR") {
        return Err(refuse("with OR REPLACE", "drop the table first"));
    }
    let words = words(text, between, context)?;
    if words.iter().any(|word| word == "PARTITION") {
        return Err(refuse("with partitions", "create the table, then insert the rows"));
    }
    let mut ending = words.iter().rev().map(String::as_str).skip_while(|word| *word == "AS");
    let insert = match ending.next() {
        Some("IGNORE") => "INSERT IGNORE",
        Some("REPLACE") => "REPLACE",
        Some(_) | None => "INSERT",
    };
    let part = |span: Span| text.get(span.range()).unwrap_or_default().to_vec();
    let of = |text: Vec<u8>| Source {
        text,
        mode: context.mode,
        schema: context.schema.map(str::to_owned),
    };
    Ok(Fill {
        table: Arc::clone(table),
        name: part(name),
        definitions: part(between),
        empty: of(without_rows(query, text)?),
        source: of(part(query.span)),
        conditional: ddl.conditional,
        insert,
    })
}

/// The query with LIMIT 0.
fn without_rows(query: &Query, text: &[u8]) -> Result<Vec<u8>, Error> {
    let mut splices = Splices::new();
    if let Some(with) = query.limit.as_ref().filter(|limit| query.span.contains(limit.span)) {
        splices.replace(with.span, b"LIMIT 0".as_slice());
    } else {
        splices.insert(query.limit_at, b" LIMIT 0".as_slice());
    }
    splices.apply_within(text, query.span)
}

/// Words outside of parentheses, in upper case; quoted names are none.
fn words(text: &[u8], span: Span, context: &Context<'_>) -> Result<Vec<String>, Error> {
    let mut depth = 0_usize;
    let mut words = Vec::new();
    for token in scan(text, &context.mode)?.tokens {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 0 && span.contains(token.span) => {
                let word = text.get(token.span.range()).unwrap_or_default();
                words.push(String::from_utf8_lossy(word).to_ascii_uppercase());
            }
            _ => {}
        }
    }
    Ok(words)
}
