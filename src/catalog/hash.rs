//! The hash function of all hash rules, and what is built on it. Rows lie where these functions put
//! them: a change here loses rows, so published values are tested.

use twox_hash::XxHash64;

use super::key::Key;

/// XXH64 of the key's bytes ([`Key::hash_bytes`]); none for `Null`. Rules of shards use seed 0 and rules
/// of physical tables seed 1, so that the same key spreads over both evenly.
pub(super) fn hash(key: &Key, seed: u64) -> Option<u64> {
    key.hash_bytes().map(|bytes| XxHash64::oneshot(seed, &bytes))
}

/// Jump consistent hash (Lamping and Veach, 2014): the bucket of `key` among `count`. One bucket more
/// moves one key in `count`, and only into the new bucket.
pub(super) fn jump(mut key: u64, count: usize) -> usize {
    let (mut bucket, mut next) = (0_u64, 0_u64);
    while next < count as u64 {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let scale = (1_u64 << 31) as f64 / ((key >> 33) + 1) as f64;
        next = ((bucket + 1) as f64 * scale) as u64;
    }
    bucket as usize
}

/// Points on the circle of 64-bit hashes; a key belongs to the next point at or after its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// Sorted by hash; the target as an index.
    points: Vec<(u64, usize)>,
}

impl Ring {
    /// `replicas` points for each name. A point depends on its name alone, so a name more takes keys
    /// from all others and moves none between them.
    pub fn new(names: &[String], replicas: usize) -> Self {
        let mut points: Vec<(u64, &str, usize)> = Vec::with_capacity(names.len() * replicas);
        for (index, name) in names.iter().enumerate() {
            for replica in 0..replicas {
                let point = XxHash64::oneshot(0, format!("{name}#{replica}").as_bytes());
                points.push((point, name, index));
            }
        }
        // Two names at one point: the smaller name wins, in whatever order the rule lists them.
        points.sort_unstable();
        points.dedup_by_key(|(point, _, _)| *point);
        Self { points: points.into_iter().map(|(point, _, index)| (point, index)).collect() }
    }

    pub fn locate(&self, hash: u64) -> Option<usize> {
        let at = self.points.partition_point(|(point, _)| *point < hash);
        self.points.get(at).or_else(|| self.points.first()).map(|(_, index)| *index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // XXH64 of nothing and of "abc", as in the reference implementation.
        assert_eq!(hash(&Key::Bytes(Vec::new()), 0), Some(0xef46_db37_51d8_e999));
        assert_eq!(hash(&Key::Bytes(b"abc".to_vec()), 0), Some(0x44bc_2cf5_ad77_0999));
        assert_eq!(hash(&Key::Null, 0), None);
    }

    #[test]
    fn jump_moves_only_into_the_new_bucket() {
        for key in 0..10_000_u64 {
            let key = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let (before, after) = (jump(key, 7), jump(key, 8));
            assert!(before < 7 && (after == before || after == 7));
        }
        assert_eq!(jump(12345, 1), 0);
    }

    #[test]
    fn ring_does_not_depend_on_order() {
        let names = ["c0/a", "c0/b", "c1/a"].map(String::from);
        let reversed: Vec<String> = names.iter().rev().cloned().collect();
        let (ring, other) = (Ring::new(&names, 160), Ring::new(&reversed, 160));
        for key in 0..1000 {
            let hash = hash(&Key::Int(key), 0).unwrap();
            let name = ring.locate(hash).map(|index| &names[index]);
            assert_eq!(name, other.locate(hash).map(|index| &reversed[index]));
        }
    }
}
