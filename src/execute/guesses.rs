//! How many rows tables hold, about: which way a combined plan takes depends on it.

use std::sync::Arc;
use std::time::Duration;

use super::snapshot::Snapshot;
use crate::backend::Access;
use crate::error::Result;
use crate::plan::facts::{Facts, TableId};
use crate::sql::quote;

/// Guesses are believed for so long: tables fill while their definitions stay as they are.
pub(super) const GUESS_TTL: Duration = Duration::from_secs(10);

impl Snapshot {
    /// Asks anew for guesses that are old. What cannot be told stays as it was.
    pub(super) async fn renew_guesses(&self, facts: &mut Facts) {
        let known = facts.columns.iter().filter(|(_, columns)| columns.is_some());
        let tables: Vec<TableId> = known.map(|(table, _)| table.clone()).collect();
        let old = self.facts.old_guesses(tables);
        for table in &old {
            match self.guess(table).await {
                Ok(Some(rows)) => self.facts.learn_guess(table, rows),
                Ok(None) => {}
                Err(error) => tracing::debug!(table = table.table, %error, "rows not guessed"),
            }
        }
        self.facts.recall(&old, facts);
    }

    /// Rows of the first physical table, as its server's optimizer counts on. Unlike what
    /// information_schema tells, that is never a day old.
    async fn guess(&self, id: &TableId) -> Result<Option<u64>> {
        let Some((shard, name)) = self.first_table(id)? else { return Ok(None) };
        if self.catalog.schema(&id.schema).is_none_or(|schema| schema.table(&id.table).is_by_time())
        {
            // Its first is a pattern without rows.
            return Ok(None);
        }
        let shard = self.shard(shard)?;
        let text = [
            b"EXPLAIN FORMAT=TRADITIONAL SELECT 1 FROM ".as_slice(),
            &quote::identifier(shard.database.as_bytes()),
            b".",
            &quote::identifier(name.as_bytes()),
        ]
        .concat();
        let mut lease = self.backends.lease(shard.cluster, Access::Primary, false).await?;
        lease.set_deadline(self.deadline(None));
        lease.ensure_state(&Arc::default()).await?;
        let result = lease.query_all(&text).await?;
        // An empty table counts as one row, and may be one that is not filled yet.
        let rows = result.first("rows").and_then(|rows| rows.parse().ok());
        Ok(rows.filter(|rows| *rows > 1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::execute::facts::FactCache;
    use crate::plan::facts::Columns;

    #[tokio::test]
    async fn guesses_are_asked_for_once_in_a_while() {
        let cache = FactCache::new(Duration::from_secs(600));
        let table = TableId { schema: "shop".to_owned(), table: "orders".to_owned() };
        let columns = Columns { columns: Vec::new(), unique: None, rows: 0 };
        cache.learn_columns(&table, &Arc::new(columns.clone()));
        let tables = vec![table.clone()];

        assert_eq!(cache.old_guesses(tables.clone()), tables);
        cache.learn_guess(&table, 38_000);
        assert!(cache.old_guesses(tables.clone()).is_empty());
        cache.forget([table.clone()]);
        assert_eq!(cache.old_guesses(tables.clone()), tables);
        cache.learn_columns(&table, &Arc::new(columns));
        let generation = cache.generation();
        cache.learn_guess(&table, 38_000);

        let mut facts = Facts::default();
        cache.recall(&tables, &mut facts);
        let rows = facts.columns.get(&table).and_then(Option::as_ref).map(|columns| columns.rows);
        assert_eq!(rows, Some(38_000));
        // Plans are as right as before.
        assert_eq!(cache.generation(), generation);
    }
}
