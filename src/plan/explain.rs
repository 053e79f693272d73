//! A plan in words: the lines of `EXPLAIN FORMAT=MARGAY`.

use super::combine::{self, Options, Stage, Temp};
use super::facts::Stop;
use super::ids;
use super::key::Run;
use super::pick;
use super::planner::{Context, Temporary, plan};
use super::render::{Rendered, render, render_insert};
use super::resolve::{ddl_targets, insert_targets, limited, sample_of, targets, write_targets};
use super::template::{Part, Target};
use super::types::{Ddl, Feed, Insert, Load, Plan, Select, Source, Write};
use crate::error::{Error, ErrorKind};
use crate::merge::Spec;
use crate::sql::expr::Literal;
use crate::sql::parse;

/// More targets than this are only counted.
const TARGETS_SHOWN: usize = 4;

/// The lines of a tree: what is done, where, with which statements, and how answers merge.
///
/// # Errors
/// As running the plan would give before it reaches a server.
pub fn explain(plan: &Plan, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    match plan {
        Plan::Select(select) => explain_select(select, run),
        Plan::Insert(insert) => explain_insert(insert, run),
        Plan::Feed(feed) => explain_feed(feed, run),
        Plan::Write(write) => explain_write(write, run),
        Plan::Load(load) => explain_load(load, run),
        Plan::Ddl(ddl) => explain_ddl(ddl, run),
    }
}

fn explain_select(select: &Select, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let found = match (targets(&select.place, run), &select.source) {
        (Ok(found), Some(source)) if found.len() > 1 && select.scatter.is_err() => {
            return explain_combine(source, run);
        }
        (Err(Stop::Error(error)), Some(source)) if *error.kind() == ErrorKind::Unsupported => {
            return explain_combine(source, run);
        }
        (found, _) => found?,
    };
    let mut lines = Vec::new();
    if let [target] = found.as_slice() {
        lines.push(format!("route to {}", target_name(target, run)));
        push_statement(&mut lines, &render(&select.route, target, run)?);
    } else {
        let scatter = match &select.scatter {
            Ok(scatter) => scatter,
            Err(refusal) => return Err(Error::unsupported(&refusal.message).into()),
        };
        let (merge, suffix) = limited(&scatter.merge, scatter.limit.as_ref(), run)?;
        lines.push(format!("scatter over {}", places(&found)));
        push_targets(&mut lines, &found, run, |target| {
            let mut rendered = render(&scatter.template, target, run)?;
            rendered.text.extend_from_slice(suffix.as_bytes());
            Ok(rendered)
        })?;
        lines.extend(scatter.notes.iter().map(|note| format!("  merge: {note}")));
        lines.extend(merge_lines(&merge).into_iter().map(|line| format!("  {line}")));
    }
    if select.primary {
        lines.push("  on the primary".to_owned());
    }
    Ok(lines)
}

/// The tree of a program: its steps, what they read, and the statement that answers.
fn explain_combine(source: &Source, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let context = Context {
        catalog: run.catalog,
        facts: run.facts,
        schema: source.schema.as_deref(),
        mode: source.mode,
        temporaries: &[],
        anywhere: false,
    };
    let open = run.cluster.is_some();
    let options =
        Options { broadcast: !open, detached: open, tables_only: false, shape_only: false };
    let program = combine::plan(source, &context, options)?;
    let mut temporaries: Vec<Temporary> = Vec::new();
    let count = program.steps.len();
    let mut lines = vec![format!("combine {count} step{}", if count == 1 { "" } else { "s" })];
    for (index, step) in program.steps.iter().enumerate() {
        let context = Context { temporaries: &temporaries, ..context };
        let place = stage_place(&step.stage, &context, run)?;
        let copied = if step.temp.broadcast { ", copied to the shards" } else { "" };
        let names = step.temp.names.join(", ");
        let indexes = indexes(&step.temp);
        lines.push(format!("  step {}: {names}{indexes}{copied}: {place}", index + 1));
        lines.push(format!("    {}", stage_text(&step.stage)));
        temporaries.extend(step.temp.temporaries());
    }
    let context = Context { temporaries: &temporaries, ..context };
    lines.push(format!("  last: {}", stage_place(&program.last, &context, run)?));
    lines.push(format!("    {}", stage_text(&program.last)));
    lines.extend(program.notes.iter().map(|note| format!("  note: {note}")));
    Ok(lines)
}

