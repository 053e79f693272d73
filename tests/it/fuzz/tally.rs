//! What a run has found.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::client::reply::ServerError;

/// An example and how often there was one like it.
type Counts = BTreeMap<String, (usize, String)>;

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) statements: usize,
    /// Equal rows, at least one.
    pub(super) with_rows: usize,
    pub(super) without_rows: usize,
    pub(super) left: usize,
    /// Answered by Margay as the plain server does by another plan.
    pub(super) varying: usize,
    /// That the plain server takes.
    pub(super) refused: usize,
    pub(super) mismatches: usize,
    /// Invalid statements that Margay does not know to be invalid.
    pub(super) unchecked: usize,
    refusals: Counts,
    errors: Counts,
    crashes: Vec<String>,
}

impl Tally {
    pub(super) fn same(&mut self, answer: &Result<usize, ServerError>, sql: &str) {
        match answer {
            Ok(0) => self.without_rows += 1,
            Ok(_) => self.with_rows += 1,
            Err(error) => count(&mut self.errors, pattern(&error.to_string()), sql),
        }
    }

    pub(super) fn refused(&mut self, reason: &str, sql: &str) {
        self.refused += 1;
        count(&mut self.refusals, pattern(reason), sql);
    }

    /// A server ended, which is the server's mistake.
    pub(super) fn crashed(&mut self, sql: &str) {
        self.crashes.push(sql.to_owned());
    }

    /// Refused among those that the plain server answers.
    pub(super) fn refusal_percent(&self) -> f64 {
        let answered = self.refused + self.with_rows + self.without_rows;
        100.0 * self.refused as f64 / answered.max(1) as f64
    }

    pub(super) fn summary(&self) -> String {
        let mut out = format!(
            "{} statements: {} equal with rows, {} equal without, {} equal errors, {} refused ({:.2} %), \
             {} left, {} varying, {} unchecked, {} MISMATCHES\n",
            self.statements,
            self.with_rows,
            self.without_rows,
            self.errors.values().map(|(count, _)| count).sum::<usize>(),
            self.refused,
            self.refusal_percent(),
            self.left,
            self.varying,
            self.unchecked,
            self.mismatches
        );
        top(&mut out, "refusals", &self.refusals);
        top(&mut out, "errors of both", &self.errors);
        for sql in &self.crashes {
            let _ = writeln!(out, "a server crashed at: {sql}");
        }
        out
    }
}

fn count(counts: &mut Counts, pattern: String, sql: &str) {
    let entry = counts.entry(pattern).or_insert_with(|| (0, sql.to_owned()));
    entry.0 += 1;
    // The shortest tells the most.
    if sql.len() < entry.1.len() {
        entry.1 = sql.to_owned();
    }
}

fn top(out: &mut String, title: &str, counts: &Counts) {
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let _ = writeln!(out, "{title}:");
    for (pattern, (count, example)) in sorted.into_iter().take(25) {
        let _ = writeln!(out, "  {count:6} {pattern}\n         {example:.300}");
    }
}

/// A message without the names and numbers in it.
pub(super) fn pattern(message: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for c in message.chars() {
        match quote {
            Some(open) if c == open => {
                quote = None;
                out.push_str("..");
                out.push(c);
            }
            Some(_) => {}
            None => {
                if matches!(c, '`' | '\'') {
                    quote = Some(c);
                }
                if c.is_ascii_digit() && out.ends_with('#') {
                    continue;
                }
                out.push(c);
            }
        }
    }
    // Lists of names of any length.
    while out.contains("`..`, `..`") {
        out = out.replace("`..`, `..`", "`..`");
    }
    out
}
