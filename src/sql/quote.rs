//! Values and names as SQL text.

/// A quoted identifier.
pub fn identifier(name: &[u8]) -> Vec<u8> {
    between(b'`', name)
}

/// A string literal that reads the same under every sql_mode: quotes are doubled, and text with a
/// backslash, whose meaning depends on NO_BACKSLASH_ESCAPES, goes as hex.
pub fn text(value: &[u8]) -> Vec<u8> {
    if value.contains(&b'\\') || value.contains(&0) {
        return [b"_utf8mb4 ".as_slice(), &hex(value)].concat();
    }
    between(b'\'', value)
}

fn between(quote: u8, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(quote);
    for byte in text {
        if *byte == quote {
            out.push(quote);
        }
        out.push(*byte);
    }
    out.push(quote);
    out
}

/// A binary literal, `X'41'`.
pub fn hex(value: &[u8]) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(value.len() * 2 + 3);
    out.push_str("X'");
    for byte in value {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02X}");
    }
    out.push('\'');
    out.into_bytes()
}
