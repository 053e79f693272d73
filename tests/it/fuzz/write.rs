//! Statements that write, each with one effect only: rows are chosen by orders without ties, and no row is
//! changed by two others.

use crate::differential::case::Dialect;

use super::class::Class;
use super::generator::Generator;
use super::random::Random;
use super::scope::{Order, Place, Scope};
use super::statement::{Pass, Statement};
use super::table::{Column, Table};
use super::tree::{Node, sql};

/// Columns that rows may be spread or found by: writes leave them as they are.
const KEYS: [&str; 7] = ["id", "grp", "ref", "day", "code", "tag", "big"];
/// What an inserted row adds to the id of the row that it is made of, so that there is no such row yet.
const NEW: &str = " + 100";

struct Writer<'a> {
    generator: Generator<'a>,
    target: &'a Table,
    /// The tables of subqueries and joins: all but the target, which MySQL does not let them read.
    others: &'a [Table],
}

pub(super) fn statement(mut random: Random, tables: &[Table], dialect: Dialect) -> Statement {
    // Margay picks rows by primary keys.
    let inserts = random.chance(33);
    let keyed: Vec<&Table> = tables.iter().filter(|table| inserts || table.is_keyed()).collect();
    let target =
        if keyed.is_empty() { random.pick(tables) } else { *random.pick::<&Table>(&keyed) };
    let others: Vec<Table> =
        tables.iter().filter(|table| table.name != target.name).cloned().collect();
    let pass = random.weighted(&[(70, Pass::Text), (12, Pass::Prepared), (18, Pass::Bound)]);
    let commits = random.chance(40);
    let generator = Generator::new(random, &others, dialect);
    let mut writer = Writer { generator, target, others: &others };
    let mut targets = vec![target.name.clone()];
    let tree = match writer.generator.random.below(10) {
        _ if inserts => writer.insert(),
        0..=3 => writer.update(),
        4 | 5 => writer.update_joined(),
        6 | 7 => writer.delete(),
        _ => {
            let (tree, other) = writer.delete_joined();
            targets.extend(other);
            tree
        }
    };
    Statement { tree, order: Order::Free, fold: false, pass, targets, commits }
}

impl<'a> Writer<'a> {
    fn chance(&mut self, percent: usize) -> bool {
        self.generator.random.chance(percent)
    }

    /// Puts tables in reach, by these names.
    fn open(&mut self, tables: &[(&Table, &str)]) {
        let sources = tables.iter().map(|(table, alias)| table.source(alias)).collect();
        self.generator.scopes = vec![Scope { sources, keys: None }];
    }

    fn alias(&mut self) -> String {
        self.generator.name("a")
    }

