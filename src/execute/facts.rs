//! Fetches what planning must know from the servers, and remembers what stays true.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::client_state::ClientState;
use super::guesses::GUESS_TTL;
use super::snapshot::Snapshot;
use super::views::RETRY;
use crate::backend::{Access, Lease, QueryResult, SessionState};
use crate::catalog::{Shard, ShardId, TableKind};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::facts::{Column, ColumnClass, Columns, Facts, Need, TableId, WeightKey};
use crate::plan::views::SchemaViews;
use crate::protocol;
use crate::protocol::capability::ColumnType;
use crate::protocol::column::Column as Described;
use crate::sql::expr::{Literal, TemporalKind};
use crate::sql::quote;

/// Facts shared by all statements of a snapshot.
pub struct FactCache {
    inner: Mutex<Inner>,
    /// Counts how often what is known has changed.
    generation: AtomicU64,
    /// How long columns are believed.
    ttl: Duration,
}

#[derive(Default)]
struct Inner {
    columns: HashMap<TableId, (Arc<Columns>, Instant)>,
    /// When rows of tables were last guessed.
    guessed: HashMap<TableId, Instant>,
    weights: HashMap<WeightKey, Arc<[u8]>>,
    /// Time tables that are known to exist.
    periods: HashSet<(ShardId, String)>,
    /// The views of schemas, and since when.
    views: HashMap<String, (Arc<SchemaViews>, Instant)>,
    /// Columns of whole statements as servers have described them, by texts and session states.
    shapes: HashMap<Vec<u8>, (Arc<[Described]>, Instant)>,
}

/// Statements whose columns are kept, and the longest text; the cache starts anew when it is full.
const SHAPES_MAX: usize = 1024;
const SHAPE_TEXT_MAX: usize = 16 << 10;

/// Weight strings kept; the cache starts anew when it is full.
const WEIGHTS_MAX: usize = 65_536;

pub(super) type Row = Vec<Option<Bytes>>;

