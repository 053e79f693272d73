//! The rows of a table of information_schema, from the servers or from Margay itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::fold::{Folder, Origin, Row};
use super::owners::Owners;
use super::refer::{Reference, SYSTEM, Value};
use super::tables::{Contents, Objects};
use super::viewer::Viewer;
use crate::backend::{Access, Deadline, SessionState};
use crate::catalog::ShardId;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::snapshot::Snapshot;
use crate::sql::expr::Literal;
use crate::sql::quote;

/// What goes into a temporary table.
pub(super) struct Contained {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// Whoever asks for rows, and how.
pub(super) struct Fetcher<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) viewer: &'a Viewer,
    pub(super) params: &'a [Literal],
    /// Of the server whose information_schema shows itself.
    pub(super) cluster: usize,
    pub(super) state: Arc<SessionState>,
    pub(super) deadline: Option<Deadline>,
}

/// Rows of one cluster and the names of their columns.
struct Answer {
    cluster: usize,
    names: Vec<String>,
    computed_table: bool,
    rows: Vec<Row>,
}

/// What one cluster is asked for.
struct Question {
    databases: Vec<String>,
    /// None: all tables.
    tables: Option<Vec<String>>,
}

impl Fetcher<'_> {
    pub(super) async fn fetch(&self, reference: &Reference) -> Result<Contained> {
        match reference.contents {
            Contents::Objects(objects) => self.objects(reference, objects).await,
            Contents::Processes => Ok(self.viewer.processes()),
            Contents::UserRights => Ok(self.viewer.user_rights()),
            Contents::SchemaRights => Ok(self.viewer.schema_rights()),
            Contents::Nothing => Ok(Contained { columns: Vec::new(), rows: Vec::new() }),
        }
    }

    async fn objects(&self, reference: &Reference, objects: &'static Objects) -> Result<Contained> {
        let owners: Vec<Owners<'_>> = self
            .viewer
            .schemas
            .iter()
            .filter(|granted| self.allows(reference.schemas.as_deref(), &granted.name))
            .filter_map(|granted| self.snapshot.catalog.schema(&granted.name))
            .map(Owners::new)
            .collect();
        let mut origins: HashMap<(usize, &str), Origin<'_>> = HashMap::new();
        let mut questions: BTreeMap<usize, Question> = BTreeMap::new();
        for owners in &owners {
            let tables = self.tables(reference, owners, objects.is_folded());
            for shard in self.shards(owners, objects) {
                let place = self.snapshot.shard(shard)?;
                let origin = Origin { shard, database: &place.database, owners };
                origins.insert((place.cluster, &place.database), origin);
                let question = questions.entry(place.cluster).or_insert_with(|| Question {
                    databases: Vec::new(),
                    tables: Some(Vec::new()),
                });
                question.databases.push(place.database.clone());
                question.tables = match (question.tables.take(), &tables) {
                    (Some(known), Some(more)) => Some([known, more.clone()].concat()),
                    (Some(_) | None, _) => None,
                };
            }
        }
        if self.allows(reference.schemas.as_deref(), SYSTEM) {
            let all = || Question { databases: Vec::new(), tables: None };
            let question = questions.entry(self.cluster).or_insert_with(all);
            question.databases.push(SYSTEM.to_owned());
            if let Some(tables) = &mut question.tables {
                tables.extend(self.names(reference.tables.as_deref()).unwrap_or_default());
            }
        }
        let asked = questions
            .iter()
            .map(|(cluster, question)| self.ask(*cluster, reference, objects, question));
        let answers = try_join_all(asked).await?;
        let Some(first) = answers.first() else {
            return Ok(Contained { columns: Vec::new(), rows: Vec::new() });
        };
        let mut columns = first.names.clone();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut folder = Folder::new(objects, &names, first.computed_table);
        if first.computed_table {
            columns.pop();
        }
        if answers.iter().any(|answer| answer.names.len() != names_len(first)) {
            return Err(Error::unsupported(format!(
                "information_schema.{} has not the same columns on all clusters, since their servers \
                 are of different versions",
                reference.name
            )));
        }
        for answer in answers {
            for row in answer.rows {
                let Some(database) = folder.database(&row) else { continue };
                if database.eq_ignore_ascii_case(SYSTEM) {
                    folder.keep(row);
                } else if let Some(origin) = origins.get(&(answer.cluster, database.as_str())) {
                    folder.add(origin, row);
                }
            }
        }
        let mut rows = folder.finish();
        for shown in &self.viewer.views {
            let view = &shown.view;
            if self.allows(reference.schemas.as_deref(), &view.schema)
                && self.allows(reference.tables.as_deref(), &view.name)
            {
                rows.extend(shown.rows(reference.name, &columns));
            }
        }
        Ok(Contained { columns, rows })
    }

    /// The shards of a schema whose rows are wanted.
    fn shards(&self, owners: &Owners<'_>, objects: &Objects) -> Vec<ShardId> {
        if objects.table.is_empty() {
            return vec![owners.schema.default_shard];
        }
        owners.shards(objects.is_folded())
    }

    /// Whether a condition on names may let this one pass. Servers compare them without regard to case
    /// and to spaces at the end, or more strictly; of letters outside ASCII nothing is said.
    fn allows(&self, values: Option<&[Value]>, name: &str) -> bool {
        let Some(values) = self.names(values) else { return true };
        let same = |value: &String| value.trim_end().eq_ignore_ascii_case(name);
        !name.is_ascii() || values.iter().any(same)
    }

    /// The names that a condition gives. None: any.
    fn names(&self, values: Option<&[Value]>) -> Option<Vec<String>> {
        let text = |value: &Value| match value {
            Value::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            Value::Param(index) => match self.params.get(usize::from(*index))? {
                Literal::String { bytes, .. } if bytes.is_ascii() => {
                    Some(String::from_utf8_lossy(bytes).into_owned())
                }
                _ => None,
            },
        };
        values?.iter().map(text).collect()
    }

    /// The physical tables that a condition leaves. None: any.
    fn tables(&self, reference: &Reference, owners: &Owners<'_>, all: bool) -> Option<Vec<String>> {
        let names = self.names(reference.tables.as_deref())?;
        let mut tables = Vec::new();
        for name in names {
            tables.extend(owners.physical(name.trim_end(), all)?);
        }
        Some(tables)
    }

    async fn ask(
        &self,
        cluster: usize,
        reference: &Reference,
        objects: &Objects,
        question: &Question,
    ) -> Result<Answer> {
        let mut lease = self.snapshot.backends.lease(cluster, Access::Primary, false).await?;
        lease.set_deadline(self.deadline);
        lease.ensure_state(&self.state).await?;
        let computed_table = !objects.table_of.is_empty() && !lease.is_mariadb();
        let mut text = b"SELECT x.*".to_vec();
        if computed_table {
            text.extend_from_slice(format!(", {}", objects.table_of).as_bytes());
        }
        text.extend_from_slice(
            format!(" FROM {SYSTEM}.`{}` x WHERE x.", reference.name).as_bytes(),
        );
        text.extend_from_slice(&one_of(objects.schema, &question.databases));
        if let (Some(tables), false) =
            (&question.tables, computed_table || objects.table.is_empty())
        {
            text.extend_from_slice(b" AND x.");
            text.extend_from_slice(&one_of(objects.table, tables));
        }
        let result = lease.query_all(&text).await?;
        let bytes = result.rows.iter().flatten().flatten().map(|cell| cell.len() as u64 + CELL);
        check_size(bytes.sum(), self.snapshot)?;
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let names = result.columns.iter().map(|column| name(&column.name)).collect();
        Ok(Answer { cluster, names, computed_table, rows: result.rows })
    }
}

