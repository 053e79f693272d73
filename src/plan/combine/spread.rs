//! Small tables that are copied to the shards of a big one, so that the join runs there.

use super::super::facts::Stop;
use super::super::model::{Analysis, Resolved, UseId};
use super::super::planner::Context;
use super::super::splice::text_piece;
use super::super::units::Group;
use super::equal;
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

/// A table with more rows than this is not copied: what `combine.broadcast_rows` allows by default.
const COPIED_ROWS_MAX: u64 = 10_000;
/// A step more takes as long as so many rows.
const STEP_ROWS: u64 = 2000;

/// Makes a step of one table that does not lie beside the biggest ones of its query, inner queries
/// first.
pub(super) fn cut(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    if !rewrite.options.broadcast || rewrite.gathers {
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
    let (anchor, movable) = match movable(rewrite, inner, context) {
        Movable::Tables(anchor, tables) => (anchor, tables),
        Movable::Nothing => return Ok(false),
        Movable::Gather => {
            rewrite
                .note("rows are gathered, since that moves fewer of them than copies".to_owned());
            rewrite.gathers = true;
            return Ok(false);
        }
    };
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

/// What is to be copied to the shards.
enum Movable<'r, 'a> {
    /// The anchor, which is the group of tables with the most rows, and the tables that do not lie beside
    /// it.
    Tables(Vec<UseId>, Vec<&'r TableNode<'a>>),
    /// There is no anchor, or all lies beside it.
    Nothing,
    /// Bringing all together in one place is less work.
    Gather,
}

fn movable<'r, 'a>(
    rewrite: &Rewrite<'_>,
    round: Round<'r, 'a>,
    context: &Context<'_>,
) -> Movable<'r, 'a> {
    let found = &round.examined.found;
    let size = |id: &UseId| {
        let span = found.uses.get(*id).map(|used| used.span);
        span.map_or(0, |span| filters(rewrite, round, span).rows)
    };
    let anchors = round.examined.groups.iter().filter(|group| found.detached(group).is_none());
    let weight = |members: &[UseId]| members.iter().map(size).fold(0, u64::saturating_add);
    let Some(anchor) = anchors.rev().max_by_key(|group| weight(&group.members)) else {
        return Movable::Nothing;
    };
    let Some(first) = anchor.members.first().and_then(|first| found.uses.get(*first)) else {
        return Movable::Nothing;
    };
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
        return Movable::Nothing;
    }
    let known = anchor.members.iter().chain(&others).all(|id| {
        let columns = found.uses.get(*id).and_then(|used| used.columns.as_ref());
        columns.is_some_and(|columns| columns.rows > 0) && rows(found, *id) > 0
    });
    let work = Work { found, others: &others, groups: &round.examined.groups, size: &size };
    if known && work.is_gathering_less(&anchor.members, first.table.shards().len() as u64) {
        return Movable::Gather;
    }
    let sites: Vec<_> =
        others.iter().filter_map(|id| found.uses.get(*id)).map(|u| u.span).collect();
    let moved = |table: &&TableNode<'a>| sites.contains(&table.name.span);
    let tables = round.survey.tables.iter().filter(moved).collect();
    Movable::Tables(anchor.members.clone(), tables)
}

/// Guesses of how many rows are moved.
struct Work<'x, 'a> {
    found: &'x Analysis<'a>,
    /// Tables that do not lie beside the anchor.
    others: &'x [UseId],
    groups: &'x [Group],
    /// How many rows of a table its own conditions let pass.
    size: &'x dyn Fn(&UseId) -> u64,
}

impl Work<'_, '_> {
    fn is_gathering_less(&self, anchor: &[UseId], shards: u64) -> bool {
        let parts: Vec<u64> = self.parts().iter().map(|members| self.joined(members)).collect();
        let copied = parts.iter().fold(0, |sum: u64, rows| sum.saturating_add(*rows));
        let copied = copied.saturating_mul(shards);
        let most = parts.into_iter().max().unwrap_or(0);
        let gathered = self.gathered(anchor).saturating_mul(2);
        most > COPIED_ROWS_MAX || copied > gathered.saturating_add(STEP_ROWS)
    }

    /// The others in groups that are joined on shards before their rows are copied.
    fn parts(&self) -> Vec<Vec<UseId>> {
        let mut parts: Vec<Vec<UseId>> = Vec::new();
        for group in self.groups {
            let own = group.members.iter().filter(|id| self.others.contains(id));
            parts.push(own.copied().collect());
        }
        let alone = self.others.iter().filter(|id| !parts.iter().any(|part| part.contains(id)));
        let alone: Vec<Vec<UseId>> = alone.map(|id| vec![*id]).collect();
        parts.extend(alone);
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// Rows of tables that are joined by their keys: those of the largest one, for which the conditions of
    /// all of them hold.
    fn joined(&self, members: &[UseId]) -> u64 {
        let all = |id: &UseId| rows(self.found, *id).max(1);
        let largest = members.iter().map(all).max().unwrap_or(1);
        members.iter().fold(largest, |joined, id| {
            let passed = u128::from(joined) * u128::from((self.size)(id).max(1));
            u64::try_from(passed / u128::from(all(id))).unwrap_or(u64::MAX).max(1)
        })
    }

    /// Rows to gather: the anchor's, joined on the shards, and of each other table those that are joined
    /// with them by a list of keys.
    fn gathered(&self, anchor: &[UseId]) -> u64 {
        let joined = self.joined(anchor);
        let is_of = |other: &Resolved| {
            let table = self.found.sources.get(other.source).and_then(|source| source.table);
            table.is_some_and(|table| anchor.contains(&table))
        };
        let keyed = |id: &UseId| equal::all(self.found, *id).iter().any(|equal| is_of(equal.other));
        self.others.iter().fold(joined, |sum, id| {
            let own = (self.size)(id);
            sum.saturating_add(if keyed(id) { own.min(joined) } else { own })
        })
    }
}
