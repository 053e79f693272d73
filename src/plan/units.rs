//! Which uses of sharded tables are proven to lie together, and what is known of their keys.
//!
//! A use *follows* another if its rows matter only beside rows of the other with an equal key: then
//! they are on the same shard. A conjunct `a.k = b.k` that filters a nest makes the uses inside that
//! nest follow; a preserved table outside of it does not follow, as its rows stay without a partner.

use std::collections::{BTreeMap, BTreeSet};

use super::condition;
use super::facts::ColumnClass;
use super::model::{Analysis, Atom, NestId, NestKind, UseId};
use super::types::{Condition, Unit};
use crate::catalog::Sharded;

/// Uses that lie together.
#[derive(Debug)]
pub(super) struct Group {
    /// The uses that follow each other in both directions; the others follow them.
    pub roots: Vec<UseId>,
    pub members: Vec<UseId>,
}

impl Analysis<'_> {
    pub(super) fn sharded(&self, table: UseId) -> Option<&Sharded> {
        self.uses.get(table)?.table.sharded()
    }

    pub(super) fn key_atom(&self, table: UseId) -> Option<Atom> {
        self.atom_of(table, &self.sharded(table)?.key)
    }

    pub(super) fn part_atom(&self, table: UseId) -> Option<Atom> {
        self.atom_of(table, &self.sharded(table)?.parts.as_ref()?.key)
    }

    /// Rows of the nest that are equal in these columns are on one shard, in one physical table.
    pub(super) fn hold_a_place(&self, columns: &[Atom], nest: NestId) -> bool {
        let nest = self.canonical(nest);
        self.uses.iter().enumerate().any(|(id, found)| {
            let Some(sharded) = self.sharded(id) else { return false };
            let held = |atom: Option<Atom>| atom.is_some_and(|atom| columns.contains(&atom));
            self.canonical(found.nest) == nest
                && held(self.key_atom(id))
                && (sharded.parts.is_none() || held(self.part_atom(id)))
        })
    }

    /// All uses of sharded tables, by where they lie.
    pub(super) fn groups(&self) -> Vec<Group> {
        let graph = Graph::new(self);
        let sharded: Vec<UseId> =
            (0..self.uses.len()).filter(|id| self.sharded(*id).is_some()).collect();
        let follows = |a: UseId, b: UseId| a == b || graph.follows(a, b);
        let mut groups: Vec<Group> = Vec::new();
        for &id in &sharded {
            let is_root = sharded.iter().all(|other| !follows(id, *other) || follows(*other, id));
            if !is_root {
                continue;
            }
            let beside = |group: &&mut Group| group.roots.iter().any(|root| follows(id, *root));
            match groups.iter_mut().find(beside) {
                Some(group) => group.roots.push(id),
                None => groups.push(Group { roots: vec![id], members: Vec::new() }),
            }
        }
        for &id in &sharded {
            let around = |group: &&mut Group| group.roots.iter().any(|root| follows(id, *root));
            if let Some(group) = groups.iter_mut().find(around) {
                group.members.push(id);
            }
        }
        groups
    }

    /// What is known of the keys of a group.
    pub(super) fn unit(&self, group: &Group) -> Option<Unit> {
        let graph = Graph::new(self);
        let root = *group.roots.first()?;
        let key = self.key_atom(root)?;
        let part = self.part_atom(root);
        let keys = group.roots.iter().filter_map(|id| self.key_atom(*id));
        let parts = group.roots.iter().filter_map(|id| self.part_atom(*id));
        Some(Unit {
            table: std::sync::Arc::clone(&self.uses.get(root)?.table),
            key_class: self.class(key)?.clone(),
            condition: self.known(&graph.reached(keys)),
            part_class: part.and_then(|part| self.class(part)).cloned(),
            part_condition: self.known(&graph.reached(parts)),
        })
    }

    /// What all filters say of columns that are equal to each other.
    fn known(&self, atoms: &BTreeSet<Atom>) -> Condition {
        let mut all = Vec::new();
        for &atom in atoms {
            let Some(nest) = self.uses.get(atom.table).map(|found| found.nest) else { continue };
            for filter in &self.filters {
                if !self.within(nest, filter.nest) {
                    continue;
                }
                let is_key = |expr: &_| self.atom(filter.instance, expr) == Some(atom);
                let reading = condition::Known {
                    key: &is_key,
                    text: self.text,
                    variables: !self.assigns_variables,
                };
                let mut known = condition::of(filter.expr, &reading);
                if self.canonical(nest) != self.canonical(filter.nest) {
                    // The row may be missing, with NULL in its place.
                    known = condition::null_rejecting(known);
                }
                all.push(known);
            }
        }
        condition::and(all)
    }

    /// Why a group does not lie in the outermost block's rows, if so.
    pub(super) fn detached(&self, group: &Group) -> Option<(UseId, NestKind)> {
        let nest = |id: &UseId| self.uses.get(*id).map(|found| self.canonical(found.nest));
        if group.roots.iter().any(|id| nest(id) == Some(0)) {
            return None;
        }
        let root = *group.roots.first()?;
        let kind = self.nests.get(nest(&root)?)?.kind;
        Some((root, kind))
    }
}

