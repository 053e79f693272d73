//! What filters the rows of one table before they are gathered: its own conditions, the keys of rows
//! that were gathered before, and conditions of broadcast tables that it is joined with.

use super::super::expressions::pairs;
use super::super::model::{Analysis, Filter, Resolved, UseId};
use super::super::splice::quoted;
use super::equal::{self, Equal, alike};
use super::gather::bracketed;
use super::part::{Draft, Part};
use super::push::{Pushed, conjuncts, pushable};
use super::rewrite::{Rewrite, Round};
use super::survey::TableNode;
use super::{KeyList, TempColumn};
use crate::catalog::TableKind;
use crate::sql::Span;
use crate::sql::expr::{Comparison, Expr, ExprKind};
use crate::sql::query::{Body, Query, SelectItemKind, TableExpr};

/// Rows of a table that no server has counted.
const ROWS_UNKNOWN: u64 = 1000;
/// Broadcast tables that filter each other, in a row.
const PARTNERS_MAX: usize = 4;

/// The filters of a table that stands once in the text.
pub(super) struct Filters<'a> {
    pub own: Vec<Pushed<'a>>,
    pub partners: Vec<Partner<'a>>,
    /// Their places are known when the statement is made.
    pub keys: Vec<KeyList>,
    /// Equal rows count once.
    pub distinct: bool,
    /// How many rows may pass, as a guess.
    pub rows: u64,
}

/// A broadcast table that rows of another must meet: `left IN (SELECT right FROM ... WHERE ...)`.
pub(super) struct Partner<'a> {
    left: String,
    right: String,
    /// The table with its alias.
    table: Span,
    /// The alias, else the table's own name.
    name: String,
    own: Vec<Pushed<'a>>,
    partners: Vec<Partner<'a>>,
}

pub(super) fn filters<'a>(rewrite: &Rewrite<'_>, round: Round<'_, 'a>, site: Span) -> Filters<'a> {
    let found = &round.examined.found;
    let uses: Vec<UseId> = (0..found.uses.len())
        .filter(|id| found.uses.get(*id).is_some_and(|used| used.span == site))
        .collect();
    let mut own: Option<Vec<Pushed<'a>>> = None;
    for id in &uses {
        let more = pushable(found, *id);
        own = Some(match own {
            None => more,
            Some(before) => before.into_iter().filter(|one| more.contains(one)).collect(),
        });
    }
    let own = own.unwrap_or_default();
    let (partners, keys) = match uses.as_slice() {
        // The references to a CTE may stand in different joins.
        [id] => (partners(round, *id, &mut vec![*id]), keys(rewrite, found, *id)),
        _ => (Vec::new(), Vec::new()),
    };
    let rows = uses.first().map_or(0, |id| rows(found, *id));
    let rows = own.iter().fold(rows, |rows, pushed| rows / selectivity(pushed));
    let shifts = u32::try_from(partners.len() + 2 * keys.len()).unwrap_or(u32::MAX);
    Filters {
        own,
        partners,
        keys,
        distinct: false,
        rows: rows.checked_shr(shifts * 2).unwrap_or(0),
    }
}

/// How many rows a table has on all shards, as a guess.
pub(super) fn rows(found: &Analysis<'_>, id: UseId) -> u64 {
    let Some(used) = found.uses.get(id) else { return 0 };
    let rows = used.columns.as_ref().map_or(0, |columns| columns.rows);
    let rows = if rows == 0 { ROWS_UNKNOWN } else { rows };
    match &used.table.kind {
        TableKind::Single { .. } | TableKind::Broadcast { .. } => rows,
        TableKind::Sharded(sharded) => rows.saturating_mul(sharded.shards.len() as u64),
    }
}

/// Of how many rows a condition may let one pass.
fn selectivity(pushed: &Pushed<'_>) -> u64 {
    let of = |expr: &&Expr| match &expr.kind {
        ExprKind::Compare { op: Comparison::Eq, .. } => 20,
        ExprKind::In { negated: false, .. } | ExprKind::Other { what: "LIKE", .. } => 10,
        ExprKind::Compare { op: Comparison::NotEq, .. } | ExprKind::Not(_) => 1,
        ExprKind::In { negated: true, .. } | ExprKind::Between { negated: true, .. } => 1,
        _ => 3,
    };
    let branch = |branch: &Vec<&Expr>| branch.iter().map(of).fold(1, u64::saturating_mul);
    pushed.iter().map(branch).min().unwrap_or(1)
}

