//! Views that Margay keeps: their definitions, and statements that read them.
//!
//! A reference to a view becomes a derived table of its definition in the text, before anything else is
//! done with it. So a definition is kept in a form that means the same wherever it is put in: tables with
//! their schema, columns with names of their own, nothing that depends on `sql_mode`.

mod define;
mod expand;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use define::{check, named, normalized};
pub use expand::{Expanded, Expansion, Scope, expand};

/// A view as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    pub schema: String,
    pub name: String,
    /// Of its answer, in their order.
    pub columns: Vec<String>,
    /// A query that reads alike under every `sql_mode` but for backslashes, which escape.
    pub definition: String,
    /// `UNDEFINED`, `MERGE` or `TEMPTABLE`; it changes nothing.
    pub algorithm: String,
    /// As DEFINER shows it, such as ``` `app`@`%` ```.
    pub definer: String,
    /// SQL SECURITY INVOKER
    pub invoker: bool,
    /// `NONE`, `CASCADED` or `LOCAL`.
    pub check: String,
}

/// The views of a schema by their names.
pub type SchemaViews = BTreeMap<String, Arc<View>>;

/// Views by schema, of the schemas that were looked at.
pub type Views = BTreeMap<String, Arc<SchemaViews>>;
