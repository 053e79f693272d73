//! What analysis finds in a statement: its uses of tables, where they stand, and what equates them.

use std::collections::HashMap;
use std::sync::Arc;

use super::facts::{Column, ColumnClass, Columns, TableId};
use crate::catalog::Table;
use crate::sql::expr::{ColumnName, Expr, Function};
use crate::sql::span::Span;

/// Index into [`Analysis::uses`].
pub(super) type UseId = usize;
/// Index into [`Analysis::sources`].
pub(super) type SourceId = usize;
/// Index into [`Analysis::nests`].
pub(super) type NestId = usize;

/// One reference to a table of the catalog. A CTE that is referenced twice gives two uses for each of
/// its tables.
#[derive(Debug)]
pub(super) struct Use {
    pub id: TableId,
    pub table: Arc<Table>,
    /// None: not known, because planning does not need it.
    pub columns: Option<Arc<Columns>>,
    pub nest: NestId,
    /// Its name in the text.
    pub span: Span,
}

/// A column of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Atom {
    pub table: UseId,
    pub column: usize,
}

/// A set of row combinations that conditions filter together. The rows of a query block form a nest;
/// the null-supplying side of an outer join forms one below it; so does each subquery.
#[derive(Debug)]
pub(super) struct Nest {
    pub parent: Option<NestId>,
    /// The nest is only a part of its parent: a derived table that filters and projects, or that
    /// groups by a sharding key. Conditions pass through it in both directions.
    pub transparent: bool,
    pub kind: NestKind,
}

/// How a nest came to be, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NestKind {
    Top,
    OuterJoin,
    Subquery,
    /// A derived table or CTE that is not transparent, and what makes it so.
    Derived(&'static str),
    SetOperation,
}

/// Something in FROM that columns can belong to.
#[derive(Debug)]
pub(super) struct Source {
    /// The name by which columns refer to it; empty if it has none.
    pub name: String,
    /// The logical schema of a table that is referred to without an alias.
    pub schema: Option<String>,
    /// None: not known.
    pub columns: Option<Vec<SourceColumn>>,
    pub table: Option<UseId>,
    /// Margay's temporary table that it is.
    pub temporary: Option<String>,
    /// Where it stands: the name of a table, or a derived table.
    pub span: Span,
}

#[derive(Debug, Clone)]
pub(super) struct SourceColumn {
    pub name: String,
    /// The column of a table whose value this is.
    pub atom: Option<Atom>,
    pub class: Option<ColumnClass>,
    /// The type as `SHOW COLUMNS` writes it, of a value that is a table's.
    pub declared: Option<Arc<str>>,
    /// Part of `*`.
    pub visible: bool,
}

impl Source {
    /// A source of which only the name is known.
    pub(super) fn opaque(name: String, span: Span) -> Self {
        Self { name, schema: None, columns: None, table: None, temporary: None, span }
    }
}

/// What a column name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    pub source: SourceId,
    /// Its index in the source.
    pub column: usize,
    pub atom: Option<Atom>,
    pub class: Option<ColumnClass>,
    pub declared: Option<Arc<str>>,
    /// Belongs to an enclosing query block.
    pub outer: bool,
}

/// A conjunct: row combinations of `nest` for which it is not true are discarded.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    pub expr: &'a Expr,
    pub nest: NestId,
    pub instance: u32,
}

/// Combinations of `nest` for which two columns are not equal are discarded.
#[derive(Debug)]
pub(super) struct Equality {
    pub left: Atom,
    pub right: Atom,
    pub nest: NestId,
}

/// A table name in the text.
#[derive(Debug)]
pub(super) struct TableSite {
    pub span: Span,
    pub table: Arc<Table>,
    /// Where ` AS alias` goes if the physical name differs; None if there is an alias already or
    /// the place takes none.
    pub alias: Option<(u32, String)>,
}

/// A qualified column name, `t.c` or `shop.t.c`, whose qualifier means a table of the catalog.
#[derive(Debug)]
pub(super) struct Qualifier<'a> {
    pub name: &'a ColumnName,
    pub table: UseId,
    /// The table stands under its own name, without an alias.
    pub bare: bool,
}

/// A function call and where it stands.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub function: &'a Function,
    pub span: Span,
    /// In the outermost query block.
    pub top: bool,
}

/// The sources that are visible in a query block.
#[derive(Debug, Default, Clone)]
pub(super) struct Scope {
    pub sources: Vec<SourceId>,
    /// Columns that USING or NATURAL merged into another of the same name.
    pub merged: Vec<(SourceId, usize)>,
}

