//! Heads of CREATE, ALTER, DROP, RENAME and TRUNCATE; the rest is only searched for tables.

use crate::error::Result;

use super::super::query::TableName;
use super::super::statement::{CheckOption, Ddl, DdlKind, StatementKind, ViewHead};
use super::super::token::TokenKind;
use super::cursor::Parser;

impl Parser<'_> {
    pub(super) fn create(&mut self) -> Result<StatementKind> {
        self.expect_kw("CREATE")?;
        let replace = self.accept_kws(&["OR", "REPLACE"]);
        let mut ddl = ddl(DdlKind::Other);
        ddl.temporary = self.accept_kw("TEMPORARY");
        if self.accept_kw("TABLE") {
            self.create_table(&mut ddl)?;
        } else if self.accept_any_kw(&["DATABASE", "SCHEMA"]) {
            ddl.kind = DdlKind::CreateDatabase;
            ddl.conditional = self.accept_kws(&["IF", "NOT", "EXISTS"]);
            ddl.database = Some(self.name()?.value);
            self.skip_to_end();
        } else if self.index_ahead() {
            self.create_index(&mut ddl)?;
        } else if self.view_ahead() {
            self.create_view(&mut ddl, ViewHead { replace, ..ViewHead::default() })?;
        } else {
            return self.other_ddl(ddl, true);
        }
        Ok(StatementKind::Ddl(ddl))
    }

    /// `[IF NOT EXISTS] t {LIKE s | (LIKE s) | [(definitions)] [options] [[AS] query]}`
    fn create_table(&mut self, ddl: &mut Ddl) -> Result<()> {
        ddl.kind = DdlKind::CreateTable;
        ddl.conditional = self.accept_kws(&["IF", "NOT", "EXISTS"]);
        ddl.tables.push(self.table_name()?);
        if self.accept_kw("LIKE") {
            ddl.tables.push(self.table_name()?);
            return Ok(());
        }
        if self.at(TokenKind::LeftParen) && self.nth_kw(1, "LIKE") {
            self.bump();
            self.bump();
            ddl.tables.push(self.table_name()?);
            self.expect(TokenKind::RightParen)?;
            return Ok(());
        }
        let mut depth = 0_usize;
        while !self.at_end() {
            if depth == 0 && self.created_from_query() {
                ddl.query = Some(Box::new(self.query()?));
                return Ok(());
            }
            match self.peek().kind {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.definition_token(ddl)?;
        }
        Ok(())
    }

    fn created_from_query(&self) -> bool {
        let versioning = self.at_kws(&["WITH", "SYSTEM", "VERSIONING"]);
        (self.query_at(0) && !versioning) || self.query_in_parens_at(0)
    }

    /// One token of definitions that pass through unread, but for the tables they name.
    fn definition_token(&mut self, ddl: &mut Ddl) -> Result<()> {
        if self.at_kw("REFERENCES") && self.nth_name(1) {
            self.bump();
            ddl.references = true;
            ddl.tables.push(self.table_name()?);
        } else {
            self.bump();
        }
        Ok(())
    }

    fn index_ahead(&self) -> bool {
        self.at_kw("INDEX")
            || (self.at_any_kw(&["UNIQUE", "FULLTEXT", "SPATIAL"]) && self.nth_kw(1, "INDEX"))
    }

    /// `INDEX [IF NOT EXISTS] i [USING x] ON t (...)`
    fn create_index(&mut self, ddl: &mut Ddl) -> Result<()> {
        ddl.kind = DdlKind::CreateIndex;
        self.accept_any_kw(&["UNIQUE", "FULLTEXT", "SPATIAL"]);
        self.expect_kw("INDEX")?;
        ddl.conditional = self.accept_kws(&["IF", "NOT", "EXISTS"]);
        self.name()?;
        self.table_after_on(ddl)
    }

    fn table_after_on(&mut self, ddl: &mut Ddl) -> Result<()> {
        while !self.at_kw("ON") {
            if self.at_end() {
                return Err(self.error());
            }
            self.bump();
        }
        self.bump();
        ddl.tables.push(self.table_name()?);
        self.skip_to_end();
        Ok(())
    }

    /// VIEW, behind ALGORITHM, DEFINER and SQL SECURITY.
    fn view_ahead(&self) -> bool {
        let mut ahead = 0;
        while ahead < 12 {
            if self.nth_kw(ahead, "VIEW") {
                return true;
            }
            let start = ["ALGORITHM", "DEFINER", "SQL"].iter().any(|word| self.nth_kw(0, word));
            if !start || self.nth_kw(ahead, "AS") {
                return false;
            }
            ahead += 1;
        }
        false
    }

    /// `[ALGORITHM = x] [DEFINER = y] [SQL SECURITY z] VIEW [IF NOT EXISTS] v [(a, b)] AS query [WITH
    /// CHECK OPTION]`
    fn create_view(&mut self, ddl: &mut Ddl, mut head: ViewHead) -> Result<()> {
        ddl.kind = DdlKind::CreateView;
        self.view_head(&mut head)?;
        ddl.conditional = self.accept_kws(&["IF", "NOT", "EXISTS"]);
        ddl.tables.push(self.table_name()?);
        if self.at(TokenKind::LeftParen) {
            head.columns = self.name_list()?;
        }
        self.expect_kw("AS")?;
        ddl.query = Some(Box::new(self.query()?));
        if self.accept_kw("WITH") {
            let local = self.accept_kw("LOCAL");
            self.accept_kw("CASCADED");
            head.check = Some(if local { CheckOption::Local } else { CheckOption::Cascaded });
            self.expect_kw("CHECK")?;
            self.expect_kw("OPTION")?;
        }
        ddl.view = Some(Box::new(head));
        Ok(())
    }

    /// What stands before VIEW, and the word itself.
    fn view_head(&mut self, head: &mut ViewHead) -> Result<()> {
        while !self.accept_kw("VIEW") {
            if self.accept_kw("ALGORITHM") {
                self.expect(TokenKind::Eq)?;
                head.algorithm = Some(self.word_upper());
                self.bump();
            } else if self.accept_kw("DEFINER") {
                self.expect(TokenKind::Eq)?;
                let start = self.start();
                while !self.at_any_kw(&["SQL", "VIEW"]) {
                    if self.at_end() {
                        return Err(self.error());
                    }
                    self.bump();
                }
                head.definer = Some(self.span_from(start));
            } else if self.accept_kws(&["SQL", "SECURITY"]) {
                head.invoker = self.at_kw("INVOKER");
                if !self.accept_any_kw(&["DEFINER", "INVOKER"]) {
                    return Err(self.error());
                }
            } else {
                return Err(self.error());
            }
        }
        Ok(())
    }

    pub(super) fn alter(&mut self) -> Result<StatementKind> {
        self.expect_kw("ALTER")?;
        self.accept_kw("ONLINE");
        self.accept_kw("IGNORE");
        let mut ddl = ddl(DdlKind::Other);
        if self.view_ahead() {
            self.create_view(&mut ddl, ViewHead { alter: true, ..ViewHead::default() })?;
            return Ok(StatementKind::Ddl(ddl));
        }
        if !self.accept_kw("TABLE") {
            return self.other_ddl(ddl, true);
        }
        ddl.kind = DdlKind::AlterTable;
        ddl.conditional = self.accept_kws(&["IF", "EXISTS"]);
        ddl.tables.push(self.table_name()?);
        let mut depth = 0_usize;
        while !self.at_end() {
            match self.peek().kind {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && self.accept_kws(&["WITH", "TABLE"]) {
                ddl.tables.push(self.table_name()?);
            } else if depth == 0 && self.accept_kw("RENAME") {
                if !self.accept_any_kw(&["COLUMN", "INDEX", "KEY"]) {
                    if !self.accept_any_kw(&["TO", "AS"]) {
                        self.accept(TokenKind::Eq);
                    }
                    ddl.tables.push(self.table_name()?);
                }
            } else {
                self.definition_token(&mut ddl)?;
            }
        }
        Ok(StatementKind::Ddl(ddl))
    }

    pub(super) fn drop_statement(&mut self) -> Result<StatementKind> {
        self.expect_kw("DROP")?;
        let mut ddl = ddl(DdlKind::Other);
        ddl.temporary = self.accept_kw("TEMPORARY");
        if self.accept_any_kw(&["TABLE", "TABLES"]) {
            ddl.kind = DdlKind::DropTable;
            self.dropped_tables(&mut ddl)?;
        } else if self.accept_kw("VIEW") {
            ddl.kind = DdlKind::DropView;
            self.dropped_tables(&mut ddl)?;
        } else if self.accept_any_kw(&["DATABASE", "SCHEMA"]) {
            ddl.kind = DdlKind::DropDatabase;
            ddl.conditional = self.accept_kws(&["IF", "EXISTS"]);
            ddl.database = Some(self.name()?.value);
        } else if self.accept_kw("INDEX") {
            ddl.kind = DdlKind::DropIndex;
            ddl.conditional = self.accept_kws(&["IF", "EXISTS"]);
            if !self.accept_kw("PRIMARY") {
                self.name()?;
            }
            self.table_after_on(&mut ddl)?;
        } else {
            return self.other_ddl(ddl, false);
        }
        Ok(StatementKind::Ddl(ddl))
    }

    /// `[IF EXISTS] a, b [RESTRICT | CASCADE]`
    fn dropped_tables(&mut self, ddl: &mut Ddl) -> Result<()> {
        ddl.conditional = self.accept_kws(&["IF", "EXISTS"]);
        ddl.tables = self.comma_separated(Self::table_name)?;
        self.accept_any_kw(&["RESTRICT", "CASCADE"]);
        Ok(())
    }

    /// `TRUNCATE [TABLE] t`
    pub(super) fn truncate(&mut self) -> Result<StatementKind> {
        self.expect_kw("TRUNCATE")?;
        self.accept_kw("TABLE");
        let mut ddl = ddl(DdlKind::TruncateTable);
        ddl.tables.push(self.table_name()?);
        Ok(StatementKind::Ddl(ddl))
    }

    /// `RENAME TABLE a TO b, c TO d`
    pub(super) fn rename(&mut self) -> Result<StatementKind> {
        self.expect_kw("RENAME")?;
        if !self.accept_any_kw(&["TABLE", "TABLES"]) {
            return self.other_ddl(ddl(DdlKind::Other), false);
        }
        let mut ddl = ddl(DdlKind::RenameTable);
        ddl.conditional = self.accept_kws(&["IF", "EXISTS"]);
        let pairs = self.comma_separated(|parser| {
            let old: TableName = parser.table_name()?;
            parser.expect_kw("TO")?;
            Ok([old, parser.table_name()?])
        })?;
        ddl.tables = pairs.into_iter().flatten().collect();
        Ok(StatementKind::Ddl(ddl))
    }

    /// What concerns no table. A stored program may have a body with semicolons.
    fn other_ddl(&mut self, mut ddl: Ddl, has_body: bool) -> Result<StatementKind> {
        if !self.at(TokenKind::Word) {
            return Err(self.error());
        }
        let others = ["USER", "ROLE", "SERVER", "TABLESPACE", "INSTANCE", "LOGFILE", "RESOURCE"];
        ddl.program = !self.at_any_kw(&others)
            && (0..PROGRAM_WITHIN).any(|ahead| {
                ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"]
                    .iter()
                    .any(|word| self.nth_kw(ahead, word))
            });
        match has_body {
            true => self.skip_all(),
            false => self.skip_to_end(),
        }
        Ok(StatementKind::Ddl(ddl))
    }
}

fn ddl(kind: DdlKind) -> Ddl {
    Ddl {
        kind,
        tables: Vec::new(),
        conditional: false,
        temporary: false,
        query: None,
        references: false,
        view: None,
        database: None,
        program: false,
    }
}

/// How many words may stand before that of a stored program: `CREATE OR REPLACE DEFINER = 'a'@'b' AGGREGATE`.
const PROGRAM_WITHIN: usize = 9;
