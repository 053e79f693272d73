//! SELECTs that no shard can answer alone: parts run first, their rows become temporary tables, and what
//! is left runs over these.
//!
//! A part's rows stream to the *gathering connection* as fast as its server takes them. Those that a
//! later part needs on the shards are held in memory instead, and put on each connection that runs it.
//! Connections with temporary tables go back to their pools after a reset, and are closed on any error.

mod check;
mod collation;
mod column;
mod count;
mod gather;
mod keys;
mod limits;
mod literal;
mod load;
mod moment;
mod node;
mod program;
mod shape;
mod stage;
mod table;
mod tuple;
mod typed;

use crate::execute::planning::Reading;
use std::collections::VecDeque;
use std::pin::Pin;

pub(super) use literal::Shape;
pub(super) use load::{Abilities, Loader, full_name, hold};
pub(super) use stage::Bound;
pub(super) use table::Held;

use self::program::Program;
use super::reply::Reply;
use super::run::{Call, Run};
use super::select::beside_pinned;
use crate::backend::SessionState;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::client_state::ClientState;
use crate::plan::combine::{self, Combine, Options};
use crate::plan::facts::Facts;
use crate::plan::template::Target;
use crate::plan::types::{Select, Source};
use crate::protocol::column::Column;

type Answer<'f> = Pin<Box<dyn Future<Output = Result<Reply>> + Send + 'f>>;

