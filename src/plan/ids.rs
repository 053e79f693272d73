//! Generated ids of an INSERT: which column gets them, which rows want one, and how they get into the text.

use std::sync::Arc;

use super::facts::{Column, ColumnClass, Columns, Stop};
use super::key::{Missing, Run};
use super::model::same_name;
use super::splice::push;
use super::template::{Piece, Template};
use super::types::{Insert, InsertIds, InsertRow, Maker, Operand};
use crate::catalog::Table;
use crate::config::{Generator, IdRule};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::expr::Literal;

impl InsertIds {
    /// By the rule of the table.
    ///
    /// # Errors
    /// The column is not there, or cannot hold such ids.
    pub(super) fn of_rule(rule: &IdRule, table: &Table, columns: &Columns) -> Result<Self> {
        let config = |message: String| Error::new(ErrorKind::Config, message);
        let IdRule { column: name, generator } = rule;
        let found = columns.columns.iter().find(|column| same_name(&column.name, name));
        let column = found.ok_or_else(|| {
            config(format!("table `{}` has no column `{name}`, which its `id` names", table.name))
        })?;
        let (most, big) = range(column).ok_or_else(|| {
            config(format!(
                "the column `{name}` of `{}` is no integer, and cannot hold generated ids",
                table.name
            ))
        })?;
        let maker = match (generator, big) {
            (Generator::Auto | Generator::Snowflake, true) => Maker::Snowflake,
            (Generator::Segment, _) | (Generator::Auto, false) => Maker::Segment,
            (Generator::Snowflake, false) => {
                return Err(config(format!(
                    "the column `{name}` of `{}` is too small for ids by `snowflake`; make it BIGINT, or \
                     its generator `segment`",
                    table.name
                )));
            }
        };
        Ok(Self { column: column.name.clone(), maker: Some(maker), most, ..Self::default() })
    }

    /// Without a rule: rows must bring their values, which parameters alone can tell.
    pub(super) fn refused(column: &Column) -> Self {
        Self { column: column.name.clone(), ..Self::default() }
    }
}

/// The greatest number that a column can hold, and whether it has 64 bits.
fn range(column: &Column) -> Option<(u64, bool)> {
    let ColumnClass::Integer { unsigned } = column.class else { return None };
    let declared = column.declared.to_ascii_lowercase();
    let bits = match declared.split(['(', ' ']).next() {
        Some("tinyint") => 8,
        Some("smallint") => 16,
        Some("mediumint") => 24,
        Some("int" | "integer") => 32,
        // Ids of more than 63 bits are a burden for clients.
        _ => return Some((i64::MAX.unsigned_abs(), true)),
    };
    Some(((1 << (bits - u32::from(!unsigned))) - 1, false))
}

/// What the rows of one execution bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbering {
    /// The row wants an id, by row.
    pub wanted: Vec<bool>,
    /// The greatest id that a row brings with it.
    pub greatest: Option<u64>,
}

impl Numbering {
    pub fn count(&self) -> usize {
        self.wanted.iter().filter(|wanted| **wanted).count()
    }
}

/// Which rows want an id. `zero`: 0 is a value, by NO_AUTO_VALUE_ON_ZERO.
///
/// # Errors
/// [`Stop::Need`] for values of expressions; a row without a value where there is no rule.
pub fn numbering(
    insert: &Insert,
    ids: &InsertIds,
    zero: bool,
    run: &Run<'_>,
) -> Result<Numbering, Stop> {
    let mut missing = Missing::default();
    let mut numbering = Numbering { wanted: Vec::with_capacity(insert.rows.len()), greatest: None };
    for row in &insert.rows {
        let Some(operand) = &row.id else {
            numbering.wanted.push(true);
            continue;
        };
        let Some(value) = run.value(operand, &mut missing)? else { continue };
        let wanted = match is_zero(value) {
            _ if *value == Literal::Null => true,
            Some(is_zero) => is_zero && !zero,
            None if ids.maker.is_none() => false,
            None => {
                return Err(Error::unsupported(format!(
                    "the value {} of the column `{}` is no number, and it gets generated ids; give a \
                     number or NULL",
                    super::render::literal_text(value),
                    ids.column
                ))
                .into());
            }
        };
        numbering.wanted.push(wanted);
        if !wanted {
            numbering.greatest = numbering.greatest.max(whole(value));
        }
    }
    missing.check()?;
    if ids.maker.is_none() && numbering.count() > 0 {
        return Err(no_rule(&ids.column, &insert.table.name).into());
    }
    Ok(numbering)
}

/// AUTO_INCREMENT counts for itself on each shard, so its values would clash.
pub(super) fn no_rule(column: &str, table: &str) -> Error {
    Error::unsupported(format!(
        "the AUTO_INCREMENT column `{column}` of `{table}` needs a value: each shard counts for itself, \
         so generated values would clash; give one, or let Margay generate it by the rule \
         `id: {{column: {column}}}` of the table"
    ))
}

