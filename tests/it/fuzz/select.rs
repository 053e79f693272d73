//! SELECT: plain and grouped.

use super::class::{Class, Collation};
use super::generator::{Generator, is_column};
use super::scope::{Order, Output, Place, Query, Scope, Source, Value};
use super::tree::{Kind, Node, sql};

/// What a query should be like.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// The classes of its columns; any if empty.
    pub(super) classes: Vec<Class>,
    /// Equal values in its columns are the same.
    pub(super) exact: bool,
    /// It is the statement.
    pub(super) top: bool,
    pub(super) depth: u8,
    /// It may have ORDER BY and LIMIT.
    pub(super) limit: bool,
}

impl Wish {
    pub(super) fn top() -> Self {
        Self { classes: Vec::new(), exact: false, top: true, depth: 3, limit: true }
    }

    /// A query whose columns get names.
    pub(super) fn inner(depth: u8) -> Self {
        Self { classes: Vec::new(), exact: false, top: false, depth, limit: true }
    }
}

impl Query {
    pub(super) fn source(&self, alias: &str) -> Source {
        let settled =
            |output: &Output| Output { collation: output.collation.settled(), ..output.clone() };
        Source {
            alias: alias.to_owned(),
            columns: self.outputs.iter().map(settled).collect(),
            unique: self.unique.clone(),
        }
    }
}

/// The items of a SELECT.
struct Items {
    nodes: Vec<Node>,
    outputs: Vec<Output>,
    /// `*`: the outputs are not known.
    stars: bool,
}

/// Whether an item has a window function.
fn windowed(items: &[Node]) -> bool {
    items.iter().any(|item| item.to_string().contains(" OVER "))
}

/// What follows FROM and the items.
struct Tail {
    distinct: bool,
    rollup: bool,
    node: Node,
}

