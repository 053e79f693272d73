//! Writes the rows themselves: where they are, or away from there and where they belong.

use super::copy::referring;
use super::{Move, Rows, tuple};
use crate::error::{Error, Result};
use crate::execute::pick::{Row, condition};
use crate::execute::run::{Call, Run};
use crate::plan::Plan;
use crate::plan::render::physical_name;
use crate::plan::resolve::insert_targets;
use crate::plan::template::Target as Place;

/// Rows, and bytes of literals, in one statement.
const BATCH_ROWS: usize = 200;
const BATCH_BYTES: usize = 256 << 10;

impl Run<'_> {
    /// Makes the rows what they shall be.
    pub(super) async fn place_rows(
        &mut self,
        relocates: &Move<'_>,
        rows: &Rows,
        new: &[Row],
    ) -> Result<()> {
        let before = self.places(relocates, &rows.old).await?;
        let after = self.places(relocates, new).await?;
        let (mut moved, mut left) = (Vec::new(), Vec::new());
        let mut stay = Vec::new();
        let all = rows.picked.iter().zip(&rows.old).zip(new).zip(before.iter().zip(&after));
        for (((picked, old), new), (before, after)) in all {
            if before == after {
                if old != new {
                    stay.push((picked, new));
                }
            } else {
                left.push((picked, before));
                moved.push(new);
            }
        }
        let mut from: Vec<&Place> = left.iter().map(|(_, place)| *place).collect();
        from.sort_unstable();
        from.dedup();
        for place in from {
            self.refuse_referred(relocates, place).await?;
        }
        for batch in left.chunks(BATCH_ROWS) {
            let picked: Vec<&Row> = batch.iter().map(|(picked, _)| *picked).collect();
            self.delete_rows(relocates, &picked).await?;
        }
        for (picked, new) in stay {
            self.update_row(relocates, picked, new).await?;
        }
        self.insert_rows_moved(relocates, &moved).await
    }

    /// Where rows of such values belong.
    async fn places(&mut self, relocates: &Move<'_>, rows: &[Row]) -> Result<Vec<Place>> {
        let mut places = Vec::with_capacity(rows.len());
        for batch in rows.chunks(BATCH_ROWS) {
            let batch: Vec<&Row> = batch.iter().collect();
            let text = insert(relocates, &batch);
            let (plan, mut facts) = self.planned(&text, &relocates.own).await?;
            let Plan::Insert(plan) = &plan else {
                return Err(Error::internal("an INSERT with the plan of another statement"));
            };
            let mut run = Run { state: &relocates.exact, call: Call::Text, ..self.again() };
            let found = run
                .settle(&mut facts, |run, facts| insert_targets(plan, &run.values(facts)))
                .await?;
            let mut placed = vec![None; batch.len()];
            for (target, rows) in found {
                for row in rows {
                    if let Some(place) = placed.get_mut(row) {
                        *place = Some(target.clone());
                    }
                }
            }
            let lost = || Error::internal("a row without a place");
            for place in placed {
                places.push(place.ok_or_else(lost)?);
            }
        }
        Ok(places)
    }

    /// Rows that others refer to cannot leave: those would be deleted with them, or left alone.
    async fn refuse_referred(&mut self, relocates: &Move<'_>, place: &Place) -> Result<()> {
        let table = &relocates.relocation.table;
        let shard = self.snapshot.shard(place.shard)?;
        let Some(physical) = physical_name(table, place) else { return Ok(()) };
        let rows = self.snapshot.ask(shard.cluster, &referring(&shard.database, physical)).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let cell = |index: usize| {
            let cell = row.get(index).and_then(Option::as_ref);
            cell.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
        };
        Err(Error::unsupported(format!(
            "rows of `{}` cannot move to another shard: the foreign key `{}` of `{}` refers to the table, and \
             what refers to a row lies on its shard; insert the rows anew, with those that refer to them, and \
             delete the old ones",
            table.name,
            cell(0),
            cell(1)
        )))
    }

    async fn delete_rows(&mut self, relocates: &Move<'_>, rows: &[&Row]) -> Result<()> {
        for batch in by_nulls(relocates, rows) {
            let mut text =
                [b"DELETE FROM ".as_slice(), &relocates.table.table, b" WHERE "].concat();
            condition(&mut text, &relocates.keys, &batch);
            let done = self.write_own(relocates, &text).await?;
            if done.affected_rows != batch.len() as u64 {
                return Err(relocates.lost());
            }
        }
        Ok(())
    }

    async fn update_row(&mut self, relocates: &Move<'_>, picked: &Row, new: &Row) -> Result<()> {
        let mut text = [b"UPDATE ".as_slice(), &relocates.table.table, b" SET "].concat();
        for (index, (name, value)) in relocates.table.columns.iter().zip(new).enumerate() {
            text.extend_from_slice(if index > 0 { b", " } else { b"" });
            text.extend_from_slice(name);
            text.extend_from_slice(b" = ");
            text.extend_from_slice(value.as_deref().unwrap_or(b"NULL"));
        }
        text.extend_from_slice(b" WHERE ");
        condition(&mut text, &relocates.keys, &[picked]);
        let done = self.write_own(relocates, &text).await?;
        if !done.info.starts_with(b"Rows matched: 1 ") {
            return Err(relocates.lost());
        }
        Ok(())
    }

    async fn insert_rows_moved(&mut self, relocates: &Move<'_>, rows: &[&Row]) -> Result<()> {
        let mut rows = rows;
        while !rows.is_empty() {
            let mut bytes = 0;
            let fits = |row: &&&Row| {
                bytes += row.iter().flatten().map(Vec::len).sum::<usize>();
                bytes <= BATCH_BYTES
            };
            let count = rows.iter().take(BATCH_ROWS).take_while(fits).count().max(1);
            let (batch, rest) = rows.split_at(count);
            let done = self.write_own(relocates, &insert(relocates, batch)).await?;
            if done.affected_rows != batch.len() as u64 {
                return Err(Error::internal("rows that move were not all inserted"));
            }
            rows = rest;
        }
        Ok(())
    }
}

/// Rows whose keys are given without NULL together, the others one by one.
fn by_nulls<'r>(relocates: &Move<'_>, rows: &[&'r Row]) -> Vec<Vec<&'r Row>> {
    let has_null = |row: &&Row| {
        relocates.keys.iter().any(|key| row.get(key.value).is_none_or(Option::is_none))
    };
    let (alone, together): (Vec<&Row>, Vec<&Row>) =
        rows.iter().copied().partition(|row| has_null(row));
    let alone = alone.into_iter().map(|row| vec![row]);
    alone.chain((!together.is_empty()).then_some(together)).collect()
}

fn insert(relocates: &Move<'_>, rows: &[&Row]) -> Vec<u8> {
    let columns = relocates.table.columns.join(b", ".as_slice());
    let mut text =
        [b"INSERT INTO ", relocates.table.table.as_slice(), b" (", &columns, b") VALUES "].concat();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        tuple(&mut text, row);
    }
    text
}
