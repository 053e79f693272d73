//! Definitions that concern no table: schemas, which the rules make, and stored programs.

use super::Session;
use super::into::own_error;
use super::tables::{no_database, unknown_schema};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::warnings::{Warning, Warnings};
use crate::execute::{Reply, Summary};
use crate::plan::template::Target;
use crate::sql::statement::{Ddl, DdlKind};

impl Session {
    /// Answers CREATE and DROP DATABASE as far as nothing is to be done: IF NOT EXISTS of a schema that is
    /// there, IF EXISTS of one that is not. None: it asks for more.
    pub(super) fn database_ddl(&mut self, ddl: &Ddl) -> Result<Option<Reply>> {
        let Some(name) = &ddl.database else { return Ok(None) };
        let exists = self.snapshot.catalog.schema(name).is_some();
        let (code, message, affected_rows) = match ddl.kind {
            DdlKind::CreateDatabase if exists => {
                if !self.may_use(name) {
                    return Err(Error::new(
                        ErrorKind::DatabaseAccessDenied,
                        format!(
                            "Access denied for user {} to database '{name}'",
                            self.identity.quoted_account()
                        ),
                    ));
                }
                let affected = u64::from(!self.is_mariadb());
                (1007, format!("Can't create database '{name}'; database exists"), affected)
            }
            DdlKind::DropDatabase if !exists => {
                (1008, format!("Can't drop database '{name}'; database doesn't exist"), 0)
            }
            _ => return Ok(None),
        };
        if !ddl.conditional {
            return Err(own_error(code, b"HY000", &message));
        }
        let level = b"Note".to_vec();
        let note = Warning { level, code, message: message.into_bytes() };
        self.warnings.add(Warnings { count: 1, list: vec![note] });
        let warnings = self.warnings.wire_count();
        Ok(Some(Reply::Done(Summary { affected_rows, warnings, ..Summary::default() })))
    }

    /// Defines a procedure, function, trigger or event in the current schema, if that lies on one shard. None:
    /// it lies on several.
    pub(super) async fn program_ddl(&mut self, text: &[u8]) -> Result<Option<Reply>> {
        let name = self.schema.as_deref().ok_or_else(no_database)?;
        let schema = self.snapshot.catalog.schema(name).ok_or_else(|| unknown_schema(name))?;
        let shards = schema.shards();
        let [shard] = shards.as_slice() else { return Ok(None) };
        let target = Target { shard: *shard, part: None };
        // It may do whatever Margay's own user may on that server.
        self.authorize_unknown("this kind of DDL")?;
        self.run_unknown_at(text, &target).await.map(Some)
    }
}
