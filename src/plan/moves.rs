//! Assignments of the columns by which rows are placed: where the rows may have to move.

use std::sync::Arc;

use super::condition;
use super::facts::{ColumnClass, Stop};
use super::holds::Holds;
use super::key::{Missing, Run};
use super::model::{Analysis, same_name};
use super::resolve::{KeyColumn, shard_at};
use super::template::{Part, Target};
use super::types::Operand;
use crate::catalog::{PartsKind, Sharded, Table, Weights};
use crate::error::{Error, Result};
use crate::sql::expr::ExprKind;
use crate::sql::statement::Update;

/// What an UPDATE does to the keys of rows.
#[derive(Debug, Clone)]
pub struct Moves {
    assigned: Vec<NewKey>,
    /// What keeps its rows from being moved, for messages.
    obstacle: Option<&'static str>,
}

/// A key that gets another value.
#[derive(Debug, Clone)]
struct NewKey {
    table: Arc<Table>,
    name: String,
    /// It decides the physical table, not the shard.
    is_part: bool,
    /// None: not known.
    column: Option<(ColumnClass, Holds)>,
    /// None: each row has its own.
    value: Option<Operand>,
}

impl Moves {
    /// None: no key is assigned, or only to itself.
    pub(super) fn of(
        found: &Analysis<'_>,
        update: &Update,
        written: &[Arc<Table>],
    ) -> Option<Self> {
        let mut assigned = Vec::new();
        for assignment in &update.assignments {
            let name = &assignment.column.name.value;
            let meaning = found.meaning(0, &assignment.column);
            let source = meaning.and_then(|meaning| found.sources.get(meaning.source)?.table);
            let used = source.and_then(|id| found.uses.get(id));
            let table = match used {
                Some(used) => Some(&used.table),
                None => written.iter().find(|table| is_key(table, name)),
            };
            let Some(table) = table.filter(|table| is_key(table, name)) else { continue };
            let itself = match &assignment.value.kind {
                ExprKind::Column(value) => meaning.is_some() && found.meaning(0, value) == meaning,
                _ => false,
            };
            if itself {
                continue;
            }
            let columns = used.and_then(|used| used.columns.as_ref());
            let column = columns.and_then(|columns| {
                let column = columns.columns.iter().find(|column| same_name(&column.name, name))?;
                Some((column.class.clone(), Holds::of(column)))
            });
            let keys = [false, true].into_iter().filter(|&is_part| {
                key_name(table, is_part).is_some_and(|key| same_name(key, name))
            });
            assigned.extend(keys.map(|is_part| NewKey {
                table: Arc::clone(table),
                name: name.clone(),
                is_part,
                column: column.clone(),
                value: condition::operand(&assignment.value),
            }));
        }
        let obstacle = if update.ignore {
            Some("IGNORE")
        } else if found.assigns_variables {
            Some("an assignment to a user variable")
        } else {
            None
        };
        (!assigned.is_empty()).then_some(Self { assigned, obstacle })
    }

    pub(super) fn is_possible(&self) -> bool {
        self.obstacle.is_none()
    }

    /// Succeeds if every row of the targets stays where it is.
    ///
    /// # Errors
    /// `Unsupported` if rows may have to move; [`Stop::Need`] for facts that are missing.
    pub(super) fn stay(&self, targets: &[Target], run: &Run<'_>) -> Result<(), Stop> {
        let mut missing = Missing::default();
        for key in &self.assigned {
            if !key.stays(targets, run, &mut missing)? {
                return Err(self.refusal(key).into());
            }
        }
        missing.check()?;
        Ok(())
    }

    fn refusal(&self, key: &NewKey) -> Error {
        let (name, table) = (&key.name, &key.table.name);
        let what = self.obstacle.unwrap_or("a function that may differ from server to server");
        Error::unsupported(format!(
            "UPDATE of the sharding key `{name}` of `{table}` with {what} is not supported where rows may \
             have to move; leave that out, or delete and insert the rows"
        ))
    }
}

impl NewKey {
    /// Whether rows of the targets stay, as far as this key says. True while facts are missing.
    fn stays<'r>(
        &'r self,
        targets: &[Target],
        run: &Run<'r>,
        missing: &mut Missing,
    ) -> Result<bool> {
        let (Some(operand), Some((class, holds)), Some(sharded)) =
            (&self.value, &self.column, self.table.sharded())
        else {
            return Ok(false);
        };
        let column =
            KeyColumn { table: &self.table.name, name: &self.name, class, holds: Some(holds) };
        let key = match column.key(Some(operand), run, missing) {
            Ok(Some(key)) => key,
            Ok(None) => return Ok(true),
            // What the column makes of it is the server's to say.
            Err(_) => return Ok(false),
        };
        if self.is_part {
            return Ok(self.in_part(sharded, &key, run, missing).is_none_or(|part| {
                part.is_some_and(|part| {
                    targets.iter().all(|target| target.part.as_ref() == Some(&part))
                })
            }));
        }
        let weights = run.rule_weights(&sharded.algorithm, class, missing);
        if !missing.weights.is_empty() {
            return Ok(true);
        }
        let Ok(index) = sharded.algorithm.locate(&key, &weights) else { return Ok(false) };
        let shard = shard_at(sharded, index)?;
        Ok(targets.iter().all(|target| target.shard == shard))
    }

    /// The physical table of a key; within, None: there is none. None: facts are missing.
    fn in_part(
        &self,
        sharded: &Sharded,
        key: &crate::catalog::Key,
        run: &Run<'_>,
        missing: &mut Missing,
    ) -> Option<Option<Part>> {
        let parts = sharded.parts.as_ref()?;
        match &parts.kind {
            PartsKind::Fixed { algorithm, .. } => {
                let weights = match &self.column {
                    Some((class, _)) => run.rule_weights(algorithm, class, missing),
                    None => Weights::Binary,
                };
                if !missing.weights.is_empty() {
                    return None;
                }
                Some(algorithm.locate(key, &weights).ok().map(Part::Fixed))
            }
            PartsKind::Time(time) => Some(time.name(&self.table.name, key).ok().map(Part::Period)),
        }
    }
}

/// The column decides where rows of the table lie.
pub(super) fn is_key(table: &Table, column: &str) -> bool {
    let keys = [false, true].into_iter().filter_map(|is_part| key_name(table, is_part));
    keys.into_iter().any(|key| same_name(key, column))
}

/// The column that decides the shard, or the physical table.
fn key_name(table: &Table, is_part: bool) -> Option<&str> {
    let sharded = table.sharded()?;
    match is_part {
        false => Some(&sharded.key),
        true => sharded.parts.as_ref().map(|parts| parts.key.as_str()),
    }
}
