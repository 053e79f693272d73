//! SELECTs that no shard can answer alone: parts run first, their rows become temporary tables, and what
//! is left runs over these.
//!
//! A part's rows stream to the *gathering connection* as fast as its server takes them. Those that a
//! later part needs on the shards are held in memory instead, and put on each connection that runs it.
//! Connections with temporary tables go back to their pools after a reset, and are closed on any error.

mod check;
mod collation;
mod column;
mod gather;
mod keys;
mod limits;
mod literal;
mod load;
mod moment;
mod node;
mod program;
mod stage;
mod table;
mod tuple;

use std::pin::Pin;

pub(super) use literal::Shape;
pub(super) use load::{Abilities, Loader, hold};
pub(super) use stage::Bound;
pub(super) use table::Held;

use self::program::Program;
use super::reply::Reply;
use super::run::Run;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::combine::{self, Combine, Options};
use crate::plan::facts::Facts;
use crate::plan::planner::Context;
use crate::plan::types::{Select, Source};

type Answer<'f> = Pin<Box<dyn Future<Output = Result<Reply>> + Send + 'f>>;

impl Run<'_> {
    /// Answers a SELECT that neither one target nor a merge of several can; `refused` is what the client
    /// gets if no program of simpler statements can either.
    pub(super) fn combine<'f>(
        &'f mut self,
        select: &'f Select,
        facts: &'f mut Facts,
        refused: Error,
    ) -> Answer<'f> {
        Box::pin(async move {
            // A part of a program has no program of its own.
            let source = select.source.as_ref().filter(|_| self.held.is_none());
            let Some(source) = source else {
                return Err(self.own_error(&select.place, &select.route, facts, refused).await);
            };
            let active = self.transaction.is_active();
            let options = Options { broadcast: !active, detached: active };
            let combine = match self.program(source, facts, options).await {
                Ok(combine) => combine,
                Err(error) if *error.kind() == ErrorKind::Unsupported => {
                    return Err(self.own_error(&select.place, &select.route, facts, error).await);
                }
                Err(error) => return Err(error),
            };
            let valid = Some((select, &*facts));
            match Box::pin(self.run_program(&combine, source, valid)).await {
                Err(Outcome::Gather) => {
                    let options = Options { broadcast: false, ..options };
                    let combine = self.program(source, facts, options).await?;
                    let answer = Box::pin(self.run_program(&combine, source, None)).await;
                    answer.map_err(Outcome::into_error)
                }
                outcome => outcome.map_err(Outcome::into_error),
            }
        })
    }

    /// The program for a statement.
    async fn program(
        &mut self,
        source: &Source,
        facts: &mut Facts,
        options: Options,
    ) -> Result<Combine> {
        let plan = |run: &Self, facts: &Facts| {
            let context = Context {
                catalog: &run.snapshot.catalog,
                facts,
                schema: source.schema.as_deref(),
                mode: source.mode,
                temporaries: &[],
            };
            combine::plan(source, &context, options)
        };
        // A table's columns are asked for at a time at the worst.
        self.settle(facts, plan).await
    }

    /// Runs a program as if a client had sent the statement that it was made of.
    ///
    /// # Errors
    /// Those of its statements, and the limits of `combine`.
    pub async fn combined(&mut self, combine: &Combine, source: &Source) -> Result<Reply> {
        Box::pin(self.run_program(combine, source, None)).await.map_err(Outcome::into_error)
    }

    async fn run_program(
        &mut self,
        combine: &Combine,
        source: &Source,
        select: Option<(&Select, &Facts)>,
    ) -> Result<Reply, Outcome> {
        let slot = self.snapshot.combine_slot().await?;
        let program = Program::new(self, combine, source);
        let sample = select.and_then(|(select, facts)| self.sample_of(select, facts));
        let (snapshot, state, deadline) = (self.snapshot, self.state, self.deadline);
        let described = async {
            match sample {
                Some((target, text)) => {
                    check::described(snapshot.describe_at(&target, text, state, deadline).await)
                }
                None => Ok(None),
            }
        };
        let answer = Box::pin(program.run(self.transaction, self.warnings));
        let (described, reply) = check::both(described, answer).await?;
        drop(slot);
        let has_broadcast = combine.steps.iter().any(|step| step.temp.broadcast);
        match reply {
            Ok(Reply::Rows(mut rows)) => {
                check::dress(&mut rows.columns, described.as_deref());
                Ok(Reply::Rows(rows))
            }
            Ok(done @ Reply::Done(_)) => Ok(done),
            Err(error)
                if has_broadcast
                    && (program.is_too_big() || *error.kind() == ErrorKind::Unsupported) =>
            {
                tracing::debug!(%error, "broadcast given up");
                Err(Outcome::Gather)
            }
            Err(error) => Err(Outcome::Error(error)),
        }
    }
}

/// Why a program gave no answer.
enum Outcome {
    Error(Error),
    /// A part cannot be copied to the shards: without such parts it may work.
    Gather,
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Outcome {
    fn into_error(self) -> Error {
        match self {
            Self::Error(error) => error,
            Self::Gather => Error::unsupported(
                "a part of the statement is too big to be copied to every shard; raise \
                 `combine.broadcast_rows` and `combine.broadcast_bytes`",
            ),
        }
    }
}
