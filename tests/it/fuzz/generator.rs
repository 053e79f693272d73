//! What makes statements: the seed, the tables, and the names in reach. Expressions are made here.

use crate::differential::case::Dialect;

use super::class::{Class, Collation};
use super::function::{EXACT_TEXT, GENERIC, SORTED, templates};
use super::random::Random;
use super::scope::{Output, Place, Scope, Source, Value};
use super::table::Table;
use super::tree::{Kind, Node, sql};

pub(super) struct Generator<'a> {
    pub(super) random: Random,
    pub(super) tables: &'a [Table],
    pub(super) dialect: Dialect,
    /// The SELECT that is being made, behind those around it.
    pub(super) scopes: Vec<Scope>,
    /// Common table expressions in reach.
    pub(super) shared: Vec<Source>,
    /// Texts of the answer may differ in case, accent and trailing space.
    pub(super) fold: bool,
    /// Columns of queries around this one are out of reach: in the argument of an aggregate they would
    /// make it theirs.
    pub(super) closed: bool,
    serial: usize,
    /// Tables that go by their own names: once each, so that no name means two things.
    pub(super) bare: Vec<String>,
}

impl<'a> Generator<'a> {
    pub(super) fn new(random: Random, tables: &'a [Table], dialect: Dialect) -> Self {
        Self {
            random,
            tables,
            dialect,
            scopes: Vec::new(),
            shared: Vec::new(),
            fold: false,
            closed: false,
            serial: 0,
            bare: Vec::new(),
        }
    }

    pub(super) fn is_mysql(&self) -> bool {
        self.dialect == Dialect::MySql
    }

    /// A name that nothing has yet.
    pub(super) fn name(&mut self, prefix: &str) -> String {
        self.serial += 1;
        format!("{prefix}{}", self.serial)
    }

    pub(super) fn scope(&mut self) -> &mut Scope {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    /// Mostly one that a column of this SELECT has.
    pub(super) fn class(&mut self) -> Class {
        if self.random.chance(25) {
            return Class::random(&mut self.random);
        }
        let sources = &self.scope().sources;
        let classes: Vec<Class> =
            sources.iter().flat_map(|source| &source.columns).map(|column| column.class).collect();
        if classes.is_empty() {
            return Class::random(&mut self.random);
        }
        *self.random.pick(&classes)
    }

    pub(super) fn sortable_class(&mut self) -> Class {
        loop {
            let class = self.class();
            if class.sortable() {
                return class;
            }
        }
    }

    /// A value of this class. `exact`: equal values of it are the same.
    pub(super) fn value(&mut self, class: Class, place: Place, exact: bool) -> Value {
        let leaf = place.depth == 0 || self.random.chance(45);
        let mut value = if leaf {
            self.leaf(class, place, exact)
        } else if place.subqueries && self.random.chance(12) {
            self.scalar_subquery(class, place, exact)
        } else if place.windows && self.random.chance(25) {
            self.window(class, place, exact)
        } else {
            self.function(class, place, exact)
        };
        value.node = Node::part(Kind::Value, value.node);
        value
    }

    fn function(&mut self, class: Class, place: Place, exact: bool) -> Value {
        let own = templates(class);
        let pool: &[&str] = match self.random.below(10) {
            0..=2 => GENERIC,
            3 if class.sortable() => SORTED,
            _ if class == Class::Text && (exact || self.random.chance(40)) => EXACT_TEXT,
            _ if own.is_empty() => GENERIC,
            _ => own,
        };
        let template = *self.random.pick(pool);
        let template = match template.strip_prefix("mysql:") {
            Some(_) if !self.is_mysql() => return self.leaf(class, place, exact),
            Some(template) => template,
            None => template,
        };
        let always = std::ptr::eq(pool, EXACT_TEXT);
        let mut value = self.filled(template, class, place.deeper(), exact && !always);
        if always {
            value.exact = true;
            let cast = template.starts_with("CAST(");
            value.collation = if cast { Collation::General } else { Collation::Any };
        }
        value
    }

    /// Fills in the places of a template. The value is exact if all texts in it are.
    pub(super) fn filled(&mut self, text: &str, class: Class, place: Place, exact: bool) -> Value {
        let mut parts = Vec::new();
        let mut collation = Collation::Any;
        let mut all_exact = true;
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            parts.push(Node::from(before));
            let (name, tail) = after.split_once('}').unwrap_or((after, ""));
            rest = tail;
            match name {
                "cond" => parts.push(self.condition(place)),
                "jcol" => {
                    let level = self.scopes.len().saturating_sub(1);
                    let column = self.column_at(level, Class::Json, true);
                    let column = column.filter(|column| !place.groups && is_column(&column.node));
                    let Some(column) = column else { return self.leaf(class, place, exact) };
                    parts.push(Node::fixed(column.node));
                }
                "n" => parts.push(self.random.between(1, 6).to_string().into()),
                _ => {
                    let wanted = class_named(name).unwrap_or(class);
                    let mut part = self.value(wanted, place, exact || name == "xtext");
                    if !collation.mixes(part.collation) {
                        part = literal(Class::Text, "'abc'");
                    }
                    collation = collation.with(part.collation);
                    all_exact &= part.exact;
                    parts.push(part.node);
                }
            }
        }
        parts.push(rest.into());
        if text.contains(" USING ") {
            collation = Collation::Unicode;
        }
        let exact = match class {
            Class::Text => all_exact,
            Class::Double => false,
            Class::Int
            | Class::Wide
            | Class::Decimal
            | Class::Bytes
            | Class::Bits
            | Class::Date
            | Class::Moment
            | Class::Time
            | Class::Json => true,
        };
        Value { node: Node::Seq(parts), class, collation, exact }
    }

