//! Operands: literals, columns, variables, parentheses, CASE and the like.

use crate::error::Result;

use super::super::expr::{ASSIGNMENT, ColumnName, Expr, ExprKind, Literal, Name, TemporalKind};
use super::super::keywords;
use super::super::literal;
use super::super::token::TokenKind;
use super::cursor::Parser;
use super::expr::other;

impl Parser<'_> {
    /// An operand without operators.
    pub(super) fn primary(&mut self) -> Result<Expr> {
        let start = self.start();
        let kind = self.primary_kind()?;
        Ok(Expr { span: self.span_from(start), kind })
    }

    fn primary_kind(&mut self) -> Result<ExprKind> {
        use TokenKind as K;
        let token = self.peek();
        match token.kind {
            K::LeftParen => self.parenthesized(),
            K::LeftBrace => self.braced(),
            K::Param => {
                self.bump();
                Ok(ExprKind::Param(self.param_index(token.span)?))
            }
            K::UserVariable => self.user_variable(),
            K::SystemVariable => {
                self.bump();
                let text = String::from_utf8_lossy(self.slice(token.span)).replace('`', "");
                Ok(ExprKind::SystemVariable(text.trim_start_matches('@').to_ascii_lowercase()))
            }
            K::String | K::NationalString | K::Hex | K::Bit => {
                self.charset_literal(None).map(ExprKind::Literal)
            }
            K::Integer | K::Decimal | K::Float => {
                self.bump();
                let text = String::from_utf8_lossy(self.slice(token.span)).into_owned();
                Ok(ExprKind::Literal(match token.kind {
                    K::Integer => Literal::Integer(text),
                    K::Decimal => Literal::Decimal(text),
                    _ => Literal::Float(text),
                }))
            }
            K::Word => self.word_operand(),
            K::Quoted => self.column_or_call(),
            _ => Err(self.error()),
        }
    }

    fn user_variable(&mut self) -> Result<ExprKind> {
        let name = self.user_variable_name()?;
        if !self.accept(TokenKind::Assign) {
            return Ok(ExprKind::UserVariable(name));
        }
        let start = self.start();
        let value = self.expr()?;
        let target = ExprKind::UserVariable(name);
        let at = super::super::span::Span { start, end: start };
        Ok(other(ASSIGNMENT, vec![Expr { span: at, kind: target }, value]))
    }

    /// The name of the `@a` ahead: lower case, since the names are case-insensitive.
    pub(super) fn user_variable_name(&mut self) -> Result<String> {
        let token = self.expect(TokenKind::UserVariable)?;
        let raw = self.slice(token.span).get(1..).unwrap_or_default();
        let bytes = match raw.first() {
            None => return Err(self.error()),
            Some(b'`') => literal::unescape(raw, false, self.mode.charset),
            Some(b'\'' | b'"') => {
                literal::unescape(raw, !self.mode.no_backslash_escapes, self.mode.charset)
            }
            Some(_) => raw.to_vec(),
        };
        Ok(self.utf8(bytes)?.to_lowercase())
    }

    /// A string, hex or bit literal with adjacent strings joined; `charset` is its introducer.
    pub(super) fn charset_literal(&mut self, charset: Option<String>) -> Result<Literal> {
        let token = self.bump();
        let raw = self.slice(token.span);
        match token.kind {
            TokenKind::Hex => return Ok(Literal::Hex { bytes: literal::hex(raw), charset }),
            TokenKind::Bit => return Ok(Literal::Bit { bytes: literal::bits(raw), charset }),
            _ => {}
        }
        let escapes = !self.mode.no_backslash_escapes;
        let (raw, charset) = match token.kind {
            TokenKind::NationalString => {
                (raw.get(1..).unwrap_or_default(), Some("utf8".to_owned()))
            }
            _ => (raw, charset),
        };
        let mut bytes = literal::unescape(raw, escapes, self.mode.charset);
        while self.at(TokenKind::String) {
            let next = self.bump();
            bytes.extend(literal::unescape(self.slice(next.span), escapes, self.mode.charset));
        }
        Ok(Literal::String { bytes, charset })
    }

    /// A plain string literal.
    pub(super) fn string_literal(&mut self) -> Result<Expr> {
        let start = self.start();
        if !self.at(TokenKind::String) {
            return Err(self.error());
        }
        let kind = ExprKind::Literal(self.charset_literal(None)?);
        Ok(Expr { span: self.span_from(start), kind })
    }

    /// `(query)`, `(a)`, `(a, b)`.
    fn parenthesized(&mut self) -> Result<ExprKind> {
        if self.query_in_parens_at(0) {
            return Ok(ExprKind::Subquery(Box::new(self.subquery()?)));
        }
        self.expect(TokenKind::LeftParen)?;
        let first = self.expr()?;
        if self.at(TokenKind::Comma) {
            return self.row_rest(vec![first]);
        }
        self.expect(TokenKind::RightParen)?;
        Ok(first.kind)
    }

    /// The members of a row from the second on, and the `)`.
    fn row_rest(&mut self, mut members: Vec<Expr>) -> Result<ExprKind> {
        while self.accept(TokenKind::Comma) {
            members.push(self.expr()?);
        }
        self.expect(TokenKind::RightParen)?;
        Ok(ExprKind::Row(members))
    }

    /// ODBC's `{d '2026-01-01'}`, or `{name expr}`.
    fn braced(&mut self) -> Result<ExprKind> {
        self.expect(TokenKind::LeftBrace)?;
        let word = self.any_name()?.value.to_ascii_lowercase();
        let temporal = match word.as_str() {
            "d" => Some(TemporalKind::Date),
            "t" => Some(TemporalKind::Time),
            "ts" => Some(TemporalKind::Timestamp),
            _ => None,
        };
        let kind = match temporal {
            Some(kind) if self.at(TokenKind::String) => self.temporal(kind)?,
            _ => self.expr()?.kind,
        };
        self.expect(TokenKind::RightBrace)?;
        Ok(kind)
    }

    fn temporal(&mut self, kind: TemporalKind) -> Result<ExprKind> {
        let token = self.expect(TokenKind::String)?;
        let bytes = self.unescape(token.span);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(ExprKind::Literal(Literal::Temporal { kind, text }))
    }

    /// An operand that starts with an unquoted word.
    fn word_operand(&mut self) -> Result<ExprKind> {
        if let Some(charset) = keywords::introducer(self.nth_word(0))
            && matches!(self.nth(1).kind, TokenKind::String | TokenKind::Hex | TokenKind::Bit)
        {
            self.bump();
            return self.charset_literal(Some(charset)).map(ExprKind::Literal);
        }
        if self.nth_is(1, TokenKind::Dot) {
            return self.column_or_call();
        }
        let call = self.nth_is(1, TokenKind::LeftParen);
        let string = self.nth_is(1, TokenKind::String);
        // No operand that is a keyword is longer; without an allocation, as columns come here too.
        let mut buffer = [0; 9];
        match upper(self.nth_word(0), &mut buffer) {
            "NULL" => self.constant(Literal::Null),
            "TRUE" => self.constant(Literal::Bool(true)),
            "FALSE" => self.constant(Literal::Bool(false)),
            "DATE" if string => self.temporal_after_word(TemporalKind::Date),
            "TIME" if string => self.temporal_after_word(TemporalKind::Time),
            "TIMESTAMP" if string => self.temporal_after_word(TemporalKind::Timestamp),
            "CASE" => self.case(),
            "INTERVAL" => self.interval(),
            "MATCH" => self.match_against(),
            "DEFAULT" => self.default(),
            "ROW" if call => {
                self.bump();
                self.expect(TokenKind::LeftParen)?;
                let first = self.expr()?;
                self.row_rest(vec![first])
            }
            "EXISTS" if call => {
                self.bump();
                let query = Box::new(self.subquery()?);
                Ok(ExprKind::Exists { query, negated: false })
            }
            _ => self.column_or_call(),
        }
    }

    fn constant(&mut self, literal: Literal) -> Result<ExprKind> {
        self.bump();
        Ok(ExprKind::Literal(literal))
    }

    fn temporal_after_word(&mut self, kind: TemporalKind) -> Result<ExprKind> {
        self.bump();
        self.temporal(kind)
    }

    fn case(&mut self) -> Result<ExprKind> {
        self.expect_kw("CASE")?;
        let mut children = Vec::new();
        if !self.at_kw("WHEN") {
            children.push(self.expr()?);
        }
        while self.accept_kw("WHEN") {
            children.push(self.expr()?);
            self.expect_kw("THEN")?;
            children.push(self.expr()?);
        }
        if self.accept_kw("ELSE") {
            children.push(self.expr()?);
        }
        self.expect_kw("END")?;
        Ok(other("CASE", children))
    }

    /// INTERVAL is ahead, and not as the function `INTERVAL(a, b, ...)`.
    pub(super) fn interval_ahead(&self) -> bool {
        let call = self.nth_is(1, TokenKind::LeftParen)
            && !self.query_in_parens_at(1)
            && self.comma_in_parens(1);
        self.at_kw("INTERVAL") && !call
    }

    /// `INTERVAL expr unit`
    pub(super) fn interval_amount(&mut self) -> Result<Expr> {
        let start = self.start();
        self.expect_kw("INTERVAL")?;
        let amount = self.expr()?;
        if !keywords::is_unit(self.nth_word(0)) {
            return Err(self.error());
        }
        self.bump();
        Ok(Expr { span: self.span_from(start), kind: other("INTERVAL", vec![amount]) })
    }

    /// `INTERVAL expr unit`, `INTERVAL expr unit + expr`, or the function.
    fn interval(&mut self) -> Result<ExprKind> {
        if !self.interval_ahead() {
            return self.call();
        }
        let interval = self.interval_amount()?;
        if !self.accept(TokenKind::Plus) {
            return Ok(interval.kind);
        }
        Ok(other("sum", vec![interval, self.interval_base()?]))
    }

    /// A comma stands directly inside the parentheses at `ahead`.
    fn comma_in_parens(&self, ahead: usize) -> bool {
        let mut at = ahead + 1;
        loop {
            match self.nth(at).kind {
                TokenKind::Comma => return true,
                TokenKind::RightParen | TokenKind::End => return false,
                TokenKind::LeftParen => match self.closing_paren(at) {
                    Some(closing) => at = closing + 1,
                    None => return false,
                },
                _ => at += 1,
            }
        }
    }

    /// `MATCH (a, b) AGAINST (expr [modifiers])`; the parentheses around the columns may be missing.
    fn match_against(&mut self) -> Result<ExprKind> {
        self.expect_kw("MATCH")?;
        let parens = self.accept(TokenKind::LeftParen);
        let mut children = self.comma_separated(Self::primary)?;
        if parens {
            self.expect(TokenKind::RightParen)?;
        }
        self.expect_kw("AGAINST")?;
        self.expect(TokenKind::LeftParen)?;
        children.push(self.bit_expr()?);
        while !self.at(TokenKind::RightParen) {
            if !self.accept_any_kw(MATCH_MODIFIERS) {
                return Err(self.error());
            }
        }
        self.bump();
        Ok(other("MATCH ... AGAINST", children))
    }

    /// `DEFAULT` or `DEFAULT(col)`.
    fn default(&mut self) -> Result<ExprKind> {
        self.expect_kw("DEFAULT")?;
        if self.accept(TokenKind::LeftParen) {
            self.column_name()?;
            self.expect(TokenKind::RightParen)?;
        }
        Ok(ExprKind::Default)
    }

    fn column_or_call(&mut self) -> Result<ExprKind> {
        if self.is_call() {
            return self.call();
        }
        self.column_name().map(ExprKind::Column)
    }

    /// `c`, `t.c`, `s.t.c`.
    pub(super) fn column_name(&mut self) -> Result<ColumnName> {
        let mut names: Vec<Name> = vec![self.name()?];
        while names.len() < 3 && self.accept(TokenKind::Dot) {
            names.push(self.any_name()?);
        }
        let Some(name) = names.pop() else {
            return Err(self.error());
        };
        let table = names.pop();
        Ok(ColumnName { schema: names.pop(), table, name })
    }
}

/// `word` in upper case; empty if it does not fit.
fn upper<'b>(word: &[u8], buffer: &'b mut [u8]) -> &'b str {
    let Some(place) = buffer.get_mut(..word.len()) else {
        return "";
    };
    place.copy_from_slice(word);
    place.make_ascii_uppercase();
    std::str::from_utf8(place).unwrap_or_default()
}

const MATCH_MODIFIERS: &[&str] =
    &["IN", "NATURAL", "LANGUAGE", "MODE", "BOOLEAN", "WITH", "QUERY", "EXPANSION"];