impl Filters<'_> {
    /// The statement that gathers the columns.
    pub(super) fn statement(
        &mut self,
        draft: &Draft<'_>,
        table: &TableNode<'_>,
        columns: &[TempColumn],
    ) -> Part {
        let mut part = Part::default();
        let names = columns.iter().filter_map(|column| column.name.as_deref());
        let names: Vec<String> = names.map(quoted).collect();
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        part.add(&format!("SELECT {distinct}{} FROM ", names.join(", ")));
        part.append(&draft.cut(table.entry.map_or(table.name.span, |entry| entry.span)));
        let alone = self.keys.is_empty() && self.own.len() + self.partners.len() == 1;
        conditions(&mut part, draft, (&self.own, &self.partners), alone);
        if !self.keys.is_empty() && self.own.is_empty() && self.partners.is_empty() {
            part.add(" WHERE TRUE");
        }
        let at = Span::new(0, part.text.len()).end;
        self.keys.iter_mut().for_each(|key| key.at = at);
        part
    }

    /// All rows of the table pass.
    pub(super) fn is_all(&self) -> bool {
        self.own.is_empty() && self.partners.is_empty() && self.keys.is_empty()
    }

    /// The broadcast tables whose conditions the rows meet.
    pub(super) fn partner_names(&self) -> Vec<String> {
        fn add(partners: &[Partner<'_>], names: &mut Vec<String>) {
            for partner in partners {
                names.push(partner.name.clone());
                add(&partner.partners, names);
            }
        }
        let mut names = Vec::new();
        add(&self.partners, &mut names);
        names
    }

    /// What is said of them beside the table's name.
    pub(super) fn note(&self) -> String {
        let mut parts = Vec::new();
        match self.own.len() {
            0 => {}
            1 => parts.push("a condition".to_owned()),
            count => parts.push(format!("{count} conditions")),
        }
        if !self.partners.is_empty() {
            parts.push("those of broadcast tables beside it".to_owned());
        }
        if !self.keys.is_empty() {
            parts.push("keys of rows that are there already".to_owned());
        }
        let once = if self.distinct { ", equal ones once" } else { "" };
        match parts.is_empty() {
            true if self.distinct => once.to_owned(),
            true => ", all of them".to_owned(),
            false => format!(" by {}{once}", parts.join(" and ")),
        }
    }
}

/// `alone`: no other condition follows.
fn conditions(
    part: &mut Part,
    draft: &Draft<'_>,
    (own, partners): (&[Pushed<'_>], &[Partner<'_>]),
    alone: bool,
) {
    let mut first = true;
    let mut joint = |part: &mut Part| {
        part.add(if first { " WHERE " } else { " AND " });
        first = false;
    };
    for pushed in own {
        joint(part);
        disjunction(part, draft, pushed, alone);
    }
    for partner in partners {
        joint(part);
        part.add(&format!("{} IN (SELECT {} FROM ", partner.left, partner.right));
        part.append(&draft.cut(partner.table));
        let alone = partner.own.len() + partner.partners.len() == 1;
        conditions(part, draft, (&partner.own, &partner.partners), alone);
        part.add(")");
    }
}

fn disjunction(part: &mut Part, draft: &Draft<'_>, pushed: &Pushed<'_>, alone: bool) {
    let bare = alone && pushed.len() == 1;
    part.add(if bare { "" } else { "(" });
    for (index, branch) in pushed.iter().enumerate() {
        part.add(if index == 0 { "" } else { " OR " });
        let several = branch.len() > 1;
        part.add(if several { "(" } else { "" });
        for (index, expr) in branch.iter().enumerate() {
            part.add(if index == 0 { "" } else { " AND " });
            part.append(&bracketed(draft, expr, several || pushed.len() > 1));
        }
        part.add(if several { ")" } else { "" });
    }
    part.add(if bare { "" } else { ")" });
}

/// `source`.`column`.
pub(super) fn text_of(found: &Analysis<'_>, column: &Resolved) -> Option<String> {
    let source = found.sources.get(column.source)?;
    let name = &source.columns.as_ref()?.get(column.column)?.name;
    Some(format!("{}.{}", quoted(&source.name), quoted(name)))
}

/// Conditions of broadcast tables whose rows must be there for a row of the use to matter.
fn partners<'a>(round: Round<'_, 'a>, id: UseId, seen: &mut Vec<UseId>) -> Vec<Partner<'a>> {
    let found = &round.examined.found;
    let mut all = Vec::new();
    if seen.len() > PARTNERS_MAX {
        return all;
    }
    for Equal { own: left, other: right, nest } in equal::all(found, id) {
        let other = found.sources.get(right.source).and_then(|source| source.table);
        let Some(other) = other.filter(|other| !seen.contains(other)) else { continue };
        let Some(used) = found.uses.get(other) else { continue };
        let entry = round.survey.tables.iter().find(|table| table.name.span == used.span);
        let entry = entry.and_then(|table| table.entry);
        let broadcast = matches!(used.table.kind, TableKind::Broadcast { .. });
        let beside = found.canonical(used.nest) == found.canonical(nest);
        let texts = text_of(found, left).zip(text_of(found, right));
        let (true, true, Some(entry), Some((left, right))) = (broadcast, beside, entry, texts)
        else {
            continue;
        };
        let own = pushable(found, other);
        seen.push(other);
        let partners = partners(round, other, seen);
        if !own.is_empty() || !partners.is_empty() {
            let name = entry.exposed_name().value.clone();
            all.push(Partner { left, right, table: entry.span, name, own, partners });
        }
    }
    all
}

