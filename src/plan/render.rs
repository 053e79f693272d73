//! From templates to the text that one target gets.

use std::slice;

use super::facts::{Stop, TableId};
use super::key::{Missing, Run};
use super::resolve::copy_on;
use super::template::{Part, Piece, Target, Template};
use super::types::{Insert, Operand};
use crate::catalog::{PartsKind, ShardId, Table, TableKind};
use crate::error::{Error, Result};
use crate::sql::expr::{Literal, TemporalKind};

/// A statement for one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    pub text: Vec<u8>,
    /// Which of the client's parameters its `?` are, in order. One may occur twice, or not at all.
    pub params: Vec<u16>,
    /// It means the same in each schema of a server.
    pub anywhere: bool,
}

/// The text of a template at a target.
///
/// # Errors
/// `Internal` if the template and the target are not of one plan.
pub fn render(template: &Template, target: &Target, run: &Run<'_>) -> Result<Rendered> {
    let mut rendered = Rendered { anywhere: template.anywhere, ..Rendered::default() };
    append(&mut rendered, template, target, run)?;
    Ok(rendered)
}

/// The INSERT of some rows at a target.
pub fn render_insert(
    insert: &Insert,
    target: &Target,
    rows: &[usize],
    run: &Run<'_>,
) -> Result<Rendered, Stop> {
    let mut rendered = Rendered::default();
    append(&mut rendered, &insert.head, target, run)?;
    for (position, index) in rows.iter().enumerate() {
        let Some(row) = insert.rows.get(*index) else {
            return Err(Error::internal("an INSERT row that there is not").into());
        };
        if position > 0 {
            rendered.text.extend_from_slice(b", ");
        }
        let computed: Vec<&Vec<u8>> = [&row.key, &row.part_key, &row.id]
            .into_iter()
            .filter_map(|operand| match operand {
                Some(Operand::Computed(text)) => Some(text),
                Some(Operand::Literal(_) | Operand::Param(_) | Operand::Constant(_)) | None => None,
            })
            .collect();
        for piece in row.template.pieces.iter().flat_map(given) {
            match piece {
                Piece::Text(text) if computed.contains(&text) => {
                    let mut missing = Missing::default();
                    let operand = Operand::Computed(text.clone());
                    let value = run.value(&operand, &mut missing)?.map(literal_text);
                    missing.check()?;
                    rendered.text.extend_from_slice(value.unwrap_or_default().as_bytes());
                }
                piece @ (Piece::Text(_) | Piece::Table(_) | Piece::Param(_) | Piece::Id(_)) => {
                    push(&mut rendered, piece, target, run)?;
                }
            }
        }
    }
    append(&mut rendered, &insert.tail, target, run)?;
    Ok(rendered)
}

/// What stands in a place: what the row brings for a generated id, if it brings something.
fn given(piece: &Piece) -> &[Piece] {
    match piece {
        Piece::Id(given) if !given.is_empty() => given,
        Piece::Text(_) | Piece::Table(_) | Piece::Param(_) | Piece::Id(_) => slice::from_ref(piece),
    }
}

fn append(
    rendered: &mut Rendered,
    template: &Template,
    target: &Target,
    run: &Run<'_>,
) -> Result<()> {
    if let Some(params) = template.untouched {
        rendered.params.extend(0..params);
        if let Some(hidden) = run.hidden {
            rendered.text.extend_from_slice(hidden.text());
            return Ok(());
        }
    }
    template.pieces.iter().try_for_each(|piece| push(rendered, piece, target, run))
}

fn push(rendered: &mut Rendered, piece: &Piece, target: &Target, run: &Run<'_>) -> Result<()> {
    match piece {
        Piece::Text(text) => rendered.text.extend_from_slice(text),
        Piece::Param(index) => match run.hidden.and_then(|hidden| hidden.slot(*index)) {
            Some(literal) => rendered.text.extend_from_slice(literal),
            None => {
                rendered.text.push(b'?');
                rendered.params.push(*index);
            }
        },
        // Not numbered: any value of its kind will do.
        Piece::Id(given) if given.is_empty() => rendered.text.extend_from_slice(b"DEFAULT"),
        Piece::Id(given) => {
            given.iter().try_for_each(|piece| push(rendered, piece, target, run))?;
        }
        Piece::Table(table) => {
            let (shard, name) = physical(table, target, run)?;
            if (shard != target.shard || rendered.anywhere)
                && let Some(shard) = run.catalog.shard(shard)
            {
                put_quoted(&mut rendered.text, &shard.database);
                rendered.text.push(b'.');
            }
            put_quoted(&mut rendered.text, name);
        }
    }
    Ok(())
}

/// The physical table that a statement at the target reads or writes, and the shard in whose database it is.
fn physical<'a>(table: &'a Table, target: &'a Target, run: &Run<'_>) -> Result<(ShardId, &'a str)> {
    match &table.kind {
        TableKind::Single { shard } => Ok((*shard, &table.name)),
        TableKind::Broadcast { .. } => {
            Ok((copy_on(table, target.shard, run).unwrap_or(target.shard), &table.name))
        }
        TableKind::Sharded(_) => match physical_name(table, target) {
            Some(name) => Ok((target.shard, name)),
            None => Err(Error::internal(format!("no physical table of `{}`", table.name))),
        },
    }
}

/// Adds an identifier in backticks.
fn put_quoted(text: &mut Vec<u8>, name: &str) {
    text.push(b'`');
    for (index, part) in name.split('`').enumerate() {
        text.extend_from_slice(if index == 0 { b"" } else { b"``" });
        text.extend_from_slice(part.as_bytes());
    }
    text.push(b'`');
}

/// The physical table that stands for a logical one at a target. None: the target has none.
pub fn physical_name<'a>(table: &'a Table, target: &'a Target) -> Option<&'a str> {
    let Some(parts) = table.sharded().and_then(|sharded| sharded.parts.as_ref()) else {
        return Some(&table.name);
    };
    let part = match &target.part {
        Some(Part::Each(parts)) => {
            let id = TableId { schema: table.schema.clone(), table: table.name.clone() };
            parts.iter().find(|(other, _)| *other == id).map(|(_, part)| part)
        }
        other => other.as_ref(),
    };
    match (&parts.kind, part) {
        (PartsKind::Fixed { names, .. }, Some(Part::Fixed(index))) => {
            names.get(*index).map(String::as_str)
        }
        (PartsKind::Time(_), Some(Part::Period(name))) => Some(name),
        _ => None,
    }
}

/// A constant as SQL.
pub fn literal_text(literal: &Literal) -> String {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let introduced = |charset: &Option<String>, text: String| match charset {
        Some(charset) => format!("_{charset}{text}"),
        None => text,
    };
    match literal {
        Literal::Null => "NULL".to_owned(),
        Literal::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        Literal::Integer(text) | Literal::Decimal(text) | Literal::Float(text) => text.clone(),
        Literal::String { bytes, charset } => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(['\\', '\0']) => {
                introduced(charset, format!("'{}'", text.replace('\'', "''")))
            }
            Ok(_) | Err(_) => introduced(charset, format!("X'{}'", hex(bytes))),
        },
        Literal::Hex { bytes, charset } | Literal::Bit { bytes, charset } => {
            introduced(charset, format!("X'{}'", hex(bytes)))
        }
        Literal::Temporal { kind, text } => {
            let word = match kind {
                TemporalKind::Date => "DATE",
                TemporalKind::Time => "TIME",
                TemporalKind::Timestamp => "TIMESTAMP",
            };
            format!("{word} '{text}'")
        }
    }
}
