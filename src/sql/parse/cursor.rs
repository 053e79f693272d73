//! The parser's place in the tokens.

use std::cell::OnceCell;

use crate::error::{Error, ErrorKind, Result};

use super::super::expr::Name;
use super::super::keywords;
use super::super::literal;
use super::super::mode::Mode;
use super::super::scanner::{Scan, syntax_error};
use super::super::span::Span;
use super::super::token::{Token, TokenKind};

/// Deepest nesting of expressions, subqueries and joins. Bounds the stack of everything that walks
/// the tree.
const DEPTH_MAX: u32 = 100;

const NOT_UTF8: &str =
    "a name is not valid UTF-8; Margay reads names in utf8mb4: use SET NAMES utf8mb4";

/// The statement has a name that cannot be read in the character set of its text.
pub fn is_of_a_name(error: &Error) -> bool {
    *error.kind() == ErrorKind::Syntax && error.message() == NOT_UTF8
}

pub(super) struct Parser<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    params: &'a [u32],
    /// For each `(` the index of its `)`, for other tokens 0. Made when first needed, so that looking
    /// ahead takes no time that grows with the nesting.
    closing: OnceCell<Vec<usize>>,
    pub(super) mode: Mode,
    pos: usize,
    depth: u32,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a [u8], scan: &'a Scan, mode: Mode) -> Self {
        Self {
            text,
            tokens: &scan.tokens,
            params: &scan.params,
            closing: OnceCell::new(),
            mode,
            pos: 0,
            depth: 0,
        }
    }

    // --- looking ---

    /// The token `ahead` of the current one; the End token behind the last.
    pub(super) fn nth(&self, ahead: usize) -> Token {
        let last = self.tokens.len().saturating_sub(1);
        let at = (self.pos + ahead).min(last);
        let end = Token { kind: TokenKind::End, span: Span::new(self.text.len(), self.text.len()) };
        self.tokens.get(at).copied().unwrap_or(end)
    }

    pub(super) fn peek(&self) -> Token {
        self.nth(0)
    }

    pub(super) fn at(&self, kind: TokenKind) -> bool {
        self.peek().kind == kind
    }

    pub(super) fn nth_is(&self, ahead: usize, kind: TokenKind) -> bool {
        self.nth(ahead).kind == kind
    }

    pub(super) fn slice(&self, span: Span) -> &'a [u8] {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The keyword or identifier `ahead`; empty if it is no unquoted word, or one that can only be a
    /// name: in `order.id`, written without spaces, `order` is no keyword.
    pub(super) fn nth_word(&self, ahead: usize) -> &'a [u8] {
        let token = self.nth(ahead);
        let dot = self.nth(ahead + 1);
        let qualifier = dot.kind == TokenKind::Dot && dot.span.start == token.span.end && {
            let name = self.nth(ahead + 2);
            name.kind == TokenKind::Word && name.span.start == dot.span.end
        };
        if token.kind == TokenKind::Word && !qualifier { self.slice(token.span) } else { b"" }
    }

    pub(super) fn nth_kw(&self, ahead: usize, word: &str) -> bool {
        self.nth_word(ahead).eq_ignore_ascii_case(word.as_bytes())
    }

    pub(super) fn at_kw(&self, word: &str) -> bool {
        self.nth_kw(0, word)
    }

    pub(super) fn at_kws(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.nth_kw(ahead, word))
    }

    pub(super) fn at_any_kw(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_kw(word))
    }

    /// The current word in upper case, for a `match`.
    pub(super) fn word_upper(&self) -> String {
        String::from_utf8_lossy(self.nth_word(0)).to_ascii_uppercase()
    }

    /// The statement ends here.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.peek().kind, TokenKind::End | TokenKind::Semicolon)
    }

    // --- moving ---

    pub(super) fn bump(&mut self) -> Token {
        let token = self.peek();
        self.pos = (self.pos + 1).min(self.tokens.len());
        token
    }

    pub(super) fn accept(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.bump();
        }
        found
    }

    pub(super) fn accept_kw(&mut self, word: &str) -> bool {
        self.accept_kws(&[word])
    }

    /// All of the words in this order, or none.
    pub(super) fn accept_kws(&mut self, words: &[&str]) -> bool {
        let found = self.at_kws(words);
        if found {
            self.pos += words.len();
        }
        found
    }

    /// One of the words.
    pub(super) fn accept_any_kw(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.accept_kw(word))
    }

    pub(super) fn expect(&mut self, kind: TokenKind) -> Result<Token> {
        if self.at(kind) { Ok(self.bump()) } else { Err(self.error()) }
    }

    pub(super) fn expect_kw(&mut self, word: &str) -> Result<()> {
        if self.accept_kw(word) { Ok(()) } else { Err(self.error()) }
    }

    /// A place to come back to with [`Parser::reset`].
    pub(super) fn mark(&self) -> usize {
        self.pos
    }

    pub(super) fn reset(&mut self, mark: usize) {
        self.pos = mark;
    }

    pub(super) fn skip_to_end(&mut self) {
        while !self.at_end() {
            self.bump();
        }
    }

    /// Over everything, several statements of a stored program included.
    pub(super) fn skip_all(&mut self) {
        while !self.at(TokenKind::End) {
            self.bump();
        }
    }

    /// From `(` to behind its `)`.
    pub(super) fn skip_parens(&mut self) -> Result<Span> {
        let start = self.start();
        self.expect(TokenKind::LeftParen)?;
        let mut depth = 1;
        while depth > 0 {
            match self.peek().kind {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth -= 1,
                TokenKind::End => return Err(self.error()),
                _ => {}
            }
            self.bump();
        }
        Ok(self.span_from(start))
    }

    /// How far ahead the `)` stands that closes the `(` at `ahead`.
    pub(super) fn closing_paren(&self, ahead: usize) -> Option<usize> {
        let closing = self.closing.get_or_init(|| closing_parens(self.tokens));
        let at = closing.get(self.pos + ahead).copied()?;
        at.checked_sub(self.pos).filter(|_| at > 0)
    }

    // --- spans ---

    /// Where the current token starts.
    pub(super) fn start(&self) -> u32 {
        self.peek().span.start
    }

    /// Where the last consumed token ends.
    pub(super) fn end(&self) -> u32 {
        let last = self.pos.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(0, |token| token.span.end)
    }

    /// From `start` to the last consumed token.
    pub(super) fn span_from(&self, start: u32) -> Span {
        Span { start, end: self.end().max(start) }
    }

    // --- errors and limits ---

    /// MySQL's syntax error at the current token.
    pub(super) fn error(&self) -> Error {
        syntax_error(self.text, self.start() as usize)
    }

    /// Goes one level deeper for the time of `parse`.
    pub(super) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_deep());
        }
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// The limit of chains such as `a = b = c` that nest to the left without recursion.
    pub(super) fn check_chain(&self, length: u32) -> Result<()> {
        if self.depth + length > DEPTH_MAX { Err(too_deep()) } else { Ok(()) }
    }

    /// The number of the `?` at `span`, from 0.
    pub(super) fn param_index(&self, span: Span) -> Result<u16> {
        let index = self.params.binary_search(&span.start).ok();
        let index = index.and_then(|index| u16::try_from(index).ok());
        index.ok_or_else(|| Error::internal("a parameter that the scanner did not count"))
    }

    // --- names ---

    /// An identifier: a quoted one or a word that is not reserved.
    pub(super) fn at_name(&self) -> bool {
        self.nth_name(0)
    }

    pub(super) fn nth_name(&self, ahead: usize) -> bool {
        match self.nth(ahead).kind {
            TokenKind::Quoted => true,
            TokenKind::Word => !keywords::is_reserved(self.nth_word(ahead)),
            _ => false,
        }
    }

    pub(super) fn name(&mut self) -> Result<Name> {
        if self.at_name() { self.any_name() } else { Err(self.error()) }
    }

    /// An identifier where a reserved word may stand too: after a dot.
    pub(super) fn any_name(&mut self) -> Result<Name> {
        let token = self.peek();
        let value = match token.kind {
            TokenKind::Word => self.utf8(self.slice(token.span).to_vec())?,
            TokenKind::Quoted => {
                self.utf8(literal::unescape(self.slice(token.span), false, self.mode.charset))?
            }
            _ => return Err(self.error()),
        };
        self.bump();
        Ok(Name { value, span: token.span })
    }

    /// `[AS] alias`, where the alias may be a string as well. A word that starts a clause is none.
    pub(super) fn alias(&mut self, string: bool) -> Result<Option<Name>> {
        let explicit = self.accept_kw("AS");
        if string && self.at(TokenKind::String) {
            let span = self.bump().span;
            let bytes = self.unescape(span);
            return Ok(Some(Name { value: self.utf8(bytes)?, span }));
        }
        if self.at_name() {
            return self.any_name().map(Some);
        }
        if explicit { Err(self.error()) } else { Ok(None) }
    }

    /// The bytes of a string.
    pub(super) fn unescape(&self, span: Span) -> Vec<u8> {
        let escapes = !self.mode.no_backslash_escapes;
        literal::unescape(self.slice(span), escapes, self.mode.charset)
    }

    pub(super) fn utf8(&self, bytes: Vec<u8>) -> Result<String> {
        self.mode.charset.name(bytes).ok_or_else(|| Error::new(ErrorKind::Syntax, NOT_UTF8))
    }

    /// `item, item, ...`
    pub(super) fn comma_separated<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept(TokenKind::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `(a, b)`: names in parentheses.
    pub(super) fn name_list(&mut self) -> Result<Vec<Name>> {
        self.expect(TokenKind::LeftParen)?;
        let names = self.comma_separated(Self::name)?;
        self.expect(TokenKind::RightParen)?;
        Ok(names)
    }
}

fn closing_parens(tokens: &[Token]) -> Vec<usize> {
    let mut closing = vec![0; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LeftParen => open.push(at),
            TokenKind::RightParen => {
                if let Some(place) = open.pop().and_then(|start: usize| closing.get_mut(start)) {
                    *place = at;
                }
            }
            _ => {}
        }
    }
    closing
}

fn too_deep() -> Error {
    Error::unsupported(format!(
        "the statement nests deeper than {DEPTH_MAX} levels; split it or use fewer parentheses"
    ))
}
