//! Types of columns: their definitions, and values at their edges.

use crate::differential::case::Dialect;

use super::class::{Class, Collation};
use super::random::Random;

/// A type of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Columns of this type are called so.
    pub(super) name: &'static str,
    pub(super) class: Class,
    pub(super) collation: Collation,
    /// Equal values are the same in every respect.
    pub(super) exact: bool,
    definition: &'static str,
    values: &'static [&'static str],
}

const fn kind(
    name: &'static str,
    class: Class,
    definition: &'static str,
    values: &'static [&'static str],
) -> Kind {
    Kind { name, class, collation: Collation::Any, exact: true, definition, values }
}

const fn text(name: &'static str, collation: Collation, definition: &'static str) -> Kind {
    Kind { name, class: Class::Text, collation, exact: false, definition, values: &WORDS }
}

/// Variants of case, accent and trailing space.
const WORDS: [&str; 18] = [
    "''", "'a'", "'A'", "'a '", "'abc'", "'ABC'", "'Abc '", "'b'", "'é'", "'E'", "'e'", "'zebra'",
    "'10'", "'9'", "'x_y%'", "'it''s'", "' '", "'ß'",
];
/// Of these, no two are equal in any collation.
const PLAIN_WORDS: [&str; 12] = [
    "''", "'a'", "'abc'", "'b'", "'zebra'", "'10'", "'9'", "'x_y%'", "'it''s'", "'日本'", "'mm'",
    "'😀'",
];

pub(super) const KINDS: [Kind; 30] = [
    kind("tiny", Class::Int, "TINYINT", &["127", "-128", "0", "1", "2", "3"]),
    kind("tinyu", Class::Wide, "TINYINT UNSIGNED", &["255", "0", "1", "2", "128"]),
    kind("small", Class::Int, "SMALLINT", &["32767", "-32768", "0", "1", "5", "5"]),
    kind("smallu", Class::Wide, "SMALLINT UNSIGNED", &["65535", "0", "7", "1"]),
    kind("med", Class::Int, "MEDIUMINT", &["8388607", "-8388608", "0", "1", "12"]),
    kind("num", Class::Int, "INT", &["2147483647", "-2147483648", "0", "1", "2", "3", "10", "20"]),
    kind("few", Class::Int, "INT", &["0", "1", "2", "3"]),
    kind("numu", Class::Wide, "INT UNSIGNED", &["4294967295", "0", "1", "2147483648"]),
    kind(
        "bigs",
        Class::Wide,
        "BIGINT",
        &["9223372036854775807", "-9223372036854775808", "0", "1", "-1", "1000000"],
    ),
    kind(
        "bigu",
        Class::Wide,
        "BIGINT UNSIGNED",
        &["18446744073709551615", "9223372036854775808", "0", "1", "2"],
    ),
    kind(
        "money",
        Class::Decimal,
        "DECIMAL(10,2)",
        &["99999999.99", "-99999999.99", "0.00", "1.10", "5.55", "5.55", "-0.05", "10"],
    ),
    kind("ratio", Class::Decimal, "DECIMAL(20,10)", &["0.0000000001", "1.1", "-3.3333333333", "0"]),
    kind("flt", Class::Double, "FLOAT", &["0.25", "-1.5", "0", "2.5", "16", "2.5"]),
    kind("dbl", Class::Double, "DOUBLE", &["0.25", "-1.25", "0", "1000000.5", "2.5", "4"]),
    kind("bits", Class::Bits, "BIT(10)", &["b'1111111111'", "b'0'", "b'101'", "b'1'"]),
    kind("flag", Class::Int, "BOOLEAN", &["TRUE", "FALSE"]),
    kind(
        "date",
        Class::Date,
        "DATE",
        &["'2024-02-29'", "'2023-12-31'", "'2024-01-15'", "'2024-03-01'", "'1999-01-01'"],
    ),
    kind(
        "span",
        Class::Time,
        "TIME(3)",
        &["'00:00:00.001'", "'10:00:00'", "'-01:00:00'", "'100:00:00'", "'23:59:59.999'"],
    ),
    kind(
        "at",
        Class::Moment,
        "DATETIME",
        &["'2024-02-29 12:34:56'", "'2024-01-15 00:00:00'", "'2023-12-31 23:59:59'"],
    ),
    kind(
        "exactly",
        Class::Moment,
        "DATETIME(6)",
        &["'2024-02-29 12:34:56.000001'", "'2024-01-15 00:00:00'", "'2024-03-01 01:02:03.5'"],
    ),
    kind(
        "stamp",
        Class::Moment,
        "TIMESTAMP",
        &["'2024-02-29 12:34:56'", "'2038-01-18 03:14:07'", "'1970-01-03 00:00:01'"],
    ),
    kind("year", Class::Wide, "YEAR", &["2024", "1999", "2155", "1901"]),
    text("chr", Collation::General, "CHAR(10) COLLATE utf8mb4_general_ci"),
    text("name", Collation::General, "VARCHAR(50) COLLATE utf8mb4_general_ci"),
    text("title", Collation::Unicode, "VARCHAR(50) COLLATE {ai_ci}"),
    text("latin", Collation::Binary, "VARCHAR(50) CHARACTER SET latin1"),
    Kind {
        values: &PLAIN_WORDS,
        exact: true,
        ..text("word", Collation::Binary, "VARCHAR(50) COLLATE utf8mb4_bin")
    },
    kind("bin", Class::Bytes, "VARBINARY(20)", &["x'00FF'", "'ab'", "''", "'ab '", "x'FFFE'"]),
    kind(
        "json",
        Class::Json,
        "JSON",
        &[
            "'{\"a\": 1, \"b\": [1, 2, {\"c\": null}]}'",
            "'[1, 2, 3]'",
            "'\"text\"'",
            "'1.5'",
            "'null'",
            "'{}'",
        ],
    ),
    kind("fixed", Class::Bytes, "BINARY(4)", &["x'00010203'", "'ab'", "'zzzz'", "''"]),
];

