//! Statements of several reads and writes: all of their writes are done, or none.

use super::planning::Reading;
use std::pin::Pin;

use futures_util::future::join_all;

use super::aftermath::Aftermath;
use super::client_state::ClientState;
use super::load::Job;
use super::numbers::Numbered;
use super::reply::Reply;
use super::run::{Call, Part, Run};
use crate::backend::Access;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::facts::Facts;
use crate::plan::pick::Pick;
use crate::plan::types::{Feed, Insert, Source};
use crate::plan::upsert::Upsert;
use crate::sql;
use crate::transaction::{self, Begin, Transaction, ends_transaction};

/// What such a statement does.
#[derive(Clone, Copy)]
pub(super) enum Work<'w> {
    Feed(&'w Feed),
    Pick(&'w Pick),
    Load(&'w Job<'w>),
    Upsert { insert: &'w Insert, upsert: &'w Upsert, numbered: Option<&'w Numbered> },
}

type Answer<'f, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'f>>;

/// The savepoint in front of the statement. Its name is one that no client gives by chance.
const SAVEPOINT: &str = "margay whole statement";

impl Run<'_> {
    /// Does the work in a transaction of its own, or within the open one, where a failure undoes what the
    /// statement did.
    pub(super) fn wholly<'f>(&'f mut self, work: Work<'f>) -> Answer<'f, Reply> {
        Box::pin(async move {
            if self.transaction.is_active() {
                self.within(work).await
            } else {
                self.alone(work).await
            }
        })
    }

    async fn work(&mut self, work: Work<'_>, alone: bool) -> Result<Reply> {
        match work {
            Work::Feed(feed) => self.pass_rows(feed, alone).await,
            Work::Pick(pick) => self.write_picked(pick).await,
            Work::Load(job) => self.load_file(job).await,
            Work::Upsert { insert, upsert, numbered } => {
                self.upsert(insert, upsert, numbered).await
            }
        }
    }

    async fn alone(&mut self, work: Work<'_>) -> Result<Reply> {
        let mut own = Transaction::default();
        own.begin(&self.begin_alone());
        let state = self.alone_state();
        let state = state.as_ref().unwrap_or(self.state);
        let mut run = Run { transaction: &mut own, state, ..self.again() };
        let outcome = run.work(work, true).await;
        let deadline = self.snapshot.deadline(None);
        match (outcome, own.end_to_commit()) {
            (Ok(reply), Ok(Some(ending))) => ending.commit(deadline).await.map(|()| reply),
            (Ok(reply), Ok(None)) => Ok(reply),
            (Ok(_), Err(error)) => Err(error),
            (Err(error), Ok(Some(ending))) => {
                ending.roll_back(deadline).await;
                Err(error)
            }
            (Err(error), Ok(None) | Err(_)) => Err(error),
        }
    }

    /// How a transaction begins that is for the statement alone.
    pub(super) fn begin_alone(&self) -> Begin {
        Begin { locked: self.pins.pins.is_locked(), ..self.alone.clone() }
    }

    /// The state that it needs. None: the session's.
    pub(super) fn alone_state(&self) -> Option<ClientState> {
        self.pins.pins.is_locked().then(|| self.state.without_autocommit())
    }

    async fn within(&mut self, work: Work<'_>) -> Result<Reply> {
        // Clusters that join later set it at their start.
        self.on_all(&format!("SAVEPOINT `{SAVEPOINT}`")).await?;
        self.transaction.set_savepoint(SAVEPOINT);
        let outcome = self.work(work, false).await;
        let is_over =
            outcome.as_ref().is_err_and(ends_transaction) || !self.transaction.is_active();
        if is_over || self.transaction.is_broken() {
            return outcome;
        }
        if outcome.is_err() {
            self.on_all(&format!("ROLLBACK TO SAVEPOINT `{SAVEPOINT}`")).await?;
        }
        self.on_all(&format!("RELEASE SAVEPOINT `{SAVEPOINT}`")).await?;
        self.transaction.drop_savepoint(SAVEPOINT, false);
        outcome
    }

    /// Sends a statement to all clusters of the transaction. What one of them refuses breaks it.
    async fn on_all(&mut self, text: &str) -> Result<()> {
        if self.transaction.is_broken() {
            return Err(transaction::broken());
        }
        let mut lents = self.transaction.lend_all();
        let deadline = self.deadline;
        let outcomes = join_all(lents.iter_mut().map(|lent| {
            lent.lease.set_deadline(deadline);
            lent.lease.query_all(text)
        }))
        .await;
        let mut failed = None;
        for (lent, outcome) in lents.into_iter().zip(outcomes) {
            match outcome {
                Ok(_) => self.transaction.give_back(lent),
                Err(error) => failed = Some(error),
            }
        }
        self.transaction.lost();
        failed.map_or(Ok(()), Err)
    }

    /// The same session and transaction, for a part of the statement.
    pub(super) fn again(&mut self) -> Run<'_> {
        Run {
            snapshot: self.snapshot,
            alone: Begin::default(),
            transaction: &mut *self.transaction,
            state: self.state,
            call: self.call,
            hidden: None,
            reads: Access::Primary,
            found_rows: self.found_rows,
            deadline: self.deadline,
            writes: self.writes,
            written: self.written,
            clocked: None,
            aftermath: Aftermath::default(),
            warnings: &mut *self.warnings,
            harmless: false,
            held: None,
            part: Part::default(),
            pins: self.pins,
            files: self.files,
        }
    }

    /// The plan of a part, as if a client had sent its text.
    pub(super) async fn planned(&self, text: &[u8], source: &Source) -> Result<(Plan, Facts)> {
        let statement = sql::parse(text, &source.mode)?;
        let mut facts = Facts::default();
        let reading = Reading::of(source, &[]);
        let plan = self.snapshot.plan(&statement, text, reading, &mut facts).await?;
        Ok((plan, facts))
    }

    /// Runs a write that is a part of the statement.
    pub(super) async fn write_part(
        &mut self,
        (plan, facts): (&Plan, &mut Facts),
        call: Call<'_>,
        part: Part,
    ) -> Result<super::Summary> {
        let mut run = Run { call, part, writes: true, ..self.again() };
        let reply = match plan {
            Plan::Insert(insert) => run.insert(insert, facts).await?,
            Plan::Write(write) => run.write(write, facts).await?,
            Plan::Select(_) | Plan::Feed(_) | Plan::Load(_) | Plan::Ddl(_) => {
                return Err(Error::internal("a part of a write that is none itself"));
            }
        };
        match reply {
            Reply::Done(summary) => Ok(summary),
            Reply::Rows(_) => Err(Error::protocol("rows in reply to a write")),
        }
    }
}
