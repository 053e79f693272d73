//! Where a plan runs, found from the values of one execution.

use std::collections::BTreeSet;

use super::facts::{ColumnClass, Stop, TableId};
use super::holds::Holds;
use super::key::{Found, Missing, Run};
use super::locate::{ByAlgorithm, ByTime, Candidates, locate};
use super::template::{Part, Target};
use super::types::{
    Condition, DdlStep, Insert, InsertRow, LimitOperands, Operand, Place, Unit, Write,
};
use crate::catalog::{PartsKind, ShardId, Sharded, Table, TableKind, Weights};
use crate::error::{Error, Result};
use crate::merge::Spec;
use crate::sql::expr::Literal;

/// The targets of a read or write, at least one. A condition that no row can meet gives one target,
/// whose answer is empty by itself.
///
/// # Errors
/// [`Stop::Need`] for facts that are missing; `Unsupported` if the tables do not lie together.
pub fn targets(place: &Place, run: &Run<'_>) -> Result<Vec<Target>, Stop> {
    if let Some(shard) = place.forced {
        return Ok(vec![Target { shard, part: None }]);
    }
    let mut missing = Missing::default();
    if let [unit] = place.units.as_slice()
        && let Some(shard) = one_shard(unit, run, &mut missing)?
    {
        let targets = vec![Target { shard, part: None }];
        beside(place, &targets, run)?;
        return Ok(targets);
    }
    let mut found = Vec::new();
    for unit in &place.units {
        found.push(unit_targets(unit, run, &mut missing)?);
    }
    missing.check()?;
    let targets = match place.units.as_slice() {
        [] => vec![Target { shard: without_units(place, run)?, part: None }],
        [unit] => match found.pop() {
            Some(targets) if !targets.is_empty() => targets,
            Some(_) | None => vec![nowhere(unit)?],
        },
        units => vec![one_target(units, found)?],
    };
    beside(place, &targets, run)?;
    Ok(targets)
}

/// The targets of an UPDATE or DELETE: of a broadcast table, all its shards.
///
/// # Errors
/// As [`targets`]; `Unsupported` too if it may not run on so many, or rows may have to move.
pub fn write_targets(write: &Write, run: &Run<'_>) -> Result<Vec<Target>, Stop> {
    if let Some(table) = &write.broadcast {
        if let Err(refusal) = &write.several {
            return Err(Error::unsupported(&refusal.message).into());
        }
        return Ok(table.shards().iter().map(|&shard| Target { shard, part: None }).collect());
    }
    let targets = targets(&write.place, run)?;
    if let (Err(refusal), true) = (&write.several, targets.len() > 1) {
        return Err(Error::unsupported(&refusal.message).into());
    }
    if let Some(moves) = &write.moves {
        moves.stay(&targets, run)?;
    }
    Ok(targets)
}

/// The rows of an INSERT by target, in the order in which targets first occur; rows by their index.
pub fn insert_targets(insert: &Insert, run: &Run<'_>) -> Result<Vec<(Target, Vec<usize>)>, Stop> {
    let mut missing = Missing::default();
    let mut placed: Vec<(Target, Vec<usize>)> = Vec::new();
    let Some(sharded) = insert.table.sharded() else {
        return Err(Error::internal("INSERT rows of a table that is not sharded").into());
    };
    let places = Keys::new(insert, sharded, run, &mut missing)?;
    for (index, row) in insert.rows.iter().enumerate() {
        let Some(target) = places.target(row, run, &mut missing)? else { continue };
        match placed.iter_mut().find(|(other, _)| *other == target) {
            Some((_, rows)) => rows.push(index),
            None => placed.push((target, vec![index])),
        }
    }
    missing.check()?;
    Ok(placed)
}

