//! A program on its way: its parts in waves, then what answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::try_join_all;
use tokio::sync::Mutex;

use super::collation::Sample;
use super::column::{self, Definition};
use super::gather::Gather;
use super::keys::{self, Values};
use super::limits::{Size, Total};
use super::node::{self, Wanted};
use super::stage::{Bound, States};
use super::table::{Held, Table};
use super::tuple;
use crate::backend::{Access, Deadline};
use crate::catalog::ShardId;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::aftermath::Aftermath;
use crate::execute::client_state::ClientState;
use crate::execute::reply::{Reply, Rows, Source as RowSource};
use crate::execute::run::{Call, Fragment, Pinned, Run};
use crate::execute::select::Head;
use crate::execute::snapshot::Snapshot;
use crate::execute::warnings::Warnings;
use crate::plan::combine::{Combine, Stage, Step};
use crate::plan::planner::Temporary;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::Source;
use crate::protocol::column::Column;
use crate::transaction::Transaction;

/// Parts that run at once.
const PARTS_AT_ONCE: usize = 8;
/// Bytes of tuples in one INSERT.
const PIECE: usize = 64 << 10;
/// Bytes of rows in one file. Files take less of a server's time than INSERTs, but wait for it twice each:
/// rows are sent so once there are more than one INSERT holds.
const FILE: usize = 1 << 20;

/// A program and the session that it runs for.
pub(super) struct Program<'p> {
    pub(super) snapshot: &'p Arc<Snapshot>,
    pub(super) combine: &'p Combine,
    pub(super) source: &'p Source,
    pub(super) client: &'p ClientState,
    pub(super) call: Call<'p>,
    pub(super) reads: Access,
    pub(super) found_rows: bool,
    pub(super) deadline: Option<Deadline>,
    pub(super) pins: Pinned<'p>,
    /// What is asked behind the last statement.
    aftermath: Aftermath,
    pub(super) states: States,
    total: Total,
    too_big: AtomicBool,
    /// Temporary tables must not be of an engine that counts their rows.
    uncounted: bool,
}

/// What a part has left.
pub(super) struct Done {
    facts: Vec<Temporary>,
    pub(super) values: Vec<Values>,
    held: Option<Arc<Held>>,
    warnings: Warnings,
    /// Its table has all the unique keys of the one that it stands for.
    keyed: bool,
}

/// Where the rows of a part come from.
#[derive(Default)]
struct Origin<'f> {
    /// None: of a server whose answers are certain.
    sample: Option<Sample<'f>>,
    /// TIMESTAMP columns whose values come as moments.
    moments: Vec<(usize, Column)>,
}

/// The gathering connection, which parts that run at once share.
pub(super) type Shared = Option<Mutex<Gather>>;

impl<'p> Program<'p> {
    pub(super) fn new(run: &Run<'p>, combine: &'p Combine, source: &'p Source) -> Self {
        Self {
            snapshot: run.snapshot,
            combine,
            source,
            client: run.state,
            call: run.call,
            reads: run.reads.clone(),
            found_rows: run.found_rows,
            deadline: run.deadline,
            pins: run.pins,
            aftermath: run.aftermath.clone(),
            states: States::new(run.state),
            total: Total::default(),
            too_big: AtomicBool::new(false),
            uncounted: super::count::is_counted(combine, &source.mode),
        }
    }

    /// A part that was to be held in memory is over its limits.
    pub(super) fn is_too_big(&self) -> bool {
        self.too_big.load(Ordering::Relaxed)
    }

    pub(super) async fn run(
        &self,
        transaction: &mut Transaction,
        warnings: &mut Warnings,
    ) -> Result<Reply> {
        let gather = self.gather(transaction).await?;
        let steps = &self.combine.steps;
        let mut done: Vec<Option<Done>> = steps.iter().map(|_| None).collect();
        loop {
            let ready: Vec<usize> =
                (0..steps.len()).filter(|at| self.is_ready(*at, &done)).collect();
            let Some(first) = ready.first() else { break };
            if transaction.is_active() {
                let part = self.part(*first, transaction, &done, &gather).await?;
                put(&mut done, *first, part);
                continue;
            }
            for wave in ready.chunks(PARTS_AT_ONCE) {
                let parts = wave.iter().map(|at| {
                    let (done, gather) = (&done, &gather);
                    async move {
                        let mut apart = Transaction::default();
                        self.part(*at, &mut apart, done, gather).await
                    }
                });
                let parts = try_join_all(parts).await?;
                wave.iter().zip(parts).for_each(|(at, part)| put(&mut done, *at, part));
            }
        }
        if done.iter().any(Option::is_none) {
            return Err(Error::internal("a combined plan whose parts wait for each other"));
        }
        for part in done.iter_mut().flatten() {
            warnings.add(std::mem::take(&mut part.warnings));
        }
        self.last(transaction, warnings, &done, gather).await
    }

