//! Queries inside the statement that become steps as a whole: subqueries, derived tables, CTEs.

use super::super::facts::Stop;
use super::super::functions::{self, Nature};
use super::super::model::{Output, same_name};
use super::super::planner::Context;
use super::super::splice::{quoted, text_piece};
use super::certain::{Instead, instead};
use super::gather::{self, Extent};
use super::part::{Draft, Part};
use super::partial;
use super::rewrite::{Rewrite, Round, Standalone, attempt, column_of};
use super::stage::{Examined, examine};
use super::survey::{CteId, Meaning, NodeId, Role, Survey};
use super::{Temp, TempColumn};
use crate::sql::expr::{Expr, ExprKind, Literal};
use crate::sql::parse;
use crate::sql::query::{Body, Query, SelectItem, SelectItemKind};
use crate::sql::walk::{self, Node};

/// Makes a step of a query that shards can compute whole.
pub(super) fn cut(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    id: NodeId,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    let Some(node) = round.survey.nodes.get(id) else { return Ok(false) };
    if matches!(node.role, Role::Top | Role::Derived { lateral: true, .. }) {
        return Ok(false);
    }
    let Some(alone) = rewrite.standalone(round, id)? else { return Ok(false) };
    let statement = parse(&alone.part.text, &context.mode)?;
    let Some(examined) = attempt(examine(&alone.part, &statement, context))? else {
        return Ok(false);
    };
    let blocked = shows_bits(examined.query)
        || (matches!(node.role, Role::Branch) && averages(examined.query))
        || examined.obstacle(context, rewrite.limits()).is_some()
        || examined.found.assigns_variables
        || (round.survey.has_outer(id) && !is_closed(&examined));
    if blocked || (matches!(node.role, Role::Subquery { .. }) && examined.random()) {
        return Ok(false);
    }
    let done = match instead(node.role, &examined) {
        None => false,
        Some(Instead::Groups) => partial::cut(rewrite, round, id, context)?,
        Some(Instead::Rows) => gather::cut(rewrite, round, (id, Extent::Whole), context)?,
    };
    if done {
        return Ok(true);
    }
    let Some(outputs) = &examined.outputs else { return Ok(false) };
    let columns = columns(node.role, outputs, &examined, round.survey);
    let mut draft = Draft::new(round.part, &context.mode)?;
    let names = replace(rewrite, round, id, &columns, outputs, &mut draft);
    draft.keep_names(&round.examined.found);
    let temp = Temp { names, columns, indexes: Vec::new(), unique: None, broadcast: false };
    rewrite.part = draft.finish();
    let part = shortened(&alone, node.role, &examined, rewrite, context)?;
    rewrite.add_step(part.as_ref().unwrap_or(&alone.part), &examined, temp);
    Ok(true)
}

/// A column is `b'101'` or `x'05'`, which is bytes or a number as what stands beside it wants: out of a
/// table it is bytes.
fn shows_bits(query: &Query) -> bool {
    let is_bits = |item: &SelectItem| match &item.kind {
        SelectItemKind::Expr { expr, .. } => matches!(
            expr.kind,
            ExprKind::Literal(
                Literal::Bit { charset: None, .. } | Literal::Hex { charset: None, .. }
            )
        ),
        SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => false,
    };
    match &query.body {
        Body::Select(select) => select.items.iter().any(is_bits),
        Body::SetOperation { left, right, .. } => shows_bits(left) || shows_bits(right),
        Body::Nested(query) => shows_bits(query),
        Body::Values(_) | Body::Table(_) => false,
    }
}

/// A column is an average, which has more digits than it shows: beside the columns of another operand it may
/// show them.
fn averages(query: &Query) -> bool {
    let average = |item: &SelectItem| {
        let SelectItemKind::Expr { expr, .. } = &item.kind else { return false };
        let mut found = false;
        expr.walk(&mut |node| {
            found |= matches!(&node.kind, ExprKind::Function(call) if call.name == "avg");
        });
        found
    };
    match &query.body {
        Body::Select(select) => select.items.iter().any(average),
        Body::SetOperation { left, right, .. } => averages(left) || averages(right),
        Body::Nested(query) => averages(query),
        Body::Values(_) | Body::Table(_) => false,
    }
}

