//! Tables whose rows are gathered by themselves, filtered as far as conditions allow.

use super::super::facts::{Column, Stop};
use super::super::model::{Analysis, SourceId, UseId, same_name};
use super::super::outputs::has_aggregates;
use super::super::planner::Context;
use super::super::splice::quoted;
use super::filter::filters;
use super::part::Draft;
use super::push;
use super::rewrite::{Rewrite, Round, attempt};
use super::stage::examine;
use super::survey::{Role, TableNode};
use super::{Temp, TempColumn};
use crate::error::Error;
use crate::sql::expr::{ColumnName, Expr, ExprKind};
use crate::sql::query::{Body, JoinConstraint, Select, SelectItemKind, TableExpr};
use crate::sql::walk::{self, Node};
use crate::sql::{Span, parse};

/// Values of all rows of a table with more of them make no condition.
const LISTED_ROWS_MAX: u64 = 10_000;

/// Makes a step of one table: of that which is likely to have the fewest rows.
pub(super) fn cut(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    let remote = |table: &&TableNode<'_>| rewrite.remote(&table.meaning);
    let candidates: Vec<&TableNode<'_>> = round.survey.tables.iter().filter(remote).collect();
    let Some(table) = smallest(rewrite, round, candidates) else { return Ok(false) };
    rewrite.part = step(rewrite, round, table, context)?.finish();
    Ok(true)
}

/// The table with the fewest rows that its filters let pass, the first of equal ones.
pub(super) fn smallest<'r, 'a>(
    rewrite: &Rewrite<'_>,
    round: Round<'r, 'a>,
    candidates: Vec<&'r TableNode<'a>>,
) -> Option<&'r TableNode<'a>> {
    let size = |table: &TableNode<'_>| filters(rewrite, round, table.name.span).rows;
    let sized = candidates.into_iter().map(|table| (size(table), table));
    let best = sized.min_by_key(|(rows, table)| (*rows, table.name.span));
    best.map(|(_, table)| table)
}

/// Adds the step of a table; gives the text around it, where its rows are read instead.
pub(super) fn step<'a>(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, 'a>,
    table: &TableNode<'_>,
    context: &Context<'_>,
) -> Result<Draft<'a>, Stop> {
    let found = &round.examined.found;
    let site = table.name.span;
    let Some(id) = found.uses.iter().position(|used| used.span == site) else {
        return Err(Error::internal("a table that was not read").into());
    };
    // What is asked of the rows says which columns depend on others, too.
    let met = if rewrite.options.shape_only { Vec::new() } else { met(round, table, id) };
    let columns = needed(round, table, id, &met)?;
    let draft = Draft::new(round.part, &context.mode)?;
    let mut filters = filters(rewrite, round, site);
    filters.distinct = rewrite.locking().is_empty() && is_set(round, table, &columns);
    if rewrite.options.shape_only {
        (filters.own, filters.partners, filters.keys) = Default::default();
    }
    let mut part = filters.statement(&draft, table, &columns);
    if (filters.distinct || !filters.partners.is_empty()) && !runs(rewrite, &part, context)? {
        filters.partners.clear();
        filters.distinct = false;
        part = filters.statement(&draft, table, &columns);
    }
    match rewrite.options.shape_only {
        true => part.add(" WHERE FALSE"),
        false => rewrite.lock(&mut part),
    }
    let planned = parse(&part.text, &context.mode)?;
    let examined = examine(&part, &planned, context)?;
    if let Some(why) = examined.obstacle(context, rewrite.limits()) {
        let message = format!("{why} is not supported over several shards");
        return Err(Error::unsupported(message).into());
    }
    let name = rewrite.name();
    rewrite.note(format!("{name}: rows of `{}`{}", table.name.name.value, filters.note()));
    let mut draft = Draft::new(round.part, &context.mode)?;
    match table.entry {
        Some(entry) => {
            let exposed = quoted(&entry.exposed_name().value);
            draft.replace(entry.span, &format!("{} AS {exposed}", quoted(&name)));
        }
        None => draft.replace(site, &quoted(&name)),
    }
    drop_schemas(found, site, &mut draft);
    met.iter().for_each(|expr| draft.replace(expr.span, "TRUE"));
    draft.keep_names(found);
    let used = found.uses.get(id).and_then(|used| used.columns.as_ref());
    let unique = used.filter(|_| rewrite.options.shape_only);
    let unique = unique.and_then(|known| unique_keys(known.unique.as_ref()?, &columns));
    let temp = Temp { names: vec![name], columns, indexes: Vec::new(), unique, broadcast: false };
    rewrite.join_last(temp.names.clone(), filters.partner_names());
    if filters.is_all() && filters.rows > LISTED_ROWS_MAX {
        rewrite.unlisted.push(rewrite.steps.len());
    }
    let keys = filters.keys;
    rewrite.add_rows(&part, &examined, temp);
    rewrite.add_keys(keys);
    Ok(draft)
}

/// Those keys whose columns are all there, by the indexes of these: the others tell nothing about a
/// statement that does not name one of their columns.
fn unique_keys(keys: &[Vec<String>], columns: &[TempColumn]) -> Option<Vec<Vec<usize>>> {
    let place = |name: &String| {
        let is = |column: &TempColumn| column.name.as_ref().is_some_and(|own| same_name(own, name));
        columns.iter().position(is)
    };
    let whole = |key: &Vec<String>| key.iter().map(place).collect::<Option<Vec<usize>>>();
    Some(keys.iter().filter_map(whole).collect())
}

