//! JSON as a tree, for schemas: their members come in any order, and they are
//! read once.

use std::borrow::Cow;

use super::scan::{Cursor, Kind, SyntaxError};

/// A value with its text.
pub(crate) struct Tree<'a> {
    pub(crate) text: &'a str,
    pub(crate) shape: TreeShape<'a>,
}

/// What kind of value it is, with its parts.
pub(crate) enum TreeShape<'a> {
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
    Array(Vec<Tree<'a>>),
    String(Cow<'a, str>),
    Boolean(bool),
    /// Whether it is written without fraction and exponent.
    Number {
        integral: bool,
    },
    Null,
}

impl<'a> Tree<'a> {
    /// Reads one value.
    pub(crate) fn parse(text: &'a str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text);
        Self::read(text, &mut cursor)
    }

    fn read(text: &'a str, cursor: &mut Cursor<'a>) -> Result<Self, SyntaxError> {
        let kind = cursor.kind()?;
        let start = cursor.position();
        let shape = match kind {
            Kind::Object => {
                cursor.open()?;
                let mut members = Vec::new();
                while let Some(name) = cursor.next_member(members.is_empty())? {
                    members.push((name, Self::read(text, cursor)?));
                }
                TreeShape::Object(members)
            }
            Kind::Array => {
                cursor.open()?;
                let mut elements = Vec::new();
                while cursor.next_element(elements.is_empty())? {
                    elements.push(Self::read(text, cursor)?);
                }
                TreeShape::Array(elements)
            }
            Kind::String => TreeShape::String(cursor.string()?),
            Kind::Number => TreeShape::Number {
                integral: cursor.number()?.integral,
            },
            Kind::Boolean(value) => {
                cursor.literal(kind)?;
                TreeShape::Boolean(value)
            }
            Kind::Null => {
                cursor.literal(kind)?;
                TreeShape::Null
            }
        };
        Ok(Self {
            text: &text[start..cursor.position()],
            shape,
        })
    }

    /// The member of this name; the last one if there are several.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match &self.shape {
            TreeShape::Object(members) => members
                .iter()
                .rev()
                .find(|(candidate, _)| candidate == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a member that is a string.
    pub(crate) fn get_text(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.shape {
            TreeShape::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.shape, TreeShape::Null)
    }
}