    /// It has not run, and all it needs has.
    fn is_ready(&self, at: usize, done: &[Option<Done>]) -> bool {
        let is_done = |at: usize| done.get(at).is_some_and(Option::is_some);
        let Some(step) = self.combine.steps.get(at) else { return false };
        let read = |name: &String| self.maker(name).is_some_and(is_done);
        !is_done(at)
            && step.stage.keys.iter().all(|key| is_done(key.step))
            && step.stage.reads.iter().all(read)
    }

    /// The step that makes a temporary table.
    fn maker(&self, name: &str) -> Option<usize> {
        self.combine.steps.iter().position(|step| step.temp.names.iter().any(|own| own == name))
    }

    /// The stage runs where rows are gathered, rather than on shards.
    fn is_gathered(&self, stage: &Stage) -> bool {
        stage.reads.iter().any(|name| {
            let step = self.maker(name).and_then(|at| self.combine.steps.get(at));
            step.is_some_and(|step| !step.temp.broadcast)
        })
    }

    /// The gathering connection, on a server that has the tables that are read together with the rows.
    pub(super) async fn gather(&self, transaction: &mut Transaction) -> Result<Shared> {
        let stages = self.combine.steps.iter().map(|step| &step.stage);
        let gathered = |stage: &&Stage| self.is_gathered(stage);
        let gathered: Vec<&Stage> = stages.chain([&self.combine.last]).filter(gathered).collect();
        if gathered.is_empty() {
            return Ok(None);
        }
        let mut wanted: Option<Wanted> = None;
        for stage in gathered {
            let unknown = |name: &String| Temporary { name: name.clone(), columns: None };
            let temporaries: Vec<Temporary> = stage.reads.iter().map(unknown).collect();
            let (select, mut facts) = self.planned(&stage.text, &temporaries).await?;
            if select.place.is_nowhere() {
                continue;
            }
            let bound = Bound::new(stage, self.call)?;
            let (mut apart, mut warnings) = (Transaction::default(), Warnings::default());
            let mut run =
                self.run_of(&mut apart, &self.states.parts, bound.call(), &[], &mut warnings);
            let targets = run
                .settle(&mut facts, |run, facts| {
                    resolve::targets(&select.place, &run.values(facts))
                })
                .await?;
            let access = if select.primary || transaction.is_active() {
                Access::Primary
            } else {
                self.reads.clone()
            };
            match (targets.as_slice(), &wanted) {
                ([target], None) => wanted = Some(Wanted { shard: target.shard, access }),
                ([target], Some(known)) if self.beside(known.shard, target.shard)? => {}
                _ => {
                    return Err(Error::unsupported(
                        "a statement that gathers rows beside tables of two clusters is not \
                         supported; make one of the tables a broadcast table",
                    ));
                }
            }
        }
        let schema = self.source.schema.as_deref();
        let shard = wanted.as_ref().map(|wanted| wanted.shard);
        let (lent, database) = node::lease(self.snapshot, wanted, schema).await?;
        let base = self.states.last.base();
        Ok(Some(Mutex::new(Gather::new(lent, database, base, shard, self.deadline))))
    }

    /// Both lie in one cluster, so that either's tables can be named from the other.
    fn beside(&self, one: ShardId, other: ShardId) -> Result<bool> {
        Ok(self.snapshot.shard(one)?.cluster == self.snapshot.shard(other)?.cluster)
    }

