//! Tables whose rows are gathered by themselves, filtered as far as conditions allow.

use super::super::facts::Stop;
use super::super::model::{Analysis, SourceId, UseId, same_name};
use super::super::planner::Context;
use super::super::splice::quoted;
use super::gather::bracketed;
use super::part::{Draft, Part};
use super::push::{Pushed, pushable};
use super::rewrite::{Rewrite, Round};
use super::stage::examine;
use super::survey::TableNode;
use super::{Temp, TempColumn};
use crate::error::Error;
use crate::sql::expr::{ColumnName, Expr, ExprKind};
use crate::sql::query::{Body, JoinConstraint, Select, SelectItemKind, TableExpr};
use crate::sql::walk::{self, Node};
use crate::sql::{Span, parse};

/// Makes a step of one table.
pub(super) fn cut(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    let found = &round.examined.found;
    let remote = |table: &&TableNode<'_>| rewrite.remote(&table.meaning);
    let candidates: Vec<&TableNode<'_>> = round.survey.tables.iter().filter(remote).collect();
    // A table with conditions of its own is likely to be small.
    let best = candidates.into_iter().map(|table| (conditions(found, table.name.span), table));
    let best =
        best.max_by_key(|(pushed, table)| (pushed.len(), std::cmp::Reverse(table.name.span)));
    let Some((pushed, table)) = best else { return Ok(false) };
    step(rewrite, round, (table, pushed), context)?;
    Ok(true)
}

/// The conditions that hold for all uses of a table that stands once in the text.
fn conditions<'a>(found: &Analysis<'a>, site: Span) -> Vec<Pushed<'a>> {
    let uses = (0..found.uses.len())
        .filter(|id| found.uses.get(*id).is_some_and(|used| used.span == site));
    let mut all: Option<Vec<Pushed<'a>>> = None;
    for id in uses {
        let own = pushable(found, id);
        all = Some(match all {
            None => own,
            Some(before) => before.into_iter().filter(|one| own.contains(one)).collect(),
        });
    }
    all.unwrap_or_default()
}

fn step(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    (table, pushed): (&TableNode<'_>, Vec<Pushed<'_>>),
    context: &Context<'_>,
) -> Result<(), Stop> {
    let found = &round.examined.found;
    let site = table.name.span;
    let Some(id) = found.uses.iter().position(|used| used.span == site) else {
        return Err(Error::internal("a table that was not read").into());
    };
    let columns = needed(round, table, id)?;
    let draft = Draft::new(round.part, &context.mode)?;
    let part = statement(&draft, table, &columns, &pushed);
    let planned = parse(&part.text, &context.mode)?;
    let examined = examine(&part, &planned, context)?;
    if let Some(why) = examined.obstacle(context, rewrite.options) {
        let message = format!("{why} is not supported over several shards");
        return Err(Error::unsupported(message).into());
    }
    let name = rewrite.name();
    let conditions = match pushed.len() {
        0 => "without a condition".to_owned(),
        1 => "with a condition".to_owned(),
        count => format!("with {count} conditions"),
    };
    rewrite.note(format!("{name}: rows of `{}` {conditions}", table.name.name.value));
    let mut draft = Draft::new(round.part, &context.mode)?;
    match table.entry {
        Some(entry) => {
            let exposed = quoted(&entry.exposed_name().value);
            draft.replace(entry.span, &format!("{} AS {exposed}", quoted(&name)));
        }
        None => draft.replace(site, &quoted(&name)),
    }
    drop_schemas(found, site, &mut draft);
    draft.keep_names(found);
    rewrite.part = draft.finish();
    let temp = Temp { names: vec![name], columns, indexes: Vec::new(), broadcast: false };
    rewrite.add_step(&part, &examined, temp);
    Ok(())
}

