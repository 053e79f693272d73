//! Doubles as MySQL prints them.

use std::io::Write as _;

/// The value of a column's `decimals` that stands for "as many digits as it takes".
const NOT_FIXED: u8 = 31;
/// Decimal exponents from here to [`PLAIN_MAX`] are printed without an `e`.
const PLAIN_MIN: i32 = -15;
const PLAIN_MAX: i32 = 14;

/// Appends `number` in the text form of a column with `decimals`.
pub(super) fn write_double(number: f64, decimals: u8, out: &mut Vec<u8>) {
    if !number.is_finite() {
        // The server has no text for these and prints a zero.
        out.push(b'0');
        return;
    }
    if decimals < NOT_FIXED {
        write!(out, "{number:.*}", usize::from(decimals)).expect("a Vec takes every write");
        return;
    }
    let mut scientific = [0_u8; 32];
    let mut rest = &mut scientific[..];
    write!(rest, "{number:e}").expect("the shortest form of a double has at most 24 bytes");
    let left = rest.len();
    let used = scientific.len() - left;
    write_shortest(&scientific[..used], out);
}

/// Turns `-1.25e-7` into `-0.000000125`, unless its exponent asks for the form with an `e`.
fn write_shortest(scientific: &[u8], out: &mut Vec<u8>) {
    let at = scientific.iter().position(|&byte| byte == b'e').unwrap_or(scientific.len());
    let (mantissa, exponent) = scientific.split_at(at);
    let exponent = parse_exponent(exponent);
    if !(PLAIN_MIN..=PLAIN_MAX).contains(&exponent) {
        out.extend_from_slice(scientific);
        return;
    }
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

fn parse_exponent(text: &[u8]) -> i32 {
    let digits = text.strip_prefix(b"e").unwrap_or(text);
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
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
        check(-0.001, 2, "-0.00");
        check(1e20, 0, "100000000000000000000");
    }
}