/// The targets of a DDL statement: every physical table.
pub fn ddl_targets(step: &DdlStep, run: &Run<'_>) -> Result<Vec<Target>, Stop> {
    let mut missing = Missing::default();
    let mut targets = Vec::new();
    let mut shards: Vec<ShardId> = step.table.shards().to_vec();
    shards.sort_unstable();
    shards.dedup();
    let parts = step.table.sharded().and_then(|sharded| sharded.parts.as_ref());
    for shard in shards {
        match parts.map(|parts| &parts.kind) {
            None => targets.push(Target { shard, part: None }),
            Some(PartsKind::Fixed { names, .. }) => {
                let part = |index| Target { shard, part: Some(Part::Fixed(index)) };
                targets.extend((0..names.len()).map(part));
            }
            Some(PartsKind::Time(time)) => {
                let pattern = Part::Period(step.table.name.clone());
                targets.push(Target { shard, part: Some(pattern) });
                if !step.creates {
                    let existing = existing(&step.table, shard, run, &mut missing);
                    let own = existing.iter().filter(|name| time.owns(&step.table.name, name));
                    let part =
                        |name: &String| Target { shard, part: Some(Part::Period(name.clone())) };
                    targets.extend(own.map(part));
                }
            }
        }
    }
    missing.check()?;
    Ok(targets)
}

/// The merge of one execution and the LIMIT that each shard's statement ends in.
pub fn limited(
    merge: &Spec,
    limit: Option<&LimitOperands>,
    run: &Run<'_>,
) -> Result<(Spec, String)> {
    let Some(operands) = limit else { return Ok((merge.clone(), String::new())) };
    let rows = count(&operands.rows, run)?;
    let offset = operands.offset.as_ref().map_or(Ok(0), |offset| count(offset, run))?;
    let merge = Spec { offset, limit: Some(rows), ..merge.clone() };
    let suffix = if operands.pushed {
        format!(" LIMIT {}", offset.saturating_add(rows))
    } else {
        String::new()
    };
    Ok((merge, suffix))
}

/// An operand of LIMIT.
fn count(operand: &Operand, run: &Run<'_>) -> Result<u64> {
    let value = run.value(operand, &mut Missing::default())?;
    let text = match value {
        Some(Literal::Integer(text)) => text.clone(),
        Some(Literal::String { bytes, .. }) => String::from_utf8_lossy(bytes).into_owned(),
        Some(_) | None => String::new(),
    };
    text.parse().map_err(|_| {
        let message = "LIMIT takes integers that are not negative";
        Error::new(crate::error::ErrorKind::Syntax, message)
    })
}

/// The key values of INSERT rows as targets.
struct Keys<'i> {
    insert: &'i Insert,
    sharded: &'i Sharded,
    class: &'i ColumnClass,
    weights: Weights,
    part_weights: Weights,
}

impl<'i> Keys<'i> {
    fn new(
        insert: &'i Insert,
        sharded: &'i Sharded,
        run: &Run<'_>,
        missing: &mut Missing,
    ) -> Result<Self> {
        let class = insert.key_class.as_ref();
        let class =
            class.ok_or_else(|| Error::internal("an INSERT without the class of its key"))?;
        let part_weights =
            match (sharded.parts.as_ref().map(|parts| &parts.kind), &insert.part_class) {
                (Some(PartsKind::Fixed { algorithm, .. }), Some(class)) => {
                    run.rule_weights(algorithm, class, missing)
                }
                _ => Weights::Binary,
            };
        let weights = run.rule_weights(&sharded.algorithm, class, missing);
        Ok(Self { insert, sharded, class, weights, part_weights })
    }

    /// None while facts are missing.
    fn target<'r>(
        &self,
        row: &'r InsertRow,
        run: &Run<'r>,
        missing: &mut Missing,
    ) -> Result<Option<Target>> {
        let name = &self.insert.table.name;
        let column = KeyColumn {
            table: name,
            name: &self.sharded.key,
            class: self.class,
            holds: self.insert.key_holds.as_ref(),
        };
        let key = column.key(row.key.as_ref(), run, missing)?;
        let parts = self.sharded.parts.as_ref();
        let part_key = match (parts, &self.insert.part_class) {
            (Some(parts), Some(class)) => {
                let holds = self.insert.part_holds.as_ref();
                let column = KeyColumn { table: name, name: &parts.key, class, holds };
                column.key(row.part_key.as_ref(), run, missing)?
            }
            _ => None,
        };
        let lacks = !missing.weights.is_empty() || !missing.computed.is_empty();
        let Some(key) = key.filter(|_| !lacks) else { return Ok(None) };
        let index = self.sharded.algorithm.locate(&key, &self.weights)?;
        let shard = shard_at(self.sharded, index)?;
        let part = match (parts.map(|parts| &parts.kind), part_key) {
            (None, _) => None,
            (Some(_), None) => return Ok(None),
            (Some(PartsKind::Fixed { algorithm, .. }), Some(key)) => {
                Some(Part::Fixed(algorithm.locate(&key, &self.part_weights)?))
            }
            (Some(PartsKind::Time(time)), Some(key)) => Some(Part::Period(time.name(name, &key)?)),
        };
        Ok(Some(Target { shard, part }))
    }
}

