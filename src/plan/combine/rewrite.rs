//! The rounds of rewriting: each makes steps of one part of the statement, until what is left runs.

use super::super::facts::Stop;
use super::super::functions::{self, Nature};
use super::super::model::Output;
use super::super::planner::{Context, Temporary};
use super::super::types::Source;
use super::part::{Draft, Part};
use super::stage::{Examined, clusters_of, examine};
use super::survey::{Meaning, NodeId, Role, Survey};
use super::{Combine, KeyList, Options, Stage, Step, Temp, TempColumn};
use super::{gather, leaf, subquery};
use crate::catalog::TableKind;
use crate::error::Error;
use crate::sql::query::Query;
use crate::sql::{Span, parse};

/// Each round takes at least one table or query out of the statement.
const ROUNDS_MAX: usize = 1000;

/// What was rewritten so far.
pub(super) struct Rewrite<'c> {
    pub context: Context<'c>,
    pub options: Options,
    pub part: Part,
    pub steps: Vec<Step>,
    pub temporaries: Vec<Temporary>,
    pub notes: Vec<String>,
    /// Temporary tables that are read on shards.
    pub on_shards: Vec<String>,
    /// The cluster of the tables that stay in place; None: any.
    pub home: Option<usize>,
    next: usize,
}

/// The statement of a round, as it stands.
#[derive(Clone, Copy)]
pub(super) struct Round<'r, 'a> {
    pub part: &'a Part,
    pub examined: &'r Examined<'a>,
    pub survey: &'r Survey<'a>,
}

/// A query by itself, the CTEs that it needs before it.
#[derive(Debug)]
pub(super) struct Standalone {
    pub part: Part,
    /// Where the text of the query starts in it, and what to put before when it goes back.
    pub at: u32,
    pub head: &'static str,
}

impl<'c> Rewrite<'c> {
    pub(super) fn new(
        source: &Source,
        context: Context<'c>,
        options: Options,
    ) -> Result<Self, Stop> {
        let statement = parse(&source.text, &context.mode)?;
        let part = Part { text: source.text.clone(), params: (0..statement.params).collect() };
        Ok(Self {
            context,
            options,
            part,
            steps: Vec::new(),
            temporaries: Vec::new(),
            notes: Vec::new(),
            on_shards: Vec::new(),
            home: None,
            next: 0,
        })
    }

    pub(super) fn run(mut self) -> Result<Combine, Stop> {
        for round in 0..ROUNDS_MAX {
            let part = self.part.clone();
            let statement = parse(&part.text, &self.context.mode)?;
            let temporaries = self.temporaries.clone();
            let context = Context { temporaries: &temporaries, ..self.context };
            let examined = examine(&part, &statement, &context)?;
            if round == 0 {
                self.check(&examined, &context)?;
            }
            let detached = !self.options.detached || examined.found.uses.is_empty();
            if detached && examined.obstacle(&context, self.options).is_none() {
                return Ok(self.finish(&examined));
            }
            let survey = Survey::new(examined.query, &context);
            self.round(Round { part: &part, examined: &examined, survey: &survey }, &context)?;
        }
        let message =
            format!("the statement is not in parts after {ROUNDS_MAX} rounds; simplify it");
        Err(Error::unsupported(message).into())
    }

    /// What no rewriting can keep the meaning of.
    fn check(&mut self, examined: &Examined<'_>, context: &Context<'_>) -> Result<(), Stop> {
        let found = &examined.found;
        let refuse = |what: &str, way: &str| {
            let message = format!("{what} is not supported over several shards; {way}");
            Err(Stop::Error(Error::unsupported(message)))
        };
        if examined.query.into.is_some() {
            return refuse("SELECT ... INTO", "fetch the rows and write them from the client");
        }
        if found.assigns_variables {
            let way = "use a window function, or set the variable by SET";
            return refuse("an assignment to a user variable", way);
        }
        let stored = found.calls.iter().find(|call| {
            let args = call.function.args.len();
            functions::nature(&call.function.name, args) == Nature::Stored
        });
        if let Some(call) = stored {
            let what = format!("the stored function {}()", call.function.name.to_uppercase());
            return refuse(&what, "it may read tables of one shard; write out what it computes");
        }
        self.home = home(examined, context);
        Ok(())
    }

