//! Protobuf's schema language: what a `.proto` file says.

mod known;
mod lexer;
mod option;
mod parse;
mod print;

use tether_api::ConnectError;

pub(super) use self::known::{known, known_text};

/// The content of a `.proto` file, as far as data depends on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ProtoFile {
    pub(super) syntax: Option<Syntax>,
    pub(super) package: Option<String>,
    pub(super) imports: Vec<String>,
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
}

/// The edition of the language; a file without one is of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Proto2,
    Proto3,
}

/// A message type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) oneofs: Vec<Oneof>,
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
}

/// Fields of which at most one is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Oneof {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

/// A field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) label: Option<Label>,
    pub(super) kind: FieldType,
    pub(super) name: String,
    pub(super) number: i32,
    pub(super) default: Option<String>,
    pub(super) packed: Option<bool>,
    /// `params` of the option `confluent.field_meta`.
    pub(super) params: Vec<(String, String)>,
}

/// What stands before a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Optional,
    Required,
    Repeated,
}

/// The type of a field, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FieldType {
    Named(String),
    Map { key: String, value: String },
}

/// An enumeration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) values: Vec<(String, i32)>,
}

/// A text that is no `.proto` file, or one that means nothing.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub(super) struct ProtoError(pub(super) String);

impl From<ProtoError> for ConnectError {
    fn from(error: ProtoError) -> Self {
        Self::data(error.0).with_class("java.lang.IllegalArgumentException")
    }
}

impl ProtoFile {
    /// The full name of a top-level name.
    pub(super) fn full_name(&self, name: &str) -> String {
        match &self.package {
            Some(package) if !package.is_empty() => format!("{package}.{name}"),
            _ => name.to_owned(),
        }
    }
}