fn runs(
    rewrite: &Rewrite<'_>,
    part: &super::part::Part,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    let planned = parse(&part.text, &context.mode)?;
    let found = attempt(examine(part, &planned, context))?;
    Ok(found.is_some_and(|found| found.obstacle(context, rewrite.limits()).is_none()))
}

/// Conditions that all gathered rows meet and that read columns which nothing else does: without them
/// these columns need not be gathered.
fn met<'a>(round: Round<'_, 'a>, table: &TableNode<'_>, id: UseId) -> Vec<&'a Expr> {
    let site = table.name.span;
    let uses = round.examined.found.uses.iter().filter(|used| used.span == site);
    if uses.count() != 1 || is_starred(round, table) {
        return Vec::new();
    }
    let mut met = push::met(&round.examined.found, id);
    let others = named(round, site, &met);
    met.retain(|expr| {
        let mut alone = false;
        expr.walk(&mut |node| {
            if let ExprKind::Column(name) = &node.kind {
                alone |= !others.iter().any(|other| same_name(other, &name.name.value));
            }
        });
        alone
    });
    met
}

/// Rows of the table that are equal in these columns are as good as one: it is asked whether there is any.
fn is_set(round: Round<'_, '_>, table: &TableNode<'_>, columns: &[TempColumn]) -> bool {
    use super::super::facts::ColumnClass as C;
    let Some(node) = round.survey.nodes.get(table.node) else { return false };
    let Body::Select(select) = &node.query.body else { return false };
    let grouped = !select.group_by.is_empty() || has_aggregates(select);
    let plain = !grouped && select.having.is_none() && node.query.limit.is_none();
    let found = &round.examined.found;
    let used = found.uses.iter().find(|used| used.span == table.name.span);
    let known = used.and_then(|used| used.columns.as_ref()).map(|known| known.columns.as_slice());
    // Columns of which equal values are the same ones, and not those of a key.
    let fits = |column: &TempColumn| {
        let exact = matches!(
            column.class,
            Some(C::Integer { .. } | C::Decimal { .. } | C::Date | C::DateTime { .. } | C::Year)
        );
        let name = column.name.as_deref().unwrap_or_default();
        let own = known.and_then(|known| known.iter().find(|own| same_name(&own.name, name)));
        exact && own.is_some_and(|own| !own.primary)
    };
    matches!(node.role, Role::Subquery { exists: true })
        && plain
        && !round.examined.random()
        && columns.iter().all(fits)
}

/// `*` or a NATURAL join beside the table may mean all of its columns.
fn is_starred(round: Round<'_, '_>, table: &TableNode<'_>) -> bool {
    let node = round.survey.nodes.get(table.node);
    // What EXISTS selects does not matter.
    let exists = node.is_some_and(|node| matches!(node.role, Role::Subquery { exists: true }));
    node.is_none_or(|node| shows_all(&node.query.body, table, exists))
}

/// Columns of a table that the statement may mean outside of the conditions `met`, in their order.
fn needed(
    round: Round<'_, '_>,
    table: &TableNode<'_>,
    id: UseId,
    met: &[&Expr],
) -> Result<Vec<TempColumn>, Stop> {
    let found = &round.examined.found;
    let used = found.uses.get(id).and_then(|used| used.columns.as_ref());
    let Some(columns) = used else {
        return Err(Error::internal("a table without known columns").into());
    };
    let starred = is_starred(round, table);
    let named = named(round, table.name.span, met);
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
    let column = |column: &&Column| TempColumn {
        name: Some(column.name.clone()),
        declared: Some(column.declared.clone()).filter(|text| !text.is_empty()),
        class: Some(column.class.clone()),
    };
    Ok(wanted.iter().map(column).collect())
}

/// Names outside of the conditions `met` that are, or may be, of columns of the table at `site`.
fn named<'a>(round: Round<'_, 'a>, site: Span, met: &[&Expr]) -> Vec<&'a str> {
    let mut named: Vec<&str> = Vec::new();
    walk::query(round.examined.query, &mut |node| match node {
        Node::Expr(Expr { kind: ExprKind::Column(name), .. }) => {
            let inside = met.iter().any(|expr| expr.span.contains(name.name.span));
            if !inside && may_be(&round.examined.found, name, site) {
                named.push(&name.name.value);
            }
        }
        Node::Query(query) => {
            if let Body::Select(select) = &query.body {
                select.from.iter().for_each(|entry| joined(entry, &mut named));
            }
        }
        Node::Expr(_) | Node::UnnamedItem(_) | Node::Table(_) => {}
    });
    named
}

/// The name is, or may be, one of a column of the table at `site`.
fn may_be(found: &Analysis<'_>, name: &ColumnName, site: Span) -> bool {
    let own = |source: SourceId| found.sources.get(source).is_some_and(|own| own.span == site);
    let mut meanings = found.columns.iter().filter(|((_, span), _)| *span == name.name.span);
    meanings.any(|(_, meaning)| meaning.as_ref().is_none_or(|meaning| own(meaning.source)))
}

/// `*`, `t.*` or a NATURAL join beside the table need all of its columns.
fn shows_all(body: &Body, table: &TableNode<'_>, exists: bool) -> bool {
    let Body::Select(select) = body else { return true };
    let exposed = table.entry.map(|entry| entry.exposed_name().value.as_str());
    let star = select.items.iter().any(|item| match &item.kind {
        SelectItemKind::Wildcard => true,
        SelectItemKind::QualifiedWildcard { table, .. } => {
            exposed.is_none_or(|exposed| same_name(exposed, &table.value))
        }
        SelectItemKind::Expr { .. } => false,
    });
    (star && !exists) || is_natural(select)
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
