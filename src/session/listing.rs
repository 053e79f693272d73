//! SHOW of what a schema holds, as queries of information_schema.

use super::Session;
use super::local::Heading;
use super::tables::no_database;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Reply;
use crate::execute::run::Call;
use crate::plan::template::Target;
use crate::protocol::column::Column;
use crate::sql::statement::{Listing, Show};
use crate::sql::{self, quote};

/// A kind of SHOW and the table of information_schema that it reads.
struct Source {
    /// As SHOW names it.
    words: &'static str,
    table: &'static str,
    /// Names the schema.
    schema: &'static str,
    /// Holds for its rows.
    condition: &'static str,
    /// The heading that LIKE means.
    name: &'static str,
    /// Columns by their headings; others are alike but for their case.
    columns: &'static [(&'static str, &'static str)],
}

const TABLE_STATUS: Source = Source {
    words: "TABLE STATUS",
    table: "TABLES",
    schema: "TABLE_SCHEMA",
    condition: "1 = 1",
    name: "Name",
    columns: &[
        ("Name", "TABLE_NAME"),
        ("Rows", "TABLE_ROWS"),
        ("Collation", "TABLE_COLLATION"),
        ("Comment", "TABLE_COMMENT"),
    ],
};

const TRIGGERS: Source = Source {
    words: "TRIGGERS",
    table: "TRIGGERS",
    schema: "EVENT_OBJECT_SCHEMA",
    condition: "1 = 1",
    name: "Table",
    columns: &[
        ("Trigger", "TRIGGER_NAME"),
        ("Event", "EVENT_MANIPULATION"),
        ("Table", "EVENT_OBJECT_TABLE"),
        ("Statement", "ACTION_STATEMENT"),
        ("Timing", "ACTION_TIMING"),
        ("Database Collation", "DATABASE_COLLATION"),
    ],
};

const EVENTS: Source = Source {
    words: "EVENTS",
    table: "EVENTS",
    schema: "EVENT_SCHEMA",
    condition: "1 = 1",
    name: "Name",
    columns: &[
        ("Db", "EVENT_SCHEMA"),
        ("Name", "EVENT_NAME"),
        ("Time zone", "TIME_ZONE"),
        ("Type", "EVENT_TYPE"),
        ("Execute at", "EXECUTE_AT"),
        ("Interval value", "INTERVAL_VALUE"),
        ("Interval field", "INTERVAL_FIELD"),
        ("Database Collation", "DATABASE_COLLATION"),
    ],
};

const ROUTINES: &[(&str, &str)] = &[
    ("Db", "ROUTINE_SCHEMA"),
    ("Name", "ROUTINE_NAME"),
    ("Type", "ROUTINE_TYPE"),
    ("Language", "EXTERNAL_LANGUAGE"),
    ("Modified", "LAST_ALTERED"),
    ("Comment", "ROUTINE_COMMENT"),
    ("Database Collation", "DATABASE_COLLATION"),
];

const PROCEDURES: Source = Source {
    words: "PROCEDURE STATUS",
    table: "ROUTINES",
    schema: "",
    condition: "ROUTINE_TYPE = 'PROCEDURE'",
    name: "Name",
    columns: ROUTINES,
};

const FUNCTIONS: Source =
    Source { words: "FUNCTION STATUS", condition: "ROUTINE_TYPE = 'FUNCTION'", ..PROCEDURES };

const PACKAGES: Source =
    Source { words: "PACKAGE STATUS", condition: "ROUTINE_TYPE = 'PACKAGE'", ..PROCEDURES };

const PACKAGE_BODIES: Source = Source {
    words: "PACKAGE BODY STATUS",
    condition: "ROUTINE_TYPE = 'PACKAGE BODY'",
    ..PROCEDURES
};

const INDEXES: Source = Source {
    words: "INDEX",
    table: "STATISTICS",
    schema: "TABLE_SCHEMA",
    condition: "1 = 1",
    name: "Table",
    columns: &[
        ("Table", "TABLE_NAME"),
        ("Key_name", "INDEX_NAME"),
        ("Null", "NULLABLE"),
        ("Visible", "IS_VISIBLE"),
    ],
};

