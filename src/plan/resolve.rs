//! Where a statement runs, found at run time from its values.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::facts::{Facts, Need, Stop, TableId, WeightKey};
use super::key::{Canonical, Purpose, algorithm_weights, canonical};
use super::prune::{self, Values};
use super::template::{Part, Target, Template};
use super::types::{
    DdlStep, Insert, InsertRow, LimitOperands, Operand, Place, Plan, Scatter, Unit, Write,
};
use crate::catalog::{Algorithm, Catalog, Key, PartsKind, ShardId, Table, TableKind};
use crate::error::{Error, ErrorKind, Result};
use crate::merge::Spec;
use crate::sql::expr::Literal;
use crate::sql::quote;

/// What resolving looks at beside the plan.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub catalog: &'a Catalog,
    pub facts: &'a Facts,
    /// Values of the parameters.
    pub params: &'a [Literal],
    /// The connection's charset.
    pub charset: &'a str,
    /// Where a transaction is open: copies there are preferred.
    pub cluster: Option<usize>,
}

/// Rows of an INSERT for one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub target: Target,
    pub text: Vec<u8>,
    /// Indexes of the client's parameters, in the order of the `?` in the text.
    pub params: Vec<u16>,
}

/// The targets of a statement; never none: an answer that must be empty comes from a shard too.
pub fn targets(place: &Place, input: Input<'_>) -> Result<Vec<Target>, Stop> {
    if let Some(shard) = place.forced {
        return Ok(vec![Target { shard, part: None }]);
    }
    let targets = match place.units.as_slice() {
        [] => vec![Target { shard: shard_of_copies(place, input)?, part: None }],
        [unit] => unit_targets(unit, input)?,
        units => vec![common_target(units, input)?],
    };
    for target in &targets {
        check_neighbours(place, target, input.catalog)?;
    }
    Ok(targets)
}

/// The targets of an UPDATE or DELETE.
pub fn write_targets(write: &Write, input: Input<'_>) -> Result<Vec<Target>, Stop> {
    match &write.broadcast {
        Some(table) if write.place.forced.is_none() => Ok(everywhere(table)),
        Some(_) | None => targets(&write.place, input),
    }
}

fn everywhere(table: &Table) -> Vec<Target> {
    table.shards().iter().map(|shard| Target { shard: *shard, part: None }).collect()
}

/// A shard for a statement without sharded tables.
fn shard_of_copies(place: &Place, input: Input<'_>) -> Result<ShardId, Error> {
    if let Some(shard) = place.singles.first().and_then(|table| table.shards().first()) {
        return Ok(*shard);
    }
    let on = |cluster: usize| {
        move |shard: &ShardId| input.catalog.shard(*shard).is_some_and(|it| it.cluster == cluster)
    };
    if let Some(first) = place.broadcasts.first() {
        let has_all = |shard: &&ShardId| {
            let cluster = input.catalog.shard(**shard).map(|shard| shard.cluster);
            let copies =
                |table: &Arc<Table>| cluster.is_some_and(|c| table.shards().iter().any(on(c)));
            place.broadcasts.iter().all(copies)
        };
        let preferred = first.shards().iter().filter(has_all);
        let near =
            input.cluster.and_then(|cluster| preferred.clone().find(|shard| on(cluster)(shard)));
        return near.or_else(|| preferred.clone().next()).copied().ok_or_else(|| {
            Error::unsupported("no cluster has a copy of all broadcast tables of the statement")
        });
    }
    let near = input.cluster.and_then(|cluster| {
        (0..input.catalog.shards.len())
            .filter_map(|index| u16::try_from(index).ok().map(ShardId))
            .find(on(cluster))
    });
    let default = place.default.filter(|shard| input.cluster.is_none_or(|c| on(c)(shard)));
    default
        .or(near)
        .or(place.default)
        .or_else(|| (!input.catalog.shards.is_empty()).then_some(ShardId(0)))
        .ok_or_else(|| Error::new(ErrorKind::Config, "the rules have no shard"))
}

