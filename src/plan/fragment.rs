//! The statement that a scatter sends to each shard: the user's text with hidden columns.

use super::facts::ColumnClass;
use super::functions;
use super::key::pads;
use super::model::{Output, same_name};
use super::scatter::Input;
use super::splice::{push, text_piece};
use super::template::{Piece, Template};
use super::types::Refusal;
use crate::merge::{ColumnRef, OrderKey};
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::query::{Query, Select, SelectItemKind};
use crate::sql::span::Span;

/// A fragment being made.
pub(super) struct Fragment<'x, 'a> {
    pub input: Input<'x, 'a>,
    pub query: &'x Query,
    pub select: &'x Select,
    hidden: Vec<Vec<Piece>>,
    /// Hidden columns stand in a grouped query, where each must be an aggregate.
    pub grouped: bool,
}

/// Something that rows are compared by.
#[derive(Debug, Clone)]
pub(super) struct Term {
    /// Where it stands in the answer, if it does.
    pub visible: Option<usize>,
    pub pieces: Vec<Piece>,
    pub class: Option<ColumnClass>,
    /// Holds an aggregate or a window function.
    pub computed: bool,
}

/// From the start of the query to where its LIMIT stands or would stand.
pub(super) fn body_span(query: &Query) -> Span {
    let end = query.limit.as_ref().map_or(query.limit_at, |limit| limit.span.start);
    Span { start: query.span.start, end: end.min(query.limit_at).max(query.span.start) }
}

impl<'x, 'a> Fragment<'x, 'a> {
    pub(super) fn new(query: &'x Query, select: &'x Select, input: Input<'x, 'a>) -> Self {
        Self { input, query, select, hidden: Vec::new(), grouped: false }
    }

    /// Adds a hidden column, or finds it.
    pub(super) fn hide(&mut self, pieces: Vec<Piece>) -> ColumnRef {
        let found = self.hidden.iter().position(|other| same_pieces(other, &pieces));
        ColumnRef::Hidden(found.unwrap_or_else(|| {
            self.hidden.push(pieces);
            self.hidden.len() - 1
        }))
    }

    /// Adds a hidden column made of a term. In a grouped query an aggregate makes it one that
    /// ONLY_FULL_GROUP_BY accepts; all rows of a group agree on it.
    fn hide_of(&mut self, term: &Term, pieces: Vec<Piece>) -> ColumnRef {
        let wraps = self.grouped && !term.computed;
        self.hide(if wraps { wrap("MIN(", pieces, ")") } else { pieces })
    }

    /// The type of an expression, as far as it is known.
    fn class(&self, expr: &Expr) -> Option<ColumnClass> {
        match &expr.kind {
            ExprKind::Column(name) => self.input.found.meaning(0, name)?.class.clone(),
            // Any number: its value alone compares.
            ExprKind::Function(function) if functions::is_numeric(&function.name) => {
                Some(ColumnClass::Decimal { scale: 0 })
            }
            _ => None,
        }
    }

    pub(super) fn hidden(&self) -> usize {
        self.hidden.len()
    }

    /// A key of the merge that compares as MySQL does.
    pub(super) fn key(&mut self, term: &Term, descending: bool) -> Result<OrderKey, Refusal> {
        use ColumnClass as C;
        let plain = |value| OrderKey { value, weight: None, pad: None, descending };
        match &term.class {
            Some(
                C::Integer { .. }
                | C::Decimal { .. }
                | C::Year
                | C::Date
                | C::DateTime { .. }
                | C::Timestamp
                | C::Time
                | C::Binary { .. }
                | C::VarBinary,
            ) => Ok(plain(self.value(term))),
            Some(C::Bit) if term.visible.is_some() => Ok(plain(self.value(term))),
            // MariaDB writes the MIN() that hides it as digits, MySQL as bytes.
            Some(C::Bit) => Ok(plain(self.hide_of(term, wrap("(", term.pieces.clone(), ") + 0")))),
            // The text of a FLOAT has fewer digits than its value.
            Some(C::Float) => {
                Ok(plain(self.hide_of(term, wrap("(", term.pieces.clone(), ") + 0e0"))))
            }
            Some(C::Enum | C::Set) => {
                Ok(plain(self.hide_of(term, wrap("(", term.pieces.clone(), ") + 0"))))
            }
            Some(C::Json) => {
                Err(self.input.refuse("ordering, grouping or DISTINCT by a JSON column"))
            }
            Some(C::Geometry) => {
                Err(self.input.refuse("ordering, grouping or DISTINCT by a geometry column"))
            }
            Some(C::Text { collation, .. }) => {
                let pads = pads(collation);
                Ok(self.text_key(term, descending, pads))
            }
            None => Ok(self.text_key(term, descending, true)),
        }
    }

