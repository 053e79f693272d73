//! A template's text at a target.

use super::facts::TableId;
use super::template::{Part, Piece, Target, Template};
use crate::catalog::{Catalog, PartsKind, Table, TableKind};
use crate::error::{Error, Result};
use crate::sql::quote;

impl Template {
    /// The text, and the client's parameters in the order of its `?`.
    ///
    /// # Errors
    /// A table that has no copy beside the target; the resolver has refused that before.
    pub fn render(&self, target: &Target, catalog: &Catalog) -> Result<(Vec<u8>, Vec<u16>)> {
        let mut text = Vec::new();
        let mut params = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(bytes) => text.extend_from_slice(bytes),
                Piece::Table(table) => put_table(&mut text, table, target, catalog)?,
                Piece::Param(index) => {
                    text.push(b'?');
                    params.push(*index);
                }
            }
        }
        if let Some(count) = self.untouched {
            params.extend(0..count);
        }
        Ok((text, params))
    }
}

fn put_table(out: &mut Vec<u8>, table: &Table, target: &Target, catalog: &Catalog) -> Result<()> {
    let home = catalog.shard(target.shard).ok_or_else(|| Error::internal("an unknown shard"))?;
    if !matches!(table.kind, TableKind::Sharded(_)) {
        let copy = table
            .shards()
            .iter()
            .filter_map(|shard| catalog.shard(*shard))
            .find(|shard| shard.cluster == home.cluster)
            .ok_or_else(|| {
                Error::unsupported(format!(
                    "table `{}` has no copy on the cluster of {}",
                    table.name, home.name
                ))
            })?;
        if copy.database != home.database {
            out.extend_from_slice(&quote::identifier(copy.database.as_bytes()));
            out.push(b'.');
        }
    }
    out.extend_from_slice(&quote::identifier(physical_name(table, target).as_bytes()));
    Ok(())
}

/// The name of the physical table at a target.
pub fn physical_name<'a>(table: &'a Table, target: &'a Target) -> &'a str {
    let parts = table.sharded().and_then(|sharded| sharded.parts.as_ref());
    let (Some(parts), Some(part)) = (parts, &target.part) else { return table.first_name() };
    part_name(table, &parts.kind, part).unwrap_or_else(|| table.first_name())
}

fn part_name<'a>(table: &Table, kind: &'a PartsKind, part: &'a Part) -> Option<&'a str> {
    match (part, kind) {
        (Part::Fixed(index), PartsKind::Fixed { names, .. }) => {
            names.get(*index).map(String::as_str)
        }
        (Part::Period(name), PartsKind::Time(_)) => Some(name),
        (Part::Each(list), kind) => {
            let id = TableId { schema: table.schema.clone(), table: table.name.clone() };
            let (_, part) = list.iter().find(|(table, _)| *table == id)?;
            part_name(table, kind, part)
        }
        (Part::Fixed(_), PartsKind::Time(_)) | (Part::Period(_), PartsKind::Fixed { .. }) => None,
    }
}