/// Single and broadcast tables must lie beside the target.
fn check_neighbours(place: &Place, target: &Target, catalog: &Catalog) -> Result<()> {
    let cluster = |shard: ShardId| catalog.shard(shard).map(|shard| shard.cluster);
    let own = cluster(target.shard);
    for table in place.singles.iter().chain(&place.broadcasts) {
        if !table.shards().iter().any(|shard| cluster(*shard) == own) {
            let name = catalog.shard(target.shard).map_or("?", |shard| shard.name.as_str());
            return Err(Error::unsupported(format!(
                "table `{}` has no copy on the cluster of shard {name}, where the rest of the \
                 statement runs; make it a broadcast table, or query the tables one by one",
                table.name
            )));
        }
    }
    Ok(())
}

/// Several units: each must be on one target, and all on one shard.
fn common_target(units: &[Unit], input: Input<'_>) -> Result<Target, Stop> {
    let mut shard = None;
    let mut parts = Vec::new();
    for unit in units {
        let found = unit_targets(unit, input)?;
        let [target] = found.as_slice() else {
            return Err(Stop::Error(apart(units)));
        };
        if *shard.get_or_insert(target.shard) != target.shard {
            return Err(Stop::Error(apart(units)));
        }
        if let Some(part) = &target.part {
            parts.push((table_id(&unit.table), part.clone()));
        }
    }
    let shard = shard.ok_or_else(|| Error::internal("a place without units"))?;
    let part = match parts.len() {
        0 => None,
        1 if units.len() == 1 => parts.pop().map(|(_, part)| part),
        _ => Some(Part::Each(parts)),
    };
    Ok(Target { shard, part })
}

fn apart(units: &[Unit]) -> Error {
    let mut names: Vec<String> =
        units.iter().map(|unit| format!("`{}`", unit.table.name)).collect();
    names.dedup();
    Error::unsupported(format!(
        "the statement reads sharded tables that are not proven to lie together ({}); join colocated \
         tables on their sharding keys, or give each key a value of one shard",
        names.join(", ")
    ))
}

fn table_id(table: &Table) -> TableId {
    TableId { schema: table.schema.clone(), table: table.name.clone() }
}

/// The targets of one unit, by shard, then by physical table.
fn unit_targets(unit: &Unit, input: Input<'_>) -> Result<Vec<Target>, Stop> {
    let sharded = unit
        .table
        .sharded()
        .ok_or_else(|| Error::internal("a unit of a table that is not sharded"))?;
    let values = Values { class: &unit.key_class, input };
    let shards = prune::algorithm(&unit.condition, &sharded.algorithm, values)?;
    let shards: Vec<ShardId> =
        shards.into_iter().filter_map(|index| sharded.shards.get(index).copied()).collect();
    let Some(parts) = &sharded.parts else {
        let targets = shards.iter().map(|shard| Target { shard: *shard, part: None });
        return Ok(or_first(targets.collect(), &sharded.shards, None));
    };
    let class = unit.part_class.as_ref();
    let class = class.ok_or_else(|| Error::internal("physical tables without a key's type"))?;
    let values = Values { class, input };
    match &parts.kind {
        PartsKind::Fixed { algorithm, .. } => {
            let parts = prune::algorithm(&unit.part_condition, algorithm, values)?;
            let targets = shards.iter().flat_map(|shard| {
                parts.iter().map(|part| Target { shard: *shard, part: Some(Part::Fixed(*part)) })
            });
            Ok(or_first(targets.collect(), &sharded.shards, Some(Part::Fixed(0))))
        }
        PartsKind::Time(time) => {
            let id = table_id(&unit.table);
            let missing = shards
                .iter()
                .filter(|shard| !input.facts.periods.contains_key(&(id.clone(), **shard)));
            let missing: Vec<_> = missing.map(|shard| (id.clone(), *shard)).collect();
            if !missing.is_empty() {
                return Err(Stop::Need(Need::Periods(missing)));
            }
            let mut targets = Vec::new();
            for shard in shards {
                let found = input.facts.periods.get(&(id.clone(), shard));
                let mut names: Vec<&String> =
                    found.into_iter().flat_map(|names| names.iter()).collect();
                names.sort_unstable();
                for name in names {
                    if time.owns(&unit.table.name, name)
                        && prune::period(
                            &unit.part_condition,
                            time,
                            &unit.table.name,
                            name,
                            values,
                        )?
                    {
                        let part = Some(Part::Period(name.clone()));
                        targets.push(Target { shard, part });
                    }
                }
            }
            // The pattern table holds no rows.
            Ok(or_first(targets, &sharded.shards, None))
        }
    }
}

