//! Statements that can be run as they are: by a route, by a scatter, or on any one server.

use std::sync::Arc;

use super::super::facts::{ColumnClass, Stop};
use super::super::functions::{self, Nature};
use super::super::model::{Analysis, Output};
use super::super::names::{Env, Reader};
use super::super::planner::{Context, place};
use super::super::scatter::{self, Input};
use super::super::splice::Splice;
use super::super::template::Piece;
use super::super::types::{Condition, Operand, Place, Refusal, Scatter};
use super::super::units::Group;
use super::Options;
use super::part::Part;
use crate::catalog::Table;
use crate::error::Error;
use crate::sql::expr::Literal;
use crate::sql::query::Query;
use crate::sql::walk::{self, Node};
use crate::sql::{Statement, StatementKind, parse};

/// A statement of the program as planning sees it.
pub(super) struct Examined<'a> {
    pub query: &'a Query,
    pub found: Analysis<'a>,
    pub place: Place,
    pub scatter: Result<Scatter, Refusal>,
    pub groups: Vec<Group>,
    /// The columns of the answer; None: not known.
    pub outputs: Option<Vec<Output>>,
}

/// What stages must keep to.
#[derive(Clone, Copy)]
pub(super) struct Limits<'r> {
    pub options: Options,
    /// The cluster of the tables that stay in place; None: any.
    pub home: Option<usize>,
    /// Temporary tables that are not to be copied to shards.
    pub kept: &'r [String],
}

/// Reads and plans a part. `statement` was parsed from its text.
pub(super) fn examine<'a>(
    part: &'a Part,
    statement: &'a Statement,
    context: &Context<'_>,
) -> Result<Examined<'a>, Stop> {
    let StatementKind::Query(query) = &statement.kind else {
        return Err(Error::internal("a combined statement that is no query").into());
    };
    let mut reader = Reader::new(context, &part.text, true);
    let answer = reader.query(query, Env::top())?;
    let found = reader.finish()?;
    let groups = found.groups();
    let place = place(&found, &groups, context)?;
    let splice = Splice::base(&part.text, &found, true);
    let input =
        Input { text: &part.text, found: &found, groups: &groups, place: &place, splice: &splice };
    let scatter = scatter::plan(query, input).and_then(|scatter| {
        match reads_twice(&scatter, &found, context) {
            true => Err(Refusal {
                message: "a temporary table in an expression that shards sort or \
                group by"
                    .to_owned(),
            }),
            false => Ok(scatter),
        }
    });
    Ok(Examined { query, found, place, scatter, groups, outputs: answer.outputs })
}

/// What shards sort and group by is computed a second time in hidden columns, and MySQL cannot open a
/// temporary table twice.
fn reads_twice(scatter: &Scatter, found: &Analysis<'_>, context: &Context<'_>) -> bool {
    if found.temporaries.is_empty() {
        return false;
    }
    let mut text = Vec::new();
    for piece in &scatter.template.pieces {
        match piece {
            Piece::Text(own) => text.extend_from_slice(own),
            Piece::Table(_) => text.extend_from_slice(b"t"),
            Piece::Param(_) => text.push(b'?'),
            // INSERT only.
            Piece::Id(_) => {}
        }
    }
    let Ok(statement) = parse(&text, &context.mode) else { return true };
    let StatementKind::Query(query) = &statement.kind else { return true };
    let mut seen: Vec<&str> = Vec::new();
    let mut twice = false;
    walk::query(query, &mut |node| {
        if let Node::Table(name) = node
            && found.temporaries.contains(&name.name.value)
        {
            twice |= seen.contains(&name.name.value.as_str());
            seen.push(&name.name.value);
        }
    });
    twice
}