/// Which columns equal which, as far as rows matter.
struct Graph<'x, 'a> {
    found: &'x Analysis<'a>,
    edges: BTreeMap<Atom, Vec<Atom>>,
}

impl<'x, 'a> Graph<'x, 'a> {
    fn new(found: &'x Analysis<'a>) -> Self {
        let mut edges: BTreeMap<Atom, Vec<Atom>> = BTreeMap::new();
        for equality in &found.equalities {
            let (left, right) = (equality.left, equality.right);
            let (Some(one), Some(other)) = (found.class(left), found.class(right)) else {
                continue;
            };
            if !same_values(one, other) {
                continue;
            }
            let inside = |atom: Atom| {
                found.uses.get(atom.table).is_some_and(|at| found.within(at.nest, equality.nest))
            };
            if inside(left) {
                edges.entry(left).or_default().push(right);
            }
            if inside(right) {
                edges.entry(right).or_default().push(left);
            }
        }
        Self { found, edges }
    }

    /// The columns whose values rows must share, the given ones included.
    fn reached(&self, from: impl IntoIterator<Item = Atom>) -> BTreeSet<Atom> {
        let mut reached: BTreeSet<Atom> = from.into_iter().collect();
        let mut open: Vec<Atom> = reached.iter().copied().collect();
        while let Some(atom) = open.pop() {
            for &next in self.edges.get(&atom).into_iter().flatten() {
                if reached.insert(next) {
                    open.push(next);
                }
            }
        }
        reached
    }

    fn equals(&self, from: Option<Atom>, to: Option<Atom>) -> bool {
        let (Some(from), Some(to)) = (from, to) else { return false };
        self.reached([from]).contains(&to)
    }

    /// Rows of `a` matter only beside rows of `b` on the same shard, in the same physical table.
    fn follows(&self, a: UseId, b: UseId) -> bool {
        let found = self.found;
        let (Some(first), Some(second)) = (found.sharded(a), found.sharded(b)) else {
            return false;
        };
        if !first.colocated_with(second) || !self.equals(found.key_atom(a), found.key_atom(b)) {
            return false;
        }
        match (&first.parts, &second.parts) {
            (None, None) => true,
            (None, Some(_)) | (Some(_), None) => false,
            (Some(_), Some(_)) => {
                let same = found.uses.get(a).map(|at| &at.id) == found.uses.get(b).map(|at| &at.id);
                let parts = self.equals(found.part_atom(a), found.part_atom(b));
                first.parts_aligned_with(second) || (same && parts)
            }
        }
    }
}

/// Values of two columns that are equal to MySQL are equal keys.
fn same_values(a: &ColumnClass, b: &ColumnClass) -> bool {
    use ColumnClass::{Date, DateTime, Decimal, Integer, Text};
    match (a, b) {
        (Integer { .. } | Decimal { .. }, Integer { .. } | Decimal { .. })
        | (Date | DateTime { .. }, Date | DateTime { .. }) => true,
        (Text { collation: one, .. }, Text { collation: other, .. }) => one == other,
        _ => a == b,
    }
}
