//! Tokens to statements: recursive descent over MySQL's grammar.
//!
//! Each node's span is read off the tokens it was made of, so it is exact. The parser accepts somewhat
//! more than a server does, since a server still checks what it is sent; what it accepts it reads as a
//! server would.
//!
//! Margay points at text rather than printing trees, so a tree without exact spans is of no use to it.
//! That is why the parser is its own: a general one loses spans, introducers and hints, and binds
//! several of MySQL's operators differently.

mod cursor;
mod ddl;
mod dml;
mod expr;
mod function;
mod load;
mod primary;
mod query;
mod set;
mod show;
mod statement;
mod table;
mod transaction;

use crate::error::{Error, Result, ServerError};

use super::mode::Mode;
use super::scanner::{Scan, scan};
use super::statement::{Statement, StatementKind};

use cursor::Parser;
pub use cursor::is_of_a_name;

/// Parses one statement as the client sent it.
///
/// A `;` may end it. Errors: `Syntax` with MySQL's own text, also for several statements in one text;
/// `Unsupported` for nesting deeper than Margay reads; MySQL's own for more than 65,535 parameters.
pub fn parse(text: &[u8], mode: &Mode) -> Result<Statement> {
    parse_scanned(text, scan(text, mode)?, mode)
}

/// As [`parse`], of a text that was scanned in the same mode.
///
/// # Errors
/// As those of [`parse`], but for what the scanner finds.
pub fn parse_scanned(text: &[u8], scan: Scan, mode: &Mode) -> Result<Statement> {
    let Ok(params) = u16::try_from(scan.params.len()) else {
        return Err(Error::server(ServerError {
            code: 1390,
            state: *b"HY000",
            message: b"Prepared statement contains too many placeholders".to_vec(),
        }));
    };
    let mut parser = Parser::new(text, &scan, *mode);
    let kind = parser.whole_statement()?;
    if scan.conditional {
        check_conditional(&kind)?;
    }
    Ok(Statement { kind, hints: scan.hints, params })
}

/// SQL that some servers run and others pass over must not decide where rows are.
fn check_conditional(kind: &StatementKind) -> Result<()> {
    match kind {
        StatementKind::Query(_)
        | StatementKind::Insert(_)
        | StatementKind::Update(_)
        | StatementKind::Delete(_) => Err(Error::unsupported(
            "the statement holds a comment with SQL that only some server versions run, such as \
             /*!80000 ... */; write the SQL without the comment or leave it out",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
