//! Aggregates whose values do not depend on the order of the rows.

use super::class::{Class, Collation};
use super::generator::Generator;
use super::scope::{Place, Value};
use super::tree::{Node, sql};

impl Generator<'_> {
    /// An aggregate over the rows of this SELECT, of this class.
    pub(super) fn aggregate(&mut self, class: Class, place: Place) -> Value {
        // The greatest of BIT values is bytes by one plan and a number by another.
        if class == Class::Bits {
            return self.literal(class);
        }
        let subqueries = place.subqueries && self.random.chance(15);
        let depth = place.depth.min(2);
        let rows = Place { depth, subqueries, groups: false, windows: false };
        let closed = std::mem::replace(&mut self.closed, true);
        let node = match class {
            Class::Int => self.count(rows),
            Class::Wide => {
                let name = *self.random.pick(&["BIT_AND(", "BIT_OR(", "BIT_XOR("]);
                sql![name, self.value(Class::Int, rows, false).node, ")"]
            }
            Class::Decimal => self.sum(rows),
            Class::Double => {
                let name = *self.random.pick(&["SUM(", "MIN(", "MAX(", "AVG("]);
                sql![name, self.plain_double(), ")"]
            }
            Class::Text => self.text_aggregate(rows),
            Class::Json => {
                let node = self.value(Class::Int, rows, false).node;
                sql!["JSON_ARRAY(MAX(", node, "))"]
            }
            Class::Bits => self.literal(class).node,
            Class::Bytes | Class::Date | Class::Moment | Class::Time => {
                let name = if self.random.chance(50) { "MIN(" } else { "MAX(" };
                sql![name, self.value(class, rows, false).node, ")"]
            }
        };
        self.closed = closed;
        Value { node, class, collation: Collation::General, exact: class != Class::Double }
    }

    /// Multiples of 1/4 alone have sums that do not depend on the order.
    fn plain_double(&mut self) -> Node {
        let level = self.scopes.len() - 1;
        match self.column_at(level, Class::Double, true) {
            Some(column) => column.node,
            None => self.literal(Class::Double).node,
        }
    }

    fn count(&mut self, rows: Place) -> Node {
        match self.random.below(12) {
            0..=3 => "COUNT(*)".into(),
            4..=6 => {
                let class = self.class();
                sql!["COUNT(", self.value(class, rows, false).node, ")"]
            }
            7 | 8 => {
                let class = self.distinct_class();
                sql!["COUNT(DISTINCT ", self.value(class, rows, false).node, ")"]
            }
            9 => {
                let (first, second) = (self.distinct_class(), self.distinct_class());
                let first = self.value(first, rows, false).node;
                let second = self.value(second, rows, false).node;
                sql!["COUNT(DISTINCT ", first, ", ", second, ")"]
            }
            10 => {
                let name = if self.random.chance(50) { "MIN(" } else { "MAX(" };
                sql![name, self.value(Class::Int, rows, false).node, ")"]
            }
            _ => {
                let class = self.class();
                sql!["JSON_LENGTH(JSON_ARRAYAGG(", self.value(class, rows, false).node, "))"]
            }
        }
    }

    fn distinct_class(&mut self) -> Class {
        *self.random.pick(&[Class::Int, Class::Text, Class::Decimal, Class::Date, Class::Wide])
    }

    fn sum(&mut self, rows: Place) -> Node {
        let class = if self.random.chance(50) { Class::Int } else { Class::Decimal };
        let value = self.value(class, rows, false).node;
        match self.random.below(10) {
            0..=3 => sql!["SUM(", value, ")"],
            4 | 5 => sql!["AVG(", value, ")"],
            6 => sql!["SUM(DISTINCT ", value, ")"],
            7 => sql!["AVG(DISTINCT ", value, ")"],
            8 => sql!["SUM(", value, ") / COUNT(*)"],
            _ => {
                let name = if self.random.chance(50) { "MIN(" } else { "MAX(" };
                sql![name, value, ")"]
            }
        }
    }

    fn text_aggregate(&mut self, rows: Place) -> Node {
        let value = self.value(Class::Text, rows, true).node;
        let separator = *self.random.pick(&["", "", " SEPARATOR '|'", " SEPARATOR ''"]);
        let order = *self.random.pick(&["", " DESC"]);
        match self.random.below(6) {
            0 => sql!["MIN(", value, ")"],
            1 => sql!["MAX(", value, ")"],
            2 => sql![
                "GROUP_CONCAT(DISTINCT ",
                value.clone(),
                " ORDER BY ",
                value,
                order,
                separator,
                ")"
            ],
            3 => self.object().unwrap_or_else(|| sql!["MAX(", value, ")"]),
            4 => {
                let number = self.value(Class::Int, rows, false).node;
                let list = sql![value, ", '=', ", number];
                let list = Node::fixed(list);
                sql![
                    "GROUP_CONCAT(",
                    list.clone(),
                    " ORDER BY CONCAT(",
                    list,
                    ")",
                    order,
                    separator,
                    ")"
                ]
            }
            _ => sql!["GROUP_CONCAT(", value.clone(), " ORDER BY ", value, order, separator, ")"],
        }
    }

    /// An object with a key of its own for each row. MariaDB does not sort the keys.
    fn object(&mut self) -> Option<Node> {
        let key = self.scope().row_key().filter(|key| !key.is_empty())?;
        let level = self.scopes.len() - 1;
        let value = self.column_at(level, Class::Text, true)?;
        let key = key.join(", ");
        let object = sql!["JSON_OBJECTAGG(CONCAT_WS('-', 'k', ", key, "), ", value.node, ")"];
        Some(if self.is_mysql() {
            sql!["CAST(", object, " AS CHAR)"]
        } else {
            sql!["JSON_LENGTH(", object, ")"]
        })
    }

    /// Sums of squares depend on the order in their last digits, so they are not calculated with.
    pub(super) fn deviation(&mut self, rows: Place) -> Node {
        let names = [
            "STD(",
            "STDDEV(",
            "STDDEV_POP(",
            "STDDEV_SAMP(",
            "VAR_POP(",
            "VAR_SAMP(",
            "VARIANCE(",
        ];
        let name = *self.random.pick(&names);
        let class = if self.random.chance(50) { Class::Int } else { Class::Decimal };
        sql![name, self.value(class, rows, false).node, ")"]
    }
}
