//! Shapes of single values.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{Shape, Type};
use crate::config::amount::{Size, parse_duration};
use crate::config::node::{Kind, Located, Node};
use crate::config::problem::Problems;

/// A host and a port. A name is looked up when it is connected to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// A host name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    pub port: u16,
}

/// A password: it never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

/// One or more patterns of names, such as `c{0..1}/shop_{0..3}`.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::config) struct Patterns(pub(in crate::config) Vec<Located<String>>);

/// A value of a key, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Literal(pub(in crate::config) String);

fn expected<T>(node: &Node, what: &str, problems: &mut Problems) -> Option<T> {
    problems.add(&node.place, format!("expected {what}, found {}", node.kind.describe()));
    None
}

/// The text of a node; the words say what it should be.
fn text<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> Option<&'a str> {
    match &node.kind {
        Kind::Text { text, .. } => Some(text),
        Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => {
            expected(node, &format!("{what} in quotes, such as '...'"), problems)
        }
        Kind::Null | Kind::List(_) | Kind::Map(_) => expected(node, what, problems),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Address {
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(host) if host.contains(':') => host,
            Some(_) => return None,
            None if host.is_empty() || host.contains([':', '/', ' ', '[', ']']) => return None,
            None => host,
        };
        Some(Self { host: host.to_owned(), port })
    }
}

impl Shape for Address {
    fn describe() -> Type {
        Type::Text("address")
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let what = "an address such as `127.0.0.1:3306`";
        let text = text(node, what, problems)?;
        Self::parse(text).or_else(|| expected(node, what, problems))
    }
}

impl Shape for Secret {
    fn describe() -> Type {
        Type::Text("password")
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let text = node.kind.as_text();
        if text.is_none() {
            // The value itself must not show in a message.
            problems.add(&node.place, "expected a password in quotes, such as '...'");
        }
        text.map(|text| Self(text.to_owned()))
    }
}

impl Shape for String {
    fn describe() -> Type {
        Type::Text("text")
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let text = text(node, "a text", problems)?;
        if text.is_empty() {
            problems.add(&node.place, "expected a text, found an empty one");
            return None;
        }
        Some(text.to_owned())
    }
}

impl Shape for PathBuf {
    fn describe() -> Type {
        Type::Text("path")
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        String::read(node, problems).map(Self::from)
    }
}

impl Shape for Literal {
    fn describe() -> Type {
        Type::Scalar
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Text { text, .. } => Some(Self(text.clone())),
            Kind::Int(value) => Some(Self(value.to_string())),
            Kind::Float(value) if value.is_finite() => Some(Self(value.to_string())),
            Kind::Null | Kind::Bool(_) | Kind::Float(_) | Kind::List(_) | Kind::Map(_) => {
                expected(node, "a number or a text", problems)
            }
        }
    }
}

impl Shape for Patterns {
    fn describe() -> Type {
        Type::OneOf(vec![Type::Text("pattern"), Type::List(Box::new(Type::Text("pattern")))])
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if let Kind::List(_) = node.kind {
            return Vec::read(node, problems).map(Self);
        }
        Some(Self(vec![Located::read(node, problems)?]))
    }
}

impl Shape for bool {
    fn describe() -> Type {
        Type::Bool
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if let Kind::Bool(value) = node.kind {
            return Some(value);
        }
        let text = node.kind.as_substituted();
        let value = text.and_then(|text| text.parse().ok());
        value.or_else(|| expected(node, "`true` or `false`", problems))
    }
}

/// Whole numbers: none of them may be zero, as they are all counts and limits.
macro_rules! integers {
    ($($type:ty)*) => { $(
        impl Shape for $type {
            fn describe() -> Type {
                Type::Integer { min: 1, max: <$type>::MAX.into() }
            }

            fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
                let number = || node.kind.as_substituted()?.trim().parse::<i128>().ok();
                let value = if let Kind::Int(value) = node.kind { Some(value) } else { number() };
                let value = value.and_then(|value| Self::try_from(value).ok());
                let what = format!("a whole number from 1 to {}", Self::MAX);
                value.filter(|value| *value > 0).or_else(|| expected(node, &what, problems))
            }
        }
    )* };
}

integers! { u8 u16 u32 u64 }

impl Shape for Duration {
    fn describe() -> Type {
        Type::Text("duration")
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let what =
            "a duration over zero with its unit (ms, s, m, h, d, w), such as `5s` or `200ms`";
        let value = node.kind.as_text().and_then(parse_duration);
        value.filter(|value| !value.is_zero()).or_else(|| expected(node, what, problems))
    }
}

impl Shape for Size {
    fn describe() -> Type {
        Type::Text("size")
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let what = "a size over zero with its unit (B, KiB, MiB, GiB, KB, MB, GB), such as `64MiB`";
        let size = node.kind.as_text().and_then(Self::parse);
        size.filter(|size| size.0 > 0).or_else(|| expected(node, what, problems))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(&str, u16)>) {
        let found = Address::parse(text);
        assert_eq!(found.as_ref().map(|found| (found.host.as_str(), found.port)), expect);
        assert!(found.is_none_or(|found| found.to_string() == text));
    }

    #[test]
    fn addresses() {
        check("127.0.0.1:3306", Some(("127.0.0.1", 3306)));
        check("db.example:1", Some(("db.example", 1)));
        check("[::1]:3306", Some(("::1", 3306)));
        for bad in ["db", ":3306", "db:", "db:70000", "::1:3306", "http://db:80", "[db]:1"] {
            check(bad, None);
        }
    }
}