    fn round(&mut self, round: Round<'_, '_>, context: &Context<'_>) -> Result<(), Stop> {
        if subquery::drop_unused(self, round)? || self.whole(round, context)? {
            return Ok(());
        }
        if subquery::split_cte(self, round, context)? || self.partial(round, context)? {
            return Ok(());
        }
        if leaf::cut(self, round, context)? {
            return Ok(());
        }
        let why = round.examined.obstacle(context, self.options);
        let message = format!(
            "{} is not supported over several shards; simplify the statement",
            why.unwrap_or_else(|| "this statement".to_owned())
        );
        Err(Error::unsupported(message).into())
    }

    /// Queries that shards can compute whole, outer ones first.
    fn whole(&mut self, round: Round<'_, '_>, context: &Context<'_>) -> Result<bool, Stop> {
        for id in 0..round.survey.nodes.len() {
            if !self.is_remote(round, id) {
                continue;
            }
            if subquery::cut(self, round, id, context)?
                || gather::cut(self, round, (id, true), context)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Blocks of which shards can compute a part.
    fn partial(&mut self, round: Round<'_, '_>, context: &Context<'_>) -> Result<bool, Stop> {
        for id in 0..round.survey.nodes.len() {
            if self.is_remote(round, id) && gather::cut(self, round, (id, false), context)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_remote(&self, round: Round<'_, '_>, id: NodeId) -> bool {
        let span = round.survey.nodes.get(id).map(|node| node.query.span);
        span.is_some_and(|span| round.survey.reads(span, &|meaning| self.remote(meaning)))
    }

    /// The table is not beside what stays in place.
    pub(super) fn remote(&self, meaning: &Meaning) -> bool {
        let Meaning::Table(table) = meaning else { return false };
        let near = || {
            let clusters = clusters_of(table, &self.context);
            self.home.is_none_or(|home| clusters.contains(&home))
        };
        match &table.kind {
            TableKind::Sharded(_) => true,
            TableKind::Single { .. } | TableKind::Broadcast { .. } => {
                self.options.detached || !near()
            }
        }
    }

    /// The query of a node by itself. None: it cannot stand alone.
    pub(super) fn standalone(
        &self,
        round: Round<'_, '_>,
        id: NodeId,
    ) -> Result<Option<Standalone>, Stop> {
        let Some(node) = round.survey.nodes.get(id) else { return Ok(None) };
        let draft = Draft::new(round.part, &self.context.mode)?;
        let mut part = Part::default();
        if matches!(node.role, Role::Top) {
            part.append(&draft.rest(0));
            return Ok(Some(Standalone { part, at: 0, head: "" }));
        }
        let needed = round.survey.needed(node.query);
        let Some(prefix) = with_clause(round, &needed, node.query) else { return Ok(None) };
        let keyword = if prefix.recursive { "WITH RECURSIVE " } else { "WITH " };
        if !prefix.definitions.is_empty() {
            part.add(keyword);
            for (index, span) in prefix.definitions.iter().enumerate() {
                part.add(if index > 0 { ", " } else { "" });
                part.append(&draft.cut(*span));
            }
        }
        let own = node.query.with.first().map(|cte| cte.span.start);
        let (start, head) = match own {
            Some(first) if !prefix.definitions.is_empty() => {
                part.add(", ");
                (first, keyword)
            }
            Some(_) | None => {
                part.add(if prefix.definitions.is_empty() { "" } else { " " });
                (node.query.span.start, "")
            }
        };
        let at = Span::new(0, part.text.len()).end;
        part.append(&draft.cut(Span { start, end: node.query.span.end }));
        Ok(Some(Standalone { part, at, head }))
    }

    /// The name of a new temporary table.
    pub(super) fn name(&mut self) -> String {
        self.next += 1;
        format!("{}{}", super::super::planner::TEMPORARY_PREFIX, self.next - 1)
    }

    /// Adds a step whose statement was examined.
    pub(super) fn add_step(&mut self, part: &Part, examined: &Examined<'_>, temp: Temp) {
        let reads = reads(examined);
        if examined.on_shards() {
            self.on_shards.extend(reads.iter().cloned());
        }
        self.temporaries.extend(temp.temporaries());
        let Part { text, params } = part.clone();
        let stage = Stage { text, params, keys: Vec::<KeyList>::new(), reads };
        self.steps.push(Step { stage, temp });
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn finish(mut self, examined: &Examined<'_>) -> Combine {
        let reads = reads(examined);
        if examined.on_shards() {
            self.on_shards.extend(reads.iter().cloned());
        }
        for step in &mut self.steps {
            step.temp.broadcast = step.temp.names.iter().any(|name| self.on_shards.contains(name));
        }
        let Part { text, params } = self.part;
        let last = Stage { text, params, keys: Vec::new(), reads };
        Combine { steps: self.steps, last, notes: self.notes }
    }
}

fn reads(examined: &Examined<'_>) -> Vec<String> {
    let mut reads = examined.found.temporaries.clone();
    reads.sort_unstable();
    reads.dedup();
    reads
}

struct With {
    definitions: Vec<Span>,
    recursive: bool,
}

/// The definitions that a query needs before it. None: they cannot stand in one WITH clause.
fn with_clause(round: Round<'_, '_>, needed: &[usize], query: &Query) -> Option<With> {
    let found = needed.iter().map(|id| round.survey.ctes.get(*id).map(|cte| cte.cte));
    let found: Vec<_> = found.collect::<Option<_>>()?;
    let all: Vec<_> = found.iter().copied().chain(&query.with).collect();
    let recursive = found.iter().any(|cte| cte.recursive);
    for (index, cte) in all.iter().enumerate() {
        let same = |other: &&crate::sql::query::Cte| other.name.value == cte.name.value;
        let inside = found.len() > index && cte.span.contains(query.span);
        if all.iter().take(index).any(same)
            || (!found.is_empty() && cte.recursive != recursive)
            || inside
        {
            return None;
        }
    }
    Some(With { definitions: found.iter().map(|cte| cte.span).collect(), recursive })
}

/// The cluster with most of the tables that are not sharded.
fn home(examined: &Examined<'_>, context: &Context<'_>) -> Option<usize> {
    let place = &examined.place;
    let clusters = |table: &std::sync::Arc<crate::catalog::Table>| clusters_of(table, context);
    let all: Vec<Vec<usize>> =
        place.singles.iter().chain(&place.broadcasts).map(clusters).collect();
    let count = |cluster: usize| all.iter().filter(|own| own.contains(&cluster)).count();
    let mut choices: Vec<usize> = all.iter().flatten().copied().collect();
    choices.sort_unstable();
    choices.dedup();
    // The first of the best ones.
    choices.into_iter().rev().max_by_key(|cluster| count(*cluster))
}

/// A column of a temporary table with the values of an output.
pub(super) fn column_of(output: &Output, name: String, examined: &Examined<'_>) -> TempColumn {
    let declared = output.atom.and_then(|atom| examined.found.column(atom));
    let declared = declared.map(|column| column.declared.clone()).filter(|text| !text.is_empty());
    TempColumn { name: Some(name), declared, class: output.class.clone() }
}

/// Asks for facts; other reasons only say that a part cannot be planned by itself.
pub(super) fn attempt<T>(result: Result<T, Stop>) -> Result<Option<T>, Stop> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(need @ Stop::Need(_)) => Err(need),
        Err(Stop::Error(_)) => Ok(None),
    }
}
