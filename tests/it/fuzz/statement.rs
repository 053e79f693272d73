//! One statement and how its answers are compared.

use super::generator::Generator;
use super::invalid;
use super::scope::Order;
use super::select::Wish;
use super::tree::Node;

#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) tree: Node,
    pub(super) order: Order,
    /// Texts may differ in case, accents and trailing spaces: any of the equal texts may stand for a group.
    pub(super) fold: bool,
    pub(super) pass: Pass,
    /// Tables that it writes to; none if it only reads.
    pub(super) targets: Vec<String>,
    /// A write outside of transactions; others are rolled back.
    pub(super) commits: bool,
}

/// How it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Text,
    Prepared,
    /// With parameters for its literals.
    Bound,
}

impl Statement {
    pub(super) fn random(generator: &mut Generator<'_>) -> Self {
        let pass =
            generator.random.weighted(&[(70, Pass::Text), (12, Pass::Prepared), (18, Pass::Bound)]);
        if generator.random.chance(4) {
            let tree = invalid::statement(generator);
            return Self { pass, ..Self::read(tree, Order::Free, false) };
        }
        let query = generator.query(&Wish::top());
        Self { pass, ..Self::read(query.node, query.order, generator.fold) }
    }

    /// A query, sent as text.
    pub(super) fn read(tree: Node, order: Order, fold: bool) -> Self {
        Self { tree, order, fold, pass: Pass::Text, targets: Vec::new(), commits: false }
    }
}
