//! `margay check`: the mistakes in rule files.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::print;
use crate::config::{Checked, Config, Problem, Table, load};

/// Check rule files without starting anything.
///
/// Prints every mistake as `file:line:column: what is wrong`, then a summary. The exit code is 0 if there
/// is no mistake, else 1; warnings do not count.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// A rule file, or a directory of *.yaml and *.yml files.
    #[arg(default_value = "rules")]
    path: PathBuf,
}

impl Check {
    pub fn run(&self) -> ExitCode {
        let checked = load(&self.path, &|name| std::env::var(name).ok());
        let printed = print(&report(&checked));
        if checked.is_ok() { printed } else { ExitCode::FAILURE }
    }
}

/// What is wrong, a line each, and a summary.
fn report(checked: &Checked) -> String {
    let mut out = String::new();
    let summary = match checked {
        Ok((config, warnings)) => {
            list(&mut out, "warning: ", warnings);
            let count = match warnings.len() {
                0 => String::new(),
                count => format!(", {}", plural(count, "warning")),
            };
            format!("ok: {}{count}", contents(config))
        }
        Err(problems) => {
            list(&mut out, "", problems);
            plural(problems.len(), "problem")
        }
    };
    out.push_str(&summary);
    out.push('\n');
    out
}

fn list(out: &mut String, label: &str, problems: &[Problem]) {
    for Problem { place, message } in problems {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{place}: {label}{message}");
    }
}

fn contents(config: &Config) -> String {
    let tables = || config.schemas.values().flat_map(|schema| schema.tables.values());
    let sharded = tables().filter(|table| matches!(table, Table::Sharded(_))).count();
    format!(
        "{}, {}, {}, {} ({sharded} sharded)",
        plural(config.clusters.len(), "cluster"),
        plural(config.users.len(), "user"),
        plural(config.schemas.len(), "schema"),
        plural(tables().count(), "table"),
    )
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, parse};

    fn check(text: &str, expect: &str) {
        let source = Source { name: "f.yaml".to_owned(), text: text.to_owned() };
        assert_eq!(report(&parse(&[source], &|_| None)), expect);
    }

    #[test]
    fn reports() {
        let clusters = "clusters: {c0: {primary: 'h:1', user: u}}\n";
        let schemas = "schemas: {a: {default_shard: c0/a, tables: {t: {broadcast: c0/a}}}}\n";
        check(
            &format!("{clusters}{schemas}"),
            "ok: 1 cluster, 0 users, 1 schema, 1 table (0 sharded)\n",
        );
        check(
            clusters,
            "f.yaml:1:1: no schema is defined; add `schemas: {shop: {default_shard: ...}}`\n1 problem\n",
        );
        let sharded = "schemas: {a: {default_shard: c0/a, tables: {t: {shards: ['c0/{a,b}'], key: k, \
                       algorithm: {list: {values: {c0/a: [1]}}}}}}}\n";
        check(
            &format!("{clusters}{sharded}"),
            "f.yaml:2:90: warning: no value goes to the shard `c0/b`\n\
             ok: 1 cluster, 0 users, 1 schema, 1 table (1 sharded), 1 warning\n",
        );
    }
}
