//! Conditions: comparisons, IN, EXISTS, ANY and ALL, rows.

use super::class::Class;
use super::function::CONDITION;
use super::generator::{Generator, brackets, literal};
use super::scope::{Output, Place, Value};
use super::tree::{Kind, Node, sql};

const COMPARISONS: [&str; 7] = [" = ", " = ", " <> ", " < ", " <= ", " > ", " >= "];

impl Generator<'_> {
    pub(super) fn condition(&mut self, place: Place) -> Node {
        let node = match self.random.below(20) {
            0..=7 => self.comparison(place),
            8 => self.between(place),
            9 => self.in_list(place),
            10 => self.null_test(place),
            11 if place.depth > 0 => self.row_comparison(place),
            12..=15 if place.subqueries && place.depth > 0 => self.subquery_condition(place),
            _ if place.depth > 0 => {
                let template = *self.random.pick(CONDITION);
                match template.strip_prefix("mysql:") {
                    Some(_) if !self.is_mysql() => self.comparison(place),
                    Some(rest) => self.filled(rest, Class::Int, place.deeper(), false).node,
                    None => self.filled(template, Class::Int, place.deeper(), false).node,
                }
            }
            _ => self.comparison(place),
        };
        Node::part(Kind::Condition, brackets(node))
    }

    /// Two values that may be compared.
    fn pair(&mut self, place: Place) -> (Value, Value) {
        let class = self.sortable_class();
        let left = self.value(class, place.deeper(), false);
        let mut right = self.value(class, place.deeper(), false);
        if !left.collation.mixes(right.collation) {
            right = literal(class, "'abc'");
        }
        (left, right)
    }

    fn comparison(&mut self, place: Place) -> Node {
        let (left, right) = self.pair(place);
        let operator =
            if self.random.chance(8) { " <=> " } else { *self.random.pick(&COMPARISONS) };
        sql![left.node, operator, right.node]
    }

    fn between(&mut self, place: Place) -> Node {
        let class = self.sortable_class();
        let value = self.value(class, place.deeper(), false);
        let (low, high) = (self.literal(class), self.literal(class));
        let not = if self.random.chance(20) { " NOT BETWEEN " } else { " BETWEEN " };
        sql![value.node, not, low.node, " AND ", high.node]
    }

    fn in_list(&mut self, place: Place) -> Node {
        let class = self.sortable_class();
        let value = self.value(class, place.deeper(), false);
        let count = self.random.between(1, 4);
        let mut items: Vec<Node> = (0..count).map(|_| self.literal(class).node).collect();
        if self.random.chance(10) {
            items.push("NULL".into());
        }
        let not = if self.random.chance(25) { " NOT IN (" } else { " IN (" };
        sql![value.node, not, Node::list(items, ", "), ")"]
    }

    fn null_test(&mut self, place: Place) -> Node {
        let class = self.class();
        let value = self.value(class, place.deeper(), false);
        sql![value.node, if self.random.chance(50) { " IS NULL" } else { " IS NOT NULL" }]
    }

    fn row_comparison(&mut self, place: Place) -> Node {
        let (left, right) = self.pair(place.deeper());
        let (left_2, right_2) = self.pair(place.deeper());
        let first = sql!["(", left.node, ", ", left_2.node, ")"];
        let second = sql!["(", right.node, ", ", right_2.node, ")"];
        match self.random.below(4) {
            0 => sql![first, " IN (", second, ", (1, 1))"],
            1 => sql![first, " <> ", second],
            2 => sql![first, " < ", second],
            _ => sql![first, " = ", second],
        }
    }

    fn subquery_condition(&mut self, place: Place) -> Node {
        match self.random.below(7) {
            0..=2 => {
                let query = self.subquery(&[Class::Int], place, false);
                let not = if self.random.chance(35) { "NOT EXISTS (" } else { "EXISTS (" };
                sql![not, query.node, ")"]
            }
            3 | 4 => {
                let (value, query, _) = self.against(place);
                let not = if self.random.chance(35) { " NOT IN (" } else { " IN (" };
                sql![value.node, not, query, ")"]
            }
            5 => {
                let (value, query, one_row) = self.against(place);
                let operator = *self.random.pick(&COMPARISONS);
                let word = *self.random.pick(&["ANY (", "ALL (", "SOME ("]);
                // Of the one row of an aggregate, some MariaDBs forget that it may hold NULL.
                let word = if one_row && !self.is_mysql() { "(" } else { word };
                sql![value.node, operator, word, query, ")"]
            }
            _ => {
                let first = self.sortable_class();
                let left = self.value(first, place.deeper(), false);
                let right = self.value(Class::Int, place.deeper(), false);
                let classes = [first, Class::Int];
                let query = self.subquery(&classes, place, true);
                let not = if self.random.chance(25) { ") NOT IN (" } else { ") IN (" };
                sql!["(", left.node, ", ", right.node, not, query.node, ")"]
            }
        }
    }

    /// A value and a query that gives values to compare it with; whether that always has one row.
    fn against(&mut self, place: Place) -> (Value, Node, bool) {
        let class = self.sortable_class();
        let value = self.value(class, place.deeper(), false);
        // Exact texts mix with any.
        let query = self.subquery(&[class], place, true);
        let one_row = query.unique.as_ref().is_some_and(Vec::is_empty);
        let mixes = |column: &Output| column.collation.settled().mixes(value.collation);
        if query.outputs.iter().all(mixes) {
            return (value, query.node, one_row);
        }
        (literal(class, "'abc'"), query.node, one_row)
    }
}
