//! Values of keywords, as Connect takes them.

use std::borrow::Cow;

use tether_api::data::{Text, Type};
use tether_api::{ConnectError, Result};

use crate::json::{Tree, TreeShape};
use crate::json_schema::names;
use crate::json_schema::schema::Node;

/// A value of an enumeration as Java shows it.
pub(super) fn symbol<'a>(value: &'a Tree<'a>) -> Cow<'a, str> {
    match &value.shape {
        TreeShape::String(text) => Cow::Borrowed(text),
        TreeShape::Null => Cow::Borrowed(names::NULL_SYMBOL),
        TreeShape::Number { .. } => Cow::Owned(names::java_number(value.text)),
        TreeShape::Boolean(_) => Cow::Borrowed(value.text),
        TreeShape::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(nested_symbol).collect();
            Cow::Owned(format!("[{}]", elements.join(", ")))
        }
        TreeShape::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{name}={}", nested_symbol(value)))
                .collect();
            Cow::Owned(format!("{{{}}}", members.join(", ")))
        }
    }
}

fn nested_symbol(value: &Tree<'_>) -> String {
    match value.shape {
        TreeShape::Null => "null".to_owned(),
        _ => symbol(value).into_owned(),
    }
}

fn wrong_keyword(name: &str, found: &str) -> ConnectError {
    ConnectError::data(format!("{name} must not be {found}"))
        .with_class("java.lang.ClassCastException")
}

/// The type that a schema says Connect knows its values by.
pub(super) fn connect_type(node: &Node) -> Result<Option<&str>> {
    let Some(text) = &node.connect.kind else {
        return Ok(None);
    };
    // None of the names has escapes, so what has some is no name.
    match text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        Some(name) => Ok(Some(name)),
        None => Err(wrong_keyword(names::CONNECT_TYPE, text)),
    }
}

pub(super) fn number_type(node: &Node, integer: bool) -> Result<Type> {
    Ok(match connect_type(node)? {
        None if integer => Type::Int64,
        None => Type::Float64,
        Some("int8") => Type::Int8,
        Some("int16") => Type::Int16,
        Some("int32") => Type::Int32,
        Some("int64") => Type::Int64,
        Some("float32") => Type::Float32,
        Some("float64") => Type::Float64,
        // A decimal.
        Some("bytes") => Type::Bytes,
        Some(name) => {
            return Err(ConnectError::data(format!("Unsupported type {name}"))
                .with_class("java.lang.IllegalArgumentException"));
        }
    })
}

pub(super) fn integer(text: Option<&Text>, name: &str) -> Result<Option<i32>> {
    match text.map(|text| (text, text.parse())) {
        None => Ok(None),
        Some((_, Ok(value))) => Ok(Some(value)),
        Some((text, Err(_))) => Err(wrong_keyword(name, text)),
    }
}

pub(super) fn parameters(node: &Node) -> Result<Vec<(Text, Text)>> {
    let Some(text) = &node.connect.parameters else {
        return Ok(Vec::new());
    };
    let TreeShape::Object(members) = Tree::parse(text)?.shape else {
        return Err(wrong_keyword(names::CONNECT_PARAMETERS, text));
    };
    let pair = |(name, value): &(Cow<'_, str>, Tree<'_>)| match &value.shape {
        TreeShape::String(text) => Ok((Text::from(&**name), Text::from(&**text))),
        _ => Err(wrong_keyword(names::CONNECT_PARAMETERS, value.text)),
    };
    members.iter().map(pair).collect()
}