    /// A column, a group key, an aggregate or a literal.
    pub(super) fn leaf(&mut self, class: Class, place: Place, exact: bool) -> Value {
        if place.groups {
            return match self.random.below(10) {
                0..=3 => self.key(class).unwrap_or_else(|| self.aggregate(class, place)),
                4..=8 => self.aggregate(class, place),
                _ => self.literal(class),
            };
        }
        if self.random.chance(85)
            && let Some(column) = self.column(class, exact)
        {
            return column;
        }
        self.literal(class)
    }

    /// A value to sort by: never a literal, which would be a position.
    pub(super) fn sort_value(&mut self, class: Class, place: Place) -> Node {
        let column = if place.groups || self.random.chance(40) {
            None
        } else {
            self.column_at(self.scopes.len().saturating_sub(1), class, false)
        };
        match column {
            Some(column) => column.node,
            None => sql!["COALESCE(", self.value(class, place, false).node, ", NULL)"],
        }
    }

    pub(super) fn literal(&mut self, class: Class) -> Value {
        let text = *self.random.pick(class.literals());
        literal(class, text)
    }

    /// What the query groups by; text only if it is exact.
    fn key(&mut self, class: Class) -> Option<Value> {
        let keys = self.scope().keys.clone()?;
        let fits = |key: &Value| key.class == class && key.exact;
        let keys: Vec<Value> = keys.into_iter().filter(fits).collect();
        (!keys.is_empty()).then(|| self.random.pick(&keys).clone())
    }

    /// A column in reach, now and then of a query around this one.
    pub(super) fn column(&mut self, class: Class, exact: bool) -> Option<Value> {
        let inner = self.scopes.len().checked_sub(1)?;
        let level = if inner > 0 && !self.closed && self.random.chance(15) {
            self.random.below(inner)
        } else {
            inner
        };
        self.column_at(level, class, exact)
    }

    pub(super) fn column_at(&mut self, level: usize, class: Class, exact: bool) -> Option<Value> {
        let scope = self.scopes.get(level)?;
        if level + 1 < self.scopes.len() {
            // Inside a grouped query only its keys may be told.
            if let Some(keys) = &scope.keys {
                let fits = |key: &&Value| key.class == class && key.exact && is_column(&key.node);
                let keys: Vec<Value> = keys.iter().filter(fits).cloned().collect();
                return (!keys.is_empty()).then(|| self.random.pick(&keys).clone());
            }
        }
        let mut found = Vec::new();
        for source in &scope.sources {
            for column in &source.columns {
                if column.class == class && (column.exact || !exact) {
                    found.push((source.alias.clone(), column.clone()));
                }
            }
        }
        if found.is_empty() {
            return None;
        }
        let (alias, column) = self.random.pick(&found).clone();
        let inner = level + 1 == self.scopes.len();
        let bare = inner && self.scopes[level].count(&column.name) == 1 && self.random.chance(40);
        Some(reference(&alias, &column, bare))
    }
}

pub(super) fn reference(alias: &str, column: &Output, bare: bool) -> Value {
    let Output { name, class, collation, exact } = column.clone();
    let text = if bare { name } else { format!("{alias}.{name}") };
    Value { node: text.into(), class, collation, exact }
}

pub(super) fn literal(class: Class, text: &str) -> Value {
    Value { node: text.into(), class, collation: Collation::Any, exact: true }
}

fn class_named(name: &str) -> Option<Class> {
    if name == "xtext" {
        return Some(Class::Text);
    }
    super::class::ALL.into_iter().find(|class| class.name() == name)
}

/// Whether this is the name of a column and nothing more.
pub(super) fn is_column(node: &Node) -> bool {
    match node {
        Node::Text(text) => {
            text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        }
        Node::Part(_, node) | Node::Fixed(node) => is_column(node),
        Node::Seq(_) | Node::Optional(_) | Node::List { .. } => false,
    }
}

/// Text in brackets.
pub(super) fn brackets(node: Node) -> Node {
    sql!["(", node, ")"]
}
