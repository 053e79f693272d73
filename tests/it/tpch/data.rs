//! The rows of TPC-H, as INSERT statements.

use std::fmt::{Display, Write as _};

use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

/// Rows of one INSERT: about 150 KB.
const BATCH_ROWS: usize = 1000;

/// A table: its name; for each column whether its values are numbers (`n`) or strings (`s`); and into
/// how many pieces its rows are cut, so that several connections load it.
const TABLES: [(Table, &str, &str, i32); 8] = [
    (Table::Region, "region", "nss", 1),
    (Table::Nation, "nation", "nsns", 1),
    (Table::Supplier, "supplier", "nssnsns", 1),
    (Table::Customer, "customer", "nssnsnss", 2),
    (Table::Part, "part", "nssssnsns", 2),
    (Table::PartSupp, "partsupp", "nnnns", 4),
    (Table::Orders, "orders", "nnsnsssns", 6),
    (Table::LineItem, "lineitem", "nnnnnnnnssssssss", 16),
];

#[derive(Debug, Clone, Copy)]
enum Table {
    Region,
    Nation,
    Supplier,
    Customer,
    Part,
    PartSupp,
    Orders,
    LineItem,
}

/// Some of the rows of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    table: Table,
    name: &'static str,
    kinds: &'static str,
    /// From 1 to `parts`.
    part: i32,
    parts: i32,
}

pub(super) fn table_names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(_, name, ..)| *name)
}

/// All rows of all tables, the longest table first.
pub(super) fn pieces() -> Vec<Piece> {
    let pieces = TABLES.iter().rev().flat_map(|&(table, name, kinds, parts)| {
        (1..=parts).map(move |part| Piece { table, name, kinds, part, parts })
    });
    pieces.collect()
}

impl Piece {
    /// Hands the INSERT statements of the piece to `run`, one after another.
    pub(super) fn inserts(&self, scale: f64, run: impl FnMut(&str)) {
        let &Self { table, part, parts, .. } = self;
        match table {
            Table::Region => self.batches(RegionGenerator::new(scale, part, parts).iter(), run),
            Table::Nation => self.batches(NationGenerator::new(scale, part, parts).iter(), run),
            Table::Supplier => self.batches(SupplierGenerator::new(scale, part, parts).iter(), run),
            Table::Customer => self.batches(CustomerGenerator::new(scale, part, parts).iter(), run),
            Table::Part => self.batches(PartGenerator::new(scale, part, parts).iter(), run),
            Table::PartSupp => self.batches(PartSuppGenerator::new(scale, part, parts).iter(), run),
            Table::Orders => self.batches(OrderGenerator::new(scale, part, parts).iter(), run),
            Table::LineItem => self.batches(LineItemGenerator::new(scale, part, parts).iter(), run),
        }
    }

    /// A row displays itself as values, each with a `|` behind it.
    fn batches(&self, rows: impl Iterator<Item = impl Display>, mut run: impl FnMut(&str)) {
        let mut rows = rows.peekable();
        let mut line = String::new();
        while rows.peek().is_some() {
            let mut sql = format!("INSERT INTO {} VALUES ", self.name);
            for (index, row) in rows.by_ref().take(BATCH_ROWS).enumerate() {
                line.clear();
                // Writing to a string cannot fail.
                let _ = write!(line, "{row}");
                sql.push_str(if index == 0 { "(" } else { ",(" });
                push_values(&mut sql, &line, self.kinds);
                sql.push(')');
            }
            run(&sql);
        }
    }
}

fn push_values(sql: &mut String, line: &str, kinds: &str) {
    let values = line.strip_suffix('|').unwrap_or(line).split('|');
    let mut count = 0;
    for (value, kind) in values.zip(kinds.chars()) {
        if count > 0 {
            sql.push(',');
        }
        count += 1;
        if kind == 'n' {
            sql.push_str(value);
        } else {
            let _ = write!(sql, "'{}'", value.replace('\\', "\\\\").replace('\'', "''"));
        }
    }
    assert_eq!(count, kinds.len(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::push_values;

    fn check(line: &str, kinds: &str, expect: &str) {
        let mut sql = String::new();
        push_values(&mut sql, line, kinds);
        assert_eq!(sql, expect);
    }

    #[test]
    fn values_are_quoted_by_kind() {
        check("1|-2.50|it's|7|", "nnss", "1,-2.50,'it''s','7'");
        check("1|", "n", "1");
        check("1||", "ns", "1,''");
    }
}
