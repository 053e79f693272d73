//! INSERT ... ON DUPLICATE KEY UPDATE of the columns by which rows are placed.

use super::Move;
use super::copy::Copy;
use crate::backend::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::combine::Shape;
use crate::execute::numbers::Numbered;
use crate::execute::pick::Row;
use crate::execute::reply::Reply;
use crate::execute::run::{Call, Fragment, Run};
use crate::execute::summary::Summary;
use crate::execute::write::Count;
use crate::plan::facts::Facts;
use crate::plan::render::{physical_name, render_insert};
use crate::plan::resolve::insert_targets;
use crate::plan::template::{Part, Target as Place, Template};
use crate::plan::types::Insert;
use crate::plan::upsert::Upsert;
use crate::sql::quote::{identifier, text as quoted};

/// ER_DUP_ENTRY
const DUPLICATE: u16 = 1062;

/// A column of a key, quoted, and how many characters of it count. None: all.
type Indexed = (Vec<u8>, Option<String>);

/// A row of an INSERT that meets another one.
struct Meeting<'m> {
    insert: &'m Insert,
    numbered: Option<&'m Numbered>,
    row: usize,
    place: &'m Place,
    /// The unique key that both have alike.
    key: String,
}

impl Run<'_> {
    /// Inserts the rows one by one, and updates those that are in their way.
    pub(in crate::execute) async fn upsert(
        &mut self,
        insert: &Insert,
        upsert: &Upsert,
        numbered: Option<&Numbered>,
    ) -> Result<Reply> {
        let mut facts = Facts::default();
        let plain = Insert { tail: Template::default(), upsert: None, ..insert.clone() };
        let mut places: Vec<Option<Place>> = vec![None; plain.rows.len()];
        let found = self
            .settle(&mut facts, |run, facts| insert_targets(&plain, &run.values(facts)))
            .await?;
        for (place, rows) in found {
            for row in rows {
                if let Some(entry) = places.get_mut(row) {
                    *entry = Some(place.clone());
                }
            }
        }
        let (pick, relocation) = (&upsert.pick, &upsert.relocation);
        let Some(target) = pick.targets.first() else {
            return Err(Error::internal("an UPDATE of no table"));
        };
        let relocates = Move::new((pick, target), relocation, self.state);
        let mut copy: Option<Copy> = None;
        let mut total = Summary::default();
        let (mut duplicates, count) = (0, plain.rows.len());
        for (row, place) in places.iter().enumerate() {
            let place = place.as_ref().ok_or_else(|| Error::internal("a row without a place"))?;
            let mut done = match self.insert_one(&plain, numbered, (row, place), &facts).await {
                Ok(done) => done,
                Err(error) => {
                    let Some(key) = key_of(&error) else { return Err(error) };
                    let meeting = Meeting { insert: &plain, numbered, row, place, key };
                    let done =
                        self.update_instead(&relocates, upsert, meeting, &mut copy, &facts).await?;
                    duplicates += u64::from(done.affected_rows > 1);
                    done
                }
            };
            done.info.clear();
            total.add(&done);
            // The last row's is told.
            total.last_insert_id = done.last_insert_id;
        }
        if count > 1 || self.part.told {
            let warnings = total.warnings;
            let info = format!("Records: {count}  Duplicates: {duplicates}  Warnings: {warnings}");
            total.info = info.into_bytes();
        }
        Ok(Reply::Done(total))
    }

    async fn insert_one(
        &mut self,
        insert: &Insert,
        numbered: Option<&Numbered>,
        (row, place): (usize, &Place),
        facts: &Facts,
    ) -> Result<Summary> {
        if let Some(Part::Period(name)) = &place.part {
            self.ensure_period(&insert.table.name, place, name).await?;
        }
        let mut fragment = self.row_fragment(insert, numbered, (row, place), facts)?;
        if let Some(numbered) = numbered {
            fragment.ids = self.ids_of(numbered, place, &[row]);
        }
        match self.write_all(vec![(fragment, place.clone())], Count::Sum).await? {
            Reply::Done(summary) => Ok(summary),
            Reply::Rows(_) => Err(Error::protocol("rows in reply to an INSERT")),
        }
    }

    /// The INSERT of one row, as the client wrote it.
    fn row_fragment(
        &self,
        insert: &Insert,
        numbered: Option<&Numbered>,
        (row, place): (usize, &Place),
        facts: &Facts,
    ) -> Result<Fragment> {
        let rendered = render_insert(insert, place, &[row], &self.values(facts));
        let rendered = rendered.map_err(|stop| match stop {
            crate::plan::facts::Stop::Error(error) => error,
            crate::plan::facts::Stop::Need(_) => Error::internal("a row that needs more facts"),
        })?;
        let mut fragment = Fragment::new(place.shard, rendered.text, rendered.params);
        if let Some(numbered) = numbered {
            fragment.more_params = numbered.params.clone();
        }
        Ok(fragment)
    }

    /// Updates the row that a new one meets.
    async fn update_instead(
        &mut self,
        relocates: &Move<'_>,
        upsert: &Upsert,
        meeting: Meeting<'_>,
        copy: &mut Option<Copy>,
        facts: &Facts,
    ) -> Result<Summary> {
        let columns = self.columns_of_key(relocates, &meeting).await?;
        let mut copied = match copy.take() {
            Some(copy) => copy,
            None => self.copy(relocates, &[]).await?,
        };
        self.empty_copy(&mut copied).await?;
        let Meeting { insert, numbered, row, .. } = meeting;
        let fragment = self.row_fragment(insert, numbered, (row, &copied.place), facts)?;
        self.run_to_ok(&mut copied.lent, &fragment).await?;
        let mut names: Vec<Vec<u8>> = columns.iter().map(|(name, _)| name.clone()).collect();
        names.extend(upsert.values.iter().map(|name| name.clone().into_bytes()));
        let new = self.read_copies(relocates, &mut copied, &names, true).await?;
        *copy = Some(copied);
        let mut new = new.into_iter().next().ok_or_else(|| relocates.lost())?;
        let values = new.split_off(columns.len());
        let mut met = self.row_met(relocates, meeting.place, (&columns, &new)).await?;
        met.extend(values);
        let (pick, target) = (relocates.pick, relocates.target);
        let (mut done, new) = self.relocate((pick, target), relocates.relocation, &[met]).await?;
        let is_changed = !done.info.windows(11).any(|part| part == b"Changed: 0 ");
        done.affected_rows = match (is_changed, self.found_rows) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        };
        if is_changed {
            done.last_insert_id = relocates.counted(new.first()).unwrap_or_default();
        }
        Ok(done)
    }

    /// The columns of a unique key, and how many characters of them count.
    async fn columns_of_key(
        &mut self,
        relocates: &Move<'_>,
        meeting: &Meeting<'_>,
    ) -> Result<Vec<Indexed>> {
        let table = &relocates.relocation.table;
        let shard = self.snapshot.shard(meeting.place.shard)?;
        let physical = physical_name(table, meeting.place).unwrap_or(&table.name);
        let text = [
            b"SELECT COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = "
                .to_vec(),
            quoted(shard.database.as_bytes()),
            b" AND TABLE_NAME = ".to_vec(),
            quoted(physical.as_bytes()),
            b" AND INDEX_NAME = ".to_vec(),
            quoted(meeting.key.as_bytes()),
            b" ORDER BY SEQ_IN_INDEX".to_vec(),
        ]
        .concat();
        let rows = self.snapshot.ask(shard.cluster, &text).await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let columns = rows.iter().map(|row| {
            let name = row.first()?.as_ref()?;
            let part = row.get(1).and_then(Option::as_ref).map(|bytes| text(bytes));
            Some((identifier(name), part))
        });
        match columns.collect::<Option<Vec<_>>>() {
            Some(columns) if !columns.is_empty() => Ok(columns),
            Some(_) | None => Err(Error::unsupported(format!(
                "ON DUPLICATE KEY UPDATE of the sharding key of `{}` is not supported where rows meet by the key \
                 `{}`, which is not one of columns; delete and insert the row",
                table.name, meeting.key
            ))),
        }
    }

    /// The keys of the row that has the values of a unique key, which is locked.
    async fn row_met(
        &mut self,
        relocates: &Move<'_>,
        place: &Place,
        (columns, values): (&[Indexed], &Row),
    ) -> Result<Row> {
        let table = &relocates.relocation.table;
        let physical = physical_name(table, place).unwrap_or(&table.name);
        let keys: Vec<&[u8]> = relocates.keys.iter().map(|key| key.column.as_bytes()).collect();
        let from = identifier(physical.as_bytes());
        let mut text =
            [b"SELECT ".as_slice(), &keys.join(b", ".as_slice()), b" FROM ", &from].concat();
        for (index, ((name, part), value)) in columns.iter().zip(values).enumerate() {
            text.extend_from_slice(if index == 0 { b" WHERE " } else { b" AND " });
            let value = value.as_deref().unwrap_or(b"NULL");
            let whole = |text: &[u8]| match part {
                Some(length) => {
                    [b"LEFT(".as_slice(), text, b", ", length.as_bytes(), b")"].concat()
                }
                None => text.to_vec(),
            };
            text.extend_from_slice(&[whole(name).as_slice(), b" = ", &whole(value)].concat());
        }
        text.extend_from_slice(b" FOR UPDATE");
        let fragment = Fragment::new(place.shard, text, Vec::new());
        let call = Call::Prepared { params: &[], literals: &[] };
        let mut run = Run { state: &relocates.exact, call, ..self.again() };
        let Reply::Rows(rows) = run.route(&fragment, place, Access::Primary).await? else {
            return Err(Error::protocol("a query that gives no rows"));
        };
        let shape = Shape::new(&rows.columns)?;
        let mut rows = run.all_rows(rows).await?;
        match rows.next().await? {
            Some(row) => shape.typed(&row),
            None => Err(relocates.lost()),
        }
    }
}

