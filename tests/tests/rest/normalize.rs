//! What must differ between two workers, made equal: versions, times, the sets of plugins, the order of
//! what has none, and the lines of a Java stack trace.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The release of Debezium that our connector follows, and the one that tests can get.
const RELEASES: (&str, &str) = ("3.6.3.Final", "3.6.1.Final");

/// Both bodies as JSON; text that is no JSON as a string.
pub(super) fn bodies(reference: &str, ours: &str) -> (Value, Value) {
    let mut reference = body(reference);
    let mut ours = body(&ours.replace(RELEASES.0, RELEASES.1));
    if is_plugin_list(&reference) && is_plugin_list(&ours) {
        let common = &plugin_classes(&reference) & &plugin_classes(&ours);
        keep_plugins(&mut reference, &common);
        keep_plugins(&mut ours, &common);
    }
    keep_common_recommendations(&mut reference, &mut ours);
    (reference, ours)
}

fn body(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return Value::from(text);
    };
    if let Value::Array(items) = &mut value
        && items.iter().all(Value::is_string)
    {
        sort(items);
    }
    by_name(&mut value);
    walk(&mut value);
    value
}

fn sort(items: &mut [Value]) {
    items.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
}

/// Lists of keys by name, so that a key that is missing does not shift all others. Their order is
/// compared as a list of names.
fn by_name(value: &mut Value) {
    let list = match value {
        Value::Array(items) => items,
        Value::Object(fields) => match fields.get_mut("configs") {
            Some(Value::Array(items)) => items,
            _ => return,
        },
        _ => return,
    };
    let name = |item: &Value| {
        let named = ["/name", "/value/name", "/definition/name"];
        named
            .iter()
            .find_map(|place| item.pointer(place)?.as_str().map(str::to_owned))
    };
    let Some(names) = list.iter().map(name).collect::<Option<Vec<String>>>() else {
        return;
    };
    let order = names
        .iter()
        .filter(|name| !is_hashed(name))
        .cloned()
        .map(Value::from)
        .collect();
    let mut named: Map<String, Value> = names.into_iter().zip(list.drain(..)).collect();
    named.insert("order of keys".to_owned(), Value::Array(order));
    let named = Value::Object(named);
    match value {
        Value::Object(fields) => {
            fields.insert("configs".to_owned(), named);
        }
        other => *other = named,
    }
}

/// Whether a key comes out of a Java hash map, in no order: those of converters and of clients.
fn is_hashed(name: &str) -> bool {
    let of_converter = ["key.converter.", "value.converter.", "header.converter."]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    (of_converter && !name.ends_with(".plugin.version")) || name.contains(".override.")
}

/// The groups that every connector has, then the others, of which those of converters are in no order.
fn sort_groups(groups: &mut [Value]) {
    const COMMON: [&str; 7] = [
        "Common",
        "Transforms",
        "Predicates",
        "Error Handling",
        "Topic Creation",
        "Exactly Once Support",
        "offsets.topic",
    ];
    let is_common = |group: &Value| COMMON.contains(&group.as_str().unwrap_or_default());
    let begin = groups.iter().take_while(|group| is_common(group)).count();
    sort(&mut groups[begin..]);
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("version" | "commit", Value::String(text)) => *text = format!("<{key}>"),
                    ("last_modified", Value::Number(_)) => *value = Value::from("<time>"),
                    ("trace", Value::String(text)) => {
                        *text = text.lines().next().unwrap_or_default().to_owned();
                    }
                    ("message", Value::String(text)) => *text = message(text),
                    ("topics", Value::Array(items)) => sort(items),
                    // They come out of a Java hash map, and for a moment after a deletion the reference
                    // still lists the partition, with null.
                    ("offsets", Value::Array(items)) => {
                        items.retain(|item| !item["offset"].is_null());
                        items.sort_by_key(Value::to_string);
                    }
                    ("groups", Value::Array(items)) => sort_groups(items),
                    _ => walk(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        _ => {}
    }
}

/// A message without the plugins that a worker has, and with the entries of a Java map in order.
fn message(text: &str) -> String {
    if let Some((before, _)) = text.split_once("available connectors are: ") {
        return format!("{before}available connectors are: ...");
    }
    if let Some((before, rest)) = text.split_once("Connector config {")
        && let Some((entries, after)) = rest.rsplit_once('}')
    {
        let mut entries: Vec<&str> = entries.split(", ").collect();
        entries.sort_unstable();
        return format!("{before}Connector config {{{}}}{after}", entries.join(", "));
    }
    text.to_owned()
}

fn is_plugin_list(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.iter().all(|item| item["class"].is_string()))
}

fn plugin_classes(value: &Value) -> BTreeSet<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["class"].as_str().map(str::to_owned))
        .collect()
}

fn keep_plugins(value: &mut Value, common: &BTreeSet<String>) {
    if let Value::Array(items) = value {
        items.retain(|item| {
            item["class"]
                .as_str()
                .is_some_and(|class| common.contains(class))
        });
    }
}

/// Takes the fields of this name out of the definitions of keys.
pub(super) fn take(value: &mut Value, key: &str) -> Vec<Value> {
    match value {
        Value::Object(fields) => {
            let is_definition = fields.contains_key("order_in_group");
            let own = is_definition.then(|| fields.remove(key)).flatten();
            let within = fields.values_mut().flat_map(|value| take(value, key));
            within.chain(own).collect()
        }
        Value::Array(items) => items.iter_mut().flat_map(|item| take(item, key)).collect(),
        _ => Vec::new(),
    }
}

/// Recommended values of a key are names and versions of plugins, of which each worker has its own.
fn keep_common_recommendations(reference: &mut Value, ours: &mut Value) {
    const RECOMMENDED: &str = "recommended_values";
    match (reference, ours) {
        (Value::Object(theirs), Value::Object(own)) => {
            if let (Some(Value::Array(left)), Some(Value::Array(right))) =
                (theirs.get_mut(RECOMMENDED), own.get_mut(RECOMMENDED))
            {
                let common: Vec<Value> = left
                    .iter()
                    .filter(|value| right.contains(value))
                    .cloned()
                    .collect();
                left.retain(|value| common.contains(value));
                right.retain(|value| common.contains(value));
                return;
            }
            for (key, value) in theirs {
                if let Some(other) = own.get_mut(key) {
                    keep_common_recommendations(value, other);
                }
            }
        }
        (Value::Array(theirs), Value::Array(own)) => {
            for (value, other) in theirs.iter_mut().zip(own) {
                keep_common_recommendations(value, other);
            }
        }
        _ => {}
    }
}
