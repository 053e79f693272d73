//! Pages of `docs/` that are made of tables in the source. `UPDATE_EXPECT=1` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use margay::error::{Error, ErrorKind, Side};

const BEGIN: &str = "<!-- kinds: begin -->\n";
const END: &str = "<!-- kinds: end -->";

#[test]
fn errors_are_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let page = std::fs::read_to_string(&path).expect("docs/errors.md is there");
    let (head, rest) = page.split_once(BEGIN).expect("the page marks where the table begins");
    let (table, tail) = rest.split_once(END).expect("the page marks where the table ends");
    let expect = kinds();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{expect}{END}{tail}")).unwrap();
    } else {
        assert_eq!(table, expect, "docs/errors.md; UPDATE_EXPECT=1 writes it anew");
    }
}

/// A kind that is added to the enum must be added to the list too.
#[test]
fn all_kinds_are_listed() {
    let source = include_str!("../../src/error.rs");
    let (_, rest) = source.split_once("pub enum ErrorKind {").expect("the enum is there");
    let (body, _) = rest.split_once("\n}").expect("the enum ends");
    let variants = body.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let names: Vec<&str> = variants
        .map(|line| line.split(['(', ',']).next().unwrap_or_default())
        .filter(|name| !name.is_empty() && *name != "Server")
        .collect();
    let listed: Vec<String> = ErrorKind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
    assert_eq!(names, listed);
}

fn kinds() -> String {
    let mut out = String::from(
        "\n| kind | code | SQLSTATE | at fault | try again | when |\n|---|---|---|---|---|---|\n",
    );
    for kind in ErrorKind::ALL {
        let row = kind.row();
        let again = if row.retryable { "yes" } else { "no" };
        let side = match row.side {
            Side::Client => "client",
            Side::Proxy => "proxy",
            Side::Backend => "server",
        };
        let (code, state, meaning) = (row.code, row.state, kind.meaning());
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| `{kind:?}` | {code} | {state} | {side} | {again} | {meaning} |");
    }
    out.push('\n');
    out
}

/// Every state has the five characters that an ERR packet takes.
#[test]
fn states_fit_the_packet() {
    for kind in ErrorKind::ALL {
        let (code, state, _) = Error::new(kind.clone(), "text").mysql();
        assert_eq!((code, state.as_slice()), (kind.row().code, kind.row().state.as_bytes()));
    }
}
