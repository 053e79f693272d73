//! Where rules come from: one file, or all YAML files of a directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::env::{Lookup, substitute};
use super::node::{self, Entries, Kind, Node};
use super::problem::{Place, Problems};

/// A rule file as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name that problems give it.
    pub name: String,
    pub text: String,
}

/// Reads the file, or the `*.yaml` and `*.yml` files of the directory in the order of their names.
/// Hidden files and further directories are left out.
pub(super) fn read(path: &Path, problems: &mut Problems) -> Vec<Source> {
    let files = match list(path) {
        Ok(files) => files,
        Err(error) => {
            problems.add(&place_of(path), format!("cannot read the rules: {error}"));
            return Vec::new();
        }
    };
    if files.is_empty() {
        problems.add(&place_of(path), "the directory has no *.yaml or *.yml file");
    }
    let mut sources = Vec::new();
    for file in files {
        match std::fs::read_to_string(&file) {
            Ok(text) => sources.push(Source { name: file.display().to_string(), text }),
            Err(error) => problems.add(&place_of(&file), format!("cannot read the file: {error}")),
        }
    }
    sources
}

fn list(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        let yaml =
            file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        let hidden = entry_is_hidden(&file);
        if yaml && !hidden && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn entry_is_hidden(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn place_of(path: &Path) -> Place {
    Place { file: path.display().to_string().into(), line: 0, column: 0 }
}

/// One tree of all sources. Keys of the top level are merged: `clusters` of two files are the clusters
/// of both; a name that two files define is a problem. False if a file is left out because it cannot be
/// understood at all.
pub(super) fn merge(sources: &[Source], env: Lookup<'_>, problems: &mut Problems) -> (Node, bool) {
    let mut complete = true;
    let name = sources.first().map_or("rules", |source| &source.name);
    let place = Place { file: name.into(), line: 1, column: 1 };
    let mut sections = Entries::default();
    for source in sources {
        let file: Arc<str> = source.name.as_str().into();
        let Some(mut tree) = node::parse(&file, &source.text, problems) else {
            complete = false;
            continue;
        };
        substitute(&mut tree, env, problems);
        match tree.kind {
            Kind::Map(entries) => {
                for (key, value) in entries {
                    merge_section(&mut sections, key, value, problems);
                }
            }
            Kind::Null => {}
            other => {
                let message =
                    format!("expected a map such as `clusters: ...`, found {}", other.describe());
                problems.add(&tree.place, message);
                complete = false;
            }
        }
    }
    (Node { place, kind: Kind::Map(sections.entries) }, complete)
}

fn merge_section(
    sections: &mut Entries,
    key: node::Located<String>,
    value: Node,
    problems: &mut Problems,
) {
    let known = sections.entries.iter_mut().find(|(known, _)| known.value == key.value);
    match (known, value.kind) {
        (Some((_, Node { kind: Kind::Map(entries), .. })), Kind::Map(more)) => {
            let mut all = Entries::from(std::mem::take(entries));
            for (name, entry) in more {
                all.add(name, entry, problems);
            }
            *entries = all.entries;
        }
        // An empty section adds nothing.
        (Some(_), Kind::Null) => {}
        (Some((_, empty)), kind) if empty.kind == Kind::Null => empty.kind = kind,
        (_, kind) => sections.add(key, Node { place: value.place, kind }, problems),
    }
}
