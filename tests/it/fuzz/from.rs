//! FROM clauses: tables, derived tables, and joins of every kind.

use super::class::Class;
use super::class::Collation;
use super::generator::{Generator, brackets, reference};
use super::scope::{Output, Place, Source};
use super::select::Wish;
use super::table::Table;
use super::tree::{Kind, Node, sql};

impl Table {
    pub(super) fn source(&self, alias: &str) -> Source {
        let columns = self.columns.iter().map(|column| Output {
            name: column.name.clone(),
            class: column.kind.class,
            collation: column.kind.collation,
            exact: column.kind.exact,
        });
        let unique = self.unique.then(|| vec!["id".to_owned()]);
        Source { alias: alias.to_owned(), columns: columns.collect(), unique }
    }
}

impl Generator<'_> {
    /// The items of FROM, put in reach; none now and then.
    pub(super) fn from(&mut self, depth: u8, most: usize) -> Node {
        let count = self.random.weighted(&[(48, 1), (36, 2), (12, 3), (4, 4)]).min(most);
        let first = if count > 1 && self.random.chance(15) { 1 } else { count };
        let mut trees = vec![self.tree(depth, first)];
        if first < count {
            let before = std::mem::take(&mut self.scope().sources);
            trees.push(self.tree(depth, count - first));
            let after = std::mem::replace(&mut self.scope().sources, before);
            self.scope().sources.extend(after);
        }
        sql![" FROM ", Node::list(trees, ", ")]
    }

    /// A join of this many items, over an empty scope.
    fn tree(&mut self, depth: u8, count: usize) -> Node {
        let (first, source) = self.source(depth, false);
        self.scope().sources.push(source);
        let mut node = Node::part(Kind::Source, first);
        let mut left = count - 1;
        while left > 0 {
            let joined = if left > 1 && self.random.chance(35) { 2 } else { 1 };
            node = if joined == 2 { self.join_nested(depth, node) } else { self.join(depth, node) };
            left -= joined;
        }
        node
    }

    fn join(&mut self, depth: u8, left: Node) -> Node {
        let kind = self.random.below(100);
        let lateral = self.is_mysql() && depth > 0 && self.random.chance(6);
        let (right, source) = if lateral { self.lateral(depth) } else { self.source(depth, true) };
        let joins = [
            " JOIN ",
            " INNER JOIN ",
            " LEFT JOIN ",
            " LEFT JOIN ",
            " STRAIGHT_JOIN ",
            " RIGHT JOIN ",
        ];
        let most = if lateral { joins.len() - 1 } else { joins.len() };
        let word = joins[self.random.below(most)];
        let alone = self.scope().sources.len() == 1;
        let common = self.common(&source);
        self.scope().sources.push(source);
        let right = Node::part(Kind::Source, right);
        let node = match kind {
            0..=5 => sql![left, Node::optional(sql![" CROSS JOIN ", right])],
            6..=9 if alone && !lateral => {
                let word = *self.random.pick(&[" NATURAL JOIN ", " NATURAL LEFT JOIN "]);
                sql![left, Node::optional(sql![word, right])]
            }
            10..=19 if alone && !common.is_empty() && word != " STRAIGHT_JOIN " => {
                let column = self.random.pick(&common).clone();
                sql![left, Node::optional(sql![word, right, " USING (", column, ")"])]
            }
            _ => {
                let condition = self.join_condition(depth, self.scopes_last());
                sql![left, Node::optional(sql![word, right, " ON ", condition])]
            }
        };
        Node::part(Kind::Source, node)
    }

    /// `left JOIN (b JOIN c ON ...) ON ...`.
    fn join_nested(&mut self, depth: u8, left: Node) -> Node {
        let before = std::mem::take(&mut self.scope().sources);
        let nested = self.tree(depth, 2);
        let after = std::mem::replace(&mut self.scope().sources, before);
        let from = self.scope().sources.len();
        self.scope().sources.extend(after);
        let word = *self.random.pick(&[" JOIN ", " LEFT JOIN ", " RIGHT JOIN "]);
        let condition = self.join_condition(depth, from);
        let node = sql![left, Node::optional(sql![word, brackets(nested), " ON ", condition])];
        Node::part(Kind::Source, node)
    }

    fn scopes_last(&self) -> usize {
        self.scopes.last().map_or(0, |scope| scope.sources.len().saturating_sub(1))
    }

    /// Names that the only item so far and this one have in common.
    fn common(&mut self, source: &Source) -> Vec<String> {
        let first = self.scope().sources.first().cloned();
        let names = first.into_iter().flat_map(|first| first.columns);
        let short = |name: &String| ["id", "ref", "grp", "few"].contains(&name.as_str());
        names
            .map(|column| column.name)
            .filter(|name| source.column(name).is_some() && short(name))
            .collect()
    }

    /// Between the items before `at` and the others.
    fn join_condition(&mut self, depth: u8, at: usize) -> Node {
        let equality = self.key_equality(at);
        let place = Place {
            depth: depth.min(1),
            subqueries: self.random.chance(10),
            groups: false,
            windows: false,
        };
        match equality {
            Some(equality) if self.random.chance(80) => {
                let more = if self.random.chance(25) {
                    Node::optional(sql![" AND ", self.condition(place)])
                } else {
                    Node::empty()
                };
                sql![equality, more]
            }
            _ => self.condition(place),
        }
    }

    fn key_equality(&mut self, at: usize) -> Option<Node> {
        let class = self.random.weighted(&[
            (70, Class::Int),
            (15, Class::Text),
            (8, Class::Date),
            (7, Class::Wide),
        ]);
        let sources = self.scope().sources.clone();
        let (left, right) = sources.split_at(at.min(sources.len()));
        let exact = class == Class::Text;
        let mut pick = |sources: &[Source]| {
            let mut found = Vec::new();
            for source in sources {
                for column in &source.columns {
                    let key = class != Class::Int
                        || ["id", "ref", "grp", "few", "k1"].contains(&column.name.as_str());
                    if column.class == class && key && (column.exact || !exact) {
                        found.push(reference(&source.alias, column, false));
                    }
                }
            }
            (!found.is_empty()).then(|| self.random.pick(&found).clone())
        };
        let (left, right) = (pick(left)?, pick(right)?);
        Some(Node::part(Kind::Condition, sql![left.node, " = ", right.node]))
    }

    /// A table, a common table expression, or a derived table.
    fn source(&mut self, depth: u8, joined: bool) -> (Node, Source) {
        let shared = if self.shared.is_empty() { 0 } else { 35 };
        match self.random.weighted(&[(70, 0), (shared, 1), (14, 2), (2, 3), (2, 4)]) {
            1 => {
                let source = self.random.pick(&self.shared).clone();
                let alias = self.name("e");
                (sql![source.alias.as_str(), " AS ", alias.as_str()], source.renamed(&alias))
            }
            2 if depth > 0 => self.derived(depth),
            3 => self.values_table(),
            4 if joined => self.json_table(),
            _ => self.base_table(),
        }
    }

    fn base_table(&mut self) -> (Node, Source) {
        let table = self.random.pick(self.tables);
        if !self.bare.contains(&table.name) && self.random.chance(30) {
            self.bare.push(table.name.clone());
            return (self.hinted(table, &table.name), table.source(&table.name));
        }
        let alias = self.name("a");
        let between = if self.random.chance(70) { " AS " } else { " " };
        let named = format!("{}{between}{alias}", table.name);
        (self.hinted(table, &named), table.source(&alias))
    }

    fn hinted(&mut self, table: &Table, named: &str) -> Node {
        if table.indexes.is_empty() || !self.random.chance(6) {
            return named.into();
        }
        let index = self.random.pick(&table.indexes).clone();
        let word = *self.random.pick(&[" USE INDEX (", " FORCE INDEX (", " IGNORE INDEX ("]);
        sql![named, Node::optional(sql![word, index, ")"])]
    }

    /// Queries in FROM do not see the items beside them.
    fn derived(&mut self, depth: u8) -> (Node, Source) {
        let around = std::mem::take(&mut self.scopes);
        let query = self.query(&Wish::inner(depth - 1));
        self.scopes = around;
        let alias = self.name("d");
        let node = sql!["(", query.node.clone(), ") AS ", alias.as_str()];
        (node, query.source(&alias))
    }

    /// Sees the items before it.
    fn lateral(&mut self, depth: u8) -> (Node, Source) {
        let query = self.select(&Wish::inner(depth - 1));
        let alias = self.name("l");
        let node = sql!["LATERAL (", query.node.clone(), ") AS ", alias.as_str()];
        (node, query.source(&alias))
    }

    fn values_table(&mut self) -> (Node, Source) {
        let alias = self.name("v");
        let words = ["'a'", "'abc'", "'zebra'", "NULL"];
        let count = self.random.between(1, 4);
        let output = |name: &str, class: Class| Output {
            name: name.to_owned(),
            class,
            collation: Collation::General,
            exact: true,
        };
        let columns = vec![output("c1", Class::Int), output("c2", Class::Text)];
        let source = Source { alias: alias.clone(), columns, unique: Some(vec!["c1".to_owned()]) };
        if self.is_mysql() {
            let row = |at: usize| Node::from(format!("ROW({at}, {})", words[at % words.len()]));
            let rows = Node::list((1..=count).map(row).collect(), ", ");
            return (sql!["(VALUES ", rows, ") AS ", alias.as_str(), " (c1, c2)"], source);
        }
        let row = |at: usize| {
            let word = words[at % words.len()];
            let names = if at == 1 {
                ["c1", "c2"].map(|name| format!(" AS {name}"))
            } else {
                Default::default()
            };
            Node::from(format!("SELECT {at}{}, {word}{}", names[0], names[1]))
        };
        let rows = Node::List {
            items: (1..=count).map(row).collect(),
            separator: " UNION ALL ",
            min: count,
        };
        (sql!["(", rows, ") AS ", alias.as_str()], source)
    }

    fn json_table(&mut self) -> (Node, Source) {
        let alias = self.name("j");
        let level = self.scopes.len().saturating_sub(1);
        let column =
            if self.random.chance(50) { self.column_at(level, Class::Json, true) } else { None };
        let document = match column {
            Some(column) => column.node,
            None => Node::from("'[{\"a\": 1, \"b\": \"x\"}, {\"a\": 2}, {\"b\": \"abc\"}]'"),
        };
        let output = |name: &str, class: Class| Output {
            name: name.to_owned(),
            class,
            collation: Collation::General,
            exact: class != Class::Text,
        };
        let columns = vec![
            output("num", Class::Wide),
            output("few", Class::Int),
            output("name", Class::Text),
        ];
        let node = sql![
            "JSON_TABLE(",
            document,
            ", '$[*]' COLUMNS (num FOR ORDINALITY, few INT PATH '$.a', name VARCHAR(20) PATH '$.b')) AS ",
            alias.as_str()
        ];
        (node, Source { alias, columns, unique: Some(vec!["num".to_owned()]) })
    }
}
