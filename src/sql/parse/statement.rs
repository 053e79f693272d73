//! The first words of a statement decide what it is.

use crate::error::{Error, Result};

use super::super::statement::{
    Call, Execute, ExecuteSource, Explain, Handler, HandlerAction, Hints, Statement, StatementKind,
    TableLock, TableLocks,
};
use super::super::token::TokenKind;
use super::cursor::Parser;

/// First words of statements that are not looked into.
const OTHERS: &[&str] = &[
    "ANALYZE",
    "BACKUP",
    "BINLOG",
    "CACHE",
    "CHANGE",
    "CHECK",
    "CHECKSUM",
    "CLONE",
    "FLUSH",
    "GET",
    "GRANT",
    "HELP",
    "IMPORT",
    "INSTALL",
    "LOAD",
    "LOCK",
    "OPTIMIZE",
    "PURGE",
    "REPAIR",
    "RESET",
    "RESIGNAL",
    "RESTART",
    "REVOKE",
    "SHUTDOWN",
    "SIGNAL",
    "START",
    "STOP",
    "UNINSTALL",
    "UNLOCK",
];

/// Second words that tell kinds of such statements apart: `LOCK TABLES`, `LOCK INSTANCE`.
const SECOND_WORDS: &[&str] = &[
    "COMPONENT",
    "DATA",
    "GROUP_REPLICATION",
    "INDEX",
    "INSTANCE",
    "MASTER",
    "PLUGIN",
    "REPLICA",
    "REPLICATION",
    "SLAVE",
    "SONAME",
    "TABLE",
    "TABLES",
    "XML",
];