impl Run<'_> {
    /// Answers a SELECT that neither one target nor a merge of several can; `refused` is what the client
    /// gets if no program of simpler statements can either. `merged`: a merge was tried.
    pub(super) fn combine<'f>(
        &'f mut self,
        select: &'f Select,
        facts: &'f mut Facts,
        (refused, merged): (Error, bool),
    ) -> Answer<'f> {
        Box::pin(async move {
            // A part of a program has no program of its own.
            if self.held.is_some() {
                return Err(refused);
            }
            if self.pins.read {
                return Err(beside_pinned());
            }
            let Some(source) = &select.source else {
                return Err(self.own_error(&select.place, &select.route, facts, refused).await);
            };
            if let Some(mut typed) = self.typed(select, source, facts).await? {
                let call = Call::Prepared { params: &typed.params, literals: &typed.literals };
                let mut facts = std::mem::take(&mut typed.facts);
                let mut run = self.calling(call);
                let parts = (&*typed.select, &typed.source);
                let mut reply = run.combine_as(parts, &mut facts, (refused, merged)).await?;
                if let Reply::Rows(rows) = &mut reply {
                    typed.rename(&mut rows.columns);
                }
                return Ok(reply);
            }
            self.combine_as((select, source), facts, (refused, merged)).await
        })
    }

    /// As [`Run::combine`], with parameters that have the same types in every part.
    fn combine_as<'f>(
        &'f mut self,
        (select, source): (&'f Select, &'f Source),
        facts: &'f mut Facts,
        (refused, merged): (Error, bool),
    ) -> Answer<'f> {
        Box::pin(async move {
            self.snapshot.renew_guesses(facts).await;
            let active = self.transaction.is_active();
            let sample = self.sample_of(select, facts);
            let mut checked =
                Checked { sample, asks: true, strict: true, drifted: false, columns: None };
            let mut failed = None;
            // What is left of the statement may be all of it, unless tables are taken out.
            let mut ways: VecDeque<Options> = ladder(active).into();
            ways.retain(|way| way.tables_only || !merged);
            let key = drift_key(source, self.state);
            if let Some(kept) = self.snapshot.facts.shape(&key) {
                checked.strict = false;
                if kept.is_empty() {
                    ways.rotate_right(1);
                }
            }
            while let Some(options) = ways.pop_front() {
                let combine = match self.program(source, facts, options).await {
                    Ok(combine) => combine,
                    Err(error) if *error.kind() == ErrorKind::Unsupported => {
                        failed.get_or_insert(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                match Box::pin(self.run_program(&combine, source, &mut checked)).await {
                    Err(Outcome::Again(error)) => {
                        tracing::debug!(%error, ?options, "a combined plan given up");
                        failed = Some(error);
                    }
                    Err(Outcome::Drifts) => {
                        self.snapshot.facts.learn_shape(key.clone(), &[]);
                        checked.strict = false;
                        ways.retain(|way| way.tables_only);
                        ways.push_back(options);
                    }
                    // More rows than it may gather: the types of the other ways are better than nothing.
                    Err(Outcome::Error(error))
                        if options.tables_only
                            && !ways.is_empty()
                            && *error.kind() == ErrorKind::LimitExceeded =>
                    {
                        failed = Some(error);
                    }
                    Err(Outcome::Error(error)) => return Err(error),
                    Ok(reply) => {
                        if options.tables_only && checked.drifted {
                            // Its types are those that a server gives when it runs the statement.
                            let told = checked.columns.as_deref().unwrap_or_default();
                            self.snapshot.facts.learn_shape(key, told);
                        }
                        return Ok(reply);
                    }
                }
            }
            let error = failed.unwrap_or(refused);
            match error.kind() {
                ErrorKind::Unsupported => {
                    Err(self.own_error(&select.place, &select.route, facts, error).await)
                }
                ErrorKind::Server(_) if check::is_of_values(&error) => Err(error),
                ErrorKind::Server(_) if checked.is_valid() => Err(check::rewritten(&error)),
                _ => Err(error),
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
            let context = Reading::of(source, &[]).context(run.snapshot, facts);
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
        let mut unchecked = Checked::default();
        let answer = Box::pin(self.run_program(combine, source, &mut unchecked)).await;
        answer.map_err(|outcome| match outcome {
            Outcome::Error(error) | Outcome::Again(error) => error,
            Outcome::Drifts => Error::internal("an answer of other types than were not asked for"),
        })
    }

    async fn run_program(
        &mut self,
        combine: &Combine,
        source: &Source,
        checked: &mut Checked,
    ) -> Result<Reply, Outcome> {
        let slot = self.snapshot.combine_slot().await?;
        let program = Program::new(self, combine, source);
        let mut sample = checked.sample.take();
        let mut asks = std::mem::take(&mut checked.asks);
        let key = asks.then(|| shape_key(source, self.state));
        if let Some(known) = key.as_deref().and_then(|key| self.snapshot.facts.shape(key)) {
            (sample, asks) = (None, false);
            checked.columns = Some(known.to_vec());
        }
        let (snapshot, state, deadline) = (self.snapshot, self.state, self.deadline);
        let described = async {
            match sample {
                Some((target, text)) => {
                    check::described(snapshot.describe_at(&target, text, state, deadline).await)
                }
                None if asks => check::described(
                    snapshot
                        .describe_apart(source, state, deadline)
                        .await
                        .unwrap_or_else(|| Err(Error::unsupported("no server has all the tables"))),
                ),
                None => Ok(None),
            }
        };
        let waits = self.transaction.is_active();
        let answer = Box::pin(program.run(self.transaction, self.warnings));
        let (described, reply) = check::both(described, answer, waits).await?;
        drop(slot);
        if let (Some(described), Some(key)) = (&described, key) {
            snapshot.facts.learn_shape(key, described);
        }
        if described.is_some() {
            checked.columns = described;
        }
        match reply {
            Ok(Reply::Rows(mut rows)) => {
                let bound = self.types_by_values().await?;
                if checked.strict && check::drifts(&rows.columns, checked.columns.as_deref(), bound)
                {
                    return Err(Outcome::Drifts);
                }
                let open = matches!(self.call, Call::Prepared { params, .. } if !params.is_empty());
                check::dress(&mut rows.columns, checked.columns.as_deref(), open, bound);
                Ok(Reply::Rows(rows))
            }
            Ok(done @ Reply::Done(_)) => Ok(done),
            Err(error)
                if check::is_of_rewriting(&error)
                    || program.is_too_big()
                    || *error.kind() == ErrorKind::Unsupported =>
            {
                Err(Outcome::Again(error))
            }
            Err(error) => Err(Outcome::Error(error)),
        }
    }
}

/// What the columns of a statement depend on, besides its tables.
fn shape_key(source: &Source, state: &ClientState) -> Vec<u8> {
    let SessionState { variables, user_variables, .. } = state.base();
    let place = (&source.schema, &source.mode, state.text_collation());
    [format!("{place:?} {variables:?} {user_variables:?}\0").as_bytes(), &source.text].concat()
}

/// Under this is remembered that the parts of a statement do not keep its types: no columns, or those that a
/// server tells of, where the tables alone do not give them either.
fn drift_key(source: &Source, state: &ClientState) -> Vec<u8> {
    let mut key = shape_key(source, state);
    key.push(b'!');
    key
}

/// Ways to make a program, the best first. Each copies more rows than the one before it, and changes less
/// of the statement.
fn ladder(in_transaction: bool) -> Vec<Options> {
    let first = Options {
        broadcast: !in_transaction,
        detached: in_transaction,
        tables_only: false,
        shape_only: false,
    };
    let gathered = Options { broadcast: false, ..first };
    let mut ways = vec![first];
    if first.broadcast {
        ways.push(gathered);
    }
    ways.push(Options { tables_only: true, ..gathered });
    ways
}

/// What a shard says of the whole statement.
#[derive(Default)]
struct Checked {
    /// A shard that has all tables, and the text there.
    sample: Option<(Target, Vec<u8>)>,
    /// It is yet to be asked.
    asks: bool,
    /// An answer of other columns than these is not taken.
    strict: bool,
    /// The last answer had other columns.
    drifted: bool,
    /// Its columns, if it is valid.
    columns: Option<Vec<Column>>,
}

impl Checked {
    fn is_valid(&self) -> bool {
        self.columns.is_some()
    }
}

/// Why a program gave no answer.
enum Outcome {
    Error(Error),
    /// Another program for the statement may do.
    Again(Error),
    /// The answer has values of other types than the statement.
    Drifts,
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
