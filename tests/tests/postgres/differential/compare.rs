//! Two connectors' records, compared.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Number, Value};

/// A topic, without its prefix, and its records by partition.
pub(super) type Topics = BTreeMap<String, BTreeMap<i32, Vec<Value>>>;

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) variant: &'static str,
    /// Without its prefix; empty if it is not in a record.
    pub(super) topic: String,
    /// Partition and number of the record.
    pub(super) place: String,
    /// Where in the record, as in `value.payload.after.t`.
    pub(super) path: String,
    pub(super) reference: String,
    pub(super) ours: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variant,
            topic,
            place,
            path,
            reference,
            ours,
        } = self;
        write!(
            f,
            "{variant}: {topic} {place}: {path}\n    reference {reference}\n    ours      {ours}"
        )
    }
}

/// All differences between the topics of a variant's connectors.
pub(super) fn topics(variant: &'static str, reference: &Topics, ours: &Topics) -> Vec<Difference> {
    let mut found = Vec::new();
    let empty = BTreeMap::new();
    let names: std::collections::BTreeSet<_> = reference.keys().chain(ours.keys()).collect();
    for topic in names {
        let (theirs, own) = (
            reference.get(topic).unwrap_or(&empty),
            ours.get(topic).unwrap_or(&empty),
        );
        let partitions: std::collections::BTreeSet<_> = theirs.keys().chain(own.keys()).collect();
        for partition in partitions {
            let none = Vec::new();
            let theirs = theirs.get(partition).unwrap_or(&none);
            let own = own.get(partition).unwrap_or(&none);
            let mut add = |place: String, path: &str, reference: String, ours: String| {
                found.push(Difference {
                    variant,
                    topic: topic.clone(),
                    place,
                    path: path.to_owned(),
                    reference,
                    ours,
                });
            };
            for (number, (theirs, own)) in theirs.iter().zip(own).enumerate() {
                let mut differ = |path: &str, reference: String, ours: String| {
                    add(format!("[{partition}] {number}"), path, reference, ours);
                };
                values("", theirs, own, &mut differ);
            }
            if theirs.len() != own.len() {
                let next = theirs.len().min(own.len());
                let or_none = |records: &[Value]| {
                    let next = records.get(next);
                    let next = next.map_or_else(
                        || "nothing".to_owned(),
                        |next| short(&without_schemas(next)),
                    );
                    format!("has {} records; then comes {next}", records.len())
                };
                add(
                    format!("[{partition}]"),
                    "(records)",
                    or_none(theirs),
                    or_none(own),
                );
            }
        }
    }
    found
}

/// Tells where two values differ. Fields of an object are compared by their order as well.
pub(super) fn values(
    path: &str,
    reference: &Value,
    ours: &Value,
    differ: &mut dyn FnMut(&str, String, String),
) {
    let inner = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match (reference, ours) {
        _ if reference == ours && same_order(reference, ours) => {}
        (Value::Number(theirs), Value::Number(own)) if same_float(theirs, own) => {}
        (Value::String(theirs), Value::String(own)) if path.ends_with(".schema") => {
            match (serde_json::from_str(theirs), serde_json::from_str(own)) {
                (Ok(theirs), Ok(own)) => values(path, &theirs, &own, differ),
                _ => differ(path, short(reference), short(ours)),
            }
        }
        (Value::Object(theirs), Value::Object(own)) => {
            let names =
                |of: &serde_json::Map<String, Value>| of.keys().cloned().collect::<Vec<_>>();
            if names(theirs) != names(own) {
                differ(
                    &inner("(fields)"),
                    names(theirs).join(","),
                    names(own).join(","),
                );
            }
            for (name, value) in theirs {
                if let Some(other) = own.get(name) {
                    values(&inner(name), value, other, differ);
                }
            }
        }
        (Value::Array(theirs), Value::Array(own)) => {
            if theirs.len() != own.len() {
                differ(&inner("(length)"), items(theirs), items(own));
                return;
            }
            for (index, (value, other)) in theirs.iter().zip(own).enumerate() {
                // A field of a schema is known by its name.
                let name = value["field"].as_str().or_else(|| value["name"].as_str());
                let name = name.map_or_else(|| index.to_string(), str::to_owned);
                values(&inner(&name), value, other, differ);
            }
        }
        _ => differ(path, short(reference), short(ours)),
    }
}

/// Whether these are texts of the same float or double. How many digits Java prints depends on its
/// version.
fn same_float(one: &Number, other: &Number) -> bool {
    const DIGITS_OF_FLOAT: usize = 9;
    let (one, other) = (one.to_string(), other.to_string());
    let is_float = |text: &str| text.contains(['.', 'e', 'E']);
    if !is_float(&one) || !is_float(&other) {
        return false;
    }
    let digits = |text: &str| {
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        mantissa.chars().filter(char::is_ascii_digit).count()
    };
    let as_float = |text: &str| text.parse::<f32>().ok().map(f32::to_bits);
    let as_double = |text: &str| text.parse::<f64>().ok().map(f64::to_bits);
    as_double(&one) == as_double(&other)
        || digits(&one).max(digits(&other)) <= DIGITS_OF_FLOAT && as_float(&one) == as_float(&other)
}

/// Objects are equal whatever the order of their fields.
fn same_order(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.keys().eq(other.keys())
                && one
                    .values()
                    .zip(other.values())
                    .all(|(one, other)| same_order(one, other))
        }
        (Value::Array(one), Value::Array(other)) => one
            .iter()
            .zip(other)
            .all(|(one, other)| same_order(one, other)),
        _ => true,
    }
}

fn items(array: &[Value]) -> String {
    let names = array.iter().map(|item| {
        let name = item["field"].as_str().or_else(|| item["name"].as_str());
        name.map_or_else(|| short(item), str::to_owned)
    });
    let names: Vec<_> = names.collect();
    format!("{} items: {}", array.len(), names.join(","))
}

fn without_schemas(record: &Value) -> Value {
    let mut record = record.clone();
    for part in ["key", "value"] {
        if let Some(payload) = record[part].get_mut("payload").map(Value::take) {
            record[part] = payload;
        }
    }
    record
}

/// A value as text, cut when it is long.
fn short(value: &Value) -> String {
    const LONGEST: usize = 300;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

#[test]
fn differences_say_where() {
    let found = |reference: Value, ours: Value| {
        let mut found = Vec::new();
        values("value", &reference, &ours, &mut |path, reference, ours| {
            found.push(format!("{path}: {reference} / {ours}"));
        });
        found
    };
    use serde_json::json;
    assert!(found(json!({"a": [1]}), json!({"a": [1]})).is_empty());
    assert_eq!(
        found(json!({"a": {"b": 1}}), json!({"a": {"b": 2}})),
        ["value.a.b: 1 / 2"]
    );
    assert!(found(json!(4.9e-324), json!(5e-324)).is_empty());
    assert_eq!(found(json!(1.0), json!(1)), ["value: 1.0 / 1"]);
    assert_eq!(
        found(json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1})),
        ["value.(fields): a,b / b,a"]
    );
    assert_eq!(
        found(
            json!([{"field": "x", "type": 1}]),
            json!([{"field": "x", "type": 2}])
        ),
        ["value.x.type: 1 / 2"]
    );
}