impl Generator<'_> {
    pub(super) fn select(&mut self, wish: &Wish) -> Query {
        self.scopes.push(Scope::default());
        let most = if wish.depth == 0 { 2 } else { 4 };
        let bare = wish.top && self.random.chance(2);
        let from = if bare { Node::empty() } else { self.from(wish.depth, most) };
        let filter = if bare { Node::empty() } else { self.filter(wish.depth) };
        let grouped = !bare && self.random.chance(32);
        let (items, tail) = if grouped { self.grouped(wish) } else { self.plain(wish) };
        let (order_by, order) = self.order(wish, &items, &tail);
        let unique = self.unique(&items, &tail);
        self.scopes.pop();
        let modifier = self.modifier(tail.distinct, wish.top);
        let list = Node::list(items.nodes, ", ");
        let node = sql!["SELECT ", modifier, list, from, filter, tail.node, order_by];
        let node = Node::part(Kind::Query, node);
        Query { node, outputs: items.outputs, unique, order }
    }

    fn modifier(&mut self, distinct: bool, top: bool) -> Node {
        if distinct {
            return Node::optional("DISTINCT ".into());
        }
        match self.random.below(100) {
            0 => Node::optional("ALL ".into()),
            1 => Node::optional("STRAIGHT_JOIN ".into()),
            2 if top => Node::optional("SQL_NO_CACHE ".into()),
            3 => Node::optional("SQL_SMALL_RESULT ".into()),
            4 => Node::optional("/*+ SET_VAR(sort_buffer_size = 262144) */ ".into()),
            5 => Node::optional("/*+ NO_MERGE() NO_BNL() */ ".into()),
            _ => Node::empty(),
        }
    }

    pub(super) fn filter(&mut self, depth: u8) -> Node {
        let place = Place { depth, subqueries: depth > 0, groups: false, windows: false };
        let mut conditions = Vec::new();
        if self.scopes.len() > 1 && !self.closed && self.random.chance(65) {
            conditions.extend(self.correlation());
        }
        let more = if conditions.is_empty() { 55 } else { 35 };
        if self.random.chance(more) {
            conditions.push(self.condition(place));
        }
        if conditions.is_empty() {
            return Node::empty();
        }
        Node::optional(sql![" WHERE ", Node::list(conditions, " AND ")])
    }

    /// A tie to a query around this one.
    fn correlation(&mut self) -> Option<Node> {
        let last = self.scopes.len() - 1;
        let class = self.random.weighted(&[(70, Class::Int), (15, Class::Text), (15, Class::Date)]);
        let level = self.random.below(last);
        let outer = self.column_at(level, class, class == Class::Text)?;
        let inner = self.column_at(last, class, class == Class::Text)?;
        let operator = if self.random.chance(85) { " = " } else { " >= " };
        Some(Node::part(Kind::Condition, sql![inner.node, operator, outer.node]))
    }

    fn plain(&mut self, wish: &Wish) -> (Items, Tail) {
        let distinct = self.random.chance(10);
        let stars = wish.top && !distinct && wish.classes.is_empty() && self.random.chance(8);
        let mut items = Items { nodes: Vec::new(), outputs: Vec::new(), stars };
        if stars && !self.scope().sources.is_empty() {
            items.nodes.push("*".into());
        }
        let windows = !distinct && self.random.chance(20);
        let place = Place { depth: wish.depth, subqueries: wish.depth > 0, groups: false, windows };
        let exact = wish.exact || (distinct && !wish.top);
        for class in self.classes(wish, distinct) {
            let value = self.value(class, place, exact);
            self.fold |= distinct && !value.exact;
            self.add(&mut items, value, wish);
        }
        let mut tail = Node::empty();
        // A MariaDB mixes up the order of rows for ranks where another window has another order.
        let ranks = self.is_mysql() || !windowed(&items.nodes);
        if windows && wish.classes.is_empty() && self.random.chance(30) && ranks {
            tail = self.named_window(&mut items, wish);
        }
        let row_key = self.scope().row_key().unwrap_or_default();
        if !wish.top && wish.classes.is_empty() && !distinct && row_key.len() < 3 {
            for (at, key) in row_key.into_iter().enumerate() {
                let name = format!("k{}", at + 1);
                items.nodes.push(format!("{key} AS {name}").into());
                items.outputs.push(Output {
                    name,
                    class: Class::Int,
                    collation: Collation::Any,
                    exact: true,
                });
            }
        }
        (items, Tail { distinct, rollup: false, node: tail })
    }

    fn classes(&mut self, wish: &Wish, sortable: bool) -> Vec<Class> {
        if !wish.classes.is_empty() {
            return wish.classes.clone();
        }
        let count = self.random.between(1, if wish.top { 4 } else { 3 });
        let classes = (0..count).map(|_| self.class());
        classes
            .filter(|class| class.sortable() || !sortable)
            .chain([Class::Int])
            .take(count.max(1))
            .collect()
    }

    fn named_window(&mut self, items: &mut Items, wish: &Wish) -> Node {
        let level = self.scopes.len() - 1;
        let Some(key) = self.column_at(level, Class::Int, true) else { return Node::empty() };
        let name = self.name("w");
        let call = *self.random.pick(&["SUM(1)", "RANK()", "COUNT(*)", "DENSE_RANK()"]);
        let class = if call == "SUM(1)" { Class::Decimal } else { Class::Wide };
        let node = sql![call, " OVER ", name.as_str()];
        self.add(items, Value { node, class, collation: Collation::Any, exact: true }, wish);
        let direction = *self.random.pick(&["", " DESC"]);
        sql![" WINDOW ", name, " AS (ORDER BY ", key.node, direction, ")"]
    }

    fn grouped(&mut self, wish: &Wish) -> (Items, Tail) {
        let count = self.random.weighted(&[(25, 0), (45, 1), (25, 2), (5, 3)]);
        let keys = self.keys(count);
        let rollup = count > 0 && self.random.chance(14);
        self.scope().keys = Some(keys.clone());
        let windows = !rollup && self.is_mysql() && self.random.chance(6);
        let place =
            Place { depth: wish.depth.min(2), subqueries: wish.depth > 0, groups: true, windows };
        let mut items = Items { nodes: Vec::new(), outputs: Vec::new(), stars: false };
        if wish.classes.is_empty() {
            self.add_keys(&mut items, &keys, wish);
        }
        for class in self.classes(wish, false) {
            let value = self.value(class, place, true);
            self.add(&mut items, value, wish);
        }
        if wish.top && self.random.chance(12) {
            let rows = Place { depth: 1, subqueries: false, groups: false, windows: false };
            let node = self.deviation(rows);
            self.add(
                &mut items,
                Value { node, class: Class::Double, collation: Collation::Any, exact: false },
                wish,
            );
        }
        if rollup && wish.classes.is_empty() && self.is_mysql() && self.random.chance(50) {
            let node = sql!["GROUPING(", self.random.pick(&keys).node.clone(), ")"];
            self.add(
                &mut items,
                Value { node, class: Class::Int, collation: Collation::Any, exact: true },
                wish,
            );
        }
        let mut node = Node::empty();
        if count > 0 {
            let list = Node::list(keys.into_iter().map(|key| key.node).collect(), ", ");
            let rollup = if rollup { Node::optional(" WITH ROLLUP".into()) } else { Node::empty() };
            node = sql![" GROUP BY ", list, rollup];
        }
        if self.random.chance(25) {
            let condition = self.condition(Place { windows: false, ..place });
            node = sql![node, Node::optional(sql![" HAVING ", condition])];
        }
        (items, Tail { distinct: false, rollup, node })
    }

    fn keys(&mut self, count: usize) -> Vec<Value> {
        let level = self.scopes.len() - 1;
        let place = Place { depth: 1, subqueries: false, groups: false, windows: false };
        let mut keys: Vec<Value> = Vec::new();
        while keys.len() < count {
            let class = self.sortable_class();
            let column =
                if self.random.chance(75) { self.column_at(level, class, false) } else { None };
            let key = column.unwrap_or_else(|| self.value(class, place, false));
            // A literal would be a position.
            let text = key.node.to_string();
            if is_column(&key.node) || text.contains('(') {
                keys.push(Value { node: Node::fixed(key.node), ..key });
            } else {
                let node = Node::fixed("(1 + 1)".into());
                keys.push(Value {
                    node,
                    class: Class::Int,
                    collation: Collation::Any,
                    exact: true,
                });
            }
        }
        keys
    }

    /// Some of the keys as they are.
    fn add_keys(&mut self, items: &mut Items, keys: &[Value], wish: &Wish) {
        for key in keys {
            let told = key.exact || (wish.top && !wish.exact);
            if told && self.random.chance(75) {
                self.fold |= !key.exact;
                self.add(items, key.clone(), wish);
            }
        }
    }

    fn add(&mut self, items: &mut Items, value: Value, wish: &Wish) {
        let Value { node, class, collation, exact } = value;
        let name = self.name("c");
        let bare = wish.top && self.random.chance(45);
        let node = if bare {
            node
        } else {
            let between = if self.random.chance(80) { " AS " } else { " " };
            sql![node, between, name.as_str()]
        };
        items.nodes.push(node);
        items.outputs.push(Output { name, class, collation, exact });
    }

    /// Columns that tell the rows of this query apart.
    fn unique(&mut self, items: &Items, tail: &Tail) -> Option<Vec<String>> {
        let names = |outputs: &[Output]| outputs.iter().map(|output| output.name.clone()).collect();
        if tail.distinct {
            return Some(names(&items.outputs));
        }
        match self.scope().keys.as_ref().map(Vec::len) {
            Some(0) => Some(Vec::new()),
            Some(_) => None,
            None => {
                let expected = self.scope().row_key()?.len();
                let keys: Vec<Output> = items
                    .outputs
                    .iter()
                    .filter(|output| output.name.starts_with('k'))
                    .cloned()
                    .collect();
                (keys.len() == expected).then(|| names(&keys))
            }
        }
    }

    fn order(&mut self, wish: &Wish, items: &Items, tail: &Tail) -> (Node, Order) {
        let sorted = |output: &Output| output.exact && output.class.sortable();
        let all_exact = !items.stars && items.outputs.iter().all(sorted);
        let grouped = self.scope().keys.clone();
        let choice = self.random.below(100);
        if tail.rollup && !self.is_mysql() {
            return (Node::empty(), Order::Free);
        }
        let (columns, total) = if wish.top { (15, 45) } else { (0, 14) };
        if !wish.limit || choice >= columns + total {
            if wish.top && self.random.chance(3) {
                return (Node::optional(" LIMIT 3".into()), Order::Unknown);
            }
            return (Node::empty(), Order::Free);
        }
        if choice < columns && !items.stars {
            return self.order_by_columns(items);
        }
        let nodes = match (&grouped, self.scope().row_key()) {
            _ if tail.rollup => None,
            (Some(keys), _) if !keys.is_empty() => Some(self.order_of_groups(keys.clone())),
            (None, Some(key)) if !tail.distinct && !key.is_empty() => {
                Some(self.order_of_rows(&key))
            }
            (None, _) if all_exact => Some(self.positions(items.outputs.len())),
            _ => None,
        };
        let Some(nodes) = nodes else { return (Node::empty(), Order::Free) };
        let limit = if self.random.chance(if wish.top { 60 } else { 95 }) {
            Node::optional(self.limit())
        } else {
            Node::empty()
        };
        let min = nodes.len();
        let list = Node::List { items: nodes, separator: ", ", min };
        (Node::optional(sql![" ORDER BY ", list, limit]), Order::Total)
    }

    pub(super) fn limit(&mut self) -> Node {
        let (count, offset) = (self.random.below(12), self.random.below(6));
        match self.random.below(5) {
            0 => format!(" LIMIT {offset}, {count}").into(),
            1 => format!(" LIMIT {count} OFFSET {offset}").into(),
            _ => format!(" LIMIT {count}").into(),
        }
    }

    fn direction(&mut self) -> &'static str {
        self.random.pick::<&str>(&["", "", " ASC", " DESC"])
    }

    fn order_by_columns(&mut self, items: &Items) -> (Node, Order) {
        let mut columns = Vec::new();
        let mut nodes = Vec::new();
        for (at, output) in items.outputs.iter().enumerate() {
            if output.class.sortable() && self.random.chance(50) {
                columns.push(at);
                nodes.push(sql![(at + 1).to_string(), self.direction()]);
            }
        }
        if nodes.is_empty() {
            return (Node::empty(), Order::Free);
        }
        let min = nodes.len();
        let list = Node::List { items: nodes, separator: ", ", min };
        (Node::optional(sql![" ORDER BY ", list]), Order::Columns(columns))
    }

    /// All columns, in any order.
    pub(super) fn positions(&mut self, count: usize) -> Vec<Node> {
        let mut left: Vec<usize> = (1..=count).collect();
        let mut nodes = Vec::new();
        while !left.is_empty() {
            let at = self.random.below(left.len());
            let position = left.remove(at).to_string();
            nodes.push(sql![position, self.direction()]);
        }
        nodes
    }

    fn order_of_rows(&mut self, key: &[String]) -> Vec<Node> {
        let mut nodes = Vec::new();
        for _ in 0..self.random.below(3) {
            let class = self.sortable_class();
            let place = Place {
                depth: 1,
                subqueries: self.random.chance(10),
                groups: false,
                windows: false,
            };
            let value = self.sort_value(class, place);
            nodes.push(sql![value, self.direction()]);
        }
        nodes.extend(key.iter().map(|name| Node::from(name.as_str())));
        nodes
    }

    fn order_of_groups(&mut self, keys: Vec<Value>) -> Vec<Node> {
        let mut nodes = Vec::new();
        if self.random.chance(50) {
            let place = Place { depth: 1, subqueries: false, groups: true, windows: false };
            let class = *self.random.pick(&[Class::Int, Class::Decimal, Class::Text]);
            nodes.push(sql![self.aggregate(class, place).node, self.direction()]);
        }
        for key in keys {
            nodes.push(sql![key.node, self.direction()]);
        }
        nodes
    }
}