    fn value(&mut self, term: &Term) -> ColumnRef {
        match term.visible {
            Some(index) => ColumnRef::Visible(index),
            None => self.hide_of(term, term.pieces.clone()),
        }
    }

    fn text_key(&mut self, term: &Term, descending: bool, pads: bool) -> OrderKey {
        let value = self.value(term);
        let weight = Some(self.hide_of(term, weight(term.pieces.clone())));
        let pad = pads.then(|| self.hide_of(term, pad(term.pieces.clone())));
        OrderKey { value, weight, pad, descending }
    }

    /// The fragment up to the end of `span`, with the hidden columns, then `tail`.
    pub(super) fn template(&self, span: Span, tail: Vec<Piece>) -> Template {
        let items_end = self.select.items.last().map_or(self.select.items_at, |item| item.span.end);
        let splice = self.input.splice;
        let mut pieces = splice.pieces(Span { start: span.start, end: items_end });
        for (index, hidden) in self.hidden.iter().enumerate() {
            push(&mut pieces, text_piece(", "));
            hidden.iter().for_each(|piece| push(&mut pieces, piece.clone()));
            push(&mut pieces, text_piece(&format!(" AS `_margay_{index}`")));
        }
        let rest = splice.rest(Span { start: items_end, end: span.end.max(items_end) });
        rest.into_iter().chain(tail).for_each(|piece| push(&mut pieces, piece));
        splice.made_of(pieces)
    }

    /// The term of an expression that stands for itself: names in it mean columns of FROM first, then
    /// aliases, which are replaced by what they stand for.
    pub(super) fn term(&self, expr: &Expr) -> Result<Term, Refusal> {
        let visible = self.position(expr);
        let (class, computed) = (self.class(expr), is_computed(expr));
        Ok(Term { visible, pieces: self.substituted(expr)?, class, computed })
    }

    /// Where a column of FROM is in the answer.
    fn position(&self, expr: &Expr) -> Option<usize> {
        let ExprKind::Column(name) = &expr.kind else { return None };
        let meaning = self.input.found.meaning(0, name)?;
        for (index, item) in self.select.items.iter().enumerate() {
            let SelectItemKind::Expr { expr, .. } = &item.kind else { return None };
            if let ExprKind::Column(other) = &expr.kind
                && self.input.found.meaning(0, other) == Some(meaning)
            {
                return Some(index);
            }
        }
        None
    }

