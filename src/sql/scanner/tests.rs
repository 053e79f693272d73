//! Texts and their tokens.

use proptest::prelude::*;

use super::*;

/// The tokens' texts joined by `|`, or the error's message.
fn tokens(text: &[u8], mode: &Mode) -> String {
    match scan(text, mode) {
        Ok(scan) => {
            let found = scan.tokens.iter().take(scan.tokens.len() - 1);
            let found = found.map(|token| String::from_utf8_lossy(&text[token.span.range()]));
            found.collect::<Vec<_>>().join("|")
        }
        Err(error) => error.message().to_owned(),
    }
}

fn check(text: &str, expect: &str) {
    assert_eq!(tokens(text.as_bytes(), &Mode::default()), expect, "{text}");
}

fn kinds(text: &str) -> Vec<TokenKind> {
    let scan = scan(text.as_bytes(), &Mode::default()).unwrap();
    scan.tokens.iter().map(|token| token.kind).collect()
}

#[test]
fn comments() {
    check("a -- b\nc", "a|c");
    check("a --b", "a|-|-|b");
    check("a --", "a");
    check("a --\tb\n+ c", "a|+|c");
    check("a # b\n c", "a|c");
    check("a/* b */c", "a|c");
    check("a/**/c", "a|c");
    check("SELECT /*+ MAX_EXECUTION_TIME(1) */ a", "SELECT|a");
    check("a /*! b */ c", "a|b|c");
    check("a /*!50600 b */ c", "a|b|c");
    check("a /*!080000 b */ c", "a|b|c");
    check("a /*!5 b */ c", "a|5|b|c");
    check("a /*!50600 b /* c */ d */ e", "a|b|d|e");
    check("a /*M!100100 b */ c", "a|b|c");
    check("a /*M!999999\\- b */ c", "a|c");
    check("/*!999999\\- enable the sandbox mode */", "");
    check("a * / b", "a|*|/|b");
}

#[test]
fn conditional_comments() {
    let check = |text: &str, expect: bool| {
        assert_eq!(scan(text.as_bytes(), &Mode::default()).unwrap().conditional, expect, "{text}");
    };
    check("a /*! b */", false);
    check("a /*!40101 b */", false);
    check("a /*!50700 b */", true);
    check("a /*!080023 b */", true);
    check("a /*M! b */", true);
}

#[test]
fn strings() {
    check("'a''b' c", "'a''b'|c");
    check(r"'a\'b' c", r"'a\'b'|c");
    check(r"'a\\' c", r"'a\\'|c");
    check("\"a'b\" 'c'", "\"a'b\"|'c'");
    check("`a``b`.c", "`a``b`|.|c");
    check("N'a' n 'a'", "N'a'|n|'a'");
    check("x'41' X'4142' b'01' xa'b'", "x'41'|X'4142'|b'01'|xa|'b'");
    assert_eq!(tokens(b"'\xff\x00\\\xfe'", &Mode::default()), "'\u{fffd}\0\\\u{fffd}'");
    let mode = Mode { no_backslash_escapes: true, ..Mode::default() };
    assert_eq!(tokens(br"'a\' b", &mode), r"'a\'|b");
}

#[test]
fn numbers_and_names() {
    check("1 1. .5 1.5 1e5 1.e-5 .5E+5", "1|1.|.5|1.5|1e5|1.e-5|.5E+5");
    check("0x4a 0X4a 0b01 0b2 0xg 1a 1e", "0x4a|0X4a|0b01|0b2|0xg|1a|1e");
    check("t.5 t.1a `t`.5 t .5", "t|.|5|t|.|1a|`t`|.|5|t|.5");
    check("s.5.c 1.5.5", "s|.|5|.|c|1.5|.5");
    check("größe $a a$1", "größe|$a|a$1");
    check(
        "@a @`b c` @'d' @\"e\" @a.b @ @@x @@session.`x`",
        "@a|@`b c`|@'d'|@\"e\"|@a.b|@|@@x|@@session.`x`",
    );
    assert_eq!(
        kinds("0x4a x'4a' 0b1 1 1. 1e1 1a ?"),
        [
            TokenKind::Hex,
            TokenKind::Hex,
            TokenKind::Bit,
            TokenKind::Integer,
            TokenKind::Decimal,
            TokenKind::Float,
            TokenKind::Word,
            TokenKind::Param,
            TokenKind::End
        ]
    );
}

#[test]
fn operators() {
    check(
        "<=> <= <> << < >= >> > != ! := : && & || | ->> -> -",
        "<=>|<=|<>|<<|<|>=|>>|>|!=|!|:=|:|&&|&||||||->>|->|-",
    );
    check("a=-1", "a|=|-|1");
    check("(a,b);", "(|a|,|b|)|;");
}

#[test]
fn errors() {
    let check = |text: &str, near: &str| {
        let expect = format!("right syntax to use near '{near}");
        let found = tokens(text.as_bytes(), &Mode::default());
        assert!(found.contains(&expect), "{text}: {found}");
    };
    check("a 'b", "'b' at line 1");
    check("a\n'b\\", "'b\\' at line 2");
    check("a `b", "`b' at line 1");
    check("a /* b", "/* b' at line 1");
    check("a /*! b", "' at line 1");
    check("x'4'", "x'4'' at line 1");
    check("b'2'", "b'2'' at line 1");
    check("a \\ b", "\\ b' at line 1");
}

#[test]
fn params_and_hints() {
    let scan = scan(b"? '?' `?` /* ? */ ? /*margay: primary */", &Mode::default()).unwrap();
    assert_eq!(scan.params, [0, 18]);
    assert!(scan.hints.primary);
}

proptest! {
    /// Any bytes give tokens in order inside the text, or an error.
    #[test]
    fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..80), flags in 0_u8..4) {
        let mode = Mode {
            ansi_quotes: flags & 1 != 0,
            no_backslash_escapes: flags & 2 != 0,
            ..Mode::default()
        };
        if let Ok(scan) = scan(&text, &mode) {
            let mut end = 0;
            for token in &scan.tokens {
                prop_assert!(end <= token.span.start && token.span.start <= token.span.end);
                end = token.span.end;
            }
            prop_assert!(end as usize <= text.len());
        }
    }

    /// Texts of the characters that matter give tokens that cover all but white space and comments.
    #[test]
    fn scans_sql_like_text(text in "[-a1x0.'\"`@#/*! \\\\\n;?(),<>=:&|bN_$]{0,40}") {
        let _ = scan(text.as_bytes(), &Mode::default());
    }
}
