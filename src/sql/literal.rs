//! Text of literals and quoted names to their values.

use super::charset::Charset;

/// The bytes of a string literal without its quotes; `escapes` says whether a backslash escapes.
///
/// `raw` is the whole token, a prefix `N` left out.
pub(super) fn unescape(raw: &[u8], escapes: bool, charset: Charset) -> Vec<u8> {
    let Some((&quote, rest)) = raw.split_first() else {
        return Vec::new();
    };
    let content = rest.strip_suffix(&[quote]).unwrap_or(rest);
    let mut bytes = Vec::with_capacity(content.len());
    let mut left = content;
    while let Some((&byte, rest)) = left.split_first() {
        left = rest;
        if byte == quote {
            // Doubled: the scanner ended the token otherwise.
            left = rest.get(1..).unwrap_or_default();
            bytes.push(quote);
        } else if byte == b'\\' && escapes {
            let (&letter, behind) = rest.split_first().unwrap_or((&b'\\', &[]));
            left = behind;
            escape(letter, &mut bytes);
        } else {
            bytes.push(byte);
            if !byte.is_ascii() {
                let more = charset.len(&content[content.len() - rest.len() - 1..]) - 1;
                let (char, behind) = rest.split_at(more);
                bytes.extend_from_slice(char);
                left = behind;
            }
        }
    }
    bytes
}

fn escape(letter: u8, bytes: &mut Vec<u8>) {
    match letter {
        b'0' => bytes.push(0),
        b'b' => bytes.push(0x08),
        b'n' => bytes.push(b'\n'),
        b'r' => bytes.push(b'\r'),
        b't' => bytes.push(b'\t'),
        b'Z' => bytes.push(0x1a),
        // These keep the backslash, for LIKE patterns.
        b'%' | b'_' => bytes.extend([b'\\', letter]),
        other => bytes.push(other),
    }
}

/// The bytes of `0x41` or `x'41'`; an odd number of digits gets a zero in front.
pub(super) fn hex(raw: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = digits(raw).filter_map(hex_digit).collect();
    let (first, pairs) = digits.split_at(digits.len() % 2);
    let pairs = pairs.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
    first.iter().copied().chain(pairs).collect()
}

/// The bytes of `0b01` or `b'01'`, zeros in front to whole bytes.
pub(super) fn bits(raw: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> = digits(raw).filter_map(|d| d.checked_sub(b'0')).collect();
    bits.rchunks(8).rev().map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect()
}

/// What stands after `0x` or between the quotes.
fn digits(raw: &[u8]) -> impl Iterator<Item = u8> + '_ {
    raw.iter().skip(2).copied().filter(|byte| *byte != b'\'')
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescapes_strings() {
        let check = |raw: &str, escapes: bool, expect: &str| {
            let bytes = unescape(raw.as_bytes(), escapes, Charset::Utf8);
            assert_eq!(bytes, expect.as_bytes(), "{raw}");
        };
        check("''", true, "");
        check("'it''s'", true, "it's");
        check(r"'a\'b\\c\n\0\Z\x'", true, "a'b\\c\n\0\u{1a}x");
        check(r"'100\% a\_b'", true, r"100\% a\_b");
        check(r"'a\nb\'", false, r"a\nb\");
        check(r#""a""b'c""#, true, r#"a"b'c"#);
        check("`a``b`", false, "a`b");
    }

    #[test]
    fn unescapes_characters_with_a_backslash_in_them() {
        let check = |raw: &[u8], charset, expect: &[u8]| {
            assert_eq!(unescape(raw, true, charset), expect, "{raw:x?}");
        };
        check(b"'\xbf\\n'", Charset::Gbk, b"\xbf\\n");
        check(b"'\xbf\\n'", Charset::Other, b"\xbf\n");
        check(b"'\x95\\\\'", Charset::Sjis, b"\x95\\\\");
        check(b"'\xbf''\xbf'", Charset::Gbk, b"\xbf'\xbf");
        check(b"'\xbf'", Charset::Gbk, b"\xbf");
    }

    #[test]
    fn reads_hex_and_bits() {
        let check = |found: Vec<u8>, expect: &[u8]| assert_eq!(found, expect);
        check(hex(b"0x4142"), b"AB");
        check(hex(b"0xF41"), b"\x0fA");
        check(hex(b"x'4d'"), b"M");
        check(hex(b"X''"), b"");
        check(bits(b"0b1"), &[1]);
        check(bits(b"b'101000001'"), &[1, 0x41]);
        check(bits(b"b''"), &[]);
    }
}