impl FactCache {
    pub fn new(ttl: Duration) -> Self {
        Self { inner: Mutex::default(), generation: AtomicU64::new(0), ttl }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while it was held leaves a cache with fewer entries, which is still right.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another number whenever what is known has changed: what was made of it may be wrong then.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Until when these tables and the views of these schemas are believed, as far as they are known.
    /// None: for longer than time goes.
    pub fn believed_until(&self, tables: &[TableId], schemas: &[String]) -> Option<Instant> {
        let inner = self.inner();
        let tables = tables.iter().filter_map(|table| inner.columns.get(table)).map(|it| it.1);
        let views = schemas.iter().filter_map(|schema| inner.views.get(schema)).map(|it| it.1);
        tables.chain(views).min().unwrap_or_else(Instant::now).checked_add(self.ttl)
    }

    /// Copies what is known of the tables of a statement.
    pub fn recall(&self, tables: &[TableId], facts: &mut Facts) {
        let inner = self.inner();
        for table in tables {
            if let Some(columns) = self.fresh(&inner, table) {
                facts.columns.insert(table.clone(), Some(columns));
            }
        }
    }

    /// What is known of a table, unless that is too long ago.
    fn fresh(&self, inner: &Inner, table: &TableId) -> Option<Arc<Columns>> {
        let (columns, since) = inner.columns.get(table)?;
        (since.elapsed() < self.ttl).then(|| columns.clone())
    }

    pub(super) fn learn_columns(&self, table: &TableId, columns: &Arc<Columns>) {
        let known = (columns.clone(), Instant::now());
        let before = self.inner().columns.insert(table.clone(), known);
        if before.is_some_and(|(before, _)| before.columns != columns.columns) {
            self.changed();
        }
    }

    /// Those of these tables whose rows were guessed too long ago. They count as guessed from now on, so
    /// that one statement asks for all.
    pub(super) fn old_guesses(&self, mut tables: Vec<TableId>) -> Vec<TableId> {
        let mut inner = self.inner();
        tables.retain(|table| {
            let since = inner.guessed.get(table);
            since.is_none_or(|since| since.elapsed() >= GUESS_TTL)
        });
        let now = Instant::now();
        inner.guessed.extend(tables.iter().map(|table| (table.clone(), now)));
        tables
    }

    /// Remembers how many rows one physical table holds, about. Plans stay right, whatever it is.
    pub(super) fn learn_guess(&self, table: &TableId, rows: u64) {
        if let Some((columns, _)) = self.inner().columns.get_mut(table) {
            Arc::make_mut(columns).rows = rows;
        }
    }

    /// Forgets tables whose definition changed, or whose knowledge proved stale.
    pub fn forget(&self, tables: impl IntoIterator<Item = TableId>) {
        let mut inner = self.inner();
        for table in tables {
            inner.columns.remove(&table);
            inner.guessed.remove(&table);
        }
        inner.periods.clear();
        inner.shapes.clear();
        self.changed();
    }

    /// Forgets all tables.
    pub(super) fn forget_all(&self) {
        let mut inner = self.inner();
        inner.columns.clear();
        inner.guessed.clear();
        inner.periods.clear();
        inner.views.clear();
        inner.shapes.clear();
        self.changed();
    }

    /// The views of a schema, unless they were read too long ago.
    pub fn recall_views(&self, schema: &str) -> Option<Arc<SchemaViews>> {
        let inner = self.inner();
        let (views, since) = inner.views.get(schema)?;
        (since.elapsed() < self.ttl).then(|| views.clone())
    }

    pub(super) fn learn_views(&self, schema: &str, views: Arc<SchemaViews>) {
        let before = self.inner().views.insert(schema.to_owned(), (views.clone(), Instant::now()));
        if before.is_none_or(|(before, _)| before != views) {
            self.changed();
        }
    }

    /// Keeps to what is known for a short while, since it cannot be asked for.
    pub(super) fn keep_views(&self, schema: &str) -> Arc<SchemaViews> {
        let mut inner = self.inner();
        let views = inner.views.get(schema).map(|(views, _)| views.clone()).unwrap_or_default();
        let now = Instant::now();
        let since = now.checked_sub(self.ttl.saturating_sub(RETRY)).unwrap_or(now);
        inner.views.insert(schema.to_owned(), (views.clone(), since));
        views
    }

    pub fn forget_views(&self, schema: &str) {
        self.inner().views.remove(schema);
        self.changed();
    }

    /// The columns of a statement that was described not too long ago.
    pub(super) fn shape(&self, key: &[u8]) -> Option<Arc<[Described]>> {
        let inner = self.inner();
        let (columns, since) = inner.shapes.get(key)?;
        (since.elapsed() < self.ttl).then(|| columns.clone())
    }

    pub(super) fn learn_shape(&self, key: Vec<u8>, columns: &[Described]) {
        if key.len() > SHAPE_TEXT_MAX {
            return;
        }
        let mut inner = self.inner();
        if inner.shapes.len() >= SHAPES_MAX {
            inner.shapes.clear();
        }
        inner.shapes.insert(key, (columns.into(), Instant::now()));
    }

    pub(super) fn knows_period(&self, shard: ShardId, table: &str) -> bool {
        self.inner().periods.contains(&(shard, table.to_owned()))
    }

    pub(super) fn learn_period(&self, shard: ShardId, table: String) {
        self.inner().periods.insert((shard, table));
    }
}

impl Snapshot {
    /// Adds what is needed to `facts`.
    pub(super) async fn fetch(
        &self,
        need: &Need,
        facts: &mut Facts,
        state: &ClientState,
    ) -> Result<()> {
        match need {
            Need::Columns(tables) => {
                for table in tables {
                    let columns = self.columns(table).await?;
                    facts.columns.insert(table.clone(), columns);
                }
            }
            Need::Weights(keys) => self.weights(keys, facts).await?,
            Need::Periods(wanted) => {
                for (table, shard) in wanted {
                    let tables = self.periods(table, *shard).await?;
                    facts.periods.insert((table.clone(), *shard), tables.into());
                }
            }
            Need::Computed(texts) => self.compute(texts, facts, state).await?,
            Need::Constants { texts, clock } => {
                self.constants(texts, *clock, facts, state).await?;
            }
        }
        Ok(())
    }

