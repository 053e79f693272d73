//! UPDATE of the columns by which rows are placed: rows that belong elsewhere afterwards are moved.
//!
//! What an UPDATE makes of a row is a server's to say: conversions, defaults, generated columns, the order
//! of assignments. So the rows are copied as they are into a temporary table of the same columns, the
//! client's assignments run there, and what comes of it is read back. Only then are the rows themselves
//! written: those that stay are updated where they are, the others deleted there and inserted where they
//! belong.

mod copy;
mod place;

use std::collections::HashMap;

use super::client_state::ClientState;
use super::combine::{Bound, Shape};
use super::pick::{Row, Text, batches, condition};
use super::reply::Reply;
use super::run::{Call, Part, Run};
use super::summary::Summary;
use super::warnings::Warnings;
use super::write::Count;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::facts::{ColumnClass, Facts};
use crate::plan::pick::{Key, Pick, Relocation, Target};
use crate::plan::resolve::sample_of;
use crate::plan::types::Source;
use crate::sql::Mode;
use crate::sql::quote::identifier;

/// An UPDATE that may move rows of a table.
struct Move<'m> {
    pick: &'m Pick,
    target: &'m Target,
    table: Named,
    /// The keys by which rows are found, without the name of the table.
    keys: Vec<Key>,
    relocation: &'m Relocation,
    /// The session in which rows are read and written as they are.
    exact: ClientState,
    /// It warns of values that are written as they are.
    lenient: bool,
    /// How statements of our own are read.
    own: Source,
}

/// Names as SQL.
struct Named {
    table: Vec<u8>,
    /// Columns that take values.
    columns: Vec<Vec<u8>>,
}

/// Rows as they are and as they shall be, by their places in the statement's order.
struct Rows {
    /// As they were picked: their keys, and values of other tables.
    picked: Vec<Row>,
    /// The values of [`Named::columns`].
    old: Vec<Row>,
}

impl Run<'_> {
    /// Writes the rows of a target, wherever they belong afterwards.
    pub(super) async fn move_rows(
        &mut self,
        (pick, target): (&Pick, &Target),
        relocation: &Relocation,
        picked: &[Row],
    ) -> Result<Summary> {
        let mut relocates = Move::new((pick, target), relocation, self.state);
        let batches = batches(&relocates.by_column(), picked);
        let count: usize = batches.iter().map(Vec::len).sum();
        if count == 0 {
            return self.move_nothing(&relocates).await;
        }
        let most = self.snapshot.config.settings.limits.moved_rows;
        if count > most as usize {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "the statement changes the sharding key of {count} rows of `{}`, over \
                     `limits.moved_rows` ({most}); update in smaller steps, or raise the limit",
                    relocation.table.name
                ),
            ));
        }
        let rows = self.rows_as_they_are(&relocates, &batches).await?;
        relocates.admit(&rows.old, self.state);
        let (summary, new) = self.rows_as_they_shall_be(&relocates, &rows).await?;
        relocates.admit(&new, self.state);
        self.place_rows(&relocates, &rows, &new).await?;
        Ok(summary)
    }

    /// No row is written, but names and types are checked all the same.
    async fn move_nothing(&mut self, relocates: &Move<'_>) -> Result<Summary> {
        let Move { pick, target, .. } = relocates;
        let mut text = Text::default();
        text.pieces(&target.head, &[], &[])?;
        text.bytes.extend_from_slice(b" WHERE 1 = 0");
        let bound = Bound::of(&text.params, self.call)?;
        let call = if text.params.is_empty() { Call::Text } else { bound.call() };
        let (plan, facts) = self.planned(&text.bytes, &pick.source).await?;
        let Plan::Write(write) = &plan else {
            return Err(Error::internal("an UPDATE with the plan of another statement"));
        };
        let place = sample_of(&relocates.relocation.table)?;
        let mut run = Run { call, ..self.again() };
        let fragment = run.fragment(&write.template, &place, &facts)?;
        match run.write_all(vec![(fragment, place)], Count::Sum).await? {
            Reply::Done(summary) => Ok(summary),
            Reply::Rows(_) => Err(Error::protocol("rows in reply to a write")),
        }
    }

    /// Reads all columns of the rows, and locks them.
    async fn rows_as_they_are(
        &mut self,
        relocates: &Move<'_>,
        batches: &[Vec<&Row>],
    ) -> Result<Rows> {
        let keys = &relocates.keys;
        let mut left = self.snapshot.config.settings.limits.sort_bytes.0;
        let mut rows = Rows { picked: Vec::new(), old: Vec::new() };
        for batch in batches {
            let mut found: HashMap<Row, Row> = self.read_batch(relocates, batch).await?;
            for row in batch {
                let key: Row = keys.iter().filter_map(|key| row.get(key.value).cloned()).collect();
                let old = found.remove(&key).ok_or_else(|| relocates.lost())?;
                let size: usize = old.iter().flatten().map(Vec::len).sum();
                left = left.checked_sub(size as u64).ok_or_else(too_big)?;
                rows.picked.push((*row).clone());
                rows.old.push(old);
            }
        }
        Ok(rows)
    }

    /// The rows of a batch by their keys.
    async fn read_batch(
        &mut self,
        relocates: &Move<'_>,
        batch: &[&Row],
    ) -> Result<HashMap<Row, Row>> {
        let keys = &relocates.keys;
        let names: Vec<Vec<u8>> = keys.iter().map(|key| key.column.clone().into_bytes()).collect();
        let items = [names.as_slice(), &relocates.table.columns].concat().join(b", ".as_slice());
        let mut text =
            [b"SELECT ".as_slice(), &items, b" FROM ", &relocates.table.table, b" WHERE "].concat();
        condition(&mut text, keys, batch);
        let (plan, mut facts) = self.planned(&text, &relocates.own).await?;
        let Plan::Select(select) = &plan else {
            return Err(Error::internal("rows that move are read by no query"));
        };
        let part = Part { locks: true, ..Part::default() };
        let call = Call::Prepared { params: &[], literals: &[] };
        let mut run = Run { state: &relocates.exact, call, writes: false, part, ..self.again() };
        let Reply::Rows(rows) = run.select(select, &mut facts).await? else {
            return Err(Error::protocol("a query that gives no rows"));
        };
        let shape = Shape::new(&rows.columns)?;
        let mut rows = run.all_rows(rows).await?;
        let mut found = HashMap::new();
        while let Some(row) = rows.next().await? {
            let mut key = shape.typed(&row)?;
            key.truncate(keys.len());
            let values = shape.literals(&row)?.split_off(keys.len());
            found.insert(key, values);
        }
        Ok(found)
    }

    /// Runs a statement of our own on the rows themselves.
    async fn write_own(&mut self, relocates: &Move<'_>, text: &[u8]) -> Result<Summary> {
        let (plan, mut facts): (Plan, Facts) = self.planned(text, &relocates.own).await?;
        let part = Part { told: true, ..Part::default() };
        // All that a client is to hear of was said when the copies were written.
        let mut warnings = Warnings::default();
        let mut run = Run {
            state: &relocates.exact,
            call: Call::Text,
            warnings: &mut warnings,
            ..self.again()
        };
        run.write_part((&plan, &mut facts), Call::Text, part).await
    }
}

