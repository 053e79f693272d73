//! Replacing byte ranges of a statement's text.

use crate::error::{Error, Result};

use super::span::Span;

/// Replacements and insertions to be applied to one text in one pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Splices {
    list: Vec<(Span, Vec<u8>)>,
}

impl Splices {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Puts `bytes` in place of what stands at `span`.
    pub fn replace(&mut self, span: Span, bytes: impl Into<Vec<u8>>) {
        self.list.push((span, bytes.into()));
    }

    /// Puts `bytes` before the byte at `at`. Insertions at one place stand in the order of the calls,
    /// and before what replaces the bytes that start there.
    pub fn insert(&mut self, at: u32, bytes: impl Into<Vec<u8>>) {
        self.replace(Span { start: at, end: at }, bytes);
    }

    /// Takes what stands at `span` out.
    pub fn remove(&mut self, span: Span) {
        self.replace(span, Vec::new());
    }

    /// The text with all replacements made.
    ///
    /// Errors: `Internal` if two of them overlap or one lies outside of the text.
    pub fn apply(&self, text: &[u8]) -> Result<Vec<u8>> {
        self.apply_within(text, Span::new(0, text.len()))
    }

    /// The part of the text at `within` with its replacements made. Those outside are left out.
    ///
    /// Errors: as [`Splices::apply`], and if one lies across an edge of `within`.
    pub fn apply_within(&self, text: &[u8], within: Span) -> Result<Vec<u8>> {
        let outside = |span: Span| span.end < within.start || span.start > within.end;
        let touches = |span: Span| {
            span.start < span.end && (span.end == within.start || span.start == within.end)
        };
        let mut list: Vec<_> =
            self.list.iter().filter(|(span, _)| !outside(*span) && !touches(*span)).collect();
        // Stable, so that insertions at one place keep their order.
        list.sort_by_key(|(span, _)| (span.start, span.end));
        let added: usize = list.iter().map(|(_, bytes)| bytes.len()).sum();
        let mut result = Vec::with_capacity(within.range().len() + added);
        let mut done = within.start;
        for (span, bytes) in list {
            if span.start < done || span.end > within.end {
                return Err(Error::internal(format!(
                    "replacement of bytes {}..{} overlaps another one",
                    span.start, span.end
                )));
            }
            result.extend_from_slice(part(text, done, span.start)?);
            result.extend_from_slice(bytes);
            done = span.end;
        }
        result.extend_from_slice(part(text, done, within.end)?);
        Ok(result)
    }
}

fn part(text: &[u8], start: u32, end: u32) -> Result<&[u8]> {
    text.get(start as usize..end as usize)
        .ok_or_else(|| Error::internal("replacement outside of the statement's text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"SELECT a FROM t";

    fn check(list: &[(usize, usize, &str)], expect: Option<&str>) {
        let mut splices = Splices::new();
        for (start, end, bytes) in list {
            splices.replace(Span::new(*start, *end), *bytes);
        }
        let result = splices.apply(TEXT).ok();
        assert_eq!(result.as_deref(), expect.map(str::as_bytes), "{list:?}");
    }

    #[test]
    fn replaces_and_inserts() {
        check(&[], Some("SELECT a FROM t"));
        check(&[(14, 15, "t_1")], Some("SELECT a FROM t_1"));
        check(&[(14, 15, "t_1"), (8, 8, ", b")], Some("SELECT a, b FROM t_1"));
        check(&[(8, 8, ", b"), (8, 8, ", c")], Some("SELECT a, b, c FROM t"));
        check(&[(7, 8, "x"), (7, 7, "DISTINCT "), (8, 8, "y")], Some("SELECT DISTINCT xy FROM t"));
        check(&[(15, 15, " LIMIT 1")], Some("SELECT a FROM t LIMIT 1"));
        check(&[(0, 15, "")], Some(""));
    }

    #[test]
    fn refuses_overlaps() {
        check(&[(0, 5, ""), (4, 6, "")], None);
        check(&[(0, 5, ""), (3, 3, "x")], None);
        check(&[(14, 16, "")], None);
        check(&[(7, 8, "x"), (7, 8, "y")], None);
    }

    #[test]
    fn applies_within() {
        let mut splices = Splices::new();
        splices.replace(Span::new(7, 8), "b");
        splices.replace(Span::new(14, 15), "t_1");
        splices.insert(8, "!");
        let check = |start, end, expect: Option<&str>| {
            let result = splices.apply_within(TEXT, Span::new(start, end)).ok();
            assert_eq!(result.as_deref(), expect.map(str::as_bytes), "{start}..{end}");
        };
        check(7, 8, Some("b!"));
        check(9, 15, Some("FROM t_1"));
        check(0, 6, Some("SELECT"));
        check(0, 15, Some("SELECT b! FROM t_1"));
    }
}
