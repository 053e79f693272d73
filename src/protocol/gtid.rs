//! Sets of global transaction ids, as servers write them.
//!
//! MySQL: `uuid:1-5:9:tag:1-3, uuid:7`, where any transaction of a source may be missing. MariaDB:
//! `domain-server-number, ...`, where a position stands for all before it in its domain.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, Result};

/// A set of one kind or the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GtidSet {
    /// By source; intervals with both ends, in order, neither overlapping nor adjacent.
    intervals: BTreeMap<Source, Vec<(u64, u64)>>,
    /// By domain, of MariaDB.
    positions: BTreeMap<u32, Position>,
}

/// Who numbers transactions of MySQL: a server, and a tag from 8.3 on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    uuid: u128,
    tag: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    server: u32,
    number: u64,
}

impl GtidSet {
    /// Reads a set of either kind. The empty text is the empty set.
    ///
    /// # Errors
    /// Kind `Protocol`: it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let mut set = Self::default();
        for element in text.split(',').map(str::trim).filter(|element| !element.is_empty()) {
            let taken = match element.split_once(':') {
                Some((uuid, rest)) => set.take_intervals(uuid, rest),
                None => set.take_position(element),
            };
            if taken.is_none() {
                let shown: String = element.chars().take(100).collect();
                return Err(Error::protocol(format!("`{shown}` is not a set of GTIDs")));
            }
        }
        Ok(set)
    }

    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty() && self.positions.is_empty()
    }

    /// Whether all of `other` is in it.
    pub fn contains(&self, other: &Self) -> bool {
        let has_intervals = other.intervals.iter().all(|(source, wanted)| {
            let held = self.intervals.get(source).map_or(&[][..], Vec::as_slice);
            wanted.iter().all(|interval| holds(held, *interval))
        });
        has_intervals
            && other.positions.iter().all(|(domain, wanted)| {
                self.positions.get(domain).is_some_and(|held| held.number >= wanted.number)
            })
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        for (source, intervals) in &other.intervals {
            let held = self.intervals.entry(source.clone()).or_default();
            for interval in intervals {
                insert(held, *interval);
            }
        }
        for (domain, position) in &other.positions {
            self.reach(*domain, *position);
        }
    }

    /// Takes out what `other` has too.
    pub fn remove(&mut self, other: &Self) {
        for (source, intervals) in &mut self.intervals {
            let held = other.intervals.get(source).map_or(&[][..], Vec::as_slice);
            intervals.retain(|interval| !holds(held, *interval));
        }
        self.intervals.retain(|_, intervals| !intervals.is_empty());
        self.positions.retain(|domain, position| {
            other.positions.get(domain).is_none_or(|held| held.number < position.number)
        });
    }

    /// Intervals and positions in it.
    pub fn len(&self) -> usize {
        self.intervals.values().map(Vec::len).sum::<usize>() + self.positions.len()
    }

    /// Closes the gaps between the intervals of each source: a larger set that takes less room.
    pub fn close_gaps(&mut self) {
        for intervals in self.intervals.values_mut() {
            if let (Some(first), Some(last)) = (intervals.first(), intervals.last()) {
                *intervals = vec![(first.0, last.1)];
            }
        }
    }

    fn take_intervals(&mut self, uuid: &str, rest: &str) -> Option<()> {
        let hex: String = uuid.trim().chars().filter(|c| *c != '-').collect();
        let is_uuid = hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let uuid = u128::from_str_radix(&hex, 16).ok().filter(|_| is_uuid)?;
        let mut source = Source { uuid, tag: String::new() };
        for part in rest.split(':').map(str::trim) {
            if part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                source.tag = part.to_ascii_lowercase();
                continue;
            }
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let interval = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            if interval.0 > interval.1 {
                return None;
            }
            insert(self.intervals.entry(source.clone()).or_default(), interval);
        }
        Some(())
    }

    fn take_position(&mut self, element: &str) -> Option<()> {
        let mut numbers = element.splitn(3, '-');
        let domain = numbers.next()?.parse().ok()?;
        let server = numbers.next()?.parse().ok()?;
        let number = numbers.next()?.parse().ok()?;
        self.reach(domain, Position { server, number });
        Some(())
    }

    fn reach(&mut self, domain: u32, position: Position) {
        let held = self.positions.entry(domain).or_insert(position);
        if held.number < position.number {
            *held = position;
        }
    }
}

