//! Cuts holes into the user's text and puts new text between.

use std::sync::Arc;

use super::model::{Analysis, TableSite};
use super::template::{Piece, Template};
use crate::catalog::{PartsKind, ShardId, Table, TableKind};
use crate::sql::span::Span;

/// The text of a statement and what is to change in it.
pub(super) struct Splice<'t> {
    text: &'t [u8],
    edits: Vec<Edit>,
    /// Each table is named with its database.
    anywhere: bool,
}

#[derive(Debug, Clone)]
struct Edit {
    span: Span,
    pieces: Vec<Piece>,
}

impl<'t> Splice<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, edits: Vec::new(), anywhere: false }
    }

    pub(super) fn replace(&mut self, span: Span, pieces: Vec<Piece>) {
        self.edits.push(Edit { span, pieces });
    }

    pub(super) fn insert(&mut self, at: u32, pieces: Vec<Piece>) {
        self.replace(Span { start: at, end: at }, pieces);
    }

    /// The text of `span` with the edits that lie inside of it, insertions at its ends included.
    /// Edits inside of others are dropped.
    pub(super) fn pieces(&self, span: Span) -> Vec<Piece> {
        self.pieces_between(span, true, true)
    }

    /// The text of an expression, without what is inserted before or after it.
    pub(super) fn expr(&self, span: Span) -> Vec<Piece> {
        self.pieces_between(span, false, false)
    }

    /// The text that follows what [`Splice::pieces`] gave up to the start of `span`.
    pub(super) fn rest(&self, span: Span) -> Vec<Piece> {
        self.pieces_between(span, false, true)
    }

    fn pieces_between(&self, span: Span, at_start: bool, at_end: bool) -> Vec<Piece> {
        let inserted = |edit: &Edit, at: u32| edit.span.start == at && edit.span.end == at;
        let inside = |edit: &&Edit| {
            span.contains(edit.span)
                && (at_start || !inserted(edit, span.start))
                && (at_end || !inserted(edit, span.end))
        };
        let mut edits: Vec<&Edit> = self.edits.iter().filter(inside).collect();
        // Of two at one place the insertion comes first, and the longer one before those inside.
        edits.sort_by_key(|edit| {
            let width = edit.span.end - edit.span.start;
            (edit.span.start, width > 0, std::cmp::Reverse(width))
        });
        let mut pieces = Vec::new();
        let mut at = span.start;
        for edit in edits {
            if edit.span.start < at {
                continue;
            }
            self.push_text(&mut pieces, Span { start: at, end: edit.span.start });
            edit.pieces.iter().for_each(|piece| push(&mut pieces, piece.clone()));
            at = edit.span.end;
        }
        self.push_text(&mut pieces, Span { start: at, end: span.end });
        pieces
    }

    pub(super) fn template(&self, span: Span) -> Template {
        self.made_of(self.pieces(span))
    }

    /// The template of pieces that were cut out of the text.
    pub(super) fn made_of(&self, pieces: Vec<Piece>) -> Template {
        Template { pieces, untouched: None, anywhere: self.anywhere }
    }

    /// The whole text, which has `params` parameters.
    pub(super) fn whole(&self, params: u16) -> Template {
        if self.edits.iter().all(|edit| matches!(edit.pieces.as_slice(), [Piece::Param(_)])) {
            return untouched(self.text, params);
        }
        self.template(Span::new(0, self.text.len()))
    }

    /// Some edit lies inside the span that does more than to find a parameter.
    pub(super) fn touches(&self, span: Span) -> bool {
        self.edits.iter().any(|edit| {
            let stays = matches!(edit.pieces.as_slice(), [Piece::Param(_)]);
            !stays && span.contains(edit.span)
        })
    }

    fn push_text(&self, pieces: &mut Vec<Piece>, span: Span) {
        if let Some(text) = self.text.get(span.range()).filter(|text| !text.is_empty()) {
            push(pieces, Piece::Text(text.to_vec()));
        }
    }

    /// Edits that every template of a statement needs: table names and parameters. `aliases`: a
    /// table that gets another name keeps its own as an alias.
    pub(super) fn base(text: &'t [u8], found: &Analysis<'_>, aliases: bool) -> Self {
        let mut splice = Self { anywhere: found.anywhere, ..Self::new(text) };
        for (span, index) in &found.params {
            splice.replace(*span, vec![Piece::Param(*index)]);
        }
        for site in found.tables.iter().filter(|site| !stays(site, text, found)) {
            splice.replace(site.span, vec![Piece::Table(Arc::clone(&site.table))]);
            if let (true, true, Some((at, name))) = (aliases, renamed(&site.table), &site.alias) {
                splice.insert(*at, vec![text_piece(&format!(" AS {}", quoted(name)))]);
            }
        }
        for qualifier in found.qualifiers.iter().filter(|qualifier| qualifier.bare) {
            let (Some(table), Some(site)) =
                (&qualifier.name.table, found.uses.get(qualifier.table))
            else {
                continue;
            };
            if !aliases && renamed(&site.table) {
                let span =
                    qualifier.name.schema.as_ref().map_or(table.span, |s| s.span.to(table.span));
                splice.replace(span, vec![Piece::Table(Arc::clone(&site.table))]);
            } else if let Some(schema) = &qualifier.name.schema {
                // `shop.t.c` as `t.c`: the database may have another name on the shard.
                let span = Span { start: schema.span.start, end: table.span.start };
                splice.replace(span, Vec::new());
            }
        }
        for span in &found.dropped {
            splice.replace(*span, Vec::new());
        }
        splice.name_items(found);
        splice
    }

    /// Select items whose text changes keep their name.
    pub(super) fn name_items(&mut self, found: &Analysis<'_>) {
        for span in &found.unaliased {
            if self.touches(*span) {
                let name = String::from_utf8_lossy(self.text.get(span.range()).unwrap_or_default());
                // Longer names are cut by the server too.
                let name: String = name.chars().take(255).collect();
                self.insert(span.end, vec![text_piece(&format!(" AS {}", quoted(&name)))]);
            }
        }
    }
}

