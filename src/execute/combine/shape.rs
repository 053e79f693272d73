//! The columns of a statement whose tables no server has together: empty temporary tables stand for
//! them.

use std::sync::Arc;

use bytes::Bytes;

use super::check::is_final;
use super::gather::Gather;
use super::program::Program;
use super::stage::Bound;
use crate::backend::{Access, Deadline};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::aftermath::Aftermath;
use crate::execute::client_state::ClientState;
use crate::execute::fill::Defined;
use crate::execute::pins::Pins;
use crate::execute::run::{Call, Part, Pinned, Run};
use crate::execute::snapshot::Snapshot;
use crate::execute::warnings::Warnings;
use crate::plan::combine::{Combine, Options};
use crate::plan::facts::Facts;
use crate::plan::types::{Fill, Source};
use crate::protocol::capability::ColumnType;
use crate::protocol::charset::BINARY;
use crate::protocol::column::Column;
use crate::protocol::params::{Param, ParamValue};
use crate::sql;
use crate::sql::expr::Literal;
use crate::sql::walk::{self, Node};
use crate::transaction::{Begin, Transaction};

/// Empty tables in the places of all.
const EMPTY: Options =
    Options { broadcast: false, detached: false, tables_only: true, shape_only: true };

/// Definitions of parameters and of columns.
pub(in crate::execute) type Shape = (Vec<Column>, Vec<Column>);

impl Snapshot {
    /// Definitions of the parameters and columns of a SELECT, or the error that one server would have for
    /// it. None: they cannot be told.
    pub(in crate::execute) async fn describe_apart(
        self: &Arc<Self>,
        source: &Source,
        state: &ClientState,
        deadline: Option<Deadline>,
    ) -> Option<Result<Shape>> {
        let (mut transaction, mut warnings) = (Transaction::default(), Warnings::default());
        let pins = Pins::default();
        let mut run = Run {
            snapshot: self,
            transaction: &mut transaction,
            state,
            call: Call::Text,
            hidden: None,
            reads: Access::Primary,
            found_rows: false,
            writes: false,
            written: None,
            clocked: None,
            aftermath: Aftermath::default(),
            deadline,
            warnings: &mut warnings,
            harmless: false,
            held: None,
            alone: Begin::default(),
            part: Part::default(),
            pins: Pinned { pins: &pins, used: false, read: false, locked: false },
            files: None,
        };
        let combine = run.program(source, &mut Facts::default(), EMPTY).await.ok()?;
        // Steps of CTEs may ask for parameters, whose values are not known and change no types.
        let count = parameters(&combine);
        let (params, literals) = (vec![null(); count], vec![Literal::Null; count]);
        run.call = Call::Prepared { params: &params, literals: &literals };
        let program = Program::new(&run, &combine, source);
        match Box::pin(program.shape()).await {
            Ok(shape) => Some(Ok(shape)),
            Err(error) if is_of_groups(&error) && self.groups_tables(source).await => None,
            Err(error) if is_final(&error) => Some(Err(error)),
            Err(error) => {
                tracing::debug!(%error, "a statement that cannot be described");
                None
            }
        }
    }
}

/// ER_WRONG_FIELD_WITH_GROUP
fn is_of_groups(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server(own) if own.code == 1055)
}

impl Snapshot {
    /// The statement groups columns of common table expressions, which stand at each place where they are
    /// read: a MariaDB may take the one and not the other.
    async fn groups_tables(&self, source: &Source) -> bool {
        let mut shared = false;
        if let Ok(statement) = sql::parse(&source.text, &source.mode) {
            walk::statement(&statement, &mut |node| {
                shared |= matches!(node, Node::Query(query) if !query.with.is_empty());
            });
        }
        let lease = self.backends.lease(0, Access::Primary, false).await;
        shared && lease.is_ok_and(|lease| lease.is_mariadb())
    }
}

/// How many parameters the client's statement has.
fn parameters(combine: &Combine) -> usize {
    let stages = combine.steps.iter().map(|step| &step.stage);
    let all = stages.chain([&combine.last]).flat_map(|stage| &stage.params);
    all.map(|index| usize::from(*index) + 1).max().unwrap_or_default()
}

fn null() -> Param {
    Param { ty: ColumnType::MYSQL_TYPE_NULL, unsigned: false, value: ParamValue::Null }
}