/// Whether one of the intervals has all of another one.
fn holds(intervals: &[(u64, u64)], (first, last): (u64, u64)) -> bool {
    let next = intervals.partition_point(|held| held.0 <= first);
    let held = next.checked_sub(1).and_then(|index| intervals.get(index));
    held.is_some_and(|held| last <= held.1)
}

fn insert(intervals: &mut Vec<(u64, u64)>, (mut first, mut last): (u64, u64)) {
    // All that overlap or touch it become one with it.
    let from = intervals.partition_point(|held| held.1.saturating_add(1) < first);
    let to = intervals.partition_point(|held| held.0 <= last.saturating_add(1)).max(from);
    for held in intervals.get(from..to).unwrap_or_default() {
        first = first.min(held.0);
        last = last.max(held.1);
    }
    intervals.splice(from..to, [(first, last)]);
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (Source { uuid, tag }, intervals) in &self.intervals {
            let hex = format!("{uuid:032x}");
            let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
            let (a, b, c, d, e) =
                (part(0..8), part(8..12), part(12..16), part(16..20), part(20..32));
            write!(f, "{separator}{a}-{b}-{c}-{d}-{e}")?;
            if !tag.is_empty() {
                write!(f, ":{tag}")?;
            }
            for (first, last) in intervals {
                match first == last {
                    true => write!(f, ":{first}")?,
                    false => write!(f, ":{first}-{last}")?,
                }
            }
            separator = ",";
        }
        for (domain, Position { server, number }) in &self.positions {
            write!(f, "{separator}{domain}-{server}-{number}")?;
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sources of tests: `A` and `B` stand for UUIDs.
    fn long(text: &str) -> String {
        text.replace('A', "3e11fa47-71ca-11e1-9e33-c80aa9429562")
            .replace('B', "00000000-0000-0000-0000-00000000000b")
    }

    fn set(text: &str) -> GtidSet {
        GtidSet::parse(&long(text)).unwrap()
    }

    fn check(held: &str, wanted: &str, expect: bool) {
        assert_eq!(set(held).contains(&set(wanted)), expect, "`{wanted}` in `{held}`");
    }

    #[test]
    fn containment() {
        check("A:1-5", "A:5", true);
        check("A:1-5", "A:6", false);
        check("A:1-5:7-9", "A:7-8", true);
        check("A:1-5:7-9", "A:4-7", false);
        check("A:1-5:7-9", "A:6", false);
        check("A:1-5,\nB:1-3", "B:3, A:1", true);
        check("A:1-5", "B:1", false);
        check("A:1-5", "", true);
        check("", "A:1", false);
        check("A:1-3:x:1-8:9", "A:x:9", true);
        check("A:1-3:x:1-8", "A:4", false);
        check("A:1-3:X:1-8", "A:x:8", true);
        check("0-1-10,1-2-5", "0-3-10", true);
        check("0-1-10", "0-1-11", false);
        check("0-1-10", "1-1-1", false);
    }

    #[test]
    fn sums_and_rests() {
        let mut sum = set("A:5");
        for (add, expect) in [
            ("A:7", "A:5:7"),
            ("A:6", "A:5-7"),
            ("A:1-2", "A:1-2:5-7"),
            ("A:3-9", "A:1-9"),
            ("A:2-4", "A:1-9"),
            ("A:t:1", "A:1-9,A:t:1"),
            ("0-1-5", "A:1-9,A:t:1,0-1-5"),
            ("0-2-4", "A:1-9,A:t:1,0-1-5"),
        ] {
            sum.add(&set(add));
            assert_eq!(sum.to_string(), long(expect));
            assert_eq!(GtidSet::parse(&sum.to_string()).unwrap(), sum);
        }
        sum.remove(&set("A:1-10,0-1-4"));
        assert_eq!(sum.to_string(), long("A:t:1,0-1-5"));
        sum.remove(&set("A:t:1-2,0-1-5"));
        assert!(sum.is_empty());
        let mut gaps = set("A:5:9:20");
        assert_eq!(gaps.len(), 3);
        gaps.close_gaps();
        assert_eq!(gaps, set("A:5-20"));
    }

    #[test]
    fn refuses_other_texts() {
        for text in
            ["x", "1-2", "A:5-4", "A:", "zz:1", "A:1-2-3", "0-1-x", "A:18446744073709551616"]
        {
            assert!(GtidSet::parse(&long(text)).is_err(), "{text}");
        }
        assert!(GtidSet::parse(" \n").unwrap().is_empty());
        set("A:18446744073709551615").add(&set("A:1-18446744073709551615"));
    }
}