    /// Runs a part and makes its tables.
    pub(super) async fn part(
        &self,
        at: usize,
        transaction: &mut Transaction,
        done: &[Option<Done>],
        gather: &Shared,
    ) -> Result<Done> {
        let step = self.step(at)?;
        let stage = &step.stage;
        let bound = Bound::new(stage, self.call)?;
        let mut warnings = Warnings::default();
        let mut part = if self.is_gathered(stage) {
            // Stand-ins with the keys of their tables take ONLY_FULL_GROUP_BY as these do.
            let state = match self.is_keyed(stage, done) {
                true => &self.states.parts,
                false => &self.states.readers,
            };
            let mut rows = self.gathered_rows(stage, (&bound, state), done, gather).await?;
            self.pour(at, &mut rows, gather, Origin::default()).await?
        } else {
            let held = self.held(stage, done);
            let state = if held.is_empty() { &self.states.parts } else { &self.states.readers };
            let text = self.text(stage, done)?;
            let temporaries = self.temporaries(stage, done);
            let (mut select, mut facts) = self.planned(&text, &temporaries).await?;
            let mut run = self.run_of(transaction, state, bound.call(), &held, &mut warnings);
            let mut moments = Vec::new();
            if let Some(found) = self.moments(&text, &select, &facts, &temporaries, &run).await
                && let Ok(planned) = self.planned(&found.text, &temporaries).await
            {
                (select, facts) = planned;
                moments = found.columns;
            }
            let Reply::Rows(mut rows) = run.select(&select, &mut facts).await? else {
                return Err(Error::protocol("a shard answers a SELECT without rows"));
            };
            let sample = resolve::sample(&select.place, &run.values(&facts))
                .and_then(|target| run.fragment(&select.route, &target, &facts));
            let call = bound.call();
            let sample = sample.ok().map(|fragment| Sample { fragment, call, state, held: &held });
            let source = Origin { sample, moments };
            let poured = self.pour(at, &mut rows, gather, source).await;
            let (lents, raised) = rows.end();
            run.warnings.add(raised);
            for mut lent in lents {
                // What is left belongs to the transaction's connection, which goes on.
                if poured.is_err() && lent.held && !lent.lease.is_broken() {
                    let _ = lent.lease.drain().await;
                }
                run.transaction.give_back(lent);
            }
            poured?
        };
        part.warnings.add(warnings);
        Ok(part)
    }

    /// Reads a part's rows to their end, into its tables.
    async fn pour(
        &self,
        at: usize,
        rows: &mut Rows,
        gather: &Shared,
        from: Origin<'_>,
    ) -> Result<Done> {
        let step = self.step(at)?;
        let mut shown = rows.columns.to_vec();
        for (index, column) in &from.moments {
            if let Some(shown) = shown.get_mut(*index) {
                *shown = column.clone();
            }
        }
        let named = self.collations(&shown, from.sample).await?;
        let mut definitions = column::definitions(&shown, &step.temp.columns, &named)?;
        for (index, _) in from.moments {
            if let (Some(definition), Some(came)) =
                (definitions.get_mut(index), rows.columns.get(index))
            {
                definition.takes_moments(came.ty);
            }
        }
        let table = Table::new(&step.temp, definitions.into()).uncounted(self.uncounted);
        let mut pour = Pour {
            program: self,
            gather: gather.as_ref().filter(|_| !step.temp.broadcast),
            lists: self.lists(at, &table.columns),
            table,
            columns: rows.columns.to_vec(),
            tuples: Vec::new(),
            file: None,
            held: Vec::new(),
            size: Size::default(),
        };
        pour.begin().await?;
        while let Some(row) = rows.next().await? {
            pour.take(&row).await?;
        }
        pour.end().await
    }

    /// The lists of values that later statements ask of a step.
    fn lists(&self, at: usize, columns: &[Definition]) -> Vec<Values> {
        let steps = self.combine.steps.iter().map(|step| &step.stage);
        let keys = steps.chain([&self.combine.last]).flat_map(|stage| &stage.keys);
        let wanted: BTreeSet<usize> =
            keys.filter(|key| key.step == at).map(|key| key.column).collect();
        let limit = self.snapshot.config.settings.combine.key_list as usize;
        wanted.into_iter().map(|column| Values::new(column, limit, columns.get(column))).collect()
    }

    /// Tables that a stage on the shards reads.
    fn held(&self, stage: &Stage, done: &[Option<Done>]) -> Vec<Arc<Held>> {
        let mut makers: Vec<usize> =
            stage.reads.iter().filter_map(|name| self.maker(name)).collect();
        makers.sort_unstable();
        makers.dedup();
        let held = |at: usize| done.get(at)?.as_ref()?.held.clone();
        makers.into_iter().filter_map(held).collect()
    }

