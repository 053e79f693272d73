//! What must be equal between two servers' answers to one statement.

use crate::client::reply::{Column, Done, Reply, Rows, ServerError, text_row};

use super::case::{Case, Order};

/// UNSIGNED, BLOB, ZEROFILL, BINARY, ENUM, TIMESTAMP and SET.
const FLAG_BINARY: u16 = 0x0080;
const BINARY: u16 = 63;
const FLAGS: u16 = 0x0020 | 0x0010 | 0x0040 | 0x0080 | 0x0100 | 0x0400 | 0x0800;
/// In a transaction, autocommit, more results.
const STATUS: u16 = 0x0001 | 0x0002 | 0x0008;
const TYPE_VAR_STRING: u8 = 253;
const TYPE_STRING: u8 = 254;
const ROWS_SHOWN: usize = 4;

/// A difference: the aspect, what the plain server says, what Margay says.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) aspect: &'static str,
    pub(crate) expected: String,
    pub(crate) got: String,
    /// Worth knowing, not wrong: an error's text, the table a column is said to come from.
    pub(crate) minor: bool,
}

impl Difference {
    /// One server did what the other did not.
    pub(crate) fn is_refusal(&self) -> bool {
        ["answer", "connection", "prepare"].contains(&self.aspect)
    }
}

pub(crate) fn compare(
    case: &Case,
    plain: &[Reply],
    proxy: &[Reply],
    text: bool,
) -> Vec<Difference> {
    let mut found = Findings { case, text, differences: Vec::new() };
    if plain.len() != proxy.len() {
        found.add("results", plain.len(), proxy.len());
    }
    for (plain, proxy) in plain.iter().zip(proxy) {
        match (plain, proxy) {
            (Reply::Done(plain), Reply::Done(proxy)) => found.done(plain, proxy),
            (Reply::Rows(plain), Reply::Rows(proxy)) => found.rows(plain, proxy),
            (Reply::Error(plain), Reply::Error(proxy)) => found.error(plain, proxy),
            (plain, proxy) => found.add("answer", brief(plain), brief(proxy)),
        }
    }
    found.differences
}

/// Column definitions that come with a prepared statement.
pub(crate) fn compare_columns(case: &Case, plain: &[Column], proxy: &[Column]) -> Vec<Difference> {
    let mut found = Findings { case, text: false, differences: Vec::new() };
    found.columns(plain, proxy);
    found.differences
}

struct Findings<'a> {
    case: &'a Case,
    text: bool,
    differences: Vec<Difference>,
}

