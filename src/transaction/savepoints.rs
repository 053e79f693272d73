//! The savepoints of a transaction, in the order in which they were set.

/// Every server of the transaction has them all: one that joins later sets them at its start, so that a
/// rollback to any of them undoes all that it did.
#[derive(Debug, Clone, Default)]
pub(super) struct Savepoints(Vec<String>);

impl Savepoints {
    pub(super) fn set(&mut self, name: &str) {
        self.0.retain(|known| !known.eq_ignore_ascii_case(name));
        self.0.push(name.to_owned());
    }

    /// Rolls back to one: forgets those set after it. False: there is none of this name.
    pub(super) fn roll_back_to(&mut self, name: &str) -> bool {
        let at = self.position(name);
        self.0.truncate(at.map_or(self.0.len(), |at| at + 1));
        at.is_some()
    }

    /// Forgets one and those set after it. False: there is none of this name.
    pub(super) fn release(&mut self, name: &str) -> bool {
        let at = self.position(name);
        self.0.truncate(at.unwrap_or(self.0.len()));
        at.is_some()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::Savepoints;

    /// `+a` sets, `<a` rolls back, `-a` releases.
    fn check(steps: &str, expect: &str) {
        let mut savepoints = Savepoints::default();
        for step in steps.split_whitespace() {
            let name = &step[1..];
            match &step[..1] {
                "+" => savepoints.set(name),
                "<" => drop(savepoints.roll_back_to(name)),
                _ => drop(savepoints.release(name)),
            }
        }
        assert_eq!(savepoints.names().collect::<Vec<_>>().join(" "), expect, "{steps}");
    }

    #[test]
    fn as_in_mysql() {
        check("+a +b +c", "a b c");
        check("+a +b +A", "b A");
        check("+a +b +c <b", "a b");
        check("+a +b +c -b", "a");
        check("+a <x -x", "a");
    }
}
