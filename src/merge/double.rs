//! Doubles as MySQL prints them.

use std::io::Write as _;

/// The value of a column's `decimals` that stands for "as many digits as it takes".
const NOT_FIXED: u8 = 31;
/// Decimal exponents from here to [`PLAIN_MAX`] are printed without an `e`; greater ones too if
/// there are digits behind the point.
const PLAIN_MIN: i32 = -15;
const PLAIN_MAX: i32 = 14;

/// Appends `number` in the text form of a column with `decimals`.
pub(super) fn write_double(number: f64, decimals: u8, out: &mut Vec<u8>) {
    if !number.is_finite() {
        // The server has no text for these and prints a zero.
        out.push(b'0');
        return;
    }
    let mut scientific = [0_u8; 32];
    let mut rest = &mut scientific[..];
    write!(rest, "{number:e}").expect("the shortest form of a double has at most 24 bytes");
    let left = rest.len();
    let used = scientific.len() - left;
    let (mantissa, exponent) = split(&scientific[..used]);
    let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit()).count() as i32;
    if decimals >= NOT_FIXED {
        let point_inside = (0..digits - 1).contains(&exponent);
        if point_inside || (PLAIN_MIN..=PLAIN_MAX).contains(&exponent) {
            write_plain(mantissa, exponent, out);
        } else {
            out.extend_from_slice(&scientific[..used]);
        }
        return;
    }
    let decimals = usize::from(decimals);
    let fraction = usize::try_from(digits - 1 - exponent).unwrap_or(0);
    if number != 0.0 && fraction > decimals {
        let start = out.len();
        write!(out, "{number:.decimals$}").expect("a Vec takes every write");
        // What is left of a sum after rounding errors has no sign once it is rounded to zero.
        if out[start..].iter().all(|byte| matches!(byte, b'-' | b'0' | b'.')) {
            let sign = usize::from(number < 0.0);
            out.drain(start..start + sign);
        }
        return;
    }
    // No digit beyond the shortest form is printed: 33333333333333330000.00, though the double is
    // nearer to another number of as many digits.
    write_plain(mantissa, exponent, out);
    if decimals > 0 {
        if fraction == 0 {
            out.push(b'.');
        }
        out.extend(std::iter::repeat_n(b'0', decimals - fraction));
    }
}

/// The digits and the exponent of `-1.25e-7`.
fn split(scientific: &[u8]) -> (&[u8], i32) {
    let at = scientific.iter().position(|&byte| byte == b'e').unwrap_or(scientific.len());
    let (mantissa, exponent) = scientific.split_at(at);
    let digits = exponent.strip_prefix(b"e").unwrap_or(exponent);
    let exponent = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    (mantissa, exponent.unwrap_or(0))
}

/// Writes `-1.25` and `-7` as `-0.000000125`.
fn write_plain(mantissa: &[u8], exponent: i32, out: &mut Vec<u8>) {
    let (sign, mantissa) = match mantissa.strip_prefix(b"-") {
        Some(rest) => (&b"-"[..], rest),
        None => (&b""[..], mantissa),
    };
    out.extend_from_slice(sign);
    let digits = mantissa.iter().copied().filter(|byte| byte.is_ascii_digit());
    let count = digits.clone().count();
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', (-exponent - 1) as usize));
        out.extend(digits);
        return;
    }
    let whole = exponent as usize + 1;
    out.extend(digits.clone().take(whole));
    out.extend(std::iter::repeat_n(b'0', whole.saturating_sub(count)));
    if count > whole {
        out.push(b'.');
        out.extend(digits.skip(whole));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: f64, decimals: u8, expect: &str) {
        let mut out = Vec::new();
        write_double(number, decimals, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn shortest_digits() {
        check(0.0, 31, "0");
        check(-0.0, 31, "-0");
        check(1.0, 31, "1");
        check(-1.5, 31, "-1.5");
        check(120.0, 31, "120");
        check(0.1 + 0.2, 31, "0.30000000000000004");
        check(123456.789, 31, "123456.789");
        check(1e14, 31, "100000000000000");
        check(999999999999999.9, 31, "999999999999999.9");
        check(1e15, 31, "1e15");
        check(-1234567890123456.0, 31, "-1.234567890123456e15");
        check(-1039514241563211.8, 31, "-1039514241563211.8");
        check(1e-15, 31, "0.000000000000001");
        check(1.5e-15, 31, "0.0000000000000015");
        check(1e-16, 31, "1e-16");
        check(f64::MAX, 31, "1.7976931348623157e308");
        check(5e-324, 31, "5e-324");
        check(f64::INFINITY, 31, "0");
    }

    #[test]
    fn fixed_decimals() {
        check(6.7, 2, "6.70");
        check(2.2333333333333334, 6, "2.233333");
        check(-0.001, 2, "0.00");
        check(-0.005, 1, "0.0");
        check(1e20, 0, "100000000000000000000");
        check(1e20 / 3.0, 6, "33333333333333330000.000000");
        check(123456789012345678.25, 2, "123456789012345680.00");
        check(0.0, 2, "0.00");
        check(1.5, 1, "1.5");
        check(1.005, 2, "1.00");
        check(0.125, 2, "0.12");
    }
}