/// A column that rows are placed by.
pub(super) struct KeyColumn<'i> {
    pub(super) table: &'i str,
    pub(super) name: &'i str,
    pub(super) class: &'i ColumnClass,
    pub(super) holds: Option<&'i Holds>,
}

impl KeyColumn<'_> {
    /// The key of a row. None while facts are missing.
    pub(super) fn key<'r>(
        &self,
        operand: Option<&'r Operand>,
        run: &Run<'r>,
        missing: &mut Missing,
    ) -> Result<Option<crate::catalog::Key>> {
        let operand = operand.ok_or_else(|| Error::internal("an INSERT row without its key"))?;
        let Some(value) = run.value(operand, missing)? else { return Ok(None) };
        let before = missing.weights.len();
        let fitted = match self.holds {
            Some(holds) => holds.fit(value, run.charset),
            None => Some(value.clone()),
        };
        let found = match fitted {
            Some(fitted) => run.stored(&fitted, self.class, missing),
            None => Found::Unknown,
        };
        match found {
            Found::Key(key) => Ok(Some(key)),
            Found::Nothing | Found::Unknown if missing.weights.len() > before => Ok(None),
            // Another row may have asked for the same weight already.
            Found::Nothing | Found::Unknown
                if matches!(self.class, ColumnClass::Text { .. })
                    && !missing.weights.is_empty() =>
            {
                Ok(None)
            }
            Found::Nothing | Found::Unknown => Err(Error::unsupported(format!(
                "the value {} of the sharding key `{}` of `{}` is not one that rows are placed by; {}",
                super::render::literal_text(value),
                self.name,
                self.table,
                advice(self.class)
            ))),
        }
    }
}

/// What to write instead of a key value that is not understood.
fn advice(class: &ColumnClass) -> &'static str {
    use ColumnClass as C;
    match class {
        C::Integer { .. } => "give a whole number",
        C::Decimal { .. } => "give a decimal number with no more digits than the column has",
        C::Year => "give a year of four digits",
        C::Date | C::DateTime { .. } => {
            "write it as '2026-01-31 13:45:00', with no more digits than the column has"
        }
        C::Text { .. } => "give a string",
        C::Binary { .. } | C::VarBinary => "give a string that fits the column",
        C::Timestamp => {
            "TIMESTAMP depends on the time zone of the session; make the column DATETIME"
        }
        C::Float | C::Bit | C::Time | C::Enum | C::Set | C::Json | C::Geometry => {
            "columns of its type cannot be sharding keys"
        }
    }
}

pub(super) fn shard_at(sharded: &Sharded, index: usize) -> Result<ShardId> {
    let shard = sharded.shards.get(index).copied();
    shard.ok_or_else(|| Error::internal("an algorithm gave a shard that there is not"))
}

/// The shard of a table without parts whose key has one value: what most statements ask for, found
/// without a list. None: the statement is of another kind, or facts are missing.
fn one_shard<'r>(unit: &'r Unit, run: &Run<'r>, missing: &mut Missing) -> Result<Option<ShardId>> {
    let (Condition::Eq(operand), Some(sharded)) = (&unit.condition, unit.table.sharded()) else {
        return Ok(None);
    };
    if sharded.parts.is_some() {
        return Ok(None);
    }
    let weights = run.rule_weights(&sharded.algorithm, &unit.key_class, missing);
    let Some(value) = run.operand(operand, &unit.key_class, missing)? else { return Ok(None) };
    let Found::Key(key) = run.compared(value, &unit.key_class, missing) else { return Ok(None) };
    if lacking(missing) {
        return Ok(None);
    }
    match sharded.algorithm.locate(&key, &weights) {
        Ok(index) => shard_at(sharded, index).map(Some),
        // No row has the key.
        Err(_) => Ok(None),
    }
}

