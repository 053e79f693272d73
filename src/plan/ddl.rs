//! Plans of data definition: the same statement on every physical table of a logical one.

use std::sync::Arc;

use super::facts::Stop;
use super::fill;
use super::model::Analysis;
use super::names::{Env, Reader};
use super::planner::{Context, forced};
use super::splice::{Splice, untouched};
use super::template::Piece;
use super::types::{Ddl, DdlStep};
use crate::catalog::{Table, TableKind};
use crate::error::Error;
use crate::sql::Statement;
use crate::sql::query::TableName;
use crate::sql::span::Span;
use crate::sql::statement::{self, DdlKind};

pub(super) fn plan(
    ddl: &statement::Ddl,
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
) -> Result<Ddl, Stop> {
    if let Some(shard) = forced(statement, context)? {
        let template = untouched(text, statement.params);
        return Ok(Ddl { steps: Vec::new(), fill: None, forced: Some((shard, template)) });
    }
    let mut reader = Reader::new(context, text, false);
    let mut tables = Vec::new();
    for name in &ddl.tables {
        match reader.look_up(name)? {
            Some(table) => tables.push((name, table)),
            None => return Err(refuse("DDL on a system table is not supported")),
        }
    }
    if let Some(query) = &ddl.query {
        reader.query(query, Env::top())?;
    }
    let found = reader.finish()?;
    check(ddl, &tables, &found)?;
    if let (Some(query), Some((_, table))) = (&ddl.query, tables.first())
        && ddl.kind == DdlKind::CreateTable
        && !is_done_by_one(table, &found)
    {
        let fill = fill::plan((ddl, query), table, text, context)?;
        return Ok(Ddl { steps: Vec::new(), fill: Some(Box::new(fill)), forced: None });
    }
    let (creates, drops) = (ddl.kind == DdlKind::CreateTable, ddl.kind == DdlKind::DropTable);
    // DROP TABLE a, b and TRUNCATE take each table for itself; others go with the first.
    let each = ddl.kind == DdlKind::DropTable && tables.len() > 1;
    let mut steps = Vec::new();
    if each {
        for (name, table) in &tables {
            let template = dropping(ddl, text, name, &tables);
            steps.push(DdlStep { table: Arc::clone(table), template, creates, drops });
        }
    } else if let Some((_, table)) = tables.first() {
        let mut splice = Splice::base(text, &found, true);
        for (name, table) in &tables {
            splice.replace(name.span, vec![Piece::Table(Arc::clone(table))]);
        }
        let template = splice.whole(statement.params);
        steps.push(DdlStep { table: Arc::clone(table), template, creates, drops });
    }
    Ok(Ddl { steps, fill: None, forced: None })
}

/// The server of a new table has all that its query reads.
fn is_done_by_one(table: &Table, found: &Analysis<'_>) -> bool {
    matches!(table.kind, TableKind::Single { .. })
        && found.uses.iter().all(|used| beside(table, &used.table))
}

fn refuse(message: impl Into<String>) -> Stop {
    Error::unsupported(message).into()
}

/// One table of `DROP TABLE a, b`: the head, the table, and what follows the last one.
fn dropping(
    ddl: &statement::Ddl,
    text: &[u8],
    name: &TableName,
    tables: &[(&TableName, Arc<Table>)],
) -> super::template::Template {
    let first = ddl.tables.first().map_or(name.span, |table| table.span);
    let last = ddl.tables.last().map_or(name.span, |table| table.span);
    let table = tables.iter().find(|(other, _)| other.span == name.span);
    let mut splice = Splice::new(text);
    let piece = table.map(|(_, table)| Piece::Table(Arc::clone(table)));
    splice.replace(first.to(last), piece.into_iter().collect());
    splice.template(Span::new(0, text.len()))
}

