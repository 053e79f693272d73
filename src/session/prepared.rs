//! Prepared statements of one client.
//!
//! A statement is parsed when it is prepared and planned each time it is executed, with the values at
//! hand. The shards prepare the texts that come of it themselves, so types and values are theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::Session;
use super::cursor::Cursor;
use super::expand::is_stale;
use super::into::{query_into, without_into};
use super::named::{Named, not_preparable};
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::Reply;
use crate::execute::inline;
use crate::execute::plans::Look;
use crate::execute::reply::Rows;
use crate::execute::run::Call;
use crate::execute::warnings::Warnings;
use crate::plan::facts::Facts;
use crate::protocol::capability::{CapabilityFlags, ColumnType};
use crate::protocol::charset::BINARY;
use crate::protocol::column::Column;
use crate::protocol::command::Execute;
use crate::protocol::params::{Bound, Param, ParamType, Scalar, parse_execute};
use crate::sql::expr::{Literal, TemporalKind};
use crate::sql::scanner;
use crate::sql::shape::Shape;
use crate::sql::statement::{Show, ShowKind, Statement, StatementKind};
use crate::sql::{self, Mode};

/// The statements of a session by id.
#[derive(Default)]
pub(super) struct Statements {
    by_id: BTreeMap<u32, Prepared>,
    last_id: u32,
    /// Those of `PREPARE name`, by name in lower case.
    pub(super) named: BTreeMap<String, Named>,
}

struct Prepared {
    text: Arc<[u8]>,
    statement: Arc<Statement>,
    /// What the text looks like; None: its plan is not kept.
    shape: Option<Arc<Shape>>,
    /// The schema and the sql_mode that its text means.
    schema: Option<String>,
    mode: Mode,
    types: Vec<ParamType>,
    /// Pieces that COM_STMT_SEND_LONG_DATA brought.
    long: BTreeMap<u16, BytesMut>,
    /// Why the next execution fails: data over a limit, which has no reply of its own.
    failed: Option<Error>,
    cursor: Option<Cursor>,
}

/// What a client hears of a statement that it prepared.
pub struct PreparedInfo {
    pub id: u32,
    pub params: Vec<Column>,
    pub columns: Vec<Column>,
    pub warnings: u16,
}

impl Session {
    /// Prepares a statement.
    ///
    /// # Errors
    /// Syntax errors, refusals, and whatever a shard says of the text.
    pub async fn prepare(&mut self, text: &[u8]) -> Result<PreparedInfo> {
        self.refresh();
        let outcome = self.try_prepare(text).await;
        if let Err(error) = &outcome {
            self.warnings = Warnings::default();
            self.failed(error);
        }
        outcome
    }

    /// A new statement has room beside those of the session.
    pub(super) fn check_prepared_count(&self) -> Result<()> {
        let limit = self.snapshot.config.settings.limits.prepared_statements as usize;
        if self.prepared.by_id.len() + self.prepared.named.len() < limit {
            return Ok(());
        }
        Err(Error::server(ServerError {
            code: 1461,
            state: *b"42000",
            message: format!(
                "Can't create more than limits.prepared_statements statements (current value: {limit})"
            )
            .into_bytes(),
        }))
    }

    async fn try_prepare(&mut self, text: &[u8]) -> Result<PreparedInfo> {
        self.check_prepared_count()?;
        let scan = scanner::scan(text, &self.mode)?;
        let shape = self.shape(text, &scan);
        let statement = sql::parse_scanned(text, scan, &self.mode)?;
        self.authorize(&statement)?;
        let (params, columns) = self.describe_any(text, &statement).await?;
        let id = self.prepared.next_id();
        self.prepared.by_id.insert(
            id,
            Prepared {
                text: text.into(),
                statement: Arc::new(statement),
                shape: shape.map(Arc::new),
                schema: self.schema.clone(),
                mode: self.mode,
                types: Vec::new(),
                long: BTreeMap::new(),
                failed: None,
                cursor: None,
            },
        );
        Ok(PreparedInfo { id, params, columns, warnings: 0 })
    }

