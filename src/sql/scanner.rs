//! Bytes to tokens by MySQL's lexical rules.
//!
//! Works on bytes, so a string may hold anything. The connection's charset must be a superset of ASCII, as
//! all are that servers take of clients.

use crate::error::{Error, ErrorKind, Result};

use super::hints;
use super::mode::Mode;
use super::span::Span;
use super::statement::Hints;
use super::token::{Token, TokenKind};

/// A scanned statement.
#[derive(Debug)]
pub struct Scan {
    /// Ends with one [`TokenKind::End`].
    pub tokens: Vec<Token>,
    /// Offsets of the `?` tokens, ascending.
    pub params: Vec<u32>,
    pub hints: Hints,
    /// A comment such as `/*!80000 ... */` or `/*M! ... */` holds SQL that only some servers run.
    pub conditional: bool,
}

/// The version in `/*!999999\- enable the sandbox mode */`.
const NO_VERSION: &[u8] = b"999999";

/// First version in `/*!NNNNN` that not every server of Margay runs: MariaDB passes over those of MySQL
/// 5.7 and later.
const CONDITIONAL_VERSION: u32 = 50_700;

/// Splits `text` into tokens, comments left out.
///
/// Errors: a string, quoted identifier or comment without its end, a character that no statement may
/// hold, or a malformed `/*margay: ... */` hint.
pub fn scan(text: &[u8], mode: &Mode) -> Result<Scan> {
    if u32::try_from(text.len()).is_err() {
        return Err(Error::new(ErrorKind::PacketTooLarge, "statement of more than 4 GiB"));
    }
    let mut scanner = Scanner::new(text, mode, text.len() / 4 + 2);
    while scanner.next()? {}
    let Scanner { tokens, params, hints, conditional, .. } = scanner;
    Ok(Scan { tokens, params, hints, conditional })
}

/// As [`scan`], but only up to a token of which `is_last` holds: the tokens one by one. Returns that
/// token; None: there is none. What stands behind it is not looked at.
pub(super) fn scan_until(
    text: &[u8],
    mode: &Mode,
    mut is_last: impl FnMut(Token) -> bool,
) -> Result<Option<Token>> {
    let mut scanner = Scanner::new(text, mode, 16);
    while scanner.next()? {
        if scanner.tokens.len() > 1 {
            // The last one stays: it tells how what follows is to be read.
            scanner.tokens.remove(0);
        }
        match scanner.tokens.last().copied() {
            Some(token) if token.span.end as usize == scanner.pos && is_last(token) => {
                return Ok(Some(token));
            }
            Some(_) | None => {}
        }
    }
    Ok(None)
}

/// MySQL's text of error 1064: the rest of the statement from `at`, and its line.
pub fn syntax_error(text: &[u8], at: usize) -> Error {
    let at = at.min(text.len());
    let (before, rest) = text.split_at(at);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let near = String::from_utf8_lossy(&rest[..rest.len().min(400)]);
    let near: String = near.chars().take(80).collect();
    Error::new(
        ErrorKind::Syntax,
        format!(
            "You have an error in your SQL syntax; check the manual that corresponds to your MySQL \
             server version for the right syntax to use near '{near}' at line {line}"
        ),
    )
}

struct Scanner<'a> {
    text: &'a [u8],
    mode: &'a Mode,
    pos: usize,
    /// Inside `/*! ... */`, whose content is SQL.
    in_versioned: bool,
    tokens: Vec<Token>,
    params: Vec<u32>,
    hints: Hints,
    conditional: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8], mode: &'a Mode, capacity: usize) -> Self {
        Self {
            text,
            mode,
            pos: 0,
            in_versioned: false,
            tokens: Vec::with_capacity(capacity),
            params: Vec::new(),
            hints: Hints::default(),
            conditional: false,
        }
    }
}

