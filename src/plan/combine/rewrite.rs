//! The rounds of rewriting: each makes steps of one part of the statement, until what is left runs.

use std::collections::BTreeSet;

use super::super::facts::{ColumnClass, Stop};
use super::super::functions::{self, Nature};
use super::super::model::Output;
use super::super::planner::{Context, TEMPORARY_PREFIX, Temporary};
use super::super::template::Piece;
use super::super::types::Source;
use super::filter::looked_up;
use super::gather::Extent;
use super::hint::{self, Met};
use super::part::{Draft, Part};
use super::stage::{Examined, Limits, clusters_of, examine};
use super::survey::{Meaning, NodeId, Role, Survey};
use super::{Combine, KeyList, Options, Stage, Step, Temp, TempColumn};
use super::{gather, group, leaf, partial, spread, subquery};
use crate::catalog::TableKind;
use crate::error::Error;
use crate::sql::query::Query;
use crate::sql::walk::{self, Node};
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
    /// Rows of tables are gathered from here on: copying some to the shards of others is more work.
    pub gathers: bool,
    /// Steps whose values are too many to list.
    pub unlisted: Vec<usize>,
    /// Temporary tables that are not copied to shards, since they may be large.
    kept: Vec<String>,
    /// The locking clause that steps get, with a space before.
    locking: String,
    /// Columns of temporary tables by which rows are looked up.
    lookups: BTreeSet<(String, usize)>,
    /// Which tables filter the rows of temporary tables no further.
    met: Vec<Met>,
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
            gathers: false,
            unlisted: Vec::new(),
            kept: Vec::new(),
            locking: String::new(),
            lookups: BTreeSet::new(),
            met: Vec::new(),
            next: 0,
        })
    }

    pub(super) fn run(mut self) -> Result<Combine, Stop> {
        for count in 0..ROUNDS_MAX {
            let part = self.part.clone();
            let statement = parse(&part.text, &self.context.mode)?;
            let temporaries = self.temporaries.clone();
            let context = Context { temporaries: &temporaries, ..self.context };
            let examined = examine(&part, &statement, &context)?;
            if count == 0 {
                self.check(&examined, &context)?;
            }
            let survey = Survey::new(examined.query, &context);
            let round = Round { part: &part, examined: &examined, survey: &survey };
            if !self.steps.is_empty() && subquery::drop_unused(&mut self, round)? {
                continue;
            }
            let alone = (!self.options.detached || examined.found.uses.is_empty())
                && !(self.options.tables_only && examined.is_spread());
            if alone && examined.obstacle(&context, self.limits()).is_none() {
                return self.finish(&examined);
            }
            if examined.found.locking {
                // The rows to lock are those that steps read.
                self.options.detached = true;
                self.take_locks(&examined)?;
                continue;
            }
            self.round(round, &context)?;
        }
        let message =
            format!("the statement is not in parts after {ROUNDS_MAX} rounds; simplify it");
        Err(Error::unsupported(message).into())
    }

    /// What stages must keep to.
    pub(super) fn limits(&self) -> Limits<'_> {
        Limits { options: self.options, home: self.home, kept: &self.kept }
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

    /// Locking clauses go from the statement to the steps that read its tables.
    fn take_locks(&mut self, examined: &Examined<'_>) -> Result<(), Stop> {
        let part = self.part.clone();
        let mut draft = Draft::new(&part, &self.context.mode)?;
        walk::query(examined.query, &mut |node| {
            if let Node::Query(query) = node
                && let Some(locking) = query.locking
            {
                let text = part.text.get(locking.span.range()).unwrap_or_default();
                let text = locking_clause(&String::from_utf8_lossy(text));
                if self.locking.is_empty() || locking.exclusive {
                    self.locking = text;
                }
                draft.remove(locking.span);
            }
        });
        self.part = draft.finish();
        Ok(())
    }

    /// The locking clause of the whole; empty: none.
    pub(super) fn locking(&self) -> &str {
        &self.locking
    }

    /// Ends a statement that reads tables in the locking clause of the whole.
    pub(super) fn lock(&self, part: &mut Part) {
        part.add(&self.locking);
    }

    fn round(&mut self, round: Round<'_, '_>, context: &Context<'_>) -> Result<(), Stop> {
        let done = subquery::drop_unused(self, round)?
            || (!self.options.tables_only && self.whole(round, context)?)
            || (self.options.tables_only && subquery::expand_cte(self, round)?)
            || subquery::split_cte(self, round, context)?
            || (!self.options.tables_only
                && (spread::cut(self, round, context)?
                    || self.partial(round, context)?
                    || group::cut(self, round, context)?))
            || leaf::cut(self, round, context)?;
        if done {
            return Ok(());
        }
        let why = round.examined.obstacle(context, self.limits());
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
            let done = subquery::cut(self, round, id, context)?
                || partial::cut(self, round, id, context)?
                || gather::cut(self, round, (id, Extent::Whole), context)?;
            if done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Blocks of which shards can compute a part.
    fn partial(&mut self, round: Round<'_, '_>, context: &Context<'_>) -> Result<bool, Stop> {
        for id in 0..round.survey.nodes.len() {
            if !self.is_remote(round, id) {
                continue;
            }
            let done = gather::cut(self, round, (id, Extent::Where), context)?
                || gather::cut(self, round, (id, Extent::Part), context)?;
            if done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn is_remote(&self, round: Round<'_, '_>, id: NodeId) -> bool {
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

    /// Puts a new text where a query stands.
    pub(super) fn put(
        &mut self,
        round: Round<'_, '_>,
        id: NodeId,
        text: Vec<Piece>,
    ) -> Result<(), Stop> {
        let Some(node) = round.survey.nodes.get(id) else { return Ok(()) };
        let mut outer = Draft::new(round.part, &self.context.mode)?;
        let span = match node.role {
            Role::Top => Span::new(0, round.part.text.len()),
            Role::Derived { .. } | Role::Cte(_) | Role::Subquery { .. } | Role::Branch => {
                node.query.span
            }
        };
        outer.replace_with(span, text);
        outer.keep_names(&round.examined.found);
        self.part = outer.finish();
        Ok(())
    }

    /// The name that the next temporary table gets.
    pub(super) fn peek_name(&self) -> String {
        format!("{TEMPORARY_PREFIX}{}", self.next)
    }

    /// The name of a new temporary table.
    pub(super) fn name(&mut self) -> String {
        let name = self.peek_name();
        self.next += 1;
        name
    }

    /// Adds a step with the rows of tables, whose statement was examined.
    pub(super) fn add_rows(&mut self, part: &Part, examined: &Examined<'_>, temp: Temp) {
        if self.gathers {
            self.kept.extend(temp.names.iter().cloned());
        }
        self.add_step(part, examined, temp);
    }

    /// Adds a step whose statement was examined.
    pub(super) fn add_step(&mut self, part: &Part, examined: &Examined<'_>, temp: Temp) {
        let reads = reads(examined);
        if examined.on_shards() {
            self.on_shards.extend(reads.iter().cloned());
        }
        self.lookups.extend(looked_up(&examined.found));
        self.temporaries.extend(temp.temporaries());
        let Part { text, params } = part.clone();
        let stage = Stage { text, params, keys: Vec::<KeyList>::new(), reads };
        self.steps.push(Step { stage, temp });
    }

    /// Conditions by keys of the step that was added last.
    pub(super) fn add_keys(&mut self, keys: Vec<KeyList>) {
        if let Some(step) = self.steps.last_mut() {
            step.stage.keys = keys;
        }
    }

    /// The conditions of these tables hold for all rows of the temporary ones.
    pub(super) fn join_last(&mut self, temporaries: Vec<String>, tables: Vec<String>) {
        if !tables.is_empty() {
            self.met.push(Met { temporaries, tables });
        }
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn finish(mut self, examined: &Examined<'_>) -> Result<Combine, Stop> {
        let reads = reads(examined);
        if examined.on_shards() {
            self.on_shards.extend(reads.iter().cloned());
        }
        self.lookups.extend(looked_up(&examined.found));
        for step in &mut self.steps {
            let temp = &mut step.temp;
            let own = self.lookups.iter().filter(|(name, _)| temp.names.contains(name));
            let mut columns: Vec<usize> = own.map(|(_, column)| *column).collect();
            columns.sort_unstable();
            columns.dedup();
            columns.retain(|column| temp.columns.get(*column).is_some_and(is_short));
            temp.indexes = columns.into_iter().map(|column| vec![column]).collect();
            step.temp.broadcast = step.temp.names.iter().any(|name| self.on_shards.contains(name));
        }
        let mut draft = Draft::new(&self.part, &self.context.mode)?;
        hint::join_last(examined.query, &self.part.text, &self.met, &mut draft);
        let Part { text, params } = draft.finish();
        let last = Stage { text, params, keys: Vec::new(), reads };
        Ok(Combine { steps: self.steps, last, notes: self.notes })
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

/// Values of the column can be in an index whole.
fn is_short(column: &TempColumn) -> bool {
    use ColumnClass as C;
    match &column.class {
        Some(C::Integer { .. } | C::Decimal { .. } | C::Date | C::DateTime { .. } | C::Year) => {
            true
        }
        Some(C::Text { .. }) => {
            let declared = column.declared.as_deref().unwrap_or_default();
            let length = declared.split(['(', ')']).nth(1).and_then(|text| text.parse().ok());
            length.is_some_and(|length: u32| length <= 255)
        }
        Some(
            C::Float
            | C::Bit
            | C::Timestamp
            | C::Time
            | C::Binary { .. }
            | C::VarBinary
            | C::Enum
            | C::Set
            | C::Json
            | C::Geometry,
        )
        | None => false,
    }
}

/// A locking clause without the tables that it names.
fn locking_clause(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let upper = text.to_ascii_uppercase();
    let has = |word: &str| upper.split_whitespace().any(|other| other == word);
    let kind = if has("UPDATE") {
        " FOR UPDATE"
    } else if has("SHARE") && has("FOR") {
        " FOR SHARE"
    } else {
        " LOCK IN SHARE MODE"
    };
    let wait = upper.split_whitespace().position(|word| word == "WAIT");
    let seconds = wait.and_then(|at| words.get(at + 1));
    let option = match seconds {
        Some(seconds) => format!(" WAIT {seconds}"),
        None if has("NOWAIT") => " NOWAIT".to_owned(),
        None if has("SKIP") => " SKIP LOCKED".to_owned(),
        None => String::new(),
    };
    format!("{kind}{option}")
}

/// A column of a temporary table with the values of an output.
pub(super) fn column_of(output: &Output, name: String) -> TempColumn {
    let declared = output.declared.as_deref().map(str::to_owned);
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
