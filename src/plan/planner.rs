//! From a statement's shape and the rules to a plan.

use std::sync::Arc;

use super::facts::{ColumnClass, Facts, Stop};
use super::model::Analysis;
use super::names::Reader;
use super::types::{Place, Plan, Refusal};
use super::units::Group;
use super::{ddl, insert, load, select, write};
use crate::catalog::{Catalog, ShardId, TableKind};
use crate::error::{Error, ErrorKind};
use crate::sql::query::TableName;
use crate::sql::walk::{self, Node};
use crate::sql::{Mode, Statement, StatementKind};

/// What planning may look at.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    pub catalog: &'c Catalog,
    pub facts: &'c Facts,
    /// The current schema, as by `USE`.
    pub schema: Option<&'c str>,
    /// How the text is read.
    pub mode: Mode,
    /// Tables that Margay makes on the connections that run the statement.
    pub temporaries: &'c [Temporary],
    /// A query may name the databases of its tables, and run in whichever schema a connection is.
    pub anywhere: bool,
}

/// A temporary table that is there wherever the statement runs.
#[derive(Debug, Clone)]
pub struct Temporary {
    /// It begins with [`TEMPORARY_PREFIX`], and stands without a schema.
    pub name: String,
    /// None: not known yet.
    pub columns: Option<Vec<TemporaryColumn>>,
}

/// A column of a temporary table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryColumn {
    pub name: String,
    /// None: it is an expression of any type.
    pub class: Option<ColumnClass>,
    /// As in [`super::combine::TempColumn`].
    pub declared: Option<Arc<str>>,
}

/// How the names of Margay's own temporary tables begin.
pub const TEMPORARY_PREFIX: &str = "_margay_";

/// Plans a query, INSERT, UPDATE, DELETE or DDL statement. `text` is what the statement was parsed from.
///
/// # Errors
/// [`Stop::Need`] with the tables whose columns must be known; otherwise an error for the client.
/// Statements of other kinds are the session's, and refused.
pub fn plan(statement: &Statement, text: &[u8], context: &Context<'_>) -> Result<Plan, Stop> {
    Ok(match &statement.kind {
        StatementKind::Query(query) => {
            Plan::Select(Box::new(select::plan(query, statement, text, context)?))
        }
        StatementKind::Insert(insert) => insert::plan(insert, statement, text, context)?,
        StatementKind::Update(update) => write::update(update, statement, text, context)?,
        StatementKind::Delete(delete) => write::delete(delete, statement, text, context)?,
        StatementKind::Load(load) => {
            Plan::Load(Box::new(load::plan(load, statement, text, context)?))
        }
        StatementKind::Ddl(ddl) => Plan::Ddl(ddl::plan(ddl, statement, text, context)?),
        StatementKind::Other(words) => {
            let message = format!(
                "{words} is not supported; name a shard with the hint /*margay: shard=... */"
            );
            return Err(Error::unsupported(message).into());
        }
        StatementKind::Transaction(_)
        | StatementKind::Set(_)
        | StatementKind::SetNames { .. }
        | StatementKind::SetTransaction { .. }
        | StatementKind::Use(_)
        | StatementKind::Show(_)
        | StatementKind::Describe { .. }
        | StatementKind::Explain(_)
        | StatementKind::Prepare { .. }
        | StatementKind::Execute(_)
        | StatementKind::Deallocate(_)
        | StatementKind::Call(_)
        | StatementKind::LockTables(_)
        | StatementKind::Handler(_)
        | StatementKind::Do { .. }
        | StatementKind::Kill { .. }
        | StatementKind::Empty => {
            return Err(Error::internal("a statement without a plan was planned").into());
        }
    })
}