/// Everywhere that rows of a unit may be; nowhere if no row can meet its condition.
fn unit_targets<'r>(unit: &'r Unit, run: &Run<'r>, missing: &mut Missing) -> Result<Vec<Target>> {
    let Some(sharded) = unit.table.sharded() else { return Ok(Vec::new()) };
    let rule = by_algorithm(&sharded.algorithm, &unit.key_class, run, missing);
    let indexes = match lacking(missing) {
        true => Candidates::All,
        false => locate(&rule, &unit.condition, &unit.key_class, run, missing)?,
    };
    let mut shards: Vec<ShardId> = match indexes {
        Candidates::All => sharded.shards.clone(),
        Candidates::Some(indexes) => {
            indexes.into_iter().map(|index| shard_at(sharded, index)).collect::<Result<_>>()?
        }
    };
    shards.sort_unstable();
    shards.dedup();
    let mut targets = Vec::new();
    for shard in shards {
        match unit_parts(unit, sharded, shard, run, missing)? {
            None => targets.push(Target { shard, part: None }),
            Some(parts) => {
                targets.extend(parts.into_iter().map(|part| Target { shard, part: Some(part) }));
            }
        }
    }
    Ok(targets)
}

fn lacking(missing: &Missing) -> bool {
    !missing.weights.is_empty()
}

fn by_algorithm<'r>(
    algorithm: &'r crate::catalog::Algorithm,
    class: &ColumnClass,
    run: &Run<'_>,
    missing: &mut Missing,
) -> ByAlgorithm<'r> {
    let weights = run.rule_weights(algorithm, class, missing);
    ByAlgorithm { algorithm, weights, integer: matches!(class, ColumnClass::Integer { .. }) }
}

/// The physical tables on a shard; None if the table has none.
fn unit_parts<'r>(
    unit: &'r Unit,
    sharded: &Sharded,
    shard: ShardId,
    run: &Run<'r>,
    missing: &mut Missing,
) -> Result<Option<Vec<Part>>> {
    let (Some(parts), Some(class)) = (&sharded.parts, &unit.part_class) else { return Ok(None) };
    let condition = &unit.part_condition;
    Ok(Some(match &parts.kind {
        PartsKind::Fixed { names, algorithm } => {
            let rule = by_algorithm(algorithm, class, run, missing);
            match lacking(missing) {
                true => Vec::new(),
                false => match locate(&rule, condition, class, run, missing)? {
                    Candidates::All => (0..names.len()).map(Part::Fixed).collect(),
                    Candidates::Some(found) => found.into_iter().map(Part::Fixed).collect(),
                },
            }
        }
        PartsKind::Time(time) => {
            let name = &unit.table.name;
            let existing: BTreeSet<String> = existing(&unit.table, shard, run, missing)
                .into_iter()
                .filter(|physical| time.owns(name, physical))
                .collect();
            let existing: Vec<String> = existing.into_iter().collect();
            let rule = ByTime { table: name, parts: time, existing: &existing };
            match locate(&rule, condition, class, run, missing)? {
                Candidates::All => existing.into_iter().map(Part::Period).collect(),
                Candidates::Some(found) => found.into_iter().map(Part::Period).collect(),
            }
        }
    }))
}

/// The physical tables of a time table on a shard.
fn existing(table: &Table, shard: ShardId, run: &Run<'_>, missing: &mut Missing) -> Vec<String> {
    let id = TableId { schema: table.schema.clone(), table: table.name.clone() };
    let key = (id, shard);
    match run.facts.periods.get(&key) {
        Some(names) => names.to_vec(),
        None => {
            missing.periods.push(key);
            Vec::new()
        }
    }
}

