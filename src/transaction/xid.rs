//! Names of transactions and of their branches.

use std::fmt;
use std::time::SystemTime;

/// A transaction over several clusters: where its decision is kept, and a unique part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId {
    /// The cluster whose local commit decides, as [`Home`] writes it.
    pub home: Home,
    /// 24 hexadecimal digits; those made later are greater.
    pub serial: String,
}

/// A cluster for the purpose of recovery: its name in the rules, and the mark that Margay left in its
/// bookkeeping. A server that only happens to have the same name elsewhere has another mark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Home {
    name: String,
    mark: String,
}

/// A branch: the part of a transaction on one of the further clusters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid {
    pub id: TransactionId,
    /// The cluster of the branch, by its short name.
    pub branch: String,
    pub threads: Threads,
}

/// The connections that may keep a transaction from being recovered as long as their servers believe
/// that somebody is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threads {
    /// That of the local transaction, on the first cluster.
    pub home: u32,
    /// The branch's own.
    pub branch: u32,
}

/// What tells our branches from those of others.
const PREFIX: &str = "margay:";
/// A longer name goes in as a hash, so that a global part stays within MySQL's 64 bytes.
const NAME_MAX: usize = 22;
const MARK_LEN: usize = 8;
const SERIAL_LEN: usize = 24;

impl Home {
    pub fn new(cluster: &str, mark: &str) -> Self {
        Self { name: short_name(cluster), mark: mark.to_owned() }
    }

    /// Whether it may be the cluster of this name.
    pub fn is_named(&self, cluster: &str) -> bool {
        self.name == short_name(cluster)
    }

    /// A new mark for a cluster that has none.
    pub fn random_mark() -> String {
        format!("{:08x}", rand::random::<u32>())
    }

    /// Whether this can be a mark.
    pub fn is_mark(text: &str) -> bool {
        text.len() == MARK_LEN && is_hex(text)
    }
}

impl TransactionId {
    /// A new one. `now` is for the order alone.
    pub fn new(home: Home, now: SystemTime) -> Self {
        let millis =
            now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
        let random = u128::from(rand::random::<u64>()) & 0xff_ffff_ffff_ffff;
        let serial = format!("{:010x}{random:014x}", millis & 0xff_ffff_ffff);
        Self { home, serial }
    }

    /// Reads `name.mark:serial`.
    pub fn parse(text: &str) -> Option<Self> {
        let (home, serial) = text.rsplit_once(':')?;
        let (name, mark) = home.rsplit_once('.')?;
        let is_ours = is_short_name(name)
            && Home::is_mark(mark)
            && serial.len() == SERIAL_LEN
            && is_hex(serial);
        is_ours.then(|| Self {
            home: Home { name: name.to_owned(), mark: mark.to_owned() },
            serial: serial.to_owned(),
        })
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}:{}", self.home.name, self.home.mark, self.serial)
    }
}

impl Xid {
    pub fn new(id: TransactionId, cluster: &str, threads: Threads) -> Self {
        Self { id, branch: short_name(cluster), threads }
    }

    /// As XA statements take it: `'margay:...','c1:17:4'`. No part holds a quote.
    pub fn sql(&self) -> String {
        let Threads { home, branch } = self.threads;
        format!("'{PREFIX}{}','{}:{home}:{branch}'", self.id, self.branch)
    }

    /// Reads a row of XA RECOVER. None: a branch of somebody else.
    pub fn parse(format: u64, gtrid_len: usize, data: &[u8]) -> Option<Self> {
        let (gtrid, qualifier) = data.split_at_checked(gtrid_len)?;
        let gtrid = std::str::from_utf8(gtrid).ok()?;
        let id = TransactionId::parse(gtrid.strip_prefix(PREFIX)?)?;
        let mut parts = std::str::from_utf8(qualifier).ok()?.split(':');
        let branch = parts.next().filter(|name| is_short_name(name))?.to_owned();
        let threads =
            Threads { home: parts.next()?.parse().ok()?, branch: parts.next()?.parse().ok()? };
        (format == 1 && parts.next().is_none()).then_some(Self { id, branch, threads })
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'~')
}

fn is_short_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_MAX && text.bytes().all(is_plain)
}

/// The name itself if it is short and plain, else a hash of it.
pub(super) fn short_name(name: &str) -> String {
    if is_short_name(name) && !name.starts_with('~') {
        return name.to_owned();
    }
    // FNV-1a: it must be the same in every release, which the standard library does not promise.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("~{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cluster: &str, name: &str) {
        let home = Home::new(cluster, "0123abcd");
        let id = TransactionId::new(home, SystemTime::now());
        assert_eq!(TransactionId::parse(&id.to_string()).as_ref(), Some(&id));
        assert!(id.to_string().starts_with(name) && id.to_string().contains(".0123abcd:"), "{id}");
        assert!(PREFIX.len() + id.to_string().len() <= 64);
        let xid = Xid::new(id, "c1", Threads { home: 17, branch: 4 });
        let gtrid = format!("{PREFIX}{}", xid.id);
        assert_eq!(xid.sql(), format!("'{gtrid}','c1:17:4'"));
        let data = format!("{gtrid}c1:17:4");
        assert_eq!(Xid::parse(1, gtrid.len(), data.as_bytes()), Some(xid));
        assert_eq!(Xid::parse(2, gtrid.len(), data.as_bytes()), None);
        assert_eq!(Xid::parse(1, gtrid.len() - 1, data.as_bytes()), None);
        assert_eq!(Xid::parse(1, 100, data.as_bytes()), None);
    }

    #[test]
    fn names_survive() {
        check("c0", "c0");
        check("exactly-22-characters_", "exactly-22-characters_");
        check("a cluster's name", "~");
        check("a-name-that-is-longer-than-that", "~");
        check("größe", "~");
    }

    #[test]
    fn others_are_left_alone() {
        for data in ["", "margay:", "margay:c0", "margay:c0.01234567:zz", "other:c0"] {
            assert_eq!(Xid::parse(1, data.len(), format!("{data}b").as_bytes()), None, "{data}");
        }
        assert_eq!(Xid::parse(1, 2, &[0xff, 0xfe, 0xfd]), None);
    }
}
