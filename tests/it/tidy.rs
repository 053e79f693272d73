//! The style of the source as a test: layers, lengths, words.

use std::fs;
use std::path::{Path, PathBuf};

/// A module imports only modules of smaller numbers; equal numbers are strangers.
const LAYERS: [(&str, u8); 21] = [
    ("error", 0),
    ("metrics", 0),
    ("protocol", 0),
    ("task", 0),
    ("config", 1),
    ("merge", 1),
    ("sql", 1),
    ("backend", 2),
    ("catalog", 2),
    ("plan", 3),
    ("sequence", 3),
    ("transaction", 3),
    ("execute", 4),
    ("session", 5),
    ("frontend", 6),
    ("admin", 7),
    ("console", 7),
    ("server", 8),
    ("cli", 9),
    ("main", 9),
    ("lib", 9),
];

/// Modules of layer 0 that every module may name, those of layer 0 too.
const COMMON: [&str; 3] = ["error", "metrics", "task"];

/// Modules that know no runtime, no sockets and no clock.
const SANS_IO: [&str; 5] = ["catalog", "merge", "plan", "protocol", "sql"];
const IO_NAMES: [&str; 6] =
    ["tokio", "std::net", "SystemTime", "Instant::now", "std::fs", "Timestamp::now"];

const LINES_MAX: usize = 800;

struct Source {
    /// Relative to the package.
    path: PathBuf,
    text: String,
}

#[test]
fn modules_import_only_lower_layers() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let from = module(&source.path);
        for (number, line) in code_lines(&source.text) {
            for to in imports(line) {
                faults.extend(
                    layer_fault(&from, &to)
                        .map(|fault| format!("{}:{number}: {fault}", source.path.display())),
                );
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn sans_io_modules_name_no_runtime_and_no_clock() {
    let mut faults = Vec::new();
    for source in sources(&["src"]) {
        let module = module(&source.path);
        if !SANS_IO.contains(&module.as_str()) {
            continue;
        }
        for (number, line) in code_lines(&source.text) {
            for name in IO_NAMES.iter().filter(|name| line.contains(*name)) {
                faults.push(format!(
                    "{}:{number}: `{module}` must not name `{name}`",
                    source.path.display()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut faults = Vec::new();
    for source in sources(&["src", "tests"]) {
        let path = source.path.display();
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            faults.push(format!("{path}: {lines} lines; at most {LINES_MAX}"));
        }
        let head = source.text.lines().find(|line| !line.starts_with("#!") && !line.is_empty());
        if !head.is_some_and(|line| line.starts_with("//!")) && !is_tests(&source.path) {
            faults.push(format!("{path}: does not begin with a `//!` that says what the file is"));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn nothing_is_left_for_later() {
    // In pieces, so that this file does not find itself.
    let words = [
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("XX", "X"),
        concat!("todo", "!("),
        concat!("unimple", "mented!("),
    ];
    let mut faults = Vec::new();
    for source in sources(&["src", "tests", "docs", "rules", "docker"]) {
        for (number, line) in source.text.lines().enumerate() {
            for word in words.iter().filter(|word| has_word(line, word)) {
                faults.push(format!("{}:{}: {word}", source.path.display(), number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// A setting that nothing outside `config` reads would do nothing. The rules of tables are left out:
/// `config` itself makes something else of them.
#[test]
fn settings_are_used() {
    let mut used = sources(&["src"]);
    used.retain(|source| !source.path.starts_with("src/config"));
    let is_used = |key: &str| {
        let field = format!(".{key}");
        let mut lines = used.iter().flat_map(|source| code_lines(&source.text));
        lines.any(|(_, line)| has_word_end(line, &field))
    };
    let reference = include_str!("../../docs/configuration.md");
    let (_, reference) = reference.split_once("reference: begin").expect("there is a reference");
    let (settings, _) = reference
        .split_once("### `schemas.<name>.tables.<name>`")
        .expect("the rules of tables come last");
    let keys = settings.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let keys: Vec<&str> = keys.collect();
    assert!(keys.contains(&"pool_size"), "no keys are read from docs/configuration.md");
    let idle: Vec<&str> = keys.into_iter().filter(|key| !is_used(key)).collect();
    assert!(idle.is_empty(), "settings that nothing reads: {idle:?}");
}

#[test]
fn reads_imports() {
    check_imports("use crate::sql::{Statement, scan};", &["sql"]);
    check_imports("    pub(crate) use crate::{error::Error, merge};", &["error", "merge"]);
    check_imports("let x = crate::plan::Plan::new(crate::error::Error);", &["plan", "error"]);
    check_imports("use std::io;", &[]);
}

#[test]
fn knows_what_may_import_what() {
    assert_eq!(layer_fault("session", "plan"), None);
    assert_eq!(layer_fault("plan", "plan"), None);
    assert_eq!(layer_fault("merge", "error"), None);
    let fault = "`plan` (layer 3) imports `transaction` (layer 3); only smaller numbers may be";
    assert_eq!(layer_fault("plan", "transaction").as_deref(), Some(fault));
    assert!(layer_fault("sql", "session").is_some());
    assert!(layer_fault("sql", "unheard_of").is_some());
}

fn check_imports(line: &str, modules: &[&str]) {
    assert_eq!(imports(line), modules, "{line}");
}

/// Why `from` may not import `to`.
fn layer_fault(from: &str, to: &str) -> Option<String> {
    if from == to || (COMMON.contains(&to) && !COMMON.contains(&from)) || from == "lib" {
        return None;
    }
    let (Some(above), Some(below)) = (layer(from), layer(to)) else {
        let stranger = if layer(from).is_none() { from } else { to };
        return Some(format!("`{stranger}` is not in the table of layers in tests/it/tidy.rs"));
    };
    (below >= above).then(|| {
        format!(
            "`{from}` (layer {above}) imports `{to}` (layer {below}); only smaller numbers may be"
        )
    })
}

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

/// The modules of the crate that a line names.
fn imports(line: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for after in line.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(list) => modules.extend(list.split(',').map(identifier)),
            None => modules.push(identifier(after)),
        }
    }
    // `crate::Name` is an item of the root, which holds modules alone, and macros.
    modules.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    modules
}

fn identifier(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The module of the crate that a file of `src` belongs to.
fn module(path: &Path) -> String {
    let part = path.components().nth(1).map(|part| part.as_os_str().to_string_lossy());
    part.unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// Lines that are not comments, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// `word` stands in `line` and is not a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        !part(before) && (word.ends_with('(') || !part(after))
    })
}

/// `word` stands in `line` and does not go on.
fn has_word_end(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Unit tests in a file of their own need no headline: their module has one.
fn is_tests(path: &Path) -> bool {
    path.starts_with("src") && path.ends_with("tests.rs")
}

/// The text files under these directories of the package, target and hidden directories left out.
fn sources(directories: &[&str]) -> Vec<Source> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for directory in directories {
        collect(package, &package.join(directory), &mut found);
    }
    assert!(!found.is_empty(), "no source files under {directories:?}");
    found
}

fn collect(package: &Path, directory: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(package, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let path = path.strip_prefix(package).unwrap_or(&path).to_owned();
            found.push(Source { path, text });
        }
    }
}
