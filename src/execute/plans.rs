//! Plans of statements by their shapes.
//!
//! They belong to a snapshot, so new rules begin without any. What a plan was made of beside the rules
//! is what is known of tables and views: a plan counts only while that is unchanged and believed.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use tokio::time::Instant;

use super::facts::FactCache;
use crate::plan::known::Known;
use crate::sql::Mode;
use crate::sql::shape::Shape;

/// Longer texts are planned each time.
pub const TEXT_MAX: usize = 16 << 10;
/// Bytes of memory that a place without a plan takes, about.
const PLACE: u64 = 64;

/// The plans of a snapshot.
pub struct Plans {
    /// By the hashes of shapes. None: the cache is off.
    places: Option<Cache<u64, Place, Weight, Hashed>>,
    seed: u64,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What is known of a shape.
#[derive(Clone)]
enum Place {
    /// A statement of the shape has run. What comes only once is not worth a plan of its own.
    Seen,
    /// Its statements are planned one by one, as far as was known in this generation.
    Never(u64),
    Plan(Arc<Kept>),
}

/// A plan and how long it counts.
pub struct Kept {
    pub known: Known,
    /// It may run with any schema and variables, so nobody waits until they are set.
    pub harmless: bool,
    /// Schemas that a user must have the right to.
    pub schemas: Box<[String]>,
    /// The generation of what is known, and until when that is believed.
    pub generation: u64,
    pub until: Option<Instant>,
}

/// What there is for a statement.
pub enum Look {
    /// Its plan.
    Kept(Arc<Kept>),
    /// No plan yet; it is time to keep one.
    Seen,
    /// Nothing.
    Nothing,
}

/// Takes hashes as they are.
#[derive(Clone, Copy)]
struct Hashed;

struct TakesHash(u64);

impl BuildHasher for Hashed {
    type Hasher = TakesHash;

    fn build_hasher(&self) -> TakesHash {
        TakesHash(0)
    }
}

impl Hasher for TakesHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only for completeness: the keys are whole numbers.
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = self.0.rotate_left(5) ^ hash;
    }
}

#[derive(Clone, Copy)]
struct Weight;

impl Weighter<u64, Place> for Weight {
    fn weight(&self, _: &u64, place: &Place) -> u64 {
        match place {
            Place::Seen | Place::Never(_) => PLACE,
            Place::Plan(kept) => kept.known.size() as u64,
        }
    }
}

impl Plans {
    /// `bytes` of memory; 0: no plan is kept.
    pub fn new(bytes: u64) -> Self {
        /// What plans mostly take, for the first size of the table.
        const USUAL: u64 = 8 << 10;
        let count = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX).min(1 << 16);
        Self {
            places: (bytes > 0)
                .then(|| Cache::with(count, bytes, Weight, Hashed, DefaultLifecycle::default())),
            seed: RandomState::new().hash_one(count),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// What goes into the hashes of shapes. None: the cache is off.
    pub fn seed(&self) -> Option<u64> {
        self.places.is_some().then_some(self.seed)
    }

    /// Looks for the plan of a statement of this shape.
    pub fn look(
        &self,
        text: &[u8],
        shape: &Shape,
        (schema, mode): (Option<&str>, Mode),
        facts: &FactCache,
    ) -> Look {
        let Some(places) = &self.places else { return Look::Nothing };
        let generation = facts.generation();
        let look = match places.get(&shape.hash) {
            Some(Place::Plan(kept)) if kept.counts(generation) => {
                match kept.known.fits(text, &shape.slots, schema, mode) {
                    true => Look::Kept(kept),
                    false => Look::Nothing,
                }
            }
            Some(Place::Never(then)) if then == generation => Look::Nothing,
            Some(Place::Plan(_) | Place::Never(_) | Place::Seen) => Look::Seen,
            None => {
                places.insert(shape.hash, Place::Seen);
                Look::Nothing
            }
        };
        let count = if matches!(look, Look::Kept(_)) { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
        look
    }

    /// Keeps a plan for the shape. None: its statements are to be planned one by one.
    pub fn keep(&self, shape: &Shape, generation: u64, kept: Option<Kept>) {
        let Some(places) = &self.places else { return };
        let place = match kept {
            Some(kept) => Place::Plan(Arc::new(kept)),
            None => Place::Never(generation),
        };
        places.insert(shape.hash, place);
    }

    /// Statements that ran by a plan that was there.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Statements that could have had one.
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }
}

impl Kept {
    fn counts(&self, generation: u64) -> bool {
        self.generation == generation && self.until.is_none_or(|until| Instant::now() < until)
    }
}
