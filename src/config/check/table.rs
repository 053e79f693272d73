//! Tables: which kind each is, and what it follows.

use std::collections::{BTreeMap, HashMap};

use super::algorithm::{Targets, algorithm};
use super::parts::{check_remainders, inherited, parts};
use super::{Scope, check_name};
use crate::config::model::{Algorithm, IdRule, Parts, PartsKind, Rule, ShardName, Sharded, Table};
use crate::config::node::Located;
use crate::config::problem::{Place, Problems, suggestion};
use crate::config::shape::{self, Map};

/// Checks all tables of a schema. Tables that follow others come second, when those are known.
pub(super) fn tables(
    map: Map<Located<shape::Table>>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    let mut owners = HashMap::new();
    let (children, others): (Vec<_>, Vec<_>) =
        map.0.iter().filter_map(|(name, table)| Some((name, table.as_ref()?))).partition(
            |(_, table): &(_, &Located<shape::Table>)| table.value.colocated_with.is_some(),
        );
    for (name, located) in &others {
        check_name(name, "table", problems);
        check_fields(located, problems);
        if let Some(table) = table(name, located, scope, problems) {
            tables.insert(name.value.clone(), table);
        }
    }
    let all = map.0.iter().map(|(name, table)| (name.value.as_str(), table.as_ref())).collect();
    let parents = if children.is_empty() { BTreeMap::new() } else { tables.clone() };
    for (name, located) in &children {
        check_name(name, "table", problems);
        check_fields(located, problems);
        if let Some(table) = child(name, located, &all, &parents, problems) {
            tables.insert(name.value.clone(), table);
        }
    }
    for (name, _) in &map.0 {
        check_physical(name, &tables, &mut owners, problems);
    }
    tables
}

/// The kinds of tables by the key that tells them, and the keys that may stand beside it.
const KINDS: [(&str, &[&str]); 4] = [
    ("single", &["tables", "id"]),
    ("broadcast", &[]),
    ("shards", &["key", "algorithm", "tables", "id"]),
    ("colocated_with", &["key", "tables", "id"]),
];

fn present(table: &shape::Table) -> Vec<(&'static str, &Place)> {
    let all = [
        ("single", table.single.as_ref().map(|field| &field.place)),
        ("broadcast", table.broadcast.as_ref().map(|field| &field.place)),
        ("shards", table.shards.as_ref().map(|field| &field.place)),
        ("colocated_with", table.colocated_with.as_ref().map(|field| &field.place)),
        ("key", table.key.as_ref().map(|field| &field.place)),
        ("algorithm", table.algorithm.as_ref().map(|field| &field.place)),
        ("tables", table.tables.as_ref().map(|field| &field.place)),
        ("id", table.id.as_ref().map(|field| &field.place)),
    ];
    all.into_iter().filter_map(|(name, place)| Some((name, place?))).collect()
}

/// Reports keys that do not go together.
fn check_fields(located: &Located<shape::Table>, problems: &mut Problems) {
    let table = &located.value;
    if let (Some(id), true, None) = (&table.id, table.single.is_some(), &table.tables) {
        let message =
            "a table on one shard needs no `id`: its server counts AUTO_INCREMENT columns";
        problems.add(&id.place, message);
    }
    if let (Some(id), true) = (&table.id, table.broadcast.is_some()) {
        let message = "a broadcast table takes no `id`: every copy gets the text of an INSERT as it is, with \
                       the ids that are in it; give them there, or make it a table over shards";
        problems.add(&id.place, message);
        return;
    }
    let present = present(table);
    let kind = KINDS.iter().find(|(kind, _)| present.iter().any(|(name, _)| name == kind));
    let Some((kind, beside)) = kind else {
        let message = "what kind of table is it? write one of `single`, `broadcast`, `shards`, \
                       `colocated_with`";
        problems.add(&located.place, message);
        return;
    };
    for (name, place) in present {
        if name != *kind && !beside.contains(&name) {
            problems
                .add(place, format!("`{name}` cannot stand beside `{kind}`; remove one of them"));
        }
    }
}

