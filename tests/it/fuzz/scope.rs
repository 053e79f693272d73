//! What names mean where: tables and queries in FROM, and their columns.

use super::class::{Class, Collation};
use super::tree::Node;

/// An expression, and what is known of its values.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) node: Node,
    pub(super) class: Class,
    pub(super) collation: Collation,
    /// Equal values are the same in every respect, so that any of them may stand for a group.
    pub(super) exact: bool,
}

/// A column of a query or a table.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) class: Class,
    pub(super) collation: Collation,
    pub(super) exact: bool,
}

/// An item of FROM.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) alias: String,
    pub(super) columns: Vec<Output>,
    /// Columns that tell its rows apart.
    pub(super) unique: Option<Vec<String>>,
}

/// The names of one SELECT.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) sources: Vec<Source>,
    /// What a grouped query groups by, once that is known.
    pub(super) keys: Option<Vec<Value>>,
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) depth: u8,
    pub(super) subqueries: bool,
    /// Over groups: group keys and aggregates, not columns.
    pub(super) groups: bool,
    pub(super) windows: bool,
}

/// A query without brackets.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) node: Node,
    pub(super) outputs: Vec<Output>,
    /// Outputs that tell its rows apart.
    pub(super) unique: Option<Vec<String>>,
    pub(super) order: Order,
}

/// What is known of the order and the choice of a query's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// None.
    Free,
    /// Of these columns; rows that are equal in them come in any order.
    Columns(Vec<usize>),
    /// Of all rows.
    Total,
    /// Only the number of rows is known.
    Unknown,
}

impl Place {
    pub(super) fn deeper(self) -> Self {
        Self { depth: self.depth.saturating_sub(1), ..self }
    }
}

impl Source {
    pub(super) fn column(&self, name: &str) -> Option<&Output> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub(super) fn renamed(&self, alias: &str) -> Self {
        Self { alias: alias.to_owned(), ..self.clone() }
    }
}

impl Scope {
    /// References that tell the rows of a join apart.
    pub(super) fn row_key(&self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for source in &self.sources {
            let unique = source.unique.as_ref()?;
            names.extend(unique.iter().map(|name| format!("{}.{name}", source.alias)));
        }
        Some(names)
    }

    /// How many items of FROM have a column of this name.
    pub(super) fn count(&self, name: &str) -> usize {
        self.sources.iter().filter(|source| source.column(name).is_some()).count()
    }
}