    /// Parameters and columns of any statement that can be prepared.
    pub(super) async fn describe_any(
        &mut self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<(Vec<Column>, Vec<Column>)> {
        match &statement.kind {
            StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_) => self.describe_statement(text, statement).await,
            StatementKind::Do { at, .. } => {
                let (text, statement) = self.as_select(text, *at)?;
                let (params, _) = self.describe_statement(&text, &statement).await?;
                Ok((params, Vec::new()))
            }
            StatementKind::Call(called) => {
                let (text, target) = self.placed_call(text, statement, called)?;
                let deadline = self.deadline(&statement.hints);
                self.snapshot.describe_at(&target, text, &self.state, deadline).await
            }
            // What they show is known once they have run, which does nothing else.
            StatementKind::Show(Show { kind, .. }) if tells_columns(kind) => {
                Ok((any_params(statement), self.shown_columns(text, statement).await))
            }
            StatementKind::Describe { .. } => {
                Ok((any_params(statement), self.shown_columns(text, statement).await))
            }
            StatementKind::Explain(explain) if self.is_mariadb() && !explain.analyze => {
                Ok((any_params(statement), self.shown_columns(text, statement).await))
            }
            StatementKind::Use(_) if !self.is_mariadb() => Err(not_preparable()),
            StatementKind::Prepare { .. }
            | StatementKind::Execute(_)
            | StatementKind::Deallocate(_)
            | StatementKind::Load(_) => Err(not_preparable()),
            StatementKind::Empty => Err(Error::new(ErrorKind::EmptyQuery, "Query was empty")),
            StatementKind::Transaction(_)
            | StatementKind::Ddl(_)
            | StatementKind::Set(_)
            | StatementKind::SetNames { .. }
            | StatementKind::SetTransaction { .. }
            | StatementKind::Use(_)
            | StatementKind::Kill { .. }
            | StatementKind::LockTables(_)
            | StatementKind::Handler(_)
            | StatementKind::Show(_)
            | StatementKind::Explain(_)
            | StatementKind::Other(_) => Ok((any_params(statement), Vec::new())),
        }
    }

    /// The columns of a statement that only shows something. What is wrong with it shows when it runs.
    async fn shown_columns(&mut self, text: &[u8], statement: &Statement) -> Vec<Column> {
        let warnings = self.warnings.clone();
        let outcome = if statement.params == 0 {
            Box::pin(self.dispatch(text, statement, Call::Text)).await
        } else {
            let nulls = vec![b"NULL".to_vec(); usize::from(statement.params)];
            match inline::inline(text, statement, &self.mode, nulls) {
                Ok((text, statement)) => {
                    Box::pin(self.dispatch(&text, &statement, Call::Text)).await
                }
                Err(error) => Err(error),
            }
        };
        let columns = match outcome {
            Ok(Reply::Rows(mut rows)) => {
                let columns = std::mem::take(&mut rows.columns).into_vec();
                let outcome = read_out(&mut rows).await;
                self.release(&mut rows, outcome.as_ref().err());
                columns
            }
            Ok(Reply::Done(_)) | Err(_) => Vec::new(),
        };
        self.warnings = warnings;
        columns
    }