impl<'m> Move<'m> {
    fn new(
        (pick, target): (&'m Pick, &'m Target),
        relocation: &'m Relocation,
        state: &ClientState,
    ) -> Self {
        let Relocation { table, columns } = relocation;
        let name = |name: &str| identifier(name.as_bytes());
        let takes = columns.columns.iter().filter(|column| !column.generated);
        let keys = target.keys.iter().map(|key| Key { text: key.column.clone(), ..key.clone() });
        Self {
            pick,
            target,
            table: Named {
                table: [name(&table.schema), name(&table.name)].join(b".".as_slice()),
                columns: takes.map(|column| name(&column.name)).collect(),
            },
            keys: keys.collect(),
            relocation,
            exact: state.for_rows(false),
            lenient: false,
            own: Source { text: Vec::new(), mode: Mode::default(), schema: None },
        }
    }

    /// Goes on in a lenient session if rows hold what a strict one refuses: an ENUM whose value was none of
    /// its list is an empty text.
    fn admit(&mut self, rows: &[Row], state: &ClientState) {
        let takes = self.relocation.columns.columns.iter().filter(|column| !column.generated);
        let lists: Vec<usize> = takes
            .enumerate()
            .filter(|(_, column)| column.class == ColumnClass::Enum)
            .map(|(index, _)| index)
            .collect();
        let is_none = |value: &Vec<u8>| value.ends_with(b"''");
        let holds = |row: &Row| {
            lists.iter().any(|at| row.get(*at).and_then(Option::as_ref).is_some_and(is_none))
        };
        if !self.lenient && rows.iter().any(holds) {
            self.lenient = true;
            self.exact = state.for_rows(true);
        }
    }

    /// The target with the columns' own names, for statements of one table.
    fn by_column(&self) -> Target {
        Target {
            head: Vec::new(),
            keys: self.keys.clone(),
            tail: Vec::new(),
            moves: false,
            relocation: None,
        }
    }

    /// A row that was picked and locked is not found by its key.
    fn lost(&self) -> Error {
        Error::unsupported(format!(
            "rows of `{}` cannot be found again by their keys, so that they cannot be moved; give conditions \
             on a key of another type",
            self.relocation.table.name
        ))
    }
}

fn too_big() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        "the rows that the statement may have to move are held in memory, and they are over \
         `limits.sort_bytes`; update in smaller steps, or raise the limit",
    )
}

/// `(a, b, NULL)`
fn tuple(out: &mut Vec<u8>, row: &Row) {
    out.push(b'(');
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(value.as_deref().unwrap_or(b"NULL"));
    }
    out.push(b')');
}
