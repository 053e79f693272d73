//! The tables of information_schema that tell of one server's own things, and what their columns mean.

/// What stands in a table of information_schema for a client of Margay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// Rows about schemas, tables and what belongs to them, read from the servers.
    Objects(&'static Objects),
    /// Margay's own sessions.
    Processes,
    /// The account that every user has.
    UserRights,
    /// The schemas that the rules grant.
    SchemaRights,
    /// No rows: it tells of files, roles or finer rights, which the servers keep for themselves.
    Nothing,
}

/// How rows of the servers become rows about logical things. Columns go by their names; those that a
/// server does not have are passed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Objects {
    /// Holds the database.
    pub(super) schema: &'static str,
    /// Holds the table; empty: the rows tell of the database itself.
    pub(super) table: &'static str,
    /// Computes the table of a row of `x` on servers without that column.
    pub(super) table_of: &'static str,
    /// More columns that hold databases.
    pub(super) schemas: &'static [&'static str],
    /// More columns that hold tables of the same database.
    pub(super) tables: &'static [&'static str],
    /// Columns that hold names which servers make from a table's.
    pub(super) derived: &'static [&'static str],
    /// Columns with SQL text that quotes names.
    pub(super) texts: &'static [&'static str],
    /// How rows of the physical tables make one. Empty: the first one stands for all.
    pub(super) folds: &'static [(&'static str, Fold)],
    /// What tells rows about one table apart, if they are folded.
    pub(super) identity: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Sum,
    /// Of numbers, and of times in their usual form.
    Most,
    Least,
    /// The quotient of two columns that are summed.
    Quotient(&'static str, &'static str),
}

use Fold::{Least, Most, Quotient, Sum};

const PLAIN: Objects = Objects {
    schema: "TABLE_SCHEMA",
    table: "TABLE_NAME",
    table_of: "",
    schemas: &[],
    tables: &[],
    derived: &[],
    texts: &[],
    folds: &[],
    identity: &[],
};

const TABLES: Objects = Objects {
    folds: &[
        ("TABLE_ROWS", Sum),
        ("DATA_LENGTH", Sum),
        ("INDEX_LENGTH", Sum),
        ("DATA_FREE", Sum),
        ("AVG_ROW_LENGTH", Quotient("DATA_LENGTH", "TABLE_ROWS")),
        ("AUTO_INCREMENT", Most),
        ("CREATE_TIME", Least),
        ("UPDATE_TIME", Most),
        ("CHECK_TIME", Most),
    ],
    ..PLAIN
};

const PARTITIONS: Objects =
    Objects { identity: &["PARTITION_NAME", "SUBPARTITION_NAME"], ..TABLES };

const STATISTICS: Objects = Objects {
    schemas: &["INDEX_SCHEMA"],
    folds: &[("CARDINALITY", Sum)],
    identity: &["INDEX_NAME", "SEQ_IN_INDEX"],
    ..PLAIN
};

const KEY_COLUMN_USAGE: Objects = Objects {
    schemas: &["CONSTRAINT_SCHEMA", "REFERENCED_TABLE_SCHEMA"],
    tables: &["REFERENCED_TABLE_NAME"],
    derived: &["CONSTRAINT_NAME"],
    ..PLAIN
};

const TABLE_CONSTRAINTS: Objects =
    Objects { schemas: &["CONSTRAINT_SCHEMA"], derived: &["CONSTRAINT_NAME"], ..PLAIN };

const TABLE_CONSTRAINTS_EXTENSIONS: Objects =
    Objects { schema: "CONSTRAINT_SCHEMA", derived: &["CONSTRAINT_NAME"], ..PLAIN };

const REFERENTIAL_CONSTRAINTS: Objects = Objects {
    schema: "CONSTRAINT_SCHEMA",
    schemas: &["UNIQUE_CONSTRAINT_SCHEMA"],
    tables: &["REFERENCED_TABLE_NAME"],
    derived: &["CONSTRAINT_NAME"],
    ..PLAIN
};

const CHECK_CONSTRAINTS: Objects = Objects {
    schema: "CONSTRAINT_SCHEMA",
    table_of: "(SELECT c.TABLE_NAME FROM information_schema.TABLE_CONSTRAINTS c \
               WHERE c.CONSTRAINT_SCHEMA = x.CONSTRAINT_SCHEMA \
               AND c.CONSTRAINT_NAME = x.CONSTRAINT_NAME AND c.CONSTRAINT_TYPE = 'CHECK' LIMIT 1)",
    derived: &["CONSTRAINT_NAME"],
    ..PLAIN
};

const VIEWS: Objects = Objects { texts: &["VIEW_DEFINITION"], ..PLAIN };

const VIEW_TABLE_USAGE: Objects = Objects {
    schema: "VIEW_SCHEMA",
    table: "VIEW_NAME",
    schemas: &["TABLE_SCHEMA"],
    tables: &["TABLE_NAME"],
    ..PLAIN
};

const VIEW_ROUTINE_USAGE: Objects = Objects { schemas: &["SPECIFIC_SCHEMA"], ..PLAIN };

const TRIGGERS: Objects = Objects {
    schema: "EVENT_OBJECT_SCHEMA",
    table: "EVENT_OBJECT_TABLE",
    schemas: &["TRIGGER_SCHEMA"],
    texts: &["ACTION_STATEMENT"],
    ..PLAIN
};