    /// The term of a select item.
    pub(super) fn item_term(&self, index: usize) -> Result<Term, Refusal> {
        let before = self.select.items.iter().take(index + 1);
        let counted = before.clone().all(|item| matches!(item.kind, SelectItemKind::Expr { .. }));
        match self.select.items.get(index).map(|item| &item.kind) {
            Some(SelectItemKind::Expr { expr, .. }) => {
                let pieces = self.input.splice.expr(expr.span);
                let (class, computed) = (self.class(expr), is_computed(expr));
                Ok(Term { visible: counted.then_some(index), pieces, class, computed })
            }
            Some(SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. }) | None => {
                Err(self.input.refuse("a position that counts columns of `*`"))
            }
        }
    }

    /// The term of the n-th column of the answer, counted from 0.
    pub(super) fn output_term(&self, index: usize) -> Result<Term, Refusal> {
        let only_items =
            self.select.items.iter().all(|item| matches!(item.kind, SelectItemKind::Expr { .. }));
        if only_items {
            return self.item_term(index);
        }
        let unknown = || self.input.refuse("a position that counts columns of `*`");
        let outputs: &[Output] = self.input.found.outputs.as_deref().ok_or_else(unknown)?;
        let output = outputs.get(index).ok_or_else(unknown)?;
        let pieces = match (&output.text, output.item) {
            (Some(text), _) => vec![text_piece(text)],
            (None, Some(span)) => self.input.splice.expr(span),
            (None, None) => return Err(unknown()),
        };
        Ok(Term { visible: Some(index), pieces, class: output.class.clone(), computed: false })
    }

    /// The select item that a bare name means in ORDER BY: an alias, or a column's own name.
    pub(super) fn named_item(&self, name: &str) -> Option<usize> {
        self.select.items.iter().position(|item| match &item.kind {
            SelectItemKind::Expr { alias: Some(alias), .. } => same_name(&alias.value, name),
            SelectItemKind::Expr { expr, alias: None } => match &expr.kind {
                ExprKind::Column(column) => same_name(&column.name.value, name),
                _ => false,
            },
            SelectItemKind::Wildcard | SelectItemKind::QualifiedWildcard { .. } => false,
        })
    }

    /// The text of an expression in which aliases are replaced by what they stand for.
    pub(super) fn substituted(&self, expr: &Expr) -> Result<Vec<Piece>, Refusal> {
        let mut aliases: Vec<(Span, usize)> = Vec::new();
        let mut subquery = false;
        let mut uncertain = None;
        expr.walk(&mut |node| {
            subquery |= !node.queries().is_empty();
            let ExprKind::Column(name) = &node.kind else { return };
            if name.table.is_some() || self.input.found.meaning(0, name).is_some() {
                return;
            }
            let alias = self.select.items.iter().position(|item| {
                matches!(&item.kind, SelectItemKind::Expr { alias: Some(alias), .. }
                    if same_name(&alias.value, &name.name.value))
            });
            match alias {
                Some(index) if self.input.found.all_known() => aliases.push((node.span, index)),
                Some(_) => uncertain = Some(name.name.value.clone()),
                None => {}
            }
        });
        if subquery {
            return Err(self.input.refuse("a subquery in ORDER BY or GROUP BY"));
        }
        if let Some(name) = uncertain {
            return Err(self.input.refuse(&format!("the ambiguous name `{name}` in ORDER BY")));
        }
        let mut pieces = Vec::new();
        let mut at = expr.span.start;
        for (span, index) in aliases {
            let before = self.input.splice.expr(Span { start: at, end: span.start });
            let item = wrap("(", self.item_term(index)?.pieces, ")");
            before.into_iter().chain(item).for_each(|piece| push(&mut pieces, piece));
            at = span.end;
        }
        let rest = self.input.splice.expr(Span { start: at, end: expr.span.end });
        rest.into_iter().for_each(|piece| push(&mut pieces, piece));
        Ok(pieces)
    }
}

/// The expression holds an aggregate or a window function.
fn is_computed(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |node| {
        if let ExprKind::Function(function) = &node.kind {
            found |= function.window || functions::is_aggregate(&function.name);
        }
    });
    found
}

/// How a character string compares.
pub(super) fn weight(pieces: Vec<Piece>) -> Vec<Piece> {
    wrap("WEIGHT_STRING(", pieces, ")")
}

/// What a space weighs in a collation that pads, else NULL.
pub(super) fn pad(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut all = wrap("IF(LEFT(", pieces.clone(), ", 0) = ' ', WEIGHT_STRING(LEFT(");
    pieces.into_iter().for_each(|piece| push(&mut all, piece));
    push(&mut all, text_piece(", 0) AS CHAR(1)), NULL)"));
    all
}

pub(super) fn wrap(before: &str, pieces: Vec<Piece>, after: &str) -> Vec<Piece> {
    let mut all = vec![text_piece(before)];
    pieces.into_iter().for_each(|piece| push(&mut all, piece));
    push(&mut all, text_piece(after));
    all
}

/// The two lists make the same text anywhere.
pub(super) fn same_pieces(one: &[Piece], other: &[Piece]) -> bool {
    one == other
}
