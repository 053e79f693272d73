//! A YAML file as a tree that knows its places.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

use super::problem::{Place, Problems};

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text {
        text: String,
        /// An environment variable is in it: it may stand for a number too.
        substituted: bool,
    },
    List(Vec<Node>),
    /// In the order of the file, without duplicates.
    Map(Vec<(Located<String>, Node)>),
}

/// A value taken from a node, with the node's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl Kind {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), substituted: false }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text { text, .. } = self { Some(text) } else { None }
    }

    /// A text that an environment variable made, which may stand for another type.
    pub(super) fn as_substituted(&self) -> Option<&str> {
        if let Self::Text { text, substituted: true } = self { Some(text) } else { None }
    }

    /// What it is, for messages: ``the number 12``.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(value) => format!("`{value}`"),
            Self::Int(value) => format!("the number {value}"),
            Self::Float(value) => format!("the number {value}"),
            Self::Text { text, .. } => format!("the text `{text}`"),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
        }
    }
}

/// Reads one file. A file without content is a `Null`. None, and a problem, if it is not YAML.
pub(super) fn parse(file: &Arc<str>, text: &str, problems: &mut Problems) -> Option<Node> {
    let start = Place { file: Arc::clone(file), line: 1, column: 1 };
    // Only `true` and `false` are booleans: a shard may be called `no`. Duplicate keys are reported by
    // us, all of them.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
    };
    match serde_saphyr::from_str_with_options::<Option<Spanned<Raw>>>(text, options) {
        Ok(Some(raw)) => Some(locate(file, raw, problems)),
        Ok(None) => Some(Node { place: start, kind: Kind::Null }),
        Err(error) => {
            let place = error.location().map_or(start, |location| place(file, location));
            problems.add(&place, format!("not valid YAML: {}", first_line(&error)));
            None
        }
    }
}

/// The parser's message without its place and its picture of the source.
fn first_line(error: &serde_saphyr::Error) -> String {
    let error = error.without_snippet();
    if let serde_saphyr::Error::MultipleDocuments { .. } = error {
        return "a second document begins here; give it a file of its own".to_owned();
    }
    let text = error.to_string();
    let line = text.lines().next().unwrap_or("").trim_end_matches('.');
    match line.rfind(" at line ") {
        Some(at) => line.get(..at).unwrap_or(line).to_owned(),
        None => line.to_owned(),
    }
}

fn place(file: &Arc<str>, location: Location) -> Place {
    Place { file: Arc::clone(file), line: location.line(), column: location.column() }
}

enum Raw {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

fn locate(file: &Arc<str>, raw: Spanned<Raw>, problems: &mut Problems) -> Node {
    let place = place(file, raw.referenced);
    let kind = match raw.value {
        Raw::Null => Kind::Null,
        Raw::Bool(value) => Kind::Bool(value),
        Raw::Int(value) => Kind::Int(value),
        Raw::Float(value) => Kind::Float(value),
        Raw::Text(text) => Kind::text(text),
        Raw::List(items) => {
            Kind::List(items.into_iter().map(|item| locate(file, item, problems)).collect())
        }
        Raw::Map(entries) => {
            let mut map = Entries::from(Vec::with_capacity(entries.len()));
            for (key, value) in entries {
                let (key, value) = (locate(file, key, problems), locate(file, value, problems));
                insert(&mut map, key, value, problems);
            }
            Kind::Map(map.entries)
        }
    };
    Node { place, kind }
}

fn insert(map: &mut Entries, key: Node, value: Node, problems: &mut Problems) {
    let name = match key.kind {
        Kind::Text { text, .. } => text,
        // `null:` and `1:` are names too.
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Int(value) => value.to_string(),
        Kind::Float(value) => value.to_string(),
        Kind::List(_) | Kind::Map(_) => {
            problems.add(&key.place, "a list or a map cannot be a name");
            return;
        }
    };
    map.add(Located { value: name, place: key.place }, value, problems);
}

/// The entries of a map while it grows.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) entries: Vec<(Located<String>, Node)>,
    /// Where names are, once there are many: rules may have ten thousands of tables.
    places: HashMap<String, usize>,
}

impl From<Vec<(Located<String>, Node)>> for Entries {
    fn from(entries: Vec<(Located<String>, Node)>) -> Self {
        Self { entries, places: HashMap::new() }
    }
}

impl Entries {
    /// So few names are compared one by one.
    const FEW: usize = 16;

    /// Adds an entry, or reports that the name is already there.
    pub(super) fn add(&mut self, key: Located<String>, value: Node, problems: &mut Problems) {
        match self.find(&key.value).and_then(|index| self.entries.get(index)) {
            Some((known, _)) => {
                let message = format!("`{}` is already defined at {}", key.value, known.place);
                problems.add(&key.place, message);
            }
            None => self.entries.push((key, value)),
        }
    }

    fn find(&mut self, name: &str) -> Option<usize> {
        if self.entries.len() <= Self::FEW {
            return self.entries.iter().position(|(known, _)| known.value == name);
        }
        for (index, (known, _)) in self.entries.iter().enumerate().skip(self.places.len()) {
            self.places.insert(known.value.clone(), index);
        }
        self.places.get(name).copied()
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Int(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(i128::try_from(value).map_or_else(|_| Raw::Text(value.to_string()), Raw::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as `line:column value` of each leaf, and the problems.
    fn check(text: &str, expect: &str) {
        let mut problems = Problems::default();
        let node = parse(&Arc::from("f"), text, &mut problems);
        let mut out = String::new();
        if let Some(node) = node {
            print(&node, &mut out);
        }
        for problem in problems.finish(None::<()>).unwrap_err() {
            out.push_str(&format!("[{problem}]"));
        }
        assert_eq!(out, expect);
    }

    fn print(node: &Node, out: &mut String) {
        match &node.kind {
            Kind::List(items) => items.iter().for_each(|item| print(item, out)),
            Kind::Map(entries) => entries.iter().for_each(|(key, value)| {
                let Place { line, column, .. } = key.place;
                out.push_str(&format!("{line}:{column} {}=", key.value));
                print(value, out);
            }),
            leaf => {
                let Place { line, column, .. } = node.place;
                out.push_str(&format!("{line}:{column} {} ", leaf.describe()));
            }
        }
    }

    #[test]
    fn places() {
        check(
            "a: 1\nb: [x, '2']\n",
            "1:1 a=1:4 the number 1 2:1 b=2:5 the text `x` 2:8 the text `2` ",
        );
        check("null: ~\n1: no", "1:1 null=1:7 nothing 2:1 1=2:4 the text `no` ");
        check("", "1:1 nothing ");
        check("# only a comment\n", "1:1 nothing ");
        check("a: &x 1\nb: *x\n", "1:1 a=1:7 the number 1 2:1 b=2:4 the number 1 ");
        check("a: 127.0.0.1:3306", "1:1 a=1:4 the text `127.0.0.1:3306` ");
    }

    #[test]
    fn problems() {
        check("a: 1\na: 2\n", "1:1 a=1:4 the number 1 [f:2:1: `a` is already defined at f:1:1]");
        let mut problems = Problems::default();
        assert_eq!(parse(&Arc::from("f"), "a: [1\nb: 2\n", &mut problems), None);
        let found = problems.finish(None::<()>).unwrap_err();
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("f:"), "{}", found[0]);
        assert!(!found[0].message.contains('\n'), "{}", found[0]);
    }
}
