//! Definitions in place of views.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{View, Views};
use crate::catalog::Catalog;
use crate::error::{Error, Result, ServerError};
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::query::{Body, Query, SelectItemKind, TableName};
use crate::sql::references::{Reference, references};
use crate::sql::splice::Splices;
use crate::sql::statement::{Statement, StatementKind};
use crate::sql::walk::{self, Node};
use crate::sql::{self, Mode, Span, quote};

/// What names mean where a statement stands.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    pub catalog: &'s Catalog,
    /// The current schema.
    pub schema: Option<&'s str>,
    pub mode: Mode,
    /// The character set of the client's texts.
    pub charset: &'s str,
    pub views: &'s Views,
}

/// A statement without views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    pub text: Vec<u8>,
    /// The views that it read, those inside of others too.
    pub used: Vec<Arc<View>>,
    /// Names by which the columns of the outermost block refer to a view.
    pub shown: Vec<(String, Arc<View>)>,
}

/// The outcome of looking for views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expansion {
    /// There are none.
    Plain,
    Done(Expanded),
    /// The views of these schemas must be known.
    Missing(Vec<String>),
}

/// Views inside of views.
const DEPTH_MAX: usize = 32;
/// References to views in one statement.
const COUNT_MAX: usize = 128;
/// The text of one statement with all definitions in it.
const TEXT_MAX: usize = 4 << 20;

/// Puts a derived table in place of each view that a statement reads.
///
/// # Errors
/// `Unsupported` where a view stands in a place that takes no derived table; 1462 for a view that reads
/// itself.
pub fn expand(text: &[u8], statement: &Statement, scope: &Scope<'_>) -> Result<Expansion> {
    let mut expander =
        Expander { scope, missing: BTreeSet::new(), used: Vec::new(), shown: Vec::new(), count: 0 };
    expander.check_targets(statement)?;
    let expanded = expander.statement(text, statement, scope.schema, 0)?;
    let Expander { missing, used, shown, .. } = expander;
    if !missing.is_empty() {
        return Ok(Expansion::Missing(missing.into_iter().collect()));
    }
    Ok(match expanded {
        Some(text) => Expansion::Done(Expanded { text, used, shown }),
        None => Expansion::Plain,
    })
}

struct Expander<'s> {
    scope: &'s Scope<'s>,
    missing: BTreeSet<String>,
    used: Vec<Arc<View>>,
    shown: Vec<(String, Arc<View>)>,
    count: usize,
}

impl Expander<'_> {
    /// The statement with definitions in it. None: it reads no view.
    fn statement(
        &mut self,
        text: &[u8],
        statement: &Statement,
        schema: Option<&str>,
        depth: usize,
    ) -> Result<Option<Vec<u8>>> {
        let mut splices = Splices::new();
        let mut changed = Vec::new();
        let mut bare = Vec::new();
        for reference in references(statement) {
            let Some(view) = self.view(reference.table, schema) else { continue };
            let definition = self.definition(&view, depth)?;
            let span = replace(text, &reference, &view, &definition, &mut splices)?;
            changed.push(span);
            let alias = reference.from.and_then(|from| from.alias.as_ref());
            let exposed = alias.map_or(&view.name, |alias| &alias.value).clone();
            if alias.is_none() {
                bare.push(view.clone());
            }
            if depth == 0 && reference.outermost {
                self.shown.push((exposed, view));
            }
        }
        if changed.is_empty() {
            return Ok(None);
        }
        unqualify(statement, &bare, &mut splices, &mut changed);
        keep_names(text, statement, &changed, &mut splices);
        let text = splices.apply(text)?;
        if text.len() > TEXT_MAX {
            return Err(Error::unsupported(format!(
                "the definitions of the views make the statement longer than {TEXT_MAX} bytes"
            )));
        }
        Ok(Some(text))
    }

    /// The view that a name means.
    fn view(&mut self, table: &TableName, schema: Option<&str>) -> Option<Arc<View>> {
        let named = table.schema.as_ref().map(|schema| schema.value.as_str());
        let schema = named.or(schema)?;
        let Some(views) = self.scope.views.get(schema) else {
            if self.scope.catalog.schema(schema).is_some() {
                self.missing.insert(schema.to_owned());
            }
            return None;
        };
        views.get(&table.name.value).cloned()
    }

    /// The definition of a view, in which no view is left.
    fn definition(&mut self, view: &Arc<View>, depth: usize) -> Result<Vec<u8>> {
        self.count += 1;
        if depth >= DEPTH_MAX {
            return Err(own(
                1462,
                format!("`{}`.`{}` contains view recursion", view.schema, view.name),
            ));
        }
        if self.count > COUNT_MAX {
            return Err(Error::unsupported(format!(
                "more than {COUNT_MAX} references to views in one statement, those inside of views \
                 counted"
            )));
        }
        let definition = view.definition.as_bytes();
        if self.scope.mode.no_backslash_escapes && definition.contains(&b'\\') {
            return Err(Error::unsupported(format!(
                "the view `{}` has a backslash in its definition, which NO_BACKSLASH_ESCAPES in \
                 sql_mode would read as another character; take it out of sql_mode",
                view.name
            )));
        }
        if !definition.is_ascii() && !is_utf8(self.scope.charset) {
            return Err(Error::unsupported(format!(
                "the view `{}` has letters outside of ASCII in its definition, which the character set \
                 {} of this client would read as others; use SET NAMES utf8mb4",
                view.name, self.scope.charset
            )));
        }
        if !self.used.contains(view) {
            self.used.push(view.clone());
        }
        let statement = sql::parse(definition, &Mode::default()).map_err(|error| {
            error.context(format!("the definition of the view `{}`", view.name))
        })?;
        let expanded = self.statement(definition, &statement, Some(&view.schema), depth + 1)?;
        Ok(expanded.unwrap_or_else(|| definition.to_vec()))
    }

    /// Views are read only.
    fn check_targets(&mut self, statement: &Statement) -> Result<()> {
        let schema = self.scope.schema;
        let found = match &statement.kind {
            StatementKind::Insert(insert) => self.view(&insert.table, schema),
            StatementKind::Update(update) => {
                update.single_table().and_then(|table| self.view(&table.table, schema))
            }
            StatementKind::Delete(delete) => {
                let single = delete.single_table().and_then(|one| self.view(&one.table, schema));
                let references = references(statement);
                let target = |target: &TableName| {
                    let from =
                        references.iter().filter_map(|reference| reference.from).find(|from| {
                            from.exposed_name().value.eq_ignore_ascii_case(&target.name.value)
                        });
                    self.view(from.map_or(target, |from| &from.table), schema)
                };
                single.or_else(|| delete.targets.iter().find_map(target))
            }
            StatementKind::Explain(explain) => return self.check_targets(&explain.statement),
            _ => None,
        };
        match found {
            Some(view) => Err(Error::unsupported(format!(
                "`{}` is a view that Margay puts together from its tables, and takes no writes; write \
                 to the tables",
                view.name
            ))),
            None => Ok(()),
        }
    }
}

