//! The immutable view of the rules: schemas, tables, shards, algorithms.
