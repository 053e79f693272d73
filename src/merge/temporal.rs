//! Dates and times as numbers that compare as MySQL compares them.

const MICROS: u64 = 1_000_000;

/// A date, with a time of day or without, in text form: `2024-05-06 07:08:09.123456`.
pub(super) fn moment_from_text(text: &[u8]) -> Option<u64> {
    let (date, time) = match text.iter().position(|&byte| byte == b' ') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split(|&byte| byte == b'-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let date = pack_date(digits(year)?, digits(month)?, digits(day)?)?;
    let time = time.map_or(Some(0), clock_from_text)?;
    pack_moment(date, time)
}

/// A date or moment of the binary protocol, without its length byte.
pub(super) fn moment_from_binary(bytes: &[u8]) -> Option<u64> {
    let (date, time) = match *bytes {
        [] => return Some(0),
        [a, b, month, day, ref time @ ..] => ([a, b, month, day], time),
        _ => return None,
    };
    let year = u64::from(u16::from_le_bytes([date[0], date[1]]));
    let date = pack_date(year, u64::from(date[2]), u64::from(date[3]))?;
    let time = match *time {
        [] => 0,
        [hour, minute, second, ref micros @ ..] => clock(hour, minute, second, micros)?,
        _ => return None,
    };
    pack_moment(date, time)
}

/// A TIME in text form, `-838:59:59.000000`, in microseconds.
pub(super) fn time_from_text(text: &[u8]) -> Option<i64> {
    let (negative, clock) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let micros = i64::try_from(clock_from_text(clock)?).ok()?;
    Some(if negative { -micros } else { micros })
}

/// A TIME of the binary protocol, without its length byte, in microseconds.
pub(super) fn time_from_binary(bytes: &[u8]) -> Option<i64> {
    let (negative, days, clock_micros) = match *bytes {
        [] => return Some(0),
        [negative, a, b, c, d, hour, minute, second, ref micros @ ..] => {
            (negative, u32::from_le_bytes([a, b, c, d]), clock(hour, minute, second, micros)?)
        }
        _ => return None,
    };
    let micros = u64::from(days).checked_mul(24 * 3600 * MICROS)?.checked_add(clock_micros)?;
    let micros = i64::try_from(micros).ok()?;
    Some(if negative == 0 { micros } else { -micros })
}

fn pack_date(year: u64, month: u64, day: u64) -> Option<u64> {
    (year <= 9999 && month < 16 && day < 32).then_some((year * 16 + month) * 32 + day)
}

fn pack_moment(date: u64, micros: u64) -> Option<u64> {
    let day = 24 * 3600 * MICROS;
    (micros < day).then_some(date * day + micros)
}

fn clock(hour: u8, minute: u8, second: u8, micros: &[u8]) -> Option<u64> {
    let micros = match *micros {
        [] => 0,
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
        _ => return None,
    };
    Some(seconds(u64::from(hour), u64::from(minute), u64::from(second)) * MICROS + micros)
}

/// `hh:mm:ss.ffffff`, in microseconds; the hours may have more digits, the fraction fewer.
fn clock_from_text(text: &[u8]) -> Option<u64> {
    let (whole, fraction) = match text.iter().position(|&byte| byte == b'.') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &b""[..]),
    };
    let mut parts = whole.split(|&byte| byte == b':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || fraction.len() > 6 {
        return None;
    }
    let micros = match fraction {
        [] => 0,
        _ => digits(fraction)? * 10_u64.pow(6 - fraction.len() as u32),
    };
    Some(seconds(digits(hour)?, digits(minute)?, digits(second)?) * MICROS + micros)
}

fn seconds(hour: u64, minute: u64, second: u64) -> u64 {
    (hour * 60 + minute) * 60 + second
}

/// A number of at most six digits.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 6 {
        return None;
    }
    text.iter().try_fold(0, |number, &byte| {
        byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_order() {
        let texts: [&[u8]; 8] = [
            b"0000-00-00",
            b"0000-01-01",
            b"2024-02-28",
            b"2024-02-29",
            b"2024-02-29 00:00:00.000001",
            b"2024-02-29 00:00:01.1",
            b"2024-02-29 23:59:59.999999",
            b"9999-12-31 00:00:00",
        ];
        let numbers: Vec<_> = texts.iter().map(|text| moment_from_text(text).unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert_eq!(moment_from_text(b"2024-01-02"), moment_from_text(b"2024-01-02 00:00:00.0"));
    }

    #[test]
    fn moments_are_equal_in_both_formats() {
        let check = |bytes: &[u8], text: &[u8]| {
            assert_eq!(moment_from_binary(bytes).unwrap(), moment_from_text(text).unwrap());
        };
        check(&[], b"0000-00-00 00:00:00");
        check(&[0xe8, 7, 5, 6], b"2024-05-06");
        check(&[0xe8, 7, 5, 6, 7, 8, 9], b"2024-05-06 07:08:09");
        check(&[0xe8, 7, 5, 6, 7, 8, 9, 0x40, 0xe2, 1, 0], b"2024-05-06 07:08:09.123456");
    }

    #[test]
    fn times_are_equal_in_both_formats() {
        let check = |bytes: &[u8], text: &[u8], expect: i64| {
            assert_eq!(time_from_binary(bytes), Some(expect));
            assert_eq!(time_from_text(text), Some(expect));
        };
        check(&[], b"00:00:00", 0);
        check(&[0, 0, 0, 0, 0, 1, 2, 3], b"01:02:03", 3_723_000_000);
        check(&[1, 34, 0, 0, 0, 22, 59, 59], b"-838:59:59", -3_020_399_000_000);
        check(&[1, 0, 0, 0, 0, 0, 0, 0, 32, 161, 7, 0], b"-00:00:00.50", -500_000);
    }

    #[test]
    fn malformed() {
        for text in [&b""[..], b"2024", b"2024-1", b"2024-01-01 1", b"x-y-z", b"2024-01-01-01"] {
            assert_eq!(moment_from_text(text), None);
            assert_eq!(time_from_text(text), None);
        }
        assert_eq!(moment_from_binary(&[1, 2]), None);
        assert_eq!(moment_from_binary(&[0xe8, 7, 5, 6, 200, 8, 9]), None);
        assert_eq!(time_from_binary(&[1, 2, 3]), None);
    }
}
