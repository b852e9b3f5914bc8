//! Record headers: an ordered list in which names may repeat.

use std::sync::Arc;

use crate::data::{SchemaAndValue, Text};

/// One header.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The name; not unique.
    pub key: Text,
    /// The value and its schema.
    pub value: SchemaAndValue,
}

/// The headers of a record, in order. An empty list owns no memory; clones
/// share theirs until one of them changes, so that records with the same
/// headers have them once.
#[derive(Debug, Clone, Default)]
pub struct Headers(Option<Arc<Vec<Header>>>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Appends a header.
    pub fn add(&mut self, key: impl Into<Text>, value: SchemaAndValue) {
        Arc::make_mut(self.0.get_or_insert_default()).push(Header {
            key: key.into(),
            value,
        });
    }

    /// Removes all headers of this name.
    pub fn remove(&mut self, key: &str) {
        self.retain(|header| header.key != key);
    }

    /// Keeps the headers for which the function says so.
    pub fn retain(&mut self, keep: impl FnMut(&Header) -> bool) {
        if let Some(headers) = &mut self.0 {
            Arc::make_mut(headers).retain(keep);
        }
    }

    /// The last header of this name.
    pub fn last(&self, key: &str) -> Option<&Header> {
        self.iter().rev().find(|header| header.key == key)
    }

    /// All headers in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.as_slice().iter()
    }

    /// The number of headers.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// Whether both share their memory, and so are equal. Equal ones need not.
    pub fn is_shared_with(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(headers), Some(others)) => Arc::ptr_eq(headers, others),
            _ => false,
        }
    }

    fn as_slice(&self) -> &[Header] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_until_one_changes() {
        let mut headers = Headers::new();
        assert!(headers.is_empty() && !headers.is_shared_with(&Headers::new()));
        headers.add("a", SchemaAndValue::NULL);
        let mut clone = headers.clone();
        assert!(clone.is_shared_with(&headers));
        clone.add("b", SchemaAndValue::NULL);
        assert_eq!((headers.len(), clone.len()), (1, 2));
        clone.remove("b");
        assert_eq!(clone, headers);
        assert!(!clone.is_shared_with(&headers));
        clone.remove("a");
        assert_eq!(clone, Headers::new());
    }
}
