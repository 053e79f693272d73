//! Environment variables in rule files: `${NAME}` and `${NAME:-default}` inside scalar values.

use super::node::{Kind, Node};
use super::problem::{Place, Problems};

/// Looks up an environment variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces the variables in every text of the tree; names of maps stay as they are. `$${` stands for
/// `${`.
pub(super) fn substitute(node: &mut Node, lookup: Lookup<'_>, problems: &mut Problems) {
    match &mut node.kind {
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => {}
        Kind::List(items) => {
            items.iter_mut().for_each(|item| substitute(item, lookup, problems));
        }
        Kind::Map(entries) => {
            entries.iter_mut().for_each(|(_, value)| substitute(value, lookup, problems));
        }
        Kind::Text { text, substituted } => {
            if text.contains("${") {
                *text = expand(text, lookup, &node.place, problems);
                *substituted = true;
            }
        }
    }
}

fn expand(text: &str, lookup: Lookup<'_>, place: &Place, problems: &mut Problems) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after.get(2..).unwrap_or("");
            continue;
        }
        out.push_str(before);
        let Some((inside, tail)) = after.get(2..).and_then(|after| after.split_once('}')) else {
            problems.add(place, "`${` without `}`; write `$${` for the characters themselves");
            return out;
        };
        rest = tail;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        // As in a shell, `:-` also replaces an empty value.
        let value = lookup(name).filter(|value| default.is_none() || !value.is_empty());
        match value.as_deref().or(default) {
            Some(value) => out.push_str(value),
            None => problems.spoil(
                place,
                format!(
                    "environment variable `{name}` is not set; set it, or write `${{{name}:-default}}`"
                ),
            ),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let mut problems = Problems::default();
        let place = Place { file: "f".into(), line: 1, column: 1 };
        let lookup = |name: &str| match name {
            "HOST" => Some("db".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let out = expand(text, &lookup, &place, &mut problems);
        let found = match problems.finish(Some(out)) {
            Ok((out, _)) => out,
            Err(problems) => problems[0].to_string(),
        };
        assert_eq!(found, expect);
    }

    #[test]
    fn variables() {
        check("${HOST}:${PORT:-3306}", "db:3306");
        check("${EMPTY:-x}${EMPTY}", "x");
        check("$${HOST} ${HOST}$", "${HOST} db$");
        check(
            "${PORT}",
            "f:1:1: environment variable `PORT` is not set; set it, or write `${PORT:-default}`",
        );
        check("${HOST", "f:1:1: `${` without `}`; write `$${` for the characters themselves");
    }
}