/// An empty set of targets becomes one where no row can match.
fn or_first(targets: Vec<Target>, shards: &[ShardId], part: Option<Part>) -> Vec<Target> {
    if !targets.is_empty() {
        return targets;
    }
    shards.first().map(|shard| Target { shard: *shard, part }).into_iter().collect()
}

/// The rows of an INSERT by target, each target's in the order of the statement.
pub fn insert_batches(insert: &Insert, input: Input<'_>) -> Result<Vec<Batch>, Stop> {
    let located: Vec<(Target, Vec<&InsertRow>)> = match &insert.table.kind {
        TableKind::Single { shard } => {
            vec![(Target { shard: *shard, part: None }, insert.rows.iter().collect())]
        }
        TableKind::Broadcast { .. } => {
            let all = everywhere(&insert.table).into_iter();
            all.map(|target| (target, insert.rows.iter().collect())).collect()
        }
        TableKind::Sharded(_) => {
            let mut groups: Vec<(Target, Vec<&InsertRow>)> = Vec::new();
            for row in &insert.rows {
                let target = row_target(insert, row, input)?;
                match groups.iter_mut().find(|(known, _)| *known == target) {
                    Some((_, rows)) => rows.push(row),
                    None => groups.push((target, vec![row])),
                }
            }
            groups
        }
    };
    let batches = located.into_iter().map(|(target, rows)| batch(insert, target, &rows, input));
    batches.collect::<Result<Vec<_>>>().map_err(Stop::Error)
}

fn batch(insert: &Insert, target: Target, rows: &[&InsertRow], input: Input<'_>) -> Result<Batch> {
    let (mut text, mut params) = insert.head.render(&target, input.catalog)?;
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            text.extend_from_slice(b", ");
        }
        let (row_text, row_params) =
            computed(&row.template, input).render(&target, input.catalog)?;
        text.extend_from_slice(&row_text);
        params.extend(row_params);
    }
    let (tail, tail_params) = insert.tail.render(&target, input.catalog)?;
    text.extend_from_slice(&tail);
    params.extend(tail_params);
    Ok(Batch { target, text, params })
}

/// The template with values in place of the expressions that a server has computed.
fn computed(template: &Template, input: Input<'_>) -> Template {
    let mut template = template.clone();
    for piece in &mut template.pieces {
        let super::template::Piece::Text(text) = piece else { continue };
        match input.facts.computed.get(text) {
            Some(Literal::String { bytes, .. }) => *text = quote::text(bytes),
            Some(Literal::Null) => *text = b"NULL".to_vec(),
            Some(_) | None => {}
        }
    }
    template
}

fn row_target(insert: &Insert, row: &InsertRow, input: Input<'_>) -> Result<Target, Stop> {
    let missing = || Error::internal("a row of a sharded table without its key");
    let sharded = insert.table.sharded().ok_or_else(missing)?;
    let class = insert.key_class.as_ref().ok_or_else(missing)?;
    let operand = row.key.as_ref().ok_or_else(missing)?;
    let values = Values { class, input };
    let key = stored_key(operand, values, &insert.table.name, &sharded.key)?;
    let index = locate(&sharded.algorithm, &key, values)?;
    let shard = sharded.shards.get(index).copied().ok_or_else(missing)?;
    let Some(parts) = &sharded.parts else { return Ok(Target { shard, part: None }) };
    let class = insert.part_class.as_ref().ok_or_else(missing)?;
    let operand = row.part_key.as_ref().ok_or_else(missing)?;
    let values = Values { class, input };
    let key = stored_key(operand, values, &insert.table.name, &parts.key)?;
    let part = match &parts.kind {
        PartsKind::Fixed { algorithm, .. } => Part::Fixed(locate(algorithm, &key, values)?),
        PartsKind::Time(time) => Part::Period(time.name(&insert.table.name, &key)?),
    };
    Ok(Target { shard, part: Some(part) })
}

