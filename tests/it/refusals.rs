//! Every refusal is listed in `docs/sql-support.md`, with the test that provokes it.
//!
//! The words of a refusal are found where it is made, in the source. A test provokes it if its own words
//! are in a golden plan, in `-- refused: WORDS` of the differential suite, or in a unit test.
//! `UPDATE_EXPECT=1` writes the list anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- refusals: begin -->\n";
const END: &str = "<!-- refusals: end -->";

/// What makes a refusal of the words that follow.
const MAKERS: [&str; 4] = ["unsupported(", "refuse(", "refusal(", "Refusal {"];

/// Reasons that rows are not merged, for which a SELECT is combined instead; errors of other kinds; and
/// how the refusals of others are told.
const ELSEWHERE: [&str; 12] = [
    "src/plan/aggregate.rs",
    "src/plan/distinct.rs",
    "src/plan/fragment.rs",
    "src/plan/order.rs",
    "src/plan/outputs.rs",
    "src/plan/scatter.rs",
    "src/plan/combine/stage.rs",
    "src/backend/login.rs",
    "src/catalog/algorithm.rs",
    "src/frontend/handshake.rs",
    "src/error.rs",
    "src/cli/explain.rs",
];

/// Refusals that no statement of a test provokes, by their first words, and why.
const BY_FAULTS: &[(&str, &str)] = &[
    ("{} cannot hold the rows that the statement gathers", SERVERS),
    ("this statement over several shards is not supported, since its parts", SERVERS),
    ("the columns of a table have changed since", SERVERS),
    ("{}: temporary tables would be in the binary log", SERVERS),
    ("the rows of a shard are not in the order of their keys", SERVERS),
    (
        "ON DUPLICATE KEY UPDATE of the sharding key of `{}` is not supported where rows meet",
        SERVERS,
    ),
    ("a statement with several results", ADMIN),
    ("a statement that gives rows where only counts are expected", ADMIN),
    ("{words} is not supported; run it on the server itself", ADMIN),
    ("there is no shard `{shard}`", ADMIN),
    ("a statement that gathers rows beside tables of two clusters", GUARD),
    ("no server has all the tables", GUARD),
    ("no shard has rows of all the tables", GUARD),
    ("a join over several shards of {names}, of which", GUARD),
    ("the statement touches several sharded tables that are not joined", GUARD),
    ("a statement with the hint shard=", GUARD),
    ("an INSERT of this form runs on one shard only", GUARD),
    ("DDL on a system table", GUARD),
    ("writing to a system table", GUARD),
    ("writing beside a system table", GUARD),
    ("`{}` made of a query on `{}`", GUARD),
    ("two columns of the view's query are called", GUARD),
    ("the names of the view's columns are not certain", GUARD),
    ("rows of `{}` cannot be found again by their keys", GUARD),
    ("ON DUPLICATE KEY UPDATE of the sharding key of `{}` is not supported where rows meet", MYSQL),
    ("UPDATE of a generated column beside a sharding key", SERVER),
    ("SHOW without a table name", GUARD),
    ("unsetting a session variable is not supported while", GUARD),
    ("a temporary table beside tables in several places", GUARD),
    ("the rules have no shard", GUARD),
    ("tables of information_schema need its name in front", GUARD),
    ("a view whose text is not UTF-8", GUARD),
    ("information_schema.{} has not the same columns on all clusters", SERVERS),
    ("unsetting a session variable inside a transaction", GUARD),
    ("an ENUM or SET outside of ASCII cannot be put into a variable", GUARD),
    ("SHOW and DESCRIBE of {name}", GUARD),
    ("the rules have no schema", GUARD),
    ("a text in the collation with the id", GUARD),
    ("the transaction has a consistent snapshot of the clusters of one schema", SCHEMAS),
];

const SERVERS: &str = "servers must be changed or set up for it in the middle";
const ADMIN: &str = "it takes a user with `admin: true` and the hint `shard=`";
const MYSQL: &str = "MariaDB has no keys on expressions, so no statement runs on both";
const SERVER: &str = "the server that has the rows may refuse the statement first";
const GUARD: &str = "a guard, another check comes before it";
const SCHEMAS: &str = "it takes schemas on different clusters";

/// A refusal: the words between the values that are put in.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Refusal {
    place: String,
    words: String,
}

#[test]
fn refusals_are_listed_and_provoked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("docs/sql-support.md");
    let page = fs::read_to_string(&path).expect("docs/sql-support.md is there");
    let (head, rest) = page.split_once(BEGIN).expect("the page marks where the list begins");
    let (list, tail) = rest.split_once(END).expect("the page marks where the list ends");
    let proofs = proofs(root);
    let mut expect = String::from("\n| refusal | provoked by |\n|---|---|\n");
    let mut rows = Vec::new();
    let mut unproven = Vec::new();
    for refusal in refusals(root) {
        let Some(proof) = proof(&refusal, &proofs) else {
            unproven.push(format!("{}: {}", refusal.place, refusal.words));
            continue;
        };
        rows.push(format!("| {} | {proof} |", shown(&refusal.words)));
    }
    rows.sort();
    rows.dedup();
    rows.iter().for_each(|row| writeln!(expect, "{row}").expect("a string takes all"));
    expect.push('\n');
    let unproven = unproven.join("\n");
    assert!(unproven.is_empty(), "no test provokes these refusals:\n{unproven}");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{expect}{END}{tail}")).expect("it can be written");
    } else {
        assert_eq!(list, expect, "docs/sql-support.md; UPDATE_EXPECT=1 writes it anew");
    }
    let stale: Vec<_> =
        BY_FAULTS.iter().filter(|(words, _)| !expect.contains(&shown(words))).collect();
    assert!(stale.is_empty(), "no refusal begins with these words: {stale:?}");
}

