//! The outcome of a statement without rows, and how those of several shards add up.

use super::aftermath::Learned;
use crate::protocol::reply::OkPacket;

/// What an OK packet tells a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub affected_rows: u64,
    pub last_insert_id: u64,
    /// The first id that Margay generated and that was inserted, or 0. None: the table has no rule for
    /// ids.
    pub generated: Option<u64>,
    /// Warnings raised, as far as the servers count them.
    pub warnings: u16,
    /// `Rows matched: 1  Changed: 1  Warnings: 0` and its like; empty if none.
    pub info: Vec<u8>,
    /// What the statement left behind for the session.
    pub learned: Learned,
}

impl Summary {
    pub fn of(ok: &OkPacket) -> Self {
        Self {
            affected_rows: ok.affected_rows,
            last_insert_id: ok.last_insert_id,
            generated: None,
            warnings: ok.warnings,
            info: ok.info.to_vec(),
            learned: Learned::default(),
        }
    }

    /// Of an INSERT into a table with a rule for ids: a generated id is what the client hears of.
    pub fn tell_generated(&mut self) {
        let generated = self.generated.unwrap_or_default();
        self.generated = Some(generated);
        if generated > 0 {
            self.last_insert_id = generated;
        }
    }

    /// The same change on another physical table: its rows count, its warnings are the same again.
    pub fn add_rows(&mut self, other: &Self) {
        let warnings = self.warnings.max(other.warnings);
        self.add(other);
        self.warnings = warnings;
    }

    /// Adds the outcome of another shard: counts add up, the first insert id stays.
    pub fn add(&mut self, other: &Self) {
        self.affected_rows = self.affected_rows.saturating_add(other.affected_rows);
        if self.last_insert_id == 0 {
            self.last_insert_id = other.last_insert_id;
        }
        self.generated = match (self.generated, other.generated) {
            (Some(0), Some(id)) | (Some(id), Some(0)) => Some(id),
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.warnings = self.warnings.saturating_add(other.warnings);
        self.info = add_info(&self.info, &other.info);
    }
}

/// Adds the numbers of two info texts of the same form. If the forms differ the longer one stays.
fn add_info(left: &[u8], right: &[u8]) -> Vec<u8> {
    let (left_words, right_words) = (words(left), words(right));
    if left_words.len() != right_words.len() {
        return if left.len() >= right.len() { left.to_vec() } else { right.to_vec() };
    }
    let mut sum = Vec::with_capacity(left.len() + 2);
    for (index, (a, b)) in left_words.iter().zip(&right_words).enumerate() {
        if index > 0 {
            sum.push(b' ');
        }
        match (number(a), number(b)) {
            (Some(a), Some(b)) => {
                sum.extend_from_slice(a.saturating_add(b).to_string().as_bytes());
            }
            _ => sum.extend_from_slice(a),
        }
    }
    sum
}

fn words(text: &[u8]) -> Vec<&[u8]> {
    text.split(|byte| *byte == b' ').collect()
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &str, right: &str, expect: &str) {
        let sum = add_info(left.as_bytes(), right.as_bytes());
        assert_eq!(String::from_utf8(sum).unwrap(), expect);
    }

    #[test]
    fn info_texts_add_up() {
        check(
            "Rows matched: 3  Changed: 2  Warnings: 0",
            "Rows matched: 10  Changed: 1  Warnings: 1",
            "Rows matched: 13  Changed: 3  Warnings: 1",
        );
        check(
            "",
            "Records: 2  Duplicates: 0  Warnings: 0",
            "Records: 2  Duplicates: 0  Warnings: 0",
        );
        check("", "", "");
    }
}
