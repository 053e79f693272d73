//! Several statements in one text.

use super::mode::Mode;
use super::scanner::scan;
use super::token::TokenKind;
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

#[cfg(test)]
mod tests {
    use super::*;

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
