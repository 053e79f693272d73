//! LIKE patterns of commands that are not SQL.

/// Whether `text` matches a pattern of `%`, `_` and `\\`, in any case of ASCII letters.
pub(super) fn matches(text: &[u8], pattern: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'%', rest)) => {
            (0..=text.len()).any(|skip| text.get(skip..).is_some_and(|text| matches(text, rest)))
        }
        Some((b'_', rest)) => text.split_first().is_some_and(|(_, text)| matches(text, rest)),
        Some((b'\\', rest)) if !rest.is_empty() => literal(text, rest),
        Some(_) => literal(text, pattern),
    }
}

fn literal(text: &[u8], pattern: &[u8]) -> bool {
    match (text.split_first(), pattern.split_first()) {
        (Some((a, text)), Some((b, pattern))) => {
            a.eq_ignore_ascii_case(b) && matches(text, pattern)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    fn check(text: &str, pattern: &str, expect: bool) {
        assert_eq!(matches(text.as_bytes(), pattern.as_bytes()), expect, "{text} LIKE {pattern}");
    }

    #[test]
    fn patterns() {
        check("id", "id", true);
        check("ID", "i%", true);
        check("name", "%me", true);
        check("name", "n_me", true);
        check("a_b", "a\\_b", true);
        check("axb", "a\\_b", false);
        check("", "%", true);
    }
}