    /// The columns of a logical table, read from its first physical table. None: there is none.
    pub async fn columns(&self, id: &TableId) -> Result<Option<Arc<Columns>>> {
        if let Some(columns) = self.facts.fresh(&self.facts.inner(), id) {
            return Ok(Some(columns));
        }
        let Some((shard, name)) = self.first_table(id)? else { return Ok(None) };
        let Some(columns) = self.physical_columns(shard, &name).await? else { return Ok(None) };
        let columns = Arc::new(columns);
        self.facts.learn_columns(id, &columns);
        Ok(Some(columns))
    }

    /// The first physical table of a logical one. None: there is no such schema.
    pub(super) fn first_table(&self, id: &TableId) -> Result<Option<(ShardId, String)>> {
        let Some(schema) = self.catalog.schema(&id.schema) else { return Ok(None) };
        let table = schema.table(&id.table);
        let shard = match &table.kind {
            TableKind::Single { shard } => Some(*shard),
            TableKind::Broadcast { shards } => shards.first().copied(),
            TableKind::Sharded(sharded) => sharded.shards.first().copied(),
        };
        let shard = shard.ok_or_else(|| Error::internal("a table without a shard"))?;
        Ok(Some((shard, table.first_name().to_owned())))
    }

    /// The columns of one physical table.
    pub(super) async fn physical_columns(
        &self,
        shard: ShardId,
        name: &str,
    ) -> Result<Option<Columns>> {
        let shard = self.shard(shard)?;
        let text = [
            b"SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, COLLATION_NAME, \
              CHARACTER_MAXIMUM_LENGTH, NUMERIC_SCALE, DATETIME_PRECISION, EXTRA, IS_NULLABLE, \
              (SELECT t.TABLE_ROWS FROM information_schema.TABLES t WHERE \
              t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME), COLUMN_KEY \
              FROM information_schema.COLUMNS c WHERE c.TABLE_SCHEMA = "
                .to_vec(),
            quote::text(shard.database.as_bytes()),
            b" AND c.TABLE_NAME = ".to_vec(),
            quote::text(name.as_bytes()),
            b" ORDER BY c.ORDINAL_POSITION".to_vec(),
        ]
        .concat();
        let lease = self.backends.lease(shard.cluster, Access::Primary, false).await?;
        let is_mariadb = lease.is_mariadb();
        let rows = self.rows_of(lease, SessionState::default(), &text).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let guess = rows.first().map_or(0, |row| number_of(row, 9).into());
        let extra = |row: &Row| text_of(row, 7).unwrap_or_default().to_ascii_lowercase();
        let is_computed = |row: &Row| {
            [" generated", "virtual", "persistent"].iter().any(|word| extra(row).contains(word))
        };
        // MariaDB draws no conclusions from keys.
        let unique = if is_mariadb || rows.iter().any(is_computed) {
            None
        } else if rows.iter().all(|row| text_of(row, 10).is_none_or(|key| key.is_empty())) {
            Some(Vec::new())
        } else {
            Some(self.unique_keys(shard, name).await?)
        };
        Ok(Some(Columns { columns: rows.iter().map(column).collect(), unique, rows: guess }))
    }

