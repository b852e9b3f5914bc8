//! Record headers: an ordered list in which names may repeat.

use crate::data::{SchemaAndValue, Text};

/// One header.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The name; not unique.
    pub key: Text,
    /// The value and its schema.
    pub value: SchemaAndValue,
}

/// The headers of a record, in order. An empty list owns no memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a header.
    pub fn add(&mut self, key: impl Into<Text>, value: SchemaAndValue) {
        self.0.push(Header {
            key: key.into(),
            value,
        });
    }

    /// Removes all headers of this name.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|header| header.key != key);
    }

    /// Keeps the headers for which the function says so.
    pub fn retain(&mut self, keep: impl FnMut(&Header) -> bool) {
        self.0.retain(keep);
    }

    /// The last header of this name.
    pub fn last(&self, key: &str) -> Option<&Header> {
        self.0.iter().rev().find(|header| header.key == key)
    }

    /// All headers in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// The number of headers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