impl Move<'_> {
    /// The value of the AUTO_INCREMENT column.
    fn counted(&self, row: Option<&Row>) -> Option<u64> {
        let mut takes = self.relocation.columns.columns.iter().filter(|column| !column.generated);
        let value = row?.get(takes.position(|column| column.auto_increment)?)?.as_ref()?;
        std::str::from_utf8(value).ok()?.parse().ok()
    }
}

/// The name of the unique key that an error tells of.
fn key_of(error: &Error) -> Option<String> {
    let ErrorKind::Server(server) = error.kind() else { return None };
    if server.code != DUPLICATE {
        return None;
    }
    let message = String::from_utf8_lossy(&server.message).into_owned();
    let (_, name) = message.strip_suffix('\'')?.rsplit_once(" for key '")?;
    // MySQL puts the name of the table before it.
    Some(name.split_once('.').map_or(name, |(_, key)| key).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerError;

    fn check(code: u16, message: &str, expect: Option<&str>) {
        let error = ServerError { code, state: *b"23000", message: message.into() };
        assert_eq!(key_of(&Error::server(error)).as_deref(), expect, "{message}");
    }

    #[test]
    fn reads_the_key_of_an_error() {
        check(1062, "Duplicate entry '1-a' for key 'orders.code_of'", Some("code_of"));
        check(1062, "Duplicate entry 'x for key 'y'' for key 'PRIMARY'", Some("PRIMARY"));
        check(1062, "Duplicate entry", None);
        check(1048, "Column 'x' cannot be null for key 'y'", None);
    }
}
