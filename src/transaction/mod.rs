//! Transactions over shards.