impl Findings<'_> {
    fn add(&mut self, aspect: &'static str, expected: impl ToString, got: impl ToString) {
        self.push(aspect, expected.to_string(), got.to_string(), false);
    }

    fn push(&mut self, aspect: &'static str, expected: String, got: String, minor: bool) {
        if !self.case.ignore.iter().any(|ignored| ignored == aspect) {
            self.differences.push(Difference { aspect, expected, got, minor });
        }
    }

    fn equal(&mut self, aspect: &'static str, expected: impl ToString, got: impl ToString) {
        let (expected, got) = (expected.to_string(), got.to_string());
        if expected != got {
            self.push(aspect, expected, got, false);
        }
    }

    fn done(&mut self, plain: &Done, proxy: &Done) {
        self.equal("affected", plain.affected, proxy.affected);
        self.equal("id", plain.last_insert_id, proxy.last_insert_id);
        self.equal("info", &plain.info, &proxy.info);
        self.end(plain, proxy);
    }

    fn end(&mut self, plain: &Done, proxy: &Done) {
        self.equal("warnings", plain.warnings, proxy.warnings);
        let flags = |done: &Done| format!("{:#06x}", done.status & STATUS);
        self.equal("status", flags(plain), flags(proxy));
    }

    fn error(&mut self, plain: &ServerError, proxy: &ServerError) {
        if (plain.code, &plain.state) != (proxy.code, &proxy.state) {
            self.add("error", plain, proxy);
        } else if plain.message != proxy.message {
            self.push("message", plain.message.clone(), proxy.message.clone(), true);
        }
    }

    fn rows(&mut self, plain: &Rows, proxy: &Rows) {
        self.columns(&plain.columns, &proxy.columns);
        self.end(&plain.end, &proxy.end);
        if self.case.shape {
            self.equal("rows", plain.packets.len(), proxy.packets.len());
            return;
        }
        let exact = match self.case.order {
            Order::Exact => true,
            Order::Any => false,
            Order::Auto => is_ordered(&self.case.sql),
        };
        let (mut left, mut right) = (plain.packets.clone(), proxy.packets.clone());
        if !exact {
            left.sort();
            right.sort();
        }
        if left == right {
            return;
        }
        let first = left.iter().zip(&right).position(|(left, right)| left != right);
        let first = first.unwrap_or(left.len().min(right.len()));
        let (expected, got) = (self.show(&left, first), self.show(&right, first));
        self.push("rows", expected, got, false);
    }

    fn columns(&mut self, plain: &[Column], proxy: &[Column]) {
        if plain.len() != proxy.len() {
            self.add("columns", plain.len(), proxy.len());
            return;
        }
        for (plain, proxy) in plain.iter().zip(proxy) {
            self.equal("names", &plain.name, &proxy.name);
            let (expected, got) = (self.describe(plain), self.describe(proxy));
            self.equal("types", expected, got);
            let origin = |column: &Column| {
                let Column { schema, table, org_table, org_name, flags, length, .. } = column;
                format!("{schema}.{table} ({org_table}.{org_name}) {flags:#06x} {length}")
            };
            let (expected, got) = (origin(plain), origin(proxy));
            if expected != got {
                self.push("origin", expected, got, true);
            }
        }
    }

    fn describe(&self, column: &Column) -> String {
        let Column { name, kind, flags, charset, decimals, .. } = column;
        let text = [TYPE_VAR_STRING, TYPE_STRING].contains(kind);
        if text && self.case.sql.trim_start().to_ascii_uppercase().starts_with("SHOW ") {
            // Versions of servers differ in the rest.
            return format!("{name}: text, charset {charset}");
        }
        let mut flags = flags & FLAGS;
        // On a number it only tells whether the server took it from a temporary table.
        if *charset == BINARY && !text {
            flags &= !FLAG_BINARY;
        }
        // Nor do decimals of a text.
        let is_long_text = (249..=252).contains(kind);
        let decimals = if text || is_long_text { 0 } else { *decimals };
        format!("{name}: type {kind}, flags {flags:#06x}, charset {charset}, decimals {decimals}")
    }

    fn show(&self, packets: &[Vec<u8>], first: usize) -> String {
        let mut out = format!("{} rows, from row {}:", packets.len(), first + 1);
        for packet in packets.iter().skip(first).take(ROWS_SHOWN) {
            if self.text {
                let values = text_row(packet).into_iter();
                let values: Vec<_> = values.map(|value| value.unwrap_or("NULL".into())).collect();
                out.push_str(&format!("\n        {}", values.join(" | ")));
            } else {
                out.push_str(&format!("\n        {}", packet.escape_ascii()));
            }
        }
        out
    }
}

pub(crate) fn brief(reply: &Reply) -> String {
    match reply {
        Reply::Done(done) => format!("OK, {} affected", done.affected),
        Reply::Rows(rows) => format!("{} rows", rows.packets.len()),
        Reply::Error(error) => error.to_string(),
    }
}

/// Whether the rows come in a fixed order: an ORDER BY outside brackets and strings, or no query at all.
pub(crate) fn is_ordered(sql: &str) -> bool {
    let mut depth = 0_u32;
    let mut quote = None;
    let mut flat = String::new();
    for c in sql.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, c) if depth == 0 => flat.push(if c.is_whitespace() { ' ' } else { c }),
            (None, _) => {}
        }
    }
    let flat = flat.to_ascii_uppercase();
    let query = ["SELECT", "WITH", "TABLE", "VALUES", "EXECUTE"];
    // A statement in brackets begins with what is left.
    let query =
        sql.starts_with('(') || query.iter().any(|word| flat.trim_start().starts_with(word));
    !query || flat.contains("ORDER BY")
}

#[cfg(test)]
mod tests {
    use super::is_ordered;

    fn check(sql: &str, ordered: bool) {
        assert_eq!(is_ordered(sql), ordered, "{sql}");
    }

    #[test]
    fn knows_what_is_ordered() {
        check("SELECT a FROM t ORDER BY a", true);
        check("SELECT a FROM (SELECT b FROM t ORDER BY b) x", false);
        check("SELECT 'ORDER BY' FROM t", false);
        check("SHOW TABLES", true);
        check("(SELECT 1) UNION (SELECT 2)", false);
    }
}