    /// All tables that it reads stand for others with all of their unique keys.
    pub(super) fn is_keyed(&self, stage: &Stage, done: &[Option<Done>]) -> bool {
        let keyed = |name: &String| {
            let maker = self.maker(name).and_then(|at| done.get(at)?.as_ref());
            maker.is_some_and(|maker| maker.keyed)
        };
        stage.reads.iter().all(keyed)
    }

    fn temporaries(&self, stage: &Stage, done: &[Option<Done>]) -> Vec<Temporary> {
        let facts = done.iter().flatten().flat_map(|done| &done.facts);
        facts.filter(|temporary| stage.reads.contains(&temporary.name)).cloned().collect()
    }

    fn step(&self, at: usize) -> Result<&Step> {
        self.combine
            .steps
            .get(at)
            .ok_or_else(|| Error::internal("a combined plan without one of its parts"))
    }

    /// The rows of a part that runs where rows are gathered: all of them, since the connection must be
    /// free to take them again.
    async fn gathered_rows(
        &self,
        stage: &Stage,
        (bound, state): (&Bound, &ClientState),
        done: &[Option<Done>],
        gather: &Shared,
    ) -> Result<Rows> {
        let gather = gather.as_ref().ok_or_else(nowhere)?;
        let mut gather = gather.lock().await;
        let columns = self.start_gathered(stage, done, &mut gather, state, bound.call()).await?;
        let mut left = self.snapshot.config.settings.limits.sort_bytes.0;
        let mut rows = Vec::new();
        while let Some(row) = gather.lent.lease.read_row().await? {
            left = left.checked_sub(row.len() as u64).ok_or_else(|| {
                Error::new(
                    ErrorKind::LimitExceeded,
                    "a part of the statement that is computed of other parts is held in memory, and \
                     it is over `limits.sort_bytes`; add conditions, or raise the limit",
                )
            })?;
            rows.push(row);
        }
        Ok(Rows::local(columns, rows))
    }

    /// Runs a stage on the gathering connection; its rows are next there.
    async fn start_gathered(
        &self,
        stage: &Stage,
        done: &[Option<Done>],
        gather: &mut Gather,
        state: &ClientState,
        call: Call<'_>,
    ) -> Result<Vec<Column>> {
        let (fragment, target) = self.fragment(stage, done, gather, state, call).await?;
        gather.finish();
        let (mut apart, mut warnings) = (Transaction::default(), Warnings::default());
        let run = self.run_of(&mut apart, state, call, &[], &mut warnings);
        let state = state.in_database(&gather.database);
        match run.start_rows_in(&mut gather.lent, &fragment, &state).await {
            Ok(Head::Rows(columns)) => Ok(columns),
            Ok(Head::Done(_)) => Err(Error::protocol("a server answers a SELECT without rows")),
            Err(error) => Err(run.restore(error, &target)),
        }
    }

    /// The text of a stage on the gathering connection.
    pub(super) async fn fragment(
        &self,
        stage: &Stage,
        done: &[Option<Done>],
        gather: &mut Gather,
        state: &ClientState,
        call: Call<'_>,
    ) -> Result<(Fragment, Target)> {
        for held in self.held(stage, done) {
            gather.hold(&held, &self.snapshot.abilities).await?;
        }
        let text = self.text(stage, done)?;
        let (select, mut facts) = self.planned(&text, &self.temporaries(stage, done)).await?;
        let (mut apart, mut warnings) = (Transaction::default(), Warnings::default());
        let mut run = self.run_of(&mut apart, state, call, &[], &mut warnings);
        let targets = run
            .settle(&mut facts, |run, facts| resolve::targets(&select.place, &run.values(facts)))
            .await?;
        let [target] = targets.as_slice() else {
            return Err(Error::internal("a part of a combined plan that runs in several places"));
        };
        let mut target = target.clone();
        if let (Some(shard), false) = (gather.shard, select.place.is_nowhere()) {
            target.shard = shard;
        }
        let fragment = run.fragment(&select.route, &target, &facts)?;
        Ok((fragment, target))
    }

