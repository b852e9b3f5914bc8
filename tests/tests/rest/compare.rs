//! Two answers to the same request, compared.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::http::Answer;
use super::normalize;

/// Where answers can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aspect {
    Status,
    ContentType,
    Allow,
    Location,
    AllowOrigin,
    AllowMethods,
    AllowHeaders,
    MaxAge,
    FrameOptions,
    Body,
    /// The texts that explain keys.
    Documentation,
    /// The second name of a key's position.
    Order,
}

impl Aspect {
    /// All, by the name that the table of differences has for them. Headers have their own names.
    pub(super) const ALL: [(Self, &'static str); 12] = [
        (Self::Status, "status"),
        (Self::ContentType, "content-type"),
        (Self::Allow, "allow"),
        (Self::Location, "location"),
        (Self::AllowOrigin, "access-control-allow-origin"),
        (Self::AllowMethods, "access-control-allow-methods"),
        (Self::AllowHeaders, "access-control-allow-headers"),
        (Self::MaxAge, "access-control-max-age"),
        (Self::FrameOptions, "x-frame-options"),
        (Self::Body, "body"),
        (Self::Documentation, "documentation"),
        (Self::Order, "second-order"),
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(_, known)| *known == name)
            .map(|(aspect, _)| aspect)
    }

    fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(aspect, _)| *aspect == self)
            .map_or("", |(_, name)| name)
    }
}

/// One aspect in which two answers differ.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) aspect: Aspect,
    detail: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.aspect.name(), self.detail)
    }
}

/// Everything in which the answers differ after what must differ is made equal.
pub(super) fn mismatches(reference: &Answer, ours: &Answer) -> Vec<Mismatch> {
    let mut found = Vec::new();
    if reference.status != ours.status {
        found.push(Mismatch {
            aspect: Aspect::Status,
            detail: format!("{} became {}", reference.status, ours.status),
        });
    }
    for (aspect, name) in Aspect::ALL {
        if aspect == Aspect::Status {
            continue;
        }
        if aspect == Aspect::Body {
            break;
        }
        let (theirs, own) = (header(reference, name), header(ours, name));
        if theirs != own {
            found.push(Mismatch {
                aspect,
                detail: format!("{theirs:?} became {own:?}"),
            });
        }
    }
    let (mut theirs, mut own) = normalize::bodies(&reference.body, &ours.body);
    for (aspect, key) in [
        (Aspect::Documentation, "documentation"),
        (Aspect::Order, "order"),
    ] {
        let (left, right) = (
            normalize::take(&mut theirs, key),
            normalize::take(&mut own, key),
        );
        if left != right {
            found.push(Mismatch {
                aspect,
                detail: format!("{} became {}", left.len(), right.len()),
            });
        }
    }
    let mut details = Vec::new();
    differences("$", &theirs, &own, &mut details);
    if !details.is_empty() {
        details.truncate(30);
        found.push(Mismatch {
            aspect: Aspect::Body,
            detail: details.join("\n    "),
        });
    }
    found
}

/// A header without the order of a list that has none, and without parameters of JSON.
fn header(answer: &Answer, name: &str) -> Option<String> {
    let value = answer.header(name)?;
    if name == "access-control-allow-methods" || name == "access-control-allow-headers" {
        let items: BTreeSet<&str> = value.split(',').map(str::trim).collect();
        return Some(items.into_iter().collect::<Vec<_>>().join(","));
    }
    Some(value)
}

/// The places at which two values differ, one line each.
fn differences(path: &str, reference: &Value, ours: &Value, found: &mut Vec<String>) {
    match (reference, ours) {
        (Value::Object(theirs), Value::Object(own)) => {
            for (key, value) in theirs {
                let path = format!("{path}.{key}");
                match own.get(key) {
                    Some(other) => differences(&path, value, other, found),
                    None => found.push(format!("{path}: {value} is missing")),
                }
            }
            for (key, value) in own.iter().filter(|(key, _)| !theirs.contains_key(*key)) {
                found.push(format!("{path}.{key}: {value} is new"));
            }
        }
        (Value::Array(theirs), Value::Array(own)) if theirs.len() == own.len() => {
            for (index, (value, other)) in theirs.iter().zip(own).enumerate() {
                differences(&format!("{path}[{index}]"), value, other, found);
            }
        }
        _ if reference == ours => {}
        _ => found.push(format!("{path}: {reference} became {ours}")),
    }
}
