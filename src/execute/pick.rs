//! UPDATE and DELETE of rows that a query has picked.

use super::planning::Reading;
use std::collections::{BTreeSet, HashSet};

use super::combine::{Bound, Shape};
use super::reply::Reply;
use super::run::{Call, Part, Run};
use super::summary::Summary;
use super::whole::Work;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::facts::Facts;
use crate::plan::pick::{self, Key, Pick, Piece, Target};
use crate::plan::types::{Source, Write};

/// Rows that one statement writes.
const BATCH_ROWS: usize = 200;
/// Bytes of literals after which a statement takes no more rows.
const BATCH_BYTES: usize = 256 << 10;

/// The values of a row as literals; None: NULL.
pub(super) type Row = Vec<Option<Vec<u8>>>;

impl Run<'_> {
    /// Writes what cannot be written where it is found; `refused` is why, and what the client gets if its
    /// rows cannot be picked either.
    pub(super) async fn pick(
        &mut self,
        write: &Write,
        source: &Source,
        facts: &mut Facts,
        refused: Error,
    ) -> Result<Reply> {
        let plan = |run: &Self, facts: &Facts| {
            let context = Reading::of(source, &[]).context(run.snapshot, facts);
            pick::plan(source, &context)
        };
        let pick = match self.settle(facts, plan).await {
            Ok(pick) => pick,
            Err(error) if *error.kind() == ErrorKind::Unsupported => {
                return Err(self.own_error(&write.place, &write.template, facts, error).await);
            }
            Err(error) => return Err(error),
        };
        if pick.reads_itself {
            const NOT_THERE: [u16; 2] = [1146, 1142];
            let own = self.own_error(&write.place, &write.template, facts, refused).await;
            if matches!(own.kind(), ErrorKind::Server(server) if !NOT_THERE.contains(&server.code))
            {
                return Err(own);
            }
        }
        self.wholly(Work::Pick(&pick)).await
    }

    pub(super) async fn write_picked(&mut self, pick: &Pick) -> Result<Reply> {
        let bound = Bound::of(&pick.params, self.call)?;
        let (plan, mut facts) = self.planned(&pick.source.text, &pick.source).await?;
        let Plan::Select(select) = &plan else {
            return Err(Error::internal("rows are picked by no query"));
        };
        let state = self.state.for_literals();
        let part = Part { locks: pick.locks, ..Part::default() };
        let mut run =
            Run { state: &state, call: bound.call(), writes: false, part, ..self.again() };
        let Reply::Rows(rows) = run.select(select, &mut facts).await? else {
            return Err(Error::protocol("a query that gives no rows"));
        };
        let shape = Shape::new(&rows.columns)?;
        let mut rows = run.all_rows(rows).await?;
        let mut picked: Vec<Row> = Vec::new();
        while let Some(row) = rows.next().await? {
            picked.push(shape.typed(&row)?);
        }
        if !pick.ignore {
            self.check_values(pick.deletes).await?;
        }
        let mut total = Summary::default();
        if !pick.deletes {
            total.info = b"Rows matched: 0  Changed: 0  Warnings: 0".to_vec();
        }
        for target in &pick.targets {
            if let Some(relocation) = &target.relocation {
                total.add(&self.move_rows((pick, target), relocation, &picked).await?);
                continue;
            }
            for batch in batches(target, &picked) {
                total.add(&self.write_batch(pick, target, &batch).await?);
            }
        }
        Ok(Reply::Done(total))
    }

    async fn write_batch(
        &mut self,
        pick: &Pick,
        target: &Target,
        rows: &[&Row],
    ) -> Result<Summary> {
        let mut text = Text::default();
        text.pieces(&target.head, &target.keys, rows)?;
        text.bytes.extend_from_slice(b" WHERE ");
        condition(&mut text.bytes, &target.keys, rows);
        text.pieces(&target.tail, &target.keys, rows)?;
        let bound = Bound::of(&text.params, self.call)?;
        let call = if text.params.is_empty() { Call::Text } else { bound.call() };
        let (plan, mut facts) = self.planned(&text.bytes, &pick.source).await?;
        self.write_part((&plan, &mut facts), call, Part { told: true, ..Part::default() }).await
    }
}

/// The rows of a target, each once, in runs that one statement writes.
pub(super) fn batches<'r>(target: &Target, rows: &'r [Row]) -> Vec<Vec<&'r Row>> {
    let mut seen: HashSet<Vec<&Option<Vec<u8>>>> = HashSet::new();
    let mut batches: Vec<Vec<&Row>> = Vec::new();
    let mut bytes = 0;
    let mut alone = true;
    for row in rows {
        let key: Vec<&Option<Vec<u8>>> =
            target.keys.iter().filter_map(|key| row.get(key.value)).collect();
        // An outer join gives rows that the table has not.
        let is_missing = key.iter().all(|value| value.is_none());
        if is_missing || !seen.insert(key.clone()) {
            continue;
        }
        let has_null = key.iter().any(|value| value.is_none());
        bytes += row.iter().flatten().map(Vec::len).sum::<usize>();
        match batches.last_mut() {
            Some(batch)
                if !alone && !has_null && batch.len() < BATCH_ROWS && bytes < BATCH_BYTES =>
            {
                batch.push(row);
            }
            Some(_) | None => {
                batches.push(vec![row]);
                bytes = 0;
                alone = has_null || target.moves;
            }
        }
    }
    batches
}

/// A statement that is being put together.
#[derive(Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    pub(super) params: Vec<u16>,
}

impl Text {
    /// Adds pieces, with the values of the rows; of no row, they are NULL.
    pub(super) fn pieces(&mut self, pieces: &[Piece], keys: &[Key], rows: &[&Row]) -> Result<()> {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.bytes.extend_from_slice(text),
                Piece::Param(index) => {
                    self.bytes.push(b'?');
                    self.params.push(*index);
                }
                Piece::Value(at) => value(&mut self.bytes, *at, keys, rows)?,
            }
        }
        Ok(())
    }
}