/// The name of a table is right as it stands, wherever the statement runs.
fn stays(site: &TableSite, text: &[u8], found: &Analysis<'_>) -> bool {
    if found.anywhere {
        return false;
    }
    if text.get(site.span.range()) != Some(site.table.name.as_bytes()) || renamed(&site.table) {
        return false;
    }
    let on = |table: &Table, shards: &[ShardId]| {
        matches!(&table.kind, TableKind::Broadcast { shards: copies }
            if shards.iter().all(|shard| copies.contains(shard)))
    };
    let uses = || found.uses.iter().map(|used| &used.table);
    let sharded = uses().find(|table| table.sharded().is_some());
    let single = uses().find(|table| matches!(table.kind, TableKind::Single { .. }));
    match (sharded, single) {
        // All sharded tables of a statement are in the database that it runs in.
        (Some(first), _) => site.table.sharded().is_some() || on(&site.table, first.shards()),
        (None, Some(first)) => {
            let beside =
                |table: &Table| table.shards() == first.shards() || on(table, first.shards());
            beside(&site.table) && uses().all(|table| beside(table))
        }
        (None, None) => false,
    }
}

/// The user's text as it is.
pub(super) fn untouched(text: &[u8], params: u16) -> Template {
    Template { pieces: vec![Piece::Text(text.to_vec())], untouched: Some(params), anywhere: false }
}

/// The physical name of the table is not its own.
pub(super) fn renamed(table: &Table) -> bool {
    match &table.kind {
        TableKind::Single { .. } | TableKind::Broadcast { .. } => false,
        TableKind::Sharded(sharded) => match sharded.parts.as_ref().map(|parts| &parts.kind) {
            None => false,
            Some(PartsKind::Fixed { .. } | PartsKind::Time(_)) => true,
        },
    }
}

pub(super) fn text_piece(text: &str) -> Piece {
    Piece::Text(text.as_bytes().to_vec())
}

/// An identifier in backticks.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Adds a piece; adjacent texts become one.
pub(super) fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Text(text)), Piece::Text(more)) => text.extend_from_slice(&more),
        (_, piece) => pieces.push(piece),
    }
}