fn statement(
    draft: &Draft<'_>,
    table: &TableNode<'_>,
    columns: &[TempColumn],
    pushed: &[Pushed<'_>],
) -> Part {
    let mut part = Part::default();
    let names = columns.iter().filter_map(|column| column.name.as_deref());
    let names: Vec<String> = names.map(quoted).collect();
    part.add(&format!("SELECT {} FROM ", names.join(", ")));
    part.append(&draft.cut(table.entry.map_or(table.name.span, |entry| entry.span)));
    let several = |list: &[&Expr]| list.len() > 1;
    for (index, condition) in pushed.iter().enumerate() {
        part.add(if index == 0 { " WHERE " } else { " AND " });
        let alone = pushed.len() == 1 && condition.len() == 1;
        part.add(if alone { "" } else { "(" });
        for (index, branch) in condition.iter().enumerate() {
            part.add(if index == 0 { "" } else { " OR " });
            part.add(if several(branch) { "(" } else { "" });
            for (index, expr) in branch.iter().enumerate() {
                part.add(if index == 0 { "" } else { " AND " });
                let brackets = several(branch) || condition.len() > 1;
                part.append(&bracketed(draft, expr, brackets));
            }
            part.add(if several(branch) { ")" } else { "" });
        }
        part.add(if alone { "" } else { ")" });
    }
    part
}

/// Columns of a table that the statement may mean, in their order.
fn needed(round: Round<'_, '_>, table: &TableNode<'_>, id: UseId) -> Result<Vec<TempColumn>, Stop> {
    let found = &round.examined.found;
    let used = found.uses.get(id).and_then(|used| used.columns.as_ref());
    let Some(columns) = used else {
        return Err(Error::internal("a table without known columns").into());
    };
    let starred =
        round.survey.nodes.get(table.node).is_none_or(|node| shows_all(&node.query.body, table));
    let mut named: Vec<&str> = Vec::new();
    let mut extra = Vec::new();
    walk::query(round.examined.query, &mut |node| match node {
        Node::Expr(Expr { kind: ExprKind::Column(name), .. }) => {
            if may_be(found, name, table.name.span) {
                named.push(&name.name.value);
            }
        }
        Node::Query(query) => {
            if let Body::Select(select) = &query.body {
                select.from.iter().for_each(|entry| joined(entry, &mut extra));
            }
        }
        Node::Expr(_) | Node::UnnamedItem(_) | Node::Table(_) => {}
    });
    named.extend(extra);
    let is_named = |name: &str| named.iter().any(|other| same_name(other, name));
    let mut wanted = Vec::new();
    for column in &columns.columns {
        if starred && column.invisible && is_named(&column.name) {
            let message = format!(
                "`*` beside the invisible column `{}` is not supported over several shards; name the \
                 columns instead of `*`",
                column.name
            );
            return Err(Error::unsupported(message).into());
        }
        if is_named(&column.name) || (starred && !column.invisible) {
            wanted.push(column);
        }
    }
    if wanted.is_empty() {
        wanted.extend(columns.columns.iter().find(|column| !column.invisible));
    }
    let column = |column: &&super::super::facts::Column| TempColumn {
        name: Some(column.name.clone()),
        declared: Some(column.declared.clone()).filter(|text| !text.is_empty()),
        class: Some(column.class.clone()),
    };
    Ok(wanted.iter().map(column).collect())
}

/// The name is, or may be, one of a column of the table at `site`.
fn may_be(found: &Analysis<'_>, name: &ColumnName, site: Span) -> bool {
    let own = |source: SourceId| found.sources.get(source).is_some_and(|own| own.span == site);
    let mut meanings = found.columns.iter().filter(|((_, span), _)| *span == name.name.span);
    meanings.any(|(_, meaning)| meaning.as_ref().is_none_or(|meaning| own(meaning.source)))
}

/// `*`, `t.*` or a NATURAL join beside the table need all of its columns.
fn shows_all(body: &Body, table: &TableNode<'_>) -> bool {
    let Body::Select(select) = body else { return true };
    let exposed = table.entry.map(|entry| entry.exposed_name().value.as_str());
    let star = select.items.iter().any(|item| match &item.kind {
        SelectItemKind::Wildcard => true,
        SelectItemKind::QualifiedWildcard { table, .. } => {
            exposed.is_none_or(|exposed| same_name(exposed, &table.value))
        }
        SelectItemKind::Expr { .. } => false,
    });
    star || is_natural(select)
}

fn is_natural(select: &Select) -> bool {
    fn natural(entry: &TableExpr) -> bool {
        match entry {
            TableExpr::Join(join) => {
                join.constraint == JoinConstraint::Natural
                    || natural(&join.left)
                    || natural(&join.right)
            }
            TableExpr::Table(_) | TableExpr::Derived { .. } | TableExpr::Function { .. } => false,
        }
    }
    select.from.iter().any(natural)
}

/// Names of USING.
fn joined<'a>(entry: &'a TableExpr, names: &mut Vec<&'a str>) {
    if let TableExpr::Join(join) = entry {
        if let JoinConstraint::Using(list) = &join.constraint {
            names.extend(list.iter().map(|name| name.value.as_str()));
        }
        joined(&join.left, names);
        joined(&join.right, names);
    }
}

/// `shop.t.c` as `t.c`, since the temporary table stands in no schema.
fn drop_schemas(found: &Analysis<'_>, site: Span, draft: &mut Draft<'_>) {
    for qualifier in &found.qualifiers {
        let own = found.uses.get(qualifier.table).is_some_and(|used| used.span == site);
        if let (true, Some(schema), Some(table)) =
            (own, &qualifier.name.schema, &qualifier.name.table)
        {
            draft.remove(Span { start: schema.span.start, end: table.span.start });
        }
    }
    found.dropped.iter().for_each(|span| draft.remove(*span));
}