/// `, index (a), (b)`
fn indexes(temp: &Temp) -> String {
    let name = |index: &usize| {
        let column = temp.columns.get(*index).and_then(|column| column.name.as_deref());
        column.unwrap_or("?").to_owned()
    };
    let list = |columns: &Vec<usize>| {
        let names: Vec<String> = columns.iter().map(name).collect();
        format!("({})", names.join(", "))
    };
    let lists: Vec<String> = temp.indexes.iter().map(list).collect();
    if lists.is_empty() { String::new() } else { format!(", index {}", lists.join(", ")) }
}

/// Where a statement of a program runs.
fn stage_place(stage: &Stage, context: &Context<'_>, run: &Run<'_>) -> Result<String, Stop> {
    let statement = parse(&stage.text, &context.mode)?;
    let Plan::Select(select) = plan(&statement, &stage.text, context)? else {
        return Err(Error::internal("a step that is no query").into());
    };
    let value = |index: &u16| run.params.get(usize::from(*index)).cloned();
    let params: Option<Vec<Literal>> = stage.params.iter().map(value).collect();
    let Some(params) = params else {
        return Err(Error::internal("a step with a parameter that has no value").into());
    };
    let run = Run { params: &params, ..*run };
    if select.place.units.is_empty()
        && select.place.singles.is_empty()
        && select.place.broadcasts.is_empty()
    {
        return Ok("on one server".to_owned());
    }
    let found = targets(&select.place, &run)?;
    Ok(match (found.as_slice(), &select.scatter) {
        ([target], _) => format!("route to {}", target_name(target, &run)),
        (several, Ok(scatter)) => {
            let notes = scatter.notes.join("; ");
            format!("scatter over {}: {notes}", places(several))
        }
        (_, Err(refusal)) => return Err(Error::unsupported(&refusal.message).into()),
    })
}

/// The text of a stage on one line, conditions by keys as what they are of.
fn stage_text(stage: &Stage) -> String {
    let mut text = Vec::new();
    let mut done = 0;
    for key in &stage.keys {
        let at = key.at as usize;
        text.extend_from_slice(stage.text.get(done..at).unwrap_or_default());
        let list = format!(" AND {} IN (<keys of step {}>)", key.expr, key.step + 1);
        text.extend_from_slice(list.as_bytes());
        done = at;
    }
    text.extend_from_slice(stage.text.get(done..).unwrap_or_default());
    String::from_utf8_lossy(&text).replace(['\n', '\r'], " ")
}

fn explain_write(write: &Write, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let found = match (write_targets(write, run), &write.source) {
        (Err(Stop::Error(error)), Some(source)) if *error.kind() == ErrorKind::Unsupported => {
            return explain_pick(source, run);
        }
        (found, _) => found?,
    };
    let mut lines = vec![match (&write.broadcast, found.as_slice()) {
        (Some(table), found) => {
            format!("write to all copies of `{}`: {}", table.name, places(found))
        }
        (None, [target]) => format!("write to {}", target_name(target, run)),
        (None, found) => format!("write to {}", places(found)),
    }];
    push_targets(&mut lines, &found, run, |target| Ok(render(&write.template, target, run)?))?;
    Ok(lines)
}