fn locate(algorithm: &Algorithm, key: &Key, values: Values<'_>) -> Result<usize, Stop> {
    let weights = algorithm_weights(algorithm, values.class, values.input.facts)
        .map_err(|missing| Stop::Need(Need::Weights(missing)))?;
    Ok(algorithm.locate(key, &weights)?)
}

fn stored_key(
    operand: &Operand,
    values: Values<'_>,
    table: &str,
    column: &str,
) -> Result<Key, Stop> {
    let literal = operand_value(operand, values.input)?;
    match canonical(literal, values.class, Purpose::Store, values.input.charset, values.input.facts)
    {
        Canonical::Key(key) => Ok(key),
        Canonical::Need(weight) => Err(Stop::Need(Need::Weights(vec![weight]))),
        Canonical::Unknown => Err(Stop::Error(Error::new(
            ErrorKind::NoShardForValue,
            format!(
                "cannot tell which value of the sharding key `{table}`.`{column}` is stored for \
                 {}; write it in the plain form of the column's type",
                shown(literal)
            ),
        ))),
    }
}

fn shown(literal: &Literal) -> String {
    match literal {
        Literal::String { bytes, .. } => format!("'{}'", String::from_utf8_lossy(bytes)),
        Literal::Integer(text) | Literal::Decimal(text) | Literal::Float(text) => text.clone(),
        Literal::Temporal { text, .. } => format!("'{text}'"),
        Literal::Null => "NULL".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Hex { bytes, .. } | Literal::Bit { bytes, .. } => {
            String::from_utf8_lossy(&quote::hex(bytes)).into_owned()
        }
    }
}

/// The value of an operand in this execution.
pub(super) fn operand_value<'a>(
    operand: &'a Operand,
    input: Input<'a>,
) -> Result<&'a Literal, Stop> {
    match operand {
        Operand::Literal(literal) => Ok(literal),
        Operand::Param(index) => input
            .params
            .get(usize::from(*index))
            .ok_or_else(|| Stop::Error(Error::protocol(format!("parameter {index} has no value")))),
        Operand::Computed(text) => match input.facts.computed.get(text) {
            Some(literal) => Ok(literal),
            None => Err(Stop::Need(Need::Computed(vec![text.clone()]))),
        },
    }
}

/// Every physical table of a DDL step. The pattern of time tables comes last when it is dropped, so that
/// a failure on the way leaves a statement that can be run again.
pub fn ddl_targets(step: &DdlStep, facts: &Facts) -> Result<Vec<Target>, Stop> {
    let shards: BTreeSet<ShardId> = step.table.shards().iter().copied().collect();
    let parts = step.table.sharded().and_then(|sharded| sharded.parts.as_ref());
    match parts.map(|parts| &parts.kind) {
        None => Ok(everywhere(&step.table)),
        Some(PartsKind::Fixed { names, .. }) => Ok(shards
            .iter()
            .flat_map(|shard| {
                (0..names.len()).map(|part| Target { shard: *shard, part: Some(Part::Fixed(part)) })
            })
            .collect()),
        Some(PartsKind::Time(time)) => {
            let id = table_id(&step.table);
            let missing =
                shards.iter().filter(|shard| !facts.periods.contains_key(&(id.clone(), **shard)));
            let missing: Vec<_> = missing.map(|shard| (id.clone(), *shard)).collect();
            if !missing.is_empty() && !step.creates {
                return Err(Stop::Need(Need::Periods(missing)));
            }
            let mut targets = Vec::new();
            for shard in shards {
                let found = facts.periods.get(&(id.clone(), shard)).filter(|_| !step.creates);
                let names = found.into_iter().flat_map(|names| names.iter());
                let owned = names.filter(|name| time.owns(&step.table.name, name));
                targets.extend(
                    owned.map(|name| Target { shard, part: Some(Part::Period(name.clone())) }),
                );
                targets.push(Target { shard, part: None });
            }
            Ok(targets)
        }
    }
}

