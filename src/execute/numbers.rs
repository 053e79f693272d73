//! Generated ids of an INSERT: taken before its rows are placed, and what LAST_INSERT_ID() makes of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::run::{Call, Fragment, Run};
use super::snapshot::Snapshot;
use super::summary::Summary;
use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::facts::Facts;
use crate::plan::ids::{self, Numbering};
use crate::plan::render::physical_name;
use crate::plan::template::Target;
use crate::plan::types::{Insert, InsertIds, Maker};
use crate::protocol::capability::ColumnType;
use crate::protocol::params::{Param, ParamValue};
use crate::sequence::exhausted;
use crate::sql::quote;
use crate::transaction::Lent;

/// An INSERT whose rows have their ids.
pub(super) struct Numbered {
    pub(super) insert: Insert,
    /// By row; None: the row brings its own.
    pub(super) numbers: Vec<Option<u64>>,
    /// They are parameters behind those of the client.
    pub(super) params: Arc<[Param]>,
}

/// The generated ids of what one target is sent.
pub(super) struct Ids {
    /// In the order of the rows; at least one.
    numbers: Vec<u64>,
    /// Rows, those with ids of their own included.
    rows: usize,
    ignore: bool,
    on_duplicate: bool,
    /// The affected rows are rows found, not rows changed.
    found_rows: bool,
    /// Asks for the first id that was inserted.
    question: Vec<u8>,
}

impl Run<'_> {
    /// Gives ids to the rows that want one.
    pub(super) async fn number(
        &mut self,
        insert: &Insert,
        ids: &InsertIds,
        facts: &mut Facts,
    ) -> Result<Numbered> {
        let zero = self.zero_is_value();
        let numbering = self
            .settle(facts, |run, facts| ids::numbering(insert, ids, zero, &run.values(facts)))
            .await?;
        let mut new = self.snapshot.new_ids(&insert.table, ids, &numbering).await?.into_iter();
        let numbers: Vec<Option<u64>> =
            numbering.wanted.iter().map(|wanted| wanted.then(|| new.next()).flatten()).collect();
        let first_param = match self.call {
            Call::Text => None,
            Call::Prepared { params, .. } => u16::try_from(params.len())
                .ok()
                .filter(|_| params.len() + insert.rows.len() <= usize::from(u16::MAX)),
        };
        let params: Vec<Param> = match first_param {
            Some(_) => numbers.iter().map(|number| param(number.unwrap_or_default())).collect(),
            None => Vec::new(),
        };
        let insert = ids::fill(insert, &numbers, first_param);
        Ok(Numbered { insert, numbers, params: params.into() })
    }

    /// NO_AUTO_VALUE_ON_ZERO.
    fn zero_is_value(&self) -> bool {
        let mode = self.state.base().variables.get("sql_mode");
        mode.is_some_and(|mode| mode.to_ascii_uppercase().contains("NO_AUTO_VALUE_ON_ZERO"))
    }

    /// What the session must know of the ids in a target's rows.
    pub(super) fn ids_of(
        &self,
        numbered: &Numbered,
        target: &Target,
        rows: &[usize],
    ) -> Option<Ids> {
        let rule = numbered.insert.ids.as_ref().filter(|ids| ids.maker.is_some())?;
        let number = |row: &usize| numbered.numbers.get(*row).copied().flatten();
        let numbers: Vec<u64> = rows.iter().filter_map(number).collect();
        if numbers.is_empty() {
            return None;
        }
        let table = physical_name(&numbered.insert.table, target)?;
        let (ignore, on_duplicate) = (rule.ignore, rule.on_duplicate);
        let question = match ignore || on_duplicate {
            true => question(table, &rule.column, &numbers),
            false => Vec::new(),
        };
        let (rows, found_rows) = (rows.len(), self.found_rows);
        Some(Ids { numbers, rows, ignore, on_duplicate, found_rows, question })
    }
}

/// Which of the ids went into the table, by the number of affected rows.
enum Inserted {
    All,
    None,
    Unknown,
}

impl Ids {
    fn inserted(&self, affected: u64) -> Inserted {
        let all = affected == self.rows as u64;
        match (self.ignore, self.on_duplicate) {
            (false, false) => Inserted::All,
            _ if affected == 0 => Inserted::None,
            (true, false) if all => Inserted::All,
            // One row inserted; two: one row changed.
            (_, true) if self.rows == 1 && affected == 2 => Inserted::None,
            (_, true) if self.rows == 1 && !self.found_rows => Inserted::All,
            (true, false) | (_, true) => Inserted::Unknown,
        }
    }

    /// The first of the ids that is in the table now, or 0.
    async fn first(&self, lent: &mut Lent, affected: u64) -> Result<u64> {
        match self.inserted(affected) {
            Inserted::All => Ok(self.numbers.first().copied().unwrap_or_default()),
            Inserted::None => Ok(0),
            Inserted::Unknown => {
                let found = lent.lease.query_all(&self.question).await?;
                let first = found.rows.first().and_then(|row| row.first()?.as_ref());
                let text = first.and_then(|first| std::str::from_utf8(first).ok());
                Ok(text.and_then(|text| text.parse().ok()).unwrap_or_default())
            }
        }
    }
}

