//! One statement on its way to the shards.

use std::sync::Arc;

use bytes::BytesMut;

use super::aftermath::Aftermath;
use super::client_state::ClientState;
use super::combine::{Held, hold};
use super::file::Files;
use super::names::Names;
use super::numbers::Ids;
use super::pins::Pins;
use super::reply::Reply;
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::warnings::Warnings;
use crate::backend::node::Role;
use crate::backend::state::NO_SCHEMA;
use crate::backend::{Access, Connection, Deadline, Keeper, SessionState, Wish, Written};
use crate::catalog::ShardId;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::plan::Plan;
use crate::plan::facts::{Facts, Stop};
use crate::plan::key::Run as Values;
use crate::plan::known::Hidden;
use crate::plan::render::render;
use crate::plan::template::{Target, Template};
use crate::protocol::command::Execute;
use crate::protocol::params::{Param, put_execute};
use crate::protocol::reply::{OkPacket, ReplyHead};
use crate::sql::expr::Literal;
use crate::transaction::{Begin, Lent, Transaction};

/// What a statement needs to run: who asks, with which state and values, until when.
pub struct Run<'a> {
    pub snapshot: &'a Arc<Snapshot>,
    pub transaction: &'a mut Transaction,
    /// Variables of the session; the schema is each target's own.
    pub state: &'a ClientState,
    /// The same at a fixed time, for a statement that was routed by the time.
    pub clocked: Option<ClientState>,
    pub call: Call<'a>,
    /// What the plan was made without, if it is one of a shape.
    pub hidden: Option<Hidden<'a>>,
    /// Where plain reads go.
    pub reads: Access,
    /// Who hears of what is committed. None: it only reads.
    pub written: Option<&'a Arc<Written>>,
    /// The client asked for CLIENT_FOUND_ROWS.
    pub found_rows: bool,
    pub deadline: Option<Deadline>,
    /// The statement may write.
    pub writes: bool,
    /// It changes nothing, whatever schema and variables it runs with.
    pub harmless: bool,
    /// How a transaction begins that is for the statement alone.
    pub alone: Begin,
    /// What the connection is asked behind the statement, if it runs on one target.
    pub aftermath: Aftermath,
    /// Filled as warnings come in.
    pub warnings: &'a mut Warnings,
    /// Of a part of a combined statement: temporary tables that it reads. None: a client's statement.
    pub held: Option<HeldTables<'a>>,
    /// How it is a part of another statement.
    pub part: Part,
    pub pins: Pinned<'a>,
    /// Where a file of the client is asked for. None: the statement has no client of its own.
    pub files: Option<&'a Files>,
}

/// The connections that the session is pinned to.
#[derive(Clone, Copy)]
pub struct Pinned<'a> {
    pub pins: &'a Pins,
    /// The statement needs what is on them: its connections to their clusters are these.
    pub used: bool,
    /// It reads what is on them, or tables are locked: rows may not pass over other connections.
    pub read: bool,
    /// Tables are locked, and it names some, or calls what may.
    pub locked: bool,
}

/// How a statement is a part of one that writes what it reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// It inserts one row, for which servers tell no info, and may do so ON DUPLICATE KEY UPDATE.
    pub(super) one_row: Option<bool>,
    /// It writes rows whose places are known; infos are asked for of all its writes.
    pub(super) told: bool,
    /// It locks the rows that it reads.
    pub(super) locks: bool,
}

impl Part {
    /// What ends its reads.
    pub(super) fn lock(self) -> &'static [u8] {
        if self.locks { b" FOR UPDATE" } else { b"" }
    }
}

/// Temporary tables that every connection must have that runs a part of a combined statement.
#[derive(Clone, Copy)]
pub struct HeldTables<'a>(pub(super) &'a [Arc<Held>]);

/// How the client called the statement.
#[derive(Clone, Copy)]
pub enum Call<'a> {
    /// COM_QUERY: text rows.
    Text,
    /// COM_STMT_EXECUTE: binary rows. `literals` are the same values as the planner reads them.
    Prepared { params: &'a [Param], literals: &'a [Literal] },
}

/// What one target is sent.
pub(super) struct Fragment {
    pub(super) shard: ShardId,
    pub(super) text: Vec<u8>,
    /// It runs in whichever schema of the server.
    pub(super) anywhere: bool,
    /// Indexes of the client's parameters, in the order of the `?` in the text.
    pub(super) params: Vec<u16>,
    /// Parameters of our own, whose indexes are behind those of the client.
    pub(super) more_params: Arc<[Param]>,
    pub(super) info: Info,
    /// Its insert id is that of the statement, since it has the last row.
    pub(super) tells_id: bool,
    /// Generated ids in its rows.
    pub(super) ids: Option<Ids>,
    /// Which rows of an INSERT it has; empty if all, or for other statements.
    pub(super) rows: Vec<usize>,
}

/// Who tells the info text of a write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Info {
    Server,
    /// One row of an INSERT of several, for which the server tells nothing.
    OneRow {
        on_duplicate: bool,
    },
}

