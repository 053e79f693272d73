//! Blocks whose FROM and WHERE shards compute, while the rest runs over the rows gathered from them.

use super::super::facts::Stop;
use super::super::model::{Analysis, Block, Resolved, Scope, SourceId, same_name};
use super::super::planner::Context;
use super::super::splice::{quoted, text_piece};
use super::super::template::Piece;
use super::filter::{keys, plain_rows};
use super::part::{Draft, Part};
use super::push::{conjuncts, is_plain, is_simple};
use super::rewrite::{Rewrite, Round, Standalone, attempt};
use super::stage::{Examined, examine};
use super::subquery::is_closed;
use super::survey::{NodeId, Role, TableNode};
use super::{KeyList, Temp, TempColumn};
use crate::sql::expr::{ColumnName, Expr, ExprKind};
use crate::sql::query::{Body, Query, Select, SelectItem, SelectItemKind};
use crate::sql::walk::{self, Node};
use crate::sql::{Span, parse};

/// How much of a block must go to the shards at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Its whole WHERE, and the rest of it needs nothing of other places.
    Whole,
    /// Its whole WHERE.
    Where,
    /// Some of its conditions.
    Part,
}

/// A column of FROM that the rest of the block needs.
struct Needed {
    source: SourceId,
    column: usize,
    /// Its name in the temporary table.
    name: String,
}

/// A block being taken apart.
pub(super) struct Taken<'x, 'a> {
    found: &'x Analysis<'a>,
    query: &'a Query,
    select: &'a Select,
    scope: &'x Scope,
    needed: Vec<Needed>,
    /// The alias of the temporary table, if the block has one source.
    alias: Option<String>,
}

/// Gathers the rows of a block.
pub(super) fn cut(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    (id, extent): (NodeId, Extent),
    context: &Context<'_>,
) -> Result<bool, Stop> {
    let Some(node) = round.survey.nodes.get(id) else { return Ok(false) };
    let Body::Select(own) = &node.query.body else { return Ok(false) };
    let lateral = matches!(node.role, Role::Derived { lateral: true, .. });
    let reads = |span| round.survey.reads(span, &|meaning| rewrite.remote(meaning));
    let all = extent != Extent::Part;
    if lateral || !own.from_span.is_some_and(reads) || (!all && own.filter.is_none()) {
        return Ok(false);
    }
    let elsewhere = || {
        let below = [own.from_span, own.filter.as_ref().map(|filter| filter.span)];
        let above = |table: &&TableNode<'_>| {
            below.iter().flatten().all(|span| !span.contains(table.name.span))
        };
        let with = |table: &&TableNode<'_>| {
            node.query.with_span.is_none_or(|span| !span.contains(table.name.span))
        };
        let mut rest = round.survey.within(node.query.span).filter(above).filter(with);
        rest.any(|table| reads(table.name.span))
    };
    if extent == Extent::Whole && elsewhere() {
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
    let Some(block) = outermost(&examined) else { return Ok(false) };
    let Body::Select(select) = &examined.query.body else { return Ok(false) };
    let (mut pushed, mut residual): (Vec<&Expr>, Vec<&Expr>) =
        select.filter.iter().flat_map(conjuncts).partition(|expr| all || is_simple(expr));
    let inner = (&alone, &examined, select.as_ref());
    if extent == Extent::Part {
        more(rewrite, inner, &block.scope, (&mut pushed, &mut residual), context)?;
    }
    let split = (pushed.as_slice(), residual.as_slice());
    let Some((taken, core, keys)) = step(rewrite, inner, &block.scope, (split, extent), context)?
    else {
        return Ok(false);
    };
    let planned = parse(&core.text, &context.mode)?;
    let Some(core_found) = attempt(examine(&core, &planned, context))? else { return Ok(false) };
    if core_found.obstacle(context, rewrite.limits()).is_some() {
        return Ok(false);
    }
    let name = rewrite.name();
    let block = taken.rest(&alone, context, (&name, &residual), &[])?;
    if let Some(why) = examined.obstacle(context, rewrite.limits()) {
        rewrite.note(format!("{name}: rows for {why}"));
    }
    rewrite.put(round, id, block)?;
    let temp = Temp {
        names: vec![name],
        columns: taken.columns(),
        indexes: Vec::new(),
        unique: None,
        broadcast: false,
    };
    rewrite.add_rows(&core, &core_found, temp);
    rewrite.add_keys(keys);
    Ok(true)
}

