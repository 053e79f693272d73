//! Temporary tables with rows that Margay has made.

use std::sync::Arc;

use super::fetch::Contained;
use super::fold::Row;
use super::refer::{Reference, SYSTEM};
use crate::backend::{Connection, SessionState};
use crate::error::Result;
use crate::execute::combine::{Abilities, Loader};
use crate::sql::quote;

/// The length at which an INSERT ends.
const INSERT_LEN: usize = 256 << 10;

/// Makes and fills a temporary table for each reference. The connection is reset before another
/// session uses it.
pub(super) async fn load(
    connection: &mut Connection,
    state: &Arc<SessionState>,
    abilities: &Abilities,
    references: &[Reference],
    contents: &[Contained],
) -> Result<()> {
    connection.note_temporary("");
    let loader = Loader::begin(connection, state, abilities).await?;
    let key = if loader.dialect.needs_key { KEY } else { "" };
    for reference in references {
        // Types, collations and defaults are the server's own.
        let text = format!(
            "CREATE TEMPORARY TABLE `{}`{key} AS SELECT * FROM {SYSTEM}.`{}` LIMIT 0",
            reference.temporary, reference.name
        );
        loader.send(connection, text.as_bytes())?;
    }
    loader.finish(connection).await?;
    for (reference, contained) in references.iter().zip(contents) {
        fill(&loader, connection, &reference.temporary, contained).await?;
    }
    Ok(())
}

/// For servers that refuse tables without a primary key.
const KEY: &str = " (`_margay_row` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY)";

async fn fill(
    loader: &Loader,
    connection: &mut Connection,
    name: &str,
    contained: &Contained,
) -> Result<()> {
    let columns: Vec<String> =
        contained.columns.iter().map(|column| format!("`{column}`")).collect();
    let head = format!("INSERT INTO `{name}` ({}) VALUES ", columns.join(", "));
    let mut text = Vec::new();
    for row in &contained.rows {
        text.extend_from_slice(if text.is_empty() { head.as_bytes() } else { b", " });
        put_row(&mut text, row);
        if text.len() >= INSERT_LEN {
            loader.send(connection, &text)?;
            loader.finish(connection).await?;
            text.clear();
        }
    }
    if !text.is_empty() {
        loader.send(connection, &text)?;
        loader.finish(connection).await?;
    }
    Ok(())
}

fn put_row(text: &mut Vec<u8>, row: &Row) {
    text.push(b'(');
    for (index, cell) in row.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        match cell {
            Some(cell) => text.extend_from_slice(&quote::text(cell)),
            None => text.extend_from_slice(b"NULL"),
        }
    }
    text.push(b')');
}
