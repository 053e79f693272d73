//! Plans of reads.

use super::facts::Stop;
use super::functions;
use super::names::Env;
use super::planner::{Context, forced, place, reader, refusal};
use super::scatter::{self, Input};
use super::splice::{Splice, untouched};
use super::types::{Place, Select, Source};
use crate::sql::Statement;
use crate::sql::query::Query;

pub(super) fn plan(
    query: &Query,
    statement: &Statement,
    text: &[u8],
    context: &Context<'_>,
) -> Result<Select, Stop> {
    if let Some(shard) = forced(statement, context)? {
        let place = Place { forced: Some(shard), ..Place::default() };
        let scatter = Err(refusal("a statement with the hint shard=", &place));
        let route = untouched(text, statement.params);
        let primary = query.locking.is_some();
        return Ok(Select { place, route, scatter, primary, source: None });
    }
    let mut reader = reader(statement, text, context);
    reader.query(query, Env::top())?;
    let found = reader.finish()?;
    let groups = found.groups();
    let place = place(&found, &groups, context)?;
    let splice = Splice::base(text, &found, true);
    let input = Input { text, found: &found, groups: &groups, place: &place, splice: &splice };
    let scatter = scatter::plan(query, input);
    let calls = found.calls.iter().any(|call| functions::needs_primary(&call.function.name));
    let primary = found.locking || calls;
    let schema = context.schema.map(str::to_owned);
    let source = Some(Source { text: text.to_vec(), mode: context.mode, schema });
    Ok(Select { route: splice.whole(statement.params), scatter, primary, source, place })
}
