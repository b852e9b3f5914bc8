//! The keywords of a schema and their values.

use std::borrow::Cow;

use tether_api::data::Text;
use tether_api::{ConnectError, Result};

use super::draft::Draft;
use crate::json::{Tree, TreeShape};

pub(super) fn invalid(reason: impl Into<String>) -> ConnectError {
    ConnectError::data("Invalid JSON Schema")
        .with_class("java.lang.IllegalArgumentException")
        .caused_by(ConnectError::data(reason))
}

pub(super) fn kind_name(tree: &Tree<'_>) -> &'static str {
    match &tree.shape {
        TreeShape::Object(_) => "an object",
        TreeShape::Array(_) => "an array",
        TreeShape::String(_) => "a string",
        TreeShape::Number { .. } => "a number",
        TreeShape::Boolean(_) => "a boolean",
        TreeShape::Null => "null",
    }
}

/// A schema whose keywords are taken one after the other.
pub(super) struct Keywords<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) taken: Vec<&'static str>,
}

impl<'a> Keywords<'a> {
    fn visible(&self, name: &str) -> Option<&'a Tree<'a>> {
        if self.taken.contains(&name) {
            return None;
        }
        self.tree.get(name)
    }

    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a Tree<'a>> {
        let found = self.visible(name);
        self.taken.push(name);
        found
    }

    pub(super) fn any(&self, names: &[&str], draft: Draft) -> bool {
        let mut names = names.iter().filter(|name| draft.knows(name));
        names.any(|name| self.visible(name).is_some())
    }
}

pub(super) fn expected(keyword: &str, what: &str, found: &Tree<'_>) -> ConnectError {
    invalid(format!(
        "{keyword}: expected {what}, found {}",
        kind_name(found)
    ))
}

pub(super) fn string_of(tree: Option<&Tree<'_>>, keyword: &str) -> Result<Option<Text>> {
    match tree.map(|tree| (tree, &tree.shape)) {
        None => Ok(None),
        Some((_, TreeShape::String(text))) => Ok(Some(Text::from(&**text))),
        Some((tree, _)) => Err(expected(keyword, "a string", tree)),
    }
}

pub(super) fn number_of(tree: Option<&Tree<'_>>, keyword: &str) -> Result<Option<Text>> {
    match tree.map(|tree| (tree, &tree.shape)) {
        None => Ok(None),
        Some((tree, TreeShape::Number { .. })) => Ok(Some(Text::from(tree.text))),
        Some((tree, _)) => Err(expected(keyword, "a number", tree)),
    }
}

pub(super) fn boolean_of(tree: Option<&Tree<'_>>, keyword: &str) -> Result<Option<bool>> {
    match tree.map(|tree| (tree, &tree.shape)) {
        None => Ok(None),
        Some((_, TreeShape::Boolean(value))) => Ok(Some(*value)),
        Some((tree, _)) => Err(expected(keyword, "a boolean", tree)),
    }
}

pub(super) fn count_of(tree: Option<&Tree<'_>>, keyword: &str) -> Result<Option<u64>> {
    match tree.map(|tree| (tree, tree.text.parse())) {
        None => Ok(None),
        Some((_, Ok(count))) => Ok(Some(count)),
        Some((tree, Err(_))) => Err(expected(keyword, "a count", tree)),
    }
}

pub(super) fn elements<'a>(keyword: &str, tree: &'a Tree<'a>) -> Result<&'a [Tree<'a>]> {
    match &tree.shape {
        TreeShape::Array(elements) => Ok(elements),
        _ => Err(expected(keyword, "an array", tree)),
    }
}

pub(super) fn members<'a>(
    tree: Option<&'a Tree<'a>>,
    keyword: &str,
) -> Result<&'a [(Cow<'a, str>, Tree<'a>)]> {
    match tree.map(|tree| (tree, &tree.shape)) {
        None => Ok(&[]),
        Some((_, TreeShape::Object(members))) => Ok(members),
        Some((tree, _)) => Err(expected(keyword, "an object", tree)),
    }
}
