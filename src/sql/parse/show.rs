//! SHOW and DESCRIBE.

use crate::error::Result;

use super::super::query::TableName;
use super::super::statement::{Created, Listing, Show, ShowKind, StatementKind};
use super::super::token::TokenKind;
use super::cursor::Parser;

/// What SHOW lists and each server answers alike.
const SERVER: &[&[&str]] = &[
    &["CHARACTER", "SET"],
    &["CHARSET"],
    &["COLLATION"],
    &["STORAGE", "ENGINES"],
    &["ENGINES"],
    &["PLUGINS"],
    &["PRIVILEGES"],
    &["PROFILES"],
];

impl Parser<'_> {
    pub(super) fn show(&mut self) -> Result<StatementKind> {
        self.expect_kw("SHOW")?;
        let mut show =
            Show { kind: ShowKind::Server, full: false, schema: None, table: None, filter: None };
        loop {
            if self.accept_kw("FULL") {
                show.full = true;
            } else if !(self.at_kw("EXTENDED") && self.accept_kw("EXTENDED")) {
                break;
            }
        }
        if self.show_lists(&mut show)?
            || self.show_table(&mut show)?
            || self.show_server(&mut show)?
        {
            self.show_filter(&mut show);
        } else if self.accept_kws(&["MARGAY", "TRANSACTION"]) {
            let span = self.expect(TokenKind::String)?.span;
            let bytes = self.unescape(span);
            show.kind = ShowKind::MargayTransaction(self.utf8(bytes)?);
        } else if self.accept_kws(&["MARGAY", "PINS"]) {
            show.kind = ShowKind::MargayPins;
        } else {
            self.show_other(&mut show)?;
        }
        Ok(StatementKind::Show(show))
    }

    /// Kinds that list what a schema holds.
    fn show_lists(&mut self, show: &mut Show) -> Result<bool> {
        let lists: [(&[&str], ShowKind); 7] = [
            (&["DATABASES"], ShowKind::Databases),
            (&["SCHEMAS"], ShowKind::Databases),
            (&["TABLES"], ShowKind::Tables),
            (&["TABLE", "STATUS"], ShowKind::List(Listing::TableStatus)),
            (&["OPEN", "TABLES"], ShowKind::List(Listing::OpenTables)),
            (&["TRIGGERS"], ShowKind::List(Listing::Triggers)),
            (&["EVENTS"], ShowKind::List(Listing::Events)),
        ];
        for (words, kind) in lists {
            if self.accept_kws(words) {
                show.kind = kind;
                self.show_schema(show)?;
                return Ok(true);
            }
        }
        let routines: [(&[&str], Listing); 4] = [
            (&["PROCEDURE", "STATUS"], Listing::Procedures),
            (&["FUNCTION", "STATUS"], Listing::Functions),
            (&["PACKAGE", "STATUS"], Listing::Packages),
            (&["PACKAGE", "BODY", "STATUS"], Listing::PackageBodies),
        ];
        for (words, kind) in routines {
            if self.accept_kws(words) {
                show.kind = ShowKind::List(kind);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `FROM db`
    fn show_schema(&mut self, show: &mut Show) -> Result<()> {
        let start = self.start();
        if self.accept_any_kw(&["FROM", "IN"]) {
            let name = self.name()?;
            show.schema = Some((name, self.span_from(start)));
        }
        Ok(())
    }

    /// Kinds that tell of one table or database.
    fn show_table(&mut self, show: &mut Show) -> Result<bool> {
        if self.accept_any_kw(&["COLUMNS", "FIELDS"]) {
            show.kind = ShowKind::Columns;
        } else if self.accept_any_kw(&["INDEX", "INDEXES", "KEYS"]) {
            show.kind = ShowKind::Index;
        } else {
            return self.show_create(show);
        }
        if !self.accept_any_kw(&["FROM", "IN"]) {
            return Err(self.error());
        }
        show.table = Some(self.table_name()?);
        self.show_schema(show)?;
        Ok(true)
    }

    fn show_create(&mut self, show: &mut Show) -> Result<bool> {
        for (word, created) in [
            ("VIEW", Created::View),
            ("TRIGGER", Created::Trigger),
            ("PROCEDURE", Created::Procedure),
            ("FUNCTION", Created::Function),
            ("EVENT", Created::Event),
        ] {
            if self.accept_kws(&["CREATE", word]) {
                show.kind = ShowKind::Create(created);
                show.table = Some(self.table_name()?);
                return Ok(true);
            }
        }
        if self.accept_kws(&["CREATE", "TABLE"]) {
            show.kind = ShowKind::CreateTable;
            show.table = Some(self.table_name()?);
        } else if self.accept_kws(&["CREATE", "DATABASE"]) || self.accept_kws(&["CREATE", "SCHEMA"])
        {
            show.kind = ShowKind::CreateDatabase;
            self.accept_kws(&["IF", "NOT", "EXISTS"]);
            let name = self.name()?;
            let span = name.span;
            show.schema = Some((name, span));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Kinds about the server or the session.
    fn show_server(&mut self, show: &mut Show) -> Result<bool> {
        let mark = self.mark();
        let global = self.accept_kw("GLOBAL");
        if !global {
            self.accept_any_kw(&["SESSION", "LOCAL"]);
        }
        show.kind = if self.accept_kw("VARIABLES") {
            ShowKind::Variables { global }
        } else if self.accept_kw("STATUS") {
            ShowKind::Status { global }
        } else if self.accept_kw("WARNINGS") {
            ShowKind::Warnings { count: false }
        } else if self.accept_kw("ERRORS") {
            ShowKind::Errors { count: false }
        } else if !global && self.accept_kw("GRANTS") {
            if self.accept_kws(&["FOR", "CURRENT_USER"]) {
                self.accept(TokenKind::LeftParen);
                self.accept(TokenKind::RightParen);
            }
            if !self.at_end() {
                self.reset(mark);
                return Ok(false);
            }
            ShowKind::Grants
        } else if self.accept_kw("PROCESSLIST") {
            ShowKind::Processlist
        } else if SERVER.iter().any(|words| self.accept_kws(words)) {
            ShowKind::Server
        } else if self.count_ahead() {
            for _ in 0..4 {
                self.bump();
            }
            if self.accept_kw("WARNINGS") {
                ShowKind::Warnings { count: true }
            } else {
                self.expect_kw("ERRORS")?;
                ShowKind::Errors { count: true }
            }
        } else {
            self.reset(mark);
            return Ok(false);
        };
        Ok(true)
    }

    /// `COUNT(*)`
    fn count_ahead(&self) -> bool {
        self.at_kw("COUNT")
            && self.nth_is(1, TokenKind::LeftParen)
            && self.nth_is(2, TokenKind::Star)
            && self.nth_is(3, TokenKind::RightParen)
    }

    /// LIKE, WHERE or LIMIT to the end. A server checks it.
    fn show_filter(&mut self, show: &mut Show) {
        let start = self.start();
        if self.at_any_kw(&["LIKE", "WHERE", "LIMIT"]) {
            self.skip_to_end();
            show.filter = Some(self.span_from(start));
        }
    }

    fn show_other(&mut self, show: &mut Show) -> Result<()> {
        let mut words = Vec::new();
        while self.at(TokenKind::Word) && words.len() < 3 && !self.at_any_kw(&["FROM", "IN", "FOR"])
        {
            words.push(self.word_upper());
            self.bump();
        }
        if words.is_empty() {
            return Err(self.error());
        }
        show.kind = ShowKind::Other(words.join(" "));
        self.skip_to_end();
        Ok(())
    }

    /// The rest of `DESCRIBE t [column | 'pattern']`.
    pub(super) fn describe(&mut self) -> Result<StatementKind> {
        let table: TableName = self.table_name()?;
        if !self.accept(TokenKind::String) && self.at_name() {
            self.bump();
        }
        Ok(StatementKind::Describe { table })
    }
}
