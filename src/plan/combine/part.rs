//! Text of a statement while it is rewritten: the client's parameters go along with it.

use super::super::model::Analysis;
use super::super::splice::{Splice, text_piece};
use super::super::template::Piece;
use crate::error::Result;
use crate::sql::scanner::scan;
use crate::sql::{Mode, Span};

/// SQL text, and which of the client's parameters its `?` are, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub text: Vec<u8>,
    pub params: Vec<u16>,
}

impl Part {
    pub(super) fn add(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    /// To put it into another text.
    pub(super) fn pieces(&self, mode: &Mode) -> Result<Vec<Piece>> {
        Ok(Draft::new(self, mode)?.rest(0))
    }

    pub(super) fn append(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.text.extend_from_slice(text),
                Piece::Param(index) => {
                    self.text.push(b'?');
                    self.params.push(*index);
                }
                // Drafts hold logical names as text.
                Piece::Table(_) | Piece::Id(_) => {}
            }
        }
    }
}

/// A part being changed.
pub(super) struct Draft<'t> {
    splice: Splice<'t>,
    end: u32,
}

impl<'t> Draft<'t> {
    pub(super) fn new(part: &'t Part, mode: &Mode) -> Result<Self> {
        let mut splice = Splice::new(&part.text);
        for (at, index) in scan(&part.text, mode)?.params.into_iter().zip(&part.params) {
            splice.replace(Span { start: at, end: at + 1 }, vec![Piece::Param(*index)]);
        }
        Ok(Self { splice, end: Span::new(0, part.text.len()).end })
    }

    pub(super) fn replace(&mut self, span: Span, text: &str) {
        self.splice.replace(span, vec![text_piece(text)]);
    }

    pub(super) fn replace_with(&mut self, span: Span, pieces: Vec<Piece>) {
        self.splice.replace(span, pieces);
    }

    pub(super) fn remove(&mut self, span: Span) {
        self.splice.replace(span, vec![text_piece("")]);
    }

    pub(super) fn insert(&mut self, at: u32, text: &str) {
        self.splice.insert(at, vec![text_piece(text)]);
    }

    /// Select items whose text changes keep their name.
    pub(super) fn keep_names(&mut self, found: &Analysis<'_>) {
        self.splice.name_items(found);
    }

    /// What stands at `span`, with its changes.
    pub(super) fn cut(&self, span: Span) -> Vec<Piece> {
        self.splice.expr(span)
    }

    /// From `start` to the end.
    pub(super) fn rest(&self, start: u32) -> Vec<Piece> {
        self.splice.pieces(Span { start, end: self.end })
    }

    /// The whole text.
    pub(super) fn finish(&self) -> Part {
        let mut part = Part::default();
        part.append(&self.rest(0));
        part
    }
}
