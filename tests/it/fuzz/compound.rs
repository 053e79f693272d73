//! Queries of several SELECTs: set operations, common table expressions, subqueries.

use super::class::{Class, Collation};
use super::generator::{Generator, brackets};
use super::scope::{Order, Output, Place, Query, Scope, Source, Value};
use super::select::Wish;
use super::tree::{Kind, Node, sql};

impl Generator<'_> {
    /// A query of any kind.
    pub(super) fn query(&mut self, wish: &Wish) -> Query {
        let compound = wish.depth > 0;
        match self.random.below(100) {
            0..=10 if compound => self.set_operation(wish),
            11..=20 if compound && wish.classes.is_empty() => self.with(wish),
            21 if wish.top => self.whole_table(),
            _ => self.select(wish),
        }
    }

    fn set_operation(&mut self, wish: &Wish) -> Query {
        let classes = if wish.classes.is_empty() {
            let choice =
                [Class::Int, Class::Text, Class::Decimal, Class::Date, Class::Wide, Class::Moment];
            (0..self.random.between(1, 3)).map(|_| *self.random.pick(&choice)).collect()
        } else {
            wish.classes.clone()
        };
        let count = self.random.weighted(&[(70, 2), (25, 3), (5, 4)]);
        let mut node = Node::empty();
        let mut outputs = Vec::new();
        let mut distinct = true;
        for at in 0..count {
            let bracketed = self.random.chance(45);
            let depth = wish.depth - 1;
            let inner =
                Wish { classes: classes.clone(), exact: true, top: false, depth, limit: bracketed };
            let query = if bracketed { self.query(&inner) } else { self.select(&inner) };
            let part = if bracketed { brackets(query.node) } else { query.node };
            if at == 0 {
                node = part;
                outputs = query.outputs;
                continue;
            }
            let words = [
                " UNION ",
                " UNION ALL ",
                " UNION ALL ",
                " UNION DISTINCT ",
                " INTERSECT ",
                " EXCEPT ",
            ];
            let word = *self.random.pick(&words);
            distinct = word != " UNION ALL ";
            node = sql![node, Node::optional(sql![word, part])];
        }
        let unique = distinct.then(|| outputs.iter().map(|output| output.name.clone()).collect());
        let mut order = Order::Free;
        if wish.limit && self.random.chance(40) {
            let items = self.positions(outputs.len());
            let min = items.len();
            let limit =
                if self.random.chance(60) { Node::optional(self.limit()) } else { Node::empty() };
            let list = Node::List { items, separator: ", ", min };
            node = sql![node, Node::optional(sql![" ORDER BY ", list, limit])];
            order = Order::Total;
        }
        Query { node: Node::part(Kind::Query, node), outputs, unique, order }
    }

    fn with(&mut self, wish: &Wish) -> Query {
        let before = self.shared.len();
        let count = self.random.weighted(&[(65, 1), (30, 2), (5, 3)]);
        let mut items = Vec::new();
        let mut recursive = false;
        for _ in 0..count {
            let around = std::mem::take(&mut self.scopes);
            let (node, source, again) = self.shared_table(wish.depth - 1);
            self.scopes = around;
            recursive |= again;
            items.push(node);
            self.shared.push(source);
        }
        let inner = Wish { depth: wish.depth, ..wish.clone() };
        let query =
            if self.random.chance(20) { self.set_operation(&inner) } else { self.select(&inner) };
        self.shared.truncate(before);
        let word = if recursive || self.random.chance(10) { "WITH RECURSIVE " } else { "WITH " };
        let with = Node::optional(sql![word, Node::list(items, ", "), " "]);
        Query { node: sql![with, query.node], ..query }
    }

    /// A common table expression, and whether it is recursive.
    fn shared_table(&mut self, depth: u8) -> (Node, Source, bool) {
        let name = self.name("e");
        match self.random.below(10) {
            0 => (self.counting(&name), recursive_source(&name, &["n"], &["n"]), true),
            1 => (self.walk(&name), recursive_source(&name, &["id", "few"], &[]), true),
            2 | 3 => {
                let query = self.query(&Wish::inner(depth));
                let source = query.source(&name);
                let names: Vec<String> =
                    (0..source.columns.len()).map(|_| self.name("x")).collect();
                let node = sql![
                    name.as_str(),
                    format!(" ({})", names.join(", ")),
                    " AS (",
                    query.node,
                    ")"
                ];
                let rename = |old: &String| {
                    let at = source.columns.iter().position(|column| column.name == *old);
                    at.and_then(|at| names.get(at)).cloned()
                };
                let unique =
                    source.unique.as_ref().and_then(|unique| unique.iter().map(rename).collect());
                let columns = source.columns.iter().zip(&names);
                let columns =
                    columns.map(|(column, name)| Output { name: name.clone(), ..column.clone() });
                let source = Source { alias: name, columns: columns.collect(), unique };
                (node, source, false)
            }
            _ => {
                let query = self.query(&Wish::inner(depth));
                let source = query.source(&name);
                (sql![name.as_str(), " AS (", query.node, ")"], source, false)
            }
        }
    }

    fn counting(&mut self, name: &str) -> Node {
        let end = self.random.between(1, 12);
        format!("{name} (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM {name} WHERE n < {end})")
            .into()
    }

    /// Follows references from row to row.
    fn walk(&mut self, name: &str) -> Node {
        let table = self.random.pick(self.tables).name.clone();
        let start = self.random.between(1, 4);
        let all = if self.random.chance(60) { "UNION ALL" } else { "UNION" };
        format!(
            "{name} (id, few) AS (SELECT id, 1 FROM {table} WHERE id <= {start} {all} \
             SELECT t.id, {name}.few + 1 FROM {table} t JOIN {name} ON t.ref = {name}.id WHERE {name}.few < 4)"
        )
        .into()
    }

    fn whole_table(&mut self) -> Query {
        let table = self.random.pick(self.tables).clone();
        let node = if self.is_mysql() {
            format!("TABLE {}", table.name)
        } else {
            format!("SELECT * FROM {}", table.name)
        };
        let order =
            if table.unique && self.random.chance(50) { " ORDER BY id LIMIT 5" } else { "" };
        let known = if order.is_empty() { Order::Free } else { Order::Total };
        let node = sql![node, Node::optional(order.into())];
        Query { node, outputs: Vec::new(), unique: None, order: known }
    }

    /// A query for IN, EXISTS, ANY and ALL.
    pub(super) fn subquery(&mut self, classes: &[Class], place: Place, exact: bool) -> Query {
        let depth = place.depth.saturating_sub(1).min(2);
        let wish = Wish { classes: classes.to_vec(), exact, top: false, depth, limit: false };
        if depth > 0 && self.random.chance(6) {
            self.set_operation(&wish)
        } else {
            self.select(&wish)
        }
    }

    /// A query of one row and one column.
    pub(super) fn scalar_subquery(&mut self, class: Class, place: Place, exact: bool) -> Value {
        let depth = place.depth.saturating_sub(1).min(1);
        self.scopes.push(Scope::default());
        let from = self.from(depth, 2);
        let filter = self.filter(depth);
        let row_key = self.scope().row_key().filter(|key| !key.is_empty());
        let level = self.scopes.len() - 1;
        let column = self.column_at(level, class, exact);
        let (value, tail) = match (row_key, column) {
            (Some(key), Some(column)) if self.random.chance(35) => {
                let order = Node::fixed(format!(" ORDER BY {} LIMIT 1", key.join(", ")).into());
                (column, order)
            }
            _ => {
                self.scope().keys = Some(Vec::new());
                let place = Place { depth: 1, subqueries: false, groups: true, windows: false };
                (self.aggregate(class, place), Node::empty())
            }
        };
        self.scopes.pop();
        let query = sql!["SELECT ", value.node, from, filter, tail];
        let node = sql!["(", Node::part(Kind::Query, query), ")"];
        Value { node, collation: value.collation.settled(), ..value }
    }
}

fn recursive_source(name: &str, columns: &[&str], unique: &[&str]) -> Source {
    let output = |name: &&str| Output {
        name: (*name).to_owned(),
        class: Class::Int,
        collation: Collation::Any,
        exact: true,
    };
    let unique: Vec<String> = unique.iter().map(|name| (*name).to_owned()).collect();
    Source {
        alias: name.to_owned(),
        columns: columns.iter().map(output).collect(),
        unique: (!unique.is_empty()).then_some(unique),
    }
}
