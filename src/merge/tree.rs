//! A loser tree: finds the first of many heads with one comparison a level.

/// Inner nodes hold the loser of their match, the root holds the winner of all:
///
/// ```text
///          [0] winner
///           |
///          [1]
///         /   \
///      [2]     [3]
///      / \     / \
///     i0 i1   i2 i3
/// ```
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<usize>,
}

/// No input has come by this node yet.
const EMPTY: usize = usize::MAX;

impl Tree {
    /// Plays all matches between `inputs` heads. `beats(a, b)` tells whether `a` comes before `b`;
    /// it must not hold both ways.
    pub(super) fn new(inputs: usize, beats: impl Fn(usize, usize) -> bool) -> Self {
        let mut tree = Self { nodes: vec![EMPTY; inputs] };
        for input in 0..inputs {
            tree.play(input, &beats);
        }
        tree
    }

    /// The input whose head comes first.
    pub(super) fn winner(&self) -> Option<usize> {
        self.nodes.first().copied()
    }

    /// The winner's head has changed: its way up is played again.
    pub(super) fn replay(&mut self, beats: impl Fn(usize, usize) -> bool) {
        if let Some(winner) = self.winner() {
            self.play(winner, &beats);
        }
    }

    fn play(&mut self, input: usize, beats: &impl Fn(usize, usize) -> bool) {
        let mut winner = input;
        let mut at = (self.nodes.len() + input) / 2;
        while at > 0 {
            let loser = self.nodes[at];
            if loser == EMPTY {
                self.nodes[at] = winner;
                return;
            }
            if beats(loser, winner) {
                self.nodes[at] = winner;
                winner = loser;
            }
            at /= 2;
        }
        self.nodes[0] = winner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(heads: &[u32]) {
        let mut heads = heads.to_vec();
        let beats = |heads: &[u32], a: usize, b: usize| (heads[a], a) < (heads[b], b);
        let mut tree = Tree::new(heads.len(), |a, b| beats(&heads, a, b));
        for _ in 0..3 * heads.len() {
            let winner = tree.winner().unwrap();
            let first = (0..heads.len()).min_by_key(|&at| (heads[at], at)).unwrap();
            assert_eq!(winner, first, "{heads:?}");
            heads[winner] += 2;
            tree.replay(|a, b| beats(&heads, a, b));
        }
    }

    #[test]
    fn the_first_head_wins() {
        check(&[7]);
        check(&[2, 1]);
        check(&[3, 3, 3]);
        check(&[5, 4, 3, 2, 1, 0, 9]);
        check(&[1, 8, 1, 8, 1, 8, 1, 8, 2]);
        assert_eq!(Tree::new(0, |_, _| false).winner(), None);
    }
}
