//! SET in all its forms.

use crate::error::Result;

use super::super::expr::{Expr, ExprKind, Literal};
use super::super::literal;
use super::super::statement::{Assignment, Scope, SetTarget, StatementKind};
use super::super::token::TokenKind;
use super::cursor::Parser;

impl Parser<'_> {
    pub(super) fn set(&mut self) -> Result<StatementKind> {
        self.expect_kw("SET")?;
        let mark = self.mark();
        if let Some(charsets) = self.charsets()? {
            if !self.at(TokenKind::Comma) {
                return Ok(charsets);
            }
            self.reset(mark);
            return Ok(StatementKind::Set(self.assignments()?));
        }
        let scope = self.scope();
        if self.accept_kw("TRANSACTION") {
            return self.set_transaction(scope);
        }
        self.reset(mark);
        for words in OTHER_SETS {
            // `SET password = ...` is a variable's name to nobody; the others need no `=`.
            if self.at_kws(words) && (words[0] == "PASSWORD" || !self.assigns(words.len())) {
                self.skip_to_end();
                return Ok(StatementKind::Other(format!("SET {}", words.join(" "))));
            }
        }
        Ok(StatementKind::Set(self.assignments()?))
    }

    fn assigns(&self, ahead: usize) -> bool {
        matches!(self.nth(ahead).kind, TokenKind::Eq | TokenKind::Assign)
    }

    /// `NAMES cs` and `CHARACTER SET cs`, if one of them is next.
    fn charsets(&mut self) -> Result<Option<StatementKind>> {
        if self.names_ahead() {
            return self.set_names().map(Some);
        }
        if self.at_kws(&["CHARACTER", "SET"]) || self.charset_ahead() {
            return self.set_character_set().map(Some);
        }
        Ok(None)
    }

    fn names_ahead(&self) -> bool {
        self.at_kw("NAMES") && !self.assigns(1)
    }

    fn charset_ahead(&self) -> bool {
        self.at_kw("CHARSET") && !self.assigns(1)
    }

    /// `NAMES cs [COLLATE c]`, `NAMES DEFAULT`
    fn set_names(&mut self) -> Result<StatementKind> {
        self.bump();
        let charset = self.charset_or_default()?;
        let collation = if self.accept_kw("COLLATE") { self.charset_or_default()? } else { None };
        Ok(StatementKind::SetNames { charset, collation, character_set: false })
    }

    fn set_character_set(&mut self) -> Result<StatementKind> {
        if !self.accept_kw("CHARSET") {
            self.expect_kw("CHARACTER")?;
            self.expect_kw("SET")?;
        }
        let charset = self.charset_or_default()?;
        Ok(StatementKind::SetNames { charset, collation: None, character_set: true })
    }

    /// A charset's or collation's name in lower case; None is DEFAULT.
    fn charset_or_default(&mut self) -> Result<Option<String>> {
        if self.accept_kw("DEFAULT") {
            return Ok(None);
        }
        let token = self.peek();
        let name = match token.kind {
            TokenKind::String => {
                let bytes = literal::unescape(self.slice(token.span), true);
                self.utf8(bytes)?
            }
            TokenKind::Word | TokenKind::Quoted => {
                return Ok(Some(self.any_name()?.value.to_lowercase()));
            }
            _ => return Err(self.error()),
        };
        self.bump();
        Ok(Some(name.to_lowercase()))
    }

    /// `ISOLATION LEVEL x`, `READ ONLY`, `READ WRITE`, joined by a comma.
    fn set_transaction(&mut self, scope: Option<Scope>) -> Result<StatementKind> {
        let (mut isolation, mut read_only) = (None, None);
        loop {
            if self.accept_kws(&["ISOLATION", "LEVEL"]) {
                isolation = Some(self.isolation_level()?);
            } else if self.accept_kws(&["READ", "ONLY"]) {
                read_only = Some(true);
            } else if self.accept_kws(&["READ", "WRITE"]) {
                read_only = Some(false);
            } else {
                return Err(self.error());
            }
            if !self.accept(TokenKind::Comma) {
                break;
            }
        }
        Ok(StatementKind::SetTransaction { scope, isolation, read_only })
    }

    /// The level as the variable `transaction_isolation` spells it.
    fn isolation_level(&mut self) -> Result<String> {
        let levels: [(&[&str], &str); 4] = [
            (&["READ", "UNCOMMITTED"], "READ-UNCOMMITTED"),
            (&["READ", "COMMITTED"], "READ-COMMITTED"),
            (&["REPEATABLE", "READ"], "REPEATABLE-READ"),
            (&["SERIALIZABLE"], "SERIALIZABLE"),
        ];
        for (words, level) in levels {
            if self.accept_kws(words) {
                return Ok(level.to_owned());
            }
        }
        Err(self.error())
    }

    fn scope(&mut self) -> Option<Scope> {
        let scope = match self.word_upper().as_str() {
            "SESSION" | "LOCAL" => Scope::Session,
            "GLOBAL" => Scope::Global,
            "PERSIST" | "PERSIST_ONLY" => Scope::Persist,
            _ => return None,
        };
        // `SET session = 1` has no scope.
        if self.assigns(1) || self.nth_is(1, TokenKind::Dot) {
            return None;
        }
        self.bump();
        Some(scope)
    }

    /// A scope word holds for the bare names behind it until the next one.
    fn assignments(&mut self) -> Result<Vec<Assignment>> {
        let mut sticky = None;
        self.comma_separated(|parser| {
            let start = parser.start();
            if parser.charsets()?.is_some() {
                let span = parser.span_from(start);
                let bytes = parser.slice(span).to_vec();
                let value = Expr {
                    span,
                    kind: ExprKind::Literal(Literal::String { bytes, charset: None }),
                };
                return Ok(Assignment { target: SetTarget::Names, value, span });
            }
            let target = parser.target(&mut sticky)?;
            if !parser.accept(TokenKind::Assign) {
                parser.expect(TokenKind::Eq)?;
            }
            let value = parser.set_value(&target)?;
            Ok(Assignment { target, value, span: parser.span_from(start) })
        })
    }

    fn target(&mut self, sticky: &mut Option<Scope>) -> Result<SetTarget> {
        if self.at(TokenKind::UserVariable) {
            return Ok(SetTarget::User(self.user_variable_name()?));
        }
        if self.at(TokenKind::SystemVariable) {
            let span = self.bump().span;
            let text = String::from_utf8_lossy(self.slice(span)).replace('`', "");
            return Ok(system_target(text.trim_start_matches('@')));
        }
        let scope = self.scope().or(*sticky);
        *sticky = scope;
        let mut name = self.any_name()?.value.to_lowercase();
        if self.accept(TokenKind::Dot) {
            // A structured variable: `hot_cache.key_buffer_size`.
            name = format!("{name}.{}", self.any_name()?.value.to_lowercase());
        }
        Ok(SetTarget::System { scope, name })
    }

    /// An expression, or a bare word such as ON, BINARY or utf8mb4, which is a string then.
    fn set_value(&mut self, target: &SetTarget) -> Result<Expr> {
        let start = self.start();
        let last = |kind| matches!(kind, TokenKind::Comma | TokenKind::Semicolon | TokenKind::End);
        let bare = matches!(target, SetTarget::System { .. })
            && self.at(TokenKind::Word)
            && last(self.nth(1).kind)
            && !self.at_any_kw(&["DEFAULT", "NULL", "TRUE", "FALSE"]);
        if bare && !self.is_call() {
            let word = self.bump().span;
            let bytes = self.slice(word).to_vec();
            let kind = ExprKind::Literal(Literal::String { bytes, charset: None });
            return Ok(Expr { span: self.span_from(start), kind });
        }
        self.expr()
    }
}

/// SET statements that assign no variables.
const OTHER_SETS: &[&[&str]] =
    &[&["PASSWORD"], &["ROLE"], &["DEFAULT", "ROLE"], &["RESOURCE", "GROUP"], &["STATEMENT"]];

/// `session.autocommit` to its scope and name.
fn system_target(text: &str) -> SetTarget {
    let text = text.to_lowercase();
    let (scope, name) = match text.split_once('.') {
        Some(("session" | "local", name)) => (Some(Scope::Session), name),
        Some(("global", name)) => (Some(Scope::Global), name),
        Some(("persist" | "persist_only", name)) => (Some(Scope::Persist), name),
        _ => (None, text.as_str()),
    };
    SetTarget::System { scope, name: name.to_owned() }
}