    /// Unique keys of whole columns that take no NULL.
    async fn unique_keys(&self, shard: &Shard, name: &str) -> Result<Vec<Vec<String>>> {
        let text = [
            b"SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE FROM \
              information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA = "
                .to_vec(),
            quote::text(shard.database.as_bytes()),
            b" AND TABLE_NAME = ".to_vec(),
            quote::text(name.as_bytes()),
            b" ORDER BY INDEX_NAME, SEQ_IN_INDEX".to_vec(),
        ]
        .concat();
        let rows = self.ask(shard.cluster, &text).await?;
        let mut keys: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        for row in &rows {
            let key = keys.entry(text_of(row, 0).unwrap_or_default()).or_insert(Some(Vec::new()));
            let is_whole = text_of(row, 2).is_none();
            let is_nullable = text_of(row, 3).is_some_and(|text| text == "YES");
            match (key.as_mut(), text_of(row, 1)) {
                (Some(columns), Some(column)) if is_whole && !is_nullable => columns.push(column),
                _ => *key = None,
            }
        }
        Ok(keys.into_values().flatten().collect())
    }

    /// Physical tables of a time table on a shard, as the primary has them now. They are never cached:
    /// another proxy may create one at any time, and a read must not miss it.
    async fn periods(&self, id: &TableId, shard: ShardId) -> Result<Vec<String>> {
        let shard = self.shard(shard)?;
        let pattern = id.table.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let text = [
            b"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ".to_vec(),
            quote::text(shard.database.as_bytes()),
            b" AND TABLE_NAME LIKE ".to_vec(),
            quote::text(format!("{}%", pattern).as_bytes()),
        ]
        .concat();
        let rows = self.ask(shard.cluster, &text).await?;
        Ok(rows.iter().filter_map(|row| text_of(row, 0)).collect())
    }

