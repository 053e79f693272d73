//! Reading the rules for a subcommand.

use std::path::Path;

use super::output;
use crate::config::{self, Config, Problem};

/// The checked configuration, with its warnings told. None: the mistakes have been told.
pub(super) fn load(path: &Path) -> Option<Config> {
    match config::load(path, &|name| std::env::var(name).ok()) {
        Ok((config, warnings)) => {
            warnings
                .iter()
                .for_each(|warning| output::error(&format!("warning: {}", show(warning))));
            Some(config)
        }
        Err(problems) => {
            problems.iter().for_each(|problem| output::error(&show(problem)));
            None
        }
    }
}

fn show(Problem { place, message }: &Problem) -> String {
    format!("{place}: {message}")
}