/// The value of a column of the query for each row.
fn value(out: &mut Vec<u8>, at: usize, keys: &[Key], rows: &[&Row]) -> Result<()> {
    let lost = || Error::internal("a picked row without one of its values");
    let values: Option<Vec<&Option<Vec<u8>>>> = rows.iter().map(|row| row.get(at)).collect();
    let values = values.ok_or_else(lost)?;
    let Some(first) = values.first() else {
        out.extend_from_slice(b"NULL");
        return Ok(());
    };
    if values.iter().all(|value| value == first) {
        out.extend_from_slice(literal(first));
        return Ok(());
    }
    out.extend_from_slice(b"(CASE");
    for (row, value) in rows.iter().zip(values) {
        out.extend_from_slice(b" WHEN ");
        equals(out, keys, row);
        out.extend_from_slice(b" THEN ");
        out.extend_from_slice(literal(value));
    }
    out.extend_from_slice(b" END)");
    Ok(())
}

fn literal(value: &Option<Vec<u8>>) -> &[u8] {
    value.as_deref().unwrap_or(b"NULL")
}

/// `a = 1 AND b IS NULL`
fn equals(out: &mut Vec<u8>, keys: &[Key], row: &Row) {
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b" AND ");
        }
        out.extend_from_slice(key.text.as_bytes());
        match row.get(key.value).and_then(Option::as_ref) {
            Some(value) => {
                out.extend_from_slice(b" = ");
                out.extend_from_slice(value);
            }
            None => out.extend_from_slice(b" IS NULL"),
        }
    }
}

/// The condition that the rows meet and no others. Lists of single columns come first, by which the rows
/// are placed and looked up.
pub(super) fn condition(out: &mut Vec<u8>, keys: &[Key], rows: &[&Row]) {
    if let [row] = rows {
        return equals(out, keys, row);
    }
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b" AND ");
        }
        let values: BTreeSet<&[u8]> =
            rows.iter().filter_map(|row| row.get(key.value)).map(literal).collect();
        let values: Vec<&[u8]> = values.into_iter().collect();
        out.extend_from_slice(key.text.as_bytes());
        out.extend_from_slice(b" IN (");
        out.extend_from_slice(&values.join(&b","[..]));
        out.push(b')');
    }
    if keys.len() < 2 {
        return;
    }
    let names: Vec<&str> = keys.iter().map(|key| key.text.as_str()).collect();
    out.extend_from_slice(format!(" AND ({}) IN (", names.join(",")).as_bytes());
    for (index, row) in rows.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",(" } else { b"(" });
        let values: Vec<&[u8]> =
            keys.iter().filter_map(|key| row.get(key.value)).map(literal).collect();
        out.extend_from_slice(&values.join(&b","[..]));
        out.push(b')');
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(names: &[&str], moves: bool) -> Target {
        let key = |(value, name): (usize, &&str)| {
            let text = (*name).to_owned();
            Key { column: text.clone(), text, value }
        };
        let keys = names.iter().enumerate().map(key).collect();
        let text = |text: &str| Piece::Text(text.as_bytes().to_vec());
        let head = vec![text("SET c = "), Piece::Value(names.len()), text(" + "), Piece::Param(3)];
        Target { head, keys, tail: Vec::new(), moves, relocation: None }
    }

    /// Rows as `1,2,NULL;...`, and the statements that write them.
    fn check(target: &Target, rows: &str, expect: &[&str]) {
        let value = |text: &str| (text != "NULL").then(|| text.as_bytes().to_vec());
        let rows: Vec<Row> =
            rows.split(';').map(|row| row.split(',').map(value).collect()).collect();
        let written = batches(target, &rows).into_iter().map(|batch| {
            let mut text = Text::default();
            text.pieces(&target.head, &target.keys, &batch).unwrap();
            text.bytes.extend_from_slice(b" WHERE ");
            condition(&mut text.bytes, &target.keys, &batch);
            assert_eq!(text.params, [3]);
            String::from_utf8(text.bytes).unwrap()
        });
        assert_eq!(written.collect::<Vec<_>>(), expect);
    }

    #[test]
    fn rows_of_one_key() {
        let one = target(&["id"], false);
        check(&one, "1,5", &["SET c = 5 + ? WHERE id = 1"]);
        check(&one, "1,5;2,5;1,6", &["SET c = 5 + ? WHERE id IN (1,2)"]);
        let case =
            "SET c = (CASE WHEN id = 1 THEN 5 WHEN id = 2 THEN NULL END) + ? WHERE id IN (1,2)";
        check(&one, "1,5;2,NULL", &[case]);
        check(&one, "NULL,5", &[]);
    }

    #[test]
    fn rows_of_several_keys() {
        let two = target(&["k", "id"], false);
        check(
            &two,
            "1,7,5;2,7,5",
            &["SET c = 5 + ? WHERE k IN (1,2) AND id IN (7) AND (k,id) IN ((1,7),(2,7))"],
        );
        check(
            &two,
            "1,7,5;NULL,8,5;2,9,5",
            &[
                "SET c = 5 + ? WHERE k = 1 AND id = 7",
                "SET c = 5 + ? WHERE k IS NULL AND id = 8",
                "SET c = 5 + ? WHERE k = 2 AND id = 9",
            ],
        );
    }

    #[test]
    fn rows_whose_keys_change() {
        let one = target(&["id"], true);
        check(&one, "1,5;2,5", &["SET c = 5 + ? WHERE id = 1", "SET c = 5 + ? WHERE id = 2"]);
    }
}
