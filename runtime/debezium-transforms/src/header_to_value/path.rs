//! The way to a field through structs, as the reference takes it
//! (`io.debezium.transforms.ConnectRecordUtil`). It compares each struct with
//! the part of the way before it alone, not with the whole way, so that it
//! finds structs at other places too.

use crate::settings::split;

/// What the reference calls the struct that has no name: the value.
pub(super) const ROOT: &str = "payload";

/// A field, with dots between the names on the way to it.
pub(super) struct FieldPath {
    text: String,
    parts: Vec<String>,
}

impl FieldPath {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            parts: split(text, '.').into_iter().map(str::to_owned).collect(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Whether it leads through a struct.
    pub(super) fn is_nested(&self) -> bool {
        self.text.contains('.')
    }

    /// Whether it seems to lead through the field of this name.
    pub(super) fn leads_through(&self, field: &str) -> bool {
        let mut places = self.text.match_indices(field);
        places.any(|(place, _)| self.text[place + field.len()..].starts_with('.'))
    }

    /// The name of the field in the struct of this name and depth, if it
    /// belongs there (`getFieldName`).
    pub(super) fn field_of(&self, structure: &str, depth: usize) -> Option<&str> {
        if self.parts.len() == 1 && structure == ROOT {
            return self.parts.first().map(String::as_str);
        }
        let is_child =
            self.parts.len() == depth + 1 && self.parts[depth.saturating_sub(1)] == structure;
        is_child.then(|| self.parts[depth].as_str())
    }

    /// The name of the struct on the way that belongs into the struct of this
    /// name and depth (`getNewParentFieldsAtLevel`).
    pub(super) fn struct_of(&self, structure: &str, depth: usize) -> Option<&str> {
        let leads_here = match depth {
            0 => structure == ROOT,
            depth => depth < self.parts.len() && self.parts[depth - 1] == structure,
        };
        let is_on_the_way = leads_here && depth + 1 < self.parts.len();
        is_on_the_way.then(|| self.parts[depth].as_str())
    }

    /// The name of the field in a new struct of the value; the reference fills
    /// new structs only there (`getNestedFieldNameForParent`).
    pub(super) fn field_of_new(&self, new: &str, structure: &str, depth: usize) -> Option<&str> {
        let is_there = depth == 0 && structure == ROOT && self.parts.len() > 1;
        (is_there && self.parts[0] == new).then(|| self.parts[1].as_str())
    }
}

/// The new structs in the struct of this name and depth: those on the ways that
/// it does not have.
pub(super) fn new_structs<'a>(
    nested: &[&'a FieldPath],
    structure: &str,
    depth: usize,
    has: impl Fn(&str) -> bool,
) -> Vec<&'a str> {
    let mut new = Vec::new();
    for path in nested {
        if let Some(name) = path.struct_of(structure, depth)
            && !has(name)
            && !new.contains(&name)
        {
            new.push(name);
        }
    }
    new
}
