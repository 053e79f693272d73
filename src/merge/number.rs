//! Numbers in the values of a row.

use super::spec::RowFormat;

/// An integer of any type. `unsigned` tells how to read the bytes of a binary row.
pub(super) fn integer(value: &[u8], format: RowFormat, unsigned: bool) -> Option<i128> {
    match format {
        RowFormat::Text => integer_from_text(value),
        RowFormat::Binary => integer_from_binary(value, unsigned),
    }
}

/// A FLOAT or DOUBLE.
pub(super) fn double(value: &[u8], format: RowFormat) -> Option<f64> {
    match format {
        RowFormat::Text => std::str::from_utf8(value).ok()?.parse().ok(),
        RowFormat::Binary => match *value {
            [a, b, c, d] => Some(f64::from(f32::from_le_bytes([a, b, c, d]))),
            [a, b, c, d, e, f, g, h] => Some(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
            _ => None,
        },
    }
}

fn integer_from_text(text: &[u8]) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    // ZEROFILL pads to at most 255 digits; the value itself has at most 20.
    if digits.is_empty() || digits.len() > 255 {
        return None;
    }
    let number = digits.iter().try_fold(0_u64, |number, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    Some(if negative { -i128::from(number) } else { i128::from(number) })
}

fn integer_from_binary(bytes: &[u8], unsigned: bool) -> Option<i128> {
    let mut wide = [0; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let number = u64::from_le_bytes(wide);
    let unused = match bytes.len() {
        1 | 2 | 4 | 8 => 64 - 8 * bytes.len(),
        _ => return None,
    };
    if unsigned {
        return Some(i128::from(number));
    }
    // Shifting up and down again spreads the sign over the unused bytes.
    Some(i128::from((number << unused) as i64 >> unused))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &[u8], format: RowFormat, unsigned: bool, expect: Option<i128>) {
        assert_eq!(integer(value, format, unsigned), expect);
    }

    #[test]
    fn integers() {
        check(b"-9223372036854775808", RowFormat::Text, false, Some(i128::from(i64::MIN)));
        check(b"18446744073709551615", RowFormat::Text, true, Some(i128::from(u64::MAX)));
        check(b"0000000000000000000000000007", RowFormat::Text, true, Some(7));
        check(b"18446744073709551616", RowFormat::Text, true, None);
        check(b"-", RowFormat::Text, false, None);
        check(b"1.0", RowFormat::Text, false, None);
        check(&[0xff], RowFormat::Binary, false, Some(-1));
        check(&[0xff], RowFormat::Binary, true, Some(255));
        check(&[0, 0x80], RowFormat::Binary, false, Some(-32768));
        check(&[0xff; 8], RowFormat::Binary, true, Some(i128::from(u64::MAX)));
        check(&[0xff; 3], RowFormat::Binary, true, None);
        check(&[0; 9], RowFormat::Binary, true, None);
    }

    #[test]
    fn doubles() {
        assert_eq!(double(b"-1.5e-7", RowFormat::Text), Some(-1.5e-7));
        assert_eq!(double(&1.5_f32.to_le_bytes(), RowFormat::Binary), Some(1.5));
        assert_eq!(double(&1.1_f64.to_le_bytes(), RowFormat::Binary), Some(1.1));
        assert_eq!(double(b"x", RowFormat::Text), None);
    }
}