    async fn weights(&self, keys: &[WeightKey], facts: &mut Facts) -> Result<()> {
        let mut missing = Vec::new();
        for key in keys {
            match self.facts.inner().weights.get(key) {
                Some(weight) => {
                    facts.weights.insert(key.clone(), weight.clone());
                }
                None => missing.push(key),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let mut text = b"SELECT ".to_vec();
        for (index, key) in missing.iter().enumerate() {
            if index > 0 {
                text.extend_from_slice(b", ");
            }
            text.extend_from_slice(&weight_expression(key)?);
        }
        let rows = self.ask_any(&text).await?;
        let row = rows.into_iter().next().unwrap_or_default();
        for (key, weight) in missing.into_iter().zip(row) {
            let weight: Arc<[u8]> = weight.unwrap_or_default().as_ref().into();
            let mut inner = self.facts.inner();
            if inner.weights.len() >= WEIGHTS_MAX {
                inner.weights.clear();
            }
            inner.weights.insert(key.clone(), weight.clone());
            facts.weights.insert(key.clone(), weight);
        }
        Ok(())
    }

    /// Values of constant expressions in the session's own settings (its time zone, its clock).
    async fn compute(
        &self,
        texts: &[Vec<u8>],
        facts: &mut Facts,
        state: &ClientState,
    ) -> Result<()> {
        let query = [b"SELECT ".as_slice(), &texts.join(b", ".as_slice())].concat();
        let rows = self.rows_of(self.lease_any().await?, state.base().clone(), &query).await?;
        let row = rows.into_iter().next().unwrap_or_default();
        for (text, value) in texts.iter().zip(row) {
            let literal = match value {
                None => Literal::Null,
                Some(bytes) => Literal::String { bytes: bytes.to_vec(), charset: None },
            };
            facts.computed.insert(text.clone(), literal);
        }
        Ok(())
    }

    /// Values of constant expressions of conditions, and the time that they were computed at.
    async fn constants(
        &self,
        texts: &[Vec<u8>],
        clock: bool,
        facts: &mut Facts,
        state: &ClientState,
    ) -> Result<()> {
        let mut base = state.base().clone();
        let fixed = base.variables.contains_key("timestamp");
        if let Some(clock) = &facts.clock {
            base.variables.insert("timestamp".to_owned(), clock.clone());
        }
        let query =
            [b"SELECT @@session.timestamp, ", texts.join(b", ".as_slice()).as_slice()].concat();
        let mut lease = self.lease_any().await?;
        lease.set_deadline(self.deadline(None));
        lease.ensure_state(&Arc::new(base)).await?;
        let (columns, row) = match lease.query_all(&query).await {
            Ok(QueryResult { columns, rows, .. }) => {
                (columns, rows.into_iter().next().unwrap_or_default())
            }
            // The statement itself will tell what is wrong with it.
            Err(error) if matches!(error.kind(), ErrorKind::Server(_)) => Default::default(),
            Err(error) => return Err(error),
        };
        let mut cells = row.into_iter().zip(&columns);
        let time = cells.next().and_then(|(time, _)| time);
        for text in texts {
            let value = cells.next().and_then(|(value, column)| constant(value.as_deref(), column));
            facts.constants.insert(text.clone(), value);
        }
        if let (true, false, None, Some(time)) = (clock, fixed, &facts.clock, time) {
            facts.clock = Some(String::from_utf8_lossy(&time).into_owned());
        }
        Ok(())
    }

    /// The character set of a shard's database.
    pub(super) async fn charset_of(&self, shard: ShardId) -> Result<String> {
        let shard = self.shard(shard)?;
        let text = [
            b"SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "
                .to_vec(),
            quote::text(shard.database.as_bytes()),
        ]
        .concat();
        let rows = self.ask(shard.cluster, &text).await?;
        let name = rows.first().and_then(|row| text_of(row, 0));
        name.ok_or_else(|| Error::new(ErrorKind::Config, format!("{} has no database", shard.name)))
    }

    /// A connection to whichever primary can be reached.
    async fn lease_any(&self) -> Result<Lease> {
        let mut last = Error::new(ErrorKind::NoBackend, "the rules have no cluster");
        for cluster in 0..self.config.clusters.len() {
            match self.backends.lease(cluster, Access::Primary, false).await {
                Ok(lease) => return Ok(lease),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Runs a query of our own that every server answers alike.
    async fn ask_any(&self, text: &[u8]) -> Result<Vec<Row>> {
        self.rows_of(self.lease_any().await?, SessionState::default(), text).await
    }

    /// Runs a query of our own on the primary of a cluster.
    pub async fn ask(&self, cluster: usize, text: &[u8]) -> Result<Vec<Row>> {
        let lease = self.backends.lease(cluster, Access::Primary, false).await?;
        self.rows_of(lease, SessionState::default(), text).await
    }

    /// Runs a query of our own in a session's state.
    pub(super) async fn ask_as(&self, state: SessionState, text: &[u8]) -> Result<Vec<Row>> {
        self.rows_of(self.lease_any().await?, state, text).await
    }

    async fn rows_of(
        &self,
        mut lease: Lease,
        state: SessionState,
        text: &[u8],
    ) -> Result<Vec<Row>> {
        lease.set_deadline(self.deadline(None));
        lease.ensure_state(&Arc::new(state)).await?;
        Ok(lease.query_all(text).await?.rows)
    }
}

/// A value with its type. None for types that no key is found by.
fn constant(value: Option<&[u8]>, column: &protocol::column::Column) -> Option<Literal> {
    use ColumnType as T;
    let Some(value) = value else { return Some(Literal::Null) };
    let text = || String::from_utf8_lossy(value).into_owned();
    Some(match column.ty {
        T::MYSQL_TYPE_TINY
        | T::MYSQL_TYPE_SHORT
        | T::MYSQL_TYPE_INT24
        | T::MYSQL_TYPE_LONG
        | T::MYSQL_TYPE_LONGLONG
        | T::MYSQL_TYPE_YEAR => Literal::Integer(text()),
        T::MYSQL_TYPE_NEWDECIMAL | T::MYSQL_TYPE_DECIMAL => Literal::Decimal(text()),
        T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => Literal::Float(text()),
        T::MYSQL_TYPE_DATE => Literal::Temporal { kind: TemporalKind::Date, text: text() },
        T::MYSQL_TYPE_DATETIME | T::MYSQL_TYPE_TIMESTAMP => {
            Literal::Temporal { kind: TemporalKind::Timestamp, text: text() }
        }
        T::MYSQL_TYPE_VARCHAR
        | T::MYSQL_TYPE_VAR_STRING
        | T::MYSQL_TYPE_STRING
        | T::MYSQL_TYPE_BLOB
        | T::MYSQL_TYPE_TINY_BLOB
        | T::MYSQL_TYPE_MEDIUM_BLOB
        | T::MYSQL_TYPE_LONG_BLOB => Literal::String { bytes: value.to_vec(), charset: None },
        _ => return None,
    })
}

fn weight_expression(key: &WeightKey) -> Result<Vec<u8>> {
    let charset = key.collation.split('_').next().unwrap_or_default();
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain(&key.charset) || !plain(&key.collation) {
        return Err(Error::internal("a collation name that is not plain"));
    }
    // MariaDB's UCA 14.0.0 names leave their charset out.
    let charset = if charset.starts_with("uca") { "utf8mb4" } else { charset };
    let value = String::from_utf8_lossy(&quote::hex(&key.text)).into_owned();
    Ok(format!(
        "WEIGHT_STRING(CONVERT(_{} {value} USING {charset}) COLLATE {})",
        key.charset, key.collation
    )
    .into_bytes())
}

fn text_of(row: &Row, index: usize) -> Option<String> {
    row.get(index)?.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn number_of(row: &Row, index: usize) -> u32 {
    text_of(row, index).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// A row of information_schema.COLUMNS, in the order of the query above.
pub(super) fn column(row: &Row) -> Column {
    let extra = text_of(row, 7).unwrap_or_default().to_ascii_lowercase();
    Column {
        name: text_of(row, 0).unwrap_or_default(),
        class: column_class(row),
        declared: text_of(row, 2).unwrap_or_default(),
        nullable: text_of(row, 8).is_none_or(|text| !text.eq_ignore_ascii_case("NO")),
        auto_increment: extra.contains("auto_increment"),
        invisible: extra.contains("invisible"),
        // `DEFAULT_GENERATED` is a default.
        generated: extra.contains("virtual generated") || extra.contains("stored generated"),
        primary: text_of(row, 10).is_some_and(|text| text == "PRI"),
    }
}

fn column_class(row: &Row) -> ColumnClass {
    let data_type = text_of(row, 1).unwrap_or_default().to_ascii_lowercase();
    let column_type = text_of(row, 2).unwrap_or_default().to_ascii_lowercase();
    match data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => {
            ColumnClass::Integer { unsigned: column_type.contains("unsigned") }
        }
        "decimal" => ColumnClass::Decimal { scale: small(number_of(row, 5)) },
        "float" | "double" => ColumnClass::Float,
        "bit" => ColumnClass::Bit,
        "year" => ColumnClass::Year,
        "date" => ColumnClass::Date,
        "datetime" => ColumnClass::DateTime { fraction: small(number_of(row, 6)) },
        "timestamp" => ColumnClass::Timestamp,
        "time" => ColumnClass::Time,
        "binary" => ColumnClass::Binary { length: number_of(row, 4) },
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => ColumnClass::VarBinary,
        "enum" => ColumnClass::Enum,
        "set" => ColumnClass::Set,
        "json" => ColumnClass::Json,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "uuid" | "inet6"
        | "inet4" => match text_of(row, 3) {
            Some(collation) => ColumnClass::Text { collation, fixed: data_type == "char" },
            None => ColumnClass::VarBinary,
        },
        _ => ColumnClass::Geometry,
    }
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
