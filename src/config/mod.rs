//! YAML shapes to a checked configuration.
//!
//! Rule files are read into one tree that knows the places of all values ([`node`]), the tree into
//! [`shape`]s, and [`check`] turns shapes into the plain values of [`model`]. Each step reports every
//! mistake that it finds and goes on.

pub mod amount;
mod check;
pub mod decimal;
mod env;
mod expand;
mod model;
mod node;
mod problem;
mod shape;
mod source;
pub mod suffix;
#[cfg(test)]
mod tests;
pub mod unit;

use std::path::Path;

pub use amount::Size;
pub use decimal::Decimal;
pub use env::Lookup;
pub use model::{
    Algorithm, Cluster, Compression, Config, Grants, IdRule, Parts, PartsKind, Replica, Rule,
    Schema, Settings, ShardName, Sharded, Table, TimeParts, User,
};
pub use problem::{Place, Problem};
pub use shape::{
    Address, Backend, Combine, Generator, Health, Ids, Limits, Reads, Secret, Tls, TlsMode,
    Transactions, UserTls,
};
pub use source::Source;
pub use suffix::Suffix;
pub use unit::Unit;

use problem::Problems;
use shape::Shape as _;

/// A configuration and what in it is hardly meant, or everything that is wrong.
pub type Checked = Result<(Config, Vec<Problem>), Vec<Problem>>;

/// Reads and checks a rule file or a directory of rule files.
pub fn load(path: &Path, env: Lookup<'_>) -> Checked {
    let mut problems = Problems::default();
    let sources = source::read(path, &mut problems);
    check_sources(&sources, env, problems)
}

/// Checks rule files that are already read.
pub fn parse(sources: &[Source], env: Lookup<'_>) -> Checked {
    check_sources(sources, env, Problems::default())
}

fn check_sources(sources: &[Source], env: Lookup<'_>, mut problems: Problems) -> Checked {
    let readable = problems.none();
    let (tree, complete) = source::merge(sources, env, &mut problems);
    let root = shape::Root::read(&tree, &mut problems);
    // Half of the rules would only make more problems: names that the other half defines.
    let root = root.filter(|_| readable && complete);
    let config = root.map(|root| check::check(root, &tree.place, &mut problems));
    problems.finish(config)
}

/// The reference of all keys of rule files, as Markdown.
pub fn reference() -> String {
    shape::docs::reference()
}

/// The JSON Schema of rule files.
pub fn json_schema() -> serde_json::Value {
    shape::schema::schema()
}
