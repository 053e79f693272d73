//! Groups over several shards beside expressions that only whole groups have: shards group, partial
//! results fold into one row a group, and the block runs over these rows.

use super::super::facts::Stop;
use super::super::functions;
use super::super::model::{Analysis, Block, same_name};
use super::super::outputs::has_aggregates;
use super::super::planner::Context;
use super::super::splice::{quoted, text_piece};
use super::part::{Draft, Part};
use super::push::is_simple;
use super::rewrite::{Rewrite, Round, attempt};
use super::stage::{Examined, examine};
use super::subquery::is_closed;
use super::survey::{NodeId, Role};
use super::{Temp, TempColumn};
use crate::sql::expr::{ColumnName, Expr, ExprKind, Function};
use crate::sql::query::{Body, OrderItem, Query, Select, SelectItem, SelectItemKind};
use crate::sql::{Span, parse};

/// Aggregates whose partial results fold.
const FOLDABLE: [&str; 8] = ["avg", "bit_and", "bit_or", "bit_xor", "count", "max", "min", "sum"];

/// How the step computes an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Same,
    /// Of the argument of AVG.
    Sum,
    Count,
}

/// A grouped block being taken apart.
struct Groups<'x, 'a> {
    text: &'x [u8],
    found: &'x Analysis<'a>,
    query: &'a Query,
    select: &'a Select,
    block: &'x Block,
    /// What groups are made by.
    keys: Vec<&'a Expr>,
    /// Calls of aggregates, each once.
    aggregates: Vec<(&'a Expr, Form)>,
    /// What is put where.
    edits: Vec<(Span, String)>,
    name: String,
}

/// Makes a step of the groups of a block.
pub(super) fn cut(
    rewrite: &mut Rewrite<'_>,
    round: Round<'_, '_>,
    id: NodeId,
    context: &Context<'_>,
) -> Result<bool, Stop> {
    let Some(node) = round.survey.nodes.get(id) else { return Ok(false) };
    let Body::Select(own) = &node.query.body else { return Ok(false) };
    let lateral = matches!(node.role, Role::Derived { lateral: true, .. });
    let grouped = !own.group_by.is_empty() || has_aggregates(own);
    if lateral || !grouped || own.rollup || own.from.is_empty() {
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
    let name = rewrite.peek_name();
    let Some(groups) = Groups::new(&alone.part, &examined, name.clone()) else { return Ok(false) };
    let draft = Draft::new(&alone.part, &context.mode)?;
    let core = groups.core(&draft);
    let planned = parse(&core.text, &context.mode)?;
    let Some(core_found) = attempt(examine(&core, &planned, context))? else { return Ok(false) };
    if core_found.obstacle(context, rewrite.limits()).is_some() {
        return Ok(false);
    }
    rewrite.name();
    let mut draft = Draft::new(&alone.part, &context.mode)?;
    groups.rest(&mut draft);
    draft.keep_names(&examined.found);
    let mut block = vec![text_piece(alone.head)];
    block.extend(draft.rest(alone.at));
    rewrite.note(format!("{name}: a row for each group, partial results of the shards folded"));
    let columns = groups.columns(&core_found);
    rewrite.put(round, id, block)?;
    let temp =
        Temp { names: vec![name], columns, indexes: Vec::new(), unique: None, broadcast: false };
    rewrite.add_step(&core, &core_found, temp);
    Ok(true)
}

impl<'x, 'a> Groups<'x, 'a> {
    /// None: the block needs more than groups and foldable aggregates.
    fn new(part: &'x Part, examined: &'x Examined<'a>, name: String) -> Option<Self> {
        let query = examined.query;
        let Body::Select(select) = &query.body else { return None };
        let found = &examined.found;
        let mut blocks = found.blocks.iter();
        let block = blocks.find(|block| block.span == select.span && block.instance == 0)?;
        let known = |id: &usize| found.sources.get(*id).is_some_and(|s| s.columns.is_some());
        if !block.scope.sources.iter().all(known) || query.locking.is_some() {
            return None;
        }
        let (keys, aggregates, edits) = (Vec::new(), Vec::new(), Vec::new());
        let text = part.text.as_slice();
        let mut groups = Self { text, found, query, select, block, keys, aggregates, edits, name };
        for item in &select.group_by {
            let key = groups.key(item)?;
            groups.keys.push(key);
        }
        for item in &select.items {
            groups.item(item)?;
        }
        for item in &select.group_by {
            if !groups.is_alias(&item.expr) && !matches!(item.expr.kind, ExprKind::Literal(_)) {
                groups.replace(&item.expr, false)?;
            }
        }
        let rest = select.having.iter().chain(&select.windows);
        rest.into_iter().try_for_each(|expr| groups.replace(expr, true))?;
        for item in &query.order_by {
            let alias = matches!(&item.expr.kind, ExprKind::Column(name)
                if name.table.is_none() && groups.aliased(name).is_some());
            if !alias && !matches!(item.expr.kind, ExprKind::Literal(_)) {
                groups.replace(&item.expr, true)?;
            }
        }
        Some(groups)
    }

    fn text_of(&self, expr: &Expr) -> &'x [u8] {
        self.text.get(expr.span.range()).unwrap_or_default()
    }

    /// A column of the block's FROM, by its source and index.
    fn column(&self, name: &ColumnName) -> Option<(usize, usize)> {
        let meaning = self.found.meaning(0, name)?;
        let own = self.block.scope.sources.contains(&meaning.source);
        own.then_some((meaning.source, meaning.column))
    }

    /// The item with an alias of this name.
    fn aliased(&self, name: &ColumnName) -> Option<&'a Expr> {
        self.select.items.iter().find_map(|item| match &item.kind {
            SelectItemKind::Expr { expr, alias: Some(alias) }
                if same_name(&alias.value, &name.name.value) =>
            {
                Some(expr)
            }
            _ => None,
        })
    }