/// Columns by which the statement around reads the rows.
fn columns(
    role: Role<'_>,
    outputs: &[Output],
    examined: &Examined<'_>,
    survey: &Survey<'_>,
) -> Vec<TempColumn> {
    let listed = match role {
        Role::Derived { columns, .. } => columns,
        Role::Cte(id) => survey.ctes.get(id).map_or(&[][..], |cte| &cte.cte.columns),
        Role::Top | Role::Subquery { .. } | Role::Branch => &[],
    };
    let by_name = matches!(role, Role::Derived { .. } | Role::Cte(_));
    let column = |(index, output): (usize, &Output)| {
        let name = match listed.get(index) {
            Some(name) => name.value.clone(),
            None if by_name => output_name(output, examined),
            None => format!("c{index}"),
        };
        column_of(output, name)
    };
    outputs.iter().enumerate().map(column).collect()
}

/// The name that a server gives to a column of the answer.
fn output_name(output: &Output, examined: &Examined<'_>) -> String {
    let mut name = output.name.clone();
    walk::query(examined.query, &mut |node| {
        if let Node::UnnamedItem(Expr { span, kind: ExprKind::Literal(literal) }) = node
            && output.item == Some(*span)
            && let Literal::String { bytes, .. } = literal
        {
            name = String::from_utf8_lossy(bytes).into_owned();
        }
    });
    name
}

/// Puts temporary tables where the rows of a query are read; gives their names.
fn replace(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    id: NodeId,
    columns: &[TempColumn],
    outputs: &[Output],
    draft: &mut Draft<'_>,
) -> Vec<String> {
    let Some(node) = round.survey.nodes.get(id) else { return Vec::new() };
    match node.role {
        Role::Cte(cte) => replace_cte(rewrite, round, cte, draft),
        Role::Derived { alias, span, .. } => {
            let name = rewrite.name();
            let alias =
                alias.map_or(String::new(), |alias| format!(" AS {}", quoted(&alias.value)));
            draft.replace(span, &format!("{}{alias}", quoted(&name)));
            rewrite.note(format!("{name}: a derived table that shards compute whole"));
            vec![name]
        }
        Role::Subquery { .. } => {
            let name = rewrite.name();
            draft.replace(node.query.span, &format!("SELECT * FROM {}", quoted(&name)));
            rewrite.note(format!("{name}: a subquery that does not depend on the rows around it"));
            vec![name]
        }
        Role::Top | Role::Branch => {
            let name = rewrite.name();
            let item = |(column, output): (&TempColumn, &Output)| {
                let column = quoted(column.name.as_deref().unwrap_or_default());
                format!("{column} AS {}", quoted(&output.name))
            };
            let items: Vec<String> = columns.iter().zip(outputs).map(item).collect();
            let text = format!("SELECT {} FROM {}", items.join(", "), quoted(&name));
            draft.replace(node.query.span, &text);
            rewrite.note(format!("{name}: an operand that shards compute whole"));
            vec![name]
        }
    }
}

/// Each reference to a CTE reads a temporary table of its own; the definition goes.
fn replace_cte(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    id: CteId,
    draft: &mut Draft<'_>,
) -> Vec<String> {
    let mut names = Vec::new();
    for reference in round.survey.references(id) {
        let name = rewrite.name();
        draft.replace(reference.name.span, &quoted(&name));
        if let Some(entry) = reference.entry
            && entry.alias.is_none()
        {
            draft.insert(entry.alias_at, &format!(" AS {}", quoted(&entry.table.name.value)));
        }
        names.push(name);
    }
    if let Some(cte) = round.survey.ctes.get(id) {
        let name = &cte.cte.name.value;
        rewrite.note(format!("{}: the rows of `{name}` in WITH", names.join(", ")));
    }
    remove(round, &[id], draft);
    names
}

