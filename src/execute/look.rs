//! Looking at what is on the shards: for SHOW.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::names::Names;
use super::snapshot::Snapshot;
use crate::catalog::ShardId;
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
