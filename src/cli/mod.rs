//! Subcommands: arguments and exit codes.
