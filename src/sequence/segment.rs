//! Blocks of numbers that a proxy has taken for a table, two of them so that nobody waits for the next.

use std::ops::Range;

/// What is left of the blocks, the older one first.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    current: Range<u64>,
    next: Range<u64>,
    /// Behind all numbers ever taken or seen.
    end: u64,
}

impl Blocks {
    /// Numbers without a gap, greater than all before them. None: a block is needed that has so many.
    pub(super) fn take(&mut self, count: u64) -> Option<Range<u64>> {
        if len(&self.current) < count {
            if len(&self.next) < count {
                return None;
            }
            // What is left of the older block is a gap.
            self.current = std::mem::take(&mut self.next);
        }
        let start = self.current.start;
        self.current.start += count;
        Some(start..start + count)
    }

    /// Whether it is time for another block of `size`.
    pub(super) fn wants_more(&self, size: u64) -> bool {
        len(&self.next) == 0 && len(&self.current) <= size / 2
    }

    /// Adds a block behind the others; a block that has no place any more is a gap.
    pub(super) fn add(&mut self, block: Range<u64>) {
        self.end = self.end.max(block.end);
        if len(&self.current) == 0 {
            self.current = std::mem::take(&mut self.next);
        }
        if len(&self.current) == 0 {
            self.current = block;
        } else if len(&self.next) == 0 {
            self.next = block;
        } else if self.next.end == block.start {
            self.next.end = block.end;
        } else {
            if len(&self.next) > len(&self.current) {
                self.current = std::mem::take(&mut self.next);
            }
            self.next = block;
        }
    }

    /// Gives up all numbers up to `used`, which a row brings with it. False: `used` is behind all blocks, so
    /// other proxies must hear of it.
    pub(super) fn skip(&mut self, used: u64) -> bool {
        let first = used.saturating_add(1);
        for block in [&mut self.current, &mut self.next] {
            block.start = block.start.max(first.min(block.end));
        }
        used < self.end
    }
}

fn len(block: &Range<u64>) -> u64 {
    block.end.saturating_sub(block.start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Event {
        Take(usize, u64),
        Refill(usize),
        Use(usize, u64),
        Crash(usize),
    }

    fn event() -> impl Strategy<Value = Event> {
        let proxy = 0usize..3;
        prop_oneof![
            6 => (proxy.clone(), 1u64..30).prop_map(|(proxy, count)| Event::Take(proxy, count)),
            3 => proxy.clone().prop_map(Event::Refill),
            2 => (proxy.clone(), 1u64..300).prop_map(|(proxy, value)| Event::Use(proxy, value)),
            1 => proxy.prop_map(Event::Crash),
        ]
    }

    proptest! {
        /// Three proxies, one table of blocks, any order: no number twice, rising in each proxy.
        #[test]
        fn no_number_twice(events in prop::collection::vec(event(), 1..200), size in 1u64..20) {
            let mut proxies: Vec<Blocks> = (0..3).map(|_| Blocks::default()).collect();
            let mut last = [0u64; 3];
            let mut table = 1u64;
            let mut seen = std::collections::HashSet::new();
            let mut block = |count: u64, low: u64| {
                let start = table.max(low);
                table = start + count.max(size);
                start..table
            };
            for event in events {
                match event {
                    Event::Take(at, count) => {
                        let blocks = &mut proxies[at];
                        let ids = blocks.take(count).unwrap_or_else(|| {
                            blocks.add(block(count, 0));
                            blocks.take(count).expect("the block has so many")
                        });
                        prop_assert_eq!(len(&ids), count);
                        prop_assert!(ids.start > last[at]);
                        last[at] = ids.end - 1;
                        prop_assert!(ids.into_iter().all(|id| seen.insert(id)));
                    }
                    Event::Refill(at) => {
                        if proxies[at].wants_more(size) {
                            proxies[at].add(block(size, 0));
                        }
                    }
                    Event::Use(at, value) => {
                        if !proxies[at].skip(value) {
                            proxies[at].add(block(size, value + 1));
                        }
                        last[at] = last[at].max(value);
                    }
                    Event::Crash(at) => {
                        proxies[at] = Blocks::default();
                        last[at] = 0;
                    }
                }
            }
        }
    }

    #[test]
    fn the_next_block_is_there_before_it_is_needed() {
        let mut blocks = Blocks::default();
        blocks.add(1..11);
        assert_eq!(blocks.take(4), Some(1..5));
        assert!(!blocks.wants_more(10));
        assert_eq!(blocks.take(1), Some(5..6));
        assert!(blocks.wants_more(10));
        blocks.add(11..21);
        assert!(!blocks.wants_more(10));
        assert_eq!(blocks.take(6), Some(11..17));
        assert_eq!(blocks.take(6), None);
    }
}