    /// Parameters and columns, as a shard that could run the statement has them.
    pub(super) async fn describe_statement(
        &mut self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<(Vec<Column>, Vec<Column>)> {
        if let Some(query) = query_into(&statement.kind) {
            // It gives no rows.
            let (text, statement) = without_into(text, query, &self.mode)?;
            let (params, _) = Box::pin(self.describe_statement(&text, &statement)).await?;
            return Ok((params, Vec::new()));
        }
        match self.describe_viewed(text, statement).await {
            Err(error) if is_stale(&error) && self.reload_views(statement).await => {
                self.describe_viewed(text, statement).await
            }
            outcome => outcome,
        }
    }

    async fn describe_viewed(
        &mut self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<(Vec<Column>, Vec<Column>)> {
        if let Some(expanded) = self.expanded(text, statement).await? {
            let described = self.describe_tables(&expanded.text, &expanded.statement).await;
            let (params, mut columns) =
                described.map_err(|error| expanded.told(error, statement))?;
            expanded.name(&mut columns);
            return Ok((params, columns));
        }
        self.describe_tables(text, statement).await
    }

    /// As [`Session::describe_statement`], of a statement that reads no view of Margay's.
    async fn describe_tables(
        &mut self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<(Vec<Column>, Vec<Column>)> {
        let substituted = self.substituted(text, statement)?;
        let (text, statement) = match &substituted {
            Some((text, statement)) => (text.as_slice(), statement),
            None => (text, statement),
        };
        if let Some(described) = self.describe_information(text, statement).await? {
            return Ok(described);
        }
        let mut facts = Facts::default();
        let tables = self.tables_of(statement);
        self.snapshot.facts.recall(&tables, &mut facts);
        self.know_temporaries(&tables, &mut facts);
        let plan = self.plan(text, statement, &mut facts, &[]).await?;
        let deadline = self.deadline(&statement.hints);
        let snapshot = self.snapshot.clone();
        self.look_for_pins(statement);
        let (mut params, columns) = if self.uses_pins {
            self.runner(&snapshot, &statement.hints, Call::Text).describe(&plan).await?
        } else {
            snapshot.describe(&plan, &self.state, deadline).await?
        };
        // Those of common table expressions that nothing reads are nowhere described.
        let unknown = || Column::computed("?", ColumnType::MYSQL_TYPE_VAR_STRING, BINARY);
        params.resize_with(usize::from(statement.params).max(params.len()), unknown);
        Ok((params, columns))
    }

    /// Executes a prepared statement; `payload` is the whole COM_STMT_EXECUTE packet.
    ///
    /// # Errors
    /// 1243 for an unknown id, and whatever running it brings.
    pub async fn execute(&mut self, payload: &Bytes, execute: Execute) -> Result<Reply> {
        self.refresh();
        let result = self.try_execute(payload, execute.statement).await;
        self.note(result)
    }

    async fn try_execute(&mut self, payload: &Bytes, id: u32) -> Result<Reply> {
        let capabilities = self.identity.capabilities;
        if let Some(cursor) = self.prepared.take_cursor(id, "mysqld_stmt_execute")? {
            self.close_cursor(cursor).await;
        }
        let prepared = self.prepared.get(id, "mysqld_stmt_execute")?;
        let params = prepared.take_params(payload, capabilities)?;
        let (text, statement) = (prepared.text.clone(), prepared.statement.clone());
        let shape = prepared.shape.clone();
        let (schema, mode) = (prepared.schema.clone(), prepared.mode);
        self.entry.running(&text);
        self.shared.registry.count_statement();
        let present = (std::mem::replace(&mut self.schema, schema), self.mode);
        let in_schema = self.schema.clone();
        self.mode = mode;
        let reply = self.execute_bound(&text, &statement, shape.as_deref(), &params).await;
        // The statement may have changed them itself.
        if self.mode == mode {
            self.mode = present.1;
        }
        if self.schema == in_schema {
            self.schema = present.0;
        }
        reply
    }

    async fn execute_bound(
        &mut self,
        text: &[u8],
        statement: &Statement,
        shape: Option<&Shape>,
        params: &[Param],
    ) -> Result<Reply> {
        match &statement.kind {
            StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Call(_)
            | StatementKind::Do { .. } => self.run_prepared(text, statement, shape, params).await,
            _ => {
                let bound;
                let (text, statement) = match params {
                    [] => (text, statement),
                    params => {
                        let values = inline::literals(params, self.state.charset())?;
                        bound = inline::inline(text, statement, &self.mode, values)?;
                        (bound.0.as_slice(), &bound.1)
                    }
                };
                let mut reply = Box::pin(self.statement(text, statement, Call::Text)).await;
                if let Ok(Reply::Rows(rows)) = &mut reply {
                    rows.to_binary();
                }
                reply
            }
        }
    }

    /// Runs a prepared statement: by the plan of its shape, or all the way.
    async fn run_prepared(
        &mut self,
        text: &[u8],
        statement: &Statement,
        shape: Option<&Shape>,
        params: &[Param],
    ) -> Result<Reply> {
        let shape = shape.filter(|_| self.keeps_plans());
        let look = shape.map(|shape| (shape, self.look(text, shape)));
        if let Some((shape, Look::Kept(kept))) = &look {
            // The values that matter are read by the plan.
            let call = Call::Prepared { params, literals: &[] };
            if let Some(reply) = self.run_kept(text, &shape.slots, kept, call).await? {
                return Ok(reply);
            }
        }
        let literals =
            params.iter().map(|param| literal(&param.scalar()?)).collect::<Result<Vec<_>>>()?;
        let call = Call::Prepared { params, literals: &literals };
        let reply = Box::pin(self.statement(text, statement, call)).await?;
        if let Some((shape, Look::Seen)) = look {
            self.keep(text, statement, shape);
        }
        Ok(reply)
    }

    /// Takes a piece of a parameter's value. It has no reply, so errors show at the execution.
    pub fn send_long_data(&mut self, id: u32, param: u16, data: &[u8]) {
        let limit = self.snapshot.config.settings.limits.max_allowed_packet.0;
        let Some(prepared) = self.prepared.by_id.get_mut(&id) else { return };
        let known: usize = prepared.long.values().map(BytesMut::len).sum();
        if param >= prepared.statement.params {
            prepared.failed = Some(Error::server(ServerError {
                code: 1210,
                state: *b"HY000",
                message: b"Incorrect arguments to mysqld_stmt_send_long_data".to_vec(),
            }));
        } else if (known + data.len()) as u64 > limit {
            // ER_UNKNOWN_ERROR, as servers have it.
            prepared.failed = Some(Error::server(ServerError {
                code: 1105,
                state: *b"HY000",
                message: format!(
                    "Parameter of prepared statement which is set through mysql_send_long_data() is longer \
                     than `limits.max_allowed_packet` ({limit} bytes)"
                )
                .into_bytes(),
            }));
        } else {
            prepared.long.entry(param).or_default().extend_from_slice(data);
        }
    }

    pub async fn close_statement(&mut self, id: u32) {
        let closed = self.prepared.by_id.remove(&id);
        if let Some(cursor) = closed.and_then(|prepared| prepared.cursor) {
            self.close_cursor(cursor).await;
        }
    }

    /// Drops the long data and the cursor of a statement.
    ///
    /// # Errors
    /// 1243 for an unknown id.
    pub async fn reset_statement(&mut self, id: u32) -> Result<()> {
        if let Some(cursor) = self.prepared.take_cursor(id, "mysqld_stmt_reset")? {
            self.close_cursor(cursor).await;
        }
        let prepared = self.prepared.get(id, "mysqld_stmt_reset")?;
        prepared.long.clear();
        prepared.failed = None;
        Ok(())
    }
}

impl Statements {
    fn next_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1).max(1);
            if !self.by_id.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }

    pub(super) fn open_cursor(&mut self, id: u32, cursor: Cursor) -> Result<()> {
        self.get(id, "mysqld_stmt_execute")?.cursor = Some(cursor);
        Ok(())
    }

    pub(super) fn take_cursor(&mut self, id: u32, command: &str) -> Result<Option<Cursor>> {
        Ok(self.get(id, command)?.cursor.take())
    }

    pub(super) fn has_cursors(&self) -> bool {
        self.by_id.values().any(|prepared| prepared.cursor.is_some())
    }

    /// The statements with an open cursor.
    pub(super) fn cursors(&self) -> Vec<u32> {
        let open = self.by_id.iter().filter(|(_, prepared)| prepared.cursor.is_some());
        open.map(|(id, _)| *id).collect()
    }

    fn get(&mut self, id: u32, command: &str) -> Result<&mut Prepared> {
        self.by_id.get_mut(&id).ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownStatement,
                format!("Unknown prepared statement handler ({id}) given to {command}"),
            )
        })
    }
}

