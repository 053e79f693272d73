//! Function calls with their special forms, and OVER.

use crate::error::Result;

use super::super::expr::{Expr, ExprKind, Function};
use super::super::keywords;
use super::super::span::Span;
use super::super::token::TokenKind;
use super::cursor::Parser;

/// Reserved words that are functions when a parenthesis follows.
const RESERVED_FUNCTIONS: &[&str] = &[
    "CHAR",
    "CONVERT",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DATABASE",
    "IF",
    "INSERT",
    "INTERVAL",
    "LEFT",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "MOD",
    "REPEAT",
    "REPLACE",
    "RIGHT",
    "SCHEMA",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
    "VALUES",
];

/// Functions that need no parentheses.
const BARE_FUNCTIONS: &[&str] = &[
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
];

impl Parser<'_> {
    /// A function call is ahead.
    pub(super) fn is_call(&self) -> bool {
        let any = |words: &[&str]| words.iter().any(|word| self.at_kw(word));
        if self.nth_is(1, TokenKind::LeftParen) {
            return self.at_name() || any(RESERVED_FUNCTIONS);
        }
        let qualified = self.nth_is(1, TokenKind::Dot) && self.nth_is(3, TokenKind::LeftParen);
        any(BARE_FUNCTIONS) || (qualified && self.at_name())
    }

    pub(super) fn call(&mut self) -> Result<ExprKind> {
        let mut name = self.any_name()?.value;
        if self.accept(TokenKind::Dot) {
            name = format!("{name}.{}", self.any_name()?.value);
        }
        let mut function = Function {
            name: name.to_lowercase(),
            args: Vec::new(),
            args_span: self.span_from(self.end()),
            distinct: false,
            star: false,
            window: false,
            window_args: Vec::new(),
        };
        if self.accept(TokenKind::LeftParen) {
            let start = self.end();
            self.arguments(&mut function)?;
            function.args_span = Span { start, end: self.start() };
            self.expect(TokenKind::RightParen)?;
            self.over(&mut function)?;
        }
        Ok(ExprKind::Function(function))
    }

    fn arguments(&mut self, function: &mut Function) -> Result<()> {
        match function.name.as_str() {
            "cast" => self.cast(function),
            "convert" => self.convert(function),
            "extract" => {
                self.unit()?;
                self.expect_kw("FROM")?;
                function.args.push(self.expr()?);
                Ok(())
            }
            "timestampadd" | "timestampdiff" => {
                self.unit()?;
                self.expect(TokenKind::Comma)?;
                function.args = self.comma_separated(Self::expr)?;
                Ok(())
            }
            "get_format" => {
                if !self.accept_any_kw(&["DATE", "TIME", "DATETIME", "TIMESTAMP"]) {
                    return Err(self.error());
                }
                self.expect(TokenKind::Comma)?;
                function.args.push(self.expr()?);
                Ok(())
            }
            "trim" => self.trim(function),
            // Only a column: `VALUES (1), (2)` is a table in MariaDB.
            "values" => {
                let start = self.start();
                let kind = ExprKind::Column(self.column_name()?);
                function.args.push(Expr { span: self.span_from(start), kind });
                Ok(())
            }
            "position" => {
                function.args.push(self.bit_expr()?);
                self.expect_kw("IN")?;
                function.args.push(self.expr()?);
                Ok(())
            }
            _ => self.plain_arguments(function),
        }
    }

    /// `[DISTINCT] a, b [FROM x FOR y] [ORDER BY ...] [SEPARATOR 's'] [AS type] [USING charset] ...`
    fn plain_arguments(&mut self, function: &mut Function) -> Result<()> {
        if self.at(TokenKind::RightParen) {
            return Ok(());
        }
        function.distinct = self.accept_kw("DISTINCT");
        if !function.distinct {
            self.accept_kw("ALL");
            if self.accept(TokenKind::Star) {
                function.star = true;
                return Ok(());
            }
        }
        function.args = self.comma_separated(Self::expr)?;
        match function.name.as_str() {
            "substring" | "substr" | "mid" => {
                for word in ["FROM", "FOR"] {
                    if self.accept_kw(word) {
                        function.args.push(self.expr()?);
                    }
                }
            }
            "group_concat" => self.group_concat(function)?,
            "char" if self.accept_kw("USING") => {
                self.any_name()?;
            }
            "weight_string" => self.skip_words_after(&["AS", "LEVEL"])?,
            "json_value" => self.json_value(function)?,
            // MariaDB's and MySQL's ordered aggregates.
            "json_arrayagg" => self.group_concat(function)?,
            _ => {}
        }
        Ok(())
    }

    fn group_concat(&mut self, function: &mut Function) -> Result<()> {
        if self.accept_kws(&["ORDER", "BY"]) {
            function.args.extend(self.comma_separated(Self::order_key)?);
        }
        if self.accept_kw("SEPARATOR") {
            function.args.push(self.primary()?);
        }
        if self.at_kw("LIMIT") {
            let limit = self.limit()?;
            function.args.extend(
                limit
                    .into_iter()
                    .flat_map(|limit| limit.offset.into_iter().chain(std::iter::once(limit.rows))),
            );
        }
        Ok(())
    }

    /// `expr [ASC | DESC]`
    fn order_key(&mut self) -> Result<Expr> {
        Ok(self.order_item()?.expr)
    }

    /// `[[BOTH | LEADING | TRAILING] [what] FROM] text`
    fn trim(&mut self, function: &mut Function) -> Result<()> {
        let side = self.accept_any_kw(&["BOTH", "LEADING", "TRAILING"]);
        if side && self.accept_kw("FROM") {
            function.args.push(self.expr()?);
            return Ok(());
        }
        function.args.push(self.expr()?);
        if self.accept_kw("FROM") {
            function.args.push(self.expr()?);
        } else if side {
            return Err(self.error());
        }
        Ok(())
    }

    /// `expr [AT TIME ZONE zone] AS type [ARRAY]`
    fn cast(&mut self, function: &mut Function) -> Result<()> {
        function.args.push(self.expr()?);
        if self.accept_kws(&["AT", "TIME", "ZONE"]) {
            self.accept_kw("INTERVAL");
            function.args.push(self.primary()?);
        }
        self.expect_kw("AS")?;
        self.data_type()
    }

    /// `expr, type` or `expr USING charset`
    fn convert(&mut self, function: &mut Function) -> Result<()> {
        function.args.push(self.expr()?);
        if self.accept_kw("USING") {
            if !self.accept(TokenKind::String) {
                self.any_name()?;
            }
            return Ok(());
        }
        self.expect(TokenKind::Comma)?;
        self.data_type()
    }

    /// Words of a type up to the next `)` of the call; `(10, 2)` inside is skipped.
    fn data_type(&mut self) -> Result<()> {
        if !matches!(self.peek().kind, TokenKind::Word) {
            return Err(self.error());
        }
        while !self.at(TokenKind::RightParen) {
            match self.peek().kind {
                TokenKind::Word | TokenKind::Quoted | TokenKind::String => {
                    self.bump();
                }
                TokenKind::LeftParen => {
                    self.type_size()?;
                }
                _ => return Err(self.error()),
            }
        }
        Ok(())
    }

    /// `(10)`, `(10, 2)`, `('a', 'b')`: constants only, so that nothing is lost.
    fn type_size(&mut self) -> Result<()> {
        self.expect(TokenKind::LeftParen)?;
        loop {
            if !self.accept(TokenKind::Integer) && !self.accept(TokenKind::String) {
                return Err(self.error());
            }
            if !self.accept(TokenKind::Comma) {
                break;
            }
        }
        self.expect(TokenKind::RightParen)?;
        Ok(())
    }

    /// `AS CHAR(3) LEVEL 1 ...` of WEIGHT_STRING.
    fn skip_words_after(&mut self, words: &[&str]) -> Result<()> {
        if !self.at_any_kw(words) {
            return Ok(());
        }
        while !self.at(TokenKind::RightParen) {
            match self.peek().kind {
                TokenKind::LeftParen => self.type_size()?,
                TokenKind::Word | TokenKind::Integer | TokenKind::Comma | TokenKind::Minus => {
                    self.bump();
                }
                _ => return Err(self.error()),
            }
        }
        Ok(())
    }

    /// `RETURNING type`, `DEFAULT x ON EMPTY`, `ERROR ON ERROR` ...
    fn json_value(&mut self, function: &mut Function) -> Result<()> {
        while !self.at(TokenKind::RightParen) {
            if self.accept_kw("DEFAULT") {
                function.args.push(self.primary()?);
                continue;
            }
            match self.peek().kind {
                TokenKind::LeftParen => self.type_size()?,
                TokenKind::Word => {
                    self.bump();
                }
                _ => return Err(self.error()),
            }
        }
        Ok(())
    }

    fn unit(&mut self) -> Result<()> {
        if !keywords::is_unit(self.nth_word(0)) {
            return Err(self.error());
        }
        self.bump();
        Ok(())
    }

    /// `[FROM FIRST | LAST] [RESPECT | IGNORE NULLS] OVER window`
    fn over(&mut self, function: &mut Function) -> Result<()> {
        let mark = self.mark();
        if self.accept_kw("FROM") && !self.accept_any_kw(&["FIRST", "LAST"]) {
            self.reset(mark);
        }
        if self.at_any_kw(&["RESPECT", "IGNORE"]) && self.nth_kw(1, "NULLS") {
            self.bump();
            self.bump();
        }
        if !self.accept_kw("OVER") {
            self.reset(mark);
            return Ok(());
        }
        function.window = true;
        if self.at(TokenKind::LeftParen) {
            function.window_args = self.window()?;
        } else {
            self.name()?;
        }
        Ok(())
    }

    /// `([name] [PARTITION BY ...] [ORDER BY ...] [frame])`: its expressions.
    pub(super) fn window(&mut self) -> Result<Vec<Expr>> {
        let mut exprs = Vec::new();
        self.expect(TokenKind::LeftParen)?;
        // GROUPS is the one word of a frame that is not in the list of reserved words.
        if self.at_name() && !self.at_kw("GROUPS") {
            self.name()?;
        }
        if self.accept_kws(&["PARTITION", "BY"]) {
            exprs.extend(self.comma_separated(Self::expr)?);
        }
        if self.accept_kws(&["ORDER", "BY"]) {
            exprs.extend(self.comma_separated(Self::order_key)?);
        }
        if self.accept_any_kw(&["ROWS", "RANGE", "GROUPS"]) {
            let between = self.accept_kw("BETWEEN");
            exprs.extend(self.frame_bound()?);
            if between {
                self.expect_kw("AND")?;
                exprs.extend(self.frame_bound()?);
            }
            if self.accept_kw("EXCLUDE") {
                while !self.at(TokenKind::RightParen) && self.at(TokenKind::Word) {
                    self.bump();
                }
            }
        }
        self.expect(TokenKind::RightParen)?;
        Ok(exprs)
    }

    /// `UNBOUNDED PRECEDING`, `CURRENT ROW`, `expr FOLLOWING`.
    fn frame_bound(&mut self) -> Result<Option<Expr>> {
        if self.accept_kws(&["CURRENT", "ROW"]) {
            return Ok(None);
        }
        let bound = if self.accept_kw("UNBOUNDED") { None } else { Some(self.bit_expr()?) };
        if !self.accept_any_kw(&["PRECEDING", "FOLLOWING"]) {
            return Err(self.error());
        }
        Ok(bound)
    }
}
