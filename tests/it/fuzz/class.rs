//! Classes of values: what may be compared with what, and put in each other's place.

use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Whole numbers small enough to calculate with.
    Int,
    /// Whole numbers up to the edges of 64 bits.
    Wide,
    Decimal,
    /// Multiples of 1/4, so that sums do not depend on the order.
    Double,
    Text,
    Bytes,
    Bits,
    Date,
    Moment,
    Time,
    Json,
}

/// Where the text of a value gets its collation from: [`General`](Self::General) and
/// [`Unicode`](Self::Unicode) do not mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collation {
    /// A literal or what is made of literals and numbers: it follows the other text.
    Any,
    /// `utf8mb4_bin`, or another character set.
    Binary,
    General,
    Unicode,
}

pub(super) const ALL: [Class; 11] = [
    Class::Int,
    Class::Wide,
    Class::Decimal,
    Class::Double,
    Class::Text,
    Class::Bytes,
    Class::Bits,
    Class::Date,
    Class::Moment,
    Class::Time,
    Class::Json,
];

impl Collation {
    /// Of a column of a query, or an aggregate.
    pub(super) fn settled(self) -> Self {
        match self {
            Self::Any => Self::General,
            Self::Binary | Self::General | Self::Unicode => self,
        }
    }

    /// Of texts of both, which mix.
    pub(super) fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, other) => other,
            (Self::Binary, Self::General | Self::Unicode) => other,
            (Self::Binary | Self::General | Self::Unicode, _) => self,
        }
    }

    /// Whether the servers compare texts of both.
    pub(super) fn mixes(self, other: Self) -> bool {
        !matches!((self, other), (Self::General, Self::Unicode) | (Self::Unicode, Self::General))
    }
}

impl Class {
    /// A class as likely as it is in applications.
    pub(super) fn random(random: &mut Random) -> Self {
        random.weighted(&[
            (30, Self::Int),
            (6, Self::Wide),
            (10, Self::Decimal),
            (6, Self::Double),
            (24, Self::Text),
            (4, Self::Bytes),
            (2, Self::Bits),
            (7, Self::Date),
            (6, Self::Moment),
            (3, Self::Time),
            (2, Self::Json),
        ])
    }

    /// Equal values of these may be written differently, or have no order.
    pub(super) fn sortable(self) -> bool {
        self != Self::Json
    }

    /// Literals; equal text literals are the same text in every collation.
    pub(super) fn literals(self) -> &'static [&'static str] {
        match self {
            Self::Int => &[
                "0", "1", "1", "2", "3", "4", "5", "7", "10", "12", "-1", "-7", "100", "127",
                "-128", "255", "1000", "TRUE", "FALSE",
            ],
            Self::Wide => &[
                "9223372036854775807",
                "-9223372036854775808",
                "18446744073709551615",
                "4294967295",
                "2147483648",
                "0",
                "1",
            ],
            Self::Decimal => &["0.5", "1.50", "-2.25", "10.00", "99.99", "0.000", "-0.05", "5.55"],
            Self::Double => &["0e0", "1.5e0", "-2.25e0", "1e2", "2.5e0"],
            Self::Text => &[
                "''",
                "'a'",
                "'abc'",
                "'b'",
                "'zebra'",
                "'10'",
                "'o''k'",
                "'x%'",
                "_latin1'abc'",
                "_utf8mb4'abc' COLLATE utf8mb4_bin",
                "'2024-02-29'",
                "'mm'",
            ],
            Self::Bytes => &["x'00FF'", "x'6162'", "x''", "_binary'ab'"],
            Self::Bits => &["b'101'", "b'0'"],
            Self::Date => {
                &["DATE'2024-02-29'", "DATE'2024-01-15'", "DATE'2023-12-31'", "DATE'2024-03-01'"]
            }
            Self::Moment => &[
                "TIMESTAMP'2024-02-29 12:34:56'",
                "TIMESTAMP'2024-01-15 00:00:00'",
                "TIMESTAMP'2024-03-31 23:59:59.5'",
            ],
            Self::Time => &["TIME'10:00:00'", "TIME'-01:00:00'", "TIME'23:59:59.5'"],
            Self::Json => &["JSON_ARRAY(1, 2)", "JSON_OBJECT('a', 1)"],
        }
    }

    /// Its name in templates.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Wide => "wide",
            Self::Decimal => "dec",
            Self::Double => "dbl",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Bits => "bits",
            Self::Date => "date",
            Self::Moment => "moment",
            Self::Time => "time",
            Self::Json => "json",
        }
    }
}