fn table(
    name: &Located<String>,
    located: &Located<shape::Table>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> Option<Table> {
    let table = &located.value;
    if let Some(single) = &table.single {
        let shard = scope.shard(single, problems);
        let Some(tables) = &table.tables else { return Some(Table::Single { shard: shard? }) };
        let parts = parts(name, tables, problems)?;
        let sharded = Sharded { id: id_rule(table, problems), ..on_one_shard(shard?, parts) };
        return Some(Table::Sharded(Box::new(sharded)));
    }
    if let Some(broadcast) = &table.broadcast {
        let shards = scope.shards(broadcast, problems)?;
        return Some(Table::Broadcast { shards });
    }
    let shards = scope.shards(table.shards.as_ref()?, problems);
    let key = required(&table.key, "key", &located.place, problems);
    let rule = required(&table.algorithm, "algorithm", &located.place, problems);
    let parts = match &table.tables {
        Some(tables) => parts(name, tables, problems).map(Some),
        None => Some(None),
    };
    let (shards, rule) = (shards?, rule?);
    let names: Vec<String> = shards.iter().map(|shard| shard.name.clone()).collect();
    let targets = Targets { names: &names, what: "shard" };
    let algorithm = algorithm(rule, &targets, problems);
    let key = key?;
    check_name(key, "column", problems);
    let id = id_rule(table, problems);
    let sharded =
        Sharded { key: key.value.clone(), shards, algorithm: algorithm?, parts: parts?, id };
    if let Some(tables) = &table.tables {
        check_remainders(&sharded, &tables.place, problems);
    }
    Some(Table::Sharded(Box::new(sharded)))
}

/// A table that is split inside one shard only: every value goes there.
fn on_one_shard(shard: ShardName, parts: Parts) -> Sharded {
    let algorithm = Algorithm { rule: Rule::Hash, null: Some(0) };
    Sharded { key: parts.key.clone(), shards: vec![shard], algorithm, parts: Some(parts), id: None }
}

fn id_rule(table: &shape::Table, problems: &mut Problems) -> Option<IdRule> {
    let shape::Id { column, generator } = &table.id.as_ref()?.value;
    check_name(column, "column", problems);
    Some(IdRule { column: column.value.clone(), generator: *generator })
}

fn required<'a, T>(
    field: &'a Option<Located<T>>,
    name: &str,
    place: &Place,
    problems: &mut Problems,
) -> Option<&'a Located<T>> {
    if field.is_none() {
        problems.add(place, format!("`{name}` is missing: a table over shards needs it"));
    }
    field.as_ref()
}

fn child(
    name: &Located<String>,
    located: &Located<shape::Table>,
    all: &BTreeMap<&str, Option<&Located<shape::Table>>>,
    parents: &BTreeMap<String, Table>,
    problems: &mut Problems,
) -> Option<Table> {
    let table = &located.value;
    let followed = table.colocated_with.as_ref()?;
    let key = required(&table.key, "key", &located.place, problems);
    let own = match &table.tables {
        Some(tables) => parts(name, tables, problems).map(Some),
        None => Some(None),
    };
    let Some(parent) = all.get(followed.value.as_str()) else {
        let near = suggestion(&followed.value, all.keys().copied());
        problems.add(&followed.place, format!("unknown table `{}`{near}", followed.value));
        return None;
    };
    if let Some(root) = &(*parent)?.value.colocated_with {
        let message =
            format!("`{}` follows `{}` itself; name that table", followed.value, root.value);
        problems.add(&followed.place, message);
        return None;
    }
    // If it is not there, its own mistakes are reported already.
    let Table::Sharded(parent) = parents.get(&followed.value)? else {
        let message = format!(
            "`{}` is not spread over shards; only such a table can be followed",
            followed.value
        );
        problems.add(&followed.place, message);
        return None;
    };
    let key = key?;
    check_name(key, "column", problems);
    let parts = match own? {
        Some(own) => Some(own),
        None => match inherited(&name.value, &key.value, &followed.value, parent) {
            Ok(parts) => parts,
            Err(message) => {
                problems.add(&followed.place, message);
                None
            }
        },
    };
    let sharded = Sharded {
        key: key.value.clone(),
        shards: parent.shards.clone(),
        algorithm: parent.algorithm.clone(),
        parts,
        id: id_rule(table, problems),
    };
    Some(Table::Sharded(Box::new(sharded)))
}

/// Reports physical tables that two tables would share, and logical names that are physical ones.
fn check_physical(
    name: &Located<String>,
    tables: &BTreeMap<String, Table>,
    owners: &mut HashMap<String, String>,
    problems: &mut Problems,
) {
    let Some(Table::Sharded(sharded)) = tables.get(&name.value) else { return };
    let Some(parts) = &sharded.parts else { return };
    let physical: Vec<&String> = match &parts.kind {
        PartsKind::Fixed { names, .. } => names.iter().collect(),
        PartsKind::Time(time) => time.default.iter().chain(&time.null).collect(),
    };
    for table in physical {
        if tables.contains_key(table) && *table != name.value {
            let message =
                format!("the physical table `{table}` of `{}` is a table of its own", name.value);
            problems.add(&name.place, message);
        }
        let owner = owners.entry(table.clone()).or_insert_with(|| name.value.clone());
        if *owner != name.value {
            let message = format!("the physical table `{table}` belongs to `{owner}` already");
            problems.add(&name.place, message);
        }
    }
}