/// Takes definitions out of the WITH clause of one query.
fn remove(round: Round<'_, '_>, gone: &[CteId], draft: &mut Draft<'_>) {
    let Some(owner) = gone.first().and_then(|id| round.survey.ctes.get(*id)) else { return };
    let Some(node) = round.survey.nodes.get(owner.owner) else { return };
    let Some(clause) = node.query.with_span else { return };
    let gone: Vec<_> = gone.iter().filter_map(|id| round.survey.ctes.get(*id)).collect();
    let stays = |cte: &&crate::sql::query::Cte| gone.iter().all(|other| other.cte.span != cte.span);
    let left: Vec<_> = node.query.with.iter().filter(stays).collect();
    if left.is_empty() {
        draft.remove(clause);
        return;
    }
    let keyword = if owner.cte.recursive { "WITH RECURSIVE " } else { "WITH " };
    let mut pieces = vec![text_piece(keyword)];
    for (index, cte) in left.into_iter().enumerate() {
        if index > 0 {
            pieces.push(text_piece(", "));
        }
        pieces.extend(draft.cut(cte.span));
    }
    draft.replace_with(clause, pieces);
}

/// Takes out definitions that nothing refers to and that name tables of other places.
pub(super) fn drop_unused(rewrite: &mut Rewrite<'_>, round: Round<'_, '_>) -> Result<bool, Stop> {
    let survey = round.survey;
    let unused = (0..survey.ctes.len()).find(|id| {
        let span = survey.ctes.get(*id).map(|cte| cte.cte.span);
        let rows =
            |meaning: &Meaning| rewrite.remote(meaning) || matches!(meaning, Meaning::Temporary);
        survey.references(*id).is_empty() && span.is_some_and(|span| survey.reads(span, &rows))
    });
    let Some(unused) = unused else { return Ok(false) };
    let mut draft = Draft::new(round.part, &rewrite.context.mode)?;
    remove(round, &[unused], &mut draft);
    rewrite.part = draft.finish();
    Ok(true)
}

/// A CTE whose body reads temporary tables is computed once if it is read several times, since a
/// temporary table cannot be opened twice.
pub(super) fn split_cte(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    let survey = round.survey;
    let temporary = |meaning: &Meaning| matches!(meaning, Meaning::Temporary);
    for (id, cte) in survey.ctes.iter().enumerate() {
        let references = survey.references(id).len();
        let remote = survey.reads(cte.cte.span, &|meaning| rewrite.remote(meaning));
        if references < 2 || remote || !survey.reads(cte.cte.span, &temporary) {
            continue;
        }
        let alone = match cte.cte.recursive || !cte.cte.columns.is_empty() {
            true => named(rewrite, round, id)?,
            false => match rewrite.standalone(round, cte.body)? {
                Some(alone) => alone,
                None => continue,
            },
        };
        let statement = parse(&alone.part.text, &context.mode)?;
        let Some(examined) = attempt(examine(&alone.part, &statement, context))? else { continue };
        let Some(outputs) = &examined.outputs else { continue };
        if examined.obstacle(context, rewrite.limits()).is_some() {
            continue;
        }
        let columns = columns(Role::Cte(id), outputs, &examined, survey);
        let mut draft = Draft::new(round.part, &context.mode)?;
        let names = replace_cte(rewrite, round, id, &mut draft);
        draft.keep_names(&round.examined.found);
        rewrite.part = draft.finish();
        let temp = Temp { names, columns, indexes: Vec::new(), unique: None, broadcast: false };
        rewrite.add_step(&alone.part, &examined, temp);
        return Ok(true);
    }
    Ok(false)
}

/// A CTE that reads tables of shards and is referred to several times stands at each reference, so that
/// each reads tables of its own and its columns keep the nature of what they are made of.
pub(super) fn expand_cte(rewrite: &mut Rewrite<'_>, round: Round<'_, '_>) -> Result<bool, Stop> {
    let survey = round.survey;
    for (id, cte) in survey.ctes.iter().enumerate().rev() {
        let references = survey.references(id);
        let remote = survey.reads(cte.cte.span, &|meaning| rewrite.remote(meaning));
        let inside = references.iter().any(|reference| reference.entry.is_none());
        if references.len() < 2 || !remote || inside || is_random(&cte.cte.query) {
            continue;
        }
        let definition = named(rewrite, round, id)?;
        let mut draft = Draft::new(round.part, &rewrite.context.mode)?;
        for entry in references.iter().filter_map(|reference| reference.entry) {
            let mut text = vec![text_piece("(")];
            text.extend(definition.part.pieces(&rewrite.context.mode)?);
            text.push(text_piece(") AS "));
            text.push(text_piece(&quoted(&entry.exposed_name().value)));
            draft.replace_with(entry.span, text);
        }
        remove(round, &[id], &mut draft);
        draft.keep_names(&round.examined.found);
        rewrite.part = draft.finish();
        return Ok(true);
    }
    Ok(false)
}

