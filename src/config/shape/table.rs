//! Schemas, tables, and the algorithms that spread rows.

use std::time::Duration;

use super::{Literal, Map, Patterns, Reads, choice, shape, tagged};
use crate::config::node::Located;

shape! {
    /// What applications see as one database.
    pub(in crate::config) struct Schema {
        /// Where every table lives that is not named here: a shard, such as `c0/shop`.
        default_shard: Located<String>,
        /// What reads on replicas may miss; without it, as the top level says.
        reads: Option<Reads>,
        /// The tables, by name.
        tables: Map<Located<Table>>,
    }
}

shape! {
    /// A table: `single`, `broadcast`, `shards`, or `colocated_with`.
    pub(in crate::config) struct Table {
        /// The one shard that holds all rows.
        single: Option<Located<String>>,
        /// Shards that each hold a full copy: a pattern, or a list of patterns.
        broadcast: Option<Located<Patterns>>,
        /// Shards that the rows are spread over: a pattern, or a list of patterns. The algorithm counts
        /// them in this order.
        shards: Option<Located<Patterns>>,
        /// The sharded table whose rows this table's rows follow: equal keys lie on one shard.
        colocated_with: Option<Located<String>>,
        /// The column that decides the shard.
        key: Option<Located<String>>,
        /// From the value of the key to the shard.
        algorithm: Option<Located<Algorithm>>,
        /// Physical tables inside each shard, by a second rule.
        tables: Option<Located<Parts>>,
        /// The column that gets a generated number, unique over all shards, where an INSERT gives none.
        id: Option<Located<Id>>,
    }
}

shape! {
    /// Generated ids. A row gets one if the column is left out, or given as `DEFAULT`, `NULL` or `0`, as
    /// MySQL does it for AUTO_INCREMENT; the column need not be declared so.
    pub(in crate::config) struct Id {
        /// The column, of an integer type.
        column: Located<String>,
        /// Who makes the numbers. `auto` is `snowflake` where the column is BIGINT, else `segment`.
        generator: Generator = "auto",
    }
}

choice! {
    /// Who makes the ids of new rows.
    pub enum Generator {
        /// The one that fits the type of the column: `snowflake` where it is BIGINT, else `segment`.
        Auto = "auto",
        /// From the time, a number of the proxy and a count: 63 bits, roughly in the order of time.
        Snowflake = "snowflake",
        /// Counted from 1 on, in blocks that each proxy takes from a table on a server.
        Segment = "segment",
    }
}

shape! {
    /// Physical tables inside each shard.
    pub(in crate::config) struct Parts {
        /// The physical tables: a pattern such as `comments_{0..3}`, or a list of patterns. The algorithm
        /// `time` makes its own names.
        names: Option<Located<Patterns>>,
        /// The column that decides the physical table. It may be the sharding key.
        key: Located<String>,
        /// From the value of the key to the physical table.
        algorithm: Located<Algorithm>,
    }
}

tagged! {
    /// From a value to a shard or to a physical table.
    pub(in crate::config) enum Algorithm as "algorithm" {
        Modulo(Modulo) = "modulo",
        Hash(Hash) = "hash",
        ConsistentHash(ConsistentHash) = "consistent_hash",
        JumpHash(JumpHash) = "jump_hash",
        Range(Range) = "range",
        List(List) = "list",
        Time(Box<Periods>) = "time",
    }
}

/// Where values go that no target takes: a target's name, or `reject`.
pub(in crate::config) type Outside = Option<Located<String>>;

shape! {
    /// The remainder of a whole number: value `n` goes to target `n mod count`, and -1 to the last.
    pub(in crate::config) struct Modulo {
        /// How many targets there are. Only a check: it must be the number of shards or physical tables.
        count: Option<Located<u32>>,
        /// Where `NULL` goes: a target, or `reject`, which is the default.
        null: Outside,
    }
}

shape! {
    /// XXH64 of the value, modulo the number of targets. Even for every kind of key; a target more moves most rows.
    pub(in crate::config) struct Hash {
        /// Where `NULL` goes: a target, or `reject`, which is the default.
        null: Outside,
    }
}

shape! {
    /// XXH64 of the value on a ring of target names: a target more, wherever it is listed, takes an
    /// even part of the rows from all others and moves no other row.
    pub(in crate::config) struct ConsistentHash {
        /// Points of each target on the ring. More are more even and need more memory.
        replicas: u16 = "160",
        /// Where `NULL` goes: a target, or `reject`, which is the default.
        null: Outside,
    }
}

shape! {
    /// Jump consistent hash of XXH64 of the value: as even as `hash`; a target more, listed last,
    /// moves only the rows that it takes.
    pub(in crate::config) struct JumpHash {
        /// Where `NULL` goes: a target, or `reject`, which is the default.
        null: Outside,
    }
}

shape! {
    /// Spans of numbers, moments or strings, in rising order.
    pub(in crate::config) struct Range {
        /// The spans. Each takes the values below its bound that no span before it takes.
        ranges: Vec<Located<RangeSpan>>,
        /// Where values at or above the last bound go: a target, or `reject`, which is the default.
        default: Outside,
        /// Where `NULL` goes: a target, or `reject`, which is the default.
        null: Outside,
    }
}

shape! {
    /// A span of values.
    pub(in crate::config) struct RangeSpan {
        /// The first value after the span. The last span may leave it out: it takes all the rest.
        below: Option<Located<Literal>>,
        /// The shard or the physical table.
        to: Located<String>,
    }
}

shape! {
    /// Values by name.
    pub(in crate::config) struct List {
        /// The values of each target: `{c0/shop: [1, 2], c1/shop: [eu]}`.
        values: Map<Vec<Located<Literal>>>,
        /// Where all other values go: a target, or `reject`, which is the default.
        default: Outside,
        /// Where `NULL` goes: a target, or `reject`, which is the default.
        null: Outside,
    }
}

shape! {
    /// Periods of time. Over shards, the n-th period from `from` goes to the n-th shard. Over physical
    /// tables, each period has a table, which is created ahead of time and dropped when it is old.
    pub(in crate::config) struct Periods {
        /// `year`, `month`, `week`, `day` or `hour`.
        unit: Located<String>,
        /// The first period: a moment in it, such as `2024-01-01`. Shards need it.
        from: Option<Located<String>>,
        /// Physical tables only: the first moment that has no period any more.
        to: Option<Located<String>>,
        /// Physical tables only: what a name ends with, such as `_%Y%m%d%H`. Fields are `%Y` `%m` `%d` `%j`
        /// `%H`, and `%G` `%V` for weeks.
        suffix: Option<Located<String>>,
        /// Physical tables only: how long before its start a table is created.
        create_ahead: Option<Located<Duration>>,
        /// Physical tables only: how long after its end a table is dropped; without it, never.
        keep: Option<Located<Duration>>,
        /// Where moments outside all periods go: a target, or `reject`, which is the default.
        default: Outside,
        /// Where `NULL` goes: a target, or `reject`, which is the default.
        null: Outside,
    }
}
