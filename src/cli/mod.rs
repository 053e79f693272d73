//! Subcommands: arguments and exit codes.

pub mod demo;