    /// A table whose rows have ids of their own.
    fn other(&mut self) -> &'a Table {
        self.other_where(|table| table.unique)
    }

    fn other_where(&mut self, wanted: impl Fn(&Table) -> bool) -> &'a Table {
        let unique: Vec<&Table> = self.others.iter().filter(|table| wanted(table)).collect();
        let all: &[&Table] = &unique;
        self.generator.random.pick::<&Table>(all)
    }

    /// ORDER BY and LIMIT that choose the same rows everywhere.
    fn chosen(&mut self, percent: usize) -> Node {
        if !self.target.unique || !self.chance(percent) {
            return Node::empty();
        }
        let random = &mut self.generator.random;
        let direction = *random.pick(&["", " DESC"]);
        let first = *random.pick(&["", "grp, ", "ref DESC, "]);
        let limit = random.between(0, 8);
        Node::optional(format!(" ORDER BY {first}id{direction} LIMIT {limit}").into())
    }

    fn update(&mut self) -> Node {
        let target = self.target;
        let named = self.chance(50);
        let alias = if named { self.alias() } else { target.name.clone() };
        self.open(&[(target, &alias)]);
        let head = if named { format!("{} AS {alias}", target.name) } else { alias.clone() };
        let set = self.assignments(&alias, None);
        let filter = self.generator.filter(2);
        let chosen = if named { Node::empty() } else { self.chosen(35) };
        sql!["UPDATE ", head, " SET ", set, filter, chosen]
    }

    /// Each row meets one row of the other table at most, or all of them say the same.
    fn update_joined(&mut self) -> Node {
        let (target, other) = (self.target, self.other());
        let (alias, beside) = (self.alias(), self.alias());
        self.open(&[(target, &alias), (other, &beside)]);
        let column = *self.generator.random.pick(&["id", "ref", "grp"]);
        let word = *self.generator.random.pick(&[" JOIN ", " JOIN ", " LEFT JOIN "]);
        let set = self.assignments(&alias, Some((other, &beside)));
        let filter = self.generator.filter(1);
        let from = format!("{} AS {alias}{word}{} AS {beside}", target.name, other.name);
        sql!["UPDATE ", from, format!(" ON {beside}.id = {alias}.{column}"), " SET ", set, filter]
    }

    fn delete(&mut self) -> Node {
        let target = self.target;
        self.open(&[(target, &target.name)]);
        let filter = self.generator.filter(2);
        sql!["DELETE FROM ", target.name.as_str(), filter, self.chosen(35)]
    }

    /// The other table, if its rows are deleted too.
    fn delete_joined(&mut self) -> (Node, Option<String>) {
        let both =
            self.chance(30) && self.others.iter().any(|table| table.unique && table.is_keyed());
        let target = self.target;
        let other = self.other_where(|table| table.unique && (!both || table.is_keyed()));
        let (alias, beside) = (self.alias(), self.alias());
        self.open(&[(target, &alias), (other, &beside)]);
        let column = *self.generator.random.pick(&["id", "ref", "grp"]);
        let from = *self.generator.random.pick(&["id", "ref"]);
        let filter = self.generator.filter(1);
        let names = if both { format!("{alias}, {beside}") } else { alias.clone() };
        let on = format!("{beside}.{column} = {alias}.{from}");
        let from = format!("{} AS {alias} JOIN {} AS {beside}", target.name, other.name);
        let node = sql!["DELETE ", names, " FROM ", from, " ON ", on, filter];
        (node, both.then(|| other.name.clone()))
    }

    fn assignments(&mut self, alias: &str, beside: Option<(&Table, &str)>) -> Node {
        let target = self.target;
        let free: Vec<&Column> = free(target).collect();
        let count = self.generator.random.between(1, 3.min(free.len()));
        let mut nodes = Vec::new();
        let mut written: Vec<String> = Vec::new();
        let start = self.generator.random.below(free.len());
        for at in 0..count {
            let column = free[(start + at) % free.len()];
            let value = self.assigned(column, alias, beside);
            // Servers do not say which of the assignments of a join they make first.
            let text = value.to_string();
            let reads = |name: &String| beside.is_some() && text.contains(name.as_str());
            if written.iter().any(reads) {
                continue;
            }
            written.push(column.name.clone());
            nodes.push(sql![format!("{alias}.{} = ", column.name), value]);
        }
        Node::list(nodes, ", ")
    }

    fn assigned(&mut self, column: &Column, alias: &str, beside: Option<(&Table, &str)>) -> Node {
        let like = beside.and_then(|(table, alias)| {
            let like = table.columns.iter().find(|other| other.kind == column.kind)?;
            Some(format!("{alias}.{}", like.name))
        });
        let literal = self.literal(column);
        match (self.generator.random.below(10), like) {
            (0..=5, Some(like)) => self.not_null(column, like.into()),
            (0..=2, _) => literal,
            (3 | 4, _) => {
                let place = Place { depth: 1, subqueries: true, groups: false, windows: false };
                let condition = self.generator.condition(place);
                let own = format!(" ELSE {alias}.{} END", column.name);
                sql!["CASE WHEN ", condition, " THEN ", literal, own]
            }
            (5 | 6, _) if column.kind.class != Class::Json => {
                let other = column.kind.value(&mut self.generator.random);
                let own = format!("COALESCE(NULLIF({alias}.{}, {other}), ", column.name);
                sql![own, column.kind.value(&mut self.generator.random), ")"]
            }
            (7 | 8, _) => self.looked_up(column, alias).unwrap_or(literal),
            // It may well not fit, which is an error in any case.
            (9, _) => {
                let place = Place { depth: 1, subqueries: false, groups: false, windows: false };
                self.generator.value(column.kind.class, place, true).node
            }
            _ => literal,
        }
    }

    fn literal(&mut self, column: &Column) -> Node {
        let random = &mut self.generator.random;
        if column.nullable() && random.chance(12) {
            return "NULL".into();
        }
        column.kind.value(random).into()
    }

    fn not_null(&mut self, column: &Column, value: Node) -> Node {
        if column.nullable() {
            return value;
        }
        sql!["COALESCE(", value, ", ", column.kind.value(&mut self.generator.random), ")"]
    }

    /// The greatest value of a column of the kind in another table's rows that belong to this one.
    fn looked_up(&mut self, column: &Column, alias: &str) -> Option<Node> {
        let ordered =
            [Class::Int, Class::Wide, Class::Decimal, Class::Date, Class::Moment, Class::Time];
        if !ordered.contains(&column.kind.class) {
            return None;
        }
        let other = self.generator.random.pick(self.others);
        let like = other.columns.iter().find(|other| other.kind == column.kind)?;
        let key = *self.generator.random.pick(&["id", "ref", "grp"]);
        let inner = self.alias();
        let query = format!(
            "(SELECT MAX({inner}.{}) FROM {} AS {inner} WHERE {inner}.{key} = {alias}.id)",
            like.name, other.name
        );
        Some(self.not_null(column, query.into()))
    }

    fn insert(&mut self) -> Node {
        let target = self.target;
        let from = if self.target.unique && self.chance(12) { target } else { self.other() };
        let alias = self.alias();
        let verbs = ["INSERT INTO ", "INSERT INTO ", "INSERT IGNORE INTO ", "REPLACE INTO "];
        let verb = *self.generator.random.pick(&verbs);
        let fresh = self.chance(45);
        self.open(&[(from, &alias)]);
        let items: Vec<Node> =
            target.columns.iter().map(|column| self.item(column, (from, &alias), fresh)).collect();
        let filter = self.generator.filter(2);
        let limit = self.generator.random.between(0, 9);
        let order = if self.chance(30) {
            Node::optional(format!(" ORDER BY {alias}.id LIMIT {limit}").into())
        } else {
            Node::empty()
        };
        let update = if verb == "INSERT INTO " && self.chance(45) {
            self.on_duplicate()
        } else {
            Node::empty()
        };
        let names: Vec<&str> = target.columns.iter().map(|column| column.name.as_str()).collect();
        let head = format!("{verb}{} ({}) SELECT ", target.name, names.join(", "));
        let min = items.len();
        let list = Node::List { items, separator: ", ", min };
        sql![head, list, format!(" FROM {} AS {alias}", from.name), filter, order, update]
    }

    /// What a column gets from a row of another table.
    fn item(&mut self, column: &Column, (from, alias): (&Table, &str), fresh: bool) -> Node {
        match column.name.as_str() {
            "id" => return format!("{alias}.id{}", if fresh { NEW } else { "" }).into(),
            "grp" => return format!("{alias}.grp").into(),
            _ => {}
        }
        let like = from.columns.iter().find(|other| other.kind == column.kind);
        match like {
            Some(like) if self.chance(70) => {
                let value = format!("{alias}.{}", like.name);
                self.not_null(column, value.into())
            }
            _ if self.chance(15) => {
                let place = Place { depth: 1, subqueries: true, groups: false, windows: false };
                let condition = self.generator.condition(place);
                let (one, other) = (self.literal(column), self.literal(column));
                sql!["IF(", condition, ", ", one, ", ", other, ")"]
            }
            _ => self.literal(column),
        }
    }

    fn on_duplicate(&mut self) -> Node {
        let target = self.target;
        let free: Vec<&Column> = free(target).collect();
        let column = *self.generator.random.pick(&free);
        let name = &column.name;
        let value: Node = match self.generator.random.below(3) {
            0 => format!("VALUES({name})").into(),
            1 => self.literal(column),
            _ => format!("COALESCE(VALUES({name}), {}.{name})", target.name).into(),
        };
        Node::optional(sql![format!(" ON DUPLICATE KEY UPDATE {name} = "), value])
    }
}

/// Columns that may be given any value.
fn free(table: &Table) -> impl Iterator<Item = &Column> {
    table.columns.iter().filter(|column| !KEYS.contains(&column.name.as_str()))
}
