//! `margay schema`: what rule files may hold.

use std::process::ExitCode;

use crate::cli::output::print;
use crate::config::{json_schema, reference};

/// Print the JSON Schema of rule files, for editors that complete and check them.
#[derive(Debug, clap::Args)]
pub struct Schema {
    /// What to print.
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// JSON Schema 2020-12.
    Json,
    /// The reference of all keys, for people.
    Markdown,
}

impl Schema {
    pub fn run(&self) -> ExitCode {
        match self.format {
            Format::Json => print(&format!("{:#}\n", json_schema())),
            Format::Markdown => print(&reference()),
        }
    }
}