/// The statement of the step for a block, with the conditions that it takes and those that stay.
fn step<'x, 'a>(
    rewrite: &Rewrite<'_>,
    (alone, examined, select): (&Standalone, &'x Examined<'a>, &'a Select),
    scope: &'x Scope,
    ((pushed, residual), extent): ((&[&'a Expr], &[&'a Expr]), Extent),
    context: &Context<'_>,
) -> Result<Option<(Taken<'x, 'a>, Part, Vec<KeyList>)>, Stop> {
    let Some(taken) = Taken::new(examined, select, scope, residual) else { return Ok(None) };
    let draft = Draft::new(&alone.part, &context.mode)?;
    let mut keys = match rewrite.options.broadcast && extent != Extent::Part {
        true => Vec::new(),
        false => taken.keys(rewrite),
    };
    // Rows that are joined here anyway need no list of their keys.
    keys.retain(|key| {
        let names = rewrite.steps.get(key.step).map_or(&[][..], |step| step.temp.names.as_slice());
        let sources = scope.sources.iter().filter_map(|id| examined.found.sources.get(*id));
        let mut read = sources.filter_map(|source| source.temporary.as_ref());
        !rewrite.options.broadcast || !read.any(|name| names.contains(name))
    });
    let from = select.from_span.map_or(Vec::new(), |from| draft.cut(from));
    let (mut core, keys) = taken.core(&draft, (&from, pushed, &[]), keys);
    rewrite.lock(&mut core);
    Ok(Some((taken, core, keys)))
}

/// Pushes conditions with subqueries, too, where the shards can compute them.
fn more<'a>(
    rewrite: &Rewrite<'_>,
    inner: (&Standalone, &Examined<'a>, &'a Select),
    scope: &Scope,
    (pushed, residual): (&mut Vec<&'a Expr>, &mut Vec<&'a Expr>),
    context: &Context<'_>,
) -> Result<(), Stop> {
    let (_, examined, _) = inner;
    let found = &examined.found;
    if examined.random() || found.assigns_variables || !found.user_variables.is_empty() {
        return Ok(());
    }
    for expr in std::mem::take(residual) {
        // Where a list of the rows' keys does, they are not copied.
        let listed = is_listed(expr) || !is_plain(expr);
        pushed.push(expr);
        let rest: Vec<&Expr> = residual.clone();
        let extent = Extent::Part;
        let core = match listed {
            true => None,
            false => step(rewrite, inner, scope, ((pushed, &rest), extent), context)?,
        };
        let mut runs = false;
        if let Some((_, core, _)) = core {
            let planned = parse(&core.text, &context.mode)?;
            let found = attempt(examine(&core, &planned, context))?;
            runs = found.is_some_and(|found| found.obstacle(context, rewrite.limits()).is_none());
        }
        if !runs {
            pushed.pop();
            residual.push(expr);
        }
    }
    Ok(())
}

/// `c IN (SELECT * FROM t)`, which is a list of keys.
fn is_listed(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::InQuery { query, negated: false, .. } if plain_rows(query).is_some())
}

/// The block that the whole query is.
pub(super) fn outermost<'x>(examined: &'x Examined<'_>) -> Option<&'x Block> {
    let Body::Select(select) = &examined.query.body else { return None };
    let blocks = &examined.found.blocks;
    blocks.iter().find(|block| block.span == select.span && block.instance == 0)
}