const ROUTINES: Objects = Objects { schema: "ROUTINE_SCHEMA", table: "", ..PLAIN };
const PARAMETERS: Objects = Objects { schema: "SPECIFIC_SCHEMA", table: "", ..PLAIN };
const EVENTS: Objects = Objects { schema: "EVENT_SCHEMA", table: "", ..PLAIN };
const LIBRARIES: Objects = Objects { schema: "LIBRARY_SCHEMA", table: "", ..PLAIN };
const ROUTINE_LIBRARIES: Objects =
    Objects { schema: "ROUTINE_SCHEMA", table: "", schemas: &["LIBRARY_SCHEMA"], ..PLAIN };
const SCHEMATA: Objects = Objects { schema: "SCHEMA_NAME", table: "", ..PLAIN };
const COLUMN_STATISTICS: Objects = Objects { schema: "SCHEMA_NAME", ..PLAIN };
const GEOMETRY_COLUMNS: Objects = Objects {
    schema: "F_TABLE_SCHEMA",
    table: "F_TABLE_NAME",
    schemas: &["G_TABLE_SCHEMA"],
    tables: &["G_TABLE_NAME"],
    ..PLAIN
};

/// By name, MySQL's and MariaDB's together: a server says itself which it does not have.
const KNOWN: &[(&str, Contents)] = &[
    ("ADMINISTRABLE_ROLE_AUTHORIZATIONS", Contents::Nothing),
    ("APPLICABLE_ROLES", Contents::Nothing),
    ("CHECK_CONSTRAINTS", Contents::Objects(&CHECK_CONSTRAINTS)),
    ("COLUMNS", Contents::Objects(&PLAIN)),
    ("COLUMNS_EXTENSIONS", Contents::Objects(&PLAIN)),
    ("COLUMN_PRIVILEGES", Contents::Nothing),
    ("COLUMN_STATISTICS", Contents::Objects(&COLUMN_STATISTICS)),
    ("ENABLED_ROLES", Contents::Nothing),
    ("EVENTS", Contents::Objects(&EVENTS)),
    ("FILES", Contents::Nothing),
    ("GEOMETRY_COLUMNS", Contents::Objects(&GEOMETRY_COLUMNS)),
    ("KEY_COLUMN_USAGE", Contents::Objects(&KEY_COLUMN_USAGE)),
    ("LIBRARIES", Contents::Objects(&LIBRARIES)),
    ("OPTIMIZER_TRACE", Contents::Nothing),
    ("PARAMETERS", Contents::Objects(&PARAMETERS)),
    ("PARTITIONS", Contents::Objects(&PARTITIONS)),
    ("PROCESSLIST", Contents::Processes),
    ("PROFILING", Contents::Nothing),
    ("REFERENTIAL_CONSTRAINTS", Contents::Objects(&REFERENTIAL_CONSTRAINTS)),
    ("ROLE_COLUMN_GRANTS", Contents::Nothing),
    ("ROLE_ROUTINE_GRANTS", Contents::Nothing),
    ("ROLE_TABLE_GRANTS", Contents::Nothing),
    ("ROUTINES", Contents::Objects(&ROUTINES)),
    ("ROUTINE_LIBRARIES", Contents::Objects(&ROUTINE_LIBRARIES)),
    ("SCHEMATA", Contents::Objects(&SCHEMATA)),
    ("SCHEMATA_EXTENSIONS", Contents::Objects(&SCHEMATA)),
    ("SCHEMA_PRIVILEGES", Contents::SchemaRights),
    ("STATISTICS", Contents::Objects(&STATISTICS)),
    ("ST_GEOMETRY_COLUMNS", Contents::Objects(&PLAIN)),
    ("TABLES", Contents::Objects(&TABLES)),
    ("TABLESPACES", Contents::Nothing),
    ("TABLESPACES_EXTENSIONS", Contents::Nothing),
    ("TABLES_EXTENSIONS", Contents::Objects(&PLAIN)),
    ("TABLE_CONSTRAINTS", Contents::Objects(&TABLE_CONSTRAINTS)),
    ("TABLE_CONSTRAINTS_EXTENSIONS", Contents::Objects(&TABLE_CONSTRAINTS_EXTENSIONS)),
    ("TABLE_PRIVILEGES", Contents::Nothing),
    ("TRIGGERS", Contents::Objects(&TRIGGERS)),
    ("USER_ATTRIBUTES", Contents::Nothing),
    ("USER_PRIVILEGES", Contents::UserRights),
    ("VIEWS", Contents::Objects(&VIEWS)),
    ("VIEW_ROUTINE_USAGE", Contents::Objects(&VIEW_ROUTINE_USAGE)),
    ("VIEW_TABLE_USAGE", Contents::Objects(&VIEW_TABLE_USAGE)),
];

/// The name as servers write it, and what stands in the table. None: it is the same on every server, or
/// it tells of a server's inside.
pub(super) fn known(name: &str) -> Option<(&'static str, Contents)> {
    KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).copied()
}

impl Objects {
    /// Rows of all physical tables are read.
    pub(super) fn is_folded(&self) -> bool {
        !self.folds.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_case() {
        let (name, contents) = known("tAbLes").unwrap();
        assert_eq!(name, "TABLES");
        assert_eq!(contents, Contents::Objects(&TABLES));
        assert_eq!(known("INNODB_TRX"), None);
    }
}
