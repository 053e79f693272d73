//! Exact decimals: sums and quotients as MySQL computes them.

use std::cmp::Ordering;

/// Decimal digits in one limb.
const LIMB_DIGITS: usize = 18;
const LIMB: u64 = 1_000_000_000_000_000_000;
const LIMBS: usize = 8;
/// MySQL keeps decimals in words of nine digits, and has nine words.
const WORD_DIGITS: usize = 9;
const WORDS: usize = 9;

/// A number of at most 144 digits. MySQL's own have at most 81, so that there is room to scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// The digits without the point: eighteen in each, the lowest first.
    limbs: [u64; LIMBS],
    /// How many of the digits stand behind the point.
    scale: usize,
}

impl Decimal {
    pub(super) const ZERO: Self = Self { negative: false, limbs: [0; LIMBS], scale: 0 };

    /// Reads `-12.340`; `None` if it is not a number or longer than MySQL's longest.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let point = digits.iter().position(|&byte| byte == b'.');
        let scale = point.map_or(0, |at| digits.len() - at - 1);
        let count = digits.len() - usize::from(point.is_some());
        if count == 0 || count > WORDS * WORD_DIGITS + 1 {
            return None;
        }
        let mut number = Self { negative, scale, ..Self::ZERO };
        let mut place = 1;
        let mut limb = 0;
        for &byte in digits.iter().rev().filter(|&&byte| byte != b'.') {
            if !byte.is_ascii_digit() {
                return None;
            }
            *number.limbs.get_mut(limb)? += u64::from(byte - b'0') * place;
            place *= 10;
            if place == LIMB {
                (place, limb) = (1, limb + 1);
            }
        }
        Some(number)
    }

    pub(super) fn from_i128(number: i128) -> Self {
        let mut rest = number.unsigned_abs();
        let mut decimal = Self { negative: number < 0, ..Self::ZERO };
        for limb in &mut decimal.limbs {
            *limb = (rest % u128::from(LIMB)) as u64;
            rest /= u128::from(LIMB);
        }
        decimal
    }

    /// The number if it is whole and fits.
    pub(super) fn to_i128(self) -> Option<i128> {
        if self.scale != 0 {
            return None;
        }
        let mut number: i128 = 0;
        for &limb in self.limbs.iter().rev() {
            number = number.checked_mul(i128::from(LIMB))?.checked_add(i128::from(limb))?;
        }
        Some(if self.negative { -number } else { number })
    }

    /// The sum, with the greater scale of the two; `None` if it is out of MySQL's range.
    pub(super) fn add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.rescale(scale)?, other.rescale(scale)?);
        let (negative, limbs) = if a.negative == b.negative {
            (a.negative, add_limbs(&a.limbs, &b.limbs)?)
        } else {
            match cmp_limbs(&a.limbs, &b.limbs) {
                Ordering::Less => (b.negative, sub_limbs(&b.limbs, &a.limbs)),
                Ordering::Equal => (false, [0; LIMBS]),
                Ordering::Greater => (a.negative, sub_limbs(&a.limbs, &b.limbs)),
            }
        };
        let sum = Self { negative, limbs, scale };
        sum.fits().then_some(sum)
    }

    /// `self / count` with `decimals` digits behind the point.
    ///
    /// MySQL cuts the quotient off at a whole word of nine digits and then rounds half away from
    /// zero; so the cut is seen where `decimals` is a multiple of nine, and it is seen here too.
    pub(super) fn divide(self, count: u64, decimals: usize) -> Option<Self> {
        let digits = self.scale.max(decimals).next_multiple_of(WORD_DIGITS);
        let mut quotient = self.rescale(digits)?;
        divide_limbs(&mut quotient.limbs, count)?;
        let mut drop = digits - decimals;
        let mut last = 0;
        while drop > 0 {
            last = divide_limbs(&mut quotient.limbs, 10)?;
            drop -= 1;
        }
        if last >= 5 {
            quotient.limbs = add_limbs(&quotient.limbs, &one())?;
        }
        quotient.scale = decimals;
        Some(quotient)
    }

    /// Appends the digits, with `scale` of them behind the point.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut digits = [0_u8; LIMBS * LIMB_DIGITS];
        for (chunk, &limb) in digits.rchunks_mut(LIMB_DIGITS).zip(&self.limbs) {
            let mut rest = limb;
            for digit in chunk.iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        let whole = digits.len() - self.scale;
        let first = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len());
        if self.negative && first < digits.len() {
            out.push(b'-');
        }
        out.extend_from_slice(&digits[first.min(whole - 1)..whole]);
        if self.scale > 0 {
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
    }

    /// The same number with `scale` digits behind the point, which are not fewer than now.
    fn rescale(mut self, scale: usize) -> Option<Self> {
        while self.scale < scale {
            let digits = (scale - self.scale).min(LIMB_DIGITS);
            multiply_limbs(&mut self.limbs, 10_u64.pow(digits as u32))?;
            self.scale += digits;
        }
        Some(self)
    }

    /// MySQL has as many words for it.
    fn fits(&self) -> bool {
        let digits = self
            .limbs
            .iter()
            .enumerate()
            .rev()
            .find(|&(_, &limb)| limb != 0)
            .map_or(0, |(at, &limb)| at * LIMB_DIGITS + limb.ilog10() as usize + 1);
        let whole = digits.saturating_sub(self.scale);
        whole.div_ceil(WORD_DIGITS) + self.scale.div_ceil(WORD_DIGITS) <= WORDS
    }
}

