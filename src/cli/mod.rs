//! Subcommands: arguments and exit codes.

pub mod check;
pub mod demo;
pub mod output;
pub mod schema;