/// A target that could run a statement whatever its values are: for the definitions of its columns.
pub fn sample(place: &Place, run: &Run<'_>) -> Result<Target> {
    if let Some(shard) = place.forced {
        return Ok(Target { shard, part: None });
    }
    match place.units.as_slice() {
        [] => match without_units(place, run) {
            Ok(shard) => {
                let target = Target { shard, part: None };
                beside(place, std::slice::from_ref(&target), run).map_err(without_facts)?;
                Ok(target)
            }
            Err(stop) => Err(without_facts(stop)),
        },
        [unit] => Ok(Target { shard: beside_all(place, &[], unit, run)?, ..nowhere(unit)? }),
        units @ [first, ..] => {
            let parts = units.iter().filter_map(|unit| {
                let (schema, table) = (unit.table.schema.clone(), unit.table.name.clone());
                Some((TableId { schema, table }, any_part(&unit.table)?))
            });
            let parts: Vec<(TableId, Part)> = parts.collect();
            let part = (!parts.is_empty()).then_some(Part::Each(parts));
            Ok(Target { shard: beside_all(place, units, first, run)?, part })
        }
    }
}

/// A shard of the unit that has the others too, and from which all single and broadcast tables can be read.
fn beside_all(place: &Place, others: &[Unit], unit: &Unit, run: &Run<'_>) -> Result<ShardId> {
    let mut refused = Error::unsupported("no shard has rows of all the tables");
    let has_all = |shard: &&ShardId| others.iter().all(|unit| unit.table.shards().contains(shard));
    for &shard in unit.table.shards().iter().filter(has_all) {
        match beside(place, &[Target { shard, part: None }], run) {
            Ok(()) => return Ok(shard),
            Err(stop) => refused = without_facts(stop),
        }
    }
    Err(refused)
}

fn without_facts(stop: Stop) -> Error {
    match stop {
        Stop::Error(error) => error,
        Stop::Need(_) => Error::internal("a sample that needs facts"),
    }
}

/// A target that could take rows of a table.
pub fn sample_of(table: &Table) -> Result<Target> {
    let shard = table.shards().first().copied();
    let shard = shard.ok_or_else(|| Error::internal("a table without shards"))?;
    Ok(Target { shard, part: any_part(table) })
}

/// Where a statement runs that no row can be in the answer of.
fn nowhere(unit: &Unit) -> Result<Target> {
    let shard = unit.table.shards().first().copied();
    let shard = shard.ok_or_else(|| Error::internal("a table without shards"))?;
    Ok(Target { shard, part: any_part(&unit.table) })
}

/// A physical table that exists for sure.
fn any_part(table: &Table) -> Option<Part> {
    Some(match &table.sharded()?.parts.as_ref()?.kind {
        PartsKind::Fixed { .. } => Part::Fixed(0),
        PartsKind::Time(_) => Part::Period(table.name.clone()),
    })
}

/// Several units meet if each is in one place and all places are on one shard.
fn one_target(units: &[Unit], found: Vec<Vec<Target>>) -> Result<Target, Stop> {
    let mut shard = None;
    let mut parts: Vec<(TableId, Part)> = Vec::new();
    let groups = || units.iter().filter_map(|unit| unit.table.sharded());
    let one_group = groups().all(|table| groups().all(|other| table.colocated_with(other)));
    let split = units.iter().find(|unit| {
        unit.part_class.is_some() && units.iter().any(|other| other.part_class.is_none())
    });
    let apart = |names: &str| -> Stop {
        if let (true, Some(split)) = (one_group, split) {
            return Error::unsupported(format!(
                "a join over several shards of {names}, of which `{}` is also split into physical \
                 tables and another is not, is not supported; give both keys of `{}` values that select \
                 one physical table",
                split.table.name, split.table.name
            ))
            .into();
        }
        Error::unsupported(format!(
            "the statement touches several sharded tables that are not joined on their keys: {names}; \
             join them on their sharding keys, or give all of them conditions that select one shard"
        ))
        .into()
    };
    let names = || {
        let mut names: Vec<String> =
            units.iter().map(|unit| format!("`{}`", unit.table.name)).collect();
        names.dedup();
        names.join(", ")
    };
    for (unit, targets) in units.iter().zip(found) {
        let part = match targets.as_slice() {
            [] => any_part(&unit.table),
            [target] => {
                if shard.is_some_and(|shard| shard != target.shard) {
                    return Err(apart(&names()));
                }
                shard = Some(target.shard);
                target.part.clone()
            }
            [_, _, ..] => return Err(apart(&names())),
        };
        if let Some(part) = part {
            let id = TableId { schema: unit.table.schema.clone(), table: unit.table.name.clone() };
            match parts.iter().find(|(other, _)| *other == id) {
                Some((_, other)) if *other != part => return Err(apart(&names())),
                Some(_) => {}
                None => parts.push((id, part)),
            }
        }
    }
    // Tables of which no row can be in the answer must be there too.
    let has_all = |shard: &ShardId| units.iter().all(|unit| unit.table.shards().contains(shard));
    let first = || units.first().and_then(|unit| unit.table.shards().iter().copied().find(has_all));
    let Some(shard) =
        shard.filter(has_all).or_else(|| if shard.is_none() { first() } else { None })
    else {
        return Err(apart(&names()));
    };
    let alike = parts.windows(2).all(|pair| matches!(pair, [one, other] if one.1 == other.1));
    let part = match parts.first() {
        Some((_, part)) if alike => Some(part.clone()),
        Some(_) => Some(Part::Each(parts)),
        None => None,
    };
    Ok(Target { shard, part })
}

