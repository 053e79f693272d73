//! Rows as the `mysql` client draws them.

use std::fmt;

use mysql_async::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    /// Numbers.
    Right,
}

/// A value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell(String);

/// A result to draw. Rows are as long as the head.
#[derive(Debug)]
pub(super) struct Table {
    pub head: Vec<String>,
    pub aligns: Vec<Align>,
    pub rows: Vec<Vec<Cell>>,
}

impl Cell {
    pub(super) fn of(value: Value) -> Self {
        Self(match value {
            Value::NULL => "NULL".to_owned(),
            Value::Bytes(bytes) => match String::from_utf8(bytes) {
                // A tab or a line break would tear the table.
                Ok(text) => text.replace(['\n', '\r', '\t'], " "),
                Err(error) => hex(error.as_bytes()),
            },
            // Not in the text protocol.
            Value::Int(_)
            | Value::UInt(_)
            | Value::Float(_)
            | Value::Double(_)
            | Value::Date(..)
            | Value::Time(..) => value.as_sql(true),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("0x{digits}")
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let rule: String =
            widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect();
        writeln!(f, "{rule}+")?;
        let head = self.head.iter().map(String::as_str);
        write_row(f, head.zip(&widths).map(|(text, width)| (text, *width, Align::Left)))?;
        writeln!(f, "{rule}+")?;
        for row in &self.rows {
            let cells = row.iter().zip(&widths).zip(&self.aligns);
            write_row(f, cells.map(|((cell, width), align)| (cell.0.as_str(), *width, *align)))?;
        }
        writeln!(f, "{rule}+")
    }
}

impl Table {
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.head.iter().map(|name| name.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.0.chars().count());
            }
        }
        widths
    }
}

fn write_row<'a>(
    f: &mut fmt::Formatter<'_>,
    cells: impl Iterator<Item = (&'a str, usize, Align)>,
) -> fmt::Result {
    for (text, width, align) in cells {
        match align {
            Align::Left => write!(f, "| {text:<width$} ")?,
            Align::Right => write!(f, "| {text:>width$} ")?,
        }
    }
    writeln!(f, "|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_like_the_client() {
        let cell = |text: &str| Cell::of(Value::Bytes(text.into()));
        let table = Table {
            head: vec!["id".into(), "name".into()],
            aligns: vec![Align::Right, Align::Left],
            rows: vec![vec![cell("7"), cell("Björn")], vec![cell("123"), Cell::of(Value::NULL)]],
        };
        let expect = "\
+-----+-------+
| id  | name  |
+-----+-------+
|   7 | Björn |
| 123 | NULL  |
+-----+-------+
";
        assert_eq!(table.to_string(), expect);
    }

    #[test]
    fn shows_bytes() {
        assert_eq!(Cell::of(Value::Bytes(vec![0xff, 0x01])).0, "0xFF01");
        assert_eq!(Cell::of(Value::Bytes(b"a\nb".to_vec())).0, "a b");
    }
}