fn proof(refusal: &Refusal, proofs: &[(String, String)]) -> Option<String> {
    let by_fault = BY_FAULTS.iter().find(|(words, _)| refusal.words.starts_with(words));
    if let Some((_, why)) = by_fault {
        return Some(format!("no statement: {why}"));
    }
    let proven = proofs.iter().find(|(_, text)| provokes(text, &refusal.words));
    proven.map(|(file, _)| format!("`{file}`"))
}

/// The text has the fixed words in their order, or is a good part of them.
fn provokes(text: &str, words: &str) -> bool {
    const PART_MIN: usize = 24;
    let pieces = pieces(words);
    let mut rest = text;
    let all = pieces.iter().all(|piece| match rest.split_once(piece.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    });
    let text = text.trim();
    all || text.len() >= PART_MIN && pieces.iter().any(|piece| piece.contains(text))
}

/// What stands between `{}`.
fn pieces(words: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut inside = false;
    for letter in words.chars() {
        match letter {
            '{' => {
                inside = true;
                pieces.push(String::new());
            }
            '}' => inside = false,
            _ if inside => {}
            _ => pieces.last_mut().expect("there is one").push(letter),
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

fn shown(words: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for letter in words.chars() {
        match letter {
            '{' => {
                inside = true;
                out.push('…');
            }
            '}' => inside = false,
            _ if inside => {}
            '|' => out.push_str("\\|"),
            _ => out.push(letter),
        }
    }
    out.replace("*/", "\\*/").replace("/*", "/\\*")
}

fn refusals(root: &Path) -> Vec<Refusal> {
    let mut found = Vec::new();
    for (path, text) in texts(root, "src", "rs") {
        if path.contains("/tests") || ELSEWHERE.contains(&path.as_str()) {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for maker in MAKERS {
            for (at, _) in code.match_indices(maker) {
                let before = code[..at].chars().next_back();
                if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
                    || code[..at].ends_with("fn ")
                {
                    continue;
                }
                let inner = inside(&code[at + maker.len() - 1..]);
                let line = code[..at].lines().count();
                let words = literals(inner).into_iter().filter(|words| words.contains(' '));
                found.extend(words.map(|words| Refusal { place: format!("{path}:{line}"), words }));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What tests say, and the file in which they do.
fn proofs(root: &Path) -> Vec<(String, String)> {
    let mut proofs = Vec::new();
    for (path, text) in texts(root, "tests/plans", "yaml") {
        let says = text.lines().filter_map(|line| line.trim_start().strip_prefix("error: "));
        let unquoted = says.map(|says| says.trim_matches(['\'', '"']).replace("''", "'"));
        proofs.extend(unquoted.map(|says| (name(&path), says)));
    }
    for (path, text) in texts(root, "tests/differential", "sql") {
        let says = text.lines().filter_map(|line| line.strip_prefix("-- refused: "));
        proofs.extend(says.map(|says| (name(&path), says.to_owned())));
    }
    for (path, text) in texts(root, "src", "rs") {
        let tests = match path.contains("/tests") {
            true => text.as_str(),
            false => text.split_once("#[cfg(test)]\nmod tests {").map_or("", |(_, tests)| tests),
        };
        proofs.extend(literals(tests).into_iter().map(|says| (path.clone(), says)));
    }
    for (path, text) in texts(root, "tests/it", "rs") {
        if !path.ends_with("refusals.rs") {
            proofs.extend(literals(&text).into_iter().map(|says| (path.clone(), says)));
        }
    }
    proofs
}

fn name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// Up to the bracket that closes the first one.
fn inside(code: &str) -> &str {
    let mut depth = 0_usize;
    let mut letters = code.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                while let Some((_, letter)) = letters.next() {
                    match letter {
                        '\\' => drop(letters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '(' | '{' => depth += 1,
            ')' | '}' if depth == 1 => return &code[..at],
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    code
}

/// The texts in double quotes, as they read at run time.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut letters = code.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '/' if letters.peek() == Some(&'/') => drop(letters.find(|letter| *letter == '\n')),
            '\'' => {
                // A character: a quote in it begins no text.
                let mut ahead = letters.clone();
                let first = ahead.next();
                let escaped = (first == Some('\\')).then(|| ahead.next());
                if ahead.next() == Some('\'') || escaped.is_some() {
                    letters = ahead;
                }
            }
            '"' => {
                let mut text = String::new();
                while let Some(letter) = letters.next().filter(|letter| *letter != '"') {
                    match (letter, letter == '\\') {
                        (_, false) => text.push(letter),
                        (_, true) => match letters.next() {
                            Some('\n') => {
                                while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
                            }
                            Some('n') => text.push('\n'),
                            Some(other) => text.push(other),
                            None => {}
                        },
                    }
                }
                found.push(text);
            }
            _ => {}
        }
    }
    found
}

/// Files below a directory, by their paths from the root.
fn texts(root: &Path, directory: &str, extension: &str) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut open: Vec<PathBuf> = vec![root.join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(&path).expect("a text");
                let path = path.strip_prefix(root).unwrap_or(&path);
                texts.push((path.display().to_string(), text));
            }
        }
    }
    texts.sort();
    texts
}
