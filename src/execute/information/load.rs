//! Temporary tables with rows that Margay has made.

use super::fetch::Contained;
use super::fold::Row;
use super::refer::{Reference, SYSTEM};
use crate::backend::{Connection, Lease};
use crate::error::{Error, Result};
use crate::protocol::reply::ReplyHead;
use crate::sql::quote;

/// The length at which an INSERT ends.
const INSERT_LEN: usize = 1 << 20;

/// Makes and fills a temporary table for each reference. The connection is tainted from here on, until
/// [`remove`] has taken them away.
pub(super) async fn load(
    lease: &mut Lease,
    references: &[Reference],
    contents: &[Contained],
) -> Result<()> {
    lease.taint();
    for reference in references {
        // Types, collations and defaults are the server's own.
        let text = format!(
            "CREATE TEMPORARY TABLE `{}` AS SELECT * FROM {SYSTEM}.`{}` LIMIT 0",
            reference.temporary, reference.name
        );
        lease.queue_query(text.as_bytes())?;
    }
    finish(lease, references.len()).await?;
    for (reference, contained) in references.iter().zip(contents) {
        fill(lease, &reference.temporary, contained).await?;
    }
    Ok(())
}

/// Takes the temporary tables away; the connection is as it was.
pub(super) async fn remove(lease: &mut Lease, references: &[Reference]) -> Result<()> {
    let names: Vec<String> =
        references.iter().map(|reference| format!("`{}`", reference.temporary)).collect();
    if !names.is_empty() {
        let text = format!("DROP TEMPORARY TABLE {}", names.join(", "));
        lease.queue_query(text.as_bytes())?;
        finish(lease, 1).await?;
    }
    lease.untaint();
    Ok(())
}

async fn fill(lease: &mut Lease, name: &str, contained: &Contained) -> Result<()> {
    let columns: Vec<String> =
        contained.columns.iter().map(|column| format!("`{column}`")).collect();
    let head = format!("INSERT INTO `{name}` ({}) VALUES ", columns.join(", "));
    let mut text = Vec::new();
    for row in &contained.rows {
        text.extend_from_slice(if text.is_empty() { head.as_bytes() } else { b", " });
        put_row(&mut text, row);
        if text.len() >= INSERT_LEN {
            lease.queue_query(&text)?;
            finish(lease, 1).await?;
            text.clear();
        }
    }
    if !text.is_empty() {
        lease.queue_query(&text)?;
        finish(lease, 1).await?;
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

/// Sends what is queued and reads so many replies without rows.
async fn finish(connection: &mut Connection, count: usize) -> Result<()> {
    connection.flush().await?;
    for _ in 0..count {
        match connection.read_head().await? {
            ReplyHead::Ok(_) => {}
            ReplyHead::Err(error) => return Err(Error::server(error)),
            ReplyHead::Columns(_) | ReplyHead::LocalInfile(_) => {
                return Err(Error::protocol("rows in reply to a statement that gives none"));
            }
        }
    }
    Ok(())
}