/// Where SHOW INDEX has the name of the key.
const KEY_NAME: usize = 2;

impl Session {
    pub(super) async fn show_listing(
        &mut self,
        text: &[u8],
        show: &Show,
        listing: Listing,
    ) -> Result<Reply> {
        let source = match listing {
            Listing::TableStatus => &TABLE_STATUS,
            Listing::Triggers => &TRIGGERS,
            Listing::Events => &EVENTS,
            Listing::Procedures => &PROCEDURES,
            Listing::Functions => &FUNCTIONS,
            Listing::Packages => &PACKAGES,
            Listing::PackageBodies => &PACKAGE_BODIES,
            // What servers hold open is theirs alone.
            Listing::OpenTables => return self.run_at_home(b"SHOW OPEN TABLES WHERE 1 = 0").await,
        };
        let headings = self
            .headings(format!("SHOW {} LIKE 'margay: no such name'", source.words), None)
            .await?;
        let schema = match source.schema {
            "" => None,
            _ => Some(self.shown_schema(show)?),
        };
        let pattern = super::tables::like_pattern(text, show);
        let name = pattern.as_deref().and_then(plain_name);
        let filter = show.filter.and_then(|span| text.get(span.range()));
        let (schema, name) = (schema.as_deref(), name.as_deref());
        let listed = Listed { source, schema, name, filter, keys: Vec::new() };
        self.run_listed(&listed, headings).await
    }

    /// SHOW INDEX of a table with several physical ones: its numbers are of all of them.
    pub(super) async fn show_indexes(
        &mut self,
        text: &[u8],
        show: &Show,
        (schema, table): (&str, &str),
        (target, physical): (&Target, &str),
    ) -> Result<Reply> {
        let name =
            |name: &str| String::from_utf8_lossy(&quote::identifier(name.as_bytes())).into_owned();
        let shown = format!("SHOW INDEX FROM {} WHERE Key_name = ''", name(physical));
        let headings = self.headings(shown, Some(target)).await?;
        let filter = show.filter.and_then(|span| text.get(span.range()));
        // In the order of the table's own list, which information_schema does not tell.
        let mut keys: Vec<Vec<u8>> = Vec::new();
        if let Some(shard) = self.snapshot.catalog.shard(target.shard) {
            let query = format!("SHOW INDEX FROM {}.{}", name(&shard.database), name(physical));
            for row in self.snapshot.ask(shard.cluster, query.as_bytes()).await? {
                if let Some(Some(key)) = row.into_iter().nth(KEY_NAME)
                    && !keys.iter().any(|known| *known == *key)
                {
                    keys.push(key.to_vec());
                }
            }
        }
        let (schema, table) = (Some(schema), Some(table));
        let listed = Listed { source: &INDEXES, schema, name: table, filter, keys };
        self.run_listed(&listed, headings).await
    }

    /// Runs the query behind a SHOW; its columns are those that a server's own SHOW has.
    async fn run_listed(&mut self, listed: &Listed<'_>, headings: Vec<Column>) -> Result<Reply> {
        let query = listed.query(&headings);
        let statement = sql::parse(&query, &self.mode)?;
        let mut reply = self.run(&query, &statement, Call::Text).await?;
        if let Reply::Rows(rows) = &mut reply
            && rows.columns.len() == headings.len()
        {
            rows.columns = headings.into();
        }
        Ok(reply)
    }