/// A SELECT as it was read.
#[derive(Debug)]
pub(super) struct Block {
    pub span: Span,
    pub instance: u32,
    pub scope: Scope,
}

/// A column of a query's answer.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub name: String,
    /// What it is as an expression: a column of `*` in qualified form, or the place of an item.
    pub text: Option<String>,
    pub item: Option<Span>,
    pub atom: Option<Atom>,
    pub class: Option<ColumnClass>,
    pub declared: Option<Arc<str>>,
}

/// All that planning needs to know of a statement.
#[derive(Debug, Default)]
pub(super) struct Analysis<'a> {
    pub text: &'a [u8],
    pub uses: Vec<Use>,
    pub sources: Vec<Source>,
    pub nests: Vec<Nest>,
    pub filters: Vec<Filter<'a>>,
    pub equalities: Vec<Equality>,
    pub tables: Vec<TableSite>,
    pub qualifiers: Vec<Qualifier<'a>>,
    pub calls: Vec<Call<'a>>,
    /// `?` and their indexes.
    pub params: Vec<(Span, u16)>,
    /// `@a` and `@a := ...`.
    pub user_variables: Vec<Span>,
    /// Meanings of column names, by the instance of a CTE (0 outside of CTEs) and the name's span.
    /// None: not certain.
    pub columns: HashMap<(u32, Span), Option<Resolved>>,
    /// All blocks, inner ones first.
    pub blocks: Vec<Block>,
    /// The outermost query block's scope.
    pub scope: Scope,
    /// The outermost query's answer; None if not known.
    pub outputs: Option<Vec<Output>>,
    /// Schema qualifiers of `shop.t.*` and of the targets of a multi-table DELETE, with their dots.
    pub dropped: Vec<Span>,
    /// Some block locks rows.
    pub locking: bool,
    /// `@a := ...` or `INTO @a` may occur.
    pub assigns_variables: bool,
    /// Unaliased select items of any block with their spans.
    pub unaliased: Vec<Span>,
    /// Tables of system schemas, which every shard has.
    pub system: bool,
    /// Margay's own temporary tables that are read.
    pub temporaries: Vec<String>,
    /// A construct inside derived tables, CTEs or subqueries that may differ from shard to shard.
    pub unstable: Option<&'static str>,
    /// Each table is named with its database.
    pub anywhere: bool,
}

impl Analysis<'_> {
    /// The nest that `nest` is a transparent part of.
    pub(super) fn canonical(&self, mut nest: NestId) -> NestId {
        while let Some(found) = self.nests.get(nest)
            && found.transparent
            && let Some(parent) = found.parent
        {
            nest = parent;
        }
        nest
    }

    /// `inner` is `outer` or below it.
    pub(super) fn within(&self, inner: NestId, outer: NestId) -> bool {
        let outer = self.canonical(outer);
        let mut at = Some(inner);
        while let Some(nest) = at {
            if self.canonical(nest) == outer {
                return true;
            }
            at = self.nests.get(nest).and_then(|found| found.parent);
        }
        false
    }

    pub(super) fn meaning(&self, instance: u32, name: &ColumnName) -> Option<&Resolved> {
        self.columns.get(&(instance, name.name.span))?.as_ref()
    }

    /// The column of a table that a plain column expression means.
    pub(super) fn atom(&self, instance: u32, expr: &Expr) -> Option<Atom> {
        match &expr.kind {
            crate::sql::expr::ExprKind::Column(name) => self.meaning(instance, name)?.atom,
            _ => None,
        }
    }

    pub(super) fn column(&self, atom: Atom) -> Option<&Column> {
        self.uses.get(atom.table)?.columns.as_ref()?.columns.get(atom.column)
    }

    pub(super) fn class(&self, atom: Atom) -> Option<&ColumnClass> {
        self.column(atom).map(|column| &column.class)
    }

    /// The columns of all sources of the outermost block are known.
    pub(super) fn all_known(&self) -> bool {
        let known = |id: &SourceId| self.sources.get(*id).is_some_and(|s| s.columns.is_some());
        self.scope.sources.iter().all(known)
    }

    /// The column of a use by its name, in any case.
    pub(super) fn atom_of(&self, table: UseId, name: &str) -> Option<Atom> {
        let columns = self.uses.get(table)?.columns.as_ref()?;
        let column = columns.columns.iter().position(|column| same_name(&column.name, name))?;
        Some(Atom { table, column })
    }
}

/// Column names and aliases compare without case.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}