/// The merge with this execution's LIMIT, and the text that ends each fragment.
pub fn limits(scatter: &Scatter, params: &[Literal]) -> Result<(Spec, String)> {
    let mut spec = scatter.merge.clone();
    let Some(LimitOperands { rows, offset, pushed }) = &scatter.limit else {
        return Ok((spec, String::new()));
    };
    let number = |operand: &Operand| -> Result<u64> {
        let literal = match operand {
            Operand::Literal(literal) => Some(literal),
            Operand::Param(index) => params.get(usize::from(*index)),
            Operand::Computed(_) => None,
        };
        let text = match literal {
            Some(Literal::Integer(text)) => Some(text.as_str()),
            Some(Literal::String { bytes, .. }) => std::str::from_utf8(bytes).ok(),
            _ => None,
        };
        text.and_then(|text| text.parse().ok()).ok_or_else(|| {
            Error::new(
                ErrorKind::Syntax,
                "LIMIT and OFFSET take whole numbers that are not negative",
            )
        })
    };
    let rows = number(rows)?;
    spec.offset = offset.as_ref().map(number).transpose()?.unwrap_or(0);
    spec.limit = Some(rows);
    let suffix = if *pushed {
        format!(" LIMIT {}", spec.offset.saturating_add(rows))
    } else {
        String::new()
    };
    Ok((spec, suffix))
}

/// A target that could run the plan, and its text there: for the definitions of its columns.
pub fn sample(plan: &Plan, catalog: &Catalog) -> Result<(Target, Vec<u8>)> {
    let (target, template) = match plan {
        Plan::Select(select) => (sample_target(&select.place, catalog)?, select.route.clone()),
        Plan::Write(write) => (sample_target(&write.place, catalog)?, write.template.clone()),
        Plan::Insert(insert) => {
            let target = table_target(&insert.table)?;
            let mut template = insert.head.clone();
            template.untouched = None;
            for (index, row) in insert.rows.iter().enumerate() {
                if index > 0 {
                    template.pieces.push(super::template::Piece::Text(b", ".to_vec()));
                }
                template.pieces.extend(row.template.pieces.iter().cloned());
            }
            template.pieces.extend(insert.tail.pieces.iter().cloned());
            (target, template)
        }
        Plan::Ddl(_) => return Err(Error::internal("DDL has no columns to describe")),
    };
    let (text, _) = template.render(&target, catalog)?;
    Ok((target, text))
}

fn sample_target(place: &Place, catalog: &Catalog) -> Result<Target> {
    if let Some(shard) = place.forced {
        return Ok(Target { shard, part: None });
    }
    match place.units.as_slice() {
        [] => {
            let facts = Facts::default();
            let input =
                Input { catalog, facts: &facts, params: &[], charset: "utf8mb4", cluster: None };
            Ok(Target { shard: shard_of_copies(place, input)?, part: None })
        }
        [unit] => table_target(&unit.table),
        units => {
            let parts = units.iter().map(|unit| {
                let target = table_target(&unit.table)?;
                Ok((target.shard, target.part.map(|part| (table_id(&unit.table), part))))
            });
            let parts = parts.collect::<Result<Vec<_>>>()?;
            let shard = parts.first().map(|(shard, _)| *shard);
            let shard = shard.ok_or_else(|| Error::internal("a place without units"))?;
            let each = parts.into_iter().filter_map(|(_, part)| part).collect();
            Ok(Target { shard, part: Some(Part::Each(each)) })
        }
    }
}

fn table_target(table: &Table) -> Result<Target> {
    let shard = table.shards().first().copied();
    let shard = shard.ok_or_else(|| Error::internal("a table without a shard"))?;
    let parts = table.sharded().and_then(|sharded| sharded.parts.as_ref());
    let part = parts.and_then(|parts| match parts.kind {
        PartsKind::Fixed { .. } => Some(Part::Fixed(0)),
        PartsKind::Time(_) => None,
    });
    Ok(Target { shard, part })
}

/// Asks for weights that are missing.
pub(super) fn need_weight(key: WeightKey) -> Stop {
    Stop::Need(Need::Weights(vec![key]))
}