impl Parser<'_> {
    /// One statement and the `;` behind it.
    pub(super) fn whole_statement(&mut self) -> Result<StatementKind> {
        if self.at_end() {
            while self.accept(TokenKind::Semicolon) {}
            return if self.at(TokenKind::End) {
                Ok(StatementKind::Empty)
            } else {
                Err(self.error())
            };
        }
        let kind = self.statement()?;
        while self.accept(TokenKind::Semicolon) {}
        if self.at(TokenKind::End) { Ok(kind) } else { Err(self.error()) }
    }

    fn statement(&mut self) -> Result<StatementKind> {
        if self.at(TokenKind::LeftParen) {
            return Ok(StatementKind::Query(Box::new(self.query()?)));
        }
        match self.word_upper().as_str() {
            "SELECT" | "TABLE" | "VALUES" => Ok(StatementKind::Query(Box::new(self.query()?))),
            "WITH" => self.with_statement(),
            "INSERT" | "REPLACE" => self.insert(),
            "UPDATE" => self.update(false),
            "DELETE" => self.delete(false),
            "SET" => self.set(),
            "SHOW" => self.show(),
            "USE" => {
                self.bump();
                Ok(StatementKind::Use(self.name()?))
            }
            "EXPLAIN" | "DESCRIBE" | "DESC" => self.explain(),
            "CREATE" => self.create(),
            "ALTER" => self.alter(),
            "DROP" if self.nth_kw(1, "PREPARE") => {
                self.bump();
                self.deallocate()
            }
            "DROP" => self.drop_statement(),
            "TRUNCATE" => self.truncate(),
            "RENAME" => self.rename(),
            "KILL" => self.kill(),
            "PREPARE" => self.prepare(),
            "EXECUTE" => self.execute(),
            "HANDLER" => self.handler(),
            "LOCK" if self.nth_kw(1, "TABLES") || self.nth_kw(1, "TABLE") => self.lock_tables(),
            "LOAD" if self.at_load_local() => self.load_local(),
            "CALL" => self.call_statement(),
            "DO" => {
                let at = self.bump().span.end;
                Ok(StatementKind::Do { values: self.comma_separated(Self::expr)?, at })
            }
            "DEALLOCATE" => {
                self.bump();
                self.deallocate()
            }
            _ => self.transaction_or_other(),
        }
    }

    fn transaction_or_other(&mut self) -> Result<StatementKind> {
        if self.accept_kws(&["START", "TRANSACTION"]) {
            return self.start_transaction();
        }
        match self.word_upper().as_str() {
            "BEGIN" => Ok(self.begin()),
            "COMMIT" => self.commit(),
            "ROLLBACK" => self.rollback(),
            "SAVEPOINT" => self.savepoint(),
            "RELEASE" => self.release_savepoint(),
            "XA" => {
                self.skip_to_end();
                Ok(StatementKind::Transaction(super::super::statement::Transaction::Xa))
            }
            _ => self.other_statement(),
        }
    }

    fn other_statement(&mut self) -> Result<StatementKind> {
        if !self.at_any_kw(OTHERS) {
            return Err(self.error());
        }
        let mut words = self.word_upper();
        self.bump();
        // `LOCK TABLE` is `LOCK TABLES`.
        if self.at_any_kw(SECOND_WORDS) {
            let plural = matches!(words.as_str(), "LOCK" | "UNLOCK") && self.at_kw("TABLE");
            let second = if plural { "TABLES".to_owned() } else { self.word_upper() };
            words = format!("{words} {second}");
        }
        self.skip_to_end();
        Ok(StatementKind::Other(words))
    }

    /// SELECT, UPDATE or DELETE behind WITH.
    fn with_statement(&mut self) -> Result<StatementKind> {
        let start = self.start();
        let with = self.with()?;
        let with_span = (!with.is_empty()).then(|| self.span_from(start));
        if self.at_kw("UPDATE") {
            return self.update(true);
        }
        if self.at_kw("DELETE") {
            return self.delete(true);
        }
        Ok(StatementKind::Query(Box::new(self.query_after_with(start, with, with_span)?)))
    }

    fn deallocate(&mut self) -> Result<StatementKind> {
        self.expect_kw("PREPARE")?;
        Ok(StatementKind::Deallocate(self.name()?))
    }

    fn prepare(&mut self) -> Result<StatementKind> {
        self.expect_kw("PREPARE")?;
        let name = self.name()?;
        self.expect_kw("FROM")?;
        Ok(StatementKind::Prepare { name, from: self.expr()? })
    }

    /// `EXECUTE name [USING ...]`, `EXECUTE IMMEDIATE expr [USING ...]`
    fn execute(&mut self) -> Result<StatementKind> {
        self.expect_kw("EXECUTE")?;
        let is_immediate = self.at_kw("IMMEDIATE")
            && !self.nth_kw(1, "USING")
            && !matches!(self.nth(1).kind, TokenKind::End | TokenKind::Semicolon);
        let source = if is_immediate {
            self.bump();
            ExecuteSource::Immediate(Box::new(self.expr()?))
        } else {
            ExecuteSource::Name(self.name()?)
        };
        let using = match self.accept_kw("USING") {
            true => self.comma_separated(Self::expr)?,
            false => Vec::new(),
        };
        Ok(StatementKind::Execute(Execute { source, using }))
    }

    /// `LOCK TABLES a READ [LOCAL], b AS c [LOW_PRIORITY] WRITE`
    fn lock_tables(&mut self) -> Result<StatementKind> {
        self.expect_kw("LOCK")?;
        self.bump();
        let tables = self.comma_separated(|parser| {
            let table = parser.table_name()?;
            let is_named = parser.accept_kw("AS") || parser.at_name();
            let alias = is_named.then(|| parser.name()).transpose()?.map(|name| name.value);
            let mut words = Vec::new();
            for (choices, needed) in [
                (&["LOW_PRIORITY"][..], false),
                (&["READ", "WRITE"], true),
                (&["LOCAL", "CONCURRENT"], false),
            ] {
                let word = parser.word_upper();
                if parser.accept_any_kw(choices) {
                    words.push(word);
                } else if needed {
                    return Err(parser.error());
                }
            }
            Ok(TableLock { table, alias, kind: words.join(" ") })
        })?;
        Ok(StatementKind::LockTables(TableLocks { tables, wait: self.lock_wait() }))
    }

    /// `WAIT n` or `NOWAIT` of MariaDB.
    fn lock_wait(&mut self) -> Option<String> {
        if self.accept_kw("NOWAIT") {
            return Some("NOWAIT".to_owned());
        }
        if !self.at_kw("WAIT") || !self.nth_is(1, TokenKind::Integer) {
            return None;
        }
        self.bump();
        let seconds = String::from_utf8_lossy(self.slice(self.peek().span)).into_owned();
        self.bump();
        Some(format!("WAIT {seconds}"))
    }

    /// `HANDLER t OPEN [[AS] a]`, `HANDLER a READ ...`, `HANDLER a CLOSE`
    fn handler(&mut self) -> Result<StatementKind> {
        self.expect_kw("HANDLER")?;
        let name = self.table_name()?;
        let action = if self.accept_kw("OPEN") {
            let is_named = self.accept_kw("AS") || self.at_name();
            HandlerAction::Open(is_named.then(|| self.name()).transpose()?)
        } else if self.accept_kw("CLOSE") {
            HandlerAction::Close
        } else {
            self.expect_kw("READ")?;
            self.skip_to_end();
            HandlerAction::Read
        };
        Ok(StatementKind::Handler(Handler { name, action }))
    }

    /// `CALL p`, `CALL schema.p(a, b)`
    fn call_statement(&mut self) -> Result<StatementKind> {
        self.expect_kw("CALL")?;
        let procedure = self.table_name()?;
        let mut args = Vec::new();
        if self.accept(TokenKind::LeftParen) && !self.accept(TokenKind::RightParen) {
            args = self.comma_separated(Self::expr)?;
            self.expect(TokenKind::RightParen)?;
        }
        Ok(StatementKind::Call(Call { procedure, args }))
    }

    /// `KILL [CONNECTION | QUERY] id`
    fn kill(&mut self) -> Result<StatementKind> {
        self.expect_kw("KILL")?;
        let query = self.accept_kw("QUERY");
        if !query {
            self.accept_kw("CONNECTION");
        }
        let token = self.peek();
        let text = String::from_utf8_lossy(self.slice(token.span)).into_owned();
        let id = (token.kind == TokenKind::Integer).then(|| text.parse().ok()).flatten();
        let Some(id) = id else {
            return Err(Error::unsupported(
                "KILL takes the number of a connection as SHOW PROCESSLIST tells it",
            ));
        };
        self.bump();
        Ok(StatementKind::Kill { query, id })
    }

    /// EXPLAIN of a statement, or DESCRIBE of a table under one of its three names.
    fn explain(&mut self) -> Result<StatementKind> {
        self.bump();
        let (mut margay, mut analyze) = (false, false);
        loop {
            if self.accept_kw("FORMAT") {
                self.expect(TokenKind::Eq)?;
                margay = self.at_kw("MARGAY");
                self.bump();
            } else if self.accept_kw("ANALYZE") {
                analyze = true;
            } else if self.at_kw("INTO") && self.nth_is(1, TokenKind::UserVariable) {
                self.bump();
                self.bump();
            } else if self.nth_kw(1, "FOR") || !self.accept_any_kw(&["EXTENDED", "PARTITIONS"]) {
                break;
            }
        }
        if self.at_kw("FOR") {
            self.skip_to_end();
            return Ok(StatementKind::Other("EXPLAIN FOR".into()));
        }
        let explainable =
            ["SELECT", "TABLE", "VALUES", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE"];
        let statement = self.at_any_kw(&explainable) || self.at(TokenKind::LeftParen);
        if !statement && !margay && !analyze {
            return self.describe();
        }
        let at = self.start();
        // EXPLAIN of EXPLAIN would recurse without end.
        if !statement && self.at_any_kw(&["EXPLAIN", "DESCRIBE", "DESC"]) {
            return Err(self.error());
        }
        let kind = self.statement()?;
        let statement = Statement { kind, hints: Hints::default(), params: 0 };
        Ok(StatementKind::Explain(Box::new(Explain { margay, analyze, at, statement })))
    }
}
