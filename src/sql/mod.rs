//! SQL text to [`Statement`]: scanner, parser, analysis and splicing. The only user of `sqlparser`.

pub mod expr;
pub mod query;
pub mod span;
pub mod statement;
pub mod walk;

pub use span::Span;
pub use statement::{Statement, StatementKind};