    /// Runs what answers the client.
    async fn last(
        &self,
        transaction: &mut Transaction,
        warnings: &mut Warnings,
        done: &[Option<Done>],
        gather: Shared,
    ) -> Result<Reply> {
        let stage = &self.combine.last;
        let bound = Bound::new(stage, self.call)?;
        let call = bound.like(self.call);
        if self.is_gathered(stage) {
            let mut gather = gather.ok_or_else(nowhere)?.into_inner();
            let state = &self.states.last;
            let mut columns = self.start_gathered(stage, done, &mut gather, state, call).await?;
            state.dress(&mut columns);
            let mut rows = Rows::new(columns, RowSource::Apart(Box::new(gather.lent)));
            rows.aftermath = self.aftermath.clone();
            return Ok(Reply::Rows(rows));
        }
        let held = self.held(stage, done);
        let state = if held.is_empty() { self.client } else { &self.states.last };
        let text = self.text(stage, done)?;
        let (select, mut facts) = self.planned(&text, &self.temporaries(stage, done)).await?;
        let mut run = self.run_of(transaction, state, call, &held, warnings);
        run.aftermath = self.aftermath.clone();
        run.select(&select, &mut facts).await
    }
}

fn put(done: &mut [Option<Done>], at: usize, part: Done) {
    if let Some(place) = done.get_mut(at) {
        *place = Some(part);
    }
}

fn nowhere() -> Error {
    Error::internal("a combined plan without a place to gather")
}

/// Rows on their way into a table.
struct Pour<'r, 'p> {
    program: &'r Program<'p>,
    /// None: they are held.
    gather: Option<&'r Mutex<Gather>>,
    table: Table,
    columns: Vec<Column>,
    lists: Vec<Values>,
    /// Rows to be sent: tuples, or with `file` lines.
    tuples: Vec<u8>,
    /// The statement that loads a file of them.
    file: Option<Vec<u8>>,
    held: Vec<Bytes>,
    size: Size,
}

impl Pour<'_, '_> {
    async fn begin(&mut self) -> Result<()> {
        match self.gather {
            Some(gather) => {
                gather.lock().await.create(&self.table, &self.program.snapshot.abilities).await
            }
            None => Ok(()),
        }
    }

    async fn take(&mut self, row: &[u8]) -> Result<()> {
        let settings = &self.program.snapshot.config.settings.combine;
        self.size.rows += 1;
        self.size.bytes += row.len() as u64;
        self.program.total.take(settings, self.size, row.len() as u64)?;
        if self.gather.is_none()
            && (self.size.rows > settings.broadcast_rows
                || self.size.bytes > settings.broadcast_bytes.0)
        {
            self.program.too_big.store(true, Ordering::Relaxed);
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                "a part of the statement that is copied to every shard is over \
                 `combine.broadcast_rows` or `combine.broadcast_bytes`",
            ));
        }
        keys::take_row(&mut self.lists, row, &self.columns, &self.table.columns)?;
        let (columns, definitions) = (&self.columns, &self.table.columns);
        let most = if self.file.is_some() {
            tuple::put_line(&mut self.tuples, row, columns, definitions)?;
            FILE
        } else {
            if !self.tuples.is_empty() {
                self.tuples.push(b',');
            }
            let zone = &self.program.states.zone;
            tuple::put_row(&mut self.tuples, row, columns, definitions, zone)?;
            PIECE
        };
        if self.tuples.len() >= most { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> Result<()> {
        if self.tuples.is_empty() {
            return Ok(());
        }
        match self.gather {
            Some(gather) => {
                let abilities = &self.program.snapshot.abilities;
                let rows = (self.tuples.as_slice(), self.size.rows);
                let mut gather = gather.lock().await;
                if let Some(file) = &self.file {
                    gather.load(&mut self.table, file, rows, abilities).await?;
                } else {
                    gather.insert(&mut self.table, rows, abilities).await?;
                    self.file = gather.file_of(&self.table);
                }
                self.tuples.clear();
            }
            None => self.held.push(std::mem::take(&mut self.tuples).into()),
        }
        Ok(())
    }

    async fn end(mut self) -> Result<Done> {
        self.send().await?;
        match self.gather {
            Some(gather) => {
                let (rows, abilities) = (self.size.rows, &self.program.snapshot.abilities);
                gather.lock().await.copy(&mut self.table, rows, abilities).await?;
            }
            None => self.table.has_all(self.size.rows),
        }
        let facts = self.table.facts();
        let keyed = self.table.is_keyed();
        let held =
            self.gather.is_none().then(|| Arc::new(Held { table: self.table, tuples: self.held }));
        Ok(Done { facts, values: self.lists, held, warnings: Warnings::default(), keyed })
    }
}