    /// A bare name that means no column of FROM but an alias.
    fn is_alias(&self, expr: &Expr) -> bool {
        let ExprKind::Column(name) = &expr.kind else { return false };
        let unknown = self.found.meaning(0, name).is_none();
        name.table.is_none() && unknown && self.aliased(name).is_some()
    }

    /// The expression that a GROUP BY item stands for.
    fn key(&self, item: &'a OrderItem) -> Option<&'a Expr> {
        use crate::sql::expr::Literal;
        let expr = match &item.expr.kind {
            ExprKind::Literal(Literal::Integer(text)) => {
                let index = text.parse::<usize>().ok()?.checked_sub(1)?;
                match &self.select.items.get(index)?.kind {
                    SelectItemKind::Expr { expr, .. } => expr,
                    SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => {
                        return None;
                    }
                }
            }
            ExprKind::Column(name) if self.is_alias(&item.expr) => self.aliased(name)?,
            _ => &item.expr,
        };
        let (mut columns, mut certain) = (false, true);
        expr.walk(&mut |node| match &node.kind {
            ExprKind::Column(name) => {
                columns = true;
                certain &= self.column(name).is_some();
            }
            // Two parameters may have different values.
            ExprKind::Param(_) => certain = false,
            _ => {}
        });
        (columns && certain && is_simple(expr)).then_some(expr)
    }

    fn item(&mut self, item: &'a SelectItem) -> Option<()> {
        let SelectItemKind::Expr { expr, alias } = &item.kind else { return None };
        self.replace(expr, false)?;
        if let (ExprKind::Column(name), None) = (&expr.kind, alias) {
            let end = Span { start: item.span.end, end: item.span.end };
            self.edits.push((end, format!(" AS {}", quoted(&name.name.value))));
        }
        Some(())
    }

    /// Puts columns of the temporary table in place of keys and aggregates. `late`: aliases may be meant.
    fn replace(&mut self, expr: &'a Expr, late: bool) -> Option<()> {
        if let Some(index) = self.keys.iter().position(|key| self.same(key, expr)) {
            if late && self.clashes(expr) {
                return None;
            }
            self.edits.push((expr.span, self.reference(index)));
            return Some(());
        }
        match &expr.kind {
            ExprKind::Function(function) if is_aggregate(function) => {
                let text = self.aggregate(expr, function)?;
                self.edits.push((expr.span, text));
                return Some(());
            }
            ExprKind::Column(_) => return (late && self.is_alias(expr)).then_some(()),
            _ => {}
        }
        if !expr.queries().is_empty() {
            return None;
        }
        expr.children().into_iter().try_for_each(|child| self.replace(child, late))
    }

    /// Some column in it has the name of an alias for something else.
    fn clashes(&self, expr: &Expr) -> bool {
        let mut clash = false;
        expr.walk(&mut |node| {
            if let ExprKind::Column(name) = &node.kind
                && name.table.is_none()
            {
                clash |= self.aliased(name).is_some_and(|other| !self.same(other, node));
            }
        });
        clash
    }

    /// Both are the same column or have the same text.
    fn same(&self, one: &Expr, other: &Expr) -> bool {
        match (&one.kind, &other.kind) {
            (ExprKind::Column(one), ExprKind::Column(other)) => {
                self.column(one).is_some() && self.column(one) == self.column(other)
            }
            _ => self.text_of(one) == self.text_of(other),
        }
    }

    /// What stands for an aggregate: of its one value in each group, MAX keeps the value and its type.
    fn aggregate(&mut self, expr: &'a Expr, function: &Function) -> Option<String> {
        let foldable = FOLDABLE.contains(&function.name.as_str());
        let extreme = matches!(function.name.as_str(), "min" | "max");
        let mut simple = true;
        for arg in &function.args {
            simple &= is_simple(arg);
            arg.walk(&mut |node| {
                if let ExprKind::Column(name) = &node.kind {
                    simple &= self.column(name).is_some();
                }
            });
        }
        if !foldable || (function.distinct && !extreme) || !simple {
            return None;
        }
        if function.name != "avg" {
            return Some(format!("MAX({})", self.computed(expr, Form::Same)));
        }
        // Inside of expressions, AVG has more digits than the column of an answer would have.
        let (sum, count) = (self.computed(expr, Form::Sum), self.computed(expr, Form::Count));
        Some(format!("(MAX({sum}) / NULLIF(MAX({count}), 0))"))
    }

    /// The column with an aggregate, which is added if it is not there.
    fn computed(&mut self, expr: &'a Expr, form: Form) -> String {
        let mut params = false;
        expr.walk(&mut |node| params |= matches!(node.kind, ExprKind::Param(_)));
        let same = |(other, as_form): &(&Expr, Form)| {
            !params && *as_form == form && self.text_of(other) == self.text_of(expr)
        };
        let index = self.aggregates.iter().position(same).unwrap_or_else(|| {
            self.aggregates.push((expr, form));
            self.aggregates.len() - 1
        });
        self.reference(self.keys.len() + index)
    }

    fn reference(&self, index: usize) -> String {
        format!("{}.{}", quoted(&self.name), quoted(&column_name(index)))
    }

    /// The statement of the step.
    fn core(&self, draft: &Draft<'_>) -> Part {
        let mut core = Part::default();
        if let Some(with) = self.query.with_span {
            core.append(&draft.cut(with));
            core.add(" ");
        }
        core.add("SELECT ");
        for (index, expr) in self.keys.iter().enumerate() {
            core.add(if index > 0 { ", " } else { "" });
            core.append(&draft.cut(expr.span));
        }
        for (index, (expr, form)) in self.aggregates.iter().enumerate() {
            core.add(if index > 0 || !self.keys.is_empty() { ", " } else { "" });
            let (name, span) = match (&expr.kind, form) {
                (ExprKind::Function(function), Form::Sum) => ("SUM(", function.args_span),
                (ExprKind::Function(function), Form::Count) => ("COUNT(", function.args_span),
                _ => ("", expr.span),
            };
            core.add(name);
            core.append(&draft.cut(span));
            core.add(if name.is_empty() { "" } else { ")" });
        }
        core.add(" FROM ");
        if let Some(from) = self.select.from_span {
            core.append(&draft.cut(from));
        }
        if let Some(filter) = &self.select.filter {
            core.add(" WHERE ");
            core.append(&draft.cut(filter.span));
        }
        for (index, expr) in self.keys.iter().enumerate() {
            core.add(if index > 0 { ", " } else { " GROUP BY " });
            core.append(&draft.cut(expr.span));
        }
        core
    }

    fn columns(&self, core: &Examined<'_>) -> Vec<TempColumn> {
        let count = self.keys.len() + self.aggregates.len();
        let column = |index: usize| {
            let output = core.outputs.as_ref().and_then(|outputs| outputs.get(index));
            let name = column_name(index);
            match output {
                Some(output) => super::rewrite::column_of(output, name),
                None => TempColumn { name: Some(name), ..TempColumn::default() },
            }
        };
        (0..count).map(column).collect()
    }

    /// The block over the temporary table.
    fn rest(&self, draft: &mut Draft<'_>) {
        for (span, text) in &self.edits {
            match span.start == span.end {
                true => draft.insert(span.start, text),
                false => draft.replace(*span, text),
            }
        }
        let Some(from) = self.select.from_span else { return };
        draft.replace(from, &quoted(&self.name));
        if let Some(filter) = &self.select.filter {
            draft.remove(Span { start: from.end, end: filter.span.end });
        }
    }
}

/// A name that no alias of the user has.
fn column_name(index: usize) -> String {
    format!("_margay_c{index}")
}

fn is_aggregate(function: &Function) -> bool {
    !function.window && functions::is_aggregate(&function.name)
}
