//! The prepared statements that a connection keeps.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

/// A statement that a server has prepared on one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The server's number of it, valid on this connection alone.
    pub id: u32,
    /// The payloads of the definitions of parameters, as the server sent them.
    pub parameters: Arc<[Bytes]>,
    /// The payloads of the definitions of the result's columns; none for a statement without rows.
    pub columns: Arc<[Bytes]>,
    pub warnings: u16,
}

/// The least recently used statement makes room for a new one.
#[derive(Debug)]
pub(super) struct Statements {
    capacity: usize,
    /// By the meaning of the session state that they were prepared in, then by text.
    by_meaning: HashMap<String, HashMap<Bytes, Entry>>,
    count: usize,
    /// Counts uses: the clock of "recently".
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    prepared: Prepared,
    used: u64,
}

impl Statements {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), by_meaning: HashMap::new(), count: 0, clock: 0 }
    }

    pub(super) fn get(&mut self, meaning: &str, text: &[u8]) -> Option<Prepared> {
        self.clock += 1;
        let entry = self.by_meaning.get_mut(meaning)?.get_mut(text)?;
        entry.used = self.clock;
        Some(entry.prepared.clone())
    }

    /// As [`Statements::get`], the server's number alone.
    pub(super) fn id(&mut self, meaning: &str, text: &[u8]) -> Option<u32> {
        self.clock += 1;
        let entry = self.by_meaning.get_mut(meaning)?.get_mut(text)?;
        entry.used = self.clock;
        Some(entry.prepared.id)
    }

    /// Adds a statement that is not there. Returns the id of one to close for it.
    pub(super) fn insert(&mut self, meaning: &str, text: Bytes, prepared: Prepared) -> Option<u32> {
        let evicted = if self.count >= self.capacity { self.evict() } else { None };
        self.clock += 1;
        let entry = Entry { prepared, used: self.clock };
        let replaced = self.by_meaning.entry(meaning.to_owned()).or_default().insert(text, entry);
        self.count += usize::from(replaced.is_none());
        evicted.or(replaced.map(|entry| entry.prepared.id))
    }

    /// Forgets those whose texts have `name` in them; gives their ids, to close them.
    pub(super) fn remove_naming(&mut self, name: &[u8]) -> Vec<u32> {
        let mut removed = Vec::new();
        for statements in self.by_meaning.values_mut() {
            statements.retain(|text, entry| {
                let is_naming = text.windows(name.len().max(1)).any(|window| window == name);
                if is_naming {
                    removed.push(entry.prepared.id);
                }
                !is_naming
            });
        }
        self.by_meaning.retain(|_, statements| !statements.is_empty());
        self.count -= removed.len();
        removed
    }

    /// Forgets all: a reset has closed them.
    pub(super) fn clear(&mut self) {
        self.by_meaning.clear();
        self.count = 0;
    }

    fn evict(&mut self) -> Option<u32> {
        // A scan: it costs less than the round trip of the prepare that needs it.
        let entries = self.by_meaning.iter().flat_map(|(meaning, statements)| {
            statements.iter().map(move |(text, entry)| (entry.used, meaning, text))
        });
        let (_, meaning, text) = entries.min_by_key(|(used, ..)| *used)?;
        let (meaning, text) = (meaning.clone(), text.clone());
        let statements = self.by_meaning.get_mut(&meaning)?;
        let entry = statements.remove(&text)?;
        if statements.is_empty() {
            self.by_meaning.remove(&meaning);
        }
        self.count -= 1;
        Some(entry.prepared.id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Bytes, Prepared, Statements};

    fn prepared(id: u32) -> Prepared {
        Prepared { id, parameters: Arc::new([]), columns: Arc::new([]), warnings: 0 }
    }

    fn insert(
        statements: &mut Statements,
        meaning: &str,
        text: &'static str,
        id: u32,
    ) -> Option<u32> {
        statements.insert(meaning, Bytes::from_static(text.as_bytes()), prepared(id))
    }

    #[test]
    fn evicts_the_least_recently_used() {
        let mut statements = Statements::new(2);
        assert_eq!(insert(&mut statements, "", "a", 1), None);
        assert_eq!(insert(&mut statements, "", "b", 2), None);
        assert_eq!(statements.id("", b"a"), Some(1));
        assert_eq!(insert(&mut statements, "", "c", 3), Some(2));
        assert_eq!(statements.get("", b"b"), None);
        assert_eq!(statements.get("", b"a"), Some(prepared(1)));
        statements.clear();
        assert_eq!(statements.get("", b"a"), None);
        assert_eq!(insert(&mut statements, "", "a", 4), None);
    }

    #[test]
    fn forgets_by_a_name_in_the_text() {
        let mut statements = Statements::new(4);
        insert(&mut statements, "", "SELECT a", 1);
        insert(&mut statements, "x", "SELECT _t_1", 2);
        insert(&mut statements, "", "_t_", 3);
        let mut removed = statements.remove_naming(b"_t_");
        removed.sort_unstable();
        assert_eq!(removed, [2, 3]);
        assert_eq!(statements.get("", b"SELECT a"), Some(prepared(1)));
        assert_eq!(statements.get("x", b"SELECT _t_1"), None);
        assert_eq!(statements.count, 1);
    }

    #[test]
    fn one_text_may_mean_two_statements() {
        let mut statements = Statements::new(2);
        insert(&mut statements, "shop", "a", 1);
        assert_eq!(statements.get("other", b"a"), None);
        insert(&mut statements, "other", "a", 2);
        assert_eq!(statements.get("shop", b"a"), Some(prepared(1)));
        assert_eq!(insert(&mut statements, "third", "a", 3), Some(2));
    }
}
