//! The JSON Schema of rule files, for editors.

use serde_json::{Map, Value, json};

use super::{Field, Object, Root, Shape, Type};

/// The schema of a file, JSON Schema 2020-12.
pub(in crate::config) fn schema() -> Value {
    let mut schema = value(&Root::describe());
    if let Value::Object(map) = &mut schema {
        map.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        map.insert("title".into(), json!("Margay rule file"));
    }
    schema
}

fn value(of: &Type) -> Value {
    match of {
        Type::Bool => json!({"type": "boolean"}),
        Type::Integer { min, max } => {
            let number = json!({"type": "integer", "minimum": small(*min), "maximum": small(*max)});
            json!({"anyOf": [number, variable()]})
        }
        Type::Text(kind) => match pattern(kind) {
            Some(pattern) => json!({"type": "string", "pattern": pattern}),
            None => json!({"type": "string"}),
        },
        Type::Scalar => json!({"type": ["string", "number"]}),
        Type::Choice(words) => json!({"enum": words}),
        Type::List(of) => json!({"type": "array", "items": value(of)}),
        Type::Map(of) => json!({"type": ["object", "null"], "additionalProperties": value(of)}),
        Type::Object(shape) => object(shape),
        Type::Tagged(variants) => tagged(variants),
        Type::OneOf(types) => json!({"anyOf": types.iter().map(value).collect::<Vec<_>>()}),
    }
}

/// All bounds of integers fit; a bound that did not would only be left out.
fn small(value: i128) -> Option<i64> {
    value.try_into().ok()
}

/// An environment variable where a number is due.
fn variable() -> Value {
    json!({"type": "string", "pattern": r"^\$\{.*\}$"})
}

/// The form of a kind of text. Variables may be anywhere in it.
fn pattern(kind: &str) -> Option<&'static str> {
    match kind {
        "duration" => Some(r"^[0-9]+ *(ms|s|m|h|d|w)$|\$\{"),
        "size" => Some(r"^[0-9]+ *(B|KiB|MiB|GiB|KB|MB|GB)$|\$\{"),
        "address" => Some(r"^.+:[0-9]+$|\$\{"),
        _ => None,
    }
}

fn object(shape: &Object) -> Value {
    let fields: Map<String, Value> =
        shape.fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
    let required: Vec<&str> =
        shape.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({
        "type": "object",
        "description": shape.doc,
        "properties": fields,
        "required": required,
        "additionalProperties": false,
    })
}

fn described(field: &Field) -> Value {
    let mut schema = value(&field.of);
    if let Value::Object(map) = &mut schema {
        map.insert("description".into(), json!(field.doc));
        if let Some(default) = field.default.filter(|default| !default.is_empty()) {
            // As it is written: a number without quotes, `true` without quotes.
            let default = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
            map.insert("default".into(), default);
        }
    }
    schema
}

fn tagged(variants: &[(&'static str, Object)]) -> Value {
    let bare: Vec<&str> = variants
        .iter()
        .filter(|(_, shape)| !shape.fields.iter().any(|field| field.required))
        .map(|(name, _)| *name)
        .collect();
    let with: Map<String, Value> =
        variants.iter().map(|(name, shape)| ((*name).to_owned(), object(shape))).collect();
    json!({"anyOf": [
        {"enum": bare},
        {"type": "object", "properties": with, "additionalProperties": false,
         "minProperties": 1, "maxProperties": 1},
    ]})
}
