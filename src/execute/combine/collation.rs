//! The collations of an answer's columns, where the answer does not tell.

use std::sync::Arc;

use bytes::Bytes;

use super::column::{Text, is_uncertain};
use super::program::Program;
use super::table::Held;
use crate::backend::Access;
use crate::error::Result;
use crate::execute::client_state::ClientState;
use crate::execute::run::{Call, Fragment};
use crate::execute::select::Head;
use crate::execute::snapshot::Snapshot;
use crate::execute::warnings::Warnings;
use crate::plan::facts::{ColumnClass, TableId};
use crate::protocol::column::Column;
use crate::protocol::row::BinaryValues;
use crate::sql::walk::{self, Node};
use crate::sql::{self, Mode};
use crate::transaction::{Lent, Transaction};

/// What gives the columns on one shard.
pub(super) struct Sample<'s> {
    pub(super) fragment: Fragment,
    pub(super) call: Call<'s>,
    pub(super) state: &'s ClientState,
    /// Temporary tables that it reads.
    pub(super) held: &'s [Arc<Held>],
}

impl Program<'_> {
    /// The collations of those columns whose collations are uncertain.
    pub(super) async fn collations(
        &self,
        columns: &[Column],
        sample: Option<Sample<'_>>,
    ) -> Result<Vec<Option<Text>>> {
        let mut found = vec![None; columns.len()];
        if !columns.iter().any(is_uncertain) {
            return Ok(found);
        }
        for (column, found) in columns.iter().zip(&mut found).filter(|(it, _)| is_uncertain(it)) {
            *found = of_table(self.snapshot, column).await?;
        }
        let is_open =
            |(column, found): (&Column, &Option<Text>)| is_uncertain(column) && found.is_none();
        if columns.iter().zip(&found).any(is_open)
            && let Some(sample) = sample
        {
            let asked = self.asked(sample, columns.len()).await?;
            for ((column, found), asked) in columns.iter().zip(&mut found).zip(asked) {
                if is_uncertain(column) && found.is_none() {
                    *found = asked;
                }
            }
        }
        Ok(found)
    }

    /// Asks a server by running the statement for no rows. Empty: MySQL's answers are certain.
    async fn asked(&self, sample: Sample<'_>, columns: usize) -> Result<Vec<Option<Text>>> {
        let Sample { mut fragment, call, state, held } = sample;
        let cluster = self.snapshot.shard(fragment.shard)?.cluster;
        let lease = self.snapshot.backends.lease(cluster, Access::Primary, false).await?;
        if !lease.is_mariadb() {
            return Ok(Vec::new());
        }
        // The transaction may hold the very rows, and this is another connection.
        let text = unlocked(&fragment.text, &self.source.mode);
        let list =
            |item: fn(usize) -> String| (0..columns).map(item).collect::<Vec<_>>().join(", ");
        // WITH cannot stand in an operand of UNION.
        let with = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"WITH"));
        let (open, close): (&str, &[u8]) =
            if with { ("SELECT * FROM (", b") AS w LIMIT 0") } else { ("(", b") LIMIT 0") };
        fragment.text = [
            format!(
                "SELECT {} FROM (SELECT 1) AS one LEFT JOIN (SELECT {} FROM DUAL WHERE FALSE \
                 UNION ALL {open}",
                list(|at| format!("COLLATION(d.c{at})")),
                list(|at| format!("NULL AS c{at}")),
            )
            .as_bytes(),
            &text,
            close,
            b") AS d ON FALSE",
        ]
        .concat();
        let mut lent = Lent::apart(lease, cluster);
        lent.lease.set_deadline(self.deadline);
        let (mut apart, mut warnings) = (Transaction::default(), Warnings::default());
        let run = self.run_of(&mut apart, state, call, held, &mut warnings);
        let Head::Rows(heads) = run.start_rows(&mut lent, &fragment).await? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        while let Some(row) = lent.lease.read_row().await? {
            for name in BinaryValues::new(&row, &heads)? {
                found.push(name?.map(|name| Text::of_collation(&String::from_utf8_lossy(name))));
            }
        }
        Ok(found)
    }
}

/// A query without its locking clauses.
fn unlocked(text: &[u8], mode: &Mode) -> Vec<u8> {
    let mut spans = Vec::new();
    if let Ok(statement) = sql::parse(text, mode) {
        walk::statement(&statement, &mut |node| {
            if let Node::Query(query) = node {
                spans.extend(query.locking.as_ref().map(|locking| locking.span.range()));
            }
        });
    }
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    let mut text = text.to_vec();
    for span in spans {
        if span.end <= text.len() {
            text.drain(span);
        }
    }
    text
}

/// The collation of a column of a table, by what is remembered of it.
async fn of_table(snapshot: &Snapshot, column: &Column) -> Result<Option<Text>> {
    let name = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    // What comes out of derived tables has no schema.
    if column.schema.is_empty() || column.org_name.is_empty() {
        return Ok(None);
    }
    let id = TableId { schema: name(&column.schema), table: name(&column.org_table) };
    let Some(columns) = snapshot.columns(&id).await? else { return Ok(None) };
    let wanted = name(&column.org_name).to_lowercase();
    let known = columns.columns.iter().find(|known| known.name.to_lowercase() == wanted);
    Ok(known.and_then(|known| match &known.class {
        ColumnClass::Text { collation, .. } => Some(Text::of_collation(collation)),
        _ => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let unlocked = unlocked(text.as_bytes(), &Mode::default());
        assert_eq!(String::from_utf8_lossy(&unlocked).trim_end(), expect);
    }

    #[test]
    fn locks_are_left_out() {
        check("SELECT a FROM t WHERE b = 1 FOR UPDATE", "SELECT a FROM t WHERE b = 1");
        check("SELECT a FROM t LOCK IN SHARE MODE", "SELECT a FROM t");
        check("SELECT a FROM t", "SELECT a FROM t");
    }
}