impl Fragment {
    /// Notes the generated id that the statement tells of; behind the statement on its connection.
    pub(super) async fn note_ids(&self, lent: &mut Lent, summary: &mut Summary) -> Result<()> {
        if let Some(ids) = &self.ids {
            summary.generated = Some(ids.first(lent, summary.affected_rows).await?);
        }
        Ok(())
    }
}

fn question(table: &str, column: &str, numbers: &[u64]) -> Vec<u8> {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let column = quote::identifier(column.as_bytes());
    [
        b"SELECT MIN(".as_slice(),
        &column,
        b") FROM ",
        &quote::identifier(table.as_bytes()),
        b" WHERE ",
        &column,
        format!(" IN ({})", numbers.join(", ")).as_bytes(),
    ]
    .concat()
}

fn param(number: u64) -> Param {
    let bytes = number.to_le_bytes().to_vec();
    let ty = ColumnType::MYSQL_TYPE_LONGLONG;
    Param { ty, unsigned: true, value: ParamValue::Bytes(bytes.into()) }
}

impl Snapshot {
    /// As many ids as rows want one.
    async fn new_ids(
        &self,
        table: &Table,
        ids: &InsertIds,
        numbering: &Numbering,
    ) -> Result<Vec<u64>> {
        let count = numbering.count();
        let home = self.catalog.schema(&table.schema).map(|schema| schema.default_shard);
        let home = home.ok_or_else(|| Error::internal("a table without a schema"))?;
        let cluster = self.shard(home)?.cluster;
        match ids.maker {
            None => Ok(Vec::new()),
            Some(Maker::Snowflake) if count == 0 => Ok(Vec::new()),
            Some(Maker::Snowflake) => self.sequences.snowflake(cluster, count).await,
            Some(Maker::Segment) => self.counted_ids(cluster, table, ids, numbering).await,
        }
    }

    async fn counted_ids(
        &self,
        cluster: usize,
        table: &Table,
        ids: &InsertIds,
        numbering: &Numbering,
    ) -> Result<Vec<u64>> {
        let count = numbering.count();
        let name = format!("{}.{}", table.schema, table.name);
        // Of no more than the column can hold: that row will be refused.
        if let Some(used) = numbering.greatest.filter(|used| *used <= ids.most)
            && !self.sequences.skip(cluster, &name, used).await?
        {
            self.begin_sequence(cluster, &name, table, ids).await?;
            self.sequences.skip(cluster, &name, used).await?;
        }
        if count == 0 {
            return Ok(Vec::new());
        }
        let taken = match self.sequences.segment(cluster, &name, count).await? {
            Some(taken) => taken,
            None => {
                self.begin_sequence(cluster, &name, table, ids).await?;
                let taken = self.sequences.segment(cluster, &name, count).await?;
                taken.ok_or_else(|| {
                    let message = format!("the sequence `{name}` vanished from `id_segments`");
                    Error::new(ErrorKind::Config, message)
                })?
            }
        };
        if taken.last().is_some_and(|last| *last > ids.most) {
            return Err(exhausted());
        }
        Ok(taken)
    }

    /// Behind all ids that the table has on any shard.
    async fn begin_sequence(
        &self,
        cluster: usize,
        name: &str,
        table: &Table,
        ids: &InsertIds,
    ) -> Result<()> {
        let mut greatest: u64 = 0;
        let shards: BTreeSet<_> = table.shards().iter().copied().collect();
        for shard in shards {
            let found = self.tables_on(shard).await?;
            let place = self.shard(shard)?;
            for physical in found.keys().filter(|physical| table.owns(physical)) {
                let text = [
                    b"SELECT MAX(".as_slice(),
                    &quote::identifier(ids.column.as_bytes()),
                    b") FROM ",
                    &quote::identifier(place.database.as_bytes()),
                    b".",
                    &quote::identifier(physical.as_bytes()),
                ]
                .concat();
                let rows = self.ask(place.cluster, &text).await?;
                let cell = rows.first().and_then(|row| row.first()?.as_ref());
                let text = cell.and_then(|cell| std::str::from_utf8(cell).ok());
                greatest = greatest.max(text.and_then(|text| text.parse().ok()).unwrap_or(0));
            }
        }
        self.sequences.begin(cluster, name, greatest.saturating_add(1)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affected_rows_tell() {
        let check = |form: (bool, bool), rows: usize, affected: u64, expect: char| {
            let (ignore, on_duplicate) = form;
            let numbers = vec![7; rows];
            let question = Vec::new();
            let ids = Ids { numbers, rows, ignore, on_duplicate, found_rows: false, question };
            let found = match ids.inserted(affected) {
                Inserted::All => 'a',
                Inserted::None => 'n',
                Inserted::Unknown => '?',
            };
            assert_eq!(found, expect, "{form:?} {rows} {affected}");
        };
        let (plain, ignore, update) = ((false, false), (true, false), (false, true));
        check(plain, 3, 3, 'a');
        // REPLACE.
        check(plain, 1, 2, 'a');
        check(ignore, 3, 3, 'a');
        check(ignore, 3, 2, '?');
        check(ignore, 3, 0, 'n');
        check(update, 1, 1, 'a');
        check(update, 1, 2, 'n');
        check(update, 1, 0, 'n');
        check(update, 2, 2, '?');
    }

    #[test]
    fn questions() {
        let text = String::from_utf8(question("t_0", "id", &[1, 2])).unwrap();
        assert_eq!(text, "SELECT MIN(`id`) FROM `t_0` WHERE `id` IN (1, 2)");
    }
}