impl Prepared {
    /// The parameters of an execution; long data is used up by it.
    fn take_params(
        &mut self,
        payload: &Bytes,
        capabilities: CapabilityFlags,
    ) -> Result<Vec<Param>> {
        let long = std::mem::take(&mut self.long);
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let long = long.into_iter().map(|(param, data)| (param, data.freeze())).collect();
        let bound =
            Bound { count: usize::from(self.statement.params), types: &self.types, long: &long };
        let params = parse_execute(payload, &bound, capabilities)?;
        self.types = params.iter().map(Param::param_type).collect();
        Ok(params)
    }
}

/// Whether servers tell the columns of this kind of SHOW when it is prepared.
fn tells_columns(kind: &ShowKind) -> bool {
    match kind {
        ShowKind::Databases
        | ShowKind::Tables
        | ShowKind::List(_)
        | ShowKind::Columns
        | ShowKind::Index
        | ShowKind::Variables { .. }
        | ShowKind::Status { .. } => true,
        ShowKind::CreateTable
        | ShowKind::CreateDatabase
        | ShowKind::Create(_)
        | ShowKind::Grants
        | ShowKind::Warnings { .. }
        | ShowKind::Errors { .. }
        | ShowKind::Processlist
        | ShowKind::MargayTransaction(_)
        | ShowKind::MargayPins
        | ShowKind::Server
        | ShowKind::Other(_) => false,
    }
}

/// Parameters of which nothing is known.
fn any_params(statement: &Statement) -> Vec<Column> {
    let any = |_| Column::computed("?", ColumnType::MYSQL_TYPE_VAR_STRING, BINARY);
    (0..statement.params).map(any).collect()
}

async fn read_out(rows: &mut Rows) -> Result<()> {
    while rows.next().await?.is_some() {}
    Ok(())
}

/// The value as routing reads it.
pub(super) fn literal(scalar: &Scalar<'_>) -> Result<Literal> {
    Ok(match *scalar {
        Scalar::Null => Literal::Null,
        Scalar::Int(value) => Literal::Integer(value.to_string()),
        Scalar::UInt(value) => Literal::Integer(value.to_string()),
        Scalar::Float(value) => Literal::Float(value.to_string()),
        Scalar::Double(value) => Literal::Float(value.to_string()),
        Scalar::Bytes(bytes) => Literal::String { bytes: bytes.to_vec(), charset: None },
        Scalar::Date { year, month, day, hour, minute, second, micros } => Literal::Temporal {
            kind: TemporalKind::Timestamp,
            text: format!(
                "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}"
            ),
        },
        Scalar::Time { negative, days, hours, minutes, seconds, micros } => {
            let sign = if negative { "-" } else { "" };
            let hours = days.saturating_mul(24).saturating_add(u32::from(hours));
            Literal::Temporal {
                kind: TemporalKind::Time,
                text: format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}"),
            }
        }
    })
}
