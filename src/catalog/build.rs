//! From the checked configuration to the catalog.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::algorithm::{Algorithm, List, Periods, RangeSpan, Ranges, Rule};
use super::hash::Ring;
use super::literal::Literal;
use super::parts::{Parts, PartsKind, TimeParts};
use super::shard::{Shard, ShardId};
use super::table::{Sharded, Table, TableKind};
use super::{Catalog, Schema};
use crate::config::{self, Config, ShardName};
use crate::error::{Error, ErrorKind, Result};

/// Hashes of shards and of physical tables must not go together, or some tables would stay empty.
const SHARD_SEED: u64 = 0;
const PART_SEED: u64 = 1;

impl Catalog {
    /// # Errors
    /// [`ErrorKind::Config`] if there are more shards than ids.
    pub fn new(config: &Config) -> Result<Self> {
        let mut builder = Builder::default();
        let mut schemas = BTreeMap::new();
        for (name, schema) in &config.schemas {
            schemas.insert(name.clone(), builder.schema(schema)?);
        }
        Ok(Self { shards: builder.shards, schemas })
    }
}

#[derive(Default)]
struct Builder {
    shards: Vec<Shard>,
    ids: HashMap<ShardName, ShardId>,
    /// The shards and algorithm of each group.
    groups: Vec<(Vec<ShardId>, Algorithm)>,
}

impl Builder {
    fn schema(&mut self, schema: &config::Schema) -> Result<Schema> {
        let default_shard = self.shard(&schema.default_shard)?;
        let mut tables = BTreeMap::new();
        for (name, table) in &schema.tables {
            let kind = match table {
                config::Table::Single { shard } => TableKind::Single { shard: self.shard(shard)? },
                config::Table::Broadcast { shards } => {
                    TableKind::Broadcast { shards: self.shards(shards)? }
                }
                config::Table::Sharded(sharded) => {
                    TableKind::Sharded(Box::new(self.sharded(sharded)?))
                }
            };
            let table = Table { name: name.clone(), schema: schema.name.clone(), kind };
            tables.insert(name.clone(), Arc::new(table));
        }
        Ok(Schema { name: schema.name.clone(), default_shard, tables })
    }

    fn sharded(&mut self, sharded: &config::Sharded) -> Result<Sharded> {
        let names: Vec<String> = sharded.shards.iter().map(|shard| shard.name.clone()).collect();
        let shards = self.shards(&sharded.shards)?;
        let algorithm = algorithm(&sharded.algorithm, &names, SHARD_SEED);
        let group = self.group(&shards, &algorithm);
        let parts = sharded.parts.as_ref().map(parts);
        let id = sharded.id.clone();
        Ok(Sharded { key: sharded.key.clone(), shards, algorithm, parts, id, group })
    }

    fn shards(&mut self, names: &[ShardName]) -> Result<Vec<ShardId>> {
        names.iter().map(|name| self.shard(name)).collect()
    }

    fn shard(&mut self, name: &ShardName) -> Result<ShardId> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let id = u16::try_from(self.shards.len()).map(ShardId).map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "the rules name more than 65536 shards; use fewer databases",
            )
        })?;
        let ShardName { name: full, cluster, database } = name.clone();
        self.shards.push(Shard { name: full, cluster, database });
        self.ids.insert(name.clone(), id);
        Ok(id)
    }

    fn group(&mut self, shards: &[ShardId], algorithm: &Algorithm) -> usize {
        let same = |(known, rule): &(Vec<ShardId>, Algorithm)| known == shards && rule == algorithm;
        if let Some(group) = self.groups.iter().position(same) {
            return group;
        }
        self.groups.push((shards.to_vec(), algorithm.clone()));
        self.groups.len() - 1
    }
}

fn parts(parts: &config::Parts) -> Parts {
    let kind = match &parts.kind {
        config::PartsKind::Fixed { names, algorithm: rule } => {
            let algorithm = algorithm(rule, names, PART_SEED);
            PartsKind::Fixed { names: names.clone(), algorithm }
        }
        config::PartsKind::Time(time) => PartsKind::Time(TimeParts {
            suffix: time.suffix.clone(),
            from: time.from,
            to: time.to,
            create_ahead: time.create_ahead,
            keep: time.keep,
            default: time.default.clone(),
            null: time.null.clone(),
        }),
    };
    Parts { key: parts.key.clone(), kind }
}

fn algorithm(algorithm: &config::Algorithm, names: &[String], seed: u64) -> Algorithm {
    let rule = match &algorithm.rule {
        config::Rule::Modulo => Rule::Modulo,
        config::Rule::Hash => Rule::Hash { seed },
        config::Rule::JumpHash => Rule::Jump { seed },
        config::Rule::ConsistentHash { replicas } => {
            Rule::Consistent { ring: Ring::new(names, (*replicas).into()), seed }
        }
        config::Rule::Range { spans, default } => {
            let span = |(below, target): &(Option<String>, usize)| RangeSpan {
                below: below.as_deref().map(Literal::new),
                target: *target,
            };
            Rule::Range(Ranges { spans: spans.iter().map(span).collect(), default: *default })
        }
        config::Rule::List { entries, default } => {
            let entry = |(text, target): &(String, usize)| (Literal::new(text), *target);
            Rule::List(List::new(entries.iter().map(entry).collect(), *default))
        }
        config::Rule::Time { unit, from, default } => {
            Rule::Time(Periods { unit: *unit, from: *from, default: *default })
        }
    };
    Algorithm { rule, targets: names.len(), null: algorithm.null }
}