/// What a value in memory costs beside its bytes.
const CELL: u64 = size_of::<Option<bytes::Bytes>>() as u64;

/// Rows that are held in memory have one limit.
pub(super) fn check_size(bytes: u64, snapshot: &Snapshot) -> Result<()> {
    let limit = snapshot.config.settings.limits.sort_bytes.0;
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LimitExceeded,
        format!(
            "{bytes} bytes of information_schema are over `limits.sort_bytes` ({limit}); add a condition \
             on the schema or the table, or raise the limit"
        ),
    ))
}

fn names_len(answer: &Answer) -> usize {
    answer.names.len()
}

/// ``column IN ('a', 'b')``; an equality where it can be one, which MariaDB looks up at once.
fn one_of(column: &str, values: &[String]) -> Vec<u8> {
    let mut values: Vec<&String> = values.iter().collect();
    values.sort_unstable();
    values.dedup();
    let texts: Vec<Vec<u8>> = values.iter().map(|value| quote::text(value.as_bytes())).collect();
    match texts.as_slice() {
        [] => b"TABLE_CATALOG IS NULL".to_vec(),
        [one] => [column.as_bytes(), b" = ", one].concat(),
        many => [column.as_bytes(), b" IN (", &many.join(b", ".as_slice()), b")"].concat(),
    }
}
