//! Plans of UPDATE and DELETE.

use std::sync::Arc;

use super::facts::Stop;
use super::functions::{self, Nature};
use super::insert::same_everywhere;
use super::model::{Analysis, Call, NestKind, same_name};
use super::moves::Moves;
use super::names::{Env, Reader};
use super::planner::{Context, forced, place, reader, refusal};
use super::splice::{Splice, untouched};
use super::types::{Place, Plan, Refusal, Source, Write};
use crate::catalog::{Table, TableKind};
use crate::error::Error;
use crate::sql::Statement;
use crate::sql::expr::ColumnName;
use crate::sql::query::TableName;
use crate::sql::statement::{Delete, Update};

pub(super) fn update(
    update: &Update,
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
) -> Result<Plan, Stop> {
    if let Some(plan) = hinted(statement, text, context)? {
        return Ok(plan);
    }
    with_clause(update.with, "UPDATE")?;
    let mut reader = reader(statement, text, context);
    reader.update(update)?;
    let found = reader.finish()?;
    let single = update.single_table().is_some();
    let written = written_by(&found, update);
    let moves = Moves::of(&found, update, &written);
    let what = Form {
        verb: "UPDATE",
        single,
        limited: update.limit.is_some(),
        returning: false,
        aliases: true,
    };
    finish(&found, statement, text, context, (&what, &written, moves))
}

pub(super) fn delete(
    delete: &Delete,
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
) -> Result<Plan, Stop> {
    if let Some(plan) = hinted(statement, text, context)? {
        return Ok(plan);
    }
    with_clause(delete.with, "DELETE")?;
    let mut reader = reader(statement, text, context);
    reader.delete(delete)?;
    let found = reader.finish()?;
    let single = delete.single_table().is_some();
    let written: Vec<Arc<Table>> = match &delete.targets[..] {
        [] => found.uses.first().map(|used| Arc::clone(&used.table)).into_iter().collect(),
        targets => targets.iter().filter_map(|target| target_table(&found, target)).collect(),
    };
    let what = Form {
        verb: "DELETE",
        single,
        limited: delete.limit.is_some(),
        returning: delete.returning,
        // Not every server takes an alias in a single-table DELETE.
        aliases: !single,
    };
    finish(&found, statement, text, context, (&what, &written, None))
}

/// The form of a statement, as far as it decides where it may run.
struct Form {
    verb: &'static str,
    single: bool,
    limited: bool,
    returning: bool,
    aliases: bool,
}

fn hinted(statement: &Statement, text: &[u8], context: &Context<'_>) -> Result<Option<Plan>, Stop> {
    let Some(shard) = forced(statement, context)? else { return Ok(None) };
    Ok(Some(Plan::Write(Write {
        place: Place { forced: Some(shard), ..Place::default() },
        template: untouched(text, statement.params),
        several: Ok(()),
        broadcast: None,
        source: None,
        moves: None,
    })))
}

fn with_clause(with: bool, verb: &str) -> Result<(), Stop> {
    if with {
        let message = format!("WITH before {verb} is not supported; use a subquery");
        return Err(Error::unsupported(message).into());
    }
    Ok(())
}

fn finish(
    found: &Analysis<'_>,
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
    (form, written, moves): (&Form, &[Arc<Table>], Option<Moves>),
) -> Result<Plan, Stop> {
    if found.system {
        return Err(Error::unsupported("writing beside a system table is not supported").into());
    }
    let groups = found.groups();
    let mut place = place(found, &groups, context)?;
    let mut several = several(found, form, &place, groups.len());
    let mut broadcast = None;
    let copies = written.iter().find(|table| matches!(table.kind, TableKind::Broadcast { .. }));
    if let Some(table) = copies {
        same_everywhere(found, &table.name)?;
        several = copies_alike(found, form, table);
        broadcast = Some(Arc::clone(table));
        place.default = None;
    }
    let keeps_variables = match &moves {
        Some(moves) => moves.is_possible(),
        None => found.user_variables.is_empty(),
    };
    let can_pick = !form.returning && keeps_variables && odd_function(found).is_none();
    let splice = Splice::base(text, found, form.aliases);
    Ok(Plan::Write(Write {
        template: splice.whole(statement.params),
        several,
        place,
        broadcast,
        source: can_pick.then(|| Source {
            text: text.to_vec(),
            mode: context.mode,
            schema: context.schema.map(str::to_owned),
        }),
        moves,
    }))
}

/// A write to a broadcast table does the same to every copy.
fn copies_alike(found: &Analysis<'_>, form: &Form, table: &Table) -> Result<(), Refusal> {
    let what = if !form.single || found.uses.len() > 1 {
        "that reads other tables"
    } else if form.limited {
        "with LIMIT"
    } else if !found.user_variables.is_empty() {
        "with user variables"
    } else if form.returning {
        "with RETURNING"
    } else {
        return Ok(());
    };
    let message = format!(
        "{} of the broadcast table `{}` {what} is not supported: its copies might differ afterwards",
        form.verb, table.name
    );
    Err(Refusal { message })
}

