//! Copies of rows in a temporary table, where the client's assignments run.

use super::{Move, Rows, tuple};
use crate::backend::Access;
use crate::error::{Error, Result};
use crate::execute::client_state::ClientState;
use crate::execute::combine::{Bound, Loader, Shape};
use crate::execute::pick::{Row, Text};
use crate::execute::run::{Call, Fragment, Run};
use crate::execute::select::Head;
use crate::execute::summary::Summary;
use crate::plan::Plan;
use crate::plan::pick::Key;
use crate::plan::render::physical_name;
use crate::plan::resolve::sample_of;
use crate::plan::template::Target as Place;
use crate::sql::quote::{identifier, text as quoted};
use crate::transaction::Lent;

/// The number of a row in the temporary table.
const ROW: &str = "_margay_row";
/// Rows, and bytes of literals, in one statement.
const BATCH_ROWS: usize = 200;
const BATCH_BYTES: usize = 256 << 10;

/// The connection with the temporary table, which hides the physical table there.
struct Copy {
    lent: Lent,
    place: Place,
    /// The physical table, quoted.
    name: Vec<u8>,
}

impl Run<'_> {
    /// What the statement makes of the rows, and what a server tells of that.
    pub(super) async fn rows_as_they_shall_be(
        &mut self,
        relocates: &Move<'_>,
        rows: &Rows,
    ) -> Result<(Summary, Vec<Row>)> {
        let mut copy = self.copy(relocates, &rows.old).await?;
        let mut total: Option<Summary> = None;
        let base = ClientState::new(alone(self.state), None);
        let mut from = 0;
        for chunk in rows.picked.chunks(BATCH_ROWS) {
            let numbered: Vec<Row> = chunk.iter().zip(from..).map(numbered).collect();
            from += chunk.len();
            let done = self.update_copies(relocates, &mut copy, &base, &numbered).await?;
            match &mut total {
                Some(total) => total.add(&done),
                None => total = Some(done),
            }
        }
        let new = self.read_copies(relocates, &mut copy).await?;
        if new.len() != rows.old.len() {
            return Err(Error::internal("copies of rows were lost"));
        }
        let total = total.ok_or_else(|| Error::internal("a statement without rows was run"))?;
        Ok((total, new))
    }

    /// Makes the temporary table and fills it.
    async fn copy(&mut self, relocates: &Move<'_>, old: &[Row]) -> Result<Copy> {
        let table = &relocates.relocation.table;
        let place = sample_of(table)?;
        let shard = self.snapshot.shard(place.shard)?;
        let physical = physical_name(table, &place)
            .ok_or_else(|| Error::internal("a table without a physical one"))?;
        let name = identifier(physical.as_bytes());
        let full = [identifier(shard.database.as_bytes()), name.clone()].join(b".".as_slice());
        let shown = [b"SHOW CREATE TABLE ".as_slice(), &full].concat();
        let shown = self.snapshot.ask(shard.cluster, &shown).await?;
        let shown = shown.into_iter().next().and_then(|row| row.into_iter().nth(1).flatten());
        let definition =
            shown.ok_or_else(|| Error::protocol("SHOW CREATE TABLE without a text"))?;
        let definition = String::from_utf8_lossy(&definition).into_owned();
        let counted = relocates.relocation.columns.columns.iter().find(|it| it.auto_increment);
        let counted = counted.map(|column| column.name.as_str());
        let create = definition_of_copy(&full, &definition, counted);

        let lease =
            self.snapshot.backends.lease(shard.cluster, Access::Primary, self.found_rows).await?;
        let mut lent = Lent::apart(lease, shard.cluster);
        lent.lease.set_deadline(self.deadline);
        // The connection is reset before anyone else uses it.
        lent.lease.note_temporary("");
        let state = ClientState::new(alone(&relocates.exact), None).in_database(&shard.database);
        let loader = Loader::begin(&mut lent.lease, &state, &self.snapshot.abilities).await?;
        loader.send(&mut lent.lease, &create)?;
        loader.finish(&mut lent.lease).await?;
        let columns = relocates.table.columns.join(b", ".as_slice());
        let head =
            [b"INSERT INTO ", name.as_slice(), b" (", ROW.as_bytes(), b", ", &columns].concat();
        let head = [head.as_slice(), b") VALUES "].concat();
        let mut tuples = Vec::new();
        for (index, row) in old.iter().enumerate() {
            if !tuples.is_empty() {
                tuples.push(b',');
            }
            let mut all = vec![Some(index.to_string().into_bytes())];
            all.extend(row.iter().cloned());
            tuple(&mut tuples, &all);
            if tuples.len() > BATCH_BYTES || index + 1 == old.len() {
                lent.lease.queue_step(&[&head, &tuples], !relocates.lenient)?;
                loader.finish(&mut lent.lease).await?;
                tuples.clear();
            }
        }
        Ok(Copy { lent, place, name })
    }

    /// Runs the client's assignments on some rows.
    async fn update_copies(
        &mut self,
        relocates: &Move<'_>,
        copy: &mut Copy,
        state: &ClientState,
        rows: &[Row],
    ) -> Result<Summary> {
        let Move { pick, target, .. } = relocates;
        let value = rows.first().map_or(0, Vec::len).saturating_sub(1);
        let keys = [Key { text: ROW.to_owned(), column: ROW.to_owned(), value }];
        let rows: Vec<&Row> = rows.iter().collect();
        let mut text = Text::default();
        text.pieces(&target.head, &keys, &rows)?;
        text.bytes.extend_from_slice(b" WHERE ");
        crate::execute::pick::condition(&mut text.bytes, &keys, &rows);
        let bound = Bound::of(&text.params, self.call)?;
        let call = if text.params.is_empty() { Call::Text } else { bound.call() };
        let (plan, facts) = self.planned(&text.bytes, &pick.source).await?;
        let Plan::Write(write) = &plan else {
            return Err(Error::internal("an UPDATE with the plan of another statement"));
        };
        let run = Run { call, state, ..self.again() };
        let fragment = run.fragment(&write.template, &copy.place, &facts)?;
        let ok = run.run_to_ok(&mut copy.lent, &fragment).await;
        let ok = ok.map_err(|error| run.restore(error, &copy.place))?;
        let warnings = run.raised(&mut copy.lent, &copy.place).await;
        run.warnings.add(warnings);
        Ok(Summary::of(&ok))
    }

    /// All rows of the temporary table, in their order.
    async fn read_copies(&mut self, relocates: &Move<'_>, copy: &mut Copy) -> Result<Vec<Row>> {
        let state = ClientState::new(alone(&relocates.exact), None);
        let columns = relocates.table.columns.join(b", ".as_slice());
        let text = [b"SELECT ".as_slice(), &columns, b" FROM ", &copy.name].concat();
        let text = [text.as_slice(), b" ORDER BY ", ROW.as_bytes()].concat();
        let fragment = Fragment::new(copy.place.shard, text, Vec::new());
        let call = Call::Prepared { params: &[], literals: &[] };
        let run = Run { call, state: &state, ..self.again() };
        let Head::Rows(columns) = run.start_rows(&mut copy.lent, &fragment).await? else {
            return Err(Error::protocol("a query that gives no rows"));
        };
        let shape = Shape::new(&columns)?;
        let mut rows = Vec::new();
        while let Some(row) = copy.lent.lease.read_row().await? {
            rows.push(shape.literals(&row)?);
        }
        Ok(rows)
    }
}