pub(super) const MORE: [Kind; 3] = [
    text("note", Collation::General, "TEXT COLLATE utf8mb4_general_ci"),
    Kind {
        collation: Collation::Unicode,
        ..kind(
            "animal",
            Class::Text,
            "ENUM('zebra','yak','xerus') COLLATE {ai_ci}",
            &["'zebra'", "'yak'", "'xerus'"],
        )
    },
    Kind {
        collation: Collation::Unicode,
        ..kind(
            "marks",
            Class::Text,
            "SET('a','b','c') COLLATE {ai_ci}",
            &["'a,b,c'", "''", "'a'", "'b,c'"],
        )
    },
];

/// Columns that every table has, and keys of shards.
pub(super) const ID: Kind = kind("id", Class::Int, "INT", &["0"]);
pub(super) const REF: Kind = kind("ref", Class::Int, "INT", &["0"]);
pub(super) const GRP: Kind = kind("grp", Class::Int, "SMALLINT", &["0", "1", "2", "3", "4"]);
pub(super) const DAY: Kind = kind(
    "day",
    Class::Date,
    "DATE",
    &[
        "'2024-01-01'",
        "'2024-01-31'",
        "'2024-02-29'",
        "'2024-03-01'",
        "'2024-04-30'",
        "'2024-02-01'",
    ],
);
pub(super) const CODE: Kind = text("code", Collation::Unicode, "VARCHAR(20) COLLATE {ai_ci}");
pub(super) const TAG: Kind = Kind {
    values: &PLAIN_WORDS,
    exact: true,
    ..text("tag", Collation::Binary, "VARCHAR(20) COLLATE utf8mb4_bin")
};
pub(super) const BIG: Kind = kind(
    "big",
    Class::Wide,
    "BIGINT",
    &[
        "9223372036854775807",
        "-9223372036854775808",
        "0",
        "1",
        "-1",
        "1000000",
        "77",
        "12345678901",
    ],
);

impl Kind {
    pub(super) fn definition(&self, dialect: Dialect) -> String {
        self.definition.replace("{ai_ci}", dialect.collation())
    }

    pub(super) fn value(&self, random: &mut Random) -> String {
        (*random.pick(self.values)).to_owned()
    }
}