    /// The headings that a server gives.
    async fn headings(&mut self, text: String, target: Option<&Target>) -> Result<Vec<Column>> {
        let reply = match target {
            Some(target) => self.run_at(text.as_bytes(), target).await?,
            None => self.run_at_home(text.as_bytes()).await?,
        };
        let Reply::Rows(mut rows) = reply else {
            return Err(Error::protocol("a server answers SHOW without rows"));
        };
        let headings = std::mem::take(&mut rows.columns).into_vec();
        // There are none, but a reply must be read to its end.
        let outcome = loop {
            match rows.next().await {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.finish(&mut rows, 0, outcome.as_ref().err());
        outcome?;
        Ok(headings)
    }

    fn shown_schema(&self, show: &Show) -> Result<String> {
        let name = show.schema.as_ref().map(|(name, _)| name.value.clone());
        let name = name.or_else(|| self.schema.clone()).ok_or_else(no_database)?;
        let is_system = name.eq_ignore_ascii_case("information_schema");
        if !is_system && self.snapshot.catalog.schema(&name).is_none() {
            let message = format!("Unknown database '{name}'");
            return Err(Error::new(ErrorKind::UnknownDatabase, message));
        }
        Ok(name)
    }

    /// The grants of the rules.
    pub(super) fn show_grants(&self) -> Reply {
        let viewer = self.viewer();
        let account = format!("`{}`@`%`", self.identity.user.replace('`', "``"));
        let mut grants = vec![format!("GRANT USAGE ON *.* TO {account}")];
        for schema in &viewer.schemas {
            let rights = schema.rights().join(", ");
            if !rights.is_empty() {
                let name = schema.name.replace('`', "``");
                grants.push(format!("GRANT {rights} ON `{name}`.* TO {account}"));
            }
        }
        let heading = format!("Grants for {}@%", self.identity.user);
        self.rows(&[Heading::Text(&heading)], super::show::one_column(grants))
    }
}

/// What is asked of a source.
struct Listed<'a> {
    source: &'static Source,
    schema: Option<&'a str>,
    /// The one name that may pass.
    name: Option<&'a str>,
    /// LIKE or WHERE, as the client wrote it.
    filter: Option<&'a [u8]>,
    /// Of SHOW INDEX: names of keys in their order.
    keys: Vec<Vec<u8>>,
}

impl Listed<'_> {
    fn query(&self, headings: &[Column]) -> Vec<u8> {
        let source = self.source;
        let name = |column: &Column| String::from_utf8_lossy(&column.name).into_owned();
        let column_of = |heading: &str| {
            source.columns.iter().find(|(shown, _)| *shown == heading).map(|(_, column)| *column)
        };
        let mut query = b"SELECT * FROM (SELECT ".to_vec();
        for (index, heading) in headings.iter().enumerate() {
            query.extend_from_slice(if index == 0 { b"" } else { b", " });
            let heading = name(heading);
            let column = column_of(&heading).unwrap_or(&heading);
            query.extend_from_slice(&quote::identifier(column.as_bytes()));
            query.extend_from_slice(b" AS ");
            query.extend_from_slice(&quote::identifier(heading.as_bytes()));
        }
        let from = format!(" FROM information_schema.{} WHERE {}", source.table, source.condition);
        query.extend_from_slice(from.as_bytes());
        let conditions = [(Some(source.schema), self.schema), (column_of(source.name), self.name)];
        for (column, value) in conditions {
            if let (Some(column), Some(value)) = (column, value) {
                query.extend_from_slice(format!(" AND {column} = ").as_bytes());
                query.extend_from_slice(&quote::text(value.as_bytes()));
            }
        }
        query.extend_from_slice(b") AS shown ");
        if let Some(filter) = self.filter {
            if filter.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"like")) {
                query.extend_from_slice(format!("WHERE `{}` ", source.name).as_bytes());
            }
            query.extend_from_slice(filter);
        }
        if !self.keys.is_empty() {
            query.extend_from_slice(b" ORDER BY FIELD(Key_name");
            for key in &self.keys {
                query.extend_from_slice(b", ");
                query.extend_from_slice(&quote::text(key));
            }
            query.extend_from_slice(b"), Seq_in_index");
        }
        query
    }
}

/// The one name that a pattern stands for; none if it has wildcards.
fn plain_name(pattern: &str) -> Option<String> {
    let mut name = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' | '_' | '\'' | '"' => return None,
            '\\' => name.push(letters.next().filter(|next| matches!(next, '_' | '%'))?),
            other => name.push(other),
        }
    }
    name.is_ascii().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expect: Option<&str>) {
        assert_eq!(plain_name(pattern).as_deref(), expect, "{pattern}");
    }

    #[test]
    fn names_of_patterns() {
        check("users", Some("users"));
        check("order\\_items", Some("order_items"));
        check("order_items", None);
        check("u%", None);
        check("a\\\\b", None);
    }
}