impl Examined<'_> {
    /// It runs where tables are split over shards.
    pub(super) fn on_shards(&self) -> bool {
        !self.place.units.is_empty()
    }

    /// It may run on several shards.
    pub(super) fn is_spread(&self) -> bool {
        self.on_shards() && !routes(&self.place)
    }

    /// Why it cannot run as it is; None: it can.
    pub(super) fn obstacle(&self, context: &Context<'_>, limits: Limits<'_>) -> Option<String> {
        let Limits { options, home, kept } = limits;
        let temporaries = &self.found.temporaries;
        let twice = |name: &String| temporaries.iter().filter(|other| *other == name).count() > 1;
        if temporaries.iter().any(twice) {
            return Some("a temporary table is read twice".to_owned());
        }
        let gathered = !temporaries.is_empty() && !self.found.uses.is_empty();
        if gathered && options.detached {
            return Some("tables are read beside rows of an earlier step".to_owned());
        }
        if gathered && !self.on_shards() {
            // Rows are gathered on one cluster.
            let local = self.place.singles.iter().chain(&self.place.broadcasts);
            let near = |table: &Arc<Table>| {
                home.is_none_or(|home| clusters_of(table, context).contains(&home))
            };
            if let Some(far) = local.into_iter().find(|table| !near(table)) {
                return Some(format!("`{}` is not where rows are gathered", far.name));
            }
        }
        if self.on_shards() {
            if !temporaries.is_empty() && !options.broadcast {
                return Some("rows of an earlier step are not copied to the shards".to_owned());
            }
            if temporaries.iter().any(|name| kept.contains(name)) {
                return Some("rows of an earlier step are too many to be copied".to_owned());
            }
            if let Err(refusal) = &self.scatter
                && !routes(&self.place)
            {
                return Some(short(&refusal.message));
            }
        }
        self.apart(context)
    }

    /// Tables that no server has together; None: all lie together.
    fn apart(&self, context: &Context<'_>) -> Option<String> {
        let local = self.place.singles.iter().chain(&self.place.broadcasts);
        let mut clusters: Vec<usize> = Vec::new();
        for unit in &self.place.units {
            clusters.extend(clusters_of(&unit.table, context));
        }
        for single in &self.place.singles {
            clusters.extend(clusters_of(single, context));
        }
        clusters.sort_unstable();
        clusters.dedup();
        if clusters.is_empty() && !self.place.broadcasts.is_empty() {
            let common = (0..context.catalog.shards.len()).any(|cluster| {
                self.place
                    .broadcasts
                    .iter()
                    .all(|table| clusters_of(table, context).contains(&cluster))
            });
            let message = || "no cluster has all broadcast tables".to_owned();
            return (!common).then(message);
        }
        let mut local = local;
        let far = local.find(|table| {
            let own = clusters_of(table, context);
            clusters.iter().any(|cluster| !own.contains(cluster))
        })?;
        Some(format!("`{}` is not on all the clusters that are needed", far.name))
    }

    /// Calls a function whose value is another for each row.
    pub(super) fn random(&self) -> bool {
        self.found.calls.iter().any(|call| {
            let nature = functions::nature(&call.function.name, call.function.args.len());
            nature == Nature::Random || call.function.name == "rand"
        })
    }
}

/// The clusters that have rows of a table.
pub(super) fn clusters_of(table: &Table, context: &Context<'_>) -> Vec<usize> {
    let cluster = |shard| context.catalog.shard(shard).map(|shard| shard.cluster);
    table.shards().iter().copied().filter_map(cluster).collect()
}

/// The statement goes to one target whatever the values of parameters are.
fn routes(place: &Place) -> bool {
    let [unit] = place.units.as_slice() else { return false };
    let parts = unit.table.sharded().is_some_and(|sharded| sharded.parts.is_some());
    let part = || {
        let class = unit.part_class.as_ref();
        class.is_some_and(|class| one_value(&unit.part_condition, class))
    };
    one_value(&unit.condition, &unit.key_class) && (!parts || part())
}

/// The condition names one value that keys of the class are found by, for sure.
fn one_value(condition: &Condition, class: &ColumnClass) -> bool {
    use ColumnClass as C;
    match condition {
        Condition::Eq(Operand::Literal(literal)) => match literal {
            Literal::Integer(_) => matches!(class, C::Integer { .. } | C::Decimal { .. }),
            Literal::String { charset: None, .. } => matches!(class, C::Text { .. }),
            Literal::Null
            | Literal::Bool(_)
            | Literal::Decimal(_)
            | Literal::Float(_)
            | Literal::String { .. }
            | Literal::Hex { .. }
            | Literal::Bit { .. }
            | Literal::Temporal { .. } => false,
        },
        Condition::And(parts) => parts.iter().any(|part| one_value(part, class)),
        Condition::Always
        | Condition::Never
        | Condition::Eq(Operand::Computed(_) | Operand::Param(_) | Operand::Constant(_))
        | Condition::IsNull
        | Condition::In(_)
        | Condition::Range { .. }
        | Condition::Or(_) => false,
    }
}

/// A refusal without its way out.
fn short(message: &str) -> String {
    let end = message.find(" is not supported over several shards");
    end.and_then(|end| message.get(..end)).unwrap_or(message).to_owned()
}