/// It may have other rows when it is computed again.
fn is_random(query: &Query) -> bool {
    let mut random = false;
    walk::query(query, &mut |node| match node {
        Node::Expr(Expr { kind: ExprKind::Function(call), .. }) => {
            random |= functions::nature(&call.name, call.args.len()) == Nature::Random;
            random |= call.name == "rand";
        }
        Node::Query(query) => random |= query.limit.is_some(),
        Node::Expr(_) | Node::UnnamedItem(_) | Node::Table(_) => {}
    });
    random
}

/// `WITH c AS (...) SELECT * FROM c`.
fn named(rewrite: &Rewrite<'_>, round: Round<'_, '_>, id: CteId) -> Result<Standalone, Stop> {
    let draft = Draft::new(round.part, &rewrite.context.mode)?;
    let mut part = Part::default();
    if let Some(cte) = round.survey.ctes.get(id) {
        let mut all = round.survey.needed(&cte.cte.query);
        all.retain(|other| *other != id);
        all.push(id);
        part.add(if cte.cte.recursive { "WITH RECURSIVE " } else { "WITH " });
        for (index, id) in all.into_iter().enumerate() {
            part.add(if index > 0 { ", " } else { "" });
            if let Some(other) = round.survey.ctes.get(id) {
                part.append(&draft.cut(other.cte.span));
            }
        }
        part.add(&format!(" SELECT * FROM {}", quoted(&cte.cte.name.value)));
    }
    Ok(Standalone { part, at: 0, head: "" })
}

/// One row is enough for EXISTS.
fn shortened(
    alone: &Standalone,
    role: Role<'_>,
    examined: &Examined<'_>,
    rewrite: &Rewrite<'_>,
    context: &Context<'_>,
) -> Result<Option<Part>, Stop> {
    let query = examined.query;
    let plain = query.limit.is_none() && query.locking.is_none();
    if !matches!(role, Role::Subquery { exists: true }) || !plain {
        return Ok(None);
    }
    let mut draft = Draft::new(&alone.part, &context.mode)?;
    draft.insert(query.limit_at, " LIMIT 1");
    let part = draft.finish();
    let statement = parse(&part.text, &context.mode)?;
    let planned = attempt(examine(&part, &statement, context))?;
    let fits = planned.is_some_and(|found| found.obstacle(context, rewrite.limits()).is_none());
    Ok(fits.then_some(part))
}

/// All names in it are its own.
pub(super) fn is_closed(examined: &Examined<'_>) -> bool {
    let mut aliases: Vec<String> = Vec::new();
    let mut names = Vec::new();
    walk::query(examined.query, &mut |node| match node {
        Node::Query(query) => {
            if let Body::Select(select) = &query.body {
                let alias = |item: &SelectItem| match &item.kind {
                    SelectItemKind::Expr { alias, .. } => {
                        alias.as_ref().map(|alias| alias.value.clone())
                    }
                    SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => None,
                };
                aliases.extend(select.items.iter().filter_map(alias));
            }
        }
        Node::Expr(Expr { kind: ExprKind::Column(name), .. }) => names.push(name),
        Node::Expr(_) | Node::UnnamedItem(_) | Node::Table(_) => {}
    });
    names.into_iter().all(|name| {
        let mut meanings =
            examined.found.columns.iter().filter(|((_, span), _)| *span == name.name.span);
        let is_alias = || {
            name.table.is_none() && aliases.iter().any(|alias| same_name(alias, &name.name.value))
        };
        meanings.all(|(_, meaning)| meaning.is_some() || is_alias())
    })
}