impl Run<'_> {
    /// As [`Run::defined_at`], where no server has all tables: what they have beside names, types and
    /// collations of their columns is lost.
    pub(in crate::execute) async fn defined_apart(&mut self, fill: &Fill) -> Result<Defined> {
        let source = &fill.empty;
        let combine = self.program(source, &mut Facts::default(), EMPTY).await?;
        let program = Program::new(self, &combine, source);
        let (mut gather, text, state) = Box::pin(program.stand_in()).await?;
        let state = state.in_database(&gather.database);
        self.define(&mut gather.lent.lease, &state, fill, &text).await
    }
}

impl Program<'_> {
    /// Describes the last statement, and gives it the client's parameters.
    async fn shape(&self) -> Result<Shape> {
        let (own, columns) = match self.combine.steps.is_empty() {
            true => self.shape_in_place().await?,
            false => self.shape_apart().await?,
        };
        let stage = &self.combine.last;
        let mut params = Vec::new();
        for index in 0..parameters(self.combine) {
            let at = stage.params.iter().position(|other| usize::from(*other) == index);
            let told = at.and_then(|at| own.get(at));
            params.push(told.cloned().unwrap_or_else(unknown));
        }
        Ok((params, columns))
    }

    /// Nothing is left but what one server has: CTEs that nothing reads are gone.
    async fn shape_in_place(&self) -> Result<Shape> {
        let stage = &self.combine.last;
        let bound = Bound::new(stage, self.call)?;
        let (select, facts) = self.planned(&stage.text, &[]).await?;
        let (mut apart, mut warnings) = (Transaction::default(), Warnings::default());
        let run = self.run_of(&mut apart, self.client, bound.call(), &[], &mut warnings);
        let sample = run.sample_of(&select, &facts);
        let (target, text) =
            sample.ok_or_else(|| Error::internal("a statement that no server can describe"))?;
        self.snapshot.describe_at(&target, text, self.client, self.deadline).await
    }

    /// Prepares the last statement over empty tables.
    async fn shape_apart(&self) -> Result<Shape> {
        let (mut gather, text, state) = self.stand_in().await?;
        let lease = &mut gather.lent.lease;
        lease.ensure_state(&state.in_database(&gather.database)).await?;
        let prepared = lease.prepare(&Bytes::from(text)).await;
        let prepared = prepared.map_err(|error| self.named(error, &gather.database))?;
        let parse =
            |packets: &Arc<[Bytes]>| packets.iter().map(Column::parse).collect::<Result<Vec<_>>>();
        let mut columns = parse(&prepared.columns)?;
        columns.iter_mut().for_each(super::check::hide);
        state.dress(&mut columns);
        Ok((parse(&prepared.parameters)?, columns))
    }

    /// Runs the parts, which have no rows. Gives the connection with their tables, the last statement and
    /// the state that it takes.
    async fn stand_in(&self) -> Result<(Gather, Vec<u8>, &ClientState)> {
        let mut apart = Transaction::default();
        let gather = self.gather(&mut apart).await?;
        let count = self.combine.steps.len();
        let mut done: Vec<_> = (0..count).map(|_| None).collect();
        for at in 0..count {
            let part = self.part(at, &mut apart, &done, &gather).await?;
            if let Some(place) = done.get_mut(at) {
                *place = Some(part);
            }
        }
        let stage = &self.combine.last;
        let Some(gather) = gather else {
            return Err(Error::internal("a statement that is described without its parts"));
        };
        let mut gather = gather.into_inner();
        let bound = Bound::new(stage, self.call)?;
        // For ONLY_FULL_GROUP_BY a MySQL looks at keys.
        let state = match gather.lent.lease.is_mariadb() || self.is_keyed(stage, &done) {
            true => self.client,
            false => &self.states.last,
        };
        let (fragment, _) = self.fragment(stage, &done, &mut gather, state, bound.call()).await?;
        gather.finish();
        Ok((gather, fragment.text, state))
    }
}

impl Program<'_> {
    /// An error that names columns by the client's schema rather than by that of the stand-ins.
    fn named(&self, error: Error, database: &str) -> Error {
        let (ErrorKind::Server(server), Some(schema)) = (error.kind(), &self.source.schema) else {
            return error;
        };
        let mut server = server.clone();
        let message = String::from_utf8_lossy(&server.message);
        server.message =
            message.replace(&format!("'{database}."), &format!("'{schema}.")).into_bytes();
        Error::server(server)
    }
}

/// What a MariaDB says of every parameter.
fn unknown() -> Column {
    Column::computed("?", ColumnType::MYSQL_TYPE_VAR_STRING, BINARY)
}
