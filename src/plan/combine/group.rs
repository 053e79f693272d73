//! Tables of one block that lie together, gathered by one step: their join runs on the shards.

use super::super::facts::Stop;
use super::super::model::{Analysis, Scope, SourceId, UseId};
use super::super::planner::Context;
use super::super::template::Piece;
use super::equal;
use super::gather::{Taken, outermost};
use super::part::Draft;
use super::push::{conjuncts, is_simple};
use super::rewrite::{Rewrite, Round, Standalone, attempt};
use super::stage::{Examined, examine};
use super::survey::{Role, Survey};
use super::{Temp, subquery::is_closed};
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::query::{
    Body, JoinConstraint, JoinKind, Select, SelectItemKind, TableExpr, TableRef,
};
use crate::sql::{Span, parse};

/// FROM as a list of tables and the conditions of its joins, all of which are inner ones.
#[derive(Default)]
struct Flat<'a> {
    tables: Vec<&'a TableRef>,
    derived: Vec<Span>,
    conditions: Vec<&'a Expr>,
}

/// Makes a step of the tables of one group in some block.
pub(super) fn cut(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    for id in (0..round.survey.nodes.len()).rev() {
        let Some(node) = round.survey.nodes.get(id) else { continue };
        let lateral = matches!(node.role, Role::Derived { lateral: true, .. });
        if lateral || !rewrite.is_remote(round, id) || !matches!(node.query.body, Body::Select(_)) {
            continue;
        }
        let Some(alone) = rewrite.standalone(round, id)? else { continue };
        let statement = parse(&alone.part.text, &context.mode)?;
        let Some(examined) = attempt(examine(&alone.part, &statement, context))? else { continue };
        if round.survey.has_outer(id) && !is_closed(&examined) {
            continue;
        }
        let survey = Survey::new(examined.query, context);
        let inner = Round { part: &alone.part, examined: &examined, survey: &survey };
        if let Some(block) = cut_in(rewrite, inner, (&alone, &[]), context)? {
            rewrite.put(round, id, block)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// The text of the outermost block with two or more tables of a group, other than `anchor`, gathered.
pub(super) fn cut_in(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    (alone, anchor): (&Standalone, &[UseId]),
    context: &Context<'_>,
) -> Result<Option<Vec<Piece>>, Stop> {
    let examined = round.examined;
    let Body::Select(select) = &examined.query.body else { return Ok(None) };
    let mut flat = Flat::default();
    if select.straight_join || !select.from.iter().all(|entry| flat.add(entry)) {
        return Ok(None);
    }
    flat.conditions.extend(select.filter.iter().flat_map(conjuncts));
    for group in &examined.groups {
        if group.members.iter().any(|id| anchor.contains(id)) {
            continue;
        }
        let block = step(rewrite, round, (alone, select, &flat, &group.members), context)?;
        if block.is_some() {
            return Ok(block);
        }
    }
    Ok(None)
}

fn step<'a>(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, 'a>,
    (alone, select, flat, members): (&Standalone, &'a Select, &Flat<'a>, &[UseId]),
    context: &Context<'_>,
) -> Result<Option<Vec<Piece>>, Stop> {
    let examined: &Examined<'a> = round.examined;
    let found = &examined.found;
    let Some(block) = outermost(examined) else { return Ok(None) };
    let own = |id: &&SourceId| {
        let table = found.sources.get(**id).and_then(|source| source.table);
        table.is_some_and(|table| members.contains(&table))
    };
    let sources: Vec<SourceId> = block.scope.sources.iter().filter(own).copied().collect();
    let spans: Vec<Span> =
        sources.iter().filter_map(|id| found.sources.get(*id)).map(|source| source.span).collect();
    let (mine, others): (Vec<&TableRef>, Vec<&TableRef>) =
        flat.tables.iter().partition(|table| spans.contains(&table.table.span));
    let stars = select.items.iter().any(|item| !matches!(item.kind, SelectItemKind::Expr { .. }));
    let rest = others.len() + flat.derived.len();
    if mine.len() < 2 || mine.len() != sources.len() || rest == 0 || stars {
        return Ok(None);
    }
    let fits = |expr: &&&Expr| is_simple(expr) && is_among(found, expr, &sources);
    let (pushed, residual): (Vec<&Expr>, Vec<&Expr>) =
        flat.conditions.iter().partition(|expr| fits(expr));
    let scope = Scope { sources, merged: Vec::new() };
    let Some(taken) = Taken::new(examined, select, &scope, &residual) else { return Ok(None) };
    let draft = Draft::new(&alone.part, &context.mode)?;
    let mut from = Vec::new();
    for (index, table) in mine.iter().enumerate() {
        from.push(super::super::splice::text_piece(if index > 0 { ", " } else { "" }));
        from.extend(draft.cut(table.span));
    }
    let implied = equal::implied(found, (&flat.conditions, &pushed), &scope.sources);
    let (mut core, keys) = taken.core(&draft, (&from, &pushed, &implied), taken.keys(rewrite));
    rewrite.lock(&mut core);
    let planned = parse(&core.text, &context.mode)?;
    let Some(core_found) = attempt(examine(&core, &planned, context))? else { return Ok(None) };
    if core_found.obstacle(context, rewrite.limits()).is_some() {
        return Ok(None);
    }
    let name = rewrite.name();
    let names: Vec<String> =
        mine.iter().map(|table| format!("`{}`", table.exposed_name().value)).collect();
    rewrite.note(format!("{name}: rows of {}, joined on the shards", names.join(" and ")));
    let mut others: Vec<Span> = others.iter().map(|table| table.span).collect();
    others.extend(&flat.derived);
    others.sort_unstable();
    let text = taken.rest(alone, context, (&name, &residual), &others)?;
    let columns = taken.columns();
    let temp =
        Temp { names: vec![name], columns, indexes: Vec::new(), unique: None, broadcast: false };
    rewrite.add_rows(&core, &core_found, temp);
    rewrite.add_keys(keys);
    Ok(Some(text))
}

impl<'a> Flat<'a> {
    /// Adds an entry; false if it is more than inner joins.
    fn add(&mut self, entry: &'a TableExpr) -> bool {
        match entry {
            TableExpr::Table(table) => {
                self.tables.push(table);
                true
            }
            TableExpr::Derived { lateral, span, .. } => {
                self.derived.push(*span);
                !lateral
            }
            TableExpr::Join(join) => {
                match &join.constraint {
                    JoinConstraint::None => {}
                    JoinConstraint::On(on) => self.conditions.extend(conjuncts(on)),
                    JoinConstraint::Using(_) | JoinConstraint::Natural => return false,
                }
                join.kind == JoinKind::Inner && self.add(&join.left) && self.add(&join.right)
            }
            TableExpr::Function { .. } => false,
        }
    }
}

/// All columns of the expression are of these sources.
fn is_among(found: &Analysis<'_>, expr: &Expr, sources: &[SourceId]) -> bool {
    let mut among = true;
    expr.walk(&mut |node| {
        if let ExprKind::Column(name) = &node.kind {
            let meaning = found.meaning(0, name);
            among &= meaning.is_some_and(|meaning| sources.contains(&meaning.source));
        }
    });
    among
}