/// Character sets in which a definition's text means what it did.
pub(super) fn is_utf8(charset: &str) -> bool {
    ["utf8mb4", "utf8mb3", "utf8"].iter().any(|name| charset.eq_ignore_ascii_case(name))
}

pub(super) fn own(code: u16, message: String) -> Error {
    Error::server(ServerError { code, state: *b"HY000", message: message.into_bytes() })
}

/// Puts a definition in place of a reference. Gives what it replaces.
fn replace(
    text: &[u8],
    reference: &Reference<'_>,
    view: &View,
    definition: &[u8],
    splices: &mut Splices,
) -> Result<Span> {
    let refuse = |what: &str| {
        Err(Error::unsupported(format!("{what} of the view `{}` is not supported", view.name)))
    };
    let alias = [b" AS ".as_slice(), &quote::identifier(view.name.as_bytes())].concat();
    let derived = [b"(".as_slice(), definition, b")"].concat();
    if reference.query.is_some_and(|query| query.locking.is_some()) {
        return refuse("a locking read (FOR UPDATE, FOR SHARE)");
    }
    let span = reference.table.span;
    let Some(from) = reference.from else {
        let before = text.get(..span.start as usize).unwrap_or_default().trim_ascii_end();
        let word = before.len().checked_sub(b"TABLE".len());
        let word = word.filter(|at| before.get(*at..).is_some_and(is_table_word));
        let Some(word) = word else { return refuse("TABLE with a comment behind it") };
        let span = Span::new(word, span.end as usize);
        splices.replace(span, [b"SELECT * FROM ".as_slice(), &derived, &alias].concat());
        return Ok(span);
    };
    if from.partitions.is_some() {
        return refuse("PARTITION");
    }
    if from.index_hints.is_some() {
        return refuse("an index hint");
    }
    splices.replace(span, derived);
    if from.alias.is_none() {
        splices.insert(from.alias_at, alias);
    }
    Ok(span)
}

fn is_table_word(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"TABLE")
}

/// A derived table is in no schema: takes the schema away from `shop.v.a` and `shop.v.*`.
fn unqualify(
    statement: &Statement,
    bare: &[Arc<View>],
    splices: &mut Splices,
    changed: &mut Vec<Span>,
) {
    let mut cut = |schema: Option<&sql::expr::Name>, table: Option<&sql::expr::Name>| {
        let (Some(schema), Some(table)) = (schema, table) else { return };
        let means = |view: &Arc<View>| view.schema == schema.value && view.name == table.value;
        if bare.iter().any(means) {
            let span = Span { start: schema.span.start, end: table.span.start };
            splices.remove(span);
            changed.push(span);
        }
    };
    walk::statement(statement, &mut |node| match node {
        Node::Expr(Expr { kind: ExprKind::Column(name), .. }) => {
            cut(name.schema.as_ref(), name.table.as_ref());
        }
        Node::Query(Query { body: Body::Select(select), .. }) => {
            for item in &select.items {
                if let SelectItemKind::QualifiedWildcard { schema, table } = &item.kind {
                    cut(schema.as_ref(), Some(table));
                }
            }
        }
        Node::Expr(_) | Node::UnnamedItem(_) | Node::Query(_) | Node::Table(_) => {}
    });
}

/// A select item without an alias is called by its text, which must not change.
fn keep_names(text: &[u8], statement: &Statement, changed: &[Span], splices: &mut Splices) {
    walk::statement(statement, &mut |node| {
        let Node::UnnamedItem(item) = node else { return };
        let is_column = matches!(item.kind, ExprKind::Column(_));
        if !is_column && changed.iter().any(|span| item.span.contains(*span)) {
            let name = text.get(item.span.range()).unwrap_or_default();
            splices.insert(item.span.end, [b" AS ".as_slice(), &quote::identifier(name)].concat());
        }
    });
}
