//! Whether a user may run a statement: grants are by schema, read and write.

use super::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::statement::{Statement, StatementKind};
use crate::sql::walk::{self, Node};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Read,
    Write,
}

impl Session {
    /// Refuses a statement that names a schema which the user may not read or write.
    ///
    /// # Errors
    /// 1044 for a schema without any grant, 1142 for a write without the grant.
    pub(super) fn authorize(&self, statement: &Statement) -> Result<()> {
        let wanted = match &statement.kind {
            StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Ddl(_)
            | StatementKind::Other(_) => Right::Write,
            _ => Right::Read,
        };
        let mut schemas: Vec<&str> = Vec::new();
        walk::statement(statement, &mut |node| {
            if let Node::Table(table) = node {
                let named = table.schema.as_ref().map(|schema| schema.value.as_str());
                schemas.extend(named.or(self.schema.as_deref()));
            }
        });
        if let (StatementKind::Other(_), Some(schema)) = (&statement.kind, &self.schema) {
            schemas.push(schema);
        }
        schemas.sort_unstable();
        schemas.dedup();
        schemas.into_iter().try_for_each(|schema| self.authorize_schema(schema, wanted))
    }

    fn authorize_schema(&self, schema: &str, wanted: Right) -> Result<()> {
        if self.snapshot.catalog.schema(schema).is_none() {
            // The planner says 1049.
            return Ok(());
        }
        let grant = self
            .snapshot
            .config
            .users
            .get(&self.identity.user)
            .and_then(|user| user.grants.get(schema));
        let account = self.identity.quoted_account();
        match grant {
            None => Err(Error::new(
                ErrorKind::DatabaseAccessDenied,
                format!("Access denied for user {account} to database '{schema}'"),
            )),
            Some(grant) if wanted == Right::Write && !grant.write => Err(Error::new(
                ErrorKind::CommandDenied,
                format!(
                    "command denied to user {account}: schema '{schema}' is granted for reading only; \
                     add `write` to its grants in the rules"
                ),
            )),
            Some(grant) if wanted == Right::Read && !grant.read => Err(Error::new(
                ErrorKind::CommandDenied,
                format!("SELECT command denied to user {account} in schema '{schema}'"),
            )),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn may_use(&self, schema: &str) -> bool {
        let user = self.snapshot.config.users.get(&self.identity.user);
        user.is_some_and(|user| user.grants.contains_key(schema))
    }
}
