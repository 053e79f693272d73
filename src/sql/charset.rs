//! The character set that a statement's text is in, as far as it decides where characters end.

/// In most sets, the bytes of a character of several are all outside of ASCII, so that quotes and
/// backslashes are what they seem. In these of East Asia, the second byte may be one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Charset {
    /// utf8mb4, utf8mb3, or bytes, whose names are taken for UTF-8.
    #[default]
    Utf8,
    /// Another that needs no care.
    Other,
    Big5,
    Gbk,
    /// sjis and cp932.
    Sjis,
    Gb18030,
}

impl Charset {
    /// By MySQL's name of the set.
    pub fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "utf8mb4" | "utf8mb3" | "utf8" | "binary" | "ascii" => Self::Utf8,
            "big5" => Self::Big5,
            "gbk" => Self::Gbk,
            "sjis" | "cp932" => Self::Sjis,
            "gb18030" => Self::Gb18030,
            _ => Self::Other,
        }
    }

    /// Bytes of the character at the front: 1 also where what follows does not complete it, as servers
    /// read it.
    pub(super) fn len(self, bytes: &[u8]) -> usize {
        let [first, second, ..] = *bytes else { return 1 };
        let low = matches!(second, 0x40..=0x7e);
        let whole = match self {
            Self::Utf8 | Self::Other => false,
            Self::Big5 => matches!(first, 0xa1..=0xf9) && (low || matches!(second, 0xa1..=0xfe)),
            Self::Gbk => matches!(first, 0x81..=0xfe) && (low || matches!(second, 0x80..=0xfe)),
            Self::Sjis => {
                matches!(first, 0x81..=0x9f | 0xe0..=0xfc) && (low || matches!(second, 0x80..=0xfc))
            }
            Self::Gb18030 => {
                if let [0x81..=0xfe, 0x30..=0x39, 0x81..=0xfe, 0x30..=0x39, ..] = bytes {
                    return 4;
                }
                matches!(first, 0x81..=0xfe) && (low || matches!(second, 0x80..=0xfe))
            }
        };
        if whole { 2 } else { 1 }
    }

    /// The text of a name; `None` if it has characters that are not read.
    pub(super) fn name(self, bytes: Vec<u8>) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(bytes).ok(),
            Self::Other | Self::Big5 | Self::Gbk | Self::Sjis | Self::Gb18030 => {
                bytes.is_ascii().then(|| String::from_utf8(bytes).ok()).flatten()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        let check = |name: &str, bytes: &[u8], expect: usize| {
            assert_eq!(Charset::of(name).len(bytes), expect, "{name} {bytes:x?}");
        };
        for name in ["utf8mb4", "latin1", "ujis", "binary"] {
            check(name, b"\xbf\x5c", 1);
        }
        for name in ["GBK", "gb18030", "big5"] {
            check(name, b"\xbf\x5c'", 2);
            check(name, b"\xbf\x27'", 1);
            check(name, b"\xbf", 1);
            check(name, b"a\x5c", 1);
        }
        check("big5", b"\x81\x5c", 1);
        check("gbk", b"\x81\x80", 2);
        check("sjis", b"\x95\x5c", 2);
        check("cp932", b"\xb1\x5c", 1);
        check("gb18030", b"\x81\x30\x81\x30", 4);
        check("gb18030", b"\x81\x30\x81\x27", 1);
    }

    #[test]
    fn names() {
        assert_eq!(Charset::Utf8.name("é".into()).as_deref(), Some("é"));
        assert_eq!(Charset::Gbk.name("é".into()), None);
        assert_eq!(Charset::Gbk.name("e".into()).as_deref(), Some("e"));
    }
}
