//! Values that rules name: bounds of ranges and members of lists.

use std::cmp::Ordering;

use super::key::{Key, Weights};

/// A value as the rule writes it. What it means depends on the column: a number, a moment or a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    text: String,
    number: Option<Key>,
    time: Option<Key>,
}

impl Literal {
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let (number, time) = (Key::number(&text), Key::time(&text));
        Self { text, number, time }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the value is to columns of each type; as a string, to a binary column.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        let text = Key::Bytes(self.text.clone().into_bytes());
        self.number.iter().chain(&self.time).cloned().chain([text])
    }

    /// How this value compares with `key`; none if they are of different types, or if the text's
    /// weight string is not known.
    pub fn compare(&self, key: &Key, weights: &Weights) -> Option<Ordering> {
        match key {
            Key::Null => None,
            Key::Int(_) | Key::Decimal(_) => self.number.as_ref()?.partial_cmp(key),
            Key::Time(_) => self.time.as_ref()?.partial_cmp(key),
            Key::Bytes(bytes) => Some(weights.get(&self.text)?.cmp(bytes.as_slice())),
        }
    }

    /// Whether the text's weight string is needed to compare with `key` and is not known.
    pub fn lacks_weight(&self, key: &Key, weights: &Weights) -> bool {
        matches!(key, Key::Bytes(_)) && weights.get(&self.text).is_none()
    }
}