fn explain_load(load: &Load, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let (Some(split), Some(table)) = (&load.split, &load.table) else {
        let found = targets(&load.place, run)?;
        let names: Vec<String> = found.iter().map(|target| target_name(target, run)).collect();
        return Ok(vec![format!("load the file into {}", names.join(", "))]);
    };
    let count = table.shards().len();
    let name = &table.name;
    let mut lines = vec![match &split.insert.key_class {
        Some(_) => format!("load rows into `{name}`, each where it belongs: {count} shards"),
        None => format!("load all rows into each copy of `{name}`: {count} shards"),
    }];
    let target = sample_of(table)?;
    let mut rendered = render(&load.head, &target, run)?;
    if let Some(tail) = &load.tail {
        rendered.text.extend_from_slice(b" CHARACTER SET <that of the schema> ");
        rendered.text.extend_from_slice(&render(tail, &target, run)?.text);
    }
    push_statement(&mut lines, &rendered);
    Ok(lines)
}

fn explain_feed(feed: &Feed, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    if feed.direct {
        match explain_write(&feed.whole, run) {
            Err(Stop::Error(error)) if *error.kind() == ErrorKind::Unsupported => {}
            outcome => return outcome,
        }
    }
    let order = if feed.reads_first { "all at once" } else { "as they come" };
    let mut lines = vec![format!("insert rows of a query into `{}`, {order}", feed.table.name)];
    lines.extend(explain_query(&feed.source, &feed.params, run)?);
    Ok(lines)
}

/// The lines of rows that are picked first.
fn explain_pick(source: &Source, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let pick = pick::plan(source, &context_of(source, run))?;
    let mut lines = vec!["pick rows, and lock them".to_owned()];
    lines.extend(explain_query(&pick.source, &pick.params, run)?);
    for target in &pick.targets {
        let keys: Vec<&str> = target.keys.iter().map(|key| key.text.as_str()).collect();
        let text = target.shown();
        let moves = match target.relocation {
            Some(_) => ", and move those that belong elsewhere then",
            None => "",
        };
        lines.push(format!("then write them by ({}){moves}", keys.join(", ")));
        lines.push(format!("  {}", text.replace(['\n', '\r'], " ")));
    }
    Ok(lines)
}

fn context_of<'c>(source: &'c Source, run: &Run<'c>) -> Context<'c> {
    Context {
        catalog: run.catalog,
        facts: run.facts,
        schema: source.schema.as_deref(),
        mode: source.mode,
        temporaries: &[],
        anywhere: false,
    }
}

/// The lines of the query that a write reads from. `params`: the client's parameters that its `?` are.
fn explain_query(source: &Source, params: &[u16], run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let statement = parse(&source.text, &source.mode)?;
    let query = plan(&statement, &source.text, &context_of(source, run))?;
    let value = |index: &u16| run.params.get(usize::from(*index)).cloned();
    let params: Vec<Literal> = params.iter().filter_map(value).collect();
    let lines = explain(&query, &Run { params: &params, ..*run })?;
    Ok(lines.into_iter().map(|line| format!("  {line}")).collect())
}

fn explain_insert(insert: &Insert, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let numbered;
    let mut insert = insert;
    if let Some(found) = &insert.ids {
        let numbering = ids::numbering(insert, found, false, run)?;
        if numbering.count() > 0 && (found.is_key || found.is_part_key) {
            let several = insert.table.shards().len();
            let line =
                format!("insert where the generated `{}` belongs: {several} shards", found.column);
            return Ok(vec![line]);
        }
        numbered = ids::fill_words(insert, &numbering.wanted);
        insert = &numbered;
    }
    let found = insert_targets(insert, run)?;
    let alone: Vec<Target> = found.iter().map(|(target, _)| target.clone()).collect();
    let mut lines = vec![match alone.as_slice() {
        [target] => format!("insert into {}", target_name(target, run)),
        several => format!("insert into {}", places(several)),
    }];
    push_targets(&mut lines, &alone, run, |target| {
        let rows = found.iter().find(|(other, _)| other == target);
        let rows = rows.map_or(&[][..], |(_, rows)| rows.as_slice());
        render_insert(insert, target, rows, run)
    })?;
    if let Some(target) = insert.upsert.as_ref().and_then(|upsert| upsert.pick.targets.first()) {
        lines.push(
            "  row by row; a row in the way is updated, and moved if it belongs elsewhere".into(),
        );
        lines.push(format!("  {}", target.shown().replace(['\n', '\r'], " ")));
    }
    Ok(lines)
}

