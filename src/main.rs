//! The `margay` program.

use std::process::ExitCode;

use clap::Parser;
use margay::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
