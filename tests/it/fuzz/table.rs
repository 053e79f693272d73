//! Tables with random columns and rows.

use crate::differential::case::Dialect;

use super::kind::{ID, KINDS, Kind, MORE, REF};
use super::layout::{Size, Spec};
use super::random::Random;

#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Values as SQL literals.
    pub(super) rows: Vec<Vec<String>>,
    /// No two rows have the same id.
    pub(super) unique: bool,
    /// Names of indexes.
    pub(super) indexes: Vec<String>,
    /// What follows the columns in the definition.
    pub(super) constraints: Vec<String>,
    pub(super) definitions: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    nullable: bool,
}

impl Table {
    pub(super) fn random(spec: &Spec, dialect: Dialect, random: &mut Random) -> Self {
        let required = spec.required().into_iter();
        let mut columns: Vec<Column> = required
            .map(|(kind, nullable)| Column { name: kind.name.to_owned(), kind, nullable })
            .collect();
        let count = random.between(4, 9);
        while columns.len() < count + 3 {
            let column = column(spec, random);
            if columns.iter().all(|other| other.name != column.name) {
                columns.push(column);
            }
        }
        let unique = spec.rows != Size::Repeated;
        let (constraints, indexes) = constraints(spec, &columns, unique, random);
        let definitions = columns.iter().map(|column| column.definition(dialect)).collect();
        let rows = rows(spec.rows, &columns, random);
        Self {
            name: spec.name.to_owned(),
            columns,
            rows,
            unique,
            indexes,
            constraints,
            definitions,
        }
    }

    pub(super) fn is_keyed(&self) -> bool {
        self.constraints.iter().any(|constraint| constraint.starts_with("PRIMARY KEY"))
    }

    pub(super) fn create(&self) -> String {
        let parts: Vec<&str> =
            self.definitions.iter().chain(&self.constraints).map(String::as_str).collect();
        format!("CREATE TABLE {} ({})", self.name, parts.join(", "))
    }

    /// Without keys and indexes: a server that stands in for the proxy should find rows in other ways.
    pub(super) fn create_bare(&self) -> String {
        format!("CREATE TABLE {} ({})", self.name, self.definitions.join(", "))
    }

    /// `None` if there are no rows.
    pub(super) fn insert(&self) -> Option<String> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let rows: Vec<String> =
            self.rows.iter().map(|row| format!("({})", row.join(", "))).collect();
        let (names, values) = (names.join(", "), rows.join(", "));
        let Self { name, .. } = self;
        (!rows.is_empty()).then(|| format!("INSERT INTO {name} ({names}) VALUES {values}"))
    }
}

impl Column {
    pub(super) fn nullable(&self) -> bool {
        self.nullable
    }

    fn definition(&self, dialect: Dialect) -> String {
        let nullable = if self.nullable { "NULL" } else { "NOT NULL" };
        format!("{} {} {nullable}", self.name, self.kind.definition(dialect))
    }
}

/// Half of the names are the same in all tables that have a column of the type.
fn column(spec: &Spec, random: &mut Random) -> Column {
    let at = random.below(KINDS.len() + MORE.len());
    let kind = KINDS.get(at).copied().unwrap_or_else(|| MORE[at - KINDS.len()]);
    let own = spec.name.chars().nth(2).unwrap_or('x');
    let name =
        if random.chance(50) { kind.name.to_owned() } else { format!("{}_{own}", kind.name) };
    Column { name, kind, nullable: random.chance(80) }
}

fn constraints(
    spec: &Spec,
    columns: &[Column],
    unique: bool,
    random: &mut Random,
) -> (Vec<String>, Vec<String>) {
    let mut constraints = Vec::new();
    if unique && random.chance(80) {
        let keys = spec.keys.iter().chain(spec.not_null).map(|key| key.name);
        let mut names = vec![ID.name, "grp"];
        names.extend(keys);
        let mut seen = Vec::new();
        names.retain(|name| {
            !seen.contains(name) && {
                seen.push(*name);
                true
            }
        });
        constraints.push(format!("PRIMARY KEY ({})", names.join(", ")));
    }
    let mut indexes = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        // With an index, MySQL takes the greatest ENUM and SET by number, not by text.
        let unindexed = ["note", "json", "animal", "marks"];
        let whole = !unindexed.contains(&column.kind.name);
        if whole && random.chance(20) {
            let name = format!("i{at}");
            constraints.push(format!("INDEX {name} ({})", column.name));
            indexes.push(name);
        }
    }
    (constraints, indexes)
}

fn rows(size: Size, columns: &[Column], random: &mut Random) -> Vec<Vec<String>> {
    let count = match size {
        Size::Empty => 0,
        Size::One => 1,
        Size::Few => random.between(2, 6),
        Size::Some | Size::Repeated => random.between(7, 16),
        Size::Many => random.between(17, 40),
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for id in 1..=count {
        if size == Size::Repeated && id > 4 {
            let row = random.pick(&rows).clone();
            rows.push(row);
            continue;
        }
        let row = columns.iter().map(|column| value(column, id, random)).collect();
        rows.push(row);
    }
    rows
}

fn value(column: &Column, id: usize, random: &mut Random) -> String {
    if column.nullable && random.chance(20) {
        return "NULL".to_owned();
    }
    match column.name.as_str() {
        "id" if column.kind == ID => id.to_string(),
        "ref" if column.kind == REF => random.between(1, 18).to_string(),
        _ => column.kind.value(random),
    }
}