fn explain_ddl(ddl: &Ddl, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let mut lines = Vec::new();
    if let Some((shard, template)) = &ddl.forced {
        let target = Target { shard: *shard, part: None };
        lines.push(format!("ddl on {}", target_name(&target, run)));
        push_statement(&mut lines, &render(template, &target, run)?);
    }
    if let Some(fill) = &ddl.fill {
        let parts = fill.table.shards().len();
        let plural = if parts == 1 { "" } else { "s" };
        lines.push(format!(
            "create `{}` on {parts} shard{plural}, as a server defines it, then insert rows of a query",
            fill.table.name
        ));
        lines.extend(explain_query(&fill.source, &[], run)?);
    }
    for step in &ddl.steps {
        let found = ddl_targets(step, run)?;
        lines.push(match found.as_slice() {
            [target] => format!("ddl on {}", target_name(target, run)),
            several => format!("ddl on {}", places(several)),
        });
        push_targets(&mut lines, &found, run, |target| Ok(render(&step.template, target, run)?))?;
    }
    Ok(lines)
}

/// `4 shards`, or `8 tables on 4 shards`.
fn places(targets: &[Target]) -> String {
    let mut shards: Vec<_> = targets.iter().map(|target| target.shard).collect();
    shards.sort_unstable();
    shards.dedup();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let shards = format!("{} shard{}", shards.len(), plural(shards.len()));
    if targets.iter().any(|target| target.part.is_some()) {
        return format!("{} table{} on {shards}", targets.len(), plural(targets.len()));
    }
    shards
}

fn target_name(target: &Target, run: &Run<'_>) -> String {
    let shard = run.catalog.shard(target.shard).map_or("?", |shard| shard.name.as_str());
    match &target.part {
        Some(Part::Fixed(index)) => format!("{shard}, table {index}"),
        Some(Part::Period(name)) => format!("{shard}, table {name}"),
        Some(Part::Each(_)) | None => shard.to_owned(),
    }
}

/// The first targets with their statements.
fn push_targets(
    lines: &mut Vec<String>,
    targets: &[Target],
    run: &Run<'_>,
    statement: impl Fn(&Target) -> Result<Rendered, Stop>,
) -> Result<(), Stop> {
    let shown: Vec<(&Target, String)> = targets
        .iter()
        .take(TARGETS_SHOWN)
        .map(|target| Ok((target, one_line(&statement(target)?))))
        .collect::<Result<_, Stop>>()?;
    let alike = shown.windows(2).all(|pair| matches!(pair, [one, other] if one.1 == other.1));
    let more = targets.len() - shown.len();
    match shown.first() {
        Some((_, text)) if alike => {
            if targets.len() > 1 {
                let names: Vec<String> =
                    shown.iter().map(|(target, _)| target_name(target, run)).collect();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                lines.push(format!("  on {}{more}", names.join(", ")));
            }
            lines.push(format!("  {text}"));
        }
        Some(_) | None => {
            for (target, text) in shown {
                lines.push(format!("  {}: {text}", target_name(target, run)));
            }
            if more > 0 {
                lines.push(format!("  … and {more} more"));
            }
        }
    }
    Ok(())
}

fn push_statement(lines: &mut Vec<String>, rendered: &Rendered) {
    lines.push(format!("  {}", one_line(rendered)));
}

fn one_line(rendered: &Rendered) -> String {
    String::from_utf8_lossy(&rendered.text).replace(['\n', '\r'], " ")
}

fn merge_lines(merge: &Spec) -> Vec<String> {
    let mut lines = Vec::new();
    if merge.sort.is_some() {
        lines.push("then: sorted again".to_owned());
    }
    match (merge.limit, merge.offset) {
        (Some(limit), 0) => lines.push(format!("limit: {limit}")),
        (Some(limit), offset) => lines.push(format!("limit: {limit} after {offset}")),
        (None, _) => {}
    }
    lines
}
