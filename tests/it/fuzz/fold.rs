//! Texts that collations hold to be equal, in one form.

/// Lower case, without accents and trailing spaces.
pub(super) fn fold(bytes: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
    let mut out = String::new();
    for c in text.trim_end_matches(' ').chars().flat_map(char::to_lowercase) {
        match c {
            'é' | 'è' | 'ê' | 'ë' => out.push('e'),
            'á' | 'à' | 'ä' | 'å' => out.push('a'),
            'ß' => out.push('s'),
            c => out.push(c),
        }
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn folds_what_is_equal() {
        assert_eq!(fold("ÉA ".as_bytes()), fold(b"ea"));
        assert_ne!(fold(b"ab"), fold(b"a"));
        assert_eq!(fold(&[0xff]), [0xff]);
    }
}