fn check(
    ddl: &statement::Ddl,
    tables: &[(&TableName, Arc<Table>)],
    found: &Analysis<'_>,
) -> Result<(), Stop> {
    let named = tables.iter().map(|(_, table)| table);
    let mut all = named.chain(found.uses.iter().map(|used| &used.table));
    let apart = all.find(|table| !matches!(table.kind, TableKind::Single { .. }));
    let name = apart.map_or("", |table| table.name.as_str());
    match ddl.kind {
        DdlKind::CreateDatabase | DdlKind::DropDatabase => {
            return Err(refuse(
                "CREATE and DROP DATABASE are not supported; schemas are made of the rule files, and \
                 databases on the shards themselves",
            ));
        }
        DdlKind::RenameTable if apart.is_some() => {
            return Err(refuse(format!(
                "RENAME of the sharded or broadcast table `{name}` is not supported; its rule goes by \
                 its name"
            )));
        }
        DdlKind::CreateView if apart.is_some() => {
            return Err(refuse(format!(
                "a view over the sharded or broadcast table `{name}` is kept by Margay itself and has no plan"
            )));
        }
        DdlKind::Other => {
            return Err(refuse(
                "this kind of DDL is not supported; run it per shard with the hint \
                 /*margay: shard=... */",
            ));
        }
        DdlKind::CreateTable
        | DdlKind::AlterTable
        | DdlKind::DropTable
        | DdlKind::TruncateTable
        | DdlKind::RenameTable
        | DdlKind::CreateIndex
        | DdlKind::DropIndex
        | DdlKind::CreateView
        | DdlKind::DropView => {}
    }
    if ddl.temporary && apart.is_some() {
        return Err(refuse(format!(
            "a temporary table named like the sharded or broadcast table `{name}` is not supported"
        )));
    }
    if let (DdlKind::CreateTable, Some((_, table))) = (ddl.kind, tables.first())
        && ddl.query.is_some()
        && !is_done_by_one(table, found)
    {
        return Ok(());
    }
    if ddl.kind == DdlKind::DropTable && tables.len() > 1 {
        return Ok(());
    }
    together(ddl, tables)?;
    let Some((_, target)) = tables.first() else { return Ok(()) };
    match found.uses.iter().find(|used| !beside(target, &used.table)) {
        Some(far) => Err(refuse(format!(
            "`{}` made of a query on `{}` is not supported: the two are on different shards",
            target.name, far.table.name
        ))),
        None => Ok(()),
    }
}

/// All tables that one statement names lie beside each other.
fn together(ddl: &statement::Ddl, tables: &[(&TableName, Arc<Table>)]) -> Result<(), Stop> {
    let [(_, first), others @ ..] = tables else { return Ok(()) };
    for (_, other) in others {
        if beside(first, other) {
            continue;
        }
        let what = if ddl.references { "a foreign key between" } else { "one DDL statement over" };
        return Err(refuse(format!(
            "{what} `{}` and `{}` is not supported: their rows do not lie together",
            first.name, other.name
        )));
    }
    Ok(())
}

/// Each physical table of one lies beside those of the other.
fn beside(one: &Table, other: &Table) -> bool {
    match (&one.kind, &other.kind) {
        (TableKind::Single { shard }, TableKind::Single { shard: other }) => shard == other,
        (TableKind::Single { shard }, TableKind::Broadcast { shards }) => shards.contains(shard),
        (TableKind::Sharded(one), TableKind::Sharded(two)) => {
            one.colocated_with(two)
                && (one.parts.is_none() && two.parts.is_none() || one.parts_aligned_with(two))
        }
        (TableKind::Broadcast { shards: one }, TableKind::Broadcast { shards: two }) => one == two,
        (TableKind::Sharded(one), TableKind::Broadcast { shards }) => {
            one.parts.is_none() && one.shards.iter().all(|shard| shards.contains(shard))
        }
        (TableKind::Broadcast { .. }, TableKind::Single { .. } | TableKind::Sharded(_))
        | (TableKind::Single { .. }, TableKind::Sharded(_))
        | (TableKind::Sharded(_), TableKind::Single { .. }) => false,
    }
}
