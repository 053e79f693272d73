//! The queries of a statement, which of them see which CTEs, and the tables they name.

use std::sync::Arc;

use super::super::planner::Context;
use crate::catalog::Table;
use crate::sql::Span;
use crate::sql::expr::{Expr, Name};
use crate::sql::query::{
    Body, Cte, JoinConstraint, Query, Select, SelectItemKind, TableExpr, TableName, TableRef,
};

/// Index into [`Survey::nodes`].
pub(super) type NodeId = usize;
/// Index into [`Survey::ctes`]; a definition refers to smaller ones, and to itself.
pub(super) type CteId = usize;

/// Where a query stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role<'a> {
    Top,
    Derived {
        alias: Option<&'a Name>,
        columns: &'a [Name],
        lateral: bool,
        span: Span,
    },
    Cte(CteId),
    /// In an expression.
    Subquery {
        exists: bool,
    },
    /// An operand of a set operation, or inside of parentheses.
    Branch,
}

#[derive(Debug)]
pub(super) struct Node<'a> {
    pub query: &'a Query,
    pub role: Role<'a>,
    pub parent: Option<NodeId>,
}

#[derive(Debug)]
pub(super) struct CteNode<'a> {
    pub cte: &'a Cte,
    /// The query whose WITH clause it stands in.
    pub owner: NodeId,
    pub body: NodeId,
}

/// What a name in FROM means.
#[derive(Debug, Clone)]
pub(super) enum Meaning {
    Cte(CteId),
    Temporary,
    Table(Arc<Table>),
    System,
}

#[derive(Debug)]
pub(super) struct TableNode<'a> {
    pub name: &'a TableName,
    /// None: `TABLE t`.
    pub entry: Option<&'a TableRef>,
    pub meaning: Meaning,
    /// The query in whose FROM it stands.
    pub node: NodeId,
}

/// Everything is in the order of the text, outer queries before inner ones.
#[derive(Debug, Default)]
pub(super) struct Survey<'a> {
    pub nodes: Vec<Node<'a>>,
    pub ctes: Vec<CteNode<'a>>,
    pub tables: Vec<TableNode<'a>>,
}

impl<'a> Survey<'a> {
    pub(super) fn new(query: &'a Query, context: &Context<'_>) -> Self {
        let mut walk = Walk { survey: Self::default(), context };
        walk.query(query, Role::Top, None, &[]);
        walk.survey
    }

    /// Tables named inside of a span.
    pub(super) fn within(&self, span: Span) -> impl Iterator<Item = &TableNode<'a>> {
        self.tables.iter().filter(move |table| span.contains(table.name.span))
    }

    /// Some table for which `wanted` holds is read inside of the span, or by a CTE that it refers to.
    pub(super) fn reads(&self, span: Span, wanted: &dyn Fn(&Meaning) -> bool) -> bool {
        let mut open = vec![span];
        let mut seen = Vec::new();
        while let Some(span) = open.pop() {
            for table in self.within(span) {
                if wanted(&table.meaning) {
                    return true;
                }
                if let Meaning::Cte(id) = table.meaning
                    && !seen.contains(&id)
                {
                    seen.push(id);
                    open.extend(self.ctes.get(id).map(|cte| cte.cte.span));
                }
            }
        }
        false
    }

    /// The CTEs defined outside of the query that it needs, in their order.
    pub(super) fn needed(&self, query: &Query) -> Vec<CteId> {
        let mut needed: Vec<CteId> = Vec::new();
        let mut open = vec![query.span];
        while let Some(span) = open.pop() {
            for table in self.within(span) {
                let Meaning::Cte(id) = table.meaning else { continue };
                let Some(cte) = self.ctes.get(id) else { continue };
                if !query.span.contains(cte.cte.span) && !needed.contains(&id) {
                    needed.push(id);
                    open.push(cte.cte.span);
                }
            }
        }
        needed.sort_unstable();
        needed
    }

    /// References to a CTE from outside of it.
    pub(super) fn references(&self, id: CteId) -> Vec<&TableNode<'a>> {
        let Some(own) = self.ctes.get(id).map(|cte| cte.cte.span) else { return Vec::new() };
        let refers = |table: &&TableNode<'a>| matches!(table.meaning, Meaning::Cte(to) if to == id);
        let outside = |table: &&TableNode<'a>| !own.contains(table.name.span);
        self.tables.iter().filter(refers).filter(outside).collect()
    }

    /// Names of an enclosing block may be meant inside of the query.
    pub(super) fn has_outer(&self, id: NodeId) -> bool {
        let mut at = Some(id);
        while let Some(node) = at.and_then(|id| self.nodes.get(id)) {
            match node.role {
                Role::Subquery { .. } | Role::Derived { lateral: true, .. } => return true,
                Role::Top => return false,
                Role::Derived { .. } | Role::Cte(_) | Role::Branch => at = node.parent,
            }
        }
        false
    }
}

