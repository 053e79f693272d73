//! Rows of servers about physical tables, made into rows about logical ones.

use std::collections::HashMap;

use bytes::Bytes;

use super::owners::Owners;
use super::refer::SYSTEM;
use super::tables::{Fold, Objects};
use crate::catalog::ShardId;

pub(super) type Row = Vec<Option<Bytes>>;

/// Where rows come from.
pub(super) struct Origin<'a> {
    pub(super) shard: ShardId,
    pub(super) database: &'a str,
    pub(super) owners: &'a Owners<'a>,
}

/// Takes rows of one table of information_schema from many databases.
pub(super) struct Folder<'a> {
    objects: &'static Objects,
    /// Columns of the rows, by name in upper case.
    columns: HashMap<String, usize>,
    /// Rows have the table behind their own columns.
    computed_table: Option<usize>,
    groups: Vec<Group<'a>>,
    by_key: HashMap<Vec<Option<Bytes>>, usize>,
}

/// The rows that make one.
struct Group<'a> {
    schema: &'a str,
    /// For the order of the answer.
    table: String,
    /// The row of the first physical table; without it the logical table is not there yet.
    base: Option<Row>,
    /// Values of the columns that are folded.
    values: Vec<Option<Bytes>>,
}

impl<'a> Folder<'a> {
    /// `names` are the columns of the rows to come; `computed_table` says that the last is of
    /// [`Objects::table_of`].
    pub(super) fn new(objects: &'static Objects, names: &[&str], computed_table: bool) -> Self {
        let columns = names.iter().enumerate();
        Self {
            objects,
            columns: columns.map(|(index, name)| (name.to_ascii_uppercase(), index)).collect(),
            computed_table: computed_table.then(|| names.len().saturating_sub(1)),
            groups: Vec::new(),
            by_key: HashMap::new(),
        }
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// The database that a row tells of.
    pub(super) fn database(&self, row: &Row) -> Option<String> {
        text(row, self.column(self.objects.schema)?)
    }

    /// Takes a row that stands as it is: of information_schema itself.
    pub(super) fn keep(&mut self, row: Row) {
        let values = self.folded(&row);
        let group = Group { schema: SYSTEM, table: String::new(), base: Some(row), values };
        self.groups.push(group);
    }

    /// Takes a row of a database.
    pub(super) fn add(&mut self, origin: &Origin<'a>, mut row: Row) {
        let table = match self.computed_table.or_else(|| self.column(self.objects.table)) {
            Some(index) => text(&row, index),
            None => None,
        };
        let schema = &origin.owners.schema;
        let Some(physical) = table else {
            if origin.shard == schema.default_shard {
                self.rename(origin, "", "", &mut row);
                let base = Some(row);
                let group =
                    Group { schema: &schema.name, table: String::new(), base, values: Vec::new() };
                self.groups.push(group);
            }
            return;
        };
        let Some(owned) = origin.owners.owned(origin.shard, &physical) else { return };
        if !owned.first && !self.objects.is_folded() {
            return;
        }
        let logical = owned.logical.to_owned();
        let mut key = vec![
            Some(Bytes::copy_from_slice(schema.name.as_bytes())),
            Some(Bytes::copy_from_slice(logical.as_bytes())),
        ];
        for name in self.objects.identity {
            key.push(self.column(name).and_then(|index| row.get(index).cloned().flatten()));
        }
        let values = self.folded(&row);
        self.rename(origin, &physical, &logical, &mut row);
        let base = owned.first.then_some(row);
        if !self.objects.is_folded() {
            self.groups.push(Group { schema: &schema.name, table: logical, base, values });
            return;
        }
        match self.by_key.get(&key).and_then(|index| self.groups.get_mut(*index)) {
            Some(group) => {
                group.base = group.base.take().or(base);
                let pairs = group.values.iter_mut().zip(values);
                for ((kept, value), (_, fold)) in pairs.zip(self.objects.folds) {
                    *kept = folded(*fold, kept.take(), value);
                }
            }
            None => {
                self.by_key.insert(key, self.groups.len());
                self.groups.push(Group { schema: &schema.name, table: logical, base, values });
            }
        }
    }

    /// Values of the columns that are folded, in the order of the folds.
    fn folded(&self, row: &Row) -> Vec<Option<Bytes>> {
        let value = |name: &str| row.get(self.column(name)?).cloned().flatten();
        self.objects.folds.iter().map(|(name, _)| value(name)).collect()
    }

    /// Puts logical names in.
    fn rename(&self, origin: &Origin<'_>, physical: &str, logical: &str, row: &mut Row) {
        let schema = origin.owners.schema.name.as_str();
        let all = [self.objects.schema].into_iter().chain(self.objects.schemas.iter().copied());
        for index in all.filter_map(|name| self.column(name)) {
            change(row, index, |text| (text == origin.database).then(|| schema.to_owned()));
        }
        let all = [self.objects.table].into_iter().chain(self.objects.tables.iter().copied());
        for index in all.filter_map(|name| self.column(name)) {
            change(row, index, |text| {
                let owned = origin.owners.owned(origin.shard, text)?;
                (owned.logical != text).then(|| owned.logical.to_owned())
            });
        }
        for index in self.objects.derived.iter().filter_map(|name| self.column(name)) {
            change(row, index, |text| derived(text, physical, logical));
        }
        for index in self.objects.texts.iter().filter_map(|name| self.column(name)) {
            change(row, index, |text| {
                let text = text.replace(&format!("`{}`", origin.database), &format!("`{schema}`"));
                Some(text.replace(&format!("`{physical}`"), &format!("`{logical}`")))
            });
        }
    }

    /// The rows, by schema and table.
    pub(super) fn finish(mut self) -> Vec<Row> {
        let mut groups = std::mem::take(&mut self.groups);
        groups.retain(|group| group.base.is_some());
        groups.sort_by(|one, other| (one.schema, &one.table).cmp(&(other.schema, &other.table)));
        groups.into_iter().filter_map(|group| self.row(group)).collect()
    }

    fn row(&self, group: Group<'a>) -> Option<Row> {
        let mut row = group.base?;
        let value = |wanted: &str| {
            let position = self.objects.folds.iter().position(|(name, _)| *name == wanted)?;
            number(group.values.get(position)?.as_ref()?)
        };
        for ((name, fold), kept) in self.objects.folds.iter().zip(&group.values) {
            let Some(cell) = self.column(name).and_then(|index| row.get_mut(index)) else {
                continue;
            };
            match fold {
                Fold::Sum | Fold::Most | Fold::Least => cell.clone_from(kept),
                Fold::Quotient(total, count) => {
                    if let (Some(total), Some(count @ 1..)) = (value(total), value(count)) {
                        *cell = Some((total / count).to_string().into());
                    }
                }
            }
        }
        if let Some(index) = self.computed_table {
            row.truncate(index);
        }
        Some(row)
    }
}

fn folded(fold: Fold, kept: Option<Bytes>, value: Option<Bytes>) -> Option<Bytes> {
    let (Some(one), Some(other)) = (&kept, &value) else { return kept.or(value) };
    match fold {
        Fold::Sum => match (number(one), number(other)) {
            (Some(one), Some(other)) => Some(one.saturating_add(other).to_string().into()),
            (Some(_), None) | (None, _) => kept,
        },
        Fold::Most => {
            if is_less(one, other) {
                value
            } else {
                kept
            }
        }
        Fold::Least => {
            if is_less(other, one) {
                value
            } else {
                kept
            }
        }
        // It is computed at the end.
        Fold::Quotient(..) => kept,
    }
}

/// Numbers by their size; times in their usual form order as texts do.
fn is_less(one: &Bytes, other: &Bytes) -> bool {
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one < other,
        (Some(_), None) | (None, _) => one < other,
    }
}

