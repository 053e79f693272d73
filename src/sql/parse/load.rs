//! LOAD DATA LOCAL.

use crate::error::Result;

use super::super::expr::Literal;
use super::super::load::{Format, LoadData, LoadTarget, Skip};
use super::super::statement::StatementKind;
use super::super::token::TokenKind;
use super::cursor::Parser;

impl Parser<'_> {
    /// Whether a file of the client is loaded, and not one of a server.
    pub(super) fn at_load_local(&self) -> bool {
        let modifier = ["LOW_PRIORITY", "CONCURRENT"].iter().any(|word| self.nth_kw(2, word));
        let at = 2 + usize::from(modifier);
        self.at_kws(&["LOAD", "DATA"]) && self.nth_kw(at, "LOCAL") && self.nth_kw(at + 1, "INFILE")
    }

    /// `LOAD DATA [LOW_PRIORITY | CONCURRENT] LOCAL INFILE 'file' [REPLACE | IGNORE] INTO TABLE t ...`
    pub(super) fn load_local(&mut self) -> Result<StatementKind> {
        self.accept_kws(&["LOAD", "DATA"]);
        self.accept_any_kw(&["LOW_PRIORITY", "CONCURRENT"]);
        self.accept_kws(&["LOCAL", "INFILE"]);
        let file = self.string_bytes()?;
        let replace = self.accept_kw("REPLACE");
        if !replace {
            self.accept_kw("IGNORE");
        }
        self.expect_kw("INTO")?;
        self.expect_kw("TABLE")?;
        let table = self.table_name()?;
        if self.accept_kw("PARTITION") {
            self.name_list()?;
        }
        let table_end = self.end();
        let charset = self.load_charset()?;
        let format = self.load_format()?;
        let skip = self.load_skip()?;
        let list_at = self.end();
        let has_list = self.at(TokenKind::LeftParen);
        let (targets, targets_at) = self.load_targets(list_at)?;
        let assignments = match self.accept_kw("SET") {
            true => self.comma_separated(Self::assignment)?,
            false => Vec::new(),
        };
        Ok(StatementKind::Load(Box::new(LoadData {
            file,
            replace,
            table,
            table_end,
            charset,
            format,
            skip,
            targets,
            targets_at,
            has_list,
            assignments,
        })))
    }

    /// `CHARACTER SET cs`, `CHARSET cs`
    fn load_charset(&mut self) -> Result<Option<String>> {
        if !self.accept_kws(&["CHARACTER", "SET"]) && !self.accept_kw("CHARSET") {
            return Ok(None);
        }
        let name = match self.at(TokenKind::String) {
            true => String::from_utf8_lossy(&self.string_bytes()?).into_owned(),
            false => self.any_name()?.value,
        };
        Ok(Some(name.to_ascii_lowercase()))
    }

    /// FIELDS and LINES.
    fn load_format(&mut self) -> Result<Format> {
        let mut format = Format::new(!self.mode.no_backslash_escapes);
        if self.accept_any_kw(&["FIELDS", "COLUMNS"]) {
            let mut found = false;
            loop {
                if self.accept_kws(&["TERMINATED", "BY"]) {
                    format.fields = self.string_bytes()?;
                } else if self.accept_kws(&["OPTIONALLY", "ENCLOSED", "BY"])
                    || self.accept_kws(&["ENCLOSED", "BY"])
                {
                    format.enclosed = self.string_bytes()?;
                } else if self.accept_kws(&["ESCAPED", "BY"]) {
                    format.escaped = self.string_bytes()?;
                } else if found {
                    break;
                } else {
                    return Err(self.error());
                }
                found = true;
            }
        }
        if self.accept_kw("LINES") {
            let mut found = false;
            loop {
                if self.accept_kws(&["TERMINATED", "BY"]) {
                    format.lines = self.string_bytes()?;
                } else if self.accept_kws(&["STARTING", "BY"]) {
                    format.starting = self.string_bytes()?;
                } else if found {
                    break;
                } else {
                    return Err(self.error());
                }
                found = true;
            }
        }
        Ok(format)
    }

    /// `IGNORE 1 LINES`, `IGNORE 1 ROWS`
    fn load_skip(&mut self) -> Result<Option<Skip>> {
        let start = self.start();
        if !self.accept_kw("IGNORE") {
            return Ok(None);
        }
        let number = self.expect(TokenKind::Integer)?;
        let text = String::from_utf8_lossy(self.slice(number.span)).into_owned();
        if !self.accept_any_kw(&["LINES", "ROWS"]) {
            return Err(self.error());
        }
        let lines = text.parse().unwrap_or(u64::MAX);
        Ok(Some(Skip { lines, span: self.span_from(start) }))
    }

    /// `(a, @b)`, and where it begins.
    fn load_targets(&mut self, at: u32) -> Result<(Vec<LoadTarget>, u32)> {
        if !self.accept(TokenKind::LeftParen) {
            return Ok((Vec::new(), at));
        }
        let start = self.end();
        if self.accept(TokenKind::RightParen) {
            return Ok((Vec::new(), start));
        }
        let targets = self.comma_separated(|parser| {
            Ok(match parser.at(TokenKind::UserVariable) {
                true => LoadTarget::Variable(parser.user_variable_name()?),
                false => LoadTarget::Column(parser.column_name()?.name),
            })
        })?;
        self.expect(TokenKind::RightParen)?;
        Ok((targets, start))
    }

    /// The bytes of a string, which may be written as hexadecimal or binary digits.
    fn string_bytes(&mut self) -> Result<Vec<u8>> {
        if !matches!(self.peek().kind, TokenKind::String | TokenKind::Hex | TokenKind::Bit) {
            return Err(self.error());
        }
        match self.charset_literal(None)? {
            Literal::String { bytes, .. }
            | Literal::Hex { bytes, .. }
            | Literal::Bit { bytes, .. } => Ok(bytes),
            Literal::Null
            | Literal::Bool(_)
            | Literal::Integer(_)
            | Literal::Decimal(_)
            | Literal::Float(_)
            | Literal::Temporal { .. } => Err(self.error()),
        }
    }
}
