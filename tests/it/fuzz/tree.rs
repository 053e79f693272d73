//! A statement as a tree that knows how it can become smaller and stay grammatical. Whether a smaller
//! statement still means something is for the servers to say.

use std::fmt;

#[derive(Debug, Clone)]
pub(super) enum Node {
    Text(String),
    Seq(Vec<Node>),
    /// May be left out.
    Optional(Box<Node>),
    /// Items may be left out down to `min`; with none left, nothing is written.
    List {
        items: Vec<Node>,
        separator: &'static str,
        min: usize,
    },
    /// May be replaced by a part of the same kind.
    Part(Kind, Box<Node>),
    /// Stays as it is.
    Fixed(Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Value,
    Condition,
    /// A query without brackets.
    Query,
    /// An item of a FROM clause.
    Source,
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A sequence of texts and nodes.
macro_rules! sql {
    ($($part:expr),* $(,)?) => {
        $crate::fuzz::tree::Node::Seq(vec![$($crate::fuzz::tree::Node::from($part)),*])
    };
}
pub(super) use sql;

impl Node {
    pub(super) fn empty() -> Self {
        Self::Seq(Vec::new())
    }

    pub(super) fn part(kind: Kind, node: Self) -> Self {
        Self::Part(kind, Box::new(node))
    }

    pub(super) fn optional(node: Self) -> Self {
        Self::Optional(Box::new(node))
    }

    pub(super) fn fixed(node: Self) -> Self {
        Self::Fixed(Box::new(node))
    }

    pub(super) fn list(items: Vec<Self>, separator: &'static str) -> Self {
        Self::List { items, separator, min: 1 }
    }

    /// The tree with its `index`-th edit made, the largest first; `None` if it has no more.
    pub(super) fn edited(&self, index: usize) -> Option<Self> {
        self.edit(&mut { index })
    }

    fn edit(&self, left: &mut usize) -> Option<Self> {
        let own = self.own_edits();
        if *left < own.len() {
            return own.into_iter().nth(*left);
        }
        *left -= own.len();
        match self {
            Self::Text(_) | Self::Fixed(_) => None,
            Self::Seq(items) => edit_one(items, left).map(Self::Seq),
            Self::List { items, separator, min } => {
                edit_one(items, left).map(|items| Self::List { items, separator, min: *min })
            }
            Self::Optional(node) => node.edit(left).map(Self::optional),
            Self::Part(kind, node) => node.edit(left).map(|node| Self::part(*kind, node)),
        }
    }

    fn own_edits(&self) -> Vec<Self> {
        match self {
            Self::Text(_) | Self::Seq(_) | Self::Fixed(_) => Vec::new(),
            Self::Optional(_) => vec![Self::empty()],
            Self::List { items, separator, min } => {
                let count = if items.len() > *min { items.len() } else { 0 };
                let without = |at: usize| {
                    let mut items = items.clone();
                    items.remove(at);
                    Self::List { items, separator, min: *min }
                };
                (0..count).rev().map(without).collect()
            }
            Self::Part(kind, node) => {
                let mut parts = Vec::new();
                node.nearest(*kind, &mut parts);
                let constants = kind.constants().iter().map(|text| Self::from(*text));
                constants.chain(parts.into_iter().cloned()).collect()
            }
        }
    }

    fn nearest<'a>(&'a self, wanted: Kind, found: &mut Vec<&'a Self>) {
        match self {
            Self::Text(_) | Self::Fixed(_) => {}
            Self::Part(kind, _) if *kind == wanted => found.push(self),
            Self::Part(_, node) | Self::Optional(node) => node.nearest(wanted, found),
            Self::Seq(items) | Self::List { items, .. } => {
                items.iter().for_each(|item| item.nearest(wanted, found));
            }
        }
    }
}

impl Kind {
    /// What may stand in the place of any part of this kind.
    fn constants(self) -> &'static [&'static str] {
        match self {
            Self::Value => &["NULL", "1"],
            Self::Condition => &["TRUE"],
            Self::Query | Self::Source => &[],
        }
    }
}

fn edit_one(items: &[Node], left: &mut usize) -> Option<Vec<Node>> {
    for (at, item) in items.iter().enumerate() {
        if let Some(edited) = item.edit(left) {
            let mut items = items.to_vec();
            items[at] = edited;
            return Some(items);
        }
    }
    None
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Seq(items) => items.iter().try_for_each(|item| item.fmt(f)),
            Self::Optional(node) | Self::Part(_, node) | Self::Fixed(node) => node.fmt(f),
            Self::List { items, separator, .. } => {
                items.iter().enumerate().try_for_each(|(at, item)| {
                    if at > 0 {
                        f.write_str(separator)?;
                    }
                    item.fmt(f)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Node};

    #[test]
    fn lists_every_smaller_statement() {
        let value = |text: &str| Node::part(Kind::Value, text.into());
        let sum = Node::part(Kind::Value, sql!["(", value("a"), " + ", value("b"), ")"]);
        let clause = Node::optional(sql![" WHERE x"]);
        let tree = sql!["SELECT ", Node::list(vec![sum, value("c")], ", "), clause];
        let all: Vec<_> = (0..).map_while(|at| tree.edited(at)).map(|t| t.to_string()).collect();
        let expect = [
            "SELECT (a + b) WHERE x",
            "SELECT c WHERE x",
            "SELECT NULL, c WHERE x",
            "SELECT 1, c WHERE x",
            "SELECT a, c WHERE x",
            "SELECT b, c WHERE x",
            "SELECT (NULL + b), c WHERE x",
            "SELECT (1 + b), c WHERE x",
            "SELECT (a + NULL), c WHERE x",
            "SELECT (a + 1), c WHERE x",
            "SELECT (a + b), NULL WHERE x",
            "SELECT (a + b), 1 WHERE x",
            "SELECT (a + b), c",
        ];
        assert_eq!(all, expect);
    }
}
