//! Subcommands: arguments and exit codes.

pub mod check;
pub mod demo;
pub mod explain;
pub mod output;
pub mod rules;
pub mod schema;
pub mod serve;

use std::process::ExitCode;

use crate::error::{Error, ErrorKind, Result};

/// A sharding proxy for MySQL: many servers answer as one.
#[derive(Debug, clap::Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Serve(serve::Serve),
    Check(check::Check),
    Schema(schema::Schema),
    Explain(explain::Explain),
    Demo(demo::Demo),
}

impl Cli {
    pub fn run(&self) -> ExitCode {
        // The demo tells what it does by itself.
        let usual = if matches!(self.command, Command::Demo(_)) { "warn" } else { "info" };
        let filter = tracing_subscriber::EnvFilter::try_from_env("MARGAY_LOG")
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
        match &self.command {
            Command::Serve(serve) => serve.run(),
            Command::Check(check) => check.run(),
            Command::Schema(schema) => schema.run(),
            Command::Explain(explain) => explain.run(),
            Command::Demo(demo) => demo.run(),
        }
    }
}

/// The runtime that the program runs on.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Error::new(ErrorKind::Internal, "cannot start the runtime").with_source(error)
    })
}
