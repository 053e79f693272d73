//! Amounts with units: durations such as `200ms` and sizes such as `64MiB`.

use std::fmt;
use std::time::Duration;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// As a length in memory.
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = split(text)?;
        let factor: u64 = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            _ => return None,
        };
        number.checked_mul(factor).map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        let fits = units.iter().find(|(bits, _)| self.0 > 0 && self.0.is_multiple_of(1 << bits));
        match fits {
            Some((bits, unit)) => write!(f, "{}{unit}", self.0 >> bits),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// Reads `200ms`, `5s`, `10m`, `48h`, `90d`, `2w`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds: u64 = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return None,
    };
    // A century and more would overflow the clocks that it is added to.
    let seconds = number.checked_mul(seconds).filter(|seconds| *seconds < 1 << 32)?;
    Some(Duration::from_secs(seconds))
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|char: char| !char.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, size: Option<u64>, duration: Option<u64>) {
        assert_eq!(Size::parse(text).map(|size| size.0), size, "{text}");
        let millis = parse_duration(text).map(|duration| duration.as_millis() as u64);
        assert_eq!(millis, duration, "{text}");
    }

    #[test]
    fn amounts() {
        check("64MiB", Some(64 << 20), None);
        check("1 KB", Some(1000), None);
        check("0B", Some(0), None);
        check("200ms", None, Some(200));
        check("90d", None, Some(90 * 86_400_000));
        check("99999999999d", None, None);
        check("5", None, None);
        check("s", None, None);
        check("", None, None);
        check("-5s", None, None);
        assert_eq!(Size(64 << 20).to_string(), "64MiB");
        assert_eq!(Size(1000).to_string(), "1000B");
    }
}
