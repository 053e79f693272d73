//! What changes how text is read: parts of `sql_mode`, and the character set.

use super::charset::Charset;

/// What of the session's state matters to the scanner and the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mode {
    /// `"a"` is an identifier, not a string.
    pub ansi_quotes: bool,
    /// A backslash in a string is an ordinary character.
    pub no_backslash_escapes: bool,
    /// `||` joins strings instead of being OR.
    pub pipes_as_concat: bool,
    /// NOT binds like `!`.
    pub high_not_precedence: bool,
    /// A space may stand between a function's name and its parenthesis. Margay always reads it so;
    /// a server without this mode refuses such a call or takes the name for a stored function.
    pub ignore_space: bool,
    /// Of the text.
    pub charset: Charset,
}

impl Mode {
    /// Reads a value of `sql_mode`: names joined by commas, unknown ones ignored.
    pub fn from_sql_mode(value: &str) -> Self {
        let mut mode = Self::default();
        for name in value.split(',') {
            match name.trim().to_ascii_uppercase().as_str() {
                "ANSI_QUOTES" => mode.ansi_quotes = true,
                "NO_BACKSLASH_ESCAPES" => mode.no_backslash_escapes = true,
                "PIPES_AS_CONCAT" => mode.pipes_as_concat = true,
                "HIGH_NOT_PRECEDENCE" => mode.high_not_precedence = true,
                "IGNORE_SPACE" => mode.ignore_space = true,
                // ORACLE, DB2 and the like stand for these three too.
                "ANSI" | "DB2" | "MAXDB" | "MSSQL" | "ORACLE" | "POSTGRESQL" => {
                    mode.ansi_quotes = true;
                    mode.pipes_as_concat = true;
                    mode.ignore_space = true;
                }
                _ => {}
            }
        }
        mode
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sql_mode() {
        let check = |value: &str, expect: Mode| assert_eq!(Mode::from_sql_mode(value), expect);
        check("", Mode::default());
        check("STRICT_TRANS_TABLES,ansi_quotes", Mode { ansi_quotes: true, ..Mode::default() });
        let ansi = Mode {
            ansi_quotes: true,
            pipes_as_concat: true,
            ignore_space: true,
            ..Mode::default()
        };
        check("ANSI", ansi);
        check(
            "REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ONLY_FULL_GROUP_BY,ANSI",
            ansi,
        );
    }
}