fn number(text: &Bytes) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn text(row: &Row, index: usize) -> Option<String> {
    let bytes = row.get(index)?.as_ref()?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

fn change(row: &mut Row, index: usize, changed: impl Fn(&str) -> Option<String>) {
    let Some(Some(cell)) = row.get_mut(index) else { return };
    let text = std::str::from_utf8(cell).ok().and_then(changed);
    if let Some(text) = text {
        *cell = text.into();
    }
}

/// A constraint's name that the server has made: `table_ibfk_1`, `table_chk_1`.
fn derived(name: &str, physical: &str, logical: &str) -> Option<String> {
    let rest = name.strip_prefix(physical)?;
    let made = rest.starts_with("_ibfk_") || rest.starts_with("_chk_");
    (made && physical != logical).then(|| format!("{logical}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::super::tables::{Contents, known};
    use super::*;
    use crate::catalog::Catalog;
    use crate::config::{Source, parse};

    const RULES: &str = "
clusters:
  c0: {primary: '127.0.0.1:3311', user: margay, password: x}
users:
  app: {password: x, schemas: {shop: [read, write]}}
schemas:
  shop:
    default_shard: c0/home
    tables:
      orders: {shards: 'c0/s_{0..1}', key: k, algorithm: modulo}
      copies: {broadcast: ['c0/s_0', 'c0/s_1']}
      parts:
        shards: 'c0/s_{0..1}'
        key: k
        algorithm: modulo
        tables: {names: 'parts_{0..1}', key: k, algorithm: modulo}
";

    /// `input` has a line a row, in which the first word is the shard; `-` is NULL.
    fn check(table: &str, names: &str, input: &[&str], expect: &[&str]) {
        let source = Source { name: "rules.yaml".into(), text: RULES.into() };
        let catalog = Catalog::new(&parse(&[source], &|_| None).unwrap().0).unwrap();
        let owners = Owners::new(&catalog.schemas["shop"]);
        let (_, Contents::Objects(objects)) = known(table).unwrap() else { panic!("{table}") };
        let names: Vec<&str> = names.split(' ').collect();
        let mut folder = Folder::new(objects, &names, false);
        for line in input {
            let mut words = line.split(' ');
            let database = words.next().unwrap();
            let shard = catalog.shard_named(&format!("c0/{database}")).unwrap();
            let origin = Origin { shard, database, owners: &owners };
            let cell = |word: &str| (word != "-").then(|| Bytes::from(word.to_owned()));
            folder.add(&origin, words.map(cell).collect());
        }
        let told = |row: Row| {
            let cells = row.into_iter().map(|cell| match cell {
                Some(cell) => String::from_utf8(cell.to_vec()).unwrap(),
                None => "-".to_owned(),
            });
            cells.collect::<Vec<_>>().join(" ")
        };
        let rows: Vec<String> = folder.finish().into_iter().map(told).collect();
        assert_eq!(rows, expect, "{table}");
    }

    #[test]
    fn sums_shards_and_parts() {
        check(
            "tables",
            "TABLE_SCHEMA TABLE_NAME TABLE_ROWS DATA_LENGTH AVG_ROW_LENGTH AUTO_INCREMENT",
            &[
                "home home plain 1 100 100 -",
                "home home orders 9 900 100 -",
                "s_1 s_1 orders 3 600 200 7",
                "s_0 s_0 orders 1 200 200 -",
                "s_0 s_0 copies 5 50 10 5",
                "s_1 s_1 copies 5 50 10 9",
                "s_0 s_0 parts_0 1 1 1 -",
                "s_0 s_0 parts_1 1 2 2 -",
                "s_1 s_1 parts_0 - - - -",
                "s_1 s_1 parts_1 2 5 2 -",
                "s_0 s_0 stray 1 1 1 -",
            ],
            &[
                "shop copies 5 50 10 5",
                "shop orders 4 800 200 7",
                "shop parts 4 8 2 -",
                "shop plain 1 100 100 -",
            ],
        );
    }

    #[test]
    fn a_table_without_its_first_part_is_not_there() {
        check("tables", "TABLE_SCHEMA TABLE_NAME", &["s_1 s_1 orders", "s_0 s_0 parts_1"], &[]);
    }

    #[test]
    fn folds_rows_of_one_table_apart() {
        check(
            "statistics",
            "TABLE_SCHEMA TABLE_NAME INDEX_SCHEMA INDEX_NAME SEQ_IN_INDEX CARDINALITY",
            &[
                "s_0 s_0 orders s_0 PRIMARY 1 4",
                "s_0 s_0 orders s_0 by_name 1 2",
                "s_1 s_1 orders s_1 PRIMARY 1 3",
                "s_1 s_1 orders s_1 by_name 1 -",
            ],
            &["shop orders shop PRIMARY 1 7", "shop orders shop by_name 1 2"],
        );
    }

    #[test]
    fn the_first_physical_table_stands_for_all() {
        check(
            "key_column_usage",
            "CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_SCHEMA TABLE_NAME REFERENCED_TABLE_SCHEMA \
             REFERENCED_TABLE_NAME",
            &[
                "s_0 s_0 parts_0_ibfk_1 s_0 parts_0 s_0 parts_0",
                "s_0 s_0 mine s_0 parts_0 - -",
                "s_0 s_0 parts_1_ibfk_1 s_0 parts_1 s_0 parts_0",
                "s_1 s_1 parts_0_ibfk_1 s_1 parts_0 s_1 parts_0",
            ],
            &["shop parts_ibfk_1 shop parts shop parts", "shop mine shop parts - -"],
        );
    }

    #[test]
    fn schemas_are_those_of_the_default_shards() {
        check(
            "schemata",
            "CATALOG_NAME SCHEMA_NAME",
            &["s_0 def s_0", "home def home"],
            &["def shop"],
        );
    }
}
