//! The shapes of rule files. One declaration of a shape gives its reader, its JSON Schema and its
//! documentation. A reader reports every mistake and goes on.

pub(super) mod docs;
mod scalar;
pub(super) mod schema;
mod settings;
mod table;
mod topology;

use super::node::{Kind, Located, Node};
use super::problem::{Place, Problems, suggestion};

pub use scalar::{Address, Secret};
pub(super) use scalar::{Literal, Patterns};
pub use settings::{Backend, Combine, Health, Ids, Limits, Reads, Tls, Transactions};
pub use table::Generator;
pub(super) use table::{
    Algorithm, ConsistentHash, Id, List, Modulo, Outside, Parts, Periods, Range, Schema, Table,
};
pub(super) use topology::{BackendCompression, Cluster, Grant, Replica, Root, User};
pub use topology::{TlsMode, UserTls};

/// Something that can be read from a node.
pub(super) trait Shape: Sized {
    fn describe() -> Type;

    /// Reads the node, or reports what is wrong with it.
    fn read(node: &Node, problems: &mut Problems) -> Option<Self>;

    /// What a field holds that is left out; none if it must not be.
    fn absent() -> Option<Self> {
        None
    }
}

/// What a shape is, for the JSON Schema and the documentation.
#[derive(Debug)]
pub(super) enum Type {
    Bool,
    Integer {
        min: i128,
        max: i128,
    },
    /// A text; the words say of what kind.
    Text(&'static str),
    /// A text or a number.
    Scalar,
    Choice(&'static [&'static str]),
    List(Box<Type>),
    /// From names to values; the word says what is named.
    Map(Box<Type>),
    Object(Object),
    /// `name`, or `{name: {...}}`.
    Tagged(Vec<(&'static str, Object)>),
    OneOf(Vec<Type>),
}

#[derive(Debug)]
pub(super) struct Object {
    pub(super) doc: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) doc: String,
    pub(super) required: bool,
    pub(super) default: Option<&'static str>,
    pub(super) of: Type,
}

/// The lines of a doc comment as one text.
pub(super) fn paragraph(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}

/// The entries of a map while a shape reads them.
pub(super) struct Fields<'a> {
    entries: &'a [(Located<String>, Node)],
    place: &'a Place,
}

impl<'a> Fields<'a> {
    /// Reports unknown names at once. Nothing at all is a map without entries.
    pub(super) fn new(node: &'a Node, known: &[&str], problems: &mut Problems) -> Option<Self> {
        let entries = match &node.kind {
            Kind::Map(entries) => entries.as_slice(),
            Kind::Null => &[],
            Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Text { .. } | Kind::List(_) => {
                let example = known.first().copied().unwrap_or("name");
                let found = node.kind.describe();
                let message = format!("expected a map such as `{{{example}: ...}}`, found {found}");
                problems.add(&node.place, message);
                return None;
            }
        };
        for (name, _) in entries {
            if !known.contains(&name.value.as_str()) {
                let near = suggestion(&name.value, known.iter().copied());
                problems.add(&name.place, format!("unknown key `{}`{near}", name.value));
            }
        }
        Some(Self { entries, place: &node.place })
    }

    pub(super) fn take<T: Shape>(
        &self,
        name: &str,
        default: Option<&str>,
        problems: &mut Problems,
    ) -> Option<T> {
        let entry = self.entries.iter().find(|(key, _)| key.value == name);
        let Some(default) = default else {
            if let Some((_, node)) = entry {
                return T::read(node, problems);
            }
            let absent = T::absent();
            if absent.is_none() {
                problems.add(self.place, format!("`{name}` is missing"));
            }
            return absent;
        };
        let given = entry.filter(|(_, node)| node.kind != Kind::Null);
        // With a mistake in it, the default stands in, so that the rest can be checked.
        if let Some(value) = given.and_then(|(_, node)| T::read(node, problems)) {
            return Some(value);
        }
        // The default of a group of settings is the defaults of all.
        let kind = match default {
            "" => Kind::Null,
            text => Kind::Text { text: text.to_owned(), substituted: true },
        };
        T::read(&Node { place: self.place.clone(), kind }, problems)
    }
}

/// Declares a struct with a reader. A field is required unless its type has an absent value or a default is
/// given as it would be written in YAML.
macro_rules! shape {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $line:literal])* $field:ident: $type:ty $(= $default:literal)?, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $( $(#[doc = $line])* $(#[doc = concat!("Default `", $default, "`.")])? $vis $field: $type, )*
        }

        impl $crate::config::shape::Shape for $name {
            fn describe() -> $crate::config::shape::Type {
                use $crate::config::shape::{Field, Object, Shape, Type, paragraph};
                let fields = vec![ $( {
                    let default: Option<&'static str> = None $(.or(Some($default)))?;
                    Field {
                        name: stringify!($field),
                        doc: paragraph(&[$($line),*]),
                        required: default.is_none() && <$type as Shape>::absent().is_none(),
                        default,
                        of: <$type as Shape>::describe(),
                    }
                } ),* ];
                Type::Object(Object { doc: paragraph(&[$($doc),*]), fields })
            }

            fn read(
                node: &$crate::config::node::Node,
                problems: &mut $crate::config::problem::Problems,
            ) -> Option<Self> {
                let known = [$(stringify!($field)),*];
                let fields = $crate::config::shape::Fields::new(node, &known, problems)?;
                $( let $field = fields.take::<$type>(
                    stringify!($field), None $(.or(Some($default)))?, problems); )*
                Some(Self { $( $field: $field?, )* })
            }
        }
    };
}
pub(super) use shape;

