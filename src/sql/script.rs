//! Several statements in one text.

use super::mode::Mode;
use super::scanner::{scan, scan_until};
use super::token::{Token, TokenKind};
use crate::error::Result;

/// The statements between semicolons, without empty ones. Comments before a statement belong to it: one
/// of them may be a hint.
///
/// # Errors
/// As those of [`scan`].
pub fn statements<'a>(script: &'a str, mode: &Mode) -> Result<Vec<&'a str>> {
    let scanned = scan(script.as_bytes(), mode)?;
    let mut statements = Vec::new();
    let (mut start, mut is_empty) = (0, true);
    for token in &scanned.tokens {
        if !matches!(token.kind, TokenKind::Semicolon | TokenKind::End) {
            is_empty = false;
            continue;
        }
        let at = token.span.range();
        let text = script.get(start..at.start).filter(|_| !is_empty);
        statements.extend(text.map(str::trim));
        (start, is_empty) = (at.end, true);
    }
    Ok(statements)
}

/// Where the first statement of a text ends, behind its semicolon, if others follow it. Those are not
/// looked at, since what they mean may depend on the first. None: there is one statement alone.
pub fn first_end(text: &[u8], mode: &Mode) -> Option<usize> {
    let is_blank = |byte: &u8| *byte == b';' || byte.is_ascii_whitespace();
    let last = text.iter().rposition(|byte| !is_blank(byte))?;
    let text = text.get(..=last)?;
    if !text.contains(&b';') {
        return None;
    }
    if text.trim_ascii_start().first() == Some(&b';') {
        // An empty one is an error of what follows.
        return None;
    }
    let mut program = Program::default();
    let end = scan_until(text, mode, |token| program.ends_before(token, text));
    // What cannot be read is an error of the statement.
    end.ok().flatten().map(|token| token.span.end as usize)
}

/// Whether a semicolon stands in the body of a stored program: between BEGIN or CASE and its END.
#[derive(Default)]
struct Program {
    words: usize,
    /// The statement creates a stored program, or is one.
    is_program: bool,
    depth: usize,
    /// The word before was END.
    ending: bool,
}

impl Program {
    /// Takes the next token. Whether it is the semicolon that ends the statement.
    fn ends_before(&mut self, token: Token, text: &[u8]) -> bool {
        let word = match token.kind {
            TokenKind::Word => text.get(token.span.range()).unwrap_or_default(),
            _ => b"",
        };
        let is =
            |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
        if std::mem::take(&mut self.ending) {
            // END IF and its like end what is not counted.
            if is(&["IF", "LOOP", "WHILE", "REPEAT"]) {
                return false;
            }
            self.depth = self.depth.saturating_sub(1);
            if is(&["CASE"]) {
                return false;
            }
        }
        let index = self.words;
        self.words += 1;
        match index {
            0 => self.is_program = is(&["CREATE", "ALTER", "BEGIN"]),
            1 if !self.is_program => {}
            // BEGIN NOT ATOMIC, of MariaDB.
            1 if is(&["NOT"]) => self.depth = 1,
            _ if self.is_program && is(&["BEGIN", "CASE"]) => self.depth += 1,
            _ if self.is_program && is(&["END"]) => self.ending = true,
            _ => {}
        }
        token.kind == TokenKind::Semicolon && self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first() {
        let check = |text: &str, expect: Option<&str>| {
            let end = first_end(text.as_bytes(), &Mode::default());
            assert_eq!(end.map(|end| &text[..end]), expect, "{text}");
        };
        check("SELECT 1", None);
        check("SELECT 1 ; ;\n", None);
        check("", None);
        check("SELECT ';'", None);
        check("SELECT 1; SELECT 'a", Some("SELECT 1;"));
        check("SELECT 'a; SELECT 1", None);
        check(" ;SELECT 1", None);
        check("SELECT 1 /* ; */; SELECT 2; SELECT 3", Some("SELECT 1 /* ; */;"));
        check("BEGIN; SELECT 1; END", Some("BEGIN;"));
        check(
            "SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 1",
            Some("SELECT CASE 1 WHEN 1 THEN 2 END;"),
        );
        let create = "CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT CASE 1 WHEN 2 THEN 3 END; END IF; \
                      CASE x WHEN 1 THEN SELECT 1; END CASE; WHILE 0 DO BEGIN END; END WHILE; END;";
        check(&format!("{create} CALL p()"), Some(create));
        check(create, None);
        check("CREATE TABLE t (a INT); DROP TABLE t", Some("CREATE TABLE t (a INT);"));
        check("BEGIN NOT ATOMIC SELECT 1; END; SELECT 2", Some("BEGIN NOT ATOMIC SELECT 1; END;"));
    }

    fn check(script: &str, expect: &[&str]) {
        assert_eq!(statements(script, &Mode::default()).unwrap(), expect);
    }

    #[test]
    fn splits_scripts() {
        check("SELECT 1; SELECT ';' ;", &["SELECT 1", "SELECT ';'"]);
        check("/*margay: primary */ SELECT 1", &["/*margay: primary */ SELECT 1"]);
        check(" ;; -- nothing;\n", &[]);
        assert!(statements("SELECT 'a", &Mode::default()).is_err());
    }
}