/// The shard of the hint `shard=`.
pub(super) fn forced(
    statement: &Statement,
    context: &Context<'_>,
) -> Result<Option<ShardId>, Error> {
    let Some(name) = &statement.hints.shard else { return Ok(None) };
    match context.catalog.shard_named(name) {
        Some(shard) => Ok(Some(shard)),
        None => {
            let mut names: Vec<&str> =
                context.catalog.shards.iter().map(|shard| shard.name.as_str()).collect();
            names.truncate(8);
            let message = format!(
                "the hint names the unknown shard `{name}`; shards are {}",
                names.join(", ")
            );
            Err(Error::new(ErrorKind::Unsupported, message))
        }
    }
}

/// Whether any table named in the statement is of this kind. Names of CTEs count too, which only costs
/// some knowledge that is not needed.
pub(super) fn names_table(
    statement: &Statement,
    context: &Context<'_>,
    wanted: fn(&TableKind) -> bool,
) -> bool {
    let mut found = false;
    walk::statement(statement, &mut |node| {
        if let Node::Table(name) = node {
            found |= kind_of(name, context).is_some_and(|kind| wanted(&kind));
        }
    });
    found
}

fn kind_of(name: &TableName, context: &Context<'_>) -> Option<TableKind> {
    let schema = name.schema.as_ref().map(|schema| schema.value.as_str()).or(context.schema)?;
    Some(context.catalog.schema(schema)?.table(&name.name.value).kind.clone())
}

/// A reader that looks up columns if a sharded table is named.
pub(super) fn reader<'c, 'a>(
    statement: &Statement,
    text: &'a [u8],
    context: &'c Context<'c>,
) -> Reader<'c, 'a> {
    let sharded = |kind: &TableKind| matches!(kind, TableKind::Sharded(_));
    Reader::new(context, text, names_table(statement, context, sharded))
}

/// Where the tables of a statement are.
pub(super) fn place(
    found: &Analysis<'_>,
    groups: &[Group],
    context: &Context<'_>,
) -> Result<Place, Stop> {
    let mut place = Place::default();
    for group in groups {
        place.units.push(found.unit(group).ok_or_else(|| lacks_key(found, group))?);
    }
    for used in &found.uses {
        let list = match &used.table.kind {
            TableKind::Single { .. } => &mut place.singles,
            TableKind::Broadcast { .. } => &mut place.broadcasts,
            TableKind::Sharded(_) => continue,
        };
        if !list.contains(&used.table) {
            list.push(Arc::clone(&used.table));
        }
    }
    place.default = context
        .schema
        .and_then(|schema| context.catalog.schema(schema))
        .or_else(|| context.catalog.schemas.values().next())
        .map(|schema| schema.default_shard);
    Ok(place)
}

/// The rules name a key that the table does not have.
fn lacks_key(found: &Analysis<'_>, group: &Group) -> Error {
    let table = group.roots.first().and_then(|root| found.uses.get(*root)).map(|used| &used.table);
    let (name, key) = match table {
        Some(table) => {
            let sharded = table.sharded();
            let parts = sharded.and_then(|sharded| Some(sharded.parts.as_ref()?.key.as_str()));
            let key = sharded.map_or("", |sharded| sharded.key.as_str());
            (table.name.as_str(), parts.map_or(key.to_owned(), |part| format!("{key}` or `{part}")))
        }
        None => ("", String::new()),
    };
    let message = format!("table `{name}` has no column `{key}`, the key that its rule names");
    Error::new(ErrorKind::Config, message)
}

/// The way out of a refusal, as far as one table is its reason.
pub(super) fn refusal(what: &str, place: &Place) -> Refusal {
    let message = match place.units.first() {
        Some(unit) => {
            let table = &unit.table;
            let sharded = table.sharded();
            let key = sharded.map_or("", |sharded| sharded.key.as_str());
            let keys = match sharded.and_then(|sharded| sharded.parts.as_ref()) {
                Some(parts) if parts.key != key => format!("keys `{key}` and `{}`", parts.key),
                Some(_) | None => format!("key `{key}`"),
            };
            format!(
                "{what} is not supported over several shards; add a condition on the sharding {keys} \
                 of `{}`, or run it per shard with the hint /*margay: shard=... */",
                table.name
            )
        }
        None => format!("{what} is not supported over several shards"),
    };
    Refusal { message }
}
