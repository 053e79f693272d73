//! BEGIN, COMMIT, SAVEPOINT and the like.

use crate::error::Result;

use super::super::statement::{StatementKind, Transaction};
use super::super::token::TokenKind;
use super::cursor::Parser;

impl Parser<'_> {
    /// `BEGIN [WORK]`. `BEGIN NOT ATOMIC`, a block of MariaDB, is another statement.
    pub(super) fn begin(&mut self) -> StatementKind {
        self.bump();
        if self.at_kws(&["NOT", "ATOMIC"]) {
            self.skip_all();
            return StatementKind::Other("BEGIN NOT ATOMIC".into());
        }
        self.accept_kw("WORK");
        StatementKind::Transaction(Transaction::Begin { read_only: false, snapshot: false })
    }

    /// `START TRANSACTION [WITH CONSISTENT SNAPSHOT | READ ONLY | READ WRITE, ...]`
    pub(super) fn start_transaction(&mut self) -> Result<StatementKind> {
        let (mut read_only, mut snapshot) = (false, false);
        while !self.at_end() {
            if self.accept_kws(&["WITH", "CONSISTENT", "SNAPSHOT"]) {
                snapshot = true;
            } else if self.accept_kws(&["READ", "ONLY"]) {
                read_only = true;
            } else if !self.accept_kws(&["READ", "WRITE"]) {
                return Err(self.error());
            }
            if !self.accept(TokenKind::Comma) && !self.at_end() {
                return Err(self.error());
            }
        }
        Ok(StatementKind::Transaction(Transaction::Begin { read_only, snapshot }))
    }

    pub(super) fn commit(&mut self) -> Result<StatementKind> {
        self.bump();
        let (chain, release) = self.completion()?;
        Ok(StatementKind::Transaction(Transaction::Commit { chain, release }))
    }

    /// `ROLLBACK [WORK] [TO [SAVEPOINT] name]` and completion.
    pub(super) fn rollback(&mut self) -> Result<StatementKind> {
        self.bump();
        self.accept_kw("WORK");
        if self.accept_kw("TO") {
            if self.at_kw("SAVEPOINT") && self.nth_name(1) {
                self.bump();
            }
            let name = self.name()?;
            return Ok(StatementKind::Transaction(Transaction::RollbackTo(name)));
        }
        let (chain, release) = self.completion()?;
        Ok(StatementKind::Transaction(Transaction::Rollback { chain, release }))
    }

    /// `[WORK] [AND [NO] CHAIN] [[NO] RELEASE]`: whether CHAIN and RELEASE are asked for.
    fn completion(&mut self) -> Result<(bool, bool)> {
        self.accept_kw("WORK");
        let mut chain = false;
        if self.accept_kw("AND") {
            chain = !self.accept_kw("NO");
            self.expect_kw("CHAIN")?;
        }
        let mut release = false;
        if self.accept_kw("NO") {
            self.expect_kw("RELEASE")?;
        } else if self.accept_kw("RELEASE") {
            release = true;
        }
        if chain && release { Err(self.error()) } else { Ok((chain, release)) }
    }

    pub(super) fn savepoint(&mut self) -> Result<StatementKind> {
        self.bump();
        Ok(StatementKind::Transaction(Transaction::Savepoint(self.name()?)))
    }

    pub(super) fn release_savepoint(&mut self) -> Result<StatementKind> {
        self.bump();
        self.expect_kw("SAVEPOINT")?;
        Ok(StatementKind::Transaction(Transaction::ReleaseSavepoint(self.name()?)))
    }
}
