//! Window functions. Those that depend on the order of all rows get an order of all rows.

use super::class::{Class, Collation};
use super::generator::Generator;
use super::scope::{Place, Value};
use super::tree::{Node, sql};

const FRAMES: [&str; 7] = [
    "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    "ROWS 2 PRECEDING",
    "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "RANGE UNBOUNDED PRECEDING",
];

impl Generator<'_> {
    /// A value over a window; a plain one if windows give none of this class.
    pub(super) fn window(&mut self, class: Class, place: Place, exact: bool) -> Value {
        let inner = Place { depth: place.depth.min(2).saturating_sub(1), windows: false, ..place };
        let row_key = if inner.groups { None } else { self.scope().row_key() };
        let node = match row_key {
            Some(key) if self.random.chance(60) => self.over_rows(class, inner, &key, exact),
            _ => self.over_peers(class, inner),
        };
        match node {
            Some((node, exact)) => {
                let collation = Collation::General;
                Value { node, class, collation, exact }
            }
            None => self.leaf(class, place, exact),
        }
    }

    fn partition(&mut self, place: Place) -> Node {
        if self.random.chance(40) {
            return Node::empty();
        }
        let class = self.sortable_class();
        let value = self.window_value(class, place);
        Node::optional(sql!["PARTITION BY ", value, " "])
    }

    /// Functions of the order of the rows, and frames that count rows.
    fn over_rows(
        &mut self,
        class: Class,
        place: Place,
        key: &[String],
        exact: bool,
    ) -> Option<(Node, bool)> {
        // Another text of the group might stand here.
        let exact = exact || class == Class::Text;
        let value = self.value(class, place, exact);
        let ranks = ["ROW_NUMBER()", "NTILE(3)", "RANK()", "DENSE_RANK()"];
        let call = match (class, self.random.below(8)) {
            (Class::Wide, 0..=5) => (*self.random.pick(&ranks)).into(),
            (Class::Bits | Class::Json, _) => return None,
            (_, 0 | 1) => sql!["LAG(", value.node, self.offset(), ")"],
            (_, 2) => sql!["LEAD(", value.node, self.offset(), ")"],
            (_, 3) => sql!["FIRST_VALUE(", value.node, ")"],
            (_, 4) => sql!["LAST_VALUE(", value.node, ")"],
            (_, 5) => sql!["NTH_VALUE(", value.node, ", 2)"],
            (Class::Decimal, _) => {
                let number = self.value(Class::Int, place, false).node;
                let name = *self.random.pick(&["SUM(", "AVG("]);
                sql![name, number, ")"]
            }
            (Class::Int, _) => "COUNT(*)".into(),
            _ => sql!["MAX(", value.node, ")"],
        };
        let partition = self.partition(place);
        let mut order = self.sort_items(place);
        order.push(Node::from(key.join(", ")));
        let min = order.len();
        let order = Node::List { items: order, separator: ", ", min };
        let frame = if self.random.chance(50) && frames(&call) {
            Node::optional(sql![" ", *self.random.pick(&FRAMES)])
        } else {
            Node::empty()
        };
        Some((sql![call, " OVER (", partition, "ORDER BY ", order, frame, ")"], value.exact))
    }

    /// By what is the same in all rows, MariaDB sorts windows otherwise with every plan.
    fn window_value(&mut self, class: Class, place: Place) -> Node {
        let level = self.scopes.len() - 1;
        if self.is_mysql() || place.groups {
            return self.sort_value(class, place);
        }
        match self.column_at(level, class, false) {
            Some(column) => Node::fixed(column.node),
            None => self.sort_value(class, place),
        }
    }

    fn offset(&mut self) -> &'static str {
        self.random.pick::<&str>(&["", "", ", 2", ", 0"])
    }

    fn sort_items(&mut self, place: Place) -> Vec<Node> {
        let count = self.random.below(2);
        let mut items = Vec::new();
        for _ in 0..count {
            let class = self.sortable_class();
            let direction = *self.random.pick(&["", " DESC"]);
            items.push(sql![self.window_value(class, place), direction]);
        }
        items
    }

    /// Functions that give rows of equal order the same.
    fn over_peers(&mut self, class: Class, place: Place) -> Option<(Node, bool)> {
        let ranks = ["RANK()", "DENSE_RANK()"];
        let number = self.value(Class::Int, place, false).node;
        let call = match class {
            Class::Wide => (*self.random.pick(&ranks)).into(),
            Class::Int if self.random.chance(40) => "COUNT(*)".into(),
            Class::Int => sql!["MAX(", number, ")"],
            Class::Decimal => sql![*self.random.pick(&["SUM(", "AVG(", "MIN("]), number, ")"],
            Class::Double => (*self.random.pick(&["PERCENT_RANK()", "CUME_DIST()"])).into(),
            Class::Date | Class::Moment => sql!["MIN(", self.value(class, place, false).node, ")"],
            Class::Text | Class::Bytes | Class::Bits | Class::Time | Class::Json => return None,
        };
        let partition = self.partition(place);
        let items = self.sort_items(place);
        let ranked = class == Class::Wide || class == Class::Double;
        let order = if items.is_empty() && !ranked {
            Node::empty()
        } else if items.is_empty() {
            sql!["ORDER BY ", self.window_value(Class::Int, place)]
        } else {
            sql!["ORDER BY ", Node::list(items, ", ")]
        };
        Some((sql![call, " OVER (", partition, order, ")"], true))
    }
}

/// Ranks have no frames, and not every server lets them be written.
fn frames(call: &Node) -> bool {
    let text = call.to_string();
    !["ROW_NUMBER", "NTILE", "RANK", "DENSE_RANK", "LAG", "LEAD"]
        .iter()
        .any(|name| text.starts_with(name))
}