impl Scanner<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        // NUL stands for the end as well: no token holds it outside quotes.
        self.text.get(self.pos + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: Span::new(start, self.pos) });
    }

    fn error(&self, at: usize) -> Error {
        syntax_error(self.text, at)
    }

    /// Scans one token or one stretch of white space; false at the end.
    fn next(&mut self) -> Result<bool> {
        let start = self.pos;
        let Some(&byte) = self.text.get(start) else {
            if self.in_versioned {
                return Err(self.error(start));
            }
            self.push(TokenKind::End, start);
            return Ok(false);
        };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.pos += 1,
            b'#' => self.skip_line(),
            b'-' if self.byte(1) == b'-' && self.dashes_start_comment() => self.skip_line(),
            b'/' if self.byte(1) == b'*' => self.comment()?,
            b'*' if self.in_versioned && self.byte(1) == b'/' => {
                self.in_versioned = false;
                self.pos += 2;
            }
            b'\'' => self.quoted(b'\'', TokenKind::String)?,
            b'"' if self.mode.ansi_quotes => self.quoted(b'"', TokenKind::Quoted)?,
            b'"' => self.quoted(b'"', TokenKind::String)?,
            b'`' => self.quoted(b'`', TokenKind::Quoted)?,
            b'@' => self.variable()?,
            b'0'..=b'9' if self.after_dot() => self.word(),
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() && !self.after_name() => self.number(),
            b'n' | b'N' if self.byte(1) == b'\'' => {
                self.pos += 1;
                self.quoted(b'\'', TokenKind::NationalString)?;
                self.widen_to(start);
            }
            b'x' | b'X' if self.byte(1) == b'\'' => self.quoted_digits(TokenKind::Hex)?,
            b'b' | b'B' if self.byte(1) == b'\'' => self.quoted_digits(TokenKind::Bit)?,
            _ if is_word_byte(byte) => self.word(),
            _ => self.operator()?,
        }
        Ok(true)
    }

    /// `--` starts a comment only before white space, a control character or the end.
    fn dashes_start_comment(&self) -> bool {
        self.text.get(self.pos + 2).is_none_or(|byte| *byte <= b' ' || *byte == 0x7f)
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.pos..).unwrap_or_default();
        self.pos += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    }

    fn comment(&mut self) -> Result<()> {
        let start = self.pos;
        let rest = self.text.get(start + 2..).unwrap_or_default();
        let sql = match rest {
            [b'!', ..] => Some(1),
            [b'M', b'!', ..] => Some(2),
            _ => None,
        };
        // Dumps begin with a comment for a version that no server has.
        let is_for_none =
            |skip: &usize| rest.get(*skip..).is_some_and(|text| text.starts_with(NO_VERSION));
        if let Some(skip) = sql.filter(|skip| !is_for_none(skip)) {
            return self.versioned_comment(skip);
        }
        let Some(end) = rest.windows(2).position(|pair| pair == b"*/") else {
            return Err(self.error(start));
        };
        hints::read(&rest[..end], &mut self.hints)?;
        self.pos = start + 2 + end + 2;
        Ok(())
    }

    /// Enters `/*! ... */` or `/*M! ... */`; `mark` is the length of what stands behind `/*`.
    fn versioned_comment(&mut self, mark: usize) -> Result<()> {
        if self.in_versioned {
            return Err(self.error(self.pos));
        }
        self.conditional |= mark > 1;
        self.pos += 2 + mark;
        // A version has five or six digits; fewer are SQL.
        let digits = (0..6).take_while(|at| self.byte(*at).is_ascii_digit()).count();
        if digits >= 5 {
            let version = (0..digits).fold(0, |sum, at| sum * 10 + u32::from(self.byte(at) - b'0'));
            self.conditional |= version >= CONDITIONAL_VERSION;
            self.pos += digits;
        }
        self.in_versioned = true;
        Ok(())
    }

    /// A quoted token; the opening quote stands at `pos`.
    fn quoted(&mut self, quote: u8, kind: TokenKind) -> Result<()> {
        let start = self.pos;
        let escapes = kind != TokenKind::Quoted && !self.mode.no_backslash_escapes;
        self.pos += 1;
        loop {
            match self.text.get(self.pos) {
                None => return Err(self.error(start)),
                Some(b'\\') if escapes => self.pos += 2,
                Some(byte) if *byte == quote => {
                    self.pos += 1;
                    if self.text.get(self.pos) != Some(&quote) {
                        break;
                    }
                    self.pos += 1;
                }
                Some(byte) if byte.is_ascii() => self.pos += 1,
                Some(_) => self.skip_char(),
            }
        }
        self.push(kind, start);
        Ok(())
    }

    /// Lets the last token start earlier, at its prefix.
    fn widen_to(&mut self, start: usize) {
        if let Some(last) = self.tokens.last_mut() {
            last.span.start = start as u32;
        }
    }

    /// `x'41'` or `b'01'`.
    fn quoted_digits(&mut self, kind: TokenKind) -> Result<()> {
        let start = self.pos;
        let rest = self.text.get(start + 2..).unwrap_or_default();
        let valid = |byte: &u8| match kind {
            TokenKind::Hex => byte.is_ascii_hexdigit(),
            _ => matches!(byte, b'0' | b'1'),
        };
        let count = rest.iter().take_while(|byte| valid(byte)).count();
        let odd = kind == TokenKind::Hex && count % 2 == 1;
        if odd || rest.get(count) != Some(&b'\'') {
            return Err(self.error(start));
        }
        self.pos = start + 2 + count + 1;
        self.push(kind, start);
        Ok(())
    }

    fn variable(&mut self) -> Result<()> {
        let start = self.pos;
        if self.byte(1) == b'@' {
            self.pos += 2;
            loop {
                if self.byte(0) == b'`' {
                    self.quoted(b'`', TokenKind::Quoted)?;
                    self.tokens.pop();
                } else {
                    self.skip_word();
                }
                if self.byte(0) != b'.' {
                    break;
                }
                self.pos += 1;
            }
            self.push(TokenKind::SystemVariable, start);
            return Ok(());
        }
        self.pos += 1;
        match self.byte(0) {
            quote @ (b'`' | b'\'' | b'"') => {
                let kind = if quote == b'`' { TokenKind::Quoted } else { TokenKind::String };
                self.quoted(quote, kind)?;
                self.tokens.pop();
            }
            _ => {
                while is_word_byte(self.byte(0)) || self.byte(0) == b'.' {
                    self.skip_char();
                }
            }
        }
        self.push(TokenKind::UserVariable, start);
        Ok(())
    }

    fn skip_word(&mut self) {
        while is_word_byte(self.byte(0)) {
            self.skip_char();
        }
    }

    /// One character, of which a byte is there.
    fn skip_char(&mut self) {
        let rest = self.text.get(self.pos..).unwrap_or_default();
        self.pos += self.mode.charset.len(rest);
    }

    fn word(&mut self) {
        let start = self.pos;
        self.skip_word();
        self.push(TokenKind::Word, start);
    }

    /// The last token is a name that ends right here, so a dot qualifies it: `t.5`.
    fn after_name(&self) -> bool {
        self.tokens.last().is_some_and(|token| {
            matches!(token.kind, TokenKind::Word | TokenKind::Quoted)
                && token.span.end as usize == self.pos
        })
    }

    /// The last token is the dot of a qualified name that ends right here: digits are a name too.
    fn after_dot(&self) -> bool {
        let [.., name, dot] = self.tokens.as_slice() else {
            return false;
        };
        dot.kind == TokenKind::Dot
            && dot.span.end as usize == self.pos
            && matches!(name.kind, TokenKind::Word | TokenKind::Quoted)
            && name.span.end == dot.span.start
    }

    /// A number, or an identifier that starts with digits.
    fn number(&mut self) {
        let start = self.pos;
        if self.prefixed_number(b'x', TokenKind::Hex) || self.prefixed_number(b'b', TokenKind::Bit)
        {
            return;
        }
        self.skip_digits();
        let mut kind = TokenKind::Integer;
        if self.byte(0) == b'.' {
            self.pos += 1;
            self.skip_digits();
            kind = TokenKind::Decimal;
        }
        if matches!(self.byte(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
            if self.byte(1 + sign).is_ascii_digit() {
                self.pos += 1 + sign;
                self.skip_digits();
                self.push(TokenKind::Float, start);
                return;
            }
        }
        if kind == TokenKind::Integer && is_word_byte(self.byte(0)) {
            self.skip_word();
            kind = TokenKind::Word;
        }
        self.push(kind, start);
    }

    /// `0x41` or `0b01`; false, with nothing consumed, if it is an identifier such as `0xyz`.
    fn prefixed_number(&mut self, letter: u8, kind: TokenKind) -> bool {
        if self.byte(0) != b'0' || self.byte(1) != letter {
            return false;
        }
        let start = self.pos;
        let mut end = start + 2;
        let valid = |byte: &u8| match kind {
            TokenKind::Hex => byte.is_ascii_hexdigit(),
            _ => matches!(byte, b'0' | b'1'),
        };
        while self.text.get(end).is_some_and(valid) {
            end += 1;
        }
        if end == start + 2 || self.text.get(end).copied().is_some_and(is_word_byte) {
            return false;
        }
        self.pos = end;
        self.push(kind, start);
        true
    }

    fn skip_digits(&mut self) {
        while self.byte(0).is_ascii_digit() {
            self.pos += 1;
        }
    }

    fn operator(&mut self) -> Result<()> {
        use TokenKind as K;
        let start = self.pos;
        let (kind, len) = match (self.byte(0), self.byte(1), self.byte(2)) {
            (b'<', b'=', b'>') => (K::NullSafeEq, 3),
            (b'-', b'>', b'>') => (K::LongArrow, 3),
            (b'<', b'=', _) => (K::LtEq, 2),
            (b'<', b'>', _) | (b'!', b'=', _) => (K::NotEq, 2),
            (b'<', b'<', _) => (K::ShiftLeft, 2),
            (b'>', b'>', _) => (K::ShiftRight, 2),
            (b'>', b'=', _) => (K::GtEq, 2),
            (b':', b'=', _) => (K::Assign, 2),
            (b'&', b'&', _) => (K::AndAnd, 2),
            (b'|', b'|', _) => (K::PipePipe, 2),
            (b'-', b'>', _) => (K::Arrow, 2),
            (b'<', ..) => (K::Lt, 1),
            (b'>', ..) => (K::Gt, 1),
            (b'=', ..) => (K::Eq, 1),
            (b'!', ..) => (K::Bang, 1),
            (b'&', ..) => (K::Ampersand, 1),
            (b'|', ..) => (K::Pipe, 1),
            (b'^', ..) => (K::Caret, 1),
            (b'~', ..) => (K::Tilde, 1),
            (b'+', ..) => (K::Plus, 1),
            (b'-', ..) => (K::Minus, 1),
            (b'*', ..) => (K::Star, 1),
            (b'/', ..) => (K::Slash, 1),
            (b'%', ..) => (K::Percent, 1),
            (b'(', ..) => (K::LeftParen, 1),
            (b')', ..) => (K::RightParen, 1),
            (b'{', ..) => (K::LeftBrace, 1),
            (b'}', ..) => (K::RightBrace, 1),
            (b',', ..) => (K::Comma, 1),
            (b'.', ..) => (K::Dot, 1),
            (b';', ..) => (K::Semicolon, 1),
            (b':', ..) => (K::Colon, 1),
            (b'?', ..) => {
                self.params.push(start as u32);
                (K::Param, 1)
            }
            _ => return Err(self.error(start)),
        };
        self.pos += len;
        self.push(kind, start);
        Ok(())
    }
}

/// May stand in an unquoted identifier.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
#[path = "scanner/tests.rs"]
mod tests;