/// Where a statement runs that names no sharded table.
fn without_units(place: &Place, run: &Run<'_>) -> Result<ShardId, Stop> {
    if let Some(table) = place.singles.first()
        && let Some(shard) = table.shards().first()
    {
        return Ok(*shard);
    }
    let all: Vec<ShardId> = (0..run.catalog.shards.len())
        .filter_map(|index| u16::try_from(index).ok().map(ShardId))
        .collect();
    let copies = place.broadcasts.first().map_or(all.as_slice(), |table| table.shards());
    let choices = || place.default.iter().chain(copies).copied();
    let has_all = |shard: &ShardId| {
        place.broadcasts.iter().all(|table| copy_on(table, *shard, run).is_some())
    };
    let near = |shard: &ShardId| {
        let cluster = run.catalog.shard(*shard).map(|shard| shard.cluster);
        run.cluster.is_none() || run.cluster == cluster
    };
    let nearest = choices().find(|shard| near(shard) && has_all(shard));
    match nearest.or_else(|| choices().find(has_all)) {
        Some(shard) => Ok(shard),
        None => {
            let names: Vec<String> =
                place.broadcasts.iter().map(|table| format!("`{}`", table.name)).collect();
            let message = format!("no cluster has a copy of each of {}", names.join(", "));
            Err(Error::unsupported(message).into())
        }
    }
}

/// The shard with a copy of a broadcast table on the cluster of `shard`.
pub(super) fn copy_on(table: &Table, shard: ShardId, run: &Run<'_>) -> Option<ShardId> {
    let cluster = |id: ShardId| run.catalog.shard(id).map(|shard| shard.cluster);
    let shards = table.shards();
    if shards.contains(&shard) {
        return Some(shard);
    }
    shards.iter().copied().find(|other| cluster(*other) == cluster(shard))
}

/// Single and broadcast tables must be on the clusters of all targets.
fn beside(place: &Place, targets: &[Target], run: &Run<'_>) -> Result<(), Stop> {
    for table in place.singles.iter().chain(&place.broadcasts) {
        let far = targets.iter().find(|target| copy_on(table, target.shard, run).is_none());
        let Some(far) = far else { continue };
        let name = |shard: ShardId| {
            run.catalog.shard(shard).map_or(String::new(), |shard| shard.name.clone())
        };
        let message = match &table.kind {
            TableKind::Single { shard } => format!(
                "table `{}` is on {} alone, and the statement also needs rows of {}; join tables of \
                 one cluster, or make `{}` a broadcast table",
                table.name,
                name(*shard),
                name(far.shard),
                table.name
            ),
            TableKind::Broadcast { .. } | TableKind::Sharded(_) => format!(
                "the broadcast table `{}` has no copy beside {}; add the shard to its rule",
                table.name,
                name(far.shard)
            ),
        };
        return Err(Error::unsupported(message).into());
    }
    Ok(())
}
