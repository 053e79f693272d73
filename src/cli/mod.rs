//! Subcommands: arguments and exit codes.

pub mod check;
pub mod output;
pub mod schema;
