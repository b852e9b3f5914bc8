//! The beginning of what may be long.

use tether_api::data::Bytes;

/// The beginning of a key, value or header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The first bytes, a copy: the batch of the record is not kept for them.
    pub bytes: Vec<u8>,
    /// How many bytes there are in all.
    pub length: usize,
}

impl Excerpt {
    /// The first `most` bytes.
    pub(super) fn of(bytes: &[u8], most: usize) -> Self {
        Self {
            bytes: bytes[..bytes.len().min(most)].to_vec(),
            length: bytes.len(),
        }
    }

    pub(super) fn of_optional(bytes: Option<&Bytes>, most: usize) -> Option<Self> {
        bytes.map(|bytes| Self::of(bytes, most))
    }

    /// Whether bytes are left out.
    pub fn is_cut(&self) -> bool {
        self.bytes.len() < self.length
    }

    /// The bytes as text that a person can read: UTF-8, without control characters
    /// but those between lines and words. A character that the cut went through is
    /// left out. `None`, if they are something else.
    pub fn text(&self) -> Option<&str> {
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(error) if self.is_cut() && error.error_len().is_none() => {
                std::str::from_utf8(&self.bytes[..error.valid_up_to()]).ok()?
            }
            Err(_) => return None,
        };
        let is_readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        text.chars().all(is_readable).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_told_from_other_bytes() {
        let text = |bytes: &[u8], most| Excerpt::of(bytes, most).text().map(str::to_owned);
        assert_eq!(text(b"a\n\tb", 9).as_deref(), Some("a\n\tb"));
        assert_eq!(text("aé".as_bytes(), 2).as_deref(), Some("a"));
        assert_eq!(text("aé".as_bytes(), 3).as_deref(), Some("aé"));
        assert_eq!(text(b"", 0).as_deref(), Some(""));
        // The frame of a schema registry, a broken character, a cut one that is all.
        assert_eq!(text(b"\0\0\0\0\x07x", 9), None);
        assert_eq!(text(b"\xffabc", 2), None);
        assert_eq!(text(b"a\xc3", 9), None);
    }

    proptest! {
        #[test]
        fn an_excerpt_is_never_longer_than_it_may_be(bytes: Vec<u8>, most in 0_usize..64) {
            let excerpt = Excerpt::of(&bytes, most);
            prop_assert!(excerpt.bytes.len() <= most);
            prop_assert_eq!(excerpt.length, bytes.len());
            prop_assert!(excerpt.text().is_none_or(|text| text.len() <= most));
        }
    }
}
