//! SQL text to [`Statement`]: scanner, parser, analysis and splicing.

pub mod charset;
pub mod create_table;
pub mod delimited;
pub mod expr;
pub mod hide;
mod hints;
mod keywords;
mod literal;
pub mod load;
pub mod mode;
mod parse;
pub mod query;
pub mod quote;
pub mod references;
pub mod scanner;
pub mod script;
pub mod shape;
pub mod span;
pub mod splice;
pub mod statement;
pub mod token;
pub mod walk;

pub use mode::Mode;
pub use parse::{is_of_a_name, parse, parse_scanned};
pub use span::Span;
pub use statement::{Statement, StatementKind};