/// Declares an enum of words.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident { $( $(#[doc = $line:literal])* $variant:ident = $word:literal, )* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name { $( $(#[doc = $line])* $variant, )* }

        impl $crate::config::shape::Shape for $name {
            fn describe() -> $crate::config::shape::Type {
                $crate::config::shape::Type::Choice(&[$($word),*])
            }

            fn read(
                node: &$crate::config::node::Node,
                problems: &mut $crate::config::problem::Problems,
            ) -> Option<Self> {
                use $crate::config::{node::Kind, problem::suggestion};
                match &node.kind {
                    $( Kind::Text { text, .. } if text == $word => return Some(Self::$variant), )*
                    other => {
                        let found = match other {
                            Kind::Text { text, .. } => text.clone(),
                            other => other.describe(),
                        };
                        let near = suggestion(&found, [$($word),*]);
                        problems.add(&node.place, format!("unknown value `{found}`{near}"));
                        None
                    }
                }
            }
        }
    };
}
pub(super) use choice;

/// Declares an enum whose variants are written `name` or `{name: {...}}`.
macro_rules! tagged {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident as $noun:literal { $( $variant:ident($shape:ty) = $word:literal, )* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        $vis enum $name { $( $variant($shape), )* }

        impl $crate::config::shape::Shape for $name {
            fn describe() -> $crate::config::shape::Type {
                use $crate::config::shape::{Shape, Type};
                let mut variants = Vec::new();
                $( if let Type::Object(object) = <$shape as Shape>::describe() {
                    variants.push(($word, object));
                } )*
                Type::Tagged(variants)
            }

            fn read(
                node: &$crate::config::node::Node,
                problems: &mut $crate::config::problem::Problems,
            ) -> Option<Self> {
                use $crate::config::{problem::suggestion, shape::{Shape, tag}};
                let (name, body) = tag(node, $noun, problems)?;
                match name.value.as_str() {
                    $( $word => <$shape as Shape>::read(&body, problems).map(Self::$variant), )*
                    unknown => {
                        let near = suggestion(unknown, [$($word),*]);
                        problems.add(&name.place, format!("unknown {} `{unknown}`{near}", $noun));
                        None
                    }
                }
            }
        }
    };
}
pub(super) use tagged;

/// The name and the body of a tagged value; a bare name has nothing as its body.
pub(super) fn tag(
    node: &Node,
    noun: &str,
    problems: &mut Problems,
) -> Option<(Located<String>, Node)> {
    let place = node.place.clone();
    match &node.kind {
        Kind::Text { text, .. } => {
            let name = Located { value: text.clone(), place: place.clone() };
            Some((name, Node { place, kind: Kind::Null }))
        }
        Kind::Map(entries) if entries.len() == 1 => entries.first().cloned(),
        Kind::Map(_) => {
            problems
                .add(&place, format!("expected one {noun}, such as `hash` or `{{hash: {{...}}}}`"));
            None
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::List(_) => {
            let found = node.kind.describe();
            problems.add(&place, format!("expected the name of the {noun}, found {found}"));
            None
        }
    }
}

impl<T: Shape> Shape for Option<T> {
    fn describe() -> Type {
        T::describe()
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if node.kind == Kind::Null {
            return Some(None);
        }
        T::read(node, problems).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Shape> Shape for Box<T> {
    fn describe() -> Type {
        T::describe()
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        T::read(node, problems).map(Self::new)
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }
}

impl<T: Shape> Shape for Located<T> {
    fn describe() -> Type {
        T::describe()
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let value = T::read(node, problems)?;
        Some(Self { value, place: node.place.clone() })
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn describe() -> Type {
        Type::List(Box::new(T::describe()))
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::List(items) => {
                Some(items.iter().filter_map(|item| T::read(item, problems)).collect())
            }
            Kind::Null => Some(Self::new()),
            other => {
                let found = other.describe();
                problems
                    .add(&node.place, format!("expected a list such as `[...]`, found {found}"));
                None
            }
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// Something that may be absent, and that is read as absent if it is wrong: the rest can be checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lenient<T>(pub(super) Option<T>);

impl<T: Shape> Shape for Lenient<T> {
    fn describe() -> Type {
        T::describe()
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        Some(Self(Option::read(node, problems).flatten()))
    }

    fn absent() -> Option<Self> {
        Some(Self(None))
    }
}

/// Named values, in the order of the file; none where the value has a mistake.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map<T>(pub(super) Vec<(Located<String>, Option<T>)>);

impl<T> Map<T> {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.value.as_str())
    }
}

impl<T: Shape> Shape for Map<T> {
    fn describe() -> Type {
        Type::Map(Box::new(T::describe()))
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) => {
                let read = |(name, value): &(Located<String>, Node)| {
                    (name.clone(), T::read(value, problems))
                };
                Some(Self(entries.iter().map(read).collect()))
            }
            Kind::Null => Some(Self(Vec::new())),
            other => {
                let found = other.describe();
                problems.add(&node.place, format!("expected a map of names, found {found}"));
                None
            }
        }
    }

    fn absent() -> Option<Self> {
        Some(Self(Vec::new()))
    }
}
