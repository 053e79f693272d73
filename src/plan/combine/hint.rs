//! What servers are told of the order in which to join.

use super::super::model::same_name;
use super::super::splice::quoted;
use super::part::Draft;
use crate::sql::Span;
use crate::sql::query::{Body, JoinKind, Query, Select, TableExpr};
use crate::sql::walk::{self, Node};

const SELECT: &[u8] = b"SELECT";

/// Temporary tables whose rows meet the conditions of other tables already.
#[derive(Debug)]
pub(super) struct Met {
    pub temporaries: Vec<String>,
    /// As they are called in the block that reads the temporary table.
    pub tables: Vec<String>,
}

/// Tables that filter no more are joined last. MySQL counts their conditions once more, takes the rows of
/// the temporary table for fewer than they are, and would start from them a join that reads much.
pub(super) fn join_last(query: &Query, text: &[u8], met: &[Met], draft: &mut Draft<'_>) {
    if met.is_empty() {
        return;
    }
    walk::query(query, &mut |node| {
        if let Node::Query(query) = node
            && let Body::Select(select) = &query.body
            && takes_hints(select, text)
            && let Some(names) = names(&select.from)
        {
            let has = |name: &String| names.iter().any(|(_, alias)| same_name(alias, name));
            let reads = |met: &&Met| {
                let is_read = |name: &String| names.iter().any(|(table, _)| *table == name);
                met.temporaries.iter().any(is_read) && met.tables.iter().all(has)
            };
            let mut last: Vec<&String> = Vec::new();
            for name in met.iter().filter(reads).flat_map(|met| &met.tables) {
                if !last.contains(&name) {
                    last.push(name);
                }
            }
            if !last.is_empty() {
                let last: Vec<String> = last.into_iter().map(|name| quoted(name)).collect();
                let end = Span::new(0, SELECT.len()).end;
                let hint = format!(" /*+ JOIN_SUFFIX({}) */", last.join(", "));
                draft.insert(select.span.start + end, &hint);
            }
        }
    });
}

/// Hints of the client, and the order that it wants, stay as they are.
fn takes_hints(select: &Select, text: &[u8]) -> bool {
    let head = Span { start: select.span.start, end: select.items_at };
    let head = text.get(head.range()).unwrap_or_default();
    let keyword = head.get(..SELECT.len()).is_some_and(|word| word.eq_ignore_ascii_case(SELECT));
    keyword && !head.contains(&b'/') && !select.straight_join
}

/// The names and aliases of tables in inner joins. None: there are other joins, or other than tables.
fn names(from: &[TableExpr]) -> Option<Vec<(&str, &str)>> {
    fn add<'a>(entry: &'a TableExpr, names: &mut Vec<(&'a str, &'a str)>) -> bool {
        match entry {
            TableExpr::Table(table) => {
                names.push((&table.table.name.value, &table.exposed_name().value));
                true
            }
            TableExpr::Join(join) => {
                join.kind == JoinKind::Inner && add(&join.left, names) && add(&join.right, names)
            }
            TableExpr::Derived { .. } | TableExpr::Function { .. } => false,
        }
    }
    let mut names = Vec::new();
    from.iter().all(|entry| add(entry, &mut names)).then_some(names)
}
