//! Values as bytes whose plain order is the order of the values.
//!
//! Each function appends a self-delimiting piece: no piece is the beginning of another, so that
//! pieces can stand one behind the other and a whole key compares by one `memcmp`.

use std::cmp::Ordering;

/// Bytes of a string in one chunk; a marker follows each.
const CHUNK: usize = 8;
/// The marker of a full chunk that is not the last. The last chunk is marked with its length.
const MORE: u8 = CHUNK as u8 + 1;
/// Bytes in one chunk of a padded string: a multiple of all lengths that a padding weight has.
const PADDED_CHUNK: usize = 12;

pub(super) fn integer(number: i128, out: &mut Vec<u8>) {
    // Integers of MySQL are those of i64 and u64; 64 bits and the sign tell them apart.
    out.push(u8::from(number >= 0));
    out.extend_from_slice(&(number as u64).to_be_bytes());
}

pub(super) fn signed(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&((number as u64) ^ (1 << 63)).to_be_bytes());
}

pub(super) fn unsigned(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_be_bytes());
}

pub(super) fn double(number: f64, out: &mut Vec<u8>) {
    // Adding zero makes one zero of the two.
    let bits = (number + 0.0).to_bits();
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    out.extend_from_slice(&ordered.to_be_bytes());
}

/// A decimal in text form; `None` if it is not one. Zeros that change nothing are left out.
pub(super) fn decimal(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    const NEGATIVE: u8 = 0;
    const ZERO: u8 = 1;
    const POSITIVE: u8 = 2;
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match digits.iter().position(|&byte| byte == b'.') {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &b""[..]),
    };
    let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    if !all_digits || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let zeros = whole.iter().take_while(|&&byte| byte == b'0').count();
    let whole = &whole[zeros..];
    let zeros = fraction.iter().rev().take_while(|&&byte| byte == b'0').count();
    let fraction = &fraction[..fraction.len() - zeros];
    if whole.is_empty() && fraction.is_empty() {
        out.push(ZERO);
        return Some(());
    }
    out.push(if negative { NEGATIVE } else { POSITIVE });
    let start = out.len();
    out.push(u8::try_from(whole.len()).ok()?);
    out.extend_from_slice(whole);
    out.extend_from_slice(fraction);
    out.push(0);
    if negative {
        invert(&mut out[start..]);
    }
    Some(())
}

/// A string of bytes; a string that begins another is less.
pub(super) fn bytes(string: &[u8], out: &mut Vec<u8>) {
    let mut rest = string;
    while let Some((chunk, tail)) = rest.split_first_chunk::<CHUNK>() {
        if tail.is_empty() {
            break;
        }
        out.extend_from_slice(chunk);
        out.push(MORE);
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.resize(out.len() + CHUNK - rest.len(), 0);
    out.push(rest.len() as u8);
}

/// A weight string of a collation where the shorter of two strings counts as filled up with spaces;
/// `pad` is the weight of a space. `None` if they do not belong together.
pub(super) fn padded(weights: &[u8], pad: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if pad.is_empty() || !PADDED_CHUNK.is_multiple_of(pad.len()) {
        return None;
    }
    let mut rest = weights;
    while let Some(shorter) = rest.strip_suffix(pad) {
        rest = shorter;
    }
    if !rest.len().is_multiple_of(pad.len()) {
        return None;
    }
    while let Some((chunk, tail)) = rest.split_first_chunk::<PADDED_CHUNK>() {
        if tail.is_empty() {
            break;
        }
        out.extend_from_slice(chunk);
        out.push(match tail.iter().cmp(pad.iter().cycle().take(tail.len())) {
            Ordering::Less => 1,
            Ordering::Equal | Ordering::Greater => 3,
        });
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.extend(pad.iter().cycle().take(PADDED_CHUNK - rest.len()));
    out.push(2);
    Some(())
}

/// Turns the order round.
pub(super) fn invert(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = !*byte;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode<T>(value: T, put: impl Fn(T, &mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        put(value, &mut out);
        out
    }

    /// The values are in ascending order.
    fn check<T: Copy + std::fmt::Debug>(values: &[T], put: impl Fn(T, &mut Vec<u8>)) {
        for pair in values.windows(2) {
            let (a, b) = (encode(pair[0], &put), encode(pair[1], &put));
            assert!(a < b, "{pair:?}");
            assert!(!b.starts_with(&a), "{pair:?}");
        }
    }

    fn put_decimal(text: &str, out: &mut Vec<u8>) {
        decimal(text.as_bytes(), out).unwrap();
    }

    #[test]
    fn numbers() {
        check(&[i64::MIN.into(), -1, 0, 1, i64::MAX.into(), u64::MAX.into()], integer);
        check(&[i64::MIN, -1, 0, 1, i64::MAX], signed);
        check(&[f64::MIN, -1.0, -1e-300, 0.0, 1e-300, 1.0, f64::INFINITY], double);
        assert_eq!(encode(-0.0, double), encode(0.0, double));
        check(
            &["-100", "-99.5", "-99.25", "-9", "-0.1", "0", "0.01", "0.1", "9", "10.5"],
            put_decimal,
        );
        assert_eq!(encode("-0.00", put_decimal), encode("0", put_decimal));
        assert_eq!(encode("007.50", put_decimal), encode("7.5", put_decimal));
        assert_eq!(decimal(b"1e5", &mut Vec::new()), None);
        assert_eq!(decimal(b".", &mut Vec::new()), None);
    }

    #[test]
    fn a_pad_that_does_not_fit() {
        assert_eq!(padded(b"abc", b"\0\x20", &mut Vec::new()), None);
        assert_eq!(padded(b"abc", b"", &mut Vec::new()), None);
        assert_eq!(padded(b"abcde", b"abcde", &mut Vec::new()), None);
    }

    /// Compares as the collation does: the shorter is filled up.
    fn cmp_padded(a: &[u8], b: &[u8], pad: &[u8]) -> Ordering {
        let len = a.len().max(b.len());
        let fill = |string: &[u8]| {
            let mut string = string.to_vec();
            while string.len() < len {
                string.extend_from_slice(pad);
            }
            string
        };
        fill(a).cmp(&fill(b))
    }

    proptest! {
        #[test]
        fn strings_keep_their_order(
            start in prop::collection::vec(0_u8..3, 0..20),
            a in prop::collection::vec(0_u8..3, 0..12),
            b in prop::collection::vec(0_u8..3, 0..12),
        ) {
            let (a, b) = ([&start[..], &a].concat(), [&start[..], &b].concat());
            let (x, y) = (encode(&a[..], bytes), encode(&b[..], bytes));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        }

        #[test]
        fn padded_strings_keep_their_order(
            start in prop::collection::vec(31_u8..34, 0..30),
            a in prop::collection::vec(31_u8..34, 0..8),
            b in prop::collection::vec(31_u8..34, 0..8),
            width in 1_usize..4,
        ) {
            let mut pad = vec![0; width];
            pad[width - 1] = 32;
            let widen = |string: &[u8]| -> Vec<u8> {
                let zeros = vec![0; width - 1];
                string.iter().flat_map(|&byte| zeros.iter().copied().chain([byte])).collect()
            };
            let (a, b) = (widen(&[&start[..], &a].concat()), widen(&[&start[..], &b].concat()));
            let put = |string: &[u8], out: &mut Vec<u8>| padded(string, &pad, out).unwrap();
            let (x, y) = (encode(&a[..], put), encode(&b[..], put));
            prop_assert_eq!(x.cmp(&y), cmp_padded(&a, &b, &pad));
        }
    }
}
