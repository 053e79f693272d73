//! Collations and character sets by id and name: those that MySQL 8 and 9 and MariaDB 10.6 share,
//! and MySQL's own.

use mysql_common::collations::{Collation as Entry, CollationId};

/// MySQL's default for utf8mb4.
pub const UTF8MB4_0900_AI_CI: u16 = 255;
/// The utf8mb4 collation that every server knows.
pub const UTF8MB4_GENERAL_CI: u16 = 45;
/// For all that is not text.
pub const BINARY: u16 = 63;

/// MySQL's collations end below this id; MariaDB's own lie above.
const ID_END: u16 = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collation {
    pub id: u16,
    pub name: &'static str,
    pub charset: &'static str,
}

impl Collation {
    /// `None` for ids that only MariaDB knows.
    pub fn by_id(id: u16) -> Option<Self> {
        entry(id.into()).map(Self::from)
    }

    /// By a name in any case. `utf8` stands for `utf8mb3`, as in MySQL.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = normal(name, "utf8_");
        entry(name.as_str().into()).map(Self::from)
    }

    /// What `SET NAMES charset` chooses in MySQL. MariaDB has other defaults for some sets, so a
    /// session that moves between the two should name the collation.
    pub fn default_of(charset: &str) -> Option<Self> {
        let charset = match charset.to_ascii_lowercase().as_str() {
            "utf8" => "utf8mb3".to_owned(),
            other => other.to_owned(),
        };
        let mut entries = (1..ID_END).filter_map(|id| entry(id.into()));
        entries.find(|entry| entry.is_default && entry.charset == charset).map(Self::from)
    }
}

/// Lower case, with the old name of utf8mb3 replaced.
fn normal(name: &str, old: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix(old) {
        Some(rest) => format!("utf8mb3_{rest}"),
        None => name,
    }
}

fn entry(id: CollationId) -> Option<Entry<'static>> {
    (id != CollationId::UNKNOWN_COLLATION_ID).then(|| Entry::resolve(id))
}

impl From<Entry<'static>> for Collation {
    fn from(entry: Entry<'static>) -> Self {
        Self { id: entry.id as u16, name: entry.collation, charset: entry.charset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: u16, name: &str, charset: &str) {
        let found = Collation::by_id(id).unwrap();
        assert_eq!((found.name, found.charset), (name, charset));
        assert_eq!(Collation::by_name(&name.to_uppercase()), Some(found));
    }

    #[test]
    fn collations() {
        check(8, "latin1_swedish_ci", "latin1");
        check(33, "utf8mb3_general_ci", "utf8mb3");
        check(UTF8MB4_GENERAL_CI, "utf8mb4_general_ci", "utf8mb4");
        check(46, "utf8mb4_bin", "utf8mb4");
        check(BINARY, "binary", "binary");
        check(224, "utf8mb4_unicode_ci", "utf8mb4");
        check(UTF8MB4_0900_AI_CI, "utf8mb4_0900_ai_ci", "utf8mb4");
        check(309, "utf8mb4_0900_bin", "utf8mb4");
        check(322, "utf8mb4_mn_cyrl_0900_ai_ci", "utf8mb4");
        for unknown in [0, 17, 2304, u16::MAX] {
            assert_eq!(Collation::by_id(unknown), None);
        }
        assert_eq!(Collation::by_name("utf8mb4_klingon_ci"), None);
    }

    #[test]
    fn old_names_and_defaults() {
        assert_eq!(Collation::by_name("utf8_bin").unwrap().id, 83);
        let check = |charset, id| {
            assert_eq!(Collation::default_of(charset).map(|found| found.id), id, "{charset}");
        };
        check("utf8mb4", Some(255));
        check("UTF8", Some(33));
        check("latin1", Some(8));
        check("binary", Some(63));
        check("gb18030", Some(248));
        check("klingon", None);
    }

    #[test]
    fn every_entry_is_found_by_its_id_and_name() {
        let all: Vec<_> = (0..=u16::MAX).filter_map(Collation::by_id).collect();
        assert!(all.len() > 250 && all.iter().all(|found| found.id < ID_END));
        for found in all {
            assert_eq!(Collation::by_id(found.id), Some(found));
            assert_eq!(Collation::by_name(found.name), Some(found));
        }
    }
}