impl<'x, 'a> Taken<'x, 'a> {
    /// None: it is not certain what the rest needs.
    pub(super) fn new(
        examined: &'x Examined<'a>,
        select: &'a Select,
        scope: &'x Scope,
        residual: &[&'a Expr],
    ) -> Option<Self> {
        let found = &examined.found;
        let alias = match scope.sources.as_slice() {
            [one] => found.sources.get(*one).map(|source| source.name.clone()),
            _ => None,
        };
        let alias = alias.filter(|alias| !alias.is_empty());
        let query = examined.query;
        let mut taken = Self { found, query, select, scope, needed: Vec::new(), alias };
        let mut wanted: Vec<(SourceId, usize, bool)> = taken.of_stars()?;
        for name in taken.names(residual) {
            if let Some(meaning) = taken.meaning(name)? {
                wanted.push((meaning.source, meaning.column, name.table.is_none()));
            }
        }
        taken.choose(wanted)?;
        Some(taken)
    }

    /// Expressions of the block that stay.
    fn upper<'r>(&self, residual: &'r [&'a Expr]) -> Vec<&'a Expr> {
        let select = self.select;
        let items = select.items.iter().filter_map(|item| match &item.kind {
            SelectItemKind::Expr { expr, .. } => Some(expr),
            SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => None,
        });
        let grouped = select.group_by.iter().map(|item| &item.expr);
        let ordered = self.query.order_by.iter().map(|item| &item.expr);
        let rest = grouped.chain(&select.having).chain(&select.windows).chain(ordered);
        items.chain(residual.iter().copied()).chain(rest).collect()
    }

    /// Names in what stays, subqueries included.
    fn names(&self, residual: &[&'a Expr]) -> Vec<&'a ColumnName> {
        let mut names = Vec::new();
        for expr in self.upper(residual) {
            walk::expr(expr, &mut |node| {
                if let Node::Expr(Expr { kind: ExprKind::Column(name), .. }) = node {
                    names.push(name);
                }
            });
        }
        names
    }

    /// The column of the block's FROM that a name means; Some(None): it means something else. None:
    /// that is not certain.
    fn meaning(&self, name: &ColumnName) -> Option<Option<&'x Resolved>> {
        let found = self.found;
        let mut meanings =
            found.columns.iter().filter(|((_, span), _)| *span == name.name.span).map(|(_, m)| m);
        let mut own = None;
        let unknown = meanings.any(|meaning| match meaning {
            Some(meaning) if self.scope.sources.contains(&meaning.source) => {
                own = Some(meaning);
                false
            }
            Some(_) => false,
            None => true,
        });
        if unknown && (own.is_some() || self.could_mean(name)) {
            return None;
        }
        Some(own)
    }

    /// A name without a certain meaning may be a column of the block's FROM.
    fn could_mean(&self, name: &ColumnName) -> bool {
        self.scope.sources.iter().filter_map(|id| self.found.sources.get(*id)).any(|source| {
            let other = name.table.as_ref();
            let other = other.is_some_and(|table| !same_name(&table.value, &source.name));
            let has = source.columns.as_ref().is_none_or(|columns| {
                columns.iter().any(|column| same_name(&column.name, &name.name.value))
            });
            !other && has
        })
    }

    /// What `*` and `t.*` show.
    fn of_stars(&self) -> Option<Vec<(SourceId, usize, bool)>> {
        let mut wanted = Vec::new();
        for item in &self.select.items {
            wanted.extend(self.of_star(item)?.into_iter().map(|(id, index)| (id, index, false)));
        }
        Some(wanted)
    }

    fn of_star(&self, item: &SelectItem) -> Option<Vec<(SourceId, usize)>> {
        let sources: Vec<SourceId> = match &item.kind {
            SelectItemKind::Expr { .. } => return Some(Vec::new()),
            SelectItemKind::Wildcard if self.scope.merged.is_empty() => self.scope.sources.clone(),
            SelectItemKind::Wildcard => return None,
            SelectItemKind::QualifiedWildcard { table, .. } => {
                let named = |id: &&SourceId| {
                    self.found.sources.get(**id).is_some_and(|s| same_name(&s.name, &table.value))
                };
                let ids: Vec<SourceId> = self.scope.sources.iter().filter(named).copied().collect();
                (ids.len() == 1).then_some(ids)?
            }
        };
        let mut shown = Vec::new();
        for id in sources {
            let columns = self.found.sources.get(id)?.columns.as_ref()?.iter().enumerate();
            let visible = columns.filter(|(_, column)| column.visible);
            shown.extend(visible.map(|(index, _)| (id, index)));
        }
        Some(shown)
    }

    /// Gives each needed column a name; those that stand unqualified keep theirs.
    fn choose(&mut self, mut wanted: Vec<(SourceId, usize, bool)>) -> Option<()> {
        wanted.sort_by_key(|(source, column, bare)| (!bare, *source, *column));
        for (source, column, _) in wanted {
            if self.temp_name(source, column).is_some() {
                continue;
            }
            let name = &self.found.sources.get(source)?.columns.as_ref()?.get(column)?.name;
            let taken = self.needed.iter().any(|other| same_name(&other.name, name));
            let name = if taken { format!("_margay_c{}", self.needed.len()) } else { name.clone() };
            self.needed.push(Needed { source, column, name });
        }
        self.needed.sort_by_key(|needed| (needed.source, needed.column));
        // Two sources of one name, of different schemas, cannot be told apart by it.
        let names = || self.scope.sources.iter().filter_map(|id| self.found.sources.get(*id));
        let twice = names()
            .any(|source| names().filter(|other| same_name(&other.name, &source.name)).count() > 1);
        (!twice).then_some(())
    }

    fn temp_name(&self, source: SourceId, column: usize) -> Option<&str> {
        let found = self.needed.iter().find(|it| it.source == source && it.column == column);
        found.map(|needed| needed.name.as_str())
    }

    fn column_name(&self, needed: &Needed) -> (String, String) {
        let source = self.found.sources.get(needed.source);
        let column = source.and_then(|source| source.columns.as_ref()?.get(needed.column));
        let name = column.map_or(String::new(), |column| column.name.clone());
        (source.map_or(String::new(), |source| source.name.clone()), name)
    }

    /// The statement of the step, over the sources that `from` writes.
    pub(super) fn core(
        &self,
        draft: &Draft<'_>,
        (from, pushed, implied): (&[Piece], &[&Expr], &[String]),
        mut keys: Vec<KeyList>,
    ) -> (Part, Vec<KeyList>) {
        let mut core = Part::default();
        if let Some(with) = self.query.with_span {
            core.append(&draft.cut(with));
            core.add(" ");
        }
        let item = |needed: &Needed| {
            let (source, column) = self.column_name(needed);
            match source.as_str() {
                "" => quoted(&column),
                source => format!("{}.{}", quoted(source), quoted(&column)),
            }
        };
        let items: Vec<String> = self.needed.iter().map(item).collect();
        let items = if items.is_empty() { "1".to_owned() } else { items.join(", ") };
        core.add(&format!("SELECT {items} FROM "));
        core.append(from);
        let several = pushed.len() + implied.len() > 1 || !keys.is_empty();
        for (index, expr) in pushed.iter().enumerate() {
            core.add(if index == 0 { " WHERE " } else { " AND " });
            core.append(&bracketed(draft, expr, several));
        }
        for (index, text) in implied.iter().enumerate() {
            let first = pushed.is_empty() && index == 0;
            core.add(&format!("{}{text}", if first { " WHERE " } else { " AND " }));
        }
        if !keys.is_empty() && pushed.is_empty() && implied.is_empty() {
            core.add(" WHERE TRUE");
        }
        let at = Span::new(0, core.text.len()).end;
        keys.iter_mut().for_each(|key| key.at = at);
        (core, keys)
    }

    /// Keys of earlier steps that its tables are joined with.
    pub(super) fn keys(&self, rewrite: &Rewrite<'_>) -> Vec<KeyList> {
        let sources = self.scope.sources.iter().filter_map(|id| self.found.sources.get(*id));
        sources
            .filter_map(|source| source.table)
            .flat_map(|id| keys(rewrite, self.found, id))
            .collect()
    }

    pub(super) fn columns(&self) -> Vec<TempColumn> {
        let column = |needed: &Needed| {
            let source = self.found.sources.get(needed.source);
            let column = source.and_then(|source| source.columns.as_ref()?.get(needed.column));
            TempColumn {
                name: Some(needed.name.clone()),
                declared: column.and_then(|column| column.declared.as_deref().map(str::to_owned)),
                class: column.and_then(|column| column.class.clone()),
            }
        };
        if self.needed.is_empty() {
            return vec![TempColumn { name: Some("c0".to_owned()), ..TempColumn::default() }];
        }
        self.needed.iter().map(column).collect()
    }

    /// What is left of the block, reading the temporary table. `others`: what else stands in FROM.
    pub(super) fn rest(
        &self,
        alone: &Standalone,
        context: &Context<'_>,
        (name, residual): (&str, &[&'a Expr]),
        others: &[Span],
    ) -> Result<Vec<Piece>, Stop> {
        let mut draft = Draft::new(&alone.part, &context.mode)?;
        self.rename(name, residual, &mut draft);
        let mut filter = Vec::new();
        for (index, expr) in residual.iter().enumerate() {
            filter.push(text_piece(if index > 0 { " AND " } else { "" }));
            filter.extend(bracketed(&draft, expr, residual.len() > 1));
        }
        let alias = self.alias.as_ref();
        let alias = alias.map_or(String::new(), |alias| format!(" AS {}", quoted(alias)));
        let mut tables = vec![text_piece(&format!("{}{alias}", quoted(name)))];
        for span in others {
            tables.push(text_piece(", "));
            tables.extend(draft.cut(*span));
        }
        if let Some(from) = self.select.from_span {
            match &self.select.filter {
                Some(whole) if residual.is_empty() => {
                    draft.remove(Span { start: from.end, end: whole.span.end });
                }
                Some(whole) => draft.replace_with(whole.span, filter),
                None if residual.is_empty() => {}
                None => {
                    tables.push(text_piece(" WHERE "));
                    tables.extend(filter);
                }
            }
            draft.replace_with(from, tables);
        }
        let mut block = vec![text_piece(alone.head)];
        block.extend(draft.rest(alone.at));
        Ok(block)
    }

    /// Names of columns of the sources as those of the temporary table.
    fn rename(&self, name: &str, residual: &[&'a Expr], draft: &mut Draft<'_>) {
        let alias = self.alias.as_ref();
        let owner = alias.map_or(name, String::as_str);
        for column in self.names(residual) {
            if let (Some(table), Some(Some(meaning))) = (&column.table, self.meaning(column))
                && let Some(new) = self.temp_name(meaning.source, meaning.column)
                && (alias.is_none() || column.schema.is_some())
            {
                let start = column.schema.as_ref().map_or(table.span, |schema| schema.span);
                let text = format!("{}.{}", quoted(owner), quoted(new));
                draft.replace(start.to(column.name.span), &text);
            }
        }
        for item in &self.select.items {
            self.name_item(item, owner, draft);
        }
        draft.keep_names(self.found);
    }

    /// Items whose text gives the column another name, and `*`.
    fn name_item(&self, item: &SelectItem, owner: &str, draft: &mut Draft<'_>) {
        match &item.kind {
            SelectItemKind::Expr { expr, alias: None } => {
                if let ExprKind::Column(name) = &expr.kind
                    && let Some(Some(meaning)) = self.meaning(name)
                    && let Some(new) = self.temp_name(meaning.source, meaning.column)
                    && new != name.name.value
                {
                    let alias = format!(" AS {}", quoted(&name.name.value));
                    draft.insert(item.span.end, &alias);
                }
            }
            SelectItemKind::Expr { .. } => {}
            SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => {
                let shown = self.of_star(item).unwrap_or_default();
                let column = |(source, column): (SourceId, usize)| {
                    let needed = Needed { source, column, name: String::new() };
                    let (_, old) = self.column_name(&needed);
                    let new = self.temp_name(source, column).unwrap_or_default();
                    let alias =
                        if new == old { String::new() } else { format!(" AS {}", quoted(&old)) };
                    format!("{}.{}{alias}", quoted(owner), quoted(new))
                };
                let list: Vec<String> = shown.into_iter().map(column).collect();
                draft.replace(item.span, &list.join(", "));
            }
        }
    }
}

/// A condition that stands beside others.
pub(super) fn bracketed(draft: &Draft<'_>, expr: &Expr, several: bool) -> Vec<Piece> {
    let mut pieces = vec![text_piece(if several { "(" } else { "" })];
    pieces.extend(draft.cut(expr.span));
    pieces.push(text_piece(if several { ")" } else { "" }));
    pieces
}
