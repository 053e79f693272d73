//! Many streams of rows to one. Pure: rows in, rows out.
//!
//! Shards answer with raw rows, text or binary. A [`Merge`] puts them in order, folds or drops
//! equal ones, sorts again, cuts out the window of `LIMIT`, and strips the columns that were asked
//! for its own use, all as its [`Spec`] says. Only the columns that are compared or folded are
//! looked at.
//!
//! Values are not compared as such. The keys of a row become bytes ([`encode`]) whose plain order
//! is the order that MySQL gives the values; character strings bring their `WEIGHT_STRING` with
//! them. So a comparison is one `memcmp`, whatever the types.

mod machine;
mod spec;
mod table;

// A row's way: found in its bytes, keyed, its turn awaited, then dealt with.
mod aggregate;
mod class;
mod decimal;
mod double;
mod encode;
mod fields;
mod fold;
mod group;
mod key;
mod number;
mod row;
mod sort;
mod source;
mod stage;
mod temporal;
mod tree;
mod window;

pub use machine::{Merge, Step};
pub use spec::{ColumnRef, Fold, FoldKind, Limits, OrderKey, RowFormat, Spec};
pub use table::Input;

#[cfg(test)]
mod tests;
