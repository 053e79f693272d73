//! Turns the literals of a statement into bound parameters, so that each case also shows how values
//! that come apart from the text are routed and typed.

use crate::client::value::Value;

/// The statement with `?` for its literals, and their values; `None` if there is none to bind.
pub(crate) fn bind_literals(sql: &str) -> Option<(String, Vec<Value>)> {
    let head = sql.trim_start().get(..6)?.to_ascii_uppercase();
    let bindable = ["SELECT", "INSERT", "REPLAC", "UPDATE", "DELETE", "WITH "];
    if !bindable.iter().any(|word| head.starts_with(word)) || sql.contains('?') {
        return None;
    }
    let mut binder =
        Binder { sql, at: 0, out: String::new(), values: Vec::new(), words: Vec::new() };
    binder.run();
    (!binder.values.is_empty()).then_some((binder.out, binder.values))
}

struct Binder<'a> {
    sql: &'a str,
    at: usize,
    out: String,
    values: Vec<Value>,
    /// The words so far, upper case.
    words: Vec<String>,
}

impl Binder<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            match c {
                '\'' => self.string(),
                '"' | '`' => {
                    let end = self.quoted_end(c);
                    self.copy(end);
                }
                '0'..='9' => self.number(),
                '/' if self.rest().starts_with("/*") => {
                    let end = self.rest().find("*/").map_or(self.rest().len(), |at| at + 2);
                    self.copy(end);
                }
                c if c.is_alphanumeric() || matches!(c, '_' | '@' | '$') => self.word(),
                c => self.copy(c.len_utf8()),
            }
        }
    }

    fn rest(&self) -> &str {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn copy(&mut self, length: usize) {
        let text = self.sql.get(self.at..self.at + length).unwrap_or_default();
        self.out.push_str(text);
        self.at += length;
    }

    fn word(&mut self) {
        let rest = self.rest();
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '$');
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_ascii_uppercase();
        // `x'41'`, `b'1'`, `N'...'` and introducers belong to their string.
        let introducer = rest.get(end..).is_some_and(|rest| rest.starts_with('\''))
            && (word.starts_with('_') || ["X", "B", "N"].contains(&word.as_str()));
        self.copy(end);
        if introducer {
            let end = self.quoted_end('\'');
            self.copy(end);
        }
        self.words.push(word);
    }

    fn string(&mut self) {
        let end = self.quoted_end('\'');
        let text = self.rest().get(..end).unwrap_or_default();
        let inner = text.get(1..end.saturating_sub(1)).unwrap_or_default();
        // Escapes and typed literals stay as they are.
        let whole = text.len() > 1 && text.ends_with('\'');
        if !whole || inner.contains(['\\', '\'']) || !self.may_bind() {
            self.copy(end);
            return;
        }
        self.values.push(Value::text(inner));
        self.out.push('?');
        self.at += end;
    }

    fn number(&mut self) {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        match text.parse() {
            Ok(value) if self.may_bind() => {
                self.values.push(Value::Int(value));
                self.out.push('?');
                self.at += end;
            }
            _ => self.copy(end),
        }
    }

    /// Where a parameter would not mean the same: `ORDER BY 1`, `DATE '2020-01-01'`, `INTERVAL '1' DAY`,
    /// lengths of types, windows.
    fn may_bind(&self) -> bool {
        let last = self.words.last().map(String::as_str).unwrap_or_default();
        let before = self.out.trim_end();
        if matches!(last, "DATE" | "TIME" | "TIMESTAMP" | "AS")
            && !before.ends_with(['(', ',', '='])
        {
            return false;
        }
        if before.ends_with('(')
            && matches!(last, "CHAR" | "DECIMAL" | "BINARY" | "DATETIME" | "TIME")
        {
            return false;
        }
        let in_order = self.words.iter().rposition(|word| word == "BY");
        let after = in_order.and_then(|at| self.words.get(at..)).unwrap_or_default();
        let past = ["LIMIT", "HAVING", "OFFSET", "SELECT", "WHERE"];
        after.is_empty() || after.iter().any(|word| past.contains(&word.as_str()))
    }

    /// The length of a quoted text that begins here.
    fn quoted_end(&self, quote: char) -> usize {
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && quote != '`' {
                chars.next();
            } else if c == quote {
                if chars.peek().is_some_and(|(_, next)| *next == quote) {
                    chars.next();
                    continue;
                }
                return at + 1;
            }
        }
        self.rest().len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, bind_literals};

    fn check(sql: &str, text: &str, values: &[Value]) {
        assert_eq!(bind_literals(sql), Some((text.to_owned(), values.to_vec())));
    }

    #[test]
    fn binds_literals() {
        check(
            "SELECT 'it''s', a1 FROM t WHERE x = 5 AND y IN ('a', 7) ORDER BY 1 LIMIT 2",
            "SELECT 'it''s', a1 FROM t WHERE x = ? AND y IN (?, ?) ORDER BY 1 LIMIT ?",
            &[Value::Int(5), Value::text("a"), Value::Int(7), Value::Int(2)],
        );
        check(
            "SELECT DATE '2020-01-01', x'41', _latin1'a', 1.5 WHERE a = 3",
            "SELECT DATE '2020-01-01', x'41', _latin1'a', 1.5 WHERE a = ?",
            &[Value::Int(3)],
        );
        assert_eq!(bind_literals("SELECT a FROM t"), None);
        assert_eq!(bind_literals("CREATE TABLE t (a INT DEFAULT 5)"), None);
    }
}
