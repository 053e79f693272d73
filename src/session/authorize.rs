//! Whether a user may run a statement: grants are by schema, read and write.

use super::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::statement::{Ddl, DdlKind, Show, Statement, StatementKind};
use crate::sql::walk::{self, Node};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
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
            | StatementKind::Call(_)
            | StatementKind::Load(_)
            | StatementKind::Other(_) => Right::Write,
            // It runs what it explains.
            StatementKind::Explain(explain) if explain.analyze => Right::Write,
            _ => Right::Read,
        };
        let mut schemas: Vec<&str> = Vec::new();
        match &statement.kind {
            // A view only reads what its query names.
            StatementKind::Ddl(Ddl { view: Some(_), query: Some(query), tables, .. })
                if statement.hints.shard.is_none() =>
            {
                let mut read = Vec::new();
                walk::query(query, &mut |node| self.schemas_of(node, &mut read));
                read.into_iter()
                    .try_for_each(|schema| self.authorize_schema(schema, Right::Read))?;
                tables.iter().for_each(|name| self.schemas_of(Node::Table(name), &mut schemas));
            }
            _ => walk::statement(statement, &mut |node| self.schemas_of(node, &mut schemas)),
        }
        if let StatementKind::Show(Show { schema: Some((schema, _)), .. }) = &statement.kind {
            schemas.push(&schema.value);
        }
        if let (StatementKind::Other(_), Some(schema)) = (&statement.kind, &self.schema) {
            schemas.push(schema);
        }
        if let StatementKind::Call(called) = &statement.kind {
            let named = called.procedure.schema.as_ref().map(|schema| schema.value.as_str());
            schemas.extend(named.or(self.schema.as_deref()));
        }
        if let Some(shard) = &statement.hints.shard {
            schemas.extend(self.authorize_hint(shard, &schemas)?);
            if let StatementKind::Ddl(ddl) = &statement.kind
                && matches!(
                    ddl.kind,
                    DdlKind::Other | DdlKind::CreateDatabase | DdlKind::DropDatabase
                )
            {
                self.authorize_unknown("this kind of DDL")?;
            }
        }
        schemas.sort_unstable();
        schemas.dedup();
        schemas.into_iter().try_for_each(|schema| self.authorize_schema(schema, wanted))
    }

    /// Schemas that a node of a statement names.
    fn schemas_of<'s>(&'s self, node: Node<'s>, schemas: &mut Vec<&'s str>) {
        match node {
            Node::Table(table) => {
                let named = table.schema.as_ref().map(|schema| schema.value.as_str());
                schemas.extend(named.or(self.schema.as_deref()));
            }
            // A stored function of a schema.
            Node::Expr(Expr { kind: ExprKind::Function(function), .. }) => {
                schemas.extend(function.name.split_once('.').map(|(schema, _)| schema));
            }
            Node::Expr(_) | Node::UnnamedItem(_) | Node::Query(_) => {}
        }
    }

    /// A hint runs the text as it is: names of other databases on the server would reach past the
    /// grants. Gives the schema that the shard belongs to.
    fn authorize_hint<'a>(&'a self, shard: &str, named: &[&str]) -> Result<Option<&'a str>> {
        let known = |name: &&&str| self.snapshot.catalog.schema(name).is_some();
        if let Some(other) = named.iter().find(|name| !known(name)) {
            self.authorize_unknown(&format!("shard hint with database '{other}'"))?;
        }
        let shard = self.snapshot.catalog.shard_named(shard);
        Ok(shard
            .and_then(|shard| self.snapshot.schema_of(shard))
            .map(|schema| schema.name.as_str()))
    }

    pub(super) fn authorize_schema(&self, schema: &str, wanted: Right) -> Result<()> {
        if self.snapshot.catalog.schema(schema).is_none() {
            return self.authorize_system(schema);
        }
        let grant = self
            .snapshot
            .config
            .users
            .get(&self.identity.user)
            .and_then(|user| user.grants.get(schema));
        let account = || self.identity.quoted_account();
        match grant {
            None => Err(Error::new(
                ErrorKind::DatabaseAccessDenied,
                format!("Access denied for user {} to database '{schema}'", account()),
            )),
            Some(grant) if wanted == Right::Write && !grant.write => Err(Error::new(
                ErrorKind::CommandDenied,
                format!(
                    "command denied to user {}: schema '{schema}' is granted for reading only; \
                     add `write` to its grants in the rules",
                    account()
                ),
            )),
            Some(grant) if wanted == Right::Read && !grant.read => Err(Error::new(
                ErrorKind::CommandDenied,
                format!("SELECT command denied to user {} in schema '{schema}'", account()),
            )),
            Some(_) => Ok(()),
        }
    }

    /// Backends know one user, Margay's own, who may read everything: their system schemas are closed.
    /// What a client may see of information_schema, the planner decides. Of a schema that does not exist
    /// the planner says so.
    fn authorize_system(&self, schema: &str) -> Result<()> {
        let closed = ["mysql", "performance_schema", "sys"];
        if !closed.iter().any(|name| schema.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::DatabaseAccessDenied,
            format!(
                "Access denied for user {} to database '{schema}'",
                self.identity.quoted_account()
            ),
        ))
    }

    /// Statements that Margay does not look into run with the rights of its own user on a backend, so
    /// they take an administrator.
    pub(super) fn authorize_unknown(&self, words: &str) -> Result<()> {
        let user = self.snapshot.config.users.get(&self.identity.user);
        if user.is_some_and(|user| user.admin) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::CommandDenied,
            format!(
                "{words} command denied to user {}: it takes a user with `admin: true` in the rules",
                self.identity.quoted_account()
            ),
        ))
    }

    pub(super) fn may_use(&self, schema: &str) -> bool {
        let user = self.snapshot.config.users.get(&self.identity.user);
        user.is_some_and(|user| user.grants.contains_key(schema))
    }
}