struct Walk<'c, 'a> {
    survey: Survey<'a>,
    context: &'c Context<'c>,
}

impl<'a> Walk<'_, 'a> {
    fn query(
        &mut self,
        query: &'a Query,
        role: Role<'a>,
        parent: Option<NodeId>,
        visible: &[CteId],
    ) -> NodeId {
        let node = self.survey.nodes.len();
        self.survey.nodes.push(Node { query, role, parent });
        let mut inner = visible.to_vec();
        for cte in &query.with {
            let id = self.survey.ctes.len();
            self.survey.ctes.push(CteNode { cte, owner: node, body: 0 });
            let mut seen = inner.clone();
            if cte.recursive {
                seen.push(id);
            }
            let body = self.query(&cte.query, Role::Cte(id), Some(node), &seen);
            if let Some(found) = self.survey.ctes.get_mut(id) {
                found.body = body;
            }
            inner.push(id);
        }
        match &query.body {
            Body::Select(select) => self.select(select, node, &inner),
            Body::SetOperation { left, right, .. } => {
                self.query(left, Role::Branch, Some(node), &inner);
                self.query(right, Role::Branch, Some(node), &inner);
            }
            Body::Values(rows) => {
                rows.iter().flatten().for_each(|value| self.expr(value, node, &inner));
            }
            Body::Table(name) => self.table(name, None, node, &inner),
            Body::Nested(nested) => {
                self.query(nested, Role::Branch, Some(node), &inner);
            }
        }
        query.order_by.iter().for_each(|item| self.expr(&item.expr, node, &inner));
        node
    }

    fn select(&mut self, select: &'a Select, node: NodeId, visible: &[CteId]) {
        select.from.iter().for_each(|entry| self.table_expr(entry, node, visible));
        for item in &select.items {
            if let SelectItemKind::Expr { expr, .. } = &item.kind {
                self.expr(expr, node, visible);
            }
        }
        let clauses = select.filter.iter().chain(&select.having).chain(&select.windows);
        let grouped = select.group_by.iter().map(|item| &item.expr);
        clauses.chain(grouped).for_each(|expr| self.expr(expr, node, visible));
    }

    fn table_expr(&mut self, entry: &'a TableExpr, node: NodeId, visible: &[CteId]) {
        match entry {
            TableExpr::Table(entry) => self.table(&entry.table, Some(entry), node, visible),
            TableExpr::Derived { query, alias, columns, lateral, span } => {
                let (alias, lateral, span) = (alias.as_ref(), *lateral, *span);
                let role = Role::Derived { alias, columns, lateral, span };
                self.query(query, role, Some(node), visible);
            }
            TableExpr::Join(join) => {
                self.table_expr(&join.left, node, visible);
                self.table_expr(&join.right, node, visible);
                if let JoinConstraint::On(on) = &join.constraint {
                    self.expr(on, node, visible);
                }
            }
            TableExpr::Function { args, .. } => {
                args.iter().for_each(|arg| self.expr(arg, node, visible));
            }
        }
    }

    fn expr(&mut self, root: &'a Expr, node: NodeId, visible: &[CteId]) {
        use crate::sql::expr::ExprKind;
        let exists = matches!(root.kind, ExprKind::Exists { .. });
        for query in root.queries() {
            self.query(query, Role::Subquery { exists }, Some(node), visible);
        }
        root.children().into_iter().for_each(|child| self.expr(child, node, visible));
    }

    fn table(
        &mut self,
        name: &'a TableName,
        entry: Option<&'a TableRef>,
        node: NodeId,
        visible: &[CteId],
    ) {
        let meaning = self.meaning(name, entry, visible);
        self.survey.tables.push(TableNode { name, entry, meaning, node });
    }

    fn meaning(&self, name: &TableName, entry: Option<&TableRef>, visible: &[CteId]) -> Meaning {
        let bare = &name.name.value;
        if name.schema.is_none() {
            let named = |id: &&CteId| {
                self.survey.ctes.get(**id).is_some_and(|cte| cte.cte.name.value == *bare)
            };
            // `TABLE t` does not look at CTEs here, as in the analysis.
            if let Some(id) = visible.iter().rev().find(named).filter(|_| entry.is_some()) {
                return Meaning::Cte(*id);
            }
            if self.context.temporaries.iter().any(|temporary| temporary.name == *bare) {
                return Meaning::Temporary;
            }
        }
        let schema = name.schema.as_ref().map(|schema| schema.value.as_str());
        let schema = schema.or(self.context.schema);
        match schema.and_then(|schema| self.context.catalog.schema(schema)) {
            Some(schema) => Meaning::Table(schema.table(bare)),
            None => Meaning::System,
        }
    }
}
