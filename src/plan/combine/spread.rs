//! Small tables that are copied to the shards of a big one, so that the join runs there.

use super::super::facts::Stop;
use super::super::model::UseId;
use super::super::planner::Context;
use super::super::splice::text_piece;
use super::filter::{filters, rows};
use super::group;
use super::leaf::{smallest, step};
use super::rewrite::{Rewrite, Round, attempt};
use super::stage::{clusters_of, examine};
use super::subquery::is_closed;
use super::survey::{NodeId, Role, Survey, TableNode};
use crate::catalog::TableKind;
use crate::sql::parse;
use crate::sql::query::Body;

/// Makes a step of one table that does not lie beside the biggest ones of its query, inner queries
/// first.
pub(super) fn cut(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    if !rewrite.options.broadcast {
        return Ok(false);
    }
    for id in (0..round.survey.nodes.len()).rev() {
        if rewrite.is_remote(round, id) && cut_in(rewrite, round, id, context)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn cut_in(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    id: NodeId,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    let Some(node) = round.survey.nodes.get(id) else { return Ok(false) };
    let lateral = matches!(node.role, Role::Derived { lateral: true, .. });
    if lateral || !matches!(node.query.body, Body::Select(_)) {
        return Ok(false);
    }
    let Some(alone) = rewrite.standalone(round, id)? else { return Ok(false) };
    let statement = parse(&alone.part.text, &context.mode)?;
    let Some(examined) = attempt(examine(&alone.part, &statement, context))? else {
        return Ok(false);
    };
    if round.survey.has_outer(id) && !is_closed(&examined) {
        return Ok(false);
    }
    let survey = Survey::new(examined.query, context);
    let inner = Round { part: &alone.part, examined: &examined, survey: &survey };
    let Some((anchor, movable)) = movable(rewrite, inner, context) else { return Ok(false) };
    // What the query needs of the WITH clauses around it is not its own.
    let own = |table: &&TableNode<'_>| table.name.span.start >= alone.at;
    let mine: Vec<&TableNode<'_>> = movable.iter().copied().filter(own).collect();
    if mine.len() < movable.len() {
        return Ok(false);
    }
    if let Some(text) = group::cut_in(rewrite, inner, (&alone, &anchor), context)? {
        rewrite.put(round, id, text)?;
        return Ok(true);
    }
    let Some(table) = smallest(rewrite, inner, mine) else { return Ok(false) };
    let draft = step(rewrite, inner, table, context)?;
    let mut text = vec![text_piece(alone.head)];
    text.extend(draft.rest(alone.at));
    rewrite.put(round, id, text)?;
    Ok(true)
}

/// The tables that do not lie beside the anchor, the group of tables with the most rows. None: there is
/// no anchor, or gathering everything is less work.
fn movable<'r, 'a>(
    rewrite: &Rewrite<'_>,
    round: Round<'r, 'a>,
    context: &Context<'_>,
) -> Option<(Vec<UseId>, Vec<&'r TableNode<'a>>)> {
    let found = &round.examined.found;
    let size = |id: &UseId| {
        let span = found.uses.get(*id).map(|used| used.span);
        span.map_or(0, |span| filters(rewrite, round, span).rows)
    };
    let anchors = round.examined.groups.iter().filter(|group| found.detached(group).is_none());
    let weight = |members: &[UseId]| members.iter().map(size).fold(0, u64::saturating_add);
    let anchor = anchors.rev().max_by_key(|group| weight(&group.members))?;
    let first = found.uses.get(*anchor.members.first()?)?;
    let clusters = clusters_of(&first.table, context);
    let far = |id: &UseId| {
        let Some(used) = found.uses.get(*id) else { return false };
        match &used.table.kind {
            TableKind::Sharded(_) => !anchor.members.contains(id),
            TableKind::Single { .. } | TableKind::Broadcast { .. } => {
                let own = clusters_of(&used.table, context);
                clusters.iter().any(|cluster| !own.contains(cluster))
            }
        }
    };
    let others: Vec<UseId> = (0..found.uses.len()).filter(far).collect();
    if others.is_empty() {
        return None;
    }
    let shards = first.table.shards().len() as u64;
    let copied = weight(&others).saturating_mul(shards);
    let gathered = weight(&others).saturating_add(weight(&anchor.members));
    let known = anchor.members.iter().chain(&others).all(|id| {
        let columns = found.uses.get(*id).and_then(|used| used.columns.as_ref());
        columns.is_some_and(|columns| columns.rows > 0) && rows(found, *id) > 0
    });
    if known && copied > gathered.saturating_mul(2) {
        return None;
    }
    let sites: Vec<_> =
        others.iter().filter_map(|id| found.uses.get(*id)).map(|u| u.span).collect();
    let moved = |table: &&TableNode<'a>| sites.contains(&table.name.span);
    let tables = round.survey.tables.iter().filter(moved).collect();
    Some((anchor.members.clone(), tables))
}
