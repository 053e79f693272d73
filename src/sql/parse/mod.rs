//! Tokens to statements: recursive descent over MySQL's grammar.
//!
//! Each node's span is read off the tokens it was made of, so it is exact. The parser accepts somewhat
//! more than a server does, since a server still checks what it is sent; what it accepts it reads as a
//! server would.

mod cursor;
mod ddl;
mod dml;
mod expr;
mod function;
mod primary;
mod query;
mod set;
mod show;
mod statement;
mod table;
mod transaction;

use crate::error::{Error, Result};

use super::mode::Mode;
use super::scanner::scan;
use super::statement::Statement;

use cursor::Parser;

/// Parses one statement as the client sent it.
///
/// A `;` may end it. Errors: `Syntax` with MySQL's own text, `Unsupported` for several statements in
/// one text, for nesting deeper than Margay reads, and for more than 65,535 parameters.
pub fn parse(text: &[u8], mode: &Mode) -> Result<Statement> {
    let scan = scan(text, mode)?;
    let Ok(params) = u16::try_from(scan.params.len()) else {
        return Err(Error::unsupported(
            "prepared statement contains too many placeholders (more than 65535); send fewer rows a \
             statement",
        ));
    };
    let mut parser = Parser::new(text, &scan, *mode);
    let kind = parser.whole_statement()?;
    Ok(Statement { kind, hints: scan.hints, params })
}

#[cfg(test)]
mod tests;