impl Fragment {
    pub(super) fn new(shard: ShardId, text: Vec<u8>, params: Vec<u16>) -> Self {
        let more_params = Arc::default();
        let (info, rows) = (Info::Server, Vec::new());
        let anywhere = false;
        Self { shard, text, anywhere, params, more_params, info, tells_id: true, ids: None, rows }
    }

    /// What the server did with it.
    pub(super) fn outcome(&self, mut summary: Summary) -> Summary {
        if !self.tells_id {
            summary.last_insert_id = 0;
        }
        self.told(summary)
    }

    /// The outcome with the info that one server would tell of the whole statement.
    pub(super) fn told(&self, mut summary: Summary) -> Summary {
        if let Info::OneRow { on_duplicate } = self.info {
            // Two rows affected: one replaced or updated. None: one ignored, or updated to what it was.
            let duplicates = match summary.affected_rows {
                0 => u8::from(!on_duplicate),
                1 => 0,
                _ => 1,
            };
            let warnings = summary.warnings;
            summary.info =
                format!("Records: 1  Duplicates: {duplicates}  Warnings: {warnings}").into_bytes();
        }
        summary
    }
}

impl Run<'_> {
    /// Runs the plan. Facts that are missing are fetched on the way.
    pub async fn plan(&mut self, plan: &Plan, facts: &mut Facts) -> Result<Reply> {
        match plan {
            Plan::Select(select) => self.select(select, facts).await,
            Plan::Insert(insert) => self.insert(insert, facts).await,
            Plan::Feed(feed) => self.feed(feed, facts).await,
            Plan::Write(write) => self.write(write, facts).await,
            Plan::Load(load) => self.load(load, facts).await,
            Plan::Ddl(ddl) => self.ddl(ddl, facts).await,
        }
    }

    /// What the resolver looks at.
    pub(super) fn values<'f>(&'f self, facts: &'f Facts) -> Values<'f> {
        Values {
            catalog: &self.snapshot.catalog,
            facts,
            params: self.literals(),
            charset: self.state.charset(),
            cluster: self.transaction.cluster(),
            hidden: self.hidden,
        }
    }

    pub(super) fn literals(&self) -> &[Literal] {
        match self.call {
            Call::Text => &[],
            Call::Prepared { literals, .. } => literals,
        }
    }

    /// Asks `step` until it needs no more facts. Each round fetches what the last one lacked, and a
    /// step lacks each fact at most once: columns come table by table at the worst.
    pub(super) async fn settle<T>(
        &mut self,
        facts: &mut Facts,
        step: impl Fn(&Self, &Facts) -> Result<T, Stop>,
    ) -> Result<T> {
        const ROUNDS_MAX: usize = 64;
        for _ in 0..ROUNDS_MAX {
            match step(self, facts) {
                Ok(value) => {
                    self.clocked = facts.clock.as_deref().map(|time| self.state.at(time));
                    return Ok(value);
                }
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Need(need)) => {
                    Box::pin(self.snapshot.fetch(&need, facts, self.state)).await?;
                }
            }
        }
        Err(Error::internal("planning asks for the same facts again and again"))
    }

    /// The text for a target.
    pub(super) fn fragment(
        &self,
        template: &Template,
        target: &Target,
        facts: &Facts,
    ) -> Result<Fragment> {
        let rendered = render(template, target, &self.values(facts))?;
        let anywhere = rendered.anywhere;
        Ok(Fragment { anywhere, ..Fragment::new(target.shard, rendered.text, rendered.params) })
    }

    /// A connection for the fragment: that which is in its schema already, if there is one.
    pub(super) async fn connect_for(
        &mut self,
        fragment: &Fragment,
        access: Access,
    ) -> Result<Lent> {
        let snapshot = self.snapshot;
        let shard = snapshot.shard(fragment.shard)?;
        let database = if fragment.anywhere { NO_SCHEMA } else { &shard.database };
        self.connect_in((shard.cluster, database), access).await
    }

    /// A connection to the shard's cluster: the transaction's if there is one, else from the pool.
    pub(super) async fn connect(&mut self, shard: ShardId, access: Access) -> Result<Lent> {
        let snapshot = self.snapshot;
        let shard = snapshot.shard(shard)?;
        self.connect_in((shard.cluster, &shard.database), access).await
    }

    async fn connect_in(
        &mut self,
        (cluster, database): (usize, &str),
        access: Access,
    ) -> Result<Lent> {
        let keeper = self.pinned(cluster)?;
        let mut lent = if self.transaction.is_active() {
            let join =
                self.snapshot.join(self.transaction, cluster, self.found_rows, self.pins.pins);
            Box::pin(join).await?
        } else if let Some(keeper) = keeper {
            let limit = self.snapshot.config.settings.backend.pool_wait;
            Lent::apart(keeper.lend(limit).await?, cluster)
        } else {
            let state = self.clocked.as_ref().unwrap_or(self.state).in_database(database);
            let wish = Wish { found_rows: self.found_rows, state: Some(&state) };
            let lease = self.snapshot.backends.lease_for(cluster, access, wish).await?;
            Lent::apart(lease, cluster)
        };
        if self.writes {
            self.transaction.wrote(cluster);
        }
        self.report(&mut lent);
        Ok(lent)
    }

    /// The connection that the statement has to take.
    pub(super) fn pinned(&self, cluster: usize) -> Result<Option<&Keeper>> {
        let Pinned { pins, used, locked, .. } = self.pins;
        let keeper = pins.keeper(cluster);
        if locked && keeper.is_none() {
            return Err(Error::server(ServerError {
                code: 1100,
                state: *b"HY000",
                message: b"A table on another cluster was not locked with LOCK TABLES".to_vec(),
            }));
        }
        Ok(keeper.filter(|_| used))
    }

    /// The session shall hear of what is committed on a primary, also by a SELECT that calls a function.
    pub(super) fn report(&self, lent: &mut Lent) {
        if let Some(written) = self.written
            && lent.lease.node().role() == Role::Primary
        {
            lent.lease.report_to(written, self.writes);
        }
    }

    /// What the last statement on a connection warned of, with logical names.
    pub(super) async fn raised(&self, lent: &mut Lent, target: &Target) -> Warnings {
        let mut warnings = Warnings::default();
        warnings.collect(&mut lent.lease).await;
        if !warnings.list.is_empty()
            && let Some(names) = Names::new(self.snapshot, target)
        {
            warnings.restore(&names);
        }
        warnings
    }

    /// Sends a fragment, with all that must go before it, in one write, and reads how the reply starts.
    pub(super) async fn start(&self, lent: &mut Lent, fragment: &Fragment) -> Result<ReplyHead> {
        let database = &self.snapshot.shard(fragment.shard)?.database;
        let connection = &mut *lent.lease;
        connection.set_deadline(self.deadline);
        if let Some(HeldTables(held)) = self.held {
            hold(connection, self.state.base(), database, held, &self.snapshot.abilities).await?;
        }
        let database = match &lent.lease.state().schema {
            Some(current) if fragment.anywhere => current,
            None if fragment.anywhere => NO_SCHEMA,
            Some(_) | None => database,
        };
        let state = self.clocked.as_ref().unwrap_or(self.state).in_database(database);
        self.start_in(lent, fragment, &state).await
    }

    /// As [`Run::start`], in the state that the connection is to have.
    pub(super) async fn start_in(
        &self,
        lent: &mut Lent,
        fragment: &Fragment,
        state: &Arc<SessionState>,
    ) -> Result<ReplyHead> {
        if (self.held.is_some() || self.harmless) && !self.transaction.is_active() {
            // It changes nothing: were the state or the tables before it wrong, the error takes the place
            // of its rows.
            lent.lease.queue_state(state)?;
        } else {
            // Waiting for the state to be right costs a round trip when it differs. It is worth it: a
            // statement must never run in a wrong one.
            lent.lease.ensure_state(state).await?;
        }
        lent.prepare().await?;
        let connection = &mut *lent.lease;
        match self.call {
            Call::Text => {
                connection.queue_query(&fragment.text)?;
                connection.flush().await?;
            }
            Call::Prepared { params, .. } => {
                queue_execute(connection, fragment, params).await?;
                connection.flush().await?;
            }
        }
        connection.read_head().await
    }

    /// Runs a fragment that gives no rows to its end.
    pub(super) async fn run_to_ok(&self, lent: &mut Lent, fragment: &Fragment) -> Result<OkPacket> {
        match self.start(lent, fragment).await? {
            ReplyHead::Ok(ok) => Ok(ok),
            ReplyHead::Err(error) => Err(Error::server(error)),
            ReplyHead::Columns(_) | ReplyHead::LocalInfile(_) => Err(Error::unsupported(
                "a statement that gives rows where only counts are expected; run it on one shard",
            )),
        }
    }

    /// Gives the connection of a statement back after an error on it: the transaction, if there is
    /// one, stays open if the server only refused the statement, and is lost if the connection broke.
    pub(super) fn give_back_after(&mut self, lent: Lent, error: &Error) {
        if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Unsupported) {
            self.transaction.give_back_refused(lent, error);
        } else {
            drop(lent);
            self.transaction.lost();
        }
    }
}

/// Queues the execution of the fragment as a prepared statement of the connection.
pub(super) async fn queue_execute(
    connection: &mut Connection,
    fragment: &Fragment,
    params: &[Param],
) -> Result<()> {
    let statement = connection.prepare_id(&fragment.text).await?;
    let picks: Vec<usize> = fragment.params.iter().map(|index| usize::from(*index)).collect();
    let mut payload = BytesMut::new();
    let all: Vec<Param>;
    let params = match fragment.more_params.is_empty() {
        true => params,
        false => {
            all = [params, &fragment.more_params].concat();
            &all
        }
    };
    put_execute(&mut payload, Execute { statement, flags: 0 }, params, &picks)?;
    connection.queue_command(&[&payload])
}
