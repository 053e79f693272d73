//! SHOW CREATE of databases and of what lies in a schema beside tables.

use super::Session;
use super::local::{cell, text_row};
use super::tables::{no_database, unknown_schema};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Reply;
use crate::execute::reply::Rows;
use crate::plan::template::Target;
use crate::sql::quote;
use crate::sql::splice::Splices;
use crate::sql::statement::{Created, Show};

/// ER_TRG_DOES_NOT_EXIST
const NO_TRIGGER: u16 = 1360;

impl Session {
    /// Asks the schema's default shard; for triggers, whose tables may lie elsewhere, the others too.
    pub(super) async fn show_created(
        &mut self,
        text: &[u8],
        show: &Show,
        created: Created,
    ) -> Result<Reply> {
        let Some(name) = &show.table else { return Err(Error::internal("SHOW CREATE of nothing")) };
        let schema = name.schema.as_ref().map(|schema| schema.value.clone());
        let schema = schema.or_else(|| self.schema.clone()).ok_or_else(no_database)?;
        let snapshot = self.snapshot.clone();
        let schema = snapshot.catalog.schema(&schema).ok_or_else(|| unknown_schema(&schema))?;
        if created == Created::View {
            let views = snapshot.load_views(&schema.name).await?;
            if let Some(view) = views.get(&name.name.value) {
                return self.show_create_view(view).await;
            }
        }
        let mut splices = Splices::new();
        splices.replace(name.span, quote::identifier(name.name.value.as_bytes()));
        let text = splices.apply(text)?;
        let mut shards = vec![schema.default_shard];
        if created == Created::Trigger {
            let firsts = schema.tables.values().filter_map(|table| table.shards().first());
            shards.extend(firsts.filter(|shard| **shard != schema.default_shard));
            shards.get_mut(1..).unwrap_or_default().sort_unstable();
            shards.dedup();
        }
        let mut missing = Error::internal("a schema without shards");
        for shard in shards {
            let target = Target { shard, part: None };
            match self.run_at(&text, &target).await {
                Ok(reply) => return self.rename_cells(reply, &target).await,
                Err(error) if is_missing(&error) => missing = error,
                Err(error) => return Err(error),
            }
        }
        Err(missing)
    }

    /// The definition of the default shard's database, under the schema's name.
    pub(super) async fn show_create_database(&mut self, text: &[u8], show: &Show) -> Result<Reply> {
        let Some((name, span)) = &show.schema else {
            return Err(Error::internal("SHOW CREATE DATABASE of nothing"));
        };
        if super::system_schema(&name.value).is_some() {
            return self.run_at_home(text).await;
        }
        let snapshot = self.snapshot.clone();
        let schema = snapshot.catalog.schema(&name.value);
        let schema = schema.ok_or_else(|| unknown_schema(&name.value))?;
        let shard = snapshot.catalog.shard(schema.default_shard);
        let shard = shard.ok_or_else(|| Error::internal("a schema without shards"))?;
        let mut splices = Splices::new();
        splices.replace(*span, quote::identifier(shard.database.as_bytes()));
        let target = Target { shard: schema.default_shard, part: None };
        let reply = self.run_at(&splices.apply(text)?, &target).await?;
        let Reply::Rows(mut rows) = reply else { return Ok(reply) };
        let mut definition = Vec::new();
        let outcome = loop {
            match rows.next().await {
                Ok(Some(row)) => definition = last_cell(&row),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let columns = std::mem::take(&mut rows.columns).into_vec();
        self.finish(&mut rows, 1, outcome.as_ref().err());
        outcome?;
        let definition = String::from_utf8_lossy(&definition).replacen(
            &format!("`{}`", shard.database),
            &format!("`{}`", schema.name),
            1,
        );
        let row = text_row(&[cell(schema.name.clone()), cell(definition)]);
        Ok(Reply::Rows(Rows::local(columns, [row])))
    }

    /// SHOW and DESCRIBE of information_schema itself, which is the same on every server. `at` is where
    /// its name goes if the statement does not name it.
    pub(super) async fn show_system(&mut self, text: &[u8], at: Option<u32>) -> Result<Reply> {
        let mut splices = Splices::new();
        if let Some(at) = at {
            splices.insert(at, b"information_schema.".as_slice());
        }
        self.run_at_home(&splices.apply(text)?).await
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server(server) if server.code == NO_TRIGGER)
}

fn last_cell(row: &[u8]) -> Vec<u8> {
    let cells = crate::protocol::row::TextValues::new(row);
    cells.flatten().last().flatten().unwrap_or_default().to_vec()
}
