//! Many streams of rows to one. Pure: rows in, rows out.
mod spec;
pub use spec::{ColumnRef, Fold, FoldKind, OrderKey, Spec};