/// Whether the statement may run on several targets.
fn several(found: &Analysis<'_>, form: &Form, place: &Place, groups: usize) -> Result<(), Refusal> {
    let verb = form.verb;
    let what = if !form.single && !lie_together(found, place, groups) {
        format!("{verb} of several tables")
    } else if form.single && (found.uses.len() > 1 || groups > 1) {
        format!("{verb} with a subquery")
    } else if form.limited {
        format!("{verb} with LIMIT")
    } else if form.returning {
        format!("{verb} with RETURNING")
    } else if !found.user_variables.is_empty() {
        format!("{verb} with user variables")
    } else {
        match odd_function(found) {
            Some(name) => format!("{verb} with {}()", name.to_uppercase()),
            None => return Ok(()),
        }
    };
    Err(refusal(&what, place))
}

/// A function that may do something else on each server.
fn odd_function<'f>(found: &'f Analysis<'_>) -> Option<&'f str> {
    let odd = |call: &&Call<'_>| {
        let nature = functions::nature(&call.function.name, call.function.args.len());
        matches!(nature, Nature::Server | Nature::Stored)
    };
    found.calls.iter().find(odd).map(|call| call.function.name.as_str())
}

/// Each combination of rows that a join gives is on one shard.
fn lie_together(found: &Analysis<'_>, place: &Place, groups: usize) -> bool {
    let is_joined = |id: usize| {
        let kind = found.nests.get(found.canonical(id)).map(|nest| nest.kind);
        matches!(kind, Some(NestKind::Top | NestKind::OuterJoin))
    };
    groups == 1
        && place.singles.is_empty()
        && found.uses.iter().all(|used| is_joined(used.nest))
        && found.unstable.is_none()
}

/// The tables that an UPDATE writes to; all of them if that is not certain.
fn written_by(found: &Analysis<'_>, update: &Update) -> Vec<Arc<Table>> {
    let mut written: Vec<Arc<Table>> = Vec::new();
    for assignment in &update.assignments {
        let source = found.meaning(0, &assignment.column).map(|meaning| meaning.source);
        let id = source.and_then(|id| found.sources.get(id)?.table);
        let tables: Vec<&Arc<Table>> = match id.and_then(|id| found.uses.get(id)) {
            Some(used) => vec![&used.table],
            None => found.uses.iter().map(|used| &used.table).collect(),
        };
        for table in tables {
            if !written.contains(table) {
                written.push(Arc::clone(table));
            }
        }
    }
    written
}

/// The table that a multi-table DELETE names, by its alias or name.
fn target_table(found: &Analysis<'_>, target: &TableName) -> Option<Arc<Table>> {
    let name = &target.name.value;
    let source = found.scope.sources.iter().filter_map(|id| found.sources.get(*id));
    let id = source.clone().find(|source| same_name(&source.name, name))?.table?;
    found.uses.get(id).map(|used| Arc::clone(&used.table))
}

impl<'a> Reader<'_, 'a> {
    pub(super) fn update(&mut self, update: &'a Update) -> Result<(), Stop> {
        let env = Env::top();
        let scope = self.from(&update.from, env)?;
        for assignment in &update.assignments {
            self.target(&assignment.column, &scope);
            self.expr_in(&assignment.value, &scope, env)?;
        }
        if let Some(filter) = &update.filter {
            self.filter_in(filter, &scope, env)?;
        }
        let limit =
            update.limit.iter().flat_map(|limit| [Some(&limit.rows), limit.offset.as_ref()]);
        let order = update.order_by.iter().map(|item| &item.expr);
        for expr in order.chain(limit.flatten()) {
            self.expr_in(expr, &scope, env)?;
        }
        self.found.scope = scope;
        Ok(())
    }

    pub(super) fn delete(&mut self, delete: &'a Delete) -> Result<(), Stop> {
        let env = Env::top();
        let scope = self.from(&delete.from, env)?;
        if let Some(filter) = &delete.filter {
            self.filter_in(filter, &scope, env)?;
        }
        let limit =
            delete.limit.iter().flat_map(|limit| [Some(&limit.rows), limit.offset.as_ref()]);
        let order = delete.order_by.iter().map(|item| &item.expr);
        for expr in order.chain(limit.flatten()) {
            self.expr_in(expr, &scope, env)?;
        }
        self.found.dropped = delete.targets.iter().filter_map(target_schema).collect();
        self.found.scope = scope;
        Ok(())
    }

    /// A column that is assigned.
    pub(super) fn target(&mut self, name: &'a ColumnName, scope: &super::model::Scope) {
        self.name_in(name, scope);
    }
}

/// `shop.` of a target `shop.t` of a multi-table DELETE.
fn target_schema(target: &TableName) -> Option<crate::sql::span::Span> {
    let schema = target.schema.as_ref()?;
    Some(crate::sql::span::Span { start: schema.span.start, end: target.name.span.start })
}