/// Whether an integer column stores 0 for a value. None: that is not certain.
pub(super) fn is_zero(value: &Literal) -> Option<bool> {
    match value {
        Literal::Null => Some(false),
        Literal::Bool(value) => Some(!value),
        Literal::Integer(text) | Literal::Decimal(text) | Literal::Float(text) => {
            Some(text.parse::<f64>().ok()?.abs() < 0.5)
        }
        Literal::String { bytes, .. } => {
            let text = std::str::from_utf8(bytes).ok()?.trim();
            Some(text.parse::<f64>().ok()?.abs() < 0.5)
        }
        Literal::Hex { bytes, .. } | Literal::Bit { bytes, .. } => {
            Some(bytes.iter().all(|byte| *byte == 0))
        }
        Literal::Temporal { .. } => None,
    }
}

fn whole(value: &Literal) -> Option<u64> {
    match value {
        Literal::Integer(text) => text.parse().ok(),
        Literal::String { bytes, .. } => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
        Literal::Null
        | Literal::Bool(_)
        | Literal::Decimal(_)
        | Literal::Float(_)
        | Literal::Hex { .. }
        | Literal::Bit { .. }
        | Literal::Temporal { .. } => None,
    }
}

/// The INSERT with ids in its rows; `numbers` by row. They are parameters from `first_param` on, one a
/// row, or without that part of the text, so that a prepared statement keeps its text.
pub fn fill(insert: &Insert, numbers: &[Option<u64>], first_param: Option<u16>) -> Insert {
    let piece = |index: usize, number: u64| match (first_param, u16::try_from(index)) {
        (Some(first), Ok(index)) => Piece::Param(first.saturating_add(index)),
        _ => Piece::Text(number.to_string().into_bytes()),
    };
    fill_with(insert, &|index| {
        let number = numbers.get(index).copied().flatten()?;
        Some((piece(index, number), Literal::Integer(number.to_string())))
    })
}

/// The INSERT with words in place of the ids, for reading.
pub(super) fn fill_words(insert: &Insert, wanted: &[bool]) -> Insert {
    fill_with(insert, &|index| {
        let word = || (Piece::Text(b"<id>".to_vec()), Literal::Null);
        wanted.get(index).copied().unwrap_or(false).then(word)
    })
}

fn fill_with(insert: &Insert, id: &dyn Fn(usize) -> Option<(Piece, Literal)>) -> Insert {
    let (is_key, is_part_key) =
        insert.ids.as_ref().map_or((false, false), |ids| (ids.is_key, ids.is_part_key));
    let rows = insert.rows.iter().enumerate().map(|(index, row)| {
        let id = id(index);
        let mut row = InsertRow {
            template: filled(&row.template, id.as_ref().map(|(piece, _)| piece)),
            ..row.clone()
        };
        if let Some((_, value)) = id {
            let operand = || Some(Operand::Literal(value.clone()));
            if is_key {
                row.key = operand();
            }
            if is_part_key {
                row.part_key = operand();
            }
        }
        row
    });
    Insert {
        table: Arc::clone(&insert.table),
        rows: rows.collect(),
        // INSERT ... SET has its one row there.
        head: filled(&insert.head, id(0).as_ref().map(|(piece, _)| piece)),
        ..insert.clone()
    }
}

fn filled(template: &Template, id: Option<&Piece>) -> Template {
    let mut pieces = Vec::with_capacity(template.pieces.len());
    for piece in &template.pieces {
        match (piece, id) {
            (Piece::Id(_), Some(id)) => push(&mut pieces, id.clone()),
            // Not joined with its neighbours: a computed key is found by its text.
            (Piece::Id(given), None) => pieces.extend(given.iter().cloned()),
            (piece @ (Piece::Text(_) | Piece::Table(_) | Piece::Param(_)), _) => {
                pieces.push(piece.clone());
            }
        }
    }
    Template { pieces, untouched: template.untouched, anywhere: template.anywhere }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let check = |declared: &str, unsigned: bool, expect: (u64, bool)| {
            let column = Column {
                name: "id".to_owned(),
                class: ColumnClass::Integer { unsigned },
                declared: declared.to_owned(),
                primary: true,
                nullable: false,
                auto_increment: true,
                invisible: false,
                generated: false,
            };
            assert_eq!(range(&column), Some(expect), "{declared}");
        };
        check("tinyint(4)", false, (127, false));
        check("tinyint unsigned", true, (255, false));
        check("smallint", false, (32_767, false));
        check("mediumint(8) unsigned", true, (16_777_215, false));
        check("int(11)", false, (2_147_483_647, false));
        check("int unsigned", true, (4_294_967_295, false));
        check("bigint(20)", false, (9_223_372_036_854_775_807, true));
        check("bigint unsigned", true, (9_223_372_036_854_775_807, true));
    }

    #[test]
    fn zeros() {
        let check = |value: Literal, expect: Option<bool>| assert_eq!(is_zero(&value), expect);
        let text = |text: &str| Literal::String { bytes: text.into(), charset: None };
        check(Literal::Integer("0".into()), Some(true));
        check(Literal::Integer("-0".into()), Some(true));
        check(Literal::Integer("12".into()), Some(false));
        check(Literal::Decimal("0.4".into()), Some(true));
        check(Literal::Decimal("0.5".into()), Some(false));
        check(text("0"), Some(true));
        check(text(" 7 "), Some(false));
        check(text("x"), None);
        check(Literal::Hex { bytes: vec![0, 1], charset: None }, Some(false));
    }
}