fn one() -> [u64; LIMBS] {
    let mut limbs = [0; LIMBS];
    limbs[0] = 1;
    limbs
}

fn cmp_limbs(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> Ordering {
    a.iter().rev().cmp(b.iter().rev())
}

fn add_limbs(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> Option<[u64; LIMBS]> {
    let mut sum = [0; LIMBS];
    let mut carry = 0;
    for (out, (a, b)) in sum.iter_mut().zip(a.iter().zip(b)) {
        let total = a + b + carry;
        (carry, *out) = (total / LIMB, total % LIMB);
    }
    (carry == 0).then_some(sum)
}

/// `a - b`, where `a` is not the smaller.
fn sub_limbs(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; LIMBS] {
    let mut difference = [0; LIMBS];
    let mut borrow = 0;
    for (out, (a, b)) in difference.iter_mut().zip(a.iter().zip(b)) {
        let take = b + borrow;
        borrow = u64::from(*a < take);
        *out = a + borrow * LIMB - take;
    }
    difference
}

fn multiply_limbs(limbs: &mut [u64; LIMBS], factor: u64) -> Option<()> {
    let mut carry = 0_u128;
    for limb in limbs {
        let total = u128::from(*limb) * u128::from(factor) + carry;
        *limb = (total % u128::from(LIMB)) as u64;
        carry = total / u128::from(LIMB);
    }
    (carry == 0).then_some(())
}

/// Divides in place and gives the remainder; `None` if `divisor` is zero.
fn divide_limbs(limbs: &mut [u64; LIMBS], divisor: u64) -> Option<u64> {
    let divisor = u128::from(divisor);
    let mut rest = 0_u128;
    for limb in limbs.iter_mut().rev() {
        let total = rest * u128::from(LIMB) + u128::from(*limb);
        *limb = total.checked_div(divisor)? as u64;
        rest = total % divisor;
    }
    Some(rest as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(number: Option<Decimal>) -> String {
        let mut out = Vec::new();
        match number {
            Some(number) => number.write(&mut out),
            None => out.extend_from_slice(b"none"),
        }
        String::from_utf8(out).unwrap()
    }

    fn check_sum(numbers: &[&str], expect: &str) {
        let sum = numbers
            .iter()
            .try_fold(Decimal::ZERO, |sum, text| sum.add(Decimal::parse(text.as_bytes())?));
        assert_eq!(print(sum), expect, "{numbers:?}");
    }

    fn check_divide(sum: &str, count: u64, decimals: usize, expect: &str) {
        let sum = Decimal::parse(sum.as_bytes()).unwrap();
        assert_eq!(print(sum.divide(count, decimals)), expect);
    }

    #[test]
    fn sums_are_exact() {
        check_sum(&["0.00"], "0.00");
        check_sum(&["-0.10", "0.1"], "0.00");
        check_sum(&["1.5", "-2"], "-0.5");
        check_sum(&["999999999999999999", "1"], "1000000000000000000");
        check_sum(&["-1000000000000000000", "1"], "-999999999999999999");
        let nines = "9".repeat(65);
        let twice = format!("1{}8", "9".repeat(64));
        check_sum(&[&nines, &nines], &twice);
        check_sum(&[&nines, &format!("-{nines}"), "7"], "7");
    }

    #[test]
    fn sums_end_at_nine_words() {
        let nines = "9".repeat(81);
        check_sum(&[&nines], &nines);
        check_sum(&[&nines, "1"], "none");
        check_sum(&[&"9".repeat(73), "0.5"], "none");
    }

    #[test]
    fn what_is_not_a_decimal() {
        for text in ["", "-", ".", "1e5", "12a", " 1", &"1".repeat(90)] {
            assert_eq!(Decimal::parse(text.as_bytes()), None, "{text}");
        }
    }

    /// The quotients are those of MySQL 9.7 and MariaDB 10.11.
    #[test]
    fn quotients_are_cut_at_words_and_then_rounded() {
        check_divide("2", 3, 4, "0.6667");
        check_divide("2", 3, 0, "0");
        check_divide("2", 3, 9, "0.666666666");
        check_divide("0.00002", 3, 9, "0.000006666");
        check_divide("0.00002", 3, 10, "0.0000066667");
        check_divide("0.02", 3, 6, "0.006667");
        check_divide("0.02", 3, 2, "0.01");
        check_divide("-0.5", 1, 0, "-1");
        check_divide("2.999999999999999999999999999999", 3, 30, "1.000000000000000000000000000000");
        check_divide(
            "2.999999999999999999999999999999",
            3,
            34,
            "0.9999999999999999999999999999996667",
        );
    }

    #[test]
    fn whole_numbers() {
        for number in [0, -1, 18_446_744_073_709_551_615, i128::from(i64::MIN)] {
            assert_eq!(Decimal::from_i128(number).to_i128(), Some(number));
        }
        assert_eq!(Decimal::parse(b"1.0").unwrap().to_i128(), None);
    }
}
