//! Looking at what is on the shards: for SHOW.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use futures_util::future::try_join_all;

use super::names::Names;
use super::snapshot::Snapshot;
use crate::catalog::{ShardId, Table};
use crate::error::Result;
use crate::plan::template::Target;
use crate::protocol::row::{TextValues, put_text_value};
use crate::sql::quote;

impl Snapshot {
    /// Tables and views in the shard's database, with their types as SHOW FULL TABLES names them.
    pub async fn tables_on(&self, shard: ShardId) -> Result<BTreeMap<String, String>> {
        let shard = self.shard(shard)?;
        let text = [
            b"SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                .as_slice(),
            &quote::text(shard.database.as_bytes()),
        ]
        .concat();
        let rows = self.ask(shard.cluster, &text).await?;
        let pairs = rows.into_iter().filter_map(|row| {
            let mut cells = row.into_iter().flatten();
            let mut next = || cells.next().map(|cell| String::from_utf8_lossy(&cell).into_owned());
            Some((next()?, next()?))
        });
        Ok(pairs.collect())
    }

    /// The next number of an AUTO_INCREMENT column: the greatest of those of the physical tables. None: there
    /// is none.
    pub async fn next_number(&self, table: &Table) -> Result<Option<u64>> {
        let shards = table.shards().iter();
        let numbers = try_join_all(shards.map(|shard| self.next_number_on(table, *shard))).await?;
        Ok(numbers.into_iter().flatten().max())
    }

    async fn next_number_on(&self, table: &Table, shard: ShardId) -> Result<Option<u64>> {
        let names = self.tables_on(shard).await?;
        let shard = self.shard(shard)?;
        let database = quote::identifier(shard.database.as_bytes());
        let mut next = None;
        for name in names.keys().filter(|name| table.owns(name)) {
            let name = quote::identifier(name.as_bytes());
            let text = [b"SHOW CREATE TABLE ".as_slice(), &database, b".", &name].concat();
            let rows = self.ask(shard.cluster, &text).await?;
            let shown = rows.into_iter().next().and_then(|row| row.into_iter().nth(1)).flatten();
            let shown = shown.unwrap_or_default();
            next = next.max(next_number(&shown).map(|(_, number)| number));
        }
        Ok(next)
    }

    /// A text row with logical names in place of the target's physical ones.
    ///
    /// # Errors
    /// The row is malformed.
    pub fn rename_row(&self, row: &Bytes, target: &Target) -> Result<Bytes> {
        let Some(names) = Names::new(self, target) else { return Ok(row.clone()) };
        let mut renamed = BytesMut::with_capacity(row.len());
        for value in TextValues::new(row) {
            match value?.map(std::str::from_utf8) {
                Some(Ok(text)) => {
                    let text = names.restore_cell(text);
                    put_text_value(&mut renamed, Some(text.as_bytes()));
                }
                Some(Err(_)) => return Ok(row.clone()),
                None => put_text_value(&mut renamed, None),
            }
        }
        Ok(renamed.freeze())
    }
}

/// The option of a definition as SHOW CREATE TABLE tells it: where its digits are, and the number.
fn next_number(definition: &[u8]) -> Option<(Range<usize>, u64)> {
    const OPTION: &[u8] = b" AUTO_INCREMENT=";
    let options = definition.get(options_of(definition)?..)?;
    let start = definition.len() - options.len() + position(options, OPTION)? + OPTION.len();
    let digits = definition.get(start..)?;
    let length = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let number = std::str::from_utf8(digits.get(..length)?).ok()?.parse().ok()?;
    Some((start..start + length, number))
}

/// The definition with this next number.
#[must_use]
pub fn with_next_number(definition: &[u8], number: u64) -> Vec<u8> {
    let number = number.to_string();
    if let Some((range, _)) = next_number(definition) {
        let head = definition.get(..range.start).unwrap_or_default();
        let tail = definition.get(range.end..).unwrap_or_default();
        return [head, number.as_bytes(), tail].concat();
    }
    let Some(options) = options_of(definition) else { return definition.to_vec() };
    let Some(engine) = definition.get(options..).filter(|rest| rest.starts_with(b"ENGINE=")) else {
        return definition.to_vec();
    };
    let length = engine.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let (head, tail) = definition.split_at_checked(options + length).unwrap_or_default();
    [head, b" AUTO_INCREMENT=", number.as_bytes(), tail].concat()
}

/// Where the options of a table begin.
fn options_of(definition: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\n) ";
    let at = definition.windows(END.len()).rposition(|window| window == END)?;
    Some(at + END.len())
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: &str, expect: &str) {
        let head = "CREATE TABLE `t` (\n  `a` int COMMENT ' AUTO_INCREMENT=3'\n) ";
        let changed = with_next_number(format!("{head}{options}").as_bytes(), 9);
        assert_eq!(String::from_utf8(changed).unwrap(), format!("{head}{expect}"));
    }

    #[test]
    fn next_numbers() {
        check("ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT", "ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT");
        check("ENGINE=InnoDB DEFAULT", "ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT");
        check("ENGINE=InnoDB", "ENGINE=InnoDB AUTO_INCREMENT=9");
        check("", "");
    }
}
