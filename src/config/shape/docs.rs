//! The reference of all keys, as Markdown.

use std::fmt::Write as _;

use super::{Field, Object, Root, Shape, Type};

/// A table of keys for each shape, from the top level down.
pub(in crate::config) fn reference() -> String {
    let mut sections = Vec::new();
    if let Type::Object(root) = Root::describe() {
        section("Top level", &root, &mut sections);
        collect(&root, "", &mut sections);
    }
    sections.join("\n")
}

/// The sections of everything below `object`; `path` is what the keys are called from the top.
fn collect(object: &Object, path: &str, sections: &mut Vec<String>) {
    for field in &object.fields {
        let path = match path {
            "" => field.name.to_owned(),
            path => format!("{path}.{}", field.name),
        };
        nested(&field.of, &path, sections);
    }
}

fn nested(of: &Type, path: &str, sections: &mut Vec<String>) {
    match of {
        Type::Object(object) => {
            section(&format!("`{path}`"), object, sections);
            collect(object, path, sections);
        }
        Type::Tagged(variants) => {
            // Shards and physical tables take the same algorithms: one description is enough.
            if !sections.iter().any(|section| section.contains("### Algorithm")) {
                for (name, object) in variants {
                    section(&format!("Algorithm `{name}`"), object, sections);
                    collect(object, name, sections);
                }
            }
        }
        Type::Map(of) => nested(of, &format!("{path}.<name>"), sections),
        Type::List(of) => nested(of, &format!("{path}[]"), sections),
        Type::OneOf(types) => types.iter().for_each(|of| nested(of, path, sections)),
        Type::Bool | Type::Integer { .. } | Type::Text(_) | Type::Scalar | Type::Choice(_) => {}
    }
}

fn section(title: &str, object: &Object, sections: &mut Vec<String>) {
    let mut out = format!("### {title}\n\n{}\n\n", object.doc);
    if object.fields.is_empty() {
        sections.push(out);
        return;
    }
    out.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
    for field in &object.fields {
        let Field { name, doc, .. } = field;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| `{name}` | {} | {} | {doc} |", words(&field.of), default(field));
    }
    sections.push(out);
}

fn default(field: &Field) -> String {
    match field.default {
        _ if field.required => "required".to_owned(),
        None | Some("") => String::new(),
        Some(default) => format!("`{default}`"),
    }
}

fn words(of: &Type) -> String {
    match of {
        Type::Bool => "`true` or `false`".to_owned(),
        Type::Integer { .. } => "number".to_owned(),
        Type::Text(kind) => (*kind).to_owned(),
        Type::Scalar => "text or number".to_owned(),
        Type::Choice(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Type::List(of) => format!("list of {}", words(of)),
        Type::Map(of) => {
            let list = if let Type::List(of) = of.as_ref() { Some(words(of)) } else { None };
            list.map_or("map of names".to_owned(), |of| format!("map of names to lists of {of}"))
        }
        Type::Object(_) => "map".to_owned(),
        Type::Tagged(_) => "algorithm".to_owned(),
        Type::OneOf(types) => types.iter().map(words).collect::<Vec<_>>().join(" or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- reference: begin -->\n";
    const END: &str = "<!-- reference: end -->";

    /// The reference in the documentation is the one of the program; `UPDATE_EXPECT=1` rewrites it.
    #[test]
    fn documentation_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (found, after) = rest.split_once(END).unwrap();
        let expect = format!("\n{}\n", reference());
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, format!("{before}{BEGIN}{expect}{END}{after}")).unwrap();
        } else {
            assert_eq!(found, expect, "run the tests once with UPDATE_EXPECT=1");
        }
    }
}