/// A row with its number behind its values.
fn numbered((row, number): (&Row, usize)) -> Row {
    let mut row = row.clone();
    row.push(Some(number.to_string().into_bytes()));
    row
}

/// The session on a connection that is no part of its transaction.
fn alone(state: &ClientState) -> crate::backend::SessionState {
    let mut base = state.base().clone();
    for name in ["autocommit", "transaction_read_only", "tx_read_only", "sql_select_limit"] {
        base.variables.remove(name);
    }
    base
}

/// A temporary table of the columns that SHOW CREATE TABLE gives, each on a line of its own, without keys
/// and constraints: rows of several shards are in it, and the rows themselves are checked where they go.
fn definition_of_copy(name: &[u8], shown: &str, counted: Option<&str>) -> Vec<u8> {
    let columns = shown.lines().map(str::trim).filter(|line| line.starts_with('`'));
    let mut text = [b"CREATE TEMPORARY TABLE ".as_slice(), name, b" ("].concat();
    text.extend_from_slice(format!("{ROW} BIGINT UNSIGNED NOT NULL PRIMARY KEY").as_bytes());
    for column in columns {
        text.extend_from_slice(b", ");
        text.extend_from_slice(column.trim_end_matches(',').as_bytes());
    }
    if let Some(counted) = counted {
        text.extend_from_slice(b", KEY (");
        text.extend_from_slice(&identifier(counted.as_bytes()));
        text.push(b')');
    }
    text.extend_from_slice(b") ENGINE=InnoDB");
    let options = shown.lines().rev().find(|line| line.starts_with(')')).unwrap_or_default();
    for option in ["DEFAULT CHARSET=", "COLLATE="] {
        let value = options.split_once(&format!(" {option}")).map(|(_, rest)| rest);
        let value = value.and_then(|rest| rest.split([' ', ';']).next());
        if let Some(value) = value {
            text.extend_from_slice(format!(" {option}{value}").as_bytes());
        }
    }
    text
}

/// The condition by which information_schema tells of tables that refer to one.
pub(super) fn referring(database: &str, table: &str) -> Vec<u8> {
    [
        b"SELECT CONSTRAINT_NAME, TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE \
          UNIQUE_CONSTRAINT_SCHEMA = "
            .to_vec(),
        quoted(database.as_bytes()),
        b" AND REFERENCED_TABLE_NAME = ".to_vec(),
        quoted(table.as_bytes()),
        b" LIMIT 1".to_vec(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shown: &str, counted: Option<&str>, expect: &str) {
        let text = definition_of_copy(b"`s`.`t`", shown, counted);
        assert_eq!(String::from_utf8(text).unwrap(), expect);
    }

    #[test]
    fn copies_have_the_columns_alone() {
        check(
            "CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `k` int DEFAULT '1',\n  \
             PRIMARY KEY (`id`),\n  UNIQUE KEY `k` (`k`),\n  CONSTRAINT `c` CHECK ((`k` > 0))\n) \
             ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=latin1 COLLATE=latin1_bin COMMENT='x'\n\
             /*!50100 PARTITION BY KEY (k) */",
            Some("id"),
            "CREATE TEMPORARY TABLE `s`.`t` (_margay_row BIGINT UNSIGNED NOT NULL PRIMARY KEY, `id` int \
             NOT NULL AUTO_INCREMENT, `k` int DEFAULT '1', KEY (`id`)) ENGINE=InnoDB DEFAULT \
             CHARSET=latin1 COLLATE=latin1_bin",
        );
        check(
            "CREATE TABLE `t` (\n  `a` text\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
            None,
            "CREATE TEMPORARY TABLE `s`.`t` (_margay_row BIGINT UNSIGNED NOT NULL PRIMARY KEY, `a` \
             text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        );
    }
}