/// Columns of a use that equal columns of rows that earlier steps have.
pub(super) fn keys(rewrite: &Rewrite<'_>, found: &Analysis<'_>, id: UseId) -> Vec<KeyList> {
    let mut keys: Vec<KeyList> = Vec::new();
    let mut add = |own: &Resolved, temporary: &str, column: usize| {
        let step = rewrite
            .steps
            .iter()
            .position(|step| step.temp.names.iter().any(|name| name == temporary));
        let Some(step) = step.filter(|step| !rewrite.unlisted.contains(step)) else { return };
        let class =
            rewrite.steps.get(step).and_then(|step| step.temp.columns.get(column)?.class.as_ref());
        let (Some(class), Some(own_class)) = (class, own.class.as_ref()) else { return };
        let Some(expr) = text_of(found, own).filter(|_| alike(own_class, class)) else { return };
        let key = KeyList { at: 0, expr, step, column };
        if !keys.contains(&key) {
            keys.push(key);
        }
    };
    for Equal { own, other, .. } in equal::all(found, id) {
        let source = found.sources.get(other.source);
        if let Some(temporary) = source.and_then(|source| source.temporary.as_deref()) {
            add(own, temporary, other.column);
        }
    }
    for filter in &found.filters {
        let within = found.uses.get(id).is_some_and(|used| found.within(used.nest, filter.nest));
        let subquery = match &filter.expr.kind {
            ExprKind::InQuery { expr, query, negated: false } => Some((expr, query)),
            ExprKind::Compare { op: Comparison::Eq, left, right } => match &right.kind {
                ExprKind::Subquery(query) => Some((left, query)),
                _ => None,
            },
            _ => None,
        };
        if let Some((expr, query)) = subquery
            && let ExprKind::Column(name) = &expr.kind
            && let Some(own) = found.meaning(filter.instance, name)
            && let Some(temporary) = plain_rows(query).filter(|_| within)
            && found.sources.get(own.source).is_some_and(|source| source.table == Some(id))
        {
            add(own, temporary, 0);
        }
    }
    keys
}

/// `SELECT * FROM t`, which is what stands in place of a subquery.
pub(super) fn plain_rows(query: &Query) -> Option<&str> {
    let Body::Select(select) = &query.body else { return None };
    let ([item], [TableExpr::Table(table)]) = (select.items.as_slice(), select.from.as_slice())
    else {
        return None;
    };
    let bare = query.limit.is_none() && select.filter.is_none() && select.group_by.is_empty();
    let star = matches!(item.kind, SelectItemKind::Wildcard) && select.having.is_none();
    (bare && star && table.table.schema.is_none()).then_some(table.table.name.value.as_str())
}

/// A row that is joined with this column finds its partner by the key of a broadcast table beside it, and
/// need not be found from there: what filters that table has filtered the rows before.
fn leads_on(found: &Analysis<'_>, filter: &Filter<'_>, column: &Resolved) -> bool {
    let table = found.sources.get(column.source).and_then(|source| source.table);
    let Some(used) = table.and_then(|table| found.uses.get(table)) else { return false };
    let columns = used.columns.as_ref().map_or(&[][..], |columns| columns.columns.as_slice());
    let mut key = columns.iter().enumerate().filter(|(_, column)| column.primary);
    let is_key =
        key.next().is_some_and(|(index, _)| index == column.column) && key.next().is_none();
    let beside = found.canonical(used.nest) == found.canonical(filter.nest);
    let broadcast = matches!(used.table.kind, TableKind::Broadcast { .. });
    beside && broadcast && !column.outer && is_key
}

/// The conjuncts of all filters, for whoever looks for lookups.
pub(super) fn looked_up(found: &Analysis<'_>) -> Vec<(String, usize)> {
    let mut all = Vec::new();
    for filter in &found.filters {
        for expr in conjuncts(filter.expr) {
            let ExprKind::Compare { op: Comparison::Eq, left, right } = &expr.kind else {
                continue;
            };
            for (left, right) in pairs(left, right) {
                let column = |expr: &Expr| match &expr.kind {
                    ExprKind::Column(name) => found.meaning(filter.instance, name),
                    _ => None,
                };
                let (Some(left), Some(right)) = (column(left), column(right)) else { continue };
                for (one, other) in [(left, right), (right, left)] {
                    if leads_on(found, filter, other) && !one.outer {
                        continue;
                    }
                    let source = found.sources.get(one.source);
                    if let Some(name) = source.and_then(|source| source.temporary.clone())
                        && left.source != right.source
                    {
                        all.push((name, one.column));
                    }
                }
            }
        }
    }
    all
}
